//! What is debugged: a transaction with what it spends, the contracts of its inputs, and their sources.

use std::path::{Path, PathBuf};

use clap::Args;
use debugger::{Recording, Subject};
use driver::Compiled;
use spec::artifact::SourceFile;
use spec::hash::sha256;
use spec::{Artifact, Mode, RuleSet, Rules, SpendContext, Transaction, TxOut, Txid};
use tester::{Choice, Made, Played, played};

use crate::command::run::case::Case;
use crate::command::run::places;
use crate::command::{test, verify};
use crate::fail::Fail;
use crate::link::{Link, NodeArgs};
use crate::onchain;
use crate::project::{self, TargetArgs};

/// What to debug.
#[derive(Args)]
pub(crate) struct Wanted {
    /// A transaction's id or hexadecimal digits, a script in digits or words, or a file with either.
    #[arg(value_name = "TXID|TXHEX|SCRIPT", required_unless_present = "test", conflicts_with = "test")]
    what: Option<String>,
    /// A test, by a part of its `file::name`.
    #[arg(long, value_name = "NAME")]
    test: Option<String>,
    /// Which of the test's transactions, from 1 [default: the last; that which fails, if one does].
    #[arg(long, value_name = "N", requires = "test")]
    transaction: Option<usize>,
    /// The seed of a property's case.
    #[arg(long, value_name = "SEED", requires = "test", value_parser = test::seed)]
    replay: Option<u64>,
    /// The sources, files or folders; tests stand there, and the texts of contracts.
    #[arg(long, value_name = "PATH", default_value = ".")]
    file: Vec<PathBuf>,
    /// What the script's input pushes, in digits or words.
    #[arg(long, value_name = "SCRIPT", allow_hyphen_values = true)]
    unlock: Option<String>,
    /// An output that the transaction spends, in the order of its inputs; or all of them as one list, in digits.
    #[arg(long, value_name = "SATS:LOCK", allow_hyphen_values = true)]
    spent: Vec<String>,
    /// The artifact of the contract that the input spends.
    #[arg(long, value_name = "FILE")]
    artifact: Option<PathBuf>,
    /// The input, from 0 [default: the first that spends a known contract].
    #[arg(long, value_name = "N")]
    input: Option<usize>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    node: NodeArgs,
    /// What the first word is, if somebody has said that.
    #[arg(skip)]
    meaning: Option<Meaning>,
}

/// What the words of a configuration name, where a command line only has a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A transaction, by its digits.
    Digits,
    /// A transaction of a node, by its id.
    Txid,
    /// A script.
    Script,
}

/// A run that was recorded, with what people want to know of it.
pub(crate) struct Recorded {
    pub(crate) recording: Recording,
    /// What stands above it all.
    pub(crate) title: String,
    pub(crate) tx: Transaction,
    pub(crate) spent: Vec<TxOut>,
    pub(crate) input: usize,
    /// The contract, where it is known.
    pub(crate) artifact: Option<Artifact>,
    pub(crate) texts: Texts,
}

impl Wanted {
    /// The same, but the first word is nothing else than this, whatever it looks like.
    pub(crate) fn meaning(self, meaning: Option<Meaning>) -> Self {
        Self { meaning, ..self }
    }

    /// Runs what is wanted; `report` tells what the compiler says of the sources of a test, and fails if that is an error.
    pub(crate) fn record(&self, report: &dyn Fn(&Compiled) -> Result<(), Fail>) -> Result<Recorded, Fail> {
        let mut target = self.target(report)?;
        let input = target.input(self.input)?;
        let title = target.title(input);
        let artifact = target.artifacts.get_mut(input).and_then(Option::take);
        let known = artifact.as_ref().map(|artifact| artifact.rules);
        let rules = Rules::new(self.target.named_rules().or(known).unwrap_or(RuleSet::Bitmodel), Mode::Consensus);
        let Target { tx, spent, .. } = target;
        let context = SpendContext::new(&tx, &spent)
            .ok_or_else(|| Fail::usage("a transaction spends one output for each input"))?;
        let texts = Texts::of(artifact.as_ref(), &self.file);
        let subject =
            Subject { rules: &rules, context: &context, input, artifact: artifact.as_ref(), sources: &texts.texts };
        let recording = Recording::of(&subject);
        if recording.is_empty() {
            let why = recording.end().reason().map(|why| format!(": {why}")).unwrap_or_default();
            return Err(Fail::refused(format!("there is nothing to step through, since no instruction runs{why}")));
        }
        Ok(Recorded { recording, title, tx, spent, input, artifact, texts })
    }

    fn target(&self, report: &dyn Fn(&Compiled) -> Result<(), Fail>) -> Result<Target, Fail> {
        if let Some(name) = &self.test {
            let compiled = project::compile(&self.file, self.target)?;
            report(&compiled)?;
            return Target::of_test(&compiled, name, self.transaction, self.replay);
        }
        let what = self.what.as_deref().unwrap_or_default();
        let artifact = self.artifact.as_deref().map(verify::artifact).transpose()?;
        if let Some(txid) = self.txid(what)? {
            return Target::of_node(&self.node.link(), txid, artifact);
        }
        Ok(Target::given(self.case(what)?, artifact))
    }

    /// The transaction of a node that is wanted, if one is.
    fn txid(&self, what: &str) -> Result<Option<Txid>, Fail> {
        let is_alone = self.spent.is_empty() && self.unlock.is_none();
        match (self.meaning, what.parse()) {
            (None | Some(Meaning::Txid), Ok(txid)) if is_alone => Ok(Some(txid)),
            (Some(Meaning::Txid), Ok(_)) => {
                Err(Fail::usage("`txid` names a transaction of a node, which knows what it spends")
                    .help("leave out `coins` and `unlock`"))
            }
            (Some(Meaning::Txid), Err(_)) => Err(Fail::usage("`txid` is no id of a transaction")
                .help("an id has 64 hexadecimal digits; those of the transaction itself are its `transactionHex`")),
            _ => Ok(None),
        }
    }

    /// The transaction or the script that is wanted.
    fn case(&self, what: &str) -> Result<Case, Fail> {
        let (rules, unlock) = (self.target.rules(), self.unlock.as_deref());
        match self.meaning {
            Some(Meaning::Script) if !self.spent.is_empty() => {
                Err(Fail::usage("`coins` are what a transaction spends, and `script` is none")
                    .help("leave out `coins`: a coin is made up for the script"))
            }
            Some(Meaning::Script) => {
                let lock = onchain::script(&onchain::text_of(what)?, rules)?;
                Ok(Case::of_script(lock, onchain::script(unlock.unwrap_or_default(), rules)?))
            }
            Some(Meaning::Digits) => {
                let about = |fail: Fail| Fail { message: format!("`transactionHex`: {}", fail.message), ..fail };
                let bytes = onchain::digits(&onchain::text_of(what)?).map_err(about)?;
                let tx = onchain::decode(&bytes).map_err(|broken| about(broken.into()))?;
                Case::of_transaction(tx, unlock, &self.spent, rules)
            }
            Some(Meaning::Txid) | None => Case::read(what, unlock, &self.spent, rules),
        }
    }
}

/// A transaction that can be debugged.
struct Target {
    tx: Transaction,
    spent: Vec<TxOut>,
    /// The contract of each input, where it is known.
    artifacts: Vec<Option<Artifact>>,
    /// Where the transaction comes from.
    from: String,
}

impl Target {
    /// What the command line gives.
    fn given(Case { tx, spent }: Case, artifact: Option<Artifact>) -> Self {
        let artifacts = vec![artifact; tx.inputs.len()];
        Self { tx, spent, artifacts, from: String::new() }
    }

    /// A transaction that a node knows.
    fn of_node(link: &Link, txid: Txid, artifact: Option<Artifact>) -> Result<Self, Fail> {
        let tx = onchain::transaction(link, &txid)?;
        let mut spent = Vec::with_capacity(tx.inputs.len());
        for input in &tx.inputs {
            if tx.is_coinbase() {
                return Err(Fail::refused(format!("{txid} is a coinbase: it spends nothing")));
            }
            let index = usize::try_from(input.prevout.index).unwrap_or(usize::MAX);
            spent.push(onchain::output(link, &input.prevout.txid, index)?);
        }
        let artifacts = match artifact {
            Some(artifact) => vec![Some(artifact); spent.len()],
            None => spent.iter().map(|output| onchain::contract(link, &output.lock)).collect::<Result<_, _>>()?,
        };
        Ok(Self { tx, spent, artifacts, from: String::new() })
    }

    /// A transaction that a test makes.
    fn of_test(compiled: &Compiled, name: &str, transaction: Option<usize>, replay: Option<u64>) -> Result<Self, Fail> {
        let choice = Choice { filters: vec![name.to_owned()], replay, ..Choice::default() };
        let found = played(compiled, &choice);
        let story = match found.as_slice() {
            [] => {
                return Err(Fail::usage(format!("no test has a name with `{name}`"))
                    .help("`bmc test` tells the names of all tests"));
            }
            [only] => only,
            several => {
                let exact =
                    several.iter().find(|story| story.name == name || story.name.ends_with(&format!("::{name}")));
                let names: Vec<&str> = several.iter().map(|story| story.name.as_str()).collect();
                exact
                    .ok_or_else(|| Fail::usage(format!("`{name}` is a part of several names: {}", names.join(", "))))?
            }
        };
        let count = story.made.len();
        let number = transaction.unwrap_or(count);
        let made = number.checked_sub(1).and_then(|at| story.made.get(at)).ok_or_else(|| match count {
            0 => Fail::refused(format!("`{}` makes no transaction", story.name)),
            _ => Fail::usage(format!("`{}` makes {count} transactions, and there is no number {number}", story.name)),
        })?;
        Ok(Self::made(compiled, story, number, made))
    }

    fn made(compiled: &Compiled, story: &Played, number: usize, made: &Made) -> Self {
        let own = |name: &Option<String>| name.as_deref().and_then(|name| story.program.artifact(name)).cloned();
        let artifacts = made.contracts.iter().map(own).collect();
        let line = compiled.places.resolve(&made.loc).map(|place| place.line).unwrap_or_default();
        let count = story.made.len();
        let from = format!("{}, line {line}, transaction {number} of {count}", story.name);
        Self { tx: made.tx.clone(), spent: made.spent.clone(), artifacts, from }
    }

    /// The input that is wanted, or the first whose contract is known.
    fn input(&self, wanted: Option<usize>) -> Result<usize, Fail> {
        let count = self.tx.inputs.len();
        match wanted {
            None => Ok(self.artifacts.iter().position(Option::is_some).unwrap_or(0)),
            Some(input) if input < count => Ok(input),
            Some(input) => Err(Fail::usage(format!("there is no input {input}"))
                .help(format!("the transaction has {count}, and the first is 0"))),
        }
    }

    /// What stands above it all.
    fn title(&self, input: usize) -> String {
        let contract = self.artifacts.get(input).and_then(Option::as_ref).map(|artifact| artifact.contract.as_str());
        let of = if self.from.is_empty() { format!("transaction {}", self.tx.txid()) } else { self.from.clone() };
        let count = self.tx.inputs.len();
        contract.map_or_else(String::new, |name| format!("{name}: ")) + &format!("input {input} of {count}, {of}")
    }
}

/// The text of a source of the library, if it is the one that was compiled.
fn of_library(source: &SourceFile) -> Option<String> {
    let (_, text) = driver::library().find(|(path, _)| *path == source.path)?;
    (hex::encode(sha256(text.as_bytes())) == source.sha256).then(|| text.to_owned())
}

/// The sources of a contract.
pub(crate) struct Texts {
    /// By their numbers in the artifact; nothing where the file is not here as it was compiled.
    pub(crate) texts: Vec<Option<String>>,
    paths: Vec<String>,
    /// The files that they were read from.
    files: Vec<Option<PathBuf>>,
}

impl Texts {
    /// Those of `artifact` that lie below the current folder, or below one of `folders`, or are of the library.
    fn of(artifact: Option<&Artifact>, folders: &[PathBuf]) -> Self {
        let mut texts = Self { texts: Vec::new(), paths: Vec::new(), files: Vec::new() };
        for source in artifact.into_iter().flat_map(|artifact| &artifact.sources) {
            let mut folders = std::iter::once(Path::new("")).chain(folders.iter().map(PathBuf::as_path));
            let found = folders.find_map(|folder| Some((places::text(source, folder)?, folder.join(&source.path))));
            let (text, file) = found.unzip();
            texts.texts.push(text.or_else(|| of_library(source)));
            texts.paths.push(source.path.clone());
            texts.files.push(file);
        }
        texts
    }

    /// The name of a source.
    pub(crate) fn path(&self, file: usize) -> Option<&str> {
        self.paths.get(file).map(String::as_str)
    }

    /// The lines of a source, if it is here.
    pub(crate) fn lines(&self, file: usize) -> Option<Vec<&str>> {
        self.texts.get(file)?.as_deref().map(|text| text.lines().collect())
    }

    /// The name of each source, its text if it is here, and the file that has it.
    pub(crate) fn into_sources(self) -> impl Iterator<Item = (String, Option<String>, Option<PathBuf>)> {
        let named = self.paths.into_iter().zip(self.texts).zip(self.files);
        named.map(|((path, text), file)| (path, text, file))
    }
}
