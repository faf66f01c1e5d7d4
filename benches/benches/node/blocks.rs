//! Blocks of 12,000 transactions, from offering them to the new tip.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use benches::{Kind, Table};
use chain::{Accepted, MemoryStore, Mempool, Store, Workers, ordinary_parents_first};
use engine::{Engine, Tier, Tuning};
use jit::Jit;
use storage::{DiskOptions, DiskStore};

use crate::grown::{Grown, Load, NOW, SPENDS, next_block};
use crate::measure::{ROUNDS, each_second, over, time};
use crate::raw::Raw;

/// What is known of a block's transactions when it comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Nothing: all scripts run.
    Nothing,
    /// All of them wait in the mempool.
    All,
}

/// Times of the best block.
#[derive(Clone, Copy)]
struct Times {
    /// From the offer to the new tip.
    whole: Duration,
    /// Without what is done for blocks of side branches too: hashing, checking the form, keeping.
    connect: Duration,
}

/// Threads of the first and of the second columns.
type Threads = [NonZeroUsize; 2];

pub fn run(out: &mut dyn Write) -> io::Result<()> {
    let threads = [1, Workers::all().count()].map(|count| NonZeroUsize::new(count).expect("it is not 0"));
    let (schnorr, ecdsa) = (Raw::new(Kind::Schnorr), Raw::new(Kind::Ecdsa));
    let alone = threads.map(|threads| schnorr.time(threads));
    let mut table = Rows::new("signatures alone, 12,000", alone);
    table.row("Schnorr", alone);
    table.row("Schnorr, in batches of 4,096", threads.map(|threads| schnorr.time_batched(threads)));
    table.row("ECDSA, of the library", threads.map(|threads| ecdsa.time(threads)));
    table.print(out)?;
    let loads = [
        ("12,000 keys' coins, Schnorr", Load::Keys(Kind::Schnorr)),
        ("12,000 keys' coins, ECDSA", Load::Keys(Kind::Ecdsa)),
        ("12,000 settlements of a reward", Load::Settlements),
        ("12,000 that each spend the one before", Load::Contended),
    ];
    for (name, load) in loads {
        let mut table = Rows::new(name, alone);
        table.blocks(&Grown::of(load, ROUNDS), threads);
        table.print(out)?;
    }
    Ok(())
}

/// A table of rates, beside those of the signatures alone.
struct Rows {
    alone: [Duration; 2],
    table: Table,
}

impl Rows {
    fn new(what: &str, alone: [Duration; 2]) -> Self {
        let columns = ["/s, 1 thread", "of Schnorr alone", "/s, all threads", "of Schnorr alone", "all / 1 thread"];
        Self { alone, table: Table::new(what, &columns) }
    }

    fn row(&mut self, name: &str, [one, all]: [Duration; 2]) {
        let [alone_one, alone_all] = self.alone;
        let cells = [
            each_second(SPENDS, one).to_string(),
            over(alone_one, one),
            each_second(SPENDS, all).to_string(),
            over(alone_all, all),
            over(one, all),
        ];
        self.table.row(name, cells);
    }

    fn blocks(&mut self, grown: &Grown, threads: Threads) {
        for (what, known) in [("cold", Known::Nothing), ("known", Known::All)] {
            self.row(&format!("{what}, in memory"), threads.map(|threads| in_memory(grown, threads, known)));
            let disk = threads.map(|threads| on_disk(grown, threads, known));
            self.row(&format!("{what}, on disk"), disk.map(|times| times.whole));
            self.row(&format!("{what}, on disk, connecting alone"), disk.map(|times| times.connect));
        }
    }

    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        self.table.print(out)?;
        out.flush()
    }
}

fn on_disk(grown: &Grown, threads: NonZeroUsize, known: Known) -> Times {
    let whole = with_disk(|store| whole(grown, store, threads, known));
    let keeping = with_disk(|store| keeping(grown, store, threads));
    Times { whole, connect: whole.saturating_sub(keeping) }
}

fn with_disk<T>(work: impl FnOnce(DiskStore) -> T) -> T {
    let folder = tempfile::tempdir().expect("a folder can be made");
    work(DiskStore::open(folder.path(), &DiskOptions::new("bench", [0; 4])).expect("the folder is empty"))
}

fn in_memory(grown: &Grown, threads: NonZeroUsize, known: Known) -> Duration {
    whole(grown, MemoryStore::new(), threads, known)
}

/// From the offer of a block to the new tip, with a mempool that follows.
fn whole<S: Store>(grown: &Grown, store: S, threads: NonZeroUsize, known: Known) -> Duration {
    let mut chain = grown.open(store, Workers::new(threads)).with_engine(engine());
    let times = grown.measured.iter().map(|block| {
        let mut mempool = Mempool::new(chain.params());
        if known == Known::All {
            let outcomes = mempool.accept_all(ordinary_parents_first(block), &chain, NOW);
            outcomes.into_iter().for_each(|outcome| drop(outcome.expect("the transaction is good")));
        }
        let block = block.clone();
        let ((), taken) = time(|| {
            let change = chain.accept_block_with(block, NOW, &|txid| mempool.verified(txid));
            mempool.update(&change.expect("the block is valid"), &chain, NOW);
        });
        assert!(mempool.is_empty(), "the block holds all that waited");
        taken
    });
    times.min().unwrap_or_default()
}

/// What a block takes on a side branch: hashing, checking its form, keeping it.
fn keeping<S: Store>(grown: &Grown, store: S, threads: NonZeroUsize) -> Duration {
    let mut chain = grown.open(store, Workers::new(threads));
    for _ in 0..=grown.measured.len() {
        let block = next_block(&chain, Vec::new(), 0);
        chain.accept_block(block, NOW).expect("an empty block is valid");
    }
    let times = grown.measured.iter().map(|block| {
        let block = block.clone();
        let (outcome, taken) = time(|| chain.accept_block(block, NOW));
        assert_eq!(outcome.expect("its form is good"), Accepted::default(), "another branch is heavier");
        taken
    });
    times.min().unwrap_or_default()
}

/// The engine of a node.
pub fn engine() -> Arc<Engine> {
    let jit = Jit::new().map(|jit| Engine::with_compiler(Tier::Jit, Arc::new(jit), Tuning::default()));
    Arc::new(jit.unwrap_or_else(|| Engine::new(Tier::Register)))
}
