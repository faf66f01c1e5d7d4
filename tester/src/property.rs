//! Properties: many cases, and of those that fail the simplest.

use std::collections::BTreeSet;

use driver::Test;
use spec::artifact::Value;

use crate::coverage::Seen;
use crate::fault::Fault;
use crate::random::{Random, seed_of};
use crate::run::{Spending, run};
use crate::values::{draw, shown, smaller};
use crate::world::Story;

/// How many cases are tried unless something else is said.
pub const CASES: u32 = 100;
/// So many simpler cases are tried at most.
const SHRINKS_MAX: u32 = 2_000;

/// Values for which a property does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// What makes the first such case again.
    pub seed: u64,
    /// Which case it was, from 1.
    pub case: u32,
    /// How often it was made simpler.
    pub shrinks: u32,
    /// The parameters and the simplest values that fail.
    pub values: Vec<(String, String)>,
    /// The same values, as the parameters have them.
    pub given: Vec<Value>,
}

/// What trying a property gives.
pub(crate) struct Tried {
    pub(crate) cases: u32,
    pub(crate) spendings: Vec<Spending>,
    pub(crate) failure: Option<(Fault, Counterexample)>,
    pub(crate) seen: Seen,
    /// How many cases have each label, in the order of the source.
    pub(crate) labels: Vec<(String, u32)>,
}

/// Tries a property with each seed until one fails.
pub(crate) fn attempt(story: Story<'_>, seeds: impl Iterator<Item = u64>) -> Tried {
    let mut tried = Tried { cases: 0, spendings: Vec::new(), failure: None, seen: Seen::default(), labels: Vec::new() };
    for seed in seeds {
        tried.cases += 1;
        let values = made_up(story.test, seed);
        let ran = run(story, &values);
        tried.seen.absorb(&ran.seen);
        count(&mut tried.labels, ran.labels);
        if tried.cases == 1 {
            tried.spendings = ran.spendings;
        }
        if let Some(fault) = ran.fault {
            tried.failure = Some(simplest(story, values, fault, seed, tried.cases));
            break;
        }
    }
    tried
}

/// Counts a case under its labels, each once.
fn count(labels: &mut Vec<(String, u32)>, found: Vec<(String, bool)>) {
    let mut counted = BTreeSet::new();
    for (label, holds) in found {
        let more = u32::from(holds && counted.insert(label.clone()));
        match labels.iter_mut().find(|(known, _)| *known == label) {
            Some((_, count)) => *count += more,
            None => labels.push((label, more)),
        }
    }
}

/// The seeds of a property's cases.
pub(crate) fn seeds(base: u64, name: &str, cases: u32) -> impl Iterator<Item = u64> + '_ {
    (0..cases).map(move |case| seed_of(base, name, case))
}

/// The values of the case that a seed makes.
pub(crate) fn made_up(test: &Test, seed: u64) -> Vec<Value> {
    let mut random = Random::new(seed);
    test.params.iter().flatten().map(|param| draw(&param.ty, param.range, &mut random)).collect()
}

/// Makes values simpler as long as the property fails for them.
fn simplest(
    story: Story<'_>,
    mut values: Vec<Value>,
    mut fault: Fault,
    seed: u64,
    case: u32,
) -> (Fault, Counterexample) {
    let (mut shrinks, mut tries) = (0, 0);
    while let Some((simpler, found)) = simpler(story, &values, &mut tries) {
        (values, fault) = (simpler, found);
        shrinks += 1;
    }
    let params = story.test.params.iter().flatten().zip(&values);
    let shown = params.map(|(param, value)| (param.name.clone(), shown(value, &param.ty.to_string()))).collect();
    (fault, Counterexample { seed, case, shrinks, values: shown, given: values })
}

/// The first simpler values that fail too.
fn simpler(story: Story<'_>, values: &[Value], tries: &mut u32) -> Option<(Vec<Value>, Fault)> {
    for (at, (param, value)) in story.test.params.iter().flatten().zip(values).enumerate() {
        for other in smaller(&param.ty, param.range, value) {
            if *tries >= SHRINKS_MAX {
                return None;
            }
            *tries += 1;
            let mut changed = values.to_vec();
            if let Some(place) = changed.get_mut(at) {
                *place = other;
            }
            if let Some(fault) = run(story, &changed).fault {
                return Some((changed, fault));
            }
        }
    }
    None
}
