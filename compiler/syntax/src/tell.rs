//! The messages of the parser that are not about what the grammar expected.

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Severity};
use crate::fix::{Effect, Fix};
use crate::islands::ISLANDS_MAX;
use crate::literal::shorten;
use crate::parser::Parser;
use crate::repair::Explanation;
use crate::span::{FileId, ItemKind, Loc, Span};
use crate::stream::{Lexeme, Start};
use crate::token::TokenKind;
use crate::words::{Word, WordClass};

/// The most syntax diagnostics of an island, and of a file.
pub(crate) const DIAGNOSTICS_MAX: usize = 100;

type Place = Option<(u32, u32)>;

impl Parser<'_> {
    /// What is told of the island. What it documents can be known only where nothing else is wrong with it: a mistake may
    /// have swallowed what stands below a comment.
    pub(crate) fn told(mut self) -> Vec<Diagnostic> {
        if let Some(span) = self.stray {
            self.tell(Code::E0011, span, "this `}` closes nothing", "remove it, or open a block with `{`");
        }
        if self.diagnostics.iter().any(|found| found.severity == Severity::Error) {
            self.diagnostics.retain(|found| found.code != Code::E0018);
        }
        self.diagnostics.sort_by_key(|found| found.labels.first().map(|label| label.loc.span.start));
        self.diagnostics
    }

    pub(crate) fn tell(&mut self, code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) {
        let diagnostic = Diagnostic::error(code, message, self.loc(span)).help(help.into());
        self.add(diagnostic);
    }

    fn loc(&self, span: Span) -> Loc {
        Loc::in_item(FileId::default(), self.key.clone(), span)
    }

    /// One more than the limit is kept, so that the file knows that there are more.
    fn add(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() <= DIAGNOSTICS_MAX {
            self.diagnostics.push(diagnostic);
        }
    }

    /// Takes back what was told since there were `count` messages, but for braces that do not match.
    pub(crate) fn forget_but_braces(&mut self, count: usize) {
        let later = self.diagnostics.split_off(count.min(self.diagnostics.len()));
        self.diagnostics.extend(later.into_iter().filter(|diagnostic| diagnostic.code == Code::E0011));
    }

    /// Where braces do not match, what is told about their content is often a consequence: of the
    /// messages since there were `count`, keeps those about braces and the first other one.
    pub(crate) fn keep_braces_and_one(&mut self, count: usize) {
        let later = self.diagnostics.split_off(count.min(self.diagnostics.len()));
        let mut others = 0;
        self.diagnostics.extend(later.into_iter().filter(|diagnostic| {
            let is_other = diagnostic.code != Code::E0011 && diagnostic.severity == Severity::Error;
            others += usize::from(is_other);
            !is_other || others <= 1
        }));
    }

    /// Tells where the grammar stopped.
    pub(crate) fn tell_stop(&mut self, explanation: Explanation, found: Place, previous: Option<u32>, open: Place) {
        let after_previous = previous.map(|end| self.cx.span(end, end));
        let found = found.map(|(l, r)| self.cx.span(l, r));
        let span = match (explanation.after_previous, after_previous, found) {
            (true, Some(span), _) | (false, _, Some(span)) | (_, Some(span), None) => span,
            (_, None, found) => found.unwrap_or_default(),
        };
        let brace = explanation.opens_braces();
        // The place where a `{` is missing says more than the `}` that it leaves over.
        let replaces_stray = brace && self.stray.take_if(|stray| span.start < stray.start).is_some();
        let consequence = self.unbalanced && (brace || explanation.message.contains("`else`"));
        if consequence && !replaces_stray {
            return;
        }
        self.braces_told |= brace;
        // The `}` to come that closes nothing is the one of this `{`.
        self.unbalanced |= brace && self.surplus;
        let mut diagnostic = Diagnostic::error(explanation.code, explanation.message, self.loc(span));
        diagnostic.help = explanation.help;
        if let Some(sign) = explanation.insert {
            diagnostic = diagnostic.fix(self.insert(span, sign));
        }
        if let Some((l, r)) = open.filter(|_| explanation.open_bracket) {
            diagnostic = diagnostic.label(self.loc(self.cx.span(l, r)), "opened here");
        }
        self.add(diagnostic);
    }

    pub(crate) fn tell_too_nested(&mut self, span: Span) {
        self.tell(
            Code::E0012,
            span,
            "this nests too deeply",
            "give a part its own name with `let`, or move it into a function",
        );
    }

    pub(crate) fn missing_semi(&mut self, lexemes: &[Lexeme]) {
        let end = Span::point(self.lexemes_span(lexemes).end);
        let found = Diagnostic::error(Code::E0007, "expected `;` after this statement", self.loc(end));
        self.add(found.help("add `;` here").fix(self.insert(end, ";")));
    }

    /// What puts a sign that is missing behind the span.
    fn insert(&self, span: Span, sign: &str) -> Fix {
        Fix::new(format!("add `{sign}`"), Effect::Mends).edit(self.loc(Span::point(span.end)), sign)
    }

    /// Tells that another sign was meant.
    pub(crate) fn tell_instead(&mut self, span: Span, message: String, sign: &str) {
        let loc = self.loc(span);
        let fix = Fix::new(format!("write `{sign}`"), Effect::Mends).edit(loc.clone(), sign);
        self.add(Diagnostic::error(Code::E0001, message, loc).help(format!("write `{sign}` instead")).fix(fix));
    }

    pub(crate) fn missing_comma(&mut self, start: Start, lexemes: &[Lexeme]) {
        let end = Span::point(self.lexemes_span(lexemes).end);
        let message = format!("expected `,` after this {}", start.noun());
        let found = Diagnostic::error(Code::E0001, message, self.loc(end));
        self.add(found.help("add `,` here").fix(self.insert(end, ",")));
    }

    pub(crate) fn stray_brace(&mut self, at: usize) {
        self.unbalanced = true;
        if !std::mem::replace(&mut self.braces_told, true) {
            self.stray = Some(self.source.span(at));
        }
    }

    pub(crate) fn unclosed_brace(&mut self, at: usize) {
        self.unbalanced = true;
        if !std::mem::replace(&mut self.braces_told, true) {
            let span = self.source.span(at);
            self.tell(Code::E0011, span, "this `{` is never closed", "close it with `}`");
        }
    }

    pub(crate) fn warn_idle_doc(&mut self, span: Span) {
        let mut diagnostic =
            Diagnostic::error(Code::E0018, "this documents nothing", self.loc(span)).help("write `//` for a comment");
        diagnostic.severity = Severity::Warning;
        let slashes = self.loc(Span::new(span.start, span.start.saturating_add(3)));
        self.add(diagnostic.fix(Fix::new("make it a comment", Effect::Keeps).edit(slashes, "//")));
    }

    /// Tells what is wrong with an island that begins no item.
    pub(crate) fn explain_garbage(&mut self, first: usize) {
        if self.key.kind == ItemKind::Rest {
            let span = self.source.span(first);
            let message = format!("this file has more than {ISLANDS_MAX} items");
            return self.tell(Code::E0017, span, message, "split the file");
        }
        let Some(kind) = self.source.kind(first) else {
            return self.idle_doc(0);
        };
        let span = self.source.span(first);
        let shown = shorten(self.source.slice(first));
        let nameless = Word::from_text(&shown)
            .filter(|word| word.class() == WordClass::Opener && self.source.is(first + 1, TokenKind::LBrace));
        match kind {
            TokenKind::Ident
                if nameless.is_some_and(|word| !matches!(word, Word::State | Word::Allow | Word::Budget)) =>
            {
                let message = format!("`{shown}` has no name");
                self.tell(Code::E0009, span, message, format!("write `{shown} Name {{ .. }}`"));
            }
            TokenKind::RBrace => {
                self.tell(Code::E0011, span, "this `}` closes nothing", "remove it, or open a block with `{`")
            }
            TokenKind::Error => self.tell(
                Code::E0002,
                span,
                format!("`{shown}` means nothing here"),
                "remove it, or put it into a comment",
            ),
            TokenKind::Keyword(Word::Spend) => self.tell(
                Code::E0015,
                span,
                "`spend` stands outside any contract",
                "move it between the braces of a `contract`",
            ),
            _ => {
                let help = match self.similar(first, &ITEM_WORDS) {
                    Some(word) => format!("did you mean `{}`?", word.text()),
                    None => format!("the items are {ITEMS}"),
                };
                self.tell(Code::E0015, span, format!("expected an item, found `{shown}`"), help);
            }
        }
    }

    /// Tells what is wrong with text in a contract that begins no member.
    pub(crate) fn explain_no_member(&mut self, first: usize) {
        if self.source.is(first, TokenKind::RBrace) {
            return self.stray_brace(first);
        }
        if self.braces_told {
            return;
        }
        let shown = shorten(self.source.slice(first));
        let lacking = match Word::from_text(&shown) {
            Some(Word::State) => Some(("{", "write `state { name: Type }`")),
            Some(Word::Allow) => Some(("(", "write `allow(lint);`")),
            Some(Word::Budget) => Some(("(", "write `budget(script: 200 bytes);`")),
            _ => None,
        };
        if let Some((sign, help)) = lacking {
            let behind = Span::point(self.source.span(first).end);
            return self.tell(Code::E0011, behind, format!("expected `{sign}` after `{shown}`"), help);
        }
        let help = match self.similar(first, &MEMBER_WORDS) {
            Some(word) => format!("did you mean `{}`?", word.text()),
            None => "a contract holds `spend`, `state`, `fn`, `const`, `allow` and `budget`".to_string(),
        };
        let span = self.source.span(first);
        self.tell(Code::E0015, span, format!("expected a member of the contract, found `{shown}`"), help);
    }

    /// The word that the name at `at` is probably a misspelling of.
    fn similar(&self, at: usize, words: &[Word]) -> Option<Word> {
        let text = self.source.slice(at);
        let plausible = self.source.is(at, TokenKind::Ident) && text.len() <= 12;
        let found = words.iter().find(|word| differs_little(text, word.text()));
        found.copied().filter(|word| plausible && matches!(word.class(), WordClass::Keyword | WordClass::Opener))
    }
}

/// The items, for messages.
pub(crate) const ITEMS: &str = "`use`, `const`, `struct`, `enum`, `fn`, `contract`, `reward`, `model`, `imi`, `imo`, `plan`, `test` and `property`";

const ITEM_WORDS: [Word; 13] = [
    Word::Use,
    Word::Const,
    Word::Struct,
    Word::Enum,
    Word::Fn,
    Word::Contract,
    Word::Reward,
    Word::Model,
    Word::Imi,
    Word::Imo,
    Word::Plan,
    Word::Test,
    Word::Property,
];
const MEMBER_WORDS: [Word; 6] = [Word::Spend, Word::State, Word::Fn, Word::Const, Word::Allow, Word::Budget];

/// Whether one letter added, left out or changed, or two neighbours swapped, make `a` of `b`.
fn differs_little(a: &str, b: &str) -> bool {
    let same_start = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (Some(a), Some(b)) = (a.get(same_start..), b.get(same_start..)) else {
        return false;
    };
    match (a, b) {
        ([x, y, rest @ ..], [v, w, other @ ..]) if x == w && y == v && rest == other => true,
        ([_, rest @ ..], [_, other @ ..]) if rest == other => true,
        ([_, rest @ ..], other) if rest == other => true,
        (rest, [_, other @ ..]) => rest == other,
        _ => false,
    }
}
