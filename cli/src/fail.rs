//! Why a command ends without doing what was asked, and the exit code that says so.

use std::io;

use crate::rpc::RpcError;

/// The class of a failure, which scripts see as the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something was checked and refused.
    Refused = 1,
    /// The command was asked for something that makes no sense.
    Usage = 2,
    /// The node does not answer.
    Unreachable = 3,
}

/// A failed command.
#[derive(Debug)]
pub(crate) struct Fail {
    pub(crate) exit: Exit,
    /// What happened; empty if it has been said already.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) help: Option<String>,
}

impl Fail {
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self { exit: Exit::Refused, message: message.into(), help: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), help: None }
    }

    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self { exit: Exit::Unreachable, message: message.into(), help: None }
    }

    /// A refusal whose reasons are on the screen already.
    pub(crate) fn said() -> Self {
        Self::refused("")
    }

    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// A closed pipe is no failure: the reader has seen enough.
impl From<io::Error> for Fail {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::said() } else { Self::refused(error.to_string()) }
    }
}

impl From<RpcError> for Fail {
    fn from(error: RpcError) -> Self {
        match error {
            RpcError::Unreachable(_) => {
                Self::unreachable(error.to_string()).help("start one with `bmc node`, or name it with `--rpc`")
            }
            RpcError::Unauthorized => Self::unreachable(error.to_string())
                .help("name the node's cookie file with `--cookie`, or its user and password with `--auth`"),
            RpcError::Broken(_) => Self::unreachable(error.to_string()),
            RpcError::Refused { .. } => Self::refused(error.to_string()),
        }
    }
}

impl From<wallet::BuildError> for Fail {
    fn from(error: wallet::BuildError) -> Self {
        Self::refused(error.to_string())
    }
}

impl From<wallet::SettleError> for Fail {
    fn from(error: wallet::SettleError) -> Self {
        Self::refused(error.to_string())
    }
}

impl From<wallet::ValueError> for Fail {
    fn from(error: wallet::ValueError) -> Self {
        Self::usage(error.to_string()).help(error.help())
    }
}

impl From<spec::artifact::AbiError> for Fail {
    fn from(error: spec::artifact::AbiError) -> Self {
        Self::usage(error.to_string())
    }
}
