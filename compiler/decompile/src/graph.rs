//! What a script computes, as a graph: each instruction is one node, whoever uses its result.

use std::collections::BTreeMap;

use spec::Opcode;
use spec::num;

/// Nothing that is made of so many nodes is looked at for what it says about the number of items.
const COUNTED_MAX: usize = 32;

/// A node.
pub(crate) type Id = usize;

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// What the spender pushed: the item so many below the top when the script starts.
    Arg(usize),
    /// How many items lie on the stack: as many as the way takes of its spender, and so many more or less.
    Depth(isize),
    /// A constant.
    Const(Vec<u8>),
    /// The result of an instruction that leaves one item.
    Code(Opcode),
    /// The first bytes of an item, or the rest: the two results of `OP_SPLIT`.
    Head,
    /// See [`Op::Head`].
    Tail,
    /// A whole loop, with as many results as it has operands.
    Loop(Vec<u8>),
    /// A result of a loop.
    Result(usize),
    /// What a conditional leaves at a place where its branches differ.
    Choice,
}

/// A node with its operands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) op: Op,
    pub(crate) args: Vec<Id>,
}

/// The type by which a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Ty {
    Int,
    Bool,
    Bytes,
    Coin,
    Tokens,
    Sig,
    PubKey,
    DataSig,
}

impl Ty {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Int => "Int",
            Self::Bool => "Bool",
            Self::Bytes => "Bytes",
            Self::Coin => "Coin",
            Self::Tokens => "Tokens",
            Self::Sig => "Sig",
            Self::PubKey => "PubKey",
            Self::DataSig => "DataSig",
        }
    }

    /// Whether values are strings of bytes.
    pub(crate) const fn is_bytes(self) -> bool {
        matches!(self, Self::Bytes | Self::Sig | Self::PubKey | Self::DataSig)
    }
}

/// What happens besides computing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The script fails unless the value is true, or false.
    Require(Id, bool),
    /// A time lock.
    Time(Opcode, Id),
    /// The value is computed, which may fail.
    Compute(Id),
    /// One of two branches runs; the values that they leave make the choices.
    Branch(Box<Branch>),
}

/// A conditional whose branches come together again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Branch {
    pub(crate) condition: Id,
    pub(crate) then: Vec<Effect>,
    pub(crate) otherwise: Vec<Effect>,
    /// The nodes that stand for what the branches leave.
    pub(crate) choices: Vec<Id>,
    pub(crate) then_values: Vec<Id>,
    pub(crate) other_values: Vec<Id>,
}

/// All nodes. Operands come before those that use them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
}

impl Graph {
    pub(crate) fn add(&mut self, op: Op, args: Vec<Id>) -> Id {
        self.nodes.push(Node { op, args });
        self.nodes.len() - 1
    }

    pub(crate) fn get(&self, id: Id) -> Option<&Node> {
        self.nodes.get(id)
    }

    pub(crate) fn args(&self, id: Id) -> &[Id] {
        self.nodes.get(id).map(|node| node.args.as_slice()).unwrap_or_default()
    }

    pub(crate) fn constant(&self, id: Id) -> Option<&[u8]> {
        match &self.nodes.get(id)?.op {
            Op::Const(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The constant number that a node is.
    pub(crate) fn number(&self, id: Id) -> Option<i64> {
        num::decode(self.constant(id)?)
    }

    /// How many bytes a value has, as far as that is plain to see.
    pub(crate) fn length(&self, id: Id) -> Option<usize> {
        let mut waiting = vec![id];
        let mut sum = 0usize;
        for _ in 0..COUNTED_MAX {
            let Some(id) = waiting.pop() else { return Some(sum) };
            sum += match &self.get(id)?.op {
                Op::Const(bytes) => bytes.len(),
                Op::Head => usize::try_from(self.number(*self.args(id).get(1)?)?).ok()?,
                Op::Code(Opcode::Sha256 | Opcode::Hash256 | Opcode::OutpointTxHash) => 32,
                Op::Code(Opcode::Sha1 | Opcode::Ripemd160 | Opcode::Hash160) => 20,
                Op::Code(Opcode::Num2Bin) => usize::try_from(self.number(*self.args(id).get(1)?)?).ok()?,
                Op::Code(Opcode::Cat | Opcode::ReverseBytes) => {
                    waiting.extend_from_slice(self.args(id));
                    0
                }
                _ => return None,
            };
        }
        None
    }

    /// The type that a result has by itself; nothing for constants, arguments and choices.
    pub(crate) fn natural(&self, id: Id) -> Option<Ty> {
        match &self.nodes.get(id)?.op {
            Op::Code(opcode) => Some(result_of(*opcode)),
            Op::Head | Op::Tail | Op::Result(_) | Op::Loop(_) => Some(Ty::Bytes),
            Op::Depth(_) => Some(Ty::Int),
            Op::Arg(_) | Op::Const(_) | Op::Choice => None,
        }
    }

    /// Whether a node says something about how many items there are, and nothing about what they are.
    pub(crate) fn counts(&self, id: Id) -> bool {
        let all = self.needed([id], |_| false);
        let is = |id: &Id| self.get(*id).is_some_and(|node| matches!(node.op, Op::Depth(_)));
        let may =
            |id: &Id| self.get(*id).is_some_and(|node| matches!(node.op, Op::Depth(_) | Op::Const(_) | Op::Code(_)));
        all.len() <= COUNTED_MAX && all.iter().any(is) && all.iter().all(may)
    }

    /// The number that a node is for a spender who pushes `taken` items, as far as such numbers are made here.
    pub(crate) fn count(&self, id: Id, taken: usize) -> Option<i64> {
        use Opcode::*;
        let mut known: BTreeMap<Id, i64> = BTreeMap::new();
        let all = self.needed([id], |_| false);
        for id in all.into_iter().take(COUNTED_MAX) {
            let node = self.get(id)?;
            let arg = |place: usize| node.args.get(place).and_then(|arg| known.get(arg)).copied();
            let value = match &node.op {
                Op::Depth(more) => i64::try_from(taken.checked_add_signed(*more)?).ok()?,
                Op::Const(bytes) => num::decode(bytes)?,
                Op::Code(opcode) => {
                    let (a, b) = (arg(0)?, arg(1).unwrap_or_default());
                    match opcode {
                        NumEqual | Equal => i64::from(a == b),
                        NumNotEqual => i64::from(a != b),
                        LessThan => i64::from(a < b),
                        GreaterThan => i64::from(a > b),
                        LessThanOrEqual => i64::from(a <= b),
                        GreaterThanOrEqual => i64::from(a >= b),
                        Add => a.checked_add(b)?,
                        Sub => a.checked_sub(b)?,
                        Add1 => a.checked_add(1)?,
                        Sub1 => a.checked_sub(1)?,
                        Not => i64::from(a == 0),
                        NotEqual0 => i64::from(a != 0),
                        BoolAnd => i64::from(a != 0 && b != 0),
                        BoolOr => i64::from(a != 0 || b != 0),
                        Within => i64::from(b <= a && a < arg(2)?),
                        _ => return None,
                    }
                }
                _ => return None,
            };
            known.insert(id, value);
        }
        known.get(&id).copied()
    }

    /// Whether computing the node alone may fail.
    pub(crate) fn may_fail(&self, id: Id) -> bool {
        use Opcode::*;
        let Some(node) = self.nodes.get(id) else { return false };
        match &node.op {
            Op::Arg(_) | Op::Depth(_) | Op::Const(_) | Op::Choice | Op::Result(_) => false,
            Op::Head | Op::Tail | Op::Loop(_) => true,
            Op::Code(opcode) => match opcode {
                Equal | Size | Ripemd160 | Sha1 | Sha256 | Hash160 | Hash256 | InputIndex | ActiveBytecode
                | TxVersion | TxInputCount | TxOutputCount | TxLockTime | Ver | ReverseBytes => false,
                Not | NotEqual0 | BoolAnd | BoolOr => node.args.iter().any(|arg| self.natural(*arg) != Some(Ty::Bool)),
                _ => true,
            },
        }
    }

    /// Those among `roots` and what they are computed from, in order.
    pub(crate) fn needed(&self, roots: impl IntoIterator<Item = Id>, known: impl Fn(Id) -> bool) -> Vec<Id> {
        let mut waiting: Vec<Id> = roots.into_iter().collect();
        let mut found = std::collections::BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if !known(id) && found.insert(id) {
                waiting.extend_from_slice(self.args(id));
            }
        }
        found.into_iter().collect()
    }
}

/// The type of an instruction's result.
pub(crate) fn result_of(opcode: Opcode) -> Ty {
    use Opcode::*;
    match opcode {
        Equal | Not | NotEqual0 | BoolAnd | BoolOr | NumEqual | NumNotEqual | LessThan | GreaterThan
        | LessThanOrEqual | GreaterThanOrEqual | Within | CheckSig | CheckDataSig | CheckMultiSig => Ty::Bool,
        Size | Bin2Num | Add1 | Sub1 | LShiftNum | RShiftNum | Negate | Abs | Add | Sub | Mul | Div | Mod | Min
        | Max | Mul2 | Div2 | InputIndex | TxVersion | TxInputCount | TxOutputCount | TxLockTime | OutpointIndex
        | InputSequenceNumber => Ty::Int,
        UtxoValue | OutputValue => Ty::Coin,
        UtxoTokenAmount | OutputTokenAmount => Ty::Tokens,
        _ => Ty::Bytes,
    }
}

/// The type that an operand is read by; nothing where any will do.
pub(crate) fn wanted(op: &Op, place: usize) -> Option<Ty> {
    use Opcode::*;
    match op {
        Op::Head | Op::Tail => Some(if place == 0 { Ty::Bytes } else { Ty::Int }),
        Op::Code(opcode) => match (opcode, place) {
            (Equal | BoolAnd | BoolOr | Not | NotEqual0, _) => None,
            (CheckSig, 0) => Some(Ty::Sig),
            (CheckSig, _) | (CheckDataSig, 2) => Some(Ty::PubKey),
            (CheckDataSig, 0) => Some(Ty::DataSig),
            (LShiftBin | RShiftBin | Left | Right | Substr, place) if place > 0 => Some(Ty::Int),
            (Num2Bin, _) => Some(Ty::Int),
            (
                UtxoValue
                | UtxoBytecode
                | OutpointTxHash
                | OutpointIndex
                | InputBytecode
                | InputSequenceNumber
                | OutputValue
                | OutputBytecode
                | UtxoTokenCategory
                | UtxoTokenCommitment
                | UtxoTokenAmount
                | OutputTokenCategory
                | OutputTokenCommitment
                | OutputTokenAmount,
                _,
            ) => Some(Ty::Int),
            (
                Add1 | Sub1 | LShiftNum | RShiftNum | Negate | Abs | Add | Sub | Mul | Div | Mod | Min | Max | Mul2
                | Div2 | NumEqual | NumNotEqual | LessThan | GreaterThan | LessThanOrEqual | GreaterThanOrEqual
                | Within,
                _,
            ) => Some(Ty::Int),
            _ => Some(Ty::Bytes),
        },
        _ => Some(Ty::Bytes),
    }
}
