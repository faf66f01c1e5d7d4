//! The grammar beside the compiler: the same words, and the same sources read or refused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr, reason = "all of this is tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use syntax::{Code, Severity, TokenKind, Word, ast};
use tree_sitter::{Language, Parser, Query, QueryCursor, StreamingIterator as _, Tree};

fn language() -> Language {
    tree_sitter_bmc::LANGUAGE.into()
}

fn tree(text: &str) -> Tree {
    let mut parser = Parser::new();
    parser.set_language(&language()).unwrap();
    parser.parse(text, None).unwrap()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The files below a folder with one ending, but for those that are built or installed.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                files(&path, ending, found);
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

/// Every source of the repository with its path.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&root(), ".bmc", &mut found);
    found.sort();
    assert!(found.len() > 300, "{}", found.len());
    found.into_iter().map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap())).collect()
}

/// The codes of what the compiler's parser refuses.
fn refusals(text: &str) -> BTreeSet<Code> {
    let errors = syntax::parse(text).diagnostics.into_iter().filter(|found| found.severity == Severity::Error);
    errors.map(|found| found.code).collect()
}

/// What only the compiler refuses: how deep things nest, and how many there are.
const BEYOND_GRAMMAR: [Code; 2] = [Code::E0013, Code::E0018];

#[test]
fn what_the_compiler_reads_has_a_sound_tree_and_what_it_refuses_has_an_error() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let refused = refusals(&text);
        if refused.iter().any(|code| BEYOND_GRAMMAR.contains(code)) {
            continue;
        }
        if tree(&text).root_node().has_error() == refused.is_empty() {
            wrong.push(format!("{path}: the compiler refuses it for {refused:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn trees_are_as_the_corpus_has_them() {
    let mut found = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("test/corpus"), ".txt", &mut found);
    let mut cases = 0;
    for file in found {
        let text = fs::read_to_string(&file).unwrap();
        for case in text.split("====================\n").skip(1).collect::<Vec<_>>().chunks(2) {
            let [name, body] = case else { panic!("{}: a case without a body", file.display()) };
            let (source, wanted) = body.split_once("\n---\n").unwrap();
            let tree = tree(source.trim_start_matches('\n')).root_node().to_sexp();
            let wanted = wanted.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(tree, wanted, "{}: {name}", file.display());
            cases += 1;
        }
    }
    assert!(cases >= 15, "{cases}");
}

#[test]
fn the_parser_is_that_of_the_grammar() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let grammar = hex::encode(spec::hash::sha256(&fs::read(folder.join("grammar.js")).unwrap()));
    let made_of = fs::read_to_string(folder.join("src/grammar.sha256")).unwrap();
    assert_eq!(made_of.trim_end(), grammar, "grammar.js has changed since: run `cargo xtask editors --grammar`");
}

/// The words of the grammar that are no names: its anonymous nodes made of letters.
fn words_of_grammar() -> BTreeSet<String> {
    let language = language();
    let kinds = (0..language.node_kind_count()).map(|id| u16::try_from(id).unwrap());
    let plain = kinds.filter(|id| !language.node_kind_is_named(*id)).filter_map(|id| language.node_kind_for_id(id));
    let words = plain.filter(|kind| kind.chars().all(|c| c.is_ascii_lowercase()));
    // A word that is a whole node by itself has no other.
    words.map(str::to_owned).chain(["self", "tx", "genesis"].map(str::to_owned)).collect()
}

#[test]
fn words_are_those_of_the_compilers_table() {
    let units: BTreeSet<&str> = ast::Unit::ALL.iter().map(|unit| unit.word().trim_end_matches('s')).collect();
    // A name with a meaning for whoever reads a reward; and what phrases are made of.
    let aside = ["list"];
    let phrases = ["over", "rata", "cliff", "fixed", "file", "from", "until", "per"];
    let mut grammar = words_of_grammar();
    grammar.retain(|word| !units.contains(word.trim_end_matches('s')) && !phrases.contains(&word.as_str()));
    let table: BTreeSet<String> =
        Word::ALL.iter().map(|word| word.text().to_owned()).filter(|word| !aside.contains(&word.as_str())).collect();
    assert_eq!(grammar, table);
    for word in Word::ALL {
        let quoted = tree_sitter_bmc::HIGHLIGHTS_QUERY.contains(&format!("\"{}\"", word.text()));
        let whole = tree_sitter_bmc::HIGHLIGHTS_QUERY.contains(&format!("({})", word.text()));
        assert!(quoted || whole || *word == Word::Genesis, "no colour for `{}`", word.text());
    }
}

#[test]
fn queries_of_all_editors_fit_the_grammar() {
    let mut found = Vec::new();
    files(&root().join("editors"), ".scm", &mut found);
    assert!(found.len() >= 18, "{found:?}");
    for file in found {
        let query = Query::new(&language(), &fs::read_to_string(&file).unwrap());
        assert!(query.is_ok(), "{}: {}", file.display(), query.err().unwrap());
    }
}

/// The colour of each byte: that of the last pattern which fits the smallest node there.
fn colours<'q>(query: &'q Query, text: &str) -> Vec<&'q str> {
    let tree = tree(text);
    let mut cursor = QueryCursor::new();
    let mut found = Vec::new();
    let mut captures = cursor.captures(query, tree.root_node(), text.as_bytes());
    while let Some((matched, at)) = captures.next() {
        let capture = matched.captures()[*at];
        found.push((capture.node.byte_range(), matched.pattern_index, query.capture_names()[capture.index as usize]));
    }
    // The longer first, so that what stands in it comes after; of equal ones the later pattern wins.
    found.sort_by_key(|(range, pattern, _)| (std::cmp::Reverse(range.len()), *pattern));
    let mut colours = vec![""; text.len()];
    for (range, _, name) in found {
        colours[range].fill(name);
    }
    colours
}

/// How the colour of a token of the compiler's lexer has to begin; nothing where it is for the grammar to say.
fn wanted(kind: TokenKind) -> &'static [&'static str] {
    match kind {
        TokenKind::LineComment | TokenKind::BlockComment => &["comment"],
        TokenKind::Doc | TokenKind::InnerDoc => &["comment.documentation"],
        TokenKind::Str => &["string"],
        TokenKind::Int | TokenKind::Decimal | TokenKind::Percent | TokenKind::Bytes => &["number"],
        TokenKind::Keyword(Word::True | Word::False) => &["boolean"],
        TokenKind::Keyword(Word::SelfWord | Word::Tx) => &["variable.builtin"],
        TokenKind::Keyword(_) => &["keyword"],
        TokenKind::Whitespace => &[""],
        _ => &[],
    }
}

#[test]
fn colours_are_those_of_the_compilers_tokens() {
    let query = Query::new(&language(), tree_sitter_bmc::HIGHLIGHTS_QUERY).unwrap();
    for (path, text) in sources() {
        if !refusals(&text).is_empty() {
            continue;
        }
        let colours = colours(&query, &text);
        let mut behind_dot = false;
        for (kind, span) in syntax::lex(&text).iter() {
            let named = behind_dot || text[span.end as usize..].trim_start().starts_with(':');
            behind_dot = kind == TokenKind::Dot;
            let wanted = wanted(kind);
            // Behind a dot and as a key, every word is a name.
            if wanted.is_empty() || (named && matches!(kind, TokenKind::Keyword(_) | TokenKind::Decimal)) {
                continue;
            }
            let colour = colours[span.start as usize];
            let fits = wanted.iter().any(|wanted| colour.starts_with(wanted));
            let token = &text[span.range()];
            assert!(fits, "{path}: `{token}` at {} is a {kind:?} and has the colour `{colour}`", span.start);
        }
    }
}

/// A snippet with its placeholders filled in.
fn filled_in(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let inner = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        if let Some((place, later)) = inner {
            out.push_str(place.split_once(':').map_or("", |(_, text)| text));
            rest = later;
        } else {
            out.push('0');
            rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
        }
    }
    out + rest
}

#[test]
fn snippets_are_sources() {
    let file = root().join("editors/vscode/snippets.json");
    let snippets: serde_json::Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    for (name, snippet) in snippets.as_object().unwrap() {
        let body = &snippet["body"];
        let lines = body.as_array().cloned().unwrap_or_else(|| vec![body.clone()]);
        let text = filled_in(&lines.iter().map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n"));
        let text = match snippet["prefix"].as_str().unwrap() {
            "spend" | "state" => format!("contract C {{\n{text}\n}}"),
            "continue" | "require" => format!("contract C {{ spend s() {{\n{text}\n}} }}"),
            _ => text,
        };
        let found = syntax::parse(&text).diagnostics;
        assert!(found.is_empty(), "{name}: {text}\n{found:?}");
    }
}

#[test]
fn hostile_text_ends() {
    let nested = "(".repeat(20_000);
    let comments = "/*".repeat(20_000);
    let mixed: String = (0..60_000_u32).map(|at| char::from((at * 7919 % 95 + 32) as u8)).collect();
    for text in [nested.as_str(), &comments, &mixed, "\0", "reward R { a: \u{feff}"] {
        assert_eq!(tree(text).root_node().end_byte().min(text.len()), tree(text).root_node().end_byte());
    }
}
