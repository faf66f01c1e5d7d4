//! Carrying out a plan of the program.

use std::collections::BTreeMap;

use spec::OutPoint;
use wallet::{Args, Carried, Deployed, FeeRate, Key, PlanWish, Program};

use crate::contract::{Contract, misfit};
use crate::error::Error;
use crate::given::Given;
use crate::node::Node;

/// A wish to carry out a plan: one whole transaction as the program says it.
#[derive(Clone, Debug)]
#[must_use = "nothing is done until it is sent"]
pub struct PlanCall {
    program: &'static Program,
    plan: &'static str,
    args: Vec<(&'static str, Given)>,
    deployments: Vec<Deployed>,
    keys: Vec<Key>,
    payer: Option<Key>,
    named: BTreeMap<String, Vec<OutPoint>>,
    rate: FeeRate,
}

impl PlanCall {
    /// A plan of a program, as `Contract.plan` where several contracts have one of the name.
    pub const fn new(program: &'static Program, plan: &'static str, args: Vec<(&'static str, Given)>) -> Self {
        Self {
            program,
            plan,
            args,
            deployments: Vec::new(),
            keys: Vec::new(),
            payer: None,
            named: BTreeMap::new(),
            rate: FeeRate::RELAY_MIN,
        }
    }

    /// Says which contract is meant where the plan says only its name.
    pub fn of(mut self, contract: &Contract) -> Self {
        self.deployments.push(contract.deployed());
        self
    }

    /// Lets this key sign what the plan asks it to.
    pub fn sign(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Lets this key pay what is missing and take the change; it signs too.
    pub const fn payer(mut self, key: Key) -> Self {
        self.payer = Some(key);
        self
    }

    /// Lets an input of the plan spend this coin, where several could be meant.
    pub fn coin(mut self, input: &str, coin: OutPoint) -> Self {
        self.named.entry(input.to_owned()).or_default().push(coin);
        self
    }

    /// Sets the price of bytes; without it, it is the least that nodes relay.
    pub const fn rate(mut self, rate: FeeRate) -> Self {
        self.rate = rate;
        self
    }

    /// Finds the coins, makes what the plan says, signs, and lets the machine judge; sends nothing.
    ///
    /// # Errors
    /// [`Error`]; where the plan or a contract refuses, [`Error::author`] is what its author says.
    pub fn build(&self, node: &Node) -> Result<Carried, Error> {
        let (_, plan) = self.program.plan(self.plan).ok_or_else(|| Error::Unknown(self.plan.to_owned()))?;
        let mut args = Args::new();
        for (name, given) in &self.args {
            let slot = plan.args.iter().find(|slot| slot.name == *name);
            let ty = slot.map(|slot| &slot.ty).ok_or_else(|| Error::Unknown((*name).to_owned()))?;
            args.insert((*name).to_owned(), given.arg(ty).ok_or_else(|| misfit(name, ty))?);
        }
        let mut wish = PlanWish {
            program: self.program,
            plan,
            args: &args,
            deployments: &self.deployments,
            coins: &[],
            keys: &self.keys,
            payer: self.payer,
            named: &self.named,
            rate: self.rate,
        };
        let mut coins = Vec::new();
        for lock in wallet::locks_of(&wish)? {
            coins.extend(node.all_coins(&lock)?);
        }
        wish.coins = &coins;
        Ok(wallet::carry_out(&wish)?)
    }

    /// Builds it, tells the node of the contracts that it makes, and sends it.
    ///
    /// # Errors
    /// As [`PlanCall::build`], and [`Error::Node`] if the node refuses.
    pub fn send(&self, node: &Node) -> Result<Carried, Error> {
        let carried = self.build(node)?;
        for (lock, made) in &carried.made {
            let artifact = made.artifact.as_ref().or_else(|| self.program.artifact(&made.contract));
            artifact.map_or(Ok(()), |artifact| node.register(artifact, lock))?;
        }
        send(node, &carried)?;
        Ok(carried)
    }
}

/// Sends what a plan needs first, and then its own transaction.
pub(crate) fn send(node: &Node, carried: &Carried) -> Result<(), Error> {
    let all = carried.first.iter().chain([&carried.built]);
    Ok(all.map(|built| &built.tx).try_for_each(|tx| node.send(tx).map(drop))?)
}
