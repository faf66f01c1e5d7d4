//! What only a devnet may do: time at will, chains that are taken back and replaced, states that are kept and brought back.
//!
//! Nothing of it is known to the rules. Blocks are judged as always; what is no longer wanted is declared invalid, as `invalidateblock` does.

use std::time::Duration;

use chain::{BlockError, Mempool, Status};
use spec::{Block, BlockHash, BlockHeader, Height, Sats, Transaction, TxOut};
use wallet::{FeeRate, Purse, Utxo, pay};

use crate::rpc::error::{Code, RpcError};
use crate::state::{NOBODY, Node};

/// A state to come back to.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    tip: BlockHash,
    mempool: Mempool,
    mock: Option<u32>,
}

/// So many snapshots are kept; the oldest goes.
const SNAPSHOTS_MAX: usize = 100;
/// A devnet has no more branches than that between two states.
const MOVES_MAX: usize = 10_000;

/// What is kept for a devnet.
#[derive(Debug, Default)]
pub(crate) struct Devnet {
    snapshots: Vec<(u64, Snapshot)>,
    taken: u64,
    /// The time that the next block shall have.
    pub(crate) next_block_time: Option<u32>,
    /// How often a block is mined.
    pub(crate) mine_every: Option<Duration>,
}

impl Devnet {
    /// Nothing kept yet.
    pub(crate) fn new(mine_every: Option<Duration>) -> Self {
        Self { mine_every, ..Self::default() }
    }
}

/// Blocks and waiting transactions in their wire format.
pub(crate) type Dump = (Vec<Vec<u8>>, Vec<Vec<u8>>);

fn refused(error: &BlockError) -> RpcError {
    RpcError::new(Code::Verify, error.to_string())
}

impl Node {
    /// Keeps the state; returns its number.
    pub(crate) fn take_snapshot(&mut self) -> u64 {
        let snapshot = Snapshot { tip: self.tip().hash, mempool: self.mempool().clone(), mock: self.clock().mock() };
        let devnet = self.devnet_mut();
        devnet.taken += 1;
        if devnet.snapshots.len() >= SNAPSHOTS_MAX {
            devnet.snapshots.remove(0);
        }
        devnet.snapshots.push((devnet.taken, snapshot));
        devnet.taken
    }

    /// Brings a state back. It and those after it are then forgotten.
    pub(crate) fn revert(&mut self, number: u64) -> Result<bool, RpcError> {
        let snapshots = &mut self.devnet_mut().snapshots;
        let Some(at) = snapshots.iter().position(|(known, _)| *known == number) else { return Ok(false) };
        let Some((_, snapshot)) = snapshots.drain(at..).next() else { return Ok(false) };
        self.go_to(&snapshot.tip)?;
        self.set_mock_time(snapshot.mock);
        self.replace_mempool(snapshot.mempool);
        Ok(true)
    }

    /// Makes a known block the tip, whatever weighs more.
    pub(crate) fn go_to(&mut self, target: &BlockHash) -> Result<(), RpcError> {
        let missing = || RpcError::new(Code::NotFound, "Block not found");
        for _ in 0..MOVES_MAX {
            if self.tip().hash == *target {
                return Ok(());
            }
            let entry = *self.chain().header(target).ok_or_else(missing)?;
            if self.chain().is_active(target) {
                let above = self.chain().hash_at(entry.height.next()).ok_or_else(missing)?;
                self.invalidate(&above).map_err(|error| refused(&error))?;
            } else if entry.status == Status::Invalid {
                self.reconsider(target).map_err(|error| refused(&error))?;
            } else {
                // Another branch weighs more: its first block that is not the target's gives way.
                let fork = self.fork_below(target).ok_or_else(missing)?;
                let rival = self.chain().hash_at(fork.next()).ok_or_else(missing)?;
                self.invalidate(&rival).map_err(|error| refused(&error))?;
            }
        }
        Err(RpcError::new(Code::Misc, "the chain has too many branches"))
    }

    /// The height of the last active block at or below a block.
    fn fork_below(&self, hash: &BlockHash) -> Option<Height> {
        let mut at = *hash;
        loop {
            let entry = self.chain().header(&at)?;
            if self.chain().is_active(&at) {
                return Some(entry.height);
            }
            at = entry.header.previous;
        }
    }

    /// Replaces the last blocks by one more, which are empty: a branch that weighs more, as if it had come from elsewhere. What the old
    /// blocks held waits again. Returns the new blocks.
    pub(crate) fn reorganize(&mut self, depth: u32) -> Result<Vec<BlockHash>, RpcError> {
        let mut parent = self.block_below(depth)?;
        let mut made = Vec::new();
        for _ in 0..=depth {
            let block = self.empty_block_on(&parent)?;
            parent = block.header.hash();
            let now = self.clock().now().max(block.header.time);
            self.accept_block_at(block, now).map_err(|error| refused(&error))?;
            made.push(parent);
        }
        Ok(made)
    }

    /// Takes the last blocks back; what they held waits again.
    pub(crate) fn roll_back(&mut self, depth: u32) -> Result<(), RpcError> {
        let target = self.block_below(depth)?;
        self.go_to(&target)
    }

    fn block_below(&self, depth: u32) -> Result<BlockHash, RpcError> {
        let height = self.tip().entry.height.get().checked_sub(depth).filter(|_| depth > 0);
        let hash = height.and_then(|height| self.chain().hash_at(Height::new(height)));
        hash.ok_or_else(|| RpcError::new(Code::InvalidParameter, "depth must be between 1 and the height of the tip"))
    }

    fn empty_block_on(&mut self, parent: &BlockHash) -> Result<Block, RpcError> {
        let missing = || RpcError::new(Code::NotFound, "Block not found");
        let entry = *self.chain().header(parent).ok_or_else(missing)?;
        let median = self.chain().median_time_past(parent).ok_or_else(missing)?;
        let bits = self.chain().target_after(parent).ok_or_else(missing)?;
        let tag = self.next_tag();
        let coinbase = chain::coinbase(self.chain().params(), entry.height.next(), Sats::ZERO, &NOBODY, &tag);
        let time = self.clock().now().max(median.saturating_add(1));
        let header =
            BlockHeader { version: 0x2000_0000, previous: *parent, merkle_root: [0; 32], time, bits, nonce: 0 };
        let mut block = Block { header, transactions: vec![coinbase] };
        block.header.merkle_root = block.merkle_root();
        let solved = chain::solve(block.header, 0..=u32::MAX);
        block.header = solved.ok_or_else(|| RpcError::new(Code::Misc, "no nonce was found"))?;
        Ok(block)
    }

    /// Splits what each account has into that many coins of one size, and mines it.
    pub(crate) fn split_coins(&mut self, locks: &[Vec<u8>], parts: u32) -> Result<(), RpcError> {
        for lock in locks {
            let Some(key) = self.wallets().get(None)?.key(lock).copied() else { continue };
            // A node that ended in the middle of this has split some already.
            if self.unspent_of(std::slice::from_ref(lock), true)?.iter().any(|(_, coin)| !coin.coinbase) {
                continue;
            }
            let coins = self.unspent_of(std::slice::from_ref(lock), false)?.into_iter();
            let coins: Vec<Utxo> = coins
                .filter(|(_, coin)| self.is_mature(coin))
                .map(|(outpoint, coin)| Utxo { outpoint, output: coin.output })
                .collect();
            let total = Sats::checked_sum(coins.iter().map(|coin| coin.output.value)).unwrap_or(Sats::ZERO);
            // The last coin is what is left after the fee, and so a little less than the others.
            let share = Sats::from_wire(total.get() / u64::from(parts.max(1)));
            let outputs =
                vec![TxOut::plain(share, lock.clone()); usize::try_from(parts.saturating_sub(1)).unwrap_or(0)];
            if outputs.is_empty() || share == Sats::ZERO {
                continue;
            }
            let rate = FeeRate::per_kilobyte(self.fee_rate_min().get());
            let tx = pay(&Purse::of(key, coins), outputs, rate, self.chain().params().rules)
                .map_err(|error| RpcError::new(Code::Wallet, error.to_string()))?
                .tx;
            self.accept_transaction(tx).map_err(|error| RpcError::new(Code::Rejected, error.to_string()))?;
        }
        self.mine(&NOBODY).map(drop)
    }

    /// What a state is made of: the blocks of the active chain above the first, and what waits.
    pub(crate) fn dump(&self) -> Result<Dump, RpcError> {
        let heights = 1..=self.tip().entry.height.get();
        let mut blocks = Vec::new();
        for height in heights {
            blocks.extend(self.chain().block_at(Height::new(height))?.map(|block| block.encode()));
        }
        Ok((blocks, self.mempool().entries().map(|entry| entry.tx.encode()).collect()))
    }

    /// Brings such a state back: its last block becomes the tip, and what it says waits.
    pub(crate) fn load(&mut self, blocks: Vec<Block>, waiting: Vec<Transaction>) -> Result<(), RpcError> {
        let target =
            blocks.last().map_or_else(|| self.chain().hash_at(Height::GENESIS), |block| Some(block.header.hash()));
        for block in blocks {
            let now = self.clock().now().max(block.header.time);
            match self.accept_block_at(block, now) {
                Ok(_) | Err(BlockError::Duplicate | BlockError::DuplicateInvalid) => {}
                Err(error) => return Err(refused(&error)),
            }
        }
        let target = target.ok_or_else(|| RpcError::new(Code::Internal, "there is no first block"))?;
        self.go_to(&target)?;
        self.replace_mempool(Mempool::new(self.chain().params()));
        for outcome in self.accept_transactions(waiting) {
            outcome.map_err(|error| RpcError::new(Code::Rejected, error.to_string()))?;
        }
        Ok(())
    }
}
