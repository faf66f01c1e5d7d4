//! Names that authors choose, where declarations write names of their own: no clash, or one message about it.

use driver::{Compiled, MemoryWorld, Options};
use spec::RuleSet;

fn compile(text: &str) -> Compiled {
    let world = MemoryWorld::new([("n.bmc", text)]);
    driver::compile(&world, &["n.bmc".to_owned()], &Options { rules: RuleSet::Bch2026, ..Options::default() })
}

/// Declarations of every kind; `NAME` is a name that the author chooses.
const DECLARED: [&str; 9] = [
    "imi Tiny { builder: NAME, goal: 1 coin, deadline: height 9, pledge: at least 2_000 sats, \
     accept: 2 of [judge_a, judge_b], release: { at goal: 30%, at beta: 20% by height 10, at accept: 50% by height 11 } }",
    "imi Tiny { builder: owner, payout: NAME, goal: 1 coin, deadline: height 9, pledge: at least 2_000 sats, \
     accept: 2 of [judge_a, judge_b], release: { at goal: 30%, at beta: 20% by height 10, at accept: 50% by height 11 } }",
    "imi Tiny { builder: owner, payout: payee, goal: 1 coin, deadline: height 9, pledge: at least 2_000 sats, threads: 3, \
     accept: 2 of [judge_a, NAME], release: { at goal: 30%, at beta: 20% by height 10, at accept: 50% by height 11 } }",
    "reward Flow { a: 1/2, b: 1/2, minimum: 100_000 sats, fee: up to 9 sats } imo Coin for Flow { criteria: \
     1 of [judge, NAME] over \"it runs\", supply: 1_000, allocate: { sale: 1/2 price linear { base: 9 sats, slope: 1 sats }, \
     upstream: 1/4, team: rest vest linear over 9 blocks cliff 2 blocks } }",
    "reward Flow { a: 1/2, b: 1/2, minimum: 100_000 sats, fee: up to 9 sats } imo Coin for Flow { criteria: \
     1 of [judge] over \"it runs\", supply: 1_000, allocate: { sale: 1/2 price fixed 9 sats, NAME: rest vest linear over \
     9 blocks }, treasury: chest, revenue: 50% of Flow to a }",
    "reward Flow { a: 1/2, b: 1/2, minimum: 100_000 sats, fee: up to 9 sats } imo Coin for Flow { criteria: \
     1 of [judge] over \"it runs\", supply: 1_000, allocate: { sale: 1/2 price dutch { start: 9 sats, end: 1 sats, \
     from: height 9, over: 9 blocks }, other: rest }, treasury: NAME }",
    "reward Flow { NAME: 1/2, b: 1/2, minimum: 100_000 sats, fee: up to 9 sats } imo Coin for Flow { criteria: \
     1 of [judge] over \"it runs\", supply: 1_000, allocate: { upstream: 100% } }",
    "reward Flow { a: 1/2 { NAME: 1/2, c: 1/2 }, b: 1/2, dust: b, minimum: 100_000 sats, fee: up to 9 sats }",
    "reward Big { NAME: 1/2, others: rest list, minimum: 1_000_000 sats, fee: up to 9 sats, adjust: by curator after 9 blocks }",
];

/// Words of the language, of its functions and types, and of what declarations write.
const NAMES: [&str; 62] = [
    "age",
    "alone",
    "amount",
    "amounts",
    "at",
    "attested",
    "back",
    "backer",
    "before",
    "brought",
    "bytes",
    "campaign",
    "category",
    "claimed",
    "coin",
    "coins",
    "continue",
    "cost",
    "curator",
    "due",
    "elapsed",
    "end",
    "escrow",
    "fee",
    "first",
    "given",
    "hash160",
    "i",
    "index",
    "input",
    "int",
    "key",
    "kind",
    "left",
    "less",
    "message",
    "min",
    "model",
    "more",
    "outpoint",
    "outstanding",
    "output",
    "owed",
    "padding",
    "paid",
    "passed",
    "pot",
    "price",
    "raised",
    "receipts",
    "recipient",
    "recipients",
    "record",
    "rest",
    "rise",
    "sale",
    "self",
    "sig",
    "state",
    "thread",
    "tx",
    "votes",
];

#[test]
fn a_name_that_a_declaration_also_writes_gets_one_message_or_none() {
    let mut wrong = Vec::new();
    for (at, declared) in DECLARED.iter().enumerate() {
        assert!(compile(&declared.replace("NAME", "somebody")).diagnostics.is_empty(), "{declared}");
        for name in NAMES {
            if name == "fee" && declared.contains("NAME: 1/2") {
                // A setting of rewards, not the name of a source.
                continue;
            }
            let compiled = compile(&declared.replace("NAME", name));
            let found: Vec<String> =
                compiled.diagnostics.iter().map(|found| format!("{} {}", found.code, found.message)).collect();
            if found.len() > 1 {
                wrong.push(format!("{at} {name}: {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The names of all items that the declarations of a source stand for.
fn generated(text: &str) -> Vec<(String, String)> {
    let compiled = compile(text);
    let of = |line: &str| {
        let (kind, rest) = line.split_once(' ')?;
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        matches!(kind, "contract" | "struct" | "plan" | "fn").then(|| (kind.to_owned(), name))
    };
    compiled.expand().lines().filter_map(of).collect()
}

#[test]
fn an_item_named_like_one_that_a_declaration_stands_for_gets_one_message_that_shows_both() {
    let model = "reward Share { author: 100%, minimum: 9_000 sats, fee: up to 9 sats } model Base { weights: \
                 0x0101010101010101010101010101010101010101010101010101010101010101, reward: Share, license: \"mit\", \
                 minimum: 9_000 sats, fee: up to 9 sats }";
    for declared in DECLARED.iter().copied().chain([model]) {
        let declared = declared.replace("NAME", "somebody");
        let names = generated(&declared);
        assert!(!names.is_empty(), "{declared}");
        for (kind, name) in names {
            let own = match kind.as_str() {
                "contract" => {
                    format!("contract {name}(k: PubKey) {{ spend go(s: Sig) {{ require k.signed(s), \"k\"; }} }}")
                }
                "struct" => format!("struct {name} {{ a: Int }}"),
                "fn" => format!("fn {name}() -> Int {{ 5 }}"),
                _ => format!("plan {name}(to: Lock) {{ output to {{ value: 1_000 sats }}; }}"),
            };
            for text in [format!("{declared}\n{own}"), format!("{own}\n{declared}")] {
                let compiled = compile(&text);
                let found: Vec<String> =
                    compiled.diagnostics.iter().map(|found| format!("{} {}", found.code, found.message)).collect();
                assert_eq!(found, [format!("E0105 `{name}` is declared twice")], "{text}");
                assert_eq!(compiled.diagnostics[0].labels.len(), 2, "{text}");
            }
        }
    }
}
