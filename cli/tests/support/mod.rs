//! The binary, and nodes of it in processes of their own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub const BINARY: &str = env!("CARGO_BIN_EXE_bmc");

/// What a node that was started with `--json` says of itself once it answers; nothing if it ended before.
pub fn greeting(node: &mut Child) -> Option<Value> {
    let mut text = String::new();
    for line in BufReader::new(node.stdout.take().unwrap()).lines().map(Result::unwrap) {
        text += &line;
        if line == "}" {
            break;
        }
    }
    serde_json::from_str(&text).ok()
}

/// A devnet and a folder to work in.
pub struct Devnet {
    pub node: Child,
    pub rpc: String,
    pub folder: TempDir,
    pub cookie: PathBuf,
}

impl Devnet {
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let mut command = bmc(folder.path());
        command.args(["node", "--rpc-port", "0", "--tmp", "--json"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut node = command.spawn().unwrap();
        let hello = greeting(&mut node).expect("the node starts");
        let rpc = hello["rpc"].as_str().unwrap().to_owned();
        let cookie = PathBuf::from(hello["cookie"].as_str().unwrap());
        Self { node, rpc, folder, cookie }
    }

    pub fn output(&self, args: &[&str]) -> Output {
        let mut command = bmc(self.folder.path());
        command.args(args).env("BMC_RPC", &self.rpc).env("BMC_COOKIE", &self.cookie).output().unwrap()
    }

    /// The data that a command prints as JSON.
    pub fn json(&self, args: &[&str]) -> Value {
        let output = self.output(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The exit code and what a command says on standard error.
    pub fn refusal(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = self.output(args);
        assert!(!output.status.success(), "{args:?}");
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    pub fn balance(&self, who: &str) -> u64 {
        self.json(&["wallet", "balance", who])[0]["sats"].as_u64().unwrap()
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

pub fn bmc(folder: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.current_dir(folder).env("NO_COLOR", "1").env("HOME", folder);
    for name in ["BMC_RPC", "BMC_COOKIE", "BMC_AUTH", "BMC_DATADIR", "BMC_MNEMONIC"] {
        command.env_remove(name);
    }
    command
}
