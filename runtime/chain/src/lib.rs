//! The rules of transactions and blocks, and the chain, mempool and miner built on them, as a pure state machine.
//!
//! It knows no clock, no randomness, no file and no socket: time comes in as an argument, state lives behind [`Store`].

mod ahead;
mod block;
mod connect;
mod deferring;
mod error;
mod headers;
mod index;
mod memory;
mod mempool;
mod miner;
mod params;
mod policy;
mod remains;
mod scripts;
mod state;
mod store;
mod tokens;
mod transaction;
mod verify;
mod vetting;
mod work;
mod workers;
pub use ahead::Ahead;
pub use block::{COINBASE_BYTES_MIN, FUTURE_SECS_MAX, parents_first};
pub use error::{BlockError, TxError};
pub use headers::{HEADERS_AHEAD_MAX, Headers};
pub use index::{HeaderEntry, Status};
pub use memory::MemoryStore;
pub use mempool::{DoubleSpend, Entry, Mempool, Notice, Update, ordinary_parents_first};
pub use miner::{Template, build_template, coinbase, search, solve};
pub use params::{Difficulty, Params};
pub use policy::{Policy, check_standard, check_standard_inputs};
pub use remains::{Dropped, Remains, TxRemains};
pub use scripts::{Runner, check_scripts};
pub use state::{Accepted, Chain, Tip};
pub use store::{BlockDelta, Coin, HeaderRecord, Store, StoreError, TxLocation};
pub use tokens::check_tokens;
pub use transaction::{
    Place, Verified, check_ages, check_coinbase_shape, check_finality, check_shape, check_values, verify_spend,
};
pub use vetting::Vetting;
pub use work::{Schedule, asert, target_to_compact};
pub use workers::Workers;
