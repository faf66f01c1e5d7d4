//! Spending one coin of a contract by one of its paths.

use spec::artifact::SpendPath;
use spec::{Sats, TxOut};
use wallet::{Args, Built, Call, FeeRate, Key, Purse, Utxo};

use crate::contract::{Contract, misfit, purse};
use crate::error::Error;
use crate::given::Given;
use crate::node::Node;
use crate::types::Lock;

/// A remainder above this is surely not meant for the miner.
pub const FEE_SATS_MAX: u64 = 100_000;

/// A wish to spend a coin of a contract by one of its paths.
#[derive(Clone, Debug)]
#[must_use = "nothing is spent until it is sent"]
pub struct Spend<'c> {
    contract: &'c Contract,
    path: &'static str,
    args: Vec<(&'static str, Given)>,
    coin: Option<Utxo>,
    outputs: Vec<TxOut>,
    locktime: Option<u32>,
    sequence: Option<u32>,
    payer: Option<Key>,
    change: Option<Lock>,
    rate: FeeRate,
}

impl<'c> Spend<'c> {
    /// A spend by `path` with these arguments. Lists that the contract's parameters hold are known.
    pub fn new(contract: &'c Contract, path: &'static str, args: Vec<(&'static str, Given)>) -> Self {
        Self {
            contract,
            path,
            args,
            coin: None,
            outputs: Vec::new(),
            locktime: None,
            sequence: None,
            payer: None,
            change: None,
            rate: FeeRate::RELAY_MIN,
        }
    }

    /// Spends this coin; without it the contract's only one.
    pub fn coin(mut self, coin: &Utxo) -> Self {
        self.coin = Some(coin.clone());
        self
    }

    /// Makes an output of money, after those before.
    pub fn pay(self, lock: impl Into<Lock>, value: Sats) -> Self {
        let Lock(lock) = lock.into();
        self.output(TxOut::plain(value, lock))
    }

    /// Makes an output, after those before.
    pub fn output(mut self, output: TxOut) -> Self {
        self.outputs.push(output);
        self
    }

    /// Lets this key's coins pay what the contract's coin does not; without [`Spend::change`] it gets the change too.
    pub const fn payer(mut self, key: Key) -> Self {
        self.payer = Some(key);
        self
    }

    /// Pays this lock what outputs and fee leave.
    pub fn change(mut self, lock: impl Into<Lock>) -> Self {
        self.change = Some(lock.into());
        self
    }

    /// Sets the transaction's lock time; without it, it is the least that the path accepts.
    pub const fn locktime(mut self, locktime: u32) -> Self {
        self.locktime = Some(locktime);
        self
    }

    /// Sets the sequence of the contract's input; without it, it is that of the least age that the path accepts.
    pub const fn sequence(mut self, sequence: u32) -> Self {
        self.sequence = Some(sequence);
        self
    }

    /// Sets the price of bytes; without it, it is the least that nodes relay.
    pub const fn rate(mut self, rate: FeeRate) -> Self {
        self.rate = rate;
        self
    }

    /// Finds the coin and what pays the fee, signs, and lets the machine judge; sends nothing.
    ///
    /// # Errors
    /// [`Error`]; where the contract refuses, [`Error::author`] is what its author says.
    pub fn build(self, node: &Node) -> Result<Built, Error> {
        let artifact = self.contract.artifact();
        let path = artifact.path(self.path).ok_or_else(|| Error::Unknown(self.path.to_owned()))?;
        let args = self.args(path)?;
        let coin = match &self.coin {
            Some(coin) => coin.clone(),
            None => self.only_coin(node)?,
        };
        let purse = self.purse(node)?;
        let built = wallet::call(Call {
            artifact,
            params: self.contract.params(),
            path: self.path,
            args: &args,
            coin,
            outputs: self.outputs,
            locktime: self.locktime,
            sequence: self.sequence,
            purse: purse.as_ref(),
            rate: self.rate,
        })?;
        match purse {
            None if built.fee.get() > FEE_SATS_MAX => Err(Error::LeftToMiner(built.fee)),
            _ => Ok(built),
        }
    }

    /// Builds it and sends it.
    ///
    /// # Errors
    /// As [`Spend::build`], and [`Error::Node`] if the node refuses.
    pub fn send(self, node: &Node) -> Result<Built, Error> {
        let built = self.build(node)?;
        node.send(&built.tx)?;
        Ok(built)
    }

    fn args(&self, path: &SpendPath) -> Result<Args, Error> {
        let mut args = Args::new();
        for (name, given) in &self.args {
            let slot = path.args.iter().find(|slot| slot.name == *name);
            let ty = slot.map(|slot| &slot.ty).ok_or_else(|| Error::Unknown((*name).to_owned()))?;
            args.insert((*name).to_owned(), given.arg(ty).ok_or_else(|| misfit(name, ty))?);
        }
        Ok(args)
    }

    fn only_coin(&self, node: &Node) -> Result<Utxo, Error> {
        let contract = || self.contract.artifact().contract.clone();
        let mut coins = node.all_coins(self.contract.lock())?;
        match coins.len() {
            0 => Err(Error::NoCoin(contract())),
            1 => coins.pop().ok_or_else(|| Error::NoCoin(contract())),
            count => Err(Error::Several { contract: contract(), count }),
        }
    }

    fn purse(&self, node: &Node) -> Result<Option<Purse>, Error> {
        let change = self.change.clone().map(|Lock(lock)| lock);
        Ok(match (&self.payer, change) {
            (None, None) => None,
            (None, Some(change_lock)) => Some(Purse { keys: vec![], coins: vec![], change_lock }),
            (Some(key), change) => {
                let purse = purse(node, key)?;
                Some(Purse { change_lock: change.unwrap_or_else(|| purse.change_lock.clone()), ..purse })
            }
        })
    }
}
