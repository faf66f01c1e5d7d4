//! What clients see of scripts, transactions and blocks, in bitcoind's field names and order.

pub(crate) mod block;
pub(crate) mod script;
pub(crate) mod tx;
