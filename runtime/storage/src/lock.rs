//! One process for each folder.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

/// Holds a folder for this process. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the folder, and makes it if it is not there; `None` if another holds it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn take(folder: &Path) -> io::Result<Option<Self>> {
        fs::create_dir_all(folder)?;
        let file = File::options().read(true).write(true).create(true).truncate(false).open(folder.join(".lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        let held = FolderLock::take(&path).unwrap();
        assert!(held.is_some());
        assert!(FolderLock::take(&path).unwrap().is_none());
        drop(held);
        assert!(FolderLock::take(&path).unwrap().is_some());
    }
}
