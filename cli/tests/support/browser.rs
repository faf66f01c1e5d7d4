//! A headless Chromium that is driven as a person would: keys are pressed, and what the page has become is looked at.
//!
//! It takes commands of the Chrome DevTools Protocol through pipes. Nothing here counts on how fast the machine is: whatever is
//! expected is waited for.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// How long anything may take before its test fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser with one page.
pub struct Browser {
    child: Child,
    input: File,
    answers: Receiver<Value>,
    session: Option<String>,
    serial: u64,
    _scratch: TempDir,
}

impl Browser {
    /// Starts one; nothing if none is installed.
    pub fn start() -> Option<Self> {
        let runs = |program: &&&str| {
            let version = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            version.is_ok_and(|status| status.success())
        };
        let program = BROWSERS.iter().find(runs)?;
        let scratch = TempDir::new().unwrap();
        let pipes = ["in", "out"].map(|name| scratch.path().join(name));
        assert!(Command::new("mkfifo").args(&pipes).status().unwrap().success());
        // It reads from its file 3 and writes to its file 4, which a shell can give it.
        let mut command = Command::new("sh");
        command.args(["-c", "read=$1 write=$2; shift 2; exec \"$@\" 3<\"$read\" 4>\"$write\"", "sh"]).args(&pipes);
        command.args([program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]);
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.arg(format!("--user-data-dir={}", scratch.path().join("profile").display()));
        command.args(["--remote-debugging-pipe", "--window-size=1280,1000"]);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let [input, output] = pipes;
        let input = File::options().write(true).open(input).unwrap();
        let answers = read_answers(output);
        let mut browser = Self { child, input, answers, session: None, serial: 0, _scratch: scratch };
        let page = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let target = json!({ "targetId": page["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", &target);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        let size = json!({ "width": 1280, "height": 1000, "deviceScaleFactor": 1, "mobile": false });
        browser.call("Emulation.setDeviceMetricsOverride", &size);
        Some(browser)
    }

    /// Makes the page as wide as a telephone.
    pub fn narrow(&mut self) {
        let size = json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &size);
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.serial += 1;
        let mut message = json!({ "id": self.serial, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.input.write_all(format!("{message}\0").as_bytes()).unwrap();
        loop {
            let answer = self.answers.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{method}: {error}"));
            if answer["id"] == self.serial {
                assert!(answer.get("error").is_none(), "{method} {params}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// The value of an expression in the page; null where that throws.
    pub fn value(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true });
        self.call("Runtime.evaluate", &asked)["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub fn wait(&mut self, expression: &str) {
        let start = Instant::now();
        while self.value(expression) != json!(true) {
            if start.elapsed() > PATIENCE {
                let page = self.value("location.href + ' ' + document.body.innerText");
                panic!("{expression} has not become true: {page}");
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Opens a page and waits until it shows all of `words`; gives its elements as text.
    pub fn page(&mut self, url: &str, words: &[&str]) -> String {
        // Another hash alone would leave the page as it is.
        self.call("Page.navigate", &json!({ "url": "about:blank" }));
        self.wait("location.href === 'about:blank'");
        self.call("Page.navigate", &json!({ "url": url }));
        self.wait("document.readyState === 'complete' && !!document.getElementById('main')?.dataset.ready");
        self.shows(words)
    }

    /// Waits until the page shows all of `words`; gives its elements as text.
    pub fn shows(&mut self, words: &[&str]) -> String {
        self.wait(&format!("{}.every((word) => document.documentElement.outerHTML.includes(word))", json!(words)));
        self.value("document.documentElement.outerHTML").as_str().unwrap().to_owned()
    }

    /// Presses a key: its name, and what it writes.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "Tab" => (9, ""),
            "ArrowDown" => (40, ""),
            "ArrowUp" => (38, ""),
            "End" => (35, ""),
            "Home" => (36, ""),
            "/" => (191, "/"),
            other => panic!("nobody presses {other}"),
        };
        let event = json!({ "type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
        self.call("Input.dispatchKeyEvent", &event);
        let event = json!({ "type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code });
        self.call("Input.dispatchKeyEvent", &event);
    }

    /// Writes a text where the focus is.
    pub fn write(&mut self, text: &str) {
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// Whether the page shall be light or dark.
    pub fn prefer(&mut self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", &features);
    }

    /// The bytes of a picture of the whole page, which is kept under a name.
    pub fn picture(&mut self, name: &str) -> usize {
        let shot = self.call("Page.captureScreenshot", &json!({ "captureBeyondViewport": true }));
        let bytes = base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("explorer");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.png")), &bytes).unwrap();
        bytes.len()
    }
}

fn read_answers(path: PathBuf) -> Receiver<Value> {
    let (to, from) = channel();
    std::thread::spawn(move || {
        let messages = BufReader::new(File::open(path).unwrap()).split(0);
        for message in messages.map_while(Result::ok) {
            if to.send(serde_json::from_slice(&message).unwrap()).is_err() {
                return;
            }
        }
    });
    from
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
