//! `cargo xtask fuzz`: hostile sources through the whole compiler, to see that nothing panics or hangs; and random
//! programs at every level, to see that all scripts mean the same.
//!
//! Case number `n` depends on the seed and `n` alone, so a failure is repeated by `--only n`.

mod programs;
mod rpc;
mod scripts;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::hint::black_box;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use cpu_time::ThreadTime;
use driver::{Compiled, MemoryWorld, Options, Packages, Session};
use indicatif::{ProgressBar, ProgressStyle};
use spec::artifact::{AbiValue, Slot, Value};
use spec::{Artifact, RuleSet};

/// Compiles random sources: no panic, no case that takes long.
#[derive(Args)]
pub struct Fuzz {
    /// What the sources are made of
    #[arg(value_enum)]
    target: Target,
    /// How many cases, at most
    #[arg(
        long,
        default_value_t = 10_000,
        default_value_if("seconds", clap::builder::ArgPredicate::IsPresent, "1000000000000")
    )]
    runs: u64,
    /// How long, at most
    #[arg(long)]
    seconds: Option<u64>,
    /// Which cases: every number gives others
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One case alone, shown as it is
    #[arg(long)]
    only: Option<u64>,
    /// How many threads
    #[arg(long, default_value_t = 1)]
    threads: u64,
    /// The longest that a source may take, in milliseconds
    #[arg(long, default_value_t = 5_000)]
    slowest_ms: u64,
    /// Vectors whose scripts are changed, JSON lines plain or zstd; only for `scripts`
    #[arg(long)]
    vectors: Option<PathBuf>,
    /// Every how many scripts machine code is made too, which takes longer than all else; 0 for never
    #[arg(long, default_value_t = 16)]
    compiled_every: u64,
    /// How many inputs each script runs with, at most; fewer if none of the first comes to its end
    #[arg(long, default_value_t = 16)]
    inputs: usize,
    /// How many transactions each program meets
    #[arg(long, default_value_t = 200)]
    transactions: usize,
}

/// What the sources are made of.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// Bytes and scraps of the language in any order
    Bytes,
    /// Sources of the repository with some changes
    Examples,
    /// Typed programs, each compiled at every level and run with random transactions
    Programs,
    /// Bytecode in every engine: what register code accepts the oracle must accept, with equal stacks and costs
    Scripts,
    /// Calls to a node: each is answered, methods that read change nothing, and the chain stays a chain
    Rpc,
    /// Random messages at the port for other nodes
    P2p,
    /// Block files that anybody may have written: an error or a good chain
    Blocks,
}

/// Words that make deep or strange sources likely.
const SCRAPS: &[&str] = &[
    "contract C(a: Int) {",
    "spend s(x: Int) {",
    "reward R {",
    "model M {",
    "imi I {",
    "imo T for I {",
    "plan p(a: Coin) {",
    "struct S<T> {",
    "enum E {",
    "fn f<T>(a: T) -> T {",
    "state {",
    "}",
    "{",
    "(",
    ")",
    "[",
    "]",
    ";",
    ",",
    ":",
    "::",
    "->",
    "=>",
    "..",
    "..=",
    "=",
    "==",
    "<",
    ">",
    "+",
    "-",
    "*",
    "/",
    "%",
    "!",
    "&&",
    "||",
    "|",
    "mod",
    "for i in 0..",
    "while",
    "max",
    "match",
    "if",
    "else",
    "let mut",
    "return",
    "require",
    "continue",
    "end",
    "split",
    "by",
    "rest",
    "list",
    "where",
    "input",
    "output",
    "each",
    "genesis",
    "key(",
    "asm (",
    "OP_ADD",
    "self.",
    "tx.inputs[",
    "signed(",
    "2 of [",
    "0x",
    "0x00",
    "\"",
    "\"text\"",
    "1_000 sats",
    "2 coin",
    "144 blocks",
    "height 9",
    "30%",
    "1/3",
    "999999999999999999999",
    "Int<4>",
    "Option<",
    "Table<Int<4>, 9>",
    "use std::math;",
    "use ./a::b;",
    "///",
    "//!",
    "/*",
    "*/",
    "\u{feff}",
    "\u{1f980}",
];

/// A generator of numbers that is the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or(0)
    }

    fn scrap(&mut self) -> &'static str {
        SCRAPS.get(self.below(SCRAPS.len())).copied().unwrap_or("")
    }
}

/// Runs the cases.
pub fn run(root: &Path, fuzz: &Fuzz) -> Result<(), String> {
    if fuzz.target == Target::Programs {
        return programs::run(fuzz);
    }
    if fuzz.target == Target::Scripts {
        return scripts::run(fuzz);
    }
    if fuzz.target == Target::Rpc {
        return rpc::run(root, fuzz, ("random_calls", "at_random"));
    }
    if fuzz.target == Target::P2p {
        return rpc::run(root, fuzz, ("peers", "random_messages"));
    }
    if fuzz.target == Target::Blocks {
        return rpc::run(root, fuzz, ("hostile_files", "hostile_block_files"));
    }
    let mut corpus = Vec::new();
    for folder in
        ["examples", "tests/contracts", "tests/programs", "tests/types", "tests/syntax", "tests/diagnostics", "stdlib"]
    {
        collect(&root.join(folder), &mut corpus)?;
    }
    corpus.sort();
    let texts: Vec<String> = corpus.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
    if let Some(only) = fuzz.only {
        let text = source(fuzz, &texts, only);
        println!("{text}");
        return check(&text, only).map(|seen| eprintln!("{seen}"));
    }
    let worst: Mutex<(Duration, u64)> = Mutex::default();
    let all: Mutex<Seen> = Mutex::default();
    let runs = each_case(fuzz, |case| {
        let seen = check(&source(fuzz, &texts, case), case)?;
        let mut worst = lock(&worst);
        *worst = (*worst).max((seen.took, case));
        lock(&all).add(seen);
        Ok(())
    })?;
    let (took, case) = *lock(&worst);
    println!("{runs} cases, no panic; the slowest, case {case}, took {} ms", took.as_millis());
    println!("{}", lock(&all));
    if took > Duration::from_millis(fuzz.slowest_ms) {
        return Err(format!("case {case} takes too long"));
    }
    Ok(())
}

/// Runs all cases on all threads, until one fails or the time is over; gives how many.
fn each_case(fuzz: &Fuzz, check: impl Fn(u64) -> Result<(), String> + Sync) -> Result<u64, String> {
    let bar = if fuzz.seconds.is_some() { ProgressBar::no_length() } else { ProgressBar::new(fuzz.runs) };
    let template = match fuzz.seconds {
        Some(_) => "{pos} cases, {per_sec}, {elapsed}",
        None => "{bar:40} {pos}/{len} cases, {per_sec}, {eta} left",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    let (start, limit) = (Instant::now(), fuzz.seconds.map(Duration::from_secs));
    let next = AtomicU64::new(0);
    let failed: Mutex<Option<String>> = Mutex::default();
    // A panic is caught and told below, with the number of its case.
    std::panic::set_hook(Box::new(|_| {}));
    thread::scope(|scope| {
        for _ in 0..fuzz.threads.max(1) {
            scope.spawn(|| {
                loop {
                    let case = next.fetch_add(1, Ordering::Relaxed);
                    let is_over = limit.is_some_and(|limit| start.elapsed() >= limit);
                    if case >= fuzz.runs || is_over || lock(&failed).is_some() {
                        return;
                    }
                    if let Err(message) = check(case) {
                        *lock(&failed) = Some(format!("case {case}: {message}"));
                    }
                    bar.inc(1);
                }
            });
        }
    });
    let _ = std::panic::take_hook();
    bar.finish_and_clear();
    match lock(&failed).take() {
        Some(message) => Err(format!("{message}\nrepeat it alone with `--only`")),
        None => Ok(bar.position()),
    }
}

/// The outcome, or what the panic says.
fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic");
        format!("the compiler panicked: {text}")
    })
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "bmc") {
            found.push(path);
        }
    }
    Ok(())
}

/// The source of a case.
fn source(fuzz: &Fuzz, texts: &[String], case: u64) -> String {
    let mut random = Random(fuzz.seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ case);
    random.next();
    match fuzz.target {
        Target::Bytes => noise(&mut random),
        Target::Examples | Target::Programs | Target::Scripts | Target::Rpc | Target::P2p | Target::Blocks => {
            changed(&mut random, texts)
        }
    }
}

fn noise(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..=random.below(60) {
        match random.below(8) {
            0 => text.extend((0..random.below(6)).map(|_| char::from(random.next() as u8))),
            1 => text.push_str(&random.scrap().repeat(1 + random.below(30))),
            _ => text.push_str(random.scrap()),
        }
        text.push(' ');
    }
    text
}

fn changed(random: &mut Random, texts: &[String]) -> String {
    let pick = |random: &mut Random| texts.get(random.below(texts.len())).cloned().unwrap_or_default();
    let mut text = pick(random);
    if random.below(2) == 0 {
        return swapped(random, text);
    }
    for _ in 0..=random.below(6) {
        let (from, to) = stretch(random, &text);
        match random.below(7) {
            0 => text.replace_range(from..to, ""),
            1 => text.replace_range(from..to, random.scrap()),
            2 => text.insert_str(from, random.scrap()),
            3 => {
                let copy = text.get(from..to).unwrap_or_default().to_owned();
                text.insert_str(to, &copy);
            }
            4 => {
                let other = pick(random);
                let (start, end) = stretch(random, &other);
                text.replace_range(from..to, other.get(start..end).unwrap_or_default());
            }
            5 => text.truncate(to),
            _ => {
                let n = [0, 1, 255, 65_536, u64::MAX].get(random.below(5)).copied().unwrap_or_default();
                text.replace_range(from..to, &n.to_string());
            }
        }
    }
    text
}

/// A source in which a few words stand in the places of others of their kind, so that many of them still compile.
fn swapped(random: &mut Random, mut text: String) -> String {
    const SIGNS: [&[&str]; 3] = [&["==", "!=", "<", "<=", ">", ">="], &["+", "-", "*", "/", "%"], &["&&", "||"]];
    for _ in 0..=random.below(3) {
        let words = words(&text);
        let Some((from, to)) = words.get(random.below(words.len())).copied() else { break };
        let word = text.get(from..to).unwrap_or_default();
        let other = if word.starts_with(|c: char| c.is_ascii_digit()) {
            let n = [0, 1, 2, 3, 16, 17, 127, 128, 255, 65_536, i64::MAX as u64];
            n.get(random.below(n.len())).copied().unwrap_or_default().to_string()
        } else if let Some(kind) = SIGNS.iter().find(|kind| kind.contains(&word)) {
            kind.get(random.below(kind.len())).copied().unwrap_or_default().to_owned()
        } else {
            let (start, end) = words.get(random.below(words.len())).copied().unwrap_or_default();
            text.get(start..end).unwrap_or_default().to_owned()
        };
        text.replace_range(from..to, &other);
    }
    text
}

/// Where the words of a text are: names and numbers, and runs of signs.
fn words(text: &str) -> Vec<(usize, usize)> {
    let kind = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 1,
        '=' | '!' | '<' | '>' | '+' | '-' | '*' | '/' | '%' | '&' | '|' => 2,
        _ => 0,
    };
    let mut words: Vec<(usize, usize)> = Vec::new();
    let mut last = 0;
    for (at, c) in text.char_indices() {
        let (now, end) = (kind(c), at + c.len_utf8());
        match words.last_mut() {
            Some(word) if now == last && now != 0 => word.1 = end,
            _ if now != 0 => words.push((at, end)),
            _ => {}
        }
        last = now;
    }
    words
}

/// A part of a text between two borders of words, mostly a short one.
fn stretch(random: &mut Random, text: &str) -> (usize, usize) {
    let border = |at: usize| {
        let mut at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let from = border(random.below(text.len() + 1));
    let len = if random.below(4) == 0 { random.below(400) } else { random.below(12) };
    (from, border(from + len).max(from))
}

/// What came of one case, or of many.
#[derive(Default)]
struct Seen {
    took: Duration,
    contracts: usize,
    proved: usize,
    /// Why contracts have their direct code, and how often.
    unproved: BTreeMap<String, usize>,
}

impl Seen {
    fn of(compiled: &Compiled, took: Duration) -> Self {
        let mut seen = Self { took, contracts: compiled.proofs.len(), ..Self::default() };
        for proof in &compiled.proofs {
            seen.proved += usize::from(proof.is_proved());
            if let Some(unproved) = &proof.unproved {
                *seen.unproved.entry(unproved.why.clone()).or_default() += 1;
            }
        }
        seen
    }

    fn add(&mut self, other: Self) {
        self.took += other.took;
        self.contracts += other.contracts;
        self.proved += other.proved;
        for (why, count) in other.unproved {
            *self.unproved.entry(why).or_default() += count;
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { took, contracts, proved, unproved } = self;
        write!(f, "{contracts} contracts in {} ms of the processor, {proved} proved", took.as_millis())?;
        unproved.iter().try_for_each(|(why, count)| write!(f, "\n{count} not: {why}"))
    }
}

/// Compiles a source, renders what is said about it and expands it; now and then also with values built in. What
/// counts is the time of the processor, since the machine may be busy with other things.
fn check(text: &str, case: u64) -> Result<Seen, String> {
    let start = ThreadTime::now();
    let seen = caught(|| {
        let world = MemoryWorld::new([("fuzz.bmc", text)]);
        let mut session = Session::open(&world, Packages::default(), &["fuzz.bmc".to_owned()]);
        let compiled = session.compile(&Options::default());
        black_box(compiled.to_json().to_string().len() + compiled.expand().len());
        let mut seen = Seen::of(&compiled, Duration::ZERO);
        if case.is_multiple_of(4) && compiled.artifacts.iter().any(|artifact| !artifact.params.is_empty()) {
            for artifact in &compiled.artifacts {
                // A name that two contracts have may not fit both.
                let _ = session.seal(&artifact.contract, values(artifact, case));
            }
            let sealed = session.compile(&Options { rules: RuleSet::Bch2026, ..Options::default() });
            seen.add(Seen::of(&sealed, Duration::ZERO));
        }
        seen
    })?;
    Ok(Seen { took: start.elapsed(), ..seen })
}

/// Values for those parameters of a contract that are numbers, truths or bytes.
fn values(artifact: &Artifact, case: u64) -> BTreeMap<String, AbiValue> {
    let number = [0, 1, -1, 7, 144, 1 << 31, i128::MAX].get(usize::try_from(case / 4 % 7).unwrap_or(0));
    let bytes = [0, 20, 32, 33, 1, 64].map(|len| Value::Bytes(vec![7; len]));
    let tries: Vec<Value> =
        number.map(|n| Value::Int(*n)).into_iter().chain([Value::Bool(true)]).chain(bytes).collect();
    let value = |slot: &Slot| tries.iter().find_map(|value| slot.ty.encode(value).ok());
    artifact.params.iter().filter_map(|slot| Some((slot.name.clone(), value(slot)?))).collect()
}
