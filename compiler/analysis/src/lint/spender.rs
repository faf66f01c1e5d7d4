//! What the spender may choose, and what must not depend on such a choice alone.

use dashu_int::IBig;
use syntax::{Code, Diagnostic};

use super::Case;
use super::graph::{Args, Graph, Marks, Op, Value};
use super::view::{Side, View};
use super::ways::{Compare, Known, What};
use crate::hir::{BinaryOp, Builtin, Fact, Type, UnaryOp};

/// Locks above this many seconds or blocks demand something; the compiler adds smaller bounds itself.
const FIRST_LOCK_TIME: i64 = 500_000_000;

/// Bytes of any length are stored, or joined with others before they are hashed.
pub(super) fn unchecked_length(case: &Case<'_>) -> Option<Diagnostic> {
    let stored = case.view.sides().find_map(|side| unbounded_state(case, side));
    stored.or_else(|| case.view.way.known.iter().find_map(|known| ambiguous(case, known)))
}

fn unbounded_state(case: &Case<'_>, side: Side<'_>) -> Option<Diagnostic> {
    let graph = case.view.graph;
    let commits = matches!(graph.fact(side.this), Some((Fact::OutputCommitment, _)));
    if side.compare != Compare::Equal || !commits {
        return None;
    }
    let loose = |piece: &Value| graph.marks(*piece).meets(Marks::ARG) && !has_known_length(&case.view, *piece);
    let piece = case.view.pieces(side.other).into_iter().find(loose)?;
    let what = case.name_of(piece);
    let message = format!("{what} is stored, but nothing says how long it is");
    let found = Diagnostic::error(Code::E0415, message, side.known.loc.clone());
    Some(
        found
            .saying("stored in the commitment of a token here")
            .label(graph.loc(piece).clone(), "this may have any length")
            .help(format!("declare it as `Bytes<N>`, or add `require {}.length == ..;`", what.trim_matches('`'))),
    )
}

/// A hash or a signed message of several pieces of which at least two may have any length.
fn ambiguous(case: &Case<'_>, known: &Known) -> Option<Diagnostic> {
    let graph = case.view.graph;
    let of: &[Value] = match &known.what {
        What::Compare(_, a, b) => &[*a, *b],
        What::True(value) | What::False(value) => &[*value],
        What::LockTime(_) | What::Age(_) => &[],
    };
    let inside = of.iter().flat_map(|value| graph.all_parts(*value, 256));
    let digested = inside.filter_map(|value| match (graph.op(value), graph.parts(value)) {
        (Op::Builtin(_), [of]) if case.view.is_hash(value) => Some((*of, "hashed")),
        (Op::DataSigned, [_, message, _]) => Some((*message, "signed")),
        _ => None,
    });
    digested.into_iter().find_map(|(of, how)| two_loose_pieces(case, known, of, how))
}

fn two_loose_pieces(case: &Case<'_>, known: &Known, whole: Value, how: &str) -> Option<Diagnostic> {
    let graph = case.view.graph;
    let pieces = case.view.pieces(whole);
    let mut loose = pieces.into_iter().filter(|piece| !has_known_length(&case.view, *piece));
    let (first, second) = (loose.next()?, loose.next()?);
    let chosen = Marks::ARG.and(Marks::OUTPUT).and(Marks::OTHER_INPUT);
    if !graph.marks(first).and(graph.marks(second)).meets(chosen) {
        return None;
    }
    let (a, b) = (case.name_of(first), case.name_of(second));
    let message = format!("{a} and {b} are {how} together, but nothing says where one ends");
    let found = Diagnostic::error(Code::E0415, message, known.loc.clone());
    Some(
        found
            .saying("bytes may move from one to the other and give the same result")
            .label(graph.loc(first).clone(), "this may have any length")
            .label(graph.loc(second).clone(), "and this too")
            .help("fix the length of one, such as by `Bytes<N>` or `.length == ..`, or hash each on its own first"),
    )
}

/// Whether all values that the way allows have one length.
fn has_known_length(view: &View<'_>, piece: Value) -> bool {
    let graph = view.graph;
    let own_lock = matches!(graph.fact(piece), Some((Fact::InputLock, Some(index))) if view.is_own(index));
    if graph.ty(piece).fixed_len().is_some() || own_lock || matches!(graph.op(piece), Op::Bytes(_)) {
        return true;
    }
    let sized = |side: Side<'_>| {
        // The length itself, or the whole against something of one length.
        side.compare == Compare::Equal && (graph.ty(side.other).fixed_len().is_some() || view.is_given(side.other))
    };
    let lengths = view.lengths_of(piece);
    view.of(piece).any(sized)
        || lengths.into_iter().any(|length| view.of(length).any(|side| side.compare == Compare::Equal))
}

/// An output must have a lock that the spender simply names.
pub(super) fn unsafe_destination(case: &Case<'_>) -> Option<Diagnostic> {
    if case.view.authorised {
        return None;
    }
    let graph = case.view.graph;
    let (side, index) = case.view.sides().find_map(|side| match graph.fact(side.this) {
        Some((Fact::OutputLock, Some(index))) => {
            (side.compare == Compare::Equal && is_made_up(case, side.other)).then_some((side, index))
        }
        _ => None,
    })?;
    let what = case.name_of(side.other);
    let place = case.text_of_output(index);
    let message = format!("{place} pays to {what}, which the spender makes up");
    let found = Diagnostic::error(Code::E0417, message, side.known.loc.clone());
    Some(
        found
            .saying("this demands nothing: whoever spends the coin names the lock")
            .help("pay to a parameter, to `p2pkh(..)` or `p2sh32(..)` of a hash, or check the hash of the lock"),
    )
}

/// Whether a lock is bytes of the spender that no other condition reads.
fn is_made_up(case: &Case<'_>, lock: Value) -> bool {
    let graph = case.view.graph;
    let raw = |piece: &Value| matches!(graph.op(*piece), Op::Arg(_)) && graph.ty(*piece).fixed_len().is_none();
    let Some(piece) = case.view.pieces(lock).into_iter().find(raw) else { return false };
    let args = graph.args(piece);
    let elsewhere = |known: &Known| {
        let about_lock = |value: Value| matches!(graph.fact(value), Some((Fact::OutputLock, _)));
        match known.what {
            What::Compare(_, a, b) if about_lock(a) || about_lock(b) => false,
            What::Compare(_, a, b) => graph.args(a).and(graph.args(b)).meets(args),
            What::True(value) | What::False(value) | What::LockTime(value) | What::Age(value) => {
                graph.args(value).meets(args)
            }
        }
    };
    !case.view.way.known.iter().any(elsewhere)
}

/// A signed message is all that is demanded, and it would do for any other coin.
pub(super) fn unbound_attestation(case: &Case<'_>) -> Option<Diagnostic> {
    let view = &case.view;
    let graph = view.graph;
    let attested = |known: &Known| match known.what {
        What::True(value) if *graph.op(value) == Op::DataSigned && view.is_signature(value) => Some(value),
        _ => None,
    };
    let signed_otherwise = |known: &Known| matches!(known.what, What::True(value) if *graph.op(value) != Op::DataSigned && view.is_signature(value));
    if view.way.known.iter().any(signed_otherwise) || view.sides().any(|side| view.is_authority(side)) {
        return None;
    }
    let (known, message) = view.way.known.iter().find_map(|known| {
        let value = attested(known)?;
        Some((known, *graph.parts(value).get(1)?))
    })?;
    if !graph.marks(message).meets(Marks::ARG.and(Marks::OUTPUT)) || is_tied(view, message) {
        return None;
    }
    let text = "this signed message would do for other coins too";
    let found = Diagnostic::error(Code::E0419, text, known.loc.clone());
    Some(
        found
            .saying("nothing in the message belongs to this coin alone")
            .note("the signature is all that this path demands, so whoever has seen it once can show it again")
            .help("let the message begin with `self.txid + bytes(tx.inputs[self.index].index, 4)`, or with a number of the state that grows"),
    )
}

/// Whether a message, or something that must equal a part of it, belongs to the coin.
fn is_tied(view: &View<'_>, message: Value) -> bool {
    let graph = view.graph;
    let own = Marks::OWN_OUTPOINT.and(Marks::OWN_TOKEN).and(Marks::OWN_STATE);
    let args = graph.args(message);
    graph.marks(message).meets(own)
        || view.sides().any(|side| {
            side.compare == Compare::Equal && graph.args(side.this).meets(args) && graph.marks(side.other).meets(own)
        })
}

/// An amount or a deadline of which nothing is demanded but what the spender says of it.
pub(super) fn trust_argument(case: &Case<'_>) -> Option<Diagnostic> {
    let view = &case.view;
    let shared = Uses::of(view);
    view.way.known.iter().find_map(|known| {
        let (value, locks) = match known.what {
            What::Compare(compare, a, b) if compare.is_order() || is_equation_of_amounts(view.graph, compare, a, b) => {
                return [a, b].into_iter().find_map(|side| decided_alone(case, known, side, shared.twice, false));
            }
            What::LockTime(value) | What::Age(value) => (value, true),
            _ => return None,
        };
        decided_alone(case, known, value, shared.beside_locks, locks)
    })
}

/// Whether an amount of an output is fixed: who chooses the other side chooses the output to fit.
fn is_equation_of_amounts(graph: &Graph, compare: Compare, a: Value, b: Value) -> bool {
    let amount = |value| matches!(graph.fact(value), Some((Fact::OutputValue | Fact::OutputTokens, _)));
    compare == Compare::Equal && (amount(a) || amount(b))
}

fn decided_alone(case: &Case<'_>, known: &Known, value: Value, tied: Args, locks: bool) -> Option<Diagnostic> {
    let graph = case.view.graph;
    let is_free = |arg: &Value| has_unit(graph.ty(*arg)) && !graph.args(*arg).meets(tied);
    let arg = added(graph, value).into_iter().find(|part| matches!(graph.op(*part), Op::Arg(_)) && is_free(part))?;
    let name = case.name_of(arg);
    let message = match locks {
        true => format!("{name} alone decides how long this waits"),
        false => format!("{name} alone decides whether this holds"),
    };
    let found = Diagnostic::error(Code::E0420, message, known.loc.clone());
    Some(
        found
            .saying("the spender chooses a value that fits")
            .label(graph.loc(arg).clone(), "an argument, and nothing else is demanded of it")
            .help(format!("make {name} a parameter of `{}`, or bound it by one", case.contract.name)),
    )
}

/// The numbers that a value grows or shrinks with one to one.
fn added(graph: &Graph, value: Value) -> Vec<Value> {
    let mut out = Vec::new();
    let mut waiting = vec![value];
    while let Some(next) = waiting.pop().filter(|_| out.len() < 64) {
        match (graph.op(next), graph.parts(next)) {
            (Op::Binary(BinaryOp::Add | BinaryOp::Sub), parts) => waiting.extend(parts),
            (Op::Unary(UnaryOp::Neg) | Op::Builtin(Builtin::AgeUnits), parts) => waiting.extend(parts),
            _ => out.push(next),
        }
    }
    out
}

fn has_unit(ty: &Type) -> bool {
    matches!(ty, Type::Coin | Type::Tokens | Type::Height | Type::Time | Type::Blocks | Type::Duration)
}

/// In how many conditions arguments stand.
struct Uses {
    /// In two or more.
    twice: Args,
    /// In one that is no time lock and no bound that the compiler added to one.
    beside_locks: Args,
}

impl Uses {
    fn of(view: &View<'_>) -> Uses {
        let graph = view.graph;
        let (mut once, mut twice, mut beside_locks) = (Args::default(), Args::default(), Args::default());
        for known in &view.way.known {
            let (args, counts) = match known.what {
                What::Compare(compare, a, b) => (graph.args(a).and(graph.args(b)), !is_guard(graph, compare, a, b)),
                What::True(value) | What::False(value) => (graph.args(value), true),
                What::LockTime(value) | What::Age(value) => (graph.args(value), false),
            };
            twice = twice.and(args.common(once));
            once = once.and(args);
            if counts {
                beside_locks = beside_locks.and(args);
            }
        }
        Uses { twice, beside_locks }
    }
}

/// Whether the comparison only says that a number can be a lock time at all.
fn is_guard(graph: &Graph, compare: Compare, a: Value, b: Value) -> bool {
    let Some(n) = graph.int(b).filter(|_| matches!(graph.op(a), Op::Arg(_) | Op::Builtin(_) | Op::Binary(_))) else {
        return false;
    };
    match compare {
        Compare::Less | Compare::LessEqual => true,
        Compare::GreaterEqual | Compare::Greater => *n <= IBig::ZERO || *n == IBig::from(FIRST_LOCK_TIME),
        Compare::Equal | Compare::NotEqual => false,
    }
}
