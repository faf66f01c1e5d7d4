//! Gathers the terminals of one piece: where a statement or an element ends, and what is wrong with
//! single words of it.

use crate::ast::Unit;
use crate::codes::Code;
use crate::islands::semi_ends;
use crate::literal::{self, LiteralError};
use crate::parser::Parser;
use crate::span::Span;
use crate::stream::{Lexeme, Source, Start, Tok};
use crate::token::TokenKind;
use crate::words::Word;

/// The most brackets that may stand in one another.
pub(crate) const BRACKETS_MAX: usize = 200;

/// How many tokens of a line are looked at ahead: for the `=>` behind a pattern, for a bracket that closes.
const LINE_MAX: usize = 32;

/// The terminals of a piece.
pub(crate) struct Piece {
    pub(crate) start: Start,
    pub(crate) lexemes: Vec<Lexeme>,
    /// The token after the piece.
    pub(crate) next: usize,
    /// Whether a mistake in the piece has been told already.
    pub(crate) told: bool,
    /// Whether brackets nest too deeply to read it.
    pub(crate) too_nested: bool,
    /// Whether a pattern is being read.
    pub(crate) in_pattern: bool,
    /// Whether what an arm demands beside its pattern is being read.
    in_guard: bool,
    /// Whether the sign between key and value has been read.
    pub(crate) in_value: bool,
    /// Whether the piece is known to end where it does.
    pub(crate) complete: bool,
    /// The brackets that are open.
    pub(crate) open: Vec<TokenKind>,
    /// How many `<` of type arguments are open.
    angles: usize,
    /// The words whose braces are still to come, and how many brackets are open around each.
    headers: Vec<(Word, usize)>,
    /// Whether type arguments of a struct literal have been opened.
    pub(crate) args_open: bool,
    start_tok: Tok,
}

impl Piece {
    fn new(start: Start, at: usize) -> Piece {
        Piece {
            start,
            lexemes: Vec::new(),
            next: at,
            told: false,
            too_nested: false,
            in_pattern: matches!(start, Start::Arm | Start::PatternField),
            in_guard: false,
            in_value: false,
            complete: false,
            open: Vec::new(),
            angles: 0,
            headers: Vec::new(),
            args_open: false,
            start_tok: Tok::Start(start),
        }
    }

    /// The last terminal.
    pub(crate) fn previous(&self) -> &Tok {
        self.lexemes.last().map_or(&self.start_tok, |lexeme| &lexeme.tok)
    }

    fn ends_operand(&self) -> bool {
        self.previous().ends_operand()
    }

    /// Whether the piece begins with one of the keywords.
    pub(crate) fn begins_with(&self, words: &[Word]) -> bool {
        let first = self.lexemes.first();
        first.is_some_and(|first| words.iter().any(|word| first.tok.is_word(*word)))
    }

    fn begins_with_context(&self, word: Word) -> bool {
        matches!(self.lexemes.first(), Some(Lexeme { tok: Tok::Context(first), .. }) if *first == word)
    }

    /// The word whose braces come next, unless brackets have been opened since.
    pub(crate) fn header(&self) -> Option<Word> {
        self.headers.last().filter(|(_, depth)| *depth == self.open.len()).map(|(word, _)| *word)
    }

    /// Whether the piece is `continue ..`.
    pub(crate) fn continues(&self) -> bool {
        self.begins_with_context(Word::Continue)
    }

    /// Whether the piece is `input ..`.
    pub(crate) fn names_input(&self) -> bool {
        self.begins_with_context(Word::Input)
    }

    /// Whether the coin of an `input` comes next.
    pub(crate) fn names_coin(&self) -> bool {
        self.names_input() && self.open.is_empty() && self.previous().is(TokenKind::Colon)
    }

    /// Whether the piece is a declaration without a value.
    pub(crate) fn declares_name(&self) -> bool {
        self.start == Start::Item && !self.begins_with(&[Word::Const])
    }

    /// Whether the value of an entry begins with the next token.
    pub(crate) fn begins_value(&self) -> bool {
        self.start == Start::Entry && self.open.is_empty() && self.in_value && self.previous().is(TokenKind::Colon)
    }

    /// Whether a name that comes next may be a word of a phrase.
    pub(crate) fn in_phrases(&self) -> bool {
        self.start == Start::Entry && self.open.is_empty() && self.in_value
    }

    /// Whether the value of the entry is `by ..`.
    pub(crate) fn has_authority(&self) -> bool {
        self.lexemes.iter().take(8).any(|lexeme| matches!(lexeme.tok, Tok::Context(Word::By)))
    }

    /// Whether the token at `at` stands on the line of a number and directly behind it.
    pub(crate) fn follows_number(&self, source: &Source<'_>, at: usize) -> bool {
        let is_number = match self.lexemes.as_slice() {
            [.., dot, _] if dot.tok.is(TokenKind::Dot) => false,
            [.., number] => matches!(number.tok, Tok::Int | Tok::Decimal),
            [] => false,
        };
        is_number && !source.fresh_line(at)
    }

    /// Remembers what the next braces and names depend on.
    fn notice(&mut self, tok: &Tok) {
        match tok {
            Tok::OpenArgs => {
                self.args_open = true;
                self.angles += 1;
            }
            Tok::Is(TokenKind::Lt) if self.args_open || self.start == Start::Field => self.angles += 1,
            Tok::Is(TokenKind::Gt) => self.angles = self.angles.saturating_sub(1),
            Tok::Is(TokenKind::Shr) => self.angles = self.angles.saturating_sub(2),
            Tok::Context(word @ (Word::Asm | Word::Output | Word::Passes | Word::Fails)) => {
                self.headers.push((*word, self.open.len()))
            }
            Tok::Context(Word::Each) => self.in_pattern = self.header() == Some(Word::Output),
            Tok::Is(TokenKind::Keyword(word)) => match word {
                Word::If if self.start == Start::Arm && self.in_pattern => self.in_guard = true,
                Word::If | Word::While | Word::Match => self.headers.push((*word, self.open.len())),
                Word::For if self.start != Start::Item => {
                    self.headers.push((*word, self.open.len()));
                    self.in_pattern = true;
                }
                Word::Let => self.in_pattern = true,
                Word::In => self.in_pattern = false,
                _ => {}
            },
            Tok::Is(TokenKind::FatArrow) => {
                // The `{` of a `match` is missing.
                if self.header() == Some(Word::Match) {
                    self.headers.pop();
                }
                self.in_pattern = false;
                self.in_guard = false;
            }
            Tok::Is(TokenKind::Assign) => self.in_pattern = false,
            Tok::Is(TokenKind::Colon) => self.in_value |= self.open.is_empty(),
            _ => {}
        }
    }

    fn close_bracket(&mut self) {
        self.open.pop();
        let depth = self.open.len();
        while self.headers.last().is_some_and(|(_, own)| *own > depth) {
            self.headers.pop();
        }
    }
}

/// What braces hold.
enum Braces {
    Block,
    /// A block where none can stand.
    Misplaced,
    Arms,
    AsmCode,
    Inits,
    Record,
    PatternFields,
    Fields,
    Group,
    Deal,
}

impl Parser<'_> {
    /// The statement at `at`, inside a block that ends at `hi` and stands in `depth` brackets.
    pub(crate) fn collect_stmt(&mut self, start: Start, at: usize, hi: usize, depth: usize) -> Piece {
        let mut piece = Piece::new(start, at);
        while piece.next < hi && !self.begins_stmt(&piece) {
            let at = piece.next;
            match self.source.kind(at) {
                Some(TokenKind::Semi) if semi_ends(self.source, at, piece.open.last()) => {
                    self.push(&mut piece, depth);
                    return piece;
                }
                Some(TokenKind::RBrace) => self.skip_stray(&mut piece),
                Some(TokenKind::LBrace) => {
                    self.push_braces(&mut piece, depth);
                    if piece.open.is_empty() && self.ends_with_block(&piece, hi) {
                        return piece;
                    }
                }
                _ => self.push(&mut piece, depth),
            }
        }
        piece
    }

    /// A declaration up to its body, or up to `hi` when it has none.
    pub(crate) fn collect_header(&mut self, lo: usize, hi: usize) -> Piece {
        let mut piece = Piece::new(Start::Item, lo);
        while piece.next < hi {
            match self.source.kind(piece.next) {
                Some(TokenKind::LBrace) => {
                    let lexeme = self.source.lexeme(piece.next, Tok::Body);
                    piece.lexemes.push(lexeme);
                    piece.next += 1;
                    return piece;
                }
                Some(TokenKind::RBrace) => return piece,
                _ => self.push(&mut piece, 0),
            }
        }
        piece
    }

    /// A declaration without a body; blocks in it belong to expressions.
    pub(crate) fn collect_simple(&mut self, lo: usize, hi: usize) -> Piece {
        let mut piece = Piece::new(Start::Item, lo);
        let imports = self.source.is_word(lo, Word::Use);
        while piece.next < hi {
            match self.source.kind(piece.next) {
                Some(TokenKind::LBrace | TokenKind::RBrace) if imports => self.push(&mut piece, 0),
                Some(TokenKind::LBrace) => self.push_braces(&mut piece, 0),
                Some(TokenKind::RBrace) => self.skip_stray(&mut piece),
                _ => self.push(&mut piece, 0),
            }
        }
        piece
    }

    /// The element at `at` of a list inside braces that end at `hi`.
    pub(crate) fn collect_listed(&mut self, start: Start, at: usize, hi: usize, depth: usize) -> Piece {
        let mut piece = Piece::new(start, at);
        while piece.next < hi && !self.begins_next(&piece) {
            let at = piece.next;
            match self.source.kind(at) {
                Some(TokenKind::Comma) if piece.open.is_empty() && !self.separates_inside(&piece) => {
                    piece.next += 1;
                    piece.complete = true;
                    return piece;
                }
                Some(TokenKind::Semi) if piece.open.is_empty() || start == Start::Entry => {
                    self.wrong_separator(start, at);
                    piece.next += 1;
                    piece.complete = true;
                    return piece;
                }
                Some(TokenKind::RBrace) => self.skip_stray(&mut piece),
                Some(TokenKind::LBrace) => {
                    self.push_braces(&mut piece, depth);
                    if start == Start::Arm && self.ends_arm(&piece, hi) {
                        piece.complete = true;
                        piece.next += usize::from(self.source.is(piece.next, TokenKind::Comma));
                        return piece;
                    }
                }
                _ => self.push(&mut piece, depth),
            }
        }
        piece
    }

    /// Whether a comma stands inside the element: between type arguments, or in a bracket of an entry whose opening sign
    /// is missing.
    fn separates_inside(&self, piece: &Piece) -> bool {
        let same_line = !self.source.fresh_line(piece.next + 1);
        self.in_type_args(piece) || (piece.in_phrases() && same_line && self.closes_bracket(piece.next + 1))
    }

    /// Whether a comma separates type arguments: no field begins behind it.
    fn in_type_args(&self, piece: &Piece) -> bool {
        let next = self.source.skip_docs(piece.next + 1);
        let begins_field = self.source.is(next, TokenKind::Ident) && self.source.is(next + 1, TokenKind::Colon);
        piece.angles > 0 && !begins_field
    }

    /// Whether the next token can only begin another statement.
    fn begins_stmt(&self, piece: &Piece) -> bool {
        if piece.lexemes.is_empty() || piece.previous().is(TokenKind::Dot) {
            return false;
        }
        match self.source.kind(piece.next) {
            Some(TokenKind::Keyword(word)) => match word {
                Word::Let if piece.previous().is_word(Word::If) => self.source.fresh_line(piece.next),
                Word::Let | Word::Require | Word::Return | Word::Split | Word::For | Word::While => true,
                // A `=>` on the line: the guard of an arm whose `match` is missing.
                Word::If => piece.ends_operand() && !self.begins_arm(piece.next),
                Word::Match => piece.ends_operand(),
                _ => false,
            },
            Some(TokenKind::Ident) if self.source.fresh_line(piece.next) && piece.open.is_empty() => {
                piece.ends_operand() && self.word_begins_stmt(piece)
            }
            _ => false,
        }
    }

    fn word_begins_stmt(&self, piece: &Piece) -> bool {
        let next = self.source.kind(piece.next + 1);
        match Word::from_text(self.source.slice(piece.next)) {
            Some(Word::Continue) => piece.start == Start::Stmt && next == Some(TokenKind::LBrace),
            Some(Word::End) => piece.start == Start::Stmt && next == Some(TokenKind::Semi),
            Some(
                Word::Input | Word::Output | Word::Locktime | Word::Age | Word::Change | Word::Burn | Word::Publish,
            ) => {
                matches!(piece.start, Start::Plan | Start::Test)
                    && matches!(next, Some(TokenKind::Ident | TokenKind::Int | TokenKind::Keyword(_)))
            }
            Some(Word::Assert | Word::Classify) => piece.start == Start::Test,
            Some(Word::Passes) => piece.start == Start::Test && next != Some(TokenKind::Dot),
            Some(Word::Fails) => piece.start == Start::Test && next == Some(TokenKind::Str),
            _ => false,
        }
    }

    /// Whether a statement is complete after the braces just pushed.
    fn ends_with_block(&self, piece: &Piece, hi: usize) -> bool {
        let at = piece.next;
        if matches!(piece.previous(), Tok::Deal(_)) {
            return true;
        }
        let ends_block = matches!(piece.previous(), Tok::Block(_) | Tok::Arms(_));
        if at >= hi || !ends_block || self.source.is_word(at, Word::Else) || !piece.headers.is_empty() {
            return false;
        }
        piece.lexemes.len() == 1
            || piece.begins_with(&[Word::If, Word::For, Word::While, Word::Match])
            || (self.source.fresh_line(at) && self.begins_line(at))
    }

    fn begins_line(&self, at: usize) -> bool {
        matches!(
            self.source.kind(at),
            Some(TokenKind::Ident | TokenKind::Keyword(Word::SelfWord | Word::Tx | Word::If))
        )
    }

    /// Whether an arm is complete after the braces just pushed: its body is a block, or an `if` or
    /// `match` after which a line ends.
    fn ends_arm(&self, piece: &Piece, hi: usize) -> bool {
        if !piece.open.is_empty() || piece.in_pattern || !piece.headers.is_empty() {
            return false;
        }
        match piece.lexemes.as_slice() {
            [.., arrow, Lexeme { tok: Tok::Block(_), .. }] if arrow.tok.is(TokenKind::FatArrow) => true,
            [.., Lexeme { tok: Tok::Block(_) | Tok::Arms(_), .. }] => {
                let ends_line = piece.next >= hi || self.source.fresh_line(piece.next);
                ends_line && !self.source.is_word(piece.next, Word::Else) && self.begins_arm(piece.next)
            }
            _ => false,
        }
    }

    /// Whether a `=>` stands on the line at `at`, outside of all brackets that begin there.
    fn begins_arm(&self, at: usize) -> bool {
        self.outside_brackets(at).any(|kind| kind == TokenKind::FatArrow)
    }

    /// Whether the line at `at` closes a bracket that it does not open, before any key.
    fn closes_bracket(&self, at: usize) -> bool {
        let closes = |kind: &TokenKind| matches!(kind, TokenKind::RParen | TokenKind::RBracket);
        self.outside_brackets(at).take_while(|kind| *kind != TokenKind::Colon).any(|kind| closes(&kind))
    }

    /// What stands on the line at `at` outside of the brackets that begin there, up to one that closes another.
    fn outside_brackets(&self, at: usize) -> impl Iterator<Item = TokenKind> {
        let line = (at..at + LINE_MAX).take_while(move |next| *next == at || !self.source.fresh_line(*next));
        let mut depth = 0_usize;
        let mut over = false;
        line.map_while(|at| self.source.kind(at)).filter(move |kind| match kind {
            TokenKind::LParen | TokenKind::LBracket | TokenKind::LBrace => {
                depth += 1;
                false
            }
            TokenKind::RParen | TokenKind::RBracket | TokenKind::RBrace if depth > 0 => {
                depth -= 1;
                false
            }
            TokenKind::RParen | TokenKind::RBracket | TokenKind::RBrace => !std::mem::replace(&mut over, true),
            _ => depth == 0 && !over,
        })
    }

    /// Whether the next token begins the next element, though no comma stands before it.
    fn begins_next(&self, piece: &Piece) -> bool {
        let at = piece.next;
        if piece.lexemes.is_empty() || piece.previous().is(TokenKind::Dot) {
            return false;
        }
        match piece.start {
            Start::Variant => {
                let ends_here = match piece.previous() {
                    Tok::Name | Tok::Fields(_) => true,
                    last => last.is(TokenKind::RParen) && piece.open.is_empty(),
                };
                ends_here
                    && self.source.fresh_line(at)
                    && matches!(self.source.kind(at), Some(TokenKind::Ident | TokenKind::Doc))
            }
            Start::Arm => {
                let begins_line = self.source.fresh_line(at) && self.begins_arm(at);
                if piece.in_pattern {
                    false
                } else if piece.open.is_empty() {
                    piece.ends_operand() && (begins_line || self.before_arrow(at))
                } else {
                    // No bracket holds a `=>` of its own: one has not been closed.
                    piece.previous().is(TokenKind::Comma) && begins_line
                }
            }
            _ => self.begins_keyed(piece),
        }
    }

    /// Whether the token at `at` is a whole pattern.
    fn before_arrow(&self, at: usize) -> bool {
        !self.source.is(at, TokenKind::Comma) && self.source.is(at + 1, TokenKind::FatArrow)
    }

    /// Whether the next token is the key of the element after this one.
    fn begins_keyed(&self, piece: &Piece) -> bool {
        let at = piece.next;
        let key = matches!(self.source.kind(at), Some(TokenKind::Ident | TokenKind::Keyword(_) | TokenKind::Doc));
        // Nothing in the brackets of a type or an entry is written so: a bracket has not been closed.
        let in_open_bracket = matches!(piece.start, Start::Entry | Start::Field)
            && !piece.open.is_empty()
            && piece.previous().is(TokenKind::Comma)
            && self.source.fresh_line(at);
        let ends_here = match piece.previous() {
            Tok::Group(_) => true,
            Tok::Is(TokenKind::Gt | TokenKind::Shr | TokenKind::RBracket) => piece.start == Start::Field,
            last => in_open_bracket || last.ends_operand(),
        };
        if !key || !ends_here || !piece.in_value {
            return false;
        }
        let first = self.source.skip_docs(at);
        let two_words =
            piece.start == Start::Entry && self.source.fresh_line(first) && self.source.is(first + 1, TokenKind::Ident);
        self.source.is(first + 1 + usize::from(two_words), TokenKind::Colon)
    }

    /// What the braces at the next token hold.
    fn braces_of(&self, piece: &mut Piece) -> Braces {
        if piece.previous().is_word(Word::Else) {
            return Braces::Block;
        }
        if matches!(piece.previous(), Tok::Context(Word::Continue | Word::With)) {
            return Braces::Record;
        }
        if piece.in_pattern && self.before_value(piece.next) {
            return Braces::PatternFields;
        }
        if let Some(word) = piece.header() {
            piece.headers.pop();
            return match word {
                Word::Match => Braces::Arms,
                Word::Asm => Braces::AsmCode,
                Word::Output => Braces::Record,
                Word::Passes | Word::Fails => Braces::Deal,
                _ => Braces::Block,
            };
        }
        let outside = piece.open.is_empty();
        let named = match piece.previous() {
            Tok::Name => true,
            last => (last.is(TokenKind::Gt) || last.is(TokenKind::Shr)) && std::mem::take(&mut piece.args_open),
        };
        match piece.start {
            _ if piece.in_pattern && !piece.in_guard && named && self.holds_pattern(piece) => Braces::PatternFields,
            Start::Variant if named && outside => Braces::Fields,
            Start::Init | Start::Plan | Start::Test if piece.previous().is(TokenKind::Colon) => Braces::Record,
            Start::Entry if outside || !named => Braces::Group,
            _ if named && self.source.looks_like_fields(piece.next) => Braces::Inits,
            _ if piece.lexemes.is_empty() || piece.previous().is(TokenKind::FatArrow) => Braces::Block,
            _ => Braces::Misplaced,
        }
    }

    /// Whether the braces at the next token, behind a name, belong to its pattern.
    fn holds_pattern(&self, piece: &Piece) -> bool {
        let open = piece.next;
        let before_arrow = self.source.is(self.braces.partner(open).next(), TokenKind::FatArrow);
        piece.start != Start::Arm || before_arrow || self.source.looks_like_fields(open)
    }

    /// Whether the braces at `open` end a pattern behind `if let` or `for`. The sign between pattern and
    /// value may be missing.
    fn before_value(&self, open: usize) -> bool {
        let next = self.braces.partner(open).next();
        match self.source.kind(next) {
            Some(TokenKind::Assign | TokenKind::Keyword(Word::In)) => true,
            Some(TokenKind::Ident) => self.source.looks_like_fields(open) && !self.source.fresh_line(next),
            _ => false,
        }
    }

    fn push_braces(&mut self, piece: &mut Piece, depth: usize) {
        let open = piece.next;
        let depth = depth + piece.open.len();
        let told_before = self.diagnostics.len();
        let alone = piece.lexemes.is_empty();
        let kind = self.braces_of(piece);
        let tok = match kind {
            Braces::Block | Braces::Misplaced => Tok::Block(self.braced_block(open, depth)),
            Braces::Arms => Tok::Arms(self.braced_arms(open, depth)),
            Braces::AsmCode => Tok::AsmCode(self.braced_asm(open)),
            Braces::Inits => Tok::Inits(self.braced_inits(open, depth)),
            Braces::Record => Tok::Record(self.braced_inits(open, depth)),
            Braces::PatternFields => Tok::PatternFields(self.braced_pattern_fields(open, depth)),
            Braces::Fields => Tok::Fields(self.braced_fields(open, depth)),
            Braces::Group => Tok::Group(self.braced_group(open, depth)),
            Braces::Deal => Tok::Deal(self.braced_deal(open, depth)),
        };
        if matches!(kind, Braces::Misplaced) {
            // The grammar will stop at this block: what is wrong inside follows from that.
            self.forget_but_braces(told_before);
        }
        // Statements tell their own mistakes; a block that stands alone is one itself. Everything
        // else belongs to the piece, which has one message.
        let own = !matches!(kind, Braces::Block | Braces::Misplaced | Braces::Arms | Braces::Group | Braces::Deal);
        piece.told |= (alone || own) && self.diagnostics.len() > told_before;
        let mut lexeme = self.source.lexeme(open, tok);
        piece.next = self.braces.partner(open).next();
        lexeme.end = self.source.token_index(piece.next - 1) + 1;
        piece.lexemes.push(lexeme);
    }

    fn skip_stray(&mut self, piece: &mut Piece) {
        self.stray_brace(piece.next);
        piece.next += 1;
        piece.told = true;
    }

    fn too_nested(&mut self, piece: &mut Piece, at: usize) {
        if !piece.too_nested {
            self.tell_too_nested(self.source.span(at));
        }
        piece.too_nested = true;
        piece.told = true;
    }

    /// Adds the next token to the piece.
    fn push(&mut self, piece: &mut Piece, depth: usize) {
        let at = piece.next;
        piece.next += 1;
        match self.source.kind(at) {
            Some(TokenKind::Error) => return self.junk(piece, at),
            Some(TokenKind::Doc | TokenKind::InnerDoc) => return self.idle_doc(at),
            Some(kind @ (TokenKind::LParen | TokenKind::LBracket)) => {
                piece.open.push(kind);
                if depth + piece.open.len() > BRACKETS_MAX {
                    self.too_nested(piece, at);
                }
            }
            Some(TokenKind::RParen | TokenKind::RBracket) => {
                piece.close_bracket();
            }
            _ => {}
        }
        let tok = self.source.classify(at, piece);
        if matches!(tok, Tok::Name) && piece.follows_number(self.source, at) {
            return self.push_unit(piece, at);
        }
        piece.notice(&tok);
        let tok = match self.literal_fault(at, &tok) {
            None => tok,
            Some(fault) => {
                // What follows an unclosed string on its line was swallowed by it, so that the
                // grammar will stop there too.
                if !std::mem::replace(&mut piece.told, true) {
                    let LiteralError { span, message, help } = fault;
                    let base = self.source.span(at).start;
                    self.tell(literal_code(self.source, at), span.shifted(base), message, help);
                }
                // A faulty string keeps the value it has; nothing else has one.
                if matches!(tok, Tok::Str) { tok } else { Tok::Malformed }
            }
        };
        piece.lexemes.push(self.source.lexeme(at, tok));
    }

    fn push_unit(&mut self, piece: &mut Piece, at: usize) {
        let word = self.source.slice(at);
        if let Some(unit) = Unit::from_word(word) {
            piece.lexemes.push(self.source.lexeme(at, Tok::Unit(unit)));
            return;
        }
        if !piece.told {
            let known: Vec<String> = Unit::ALL.iter().map(|unit| format!("`{}`", unit.word())).collect();
            let message = format!("unknown unit `{}`", literal::shorten(word));
            self.tell(Code::E0014, self.source.span(at), message, format!("the units are {}", known.join(", ")));
        }
        piece.told = true;
        if let Some(number) = piece.lexemes.last_mut() {
            number.tok = Tok::Malformed;
            number.end = self.source.token_index(at) + 1;
        }
    }

    fn junk(&mut self, piece: &mut Piece, at: usize) {
        if piece.told {
            return;
        }
        piece.told = true;
        let text = self.source.slice(at);
        if text.starts_with('#') && piece.lexemes.is_empty() {
            self.skip_line(piece);
        }
        let message = format!("`{}` means nothing here", literal::shorten(text));
        let help = match text {
            "#" => "remove it; a comment begins with `//`",
            "%" => "for a remainder write `mod`; a percentage is written without a space, as in `20%`",
            _ => "remove it, or put it into a string or a comment",
        };
        self.tell(Code::E0002, self.source.span(at), message, help);
    }

    /// Skips what other languages take for a comment, but no brace, as those are paired already.
    fn skip_line(&self, piece: &mut Piece) {
        let ends = |kind| matches!(kind, TokenKind::LBrace | TokenKind::RBrace | TokenKind::Semi | TokenKind::Doc);
        while !self.source.fresh_line(piece.next) && self.source.kind(piece.next).is_some_and(|kind| !ends(kind)) {
            piece.next += 1;
        }
    }

    /// What is wrong in a literal.
    pub(crate) fn literal_fault(&self, at: usize, tok: &Tok) -> Option<LiteralError> {
        let text = self.source.slice(at);
        match tok {
            Tok::Int | Tok::Decimal | Tok::Percent => literal::check_number(text).err(),
            Tok::Bytes => literal::bytes_of(text).err(),
            Tok::Str if self.source.is(at, TokenKind::UnclosedStr) => Some(LiteralError {
                span: Span::new(0, self.source.span(at).len()),
                message: "this string has no end".to_string(),
                help: "close it with `\"` on the same line",
            }),
            Tok::Str => {
                let mut first = None;
                literal::unescape(text, |error| {
                    first.get_or_insert(error);
                });
                first
            }
            _ => None,
        }
    }

    fn wrong_separator(&mut self, start: Start, at: usize) {
        if self.adrift || (self.unbalanced && start != Start::Entry) {
            return;
        }
        let span = self.source.span(at);
        let message = format!("{} are separated by `,`, not `;`", start.nouns());
        self.tell_instead(span, message, ",");
    }

    /// Documentation before something that has none.
    pub(crate) fn idle_doc(&mut self, at: usize) {
        let span = self.source.span(at);
        self.warn_idle_doc(span);
    }

    /// The bytes of terminals `from` up to the end.
    pub(crate) fn lexemes_span(&self, lexemes: &[Lexeme]) -> Span {
        match (lexemes.first(), lexemes.last()) {
            (Some(first), Some(last)) => self.cx.span(first.start, last.end),
            _ => Span::default(),
        }
    }
}

pub(crate) fn literal_code(source: &Source<'_>, at: usize) -> Code {
    match source.kind(at) {
        Some(TokenKind::UnclosedStr) => Code::E0003,
        Some(TokenKind::Str) => Code::E0005,
        _ => Code::E0006,
    }
}
