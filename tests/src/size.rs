//! How large scripts are: the contracts of `tests/codegen/rival` beside what others make of the same policies, and the
//! contracts of the examples and of the standard library.
//!
//! The figures for others are those of a compiler of another language, and of scripts that people wrote for the same
//! values of the parameters. The best script that is known for each stands beside its source, as words; it has to do
//! what the lines of the source say.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use driver::{Compiled, MemoryWorld, Options};
use spec::RuleSet;
use spec::artifact::{Artifact, Level, Part, Piece};

use crate::by_hand::ByHand;
use crate::lines::{Ran, compile_named, run_lines, run_sealed};

/// A contract of `tests/codegen/rival`.
pub struct Rival {
    /// The name of its file.
    pub name: &'static str,
    /// The length of the other compiler's script, in bytes.
    pub rival: usize,
    /// The length of the script that was written by hand.
    pub hand: usize,
}

const fn rival(name: &'static str, rival: usize, hand: usize) -> Rival {
    Rival { name, rival, hand }
}

/// The corpus, in order.
pub const RIVALS: [Rival; 15] = [
    rival("announcement", 153, 64),
    rival("bonding_curve", 173, 94),
    rival("escrow_covenant", 115, 96),
    rival("ft_sale_fixed", 119, 88),
    rival("hodl_vault", 106, 92),
    rival("htlc", 139, 115),
    rival("last_will", 142, 102),
    rival("loop_sum", 75, 64),
    rival("mecenas", 127, 96),
    rival("nft_counter", 68, 64),
    rival("p2pkh", 25, 25),
    rival("revenue_share", 224, 108),
    rival("split2", 101, 67),
    rival("split5", 250, 110),
    rival("transfer_with_timeout", 98, 81),
];

/// All scripts written by hand, without those that compare constants and recipients by their hash.
const HAND_WITHOUT_HASHES: usize = 1_511;
/// All whole unlocking scripts of the costliest paths: the other compiler's, and those of the scripts by hand.
const INPUTS: (usize, usize) = (2_719, 2_064);

/// What a contract takes, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// The best script that is known.
    pub best: usize,
    /// The script of the default level, its holes filled.
    pub template: usize,
    /// The script of the default level with the values of all parameters built in.
    pub default: usize,
    /// The script with the values of all parameters built in.
    pub sealed: usize,
    /// The same without hashes of constants.
    pub whole: usize,
    /// The longest unlocking script of an accepted transaction, with the sealed script in it.
    pub input: usize,
    /// The most operation cost of an accepted transaction, with the sealed script.
    pub cost: u64,
}

impl Size {
    /// What the contract of a source takes, by the transactions that its lines accept as templates and as sealed.
    #[must_use]
    pub fn of(text: &str, compiled: &Compiled, rules: RuleSet) -> Self {
        let script = |ran: &Ran| ran.spends.iter().map(|spend| spend.redeem_len).max().unwrap_or_default();
        let options = Options { rules, level: Level::Os, ..Options::default() };
        let run = |options: &Options| run_sealed(text, compiled, options);
        let sealed = run(&options);
        let accepted = || sealed.spends.iter().filter_map(|spend| Some((spend, spend.verdict.as_ref().ok()?)));
        let inputs = accepted().flat_map(|(spend, _)| spend.own.iter().map(|at| spend.tx.inputs[*at].unlock.len()));
        Self {
            best: 0,
            template: script(&run_lines(text, compiled, rules)),
            default: script(&run(&Options { level: Level::default(), ..options })),
            sealed: script(&sealed),
            whole: script(&run(&Options { whole_constants: true, ..options })),
            input: inputs.max().unwrap_or_default(),
            cost: accepted().map(|(_, cost)| *cost).max().unwrap_or_default(),
        }
    }
}

/// Where the source of a contract of the corpus is.
#[must_use]
pub fn rival_source(root: &Path, name: &str) -> PathBuf {
    root.join("tests/codegen/rival").join(format!("{name}.bmc"))
}

/// The best script that is known for a contract of the corpus.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn rival_by_hand(root: &Path, name: &str) -> ByHand {
    let text = fs::read_to_string(rival_source(root, name).with_extension("asm")).unwrap();
    ByHand::parse(&text, RuleSet::Bch2026).unwrap()
}

/// What each contract of the corpus takes.
///
/// # Panics
/// If a source is missing or does not compile.
#[must_use]
pub fn rival_sizes(root: &Path) -> Vec<(&'static Rival, Size)> {
    let rules = RuleSet::Bch2026;
    let size = |rival: &'static Rival| {
        let text = fs::read_to_string(rival_source(root, rival.name)).unwrap();
        let compiled = compile_named(rival.name, &text, rules);
        let size = Size::of(&text, &compiled, rules);
        (rival, Size { best: rival_by_hand(root, rival.name).len(), ..size })
    };
    RIVALS.iter().map(size).collect()
}

/// The table of the corpus, as text.
#[must_use]
pub fn rival_table(sizes: &[(&Rival, Size)]) -> String {
    let total = |of: fn(&(&Rival, Size)) -> usize| sizes.iter().map(of).sum::<usize>();
    let sum = Size {
        best: total(|(_, size)| size.best),
        template: total(|(_, size)| size.template),
        default: total(|(_, size)| size.default),
        whole: total(|(_, size)| size.whole),
        sealed: total(|(_, size)| size.sealed),
        input: total(|(_, size)| size.input),
        cost: sizes.iter().map(|(_, size)| size.cost).sum(),
    };
    let (rival, hand) = (total(|(rival, _)| rival.rival), total(|(rival, _)| rival.hand));
    let mut out =
        row("bytes", ["rival", "hand", "best", "template", "O1", "Os", "whole", "input", "cost"].map(str::to_owned));
    for (rival, size) in sizes {
        out += &row(rival.name, figures(rival.rival, rival.hand, size));
    }
    out += &row("all", figures(rival, hand, &sum));
    let larger: Vec<&str> =
        sizes.iter().filter(|(rival, size)| size.sealed > rival.rival).map(|(rival, _)| rival.name).collect();
    let larger = if larger.is_empty() { "none".to_owned() } else { larger.join(", ") };
    let (sealed, whole, input, (rival, by_hand)) = (sum.sealed, sum.whole, sum.input, INPUTS);
    out + &format!(
        "\nsealed scripts at Os: {sealed}; by hand {hand}\n\
         without hashes of constants: {whole}; by hand {HAND_WITHOUT_HASHES}\n\
         whole inputs: {input}; the rival's {rival}, by hand {by_hand}\n\
         larger than the rival's: {larger}\n"
    )
}

fn figures(rival: usize, hand: usize, size: &Size) -> [String; 9] {
    let Size { best, template, default, sealed, whole, input, cost } = *size;
    let [rival, hand, best, template, default, sealed, whole, input] =
        [rival, hand, best, template, default, sealed, whole, input].map(|bytes| bytes.to_string());
    [rival, hand, best, template, default, sealed, whole, input, cost.to_string()]
}

fn row(name: &str, figures: [String; 9]) -> String {
    let figures: String = figures.iter().map(|figure| format!("{figure:>10}")).collect();
    format!("{name:<22}{figures}\n")
}

/// The sizes of all contracts of the examples and of the standard library, as text.
///
/// # Panics
/// If a source is missing or does not compile.
#[must_use]
pub fn own_table(root: &Path) -> String {
    let mut out = format!("{:<60}{:>6}{:>7}{:>10}\n", "contract", "code", "holes", "cost");
    for (place, sources) in programs(root) {
        for artifact in &compile_all(&sources).artifacts {
            let name = format!("{place} {}", artifact.contract);
            let (code, holes) = code_and_holes(artifact);
            let bounds: Option<Vec<u64>> = artifact.paths.iter().map(|path| path.cost_bound).collect();
            let cost = bounds.and_then(|bounds| bounds.into_iter().max());
            let cost = cost.map_or_else(|| "unbounded".to_owned(), |cost| cost.to_string());
            writeln!(out, "{name:<60}{code:>6}{holes:>7}{cost:>10}").unwrap();
        }
    }
    out
}

/// The bytes that each contract takes at each level up to the highest, without its holes: the corpus, the examples and the
/// standard library.
pub struct ByLevel {
    levels: Vec<Level>,
    rows: Vec<(String, Vec<Option<usize>>)>,
}

impl ByLevel {
    /// Compiles everything at every level up to `top`.
    ///
    /// # Panics
    /// If a source is missing or does not compile.
    #[must_use]
    pub fn measure(root: &Path, top: Level) -> Self {
        let levels: Vec<Level> = Level::ALL.into_iter().filter(|level| *level <= top).collect();
        let mut places = programs(root);
        places.extend(RIVALS.iter().map(|rival| {
            let text = fs::read_to_string(rival_source(root, rival.name)).unwrap();
            ("rival".to_owned(), BTreeMap::from([(format!("{}.bmc", rival.name), text)]))
        }));
        let mut rows = Vec::new();
        for (place, sources) in places {
            // A budget that a source sets itself may be too small for direct code: there is no figure then.
            let at = |level: &Level| -> BTreeMap<String, usize> {
                let options = Options { rules: RuleSet::Bch2026, level: *level, ..Options::default() };
                let artifacts = compiled(&sources, &options).artifacts;
                artifacts.into_iter().map(|one| (one.contract.clone(), code_and_holes(&one).0)).collect()
            };
            let by_level: Vec<BTreeMap<String, usize>> = levels.iter().map(at).collect();
            for contract in by_level.last().into_iter().flat_map(BTreeMap::keys) {
                let bytes = by_level.iter().map(|scripts| scripts.get(contract).copied()).collect();
                rows.push((format!("{place} {contract}"), bytes));
            }
        }
        rows.sort();
        Self { levels, rows }
    }

    /// As a table.
    #[must_use]
    pub fn table(&self) -> String {
        let row = |name: &str, cells: Vec<String>| {
            let cells: String = cells.iter().map(|cell| format!("{cell:>8}")).collect();
            format!("{name:<60}{cells}\n")
        };
        let word = |bytes: &Option<usize>| bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        let words = |bytes: &[Option<usize>]| bytes.iter().map(word).collect();
        let whole = || self.rows.iter().filter(|(_, bytes)| bytes.iter().all(Option::is_some));
        let sums: Vec<Option<usize>> =
            (0..self.levels.len()).map(|at| whole().map(|(_, bytes)| bytes[at]).sum()).collect();
        let mut out = row("bytes by level", self.levels.iter().map(ToString::to_string).collect());
        self.rows.iter().for_each(|(name, bytes)| out += &row(name, words(bytes)));
        out + &row("all with every figure", words(&sums))
    }

    /// The contracts that are longer at a level than at the one below.
    #[must_use]
    pub fn longer(&self) -> Vec<String> {
        let is_longer = |bytes: &[Option<usize>]| {
            let known: Vec<usize> = bytes.iter().copied().flatten().collect();
            !known.is_sorted_by(|below, above| below >= above)
        };
        self.rows
            .iter()
            .filter(|(_, bytes)| is_longer(bytes))
            .map(|(name, bytes)| format!("{name}: {bytes:?}"))
            .collect()
    }
}

/// The bytes of a script without its holes, and their number.
fn code_and_holes(artifact: &Artifact) -> (usize, usize) {
    artifact.bytecode.iter().fold((0, 0), |(code, holes), piece| match piece {
        Piece::Code(bytes) => (code + bytes.len(), holes),
        Piece::Param(_) => (code, holes + 1),
        Piece::Push(parts) => {
            let inside = parts.iter().filter(|part| matches!(part, Part::Param(_))).count();
            (code + parts.iter().map(|part| part.len(|_| 0)).sum::<usize>(), holes + inside)
        }
    })
}

/// The sources of each example and of each module of the library, by the names of their files.
fn programs(root: &Path) -> Vec<(String, BTreeMap<String, String>)> {
    let mut folders: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for folder in fs::read_dir(root.join("examples")).unwrap() {
        let folder = folder.unwrap().path();
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        let Ok(files) = fs::read_dir(&folder) else { continue };
        let paths = files.map(|file| file.unwrap().path());
        let sources = paths.filter(|path| path.extension().is_some_and(|extension| extension == "bmc"));
        let sources = sources.map(|path| (name(&path), fs::read_to_string(&path).unwrap())).collect();
        folders.insert(name(&folder), sources);
    }
    let module = |(path, text): (String, &'static str)| {
        let name = Path::new(&path).file_stem().unwrap().to_string_lossy().into_owned();
        (format!("stdlib/{name}"), BTreeMap::from([(format!("{name}.bmc"), text.to_owned())]))
    };
    let examples = folders.into_iter().map(|(name, sources)| (format!("examples/{name}"), sources));
    examples.chain(driver::library().map(module)).collect()
}

fn compile_all(sources: &BTreeMap<String, String>) -> Compiled {
    let compiled = compiled(sources, &Options { rules: RuleSet::Bch2026, ..Options::default() });
    assert!(compiled.diagnostics.is_empty(), "{}", compiled.to_json());
    compiled
}

fn compiled(sources: &BTreeMap<String, String>, options: &Options) -> Compiled {
    let world = MemoryWorld::new(sources.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    let roots: Vec<String> = sources.keys().cloned().collect();
    driver::compile(&world, &roots, options)
}
