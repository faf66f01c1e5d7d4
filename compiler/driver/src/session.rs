//! A set of sources that is compiled again and again as they change.

use std::collections::BTreeMap;
use std::sync::Arc;

use spec::RuleSet;
use syntax::{Code, Diagnostic, FileId, Loc, Severity, Span};

use crate::assemble;
use crate::compiled::Compiled;
use crate::db::{self, Database, Source};
use crate::place::{FilePlaces, Places};
use crate::world::{SOURCE_BYTES_MAX, World, WorldError};

/// What to compile for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The machine that will run the scripts.
    pub rules: RuleSet,
}

/// Sources and everything known about them; an edit makes only what depends on it be computed again.
///
/// ```
/// use driver::{Options, Session};
/// let mut session = Session::default();
/// session.set("a.bmc", "reward R { a: 50%, b: 45%, minimum: 20_000 sats, }".into());
/// assert!(session.compile(&Options::default()).has_errors());
/// session.set("a.bmc", "reward R { a: 50%, b: 50%, minimum: 20_000 sats, }".into());
/// assert_eq!(session.compile(&Options::default()).artifacts.len(), 1);
/// ```
#[derive(Default)]
pub struct Session {
    db: Database,
    numbers: BTreeMap<String, usize>,
    files: Vec<File>,
}

/// One file, in the order of its number.
struct File {
    source: Source,
    trouble: Option<WorldError>,
}

impl Session {
    /// Adds the source at `path` or replaces its text.
    pub fn set(&mut self, path: &str, text: Arc<str>) {
        self.put(path, Ok(text));
    }

    fn put(&mut self, path: &str, read: Result<Arc<str>, WorldError>) {
        let (text, trouble) = match read {
            Ok(text) => (text, None),
            Err(trouble) => (Arc::from(""), Some(trouble)),
        };
        match self.numbers.get(path).and_then(|number| self.files.get_mut(*number)) {
            Some(file) => {
                file.trouble = trouble;
                self.db.edit(file.source, text);
            }
            None => {
                let number = self.files.len();
                // There are far fewer files than numbers.
                let id = FileId(u32::try_from(number).unwrap_or(u32::MAX));
                let source = self.db.add(id, path, text);
                self.files.push(File { source, trouble });
                self.numbers.insert(path.to_owned(), number);
            }
        }
    }

    /// Compiles every source.
    #[must_use]
    pub fn compile(&self, options: &Options) -> Compiled {
        let places = Places::new(self.files.iter().map(|file| self.places_of(file)).collect());
        let mut compiled = Compiled { places, ..Compiled::default() };
        for (number, file) in self.files.iter().enumerate() {
            match &file.trouble {
                Some(trouble) => compiled.diagnostics.push(trouble_of(&compiled.places, number, trouble)),
                None => self.compile_file(file, options, &mut compiled),
            }
        }
        compiled
    }

    /// The queries that ran since the last call; the first call starts the list. For tests of incrementality.
    #[must_use]
    pub fn take_ran(&self) -> Vec<String> {
        self.db.take_ran()
    }

    fn places_of(&self, file: &File) -> FilePlaces {
        db::file_places(&self.db, file.source)
    }

    fn compile_file(&self, file: &File, options: &Options, compiled: &mut Compiled) {
        let checked = db::checked(&self.db, file.source);
        compiled.diagnostics.extend(checked.diagnostics.iter().cloned());
        compiled.expanded.push_str(db::expanded(&self.db, file.source));
        if checked.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
            return;
        }
        let emitted = db::emitted(&self.db, file.source, options.rules);
        compiled.diagnostics.extend(emitted.diagnostics.iter().cloned());
        for (index, generated) in &emitted.contracts {
            if let Some(contract) = checked.program.contracts.get(*index) {
                let artifact = assemble::artifact(contract, generated.clone(), &compiled.places, options.rules);
                compiled.artifacts.push(artifact);
            }
        }
    }
}

/// Compiles the sources at `roots`, which `world` provides.
///
/// Never fails and never stops at the first mistake: what is wrong, down to a file that cannot be read, is a diagnostic.
///
/// ```
/// use driver::{MemoryWorld, Options, compile};
/// let world = MemoryWorld::new([("even.bmc", "reward Even { a: 1/2, b: rest, minimum: 20_000 sats, }")]);
/// let compiled = compile(&world, &["even.bmc".to_owned()], &Options::default());
/// assert_eq!(compiled.artifacts[0].contract, "Even");
/// ```
#[must_use]
pub fn compile(world: &dyn World, roots: &[String], options: &Options) -> Compiled {
    let mut session = Session::default();
    for path in roots {
        session.put(path, world.read(path));
    }
    session.compile(options)
}

fn trouble_of(places: &Places, number: usize, trouble: &WorldError) -> Diagnostic {
    let id = FileId(u32::try_from(number).unwrap_or(u32::MAX));
    let path = places.file(id).map_or_else(String::new, |file| file.path.to_string());
    let (code, message, help) = match trouble {
        WorldError::Missing => (
            Code::E0601,
            format!("there is no file `{path}`"),
            "check the path; `bmc check` alone checks every source of the package".to_owned(),
        ),
        WorldError::NotUtf8 { at } => (
            Code::E0602,
            format!("`{path}` is not UTF-8 text: byte {at} belongs to no character"),
            "save the file as UTF-8".to_owned(),
        ),
        WorldError::TooLarge { bytes } => (
            Code::E0603,
            format!("`{path}` has {bytes} bytes, more than the {} MiB of a source", SOURCE_BYTES_MAX >> 20),
            "split it into several files".to_owned(),
        ),
        WorldError::Io(why) => {
            (Code::E0604, format!("`{path}` cannot be read: {why}"), "check its permissions".to_owned())
        }
    };
    Diagnostic::error(code, message, Loc::in_file(id, Span::point(0))).help(help)
}
