//! The middle form: pure values as a graph without duplicates, and the ordered checks of a path.
//!
//! A node means the same wherever it stands, so equal computations are one node. Values are lazy:
//! a node that no check needs is never computed, and one that only a branch needs is computed there.
//! Whatever can fail, fails the whole transaction, so a node that is computed in any case may be
//! computed early.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use spec::Opcode;
use spec::artifact::Part;
use spec::script::{push_len, push_len_of};

use crate::code::{Code, PlaceId, Rounds, SiteId, text_len};
use crate::numbering::Numbering;

/// A value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(u32);

impl NodeId {
    /// Its place in the graph; operands come before what is computed from them.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// What computes a value from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Operation {
    /// An opcode that leaves one item.
    Op(Opcode),
    /// The number of bytes: `OP_SIZE` without the item it keeps.
    Length,
    /// The first half of `OP_SPLIT`.
    Head,
    /// The second half of `OP_SPLIT`.
    Tail,
    /// The shared function with this number, which leaves one item.
    Call(u8),
}

/// What a value is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum NodeKind {
    /// Bytes; numbers in their minimal encoding.
    Const(Vec<u8>),
    /// The contract's parameter with this index.
    Param(usize),
    /// Constants and parameters, one behind the other, in one push.
    Text(Vec<Part>),
    /// The item with this index among all items of the path's arguments.
    Arg(usize),
    /// What a conditional chose, a variable of a loop or what given instructions left; numbered in order of creation.
    Phi(u32),
    /// A computation.
    Op(Operation, Vec<NodeId>),
}

/// A value with what is known about it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    /// Where it was first written.
    pub(crate) place: PlaceId,
    /// Whether an argument is among what it is computed from.
    pub(crate) from_args: bool,
    /// The bytes that compute it from nothing; [`Node::FIXED`] if it lies on the stack from the start.
    pub(crate) weight: u32,
}

impl Node {
    /// The weight of what cannot be computed again.
    pub(crate) const FIXED: u32 = u32::MAX;
}

/// All values of one path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    ids: Numbering,
    phis: u32,
    param_weights: Vec<u32>,
    call_lens: Vec<usize>,
    /// Arguments that stand for others, of which there are as many as the branch says that asks for them.
    holders: BTreeSet<NodeId>,
    /// Whether computations stay as they are written, but for those of constants alone.
    plain: bool,
}

impl Graph {
    /// A graph for a contract whose parameters take about so many bytes to push,
    /// and whose shared functions have so many instructions.
    pub(crate) fn new(param_weights: Vec<u32>, call_lens: Vec<usize>) -> Self {
        Self { param_weights, call_lens, ..Self::default() }
    }

    /// A graph for the same contract, without values.
    pub(crate) fn anew(&self) -> Self {
        Self::new(self.param_weights.clone(), self.call_lens.clone())
    }

    /// An argument that stands for others.
    pub(crate) fn holder(&mut self, item: usize, place: PlaceId) -> NodeId {
        let holder = self.arg(item, place);
        self.holders.insert(holder);
        holder
    }

    pub(crate) fn is_holder(&self, id: NodeId) -> bool {
        self.holders.contains(&id)
    }

    /// All values, operands before what is computed from them.
    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The same graph, in which computations stay as they are written.
    pub(crate) fn plain(self) -> Self {
        Self { plain: true, ..self }
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    pub(crate) fn call_lens(&self) -> &[usize] {
        &self.call_lens
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id.0 as usize).expect("ids come from this graph")
    }

    pub(crate) fn kind(&self, id: NodeId) -> &NodeKind {
        &self.node(id).kind
    }

    /// The node of this kind, if there is one already.
    pub(crate) fn find(&self, kind: &NodeKind) -> Option<NodeId> {
        self.ids.find(kind, |at| self.nodes.get(at as usize).is_some_and(|node| node.kind == *kind)).map(NodeId)
    }

    /// A constant.
    pub(crate) fn bytes(&mut self, data: Vec<u8>, place: PlaceId) -> NodeId {
        self.intern(NodeKind::Const(data), place)
    }

    /// A constant number.
    pub(crate) fn int(&mut self, n: i64, place: PlaceId) -> NodeId {
        self.bytes(spec::num::encode(n), place)
    }

    pub(crate) fn param(&mut self, index: usize, place: PlaceId) -> NodeId {
        self.intern(NodeKind::Param(index), place)
    }

    pub(crate) fn arg(&mut self, item: usize, place: PlaceId) -> NodeId {
        self.intern(NodeKind::Arg(item), place)
    }

    /// A new value that no computation of this graph gives.
    pub(crate) fn phi(&mut self, place: PlaceId) -> NodeId {
        self.phis += 1;
        self.intern(NodeKind::Phi(self.phis), place)
    }

    /// The bytes of a constant.
    pub(crate) fn as_const(&self, id: NodeId) -> Option<&[u8]> {
        match self.kind(id) {
            NodeKind::Const(data) => Some(data),
            NodeKind::Param(_) | NodeKind::Text(_) | NodeKind::Arg(_) | NodeKind::Phi(_) | NodeKind::Op(..) => None,
        }
    }

    /// All nodes, operands before what is computed from them.
    pub(crate) fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(NodeId)
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The operation and operands of a computation.
    pub(crate) fn as_op(&self, id: NodeId) -> Option<(Operation, &[NodeId])> {
        match self.kind(id) {
            NodeKind::Op(operation, inputs) => Some((*operation, inputs)),
            NodeKind::Const(_) | NodeKind::Param(_) | NodeKind::Text(_) | NodeKind::Arg(_) | NodeKind::Phi(_) => None,
        }
    }

    /// The node of `kind`, new if there is none.
    pub(crate) fn intern(&mut self, kind: NodeKind, place: PlaceId) -> NodeId {
        if let Some(id) = self.find(&kind) {
            return id;
        }
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.ids.add(&kind, id.0);
        self.nodes.push(Node { place, from_args: self.is_from_args(&kind), weight: self.weight(&kind), kind });
        id
    }

    fn weight(&self, kind: &NodeKind) -> u32 {
        match kind {
            NodeKind::Const(data) => u32::try_from(push_len(data)).unwrap_or(Node::FIXED - 1),
            NodeKind::Param(index) => self.param_weight(*index),
            NodeKind::Text(parts) => {
                let len = text_len(parts, |index| self.param_weight(index) as usize);
                u32::try_from(push_len_of(len)).unwrap_or(Node::FIXED - 1)
            }
            NodeKind::Arg(_) | NodeKind::Phi(_) => Node::FIXED,
            NodeKind::Op(operation, inputs) => {
                let own = match operation {
                    Operation::Op(_) => 1,
                    Operation::Length | Operation::Head | Operation::Tail | Operation::Call(_) => 2,
                };
                inputs.iter().fold(own, |sum: u32, input| sum.saturating_add(self.node(*input).weight))
            }
        }
    }

    fn param_weight(&self, index: usize) -> u32 {
        self.param_weights.get(index).copied().unwrap_or(1)
    }

    /// The same graph with every joining of constants and parameters as one text; nothing if there is none.
    pub(crate) fn with_texts(&self) -> Option<Self> {
        self.nodes.iter().find_map(|node| self.text_of(&node.kind))?;
        let mut graph = self.clone();
        for at in 0..self.nodes.len() {
            let Some(node) = graph.nodes.get(at) else { break };
            let text = graph.text_of(&node.kind);
            let weight = graph.weight(text.as_ref().unwrap_or(&node.kind));
            let Some(node) = graph.nodes.get_mut(at) else { break };
            node.weight = weight;
            if let Some(text) = text {
                graph.ids.add(&text, u32::try_from(at).unwrap_or(u32::MAX));
                node.kind = text;
            }
        }
        Some(graph)
    }

    /// Whether any text has parameters inside.
    pub(crate) fn has_texts(&self) -> bool {
        self.nodes.iter().any(|node| matches!(node.kind, NodeKind::Text(_)))
    }

    fn text_of(&self, kind: &NodeKind) -> Option<NodeKind> {
        let NodeKind::Op(Operation::Op(Opcode::Cat), inputs) = kind else { return None };
        let mut parts: Vec<Part> = Vec::new();
        for input in inputs {
            let more = match self.kind(*input) {
                NodeKind::Const(data) => vec![Part::Bytes(data.clone())],
                NodeKind::Param(index) => vec![Part::Param(*index)],
                NodeKind::Text(parts) => parts.clone(),
                NodeKind::Arg(_) | NodeKind::Phi(_) | NodeKind::Op(..) => return None,
            };
            for part in more {
                match (parts.last_mut(), part) {
                    (Some(Part::Bytes(last)), Part::Bytes(bytes)) => last.extend(bytes),
                    (_, part) => parts.push(part),
                }
            }
        }
        Some(NodeKind::Text(parts))
    }

    fn is_from_args(&self, kind: &NodeKind) -> bool {
        match kind {
            NodeKind::Const(_) | NodeKind::Param(_) | NodeKind::Text(_) => false,
            NodeKind::Arg(_) | NodeKind::Phi(_) => true,
            NodeKind::Op(_, inputs) => inputs.iter().any(|input| self.node(*input).from_args),
        }
    }
}

/// A check or a choice, in order.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// The value must be true.
    Verify {
        /// What must hold.
        value: NodeId,
        /// What to say otherwise.
        site: Option<SiteId>,
        /// Where it was written.
        place: PlaceId,
    },
    /// A time lock.
    Lock {
        /// `OP_CHECKLOCKTIMEVERIFY` or `OP_CHECKSEQUENCEVERIFY`.
        opcode: Opcode,
        /// The least time.
        value: NodeId,
        /// What to say otherwise.
        site: SiteId,
        /// Where it was written.
        place: PlaceId,
    },
    /// One of two blocks.
    Choose(Box<Choice>),
    /// A block again and again.
    Repeat(Box<Repeat>),
    /// Given instructions.
    Run(Box<Run>),
}

/// A loop: the body runs at least once.
#[derive(Clone, Debug)]
pub(crate) struct Repeat {
    /// Which loop of the path it is, in order of creation.
    pub(crate) id: u32,
    pub(crate) place: PlaceId,
    /// What changes from round to round, in the order in which it lies on the stack between rounds, top last.
    pub(crate) vars: Vec<Var>,
    /// How often the body runs.
    pub(crate) rounds: Rounds,
    /// What each round finds at the bottom of the stack and takes away, top last.
    pub(crate) records: Vec<NodeId>,
    pub(crate) body: Block,
    pub(crate) exit: Exit,
}

/// When a loop ends, looked at after each round.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Exit {
    /// The value is true.
    When(NodeId),
    /// The stack holds nothing but what the script knows of: all records are used up.
    NoRecords,
}

/// A value that changes from round to round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Var {
    /// In a round, before it changes.
    pub(crate) entry: NodeId,
    /// Before the first round.
    pub(crate) initial: NodeId,
    /// At the end of a round.
    pub(crate) next: NodeId,
    /// After the last round.
    pub(crate) result: NodeId,
}

impl Repeat {
    /// What a round leaves, the exit condition on top if it is a value.
    pub(crate) fn yields(&self) -> Vec<NodeId> {
        let exit = match self.exit {
            Exit::When(exit) => Some(exit),
            Exit::NoRecords => None,
        };
        self.vars.iter().map(|var| var.next).chain(exit).collect()
    }

    /// The values that exist only in its rounds, those of inner blocks apart.
    pub(crate) fn own_phis(&self) -> impl Iterator<Item = NodeId> {
        self.vars.iter().map(|var| var.entry).chain(self.records.iter().copied())
    }
}

/// A conditional.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) condition: NodeId,
    pub(crate) place: PlaceId,
    pub(crate) then: Block,
    pub(crate) otherwise: Block,
    /// What the choice leaves behind.
    pub(crate) phis: Vec<Phi>,
    /// Of what joined paths, or what ends alike in both blocks.
    pub(crate) fork: Option<Box<Fork>>,
}

/// A conditional whose way is of interest behind it.
#[derive(Clone, Debug)]
pub(crate) struct Fork {
    /// Its mark.
    pub(crate) site: SiteId,
    pub(crate) test: Test,
    /// The argument on the stack that stands for [`Fork::extras`].
    pub(crate) holder: Option<NodeId>,
    /// The arguments that lie there in either block, and only there: bottom first, the items of one together.
    pub(crate) extras: [Vec<Vec<NodeId>>; 2],
    /// Where the values of either block were written, if it belongs to one path.
    pub(crate) written: [Written; 2],
}

/// Where one path has written values that are written elsewhere as well.
pub(crate) type Written = Rc<BTreeMap<NodeId, PlaceId>>;

/// How a conditional decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    /// By the truth of its condition.
    Truth,
    /// By its condition, which must be exactly 1 or 0.
    Bit,
    /// By its condition counted down: the first block if that gives 0, else the second, which finds the rest as this value.
    Count(NodeId),
    /// By the number of items on the stack.
    Depth,
}

/// A value that depends on the branch taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phi {
    pub(crate) result: NodeId,
    pub(crate) then: NodeId,
    pub(crate) otherwise: NodeId,
    /// If it is the outcome of a check of either block that is judged behind the conditional, those checks.
    pub(crate) verdicts: [Option<SiteId>; 2],
}

/// Given instructions: they take their inputs and leave their results, and may fail.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) code: Code,
    pub(crate) place: PlaceId,
    /// Bottom first.
    pub(crate) inputs: Vec<NodeId>,
    /// Bottom first.
    pub(crate) results: Vec<NodeId>,
}

/// Effects in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Block {
    pub(crate) effects: Vec<Effect>,
}

/// One way to spend a contract.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) graph: Graph,
    pub(crate) body: Block,
    /// How many items each argument takes; none where it is the list of records.
    pub(crate) arg_items: Vec<usize>,
    /// The argument that lies beneath all others, as many items as there are.
    pub(crate) list: Option<usize>,
    /// What it leaves; nothing unless it is a shared function.
    pub(crate) results: Vec<NodeId>,
    /// Arguments that a conditional brings up, which do not lie on the stack from the start.
    pub(crate) hidden: BTreeSet<usize>,
}

impl Block {
    /// Whether running it can fail a spend by anything but a computation.
    pub(crate) fn has_checks(&self) -> bool {
        self.effects.iter().any(|effect| match effect {
            Effect::Verify { .. } | Effect::Lock { .. } | Effect::Run(_) => true,
            Effect::Choose(choice) => choice.then.has_checks() || choice.otherwise.has_checks(),
            Effect::Repeat(repeat) => !repeat.records.is_empty() || repeat.body.has_checks(),
        })
    }
}

impl Effect {
    /// Where it was written.
    pub(crate) fn place(&self) -> PlaceId {
        match self {
            Self::Verify { place, .. } | Self::Lock { place, .. } => *place,
            Self::Choose(choice) => choice.place,
            Self::Repeat(repeat) => repeat.place,
            Self::Run(run) => run.place,
        }
    }
}

impl Choice {
    /// The value that is looked at; none if the number of items decides.
    pub(crate) fn asked(&self) -> Option<NodeId> {
        let counts_items = self.fork.as_ref().is_some_and(|fork| fork.test == Test::Depth);
        (!counts_items).then_some(self.condition)
    }

    /// What the branch leaves, one value for each phi.
    pub(crate) fn yields(&self, then: bool) -> Vec<NodeId> {
        self.phis.iter().map(|phi| if then { phi.then } else { phi.otherwise }).collect()
    }
}
