//! What an author has written, and where.

use std::collections::BTreeMap;

use driver::Compiled;

/// The texts of a compilation.
pub(crate) struct Written<'c>(BTreeMap<&'c str, &'c str>);

impl<'c> Written<'c> {
    pub(crate) fn new(compiled: &'c Compiled) -> Self {
        Self(compiled.places.files().map(|file| (&*file.path, &*file.text)).collect())
    }

    fn before(&self, file: &str, at: usize) -> Option<&'c str> {
        self.0.get(file)?.get(..at)
    }

    /// The text of a place.
    pub(crate) fn text(&self, file: &str, start: usize, end: usize) -> &'c str {
        self.0.get(file).and_then(|text| text.get(start..end)).unwrap_or_default()
    }

    /// Whether a condition that begins there belongs to a `require`. The compiler makes checks of its own, whose places
    /// are whatever they are about.
    pub(crate) fn in_require(&self, file: &str, at: usize) -> bool {
        let Some(before) = self.before(file, at) else { return false };
        let found = before.rmatch_indices("require").find(|(start, word)| {
            let ends = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
            let (ahead, behind) = (before.get(..*start), before.get(start + word.len()..));
            ends(ahead.and_then(|text| text.chars().next_back())) && ends(behind.and_then(|text| text.chars().next()))
        });
        let between = found.and_then(|(start, _)| before.get(start..));
        between.is_some_and(|between| !between.contains(';'))
    }

    /// The line, from 1, at which a path of a contract is declared, if somebody has written it.
    pub(crate) fn path_line(&self, file: &str, contract: &str, path: &str) -> Option<usize> {
        let text = *self.0.get(file)?;
        let contract = declared(text, 0, "contract", contract)?;
        let at = declared(text, contract, "spend", path)?;
        Some(text.get(..at)?.matches('\n').count() + 1)
    }
}

/// Where behind `from` the word and then the name stand.
fn declared(text: &str, from: usize, word: &str, name: &str) -> Option<usize> {
    let rest = text.get(from..)?;
    let named = |(at, found): &(usize, &str)| {
        let behind = rest.get(at + found.len()..).unwrap_or_default();
        let behind = behind.strip_prefix(char::is_whitespace).map(|rest| rest.trim_start().strip_prefix(name));
        behind.flatten().is_some_and(|behind| !behind.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    };
    rest.match_indices(word).find(named).map(|(at, _)| from + at)
}

#[cfg(test)]
mod tests {
    use driver::{MemoryWorld, Options, compile};

    use super::*;

    #[test]
    fn conditions_are_told_from_checks_of_the_compiler() {
        let text = "contract A(required: Int) {\n    state { n: Int }\n    spend go(x: Bool) {\n        \
                    require required == 1 && x, \"said; so\";\n        continue { n: 1 };\n    }\n}\n";
        let compiled = compile(&MemoryWorld::new([("a.bmc", text)]), &["a.bmc".to_owned()], &Options::default());
        let written = Written::new(&compiled);
        let at = |word: &str| text.find(word).unwrap_or_default();
        assert!(written.in_require("a.bmc", at("required == 1")) && written.in_require("a.bmc", at("x, ")));
        assert!(!written.in_require("a.bmc", at("n: Int")) && !written.in_require("a.bmc", at("continue")));
        assert_eq!(written.path_line("a.bmc", "A", "go"), Some(3));
        assert_eq!(written.path_line("a.bmc", "A", "stay"), None);
    }
}
