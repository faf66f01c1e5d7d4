//! Copies of loops, for the turns after the first.
//!
//! A turn that follows another in the same window has less to do. The block that starts it has room. Constants are in
//! registers of their own. What it charges for values of the turn before is charged where those are made, and taken back
//! after the last turn. And to count and to turn is one step. The loops that are copied are short and have no other inside.
//!
//! Worked example: a loop over `r96 = r96 + r97` and `r97 = r97 - 1`, until r97 is 0.
//!
//! ```text
//!  4  block, cost 700                     9  charge r97         from 8: for the second turn
//!  5  charge r97                         10  cost 700
//!  6  r96 = r96 + r97                    11  r96 = r96 + r97
//!  7  r97 = r97 - 1  (2x length)         12  r97 = r97 - 1  (3x length), unless r97 == 0 cost 700, goto 11
//!  8  unless r97 == 0 goto 4             13  refund r97
//!                                        14  goto 9
//! ```

use crate::flow::{Set, target};
use crate::ir::{Access, Compare, Op, Reg, TEMPS};
use crate::steps::Step;

/// Instructions of a loop that is copied. The work of copying a longer one takes longer to win back.
const BODY_MAX: usize = 512;

/// Appends copies of loops to the steps of a unit and lets the first turns go on there.
pub(crate) fn copy_loops(ops: &[Op], steps: &mut Vec<Step>) {
    for end in 0..ops.len() {
        let Some(start) = turns(ops, end) else { continue };
        let Some(body) = ops.get(start..=end) else { continue };
        let entry = steps.len();
        let copied = Turn::new(body, start).and_then(|turn| turn.append(steps));
        if copied.is_some()
            && let (Some(op), Some(step)) = (ops.get(end), steps.get_mut(end))
        {
            *step = aimed(op, entry, end);
        }
    }
}

/// The start of the loop that an instruction turns, if it has no other loop inside and no turn moves the window.
fn turns(ops: &[Op], end: usize) -> Option<usize> {
    let start = target(ops.get(end)?)? as usize;
    let body = ops.get(start..end).filter(|body| body.len() < BODY_MAX)?;
    let stays = |(at, op): (usize, &Op)| match target(op) {
        Some(to) => (start + at + 1..=end).contains(&(to as usize)),
        None => !moves(op),
    };
    body.iter().enumerate().all(stays).then_some(start)
}

/// Whether after an instruction a block might have no room that has had room before, or the code goes elsewhere.
const fn moves(op: &Op) -> bool {
    matches!(
        op,
        Op::Many { .. }
            | Op::IfDup { .. }
            | Op::ToAlt(_)
            | Op::FromAlt { .. }
            | Op::Shift(_)
            | Op::Define { .. }
            | Op::Call { .. }
            | Op::End(_)
    )
}

/// A loop while it is copied.
struct Turn {
    start: usize,
    cost: u32,
    /// What is done once before the second turn.
    before: Vec<Op>,
    /// What is done after the last.
    after: Vec<Step>,
    /// The body, with the place of each instruction in the unit.
    body: Vec<(usize, Op)>,
}

impl Turn {
    fn new(body: &[Op], start: usize) -> Option<Self> {
        let (Op::Block { cost, .. }, body) = body.split_first()? else { return None };
        let body = body.iter().enumerate().map(|(at, op)| (start + 1 + at, *op)).collect();
        Some(Self { start, cost: *cost, before: Vec::new(), after: Vec::new(), body })
    }

    /// Moves what is charged for values of the turn before to where those are made.
    fn move_charges(&mut self) {
        let mut made = Set::default();
        let mut at = 0;
        while let Some((_, mut op)) = self.body.get(at).copied()
            && !ends_block(&op)
        {
            at += 1;
            op.registers(&mut |reg, access| made.set(*reg, made.has(*reg) || access == Access::Makes));
            if let Op::Charge { a, weight } = op
                && !made.has(a)
                && self.charge_where_made(a, weight).is_some()
            {
                at -= 1;
                self.body.remove(at);
                self.before.push(op);
                self.after.push(Step::Refund { a, weight });
            }
        }
    }

    /// Charges the value that a register has at the end, if that is always made by the same instruction.
    fn charge_where_made(&mut self, mut reg: Reg, weight: u8) -> Option<()> {
        for (_, op) in self.body.iter_mut().rev().skip(1) {
            if ends_block(op) {
                return None;
            }
            match op {
                Op::Copy { d, a } if *d == reg => reg = *a,
                op if makes(op, reg) && is_kept(op) => return None,
                op if makes(op, reg) => return op.charge_more(weight),
                _ => {}
            }
        }
        None
    }

    /// Loads constants once, each into a register that the loop does not use.
    fn move_constants(&mut self) {
        let mut used = Set::default();
        self.body.iter_mut().for_each(|(_, op)| op.registers(&mut |reg, _| used.set(*reg, true)));
        let mut free = (TEMPS..=Reg::MAX).rev().filter(|reg| !used.has(*reg));
        let mut at = 0;
        while let Some((_, op)) = self.body.get(at).copied() {
            let moved =
                constant(&op).filter(|reg| *reg >= TEMPS).and_then(|reg| self.move_constant(at, reg, &mut free));
            at += usize::from(moved.is_none());
        }
    }

    fn move_constant(&mut self, at: usize, reg: Reg, free: &mut impl Iterator<Item = Reg>) -> Option<()> {
        let (op, rest) = self.body.get_mut(at..)?.split_first_mut()?;
        let readers = rest.iter().take_while(|(_, op)| !makes(op, reg) && !matches!(op, Op::Block { .. })).count();
        // An instruction that makes the register anew may have read it.
        let readers = rest.get_mut(..rest.len().min(readers + 1))?;
        if readers.iter().any(|(_, op)| is_kept(op)) {
            return None;
        }
        let own = free.next()?;
        let mut rename = |to: &mut Reg, access| {
            if access == Access::Reads && *to == reg {
                *to = own;
            }
        };
        readers.iter_mut().for_each(|(_, op)| op.registers(&mut rename));
        op.1.registers(&mut |to, _| *to = own);
        let (_, op) = self.body.remove(at);
        self.before.push(op);
        Some(())
    }

    /// Appends the copy.
    fn append(mut self, steps: &mut Vec<Step>) -> Option<()> {
        self.move_charges();
        self.move_constants();
        let ((end, last), body) = self.body.split_last()?;
        steps.extend(self.before.iter().map(|op| Step::of(op, 0)));
        let start = steps.len();
        steps.push(Step::Cost(self.cost));
        let places = self.places(steps.len());
        for (place, (at, op)) in body.iter().enumerate() {
            let mut op = *op;
            if let Some(to) = target(&op) {
                op.aim(*places.get(to as usize - self.start)? as u32);
            }
            steps.push(Step::with(&op, body.get(place + 1).map(|(_, op)| op), *at));
        }
        // From the step after the one that counts and turns to the one after that of the cost.
        let back = steps.len() - (start + 1);
        let fused = body.last().and_then(|(_, before)| fused(before, last, back, self.cost));
        match fused {
            Some(fused) => {
                steps.pop();
                steps.push(fused);
            }
            None => steps.push(aimed(last, start, *end)),
        }
        steps.extend(&self.after);
        steps.push(Step::Jump(*end as u32 + 1));
        Some(())
    }

    /// Where each instruction of the loop is if the body is at `start`; for one that was moved away, where the next is.
    fn places(&self, start: usize) -> Vec<usize> {
        let mut places = Vec::new();
        for (place, (at, _)) in self.body.iter().enumerate() {
            places.resize(at + 1 - self.start, start + place);
        }
        places
    }
}

/// Whether an instruction has no step of its own, so that a copy does just what the unit says.
const fn is_kept(op: &Op) -> bool {
    matches!(Step::of(op, 0), Step::Rest(_))
}

/// Whether the code may go on elsewhere after an instruction, or come from elsewhere to it.
const fn ends_block(op: &Op) -> bool {
    target(op).is_some() || matches!(op, Op::Block { .. } | Op::Cost(_))
}

/// The step for a jump that goes elsewhere.
fn aimed(op: &Op, to: usize, at: usize) -> Step {
    let mut op = *op;
    op.aim(to as u32);
    Step::of(&op, at)
}

/// The step that counts and turns, if the last two instructions of a short loop do that.
fn fused(before: &Op, last: &Op, back: usize, cost: u32) -> Option<Step> {
    let Op::AddInt { d, a, weight, n: add } = *before else { return None };
    let (add, back, cost) = (i8::try_from(add).ok()?, u8::try_from(back).ok()?, u16::try_from(cost).ok()?);
    match *last {
        Op::UnlessInt { kind: Compare::Equal, a: tested, n, .. } if [d, tested] == [a; 2] => {
            Some(Step::Turn { a, n, weight, add, back, cost })
        }
        Op::Unless { kind, a: tested, b, .. } if add == 1 && [d, tested] == [a; 2] => {
            Some(Step::TurnAt { kind, a, b, weight, back, cost })
        }
        _ => None,
    }
}

/// The register that an instruction loads with a constant.
const fn constant(op: &Op) -> Option<Reg> {
    match *op {
        Op::Int { d, .. } | Op::Data { d, .. } | Op::Number { d, .. } => Some(d),
        _ => None,
    }
}

fn makes(op: &Op, reg: Reg) -> bool {
    let mut made = false;
    op.clone().registers(&mut |at, access| made |= access == Access::Makes && *at == reg);
    made
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Metering, Unit};
    use crate::{Engine, Tier};
    use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxIn, TxOut, asm};

    const RULES: Rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);

    fn unit(script: &str) -> Unit {
        crate::lowered(&asm::assemble(script, RULES.set).unwrap(), &RULES, Metering::Exact).unwrap()
    }

    /// The steps behind those of the instructions.
    fn copied(unit: &Unit) -> &[Step] {
        unit.steps.get(unit.ops.len()..).unwrap()
    }

    /// A sum of all numbers up to one, with a check and a constant in each turn.
    const SUM: &str = "0 OP_SWAP OP_BEGIN OP_TUCK OP_ADD OP_DUP 1000000 OP_LESSTHAN OP_VERIFY OP_SWAP OP_1SUB OP_DUP 0 \
                       OP_NUMEQUAL OP_UNTIL OP_DROP 15 OP_NUMEQUAL";

    #[test]
    fn later_turns_have_less_to_do() {
        let unit = unit(SUM);
        let Some(start) = copied(&unit).iter().position(|step| matches!(step, Step::Cost(_))) else {
            panic!("no loop is copied:\n{unit}")
        };
        let (before, turn) = copied(&unit).split_at(start);
        assert!(before.iter().any(|step| matches!(step, Step::Constant { len: 3, .. })), "{before:?}");
        assert!(before.iter().any(|step| matches!(step, Step::Charge { .. })), "{before:?}");
        assert!(turn.iter().any(|step| matches!(step, Step::Refund { .. })), "{turn:?}");
        let more = |step: &Step| matches!(step, Step::Constant { .. } | Step::Charge { .. } | Step::Block { .. });
        assert!(!turn.iter().any(more), "{turn:?}");
    }

    #[test]
    fn loops_around_others_or_that_move_what_lies_elsewhere_are_not_copied() {
        let inner = "OP_BEGIN OP_1SUB OP_DUP OP_NOT OP_UNTIL";
        let loops = |script: &str| copied(&unit(script)).iter().filter(|step| matches!(step, Step::Cost(_))).count();
        assert_eq!(loops(&format!("{inner} OP_DROP {inner}")), 2);
        assert_eq!(loops(&format!("OP_BEGIN 7 {inner} OP_DROP OP_1SUB OP_DUP OP_NOT OP_UNTIL")), 1);
        assert_eq!(loops("OP_BEGIN OP_DUP OP_TOALTSTACK OP_1SUB OP_DUP OP_NOT OP_UNTIL"), 0);
        assert_eq!(loops("OP_BEGIN OP_IFDUP OP_1SUB OP_DUP OP_NOT OP_UNTIL"), 0);
    }

    #[test]
    fn loops_end_as_in_the_oracle() {
        let loops = [
            SUM,
            // Ways inside, of which one has a constant of its own.
            "0 OP_SWAP OP_BEGIN OP_DUP 2 OP_MOD OP_IF OP_TUCK OP_ADD 70000 OP_ADD OP_SWAP OP_ELSE OP_SWAP OP_1ADD OP_SWAP \
             OP_ENDIF OP_1SUB OP_DUP OP_NOT OP_UNTIL OP_DROP 210011 OP_NUMEQUAL",
            // A number that grows out of its place, and is charged at the start of each turn.
            "70000 OP_SWAP OP_BEGIN OP_OVER OP_ROT OP_MUL OP_SWAP OP_1SUB OP_DUP OP_NOT OP_UNTIL OP_DROP OP_SIZE OP_NIP \
             65 OP_NUMEQUAL",
            // Values that change places.
            "1 2 OP_ROT OP_BEGIN OP_2 OP_PICK OP_3 OP_PICK OP_ADD OP_3 OP_ROLL OP_DROP OP_SWAP OP_1SUB OP_DUP OP_NOT \
             OP_UNTIL OP_2DROP OP_SIZE OP_NIP",
            // It counts up to a number in a register, by more than one.
            "0 OP_BEGIN 3 OP_ADD OP_2DUP OP_LESSTHANOREQUAL OP_UNTIL OP_NIP 6 OP_NUMEQUAL",
            // Bytes of the turn before, charged where they are made.
            "OP_TXLOCKTIME OP_SWAP OP_BEGIN OP_OVER OP_SIZE OP_NIP OP_DROP OP_SWAP OP_SHA256 OP_DUP OP_CAT OP_SWAP OP_1SUB \
             OP_DUP OP_NOT OP_UNTIL OP_DROP OP_SIZE OP_NIP 64 OP_NUMEQUAL",
        ];
        for script in loops {
            let lock = asm::assemble(script, RULES.set).unwrap();
            assert!(!copied(&unit(script)).is_empty(), "no loop is copied: {script}");
            let spent = [TxOut::plain(Sats::ONE, lock)];
            let input = TxIn { prevout: OutPoint::COINBASE, unlock: vec![0x55], sequence: 0 };
            let tx = Transaction { version: 2, inputs: vec![input], outputs: vec![], locktime: 0 };
            let context = SpendContext::new(&tx, &spent).unwrap();
            let engine = Engine::new(Tier::Register);
            let oracle = vm::verify_input(&RULES, &context, 0);
            assert!(oracle.is_ok(), "{script}: {oracle:?}");
            assert_eq!(engine.verify(&RULES, &context, 0), oracle, "{script}");
            assert!(engine.accept(&RULES, &context, 0).is_ok(), "{script}");
            assert_eq!(engine.counts().left, 0, "{script}");
        }
    }
}
