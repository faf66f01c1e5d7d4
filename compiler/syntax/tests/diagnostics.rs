//! Every file under `tests/syntax/err` gives the messages shown in the snapshot beside it.

mod support;

use std::fmt::{self, Write};
use support::{corpus, corpus_dir};
use syntax::{LineIndex, Parse, parse};

#[test]
fn broken_files_give_the_messages_beside_them() {
    for (name, text) in corpus("err") {
        let parse = parse(&text);
        assert!(!parse.diagnostics.is_empty(), "{name} is not broken");
        insta::with_settings!({
            snapshot_path => corpus_dir("err"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(name, shown(&text, &parse).expect("strings take any text"));
        });
    }
}

/// The text with line numbers, then the messages, then the outline of the tree.
fn shown(text: &str, parse: &Parse) -> Result<String, fmt::Error> {
    let mut out = String::new();
    for (at, line) in text.lines().enumerate() {
        writeln!(out, "{:3} | {line}", at + 1)?;
    }
    out.push('\n');
    let index = LineIndex::new(text);
    for diagnostic in &parse.diagnostics {
        writeln!(out, "{}: {}", diagnostic.code, diagnostic.message)?;
        for label in &diagnostic.labels {
            let span = parse.resolve(&label.loc).expect("the label lies in the file");
            let at = index.line_col(text, span.start);
            let covered = &text[span.range()];
            writeln!(out, "   {}:{} `{covered}` {}", at.line, at.column, label.text)?;
        }
        if let Some(help) = &diagnostic.help {
            writeln!(out, "   help: {help}")?;
        }
    }
    out.push('\n');
    for item in &parse.file.items {
        out.push_str(&support::outline(item));
    }
    Ok(out)
}
