//! The constants that make one chain differ from another, and its first block.

use spec::block::merkle_root;
use spec::opcode::Opcode;
use spec::script::{push_data, push_int, push_op};
use spec::{
    Block, BlockHash, BlockHeader, CompactTarget, Height, Network, OutPoint, RuleSet, Sats, Transaction, TxIn, TxOut,
};

/// How a block's target follows from the blocks before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difficulty {
    /// Always the genesis block's target.
    Fixed,
    /// ASERT, anchored at the genesis block: the target doubles with each half-life of lateness and halves with each of earliness.
    Asert {
        /// Seconds that double or halve the target.
        half_life_secs: u32,
        /// Seconds between blocks on schedule.
        spacing_secs: u32,
    },
}

/// The constants of one chain.
///
/// ```
/// use chain::Params;
/// use spec::{Height, Network};
/// let params = Params::of(Network::Devnet);
/// assert_eq!(params.subsidy(Height::new(1)).to_string(), "50.00000000");
/// assert_eq!(params.genesis(), params.genesis());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    /// Which chain.
    pub network: Network,
    /// The virtual machine of its scripts.
    pub rules: RuleSet,
    /// How many blocks deep a coinbase must lie before it can be spent.
    pub maturity_blocks: u32,
    /// What the first blocks pay their miner.
    pub subsidy_first: Sats,
    /// After how many blocks the subsidy halves. The devnet takes the public chain's figure, so that money stays easy to predict over long sessions.
    pub halving_blocks: u32,
    /// The easiest target, and that of the genesis block.
    pub target_limit: CompactTarget,
    /// How targets change.
    pub difficulty: Difficulty,
    /// The most bytes of one block.
    pub block_bytes_max: usize,
    /// So many of the last blocks are kept whatever else is dropped; others may ask for that many.
    pub kept_blocks: u32,
    genesis_time: u32,
    genesis_nonce: u32,
}

/// 1 January 2026, 00:00 UTC.
const GENESIS_TIME: u32 = 1_767_225_600;
const COIN: u64 = spec::units::SATS_PER_COIN;

impl Params {
    /// The constants of `network`, with our own script rules.
    #[must_use]
    pub const fn of(network: Network) -> Self {
        let public = Self {
            network,
            rules: RuleSet::Bitmodel,
            maturity_blocks: 100,
            subsidy_first: Sats::from_wire(50 * COIN),
            halving_blocks: 210_000,
            target_limit: CompactTarget(0x1f00_ffff),
            difficulty: Difficulty::Asert { half_life_secs: 2 * 24 * 60 * 60, spacing_secs: 600 },
            block_bytes_max: 32_000_000,
            kept_blocks: 288,
            genesis_time: GENESIS_TIME,
            genesis_nonce: 0,
        };
        match network {
            Network::Devnet => Self {
                maturity_blocks: 10,
                target_limit: CompactTarget::EASIEST,
                difficulty: Difficulty::Fixed,
                genesis_nonce: DEVNET_NONCE,
                ..public
            },
            Network::Test => {
                let difficulty = Difficulty::Asert { half_life_secs: 60 * 60, spacing_secs: 600 };
                Self { difficulty, genesis_nonce: TEST_NONCE, ..public }
            }
            Network::Main => Self { genesis_nonce: MAIN_NONCE, ..public },
        }
    }

    /// The same chain under other script rules.
    #[must_use]
    pub const fn with_rules(self, rules: RuleSet) -> Self {
        Self { rules, ..self }
    }

    /// What a block at `height` may pay its miner besides fees.
    #[must_use]
    pub fn subsidy(&self, height: Height) -> Sats {
        let halvings = height.get().checked_div(self.halving_blocks).unwrap_or(0);
        Sats::from_wire(self.subsidy_first.get().checked_shr(halvings).unwrap_or(0))
    }

    /// The most signature checks of one block.
    #[must_use]
    pub const fn block_sig_checks_max(&self) -> u64 {
        self.block_bytes_max as u64 / 141
    }

    /// The first block. Its coinbase pays nobody.
    #[must_use]
    pub fn genesis(&self) -> Block {
        let coinbase = genesis_coinbase(self.network);
        let header = BlockHeader {
            version: 4,
            previous: BlockHash::default(),
            merkle_root: merkle_root([coinbase.txid()]),
            time: self.genesis_time,
            bits: self.target_limit,
            nonce: self.genesis_nonce,
        };
        Block { header, transactions: vec![coinbase] }
    }
}

const DEVNET_NONCE: u32 = 4;
const TEST_NONCE: u32 = 150545;
const MAIN_NONCE: u32 = 21469;

fn genesis_coinbase(network: Network) -> Transaction {
    let mut unlock = Vec::new();
    push_int(&mut unlock, 0);
    push_data(&mut unlock, b"every contribution is an output");
    let mut lock = Vec::new();
    push_op(&mut lock, Opcode::Return);
    push_data(&mut lock, format!("bitmodel {}", network.name()).as_bytes());
    Transaction {
        version: 2,
        inputs: vec![TxIn { prevout: OutPoint::COINBASE, unlock, sequence: u32::MAX }],
        outputs: vec![TxOut::plain(Sats::ZERO, lock)],
        locktime: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subsidy_halves_until_nothing_is_left() {
        let params = Params::of(Network::Main);
        let cases =
            [(0, 50 * COIN), (209_999, 50 * COIN), (210_000, 25 * COIN), (420_000, 1_250_000_000), (u32::MAX, 0)];
        for (height, sats) in cases {
            assert_eq!(params.subsidy(Height::new(height)).get(), sats, "{height}");
        }
    }

    #[test]
    fn every_genesis_block_meets_its_target_and_has_its_own_id() {
        let ids: Vec<_> = Network::ALL.into_iter().map(|network| Params::of(network).genesis().header.hash()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] != pair[1]));
        for network in Network::ALL {
            let genesis = Params::of(network).genesis();
            let nonce = crate::miner::solve(genesis.header, 0..=u32::MAX).map(|header| header.nonce);
            assert_eq!(nonce, Some(genesis.header.nonce), "{}", network.name());
            assert!(genesis.transactions[0].len_bytes() >= 100);
        }
    }
}
