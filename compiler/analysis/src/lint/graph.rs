//! The values of a path with every call copied in: equal computations are one value.
//!
//! A value knows what it depends on, so that a question such as "does the spender choose this" costs
//! nothing however deep the computation is.

use std::sync::Arc;

use dashu_int::IBig;
use foldhash::HashMap;
use syntax::Loc;

use crate::hir::{BinaryOp, Builtin, Fact, Type, UnaryOp};

/// A computed value of the path: an index into the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Value(u32);

impl Value {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a value is made from its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Op {
    Int(IBig),
    Bool(bool),
    Bytes(Arc<[u8]>),
    Param(usize),
    Arg(usize),
    /// Something about the transaction; the index is the only part.
    Fact(Fact),
    Unary(UnaryOp),
    Binary(BinaryOp),
    Builtin(Builtin),
    /// A key and a signature.
    Signed,
    /// A key, a message and a signature.
    DataSigned,
    /// The keys of a multisig.
    Threshold,
    Tuple,
    Element(usize),
    Index,
    Variant(usize),
    /// What a variant carries at a position.
    Payload(usize, usize),
    /// Whether an enum is this variant.
    Is(usize),
    /// A condition and the values when it holds and when it does not.
    Choice,
    /// Different in each round of a loop, or not followed further.
    Opaque(u32),
}

/// What a value depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks(u32);

impl Marks {
    pub(super) const ARG: Marks = Marks(1);
    pub(super) const PARAM: Marks = Marks(1 << 1);
    /// The value of the contract's own coin.
    pub(super) const OWN_VALUE: Marks = Marks(1 << 2);
    /// The category or the commitment of its token.
    pub(super) const OWN_TOKEN: Marks = Marks(1 << 3);
    /// The amount of its token.
    pub(super) const OWN_AMOUNT: Marks = Marks(1 << 4);
    /// The transaction and output that made it.
    pub(super) const OWN_OUTPOINT: Marks = Marks(1 << 5);
    /// The position of its input.
    pub(super) const OWN_INDEX: Marks = Marks(1 << 6);
    pub(super) const LOCK_TIME: Marks = Marks(1 << 7);
    /// Anything about an output.
    pub(super) const OUTPUT: Marks = Marks(1 << 8);
    /// Anything about an input that may be another one.
    pub(super) const OTHER_INPUT: Marks = Marks(1 << 9);
    /// Anything else about the transaction.
    pub(super) const OTHER_FACT: Marks = Marks(1 << 10);
    /// The commitment of its token.
    pub(super) const OWN_STATE: Marks = Marks(1 << 11);
    /// The value of any input.
    pub(super) const INPUT_VALUE: Marks = Marks(1 << 12);

    pub(super) fn and(self, other: Marks) -> Marks {
        Marks(self.0 | other.0)
    }

    pub(super) fn meets(self, other: Marks) -> bool {
        self.0 & other.0 != 0
    }
}

/// Which arguments of the path a value depends on; all from the 128th on count as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Args(u128);

impl Args {
    fn one(index: usize) -> Args {
        Args(1 << index.min(127))
    }

    pub(super) fn and(self, other: Args) -> Args {
        Args(self.0 | other.0)
    }

    pub(super) fn common(self, other: Args) -> Args {
        Args(self.0 & other.0)
    }

    pub(super) fn meets(self, other: Args) -> bool {
        self.0 & other.0 != 0
    }
}

/// A value with what is known about it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) op: Op,
    pub(super) parts: Vec<Value>,
    pub(super) ty: Type,
    /// Where it is computed first.
    pub(super) loc: Loc,
    pub(super) marks: Marks,
    pub(super) args: Args,
}

/// All values of a path.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    known: HashMap<(Op, Vec<Value>, Type), Value>,
    opaque: u32,
}

impl Graph {
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Every value; the parts of each come before it.
    pub(super) fn values(&self) -> impl Iterator<Item = (Value, &Node)> {
        (0u32..).map(Value).zip(&self.nodes)
    }

    pub(super) fn node(&self, value: Value) -> &Node {
        self.nodes.get(value.index()).expect("values come from this graph")
    }

    pub(super) fn op(&self, value: Value) -> &Op {
        &self.node(value).op
    }

    pub(super) fn parts(&self, value: Value) -> &[Value] {
        &self.node(value).parts
    }

    pub(super) fn marks(&self, value: Value) -> Marks {
        self.node(value).marks
    }

    pub(super) fn args(&self, value: Value) -> Args {
        self.node(value).args
    }

    pub(super) fn ty(&self, value: Value) -> &Type {
        &self.node(value).ty
    }

    pub(super) fn loc(&self, value: Value) -> &Loc {
        &self.node(value).loc
    }

    /// The value that `op` makes of `parts`.
    pub(super) fn add(&mut self, op: Op, parts: Vec<Value>, ty: Type, loc: &Loc) -> Value {
        if let Some(simpler) = self.simpler(&op, &parts) {
            return simpler;
        }
        let key = (op, parts, ty);
        if let Some(value) = self.known.get(&key) {
            return *value;
        }
        let (op, parts, ty) = key.clone();
        let (marks, args) = self.of_parts(&parts);
        let marks = marks.and(self.own_marks(&op, &parts));
        let args = if let Op::Arg(index) = op { args.and(Args::one(index)) } else { args };
        let value = self.push(Node { op, parts, ty, loc: loc.clone(), marks, args });
        self.known.insert(key, value);
        value
    }

    /// A value that nothing is known about but what it may depend on.
    pub(super) fn opaque(&mut self, parts: &[Value], ty: Type, loc: &Loc) -> Value {
        self.opaque += 1;
        let (marks, args) = self.of_parts(parts);
        self.push(Node { op: Op::Opaque(self.opaque), parts: Vec::new(), ty, loc: loc.clone(), marks, args })
    }

    fn push(&mut self, node: Node) -> Value {
        self.nodes.push(node);
        Value(u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX))
    }

    fn of_parts(&self, parts: &[Value]) -> (Marks, Args) {
        parts.iter().fold((Marks::default(), Args::default()), |(marks, args), part| {
            (marks.and(self.marks(*part)), args.and(self.args(*part)))
        })
    }

    /// A part taken out of something whose parts are known.
    fn simpler(&self, op: &Op, parts: &[Value]) -> Option<Value> {
        match (op, parts) {
            (Op::Element(at), [whole]) if *self.op(*whole) == Op::Tuple => self.parts(*whole).get(*at).copied(),
            (Op::Payload(variant, at), [whole]) if *self.op(*whole) == Op::Variant(*variant) => {
                self.parts(*whole).get(*at).copied()
            }
            (Op::Index, [whole, at]) if *self.op(*whole) == Op::Tuple => {
                self.parts(*whole).get(usize::try_from(self.int(*at)?).ok()?).copied()
            }
            (Op::Choice, [_, then, otherwise]) if then == otherwise => Some(*then),
            (Op::Builtin(Builtin::Cast), [only]) => Some(*only),
            _ => None,
        }
    }

    fn own_marks(&self, op: &Op, parts: &[Value]) -> Marks {
        let own = parts.first().is_some_and(|index| *self.op(*index) == Op::Fact(Fact::InputIndex));
        match op {
            Op::Param(_) => Marks::PARAM,
            Op::Arg(_) | Op::Signed | Op::DataSigned | Op::Threshold => Marks::ARG,
            Op::Fact(fact) => fact_marks(*fact, own),
            _ => Marks::default(),
        }
    }

    /// The number, if it is written in the source.
    pub(super) fn int(&self, value: Value) -> Option<&IBig> {
        match self.op(value) {
            Op::Int(n) => Some(n),
            _ => None,
        }
    }

    /// The number, if it is written in the source and small.
    pub(super) fn small(&self, value: Value) -> Option<i64> {
        self.int(value).and_then(|n| i64::try_from(n).ok())
    }

    /// What the transaction says, and for which input or output.
    pub(super) fn fact(&self, value: Value) -> Option<(Fact, Option<Value>)> {
        match self.node(value) {
            Node { op: Op::Fact(fact), parts, .. } => Some((*fact, parts.first().copied())),
            _ => None,
        }
    }

    /// What the transaction says, if the value is that or is cut out of it.
    pub(super) fn read(&self, value: Value) -> Option<(Fact, Option<Value>)> {
        let mut value = value;
        while let (
            Op::Builtin(Builtin::Prefix | Builtin::Suffix | Builtin::Slice | Builtin::ToInt)
            | Op::Binary(BinaryOp::Concat),
            [bytes, ..],
        ) = (self.op(value), self.parts(value))
        {
            value = *bytes;
        }
        self.fact(value)
    }

    /// Every value that `value` is computed from, itself first; at most `limit` of them.
    pub(super) fn all_parts(&self, value: Value, limit: usize) -> Vec<Value> {
        let mut seen = std::collections::BTreeSet::from([value]);
        let mut found = vec![value];
        let mut at = 0;
        while let Some(next) = found.get(at).copied().filter(|_| found.len() < limit) {
            at += 1;
            found.extend(self.parts(next).iter().copied().filter(|part| seen.insert(*part)));
        }
        found
    }
}

fn fact_marks(fact: Fact, own: bool) -> Marks {
    match fact {
        Fact::TxLocktime => Marks::LOCK_TIME,
        Fact::InputIndex => Marks::OWN_INDEX,
        Fact::InputValue if own => Marks::OWN_VALUE.and(Marks::INPUT_VALUE),
        Fact::InputValue => Marks::OTHER_INPUT.and(Marks::INPUT_VALUE),
        Fact::InputCommitment if own => Marks::OWN_TOKEN.and(Marks::OWN_STATE),
        Fact::InputCategory if own => Marks::OWN_TOKEN,
        Fact::InputTokens if own => Marks::OWN_AMOUNT,
        Fact::InputTxid | Fact::InputOutpointIndex if own => Marks::OWN_OUTPOINT,
        Fact::InputTxid
        | Fact::InputOutpointIndex
        | Fact::InputCategory
        | Fact::InputCommitment
        | Fact::InputTokens => Marks::OTHER_INPUT,
        Fact::InputLock | Fact::InputUnlock | Fact::InputSequence if !own => Marks::OTHER_INPUT,
        Fact::OutputCount
        | Fact::OutputValue
        | Fact::OutputLock
        | Fact::OutputCategory
        | Fact::OutputCommitment
        | Fact::OutputTokens => Marks::OUTPUT,
        Fact::TxVersion
        | Fact::InputCount
        | Fact::ActiveBytecode
        | Fact::InputLock
        | Fact::InputUnlock
        | Fact::InputSequence => Marks::OTHER_FACT,
    }
}
