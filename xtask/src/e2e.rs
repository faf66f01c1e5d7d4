//! `cargo xtask e2e`: clients that others wrote, unchanged, against a node or a language server of its own. What is missing on
//! the machine is skipped, loudly.

mod editors;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clap::{Args, ValueEnum};

use crate::install::{copied, done, is_there, npm, target};

const PAIR: &str = "e2e:e2e";
const PYTHON_CLIENT: &str = "python-bitcoinlib==0.12.2";

#[derive(Args)]
pub(crate) struct E2e {
    /// Which of them; without names all
    parts: Vec<Part>,
}

/// A client of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// cashscript compiles, funds and spends two contracts
    Cashscript,
    /// bcash syncs from a node and lets another sync from it
    Bcash,
    /// python-bitcoinlib walks the whole chain
    Python,
    /// corepc-node, corepc-client and bitcoincore-rpc
    Rust,
    /// the test client of VS Code's debug adapters
    Debugger,
    /// the protocol library of VS Code asks the language server
    Protocol,
    /// Neovim with the plugin of editors/neovim
    Neovim,
    /// VS Code in a browser with the packed extension
    Vscode,
}

/// What every part needs.
struct Ground<'r> {
    root: &'r Path,
    /// The program under test.
    binary: PathBuf,
    /// Where clients are installed and write.
    scratch: PathBuf,
}

/// Runs every client that can be installed; fails if one of them does.
pub(crate) fn run(root: &Path, wanted: &E2e) -> Result<(), String> {
    // Alone the program would have fewer features than in the workspace, and all that it stands on would be built twice.
    done(crate::cargo().current_dir(root).args(["build", "--quiet", "--workspace", "--bin", "bmc"]), "the build")?;
    let ground = Ground { root, binary: target(root).join("debug/bmc"), scratch: target(root).join("e2e") };
    fs::create_dir_all(&ground.scratch).map_err(|error| format!("`{}`: {error}", ground.scratch.display()))?;
    let parts = Part::value_variants().iter().filter(|part| wanted.parts.is_empty() || wanted.parts.contains(part));
    parts.copied().try_for_each(|part| run_part(&ground, part))
}

fn run_part(ground: &Ground<'_>, part: Part) -> Result<(), String> {
    match part {
        Part::Cashscript => cashscript(ground),
        Part::Bcash => bcash(ground),
        Part::Python => python(ground),
        Part::Rust => rust(ground),
        Part::Debugger => debugger(ground),
        Part::Protocol => editors::protocol(ground),
        Part::Neovim => editors::neovim(ground),
        Part::Vscode => editors::vscode(ground),
    }
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

/// Whether npm can be used; says so if not.
fn has_npm(what: &str) -> bool {
    let has = is_there("node") && is_there("npm");
    if !has {
        eprintln!("SKIPPED: {what}, because node and npm are not installed");
    }
    has
}

/// Installs what comes from npm; false if that cannot be.
fn javascript(ground: &Ground<'_>, what: &str) -> Result<bool, String> {
    if !has_npm(what) {
        return Ok(false);
    }
    let names = ["package.json", "package-lock.json", "covenant.mjs", "bcash.cjs", "dap.mjs"];
    copied(&ground.root.join("tests/clients"), &names, &ground.scratch)?;
    npm(&ground.scratch, &["ci"])?;
    Ok(true)
}

fn cashscript(ground: &Ground<'_>) -> Result<(), String> {
    if !javascript(ground, "cashscript")? {
        return Ok(());
    }
    let node = Node::start(&ground.binary, &[])?;
    let url = format!("http://{}/", node.url);
    println!("cashscript");
    done(Command::new("node").current_dir(&ground.scratch).args(["covenant.mjs", &url, PAIR]), "cashscript")
}

/// A full node of others between two of ours: what it syncs from, and what syncs from it.
fn bcash(ground: &Ground<'_>) -> Result<(), String> {
    if !javascript(ground, "bcash")? {
        return Ok(());
    }
    let ours = Node::start(&ground.binary, &["--blocks-each", "0", "--p2p-bind", "127.0.0.1:0"])?;
    let fresh = Node::start(&ground.binary, &["--blocks-each", "0"])?;
    println!("bcash");
    let urls = [&ours, &fresh].map(|node| format!("http://{}/", node.url));
    done(Command::new("node").current_dir(&ground.scratch).arg("bcash.cjs").args(urls).arg(PAIR), "bcash")
}

/// The test client of debug adapters, in a folder with a contract.
fn debugger(ground: &Ground<'_>) -> Result<(), String> {
    if !javascript(ground, "the debugger's client")? {
        return Ok(());
    }
    let folder = ground.scratch.join("debugger");
    copied(&ground.root.join("tests/clients"), &["half.bmc"], &folder)?;
    println!("@vscode/debugadapter-testsupport");
    let mut client = Command::new("node");
    client.current_dir(&ground.scratch).arg("dap.mjs").arg(&ground.binary).arg(&folder);
    done(&mut client, "the debugger's client")
}

/// Clients from crates.io, which are a workspace of their own.
fn rust(ground: &Ground<'_>) -> Result<(), String> {
    let manifest = ground.root.join("tests/clients/rust/Cargo.toml");
    let with = |word: &str| {
        let mut command = crate::cargo();
        command.args([word, "--quiet", "--locked", "--manifest-path"]).arg(&manifest);
        command.env("CARGO_TARGET_DIR", ground.scratch.join("rust"));
        command
    };
    if done(&mut with("fetch"), "`cargo fetch`").is_err() {
        eprintln!("SKIPPED: bitcoincore-rpc and corepc, because cargo cannot fetch them");
        return Ok(());
    }
    println!("bitcoincore-rpc, corepc-client, corepc-node");
    done(with("run").arg("--").arg(&ground.binary), "the Rust clients")
}

/// An environment of Python with one package of PyPI; nothing if there is no Python.
fn python_with(ground: &Ground<'_>, package: &str) -> Result<Option<PathBuf>, String> {
    if !is_there("python3") {
        eprintln!("SKIPPED: {package}, because python3 is not installed");
        return Ok(None);
    }
    let environment = ground.scratch.join("python");
    if !environment.join("bin/python").exists() {
        done(Command::new("python3").args(["-m", "venv"]).arg(&environment), "`python3 -m venv`")?;
    }
    let python = environment.join("bin/python");
    done(Command::new(&python).args(["-m", "pip", "install", "--quiet", package]), "`pip install`")?;
    Ok(Some(environment.join("bin")))
}

fn python(ground: &Ground<'_>) -> Result<(), String> {
    let Some(programs) = python_with(ground, PYTHON_CLIENT)? else { return Ok(()) };
    let node = Node::start(&ground.binary, &[])?;
    println!("python-bitcoinlib");
    let url = format!("http://{PAIR}@{}", node.url);
    let script = ground.root.join("tests/clients/walk.py");
    done(Command::new(programs.join("python")).arg(script).arg(url), "python-bitcoinlib")
}
