//! How long scripts take to compile that were made to be expensive.

use engine::Compiler as _;
use engine::ir::Metering;
use jit::Jit;
use spec::{Mode, RuleSet, Rules};

use crate::measure::compiling;
use crate::table::Table;

/// The code of scripts that cannot be lowered, and machines without machine code, have no row.
pub fn table() -> Table {
    let mut table = Table::new("compiling", &["ops", "time, us", "ns an op", "bytes"]);
    let Some(jit) = Jit::new() else { return table };
    let rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
    for (name, lock) in scripts::hostile() {
        for metering in [Metering::Exact, Metering::Bound] {
            let Some(unit) = engine::lowered(&lock, &rules, metering) else { continue };
            let bytes = jit.compile(&unit, &rules).map(|native| native.code_bytes());
            let (time, ops) = (compiling(&unit, &rules), unit.ops.len() as u64);
            let bytes = bytes.map_or("never".to_owned(), |bytes| bytes.to_string());
            table.row(&format!("{name}, {metering:?}"), [ops.to_string(), time.micros(), time.nanos_each(ops), bytes]);
        }
    }
    table
}
