//! A turn of the integer loop, here and in engines of others.

use crate::loops::TURNS;
use crate::measure::{Time, Times};
use benches::Table;

/// What others take, as the arguments say.
fn others() -> impl Iterator<Item = (String, Time)> {
    let one = |argument: String| {
        let (name, picos) = argument.split_once('=')?;
        Some((name.to_owned(), Time(picos.parse().ok()?)))
    };
    std::env::args().filter_map(one)
}

/// The fastest first. The first of `times` are those of the integer loop.
pub fn table(times: &[(&str, Times)]) -> Table {
    let mut table = Table::new("integer loop", &["ns a turn", "times register"]);
    let Some((_, times)) = times.first() else { return table };
    let turn = |time: Time| Time(time.0 / u128::from(TURNS.unsigned_abs()));
    let ours = [
        ("plain Rust", Some(times.native)),
        ("jit bound", Some(times.jit[1])),
        ("jit exact", Some(times.jit[0])),
        ("register bound", Some(times.register[1])),
        ("register", Some(times.register[0])),
        ("oracle", Some(times.oracle)),
        ("naive", times.naive),
    ];
    let ours = ours.into_iter().filter_map(|(name, time)| Some((name.to_owned(), turn(time?))));
    let mut all: Vec<_> = ours.chain(others()).collect();
    all.sort_by_key(|(_, time)| *time);
    for (name, time) in all {
        table.row(&name, [time.nanos_each(1), time.over(turn(times.register[0]))]);
    }
    table
}
