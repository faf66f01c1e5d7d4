//! Jobs that put their Schnorr signatures off, and verify them together.

use vm::batch::Deferred;

use crate::workers::{Done, Worker};

/// A thread verifies so many together. More would save little, and no longer have room where memory is fast.
const BATCH: usize = 4_096;

/// Takes signatures for good until there are enough of them. If one is not, all jobs of the batch are done again, each with its
/// own signatures: so the result of a job does not depend on who shared its batch.
pub(crate) struct Deferring<'j, T, A, X> {
    /// Does a job and notes its signatures.
    assume: &'j A,
    /// Does a job with its signatures.
    exact: &'j X,
    deferred: Deferred,
    /// Jobs that have succeeded if their signatures are good.
    open: Vec<(usize, T)>,
}

impl<'j, T, A, X> Deferring<'j, T, A, X> {
    pub(crate) fn new(assume: &'j A, exact: &'j X) -> Self {
        Self { assume, exact, deferred: Deferred::default(), open: Vec::new() }
    }

    fn settle<E>(&mut self, done: &mut Done<'_, T, E>)
    where
        X: Fn(usize) -> Result<T, E>,
    {
        let good = self.deferred.settle();
        for (at, result) in self.open.drain(..) {
            if good {
                done.push(at, Ok(result));
            } else if done.wants(at) {
                done.push(at, (self.exact)(at));
            }
        }
    }
}

impl<T, E, A, X> Worker<T, E> for Deferring<'_, T, A, X>
where
    A: Fn(usize, &Deferred) -> Result<T, E>,
    X: Fn(usize) -> Result<T, E>,
{
    fn take(&mut self, at: usize, done: &mut Done<'_, T, E>) {
        let noted = self.deferred.len();
        match (self.assume)(at, &self.deferred) {
            Ok(result) if self.deferred.len() > noted => self.open.push((at, result)),
            certain => done.push(at, certain),
        }
        if self.deferred.len() >= BATCH {
            self.settle(done);
        }
    }

    fn finish(&mut self, done: &mut Done<'_, T, E>) {
        self.settle(done);
    }
}
