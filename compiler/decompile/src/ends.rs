//! What a run of instructions does to the stack, whatever the items are: how deep it reaches, if it leaves as many items as it finds.
//!
//! Loops are kept as they are; this says which items they work on.

use spec::{Opcode, num};

use crate::structure::{Instr, Structure};

/// The stack relative to where it was: numbers that were just pushed are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Level {
    /// Items above the deepest one that was reached.
    items: Vec<Option<i64>>,
    /// How far below the start it has reached.
    reach: usize,
    alt: usize,
}

impl Level {
    /// Lets the stack have at least `count` items.
    fn hold(&mut self, count: usize) {
        let missing = count.saturating_sub(self.items.len());
        self.reach += missing;
        self.items.splice(0..0, std::iter::repeat_n(None, missing));
    }

    fn take(&mut self, count: usize) {
        self.hold(count);
        self.items.truncate(self.items.len() - count);
    }

    fn number(&mut self) -> Option<usize> {
        self.hold(1);
        self.items.pop()?.and_then(|n| usize::try_from(n).ok()).filter(|n| *n < DEPTH_MAX)
    }

    /// Net items left.
    fn net(&self) -> Option<isize> {
        Some(isize::try_from(self.items.len()).ok()? - isize::try_from(self.reach).ok()?)
    }
}

const DEPTH_MAX: usize = 1_000;
const LEVELS_MAX: usize = 32;

/// How many items the loop that begins at `begin` works on; nothing if that depends on the items, or its rounds leave
/// more or fewer items than they find.
pub(crate) fn loop_reach(of: &Structure, begin: usize, end: usize) -> Option<usize> {
    let mut level = Level::default();
    run(of, begin, end + 1, &mut level, 0)?;
    (level.net()? == 0 && level.alt == 0).then_some(level.reach)
}

fn run(of: &Structure, from: usize, to: usize, level: &mut Level, depth: usize) -> Option<()> {
    let mut at = from;
    while at < to {
        let instr = of.instrs.get(at)?;
        let close = of.closes.get(at).copied().flatten();
        match (instr.opcode, close) {
            (_, Some(_)) if depth == LEVELS_MAX => return None,
            (Some(Opcode::If | Opcode::NotIf), Some(close)) => {
                level.take(1);
                let mut other = level.clone();
                run(of, at + 1, close.middle.unwrap_or(close.end), level, depth + 1)?;
                if let Some(middle) = close.middle {
                    run(of, middle + 1, close.end, &mut other, depth + 1)?;
                }
                let reach = level.reach.max(other.reach);
                level.hold(level.items.len() + reach - level.reach);
                other.hold(other.items.len() + reach - other.reach);
                (level.items.len() == other.items.len() && level.alt == other.alt).then_some(())?;
                level.items.fill(None);
                at = close.end + 1;
            }
            (Some(Opcode::Begin), Some(close)) => {
                level.items.fill(None);
                let (net, alt) = (level.net()?, level.alt);
                run(of, at + 1, close.end, level, depth + 1)?;
                level.take(1);
                (level.net()? == net && level.alt == alt).then_some(())?;
                level.items.fill(None);
                at = close.end + 1;
            }
            _ => {
                step(instr, level)?;
                at += 1;
            }
        }
    }
    Some(())
}

fn step(instr: &Instr, level: &mut Level) -> Option<()> {
    if let Some(data) = &instr.push {
        level.items.push(num::decode(data));
        return Some(());
    }
    match instr.opcode? {
        Opcode::Pick => {
            let depth = level.number()?;
            level.hold(depth + 1);
            level.items.push(None);
        }
        Opcode::Roll => {
            let depth = level.number()?;
            level.hold(depth + 1);
            let place = level.items.len().checked_sub(depth + 1)?;
            let item = level.items.remove(place);
            level.items.push(item);
        }
        Opcode::ToAltStack => {
            level.take(1);
            level.alt += 1;
        }
        Opcode::FromAltStack => {
            level.alt = level.alt.checked_sub(1)?;
            level.items.push(None);
        }
        opcode @ (Opcode::CheckMultiSig | Opcode::CheckMultiSigVerify) => {
            let keys = level.number()?;
            level.take(keys);
            let sigs = level.number()?;
            level.take(sigs + 1);
            if opcode == Opcode::CheckMultiSig {
                level.items.push(None);
            }
        }
        Opcode::IfDup
        | Opcode::Depth
        | Opcode::Return
        | Opcode::Define
        | Opcode::Invoke
        | Opcode::CodeSeparator
        | Opcode::ActiveBytecode => return None,
        opcode if opcode.works_under(spec::RuleSet::Bitmodel) && !is_nop(opcode) => {
            let (takes, leaves) = opcode.arity()?;
            level.take(takes);
            level.items.extend(std::iter::repeat_n(None, leaves));
        }
        _ => return None,
    }
    Some(())
}

/// Whether nodes pass on no transaction that executes it.
pub(crate) fn is_nop(opcode: Opcode) -> bool {
    opcode.row().availability == spec::opcode::Availability::Nop
}
