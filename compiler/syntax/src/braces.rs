//! Which brace closes which, in text whose braces may not match.
//!
//! Counting tells whether a brace is missing, but not where: in `fn f() { g(P { a: 1); }` it pairs the last brace with
//! the one behind `P`, and leaves that of the function alone. So when the count does not come out even, the other
//! brackets and the layout are asked as well: a `)` ends what was opened behind its `(`, what stands in braces stands
//! further right than the line that opens them, a `}` that begins a line stands exactly below that line, and a `{` that
//! ends a line is closed at the beginning of one. They are believed unless they leave more braces alone than counting
//! does. So they never change how sound text is read.

use crate::islands::begins_member;
use crate::stream::Source;
use crate::token::TokenKind;
use std::cmp::Ordering;

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

/// What the tokens to pair are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Within {
    /// A declaration without a body.
    Declaration,
    /// What stands behind the `{` of a body, its `}` included.
    Body,
    /// The same of a contract: every brace is closed before the next member at the latest.
    Members,
}

impl Within {
    /// How many closing braces pair with nothing there.
    fn closers(self) -> usize {
        match self {
            Within::Declaration => 0,
            Within::Body | Within::Members => 1,
        }
    }
}

/// The partners of the opening braces, by token.
#[derive(Debug)]
pub(crate) struct Braces {
    partners: Vec<Partner>,
}

/// How braces are paired.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Count,
    Layout,
}

/// Braces while they are paired.
#[derive(Default)]
struct Pairing {
    open: Vec<usize>,
    /// The other brackets that are open, each with how many braces are open around it.
    brackets: Vec<(TokenKind, usize)>,
    /// The closing braces that pair with nothing.
    unpaired: Vec<usize>,
    /// How many opening braces pair with nothing.
    unclosed: usize,
}

impl Pairing {
    /// How many braces are alone that should not be.
    fn alone(&self, within: Within) -> usize {
        self.unclosed + self.unpaired.len().abs_diff(within.closers())
    }
}

/// What a closing brace is to an opening one, as the layout shows it.
enum Fit {
    Closes,
    /// It closes a brace further out.
    ClosesOuter,
    ClosesNothing,
}

impl Braces {
    pub(crate) fn new(source: &Source<'_>) -> Braces {
        Braces { partners: vec![Partner::default(); source.len()] }
    }

    pub(crate) fn partner(&self, open: usize) -> Partner {
        self.partners.get(open).copied().unwrap_or(Partner { end: open + 1, closed: false })
    }

    /// Ends at `end` what the `{` at `open` holds, which is never closed.
    pub(crate) fn cut(&mut self, open: usize, end: usize) {
        self.set(open, end, false);
    }

    /// Pairs the braces from `lo` up to `hi` and returns the closing ones that pair with nothing there.
    pub(crate) fn pair(&mut self, source: &Source<'_>, lo: usize, hi: usize, within: Within) -> Vec<usize> {
        let counted = self.pass(source, lo, hi, within, Way::Count);
        if counted.alone(within) == 0 {
            return counted.unpaired;
        }
        let laid_out = self.pass(source, lo, hi, within, Way::Layout);
        if laid_out.alone(within) <= counted.alone(within) {
            return laid_out.unpaired;
        }
        self.pass(source, lo, hi, within, Way::Count).unpaired
    }

    fn pass(&mut self, source: &Source<'_>, lo: usize, hi: usize, within: Within, way: Way) -> Pairing {
        let mut pairing = Pairing::default();
        for at in lo..hi {
            if within == Within::Members && !pairing.open.is_empty() && begins_member(source, at) {
                self.leave_open(&mut pairing, 0, source.before_docs(at, lo));
            }
            if way == Way::Layout {
                self.leave_outdented(source, &mut pairing, at);
            }
            match source.kind(at) {
                Some(TokenKind::LBrace) => pairing.open.push(at),
                Some(TokenKind::RBrace) => self.close(source, &mut pairing, at, way),
                Some(kind) if way == Way::Layout => self.notice_bracket(&mut pairing, at, kind),
                _ => {}
            }
        }
        self.leave_open(&mut pairing, 0, hi);
        pairing
    }

    fn close(&mut self, source: &Source<'_>, pairing: &mut Pairing, at: usize, way: Way) {
        while let Some(opened) = pairing.open.last().copied() {
            match if way == Way::Layout { fit(source, opened, at) } else { Fit::Closes } {
                Fit::Closes => {
                    pairing.open.pop();
                    self.set(opened, at, true);
                    return forget_inner_brackets(pairing);
                }
                Fit::ClosesOuter => self.leave_open(pairing, pairing.open.len() - 1, at),
                Fit::ClosesNothing => break,
            }
        }
        pairing.unpaired.push(at);
    }

    /// What stands in braces stands further right than the line that opens them.
    fn leave_outdented(&mut self, source: &Source<'_>, pairing: &mut Pairing, at: usize) {
        let Some(column) = source.column_if_first(at).filter(|_| !source.is(at, TokenKind::RBrace)) else {
            return;
        };
        while let Some(opened) = pairing.open.last().copied()
            && column <= source.indent(opened)
        {
            self.leave_open(pairing, pairing.open.len() - 1, at);
        }
    }

    fn notice_bracket(&mut self, pairing: &mut Pairing, at: usize, kind: TokenKind) {
        let opener = match kind {
            TokenKind::LParen | TokenKind::LBracket => return pairing.brackets.push((kind, pairing.open.len())),
            TokenKind::RParen => TokenKind::LParen,
            TokenKind::RBracket => TokenKind::LBracket,
            _ => return,
        };
        if let Some((_, depth)) = pairing.brackets.pop_if(|(open, _)| *open == opener) {
            self.leave_open(pairing, depth, at);
        }
    }

    /// Ends at `end` what the open braces from the one numbered `from` on hold.
    fn leave_open(&mut self, pairing: &mut Pairing, from: usize, end: usize) {
        for at in pairing.open.drain(from..) {
            pairing.unclosed += 1;
            self.set(at, end, false);
        }
        forget_inner_brackets(pairing);
    }

    fn set(&mut self, open: usize, end: usize, closed: bool) {
        if let Some(partner) = self.partners.get_mut(open) {
            *partner = Partner { end, closed };
        }
    }
}

/// Brackets do not reach beyond the braces around them.
fn forget_inner_brackets(pairing: &mut Pairing) {
    let depth = pairing.open.len();
    while pairing.brackets.pop_if(|(_, own)| *own > depth).is_some() {}
}

fn fit(source: &Source<'_>, opened: usize, at: usize) -> Fit {
    match source.column_if_first(at) {
        Some(column) => match column.cmp(&source.indent(opened)) {
            Ordering::Equal => Fit::Closes,
            Ordering::Less => Fit::ClosesOuter,
            Ordering::Greater => Fit::ClosesNothing,
        },
        None if source.fresh_line(opened + 1) => Fit::ClosesNothing,
        None => Fit::Closes,
    }
}
