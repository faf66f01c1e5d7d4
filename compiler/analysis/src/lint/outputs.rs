//! What a covenant demands of outputs: that they are its own, that its value stays, that they can exist.

use dashu_int::IBig;
use spec::script::dust_limit_for;
use syntax::{Code, Diagnostic};

use super::Case;
use super::graph::{Marks, Op, Value};
use super::view::Side;
use super::ways::{Compare, What};
use crate::hir::{Builtin, Fact};
use crate::number::grouped;

/// The longest lock that relay accepts, and the longest that only carries data.
const LOCK_BYTES_MAX: usize = 201;
const DATA_BYTES_MAX: usize = 223;
/// The bytes of a lock to the hash of a key, and to the hash of a script.
const P2PKH_BYTES: usize = 25;
const P2SH32_BYTES: usize = 35;
/// What a token adds to an output apart from its commitment: a marker, the category, a bit field, the amount.
const TOKEN_BYTES: usize = 1 + 32 + 1;
/// The opcode that makes an output carry data and nothing else.
const RETURN: u8 = 0x6a;

/// One output could satisfy several coins of the contract.
pub(super) fn shared(case: &Case<'_>) -> Option<Diagnostic> {
    let view = &case.view;
    if view.alone {
        return None;
    }
    let (side, index) = view.sides().find_map(|side| Some((side, fixed_payment(case, side)?)))?;
    let place = case.text_of_output(index);
    let message = format!("{place} could satisfy several coins of `{}` at once", case.contract.name);
    let found = Diagnostic::error(Code::E0414, message, side.known.loc.clone());
    Some(
        found
            .saying("two inputs of this contract would both find this output")
            .label(case.path.loc.clone(), "nothing says which input this is")
            .note("whoever spends two coins together pays for one of them and keeps the other")
            .help(
                "add `require tx.inputs.length == 1;` or `require self.index == 0;`, or read `tx.outputs[self.index]`",
            ),
    )
}

/// The position of an output that the comparison demands something of, if it is the same for every input.
fn fixed_payment(case: &Case<'_>, side: Side<'_>) -> Option<Value> {
    let graph = case.view.graph;
    if !matches!(side.compare, Compare::Equal | Compare::Greater | Compare::GreaterEqual) {
        return None;
    }
    let nothing = match graph.op(side.other) {
        Op::Int(n) => *n == IBig::ZERO,
        Op::Bytes(bytes) => bytes.is_empty(),
        _ => false,
    };
    if nothing || !graph.marks(side.this).meets(Marks::OUTPUT) {
        return None;
    }
    let pays = |value: &Value| match graph.fact(*value) {
        Some((Fact::OutputValue | Fact::OutputTokens | Fact::OutputCategory | Fact::OutputCommitment, Some(index))) => {
            let own = graph.marks(index).meets(Marks::OWN_INDEX) || case.view.is_own(index);
            (!own).then_some(index)
        }
        _ => None,
    };
    graph.all_parts(side.this, 32).iter().find_map(pays)
}

/// Anyone may take the path, and its conditions do not look at what the coin is worth.
pub(super) fn uncapped_fee(case: &Case<'_>) -> Option<Diagnostic> {
    let view = &case.view;
    if view.authorised {
        return None;
    }
    let graph = view.graph;
    let pays = |side: &Side<'_>| {
        side.compare == Compare::Equal
            && matches!(graph.fact(side.this), Some((Fact::OutputLock | Fact::OutputCategory, _)))
    };
    let paid = view.sides().find(pays)?;
    let looks = view.way.known.iter().any(|known| {
        let marks = match known.what {
            What::Compare(_, a, b) => graph.marks(a).and(graph.marks(b)),
            What::True(value) | What::False(value) | What::LockTime(value) | What::Age(value) => graph.marks(value),
        };
        marks.meets(Marks::INPUT_VALUE)
    });
    if looks {
        return None;
    }
    let message = format!("anyone can take `{}` and leave the coin's value to the miner", case.path.name);
    let found = Diagnostic::error(Code::E0418, message, case.path.loc.clone());
    Some(
        found
            .saying("no condition of this path reads `self.value`")
            .label(paid.known.loc.clone(), "this output may hold as little as relay accepts")
            .help("bound what is lost, such as `require tx.outputs[self.index].value >= self.value - 1_000 sats;`"),
    )
}

/// An output of a constant value or lock that no node would relay.
pub(super) fn dust(case: &Case<'_>) -> Option<Diagnostic> {
    case.view.sides().find_map(|side| match case.view.graph.fact(side.this) {
        Some((Fact::OutputValue, Some(index))) => too_small(case, side, index),
        Some((Fact::OutputLock, Some(index))) => too_long(case, side, index),
        _ => None,
    })
}

fn too_small(case: &Case<'_>, side: Side<'_>, index: Value) -> Option<Diagnostic> {
    if side.known.assumed || !matches!(side.compare, Compare::Equal | Compare::Less | Compare::LessEqual) {
        return None;
    }
    let most = case.view.at_most(side.other)?;
    let most = if side.compare == Compare::Less { most - IBig::ONE } else { most };
    let lock = lock_bytes(case, index);
    if matches!(lock, Some(Lock::Data(_))) || (lock.is_none() && most == IBig::ZERO) {
        return None;
    }
    let (lock, which) = match lock {
        Some(Lock::Spendable(len)) => (len, "this lock"),
        _ => (P2PKH_BYTES, "the shortest usual lock"),
    };
    let token = token_bytes(case, index);
    let limit = dust_limit_for(8 + 1 + lock + token);
    let limit_sats = IBig::from(limit.get());
    if most >= limit_sats {
        return None;
    }
    let output = case.text_of_output(index);
    let message = format!("{output} has at most {} sats, which is dust", grouped(&most));
    let with_token = if token > 0 { " with its token" } else { "" };
    let bytes = 8 + 1 + lock + token;
    Some(
        Diagnostic::error(Code::E0422, message, side.known.loc.clone())
            .saying("no node relays a transaction with such an output")
            .note(format!(
                "an output with {which}{with_token} has {bytes} bytes: 3 × ({bytes} + 148) = {} sats",
                grouped(&limit_sats)
            ))
            .help(format!("pay at least {} sats", grouped(&limit_sats))),
    )
}

fn too_long(case: &Case<'_>, side: Side<'_>, index: Value) -> Option<Diagnostic> {
    if side.compare != Compare::Equal {
        return None;
    }
    let (what, len, most) = match lock_of(case, side.other)? {
        Lock::Data(len) => ("data", len, DATA_BYTES_MAX),
        Lock::Spendable(len) => ("a lock", len, LOCK_BYTES_MAX),
    };
    if len <= most {
        return None;
    }
    let output = case.text_of_output(index);
    let message = format!("{output} has {what} of {len} bytes; relay accepts {most}");
    let found = Diagnostic::error(Code::E0422, message, side.known.loc.clone());
    Some(found.saying("no node relays such an output").help("shorten it, or put its hash there"))
}

/// The bytes of a lock, as far as they are known.
#[derive(Clone, Copy)]
enum Lock {
    /// At least so many bytes that only carry data.
    Data(usize),
    Spendable(usize),
}

fn lock_bytes(case: &Case<'_>, index: Value) -> Option<Lock> {
    case.view.equals(Fact::OutputLock, index).find_map(|lock| lock_of(case, lock))
}

fn lock_of(case: &Case<'_>, lock: Value) -> Option<Lock> {
    let graph = case.view.graph;
    match graph.op(lock) {
        Op::Builtin(Builtin::LockP2pkh) => return Some(Lock::Spendable(P2PKH_BYTES)),
        Op::Builtin(Builtin::LockP2sh32) => return Some(Lock::Spendable(P2SH32_BYTES)),
        Op::Fact(Fact::InputLock) if case.view.is_own_fact(lock, Fact::InputLock) => {
            return Some(Lock::Spendable(P2SH32_BYTES));
        }
        _ => {}
    }
    let pieces = case.view.pieces(lock);
    let lens = pieces.iter().map(|piece| graph.ty(*piece).fixed_len().map(|len| len as usize));
    let first = pieces.first().and_then(|piece| match graph.op(*piece) {
        Op::Bytes(bytes) => bytes.first().copied(),
        _ => None,
    })?;
    if first == RETURN {
        return Some(Lock::Data(lens.flatten().sum()));
    }
    lens.sum::<Option<usize>>().map(Lock::Spendable)
}

/// What the token of an output adds to its bytes, at least.
fn token_bytes(case: &Case<'_>, index: Value) -> usize {
    let graph = case.view.graph;
    let has_token = |category: Value| !matches!(graph.op(category), Op::Bytes(bytes) if bytes.is_empty());
    if !case.view.equals(Fact::OutputCategory, index).any(has_token) {
        return 0;
    }
    let commitment = case.view.equals(Fact::OutputCommitment, index).find_map(|commitment| {
        let lens = case.view.pieces(commitment).into_iter().map(|piece| graph.ty(piece).fixed_len());
        lens.sum::<Option<u32>>()
    });
    TOKEN_BYTES + commitment.map_or(0, |len| 1 + len as usize)
}
