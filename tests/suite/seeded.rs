//! Twenty-three bugs, put into the examples one at a time: a property of the example finds each, and makes the values that
//! show it as simple as they can be.

use std::fs;

use driver::{Compiled, MemoryWorld, Options, compile};
use tester::{Choice, Verdict, run};

use crate::bmc::root;

/// A mistake that somebody could make.
struct Bug {
    /// The folder below `examples`, and the file in it.
    place: &'static str,
    /// What is written there.
    right: &'static str,
    /// What is written instead.
    wrong: &'static str,
    /// The property that finds it.
    property: &'static str,
    /// The simplest values for which the property fails.
    simplest: &'static str,
}

const fn bug(
    place: &'static str,
    right: &'static str,
    wrong: &'static str,
    property: &'static str,
    simplest: &'static str,
) -> Bug {
    Bug { place, right, wrong, property, simplest }
}

#[rustfmt::skip]
const BUGS: [Bug; 23] = [
    bug("escrow/escrow", "if for_seller { seller } else { buyer }", "if for_seller { buyer } else { seller }",
        "the_judge_chooses_between_the_two", "for_seller = false"),
    bug("escrow/escrow", ">= self.value,", ">= self.value - 5_000 sats,",
        "nobody_gets_less_than_the_whole", "less = 1 sats"),
    bug("htlc/htlc", "tx.height >= expiry", "tx.height >= expiry - 6 blocks",
        "no_refund_comes_early", "early = height 899_994"),
    bug("htlc/htlc", "sha256(secret) == digest", "sha256(secret) != digest",
        "only_the_secret_opens", "guess = 0x0000000000000000000000000000000000000000000000000000000000000000"),
    bug("subscription/subscription", "self.value < payment + 1_000 sats", "self.value < payment",
        "the_last_payment_is_what_is_left", "left = 100_000_000 sats"),
    bug("subscription/subscription", "tx.outputs[0].value >= self.value,", "tx.outputs[0].value >= self.value - 1 sats,",
        "the_last_payment_is_what_is_left", "left = 1_000 sats"),
    bug("subscription/subscription", ">= self.value - payment,", ">= self.value - payment - 5_000 sats,",
        "no_more_than_a_payment_leaves", "more = 1 sats"),
    bug("vault/vault", "self.age >= delay", "self.age >= min(delay, 5 blocks)",
        "an_announcement_waits", "early = 5 blocks"),
    bug("vault/vault", "tx.outputs[0].value >= self.value", "tx.outputs[0].value >= self.value - 10_000 sats",
        "the_whole_value_leaves", "left = 99_990_000 sats"),
    bug("multisig/treasury", "self.age >= patience", "self.age >= min(patience, 143 blocks)",
        "one_partner_alone_is_patient", "early = 143 blocks"),
    bug("text-to-image-reward/text_to_image", "databases:      30%", "databases:      31%",
        "databases_get_three_tenths", "pot = 20_000 sats"),
    bug("splitter-985/everyone", "minimum:    1_000_000 sats", "minimum:    2_000_000 sats",
        "every_unit_goes_to_somebody", "pot = 1_000_000 sats, weight = 1_000"),
    bug("splitter-985/everyone", "up to 60_000 sats", "up to 4_000 sats",
        "every_unit_goes_to_somebody", "pot = 1_000_000 sats, weight = 1_000"),
    bug("imo-fixed/imo_fixed", "price fixed 700 sats", "price fixed 699 sats",
        "the_price_is_exact", "amount = 1"),
    bug("imo-linear/imo_linear", "slope: 2 sats", "slope: 3 sats",
        "the_price_depends_on_what_was_sold", "first = 1, second = 1"),
    bug("imo-linear/imo_linear", "base: 100 sats", "base: 99 sats",
        "the_price_depends_on_what_was_sold", "first = 1, second = 1"),
    bug("imo-dutch/imo_dutch", "end: 100 sats", "end: 90 sats",
        "no_block_is_cheaper_than_it_is", "passed = 3 blocks, amount = 1"),
    bug("imo-dutch/imo_dutch", "over: 40 blocks", "over: 50 blocks",
        "no_block_is_cheaper_than_it_is", "passed = 1 blocks, amount = 1"),
    bug("imo-dutch/imo_dutch", "from: height 130", "from: height 131",
        "no_block_is_cheaper_than_it_is", "passed = 0 blocks, amount = 1"),
    bug("imi/tiny_coder", "at least 0.1 coin", "at least 0.05 coin",
        "a_pledge_has_its_least", "amount = 5_000_000"),
    bug("imi/tiny_coder", "30%, at accept: 70% },\n    refund:   { no_goal: 100%, not_accepted: 70%", "40%, at accept: 60% },\n    refund:   { no_goal: 100%, not_accepted: 60%",
        "the_builder_gets_three_tenths_at_the_goal", "raised = 2_500_000_000 sats"),
    bug("adjustable-reward/team", "after 144 blocks", "after 143 blocks",
        "a_proposal_waits", "early = 143 blocks"),
    bug("model-family/family", "builds_on: { Attention: 10% }", "builds_on: { Attention: 11% }",
        "a_tenth_goes_to_the_parent", "pot = 10_000 sats"),
];

/// The example with its tests, where `change` has been applied to its source.
fn compiled(place: &str, change: impl FnOnce(&str) -> String) -> Compiled {
    let (folder, file) = place.split_once('/').unwrap();
    let read = |name: &str| fs::read_to_string(root().join("examples").join(folder).join(name)).unwrap();
    let (source, tests) = (format!("{file}.bmc"), "tests.bmc");
    let (text, stories) = (change(&read(&source)), read(tests));
    let world = MemoryWorld::new([(source.as_str(), text.as_str()), (tests, stories.as_str())]);
    let compiled = compile(&world, &[source.clone(), tests.to_owned()], &Options::default());
    // A wrong script may also be longer than the budget of the right one.
    let mut errors = compiled.diagnostics.iter().filter(|found| found.severity == driver::Severity::Error);
    assert!(errors.all(|found| found.code.name() == "E0505"), "{place}: {:#}", compiled.to_json());
    compiled
}

/// The simplest values for which a property fails; `None` if it holds.
fn simplest(compiled: &Compiled, property: &str) -> Option<String> {
    let choice = Choice { filters: vec![format!("tests::{property}")], ..Choice::default() };
    let outcomes = run(compiled, &choice, &|_, _| ());
    let [outcome] = outcomes.as_slice() else { panic!("{property}: {} outcomes", outcomes.len()) };
    match &outcome.verdict {
        Verdict::Passed => None,
        Verdict::Failed { counterexample, .. } => {
            let values = counterexample.iter().flat_map(|example| &example.values);
            Some(values.map(|(name, value)| format!("{name} = {value}")).collect::<Vec<_>>().join(", "))
        }
    }
}

#[test]
fn properties_find_each_bug_and_show_it_as_simply_as_can_be() {
    let wrong = BUGS.iter().filter_map(|bug| {
        assert_eq!(simplest(&compiled(bug.place, str::to_owned), bug.property), None, "{}", bug.place);
        let change = |text: &str| {
            assert!(text.contains(bug.right), "{}: `{}` is not there", bug.place, bug.right);
            text.replacen(bug.right, bug.wrong, 1)
        };
        let found = simplest(&compiled(bug.place, change), bug.property);
        let as_said = found.as_deref() == Some(bug.simplest);
        (!as_said).then(|| format!("{}, `{}`: {found:?}, not `{}`", bug.place, bug.wrong, bug.simplest))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
