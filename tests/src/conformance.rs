//! Judging vectors, many at a time.

use std::io::{self, BufRead};
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex};

use chain::{Runner, Workers};
use engine::{Compiler, Counts, Engine, Tier, Tuning};
use spec::tx::decode_outputs;
use spec::{Mode, RuleSet, Rules, SpendContext, Transaction, TxOut};
use vm::batch::Deferred;

use crate::vector::{Recorded, Vector};

/// Which rules to judge by, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whose rules. Under our own, only what must pass is judged, for they accept more.
    pub rules: RuleSet,
    /// In which modes.
    pub modes: Vec<Mode>,
    /// Whether the work of every input must equal what was recorded.
    pub metrics: bool,
    /// What runs the scripts.
    pub tier: Tier,
    /// Makes machine code of every script, where the tier runs any.
    pub compiler: Option<Arc<dyn Compiler>>,
    /// How many threads judge.
    pub jobs: NonZeroUsize,
}

/// A vector that did not come out as it must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its name; empty if the line could not be read.
    pub id: String,
    /// What came out instead.
    pub reason: String,
}

/// How a file came out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The number of vectors that came out as they must.
    pub passed: usize,
    /// Those that did not, in the file's order.
    pub failed: Vec<Failed>,
    /// How many inputs register code has accepted, where it was asked.
    pub counts: Counts,
}

/// Judges every line of `lines`; tells `progress` the number of vectors done now and then.
///
/// # Errors
/// If the lines cannot be read.
pub fn run(lines: &mut dyn BufRead, options: &Options, progress: &mut dyn FnMut(usize)) -> io::Result<Summary> {
    // A bounded queue, so that a large file is never wholly in memory.
    let (send_line, lines_to_do) = sync_channel::<(usize, String)>(64);
    let (send_verdict, verdicts) = channel();
    let lines_to_do = Mutex::new(lines_to_do);
    let mut summary = Summary::default();
    let counts = Mutex::new(Counts::default());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.get() {
            let (queue, counts, send_verdict) = (&lines_to_do, &counts, send_verdict.clone());
            scope.spawn(move || {
                let engine = match &options.compiler {
                    Some(compiler) => Engine::with_compiler(options.tier, Arc::clone(compiler), Tuning::at_once()),
                    None => Engine::new(options.tier),
                };
                work(queue, options, &engine, &send_verdict);
                counts.lock().expect("no thread panics while it counts").add(engine.counts());
            });
        }
        drop(send_verdict);
        // Ends the workers when it goes, also when reading fails.
        let send_line = send_line;
        for (number, line) in (1..).zip(lines.lines()) {
            let line = line?;
            if !line.trim().is_empty() && send_line.send((number, line)).is_err() {
                break;
            }
            summary.take(verdicts.try_iter(), progress);
        }
        drop(send_line);
        summary.take(verdicts.iter(), progress);
        Ok::<_, io::Error>(())
    })?;
    summary.counts = counts.into_inner().expect("no thread panics while it counts");
    summary.failed.sort_by_key(|failed| failed.line);
    Ok(summary)
}

impl Summary {
    fn take(&mut self, verdicts: impl Iterator<Item = Result<(), Failed>>, progress: &mut dyn FnMut(usize)) {
        for verdict in verdicts {
            match verdict {
                Ok(()) => self.passed += 1,
                Err(failed) => self.failed.push(failed),
            }
            let done = self.passed + self.failed.len();
            if done.is_multiple_of(1_000) {
                progress(done);
            }
        }
    }
}

fn work(
    lines: &Mutex<Receiver<(usize, String)>>,
    options: &Options,
    engine: &Engine,
    verdicts: &Sender<Result<(), Failed>>,
) {
    loop {
        let next = lines.lock().expect("no thread panics while it waits for a line").recv();
        let Ok((line, text)) = next else { return };
        let verdict = match Vector::parse(&text) {
            Ok(vector) => judge(&vector, options, engine).map_err(|reason| Failed { line, id: vector.id, reason }),
            Err(error) => Err(Failed { line, id: String::new(), reason: format!("not a vector: {error}") }),
        };
        if verdicts.send(verdict).is_err() {
            return;
        }
    }
}

/// Whether a vector comes out as it must.
///
/// # Errors
/// What came out instead, or how two engines differ.
pub fn judge(vector: &Vector, options: &Options, engine: &Engine) -> Result<(), String> {
    options.modes.iter().try_for_each(|mode| judge_in(vector, options, engine, *mode))?;
    match engine.take_differences().as_slice() {
        [] => Ok(()),
        differences => Err(format!("engines differ: {differences:?}")),
    }
}

fn judge_in(vector: &Vector, options: &Options, engine: &Engine, mode: Mode) -> Result<(), String> {
    let must_pass = vector.expect.passes(mode);
    if options.rules == RuleSet::Bitmodel && !must_pass {
        return Ok(());
    }
    let rules = Rules::new(options.rules, mode);
    let name = mode_name(mode);
    let spend = decode(vector);
    match spend.as_ref().map_err(Clone::clone).and_then(|(tx, spent)| verdict(vector, &rules, tx, spent, engine)) {
        Ok(()) if !must_pass => return Err(format!("{name}: passes, must fail")),
        Err(reason) if must_pass => return Err(format!("{name}: fails, must pass: {reason}")),
        Ok(()) | Err(_) => {}
    }
    if let Ok((tx, spent)) = &spend {
        compare_deferred(&rules, tx, spent, engine).map_err(|text| format!("{name}: {text}"))?;
    }
    match spend {
        Ok((tx, spent)) if options.metrics => compare_metrics(vector, &rules, &tx, &spent, engine),
        Ok(_) | Err(_) => Ok(()),
    }
}

const fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Relay => "relay",
        Mode::Consensus => "consensus",
    }
}

fn decode(vector: &Vector) -> Result<(Transaction, Vec<TxOut>), String> {
    let tx = Transaction::decode(&vector.tx).map_err(|error| format!("transaction: {error}"))?;
    let spent = decode_outputs(&vector.utxos).map_err(|error| format!("spent outputs: {error}"))?;
    Ok((tx, spent))
}

fn verdict(vector: &Vector, rules: &Rules, tx: &Transaction, spent: &[TxOut], engine: &Engine) -> Result<(), String> {
    let runner = Runner { engine, workers: Workers::ONE };
    let found = if vector.script_only {
        chain::check_scripts(rules, tx, spent, runner).map(|_| ())
    } else {
        chain::verify_spend(rules, tx, spent, runner).map(|_| ())
    };
    found.map_err(|error| error.to_string())
}

/// With Schnorr signatures put off and verified together an input must come out as with each verified at once.
fn compare_deferred(rules: &Rules, tx: &Transaction, spent: &[TxOut], engine: &Engine) -> Result<(), String> {
    let Some(context) = SpendContext::new(tx, spent) else { return Ok(()) };
    for input in 0..tx.inputs.len() {
        let deferred = Deferred::default();
        let plain = engine.accept(rules, &context, input);
        let found = engine.accept_deferring(rules, &context, input, &deferred);
        let (noted, good) = (deferred.len(), deferred.settle());
        let agrees = match (&found, good) {
            (Ok(_), true) => found == plain,
            (Ok(_), false) => plain.is_err(),
            (Err(_), _) => found == plain && noted == 0,
        };
        if !agrees {
            return Err(format!(
                "input {input}: {plain:?}, but with {noted} signatures put off {found:?}, good: {good}"
            ));
        }
    }
    Ok(())
}

fn compare_metrics(
    vector: &Vector,
    rules: &Rules,
    tx: &Transaction,
    spent: &[TxOut],
    engine: &Engine,
) -> Result<(), String> {
    let Some(context) = SpendContext::new(tx, spent) else { return Ok(()) };
    for (input, recorded) in vector.recorded(rules.mode).iter().enumerate() {
        let ours = engine.verify(rules, &context, input);
        difference(rules.set, recorded, ours)
            .map_or(Ok(()), |text| Err(format!("{}: input {input}: {text}", mode_name(rules.mode))))?;
    }
    Ok(())
}

/// How our result differs from the recorded one. Our own rules price work otherwise, so there only its amounts count.
fn difference(set: RuleSet, recorded: &Recorded, ours: Result<vm::Metrics, vm::Failure>) -> Option<String> {
    let Recorded(text, cost, hash_iterations, sig_checks) = recorded;
    match ours {
        Ok(_) if text != "OK" => Some(format!("passes, recorded `{text}`")),
        Err(failure) if text == "OK" => Some(format!("`{failure}`, recorded as passing")),
        Err(_) => None,
        Ok(metrics) => {
            let same = |recorded: Option<u64>, ours: u64| recorded.is_none_or(|recorded| recorded == ours);
            let equal = (set == RuleSet::Bitmodel || same(*cost, metrics.cost.get()))
                && same(*hash_iterations, metrics.hash_iterations)
                && same(*sig_checks, metrics.sig_checks.into());
            (!equal).then(|| format!("{metrics:?}, recorded {recorded:?}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jit::Jit;
    use spec::{OutPoint, Sats, TxIn, Txid};

    /// A payment whose unlocking script is `unlock` and whose lock is `OP_1`, as a line.
    fn line(expect: &str, unlock: Vec<u8>, metrics: &str) -> String {
        let prevout = OutPoint { txid: Txid::from_wire([1; 32]), index: 1 };
        let tx = Transaction {
            version: 2,
            inputs: vec![TxIn { prevout, unlock, sequence: 0 }],
            outputs: vec![TxOut::plain(Sats::ZERO, [&[0x6a, 20][..], &[0; 20]].concat())],
            locktime: 0,
        };
        let mut utxos = vec![1];
        TxOut::plain(Sats::from_wire(1_000), vec![0x51]).write(&mut utxos);
        let (tx, utxos) = (hex::encode(tx.encode()), hex::encode(utxos));
        format!(r#"{{"id":"x","expect":"{expect}","tx":"{tx}","utxos":"{utxos}","input":0{metrics}}}"#)
    }

    fn reasons(lines: &[String]) -> (usize, Vec<(usize, String)>) {
        let options = Options {
            rules: RuleSet::Bch2026,
            modes: vec![Mode::Relay, Mode::Consensus],
            metrics: true,
            tier: Tier::Shadow,
            compiler: Jit::new().map(|jit| Arc::new(jit) as _),
            jobs: NonZeroUsize::new(3).unwrap(),
        };
        let summary = run(&mut lines.join("\n").as_bytes(), &options, &mut |_| ()).unwrap();
        (summary.passed, summary.failed.into_iter().map(|failed| (failed.line, failed.reason)).collect())
    }

    #[test]
    fn wrong_verdicts_and_wrong_metrics_are_reported_in_the_files_order() {
        let metrics = |cost: u64| format!(r#","metrics":{{"relay":[["OK",{cost},0,0]]}}"#);
        let lines = [
            line("standard", vec![], &metrics(101)),
            line("standard", vec![0x51], ""),
            line("invalid", vec![0x51], ""),
            line("invalid", vec![], ""),
            line("standard", vec![], &metrics(102)),
            "{}".to_owned(),
            String::new(),
        ];
        let (passed, failed) = reasons(&lines);
        assert_eq!(passed, 2);
        let starts = [
            (2, "relay: fails, must pass: mandatory-script-verify-flag-failed"),
            (4, "relay: passes, must fail"),
            (5, "relay: input 0: Metrics"),
            (6, "not a vector: missing field"),
        ];
        assert_eq!(failed.len(), starts.len(), "{failed:?}");
        for ((line, reason), (at, start)) in failed.iter().zip(starts) {
            assert!(*line == at && reason.starts_with(start), "{line}: {reason}");
        }
    }
}
