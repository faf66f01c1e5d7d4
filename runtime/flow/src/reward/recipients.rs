//! Who a reward pays: by parameters of its own, or by the records of a list.

use std::collections::BTreeMap;

use spec::artifact::{AbiError, AbiType, AbiValue, Record, Records, RewardList, RewardSource, RewardTable, Slot};
use spec::model::{Terms, can_be_paid, names_hash};
use spec::split::Weights;
use spec::{Artifact, Mode, RuleSet, Rules, Sats};

/// The bytes of a stored weight, and of the height until which an entry is locked.
const FIELD_BYTES: usize = 4;

/// The items that a settlement has on the stack beside its weights, of which each is one.
const SETTLING_ITEMS: usize = 15;
/// The bytes that the outputs of a settlement may take: nodes pass on transactions of 100,000 bytes, and the first
/// input, with the weights, may take 10,100 of them and more coins the rest.
const OUTPUTS_BYTES_MAX: usize = 89_000;
/// The bytes of an output beside its lock: the value, and the length of the lock.
const OUTPUT_BYTES: usize = 8 + 3;

/// Somebody whom a reward pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The source's path in the declaration; its number, from 1, for recipients that a list adds.
    pub name: String,
    /// Its weight over the reward's denominator.
    pub weight: u64,
    /// Where it is paid.
    pub lock: Vec<u8>,
    /// The height until which nobody may take weight away; 0 in a reward that cannot be adjusted.
    pub until: u32,
}

impl Recipient {
    /// The record that stands for it in a list that is never replaced; of a weight that is none, nothing is left.
    pub(crate) fn entry(&self) -> Record {
        vec![u32::try_from(self.weight).unwrap_or_default().to_le_bytes().to_vec(), self.lock.clone()]
    }
}

/// One recipient's part of a pot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The source's path in the declaration, such as `models.diffusion`; its number for recipients that a list adds.
    pub name: String,
    /// Its weight over the table's denominator.
    pub weight: u64,
    /// Where it is paid.
    pub lock: Vec<u8>,
    /// What it gets.
    pub value: Sats,
}

/// Why recipients are none for a reward.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// The contract is no reward, or one with a parameter for each source.
    #[error("`{0}` does not take a list of recipients")]
    NoList(String),
    /// A parameter is missing or of another shape.
    #[error(transparent)]
    Abi(#[from] AbiError),
    /// A record has other fields than the reward's records.
    #[error("record {0} of the list is no weight and lock")]
    Malformed(usize),
    /// A named source has no lock.
    #[error("the source `{0}` has no lock")]
    Unnamed(String),
    /// Weights that do not sum to the whole.
    #[error("the weights of the list sum to {sum}, not {whole}")]
    Sum {
        /// What they sum to.
        sum: u128,
        /// What they must sum to.
        whole: u64,
    },
    /// Nothing says which token may replace the list.
    #[error("the list of `{0}` may be replaced, but nothing says by which record")]
    NoRecord(String),
    /// An entry that is locked would lose weight or time.
    #[error(
        "`{name}` is locked until height {until}: the new list needs an entry with its lock, a weight of {weight} or more, and no earlier height"
    )]
    Locked {
        /// Who.
        name: String,
        /// Its weight.
        weight: u64,
        /// Until when.
        until: u32,
    },
    /// A proposal that replaces the list, or changes it, would not fit one transaction.
    #[error(
        "a list that may be replaced has to fit one proposal: {count} entries take {bytes} bytes and {items} items of {most_bytes} and {most_items}"
    )]
    TooLong {
        /// How many entries a proposal would have.
        count: usize,
        /// The bytes that they take.
        bytes: usize,
        /// The most bytes of all entries.
        most_bytes: usize,
        /// The stack items that they take.
        items: usize,
        /// The most items of all entries.
        most_items: usize,
    },
    /// No settlement could pay so many.
    #[error("a list of {count} recipients cannot be settled: at most {most} fit one transaction")]
    TooMany {
        /// How many it has.
        count: usize,
        /// How many a settlement can pay.
        most: usize,
    },
    /// No node would pass a settlement on.
    #[error("the outputs of a settlement take {0} bytes: at most {OUTPUTS_BYTES_MAX} fit one transaction")]
    TooLarge(usize),
    /// No output has such a lock, or no node passes it on.
    #[error("no settlement can pay `{0}`: its lock is no script that an output may have")]
    Unpayable(String),
    /// The list was deployed with other names.
    #[error("the list of `{0}` was deployed with other names than these")]
    Names(String),
    /// A weight with which a recipient would get dust.
    #[error("`{name}` has weight {weight}, but only {least} and more keep its share of the smallest pot above dust")]
    TooLight {
        /// Who.
        name: String,
        /// Its weight.
        weight: u64,
        /// The least.
        least: u64,
    },
}

/// Whom the reward pays, in output order.
///
/// # Errors
/// [`ListError`] if the contract is no reward, or its parameters do not say it.
pub fn recipients(artifact: &Artifact, params: &BTreeMap<String, AbiValue>) -> Result<Vec<Recipient>, ListError> {
    let table = artifact.reward.as_ref().ok_or_else(|| ListError::NoList(artifact.contract.clone()))?;
    let value = |index: usize| {
        let slot = artifact.params.get(index).ok_or(AbiError::Inconsistent("a source names no parameter"))?;
        params.get(&slot.name).ok_or_else(|| AbiError::MissingParam(slot.name.clone()))
    };
    let Some(list) = &table.list else {
        let own = |source: &spec::artifact::RewardSource| {
            let lock = value(source.param)?.item().ok_or(AbiError::Inconsistent("a lock is no single item"))?;
            Ok(Recipient { name: source.name.clone(), weight: source.weight, lock: lock.to_vec(), until: 0 })
        };
        return table.sources.iter().map(own).collect();
    };
    let AbiValue::Records(records) = value(list.param)? else {
        return Err(AbiError::Inconsistent("the list is given by other than records").into());
    };
    let listed = records.all.iter().enumerate().map(|(at, record)| listed(table, list, at, record));
    let listed = listed.collect::<Result<Vec<_>, _>>()?;
    check(artifact.rules, table, list, &listed)?;
    Ok(listed)
}

fn listed(table: &RewardTable, list: &RewardList, at: usize, record: &Record) -> Result<Recipient, ListError> {
    let malformed = || ListError::Malformed(at);
    let number = |bytes: &Vec<u8>| <[u8; FIELD_BYTES]>::try_from(bytes.as_slice()).ok().map(u32::from_le_bytes);
    let (weight, until, lock) = match (record.as_slice(), list.adjustable) {
        ([weight, lock], false) => (number(weight), Some(0), lock),
        ([weight, until, lock], true) => (number(weight), number(until), lock),
        _ => return Err(malformed()),
    };
    let name = table.sources.get(at).map_or_else(|| (at + 1).to_string(), |source| source.name.clone());
    // The highest bit is a sign.
    let weight = weight.filter(|weight| *weight <= i32::MAX.unsigned_abs()).ok_or_else(malformed)?;
    Ok(Recipient { name, weight: weight.into(), lock: lock.clone(), until: until.ok_or_else(malformed)? })
}

/// The records of a reward's list: the named sources by the locks that `named` gives them, then `others`, whose
/// weights are over the denominator of the whole reward.
///
/// # Errors
/// [`ListError`] if the reward takes no list, a source has no lock, or the weights are none for this reward.
pub fn records(
    artifact: &Artifact,
    named: &dyn Fn(&str) -> Option<Vec<u8>>,
    others: &[(u64, Vec<u8>)],
) -> Result<AbiValue, ListError> {
    let (table, _) = list_of(artifact)?;
    let mut all = Vec::with_capacity(table.sources.len() + others.len());
    for source in &table.sources {
        let lock = named(&source.name).ok_or_else(|| ListError::Unnamed(source.name.clone()))?;
        all.push(Recipient { name: source.name.clone(), weight: source.weight, lock, until: 0 });
    }
    for (weight, lock) in others {
        let name = (all.len() + 1).to_string();
        all.push(Recipient { name, weight: *weight, lock: lock.clone(), until: 0 });
    }
    records_of(artifact, &all)
}

/// The records that hold these recipients, in this order.
///
/// # Errors
/// [`ListError`] if the reward takes no list, or these are none for it.
pub fn records_of(artifact: &Artifact, all: &[Recipient]) -> Result<AbiValue, ListError> {
    let (table, list) = list_of(artifact)?;
    check(artifact.rules, table, list, all)?;
    let records = all.iter().enumerate().map(|(at, one)| record(list, at, one)).collect::<Result<_, _>>()?;
    Ok(AbiValue::Records(Records { about: about(table, list, names_of(all)), all: records }))
}

/// What the hash of a list begins with, given the digest of its names.
fn about(table: &RewardTable, list: &RewardList, names: [u8; 32]) -> Vec<u8> {
    if list.has_terms { terms(table, names).encode() } else { names.to_vec() }
}

/// The numbers of a model's flow. The compiler makes none that do not fit.
pub(super) fn terms(table: &RewardTable, names: [u8; 32]) -> Terms {
    let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Terms {
        whole: number(table.denominator),
        least: table.minimum_sats.checked_sub(table.fee_sats_max).unwrap_or(Sats::ZERO),
        fee_max: number(table.fee_sats_max.get()),
        names,
    }
}

pub(super) fn names_of(all: &[Recipient]) -> [u8; 32] {
    names_hash(all.iter().map(|one| one.name.as_str()))
}

/// The parameters by which whoever deploys a contract says whom it pays: a lock for each source of a list whose
/// recipients all have names, which [`gather`] puts together.
#[must_use]
pub fn open_slots(artifact: &Artifact) -> Vec<Slot> {
    let by_name = by_name(artifact);
    let slots = artifact.open_params().map(|(at, slot)| match by_name {
        Some((table, list)) if list.param == at => {
            let lock = |source: &RewardSource| Slot { name: param_of(source), ty: AbiType::Lock };
            table.sources.iter().map(lock).collect()
        }
        _ => vec![slot.clone()],
    });
    slots.flatten().collect()
}

/// Puts locks that were given by name, as [`open_slots`] says them, into the list that holds them. A list that is
/// given itself stays as it is.
///
/// # Errors
/// [`ListError`] if a source has no lock, or no settlement could pay the list.
pub fn gather(artifact: &Artifact, params: &mut BTreeMap<String, AbiValue>) -> Result<(), ListError> {
    let Some((table, list)) = by_name(artifact) else { return Ok(()) };
    let Some(slot) = artifact.params.get(list.param) else { return Ok(()) };
    if artifact.sealed_value(list.param).is_some() || params.contains_key(&slot.name) {
        return Ok(());
    }
    let mut all = Vec::with_capacity(table.sources.len());
    for source in &table.sources {
        let given = params.remove(&param_of(source));
        let lock = given.as_ref().and_then(AbiValue::item).map(<[u8]>::to_vec);
        let lock = lock.ok_or_else(|| ListError::Unnamed(source.name.clone()))?;
        all.push(Recipient { name: source.name.clone(), weight: source.weight, lock, until: 0 });
    }
    params.insert(slot.name.clone(), records_of(artifact, &all)?);
    Ok(())
}

/// A list all of whose recipients are named in the source, and for ever.
fn by_name(artifact: &Artifact) -> Option<(&RewardTable, &RewardList)> {
    list_of(artifact).ok().filter(|(_, list)| list.unnamed == 0 && !list.adjustable)
}

/// The parameter of a source, as in a reward that has one for each.
fn param_of(source: &RewardSource) -> String {
    source.name.replace('.', "_")
}

/// Gives the list among a reward's parameters the names that its declaration says, unless it has others.
pub fn name_list(artifact: &Artifact, params: &mut BTreeMap<String, AbiValue>) {
    let names = match recipients(artifact, params) {
        Ok(recipients) => names_of(&recipients),
        // Whoever uses the list is told.
        Err(_) => return,
    };
    let Ok((table, list)) = list_of(artifact) else { return };
    // The hash of a list that is built in is as it is.
    let slot = artifact.params.get(list.param).filter(|_| artifact.sealed_value(list.param).is_none());
    if let Some(AbiValue::Records(records)) = slot.and_then(|slot| params.get_mut(&slot.name)) {
        match <[u8; 32]>::try_from(records.about.as_slice()) {
            _ if records.about.is_empty() => records.about = about(table, list, names),
            Ok(named) if list.has_terms => records.about = about(table, list, named),
            _ => {}
        }
    }
}

/// What the artifact says of the reward's list.
pub(super) fn list_of(artifact: &Artifact) -> Result<(&RewardTable, &RewardList), ListError> {
    let table = artifact.reward.as_ref();
    let list = table.and_then(|table| Some((table, table.list.as_ref()?)));
    list.ok_or_else(|| ListError::NoList(artifact.contract.clone()))
}

fn record(list: &RewardList, at: usize, one: &Recipient) -> Result<Record, ListError> {
    let weight = u32::try_from(one.weight).map_err(|_| ListError::Malformed(at))?.to_le_bytes().to_vec();
    let until = list.adjustable.then(|| one.until.to_le_bytes().to_vec());
    Ok([weight].into_iter().chain(until).chain([one.lock.clone()]).collect())
}

/// The pushes of an entry of a proposal beside its lock: weights of up to four bytes before and after, and times.
const CHANGE_BYTES: usize = 4 * 5;
/// The bytes of an unlocking script that entries may take: the rest is for names, a signature and the script.
const PROPOSAL_BYTES_MAX: usize = 9_200;
/// The stack items that entries may take, five each.
const PROPOSAL_ITEMS_MAX: usize = 950;

/// Whether a proposal with entries of these locks fits one transaction. A list fits if all its weights can change at
/// once; a proposal that brings others in has their entries too.
pub(super) fn check_proposal(locks: impl Iterator<Item = usize>) -> Result<(), ListError> {
    let (mut count, mut bytes) = (0usize, 0usize);
    for len in locks {
        count += 1;
        bytes = bytes.saturating_add(CHANGE_BYTES + len + if len > 75 { 2 } else { 1 });
    }
    let items = count.saturating_mul(5);
    if bytes <= PROPOSAL_BYTES_MAX && items <= PROPOSAL_ITEMS_MAX {
        return Ok(());
    }
    let (most_bytes, most_items) = (PROPOSAL_BYTES_MAX, PROPOSAL_ITEMS_MAX);
    Err(ListError::TooLong { count, bytes, most_bytes, items, most_items })
}

fn check(rules: RuleSet, table: &RewardTable, list: &RewardList, all: &[Recipient]) -> Result<(), ListError> {
    let sum: u128 = all.iter().map(|one| u128::from(one.weight)).sum();
    if sum != u128::from(table.denominator) {
        return Err(ListError::Sum { sum, whole: table.denominator });
    }
    let most = Rules::new(rules, Mode::Relay).limits.slots.saturating_sub(SETTLING_ITEMS);
    if all.len() > most {
        return Err(ListError::TooMany { count: all.len(), most });
    }
    let bytes = all.iter().fold(0usize, |sum, one| sum.saturating_add(one.lock.len()).saturating_add(OUTPUT_BYTES));
    if bytes > OUTPUTS_BYTES_MAX {
        return Err(ListError::TooLarge(bytes));
    }
    if let Some(one) = all.iter().find(|one| list.has_terms && !can_be_paid(&one.lock)) {
        return Err(ListError::Unpayable(one.name.clone()));
    }
    if list.adjustable {
        check_proposal(all.iter().map(|one| one.lock.len()))?;
    }
    match all.iter().find(|one| one.weight < list.weight_min.max(1)) {
        None => Ok(()),
        Some(one) => {
            let (name, weight) = (one.name.clone(), one.weight);
            Err(ListError::TooLight { name, weight, least: list.weight_min.max(1) })
        }
    }
}

/// Everybody's share of `pot`, in output order; the shares sum to it.
///
/// # Errors
/// [`ListError`] if the weights are none.
pub fn shares(table: &RewardTable, all: &[Recipient], pot: Sats) -> Result<Vec<Share>, ListError> {
    let no_weights = || ListError::Sum { sum: 0, whole: table.denominator };
    let values = match &table.list {
        None => table.divide(pot).ok_or_else(no_weights)?,
        Some(_) => {
            let weights = Weights::new(all.iter().map(|one| one.weight).collect()).ok_or_else(no_weights)?;
            weights.divide(pot)
        }
    };
    let share = |(one, value): (&Recipient, Sats)| Share {
        name: one.name.clone(),
        weight: one.weight,
        lock: one.lock.clone(),
        value,
    };
    Ok(all.iter().zip(values).map(share).collect())
}
