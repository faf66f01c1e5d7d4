//! Random programs at every level, against their direct evaluation and against each other.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "what fails here fails a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use spec::RuleSet;
use spec::artifact::{Artifact, Level};
use vm::ScriptError;

use crate::draw::Draw;
use crate::program::{Bring, Program};
use crate::spend::{Spend, artifact};

/// Of so many of the transactions that were accepted others are made.
const KEPT_MAX: usize = 16;

/// One random program with random transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// What is drawn.
    pub seed: u64,
    /// How many statements each path has.
    pub size: usize,
    /// How many paths there are.
    pub paths: usize,
    /// How many transactions.
    pub transactions: usize,
    /// The highest level; with [`Level::Oz`] a trial takes some seconds.
    pub top: Level,
}

/// What came of trials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Programs that compiled.
    pub programs: usize,
    /// Programs with several paths.
    pub branching: usize,
    /// Programs with functions that calls share.
    pub sharing: usize,
    /// Transactions, each with one program.
    pub pairs: usize,
    /// Pairs that the direct evaluation accepts.
    pub accepted: usize,
    /// Pairs that it refuses.
    pub refused: usize,
    /// Pairs of which it does not know.
    pub unsure: usize,
    /// Pairs for which some script runs into a limit of the rules.
    pub limited: usize,
    /// Paths whose cost has a bound, which no run exceeded.
    pub bounded: usize,
    /// What holds for each level.
    pub levels: BTreeMap<Level, OfLevel>,
}

/// What came of one level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfLevel {
    /// The bytes of all scripts.
    pub bytes: usize,
    /// Scripts that are the direct code, since better code was not proved.
    pub unproved: usize,
    /// Scripts that are shorter than those of the level below.
    pub shorter: usize,
    /// Pairs that it accepts.
    pub accepted: usize,
    /// Pairs that it refuses.
    pub refused: usize,
}

/// The script of a level.
struct Compiled {
    level: Level,
    bytes: usize,
    artifact: Artifact,
}

impl Trial {
    /// Compiles the program at every level up to the highest and runs all scripts.
    ///
    /// # Errors
    /// What two of them, or one and the evaluation, do not agree on.
    ///
    /// # Panics
    /// If the compiler does, or if it refuses the program for another reason than its length.
    pub fn run(&self) -> Result<Counts, String> {
        self.compare().map_err(|why| format!("{why}\n{self:?}"))
    }

    fn compare(&self) -> Result<Counts, String> {
        let mut draw = Draw::new(self.seed);
        let program = Program::draw(&mut draw, self.size, self.paths);
        let mut counts = Counts::default();
        let compiled = self.compile(&program, &mut counts)?;
        if compiled.is_empty() {
            return Ok(counts);
        }
        counts.programs = 1;
        counts.branching = usize::from(self.paths > 1);
        counts.sharing = usize::from(compiled.iter().any(|one| !one.artifact.functions.is_empty()));
        counts.bounded = compiled.iter().flat_map(|one| &one.artifact.paths).filter_map(|path| path.cost_bound).count();
        let mut kept: Vec<Bring> = Vec::new();
        for number in 0..self.transactions {
            let bring = match kept.len() {
                0 => Bring::draw(&mut draw),
                // Most are close to one that was accepted.
                _ if number % 8 == 0 => Bring::draw(&mut draw),
                count => kept[draw.below(count)].changed(&mut draw),
            };
            let set = if number % 2 == 0 { RuleSet::Bch2026 } else { RuleSet::Bitmodel };
            let is_accepted = pair(&program, &compiled, &bring, set, &mut counts)
                .map_err(|why| format!("{why}\n{bring:?} under {set:?}"))?;
            if is_accepted {
                let at = draw.below(KEPT_MAX);
                match kept.get_mut(at) {
                    Some(old) => *old = bring,
                    None => kept.push(bring),
                }
            }
        }
        Ok(counts)
    }

    fn compile(&self, program: &Program, counts: &mut Counts) -> Result<Vec<Compiled>, String> {
        let mut compiled: Vec<Compiled> = Vec::new();
        for level in Level::ALL.into_iter().filter(|level| *level <= self.top) {
            let Some(generated) = program.generated(level) else {
                // A program that fits at one level fits at those above.
                return if compiled.is_empty() { continue } else { Err(format!("too long at {level}")) };
            };
            let bytes = generated.code_bytes();
            let of = counts.levels.entry(level).or_default();
            of.bytes += bytes;
            of.unproved += usize::from(generated.unproved.is_some());
            if let Some(below) = compiled.last() {
                of.shorter += usize::from(bytes < below.bytes);
                if bytes > below.bytes {
                    let (of_level, of_below) = (&generated.asm, &below.artifact.asm);
                    let below = format!("{} bytes at {}", below.bytes, below.level);
                    return Err(format!("{bytes} bytes at {level}, {below}:\n{of_level}\n{of_below}"));
                }
            }
            compiled.push(Compiled { level, bytes, artifact: artifact("Random", generated) });
        }
        Ok(compiled)
    }
}

/// Runs all scripts with one transaction; whether they accept it.
fn pair(
    program: &Program,
    compiled: &[Compiled],
    bring: &Bring,
    set: RuleSet,
    counts: &mut Counts,
) -> Result<bool, String> {
    counts.pairs += 1;
    let expected: Vec<Option<bool>> = (0..program.paths()).map(|at| program.accepts(at, bring)).collect();
    let any =
        if expected.contains(&Some(true)) { Some(true) } else { expected.iter().all(Option::is_some).then_some(false) };
    match any {
        Some(true) => counts.accepted += 1,
        Some(false) => counts.refused += 1,
        None => counts.unsure += 1,
    }
    let mut verdicts = BTreeMap::new();
    for one in compiled {
        let mut accepts = false;
        for (at, expected) in expected.iter().enumerate() {
            let name = Program::path_name(at);
            let args = program.args(at, bring);
            let spend = Spend { args, outputs: bring.outputs(), ..Spend::new(&one.artifact, &name) };
            let verdict = spend.verdict(set);
            if verdict.is_err_and(is_limit) {
                counts.limited += 1;
                return Ok(false);
            }
            // Who is told apart by what he demands may take the path of another one whose demands he meets.
            let wrong = match (verdict.is_ok(), expected, any) {
                (true, Some(false), Some(false)) => "is accepted",
                (false, Some(true), _) => "is refused",
                _ => "",
            };
            if !wrong.is_empty() {
                return Err(format!("{name} {wrong} at {}: {verdict:?}\n{}", one.level, one.artifact.asm));
            }
            let bound = one.artifact.paths[at].cost_bound.filter(|_| set == RuleSet::Bch2026);
            if let (Ok(cost), Some(bound)) = (verdict, bound)
                && cost > bound
            {
                return Err(format!("cost {cost} above its bound {bound} at {}: {}", one.level, one.artifact.asm));
            }
            accepts |= verdict.is_ok();
        }
        let of = counts.levels.entry(one.level).or_default();
        if accepts {
            of.accepted += 1
        } else {
            of.refused += 1
        }
        verdicts.insert(one.level, accepts);
    }
    let distinct: BTreeSet<bool> = verdicts.values().copied().collect();
    if distinct.len() > 1 {
        let scripts: Vec<String> = compiled.iter().map(|one| format!("{}: {}", one.level, one.artifact.asm)).collect();
        return Err(format!("levels do not agree: {verdicts:?}\n{}", scripts.join("\n")));
    }
    Ok(distinct.contains(&true))
}

/// Whether a script fails for what no direct evaluation counts.
pub fn is_limit(error: ScriptError) -> bool {
    matches!(
        error,
        ScriptError::CostLimit
            | ScriptError::HashLimit
            | ScriptError::SlotLimit
            | ScriptError::MemoryLimit
            | ScriptError::ItemSize
            | ScriptError::ScriptSize
    )
}

impl Counts {
    /// Adds those of others.
    pub fn add(&mut self, other: &Self) {
        self.programs += other.programs;
        self.branching += other.branching;
        self.sharing += other.sharing;
        self.pairs += other.pairs;
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.unsure += other.unsure;
        self.limited += other.limited;
        self.bounded += other.bounded;
        for (level, other) in &other.levels {
            let of = self.levels.entry(*level).or_default();
            of.bytes += other.bytes;
            of.unproved += other.unproved;
            of.shorter += other.shorter;
            of.accepted += other.accepted;
            of.refused += other.refused;
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { programs, branching, sharing, pairs, accepted, refused, unsure, limited, .. } = self;
        writeln!(f, "{programs} programs, {branching} of several paths, {sharing} with shared functions")?;
        writeln!(f, "{pairs} pairs: {accepted} accepted, {refused} refused, {unsure} compared between levels alone")?;
        writeln!(f, "{limited} pairs run into a limit of the rules")?;
        for (level, OfLevel { bytes, unproved, shorter, accepted, refused }) in &self.levels {
            writeln!(
                f,
                "{level}: {bytes} bytes, {shorter} shorter than below, {unproved} not proved; \
                 {accepted} accepted, {refused} refused"
            )?;
        }
        Ok(())
    }
}
