//! What compiler and node must agree on, as plain data: opcodes, script numbers, rules, bytecode, transactions, blocks, digests, addresses, artifacts.
//!
//! It performs no input or output, runs no script, and knows neither the contract language nor the chain's state.

pub mod address;
pub mod artifact;
pub mod asm;
pub mod base58;
pub mod block;
pub mod codec;
pub mod hash;
pub mod model;
pub mod num;
pub mod opcode;
pub mod plan;
pub mod proof;
pub mod publish;
pub mod ratio;
pub mod rules;
pub mod script;
pub mod sighash;
pub mod split;
pub mod token;
pub mod tx;
pub mod units;

pub use address::{Address, DEVNET_NAMES, Network};
pub use artifact::Artifact;
pub use block::{Block, BlockHeader, CompactTarget};
pub use codec::DecodeError;
pub use hash::{BlockHash, Category, Txid};
pub use opcode::Opcode;
pub use ratio::Ratio;
pub use rules::{Mode, RuleSet, Rules};
pub use sighash::{SighashType, SpendContext};
pub use token::Token;
pub use tx::{OutPoint, Transaction, TxIn, TxOut};
pub use units::{Height, OpCost, Sats};
