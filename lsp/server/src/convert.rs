//! Between the protocol's types and those of `ide`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use driver::Severity;
use ide::{Encoding, FileEdit, Fold, FoldKind, Lines, Point, Problem, Snapshot, Symbol, SymbolKind, TextEdit};
use tower_lsp::lsp_types as lsp;

use crate::documents::{Documents, path_of};

/// How columns are counted and documents are called.
pub(crate) struct Convert<'c> {
    pub(crate) encoding: Encoding,
    pub(crate) documents: &'c Documents,
    pub(crate) ground: &'c dyn ide::Ground,
    /// The lines of sources, found once for one answer.
    pub(crate) known: RefCell<BTreeMap<Arc<str>, Lines>>,
}

impl Convert<'_> {
    /// The lines of a source.
    pub(crate) fn lines(&self, snapshot: &Snapshot, path: &str) -> Option<Lines> {
        if let Some(known) = self.known.borrow().get(path) {
            return Some(known.clone());
        }
        let lines = snapshot.lines(path)?;
        self.known.borrow_mut().insert(path.into(), lines.clone());
        Some(lines)
    }

    pub(crate) fn position(&self, lines: &Lines, offset: usize) -> lsp::Position {
        let Point { line, column } = lines.point(offset, self.encoding);
        lsp::Position::new(line, column)
    }

    pub(crate) fn range(&self, lines: &Lines, range: &Range<usize>) -> lsp::Range {
        lsp::Range::new(self.position(lines, range.start), self.position(lines, range.end))
    }

    pub(crate) fn edits(&self, lines: &Lines, edits: Vec<TextEdit>) -> Vec<lsp::TextEdit> {
        let edit = |edit: TextEdit| lsp::TextEdit::new(self.range(lines, &edit.range), edit.text);
        edits.into_iter().map(edit).collect()
    }

    /// The path of a document.
    pub(crate) fn path(&self, url: &lsp::Url) -> Arc<str> {
        path_of(url, self.ground)
    }

    /// Edits of several documents, with the versions that they are for, and documents that are new.
    pub(crate) fn workspace_edit(
        &self,
        snapshot: &Snapshot,
        edits: &[FileEdit],
        creates: &[(Arc<str>, String)],
    ) -> lsp::WorkspaceEdit {
        let documents = self.document_edits(snapshot, edits);
        let changes = if creates.is_empty() {
            lsp::DocumentChanges::Edits(documents)
        } else {
            let new = creates.iter().filter_map(|(path, text)| self.new_document(path, text)).flatten();
            let edits = documents.into_iter().map(lsp::DocumentChangeOperation::Edit);
            lsp::DocumentChanges::Operations(new.chain(edits).collect())
        };
        lsp::WorkspaceEdit { document_changes: Some(changes), ..Default::default() }
    }

    /// Makes a document that is not there yet, and writes its text.
    fn new_document(&self, path: &str, text: &str) -> Option<[lsp::DocumentChangeOperation; 2]> {
        let uri = self.documents.url(path, self.ground)?;
        let create = lsp::CreateFile { uri: uri.clone(), options: None, annotation_id: None };
        let text_document = lsp::OptionalVersionedTextDocumentIdentifier { uri, version: None };
        let edits = vec![lsp::OneOf::Left(lsp::TextEdit::new(lsp::Range::default(), text.to_owned()))];
        Some([
            lsp::DocumentChangeOperation::Op(lsp::ResourceOp::Create(create)),
            lsp::DocumentChangeOperation::Edit(lsp::TextDocumentEdit { text_document, edits }),
        ])
    }

    /// Edits by their documents, with the versions that the snapshot knows.
    pub(crate) fn document_edits(&self, snapshot: &Snapshot, edits: &[FileEdit]) -> Vec<lsp::TextDocumentEdit> {
        let mut by_path: Vec<(Arc<str>, Vec<TextEdit>)> = Vec::new();
        for FileEdit { path, edit } in edits {
            match by_path.iter_mut().find(|(known, _)| known == path) {
                Some((_, edits)) => edits.push(edit.clone()),
                None => by_path.push((Arc::clone(path), vec![edit.clone()])),
            }
        }
        let document = |(path, edits): (Arc<str>, Vec<TextEdit>)| {
            let (lines, uri) = (self.lines(snapshot, &path)?, self.documents.url(&path, self.ground)?);
            let edits = self.edits(&lines, edits).into_iter().map(lsp::OneOf::Left).collect();
            // The latest version may be another one by now.
            let version = snapshot.version(&path);
            let text_document = lsp::OptionalVersionedTextDocumentIdentifier { uri, version };
            Some(lsp::TextDocumentEdit { text_document, edits })
        };
        by_path.into_iter().filter_map(document).collect()
    }

    pub(crate) fn location(&self, snapshot: &Snapshot, path: &str, range: &Range<usize>) -> Option<lsp::Location> {
        let lines = self.lines(snapshot, path)?;
        Some(lsp::Location::new(self.documents.url(path, self.ground)?, self.range(&lines, range)))
    }

    pub(crate) fn diagnostic(&self, snapshot: &Snapshot, lines: &Lines, problem: &Problem) -> lsp::Diagnostic {
        let related = problem.related.iter().filter_map(|related| {
            let location = self.location(snapshot, &related.path, &related.range)?;
            Some(lsp::DiagnosticRelatedInformation { location, message: related.text.clone() })
        });
        let related: Vec<_> = related.collect();
        lsp::Diagnostic {
            range: self.range(lines, &problem.range),
            severity: Some(match problem.severity {
                Severity::Error => lsp::DiagnosticSeverity::ERROR,
                Severity::Warning => lsp::DiagnosticSeverity::WARNING,
            }),
            code: Some(lsp::NumberOrString::String(problem.code.to_string())),
            source: Some("bmc".to_owned()),
            message: problem.message.clone(),
            related_information: (!related.is_empty()).then_some(related),
            tags: problem.unnecessary.then(|| vec![lsp::DiagnosticTag::UNNECESSARY]),
            ..Default::default()
        }
    }

    pub(crate) fn symbol(&self, lines: &Lines, symbol: Symbol) -> lsp::DocumentSymbol {
        let children: Vec<_> = symbol.children.into_iter().map(|child| self.symbol(lines, child)).collect();
        #[expect(deprecated, reason = "the type demands the field")]
        lsp::DocumentSymbol {
            kind: symbol_kind(symbol.kind),
            range: self.range(lines, &symbol.range),
            selection_range: self.range(lines, &symbol.name_range),
            name: symbol.name,
            detail: (!symbol.detail.is_empty()).then_some(symbol.detail),
            tags: None,
            deprecated: None,
            children: (!children.is_empty()).then_some(children),
        }
    }

    pub(crate) fn fold(&self, lines: &Lines, fold: &Fold) -> lsp::FoldingRange {
        let range = self.range(lines, &fold.range);
        lsp::FoldingRange {
            start_line: range.start.line,
            // The line with the closing bracket stays.
            end_line: if fold.kind == FoldKind::Region { range.end.line.saturating_sub(1) } else { range.end.line },
            start_character: None,
            end_character: None,
            kind: Some(match fold.kind {
                FoldKind::Comment => lsp::FoldingRangeKind::Comment,
                FoldKind::Imports => lsp::FoldingRangeKind::Imports,
                FoldKind::Region => lsp::FoldingRangeKind::Region,
            }),
            collapsed_text: None,
        }
    }

    /// Ranges from the inside out, as the protocol nests them.
    pub(crate) fn selection(&self, lines: &Lines, ranges: &[Range<usize>]) -> lsp::SelectionRange {
        let mut around = None;
        for range in ranges.iter().rev() {
            around = Some(Box::new(lsp::SelectionRange { range: self.range(lines, range), parent: around }));
        }
        let nowhere = || lsp::SelectionRange { range: lsp::Range::default(), parent: None };
        around.map_or_else(nowhere, |found| *found)
    }
}

/// The byte at a position of the client.
pub(crate) fn offset(lines: &Lines, encoding: Encoding, position: lsp::Position) -> usize {
    lines.offset(Point { line: position.line, column: position.character }, encoding)
}

/// The bytes of a range of the client, which may be the wrong way round.
pub(crate) fn bytes(lines: &Lines, encoding: Encoding, range: lsp::Range) -> Range<usize> {
    let (start, end) = (offset(lines, encoding, range.start), offset(lines, encoding, range.end));
    start.min(end)..start.max(end)
}

pub(crate) const fn symbol_kind(kind: SymbolKind) -> lsp::SymbolKind {
    match kind {
        SymbolKind::Contract => lsp::SymbolKind::CLASS,
        SymbolKind::Path => lsp::SymbolKind::METHOD,
        SymbolKind::Function | SymbolKind::Plan => lsp::SymbolKind::FUNCTION,
        SymbolKind::Constant => lsp::SymbolKind::CONSTANT,
        SymbolKind::Struct => lsp::SymbolKind::STRUCT,
        SymbolKind::Enum => lsp::SymbolKind::ENUM,
        SymbolKind::Variant => lsp::SymbolKind::ENUM_MEMBER,
        SymbolKind::Field => lsp::SymbolKind::FIELD,
        SymbolKind::Test => lsp::SymbolKind::EVENT,
    }
}

#[cfg(test)]
mod tests {
    use driver::MemoryWorld;
    use ide::Host;

    use super::*;
    use crate::owner::tests::Folders;

    #[test]
    fn edits_are_for_the_version_that_they_were_made_of() {
        let ground = Arc::new(Folders(MemoryWorld::default()));
        let mut host = Host::new(Arc::clone(&ground) as Arc<dyn ide::Ground>);
        host.open("one/a.bmc", "const A: Int = 1;".into(), 4);
        // A handler has seen a later version before its turn came.
        let documents = Documents::default();
        documents.set("one/a.bmc", lsp::Url::parse("file:///one/a.bmc").unwrap(), 5);
        let convert =
            Convert { encoding: Encoding::Utf8, documents: &documents, ground: &*ground, known: RefCell::default() };
        let edit = FileEdit { path: "one/a.bmc".into(), edit: TextEdit { range: 6..7, text: "B".to_owned() } };
        let made = convert.document_edits(&host.snapshot("one/a.bmc").unwrap(), &[edit]);
        let versions: Vec<Option<i32>> = made.iter().map(|made| made.text_document.version).collect();
        assert_eq!(versions, [Some(4)]);
    }
}
