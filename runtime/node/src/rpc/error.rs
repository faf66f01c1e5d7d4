//! Errors as bitcoind numbers them.

use crate::json::{Json, object};

/// The codes that clients branch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Anything without a code of its own; also wrong parameter counts, whose message is the method's help.
    Misc,
    /// A parameter has the wrong JSON type.
    Type,
    /// No such block, transaction, address or output.
    NotFound,
    /// A parameter is out of range or otherwise unusable.
    InvalidParameter,
    /// A wallet cannot do what is asked.
    Wallet,
    /// A wallet has too little.
    Funds,
    /// There is no such wallet, or it is not open.
    NoWallet,
    /// The wallet is open already.
    WalletLoaded,
    /// Bytes are no transaction or block.
    Deserialization,
    /// A transaction spends what does not exist, or a block does not fit.
    Verify,
    /// The rules refuse a transaction.
    Rejected,
    /// A transaction is in the chain already.
    AlreadyInChain,
    /// A node or a ban is there already.
    NodeAdded,
    /// A node was not added.
    NodeNotAdded,
    /// There is no such peer.
    NotConnected,
    /// The node has only begun and does not answer yet.
    Warmup,
    /// A text is no address and no subnet, or none that is banned.
    InvalidSubnet,
    /// The node has no peers.
    NoPeers,
    /// The request is no JSON-RPC request.
    InvalidRequest,
    /// There is no such method.
    MethodNotFound,
    /// The node cannot answer now.
    Internal,
    /// The request is no JSON.
    Parse,
}

impl Code {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            Self::Misc => -1,
            Self::Type => -3,
            Self::NotFound => -5,
            Self::InvalidParameter => -8,
            Self::Wallet => -4,
            Self::Funds => -6,
            Self::NoWallet => -18,
            Self::WalletLoaded => -35,
            Self::Deserialization => -22,
            Self::Verify => -25,
            Self::Rejected => -26,
            Self::AlreadyInChain => -27,
            Self::NodeAdded => -23,
            Self::NodeNotAdded => -24,
            Self::Warmup => -28,
            Self::NotConnected => -29,
            Self::InvalidSubnet => -30,
            Self::NoPeers => -31,
            Self::InvalidRequest => -32_600,
            Self::MethodNotFound => -32_601,
            Self::Internal => -32_603,
            Self::Parse => -32_700,
        }
    }

    /// The HTTP status of a reply that is this one error.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::MethodNotFound => 404,
            Self::Misc
            | Self::Type
            | Self::NotFound
            | Self::InvalidParameter
            | Self::Wallet
            | Self::Funds
            | Self::NoWallet
            | Self::WalletLoaded
            | Self::Deserialization
            | Self::Verify
            | Self::Rejected
            | Self::AlreadyInChain
            | Self::NodeAdded
            | Self::NodeNotAdded
            | Self::Warmup
            | Self::NotConnected
            | Self::InvalidSubnet
            | Self::NoPeers
            | Self::Internal
            | Self::Parse => 500,
        }
    }
}

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (code {})", code.number())]
pub struct RpcError {
    code: Code,
    message: String,
}

impl RpcError {
    /// An error with a message for the client.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Its code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Its message.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The `error` member of a reply.
    #[must_use]
    pub(crate) fn to_json(&self) -> Json {
        object([("code", Json::from(self.code.number())), ("message", Json::from(self.message.as_str()))])
    }
}
