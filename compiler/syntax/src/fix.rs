//! What would mend a message, as edits of the source: for `bmc lint --fix` and for the menus of editors.

use crate::span::{FileId, Loc};

/// What a fix does to the scripts that a program compiles to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Nothing: every script stays as it is, to the byte.
    Keeps,
    /// The program compiles to nothing without it, and only this can be meant.
    Mends,
    /// Other scripts may come of it, or it is a guess at what is meant: its author has to look.
    Changes,
}

impl Effect {
    /// Every effect.
    pub const ALL: [Effect; 3] = [Effect::Keeps, Effect::Mends, Effect::Changes];

    /// The effect as machines read it.
    pub fn name(self) -> &'static str {
        match self {
            Effect::Keeps => "keeps",
            Effect::Mends => "mends",
            Effect::Changes => "changes",
        }
    }
}

/// A piece of source and what stands there instead.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edit {
    /// What goes; an empty place is one to insert at.
    pub loc: Loc,
    /// What comes; empty to remove.
    pub text: String,
}

/// Edits that belong together, and what they do.
///
/// ```
/// use syntax::{Effect, FileId, Fix, Loc, Span};
/// let end = Loc::in_file(FileId(0), Span::point(9));
/// let fix = Fix::new("add the `;`", Effect::Mends).edit(end, ";");
/// assert_eq!((fix.edits.len(), fix.effect.name()), (1, "mends"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fix {
    /// What it does, as a menu shows it: lower case, no final period, back-quoted code.
    pub title: String,
    /// What becomes of the scripts.
    pub effect: Effect,
    /// The edits, which never overlap.
    pub edits: Vec<Edit>,
}

impl Fix {
    /// A fix that edits nothing yet.
    pub fn new(title: impl Into<String>, effect: Effect) -> Fix {
        Fix { title: title.into(), effect, edits: Vec::new() }
    }

    /// Puts a text in the place of another.
    #[must_use]
    pub fn edit(mut self, loc: Loc, text: impl Into<String>) -> Fix {
        self.edits.push(Edit { loc, text: text.into() });
        self
    }

    /// Removes what stands there.
    #[must_use]
    pub fn remove(self, loc: Loc) -> Fix {
        self.edit(loc, "")
    }

    pub(crate) fn in_file(&mut self, file: FileId) {
        self.edits.iter_mut().for_each(|edit| edit.loc.file = file);
    }
}

/// The next action in words, and, where it is to write something else in the primary place, that text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Help {
    /// The words.
    pub text: String,
    /// What to write instead, which is a guess.
    pub instead: Option<String>,
}

impl Help {
    /// Words, with a text to write instead of what the message points at.
    pub fn instead(text: impl Into<String>, instead: impl Into<String>) -> Help {
        Help { text: text.into(), instead: Some(instead.into()) }
    }
}

impl From<String> for Help {
    fn from(text: String) -> Help {
        Help { text, instead: None }
    }
}

impl From<&str> for Help {
    fn from(text: &str) -> Help {
        Help::from(text.to_owned())
    }
}
