//! Every proof of a declaration at its boundary: the last source that is accepted, the first that is refused, and
//! where it is about money, what the accepted one does on the machine.

use std::fmt::Write as _;

use driver::{MemoryWorld, Options};
use spec::artifact::AbiValue;
use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, TxOut, Txid};
use wallet::{FeeRate, Params, Settlement, Utxo};

use crate::machine::{self, account, bytes, held, int, out, place, spend, tx};

/// The codes of all messages, each once.
fn codes(text: &str) -> Vec<String> {
    let world = MemoryWorld::new([("b.bmc", text)]);
    let compiled =
        driver::compile(&world, &["b.bmc".to_owned()], &Options { rules: RuleSet::Bch2026, ..Options::default() });
    let mut codes: Vec<String> = compiled.diagnostics.iter().map(|found| found.code.name().to_owned()).collect();
    codes.sort();
    codes.dedup();
    codes
}

#[track_caller]
fn fits(text: &str) {
    assert_eq!(codes(text), Vec::<String>::new(), "{text}");
}

#[track_caller]
fn breaks(text: &str, code: &str) {
    assert_eq!(codes(text), [code], "{text}");
}

/// The same source once on this side of the boundary, once beyond it.
#[track_caller]
fn boundary(code: &str, source: impl Fn(&str) -> String, inside: &str, beyond: &str) {
    fits(&source(inside));
    breaks(&source(beyond), code);
}

// ---- rewards

fn reward(entries: &str) -> String {
    format!("reward Pot {{ {entries} }}")
}

/// What every recipient gets of a pot of this size, which leaves the fee to the miner.
fn settled(text: &str, pot: u64, fee: u64) -> Result<Vec<u64>, String> {
    let artifact = machine::compiled(text).remove(0);
    let shares = artifact.reward.as_ref().unwrap();
    let locks = |at: usize| account(u32::try_from(at).unwrap() % 90);
    let params: Params = match &shares.list {
        None => {
            let lock = |(at, slot): (usize, &spec::artifact::Slot)| (slot.name.clone(), bytes(locks(at)));
            artifact.params.iter().enumerate().map(lock).collect()
        }
        Some(_) => {
            let at = |name: &str| shares.sources.iter().position(|source| source.name == name);
            let records = flow::records(&artifact, &|name: &str| at(name).map(locks), &[]).unwrap();
            Params::from([(artifact.params[0].name.clone(), records)])
        }
    };
    let output = TxOut::plain(Sats::from_wire(pot), artifact.lock(&params).unwrap());
    let coin = Utxo { outpoint: OutPoint { txid: Txid::from_wire([7; 32]), index: 0 }, output };
    let wish = Settlement {
        artifact: &artifact,
        params: &params,
        coins: vec![coin],
        fee: Sats::new(fee),
        rate: FeeRate::RELAY_MIN,
    };
    let built = wallet::settle(&wish).map_err(|error| error.to_string())?.built;
    let context = SpendContext::new(&built.tx, &built.spent).unwrap();
    for rules in [RuleSet::Bch2026, RuleSet::Bitmodel] {
        vm::verify_input(&Rules::new(rules, Mode::Relay), &context, 0).unwrap();
    }
    machine::agreed(&built.tx, &built.spent, &[0], Ok(())).unwrap();
    Ok(built.tx.outputs.iter().map(|output| output.value.get()).collect())
}

const MONEY: &str = "minimum: 1_000_000 sats, fee: up to 1_000 sats";

#[test]
fn weights_of_a_reward() {
    let second = |weight: &str| reward(&format!("a: 2/5, b: {weight}, {MONEY}"));
    boundary("E0301", second, "3/5", "600_000_001/1_000_000_000");
    breaks(&second("599_999_999/1_000_000_000"), "E0301");
    assert_eq!(settled(&second("3/5"), 1_000_001, 1_000).unwrap(), [399_600, 599_401]);
    // The smallest weight that the smallest pot can pay, and none at all.
    let least = |weight: &str| reward(&format!("a: {weight}, b: rest, minimum: 1_001_000 sats, fee: up to 1_000 sats"));
    boundary("E0302", least, "576/1_000_000", "0/1_000_000");
    breaks(&least("575/1_000_000"), "E0308");
    assert_eq!(settled(&least("576/1_000_000"), 1_001_000, 1_000).unwrap(), [576, 999_424]);
    boundary("E0303", |b| reward(&format!("a: 40%, b: {b}, c: rest, {MONEY}")), "59%", "rest");
    let rest = |b: &str| reward(&format!("a: 40%, b: {b}, c: rest, {MONEY}"));
    boundary("E0304", rest, "594/1_000", "60%");
    breaks(&rest("61%"), "E0304");
    assert_eq!(settled(&rest("594/1_000"), 1_000_000, 0).unwrap(), [400_000, 594_000, 6_000]);
    boundary("E0310", |b| reward(&format!("a: 2/5, b: {b}, {MONEY}")), "0.6", "\"three fifths\"");
}

#[test]
fn names_and_settings_of_a_reward() {
    let group = |name: &str| reward(&format!("m: 50% {{ d: 1/2, e: 1/2 }}, {name}: 50%, {MONEY}"));
    boundary("E0305", group, "m_f", "m_d");
    let dust = |name: &str| reward(&format!("a: 40%, b: 60% {{ c: 1/2, d: 1/2 }}, dust: {name}, {MONEY}"));
    boundary("E0306", dust, "b.c", "b");
    boundary("E0311", |fee| reward(&format!("a: 100%, minimum: 9_000 sats, fee: {fee}")), "up to 9 sats", "9 sats");
    boundary("E0313", |of| reward(&format!("a: 40%, b: 60% {{ {of} }}, {MONEY}")), "c: 100%", "");
    boundary("E0314", |fee| reward(&format!("a: 100%, minimum: 9_000 sats, {fee}")), "fee: up to 1_000 sats", "");
    let split = |more: &str| {
        let contract = format!("contract Pay() {{ spend pay() {{ split self.value by Pot; {more} }} }}");
        format!("{}\n{contract}", reward(&format!("a: 40%, b: rest, {MONEY}")))
    };
    boundary("E0315", split, "", "split self.value by Pot;");
    boundary("E0316", |b| reward(&format!("a: 40%{b}, c: rest list, {MONEY}")), "", " list");
    let circle = |to: &str| {
        format!(
            "reward A {{ a: 60%, b: 40% to B, {MONEY} }} reward B {{ c: 10% to {to}, d: rest, {MONEY} }} \
             reward C {{ e: 100%, {MONEY} }}"
        )
    };
    boundary("E0317", circle, "C", "A");
}

#[test]
fn pots_of_a_reward() {
    // 5 % of what is left of the fee is the dust limit of an output, and one less is not.
    let minimum = |sats: &str| reward(&format!("a: 5%, b: 95%, {sats} fee: up to 1_000 sats"));
    boundary("E0307", minimum, "minimum: 12_520 sats,", "");
    boundary("E0308", minimum, "minimum: 12_520 sats,", "minimum: 12_519 sats,");
    assert_eq!(settled(&minimum("minimum: 12_520 sats,"), 12_520, 1_000).unwrap(), [576, 10_944]);
    settled(&minimum("minimum: 12_520 sats,"), 12_519, 1_000).unwrap_err();
    let fee = |sats: &str| reward(&format!("a: 100%, minimum: 1_576 sats, fee: up to {sats} sats"));
    boundary("E0308", fee, "1_000", "1_001");
    breaks(&fee("1_575"), "E0308");
    breaks(&fee("1_576"), "E0309");
    assert_eq!(settled(&fee("1_000"), 1_576, 1_000).unwrap(), [576]);
    settled(&fee("1_000"), 1_576, 1_001).unwrap_err();
}

#[test]
fn sizes_of_a_reward() {
    let many = |count: &str| {
        let count: usize = count.parse().unwrap();
        let mut text = String::new();
        (1..count).for_each(|at| write!(text, "s{at}: 1/{count}, ").unwrap());
        reward(&format!("{text} s: rest, {MONEY}"))
    };
    boundary("E0312", many, "200", "201");
    let paid = settled(&many("200"), 1_000_000, 1_000).unwrap();
    assert_eq!((paid.len(), paid.iter().sum::<u64>()), (200, 999_000));
    let deep = |depth: &str| {
        let depth: usize = depth.parse().unwrap();
        let (open, close) = ("g: 100% { ".repeat(depth), "}".repeat(depth));
        reward(&format!("{open} a: 100%, {close}, {MONEY}"))
    };
    boundary("E0312", deep, "16", "17");
    let fine = |weight: &str| reward(&format!("a: {weight}, b: rest, {MONEY}"));
    let (inside, beyond) =
        ("1_000_000_000_000_003/2_100_000_000_000_000", "1_000_000_000_000_003/2_100_000_000_000_001");
    boundary("E0312", fine, inside, beyond);
    // All money there is, divided by the finest weight: nothing is lost and nothing made.
    let all = Sats::MAX.get();
    assert_eq!(settled(&fine(inside), all, 0).unwrap(), [1_000_000_000_000_003, 1_099_999_999_999_997]);
}

// ---- campaigns

/// A campaign with one setting changed.
fn campaign(changes: &[(&str, &str)]) -> String {
    let mut entries = vec![
        ("builder", "builder_key"),
        ("goal", "1_920 sats"),
        ("deadline", "height 300"),
        ("pledge", "at least 1_546 sats"),
        ("deliver", "{ weights: Hash256, by: height 400 }"),
        ("accept", "2 of [judge_a, judge_b, judge_c]"),
        ("release", "{ at goal: 30%, at accept: 70% }"),
    ];
    for (key, value) in changes {
        match entries.iter_mut().find(|entry| entry.0 == *key) {
            Some(entry) => entry.1 = value,
            None => entries.push((key, value)),
        }
    }
    let lines: String = entries
        .iter()
        .filter(|entry| !entry.1.is_empty())
        .map(|(key, value)| format!("    {key}: {value},\n"))
        .collect();
    format!("imi Small {{\n{lines}}}\n")
}

#[test]
fn settings_of_a_campaign() {
    fits(&campaign(&[]));
    for key in ["builder", "goal", "deadline", "pledge", "release", "accept"] {
        breaks(&campaign(&[(key, "")]), "E0320");
    }
    breaks(&campaign(&[("goals", "1 coin")]), "E0321");
    boundary("E0322", |pledge| campaign(&[("pledge", pledge)]), "at least 1_700 sats", "1_700 sats");
    breaks(&campaign(&[]).replace("goal: 1_920 sats,", "goal: 1_920 sats, goal: 1_920 sats,"), "E0323");
    boundary("E0324", |threads| campaign(&[("threads", threads)]), "1", "0");
    boundary("E0324", |threads| campaign(&[("threads", threads)]), "16", "17");
    let dates = |deadline: &str| {
        campaign(&[("deadline", deadline), ("release", "{ at goal: 100% }"), ("accept", ""), ("deliver", "")])
    };
    boundary("E0205", dates, "height 499_999_999", "height 500_000_000");
    boundary("E0324", dates, "height 1", "height 0");
    let fine = |share: &str| {
        campaign(&[
            ("goal", "10_000 coin"),
            ("release", &format!("{{ at goal: {share}, at accept: 999_999/1_000_000 }}")),
        ])
    };
    boundary("E0901", fine, "1/1_000_000", "1/999_999");
    let finest = |rest: &str| {
        let release = format!("{{ at goal: 1/2, at accept: {rest} }}");
        campaign(&[("release", &release)])
    };
    boundary("E0901", finest, "500_000_000/1_000_000_000", "500_000_001/1_000_000_000");
    breaks(&finest("499_999_999/1_000_000_000"), "E0901");
    breaks(&finest("500_000_000/1_000_000_001"), "E0324");
    let until = |key: &str, value: &str| breaks(&campaign(&[(key, value)]), "E0326");
    until("accept", "2 of [judge_a, judge_b, judge_c] until height 9");
    until("goal", "1_920 sats until height 9");
    until("release", "{ at goal: 30% until height 9, at accept: 70% }");
}

#[test]
fn judges_of_a_campaign() {
    let judges = |needed: usize, all: usize| {
        let names: Vec<String> = (0..all).map(|at| format!("judge_{at}")).collect();
        campaign(&[("accept", &format!("{needed} of [{}]", names.join(", ")))])
    };
    fits(&judges(1, 1));
    breaks(&judges(0, 1), "E0325");
    fits(&judges(3, 3));
    breaks(&judges(4, 3), "E0325");
    breaks(&judges(51, 51), "E0325");
    boundary(
        "E0325",
        |last| campaign(&[("accept", &format!("2 of [judge_a, judge_b, {last}]"))]),
        "judge_c",
        "judge_b",
    );
    boundary(
        "E0325",
        |last| campaign(&[("accept", &format!("2 of [judge_a, judge_b, {last}]"))]),
        "judge_c",
        "builder_key",
    );
}

#[test]
fn releases_and_dates_of_a_campaign() {
    let release = |entries: &str| campaign(&[("release", entries)]);
    boundary("E0901", release, "{ at goal: 30%, at accept: 70% }", "{ at accept: 70%, at goal: 30% }");
    let many = |count: &str| {
        let count: usize = count.parse().unwrap();
        let mut entries = String::new();
        (1..count).for_each(|at| write!(entries, "at m{at}: 1/{count}, ").unwrap());
        campaign(&[("goal", "1 coin"), ("release", &format!("{{ {entries} at accept: 1/{count} }}"))])
    };
    boundary("E0901", many, "16", "17");
    let refund = |share: &str| campaign(&[("refund", &format!("{{ no_goal: 100%, not_accepted: {share} }}"))]);
    boundary("E0902", refund, "70%", "700_000_001/1_000_000_000");
    breaks(&refund("699_999_999/1_000_000_000"), "E0902");
    let date = |by: &str| campaign(&[("deliver", &format!("{{ by: height {by} }}"))]);
    boundary("E0903", date, "301", "300");
    let two = |by: &str| release(&format!("{{ at alpha: 30% by height {by}, at accept: 70% }}"));
    boundary("E0903", two, "399", "400");
    boundary("E0904", |pledge| campaign(&[("pledge", pledge)]), "at least 1_546 sats", "until height 300");
    boundary("E0905", |deliver| campaign(&[("deliver", deliver)]), "{ by: height 400 }", "");
}

#[test]
fn amounts_of_a_campaign() {
    // What goes home for a fee of 1,000 sats is an output of 546.
    boundary("E0906", |pledge| campaign(&[("pledge", pledge)]), "at least 1_546 sats", "at least 1_545 sats");
    // 30 % of the goal are the dust limit of an output, and of a unit less are not.
    boundary("E0906", |goal| campaign(&[("goal", goal)]), "1_920 sats", "1_919 sats");
    boundary("E0906", |pledge| campaign(&[("pledge", pledge)]), "at least 1_920 sats", "at least 1_921 sats");
}

// ---- offerings

const FLOW: &str = "reward Flow { a: 10%, b: rest, minimum: 100_000 sats, fee: up to 1_000 sats }\n";

/// An offering of this supply with these parts.
fn offering(supply: &str, parts: &str, more: &str) -> String {
    format!(
        "{FLOW}imo Coin for Flow {{\n    criteria: 2 of [judge_a, judge_b] over \"it runs\",\n    supply: {supply},\n    \
         allocate: {{ {parts} }},\n    {more}\n}}\n"
    )
}

#[test]
fn settings_of_an_offering() {
    fits(&offering("10", "team: 100%", ""));
    for key in ["criteria", "supply", "allocate"] {
        let text = offering("10", "team: 100%", "");
        let without: String =
            text.lines().filter(|line| !line.contains(&format!("{key}:"))).map(|line| format!("{line}\n")).collect();
        breaks(&without, "E0320");
    }
    breaks(&offering("10", "team: 100%", "supplies: 10,"), "E0321");
    breaks(&offering("10", "team: 100%", "treasury: 10,"), "E0322");
    breaks(&offering("10", "team: 100%", "supply: 10,"), "E0323");
    boundary(
        "E0324",
        |supply| offering(supply, "team: 100%", ""),
        "9_223_372_036_854_775_807",
        "9_223_372_036_854_775_808",
    );
    boundary("E0324", |supply| offering(supply, "team: 100%", ""), "1", "0");
    let vest = |over: &str| offering("10", &format!("team: 100% vest linear over {over} blocks"), "");
    boundary("E0324", vest, "2_147_483_647", "2_147_483_648");
    boundary("E0324", vest, "1", "0");
    boundary("E0325", |judge| offering("10", "team: 100%", "").replace("judge_b", judge), "judge_c", "judge_a");
    breaks(&offering("10", "team: 100%", "").replace("\"it runs\"", "\"it runs\" until height 9"), "E0326");
    breaks(&offering("10", "team: 100% vest linear over 10 blocks until height 9", ""), "E0326");
    breaks(&offering("10", "team: 100%", "revenue: 10% of Flow to a until height 9,"), "E0326");
}

#[test]
fn parts_of_an_offering() {
    let two = |second: &str| offering("1_000_000_000", &format!("a: 1/2, b: {second}"), "");
    boundary("E0921", two, "500_000_000/1_000_000_000", "500_000_001/1_000_000_000");
    breaks(&two("499_999_999/1_000_000_000"), "E0921");
    // Half a token is rounded up to one, less is none.
    boundary("E0921", |first| offering("100", &format!("a: {first}, b: rest"), ""), "1/200", "1/201");
    let many = |count: &str| {
        let count: usize = count.parse().unwrap();
        let parts: Vec<String> = (0..count).map(|at| format!("p{at}: 1/{count}")).collect();
        offering("1_000", &parts.join(", "), "")
    };
    boundary("E0921", many, "20", "21");
    // The sources of the model get a token each.
    boundary("E0921", |supply| offering(supply, "upstream: 100%", ""), "5", "4");
    boundary("E0926", |name| offering("10", &format!("a: 1/2, {name}: rest"), ""), "b", "judge_a");
    let sale = |more: &str| offering("10", &format!("sale: 1/2 price fixed 9 sats, more: rest {more}"), "");
    boundary("E0926", sale, "", "price fixed 9 sats");
    boundary(
        "E0925",
        |share| {
            offering("10", "a: 100%", &format!("revenue: {share} of Flow to a,"))
                .replace("allocate: { a:", "allocate: { t:")
        },
        "10%",
        "100_000_001/1_000_000_000",
    );
}

#[test]
fn prices_of_an_offering() {
    let dutch = |end: &str| {
        let price = format!("price dutch {{ start: 100 sats, end: {end} sats, from: height 9, over: 10 blocks }}");
        offering("10", &format!("sale: 100% {price}"), "")
    };
    boundary("E0922", dutch, "100", "101");
    let fixed = |price: &str| offering("21", &format!("sale: 100% price fixed {price}"), "");
    boundary("E0922", fixed, "9 sats", "9 sats until height 9");
    boundary("E0923", fixed, "1_000_000 coin", "100_000_000_000_001 sats");
    let linear =
        |base: &str| offering("1_000", &format!("sale: 100% price linear {{ base: {base} sats, slope: 2 sats }}"), "");
    boundary("E0923", linear, "2_099_999_999_000", "2_099_999_999_001");
    let per = |slope: &str| {
        let price = format!("price linear {{ base: 1 sats, slope: {slope} sats, per: 1_000_000 }}");
        offering("1_000_000_000", &format!("sale: 100% {price}"), "")
    };
    // 10⁹ + slope · 10¹² / 2 are at most 21 · 10¹⁴.
    boundary("E0923", per, "4_199", "4_200");
    // The last tokens at the highest price that passed: a unit less is refused, and the sale holds the price exactly.
    let artifacts = machine::compiled(&linear("2_099_999_999_000"));
    let sale = place(&artifacts, "CoinSale", vec![("treasury", bytes(account(8)))]);
    let (all, most) = (1_000u64, Sats::MAX.get());
    let buy = |cost: u64| {
        let coin = sale.out(2_000, held(&0u64.to_le_bytes(), all));
        let next = sale.out(2_000 + cost, held(&all.to_le_bytes(), 0));
        tx(
            vec![spend(&sale, "buy", vec![("amount", int(all))], coin)],
            vec![next, out(&account(9), 1_000, machine::fungible(all))],
        )
    };
    buy(most).accepted();
    buy(most - 1).refused("the value that is given");
}

#[test]
fn vesting_of_an_offering() {
    let vest = |cliff: &str| offering("10", &format!("team: 100% vest linear over 10 blocks cliff {cliff} blocks"), "");
    boundary("E0924", vest, "10", "11");
    // Nothing a block before the cliff, everything at it.
    let artifacts = machine::compiled(&vest("10"));
    let vesting = place(&artifacts, "CoinVesting", vec![("team", bytes(account(1)))]);
    let claim = |age: u32, paid: u64| {
        let coin = vesting.out(2_000, held(&0u32.to_le_bytes(), 10));
        let next = vesting.out(2_000, held(&age.to_le_bytes(), 10 - paid));
        let args = vec![("age", AbiValue::int(age.into()))];
        tx(vec![spend(&vesting, "claim", args, coin)], vec![next, out(&account(1), 1_000, machine::fungible(paid))])
            .aged(age)
    };
    claim(9, 9).refused("the cliff of 10 blocks has passed");
    claim(10, 10).accepted();
    claim(10, 9).refused("output 1 carries all that has vested");
}
