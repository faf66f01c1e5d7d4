//! What the paths of a contract take.

use serde::Serialize;

use super::{Artifact, SpendPath};
use crate::rules::{Mode, Rules};

/// What a path takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PathSize {
    /// Its name.
    pub path: String,
    /// The bytes of the unlocking bytecode, with arguments of usual length.
    pub input: usize,
    /// Whether an argument may have any length, so that the input may be longer.
    pub open: bool,
    /// The most that it costs, if that has a bound.
    pub cost: Option<u64>,
    /// How much an input of this length may cost.
    pub limit: u64,
}

impl Artifact {
    /// What a path takes with a script of so many bytes.
    #[must_use]
    pub fn path_size(&self, path: &SpendPath, script_bytes: usize) -> PathSize {
        let input = self.input_bytes(path, script_bytes);
        PathSize {
            path: path.name.clone(),
            input,
            open: path.args.iter().any(|slot| slot.ty.is_open()),
            cost: path.cost_bound,
            limit: Rules::new(self.rules, Mode::Relay).cost_budget(input).get(),
        }
    }
}
