//! `bmc call`: carry out a plan, or spend a contract's coin by any of its paths.

mod plan;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use spec::TxOut;
use wallet::{Accounts, Call as Wish, FeeRate, Purse, Utxo, parse_amount};

use crate::deployment::Deployment;
use crate::fail::Fail;
use crate::link::{KeyArgs, Link, NodeArgs, account, lock_of};
use crate::project::{self, Assign, TargetArgs};
use crate::shell::{GOOD, Shell};

/// Carry out a plan of the program, or spend a contract's coin by one of its paths.
///
/// `bmc call PLAN` finds the coins, makes what the plan says, and pays the fee from an account. `bmc call DEPLOYMENT PATH`
/// spends one coin, and the outputs are yours to say.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc call open --arg hot=@alice --arg cold=@bob --arg delay=\"6 blocks\" --arg amount=\"1 coin\" --fee-from @alice\n  bmc call escrow release --arg sig=@alice --to @bob=\"0.5 coin\" --change @alice\n  bmc call vault recover --arg sig=@carol --locktime 120 --to @carol=\"10_000 sats\" --fee-from @carol"
)]
pub(crate) struct Call {
    /// The plan, as `Contract.plan` where several contracts have one of the name; before a path, the deployment.
    name: String,
    /// The path to take; without one, `NAME` is a plan.
    path: Option<String>,
    /// An argument's value; a signature is the account that signs.
    #[arg(long = "arg", value_name = "NAME=VALUE")]
    args: Vec<Assign>,
    /// An output, in order: who gets how much.
    #[arg(long, value_name = "WHO=AMOUNT")]
    to: Vec<String>,
    /// The coin to spend, if the contract holds several. Of a plan's input with a name: `INPUT=TXID:INDEX`.
    #[arg(long, value_name = "TXID:INDEX")]
    coin: Vec<String>,
    /// An account whose coins pay what the contract's coin does not; it gets the change too.
    #[arg(long, value_name = "ACCOUNT")]
    fee_from: Option<String>,
    /// Another account that signs what a plan asks it to.
    #[arg(long, value_name = "ACCOUNT")]
    sign: Vec<String>,
    /// The sources that have the plan, files or folders [default: the current folder].
    #[arg(long, value_name = "PATH")]
    file: Vec<PathBuf>,
    /// Who gets what the outputs and the fee leave; without this and `--fee-from`, the miner does.
    #[arg(long, value_name = "WHO")]
    change: Option<String>,
    /// The transaction's lock time: a height, or seconds since 1970; without it, the least that the path accepts.
    #[arg(long, value_name = "N")]
    locktime: Option<u32>,
    /// The input's sequence: the number of blocks that the coin must be old; without it, the least that the path accepts.
    #[arg(long, value_name = "N")]
    sequence: Option<u32>,
    /// Do not send.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    node: NodeArgs,
}

/// A remainder above this is surely not meant for the miner.
const FEE_SATS_MAX: u64 = 100_000;

impl Call {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        match &self.path {
            Some(path) => self.spend(shell, path),
            None => self.carry_out(shell),
        }
    }

    fn spend(&self, shell: &Shell, path: &str) -> Result<(), Fail> {
        let deployment = Deployment::load(&self.name)?;
        let accounts = self.keys.accounts()?;
        let args = project::args(&deployment, path, &self.args, &accounts)?;
        let link = self.node.link();
        let purse = self.purse(&accounts, &link)?;
        let wish = Wish {
            artifact: &deployment.artifact,
            params: deployment.params(),
            path,
            args: &args,
            coin: self.pick(link.coins(&deployment.lock()?)?)?,
            outputs: self.to.iter().map(|text| output(&accounts, text)).collect::<Result<_, _>>()?,
            locktime: self.locktime,
            sequence: self.sequence,
            purse: purse.as_ref(),
            rate: FeeRate::RELAY_MIN,
        };
        let built = wallet::call(wish)?;
        if purse.is_none() && built.fee.get() > FEE_SATS_MAX {
            return Err(Fail::refused(format!("{} coin would be left to the miner", built.fee))
                .help("say who gets the remainder with `--change`"));
        }
        if !self.dry_run {
            link.send(&built.tx)?;
        }
        let (txid, fee) = (built.tx.txid(), built.fee.get());
        let cost = built.metrics.first().map(|metrics| metrics.cost);
        let data = json!({ "txid": txid, "fee_sats": fee, "bytes": built.tx.len_bytes(), "cost": cost, "hex": hex::encode(built.tx.encode()) });
        shell.print(&data, |out| {
            let verb = if self.dry_run { "would spend" } else { "spent" };
            writeln!(out, "{GOOD}{verb}{GOOD:#} a coin of {} by `{path}` for a fee of {fee} sats", self.name)?;
            writeln!(out, "  {txid}")
        })
    }

    fn purse(&self, accounts: &Accounts, link: &Link) -> Result<Option<Purse>, Fail> {
        let payer = self.fee_from.as_deref().map(|name| account(accounts, name)).transpose()?;
        let change = self.change.as_deref().map(|text| lock_of(accounts, text)).transpose()?;
        Ok(match (payer, change) {
            (None, None) => None,
            (None, Some(change_lock)) => Some(Purse { keys: vec![], coins: vec![], change_lock }),
            (Some(key), change) => {
                let purse = Purse::of(key, link.coins(&key.lock())?);
                Some(Purse { change_lock: change.unwrap_or_else(|| key.lock()), ..purse })
            }
        })
    }

    fn no_coin(&self, known: &[String]) -> Fail {
        match (self.coin.first(), known) {
            (Some(coin), [_, ..]) => Fail::refused(format!("`{}` holds no coin `{coin}`", self.name))
                .help(format!("it holds {}", known.join(", "))),
            _ => Fail::refused(format!("`{}` holds no coin", self.name))
                .help(format!("pay it first: `bmc pay {} \"1 coin\"`", self.name)),
        }
    }

    fn pick(&self, coins: Vec<Utxo>) -> Result<Utxo, Fail> {
        let known: Vec<String> = coins.iter().take(8).map(|coin| coin.outpoint.to_string()).collect();
        let wanted = |coin: &Utxo| self.coin.first().is_none_or(|text| coin.outpoint.to_string() == *text);
        let mut found = coins.into_iter().filter(wanted);
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(self.no_coin(&known)),
            (Some(first), Some(_)) => Err(Fail::usage(format!("`{}` holds several coins", self.name))
                .help(format!("name one, such as `--coin {}`", first.outpoint))),
        }
    }
}

fn output(accounts: &Accounts, text: &str) -> Result<TxOut, Fail> {
    let (who, amount) = text.split_once('=').ok_or_else(|| {
        Fail::usage(format!("`{text}` does not say who gets how much")).help("write `--to @bob=\"0.5 coin\"`")
    })?;
    Ok(TxOut::plain(parse_amount(amount)?, lock_of(accounts, who.trim())?))
}
