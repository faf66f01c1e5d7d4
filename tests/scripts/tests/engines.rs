//! Every kind of random script, in every engine. `cargo xtask fuzz scripts` runs as many as one likes.

use engine::Effort;
use scripts::{Case, Counts, Kind, Push, Random, World, draw};
use spec::opcode::Opcode::*;
use spec::{Mode, RuleSet};

/// Every tenth script runs in machine code too, and of those every other in what is made well.
fn check(kind: Kind, cases: u64) -> Counts {
    let mut counts = Counts::default();
    for case in 0..cases {
        let effort = if case % 20 == 0 { Effort::Hot } else { Effort::Quick };
        let machine = Some(effort).filter(|_| case % 10 == 0);
        match draw(kind, 1, case).run(8, machine, Random::new(2, case)) {
            Ok(seen) => counts.add(seen),
            Err(difference) => panic!("case {case}: {difference}"),
        }
    }
    assert_eq!(counts.scripts, cases);
    counts
}

/// Of what comes to its end in the oracle, the engines leave at most one in fifty to it.
fn check_ends(kind: Kind, cases: u64) -> Counts {
    let counts = check(kind, cases);
    assert!(counts.register.ends > 2 * cases && counts.register.left * 50 < counts.register.ends, "{counts}");
    let machine = counts.machine;
    assert!(machine.all() == 0 || machine.ends > cases / 8 && machine.left * 50 < machine.ends, "{counts}");
    // What is compiled for one deployment runs for others too.
    assert!(counts.units * 2 < machine.all().max(1), "{counts}");
    counts
}

#[test]
fn random_bytes_end_alike() {
    check(Kind::Raw, 8_000);
}

#[test]
fn random_instructions_end_alike_and_few_are_left_to_the_oracle() {
    check_ends(Kind::Grammar, 5_000);
}

#[test]
fn numbers_at_their_borders_end_alike_and_few_are_left_to_the_oracle() {
    check_ends(Kind::Boundary, 5_000);
}

#[test]
fn what_engines_do_in_their_own_ways_ends_alike_and_little_is_left_to_the_oracle() {
    check_ends(Kind::Aimed, 5_000);
}

#[test]
fn signatures_that_are_right_are_accepted_and_others_are_not() {
    let counts = check_ends(Kind::Signed, 400);
    assert!(counts.accepted > 400 && counts.ends < counts.inputs, "{counts}");
}

#[test]
fn results_of_one_instruction_stay_apart_where_one_is_not_needed() {
    let script = [Swap, N1, Split, Drop, Dup].map(|opcode| opcode.to_byte()).to_vec();
    let pushes = [&[3; 200][..], &[1, 2, 3], &[9]].map(|data| Push::Bytes(data.to_vec())).to_vec();
    let (set, mode, world) = (RuleSet::Bitmodel, Mode::Consensus, World::default());
    let case = Case { pushes, script, redeem: false, set, mode, world, deployment: 0 };
    for effort in [Effort::Quick, Effort::Hot] {
        let counts = case.run(8, Some(effort), Random::new(1, 1)).unwrap_or_else(|difference| panic!("{difference}"));
        assert!(counts.register.ends >= 8 && counts.register.left == 0, "{counts}");
    }
}
