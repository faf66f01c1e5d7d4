//! Messages about a program as plain data; showing them is somebody else's work.

use crate::codes::Code;
use crate::fix::{Effect, Fix, Help};
use crate::span::{FileId, Loc};

/// How grave a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The program cannot be compiled.
    Error,
    /// The program compiles; something in it is probably not meant.
    Warning,
}

/// A marked piece of source with a few words beside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label {
    /// Where.
    pub loc: Loc,
    /// What there is to see; may be empty.
    pub text: String,
    /// The place the message is about, as opposed to a place that explains it.
    pub primary: bool,
}

/// One message: a code, a sentence, the places it concerns and the next action.
///
/// ```
/// use syntax::{Code, Diagnostic, FileId, Loc, Span};
///
/// let loc = Loc::in_file(FileId(0), Span::new(4, 7));
/// let message = Diagnostic::error(Code::E0003, "this string has no end", loc)
///     .help("close it with `\"`");
/// assert_eq!(message.code.to_string(), "E0003");
/// assert_eq!(message.labels.len(), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// The entry of the code table.
    pub code: Code,
    /// How grave.
    pub severity: Severity,
    /// One sentence: lower case, no final period, back-quoted code.
    pub message: String,
    /// The places, the primary one first.
    pub labels: Vec<Label>,
    /// The next action.
    pub help: Option<String>,
    /// Further facts, such as the figures of a proof.
    pub notes: Vec<String>,
    /// What would mend it, the likeliest first.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
    /// An error with its primary place.
    pub fn error(code: Code, message: impl Into<String>, loc: Loc) -> Diagnostic {
        Diagnostic::new(Severity::Error, code, message.into(), loc)
    }

    /// A warning with its primary place.
    pub fn warning(code: Code, message: impl Into<String>, loc: Loc) -> Diagnostic {
        Diagnostic::new(Severity::Warning, code, message.into(), loc)
    }

    fn new(severity: Severity, code: Code, message: String, loc: Loc) -> Diagnostic {
        let primary = Label { loc, text: String::new(), primary: true };
        Diagnostic { code, severity, message, labels: vec![primary], help: None, notes: Vec::new(), fixes: Vec::new() }
    }

    /// Puts words beside the primary place.
    #[must_use]
    pub fn saying(mut self, text: impl Into<String>) -> Diagnostic {
        if let Some(primary) = self.labels.iter_mut().find(|label| label.primary) {
            primary.text = text.into();
        }
        self
    }

    /// Adds a place that explains the message.
    #[must_use]
    pub fn label(mut self, loc: Loc, text: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { loc, text: text.into(), primary: false });
        self
    }

    /// Says the next action. If it is to write something else in the primary place, that is a fix.
    #[must_use]
    pub fn help(mut self, help: impl Into<Help>) -> Diagnostic {
        let Help { text, instead } = help.into();
        self.help = Some(text);
        match (instead, self.labels.iter().find(|label| label.primary)) {
            (Some(instead), Some(primary)) => {
                let loc = primary.loc.clone();
                self.fix(Fix::new(format!("write `{instead}`"), Effect::Changes).edit(loc, instead))
            }
            _ => self,
        }
    }

    /// Adds what would mend it.
    #[must_use]
    pub fn fix(mut self, fix: Fix) -> Diagnostic {
        self.fixes.push(fix);
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Diagnostic {
        self.notes.push(text.into());
        self
    }

    /// Moves every label to `file`. The parser does not know which file it reads and says
    /// `FileId::default()`; its caller corrects that here.
    #[must_use]
    pub fn in_file(mut self, file: FileId) -> Diagnostic {
        for label in &mut self.labels {
            label.loc.file = file;
        }
        self.fixes.iter_mut().for_each(|fix| fix.in_file(file));
        self
    }
}
