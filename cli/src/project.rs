//! Sources on disk: finding them, compiling them, and giving their contracts parameters.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use driver::{Compiled, Options, World, WorldError};
use spec::Artifact;
use spec::plan::Plan;
use wallet::{Accounts, Arg, Args, Names, Params, parse_value};

use crate::fail::Fail;
use crate::link::NETWORK;
use crate::shell::Shell;

const EXTENSION: &str = "bmc";
const FOLDER_DEPTH_MAX: usize = 32;
const FILES_MAX: usize = 10_000;

/// Sources as files below the current folder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DiskWorld;

impl World for DiskWorld {
    fn read(&self, path: &str) -> Result<Arc<str>, WorldError> {
        let io = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => WorldError::Missing,
            _ => WorldError::Io(error.to_string()),
        };
        let size = std::fs::metadata(path).map_err(io)?;
        if !size.is_file() {
            return Err(WorldError::Io("it is not a file".to_owned()));
        }
        if size.len() > driver::SOURCE_BYTES_MAX as u64 {
            return Err(WorldError::TooLarge { bytes: size.len() });
        }
        let mut bytes = Vec::new();
        // The file may grow while it is read.
        let mut file = std::fs::File::open(path).map_err(io)?.take(driver::SOURCE_BYTES_MAX as u64 + 1);
        file.read_to_end(&mut bytes).map_err(io)?;
        driver::text_of(&bytes)
    }
}

/// The sources that paths name: files as they are, folders with every `.bmc` file below them, in order.
pub(crate) fn sources(paths: &[PathBuf]) -> Result<Vec<String>, Fail> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, 0, &mut found)?;
        } else {
            found.push(path.clone());
        }
    }
    let mut names: Vec<String> = found.iter().map(|path| name_of(path)).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return Err(
            Fail::usage("there is no `.bmc` file here").help("name files or folders, or start with `bmc new NAME`")
        );
    }
    Ok(names)
}

/// A path as diagnostics show it.
fn name_of(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    text.strip_prefix("./").map_or(text.clone(), str::to_owned)
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Fail> {
    if depth > FOLDER_DEPTH_MAX {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let hidden = entry.file_name().to_string_lossy().starts_with('.') || entry.file_name() == "target";
        if kind.is_dir() && !hidden {
            walk(&path, depth + 1, found)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == EXTENSION) {
            found.push(path);
        }
        if found.len() > FILES_MAX {
            return Err(Fail::usage(format!("there are more than {FILES_MAX} files below `{}`", folder.display())));
        }
    }
    Ok(())
}

/// Compiles sources from disk.
pub(crate) fn compile(paths: &[PathBuf]) -> Result<Compiled, Fail> {
    Ok(driver::compile(&DiskWorld, &sources(paths)?, &Options::default()))
}

/// Shows diagnostics on standard error, and fails if there is an error among them.
pub(crate) fn report(shell: &Shell, compiled: &Compiled) -> Result<(), Fail> {
    compiled.render(&mut shell.err(), shell.err_color())?;
    if compiled.has_errors() { Err(Fail::said()) } else { Ok(()) }
}

/// The contract of this name, or the only one.
pub(crate) fn contract(compiled: Compiled, name: Option<&str>) -> Result<Artifact, Fail> {
    let known: Vec<String> = compiled.artifacts.iter().map(|artifact| format!("`{}`", artifact.contract)).collect();
    let mut chosen = compiled.artifacts.into_iter().filter(|one| name.is_none_or(|name| one.contract == name));
    match (chosen.next(), chosen.next(), name) {
        (Some(only), None, _) => Ok(only),
        (None, _, Some(name)) => Err(Fail::usage(format!("there is no contract `{name}`")).help(one_of(&known))),
        (None, _, None) => Err(Fail::usage("the sources declare no contract")),
        (Some(_), Some(_), _) => Err(Fail::usage("the sources declare several contracts")
            .help(format!("name one with `--contract`: {}", known.join(", ")))),
    }
}

fn one_of(known: &[String]) -> String {
    if known.is_empty() { "the sources declare none".to_owned() } else { format!("there is {}", known.join(", ")) }
}

/// `name=value`, as options take it.
#[derive(Clone, Debug)]
pub(crate) struct Assign {
    name: String,
    value: String,
}

impl std::str::FromStr for Assign {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').ok_or("write `name=value`")?;
        Ok(Self { name: name.trim().to_owned(), value: value.trim().to_owned() })
    }
}

/// Values for a contract's parameters.
pub(crate) fn params(artifact: &Artifact, assigned: &[Assign], accounts: &Accounts) -> Result<Params, Fail> {
    let slots: Vec<_> = artifact.open_params().map(|(_, slot)| slot.clone()).collect();
    let args = read(&slots, assigned, accounts, &artifact.contract)?;
    let values = args.into_iter().map(|(name, arg)| match arg {
        Arg::Value(value) => Ok((name, value)),
        Arg::Sign(_) | Arg::SignEach(_) | Arg::Parts(_) => {
            Err(Fail::usage(format!("parameter `{name}` cannot be a signature that is made later")))
        }
    });
    values.collect()
}

/// Values for a path's arguments.
pub(crate) fn args(artifact: &Artifact, path: &str, assigned: &[Assign], accounts: &Accounts) -> Result<Args, Fail> {
    let known: Vec<String> = artifact.paths.iter().map(|path| format!("`{}`", path.name)).collect();
    let missing = || Fail::usage(format!("`{}` has no path `{path}`", artifact.contract)).help(one_of(&known));
    let found = artifact.path(path).ok_or_else(missing)?;
    read(&found.args, assigned, accounts, path)
}

/// Values for a plan's arguments.
pub(crate) fn plan_args(plan: &Plan, assigned: &[Assign], accounts: &Accounts) -> Result<Args, Fail> {
    read(&plan.args, assigned, accounts, &plan.name)
}

fn read(slots: &[spec::artifact::Slot], assigned: &[Assign], accounts: &Accounts, owner: &str) -> Result<Args, Fail> {
    let mut args = Args::new();
    for Assign { name, value } in assigned {
        let slot = slots.iter().find(|slot| slot.name == *name).ok_or_else(|| {
            let known: Vec<String> = slots.iter().map(|slot| format!("`{}: {}`", slot.name, slot.ty)).collect();
            let help =
                if known.is_empty() { "it takes none".to_owned() } else { format!("it takes {}", known.join(", ")) };
            Fail::usage(format!("`{owner}` takes no `{name}`")).help(help)
        })?;
        let arg = parse_value(&slot.ty, value, Names { network: NETWORK, accounts })?;
        if args.insert(name.clone(), arg).is_some() {
            return Err(Fail::usage(format!("`{name}` is given twice")));
        }
    }
    match slots.iter().find(|slot| !args.contains_key(&slot.name)) {
        Some(slot) => Err(Fail::usage(format!("`{owner}` needs `{}: {}`", slot.name, slot.ty))
            .help(format!("add `{}=…`; values look like `1_000 sats`, `144 blocks`, `0x51`, `@alice`", slot.name))),
        None => Ok(args),
    }
}
