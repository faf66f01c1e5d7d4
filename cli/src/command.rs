//! The subcommands, one file each.

pub(crate) mod build;
pub(crate) mod call;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod decompile;
pub(crate) mod demo;
pub(crate) mod deploy;
pub(crate) mod doctor;
pub(crate) mod expand;
pub(crate) mod flow;
pub(crate) mod fmt;
pub(crate) mod inspect;
pub(crate) mod lint;
pub(crate) mod man;
pub(crate) mod new;
pub(crate) mod node;
pub(crate) mod ops;
pub(crate) mod pay;
pub(crate) mod repl;
pub(crate) mod run;
pub(crate) mod settle;
pub(crate) mod size;
pub(crate) mod test;
pub(crate) mod update;
pub(crate) mod verify;
pub(crate) mod wallet;
