//! `cargo xtask gen`: the pages of the book that are printed from the code, and what editors colour by.

mod errors;
mod lints;
mod queries;
mod textmate;

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use spec::opcode::{Availability, Group, TABLE};

/// A page of the book, or another file that is printed.
struct Page {
    /// Its path from the top of the repository.
    path: String,
    text: String,
}

/// Writes the pages and removes those whose subject is gone; with `check` it only returns what differs.
pub fn run(root: &Path, check: bool) -> Result<Vec<String>, String> {
    let mut pages = vec![Page { path: "docs/book/src/opcodes.md".to_owned(), text: opcodes() }];
    pages.push(lints::page(root)?);
    pages.extend(errors::pages(root)?);
    pages.push(errors::summary(root)?);
    pages.push(textmate::page()?);
    pages.extend(queries::pages(root)?);
    let mut stale = orphans(root, errors::FOLDER, &pages)?;
    if !check {
        for path in stale.drain(..) {
            fs::remove_file(root.join(&path)).map_err(|error| format!("{path}: {error}"))?;
        }
    }
    for Page { path, text } in pages {
        let file = root.join(&path);
        if fs::read_to_string(&file).ok().as_deref() == Some(text.as_str()) {
            continue;
        }
        if check {
            stale.push(path);
        } else {
            write(&file, &text).map_err(|error| format!("{path}: {error}"))?;
        }
    }
    Ok(stale)
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, text)
}

/// The files of a generated folder that are none of its pages.
fn orphans(root: &Path, folder: &str, pages: &[Page]) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(root.join(folder)) else { return Ok(found) };
    for entry in entries {
        let entry = entry.map_err(|error| format!("{folder}: {error}"))?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if pages.iter().all(|page| page.path != path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// What stands at the top of every page.
const NOTICE: &str = "<!-- Printed by `cargo xtask gen` from the code: edit that, not this. -->\n";

fn opcodes() -> String {
    let mut page = format!(
        "{NOTICE}# Opcodes\n\nStack effects read `before -- after`, the top of the stack last. \
         Opcodes marked *bitmodel* work only under the chain's own rules; under `bch2026` they fail.\n"
    );
    let mut chapter = None;
    for row in TABLE {
        if chapter != Some(row.group) {
            chapter = Some(row.group);
            let _ = write!(
                page,
                "\n## {}\n\n| byte | name | stack | what it does |\n|---|---|---|---|\n",
                title(row.group)
            );
        }
        let only = if row.availability == Availability::Bitmodel { " *(bitmodel)*" } else { "" };
        let _ = writeln!(
            page,
            "| `{:02x}` | `{}`{only} | `{}` | {} |",
            row.opcode.to_byte(),
            row.name,
            row.stack.trim(),
            row.doc
        );
    }
    page
}

const fn title(group: Group) -> &'static str {
    match group {
        Group::Constants => "Constants",
        Group::Flow => "Flow",
        Group::Stack => "Stack",
        Group::Bytes => "Bytes",
        Group::Arithmetic => "Arithmetic",
        Group::Crypto => "Hashes and signatures",
        Group::Locktime => "Time locks",
        Group::Introspection => "Introspection",
        Group::Reserved => "Kept for later",
    }
}
