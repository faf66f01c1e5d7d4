//! Random bytecode: what register code accepts the oracle accepts, at the same cost and with the same stacks.

use std::path::Path;
use std::sync::Mutex;

use cpu_time::ThreadTime;
use scripts::{Case, Counts, Kind, Parts, changed, draw, parts};
use spec::Transaction;
use spec::tx::decode_outputs;
use tests::Vector;

use super::{Fuzz, caught, each_case, lock};

/// Runs the cases.
pub fn run(fuzz: &Fuzz) -> Result<(), String> {
    let corpus = fuzz.vectors.as_deref().map_or(Ok(Vec::new()), read)?;
    if let Some(only) = fuzz.only {
        let case = case(fuzz, &corpus, only);
        println!("{case}");
        return case.run(true).map(|seen| println!("{seen:?}"));
    }
    let all: Mutex<(Counts, u128)> = Mutex::default();
    let runs = each_case(fuzz, |number| {
        let start = ThreadTime::now();
        let seen = caught(|| case(fuzz, &corpus, number).run(compiled(fuzz, number)))??;
        let took = start.elapsed().as_micros();
        let mut all = lock(&all);
        all.0.add(seen);
        all.1 += took;
        Ok(())
    })?;
    let (counts, took) = *lock(&all);
    println!("{runs} scripts, no difference: {counts}; {} s of the processor", took / 1_000_000);
    Ok(())
}

/// Whether a case runs in machine code too.
fn compiled(fuzz: &Fuzz, number: u64) -> bool {
    // Cases differ in kind by their number, so the rounds of a kind are counted.
    fuzz.compiled_every > 0 && (number / 8 + number).is_multiple_of(fuzz.compiled_every)
}

/// Every eighth case is of raw bytes; where there are vectors, a third of the others are scripts of theirs, changed.
fn case(fuzz: &Fuzz, corpus: &[Parts], number: u64) -> Case {
    match number % 8 {
        0 => draw(Kind::Raw, fuzz.seed, number),
        1..=3 if !corpus.is_empty() => changed(corpus, fuzz.seed, number),
        1..=5 => draw(Kind::Grammar, fuzz.seed, number),
        _ => draw(Kind::Boundary, fuzz.seed, number),
    }
}

/// What the inputs of a file's vectors push, and the last script that they run.
fn read(path: &Path) -> Result<Vec<Parts>, String> {
    let wrong = |error: std::io::Error| format!("cannot read `{}`: {error}", path.display());
    let mut found = Vec::new();
    for line in std::io::BufRead::lines(tests::open(path).map_err(wrong)?) {
        let Ok(vector) = Vector::parse(&line.map_err(wrong)?) else { continue };
        let (Ok(tx), Ok(spent)) = (Transaction::decode(&vector.tx), decode_outputs(&vector.utxos)) else { continue };
        found.extend(tx.inputs.iter().zip(spent).map(|(input, spent)| parts(&input.unlock, &spent.lock)));
    }
    found.sort();
    found.dedup();
    Ok(found)
}
