//! The language server: the protocol, the order of its messages, and the threads behind it.
//! It knows nothing of the language beyond what `ide` answers, and of the disk what [`ide::Ground`] shows.
//!
//! ```text
//! stdin ─► tower-lsp ─► Ordered: a ticket for each message ─► handlers enqueue ─► owner thread, in order of tickets
//!                                                                                   │ edits: applied at once
//!                                                                                   ├ questions: a snapshot each ─► answers
//!                                                                                   └ what changed: out of the state ─► costs
//! ```
//!
//! Handlers await nothing but their own answer. An edit and `$/cancelRequest` both stop what is being computed.

mod actions;
mod answers;
mod backend;
mod capabilities;
mod config;
mod convert;
mod coster;
mod documents;
mod files;
mod lenses;
mod ordered;
mod owner;
mod progress;
mod registrations;
mod report;
mod serve;
mod tokens;
mod wire;
mod worker;

pub use serve::serve;
