//! What a way through a path says about numbers, inputs and outputs.

use std::collections::{BTreeMap, BTreeSet};

use dashu_int::IBig;

use super::graph::{Args, Graph, Marks, Op, Value};
use super::ways::{Compare, Known, Way, What};
use crate::hir::{BinaryOp, Builtin, Fact};

/// The most pieces of a concatenation that are told apart; no script joins more.
const PIECES_MAX: usize = 256;

/// A way with its comparisons by what they compare.
pub(super) struct View<'g> {
    pub(super) graph: &'g Graph,
    pub(super) way: &'g Way,
    /// Each comparison twice, with either side first.
    sides: Vec<Side<'g>>,
    by_value: BTreeMap<Value, Vec<usize>>,
    /// By the fact about an input or output that they compare, or a part of it.
    by_coin: BTreeMap<(Fact, Value), Vec<usize>>,
    /// The lengths that are compared, by what they are the lengths of.
    lengths: BTreeMap<Value, Vec<Value>>,
    /// The values that are the position of the contract's own input.
    own: BTreeSet<Value>,
    /// The arguments that the spender cannot choose freely.
    bound: Args,
    /// Somebody in particular must agree.
    pub(super) authorised: bool,
    /// At most one input can satisfy the way, so far as the inputs' positions decide.
    pub(super) alone: bool,
    /// The most outputs that the transaction may have.
    pub(super) outputs_max: Option<IBig>,
}

/// A comparison, seen from one of its sides.
#[derive(Clone, Copy)]
pub(super) struct Side<'g> {
    pub(super) known: &'g Known,
    pub(super) compare: Compare,
    pub(super) this: Value,
    pub(super) other: Value,
}

impl<'g> View<'g> {
    pub(super) fn new(graph: &'g Graph, way: &'g Way) -> Self {
        let mut view = View {
            graph,
            way,
            sides: Vec::new(),
            by_value: BTreeMap::new(),
            by_coin: BTreeMap::new(),
            lengths: BTreeMap::new(),
            own: BTreeSet::new(),
            bound: Args::default(),
            authorised: false,
            alone: false,
            outputs_max: None,
        };
        for known in &way.known {
            let What::Compare(compare, a, b) = known.what else { continue };
            for (compare, this, other) in [(compare, a, b), (compare.mirrored(), b, a)] {
                view.by_value.entry(this).or_default().push(view.sides.len());
                if let (Op::Builtin(Builtin::Size), [of]) = (graph.op(this), graph.parts(this)) {
                    view.lengths.entry(*of).or_default().push(this);
                }
                if let Some((fact, Some(index))) = graph.read(this) {
                    view.by_coin.entry((fact, index)).or_default().push(view.sides.len());
                }
                view.sides.push(Side { known, compare, this, other });
            }
        }
        view.settle();
        view
    }

    /// Answers what is asked often, once.
    fn settle(&mut self) {
        let inputs_max = self.count_max(Fact::InputCount);
        self.outputs_max = self.count_max(Fact::OutputCount);
        let single = inputs_max.is_some_and(|count| count <= IBig::ONE);
        self.alone = single || self.sides().any(|side| self.pins_position(side));
        let at_own = |side: &Side<'_>| {
            side.compare == Compare::Equal && *self.graph.op(side.other) == Op::Fact(Fact::InputIndex)
        };
        self.own = self.sides().filter(at_own).map(|side| side.this).collect();
        if single {
            let zeros = (self.sides().map(|side| side.this)).filter_map(|value| self.graph.fact(value)?.1);
            let zeros: Vec<Value> = zeros.filter(|index| self.graph.small(*index) == Some(0)).collect();
            self.own.extend(zeros);
        }
        self.bound = self
            .sides()
            .filter(|side| self.binds(*side))
            .fold(Args::default(), |bound, side| bound.and(self.graph.args(side.this)));
        let signed = |known: &Known| matches!(known.what, What::True(value) if self.is_signature(value));
        self.authorised = self.way.known.iter().any(signed) || self.sides().any(|side| self.is_authority(side));
    }

    /// Every comparison from either side, those inside of loops too.
    pub(super) fn sides(&self) -> impl Iterator<Item = Side<'g>> + '_ {
        self.sides.iter().copied()
    }

    /// The comparisons of one value.
    pub(super) fn of(&self, value: Value) -> impl Iterator<Item = Side<'g>> + '_ {
        self.by_value.get(&value).into_iter().flatten().filter_map(|at| self.sides.get(*at)).copied()
    }

    /// The comparisons of a fact about one input or output, or of a part of it.
    pub(super) fn about(&self, fact: Fact, index: Value) -> impl Iterator<Item = Side<'g>> + '_ {
        self.by_coin.get(&(fact, index)).into_iter().flatten().filter_map(|at| self.sides.get(*at)).copied()
    }

    /// The values that are the length of this one.
    pub(super) fn lengths_of(&self, bytes: Value) -> Vec<Value> {
        self.lengths.get(&bytes).cloned().unwrap_or_default()
    }

    /// What a fact about one input or output must equal, as a whole.
    pub(super) fn equals(&self, fact: Fact, index: Value) -> impl Iterator<Item = Value> + '_ {
        let whole = move |side: &Side<'_>| self.graph.fact(side.this).is_some() && side.compare == Compare::Equal;
        self.about(fact, index).filter(whole).map(|side| side.other)
    }

    /// The largest number that `value` can be, by comparisons with numbers of the source.
    pub(super) fn at_most(&self, value: Value) -> Option<IBig> {
        if let Some(n) = self.graph.int(value) {
            return Some(n.clone());
        }
        let bound = |side: Side<'_>| {
            let n = self.graph.int(side.other)?;
            match side.compare {
                Compare::Equal | Compare::LessEqual => Some(n.clone()),
                Compare::Less => Some(n - IBig::ONE),
                Compare::NotEqual | Compare::Greater | Compare::GreaterEqual => None,
            }
        };
        let sides = || self.of(value).filter(|side| side.known.loops.is_empty());
        let most = sides().filter_map(bound).min()?;
        let excluded =
            |n: &IBig| sides().any(|side| side.compare == Compare::NotEqual && self.graph.int(side.other) == Some(n));
        Some(if excluded(&most) { most - IBig::ONE } else { most })
    }

    fn count_max(&self, fact: Fact) -> Option<IBig> {
        let counts = self.by_value.keys().filter(|value| *self.graph.op(**value) == Op::Fact(fact));
        counts.filter_map(|value| self.at_most(*value)).min()
    }

    /// Whether the comparison says which input this must be.
    fn pins_position(&self, side: Side<'_>) -> bool {
        if *self.graph.op(side.this) != Op::Fact(Fact::InputIndex) || !side.known.loops.is_empty() {
            return false;
        }
        match side.compare {
            Compare::Equal => !self.graph.marks(side.other).meets(Marks::ARG.and(Marks::OWN_INDEX)),
            Compare::Less | Compare::LessEqual => self.at_most(side.this).is_some_and(|n| n <= IBig::ZERO),
            Compare::NotEqual | Compare::Greater | Compare::GreaterEqual => false,
        }
    }

    /// Whether an index is that of the contract's own input.
    pub(super) fn is_own(&self, index: Value) -> bool {
        *self.graph.op(index) == Op::Fact(Fact::InputIndex) || self.own.contains(&index)
    }

    /// Whether a value is this fact about the contract's own coin.
    pub(super) fn is_own_fact(&self, value: Value, fact: Fact) -> bool {
        matches!(self.graph.fact(value), Some((found, Some(index))) if found == fact && self.is_own(index))
    }

    /// Whether the value does not come from the spender, who chooses arguments and outputs.
    pub(super) fn is_given(&self, value: Value) -> bool {
        !self.graph.marks(value).meets(Marks::ARG.and(Marks::OUTPUT))
    }

    /// Whether the comparison fixes bytes of the spender, or their hash, to something given.
    fn binds(&self, side: Side<'_>) -> bool {
        let direct = matches!(self.graph.op(side.this), Op::Arg(_)) || self.is_hash(side.this);
        side.compare == Compare::Equal && direct && self.graph.ty(side.this).is_bytes() && self.is_given(side.other)
    }

    /// Whether the spender cannot choose the value freely: it, or a hash of it, equals something given.
    pub(super) fn is_bound(&self, value: Value) -> bool {
        self.is_given(value) || self.graph.args(value).meets(self.bound)
    }

    /// Whether the value is a signature by a key that the spender does not choose.
    pub(super) fn is_signature(&self, value: Value) -> bool {
        let keys = match (self.graph.op(value), self.graph.parts(value)) {
            (Op::Signed | Op::DataSigned, [key, ..]) => std::slice::from_ref(key),
            (Op::Threshold, keys) => keys,
            _ => return false,
        };
        keys.iter().any(|key| self.is_bound(*key))
    }

    /// Whether the value is a digest.
    pub(super) fn is_hash(&self, value: Value) -> bool {
        let hashes = [Builtin::Sha256, Builtin::Sha1, Builtin::Ripemd160, Builtin::Hash160, Builtin::Hash256];
        matches!(self.graph.op(value), Op::Builtin(builtin) if hashes.contains(builtin))
    }

    /// Whether the comparison demands a secret, or a coin of somebody else beside.
    pub(super) fn is_authority(&self, side: Side<'_>) -> bool {
        if side.compare != Compare::Equal || !self.is_given(side.other) {
            return false;
        }
        let secret = self.is_hash(side.this) && self.graph.marks(side.this).meets(Marks::ARG);
        let beside = match self.graph.fact(side.this) {
            Some((Fact::InputLock | Fact::InputCategory | Fact::InputTxid, Some(index))) => {
                !self.is_own(index) && !self.graph.marks(side.other).meets(Marks::OTHER_INPUT)
            }
            _ => false,
        };
        secret || beside
    }

    /// The pieces that a value is joined from, in order.
    pub(super) fn pieces(&self, value: Value) -> Vec<Value> {
        let mut out = Vec::new();
        let mut waiting = vec![value];
        while let Some(next) = waiting.pop() {
            match (self.graph.op(next), self.graph.parts(next)) {
                (Op::Binary(BinaryOp::Concat), [a, b]) if waiting.len() < PIECES_MAX => waiting.extend([*b, *a]),
                _ => out.push(next),
            }
            if out.len() > PIECES_MAX {
                break;
            }
        }
        out
    }
}
