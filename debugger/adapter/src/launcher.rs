//! What the adapter wants from those who know files, tests and nodes.

use debugger::Recording;
use serde_json::Value;
use spec::{Artifact, Transaction, TxOut};

/// Makes runs, one after the other, while others ask what files are.
pub trait Launcher: Send + Sync {
    /// Runs and records what the arguments of `launch` name.
    ///
    /// # Errors
    /// Why there is nothing to debug.
    fn launch(&self, arguments: &Value) -> Result<Run, Refusal>;

    /// Whether two paths lead to one file.
    fn is_same_file(&self, one: &str, other: &str) -> bool;
}

/// A run, and what there is to show of it.
#[derive(Clone, Debug)]
pub struct Run {
    /// What runs, in a few words.
    pub title: String,
    /// What the machine did.
    pub recording: Recording,
    /// The transaction.
    pub tx: Transaction,
    /// What it spends, one output for each input.
    pub spent: Vec<TxOut>,
    /// The input that ran.
    pub input: usize,
    /// The contract that it spends, if that is known.
    pub artifact: Option<Artifact>,
    /// The sources of the contract, by their numbers there.
    pub sources: Vec<Source>,
    /// What was said while it was made, such as warnings of a compiler.
    pub notes: String,
}

/// A source of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What the contract calls it.
    pub name: String,
    /// The file that has it, as a path that an editor can open.
    pub path: Option<String>,
    /// What is in it, if that is at hand as it was compiled.
    pub text: Option<String>,
}

/// Why there is nothing to debug.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// What was said before, such as errors of a compiler.
    pub notes: String,
}
