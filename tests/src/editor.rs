//! An editor of a few lines, which speaks with a `bmc lsp` over its standard input and output.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "an editor in a test fails by panicking"
)]

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::speaker::Speaker;

/// An editor of a few lines.
#[derive(Debug)]
pub struct Editor {
    server: Speaker,
    next: i64,
    /// What the server can do.
    pub capabilities: Value,
}

impl Editor {
    /// Starts the server for a folder, and says what the editor can do.
    #[must_use]
    pub fn start(bmc: &Path, folder: &Path, able: &Value) -> Self {
        Self::start_with(bmc, folder, able, &Value::Null)
    }

    /// The same with settings.
    #[must_use]
    pub fn start_with(bmc: &Path, folder: &Path, able: &Value, options: &Value) -> Self {
        let cache = folder.join("cache");
        let server = Speaker::start(Command::new(bmc).args(["lsp", "--stdio"]).env("XDG_CACHE_HOME", cache));
        let mut editor = Self { server, next: 0, capabilities: Value::Null };
        let params = json!({ "processId": null, "rootUri": uri(folder), "capabilities": able,
            "initializationOptions": options, "workspaceFolders": [{ "uri": uri(folder), "name": "w" }] });
        editor.capabilities = editor.request("initialize", params)["capabilities"].clone();
        editor.notify("initialized", json!({}));
        editor
    }

    /// Sends a message.
    pub fn send(&mut self, message: &Value) {
        self.server.send(message);
    }

    /// Sends what may be no message.
    pub fn send_raw(&mut self, body: &[u8]) {
        self.server.send_raw(body);
    }

    /// Sends a notification.
    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Sends a request; its number.
    pub fn ask(&mut self, method: &str, params: Value) -> i64 {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        id
    }

    /// The first message that fits, those kept from before included; the others are kept.
    pub fn wait(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.server.wait(what, fits)
    }

    /// The whole answer to a request.
    pub fn answer(&mut self, id: i64) -> Value {
        self.wait("answer", |message| message["id"] == id && message.get("method").is_none())
    }

    /// The result of a request, which must not fail.
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params);
        let answer = self.answer(id);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// The diagnostics that are pushed for a version of a document, as `code line:column` of each.
    pub fn pushed(&mut self, uri: &str, version: i64) -> Vec<String> {
        let message = self.wait("diagnostics", |message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri
                && message["params"]["version"] == version
        });
        codes(&message["params"]["diagnostics"])
    }

    /// Opens a document at version 1.
    pub fn open(&mut self, uri: &str, text: &str) {
        self.open_at(uri, 1, text);
    }

    /// Opens a document at a version.
    pub fn open_at(&mut self, uri: &str, version: i64, text: &str) {
        let document = json!({ "uri": uri, "languageId": "bmc", "version": version, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document }));
    }

    /// Puts a text at a place.
    pub fn type_at(&mut self, uri: &str, version: i64, line: u64, column: u64, text: &str) {
        let place = json!({ "line": line, "character": column });
        self.notify(
            "textDocument/didChange",
            json!({ "textDocument": { "uri": uri, "version": version },
                "contentChanges": [{ "range": { "start": place, "end": place }, "text": text }] }),
        );
    }

    /// Leaves as the protocol wants; the exit code.
    #[must_use]
    pub fn leave(mut self) -> Option<i32> {
        assert_eq!(self.request("shutdown", Value::Null), Value::Null);
        self.notify("exit", Value::Null);
        self.exit_code()
    }

    /// The exit code, once the server has ended.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.server.exit_code()
    }

    /// The number of the server's process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.server.process()
    }

    /// Messages that nobody has waited for yet.
    pub fn kept(&self) -> impl Iterator<Item = &Value> {
        self.server.kept()
    }

    /// The number of the last request.
    #[must_use]
    pub fn last(&self) -> i64 {
        self.next
    }

    /// Takes all messages that have come and nobody has waited for.
    pub fn rest(&mut self) -> Vec<Value> {
        self.server.rest()
    }
}

/// The address of a file.
#[must_use]
pub fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// Diagnostics as `code line:column` of each.
#[must_use]
pub fn codes(diagnostics: &Value) -> Vec<String> {
    let code = |found: &Value| {
        let start = &found["range"]["start"];
        format!("{} {}:{}", found["code"].as_str().unwrap(), start["line"], start["character"])
    };
    diagnostics.as_array().unwrap().iter().map(code).collect()
}
