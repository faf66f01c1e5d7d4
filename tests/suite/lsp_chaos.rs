//! `bmc lsp` in bad company: ten thousand edits, renames, closes, cancellations and messages that are none, and afterwards
//! it says what a server says that has seen nothing but the end.

use std::collections::BTreeMap;
use std::path::Path;

use scripts::Random;
use serde_json::{Value, json};
use tests::{Editor, uri};

use crate::lsp::start;

const STEPS: u32 = 10_000;
/// After so many steps everything asked must have been answered.
const ROUND: u32 = 50;
/// Documents longer than this are begun anew.
const BYTES_MAX: usize = 6_000;

const FILES: [(&str, &str); 3] = [
    (
        "shares.bmc",
        "const V: Int = 0;\n\n/// Who is paid.\nreward Shares {\n    data: 40%,\n    work: 1/3,\n    rest_of_all: rest,\n    \
         dust: data,\n    minimum: 20_000 sats,\n    fee: up to 1_000 sats,\n}\n",
    ),
    (
        "lock.bmc",
        "const V: Int = 0;\nuse ./shapes::{Point, far};\nuse std::math::isqrt;\n\ncontract Lock(owner: PubKey, limit: Int) {\n    \
         spend take(sig: Sig, at: Point) {\n        require owner.signed(sig), \"not the owner\";\n        \
         let near = far(at) < isqrt(limit);\n        require near, \"too far\";\n    }\n}\n",
    ),
    (
        "shapes.bmc",
        "const V: Int = 0;\nstruct Point { x: Int, y: Int }\n\n/// How far “out” it is: √(x² + y²), squared.\n\
         fn far(p: Point) -> Int { p.x * p.x + p.y * p.y }\n\ntest near {\n    assert far(Point { x: 3, y: 4 }) == 25;\n}\n",
    ),
];

/// What comes out of nowhere into a document.
const PIECES: [&str; 24] = [
    "x",
    " ",
    "\n",
    "}",
    "{",
    "(",
    ")",
    ";",
    "\"",
    "/*",
    "*/",
    "// ß𝄞\n",
    "let n = far(",
    "require ",
    "50%",
    "::",
    ".",
    "const N: Int = 1 +",
    "use ./lock::Lock;\n",
    "use ./shapes;\n",
    "spend s() {",
    "é€",
    "\r\n",
    "match x { _ => ",
];

struct Document {
    uri: String,
    text: String,
    version: i64,
    open: bool,
}

impl Document {
    fn place(&self, offset: usize) -> Value {
        let before = &self.text[..offset];
        let line = before.matches('\n').count();
        json!({ "line": line, "character": offset - before.rfind('\n').map_or(0, |at| at + 1) })
    }

    fn any_offset(&self, chance: &mut Random) -> usize {
        self.text.floor_char_boundary(chance.below(self.text.len() + 1))
    }
}

/// What an answer to a question may be.
enum Expected {
    /// Whatever it is, there is one.
    Any,
    /// The symbols of a document at a version, or the word that an edit came in between.
    SymbolsOf(i64),
}

struct Company {
    editor: Editor,
    documents: Vec<Document>,
    chance: Random,
    asked: BTreeMap<i64, Expected>,
    /// The last version of each document that was reported on.
    reported: BTreeMap<String, i64>,
}

fn able() -> Value {
    json!({ "general": { "positionEncodings": ["utf-8"] } })
}

impl Company {
    fn start(folder: &Path) -> Self {
        std::fs::write(folder.join("bmc.toml"), "[package]\nname = \"chaos\"\nversion = \"0.1.0\"\n").unwrap();
        let document = |(name, text): &(&str, &str)| {
            std::fs::write(folder.join(name), text).unwrap();
            Document { uri: uri(&folder.join(name)), text: (*text).to_owned(), version: 1, open: false }
        };
        let documents: Vec<Document> = FILES.iter().map(document).collect();
        let editor = start(folder, &able());
        assert_eq!(editor.capabilities["positionEncoding"], "utf-8");
        let chance = Random::new(2026, 0);
        let mut company = Self { editor, documents, chance, asked: BTreeMap::new(), reported: BTreeMap::new() };
        (0..FILES.len()).for_each(|at| company.open(at));
        company
    }

    fn open(&mut self, at: usize) {
        let document = &mut self.documents[at];
        document.open = true;
        self.editor.open_at(&document.uri, document.version, &document.text);
    }

    fn close(&mut self, at: usize) {
        let document = &mut self.documents[at];
        document.open = false;
        // Closed, what lies on the disk counts.
        document.text = FILES[at].1.to_owned();
        document.version += 1;
        self.editor.notify("textDocument/didClose", json!({ "textDocument": { "uri": document.uri } }));
    }

    fn change(&mut self, at: usize, changes: Value) {
        let document = &mut self.documents[at];
        document.version += 1;
        let params = json!({ "textDocument": { "uri": document.uri, "version": document.version },
            "contentChanges": changes });
        self.editor.notify("textDocument/didChange", params);
    }

    /// Puts text in place of a stretch of a document.
    fn replace(&mut self, at: usize, start: usize, end: usize, text: &str) {
        let document = &mut self.documents[at];
        let range = json!({ "start": document.place(start), "end": document.place(end) });
        document.text.replace_range(start..end, text);
        self.change(at, json!([{ "range": range, "text": text }]));
    }

    /// Writes the version into the first line, so that answers tell which state they are of.
    fn mark(&mut self, at: usize) {
        let line = self.documents[at].text.find('\n').unwrap_or(self.documents[at].text.len());
        let mark = format!("const V{}: Int = 0;", self.documents[at].version + 1);
        self.replace(at, 0, line, &mark);
    }

    fn edit(&mut self, at: usize) {
        if self.documents[at].text.len() > BYTES_MAX {
            return self.anew(at);
        }
        let start = self.documents[at].any_offset(&mut self.chance);
        let long = self.chance.below(8) == 0;
        let reach = if long { self.chance.below(200) } else { self.chance.below(6) };
        let text = &self.documents[at].text;
        let end = text.floor_char_boundary((start + reach).min(text.len())).max(start);
        let piece = PIECES[self.chance.below(PIECES.len())];
        self.replace(at, start, end, piece);
    }

    /// The whole text at once, after an edit at a place that no document has.
    fn anew(&mut self, at: usize) {
        self.documents[at].text = FILES[at].1.to_owned();
        let nowhere = json!({ "line": 4_000_000_000_u32, "character": 4_000_000_000_u32 });
        let wild = json!({ "start": nowhere, "end": { "line": 0, "character": 0 } });
        self.change(at, json!([{ "range": wild, "text": "?" }, { "text": FILES[at].1 }]));
    }

    fn ask(&mut self, method: &str, params: Value, expected: Expected) -> i64 {
        let id = self.editor.ask(method, params);
        self.asked.insert(id, expected);
        id
    }

    fn question(&mut self, at: usize) -> i64 {
        let offset = self.documents[at].any_offset(&mut self.chance);
        let (uri, place) = (json!({ "uri": self.documents[at].uri }), self.documents[at].place(offset));
        let here = json!({ "textDocument": uri, "position": place });
        let range = json!({ "start": { "line": 0, "character": 0 }, "end": place });
        let whole = json!({ "textDocument": uri });
        let (method, params) = match self.chance.below(14) {
            0 => ("textDocument/hover", here),
            1 => ("textDocument/completion", here),
            2 => ("textDocument/definition", here),
            3 => (
                "textDocument/references",
                json!({ "textDocument": uri, "position": place, "context": { "includeDeclaration": true } }),
            ),
            4 => ("textDocument/rename", json!({ "textDocument": uri, "position": place, "newName": "renamed" })),
            5 => ("textDocument/signatureHelp", here),
            6 => ("textDocument/inlayHint", json!({ "textDocument": uri, "range": range })),
            7 => (
                "textDocument/codeAction",
                json!({ "textDocument": uri, "range": range, "context": { "diagnostics": [] } }),
            ),
            8 => ("textDocument/semanticTokens/full", whole),
            9 => (
                "textDocument/formatting",
                json!({ "textDocument": uri, "options": { "tabSize": 4, "insertSpaces": true } }),
            ),
            10 => ("textDocument/diagnostic", whole),
            11 => ("textDocument/selectionRange", json!({ "textDocument": uri, "positions": [place] })),
            12 => ("workspace/symbol", json!({ "query": "a" })),
            _ => ("workspace/diagnostic", json!({ "previousResultIds": [] })),
        };
        self.ask(method, params, Expected::Any)
    }

    /// Renames what stands somewhere and does what the server says.
    fn rename(&mut self, at: usize) {
        if !self.documents.iter().all(|document| document.open) {
            return;
        }
        let offset = self.documents[at].any_offset(&mut self.chance);
        let document = &self.documents[at];
        let params = json!({ "textDocument": { "uri": document.uri }, "position": document.place(offset),
            "newName": format!("n{}", document.version) });
        let id = self.editor.ask("textDocument/rename", params);
        let answer = self.editor.answer(id);
        for edits in answer["result"]["documentChanges"].as_array().into_iter().flatten() {
            let target =
                self.documents.iter().position(|document| document.uri == edits["textDocument"]["uri"]).unwrap();
            assert_eq!(edits["textDocument"]["version"], self.documents[target].version, "{answer}");
            let mut places: Vec<(usize, usize, String)> = Vec::new();
            for edit in edits["edits"].as_array().unwrap() {
                let text = edit["newText"].as_str().unwrap().to_owned();
                places.push((
                    self.offset(target, &edit["range"]["start"]),
                    self.offset(target, &edit["range"]["end"]),
                    text,
                ));
            }
            places.sort();
            for (start, end, text) in places.into_iter().rev() {
                self.replace(target, start, end, &text);
            }
        }
    }

    fn offset(&self, at: usize, place: &Value) -> usize {
        let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
        let lines = self.documents[at].text.split_inclusive('\n');
        lines.take(number(&place["line"])).map(str::len).sum::<usize>() + number(&place["character"])
    }

    fn nonsense(&mut self, at: usize) {
        let uri = self.documents[at].uri.clone();
        match self.chance.below(9) {
            0 => self.editor.send_raw(b"{ \"jsonrpc\": \"2.0\", \"id\": "),
            1 => self.editor.send_raw(b"[]"),
            2 => self.editor.send_raw(&[0xff, 0xfe, 0, 1]),
            3 => self.editor.notify("textDocument/didChange", json!({ "textDocument": 7 })),
            4 => self.editor.notify("$/whatever", json!([1, [2, [3]]])),
            5 => self.editor.notify("textDocument/didClose", json!({ "textDocument": { "uri": "file:///gone.bmc" } })),
            6 => self.editor.notify("$/cancelRequest", json!({ "id": 999_999 })),
            7 => _ = self.ask("textDocument/hover", json!({ "textDocument": { "uri": uri } }), Expected::Any),
            _ => _ = self.ask("bmc/nothing", json!({ "deep": [[[[[[[[]]]]]]]] }), Expected::Any),
        }
    }

    fn step(&mut self) {
        let at = self.chance.below(FILES.len());
        if !self.documents[at].open {
            return self.open(at);
        }
        match self.chance.below(40) {
            0 => self.close(at),
            1 => self.anew(at),
            2 => self.rename(at),
            3..6 => self.nonsense(at),
            6..12 => _ = self.question(at),
            12..15 => {
                let id = self.question(at);
                self.editor.notify("$/cancelRequest", json!({ "id": id }));
            }
            15..18 => {
                self.mark(at);
                let document = &self.documents[at];
                let (version, params) = (document.version, json!({ "textDocument": { "uri": document.uri } }));
                self.ask("textDocument/documentSymbol", params, Expected::SymbolsOf(version));
                self.edit(at);
            }
            _ => self.edit(at),
        }
    }

    /// Waits for every answer that is due.
    fn settle(&mut self) {
        for (id, expected) in std::mem::take(&mut self.asked) {
            let answer = self.editor.answer(id);
            if let Expected::SymbolsOf(version) = expected {
                let code = answer["error"]["code"].as_i64();
                let names = answer["result"].as_array().into_iter().flatten().map(|symbol| &symbol["name"]);
                let marked = names.into_iter().any(|name| *name == format!("V{version}"));
                assert!(marked || code == Some(-32801), "the state of version {version} was asked for: {answer}");
            }
        }
        for message in self.editor.rest() {
            // What is no message is answered under no number.
            let answers = message.get("method").is_none() && !message["id"].is_null();
            assert!(!answers, "nobody asked, or it was answered before: {message}");
            let params = &message["params"];
            if let (Some(uri), Some(version)) = (params["uri"].as_str(), params["version"].as_i64()) {
                // What is pushed never goes back to an older state.
                let before = self.reported.insert(uri.to_owned(), version);
                assert!(before.is_none_or(|before| before <= version), "{uri}: {version} after {before:?}");
            }
        }
    }

    /// What there is to say of each document.
    fn diagnostics(editor: &mut Editor, uris: &[String]) -> Vec<Value> {
        let ask = |uri: &String| editor.request("textDocument/diagnostic", json!({ "textDocument": { "uri": uri } }));
        uris.iter().map(ask).map(|answer| answer["items"].clone()).collect()
    }
}

#[test]
fn ten_thousand_steps_later_it_says_what_a_fresh_server_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut company = Company::start(folder.path());
    for step in 1..=STEPS {
        company.step();
        if step % ROUND == 0 {
            company.settle();
        }
    }
    for at in 0..FILES.len() {
        if !company.documents[at].open {
            company.open(at);
        }
    }
    company.settle();
    let uris: Vec<String> = company.documents.iter().map(|document| document.uri.clone()).collect();
    let known = Company::diagnostics(&mut company.editor, &uris);
    let mut fresh = start(folder.path(), &able());
    for document in &company.documents {
        fresh.open(&document.uri, &document.text);
    }
    assert_eq!(known, Company::diagnostics(&mut fresh, &uris));
    assert!(known.iter().any(|items| items.as_array().is_some_and(|items| !items.is_empty())), "{known:?}");
    // Healed, nothing is left of it all.
    for at in 0..FILES.len() {
        company.anew(at);
    }
    for items in Company::diagnostics(&mut company.editor, &uris) {
        assert_eq!(items, json!([]));
    }
    assert_eq!((company.editor.leave(), fresh.leave()), (Some(0), Some(0)));
}
