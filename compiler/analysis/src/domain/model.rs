//! `model`: what a model is built on and who gets what it earns, as a record on the chain and a contract.
//!
//! Two things come out of a declaration. The *flow* is a reward of the model's name: its first sources
//! are the models that this one builds on, and those of the model's own reward share what is left, so
//! nothing is ever paid to a model without its parents getting their part first. The *record* is the
//! commitment of a token that only a registry makes; the registry is the same contract in every
//! program, and its text is in `registry.bmc`.

mod check;
mod plans;
mod text;

pub(crate) use check::{check, circles, parents_of, weights_file};
pub(crate) use text::text;

use std::collections::BTreeMap;
use std::sync::Arc;

use dashu_ratio::RBig;
use syntax::Loc;

use super::reward;

/// The most models that one model builds on.
pub(crate) const PARENTS_MAX: usize = 64;

/// A model whose proofs hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) name: Arc<str>,
    pub(crate) loc: Loc,
    /// Where the registry is said to be written for.
    pub(crate) item_loc: Loc,
    /// SHA-256 of the weights file.
    pub(crate) weights: [u8; 32],
    pub(crate) parents: Vec<Parent>,
    /// What the model itself keeps, over `whole`.
    pub(crate) own: u32,
    pub(crate) whole: u32,
    pub(crate) licence: String,
    pub(crate) data: Vec<DataSet>,
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
