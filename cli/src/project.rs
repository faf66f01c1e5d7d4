//! Sources on disk: finding them, compiling them, and giving their contracts parameters.

mod search;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args as ClapArgs;
use driver::{Compiled, LintLevels, Options, Packages, Session, World, WorldError};
use spec::artifact::{Level, Objective, Slot};
use spec::hash::Sha256Stream;
use spec::plan::Plan;
use spec::{Artifact, RuleSet};
use wallet::{Accounts, Arg, Args, Names, Params, parse_value};

use crate::deployment::Deployment;
use crate::fail::Fail;
use crate::link::NETWORK;
use crate::package::{self, Tree};
use crate::shell::Shell;

const EXTENSION: &str = "bmc";
const FOLDER_DEPTH_MAX: usize = 32;
const FILES_MAX: usize = 10_000;

/// Sources as files below the current folder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DiskWorld;

impl World for DiskWorld {
    fn read(&self, path: &str) -> Result<Arc<str>, WorldError> {
        let size = std::fs::metadata(path).map_err(trouble)?;
        if !size.is_file() {
            return Err(WorldError::Io("it is not a file".to_owned()));
        }
        if size.len() > driver::SOURCE_BYTES_MAX as u64 {
            return Err(WorldError::TooLarge { bytes: size.len() });
        }
        let mut bytes = Vec::new();
        // The file may grow while it is read.
        let mut file = std::fs::File::open(path).map_err(trouble)?.take(driver::SOURCE_BYTES_MAX as u64 + 1);
        file.read_to_end(&mut bytes).map_err(trouble)?;
        driver::text_of(&bytes)
    }

    fn digest(&self, path: &str) -> Result<[u8; 32], WorldError> {
        if !std::fs::metadata(path).map_err(trouble)?.is_file() {
            return Err(WorldError::Io("it is not a file".to_owned()));
        }
        let mut file = std::fs::File::open(path).map_err(trouble)?;
        let mut hasher = Sha256Stream::default();
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            match file.read(&mut piece).map_err(trouble)? {
                0 => return Ok(hasher.finish()),
                len => hasher.update(piece.get(..len).unwrap_or_default()),
            }
        }
    }

    fn import(&self, path: &str, folder: &str) -> Result<Arc<str>, WorldError> {
        let real = std::fs::canonicalize(path).map_err(trouble)?;
        let around = std::fs::canonicalize(if folder.is_empty() { "." } else { folder }).map_err(trouble)?;
        if real.starts_with(around) {
            self.read(path)
        } else {
            Err(WorldError::Io("it leads out of its package through a link".to_owned()))
        }
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(if folder.is_empty() { "." } else { folder }) else { return Vec::new() };
        let names = entries.take(FILES_MAX).flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

fn trouble(error: std::io::Error) -> WorldError {
    match error.kind() {
        std::io::ErrorKind::NotFound => WorldError::Missing,
        _ => WorldError::Io(error.to_string()),
    }
}

/// So many bytes of a file of weights are in memory at a time.
const PIECE_BYTES: usize = 1 << 20;

/// The sources that paths name: files as they are, folders with every `.bmc` file below them, in order. Packages
/// inside another one are left out.
pub(crate) fn sources(paths: &[PathBuf]) -> Result<Vec<String>, Fail> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let packaged = package::folder_around(&format!("{}/x", name_of(path))).is_some();
            walk(path, Walk { depth: 0, packaged }, &mut found)?;
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

/// Where a search for sources is.
#[derive(Clone, Copy)]
struct Walk {
    depth: usize,
    /// It began in a package, so other packages are none of its business.
    packaged: bool,
}

fn walk(folder: &Path, at: Walk, found: &mut Vec<PathBuf>) -> Result<(), Fail> {
    let foreign = at.packaged && at.depth > 0 && folder.join(package::MANIFEST).exists();
    if at.depth > FOLDER_DEPTH_MAX || foreign {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let hidden = entry.file_name().to_string_lossy().starts_with('.') || entry.file_name() == "target";
        if kind.is_dir() && !hidden {
            walk(&path, Walk { depth: at.depth + 1, ..at }, found)?;
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == EXTENSION) {
            found.push(path);
        }
        if found.len() > FILES_MAX {
            return Err(Fail::usage(format!("there are more than {FILES_MAX} files below `{}`", folder.display())));
        }
    }
    Ok(())
}

/// Which machine to compile for.
#[derive(ClapArgs, Clone, Copy, Debug, Default)]
pub(crate) struct TargetArgs {
    /// The machine that runs the scripts: `bitmodel`, or `bch2026` [default: what bmc.toml says, or `bitmodel`].
    #[arg(long, value_name = "RULES", value_parser = rules)]
    target: Option<RuleSet>,
    /// How hard to try to make scripts small: `O0`, as they are written, `O1`, `Os`, or `Oz`, which takes the longest
    /// [default: what bmc.toml says, or `O1`].
    #[arg(long, value_name = "LEVEL")]
    level: Option<Level>,
    /// What to make small: the `size` of scripts, the `cost` of running them, or the `fee`, which counts all bytes of
    /// inputs on all paths [default: what bmc.toml says, or `size`].
    #[arg(long, value_name = "OBJECTIVE")]
    optimise: Option<Objective>,
    /// How long `Oz` searches for each contract [default: 5]. Time is counted in work, so that the same number always
    /// gives the same script.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    time_box: Option<u32>,
    /// Write constants and sets of recipients as they are, even where the script is shorter if it compares their hash.
    #[arg(long)]
    no_hash_lowering: bool,
}

impl TargetArgs {
    /// The machine that is asked for.
    pub(crate) fn rules(self) -> RuleSet {
        self.target.unwrap_or_default()
    }

    /// The machine, if one is named.
    pub(crate) const fn named_rules(self) -> Option<RuleSet> {
        self.target
    }
}

/// The rules of this name.
pub(crate) fn rules(text: &str) -> Result<RuleSet, String> {
    [RuleSet::Bitmodel, RuleSet::Bch2026]
        .into_iter()
        .find(|rules| rules.name() == text)
        .ok_or_else(|| "write `bitmodel` or `bch2026`".to_owned())
}

/// Sources of a package, or without one.
pub(crate) struct Project {
    session: Session,
    packages: Packages,
    options: Options,
    levels: LintLevels,
    roots: Vec<String>,
}

impl Project {
    /// Reads the sources that paths name, with all that they import.
    pub(crate) fn open(paths: &[PathBuf], target: TargetArgs) -> Result<Self, Fail> {
        let roots = sources(paths)?;
        let tree = tree_of(&roots)?;
        if let Some(tree) = &tree {
            package::check(tree)?;
        }
        let packages = tree.as_ref().map(Tree::packages).unwrap_or_default();
        let (options, levels) = settings(tree.as_ref(), target);
        Ok(Self { session: Session::open(&DiskWorld, packages.clone(), &roots), packages, options, levels, roots })
    }

    /// Compiles them.
    pub(crate) fn compile(&self) -> Compiled {
        self.compile_at_any_level().at_levels(&self.levels)
    }

    /// Compiles them, whatever the package says of lints.
    fn compile_at_any_level(&self) -> Compiled {
        self.with_progress(|| self.session.compile(&self.options))
    }

    /// Compiles them in another way.
    pub(crate) fn compile_as(&self, options: &Options) -> Compiled {
        self.session.compile(options)
    }

    /// All ways to compile that `target` and the manifest leave open, what they say first, and those that take long last.
    ///
    /// The longest search is among them only where it is asked for.
    pub(crate) fn builds(&self, target: TargetArgs) -> Vec<Options> {
        let own = self.options;
        let rules: &[RuleSet] = if target.target.is_some() { &[] } else { &[RuleSet::Bitmodel, RuleSet::Bch2026] };
        let levels: &[Level] = if target.level.is_some() { &[] } else { &[Level::O1, Level::O0, Level::Os] };
        let objectives: &[Objective] = if target.optimise.is_some() { &[] } else { &Objective::ALL };
        let constants: &[bool] = if target.no_hash_lowering { &[] } else { &[false, true] };
        let mut all = Vec::new();
        for level in open(own.level, levels) {
            for rules in open(own.rules, rules) {
                for objective in open(own.objective, objectives) {
                    for whole_constants in open(own.whole_constants, constants) {
                        all.push(Options { rules, level, objective, whole_constants, ..own });
                    }
                }
            }
        }
        all
    }

    /// How grave lints are taken, to be changed.
    pub(crate) fn levels(&mut self) -> &mut LintLevels {
        &mut self.levels
    }

    /// The sources that were asked for.
    pub(crate) fn roots(&self) -> &[String] {
        &self.roots
    }

    /// Gives a source another text.
    pub(crate) fn set_text(&mut self, path: &str, text: Arc<str>) {
        self.session.set(path, text);
    }

    /// Compiles with another text for one source, which then has `text` again.
    pub(crate) fn with_text(&mut self, path: &str, changed: Arc<str>, text: Arc<str>) -> Compiled {
        self.session.set(path, changed);
        let compiled = self.compile_at_any_level();
        self.session.set(path, text);
        compiled
    }

    /// Compiles them as they are written, without optimisation.
    pub(crate) fn compile_directly(&self) -> Compiled {
        self.session.compile(&Options { level: Level::O0, ..self.options })
    }

    /// The files of the package itself among those that were compiled.
    pub(crate) fn own_files(&self, compiled: &Compiled) -> BTreeSet<String> {
        let paths = compiled.places.files().map(|file| file.path.to_string());
        paths.filter(|path| self.packages.is_own(path)).collect()
    }

    fn with_progress<T>(&self, work: impl FnOnce() -> T) -> T {
        match self.options.level {
            Level::Oz => search::shown(work),
            Level::O0 | Level::O1 | Level::Os => work(),
        }
    }

    /// The standard library alone.
    pub(crate) fn of_library(target: TargetArgs) -> Self {
        let options = Options {
            rules: target.rules(),
            level: target.level.unwrap_or_default(),
            objective: target.optimise.unwrap_or_default(),
            ..Options::default()
        };
        Self {
            session: Session::default(),
            packages: Packages::default(),
            options,
            levels: LintLevels::default(),
            roots: Vec::new(),
        }
    }

    /// Compiles them with all that they import, and all of the standard library if it is wanted.
    pub(crate) fn compile_to_document(&mut self, library: bool) -> Compiled {
        if library {
            driver::library().for_each(|(path, text)| self.session.set(&path, text.into()));
        }
        self.session.ask_for_all();
        self.compile()
    }

    /// What was compiled, to be documented: own sources first, then what they import, unless it is left out.
    pub(crate) fn documented(&self, compiled: Compiled, own_only: bool) -> document::Program {
        let alone = self.roots.is_empty();
        let name = match self.packages.list().first() {
            Some(package) => package.name.to_string(),
            None if alone => "std".to_owned(),
            None => "sources".to_owned(),
        };
        let module = |file: &driver::FilePlaces| {
            let (package, module) = self.packages.module_of(&file.path);
            document::Module {
                package: package.unwrap_or(&name).to_owned(),
                name: module.to_owned(),
                path: file.path.to_string(),
                text: file.text.clone(),
                is_own: alone || self.packages.is_own(&file.path),
                generated: self.session.generated(&file.path),
            }
        };
        let mut modules: Vec<_> = compiled.places.files().map(module).collect();
        modules.retain(|module| module.is_own || !own_only);
        let key = |module: &document::Module| (!module.is_own, module.package.clone(), module.name.clone());
        modules.sort_by_key(key);
        document::Program { name, modules, artifacts: compiled.artifacts }
    }

    /// What each pass of the optimiser wins for a contract.
    pub(crate) fn passes(&self, contract: &str) -> Vec<driver::Pass> {
        self.session.passes(contract, &self.options)
    }

    /// For each path of a contract, what each instruction costs in the dearest run.
    pub(crate) fn costs(&self, contract: &str) -> Vec<Option<BTreeMap<usize, u64>>> {
        self.with_progress(|| self.session.costs(contract, &self.options))
    }

    /// A contract with values built in.
    pub(crate) fn sealed(&mut self, shell: &Shell, template: Artifact, values: Params) -> Result<Artifact, Fail> {
        self.session.seal(&template.contract, values).map_err(|error| Fail::refused(error.to_string()))?;
        let compiled = self.compile();
        report(shell, &compiled)?;
        let twin = |artifact: &Artifact| artifact.contract == template.contract && artifact.sources == template.sources;
        let sealed = compiled.artifacts.into_iter().find(twin);
        sealed.ok_or_else(|| Fail::refused(format!("`{}` cannot be compiled with these values", template.contract)))
    }
}

/// What to compile for and how grave lints are: as it is asked for, or as the manifest says.
pub(crate) fn settings(tree: Option<&Tree>, target: TargetArgs) -> (Options, LintLevels) {
    let hashes = tree.and_then(Tree::hash_lowering).unwrap_or(true) && !target.no_hash_lowering;
    let options = Options {
        rules: target.target.or_else(|| tree.and_then(Tree::target)).unwrap_or_default(),
        level: target.level.or_else(|| tree.and_then(Tree::level)).unwrap_or_default(),
        objective: target.optimise.or_else(|| tree.and_then(Tree::objective)).unwrap_or_default(),
        seconds: target.time_box.unwrap_or(Options::default().seconds),
        whole_constants: !hashes,
    };
    (options, tree.map(Tree::lint_levels).unwrap_or_default())
}

/// What is said, and what else may be.
fn open<T: Copy + PartialEq>(own: T, others: &[T]) -> Vec<T> {
    std::iter::once(own).chain(others.iter().copied().filter(|other| *other != own)).collect()
}

/// The package that sources belong to.
fn tree_of(roots: &[String]) -> Result<Option<Tree>, Fail> {
    let mut folders = roots.iter().map(|root| package::folder_around(root));
    let first = folders.next().flatten();
    if let Some(other) = folders.find(|folder| *folder != first) {
        let name = |folder: Option<&str>| match folder {
            Some("") => "the package here".to_owned(),
            Some(folder) => format!("the package in `{folder}`"),
            None => "no package".to_owned(),
        };
        let message = format!("some sources belong to {}, others to {}", name(first), name(other));
        return Err(Fail::usage(message).help("name the sources of one package at a time"));
    }
    first.map(Tree::at).transpose()
}

/// Compiles sources from disk.
pub(crate) fn compile(paths: &[PathBuf], target: TargetArgs) -> Result<Compiled, Fail> {
    Project::open(paths, target).map(|project| project.compile())
}

/// Shows diagnostics on standard error, and fails if there is an error among them.
pub(crate) fn report(shell: &Shell, compiled: &Compiled) -> Result<(), Fail> {
    compiled.render(&mut shell.err(), shell.err_color())?;
    for proof in &compiled.proofs {
        let Some(unproved) = &proof.unproved else { continue };
        let (contract, level) = (&proof.contract, proof.level);
        writeln!(shell.err(), "note: `{contract}` is built at {level}: for `{}`, {}", unproved.path, unproved.why)?;
    }
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
    values(read(&slots(artifact, assigned), assigned, accounts, &artifact.contract)?)
}

/// Values for some of a contract's parameters.
pub(crate) fn some_params(artifact: &Artifact, assigned: &[Assign], accounts: &Accounts) -> Result<Params, Fail> {
    let slots = slots(artifact, assigned);
    let all = slots.iter().all(|slot| assigned.iter().any(|one| one.name == slot.name));
    let mut params = values(read_some(&slots, assigned, accounts, &artifact.contract)?)?;
    if all {
        flow::gather(artifact, &mut params).map_err(|error| Fail::refused(error.to_string()))?;
    }
    Ok(params)
}

/// The parameters to give: a list as it is, if it is given so, or the locks of those in it by their names.
fn slots(artifact: &Artifact, assigned: &[Assign]) -> Vec<Slot> {
    let open: Vec<_> = artifact.open_params().map(|(_, slot)| slot.clone()).collect();
    let list = artifact.reward.as_ref().and_then(|table| artifact.params.get(table.list.as_ref()?.param));
    match list.filter(|list| assigned.iter().any(|one| one.name == list.name)) {
        Some(_) => open,
        None => wallet::open_slots(artifact),
    }
}

fn values(args: Args) -> Result<Params, Fail> {
    let values = args.into_iter().map(|(name, arg)| match arg {
        Arg::Value(value) => Ok((name, value)),
        Arg::Sign(_) | Arg::SignEcdsa(_) | Arg::SignEach(_) | Arg::Parts(_) => {
            Err(Fail::usage(format!("parameter `{name}` cannot be a signature that is made later")))
        }
    });
    values.collect()
}

/// The names that a list among the parameters gives its recipients.
pub(crate) fn names(artifact: &Artifact, assigned: &[Assign]) -> Option<Vec<String>> {
    let slot = artifact.params.get(artifact.reward.as_ref()?.list.as_ref()?.param)?;
    let given = assigned.iter().find(|one| one.name == slot.name)?;
    wallet::record_names(&slot.ty, &given.value)
}

/// Values for a path's arguments. What the deployment says need not be given.
pub(crate) fn args(
    deployment: &Deployment,
    path: &str,
    assigned: &[Assign],
    accounts: &Accounts,
) -> Result<Args, Fail> {
    let artifact = &deployment.artifact;
    let known: Vec<String> = artifact.paths.iter().map(|path| format!("`{}`", path.name)).collect();
    let missing = || Fail::usage(format!("`{}` has no path `{path}`", artifact.contract)).help(one_of(&known));
    let found = artifact.path(path).ok_or_else(missing)?;
    let known = |slot: &&Slot| found.known_arg(slot, &artifact.params, deployment.params());
    let open: Vec<Slot> = found.args.iter().filter(|slot| known(slot).is_none()).cloned().collect();
    let mut args = read(&open, assigned, accounts, path)?;
    let known = found.args.iter().filter_map(|slot| Some((slot.name.clone(), Arg::Value(known(&slot)?))));
    args.extend(known);
    Ok(args)
}

/// Values for a plan's arguments.
pub(crate) fn plan_args(plan: &Plan, assigned: &[Assign], accounts: &Accounts) -> Result<Args, Fail> {
    read(&plan.args, assigned, accounts, &plan.name)
}

fn read(slots: &[Slot], assigned: &[Assign], accounts: &Accounts, owner: &str) -> Result<Args, Fail> {
    let args = read_some(slots, assigned, accounts, owner)?;
    match slots.iter().find(|slot| !args.contains_key(&slot.name)) {
        Some(slot) => Err(Fail::usage(format!("`{owner}` needs `{}: {}`", slot.name, slot.ty))
            .help(format!("add `{}=…`; values look like `1_000 sats`, `144 blocks`, `0x51`, `@alice`", slot.name))),
        None => Ok(args),
    }
}

fn read_some(slots: &[Slot], assigned: &[Assign], accounts: &Accounts, owner: &str) -> Result<Args, Fail> {
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
    Ok(args)
}
