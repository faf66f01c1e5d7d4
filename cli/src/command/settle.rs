//! `bmc settle`: everybody's share, out of the pot and nothing else.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use spec::{Address, Sats};
use wallet::{Settled, Utxo, parse_amount};

use crate::deployment::Deployment;
use crate::fail::Fail;
use crate::link::{Link, NETWORK, NodeArgs};
use crate::shell::{BOLD, GOOD, NAME, Shell};

/// Pay out a reward: all its coins together, in one transaction.
///
/// Anyone may do this and needs no money and no key: the pot pays the shares and the fee.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc settle my-reward\n  bmc settle my-reward --fee \"500 sats\" --export settlement.hex --dry-run"
)]
pub(crate) struct Settle {
    /// The deployment.
    name: String,
    /// What the miner gets, with its unit; without it, one unit a byte.
    #[arg(long, value_name = "AMOUNT")]
    fee: Option<String>,
    /// Only the coin at this output.
    #[arg(long, value_name = "TXID:INDEX")]
    pot: Option<String>,
    /// Write the transactions here, in hexadecimal, one a line.
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Do not send.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    node: NodeArgs,
}

impl Settle {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let fee = self.fee.as_deref().map(parse_amount).transpose()?;
        let deployment = Deployment::load(&self.name)?;
        let link = self.node.link();
        let settled = self.settlements(&deployment, &link, fee)?;
        if let Some(path) = &self.export {
            let lines: String = settled.iter().map(|one| hex::encode(one.built.tx.encode()) + "\n").collect();
            std::fs::write(path, lines)?;
        }
        if !self.dry_run {
            settled.iter().try_for_each(|one| link.send(&one.built.tx).map(drop))?;
        }
        self.show(shell, &settled)
    }

    fn settlements(&self, deployment: &Deployment, link: &Link, fee: Option<Sats>) -> Result<Vec<Settled>, Fail> {
        let pots = self.pots(link.coins(&deployment.lock()?)?)?;
        Ok(client::settlements(&deployment.artifact, deployment.params(), pots, fee)?)
    }

    /// The coins of the deployment that are wanted.
    fn pots(&self, coins: Vec<Utxo>) -> Result<Vec<Utxo>, Fail> {
        let wanted = |coin: &Utxo| self.pot.as_ref().is_none_or(|pot| coin.outpoint.to_string() == *pot);
        let pots: Vec<Utxo> = coins.into_iter().filter(wanted).collect();
        match (&self.pot, pots.is_empty()) {
            (_, false) => Ok(pots),
            (Some(pot), true) => Err(Fail::refused(format!("`{}` has no pot at {pot}", self.name))),
            (None, true) => Err(Fail::refused(format!("nobody has paid `{}` since the last settlement", self.name))
                .help(format!("pay it first: `bmc pay {} \"1 coin\"`", self.name))),
        }
    }

    fn show(&self, shell: &Shell, settled: &[Settled]) -> Result<(), Fail> {
        let verb = if self.dry_run { "would settle" } else { "settled" };
        shell.print(&settled.iter().map(json_of).collect::<Vec<_>>(), |out| {
            for one in settled {
                let (txid, fee) = (one.built.tx.txid(), one.built.fee.get());
                let pot = Sats::checked_sum(one.built.spent.iter().map(|coin| coin.value)).unwrap_or_default();
                writeln!(out, "{GOOD}{verb}{GOOD:#} a pot of {pot} coin for a fee of {fee} sats")?;
                for share in &one.shares {
                    writeln!(
                        out,
                        "  {NAME}{:<24}{NAME:#} {:>18} coin  {}",
                        share.name,
                        share.value,
                        payee(&share.lock)
                    )?;
                }
                writeln!(out, "  {BOLD}{txid}{BOLD:#}")?;
            }
            Ok(())
        })
    }
}

fn payee(lock: &[u8]) -> String {
    Address::of_lock(NETWORK, lock).map_or_else(|| format!("0x{}", hex::encode(lock)), |address| address.to_string())
}

fn json_of(settled: &Settled) -> Value {
    let share = |share: &flow::Share| json!({ "source": share.name, "sats": share.value, "to": payee(&share.lock) });
    json!({
        "txid": settled.built.tx.txid(),
        "fee_sats": settled.built.fee,
        "bytes": settled.built.tx.len_bytes(),
        "shares": settled.shares.iter().map(share).collect::<Vec<_>>(),
        "hex": hex::encode(settled.built.tx.encode()),
    })
}
