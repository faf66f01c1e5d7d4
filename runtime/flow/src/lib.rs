//! Rewards and models as a chain shows them, and how what one earns reaches the others.
//! It knows no sockets, no keys and no scripts but those that were shown.
//!
//! [`rebuild`] reads blocks and gives every published reward with its settlements, and every registry
//! with its models and their links. [`Graph`] settles payments over such a network to the last unit.

mod model;
mod network;
mod reward;
mod settle;

pub use model::{
    About, Body, COMMITMENT_LEN, DataSet, Edge, Index, MAGIC, Parent, Record, Registry, Source, Unsound, commitment,
};
pub use network::{Network, ordered, rebuild};
pub use reward::{
    Adjustment, Change, Flow, Form, ListError, Paid, Published, Recipient, Refused, Share, adjustment, gather,
    list_hash, name_list, open_slots, recipients, records, records_of, shares,
};
pub use settle::{Graph, Node, Settled};
pub use spec::model::names_hash;
