//! Which parameters of a contract are holes of its script, and which have their values built in.

use std::collections::BTreeMap;
use std::ops::Range;

use analysis::hir::{Contract, Param, ParamId};

use crate::lengths::{Leaf, leaves};
use crate::lower::parts::width;

/// What a parameter is in the script.
#[derive(Clone, Debug)]
enum Given {
    /// Holes with these numbers.
    Holes(Range<usize>),
    /// Constants, one for each leaf.
    Values(Vec<Vec<u8>>),
}

/// What is left of a parameter in the script.
pub(crate) enum Place<'h> {
    /// The holes of its leaves.
    Holes(Range<usize>),
    /// The values of its leaves.
    Values(&'h [Vec<u8>]),
}

/// The parameters of a contract as its script has them.
#[derive(Clone, Debug)]
pub(crate) struct Holes {
    given: Vec<Given>,
    /// What the holes hold, by their numbers.
    pub(crate) leaves: Vec<Leaf>,
    /// All parameters, in order.
    pub(crate) params: Vec<Param>,
}

impl Holes {
    /// The parameters of `contract`, of which some have values.
    pub(crate) fn new(contract: &Contract, sealed: &BTreeMap<usize, Vec<Vec<u8>>>) -> Self {
        let mut given = Vec::new();
        let mut next = 0;
        for (index, param) in contract.params.iter().enumerate() {
            let width = width(&param.ty);
            let values = sealed.get(&index);
            debug_assert!(values.is_none_or(|values| values.len() == width), "a value has one item for each leaf");
            given.push(match values.filter(|values| values.len() == width) {
                Some(values) => Given::Values(values.clone()),
                None => Given::Holes(next..next + width),
            });
            next += width;
        }
        Self { given, leaves: leaves(&contract.params), params: contract.params.clone() }
    }

    /// What the script has for a parameter.
    pub(crate) fn of(&self, param: ParamId) -> Place<'_> {
        match self.given.get(param.index()) {
            Some(Given::Holes(holes)) => Place::Holes(holes.clone()),
            Some(Given::Values(values)) => Place::Values(values),
            None => Place::Values(&[]),
        }
    }

    /// The parameter that is this hole and nothing else.
    pub(crate) fn param_of(&self, hole: usize) -> Option<usize> {
        self.given.iter().position(|given| matches!(given, Given::Holes(holes) if *holes == (hole..hole + 1)))
    }
}
