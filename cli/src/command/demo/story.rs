//! The facts of the story, each read back from the chain over RPC.

use serde::Serialize;
use serde_json::{Value, json};
use spec::codec::write_compact_size;
use spec::{Address, Artifact, BlockHash, Mode, OpCost, OutPoint, Rules, Sats, SpendContext, Transaction, TxOut, Txid};
use wallet::Params;

use crate::fail::Fail;
use crate::link::{Link, NETWORK, broken};
use crate::units::Ratio;

/// What the chain cannot know: who plays whom.
pub(crate) struct Cast {
    pub(crate) title: String,
    pub(crate) params: Params,
    pub(crate) redeem_bytes: usize,
    pub(crate) lock: Vec<u8>,
    pub(crate) payer: String,
    pub(crate) keeper_sats: Sats,
}

/// The story.
#[derive(Debug, Serialize)]
pub(crate) struct Story {
    pub(crate) example: String,
    pub(crate) contract: String,
    pub(crate) file: String,
    pub(crate) address: String,
    pub(crate) script_bytes: usize,
    pub(crate) minimum_sats: Sats,
    pub(crate) payer: String,
    pub(crate) keeper_sats: Sats,
    pub(crate) payment: Mined,
    pub(crate) pot_sats: Sats,
    pub(crate) settlement: Settlement,
    pub(crate) shares: Vec<ShareFact>,
    /// The units that are left when every share is rounded down.
    pub(crate) remainder_sats: Sats,
    /// Who is last in the order of rounding.
    pub(crate) remainder_to: String,
    pub(crate) forgery: Forgery,
    pub(crate) milliseconds: u64,
    #[serde(skip)]
    raw: Raw,
}

/// A transaction in a block.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Mined {
    pub(crate) txid: Txid,
    pub(crate) block: BlockHash,
    pub(crate) height: u32,
}

/// The settlement's figures.
#[derive(Debug, Serialize)]
pub(crate) struct Settlement {
    #[serde(flatten)]
    pub(crate) mined: Mined,
    pub(crate) bytes: usize,
    pub(crate) fee_sats: Sats,
    pub(crate) cost: OpCost,
    pub(crate) budget: OpCost,
    pub(crate) sig_checks: u32,
}

/// One recipient.
#[derive(Debug, Serialize)]
pub(crate) struct ShareFact {
    pub(crate) source: String,
    pub(crate) share: String,
    pub(crate) percent: String,
    pub(crate) sats: Sats,
    /// What rounding added to the exact share, or took from it.
    pub(crate) rounding: String,
    pub(crate) address: String,
}

/// A settlement that was tampered with, and the node's answer.
#[derive(Debug, Serialize)]
pub(crate) struct Forgery {
    pub(crate) what: String,
    pub(crate) code: i64,
    pub(crate) message: String,
}

#[derive(Debug)]
struct Raw {
    tx: Transaction,
    spent: Vec<TxOut>,
}

impl Story {
    /// Reads the story of a payment and its settlement.
    pub(crate) fn read(
        link: &Link,
        artifact: &Artifact,
        cast: Cast,
        payment: Txid,
        settlement: Txid,
        forgery: Forgery,
    ) -> Result<Self, Fail> {
        let raw = Raw::read(link, settlement)?;
        let pot_sats = Sats::checked_sum(raw.spent.iter().map(|coin| coin.value)).unwrap_or_default();
        let paid = Sats::checked_sum(raw.tx.outputs.iter().map(|output| output.value)).unwrap_or_default();
        let table = artifact.reward.as_ref().ok_or_else(|| Fail::refused("the contract is no reward"))?;
        let shares = shares(artifact, &cast.params, &raw.tx, paid)?;
        let weights = table.sources.iter().map(|source| u128::from(source.weight));
        let floors: u128 = weights.map(|weight| u128::from(paid.get()) * weight / u128::from(table.denominator)).sum();
        let last = table.sources.iter().max_by_key(|source| source.rank);
        Ok(Self {
            example: cast.title,
            contract: artifact.contract.clone(),
            file: artifact.sources.first().map(|source| source.path.clone()).unwrap_or_default(),
            address: address_of(&cast.lock),
            script_bytes: cast.redeem_bytes,
            minimum_sats: table.minimum_sats,
            payer: cast.payer,
            keeper_sats: cast.keeper_sats,
            payment: mined(link, payment)?,
            pot_sats,
            settlement: settlement_facts(artifact, mined(link, settlement)?, &raw, pot_sats, paid)?,
            shares,
            remainder_sats: Sats::from_wire(paid.get().saturating_sub(u64::try_from(floors).unwrap_or(u64::MAX))),
            remainder_to: last.map(|source| source.name.clone()).unwrap_or_default(),
            forgery,
            milliseconds: 0,
            raw,
        })
    }

    /// The settlement in the form of the conformance vectors, for any other machine to judge.
    pub(crate) fn vector(&self) -> Value {
        let mut spent = Vec::new();
        write_compact_size(&mut spent, self.raw.spent.len() as u64);
        self.raw.spent.iter().for_each(|output| output.write(&mut spent));
        json!({
            "id": self.contract,
            "family": "settlement",
            "expect": "standard",
            "about": format!("a settlement of {} coin by {}", self.pot_sats, self.contract),
            "tx": hex::encode(self.raw.tx.encode()),
            "utxos": hex::encode(spent),
            "input": 0,
        })
    }
}

impl Raw {
    /// A transaction's bytes and the outputs it spends.
    fn read(link: &Link, txid: Txid) -> Result<Self, Fail> {
        let tx = transaction(link, txid)?;
        let spent = |prevout: OutPoint| {
            let outputs = transaction(link, prevout.txid)?.outputs;
            outputs.into_iter().nth(prevout.index as usize).ok_or_else(|| broken("getrawtransaction"))
        };
        let spent = tx.inputs.iter().map(|input| spent(input.prevout)).collect::<Result<_, _>>()?;
        Ok(Self { tx, spent })
    }
}

fn transaction(link: &Link, txid: Txid) -> Result<Transaction, Fail> {
    let answer = link.call("getrawtransaction", &[json!(txid), json!(0)])?;
    let bytes = answer.as_str().and_then(|text| hex::decode(text).ok());
    bytes.and_then(|bytes| Transaction::decode(&bytes).ok()).ok_or_else(|| broken("getrawtransaction"))
}

/// Which block holds a transaction, by the transaction's own word and the block's.
fn mined(link: &Link, txid: Txid) -> Result<Mined, Fail> {
    let answer = link.call("getrawtransaction", &[json!(txid), json!(1)])?;
    let block = answer.get("blockhash").and_then(Value::as_str).and_then(|text| text.parse::<BlockHash>().ok());
    let block = block.ok_or_else(|| Fail::refused(format!("{txid} is in no block")))?;
    let header = link.call("getblock", &[json!(block), json!(1)])?;
    let listed = header.get("tx").and_then(Value::as_array).is_some_and(|ids| ids.contains(&json!(txid)));
    let height = header.get("height").and_then(Value::as_u64).and_then(|height| u32::try_from(height).ok());
    height.filter(|_| listed).map(|height| Mined { txid, block, height }).ok_or_else(|| broken("getblock"))
}

fn settlement_facts(artifact: &Artifact, mined: Mined, raw: &Raw, pot: Sats, paid: Sats) -> Result<Settlement, Fail> {
    let rules = Rules::new(artifact.rules, Mode::Relay);
    let context = SpendContext::new(&raw.tx, &raw.spent).ok_or_else(|| broken("getrawtransaction"))?;
    let metrics = vm::verify_input(&rules, &context, 0).map_err(|failure| Fail::refused(failure.error.to_string()))?;
    let unlock_len = raw.tx.inputs.first().map_or(0, |input| input.unlock.len());
    Ok(Settlement {
        mined,
        bytes: raw.tx.len_bytes(),
        fee_sats: pot.checked_sub(paid).unwrap_or_default(),
        cost: metrics.cost,
        budget: rules.cost_budget(unlock_len),
        sig_checks: metrics.sig_checks,
    })
}

/// Who got what: output `i` against source `i`, and its lock against the one that was asked for.
fn shares(artifact: &Artifact, params: &Params, tx: &Transaction, paid: Sats) -> Result<Vec<ShareFact>, Fail> {
    let table = artifact.reward.as_ref().ok_or_else(|| Fail::refused("the contract is no reward"))?;
    let denominator = i128::from(table.denominator);
    let fact = |(source, output): (&spec::artifact::RewardSource, &TxOut)| {
        let name = artifact.params.get(source.param).map(|slot| slot.name.as_str()).unwrap_or_default();
        let asked = params.get(name) == Some(&spec::artifact::AbiValue::Item(output.lock.clone()));
        let weight = i128::from(source.weight);
        let exact = i128::from(paid.get()) * weight;
        let share = Ratio::new(weight, denominator);
        let rounding = Ratio::new(i128::from(output.value.get()) * denominator - exact, denominator);
        let (share, rounding) = share.zip(rounding).filter(|_| asked)?;
        Some(ShareFact {
            source: source.name.clone(),
            share: share.to_string(),
            percent: share.percent(),
            sats: output.value,
            rounding: rounding.signed(),
            address: address_of(&output.lock),
        })
    };
    let facts: Option<Vec<ShareFact>> = table.sources.iter().zip(&tx.outputs).map(fact).collect();
    let complete = table.sources.len() == tx.outputs.len();
    facts.filter(|_| complete).ok_or_else(|| Fail::refused("the chain's settlement does not pay the recipients"))
}

fn address_of(lock: &[u8]) -> String {
    Address::of_lock(NETWORK, lock).map_or_else(|| hex::encode(lock), |address| address.to_string())
}
