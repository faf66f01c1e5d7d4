//! Why a plan cannot be carried out.

use std::fmt;

use spec::plan::EvalError;
use spec::{OutPoint, Sats};

use super::program::ProgramError;
use crate::coins::ShortOfCoins;
use crate::draft::{BuildError, Refusal};
use crate::explain::Place;

/// A plan cannot be carried out: which, where in it, and why.
#[derive(Clone, Debug)]
pub struct PlanError {
    /// The plan.
    pub plan: String,
    /// The part of the plan, such as ``input `thread` ``; empty for the whole.
    pub part: String,
    /// Where that stands in the source, if it is known.
    pub place: Option<Place>,
    /// What is in the way.
    pub fault: Box<PlanFault>,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plan `{}`", self.plan)?;
        if !self.part.is_empty() {
            write!(f, ", {}", self.part)?;
        }
        if let Some(place) = &self.place {
            write!(f, " at {place}")?;
        }
        write!(f, ": {}", self.fault)
    }
}

impl std::error::Error for PlanError {}

/// What is in the way of a plan.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PlanFault {
    /// An argument has no value.
    #[error("argument `{0}` has no value")]
    MissingArg(String),
    /// A value is given for an argument that the plan does not have.
    #[error("there is no argument `{0}`")]
    NoSuchArg(String),
    /// A value is not of its argument's type.
    #[error("argument `{name}` must be a `{ty}`")]
    WrongArg {
        /// The argument.
        name: String,
        /// Its type.
        ty: String,
    },
    /// An expression has no value.
    #[error("{0}")]
    Eval(EvalError),
    /// What the plan demands does not hold.
    #[error("{0}")]
    Require(String),
    /// A contract of the program cannot be filled.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// No deployment of the contract is known, and the plan does not say its parameters.
    #[error("no deployment of `{0}` is known")]
    NoDeployment(String),
    /// There is no coin to spend.
    #[error("{0} holds no coin that the plan accepts")]
    NoCoin(String),
    /// A coin that was named is none of those that may be taken.
    #[error("the coin {0} is none that the plan accepts")]
    NamedCoin(OutPoint),
    /// Several coins could be meant.
    #[error("several coins could be meant: {}", list(.0))]
    Several(Vec<OutPoint>),
    /// Coins with such tokens do not reach.
    #[error("the coins at hand hold {have} tokens of the category, and {need} are needed")]
    ShortOfTokens {
        /// What they hold.
        have: u64,
        /// What is needed.
        need: u64,
    },
    /// The coins of a key hold too little money.
    #[error("the coins at hand hold {have} coin, and {need} coin are needed")]
    ShortOfValue {
        /// What they hold.
        have: Sats,
        /// What is needed.
        need: Sats,
    },
    /// Nobody pays.
    #[error("nobody is named who pays the fee and takes change")]
    NoPayer,
    /// A signature is needed by a key that is not at hand.
    #[error("no key at hand signs for {0}")]
    NoKey(String),
    /// A number does not fit its place.
    #[error("{what} cannot be {n}")]
    Range {
        /// The place.
        what: &'static str,
        /// The number.
        n: i128,
    },
    /// Bytes are no category.
    #[error("a category has 32 bytes, and perhaps one for a capability, not {0}")]
    Category(usize),
    /// The tokens of one coin are named of another that has none.
    #[error("the coin of input {0} carries no tokens")]
    NoTokens(usize),
    /// Outputs take more fungible tokens than the inputs bring.
    #[error("the outputs take {paid} tokens of the category {category}, and the inputs bring {brought}")]
    TokensOverspent {
        /// The category as text shows it.
        category: String,
        /// What the inputs bring.
        brought: u64,
        /// What the outputs take.
        paid: u64,
    },
    /// An output carries a non-fungible token that no input allows.
    #[error("no input allows the non-fungible token of the category {0} on output {1}")]
    NftFromNothing(String, usize),
    /// Tokens of a contract's coin go nowhere.
    #[error("{amount} tokens of the category {category} would be lost: no output takes them")]
    TokensLost {
        /// The category as text shows it.
        category: String,
        /// How many.
        amount: u64,
    },
    /// A non-fungible token of a contract's coin goes nowhere.
    #[error("a non-fungible token of the category {0} would be lost: no output takes it")]
    NftLost(String),
    /// The inputs pay less than nodes ask.
    #[error("the inputs leave {} sats to the miner, and nodes ask {} sats for {len_bytes} bytes", left.get(), asked.get())]
    FeeTooLow {
        /// What is left.
        left: Sats,
        /// What nodes ask.
        asked: Sats,
        /// The transaction's size.
        len_bytes: usize,
    },
    /// Outputs depend on the fee in a way that no fee fits.
    #[error("no fee fits: the outputs change with it, and it with them")]
    NoFee,
    /// Some inputs wait for a height, others for a time.
    #[error("some inputs wait for a height and others for a time, and a transaction has one lock time")]
    MixedClocks,
    /// The transaction is larger than nodes relay.
    #[error("the transaction has {0} bytes, more than nodes relay")]
    TooLarge(usize),
    /// The payer's coins do not reach.
    #[error(transparent)]
    Short(#[from] ShortOfCoins),
    /// The machine refuses the input.
    #[error("{}", words(.0))]
    Refused(Box<Refusal>),
    /// The transaction could not be built.
    #[error("{0}")]
    Build(Box<BuildError>),
}

impl From<BuildError> for PlanFault {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Short(short) => Self::Short(short),
            BuildError::Refused(refusal) => Self::Refused(refusal),
            other => Self::Build(Box::new(other)),
        }
    }
}

impl From<EvalError> for PlanFault {
    fn from(error: EvalError) -> Self {
        Self::Eval(error)
    }
}

fn words(refusal: &Refusal) -> String {
    let machine = || refusal.failure.error.to_string();
    refusal.explanation.as_ref().map_or_else(machine, ToString::to_string)
}

fn list(coins: &[OutPoint]) -> String {
    let shown: Vec<String> = coins.iter().take(8).map(OutPoint::to_string).collect();
    shown.join(", ")
}
