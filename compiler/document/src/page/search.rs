//! The index that the search reads: a file of its own that a page loads, for a page that was opened from a disk may ask
//! for no data.

use serde_json::json;

use crate::docs::Docs;
use crate::entry::{Entry, markdown};
use crate::markdown::plain_text;
use crate::scope::Chapter;

/// So many characters of what something says of itself are shown.
const SUMMARY_MAX: usize = 120;

/// Rows of name, kind, place, address and summary.
pub(super) fn index(docs: &Docs) -> String {
    let mut rows = Vec::new();
    for chapter in &docs.chapters {
        let module = chapter.full_name();
        let said = short(&markdown(&chapter.docs));
        rows.push(json!([chapter.module.name, "module", chapter.module.package, chapter.path(), said]));
        for entry in &chapter.entries {
            let url = format!("{}#{}", chapter.path(), entry.anchor);
            let said = short(&markdown(entry.docs()));
            rows.push(json!([&*entry.name, entry.kind.word(), module, url, said]));
            rows.extend(members(chapter, entry));
        }
    }
    let rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
    format!("\"use strict\";\nwindow.bmcDocs = [\n{}\n];\n", rows.join(",\n"))
}

/// The parts of an item that have places of their own.
fn members(chapter: &Chapter, entry: &Entry) -> Vec<serde_json::Value> {
    if !entry.settings().is_empty() {
        return Vec::new();
    }
    let row = |(name, docs): (&str, &[syntax::ast::Doc])| {
        let url = format!("{}#{}.{name}", chapter.path(), entry.anchor);
        json!([format!("{}.{name}", entry.name), "member", chapter.full_name(), url, short(&markdown(docs))])
    };
    entry.members().into_iter().map(row).collect()
}

fn short(docs: &str) -> String {
    let text = plain_text(docs);
    if text.chars().count() <= SUMMARY_MAX {
        return text;
    }
    text.chars().take(SUMMARY_MAX).chain(['…']).collect()
}
