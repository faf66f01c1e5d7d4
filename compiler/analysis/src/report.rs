//! Collects the messages about one item.

use syntax::{Code, Diagnostic, FileId, ItemKey, Loc, Span};

/// The item under check and what has been found in it.
pub(crate) struct Report<'a> {
    file: FileId,
    key: &'a ItemKey,
    text: &'a str,
    found: Vec<Diagnostic>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(file: FileId, key: &'a ItemKey, text: &'a str) -> Self {
        Report { file, key, text, found: Vec::new() }
    }

    /// An empty report about the same item, for a check whose names live less long.
    pub(crate) fn beside<'b>(&self) -> Report<'b>
    where
        'a: 'b,
    {
        Report::new(self.file, self.key, self.text)
    }

    pub(crate) fn loc(&self, span: Span) -> Loc {
        Loc::in_item(self.file, self.key.clone(), span)
    }

    /// The source text of a span on one line.
    pub(crate) fn text_of(&self, span: Span) -> String {
        let text = self.text.get(span.range()).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn error(&self, code: Code, message: impl Into<String>, span: Span) -> Diagnostic {
        Diagnostic::error(code, message, self.loc(span))
    }

    pub(crate) fn warning(&self, code: Code, message: impl Into<String>, span: Span) -> Diagnostic {
        Diagnostic::warning(code, message, self.loc(span))
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Reports and gives the nothing that callers return instead of a value.
    pub(crate) fn fail<T>(&mut self, diagnostic: Diagnostic) -> Option<T> {
        self.found.push(diagnostic);
        None
    }

    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    pub(crate) fn finish(self) -> Vec<Diagnostic> {
        self.found
    }
}
