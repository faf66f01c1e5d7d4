//! The time fields of a transaction, from what a path demands of them.

use spec::Artifact;
use spec::artifact::{AbiType, AbiValue, Slot, SpendPath, TimeBound};

use crate::contract::{Arg, Args, Params};
use crate::draft::{BuildError, SEQUENCE_FINAL, SEQUENCE_LOCKTIME};

/// Lock times below are heights, the others seconds since 1970.
const FIRST_TIME: i64 = FIRST_TIME_U32 as i64;
pub(crate) const FIRST_TIME_U32: u32 = 500_000_000;
/// The longest age in blocks.
const AGE_BLOCKS_MAX: i64 = 65_535;
const AGE_UNIT_SECONDS: i64 = 512;
const AGE_SECONDS_MAX: i64 = AGE_BLOCKS_MAX * AGE_UNIT_SECONDS;
/// The flag of a sequence that counts seconds.
const AGE_IN_SECONDS: i64 = 1 << 22;

/// Lock time, and the sequence of the contract's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeFields {
    pub(crate) locktime: u32,
    pub(crate) sequence: u32,
}

/// Whose time is asked.
pub(crate) struct TimeAsk<'a> {
    pub(crate) artifact: &'a Artifact,
    pub(crate) params: &'a Params,
    pub(crate) path: &'a SpendPath,
    pub(crate) args: &'a Args,
}

impl TimeAsk<'_> {
    /// The least lock time that the path accepts, 0 where it accepts any.
    pub(crate) fn locktime(&self) -> Result<u32, BuildError> {
        let least = self.numbers(&self.path.time.locktime).and_then(|bounds| latest(&bounds, |n| n >= FIRST_TIME));
        least.ok_or_else(|| self.unknown("lock time"))
    }

    /// The least sequence that the path accepts, `free` where it asks for no age.
    pub(crate) fn sequence(&self, free: u32) -> Result<u32, BuildError> {
        if self.path.time.sequence.is_empty() {
            return Ok(free);
        }
        let counts_seconds = |n: i64| n & AGE_IN_SECONDS != 0;
        let least = self.numbers(&self.path.time.sequence).and_then(|bounds| latest(&bounds, counts_seconds));
        least.ok_or_else(|| self.unknown("sequence"))
    }

    fn numbers(&self, bounds: &[TimeBound]) -> Option<Vec<i64>> {
        bounds.iter().map(|bound| number_of(self, *bound)).collect()
    }

    fn unknown(&self, field: &'static str) -> BuildError {
        BuildError::UnknownTime { path: self.path.name.clone(), field }
    }
}

/// The sequence of an input that asks for no age, in a transaction that is locked or not.
pub(crate) const fn free_sequence(locked: bool) -> u32 {
    if locked { SEQUENCE_LOCKTIME } else { SEQUENCE_FINAL }
}

/// The sequence of a coin that is so many blocks old.
pub(crate) fn age_in_blocks(blocks: i128) -> Option<u32> {
    u32::try_from(blocks).ok().filter(|blocks| i64::from(*blocks) <= AGE_BLOCKS_MAX)
}

/// The sequence of a coin that is so many seconds old, rounded up to the steps that a sequence counts.
pub(crate) fn age_in_seconds(seconds: i128) -> Option<u32> {
    let seconds = i64::try_from(seconds).ok().filter(|seconds| (0..=AGE_SECONDS_MAX).contains(seconds))?;
    u32::try_from((seconds + AGE_UNIT_SECONDS - 1) / AGE_UNIT_SECONDS + AGE_IN_SECONDS).ok()
}

/// The fields as the caller wishes, else the least that the path accepts.
pub(crate) fn time_fields(
    ask: &TimeAsk<'_>,
    locktime: Option<u32>,
    sequence: Option<u32>,
) -> Result<TimeFields, BuildError> {
    let locktime = locktime.map_or_else(|| ask.locktime(), Ok)?;
    let locked = locktime > 0 || !ask.path.time.locktime.is_empty();
    let sequence = sequence.map_or_else(|| ask.sequence(free_sequence(locked)), Ok)?;
    Ok(TimeFields { locktime, sequence })
}

/// The greatest of bounds on one clock, 0 if there is none. What no field can hold is cut: the machine refuses it
/// and says so in the author's words.
fn latest(bounds: &[i64], clock: impl Fn(i64) -> bool) -> Option<u32> {
    let Some(last) = bounds.iter().copied().max() else { return Some(0) };
    let same = bounds.iter().all(|n| clock(*n) == clock(last));
    same.then(|| u32::try_from(last.max(0)).unwrap_or(u32::MAX))
}

/// The number that a field must reach.
fn number_of(ask: &TimeAsk<'_>, bound: TimeBound) -> Option<i64> {
    let (slot, value) = match bound {
        TimeBound::Int(n) => return Some(n),
        TimeBound::Computed => return None,
        TimeBound::Param(index) => {
            let slot = ask.artifact.params.get(index)?;
            (slot, ask.params.get(&slot.name)?)
        }
        TimeBound::Arg(index) => {
            let slot = ask.path.args.get(index)?;
            let Arg::Value(value) = ask.args.get(&slot.name)? else { return None };
            (slot, value)
        }
    };
    let n = decoded(value)?;
    match slot.ty {
        AbiType::Duration => {
            n.checked_add(AGE_UNIT_SECONDS - 1).map(|padded| padded / AGE_UNIT_SECONDS + AGE_IN_SECONDS)
        }
        _ => Some(n),
    }
}

fn decoded(value: &AbiValue) -> Option<i64> {
    value.item().and_then(spec::num::decode)
}

/// Refuses parameters with which a time lock would not mean what its source says.
///
/// The chain reads 16 bits of an age and takes a negative lock for a mistake: such a contract would open
/// early or never. No check in the script could help its owner any more.
///
/// # Errors
/// [`BuildError::WrongParam`] names the parameter and what it may be.
pub fn check_params(artifact: &Artifact, params: &Params) -> Result<(), BuildError> {
    let bounds = artifact.paths.iter().flat_map(|path| path.time.locktime.iter().chain(&path.time.sequence));
    for bound in bounds {
        if let TimeBound::Param(index) = bound
            && let Some(slot) = artifact.params.get(*index)
        {
            check_bound(slot, params.get(&slot.name).and_then(decoded))?;
        }
    }
    Ok(())
}

fn check_bound(slot: &Slot, value: Option<i64>) -> Result<(), BuildError> {
    let Some((range, expected)) = lock_range(&slot.ty) else { return Ok(()) };
    match value {
        Some(n) if !range.contains(&n) => Err(BuildError::WrongParam { name: slot.name.clone(), expected }),
        Some(_) | None => Ok(()),
    }
}

/// The values that a time lock can have, where the type is one of time.
fn lock_range(ty: &AbiType) -> Option<(std::ops::RangeInclusive<i64>, &'static str)> {
    match ty {
        AbiType::Height => Some((0..=FIRST_TIME - 1, "a height from 0 to 499_999_999")),
        AbiType::Time => Some((FIRST_TIME..=i64::from(u32::MAX), "a time from 1985 to 2106")),
        AbiType::Blocks => Some((0..=AGE_BLOCKS_MAX, "an age from 0 to 65_535 blocks")),
        AbiType::Duration => Some((0..=AGE_SECONDS_MAX, "an age from 0 to 33_553_920 seconds")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_bound_counts_and_clocks_do_not_mix() {
        let clock = |n| n >= FIRST_TIME;
        for (bounds, expected) in [
            (vec![], Some(0)),
            (vec![5, 9, 7], Some(9)),
            (vec![FIRST_TIME, FIRST_TIME + 1], Some(500_000_001)),
            (vec![5, FIRST_TIME], None),
            (vec![-5], Some(0)),
            (vec![i64::MAX], Some(u32::MAX)),
        ] {
            assert_eq!(latest(&bounds, clock), expected, "{bounds:?}");
        }
    }

    #[test]
    fn locks_that_would_open_early_or_never_are_refused() {
        for (ty, value, fits) in [
            (AbiType::Blocks, 65_535, true),
            (AbiType::Blocks, 65_536, false),
            (AbiType::Blocks, -1, false),
            (AbiType::Duration, AGE_SECONDS_MAX, true),
            (AbiType::Duration, AGE_SECONDS_MAX + 1, false),
            (AbiType::Height, 499_999_999, true),
            (AbiType::Height, 500_000_000, false),
            (AbiType::Time, 499_999_999, false),
            (AbiType::Time, i64::from(u32::MAX), true),
            (AbiType::Int, -1, true),
        ] {
            let slot = Slot { name: "lock".into(), ty };
            assert_eq!(check_bound(&slot, Some(value)).is_ok(), fits, "{slot:?} {value}");
        }
    }
}
