//! `bmc fmt`: one way to write a program.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use driver::{Compiled, text_of};
use serde::Serialize;

use crate::edit::{read, show_change, write};
use crate::fail::Fail;
use crate::project;
use crate::shell::{GOOD, Shell};

/// Lay out sources the one way. Comments stay, and so does what they compile to.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc fmt\n  bmc fmt shares.bmc --check\n  bmc fmt - < shares.bmc\n  bmc fmt shares.bmc --lines 10-20"
)]
pub(crate) struct Fmt {
    /// Files, or folders to search for `.bmc` files; `-` reads standard input and writes standard output.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Change nothing; show what would change, and fail if anything would.
    #[arg(long)]
    check: bool,
    /// Change these lines only, counted from 1, of one file or of standard input.
    #[arg(long, value_name = "FIRST-LAST")]
    lines: Option<Lines>,
}

/// A run of lines, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lines {
    first: usize,
    last: usize,
}

impl std::str::FromStr for Lines {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write two line numbers like `10-20`".to_owned();
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let number = |text: &str| text.trim().parse().ok().filter(|number| *number > 0);
        let (first, last) = (number(first).ok_or_else(wrong)?, number(last).ok_or_else(wrong)?);
        if last < first { Err(wrong()) } else { Ok(Self { first, last }) }
    }
}

impl Lines {
    /// The bytes of these lines.
    fn bytes(self, text: &str) -> std::ops::Range<usize> {
        let start = |line: usize| text.split_inclusive('\n').take(line).map(str::len).sum();
        start(self.first - 1)..start(self.last)
    }
}

/// What became of a file.
#[derive(Serialize)]
struct Formatted {
    file: String,
    changed: bool,
}

impl Fmt {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        if self.paths.iter().any(|path| path == Path::new("-")) {
            return self.run_on_standard_input(shell);
        }
        let files = project::sources(&self.paths)?;
        if self.lines.is_some() && files.len() > 1 {
            return Err(Fail::usage("`--lines` goes with one file").help("name the file"));
        }
        let mut done = vec![];
        let mut unread = false;
        // All are read before the first is written; a file that cannot be parsed stays as it is.
        for file in files {
            let text = read(&file)?;
            match self.pretty(&file, &text) {
                Ok(pretty) => done.push((file, text, pretty)),
                Err(compiled) => {
                    compiled.render(&mut shell.err(), shell.err_color())?;
                    unread = true;
                }
            }
        }
        for (file, _, pretty) in done.iter().filter(|(_, text, pretty)| !self.check && text != pretty) {
            write(file, pretty)?;
        }
        self.report(shell, &done)?;
        let changed = done.iter().any(|(_, text, pretty)| text != pretty);
        if unread || (self.check && changed) { Err(Fail::said()) } else { Ok(()) }
    }

    fn run_on_standard_input(&self, shell: &Shell) -> Result<(), Fail> {
        if self.paths.len() > 1 {
            return Err(Fail::usage("`-` stands alone").help("format files in another run"));
        }
        let mut bytes = vec![];
        std::io::stdin().lock().take(driver::SOURCE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
        let text = text_of(&bytes).map_err(|error| Fail::refused(format!("standard input: {error}")))?;
        match self.pretty("standard input", &text) {
            Ok(pretty) if self.check => {
                show_change(shell, ("standard input", "formatted"), &text, &pretty)?;
                if *text == *pretty { Ok(()) } else { Err(Fail::said()) }
            }
            Ok(pretty) => Ok(shell.out().write_all(pretty.as_bytes())?),
            Err(compiled) => {
                compiled.render(&mut shell.err(), shell.err_color())?;
                Err(Fail::said())
            }
        }
    }

    /// The text as it should look, or what is wrong with it.
    fn pretty(&self, name: &str, text: &str) -> Result<String, Box<Compiled>> {
        let pretty = format::format(text).map_err(|diagnostics| Box::new(driver::unparsed(name, text, diagnostics)))?;
        let Some(lines) = self.lines else { return Ok(pretty) };
        let mut partly = text.to_owned();
        for edit in format::edits(text, &pretty, Some(lines.bytes(text))).into_iter().rev() {
            partly.replace_range(edit.range, &edit.text);
        }
        Ok(partly)
    }

    fn report(&self, shell: &Shell, done: &[(String, String, String)]) -> Result<(), Fail> {
        let report: Vec<Formatted> =
            done.iter().map(|(file, text, pretty)| Formatted { file: file.clone(), changed: text != pretty }).collect();
        if shell.json() {
            return shell.print(&report, |_| Ok(()));
        }
        for (file, text, pretty) in done.iter().filter(|(_, text, pretty)| text != pretty) {
            if self.check {
                show_change(shell, (file, "formatted"), text, pretty)?;
            } else {
                writeln!(shell.out(), "{GOOD}formatted{GOOD:#} {file}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_two_numbers() {
        assert_eq!("3-5".parse(), Ok(Lines { first: 3, last: 5 }));
        assert_eq!("4".parse(), Ok(Lines { first: 4, last: 4 }));
        for wrong in ["", "0-1", "5-3", "a-b", "1-", "-1"] {
            assert!(wrong.parse::<Lines>().is_err(), "{wrong}");
        }
        assert_eq!(Lines { first: 2, last: 2 }.bytes("a\nbc\nd"), 2..5);
        assert_eq!(Lines { first: 3, last: 9 }.bytes("a\nbc\nd"), 5..6);
        assert_eq!(Lines { first: 9, last: 9 }.bytes("a\n"), 2..2);
    }
}
