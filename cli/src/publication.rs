//! Putting on the chain whom a reward pays.

use flow::{ListError, Published};
use spec::{Category, Sats, TxOut, Txid};
use wallet::{FeeRate, Purse};

use crate::deployment::Deployment;
use crate::fail::Fail;
use crate::link::Link;

/// What publishing took.
pub(crate) struct Sent {
    /// The transaction that shows the body.
    pub(crate) txid: Txid,
    /// The fees of all transactions together.
    pub(crate) fee: Sats,
}

/// Publishes whom a reward pays, in the transaction that first makes `outputs`, and remembers it.
pub(crate) fn publish(
    deployment: &mut Deployment,
    link: &Link,
    purse: &Purse,
    outputs: Vec<TxOut>,
) -> Result<Sent, Fail> {
    if deployment.record.is_none() {
        deployment.record = record_of(deployment, link)?;
    }
    let artifact = &deployment.artifact;
    let published = Published::of(artifact, deployment.params(), deployment.names.as_deref(), deployment.record)?;
    let built = wallet::publish(purse, &published.encode(), outputs, FeeRate::RELAY_MIN, artifact.rules)?;
    let mut sent = None;
    for one in &built {
        sent = Some(link.send(&one.tx)?);
    }
    let txid = sent.ok_or_else(|| ListError::NoList(artifact.contract.clone()))?;
    deployment.published = Some(txid);
    Ok(Sent { txid, fee: Sats::checked_sum(built.iter().map(|one| one.fee)).unwrap_or_default() })
}

/// The category of the token that may replace a reward's list: that of the only record among the deployments here.
fn record_of(deployment: &Deployment, link: &Link) -> Result<Option<Category>, Fail> {
    let artifact = &deployment.artifact;
    let list = artifact.reward.as_ref().and_then(|table| table.list.as_ref());
    if !list.is_some_and(|list| list.adjustable) {
        return Ok(None);
    }
    let contract = format!("{}Record", artifact.contract);
    let mut found = Vec::new();
    for name in Deployment::names()? {
        let other = Deployment::load(&name)?;
        if other.artifact.contract == contract {
            let coins = link.all_coins(&other.lock()?)?;
            found.extend(coins.into_iter().filter_map(|coin| coin.output.token).map(|token| token.category));
        }
    }
    found.sort();
    found.dedup();
    match found.as_slice() {
        [only] => Ok(Some(*only)),
        [] => Ok(None),
        several => Err(Fail::usage(format!("{} records of `{}` are deployed here", several.len(), artifact.contract))
            .help("name the category of the one that counts: `--record CATEGORY`")),
    }
}
