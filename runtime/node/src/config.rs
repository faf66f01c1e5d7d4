//! How a node is set up, and why it may not start.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engine::{Engine, Tier};
use spec::{Network, RuleSet};
use wallet::Accounts;

use crate::logs::Logs;
use crate::warmup::Progress;

/// How a node is set up.
///
/// ```
/// let config = node::Config { automine: true, ..node::Config::default() };
/// assert!(config.rpc_bind.ip().is_loopback());
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// Which chain.
    pub network: Network,
    /// The virtual machine of its scripts.
    pub rules: RuleSet,
    /// Where the RPC server listens; port 0 takes any free one.
    pub rpc_bind: SocketAddr,
    /// Whether the RPC server may listen beyond this machine. It then needs a password.
    pub allow_non_loopback: bool,
    /// Where the cookie file goes; without it the cookie is only in the handle.
    pub data_dir: Option<PathBuf>,
    /// Keeps the chain and the waiting transactions in the data folder, to go on there after a restart. Without it, or without a folder, they live in memory.
    pub persistent: bool,
    /// Builds everything again from the block files in the data folder.
    pub reindex: bool,
    /// Who hears what the node does before it answers.
    pub progress: Option<Progress>,
    /// The most bytes in memory of what blocks changed and is not in the data folder's tables yet.
    pub coin_cache_bytes: usize,
    /// Which blocks are dropped from the data folder.
    pub prune: Prune,
    /// Which data is dropped from blocks of the data folder; none if it says nothing.
    pub prune_data: Option<PruneData>,
    /// Who may call.
    pub auth: Auth,
    /// Who else may call.
    pub rpcauth: Vec<RpcAuth>,
    /// What the node says of itself.
    pub logs: Logs,
    /// Whether the pages under `/rest`, which change nothing, need no credentials.
    pub rest_is_open: bool,
    /// Mines a block each time this long has passed.
    pub mine_every: Option<Duration>,
    /// Mines a block as soon as a transaction is accepted.
    pub automine: bool,
    /// Who is paid before the node answers, in this order.
    pub prefund: Vec<Prefund>,
    /// Into how many coins what each owner was paid is split, where the default wallet has the key.
    pub coins_each: u32,
    /// The accounts of the default wallet. Without them a devnet's has the public accounts, and that of another network a phrase of its own.
    pub accounts: Option<Accounts>,
    /// Stops the clock at this time, in seconds since 1970.
    pub mock_time: Option<u32>,
    /// Other nodes.
    pub peers: Peers,
    /// What runs scripts. Where it compares engines, differences are logged as errors.
    pub engine: Arc<Engine>,
}

/// Which other nodes there are for a node. Without anything it listens to nobody and calls nobody until it is told to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peers {
    /// Where others may call; port 0 takes any free one.
    pub listen: Option<SocketAddr>,
    /// Whether the node starts without listening if another has the port.
    pub may_be_deaf: bool,
    /// Whom to call, as `HOST:PORT`, and again whenever the connection is gone.
    pub call: Vec<String>,
    /// How many others may call at a time.
    pub max: usize,
    /// Whether to call addresses that peers tell of.
    pub discover: bool,
}

impl Default for Peers {
    fn default() -> Self {
        Self { listen: None, may_be_deaf: false, call: Vec::new(), max: p2p::INBOUND_MAX, discover: false }
    }
}

/// Which old blocks are dropped, with what they changed. The last 288 are kept whatever this says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Prune {
    /// None.
    #[default]
    Never,
    /// Those that `pruneblockchain` names.
    OnCall,
    /// The oldest, as long as all take more bytes than this.
    Above(u64),
}

/// Which data outputs are dropped from old blocks, which are kept otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PruneData {
    /// Blocks keep all until so many are above them; the last 288 do whatever this says.
    pub depth: u32,
    /// Outputs whose bytecode has at most so many bytes stay, as records do that relay lets pass.
    pub above_bytes: usize,
}

/// The least target where others rely on blocks: room for the last 288 and for some more.
const PRUNE_BYTES_MIN: u64 = 550 << 20;
/// The least target on a devnet.
const PRUNE_BYTES_MIN_DEVNET: u64 = 2 << 20;

impl Prune {
    /// What bitcoind's number means: 0 for never, 1 for on call, or MiB.
    ///
    /// ```
    /// assert_eq!(node::Prune::of_mib(1), node::Prune::OnCall);
    /// assert_eq!(node::Prune::of_mib(550), node::Prune::Above(550 << 20));
    /// ```
    #[must_use]
    pub const fn of_mib(mib: u64) -> Self {
        match mib {
            0 => Self::Never,
            1 => Self::OnCall,
            mib => Self::Above(mib.saturating_mul(1 << 20)),
        }
    }
}

/// Blocks mined at the start for one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefund {
    /// The locking bytecode that the blocks pay.
    pub lock: Vec<u8>,
    /// How many blocks; each pays one subsidy.
    pub blocks: u32,
}

/// Who may call the RPC server.
#[derive(Clone, PartialEq, Eq)]
pub enum Auth {
    /// Whoever can read the cookie file.
    Cookie,
    /// Whoever knows these.
    Password {
        /// The user's name.
        user: String,
        /// The password.
        password: String,
    },
}

/// A user whose password is known by its salted hash only, as bitcoind's `rpcauth` writes it: `USER:SALT$HASH`.
///
/// The hash is HMAC-SHA256 of the password, keyed with the salt's text, in hexadecimal.
///
/// ```
/// let line = "alice:f7efda5c189b999524f151318c0c86$d5b51b3beffbc02b724e5d095828e0bc8b2456e9ac8757ae3211a5d9b16a22ae";
/// assert_eq!(line.parse::<node::RpcAuth>().unwrap().user, "alice");
/// assert!("alice".parse::<node::RpcAuth>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcAuth {
    /// The user's name.
    pub user: String,
    /// The salt.
    pub salt: String,
    /// The hash.
    pub hash: [u8; 32],
}

/// A text is no `rpcauth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an rpcauth is `USER:SALT$HASH`, the hash in 64 hexadecimal digits")]
pub struct RpcAuthError;

impl std::str::FromStr for RpcAuth {
    type Err = RpcAuthError;

    fn from_str(text: &str) -> Result<Self, RpcAuthError> {
        let (user, rest) = text.split_once(':').ok_or(RpcAuthError)?;
        let (salt, digits) = rest.split_once('$').ok_or(RpcAuthError)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(digits, &mut hash).map_err(|_| RpcAuthError)?;
        if user.is_empty() || salt.is_empty() {
            Err(RpcAuthError)
        } else {
            Ok(Self { user: user.to_owned(), salt: salt.to_owned(), hash })
        }
    }
}

/// Passwords stay out of logs.
impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cookie => f.write_str("Cookie"),
            Self::Password { user, .. } => write!(f, "Password {{ user: {user:?}, .. }}"),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            network: Network::Devnet,
            rules: RuleSet::Bitmodel,
            rpc_bind: SocketAddr::from(([127, 0, 0, 1], 18_443)),
            allow_non_loopback: false,
            data_dir: None,
            persistent: false,
            reindex: false,
            progress: None,
            coin_cache_bytes: 256 << 20,
            prune: Prune::Never,
            prune_data: None,
            auth: Auth::Cookie,
            rpcauth: Vec::new(),
            logs: Logs::silent(),
            rest_is_open: false,
            mine_every: None,
            automine: false,
            prefund: Vec::new(),
            coins_each: 1,
            accounts: None,
            mock_time: None,
            peers: Peers::default(),
            engine: Arc::new(Engine::new(Tier::Register)),
        }
    }
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Something is asked for that only a devnet has.
    #[error("{0} is for a devnet only")]
    DevnetOnly(&'static str),
    /// The server would listen beyond this machine without being told that it may.
    #[error("the RPC server may only listen on this machine, not on `{0}`; allow it explicitly and set a password")]
    NotLoopback(SocketAddr),
    /// The server would listen beyond this machine with a cookie, or with an empty password.
    #[error("an RPC server that listens on `{0}` needs a user and a password")]
    NoPassword(SocketAddr),
    /// The port cannot be taken.
    #[error("the RPC server cannot listen on `{address}`")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The port for other nodes cannot be taken.
    #[error("other nodes cannot be listened to on `{address}`")]
    PeerBind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The cookie file cannot be written.
    #[error("the cookie file `{}` cannot be written", path.display())]
    Cookie {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The system gives no randomness for the cookie.
    #[error("the system gives no randomness for the cookie")]
    Randomness,
    /// A thread or the server's runtime cannot be started.
    #[error("a thread cannot be started")]
    Thread(#[source] std::io::Error),
    /// The files of blocks would be too few.
    #[error("blocks cannot be held below {} MiB; take 1 to drop them by `pruneblockchain` only", least >> 20)]
    Prune {
        /// The least target in bytes.
        least: u64,
    },
    /// Blocks are missing that the chain could be built again from.
    #[error("old blocks, or data in them, were dropped, so the chain cannot be built again from block files")]
    Pruned,
    /// Another node has the data folder.
    #[error("another node uses the data folder `{}`", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The data folder or a file in it cannot be used.
    #[error("the data folder `{}` cannot be used", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The chain that was kept cannot be gone on with.
    #[error("the chain cannot be opened: {0}")]
    Chain(String),
    /// A wallet's file cannot be read.
    #[error("the wallet cannot be opened")]
    Wallet(#[source] std::io::Error),
    /// A block for a prefunded account was refused.
    #[error("mining for the prefunded accounts failed: {0}")]
    Prefund(String),
}

impl Config {
    /// What is set that a chain with work and other people has not.
    fn comfort(&self) -> Option<&'static str> {
        let comforts = [
            (self.automine, "a block for each transaction"),
            (self.mine_every.is_some(), "a block every so often"),
            (!self.prefund.is_empty(), "paying accounts when the chain is new"),
            (self.coins_each > 1, "splitting the coins of accounts"),
            (self.mock_time.is_some(), "a clock that stands"),
        ];
        comforts.into_iter().find(|(set, _)| *set).map(|(_, what)| what)
    }

    /// Refuses an address that the rest of the configuration does not allow, and what others could not rely on.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let least = if self.network == Network::Devnet { PRUNE_BYTES_MIN_DEVNET } else { PRUNE_BYTES_MIN };
        if matches!(self.prune, Prune::Above(bytes) if bytes < least) {
            return Err(StartError::Prune { least });
        }
        if let Some(what) = self.comfort().filter(|_| self.network != Network::Devnet) {
            return Err(StartError::DevnetOnly(what));
        }
        if self.rpc_bind.ip().is_loopback() {
            return Ok(());
        }
        if !self.allow_non_loopback {
            return Err(StartError::NotLoopback(self.rpc_bind));
        }
        match &self.auth {
            Auth::Password { password, .. } if !password.is_empty() => Ok(()),
            Auth::Cookie if !self.rpcauth.is_empty() => Ok(()),
            Auth::Password { .. } | Auth::Cookie => Err(StartError::NoPassword(self.rpc_bind)),
        }
    }
}

/// The ports of a network where nobody says otherwise: that of the RPC server, and that for other nodes. They are bitcoind's.
///
/// ```
/// assert_eq!(node::default_ports(spec::Network::Devnet), [18_443, 18_444]);
/// ```
#[must_use]
pub const fn default_ports(network: Network) -> [u16; 2] {
    match network {
        Network::Devnet => [18_443, 18_444],
        Network::Test => [18_332, 18_333],
        Network::Main => [8_332, 8_333],
    }
}

/// The name that bitcoind's clients know a network by.
pub(crate) const fn chain_name(network: Network) -> &'static str {
    match network {
        Network::Devnet => "regtest",
        Network::Test => "test",
        Network::Main => "main",
    }
}

/// Where a node with this data directory keeps its cookie; the folders are bitcoind's, because its clients look there.
///
/// ```
/// let path = node::cookie_path("data".as_ref(), spec::Network::Devnet);
/// assert_eq!(path, std::path::Path::new("data/regtest/.cookie"));
/// ```
#[must_use]
pub fn cookie_path(data_dir: &Path, network: Network) -> PathBuf {
    network_folder(data_dir, network).join(".cookie")
}

/// The folder of one network in a data directory.
pub(crate) fn network_folder(data_dir: &Path, network: Network) -> PathBuf {
    match network {
        Network::Devnet => data_dir.join("regtest"),
        Network::Test => data_dir.join("testnet3"),
        Network::Main => data_dir.to_path_buf(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_password_and_permission_open_the_server_to_others() {
        let password = |text: &str| Auth::Password { user: "u".into(), password: text.into() };
        for (bind, allowed, auth, starts) in [
            ("127.0.0.1:0", false, Auth::Cookie, true),
            ("[::1]:0", false, Auth::Cookie, true),
            ("0.0.0.0:0", false, password("p"), false),
            ("0.0.0.0:0", true, Auth::Cookie, false),
            ("0.0.0.0:0", true, password(""), false),
            ("0.0.0.0:0", true, password("p"), true),
        ] {
            let config =
                Config { rpc_bind: bind.parse().unwrap(), allow_non_loopback: allowed, auth, ..Config::default() };
            assert_eq!(config.check().is_ok(), starts, "{config:?}");
        }
        assert!(!format!("{:?}", password("hush")).contains("hush"));
    }
}
