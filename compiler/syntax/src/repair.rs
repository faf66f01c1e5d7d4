//! What to do when the grammar meets a terminal it cannot use: which terminal to put in, leave out
//! or cut before, and how to tell.
//!
//! LALRPOP's own recovery drops what is already built and stops at the end of the input, so it is
//! not used. Every repair here is a small edit of the terminals, after which the piece is read again
//! from its first terminal; a piece gets at most [`EDITS_MAX`] of them, so the time stays linear.

use crate::ast::Block;
use crate::codes::Code;
use crate::nodes::Node;
use crate::span::Span;
use crate::stream::{Lexeme, Start, Tok};
use crate::tell::ITEMS;
use crate::token::TokenKind;
use crate::words::Word;
use std::sync::Arc;

/// The most edits of one piece.
pub(crate) const EDITS_MAX: usize = 8;

/// Where the grammar stopped.
pub(crate) struct Stop<'l> {
    pub(crate) start: Start,
    /// The terminals of the piece before the stop.
    pub(crate) before: &'l [Lexeme],
    /// The terminal that cannot be used; `None` at the end of the piece.
    pub(crate) found: Option<&'l Lexeme>,
    /// The terminals after it.
    pub(crate) after: &'l [Lexeme],
    /// The names of the terminals that could be used.
    pub(crate) expected: Vec<String>,
}

/// The way on.
#[derive(Debug)]
pub(crate) enum Repair {
    /// Put a terminal in before the stop.
    Insert(Tok),
    /// Leave the found terminal out.
    Delete,
    /// Put another terminal in its place.
    Replace(Tok),
    /// End the statement before the stop and read on there.
    EndStatement,
    /// End the statement before the stop and leave out the rest of it.
    DropRest,
    /// The body begins at the stop, without its `{`.
    BeginBody,
    /// A `{` is missing: leave out what it should hold.
    DropUnbraced,
    /// Nothing sensible is left to do.
    GiveUp,
}

impl Stop<'_> {
    fn has(&self, terminal: &str) -> bool {
        self.expected.iter().any(|name| name.trim_matches('"') == terminal)
    }

    /// Inside an expression every infix sign is possible.
    fn in_expression(&self) -> bool {
        self.has("+")
    }

    fn found_is(&self, kind: TokenKind) -> bool {
        self.found.is_some_and(|lexeme| lexeme.tok.is(kind))
    }

    fn found_word(&self) -> Option<Word> {
        match self.found.map(|lexeme| &lexeme.tok) {
            Some(Tok::Is(TokenKind::Keyword(word))) => Some(*word),
            _ => None,
        }
    }

    fn begins_operand(&self) -> bool {
        self.found.is_some_and(|lexeme| lexeme.tok.begins_operand())
    }

    fn on_fresh_line(&self) -> bool {
        self.found.is_none_or(|lexeme| lexeme.fresh_line)
    }

    /// The innermost bracket still open at the stop.
    pub(crate) fn open_bracket(&self) -> Option<&Lexeme> {
        let mut open = Vec::new();
        for lexeme in self.before {
            match &lexeme.tok {
                Tok::Is(TokenKind::LParen | TokenKind::LBracket) => open.push(lexeme),
                Tok::Is(TokenKind::RParen | TokenKind::RBracket) => {
                    open.pop();
                }
                _ => {}
            }
        }
        open.pop()
    }

    /// Whether the found bracket closes nothing.
    fn closes_nothing(&self) -> bool {
        let partner = match self.found.map(|lexeme| &lexeme.tok) {
            Some(Tok::Is(TokenKind::RParen)) => TokenKind::LParen,
            Some(Tok::Is(TokenKind::RBracket)) => TokenKind::LBracket,
            _ => return false,
        };
        self.open_bracket().is_none_or(|open| !open.tok.is(partner))
    }

    /// Chooses the way on.
    pub(crate) fn repair(&self) -> Repair {
        if self.before.is_empty() && matches!(self.start, Start::Stmt | Start::Test) {
            return self.repair_first();
        }
        if self.closes_nothing() && !self.has("MISSING_EXPR") {
            return Repair::Delete;
        }
        self.repair_header()
            .or_else(|| self.repair_missing())
            .or_else(|| self.repair_sign())
            .unwrap_or(if self.has(";") { Repair::DropRest } else { Repair::GiveUp })
    }

    fn repair_first(&self) -> Repair {
        if self.closes_nothing() {
            Repair::Delete
        } else if self.has("MISSING_EXPR") && self.found_is(TokenKind::Assign) {
            Repair::Insert(Tok::MissingName)
        } else {
            Repair::GiveUp
        }
    }

    fn repair_header(&self) -> Option<Repair> {
        if self.start != Start::Item || !self.has("BODY") {
            return None;
        }
        let names_result =
            self.found.is_some_and(|lexeme| matches!(lexeme.tok, Tok::Name) && !lexeme.fresh_line && self.has("->"));
        Some(if names_result && self.after.first().is_some_and(is_body) {
            Repair::Insert(Tok::Is(TokenKind::Arrow))
        } else {
            Repair::BeginBody
        })
    }

    fn repair_missing(&self) -> Option<Repair> {
        let ends_here = self.has(";") && self.on_fresh_line();
        let is_message = self.found.is_some_and(|lexeme| matches!(lexeme.tok, Tok::Str) && self.has(","));
        if let Some(closer) = self.list_closer() {
            Some(Repair::Insert(Tok::Is(closer)))
        } else if self.has("MISSING_TYPE") {
            Some(Repair::Insert(Tok::MissingType))
        } else if self.has("MISSING_EXPR") {
            Some(Repair::Insert(Tok::MissingExpr))
        } else if self.has("MISSING_NAME") {
            Some(self.repair_name())
        } else if ends_here && !is_message {
            Some(match self.found {
                Some(_) => Repair::EndStatement,
                None => Repair::Insert(Tok::Is(TokenKind::Semi)),
            })
        } else {
            None
        }
    }

    /// The bracket that is missing where a list ends without one: `f(a, ;`.
    fn list_closer(&self) -> Option<TokenKind> {
        // Both an element and the bracket are possible only where an element begins.
        let in_list = ["MISSING_EXPR", "MISSING_NAME", "MISSING_TYPE"].iter().any(|element| self.has(element));
        let ends_list = match self.found.map(|lexeme| &lexeme.tok) {
            None => true,
            Some(tok) if tok.is_braces() => true,
            Some(tok) => tok.is(TokenKind::Semi) || tok.is(TokenKind::Arrow) || self.closes_nothing(),
        };
        if !in_list || !ends_list {
            None
        } else if self.has(")") {
            Some(TokenKind::RParen)
        } else if self.has("]") {
            Some(TokenKind::RBracket)
        } else {
            None
        }
    }

    fn repair_name(&self) -> Repair {
        let in_its_place = self.found_word().is_some()
            || self.found.is_some_and(|lexeme| {
                matches!(lexeme.tok, Tok::Int | Tok::Decimal | Tok::Percent | Tok::Bytes | Tok::Str)
            });
        if in_its_place { Repair::Replace(Tok::MissingName) } else { Repair::Insert(Tok::MissingName) }
    }

    fn repair_sign(&self) -> Option<Repair> {
        if self.has(",") && self.begins_operand() {
            return Some(Repair::Insert(Tok::Is(TokenKind::Comma)));
        }
        self.repair_definition()
            .or_else(|| self.repair_pattern())
            .or_else(|| self.repair_bracket())
            .or_else(|| self.repair_word())
    }

    /// `let x 5`, `name T`, `key 30%`: the sign between a name and what it stands for.
    fn repair_definition(&self) -> Option<Repair> {
        if self.in_expression() {
            return None;
        }
        if self.has(":") && !self.has("=") {
            return Some(Repair::Insert(Tok::Is(TokenKind::Colon)));
        }
        if !self.begins_operand() {
            return None;
        }
        let assigned_later = self.after.iter().any(|lexeme| lexeme.tok.is(TokenKind::Assign));
        if self.has(":") && assigned_later {
            Some(Repair::Insert(Tok::Is(TokenKind::Colon)))
        } else if self.has("=") {
            Some(Repair::Insert(Tok::Is(TokenKind::Assign)))
        } else {
            None
        }
    }

    /// The sign behind a pattern, when something else stands there.
    fn repair_pattern(&self) -> Option<Repair> {
        let sign = if !self.has("PATTERN_FIELDS") || self.open_bracket().is_some() {
            return None;
        } else if self.has("=>") {
            Tok::Is(TokenKind::FatArrow)
        } else if self.has("in") {
            Tok::Is(TokenKind::Keyword(Word::In))
        } else if self.has("=") {
            Tok::Is(TokenKind::Assign)
        } else {
            return None;
        };
        let looks_like_it = [TokenKind::Arrow, TokenKind::Assign, TokenKind::Eq, TokenKind::Colon, TokenKind::Ge];
        let stands_for_it = looks_like_it.into_iter().any(|kind| self.found_is(kind));
        Some(if stands_for_it { Repair::Replace(sign) } else { Repair::Insert(sign) })
    }

    fn repair_bracket(&self) -> Option<Repair> {
        let kind = if self.has("BLOCK") {
            return Some(Repair::Insert(self.empty_block()));
        } else if self.lacks_braces() {
            return Some(Repair::DropUnbraced);
        } else if self.has(")") {
            TokenKind::RParen
        } else if self.has("]") {
            TokenKind::RBracket
        } else if self.in_expression() {
            return None;
        } else if self.has(">") {
            TokenKind::Gt
        } else if self.has("(") {
            TokenKind::LParen
        } else if self.has("[") {
            TokenKind::LBracket
        } else {
            return None;
        };
        Some(Repair::Insert(Tok::Is(kind)))
    }

    /// Whether what braces should hold stands without their `{`.
    fn lacks_braces(&self) -> bool {
        let lacks_fields = ["FIELDS", "RECORD"].iter().any(|fields| self.has(fields)) && self.begins_field();
        lacks_fields || self.has("DEAL") || (self.has("ARMS") && self.begins_operand())
    }

    /// Whether a key and its colon stand at the stop.
    fn begins_field(&self) -> bool {
        self.found.is_some_and(|lexeme| matches!(lexeme.tok, Tok::Name))
            && self.after.first().is_some_and(|lexeme| lexeme.tok.is(TokenKind::Colon))
    }

    fn repair_word(&self) -> Option<Repair> {
        let words = [Word::By, Word::After, Word::To, Word::Signed];
        words.into_iter().find(|word| self.has(word.text())).map(|word| Repair::Insert(Tok::Context(word)))
    }

    fn empty_block(&self) -> Tok {
        Tok::Block(Node::leaf(Arc::new(Block { stmts: Vec::new(), tail: None, span: Span::default() })))
    }

    /// The code, the sentence and the next action. `shown` is the found text.
    pub(crate) fn explain(&self, shown: Option<&str>) -> Explanation {
        let found = match self.found.map(|lexeme| &lexeme.tok) {
            Some(tok) if tok.is_braces() => "`{`".to_string(),
            Some(_) => format!("`{}`", shown.unwrap_or_default()),
            None if self.start == Start::Stmt => "the end of the block".to_string(),
            None => format!("the end of the {}", self.start.noun()),
        };
        self.explain_found(&found)
    }

    fn explain_found(&self, found: &str) -> Explanation {
        if self.before.is_empty() {
            return self.explain_first(found);
        }
        if self.closes_nothing() && !self.has("MISSING_EXPR") {
            return Explanation::new(Code::E0011, format!("{found} closes nothing"))
                .help("remove it, or open the bracket that it closes");
        }
        if self.list_closer().is_some() {
            return self.explain_sign(found);
        }
        if self.has("MISSING_TYPE") {
            return Explanation::new(Code::E0010, format!("expected a type, found {found}"))
                .help("write a type, such as `Int`, `Bytes<20>` or `Coin`");
        }
        if self.has("MISSING_EXPR") {
            return self.explain_operand(found);
        }
        if self.has("MISSING_NAME") {
            return self.explain_name(found);
        }
        self.explain_sign(found)
    }

    fn explain_first(&self, found: &str) -> Explanation {
        match self.start {
            _ if self.closes_nothing() => Explanation::new(Code::E0011, format!("{found} closes nothing"))
                .help("remove it, or open the bracket that it closes"),
            Start::Stmt if self.found_word() == Some(Word::Else) => {
                Explanation::new(Code::E0001, "`else` without its `if`".to_string())
                    .help("put it directly after the `}` of an `if`")
            }
            Start::Stmt => Explanation::new(Code::E0001, format!("expected a statement, found {found}"))
                .help("a statement is `let`, `require`, `if`, `for`, `split`, `return`, `name = value;` or `call();`"),
            Start::Plan => Explanation::new(Code::E0001, format!("expected a statement of a plan, found {found}"))
                .help("a plan holds `input`, `output`, `let`, `require`, `locktime`, `age`, `change`, `burn` and `publish`"),
            Start::Test => Explanation::new(Code::E0001, format!("expected a statement of a test, found {found}"))
                .help("a test holds `let`, `assert`, `chain.mine(..)`, `passes { .. }` and `fails \"..\" { .. }`, and a transaction calls paths, such as `coin.path(..)`, and holds `output`, `locktime`, `age` and `burn`"),
            Start::Item => Explanation::new(Code::E0001, format!("expected a declaration, found {found}"))
                .help(format!("the items are {ITEMS}")),
            start => Explanation::new(Code::E0009, format!("expected {}, found {found}", start.beginning())).help(
                match start {
                    Start::Entry => "an entry is written `key: value,`",
                    Start::Field => "a field is written `name: Type,`",
                    Start::Variant => "a variant is written `Name,`, `Name(Type),` or `Name { field: Type },`",
                    Start::Arm => "an arm is written `pattern => value,`",
                    _ => "a field is written `name: value,`",
                },
            ),
        }
    }

    fn explain_operand(&self, found: &str) -> Explanation {
        let missing = Explanation::new(Code::E0008, format!("expected an expression, found {found}"));
        match self.before.last().map(|lexeme| &lexeme.tok) {
            Some(Tok::Is(TokenKind::Assign)) => missing.help("write the value after `=`"),
            Some(Tok::Is(TokenKind::Colon)) => missing.help("write the value after `:`"),
            _ => missing.help("write a name, a number or another value here"),
        }
    }

    fn explain_name(&self, found: &str) -> Explanation {
        let last = self.before.last().map(|lexeme| &lexeme.tok);
        if self.has("genesis") {
            return Explanation::new(Code::E0009, format!("expected the coin to spend, found {found}"))
                .help("write `Contract.path(..)`, `key(..)` or `genesis`");
        }
        if self.has("mut") && !last.is_some_and(|last| last.is_word(Word::Let)) {
            return self.explain_pattern(found);
        }
        let what = match last {
            Some(Tok::Is(TokenKind::Dot)) => "the name of a field or method",
            Some(Tok::Is(TokenKind::Keyword(word))) => match word {
                Word::Fn => "the name of the function",
                Word::Struct => "the name of the struct",
                Word::Enum => "the name of the enum",
                Word::Contract => "the name of the contract",
                Word::Reward => "the name of the reward",
                Word::Spend => "the name of the path",
                Word::Const => "the name of the constant",
                Word::Let | Word::Mut => "the name of the value",
                _ => "a name",
            },
            Some(Tok::Context(Word::By)) => "the name of a reward",
            _ => "a name",
        };
        let explanation = Explanation::new(Code::E0009, format!("expected {what}, found {found}"));
        match self.found_word() {
            Some(_) => explanation.help(format!("{found} is a keyword; choose another name")),
            None => explanation.help("a name is a letter or `_`, then letters, digits and `_`"),
        }
    }

    fn explain_pattern(&self, found: &str) -> Explanation {
        let explanation = Explanation::new(Code::E0009, format!("expected a pattern, found {found}"));
        match self.found_word() {
            Some(_) => explanation.help(format!("{found} is a keyword; choose another name")),
            None if self.found_is(TokenKind::Range) => {
                explanation.help("`..` stands only between braces; write `_` for each part that is left out")
            }
            None => explanation
                .help("a pattern is a name, `_`, a literal, `(a, b)`, `[a, b]`, `Some(x)` or `Point { x, .. }`"),
        }
    }

    fn explain_sign(&self, found: &str) -> Explanation {
        if let Repair::BeginBody = self.repair() {
            return Explanation::new(Code::E0011, format!("expected `{{`, found {found}"))
                .after_previous()
                .help("open the body with `{`");
        }
        let ends_here = self.has(";") && self.on_fresh_line();
        if ends_here && !matches!(self.repair(), Repair::Insert(Tok::Is(TokenKind::Comma))) {
            return Explanation::new(Code::E0007, "expected `;` after this statement".to_string())
                .after_previous()
                .insert(";")
                .help("add `;` here");
        }
        match self.repair() {
            Repair::Insert(tok) if let Some(sign) = written(&tok) => return self.explain_insert(sign, found),
            Repair::DropUnbraced => return self.explain_insert("{", found),
            Repair::Replace(tok) if let Some(sign) = written(&tok) => {
                return Explanation::new(Code::E0001, format!("expected `{sign}`, found {found}"))
                    .help(format!("write `{sign}` instead"));
            }
            _ => {}
        }
        if self.start == Start::Entry && self.found_is(TokenKind::Comma) {
            // Entries end at commas, but for those inside a bracket.
            return Explanation::new(Code::E0011, "this `,` separates no entries".to_string())
                .help("open the bracket that is closed behind it");
        }
        if self.found_is(TokenKind::Assign) && self.in_expression() {
            return Explanation::new(Code::E0001, "`=` cannot stand here".to_string())
                .help("to compare write `==`; to assign write `name = value;`");
        }
        if self.is_chained_comparison() {
            return Explanation::new(Code::E0001, "comparisons cannot be chained".to_string())
                .help("join two comparisons with `&&`");
        }
        let help = if self.start == Start::Item && self.has("for") {
            "say what it offers: `imo Name for Other { .. }`"
        } else {
            "write what is expected here, or remove this"
        };
        Explanation::new(Code::E0001, format!("{}, found {found}", self.expectation())).help(help)
    }

    fn explain_insert(&self, sign: &str, found: &str) -> Explanation {
        let code = match sign {
            ")" | "]" | ">" | "{" => Code::E0011,
            _ => Code::E0001,
        };
        let explanation = Explanation::new(code, format!("expected `{sign}`, found {found}"))
            .after_previous()
            .help(format!("add `{sign}` here"));
        match code {
            Code::E0011 => explanation.with_open_bracket(),
            _ => explanation,
        }
    }

    fn is_chained_comparison(&self) -> bool {
        let compares = matches!(
            self.found.map(|lexeme| &lexeme.tok),
            Some(Tok::Is(
                TokenKind::Eq | TokenKind::Ne | TokenKind::Lt | TokenKind::Le | TokenKind::Gt | TokenKind::Ge
            ))
        );
        compares && self.has("&&")
    }

    /// A short phrase for what could stand here; never a list longer than three.
    fn expectation(&self) -> String {
        let signs: Vec<String> = self
            .expected
            .iter()
            .map(|name| name.trim_matches('"'))
            .filter(|name| !name.starts_with("as "))
            .map(in_words)
            .collect();
        match signs.as_slice() {
            [one] => format!("expected {one}"),
            [one, two] => format!("expected {one} or {two}"),
            [one, two, three] => format!("expected {one}, {two} or {three}"),
            _ if self.in_expression() && self.has(";") => "expected an operator or `;`".to_string(),
            _ if self.in_expression() && self.start.is_listed() => "expected an operator or `,`".to_string(),
            _ if self.in_expression() && self.has("ARMS") => "expected an operator or arms in braces".to_string(),
            _ if self.in_expression() => "expected an operator".to_string(),
            [] if self.start.is_listed() => "expected `,`".to_string(),
            _ => "expected something else".to_string(),
        }
    }
}

/// A terminal of the grammar as a reader knows it.
fn in_words(terminal: &str) -> String {
    let words = match terminal {
        "NAME" | "MISSING_NAME" => "a name",
        "INT" | "DECIMAL" | "PERCENT" | "MALFORMED" => "a number",
        "BYTES" => "bytes such as `0x00`",
        "STRING" => "a text in quotes",
        "UNIT" => "a unit",
        "BLOCK" | "BODY" => "a block in braces",
        "GROUP" => "a group in braces",
        "INITS" | "RECORD" | "FIELDS" | "PATTERN_FIELDS" => "fields in braces",
        "ARMS" => "arms in braces",
        "ASM_CODE" => "code in braces",
        "DEAL" => "a transaction in braces",
        "WORD" => "a word",
        "OPEN_ARGS" => "`<`",
        "MISSING_EXPR" => "an expression",
        "MISSING_TYPE" => "a type",
        sign => return format!("`{sign}`"),
    };
    words.to_owned()
}

/// A message about a stop, without places.
pub(crate) struct Explanation {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// Whether the message is about the place just after the previous terminal.
    pub(crate) after_previous: bool,
    /// Whether to show the innermost open bracket.
    pub(crate) open_bracket: bool,
    /// The sign that is missing there.
    pub(crate) insert: Option<&'static str>,
}

impl Explanation {
    fn new(code: Code, message: String) -> Explanation {
        Explanation { code, message, help: None, after_previous: false, open_bracket: false, insert: None }
    }

    /// Whether it says where a `{` is missing.
    pub(crate) fn opens_braces(&self) -> bool {
        self.code == Code::E0011 && self.message.starts_with("expected `{`")
    }

    fn help(mut self, text: impl Into<String>) -> Explanation {
        self.help = Some(text.into());
        self
    }

    fn insert(mut self, sign: &'static str) -> Explanation {
        self.insert = Some(sign);
        self
    }

    fn after_previous(mut self) -> Explanation {
        self.after_previous = true;
        self
    }

    fn with_open_bracket(mut self) -> Explanation {
        self.open_bracket = true;
        self
    }
}

fn is_body(lexeme: &Lexeme) -> bool {
    matches!(lexeme.tok, Tok::Body)
}

/// How a terminal that a repair puts in is written.
fn written(tok: &Tok) -> Option<&'static str> {
    match tok {
        Tok::Block(_) => Some("{"),
        Tok::Context(word) => Some(word.text()),
        Tok::Is(kind) => match kind {
            TokenKind::Semi => Some(";"),
            TokenKind::Comma => Some(","),
            TokenKind::Colon => Some(":"),
            TokenKind::Assign => Some("="),
            TokenKind::Arrow => Some("->"),
            TokenKind::LParen => Some("("),
            TokenKind::RParen => Some(")"),
            TokenKind::LBracket => Some("["),
            TokenKind::RBracket => Some("]"),
            TokenKind::Gt => Some(">"),
            TokenKind::FatArrow => Some("=>"),
            TokenKind::Keyword(word) => Some(word.text()),
            _ => None,
        },
        _ => None,
    }
}
