//! Tokens to a tree of brackets, with comments in it. Spaces are forgotten, but for how many lines they break.

use syntax::{TokenKind, Tokens, Word};

/// A token, a comment, or a pair of brackets with what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) what: What<'a>,
    /// Line breaks before it in the source: 0, 1, or 2 for more.
    pub(crate) breaks: u8,
    /// Whether there was anything at all between it and what stands before.
    pub(crate) apart: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum What<'a> {
    /// A token that means something.
    Token(TokenKind, &'a str),
    /// `// ...`, `/// ...` or `//! ...`
    LineComment(&'a str),
    /// `/* ... */`
    BlockComment(&'a str),
    Group(Group<'a>),
}

#[derive(Clone, Debug)]
pub(crate) struct Group<'a> {
    pub(crate) bracket: Bracket,
    pub(crate) nodes: Vec<Node<'a>>,
    /// Line breaks before the closing bracket.
    pub(crate) breaks: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bracket {
    Paren,
    Square,
    Brace,
    /// `<` and `>` around types.
    Angle,
}

impl Bracket {
    pub(crate) fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::Paren => ("(", ")"),
            Self::Square => ("[", "]"),
            Self::Brace => ("{", "}"),
            Self::Angle => ("<", ">"),
        }
    }
}

impl<'a> Node<'a> {
    pub(crate) fn token(&self) -> Option<TokenKind> {
        match &self.what {
            What::Token(kind, _) => Some(*kind),
            What::LineComment(_) | What::BlockComment(_) | What::Group(_) => None,
        }
    }

    pub(crate) fn is(&self, kind: TokenKind) -> bool {
        self.token() == Some(kind)
    }

    pub(crate) fn is_word(&self, word: Word) -> bool {
        self.is(TokenKind::Keyword(word))
    }

    /// The text of a name.
    pub(crate) fn name(&self) -> Option<&'a str> {
        match &self.what {
            What::Token(TokenKind::Ident, text) => Some(*text),
            _ => None,
        }
    }

    pub(crate) fn group(&self, bracket: Bracket) -> Option<&Group<'a>> {
        match &self.what {
            What::Group(group) if group.bracket == bracket => Some(group),
            _ => None,
        }
    }

    pub(crate) fn is_comment(&self) -> bool {
        matches!(self.what, What::LineComment(_) | What::BlockComment(_))
    }
}

/// A token that is no space.
#[derive(Clone, Copy)]
struct Leaf<'a> {
    kind: TokenKind,
    text: &'a str,
    breaks: u8,
    apart: bool,
}

/// A bracket that is open, what stood before it, and what it holds so far.
struct Open<'a> {
    bracket: Bracket,
    breaks: u8,
    apart: bool,
    nodes: Vec<Node<'a>>,
}

/// The tree of a text without errors: its brackets match.
pub(crate) fn grow<'a>(tokens: &Tokens, text: &'a str) -> Vec<Node<'a>> {
    let leaves = leaves(tokens, text);
    let mut stack: Vec<Open<'a>> = vec![];
    let mut nodes = vec![];
    for (at, leaf) in leaves.iter().enumerate() {
        let Leaf { kind, breaks, apart, .. } = *leaf;
        let angles = stack.iter().rev().take_while(|open| open.bracket == Bracket::Angle).count();
        let opens = match kind {
            TokenKind::LParen => Some(Bracket::Paren),
            TokenKind::LBracket => Some(Bracket::Square),
            TokenKind::LBrace => Some(Bracket::Brace),
            TokenKind::Lt if opens_types(&leaves, at) => Some(Bracket::Angle),
            _ => None,
        };
        let closes = match kind {
            TokenKind::RParen | TokenKind::RBracket | TokenKind::RBrace => 1,
            TokenKind::Gt if angles > 0 => 1,
            TokenKind::Shr if angles > 0 => angles.min(2),
            _ => 0,
        };
        if let Some(bracket) = opens {
            stack.push(Open { bracket, breaks, apart, nodes: std::mem::take(&mut nodes) });
        } else if closes > 0 {
            for _ in 0..closes {
                let Some(open) = stack.pop() else { break };
                let Open { bracket, breaks: before, apart, nodes: outer } = open;
                let what = What::Group(Group { bracket, nodes: std::mem::replace(&mut nodes, outer), breaks });
                nodes.push(Node { what, breaks: before, apart });
            }
        } else {
            nodes.push(node(*leaf));
        }
    }
    nodes
}

fn leaves<'a>(tokens: &Tokens, text: &'a str) -> Vec<Leaf<'a>> {
    let mut leaves = vec![];
    // What stands first begins a line.
    let (mut breaks, mut apart) = (1, false);
    for (kind, span) in tokens.iter() {
        let text = text.get(span.range()).unwrap_or_default();
        if kind == TokenKind::Whitespace {
            breaks = text.matches('\n').take(2).count() as u8;
            apart = true;
        } else {
            leaves.push(Leaf { kind, text, breaks, apart });
            (breaks, apart) = (0, false);
        }
    }
    leaves
}

fn node(leaf: Leaf<'_>) -> Node<'_> {
    let Leaf { kind, text, breaks, apart } = leaf;
    let what = match kind {
        TokenKind::LineComment | TokenKind::Doc | TokenKind::InnerDoc => What::LineComment(text.trim_end()),
        TokenKind::BlockComment | TokenKind::UnclosedComment => What::BlockComment(text),
        kind => What::Token(kind, text),
    };
    Node { what, breaks, apart }
}

/// Whether a `<` begins types and compares nothing: a name stands before it, names, numbers and brackets behind, and
/// after the `>` that closes it nothing that could be compared.
fn opens_types(leaves: &[Leaf<'_>], at: usize) -> bool {
    let named = |at: usize| leaves.get(at).is_some_and(|leaf| leaf.kind == TokenKind::Ident);
    if !at.checked_sub(1).is_some_and(named) {
        return false;
    }
    // Of an item: `fn name<T>`.
    let declares = [Word::Fn, Word::Struct, Word::Enum].map(TokenKind::Keyword);
    if at.checked_sub(2).and_then(|before| leaves.get(before)).is_some_and(|leaf| declares.contains(&leaf.kind)) {
        return true;
    }
    let (mut depth, mut squares) = (1_usize, 0_usize);
    for (behind, leaf) in leaves.iter().enumerate().skip(at + 1) {
        match leaf.kind {
            TokenKind::Ident if squares == 0 || depth > 0 => {}
            TokenKind::Int | TokenKind::PathSep | TokenKind::Comma => {}
            TokenKind::LParen | TokenKind::RParen => {}
            TokenKind::LBracket => squares += 1,
            TokenKind::RBracket if squares > 0 => squares -= 1,
            TokenKind::Semi if squares > 0 => {}
            TokenKind::Lt => depth += 1,
            TokenKind::Gt => depth -= 1,
            TokenKind::Shr => depth = depth.saturating_sub(2),
            kind if kind.is_trivia() => {}
            _ => return false,
        }
        if depth == 0 {
            let next = leaves.iter().skip(behind + 1).find(|leaf| !leaf.kind.is_trivia());
            return next.is_none_or(|leaf| !begins_operand(leaf.kind));
        }
    }
    false
}

fn begins_operand(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Ident
            | TokenKind::Int
            | TokenKind::Decimal
            | TokenKind::Percent
            | TokenKind::Bytes
            | TokenKind::Str
            | TokenKind::LParen
            | TokenKind::LBracket
            | TokenKind::Minus
            | TokenKind::Bang
            | TokenKind::Tilde
            | TokenKind::Keyword(Word::SelfWord | Word::Tx | Word::True | Word::False | Word::If | Word::Match)
    )
}
