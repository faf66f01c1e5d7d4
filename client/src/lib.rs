//! What generated clients stand on: typed values, contracts with their parameters, spends, plans and settlements that are funded, signed, proved and sent to a node.
//!
//! It knows no contract and not the language: a generated client brings its artifacts. `wallet` builds and signs; how a node is reached is a [`Transport`].

mod http;
mod node;

mod given;
mod types;

mod contract;
mod error;
mod plan;
mod program;
mod reward;
mod spend;

pub use contract::{Coin, Contract, NoState, State};
pub use error::Error;
pub use given::{Abi, Given, Sig, Sigs};
pub use http::{Rpc, RpcError};
pub use node::{Node, NodeError, Transport};
pub use plan::PlanCall;
pub use program::read_program;
pub use reward::settlements;
pub use spec::artifact::Value;
pub use spec::token::{Capability, Nft};
pub use spec::{Address, Artifact, Category, Height, Network, OutPoint, Sats, Token, Transaction, TxOut, Txid};
pub use spend::{FEE_SATS_MAX, Spend};
pub use types::{Blocks, DataSig, Did, Duration, Lock, Padding, PubKey, Time, Tokens};
pub use wallet::{Accounts, Built, Carried, FeeRate, Key, Mnemonic, Params, Program, Settled, Signer, Utxo};
