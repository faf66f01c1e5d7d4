//! The command line of bitcoind, for harnesses that start a node as they start that one.
//!
//! `bmc -regtest -datadir=DIR -rpcport=PORT` is `bmc node --datadir DIR --rpc-port PORT --no-mining --blocks-each 0`: a chain
//! without blocks and a node that mines when it is told to. `-testnet` and `-chain=main` are other chains; a devnet is meant
//! where none is named.

use std::ffi::OsString;
use std::net::SocketAddr;

use spec::Network;

/// What a flag of bitcoind becomes.
enum Meaning {
    /// It names the chain.
    Chain,
    /// It says where the port for other nodes is, and whom to call; such flags are read together.
    Peers,
    /// This flag of ours, with the value.
    Flag(&'static str),
    /// It asks for what is so anyway, or for what a devnet of one node has no use for.
    Nothing,
}

const FLAGS: &[(&str, Meaning)] = &[
    ("addnode", Meaning::Flag("--add-node")),
    ("bind", Meaning::Peers),
    ("blockfilterindex", Meaning::Nothing),
    ("conf", Meaning::Flag("--config")),
    ("chain", Meaning::Chain),
    ("connect", Meaning::Peers),
    ("daemon", Meaning::Nothing),
    ("datadir", Meaning::Flag("--datadir")),
    ("dbcache", Meaning::Flag("--dbcache")),
    ("debug", Meaning::Nothing),
    ("discover", Meaning::Nothing),
    ("dnsseed", Meaning::Nothing),
    ("fallbackfee", Meaning::Nothing),
    ("listen", Meaning::Peers),
    ("maxconnections", Meaning::Flag("--max-peers")),
    ("mocktime", Meaning::Flag("--mock-time")),
    ("port", Meaning::Peers),
    ("printtoconsole", Meaning::Nothing),
    ("prune", Meaning::Flag("--prune")),
    ("regtest", Meaning::Chain),
    ("rest", Meaning::Flag("--rest")),
    ("rpcallowip", Meaning::Nothing),
    ("rpcauth", Meaning::Flag("--rpc-auth")),
    ("rpcbind", Meaning::Flag("--rpc-bind")),
    ("rpcport", Meaning::Flag("--rpc-port")),
    ("rpcthreads", Meaning::Nothing),
    ("rpcworkqueue", Meaning::Nothing),
    ("server", Meaning::Nothing),
    ("txindex", Meaning::Nothing),
    ("testnet", Meaning::Chain),
    ("upnp", Meaning::Nothing),
    ("wallet", Meaning::Nothing),
];

/// Our words for a command line of bitcoind; others stay as they are.
///
/// # Errors
/// A sentence about a flag that has no meaning here.
pub(crate) fn translate(args: Vec<OsString>) -> Result<Vec<OsString>, String> {
    let Some((program, words)) = args.split_first() else { return Ok(args) };
    let Some(flags) = words.iter().map(|word| flag(word)).collect::<Option<Vec<_>>>().filter(|flags| !flags.is_empty())
    else {
        return Ok(args);
    };
    let mut ours: Vec<OsString> = vec![program.clone(), "node".into()];
    let network = flags.iter().try_fold(Network::Devnet, |before, (name, value)| chain(name, *value, before))?;
    ours.extend(set_up(network).into_iter().map(OsString::from));
    let (mut user, mut password) = (None, None);
    let mut peers = Peers::default();
    for (name, value) in flags {
        match name {
            "rpcuser" => user = value,
            "rpcpassword" => password = value,
            _ => match FLAGS.iter().find(|(known, _)| *known == name) {
                Some((_, Meaning::Flag(flag))) => ours.push(given(flag, value).into()),
                Some((_, Meaning::Peers)) => peers.take(name, value),
                Some((_, Meaning::Chain | Meaning::Nothing)) => {}
                None => return Err(format!("`-{name}` is not known")),
            },
        }
    }
    if let (Some(user), Some(password)) = (user, password) {
        ours.push(format!("--auth={user}:{password}").into());
    }
    ours.extend(peers.ours(network).into_iter().map(OsString::from));
    Ok(ours)
}

/// The chain that a flag names, or the one that was named before it.
fn chain(name: &str, value: Option<&str>, before: Network) -> Result<Network, String> {
    match (name, value) {
        ("regtest" | "testnet", Some("0")) => Ok(before),
        ("regtest", _) | ("chain", Some("regtest")) => Ok(Network::Devnet),
        ("testnet", _) | ("chain", Some("test")) => Ok(Network::Test),
        ("chain", Some("main")) => Ok(Network::Main),
        ("chain", _) => Err("the chain is `main`, `test` or `regtest`".to_owned()),
        _ => Ok(before),
    }
}

/// Blocks come when somebody asks for them.
fn set_up(network: Network) -> Vec<String> {
    match network {
        Network::Devnet => ["--no-mining", "--blocks-each=0"].map(str::to_owned).to_vec(),
        Network::Test | Network::Main => vec![format!("--network={}", network.name())],
    }
}

/// The port for other nodes, and whom to call.
#[derive(Default)]
struct Peers<'a> {
    bind: Option<&'a str>,
    port: Option<&'a str>,
    listen: Option<bool>,
    connect: Option<Vec<&'a str>>,
}

impl<'a> Peers<'a> {
    fn take(&mut self, name: &str, value: Option<&'a str>) {
        match name {
            // What follows the address says for which kind of network it is.
            "bind" => self.bind = value.and_then(|text| text.split('=').next()),
            "port" => self.port = value,
            "listen" => self.listen = Some(value != Some("0")),
            _ => self.connect.get_or_insert_default().extend(value.filter(|target| *target != "0")),
        }
    }

    /// As bitcoind, a node that is told whom to connect to listens only when it is told so, or where.
    fn ours(&self, network: Network) -> Vec<String> {
        let mut ours = Vec::new();
        let listens = self.listen.or(self.bind.map(|_| true)).or(self.connect.as_ref().map(|_| false));
        if listens == Some(false) {
            ours.push("--listen=false".to_owned());
        } else if self.bind.is_some() || self.port.is_some() {
            let [_, usual] = node::default_ports(network).map(|port| port.to_string());
            let (bind, port) = (self.bind.unwrap_or("127.0.0.1"), self.port.unwrap_or(&usual));
            let has_port = bind.parse::<SocketAddr>().is_ok();
            ours.push(if has_port { format!("--p2p-bind={bind}") } else { format!("--p2p-bind={bind}:{port}") });
        } else if listens.is_some() {
            ours.push("--listen=true".to_owned());
        }
        ours.extend(self.connect.iter().flatten().map(|target| format!("--connect={target}")));
        ours
    }
}

/// `-name=value` or `-name`: one hyphen and more than one letter, as none of our flags has.
fn flag(word: &OsString) -> Option<(&str, Option<&str>)> {
    let text = word.to_str()?.strip_prefix('-').filter(|text| !text.starts_with('-'))?;
    let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
    let letters = name.len() > 1 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    letters.then_some((name, value))
}

fn given(flag: &str, value: Option<&str>) -> String {
    match (flag, value) {
        // bitcoind writes truth as a number.
        ("--rest", Some("0")) => "--rest=false".to_owned(),
        ("--rest", _) => "--rest=true".to_owned(),
        // An address may have a port, which is told by itself.
        ("--rpc-bind", Some(value)) if value.matches(':').count() == 1 => {
            format!("{flag}={}", value.split(':').next().unwrap_or(value))
        }
        (flag, Some(value)) => format!("{flag}={value}"),
        (flag, None) => flag.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(words: &str) -> Result<String, String> {
        let args = std::iter::once("bmc").chain(words.split_whitespace()).map(OsString::from).collect();
        let ours = translate(args)?;
        Ok(ours.iter().skip(1).map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn only_command_lines_of_bitcoind_are_translated() {
        for (theirs, ours) in [
            ("-regtest", "node --no-mining --blocks-each=0"),
            (
                "-datadir=/tmp/x -rpcport=5 -listen=0 -fallbackfee=0.0001 -regtest",
                "node --no-mining --blocks-each=0 --datadir=/tmp/x --rpc-port=5 --listen=false",
            ),
            ("-port=7", "node --no-mining --blocks-each=0 --p2p-bind=127.0.0.1:7"),
            ("-bind=127.0.0.2 -port=7", "node --no-mining --blocks-each=0 --p2p-bind=127.0.0.2:7"),
            ("-bind=[::1]:8=onion -port=7", "node --no-mining --blocks-each=0 --p2p-bind=[::1]:8"),
            ("-listen=1", "node --no-mining --blocks-each=0 --listen=true"),
            (
                "-connect=127.0.0.1:7 -port=8 -maxconnections=9",
                "node --no-mining --blocks-each=0 --max-peers=9 --listen=false --connect=127.0.0.1:7",
            ),
            (
                "-bind=127.0.0.1:8 -connect=a:7 -connect=b -addnode=c:1",
                "node --no-mining --blocks-each=0 --add-node=c:1 --p2p-bind=127.0.0.1:8 --connect=a:7 --connect=b",
            ),
            ("-connect=0", "node --no-mining --blocks-each=0 --listen=false"),
            ("-connect=0 -listen", "node --no-mining --blocks-each=0 --listen=true"),
            ("-datadir=/tmp/y", "node --no-mining --blocks-each=0 --datadir=/tmp/y"),
            ("-rpcuser=a -rpcpassword=b=c", "node --no-mining --blocks-each=0 --auth=a:b=c"),
            (
                "-chain=regtest -rest=1 -rpcbind=127.0.0.1:7",
                "node --no-mining --blocks-each=0 --rest=true --rpc-bind=127.0.0.1",
            ),
            ("-testnet -bind=127.0.0.2", "node --network=test --p2p-bind=127.0.0.2:18333"),
            ("-testnet=0 -rpcport=5", "node --no-mining --blocks-each=0 --rpc-port=5"),
            ("-datadir=/tmp/z -chain=main", "node --network=main --datadir=/tmp/z"),
            ("-chain=test -port=7", "node --network=test --p2p-bind=127.0.0.1:7"),
            ("", ""),
            ("-h", "-h"),
            ("-V", "-V"),
            ("node --rpc-port 5", "node --rpc-port 5"),
            ("--help", "--help"),
        ] {
            assert_eq!(translated(theirs), Ok(ours.to_owned()), "{theirs}");
        }
        for theirs in ["-regtest -nosuch", "-chain=moon", "-chain"] {
            assert!(translated(theirs).is_err(), "{theirs}");
        }
    }
}
