//! JSON-RPC as bitcoind speaks it: envelope, parameters, errors, the table of methods.

pub(crate) mod envelope;
pub(crate) mod error;
pub(crate) mod help;
pub(crate) mod params;
pub(crate) mod table;
