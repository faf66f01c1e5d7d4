//! Replacing the list of a reward: what the authority publishes, and the list that comes of it.

use spec::Artifact;
use spec::artifact::{AbiValue, Record};

use super::recipients::{ListError, Recipient, check_proposal, list_of, names_of, records_of};

/// A list that takes the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// What the path `propose` takes: every entry of the old and of the new list.
    pub changes: AbiValue,
    /// The digest of the names of the list in force.
    pub was_named: [u8; 32],
    /// The digest of the names of the new list.
    pub is_named: [u8; 32],
    /// The new list in the order in which it is hashed: entries that go on at their old places, then the others.
    pub next: Vec<Recipient>,
    /// The hash of the new list.
    pub hash: [u8; 32],
}

/// The hash by which contracts know a list of recipients.
///
/// # Errors
/// [`ListError`] if these recipients are no list of this reward.
pub fn list_hash(artifact: &Artifact, recipients: &[Recipient]) -> Result<[u8; 32], ListError> {
    match records_of(artifact, recipients)? {
        AbiValue::Records(records) => Ok(records.hash()),
        _ => Err(ListError::NoList(artifact.contract.clone())),
    }
}

/// Replaces the list `old` by `wanted` when the chain has height `now`.
///
/// An entry goes on if `wanted` has one with the same lock. An entry that is still locked goes on with at least its
/// weight, for at least its time; two equal ones need two.
///
/// # Errors
/// [`ListError`] if the reward's list cannot be replaced, a locked entry would lose, or `wanted` is no list of it.
pub fn adjustment(
    artifact: &Artifact,
    old: &[Recipient],
    wanted: &[Recipient],
    now: u32,
) -> Result<Adjustment, ListError> {
    let (_, list) = list_of(artifact)?;
    if !list.adjustable {
        return Err(ListError::NoList(artifact.contract.clone()));
    }
    let goes_on = matches(old, wanted, now)?;
    let mut changes = Vec::with_capacity(old.len() + wanted.len());
    let mut next = Vec::with_capacity(wanted.len());
    for (was, is) in old.iter().zip(&goes_on) {
        let is = is.and_then(|at| wanted.get(at));
        changes.push(change(Some(was), is)?);
        next.extend(is.cloned());
    }
    for (_, is) in wanted.iter().enumerate().filter(|(at, _)| !goes_on.contains(&Some(*at))) {
        changes.push(change(None, Some(is))?);
        next.push(is.clone());
    }
    check_proposal(changes.iter().map(|change| change.last().map_or(0, Vec::len)))?;
    let hash = list_hash(artifact, &next)?;
    let [was_named, is_named] = [old, &next].map(names_of);
    Ok(Adjustment { changes: AbiValue::Records(changes.into()), was_named, is_named, next, hash })
}

/// For each old entry the one of `wanted` in which it goes on. Locked entries choose first, those with the largest
/// weight before the others, and each takes the smallest that is enough.
fn matches(old: &[Recipient], wanted: &[Recipient], now: u32) -> Result<Vec<Option<usize>>, ListError> {
    let mut order: Vec<(usize, &Recipient)> = old.iter().enumerate().collect();
    order.sort_by_key(|(at, one)| (one.until <= now, std::cmp::Reverse((one.weight, one.until)), *at));
    let mut free = vec![true; wanted.len()];
    let mut found = vec![None; old.len()];
    for (at, one) in order {
        let locked = one.until > now;
        let enough = |is: &Recipient| !locked || (is.weight >= one.weight && is.until >= one.until);
        let fits = |(place, is): &(usize, &Recipient)| {
            free.get(*place).copied().unwrap_or_default() && is.lock == one.lock && enough(is)
        };
        let place = wanted.iter().enumerate().filter(fits).min_by_key(|(place, is)| (is.weight, *place));
        match place {
            Some((place, _)) => {
                if let Some(free) = free.get_mut(place) {
                    *free = false;
                }
                if let Some(found) = found.get_mut(at) {
                    *found = Some(place);
                }
            }
            None if locked => {
                let (name, weight, until) = (one.name.clone(), one.weight, one.until);
                return Err(ListError::Locked { name, weight, until });
            }
            None => {}
        }
    }
    Ok(found)
}

/// One record of the path's list: the weights and times before and after, and the lock.
fn change(was: Option<&Recipient>, is: Option<&Recipient>) -> Result<Record, ListError> {
    let pair = |one: &Recipient| {
        let weight = u32::try_from(one.weight).map_err(|_| ListError::Malformed(0))?;
        Ok::<[u32; 2], ListError>([weight, one.until])
    };
    let [was_pair, is_pair] = [was, is].map(|one| one.map(pair).transpose().map(Option::unwrap_or_default));
    let numbers = was_pair?.into_iter().chain(is_pair?).map(|n| n.to_le_bytes().to_vec());
    Ok(numbers.chain(was.or(is).map(|one| one.lock.clone())).collect())
}
