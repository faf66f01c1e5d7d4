//! Fewer checks that say the same: one that was made before is not made again, and two of one value, at least this and at
//! most that, become one: `x >= a` and `x <= b` are `OP_WITHIN`.

use std::collections::BTreeSet;

use dashu_int::IBig;
use spec::Opcode;

use crate::lower::Notes;
use crate::mir::{Block, Effect, Graph, NodeId, Operation, Path};
use crate::number;

/// Leaves checks out and joins them, in all blocks of a path.
pub(crate) fn fewer_checks(path: &mut Path, notes: &mut Notes) {
    let Path { graph, body, .. } = path;
    once(body, &mut BTreeSet::new());
    block(graph, body, notes);
}

/// Leaves out what has been checked before, in this block or around it.
fn once(of: &mut Block, known: &mut BTreeSet<NodeId>) {
    let mut own = Vec::new();
    of.effects.retain_mut(|effect| match effect {
        Effect::Verify { value, .. } => {
            let is_new = known.insert(*value);
            own.extend(is_new.then_some(*value));
            is_new
        }
        Effect::Choose(choice) => {
            once(&mut choice.then, known);
            once(&mut choice.otherwise, known);
            true
        }
        Effect::Repeat(repeat) => {
            once(&mut repeat.body, known);
            true
        }
        Effect::Lock { .. } | Effect::Run(_) => true,
    });
    for value in own {
        known.remove(&value);
    }
}

fn block(graph: &mut Graph, of: &mut Block, notes: &mut Notes) {
    for effect in &mut of.effects {
        match effect {
            Effect::Choose(choice) => {
                block(graph, &mut choice.then, notes);
                block(graph, &mut choice.otherwise, notes);
            }
            Effect::Repeat(repeat) => block(graph, &mut repeat.body, notes),
            Effect::Verify { .. } | Effect::Lock { .. } | Effect::Run(_) => {}
        }
    }
    let mut at = 0;
    while at + 1 < of.effects.len() {
        if !joined_with_next(graph, of, at, notes) {
            at += 1;
        }
    }
}

/// Joins the check at `at` with the one behind it, if they are two bounds of one value.
fn joined_with_next(graph: &mut Graph, of: &mut Block, at: usize, notes: &mut Notes) -> bool {
    let Some([Effect::Verify { value: a, site: first, .. }, Effect::Verify { value: b, site: second, place }]) =
        of.effects.get(at..at + 2)
    else {
        return false;
    };
    let (place, Some(first), Some(second)) = (*place, *first, *second) else { return false };
    let Some((value, low, high)) = bound(graph, *a).zip(bound(graph, *b)).and_then(|both| match both {
        ((x, Bound::From(low)), (y, Bound::Below(high))) | ((x, Bound::Below(high)), (y, Bound::From(low)))
            if x == y && low < high =>
        {
            Some((x, low, high))
        }
        _ => None,
    }) else {
        return false;
    };
    let [low, high] = [low, high].map(|n| graph.bytes(number::encode(&n), place));
    let value = graph.op(Opcode::Within, &[value, low, high], place);
    let site = Some(notes.hashed(vec![(first, Vec::new()), (second, Vec::new())]));
    of.effects.remove(at + 1);
    if let Some(effect) = of.effects.get_mut(at) {
        *effect = Effect::Verify { value, site, place };
    }
    true
}

enum Bound {
    /// At least this.
    From(IBig),
    /// Less than this.
    Below(IBig),
}

/// What a comparison with a constant says of which value.
fn bound(graph: &Graph, condition: NodeId) -> Option<(NodeId, Bound)> {
    let (Operation::Op(opcode), [x, n]) = graph.as_op(condition)? else { return None };
    let n = graph.number(*n).filter(|_| graph.as_const(*x).is_none())?;
    let bound = match opcode {
        Opcode::GreaterThanOrEqual => Bound::From(n),
        Opcode::GreaterThan => Bound::From(n + IBig::ONE),
        Opcode::LessThan => Bound::Below(n),
        Opcode::LessThanOrEqual => Bound::Below(n + IBig::ONE),
        _ => return None,
    };
    Some((*x, bound))
}
