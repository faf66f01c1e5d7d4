//! `bmc doc`: what sources say of themselves, as pages for a browser.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use document::{Broken, Docs, Page};
use serde_json::json;

use crate::fail::Fail;
use crate::project::{self, Project, TargetArgs};
use crate::shell::{BOLD, FAINT, GOOD, Shell};

/// Write the documentation of sources: pages for a browser that need no network.
///
/// Comments that begin with `///` and `//!` are Markdown; a name in backticks and brackets leads to where it is declared. Each item has its
/// signature, drawings of what it does, its checks, and what its paths take and cost.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc doc\n  bmc doc --open\n  bmc doc shares.bmc --out site --no-deps\n  bmc doc --std\n  bmc doc --check"
)]
pub(crate) struct Doc {
    /// Files, or folders to search for `.bmc` files [default: the current folder; none with `--std`].
    paths: Vec<PathBuf>,
    /// The folder that the pages are written to.
    #[arg(long, value_name = "FOLDER", default_value = "target/doc")]
    out: PathBuf,
    /// Show them in a browser.
    #[arg(long, conflicts_with = "check")]
    open: bool,
    /// Leave out what the sources import from other packages and the standard library.
    #[arg(long)]
    no_deps: bool,
    /// All of the standard library, whether it is imported or not.
    #[arg(long, conflicts_with = "no_deps")]
    std: bool,
    /// Write nothing; say which links of comments lead nowhere and which items no comment explains, and fail on the former.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    target: TargetArgs,
}

impl Doc {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let here = [PathBuf::from(".")];
        let mut project = match self.paths.as_slice() {
            [] if self.std => Project::of_library(self.target),
            [] => Project::open(&here, self.target)?,
            paths => Project::open(paths, self.target)?,
        };
        let compiled = project.compile_to_document(self.std);
        if compiled.has_errors() {
            return project::report(shell, &compiled);
        }
        let docs = Docs::new(project.documented(compiled, self.no_deps));
        if self.check { check(shell, &docs) } else { self.write(shell, &docs) }
    }

    fn write(&self, shell: &Shell, docs: &Docs) -> Result<(), Fail> {
        let pages = docs.pages();
        pages.iter().try_for_each(|page| write(&self.out, page))?;
        let front = self.out.join("index.html");
        let (broken, unexplained) = (docs.broken(), docs.unexplained());
        if shell.json() {
            let files: Vec<&str> = pages.iter().map(|page| page.path.as_str()).collect();
            let data = json!({
                "folder": self.out,
                "files": files,
                "modules": docs.model(),
                "broken": broken,
                "unexplained": unexplained,
            });
            shell.print(&data, |_| Ok(()))?;
        } else {
            warn(shell, &broken);
            let (all, bytes) = (docs.explainable(), pages.iter().map(|page| page.text.len()).sum::<usize>());
            writeln!(
                shell.out(),
                "{GOOD}documented{GOOD:#} {} {FAINT}{} files, {} KiB; {} of {all} items are explained{FAINT:#}",
                front.display(),
                pages.len(),
                bytes.div_ceil(1024),
                all - unexplained.len(),
            )?;
        }
        if self.open { open(&front) } else { Ok(()) }
    }
}

/// Says what leads nowhere and what nobody explains.
fn check(shell: &Shell, docs: &Docs) -> Result<(), Fail> {
    let (broken, unexplained, all) = (docs.broken(), docs.unexplained(), docs.explainable());
    let data = json!({ "broken": broken, "unexplained": unexplained, "items": all });
    if !shell.json() {
        warn(shell, &broken);
    }
    shell.print(&data, |out| {
        for one in &unexplained {
            writeln!(
                out,
                "{FAINT}{}:{}:{}:{FAINT:#} no comment explains `{}`",
                one.file, one.line, one.column, one.name
            )?;
        }
        writeln!(out, "{BOLD}{} of {all} items are explained{BOLD:#}", all - unexplained.len())
    })?;
    if broken.is_empty() { Ok(()) } else { Err(Fail::said()) }
}

fn warn(shell: &Shell, broken: &[Broken]) {
    for Broken { file, line, column, name } in broken {
        shell.note(format_args!("{BOLD}warning:{BOLD:#} {file}:{line}:{column}: the link to `{name}` leads nowhere"));
    }
    if !broken.is_empty() {
        shell.note(format_args!(
            "{BOLD}help:{BOLD:#} name an item of the module, or `module::item`, or write an address with `https://`"
        ));
    }
}

fn write(folder: &Path, page: &Page) -> Result<(), Fail> {
    let path = folder.join(&page.path);
    let failed = |error: std::io::Error| {
        Fail::refused(format!("`{}` cannot be written: {error}", path.display()))
            .help("name another folder with `--out`")
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(&path, &page.text).map_err(failed)
}

/// The program that shows files to people.
const OPENER: &str = if cfg!(target_os = "macos") {
    "open"
} else if cfg!(target_os = "windows") {
    "explorer"
} else {
    "xdg-open"
};

fn open(page: &Path) -> Result<(), Fail> {
    let opened = std::process::Command::new(OPENER).arg(page).status();
    match opened {
        Ok(status) if status.success() || cfg!(target_os = "windows") => Ok(()),
        _ => Err(Fail::refused(format!("`{OPENER}` does not open `{}`", page.display())).help("open it in a browser")),
    }
}
