//! Text to tokens, losslessly: the token texts put together are the input, whatever the input is.

use crate::span::Span;
use crate::words::Word;
use logos::Logos;

/// The longest text that is looked into; a longer one becomes a single [`TokenKind::Error`].
pub const TEXT_LEN_MAX: usize = 1 << 30;

/// What a token is.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Spaces and line breaks.
    #[regex(r"[ \t\r\n\u{c}\u{feff}]+")]
    Whitespace,
    /// `// ...`
    #[regex(r"//[^\n]*", line_comment, allow_greedy = true)]
    LineComment,
    /// `/// ...`
    Doc,
    /// `//! ...`
    InnerDoc,
    /// `/* ... */`
    #[token("/*", block_comment)]
    BlockComment,
    /// `/* ...` up to the end of the text.
    UnclosedComment,
    /// A name.
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Ident,
    /// A keyword.
    Keyword(Word),
    /// `1_000`
    #[regex(r"[0-9][0-9_]*")]
    Int,
    /// `0.5`
    #[regex(r"[0-9][0-9_]*\.[0-9][0-9_]*")]
    Decimal,
    /// `20%`
    #[regex(r"[0-9][0-9_]*(\.[0-9][0-9_]*)?%")]
    Percent,
    /// `0xdead`
    #[regex(r"0[xX][0-9A-Za-z_]*")]
    Bytes,
    /// `"text"`
    #[regex(r#""([^"\\\r\n]|\\[^\r\n])*""#)]
    Str,
    /// `"text` up to the end of the line.
    #[regex(r#""([^"\\\r\n]|\\[^\r\n])*\\?"#)]
    UnclosedStr,
    /// `(`
    #[token("(")]
    LParen,
    /// `)`
    #[token(")")]
    RParen,
    /// `[`
    #[token("[")]
    LBracket,
    /// `]`
    #[token("]")]
    RBracket,
    /// `{`
    #[token("{")]
    LBrace,
    /// `}`
    #[token("}")]
    RBrace,
    /// `,`
    #[token(",")]
    Comma,
    /// `;`
    #[token(";")]
    Semi,
    /// `:`
    #[token(":")]
    Colon,
    /// `::`
    #[token("::")]
    PathSep,
    /// `.`
    #[token(".")]
    Dot,
    /// `..`
    #[token("..")]
    Range,
    /// `->`
    #[token("->")]
    Arrow,
    /// `=>`
    #[token("=>")]
    FatArrow,
    /// `=`
    #[token("=")]
    Assign,
    /// `+=`
    #[token("+=")]
    PlusAssign,
    /// `-=`
    #[token("-=")]
    MinusAssign,
    /// `*=`
    #[token("*=")]
    StarAssign,
    /// `/=`
    #[token("/=")]
    SlashAssign,
    /// `==`
    #[token("==")]
    Eq,
    /// `!=`
    #[token("!=")]
    Ne,
    /// `<`
    #[token("<")]
    Lt,
    /// `<=`
    #[token("<=")]
    Le,
    /// `>`
    #[token(">")]
    Gt,
    /// `>=`
    #[token(">=")]
    Ge,
    /// `||`
    #[token("||")]
    OrOr,
    /// `&&`
    #[token("&&")]
    AndAnd,
    /// `|`
    #[token("|")]
    Or,
    /// `^`
    #[token("^")]
    Caret,
    /// `&`
    #[token("&")]
    And,
    /// `<<`
    #[token("<<")]
    Shl,
    /// `>>`
    #[token(">>")]
    Shr,
    /// `+`
    #[token("+")]
    Plus,
    /// `-`
    #[token("-")]
    Minus,
    /// `*`
    #[token("*")]
    Star,
    /// `/`
    #[token("/")]
    Slash,
    /// `!`
    #[token("!")]
    Bang,
    /// `~`
    #[token("~")]
    Tilde,
    /// Characters that belong to no token, a whole run of them.
    Error,
}

impl TokenKind {
    /// Whether the grammar skips the token. Documentation is no trivia.
    pub fn is_trivia(self) -> bool {
        matches!(
            self,
            TokenKind::Whitespace | TokenKind::LineComment | TokenKind::BlockComment | TokenKind::UnclosedComment
        )
    }

    /// Whether the token is documentation.
    pub fn is_doc(self) -> bool {
        matches!(self, TokenKind::Doc | TokenKind::InnerDoc)
    }
}

/// The tokens of a text, trivia included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    kinds: Vec<TokenKind>,
    /// One more than `kinds`: the last one is the length of the text.
    starts: Vec<u32>,
}

impl Tokens {
    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Whether the text was empty.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// What the token at `index` is.
    pub fn kind(&self, index: usize) -> Option<TokenKind> {
        self.kinds.get(index).copied()
    }

    /// Where the token at `index` stands; past the last token the empty span at the end.
    pub fn span(&self, index: usize) -> Span {
        let end = self.starts.last().copied().unwrap_or(0);
        let at = |index: usize| self.starts.get(index).copied().unwrap_or(end);
        Span::new(at(index), at(index.saturating_add(1)))
    }

    /// The kinds and places in order.
    pub fn iter(&self) -> impl Iterator<Item = (TokenKind, Span)> + '_ {
        let ends = self.starts.iter().skip(1);
        self.kinds.iter().zip(self.starts.iter().zip(ends)).map(|(kind, (start, end))| (*kind, Span::new(*start, *end)))
    }

    fn push(&mut self, kind: TokenKind, start: usize) {
        let runs_on = kind == TokenKind::Error && self.kinds.last() == Some(&TokenKind::Error);
        if !runs_on {
            self.kinds.push(kind);
            self.starts.push(start as u32);
        }
    }
}

/// Cuts a text into tokens. Takes time linear in the text and cannot fail.
///
/// ```
/// let text = "let a = 1; // one";
/// let tokens = syntax::lex(text);
/// let back: String = tokens.iter().map(|(_, span)| &text[span.range()]).collect();
/// assert_eq!(back, text);
/// ```
pub fn lex(text: &str) -> Tokens {
    let mut tokens = Tokens::default();
    if text.len() > TEXT_LEN_MAX {
        tokens.push(TokenKind::Error, 0);
    } else {
        // Of usual texts a token has four bytes; lists that grow are copied again and again.
        tokens.kinds.reserve(text.len() / 4);
        tokens.starts.reserve(text.len() / 4 + 1);
        let mut lexer = TokenKind::lexer(text);
        while let Some(found) = lexer.next() {
            let kind = match found {
                Ok(TokenKind::Ident) => word_or_ident(lexer.slice()),
                Ok(kind) => kind,
                Err(()) => TokenKind::Error,
            };
            tokens.push(kind, lexer.span().start);
        }
    }
    tokens.starts.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
    tokens
}

fn word_or_ident(text: &str) -> TokenKind {
    match Word::from_text(text) {
        Some(word) if word.is_keyword() => TokenKind::Keyword(word),
        Some(_) | None => TokenKind::Ident,
    }
}

/// Four slashes or more are an ordinary comment: a line that separates things.
fn line_comment(lexer: &mut logos::Lexer<'_, TokenKind>) -> TokenKind {
    let text = lexer.slice();
    if text.starts_with("//!") {
        TokenKind::InnerDoc
    } else if text.starts_with("///") && !text.starts_with("////") {
        TokenKind::Doc
    } else {
        TokenKind::LineComment
    }
}

fn block_comment(lexer: &mut logos::Lexer<'_, TokenKind>) -> TokenKind {
    let rest = lexer.remainder().as_bytes();
    let mut depth = 1_u32;
    let mut at = 0;
    while depth > 0 {
        match rest.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            Some(_) => at += 1,
            None => {
                lexer.bump(rest.len());
                return TokenKind::UnclosedComment;
            }
        }
    }
    lexer.bump(at);
    TokenKind::BlockComment
}
