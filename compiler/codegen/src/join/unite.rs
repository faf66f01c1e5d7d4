//! From a tree and the paths to one path.

use std::collections::BTreeMap;
use std::rc::Rc;

use analysis::hir;
use spec::Opcode;
use spec::artifact::UnlockItem;

use crate::code::{PlaceId, SiteId};
use crate::lower::Notes;
use crate::mir::{
    Block, Choice, Effect, Exit, Fork, Graph, NodeId, NodeKind, Operation, Path, Phi, Repeat, Run, Test, Var, Written,
};

use super::Crossing;
use super::alike::{Alike, Manner, Meeting};
use super::demand::{opposite, rules_out};
use super::tree::{How, Tree};

/// All paths as one.
pub(super) struct United {
    pub(super) path: Path,
    pub(super) slots: Slots,
    /// By path.
    pub(super) routes: Vec<Vec<Crossing>>,
}

/// The arguments of the joint path: which argument of each path each is.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    /// The items of each slot.
    widths: Vec<usize>,
    /// The items of each path's arguments.
    args: Vec<Vec<usize>>,
    /// For each path the slots of its arguments.
    of: Vec<Vec<Option<usize>>>,
    /// Slots whose value the compiler fixes, by path.
    selectors: BTreeMap<usize, BTreeMap<usize, i64>>,
    /// Slots that stand for others.
    holders: BTreeMap<usize, NodeId>,
}

impl Slots {
    pub(super) fn new(paths: &[&Path]) -> Self {
        let args: Vec<Vec<usize>> = paths.iter().map(|path| path.arg_items.clone()).collect();
        let of = args.iter().map(|args| vec![None; args.len()]).collect();
        Self { args, of, ..Self::default() }
    }

    fn add(&mut self, width: usize) -> usize {
        self.widths.push(width);
        self.widths.len() - 1
    }

    /// Gives a slot to the arguments that all paths of a group have and that have none yet: those of one type, those of
    /// one name first.
    pub(super) fn share(&mut self, contract: &hir::Contract, group: &[usize]) -> Vec<usize> {
        let mut shared = Vec::new();
        let Some(args) = group.first().and_then(|path| contract.paths.get(*path)).map(|path| &path.args) else {
            return shared;
        };
        for by_name in [true, false] {
            for (at, arg) in args.iter().enumerate() {
                let twin = |path: &usize| {
                    let free = |at: &usize| self.of.get(*path).and_then(|of| of.get(*at)) == Some(&None);
                    let like = |other: &hir::Param| other.ty == arg.ty && (!by_name || other.name == arg.name);
                    let args = contract.paths.get(*path)?.args.iter().enumerate();
                    let mut twins = args.filter(|(at, other)| free(at) && like(other)).map(|(at, _)| at);
                    // The first path's own argument, not another one like it.
                    let own = Some(path) == group.first();
                    if own { twins.find(|twin| *twin == at) } else { twins.next() }.map(|twin| (*path, twin))
                };
                let Some(twins) = group.iter().map(twin).collect::<Option<Vec<_>>>() else { continue };
                let width = self.args.get(twins.first().map_or(0, |(path, _)| *path)).and_then(|args| args.get(at));
                let slot = self.add(width.copied().unwrap_or(1));
                twins.into_iter().for_each(|(path, arg)| self.put(path, arg, slot));
                shared.push(slot);
            }
        }
        shared
    }

    fn put(&mut self, path: usize, arg: usize, slot: usize) {
        if let Some(of) = self.of.get_mut(path).and_then(|of| of.get_mut(arg)) {
            *of = Some(slot);
        }
    }

    /// Gives slots of their own to all other arguments of a path.
    pub(super) fn place_rest(&mut self, path: usize) -> Vec<usize> {
        let widths = self.args.get(path).cloned().unwrap_or_default();
        let mut placed = Vec::new();
        for (arg, width) in widths.into_iter().enumerate() {
            if self.of.get(path).and_then(|of| of.get(arg)) == Some(&None) {
                let slot = self.add(width);
                self.put(path, arg, slot);
                placed.push(slot);
            }
        }
        placed
    }

    /// The first item of a slot.
    fn start(&self, slot: usize) -> usize {
        self.widths.iter().take(slot).sum()
    }

    fn items(&self, graph: &Graph, slot: usize) -> Vec<NodeId> {
        let start = self.start(slot);
        let items = start..start + self.widths.get(slot).copied().unwrap_or(0);
        items.filter_map(|item| graph.find(&NodeKind::Arg(item))).collect()
    }

    /// Which item of the joint path an item of a path is.
    fn item(&self, path: usize, item: usize) -> Option<usize> {
        let mut start = 0;
        for (arg, width) in self.args.get(path)?.iter().enumerate() {
            if item < start + width {
                let slot = (*self.of.get(path)?.get(arg)?)?;
                return Some(self.start(slot) + item - start);
            }
            start += width;
        }
        None
    }

    /// What a path pushes for a slot.
    pub(super) fn pushed(&self, path: usize, slot: usize) -> Option<UnlockItem> {
        if let Some(numbers) = self.selectors.get(&slot) {
            return numbers.get(&path).map(|number| UnlockItem::Int(*number));
        }
        self.of.get(path)?.iter().position(|of| *of == Some(slot)).map(UnlockItem::Arg)
    }

    /// The slot that begins with an item.
    pub(super) fn of_item(&self, graph: &Graph, item: NodeId) -> Option<usize> {
        let NodeKind::Arg(item) = graph.kind(item) else { return None };
        (0..self.widths.len()).find(|slot| self.start(*slot) == *item)
    }

    pub(super) fn holder(&self, slot: usize) -> Option<NodeId> {
        self.holders.get(&slot).copied()
    }

    /// Adds the values of a path to a graph; gives what each is there.
    pub(super) fn import(&self, graph: &mut Graph, at: usize, path: &Path) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = Vec::with_capacity(path.graph.len());
        for node in path.graph.nodes() {
            let new = match &node.kind {
                NodeKind::Phi(_) => graph.phi(node.place),
                NodeKind::Arg(item) => graph.arg(self.item(at, *item).unwrap_or(usize::MAX), node.place),
                NodeKind::Op(operation, inputs) => {
                    let inputs = inputs.iter().filter_map(|input| nodes.get(input.index()).copied()).collect();
                    graph.intern(NodeKind::Op(*operation, inputs), node.place)
                }
                kind => graph.intern(kind.clone(), node.place),
            };
            nodes.push(new);
        }
        nodes
    }
}

/// A branch of the tree with its arguments.
struct Branch {
    /// The slots that lie on the stack in it, and not around it.
    own: Vec<usize>,
    node: Node,
}

enum Node {
    Path(usize),
    Fork {
        how: How,
        holder: Option<usize>,
        selector: Option<usize>,
        paths: [Vec<usize>; 2],
        branches: Box<[Branch; 2]>,
    },
}

/// Joins the paths as a tree says; `None` if it is not fit for them.
pub(super) fn unite(
    contract: &hir::Contract,
    paths: &[&Path],
    tree: &Tree,
    manner: Manner,
    notes: &mut Notes,
) -> Option<United> {
    let mut slots = Slots::new(paths);
    let trunk = place(contract, tree, &mut slots);
    if !measures(&slots, &trunk.node) {
        return None;
    }
    let mut graph = paths.first()?.graph.anew();
    let mut bodies = Vec::new();
    let mut loops = 0;
    let places: Vec<PlaceId> = contract.paths.iter().map(|path| notes.places.add(&path.loc)).collect();
    let mut written = Vec::new();
    for (at, path) in paths.iter().enumerate() {
        let nodes = slots.import(&mut graph, at, path);
        let places = nodes.iter().copied().zip(path.graph.nodes().iter().map(|node| node.place));
        written.push(Rc::new(places.filter(|(id, place)| graph.node(*id).place != *place).collect()));
        let mut copy = Copy { nodes: &nodes, graph: &mut graph, notes, manner, loops: &mut loops };
        bodies.push(copy.block(&path.body, true)?);
    }
    let start = places.first().copied().unwrap_or_default();
    for slot in slots.selectors.keys() {
        graph.arg(slots.start(*slot), start);
    }
    for (slot, node) in slots.holders.clone() {
        debug_assert_eq!(node, NodeId::default(), "nobody has made it yet");
        let holder = graph.holder(slots.start(slot), start);
        slots.holders.insert(slot, holder);
    }
    let routes = vec![Vec::new(); paths.len()];
    let mut uniting = Uniting { graph, notes, manner, slots: &slots, bodies, places, written, routes };
    let body = Block { effects: uniting.branch(&trunk, None)? };
    let Uniting { graph, routes, .. } = uniting;
    let hidden = (0..slots.widths.len()).filter(|slot| !trunk.own.contains(slot)).collect();
    let path = Path { graph, body, arg_items: slots.widths.clone(), list: None, results: Vec::new(), hidden };
    Some(United { path, slots, routes })
}

/// Places for the arguments of all paths.
fn place(contract: &hir::Contract, tree: &Tree, slots: &mut Slots) -> Branch {
    match tree {
        Tree::Path(at) => Branch { own: slots.place_rest(*at), node: Node::Path(*at) },
        Tree::Fork(how, branches) => {
            let paths = branches.each_ref().map(Tree::paths);
            let mut own = slots.share(contract, &paths.concat());
            let [first, second] = &paths;
            let selector = match how {
                How::Bit => {
                    let numbers = first.iter().map(|path| (*path, 1)).chain(second.iter().map(|path| (*path, 0)));
                    Some(numbers.collect())
                }
                How::Count { first: true } => Some(paths.concat().into_iter().zip(1..).collect()),
                How::Demand | How::Depth | How::Count { first: false } => None,
            };
            let selector = selector.map(|numbers| {
                let slot = slots.add(1);
                slots.selectors.insert(slot, numbers);
                slot
            });
            let branches = Box::new(branches.each_ref().map(|tree| place(contract, tree, slots)));
            let holder = branches.iter().any(|branch| !branch.own.is_empty()).then(|| {
                let slot = slots.add(1);
                slots.holders.insert(slot, NodeId::default());
                slot
            });
            own.extend(holder);
            own.extend(selector);
            Branch { own, node: Node::Fork { how: *how, holder, selector, paths, branches } }
        }
    }
}

/// Whether each conditional that goes by the number of items can.
fn measures(slots: &Slots, node: &Node) -> bool {
    let Node::Fork { how, paths: [first, second], branches, .. } = node else { return true };
    let items = |path: &usize| {
        let selectors = slots.selectors.values().filter(|numbers| numbers.contains_key(path)).count();
        slots.args.get(*path).map_or(0, |args| args.iter().sum::<usize>()) + selectors
    };
    let differ = || first.iter().all(|path| second.iter().all(|other| items(path) != items(other)));
    (*how != How::Depth || differ()) && branches.iter().all(|branch| measures(slots, &branch.node))
}

/// A check of one path that decides for it.
struct Demand {
    effect: usize,
    value: NodeId,
    site: Option<SiteId>,
    /// For each other path the check that cannot hold then.
    against: Vec<(usize, Option<SiteId>)>,
    /// The check of the only other path that holds otherwise.
    spared: Option<(usize, usize)>,
}

struct Uniting<'u> {
    graph: Graph,
    notes: &'u mut Notes,
    manner: Manner,
    slots: &'u Slots,
    bodies: Vec<Vec<Effect>>,
    places: Vec<PlaceId>,
    /// By path.
    written: Vec<Written>,
    routes: Vec<Vec<Crossing>>,
}

impl Uniting<'_> {
    /// The effects of a branch; `rest` is what is left of the number that counts paths.
    fn branch(&mut self, branch: &Branch, rest: Option<NodeId>) -> Option<Vec<Effect>> {
        let (how, holder, selector, paths, branches) = match &branch.node {
            Node::Path(at) => return self.leaf(*at, rest),
            Node::Fork { how, holder, selector, paths, branches } => (*how, *holder, *selector, paths, branches),
        };
        let place = self.places.get(*paths.first()?.first()?).copied()?;
        let fork = self.notes.fork();
        let demand = if how == How::Demand { Some(self.demand(paths)?) } else { None };
        self.cross(fork, paths, demand.as_ref());
        let selector = selector.and_then(|slot| self.slots.items(&self.graph, slot).first().copied());
        let (condition, test) = match (how, &demand) {
            (How::Demand, Some(demand)) => (demand.value, Test::Truth),
            (How::Bit, _) => (selector?, Test::Bit),
            (How::Count { .. }, _) => (selector.or(rest)?, Test::Count(self.graph.phi(place))),
            (How::Demand | How::Depth, _) => (self.graph.int(0, place), Test::Depth),
        };
        let left = if let Test::Count(left) = test { Some(left) } else { None };
        let [first, second] = &**branches;
        let blocks = [self.branch(first, None)?, self.branch(second, left)?];
        let mut alike = Alike { graph: &mut self.graph, notes: self.notes, manner: self.manner };
        let Meeting { before, blocks, phis, behind } = alike.meet(fork, blocks, true);
        let [then, otherwise] = blocks.map(|effects| Block { effects });
        let extras = |branch: &Branch| {
            let items = branch.own.iter().map(|slot| self.slots.items(&self.graph, *slot));
            items.collect::<Vec<_>>()
        };
        let extras = [extras(first), extras(second)];
        let holder = holder.and_then(|slot| self.slots.holder(slot));
        let written = [first, second].map(|branch| match branch.node {
            Node::Path(at) => self.written.get(at).cloned().unwrap_or_default(),
            Node::Fork { .. } => Written::default(),
        });
        let fork = Some(Box::new(Fork { site: fork, test, holder, extras, written }));
        let choice = Choice { condition, place, then, otherwise, phis, fork };
        Some(before.into_iter().chain([Effect::Choose(Box::new(choice))]).chain(behind).collect())
    }

    fn leaf(&mut self, at: usize, rest: Option<NodeId>) -> Option<Vec<Effect>> {
        let body = std::mem::take(self.bodies.get_mut(at)?);
        let place = self.places.get(at).copied()?;
        let last = rest.map(|rest| {
            let one = self.graph.int(1, place);
            let operation = Operation::Op(Opcode::NumEqual);
            let value = self.graph.intern(NodeKind::Op(operation, vec![rest, one]), place);
            Effect::Verify { value, site: None, place }
        });
        Some(last.into_iter().chain(body).collect())
    }

    /// Adds a conditional to the routes of the paths behind it, and takes the checks away that it makes for them.
    fn cross(&mut self, fork: SiteId, paths: &[Vec<usize>; 2], demand: Option<&Demand>) {
        let by_demand = demand.is_some();
        for (paths, first) in paths.iter().zip([true, false]) {
            for path in paths {
                let against = |demand: &Demand| demand.against.iter().find(|(other, _)| other == path)?.1;
                let site = demand.and_then(|demand| if first { demand.site } else { against(demand) });
                let crossing = Crossing { fork, first, by_demand, demand: site };
                self.routes.get_mut(*path).into_iter().for_each(|route| route.push(crossing));
            }
        }
        let own = paths.first().and_then(|first| first.first()).copied();
        let made = demand.and_then(|demand| Some((own?, demand.effect)));
        for (path, effect) in made.into_iter().chain(demand.and_then(|demand| demand.spared)) {
            self.bodies.get_mut(path).into_iter().for_each(|body| drop(body.remove(effect)));
        }
    }

    /// A check of the first path that rules out one of each other: the lightest.
    fn demand(&self, [first, others]: &[Vec<usize>; 2]) -> Option<Demand> {
        let checks = |path: usize| {
            let effects = self.bodies.get(path).into_iter().flatten().enumerate();
            effects.filter_map(|(at, effect)| match effect {
                Effect::Verify { value, site, .. } => Some((at, *value, *site)),
                _ => None,
            })
        };
        let found = checks(*first.first()?).filter_map(|(effect, value, site)| {
            let against = others.iter().map(|other| {
                let found = checks(*other).find(|(_, check, _)| rules_out(&self.graph, value, *check));
                found.map(|(at, check, site)| (*other, at, check, site))
            });
            let against = against.collect::<Option<Vec<_>>>()?;
            let spared = match against.as_slice() {
                [(path, at, check, _)] if opposite(&self.graph, value, *check) => Some((*path, *at)),
                _ => None,
            };
            let against = against.into_iter().map(|(path, _, _, site)| (path, site)).collect();
            Some(Demand { effect, value, site, against, spared })
        });
        found.min_by_key(|demand| (demand.spared.is_none(), self.graph.node(demand.value).weight))
    }
}

/// Copies the effects of a path into the joint one.
struct Copy<'c> {
    nodes: &'c [NodeId],
    graph: &'c mut Graph,
    notes: &'c mut Notes,
    manner: Manner,
    loops: &'c mut u32,
}

impl Copy<'_> {
    fn node(&self, id: NodeId) -> Option<NodeId> {
        self.nodes.get(id.index()).copied()
    }

    fn nodes(&self, ids: &[NodeId]) -> Option<Vec<NodeId>> {
        ids.iter().map(|id| self.node(*id)).collect()
    }

    /// The effects of a block, at whose end the path may end.
    fn block(&mut self, block: &Block, at_end: bool) -> Option<Vec<Effect>> {
        let mut effects = Vec::new();
        let last = block.effects.len().saturating_sub(1);
        for (at, effect) in block.effects.iter().enumerate() {
            match effect {
                Effect::Verify { value, site, place } => {
                    effects.push(Effect::Verify { value: self.node(*value)?, site: *site, place: *place });
                }
                Effect::Lock { opcode, value, site, place } => {
                    let value = self.node(*value)?;
                    effects.push(Effect::Lock { opcode: *opcode, value, site: *site, place: *place });
                }
                Effect::Choose(choice) => self.choose(choice, at_end && at == last, &mut effects)?,
                Effect::Repeat(repeat) => effects.push(Effect::Repeat(Box::new(self.repeat(repeat)?))),
                Effect::Run(run) => effects.push(Effect::Run(Box::new(Run {
                    code: run.code.clone(),
                    place: run.place,
                    inputs: self.nodes(&run.inputs)?,
                    results: self.nodes(&run.results)?,
                }))),
            }
        }
        Some(effects)
    }

    fn choose(&mut self, choice: &Choice, at_end: bool, effects: &mut Vec<Effect>) -> Option<()> {
        let condition = self.node(choice.condition)?;
        let phi = |phi: &Phi| {
            Some(Phi {
                result: self.node(phi.result)?,
                then: self.node(phi.then)?,
                otherwise: self.node(phi.otherwise)?,
                verdicts: phi.verdicts,
            })
        };
        let mut phis = choice.phis.iter().map(phi).collect::<Option<Vec<_>>>()?;
        let blocks = [self.block(&choice.then, at_end)?, self.block(&choice.otherwise, at_end)?];
        let copy = |blocks: [Vec<Effect>; 2], phis, fork| {
            let [then, otherwise] = blocks.map(|effects| Block { effects });
            Effect::Choose(Box::new(Choice { condition, place: choice.place, then, otherwise, phis, fork }))
        };
        if !self.manner.inner {
            effects.push(copy(blocks, phis, None));
            return Some(());
        }
        let site = self.notes.fork();
        let mut alike = Alike { graph: self.graph, notes: self.notes, manner: self.manner.inside() };
        let meeting = alike.meet(site, blocks, at_end);
        phis.extend(meeting.phis);
        let (extras, written) = (Default::default(), Default::default());
        let fork = Fork { site, test: Test::Truth, holder: None, extras, written };
        effects.extend(meeting.before);
        effects.push(copy(meeting.blocks, phis, Some(Box::new(fork))));
        effects.extend(meeting.behind);
        Some(())
    }

    fn repeat(&mut self, repeat: &Repeat) -> Option<Repeat> {
        let var = |var: &Var| {
            Some(Var {
                entry: self.node(var.entry)?,
                initial: self.node(var.initial)?,
                next: self.node(var.next)?,
                result: self.node(var.result)?,
            })
        };
        let vars = repeat.vars.iter().map(var).collect::<Option<Vec<_>>>()?;
        let exit = match repeat.exit {
            Exit::When(exit) => Exit::When(self.node(exit)?),
            Exit::NoRecords => Exit::NoRecords,
        };
        *self.loops += 1;
        let id = *self.loops;
        let effects = self.block(&repeat.body, false)?;
        let records = self.nodes(&repeat.records)?;
        Some(Repeat { id, place: repeat.place, vars, rounds: repeat.rounds, records, body: Block { effects }, exit })
    }
}
