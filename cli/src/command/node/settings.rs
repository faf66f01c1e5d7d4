//! What may be set for a node: by flags, by the environment, by a file, in this order; what nobody sets has a default.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};
use spec::{Network, RuleSet};

use crate::engines::Which;
use crate::fail::Fail;
use crate::project;

/// The file in a node's data folder.
pub(super) const FILE: &str = "bitmodel.toml";

/// A time with a unit, such as `500ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Period(pub(super) Duration);

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
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
            .map(|millis| Self(Duration::from_millis(millis)))
            .ok_or_else(|| "write a time such as `500ms`, `2s` or `1m`".to_owned())
    }
}

impl TryFrom<String> for Period {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0.as_millis())
    }
}

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Form {
    /// For people.
    Text,
    /// An object for each line, for programs.
    Json,
}

/// Declares the settings once: for flags, for the file, and for putting them together.
macro_rules! settings {
    ($($(#[$meta:meta])* $name:ident: $type:ty = $default:expr;)*) => {
        /// What was set somewhere.
        #[derive(Args, Clone, Default, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
        pub(super) struct Settings {
            $($(#[$meta])* #[serde(skip_serializing_if = "Option::is_none")] pub(super) $name: Option<$type>,)*
        }

        impl Settings {
            /// These, and those of `other` where they say nothing.
            pub(super) fn or(self, other: Self) -> Self {
                Self { $($name: self.$name.or(other.$name),)* }
            }

            /// What is so where nobody says anything. Without a value is what then depends on others.
            pub(super) fn defaults() -> Self {
                Self { $($name: $default,)* }
            }
        }
    };
}

/// The chain of this name.
fn network(text: &str) -> Result<Network, String> {
    let found = Network::ALL.into_iter().find(|network| network.name() == text);
    found.ok_or_else(|| "write `devnet`, `test` or `main`".to_owned())
}

settings! {
    /// Which chain: `devnet`, `test` or `main` [default: devnet].
    #[arg(long, value_name = "CHAIN", env = "BMC_NETWORK", value_parser = network)]
    network: Network = Some(Network::Devnet);
    /// The port of the JSON-RPC server; 0 takes any free one [default: 18443; on `test` 18332, on `main` 8332].
    #[arg(long, value_name = "PORT", env = "BMC_RPC_PORT")]
    rpc_port: u16 = Some(18_443);
    /// The address that the server listens on; beyond this machine it needs `--auth` and `--allow-remote` [default: 127.0.0.1].
    #[arg(long, value_name = "IP", env = "BMC_RPC_BIND")]
    rpc_bind: IpAddr = Some([127, 0, 0, 1].into());
    /// Let other machines call.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    allow_remote: bool = Some(false);
    /// User and password instead of a cookie file.
    #[arg(long, value_name = "USER:PASSWORD", env = "BMC_AUTH", hide_env_values = true)]
    auth: String = None;
    /// Users whose passwords are known by their salted hashes, as bitcoind's `rpcauth`; beside the cookie or the password.
    #[arg(long, value_name = "USER:SALT$HASH")]
    rpc_auth: Vec<String> = None;
    /// Show the pages under `/rest` to anybody who reaches the port.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    rest: bool = Some(false);
    /// Where other nodes may call [default: 127.0.0.1:18444; on `test` port 18333, on `main` 8333].
    #[arg(long, value_name = "IP:PORT", env = "BMC_P2P_BIND")]
    p2p_bind: SocketAddr = Some(([127, 0, 0, 1], 18_444).into());
    /// Let other nodes call [default: unless `--tmp` or `--connect`].
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    listen: bool = None;
    /// Call another node, and keep the connection; may be said several times.
    #[arg(long, value_name = "HOST:PORT")]
    add_node: Vec<String> = None;
    /// As `--add-node`, but listen to nobody.
    #[arg(long, value_name = "HOST:PORT")]
    connect: Vec<String> = None;
    /// How many other nodes may call at a time [default: 125].
    #[arg(long, value_name = "N")]
    max_peers: usize = Some(125);
    /// Call nodes that other nodes tell of, too.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    discover: bool = Some(false);
    /// Mine a block this often, such as `500ms` or `2s`.
    #[arg(long, value_name = "TIME", env = "BMC_MINE_EVERY")]
    mine_every: Period = None;
    /// Mine a block for each transaction.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    automine: bool = None;
    /// Mine only when `generatetoaddress` asks for it.
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL", conflicts_with_all = ["automine", "mine_every"])]
    no_mining: bool = None;
    /// The rules of scripts [default: bitmodel].
    #[arg(long, value_name = "RULES", value_parser = project::rules)]
    rules: RuleSet = Some(RuleSet::Bitmodel);
    /// What runs scripts [default: register]. The verdicts are the same; `shadow` logs where engines differ.
    #[arg(long, value_enum, env = "BMC_ENGINE")]
    engine: Which = Some(Which::Register);
    /// Blocks whose reward each named account gets when the chain is new [default: 2].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100))]
    blocks_each: u32 = Some(2);
    /// Into how many coins those rewards are split [default: 1].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    coins_each: u32 = Some(1);
    /// How much memory may be taken by what blocks changed and is not written yet, in MiB [default: 256].
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(4..=1_048_576))]
    dbcache: u32 = Some(256);
    /// Drop old blocks: 0 for never, 1 when `pruneblockchain` is called, or as long as blocks take more than this many MiB [default: 0].
    #[arg(long, value_name = "MIB")]
    prune: u64 = Some(0);
    /// Drop data outputs from blocks that are at least this deep, 288 at the least, and keep all else of them; 0 for never [default: 0].
    #[arg(long, value_name = "DEPTH")]
    prune_data: u32 = Some(0);
    /// Keep data outputs whose bytecode has at most this many bytes [default: 256].
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..))]
    prune_data_above: u32 = Some(256);
    /// How much the log says: a level, and parts that say all, such as `info,http` [default: warn].
    #[arg(long, value_name = "LEVELS", env = "BMC_LOG")]
    log: String = Some("warn".to_owned());
    /// The form of the log on standard error [default: text].
    #[arg(long, value_enum, value_name = "FORM", env = "BMC_LOG_FORMAT")]
    log_format: Form = Some(Form::Text);
    /// Stop the clock at this time, in seconds since 1970.
    #[arg(long, value_name = "SECONDS")]
    mock_time: u32 = None;
}

impl Settings {
    /// What is so on a chain where nobody says anything.
    pub(super) fn defaults_on(network: Network) -> Self {
        let [rpc, p2p] = node::default_ports(network);
        let (rpc_port, p2p_bind) = (Some(rpc), Some(([127, 0, 0, 1], p2p).into()));
        let here = Self { network: Some(network), rpc_port, p2p_bind, ..Self::defaults() };
        match network {
            Network::Devnet => here,
            Network::Test | Network::Main => Self { blocks_each: None, coins_each: None, ..here },
        }
    }

    /// Which chain.
    pub(super) fn chain(&self) -> Network {
        self.network.unwrap_or_default()
    }

    /// The settings of a file; none where there is no file that must be there.
    pub(super) fn read(path: &Path, required: bool) -> Result<Self, Fail> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => return Ok(Self::default()),
            Err(error) => return Err(Fail::usage(format!("`{}` cannot be read: {error}", path.display()))),
        };
        let bad = |error: &dyn fmt::Display| {
            Fail::usage(format!("`{}` is wrong: {}", path.display(), error.to_string().trim_end()))
                .help("`bmc node config print` shows what can be set")
        };
        let settings: Self = toml::from_str(&text).map_err(|error| bad(&error))?;
        if settings.no_mining == Some(true) && (settings.automine == Some(true) || settings.mine_every.is_some()) {
            return Err(bad(&"`no-mining` goes neither with `automine` nor with `mine-every`"));
        }
        if settings.coins_each.is_some_and(|coins| !(1..=1_000).contains(&coins)) {
            return Err(bad(&"`coins-each` is between 1 and 1000"));
        }
        if settings.dbcache.is_some_and(|mib| !(4..=1_048_576).contains(&mib)) {
            return Err(bad(&"`dbcache` is between 4 and 1048576"));
        }
        if settings.blocks_each.is_some_and(|blocks| blocks > 100) {
            return Err(bad(&"`blocks-each` is at most 100"));
        }
        Ok(settings)
    }

    /// These over those of a file. Who says when to mine says all of it.
    pub(super) fn over(self, file: Self) -> Self {
        let mining = self.no_mining.is_some() || self.automine.is_some() || self.mine_every.is_some();
        let file = if mining { Self { no_mining: None, automine: None, mine_every: None, ..file } } else { file };
        self.or(file)
    }

    /// Passwords are not shown.
    pub(super) fn without_secrets(self) -> Self {
        let hidden = |text: String| match text.split_once(':') {
            Some((user, _)) => format!("{user}:…"),
            None => "…".to_owned(),
        };
        Self {
            auth: self.auth.map(hidden),
            rpc_auth: self.rpc_auth.map(|users| users.into_iter().map(hidden).collect()),
            ..self
        }
    }

    /// Each setting that has a value, by name.
    pub(super) fn table(&self) -> toml::Table {
        toml::Table::try_from(self).unwrap_or_default()
    }
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
            let found = text.parse::<Period>().ok().map(|period| period.0);
            assert_eq!(found, millis.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn settings_are_written_as_they_are_read() {
        let text = "network = \"test\"\nrpc-port = 1\nrpc-bind = \"::1\"\nallow-remote = true\nauth = \"a:b\"\nrpc-auth = [\"c:d$e\"]\nrest = true\nmine-every = \"2000ms\"\nautomine = true\nrules = \"bch2026\"\nengine = \"jit\"\nblocks-each = 3\ncoins-each = 4\ndbcache = 6\nprune = 5\nprune-data = 8\nprune-data-above = 9\nlog = \"info\"\nlog-format = \"json\"\nmock-time = 7\n";
        let settings: Settings = toml::from_str(text).unwrap();
        assert_eq!(toml::to_string(&settings).unwrap(), text);
        let hidden = toml::to_string(&settings.without_secrets()).unwrap();
        assert!(hidden.contains("a:…") && !hidden.contains("a:b") && !hidden.contains("$e"));
        assert!(toml::from_str::<Settings>("rpc_port = 1").is_err());
        assert!(toml::from_str::<Settings>("network = \"moon\"").is_err());
        assert!(toml::from_str::<Settings>("mine-every = \"2\"").is_err());
    }

    #[test]
    fn who_says_when_to_mine_says_all_of_it() {
        let read = |text: &str| toml::from_str::<Settings>(text).unwrap();
        let file = read("no-mining = true\nrpc-port = 5\nrest = true");
        let merged = read("automine = true\nrest = false").over(file);
        assert_eq!(
            (merged.no_mining, merged.automine, merged.rpc_port, merged.rest),
            (None, Some(true), Some(5), Some(false))
        );
    }
}
