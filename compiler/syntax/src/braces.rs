//! Which brace closes which, in text whose braces may not match.

use crate::islands::begins_member;
use crate::stream::Source;
use crate::token::TokenKind;

/// Where the content of a `{` ends.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Partner {
    /// The token after the content.
    pub(crate) end: usize,
    /// Whether that token is the closing brace.
    pub(crate) closed: bool,
}

impl Partner {
    /// The token after the braces.
    pub(crate) fn next(self) -> usize {
        self.end + usize::from(self.closed)
    }
}

/// The partners of the opening braces, by token.
#[derive(Debug)]
pub(crate) struct Braces {
    partners: Vec<Partner>,
}

impl Braces {
    pub(crate) fn new(source: &Source<'_>) -> Braces {
        Braces { partners: vec![Partner::default(); source.len()] }
    }

    pub(crate) fn partner(&self, open: usize) -> Partner {
        self.partners.get(open).copied().unwrap_or(Partner { end: open + 1, closed: false })
    }

    /// Pairs the braces from `lo` up to `hi` and returns the closing ones that pair with nothing
    /// there. Between members, every brace is closed before the next member at the latest.
    pub(crate) fn pair(&mut self, source: &Source<'_>, lo: usize, hi: usize, members: bool) -> Vec<usize> {
        let mut open = Vec::new();
        let mut unpaired = Vec::new();
        for at in lo..hi {
            if members && !open.is_empty() && begins_member(source, at) {
                let end = source.before_docs(at, lo);
                self.leave_open(&mut open, end);
            }
            match source.kind(at) {
                Some(TokenKind::LBrace) => open.push(at),
                Some(TokenKind::RBrace) => match open.pop() {
                    Some(opened) => self.set(opened, at, true),
                    None => unpaired.push(at),
                },
                _ => {}
            }
        }
        self.leave_open(&mut open, hi);
        unpaired
    }

    fn leave_open(&mut self, open: &mut Vec<usize>, end: usize) {
        for at in open.drain(..) {
            self.set(at, end, false);
        }
    }

    fn set(&mut self, open: usize, end: usize, closed: bool) {
        if let Some(partner) = self.partners.get_mut(open) {
            *partner = Partner { end, closed };
        }
    }
}
