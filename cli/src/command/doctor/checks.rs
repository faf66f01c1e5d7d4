//! The things that are looked at, one function each.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use client::RpcError;
use engine::Tuning;
use spec::{Mode, RuleSet, Rules, SpendContext, asm};

use super::Check;
use crate::command::run::case::Case;
use crate::engines::Which;
use crate::link::{Link, NETWORK, NodeArgs};
use crate::package::{self, Tree};

/// A devnet with a thousand blocks fits; so does everything else but a node of the main chain.
const MEMORY_MIN_KB: u64 = 1 << 20;
/// This version was written later.
const CLOCK_MIN: Duration = Duration::from_secs(1_735_689_600);
/// Times in blocks have 32 bits.
const CLOCK_MAX: Duration = Duration::from_secs(u32::MAX as u64);
/// Nodes refuse blocks from further in the future.
const CLOCK_AHEAD_MAX: u64 = 2 * 3_600;
/// More files than this are not counted.
const FILES_MAX: usize = 100_000;

pub(super) fn all(node: &NodeArgs) -> Vec<Check> {
    let link = node.link();
    let answer = link.call("getblockchaininfo", &[]);
    let mut checks = vec![version(), manifest(), processor(), memory(), clock(answer.as_ref().ok())];
    checks.extend([Which::Oracle, Which::Register, Which::Jit].map(engine));
    checks.push(folder(&node.folder()));
    checks.push(cookie(&node.cookie_file(), answer.is_ok()));
    checks.push(reachable(&link, node.url(), &answer));
    checks.extend(ports(answer.is_ok()));
    checks
}

fn version() -> Check {
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    Check::ok("version", format!("bmc {} for {system} on {machine}; nothing else is needed", env!("CARGO_PKG_VERSION")))
}

fn manifest() -> Check {
    let Some(folder) = package::folder_around("x") else {
        return Check::ok("package", "none here, so files are compiled one by one; `bmc new NAME` makes one");
    };
    match Tree::at(folder).and_then(|tree| package::check(&tree).map(|()| tree)) {
        Ok(tree) => Check::ok("package", format!("`{}` is valid", tree.name())),
        Err(fail) => Check::wrong("package", fail.message, fail.help.unwrap_or_default()),
    }
}

fn processor() -> Check {
    match std::thread::available_parallelism() {
        Ok(cores) if cores.get() > 1 => Check::ok("cores", format!("{cores}; tests and blocks use all")),
        Ok(_) => Check::ok("cores", "one"),
        Err(error) => Check::warning("cores", format!("unknown: {error}"), "say how many: `bmc test --threads N`"),
    }
}

fn memory() -> Check {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    match available_kb(&text) {
        None => Check::ok("memory", "this system does not say how much there is"),
        Some(kb) if kb < MEMORY_MIN_KB => Check::warning(
            "memory",
            format!("{} MB are free", kb >> 10),
            "a node needs about 1 GB while it connects large blocks: end other programs",
        ),
        Some(kb) => Check::ok("memory", format!("{} MB are free", kb >> 10)),
    }
}

fn available_kb(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn clock(info: Option<&serde_json::Value>) -> Check {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let tip = info.and_then(|info| info.get("mediantime")).and_then(serde_json::Value::as_u64);
    judge_clock(now, tip)
}

/// Whether blocks can have this time.
fn judge_clock(now: Duration, tip: Option<u64>) -> Check {
    let next = "set the clock of this machine: blocks carry its time";
    let seconds = now.as_secs();
    if now < CLOCK_MIN || now > CLOCK_MAX {
        return Check::wrong("clock", format!("{seconds} seconds after 1970 cannot be"), next);
    }
    match tip {
        Some(tip) if tip > seconds + CLOCK_AHEAD_MAX => {
            Check::warning("clock", format!("the node's last blocks are {} seconds ahead of it", tip - seconds), next)
        }
        _ => Check::ok("clock", format!("{seconds} seconds after 1970")),
    }
}

/// Runs a script that takes a loop, so that there is something to compile.
fn engine(which: Which) -> Check {
    let (name, what) = match which {
        Which::Register => ("register", "register code"),
        Which::Jit | Which::Shadow => ("jit", "machine code"),
        Which::Oracle => ("oracle", "the interpreter"),
    };
    let engine = match which.engine(Tuning::at_once()) {
        Ok(engine) => engine,
        Err(fail) => return Check::warning(name, fail.message, fail.help.unwrap_or_default()),
    };
    let lock = asm::assemble("OP_BEGIN OP_1SUB OP_DUP OP_NOT OP_UNTIL OP_NOT", RuleSet::Bitmodel);
    let unlock = asm::assemble("100", RuleSet::Bitmodel);
    let (Ok(lock), Ok(unlock)) = (lock, unlock) else {
        return Check::wrong(name, "the opcodes are not known", "install bmc again");
    };
    let case = Case::of_script(lock, unlock);
    let Some(context) = SpendContext::new(&case.tx, &case.spent) else {
        return Check::wrong(name, "there is no transaction", "install bmc again");
    };
    let mut rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
    rules.prices.budget_per_byte = 1 << 20;
    match engine.verify(&rules, &context, 0) {
        Ok(_) => Check::ok(name, format!("{what} runs a script")),
        Err(failure) => Check::wrong(
            name,
            format!("{what} fails at a script that is right: {failure}"),
            "run nodes with `--engine oracle`, and report this",
        ),
    }
}

fn folder(folder: &Path) -> Check {
    let shown = folder.display();
    let next = "name another by `--datadir DIR`, or correct its permissions";
    let near = folder.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let probe = near.join(format!(".bmc-doctor-{}", std::process::id()));
    if let Err(error) = std::fs::write(&probe, b"") {
        return Check::wrong("data", format!("`{shown}` cannot be written to: {error}"), next);
    }
    let _ = std::fs::remove_file(&probe);
    if !folder.exists() {
        return Check::ok("data", format!("`{shown}` is not there yet; `bmc node` makes it"));
    }
    let (files, bytes) = size(folder);
    Check::ok("data", format!("`{shown}` has {files} files with {} MB", bytes >> 20))
}

/// How many files a folder has, and how many bytes.
fn size(folder: &Path) -> (usize, u64) {
    let (mut todo, mut files, mut bytes) = (vec![folder.to_owned()], 0, 0);
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => todo.push(entry.path()),
                Ok(meta) => (files, bytes) = (files + 1, bytes + meta.len()),
                Err(_) => {}
            }
        }
        if files > FILES_MAX {
            break;
        }
    }
    (files, bytes)
}

fn cookie(path: &Path, answered: bool) -> Check {
    let shown = path.display();
    match client::Rpc::cookie(path) {
        Some(_) if is_open_to_others(path) => Check::warning(
            "cookie",
            format!("everybody on this machine can read `{shown}`, which opens the node"),
            format!("take it from them: `chmod 600 {shown}`"),
        ),
        Some(_) => Check::ok("cookie", format!("`{shown}`")),
        None if answered => Check::ok("cookie", "none, and the node wants none"),
        None => Check::warning(
            "cookie",
            format!("there is none at `{shown}`"),
            "`bmc node` writes it; name that of another node by `--cookie FILE`",
        ),
    }
}

#[cfg(unix)]
fn is_open_to_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

fn reachable(link: &Link, url: &str, answer: &Result<serde_json::Value, RpcError>) -> Check {
    match answer {
        Ok(info) => {
            let blocks = info.get("blocks").and_then(serde_json::Value::as_u64).unwrap_or_default();
            let version = link.call("getnetworkinfo", &[]).ok();
            let version = version.as_ref().and_then(|info| info.get("subversion")).and_then(serde_json::Value::as_str);
            Check::ok("node", format!("{} at {url} has {blocks} blocks", version.unwrap_or("one")))
        }
        Err(RpcError::Unreachable(_)) => Check::warning(
            "node",
            format!("none answers at {url}"),
            "start one by `bmc node`, which `bmc deploy`, `pay`, `settle` and `call` need",
        ),
        Err(RpcError::Unauthorized) => Check::wrong(
            "node",
            format!("the one at {url} does not accept the credentials"),
            "name its cookie file by `--cookie FILE`, or its user and password by `--auth`",
        ),
        Err(error) => Check::wrong("node", format!("the one at {url}: {error}"), "is it a node of this kind?"),
    }
}

fn ports(answered: bool) -> [Check; 2] {
    let [rpc, p2p] = node::default_ports(NETWORK);
    [("rpc port", rpc, "--rpc-port"), ("p2p port", p2p, "--p2p-bind")].map(
        |(name, port, flag)| match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => Check::ok(name, format!("{port} is free")),
            Err(_) if answered => Check::ok(name, format!("{port} is taken, and a node runs")),
            Err(error) => Check::warning(
                name,
                format!("{port} cannot be had: {error}"),
                format!("choose another for a node: `{flag}`"),
            ),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::Health;

    #[test]
    fn a_clock_that_no_block_can_have_is_wrong() {
        let judged = |seconds, tip| judge_clock(Duration::from_secs(seconds), tip).health;
        assert_eq!(judged(0, None), Health::Wrong);
        assert_eq!(judged(1 << 40, None), Health::Wrong);
        assert_eq!(judged(1_800_000_000, None), Health::Ok);
        assert_eq!(judged(1_800_000_000, Some(1_800_000_100)), Health::Ok);
        assert_eq!(judged(1_800_000_000, Some(1_800_100_000)), Health::Warning);
    }

    #[test]
    fn what_is_free_is_read_from_the_system() {
        assert_eq!(available_kb("MemTotal: 9 kB\nMemAvailable:    1234 kB\n"), Some(1234));
        assert_eq!(available_kb("MemAvailable: much"), None);
    }

    #[test]
    fn every_engine_of_this_machine_runs_a_script() {
        for which in [Which::Oracle, Which::Register, Which::Jit] {
            let check = engine(which);
            assert_ne!(check.health, Health::Wrong, "{check:?}");
        }
    }
}
