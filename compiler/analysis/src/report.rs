//! Collects the messages about one item.

use std::sync::Arc;

use syntax::{Code, Diagnostic, FileId, Loc, Span};

use crate::domain::Origins;
use crate::hir::Type;
use crate::suggest::Close;
use crate::{SourceItem, suggest};

/// The most messages about one item; one more says how many were left out.
const MESSAGES_MAX: usize = 100;
/// How many names of an item are compared with all others: a comparison is cheap, a million are not.
const SUGGESTIONS_MAX: usize = 5;

/// Where a message points: a span of the item under check, or a place that is known already.
pub(crate) trait Place {
    fn place(self, report: &Report<'_>) -> Loc;
}

impl Place for Span {
    fn place(self, report: &Report<'_>) -> Loc {
        report.loc(self)
    }
}

impl Place for &Loc {
    fn place(self, _: &Report<'_>) -> Loc {
        self.clone()
    }
}

/// The item under check and what has been found in it.
pub(crate) struct Report<'a> {
    file: FileId,
    item: SourceItem<'a>,
    /// Generated statements inside the item, while they are checked.
    generated: Option<(Arc<str>, Arc<Origins>)>,
    found: Vec<Diagnostic>,
    count: usize,
    suggestions: usize,
    /// The types of what the author wrote, if somebody wants to know them.
    types: Option<Vec<(Span, Type)>>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(file: FileId, item: &SourceItem<'a>) -> Self {
        Report { file, item: *item, generated: None, found: Vec::new(), count: 0, suggestions: 0, types: None }
    }

    /// Notes the types of expressions and variables too.
    pub(crate) fn with_types(mut self) -> Self {
        self.types = Some(Vec::new());
        self
    }

    /// Notes what type something has that the author wrote.
    pub(crate) fn note_type(&mut self, span: Span, ty: &Type) {
        if self.generated.is_none()
            && let Some(types) = &mut self.types
        {
            types.push((span, ty.clone()));
        }
    }

    /// The types that were noted.
    pub(crate) fn into_types(self) -> Vec<(Span, Type)> {
        self.types.unwrap_or_default()
    }

    /// An empty report about the same item, for a check whose names live less long.
    pub(crate) fn beside<'b>(&self) -> Report<'b>
    where
        'a: 'b,
    {
        Report {
            suggestions: self.suggestions,
            generated: self.generated.clone(),
            types: self.types.as_ref().map(|_| Vec::new()),
            ..Report::new(self.file, &self.item)
        }
    }

    /// The place of a span: of the author's text, or, in what was generated, of what it was generated from.
    pub(crate) fn loc(&self, span: Span) -> Loc {
        match &self.generated {
            Some((_, origins)) => origins.loc(span),
            None => self.item.loc(self.file, span),
        }
    }

    /// The text that spans count in.
    pub(crate) fn text(&self) -> &str {
        self.generated.as_ref().map_or(self.item.text, |(text, _)| text)
    }

    /// Lets spans count in generated statements, until called again with what this gives back.
    pub(crate) fn enter(&mut self, generated: Option<(Arc<str>, Arc<Origins>)>) -> Option<(Arc<str>, Arc<Origins>)> {
        std::mem::replace(&mut self.generated, generated)
    }

    /// Whether what is under check was generated from a declaration.
    pub(crate) fn is_generated(&self) -> bool {
        self.generated.is_some() || self.item.origins.is_some()
    }

    /// The source text of a span on one line.
    pub(crate) fn text_of(&self, span: Span) -> String {
        let text = self.text().get(span.range()).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn error(&self, code: Code, message: impl Into<String>, at: impl Place) -> Diagnostic {
        Diagnostic::error(code, message, at.place(self))
    }

    pub(crate) fn warning(&self, code: Code, message: impl Into<String>, at: impl Place) -> Diagnostic {
        Diagnostic::warning(code, message, at.place(self))
    }

    /// The help line for an unknown name, as long as the item has not too many of them.
    pub(crate) fn did_you_mean<'n>(&mut self, name: &str, known: impl IntoIterator<Item = &'n str>) -> Close {
        self.suggestions += 1;
        if self.suggestions > SUGGESTIONS_MAX { Close(None) } else { suggest::did_you_mean(name, known) }
    }

    pub(crate) fn push(&mut self, mut diagnostic: Diagnostic) {
        self.count += 1;
        if self.is_generated() {
            // Its author has not written what the fixes would edit.
            diagnostic.fixes.clear();
        }
        if self.found.len() < MESSAGES_MAX {
            self.found.push(diagnostic);
        }
    }

    /// Reports a part of the language that this version reads but does not compile: `what` is its
    /// name in code quotes or plain words.
    pub(crate) fn not_yet(&mut self, what: &str, span: Span) {
        let found = self.error(Code::E0013, format!("{what} not available yet"), span);
        self.push(found.help("say it with the forms that this version compiles"));
    }

    /// Reports and gives the nothing that callers return instead of a value.
    pub(crate) fn fail<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.push(diagnostic);
        None
    }

    /// Takes over what a report beside this one has found.
    pub(crate) fn absorb(&mut self, other: Report<'_>) {
        let left_out = other.count - other.found.len();
        if let (Some(types), Some(more)) = (&mut self.types, other.types) {
            types.extend(more);
        }
        other.found.into_iter().for_each(|found| self.push(found));
        self.count += left_out;
        self.suggestions = other.suggestions;
    }

    /// Lets `filter` take messages away, or add some.
    pub(crate) fn revise(&mut self, filter: impl FnOnce(Vec<Diagnostic>) -> Vec<Diagnostic>) {
        let before = self.found.len();
        self.found = filter(std::mem::take(&mut self.found));
        self.count = self.count - before + self.found.len();
    }

    /// How many messages there were, shown or not.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        let left_out = self.count - self.found.len();
        if let Some(last) = self.found.last().filter(|_| left_out > 0) {
            let loc = last.labels.first().map_or_else(|| self.loc(Span::default()), |label| label.loc.clone());
            let message = format!("{left_out} more messages about this item are not shown");
            let found = Diagnostic::error(Code::E0016, message, loc);
            self.found.push(found.help("correct the first ones; the others are often their consequence"));
        }
        self.found
    }
}
