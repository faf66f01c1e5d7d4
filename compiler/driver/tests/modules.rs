//! Sources that import each other: what is found, what is refused, and what comes out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stderr)]

use driver::{Compiled, MemoryWorld, Options, Package, Packages, Session, compile, compile_package};

/// Compiles the first of the sources, which are paths and texts.
fn compiled(sources: &[(&str, &str)]) -> Compiled {
    compile(&MemoryWorld::new(sources.iter().copied()), &[sources[0].0.to_owned()], &Options::default())
}

/// `E0120 a.bmc:1:7` for each message.
fn found(compiled: &Compiled) -> Vec<String> {
    let place = |diagnostic: &driver::Diagnostic| {
        let loc = &diagnostic.labels.iter().find(|label| label.primary).unwrap().loc;
        let place = compiled.places.resolve(loc).unwrap();
        format!("{} {}:{}:{}", diagnostic.code, place.path, place.line, place.column)
    };
    compiled.diagnostics.iter().map(place).collect()
}

fn messages(compiled: &Compiled) -> String {
    let line = |found: &driver::Diagnostic| format!("{} ({})\n", found.message, found.help.as_deref().unwrap_or("-"));
    compiled.diagnostics.iter().map(line).collect()
}

const SHARES: &str = "\
/// What the others may take.
const LIMIT: Coin = 5_000 sats;
const PART: Share = 30%;
fn enough(value: Coin) -> Bool { value >= LIMIT }
fn half(value: Int) -> Int { quarter(value) * 2 }
fn quarter(value: Int) -> Int { value / 4 }
reward Pair { first: PART, second: rest, minimum: 20_000 sats, fee: up to 500 sats, }
";

/// One contract that uses everything of `SHARES`, `LIMIT` and the rest as `names` call them.
fn user(uses: &str, names: [&str; 3]) -> String {
    let [limit, enough, half] = names;
    format!(
        "{uses}\ncontract User(key: PubKey) {{\n    spend open(sig: Sig, n: Int) {{\n        \
         require key.signed(sig);\n        require self.value >= {limit};\n        require {enough}(self.value);\n        \
         require {half}(n) == 4;\n    }}\n}}\n"
    )
}

#[test]
fn names_of_another_file_are_used_directly_by_another_name_or_through_the_module() {
    let alone = format!("{SHARES}\n{}", user("", ["LIMIT", "enough", "half"]));
    let expected = compiled(&[("a.bmc", &alone)]);
    let expected = &expected.artifact(Some("User")).unwrap().bytecode;
    for (uses, names) in [
        ("use ./shares::LIMIT; use ./shares::enough; use ./shares::half;", ["LIMIT", "enough", "half"]),
        ("use ./shares;", ["shares::LIMIT", "shares::enough", "shares::half"]),
        ("use ./shares::{LIMIT, enough, half};", ["LIMIT", "enough", "half"]),
        ("use ./shares::{LIMIT as MOST, enough as is, half as n_half};", ["MOST", "is", "n_half"]),
        ("use ./shares as s; use ./shares::half as h;", ["s::LIMIT", "s::enough", "h"]),
    ] {
        let compiled = compiled(&[("a.bmc", &user(uses, names)), ("shares.bmc", SHARES)]);
        assert_eq!(messages(&compiled), "", "{uses}");
        assert_eq!(compiled.artifacts.len(), 1, "only what was asked for");
        assert_eq!(&compiled.artifact(Some("User")).unwrap().bytecode, expected, "{uses}");
    }
}

#[test]
fn a_reward_of_another_file_divides_a_pot() {
    let text = "use ./shares::Pair;\ncontract Payer(key: PubKey) {\n    spend pay(sig: Sig) {\n        \
                require key.signed(sig);\n        split self.value - 500 sats by Pair;\n    }\n}\n";
    let compiled = compiled(&[("a.bmc", text), ("shares.bmc", SHARES)]);
    assert_eq!(messages(&compiled), "");
    let params: Vec<&str> = compiled.artifacts[0].params.iter().map(|slot| slot.name.as_str()).collect();
    assert_eq!(params, ["key", "first", "second"]);
    let paths: Vec<&str> = compiled.artifacts[0].sources.iter().map(|source| source.path.as_str()).collect();
    assert_eq!(paths[0], "a.bmc");
}

#[test]
fn the_expanded_text_takes_the_place_of_its_file() {
    let main = "use ./shares::{Pair, half};\nuse ./right;\nreward Own { a: 50%, b: rest, minimum: 20_000 sats, fee: up to 500 sats, }\n\
                contract Main(key: PubKey) { spend s(sig: Sig, n: Int) {\n    require key.signed(sig);\n    \
                require half(n) + right::half(n) == 9; split self.value - 500 sats by Pair;\n} }\n";
    let right = "fn half(n: Int) -> Int { helper(n) / 3 }\nfn helper(n: Int) -> Int { n + 1 }";
    let first = compiled(&[("a.bmc", main), ("shares.bmc", SHARES), ("right.bmc", right)]);
    assert_eq!(messages(&first), "");
    let again = compiled(&[("a.bmc", first.expand()), ("shares.bmc", SHARES), ("right.bmc", right)]);
    // `Pair` is written out and no longer used.
    assert_eq!(found(&again), ["E0123 a.bmc:1:16"], "{}", first.expand());
    let scripts = |from: &Compiled| from.artifacts.iter().map(|one| one.bytecode.clone()).collect::<Vec<_>>();
    assert_eq!(scripts(&first), scripts(&again), "{}", first.expand());
    assert_eq!(first.artifacts.len(), 2);
}

#[test]
fn a_failure_inside_an_imported_function_leads_to_its_file() {
    let math = "fn positive(n: Int) -> Int { require n > 0, \"n is positive\"; n }";
    let main = "use ./math2::positive;\ncontract C(key: PubKey) { spend s(sig: Sig, n: Int) {\n    \
                require key.signed(sig); require positive(n) < 5; } }";
    let compiled = compiled(&[("a.bmc", main), ("math2.bmc", math)]);
    assert_eq!(messages(&compiled), "");
    let artifact = &compiled.artifacts[0];
    let paths: Vec<&str> = artifact.sources.iter().map(|source| source.path.as_str()).collect();
    assert_eq!(paths, ["a.bmc", "math2.bmc"]);
    let site = artifact.requires.iter().find(|site| site.message == "n is positive").unwrap();
    assert_eq!(artifact.sources[site.span.file].path, "math2.bmc");
    assert_eq!(&math[site.span.start..site.span.end], "n > 0");
}

#[test]
fn what_cannot_be_imported_is_told_with_the_next_step() {
    let checked =
        |text: &str| compiled(&[("a.bmc", text), ("shares.bmc", SHARES), ("sub/deep.bmc", "const D: Int = 1;")]);
    for (text, code, words) in [
        ("use ./share;", "E0120", "did you mean `shares`?"),
        ("use ./elsewhere;", "E0120", "write the file `elsewhere.bmc`"),
        ("use std::maths;", "E0120", "did you mean `math`?"),
        ("use sdt::math;", "E0120", "did you mean `std`?"),
        ("use shares::Pair;", "E0120", "add it to `[dependencies]` in bmc.toml, or write `use ./shares;`"),
        ("use ./shares::LIMITS;", "E0121", "did you mean `LIMIT`?"),
        ("use ./shares::anything_else;", "E0121", "it declares const `LIMIT`"),
        ("use std;", "E0125", "use std::math;"),
        ("use shares;", "E0125", "use ./shares;"),
        ("use ./shares::Pair::first;", "E0125", "`use ./module::Item;`"),
        ("use ./../shares;", "E0124", "make the other folder a dependency in bmc.toml"),
        ("use ./sub/../../shares;", "E0124", "outside the package"),
        ("use ./../../../../etc/passwd;", "E0124", "outside the package"),
        ("use ./a::C;\nconst C: Int = 1;", "E0122", "`a.bmc` imports itself"),
        ("use ./shares::LIMIT;\nconst LIMIT: Int = 1;", "E0105", "`.. as other_LIMIT`"),
        ("use ./shares::LIMIT;\nuse ./shares::LIMIT;\nconst A: Coin = LIMIT;", "E0105", "as other_LIMIT"),
        ("use ./shares::enough;", "E0123", "remove it"),
        ("const A: Int = shares::LIMIT;", "E0120", "import it by"),
        ("use ./shares;\nconst A: Coin = shares::LIMITS;", "E0121", "did you mean `LIMIT`?"),
        ("use ./shares;\nconst A: Coin = shares::enough;", "E0121", "`shares::enough` is a function"),
        ("use ./shares;\nfn f() -> Int { shares::haff(4) }", "E0121", "did you mean `half`?"),
        ("use ./shares::Pair;\nfn f() -> Int { Pair(4) }", "E0108", "`Pair` takes 2 values"),
        ("use ./shares::half;\nconst A: Int = half;", "E0101", "call it: `half(..)`"),
        ("use ./shares::LIMIT;\nfn f() -> Coin { LIMIT() }", "E0103", "without parentheses"),
    ] {
        let compiled = checked(text);
        let all = messages(&compiled);
        assert!(found(&compiled).iter().any(|found| found.starts_with(code)), "{text}: {:?}\n{all}", found(&compiled));
        assert!(all.contains(words), "{text}: `{words}` is missing in\n{all}");
    }
}

#[test]
fn folders_lie_below_the_file() {
    let compiled = compiled(&[
        ("a.bmc", "use ./sub/deep::D;\nuse ./sub/../b::B;\nconst A: Int = D + B;"),
        ("sub/deep.bmc", "use ./more/last::L;\nconst D: Int = L;"),
        ("sub/more/last.bmc", "const L: Int = 1;"),
        ("b.bmc", "const B: Int = 2;"),
    ]);
    assert_eq!(messages(&compiled), "");
}

#[test]
fn a_failed_import_is_told_once() {
    let text = "use ./gone::{limit, other};\nuse ./shares::Pear;\nconst A: Coin = limit;\nfn f() -> Int { limit(1) }\n\
                contract C(key: PubKey) { spend s(sig: Sig) { require key.signed(sig); split self.value by Pear; } }";
    let compiled = compiled(&[("a.bmc", text), ("shares.bmc", SHARES)]);
    assert_eq!(found(&compiled), ["E0120 a.bmc:1:7", "E0121 a.bmc:2:15"], "{}", messages(&compiled));
}

#[test]
fn errors_of_an_imported_file_are_shown_and_stop_the_artifact() {
    let main =
        "use ./other::N;\ncontract C(key: PubKey) { spend s(sig: Sig) { require key.signed(sig); require N == 1; } }";
    let compiled = compiled(&[("a.bmc", main), ("other.bmc", "const N: Int = 1;\nconst M: Int = true;")]);
    assert_eq!(found(&compiled), ["E0201 other.bmc:2:16"]);
    assert!(compiled.artifacts.is_empty());
}

#[test]
fn circles_are_refused_where_they_close_and_nothing_else_is() {
    let sources = [
        ("a.bmc", "use ./b::B;\nconst A: Int = B;"),
        ("b.bmc", "use ./c::C;\nuse ./d::D;\nconst B: Int = C + D;"),
        ("c.bmc", "use ./b::B;\nconst C: Int = B;"),
        ("d.bmc", "const D: Int = 1;"),
    ];
    let compiled = compiled(&sources);
    assert_eq!(found(&compiled), ["E0122 b.bmc:1:7", "E0122 c.bmc:1:7"], "{}", messages(&compiled));
    assert!(messages(&compiled).contains("`b.bmc`, `c.bmc` import each other"), "{}", messages(&compiled));
}

#[test]
fn long_chains_and_wide_fans_of_imports_stay_cheap() {
    let count = 2_000;
    let chain: Vec<(String, String)> = (0..count)
        .map(|n| {
            let next = n + 1;
            let text = match next == count {
                true => format!("const C{n}: Int = 1;"),
                false => {
                    format!("use ./f{next}::C{next};\nconst C{n}: Int = C{next};\nfn g(x: Int) -> Int {{ x + C{n} }}")
                }
            };
            (format!("f{n}.bmc"), text)
        })
        .collect();
    let borrowed: Vec<(&str, &str)> = chain.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let compiled = compiled(&borrowed);
    assert_eq!(messages(&compiled), "");
    assert_eq!(compiled.places.files().count(), count);
}

fn two_packages() -> Packages {
    let package = |name: &str, folder: &str, dependencies: &[(&str, usize)]| Package {
        name: name.into(),
        folder: folder.into(),
        dependencies: dependencies.iter().map(|(name, index)| ((*name).into(), *index)).collect(),
    };
    Packages::new(vec![package("app", "", &[("shares", 1)]), package("shares", "../shares", &[])])
}

#[test]
fn a_dependency_is_named_by_the_package_and_its_warnings_stay_with_it() {
    let world = MemoryWorld::new([
        ("main.bmc", "use shares::list::LIMIT;\nuse app::own::N;\nconst A: Coin = LIMIT * N;"),
        ("own.bmc", "const N: Int = 2;"),
        ("../shares/list.bmc", "use ./more::M;\nconst LIMIT: Coin = M;\nfn f() -> Int { let unused = 1; 2 }"),
        ("../shares/more.bmc", "const M: Coin = 7 sats;"),
    ]);
    let compiled = compile_package(&world, two_packages(), &["main.bmc".to_owned()], &Options::default());
    assert_eq!(messages(&compiled), "");
    let text = "use other::list::LIMIT;\nuse shares::lost::A;\nuse ./../shares/list;\nuse ./../more;";
    let outside = MemoryWorld::new([("main.bmc", text), ("../shares/list.bmc", ""), ("../more.bmc", "")]);
    let compiled = compile_package(&outside, two_packages(), &["main.bmc".to_owned()], &Options::default());
    assert_eq!(
        found(&compiled),
        ["E0120 main.bmc:1:5", "E0120 main.bmc:2:13", "E0124 main.bmc:3:17", "E0124 main.bmc:4:10"],
        "{}",
        messages(&compiled)
    );
}

#[test]
fn the_standard_library_needs_no_file() {
    let text = "use std::math::mul_div;\ncontract C(key: PubKey) { spend s(sig: Sig, n: Int) {\n    \
                require key.signed(sig); require mul_div(n, 3, 2) == 10; } }";
    let compiled = compiled(&[("a.bmc", text)]);
    assert_eq!(messages(&compiled), "");
    let paths: Vec<&str> = compiled.artifacts[0].sources.iter().map(|source| source.path.as_str()).collect();
    assert_eq!(paths, ["a.bmc", "std::math"]);
}

#[test]
fn the_standard_library_has_nothing_to_complain_about() {
    let sources: Vec<(String, &str)> = driver::library().collect();
    let mut session = Session::default();
    for (path, text) in &sources {
        session.set(path, (*text).into());
    }
    let compiled = session.compile(&Options::default());
    assert_eq!(messages(&compiled), "");
}

#[test]
fn a_contract_that_a_use_names_gets_its_artifact_with_those_whose_locks_it_holds() {
    let vaults = "/// Keeps money.\ncontract Vault(key: PubKey) { spend open(sig: Sig) { require key.signed(sig); } }\n\
                  contract Gate(key: PubKey) { spend go(sig: Sig) {\n    require key.signed(sig) && tx.inputs.length == 1;\n    \
                  require tx.outputs[0].lock == Vault(key).lock && tx.outputs[0].value >= self.value - 500 sats;\n} }\n\
                  contract Other(key: PubKey) { spend open(sig: Sig) { require key.signed(sig); } }\n\
                  fn twice(n: Int) -> Int { n * 2 }\n";
    let names = |uses: &str| {
        let compiled = compiled(&[("a.bmc", uses), ("vaults.bmc", vaults)]);
        assert_eq!(messages(&compiled), "", "{uses}");
        compiled.artifacts.iter().map(|one| (one.contract.clone(), one.plans.len())).collect::<Vec<_>>()
    };
    assert_eq!(names("use ./vaults::Other;"), [("Other".into(), 1)]);
    assert_eq!(names("use ./vaults::Other as Mine;"), [("Other".into(), 1)]);
    assert_eq!(names("use ./vaults::{Gate};"), [("Vault".into(), 1), ("Gate".into(), 1)]);
    let function = "use ./vaults::twice;\nfn four() -> Int { twice(2) }\n";
    assert_eq!(names(function), [], "functions and whole modules bring none");
    let both = compile(
        &MemoryWorld::new([("a.bmc", "use ./vaults::Other;"), ("vaults.bmc", vaults)]),
        &["a.bmc".to_owned(), "vaults.bmc".to_owned()],
        &Options::default(),
    );
    assert_eq!(both.artifacts.len(), 3, "none is made twice");
    let alone = compiled(&[("a.bmc", vaults)]);
    let named = compiled(&[("a.bmc", "use ./vaults::Gate;"), ("vaults.bmc", vaults)]);
    let script = |from: &Compiled| from.artifact(Some("Gate")).unwrap().bytecode.clone();
    assert_eq!(script(&alone), script(&named));
    let library = compiled(&[("a.bmc", "use std::vesting::Vesting;")]);
    assert_eq!(messages(&library), "");
    assert_eq!(library.artifacts[0].sources[0].path, "std::vesting");
}
