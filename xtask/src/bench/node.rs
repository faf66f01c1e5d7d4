//! `cargo xtask bench node`: blocks, transactions over RPC and a store of millions of coins, beside their parts alone.

use std::fs;
use std::path::Path;

const PAGE: &str = "docs/book/src/node-figures.md";

/// Measures and prints; writes the page if all parts are measured.
pub(super) fn run(root: &Path, parts: &[String]) -> Result<(), String> {
    let bench = ["bench", "-p", "benches", "--bench", "node", "--profile", "measure", "--"].into_iter();
    let tables = super::printed(root, bench.chain(parts.iter().map(String::as_str)), "the benchmark failed")?;
    print!("{tables}");
    if !parts.is_empty() {
        return Ok(());
    }
    fs::write(root.join(PAGE), page(&tables)).map_err(|error| format!("cannot write `{PAGE}`: {error}"))
}

fn page(tables: &str) -> String {
    format!("{INTRODUCTION}\nMeasured on {}.\n\n```text\n{}\n```\n", super::processor(), tables.trim_end())
}

const INTRODUCTION: &str = "# Figures of the node

`cargo xtask bench node` writes this page. Compare what stands in one table, not rates with those of another run.

- **signatures alone**: each thread checks its share of 12,000 signatures and does nothing else; in batches, it verifies up to 4,096 together, as
  blocks do. All later tables compare with the Schnorr signatures of this one, one after the other.
- **blocks** of 12,000 transactions, from the offer to the new tip, with a mempool that follows. `cold`: nothing is known of them,
  and all scripts run. `known`: all of them wait in the mempool, so their scripts have run. `in memory` and `on disk` say where the
  chain is kept, on disk with every block pushed there before the next. `connecting alone` is without what is done for blocks of side branches too, which is
  hashing, checking their form and keeping them. A key's coin has one signature and goes to two outputs; a settlement
  divides a coin of an example's reward among seven recipients, without a signature.
- **transactions over RPC**: `sendrawtransaction` of 12,000 payments with one Schnorr signature, each written down
  before its answer. The clients run on the same cores.
- **coins**: the key-value store alone with keys of 36 and values of 60 bytes, and the node's store, which has an index by lock,
  undo records and places of transactions too; every 10,000 changes are pushed to the disk.
";
