//! What contracts take, in lenses, hovers, hints and diagnostics.

use std::rc::Rc;

use driver::{MakingName, MemoryWorld, Options, Sizes};
use spec::artifact::Level;

use super::Fixture;
use crate::{GivenUp, HintKind, Host, LensKind, Snapshot};

const TWO: &str = "\
contract One(owner: PubKey) {
    spend take(sig: Sig) {
        require owner.signed(sig);
    }
}
fn twice(n: Int) -> Int { n + n }
contract Two(owner: PubKey, limit: Int) {
    spend take(sig: Sig, n: Int) {
        require twice(n) < limit, \"too much\";
        require owner.signed(sig), \"not signed\";
    }
    spend burn(n: Int) {
        require n == limit, \"another\";
    }
}
";

/// Makes whatever is to be made; the names of it.
fn measure(snapshot: &Snapshot) -> Vec<MakingName> {
    let works = snapshot.unmeasured("a.bmc").unwrap();
    for work in &works {
        work.run(Rc::new(|| false)).unwrap();
    }
    works.iter().map(|work| work.name().clone()).collect()
}

fn contract(name: &str) -> MakingName {
    MakingName::Contract(name.to_owned())
}

fn replace(host: &mut Host, old: &str, new: &str) {
    let lines = host.document("a.bmc").unwrap().0.clone();
    let at = lines.text().find(old).unwrap_or_else(|| panic!("no {old}"));
    host.change("a.bmc", lines.replaced(at..at + old.len(), new), 2);
}

/// The titles of all lenses for costs.
fn titles(snapshot: &Snapshot) -> Vec<String> {
    let lenses = snapshot.lenses("a.bmc").unwrap().into_iter();
    let title = |kind: LensKind| match kind {
        LensKind::Cost { item, path } => snapshot.cost_title("a.bmc", &item, path.as_deref()).unwrap(),
        _ => None,
    };
    lenses.filter_map(|lens| title(lens.kind)).collect()
}

#[test]
fn only_what_an_edit_has_changed_is_made_again() {
    let mut host = Fixture::new(TWO).host;
    assert_eq!(measure(&host.snapshot("a.bmc").unwrap()), [contract("One"), contract("Two")]);
    assert_eq!(measure(&host.snapshot("a.bmc").unwrap()), []);
    // Typing in the body of one contract.
    replace(&mut host, "n == limit", "n <= limit");
    assert_eq!(measure(&host.snapshot("a.bmc").unwrap()), [contract("Two")]);
    // In a function, whoever calls it.
    replace(&mut host, "n + n", "n + n + n");
    assert_eq!(measure(&host.snapshot("a.bmc").unwrap()), [contract("Two")]);
    // Beside them, nothing.
    replace(&mut host, "contract One", "// A comment.\nconst OTHER: Int = 1;\ncontract One");
    assert_eq!(measure(&host.snapshot("a.bmc").unwrap()), []);
    // While something is wrong, nothing is made.
    replace(&mut host, "n <= limit", "n <= nobody");
    assert_eq!(measure(&host.snapshot("a.bmc").unwrap()), []);
    host.close("a.bmc");
    host.open("a.bmc", TWO.into(), 1);
    assert_eq!(measure(&host.snapshot("a.bmc").unwrap()).len(), 2);
}

#[test]
fn plans_and_tests_are_made_again_only_for_the_functions_that_they_call() {
    let text = "fn twice(n: Int) -> Int { n + n }\nfn more(n: Int) -> Int { twice(n) + 1 }\n\
                fn other(n: Int) -> Int { n - 1 }\n\
                contract C(k: PubKey) { spend s(g: Sig) { require k.signed(g); } }\n\
                plan pays(k: PubKey) { input coin: C(k).s(g: k); output coin.lock { value: coin.value - other(1_001) * 1 sats }; }\n\
                test doubles { assert more(1) == 3; }\n\
                test lessens { assert other(1) == 0; }\n";
    let mut host = Fixture::new(text).host;
    let (plan, test) = (|| MakingName::Plan("pays".to_owned()), |name: &str| MakingName::Test(name.to_owned()));
    assert_eq!(measure(&host.snapshot("a.bmc").unwrap()), [contract("C"), plan(), test("doubles"), test("lessens")]);
    replace(&mut host, "n + n", "2 * n");
    assert_eq!(measure(&host.snapshot("a.bmc").unwrap()), [test("doubles")]);
    replace(&mut host, "n - 1", "n - 2 + 1");
    assert_eq!(measure(&host.snapshot("a.bmc").unwrap()), [plan(), test("lessens")]);
}

#[test]
fn nothing_is_known_of_what_was_closed() {
    let mut host = Fixture::new(TWO).host;
    let works = host.snapshot("a.bmc").unwrap().unmeasured("a.bmc").unwrap();
    host.close("a.bmc");
    for work in &works {
        work.run(Rc::new(|| false)).unwrap();
    }
    host.open("a.bmc", TWO.into(), 1);
    assert_eq!(titles(&host.snapshot("a.bmc").unwrap()), ["not measured yet"; 5]);
}

#[test]
fn lenses_say_what_contracts_and_paths_take() {
    let mut host = Fixture::new(TWO).host;
    let snapshot = host.snapshot("a.bmc").unwrap();
    assert_eq!(titles(&snapshot), ["not measured yet"; 5]);
    measure(&snapshot);
    let told = titles(&snapshot);
    assert!(told[0].starts_with("35 bytes · P2SH · cost ") && told[0].ends_with(" %)"), "{told:?}");
    assert!(told[1].starts_with("35 of 35 bytes · unlocked with ") && told[1].contains(" · P2SH · cost "), "{told:?}");
    assert!(told[2].contains(" bytes · P2SH") && told[2].ends_with("2 paths"), "{told:?}");
    let script = told[2].split(' ').next().unwrap();
    assert!(told[3].contains(&format!(" of {script} bytes · unlocked with ")), "{told:?}");
    drop(snapshot);

    replace(&mut host, "n == limit", "n == limit + 1");
    let snapshot = host.snapshot("a.bmc").unwrap();
    let stale = titles(&snapshot);
    assert_eq!(stale[..2], told[..2], "the other contract is as it was");
    assert!(stale[2..].iter().all(|title| title.ends_with("(before the last edits)")), "{stale:?}");
    measure(&snapshot);
    assert!(titles(&snapshot).iter().all(|title| !title.contains("edits")));
    drop(snapshot);

    replace(&mut host, "spend burn", "spend burned");
    assert_eq!(titles(&host.snapshot("a.bmc").unwrap())[4], "not measured yet", "there was no such path");
}

#[test]
fn lenses_are_about_contracts_whatever_else_has_their_names() {
    let text = "test Lock { assert 1 == 1; }\nfn One() -> Int { 1 }\n".to_owned()
        + "contract Lock(k: PubKey) { spend s(g: Sig) { require k.signed(g); } }\n"
        + TWO;
    let fixture = Fixture::new(&text);
    measure(&fixture.snapshot());
    for name in ["Lock", "One"] {
        let title = fixture.snapshot().cost_title("a.bmc", name, None).unwrap().unwrap();
        assert!(title.starts_with("35 bytes · P2SH"), "{name}: {title}");
    }
}

const CAMPAIGN: &str = "\
imi Coder {
    builder: builder_key,
    goal: 25 coin,
    deadline: height 300,
    pledge: at least 0.1 coin,
    threads: 2,
    deliver: { weights: Hash256, by: height 400 },
    accept: 2 of [judge_a, judge_b, judge_c],
    release: { at goal: 30%, at accept: 70% },
    refund: { no_goal: 100%, not_accepted: 70% },
}
";

#[test]
fn a_declaration_counts_everything_that_it_becomes() {
    let mut host = Fixture::new(CAMPAIGN).host;
    let title = |host: &Host| host.snapshot("a.bmc").unwrap().cost_title("a.bmc", "Coder", None).unwrap().unwrap();
    assert_eq!(title(&host), "not measured yet");
    let works = host.snapshot("a.bmc").unwrap().unmeasured("a.bmc").unwrap();
    let contracts = works.iter().filter(|work| matches!(work.name(), MakingName::Contract(_))).count();
    assert!(contracts > 1);
    works[0].run(Rc::new(|| false)).unwrap();
    assert_eq!(title(&host), format!("{contracts} contracts · not all measured"));
    for work in &works {
        work.run(Rc::new(|| false)).unwrap();
    }
    let (sizes, _) = host.snapshot("a.bmc").unwrap().sizes("a.bmc", None).unwrap();
    let bytes: usize = sizes.iter().map(|sizes| sizes.script).sum();
    let whole = format!("{contracts} contracts · {} bytes", spec::num::grouped(bytes as u64));
    assert_eq!((title(&host), sizes.len()), (whole.clone(), contracts));
    replace(&mut host, "height 300", "height 301");
    assert_eq!(title(&host), format!("{whole} (before the last edits)"));
}

#[test]
fn a_lens_says_where_the_package_is_built_with_a_search() {
    let fixture = Fixture::new(TWO);
    let mut snapshot = fixture.snapshot();
    snapshot.options.level = Level::Oz;
    measure(&snapshot);
    let told = titles(&snapshot);
    assert!(told.iter().all(|title| title.ends_with(" · measured at Os, built at Oz")), "{told:?}");
    snapshot.options.level = Level::Os;
    assert!(titles(&snapshot).iter().all(|title| !title.contains("Oz")));
}

#[test]
fn everything_that_can_be_done_has_a_lens() {
    let fixture = Fixture::new(
        "contract C(k: PubKey) { spend s(g: Sig) { require k.signed(g); } }\n\
         reward R { a: 1/2, b: rest, minimum: 20_000 sats, }\n\
         test t { let a = 1; assert a == 1; }\n",
    );
    let lenses = fixture.snapshot().lenses("a.bmc").unwrap();
    let text = fixture.host.document("a.bmc").unwrap().0.text().clone();
    let shown: Vec<String> = lenses
        .iter()
        .map(|lens| {
            let word = match &lens.kind {
                LensKind::Cost { .. } => "cost",
                LensKind::Run { .. } => "run",
                LensKind::Debug { .. } => "debug",
                LensKind::Deploy { .. } => "deploy",
                LensKind::Expand { .. } => "expand",
            };
            format!("{word} {}", &text[lens.range.clone()])
        })
        .collect();
    assert_eq!(
        shown,
        ["cost C", "deploy C", "cost s", "cost R", "deploy R", "expand R", "run t", "debug t"].map(str::to_owned)
    );
    let tests = fixture.snapshot().tests("a.bmc").unwrap();
    assert_eq!((tests.len(), &*tests[0].name, tests[0].is_property), (1, "t", false));
    let expanded = fixture.snapshot().expansion("a.bmc", Some("R")).unwrap().unwrap();
    assert!(expanded.contains("contract R("), "{expanded}");
    assert!(!expanded.contains("contract C("), "{expanded}");
    assert!(fixture.snapshot().expansion("a.bmc", None).unwrap().unwrap().contains("contract C("));
    assert_eq!(fixture.snapshot().expansion("a.bmc", Some("nothing")).unwrap(), None);
    measure(&fixture.snapshot());
    let title = fixture.snapshot().cost_title("a.bmc", "R", None).unwrap().unwrap();
    assert!(title.contains(" bytes · P2SH"), "{title}");
}

#[test]
fn what_only_code_shows_is_said_until_it_changes() {
    let text = "contract Tight(k: PubKey) {\n    budget(script: 20 bytes);\n    spend s(g: Sig) { require k.signed(g); }\n}\n\
                fn f() -> Int { 1 }\n";
    let mut host = Fixture::new(text).host;
    let codes = |host: &Host| {
        let snapshot = host.snapshot("a.bmc").unwrap();
        let found = snapshot.code_problems("a.bmc").unwrap();
        let text = snapshot.lines("a.bmc").unwrap().text().clone();
        found.iter().map(|found| format!("{} {}", found.code, &text[found.range.clone()])).collect::<Vec<_>>()
    };
    assert!(codes(&host).is_empty());
    measure(&host.snapshot("a.bmc").unwrap());
    let said = codes(&host);
    assert!(said.len() == 1 && said[0].starts_with("E0505 "), "{said:?}");
    // It moves with its contract, and stays while others are wrong.
    replace(&mut host, "contract Tight", "fn g() -> Int { nobody }\ncontract Tight");
    assert_eq!(codes(&host), said);
    // It goes with what it is about.
    replace(&mut host, "20 bytes", "21 bytes");
    assert!(codes(&host).is_empty());
    replace(&mut host, "nobody", "2");
    replace(&mut host, "21 bytes", "40 bytes");
    measure(&host.snapshot("a.bmc").unwrap());
    assert!(codes(&host).is_empty());
}

fn hover(text: &str) -> String {
    let fixture = Fixture::new(text);
    measure(&fixture.snapshot());
    fixture.snapshot().hover(&fixture.path, fixture.offset).unwrap().expect("a hover").text
}

#[test]
fn hovers_show_what_contracts_paths_and_checks_take() {
    let of_contract = hover(&TWO.replace("contract Two", "contract T$0wo"));
    assert!(of_contract.contains("| `take` |") && of_contract.contains("| `burn` |"), "{of_contract}");
    let of_path = hover(&TWO.replace("spend burn", "spend bu$0rn"));
    assert!(!of_path.contains("| `take` |") && of_path.contains("| `burn` |"), "{of_path}");
    let of_check = hover(&TWO.replace("require n ==", "req$0uire n =="));
    assert!(of_check.contains("In `Two`: **") && of_check.contains("of the cost ("), "{of_check}");
    let of_function = hover(&TWO.replace("n + n", "n + n$0"));
    assert!(!of_function.contains("bytes"), "{of_function}");
}

#[test]
fn of_two_paths_that_pay_as_much_for_a_check_the_smaller_budget_counts() {
    let text = "contract C(k: PubKey, m: PubKey) {\n    fn signed(g: Sig) { req$0uire k.signed(g); }\n\
                    spend wide(g: Sig, h: Sig) { budget(cost: 900_000); signed(g); require m.signed(h); }\n\
                    spend tight(g: Sig, h: Sig) { budget(cost: 600_000); signed(g); require m.signed(h); }\n}\n";
    let fixture = Fixture::new(text);
    let mut snapshot = fixture.snapshot();
    // Each path has its own code.
    snapshot.options.level = Level::O0;
    measure(&snapshot);
    let told = snapshot.hover(&fixture.path, fixture.offset).unwrap().unwrap().text;
    let (_, cost) = told.split_once("at most ").unwrap();
    let (cost, rest) = cost.split_once(" of the cost (").unwrap();
    let cost: u64 = cost.replace('_', "").parse().unwrap();
    assert!(rest.starts_with(&format!("{} % of the budget", (cost * 100).div_ceil(600_000))), "{told}");
}

#[test]
fn the_proof_of_a_reward_stands_beside_its_name_and_its_shares() {
    let text = "reward R {\n    team: 1/2 { ada: 1/3, bob: rest },\n    fund: 1/4,\n    rest_of: rest,\n    minimum: 20_001 sats,\n}\n";
    let whole = hover(&text.replace("reward R", "reward $0R"));
    // The weights are 2, 4, 3 and 3 of 12; together the first of them get, of 20_001 sats to the nearest, 3_334, 10_001,
    // 15_001 and 20_001.
    let table = "\
| recipient | share | percent | of 20_001 sats | rounding |
|---|--:|--:|--:|--:|
| team.ada | 1/6 | ≈16.6666 % | 3_334 | +1/2 |
| team.bob | 1/3 | ≈33.3333 % | 6_667 | 0 |
| fund | 1/4 | 25 % | 5_000 | -1/4 |
| rest_of | 1/4 | 25 % | 5_000 | -1/4 |
| **sum** | **1** | **100 %** | **20_001** | |

The shares sum to exactly 1, so every pot, less the fee, is paid out to the last satoshi; what rounding leaves goes to \
`rest_of`. The smallest pot is 20_001 sats; no fee is taken.";
    assert!(whole.contains(table), "{whole}");
    // Of 19_001 sats they get 3_167, 9_501, 14_251 and 19_001.
    let taxed = hover(&text.replace("reward R", "reward $0R").replace("sats,", "sats,\n    fee: up to 1_000 sats,"));
    let table = "\
| recipient | share | percent | of 19_001 sats | rounding |
|---|--:|--:|--:|--:|
| team.ada | 1/6 | ≈16.6666 % | 3_167 | +1/6 |
| team.bob | 1/3 | ≈33.3333 % | 6_334 | +1/3 |
| fund | 1/4 | 25 % | 4_750 | -1/4 |
| rest_of | 1/4 | 25 % | 4_750 | -1/4 |
| **sum** | **1** | **100 %** | **19_001** | |
";
    assert!(taxed.contains(table) && taxed.contains("a settlement takes at most 1_000 sats as fee."), "{taxed}");
    let share = hover(&text.replace("bob:", "bo$0b:"));
    assert!(share.contains("| **team.bob** |") && share.contains("| fund |"), "{share}");
    let group = hover(&text.replace("team:", "te$0am:"));
    assert!(group.contains("| **team.ada** |") && group.contains("| **team.bob** |"), "{group}");
    assert!(whole.contains("not always paid for"), "a settlement of 65_535 coins is not: {whole}");
    assert!(!whole.contains("over its budget"), "nobody has set one: {whole}");
    let setting = hover(&text.replace("minimum:", "mini$0mum:"));
    assert!(!setting.contains("recipient"), "{setting}");
}

#[test]
fn a_proof_shows_what_is_asked_about_however_many_recipients_there_are() {
    let shares: String = (0..45).map(|at| format!("    r{at}: 1/46,\n")).collect();
    let text = format!("reward R {{\n{shares}    last: rest,\n    minimum: 100_000 sats,\n}}\n");
    let shown = |before: &str| {
        let told = hover(&text.replacen(&before.replace("$0", ""), before, 1));
        let rows = told.lines().filter(|line| line.contains(" | 1/46 | "));
        (rows.count(), told)
    };
    let (rows, told) = shown("r4$0: ");
    assert!(rows == 40 && told.contains("| **r4** |") && told.contains("| and 6 others |"), "{rows} {told}");
    let (rows, told) = shown("r44$0: ");
    assert!(rows == 41 && told.contains("| **r44** |") && told.contains("| and 5 others |"), "{rows} {told}");
    assert!(!told.contains("| last |"), "{told}");
}

#[test]
fn who_asks_about_what_is_no_reward_has_no_program_assembled() {
    let text = "fn f() -> Int { 1 }\ncontract C(k: PubKey) { spend s(g: Sig) { require k.signed(g) && f() == 1; } }\n\
                reward R { a: 1/2, b: rest, minimum: 20_000 sats, }\n";
    let host = Fixture::new(text).host;
    let snapshot = host.snapshot("a.bmc").unwrap();
    let assembles = |word: &str| {
        drop(snapshot.session.take_ran());
        snapshot.hover("a.bmc", text.find(word).unwrap()).unwrap().unwrap();
        snapshot.session.take_ran().iter().any(|key| key.split('(').next() == Some("program"))
    };
    assert_eq!(["f()", "C(k", "f() =="].map(assembles), [false; 3]);
    assert!(assembles("R {"));
}

#[test]
fn hints_say_what_is_taken_to_those_who_want_them() {
    let fixture = Fixture::new(TWO);
    measure(&fixture.snapshot());
    let hints = fixture.snapshot().hints("a.bmc", &(0..TWO.len()), true).unwrap();
    let costs: Vec<_> = hints.iter().filter(|hint| hint.kind == HintKind::Cost).collect();
    let shown: Vec<(&str, &str)> =
        costs.iter().map(|hint| (TWO[..hint.offset].lines().last().unwrap().trim(), hint.text.as_str())).collect();
    let told = titles(&fixture.snapshot());
    let heads = [
        ("contract One(owner: PubKey)", " 35 bytes · P2SH".to_owned()),
        ("spend take(sig: Sig)", format!(" {}", told[1])),
        ("require owner.signed(sig);", " 35 bytes".to_owned()),
        ("contract Two(owner: PubKey, limit: Int)", format!(" {}", told[2].strip_suffix(" · 2 paths").unwrap())),
        ("spend take(sig: Sig, n: Int)", format!(" {}", told[3])),
    ];
    assert_eq!(shown[..5], heads.each_ref().map(|(head, text)| (*head, text.as_str())));
    assert_eq!(shown.iter().filter(|(before, _)| before.starts_with("require")).count(), 4);
    assert_eq!(shown.len(), 9, "{hints:?}");
    let of_one = fixture.snapshot().hints("a.bmc", &(0..TWO.find("fn twice").unwrap() - 1), true).unwrap();
    assert_eq!(of_one.iter().filter(|hint| hint.kind == HintKind::Cost).count(), 3);
    let without = fixture.snapshot().hints("a.bmc", &(0..TWO.len()), false).unwrap();
    assert!(without.iter().all(|hint| hint.kind != HintKind::Cost));
}

#[test]
fn who_changes_the_text_stops_what_is_made() {
    let fixture = Fixture::new(TWO);
    let works = fixture.snapshot().unmeasured("a.bmc").unwrap();
    assert_eq!(works[0].run(Rc::new(|| true)), None);
    assert_eq!(titles(&fixture.snapshot())[0], "not measured yet");
    works[0].give_up(GivenUp::TooLong);
    assert!(titles(&fixture.snapshot())[0].starts_with("not measured: it takes too long"));
    // It is not tried again before it changes.
    assert_eq!(measure(&fixture.snapshot()), [contract("Two")]);
    works[0].give_up(GivenUp::Broken);
    assert!(titles(&fixture.snapshot())[0].starts_with("not measured: the compiler has a mistake"));
}

#[test]
fn whatever_is_made_can_be_stopped() {
    let text = "contract C(k: PubKey) { spend s(g: Sig) { require k.signed(g); } }\n\
                plan pays(k: PubKey) { input coin: C(k).s(g: k); output coin.lock { value: coin.value }; }\n\
                test adds { assert 1 + 1 == 2; }\n";
    let works = Fixture::new(text).snapshot().unmeasured("a.bmc").unwrap();
    let stopped: Vec<Option<bool>> = works.iter().map(|work| work.run(Rc::new(|| true))).collect();
    assert_eq!(stopped, [None; 3]);
}

/// The lines of a report, without their costs.
fn lines(sizes: &Sizes) -> Vec<(String, usize, String, usize, Vec<String>)> {
    let line =
        |line: &driver::LineSize| (line.file.clone(), line.line, line.text.clone(), line.bytes, line.paths.clone());
    sizes.lines.iter().map(line).collect()
}

#[test]
fn what_a_reward_of_another_source_takes_is_part_of_the_report() {
    let own =
        "use ./shares::Shared;\ncontract Pot() {\n    spend pay() {\n        split self.value by Shared;\n    }\n}\n";
    let shares =
        "reward Shared {\n    a: 1/2,\n    b: rest,\n    minimum: 20_000 sats,\n    fee: up to 1_000 sats,\n}\n";
    let fixture = Fixture::new(&format!("//- a.bmc\n{own}//- shares.bmc\n{shares}"));
    measure(&fixture.snapshot());
    let (sizes, complete) = fixture.snapshot().sizes("a.bmc", None).unwrap();
    assert!(complete);
    let world = MemoryWorld::new([("a.bmc", own), ("shares.bmc", shares)]);
    let compiled = driver::compile(&world, &["a.bmc".to_owned()], &Options::default());
    let artifact = compiled.artifact(Some("Pot")).unwrap();
    let whole = driver::measure(artifact, None, &[], &compiled.places);
    assert_eq!(lines(&sizes[0]), lines(&whole));
    assert!(sizes[0].lines.iter().any(|line| line.file == "shares.bmc"), "{sizes:?}");
}

#[test]
fn the_report_of_a_source_has_its_lines() {
    let mut host = Fixture::new(TWO).host;
    let none = host.snapshot("a.bmc").unwrap().sizes("a.bmc", None).unwrap();
    assert_eq!(none, (Vec::new(), false));
    measure(&host.snapshot("a.bmc").unwrap());
    replace(&mut host, "contract One", "\n\ncontract One");
    let (sizes, complete) = host.snapshot("a.bmc").unwrap().sizes("a.bmc", Some("One")).unwrap();
    assert!(complete);
    let lines: Vec<_> = sizes[0].lines.iter().map(|line| (line.line, line.text.as_str(), line.bytes)).collect();
    assert_eq!(lines, [(5, "require owner.signed(sig);", 35)]);
}
