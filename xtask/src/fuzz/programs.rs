//! Random programs: at every level the machine accepts what a direct evaluation accepts, and no level is longer than the
//! one below.

use std::sync::Mutex;

use cpu_time::ThreadTime;
use spec::artifact::Level;
use typed::{Counts, Trial};

use super::{Fuzz, Random, caught, each_case, lock};

/// Runs the cases: each is a program with many transactions.
pub fn run(fuzz: &Fuzz) -> Result<(), String> {
    if let Some(only) = fuzz.only {
        let trial = trial(fuzz, only);
        println!("{trial:?}");
        return caught(|| trial.run())?.map(|counts| print!("{counts}"));
    }
    let all: Mutex<(Counts, u128)> = Mutex::default();
    each_case(fuzz, |case| {
        let start = ThreadTime::now();
        let counts = caught(|| trial(fuzz, case).run())??;
        let took = start.elapsed().as_micros();
        let mut all = lock(&all);
        all.0.add(&counts);
        all.1 += took;
        Ok(())
    })?;
    let (counts, took) = &*lock(&all);
    print!("{counts}");
    println!("{} s of the processor", took / 1_000_000);
    Ok(())
}

/// Small programs of one path to three, and now and then a large one.
fn trial(fuzz: &Fuzz, case: u64) -> Trial {
    let mut random = Random(fuzz.seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ case);
    random.next();
    let paths = 1 + random.below(3);
    let size = if random.below(16) == 0 { 8 } else { random.below(6) };
    // The highest level takes longer than all others.
    let top = if random.below(64) == 0 { Level::Oz } else { Level::Os };
    Trial { seed: random.next(), size: size.div_ceil(paths), paths, transactions: fuzz.transactions, top }
}
