//! Tokens of a plan's transaction: what the inputs bring, what the outputs take, and where the rest goes.

use std::collections::{BTreeMap, BTreeSet};

use spec::plan::{Change, Source};
use spec::script::dust_limit;
use spec::token::{Capability, Nft, Token};
use spec::{Category, Sats, TxOut};

use super::PlanFault;
use super::scene::Scene;
use crate::coins::Utxo;

/// What balances the tokens of a transaction.
#[derive(Default)]
pub(super) struct Balance {
    /// The payer's coins that bring what is missing.
    pub(super) inputs: Vec<Utxo>,
    /// Outputs that take what is over.
    pub(super) outputs: Vec<TxOut>,
}

/// What one input brings of one category.
struct Brought {
    /// Who takes back what is over: the owner of a key's coin. Nobody takes from a contract.
    owner: Option<Vec<u8>>,
    amount: u64,
    /// How many of them may be destroyed.
    burn: u64,
    nft: Option<Nft>,
    burn_nft: bool,
}

type Sheet = BTreeMap<Category, Vec<Brought>>;

/// Accounts for every token of the plan's inputs and of `outputs`.
pub(super) fn balance(scene: &Scene<'_>, outputs: &[TxOut]) -> Result<Balance, PlanFault> {
    let mut sheet = brought(scene)?;
    let born = newborn(scene);
    let mut balance = Balance::default();
    let mut back =
        Back { lock: change_lock(scene)?, none: scene.wish.plan.change == Change::None, outputs: Vec::new() };
    let made: BTreeSet<Category> =
        outputs.iter().filter_map(|output| output.token.as_ref()).map(|token| token.category).collect();
    let all: BTreeSet<Category> = sheet.keys().copied().chain(made).collect();
    for category in all.into_iter().filter(|category| !born.contains(category)) {
        let rows = sheet.entry(category).or_default();
        let paid: u64 = tokens_of(outputs, category).map(|(_, token)| token.amount).fold(0, u64::saturating_add);
        fund(scene, category, paid, rows, &mut balance);
        fungible(category, paid, rows, &mut back)?;
        nfts(category, outputs, rows, &mut back)?;
    }
    balance.outputs = back.outputs;
    Ok(balance)
}

fn brought(scene: &Scene<'_>) -> Result<Sheet, PlanFault> {
    let mut sheet = Sheet::new();
    for (at, input) in scene.wish.plan.inputs.iter().enumerate() {
        let asked = match &input.source {
            Source::Key(source) => source.token.as_ref().and_then(|ask| ask.amount.as_ref()),
            Source::Contract(_) | Source::Genesis => None,
        };
        // What was asked for is meant to be destroyed, not what its coins happen to hold besides.
        let asked = asked.filter(|_| input.burn).map(|amount| scene.evaluator().int(amount)).transpose()?;
        let mut burn = match asked {
            Some(n) => super::outputs::tokens("an amount of tokens", n)?,
            None if input.burn => u64::MAX,
            None => 0,
        };
        for taken in scene.taken(at) {
            let Some(token) = &taken.coin.output.token else { continue };
            let row = Brought {
                owner: taken.instance.is_none().then(|| taken.coin.output.lock.clone()),
                amount: token.amount,
                burn: burn.min(token.amount),
                nft: token.nft.clone(),
                burn_nft: input.burn,
            };
            burn -= row.burn;
            sheet.entry(token.category).or_default().push(row);
        }
    }
    Ok(sheet)
}

/// The categories that the transaction may make tokens of from nothing.
fn newborn(scene: &Scene<'_>) -> BTreeSet<Category> {
    let all = scene.inputs.iter().flatten().flatten().map(|taken| taken.coin.outpoint);
    all.filter(|outpoint| outpoint.index == 0).map(|outpoint| Category::from_wire(*outpoint.txid.as_wire())).collect()
}

fn change_lock(scene: &Scene<'_>) -> Result<Option<Vec<u8>>, PlanFault> {
    match &scene.wish.plan.change {
        Change::To(lock) => Ok(Some(scene.evaluator().bytes(lock)?)),
        Change::Wallet | Change::None => Ok(None),
    }
}

fn tokens_of(outputs: &[TxOut], category: Category) -> impl Iterator<Item = (usize, &Token)> {
    let tokens = outputs.iter().enumerate().filter_map(|(at, output)| Some((at, output.token.as_ref()?)));
    tokens.filter(move |(_, token)| token.category == category)
}

/// Takes coins of the payer until the fungible tokens suffice, as far as there are any.
fn fund(scene: &Scene<'_>, category: Category, paid: u64, rows: &mut Vec<Brought>, balance: &mut Balance) {
    let Some(payer) = scene.wish.payer.filter(|_| scene.wish.plan.change != Change::None) else { return };
    let lock = payer.lock();
    let amount_of = |coin: &Utxo| match &coin.output.token {
        Some(token) if token.category == category && token.nft.is_none() => token.amount,
        _ => 0,
    };
    let mut usable: Vec<&Utxo> = scene.free().filter(|coin| coin.output.lock == lock && amount_of(coin) > 0).collect();
    usable.sort_by_key(|coin| (std::cmp::Reverse(amount_of(coin)), coin.outpoint));
    let mut have = rows.iter().map(|row| row.amount).fold(0, u64::saturating_add);
    for coin in usable {
        if have >= paid {
            return;
        }
        let amount = amount_of(coin);
        have = have.saturating_add(amount);
        rows.push(Brought { owner: Some(lock.clone()), amount, burn: 0, nft: None, burn_nft: false });
        balance.inputs.push(coin.clone());
    }
}

/// Where tokens go that no output takes.
struct Back {
    /// Who takes them all; without one each owner takes its own.
    lock: Option<Vec<u8>>,
    /// Whether no output may be added.
    none: bool,
    outputs: Vec<TxOut>,
}

impl Back {
    fn give(&mut self, owner: &[u8], token: Token) {
        let lock = self.lock.clone().unwrap_or_else(|| owner.to_vec());
        let mut output = TxOut { value: Sats::ZERO, token: Some(token), lock };
        output.value = dust_limit(&output);
        self.outputs.push(output);
    }
}

fn fungible(category: Category, paid: u64, rows: &[Brought], back: &mut Back) -> Result<(), PlanFault> {
    let brought = rows.iter().map(|row| row.amount).fold(0, u64::saturating_add);
    let mut over = brought.checked_sub(paid).ok_or_else(|| PlanFault::TokensOverspent {
        category: category.to_string(),
        brought,
        paid,
    })?;
    let mut owners: BTreeMap<&[u8], u64> = BTreeMap::new();
    if !back.none {
        for row in rows {
            let Some(owner) = &row.owner else { continue };
            let given = over.min(row.amount - row.burn);
            over -= given;
            *owners.entry(owner).or_default() += given;
        }
    }
    for (owner, amount) in owners.into_iter().filter(|(_, amount)| *amount > 0) {
        back.give(owner, Token { category, amount, nft: None });
    }
    let burn = rows.iter().map(|row| row.burn).fold(0, u64::saturating_add);
    match over.checked_sub(burn) {
        None | Some(0) => Ok(()),
        Some(amount) => Err(PlanFault::TokensLost { category: category.to_string(), amount }),
    }
}

/// Matches non-fungible tokens of outputs with those that allow them, and gives back what is left.
fn nfts(category: Category, outputs: &[TxOut], rows: &[Brought], back: &mut Back) -> Result<(), PlanFault> {
    let mut rows: Vec<(&Brought, &Nft)> = rows.iter().filter_map(|row| Some((row, row.nft.as_ref()?))).collect();
    let mints = rows.iter().any(|(_, nft)| nft.capability == Capability::Minting);
    let made: Vec<(usize, &Nft)> =
        tokens_of(outputs, category).filter_map(|(at, token)| Some((at, token.nft.as_ref()?))).collect();
    let mut changed = Vec::new();
    for (at, nft) in made {
        match rows.iter().position(|(_, other)| *other == nft) {
            Some(same) => drop(rows.remove(same)),
            None => changed.push((at, nft)),
        }
    }
    for (at, nft) in changed {
        // The weakest token that allows it, so that the stronger ones stay for what needs them.
        let allows = |other: &Nft| other.capability > Capability::None && other.capability >= nft.capability;
        let allowing = rows.iter().enumerate().filter(|(_, (_, other))| allows(other));
        match allowing.min_by_key(|(_, (_, other))| other.capability).map(|(at, _)| at) {
            Some(used) => drop(rows.remove(used)),
            None if mints => {}
            None => return Err(PlanFault::NftFromNothing(category.to_string(), at)),
        }
    }
    for (row, nft) in rows.into_iter().filter(|(row, _)| !row.burn_nft) {
        match &row.owner {
            Some(owner) if !back.none => back.give(owner, Token { category, amount: 0, nft: Some(nft.clone()) }),
            _ => return Err(PlanFault::NftLost(category.to_string())),
        }
    }
    Ok(())
}
