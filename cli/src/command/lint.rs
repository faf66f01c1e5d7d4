//! `bmc lint`: what is probably not meant, and the edits that mend it.

mod mend;

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use driver::{Compiled, LintLevel, Severity, lints};
use serde_json::json;

use crate::edit;
use crate::fail::Fail;
use crate::package::{self, Tree};
use crate::project::{self, Project, TargetArgs};
use crate::shell::{BOLD, FAINT, GOOD, NAME, Shell};
use mend::{Mended, Trust};

/// Find what is probably not meant, and mend what can be mended without a doubt.
///
/// `--fix` makes the edits that leave every script as it is, to the byte, and those that only say what was left out,
/// such as a `;`. Both are checked by compiling again. What may change a script is shown, and made by
/// `--unsafe-fixes` alone.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc lint\n  bmc lint --fix --dry-run\n  bmc lint vault.bmc --deny warnings\n  bmc lint --list\n\nIn bmc.toml:\n  [lint]\n  unused_import = \"deny\"\n  no_fee = \"allow\""
)]
pub(crate) struct Lint {
    /// Files, or folders to search for `.bmc` files.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Make the edits that change no script.
    #[arg(long)]
    fix: bool,
    /// Make those too that may change a script, or that are a guess.
    #[arg(long, requires = "fix")]
    unsafe_fixes: bool,
    /// Write nothing; show what would change.
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// Make an error of a lint, or of all `warnings`.
    #[arg(long, value_name = "LINT")]
    deny: Vec<String>,
    /// Show a lint, or all `warnings`, whatever bmc.toml says.
    #[arg(long, value_name = "LINT")]
    warn: Vec<String>,
    /// Say nothing of a lint, or of all `warnings`.
    #[arg(long, value_name = "LINT")]
    allow: Vec<String>,
    /// Show all lints with their levels here.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    target: TargetArgs,
}

impl Lint {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        if self.list {
            return self.show_all(shell);
        }
        let mut project = Project::open(&self.paths, self.target)?;
        self.set_levels(project.levels())?;
        if self.fix {
            return self.mend(shell, &mut project);
        }
        let compiled = project.compile();
        self.report(shell, &compiled, &[])
    }

    fn set_levels(&self, levels: &mut driver::LintLevels) -> Result<(), Fail> {
        let all = [(&self.allow, LintLevel::Allow), (&self.warn, LintLevel::Warn), (&self.deny, LintLevel::Deny)];
        for (names, level) in all {
            for name in names {
                levels.set(name, level).map_err(|error| Fail::usage(error.to_string()).help(error.help()))?;
            }
        }
        Ok(())
    }

    fn mend(&self, shell: &Shell, project: &mut Project) -> Result<(), Fail> {
        let trust = if self.unsafe_fixes { Trust::All } else { Trust::Sure };
        let Mended { compiled, files, made } = mend::mend(project, trust);
        for file in &files {
            if !self.dry_run {
                edit::write(&file.path, &file.after)?;
            } else if !shell.json() {
                edit::show_change(shell, (&file.path, "mended"), &file.before, &file.after)?;
            }
        }
        if !shell.json() && !self.dry_run {
            for one in &made {
                writeln!(shell.out(), "{GOOD}mended{GOOD:#} {} {FAINT}{}{FAINT:#} {}", one.file, one.code, one.title)?;
            }
        }
        self.report(shell, &compiled, &made)
    }

    /// Shows what is left, and fails if an error is among it.
    fn report(&self, shell: &Shell, compiled: &Compiled, made: &[mend::Made]) -> Result<(), Fail> {
        if shell.json() {
            let data = json!({ "diagnostics": compiled.to_json(), "mended": made, "written": !self.dry_run });
            shell.print(&data, |_| Ok(()))?;
            return if compiled.has_errors() { Err(Fail::said()) } else { Ok(()) };
        }
        let shown = project::report(shell, compiled);
        let mut out = shell.out();
        let count = |severity: Severity| compiled.diagnostics.iter().filter(|found| found.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        if errors + warnings == 0 {
            writeln!(out, "{GOOD}nothing to say{GOOD:#}")?;
        } else {
            writeln!(out, "{BOLD}{}, {}{BOLD:#}", numbered(errors, "error"), numbered(warnings, "warning"))?;
        }
        if !self.fix {
            let mends = |trust: Trust| {
                compiled.diagnostics.iter().filter(|found| trust.choose(compiled, found).is_some()).count()
            };
            let (sure, all) = (mends(Trust::Sure), mends(Trust::All));
            if sure > 0 {
                writeln!(out, "help: `bmc lint --fix` mends {sure} of them")?;
            }
            if all > sure {
                writeln!(
                    out,
                    "help: `bmc lint --fix --unsafe-fixes` mends {all}; look at what it does with `--dry-run`"
                )?;
            }
        }
        shown
    }

    fn show_all(&self, shell: &Shell) -> Result<(), Fail> {
        let here = package::folder_around("x").map(Tree::at).transpose()?;
        let mut levels = here.as_ref().map(Tree::lint_levels).unwrap_or_default();
        self.set_levels(&mut levels)?;
        let all = lints();
        let row = |lint: &driver::Lint| {
            json!({
                "name": lint.name,
                "code": lint.code.name(),
                "level": levels.of(lint).name(),
                "title": lint.code.title(),
                "allowed_in_source": lint.in_source,
            })
        };
        shell.print(&all.iter().map(row).collect::<Vec<_>>(), |out| {
            for lint in &all {
                let level = levels.of(lint).name();
                writeln!(out, "{NAME}{:20}{NAME:#} {level:5} {} {}", lint.name, lint.code, lint.code.title())?;
            }
            writeln!(out, "{FAINT}`allow(name);` in a source silences those of E04 and E05 where it stands{FAINT:#}")
        })
    }
}

fn numbered(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
