//! `bmc call PLAN`: a plan of the program, with the coins of its deployments.

use std::collections::BTreeMap;

use serde_json::json;
use spec::{Address, OutPoint};
use wallet::{Carried, Deployed, FeeRate, Key, PlanWish, Program, Utxo};

use super::Call;
use crate::deployment::Deployment;
use crate::fail::Fail;
use crate::link::{Link, NETWORK, account};
use crate::project;
use crate::shell::{BOLD, GOOD, NAME, Shell};

impl Call {
    pub(super) fn carry_out(&self, shell: &Shell) -> Result<(), Fail> {
        self.refuse_path_options()?;
        let files = if self.file.is_empty() { vec![".".into()] } else { self.file.clone() };
        let compiled = project::compile(&files, self.target)?;
        project::report(shell, &compiled)?;
        let program = Program::new(compiled.artifacts);
        let accounts = self.keys.accounts()?;
        let (_, plan) = program.plan(&self.name).ok_or_else(|| no_plan(&program, &self.name))?;
        let args = project::plan_args(plan, &self.args, &accounts)?;
        let payer = self.fee_from.as_deref().map(|name| account(&accounts, name)).transpose()?;
        let keys = self.sign.iter().map(|name| account(&accounts, name)).collect::<Result<Vec<Key>, _>>()?;
        let named = self.named()?;
        let link = self.node.link();
        let deployments = deployments(&program)?;
        let mut wish = PlanWish {
            program: &program,
            plan,
            args: &args,
            deployments: &deployments,
            coins: &[],
            keys: &keys,
            payer,
            named: &named,
            rate: FeeRate::RELAY_MIN,
        };
        let coins = coins(&link, &wish)?;
        wish.coins = &coins;
        let carried = wallet::carry_out(&wish)?;
        if !self.dry_run {
            self.send(&link, &program, &carried)?;
        }
        self.show(shell, &carried)
    }

    fn refuse_path_options(&self) -> Result<(), Fail> {
        let given = [
            ("--to", !self.to.is_empty()),
            ("--change", self.change.is_some()),
            ("--locktime", self.locktime.is_some()),
            ("--sequence", self.sequence.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((option, _)) => Err(Fail::usage(format!("the plan says what `{option}` would"))
                .help(format!("leave it out, or name a path: `bmc call DEPLOYMENT PATH {option} …`"))),
        }
    }

    /// The coins that are named for inputs.
    fn named(&self) -> Result<BTreeMap<String, Vec<OutPoint>>, Fail> {
        let mut named: BTreeMap<String, Vec<OutPoint>> = BTreeMap::new();
        for text in &self.coin {
            let read = || {
                let (input, coin) = text.split_once('=')?;
                let (txid, index) = coin.trim().split_once(':')?;
                Some((input.trim(), OutPoint { txid: txid.parse().ok()?, index: index.parse().ok()? }))
            };
            let (input, outpoint) = read().ok_or_else(|| {
                Fail::usage(format!("`{text}` does not say which input takes which coin"))
                    .help("write `--coin INPUT=TXID:INDEX`")
            })?;
            named.entry(input.to_owned()).or_default().push(outpoint);
        }
        Ok(named)
    }

    /// Sends everything, and remembers the contracts that it has deployed.
    fn send(&self, link: &Link, program: &Program, carried: &Carried) -> Result<(), Fail> {
        for (lock, deployed) in &carried.made {
            let Some(artifact) = program.artifact(&deployed.contract) else { continue };
            link.register(artifact, lock)?;
            if saved(&deployed.contract)?.is_none() {
                Deployment::new(&deployed.contract, artifact.clone(), &deployed.params)?.save()?;
            }
        }
        carried.first.iter().chain([&carried.built]).try_for_each(|built| link.send(&built.tx).map(drop))
    }

    fn show(&self, shell: &Shell, carried: &Carried) -> Result<(), Fail> {
        let built = &carried.built;
        let (txid, fee) = (built.tx.txid(), built.fee.get());
        let first: Vec<_> = carried
            .first
            .iter()
            .map(|built| json!({ "txid": built.tx.txid(), "hex": hex::encode(built.tx.encode()) }))
            .collect();
        let made: Vec<&str> = carried.made.values().map(|deployed| deployed.contract.as_str()).collect();
        let data = json!({
            "txid": txid,
            "fee_sats": fee,
            "bytes": built.tx.len_bytes(),
            "inputs": carried.inputs,
            "deployed": made,
            "first": first,
            "hex": hex::encode(built.tx.encode()),
        });
        shell.print(&data, |out| {
            let verb = if self.dry_run { "would carry out" } else { "carried out" };
            writeln!(out, "{GOOD}{verb}{GOOD:#} `{}` for a fee of {fee} sats", self.name)?;
            for output in built.tx.outputs.iter().filter(|output| output.value.get() > 0) {
                let payee = Address::of_lock(NETWORK, &output.lock);
                let payee = payee.map_or_else(|| format!("0x{}", hex::encode(&output.lock)), |text| text.to_string());
                let tokens = output.token.as_ref().map_or_else(String::new, |token| match token.amount {
                    0 => " and a token".to_owned(),
                    amount => format!(" and {amount} tokens"),
                });
                writeln!(out, "  {:>18} coin{tokens}  {payee}", output.value)?;
            }
            for contract in made {
                writeln!(out, "  {BOLD}deployed{BOLD:#} {NAME}{contract}{NAME:#}")?;
            }
            writeln!(out, "  {txid}")
        })
    }
}

fn no_plan(program: &Program, name: &str) -> Fail {
    let mut known: Vec<String> = program.plans().map(|(_, plan)| format!("`{}`", plan.name)).collect();
    known.dedup();
    let fail = Fail::usage(format!("there is no plan `{name}`"));
    match known.as_slice() {
        [] => fail.help("the sources declare none; spend a coin with `bmc call DEPLOYMENT PATH`"),
        _ => fail.help(format!("there is {}", known.join(", "))),
    }
}

/// The deployment of this name, if there is one.
fn saved(name: &str) -> Result<Option<Deployment>, Fail> {
    if Deployment::path(name)?.exists() { Deployment::load(name).map(Some) } else { Ok(None) }
}

/// The deployments of the program's contracts in the current folder.
fn deployments(program: &Program) -> Result<Vec<Deployed>, Fail> {
    let mut found = Vec::new();
    for name in Deployment::names()? {
        let deployment = Deployment::load(&name)?;
        let contract = &deployment.artifact.contract;
        let Some(usual) = program.artifact(contract) else { continue };
        // With values built in, or at another level, it has a script of its own.
        let own = Some(&deployment.artifact).filter(|artifact| artifact.bytecode != usual.bytecode);
        let deployed =
            Deployed { contract: contract.clone(), params: deployment.params().clone(), artifact: own.cloned() };
        if deployed.script(program).is_ok_and(|(_, lock)| hex::encode(lock) == deployment.lock) {
            found.push(deployed);
        }
    }
    Ok(found)
}

/// The coins that the plan may spend.
fn coins(link: &Link, wish: &PlanWish<'_>) -> Result<Vec<Utxo>, Fail> {
    let mut coins = Vec::new();
    for lock in wallet::locks_of(wish)? {
        coins.extend(link.all_coins(&lock)?);
    }
    Ok(coins)
}
