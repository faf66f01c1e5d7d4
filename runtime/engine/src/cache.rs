//! Lowered code, kept for the next input that runs its template.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use spec::Rules;

use crate::ir::{Metering, Op, Unit};
use crate::lower::lower;
use crate::lru::Lru;
use crate::native::{Effort, Native};
use crate::parse::Template;
use crate::steps::Step;

/// From this size on, code is looked for as it is before its template is made. Deployments of a small contract would only
/// fill that map, and reading their few instructions takes less time.
const EXACT_BYTES_MIN: usize = 64;

/// The part of the bytes that goes to code as it is.
const EXACT_SHARE: usize = 8;

/// All that lowering depends on, with a fingerprint of the bytes in front, so that comparisons are short.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    fingerprint: u64,
    metering: Metering,
    rules: Rules,
    code: Vec<u8>,
}

impl Key {
    fn new(code: &[u8], rules: &Rules, metering: Metering) -> Self {
        Self { fingerprint: fingerprint(code), metering, rules: *rules, code: code.to_vec() }
    }
}

/// Mixes bytes, in lanes that do not wait for each other. Who makes different code with the same fingerprint has it compared,
/// nothing more.
fn fingerprint(code: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(ODD).rotate_left(29);
    let (rows, rest) = code.as_chunks::<32>();
    let mut lanes = [code.len() as u64, 1, 2, 3];
    for row in rows {
        lanes.iter_mut().zip(row.as_chunks().0).for_each(|(lane, word)| *lane = mix(*lane, u64::from_le_bytes(*word)));
    }
    let hash = lanes.into_iter().fold(0, mix);
    let (words, rest) = rest.as_chunks();
    let hash = words.iter().fold(hash, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    rest.iter().fold(hash, |hash, byte| mix(hash, u64::from(*byte)))
}

/// A unit, and its machine code once it has some.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) unit: Arc<Unit>,
    key: Key,
    /// How many instructions have run in it.
    heat: AtomicU64,
    /// Whether it waits for being compiled.
    waits: AtomicBool,
    /// Its machine code, made with little effort and with more; `None` inside if there will never be any.
    quick: OnceLock<Option<Arc<dyn Native>>>,
    hot: OnceLock<Option<Arc<dyn Native>>>,
}

impl Entry {
    /// The rules that it is lowered for.
    pub(crate) const fn rules(&self) -> &Rules {
        &self.key.rules
    }

    /// Counts instructions that have run.
    pub(crate) fn warm(&self, instructions: u64) {
        self.heat.fetch_add(instructions, Ordering::Relaxed);
    }

    /// How many instructions have run.
    pub(crate) fn heat(&self) -> u64 {
        self.heat.load(Ordering::Relaxed)
    }

    /// The best of its machine code that is there.
    pub(crate) fn native(&self) -> Option<&Arc<dyn Native>> {
        [&self.hot, &self.quick].into_iter().find_map(|native| native.get()?.as_ref())
    }

    /// The effort with which machine code may yet be made; where little gives none, more is not tried.
    pub(crate) fn undecided(&self) -> Option<Effort> {
        match (self.quick.get(), self.hot.get()) {
            (None, _) => Some(Effort::Quick),
            (Some(Some(_)), None) => Some(Effort::Hot),
            _ => None,
        }
    }

    /// Lets `compile` decide about its machine code, unless that is decided; gives what is new.
    pub(crate) fn decide(
        &self,
        effort: Effort,
        compile: impl FnOnce() -> Option<Arc<dyn Native>>,
    ) -> Option<&Option<Arc<dyn Native>>> {
        let mut new = false;
        let native = match effort {
            Effort::Quick => &self.quick,
            Effort::Hot => &self.hot,
        };
        let native = native.get_or_init(|| {
            new = true;
            compile()
        });
        new.then_some(native)
    }

    /// Marks it as waiting; false if it waits already.
    pub(crate) fn wait(&self) -> bool {
        !self.waits.swap(true, Ordering::Relaxed)
    }

    /// It waits no longer.
    pub(crate) fn wait_no_more(&self) {
        self.waits.store(false, Ordering::Relaxed);
    }
}

/// Units by template. Templates that cannot be lowered are remembered too.
#[derive(Debug)]
pub(crate) struct Cache {
    units: Mutex<Lru<Key, Option<Arc<Entry>>>>,
    exact: Mutex<Lru<Key, Weak<Entry>>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// Figures of a cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stock {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) evicted: u64,
    pub(crate) bytes: usize,
}

impl Cache {
    /// An empty cache that keeps up to `most` bytes.
    pub(crate) const fn new(most: usize) -> Self {
        let exact = most / EXACT_SHARE;
        Self {
            units: Mutex::new(Lru::new(most - exact)),
            exact: Mutex::new(Lru::new(exact)),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// The unit of `code`; `None` if no input can spend with it, or it is too large.
    pub(crate) fn find(&self, code: &[u8], rules: &Rules, metering: Metering) -> Option<Arc<Entry>> {
        if code.len() < EXACT_BYTES_MIN {
            return self.by_template(code, rules, metering);
        }
        let key = Key::new(code, rules, metering);
        let known = lock(&self.exact).get(&key);
        if let Some(known) = &known {
            if let Some(entry) = known.upgrade() {
                self.hits.fetch_add(1, Ordering::Relaxed);
                return Some(entry);
            }
            lock(&self.exact).remove(&key);
        }
        let entry = self.by_template(code, rules, metering)?;
        lock(&self.exact).insert(key, Arc::downgrade(&entry), code.len());
        Some(entry)
    }

    fn by_template(&self, code: &[u8], rules: &Rules, metering: Metering) -> Option<Arc<Entry>> {
        let template = Template::new(code, rules)?;
        let key = Key::new(&template.code, rules, metering);
        let known = lock(&self.units).get(&key);
        let count = if known.is_some() { &self.hits } else { &self.misses };
        count.fetch_add(1, Ordering::Relaxed);
        if let Some(entry) = known {
            return entry;
        }
        let entry = lower(&template, rules, metering).map(|unit| {
            Arc::new(Entry {
                unit: Arc::new(unit),
                key: key.clone(),
                heat: AtomicU64::new(0),
                waits: AtomicBool::new(false),
                quick: OnceLock::new(),
                hot: OnceLock::new(),
            })
        });
        let bytes = key.code.len() + entry.as_ref().map_or(0, |entry| unit_bytes(&entry.unit) + key.code.len());
        lock(&self.units).insert(key, entry, bytes)
    }

    /// The entry has machine code of so many bytes now.
    pub(crate) fn grow(&self, entry: &Entry, bytes: usize) {
        lock(&self.units).grow(&entry.key, bytes);
    }

    pub(crate) fn stock(&self) -> Stock {
        let (units, exact) = (lock(&self.units), lock(&self.exact));
        Stock {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            evicted: units.evicted(),
            bytes: units.bytes() + exact.bytes(),
        }
    }
}

fn unit_bytes(unit: &Unit) -> usize {
    size_of::<Entry>()
        + size_of::<Unit>()
        + size_of_val::<[Op]>(&unit.ops)
        + size_of_val::<[Step]>(&unit.steps)
        + size_of_val::<[i64]>(&unit.numbers)
}

/// A map is good after a panic too: it holds nothing that a later call relies on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
