//! Contribution flows from a chain's transactions alone: which rewards were published, and what they paid.
//!
//! Two walks over the transactions: the first finds what was published, the second follows the coins of those
//! rewards and the records that may replace their lists. What is published is checked against its own script, and
//! against what the chain enforced; a body that does not agree is refused.

use std::collections::{BTreeMap, BTreeSet};

use spec::script::instructions;
use spec::token::Token;
use spec::{Category, OutPoint, Sats, Transaction, Txid, num, publish};

use super::published::{Form, Published, list_hash};
use super::recipients::Recipient;

/// Number, list in force and list proposed, in the commitment of a record's token.
const RECORD_BYTES: usize = 4 + 32 + 32;
/// The pushes of one entry of a proposal: the weights and times before and after, and the lock.
const CHANGE_PUSHES: usize = 5;
/// What else a proposal pushes: the digests of the names, the height, perhaps a signature, the path, the script.
const OTHER_PUSHES: std::ops::RangeInclusive<usize> = 4..=7;

/// A reward and what it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// What was published.
    pub published: Published,
    /// Where.
    pub txid: Txid,
    /// What was paid, in the order of the chain.
    pub settlements: Vec<Paid>,
    /// What happened to its list, if it may be replaced, in the order of the chain.
    pub history: Vec<Change>,
    /// What its coins hold.
    pub held: Sats,
}

/// Something that was published and does not agree with the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The name that it gives to the reward.
    pub name: String,
    /// Where it was published.
    pub txid: Txid,
    /// In words.
    pub why: &'static str,
}

/// A pot that was divided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// The transaction.
    pub txid: Txid,
    /// The coins of the reward that it spent, together.
    pub pot: Sats,
    /// What each recipient got, in the order of the list.
    pub shares: Vec<Sats>,
}

/// What the record of a list says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A list waits for the end of the notice period.
    Proposed {
        /// The transaction, which holds the whole list.
        txid: Txid,
        /// The list; nothing if the transaction does not show it.
        recipients: Option<Vec<Recipient>>,
    },
    /// A proposal was taken back.
    Cancelled {
        /// The transaction.
        txid: Txid,
    },
    /// Another list counts.
    Activated {
        /// The transaction.
        txid: Txid,
        /// The hash of the list.
        hash: [u8; 32],
    },
}

/// Every reward that transactions publish, with its settlements, and what was published and is not true. The
/// transactions come in the order of the chain; `registered` are the flows that registries have built in them.
pub(crate) fn rebuild<'t>(
    transactions: impl IntoIterator<Item = &'t Transaction> + Clone,
    registered: &BTreeMap<Txid, Vec<Published>>,
) -> (Vec<Flow>, Vec<Refused>) {
    let mut walk = Walk::default();
    for tx in transactions.clone() {
        let (txid, bodies) = (tx.txid(), publish::bodies(tx));
        let published = bodies.iter().filter_map(|body| Published::decode(body));
        published.for_each(|published| walk.add(published, txid));
        registered.get(&txid).into_iter().flatten().for_each(|flow| walk.keep(flow.clone(), txid));
    }
    transactions.into_iter().for_each(|tx| walk.step(tx));
    walk.held();
    let Walk { flows, made_up, mut refused, .. } = walk;
    let mut kept = Vec::with_capacity(flows.len());
    for (at, flow) in flows.into_iter().enumerate() {
        if made_up.contains(&at) {
            let why = "a settlement does not divide as it says";
            refused.push(Refused { name: flow.published.name, txid: flow.txid, why });
        } else {
            kept.push(flow);
        }
    }
    (kept, refused)
}

#[derive(Default)]
struct Walk {
    flows: Vec<Flow>,
    /// The flows of each lock.
    of_lock: BTreeMap<Vec<u8>, Vec<usize>>,
    /// The flows of each record.
    of_record: BTreeMap<Category, Vec<usize>>,
    /// The flows whose body says what the chain does not do.
    made_up: BTreeSet<usize>,
    refused: Vec<Refused>,
    coins: BTreeMap<OutPoint, (Vec<u8>, Sats)>,
    records: BTreeMap<OutPoint, (Category, Record)>,
}

/// What a record's commitment says.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Record {
    seq: [u8; 4],
    current: [u8; 32],
    next: [u8; 32],
}

impl Record {
    fn of(token: &Token) -> Option<Self> {
        let commitment = &token.nft.as_ref()?.commitment;
        let hash = |from: usize| commitment.get(from..from + 32)?.try_into().ok();
        if commitment.len() != RECORD_BYTES {
            return None;
        }
        Some(Self { seq: commitment.first_chunk().copied()?, current: hash(4)?, next: hash(36)? })
    }
}

impl Walk {
    /// A reward, unless it is one that is known by other names.
    fn add(&mut self, published: Published, txid: Txid) {
        if !published.fits() {
            let why = "its script does not hold whom it pays";
            return self.refused.push(Refused { name: published.name, txid, why });
        }
        self.keep(published, txid);
    }

    fn keep(&mut self, published: Published, txid: Txid) {
        let lock = published.lock();
        let same = self.of_lock.get(&lock).into_iter().flatten();
        let money = |published: &Published| {
            let of = |one: &Recipient| (one.weight, one.until, one.lock.clone());
            (published.form, published.last, published.recipients.iter().map(of).collect::<Vec<_>>())
        };
        let mut same = same.filter_map(|at| self.flows.get(*at));
        if same.any(|known| money(&known.published) == money(&published)) {
            return;
        }
        let at = self.flows.len();
        self.of_lock.entry(lock).or_default().push(at);
        if let Form::Adjustable { record } = published.form {
            self.of_record.entry(record).or_default().push(at);
        }
        self.flows.push(Flow { published, txid, settlements: Vec::new(), history: Vec::new(), held: Sats::ZERO });
    }

    /// What lies unspent at each reward.
    fn held(&mut self) {
        for (lock, value) in self.coins.values() {
            for at in self.of_lock.get(lock).into_iter().flatten() {
                if let Some(flow) = self.flows.get_mut(*at) {
                    flow.held = flow.held.checked_add(*value).unwrap_or(flow.held);
                }
            }
        }
    }

    fn step(&mut self, tx: &Transaction) {
        let txid = tx.txid();
        self.settle(tx, txid);
        self.replace(tx, txid);
        for (index, output) in (0u32..).zip(&tx.outputs) {
            let outpoint = OutPoint { txid, index };
            if self.of_lock.contains_key(&output.lock) {
                self.coins.insert(outpoint, (output.lock.clone(), output.value));
            }
            if let Some(token) = output.token.as_ref().filter(|token| self.of_record.contains_key(&token.category))
                && let Some(record) = Record::of(token)
            {
                self.records.insert(outpoint, (token.category, record));
            }
        }
    }

    /// The first input settles; coins of the same lock join it.
    fn settle(&mut self, tx: &Transaction, txid: Txid) {
        let spent: Vec<_> = tx.inputs.iter().map(|input| self.coins.remove(&input.prevout)).collect();
        let Some((lock, _)) = spent.first().cloned().flatten() else { return };
        let own = spent.iter().flatten().filter(|(other, _)| *other == lock);
        let pot = Sats::checked_sum(own.map(|(_, value)| *value));
        let Some(pot) = pot else { return };
        for at in self.of_lock.get(&lock).cloned().unwrap_or_default() {
            let Some(flow) = self.flows.get_mut(at) else { continue };
            match shares(&flow.published, tx) {
                Some(shares) => flow.settlements.push(Paid { txid, pot, shares }),
                None => drop(self.made_up.insert(at)),
            }
        }
    }

    fn replace(&mut self, tx: &Transaction, txid: Txid) {
        for input in &tx.inputs {
            let Some((category, before)) = self.records.remove(&input.prevout) else { continue };
            let own = tx.outputs.iter().filter_map(|output| output.token.as_ref());
            let mut own = own.filter(|token| token.category == category);
            let Some(after) = own.find_map(Record::of) else { continue };
            for at in self.of_record.get(&category).cloned().unwrap_or_default() {
                let Some(flow) = self.flows.get_mut(at) else { continue };
                let change = if after.seq != before.seq {
                    Change::Activated { txid, hash: after.current }
                } else if after.next == [0; 32] {
                    Change::Cancelled { txid }
                } else {
                    let known = &flow.published.recipients;
                    Change::Proposed { txid, recipients: proposal(&input.unlock, &before, &after, known) }
                };
                flow.history.push(change);
            }
        }
    }
}

/// What a settlement pays the published recipients; nothing if the reward is not the one that was published.
fn shares(published: &Published, tx: &Transaction) -> Option<Vec<Sats>> {
    let outputs = tx.outputs.get(..published.recipients.len())?;
    let paid = outputs.iter().zip(&published.recipients);
    if !paid.into_iter().all(|(output, recipient)| output.lock == recipient.lock) {
        return None;
    }
    let shares: Vec<Sats> = outputs.iter().map(|output| output.value).collect();
    // The script of a reward without a list does not show its weights; what it pays does.
    let as_said = || published.divide(Sats::checked_sum(shares.iter().copied())?);
    (published.form != Form::Direct || as_said()? == shares).then_some(shares)
}

/// The list that a proposal pushes: its entries stand before all else, the last one first. The hashes that the record
/// held before and holds now show that it is this list.
fn proposal(unlock: &[u8], before: &Record, after: &Record, known: &[Recipient]) -> Option<Vec<Recipient>> {
    let steps = instructions(unlock).collect::<Result<Vec<_>, _>>().ok()?;
    let pushes: Vec<Vec<u8>> = steps.iter().map(|step| pushed(step.byte, step.data)).collect::<Option<_>>()?;
    let lens = OTHER_PUSHES.filter_map(|others| pushes.len().checked_sub(others));
    lens.filter(|len| len % CHANGE_PUSHES == 0).find_map(|len| {
        let entries: Vec<&[Vec<u8>]> = pushes.get(..len)?.chunks_exact(CHANGE_PUSHES).collect();
        let [mut was, mut is] = [Vec::new(), Vec::new()];
        for entry in entries.into_iter().rev() {
            let [old, old_until, new, new_until, lock] = entry else { return None };
            was.extend(entry_of(old, old_until, lock)?);
            is.extend(entry_of(new, new_until, lock)?);
        }
        // Which of the other pushes are the digests of the names, the hashes show.
        let others = pushes.get(len..)?;
        let is_list = |list: &[Recipient], hash: &[u8; 32]| {
            others.iter().any(|names| list_hash(names, list, true).as_ref() == Some(hash))
        };
        (is_list(&was, &before.current) && is_list(&is, &after.next)).then(|| named(is, known))
    })
}

/// An entry of a list; an inner nothing if its weight is 0, so that it is not in that list.
fn entry_of(weight: &[u8], until: &[u8], lock: &[u8]) -> Option<Option<Recipient>> {
    let number = |bytes: &[u8]| num::decode_sized(bytes);
    let weight = u64::try_from(number(weight)?).ok()?;
    let until = u32::try_from(number(until)?).ok()?;
    Some((weight > 0).then(|| Recipient { name: String::new(), weight, lock: lock.to_vec(), until }))
}

/// The entries with the names that the published list has for their locks, or else their numbers.
fn named(mut entries: Vec<Recipient>, known: &[Recipient]) -> Vec<Recipient> {
    let mut free: Vec<&Recipient> = known.iter().collect();
    for (at, entry) in entries.iter_mut().enumerate() {
        let place = free.iter().position(|one| one.lock == entry.lock);
        entry.name = place.map_or_else(|| (at + 1).to_string(), |place| free.remove(place).name.clone());
    }
    entries
}

/// What a push puts on the stack.
pub(crate) fn pushed(byte: u8, data: Option<&[u8]>) -> Option<Vec<u8>> {
    match (data, byte) {
        (Some(data), _) => Some(data.to_vec()),
        (None, 0) => Some(Vec::new()),
        (None, 0x4f) => Some(vec![0x81]),
        (None, byte @ 0x51..=0x60) => Some(vec![byte - 0x50]),
        (None, _) => None,
    }
}
