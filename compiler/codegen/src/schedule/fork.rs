//! Conditionals: what they decide by, and the stack with which their blocks begin.

use spec::Opcode;

use crate::code::{Code, Instr, Op, PlaceId};
use crate::lower::flipped;
use crate::mir::{Choice, Fork, NodeId, Test};

use super::{Entry, Scheduler, TooLong};

impl Scheduler<'_> {
    /// Brings up what the conditional decides by; true if the second block runs for a true item.
    pub(super) fn decide(&mut self, choice: &Choice) -> Result<bool, TooLong> {
        let place = choice.place;
        let test = choice.fork.as_ref().map_or(Test::Truth, |fork| fork.test);
        if let (Test::Depth, Some(fork)) = (test, &choice.fork) {
            return Ok(self.measure(fork, place));
        }
        self.want(choice.condition, place)?;
        let opcodes: &[Opcode] = match test {
            Test::Truth | Test::Depth => &[],
            Test::Bit => &[Opcode::Size, Opcode::Over, Opcode::EqualVerify],
            Test::Count(_) => &[Opcode::Sub1, Opcode::IfDup],
        };
        opcodes.iter().for_each(|opcode| self.emit(Op::Code(*opcode), place));
        self.stack.pop();
        Ok(matches!(test, Test::Count(_)))
    }

    /// Writes what tells by the number of items which block runs. Any other number than those of its paths leads to
    /// one of them, which then takes more items than there are, or leaves some.
    fn measure(&mut self, fork: &Fork, place: PlaceId) -> bool {
        let here = self.stack.iter().filter(|entry| Some(entry.node) != fork.holder).count();
        let height = |extras: &[Vec<NodeId>]| {
            let mut items = extras.iter().flatten();
            let count = items.clone().count();
            (!items.any(|item| self.graph.is_holder(*item))).then_some(here + count)
        };
        let [then, otherwise] = &fork.extras;
        let (then, otherwise) = (height(then), height(otherwise));
        self.emit(Op::Code(Opcode::Depth), place);
        match (then, otherwise) {
            (Some(0), _) => true,
            (_, Some(0)) => false,
            (Some(1), _) => {
                self.emit(Op::Code(Opcode::Sub1), place);
                true
            }
            (_, Some(1)) => {
                self.emit(Op::Code(Opcode::Sub1), place);
                false
            }
            (Some(height), _) => {
                self.emit(Op::int(i64::try_from(height).unwrap_or(i64::MAX)), place);
                self.emit(Op::Code(Opcode::NumEqual), place);
                false
            }
            (None, _) => {
                self.is_lost = true;
                false
            }
        }
    }

    /// The stack with which a block begins.
    pub(super) fn enter(&mut self, entry: &[Entry], fork: Option<&Fork>, first: bool) {
        self.stack.clear();
        let free = |node: &NodeId| Entry { node: *node, reserved: false };
        let extras = fork.map_or(&[][..], |fork| {
            let [then, otherwise] = &fork.extras;
            if first { then } else { otherwise }
        });
        for item in entry {
            match fork.and_then(|fork| fork.holder) {
                Some(holder) if holder == item.node => self.stack.extend(extras.iter().flatten().map(free)),
                _ => self.stack.push(*item),
            }
        }
        if let Some(Test::Count(rest)) = fork.map(|fork| fork.test).filter(|_| !first) {
            self.stack.push(free(&rest));
        }
        self.depth_max = self.depth_max.max(self.stack.len());
    }

    pub(super) fn join(&mut self, choice: &Choice, turned: bool, then: Code, otherwise: Code) {
        let place = choice.place;
        let mark = |flips: bool| {
            let site = choice.fork.as_ref()?.site;
            Some(if flips { flipped(site) } else { site })
        };
        if then.is_empty() && otherwise.is_empty() {
            return self.emit(Op::Code(Opcode::Drop), place);
        }
        let flips = then.is_empty();
        let opcode = if flips == turned { Opcode::If } else { Opcode::NotIf };
        let (first, second) = if flips { (otherwise, then) } else { (then, otherwise) };
        self.emit_check(Op::Code(opcode), place, mark(flips));
        self.code.extend(first);
        if !second.is_empty() {
            self.code.push(Instr { op: Op::Code(Opcode::Else), place, site: None });
            self.code.extend(second);
        }
        self.code.push(Instr { op: Op::Code(Opcode::EndIf), place, site: None });
    }
}
