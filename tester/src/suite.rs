//! All tests of a compilation, on several threads.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use driver::{Compiled, Test};
use spec::Artifact;
use wallet::Program;

use crate::coverage::{Coverage, Seen, coverage};
use crate::fault::Fault;
use crate::property::{self, Counterexample, attempt, seeds};
use crate::run::{self, Made, Spending};
use crate::world::Story;

/// Which tests to run, and how.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Only tests whose `file::name` contains one of these; all, if there is none.
    pub filters: Vec<String>,
    /// How many cases each property is tried with.
    pub cases: u32,
    /// What the cases are made from.
    pub seed: u64,
    /// The seed of the only case to try.
    pub replay: Option<u64>,
    /// On how many threads.
    pub threads: NonZeroUsize,
}

impl Default for Choice {
    fn default() -> Self {
        Self { filters: Vec::new(), cases: property::CASES, seed: 0, replay: None, threads: NonZeroUsize::MIN }
    }
}

/// What became of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The file it stands in.
    pub file: String,
    /// Its line there, from 1.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// How many cases were tried; none for a test without parameters.
    pub cases: Option<u32>,
    /// How many cases have each label of `classify`, in the order of the source.
    pub labels: Vec<(String, u32)>,
    /// The valid transactions; those of a property's first case.
    pub spendings: Vec<Spending>,
    /// The verdict.
    pub verdict: Verdict,
}

/// Whether a test passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Passed,
    /// It does not.
    Failed {
        /// Why.
        fault: Box<Fault>,
        /// For a property, the values.
        counterexample: Option<Counterexample>,
    },
}

impl Outcome {
    /// How a filter names it.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}::{}", self.file.strip_suffix(".bmc").unwrap_or(&self.file), self.name)
    }

    /// Whether it passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.verdict == Verdict::Passed
    }

    /// The bytes of its transactions.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.spendings.iter().map(|spending| spending.bytes).sum()
    }

    /// The operation cost of its contracts' inputs.
    #[must_use]
    pub fn cost(&self) -> u64 {
        self.spendings.iter().map(|spending| spending.cost).sum()
    }
}

/// Runs the chosen tests; `done` is told after each how many have ended, of how many. Outcomes stand in source order.
///
/// ```
/// use driver::{MemoryWorld, Options, compile};
/// use tester::{Choice, run};
/// let source = r#"
///     contract Lock(key: PubKey) { spend open(sig: Sig) { require key.signed(sig), "not yours"; } }
///     test only_the_owner_opens {
///         let coin = chain.fund(Lock(alice), 1 coin);
///         fails "not yours" { coin.open(bob) }
///         passes { coin.open(alice) }
///     }
/// "#;
/// let world = MemoryWorld::new([("lock.bmc", source)]);
/// let compiled = compile(&world, &["lock.bmc".to_owned()], &Options::default());
/// let outcomes = run(&compiled, &Choice::default(), &|_, _| ());
/// assert!(outcomes[0].passed());
/// ```
#[must_use]
pub fn run(compiled: &Compiled, choice: &Choice, done: &(dyn Fn(usize, usize) + Sync)) -> Vec<Outcome> {
    all(compiled, choice, false, done).into_iter().map(|(outcome, _)| outcome).collect()
}

/// What the chosen tests run of the contracts in these files, whether they pass or not. Compile for it without
/// optimisation, where every branch of the source is one of the script.
#[must_use]
pub fn covered(compiled: &Compiled, choice: &Choice, files: &BTreeSet<String>) -> Vec<Coverage> {
    let mut seen = Seen::default();
    all(compiled, choice, true, &|_, _| ()).iter().for_each(|(_, one)| seen.absorb(one));
    coverage(compiled, files, &seen)
}

fn all(
    compiled: &Compiled,
    choice: &Choice,
    watched: bool,
    done: &(dyn Fn(usize, usize) + Sync),
) -> Vec<(Outcome, Seen)> {
    let jobs: Vec<Job<'_>> = compiled.tests.iter().map(|test| Job::of(compiled, test)).collect();
    let jobs: Vec<Job<'_>> = jobs.into_iter().filter(|job| job.is_chosen(choice)).collect();
    let mut programs: BTreeMap<&str, Program> = BTreeMap::new();
    for job in &jobs {
        programs.entry(&job.file).or_insert_with(|| program(compiled, &job.file));
    }
    let (next, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let found: Mutex<BTreeMap<usize, (Outcome, Seen)>> = Mutex::default();
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(at) else { break };
            let Some(program) = programs.get(job.file.as_str()) else { break };
            let story = Story { program, places: &compiled.places, test: job.test, watched };
            let outcome = job.run(story, choice);
            if let Ok(mut found) = found.lock() {
                found.insert(at, outcome);
            }
            done(ended.fetch_add(1, Ordering::Relaxed) + 1, jobs.len());
        }
    };
    std::thread::scope(|scope| {
        let threads = choice.threads.get().min(jobs.len());
        (1..threads).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    found.into_inner().unwrap_or_default().into_values().collect()
}

/// The transactions of a test, to look at them one by one.
#[derive(Clone, Debug)]
pub struct Played {
    /// As in [`Outcome::full_name`].
    pub name: String,
    /// In the order in which they are made; the last is the one that fails, if one does.
    pub made: Vec<Made>,
    /// The contracts that the test speaks of.
    pub program: Program,
}

/// The transactions of the chosen tests. A property has those of its failing case, simplified, or else of its first.
#[must_use]
pub fn played(compiled: &Compiled, choice: &Choice) -> Vec<Played> {
    let jobs = compiled.tests.iter().map(|test| Job::of(compiled, test)).filter(|job| job.is_chosen(choice));
    let play = |job: Job<'_>| {
        let program = program(compiled, &job.file);
        let story = Story { program: &program, places: &compiled.places, test: job.test, watched: false };
        let values = match job.run(story, choice).0.verdict {
            Verdict::Failed { counterexample: Some(example), .. } => example.given,
            _ => {
                let seed = choice.replay.or_else(|| seeds(choice.seed, &job.test.name, 1).next());
                property::made_up(job.test, seed.unwrap_or_default())
            }
        };
        let made = run::run(story, &values).made;
        Played { name: job.outcome().full_name(), made, program }
    };
    jobs.map(play).collect()
}

/// The contracts that the tests of a file speak of. Its own come first where another file has one of the same name.
fn program(compiled: &Compiled, file: &str) -> Program {
    let own = |artifact: &&Artifact| artifact.sources.first().is_some_and(|source| source.path == file);
    let others = compiled.artifacts.iter().filter(|artifact| !own(artifact));
    Program::new(others.chain(compiled.artifacts.iter().filter(own)).cloned())
}

struct Job<'c> {
    test: &'c Test,
    file: String,
    line: usize,
}

impl<'c> Job<'c> {
    fn of(compiled: &Compiled, test: &'c Test) -> Self {
        let place = compiled.places.resolve(&test.loc);
        let (file, line) = place.map_or_else(Default::default, |place| (place.path.to_string(), place.line));
        Self { test, file, line }
    }

    fn outcome(&self) -> Outcome {
        let (file, name) = (self.file.clone(), self.test.name.clone());
        Outcome {
            file,
            line: self.line,
            name,
            cases: None,
            labels: Vec::new(),
            spendings: Vec::new(),
            verdict: Verdict::Passed,
        }
    }

    fn is_chosen(&self, choice: &Choice) -> bool {
        let name = self.outcome().full_name();
        choice.filters.is_empty() || choice.filters.iter().any(|filter| name.contains(filter.as_str()))
    }

    fn run(&self, story: Story<'_>, choice: &Choice) -> (Outcome, Seen) {
        let mut outcome = self.outcome();
        if self.test.params.is_none() {
            let ran = run::run(story, &[]);
            outcome.spendings = ran.spendings;
            outcome.verdict = verdict(ran.fault.map(|fault| (fault, None)));
            return (outcome, ran.seen);
        }
        let tried = match choice.replay {
            Some(seed) => attempt(story, std::iter::once(seed)),
            None => attempt(story, seeds(choice.seed, &self.test.name, choice.cases)),
        };
        outcome.cases = Some(tried.cases);
        outcome.labels = tried.labels;
        outcome.spendings = tried.spendings;
        outcome.verdict = verdict(tried.failure.map(|(fault, example)| (fault, Some(example))));
        (outcome, tried.seen)
    }
}

fn verdict(failure: Option<(Fault, Option<Counterexample>)>) -> Verdict {
    match failure {
        None => Verdict::Passed,
        Some((fault, counterexample)) => Verdict::Failed { fault: Box::new(fault), counterexample },
    }
}
