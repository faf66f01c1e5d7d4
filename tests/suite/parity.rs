//! The page for those who come from other languages is true: its snippets compile, and its examples are there.

use std::fs;

use spec::RuleSet;

use crate::bmc::root;
use crate::contracts::compile;

fn page() -> String {
    fs::read_to_string(root().join("docs/book/src/from-cashscript.md")).unwrap()
}

/// The cells of each row of a table.
fn rows(page: &str) -> impl Iterator<Item = Vec<String>> {
    let cells = |line: &str| {
        let line = line.replace("\\|", "\u{1}");
        let cells = line.trim_matches('|').split('|').map(|cell| cell.trim().replace('\u{1}', "|"));
        cells.collect::<Vec<_>>()
    };
    page.lines().filter(|line| line.starts_with("| ")).map(cells).collect::<Vec<_>>().into_iter()
}

/// Items stand for themselves; statements go into a function that has the names they use.
fn source(snippet: &str) -> String {
    let items = ["contract ", "fn ", "const ", "struct ", "enum ", "use ", "//"];
    if items.iter().any(|start| snippet.starts_with(start)) {
        return format!("{snippet}\n");
    }
    format!(
        "fn row(a: Int, b: Int, data: Bytes, four: Bytes<4>, key: PubKey, sig: Sig, word: DataSig, flag: Bool, \
         at: Height) {{\n{snippet}\n}}\n"
    )
}

#[test]
fn every_snippet_compiles() {
    let page = page();
    let snippets: Vec<(String, String)> = rows(&page)
        .filter(|row| row.len() == 4 && row[3] != "Bitmodel")
        .map(|row| (row[0].clone(), row[3].trim_matches('`').to_owned()))
        .collect();
    assert!(snippets.len() >= 80, "{}", snippets.len());
    for (feature, snippet) in snippets {
        for rules in [RuleSet::Bitmodel, RuleSet::Bch2026] {
            let compiled = compile("row", &source(&snippet), rules);
            assert!(!compiled.has_errors(), "{feature}: {}\n{snippet}", compiled.to_json());
        }
    }
}

#[test]
fn every_example_is_there() {
    let page = page();
    let examples: Vec<Vec<String>> = rows(&page).filter(|row| row.len() == 3 && row[2] != "here").collect();
    assert!(examples.len() >= 20, "{}", examples.len());
    for row in examples {
        let files: Vec<&str> = row[2].split('`').skip(1).step_by(2).collect();
        assert!(!files.is_empty(), "{row:?}");
        for file in files {
            assert!(root().join(file).is_file(), "{file}");
        }
    }
}
