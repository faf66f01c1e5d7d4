//! Runs the scripts of one transaction input and says whether it may spend, at what cost, or where and why it fails.
//!
//! It knows nothing of blocks, coins in circulation, relay standards of whole transactions, or the contract language.

mod error;
mod trace;
mod verify;

mod interpreter;
mod machine;

mod bytes;
mod checksig;
mod control;
mod crypto;
mod introspection;
mod locktime;
mod magnitude;
mod multisig;
mod numbers;
mod stack;

mod item;
mod memory;

mod kernel;
mod limbs;
mod quick;

pub mod batch;
pub mod ecdsa;
mod jacobi;
pub mod schnorr;

pub use error::{Failure, FunctionId, Inside, Phase, ScriptError, Turns};
pub use item::{Item, Span};
pub use kernel::{Caller, Kernel, Start};
pub use trace::{StackView, Step, Tracer};
pub use verify::{Metrics, verify_input, verify_input_deferring, verify_input_traced};
