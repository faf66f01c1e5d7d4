//! Expressions.

use dashu_int::IBig;
use syntax::Loc;

use super::{ArgId, Block, FunctionId, LocalId, ParamId, Type};

/// A typed expression. Evaluating it has no effect but that the spend may fail.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Expr {
    /// What it says.
    pub kind: ExprKind,
    /// Its type.
    pub ty: Type,
    /// Where.
    pub loc: Loc,
}

/// The forms of an expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExprKind {
    /// A number, of any number type.
    Int(IBig),
    /// True or false.
    Bool(bool),
    /// Bytes, of any byte type.
    Bytes(Vec<u8>),
    /// A parameter of the contract.
    Param(ParamId),
    /// An argument of the path or function.
    Arg(ArgId),
    /// A variable.
    Local(LocalId),
    /// A call of a function that gives something back.
    Call {
        /// Which.
        function: FunctionId,
        /// What its type parameters stand for.
        type_args: Vec<Type>,
        /// A value for each parameter.
        args: Vec<Expr>,
    },
    /// An operator before its operand.
    Unary {
        /// Which.
        op: UnaryOp,
        /// The operand.
        operand: Box<Expr>,
    },
    /// An operator between its operands.
    Binary {
        /// Which.
        op: BinaryOp,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// One of two values; both blocks have one, of the same type.
    If {
        /// A `Bool`.
        condition: Box<Expr>,
        /// When it holds.
        then: Block,
        /// When it does not.
        otherwise: Block,
    },
    /// Something about the transaction.
    Introspect {
        /// What.
        fact: Fact,
        /// Which input or output, from 0, for the facts that are about one.
        index: Option<Box<Expr>>,
    },
    /// A function of the language.
    Builtin {
        /// Which.
        builtin: Builtin,
        /// As many as [`Builtin`] says.
        args: Vec<Expr>,
    },
    /// Whether `sig` signs the transaction under `key` (`CHECKSIG`).
    Signed {
        /// A `PubKey`.
        key: Box<Expr>,
        /// A `Sig`.
        sig: Box<Expr>,
    },
    /// Whether `sig` signs the SHA-256 of `message` under `key` (`CHECKDATASIG`).
    DataSigned {
        /// A `PubKey`.
        key: Box<Expr>,
        /// Bytes.
        message: Box<Expr>,
        /// A `DataSig`.
        sig: Box<Expr>,
    },
    /// Whether `required` of the keys sign the transaction, each once (`CHECKMULTISIG` with check bits).
    Threshold {
        /// One to 20 of type `PubKey`.
        keys: Vec<Expr>,
        /// From 1 to the number of keys.
        required: u8,
        /// An argument of type `Sigs<required>`; no other expression reads it.
        sigs: ArgId,
    },
    /// A struct, tuple or array: its parts in order.
    Tuple(Vec<Expr>),
    /// A part of a struct, tuple or array.
    Element {
        /// The whole.
        base: Box<Expr>,
        /// Which part, from 0.
        index: usize,
    },
    /// An element of an array. The spend fails if there is none with this number.
    Index {
        /// The array.
        base: Box<Expr>,
        /// A number.
        index: Box<Expr>,
    },
    /// A value of an enum; the expression's type says which.
    Variant {
        /// Which variant, from 0.
        variant: usize,
        /// The values it carries.
        fields: Vec<Expr>,
    },
    /// Whether a value of an enum is this variant.
    Is {
        /// An enum.
        value: Box<Expr>,
        /// Which variant, from 0.
        variant: usize,
    },
    /// What a variant carries. It means something only where the value is known to be that variant.
    Payload {
        /// An enum.
        value: Box<Expr>,
        /// Which variant, from 0.
        variant: usize,
        /// Which of its fields, from 0.
        index: usize,
    },
    /// One of several values, by the variant of an enum; all blocks have one, of the same type.
    Match {
        /// An enum.
        value: Box<Expr>,
        /// Each variant has an arm, or the last arm has none. The first one that fits counts.
        arms: Vec<Arm>,
    },
    /// A value behind statements.
    Block(Block),
    /// Instructions as the author wrote them.
    ///
    /// The expression's type says what they leave: nothing for `Unit`, and otherwise the items of
    /// that value, bottom first.
    Asm {
        /// What they find on the stack, bottom first. They take all of it.
        inputs: Vec<Expr>,
        /// Bytecode that [`crate::asm_effect`] accepts.
        code: Vec<u8>,
    },
}

/// One case of a `match`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Arm {
    /// The variant that it is for; `None` for all that are left.
    pub variant: Option<usize>,
    /// The variables that get what the variant carries, where a name stands; empty without a variant.
    pub bindings: Vec<Option<LocalId>>,
    /// What then happens.
    pub body: Block,
}

/// Operators before an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    /// `-` of a number.
    Neg,
    /// `!` of a `Bool`.
    Not,
    /// `~` of bytes.
    BitNot,
}

/// How two items are compared or shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// As script numbers; a `Bool` counts as 0 or 1.
    Number,
    /// Byte by byte.
    Bytes,
}

/// Operators between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    /// The sum of numbers.
    Add,
    /// The difference of numbers.
    Sub,
    /// The product of numbers.
    Mul,
    /// The quotient of numbers, rounded toward zero. Fails for a zero divisor.
    Div,
    /// The remainder of that quotient, with the sign of the dividend. Fails for a zero divisor.
    Mod,
    /// `==`
    Equal(ItemKind),
    /// `!=`
    NotEqual(ItemKind),
    /// `<` of numbers.
    Less,
    /// `<=` of numbers.
    LessEqual,
    /// `>` of numbers.
    Greater,
    /// `>=` of numbers.
    GreaterEqual,
    /// `&&`; both sides are evaluated.
    And,
    /// `||`; both sides are evaluated.
    Or,
    /// `&` of bytes; fails unless both have one length.
    BitAnd,
    /// `|` of bytes; fails unless both have one length.
    BitOr,
    /// `^` of bytes; fails unless both have one length.
    BitXor,
    /// A number times a power of two, or bytes shifted within their length. The right operand is a
    /// number of bits; a negative one fails.
    ShiftLeft(ItemKind),
    /// A number divided by a power of two and rounded down, or bytes shifted within their length.
    ShiftRight(ItemKind),
    /// One string of bytes after the other.
    Concat,
}

/// What a script can read about its transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fact {
    /// `tx.version: Int`
    TxVersion,
    /// `tx.locktime: Int`
    TxLocktime,
    /// `tx.inputs.length: Int`
    InputCount,
    /// `tx.outputs.length: Int`
    OutputCount,
    /// `self.index: Int`
    InputIndex,
    /// `self.code: Bytes`
    ActiveBytecode,
    /// `tx.inputs[i].value: Coin`
    InputValue,
    /// `tx.inputs[i].lock: Lock`
    InputLock,
    /// `tx.inputs[i].txid: Bytes<32>`
    InputTxid,
    /// `tx.inputs[i].index: Int`
    InputOutpointIndex,
    /// `tx.inputs[i].unlock: Bytes`
    InputUnlock,
    /// `tx.inputs[i].sequence: Int`
    InputSequence,
    /// `tx.inputs[i].token.category: Bytes`
    InputCategory,
    /// `tx.inputs[i].token.commitment: Bytes`
    InputCommitment,
    /// `tx.inputs[i].token.amount: Tokens`
    InputTokens,
    /// `tx.outputs[i].value: Coin`
    OutputValue,
    /// `tx.outputs[i].lock: Lock`
    OutputLock,
    /// `tx.outputs[i].token.category: Bytes`
    OutputCategory,
    /// `tx.outputs[i].token.commitment: Bytes`
    OutputCommitment,
    /// `tx.outputs[i].token.amount: Tokens`
    OutputTokens,
}

/// Functions of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Builtin {
    /// `(bytes)`
    Sha256,
    /// `(bytes)`
    Sha1,
    /// `(bytes)`
    Ripemd160,
    /// `(bytes)`
    Hash160,
    /// `(bytes)`
    Hash256,
    /// `(bytes)`: their number.
    Size,
    /// `(bytes, n)`: the first `n`. Fails if there are fewer.
    Prefix,
    /// `(bytes, n)`: all but the first `n`. Fails if there are fewer.
    Suffix,
    /// `(bytes, from, to)`: the bytes from position `from` up to, not including, `to`.
    Slice,
    /// `(number, n)`: little-endian in exactly `n` bytes, the highest bit being the sign. Fails if it does not fit.
    ToBytes,
    /// `(bytes)`: the number they encode, little-endian with a sign bit, shortest or not.
    ToInt,
    /// `(bytes)`: last byte first.
    Reverse,
    /// `(number)`: without its sign.
    Abs,
    /// `(number, number)`: the smaller.
    Min,
    /// `(number, number)`: the larger.
    Max,
    /// `(x, low, high)`: whether `low <= x < high`.
    Within,
    /// `(hash)`: the lock that pays to the hash of a public key.
    LockP2pkh,
    /// `(hash)`: the lock that pays to the hash of a script.
    LockP2sh32,
    /// `(x)`: the same item with the expression's type; costs nothing.
    Cast,
    /// `(seconds)`: the `Duration` as the sequence number that locks so long: `2^22 + ceil(seconds / 512)`.
    AgeUnits,
}
