//! The terminal: data on standard output, everything else on standard error, colours where they are wanted.

use std::io::{self, Write};
use std::process::ExitCode;

use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::fail::Fail;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default();

/// Where a command speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shell {
    json: bool,
}

impl Shell {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether data is printed as JSON.
    pub(crate) const fn json(&self) -> bool {
        self.json
    }

    /// Standard output; styles vanish where nobody would see them.
    pub(crate) fn out(&self) -> impl Write {
        anstream::stdout().lock()
    }

    /// Standard error.
    pub(crate) fn err(&self) -> impl Write {
        anstream::stderr().lock()
    }

    /// Whether standard error shows colours.
    pub(crate) fn err_color(&self) -> bool {
        anstream::AutoStream::choice(&io::stderr()) != ColorChoice::Never
    }

    /// Prints `data` as JSON, or lets `human` print it.
    pub(crate) fn print<T: Serialize>(
        &self,
        data: &T,
        human: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Fail> {
        let mut out = self.out();
        if self.json {
            let text = serde_json::to_string_pretty(data).map_err(|error| Fail::refused(error.to_string()))?;
            writeln!(out, "{text}")?;
        } else {
            human(&mut out)?;
        }
        Ok(out.flush()?)
    }

    /// A line of progress on standard error.
    pub(crate) fn note(&self, text: impl std::fmt::Display) {
        // Progress that nobody can see is no reason to stop.
        let _ = writeln!(self.err(), "{text}");
    }

    /// Says why a command failed, and gives its exit code.
    pub(crate) fn fail(&self, fail: &Fail) -> ExitCode {
        if self.json && !fail.message.is_empty() {
            self.note(serde_json::json!({ "error": fail.message, "help": fail.help }));
            return ExitCode::from(fail.exit as u8);
        }
        if !fail.message.is_empty() {
            self.note(format_args!("{BAD}error:{BAD:#} {}", fail.message));
        }
        if let Some(help) = &fail.help {
            self.note(format_args!("{BOLD}help:{BOLD:#} {help}"));
        }
        ExitCode::from(fail.exit as u8)
    }
}
