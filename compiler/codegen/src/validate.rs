//! Whether two scripts succeed for the same transactions.
//!
//! Both are followed with terms on the stack instead of bytes: the arguments are unknowns, facts of
//! the transaction are unknowns, and everything that would make the script fail is a condition. What
//! remains of a script is the set of conditions that must all hold. Terms have a normal form in which
//! equal computations look equal, so two scripts that do the same have the same set. If the sets
//! differ, nothing is shown: either the scripts differ, or the normal form does not reach far enough.
//!
//! Nobody looks at limits here: a number or an item that grows too long, and the operation budget.

mod bytes;
mod implied;
mod loops;
mod run;
mod sum;
mod term;

#[cfg(test)]
mod mutants;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use run::Unknown;
use run::{Machine, State};
use term::{Kind, Term, Terms};

use crate::code::{Instr, Op};

/// How deep a condition is shown.
const SHOWN_LEVELS: usize = 4;
/// Conditions beyond this number are compared as they stand.
const MERGED_MAX: usize = 200;
/// Conditions with more parts are not merged.
const PARTS_MAX: usize = 12;

/// A script, and what lies on the stack when it begins.
#[derive(Clone, Debug)]
pub(crate) struct Side<'c> {
    pub(crate) code: &'c [Instr],
    /// Bottom first.
    pub(crate) stack: Vec<Given>,
    /// Whether records lie beneath.
    pub(crate) records: bool,
    /// Conditionals that tell paths apart by what they demand, and whether the first block is that of the path at hand.
    pub(crate) turns: BTreeMap<usize, bool>,
}

/// What the spender pushes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// The item with this index among those of the arguments.
    Item(usize),
    /// The number that says which path it is.
    Selector(i64),
}

/// What a comparison shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Both scripts succeed for the same transactions.
    Same,
    /// What must hold is not written alike.
    Differs {
        /// A condition that only the first script has.
        left: Option<String>,
        /// One that only the second has.
        right: Option<String>,
    },
    /// One of them could not be followed.
    Unknown(Unknown),
}

/// Compares two scripts for one path. A script that has a hash in place of one of these texts is taken to demand that text:
/// nobody finds another one with the same hash.
///
/// Where the second has turns, it is followed the way of the path only, and must succeed there for the same transactions
/// as the first: whatever the first demands must lead this way. The other ways are those of other paths, each compared
/// in its turn.
pub(crate) fn compare(left: &Side<'_>, right: &Side<'_>, preimages: &[&[u8]]) -> Verdict {
    let mut terms = Terms::knowing(preimages);
    match (demands(&mut terms, left), demands(&mut terms, right)) {
        (Ok(left), Ok(right)) => {
            let (known, mut right, ways) = (left.clauses, right.clauses, right.ways);
            let stray = ways.iter().find(|way| !implied::is_implied(&terms, &known, **way));
            if let Some(stray) = stray {
                return Verdict::Differs { left: None, right: Some(terms.show(*stray, SHOWN_LEVELS)) };
            }
            // What tells the path from others need not be checked again.
            right.extend(ways.into_iter().filter(|way| known.contains(way)));
            if known == right {
                return Verdict::Same;
            }
            let (left, right) = (merged(&mut terms, known), merged(&mut terms, right));
            if left == right {
                return Verdict::Same;
            }
            let shown = |one: Option<&Term>| one.map(|term| terms.show(*term, SHOWN_LEVELS));
            Verdict::Differs {
                left: shown(left.difference(&right).next()),
                right: shown(right.difference(&left).next()),
            }
        }
        (Err(unknown), _) | (_, Err(unknown)) => Verdict::Unknown(unknown),
    }
}

/// What must hold for a script to succeed.
struct Demands {
    clauses: BTreeSet<Term>,
    /// What must hold for it to go the way of the path.
    ways: BTreeSet<Term>,
}

fn demands(terms: &mut Terms, side: &Side<'_>) -> Result<Demands, Unknown> {
    let stack = side.stack.iter().map(|given| match given {
        Given::Item(item) => terms.intern(Kind::Item(*item)),
        Given::Selector(n) => terms.int(*n),
    });
    let stack = stack.collect();
    let beneath = side.records.then(|| terms.intern(Kind::Beneath));
    let ops: Vec<Op> = side.code.iter().map(|instr| instr.op.clone()).collect();
    let mut machine = Machine::new(terms);
    machine.turns.clone_from(&side.turns);
    machine.script(ops, State { stack, beneath, ..State::default() })?;
    let ways = std::mem::take(&mut machine.ways).into_iter().collect();
    Ok(Demands { clauses: machine.clauses.into_iter().collect(), ways })
}

/// Fewer conditions that say the same: where one must hold if another does and if it does not, it must hold.
fn merged(terms: &mut Terms, mut clauses: BTreeSet<Term>) -> BTreeSet<Term> {
    if clauses.len() > MERGED_MAX {
        return clauses;
    }
    if let Some(never) = clauses.iter().find(|clause| terms.decided(**clause) == Some(false)) {
        return BTreeSet::from([*never]);
    }
    for _ in 0..clauses.len() {
        let found = clauses.iter().find_map(|clause| {
            let parts = failing(terms, *clause);
            if parts.len() > PARTS_MAX {
                return None;
            }
            parts.iter().enumerate().find_map(|(at, part)| {
                let mut rest = parts.clone();
                rest.remove(at);
                let opposite = terms.not(*part);
                let twin = terms.all(rest.iter().copied().chain([opposite]));
                let twin = terms.not(twin);
                let whole = terms.all(rest);
                let whole = terms.not(whole);
                (twin != *clause && holds(terms, &clauses, twin)).then_some((*clause, twin, whole))
            })
        });
        let Some((clause, twin, whole)) = found else { break };
        clauses.remove(&clause);
        clauses.remove(&twin);
        if terms.decided(whole) != Some(true) {
            clauses.insert(whole);
        }
    }
    let all: Vec<(Term, BTreeSet<Term>)> =
        clauses.iter().map(|clause| (*clause, failing(terms, *clause).into_iter().collect())).collect();
    let weaker = |(clause, parts): &(Term, BTreeSet<Term>)| {
        all.iter().any(|(other, fewer)| other != clause && fewer.len() < parts.len() && fewer.is_subset(parts))
    };
    let left: BTreeSet<Term> = all.iter().filter(|one| !weaker(one)).map(|(clause, _)| *clause).collect();
    tightest(terms, left)
}

/// Of bounds of one sum only the tightest.
fn tightest(terms: &Terms, clauses: BTreeSet<Term>) -> BTreeSet<Term> {
    let bound = |clause: Term| match terms.kind(clause) {
        Kind::Positive(sum) => Some((sum.varying(), sum.constant())),
        _ => None,
    };
    let mut least = std::collections::BTreeMap::new();
    for (sum, constant) in clauses.iter().filter_map(|clause| bound(*clause)) {
        let entry = least.entry(sum).or_insert_with(|| constant.clone());
        *entry = constant.min(entry.clone());
    }
    let is_tightest = |clause: &Term| bound(*clause).is_none_or(|(sum, constant)| least.get(&sum) == Some(&constant));
    clauses.iter().copied().filter(is_tightest).collect()
}

/// What must not hold all at once.
fn failing(terms: &mut Terms, clause: Term) -> Vec<Term> {
    let fails = terms.not(clause);
    match terms.kind(fails) {
        Kind::All(parts) => parts.clone(),
        _ => vec![fails],
    }
}

/// Whether a condition is one of these, or always true.
fn holds(terms: &Terms, clauses: &BTreeSet<Term>, condition: Term) -> bool {
    terms.decided(condition) == Some(true) || clauses.contains(&condition)
}
