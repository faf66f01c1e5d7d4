//! Follows a script with symbols: one state for each way through it that does not come together with another.

use std::collections::BTreeMap;
use std::rc::Rc;

use spec::{Opcode, RuleSet};

use crate::ends::{is_nop, loop_reach};
use crate::graph::{Branch, Effect, Graph, Id, Op};
use crate::structure::{Close, Structure};

/// So many ways through a script are told apart.
const WAYS_MAX: usize = 64;
/// Conditionals and calls nest at most so deep.
const DEPTH_MAX: usize = 48;
/// For each instruction of the script, so many are followed over all ways.
const STEPS_PER_INSTRUCTION: usize = 64;
/// And so many at least.
const STEPS_MIN: usize = 20_000;
const TOO_MANY: &str = "there are too many ways through the script";
/// The most items that an instruction reaches down.
const REACH_MAX: usize = 1_000;

/// How a way ends before the script does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The script fails, whatever is pushed.
    Fails,
    /// What comes next cannot be expressed.
    Stops {
        /// The byte of the script, or of the function, where it stops.
        at: usize,
        why: &'static str,
        /// The instructions from there on.
        rest: Vec<u8>,
    },
}

/// Where a way is.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) stack: Vec<Id>,
    alt: Vec<Id>,
    /// How many items of what was pushed have been reached.
    pub(crate) taken: usize,
    pub(crate) effects: Vec<Effect>,
    functions: BTreeMap<Vec<u8>, Rc<Structure>>,
    /// What this way has decided about conditions.
    decided: BTreeMap<Id, bool>,
    pub(crate) end: Option<End>,
}

/// Follows scripts.
#[derive(Default)]
pub(crate) struct Exec {
    pub(crate) graph: Graph,
    steps: usize,
    ways: usize,
    in_function: usize,
}

impl Exec {
    /// All ways through a script.
    pub(crate) fn ways(&mut self, script: &Structure) -> Vec<State> {
        self.steps = script.instrs.len().saturating_mul(STEPS_PER_INSTRUCTION).max(STEPS_MIN);
        self.ways = WAYS_MAX - 1;
        let start = State::default();
        if let Some((at, why)) = script.broken {
            return vec![stopped(start, script, at, why)];
        }
        let mut states = self.run(script, 0..script.instrs.len(), start, 0);
        for state in states.iter_mut().filter(|state| state.end.is_none()) {
            self.last(state);
        }
        states
    }

    /// A script succeeds if it leaves one item, a true one.
    fn last(&mut self, state: &mut State) {
        if state.stack.is_empty() {
            self.reach(state, 1);
        }
        match state.stack.as_slice() {
            [only] => state.effects.push(Effect::Require(*only, true)),
            _ => state.end = Some(End::Fails),
        }
        // Now it is known how many items the way takes, and so what it has asked about that.
        let mut possible = true;
        state.effects.retain(|effect| match effect {
            Effect::Require(id, truth) if self.graph.counts(*id) => match self.graph.count(*id, state.taken) {
                Some(n) => {
                    possible &= (n != 0) == *truth;
                    false
                }
                None => true,
            },
            Effect::Compute(id) => !self.graph.counts(*id) || self.graph.count(*id, state.taken).is_none(),
            _ => true,
        });
        if !possible {
            state.end = Some(End::Fails);
        }
    }

    /// Lets the stack hold at least `count` items.
    fn reach(&mut self, state: &mut State, count: usize) {
        while state.stack.len() < count {
            let arg = self.graph.add(Op::Arg(state.taken), Vec::new());
            state.taken += 1;
            state.stack.insert(0, arg);
        }
    }

    fn pop(&mut self, state: &mut State) -> Id {
        self.reach(state, 1);
        // There is one.
        state.stack.pop().unwrap_or_default()
    }

    fn pops(&mut self, state: &mut State, count: usize) -> Vec<Id> {
        self.reach(state, count);
        state.stack.split_off(state.stack.len().saturating_sub(count))
    }

    fn run(&mut self, of: &Structure, range: std::ops::Range<usize>, state: State, depth: usize) -> Vec<State> {
        let mut states = vec![state];
        let mut at = range.start;
        while at < range.end {
            let Some(instr) = of.instrs.get(at) else { break };
            let (live, mut done): (Vec<State>, Vec<State>) = states.into_iter().partition(|state| state.end.is_none());
            if live.is_empty() {
                return done;
            }
            let close = of.closes.get(at).copied().flatten();
            for state in live {
                if self.steps == 0 {
                    done.push(stopped(state, of, instr.at, TOO_MANY));
                    continue;
                }
                self.steps -= 1;
                done.extend(match close {
                    Some(close) => self.construct(of, at, close, state, depth),
                    None => self.step(of, at, state, depth),
                });
            }
            states = done;
            at = close.map_or(at, |close| close.end) + 1;
        }
        states
    }

    /// A conditional or a loop.
    fn construct(&mut self, of: &Structure, at: usize, close: Close, mut state: State, depth: usize) -> Vec<State> {
        let place = of.instrs.get(at).map_or(0, |instr| instr.at);
        if depth >= DEPTH_MAX {
            return vec![stopped(state, of, place, "conditionals nest too deep")];
        }
        match of.instrs.get(at).and_then(|instr| instr.opcode) {
            Some(Opcode::Begin) => match loop_reach(of, at, close.end).filter(|reach| *reach <= REACH_MAX) {
                Some(reach) => {
                    // It is written whole.
                    self.steps = self.steps.saturating_sub(close.end - at);
                    let items = self.pops(&mut state, reach);
                    let whole = self.graph.add(Op::Loop(of.bytes(at..close.end + 1)), items);
                    state.effects.push(Effect::Compute(whole));
                    let results = (0..reach).map(|place| self.graph.add(Op::Result(place), vec![whole]));
                    let results: Vec<Id> = results.collect();
                    state.stack.extend(results);
                    vec![state]
                }
                None => vec![stopped(state, of, place, "a loop that leaves more or fewer items than it finds")],
            },
            Some(opcode) => {
                let condition = self.pop(&mut state);
                let first = opcode == Opcode::If;
                let yes = at + 1..close.middle.unwrap_or(close.end);
                let no = close.middle.map_or(close.end..close.end, |middle| middle + 1..close.end);
                let branches = if first { [yes, no] } else { [no, yes] };
                self.conditional(of, (place, condition), branches, state, depth)
            }
            None => vec![state],
        }
    }

    fn conditional(
        &mut self,
        of: &Structure,
        (place, condition): (usize, Id),
        [then, otherwise]: [std::ops::Range<usize>; 2],
        mut state: State,
        depth: usize,
    ) -> Vec<State> {
        let known = self.graph.constant(condition).map(is_true);
        if let Some(truth) = known.or_else(|| state.decided.get(&condition).copied()) {
            return self.run(of, if truth { then } else { otherwise }, state, depth + 1);
        }
        let before = std::mem::take(&mut state.effects);
        let branch = |exec: &mut Self, truth: bool, range| {
            let mut state = state.clone();
            state.decided.insert(condition, truth);
            exec.run(of, range, state, depth + 1)
        };
        let (then, otherwise) = (branch(self, true, then), branch(self, false, otherwise));
        // Who pushes another number of items takes another way.
        if let ([a], [b]) = (then.as_slice(), otherwise.as_slice())
            && !self.graph.counts(condition)
            && let Some(mut joined) = self.join(condition, a.clone(), b.clone())
        {
            joined.effects.splice(0..0, before);
            joined.decided = state.decided;
            return vec![joined];
        }
        if !self.fork() {
            state.effects = before;
            return vec![stopped(state, of, place, TOO_MANY)];
        }
        let way = |truth: bool| {
            let before = &before;
            move |mut state: State| {
                let all = before.iter().cloned().chain([Effect::Require(condition, truth)]).chain(state.effects);
                state.effects = all.collect();
                state
            }
        };
        then.into_iter().map(way(true)).chain(otherwise.into_iter().map(way(false))).collect()
    }

    /// Takes one way more, if there may be one.
    const fn fork(&mut self) -> bool {
        let may = self.ways > 0;
        self.ways = self.ways.saturating_sub(1);
        may
    }

    /// One state for two branches that leave as many items; nothing if they do not.
    fn join(&mut self, condition: Id, mut a: State, mut b: State) -> Option<State> {
        if a.end.is_some() || b.end.is_some() || a.alt.len() != b.alt.len() || a.functions.len() != b.functions.len() {
            return None;
        }
        let taken = a.taken.max(b.taken);
        for state in [&mut a, &mut b] {
            let missing = taken - state.taken;
            let count = state.stack.len() + missing;
            self.reach(state, count);
        }
        if a.stack.len() != b.stack.len() {
            return None;
        }
        let mut branch = Branch { condition, ..Branch::default() };
        let mut merge = |graph: &mut Graph, one: &mut Vec<Id>, other: &[Id]| {
            for (item, other) in one.iter_mut().zip(other) {
                // An argument that only one branch has reached before is another node, and the same.
                if item != other && graph.get(*item) != graph.get(*other) {
                    let choice = graph.add(Op::Choice, vec![condition, *item, *other]);
                    branch.choices.push(choice);
                    branch.then_values.push(*item);
                    branch.other_values.push(*other);
                    *item = choice;
                }
            }
        };
        merge(&mut self.graph, &mut a.stack, &b.stack);
        merge(&mut self.graph, &mut a.alt, &b.alt);
        branch.then = std::mem::take(&mut a.effects);
        branch.otherwise = b.effects;
        let idle = branch.then.is_empty() && branch.otherwise.is_empty() && branch.choices.is_empty();
        if !idle {
            a.effects.push(Effect::Branch(Box::new(branch)));
        }
        Some(a)
    }

    fn step(&mut self, of: &Structure, at: usize, mut state: State, depth: usize) -> Vec<State> {
        let Some(instr) = of.instrs.get(at) else { return vec![state] };
        if let Some(data) = &instr.push {
            let id = self.graph.add(Op::Const(data.clone()), Vec::new());
            state.stack.push(id);
            return vec![state];
        }
        let Some(opcode) = instr.opcode else {
            return vec![stopped(state, of, instr.at, "a byte that is no instruction")];
        };
        match opcode {
            Opcode::Return => {
                state.end = Some(End::Fails);
                vec![state]
            }
            Opcode::IfDup => {
                self.reach(&mut state, 1);
                let top = state.stack.last().copied().unwrap_or_default();
                let known = self.graph.constant(top).map(is_true).or_else(|| state.decided.get(&top).copied());
                if let Some(truth) = known {
                    state.stack.extend(truth.then_some(top));
                    return vec![state];
                }
                if !self.fork() {
                    return vec![stopped(state, of, instr.at, TOO_MANY)];
                }
                let mut twice = state.clone();
                for (state, truth) in [(&mut twice, true), (&mut state, false)] {
                    state.effects.push(Effect::Require(top, truth));
                    state.decided.insert(top, truth);
                }
                twice.stack.push(top);
                vec![twice, state]
            }
            Opcode::Invoke => self.invoke(of, at, state, depth),
            _ => match self.plain(opcode, &mut state) {
                Ok(()) => vec![state],
                Err(why) => vec![stopped(state, of, instr.at, why)],
            },
        }
    }

    fn invoke(&mut self, of: &Structure, at: usize, mut state: State, depth: usize) -> Vec<State> {
        let place = of.instrs.get(at).map_or(0, |instr| instr.at);
        let id = self.pop(&mut state);
        let body = self.graph.constant(id).and_then(|id| state.functions.get(id)).cloned();
        let Some(body) = body else {
            state.stack.push(id);
            return vec![stopped(state, of, place, "which function is called depends on an item")];
        };
        if depth >= DEPTH_MAX {
            return vec![stopped(state, of, place, "calls nest too deep")];
        }
        self.in_function += 1;
        let states = match body.broken {
            Some((at, why)) => vec![stopped(state, &body, at, why)],
            None => self.run(&body, 0..body.instrs.len(), state, depth + 1),
        };
        self.in_function -= 1;
        states
    }

    /// An instruction that leaves one state.
    fn plain(&mut self, opcode: Opcode, state: &mut State) -> Result<(), &'static str> {
        if self.in_function > 0 && signs(opcode) {
            return Err("in a function, signatures cover its body alone");
        }
        if !opcode.works_under(RuleSet::Bitmodel) || is_nop(opcode) {
            return Err("an instruction that has no meaning yet");
        }
        if self.shuffle(opcode, state)? || self.verify(opcode, state)? {
            return Ok(());
        }
        match opcode {
            Opcode::CodeSeparator => Err("signatures cover only the code behind it"),
            Opcode::Depth => {
                let more = state.stack.len().checked_signed_diff(state.taken).ok_or("an impossible depth")?;
                let depth = self.graph.add(Op::Depth(more), Vec::new());
                state.stack.push(depth);
                Ok(())
            }
            Opcode::Define => self.define(state),
            Opcode::CheckMultiSig => {
                let result = self.multisig(state)?;
                state.stack.push(result);
                Ok(())
            }
            Opcode::CheckLockTimeVerify | Opcode::CheckSequenceVerify => {
                self.reach(state, 1);
                let top = state.stack.last().copied().unwrap_or_default();
                state.effects.push(Effect::Time(opcode, top));
                Ok(())
            }
            Opcode::Split => {
                let args = self.pops(state, 2);
                let parts = [Op::Head, Op::Tail].map(|op| self.graph.add(op, args.clone()));
                state.effects.extend(parts.first().map(|head| Effect::Compute(*head)));
                state.stack.extend(parts);
                Ok(())
            }
            Opcode::Size => {
                self.reach(state, 1);
                let top = state.stack.last().copied().unwrap_or_default();
                let size = self.node(Op::Code(opcode), vec![top], state);
                state.stack.push(size);
                Ok(())
            }
            _ => {
                let (takes, _) = opcode.arity().filter(|(_, leaves)| *leaves == 1).ok_or("an unknown instruction")?;
                let args = self.pops(state, takes);
                let result = self.node(Op::Code(opcode), args, state);
                state.stack.push(result);
                Ok(())
            }
        }
    }

    fn node(&mut self, op: Op, args: Vec<Id>, state: &mut State) -> Id {
        let id = self.graph.add(op, args);
        if self.graph.may_fail(id) {
            state.effects.push(Effect::Compute(id));
        }
        id
    }

    /// Instructions that check what another one computes.
    fn verify(&mut self, opcode: Opcode, state: &mut State) -> Result<bool, &'static str> {
        let checked = match opcode {
            Opcode::Verify => self.pop(state),
            Opcode::CheckMultiSigVerify => self.multisig(state)?,
            Opcode::EqualVerify => self.compared(Opcode::Equal, 2, state),
            Opcode::NumEqualVerify => self.compared(Opcode::NumEqual, 2, state),
            Opcode::CheckSigVerify => self.compared(Opcode::CheckSig, 2, state),
            Opcode::CheckDataSigVerify => self.compared(Opcode::CheckDataSig, 3, state),
            _ => return Ok(false),
        };
        state.effects.push(Effect::Require(checked, true));
        Ok(true)
    }

    fn compared(&mut self, opcode: Opcode, count: usize, state: &mut State) -> Id {
        let args = self.pops(state, count);
        self.node(Op::Code(opcode), args, state)
    }

    fn define(&mut self, state: &mut State) -> Result<(), &'static str> {
        let args = self.pops(state, 2);
        let constant = |place: usize| args.get(place).and_then(|arg| self.graph.constant(*arg)).map(<[u8]>::to_vec);
        let (Some(body), Some(id)) = (constant(0), constant(1)) else {
            state.stack.extend(args);
            return Err("a function that is no constant");
        };
        if state.functions.insert(id, Rc::new(Structure::of(&body))).is_some() {
            state.end = Some(End::Fails);
        }
        Ok(())
    }

    /// The operands as they lie on the stack: a bit field or a dummy, signatures, their number, keys, their number.
    fn multisig(&mut self, state: &mut State) -> Result<Id, &'static str> {
        const WHY: &str = "how many keys or signatures there are depends on an item";
        let before = state.stack.clone();
        let mut all = Vec::new();
        for _ in 0..2 {
            let number = self.pop(state);
            let count = self.graph.number(number).and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= 20);
            let Some(count) = count else {
                state.stack = before;
                return Err(WHY);
            };
            let items = self.pops(state, count);
            all.splice(0..0, items.into_iter().chain([number]));
        }
        let dummy = self.pop(state);
        all.insert(0, dummy);
        Ok(self.node(Op::Code(Opcode::CheckMultiSig), all, state))
    }

    /// Instructions that move and copy items.
    fn shuffle(&mut self, opcode: Opcode, state: &mut State) -> Result<bool, &'static str> {
        // For each, how many items it takes, and which of these it leaves, counted from the lowest.
        let moves: (usize, &[usize]) = match opcode {
            Opcode::Nop => (0, &[]),
            Opcode::Drop => (1, &[]),
            Opcode::Drop2 => (2, &[]),
            Opcode::Dup => (1, &[0, 0]),
            Opcode::Dup2 => (2, &[0, 1, 0, 1]),
            Opcode::Dup3 => (3, &[0, 1, 2, 0, 1, 2]),
            Opcode::Over => (2, &[0, 1, 0]),
            Opcode::Over2 => (4, &[0, 1, 2, 3, 0, 1]),
            Opcode::Rot => (3, &[1, 2, 0]),
            Opcode::Rot2 => (6, &[2, 3, 4, 5, 0, 1]),
            Opcode::Swap => (2, &[1, 0]),
            Opcode::Swap2 => (4, &[2, 3, 0, 1]),
            Opcode::Nip => (2, &[1]),
            Opcode::Tuck => (2, &[1, 0, 1]),
            Opcode::ToAltStack => {
                let item = self.pop(state);
                state.alt.push(item);
                return Ok(true);
            }
            Opcode::FromAltStack => {
                match state.alt.pop() {
                    Some(item) => state.stack.push(item),
                    None => state.end = Some(End::Fails),
                }
                return Ok(true);
            }
            Opcode::Pick | Opcode::Roll => return self.pick(opcode, state),
            _ => return Ok(false),
        };
        let items = self.pops(state, moves.0);
        state.stack.extend(moves.1.iter().filter_map(|place| items.get(*place)));
        Ok(true)
    }

    fn pick(&mut self, opcode: Opcode, state: &mut State) -> Result<bool, &'static str> {
        let number = self.pop(state);
        let depth = self.graph.number(number).map(usize::try_from);
        let depth = match depth {
            Some(Ok(depth)) if depth < REACH_MAX => depth,
            Some(_) => {
                state.end = Some(End::Fails);
                return Ok(true);
            }
            None => {
                state.stack.push(number);
                return Err("which item is taken depends on an item");
            }
        };
        self.reach(state, depth + 1);
        let place = state.stack.len() - 1 - depth;
        let item = if opcode == Opcode::Roll {
            state.stack.remove(place)
        } else {
            state.stack.get(place).copied().unwrap_or_default()
        };
        state.stack.push(item);
        Ok(true)
    }
}

const fn signs(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::CheckSig
            | Opcode::CheckSigVerify
            | Opcode::CheckMultiSig
            | Opcode::CheckMultiSigVerify
            | Opcode::ActiveBytecode
            | Opcode::CodeSeparator
    )
}

fn is_true(bytes: &[u8]) -> bool {
    match bytes.split_last() {
        None => false,
        Some((last, rest)) => rest.iter().any(|byte| *byte != 0) || !matches!(last, 0 | 0x80),
    }
}

fn stopped(mut state: State, of: &Structure, at: usize, why: &'static str) -> State {
    let from = of.instrs.iter().position(|instr| instr.at >= at).unwrap_or(of.instrs.len());
    state.end = Some(End::Stops { at, why, rest: of.bytes(from..of.instrs.len()) });
    state
}
