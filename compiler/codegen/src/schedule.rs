//! The stack scheduler: from the values and checks of a path to instructions.
//!
//! It walks the checks in order, computes each value where it is first needed and keeps it on the
//! stack until its last use takes it away: earlier uses copy. What the stack holds is known at every
//! instruction. The order of two operands is chosen by what moves least; everything else is greedy,
//! so the work is linear in the code it writes. A caller tries several policies and keeps the best.
//!
//! Items that wait as operands always lie on top, above those that are kept. So a value with several
//! uses is computed before the expressions it stands in, while nothing waits.

mod decide;
mod fork;
mod operands;

use spec::Opcode;

use crate::code::{Code, Instr, Op, PlaceId, SiteId, calls};
use crate::demand::{Counter, Weights};
use crate::marks::Outer;
use crate::mir::{Block, Choice, Effect, Exit, Graph, NodeId, NodeKind, Operation, Repeat, Run, Written};
use crate::peephole;
use crate::shuffle::{Shortened, shorten};

use decide::Decisions;
pub(crate) use decide::Departures;

/// Values of at most this weight may be computed again where a search says.
pub(crate) const FREE_WEIGHT_MAX: u32 = 8;

/// Room for the code of most paths.
const CODE_LEN: usize = 64;

/// What a caller may vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Values that weigh at most so much are computed again instead of kept.
    pub(crate) free_weight: u32,
    /// Values that weigh at least so much are computed before a loop that does not change them.
    pub(crate) hoisted_weight: u32,
    /// Whether a round begins with bringing its record to the top.
    pub(crate) lifts_records: bool,
    /// Whether instructions that stand side by side become shorter ones.
    pub(crate) rewrites: bool,
    /// Whether what takes away the top of the stack is computed as soon as no check stands between.
    pub(crate) settles: bool,
}

/// How a path ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The last check leaves its truth value for the machine to look at.
    Truth,
    /// Nothing is left.
    Empty,
    /// The results of a shared function are left.
    Results,
}

/// What the scheduler made.
#[derive(Clone, Debug)]
pub(crate) struct Scheduled {
    pub(crate) code: Code,
    /// The most items that lay on the stack at once.
    pub(crate) depth_max: usize,
    /// The instructions of a round of the loop over records; 0 without such a loop.
    pub(crate) per_record: usize,
    /// How the path ended: [`End::Empty`] even if a truth value was wanted, where the last effect leaves none.
    pub(crate) end: End,
    /// Whether it reached for an item beneath others whose number is not known: then the code is of no use.
    pub(crate) is_lost: bool,
    /// How many alternatives there were at each decision.
    pub(crate) decisions: Vec<u8>,
    /// What other policies would have come to the same.
    pub(crate) alike: Alike,
}

/// Policies that write the same code as the one that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alike {
    policy: Policy,
    hoisted_weights: Weights,
    settles: bool,
}

impl Alike {
    /// Whether the policy is known to lead to the same code, where the same values are free.
    pub(crate) fn contains(&self, policy: Policy) -> bool {
        let Self { policy: own, hoisted_weights, settles } = *self;
        let Policy { free_weight, hoisted_weight, lifts_records, rewrites, settles: also_settles } = policy;
        (free_weight, lifts_records, rewrites) == (own.free_weight, own.lifts_records, own.rewrites)
            && hoisted_weights.contains(hoisted_weight)
            && (settles || also_settles == own.settles)
    }
}

/// The path needs more instructions than any rules allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// What is to be written.
#[derive(Clone, Copy)]
pub(crate) struct Work<'w> {
    pub(crate) graph: &'w Graph,
    /// What each value is an operand of.
    pub(crate) users: &'w Users,
    pub(crate) body: &'w Block,
    /// What lies on the stack at the end.
    pub(crate) results: &'w [NodeId],
    /// The arguments' items, top last.
    pub(crate) stack: &'w [NodeId],
    pub(crate) end: End,
    pub(crate) instructions_max: usize,
}

/// The instructions of a body.
pub(crate) fn schedule(work: Work<'_>, policy: Policy, departures: &Departures) -> Result<Scheduled, TooLong> {
    let Work { graph, users, body, results, stack, end, instructions_max } = work;
    let is_free = |node: NodeId| {
        let weight = graph.node(node).weight;
        (weight <= policy.free_weight) != (weight <= FREE_WEIGHT_MAX && departures.is_flipped(node))
    };
    let mut scheduler = Scheduler {
        graph,
        users,
        policy,
        counter: Counter::new(graph, graph.ids().map(is_free).collect(), policy.hoisted_weight),
        would_settle: false,
        decisions: Decisions::new(departures),
        stack: stack.iter().map(|node| Entry { node: *node, reserved: false }).collect(),
        scopes: Vec::new(),
        written: Vec::new(),
        code: Code::with_capacity(CODE_LEN),
        depth_max: stack.len(),
        per_record: 0,
        room: instructions_max,
        is_lost: false,
    };
    let end = scheduler.path(body, results, end)?;
    let Scheduler { code, depth_max, per_record, is_lost, decisions, counter, would_settle, .. } = scheduler;
    let Shortened { code, deeper } = if policy.rewrites { shorten(code) } else { Shortened { code, deeper: 0 } };
    let depth_max = depth_max + deeper;
    let alike = Alike { policy, hoisted_weights: counter.alike(), settles: !would_settle };
    Ok(Scheduled { code, depth_max, per_record, end, is_lost, decisions: decisions.into_made(), alike })
}

/// One item of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    node: NodeId,
    /// It waits as an operand and cannot serve anyone else.
    reserved: bool,
}

/// A block that is being written.
struct Scope {
    /// The uses of the block around it.
    outer: Outer,
    /// For each choice and loop of the block in order, what it takes from the stack.
    captures: Vec<Vec<NodeId>>,
    /// What an outer block still needs after this one, in ascending order.
    keep: Vec<NodeId>,
}

struct Scheduler<'g> {
    graph: &'g Graph,
    users: &'g Users,
    policy: Policy,
    counter: Counter<'g>,
    /// Whether there was anything to settle.
    would_settle: bool,
    decisions: Decisions<'g>,
    stack: Vec<Entry>,
    scopes: Vec<Scope>,
    /// Of each conditional around, where the values of the block were written.
    written: Vec<Written>,
    code: Code,
    depth_max: usize,
    per_record: usize,
    room: usize,
    is_lost: bool,
}

/// How an operation finds its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// In their order.
    Own,
    /// In the other order, for this opcode.
    Mirrored(Opcode),
    /// In the other order, so that they have to change places.
    Swapped,
}

/// A step of computing a value.
enum Task {
    /// Brings the value to the top as an operand.
    Want(NodeId),
    /// Computes the value from the operands on top.
    Apply(NodeId, Form, Purpose),
}

/// Why a value is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// As the operand of what follows.
    Operand,
    /// To lie on the stack for branches.
    Stay,
}

impl Scheduler<'_> {
    fn path(&mut self, body: &Block, results: &[NodeId], end: End) -> Result<End, TooLong> {
        self.open(body, results, Vec::new());
        let end = match (body.effects.split_last(), end) {
            (Some((Effect::Verify { value, site, place }, before)), End::Truth) => {
                self.effects(before)?;
                self.rearrange(*place);
                self.want(*value, *place)?;
                self.stack.pop();
                self.put_final_site(*site, *place);
                End::Truth
            }
            _ => {
                self.effects(&body.effects)?;
                self.arrange(results, self.last_place())?;
                if end == End::Results { End::Results } else { End::Empty }
            }
        };
        self.close();
        debug_assert_eq!(self.stack.len(), results.len(), "every other item was used or dropped");
        Ok(end)
    }

    /// Says at the last instruction what it means that the script ends with false.
    fn put_final_site(&mut self, site: Option<SiteId>, place: PlaceId) {
        match self.code.last_mut() {
            Some(last) if last.site.is_none() => last.site = site,
            // The value lay there before another check, which keeps its own message.
            _ => self.emit_check(Op::Code(Opcode::Nop), place, site),
        }
    }

    /// Begins a block: counts what it needs and drops what nobody will.
    fn open(&mut self, block: &Block, yields: &[NodeId], keep: Vec<NodeId>) {
        let outer = self.counter.uses.begin();
        let captures = self.counter.count(block, yields, self.stack.iter().map(|entry| entry.node));
        self.scopes.push(Scope { outer, captures, keep });
        let place = match block.effects.first() {
            Some(effect) => effect.place(),
            None => match yields.first() {
                Some(value) => self.place_of(*value),
                None => self.last_place(),
            },
        };
        self.drop_unneeded(place);
    }

    /// Ends a block.
    fn close(&mut self) {
        if let Some(scope) = self.scopes.pop() {
            self.counter.uses.end(scope.outer);
        }
    }

    /// Where the path has written the value that is being scheduled; where several paths share code, where the first
    /// of them has.
    fn place_of(&self, id: NodeId) -> PlaceId {
        let of_path = self.written.iter().rev().find_map(|written| written.get(&id));
        of_path.copied().unwrap_or_else(|| self.graph.node(id).place)
    }

    fn last_place(&self) -> PlaceId {
        let of_stack = || self.stack.last().map(|entry| self.place_of(entry.node));
        self.code.last().map(|instr| instr.place).or_else(of_stack).unwrap_or_default()
    }

    fn drop_unneeded(&mut self, place: PlaceId) {
        let mut depth = 0;
        while let Some(at) = self.stack.len().checked_sub(depth + 1) {
            let Some(entry) = self.stack.get(at) else { return };
            if self.is_needed(entry.node) {
                depth += 1;
            } else {
                self.stack.remove(at);
                self.emit_drop(depth, place);
            }
        }
    }

    fn emit_drop(&mut self, depth: usize, place: PlaceId) {
        match depth {
            1 if self.is_open(1) => self.emit(Op::Code(Opcode::Nip), place),
            _ => {
                self.emit_move(depth, Opcode::Roll, place);
                self.emit(Op::Code(Opcode::Drop), place);
            }
        }
    }

    fn uses(&self, id: NodeId) -> u32 {
        self.counter.uses.of(id)
    }

    fn is_needed(&self, id: NodeId) -> bool {
        self.uses(id) > 0 || self.is_kept(id) || self.graph.is_holder(id)
    }

    /// Takes one use off; true if the value is needed no more.
    fn use_up(&mut self, id: NodeId) -> bool {
        self.counter.uses.take(id);
        !self.is_needed(id)
    }

    fn emit(&mut self, op: Op, place: PlaceId) {
        self.emit_check(op, place, None);
    }

    fn emit_check(&mut self, op: Op, place: PlaceId, site: Option<SiteId>) {
        let instr = Instr { op, place, site };
        if self.policy.rewrites {
            peephole::push(&mut self.code, instr);
        } else {
            peephole::push_direct(&mut self.code, instr);
        }
    }

    /// Whether the number of the items above such a depth is known.
    fn is_open(&self, depth: usize) -> bool {
        !self.stack.iter().rev().take(depth).any(|entry| self.graph.is_holder(entry.node))
    }

    fn emit_move(&mut self, depth: usize, opcode: Opcode, place: PlaceId) {
        self.is_lost |= !self.is_open(depth);
        let depth = i64::try_from(depth).unwrap_or(i64::MAX);
        self.emit(Op::int(depth), place);
        self.emit(Op::Code(opcode), place);
    }

    fn push(&mut self, node: NodeId, reserved: bool) {
        self.stack.push(Entry { node, reserved });
        self.depth_max = self.depth_max.max(self.stack.len());
    }

    fn effects(&mut self, effects: &[Effect]) -> Result<(), TooLong> {
        let mut blocks = 0;
        for effect in effects {
            self.rearrange(effect.place());
            match effect {
                Effect::Verify { value, site, place } => {
                    self.want(*value, *place)?;
                    self.stack.pop();
                    self.emit_check(Op::Code(Opcode::Verify), *place, *site);
                }
                Effect::Lock { opcode, value, site, place } => self.lock(*opcode, *value, *site, *place)?,
                Effect::Choose(choice) => {
                    let captures = self.captures(blocks);
                    blocks += 1;
                    self.choose(choice, &captures)?;
                }
                Effect::Repeat(repeat) => {
                    let captures = self.captures(blocks);
                    blocks += 1;
                    self.repeat(repeat, &captures)?;
                }
                Effect::Run(run) => self.given(run)?,
            }
            self.settle(effect.place())?;
        }
        Ok(())
    }

    /// A time lock, which leaves what it looks at: that stays there if something else needs it.
    fn lock(&mut self, opcode: Opcode, value: NodeId, site: SiteId, place: PlaceId) -> Result<(), TooLong> {
        let stays = self.policy.rewrites && !self.is_free(value) && (self.uses(value) > 1 || self.is_kept(value));
        if stays {
            self.ensure(value, place)?;
        }
        if stays && self.find(value) == Some(0) {
            self.emit_check(Op::Code(opcode), place, Some(site));
            self.use_up(value);
            return Ok(());
        }
        self.want(value, place)?;
        self.stack.pop();
        self.emit_check(Op::Code(opcode), place, Some(site));
        self.emit(Op::Code(Opcode::Drop), place);
        Ok(())
    }

    /// Computes what the top of the stack is still needed for, as long as that takes it away and another item is there.
    fn settle(&mut self, place: PlaceId) -> Result<(), TooLong> {
        while let Some(next) = self.settled() {
            self.would_settle = true;
            if !self.policy.settles || self.departs() {
                return Ok(());
            }
            self.ensure(next, place)?;
        }
        Ok(())
    }

    /// What takes the top of the stack away, together with another item of the stack.
    fn settled(&self) -> Option<NodeId> {
        let top = self.stack.last()?.node;
        if self.uses(top) != 1 || self.is_kept(top) {
            return None;
        }
        self.users.of(top).iter().copied().find(|user| match self.graph.as_op(*user) {
            Some((_, [a, b])) => {
                let other = if *a == top { *b } else { *a };
                let waits = self.uses(*user) > 0 && !self.is_free(*user) && self.find(*user).is_none();
                waits && other != top && !self.is_free(other) && self.find(other).is_some()
            }
            _ => false,
        })
    }

    /// Whether an outer block needs the value after this one.
    fn is_kept(&self, id: NodeId) -> bool {
        self.scopes.last().is_some_and(|scope| scope.keep.binary_search(&id).is_ok())
    }

    /// What the choice or loop with this index among those of the block takes from the stack.
    fn captures(&self, index: usize) -> Vec<NodeId> {
        self.scopes.last().and_then(|scope| scope.captures.get(index)).cloned().unwrap_or_default()
    }

    /// A loop: its variables come to the top, everything else stays beneath through all rounds.
    fn repeat(&mut self, repeat: &Repeat, captures: &[NodeId]) -> Result<(), TooLong> {
        self.ensure_all(captures, repeat.place)?;
        let initials: Vec<NodeId> = repeat.vars.iter().map(|var| var.initial).collect();
        self.arrange(&initials, repeat.place)?;
        let beneath = self.stack.len().saturating_sub(initials.len());
        let keep = in_order(self.stack.iter().take(beneath).map(|entry| entry.node));
        self.stack.truncate(beneath);
        repeat.vars.iter().for_each(|var| self.push(var.entry, false));
        let records = repeat.records.iter().map(|node| Entry { node: *node, reserved: false });
        self.stack.splice(0..0, records);
        self.depth_max = self.depth_max.max(self.stack.len());
        let outer = std::mem::take(&mut self.code);
        self.room = self.room.saturating_sub(outer.len());
        let body = self.rounds(repeat, keep)?;
        self.room = self.room.saturating_add(outer.len());
        self.code = outer;
        debug_assert_eq!(self.stack.len(), beneath + repeat.vars.len(), "a round leaves what it found");
        self.emit(Op::Begin(repeat.rounds), repeat.place);
        self.code.extend(body);
        self.code.push(Instr { op: Op::Code(Opcode::Until), place: repeat.place, site: None });
        self.stack.truncate(beneath);
        repeat.vars.iter().for_each(|var| self.push(var.result, false));
        for value in captures {
            self.use_up(*value);
        }
        self.drop_unneeded(repeat.place);
        Ok(())
    }

    /// One round with its exit condition, in code of its own.
    fn rounds(&mut self, repeat: &Repeat, keep: Vec<NodeId>) -> Result<Code, TooLong> {
        let yields = repeat.yields();
        self.open(&repeat.body, &yields, keep);
        if self.policy.lifts_records {
            repeat.records.iter().rev().for_each(|record| self.lift(*record, repeat.place));
        }
        self.effects(&repeat.body.effects)?;
        self.arrange(&yields, repeat.place)?;
        self.close();
        match repeat.exit {
            Exit::When(_) => drop(self.stack.pop()),
            Exit::NoRecords => {
                let known = i64::try_from(self.stack.len()).unwrap_or(i64::MAX);
                [Op::Code(Opcode::Depth), Op::int(known), Op::Code(Opcode::NumEqual)]
                    .into_iter()
                    .for_each(|op| self.emit(op, repeat.place));
                self.per_record = 1 + executed(&self.code, self.graph.call_lens());
            }
        }
        Ok(std::mem::take(&mut self.code))
    }

    /// Moves a value to the top, where it waits for its uses.
    fn lift(&mut self, id: NodeId, place: PlaceId) {
        let Some(depth) = self.find(id) else { return };
        if let Some(at) = self.stack.len().checked_sub(depth + 1) {
            let entry = self.stack.remove(at);
            self.stack.push(entry);
            self.emit_move(depth, Opcode::Roll, place);
        }
    }

    /// Given instructions, which take their inputs from the top.
    fn given(&mut self, run: &Run) -> Result<(), TooLong> {
        self.arrange(&run.inputs, run.place)?;
        self.stack.truncate(self.stack.len().saturating_sub(run.inputs.len()));
        self.code.extend(run.code.iter().cloned());
        run.results.iter().for_each(|result| self.push(*result, false));
        self.drop_unneeded(run.place);
        Ok(())
    }

    /// Brings the values to the top in this order, top last, and reserves them.
    fn arrange(&mut self, values: &[NodeId], place: PlaceId) -> Result<(), TooLong> {
        values.iter().try_for_each(|value| self.prepare(*value, true, place))?;
        let mut tasks = Vec::new();
        self.plan_operands(values, &mut tasks);
        self.run(tasks, place)
    }

    fn choose(&mut self, choice: &Choice, captures: &[NodeId]) -> Result<(), TooLong> {
        self.ensure_all(captures, choice.place)?;
        let turned = self.decide(choice)?;
        for value in captures {
            self.use_up(*value);
        }
        let fork = choice.fork.as_deref();
        let entry = self.stack.clone();
        let holder = fork.and_then(|fork| fork.holder);
        let needed = |node: &NodeId| self.is_needed(*node) && Some(*node) != holder;
        let keep = in_order(entry.iter().map(|e| e.node).filter(needed));
        let outer = std::mem::take(&mut self.code);
        self.room = self.room.saturating_sub(outer.len());
        let [written, other_written] = fork.map(|fork| fork.written.clone()).unwrap_or_default();
        self.enter(&entry, fork, true);
        self.written.push(written);
        let phis = self.meeting(&choice.phis);
        let [verdict, other_verdict] = phis.last().map_or([None; 2], |phi| phi.verdicts);
        let yields: Vec<NodeId> = phis.iter().map(|phi| phi.then).collect();
        let then = self.branch(&choice.then, &yields, keep.clone(), verdict)?;
        self.enter(&entry, fork, false);
        self.written.pop();
        self.written.push(other_written);
        let yields: Vec<NodeId> = phis.iter().map(|phi| phi.otherwise).collect();
        let otherwise = self.branch(&choice.otherwise, &yields, keep, other_verdict)?;
        self.written.pop();
        self.room = self.room.saturating_add(outer.len());
        self.code = outer;
        self.join(choice, turned, then, otherwise);
        let phis_at = self.stack.len().saturating_sub(phis.len());
        for (entry, phi) in self.stack.iter_mut().skip(phis_at).zip(&phis) {
            *entry = Entry { node: phi.result, reserved: false };
        }
        Ok(())
    }

    /// Writes one branch into code of its own; the stack then holds what outer blocks keep and the yields.
    /// If the top yield is the outcome of a check, the opcode that gives it says so: it may refuse its operands.
    fn branch(
        &mut self,
        block: &Block,
        yields: &[NodeId],
        keep: Vec<NodeId>,
        verdict: Option<SiteId>,
    ) -> Result<Code, TooLong> {
        let kept = keep.len();
        self.open(block, yields, keep);
        self.effects(&block.effects)?;
        self.arrange(yields, self.last_place())?;
        self.close();
        debug_assert_eq!(self.stack.len(), kept + yields.len(), "branches leave the same items");
        let gives = |op: &Op| match (op, yields.last().and_then(|top| self.graph.as_op(*top))) {
            (Op::Code(opcode), Some((Operation::Op(of), _))) => {
                *opcode == of || peephole::mirrored(of) == Some(*opcode)
            }
            _ => false,
        };
        if let Some(last) = self.code.last_mut().filter(|last| last.site.is_none() && gives(&last.op)) {
            last.site = verdict;
        }
        Ok(std::mem::take(&mut self.code))
    }

    /// Computes the values that branches or rounds will take.
    fn ensure_all(&mut self, values: &[NodeId], place: PlaceId) -> Result<(), TooLong> {
        let count = values.iter().filter(|value| self.find(**value).is_none()).count();
        if count > 1 && self.departs() {
            return values.iter().rev().try_for_each(|value| self.ensure(*value, place));
        }
        values.iter().try_for_each(|value| self.ensure(*value, place))
    }

    /// Computes a value that branches will take, unless it lies on the stack.
    fn ensure(&mut self, id: NodeId, place: PlaceId) -> Result<(), TooLong> {
        if self.find(id).is_some() {
            return Ok(());
        }
        self.prepare(id, false, place)?;
        self.compute_to_stay(id, place)
    }

    fn compute_to_stay(&mut self, id: NodeId, place: PlaceId) -> Result<(), TooLong> {
        let mut tasks = Vec::new();
        self.plan(id, Purpose::Stay, &mut tasks);
        self.run(tasks, place)
    }

    /// Computes the values with several uses that `root` is made of, innermost first; `root` itself if `whole`.
    fn prepare(&mut self, root: NodeId, whole: bool, place: PlaceId) -> Result<(), TooLong> {
        let graph = self.graph;
        let mut todo = vec![(root, false)];
        while let Some((id, inputs_done)) = todo.pop() {
            if self.is_free(id) || self.find(id).is_some() {
                continue;
            }
            if !inputs_done {
                todo.push((id, true));
                let inputs = graph.as_op(id).map(|(_, inputs)| inputs).unwrap_or_default();
                let is_open = |input: &NodeId| !self.is_free(*input) && self.find(*input).is_none();
                let both = inputs.len() == 2 && inputs.iter().all(is_open);
                let backwards = both && self.departs();
                let given = inputs.iter().map(|input| (*input, false));
                if backwards { todo.extend(given) } else { todo.extend(given.rev()) }
            } else if (whole || id != root) && self.has_several_uses(id) {
                self.compute_to_stay(id, place)?;
            }
        }
        Ok(())
    }

    fn has_several_uses(&self, id: NodeId) -> bool {
        let has_twin = || self.graph.as_op(id).is_some_and(|(op, inputs)| self.twin(op, inputs).is_some());
        self.uses(id) > 1 || has_twin()
    }

    /// Brings `root` to the top and reserves it.
    fn want(&mut self, root: NodeId, place: PlaceId) -> Result<(), TooLong> {
        self.prepare(root, false, place)?;
        self.run(vec![Task::Want(root)], place)
    }

    fn run(&mut self, mut tasks: Vec<Task>, place: PlaceId) -> Result<(), TooLong> {
        while let Some(task) = tasks.pop() {
            if self.code.len() > self.room {
                return Err(TooLong);
            }
            match task {
                Task::Want(id) if self.is_free(id) => self.recompute(id),
                Task::Want(id) => match self.find(id) {
                    Some(depth) => self.fetch(id, depth, place),
                    None => self.plan(id, Purpose::Operand, &mut tasks),
                },
                Task::Apply(id, form, purpose) => self.apply(id, form, purpose),
            }
        }
        Ok(())
    }

    fn is_free(&self, id: NodeId) -> bool {
        self.counter.is_free(id)
    }

    /// How far below the top an item lies that may be fetched.
    fn find(&self, id: NodeId) -> Option<usize> {
        self.stack.iter().rev().position(|entry| entry.node == id && !entry.reserved)
    }

    fn fetch(&mut self, id: NodeId, depth: usize, place: PlaceId) {
        if self.use_up(id) {
            if let Some(at) = self.stack.len().checked_sub(depth + 1) {
                self.stack.remove(at);
            }
            self.emit_move(depth, Opcode::Roll, place);
        } else {
            self.emit_move(depth, Opcode::Pick, place);
        }
        self.push(id, true);
    }

    /// Writes a free value again. The depth of this recursion is at most the weight of free values.
    fn recompute(&mut self, id: NodeId) {
        self.write_free(id);
        self.push(id, true);
    }

    fn write_free(&mut self, id: NodeId) {
        let graph = self.graph;
        let place = self.place_of(id);
        match graph.kind(id) {
            NodeKind::Const(data) => self.emit(Op::Push(data.clone()), place),
            NodeKind::Param(index) => self.emit(Op::Hole(*index), place),
            NodeKind::Text(parts) => self.emit(Op::Text(parts.clone()), place),
            NodeKind::Op(operation, inputs) => {
                inputs.iter().for_each(|input| self.write_free(*input));
                self.emit_operation(*operation, place);
            }
            NodeKind::Arg(_) | NodeKind::Phi(_) => unreachable!("what has a fixed place is never free"),
        }
    }

    fn apply(&mut self, id: NodeId, form: Form, purpose: Purpose) {
        let graph = self.graph;
        let place = self.place_of(id);
        match graph.kind(id) {
            NodeKind::Op(operation, inputs) => {
                self.stack.truncate(self.stack.len().saturating_sub(inputs.len()));
                if form == Form::Swapped {
                    self.emit(Op::Code(Opcode::Swap), place);
                }
                match self.twin(*operation, inputs) {
                    Some(twin) if purpose == Purpose::Stay => {
                        return self.cut_to_stay(id, *operation, twin, place);
                    }
                    Some(twin) => self.cut(*operation, twin, place),
                    None => match form {
                        Form::Mirrored(opcode) => self.emit_operation(Operation::Op(opcode), place),
                        Form::Own | Form::Swapped => self.emit_operation(*operation, place),
                    },
                }
            }
            NodeKind::Const(_) | NodeKind::Param(_) | NodeKind::Text(_) => self.write_free(id),
            NodeKind::Arg(_) | NodeKind::Phi(_) => unreachable!("it lies on the stack until its last use"),
        }
        if purpose == Purpose::Stay {
            self.push(id, false);
        } else if self.use_up(id) {
            self.push(id, true);
        } else {
            self.push(id, false);
            self.emit(Op::Code(Opcode::Dup), place);
            self.push(id, true);
        }
    }

    /// Cuts once for both halves: the twin stays below.
    fn cut(&mut self, operation: Operation, twin: NodeId, place: PlaceId) {
        self.emit(Op::Code(Opcode::Split), place);
        if operation == Operation::Head {
            self.emit(Op::Code(Opcode::Swap), place);
        }
        self.push(twin, false);
    }

    /// Cuts once for both halves, and keeps both.
    fn cut_to_stay(&mut self, id: NodeId, operation: Operation, twin: NodeId, place: PlaceId) {
        self.emit(Op::Code(Opcode::Split), place);
        let (head, tail) = if operation == Operation::Head { (id, twin) } else { (twin, id) };
        self.push(head, false);
        self.push(tail, false);
    }

    fn emit_operation(&mut self, operation: Operation, place: PlaceId) {
        if let Operation::Call(number) = operation {
            self.emit(Op::int(i64::from(number)), place);
            return self.emit(Op::Code(Opcode::Invoke), place);
        }
        let opcodes: &[Opcode] = match &operation {
            Operation::Op(opcode) => std::slice::from_ref(opcode),
            Operation::Length => &[Opcode::Size, Opcode::Nip],
            Operation::Head => &[Opcode::Split, Opcode::Drop],
            Operation::Tail => &[Opcode::Split, Opcode::Nip],
            Operation::Call(_) => &[],
        };
        opcodes.iter().for_each(|opcode| self.emit(Op::Code(*opcode), place));
    }
}

/// What each value of a graph is an operand of.
#[derive(Clone, Debug)]
pub(crate) struct Users(Vec<Vec<NodeId>>);

impl Users {
    pub(crate) fn new(graph: &Graph) -> Self {
        let mut users = vec![Vec::new(); graph.len()];
        for user in graph.ids() {
            let inputs = graph.as_op(user).map(|(_, inputs)| inputs).unwrap_or_default();
            inputs.iter().for_each(|input| users.get_mut(input.index()).into_iter().for_each(|of| of.push(user)));
        }
        Self(users)
    }

    /// In ascending order.
    fn of(&self, id: NodeId) -> &[NodeId] {
        self.0.get(id.index()).map(Vec::as_slice).unwrap_or_default()
    }
}

fn in_order(values: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
    let mut values: Vec<NodeId> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// About how many instructions run, those of shared functions included.
fn executed(code: &Code, call_lens: &[usize]) -> usize {
    code.len() + calls(code).filter_map(|number| call_lens.get(number)).sum::<usize>()
}
