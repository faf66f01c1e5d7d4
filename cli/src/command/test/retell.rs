//! `bmc test --from-tx`: a transaction as the text of a test.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;

use driver::Compiled;
use serde_json::json;
use spec::{Transaction, TxOut, Txid};
use tester::{Choice, Verdict, retold, run};

use crate::fail::Fail;
use crate::link::NodeArgs;
use crate::onchain;
use crate::project::Project;
use crate::shell::Shell;

/// Where a transaction and the coins that it spends come from.
pub(super) struct Told<'a> {
    /// The transaction, in hexadecimal.
    pub(super) tx: &'a str,
    /// A file with the transactions that made the coins.
    pub(super) coins: Option<&'a Path>,
    /// Who else has them.
    pub(super) node: &'a NodeArgs,
}

/// Prints the first way to tell it that passes.
pub(super) fn from_tx(shell: &Shell, project: &mut Project, compiled: &Compiled, told: &Told<'_>) -> Result<(), Fail> {
    let tx = transaction(told.tx)?;
    let spent = spent(&tx, told)?;
    let found = retold(compiled, &tx, &spent)
        .map_err(|why| Fail::refused(format!("the transaction cannot be told as a test: {why}")))?;
    let places = || compiled.places.files().find(|file| *file.path == *found.file);
    let text = places().map(|file| file.text.clone()).unwrap_or_default();
    let mut fault = None;
    for test in &found.texts {
        let changed = project.with_text(&found.file, format!("{text}\n{test}").into(), text.clone());
        let choice = Choice { filters: vec![found.name.clone()], ..Choice::default() };
        let outcomes = if changed.has_errors() { Vec::new() } else { run(&changed, &choice, &|_, _| ()) };
        match outcomes.into_iter().next().map(|outcome| outcome.verdict) {
            Some(Verdict::Passed) => {
                shell.print(&json!({ "file": found.file, "test": test }), |out| write!(out, "{test}"))?;
                shell.note(format_args!("put this into {}, or into a file that imports from it", found.file));
                return Ok(());
            }
            Some(Verdict::Failed { fault: failed, .. }) => fault = fault.or(Some(failed.message)),
            None => {
                let first = changed.diagnostics.iter().map(|found| found.message.clone()).next();
                fault = fault.or(first);
            }
        }
    }
    let why = fault.unwrap_or_else(|| "nothing tells why".to_owned());
    let help =
        "an attestation that names this coin, or a lock that no source can write, holds for this transaction only";
    Err(Fail::refused(format!("the transaction does not come out the same as a test: {why}")).help(help))
}

fn transaction(text: &str) -> Result<Transaction, Fail> {
    let text = text.trim();
    let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text));
    let tx = bytes.ok().and_then(|bytes| Transaction::decode(&bytes).ok());
    tx.ok_or_else(|| {
        Fail::usage("this is no transaction").help("give its bytes in hexadecimal, as `getrawtransaction` does")
    })
}

/// The outputs that its inputs spend.
fn spent(tx: &Transaction, told: &Told<'_>) -> Result<Vec<TxOut>, Fail> {
    let mut makers: BTreeMap<Txid, Transaction> = BTreeMap::new();
    if let Some(file) = told.coins {
        for line in std::fs::read_to_string(file)?.lines().filter(|line| !line.trim().is_empty()) {
            let maker = transaction(line)?;
            makers.insert(maker.txid(), maker);
        }
    }
    let mut spent = Vec::new();
    for input in &tx.inputs {
        let maker = match makers.entry(input.prevout.txid) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let made = asked(*place.key(), told)?;
                place.insert(made)
            }
        };
        let (txid, index) = (input.prevout.txid, input.prevout.index);
        let output = maker.outputs.get(index as usize).cloned();
        spent.push(output.ok_or_else(|| Fail::usage(format!("{txid} has no output {index}")))?);
    }
    Ok(spent)
}

/// A transaction that made a coin, from the node.
fn asked(txid: Txid, told: &Told<'_>) -> Result<Transaction, Fail> {
    if let Some(file) = told.coins {
        return Err(Fail::usage(format!("`{}` has no transaction {txid}", file.display()))
            .help("it holds the transactions that made the coins, in hexadecimal, one a line"));
    }
    onchain::transaction(&told.node.link(), &txid)
}
