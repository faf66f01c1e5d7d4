//! From item-relative places to files, lines and columns.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use syntax::{FileId, ItemKey, LineIndex, Loc, Span};

/// A place in a source file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's path.
    pub path: Arc<str>,
    /// The bytes.
    pub range: Range<usize>,
    /// The line of the first byte, from 1.
    pub line: usize,
    /// The column of the first byte in characters, from 1.
    pub column: usize,
    /// The length of that line in bytes.
    pub line_bytes: usize,
}

/// One source with what is needed to find places in it.
#[derive(Clone, Debug)]
pub struct FilePlaces {
    /// Its path.
    pub path: Arc<str>,
    /// Its text.
    pub text: Arc<str>,
    lines: LineIndex,
    items: BTreeMap<ItemKey, u32>,
    /// As hexadecimal digits, once somebody has asked.
    sha256: OnceLock<String>,
}

impl FilePlaces {
    /// A file whose items start at the given offsets.
    #[must_use]
    pub fn new(path: Arc<str>, text: Arc<str>, items: BTreeMap<ItemKey, u32>) -> Self {
        Self { lines: LineIndex::new(&text), path, text, items, sha256: OnceLock::new() }
    }

    /// The SHA-256 of its text as hexadecimal digits. It is computed once, however many contracts the text declares.
    pub(crate) fn sha256(&self) -> &str {
        self.sha256.get_or_init(|| hex::encode(spec::hash::sha256(self.text.as_bytes())))
    }
}

/// Every source of one compilation, by its number.
#[derive(Clone, Debug, Default)]
pub struct Places {
    files: Vec<FilePlaces>,
}

impl Places {
    /// The sources in the order of their numbers.
    #[must_use]
    pub const fn new(files: Vec<FilePlaces>) -> Self {
        Self { files }
    }

    /// The sources.
    pub fn files(&self) -> impl Iterator<Item = &FilePlaces> {
        self.files.iter()
    }

    /// Where `loc` is; `None` if its file or item does not exist.
    #[must_use]
    pub fn resolve(&self, loc: &Loc) -> Option<Place> {
        let file = self.file(loc.file)?;
        let base = match &loc.item {
            Some(item) => *file.items.get(item)?,
            None => 0,
        };
        let span = loc.span.shifted(base);
        let clamp = |at: u32| file.text.floor_char_boundary(at as usize);
        let range = clamp(span.start)..clamp(span.end);
        let at = file.lines.line_col(&file.text, clamp(span.start) as u32);
        let (line, column) = (at.line as usize, at.column as usize);
        Some(Place { path: file.path.clone(), line, column, line_bytes: file.line_bytes(range.start), range })
    }

    /// The place of some bytes of the source at `path`, counted from the start of the item that they lie in.
    pub(crate) fn loc_of(&self, path: &str, range: Range<usize>) -> Option<Loc> {
        let (number, file) = (0..).zip(&self.files).find(|(_, file)| *file.path == *path)?;
        let [start, end] = [range.start, range.end].map(u32::try_from);
        let span = Span::new(start.ok()?, end.ok()?);
        let around = file.items.iter().filter(|(_, at)| **at <= span.start).max_by_key(|(_, at)| **at);
        Some(match around {
            Some((item, at)) => {
                Loc::in_item(FileId(number), item.clone(), Span::new(span.start - at, span.end.saturating_sub(*at)))
            }
            None => Loc::in_file(FileId(number), span),
        })
    }

    /// The source with that number.
    #[must_use]
    pub fn file(&self, id: FileId) -> Option<&FilePlaces> {
        self.files.get(id.0 as usize)
    }
}

impl FilePlaces {
    fn line_bytes(&self, at: usize) -> usize {
        let before = self.text.get(..at).and_then(|head| head.rfind('\n')).map_or(0, |newline| newline + 1);
        let after =
            self.text.get(at..).and_then(|tail| tail.find('\n')).map_or(self.text.len(), |newline| at + newline);
        after - before
    }
}
