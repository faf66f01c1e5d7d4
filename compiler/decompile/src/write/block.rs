//! The statements of a block, in the order in which the script runs.

use std::collections::{BTreeMap, BTreeSet};

use spec::Opcode;

use crate::graph::{Branch, Effect, Graph, Id, Op, Ty};
use crate::names::Args;

/// An expression as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) ty: Ty,
    /// Whether it is a name, which `asm` can take.
    pub(super) is_name: bool,
}

/// Longer expressions get a name.
const INLINE_MAX: usize = 90;

/// What is being written.
pub(super) struct Block<'g> {
    pub(super) graph: &'g Graph,
    pub(super) args: &'g Args,
    /// How often each node is used by others and by effects.
    uses: BTreeMap<Id, usize>,
    /// What stands for nodes, and the names of values that were turned into other types.
    pub(super) known: BTreeMap<Id, Text>,
    pub(super) turned: BTreeMap<(Id, Ty), String>,
    lines: Vec<(usize, String)>,
    depth: usize,
    names: usize,
}

impl<'g> Block<'g> {
    pub(super) fn new(graph: &'g Graph, args: &'g Args) -> Self {
        Self {
            graph,
            args,
            uses: BTreeMap::new(),
            known: BTreeMap::new(),
            turned: BTreeMap::new(),
            lines: Vec::new(),
            depth: 0,
            names: 0,
        }
    }

    /// The statements, indented.
    pub(super) fn finish(self, indent: usize) -> String {
        self.lines.iter().map(|(depth, line)| format!("{}{line}\n", "    ".repeat(indent + depth))).collect()
    }

    pub(super) fn line(&mut self, line: String) {
        self.lines.push((self.depth, line));
    }

    pub(super) fn fresh(&mut self) -> String {
        self.names += 1;
        format!("x{}", self.names)
    }

    /// Writes the effects of a way.
    pub(super) fn effects(&mut self, effects: &[Effect]) {
        self.count(effects);
        self.block(effects, &[]);
    }

    /// Counts uses over all blocks.
    fn count(&mut self, effects: &[Effect]) {
        let mut roots = Vec::new();
        let mut waiting: Vec<&Effect> = effects.iter().collect();
        while let Some(effect) = waiting.pop() {
            match effect {
                Effect::Branch(branch) => {
                    roots.push(branch.condition);
                    waiting.extend(branch.then.iter().chain(&branch.otherwise));
                    roots.extend(branch.then_values.iter().chain(&branch.other_values));
                }
                Effect::Require(id, _) | Effect::Time(_, id) => roots.push(*id),
                Effect::Compute(_) => {}
            }
        }
        let all = self.graph.needed(roots.iter().copied(), |_| false);
        // What a choice is made of belongs to its conditional.
        let is_choice = |id: &&Id| self.graph.get(**id).is_some_and(|node| node.op == Op::Choice);
        let edges = all.iter().filter(|id| !is_choice(id)).flat_map(|id| self.graph.args(*id)).copied().chain(roots);
        let mut uses = BTreeMap::new();
        edges.for_each(|id| *uses.entry(id).or_default() += 1);
        self.uses = uses;
    }

    /// The nodes that the block computes in any case, besides what only its branches need.
    fn certain(&self, effects: &[Effect], values: &[Id]) -> BTreeSet<Id> {
        let roots = effects.iter().filter_map(|effect| match effect {
            Effect::Require(id, _) | Effect::Time(_, id) => Some(*id),
            Effect::Branch(branch) => Some(branch.condition),
            Effect::Compute(_) => None,
        });
        // Below a choice nothing is certain.
        let is_choice = |id| self.graph.get(id).is_some_and(|node| node.op == Op::Choice);
        self.graph.needed(roots.chain(values.iter().copied()), is_choice).into_iter().collect()
    }

    /// Statements, and what the block ends with.
    fn block(&mut self, effects: &[Effect], values: &[Id]) {
        let certain = self.certain(effects, values);
        for effect in effects {
            match effect {
                Effect::Compute(id) if certain.contains(id) => {}
                Effect::Compute(id) => self.compute(*id),
                Effect::Require(id, truth) => self.require(*id, *truth),
                Effect::Time(opcode, id) => self.time(*opcode, *id),
                Effect::Branch(branch) => self.branch(branch),
            }
        }
    }

    /// Lets a value be computed whose result nothing certain needs.
    fn compute(&mut self, id: Id) {
        if let Some(Op::Loop(_)) = self.graph.get(id).map(|node| &node.op) {
            return self.need(id);
        }
        let (name, ty) = self.named(id);
        self.line(format!("asm ({name}: {}) {{ OP_DROP }};", ty.name()));
    }

    fn require(&mut self, id: Id, truth: bool) {
        let is_number = matches!(self.graph.natural(id), Some(Ty::Int | Ty::Coin | Ty::Tokens));
        let condition = match truth {
            true => bare(&self.truth(id)).to_owned(),
            false if is_number => format!("{} == 0", self.as_type(id, Ty::Int)),
            false => format!("!{}", self.truth(id)),
        };
        self.line(format!("require {condition};"));
    }

    fn time(&mut self, opcode: Opcode, id: Id) {
        let line = match (opcode, self.graph.number(id)) {
            (Opcode::CheckLockTimeVerify, Some(n)) if (1..500_000_000).contains(&n) => {
                format!("require tx.height >= height {n};")
            }
            (Opcode::CheckSequenceVerify, Some(n)) if (1..65_536).contains(&n) => {
                format!("require self.age >= {n} {};", if n == 1 { "block" } else { "blocks" })
            }
            _ => {
                let name = self.name_as(id, Ty::Int);
                format!("asm ({name}: Int) {{ {} OP_DROP }};", opcode.name())
            }
        };
        self.line(line);
    }

    fn branch(&mut self, branch: &Branch) {
        let condition = self.truth(branch.condition);
        let names: Vec<String> = branch.choices.iter().map(|_| self.fresh()).collect();
        let types: Vec<Ty> =
            branch.then_values.iter().zip(&branch.other_values).map(|(a, b)| self.common(*a, *b)).collect();
        let opening = match names.as_slice() {
            [] => String::new(),
            [name] => format!("let {name}: {} = ", types.first().copied().unwrap_or(Ty::Bytes).name()),
            names => {
                let types: Vec<&str> = types.iter().map(|ty| ty.name()).collect();
                format!("let ({}): ({}) = ", names.join(", "), types.join(", "))
            }
        };
        self.line(format!("{opening}if {} {{", bare(&condition)));
        self.inner(&branch.then, &branch.then_values, &types);
        if !branch.otherwise.is_empty() || !names.is_empty() {
            self.line("} else {".to_owned());
            self.inner(&branch.otherwise, &branch.other_values, &types);
        }
        self.line(if names.is_empty() { "}" } else { "};" }.to_owned());
        for ((choice, text), ty) in branch.choices.iter().zip(names).zip(types) {
            self.known.insert(*choice, Text { text, ty, is_name: true });
        }
    }

    /// A block whose names end with it.
    fn inner(&mut self, effects: &[Effect], values: &[Id], types: &[Ty]) {
        let (known, turned) = (self.known.clone(), self.turned.clone());
        self.depth += 1;
        self.block(effects, values);
        let values: Vec<String> = values.iter().zip(types).map(|(id, ty)| self.as_type(*id, *ty)).collect();
        match values.as_slice() {
            [] => {}
            [value] => self.line(bare(value).to_owned()),
            values => self.line(format!("({})", values.join(", "))),
        }
        self.depth -= 1;
        (self.known, self.turned) = (known, turned);
    }

    /// The type of a choice between two values.
    fn common(&self, a: Id, b: Id) -> Ty {
        match (self.type_of(a), self.type_of(b)) {
            (Some(a), Some(b)) if a == b => a,
            (Some(ty @ (Ty::Int | Ty::Bool)), None) | (None, Some(ty @ (Ty::Int | Ty::Bool)))
                if [a, b].iter().all(|id| self.graph.constant(*id).is_none_or(|bytes| fits(bytes, ty))) =>
            {
                ty
            }
            _ => Ty::Bytes,
        }
    }

    /// The type that a value is written with; nothing for constants.
    pub(super) fn type_of(&self, id: Id) -> Option<Ty> {
        match &self.graph.get(id)?.op {
            Op::Arg(depth) => Some(self.args.get(*depth).1),
            Op::Choice => self.known.get(&id).map(|text| text.ty),
            _ => self.graph.natural(id),
        }
    }

    /// Lets a node and all below it have a text.
    pub(super) fn need(&mut self, id: Id) {
        for id in self.graph.needed([id], |id| self.known.contains_key(&id)) {
            if self.known.contains_key(&id) {
                continue;
            }
            let text = self.express(id);
            let often = self.uses.get(&id).copied().unwrap_or_default() > 1;
            let long = text.text.len() > INLINE_MAX;
            let constant = self.graph.constant(id).is_some();
            let code = text.text.starts_with("asm ");
            let text = if !text.is_name && !constant && (often || long || code) { self.bound(text) } else { text };
            self.known.insert(id, text);
        }
    }

    fn bound(&mut self, text: Text) -> Text {
        let name = self.fresh();
        self.line(format!("let {name} = {};", bare(&text.text)));
        Text { text: name, is_name: true, ..text }
    }

    /// A name for a value, and its type.
    pub(super) fn named(&mut self, id: Id) -> (String, Ty) {
        self.need(id);
        let ty = self.known.get(&id).map_or(Ty::Bytes, |text| text.ty);
        (self.name_as(id, ty), ty)
    }

    /// A name for a value of a type.
    pub(super) fn name_as(&mut self, id: Id, ty: Ty) -> String {
        self.need(id);
        if let Some(text) =
            self.known.get(&id).filter(|text| text.is_name && text.ty == ty && self.graph.constant(id).is_none())
        {
            return text.text.clone();
        }
        if let Some(name) = self.turned.get(&(id, ty)) {
            return name.clone();
        }
        let text = self.as_type(id, ty);
        if let Some(name) = self.turned.get(&(id, ty)) {
            return name.clone();
        }
        let name = self.fresh();
        self.line(format!("let {name}: {} = {};", ty.name(), bare(&text)));
        self.turned.insert((id, ty), name.clone());
        name
    }
}

/// Whether a constant is a value of a type.
pub(super) fn fits(bytes: &[u8], ty: Ty) -> bool {
    match ty {
        Ty::Int | Ty::Coin | Ty::Tokens => spec::num::decode(bytes).is_some_and(|n| spec::num::encode(n) == bytes),
        Ty::Bool => matches!(bytes, [] | [1]),
        Ty::PubKey => bytes.len() == 33,
        Ty::Bytes => true,
        Ty::Sig | Ty::DataSig => false,
    }
}

/// An expression without the parentheses around all of it.
pub(super) fn bare(text: &str) -> &str {
    let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')) else { return text };
    let mut depth = 0i32;
    for c in inner.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            // A tuple keeps them.
            ',' if depth == 0 => return text,
            _ => {}
        }
        if depth < 0 {
            return text;
        }
    }
    inner
}
