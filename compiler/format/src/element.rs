//! What stands between brackets, cut into elements: statements, items, fields, arguments.

use syntax::{TokenKind, Word};

use crate::tree::{Bracket, Node, What};

/// A line of comment above an element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Above<'a> {
    pub(crate) text: &'a str,
    pub(crate) blank: bool,
}

/// An element with the comments that belong to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Element<'a> {
    pub(crate) above: Vec<Above<'a>>,
    pub(crate) nodes: Vec<Node<'a>>,
    /// Whether an empty line stands before the first of `nodes`.
    pub(crate) blank: bool,
    /// What ends it: `,` or `;`.
    pub(crate) separator: Option<TokenKind>,
    /// A comment behind it on its line.
    pub(crate) behind: Option<&'a str>,
}

/// The elements, and a comment right behind the opening bracket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Elements<'a> {
    pub(crate) opening: Option<&'a str>,
    pub(crate) all: Vec<Element<'a>>,
}

impl Elements<'_> {
    /// Whether some comment needs lines of its own here.
    pub(crate) fn has_comments(&self) -> bool {
        self.opening.is_some() || self.all.iter().any(|element| !element.above.is_empty() || element.behind.is_some())
    }
}

/// How elements end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// At commas.
    Commas,
    /// At commas, or with a block behind `=>`.
    Arms,
    /// At semicolons, or with the block of what begins with a word like `if` or `spend`.
    Statements,
}

/// Cuts what stands between brackets.
pub(crate) fn cut<'a>(nodes: &[Node<'a>], ends: Ends) -> Elements<'a> {
    let mut elements = Elements::default();
    let mut current = Element::default();
    for (at, node) in nodes.iter().enumerate() {
        let rest = nodes.get(at + 1..).unwrap_or_default();
        match &node.what {
            What::LineComment(text) | What::BlockComment(text) if current.nodes.is_empty() => {
                let alone = matches!(node.what, What::LineComment(_))
                    || rest.first().map_or(node.breaks > 0, |next| next.breaks > 0);
                let may_go_behind = node.breaks == 0 && current.above.is_empty() && !text.starts_with("///");
                if !alone {
                    begin(&mut current, node);
                } else if !(may_go_behind && goes_behind(&mut elements, text)) {
                    current.above.push(Above { text, blank: node.breaks > 1 });
                }
            }
            What::LineComment(text) if node.breaks == 0 && rest.iter().all(|next| next.is_comment()) => {
                current.behind = Some(text);
                elements.all.push(std::mem::take(&mut current));
            }
            What::Token(kind @ TokenKind::Comma, _) if ends != Ends::Statements => {
                finish(&mut elements, &mut current, Some(*kind));
            }
            What::Token(kind @ TokenKind::Semi, _) if ends == Ends::Statements => {
                finish(&mut elements, &mut current, Some(*kind));
            }
            _ => {
                begin(&mut current, node);
                if ends_here(&current.nodes, rest, ends) {
                    finish(&mut elements, &mut current, None);
                }
            }
        }
    }
    if !current.nodes.is_empty() || !current.above.is_empty() {
        elements.all.push(current);
    }
    elements
}

fn begin<'a>(current: &mut Element<'a>, node: &Node<'a>) {
    if current.nodes.is_empty() {
        current.blank = node.breaks > 1;
    }
    current.nodes.push(node.clone());
}

/// Puts a comment behind the last element, or behind the opening bracket, if nothing is there yet.
fn goes_behind<'a>(elements: &mut Elements<'a>, text: &'a str) -> bool {
    let place = match elements.all.last_mut() {
        Some(last) => &mut last.behind,
        None => &mut elements.opening,
    };
    let free = place.is_none();
    if free {
        *place = Some(text);
    }
    free
}

/// Ends an element. A comment at the end of its last line goes behind what ends it.
fn finish<'a>(elements: &mut Elements<'a>, current: &mut Element<'a>, separator: Option<TokenKind>) {
    current.separator = separator;
    if let Some(Node { what: What::LineComment(text), breaks: 0, .. }) = current.nodes.last() {
        current.behind = Some(text);
        current.nodes.pop();
    }
    elements.all.push(std::mem::take(current));
}

fn ends_here(nodes: &[Node<'_>], rest: &[Node<'_>], ends: Ends) -> bool {
    let Some(last) = nodes.last() else { return false };
    if last.group(Bracket::Brace).is_none() {
        return false;
    }
    let next = rest.iter().find(|node| !node.is_comment());
    match ends {
        Ends::Commas => false,
        Ends::Arms => {
            let arrow = nodes.len().checked_sub(2).and_then(|at| nodes.get(at));
            arrow.is_some_and(|node| node.is(TokenKind::FatArrow))
                && next.is_none_or(|next| !next.is(TokenKind::Comma) && !continues(next))
        }
        Ends::Statements => has_block(nodes) && next.is_none_or(|next| !next.is(TokenKind::Semi) && !continues(next)),
    }
}

/// Whether an expression goes on with this.
fn continues(node: &Node<'_>) -> bool {
    // What begins with a minus is a new expression.
    let operator = node.token().is_some_and(|kind| kind != TokenKind::Minus && crate::space::weakness(kind).is_some());
    operator || goes_on_in_head(node) || node.is_word(Word::Else) || node.is(TokenKind::Dot)
}

/// Whether the braces before this belong to the head of what has a block: a pattern or a value, as in `if let P { x } = p { .. }`.
pub(crate) fn goes_on_in_head(node: &Node<'_>) -> bool {
    node.is(TokenKind::Assign) || node.is_word(Word::In) || node.group(Bracket::Brace).is_some()
}

/// Whether what begins so ends with a block.
pub(crate) fn has_block(nodes: &[Node<'_>]) -> bool {
    let mut words = nodes.iter().filter(|node| !node.is_comment());
    let (Some(first), second) = (words.next(), words.next()) else { return false };
    match first.token() {
        Some(TokenKind::Keyword(word)) => matches!(
            word,
            Word::If
                | Word::For
                | Word::While
                | Word::Match
                | Word::Contract
                | Word::Spend
                | Word::Reward
                | Word::Struct
                | Word::Enum
                | Word::Fn
        ),
        _ => match (first.name(), second) {
            (Some("fails" | "passes"), Some(second)) => {
                second.is(TokenKind::Str) || second.name().is_some() || second.group(Bracket::Brace).is_some()
            }
            (Some("state"), Some(second)) => second.group(Bracket::Brace).is_some(),
            (Some("imi" | "imo" | "model" | "plan" | "test" | "property"), Some(second)) => second.name().is_some(),
            _ => false,
        },
    }
}
