//! Lowered code, kept for the next input that runs it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use spec::{Mode, RuleSet, Rules};

use crate::ir::{Metering, Op, Unit};
use crate::lower::lower;
use crate::native::Native;

/// Bytes of lowered code that are kept; more, and all is forgotten.
const KEPT_BYTES_MAX: usize = 64 << 20;

/// All that lowering depends on.
type Key = (Metering, bool, bool, u64, usize, Vec<u8>);

/// A unit, and its machine code once it has some.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) unit: Arc<Unit>,
    /// How many instructions have run in it.
    heat: AtomicU64,
    /// Its machine code; `None` inside if there will never be any.
    native: OnceLock<Option<Arc<dyn Native>>>,
}

impl Entry {
    /// Counts instructions that have run, and gives how many that are now.
    pub(crate) fn warm(&self, instructions: u64) -> u64 {
        self.heat.fetch_add(instructions, Ordering::Relaxed).saturating_add(instructions)
    }

    /// Its machine code, if that is there.
    pub(crate) fn native(&self) -> Option<&Arc<dyn Native>> {
        self.native.get()?.as_ref()
    }

    /// Its machine code, made by `compile` if nobody has tried before.
    pub(crate) fn compiled(&self, compile: impl FnOnce() -> Option<Arc<dyn Native>>) -> Option<&Arc<dyn Native>> {
        self.native.get_or_init(compile).as_ref()
    }
}

/// Lowered code by its bytecode. Code that cannot be lowered is remembered too.
#[derive(Debug, Default)]
pub(crate) struct Units {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    units: BTreeMap<Key, Option<Arc<Entry>>>,
    bytes: usize,
}

impl Units {
    /// The unit of `code`.
    pub(crate) fn find(&self, code: &[u8], rules: &Rules, metering: Metering) -> Option<Arc<Entry>> {
        let (ours, relay) = (rules.set == RuleSet::Bitmodel, rules.mode == Mode::Relay);
        let key = (metering, ours, relay, rules.prices.instruction, rules.limits.item_bytes, code.to_vec());
        if let Some(unit) = self.kept.lock().unwrap_or_else(PoisonError::into_inner).units.get(&key) {
            return unit.clone();
        }
        let unit = lower(code, rules, metering).map(Arc::new);
        let entry = unit.map(|unit| Arc::new(Entry { unit, heat: AtomicU64::new(0), native: OnceLock::new() }));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes > KEPT_BYTES_MAX {
            *kept = Kept::default();
        }
        let ops = entry.as_ref().map_or(0, |entry| entry.unit.ops.len());
        kept.bytes += code.len() + ops * size_of::<Op>() + size_of::<Key>() + size_of::<Unit>();
        kept.units.insert(key, entry.clone());
        entry
    }
}
