//! Keeps a chain on disk: blocks in files that only grow, coins and indexes in an embedded key-value store, one atomic batch for each block.
//!
//! It knows no rule of transactions or blocks, no clock and no socket: what it is told to keep, it keeps.

mod cache;
mod codec;
mod disk;
mod files;
mod journal;
mod lock;
mod overlay;
mod reindex;
mod tables;

pub use disk::{DiskOptions, DiskStore, Durability, Replayed};
pub use journal::TxJournal;
pub use lock::FolderLock;
pub use reindex::Progress;
