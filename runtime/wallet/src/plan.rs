//! Carrying out plans: from a template of a transaction to the signed transaction.
//!
//! Coins are chosen, expressions evaluated, fee and change added, tokens accounted for, and every input is proved on
//! the machine before anything is returned.

mod args;
mod choose;
mod error;
mod ledger;
mod outputs;
mod program;
mod publish;
mod run;
mod scene;

use std::collections::BTreeMap;

use spec::Artifact;
use spec::artifact::AbiValue;
use spec::plan::Plan;
use spec::{OutPoint, Transaction, TxOut};

use crate::coins::{FeeRate, Utxo};
use crate::contract::{Args, Params};
use crate::draft::Built;
use crate::keys::Key;

pub use error::{PlanError, PlanFault};
pub use program::{Program, ProgramError};
pub use run::{carry_out, forge, locks_of, unjudged};

/// A contract that has been given its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// The contract.
    pub contract: String,
    /// The values of all its parameters, computed ones included, by name; a list by its records.
    pub params: Params,
    /// What it was deployed from, where that is not the program's own artifact: one with values built in.
    pub artifact: Option<Artifact>,
}

impl Deployed {
    /// A deployment of the program's own artifact.
    #[must_use]
    pub fn new(contract: impl Into<String>, params: Params) -> Self {
        Self { contract: contract.into(), params, artifact: None }
    }

    /// The redeem script and the lock of its coins.
    ///
    /// # Errors
    /// [`ProgramError`] if the program has no such contract or the values do not fit it.
    pub fn script(&self, program: &Program) -> Result<(Vec<u8>, Vec<u8>), ProgramError> {
        match &self.artifact {
            Some(artifact) => Ok((artifact.redeem_script(&self.params)?, artifact.lock(&self.params)?)),
            None => program.script(&self.contract, &self.params),
        }
    }
}

/// A wish to carry out a plan.
///
/// All coins that are known stand in one list: each input of the plan finds its own by lock, tokens and what the plan
/// accepts.
#[derive(Clone, Debug)]
pub struct PlanWish<'a> {
    /// The contracts that the plan speaks of.
    pub program: &'a Program,
    /// The plan.
    pub plan: &'a Plan,
    /// Its arguments by name.
    pub args: &'a Args,
    /// The deployments that inputs may mean which do not say their parameters, and whose lists are known.
    pub deployments: &'a [Deployed],
    /// The coins that may be spent.
    pub coins: &'a [Utxo],
    /// The keys that may sign.
    pub keys: &'a [Key],
    /// Who pays what is missing and takes change. Nobody is needed for a plan that says so.
    pub payer: Option<Key>,
    /// The coins that inputs have to take, by the inputs' names.
    pub named: &'a BTreeMap<String, Vec<OutPoint>>,
    /// The price of bytes.
    pub rate: FeeRate,
}

/// What carrying out a plan gives.
#[derive(Clone, Debug)]
pub struct Carried {
    /// Transactions that make coins which the plan needs; they are sent first, in this order.
    pub first: Vec<Built>,
    /// The plan's own transaction.
    pub built: Built,
    /// For each of its inputs the name in the plan; none for those that pay the fee.
    pub inputs: Vec<Option<String>>,
    /// The contracts behind the locks that it spends.
    pub contracts: BTreeMap<Vec<u8>, String>,
    /// The contracts behind the locks that it pays, as far as the plan names them, by lock: who has carried the plan out
    /// has deployed them.
    pub made: BTreeMap<Vec<u8>, Deployed>,
}

/// A transaction that no machine has judged.
#[derive(Clone, Debug)]
pub struct Forged {
    /// Transactions that make coins which it spends; they are sent first.
    pub first: Vec<Built>,
    /// The transaction, signed.
    pub tx: Transaction,
    /// What its inputs spend.
    pub spent: Vec<TxOut>,
    /// For each of its inputs the name in the plan; none for those that pay the fee.
    pub inputs: Vec<Option<String>>,
    /// The contracts behind the locks that it spends.
    pub contracts: BTreeMap<Vec<u8>, String>,
    /// The contracts that the plan names, by lock: what it pays, and what it only speaks of.
    pub named: BTreeMap<Vec<u8>, Deployed>,
}

/// A plan's transaction before it is signed, to be changed into one that nobody meant.
#[derive(Debug)]
pub struct Forgery<'f> {
    /// The transaction without unlocking bytecode. It has to keep its number of inputs.
    pub tx: &'f mut Transaction,
    /// For each input the arguments of the contract's path, by name; empty for other inputs.
    pub args: &'f mut [Args],
}

impl Forgery<'_> {
    /// Sets an argument of an input's path.
    pub fn set_arg(&mut self, input: usize, name: &str, value: AbiValue) {
        if let Some(args) = self.args.get_mut(input) {
            args.insert(name.to_owned(), crate::contract::Arg::Value(value));
        }
    }
}
