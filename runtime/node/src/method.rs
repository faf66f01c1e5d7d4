//! What the methods do, by group. Each takes the node and the fitted parameters.

pub(crate) mod artifact;
pub(crate) mod blocks;
pub(crate) mod build;
pub(crate) mod combine;
pub(crate) mod control;
pub(crate) mod data;
pub(crate) mod devnet;
pub(crate) mod mempool;
pub(crate) mod mining;
pub(crate) mod network;
pub(crate) mod outputs;
pub(crate) mod proof;
pub(crate) mod raw;
pub(crate) mod spends;
pub(crate) mod template;
pub(crate) mod token;
pub(crate) mod trace;
pub(crate) mod waits;
pub(crate) mod wallet;
