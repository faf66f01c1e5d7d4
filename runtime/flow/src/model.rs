//! Models: what their records say, and the registries that made them.

mod body;
mod registry;

pub use body::{About, Body, DataSet, MAGIC, Parent, Source};
pub(crate) use registry::Registries;
pub use registry::{COMMITMENT_LEN, Edge, Index, Record, Registry, Unsound, commitment};
