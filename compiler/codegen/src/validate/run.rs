//! The machine with terms on its stack: what must hold for a script to succeed.

use std::collections::BTreeMap;
use std::rc::Rc;

use spec::Opcode;
use spec::artifact::Part;
use spec::opcode::Availability;
use spec::script::{Instruction, TruncatedPush, instructions};

use super::loops;
use super::term::{Kind, Term, Terms};
use crate::code::Op;
use crate::facts::{self, Row};
use crate::fold;

/// Instructions that are followed for one script, those of rounds and calls counted each time.
const STEPS_MAX: usize = 400_000;
/// Terms that one comparison makes.
const TERMS_MAX: usize = 400_000;
/// Choices inside each other that become conditions of their own.
const CHOICES_MAX: usize = 5;
/// Calls inside each other.
const CALLS_MAX: usize = 50;

/// Why a script cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// It takes too many steps.
    Long,
    /// What an instruction does depends on values that nobody knows here.
    Depends(Opcode),
    /// A loop leaves another stack than it found.
    Loop,
    /// A loop whose rounds nobody knows stands in another.
    Nested,
    /// The branches of a conditional leave stacks of different heights.
    Branches,
    /// It takes more items than there are, or its brackets do not match.
    Broken,
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Long => f.write_str("it takes too many steps to follow"),
            Self::Depends(opcode) => write!(f, "what `{}` does depends on the spender", opcode.name()),
            Self::Loop => f.write_str("a loop leaves another stack than it found"),
            Self::Nested => f.write_str("a loop whose rounds are counted when the script runs stands in another"),
            Self::Branches => f.write_str("two branches leave different stacks"),
            Self::Broken => f.write_str("the script takes more than there is"),
        }
    }
}

/// The stacks.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) stack: Vec<Term>,
    pub(super) alt: Vec<Term>,
    /// How many items lie beneath the known ones, where there may be some.
    pub(super) beneath: Option<Term>,
    /// How many of those have come up.
    pub(super) taken: usize,
}

/// A stretch of instructions with their brackets.
pub(super) struct Listing {
    ops: Vec<Op>,
    /// For `IF` its `ELSE` or `ENDIF`, for `ELSE` its `ENDIF`, for `BEGIN` its `UNTIL`.
    partners: Vec<usize>,
}

impl Listing {
    pub(super) fn new(ops: Vec<Op>) -> Result<Self, Unknown> {
        let mut partners = vec![0; ops.len()];
        let mut open: Vec<usize> = Vec::new();
        for (at, op) in ops.iter().enumerate() {
            let (closes, opens) = match op {
                Op::Code(Opcode::If | Opcode::NotIf | Opcode::Begin) | Op::Begin(_) => (false, true),
                Op::Code(Opcode::Else) => (true, true),
                Op::Code(Opcode::EndIf | Opcode::Until) => (true, false),
                _ => (false, false),
            };
            if closes {
                let start = open.pop().ok_or(Unknown::Broken)?;
                *partners.get_mut(start).ok_or(Unknown::Broken)? = at;
            }
            if opens {
                open.push(at);
            }
        }
        if open.is_empty() { Ok(Self { ops, partners }) } else { Err(Unknown::Broken) }
    }

    /// The instructions of the body of a shared function.
    fn of_bytes(body: &[u8]) -> Result<Self, Unknown> {
        let op =
            |step: Result<Instruction<'_>, TruncatedPush>| step.ok().as_ref().and_then(Op::read).ok_or(Unknown::Broken);
        Self::new(instructions(body).map(op).collect::<Result<_, _>>()?)
    }

    fn partner(&self, at: usize) -> usize {
        self.partners.get(at).copied().unwrap_or(at)
    }

    fn is(&self, at: usize, opcode: Opcode) -> bool {
        self.ops.get(at) == Some(&Op::Code(opcode))
    }
}

/// One script being followed.
pub(super) struct Machine<'t> {
    pub(super) terms: &'t mut Terms,
    /// What must hold.
    pub(super) clauses: Vec<Term>,
    /// What holds where the script is now.
    pub(super) guards: Vec<Term>,
    /// Conditionals of the script whose way is given.
    pub(super) turns: BTreeMap<usize, bool>,
    /// What leads these ways.
    pub(super) ways: Vec<Term>,
    functions: BTreeMap<Vec<u8>, Rc<Listing>>,
    steps: usize,
    calls: usize,
    /// How many loops are being followed whose rounds nobody knows.
    pub(super) loops: usize,
}

impl<'t> Machine<'t> {
    pub(super) fn new(terms: &'t mut Terms) -> Self {
        Self {
            terms,
            clauses: Vec::new(),
            guards: Vec::new(),
            turns: BTreeMap::new(),
            ways: Vec::new(),
            functions: BTreeMap::new(),
            steps: 0,
            calls: 0,
            loops: 0,
        }
    }

    /// Follows a whole script.
    pub(super) fn script(&mut self, ops: Vec<Op>, mut state: State) -> Result<(), Unknown> {
        let listing = Listing::new(ops)?;
        self.range(&listing, 0, listing.ops.len(), &mut state)?;
        let last = self.pop(&mut state)?;
        let truth = self.terms.truth(last);
        self.require(truth);
        if let Some(beneath) = state.beneath {
            let nothing = self.terms.int(0);
            let none = self.terms.equal_numbers(beneath, nothing);
            self.require(none);
        }
        if state.stack.is_empty() { Ok(()) } else { Err(Unknown::Broken) }
    }

    /// Says that the script fails unless a condition holds.
    pub(super) fn require(&mut self, condition: Term) {
        self.require_within(condition, CHOICES_MAX);
    }

    /// The same, where so many choices inside of each other become conditions of their own.
    fn require_within(&mut self, condition: Term, choices: usize) {
        let parts = match *self.terms.kind(condition) {
            Kind::All(ref parts) => parts.clone(),
            // One if it holds, the other if not.
            Kind::Choice(of, a, b) if choices > 0 => {
                let otherwise = self.terms.not(of);
                for (guard, part) in [(of, a), (otherwise, b)] {
                    self.guards.push(guard);
                    self.require_within(part, choices - 1);
                    self.guards.pop();
                }
                return;
            }
            _ => vec![condition],
        };
        for part in parts {
            let mut fails = self.terms.not(part);
            if !self.guards.is_empty() {
                fails = self.terms.all(self.guards.iter().copied().chain([fails]).collect::<Vec<_>>());
            }
            let clause = self.terms.not(fails);
            if self.terms.decided(clause) != Some(true) {
                self.clauses.push(clause);
            }
        }
    }

    fn number(&mut self, value: Term) -> Term {
        self.number_within(value, CHOICES_MAX);
        value
    }

    /// Demands a number; of a value that depends on a condition what either way may be.
    fn number_within(&mut self, value: Term, choices: usize) {
        if self.terms.is_number(value) {
            return;
        }
        if let (Kind::Choice(of, a, b), 1..) = (self.terms.kind(value), choices) {
            let (of, a, b) = (*of, *a, *b);
            self.either_way(of, |machine, first| machine.number_within(if first { a } else { b }, choices - 1));
            return;
        }
        let condition = self.terms.intern(Kind::IsNumber(value));
        self.require(condition);
    }

    /// Does something where a condition holds, and where it does not.
    fn either_way<T>(&mut self, of: Term, mut way: impl FnMut(&mut Self, bool) -> T) -> (T, T) {
        let otherwise = self.terms.not(of);
        let mut go = |guard, first| {
            self.guards.push(guard);
            let done = way(self, first);
            self.guards.pop();
            done
        };
        (go(of, true), go(otherwise, false))
    }

    pub(super) fn range(&mut self, code: &Listing, from: usize, to: usize, state: &mut State) -> Result<(), Unknown> {
        let mut at = from;
        while at < to {
            self.steps += 1;
            if self.steps > STEPS_MAX || self.terms.len() > TERMS_MAX {
                return Err(Unknown::Long);
            }
            let op = code.ops.get(at).ok_or(Unknown::Broken)?;
            at = match op {
                Op::Push(data) => {
                    let value = self.terms.bytes(data.clone());
                    state.stack.push(value);
                    at + 1
                }
                Op::Text(parts) => {
                    let part = |part: &Part| match part {
                        Part::Bytes(bytes) => self.terms.bytes(bytes.clone()),
                        Part::Param(index) => self.terms.intern(Kind::Hole(*index)),
                    };
                    let parts = parts.iter().map(part).collect();
                    state.stack.push(self.terms.join(parts));
                    at + 1
                }
                Op::Hole(index) => {
                    let value = self.terms.intern(Kind::Hole(*index));
                    state.stack.push(value);
                    at + 1
                }
                Op::Code(Opcode::If | Opcode::NotIf) => self.conditional(code, at, state)?,
                Op::Begin(_) | Op::Code(Opcode::Begin) => {
                    let until = code.partner(at);
                    self.repeated(code, at + 1, until, state)?;
                    until + 1
                }
                Op::Code(opcode) => {
                    self.opcode(*opcode, state)?;
                    at + 1
                }
            };
        }
        Ok(())
    }

    /// Both branches, and what they leave; the instruction behind them.
    fn conditional(&mut self, code: &Listing, at: usize, state: &mut State) -> Result<usize, Unknown> {
        let first = code.partner(at);
        let (then, otherwise) = match code.is(first, Opcode::Else) {
            true => ((at + 1, first), (first + 1, code.partner(first))),
            false => ((at + 1, first), (first, first)),
        };
        let end = otherwise.1;
        let value = self.pop(state)?;
        let mut condition = self.terms.truth(value);
        if code.is(at, Opcode::NotIf) {
            condition = self.terms.not(condition);
        }
        for guard in self.guards.clone() {
            condition = self.terms.assuming(condition, guard, true);
        }
        let given = self.turns.get(&at).copied().filter(|_| self.calls == 0);
        if let Some(first) = given {
            self.follow(condition, first);
        }
        if let Some(holds) = given.or(self.terms.decided(condition)) {
            let (from, to) = if holds { then } else { otherwise };
            self.range(code, from, to, state)?;
            return Ok(end + 1);
        }
        let mut other = state.clone();
        self.branch(code, then, condition, true, state)?;
        self.branch(code, otherwise, condition, false, &mut other)?;
        if state.stack.len() != other.stack.len() || state.alt.len() != other.alt.len() || state.taken != other.taken {
            return Err(Unknown::Branches);
        }
        for (mine, theirs) in state.stack.iter_mut().zip(other.stack).chain(state.alt.iter_mut().zip(other.alt)) {
            *mine = self.terms.choice(condition, *mine, theirs);
        }
        Ok(end + 1)
    }

    /// Notes what leads the way that is given.
    fn follow(&mut self, condition: Term, first: bool) {
        let way = if first { condition } else { self.terms.not(condition) };
        match self.terms.kind(way) {
            Kind::All(parts) => self.ways.extend(parts.iter().copied()),
            _ => self.ways.push(way),
        }
    }

    fn branch(
        &mut self,
        code: &Listing,
        (from, to): (usize, usize),
        condition: Term,
        holds: bool,
        state: &mut State,
    ) -> Result<(), Unknown> {
        let guard = if holds { condition } else { self.terms.not(condition) };
        for value in &mut state.stack {
            *value = self.terms.assuming(*value, condition, holds);
        }
        self.guards.push(guard);
        let done = self.range(code, from, to, state);
        self.guards.pop();
        done
    }

    /// A loop: round by round as long as each says whether it is the last, and else for all rounds at once.
    fn repeated(&mut self, code: &Listing, from: usize, until: usize, state: &mut State) -> Result<(), Unknown> {
        let (entry, clauses) = (state.clone(), self.clauses.len());
        loop {
            self.range(code, from, until, state)?;
            let value = self.pop(state)?;
            let ends = self.terms.truth(value);
            match self.terms.decided(ends) {
                Some(true) => return Ok(()),
                Some(false) => {}
                None => break,
            }
        }
        self.clauses.truncate(clauses);
        *state = entry;
        loops::all_rounds(self, state, |machine, state| {
            machine.range(code, from, until, state)?;
            machine.pop(state)
        })
    }

    /// Takes an item, from beneath if no other is left.
    pub(super) fn pop(&mut self, state: &mut State) -> Result<Term, Unknown> {
        self.reach(state, 1)?;
        state.stack.pop().ok_or(Unknown::Broken)
    }

    /// Lets so many items be known.
    fn reach(&mut self, state: &mut State, count: usize) -> Result<(), Unknown> {
        while state.stack.len() < count {
            let beneath = state.beneath.ok_or(Unknown::Broken)?;
            let one = self.terms.int(1);
            state.beneath = Some(self.terms.add(beneath, one, -1));
            let field = self.terms.intern(Kind::Field(state.taken));
            state.taken += 1;
            state.stack.insert(0, field);
        }
        Ok(())
    }

    fn two(&mut self, state: &mut State) -> Result<(Term, Term), Unknown> {
        let b = self.pop(state)?;
        Ok((self.pop(state)?, b))
    }

    /// The index of an item from the top.
    fn place(&mut self, state: &mut State, opcode: Opcode) -> Result<usize, Unknown> {
        let value = self.pop(state)?;
        let depth = self.terms.as_index(value).ok_or(Unknown::Depends(opcode))?;
        self.reach(state, depth.checked_add(1).filter(|count| *count <= 1_000).ok_or(Unknown::Broken)?)?;
        state.stack.len().checked_sub(depth + 1).ok_or(Unknown::Broken)
    }

    /// Copies items: the one at each depth counted before.
    fn copy(&mut self, state: &mut State, depths: &[usize]) -> Result<(), Unknown> {
        self.reach(state, depths.iter().max().map_or(0, |deepest| deepest + 1))?;
        let len = state.stack.len();
        let copied: Option<Vec<Term>> =
            depths.iter().map(|depth| state.stack.get(len.checked_sub(depth + 1)?).copied()).collect();
        state.stack.extend(copied.ok_or(Unknown::Broken)?);
        Ok(())
    }

    /// Rotates the top items so that the lowest ones come up.
    fn turn(&mut self, state: &mut State, count: usize, by: usize) -> Result<(), Unknown> {
        self.reach(state, count)?;
        let start = state.stack.len().checked_sub(count).ok_or(Unknown::Broken)?;
        state.stack.get_mut(start..).ok_or(Unknown::Broken)?.rotate_left(by);
        Ok(())
    }

    fn opcode(&mut self, opcode: Opcode, state: &mut State) -> Result<(), Unknown> {
        if let Some(n) = pushed(opcode) {
            let value = self.terms.int(n);
            state.stack.push(value);
            return Ok(());
        }
        match opcode {
            Opcode::Dup => self.copy(state, &[0]),
            Opcode::Over => self.copy(state, &[1]),
            Opcode::Dup2 => self.copy(state, &[1, 0]),
            Opcode::Dup3 => self.copy(state, &[2, 1, 0]),
            Opcode::Over2 => self.copy(state, &[3, 2]),
            Opcode::Swap => self.turn(state, 2, 1),
            Opcode::Rot => self.turn(state, 3, 1),
            Opcode::Swap2 => self.turn(state, 4, 2),
            Opcode::Rot2 => self.turn(state, 6, 2),
            Opcode::Tuck => {
                self.turn(state, 2, 1)?;
                self.copy(state, &[1])
            }
            Opcode::Drop => self.pop(state).map(drop),
            Opcode::Drop2 => self.two(state).map(drop),
            Opcode::Nip => {
                let (_, b) = self.two(state)?;
                state.stack.push(b);
                Ok(())
            }
            Opcode::Pick | Opcode::Roll => {
                let at = self.place(state, opcode)?;
                let value = if opcode == Opcode::Roll { state.stack.remove(at) } else { *at_of(state, at)? };
                state.stack.push(value);
                Ok(())
            }
            Opcode::IfDup => {
                self.reach(state, 1)?;
                let top = *state.stack.last().ok_or(Unknown::Broken)?;
                let truth = self.terms.truth(top);
                if self.terms.decided(truth).ok_or(Unknown::Depends(opcode))? {
                    state.stack.push(top);
                }
                Ok(())
            }
            Opcode::Depth => {
                let known = i64::try_from(state.stack.len()).map_err(|_| Unknown::Broken)?;
                let mut depth = self.terms.int(known);
                if let Some(beneath) = state.beneath {
                    depth = self.terms.add(beneath, depth, 1);
                }
                state.stack.push(depth);
                Ok(())
            }
            Opcode::ToAltStack => {
                let value = self.pop(state)?;
                state.alt.push(value);
                Ok(())
            }
            Opcode::FromAltStack => {
                let value = state.alt.pop().ok_or(Unknown::Broken)?;
                state.stack.push(value);
                Ok(())
            }
            Opcode::Define => {
                let (body, id) = self.two(state)?;
                let (body, id) = (self.terms.as_bytes(body), self.terms.as_bytes(id));
                let (body, id) = body.zip(id).ok_or(Unknown::Depends(opcode))?;
                let (id, listing) = (id.to_vec(), Listing::of_bytes(body)?);
                self.functions.insert(id, Rc::new(listing));
                Ok(())
            }
            Opcode::Invoke => self.invoke(state),
            _ => self.checked(opcode, state),
        }
    }

    fn invoke(&mut self, state: &mut State) -> Result<(), Unknown> {
        let id = self.pop(state)?;
        let id = self.terms.as_bytes(id).ok_or(Unknown::Depends(Opcode::Invoke))?;
        let listing = Rc::clone(self.functions.get(id).ok_or(Unknown::Broken)?);
        if self.calls == CALLS_MAX {
            return Err(Unknown::Long);
        }
        self.calls += 1;
        let done = self.range(&listing, 0, listing.ops.len(), state);
        self.calls -= 1;
        done
    }

    /// Opcodes that look at values, and those that fail for some.
    fn checked(&mut self, opcode: Opcode, state: &mut State) -> Result<(), Unknown> {
        match opcode {
            Opcode::Verify => {
                let value = self.pop(state)?;
                let truth = self.terms.truth(value);
                self.require(truth);
            }
            Opcode::EqualVerify => self.verify(Opcode::Equal, state)?,
            Opcode::NumEqualVerify => self.verify(Opcode::NumEqual, state)?,
            Opcode::CheckSigVerify => self.verify(Opcode::CheckSig, state)?,
            Opcode::CheckMultiSigVerify => self.verify(Opcode::CheckMultiSig, state)?,
            Opcode::CheckDataSigVerify => self.verify(Opcode::CheckDataSig, state)?,
            Opcode::Return => {
                let never = self.terms.truth_value(false);
                self.require(never);
            }
            Opcode::CheckLockTimeVerify | Opcode::CheckSequenceVerify => {
                let value = self.pop(state)?;
                let works = self.terms.intern(Kind::Works(opcode, vec![value]));
                self.require(works);
                state.stack.push(value);
            }
            _ if opcode == Opcode::Nop || opcode.row().availability == Availability::Nop => {}
            Opcode::Split => {
                let (of, at) = self.two(state)?;
                let (head, tail) = self.split(of, at);
                state.stack.extend([head, tail]);
            }
            Opcode::Size => {
                let of = self.pop(state)?;
                let len = self.terms.length(of);
                state.stack.extend([of, len]);
            }
            Opcode::CheckMultiSig => {
                let args = self.multisig_args(state)?;
                let value = self.opaque(opcode, args);
                state.stack.push(value);
            }
            Opcode::CodeSeparator | Opcode::Reserved => return Err(Unknown::Depends(opcode)),
            _ => {
                let (takes, leaves) = opcode.arity().ok_or(Unknown::Depends(opcode))?;
                self.reach(state, takes)?;
                let start = state.stack.len().checked_sub(takes).ok_or(Unknown::Broken)?;
                let args = state.stack.split_off(start);
                let value = self.value(opcode, &args);
                if leaves != 1 {
                    return Err(Unknown::Depends(opcode));
                }
                state.stack.push(value);
            }
        }
        Ok(())
    }

    fn verify(&mut self, opcode: Opcode, state: &mut State) -> Result<(), Unknown> {
        self.checked(opcode, state)?;
        self.checked(Opcode::Verify, state)
    }

    fn multisig_args(&mut self, state: &mut State) -> Result<Vec<Term>, Unknown> {
        let mut args = Vec::new();
        for _ in 0..2 {
            let count = self.pop(state)?;
            let items =
                self.terms.as_index(count).filter(|n| *n <= 20).ok_or(Unknown::Depends(Opcode::CheckMultiSig))?;
            args.push(count);
            for _ in 0..items {
                args.push(self.pop(state)?);
            }
        }
        args.push(self.pop(state)?);
        Ok(args)
    }

    fn split(&mut self, of: Term, at: Term) -> (Term, Term) {
        self.number(at);
        let (zero, len) = (self.terms.int(0), self.terms.length(of));
        let (least, most) = (self.terms.at_least(at, zero), self.terms.at_least(len, at));
        self.require(least);
        self.require(most);
        (self.terms.slice(of, zero, Some(at)), self.terms.slice(of, at, None))
    }

    /// What an opcode makes of these, if it does not fail.
    fn opaque(&mut self, opcode: Opcode, args: Vec<Term>) -> Term {
        let works = self.terms.intern(Kind::Works(opcode, args.clone()));
        self.require(works);
        self.terms.intern(Kind::Op(opcode, args))
    }

    fn value(&mut self, opcode: Opcode, args: &[Term]) -> Term {
        match *args {
            [] => self.terms.intern(Kind::Op(opcode, Vec::new())),
            [a] => self.unary(opcode, a),
            [a, b] => self.binary(opcode, a, b),
            [x, low, high] if opcode == Opcode::Within => {
                for value in [x, low, high] {
                    self.number(value);
                }
                let (least, most) = (self.terms.at_least(x, low), self.terms.above(high, x));
                self.terms.all([least, most])
            }
            _ => self.opaque(opcode, args.to_vec()),
        }
    }

    fn unary(&mut self, opcode: Opcode, a: Term) -> Term {
        let folded = self.terms.as_bytes(a).and_then(|data| fold::fold_unary(opcode, data));
        if let Some(data) = folded {
            return self.terms.bytes(data);
        }
        let zero = self.terms.int(0);
        let one = self.terms.int(1);
        match opcode {
            Opcode::Add1 => {
                self.number(a);
                self.terms.add(a, one, 1)
            }
            Opcode::Sub1 => {
                self.number(a);
                self.terms.add(a, one, -1)
            }
            Opcode::Negate => {
                self.number(a);
                self.terms.add(zero, a, -1)
            }
            Opcode::Mul2 => {
                self.number(a);
                self.terms.add(a, a, 1)
            }
            Opcode::Div2 => {
                self.number(a);
                let two = self.terms.int(2);
                self.terms.divide(a, two)
            }
            Opcode::Abs => {
                self.number(a);
                self.terms.intern(Kind::Op(opcode, vec![a]))
            }
            Opcode::Not => {
                self.number(a);
                self.terms.equal_numbers(a, zero)
            }
            Opcode::NotEqual0 => {
                self.number(a);
                let equal = self.terms.equal_numbers(a, zero);
                self.terms.not(equal)
            }
            Opcode::Bin2Num if self.terms.is_number(a) => a,
            Opcode::Bin2Num => match self.terms.kind(a).clone() {
                Kind::Op(Opcode::Num2Bin, inner) if inner.first().is_some_and(|n| self.terms.is_number(*n)) => {
                    *inner.first().expect("it has a first")
                }
                _ => self.terms.intern(Kind::Op(opcode, vec![a])),
            },
            Opcode::ReverseBytes | Opcode::Invert => match self.terms.kind(a).clone() {
                Kind::Op(inner, args) if inner == opcode => *args.first().expect("it has a first"),
                _ => self.terms.intern(Kind::Op(opcode, vec![a])),
            },
            Opcode::Sha256 | Opcode::Sha1 | Opcode::Ripemd160 | Opcode::Hash160 | Opcode::Hash256 => {
                self.terms.intern(Kind::Op(opcode, vec![a]))
            }
            _ => match facts::row_of(opcode) {
                Some(row) => self.introspected(opcode, a, row),
                None => self.opaque(opcode, vec![a]),
            },
        }
    }

    /// What the transaction has at a place, which must exist.
    fn introspected(&mut self, opcode: Opcode, index: Term, row: Row) -> Term {
        self.introspected_within(opcode, index, row, CHOICES_MAX)
    }

    fn introspected_within(&mut self, opcode: Opcode, index: Term, row: Row, choices: usize) -> Term {
        if let (Kind::Choice(of, a, b), 1..) = (self.terms.kind(index), choices) {
            let (of, a, b) = (*of, *a, *b);
            let look = |machine: &mut Self, first| {
                machine.introspected_within(opcode, if first { a } else { b }, row, choices - 1)
            };
            let (a, b) = self.either_way(of, look);
            return self.terms.choice(of, a, b);
        }
        if self.terms.is_condition(index) && self.terms.decided(index).is_none() && choices > 0 {
            // A choice between 1 and 0 is its condition.
            let look = |machine: &mut Self, first| {
                let index = machine.terms.int(i64::from(first));
                machine.introspected_within(opcode, index, row, choices - 1)
            };
            let (a, b) = self.either_way(index, look);
            return self.terms.choice(index, a, b);
        }
        self.number(index);
        let own = self.terms.intern(Kind::Op(Opcode::InputIndex, Vec::new()));
        if index != own || row != Row::Inputs {
            let (zero, count) = (self.terms.int(0), self.terms.intern(Kind::Op(row.count(), Vec::new())));
            let (least, most) = (self.terms.at_least(index, zero), self.terms.above(count, index));
            self.require(least);
            self.require(most);
        }
        self.terms.intern(Kind::Op(opcode, vec![index]))
    }

    fn binary(&mut self, opcode: Opcode, a: Term, b: Term) -> Term {
        let folded =
            self.terms.as_bytes(a).zip(self.terms.as_bytes(b)).and_then(|(a, b)| fold::fold_binary(opcode, a, b));
        if let Some(data) = folded {
            return self.terms.bytes(data);
        }
        match opcode {
            Opcode::Cat => return self.terms.join(vec![a, b]),
            Opcode::Equal => return self.same_within(a, b, CHOICES_MAX),
            Opcode::And | Opcode::Or | Opcode::Xor => {
                let (left, right) = (self.terms.length(a), self.terms.length(b));
                let alike = self.terms.equal_numbers(left, right);
                self.require(alike);
                return self.terms.intern(Kind::Op(opcode, vec![a.min(b), a.max(b)]));
            }
            Opcode::Num2Bin => {
                self.number(b);
                return self.opaque(opcode, vec![a, b]);
            }
            Opcode::LShiftBin
            | Opcode::RShiftBin
            | Opcode::LShiftNum
            | Opcode::RShiftNum
            | Opcode::Left
            | Opcode::Right
            | Opcode::CheckSig => return self.opaque(opcode, vec![a, b]),
            _ => {}
        }
        self.number(a);
        self.number(b);
        self.arithmetic(opcode, a, b)
    }

    /// Whether bytes are the same; if one depends on a condition, either way.
    fn same_within(&mut self, a: Term, b: Term, choices: usize) -> Term {
        let is_number = self.terms.is_number(a) && self.terms.is_number(b);
        let depends = |of: Term, other: Term| match self.terms.kind(of) {
            Kind::Choice(of, x, y) => Some((*of, *x, *y, other)),
            _ => None,
        };
        let Some((of, x, y, other)) = depends(a, b).or_else(|| depends(b, a)).filter(|_| choices > 0 && !is_number)
        else {
            return self.terms.same(a, b);
        };
        let (x, y) = (self.same_within(x, other, choices - 1), self.same_within(y, other, choices - 1));
        self.terms.choice(of, x, y)
    }

    fn arithmetic(&mut self, opcode: Opcode, a: Term, b: Term) -> Term {
        match opcode {
            Opcode::Add => self.terms.add(a, b, 1),
            Opcode::Sub => self.terms.add(a, b, -1),
            Opcode::Mul => self.terms.multiply(a, b),
            Opcode::Div | Opcode::Mod => {
                let zero = self.terms.int(0);
                let by_zero = self.terms.equal_numbers(b, zero);
                let works = self.terms.not(by_zero);
                self.require(works);
                if opcode == Opcode::Div {
                    self.terms.divide(a, b)
                } else {
                    self.terms.intern(Kind::Op(opcode, vec![a, b]))
                }
            }
            Opcode::Min | Opcode::Max => self.terms.intern(Kind::Op(opcode, vec![a.min(b), a.max(b)])),
            Opcode::BoolAnd | Opcode::BoolOr => {
                let (a, b) = (self.terms.truth(a), self.terms.truth(b));
                if opcode == Opcode::BoolAnd { self.terms.all([a, b]) } else { self.terms.any([a, b]) }
            }
            Opcode::NumEqual => self.terms.equal_numbers(a, b),
            Opcode::NumNotEqual => {
                let equal = self.terms.equal_numbers(a, b);
                self.terms.not(equal)
            }
            Opcode::LessThan => self.terms.above(b, a),
            Opcode::GreaterThan => self.terms.above(a, b),
            Opcode::LessThanOrEqual => self.terms.at_least(b, a),
            Opcode::GreaterThanOrEqual => self.terms.at_least(a, b),
            _ => self.opaque(opcode, vec![a, b]),
        }
    }
}

/// The number that an opcode pushes.
fn pushed(opcode: Opcode) -> Option<i64> {
    match opcode.to_byte() {
        0x00 => Some(0),
        0x4f => Some(-1),
        byte @ 0x51..=0x60 => Some(i64::from(byte) - 0x50),
        _ => None,
    }
}

fn at_of(state: &State, at: usize) -> Result<&Term, Unknown> {
    state.stack.get(at).ok_or(Unknown::Broken)
}
