//! `cargo xtask tidy`: the laws of the tree that no compiler checks.
//!
//! Which crate may use which, which heavy dependency lives where, how long files and functions may
//! grow, that every licence is allowed, every link leads somewhere and no snapshot is orphaned.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// Which of our crates each crate may use outside its tests. The order is from the agreement upwards.
const EDGES: &[(&str, &[&str])] = &[
    ("spec", &[]),
    ("syntax", &[]),
    ("format", &["syntax"]),
    ("analysis", &["spec", "syntax"]),
    ("codegen", &["analysis", "spec", "syntax"]),
    ("driver", &["analysis", "codegen", "spec", "syntax"]),
    ("decompile", &["spec"]),
    ("document", &["spec", "syntax"]),
    ("curve", &[]),
    ("vm", &["curve", "spec"]),
    ("engine", &["spec", "vm"]),
    ("jit", &["engine", "spec", "vm"]),
    ("chain", &["engine", "spec", "vm"]),
    ("storage", &["chain", "spec"]),
    ("p2p", &["spec"]),
    ("wallet", &["flow", "spec", "vm"]),
    ("flow", &["spec"]),
    ("node", &["chain", "engine", "p2p", "spec", "storage", "vm", "wallet"]),
    ("tester", &["chain", "driver", "engine", "spec", "vm", "wallet"]),
    ("debugger", &["spec", "vm", "wallet"]),
    ("framing", &[]),
    ("adapter", &["debugger", "framing", "spec", "vm"]),
    ("ide", &["analysis", "driver", "format", "spec", "syntax"]),
    ("server", &["driver", "framing", "ide"]),
    ("client", &["flow", "spec", "wallet"]),
    ("bindgen", &["flow", "spec"]),
    ("tree-sitter-bmc", &[]),
    (
        "bmc",
        &[
            "adapter",
            "bindgen",
            "chain",
            "client",
            "debugger",
            "decompile",
            "document",
            "driver",
            "engine",
            "flow",
            "format",
            "ide",
            "jit",
            "node",
            "server",
            "spec",
            "syntax",
            "tester",
            "vm",
            "wallet",
        ],
    ),
];

/// Crates that only check the others, and so may use all of them.
const CHECKERS: &[&str] = &["typed", "scripts", "tests", "benches", "xtask"];

/// The one home of each heavy dependency.
const HOMES: &[(&str, &[&str])] = &[
    ("logos", &["syntax"]),
    ("lalrpop", &["syntax"]),
    ("lalrpop-util", &["syntax"]),
    ("salsa", &["driver"]),
    ("ariadne", &["driver"]),
    ("pulldown-cmark", &["document"]),
    ("sha2", &["spec", "wallet"]),
    ("secp256k1", &["vm", "wallet"]),
    ("cranelift-codegen", &["jit"]),
    ("cranelift-frontend", &["jit"]),
    ("jit-icache", &["jit"]),
    ("libc", &["jit"]),
    ("dashu-int", &["analysis", "codegen", "vm"]),
    ("fjall", &["storage"]),
    ("axum", &["node"]),
    ("tokio", &["node", "server"]),
    ("tower", &["server"]),
    ("tower-lsp", &["server"]),
    ("clap", &["bmc", "xtask"]),
    ("ureq", &["client"]),
    ("clap_complete", &["bmc"]),
    ("clap_mangen", &["bmc"]),
    ("rustyline", &["bmc"]),
    ("tree-sitter-language", &["tree-sitter-bmc"]),
];

/// Files that are one declared table and may be as long as it needs.
const TABLES: &[&str] = &["spec/src/opcode.rs", "compiler/syntax/src/codes.rs"];

const FILE_LINES_MAX: usize = 800;
const LIB_LINES_MAX: usize = 60;
const FUNCTION_LINES_LONG: usize = 70;
const FUNCTION_LINES_MEDIAN_MAX: usize = 10;
/// At most one function in this many may be long.
const FUNCTIONS_PER_LONG: usize = 50;

/// Runs every law over the tree at `root` and returns what breaks one.
pub fn run(root: &Path) -> Result<Vec<String>, String> {
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .exec()
        .map_err(|error| format!("cargo metadata failed: {error}"))?;
    let files = tracked_files(root)?;
    let mut broken = Vec::new();
    edges(&metadata, &mut broken);
    homes(&metadata, &mut broken);
    licences(&metadata, root, &mut broken)?;
    sizes(root, &files, &mut broken)?;
    links(root, &files, &mut broken)?;
    snapshots(&files, &mut broken);
    Ok(broken)
}

fn ours(metadata: &Metadata) -> impl Iterator<Item = &Package> {
    metadata.packages.iter().filter(|package| metadata.workspace_members.contains(&package.id))
}

/// The names a package uses in the product itself, without its tests.
fn uses(package: &Package) -> impl Iterator<Item = &str> {
    package.dependencies.iter().filter(|dep| dep.kind != DependencyKind::Development).map(|dep| dep.name.as_str())
}

fn edges(metadata: &Metadata, broken: &mut Vec<String>) {
    let names: BTreeSet<&str> = ours(metadata).map(|package| package.name.as_str()).collect();
    let table: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    for package in ours(metadata).filter(|package| !CHECKERS.contains(&package.name.as_str())) {
        let Some(allowed) = table.get(package.name.as_str()) else {
            broken.push(format!("crate `{}` is not in the edge table of xtask/src/tidy.rs: add its row", package.name));
            continue;
        };
        for used in uses(package).filter(|used| names.contains(used) && !allowed.contains(used)) {
            broken.push(format!("crate `{}` must not use `{used}`: see ARCHITECTURE.md", package.name));
        }
    }
}

fn homes(metadata: &Metadata, broken: &mut Vec<String>) {
    for package in ours(metadata).filter(|package| !CHECKERS.contains(&package.name.as_str())) {
        for (heavy, homes) in HOMES {
            if uses(package).any(|used| used == *heavy) && !homes.contains(&package.name.as_str()) {
                broken.push(format!("`{heavy}` lives in {homes:?}, not in `{}`", package.name));
            }
        }
    }
}

fn licences(metadata: &Metadata, root: &Path, broken: &mut Vec<String>) -> Result<(), String> {
    let deny: toml::Table = read(&root.join("deny.toml"))?.parse().map_err(|error| format!("deny.toml: {error}"))?;
    let allow: BTreeSet<&str> = deny
        .get("licenses")
        .and_then(|section| section.get("allow")?.as_array())
        .map(|list| list.iter().filter_map(toml::Value::as_str).collect())
        .ok_or("deny.toml has no [licenses] allow list")?;
    for package in metadata.packages.iter().filter(|package| package.source.is_some()) {
        let text = package.license.as_deref().unwrap_or_default();
        let allowed = spdx::Expression::parse_mode(text, spdx::ParseMode::LAX)
            .is_ok_and(|expression| expression.evaluate(|need| allow.contains(need.to_string().as_str())));
        if !allowed {
            broken.push(format!(
                "{} {} has licence `{text}`, which deny.toml does not allow",
                package.name, package.version
            ));
        }
    }
    Ok(())
}

fn sizes(root: &Path, files: &[PathBuf], broken: &mut Vec<String>) -> Result<(), String> {
    let mut lengths = Vec::new();
    for path in files.iter().filter(|path| path.extension().is_some_and(|ext| ext == "rs")) {
        let text = read(&root.join(path))?;
        let name = path.display().to_string();
        let lines = text.lines().count();
        let most = if path.ends_with("src/lib.rs") { LIB_LINES_MAX } else { FILE_LINES_MAX };
        if lines > most && !TABLES.contains(&name.as_str()) {
            broken.push(format!("{name} has {lines} lines; {most} are allowed: split it by what it does"));
        }
        let parsed = syn::parse_file(&text).map_err(|error| format!("{name}: {error}"))?;
        let mut functions = Functions { lengths: Vec::new() };
        functions.visit_file(&parsed);
        lengths.extend(functions.lengths.into_iter().map(|(function, lines)| (lines, format!("{name}: {function}"))));
    }
    function_budget(lengths, broken);
    Ok(())
}

fn function_budget(mut lengths: Vec<(usize, String)>, broken: &mut Vec<String>) {
    lengths.sort();
    let median = lengths.get(lengths.len() / 2).map_or(0, |(lines, _)| *lines);
    if median > FUNCTION_LINES_MEDIAN_MAX {
        broken.push(format!("the median function has {median} lines; {FUNCTION_LINES_MEDIAN_MAX} are allowed"));
    }
    let long: Vec<_> = lengths.iter().filter(|(lines, _)| *lines > FUNCTION_LINES_LONG).collect();
    if long.len() > lengths.len() / FUNCTIONS_PER_LONG {
        let mut message =
            format!("{} of {} functions have over {FUNCTION_LINES_LONG} lines:", long.len(), lengths.len());
        for (lines, name) in long.iter().rev() {
            // Writing to a string cannot fail.
            let _ = write!(message, "\n    {lines} {name}");
        }
        broken.push(message);
    }
}

struct Functions {
    lengths: Vec<(String, usize)>,
}

impl Functions {
    fn add(&mut self, name: &syn::Ident, body: &syn::Block) {
        let span = body.span();
        self.lengths.push((name.to_string(), (span.end().line + 1).saturating_sub(span.start().line)));
    }
}

impl<'a> Visit<'a> for Functions {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.add(&item.sig.ident, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.add(&item.sig.ident, &item.block);
        visit::visit_impl_item_fn(self, item);
    }
}

fn links(root: &Path, files: &[PathBuf], broken: &mut Vec<String>) -> Result<(), String> {
    for path in files.iter().filter(|path| path.extension().is_some_and(|ext| ext == "md")) {
        let text = read(&root.join(path))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for target in relative_links(&text) {
            if !root.join(folder).join(target).exists() {
                broken.push(format!("{}: the link to `{target}` leads nowhere", path.display()));
            }
        }
    }
    Ok(())
}

/// The targets of Markdown links that point into the tree, without their fragments.
fn relative_links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:"))
}

/// A snapshot names the source it belongs to; one whose test file is gone proves nothing.
fn snapshots(files: &[PathBuf], broken: &mut Vec<String>) {
    for path in files.iter().filter(|path| path.extension().is_some_and(|ext| ext == "new" || ext == "pending-snap")) {
        broken.push(format!("{} waits for a review: accept or delete it", path.display()));
    }
}

/// The files of the tree that are committed or could be.
pub(crate) fn tracked_files(root: &Path) -> Result<Vec<PathBuf>, String> {
    let output = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("git ls-files failed: {error}"))?;
    let text = String::from_utf8(output.stdout).map_err(|error| format!("a file name is not UTF-8: {error}"))?;
    Ok(text.lines().map(PathBuf::from).filter(|path| root.join(path).is_file()).collect())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
