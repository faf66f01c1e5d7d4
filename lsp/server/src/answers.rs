//! Answers about a place, in the protocol's types.

use ide::{Answer, Completion, CompletionKind, Completions, Hint, HintKind, Lines, Signature, Snapshot};
use tower_lsp::lsp_types as lsp;

use crate::convert::Convert;

/// A place in a document that is asked about.
pub(crate) struct About<'a> {
    pub(crate) convert: Convert<'a>,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) path: &'a str,
    pub(crate) lines: &'a Lines,
    /// The byte.
    pub(crate) offset: usize,
    /// As the client says it.
    pub(crate) place: &'a lsp::TextDocumentPositionParams,
}

impl About<'_> {
    pub(crate) fn locations(&self, found: Vec<ide::Location>) -> Answer<Option<lsp::GotoDefinitionResponse>> {
        let found = found.iter().filter_map(|found| self.location(found));
        let found: Vec<lsp::Location> = found.collect();
        Ok((!found.is_empty()).then(|| found.into()))
    }

    fn location(&self, found: &ide::Location) -> Option<lsp::Location> {
        self.convert.location(self.snapshot, &found.path, &found.range.range())
    }

    pub(crate) fn references(&self, with_declaration: bool) -> Answer<Option<Vec<lsp::Location>>> {
        let found = self.snapshot.references(self.path, self.offset)?;
        let wanted = found.iter().filter(|mention| with_declaration || !mention.declares);
        Ok(Some(wanted.filter_map(|mention| self.location(&mention.location)).collect()))
    }

    pub(crate) fn highlights(&self) -> Answer<Option<Vec<lsp::DocumentHighlight>>> {
        let found = self.snapshot.highlights(self.path, self.offset)?;
        let highlight = |mention: &ide::Mention| lsp::DocumentHighlight {
            range: self.convert.range(self.lines, &mention.location.range.range()),
            kind: Some(match mention.declares || mention.writes {
                true => lsp::DocumentHighlightKind::WRITE,
                false => lsp::DocumentHighlightKind::READ,
            }),
        };
        Ok(Some(found.iter().map(highlight).collect()))
    }

    pub(crate) fn caller(&self, found: &ide::Caller) -> Option<lsp::CallHierarchyItem> {
        let lines = self.convert.lines(self.snapshot, &found.path)?;
        Some(lsp::CallHierarchyItem {
            name: found.name.clone(),
            kind: lsp::SymbolKind::FUNCTION,
            tags: None,
            detail: Some(found.detail.clone()),
            uri: self.convert.documents.url(&found.path, self.convert.ground)?,
            range: self.convert.range(&lines, &found.range),
            selection_range: self.convert.range(&lines, &found.name_range),
            data: None,
        })
    }

    /// Places in one source.
    pub(crate) fn places(&self, path: &str, places: &[std::ops::Range<usize>]) -> Option<Vec<lsp::Range>> {
        let lines = self.convert.lines(self.snapshot, path)?;
        Some(places.iter().map(|place| self.convert.range(&lines, place)).collect())
    }

    pub(crate) fn hover(&self, hover: ide::Hover) -> lsp::Hover {
        lsp::Hover {
            contents: lsp::HoverContents::Markup(lsp::MarkupContent {
                kind: lsp::MarkupKind::Markdown,
                value: hover.text,
            }),
            range: Some(self.convert.range(self.lines, &hover.range)),
        }
    }

    pub(crate) fn completions(&self, found: Completions, snippets: bool) -> Vec<lsp::CompletionItem> {
        let range = self.convert.range(self.lines, &found.replaced);
        found.list.into_iter().map(|item| self.completion(item, range, snippets)).collect()
    }

    fn completion(&self, item: Completion, range: lsp::Range, snippets: bool) -> lsp::CompletionItem {
        let fills = item.snippet && snippets;
        let plain = || if item.snippet { without_places(&item.insert) } else { item.insert.clone() };
        let new_text = if fills { item.insert.clone() } else { plain() };
        lsp::CompletionItem {
            kind: Some(kind_of(item.kind)),
            detail: (!item.detail.is_empty()).then_some(item.detail),
            sort_text: Some(format!("{}{}", item.rank, item.label)),
            text_edit: Some(lsp::CompletionTextEdit::Edit(lsp::TextEdit { range, new_text })),
            insert_text_format: fills.then_some(lsp::InsertTextFormat::SNIPPET),
            additional_text_edits: (!item.also.is_empty()).then(|| self.convert.edits(self.lines, item.also)),
            data: serde_json::to_value(self.place).ok(),
            label: item.label,
            ..Default::default()
        }
    }
}

/// A snippet for editors that fill in nothing: the suggestions stand where the places were.
fn without_places(snippet: &str) -> String {
    let mut out = String::new();
    let mut rest = snippet;
    while let Some((before, place)) = rest.split_once('$') {
        out.push_str(before);
        rest = match place.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((inner, rest)) => {
                out.push_str(inner.split_once(':').map_or("", |(_, suggestion)| suggestion));
                rest
            }
            None => place.trim_start_matches(|c: char| c.is_ascii_digit()),
        };
    }
    out + rest
}

const fn kind_of(kind: CompletionKind) -> lsp::CompletionItemKind {
    match kind {
        CompletionKind::Function => lsp::CompletionItemKind::FUNCTION,
        CompletionKind::Variable => lsp::CompletionItemKind::VARIABLE,
        CompletionKind::Constant => lsp::CompletionItemKind::CONSTANT,
        CompletionKind::Field => lsp::CompletionItemKind::FIELD,
        CompletionKind::Type => lsp::CompletionItemKind::STRUCT,
        CompletionKind::Variant => lsp::CompletionItemKind::ENUM_MEMBER,
        CompletionKind::Module => lsp::CompletionItemKind::MODULE,
        CompletionKind::Keyword => lsp::CompletionItemKind::KEYWORD,
        CompletionKind::Snippet => lsp::CompletionItemKind::SNIPPET,
        CompletionKind::Item => lsp::CompletionItemKind::CLASS,
    }
}

pub(crate) fn signature(found: Signature) -> lsp::SignatureHelp {
    // The protocol counts these in UTF-16 whatever was agreed on.
    let units = |at: usize| {
        let before = found.label.get(..at).unwrap_or_default();
        u32::try_from(before.encode_utf16().count()).unwrap_or(u32::MAX)
    };
    let param = |range: &std::ops::Range<usize>| lsp::ParameterInformation {
        label: lsp::ParameterLabel::LabelOffsets([units(range.start), units(range.end)]),
        documentation: None,
    };
    let params = found.params.iter().map(param).collect();
    let active = u32::try_from(found.active).ok();
    let documentation = (!found.docs.is_empty()).then(|| {
        lsp::Documentation::MarkupContent(lsp::MarkupContent {
            kind: lsp::MarkupKind::Markdown,
            value: found.docs.clone(),
        })
    });
    lsp::SignatureHelp {
        signatures: vec![lsp::SignatureInformation {
            label: found.label,
            documentation,
            parameters: Some(params),
            active_parameter: active,
        }],
        active_signature: Some(0),
        active_parameter: active,
    }
}

pub(crate) fn hint(convert: &Convert<'_>, lines: &Lines, hint: &Hint) -> lsp::InlayHint {
    lsp::InlayHint {
        position: convert.position(lines, hint.offset),
        label: lsp::InlayHintLabel::String(hint.text.clone()),
        kind: match hint.kind {
            HintKind::Type => Some(lsp::InlayHintKind::TYPE),
            HintKind::Parameter => Some(lsp::InlayHintKind::PARAMETER),
            HintKind::Share | HintKind::Cost => None,
        },
        text_edits: None,
        tooltip: None,
        padding_left: None,
        padding_right: (hint.kind == HintKind::Parameter).then_some(true),
        data: None,
    }
}

#[cfg(test)]
mod tests {
    use super::without_places;

    #[test]
    fn a_snippet_without_places_is_plain_text() {
        assert_eq!(without_places("let ${1:name} = ${2:a$};$0"), "let name = a$;");
        assert_eq!(without_places("f($1)"), "f()");
    }
}
