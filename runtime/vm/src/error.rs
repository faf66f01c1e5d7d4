//! Why an input may not spend: a closed list of reasons, and the place.

use std::fmt;
use std::num::NonZeroU64;

use crate::verify::Metrics;

/// Which of an input's scripts was running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The unlocking bytecode of the input.
    Unlocking,
    /// The locking bytecode of the spent output.
    Locking,
    /// The redeem script that the locking bytecode names by its hash.
    Redeem,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unlocking => "unlocking bytecode",
            Self::Locking => "locking bytecode",
            Self::Redeem => "redeem script",
        })
    }
}

/// A failed verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The reason.
    pub error: ScriptError,
    /// The script that ran last.
    pub phase: Phase,
    /// The byte offset of the failing instruction in that script; inside a function, of the `OP_INVOKE` that led there.
    /// `None` where no single instruction is at fault.
    pub at: Option<usize>,
    /// The function that ran and the failing instruction in its body, if it was in one.
    pub inside: Option<Inside>,
    /// Which ways the conditionals of that script went.
    pub turns: Turns,
    /// The work done until then.
    pub metrics: Metrics,
}

/// Which branches of a script ran: for each of the first conditionals that ran, those of functions apart, its byte offset
/// (below 32,768) and its last outcome. Code behind a conditional may serve several branches; this tells which one led there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turns {
    /// The offset, and in the lowest bit whether the first branch ran.
    known: [u16; Self::KEPT],
    count: u8,
}

impl Turns {
    const KEPT: usize = 12;

    /// Whether the first branch of the `OP_IF` or `OP_NOTIF` at `offset` ran, when it was last reached; `None` if it was
    /// not reached, or too many others before.
    #[must_use]
    pub fn taken(&self, offset: usize) -> Option<bool> {
        let known = self.known.iter().take(usize::from(self.count));
        known.copied().find(|turn| usize::from(turn >> 1) == offset).map(|turn| turn & 1 == 1)
    }

    /// Remembers an outcome. The work does not depend on how many there were.
    pub(crate) fn record(&mut self, offset: usize, taken: bool) {
        let Some(offset) = u16::try_from(offset).ok().and_then(|offset| offset.checked_mul(2)) else { return };
        let turn = offset | u16::from(taken);
        let count = usize::from(self.count);
        if let Some(known) = self.known.iter_mut().take(count).find(|known| **known >> 1 == turn >> 1) {
            *known = turn;
        } else if let Some(free) = self.known.get_mut(count) {
            *free = turn;
            self.count += 1;
        }
    }
}

/// A place in the body of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inside {
    /// The innermost function that was running.
    pub function: FunctionId,
    /// The byte offset of the instruction in its body, which is no longer than an item.
    pub at: u32,
}

/// What a function was defined by: at most 7 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId {
    /// One more than the length, and behind it the bytes, so that different bytes are different numbers above zero.
    key: NonZeroU64,
}

impl FunctionId {
    pub(crate) const LEN_MAX: usize = 7;

    /// The name with those bytes; `None` if there are too many.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let length = (bytes.len() as u64).checked_add(1).filter(|_| bytes.len() <= Self::LEN_MAX)?;
        let key = bytes.iter().fold(length, |key, byte| key << 8 | u64::from(*byte));
        NonZeroU64::new(key).map(|key| Self { key })
    }

    /// The bytes that `OP_DEFINE` was given.
    #[must_use]
    pub fn bytes(self) -> Vec<u8> {
        let all = self.key.get().to_be_bytes();
        let length_at = all.iter().position(|byte| *byte != 0);
        length_at.and_then(|at| all.get(at + 1..)).unwrap_or_default().to_vec()
    }
}

impl fmt::Display for FunctionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => {
                write!(f, "{} (byte {at} of the {}", self.error, self.phase)?;
                if let Some(inside) = self.inside {
                    write!(f, ", byte {} of function {}", inside.at, inside.function)?;
                }
                f.write_str(")")
            }
            None => write!(f, "{} ({})", self.error, self.phase),
        }
    }
}

impl std::error::Error for Failure {}

macro_rules! reasons {
    ($($variant:ident $text:literal;)*) => {
        /// The reason of a failure.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ScriptError {
            $(#[doc = concat!("In the words of its message: ", $text, ".")] $variant,)*
        }

        impl ScriptError {
            /// Every reason, in the order of declaration.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The reason as a phrase: lower case, without a full stop.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

reasons! {
    NoSuchInput "the transaction has no input of this index";
    UnlockNotPushOnly "the unlocking bytecode does more than push";
    ScriptSize "the script is longer than the limit";
    FalseResult "the script ended with a false or missing result";
    NotClean "the script left more than its result on the stack";
    BadOpcode "an instruction has no meaning here";
    TruncatedPush "a push is longer than the rest of the script";
    ItemSize "an item is longer than the limit";
    NonMinimalPush "a push does not use its shortest form";
    DiscouragedNop "relay refuses `OP_NOP1` and `OP_NOP4` to `OP_NOP10`, which are kept for later rules";
    StackUnderflow "an instruction needs more items than the stack holds";
    AltStackUnderflow "the alt stack is empty";
    SlotLimit "stack, alt stack and functions together hold more items than the limit";
    MemoryLimit "all items together are longer than the limit";
    CostLimit "the operation cost exceeds the budget of the input";
    HashLimit "the hash iterations exceed the budget of the input";
    SigCheckDensity "relay refuses more signature checks than the length of the unlocking bytecode allows";
    ControlDepth "conditionals, loops and calls are nested deeper than the limit";
    UnbalancedConditional "a conditional is not balanced";
    UnbalancedLoop "a loop is not balanced";
    FunctionId "a function identifier is longer than the limit";
    FunctionRedefined "a function is defined twice";
    FunctionUndefined "a function is invoked that is not defined";
    Return "`OP_RETURN` was executed";
    Verify "`OP_VERIFY` found a false item";
    EqualVerify "`OP_EQUALVERIFY` found different items";
    NumEqualVerify "`OP_NUMEQUALVERIFY` found different numbers";
    CheckSigVerify "a signature that must be valid is empty";
    CheckMultiSigVerify "the signatures that must be valid are empty";
    CheckDataSigVerify "a data signature that must be valid is empty";
    NumberEncoding "a number is not in its shortest form";
    NumberRange "a number is too large";
    SplitRange "an item is cut outside of its bytes";
    OperandSize "a bitwise instruction needs items of one length";
    NumberTooLong "a number does not fit into the length asked for";
    DivisionByZero "division by zero";
    ModuloByZero "remainder of a division by zero";
    NegativeShift "a shift by a negative number of bits";
    SignatureEncoding "a signature is not strictly encoded";
    SignatureHighS "a signature has the larger of its two forms";
    SignatureType "the type byte of a signature is not defined";
    SignatureForkId "the type byte of a signature lacks the fork id";
    SchnorrInEcdsaMultisig "a signature of 64 bytes in an ECDSA multisig check";
    EcdsaInSchnorrMultisig "a signature of another length than 64 bytes in a Schnorr multisig check";
    KeyEncoding "a public key is neither compressed nor uncompressed";
    NullFail "a signature that is not empty is not valid";
    KeyCount "the number of keys is out of range";
    SignatureCount "the number of signatures is out of range";
    BitfieldSize "the bit field of a multisig check has the wrong length";
    BitfieldRange "the bit field of a multisig check names a key that is not there";
    BitfieldCount "the bit field of a multisig check names another number of keys than there are signatures";
    NegativeLockTime "a time lock is negative";
    LockTime "a time lock is not satisfied";
    InputIndex "an input index is out of range";
    OutputIndex "an output index is out of range";
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for ScriptError {}
