//! Jobs that put their Schnorr signatures off, and verify them together.

use vm::batch::Deferred;

use crate::workers::{Done, Worker, Workers};

/// A thread verifies so many together. More would save little, and no longer have room where memory is fast.
const BATCH: usize = 4_096;
/// Fewer are not worth another batch.
const BATCH_MIN: usize = 512;

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
    /// How many signatures are enough.
    batch: usize,
}

/// How many signatures a batch has of `count`, if all have about as many and each thread has as many batches.
fn even(count: usize, workers: Workers) -> usize {
    let batches = workers.count() * count.div_ceil(workers.count() * BATCH).max(1);
    count.div_ceil(batches).clamp(BATCH_MIN, BATCH)
}

impl<'j, T, A, X> Deferring<'j, T, A, X> {
    pub(crate) fn new(assume: &'j A, exact: &'j X) -> Self {
        Self { assume, exact, deferred: Deferred::default(), open: Vec::new(), batch: BATCH }
    }

    /// Shares `count` signatures evenly among batches, and those among threads, so that none is left with more to verify at the
    /// end than the others.
    pub(crate) fn evenly(self, count: usize, workers: Workers) -> Self {
        Self { batch: even(count, workers), ..self }
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
        if self.deferred.len() >= self.batch {
            self.settle(done);
        }
    }

    fn finish(&mut self, done: &mut Done<'_, T, E>) {
        self.settle(done);
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use engine::Engine;
    use secp256k1::SecretKey;
    use spec::opcode::Opcode;
    use spec::script::{push_data, push_op};
    use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SighashType, SpendContext, Transaction, TxIn, TxOut};

    use super::*;
    use crate::workers::Jobs;

    const INPUTS: usize = 150;

    /// A transaction whose inputs are signed for one key, well but for some.
    fn signed(bad: &[usize]) -> (Transaction, Vec<TxOut>) {
        let secret = [5; 32];
        let mut lock = Vec::new();
        push_data(&mut lock, &SecretKey::from_secret_bytes(secret).unwrap().public_key().serialize());
        push_op(&mut lock, Opcode::CheckSig);
        let spent = vec![TxOut::plain(Sats::ONE, lock.clone()); INPUTS];
        let input = TxIn { prevout: OutPoint::COINBASE, unlock: vec![], sequence: 0 };
        let mut tx = Transaction { version: 2, inputs: vec![input; INPUTS], outputs: vec![], locktime: 0 };
        let unsigned = tx.clone();
        let context = SpendContext::new(&unsigned, &spent).unwrap();
        for (at, input) in tx.inputs.iter_mut().enumerate() {
            let digest = context.digest(SighashType::ALL, at, &lock).unwrap().digest;
            let mut signature = vm::schnorr::sign(&secret, &digest).unwrap().to_vec();
            signature[63] ^= u8::from(bad.contains(&at));
            push_data(&mut input.unlock, &[signature, vec![0x41]].concat());
        }
        (tx, spent)
    }

    #[test]
    fn batches_share_the_signatures_evenly() {
        let batch = |count, threads| even(count, Workers::new(NonZeroUsize::new(threads).unwrap()));
        let rows = [(12_000, 1, 4_000), (12_000, 2, 3_000), (8_192, 2, 4_096), (8_193, 2, 2_049), (12_000, 64, 512)];
        for (count, threads, expected) in rows {
            assert_eq!(batch(count, threads), expected, "{count} on {threads}");
        }
        assert_eq!((batch(0, 3), batch(1, 1), batch(100_000_000, 3)), (512, 512, 4_096));
    }

    #[test]
    fn results_do_not_depend_on_the_size_of_batches() {
        let (rules, engine) = (Rules::new(RuleSet::Bitmodel, Mode::Consensus), Engine::default());
        for bad in [&[][..], &[0], &[149], &[70, 20, 140], &[98, 99, 100, 101]] {
            let (tx, spent) = signed(bad);
            let context = SpendContext::new(&tx, &spent).unwrap();
            let assume = |at: usize, deferred: &Deferred| engine.accept_deferring(&rules, &context, at, deferred);
            let exact = |at: usize| engine.accept(&rules, &context, at);
            let expected = Jobs::new(INPUTS).run(Workers::ONE, exact);
            assert_eq!(expected.as_ref().err().map(|(at, _)| at), bad.iter().min());
            for (batch, threads) in [(1, 1), (7, 2), (10, 7), (40, 1), (64, 2), (1_000, 3)] {
                let workers = Workers::new(NonZeroUsize::new(threads).unwrap());
                for jobs in [Jobs::new(INPUTS), Jobs::new(INPUTS).longest_first(|at| at * 31 % 17)] {
                    let found = jobs.run_by(workers, || Deferring { batch, ..Deferring::new(&assume, &exact) });
                    assert_eq!(found, expected, "{bad:?}, {batch} together on {threads} threads");
                }
            }
        }
    }
}
