//! Coins of the tables that were written last, in memory: most coins that are spent are young.

use std::collections::{BTreeMap, VecDeque};

use chain::Coin;
use spec::OutPoint;

/// What a coin takes beside its lock, roughly: two entries and their allocations.
const COIN_BYTES: usize = 256;

/// Unspent coins, the oldest of which make room.
#[derive(Debug)]
pub(crate) struct CoinCache {
    coins: BTreeMap<OutPoint, Coin>,
    /// In the order in which they came; those that were spent are still named.
    order: VecDeque<OutPoint>,
    bytes: usize,
    bytes_max: usize,
}

impl CoinCache {
    pub(crate) const fn new(bytes_max: usize) -> Self {
        Self { coins: BTreeMap::new(), order: VecDeque::new(), bytes: 0, bytes_max }
    }

    pub(crate) fn get(&self, outpoint: &OutPoint) -> Option<&Coin> {
        self.coins.get(outpoint)
    }

    pub(crate) fn insert(&mut self, outpoint: OutPoint, coin: Coin) {
        self.bytes += size(&coin);
        self.order.push_back(outpoint);
        if let Some(old) = self.coins.insert(outpoint, coin) {
            self.bytes -= size(&old);
        }
        while self.bytes > self.bytes_max {
            let Some(oldest) = self.order.pop_front() else { break };
            self.remove(&oldest);
        }
    }

    pub(crate) fn remove(&mut self, outpoint: &OutPoint) {
        if let Some(coin) = self.coins.remove(outpoint) {
            self.bytes -= size(&coin);
        }
        // Names of spent coins must not pile up.
        if self.order.len() > 2 * self.coins.len() + 1024 {
            self.order.retain(|outpoint| self.coins.contains_key(outpoint));
        }
    }
}

/// What a coin takes in memory, roughly.
pub(crate) fn size(coin: &Coin) -> usize {
    COIN_BYTES + coin.output.lock.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::{Height, Sats, TxOut, Txid};

    #[test]
    fn the_oldest_coins_make_room() {
        let coin = Coin { output: TxOut::plain(Sats::ONE, vec![0; 44]), height: Height::GENESIS, coinbase: false };
        let outpoint = |index| OutPoint { txid: Txid::default(), index };
        let mut cache = CoinCache::new(3_000);
        for index in 0..5_000 {
            cache.insert(outpoint(index), coin.clone());
            if index % 3 == 0 {
                cache.remove(&outpoint(index));
            }
        }
        assert!(cache.get(&outpoint(4_999)).is_some());
        assert!(cache.get(&outpoint(4_998)).is_none(), "it was spent");
        assert!(cache.get(&outpoint(4_000)).is_none());
        assert_eq!(cache.coins.len(), 10);
        assert!(cache.bytes <= 3_000 && cache.order.len() < 1_100);
    }
}
