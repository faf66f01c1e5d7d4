//! Running the scripts of a transaction's inputs.

use engine::Engine;
use spec::{Mode, Rules, SpendContext, Transaction, TxOut};

use crate::error::TxError;
use crate::transaction::TX_SIG_CHECKS_MAX;
use crate::workers::{Jobs, Workers};

/// What runs scripts, and on how many threads.
#[derive(Clone, Copy, Debug)]
pub struct Runner<'e> {
    /// What runs them.
    pub engine: &'e Engine,
    /// On how many threads.
    pub workers: Workers,
}

/// Runs the scripts of all inputs; returns what each used, in input order.
///
/// # Errors
/// [`TxError::Script`] for the lowest input that fails, [`TxError::TooManySigChecks`], or [`TxError::MissingInputs`] unless there is one spent output for each input.
pub fn check_scripts(
    rules: &Rules,
    tx: &Transaction,
    spent: &[TxOut],
    runner: Runner<'_>,
) -> Result<Vec<vm::Metrics>, TxError> {
    let context = SpendContext::new(tx, spent).ok_or(TxError::MissingInputs)?;
    let run = |input: usize| runner.engine.verify(rules, &context, input);
    let metrics = Jobs::new(tx.inputs.len()).run(runner.workers, run).map_err(|(input, failure)| {
        let mandatory = rules.mode == Mode::Consensus || fails_in_blocks(rules, &context, input);
        TxError::Script { input, failure: Box::new(failure), mandatory }
    })?;
    if sig_checks(&metrics) > TX_SIG_CHECKS_MAX { Err(TxError::TooManySigChecks) } else { Ok(metrics) }
}

fn fails_in_blocks(rules: &Rules, context: &SpendContext<'_>, input: usize) -> bool {
    vm::verify_input(&Rules::new(rules.set, Mode::Consensus), context, input).is_err()
}

/// The signature checks of all inputs together.
pub(crate) fn sig_checks(metrics: &[vm::Metrics]) -> u64 {
    metrics.iter().map(|one| u64::from(one.sig_checks)).sum()
}
