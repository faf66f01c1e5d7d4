//! `model`: what a model is built on and who gets what it earns, as a record on the chain and a contract.
//!
//! Two things come out of a declaration. The *flow* is a reward of the model's name: its first sources
//! are the models that this one builds on, and those of the model's own reward share what is left, so
//! nothing is ever paid to a model without its parents getting their part first. All flows have one
//! script but for the hash of their list (`spec::model`). The *record* is the commitment of a token that
//! only a registry makes, which builds that script from the parents' records and the sources; the
//! registry is the same contract in every program, and its text is in `registry.bmc`.

mod check;
mod plans;
mod text;

pub(crate) use check::{check, circles, parents_of, weights_file};
pub(crate) use text::text;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use dashu_ratio::RBig;
use spec::model::Terms;
use syntax::Loc;

use super::reward;

/// A model whose proofs hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) name: Arc<str>,
    pub(crate) loc: Loc,
    /// Where the registry is said to be written for.
    pub(crate) item_loc: Loc,
    /// SHA-256 of the weights file.
    pub(crate) weights: [u8; 32],
    /// In the order in which they are paid.
    pub(crate) parents: Vec<Parent>,
    /// What the hash of the flow's list begins with.
    pub(crate) terms: Terms,
    /// What the record's body says beside what the registry reads.
    pub(crate) rest: Vec<u8>,
    /// What reaches each model upstream of what is paid to this one, over all ways; `None` once there are too many.
    pub(crate) inflow: Option<BTreeMap<Arc<str>, RBig>>,
    /// The flow, whose first sources are the parents.
    pub(crate) flow: reward::Table,
}

/// A model that another one builds on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) to: ParentName,
    /// Over the model's `whole`.
    pub(crate) weight: u32,
    pub(crate) loc: Loc,
}

/// How a parent is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ParentName {
    /// A model of the program or an import.
    Model(Arc<str>),
    /// A record on the chain.
    Record([u8; 32]),
}

/// What a model was trained on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DataSet {
    pub(crate) name: String,
    /// SHA-256.
    pub(crate) hash: [u8; 32],
    /// Its part of all data over `DATA_WHOLE`; 0 where none is given.
    pub(crate) weight: u32,
}

/// The whole of the weights of data sets: millionths.
pub(crate) const DATA_WHOLE: u32 = 1_000_000;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
