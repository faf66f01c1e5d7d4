//! Writing a block into its file while the chain goes on with it.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use chain::StoreError;
use spec::{Block, BlockHash};

use crate::codec::Kept;
use crate::files::{Record, failed};

/// A block that is being written, and that the tables do not know yet.
#[derive(Debug)]
pub(crate) struct Keeping {
    pub(crate) hash: BlockHash,
    pub(crate) kept: Kept,
    record: Record,
    sync: bool,
    thread: Option<JoinHandle<bool>>,
}

impl Keeping {
    /// Begins to write; drops `old` meanwhile, which takes its time too.
    pub(crate) fn begin((hash, kept): (BlockHash, Kept), record: Record, sync: bool, old: Vec<Arc<Block>>) -> Self {
        let own = record.clone();
        let work = move || {
            let written = own.write(sync).is_ok();
            drop(old);
            written
        };
        // Without a thread it is written when it is waited for.
        let thread = thread::Builder::new().name("blocks".to_owned()).spawn(work).ok();
        Self { hash, kept, record, sync, thread }
    }

    /// The block.
    pub(crate) const fn block(&self) -> &Arc<Block> {
        &self.record.block
    }

    /// Waits until it is in its file. What failed is tried again by whoever waits, who can be told.
    pub(crate) fn finish(&mut self) -> Result<(), StoreError> {
        let written = self.thread.take().and_then(|thread| thread.join().ok());
        if written == Some(true) { Ok(()) } else { self.record.write(self.sync).map_err(|error| failed(&error)) }
    }
}
