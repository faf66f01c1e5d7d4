//! A devnet to play on: mining, spending, and blocks made by hand.

use chain::{Accepted, BlockError, Chain, MemoryStore, Mempool, Params, build_template, solve};
use spec::{Block, Network, OutPoint, Sats, Transaction, TxIn, TxOut};

/// `OP_1`: anyone can spend it with an empty script.
pub const ANYONE: &[u8] = &[0x51];

pub struct World {
    pub chain: Chain<MemoryStore>,
    pub mempool: Mempool,
    pub now: u32,
}

impl World {
    pub fn new() -> Self {
        let params = Params::of(Network::Devnet);
        let mempool = Mempool::new(&params);
        let now = params.genesis().header.time;
        Self { chain: Chain::open(params, MemoryStore::new()).unwrap(), mempool, now }
    }

    /// A world whose first coinbase is just mature.
    pub fn grown() -> Self {
        let mut world = Self::new();
        world.mine(10);
        world
    }

    /// The next block, sealed. Different tags give different blocks.
    pub fn next_block(&mut self, tag: &str) -> Block {
        self.now += 600;
        seal(build_template(&self.chain, &self.mempool, ANYONE, tag.as_bytes(), self.now).block)
    }

    pub fn accept(&mut self, block: Block) -> Result<Accepted, BlockError> {
        let mempool = &self.mempool;
        let change = self.chain.accept_block_with(block, self.now, &|txid| mempool.verified(txid))?;
        self.mempool.update(&change, &self.chain, self.now);
        Ok(change)
    }

    pub fn mine(&mut self, blocks: usize) {
        for _ in 0..blocks {
            let block = self.next_block("");
            self.accept(block).unwrap();
        }
    }

    pub fn reason(&mut self, block: Block) -> &'static str {
        self.accept(block).map_or_else(|error| error.reason(), |_| "ok")
    }

    /// The coinbase output of an active block.
    pub fn coinbase(&self, height: u32) -> OutPoint {
        let block = self.chain.block_at(spec::Height::new(height)).unwrap().unwrap();
        OutPoint { txid: block.transactions[0].txid(), index: 0 }
    }

    pub fn send(&mut self, tx: &Transaction) -> &'static str {
        self.mempool.accept(tx.clone(), &self.chain, self.now).map_or_else(|error| error.reason(), |_| "ok")
    }
}

/// The Merkle root and a nonce for a block made by hand.
pub fn seal(mut block: Block) -> Block {
    block.header.merkle_root = block.merkle_root();
    block.header = solve(block.header, 0..=u32::MAX).unwrap();
    block
}

/// A transaction that spends `prevouts` into outputs anyone can spend.
pub fn spend(prevouts: &[OutPoint], sats: &[u64]) -> Transaction {
    let input = |prevout: &OutPoint| TxIn { prevout: *prevout, unlock: vec![], sequence: u32::MAX };
    let output = |sats: &u64| TxOut::plain(Sats::from_wire(*sats), ANYONE.to_vec());
    let mut outputs: Vec<TxOut> = sats.iter().map(output).collect();
    outputs.push(TxOut::plain(Sats::ZERO, vec![0x6a, 4, 1, 2, 3, 4]));
    Transaction { version: 2, inputs: prevouts.iter().map(input).collect(), outputs, locktime: 0 }
}

pub fn first_output(tx: &Transaction) -> OutPoint {
    OutPoint { txid: tx.txid(), index: 0 }
}

pub const COIN: u64 = 100_000_000;
