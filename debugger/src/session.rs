//! Where one stands in a run, and how one goes from there.

use std::collections::{BTreeMap, BTreeSet};

use vm::{FunctionId, Phase};

use crate::recording::{Item, Moment, Recording};
use crate::watch::{Watch, WatchError};

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards the end.
    Forward,
    /// Towards the start.
    Back,
}

/// How far a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stride {
    /// To the next, also if that is in a function.
    In,
    /// To the next that is no deeper.
    Over,
    /// Out of the innermost function.
    Out,
}

/// What a step steps by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// Lines of the source.
    Source,
    /// Instructions.
    Opcode,
}

/// Where a run is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breakpoint {
    /// Whenever a line of a source begins.
    Line {
        /// The source's number in the artifact.
        file: usize,
        /// From 1.
        line: usize,
    },
    /// Before an instruction.
    Instruction {
        /// The script.
        phase: Phase,
        /// The function whose body it stands in.
        function: Option<FunctionId>,
        /// Its byte offset.
        at: usize,
    },
}

/// Why one stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The step is done.
    Step,
    /// A breakpoint.
    Breakpoint(Breakpoint),
    /// There is nothing before.
    Start,
    /// There is nothing behind.
    End,
}

/// A place in a run.
///
/// ```
/// use debugger::{Direction, Grain, Recording, Session, Stop, Stride, Subject};
/// use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxIn, TxOut};
///
/// let lock = spec::asm::assemble("2 OP_ADD 5 OP_EQUAL", RuleSet::Bitmodel).unwrap();
/// let input = TxIn { prevout: OutPoint::COINBASE, unlock: vec![0x53], sequence: 0 };
/// let tx = Transaction { version: 2, inputs: vec![input], outputs: vec![], locktime: 0 };
/// let spent = [TxOut::plain(Sats::ONE, lock)];
/// let context = SpendContext::new(&tx, &spent).unwrap();
/// let rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
/// let run = Recording::of(&Subject { rules: &rules, context: &context, input: 0, artifact: None, sources: &[] });
/// let mut session = Session::new(run);
/// let word = |session: &Session| session.moment().map(|moment| session.recording().word(moment));
/// for expected in ["OP_3", "OP_2", "OP_ADD", "OP_5", "OP_EQUAL"] {
///     assert_eq!(word(&session).as_deref(), Some(expected));
///     session.step(Direction::Forward, Stride::In, Grain::Opcode);
/// }
/// assert!(session.is_at_end() && session.recording().end().failure.is_none());
/// session.step(Direction::Back, Stride::In, Grain::Opcode);
/// assert_eq!(word(&session).as_deref(), Some("OP_EQUAL"));
/// assert_eq!(session.run(Direction::Back), Stop::Start);
/// ```
#[derive(Clone, Debug)]
pub struct Session {
    run: Recording,
    now: usize,
    breakpoints: BTreeSet<Breakpoint>,
    /// Of those that do not always stop.
    conditions: BTreeMap<Breakpoint, Vec<Condition>>,
}

/// When a breakpoint stops.
#[derive(Clone, Debug)]
struct Condition {
    watch: Watch,
    /// Whether it had a value, however often it was looked at.
    had_value: bool,
    /// Why it had none the last time that it had none.
    error: Option<WatchError>,
}

impl Condition {
    const fn new(watch: Watch) -> Self {
        Self { watch, had_value: false, error: None }
    }

    fn is_true(&mut self, main: &[Item], alt: &[Item]) -> bool {
        match self.watch.is_true(main, alt) {
            Ok(truth) => {
                self.had_value = true;
                truth
            }
            Err(error) => {
                self.error = Some(error);
                false
            }
        }
    }
}

/// What a step of the source stays in.
type Line = (usize, usize, usize, Option<FunctionId>);

impl Session {
    /// At the first instruction that has a line, or the first at all.
    #[must_use]
    pub fn new(run: Recording) -> Self {
        let now = run.entry();
        Self { run, now, breakpoints: BTreeSet::new(), conditions: BTreeMap::new() }
    }

    /// The run.
    #[must_use]
    pub const fn recording(&self) -> &Recording {
        &self.run
    }

    /// The number of the moment; that of all of them at the end.
    #[must_use]
    pub const fn now(&self) -> usize {
        self.now
    }

    /// The moment; nothing at the end.
    #[must_use]
    pub fn moment(&self) -> Option<&Moment> {
        self.run.moment(self.now)
    }

    /// Whether everything has run.
    #[must_use]
    pub const fn is_at_end(&self) -> bool {
        self.now >= self.run.len()
    }

    /// Goes to a moment, or to the end if there are fewer.
    pub fn go_to(&mut self, at: usize) {
        self.now = at.min(self.run.len());
    }

    /// Where runs stop.
    pub const fn breakpoints(&self) -> &BTreeSet<Breakpoint> {
        &self.breakpoints
    }

    /// Sets a breakpoint, or takes it away if there is one; says whether it is there now.
    pub fn toggle(&mut self, breakpoint: Breakpoint) -> bool {
        let added = self.breakpoints.insert(breakpoint);
        if !added {
            self.breakpoints.remove(&breakpoint);
        }
        self.conditions.remove(&breakpoint);
        added
    }

    /// Stops at these breakpoints and no others; where an expression stands beside one, only if it is true there. Of several
    /// at one place each counts.
    pub fn stop_at(&mut self, breakpoints: impl IntoIterator<Item = (Breakpoint, Option<Watch>)>) {
        self.breakpoints.clear();
        let mut known = std::mem::take(&mut self.conditions);
        let mut always = BTreeSet::new();
        for (breakpoint, watch) in breakpoints {
            self.breakpoints.insert(breakpoint);
            let Some(watch) = watch else {
                always.insert(breakpoint);
                continue;
            };
            // What is known of a condition stays known.
            let before = known.get_mut(&breakpoint);
            let at = before.as_ref().and_then(|before| before.iter().position(|condition| condition.watch == watch));
            let condition = before.zip(at).map(|(before, at)| before.swap_remove(at));
            self.conditions.entry(breakpoint).or_default().push(condition.unwrap_or_else(|| Condition::new(watch)));
        }
        // Without a condition it stops, whatever others say of the same place.
        self.conditions.retain(|breakpoint, _| !always.contains(breakpoint));
    }

    /// The conditions that were looked at and never had a value, and why the last time.
    pub fn unanswered(&self) -> impl Iterator<Item = (&Watch, &WatchError)> {
        let never = self.conditions.values().flatten().filter(|condition| !condition.had_value);
        never.filter_map(|condition| Some((&condition.watch, condition.error.as_ref()?)))
    }

    /// Goes to the first breakpoint, that of the very first instruction included.
    pub fn begin(&mut self) -> Stop {
        self.now = 0;
        let first = self.breakpoint_at(self.now);
        first.map_or_else(|| self.run(Direction::Forward), Stop::Breakpoint)
    }

    /// Goes a step, or to the breakpoint that comes before it ends.
    pub fn step(&mut self, direction: Direction, stride: Stride, grain: Grain) -> Stop {
        let depth = self.moment().map_or(0, |moment| moment.depth);
        let from = self.moment().and_then(line);
        let by_line = grain == Grain::Source && (0..self.run.len()).any(|at| self.line_at(at).is_some());
        let done = |moment: &Moment| {
            let far = match stride {
                Stride::In => true,
                Stride::Over => moment.depth <= depth,
                Stride::Out => moment.depth < depth,
            };
            let other = !by_line || line(moment).is_some_and(|line| Some(line) != from);
            far && other
        };
        match self.walk(direction, done) {
            Stop::Step if direction == Direction::Back && by_line => self.rewind_to_line(stride),
            stop => stop,
        }
    }

    /// Goes on to the next breakpoint.
    pub fn run(&mut self, direction: Direction) -> Stop {
        self.walk(direction, |_| false)
    }

    fn walk(&mut self, direction: Direction, done: impl Fn(&Moment) -> bool) -> Stop {
        loop {
            match direction {
                Direction::Forward if self.now + 1 >= self.run.len() => {
                    self.now = self.run.len();
                    return Stop::End;
                }
                Direction::Forward => self.now += 1,
                Direction::Back if self.now == 0 => return Stop::Start,
                Direction::Back => self.now -= 1,
            }
            if let Some(breakpoint) = self.breakpoint_at(self.now) {
                return Stop::Breakpoint(breakpoint);
            }
            if self.executed(self.now).is_some_and(&done) {
                return Stop::Step;
            }
        }
    }

    /// A moment whose instruction runs.
    fn executed(&self, at: usize) -> Option<&Moment> {
        self.run.moment(at).filter(|moment| moment.executing)
    }

    /// The breakpoint before a moment; that of a line where the line begins.
    fn breakpoint_at(&mut self, at: usize) -> Option<Breakpoint> {
        let moment = self.executed(at)?;
        let instruction = Breakpoint::Instruction { phase: moment.phase, function: moment.function, at: moment.at };
        let line = line(moment).map(|(file, line, ..)| Breakpoint::Line { file, line });
        if self.holds(instruction, at) {
            return Some(instruction);
        }
        let line = line.filter(|line| self.breakpoints.contains(line) && self.begins_line(at))?;
        self.holds(line, at).then_some(line)
    }

    /// Whether a line begins at a moment: what a call runs does not part the line that calls.
    fn begins_line(&self, at: usize) -> bool {
        let Some(moment) = self.executed(at) else { return false };
        let mut before = (0..at).rev().filter_map(|before| self.executed(before));
        let caller = before.find(|before| before.depth <= moment.depth);
        caller.and_then(line) != line(moment)
    }

    /// Whether there is such a breakpoint, and a condition of it is true at a moment if it has some.
    fn holds(&mut self, breakpoint: Breakpoint, at: usize) -> bool {
        if !self.breakpoints.contains(&breakpoint) {
            return false;
        }
        let Some(conditions) = self.conditions.get_mut(&breakpoint) else { return true };
        let (main, alt) = self.run.stacks(at);
        // Each is looked at, so that it is known of each whether it has a value.
        conditions.iter_mut().map(|condition| condition.is_true(&main, &alt)).fold(false, |any, one| any | one)
    }

    fn line_at(&self, at: usize) -> Option<Line> {
        self.run.moment(at).and_then(line)
    }

    /// Goes back to where the line begins, or to the breakpoint that comes before. Only steps into functions are parted by
    /// what a call runs.
    fn rewind_to_line(&mut self, stride: Stride) -> Stop {
        let (here, depth) = (self.line_at(self.now), self.moment().map_or(0, |moment| moment.depth));
        // A breakpoint in a function is on the way only if the line has called it.
        let mut inside = None;
        for before in (0..self.now).rev() {
            // What does not run belongs to no line, and parts none.
            let Some((line, deep)) = self.executed(before).map(|moment| (line(moment), moment.depth)) else { continue };
            if deep > depth && stride != Stride::In {
                inside = inside.or_else(|| Some((before, self.breakpoint_at(before)?)));
                continue;
            }
            if line != here {
                break;
            }
            if let Some((at, breakpoint)) = inside {
                self.now = at;
                return Stop::Breakpoint(breakpoint);
            }
            self.now = before;
            if let Some(breakpoint) = self.breakpoint_at(before) {
                return Stop::Breakpoint(breakpoint);
            }
        }
        Stop::Step
    }
}

fn line(moment: &Moment) -> Option<Line> {
    let place = moment.place.filter(|_| moment.executing)?;
    Some((place.file, place.line, moment.depth, moment.function))
}
