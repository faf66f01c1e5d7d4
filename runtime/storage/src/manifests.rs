//! Holding the lists of the tables' parts against their checksums before the key-value store reads them.
//!
//! Each table has a file `v` with a number, which lists its files, and a file `current` with that number and the checksum of the
//! list. lsm-tree 3.1.10 writes the checksum and does not look at it when it opens a table: a list with a flipped bit can ask for more
//! memory than there is, which ends the process. In [its source](https://github.com/fjall-rs/lsm-tree), `version/persist.rs` says how
//! both are written: the number in 8 bytes, XXH3 of 128 bits in 16, both little-endian, and a zero for the kind of checksum.

use std::fs;
use std::io;
use std::path::Path;

use chain::StoreError;
use spec::codec::{DecodeError, Reader};
use xxhash_rust::xxh3::xxh3_128;

use crate::files::failed;

/// The name of the file with number and checksum.
const CURRENT: &str = "current";
/// How deep tables lie below their folder.
const DEPTH_MAX: usize = 3;
const DAMAGED: StoreError = StoreError::Damaged("the lists of the tables' parts");

/// Checks the lists of all tables in a folder. What is not there is for the store to tell.
///
/// # Errors
/// [`StoreError::Damaged`] if a list is not the one that was written.
pub(crate) fn check(folder: &Path) -> Result<(), StoreError> {
    below(folder, DEPTH_MAX)
}

fn below(folder: &Path, depth: usize) -> Result<(), StoreError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|error| failed(&error))?,
    };
    for entry in entries {
        let entry = entry.map_err(|error| failed(&error))?;
        if entry.file_type().map_err(|error| failed(&error))?.is_dir() {
            if depth > 0 {
                below(&entry.path(), depth - 1)?;
            }
        } else if entry.file_name() == CURRENT {
            check_list(folder, &entry.path())?;
        }
    }
    Ok(())
}

fn check_list(folder: &Path, current: &Path) -> Result<(), StoreError> {
    let bytes = fs::read(current).map_err(|error| failed(&error))?;
    let (number, sum) = number_and_sum(&bytes).map_err(|_| DAMAGED)?;
    let list = match fs::read(folder.join(format!("v{number}"))) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(DAMAGED),
        list => list.map_err(|error| failed(&error))?,
    };
    if xxh3_128(&list).to_le_bytes() == sum { Ok(()) } else { Err(DAMAGED) }
}

fn number_and_sum(bytes: &[u8]) -> Result<(u64, [u8; 16]), DecodeError> {
    let mut reader = Reader::new(bytes);
    let found = (reader.u64()?, reader.array()?);
    // Another kind of checksum would be one that is not known here.
    if reader.u8()? == 0 { reader.finish().map(|()| found) } else { Err(DecodeError::Oversized) }
}
