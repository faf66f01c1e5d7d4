//! An input that spends the whole budget that a rule set gives to the longest input, in the integer loop.
//!
//! So many turns are run that the bound of the cost fits the budget too; the cost itself is a little below it.

use benches::Table;
use engine::Tier;
use engine::ir::Metering;
use spec::opcode::Opcode::{Drop, N1};
use spec::script::{push_data, push_op};
use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxIn, TxOut};

use crate::loops::integer_script;
use crate::measure::{best, engine};
use crate::p2pkh;

/// A push of more than 255 bytes has an opcode and two bytes of length before them.
const PUSH_BYTES: usize = 3;

/// The last column says to how many signature checks the time corresponds that machine code saves.
pub fn table() -> Table {
    let mut table = Table::new(
        "the whole budget",
        &[
            "turns",
            "cost",
            "oracle, us",
            "register, us",
            "reg bound, us",
            "jit exact, us",
            "jit bound, us",
            "signatures",
        ],
    );
    let signature = p2pkh::signature();
    for set in [RuleSet::Bch2026, RuleSet::Bitmodel] {
        let rules = Rules::new(set, Mode::Consensus);
        let turns = most_turns(&rules);
        let spend = Spend::new(&rules, turns);
        let cost = spend.cost(&rules).expect("so many turns fit");
        let [[oracle, _], register, jit] = [Tier::Oracle, Tier::Register, Tier::Jit].map(|tier| {
            let (engine, context) = (engine(tier), spend.context());
            let exact = best(|| i64::from(engine.verify(&rules, &context, 0).is_ok()));
            let bound = best(|| i64::from(engine.accept(&rules, &context, 0).is_ok()));
            [exact, bound]
        });
        let saved = register[1].less(jit[1]).over(signature);
        let times = [oracle, register[0], register[1], jit[0], jit[1]].map(|time| time.micros());
        table.row(set.name(), [turns.to_string(), cost.to_string()].into_iter().chain(times).chain([saved]));
    }
    table
}

/// The most turns that the longest input may run, by halving.
fn most_turns(rules: &Rules) -> i64 {
    let (mut fits, mut over) = (1, 10_000_000);
    while over - fits > 1 {
        let middle = (fits + over) / 2;
        if Spend::new(rules, middle).fits(rules) {
            fits = middle;
        } else {
            over = middle;
        }
    }
    fits
}

struct Spend {
    tx: Transaction,
    spent: Vec<TxOut>,
}

impl Spend {
    /// The unlocking bytecode is as long as it may be, and the lock drops what it pushes.
    fn new(rules: &Rules, turns: i64) -> Self {
        let (mut unlock, mut lock) = (Vec::new(), Vec::new());
        push_data(&mut unlock, &vec![1; rules.limits.script_bytes - PUSH_BYTES]);
        push_op(&mut lock, Drop);
        lock.extend(integer_script(turns));
        push_op(&mut lock, N1);
        let input = TxIn { prevout: OutPoint::COINBASE, unlock, sequence: 0 };
        let tx = Transaction { version: 2, inputs: vec![input], outputs: Vec::new(), locktime: 0 };
        Self { tx, spent: vec![TxOut::plain(Sats::ONE, lock)] }
    }

    fn context(&self) -> SpendContext<'_> {
        SpendContext::new(&self.tx, &self.spent).expect("there is one output for the one input")
    }

    fn fits(&self, rules: &Rules) -> bool {
        engine::leaves(rules, &self.context(), 0, Metering::Bound, None).is_some()
    }

    fn cost(&self, rules: &Rules) -> Option<u64> {
        vm::verify_input(rules, &self.context(), 0).ok().map(|metrics| metrics.cost.get())
    }
}
