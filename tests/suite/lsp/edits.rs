//! Code actions, files that get other names, and settings.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use tests::{Editor, codes, uri};

use super::{LOCK, range, start};

/// What an editor can do that asks for edits late and creates files.
fn able() -> Value {
    json!({
        "general": { "positionEncodings": ["utf-8"] },
        "textDocument": { "codeAction": { "dataSupport": true, "resolveSupport": { "properties": ["edit"] } } },
        "workspace": { "workspaceEdit": { "documentChanges": true, "resourceOperations": ["create", "rename"] } },
    })
}

fn package(folder: &Path, name: &str, more: &str) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("bmc.toml"), format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n{more}")).unwrap();
}

fn actions(editor: &mut Editor, file: &str, range: &Value, only: &[&str]) -> Vec<Value> {
    let context = match only {
        [] => json!({ "diagnostics": [] }),
        only => json!({ "diagnostics": [], "only": only }),
    };
    let params = json!({ "textDocument": { "uri": file }, "range": range, "context": context });
    editor.request("textDocument/codeAction", params).as_array().unwrap().clone()
}

#[test]
fn actions_come_by_kind_and_their_edits_when_one_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("lock.bmc"));
    let mut editor = start(folder.path(), &able());
    let kinds = &editor.capabilities["codeActionProvider"];
    assert_eq!(kinds["resolveProvider"], true);
    assert!(kinds["codeActionKinds"].as_array().unwrap().contains(&json!("refactor.extract")), "{kinds}");
    editor.open(&file, LOCK);
    let found = actions(&mut editor, &file, &range(1, 10, 10), &[]);
    let docs = found.iter().find(|action| action["title"] == "begin the documentation").expect("an action").clone();
    assert_eq!((docs["kind"].clone(), docs["edit"].clone()), (json!("refactor.rewrite"), Value::Null));
    let resolved = editor.request("codeAction/resolve", docs.clone());
    let edit = &resolved["edit"]["documentChanges"][0]["edits"][0];
    assert_eq!(edit["range"], range(1, 4, 4));
    assert!(edit["newText"].as_str().unwrap().starts_with("/// "), "{edit}");
    assert!(actions(&mut editor, &file, &range(1, 10, 10), &["quickfix"]).is_empty());
    // The kind without a name is that of all.
    let all = actions(&mut editor, &file, &range(1, 10, 10), &[""]);
    assert!(found.iter().all(|action| all.iter().any(|known| known["title"] == action["title"])), "{all:?}");
    assert!(!actions(&mut editor, &file, &range(1, 10, 10), &["refactor"]).is_empty());

    let moved = actions(&mut editor, &file, &range(0, 10, 10), &["refactor.extract"]);
    let moved = moved.iter().find(|action| action["title"] == "move `Lock` to `lock.bmc`");
    assert_eq!(moved, None, "the file has that name already");

    // The text has changed since the action was listed.
    editor.type_at(&file, 2, 0, 0, "// a line\n");
    let late = editor.ask("codeAction/resolve", docs);
    assert_eq!(editor.answer(late)["error"]["code"], -32801);
    let nonsense = editor.request("codeAction/resolve", json!({ "title": "x", "data": { "what": 1 } }));
    assert_eq!(nonsense["edit"], Value::Null);
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn an_item_moves_to_a_file_that_the_editor_makes() {
    let folder = tempfile::tempdir().unwrap();
    package(folder.path(), "app", "");
    let text = "fn f() -> Int { g() }\n\nfn g() -> Int { 1 }\n";
    fs::write(folder.path().join("a.bmc"), text).unwrap();
    let file = uri(&folder.path().join("a.bmc"));
    for (able, offered) in [(able(), true), (json!({}), false)] {
        let mut editor = start(folder.path(), &able);
        editor.open(&file, text);
        let found = actions(&mut editor, &file, &range(2, 3, 3), &[]);
        let moved = found.iter().find(|action| action["title"] == "move `g` to `g.bmc`").cloned();
        assert_eq!(moved.is_some(), offered, "{found:?}");
        if let Some(moved) = moved {
            let resolved = editor.request("codeAction/resolve", moved);
            let changes = resolved["edit"]["documentChanges"].as_array().unwrap();
            let new = uri(&folder.path().join("g.bmc"));
            assert_eq!((&changes[0]["kind"], &changes[0]["uri"]), (&json!("create"), &json!(new)));
            assert_eq!(changes[1]["edits"][0]["newText"], "fn g() -> Int { 1 }\n");
            assert_eq!(changes[2]["textDocument"]["uri"], file);
        }
        assert_eq!(editor.leave(), Some(0));
    }
}

#[test]
fn imports_follow_a_file_in_all_packages_and_the_server_sees_where_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let (app, lib) = (folder.path().join("app"), folder.path().join("lib"));
    package(&app, "app", "[dependencies]\nlib = { path = \"../lib\" }\n");
    package(&lib, "lib", "");
    fs::write(lib.join("old.bmc"), "fn one() -> Int { 1 }\n").unwrap();
    fs::write(lib.join("user.bmc"), "use ./old::one;\n\nfn two() -> Int { one() + one() }\n").unwrap();
    fs::write(app.join("main.bmc"), "use lib::old::one;\n\nfn f() -> Int { one() }\n").unwrap();
    let both = "use lib::{\n    old, // the first\n    user,\n};\n\nfn h() -> Int { old::one() + user::two() }\n";
    fs::write(app.join("more.bmc"), both).unwrap();
    let mut editor = start(folder.path(), &able());
    let (main, user) = (uri(&app.join("main.bmc")), uri(&lib.join("user.bmc")));
    let (more, lines) = (uri(&app.join("more.bmc")), "// the first\nuse lib::new as old;\nuse lib::user;");
    editor.open(&main, "use lib::old::one;\n\nfn f() -> Int { one() }\n");
    assert_eq!(editor.pushed(&main, 1), Vec::<String>::new());
    let files = json!({ "files": [{ "oldUri": uri(&lib.join("old.bmc")), "newUri": uri(&lib.join("new.bmc")) }] });
    let edit = editor.request("workspace/willRenameFiles", files.clone());
    let mut changed: Vec<(String, String)> = Vec::new();
    for document in edit["documentChanges"].as_array().unwrap() {
        let text = document["edits"][0]["newText"].as_str().unwrap();
        changed.push((document["textDocument"]["uri"].as_str().unwrap().to_owned(), text.to_owned()));
    }
    changed.sort();
    let wanted = [(main.clone(), "lib::new"), (more, lines), (user, "./new")];
    assert_eq!(changed, wanted.map(|(file, text)| (file, text.to_owned())));

    fs::rename(lib.join("old.bmc"), lib.join("new.bmc")).unwrap();
    editor.notify("workspace/didRenameFiles", files);
    let whole = json!({ "textDocument": { "uri": main, "version": 2 }, "contentChanges": [{ "text": "use lib::new::one;\n\nfn f() -> Int { one() }\n" }] });
    editor.notify("textDocument/didChange", whole);
    assert_eq!(editor.pushed(&main, 2), Vec::<String>::new());
    fs::remove_file(lib.join("new.bmc")).unwrap();
    editor.notify("workspace/didDeleteFiles", json!({ "files": [{ "uri": uri(&lib.join("new.bmc")) }] }));
    let pulled = editor.request("textDocument/diagnostic", json!({ "textDocument": { "uri": main } }));
    assert_eq!(codes(&pulled["items"]), ["E0120 0:9"]);
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn settings_are_read_at_the_start_when_they_change_and_when_the_client_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("a.bmc"));
    let text = "fn g(a: Int, b: Int) -> Int { let c = a + b; c }\nfn f(b: Int) -> Int { g(1, b) }\n";
    let hints = json!({ "textDocument": { "uri": file }, "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 9, "character": 0 } } });
    let labels = |editor: &mut Editor| -> Vec<String> {
        let found = editor.request("textDocument/inlayHint", hints.clone());
        found.as_array().unwrap().iter().map(|hint| hint["label"].as_str().unwrap().to_owned()).collect()
    };
    let options = json!({ "bmc": { "inlayHints": { "types": false } } });
    let with = |able: &Value, options: &Value| {
        Editor::start_with(Path::new(env!("CARGO_BIN_EXE_bmc")), folder.path(), able, options)
    };
    let mut editor = with(&json!({ "workspace": { "inlayHint": { "refreshSupport": true } } }), &options);
    editor.open(&file, text);
    assert_eq!(labels(&mut editor), ["a:"]);
    let changed = json!({ "settings": { "bmc": { "inlayHints": { "parameters": false } } } });
    editor.notify("workspace/didChangeConfiguration", changed);
    let refresh = editor.wait("a refresh", |message| message["method"] == "workspace/inlayHint/refresh");
    editor.send(&json!({ "jsonrpc": "2.0", "id": refresh["id"], "result": null }));
    assert_eq!(labels(&mut editor), [": Int"]);
    editor.notify("workspace/didChangeConfiguration", json!({ "settings": null }));
    assert_eq!(labels(&mut editor), [": Int"]);
    assert_eq!(editor.leave(), Some(0));

    // Neovim announces that it answers, and has no such section beside what it starts the server with.
    let mut editor = with(&json!({ "workspace": { "configuration": true } }), &options);
    editor.open(&file, text);
    let asked = editor.wait("a question", |message| message["method"] == "workspace/configuration");
    editor.send(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": [null] }));
    for _ in 0..20 {
        assert_eq!(labels(&mut editor), ["a:"]);
    }
    assert_eq!(editor.leave(), Some(0));

    let able = json!({ "workspace": { "configuration": true, "inlayHint": { "refreshSupport": true } } });
    let mut editor = start(folder.path(), &able);
    editor.open(&file, text);
    let asked = editor.wait("a question", |message| message["method"] == "workspace/configuration");
    assert_eq!(asked["params"]["items"], json!([{ "section": "bmc" }]));
    let settings = json!([{ "inlayHints": { "enable": false } }]);
    editor.send(&json!({ "jsonrpc": "2.0", "id": asked["id"], "result": settings }));
    let refresh = editor.wait("a refresh", |message| message["method"] == "workspace/inlayHint/refresh");
    editor.send(&json!({ "jsonrpc": "2.0", "id": refresh["id"], "result": null }));
    assert_eq!(labels(&mut editor), Vec::<String>::new());
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn short_work_shows_no_progress_and_a_manifest_is_told_about_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bmc.toml"), "[package]\nname = 1\n").unwrap();
    let file = uri(&folder.path().join("lock.bmc"));
    let mut editor = start(folder.path(), &json!({ "window": { "workDoneProgress": true } }));
    editor.open(&file, LOCK);
    editor.pushed(&file, 1);
    for version in 2..6 {
        editor.type_at(&file, version, 0, 0, "\n");
        editor.pushed(&file, version);
    }
    let found = editor.request("workspace/symbol", json!({ "query": "Lock", "workDoneToken": "mine" }));
    assert!(found.is_array());
    let told = |method: &str| editor.kept().filter(|message| message["method"] == method).count();
    assert_eq!((told("window/workDoneProgress/create"), told("$/progress")), (0, 0));
    let manifest = uri(&folder.path().join("bmc.toml"));
    assert_eq!(editor.kept().filter(|message| message["params"]["uri"] == manifest.as_str()).count(), 1);
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn long_work_shows_progress_and_fails_once_it_takes_longer_than_is_set() {
    let options = json!({ "answerSeconds": 1 });
    // How much work takes longer than a second depends on the machine.
    let text: String = (0..1_000).map(|n| format!("fn f{n}(a: Int) -> Int {{ a + b{n} }}\n")).collect();
    for files in [16, 64, 256] {
        let folder = tempfile::tempdir().unwrap();
        package(folder.path(), "long", "");
        (0..files).for_each(|n| fs::write(folder.path().join(format!("f{n}.bmc")), &text).unwrap());
        let bmc = Path::new(env!("CARGO_BIN_EXE_bmc"));
        let mut editor = Editor::start_with(bmc, folder.path(), &json!({}), &options);
        for question in ["workspaceSymbolProvider", "diagnosticProvider"] {
            assert_eq!(editor.capabilities[question]["workDoneProgress"], true, "{question}");
        }
        let question = json!({ "previousResultIds": [], "workDoneToken": "mine" });
        let id = editor.ask("workspace/diagnostic", question);
        let answer = editor.answer(id);
        let Some(error) = answer.get("error") else { continue };
        assert_eq!(error["code"], -32803, "{error}");
        assert!(error["message"].as_str().unwrap().contains("`bmc.answerSeconds`"), "{error}");
        for kind in ["begin", "end"] {
            let told = editor.wait(kind, |message| message["params"]["value"]["kind"] == kind);
            assert_eq!((&told["method"], &told["params"]["token"]), (&json!("$/progress"), &json!("mine")));
        }
        return;
    }
    panic!("no work was long enough");
}

#[test]
fn what_is_declared_leads_to_what_carries_it_out() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("lock.bmc"));
    let mut editor = start(folder.path(), &json!({}));
    editor.open(&file, LOCK);
    let at = json!({ "textDocument": { "uri": file }, "position": { "line": 0, "character": 10 } });
    let found = editor.request("textDocument/implementation", at);
    assert_eq!(found, json!([{ "uri": file, "range": range(1, 10, 14) }]));
    assert_eq!(editor.leave(), Some(0));
}
