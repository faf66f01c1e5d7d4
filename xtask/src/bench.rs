//! `cargo xtask bench`: figures about the tree, to compare before and after a change.

use std::path::Path;

use clap::Subcommand;

/// What to measure.
#[derive(Subcommand)]
pub enum Bench {
    /// How large scripts are: the corpus that others have written too, and all contracts of the tree
    Size,
}

/// Measures and prints.
pub fn run(root: &Path, bench: &Bench) {
    match bench {
        Bench::Size => print!("{}\n{}", tests::rival_table(&tests::rival_sizes(root)), tests::own_table(root)),
    }
}
