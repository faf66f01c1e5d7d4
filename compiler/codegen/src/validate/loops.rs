//! Loops whose rounds nobody knows: what all rounds do at once.
//!
//! The items that change from round to round are found by running a round until no other changes.
//! Each gets a name from where it begins and how it goes on, so that the same variable has the same
//! name wherever a script keeps it: names are hashes of the first value and of the next one, in which
//! variables stand by their names of the pass before.

use std::collections::{BTreeMap, BTreeSet};

use spec::hash::sha256;

use super::run::{Machine, State, Unknown};
use super::sum::Sum;
use super::term::{Kind, Term, Terms};

/// Passes in which names are refined.
const PASSES_MAX: usize = 12;

type Name = [u8; 32];

/// One item that changes.
struct Variable {
    /// Where it lies, from the bottom; the count of items beneath has no place.
    place: Option<usize>,
    symbol: Term,
    initial: Term,
    next: Term,
}

/// Follows all rounds of a loop; `round` runs one and gives whether it is the last.
pub(super) fn all_rounds(
    machine: &mut Machine<'_>,
    state: &mut State,
    round: impl Fn(&mut Machine<'_>, &mut State) -> Result<Term, Unknown>,
) -> Result<(), Unknown> {
    if machine.loops > 0 {
        return Err(Unknown::Nested);
    }
    let guards = std::mem::take(&mut machine.guards);
    let clauses = std::mem::take(&mut machine.clauses);
    machine.loops += 1;
    let found = settled(machine, state, &round);
    machine.loops -= 1;
    let inside = std::mem::replace(&mut machine.clauses, clauses);
    machine.guards = guards;
    let (variables, ends) = found?;
    let names = names(machine.terms, &variables);
    let renamed: BTreeMap<Term, Term> = variables
        .iter()
        .zip(&names)
        .map(|(variable, name)| {
            let number = machine.terms.is_number(variable.symbol);
            (variable.symbol, machine.terms.intern(Kind::Varies(name.to_vec(), number)))
        })
        .collect();
    // What no round changes holds in all rounds if it holds in the first, and there is always a first.
    let known: BTreeMap<Term, Name> = variables.iter().map(|one| one.symbol).zip(names.iter().copied()).collect();
    let mut shapes = Shapes { terms: machine.terms, known: &known, done: BTreeMap::new() };
    let (inside, outside): (Vec<Term>, Vec<Term>) = inside.into_iter().partition(|clause| shapes.shape(*clause).1);
    outside.into_iter().for_each(|clause| machine.require(clause));
    let inside = super::merged(machine.terms, inside.into_iter().collect());
    let mut rename = Rename { terms: machine.terms, renamed, done: BTreeMap::new() };
    let mut parts = vec![rename.term(ends)];
    let inside: BTreeSet<Term> = inside.into_iter().map(|clause| rename.term(clause)).collect();
    parts.extend(inside);
    let lefts: Vec<Term> = variables.iter().map(|variable| rename.term(variable.next)).collect();
    let whole = machine.terms.intern(Kind::Loop(parts));
    machine.require(whole);
    for (variable, next) in variables.iter().zip(lefts) {
        let number = machine.terms.is_number(variable.symbol);
        let left = machine.terms.intern(Kind::Left(whole, next, number));
        match variable.place {
            Some(place) => *state.stack.get_mut(place).ok_or(Unknown::Loop)? = left,
            None => state.beneath = Some(left),
        }
    }
    Ok(())
}

/// Runs a round until it is known which items change; gives them, and when the loop ends.
fn settled(
    machine: &mut Machine<'_>,
    entry: &State,
    round: &impl Fn(&mut Machine<'_>, &mut State) -> Result<Term, Unknown>,
) -> Result<(Vec<Variable>, Term), Unknown> {
    // By place, whether it stays a number.
    let mut varying: BTreeMap<usize, bool> = BTreeMap::new();
    loop {
        machine.clauses.clear();
        let symbol = |place: usize, number: bool, terms: &mut Terms| {
            terms.intern(Kind::Varies(place.to_le_bytes().to_vec(), number))
        };
        let mut state = State { taken: 0, ..entry.clone() };
        for (place, number) in &varying {
            if let Some(item) = state.stack.get_mut(*place) {
                *item = symbol(*place, *number, machine.terms);
            }
        }
        let count = machine.terms.intern(Kind::Varies(Vec::new(), true));
        if state.beneath.is_some() {
            state.beneath = Some(count);
        }
        let begin = state.clone();
        let value = round(machine, &mut state)?;
        let ends = machine.terms.truth(value);
        if state.stack.len() != begin.stack.len() || state.alt != begin.alt {
            return Err(Unknown::Loop);
        }
        let mut settled = true;
        for (place, (before, after)) in begin.stack.iter().zip(&state.stack).enumerate() {
            let initial = *entry.stack.get(place).ok_or(Unknown::Loop)?;
            if before == after && !varying.contains_key(&place) {
                continue;
            }
            let number = machine.terms.is_number(initial) && machine.terms.is_number(*after);
            if varying.insert(place, number) != Some(number) {
                settled = false;
            }
        }
        if !settled {
            continue;
        }
        let mut variables = Vec::new();
        for (place, number) in &varying {
            variables.push(Variable {
                place: Some(*place),
                symbol: symbol(*place, *number, machine.terms),
                initial: *entry.stack.get(*place).ok_or(Unknown::Loop)?,
                next: *state.stack.get(*place).ok_or(Unknown::Loop)?,
            });
        }
        if let (Some(initial), Some(next)) = (entry.beneath, state.beneath) {
            variables.push(Variable { place: None, symbol: count, initial, next });
        }
        return Ok((variables, ends));
    }
}

/// A name for each variable.
fn names(terms: &Terms, variables: &[Variable]) -> Vec<Name> {
    let mut names: Vec<Name> = variables
        .iter()
        .map(|variable| {
            let mut data = b"first".to_vec();
            data.push(u8::from(variable.place.is_none()));
            data.extend(variable.initial.number().to_le_bytes());
            sha256(&data)
        })
        .collect();
    for _ in 0..(variables.len() + 1).min(PASSES_MAX) {
        let known: BTreeMap<Term, Name> = variables.iter().map(|one| one.symbol).zip(names.iter().copied()).collect();
        let mut shapes = Shapes { terms, known: &known, done: BTreeMap::new() };
        names = variables
            .iter()
            .zip(&names)
            .map(|(variable, name)| sha256(&[name.as_slice(), &shapes.of(variable.next)].concat()))
            .collect();
    }
    names
}

/// Hashes of terms in which variables stand by their names.
struct Shapes<'n> {
    terms: &'n Terms,
    known: &'n BTreeMap<Term, Name>,
    done: BTreeMap<Term, (Name, bool)>,
}

impl Shapes<'_> {
    fn of(&mut self, term: Term) -> Name {
        self.shape(term).0
    }

    /// The hash, and whether a variable is inside; what has none is known by its number.
    fn shape(&mut self, term: Term) -> (Name, bool) {
        if let Some(name) = self.known.get(&term) {
            return (*name, true);
        }
        if !self.terms.may_vary(term) {
            return (fixed(term), false);
        }
        if let Some(done) = self.done.get(&term) {
            return *done;
        }
        let kind = self.terms.kind(term).clone();
        if let Kind::Field(field) = kind {
            // Each round has records of its own.
            return (sha256(format!("field {field}").as_bytes()), true);
        }
        if let Kind::Choice(condition, a, b) = kind {
            return self.choice(term, condition, a, b);
        }
        let mut varies = false;
        let mut hashes: Vec<Name> = Vec::new();
        let label = kind.label();
        for (part, coefficient) in kind.parts() {
            let mut names: Vec<Name> = Vec::new();
            for inner in part {
                let (name, inside) = self.shape(inner);
                varies |= inside;
                names.push(name);
            }
            if kind.is_unordered() {
                names.sort_unstable();
            }
            hashes.push(sha256(&[names.concat(), coefficient].concat()));
        }
        if kind.is_unordered() {
            hashes.sort_unstable();
        }
        let name = if varies { sha256(&[label, hashes.concat()].concat()) } else { fixed(term) };
        let done = (name, varies);
        self.done.insert(term, done);
        done
    }

    /// Which of a condition and its opposite comes first depends on which was made first.
    fn choice(&mut self, term: Term, condition: Term, a: Term, b: Term) -> (Name, bool) {
        let opposite = self.terms.opposite(condition).unwrap_or(condition);
        let mut varies = false;
        let mut ways: Vec<Name> = Vec::new();
        for (condition, value) in [(condition, a), (opposite, b)] {
            let ((condition, first), (value, second)) = (self.shape(condition), self.shape(value));
            varies |= first | second;
            ways.push(sha256(&[condition, value].concat()));
        }
        ways.sort_unstable();
        let name = if varies { sha256(&[b"choice".as_slice(), &ways.concat()].concat()) } else { fixed(term) };
        let done = (name, varies);
        self.done.insert(term, done);
        done
    }
}

/// The name of what no round changes: no hash begins like this.
fn fixed(term: Term) -> Name {
    let mut name = Name::default();
    name.iter_mut().rev().zip(term.number().to_le_bytes()).for_each(|(to, from)| *to = from);
    name
}

/// Terms with other variables.
struct Rename<'t> {
    terms: &'t mut Terms,
    renamed: BTreeMap<Term, Term>,
    done: BTreeMap<Term, Term>,
}

impl Rename<'_> {
    fn term(&mut self, term: Term) -> Term {
        if !self.terms.may_vary(term) {
            return term;
        }
        if let Some(name) = self.renamed.get(&term) {
            return *name;
        }
        if let Some(done) = self.done.get(&term) {
            return *done;
        }
        let kind = self.terms.kind(term).clone();
        let new = self.kind(term, kind);
        self.done.insert(term, new);
        new
    }

    fn terms(&mut self, terms: &[Term]) -> Vec<Term> {
        terms.iter().map(|term| self.term(*term)).collect()
    }

    fn sum(&mut self, of: &Sum) -> Term {
        let mut sum = self.terms.int(0);
        for (factors, n) in of.iter() {
            let mut product = self.terms.bytes(crate::number::encode(n));
            for factor in factors {
                let factor = self.term(*factor);
                product = self.terms.multiply(product, factor);
            }
            sum = self.terms.add(sum, product, 1);
        }
        sum
    }

    fn kind(&mut self, term: Term, kind: Kind) -> Term {
        match kind {
            Kind::Const(_)
            | Kind::Hole(_)
            | Kind::Item(_)
            | Kind::Field(_)
            | Kind::Beneath
            | Kind::Varies(..)
            | Kind::Left(..)
            | Kind::Loop(_) => term,
            Kind::Sum(sum) => self.sum(&sum),
            Kind::Op(opcode, args) => {
                let mut args = self.terms(&args);
                if kind_is_unordered(opcode) {
                    args.sort_unstable();
                }
                self.terms.intern(Kind::Op(opcode, args))
            }
            Kind::Works(opcode, args) => {
                let args = self.terms(&args);
                self.terms.intern(Kind::Works(opcode, args))
            }
            Kind::Length(of) => {
                let of = self.term(of);
                self.terms.length(of)
            }
            Kind::Slice(of, from, to) => {
                let (of, from, to) = (self.term(of), self.term(from), to.map(|to| self.term(to)));
                self.terms.slice(of, from, to)
            }
            Kind::Cat(parts) => {
                let parts = self.terms(&parts);
                self.terms.join(parts)
            }
            Kind::Choice(condition, a, b) => {
                let (condition, a, b) = (self.term(condition), self.term(a), self.term(b));
                self.terms.choice(condition, a, b)
            }
            Kind::Positive(sum) => {
                let sum = self.sum(&sum);
                let sum = self.terms.sum_of(sum);
                self.terms.positive(sum)
            }
            Kind::Zero(sum) => {
                let sum = self.sum(&sum);
                let sum = self.terms.sum_of(sum);
                self.terms.zero(sum)
            }
            Kind::Same(a, b) => {
                let (a, b) = (self.term(a), self.term(b));
                self.terms.same(a, b)
            }
            Kind::IsNumber(of) => {
                let of = self.term(of);
                match self.terms.is_number(of) {
                    true => self.terms.truth_value(true),
                    false => self.terms.intern(Kind::IsNumber(of)),
                }
            }
            Kind::Truth(of) => {
                let of = self.term(of);
                self.terms.truth(of)
            }
            Kind::Not(of) => {
                let of = self.term(of);
                self.terms.not(of)
            }
            Kind::All(parts) => {
                let parts = self.terms(&parts);
                self.terms.all(parts)
            }
        }
    }
}

pub(super) fn kind_is_unordered(opcode: spec::Opcode) -> bool {
    use spec::Opcode;
    matches!(opcode, Opcode::And | Opcode::Or | Opcode::Xor | Opcode::Min | Opcode::Max | Opcode::Mul)
}
