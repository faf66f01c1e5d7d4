//! The examples as stories: every plan on a devnet, every balance to the last unit, and attacks that fail.

mod adjustable_reward;
mod escrow;
mod htlc;
mod imi;
mod imi_attacks;
mod imo;
mod imo_backers;
mod linked_lists;
mod model_family;
mod multisig;
mod references;
mod splitter_985;
mod subscription;
mod vault;

use std::path::Path;

/// Where another machine may be installed.
fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}
