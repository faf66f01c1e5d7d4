//! `cargo xtask e2e`: clients that others wrote, unchanged, against a node of its own. What is missing on the machine is skipped, loudly.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const PAIR: &str = "e2e:e2e";
const PYTHON_CLIENT: &str = "python-bitcoinlib==0.12.2";

/// Runs every client that can be installed; fails if one of them does.
pub fn run(root: &Path) -> Result<(), String> {
    done(crate::cargo().current_dir(root).args(["build", "--quiet", "-p", "bmc"]), "the build")?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let binary = target.join("debug/bmc");
    let node = Node::start(&binary, &[])?;
    let scratch = target.join("e2e");
    fs::create_dir_all(&scratch).map_err(|error| format!("`{}`: {error}", scratch.display()))?;
    let sources = root.join("tests/clients");
    if javascript(&sources, &scratch)? {
        cashscript(&scratch, &node.url)?;
        bcash(&scratch, &binary)?;
        debugger(&sources, &scratch, &binary)?;
    }
    python(&sources, &scratch, &node.url)?;
    rust(&sources, &scratch, &binary)
}

/// A node that ends with its owner.
struct Node {
    child: Child,
    url: String,
}

impl Node {
    fn start(binary: &Path, more: &[&str]) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("`{}` does not start: {error}", binary.display());
        let mut command = Command::new(binary);
        command.args(["node", "--tmp", "--rpc-port", "0", "--no-mining", "--auth", PAIR]).args(more);
        let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| failed(&error))?;
        let out = child.stdout.take().ok_or_else(|| failed(&"it says nothing"))?;
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        let url = lines.find_map(|line| line.split("http://").nth(1).map(|rest| rest.trim().to_owned()));
        // The pipe stays open as long as the node runs, so that it can go on greeting.
        std::thread::spawn(move || lines.for_each(drop));
        let address = url.ok_or_else(|| failed(&"it names no address"))?;
        Ok(Self { child, url: address })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It keeps nothing, so nothing is lost.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn done(command: &mut Command, what: &str) -> Result<(), String> {
    let status = command.status().map_err(|error| format!("{what} cannot be run: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{what} failed")) }
}

fn is_there(program: &str) -> bool {
    let asked = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// Installs what comes from npm; false if that cannot be.
fn javascript(sources: &Path, scratch: &Path) -> Result<bool, String> {
    if !is_there("node") || !is_there("npm") {
        eprintln!("SKIPPED: cashscript, bcash and the debugger's client, because node and npm are not installed");
        return Ok(false);
    }
    for name in ["package.json", "package-lock.json", "covenant.mjs", "bcash.cjs", "dap.mjs"] {
        fs::copy(sources.join(name), scratch.join(name)).map_err(|error| format!("{name}: {error}"))?;
    }
    done(Command::new("npm").current_dir(scratch).args(["ci", "--silent", "--no-audit", "--no-fund"]), "`npm ci`")?;
    Ok(true)
}

fn cashscript(scratch: &Path, address: &str) -> Result<(), String> {
    let url = format!("http://{address}/");
    println!("cashscript");
    done(Command::new("node").current_dir(scratch).args(["covenant.mjs", &url, PAIR]), "cashscript")
}

/// A full node of others between two of ours: what it syncs from, and what syncs from it.
fn bcash(scratch: &Path, binary: &Path) -> Result<(), String> {
    let ours = Node::start(binary, &["--blocks-each", "0", "--p2p-bind", "127.0.0.1:0"])?;
    let fresh = Node::start(binary, &["--blocks-each", "0"])?;
    println!("bcash");
    let urls = [&ours, &fresh].map(|node| format!("http://{}/", node.url));
    done(Command::new("node").current_dir(scratch).arg("bcash.cjs").args(urls).arg(PAIR), "bcash")
}

/// The test client of debug adapters, in a folder with a contract.
fn debugger(sources: &Path, scratch: &Path, binary: &Path) -> Result<(), String> {
    let folder = scratch.join("debugger");
    let copied = fs::create_dir_all(&folder).and_then(|()| fs::copy(sources.join("half.bmc"), folder.join("half.bmc")));
    copied.map_err(|error| format!("half.bmc: {error}"))?;
    println!("@vscode/debugadapter-testsupport");
    done(Command::new("node").current_dir(scratch).arg("dap.mjs").arg(binary).arg(&folder), "the debugger's client")
}

/// Clients from crates.io, which are a workspace of their own.
fn rust(sources: &Path, scratch: &Path, binary: &Path) -> Result<(), String> {
    let manifest = sources.join("rust/Cargo.toml");
    let with = |word: &str| {
        let mut command = crate::cargo();
        command.args([word, "--quiet", "--locked", "--manifest-path"]).arg(&manifest);
        command.env("CARGO_TARGET_DIR", scratch.join("rust"));
        command
    };
    if done(&mut with("fetch"), "`cargo fetch`").is_err() {
        eprintln!("SKIPPED: bitcoincore-rpc and corepc, because cargo cannot fetch them");
        return Ok(());
    }
    println!("bitcoincore-rpc, corepc-client, corepc-node");
    done(with("run").arg("--").arg(binary), "the Rust clients")
}

fn python(sources: &Path, scratch: &Path, address: &str) -> Result<(), String> {
    if !is_there("python3") {
        eprintln!("SKIPPED: python-bitcoinlib, because python3 is not installed");
        return Ok(());
    }
    let environment = scratch.join("python");
    if !environment.join("bin/python").exists() {
        done(Command::new("python3").args(["-m", "venv"]).arg(&environment), "`python3 -m venv`")?;
    }
    let python = environment.join("bin/python");
    done(Command::new(&python).args(["-m", "pip", "install", "--quiet", PYTHON_CLIENT]), "`pip install`")?;
    println!("python-bitcoinlib");
    let url = format!("http://{PAIR}@{address}");
    done(Command::new(&python).arg(sources.join("walk.py")).arg(url), "python-bitcoinlib")
}
