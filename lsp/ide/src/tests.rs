//! Questions at a place: `$0` marks it, `//- name` begins a file, the first of which is asked about.

mod cost;
mod deleted;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use driver::{MemoryWorld, World, WorldError};

use crate::{Ground, Host, Lines, Project, Snapshot};

/// Files in memory, all of one package without a manifest.
struct Memory {
    world: MemoryWorld,
    paths: Vec<String>,
}

impl World for Memory {
    fn read(&self, path: &str) -> Result<Arc<str>, WorldError> {
        self.world.read(path)
    }

    fn digest(&self, path: &str) -> Result<[u8; 32], WorldError> {
        self.world.digest(path)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        self.world.list(folder)
    }
}

impl Ground for Memory {
    fn project_of(&self, _: &str) -> Project {
        Project::default()
    }

    fn sources_of(&self, _: &Project) -> Vec<String> {
        self.paths.clone()
    }

    fn projects_below(&self, _: &str) -> Vec<Project> {
        vec![Project::default()]
    }

    fn file_of(&self, path: &str) -> Option<PathBuf> {
        Some(PathBuf::from(path))
    }

    fn path_of(&self, file: &Path) -> String {
        file.to_string_lossy().into_owned()
    }
}

/// The state with these files, and the place of the mark.
pub(crate) struct Fixture {
    pub(crate) host: Host,
    pub(crate) path: String,
    pub(crate) offset: usize,
}

impl Fixture {
    pub(crate) fn new(text: &str) -> Self {
        let text = if text.contains("//- ") { text.to_owned() } else { format!("//- a.bmc\n{text}") };
        let files: Vec<(String, String)> = text
            .split("//- ")
            .filter(|part| !part.trim().is_empty())
            .map(|part| part.split_once('\n').map(|(name, text)| (name.trim().to_owned(), text.to_owned())).unwrap())
            .collect();
        let marked = files.iter().find(|(_, text)| text.contains("$0")).or(files.first()).unwrap();
        let (path, offset) = (marked.0.clone(), marked.1.find("$0").unwrap_or_default());
        let files: Vec<(String, String)> =
            files.into_iter().map(|(name, text)| (name, text.replace("$0", ""))).collect();
        let world = MemoryWorld::new(files.iter().map(|(name, text)| (name.as_str(), text.as_str())));
        let paths = files.iter().map(|(name, _)| name.clone()).collect();
        let mut host = Host::new(Arc::new(Memory { world, paths }));
        for (name, text) in &files {
            host.open(name, text.as_str().into(), 1);
        }
        Self { host, path, offset }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.host.snapshot(&self.path).unwrap()
    }

    /// A place as `file: the text there`.
    fn show(&self, path: &str, range: std::ops::Range<usize>) -> String {
        let (lines, _) = self.host.document(path).unwrap();
        let line = lines.point(range.start, crate::Encoding::Utf8).line;
        format!("{path}:{line} {}", &lines.text()[range])
    }
}

const SHAPES: &str = "\
//- a.bmc
use ./shapes::{Point, far};
use ./shapes;
const LIMIT: Int = 5;
fn twice(n: Int) -> Int { n * 2 }
contract Lock(owner: PubKey, start: Int) {
    const STEP: Int = 3;
    state { count: Int<4>, last: Height }
    fn next(by: Int) -> Int { state.count + by }
    spend take(sig: Sig, p: Point) {
        let mut sum = twice(p.x) + LIMIT + shapes::ZERO;
        for i in 0..4 { sum = sum + i * STEP; }
        match p { Point { x, y: other } => { require far(x, other) && sum == start; } }
        require owner.signed(sig) && next(sum) > self.state.count;
        continue { count: next(1) };
    }
}
//- shapes.bmc
/// A place in the plane.
struct Point { x: Int, y: Int }
/// Whether a place is far away.
fn far(x: Int, y: Int) -> Bool { x + y > 100 }
const ZERO: Int = 0;
";

/// The same with a mark behind the first `before` of the file that is asked about.
fn at(before: &str, behind: usize) -> Fixture {
    let place = SHAPES.find(before).unwrap_or_else(|| panic!("no {before}")) + behind;
    let (head, tail) = SHAPES.split_at(place);
    Fixture::new(&format!("{head}$0{tail}"))
}

#[test]
fn definitions_are_found_through_scopes_files_and_fields() {
    for (before, behind, wanted) in [
        ("sum + i", 1, "a.bmc:9 sum"),
        ("i * STEP", 0, "a.bmc:10 i"),
        ("STEP;", 2, "a.bmc:5 STEP"),
        ("twice(p", 2, "a.bmc:3 twice"),
        ("p.x", 0, "a.bmc:8 p"),
        ("p.x", 2, "shapes.bmc:1 x"),
        ("LIMIT +", 5, "a.bmc:2 LIMIT"),
        ("shapes::ZERO", 9, "shapes.bmc:4 ZERO"),
        ("shapes::ZERO", 2, "shapes.bmc:0 "),
        ("far(x, o", 1, "shapes.bmc:3 far"),
        ("other)", 3, "a.bmc:11 other"),
        ("y: other", 0, "shapes.bmc:1 y"),
        ("owner.signed", 2, "a.bmc:4 owner"),
        ("start;", 2, "a.bmc:4 start"),
        ("next(sum)", 1, "a.bmc:7 next"),
        ("state.count + by", 7, "a.bmc:6 count"),
        ("self.state.count", 12, "a.bmc:6 count"),
        ("count: next(1)", 2, "a.bmc:6 count"),
        ("p: Point", 5, "shapes.bmc:1 Point"),
        ("Point, far", 2, "shapes.bmc:1 Point"),
    ] {
        let fixture = at(before, behind);
        let found = fixture.snapshot().definition(&fixture.path, fixture.offset).unwrap();
        let shown: Vec<String> = found.iter().map(|found| fixture.show(&found.path, found.range.range())).collect();
        assert_eq!(shown.first().map(String::as_str), Some(wanted), "{before}: {shown:?}");
    }
}

#[test]
fn the_type_of_a_value_is_found() {
    let fixture = at("p.x", 0);
    let found = fixture.snapshot().type_definition(&fixture.path, fixture.offset).unwrap();
    assert_eq!(fixture.show(&found[0].path, found[0].range.range()), "shapes.bmc:1 Point");
}

/// The texts of all files once edits are made, of which no two may touch: clients would be free to choose which is first.
pub(crate) fn applied(fixture: &Fixture, edits: &[crate::FileEdit]) -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = fixture
        .host
        .documents()
        .map(|path| (path.to_string(), fixture.host.document(path).unwrap().0.text().to_string()))
        .collect();
    for (path, text) in &mut texts {
        let mut own: Vec<_> = edits.iter().filter(|edit| &*edit.path == path.as_str()).collect();
        own.sort_by_key(|edit| std::cmp::Reverse(edit.edit.range.start));
        for pair in own.windows(2) {
            assert!(pair[1].edit.range.end < pair[0].edit.range.start, "{path}: {pair:?}");
        }
        for edit in own {
            text.replace_range(edit.edit.range.clone(), &edit.edit.text);
        }
    }
    texts
}

#[test]
fn a_new_name_is_written_wherever_the_old_one_is_meant_and_nowhere_else() {
    for (before, behind, to, count) in [
        ("sum + i", 1, "total", 5),
        ("start: Int", 2, "begin", 2),
        ("x: Int, y", 0, "left", 3),
        ("far(x: Int", 1, "distant", 3),
        ("Point { x: Int", 2, "Spot", 4),
        ("count: Int", 2, "rounds", 4),
        ("Point { x, y", 8, "left", 2),
        ("ZERO: Int", 2, "NOTHING", 2),
    ] {
        let fixture = at(before, behind);
        let edits = fixture.snapshot().rename(&fixture.path, fixture.offset, to).unwrap().expect(before);
        assert_eq!(edits.len(), count, "{before}: {edits:?}");
        let mut host = Host::new(Arc::new(Memory { world: MemoryWorld::default(), paths: Vec::new() }));
        let texts = applied(&fixture, &edits);
        for (path, text) in &texts {
            host.open(path, text.as_str().into(), 1);
        }
        let snapshot = host.snapshot("a.bmc").unwrap();
        let (old, new) = (fixture.snapshot().problems("a.bmc").unwrap(), snapshot.problems("a.bmc").unwrap());
        let codes = |found: &[crate::Problem]| found.iter().map(|found| found.code).collect::<Vec<_>>();
        assert_eq!(codes(&old), codes(&new), "{before}: {new:?}\n{texts:?}");
    }
}

#[test]
fn a_name_that_means_something_else_is_refused() {
    for (before, behind, to) in [
        ("sum + i", 1, "start"),
        ("LIMIT +", 1, "twice"),
        ("sum + i", 1, "let"),
        ("sum + i", 1, "1st"),
        ("sum + i", 1, ""),
        ("owner.signed", 8, "checked"),
    ] {
        let fixture = at(before, behind);
        let answer = fixture.snapshot().rename(&fixture.path, fixture.offset, to).unwrap();
        assert!(answer.is_err(), "{before} to {to}: {answer:?}");
    }
}

#[test]
fn hovers_say_the_type_and_the_documentation() {
    for (before, behind, wanted) in [
        ("sum + i", 1, "let sum: Int"),
        ("far(x, o", 1, "fn far(x: Int, y: Int) -> Bool"),
        ("far(x, o", 1, "Whether a place is far away."),
        ("p.x", 0, "p: Point"),
        ("p.x", 2, "x: Int"),
        ("p: Point", 5, "A place in the plane."),
        ("self.state.count", 12, "state count: Int<4>"),
        ("self.state", 1, "the coin being spent"),
        ("signed(sig)", 2, "signature"),
        ("last: Height", 8, "block height"),
        ("require owner", 2, "fails the script"),
    ] {
        let fixture = at(before, behind);
        let hover = fixture.snapshot().hover(&fixture.path, fixture.offset).unwrap().expect(before);
        assert!(hover.text.contains(wanted), "{before}: {}", hover.text);
    }
    let asm = Fixture::new("fn f(a: Int) -> Int { asm (a: Int) -> Int { OP_1$0ADD } }");
    let hover = asm.snapshot().hover(&asm.path, asm.offset).unwrap().unwrap();
    assert!(hover.text.contains("OP_1ADD // 0x8b") && hover.text.contains("Cost: "), "{}", hover.text);
}

fn labels(text: &str) -> Vec<String> {
    let fixture = Fixture::new(text);
    let found = fixture.snapshot().completions(&fixture.path, fixture.offset).unwrap();
    found.list.into_iter().map(|found| found.label).collect()
}

#[test]
fn what_can_be_written_is_offered() {
    for (text, wanted, unwanted) in [
        ("contract C(k: PubKey) { spend s(g: Sig) { require tx.$0; } }", "outputs", "k"),
        ("contract C(k: PubKey) { spend s(g: Sig) { require tx.outputs[0].va$0; } }", "value", "txid"),
        ("contract C(k: PubKey) { spend s(g: Sig) { require self.token.$0 } }", "capability", "value"),
        ("contract C(k: PubKey) { spend s(g: Sig) { require k.$0; } }", "signed", "length"),
        ("contract C(k: PubKey) { spend s(g: Sig) { let here = 1; require $0; } }", "here", "contract"),
        ("contract C(k: PubKey) { spend s(g: Sig) { require $0; let later = 1; } }", "k", "later"),
        ("struct P { left: Int } fn f(p: P) -> Int { p.$0 }", "left", "p"),
        ("enum E { One, Two } fn f() -> E { E::$0 }", "Two", "f"),
        ("fn f(n: $0) -> Int { 1 }", "PubKey", "sha256"),
        ("use std::$0", "math", "contract"),
        ("use std::math::$0", "isqrt", "contract"),
        ("contract C() { allow($0); }", "open_path", "C"),
        ("reward R { a: 50%, b: rest, $0 }", "minimum", "sha256"),
        ("fn f() -> Int { 1 }\n$0", "contract", "f"),
        ("fn f(a: Int) -> Int { asm (a: Int) -> Int { OP_$0 } }", "OP_1ADD", "outputs"),
    ] {
        let labels = labels(text);
        assert!(labels.iter().any(|label| label == wanted), "{text}: no {wanted} in {labels:?}");
        assert!(!labels.iter().any(|label| label == unwanted), "{text}: {unwanted} in {labels:?}");
    }
    assert!(labels("fn f() -> Int { 1 } // no $0words here\n").is_empty());
    assert!(labels("fn f() -> Bytes { \"no $0words\" }").is_empty());
}

#[test]
fn a_name_of_another_module_comes_with_its_import() {
    let fixture = Fixture::new("//- a.bmc\n//! Docs.\n\nfn f() -> Int { isq$0 }\n//- b.bmc\nfn other() -> Int { 1 }\n");
    let found = fixture.snapshot().completions(&fixture.path, fixture.offset).unwrap();
    for (label, line) in [("isqrt", "use std::math::isqrt;\n"), ("other", "use ./b::other;\n")] {
        let item = found.list.iter().find(|item| item.label == label).expect(label);
        assert_eq!(item.also.first().map(|edit| edit.text.as_str()), Some(line));
        let mut text = fixture.host.document("a.bmc").unwrap().0.text().to_string();
        text.replace_range(found.replaced.clone(), &item.insert.replace("$1", ""));
        for edit in &item.also {
            text.replace_range(edit.range.clone(), &edit.text);
        }
        assert!(text.starts_with(&format!("//! Docs.\n\n{line}")), "{text}");
    }
}

#[test]
fn a_call_says_what_it_takes_and_which_is_being_written() {
    for (text, label, active) in [
        ("fn g(a: Int, b: Coin) -> Int { 1 } fn f() -> Int { g(1, $0) }", "g(a: Int, b: Coin) -> Int", 1),
        ("fn f() -> Bool { within($0, 1, 2) }", "within(x, low, high) -> Bool", 0),
        ("fn g(a: Int) -> Int { a } fn f() -> Int { g(max(1, 2)$0) }", "g(a: Int) -> Int", 0),
    ] {
        let fixture = Fixture::new(text);
        let found = fixture.snapshot().signature(&fixture.path, fixture.offset).unwrap().expect(text);
        assert_eq!((found.label.as_str(), found.active), (label, active), "{text}");
    }
    let outside = Fixture::new("fn g(a: Int) -> Int { a } fn f() -> Int { g(1)$0 }");
    assert_eq!(outside.snapshot().signature(&outside.path, outside.offset).unwrap(), None);
}

#[test]
fn hints_say_what_the_source_does_not() {
    let text = "fn g(a: Int, b: Int) -> Int { let c = a + b; c } fn f(b: Int) -> Int { g(1, b) }\n\
        reward R { a: 50% { x: 1/2, y: rest }, b: rest, minimum: 20_000 sats, }\n";
    let fixture = Fixture::new(text);
    let hints = fixture.snapshot().hints("a.bmc", &(0..text.len()), false).unwrap();
    let shown: Vec<&str> = hints.iter().map(|hint| hint.text.as_str()).collect();
    assert_eq!(shown, [": Int", "a:", " = 25%", " = 25%", " = 50%"]);
}

#[test]
fn calls_are_found_from_both_ends() {
    let far = at("far(x, o", 1);
    let snapshot = far.snapshot();
    assert_eq!(snapshot.caller("a.bmc", far.offset).unwrap().map(|found| found.name), Some("far".to_owned()));
    let incoming = snapshot.incoming("a.bmc", far.offset).unwrap();
    let shown = |calls: &[crate::Calls]| -> Vec<String> {
        calls
            .iter()
            .map(|calls| format!("{} {} x{}", calls.other.detail, calls.other.name, calls.places.len()))
            .collect()
    };
    assert_eq!(shown(&incoming), ["spend take x1"]);
    let take = at("take(sig", 1);
    let outgoing = take.snapshot().outgoing("a.bmc", take.offset).unwrap();
    assert_eq!(shown(&outgoing), ["fn twice x1", "fn far x1", "contract next x2"]);
}

#[test]
fn an_edit_in_a_body_checks_that_body_alone_again_whatever_is_asked() {
    let fixture = at("sum + i", 1);
    let Fixture { mut host, path, offset } = fixture;
    let lines = host.document(&path).unwrap().0.clone();
    let ask = |host: &Host| {
        let snapshot = host.snapshot("a.bmc").unwrap();
        snapshot.problems("a.bmc").unwrap();
        snapshot.hover("a.bmc", offset).unwrap();
        snapshot.tokens("a.bmc", None).unwrap();
        snapshot.session.take_ran()
    };
    ask(&host);
    let place = lines.text().find("n * 2").unwrap();
    host.change(&path, lines.replaced(place..place + 5, "n * 3"), 2);
    let ran = ask(&host);
    let count = |name: &str| ran.iter().filter(|key| key.split('(').next() == Some(name)).count();
    assert_eq!((count("parsed"), count("body"), count("types")), (1, 1, 0), "{ran:?}");
}

#[test]
fn a_name_is_coloured_anew_when_what_it_means_is_declared_otherwise() {
    let mut host = Fixture::new(
        "//- a.bmc\nuse ./b::THING;\nfn f() -> Int { let x = THING; 1 }\n//- b.bmc\nconst THING: Int = 1;\n",
    )
    .host;
    let kind = |host: &Host| {
        let snapshot = host.snapshot("a.bmc").unwrap();
        let (tokens, at) = (snapshot.tokens("a.bmc", None).unwrap(), snapshot.lines("a.bmc").unwrap());
        let place = at.text().find("THING; 1").unwrap();
        tokens.iter().find(|token| token.range.start == place).map(|token| token.kind)
    };
    assert_eq!(kind(&host), Some(crate::TokenKind::Variable));
    for (version, (text, wanted)) in (1..).zip([
        ("struct THING { n: Int }\n", crate::TokenKind::Struct),
        ("fn THING() -> Int { 1 }\n", crate::TokenKind::Function),
    ]) {
        host.open("b.bmc", text.into(), version);
        assert_eq!(kind(&host), Some(wanted), "{text}");
    }
}

#[test]
fn a_question_is_stopped_by_who_asked_it() {
    let fixture = at("sum + i", 1);
    let snapshot = fixture.snapshot();
    snapshot.canceller().cancel();
    assert_eq!(snapshot.problems("a.bmc"), Err(driver::Stopped::Asked));
    assert!(fixture.snapshot().problems("a.bmc").is_ok(), "another snapshot is not stopped");
}

#[test]
fn whatever_is_typed_every_question_has_an_answer() {
    let text = SHAPES.strip_prefix("//- a.bmc\n").unwrap().split("//- ").next().unwrap();
    let mut host = at("sum + i", 1).host;
    for cut in (0..text.len()).step_by(23) {
        let lines = Lines::new(text[..cut].into());
        host.change("a.bmc", lines, 2);
        let snapshot = host.snapshot("a.bmc").unwrap();
        for place in [cut, cut / 2, cut.saturating_sub(1)] {
            snapshot.hover("a.bmc", place).unwrap();
            snapshot.completions("a.bmc", place).unwrap();
            snapshot.definition("a.bmc", place).unwrap();
            snapshot.signature("a.bmc", place).unwrap();
            let nested = snapshot.selections("a.bmc", &[place]).unwrap();
            assert!(nested[0].windows(2).all(|pair| pair[1].start <= pair[0].start && pair[0].end <= pair[1].end));
        }
        snapshot.hints("a.bmc", &(0..cut), true).unwrap();
        let tokens = snapshot.tokens("a.bmc", None).unwrap();
        assert!(tokens.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start), "{cut}");
        // Those of a range are found anew each time.
        assert_eq!(tokens, snapshot.tokens("a.bmc", Some(0..cut)).unwrap(), "{cut}");
        snapshot.folds("a.bmc").unwrap();
        snapshot.outline("a.bmc").unwrap();
        snapshot.remedies("a.bmc", &(0..cut), &crate::Wanted::Whole).unwrap();
        snapshot.refactorings("a.bmc", &(cut / 2..cut), &crate::Wanted::Whole).unwrap();
        snapshot.refactorings("a.bmc", &(cut..cut), &crate::Wanted::Whole).unwrap();
    }
}

#[test]
fn a_field_of_the_language_is_what_its_coin_has() {
    for (text, wanted) in [
        (
            "contract C(k: PubKey) { spend s(g: Sig) { require k.signed(g) && tx.outputs[0].va$0lue > 5 sats; } }",
            "the output holds",
        ),
        (
            "contract C(k: PubKey) { spend s(g: Sig) { require k.signed(g) && tx.inputs[0].va$0lue > 5 sats; } }",
            "the coin holds",
        ),
        (
            "contract C(k: PubKey) { spend s(g: Sig) { require k.signed(g) && self.in$0dex == 0; } }",
            "Which input of the transaction",
        ),
        (
            "contract C(k: PubKey) { spend s(g: Sig) { require k.signed(g) && tx.inputs[1].in$0dex == 0; } }",
            "Which output of that",
        ),
        (
            "contract C(k: PubKey) { spend s(g: Sig) { require k.signed(g) && tx.outputs.le$0ngth == 1; } }",
            "How many there are",
        ),
        (
            "contract C(k: PubKey) { spend s(g: Sig) { require k.signed(g) && tx.outputs[0].token.am$0ount == 1; } }",
            "How many fungible",
        ),
    ] {
        let fixture = Fixture::new(text);
        let hover = fixture.snapshot().hover(&fixture.path, fixture.offset).unwrap().expect(text);
        assert!(hover.text.contains(wanted), "{text}: {}", hover.text);
    }
    let nowhere = Fixture::new("contract C() { spend s() { require tx.outputs[0].tx$0id == 0x; } }");
    assert_eq!(nowhere.snapshot().hover(&nowhere.path, nowhere.offset).unwrap(), None, "an output has no `txid`");
}

#[test]
fn fields_that_are_assigned_and_inputs_that_are_given_are_found() {
    let text = "struct P { le$0ft: Int, right: Q }\nstruct Q { deep: Int }\n\
        fn f(p: P) -> Int { let mut q = p; q.left = 5; q.right.deep = 6; q.left + q.right.deep }\n";
    let fixture = Fixture::new(text);
    let found = fixture.snapshot().references(&fixture.path, fixture.offset).unwrap();
    assert_eq!(found.len(), 3, "{found:?}");
    let edits = fixture.snapshot().rename(&fixture.path, fixture.offset, "first").unwrap().unwrap();
    assert!(applied(&fixture, &edits)[0].1.contains("q.first = 5; q.right.deep = 6; q.first + "));
    let deep = Fixture::new(&text.replace("$0", "").replace("q.right.deep = 6", "q.right.de$0ep = 6"));
    assert_eq!(deep.snapshot().references(&deep.path, deep.offset).unwrap().len(), 3);

    let text = "contract C(k: PubKey) { spend s(g: Sig) { require k.signed(g); } }\n\
        plan p(k: PubKey) { input co$0in: C(k).s(g: k); output coin.lock { value: coin.value }; }\n\
        test t { let mine = chain.fund(C(alice), 1 coin); passes { p(alice) with { coin: mine } } }\n";
    let fixture = Fixture::new(text);
    let found = fixture.snapshot().references(&fixture.path, fixture.offset).unwrap();
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn callers_are_found_under_the_name_of_their_import_and_only_there() {
    let fixture = Fixture::new(
        "//- a.bmc\nfn fa$0r(n: Int) -> Int { n }\n\
         //- b.bmc\nuse ./a::far as near;\nfn other() -> Int { near(1) }\n\
         //- c.bmc\nfn far(n: Int) -> Int { n }\nfn third() -> Int { far(2) }\n",
    );
    let found = fixture.snapshot().incoming("a.bmc", fixture.offset).unwrap();
    let names: Vec<&str> = found.iter().map(|calls| calls.other.name.as_str()).collect();
    assert_eq!(names, ["other"]);
}

#[test]
fn an_import_that_is_offered_leads_to_its_module() {
    let fixture = Fixture::new(
        "//- app/a.bmc\nfn f() -> Int { oth$0 }\n//- apple/b.bmc\nfn other() -> Int { 1 }\n//- app/in/c.bmc\nfn other_too() -> Int { 1 }\n",
    );
    let found = fixture.snapshot().completions(&fixture.path, fixture.offset).unwrap();
    let offered: Vec<&str> = found.list.iter().filter_map(|item| Some(item.also.first()?.text.as_str())).collect();
    assert!(offered.contains(&"use ./in/c::other_too;\n"), "{offered:?}");
    assert!(!offered.iter().any(|text| text.contains("le/b") || text.contains("::other;")), "{offered:?}");
}

#[test]
fn imports_follow_files_and_folders_that_get_other_names() {
    let files = "//- a.bmc\nuse ./b::{one, two as zwei};\nuse ./lib/c;\nuse ./lib/c::three;\n\
        fn f() -> Int { one() + zwei() + c::three() + three() }\n\
        //- b.bmc\nfn one() -> Int { 1 }\nfn two() -> Int { 2 }\n\
        //- lib/c.bmc\nuse ./d::four;\nfn three() -> Int { four() }\n//- lib/d.bmc\nfn four() -> Int { 4 }\n";
    for (old, new, wanted) in [
        ("b.bmc", "lib/b2.bmc", "use ./lib/b2::{one, two as zwei};\nuse ./lib/c;\n"),
        ("lib", "shelf", "use ./b::{one, two as zwei};\nuse ./shelf/c;\nuse ./shelf/c::three;\n"),
        ("lib/c.bmc", "lib/e.bmc", "use ./lib/e as c;\nuse ./lib/e::three;\n"),
    ] {
        let fixture = Fixture::new(files);
        let edits = fixture.snapshot().renamed_files(&[(old.into(), new.into())]).unwrap();
        let renamed = applied(&fixture, &edits).into_iter().map(|(path, text)| {
            let path = match path.strip_prefix(old) {
                Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{new}{rest}"),
                _ => path,
            };
            (path, text)
        });
        let all: Vec<(String, String)> = renamed.collect();
        let own = &all.iter().find(|(path, _)| path == "a.bmc").unwrap().1;
        assert!(own.contains(wanted), "{old} to {new}: {own}");
        let text: String = all.iter().map(|(path, text)| format!("//- {path}\n{text}")).collect();
        let after = Fixture::new(&text);
        for (path, _) in &all {
            assert_eq!(after.host.snapshot(path).unwrap().problems(path).unwrap(), [], "{old} to {new}: {text}");
        }
    }
}

#[test]
fn what_is_declared_is_carried_out_somewhere() {
    for (text, wanted) in [
        (
            "contract C$0(k: PubKey) { spend s(g: Sig) { require k.signed(g); } spend t(g: Sig) { require k.signed(g); } }",
            vec!["s", "t"],
        ),
        ("struct P$0 { x: Int<4> } contract C(p: P) { state { q: P } spend s() { require p.x > 1; } }", vec!["p", "q"]),
        (
            "reward R$0 { a: 50%, b: rest, minimum: 20_000 sats, } contract C() { spend s() { split self.value by R; } }",
            vec!["R"],
        ),
        ("fn f() -> Int { 1 } fn g() -> Int { f$0() }", vec!["f"]),
    ] {
        let fixture = Fixture::new(text);
        let found = fixture.snapshot().implementations(&fixture.path, fixture.offset).unwrap();
        let source = fixture.host.document("a.bmc").unwrap().0.text().clone();
        let shown: Vec<&str> = found.iter().map(|found| &source[found.range.range()]).collect();
        assert_eq!(shown, wanted, "{text}");
    }
}
