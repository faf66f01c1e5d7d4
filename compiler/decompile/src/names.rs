//! What the items are called that a spender pushes, and of which type they are: as they are used.

use std::collections::{BTreeMap, BTreeSet};

use spec::Opcode;

use crate::graph::{Effect, Graph, Id, Op, Ty, wanted};

/// The arguments of a way, by their depth when the script starts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args {
    all: Vec<(String, Ty)>,
}

/// How an argument is used.
#[derive(Clone, Debug, Default)]
struct Uses {
    types: BTreeSet<Ty>,
    /// Its length is read, or it is compared, or copied by a loop.
    raw: bool,
    measured: bool,
    /// It decides.
    truth: bool,
}

impl Args {
    /// Those of a way that reaches `count` items and has these effects.
    pub(crate) fn of(graph: &Graph, effects: &[Effect], count: usize) -> Self {
        let mut uses: BTreeMap<usize, Uses> = BTreeMap::new();
        let mut roots = Vec::new();
        for (id, how) in deciders(effects) {
            match (graph.get(id).map(|node| &node.op), how) {
                (Some(Op::Arg(depth)), Decides::Truth) => uses.entry(*depth).or_default().truth = true,
                (Some(Op::Arg(depth)), Decides::Number) => drop(uses.entry(*depth).or_default().types.insert(Ty::Int)),
                (Some(Op::Arg(depth)), Decides::Raw) => uses.entry(*depth).or_default().raw = true,
                _ => {}
            }
            roots.push(id);
        }
        for id in graph.needed(roots, |_| false) {
            let Some(node) = graph.get(id) else { continue };
            for (place, arg) in node.args.iter().enumerate() {
                let Some(Op::Arg(depth)) = graph.get(*arg).map(|node| &node.op) else { continue };
                let used = uses.entry(*depth).or_default();
                used.measured |= matches!(node.op, Op::Code(Opcode::Size));
                match (&node.op, wanted(&node.op, place)) {
                    (Op::Choice, _) if place == 0 => used.truth = true,
                    (_, Some(ty)) if ty != Ty::Bytes => drop(used.types.insert(ty)),
                    _ => used.raw = true,
                }
            }
        }
        let types: Vec<Ty> = (0..count).map(|depth| uses.get(&depth).map_or(Ty::Bytes, Uses::ty)).collect();
        Self { all: named(&types) }
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn get(&self, depth: usize) -> (&str, Ty) {
        self.all.get(depth).map_or(("nothing", Ty::Bytes), |(name, ty)| (name, *ty))
    }
}

impl Uses {
    fn ty(&self) -> Ty {
        let mut types = self.types.iter();
        match (types.next(), types.next()) {
            (None, _) if self.truth && !self.raw => Ty::Bool,
            // A number is one wherever it is used, and may be written in other bytes where it is not.
            (Some(Ty::Int), None) if !self.raw && !self.truth => Ty::Int,
            // The length of a key is known to the language, and here it is asked for.
            (Some(Ty::PubKey), None) if !self.measured && !self.truth => Ty::PubKey,
            (Some(ty @ (Ty::Sig | Ty::DataSig)), None) if !self.truth => *ty,
            _ => Ty::Bytes,
        }
    }
}

/// The deepest item is pushed first and so named first.
fn named(types: &[Ty]) -> Vec<(String, Ty)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut all: Vec<(String, Ty)> = types
        .iter()
        .rev()
        .map(|ty| {
            let word = match ty {
                Ty::Int => "number",
                Ty::Bool => "flag",
                Ty::Sig => "sig",
                Ty::PubKey => "pubkey",
                Ty::DataSig => "data_sig",
                _ => "data",
            };
            let count = counts.entry(word).or_default();
            *count += 1;
            (if *count == 1 { word.to_owned() } else { format!("{word}{count}") }, *ty)
        })
        .collect();
    all.reverse();
    all
}

enum Decides {
    Truth,
    Number,
    Raw,
}

/// The nodes that effects are about.
fn deciders(effects: &[Effect]) -> Vec<(Id, Decides)> {
    let mut all = Vec::new();
    let mut waiting: Vec<&Effect> = effects.iter().collect();
    while let Some(effect) = waiting.pop() {
        match effect {
            Effect::Require(id, _) => all.push((*id, Decides::Truth)),
            Effect::Time(_, id) => all.push((*id, Decides::Number)),
            Effect::Compute(id) => all.push((*id, Decides::Raw)),
            Effect::Branch(branch) => {
                all.push((branch.condition, Decides::Truth));
                waiting.extend(branch.then.iter().chain(&branch.otherwise));
                all.extend(branch.then_values.iter().chain(&branch.other_values).map(|id| (*id, Decides::Raw)));
            }
        }
    }
    all
}
