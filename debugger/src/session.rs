//! Where one stands in a run, and how one goes from there.

use std::collections::{BTreeMap, BTreeSet};

use vm::{FunctionId, Phase};

use crate::recording::{Moment, Recording};
use crate::watch::Watch;

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
    conditions: BTreeMap<Breakpoint, Watch>,
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

    /// Stops at these breakpoints and no others; where an expression stands beside one, only if it is true there.
    pub fn stop_at(&mut self, breakpoints: impl IntoIterator<Item = (Breakpoint, Option<Watch>)>) {
        self.breakpoints.clear();
        self.conditions.clear();
        for (breakpoint, condition) in breakpoints {
            // Without a condition it stops, whatever others say of the same place.
            let known = !self.breakpoints.insert(breakpoint) && !self.conditions.contains_key(&breakpoint);
            match condition.filter(|_| !known) {
                Some(condition) => drop(self.conditions.insert(breakpoint, condition)),
                None => drop(self.conditions.remove(&breakpoint)),
            }
        }
    }

    /// Goes to the first breakpoint, that of the very first instruction included.
    pub fn begin(&mut self) -> Stop {
        self.now = 0;
        let first = self.moment().filter(|moment| moment.executing).and_then(|moment| self.breakpoint_here(moment));
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
        let stop = self.walk(direction, done);
        if direction == Direction::Back && by_line && stop == Stop::Step {
            self.rewind_to_line();
        }
        stop
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
            let Some(moment) = self.moment().filter(|moment| moment.executing) else { continue };
            if let Some(breakpoint) = self.breakpoint_here(moment) {
                return Stop::Breakpoint(breakpoint);
            }
            if done(moment) {
                return Stop::Step;
            }
        }
    }

    /// The breakpoint before this moment; that of a line where the line begins.
    fn breakpoint_here(&self, moment: &Moment) -> Option<Breakpoint> {
        let Moment { phase, function, at, .. } = *moment;
        let instruction = Breakpoint::Instruction { phase, function, at };
        if self.holds(&instruction) {
            return Some(instruction);
        }
        let here = line(moment)?;
        let breakpoint = Breakpoint::Line { file: here.0, line: here.1 };
        let before = (0..self.now).rev().find(|before| self.run.moment(*before).is_some_and(|moment| moment.executing));
        let begins = before.and_then(|before| self.line_at(before)) != Some(here);
        (begins && self.holds(&breakpoint)).then_some(breakpoint)
    }

    /// Whether there is such a breakpoint, and its condition is true now.
    fn holds(&self, breakpoint: &Breakpoint) -> bool {
        let is_true = |condition: &Watch| {
            let (main, alt) = self.run.stacks(self.now);
            condition.is_true(&main, &alt)
        };
        self.breakpoints.contains(breakpoint) && self.conditions.get(breakpoint).is_none_or(is_true)
    }

    fn line_at(&self, at: usize) -> Option<Line> {
        self.run.moment(at).and_then(line)
    }

    fn rewind_to_line(&mut self) {
        let here = self.line_at(self.now);
        // What does not run belongs to no line, and parts none.
        for before in (0..self.now).rev() {
            match self.run.moment(before).filter(|moment| moment.executing).map(line) {
                None => {}
                Some(line) if line == here => self.now = before,
                Some(_) => return,
            }
        }
    }
}

fn line(moment: &Moment) -> Option<Line> {
    let place = moment.place.filter(|_| moment.executing)?;
    Some((place.file, place.line, moment.depth, moment.function))
}
