//! A chain and a mempool in memory behind the hub's trait.

use std::sync::Arc;

use chain::{BlockError, Chain, MemoryStore, Mempool, Params, Status, TxError, build_template, solve};
use p2p::{HeaderRefusal, HeadersSeen, Known, Ledger, TxVerdict, Verdict};
use spec::{Block, BlockHash, BlockHeader, Network, OutPoint, Sats, Transaction, TxIn, TxOut, Txid};

/// `OP_1`: anyone can spend it with an empty script.
const ANYONE: &[u8] = &[0x51];

pub struct Books {
    pub chain: Chain<MemoryStore>,
    pub mempool: Mempool,
    pub now: u32,
}

impl Books {
    pub fn new() -> Self {
        let params = Params::of(Network::Devnet);
        let (mempool, now) = (Mempool::new(&params), params.genesis().header.time + 1_000_000);
        Self { chain: Chain::open(params, MemoryStore::new()).unwrap(), mempool, now }
    }

    /// The next block, which different tags make different.
    pub fn next_block(&self, tag: &str) -> Block {
        let mut block = build_template(&self.chain, &self.mempool, ANYONE, tag.as_bytes(), self.now).block;
        block.header = solve(block.header, 0..=u32::MAX).unwrap();
        block
    }

    pub fn mine(&mut self, blocks: usize, tag: &str) {
        for _ in 0..blocks {
            let block = self.next_block(tag);
            assert_eq!(self.accept_block(block), Verdict::Kept);
        }
    }

    /// A transaction that spends the coinbase of a block.
    pub fn spend_coinbase(&self, height: u32, sats: u64) -> Transaction {
        let block = self.chain.block_at(spec::Height::new(height)).unwrap().unwrap();
        spend(OutPoint { txid: block.transactions[0].txid(), index: 0 }, sats)
    }
}

pub fn spend(prevout: OutPoint, sats: u64) -> Transaction {
    let outputs = vec![
        TxOut::plain(Sats::new(sats).unwrap(), ANYONE.to_vec()),
        TxOut::plain(Sats::ZERO, vec![0x6a, 4, 1, 2, 3, 4]),
    ];
    let inputs = vec![TxIn { prevout, unlock: vec![], sequence: u32::MAX }];
    Transaction { version: 2, inputs, outputs, locktime: 0 }
}

impl Ledger for Books {
    fn now_secs(&self) -> u32 {
        self.now
    }

    fn tip(&self) -> BlockHash {
        self.chain.tip().hash
    }

    fn best_header(&self) -> BlockHash {
        self.chain.best_header().header.hash()
    }

    fn known(&self, hash: &BlockHash) -> Option<Known> {
        let entry = self.chain.header(hash)?;
        Some(Known {
            header: entry.header,
            height: entry.height,
            work: entry.work,
            has_block: entry.has_block,
            invalid: entry.status == Status::Invalid,
        })
    }

    fn locator(&self, from: &BlockHash) -> Vec<BlockHash> {
        self.chain.locator(from)
    }

    fn headers_after(&self, locator: &[BlockHash], stop: &BlockHash, max: usize) -> Vec<BlockHeader> {
        self.chain.headers_after(locator, stop, max)
    }

    fn missing_blocks(&self, up_to: &BlockHash, above: Option<&BlockHash>) -> Vec<BlockHash> {
        self.chain.missing_blocks(up_to, above)
    }

    fn block(&self, hash: &BlockHash) -> Option<Arc<Block>> {
        self.chain.block(hash).unwrap()
    }

    fn accept_headers(&mut self, headers: &[BlockHeader]) -> HeadersSeen {
        let seen = self.chain.accept_headers(headers, self.now);
        let refused = seen.refused.map(|error| match error {
            BlockError::Orphan => HeaderRefusal::Unconnected,
            BlockError::TimeTooNew | BlockError::TooManyHeaders => HeaderRefusal::Later,
            _ => HeaderRefusal::Invalid,
        });
        HeadersSeen { new: seen.new, last: seen.last, refused }
    }

    fn accept_block(&mut self, block: Block) -> Verdict {
        match self.chain.accept_block(block, self.now) {
            Ok(change) => {
                self.mempool.update(&change, &self.chain, self.now);
                Verdict::Kept
            }
            Err(BlockError::Duplicate | BlockError::Orphan | BlockError::TimeTooNew) => Verdict::Nothing,
            Err(_) => Verdict::Invalid,
        }
    }

    fn accept_tx(&mut self, tx: Transaction) -> TxVerdict {
        match self.mempool.accept(tx, &self.chain, self.now) {
            Ok(_) => TxVerdict::Accepted,
            Err(TxError::MissingInputs) => TxVerdict::MissingInputs,
            Err(TxError::Script { mandatory: true, .. } | TxError::NoInputs) => TxVerdict::Invalid,
            Err(_) => TxVerdict::Refused,
        }
    }

    fn tx(&self, txid: &Txid) -> Option<Arc<Transaction>> {
        self.mempool.get(txid).map(|entry| Arc::clone(&entry.tx))
    }

    fn has_tx(&self, txid: &Txid) -> bool {
        self.mempool.get(txid).is_some() || self.chain.locate(txid).unwrap().is_some()
    }

    fn fee_rate(&self, txid: &Txid) -> u64 {
        self.mempool.get(txid).map_or(0, |entry| entry.fee.get() * 1_000 / entry.len_bytes as u64)
    }

    fn fee_rate_min(&self) -> u64 {
        self.mempool.fee_rate_min(self.now).get()
    }

    fn waiting(&self, max: usize) -> Vec<Txid> {
        self.mempool.entries().map(|entry| entry.txid).take(max).collect()
    }
}
