//! What runs scripts, as the user chooses it.

use std::sync::Arc;

use clap::ValueEnum;
use engine::{Engine, Tier, Tuning};
use jit::Jit;
use serde::{Deserialize, Serialize};

use crate::fail::Fail;

/// A way of running scripts. The verdicts are the same.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Which {
    /// The interpreter of bytecode, which every other is compared with.
    Oracle,
    /// Register code, and the oracle for what it does not accept.
    Register,
    /// Machine code, register code, and the oracle for what they do not accept.
    Jit,
    /// All of them for each input, to see whether they differ.
    Shadow,
}

impl Which {
    /// The engine.
    pub(crate) fn engine(self, tuning: Tuning) -> Result<Engine, Fail> {
        let tier = match self {
            Self::Oracle => return Ok(Engine::new(Tier::Oracle)),
            Self::Register => return Ok(Engine::new(Tier::Register)),
            Self::Jit => Tier::Jit,
            Self::Shadow => Tier::Shadow,
        };
        match Jit::new() {
            Some(jit) => Ok(Engine::with_compiler(tier, Arc::new(jit), tuning)),
            None if tier == Tier::Shadow => Ok(Engine::new(tier)),
            None => Err(Fail::refused("there is no machine code for this kind of machine")
                .help("use `--engine register`, which gives the same verdicts")),
        }
    }
}
