//! Lowered code, kept for the next input that runs it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use spec::{Mode, RuleSet, Rules};

use crate::ir::{Metering, Op, Unit};
use crate::lower::lower;

/// Bytes of lowered code that are kept; more, and all is forgotten.
const KEPT_BYTES_MAX: usize = 64 << 20;

/// All that lowering depends on.
type Key = (Metering, bool, bool, u64, usize, Vec<u8>);

/// Lowered code by its bytecode. Code that cannot be lowered is remembered too.
#[derive(Debug, Default)]
pub(crate) struct Units {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    units: BTreeMap<Key, Option<Arc<Unit>>>,
    bytes: usize,
}

impl Units {
    /// The unit of `code`.
    pub(crate) fn find(&self, code: &[u8], rules: &Rules, metering: Metering) -> Option<Arc<Unit>> {
        let (ours, relay) = (rules.set == RuleSet::Bitmodel, rules.mode == Mode::Relay);
        let key = (metering, ours, relay, rules.prices.instruction, rules.limits.item_bytes, code.to_vec());
        if let Some(unit) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).units.get(&key) {
            return unit.clone();
        }
        let unit = lower(code, rules, metering).map(Arc::new);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes > KEPT_BYTES_MAX {
            *kept = Kept::default();
        }
        let ops = unit.as_ref().map_or(0, |unit| unit.ops.len());
        kept.bytes += code.len() + ops * size_of::<Op>() + size_of::<Key>() + size_of::<Unit>();
        kept.units.insert(key, unit.clone());
        unit
    }
}
