//! Runs the grammar over the terminals of one piece, repairing what stops it.

use crate::grammar::StartParser;
use crate::nodes::{Cx, Parsed};
use crate::repair::{EDITS_MAX, Repair, Stop};
use crate::stream::{Lexeme, Start, Tok};
use crate::token::TokenKind;
use lalrpop_util::ParseError;

/// What a run gives.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// All terminals were used.
    Whole(Parsed),
    /// The terminals before `rest` were used; the others are a statement of their own.
    Before(Parsed, usize),
    /// The first terminals were used; the others make no sense.
    Dropping(Parsed),
    /// The terminals before `body` were used; there the body begins.
    BodyAt(Parsed, usize),
    /// Nothing could be built.
    Failed,
}

/// An edit before the terminal at `at`.
struct Edit {
    at: usize,
    change: Change,
}

enum Change {
    Insert(Tok),
    Delete,
    Replace(Tok),
    /// The terminals end here, after this last one.
    End(Tok),
}

/// How far the grammar came.
enum Halt {
    /// It stopped at this terminal; the number of terminals means the end.
    At(usize, Vec<String>),
    /// It stopped at a terminal that an edit brought.
    AtEdit,
}

/// Reads `lexemes`; `on_stop` learns about the first stop.
pub(crate) fn run(cx: &mut Cx<'_>, start: Start, lexemes: &[Lexeme], on_stop: &mut dyn FnMut(&Stop<'_>)) -> Outcome {
    let mut edits: Vec<Edit> = Vec::new();
    let mut told = false;
    loop {
        cx.too_deep = None;
        cx.no_place = None;
        let (at, expected) = match attempt(cx, start, lexemes, &edits) {
            Ok(parsed) => return outcome(parsed, start, &edits),
            Err(Halt::At(at, expected)) => (at, expected),
            Err(Halt::AtEdit) => return Outcome::Failed,
        };
        let (before, from) = lexemes.split_at_checked(at).unwrap_or((lexemes, &[]));
        let stop = Stop { start, before, found: from.first(), after: from.get(1..).unwrap_or(&[]), expected };
        if !told {
            on_stop(&stop);
            told = true;
        }
        let repair = stop.repair();
        match change_of(repair, start).filter(|_| edits.len() < EDITS_MAX) {
            Some(change) => edits.push(Edit { at, change }),
            None => return Outcome::Failed,
        }
    }
}

fn change_of(repair: Repair, start: Start) -> Option<Change> {
    match repair {
        Repair::Insert(tok) => Some(Change::Insert(tok)),
        Repair::Delete => Some(Change::Delete),
        Repair::Replace(tok) => Some(Change::Replace(tok)),
        Repair::EndStatement | Repair::DropRest | Repair::DropUnbraced if start.is_listed() => None,
        Repair::EndStatement | Repair::DropRest | Repair::DropUnbraced => Some(Change::End(Tok::Is(TokenKind::Semi))),
        Repair::BeginBody => Some(Change::End(Tok::Body)),
        Repair::GiveUp => None,
    }
}

fn outcome(parsed: Parsed, start: Start, edits: &[Edit]) -> Outcome {
    let Some(Edit { at, change: Change::End(end) }) = edits.last() else {
        return Outcome::Whole(parsed);
    };
    match end {
        Tok::Body => Outcome::BodyAt(parsed, *at),
        _ if matches!(start, Start::Stmt | Start::Plan | Start::Test) => Outcome::Before(parsed, *at),
        _ => Outcome::Dropping(parsed),
    }
}

/// One pass of the grammar over the edited terminals.
fn attempt(cx: &mut Cx<'_>, start: Start, lexemes: &[Lexeme], edits: &[Edit]) -> Result<Parsed, Halt> {
    let mut feed = Feed { lexemes, edits, next: 0, last: Some(0), start: Some(start) };
    let error = match StartParser::new().parse(cx, std::iter::from_fn(|| feed.pull())) {
        Ok(parsed) => return Ok(parsed),
        Err(error) => error,
    };
    Err(match error {
        ParseError::UnrecognizedEof { expected, .. } => Halt::At(lexemes.len(), expected),
        ParseError::UnrecognizedToken { expected, .. } => match feed.last {
            Some(at) => Halt::At(at, expected),
            None => Halt::AtEdit,
        },
        ParseError::ExtraToken { .. } | ParseError::InvalidToken { .. } | ParseError::User { .. } => Halt::AtEdit,
    })
}

type Terminal = Result<(u32, Tok, u32), ()>;

/// The terminals with the edits worked in.
struct Feed<'l> {
    lexemes: &'l [Lexeme],
    edits: &'l [Edit],
    next: usize,
    /// The terminal given out last, unless an edit brought it.
    last: Option<usize>,
    start: Option<Start>,
}

impl Feed<'_> {
    fn pull(&mut self) -> Option<Terminal> {
        if let Some(start) = self.start.take() {
            let at = self.lexemes.first().map_or(0, |lexeme| lexeme.start);
            return Some(Ok((at, Tok::Start(start), at)));
        }
        while let Some((edit, later)) = self.edits.split_first()
            && edit.at == self.next
        {
            self.edits = later;
            if let Some(terminal) = self.apply(&edit.change) {
                self.last = None;
                return Some(terminal);
            }
        }
        let lexeme = self.lexemes.get(self.next)?;
        self.last = Some(self.next);
        self.next += 1;
        Some(Ok((lexeme.start, lexeme.tok.clone(), lexeme.end)))
    }

    fn apply(&mut self, change: &Change) -> Option<Terminal> {
        let here = self.place();
        match change {
            Change::Insert(tok) => Some(Ok((here, tok.clone(), here))),
            Change::Delete => {
                self.next += 1;
                None
            }
            Change::Replace(tok) => {
                let lexeme = self.lexemes.get(self.next)?;
                self.next += 1;
                Some(Ok((lexeme.start, tok.clone(), lexeme.end)))
            }
            Change::End(tok) => {
                self.lexemes = &[];
                self.edits = &[];
                Some(Ok((here, tok.clone(), here)))
            }
        }
    }

    /// Just after the previous terminal: what is put in has no width.
    fn place(&self) -> u32 {
        let previous = self.next.checked_sub(1).and_then(|at| self.lexemes.get(at));
        match previous {
            Some(lexeme) => lexeme.end,
            None => self.lexemes.first().map_or(0, |lexeme| lexeme.start),
        }
    }
}
