//! A running node: chain, mempool and artifacts behind one thread, bitcoind's JSON-RPC and an explorer in front of it, peers beside it.
//!
//! It knows neither the contract language nor how a block or transaction is judged; those rules are `chain`'s.

mod config;
mod handle;

mod auth;
mod server;

mod json;
mod rpc;
mod view;

mod ahead;
mod devnet;
mod kept;
mod method;
mod miner;
mod net;
mod news;
mod owner;
mod state;
mod tell;
mod wait;
mod warmup;

mod clock;
mod logs;
mod metrics;
mod registry;
mod wallets;

pub use config::{
    Auth, Config, Peers, Prefund, Prune, PruneData, RpcAuth, RpcAuthError, StartError, cookie_path, default_ports,
};
pub use handle::{Crashed, NodeHandle, start};
pub use logs::{LogForm, LogLevels, Logs, UnknownLog};
pub use rpc::error::{Code, RpcError};
pub use warmup::Progress;
