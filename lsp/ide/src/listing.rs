//! What editors list or show apart from the source: the tests of a file, and what declarations become.

use std::ops::Range;

use syntax::ast::Item;

use crate::host::{Answer, Snapshot};

/// A test or property of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestItem {
    /// Its name.
    pub name: String,
    /// Whether it holds for all values of something.
    pub is_property: bool,
    /// All of it, documentation included.
    pub range: Range<usize>,
    /// Its name in the source.
    pub name_range: Range<usize>,
}

impl Snapshot {
    /// The tests and properties of a source, in order.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn tests(&self, path: &str) -> Answer<Vec<TestItem>> {
        self.ask_of(path, |files, file| {
            let names = files.of(file);
            let test = |item: &driver::ItemView<'_>| {
                let Item::Test(test) = item.ast else { return None };
                let start = item.start as usize;
                let name = test.name.span.range();
                Some(TestItem {
                    name: test.name.to_string(),
                    is_property: test.params.is_some(),
                    range: start..start + item.text.trim_end().len(),
                    name_range: start + name.start..start + name.end,
                })
                .filter(|_| !test.name.is_missing())
            };
            names.items.iter().filter_map(test).collect()
        })
    }

    /// The plain items that the declarations of a source become, of all or of the one of this name, as text in the
    /// language.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn expansion(&self, path: &str, name: Option<&str>) -> Answer<Option<String>> {
        self.ask_of(path, |files, file| {
            let Some(name) = name else { return files.session.expanded(file).map(str::to_owned) };
            let all = files.session.generated(path);
            let own = all.into_iter().filter(|(key, _)| *key.name == *name).map(|(_, text)| text);
            let texts: Vec<String> = own.map(|text| text.trim().to_owned()).collect();
            (!texts.is_empty()).then(|| texts.join("\n\n") + "\n")
        })
    }
}
