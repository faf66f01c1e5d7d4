//! `imi`: Initial Model Investing, the raising of money for a model.
//!
//! A campaign has a token category of its own. Its `threads` are coins that carry a mutable token each
//! and all receipts that nobody has bought: one receipt for each base unit pledged. A pledge goes to any
//! thread, so pledges do not wait for each other; or it waits as a coin of its own until someone
//! gathers it. When the threads together hold the goal, all of them are collected into the escrow,
//! which pays the builder tranche by tranche. What is not paid goes back against receipts.
//!
//! ```text
//!            pledge ┐                     release, release, .. ─► builder
//!  backer ──────────┴► Thread ─ collect ─► Escrow
//!     ▲                  │                   │ fail, abort
//!     └───── refund ─────┘                   ▼
//!     └───────────────────── redeem ─── refunding
//! ```
//!
//! An escrow that has paid everything stays as a record, with a token that says so and nothing to take.
//!
//! Every state has a way on that needs neither builder nor judges: a thread refunds after the
//! deadline, an escrow fails after the date of its tranche and then redeems. [`ways`] walks through
//! the states of each campaign and shows that no money is stuck.

mod check;
mod plans;
mod release;
mod text;
mod ways;

pub(crate) use check::check;
pub use plans::snake;
pub(crate) use text::{beside, text};

use dashu_ratio::RBig;
use spec::Sats;
use syntax::Loc;

use super::settings::{At, Quorum};

/// A campaign whose proofs hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Campaign {
    pub(crate) name: String,
    pub(crate) docs: String,
    pub(crate) loc: Loc,
    /// The parameter that holds the builder's key.
    pub(crate) builder: At<String>,
    /// The parameter that holds the lock to pay, if it is not that of the builder's key.
    pub(crate) payout: Option<At<String>>,
    pub(crate) goal: At<Sats>,
    /// A block height.
    pub(crate) deadline: At<u64>,
    pub(crate) pledge: At<Sats>,
    /// How many pledges can be under way at once.
    pub(crate) threads: u64,
    pub(crate) accept: Option<At<Quorum>>,
    /// In order; the shares sum to one.
    pub(crate) release: Vec<Release>,
}

/// A tranche.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Release {
    /// What follows `at`, as one word.
    pub(crate) name: String,
    /// Its part of what was raised.
    pub(crate) share: RBig,
    pub(crate) gate: Gate,
    pub(crate) loc: Loc,
}

/// What a tranche waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Nothing but the goal.
    Goal,
    /// The judges; after the height the rest goes back. Without one, a later tranche has a height.
    Attested { by: Option<At<u64>> },
}

impl Campaign {
    /// Whether the escrow remembers the model that the judges have accepted.
    fn keeps_model(&self) -> bool {
        self.release.iter().any(|release| matches!(release.gate, Gate::Attested { .. }))
    }

    /// What the escrow's state is for ever, once everything has been paid: an expression of the amount
    /// that was `raised` and of the `model` that the judges accepted, if there are judges.
    pub(crate) fn record(&self, raised: &str, model: &str) -> String {
        let model = if self.keeps_model() { format!(" + {model}") } else { String::new() };
        format!("bytes({raised}, 8) + bytes(0, 8) + bytes({raised}, 8) + 0x{:02x}00{model}", self.release.len())
    }

    /// Whether the record says which model the judges accepted.
    pub(crate) fn records_model(&self) -> bool {
        self.keeps_model()
    }
}
