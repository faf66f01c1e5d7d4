//! `bmc deploy`: from a source and parameters to an address that can be paid.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use spec::script::push_len;
use wallet::Program;

use crate::deployment::Deployment;
use crate::fail::Fail;
use crate::link::{KeyArgs, NodeArgs};
use crate::project::{self, Assign};
use crate::shell::{BOLD, GOOD, Shell};

/// Give a contract its parameters and an address.
///
/// Nothing is sent: a contract exists on the chain once its address is paid. The node learns the
/// artifact, so that it can say which `require` failed.
#[derive(Args)]
#[command(
    after_help = "Example: bmc deploy reward.bmc --name my-reward --param data=@alice --param training=@bob --param hosting=@carol"
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
    /// Do not tell a node.
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    node: NodeArgs,
}

impl Deploy {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let compiled = project::compile(&[self.file])?;
        project::report(shell, &compiled)?;
        let program = Program::new(compiled.artifacts.clone());
        let artifact = project::contract(compiled, self.contract.as_deref())?;
        let given = project::params(&artifact, &self.params, &self.keys.accounts()?)?;
        let params = program.complete(&artifact.contract, given)?;
        wallet::check_params(&artifact, &params)?;
        let name = self.name.unwrap_or_else(|| artifact.contract.clone());
        let redeem = artifact.redeem_script(&params)?;
        let deployment = Deployment::new(&name, artifact, &params)?;
        if !self.offline {
            self.node.link().register(&deployment.artifact, &deployment.lock()?)?;
        }
        let file = deployment.save()?;
        let data = json!({
            "name": name,
            "contract": deployment.artifact.contract,
            "address": deployment.address,
            "lock": deployment.lock,
            "bytes": redeem.len(),
            "file": file,
        });
        shell.print(&data, |out| {
            writeln!(out, "{GOOD}deployed{GOOD:#} {name} at {}", deployment.address)?;
            writeln!(out, "  {} bytes, pushed as {}; kept in {}", redeem.len(), push_len(&redeem), file.display())?;
            writeln!(out, "{BOLD}next:{BOLD:#} bmc pay {name} \"1 coin\"")
        })
    }
}
