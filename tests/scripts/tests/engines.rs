//! Every kind of random script, in every engine. `cargo xtask fuzz scripts` runs as many as one likes.

use scripts::{Counts, Kind, draw};

fn check(kind: Kind, cases: u64) -> Counts {
    let mut counts = Counts::default();
    for case in 0..cases {
        let drawn = draw(kind, 1, case);
        match drawn.run(case % 10 == 0) {
            Ok(seen) => counts.add(seen),
            Err(difference) => panic!("case {case}: {difference}"),
        }
    }
    counts
}

#[test]
fn random_bytes_end_alike() {
    check(Kind::Raw, 20_000);
}

#[test]
fn random_instructions_end_alike_and_few_are_left_to_the_oracle() {
    let counts = check(Kind::Grammar, 20_000);
    assert!(counts.ends > 4_000 && counts.left * 50 < counts.ends, "{counts}");
}

#[test]
fn numbers_at_their_borders_end_alike_and_few_are_left_to_the_oracle() {
    let counts = check(Kind::Boundary, 20_000);
    assert!(counts.ends > 4_000 && counts.left * 50 < counts.ends, "{counts}");
}
