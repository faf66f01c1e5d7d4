//! Workloads in every engine and in plain Rust, in one run: `cargo xtask bench engines`. Compare ratios, not times.
//!
//! The naive interpreter is a reference of this benchmark alone. The columns `bound` are verdicts without a cost, for which
//! the lengths of numbers are only bounded. Arguments `NAME=PICOSECONDS` say how long a turn of the integer loop takes in
//! engines of others, which `benches/yardsticks` measures.

mod budgets;
mod compiling;
mod contracts;
mod loops;
mod measure;
mod naive;
mod p2pkh;
mod turns;
mod winning;
mod work;

use std::io;

use benches::Table;

use measure::{Times, ratio_to};

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    let works: Vec<_> = loops::works().into_iter().chain(contracts::works()).collect();
    let times: Vec<_> = works.iter().map(|work| (work.name, Times::of(work))).collect();
    each_instruction(&times).print(&mut out)?;
    turns::table(&times).print(&mut out)?;
    winning::table(&times).print(&mut out)?;
    budgets::table().print(&mut out)?;
    p2pkh::table().print(&mut out)?;
    compiling::table().print(&mut out)
}

/// What an instruction takes in each engine.
fn each_instruction(times: &[(&str, Times)]) -> Table {
    let mut table = Table::new(
        "ns an instruction",
        &[
            "instructions",
            "naive",
            "oracle",
            "register",
            "reg bound",
            "jit exact",
            "jit bound",
            "native",
            "naive/register",
            "naive/jit exact",
            "naive/jit bound",
            "jit bound/native",
        ],
    );
    for (name, times) in times {
        let Times { naive, oracle, register, jit, native, .. } = times;
        let each = [Some(*oracle), Some(register[0]), Some(register[1]), Some(jit[0]), Some(jit[1]), Some(*native)];
        let each = std::iter::once(*naive).chain(each);
        let each = each.map(|time| time.map_or("-".to_owned(), |time| time.nanos_each(times.instructions)));
        let ratios = [register[0], jit[0], jit[1]].map(|time| ratio_to(*naive, time));
        let cells = std::iter::once(times.instructions.to_string()).chain(each).chain(ratios);
        table.row(name, cells.chain([jit[1].over(*native)]));
    }
    table
}
