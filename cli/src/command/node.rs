//! `bmc node`: a devnet of one's own.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use clap::Args;
use engine::Tuning;
use node::{Auth, Config, Prefund};
use serde_json::json;
use spec::RuleSet;
use wallet::{DEVNET_MNEMONIC, DEVNET_NAMES};

use crate::engines::Which;
use crate::fail::Fail;
use crate::link::{KeyArgs, NETWORK, default_datadir};
use crate::project;
use crate::shell::{BOLD, FAINT, GOOD, NAME, Shell};

/// Run a devnet: a chain of your own with funded accounts, bitcoind's JSON-RPC and a miner.
///
/// A block is mined for each transaction, unless `--mine-every` or `--no-mining` say otherwise.
/// The chain lives in the data folder and goes on where it stopped; with `--tmp` it lives in memory. Ctrl-C ends it.
#[derive(Args)]
#[command(after_help = "Examples:\n  bmc node\n  bmc node --mine-every 2s --rpc-port 18500 --tmp")]
pub(crate) struct Node {
    /// The port of the JSON-RPC server; 0 takes any free one.
    #[arg(long, value_name = "PORT", default_value_t = 18_443)]
    rpc_port: u16,
    /// The address that the server listens on; beyond this machine it needs `--auth` and `--allow-remote`.
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    rpc_bind: IpAddr,
    /// Let other machines call.
    #[arg(long)]
    allow_remote: bool,
    /// User and password instead of a cookie file.
    #[arg(long, value_name = "USER:PASSWORD", env = "BMC_AUTH", hide_env_values = true)]
    auth: Option<String>,
    /// Mine a block this often, such as `500ms` or `2s`.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    mine_every: Option<Duration>,
    /// Mine a block for each transaction.
    #[arg(long)]
    automine: bool,
    /// Mine only when `generatetoaddress` asks for it.
    #[arg(long, conflicts_with_all = ["automine", "mine_every"])]
    no_mining: bool,
    /// Where the chain and the cookie file are kept [default: ~/.bitmodel].
    #[arg(long, value_name = "DIR", env = "BMC_DATADIR")]
    datadir: Option<PathBuf>,
    /// Keep the chain in memory and the cookie in a fresh folder, which is gone at the end.
    #[arg(long, conflicts_with = "datadir")]
    tmp: bool,
    /// Build everything again from the block files.
    #[arg(long, conflicts_with = "tmp")]
    reindex: bool,
    /// The rules of scripts.
    #[arg(long, value_name = "RULES", default_value = "bitmodel", value_parser = project::rules)]
    rules: RuleSet,
    /// What runs scripts. The verdicts are the same; `shadow` logs where engines differ.
    #[arg(long, value_enum, default_value_t = Which::Register)]
    engine: Which,
    /// Blocks whose reward each named account gets at the start.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=100))]
    blocks_each: u32,
    #[command(flatten)]
    keys: KeyArgs,
}

impl Node {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let accounts = self.keys.accounts()?;
        let folder = if self.tmp { Folder::fresh() } else { Folder::kept(self.datadir.clone()) };
        std::fs::create_dir_all(&folder.path)?;
        let prefund = accounts.named().map(|(_, key)| Prefund { lock: key.lock(), blocks: self.blocks_each }).collect();
        let handle = node::start(self.config(&folder, prefund, &accounts)?).map_err(|error| start_failure(&error))?;
        let (stop, stopped) = mpsc::channel();
        // Whoever presses Ctrl-C twice finds nobody listening, and that is fine.
        ctrlc::set_handler(move || stop.send(()).unwrap_or_default())
            .map_err(|error| Fail::refused(error.to_string()))?;
        self.greet(shell, &folder, handle.rpc_addr(), &accounts)?;
        // Either the signal comes, or the node ends by itself because of `stop`.
        while stopped.recv_timeout(Duration::from_millis(200)).is_err() && handle.call("uptime", "[]").is_ok() {}
        shell.note("stopping");
        handle.stop();
        handle.join().map_err(|error| Fail::refused(error.to_string()))?;
        Ok(())
    }

    fn config(&self, folder: &Folder, prefund: Vec<Prefund>, accounts: &wallet::Accounts) -> Result<Config, Fail> {
        let auth = match &self.auth {
            None => Auth::Cookie,
            Some(text) => {
                let (user, password) =
                    text.split_once(':').ok_or_else(|| Fail::usage("`--auth` is `USER:PASSWORD`"))?;
                Auth::Password { user: user.to_owned(), password: password.to_owned() }
            }
        };
        Ok(Config {
            network: NETWORK,
            rules: self.rules,
            rpc_bind: SocketAddr::new(self.rpc_bind, self.rpc_port),
            allow_non_loopback: self.allow_remote,
            data_dir: Some(folder.path.clone()),
            persistent: !self.tmp,
            reindex: self.reindex,
            auth,
            rest_is_open: false,
            mine_every: self.mine_every,
            automine: self.automine || (self.mine_every.is_none() && !self.no_mining),
            prefund,
            accounts: Some(accounts.clone()),
            mock_time: None,
            engine: Arc::new(self.engine.engine(Tuning::default())?),
        })
    }

    fn greet(
        &self,
        shell: &Shell,
        folder: &Folder,
        address: SocketAddr,
        accounts: &wallet::Accounts,
    ) -> Result<(), Fail> {
        let cookie = node::cookie_path(&folder.path, NETWORK);
        let rows: Vec<_> = accounts.named().map(|(name, key)| (name, key.address(NETWORK).to_string())).collect();
        let names: Vec<_> = rows.iter().map(|(name, address)| json!({ "name": name, "address": address })).collect();
        let data = json!({ "rpc": format!("http://{address}"), "cookie": cookie, "accounts": names });
        shell.print(&data, |out| {
            writeln!(out, "{GOOD}devnet{GOOD:#} at http://{address}")?;
            writeln!(out, "  cookie  {}", cookie.display())?;
            writeln!(out, "  mining  {}", self.mining())?;
            if self.keys.is_public() {
                writeln!(out, "  words   {DEVNET_MNEMONIC} {FAINT}(public: never use them for real money){FAINT:#}")?;
            }
            writeln!(
                out,
                "{BOLD}{} accounts with {} block rewards each{BOLD:#}",
                DEVNET_NAMES.len(),
                self.blocks_each
            )?;
            rows.iter().try_for_each(|(name, address)| writeln!(out, "  {NAME}@{name:<8}{NAME:#} {address}"))?;
            writeln!(out, "Ctrl-C stops it")
        })
    }

    fn mining(&self) -> String {
        match (self.mine_every, self.no_mining) {
            (Some(every), _) if self.automine => format!("a block for each transaction, and every {every:?}"),
            (Some(every), _) => format!("a block every {every:?}"),
            (None, true) => "only when `generatetoaddress` asks for it".to_owned(),
            (None, false) => "a block for each transaction".to_owned(),
        }
    }
}

/// A data folder, which may vanish with its owner.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    fresh: bool,
}

impl Folder {
    /// A folder of this process only.
    pub(crate) fn fresh() -> Self {
        let name = format!("bitmodel-{}-{:x}", std::process::id(), nonce());
        Self { path: std::env::temp_dir().join(name), fresh: true }
    }

    fn kept(path: Option<PathBuf>) -> Self {
        Self { path: path.unwrap_or_else(default_datadir), fresh: false }
    }
}

/// Tells folders of one process apart.
fn nonce() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness the process number alone has to do.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.fresh {
            // What cannot be removed is left to the system's own tidying.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

fn start_failure(error: &node::StartError) -> Fail {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    let fail = Fail::refused(format!("{error}{cause}"));
    match error {
        node::StartError::Bind { .. } => fail.help("another node may be running; choose a port with `--rpc-port`"),
        node::StartError::InUse { .. } => fail.help("choose a folder with `--datadir`, or use `--tmp`"),
        node::StartError::Chain(_) => {
            fail.help("build it again with `--reindex`, choose another folder with `--datadir`, or use `--tmp`")
        }
        _ => fail,
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text.get(digits.len()..) {
        Some("ms") => Some(1),
        Some("s") => Some(1_000),
        Some("m") => Some(60_000),
        _ => None,
    };
    let millis = digits.parse::<u64>().ok().zip(factor).and_then(|(n, factor)| n.checked_mul(factor));
    millis
        .filter(|millis| *millis >= 10)
        .map(Duration::from_millis)
        .ok_or_else(|| "write a time such as `500ms`, `2s` or `1m`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let cases = [
            ("500ms", Some(500)),
            ("2s", Some(2_000)),
            ("1m", Some(60_000)),
            ("2", None),
            ("s", None),
            ("1ms", None),
            ("18446744073709551615m", None),
        ];
        for (text, millis) in cases {
            assert_eq!(duration(text).ok(), millis.map(Duration::from_millis), "{text}");
        }
    }
}
