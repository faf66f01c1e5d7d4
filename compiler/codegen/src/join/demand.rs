//! Checks that cannot both hold.

use spec::Opcode;

use crate::mir::{Graph, NodeId, Operation};

/// What is said of two values: which of less, equal and greater may be.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Relation {
    left: NodeId,
    right: NodeId,
    /// Less, equal, greater.
    may: [bool; 3],
    /// Whether it is about bytes, which are nothing but equal or not.
    of_bytes: bool,
}

/// Whether two conditions cannot both hold.
pub(super) fn rules_out(graph: &Graph, a: NodeId, b: NodeId) -> bool {
    let (Some(a), Some(b)) = (relation(graph, a, true), relation(graph, b, true)) else { return false };
    apart(a, b) || bounds_apart(graph, a, b)
}

/// Whether exactly one of two conditions holds.
pub(super) fn opposite(graph: &Graph, a: NodeId, b: NodeId) -> bool {
    let (Some(a), Some(b)) = (relation(graph, a, true), relation(graph, b, true)) else { return false };
    let covers = |a: Relation, b: Relation| a.may.iter().zip(b.may).all(|(a, b)| *a || b);
    apart(a, b) && [Some(b), turned(b)].into_iter().flatten().any(|b| same_pair(a, b) && covers(a, b))
}

fn same_pair(a: Relation, b: Relation) -> bool {
    a.left == b.left && a.right == b.right && a.of_bytes == b.of_bytes
}

/// The same with its sides exchanged.
fn turned(of: Relation) -> Option<Relation> {
    let [less, equal, greater] = of.may;
    Some(Relation { left: of.right, right: of.left, may: [greater, equal, less], of_bytes: of.of_bytes })
}

fn apart(a: Relation, b: Relation) -> bool {
    let meet = |b: Relation| a.may.iter().zip(b.may).any(|(a, b)| *a && b);
    [Some(b), turned(b)].into_iter().flatten().any(|b| same_pair(a, b) && !meet(b))
}

/// Whether two conditions on one value leave it no place.
fn bounds_apart(graph: &Graph, a: Relation, b: Relation) -> bool {
    let (Some((x, first)), Some((y, second))) = (bounds(graph, a), bounds(graph, b)) else { return false };
    if x != y || a.of_bytes != b.of_bytes {
        return false;
    }
    match (first, second) {
        (Bounds::Is(one), Bounds::Is(other)) => one != other,
        (Bounds::Within(low, high), Bounds::Within(other_low, other_high)) => low > other_high || other_low > high,
        (Bounds::Is(_), Bounds::Within(..)) | (Bounds::Within(..), Bounds::Is(_)) => false,
    }
}

/// Where a value lies.
enum Bounds<'g> {
    /// It is these bytes.
    Is(&'g [u8]),
    /// It is a number from the first to the last.
    Within(i128, i128),
}

fn bounds(graph: &Graph, of: Relation) -> Option<(NodeId, Bounds<'_>)> {
    let of = if graph.as_const(of.left).is_some() { turned(of)? } else { of };
    let data = graph.as_const(of.right)?;
    if of.of_bytes {
        return (of.may == [false, true, false]).then_some((of.left, Bounds::Is(data)));
    }
    let n = i128::from(spec::num::decode(data)?);
    let (low, high) = match of.may {
        [false, true, false] => (n, n),
        [true, true, false] => (i128::MIN, n),
        [true, false, false] => (i128::MIN, n - 1),
        [false, true, true] => (n, i128::MAX),
        [false, false, true] => (n + 1, i128::MAX),
        _ => return None,
    };
    Some((of.left, Bounds::Within(low, high)))
}

fn relation(graph: &Graph, of: NodeId, holds: bool) -> Option<Relation> {
    let (Operation::Op(opcode), inputs) = graph.as_op(of)? else { return None };
    let may = match opcode {
        Opcode::NumEqual | Opcode::Equal => [false, true, false],
        Opcode::NumNotEqual => [true, false, true],
        Opcode::LessThan => [true, false, false],
        Opcode::LessThanOrEqual => [true, true, false],
        Opcode::GreaterThan => [false, false, true],
        Opcode::GreaterThanOrEqual => [false, true, true],
        Opcode::Not => return relation(graph, *inputs.first()?, !holds),
        _ => return None,
    };
    let [left, right] = *inputs else { return None };
    Some(Relation { left, right, may: may.map(|may| may == holds), of_bytes: opcode == Opcode::Equal })
}
