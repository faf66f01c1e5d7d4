//! Loops: written out round by round, or as a block that runs again.
//!
//! A loop of the middle form runs at least once and looks at its exit behind each round. So a `while`
//! is either guarded by its condition, which then stands there twice, or every round begins with a
//! conditional. Which form a loop gets is for [`Forms`] to say: whoever calls compares the scripts.

use analysis::hir::{Block as HirBlock, Expr, LocalId, Stmt};
use dashu_int::IBig;
use spec::Opcode;

use super::assigned::Mentions;
use super::{Excess, Frame, Items, Lowering, set};
use crate::code::{PlaceId, Rounds};
use crate::forms::{Form, Key};
use crate::mir::{Block, Effect, Exit, NodeId, Repeat, Var};
use crate::number;

/// Loops of more rounds are never written out; no script has room for so many instructions.
const UNROLLED_MAX: usize = 10_000;

/// The numbers that a loop counts through.
pub(super) struct Range<'h> {
    pub(super) index: LocalId,
    pub(super) from: &'h Expr,
    pub(super) to: &'h Expr,
    pub(super) rounds_max: u32,
}

/// What the rounds of a loop do.
struct Loop {
    place: PlaceId,
    rounds: Rounds,
    /// The variables that change.
    carried: Vec<LocalId>,
    records: Vec<NodeId>,
}

impl Lowering<'_> {
    pub(super) fn counted(
        &mut self,
        frame: &mut Frame,
        stmt: &Stmt,
        range: &Range<'_>,
        body: &HirBlock,
    ) -> Result<(), Excess> {
        let (from, to) = (self.item(frame, range.from)?, self.item(frame, range.to)?);
        let place = self.place(&stmt.loc);
        if let (Some(first), Some(end)) = (self.graph.number(from), self.graph.number(to)) {
            if first >= end {
                return Ok(());
            }
            let rounds = usize::try_from(&end - &first).unwrap_or(usize::MAX);
            if rounds > range.rounds_max as usize {
                let never = self.graph.int(0, place);
                self.verify(never, &too_many(range.rounds_max), &stmt.loc, place);
                return Ok(());
            }
            let written_out = rounds == 1
                || rounds <= UNROLLED_MAX
                    && self.forms.of(Key::Loop(stmt), Form::Rolled, Form::WrittenOut) == Form::WrittenOut;
            if written_out {
                return self.written_out(frame, range.index, first, rounds, body, place);
            }
            let rounds = Rounds::Exactly(u32::try_from(rounds).unwrap_or(u32::MAX));
            return self.counting(frame, range.index, [from, to], rounds, body, place);
        }
        let count = self.graph.op(Opcode::Sub, &[to, from], place);
        let limit = self.graph.int(i64::from(range.rounds_max), place);
        let fits = self.graph.op(Opcode::LessThanOrEqual, &[count, limit], place);
        self.verify(fits, &too_many(range.rounds_max), &stmt.loc, place);
        let rounds = Rounds::AtMost(range.rounds_max);
        let any = self.graph.op(Opcode::LessThan, &[from, to], place);
        self.either(
            frame,
            any,
            place,
            |lowering, frame| lowering.counting(frame, range.index, [from, to], rounds, body, place).map(|()| None),
            |_, _| Ok(None),
        )?;
        Ok(())
    }

    fn written_out(
        &mut self,
        frame: &mut Frame,
        index: LocalId,
        first: IBig,
        rounds: usize,
        body: &HirBlock,
        place: PlaceId,
    ) -> Result<(), Excess> {
        for round in 0..rounds {
            let number = self.graph.bytes(number::encode(&(&first + IBig::from(round))), place);
            set(frame, index, vec![number]);
            self.block(frame, body)?;
        }
        Ok(())
    }

    /// At least one round; where the body does not read the number, it counts down to zero.
    fn counting(
        &mut self,
        frame: &mut Frame,
        index: LocalId,
        [from, to]: [NodeId; 2],
        rounds: Rounds,
        body: &HirBlock,
        place: PlaceId,
    ) -> Result<(), Excess> {
        let mentions = Mentions::of(body);
        let reads_index = mentions.read.contains(&index);
        let initial = if reads_index { from } else { self.graph.op(Opcode::Sub, &[to, from], place) };
        set(frame, index, vec![initial]);
        let mut carried = changed(frame, &mentions);
        carried.push(index);
        let repeated = Loop { place, rounds, carried, records: Vec::new() };
        self.repeat(frame, &repeated, |lowering, frame| {
            lowering.block(frame, body)?;
            let now = *frame.local(index).first().expect("a number is one item");
            let one = lowering.graph.int(1, place);
            let (next, done) = if reads_index {
                let next = lowering.graph.op(Opcode::Add, &[now, one], place);
                (next, lowering.graph.op(Opcode::NumEqual, &[next, to], place))
            } else {
                let next = lowering.graph.op(Opcode::Sub, &[now, one], place);
                (next, lowering.graph.op(Opcode::Not, &[next], place))
            };
            set(frame, index, vec![next]);
            Ok(Exit::When(done))
        })
    }

    pub(super) fn conditional(
        &mut self,
        frame: &mut Frame,
        stmt: &Stmt,
        condition: &Expr,
        rounds_max: u32,
        body: &HirBlock,
    ) -> Result<(), Excess> {
        let place = self.place(&stmt.loc);
        let mentions = Mentions::of(body);
        // The rounds that are left, as a variable behind all others.
        let left = LocalId::new(frame.locals.len());
        let all = self.graph.int(i64::from(rounds_max), place);
        frame.locals.push(Some(vec![all]));
        let mut carried = changed(frame, &mentions);
        carried.push(left);
        let round = Round { stmt, left, rounds_max, body, place };
        let guarded = self.forms.of(Key::Loop(stmt), Form::Guarded, Form::Rolled) == Form::Guarded;
        // The round that finds the condition broken counts where every round begins with it.
        let rounds = Rounds::AtMost(if guarded { rounds_max } else { rounds_max.saturating_add(1) });
        let repeated = Loop { place, rounds, carried, records: Vec::new() };
        if guarded {
            let holds = self.item(frame, condition)?;
            self.either(
                frame,
                holds,
                place,
                |lowering, frame| {
                    lowering.repeat(frame, &repeated, |lowering, frame| {
                        lowering.round(frame, &round)?;
                        let again = lowering.item(frame, condition)?;
                        Ok(Exit::When(lowering.graph.op(Opcode::Not, &[again], place)))
                    })?;
                    Ok(None)
                },
                |_, _| Ok(None),
            )?;
        } else {
            self.repeat(frame, &repeated, |lowering, frame| {
                let again = lowering.item(frame, condition)?;
                lowering.either(
                    frame,
                    again,
                    place,
                    |lowering, frame| lowering.round(frame, &round).map(|()| None),
                    |_, _| Ok(None),
                )?;
                Ok(Exit::When(lowering.graph.op(Opcode::Not, &[again], place)))
            })?;
        }
        frame.locals.pop();
        Ok(())
    }

    /// One round of a `while`: there must be one left.
    fn round(&mut self, frame: &mut Frame, round: &Round<'_>) -> Result<(), Excess> {
        let left = *frame.local(round.left).first().expect("a number is one item");
        let one = self.graph.int(1, round.place);
        let next = self.graph.op(Opcode::Sub, &[left, one], round.place);
        self.verify(left, &too_many(round.rounds_max), &round.stmt.loc, round.place);
        set(frame, round.left, vec![next]);
        self.block(frame, round.body)?;
        Ok(())
    }

    pub(super) fn each_record(
        &mut self,
        frame: &mut Frame,
        stmt: &Stmt,
        fields: &[LocalId],
        index: Option<LocalId>,
        body: &HirBlock,
    ) -> Result<(), Excess> {
        let place = self.place(&stmt.loc);
        let records: Vec<NodeId> = fields.iter().map(|_| self.graph.phi(place)).collect();
        let mut carried = changed(frame, &Mentions::of(body));
        if let Some(index) = index {
            let zero = self.graph.int(0, place);
            set(frame, index, vec![zero]);
            carried.push(index);
        }
        let repeated = Loop { place, rounds: Rounds::Records, carried, records: records.clone() };
        self.repeat(frame, &repeated, |lowering, frame| {
            for (field, item) in fields.iter().zip(&records) {
                set(frame, *field, vec![*item]);
            }
            lowering.block(frame, body)?;
            if let Some(index) = index {
                let now = *frame.local(index).first().expect("a number is one item");
                let one = lowering.graph.int(1, place);
                let next = lowering.graph.op(Opcode::Add, &[now, one], place);
                set(frame, index, vec![next]);
            }
            Ok(Exit::NoRecords)
        })
    }

    /// A loop whose round is what `lower` lowers. Parts of variables that no round changes stay outside.
    fn repeat(
        &mut self,
        frame: &mut Frame,
        repeated: &Loop,
        lower: impl Fn(&mut Self, &mut Frame) -> Result<Exit, Excess>,
    ) -> Result<(), Excess> {
        let initial: Vec<(LocalId, Items)> =
            repeated.carried.iter().map(|local| (*local, frame.local(*local).to_vec())).collect();
        let mut fixed: Vec<bool> = initial.iter().flat_map(|(_, items)| items.iter().map(|_| false)).collect();
        self.loops += 1;
        let id = self.loops;
        loop {
            let mut inner = frame.clone();
            let mut entries = Vec::with_capacity(fixed.len());
            let mut is_fixed = fixed.iter();
            for (local, items) in &initial {
                let entry =
                    |item: &NodeId| if is_fixed.next() == Some(&true) { *item } else { self.graph.phi(repeated.place) };
                let items: Items = items.iter().map(entry).collect();
                entries.extend(items.iter().copied());
                set(&mut inner, *local, items);
            }
            let outer = std::mem::take(&mut self.effects);
            let exit = lower(self, &mut inner)?;
            let effects = std::mem::replace(&mut self.effects, outer);
            let next: Vec<NodeId> = repeated.carried.iter().flat_map(|local| inner.local(*local).to_vec()).collect();
            let stays = |(fixed, (entry, next)): (&bool, (&NodeId, &NodeId))| !fixed && entry == next;
            if fixed.iter().zip(entries.iter().zip(&next)).any(stays) {
                let same = entries.iter().zip(&next).map(|(entry, next)| entry == next);
                fixed = fixed.iter().zip(same).map(|(fixed, same)| *fixed || same).collect();
                continue;
            }
            let mut vars = Vec::new();
            let mut parts = entries.into_iter().zip(next).zip(&fixed);
            for (local, items) in &initial {
                let mut results = Vec::with_capacity(items.len());
                for (initial, ((entry, next), fixed)) in items.iter().zip(&mut parts) {
                    let result = if *fixed { *initial } else { self.graph.phi(repeated.place) };
                    if !fixed {
                        vars.push(Var { entry, initial: *initial, next, result });
                    }
                    results.push(result);
                }
                set(frame, *local, results);
            }
            let (place, rounds, records) = (repeated.place, repeated.rounds, repeated.records.clone());
            let body = Block { effects };
            self.effects.push(Effect::Repeat(Box::new(Repeat { id, place, vars, rounds, records, body, exit })));
            return Ok(());
        }
    }
}

/// A round of a `while`.
struct Round<'h> {
    stmt: &'h Stmt,
    left: LocalId,
    rounds_max: u32,
    body: &'h HirBlock,
    place: PlaceId,
}

pub(super) fn too_many(rounds_max: u32) -> String {
    format!("more than {rounds_max} rounds")
}

/// The variables from outside that the rounds assign.
fn changed(frame: &Frame, mentions: &Mentions) -> Vec<LocalId> {
    let mut changed: Vec<LocalId> = mentions.assigned.clone();
    changed.sort_unstable();
    changed.dedup();
    changed.retain(|local| frame.locals.get(local.index()).is_some_and(Option::is_some));
    changed
}
