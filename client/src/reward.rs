//! Rewards: publishing whom they pay, and settling their coins.

use flow::Published;
use spec::{Artifact, Category, Sats, TxOut};
use wallet::{Built, FeeRate, JOINED_MAX, Key, Params, SettleError, Settled, Settlement, Utxo};

use crate::contract::{Contract, purse};
use crate::error::Error;
use crate::node::Node;

/// The settlements of these coins of a reward: as many together as fit one transaction, the largest first, so that
/// small ones come along. Coins that hold too little wait beside those that hold enough.
///
/// # Errors
/// [`SettleError`] if all of them hold too little, or the parameters do not say whom the reward pays.
pub fn settlements(
    artifact: &Artifact,
    params: &Params,
    mut coins: Vec<Utxo>,
    fee: Option<Sats>,
) -> Result<Vec<Settled>, SettleError> {
    coins.sort_by_key(|coin| (std::cmp::Reverse(coin.output.value), coin.outpoint));
    let settle = |coins: &[Utxo]| {
        wallet::settle(&Settlement { artifact, params, coins: coins.to_vec(), fee, rate: FeeRate::RELAY_MIN })
    };
    let joined_max = if artifact.path("join").is_some() { JOINED_MAX } else { 1 };
    let minimum = artifact.reward.as_ref().map_or(Sats::ZERO, |table| table.minimum_sats);
    let enough = |coins: &&[Utxo]| {
        Sats::checked_sum(coins.iter().map(|coin| coin.output.value)).is_none_or(|sum| sum >= minimum)
    };
    match coins.chunks(joined_max).filter(enough).count() {
        // What is too little is refused with its figures; beside enough, it waits.
        0 => coins.chunks(joined_max).take(1).map(settle).collect(),
        _ => coins.chunks(joined_max).filter(enough).map(settle).collect(),
    }
}

impl Contract {
    /// Publishes whom the reward pays, for everybody to read, in the transaction that first pays it `value`, if that is
    /// not nothing. The recipients have the names of the declaration, or `names`; `record` is the category of the token
    /// that may replace its list.
    ///
    /// # Errors
    /// [`Error`] if the contract is no reward, the coins do not reach or the node refuses.
    pub fn publish(
        &self,
        node: &Node,
        payer: &Key,
        value: Sats,
        names: Option<&[String]>,
        record: Option<Category>,
    ) -> Result<Vec<Built>, Error> {
        let artifact = self.artifact();
        let published = Published::of(artifact, self.params(), names, record)?;
        let outputs = if value == Sats::ZERO { vec![] } else { vec![TxOut::plain(value, self.lock().to_vec())] };
        let purse = purse(node, payer)?;
        let built = wallet::publish(&purse, &published.encode(), outputs, FeeRate::RELAY_MIN, artifact.rules)?;
        self.register(node)?;
        built.iter().try_for_each(|one| node.send(&one.tx).map(drop))?;
        Ok(built)
    }

    /// Settles everything that the reward holds; anybody may, and the pot pays the fee.
    ///
    /// # Errors
    /// [`Error`] if there is nothing to settle or too little, or the node refuses.
    pub fn settle(&self, node: &Node, fee: Option<Sats>) -> Result<Vec<Settled>, Error> {
        let settled = self.settlements(node, fee)?;
        settled.iter().try_for_each(|one| node.send(&one.built.tx).map(drop))?;
        Ok(settled)
    }

    /// Settles these coins together: fewer than all, where a settlement of all would cost more than the contract allows.
    ///
    /// # Errors
    /// As [`Contract::settle`].
    pub fn settle_coins(&self, node: &Node, coins: Vec<Utxo>, fee: Option<Sats>) -> Result<Settled, Error> {
        let wish =
            Settlement { artifact: self.artifact(), params: self.params(), coins, fee, rate: FeeRate::RELAY_MIN };
        let settled = wallet::settle(&wish)?;
        node.send(&settled.built.tx)?;
        Ok(settled)
    }

    /// What [`Contract::settle`] would send.
    ///
    /// # Errors
    /// As [`Contract::settle`].
    pub fn settlements(&self, node: &Node, fee: Option<Sats>) -> Result<Vec<Settled>, Error> {
        let coins = node.coins(self.lock())?;
        if coins.is_empty() {
            return Err(Error::NoCoin(self.artifact().contract.clone()));
        }
        Ok(settlements(self.artifact(), self.params(), coins, fee)?)
    }
}
