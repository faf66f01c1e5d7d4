//! The node's work beside that of its parts alone, in one run: `cargo xtask bench node`.
//!
//! Blocks of 12,000 transactions through a chain in memory and one on disk, offered without and with what a mempool knows of
//! them; transactions over RPC; and a store with millions of coins beside the bare key-value store.

mod blocks;
mod coins;
mod grown;
mod measure;
mod raw;
mod rpc;

use std::io;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures and writes its tables.
type Part = fn(&mut dyn io::Write) -> io::Result<()>;

/// The parts by name; arguments name those that are run, without any all are.
const PARTS: [(&str, Part); 3] = [("blocks", blocks::run), ("rpc", rpc::run), ("coins", coins::run)];

fn main() -> io::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let mut out = io::stdout().lock();
    for (name, part) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            part(&mut out)?;
        }
    }
    Ok(())
}
