//! Everything that blocks say of rewards and models, read at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use spec::script::p2sh32;
use spec::{Block, Category, Transaction, Txid};

use crate::model::{Index, Record, Registries, Registry};
use crate::reward::{self, Flow, Published, Refused};

/// What a chain shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// The published rewards and the flows of registered models, in the order in which the chain shows them.
    pub rewards: Vec<Flow>,
    /// What was published and does not agree with the chain.
    pub refused: Vec<Refused>,
    /// The categories that began as registries of models, in the order of their geneses.
    pub registries: Vec<(Registry, Index)>,
}

/// Reads blocks in the order of their heights. Transactions of a block may stand in any order.
///
/// ```
/// assert_eq!(flow::rebuild(&[]), flow::Network::default());
/// ```
#[must_use]
pub fn rebuild(blocks: &[Block]) -> Network {
    let ordered: Vec<(usize, Vec<&Transaction>)> =
        blocks.iter().enumerate().map(|(at, block)| (at, ordered(&block.transactions))).collect();
    let all = || ordered.iter().flat_map(|(at, txs)| txs.iter().map(move |tx| (*at, *tx)));
    let mut registries = Registries::default();
    all().for_each(|(block, tx)| registries.step(tx, block));
    let registries = registries.finish();
    let mut registered: BTreeMap<Txid, Vec<Published>> = BTreeMap::new();
    for record in registries.iter().flat_map(|(_, index)| &index.records) {
        registered.entry(record.outpoint.txid).or_default().push(record.published());
    }
    let (rewards, refused) = reward::rebuild(all().map(|(_, tx)| tx), &registered);
    Network { rewards, refused, registries }
}

impl Network {
    /// The registry of this category.
    #[must_use]
    pub fn registry(&self, category: &Category) -> Option<(&Registry, &Index)> {
        let found = self.registries.iter().find(|(registry, _)| registry.category == *category);
        found.map(|(registry, index)| (registry, index))
    }

    /// The flow of a model, with what it paid.
    #[must_use]
    pub fn flow_of(&self, record: &Record) -> Option<&Flow> {
        let lock = p2sh32(&record.flow);
        self.rewards.iter().find(|flow| flow.published.lock() == lock)
    }
}

/// The transactions of a block, each behind those whose outputs it spends; otherwise in the block's order.
#[must_use]
pub fn ordered(transactions: &[Transaction]) -> Vec<&Transaction> {
    let txids: Vec<Txid> = transactions.iter().map(Transaction::txid).collect();
    let places: BTreeMap<Txid, usize> = txids.iter().enumerate().map(|(at, txid)| (*txid, at)).collect();
    let mut spenders: Vec<Vec<usize>> = vec![Vec::new(); transactions.len()];
    let mut waiting: Vec<usize> = Vec::with_capacity(transactions.len());
    for (at, tx) in transactions.iter().enumerate() {
        let before: BTreeSet<usize> =
            tx.inputs.iter().filter_map(|input| places.get(&input.prevout.txid)).copied().collect();
        for place in &before {
            if let Some(spenders) = spenders.get_mut(*place) {
                spenders.push(at);
            }
        }
        waiting.push(before.len());
    }
    let mut ready: VecDeque<usize> = (0..transactions.len()).filter(|at| waiting.get(*at) == Some(&0)).collect();
    let mut order = Vec::with_capacity(transactions.len());
    while let Some(at) = ready.pop_front() {
        order.extend(transactions.get(at));
        for spender in spenders.get(at).into_iter().flatten() {
            if let Some(left) = waiting.get_mut(*spender) {
                *left -= 1;
                if *left == 0 {
                    ready.push_back(*spender);
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use spec::tx::TxIn;
    use spec::{OutPoint, Sats, TxOut};

    use super::*;

    fn tx(spends: &[Txid], mark: u8) -> Transaction {
        let input = |txid: &Txid| TxIn { prevout: OutPoint { txid: *txid, index: 0 }, unlock: Vec::new(), sequence: 0 };
        let outputs = vec![TxOut::plain(Sats::ONE, vec![mark])];
        Transaction { version: 2, inputs: spends.iter().map(input).collect(), outputs, locktime: 0 }
    }

    #[test]
    fn transactions_come_behind_what_they_spend_whatever_the_order_of_the_block() {
        let first = tx(&[Txid::from_wire([9; 32])], 1);
        let second = tx(&[first.txid()], 2);
        let third = tx(&[second.txid(), first.txid()], 3);
        let all = [first, second, third];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            let block: Vec<Transaction> = order.iter().map(|at| all[*at].clone()).collect();
            assert_eq!(ordered(&block), all.iter().collect::<Vec<_>>());
        }
    }
}
