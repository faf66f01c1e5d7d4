//! Sources that commands change: reading them, showing what would change, and writing them at once or not at all.

use std::io::Write as _;

use driver::text_of;
use similar::TextDiff;

use crate::fail::Fail;
use crate::shell::{BAD, GOOD, Shell};

/// Shows what another text changes, as a diff; `how` says how it came.
pub(crate) fn show_change(shell: &Shell, (name, how): (&str, &str), text: &str, pretty: &str) -> Result<(), Fail> {
    let diff = TextDiff::from_lines(text, pretty);
    let mut out = shell.out();
    for line in diff.unified_diff().header(name, &format!("{name}, {how}")).to_string().lines() {
        let style = match line.as_bytes().first() {
            Some(b'+') => GOOD,
            Some(b'-') => BAD,
            _ => anstyle::Style::new(),
        };
        writeln!(out, "{style}{line}{style:#}")?;
    }
    Ok(())
}

/// The text of a source.
pub(crate) fn read(file: &str) -> Result<String, Fail> {
    let bytes = std::fs::read(file).map_err(|error| Fail::refused(format!("`{file}`: {error}")))?;
    let text = text_of(&bytes).map_err(|error| Fail::refused(format!("`{file}`: {error}")))?;
    Ok(text.as_ref().to_owned())
}

/// Writes beside the file and puts it in its place: whoever is interrupted has the old one or the new one.
pub(crate) fn write(file: &str, text: &str) -> Result<(), Fail> {
    let failed = |error: std::io::Error| Fail::refused(format!("`{file}`: {error}"));
    // A link stays one.
    let target = std::fs::canonicalize(file).map_err(failed)?;
    let beside = target.with_extension("bmc.new");
    std::fs::write(&beside, text).map_err(failed)?;
    let permissions = std::fs::metadata(&target).map_err(failed)?.permissions();
    std::fs::set_permissions(&beside, permissions).map_err(failed)?;
    std::fs::rename(&beside, &target).map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        failed(error)
    })
}
