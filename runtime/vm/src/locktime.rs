//! Absolute and relative time locks: BIP 65 and BIP 112.

use crate::error::ScriptError;
use crate::item::Item;
use crate::machine::{Machine, Outcome};

/// Lock times below this are heights, the others seconds.
const LOCK_TIME_THRESHOLD: i64 = 500_000_000;
/// A sequence number that makes its input final.
const SEQUENCE_FINAL: u32 = u32::MAX;
/// A relative lock with this bit is none.
const SEQUENCE_DISABLED: i64 = 1 << 31;
/// A relative lock with this bit counts units of 512 seconds, otherwise blocks.
const SEQUENCE_TIME: i64 = 1 << 22;
/// The bits of a relative lock that count.
const SEQUENCE_VALUE: i64 = 0xffff;

impl Machine<'_> {
    pub(crate) fn check_lock_time(&mut self) -> Outcome {
        let wanted = self.peek_lock()?;
        let tx = self.context.tx();
        let actual = i64::from(tx.locktime);
        let same_kind = (wanted < LOCK_TIME_THRESHOLD) == (actual < LOCK_TIME_THRESHOLD);
        let counts = tx.inputs.get(self.input).is_some_and(|input| input.sequence != SEQUENCE_FINAL);
        if same_kind && wanted <= actual && counts { Ok(()) } else { Err(ScriptError::LockTime) }
    }

    pub(crate) fn check_sequence(&mut self) -> Outcome {
        let wanted = self.peek_lock()?;
        if wanted & SEQUENCE_DISABLED != 0 {
            return Ok(());
        }
        let tx = self.context.tx();
        let actual = tx.inputs.get(self.input).map_or(SEQUENCE_DISABLED, |input| i64::from(input.sequence));
        let same_kind = wanted & SEQUENCE_TIME == actual & SEQUENCE_TIME;
        let old_enough = wanted & SEQUENCE_VALUE <= actual & SEQUENCE_VALUE;
        // The version is compared as an unsigned number, so one that introspection shows as negative passes.
        if tx.version >= 2 && actual & SEQUENCE_DISABLED == 0 && same_kind && old_enough {
            Ok(())
        } else {
            Err(ScriptError::LockTime)
        }
    }

    /// The top item, which stays, as a number of up to 5 bytes that is not negative.
    fn peek_lock(&self) -> Result<i64, ScriptError> {
        let item = self.peek(0)?;
        let lock = match item {
            Item::Int(_) if item.len() > 5 => return Err(ScriptError::NumberRange),
            Item::Int(_) | Item::Bytes(_) => self.small_int(item)?,
        };
        if lock < 0 { Err(ScriptError::NegativeLockTime) } else { Ok(lock) }
    }
}
