//! What is wrong where a test fails.

use driver::{Finding, Label, Loc, Severity};

/// Why a test fails, with the places that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// One sentence.
    pub message: String,
    /// The places, that of the failing statement first.
    pub places: Vec<(Loc, String)>,
    /// Further facts: values, the transaction, the end of its trace.
    pub notes: Vec<String>,
    /// The next action.
    pub help: Option<String>,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>, loc: &Loc, said: impl Into<String>) -> Self {
        Self { message: message.into(), places: vec![(loc.clone(), said.into())], notes: Vec::new(), help: None }
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    pub(crate) fn place(mut self, loc: &Loc, said: impl Into<String>) -> Self {
        self.places.push((loc.clone(), said.into()));
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The fault as something to show.
    #[must_use]
    pub fn finding(&self, test: &str) -> Finding {
        let label = |(at, (loc, text)): (usize, &(Loc, String))| Label {
            loc: loc.clone(),
            text: text.clone(),
            primary: at == 0,
        };
        Finding {
            title: format!("failed[{test}]"),
            severity: Severity::Error,
            message: self.message.clone(),
            labels: self.places.iter().enumerate().map(label).collect(),
            notes: self.notes.clone(),
            help: self.help.clone(),
        }
    }
}
