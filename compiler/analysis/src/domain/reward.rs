//! `reward`: exact weights, their proofs, and the contract they become.
//!
//! The proofs use one bound. Cumulative-nearest rounding (see `spec::split`) gives source `i` of a pot
//! more than `pot·w_i/D − 1` units, always. So if `pot·w_i/D` is at least the dust limit at the
//! smallest pot, the share is above the limit less one, and being whole, at least the limit, at that
//! pot and at every larger one. Conservation needs no bound: the last share is the pot less all others.

mod check;
mod text;
mod weights;

pub(crate) use check::check;
pub(crate) use text::{divide, text};
pub(crate) use weights::share;

use std::sync::Arc;

use spec::Sats;
use syntax::Loc;

use crate::hir;

/// The most sources of one reward.
pub(crate) const SOURCES_MAX: usize = 200;

/// The keys at the top of a reward that are no sources.
const SETTINGS: [&str; 4] = ["dust", "minimum", "fee", "adjust"];

/// A reward whose proofs hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: Arc<str>,
    pub(crate) docs: String,
    pub(crate) loc: Loc,
    /// In order of declaration.
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) denominator: u64,
    pub(crate) minimum: Sats,
    pub(crate) minimum_loc: Loc,
    pub(crate) fee_max: Sats,
    pub(crate) fee_loc: Loc,
}

/// A source that is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Its path, such as `models.diffusion`.
    pub(crate) name: String,
    /// The parameter that holds its lock, such as `models_diffusion`.
    pub(crate) param: String,
    /// Over the table's denominator.
    pub(crate) weight: u64,
    /// Its place in the order of rounding.
    pub(crate) rank: usize,
    pub(crate) loc: Loc,
}

impl Table {
    /// The smallest amount that is ever divided.
    pub(crate) fn pot_min(&self) -> Sats {
        self.minimum.checked_sub(self.fee_max).expect("a checked reward's fee is below its minimum")
    }

    /// The leaves as the artifact lists them; they are the parameters of the contract.
    pub(crate) fn shares(&self) -> hir::Reward {
        let source = |(index, leaf): (usize, &Leaf)| hir::RewardSource {
            name: leaf.name.clone(),
            param: hir::ParamId::new(index),
            weight: leaf.weight,
            rank: leaf.rank,
            loc: leaf.loc.clone(),
        };
        hir::Reward {
            sources: self.leaves.iter().enumerate().map(source).collect(),
            denominator: self.denominator,
            minimum: self.minimum,
            fee_max: self.fee_max,
        }
    }
}
