//! Random programs: at every level the machine accepts what a direct evaluation of the typed program accepts, and nothing
//! else; and no level is longer than the one below. `cargo xtask fuzz programs` does the same with many more.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic, its helpers too")]

use proptest::prelude::*;
use spec::artifact::Level;
use typed::{Counts, Trial};

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_machine_agrees_with_a_direct_evaluation_at_every_level(
        seed in any::<u64>(),
        size in 0usize..5,
        paths in 1usize..4,
    ) {
        let size = size / paths;
        if let Err(why) = (Trial { seed, size, paths, transactions: 24, top: Level::Os }).run() {
            panic!("{why}");
        }
    }
}

#[test]
fn the_highest_level_means_the_same() {
    for seed in 0..2 {
        let paths = 1 + seed as usize;
        if let Err(why) = (Trial { seed, size: 2, paths, transactions: 40, top: Level::Oz }).run() {
            panic!("{why}");
        }
    }
}

#[test]
fn a_good_part_of_the_random_programs_accepts_and_shares_and_is_bounded() {
    let mut counts = Counts::default();
    for seed in 0..24 {
        counts.add(
            &Trial { seed, size: 2, paths: 1 + seed as usize % 2, transactions: 12, top: Level::Os }.run().unwrap(),
        );
    }
    let Counts { accepted, refused, sharing, bounded, .. } = counts;
    assert!(accepted > 40 && refused > 40 && sharing > 1 && bounded > 16, "{counts}");
    // What nobody would write by hand is harder to prove.
    assert!(counts.levels.values().all(|of| of.unproved * 4 <= counts.programs), "{counts}");
}
