//! `bmc verify`: whether a script on the chain is what a source says.

mod tell;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use driver::Options;
use spec::artifact::{Level, Objective, Piece};
use spec::script::LockKind;
use spec::{Artifact, RuleSet};
use wallet::{Mismatch, Params, Program, recover};

use crate::fail::Fail;
use crate::link::{KeyArgs, NodeArgs};
use crate::onchain;
use crate::project::{self, Assign, Project, TargetArgs};
use crate::shell::Shell;

/// Show whether a script is what a source compiles to, and with which parameters.
///
/// The sources are compiled as bmc.toml or the options say and, where those do not settle it, in every other way, until
/// the script fits. Of a coin that only shows a hash, the node is asked for a transaction that shows the script; with all
/// parameters given, none is needed. Exit codes: 0 it is, 1 it is not, 2 wrong usage.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc verify 4f1c…e2:0 --file htlc.bmc\n  bmc verify bchreg:p… --package . --contract Vault\n  bmc verify 5279…ae --artifact artifacts/Treasury.json\n  bmc verify bchreg:p… --file htlc.bmc --param recipient=@bob --param hash=0x…"
)]
pub(crate) struct Verify {
    /// An output, an address, or a script or a lock in hexadecimal digits, or a file with them.
    #[arg(value_name = "TXID:N|ADDRESS|HEX")]
    what: String,
    /// The source, or several.
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// The folder of a package.
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    package: Option<PathBuf>,
    /// The artifact that `bmc build` wrote, or several.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["file", "package"])]
    artifact: Vec<PathBuf>,
    /// Only this contract.
    #[arg(long, value_name = "NAME")]
    contract: Option<String>,
    /// A parameter's value: with all of them, a hash alone can be verified.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<Assign>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

/// What is to be verified.
struct Given {
    /// The script; none where only its hash is known.
    script: Option<Vec<u8>>,
    /// The lock, where there is one beside the script.
    lock: Option<Vec<u8>>,
    /// The transaction that shows the script.
    shown_by: Option<String>,
}

/// How a script was compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Settings {
    rules: RuleSet,
    level: Level,
    objective: Objective,
    /// Whether constants stand in the script as they are; unknown of an artifact.
    whole_constants: Option<bool>,
}

/// A contract that the script is.
struct Match {
    artifact: Artifact,
    settings: Settings,
    params: Params,
    unknown: Vec<String>,
    script: Vec<u8>,
}

/// The contract that came closest.
struct Miss {
    artifact: Artifact,
    why: String,
    /// How many instructions are the same.
    same: usize,
    difference: Option<wallet::Difference>,
}

/// What is known so far.
struct Search<'v> {
    given: Given,
    command: &'v Verify,
    /// Templates that were tried: many settings give the same.
    tried: BTreeSet<(String, Vec<u8>)>,
    closest: Option<Miss>,
}

impl Verify {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        if self.file.is_empty() && self.package.is_none() && self.artifact.is_empty() {
            return Err(Fail::usage("there is nothing to compare with")
                .help("name a source with `--file`, a package with `--package`, or an artifact with `--artifact`"));
        }
        let given = self.given()?;
        let mut search = Search { given, command: &self, tried: BTreeSet::new(), closest: None };
        let found =
            if self.artifact.is_empty() { self.by_source(shell, &mut search)? } else { self.by_artifact(&mut search)? };
        match found {
            Some(found) => tell::matched(shell, &search.given, &found),
            None => tell::missed(shell, &search.given, search.closest.as_ref(), search.tried.len()),
        }
    }

    /// The script that is meant.
    fn given(&self) -> Result<Given, Fail> {
        let lock = if let Some((txid, index)) = onchain::outpoint(&self.what) {
            onchain::output(&self.node.link(), &txid, index)?.lock
        } else if let Some(lock) = onchain::address(&self.what) {
            lock
        } else {
            let text = onchain::text_of(&self.what)?;
            onchain::digits(&text).map_err(|fail| Fail {
                help: Some("write `TXID:N`, an address, or the hexadecimal digits of a script".to_owned()),
                ..fail
            })?
        };
        if !matches!(LockKind::of(&lock), LockKind::P2sh20(_) | LockKind::P2sh32(_)) {
            return Ok(Given { script: Some(lock), lock: None, shown_by: None });
        }
        // With all parameters the script need not be shown.
        if !self.params.is_empty() {
            return Ok(Given { script: None, lock: Some(lock), shown_by: None });
        }
        let shown = onchain::shown(&self.node.link(), &lock)?;
        let (shown_by, script) = shown.map(|(txid, script)| (txid.to_string(), script)).unzip();
        Ok(Given { script, lock: Some(lock), shown_by })
    }

    fn by_artifact(&self, search: &mut Search<'_>) -> Result<Option<Match>, Fail> {
        let artifacts = self.artifact.iter().map(|file| artifact(file)).collect::<Result<Vec<_>, Fail>>()?;
        let program = Program::new(artifacts.clone());
        for artifact in artifacts {
            let settings = Settings {
                rules: artifact.rules,
                level: artifact.level,
                objective: artifact.objective,
                whole_constants: None,
            };
            if let Some(found) = search.compare(artifact, &program, settings)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn by_source(&self, shell: &Shell, search: &mut Search<'_>) -> Result<Option<Match>, Fail> {
        let paths = self.package.as_ref().map_or_else(|| self.file.clone(), |package| vec![package.clone()]);
        let project = Project::open(&paths, self.target)?;
        for (at, options) in project.builds(self.target).into_iter().enumerate() {
            let compiled = project.compile_as(&options);
            if at == 0 {
                project::report(shell, &compiled)?;
                if self.contract.as_ref().is_some_and(|name| compiled.artifact(Some(name)).is_none()) {
                    return project::contract(compiled, self.contract.as_deref()).map(|_| None);
                }
            }
            let program = Program::new(compiled.artifacts.clone());
            for artifact in compiled.artifacts {
                if let Some(found) = search.compare(artifact, &program, Settings::of(&options))? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }
}

impl Settings {
    const fn of(options: &Options) -> Self {
        Self {
            rules: options.rules,
            level: options.level,
            objective: options.objective,
            whole_constants: Some(options.whole_constants),
        }
    }
}

impl Search<'_> {
    /// Compares with one contract; what differs is kept if none was closer.
    fn compare(&mut self, artifact: Artifact, program: &Program, settings: Settings) -> Result<Option<Match>, Fail> {
        let wanted = self.command.contract.as_ref().is_none_or(|name| *name == artifact.contract);
        if !wanted || !self.tried.insert((artifact.contract.clone(), key(&artifact.bytecode))) {
            return Ok(None);
        }
        let script = match &self.given.script {
            Some(script) => script.clone(),
            None => match self.instance(&artifact, program)? {
                Some(script) => script,
                None => return Ok(None),
            },
        };
        match checked(&artifact, program, &script) {
            Ok((params, unknown)) => Ok(Some(Match { artifact, settings, params, unknown, script })),
            Err(miss) => {
                let (why, difference) = *miss;
                let same = difference.as_ref().map_or(0, |difference| difference.instruction);
                if self.closest.as_ref().is_none_or(|closest| same > closest.same) {
                    self.closest = Some(Miss { artifact, why, same, difference });
                }
                Ok(None)
            }
        }
    }

    /// The contract's script with the parameters that are given, if its hash is the lock.
    fn instance(&self, artifact: &Artifact, program: &Program) -> Result<Option<Vec<u8>>, Fail> {
        let Some(lock) = &self.given.lock else { return Ok(None) };
        let none_needed = artifact.open_params().next().is_none();
        if self.command.params.is_empty() && !none_needed {
            return Ok(None);
        }
        let accounts = self.command.keys.accounts()?;
        let given = project::params(artifact, &self.command.params, &accounts)?;
        let script = artifact.redeem_script(&program.complete(&artifact.contract, given)?)?;
        Ok(onchain::is_hash_of(lock, &script).then_some(script))
    }
}

/// What tells templates apart.
fn key(bytecode: &[Piece]) -> Vec<u8> {
    format!("{bytecode:?}").into_bytes()
}

/// What differs, in words, and the instruction.
type Why = Box<(String, Option<wallet::Difference>)>;

/// The parameters of an instance, those that are computed from others checked.
fn checked(artifact: &Artifact, program: &Program, script: &[u8]) -> Result<(Params, Vec<String>), Why> {
    let recovered = recover(artifact, script).map_err(|mismatch| match mismatch {
        Mismatch::Instruction(difference) => Box::new((difference.to_string(), Some(difference))),
        other => Box::new((other.to_string(), None)),
    })?;
    if artifact.derived.is_empty() {
        return Ok((recovered.params, recovered.unknown));
    }
    let open = artifact
        .open_params()
        .filter_map(|(_, slot)| Some((slot.name.clone(), recovered.params.get(&slot.name)?.clone())));
    let complete =
        program.complete(&artifact.contract, open.collect()).map_err(|error| Box::new((error.to_string(), None)))?;
    for derived in &artifact.derived {
        let Some(slot) = artifact.params.get(derived.param) else { continue };
        let (found, computed) = (recovered.params.get(&slot.name), complete.get(&slot.name));
        if found.is_some() && found != computed {
            let why = format!("`{}` is not the lock that `{}` has with these parameters", slot.name, derived.contract);
            return Err(Box::new((why, None)));
        }
    }
    Ok((recovered.params, recovered.unknown))
}

/// Reads the artifact in a file.
pub(crate) fn artifact(file: &Path) -> Result<Artifact, Fail> {
    let text =
        std::fs::read_to_string(file).map_err(|error| Fail::refused(format!("`{}`: {error}", file.display())))?;
    serde_json::from_str(&text).map_err(|error| {
        Fail::usage(format!("`{}` is no artifact: {error}", file.display()))
            .help("`bmc build` writes them to the folder `artifacts`")
    })
}
