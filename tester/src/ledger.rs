//! The chain of one test: its coins, its height and its clock.
//!
//! Coins are put on it as a test says; what spends them is judged by the rules of nodes at the next block. Blocks
//! hold nothing else, so a chain reaches any height at once.

use std::collections::BTreeMap;

use chain::{Coin, Place, Runner, TxError, Verified, Workers, check_ages, check_finality, verify_spend};
use engine::Engine;
use spec::hash::sha256;
use spec::{Height, Mode, OutPoint, RuleSet, Rules, Sats, Transaction, TxOut, Txid};
use wallet::Utxo;

/// The height at which tests begin.
pub(crate) const START_HEIGHT: u32 = 100;
/// The median time of the blocks before it: when Bitcoin began.
pub(crate) const START_TIME: u32 = 1_231_006_505;
/// How long a block takes.
const BLOCK_SECS: u32 = 600;
/// What the faucet has for each transaction.
const FAUCET_SATS: Sats = Sats::from_wire(20_000_000 * 100_000_000);

/// A chain.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    rules: Rules,
    height: u32,
    /// The median time past that a transaction of the next block sees.
    time: u32,
    /// That time when the height was last known to be so.
    history: BTreeMap<u32, u32>,
    coins: BTreeMap<OutPoint, Coin>,
    /// The coins in the order in which they were made, some of which are spent.
    order: Vec<OutPoint>,
    made: u64,
}

impl Ledger {
    pub(crate) fn new(set: RuleSet) -> Self {
        Self {
            rules: Rules::new(set, Mode::Relay),
            height: START_HEIGHT,
            time: START_TIME,
            history: BTreeMap::from([(START_HEIGHT, START_TIME)]),
            coins: BTreeMap::new(),
            order: Vec::new(),
            made: 0,
        }
    }

    pub(crate) const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The height of the last block.
    pub(crate) const fn height(&self) -> u32 {
        self.height
    }

    /// The median time of the last blocks.
    pub(crate) const fn time(&self) -> u32 {
        self.time
    }

    /// Puts an output on the chain.
    pub(crate) fn put(&mut self, output: TxOut) -> Utxo {
        self.made += 1;
        let outpoint = OutPoint { txid: Txid::from_wire(sha256(&self.made.to_le_bytes())), index: 0 };
        let coin = Coin { output: output.clone(), height: self.next(), coinbase: false };
        self.insert(outpoint, coin);
        Utxo { outpoint, output }
    }

    fn insert(&mut self, outpoint: OutPoint, coin: Coin) {
        self.coins.insert(outpoint, coin);
        self.order.push(outpoint);
    }

    /// All coins, in the order in which they were made.
    pub(crate) fn utxos(&self) -> impl DoubleEndedIterator<Item = Utxo> {
        let of =
            |outpoint: &OutPoint| Some(Utxo { outpoint: *outpoint, output: self.coins.get(outpoint)?.output.clone() });
        self.order.iter().filter_map(of)
    }

    /// A coin that pays a fee.
    pub(crate) fn faucet(&mut self) -> Utxo {
        self.put(TxOut::plain(FAUCET_SATS, crate::people::faucet().lock()))
    }

    /// Mines blocks; `None` if there are never so many.
    pub(crate) fn mine(&mut self, blocks: u32) -> Option<()> {
        let height = self.height.checked_add(blocks).filter(|height| *height < i32::MAX as u32)?;
        self.time = self.time.checked_add(blocks.checked_mul(BLOCK_SECS)?)?;
        self.height = height;
        self.history.insert(height, self.time);
        Some(())
    }

    /// Mines until the last block has that height; `None` if it is past.
    pub(crate) fn reach_height(&mut self, height: u32) -> Option<()> {
        self.mine(height.checked_sub(self.height)?)
    }

    /// Mines until lock times up to `time` are reached; `None` if it is past.
    pub(crate) fn reach_time(&mut self, time: u32) -> Option<()> {
        // A lock time is reached once the median time is above it.
        let wanted = time.checked_add(1)?;
        let blocks = wanted.checked_sub(self.time)?.div_ceil(BLOCK_SECS);
        self.height = self.height.checked_add(blocks)?;
        self.time = wanted;
        self.history.insert(self.height, wanted);
        Some(())
    }

    const fn next(&self) -> Height {
        Height::new(self.height + 1)
    }

    /// What the next block would say of a transaction.
    pub(crate) fn judge(&self, engine: &Engine, tx: &Transaction, spent: &[TxOut]) -> Result<Verified, TxError> {
        let place = Place { height: self.next(), median_time_past: self.time };
        check_finality(tx, place)?;
        let coins = tx.inputs.iter().map(|input| self.coins.get(&input.prevout).cloned());
        let coins = coins.collect::<Option<Vec<_>>>().ok_or(TxError::MissingInputs)?;
        check_ages(tx, &coins, place, |height| self.time_before(height))?;
        verify_spend(&self.rules, tx, spent, Runner { engine, workers: Workers::ONE })
    }

    /// The median time of the blocks before a height.
    fn time_before(&self, height: Height) -> u32 {
        let below = self.history.range(..height.get()).next_back();
        below.map_or(START_TIME, |(_, time)| *time)
    }

    /// Takes a transaction that was judged to be valid.
    pub(crate) fn take(&mut self, tx: &Transaction) {
        for input in &tx.inputs {
            self.coins.remove(&input.prevout);
        }
        let (txid, height) = (tx.txid(), self.next());
        for (index, output) in (0_u32..).zip(&tx.outputs) {
            let coin = Coin { output: output.clone(), height, coinbase: false };
            self.insert(OutPoint { txid, index }, coin);
        }
    }
}
