//! A virtual machine that nobody here wrote, asked in one batch.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};
use spec::codec::write_compact_size;
use spec::{Transaction, TxOut};

/// The other machine, installed.
#[derive(Debug)]
pub struct Independent {
    folder: PathBuf,
}

/// Only one test installs.
static INSTALL: Mutex<()> = Mutex::new(());

impl Independent {
    /// Installs the pinned package into a folder below `scratch`, once. `None`, told on standard error, where Node.js
    /// or npm are missing.
    ///
    /// # Panics
    /// If the installation fails.
    #[must_use]
    pub fn install(scratch: &Path) -> Option<Self> {
        if !runs("node") || !runs("npm") {
            // Written past the test runner, which would keep it to itself.
            let why = b"SKIPPED: node and npm are not installed, so no independent machine is asked\n";
            std::io::stderr().write_all(why).unwrap();
            return None;
        }
        let _alone = INSTALL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let folder = scratch.join("independent");
        fs::create_dir_all(&folder).unwrap();
        for name in ["package.json", "package-lock.json", "check.mjs"] {
            fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("independent").join(name), folder.join(name)).unwrap();
        }
        if !folder.join("node_modules/@bitauth/libauth/package.json").exists() {
            let status =
                Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&folder).status();
            assert!(status.is_ok_and(|status| status.success()), "`npm ci` failed in {}", folder.display());
        }
        Some(Self { folder })
    }

    /// A line for each entry of the form `{ "id", "tx", "utxos" }`: `id accepted` or `id refused: reason`.
    ///
    /// # Panics
    /// If the machine does not run.
    #[must_use]
    pub fn verdicts(&self, entries: &[Value]) -> Vec<String> {
        let mut child = Command::new("node")
            .args(["check.mjs", "relay"])
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let lines: Vec<String> = entries.iter().map(Value::to_string).collect();
        // Written beside the reading: neither side waits for the other.
        let writer = std::thread::spawn(move || lines.iter().try_for_each(|line| writeln!(stdin, "{line}")));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    /// An entry for [`Independent::verdicts`].
    #[must_use]
    pub fn entry(id: &str, tx: &Transaction, spent: &[TxOut]) -> Value {
        let mut utxos = Vec::new();
        write_compact_size(&mut utxos, spent.len() as u64);
        spent.iter().for_each(|output| output.write(&mut utxos));
        json!({ "id": id, "tx": hex::encode(tx.encode()), "utxos": hex::encode(utxos) })
    }
}

fn runs(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}
