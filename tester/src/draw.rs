//! A transaction as inputs and outputs, in lines.

use spec::{Transaction, TxOut};

use crate::people;
use crate::world::Known;
use spec::num::grouped;

/// What an output holds, for whom.
fn line(known: &Known<'_>, output: &TxOut) -> (String, String) {
    let deployed = known.deployed.borrow();
    let owner = people::owner_of(&output.lock);
    let contract = deployed.get(&output.lock).map(|deployed| deployed.contract.clone());
    let data = output.lock.first() == Some(&0x6a);
    let whose = match (contract, owner) {
        (Some(contract), _) => contract,
        (None, Some(owner)) => owner,
        (None, None) if data => format!("data 0x{}", hex::encode(output.lock.get(1..).unwrap_or_default())),
        (None, None) => format!("0x{}", hex::encode(&output.lock)),
    };
    let tokens = output.token.as_ref().map_or_else(String::new, |token| match (&token.nft, token.amount) {
        (None, amount) => format!(" + {} tokens", grouped(amount)),
        (Some(nft), 0) => format!(" + nft 0x{}", hex::encode(&nft.commitment)),
        (Some(nft), amount) => {
            format!(" + {} tokens, nft 0x{}", grouped(amount), hex::encode(&nft.commitment))
        }
    });
    (whose, format!("{} sats{tokens}", grouped(output.value.get())))
}

/// The transaction with what it spends; `names` are those of the first inputs.
pub(crate) fn drawn(known: &Known<'_>, tx: &Transaction, spent: &[TxOut], names: &[String]) -> String {
    let mut inputs = Vec::new();
    for (at, output) in spent.iter().enumerate() {
        let (whose, what) = line(known, output);
        let name = names.get(at).map_or_else(|| "the fee".to_owned(), |name| format!("{name}: {whose}"));
        inputs.push((name, what));
    }
    let outputs: Vec<(String, String)> = tx.outputs.iter().map(|output| line(known, output)).collect();
    let sum = |outputs: &[TxOut]| outputs.iter().map(|output| output.value.get()).sum::<u64>();
    let fee = sum(spent).saturating_sub(sum(&tx.outputs));
    let mut text = format!("the transaction, {} bytes, lock time {}, fee {fee} sats", tx.len_bytes(), tx.locktime);
    let rows = |text: &mut String, arrow: &str, rows: &[(String, String)]| {
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, what) in rows {
            text.push_str(&format!("\n  {arrow} {name:<width$}  {what}"));
        }
    };
    rows(&mut text, "◂", &inputs);
    rows(&mut text, "▸", &outputs);
    text
}
