//! Values and conditions in normal form: equal ones are one term, however a script computes them.
//!
//! Numbers are sums of products with exact coefficients. Comparisons are a sum that is above zero, or
//! zero, with the common factor taken out. Conditions know their opposite. Bytes that are joined and
//! cut are slices of what they were.

use std::collections::BTreeMap;

use dashu_base::{Gcd, Sign, UnsignedAbs};
use dashu_int::IBig;
use spec::Opcode;
use spec::hash::sha256;

use super::sum::{Factors, Sum};
use crate::facts;
use crate::fold::{gives_number, gives_truth};
use crate::number;
use crate::numbering::Numbering;

/// The most products of a sum; longer sums stay as they were computed.
const PRODUCTS_MAX: usize = 64;
/// The most factors of a product.
const FACTORS_MAX: usize = 6;
/// The most values that a number in a condition may be by other conditions, for the condition to be split by them.
const ENDS_MAX: usize = 6;
/// The most parts that are shown.
const SHOWN_PARTS: usize = 6;
/// The most parts of a condition that is looked into.
const PARTS_MAX: usize = 256;

/// A value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Term(u32);

impl Term {
    pub(super) const fn number(self) -> u32 {
        self.0
    }
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// Bytes.
    Const(Vec<u8>),
    /// The contract's parameter with this index.
    Hole(usize),
    /// The item with this index among those of the arguments.
    Item(usize),
    /// The field with this index of the records that lie beneath, the nearest first.
    Field(usize),
    /// How many items lie beneath everything that is known.
    Beneath,
    /// A sum of more than one product, or of one with a coefficient.
    Sum(Sum),
    /// What an opcode makes of these.
    Op(Opcode, Vec<Term>),
    /// The length in bytes.
    Length(Term),
    /// The bytes from a place up to another, or to the end.
    Slice(Term, Term, Option<Term>),
    /// These bytes one behind the other.
    Cat(Vec<Term>),
    /// The second where the first, a condition, holds, else the third.
    Choice(Term, Term, Term),
    /// What varies from round to round of a loop, by its name; whether it is always a number.
    Varies(Vec<u8>, bool),
    /// What a loop leaves: which loop, the value at the end of a round, whether it is a number.
    Left(Term, Term, bool),

    // ---- conditions: 1 or empty
    /// The sum is above zero.
    Positive(Sum),
    /// The sum is zero.
    Zero(Sum),
    /// The bytes are the same.
    Same(Term, Term),
    /// The bytes are a number in its shortest form.
    IsNumber(Term),
    /// The machine takes the bytes for true.
    Truth(Term),
    /// The opcode does not fail for these.
    Works(Opcode, Vec<Term>),
    /// It does not hold.
    Not(Term),
    /// All of these hold.
    All(Vec<Term>),
    /// A loop ends where the first of these holds, and the others hold in each round.
    Loop(Vec<Term>),
}

impl Kind {
    /// What it is, without its parts.
    pub(super) fn label(&self) -> Vec<u8> {
        let name = match self {
            Self::Const(_) => "const",
            Self::Hole(_) => "hole",
            Self::Item(_) => "item",
            Self::Field(_) => "field",
            Self::Beneath => "beneath",
            Self::Sum(_) => "sum",
            Self::Op(opcode, _) => opcode.name(),
            Self::Length(_) => "length",
            Self::Slice(_, _, None) => "tail",
            Self::Slice(..) => "slice",
            Self::Cat(_) => "cat",
            Self::Choice(..) => "choice",
            Self::Varies(..) => "varies",
            Self::Left(..) => "left",
            Self::Positive(_) => "positive",
            Self::Zero(_) => "zero",
            Self::Same(..) => "same",
            Self::IsNumber(_) => "number",
            Self::Truth(_) => "truth",
            Self::Works(opcode, _) => return [b"works ", opcode.name().as_bytes()].concat(),
            Self::Not(_) => "not",
            Self::All(_) => "all",
            Self::Loop(_) => "loop",
        };
        name.into()
    }

    /// The values inside, in groups with what stands beside them.
    pub(super) fn parts(&self) -> Vec<(Vec<Term>, Vec<u8>)> {
        let each = |terms: &[Term]| terms.iter().map(|term| (vec![*term], Vec::new())).collect();
        match self {
            Self::Const(_) | Self::Hole(_) | Self::Item(_) | Self::Field(_) | Self::Beneath | Self::Varies(..) => {
                Vec::new()
            }
            Self::Sum(sum) | Self::Positive(sum) | Self::Zero(sum) => {
                sum.iter().map(|(factors, n)| (factors.to_vec(), number::encode(n))).collect()
            }
            Self::Op(_, terms) | Self::Works(_, terms) | Self::Cat(terms) | Self::All(terms) | Self::Loop(terms) => {
                each(terms)
            }
            Self::Length(of) | Self::IsNumber(of) | Self::Truth(of) | Self::Not(of) => each(&[*of]),
            Self::Slice(of, from, to) => each(&[*of, *from].into_iter().chain(*to).collect::<Vec<_>>()),
            Self::Choice(condition, a, b) => each(&[*condition, *a, *b]),
            Self::Left(a, b, _) | Self::Same(a, b) => each(&[*a, *b]),
        }
    }

    /// Whether one of the values inside is such.
    fn has_part(&self, mut is_such: impl FnMut(Term) -> bool) -> bool {
        match self {
            Self::Const(_) | Self::Hole(_) | Self::Item(_) | Self::Field(_) | Self::Beneath | Self::Varies(..) => false,
            Self::Sum(sum) | Self::Positive(sum) | Self::Zero(sum) => {
                sum.iter().flat_map(|(factors, _)| factors).any(|factor| is_such(*factor))
            }
            Self::Op(_, terms) | Self::Works(_, terms) | Self::Cat(terms) | Self::All(terms) | Self::Loop(terms) => {
                terms.iter().any(|term| is_such(*term))
            }
            Self::Length(of) | Self::IsNumber(of) | Self::Truth(of) | Self::Not(of) => is_such(*of),
            Self::Slice(of, from, to) => is_such(*of) || is_such(*from) || to.is_some_and(is_such),
            Self::Choice(condition, a, b) => is_such(*condition) || is_such(*a) || is_such(*b),
            Self::Left(a, b, _) | Self::Same(a, b) => is_such(*a) || is_such(*b),
        }
    }

    /// Whether the order of its parts comes from the order in which terms were made.
    pub(super) fn is_unordered(&self) -> bool {
        match self {
            Self::Sum(_) | Self::Positive(_) | Self::Zero(_) | Self::Same(..) | Self::All(_) => true,
            Self::Op(opcode, _) => super::loops::kind_is_unordered(*opcode),
            _ => false,
        }
    }
}

/// Where a number lies: at least, at most.
type Range = (Option<IBig>, Option<IBig>);

/// What is known of a value, whatever the transaction.
#[derive(Clone, Debug)]
struct Facts {
    /// Something inside may change from round to round of a loop.
    may_vary: bool,
    /// It is 1 or empty.
    condition: bool,
    /// It is a number in its shortest form.
    number: bool,
    /// So many bytes.
    len: Option<usize>,
    range: Range,
}

/// All terms of one comparison.
#[derive(Debug, Default)]
pub(super) struct Terms {
    kinds: Vec<Kind>,
    facts: Vec<Facts>,
    /// For each term that is a condition what holds where it does not, once somebody has asked.
    opposites: Vec<Option<Term>>,
    ids: Numbering,
    /// Texts by their SHA-256.
    preimages: BTreeMap<[u8; 32], Vec<u8>>,
}

impl Terms {
    /// No terms, but texts that the scripts may hold the hashes of.
    pub(super) fn knowing(preimages: &[&[u8]]) -> Self {
        let by_hash = |text: &&[u8]| (sha256(text), text.to_vec());
        Self { preimages: preimages.iter().map(by_hash).collect(), ..Self::default() }
    }

    /// The known text that has this hash.
    pub(super) fn preimage(&self, hash: &[u8]) -> Option<&[u8]> {
        self.preimages.get(hash).map(Vec::as_slice)
    }

    pub(super) fn kind(&self, term: Term) -> &Kind {
        self.kinds.get(term.0 as usize).expect("terms come from here")
    }

    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }

    pub(super) fn intern(&mut self, kind: Kind) -> Term {
        if let Some(known) = self.ids.find(&kind, |at| self.kinds.get(at as usize) == Some(&kind)) {
            return Term(known);
        }
        let term = Term(u32::try_from(self.kinds.len()).unwrap_or(u32::MAX));
        self.facts.push(self.facts_of(&kind));
        self.ids.add(&kind, term.0);
        self.kinds.push(kind);
        self.opposites.push(None);
        term
    }

    pub(super) fn bytes(&mut self, data: Vec<u8>) -> Term {
        self.intern(Kind::Const(data))
    }

    pub(super) fn int(&mut self, n: i64) -> Term {
        self.bytes(spec::num::encode(n))
    }

    pub(super) fn truth_value(&mut self, holds: bool) -> Term {
        self.int(i64::from(holds))
    }

    pub(super) fn as_bytes(&self, term: Term) -> Option<&[u8]> {
        match self.kind(term) {
            Kind::Const(data) => Some(data),
            _ => None,
        }
    }

    /// The number that a constant means.
    pub(super) fn as_number(&self, term: Term) -> Option<IBig> {
        number::decode(self.as_bytes(term)?)
    }

    pub(super) fn as_index(&self, term: Term) -> Option<usize> {
        usize::try_from(spec::num::decode(self.as_bytes(term)?)?).ok()
    }

    /// Whether a condition is decided.
    pub(super) fn decided(&self, condition: Term) -> Option<bool> {
        self.as_bytes(condition).map(spec::num::is_truthy)
    }

    /// Whether the value is 1 or empty.
    pub(super) fn is_condition(&self, term: Term) -> bool {
        self.facts(term).condition
    }

    /// Whether the value is a number in its shortest form, whatever the spender gives.
    pub(super) fn is_number(&self, term: Term) -> bool {
        self.facts(term).number
    }

    /// Whether there is anything inside that may change from round to round of a loop.
    pub(super) fn may_vary(&self, term: Term) -> bool {
        self.facts(term).may_vary
    }

    /// How many bytes it has, if that is sure.
    pub(super) fn fixed_len(&self, term: Term) -> Option<usize> {
        self.facts(term).len
    }

    fn facts(&self, term: Term) -> &Facts {
        self.facts.get(term.0 as usize).expect("terms come from here")
    }

    fn facts_of(&self, kind: &Kind) -> Facts {
        let condition = match kind {
            Kind::Const(data) => matches!(data.as_slice(), [] | [1]),
            Kind::Positive(_)
            | Kind::Zero(_)
            | Kind::Same(..)
            | Kind::IsNumber(_)
            | Kind::Truth(_)
            | Kind::Works(..)
            | Kind::Not(_)
            | Kind::All(_)
            | Kind::Loop(_) => true,
            Kind::Op(opcode, _) => gives_truth(*opcode),
            Kind::Choice(_, a, b) => self.is_condition(*a) && self.is_condition(*b),
            _ => false,
        };
        let number = match kind {
            Kind::Const(data) => spec::num::is_minimal(data),
            // Whoever makes the contract gives them, and numbers in their shortest form.
            Kind::Hole(_) | Kind::Sum(_) | Kind::Length(_) | Kind::Beneath => true,
            Kind::Op(opcode, _) => gives_number(*opcode),
            Kind::Varies(_, number) | Kind::Left(_, _, number) => *number,
            Kind::Choice(_, a, b) => self.is_number(*a) && self.is_number(*b),
            _ => condition,
        };
        let may_vary = match kind {
            Kind::Varies(..) | Kind::Field(_) => true,
            _ => kind.has_part(|part| self.may_vary(part)),
        };
        Facts { may_vary, condition, number, len: self.len_of(kind), range: self.range_of(kind, condition) }
    }

    fn len_of(&self, kind: &Kind) -> Option<usize> {
        match kind {
            Kind::Const(data) => Some(data.len()),
            Kind::Op(Opcode::Num2Bin, args) => args.get(1).and_then(|len| self.as_index(*len)),
            Kind::Op(Opcode::ReverseBytes | Opcode::Invert, args) => args.first().and_then(|of| self.fixed_len(*of)),
            Kind::Slice(_, from, Some(to)) => self.as_index(*to)?.checked_sub(self.as_index(*from)?),
            Kind::Slice(of, from, None) => self.fixed_len(*of)?.checked_sub(self.as_index(*from)?),
            Kind::Cat(parts) => parts.iter().map(|part| self.fixed_len(*part)).sum(),
            Kind::Op(opcode, _) => facts::fixed_len(*opcode).map(usize::from),
            Kind::Choice(_, a, b) => self.fixed_len(*a).filter(|len| self.fixed_len(*b) == Some(*len)),
            _ => None,
        }
    }

    fn range_of(&self, kind: &Kind, condition: bool) -> Range {
        let from = |n: i64| (Some(IBig::from(n)), None);
        let between = |a: i64, b: i64| (Some(IBig::from(a)), Some(IBig::from(b)));
        match kind {
            Kind::Sum(sum) => self.range_of_sum(sum),
            Kind::Const(data) => number::decode(data).map_or((None, None), |n| (Some(n.clone()), Some(n))),
            _ if condition => between(0, 1),
            Kind::Length(_) | Kind::Beneath => from(0),
            Kind::Op(Opcode::Div | Opcode::Mod, args) if args.iter().all(|arg| self.is_never_below_zero(*arg)) => {
                from(0)
            }
            Kind::Op(opcode, _) => match facts::bounds(*opcode) {
                Some((least, most)) => (Some(least.into()), most.map(IBig::from)),
                None => (None, None),
            },
            _ => (None, None),
        }
    }

    fn is_never_below_zero(&self, term: Term) -> bool {
        self.facts(term).range.0.as_ref().is_some_and(|least| *least >= IBig::ZERO)
    }

    fn range_of_sum(&self, sum: &Sum) -> Range {
        let (mut least, mut most) = (Some(IBig::ZERO), Some(IBig::ZERO));
        for (factors, n) in sum.iter() {
            let (low, high) = match factors.as_slice() {
                [] => (Some(IBig::ONE), Some(IBig::ONE)),
                [atom] => self.facts(*atom).range.clone(),
                several if several.iter().all(|atom| self.is_never_below_zero(*atom)) => (Some(IBig::ZERO), None),
                _ => (None, None),
            };
            let (low, high) = if n.sign() == Sign::Negative { (high, low) } else { (low, high) };
            least = least.zip(low).map(|(sum, low)| sum + low * n);
            most = most.zip(high).map(|(sum, high)| sum + high * n);
        }
        (least, most)
    }

    /// The term as text, so many levels deep.
    pub(super) fn show(&self, term: Term, levels: usize) -> String {
        if levels == 0 {
            return "..".into();
        }
        let of = |term: &Term| self.show(*term, levels - 1);
        let sum = |products: &Sum| {
            let product = |(factors, n): (&Factors, &IBig)| {
                let factors: Vec<String> = factors.iter().map(of).collect();
                if factors.is_empty() { n.to_string() } else { format!("{n}*{}", factors.join("*")) }
            };
            products.iter().take(SHOWN_PARTS).map(product).collect::<Vec<_>>().join(" + ")
        };
        let list = |terms: &[Term]| terms.iter().take(SHOWN_PARTS).map(of).collect::<Vec<_>>().join(", ");
        match self.kind(term) {
            Kind::Const(data) => match spec::num::decode(data) {
                Some(n) if data.len() < 8 => n.to_string(),
                _ => data.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}")),
            },
            Kind::Hole(n) => format!("hole{n}"),
            Kind::Item(n) => format!("item{n}"),
            Kind::Field(n) => format!("field{n}"),
            Kind::Beneath => "beneath".into(),
            Kind::Sum(products) => format!("({})", sum(products)),
            Kind::Positive(products) => format!("({} > 0)", sum(products)),
            Kind::Zero(products) => format!("({} == 0)", sum(products)),
            Kind::Op(opcode, args) => format!("{}({})", opcode.name(), list(args)),
            Kind::Works(opcode, args) => format!("works {}({})", opcode.name(), list(args)),
            Kind::Length(a) => format!("len({})", of(a)),
            Kind::Slice(a, from, Some(to)) => format!("{}[{}..{}]", of(a), of(from), of(to)),
            Kind::Slice(a, from, None) => format!("{}[{}..]", of(a), of(from)),
            Kind::Cat(parts) => format!("cat({})", list(parts)),
            Kind::Choice(c, a, b) => format!("({} ? {} : {})", of(c), of(a), of(b)),
            Kind::Varies(name, _) => {
                format!("var{}", name.iter().take(4).fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
            }
            Kind::Left(whole, next, _) => format!("after({}, {})", of(whole), of(next)),
            Kind::Same(a, b) => format!("({} is {})", of(a), of(b)),
            Kind::IsNumber(a) => format!("number({})", of(a)),
            Kind::Truth(a) => format!("truth({})", of(a)),
            Kind::Not(a) => format!("!{}", of(a)),
            Kind::All(parts) => format!("all({})", list(parts)),
            Kind::Loop(parts) => format!("loop({})", list(parts)),
        }
    }

    // ---- numbers

    /// The value as a sum.
    pub(super) fn sum_of(&self, term: Term) -> Sum {
        match self.kind(term) {
            Kind::Sum(sum) => sum.clone(),
            _ => self.as_number(term).map_or_else(|| Sum::of(term), Sum::constant_of),
        }
    }

    /// A sum as a value.
    pub(super) fn number(&mut self, sum: Sum) -> Term {
        let first = sum.iter().next().filter(|_| sum.len() == 1);
        match first.map(|(factors, n)| (factors.as_slice(), n)) {
            None if sum.is_empty() => self.int(0),
            Some(([], n)) => self.bytes(number::encode(n)),
            Some(([atom], n)) if *n == IBig::ONE => *atom,
            _ => self.intern(Kind::Sum(sum)),
        }
    }

    pub(super) fn add(&mut self, a: Term, b: Term, factor: i64) -> Term {
        let (mut sum, other) = (self.sum_of(a), self.sum_of(b));
        if sum.len() + other.len() > PRODUCTS_MAX {
            let opcode = if factor < 0 { Opcode::Sub } else { Opcode::Add };
            return self.intern(Kind::Op(opcode, vec![a, b]));
        }
        sum.add_all(&other, &IBig::from(factor));
        self.number(sum)
    }

    pub(super) fn multiply(&mut self, a: Term, b: Term) -> Term {
        let (left, right) = (self.sum_of(a), self.sum_of(b));
        let factors = |sum: &Sum| sum.iter().map(|(factors, _)| factors.len()).max().unwrap_or(0);
        if left.len() * right.len() > PRODUCTS_MAX || factors(&left) + factors(&right) > FACTORS_MAX {
            return self.intern(Kind::Op(Opcode::Mul, vec![a.min(b), a.max(b)]));
        }
        self.number(left.times(&right))
    }

    /// The quotient, rounded towards zero; what divides both sides falls out.
    pub(super) fn divide(&mut self, a: Term, b: Term) -> Term {
        if let (Some(a), Some(b)) = (self.as_number(a), self.as_number(b))
            && b != IBig::ZERO
        {
            return self.bytes(number::encode(&(a / b)));
        }
        let Some(divisor) = self.as_number(b).filter(|n| *n != IBig::ZERO) else {
            return self.intern(Kind::Op(Opcode::Div, vec![a, b]));
        };
        let sum = self.sum_of(a);
        let mut common = IBig::from(divisor.clone().unsigned_abs());
        for (_, n) in sum.iter() {
            common = IBig::from(common.unsigned_abs().gcd(n.clone().unsigned_abs()));
        }
        if divisor.sign() == Sign::Negative {
            common = -common;
        }
        let divisor = &divisor / &common;
        let a = self.number(sum.map(|n| n / &common));
        if divisor == IBig::ONE {
            return a;
        }
        let b = self.bytes(number::encode(&divisor));
        self.intern(Kind::Op(Opcode::Div, vec![a, b]))
    }

    /// The sum for either way of the only condition that values in it depend on.
    fn ways(&mut self, sum: &Sum) -> Option<(Term, Sum, Sum)> {
        let is_choice = |atom: &Term| matches!(self.kind(*atom), Kind::Choice(..));
        let factors = sum.iter().map(|(factors, _)| factors);
        let depending: Vec<&Factors> = factors.filter(|factors| factors.iter().any(is_choice)).collect();
        let mut choices = Vec::new();
        for factors in &depending {
            let [atom] = factors.as_slice() else { return None };
            let Kind::Choice(condition, a, b) = *self.kind(*atom) else { return None };
            // Choices inside of choices double with each level.
            (self.ends(a, ENDS_MAX)? + self.ends(b, ENDS_MAX)? <= ENDS_MAX).then_some(())?;
            choices.push((condition, [a, b]));
        }
        let condition = choices.first()?.0;
        if choices.iter().any(|(other, _)| *other != condition) {
            return None;
        }
        let way = |second: usize| {
            let mut way = sum.clone();
            for (factors, (_, values)) in depending.iter().zip(&choices) {
                let n = way.remove(factors);
                let value = values.get(second).map(|value| self.sum_of(*value)).unwrap_or_default();
                way.add_all(&value, &n);
            }
            way
        };
        Some((condition, way(0), way(1)))
    }

    /// How many values a number may be by the conditions that it depends on, if at most so many.
    fn ends(&self, value: Term, most: usize) -> Option<usize> {
        let mut ends = 1usize;
        for atom in self.sum_of(value).iter().flat_map(|(factors, _)| factors) {
            if let Kind::Choice(_, a, b) = *self.kind(*atom) {
                let most = most.checked_sub(1)?;
                ends = ends.checked_mul(self.ends(a, most)? + self.ends(b, most)?).filter(|ends| *ends <= most + 1)?;
            }
        }
        Some(ends)
    }

    /// Whether the sum is above zero.
    pub(super) fn positive(&mut self, sum: Sum) -> Term {
        if let Some((condition, a, b)) = self.ways(&sum) {
            let (a, b) = (self.positive(a), self.positive(b));
            return self.choice(condition, a, b);
        }
        let (least, most) = self.range_of_sum(&sum);
        if least.as_ref().is_some_and(|n| *n > IBig::ZERO) {
            return self.truth_value(true);
        }
        if most.is_some_and(|n| n <= IBig::ZERO) {
            return self.truth_value(false);
        }
        if let Some(condition) = self.of_one_condition(&sum, |n| *n > IBig::ZERO) {
            return condition;
        }
        let sum = sum.without_factor_above_zero();
        let (least, most) = self.range_of_sum(&sum);
        if least == Some(IBig::ZERO) {
            // What is never below zero is above it where it is not zero.
            let zero = self.zero(sum);
            return self.not(zero);
        }
        if most == Some(IBig::ONE) {
            let mut rest = sum;
            rest.add(Factors::new(), -IBig::ONE);
            return self.zero(rest);
        }
        self.intern(Kind::Positive(sum))
    }

    /// Whether the sum is zero.
    pub(super) fn zero(&mut self, sum: Sum) -> Term {
        if let Some((condition, a, b)) = self.ways(&sum) {
            let (a, b) = (self.zero(a), self.zero(b));
            return self.choice(condition, a, b);
        }
        let (least, most) = self.range_of_sum(&sum);
        if least.is_some_and(|n| n > IBig::ZERO) || most.is_some_and(|n| n < IBig::ZERO) {
            return self.truth_value(false);
        }
        if sum.is_empty() {
            return self.truth_value(true);
        }
        if let Some(condition) = self.of_one_condition(&sum, |n| *n == IBig::ZERO) {
            return condition;
        }
        let common = sum.common_factor();
        if common != IBig::ZERO && sum.constant() % &common != IBig::ZERO {
            return self.truth_value(false);
        }
        let turn = sum.varying().first().is_some_and(|(_, n)| n.sign() == Sign::Negative);
        let common = if turn { -common } else { common };
        self.intern(Kind::Zero(sum.map(|n| n / &common)))
    }

    /// A test of a sum of one condition and a constant.
    fn of_one_condition(&mut self, sum: &Sum, test: impl Fn(&IBig) -> bool) -> Option<Term> {
        let constant = sum.constant();
        let [(factors, factor)] = sum.varying() else { return None };
        let condition = match factors.as_slice() {
            [atom] if self.is_condition(*atom) => *atom,
            _ => return None,
        };
        Some(match (test(&constant), test(&(constant + factor))) {
            (false, true) => condition,
            (true, false) => self.not(condition),
            (same, _) => self.truth_value(same),
        })
    }

    pub(super) fn equal_numbers(&mut self, a: Term, b: Term) -> Term {
        let difference = self.difference(a, b);
        self.zero(difference)
    }

    /// Whether `a` is above `b`.
    pub(super) fn above(&mut self, a: Term, b: Term) -> Term {
        if let (Some(a), Some(b)) = (self.as_number(a), self.as_number(b)) {
            return self.truth_value(a > b);
        }
        let difference = self.difference(a, b);
        self.positive(difference)
    }

    /// Whether `a` is `b` or above.
    pub(super) fn at_least(&mut self, a: Term, b: Term) -> Term {
        let below = self.above(b, a);
        self.not(below)
    }

    fn difference(&mut self, a: Term, b: Term) -> Sum {
        let difference = self.add(a, b, -1);
        self.sum_of(difference)
    }

    // ---- conditions

    pub(super) fn not(&mut self, condition: Term) -> Term {
        if let Some(opposite) = self.opposite(condition) {
            return opposite;
        }
        let opposite = self.turned(condition);
        if let Some(known) = self.opposites.get_mut(condition.0 as usize) {
            *known = Some(opposite);
        }
        opposite
    }

    /// The opposite of a condition, if anybody has asked for it.
    pub(super) fn opposite(&self, condition: Term) -> Option<Term> {
        self.opposites.get(condition.0 as usize).copied().flatten()
    }

    fn turned(&mut self, condition: Term) -> Term {
        match self.kind(condition).clone() {
            Kind::Const(data) => {
                let holds = spec::num::is_truthy(&data);
                self.truth_value(!holds)
            }
            Kind::Not(inner) => inner,
            Kind::Positive(sum) => {
                let mut turned = sum.map(|n| -n);
                turned.add(Factors::new(), IBig::ONE);
                self.positive(turned)
            }
            Kind::Choice(of, a, b) => {
                let (a, b) = (self.not(a), self.not(b));
                self.choice(of, a, b)
            }
            _ => self.intern(Kind::Not(condition)),
        }
    }

    pub(super) fn all(&mut self, conditions: impl IntoIterator<Item = Term>) -> Term {
        let mut flat = std::collections::BTreeSet::new();
        for condition in conditions {
            match self.kind(condition) {
                Kind::Const(data) if spec::num::is_truthy(data) => {}
                Kind::Const(_) => return self.truth_value(false),
                Kind::All(parts) if parts.len() + flat.len() <= PARTS_MAX => flat.extend(parts.iter().copied()),
                _ => drop(flat.insert(condition)),
            }
        }
        for condition in flat.clone() {
            let opposite = self.not(condition);
            if flat.contains(&opposite) {
                return self.truth_value(false);
            }
        }
        let mut parts = flat.iter();
        match (parts.next(), parts.next()) {
            (None, _) => self.truth_value(true),
            (Some(only), None) => *only,
            _ => self.intern(Kind::All(flat.into_iter().collect())),
        }
    }

    pub(super) fn any(&mut self, conditions: impl IntoIterator<Item = Term>) -> Term {
        let opposites: Vec<Term> = conditions.into_iter().map(|condition| self.not(condition)).collect();
        let none = self.all(opposites);
        self.not(none)
    }

    /// Whether the machine takes the value for true.
    pub(super) fn truth(&mut self, value: Term) -> Term {
        if let Some(data) = self.as_bytes(value) {
            let holds = spec::num::is_truthy(data);
            return self.truth_value(holds);
        }
        if self.is_condition(value) {
            return value;
        }
        if self.is_number(value) {
            let sum = self.sum_of(value);
            let zero = self.zero(sum);
            return self.not(zero);
        }
        self.intern(Kind::Truth(value))
    }

    pub(super) fn choice(&mut self, condition: Term, a: Term, b: Term) -> Term {
        if a == b {
            return a;
        }
        if let Some(holds) = self.decided(condition) {
            return if holds { a } else { b };
        }
        let opposite = self.not(condition);
        if opposite < condition {
            return self.choice(opposite, b, a);
        }
        let (a, b) = (self.assuming(a, condition, true), self.assuming(b, condition, false));
        if a == b {
            return a;
        }
        if self.is_condition(a) && self.is_condition(b) {
            match (self.decided(a), self.decided(b)) {
                (Some(true), Some(false)) => return condition,
                (Some(false), Some(true)) => return opposite,
                (Some(true), None) => return self.any([condition, b]),
                (Some(false), None) => return self.all([opposite, b]),
                (None, Some(true)) => return self.any([opposite, a]),
                (None, Some(false)) => return self.all([condition, a]),
                _ => {}
            }
        }
        self.intern(Kind::Choice(condition, a, b))
    }

    /// A value where a condition is known to hold or not.
    pub(super) fn assuming(&mut self, value: Term, condition: Term, holds: bool) -> Term {
        let opposite = self.not(condition);
        match self.kind(value).clone() {
            _ if value == condition => self.truth_value(holds),
            _ if value == opposite => self.truth_value(!holds),
            Kind::Choice(of, a, b) if of == condition => {
                if holds {
                    a
                } else {
                    b
                }
            }
            Kind::Choice(of, a, b) if of == opposite => {
                if holds {
                    b
                } else {
                    a
                }
            }
            _ => value,
        }
    }
}
