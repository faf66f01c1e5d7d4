//! `bmc pay`: money for a deployed contract.

use clap::Args;
use serde_json::json;
use spec::TxOut;
use wallet::{FeeRate, Purse, parse_amount};

use crate::deployment::Deployment;
use crate::fail::Fail;
use crate::link::{KeyArgs, NodeArgs, account};
use crate::publication;
use crate::shell::{GOOD, Shell};

/// Pay money to a deployed contract.
///
/// The first payment to a reward that was deployed offline also publishes whom it pays.
#[derive(Args)]
#[command(after_help = "Examples:\n  bmc pay my-reward \"1 coin\" --from @bob")]
pub(crate) struct Pay {
    /// The deployment.
    name: String,
    /// How much, with its unit.
    amount: String,
    /// The account that pays.
    #[arg(long, value_name = "ACCOUNT", default_value = "@alice")]
    from: String,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    node: NodeArgs,
}

impl Pay {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let amount = parse_amount(&self.amount)?;
        let mut deployment = Deployment::load(&self.name)?;
        let key = account(&self.keys.accounts()?, &self.from)?;
        let link = self.node.link();
        let purse = Purse::of(key, link.coins(&key.lock())?);
        let outputs = vec![TxOut::plain(amount, deployment.lock()?)];
        let (txid, fee) = if deployment.is_unpublished() {
            let sent = publication::publish(&mut deployment, &link, &purse, outputs)?;
            deployment.save()?;
            (sent.txid, sent.fee)
        } else {
            let built = wallet::pay(&purse, outputs, FeeRate::RELAY_MIN, deployment.artifact.rules)?;
            (link.send(&built.tx)?, built.fee)
        };
        let name = &self.name;
        shell.print(&json!({ "txid": txid, "vout": 0, "amount": amount.to_string(), "fee_sats": fee }), |out| {
            writeln!(out, "{GOOD}paid{GOOD:#} {amount} coin to {name} for a fee of {} sats", fee.get())?;
            writeln!(out, "  {txid}:0")
        })
    }
}
