//! How long scripts take to compile that were made to be expensive.

use benches::Table;
use engine::ir::Metering;
use engine::{Compiler as _, Effort};
use jit::Jit;
use spec::script::instructions;
use spec::{Mode, RuleSet, Rules};

use crate::measure::{Time, compiling};

/// What making the first code may take, in picoseconds: for each instruction, and beside them.
const EACH: u128 = 3_000_000;
const BESIDE: u128 = 100_000_000;

/// The code of scripts that cannot be lowered, and machines without machine code, have no row.
pub fn table() -> Table {
    let mut table =
        Table::new("compiling", &["ops", "time, us", "of the goal", "ns an op", "bytes", "again, us", "bytes"]);
    let Some(jit) = Jit::new() else { return table };
    let rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
    for (name, lock) in scripts::hostile() {
        for metering in [Metering::Exact, Metering::Bound] {
            let Some(unit) = engine::lowered(&lock, &rules, metering) else { continue };
            // Functions that have been taken in are in no bytecode of this script.
            let ops = instructions(&lock).count().max(unit.ops.len()) as u64;
            let goal = Time(EACH * u128::from(ops) + BESIDE);
            let [quick, hot] = [Effort::Quick, Effort::Hot].map(|effort| {
                let bytes = jit.compile(&unit, &rules, effort).map(|native| native.code_bytes().to_string());
                compiling(&unit, &rules, effort).zip(bytes)
            });
            let none = || "-".to_owned();
            let first = quick.map_or([none(), none(), none(), none()], |(time, bytes)| {
                [time.micros(), time.over(goal), time.nanos_each(ops), bytes]
            });
            let again = hot.map_or([none(), none()], |(time, bytes)| [time.micros(), bytes]);
            table.row(&format!("{name}, {metering:?}"), std::iter::once(ops.to_string()).chain(first).chain(again));
        }
    }
    table
}
