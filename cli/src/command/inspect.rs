//! `bmc inspect`: a transaction or a script, taken apart.

mod look;
mod svg;
mod tell;

use std::path::{Path, PathBuf};

use clap::Args;
use spec::{Artifact, RuleSet, Transaction, TxOut, Txid};

use crate::command::verify;
use crate::fail::Fail;
use crate::link::{Link, NodeArgs};
use crate::onchain;
use crate::project::{self, TargetArgs};
use crate::shell::Shell;
use look::{Known, Looked};

/// Take a transaction or a script apart: who is paid, what is spent, what the scripts say and what running them costs.
///
/// One word of hexadecimal digits is a transaction or a script, an identifier is asked of the node, several words are
/// assembly, and the name of a file stands for what is in it. With `--rpc` the node also says which coins are spent and
/// which contracts it knows; `--spent` gives the coins without a node.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc inspect tx.hex\n  bmc inspect 4f1c…e2 --rpc http://127.0.0.1:18443 --svg tx.svg\n  bmc inspect tx.hex --spent 5000:76a914…88ac --file htlc.bmc\n  bmc inspect 76a914000000000000000000000000000000000000000088ac\n  bmc inspect tx.hex --artifacts artifacts --json"
)]
pub(crate) struct Inspect {
    /// A transaction or a script in digits, its identifier, a script in words, or a file with any of these.
    #[arg(value_name = "TXHEX|TXID|SCRIPT|FILE")]
    what: String,
    /// An output that the transaction spends, in the order of its inputs; or all of them as one list, in digits.
    #[arg(long, value_name = "SATS:LOCK", allow_hyphen_values = true)]
    spent: Vec<String>,
    /// Sources whose contracts are recognised, or folders of them.
    #[arg(long, value_name = "FILE|DIR")]
    file: Vec<PathBuf>,
    /// Artifacts whose contracts are recognised, or folders of them.
    #[arg(long, value_name = "FILE|DIR")]
    artifacts: Vec<PathBuf>,
    /// Ask no node, even for an identifier.
    #[arg(long)]
    offline: bool,
    /// Draw the transaction into this file.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    node: NodeArgs,
}

/// What is looked at.
enum Subject {
    Transaction(Transaction),
    Script(Vec<u8>),
}

impl Inspect {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let known = Known { artifacts: self.known(shell)?, ..Known::default() };
        match self.subject()? {
            Subject::Script(script) => {
                if self.svg.is_some() {
                    return Err(Fail::usage("a script has no flow to draw").help("give a transaction for `--svg`"));
                }
                let script = look::script(&script, &known);
                shell.print(&script, |out| tell::script(out, &script, 0))
            }
            Subject::Transaction(tx) => self.show(shell, &tx, known),
        }
    }

    fn show(&self, shell: &Shell, tx: &Transaction, mut known: Known) -> Result<(), Fail> {
        let link = self.link();
        let spent = self.spent(tx, link.as_ref())?;
        if let Some(link) = &link {
            let locks = spent.iter().flatten().chain(&tx.outputs).map(|output| output.lock.as_slice());
            for (lock, artifact) in known_by(link, locks) {
                known.locks.insert(lock, artifact.contract.clone());
                known.artifacts.push(artifact);
            }
        }
        let rules = self.target.rules();
        let looked: Looked = look::transaction(tx, spent.as_deref(), &known, rules);
        if let Some(file) = &self.svg {
            std::fs::write(file, svg::draw(&looked))
                .map_err(|error| Fail::refused(format!("`{}`: {error}", file.display())))?;
        }
        shell.print(&looked, |out| tell::transaction(out, &looked))
    }

    /// The node, where it is to be asked: for an identifier, or if its address is given.
    fn link(&self) -> Option<Link> {
        let named = self.what.trim().parse::<Txid>().is_ok();
        (!self.offline && (named || self.node.is_named())).then(|| self.node.link())
    }

    fn subject(&self) -> Result<Subject, Fail> {
        if let Ok(txid) = self.what.trim().parse::<Txid>() {
            let link = self.link().ok_or_else(|| {
                Fail::usage("an identifier is looked up at a node").help("leave out `--offline`, or give the digits")
            })?;
            return onchain::transaction(&link, &txid).map(Subject::Transaction);
        }
        let text = onchain::text_of(&self.what)?;
        if text.trim().is_empty() {
            return Err(Fail::usage("there is nothing to look at").help("give a transaction or a script"));
        }
        let is_words = text.split_whitespace().count() > 1 || text.trim().starts_with("OP_");
        let bytes = if is_words { onchain::script(&text, RuleSet::Bitmodel)? } else { onchain::digits(&text)? };
        match onchain::decode(&bytes) {
            Ok(tx) => Ok(Subject::Transaction(tx)),
            Err(broken) if !self.spent.is_empty() || broken.is_likely => Err(broken.into()),
            Err(_) => Ok(Subject::Script(bytes)),
        }
    }

    /// The coins that are spent, as far as they are known.
    fn spent(&self, tx: &Transaction, link: Option<&Link>) -> Result<Option<Vec<TxOut>>, Fail> {
        if !self.spent.is_empty() {
            return crate::command::run::case::spent(tx, &self.spent, self.target.rules()).map(Some);
        }
        let Some(link) = link.filter(|_| !tx.is_coinbase()) else { return Ok(None) };
        let coin = |input: &spec::TxIn| {
            let index = usize::try_from(input.prevout.index).ok()?;
            onchain::output(link, &input.prevout.txid, index).ok()
        };
        Ok(tx.inputs.iter().map(coin).collect())
    }

    /// Contracts that are recognised.
    fn known(&self, shell: &Shell) -> Result<Vec<Artifact>, Fail> {
        let mut all = Vec::new();
        if !self.file.is_empty() {
            let compiled = project::compile(&self.file, self.target)?;
            project::report(shell, &compiled)?;
            all.extend(compiled.artifacts);
        }
        for path in &self.artifacts {
            for file in files(path)? {
                all.push(verify::artifact(&file)?);
            }
        }
        Ok(all)
    }
}

/// A file, or the JSON files of a folder.
fn files(path: &Path) -> Result<Vec<PathBuf>, Fail> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut all = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "json") {
            all.push(file);
        }
    }
    all.sort();
    Ok(all)
}

/// The contracts that a node knows of locks.
fn known_by<'l>(link: &Link, locks: impl Iterator<Item = &'l [u8]>) -> Vec<(Vec<u8>, Artifact)> {
    let artifact = |lock: &[u8]| Some((lock.to_vec(), onchain::contract(link, lock).ok()??));
    locks.filter_map(artifact).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use spec::artifact::Piece;
    use spec::tx::TxIn;
    use spec::{OutPoint, Sats};

    use super::*;

    /// Looks at bytes in every way there is.
    fn look_at(bytes: &[u8]) -> bool {
        let artifact = Artifact { bytecode: vec![Piece::Param(0)], contract: "Any".into(), ..Artifact::default() };
        let known = Known { artifacts: vec![artifact], ..Known::default() };
        let script = look::script(bytes, &known);
        tell::script(&mut std::io::sink(), &script, 0).unwrap();
        let Ok(tx) = onchain::decode(bytes).inspect_err(|broken| assert!(broken.at <= bytes.len())) else {
            return false;
        };
        let spent: Vec<TxOut> = tx.inputs.iter().map(|input| TxOut::plain(Sats::ONE, input.unlock.clone())).collect();
        for spent in [None, Some(spent.as_slice())] {
            let looked = look::transaction(&tx, spent, &known, RuleSet::Bitmodel);
            tell::transaction(&mut std::io::sink(), &looked).unwrap();
            assert!(svg::draw(&looked).ends_with("</svg>\n"));
        }
        true
    }

    fn some_transaction() -> Transaction {
        let input = TxIn {
            prevout: OutPoint { txid: Txid::from_wire([7; 32]), index: 1 },
            unlock: vec![0x51, 2, 9, 9],
            sequence: 0,
        };
        let lock = spec::script::p2pkh(&[3; 20]);
        Transaction {
            version: 2,
            inputs: vec![input.clone(), input],
            outputs: vec![TxOut::plain(Sats::ONE, lock)],
            locktime: 5,
        }
    }

    #[test]
    fn a_cut_transaction_is_told_with_the_byte() {
        let whole = some_transaction().encode();
        assert!(look_at(&whole));
        for len in 0..whole.len() {
            assert!(!look_at(&whole[..len]));
            let broken = onchain::decode(&whole[..len]).unwrap_err();
            assert!(broken.at <= len);
        }
        let more = [whole.as_slice(), &[0]].concat();
        assert_eq!(onchain::decode(&more).unwrap_err().at, whole.len());
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            look_at(&bytes);
        }

        #[test]
        fn changed_transactions_are_looked_at(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let mut bytes = some_transaction().encode();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            look_at(&bytes);
            look_at(&bytes[..cut.index(bytes.len())]);
        }
    }
}
