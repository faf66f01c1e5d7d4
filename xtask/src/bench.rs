//! `cargo xtask bench`: figures about the tree, to compare before and after a change.

use std::path::Path;

use clap::Subcommand;
use spec::artifact::Level;
use tests::ByLevel;

/// What to measure.
#[derive(Subcommand)]
pub enum Bench {
    /// How large scripts are: the corpus that others have written too, and all contracts of the tree, at each level
    Size {
        /// The highest level; `Oz` takes seconds for each contract
        #[arg(long, default_value_t = Level::Os)]
        top: Level,
    },
}

/// Measures and prints; it is wrong if a level makes a contract longer than the level below.
pub fn run(root: &Path, bench: &Bench) -> Result<(), String> {
    let Bench::Size { top } = bench;
    print!("{}\n{}\n", tests::rival_table(&tests::rival_sizes(root)), tests::own_table(root));
    let by_level = ByLevel::measure(root, *top);
    print!("{}", by_level.table());
    let longer = by_level.longer();
    if longer.is_empty() { Ok(()) } else { Err(format!("longer than at the level below:\n{}", longer.join("\n"))) }
}
