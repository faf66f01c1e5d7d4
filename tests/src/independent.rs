//! A virtual machine that nobody here wrote, asked in one batch or about one transaction after the other.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

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
        let _alone = lock(&INSTALL);
        let folder = scratch.join("independent");
        fs::create_dir_all(&folder).unwrap();
        for name in ["package.json", "package-lock.json", "check.mjs"] {
            let wanted = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("independent").join(name)).unwrap();
            // A machine that starts now reads the file; one that is being written is empty for a moment.
            if fs::read(folder.join(name)).ok().as_deref() != Some(wanted.as_slice()) {
                fs::write(folder.join(name), wanted).unwrap();
            }
        }
        if !folder.join("node_modules/@bitauth/libauth/package.json").exists() {
            let status =
                Command::new("npm").args(["ci", "--silent", "--no-audit", "--no-fund"]).current_dir(&folder).status();
            assert!(status.is_ok_and(|status| status.success()), "`npm ci` failed in {}", folder.display());
        }
        Some(Self { folder })
    }

    /// The machine, which answers a line with a line.
    fn start(&self) -> Child {
        let mut node = Command::new("node");
        let node = node.args(["check.mjs", "relay"]).current_dir(&self.folder);
        node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
    }

    /// A line for each entry of the form `{ "id", "tx", "utxos" }`: `id accepted` or `id refused: reason`.
    ///
    /// # Panics
    /// If the machine does not run.
    #[must_use]
    pub fn verdicts(&self, entries: &[Value]) -> Vec<String> {
        let mut child = self.start();
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

/// The other machine while it runs: what it is asked, and what it says.
struct Conversation {
    /// Ends by itself when this process does, for then nobody asks any more.
    _machine: Child,
    asks: ChildStdin,
    says: BufReader<ChildStdout>,
}

/// One conversation for the whole process, so that asking costs no start.
static CONVERSATION: OnceLock<Option<Mutex<Conversation>>> = OnceLock::new();

impl Conversation {
    fn begun(scratch: &Path) -> Option<Mutex<Self>> {
        let machine = Independent::install(scratch)?;
        let mut child = machine.start();
        let (asks, says) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Some(Mutex::new(Self { _machine: child, asks, says }))
    }

    fn ask(&mut self, entry: &Value) -> String {
        writeln!(self.asks, "{entry}").unwrap();
        self.asks.flush().unwrap();
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

/// Whether the other machine says the same as ours of the scripts of these inputs, `Ok` for accepted. Where Node.js is
/// missing nobody is asked. Values and tokens of the transaction need not add up: nothing but the scripts is run.
///
/// # Panics
/// If the two machines differ, or the other one does not run.
#[track_caller]
pub fn scripts_agree<T>(scratch: &Path, tx: &Transaction, spent: &[TxOut], inputs: &[usize], ours: &Result<T, String>) {
    let Some(conversation) = CONVERSATION.get_or_init(|| Conversation::begun(scratch)) else { return };
    let mut entry = Independent::entry("scripts", tx, spent);
    entry.as_object_mut().unwrap().insert("inputs".to_owned(), json!(inputs));
    let said = lock(conversation).ask(&entry);
    assert!(said.starts_with("scripts "), "the other machine says `{said}`");
    let why = ours.as_ref().err();
    assert_eq!(said == "scripts accepted", why.is_none(), "the other machine says `{said}`, ours {why:?}");
}

/// A lock that outlives a test which failed while it held it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn runs(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}
