//! How much must run until machine code has won back the time that making it took.

use crate::measure::{Time, Times};
use benches::Table;

/// Two rows for each workload: with exact costs and with bound ones. Of the two kinds of machine code, the second has to win
/// against the first.
pub fn table(times: &[(&str, Times)]) -> Table {
    let mut table = Table::new(
        "winning back",
        &[
            "ops",
            "lowering, us",
            "compiling, us",
            "again, us",
            "register, us",
            "first, us",
            "best, us",
            "runs",
            "instructions",
            "runs again",
            "instructions",
        ],
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
    let (register, quick, jit, compiling) =
        (of(&times.register), of(&times.quick), of(&times.jit), of(&times.compiling));
    let improving = times.improving.get(at).copied().flatten();
    let ops = times.ops.get(at).copied().unwrap_or_default().to_string();
    let shown = |time: Option<Time>| time.map_or("-".to_owned(), Time::micros);
    let all = [Some(of(&times.lowering)), Some(compiling), improving, Some(register), Some(quick), Some(jit)];
    let first = won(Some(compiling), register, quick, times.instructions);
    let again = won(improving, quick, jit, times.instructions);
    table.row(name, std::iter::once(ops).chain(all.map(shown)).chain(first).chain(again));
}

/// How many runs win back what making code takes, and how many instructions those are.
fn won(making: Option<Time>, before: Time, after: Time, instructions: u64) -> [String; 2] {
    let saved = before.less(after);
    // What is saved must be more than what two measurements of one thing differ by.
    let is_saved = saved.0 * 50 > before.0;
    match making {
        None => ["-", "-"].map(str::to_owned),
        Some(_) if !is_saved => ["never", "never"].map(str::to_owned),
        Some(making) => {
            [making.0, making.0 * u128::from(instructions)].map(|count| count.div_ceil(saved.0.max(1)).to_string())
        }
    }
}
