//! What is run: an input of a transaction, and the same work in plain Rust.

use spec::{Mode, RuleSet, Rules, SpendContext, Transaction, TxOut};
use vm::{Kernel, Start};

/// An input that may spend. It is the first of its transaction.
pub struct Work {
    pub name: &'static str,
    pub rules: Rules,
    pub tx: Transaction,
    pub spent: Vec<TxOut>,
    /// The script for the naive interpreter, if that knows all of its opcodes.
    pub naive: Option<Vec<u8>>,
    pub native: Box<dyn Fn(&Transaction) -> i64>,
}

impl Work {
    pub fn context(&self) -> SpendContext<'_> {
        SpendContext::new(&self.tx, &self.spent).expect("there is one output for each input")
    }

    /// The last script of the input, which is the one that engines lower and compile.
    pub fn code(&self) -> Vec<u8> {
        let context = self.context();
        match Kernel::start(&self.rules, &context, 0) {
            Some(Start::Ready(kernel, _)) => kernel.code().to_vec(),
            Some(Start::Accepted(_)) | None => panic!("{} runs no script", self.name),
        }
    }
}

/// The rules of blocks, with a budget for the longest loop.
pub fn generous() -> Rules {
    let mut rules = Rules::new(RuleSet::Bch2026, Mode::Consensus);
    rules.prices.budget_per_byte = 1 << 32;
    rules.prices.half_iterations_per_byte = 1 << 20;
    rules
}
