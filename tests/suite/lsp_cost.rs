//! What contracts take, as an editor sees it: lenses that fill in, and diagnostics that only making code shows.

use std::path::Path;

use serde_json::{Value, json};
use tests::{Editor, codes, uri};

/// The shipped binary.
fn start(folder: &Path, able: &Value, options: &Value) -> Editor {
    Editor::start_with(Path::new(env!("CARGO_BIN_EXE_bmc")), folder, able, options)
}

fn range(line: u64, start: u64, end: u64) -> Value {
    json!({ "start": { "line": line, "character": start }, "end": { "line": line, "character": end } })
}

const TIGHT: &str = "\
contract Tight(owner: PubKey) {
    budget(script: 20 bytes);
    spend take(sig: Sig) {
        require owner.signed(sig);
    }
}
reward Halves { a: 1/2, b: rest, minimum: 20_000 sats, fee: up to 1_000 sats, }
test it_holds {
    assert 1 == 1;
}
";

/// Waits until the client is asked to ask again, and answers.
fn refreshed(editor: &mut Editor, method: &str) {
    let asked = editor.wait(method, |message| message["method"] == method);
    editor.send(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": null }));
}

/// Waits until making the code of a version has shown this; before there is nothing.
fn shown(editor: &mut Editor, uri: &str, version: i64, wanted: &str) {
    loop {
        match editor.pushed(uri, version).as_slice() {
            [] => {}
            found => return assert_eq!(found, [wanted]),
        }
    }
}

fn lenses(editor: &mut Editor, uri: &str) -> Vec<Value> {
    let found = editor.request("textDocument/codeLens", json!({ "textDocument": { "uri": uri } }));
    found.as_array().unwrap().clone()
}

/// The titles of the lenses, filled in where they are not.
fn titles(editor: &mut Editor, uri: &str) -> Vec<String> {
    let title = |lens: Value, editor: &mut Editor| {
        let lens = if lens.get("command").is_some() { lens } else { editor.request("codeLens/resolve", lens) };
        lens["command"]["title"].as_str().unwrap().to_owned()
    };
    lenses(editor, uri).into_iter().map(|lens| title(lens, editor)).collect()
}

#[test]
fn lenses_fill_in_and_what_only_code_shows_comes_and_goes() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("tight.bmc"));
    let able = json!({ "workspace": { "codeLens": { "refreshSupport": true } } });
    let mut editor = start(folder.path(), &able, &Value::Null);
    assert_eq!(editor.capabilities["codeLensProvider"], json!({ "resolveProvider": true }));
    editor.open(&file, TIGHT);
    shown(&mut editor, &file, 1, "E0505 1:11");
    refreshed(&mut editor, "workspace/codeLens/refresh");
    let told = titles(&mut editor, &file);
    assert!(told[0].starts_with("35 bytes · P2SH"), "{told:?}");
    assert_eq!(told[1], "deploy");
    assert!(told[2].starts_with("35 of 35 bytes · unlocked with "), "{told:?}");
    assert_eq!(told[4..], ["deploy", "expand", "run test", "debug"]);
    let run = lenses(&mut editor, &file).into_iter().find(|lens| lens["command"]["command"] == "bmc.runTest");
    let about = run.expect("a lens to run the test")["command"]["arguments"][0].clone();
    assert_eq!((about["uri"].clone(), about["name"].clone()), (json!(file), json!("it_holds")));

    // What it is about changes: it goes at once. Meanwhile nothing can be made, so that it cannot have come again.
    editor.type_at(&file, 2, 3, 16, "x");
    assert_eq!(editor.pushed(&file, 2), ["E0101 3:16"]);
    // It comes again if it is still true.
    let changes = json!([{ "range": range(3, 16, 17), "text": "  " }]);
    editor.notify(
        "textDocument/didChange",
        json!({ "textDocument": { "uri": file, "version": 3 }, "contentChanges": changes }),
    );
    shown(&mut editor, &file, 3, "E0505 1:11");
    // It moves.
    editor.type_at(&file, 4, 0, 0, "\n");
    assert_eq!(editor.pushed(&file, 4), ["E0505 2:11"]);
    // It is mended.
    editor.type_at(&file, 5, 2, 19, "1");
    assert_eq!(editor.pushed(&file, 5), Vec::<String>::new());
    refreshed(&mut editor, "workspace/codeLens/refresh");
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn lenses_are_asked_for_again_when_another_source_breaks_this_one() {
    let folder = tempfile::tempdir().unwrap();
    let [file, other] = ["a.bmc", "rules.bmc"].map(|name| uri(&folder.path().join(name)));
    let able = json!({ "workspace": { "codeLens": { "refreshSupport": true } } });
    let mut editor = start(folder.path(), &able, &Value::Null);
    editor.open(&other, "fn most() -> Int { 5 }\n");
    editor.open(&file, "use ./rules::most;\ncontract C() { spend s(n: Int) { require n == most(), \"too much\"; } }\n");
    while !titles(&mut editor, &file)[0].contains(" bytes · ") {
        refreshed(&mut editor, "workspace/codeLens/refresh");
    }
    // An ask that came late would count for the next one.
    while editor.rest().iter().any(|message| message["method"] == "workspace/codeLens/refresh") {}
    editor.type_at(&other, 2, 0, 3, "the_");
    refreshed(&mut editor, "workspace/codeLens/refresh");
    let told = titles(&mut editor, &file);
    assert!(told[0].ends_with("(before the last edits)"), "{told:?}");
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn who_does_not_answer_is_asked_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("a.bmc"));
    let able = json!({ "workspace": { "codeLens": { "refreshSupport": true } } });
    let mut editor = start(folder.path(), &able, &Value::Null);
    editor.open(&file, "contract C(k: PubKey) { spend s(g: Sig) { require k.signed(g); } }\n");
    let is_ask = |message: &Value| message["method"] == "workspace/codeLens/refresh";
    let first = editor.wait("an ask", is_ask);
    for version in 2..5 {
        editor.type_at(&file, version, 0, 42, "require 1 == 1; ");
        let is_told = |titles: &[String]| titles[0].contains(" bytes · ") && !titles[0].contains("edits");
        while !is_told(&titles(&mut editor, &file)) {}
    }
    assert!(!editor.kept().any(is_ask), "it has not answered yet");
    editor.send(&json!({ "jsonrpc": "2.0", "id": first["id"], "result": null }));
    refreshed(&mut editor, "workspace/codeLens/refresh");
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn who_asks_for_diagnostics_is_told_to_ask_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("tight.bmc"));
    let able = json!({ "workspace": { "diagnostics": { "refreshSupport": true } , "diagnostic": { "refreshSupport": true } },
        "textDocument": { "diagnostic": {} } });
    let mut editor = start(folder.path(), &able, &Value::Null);
    editor.open(&file, TIGHT);
    let document = json!({ "textDocument": { "uri": file } });
    let first = editor.request("textDocument/diagnostic", document.clone());
    assert_eq!(codes(&first["items"]), Vec::<String>::new());
    refreshed(&mut editor, "workspace/diagnostic/refresh");
    let mut again = document;
    again["previousResultId"] = first["resultId"].clone();
    let second = editor.request("textDocument/diagnostic", again);
    assert_eq!((second["kind"].clone(), codes(&second["items"])), (json!("full"), vec!["E0505 1:11".to_owned()]));
    assert!(editor.kept().all(|message| message["method"] != "workspace/codeLens/refresh"), "it never said it can");
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn commands_expand_list_tests_and_report_costs() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("tight.bmc"));
    let able = json!({ "workspace": { "codeLens": { "refreshSupport": true } } });
    let mut editor = start(folder.path(), &able, &Value::Null);
    assert_eq!(
        editor.capabilities["executeCommandProvider"]["commands"],
        json!(["bmc.expand", "bmc.cost", "bmc.tests"])
    );
    editor.open(&file, TIGHT);
    let execute = |command: &str, argument: Value| json!({ "command": command, "arguments": [argument] });
    let method = "workspace/executeCommand";
    let expanded = editor.request(method, execute("bmc.expand", json!({ "uri": file, "name": "Halves" })));
    assert!(expanded.as_str().unwrap().starts_with("contract Halves("), "{expanded}");
    let whole = editor.request(method, execute("bmc.expand", json!(file)));
    assert!(whole.as_str().unwrap().contains("contract Tight("), "{whole}");
    let tests = editor.request(method, execute("bmc.tests", json!({ "uri": file })));
    assert_eq!(tests.as_array().unwrap().len(), 1);
    assert_eq!((tests[0]["name"].clone(), tests[0]["kind"].clone()), (json!("it_holds"), json!("test")));
    assert_eq!(tests[0]["selectionRange"], range(7, 5, 13));
    refreshed(&mut editor, "workspace/codeLens/refresh");
    let cost = editor.request(method, execute("bmc.cost", json!({ "uri": file })));
    assert_eq!(cost["complete"], true);
    let names: Vec<&Value> = cost["contracts"].as_array().unwrap().iter().map(|found| &found["contract"]).collect();
    assert_eq!(names, ["Halves", "Tight"]);
    let tight = editor.request(method, execute("bmc.cost", json!({ "uri": file, "name": "Tight" })));
    assert_eq!(
        (tight["contracts"][0]["script"].clone(), tight["contracts"][0]["lines"][0]["line"].clone()),
        (json!(35), json!(4))
    );
    for wrong in [
        json!({ "command": "bmc.nothing", "arguments": [{ "uri": file }] }),
        json!({ "command": "bmc.cost", "arguments": [] }),
        json!({ "command": "bmc.cost", "arguments": [7] }),
        json!({ "command": "bmc.cost", "arguments": [{ "uri": "no address" }] }),
    ] {
        let id = editor.ask(method, wrong);
        assert_eq!(editor.answer(id)["error"]["code"], -32602);
    }
    let nowhere = editor.request(method, execute("bmc.cost", json!({ "uri": "untitled:Untitled-1" })));
    assert_eq!(nowhere, Value::Null);
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn hints_of_costs_are_for_those_who_want_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("tight.bmc"));
    let able =
        json!({ "workspace": { "codeLens": { "refreshSupport": true }, "inlayHint": { "refreshSupport": true } } });
    let mut editor = start(folder.path(), &able, &json!({ "inlayHints": { "cost": true } }));
    editor.open(&file, TIGHT);
    refreshed(&mut editor, "workspace/inlayHint/refresh");
    let hints = json!({ "textDocument": { "uri": file }, "range": range(3, 0, 40) });
    let hints = editor.request("textDocument/inlayHint", hints);
    assert_eq!(hints[0]["label"], " 35 bytes");
    assert_eq!(editor.leave(), Some(0));
}
