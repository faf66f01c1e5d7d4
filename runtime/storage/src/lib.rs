//! Keeps a chain on disk: blocks in files that only grow, coins and indexes in an embedded key-value store, one atomic batch for many blocks.
//!
//! It knows no rule of transactions or blocks, no clock and no socket: what it is told to keep, it keeps.

mod codec;
mod cutting;
mod disk;
mod files;
mod journal;
mod keeping;
mod lock;
mod manifests;
mod pending;
mod records;
mod reindex;
mod replay;
mod tables;
mod writer;

pub use disk::{DiskOptions, DiskStore, Durability};
pub use journal::TxJournal;
pub use lock::FolderLock;
pub use reindex::{Judge, Reading};
pub use replay::Replayed;
