//! `reward`: exact weights, their proofs, and the contract they become.
//!
//! The proofs use one bound. Cumulative-nearest rounding (see `spec::split`) gives source `i` of a pot
//! more than `pot·w_i/D − 1` units, always. So if `pot·w_i/D` is at least the dust limit at the
//! smallest pot, the share is above the limit less one, and being whole, at least the limit, at that
//! pot and at every larger one. Conservation needs no bound: the last share is the pot less all others.

mod check;
mod form;
mod list;
mod nested;
mod plans;
mod record;
mod text;
mod weights;

pub(crate) use check::check;
pub(crate) use nested::{Nested, Upstream, nest};
pub(crate) use plans::flow_lock;
pub(crate) use text::{divide, text};
pub(crate) use weights::{percent, share};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use spec::Sats;
use syntax::{Code, Diagnostic, Loc};

use crate::signatures::{on_circles, order_of};
use crate::{budget, hir};

/// The most sources of one reward.
pub(crate) const SOURCES_MAX: usize = 200;

/// The keys at the top of a reward that are no sources.
pub const SETTINGS: [&str; 5] = ["dust", "minimum", "fee", "adjust", budget::KEY];

/// How a reward knows its recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Each source has a parameter for its lock, and code of its own.
    Direct,
    /// The contract knows the hash of a list of weights and locks, which may be long, and may be replaced.
    List {
        /// Who may replace the list.
        adjust: Option<Adjust>,
    },
    /// As a list, whose hash also covers the numbers of the settlement: the form of all flows of models, whose scripts
    /// so differ in that hash alone (`spec::model`).
    Flow,
}

/// Who may replace the list of a reward, and how long before it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Adjust {
    /// The parameter that names the authority.
    pub(crate) by: Arc<str>,
    /// The authority is a DID, not a key.
    pub(crate) is_did: bool,
    /// The notice period, in blocks.
    pub(crate) notice: u32,
    pub(crate) loc: Loc,
}

/// Who is behind a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Payee {
    /// A lock that is given when the reward is deployed.
    Lock,
    /// All recipients of the list that are not named in the reward.
    List,
    /// Another reward or model, by name: its lock is given when the reward is deployed.
    Other(Arc<str>),
}

/// A reward whose proofs hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: Arc<str>,
    pub(crate) docs: String,
    pub(crate) loc: Loc,
    /// In order of declaration.
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) form: Form,
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
    pub(crate) payee: Payee,
    pub(crate) loc: Loc,
}

impl Table {
    /// The smallest amount that is ever divided.
    pub(crate) fn pot_min(&self) -> Sats {
        self.minimum.checked_sub(self.fee_max).expect("a checked reward's fee is below its minimum")
    }

    /// The leaves in the order of rounding, which is that of a list's records.
    pub(crate) fn ranked(&self) -> impl Iterator<Item = &Leaf> {
        let mut ranked: Vec<&Leaf> = self.leaves.iter().collect();
        ranked.sort_by_key(|leaf| leaf.rank);
        ranked.into_iter()
    }

    /// Whether all its recipients have names, and weights that never change.
    pub(crate) fn is_fixed(&self) -> bool {
        let adjusted = matches!(self.form, Form::List { adjust: Some(_) });
        !adjusted && self.leaves.iter().all(|leaf| leaf.payee != Payee::List)
    }

    /// The least weight whose share is above the dust limit whatever the pot.
    pub(crate) fn weight_min(&self) -> u64 {
        let (limit, pot) = (u128::from(check::DUST_LIMIT.get()), u128::from(self.pot_min().get()));
        let weight = (limit * u128::from(self.denominator)).div_ceil(pot.max(1));
        u64::try_from(weight).unwrap_or(u64::MAX)
    }

    /// The leaves as the artifact lists them.
    pub(crate) fn shares(&self) -> hir::Reward {
        let mut named: Vec<&Leaf> = self.leaves.iter().filter(|leaf| leaf.payee != Payee::List).collect();
        let list = match &self.form {
            Form::Direct => None,
            form @ (Form::List { .. } | Form::Flow) => Some(hir::RewardList {
                param: hir::ParamId::new(0),
                unnamed: self.leaves.iter().filter(|leaf| leaf.payee == Payee::List).map(|leaf| leaf.weight).sum(),
                weight_min: self.weight_min(),
                adjustable: matches!(form, Form::List { adjust: Some(_) }),
                has_terms: *form == Form::Flow,
            }),
        };
        if list.is_some() {
            // Records are paid and rounded in one order.
            named.sort_by_key(|leaf| leaf.rank);
        }
        let source = |(index, leaf): (usize, &&Leaf)| hir::RewardSource {
            name: leaf.name.clone(),
            param: hir::ParamId::new(if list.is_some() { 0 } else { index }),
            weight: leaf.weight,
            rank: leaf.rank,
            to: match &leaf.payee {
                Payee::Other(name) => Some(name.to_string()),
                Payee::Lock | Payee::List => None,
            },
            loc: leaf.loc.clone(),
        };
        hir::Reward {
            sources: named.iter().enumerate().map(source).collect(),
            list: list.clone(),
            denominator: self.denominator,
            minimum: self.minimum,
            fee_max: self.fee_max,
        }
    }
}

/// Refuses rewards that pay each other in a circle: each lock would have to be known before the other.
pub(crate) fn circles(proved: &[(Arc<str>, Option<Table>)]) -> Vec<Diagnostic> {
    let tables: Vec<&Table> = proved.iter().filter_map(|(_, table)| table.as_ref()).collect();
    let place: BTreeMap<&str, usize> = tables.iter().enumerate().map(|(at, table)| (&*table.name, at)).collect();
    let pays = |leaf: &Leaf| match &leaf.payee {
        Payee::Other(name) => place.get(&**name).copied(),
        Payee::Lock | Payee::List => None,
    };
    let needs: Vec<BTreeSet<usize>> =
        tables.iter().map(|table| table.leaves.iter().filter_map(pays).collect()).collect();
    let on_circle: BTreeSet<usize> = on_circles(&needs, &order_of(&needs).1).into_iter().collect();
    let mut found = Vec::new();
    for table in on_circle.iter().filter_map(|at| tables.get(*at)) {
        let link = table.leaves.iter().find_map(|leaf| Some((leaf, pays(leaf).filter(|to| on_circle.contains(to))?)));
        let Some((leaf, to)) = link else { continue };
        let to = tables.get(to).map_or("", |table| &*table.name);
        let message = match to == &*table.name {
            true => format!("`{}` pays itself", table.name),
            false => format!("`{}` pays `{to}`, which pays `{}` in turn", table.name, table.name),
        };
        let diagnostic = Diagnostic::error(Code::E0317, message, leaf.loc.clone());
        found.push(diagnostic.help(format!("leave `to {to}` out of one of them, so that one lock is known first")));
    }
    found
}
