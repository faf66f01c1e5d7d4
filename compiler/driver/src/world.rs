//! Where sources come from.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::package::folder_of;

/// The largest source that is read, in bytes.
pub const SOURCE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The compiler's only view of the outside: it asks for a source by its path.
pub trait World {
    /// The text of the source at `path`.
    ///
    /// # Errors
    /// [`WorldError`] if there is no such source or it is no text.
    fn read(&self, path: &str) -> Result<Arc<str>, WorldError>;

    /// The text of the source at `path`, which another source imports and which must lie inside `folder`
    /// once all links are followed.
    ///
    /// # Errors
    /// [`WorldError`] if there is no such source, it lies elsewhere, or it is no text.
    fn import(&self, path: &str, folder: &str) -> Result<Arc<str>, WorldError> {
        let _ = folder;
        self.read(path)
    }

    /// The SHA-256 of the file at `path`, which may be larger than memory: it is read piece by piece.
    ///
    /// # Errors
    /// [`WorldError`] if there is no such file or it cannot be read.
    fn digest(&self, path: &str) -> Result<[u8; 32], WorldError>;

    /// The names of the files in `folder`, for suggestions.
    fn list(&self, folder: &str) -> Vec<String> {
        let _ = folder;
        Vec::new()
    }
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

impl fmt::Display for WorldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WorldError::Missing => f.write_str("nothing is there"),
            WorldError::NotUtf8 { at } => write!(f, "it is not UTF-8 text: byte {at} belongs to no character"),
            WorldError::TooLarge { bytes } => {
                write!(f, "it has {bytes} bytes, more than the {} MiB of a source", SOURCE_BYTES_MAX >> 20)
            }
            WorldError::Io(why) => f.write_str(why),
        }
    }
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
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryWorld {
    /// A world with these sources, each a path and its text.
    pub fn new<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self {
            sources: sources.into_iter().map(|(path, text)| (path.to_owned(), Arc::from(text))).collect(),
            files: BTreeMap::new(),
        }
    }

    /// The same world with a file that is no source.
    #[must_use]
    pub fn with_file(mut self, path: &str, bytes: &[u8]) -> Self {
        self.files.insert(path.to_owned(), bytes.to_vec());
        self
    }
}

impl World for MemoryWorld {
    fn read(&self, path: &str) -> Result<Arc<str>, WorldError> {
        self.sources.get(path).cloned().ok_or(WorldError::Missing)
    }

    fn digest(&self, path: &str) -> Result<[u8; 32], WorldError> {
        let source = || self.sources.get(path).map(|text| text.as_bytes());
        let bytes = self.files.get(path).map(Vec::as_slice).or_else(source);
        bytes.map(spec::hash::sha256).ok_or(WorldError::Missing)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        self.sources.keys().filter(|path| folder_of(path) == folder).cloned().collect()
    }
}
