//! The network of models: their records, rebuilt from blocks alone, and how what one earns reaches the others.
//! It knows no sockets, no keys and no scripts but those that a record is registered by.
//!
//! [`rebuild`] reads blocks and gives every record and edge. [`Graph`] settles payments over such a
//! network to the last unit.

mod body;
mod rebuild;
mod settle;

pub use body::{About, Body, DataSet, MAGIC, Parent, Source};
pub use rebuild::{COMMITMENT_LEN, Index, Record, Registry, Unsound, commitment, rebuild};
pub use settle::{Graph, Node, Settled};
