//! Writing changes into the tables while the chain goes on.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use chain::StoreError;

use crate::disk::Durability;
use crate::pending::Pending;
use crate::tables::Tables;

/// The changes that are being written, and who writes them. One lot at a time: whoever has the next waits.
#[derive(Debug)]
pub(crate) struct Writer {
    tables: Arc<Tables>,
    durability: Durability,
    /// They count until all of them are in the tables.
    changes: Option<Arc<Pending>>,
    thread: Option<JoinHandle<Result<(), StoreError>>>,
}

impl Writer {
    pub(crate) const fn new(tables: Arc<Tables>, durability: Durability) -> Self {
        Self { tables, durability, changes: None, thread: None }
    }

    /// The changes that are being written.
    pub(crate) fn changes(&self) -> Option<&Pending> {
        self.changes.as_deref()
    }

    /// Begins to write, after the lot before. If that failed and fails again, nothing is taken.
    pub(crate) fn begin(&mut self, pending: &mut Pending) -> Result<(), StoreError> {
        self.finish()?;
        let next = pending.next();
        let changes = Arc::new(std::mem::replace(pending, next));
        self.changes = Some(Arc::clone(&changes));
        let (tables, durability) = (Arc::clone(&self.tables), self.durability);
        let work = move || changes.write(&tables, durability);
        // Without a thread it is written when it is waited for.
        self.thread = thread::Builder::new().name("coins".to_owned()).spawn(work).ok();
        Ok(())
    }

    /// Forgets what has been written, if the writer is done.
    pub(crate) fn poll(&mut self) -> Result<(), StoreError> {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) { self.finish() } else { Ok(()) }
    }

    /// Waits until all is written.
    pub(crate) fn finish(&mut self) -> Result<(), StoreError> {
        let Some(changes) = &self.changes else { return Ok(()) };
        let written = self.thread.take().and_then(|thread| thread.join().ok());
        // What failed is tried again by whoever waits, who can be told.
        if written != Some(Ok(())) {
            changes.write(&self.tables, self.durability)?;
        }
        self.changes = None;
        Ok(())
    }
}
