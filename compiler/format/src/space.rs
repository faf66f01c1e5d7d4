//! Whether a space stands between two things on one line.

use syntax::{TokenKind, Word};

use crate::tree::{Bracket, Node, What};

/// Whether the node can be what an operator, a call or an index belongs to.
pub(crate) fn is_operand(node: &Node<'_>) -> bool {
    match &node.what {
        What::Token(kind, _) => matches!(
            kind,
            TokenKind::Ident
                | TokenKind::Int
                | TokenKind::Decimal
                | TokenKind::Percent
                | TokenKind::Bytes
                | TokenKind::Str
                | TokenKind::Keyword(Word::SelfWord | Word::Tx | Word::True | Word::False)
        ),
        What::Group(_) => true,
        What::LineComment(_) | What::BlockComment(_) => false,
    }
}

/// How weakly an operator binds, 0 the weakest. A minus may also be a sign, which the caller knows.
pub(crate) fn weakness(kind: TokenKind) -> Option<u8> {
    Some(match kind {
        TokenKind::OrOr => 0,
        TokenKind::AndAnd => 1,
        TokenKind::Eq | TokenKind::Ne | TokenKind::Lt | TokenKind::Le | TokenKind::Gt | TokenKind::Ge => 2,
        TokenKind::Or => 3,
        TokenKind::Caret => 4,
        TokenKind::And => 5,
        TokenKind::Shl | TokenKind::Shr => 6,
        TokenKind::Plus | TokenKind::Minus => 7,
        TokenKind::Star | TokenKind::Slash | TokenKind::Keyword(Word::Mod) => 8,
        _ => return None,
    })
}

/// Whether the node at `at` is an operator between two operands. A fraction like `1/2` is one operand if it was written so.
pub(crate) fn is_binary(nodes: &[Node<'_>], at: usize) -> bool {
    let Some(node) = nodes.get(at) else { return false };
    node.token().and_then(weakness).is_some() && !is_fraction(nodes, at) && before(nodes, at).is_some_and(is_operand)
}

/// Whether the node at `at` is the line of a fraction.
fn is_fraction(nodes: &[Node<'_>], at: usize) -> bool {
    let (Some(left), Some(line), Some(right)) =
        (at.checked_sub(1).and_then(|left| nodes.get(left)), nodes.get(at), nodes.get(at + 1))
    else {
        return false;
    };
    let tight = !line.apart && !right.apart;
    tight && line.is(TokenKind::Slash) && left.is(TokenKind::Int) && right.is(TokenKind::Int)
}

fn before<'n, 'a>(nodes: &'n [Node<'a>], at: usize) -> Option<&'n Node<'a>> {
    nodes.get(..at)?.iter().rev().find(|node| !node.is_comment())
}

/// Whether a space stands between the nodes at `at` and before it.
pub(crate) fn between(nodes: &[Node<'_>], at: usize) -> bool {
    let (Some(left), Some(right)) = (at.checked_sub(1).and_then(|left| nodes.get(left)), nodes.get(at)) else {
        return false;
    };
    if left.is_comment() || right.is_comment() {
        return true;
    }
    match &right.what {
        What::Group(group) => before_group(nodes, at, left, group.bracket),
        What::Token(kind, _) => before_token(nodes, at, left, *kind),
        What::LineComment(_) | What::BlockComment(_) => true,
    }
}

fn before_group(nodes: &[Node<'_>], at: usize, left: &Node<'_>, bracket: Bracket) -> bool {
    match bracket {
        Bracket::Brace => !left.is(TokenKind::PathSep),
        Bracket::Angle => false,
        Bracket::Paren | Bracket::Square => {
            let before = at.checked_sub(2).and_then(|at| nodes.get(at)).and_then(Node::name);
            let apart = match left.name() {
                // `2 of [..]` is no index, and `output data [..]` neither.
                Some("of") => bracket == Bracket::Square,
                Some("data" | "each") => before == Some("output"),
                _ => begins_code(nodes, at),
            };
            if is_operand(left) { apart } else { !holds_fast(nodes, at - 1) }
        }
    }
}

/// Whether the group at `at` holds what bytecode written by hand takes: `asm (a: Int) -> Int { .. }`, and no call of a function of that name.
pub(crate) fn begins_code(nodes: &[Node<'_>], at: usize) -> bool {
    let named = at.checked_sub(1).and_then(|at| nodes.get(at)).is_some_and(|node| node.name() == Some("asm"));
    let paren = nodes.get(at).is_some_and(|node| node.group(Bracket::Paren).is_some());
    let next = nodes.get(at + 1);
    named && paren && next.is_some_and(|next| next.is(TokenKind::Arrow) || next.group(Bracket::Brace).is_some())
}

fn before_token(nodes: &[Node<'_>], at: usize, left: &Node<'_>, kind: TokenKind) -> bool {
    match kind {
        TokenKind::Comma | TokenKind::Semi | TokenKind::Colon | TokenKind::PathSep => false,
        // `t.0 .1` would be another token without its space.
        TokenKind::Dot => {
            left.is(TokenKind::Int)
                && at.checked_sub(2).and_then(|at| nodes.get(at)).is_some_and(|node| node.is(TokenKind::Dot))
                && nodes.get(at + 1).is_some_and(|node| node.is(TokenKind::Int))
        }
        TokenKind::Range => is_wide_range(nodes, at),
        TokenKind::Assign if ends_inclusive(nodes, at) => false,
        _ if is_fraction(nodes, at) || is_fraction(nodes, at - 1) => false,
        _ => !holds_fast(nodes, at - 1),
    }
}

/// Whether spaces stand around the `..` at `at`: in `a ..= b`, and where a bound has spaces of its own, as in `1 coin .. 2 coin`.
fn is_wide_range(nodes: &[Node<'_>], at: usize) -> bool {
    let left = (1..at).rev().map_while(|right| space_in_bound(nodes, right));
    let right = (at + 2..nodes.len()).map_while(|right| space_in_bound(nodes, right));
    ends_inclusive(nodes, at + 1) || left.chain(right).any(|space| space)
}

/// Whether a space stands before the node at `right`, if it belongs to one bound of a range with the node before it.
fn space_in_bound(nodes: &[Node<'_>], right: usize) -> Option<bool> {
    let pair = nodes.get(right.checked_sub(1)?..=right)?;
    let ends = |node: &Node<'_>| node.group(Bracket::Brace).is_some() || matches!(node.name(), Some("max" | "where"));
    let is_path = |node: &Node<'_>| node.is(TokenKind::Dot) || node.is(TokenKind::PathSep);
    let joins = pair.iter().all(is_operand)
        || pair.iter().any(is_path)
        || is_binary(nodes, right)
        || is_binary(nodes, right - 1);
    (joins && !pair.iter().any(ends)).then(|| between(nodes, right))
}

/// Whether the node at `at` is the `=` of `..=`.
pub(crate) fn ends_inclusive(nodes: &[Node<'_>], at: usize) -> bool {
    let Some(equals) = nodes.get(at) else { return false };
    let range = at.checked_sub(1).and_then(|before| nodes.get(before)).is_some_and(|node| node.is(TokenKind::Range));
    range && equals.is(TokenKind::Assign)
}

/// Whether nothing stands between the node at `at` and the next: it is a sign, a point or a path.
fn holds_fast(nodes: &[Node<'_>], at: usize) -> bool {
    let Some(node) = nodes.get(at) else { return false };
    match node.token() {
        Some(TokenKind::Dot | TokenKind::PathSep | TokenKind::Bang | TokenKind::Tilde) => true,
        Some(TokenKind::Range) => !is_wide_range(nodes, at),
        Some(TokenKind::Minus) => !is_binary(nodes, at),
        _ => false,
    }
}
