//! The colours of the tree-sitter grammar as Helix and Zed name them: one query for all editors.

use std::fs;
use std::path::Path;

use super::Page;

const HOME: &str = "editors/tree-sitter-bmc/queries";

/// Names for one capture.
type Row = (&'static str, &'static str, &'static str);

/// Which of its names an editor has.
type Pick = fn(&Row) -> &'static str;

/// What other editors call a capture: Neovim, whose names the grammar's own query has, then Helix, then Zed.
const NAMES: &[Row] = &[
    ("attribute", "attribute", "attribute"),
    ("boolean", "constant.builtin.boolean", "boolean"),
    ("comment", "comment", "comment"),
    ("comment.documentation", "comment.block.documentation", "comment.doc"),
    ("constant", "constant", "constant"),
    ("constructor", "constructor", "constructor"),
    ("function", "function", "function"),
    ("function.builtin", "function.builtin", "function.builtin"),
    ("function.call", "function", "function"),
    ("function.method", "function.method", "function.method"),
    ("function.method.call", "function.method", "function.method"),
    ("keyword", "keyword", "keyword"),
    ("keyword.conditional", "keyword.control.conditional", "keyword"),
    ("keyword.function", "keyword.function", "keyword"),
    ("keyword.import", "keyword.control.import", "keyword"),
    ("keyword.modifier", "keyword.storage.modifier", "keyword"),
    ("keyword.operator", "keyword.operator", "keyword"),
    ("keyword.repeat", "keyword.control.repeat", "keyword"),
    ("keyword.return", "keyword.control.return", "keyword"),
    ("module", "namespace", "namespace"),
    ("number", "constant.numeric.integer", "number"),
    ("number.float", "constant.numeric.float", "number"),
    ("operator", "operator", "operator"),
    ("property", "variable.other.member", "property"),
    ("punctuation.bracket", "punctuation.bracket", "punctuation.bracket"),
    ("punctuation.delimiter", "punctuation.delimiter", "punctuation.delimiter"),
    ("string", "string", "string"),
    ("string.escape", "constant.character.escape", "string.escape"),
    ("type", "type", "type"),
    ("type.builtin", "type.builtin", "type.builtin"),
    ("variable", "variable", "variable"),
    ("variable.builtin", "variable.builtin", "variable.special"),
    ("variable.parameter", "variable.parameter", "variable.parameter"),
];

/// The queries of other editors.
pub(super) fn pages(root: &Path) -> Result<Vec<Page>, String> {
    let file = format!("{HOME}/highlights.scm");
    let text = fs::read_to_string(root.join(&file)).map_err(|error| format!("{file}: {error}"))?;
    let page = |path: &str, pick: Pick| {
        Ok::<_, String>(Page { path: path.to_owned(), text: notice(&file) + &renamed(&text, pick)? })
    };
    let mut pages = vec![
        page("editors/helix/queries/bmc/highlights.scm", |row| row.1)?,
        page("editors/zed/languages/bmc/highlights.scm", |row| row.2)?,
    ];
    // Neovim finds queries by the name of the language.
    for name in ["folds", "highlights", "indents", "injections", "locals", "textobjects"] {
        let file = format!("{HOME}/{name}.scm");
        let text = fs::read_to_string(root.join(&file)).map_err(|error| format!("{file}: {error}"))?;
        let path = format!("editors/neovim/queries/bmc/{name}.scm");
        pages.push(Page { path, text: notice(&file) + &text });
    }
    Ok(pages)
}

fn notice(file: &str) -> String {
    format!("; Printed by `cargo xtask gen` from {file}: edit that, not this.\n\n")
}

/// The query with other names of captures.
fn renamed(text: &str, pick: Pick) -> Result<String, String> {
    let mut parts = text.split('@');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '_').unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        let row =
            NAMES.iter().find(|row| row.0 == name).ok_or_else(|| format!("no editor has a name for `@{name}`"))?;
        out.push('@');
        out.push_str(pick(row));
        out.push_str(rest);
    }
    Ok(out)
}
