//! What contracts take, in lenses, hovers, hints and diagnostics.

use std::rc::Rc;

use driver::MakingName;

use super::Fixture;
use crate::{HintKind, Host, LensKind, Snapshot};

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
fn lenses_say_what_contracts_and_paths_take() {
    let mut host = Fixture::new(TWO).host;
    let snapshot = host.snapshot("a.bmc").unwrap();
    assert_eq!(titles(&snapshot), ["not measured yet"; 5]);
    measure(&snapshot);
    let told = titles(&snapshot);
    assert!(told[0].starts_with("35 bytes · P2SH · cost ") && told[0].ends_with(" %)"), "{told:?}");
    assert!(told[1].starts_with("35 of 35 bytes · unlocked with "), "{told:?}");
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
fn the_proof_of_a_reward_stands_beside_its_name_and_its_shares() {
    let text = "reward R {\n    team: 1/2 { ada: 1/3, bob: rest },\n    fund: 1/4,\n    rest_of: rest,\n    minimum: 20_001 sats,\n}\n";
    let whole = hover(&text.replace("reward R", "reward $0R"));
    for row in [
        "| team.ada | 1/6 | ≈16.6666 % | ",
        "| team.bob | 1/3 | ≈33.3333 % | ",
        "| fund | 1/4 | 25 % | ",
        "| **sum** | **1** | **100 %** | **",
        "The shares sum to exactly 1,",
        "what rounding leaves goes to `rest_of`",
        "The smallest pot is 20_001 sats",
    ] {
        assert!(whole.contains(row), "{row}: {whole}");
    }
    let share = hover(&text.replace("bob:", "bo$0b:"));
    assert!(share.contains("| **team.bob** |") && share.contains("| fund |"), "{share}");
    let group = hover(&text.replace("team:", "te$0am:"));
    assert!(group.contains("| **team.ada** |") && group.contains("| **team.bob** |"), "{group}");
    assert!(!whole.contains("over its budget"), "a longer input pays for more: {whole}");
    let setting = hover(&text.replace("minimum:", "mini$0mum:"));
    assert!(!setting.contains("recipient"), "{setting}");
}

#[test]
fn hints_say_the_bytes_of_checks_to_those_who_want_them() {
    let fixture = Fixture::new(TWO);
    measure(&fixture.snapshot());
    let hints = fixture.snapshot().hints("a.bmc", &(0..TWO.len()), true).unwrap();
    let costs: Vec<_> = hints.iter().filter(|hint| hint.kind == HintKind::Cost).collect();
    assert_eq!(costs.len(), 4, "{hints:?}");
    assert_eq!(costs[0].text, " 35 bytes");
    let before = TWO.get(..costs[0].offset).unwrap();
    assert!(before.ends_with("require owner.signed(sig);"), "{before}");
    let without = fixture.snapshot().hints("a.bmc", &(0..TWO.len()), false).unwrap();
    assert!(without.iter().all(|hint| hint.kind != HintKind::Cost));
}

#[test]
fn who_changes_the_text_stops_what_is_made() {
    let fixture = Fixture::new(TWO);
    let works = fixture.snapshot().unmeasured("a.bmc").unwrap();
    assert_eq!(works[0].run(Rc::new(|| true)), None);
    assert_eq!(titles(&fixture.snapshot())[0], "not measured yet");
    works[0].give_up();
    assert!(titles(&fixture.snapshot())[0].starts_with("not measured: it takes too long"));
    // It is not tried again before it changes.
    assert_eq!(measure(&fixture.snapshot()), [contract("Two")]);
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
