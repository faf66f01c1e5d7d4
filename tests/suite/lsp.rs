//! `bmc lsp`, as an editor speaks with it: the shipped binary over its standard input and output.

mod edits;

use std::path::Path;

use serde_json::{Value, json};
use tests::{Editor, codes, uri};

/// An editor that has started the shipped binary for a folder.
pub(crate) fn start(folder: &Path, able: &Value) -> Editor {
    Editor::start(Path::new(env!("CARGO_BIN_EXE_bmc")), folder, able)
}

const LOCK: &str = "\
contract Lock(owner: PubKey) {
    spend take(sig: Sig) {
        require owner.signed(sig);
    }
}
";

#[test]
fn an_editor_opens_edits_asks_and_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("lock.bmc"));
    let mut editor = start(folder.path(), &json!({ "general": { "positionEncodings": ["utf-16", "utf-8"] } }));
    assert_eq!(editor.capabilities["positionEncoding"], "utf-8");
    assert_eq!(editor.capabilities["textDocumentSync"]["change"], 2);
    editor.open(&file, LOCK);
    assert_eq!(editor.pushed(&file, 1), Vec::<String>::new());

    // A name that is nowhere.
    editor.type_at(&file, 2, 2, 33, " && nobody");
    assert_eq!(editor.pushed(&file, 2), ["E0101 2:37"]);

    let document = json!({ "textDocument": { "uri": file } });
    let symbols = editor.request("textDocument/documentSymbol", document.clone());
    assert_eq!(symbols[0]["name"], "Lock");
    assert_eq!(symbols[0]["children"][0]["name"], "take");
    let folds = editor.request("textDocument/foldingRange", document.clone());
    assert_eq!((folds[0]["startLine"].clone(), folds[0]["endLine"].clone()), (json!(0), json!(3)));
    let pulled = editor.request("textDocument/diagnostic", document.clone());
    assert_eq!((pulled["kind"].clone(), codes(&pulled["items"])), (json!("full"), vec!["E0101 2:37".to_owned()]));
    let again = json!({ "textDocument": { "uri": file }, "previousResultId": pulled["resultId"] });
    assert_eq!(editor.request("textDocument/diagnostic", again)["kind"], "unchanged");
    let all = editor.request("workspace/diagnostic", json!({ "previousResultIds": [] }));
    assert!(all["items"].is_array(), "{all}");

    let selections = json!({ "textDocument": { "uri": file }, "positions": [{ "line": 2, "character": 18 }] });
    let innermost = editor.request("textDocument/selectionRange", selections)[0].clone();
    assert_eq!(innermost["range"], range(2, 16, 21));
    assert_eq!(
        editor.request(
            "textDocument/formatting",
            json!({ "textDocument": { "uri": file }, "options": {
        "tabSize": 4, "insertSpaces": true } })
        ),
        json!([])
    );
    assert_eq!(editor.leave(), Some(0));
}

fn range(line: u64, start: u64, end: u64) -> Value {
    json!({ "start": { "line": line, "character": start }, "end": { "line": line, "character": end } })
}

#[test]
fn of_a_burst_of_keys_the_last_state_is_reported_and_none_that_is_older_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("lock.bmc"));
    let mut editor = start(folder.path(), &json!({}));
    assert_eq!(editor.capabilities["positionEncoding"], "utf-16");
    editor.open(&file, &LOCK.replace("signed(sig)", "signed(sig) && "));
    let typed = "nobody_is_here_".repeat(4);
    for (version, (column, key)) in (2..).zip((37..).zip(typed.chars())) {
        editor.type_at(&file, version, 2, column, &key.to_string());
        // Questions in between are answered or overtaken, each exactly once.
        editor.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": file } }));
    }
    let last = 1 + i64::try_from(typed.len()).unwrap();
    assert_eq!(editor.pushed(&file, last), ["E0101 2:37"]);
    for id in 2..=editor.last() {
        let answer = editor.answer(id);
        let code = answer["error"]["code"].as_i64();
        assert!(answer["result"].is_array() || code == Some(-32801), "{answer}");
    }
    let pushed = editor.kept().filter(|message| message["method"] == "textDocument/publishDiagnostics");
    let versions: Vec<i64> = pushed.map(|message| message["params"]["version"].as_i64().unwrap()).collect();
    assert!(versions.is_sorted() && versions.iter().all(|version| *version < last), "{versions:?}");
    editor.notify("textDocument/didClose", json!({ "textDocument": { "uri": file } }));
    let cleared = editor
        .wait("an empty report", |message| message["params"]["uri"] == file && message["params"]["version"].is_null());
    assert_eq!(cleared["params"]["diagnostics"], json!([]));
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn what_is_malformed_cancelled_or_unknown_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("lock.bmc"));
    let mut editor = start(folder.path(), &json!({}));
    editor.open(&file, LOCK);
    editor.send_raw(b"{ this is no JSON");
    assert_eq!(
        editor.wait("an error", |message| message["id"].is_null() && message.get("error").is_some())["error"]["code"],
        -32700
    );
    let unknown = editor.ask("textDocument/nonsense", json!({}));
    assert_eq!(editor.answer(unknown)["error"]["code"], -32601);
    let wrong = editor.ask("textDocument/documentSymbol", json!({ "textDocument": 5 }));
    assert_eq!(editor.answer(wrong)["error"]["code"], -32602);
    // Edits of what is not open, and outside of what is.
    editor.type_at("file:///no/such/file.bmc", 9, 0, 0, "x");
    editor.type_at(&file, 2, 4_000, 4_000, "\n// the end\n");
    editor.notify("textDocument/didClose", json!({ "textDocument": { "uri": "file:///no/such/file.bmc" } }));
    let gone =
        editor.request("textDocument/documentSymbol", json!({ "textDocument": { "uri": "untitled:Untitled-1" } }));
    assert_eq!(gone, Value::Null);
    // Cancelled at once: it was answered before, or it fails with `request cancelled`, but it is answered.
    for _ in 0..20 {
        let id = editor.ask("textDocument/semanticTokens/full", json!({ "textDocument": { "uri": file } }));
        editor.notify("$/cancelRequest", json!({ "id": id }));
        let answer = editor.answer(id);
        assert!(answer["result"]["data"].is_array() || answer["error"]["code"] == -32800, "{answer}");
    }
    let symbols = editor.request("textDocument/documentSymbol", json!({ "textDocument": { "uri": file } }));
    assert_eq!(symbols[0]["name"], "Lock");
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn tokens_come_whole_then_as_differences_and_fixes_mend_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("lock.bmc"));
    let mut editor = start(folder.path(), &json!({}));
    editor.open(&file, &LOCK.replace("signed(sig);", "signed(sigg);"));
    let document = json!({ "textDocument": { "uri": file } });
    let full = editor.request("textDocument/semanticTokens/full", document.clone());
    let mut data: Vec<u64> = full["data"].as_array().unwrap().iter().map(|number| number.as_u64().unwrap()).collect();
    assert!(data.len() > 40 && data.len().is_multiple_of(5), "{data:?}");

    let actions = editor.request(
        "textDocument/codeAction",
        json!({ "textDocument": { "uri": file },
        "range": range(2, 29, 29), "context": { "diagnostics": [] } }),
    );
    let fix = actions.as_array().unwrap().iter().find(|action| action["title"] == "write `sig`").expect("a fix");
    let edit = &fix["edit"]["documentChanges"][0];
    assert_eq!((edit["textDocument"]["uri"].clone(), edit["textDocument"]["version"].clone()), (json!(file), json!(1)));
    assert_eq!(edit["edits"], json!([{ "range": range(2, 29, 33), "newText": "sig" }]));

    editor.type_at(&file, 2, 0, 0, "const LIMIT: Int = 5;\n");
    let params = json!({ "textDocument": { "uri": file }, "previousResultId": full["resultId"] });
    let delta = editor.request("textDocument/semanticTokens/full/delta", params);
    for edit in delta["edits"].as_array().expect("a difference") {
        let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
        let (start, gone) = (number(&edit["start"]), number(&edit["deleteCount"]));
        let came = edit["data"].as_array().into_iter().flatten().map(|number| number.as_u64().unwrap());
        data.splice(start..start + gone, came.collect::<Vec<_>>());
    }
    let whole = editor.request("textDocument/semanticTokens/full", document);
    assert_eq!(json!(data), whole["data"]);
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn names_are_followed_described_completed_and_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file = uri(&folder.path().join("lock.bmc"));
    let completion = json!({ "textDocument": { "completion": { "completionItem": { "snippetSupport": true } } } });
    let mut editor = start(folder.path(), &completion);
    editor.open(&file, &format!("use std::math::isqrt;\n{LOCK}fn f(n: Int) -> Int {{ isqrt(n) }}\n"));
    let at = |line: u64, character: u64| json!({ "textDocument": { "uri": file }, "position": { "line": line, "character": character } });
    let defined = editor.request("textDocument/definition", at(3, 18));
    assert_eq!(defined, json!([{ "uri": file, "range": range(1, 14, 19) }]));
    let library = editor.request("textDocument/definition", at(6, 25));
    let copy = library[0]["uri"].as_str().unwrap().strip_prefix("file://").unwrap().to_owned();
    assert!(std::fs::read_to_string(&copy).unwrap().contains("fn isqrt("), "{copy}");
    let hover = editor.request("textDocument/hover", at(3, 30));
    assert!(hover["contents"]["value"].as_str().unwrap().contains("sig: Sig"), "{hover}");
    let highlights = editor.request("textDocument/documentHighlight", at(3, 18));
    assert_eq!(highlights.as_array().unwrap().len(), 2);

    let offered = editor.request("textDocument/completion", at(3, 22));
    let signed = offered.as_array().unwrap().iter().find(|item| item["label"] == "signed").expect("a method").clone();
    assert_eq!(signed["textEdit"]["newText"], "signed($1)");
    let resolved = editor.request("completionItem/resolve", signed);
    assert_eq!(resolved["label"], "signed");
    let help = editor.request("textDocument/signatureHelp", at(6, 29));
    assert_eq!(help["signatures"][0]["label"].as_str().map(|label| label.starts_with("isqrt(")), Some(true), "{help}");
    let hints = json!({ "textDocument": { "uri": file }, "range": range(0, 0, 0) });
    assert_eq!(editor.request("textDocument/inlayHint", hints), json!([]));

    assert_eq!(editor.request("textDocument/prepareRename", at(3, 18)), range(3, 16, 21));
    let mut params = at(3, 18);
    params["newName"] = json!("sig");
    let refused = editor.ask("textDocument/rename", params.clone());
    assert!(editor.answer(refused)["error"]["message"].as_str().unwrap().contains("means something else"));
    params["newName"] = json!("keeper");
    let renamed = editor.request("textDocument/rename", params);
    assert_eq!(renamed["documentChanges"][0]["edits"].as_array().unwrap().len(), 2);
    let found = editor.request("workspace/symbol", json!({ "query": "tk" }));
    assert_eq!(found[0]["name"], "take");
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn what_editors_are_told_to_start_is_what_starts() {
    let read = |path: &str| std::fs::read_to_string(crate::bmc::root().join(path)).unwrap();
    let settings: toml::Table = read("editors/helix/languages.toml").parse().unwrap();
    assert_eq!(settings["language-server"]["bmc"]["command"].as_str(), Some("bmc"));
    assert_eq!(settings["language-server"]["bmc"]["args"].as_array().unwrap(), &[toml::Value::from("lsp")]);
    for path in ["docs/editors.md", "editors/neovim/lsp/bmc.lua"] {
        assert!(read(path).contains("cmd = { \"bmc\", \"lsp\" }"), "{path}");
    }
    assert!(read("editors/vscode/src/client.ts").contains("args: [\"lsp\"]"));
}

#[test]
fn who_leaves_without_a_word_is_told_so_by_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let mut editor = start(folder.path(), &json!({}));
    editor.notify("exit", Value::Null);
    assert_eq!(editor.exit_code(), Some(1));
}
