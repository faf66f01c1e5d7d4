//! How much must run until machine code has won back the time that making it took.

use crate::measure::{Time, Times};
use crate::table::Table;

/// Two rows for each workload: with exact costs and with bound ones.
pub fn table(times: &[(&str, Times)]) -> Table {
    let mut table = Table::new(
        "winning back",
        &["ops", "lowering, us", "compiling, us", "register, us", "jit, us", "saved, us", "runs", "instructions"],
    );
    for (name, times) in times {
        for (at, metering) in ["exact", "bound"].into_iter().enumerate() {
            row(&mut table, &format!("{name}, {metering}"), times, at);
        }
    }
    table
}

fn row(table: &mut Table, name: &str, times: &Times, at: usize) {
    let of = |both: &[Time; 2]| both.get(at).copied().unwrap_or(Time(0));
    let (register, jit, compiling) = (of(&times.register), of(&times.jit), of(&times.compiling));
    let saved = register.less(jit);
    let instructions = compiling.0 * u128::from(times.instructions);
    // What is saved must be more than what two measurements of one thing differ by.
    let is_saved = saved.0 * 50 > register.0;
    let until = |count: u128| match is_saved {
        true => count.div_ceil(saved.0.max(1)).to_string(),
        false => "never".to_owned(),
    };
    let ops = times.ops.get(at).copied().unwrap_or_default().to_string();
    let shown = [of(&times.lowering), compiling, register, jit, saved].map(Time::micros);
    let cells = std::iter::once(ops).chain(shown);
    table.row(name, cells.chain([until(compiling.0), until(instructions)]));
}
