//! How long the tests of the examples take: all of them, over and over, until five hundred have run.
#![allow(clippy::print_stdout, clippy::float_arithmetic, reason = "a benchmark prints figures")]

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use driver::{Compiled, MemoryWorld, Options, compile};
use tester::{Choice, run};

/// So many tests run in one measurement.
const TESTS: usize = 500;
/// The best of so many measurements counts.
const ROUNDS: usize = 3;

/// Every example with its tests, compiled.
fn examples() -> Result<Vec<Compiled>, Box<dyn Error>> {
    let mut all = Vec::new();
    let mut folders: Vec<_> =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples"))?.collect::<Result<_, _>>()?;
    folders.sort_by_key(std::fs::DirEntry::file_name);
    for folder in folders {
        let mut sources = Vec::new();
        for file in std::fs::read_dir(folder.path())? {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "bmc") {
                let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                sources.push((name, std::fs::read_to_string(&path)?));
            }
        }
        let roots: Vec<String> = sources.iter().map(|(name, _)| name.clone()).collect();
        let world = MemoryWorld::new(sources.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        let compiled = compile(&world, &roots, &Options::default());
        if compiled.has_errors() {
            return Err(format!("{}: {}", folder.path().display(), compiled.to_json()).into());
        }
        all.push(compiled);
    }
    Ok(all)
}

/// Runs at least [`TESTS`] tests; gives their number, that of their cases, and how long they take.
fn measure(examples: &[Compiled], threads: NonZeroUsize) -> Result<(usize, usize, Duration), Box<dyn Error>> {
    let choice = Choice { threads, ..Choice::default() };
    let (mut tests, mut cases, begun) = (0, 0, Instant::now());
    while tests < TESTS {
        for compiled in examples {
            let outcomes = run(compiled, &choice, &|_, _| ());
            if let Some(failed) = outcomes.iter().find(|outcome| !outcome.passed()) {
                return Err(format!("{} fails", failed.full_name()).into());
            }
            tests += outcomes.len();
            cases += outcomes.iter().map(|outcome| outcome.cases.unwrap_or(1) as usize).sum::<usize>();
        }
    }
    Ok((tests, cases, begun.elapsed()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    let examples = examples()?;
    println!("{} examples compiled in {:.2} s", examples.len(), begun.elapsed().as_secs_f64());
    let all = std::thread::available_parallelism()?;
    for threads in [NonZeroUsize::MIN, all] {
        let mut best: Option<(usize, usize, Duration)> = None;
        for _ in 0..ROUNDS {
            let one = measure(&examples, threads)?;
            best = best.filter(|best| best.2 <= one.2).or(Some(one));
        }
        if let Some((tests, cases, took)) = best {
            let seconds = took.as_secs_f64();
            println!(
                "{threads} threads: {tests} tests with {cases} cases in {seconds:.2} s, {:.2} s for {TESTS} tests, {:.0} cases a second",
                seconds * TESTS as f64 / tests as f64,
                cases as f64 / seconds
            );
        }
    }
    Ok(())
}
