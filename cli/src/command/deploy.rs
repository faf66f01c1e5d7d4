//! `bmc deploy`: from a source and parameters to an address that can be paid.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use spec::artifact::Locking;
use spec::script::push_len;
use spec::{Category, TxOut};
use wallet::{Program, Purse, parse_amount};

use crate::deployment::Deployment;
use crate::fail::Fail;
use crate::link::{KeyArgs, NodeArgs, account};
use crate::project::{self, Assign, Project, TargetArgs};
use crate::publication::{self, Sent};
use crate::shell::{BOLD, GOOD, Shell};

/// Give a contract its parameters and an address.
///
/// A contract exists on the chain once its address is paid, so nothing is sent; but whom a reward or
/// model pays is published, once, for everybody to read (`bmc flow rebuild`). The node learns the artifact, so that it
/// can say which `require` failed.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc deploy shares.bmc --name my-reward --param data=@alice --param training=@bob --param hosting=@carol"
)]
pub(crate) struct Deploy {
    /// The source.
    file: PathBuf,
    /// Which of its contracts, if there are several.
    #[arg(long, value_name = "NAME")]
    contract: Option<String>,
    /// The name to call it by; without one, the contract's.
    #[arg(long)]
    name: Option<String>,
    /// A parameter's value.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<Assign>,
    /// Build the values into the script, instead of pushing each where it is used.
    #[arg(long)]
    seal: bool,
    #[command(flatten)]
    target: TargetArgs,
    /// The account that pays for publishing a reward.
    #[arg(long, value_name = "ACCOUNT", default_value = "@alice")]
    from: String,
    /// Pay a reward this much in the transaction that publishes it.
    #[arg(long, value_name = "AMOUNT")]
    pay: Option<String>,
    /// The category of the token that may replace the reward's list; without it, that of the record deployed here.
    #[arg(long, value_name = "CATEGORY")]
    record: Option<Category>,
    /// Do not tell a node; the first payment to a reward then publishes it.
    #[arg(long, conflicts_with = "pay")]
    offline: bool,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    node: NodeArgs,
}

impl Deploy {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let mut project = Project::open(std::slice::from_ref(&self.file), self.target)?;
        let compiled = project.compile();
        project::report(shell, &compiled)?;
        let program = Program::new(compiled.artifacts.clone());
        let mut artifact = project::contract(compiled, self.contract.as_deref())?;
        let given = project::params(&artifact, &self.params, &self.keys.accounts()?)?;
        let params = program.complete(&artifact.contract, given)?;
        wallet::check_params(&artifact, &params)?;
        if self.seal {
            artifact = project.sealed(shell, artifact, params.clone())?;
        }
        let name = self.name.clone().unwrap_or_else(|| artifact.contract.clone());
        let redeem = artifact.redeem_script(&params)?;
        let mut deployment = Deployment::new(&name, artifact, &params)?;
        deployment.record = self.record;
        deployment.names = project::names(&deployment.artifact, &self.params);
        let sent = if self.offline { None } else { self.send(&mut deployment)? };
        let file = deployment.save()?;
        let data = json!({
            "name": name,
            "contract": deployment.artifact.contract,
            "address": deployment.address,
            "lock": deployment.lock,
            "bytes": redeem.len(),
            "file": file,
            "published": deployment.published,
            "fee_sats": sent.as_ref().map(|sent| sent.fee),
        });
        shell.print(&data, |out| {
            let (bytes, file) = (redeem.len(), file.display());
            match deployment.artifact.locking {
                Locking::P2sh32 => {
                    writeln!(out, "{GOOD}deployed{GOOD:#} {name} at {}", deployment.address)?;
                    writeln!(out, "  {bytes} bytes, pushed as {}; kept in {file}", push_len(&redeem))?;
                }
                Locking::P2s => {
                    writeln!(
                        out,
                        "{GOOD}deployed{GOOD:#} {name}, whose coins have no address but the script as their lock"
                    )?;
                    writeln!(out, "  {bytes} bytes in each output, none in inputs; kept in {file}")?;
                }
            }
            if let Some(sent) = &sent {
                let fee = sent.fee.get();
                writeln!(out, "  whom it pays is published for a fee of {fee} sats in {}", sent.txid)?;
            }
            writeln!(out, "{BOLD}next:{BOLD:#} bmc pay {name} \"1 coin\"")
        })
    }

    /// Tells the node, and everybody whom a reward pays.
    fn send(&self, deployment: &mut Deployment) -> Result<Option<Sent>, Fail> {
        let amount = self.pay.as_deref().map(parse_amount).transpose()?;
        let (link, lock) = (self.node.link(), deployment.lock()?);
        if amount.is_some() && deployment.artifact.reward.is_none() {
            return Err(Fail::usage(format!("`{}` is no reward", deployment.artifact.contract))
                .help("leave `--pay` out, and pay it with `bmc pay`"));
        }
        link.register(&deployment.artifact, &lock)?;
        let before = Deployment::load(&deployment.name).ok().filter(|before| before.lock == deployment.lock);
        deployment.published = before.and_then(|before| before.published);
        if deployment.artifact.reward.is_none() || (deployment.published.is_some() && amount.is_none()) {
            return Ok(None);
        }
        let key = account(&self.keys.accounts()?, &self.from)?;
        let purse = Purse::of(key, link.coins(&key.lock())?);
        let outputs = amount.map(|amount| TxOut::plain(amount, lock)).into_iter().collect();
        publication::publish(deployment, &link, &purse, outputs).map(Some)
    }
}
