//! What stands between the nodes of an item: parentheses that leave no node, comments, the commas of lists.

use syntax::{Span, TokenKind};

use super::Site;

/// The tokens of an item in order, without blanks.
pub(super) struct ItemTokens {
    /// Those that the grammar sees.
    seen: Vec<(TokenKind, Span)>,
    /// Comments, and documentation, which documents nothing in a body.
    comments: Vec<Span>,
}

impl ItemTokens {
    pub(super) fn of(text: &str) -> Self {
        let tokens = syntax::lex(text);
        let seen = tokens.iter().filter(|(kind, _)| !kind.is_trivia() && !kind.is_doc());
        let comments = tokens.iter().filter(|(kind, _)| kind.is_doc() || kind.is_trivia());
        let comments = comments.filter(|(kind, _)| *kind != TokenKind::Whitespace).map(|(_, span)| span);
        Self { seen: seen.collect(), comments: comments.collect() }
    }

    /// The last token that ends at a byte or before it.
    pub(super) fn before(&self, at: u32) -> Option<(TokenKind, Span)> {
        let count = self.seen.partition_point(|(_, span)| span.end <= at);
        self.seen.get(count.checked_sub(1)?).copied()
    }

    /// The first token that begins at a byte or behind it.
    pub(super) fn behind(&self, at: u32) -> Option<(TokenKind, Span)> {
        self.seen.get(self.seen.partition_point(|(_, span)| span.start < at)).copied()
    }

    /// The comments in a span.
    pub(super) fn comments(&self, within: Span) -> impl Iterator<Item = Span> {
        self.comments.iter().copied().filter(move |span| within.start <= span.start && span.end <= within.end)
    }

    /// An expression with the parentheses that only group it, which leave no node.
    pub(super) fn grouped(&self, expr: Span) -> Span {
        let mut whole = expr;
        while let Some((TokenKind::LParen, open)) = self.before(whole.start)
            && let Some((TokenKind::RParen, close)) = self.behind(whole.end)
            && !self.is_called(open.start)
        {
            whole = open.to(close);
        }
        whole
    }

    /// Whether a parenthesis at a byte opens the list of a call: a name stands before it.
    fn is_called(&self, at: u32) -> bool {
        match self.before(at) {
            Some((TokenKind::Ident, _)) => true,
            // Behind a dot even a keyword is a name.
            Some((TokenKind::Keyword(_), word)) => matches!(self.before(word.start), Some((TokenKind::Dot, _))),
            _ => false,
        }
    }

    /// The list in parentheses that begins at a byte or behind it, if it has so many elements, is separated by commas
    /// and closed.
    pub(super) fn list(&self, at: u32, count: usize) -> Option<List> {
        let first = self.seen.partition_point(|(_, span)| span.start < at);
        let mut rest = self.seen.get(first..)?.iter().copied();
        let (_, open) = rest.next().filter(|(kind, _)| *kind == TokenKind::LParen)?;
        let mut elements: Vec<Span> = Vec::new();
        let mut element: Option<Span> = None;
        let mut closing: Vec<TokenKind> = Vec::new();
        for (kind, span) in rest {
            match kind {
                TokenKind::RParen if closing.is_empty() => {
                    elements.extend(element);
                    let inner = Span::new(open.end, span.start);
                    return (elements.len() == count).then_some(List { elements, inner });
                }
                TokenKind::Comma if closing.is_empty() => {
                    elements.push(element.take()?);
                    continue;
                }
                TokenKind::Semi if closing.is_empty() => return None,
                TokenKind::LParen => closing.push(TokenKind::RParen),
                TokenKind::LBracket => closing.push(TokenKind::RBracket),
                TokenKind::LBrace => closing.push(TokenKind::RBrace),
                TokenKind::RParen | TokenKind::RBracket | TokenKind::RBrace if closing.pop() != Some(kind) => {
                    return None;
                }
                _ => {}
            }
            element = Some(element.map_or(span, |known| known.to(span)));
        }
        None
    }
}

/// A list in parentheses.
pub(super) struct List {
    /// Its elements, each with the parentheses around it.
    pub(super) elements: Vec<Span>,
    /// What stands between its parentheses.
    pub(super) inner: Span,
}

impl List {
    /// What goes with an element, so that the others stay a list; of an only one all that is between the parentheses.
    pub(super) fn without(&self, index: usize) -> Option<Span> {
        let own = *self.elements.get(index)?;
        if let Some(next) = self.elements.get(index + 1) {
            return Some(Span::new(own.start, next.start));
        }
        match index.checked_sub(1).and_then(|before| self.elements.get(before)) {
            Some(before) => Some(Span::new(before.end, own.end)),
            None => Some(self.inner),
        }
    }
}

impl Site<'_, '_> {
    /// Whether a comment stands in a span outside of the parts of it that stay, so that it would be lost.
    pub(super) fn loses_comment(&self, whole: Span, kept: &[Span]) -> bool {
        let stays = |comment: &Span| kept.iter().any(|part| part.start <= comment.start && comment.end <= part.end);
        self.tokens().comments(whole).any(|comment| !stays(&comment))
    }

    /// The end of a line comment behind a byte, if nothing but blanks stands between; otherwise the byte.
    pub(super) fn behind_comment(&self, at: u32) -> u32 {
        let rest = self.item.text.get(at as usize..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        match line.trim_start().starts_with("//") {
            true => at + u32::try_from(line.len()).unwrap_or(0),
            false => at,
        }
    }
}

/// Whether a block after a text would be taken for a part of it: a brace stands in it outside of all brackets.
pub(super) fn has_bare_brace(text: &str) -> bool {
    let mut depth = 0_usize;
    for (kind, _) in syntax::lex(text).iter() {
        match kind {
            TokenKind::LBrace if depth == 0 => return true,
            TokenKind::LParen | TokenKind::LBracket | TokenKind::LBrace => depth += 1,
            TokenKind::RParen | TokenKind::RBracket | TokenKind::RBrace => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}
