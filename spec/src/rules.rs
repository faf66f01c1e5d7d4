//! The two rule sets: limits, prices and budgets.

use serde::{Deserialize, Serialize};

use crate::units::OpCost;

/// Which virtual machine a chain runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleSet {
    /// Bitcoin Cash of May 2026, exactly.
    Bch2026,
    /// The chain's own rules: every script that [`RuleSet::Bch2026`] accepts is accepted, with the same result; the original opcodes still missing there work, and limits are higher.
    #[default]
    Bitmodel,
}

impl RuleSet {
    /// The name in options and artifacts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bch2026 => "bch2026",
            Self::Bitmodel => "bitmodel",
        }
    }
}

/// What is being decided: whether a block may hold a transaction, or whether a node passes it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// The rules of blocks.
    Consensus,
    /// The stricter rules of relay.
    Relay,
}

/// Everything that a script's verdict depends on besides the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rules {
    /// The opcodes.
    pub set: RuleSet,
    /// Block or relay.
    pub mode: Mode,
    /// How large things may be.
    pub limits: Limits,
    /// What work costs.
    pub prices: Prices,
}

/// How large things may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limits {
    /// Bytes of one script.
    pub script_bytes: usize,
    /// Bytes of one stack item or number.
    pub item_bytes: usize,
    /// Items on the stack and the alt stack and defined functions, together.
    pub slots: usize,
    /// Bytes of all live items, together. Under `Bch2026` it follows from the two limits above.
    pub memory_bytes: usize,
    /// Open conditionals, loops and function calls, together.
    pub control_depth: usize,
    /// Bytes of a function's identifier.
    pub function_id_bytes: usize,
    /// Keys of one multisig check.
    pub multisig_keys: usize,
}

/// What work costs, in cost units, and how many an input may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prices {
    /// Each instruction, executed or skipped.
    pub instruction: u64,
    /// Each iteration of a hash function's compression.
    pub hash_iteration: u64,
    /// Each signature check.
    pub signature: u64,
    /// Budget for each byte of an input's density length.
    pub budget_per_byte: u64,
    /// Half hash iterations allowed for each byte of an input's density length.
    pub half_iterations_per_byte: u64,
}

/// Bytes of an input besides its unlocking bytecode: they count towards its budgets.
pub const INPUT_OVERHEAD_BYTES: u64 = 41;

impl Rules {
    /// The rules of `set` for deciding `mode`.
    ///
    /// ```
    /// use spec::{Mode, RuleSet, Rules};
    /// let rules = Rules::new(RuleSet::Bch2026, Mode::Relay);
    /// assert_eq!(rules.cost_budget(59).get(), 80_000);
    /// assert_eq!(rules.hash_budget(59), 50);
    /// ```
    #[must_use]
    pub const fn new(set: RuleSet, mode: Mode) -> Self {
        // Work that our rules do not make denser keeps its share of the budget by costing more.
        let scale = match set {
            RuleSet::Bch2026 => 1,
            RuleSet::Bitmodel => 10,
        };
        let (hash_iteration, half_iterations_per_byte) = match mode {
            Mode::Consensus => (64, 7),
            Mode::Relay => (192, 1),
        };
        let prices = Prices {
            instruction: 100,
            hash_iteration: hash_iteration * scale,
            signature: 26_000 * scale,
            budget_per_byte: 800 * scale,
            half_iterations_per_byte,
        };
        Self { set, mode, limits: Limits::new(set), prices }
    }

    /// The cost an input with `unlock_len` bytes of unlocking bytecode may spend.
    #[must_use]
    pub const fn cost_budget(&self, unlock_len: usize) -> OpCost {
        OpCost::new((INPUT_OVERHEAD_BYTES + unlock_len as u64) * self.prices.budget_per_byte)
    }

    /// The hash iterations an input with `unlock_len` bytes of unlocking bytecode may spend.
    #[must_use]
    pub const fn hash_budget(&self, unlock_len: usize) -> u64 {
        (INPUT_OVERHEAD_BYTES + unlock_len as u64) * self.prices.half_iterations_per_byte / 2
    }
}

impl Limits {
    const fn new(set: RuleSet) -> Self {
        match set {
            RuleSet::Bch2026 => Self {
                script_bytes: 10_000,
                item_bytes: 10_000,
                slots: 1_000,
                memory_bytes: 10_000 * 1_000,
                control_depth: 100,
                function_id_bytes: 7,
                multisig_keys: 20,
            },
            RuleSet::Bitmodel => Self {
                script_bytes: 65_535,
                item_bytes: 65_535,
                slots: 100_000,
                memory_bytes: 32 * 1024 * 1024,
                control_depth: 1_000,
                function_id_bytes: 7,
                multisig_keys: 20,
            },
        }
    }
}

/// Iterations of a hash function's compression over `len` bytes: padding adds at least 9 bytes, blocks have 64.
#[must_use]
pub const fn hash_iterations(len: usize) -> u64 {
    1 + (len as u64 + 8) / 64
}
