//! The book is true: a reader does what each page says, and finds what it shows.
//!
//! Every page of docs/book/src is read from top to bottom in an empty folder of its own, with an empty home. What a fenced
//! block is for stands behind its three quotes:
//!
//! | block | what is done with it |
//! |---|---|
//! | `bmc` | it compiles, without a warning, and stands there as `bmc fmt` writes it |
//! | `bmc NAME` | the file is written; commands of the page use it |
//! | `bmc body` | as statements of a function it compiles; names may be left unused |
//! | `bmc wrong E0301` | it gets these messages and no others |
//! | `text error` | what the compiler said of the source above |
//! | `console` | lines after `$` run in a shell and print what is shown; those with an `error` fail, and those without do not. Without any `$`, each line is a command that succeeds |
//! | `console fails` | the last command fails |
//! | `console node` | a node that runs as long as the page; it prints what is shown |
//! | `console screen` | programs with a screen, which are left at once |
//! | `console elsewhere` | cloning and building, which `cargo xtask walk` does |
//! | `toml`, `json`, with a name or without | it is read; the file is written |
//!
//! A picture that commands of a page make is the one of that name which the page shows.
//!
//! `BOOK=overwrite` writes outputs, layouts and pictures anew, `PAGE=imi` reads only pages with such a name.

mod links;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tests::Reader;

use crate::bmc::root;

/// The folder of pages whose blocks the compiler has printed; `cargo xtask gen --check` compares them.
const PRINTED: &str = "errors";

fn folder() -> PathBuf {
    root().join("docs/book/src")
}

/// All pages, by their paths in the book.
fn pages() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[cfg(unix)]
#[test]
fn every_page_does_what_it_shows() {
    let overwrites = std::env::var("BOOK").is_ok_and(|value| value == "overwrite");
    let only = std::env::var("PAGE").unwrap_or_default();
    let wanted = |path: &PathBuf| {
        let path = path.strip_prefix(folder()).unwrap();
        !path.starts_with(PRINTED) && path.to_string_lossy().contains(&only)
    };
    let bin = Path::new(env!("CARGO_BIN_EXE_bmc")).parent().unwrap();
    let waiting: Mutex<Vec<PathBuf>> = Mutex::new(pages().into_iter().filter(wanted).collect());
    let wrong = Mutex::new(Vec::new());
    let reads = || {
        while let Some(path) = next(&waiting) {
            let reader = Reader::new(bin);
            let mut reader = if overwrites { reader.overwrite() } else { reader };
            let complaints = reader.read(&path);
            wrong.lock().unwrap().extend(complaints);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(reads);
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

fn next(waiting: &Mutex<Vec<PathBuf>>) -> Option<PathBuf> {
    waiting.lock().unwrap().pop()
}

#[cfg(unix)]
#[test]
fn a_reader_notices_what_is_not_so() {
    let bin = Path::new(env!("CARGO_BIN_EXE_bmc")).parent().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.md");
    for (page, complaint) in [
        ("```bmc\nfn f() -> Int { true }\n```\n", "it does not compile"),
        ("```bmc\nfn  f() -> Int { 1 }\n```\n", "`bmc fmt` writes it in another way"),
        ("```bmc f.bmc\nfn  f() -> Int { 1 }\n```\n", "`bmc fmt` writes it in another way"),
        ("```bmc body\nlet x: Int = true;\n```\n", "it does not compile"),
        ("```bmc wrong E0301\nfn f() -> Int { 1 }\n```\n", "it gets [], not [\"E0301\"]"),
        (
            "```bmc wrong E0201\nfn f() -> Int { true }\n```\n```text error\nno\n```\n",
            "the compiler says\nerror[E0201]",
        ),
        ("```console\nbmc check nothing.bmc\n```\n", "`bmc check nothing.bmc` fails"),
        ("```console fails\n$ echo one\none\n```\n", "`echo one` succeeds"),
        ("```console\n$ echo one\ntwo\n```\n", "`echo one` prints\none"),
        ("```console node\n$ echo a node\nanother\n```\n", "`echo a node` prints\na node"),
        ("```toml\nname =\n```\n", "TOML parse error"),
        ("```json\n{,}\n```\n", "key must be a string"),
        ("```yaml\n```\n", "nothing is known of a block `yaml "),
        ("```text\n$ bmc check\n```\n", "nothing is known of a block `text "),
    ] {
        fs::write(&path, page).unwrap();
        let complaints = Reader::new(bin).read(&path);
        assert!(complaints.iter().any(|one| one.contains(complaint)), "{page}\n{complaints:?}");
    }
}

#[test]
fn the_summary_names_every_page_once() {
    let summary = fs::read_to_string(folder().join("SUMMARY.md")).unwrap();
    let mut named: Vec<PathBuf> = links::targets(&summary).map(|(target, _)| folder().join(target)).collect();
    named.push(folder().join("SUMMARY.md"));
    named.sort();
    let pages = pages();
    let missing: Vec<&PathBuf> = pages.iter().filter(|page| !named.contains(page)).collect();
    assert!(missing.is_empty(), "SUMMARY.md does not name {missing:?}");
    assert_eq!(named.len(), pages.len(), "SUMMARY.md names a page twice, or one that is not there");
}

#[test]
fn every_link_leads_to_a_page_and_a_heading_of_the_book() {
    let mut wrong = Vec::new();
    for path in pages() {
        let page = fs::read_to_string(&path).unwrap();
        for (target, heading) in links::targets(&page) {
            let name = path.strip_prefix(folder()).unwrap().display().to_string();
            if let Err(complaint) = leads(&path, target, heading) {
                wrong.push(format!("{name}: `{target}` {complaint}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Whether a link of the page at `path` is one that a reader of the printed book can follow.
fn leads(path: &Path, target: &str, heading: &str) -> Result<(), &'static str> {
    let to = if target.is_empty() { path.to_owned() } else { path.parent().unwrap().join(target) };
    let to = to.canonicalize().map_err(|_| "leads nowhere")?;
    if !to.starts_with(folder().canonicalize().unwrap()) {
        return Err("leads out of the book: name what lies there by its path, as code");
    }
    let has = || links::headings(&fs::read_to_string(&to).unwrap()).iter().any(|one| one == heading);
    if heading.is_empty() || has() { Ok(()) } else { Err("has no such heading") }
}
