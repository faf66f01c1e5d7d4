//! Types of values.

use std::fmt;

use spec::artifact::AbiType;

/// The type of a value.
///
/// ```
/// use analysis::hir::Type;
/// assert_eq!(Type::BytesN(20).to_string(), "Bytes<20>");
/// assert!(Type::Coin.is_number() && Type::Lock.is_bytes());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// A number without a unit.
    Int,
    /// True or false.
    Bool,
    /// Base units of money.
    Coin,
    /// Fungible tokens.
    Tokens,
    /// A block height.
    Height,
    /// Seconds since 1970.
    Time,
    /// A number of blocks.
    Blocks,
    /// A number of seconds.
    Duration,
    /// An exact part of a whole. It exists while compiling, never in a script.
    Share,
    /// Bytes of any length. A token category is such a value: empty or 32 or 33 bytes.
    Bytes,
    /// Bytes of one length. `Hash160` is `Bytes<20>`, `Hash256` is `Bytes<32>`.
    BytesN(u32),
    /// A public key of 33 bytes.
    PubKey,
    /// A transaction signature with its type byte.
    Sig,
    /// A signature over data.
    DataSig,
    /// A locking bytecode.
    Lock,
    /// This many signatures of a multisig, behind the bit field that names their keys.
    Sigs(u32),
    /// No value: what a function gives back that only checks.
    Unit,
}

impl Type {
    /// Whether values are script numbers.
    pub fn is_number(self) -> bool {
        match self {
            Type::Int | Type::Coin | Type::Tokens | Type::Height | Type::Time | Type::Blocks | Type::Duration => true,
            Type::Bool
            | Type::Share
            | Type::Bytes
            | Type::BytesN(_)
            | Type::PubKey
            | Type::Sig
            | Type::DataSig
            | Type::Lock
            | Type::Sigs(_)
            | Type::Unit => false,
        }
    }

    /// Whether values are strings of bytes; all such types can be used as `Bytes`.
    pub fn is_bytes(self) -> bool {
        match self {
            Type::Bytes | Type::BytesN(_) | Type::PubKey | Type::Sig | Type::DataSig | Type::Lock => true,
            Type::Int
            | Type::Bool
            | Type::Coin
            | Type::Tokens
            | Type::Height
            | Type::Time
            | Type::Blocks
            | Type::Duration
            | Type::Share
            | Type::Sigs(_)
            | Type::Unit => false,
        }
    }

    /// The length in bytes, where all values share one by their type.
    pub fn fixed_len(self) -> Option<u32> {
        match self {
            Type::BytesN(len) => Some(len),
            Type::PubKey => Some(33),
            _ => None,
        }
    }

    /// The type in an artifact; `None` for types that no parameter has.
    ///
    /// ```
    /// use analysis::hir::Type;
    /// use spec::artifact::AbiType;
    /// assert_eq!(Type::BytesN(32).abi(), Some(AbiType::BytesN(32)));
    /// assert_eq!(Type::Unit.abi(), None);
    /// ```
    pub fn abi(self) -> Option<AbiType> {
        Some(match self {
            Type::Int => AbiType::Int,
            Type::Bool => AbiType::Bool,
            Type::Coin => AbiType::Coin,
            Type::Tokens => AbiType::Tokens,
            Type::Height => AbiType::Height,
            Type::Time => AbiType::Time,
            Type::Blocks => AbiType::Blocks,
            Type::Duration => AbiType::Duration,
            Type::Bytes => AbiType::Bytes,
            Type::BytesN(len) => AbiType::BytesN(len as usize),
            Type::PubKey => AbiType::PubKey,
            Type::Sig => AbiType::Sig,
            Type::DataSig => AbiType::DataSig,
            Type::Lock => AbiType::Lock,
            Type::Sigs(count) => AbiType::Sigs(count as usize),
            Type::Share | Type::Unit => return None,
        })
    }

    /// The plain name, without a size.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Type::Int => "Int",
            Type::Bool => "Bool",
            Type::Coin => "Coin",
            Type::Tokens => "Tokens",
            Type::Height => "Height",
            Type::Time => "Time",
            Type::Blocks => "Blocks",
            Type::Duration => "Duration",
            Type::Share => "Share",
            Type::Bytes | Type::BytesN(_) => "Bytes",
            Type::PubKey => "PubKey",
            Type::Sig => "Sig",
            Type::DataSig => "DataSig",
            Type::Lock => "Lock",
            Type::Sigs(_) => "Sigs",
            Type::Unit => "nothing",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::BytesN(size) | Type::Sigs(size) => write!(f, "{}<{size}>", self.word()),
            plain => f.write_str(plain.word()),
        }
    }
}
