//! `bmc node`: a devnet of one's own.

pub(crate) mod bitcoind;
mod settings;

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use clap::{Args, Subcommand};
use engine::Tuning;
use node::{Auth, Config, LogForm, LogLevels, Logs, Peers, Prefund, Progress, Prune, PruneData};
use serde_json::json;
use spec::Network;
use wallet::{DEVNET_MNEMONIC, DEVNET_NAMES};

use crate::engines::Which;
use crate::fail::Fail;
use crate::link::{KeyArgs, default_datadir};
use crate::shell::{BOLD, FAINT, GOOD, NAME, Shell};
use settings::Settings;

/// Run a devnet: a chain of your own with funded accounts, bitcoind's JSON-RPC and a miner.
///
/// `--network test` and `--network main` run a node of those chains, without anything that only a devnet can do.
/// A block is mined for each transaction, unless `--mine-every` or `--no-mining` say otherwise.
/// The chain lives in the data folder and goes on where it stopped; with `--tmp` it lives in memory. Ctrl-C ends it.
/// What flags and environment do not say, `bitmodel.toml` in the data folder may.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc node\n  bmc node --mine-every 2s --rpc-port 18500 --tmp\n  bmc node --rest config print",
    args_conflicts_with_subcommands = false
)]
pub(crate) struct Node {
    #[command(flatten)]
    settings: Settings,
    /// Where the chain and the cookie file are kept [default: ~/.bitmodel].
    #[arg(long, value_name = "DIR", env = "BMC_DATADIR")]
    datadir: Option<PathBuf>,
    /// A file of settings in place of `bitmodel.toml` in the data folder.
    #[arg(long, value_name = "FILE", env = "BMC_CONFIG")]
    config: Option<PathBuf>,
    /// Keep the chain in memory and the cookie in a fresh folder, which is gone at the end.
    #[arg(long, conflicts_with = "datadir")]
    tmp: bool,
    /// Build everything again from the block files.
    #[arg(long, conflicts_with = "tmp")]
    reindex: bool,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What else than running can be done.
#[derive(Subcommand)]
enum Command {
    /// Show the settings of a node.
    #[command(after_help = "Examples:\n  bmc node config print")]
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print the settings that `bmc node` would run with, as a file that it reads, and where each comes from.
    #[command(after_help = "Examples:\n  bmc node --rpc-port 18500 config print")]
    Print,
}

impl Node {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        if let Some(Command::Config { what: ConfigCommand::Print }) = self.command {
            return self.print_config(shell);
        }
        let accounts = self.keys.accounts()?;
        let settings = self.settings()?;
        let folder = if self.tmp { Folder::fresh() } else { Folder::kept(self.datadir.clone()) };
        std::fs::create_dir_all(&folder.path)?;
        let run = Running { settings, public_keys: self.keys.is_public(), is_fleeting: self.tmp };
        let mut config = run.config(&accounts)?;
        config.data_dir = Some(folder.path.clone());
        (config.persistent, config.reindex) = (!self.tmp, self.reindex);
        let loud = *shell;
        config.progress = Some(Progress::new(move |text| loud.note(text)));
        let handle = node::start(config).map_err(|error| start_failure(&error))?;
        let (stop, stopped) = mpsc::channel();
        // Whoever presses Ctrl-C twice finds nobody listening, and that is fine.
        ctrlc::set_handler(move || stop.send(()).unwrap_or_default())
            .map_err(|error| Fail::refused(error.to_string()))?;
        run.greet(shell, &folder, &handle, &accounts)?;
        // Either the signal comes, or the node ends by itself because of `stop`.
        while stopped.recv_timeout(Duration::from_millis(200)).is_err() && handle.call("uptime", "[]").is_ok() {}
        shell.note("stopping");
        handle.stop();
        handle.join().map_err(|error| Fail::refused(error.to_string()))?;
        Ok(())
    }

    /// What flags, environment and file say.
    fn settings(&self) -> Result<Settings, Fail> {
        Ok(self.settings.clone().over(self.file()?))
    }

    fn file(&self) -> Result<Settings, Fail> {
        match &self.config {
            Some(path) => Settings::read(path, true),
            // A node that keeps nothing has no folder to read.
            None if self.tmp => Ok(Settings::default()),
            None => Settings::read(&self.datadir.clone().unwrap_or_else(default_datadir).join(settings::FILE), false),
        }
    }

    fn print_config(&self, shell: &Shell) -> Result<(), Fail> {
        let (said, all) = (self.settings.table(), self.settings()?.without_secrets());
        let (filed, defaults) = (all.table(), Settings::defaults_on(all.chain()));
        let rows: Vec<_> = all
            .or(defaults)
            .table()
            .into_iter()
            .map(|(name, value)| {
                let from = match (said.contains_key(&name), filed.contains_key(&name)) {
                    (true, _) => "flag or environment",
                    (false, true) => "file",
                    (false, false) => "default",
                };
                (name, value, from)
            })
            .collect();
        let data: serde_json::Map<String, serde_json::Value> =
            rows.iter().map(|(name, value, from)| (name.clone(), json!({ "value": value, "from": from }))).collect();
        shell.print(&data, |out| {
            rows.iter().try_for_each(|(name, value, from)| writeln!(out, "{name} = {value} {FAINT}# {from}{FAINT:#}"))
        })
    }
}

/// A node's settings, complete.
struct Running {
    settings: Settings,
    public_keys: bool,
    is_fleeting: bool,
}

impl Running {
    fn config(&self, accounts: &wallet::Accounts) -> Result<Config, Fail> {
        let (settings, base) = (&self.settings, Config::default());
        let auth = match &settings.auth {
            None => Auth::Cookie,
            Some(text) => {
                let (user, password) =
                    text.split_once(':').ok_or_else(|| Fail::usage("`--auth` is `USER:PASSWORD`"))?;
                Auth::Password { user: user.to_owned(), password: password.to_owned() }
            }
        };
        let rpcauth = settings.rpc_auth.iter().flatten().map(|text| text.parse());
        let rpcauth = rpcauth.collect::<Result<Vec<_>, node::RpcAuthError>>();
        let levels: LogLevels = settings
            .log
            .as_deref()
            .unwrap_or("warn")
            .parse()
            .map_err(|error: node::UnknownLog| Fail::usage(format!("`--log`: {error}")))?;
        let form = match settings.log_format {
            Some(settings::Form::Json) => LogForm::Json,
            Some(settings::Form::Text) | None => LogForm::Text,
        };
        let network = settings.chain();
        let [port, _] = node::default_ports(network);
        Ok(Config {
            network,
            rules: settings.rules.unwrap_or(base.rules),
            rpc_bind: SocketAddr::new(
                settings.rpc_bind.unwrap_or(base.rpc_bind.ip()),
                settings.rpc_port.unwrap_or(port),
            ),
            allow_non_loopback: settings.allow_remote.unwrap_or(false),
            auth,
            rpcauth: rpcauth.map_err(|error| Fail::usage(format!("`--rpc-auth`: {error}")))?,
            logs: Logs::start(levels, form),
            rest_is_open: settings.rest.unwrap_or(false),
            mine_every: settings.mine_every.map(|period| period.0),
            automine: self.automines(),
            coins_each: settings.coins_each.unwrap_or(1),
            prefund: self.prefund(accounts),
            // What everybody may spend is for a devnet; elsewhere the node makes a phrase of its own.
            accounts: (network == Network::Devnet || !self.public_keys).then(|| accounts.clone()),
            mock_time: settings.mock_time,
            coin_cache_bytes: settings
                .dbcache
                .map_or(base.coin_cache_bytes, |mib| usize::try_from(u64::from(mib) << 20).unwrap_or(usize::MAX)),
            prune: Prune::of_mib(settings.prune.unwrap_or(0)),
            prune_data: settings.prune_data.filter(|depth| *depth > 0).map(|depth| PruneData {
                depth,
                above_bytes: usize::try_from(settings.prune_data_above.unwrap_or(256)).unwrap_or(usize::MAX),
            }),
            peers: self.peers(),
            engine: Arc::new(settings.engine.unwrap_or(Which::Register).engine(Tuning::default())?),
            ..base
        })
    }

    /// A node that keeps nothing, or is told whom to call, is not called unless somebody says so.
    fn peers(&self) -> Peers {
        let settings = &self.settings;
        let alone = self.is_fleeting || settings.connect.is_some();
        let named = settings.p2p_bind.is_some() || settings.listen == Some(true);
        let listens = settings.listen.unwrap_or(named || !alone);
        let call = settings.connect.iter().chain(&settings.add_node).flatten().cloned().collect();
        let defaults = Settings::defaults_on(settings.chain());
        let bind = settings.p2p_bind.or(defaults.p2p_bind);
        let max = settings.max_peers.or(defaults.max_peers).unwrap_or(0);
        let discover = settings.discover.unwrap_or(false);
        Peers { listen: bind.filter(|_| listens), may_be_deaf: !named, call, max, discover }
    }

    fn blocks_each(&self) -> u32 {
        self.settings.blocks_each.or(Settings::defaults_on(self.settings.chain()).blocks_each).unwrap_or(0)
    }

    /// Who is paid when the chain is new: on a devnet the named accounts, which its wallet watches also where they get nothing.
    fn prefund(&self, accounts: &wallet::Accounts) -> Vec<Prefund> {
        let blocks = self.blocks_each();
        if self.settings.chain() != Network::Devnet && blocks == 0 {
            return Vec::new();
        }
        accounts.named().map(|(_, key)| Prefund { lock: key.lock(), blocks }).collect()
    }

    fn automines(&self) -> bool {
        let told = self.settings.no_mining == Some(true) || self.settings.mine_every.is_some();
        self.settings.automine.unwrap_or(!told && self.settings.chain() == Network::Devnet)
    }

    fn greet(
        &self,
        shell: &Shell,
        folder: &Folder,
        handle: &node::NodeHandle,
        accounts: &wallet::Accounts,
    ) -> Result<(), Fail> {
        let (address, network) = (handle.rpc_addr(), self.settings.chain());
        let cookie = node::cookie_path(&folder.path, network);
        let shown = accounts.named().filter(|_| network == Network::Devnet);
        let rows: Vec<_> = shown.map(|(name, key)| (name, key.address(network).to_string())).collect();
        let names: Vec<_> = rows.iter().map(|(name, address)| json!({ "name": name, "address": address })).collect();
        let explorer = format!("http://{address}/explorer");
        let data = json!({
            "rpc": format!("http://{address}"), "explorer": explorer, "cookie": cookie, "accounts": names,
            "network": network.name(),
        });
        // Who sees the terminal may read the cookie file too; a log is for more people.
        let key = (self.settings.auth.is_none() && std::io::stdout().is_terminal()).then(|| handle.cookie());
        shell.print(&data, |out| {
            writeln!(out, "{GOOD}{}{GOOD:#} at http://{address}", network.name())?;
            match key {
                Some(key) => writeln!(out, "  look    {explorer}#{key}")?,
                None => writeln!(out, "  look    {explorer}")?,
            }
            writeln!(out, "  cookie  {}", cookie.display())?;
            writeln!(out, "  mining  {}", self.mining())?;
            if network == Network::Devnet {
                self.greet_accounts(out, &rows)?;
            }
            writeln!(out, "Ctrl-C stops it")
        })
    }

    fn greet_accounts(&self, out: &mut dyn std::io::Write, rows: &[(&str, String)]) -> std::io::Result<()> {
        if self.public_keys {
            writeln!(out, "  words   {DEVNET_MNEMONIC} {FAINT}(public: never use them for real money){FAINT:#}")?;
        }
        let (count, blocks) = (DEVNET_NAMES.len(), self.blocks_each());
        writeln!(out, "{BOLD}{count} accounts with {blocks} block rewards each{BOLD:#}")?;
        rows.iter().try_for_each(|(name, address)| writeln!(out, "  {NAME}@{name:<8}{NAME:#} {address}"))
    }

    fn mining(&self) -> String {
        if self.settings.chain() != Network::Devnet {
            return "by `getblocktemplate` and `submitblock`, or `bitmodel_setmining`".to_owned();
        }
        match (self.settings.mine_every, self.automines()) {
            (Some(every), true) => format!("a block for each transaction, and every {every}"),
            (Some(every), false) => format!("a block every {every}"),
            (None, true) => "a block for each transaction".to_owned(),
            (None, false) => "only when `generatetoaddress` asks for it".to_owned(),
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
        node::StartError::DevnetOnly(_) => {
            fail.help("leave it out; blocks come from miners, by `getblocktemplate`, or by `bitmodel_setmining`")
        }
        node::StartError::Bind { .. } => fail.help("another node may be running; choose a port with `--rpc-port`"),
        node::StartError::PeerBind { .. } => {
            fail.help("another node may be running; choose another address with `--p2p-bind`, or use `--listen=false`")
        }
        node::StartError::InUse { .. } => fail.help("choose a folder with `--datadir`, or use `--tmp`"),
        node::StartError::Pruned => {
            fail.help("remove `blocks` and `chainstate` there, and take the blocks from other nodes again")
        }
        node::StartError::Chain(_) => {
            fail.help("build it again with `--reindex`, choose another folder with `--datadir`, or use `--tmp`")
        }
        _ => fail,
    }
}
