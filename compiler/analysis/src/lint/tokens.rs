//! Tokens that give power: who carries them on, and whether they are what they seem.

use dashu_int::IBig;
use syntax::{Code, Diagnostic};

use super::Case;
use super::graph::{Marks, Op, Value};
use super::view::Side;
use super::ways::{Compare, Round};
use crate::hir::{Builtin, Fact, Type};

/// The bytes of a category without its capability.
const CATEGORY_BYTES: u32 = 32;
/// The last byte of the category of a mutable token.
const MUTABLE: u8 = 1;

/// A path of a contract with state on which the state goes wherever the spender wants.
pub(super) fn state_unchecked(case: &Case<'_>) -> Option<Diagnostic> {
    case.contract.state.as_ref()?;
    if case.view.sides().any(|side| is_continuation(case, side)) || ends_everywhere(case) {
        return None;
    }
    let message = format!("`{}` neither continues the state nor ends it", case.path.name);
    let found = Diagnostic::error(Code::E0424, message, case.path.loc.clone());
    Some(
        found
            .saying("the token with the state may go to any output")
            .note("whoever holds the token outside of the contract can write any state into it and come back")
            .help("add `continue { .. };` to carry it on, or `end;` to prove that no output has it"),
    )
}

/// An output that nobody looks at could carry the contract's token.
pub(super) fn unaccounted(case: &Case<'_>) -> Option<Diagnostic> {
    let view = &case.view;
    let trouble = if case.contract.state.is_some() {
        // State changes, so its token is mutable; only what the path mints shows that it is more.
        mints(case)?
    } else {
        let reads = view.sides().find(|side| holds_power(case, *side))?;
        if is_fungible(case)
            || counts_amounts(case)
            || (is_mutable(case) && view.sides().any(|side| is_continuation(case, side)))
        {
            return None;
        }
        reads
    };
    if ends_everywhere(case) || is_enumerated(case) {
        return None;
    }
    let message = format!("`{}` lets outputs that it does not look at carry the contract's token", case.path.name);
    let found = Diagnostic::error(Code::E0413, message, case.path.loc.clone());
    let counted = match (&view.outputs_max, looked_at(case).len()) {
        (Some(most), seen) => {
            format!("outputs that the transaction may have: {most}; outputs whose category is checked: {seen}")
        }
        (None, seen) => format!("nothing bounds `tx.outputs.length`; outputs whose category is checked: {seen}"),
    };
    Some(
        found
            .saying("a mutable or minting token could leave by another output")
            .label(trouble.known.loc.clone(), "the token of the coin is read here")
            .note(counted)
            .help("bound `tx.outputs.length` and check the category of each output; for a token that cannot mint, add `require self.token.capability == mutable;`"),
    )
}

/// A token or a coin is believed for less than what makes it genuine.
pub(super) fn capability(case: &Case<'_>) -> Option<Diagnostic> {
    case.view.sides().find_map(|side| prefix_only(case, side).or_else(|| any_category(case, side)))
}

/// The coin goes on with its category compared, but not its capability.
fn prefix_only(case: &Case<'_>, side: Side<'_>) -> Option<Diagnostic> {
    let view = &case.view;
    let (Fact::OutputCategory, Some(index)) = case.view.graph.read(side.this)? else { return None };
    if view.graph.fact(side.this).is_some() || side.compare != Compare::Equal || !comes_back(case, index) {
        return None;
    }
    let rest = |other: Side<'_>| *view.graph.op(other.this) != Op::Builtin(Builtin::Prefix) && other.this != side.this;
    if view.about(Fact::OutputCategory, index).any(rest) {
        return None;
    }
    let message = format!("{} is compared by category only, whatever its capability", case.text_of_output(index));
    let found = Diagnostic::error(Code::E0416, message, side.known.loc.clone());
    Some(
        found
            .saying("only the first 32 bytes are compared")
            .note("the 33rd byte of a category says whether the token is mutable or minting")
            .help("compare the whole: `require tx.outputs[..].token.category == self.token.category;`"),
    )
}

/// An amount or a commitment counts although any token could have it.
fn any_category(case: &Case<'_>, side: Side<'_>) -> Option<Diagnostic> {
    let graph = case.view.graph;
    let nothing = matches!(graph.op(side.other), Op::Int(n) if *n == IBig::ZERO);
    let demands = matches!(side.compare, Compare::Equal | Compare::Greater | Compare::GreaterEqual) && !nothing;
    if !demands {
        return None;
    }
    let looks = |value: &Value| match graph.fact(*value) {
        Some((fact @ (Fact::OutputTokens | Fact::InputTokens | Fact::InputCommitment), Some(index))) => {
            let own = !matches!(fact, Fact::OutputTokens) && case.view.is_own(index);
            (!own && !has_category(case, fact, index)).then_some((fact, index))
        }
        _ => None,
    };
    let (fact, index) = graph.all_parts(side.this, 32).iter().find_map(looks)?;
    let (what, list) = match fact {
        Fact::OutputTokens => ("the amount", "outputs"),
        Fact::InputTokens => ("the amount", "inputs"),
        _ => ("the commitment", "inputs"),
    };
    let place = case.text_of_coin(list, index);
    let message = format!("{what} of {place}'s token counts, whatever token it is");
    let found = Diagnostic::error(Code::E0416, message, side.known.loc.clone());
    Some(
        found
            .saying("a token that anyone has made would do")
            .note("a lock does not say who made a coin: anyone can send any token to it")
            .help(format!("say which token, by `require {}.token.category == ..;`", place.trim_matches('`'))),
    )
}

/// Whether the path compares the whole category of the coin with this token.
fn has_category(case: &Case<'_>, fact: Fact, index: Value) -> bool {
    let of = if fact == Fact::OutputTokens { Fact::OutputCategory } else { Fact::InputCategory };
    // For an amount the kind of token is enough; a commitment can be rewritten by who holds a mutable token.
    let prefix_is_enough = fact != Fact::InputCommitment;
    let whole = |side: &Side<'_>| case.view.graph.fact(side.this).is_some();
    case.view.about(of, index).any(|side| side.compare == Compare::Equal && (prefix_is_enough || whole(&side)))
}

/// Whether a value is the category of the coin, or must equal it.
fn is_own_category(case: &Case<'_>, value: Value) -> bool {
    let is_own = |value| case.view.is_own_fact(value, Fact::InputCategory);
    is_own(value) || case.view.of(value).any(|side| side.compare == Compare::Equal && is_own(side.other))
}

/// Whether an output's category is the coin's, capability included.
fn is_continuation(case: &Case<'_>, side: Side<'_>) -> bool {
    let output = matches!(case.view.graph.fact(side.this), Some((Fact::OutputCategory, _)));
    side.compare == Compare::Equal && output && is_own_category(case, side.other)
}

/// Whether the output has the contract's own lock.
fn comes_back(case: &Case<'_>, index: Value) -> bool {
    case.view.equals(Fact::OutputLock, index).any(|lock| case.view.is_own_fact(lock, Fact::InputLock))
}

/// Whether the comparison reads of the coin's token what only a token with a capability changes.
fn holds_power(case: &Case<'_>, side: Side<'_>) -> bool {
    let graph = case.view.graph;
    if graph.marks(side.this).meets(Marks::OWN_STATE) {
        return true;
    }
    // To compare the kind alone is what a path does with fungible tokens.
    let kind_alone = is_short(graph.ty(side.other)) || matches!(graph.op(side.other), Op::Bytes(_));
    is_own_category(case, side.this) && !kind_alone
}

fn is_short(ty: &Type) -> bool {
    ty.fixed_len() == Some(CATEGORY_BYTES)
}

/// Whether the path deals with amounts of the coin's token and never with a commitment.
fn counts_amounts(case: &Case<'_>) -> bool {
    let graph = case.view.graph;
    let commits = |side: Side<'_>| {
        let output = matches!(graph.read(side.this), Some((Fact::OutputCommitment, _)));
        output || graph.marks(side.this).meets(Marks::OWN_STATE)
    };
    case.view.sides().any(|side| graph.marks(side.this).meets(Marks::OWN_AMOUNT)) && !case.view.sides().any(commits)
}

/// Whether the coin's token is proved to have no capability.
fn is_fungible(case: &Case<'_>) -> bool {
    let graph = case.view.graph;
    case.view.sides().any(|side| {
        let short = match graph.op(side.other) {
            Op::Bytes(bytes) => bytes.len() <= CATEGORY_BYTES as usize,
            _ => is_short(graph.ty(side.other)),
        };
        let none = capability_is(case, side, 0);
        side.compare == Compare::Equal && (none || (is_own_category(case, side.this) && short))
    })
}

/// Whether the coin's token is proved to be mutable, and so not minting.
fn is_mutable(case: &Case<'_>) -> bool {
    let graph = case.view.graph;
    case.view.sides().any(|side| {
        let last = case.view.pieces(side.other).last().copied().unwrap_or(side.other);
        let ends_mutable = matches!(graph.op(last), Op::Bytes(bytes) if bytes.last() == Some(&MUTABLE));
        let long = graph.ty(side.other).fixed_len() == Some(CATEGORY_BYTES + 1);
        let whole = is_own_category(case, side.this) && long && ends_mutable;
        side.compare == Compare::Equal && (whole || capability_is(case, side, MUTABLE))
    })
}

/// Whether the comparison says that the last byte of the coin's category is this one.
fn capability_is(case: &Case<'_>, side: Side<'_>, wanted: u8) -> bool {
    let graph = case.view.graph;
    let of_own = match (graph.op(side.this), graph.parts(side.this)) {
        (Op::Builtin(Builtin::ToInt | Builtin::Suffix | Builtin::Slice), [inner, ..]) => {
            graph.all_parts(*inner, 4).into_iter().chain([*inner]).any(|part| is_own_category(case, part))
        }
        _ => false,
    };
    let is = match graph.op(side.other) {
        Op::Int(n) => *n == IBig::from(wanted),
        Op::Bytes(bytes) if wanted == 0 => bytes.is_empty(),
        Op::Bytes(bytes) => **bytes == [wanted],
        _ => false,
    };
    of_own && is && side.compare == Compare::Equal
}

/// What shows that the path makes new tokens of the coin's category.
fn mints<'g>(case: &'g Case<'_>) -> Option<Side<'g>> {
    let graph = case.view.graph;
    let sides = || case.view.sides();
    let commits = |index: Value| case.view.about(Fact::OutputCommitment, index).next().is_some();
    sides().find(|side| {
        let Some((Fact::OutputCategory, Some(index))) = case.view.graph.read(side.this) else {
            return capability_is(case, *side, 2);
        };
        side.compare == Compare::Equal
            && !is_continuation(case, *side)
            && graph.marks(side.other).meets(Marks::OWN_TOKEN)
            && commits(index)
    })
}

/// Whether a loop over all outputs compares the category of each.
fn ends_everywhere(case: &Case<'_>) -> bool {
    let graph = case.view.graph;
    let over_all = |round: &Round, index: Value| {
        let all = round
            .bounds
            .is_some_and(|(from, to)| graph.small(from) == Some(0) && *graph.op(to) == Op::Fact(Fact::OutputCount));
        all && round.index == Some(index)
    };
    case.view.sides().any(|side| match case.view.graph.read(side.this) {
        Some((Fact::OutputCategory, Some(index))) => side.known.loops.iter().any(|round| over_all(round, index)),
        _ => false,
    })
}

/// The outputs whose category a comparison looks at.
fn looked_at(case: &Case<'_>) -> std::collections::BTreeSet<Value> {
    let looked = |side: Side<'_>| match case.view.graph.read(side.this) {
        Some((Fact::OutputCategory, Some(index))) if side.known.loops.is_empty() => Some(index),
        _ => None,
    };
    case.view.sides().filter_map(looked).collect()
}

/// Whether every output that the transaction may have is looked at.
fn is_enumerated(case: &Case<'_>) -> bool {
    case.view.outputs_max.as_ref().is_some_and(|most| *most <= IBig::from(looked_at(case).len()))
}
