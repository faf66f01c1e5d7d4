//! Why a client's wish is not granted.

use spec::artifact::AbiError;
use wallet::{BuildError, PlanError, PlanFault, ProgramError, Refusal, SettleError};

use crate::node::NodeError;

/// Why a client's wish is not granted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The node is not there, or refuses.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// No transaction could be built, or the machine refuses it.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A plan cannot be carried out.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A pot cannot be settled.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// Parameters do not fit their contract.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// Parameters or arguments do not fit the artifact.
    #[error(transparent)]
    Abi(#[from] AbiError),
    /// A reward's recipients are none for it.
    #[error(transparent)]
    List(#[from] flow::ListError),
    /// What is given is not of the type that is asked for.
    #[error("`{name}` must be a `{ty}`")]
    Misfit {
        /// The parameter, argument or field.
        name: String,
        /// Its type.
        ty: String,
    },
    /// There is nothing to spend.
    #[error("no coin of `{0}` is to be spent: pay it first, or wait for the block that has it")]
    NoCoin(String),
    /// Several coins could be meant.
    #[error("`{contract}` holds {count} coins: say which one to spend")]
    Several {
        /// The contract.
        contract: String,
        /// How many there are.
        count: usize,
    },
    /// More than anyone means to give.
    #[error("{0} coin would be left to the miner: say who pays the fee, or who takes the change")]
    LeftToMiner(spec::Sats),
    /// A coin's token says nothing that is a state of the contract.
    #[error("the coin of `{0}` has no state that can be read")]
    NoState(String),
    /// The program has no such contract, path or plan: another artifact was generated from.
    #[error("the artifacts have no `{0}`: generate the client again")]
    Unknown(String),
}

impl Error {
    /// What the contract's author says about a refusal: the message of the `require` that failed, of a path or of a plan.
    #[must_use]
    pub fn author(&self) -> Option<&str> {
        match self {
            Self::Build(error) | Self::Settle(SettleError::Build(error)) => build(error),
            Self::Plan(error) => match &*error.fault {
                PlanFault::Require(message) => Some(message),
                PlanFault::Refused(refusal) => said(refusal),
                PlanFault::Build(error) => build(error),
                _ => None,
            },
            _ => None,
        }
    }
}

fn build(error: &BuildError) -> Option<&str> {
    match error {
        BuildError::Refused(refusal) => said(refusal),
        _ => None,
    }
}

fn said(refusal: &Refusal) -> Option<&str> {
    refusal.explanation.as_ref().map(|why| why.message.as_str())
}
