//! Random bytecode: what register code accepts the oracle accepts, at the same cost and with the same stacks.

use std::path::Path;
use std::sync::Mutex;

use cpu_time::ThreadTime;
use engine::Effort;
use scripts::{Case, Counts, Kind, Parts, Random, changed, draw, parts};
use spec::Transaction;
use spec::tx::decode_outputs;
use tests::Vector;

use super::{Fuzz, caught, each_case, lock};

/// Runs the cases, each with several inputs.
pub fn run(fuzz: &Fuzz) -> Result<(), String> {
    let corpus = fuzz.vectors.as_deref().map_or(Ok(Vec::new()), read)?;
    if let Some(only) = fuzz.only {
        println!("{}", case(fuzz, &corpus, only));
        return check(fuzz, &corpus, only, machine(fuzz, only).or(Some(Effort::Hot)))
            .map(|counts| println!("{counts}"));
    }
    let all: Mutex<(Counts, u128)> = Mutex::default();
    each_case(fuzz, |number| {
        let start = ThreadTime::now();
        let seen = caught(|| check(fuzz, &corpus, number, machine(fuzz, number)))??;
        let took = start.elapsed().as_micros();
        let mut all = lock(&all);
        all.0.add(seen);
        all.1 += took;
        Ok(())
    })?;
    let (counts, took) = *lock(&all);
    println!("{counts}\nno difference; {} s of the processor", took / 1_000_000);
    Ok(())
}

fn check(fuzz: &Fuzz, corpus: &[Parts], number: u64, machine: Option<Effort>) -> Result<Counts, String> {
    // A signature takes as long as hundreds of other instructions.
    let inputs = if number % KINDS == SIGNED { fuzz.inputs.div_ceil(4) } else { fuzz.inputs };
    // The inputs depend on the case alone, as the script does, but not in the same way.
    case(fuzz, corpus, number).run(inputs, machine, Random::new(!fuzz.seed, number))
}

/// In which machine code a case runs, if it does: one in four in what is made fast, the others also in what is made well.
fn machine(fuzz: &Fuzz, number: u64) -> Option<Effort> {
    // Cases differ in kind by their number, so the rounds of a kind are counted.
    let turn = number / KINDS + number;
    let round = turn.checked_div(fuzz.compiled_every).filter(|_| turn.is_multiple_of(fuzz.compiled_every))?;
    Some(if round.is_multiple_of(4) { Effort::Quick } else { Effort::Hot })
}

/// After so many cases the kinds come again.
const KINDS: u64 = 16;
/// The one with signatures.
const SIGNED: u64 = 1;

/// One case in sixteen is of raw bytes, and one of signatures, which take long; where there are vectors, a third of the
/// others are scripts of theirs, changed.
fn case(fuzz: &Fuzz, corpus: &[Parts], number: u64) -> Case {
    let kind = match number % KINDS {
        0 => Kind::Raw,
        SIGNED => Kind::Signed,
        2..=5 if !corpus.is_empty() => return changed(corpus, fuzz.seed, number),
        2..=8 => Kind::Grammar,
        9..=11 => Kind::Boundary,
        _ => Kind::Aimed,
    };
    draw(kind, fuzz.seed, number)
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
