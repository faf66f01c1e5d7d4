//! Where sources come from.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The largest source that is read, in bytes.
pub const SOURCE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The compiler's only view of the outside: it asks for a source by its path.
pub trait World {
    /// The text of the source at `path`.
    ///
    /// # Errors
    /// [`WorldError`] if there is no such source or it is no text.
    fn read(&self, path: &str) -> Result<Arc<str>, WorldError>;
}

/// Why a source cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorldError {
    /// Nothing is there.
    Missing,
    /// It is not UTF-8.
    NotUtf8 {
        /// The first byte that belongs to no character.
        at: usize,
    },
    /// It is larger than [`SOURCE_BYTES_MAX`].
    TooLarge {
        /// Its length in bytes.
        bytes: u64,
    },
    /// The system refused, in its own words.
    Io(String),
}

/// Turns the bytes of a source into its text.
///
/// # Errors
/// [`WorldError::NotUtf8`] or [`WorldError::TooLarge`].
pub fn text_of(bytes: &[u8]) -> Result<Arc<str>, WorldError> {
    if bytes.len() > SOURCE_BYTES_MAX {
        return Err(WorldError::TooLarge { bytes: bytes.len() as u64 });
    }
    std::str::from_utf8(bytes).map(Arc::from).map_err(|error| WorldError::NotUtf8 { at: error.valid_up_to() })
}

/// Sources held in memory, for tests, editors and embedded examples.
#[derive(Clone, Debug, Default)]
pub struct MemoryWorld {
    sources: BTreeMap<String, Arc<str>>,
}

impl MemoryWorld {
    /// A world with these sources, each a path and its text.
    pub fn new<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self { sources: sources.into_iter().map(|(path, text)| (path.to_owned(), Arc::from(text))).collect() }
    }
}

impl World for MemoryWorld {
    fn read(&self, path: &str) -> Result<Arc<str>, WorldError> {
        self.sources.get(path).cloned().ok_or(WorldError::Missing)
    }
}
