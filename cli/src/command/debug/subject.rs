//! What is debugged: a transaction with what it spends, the contracts of its inputs, and their sources.

use std::path::{Path, PathBuf};

use driver::Compiled;
use spec::artifact::SourceFile;
use spec::hash::sha256;
use spec::{Artifact, RuleSet, Transaction, TxOut, Txid};
use tester::{Choice, Made, Played, played};

use crate::command::run::case::Case;
use crate::command::run::places;
use crate::fail::Fail;
use crate::link::Link;
use crate::onchain;

/// A transaction that can be debugged.
pub(super) struct Target {
    pub(super) tx: Transaction,
    pub(super) spent: Vec<TxOut>,
    /// The contract of each input, where it is known.
    pub(super) artifacts: Vec<Option<Artifact>>,
    /// Where the transaction comes from.
    from: String,
}

impl Target {
    /// What the command line gives.
    pub(super) fn given(
        what: &str,
        unlock: Option<&str>,
        spent: &[String],
        set: RuleSet,
        artifact: Option<Artifact>,
    ) -> Result<Self, Fail> {
        let Case { tx, spent } = Case::read(what, unlock, spent, set)?;
        let artifacts = vec![artifact; tx.inputs.len()];
        Ok(Self { tx, spent, artifacts, from: String::new() })
    }

    /// A transaction that a node knows.
    pub(super) fn of_node(link: &Link, txid: Txid, artifact: Option<Artifact>) -> Result<Self, Fail> {
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
    pub(super) fn of_test(
        compiled: &Compiled,
        name: &str,
        transaction: Option<usize>,
        replay: Option<u64>,
    ) -> Result<Self, Fail> {
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
    pub(super) fn input(&self, wanted: Option<usize>) -> Result<usize, Fail> {
        let count = self.tx.inputs.len();
        match wanted {
            None => Ok(self.artifacts.iter().position(Option::is_some).unwrap_or(0)),
            Some(input) if input < count => Ok(input),
            Some(input) => Err(Fail::usage(format!("there is no input {input}"))
                .help(format!("the transaction has {count}, and the first is 0"))),
        }
    }

    /// What stands above it all.
    pub(super) fn title(&self, input: usize) -> String {
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
pub(super) struct Texts {
    /// By their numbers in the artifact; nothing where the file is not here as it was compiled.
    pub(super) texts: Vec<Option<String>>,
    paths: Vec<String>,
}

impl Texts {
    /// Those of `artifact` that lie below the current folder, or below one of `folders`, or are of the library.
    pub(super) fn of(artifact: Option<&Artifact>, folders: &[PathBuf]) -> Self {
        let sources = artifact.map(|artifact| artifact.sources.as_slice()).unwrap_or_default();
        let here = Path::new(".");
        let text = |source: &SourceFile| {
            let mut folders = std::iter::once(here).chain(folders.iter().map(PathBuf::as_path));
            folders.find_map(|folder| places::text(source, folder)).or_else(|| of_library(source))
        };
        Self {
            texts: sources.iter().map(text).collect(),
            paths: sources.iter().map(|source| source.path.clone()).collect(),
        }
    }

    /// The name of a source.
    pub(super) fn path(&self, file: usize) -> Option<&str> {
        self.paths.get(file).map(String::as_str)
    }

    /// The lines of a source, if it is here.
    pub(super) fn lines(&self, file: usize) -> Option<Vec<&str>> {
        self.texts.get(file)?.as_deref().map(|text| text.lines().collect())
    }
}
