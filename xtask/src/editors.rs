//! `cargo xtask editors`: what is shipped to editors, and whether it is what the compiler and its own sources say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde_json::{Value, json};
use syntax::{TokenKind, Word};

use crate::install::{done, is_there, npm, target};

const EXTENSION: &str = "editors/vscode";
const GRAMMAR: &str = "editors/tree-sitter-bmc";

/// What the parser is made of, as the hash of the file that says it: tests without Node.js see by it whether that has changed.
const MADE_OF: &str = "src/grammar.sha256";
/// What [`generate`] writes, from the grammar's folder.
const GENERATED: &[&str] = &[
    "src/parser.c",
    "src/grammar.json",
    "src/node-types.json",
    MADE_OF,
    "src/tree_sitter/alloc.h",
    "src/tree_sitter/array.h",
    "src/tree_sitter/parser.h",
];

#[derive(Args)]
pub(crate) struct Editors {
    /// Also look whether the package is the same when built again, whether the committed parser is that of its grammar, and
    /// whether the colours are those of the compiler's tokens
    #[arg(long)]
    check: bool,
    /// Only make the parser of the tree-sitter grammar anew
    #[arg(long, conflicts_with = "check")]
    grammar: bool,
}

/// Builds the extension for VS Code, checks it, or makes the parser.
pub(crate) fn run(root: &Path, wanted: &Editors) -> Result<(), String> {
    if !is_there("node") || !is_there("npm") {
        return Err("node and npm are needed: install Node.js 20 or later".to_owned());
    }
    if wanted.grammar {
        return generate(root, &root.join(GRAMMAR));
    }
    let scratch = target(root).join("editors");
    let package = vsix(root)?;
    println!("{}", package.display());
    if !wanted.check {
        return Ok(());
    }
    let extension = scratch.join("vscode");
    same_again(&extension, &package)?;
    let tokens = scratch.join("tokens.json");
    fs::write(&tokens, sources(root)?.to_string()).map_err(|error| format!("{}: {error}", tokens.display()))?;
    done(Command::new("node").current_dir(&extension).arg("test/grammar.mjs").arg(&tokens), "the grammar of colours")?;
    parser_is_generated(root, &scratch)
}

/// Builds the extension in a copy of its sources, and packs it.
pub(crate) fn vsix(root: &Path) -> Result<PathBuf, String> {
    let extension = target(root).join("editors/vscode");
    for sources in ["src", "syntaxes", "test"] {
        // What is no longer among the sources would be checked and packed, too.
        match fs::remove_dir_all(extension.join(sources)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("{}: {error}", extension.join(sources).display()));
            }
            _ => {}
        }
    }
    copy(&root.join(EXTENSION), &extension)?;
    npm(&extension, &["ci", "--ignore-scripts"])?;
    done(Command::new("node").current_dir(&extension).args(["node_modules/typescript/bin/tsc", "--noEmit"]), "`tsc`")?;
    let package = target(root).join("bitmodel.vsix");
    pack(&extension, &package)?;
    Ok(package)
}

fn pack(extension: &Path, package: &Path) -> Result<(), String> {
    done(
        Command::new("node").current_dir(extension).args(["build.mjs", "--vsix"]).arg(package),
        "the build of the extension",
    )
}

fn same_again(extension: &Path, package: &Path) -> Result<(), String> {
    let again = extension.join("again.vsix");
    pack(extension, &again)?;
    let read = |file: &Path| fs::read(file).map_err(|error| format!("{}: {error}", file.display()));
    if read(package)? == read(&again)? { Ok(()) } else { Err("the package is another one when built again".to_owned()) }
}

/// Copies a folder's files over those of another, without what is installed or built.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", from.display());
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if ["node_modules", "out", "target"].iter().any(|made| name == *made) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if from.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(&from, &to).map_err(failed)?;
        }
    }
    Ok(())
}

/// Makes the parser in a folder with the grammar.
fn generate(root: &Path, folder: &Path) -> Result<(), String> {
    let mut cargo = crate::cargo();
    cargo.args(["run", "--quiet", "--locked", "--release", "--manifest-path"]);
    cargo.arg(root.join(GRAMMAR).join("generate/Cargo.toml")).arg("--").arg(folder);
    done(cargo.env("CARGO_TARGET_DIR", target(root).join("editors/generate")), "the generator of the parser")?;
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let grammar = fs::read(folder.join("grammar.js")).map_err(failed)?;
    let hash = hex::encode(spec::hash::sha256(&grammar));
    fs::write(folder.join(MADE_OF), format!("{hash}\n")).map_err(failed)
}

fn parser_is_generated(root: &Path, scratch: &Path) -> Result<(), String> {
    let (committed, again) = (root.join(GRAMMAR), scratch.join("grammar"));
    fs::create_dir_all(again.join("src")).map_err(|error| format!("{}: {error}", again.display()))?;
    for name in ["grammar.js", "tree-sitter.json"] {
        fs::copy(committed.join(name), again.join(name)).map_err(|error| format!("{name}: {error}"))?;
    }
    generate(root, &again)?;
    let stale: Vec<&str> = GENERATED
        .iter()
        .filter(|name| fs::read(committed.join(name)).ok() != fs::read(again.join(name)).ok())
        .copied()
        .collect();
    if stale.is_empty() {
        println!("the parser is that of grammar.js");
        return Ok(());
    }
    Err(format!("not what grammar.js says, run `cargo xtask editors --grammar`: {}", stale.join(", ")))
}

/// Every source of the tree with the kinds of its tokens, in units of UTF-16.
fn sources(root: &Path) -> Result<Value, String> {
    let files = crate::tidy::tracked_files(root)?;
    let mut all = Vec::new();
    for path in files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "bmc")) {
        let text = fs::read_to_string(root.join(path)).map_err(|error| format!("{}: {error}", path.display()))?;
        all.push(json!({ "path": path.display().to_string(), "text": text, "tokens": tokens(&text) }));
    }
    Ok(Value::Array(all))
}

fn tokens(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut behind_dot = false;
    for (kind, span) in syntax::lex(text).iter() {
        let own = text.get(span.range()).unwrap_or_default();
        let next = text.get(span.end as usize..).unwrap_or_default();
        let start = at;
        at += own.encode_utf16().count();
        let is_key = next.trim_start().starts_with(':') && !next.trim_start().starts_with("::");
        let named = behind_dot || is_key;
        if !kind.is_trivia() {
            behind_dot = kind == TokenKind::Dot;
        }
        if let Some(class) = class(kind, own, named) {
            found.push(json!([class, start, at]));
        }
    }
    found
}

/// What colours tell apart; nothing for what no token is.
fn class(kind: TokenKind, text: &str, named: bool) -> Option<&'static str> {
    Some(match kind {
        TokenKind::Whitespace | TokenKind::Error | TokenKind::UnclosedComment | TokenKind::UnclosedStr => return None,
        TokenKind::LineComment | TokenKind::BlockComment => "comment",
        TokenKind::Doc | TokenKind::InnerDoc => "doc",
        TokenKind::Str => "string",
        // `pair.0.1` has two numbers of elements.
        TokenKind::Decimal if named => return None,
        TokenKind::Int | TokenKind::Decimal | TokenKind::Percent | TokenKind::Bytes => "number",
        TokenKind::Keyword(_) if named => "field",
        TokenKind::Keyword(_) => "keyword",
        TokenKind::Ident if Word::from_text(text).is_some() => "word",
        TokenKind::Ident => "name",
        _ => "sign",
    })
}
