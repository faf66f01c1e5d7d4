//! In which of two forms each loop and each function is written: shorter scripts are found by trying.

use analysis::hir::Stmt;

/// How a loop is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As a loop that begins with its round.
    Rolled,
    /// One round behind the other.
    WrittenOut,
    /// As a loop behind a conditional.
    Guarded,
}

/// Something that can be written in two ways: one statement, however often it is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// A loop.
    Loop(*const Stmt),
}

/// The forms in use.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forms {
    /// In the order in which they were met: key, form now, the other form.
    entries: Vec<(Key, Form, Form)>,
}

impl Forms {
    /// The form of `key`, which has these two; the first until something else is asked for.
    pub(crate) fn of(&mut self, key: Key, first: Form, second: Form) -> Form {
        if let Some((_, form, _)) = self.entries.iter().find(|(known, ..)| *known == key) {
            return *form;
        }
        self.entries.push((key, first, second));
        first
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Changes the form of one.
    pub(crate) fn flip(&mut self, index: usize) {
        if let Some((_, form, other)) = self.entries.get_mut(index) {
            std::mem::swap(form, other);
        }
    }
}
