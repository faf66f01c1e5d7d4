//! A reward's recipients as everybody can read them on the chain.
//!
//! A script that holds only the hash of a list tells nobody who is paid. So whoever deploys a reward puts a body on
//! the chain, by `spec::publish`, that names them. All numbers are compact sizes, all strings have one in front:
//!
//! ```text
//! "BMRW" 01                       what follows, and its version
//! form                            00 a parameter for each source, 01 a list, 02 a list that may be replaced,
//!                                 03 the flow of a model
//! name                            the reward's name
//! script                          the redeem script of its coins
//! more                            02: the category of the record that says which list counts; 03: the least amount that
//!                                 is divided in 8 bytes, the largest fee in 4; else empty
//! last                            the number of the recipient who takes what rounding leaves
//! count, then for each recipient  weight, until, lock, name
//! ```
//!
//! The body is not believed. The script says which coins are meant, and has to hold the list's hash, or all locks of
//! a reward without a list. What no script shows without its source, such as the weights of a reward without a list,
//! its settlements show.

use std::collections::BTreeMap;

use spec::artifact::{AbiValue, chain_hash};
use spec::codec::{DecodeError, Reader, write_bytes, write_compact_size};
use spec::hash::{sha256, sha256d};
use spec::model::{Terms, flow_script};
use spec::script::{instructions, p2sh32};
use spec::split::Weights;
use spec::{Artifact, Category, Sats};

use super::recipients::{ListError, Recipient, names_of, recipients, terms};

const MAGIC: [u8; 5] = *b"BMRW\x01";
/// Weight, time, lock and name have at least one byte each.
const RECIPIENT_BYTES_MIN: usize = 4;

/// How a reward knows its recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// By a parameter for each source.
    Direct,
    /// By the hash of a list.
    List,
    /// By the hash of a list that a record may replace.
    Adjustable {
        /// The category of the record's token.
        record: Category,
    },
    /// As all flows of models do: by a list whose hash covers these numbers too.
    Flow {
        /// The smallest amount that is divided.
        least: Sats,
        /// The most that a settlement may leave to the miner.
        fee_max: u32,
    },
}

/// What is published of a reward.
///
/// ```
/// use spec::Category;
/// use flow::{Form, Published, Recipient};
/// let only = Recipient { name: "builder".into(), weight: 10, lock: vec![0x51], until: 0 };
/// let reward = Published { name: "All".into(), redeem: vec![0x52], form: Form::List, last: 0, recipients: vec![only] };
/// assert_eq!(Published::decode(&reward.encode()), Some(reward));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The reward's name.
    pub name: String,
    /// The redeem script of its coins.
    pub redeem: Vec<u8>,
    /// How it knows its recipients.
    pub form: Form,
    /// The number of the recipient who takes what rounding leaves.
    pub last: usize,
    /// Whom it pays, in output order.
    pub recipients: Vec<Recipient>,
}

impl Published {
    /// What to publish of a reward that is deployed with these parameters; `record` is the category of the token
    /// that may replace its list. Recipients have the names of the declaration, or `names`.
    ///
    /// # Errors
    /// [`ListError`] if the contract is no reward, the parameters do not say whom it pays, a list that may be
    /// replaced has no record, or its hash covers other names.
    pub fn of(
        artifact: &Artifact,
        params: &BTreeMap<String, AbiValue>,
        names: Option<&[String]>,
        record: Option<Category>,
    ) -> Result<Self, ListError> {
        let mut recipients = recipients(artifact, params)?;
        if names.is_some_and(|names| names.len() != recipients.len()) {
            return Err(ListError::Names(artifact.contract.clone()));
        }
        for (one, name) in recipients.iter_mut().zip(names.into_iter().flatten()) {
            one.name.clone_from(name);
        }
        let table = artifact.reward.as_ref().ok_or_else(|| ListError::NoList(artifact.contract.clone()))?;
        let form = match (&table.list, record) {
            (None, _) => Form::Direct,
            (Some(list), _) if list.has_terms => {
                let Terms { least, fee_max, .. } = terms(table, [0; 32]);
                Form::Flow { least, fee_max }
            }
            (Some(list), _) if !list.adjustable => Form::List,
            (Some(_), Some(record)) => Form::Adjustable { record },
            (Some(_), None) => return Err(ListError::NoRecord(artifact.contract.clone())),
        };
        let last = match form {
            Form::Direct => table.sources.iter().position(|source| source.rank + 1 == table.sources.len()),
            Form::List | Form::Adjustable { .. } | Form::Flow { .. } => recipients.len().checked_sub(1),
        };
        let last = last.ok_or(ListError::Sum { sum: 0, whole: table.denominator })?;
        let redeem = artifact.redeem_script(params)?;
        let published = Self { name: artifact.contract.clone(), redeem, form, last, recipients };
        if form != Form::Direct && !published.fits() {
            return Err(ListError::Names(artifact.contract.clone()));
        }
        Ok(published)
    }

    /// The bytes to publish.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let (form, more): (u8, Vec<u8>) = match &self.form {
            Form::Direct => (0, Vec::new()),
            Form::List => (1, Vec::new()),
            Form::Adjustable { record } => (2, record.as_wire().to_vec()),
            Form::Flow { least, fee_max } => (3, [&least.get().to_le_bytes()[..], &fee_max.to_le_bytes()].concat()),
        };
        out.push(form);
        write_bytes(&mut out, self.name.as_bytes());
        write_bytes(&mut out, &self.redeem);
        write_bytes(&mut out, &more);
        write_compact_size(&mut out, self.last as u64);
        write_compact_size(&mut out, self.recipients.len() as u64);
        for recipient in &self.recipients {
            write_compact_size(&mut out, recipient.weight);
            write_compact_size(&mut out, recipient.until.into());
            write_bytes(&mut out, &recipient.lock);
            write_bytes(&mut out, recipient.name.as_bytes());
        }
        out
    }

    /// Reads a published body; nothing if it is none, or not written as [`Published::encode`] writes it.
    #[must_use]
    pub fn decode(body: &[u8]) -> Option<Self> {
        let rest = body.strip_prefix(&MAGIC)?;
        read(rest).ok().flatten().filter(|read| read.last < read.recipients.len())
    }

    /// The lock of its coins.
    #[must_use]
    pub fn lock(&self) -> Vec<u8> {
        p2sh32(&sha256d(&self.redeem))
    }

    /// Everybody's share of `pot`, the fee taken off, in output order; nothing for weights that are none.
    #[must_use]
    pub fn divide(&self, pot: Sats) -> Option<Vec<Sats>> {
        let order = self.order();
        let weights = order.iter().map(|at| Some(self.recipients.get(*at)?.weight)).collect::<Option<_>>()?;
        let mut shares = vec![Sats::ZERO; order.len()];
        for (at, share) in order.iter().zip(Weights::new(weights)?.divide(pot)) {
            *shares.get_mut(*at)? = share;
        }
        Some(shares)
    }

    /// The hash by which the contract knows the list; nothing for a reward without one, and for weights that no
    /// list holds.
    #[must_use]
    pub fn list_hash(&self) -> Option<[u8; 32]> {
        let names = names_of(&self.recipients);
        match self.form {
            Form::Direct => None,
            Form::List => list_hash(&names, &self.recipients, false),
            Form::Adjustable { .. } => list_hash(&names, &self.recipients, true),
            Form::Flow { least, fee_max } => {
                let sum: u128 = self.recipients.iter().map(|one| u128::from(one.weight)).sum();
                let terms = Terms { whole: u32::try_from(sum).ok()?, least, fee_max, names };
                list_hash(&terms.encode(), &self.recipients, false)
            }
        }
    }

    /// By what a script compares all locks at once: the end of a hash chain over them, in the order of rounding.
    fn joined_hash(&self) -> Option<[u8; 32]> {
        let lock = |at: &usize| self.recipients.get(*at).map(|recipient| recipient.lock.as_slice());
        let locks = self.order().iter().map(lock).collect::<Option<Vec<_>>>()?;
        let (first, others) = locks.split_first()?;
        Some(others.iter().fold(sha256(first), |chain, lock| sha256(&[&chain[..], lock].concat())))
    }

    /// The numbers of the recipients in the order of rounding.
    fn order(&self) -> Vec<usize> {
        (0..self.recipients.len()).filter(|at| *at != self.last).chain([self.last]).collect()
    }

    /// Whether the script is one of this reward: it holds the hash of the list, or all locks, or their hashes.
    pub(super) fn fits(&self) -> bool {
        if let Form::Flow { .. } = self.form {
            let is_last = self.last + 1 == self.recipients.len();
            return is_last && self.list_hash().is_some_and(|hash| self.redeem == flow_script(&hash));
        }
        let Ok(steps) = instructions(&self.redeem).collect::<Result<Vec<_>, _>>() else { return false };
        let holds = |bytes: &[u8]| steps.iter().any(|step| step.data == Some(bytes));
        match self.form {
            Form::Direct => {
                let known = |lock: &[u8]| holds(lock) || holds(&sha256(lock));
                self.recipients.iter().all(|recipient| known(&recipient.lock))
                    || self.joined_hash().is_some_and(|hash| holds(&hash))
            }
            Form::List | Form::Adjustable { .. } | Form::Flow { .. } => {
                self.last + 1 == self.recipients.len() && self.list_hash().is_some_and(|hash| holds(&hash))
            }
        }
    }
}

/// The chain hash of a list, with the times of its entries if it may be replaced.
pub(super) fn list_hash(names: &[u8], recipients: &[Recipient], is_adjustable: bool) -> Option<[u8; 32]> {
    let record = |recipient: &Recipient| {
        let weight = u32::try_from(recipient.weight).ok()?.to_le_bytes().to_vec();
        let until = is_adjustable.then(|| recipient.until.to_le_bytes().to_vec());
        Some([weight].into_iter().chain(until).chain([recipient.lock.clone()]).collect())
    };
    recipients.iter().map(record).collect::<Option<Vec<_>>>().map(|records| chain_hash(names, &records))
}

fn read(rest: &[u8]) -> Result<Option<Published>, DecodeError> {
    let mut reader = Reader::new(rest);
    let kind = reader.u8()?;
    let name = text(&mut reader)?;
    let redeem = reader.bytes()?.to_vec();
    let more = reader.bytes()?;
    let form = match (kind, <[u8; 32]>::try_from(more)) {
        (0, _) if more.is_empty() => Form::Direct,
        (1, _) if more.is_empty() => Form::List,
        (2, Ok(record)) => Form::Adjustable { record: Category::from_wire(record) },
        (3, _) => match numbers(more) {
            Some((least, fee_max)) => Form::Flow { least, fee_max },
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    let last = reader.compact_size()?;
    let count = reader.count(RECIPIENT_BYTES_MIN)?;
    let mut recipients = Vec::with_capacity(count);
    for _ in 0..count {
        let weight = reader.compact_size()?;
        let until = u32::try_from(reader.compact_size()?).map_err(|_| DecodeError::Oversized)?;
        let lock = reader.bytes()?.to_vec();
        recipients.push(Recipient { name: text(&mut reader)?, weight, lock, until });
    }
    reader.finish()?;
    let last = usize::try_from(last).map_err(|_| DecodeError::Oversized)?;
    Ok(Some(Published { name, redeem, form, last, recipients }))
}

fn numbers(bytes: &[u8]) -> Option<(Sats, u32)> {
    let (least, fee_max) = bytes.split_first_chunk()?;
    Some((Sats::new(u64::from_le_bytes(*least))?, u32::from_le_bytes(fee_max.try_into().ok()?)))
}

fn text(reader: &mut Reader<'_>) -> Result<String, DecodeError> {
    String::from_utf8(reader.bytes()?.to_vec()).map_err(|_| DecodeError::Oversized)
}
