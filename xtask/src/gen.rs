//! `cargo xtask gen`: the pages of docs/ that are printed from a table in the code.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use spec::opcode::{Availability, Group, TABLE};

/// Writes the pages; with `check` it only compares and returns those that differ.
pub fn run(root: &Path, check: bool) -> Result<Vec<String>, String> {
    let mut stale = Vec::new();
    for (path, text) in [("docs/opcodes.md", opcodes()), ("docs/errors.md", errors())] {
        let file = root.join(path);
        if fs::read_to_string(&file).ok().as_deref() == Some(text.as_str()) {
            continue;
        }
        if check {
            stale.push(path.to_owned());
        } else {
            fs::write(&file, text).map_err(|error| format!("{path}: {error}"))?;
        }
    }
    Ok(stale)
}

const NOTICE: &str = "<!-- Printed by `cargo xtask gen` from the table in the code: edit that, not this. -->\n";

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

fn errors() -> String {
    let mut page = format!("{NOTICE}# Diagnostics\n\nEvery message of the compiler carries one of these codes.\n");
    for code in syntax::Code::ALL {
        let _ = write!(page, "\n## {code}: {}\n\n{}\n", code.title(), code.explanation());
    }
    page
}
