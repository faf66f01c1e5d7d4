//! The shortest ways to move, copy and drop the items on top of the stack.
//!
//! A table, which the build script makes, holds for every stack of up to six items and every wanted one of up to six of
//! them the shortest sequence of instructions that leads there. With it every stretch of such instructions in a script
//! is written anew: `OP_ROT OP_ROT OP_SWAP` leaves what `OP_SWAP OP_ROT` leaves. Why so, and how exact it is:
//! `docs/adr/0015-all-shuffles-in-a-table.md`.

mod moves;
#[cfg(test)]
mod tests;

use spec::Opcode;

use crate::code::{Code, Instr, Op, PlaceId};
use crate::peephole::mirrored;
use moves::{Cost, ITEMS_MAX, MOVES, Move, Stack};

/// Three bytes for each node of the trees of sequences, one tree for each number of items to begin with; before them
/// where each tree starts. A node holds the number of its parent and, above that, the move that leads from there.
const TABLE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shuffles.bin"));
const PARENT_BITS: u32 = 19;

/// The opcodes of the first moves.
const OPCODES: [Opcode; 13] = [
    Opcode::Dup,
    Opcode::Over,
    Opcode::Swap,
    Opcode::Rot,
    Opcode::Drop,
    Opcode::Nip,
    Opcode::Tuck,
    Opcode::Dup2,
    Opcode::Dup3,
    Opcode::Over2,
    Opcode::Rot2,
    Opcode::Swap2,
    Opcode::Drop2,
];

/// So many items are looked at while a stretch is followed; those below are never reached.
const SEEN: usize = 8;
/// The longest stretch that is written anew as a whole.
const STRETCH_MAX: usize = 16;

/// How many items a stack opcode takes and which of them it leaves, bottom first.
pub(crate) fn order(opcode: Opcode) -> Option<(usize, &'static [u8])> {
    let at = OPCODES.iter().position(|known| *known == opcode)?;
    match MOVES.get(at)? {
        Move::Order(takes, leaves) => Some((*takes, leaves)),
        _ => None,
    }
}

/// The fewest bytes that make the items `from`, all of them different, into `to`, each with the top last; nothing if the
/// table has no such entry.
#[cfg(test)]
pub(crate) fn cost_of(from: &[u8], to: &[u8]) -> Option<usize> {
    Some(sum(shortest(from, to)?).bytes)
}

/// The instructions that [`cost_of`] counts.
#[cfg(test)]
pub(crate) fn write(from: &[u8], to: &[u8]) -> Option<Vec<Op>> {
    Some(shortest(from, to)?.into_iter().flat_map(ops).collect())
}

#[cfg(test)]
fn shortest(from: &[u8], to: &[u8]) -> Option<Vec<Move>> {
    let kept = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    let is_needed = |at: usize| to.iter().skip(kept).any(|item| from.get(at) == Some(item));
    let start = (0..kept).find(|at| is_needed(*at)).unwrap_or(kept);
    let (from, to) = (from.get(start..)?, to.get(start..)?);
    let place = |item: &u8| from.iter().position(|other| other == item).and_then(|at| u8::try_from(at).ok());
    known(from.len(), Stack::of(&to.iter().map(place).collect::<Option<Vec<u8>>>()?)?)
}

/// The shortest sequence from so many items to a stack of them.
fn known(sources: usize, to: Stack) -> Option<Vec<Move>> {
    let mut steps: Vec<Move> = Backwards::from(sources, to)?.collect();
    steps.reverse();
    Some(steps)
}

/// The moves of a shortest sequence, the last one first.
struct Backwards {
    /// Where the tree starts, and the node in it.
    start: usize,
    at: usize,
}

impl Backwards {
    fn from(sources: usize, to: Stack) -> Option<Self> {
        // Of nothing comes nothing.
        let tree = if sources == 0 && to.len() == 0 { Some(0) } else { sources.checked_sub(1) }?;
        if sources > ITEMS_MAX {
            return None;
        }
        let at = if sources == 0 { Stack::first(1).rank(1)? } else { to.rank(sources)? };
        Some(Self { start: word(tree)? as usize, at })
    }
}

impl Iterator for Backwards {
    type Item = Move;

    fn next(&mut self) -> Option<Move> {
        let node = word(self.start + self.at)?;
        self.at = (node & ((1 << PARENT_BITS) - 1)) as usize;
        // The root has no move.
        MOVES.get((node >> PARENT_BITS) as usize).copied()
    }
}

fn word(at: usize) -> Option<u32> {
    match TABLE.get(3 * at..3 * at + 3)? {
        [a, b, c] => Some(u32::from_le_bytes([*a, *b, *c, 0])),
        _ => None,
    }
}

fn sum(steps: impl IntoIterator<Item = Move>) -> Cost {
    steps.into_iter().fold(Cost::default(), |sum, step| sum.plus(step.cost()))
}

fn ops(step: Move) -> Vec<Op> {
    let deep = |depth: usize, opcode| vec![Op::int(i64::try_from(depth).unwrap_or(i64::MAX)), Op::Code(opcode)];
    match step {
        Move::Pick(depth) => deep(depth, Opcode::Pick),
        Move::Roll(depth) => deep(depth, Opcode::Roll),
        Move::Hide => vec![Op::Code(Opcode::ToAltStack)],
        Move::Show => vec![Op::Code(Opcode::FromAltStack)],
        Move::Order(..) => {
            let at = MOVES.iter().position(|other| *other == step);
            at.and_then(|at| OPCODES.get(at)).map(|opcode| Op::Code(*opcode)).into_iter().collect()
        }
    }
}

/// Code in which every stretch of moves is the shortest that does the same.
#[derive(Clone, Debug)]
pub(crate) struct Shortened {
    pub(crate) code: Code,
    /// How many more items may lie on the stack at once.
    pub(crate) deeper: usize,
}

/// Writes all stretches of moves anew. An instruction that carries a check is no move.
pub(crate) fn shorten(code: Code) -> Shortened {
    let mut shortened = Shortened { code: Code::with_capacity(code.len()), deeper: 0 };
    let mut rest = code.into_iter().peekable();
    let mut stretch = Stretch::default();
    while let Some(instr) = rest.next() {
        if let Some(step) = step_of(&instr, rest.peek()) {
            let second = matches!(step, Found::Deep(_)).then(|| rest.next()).flatten();
            stretch.steps.extend(step.step());
            stretch.instrs.push(instr);
            stretch.instrs.extend(second);
        } else {
            let instr = stretch.end(instr, &mut shortened);
            shortened.code.push(instr);
        }
    }
    stretch.flush(&mut shortened);
    shortened
}

/// A move, which one instruction makes or two.
enum Found {
    One(Move),
    Deep(Option<Move>),
}

impl Found {
    fn step(&self) -> Option<Move> {
        match self {
            Self::One(step) => Some(*step),
            Self::Deep(step) => *step,
        }
    }
}

fn step_of(instr: &Instr, next: Option<&Instr>) -> Option<Found> {
    if instr.site.is_some() {
        return None;
    }
    if let Op::Code(opcode) = instr.op {
        return order(opcode).map(|(takes, leaves)| Found::One(Move::Order(takes, leaves)));
    }
    let depth = instr.op.as_int().and_then(|depth| usize::try_from(depth).ok())?;
    let next = next.filter(|next| next.site.is_none() && depth < SEEN)?;
    let fixed = |at: usize| MOVES.get(at).copied();
    match (&next.op, depth) {
        (Op::Code(Opcode::Pick), 0 | 1) => Some(Found::Deep(fixed(depth))),
        (Op::Code(Opcode::Pick), _) => Some(Found::Deep(Some(Move::Pick(depth)))),
        (Op::Code(Opcode::Roll), 0) => Some(Found::Deep(None)),
        (Op::Code(Opcode::Roll), 1 | 2) => Some(Found::Deep(fixed(depth + 1))),
        (Op::Code(Opcode::Roll), _) => Some(Found::Deep(Some(Move::Roll(depth)))),
        _ => None,
    }
}

/// Moves that stand side by side.
#[derive(Default)]
struct Stretch {
    instrs: Vec<Instr>,
    steps: Vec<Move>,
}

impl Stretch {
    /// Writes the stretch before `next`, which may take its operands in the other order.
    fn end(&mut self, mut next: Instr, to: &mut Shortened) -> Instr {
        let swap = MOVES.get(2);
        let may_gain = self.steps.len() > 1 || (self.steps.len() == 1 && self.steps.first() == swap);
        let turned = match next.op {
            Op::Code(opcode) if may_gain => mirrored(opcode),
            _ => None,
        };
        if let (Some(turned), Some(swap)) = (turned, swap) {
            let given = cuts(&self.steps);
            self.steps.push(*swap);
            let other = cuts(&self.steps);
            if cost(&other) < cost(&given) {
                next.op = Op::Code(turned);
                self.put(&other, to);
                return next;
            }
            self.steps.pop();
            self.put(&given, to);
            return next;
        }
        self.flush(to);
        next
    }

    fn flush(&mut self, to: &mut Shortened) {
        match self.steps.as_slice() {
            [] | [_] => {
                to.code.append(&mut self.instrs);
                self.steps.clear();
            }
            steps => {
                let cuts = cuts(steps);
                self.put(&cuts, to);
            }
        }
    }

    fn put(&mut self, cuts: &[Cut], to: &mut Shortened) {
        let (mut instrs, steps) = (std::mem::take(&mut self.instrs), std::mem::take(&mut self.steps));
        let bytes: usize = instrs.iter().map(|instr| instr.op.len(|_| 1)).sum();
        let best = cost(cuts);
        if best.bytes >= bytes && best >= sum(steps.iter().copied()) {
            return to.code.append(&mut instrs);
        }
        let place = instrs.last().map_or_else(PlaceId::default, |last| last.place);
        let (steps, deeper) = joined(cuts, &steps);
        to.deeper = to.deeper.max(deeper);
        let ops = steps.into_iter().flat_map(ops);
        to.code.extend(ops.map(|op| Instr { op, place, site: None }));
    }
}

/// The least cost of so many of the first moves, and the last part of them.
#[derive(Clone, Copy)]
struct Cut {
    cost: Cost,
    /// Where the part starts.
    start: usize,
    /// The shortest way to make it, if that is not as it stands.
    way: Option<Way>,
}

/// An entry of the table.
#[derive(Clone, Copy)]
struct Way {
    sources: usize,
    to: Stack,
}

fn cost(cuts: &[Cut]) -> Cost {
    cuts.last().map_or_else(Cost::default, |last| last.cost)
}

/// The best way to cut a stretch into parts for which there is a shortest way, for each number of its first moves.
fn cuts(steps: &[Move]) -> Vec<Cut> {
    let mut cuts = vec![Cut { cost: Cost::default(), start: 0, way: None }];
    for (at, step) in steps.iter().enumerate() {
        let cost = cost(&cuts).plus(step.cost());
        cuts.push(Cut { cost, start: at, way: None });
    }
    for start in 0..steps.len() {
        let before = cuts.get(start).map_or_else(Cost::default, |cut| cut.cost);
        let mut part = Part::default();
        for (at, step) in steps.iter().enumerate().skip(start).take(STRETCH_MAX) {
            let Some(next) = part.after(*step) else { break };
            part = next;
            let Some(cut) = cuts.get_mut(at + 1) else { break };
            let Some(way) = part.way() else { continue };
            let Some(steps) = Backwards::from(way.sources, way.to) else { continue };
            let cost = before.plus(sum(steps));
            if cost < cut.cost {
                *cut = Cut { cost, start, way: Some(way) };
            }
        }
        // One move as it stands, behind a better beginning.
        let next = steps.get(start).map(|step| before.plus(step.cost()));
        if let (Some(next), Some(cut)) = (next, cuts.get_mut(start + 1))
            && next < cut.cost
        {
            *cut = Cut { cost: next, start, way: None };
        }
    }
    cuts
}

/// The moves that the cuts stand for, and how many more items lie there on the way than before.
fn joined(cuts: &[Cut], steps: &[Move]) -> (Vec<Move>, usize) {
    let (mut parts, mut deeper, mut end) = (Vec::new(), 0, steps.len());
    while end > 0 {
        let Some(Cut { start, way, .. }) = cuts.get(end) else { break };
        let given = steps.get(*start..end).unwrap_or_default();
        let part = way.and_then(|way| known(way.sources, way.to)).unwrap_or_else(|| given.to_vec());
        deeper = deeper.max(peak(&part).saturating_sub(peak(given)));
        parts.push(part);
        end = *start;
    }
    (parts.into_iter().rev().flatten().collect(), deeper)
}

/// Moves that are followed.
#[derive(Clone, Copy)]
struct Part {
    stack: Stack,
    /// How many items they have not reached.
    beneath: usize,
}

impl Default for Part {
    fn default() -> Self {
        Self { stack: Stack::first(SEEN), beneath: SEEN }
    }
}

impl Part {
    fn after(self, step: Move) -> Option<Self> {
        let beneath = self.beneath.min(self.stack.len().checked_sub(step.takes())?);
        Some(Self { stack: self.stack.after(step)?, beneath })
    }

    /// The entry that does all at once. What the moves leave at the bottom is no part of the question, if there is no
    /// room for it.
    fn way(self) -> Option<Way> {
        let mut start = self.beneath;
        while self.stack.len() - start > ITEMS_MAX && self.stack.has_alone(start) {
            start += 1;
        }
        Some(Way { sources: SEEN - start, to: self.stack.above(start)? })
    }
}

/// How many items at most lie above those that were there, while the moves are made.
fn peak(steps: &[Move]) -> usize {
    let mut stack = Stack::first(SEEN);
    let mut most = stack.len();
    for step in steps {
        let Some(next) = stack.after(*step) else { break };
        stack = next;
        most = most.max(stack.len());
    }
    most
}
