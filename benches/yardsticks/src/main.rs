//! The integer loop of `benches/engines` in two engines of others: how many picoseconds a turn takes in each.
//!
//! Knows nothing of the tree. Prints a line `NAME=PICOSECONDS` for each engine, the best of several rounds by the thread's
//! processor time. Every loop adds its counter to a sum, looks whether the sum has overflowed, keeps the greatest sum, and
//! counts down.

mod evm;
mod wasm;

use std::error::Error;
use std::hint::black_box;

use cpu_time::ThreadTime;

const TURNS: i64 = 1_000_000;
/// The sum of all counters, which is also the greatest sum.
const SUM: i64 = TURNS * (TURNS + 1) / 2;
/// How often each is measured; the best counts.
const ROUNDS: usize = 21;

fn main() -> Result<(), Box<dyn Error>> {
    let mut wasm = wasm::Loop::new(wasm::Metering::None)?;
    println!("wasmi={}", best(|| wasm.run(black_box(TURNS)))?);
    let mut fuelled = wasm::Loop::new(wasm::Metering::Fuel)?;
    println!("wasmi with fuel={}", best(|| fuelled.run(black_box(TURNS)))?);
    println!("revm={}", best(|| evm::run(black_box(TURNS)))?);
    Ok(())
}

/// Picoseconds of a turn in the best round.
fn best(mut run: impl FnMut() -> Result<i64, Box<dyn Error>>) -> Result<u128, Box<dyn Error>> {
    let mut least = u128::MAX;
    for _ in 0..ROUNDS {
        let start = ThreadTime::now();
        let most = run()?;
        least = least.min(start.elapsed().as_nanos());
        if most != SUM {
            return Err(format!("the greatest sum is {SUM}, not {most}").into());
        }
    }
    Ok(least * 1_000 / u128::from(TURNS.unsigned_abs()))
}
