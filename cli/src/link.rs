//! What commands ask of a node, in the project's own types.

use std::path::PathBuf;

use clap::Args;
use client::{Node, Rpc, RpcError};
use serde_json::{Value, json};
use spec::{Artifact, Block, Network, Transaction, Txid};
use wallet::{Accounts, DEVNET_MNEMONIC, Key, Mnemonic, Names, Utxo};

use crate::fail::Fail;

/// The network that commands speak of.
pub(crate) const NETWORK: Network = Network::Devnet;
const DEFAULT_RPC: &str = "http://127.0.0.1:18443";

/// How to reach the node.
#[derive(Args, Clone, Debug)]
pub(crate) struct NodeArgs {
    /// The node's address [default: http://127.0.0.1:18443].
    #[arg(long, value_name = "URL", env = "BMC_RPC", help_heading = "Node", global = true)]
    rpc: Option<String>,
    /// The node's data folder, which holds its cookie [default: ~/.bitmodel].
    #[arg(long, value_name = "DIR", env = "BMC_DATADIR", help_heading = "Node", global = true)]
    datadir: Option<PathBuf>,
    /// The node's cookie file.
    #[arg(long, value_name = "FILE", env = "BMC_COOKIE", help_heading = "Node", global = true)]
    cookie: Option<PathBuf>,
    /// User and password instead of a cookie.
    #[arg(
        long,
        value_name = "USER:PASSWORD",
        env = "BMC_AUTH",
        hide_env_values = true,
        help_heading = "Node",
        global = true
    )]
    auth: Option<String>,
}

/// Whose keys sign.
#[derive(Args, Clone, Debug)]
pub(crate) struct KeyArgs {
    /// The phrase of the accounts' keys; without one, the public phrase of the devnet.
    #[arg(
        long,
        value_name = "WORDS",
        env = "BMC_MNEMONIC",
        hide_env_values = true,
        help_heading = "Keys",
        global = true
    )]
    mnemonic: Option<String>,
}

impl KeyArgs {
    /// Whether the keys are everybody's.
    pub(crate) fn is_public(&self) -> bool {
        self.mnemonic.is_none()
    }

    pub(crate) fn accounts(&self) -> Result<Accounts, Fail> {
        let words = self.mnemonic.as_deref().unwrap_or(DEVNET_MNEMONIC);
        Mnemonic::parse(words)
            .map(|phrase| phrase.accounts())
            .map_err(|error| Fail::usage(format!("the phrase is wrong: {error}")))
    }
}

/// The key of an account.
pub(crate) fn account(accounts: &Accounts, name: &str) -> Result<Key, Fail> {
    accounts.find(name).ok_or_else(|| {
        Fail::usage(format!("there is no account `{name}`"))
            .help("accounts are `@alice`, `@bob` and so on, or numbers such as `@12`; `bmc wallet accounts` lists them")
    })
}

/// The lock of an address, an account or hexadecimal bytecode.
pub(crate) fn lock_of(accounts: &Accounts, text: &str) -> Result<Vec<u8>, Fail> {
    Names { network: NETWORK, accounts }.lock(text).ok_or_else(|| {
        Fail::usage(format!("`{text}` is no address, account or bytecode"))
            .help("write an address, an account such as `@alice`, or `0x` and the bytecode's digits")
    })
}

/// The default data folder.
pub(crate) fn default_datadir() -> PathBuf {
    std::env::home_dir().unwrap_or_default().join(".bitmodel")
}

/// A node that commands talk to.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    node: Node,
}

impl NodeArgs {
    /// Whether its address is given, so that it is meant to be asked.
    pub(crate) const fn is_named(&self) -> bool {
        self.rpc.is_some()
    }

    /// The data folder of a node on this machine.
    pub(crate) fn folder(&self) -> PathBuf {
        self.datadir.clone().unwrap_or_else(default_datadir)
    }

    /// Where the node's cookie should be.
    pub(crate) fn cookie_file(&self) -> PathBuf {
        self.cookie.clone().unwrap_or_else(|| node::cookie_path(&self.folder(), NETWORK))
    }

    /// The node's address.
    pub(crate) fn url(&self) -> &str {
        self.rpc.as_deref().unwrap_or(DEFAULT_RPC)
    }

    /// The node; its credentials come from `--auth`, `--cookie` or the data folder.
    pub(crate) fn link(&self) -> Link {
        let credentials = self.auth.clone().or_else(|| Rpc::cookie(&self.cookie_file())).unwrap_or_default();
        Link::new(self.url(), &credentials)
    }
}

impl Link {
    /// The node at `url`.
    pub(crate) fn new(url: &str, credentials: &str) -> Self {
        Self { node: Node::http(url, credentials) }
    }

    /// Calls a method.
    pub(crate) fn call(&self, method: &str, params: &[Value]) -> Result<Value, RpcError> {
        self.node.call(method, params)
    }

    /// The coins of a lock without tokens, unconfirmed ones included; not those that are too young.
    pub(crate) fn coins(&self, lock: &[u8]) -> Result<Vec<Utxo>, Fail> {
        Ok(self.node.coins(lock)?)
    }

    /// The coins of a lock, those with tokens among them.
    pub(crate) fn all_coins(&self, lock: &[u8]) -> Result<Vec<Utxo>, Fail> {
        Ok(self.node.all_coins(lock)?)
    }

    /// Tells the node which contract a lock belongs to.
    pub(crate) fn register(&self, artifact: &Artifact, lock: &[u8]) -> Result<(), Fail> {
        Ok(self.node.register(artifact, lock)?)
    }

    /// All blocks of the active chain, from the first.
    pub(crate) fn blocks(&self) -> Result<Vec<Block>, Fail> {
        let count = self.call("getblockcount", &[])?.as_u64().ok_or_else(|| broken("getblockcount"))?;
        let mut blocks: Vec<Block> = Vec::new();
        for height in 0..=count {
            let hash = self.call("getblockhash", &[json!(height)])?;
            let raw = self.call("getblock", &[hash, json!(0)])?;
            let bytes = raw.as_str().and_then(|text| hex::decode(text).ok());
            let block = bytes.and_then(|bytes| Block::decode(&bytes).ok()).ok_or_else(|| broken("getblock"))?;
            if blocks.last().is_some_and(|last| block.header.previous != last.header.hash()) {
                return Err(Fail::refused("the chain changed while it was read").help("run the command again"));
            }
            blocks.push(block);
        }
        Ok(blocks)
    }

    /// Sends a transaction.
    pub(crate) fn send(&self, tx: &Transaction) -> Result<Txid, Fail> {
        Ok(self.node.send(tx)?)
    }
}

/// The failure of an answer that lacks what it must have.
pub(crate) fn broken(method: &str) -> Fail {
    Fail::unreachable(format!("the node's answer to `{method}` makes no sense"))
}
