//! What handlers on all threads know of documents: how the client writes their addresses, and their latest versions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tower_lsp::lsp_types::Url;

/// The documents that the client has opened.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    open: Mutex<BTreeMap<String, Opened>>,
}

#[derive(Debug)]
struct Opened {
    url: Url,
    version: i32,
}

impl Documents {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Opened>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers the address and version of a document.
    pub(crate) fn set(&self, path: &str, url: Url, version: i32) {
        self.lock().insert(path.to_owned(), Opened { url, version });
    }

    /// A later version has come. Handlers run in no order, so an earlier one may be told later.
    pub(crate) fn advance(&self, path: &str, version: i32) {
        if let Some(opened) = self.lock().get_mut(path) {
            opened.version = opened.version.max(version);
        }
    }

    /// Forgets a document.
    pub(crate) fn close(&self, path: &str) {
        self.lock().remove(path);
    }

    /// The latest version of a document; nothing if it is not open.
    pub(crate) fn version(&self, path: &str) -> Option<i32> {
        self.lock().get(path).map(|opened| opened.version)
    }

    /// The address of a source, as the client writes it if it has opened it.
    pub(crate) fn url(&self, path: &str, ground: &dyn ide::Ground) -> Option<Url> {
        if let Some(opened) = self.lock().get(path) {
            return Some(opened.url.clone());
        }
        let file = ground.file_of(path)?;
        Url::from_file_path(file).ok()
    }
}

/// The path of a document, by which everybody else calls it.
pub(crate) fn path_of(url: &Url, ground: &dyn ide::Ground) -> Arc<str> {
    match url.to_file_path() {
        Ok(path) => ground.path_of(&path).into(),
        // A document that is in no file has its address for a name.
        Err(()) => url.as_str().into(),
    }
}
