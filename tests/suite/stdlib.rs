//! The standard library: its examples run, and its functions give what a reference in Rust gives, on the machine.

use driver::Compiled;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use spec::RuleSet;
use spec::hash::sha256;

use crate::bmc::root;
use crate::contracts::{Fields, OUT, Stage, compile, digest, stage_of};

/// A fenced example in a doc comment.
struct Example {
    module: String,
    line: usize,
    text: String,
}

/// The examples of every module, in order.
fn examples() -> Vec<Example> {
    let mut found = Vec::new();
    for (path, text) in driver::library() {
        let module = path.strip_prefix("std::").unwrap().to_owned();
        let mut open: Option<Example> = None;
        for (line, text) in text.lines().enumerate() {
            let text = text.strip_prefix("///").map(|text| text.strip_prefix(' ').unwrap_or(text));
            match (text, open.take()) {
                (Some("```bmc"), None) => open = Some(Example { module: module.clone(), line, text: String::new() }),
                (Some("```"), Some(example)) => found.push(example),
                (Some(text), Some(example)) => open = Some(Example { text: example.text + text + "\n", ..example }),
                (None, Some(_)) => panic!("{path}:{line}: an example does not end"),
                (_, None) => {}
            }
        }
    }
    found
}

/// Names of functions and constants that a module declares.
fn items(module: &str) -> Vec<String> {
    let (_, text) = driver::library().find(|(path, _)| *path == format!("std::{module}")).unwrap();
    let item = |line: &str| {
        line.strip_prefix("fn ")
            .or_else(|| line.strip_prefix("const "))
            .or_else(|| line.strip_prefix("struct "))
            .map(str::to_owned)
    };
    let name = |rest: String| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    text.lines().filter_map(item).map(name).collect()
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').collect()
}

impl Example {
    /// Whole sources stand for themselves; statements go into a spend path that imports what they use.
    fn source(&self) -> (bool, String) {
        if self.text.starts_with("use ") || self.text.starts_with("contract ") {
            return (false, self.text.clone());
        }
        let used: Vec<String> =
            items(&self.module).into_iter().filter(|item| words(&self.text).contains(&item.as_str())).collect();
        assert!(!used.is_empty(), "{}:{}: uses nothing of its module", self.module, self.line);
        let source = format!(
            "use std::{}::{{{}}};\ncontract Example(owner: PubKey) {{\n    spend run(sig: Sig) {{\n        \
             require owner.signed(sig), \"the owner must sign\";\n        \
             require tx.inputs.length == 1, \"alone\";\n{}    }}\n}}\n",
            self.module,
            used.join(", "),
            self.text
        );
        (true, source)
    }
}

#[test]
fn the_examples_in_the_documentation_run() {
    let examples = examples();
    assert!(examples.len() >= 40, "{}", examples.len());
    for example in examples {
        let (runs, source) = example.source();
        let place = format!("stdlib/{}.bmc:{}", example.module, example.line + 1);
        for rules in [RuleSet::Bitmodel, RuleSet::Bch2026] {
            let compiled = compile("example", &source, rules);
            assert!(!compiled.has_errors(), "{place}: {}\n{source}", compiled.to_json());
            if runs {
                let stage = stage_of(&compiled, &source, "Example", &[("owner", "@alice")]);
                let ran = stage.spend("run", &[("sig", "@alice")], OUT, Fields::default());
                assert!(ran.is_ok(), "{place}: {ran:?}\n{source}");
            }
        }
    }
}

#[test]
fn every_public_function_has_an_example() {
    let examples = examples();
    for (path, text) in driver::library() {
        let module = path.strip_prefix("std::").unwrap();
        for line in text.lines().filter_map(|line| line.strip_prefix("fn ")) {
            let name = line.split(['(', '<']).next().unwrap();
            let shown = examples.iter().any(|one| one.module == module && words(&one.text).contains(&name));
            assert!(shown, "{path}::{name} has no example");
        }
    }
}

#[test]
fn every_module_compiles_alone_without_a_word() {
    for (path, text) in driver::library() {
        let name = path.strip_prefix("std::").unwrap();
        for rules in [RuleSet::Bitmodel, RuleSet::Bch2026] {
            let compiled = compile(name, text, rules);
            assert!(compiled.diagnostics.is_empty(), "{path}: {}", compiled.to_json());
        }
    }
}

#[test]
fn the_table_of_modules_is_whole() {
    let page = std::fs::read_to_string(root().join("docs/book/src/language/standard-library.md")).unwrap();
    for (path, _) in driver::library() {
        let name = path.strip_prefix("std::").unwrap();
        assert!(page.contains(&format!("| `std::{name}` |")), "the book does not list {name}");
    }
}

fn probe_text() -> String {
    std::fs::read_to_string(root().join("tests/stdlib/probe.bmc")).unwrap()
}

fn probe() -> Compiled {
    compile("probe", &probe_text(), RuleSet::Bch2026)
}

/// Paths whose value is money.
const COINS: [&str; 2] = ["falling_price", "next_bid"];

/// The probe's contract, whose paths compare a function with a value.
struct Probe(Stage);

impl Probe {
    fn new() -> Self {
        Self(stage_of(&probe(), &probe_text(), "Probe", &[("owner", "@alice")]))
    }

    fn run(&self, path: &str, args: &[(&str, String)]) -> Result<(), String> {
        let mut args: Vec<(&str, &str)> = args.iter().map(|(name, text)| (*name, text.as_str())).collect();
        args.push(("sig", "@alice"));
        self.0.spend(path, &args, OUT, Fields::default())
    }

    /// The path accepts the value and no other, or fails as a whole if there is none.
    fn check(&self, path: &str, args: &[(&str, String)], value: Option<i128>) -> Result<(), TestCaseError> {
        let with = |r: i128| {
            args.iter()
                .cloned()
                .chain([("r", if COINS.contains(&path) { format!("{r} sats") } else { r.to_string() })])
                .collect::<Vec<_>>()
        };
        match value {
            Some(r) => {
                let ran = self.run(path, &with(r));
                prop_assert!(ran.is_ok(), "{path} {args:?} = {r}: {ran:?}");
                let wrong = self.run(path, &with(r + 1)).unwrap_err();
                prop_assert!(wrong.contains("another value"), "{path} {args:?}: {wrong}");
            }
            None => prop_assert!(self.run(path, &with(0)).is_err(), "{path} {args:?} has a value"),
        }
        Ok(())
    }
}

/// Runs a property from a fixed seed, so that a failure comes again.
fn property<S: Strategy>(strategy: &S, check: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases: 96, failure_persistence: None, ..Config::default() };
    let rng = proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, rng).run(strategy, check).unwrap();
}

fn whole(names: &[&'static str], values: &[i128]) -> Vec<(&'static str, String)> {
    names.iter().copied().zip(values.iter().map(i128::to_string)).collect()
}

const EDGES: [i128; 9] = [-1, 0, 1, 2, 3, 1_000, i32::MAX as i128, i64::MAX as i128 - 1, i64::MAX as i128];

fn number() -> impl Strategy<Value = i128> {
    prop_oneof![
        1 => prop::sample::select(EDGES.to_vec()),
        1 => -10i128..1_000,
        1 => -(1i128 << 62)..(1i128 << 62),
    ]
}

#[test]
fn divisions_round_as_they_say() {
    let probe = Probe::new();
    property(&(number(), number(), number()), |(a, b, c)| {
        let given = whole(&["a", "b", "c"], &[a, b, c]);
        // Products of two 63-bit numbers fit; twice that fits too.
        let when = |value: fn(u128, u128) -> u128| {
            (a >= 0 && b >= 0 && c > 0).then(|| value(a as u128 * b as u128, c as u128) as i128)
        };
        probe.check("mul_div", &given, when(|ab, c| ab / c))?;
        probe.check("mul_div_nearest", &given, when(|ab, c| ab / c + u128::from(ab % c >= c - ab % c)))?;
        probe.check("mul_div_ceil", &given, when(|ab, c| ab.div_ceil(c)))?;
        probe.check("clamp", &given, (b <= c).then(|| a.clamp(b.min(c), c.max(b))))?;
        probe.check("abs_diff", &whole(&["a", "b"], &[a, b]), Some((a - b).abs()))
    });
}

#[test]
fn roots_and_powers_are_exact() {
    let probe = Probe::new();
    let roots = prop_oneof![0u64..100, any::<u64>(), (0u64..=u32::MAX.into()).prop_map(|r| r * r)];
    let mut edges = vec![0, 1, 2, 3, 4, u64::MAX, u64::MAX - 1, u64::from(u32::MAX).pow(2)];
    edges.extend([u64::from(u32::MAX).pow(2) - 1, 1 << 62, (1 << 62) - 1]);
    let check = |x: u64| {
        let r = i128::from(x.isqrt());
        probe.check("isqrt", &[("x", x.to_string())], Some(r))?;
        for (claim, holds) in [(r, true), (r + 1, false), (r - 1, false), (-r - 1, false)] {
            let ran = probe.run("is_isqrt", &[("x", x.to_string()), ("r", claim.to_string())]);
            prop_assert_eq!(ran.is_ok(), holds, "{} {}", x, claim);
        }
        Ok(())
    };
    edges.into_iter().for_each(|x| check(x).unwrap());
    property(&roots, check);
    for x in [-1, 1i128 << 64] {
        probe.check("isqrt", &[("x", x.to_string())], None).unwrap();
    }
    property(&(-300i128..300, -2i128..70), |(a, b)| {
        let value = u32::try_from(b).ok().filter(|b| *b < 64).map(|b| a.checked_pow(b));
        match value {
            Some(Some(value)) if value < i128::MAX => probe.check("pow", &whole(&["a", "b"], &[a, b]), Some(value)),
            Some(_) => Ok(()),
            None => probe.check("pow", &whole(&["a", "b"], &[a, b]), None),
        }
    });
}

fn leaf(record: &[u8]) -> [u8; 32] {
    sha256(&[&[0], record].concat())
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    sha256(&[&[1], &left[..], right].concat())
}

/// The root of a tree and the path to one of its leaves, by building all of it.
fn tree(leaves: &[[u8; 32]], index: usize) -> ([u8; 32], Vec<u8>) {
    let (mut row, mut here, mut path) = (leaves.to_vec(), index, Vec::new());
    while row.len() > 1 {
        path.extend_from_slice(&row[here ^ 1]);
        row = row.chunks(2).map(|pair| node(&pair[0], &pair[1])).collect();
        here /= 2;
    }
    (row[0], path)
}

#[test]
fn merkle_roots_are_those_of_the_whole_tree() {
    let probe = Probe::new();
    let strategy = (0u32..5, any::<prop::sample::Index>(), any::<[u8; 8]>());
    property(&strategy, |(depth, index, seed)| {
        let count = 1usize << depth;
        let index = index.index(count);
        let record = |place: usize| [&seed[..], &[u8::try_from(place).unwrap()]].concat();
        let mut leaves: Vec<[u8; 32]> = (0..count).map(|place| leaf(&record(place))).collect();
        let (top, path) = tree(&leaves, index);
        let before = leaves[index];
        leaves[index] = leaf(b"another");
        let (next, _) = tree(&leaves, index);
        prop_assert_ne!(before, leaves[index]);
        let args = |index: usize, path: &[u8], r: &[u8]| {
            vec![
                ("record", digest(&record(index))),
                ("index", index.to_string()),
                ("path", digest(path)),
                ("r", digest(r)),
            ]
        };
        let ran = probe.run("root", &args(index, &path, &top));
        prop_assert!(ran.is_ok(), "{:?}", ran);
        let outside = args(index, &path, &top);
        let moved = |name: &'static str, text: String| {
            outside.iter().cloned().map(|(n, t)| if n == name { (n, text.clone()) } else { (n, t) }).collect::<Vec<_>>()
        };
        for (wrong, why) in [
            (moved("index", (index + count).to_string()), "the index lies in the tree"),
            (moved("index", "-1".into()), "the index lies in the tree"),
            (moved("r", digest(&next)), "another value"),
        ] {
            let error = probe.run("root", &wrong).unwrap_err();
            prop_assert!(error.contains(why), "{}: {}", why, error);
        }
        let update = |top: &[u8], r: &[u8]| {
            probe.run(
                "updated",
                &[
                    ("top", digest(top)),
                    ("before", digest(&record(index))),
                    ("after", digest(b"another")),
                    ("index", index.to_string()),
                    ("path", digest(&path)),
                    ("r", digest(r)),
                ],
            )
        };
        let ran = update(&top, &next);
        prop_assert!(ran.is_ok(), "{:?}", ran);
        prop_assert!(update(&next, &next).unwrap_err().contains("the old leaf stands in the tree"));
        prop_assert!(update(&top, &top).unwrap_err().contains("another value"));
        Ok(())
    });
}

fn height(value: i128) -> String {
    format!("height {value}")
}

fn blocks(value: i128) -> String {
    format!("{value} blocks")
}

#[test]
fn grants_and_prices_move_in_straight_lines() {
    let probe = Probe::new();
    let total = prop_oneof![0i128..1_000, 0i128..2_100_000_000_000_000];
    let strategy = (total, 0i128..1_000_000, 0i128..100, 1i128..200_000, 0i128..1_200_000);
    property(&strategy, |(total, start, cliff, length, at)| {
        let cliff = length * cliff / 99;
        let check = |at: i128| {
            let gone = at - start;
            let free = if gone < cliff { 0 } else { total * gone.min(length) / length };
            let args = [
                ("total", total.to_string()),
                ("start", height(start)),
                ("cliff", blocks(cliff)),
                ("length", blocks(length)),
                ("at", height(at)),
            ];
            prop_assert!(free <= total);
            probe.check("vested", &args, Some(free))?;
            let (slope, low) = (total / 1_000, total / 3);
            let price = (total - slope * gone).max(low);
            let args = [
                ("high", format!("{total} sats")),
                ("slope", format!("{slope} sats")),
                ("low", format!("{low} sats")),
                ("start", height(start)),
                ("at", height(at)),
            ];
            if gone < 0 {
                let args: Vec<_> = args.into_iter().chain([("r", "0 sats".to_owned())]).collect();
                let early = probe.run("falling_price", &args).unwrap_err();
                prop_assert!(early.contains("the auction has begun"), "{}", early);
                return Ok(());
            }
            probe.check("falling_price", &args, Some(price))?;
            let next = start + length * (gone / length + 1);
            let args =
                [("start", height(start)), ("at", height(at)), ("period", blocks(length)), ("next", height(next))];
            probe.check("periods", &args, Some(gone / length))
        };
        check(at)?;
        check(start)?;
        check(start + cliff)?;
        check(start + (cliff - 1).max(0))?;
        check(start + length)
    });
}

#[test]
fn bids_and_bounds_of_prices_are_exact() {
    let probe = Probe::new();
    property(&(0i128..2_100_000_000_000_000, 1i128..1_000), |(bid, step)| {
        let args = [("bid", format!("{bid} sats")), ("step", step.to_string())];
        probe.check("next_bid", &args, Some(bid + ((bid + step - 1) / step).max(1)))
    });
    property(&(0i128..1 << 40, 0i128..1 << 40, 0i128..2_000), |(price, last, parts)| {
        let holds = (price - last).abs() * 1_000 <= last * parts;
        let run = |r: bool| {
            let mut args = whole(&["price", "last", "parts"], &[price, last, parts]);
            args.push(("r", r.to_string()));
            probe.run("near", &args)
        };
        prop_assert!(run(holds).is_ok() && run(!holds).is_err(), "{} {} {}", price, last, parts);
        Ok(())
    });
}
