//! Which argument lies where, and which variable of a loop: tries orders and policies, and keeps the best code.

mod beam;
mod wander;

use spec::artifact::Objective;

use crate::code::{Code, SiteId};
use crate::mir::{Block, Effect, Fork, Graph, NodeId, NodeKind, Path, Repeat, Var};
use crate::passes::Passes;
use crate::reorder::{self, Span};
use crate::schedule::{Alike, Departures, End, Policy, Scheduled, TooLong, Users, Work, schedule};
use crate::weigh::Scale;

use beam::Widths;

/// All orders are tried up to this many arguments or variables.
const ALL_ORDERS_MAX: usize = 4;
/// All orders of so many arguments of one branch are tried.
const EXTRAS_MAX: usize = 3;
/// With more, single ones move at most so often in a row, each time to the best place.
const CLIMBS_MAX: usize = 3;
/// The search ends when it has written so many instructions: some milliseconds.
const INSTRUCTIONS_MAX: usize = 40_000;
/// A path with loops may take so many more.
const LOOP_INSTRUCTIONS_MAX: usize = 60_000;
/// The search for a better order of checks ends after so many more.
const REORDER_INSTRUCTIONS_MAX: usize = 30_000;
/// Where time matters, so many orders are tried.
const LOOK_ORDERS_MAX: usize = 2;
/// A glance ends after so many.
const GLANCE_INSTRUCTIONS_MAX: usize = 2_000;
/// What values may weigh to be computed again.
const FREE_WEIGHTS: [u32; 4] = [2, 3, 1, 5];
/// What values must weigh to be computed before a loop.
const HOISTED_WEIGHTS: [u32; 3] = [0, 6, 12];

/// The best code of a path.
#[derive(Clone, Debug)]
pub(crate) struct Arranged {
    pub(crate) code: Code,
    /// The arguments in the order in which the spender pushes them.
    pub(crate) order: Vec<usize>,
    /// Their items in this order, but for the records of a list.
    pub(crate) items: Vec<usize>,
    pub(crate) depth_max: usize,
    pub(crate) end: End,
    /// How good it is; less is better.
    pub(crate) score: usize,
}

/// How much work is worth while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effort {
    /// One way: arguments as they are declared, instructions one by one.
    None,
    /// A few orders of the arguments: enough to compare two forms of one path where time matters.
    Look,
    /// A few orders, and other policies for the best of them: as much as every build may take.
    Quick,
    /// Many ways, but not for long: enough to compare two forms of one path in a search.
    Glance,
    /// Many ways.
    Full,
    /// A beam over layouts, and over the decisions of the scheduler for the best of them.
    Beam,
    /// A wider beam, and then from layouts at random, until so many instructions are written.
    Long(u64),
}

/// What code is arranged for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aim<'a> {
    pub(crate) end: End,
    pub(crate) bytes_max: usize,
    /// How long the push of each parameter is to count.
    pub(crate) holes: &'a [usize],
    pub(crate) objective: Objective,
    pub(crate) effort: Effort,
    pub(crate) passes: Passes,
}

/// Schedules `path` in several ways.
pub(crate) fn arrange(path: &mut Path, aim: Aim<'_>) -> Result<Arranged, TooLong> {
    let Aim { end, bytes_max, holes, objective, effort, passes } = aim;
    if end == End::Truth {
        put_truth_last(&mut path.body.effects);
    }
    let mut loops = Vec::new();
    loops_of(&path.body, &mut loops);
    let is_movable = |arg: &usize| Some(*arg) != path.list && !path.hidden.contains(arg);
    let movable: Vec<usize> = (0..path.arg_items.len()).filter(is_movable).collect();
    let orders = orders(&movable);
    let room = match effort {
        Effort::None => 1,
        Effort::Look | Effort::Quick => usize::MAX,
        Effort::Glance => GLANCE_INSTRUCTIONS_MAX,
        Effort::Full | Effort::Beam | Effort::Long(_) => {
            INSTRUCTIONS_MAX + if loops.is_empty() { 0 } else { LOOP_INSTRUCTIONS_MAX }
        }
    };
    let rewrites = effort != Effort::None;
    let (hoists, lifts) = (!loops.is_empty(), path.list.is_some());
    let policies = passes.policies;
    let users = Users::new(&path.graph);
    let free_weights = different_weights(&path.graph);
    let mut search = Search {
        end,
        bytes_max,
        holes,
        objective,
        hoists,
        lifts,
        rewrites,
        policies,
        users,
        free_weights,
        path,
        best: None,
        room,
    };
    let orders = orders.get(..if passes.orders { orders.len() } else { 1 }).unwrap_or_default();
    match effort {
        Effort::None => search.try_orders(orders),
        Effort::Look => search.look(orders, false),
        Effort::Quick => {
            search.look(orders, true);
            if passes.orders {
                search.move_variables(&loops, Width::One);
                search.move_extras(Width::One);
            }
        }
        Effort::Glance | Effort::Full | Effort::Beam | Effort::Long(_) => {
            search.try_orders(orders);
            if passes.orders {
                search.climb(movable.len());
                search.move_variables(&loops, Width::All);
                search.move_extras(Width::All);
            }
        }
    }
    if effort >= Effort::Full {
        search.room = REORDER_INSTRUCTIONS_MAX;
        search.move_checks();
    }
    match effort {
        Effort::None | Effort::Look | Effort::Quick | Effort::Glance | Effort::Full => {}
        Effort::Beam => search.beam(&Widths::BEAM, &loops),
        Effort::Long(work) => search.wander(work, &loops),
    }
    let Best { score, mut order, scheduled, .. } = search.best.ok_or(TooLong)?;
    let items = items_in_order(path, &order);
    order.splice(0..0, path.list);
    let Scheduled { code, depth_max, end, .. } = scheduled;
    Ok(Arranged { code, order, items, depth_max, end, score })
}

/// How many policies a layout is tried with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    /// The best one.
    One,
    All,
}

impl Width {
    /// All orders of so many variables are tried; else single ones move.
    const fn all_orders_max(self) -> usize {
        match self {
            Self::One => 3,
            Self::All => ALL_ORDERS_MAX,
        }
    }
}

/// The best code so far.
struct Best {
    score: usize,
    order: Vec<usize>,
    policy: Policy,
    scheduled: Scheduled,
}

/// What came of one attempt.
struct Outcome {
    score: usize,
    scheduled: Scheduled,
}

struct Search<'p> {
    path: &'p mut Path,
    end: End,
    bytes_max: usize,
    holes: &'p [usize],
    objective: Objective,
    /// Whether there are loops to compute something before.
    hoists: bool,
    /// Whether one of them takes records.
    lifts: bool,
    /// As in [`Policy`].
    rewrites: bool,
    /// Whether more than one policy is tried.
    policies: bool,
    users: Users,
    /// Those that make other values free than the ones before them.
    free_weights: Vec<u32>,
    best: Option<Best>,
    /// How many instructions may still be written.
    room: usize,
}

impl Search<'_> {
    /// Schedules few orders with one policy, and if `whole`, the best order with policies that differ in one thing from
    /// the best so far.
    fn look(&mut self, orders: &[Vec<usize>], whole: bool) {
        let Some(first) = self.free_weights.first().copied() else { return };
        let Some(policy) = self.policies(first).first().copied() else { return };
        for order in orders.iter().take(LOOK_ORDERS_MAX) {
            self.attempt(order, policy);
        }
        if !whole {
            return;
        }
        for free_weight in self.free_weights() {
            self.change(|policy| Policy { free_weight, ..policy });
        }
        if self.policies {
            for hoisted_weight in HOISTED_WEIGHTS.into_iter().take(if self.hoists { usize::MAX } else { 0 }) {
                self.change(|policy| Policy { hoisted_weight, ..policy });
            }
            let (lifts_records, settles) = (self.lifts, self.rewrites);
            self.change(|policy| Policy { lifts_records, ..policy });
            self.change(|policy| Policy { settles, ..policy });
        }
    }

    /// Schedules the best order with another policy than the best, unless that comes to the same.
    fn change(&mut self, change: impl Fn(Policy) -> Policy) {
        let Some(Best { order, policy, scheduled, .. }) = &self.best else { return };
        let changed = change(*policy);
        if !scheduled.alike.contains(changed) {
            let order = order.clone();
            self.attempt(&order, changed);
        }
    }

    /// Schedules once; true if that is the best so far.
    fn attempt(&mut self, order: &[usize], policy: Policy) -> bool {
        let outcome = self.outcome(order, policy, &Departures::default());
        outcome.is_some_and(|Outcome { score, scheduled }| self.keep(order, policy, score, scheduled))
    }

    fn try_orders(&mut self, orders: &[Vec<usize>]) {
        orders.iter().for_each(|order| self.try_order(order));
    }

    /// Schedules with every policy, as long as there is room.
    fn try_order(&mut self, order: &[usize]) {
        for free_weight in self.free_weights() {
            self.try_policies(order, free_weight);
        }
    }

    fn free_weights(&self) -> Vec<u32> {
        self.free_weights.iter().copied().take(if self.policies { usize::MAX } else { 1 }).collect()
    }

    fn try_policies(&mut self, order: &[usize], free_weight: u32) -> bool {
        let mut better = false;
        for_each_unlike(self.policies(free_weight), Vec::new(), |policy| {
            let Outcome { score, scheduled } = self.outcome(order, policy, &Departures::default())?;
            let alike = scheduled.alike;
            better |= self.keep(order, policy, score, scheduled);
            Some(alike)
        });
        better
    }

    /// All policies with this weight.
    fn policies(&self, free_weight: u32) -> Vec<Policy> {
        let hoisted_weights = HOISTED_WEIGHTS.get(..if self.hoists { HOISTED_WEIGHTS.len() } else { 1 });
        let mut policies = Vec::new();
        for hoisted_weight in hoisted_weights.unwrap_or_default().iter().copied() {
            for lifts_records in [false, true].into_iter().take(1 + usize::from(self.lifts)) {
                for settles in [false, true].into_iter().take(1 + usize::from(self.rewrites)) {
                    let rewrites = self.rewrites;
                    policies.push(Policy { free_weight, hoisted_weight, lifts_records, rewrites, settles });
                }
            }
        }
        policies.truncate(if self.policies { policies.len() } else { 1 });
        policies
    }

    /// Keeps what is better than all before; true if it is.
    fn keep(&mut self, order: &[usize], policy: Policy, score: usize, scheduled: Scheduled) -> bool {
        let better = self.best.as_ref().is_none_or(|best| score < best.score);
        if better {
            self.best = Some(Best { score, order: order.to_vec(), policy, scheduled });
        }
        better
    }

    /// Schedules once; nothing if there is no room, or the code is of no use.
    fn outcome(&mut self, order: &[usize], policy: Policy, departures: &Departures) -> Option<Outcome> {
        if self.room == 0 {
            return None;
        }
        crate::interrupt::check();
        let stack = stack(self.path, order);
        let Path { graph, body, results, .. } = &*self.path;
        let (users, end, instructions_max) = (&self.users, self.end, self.bytes_max);
        let work = Work { graph, users, body, results, stack: &stack, end, instructions_max };
        let Ok(scheduled) = schedule(work, policy, departures) else {
            self.room = self.room.saturating_sub(self.bytes_max);
            return None;
        };
        self.room = self.room.saturating_sub(scheduled.code.len());
        (!scheduled.is_lost).then(|| Outcome { score: self.score(&scheduled), scheduled })
    }

    fn score(&self, scheduled: &Scheduled) -> usize {
        let Self { objective, holes, .. } = *self;
        let scale = Scale { objective, holes, calls: self.path.graph.call_lens() };
        scale.score(&scheduled.code, scheduled.per_record)
    }

    /// Moves single arguments of the best order to other places, as long as that improves the code.
    fn climb(&mut self, count: usize) {
        if count <= ALL_ORDERS_MAX {
            return;
        }
        for _ in 0..CLIMBS_MAX {
            let Some(Best { score: before, order, .. }) = &self.best else { return };
            let (before, order) = (*before, order.clone());
            for moved in moves(&order) {
                self.try_order(&moved);
                if self.room == 0 {
                    return;
                }
            }
            if self.is_still(before) {
                return;
            }
        }
    }

    fn is_still(&self, before: usize) -> bool {
        self.best.as_ref().is_none_or(|best| best.score == before)
    }

    /// Orders the variables of each loop, with the arguments as they are; twice, because loops inside each other meet.
    fn move_variables(&mut self, loops: &[(u32, usize)], width: Width) {
        for _ in 0..CLIMBS_MAX {
            let Some(Best { score: before, .. }) = self.best else { return };
            for (id, count) in loops {
                self.move_variables_of(*id, *count, width);
            }
            if width == Width::One || self.is_still(before) {
                return;
            }
        }
    }

    fn move_variables_of(&mut self, id: u32, count: usize, width: Width) {
        let mut best: Vec<usize> = (0..count).collect();
        let given = best.clone();
        let orders: Box<dyn Iterator<Item = Vec<usize>>> = if count <= width.all_orders_max() {
            Box::new(orders(&given).into_iter())
        } else {
            Box::new(moves(&given))
        };
        let Some(unordered) = find(&mut self.path.body, id).map(|repeat| repeat.vars.clone()) else { return };
        for order in orders {
            if self.room == 0 {
                break;
            }
            self.put_variables(id, &unordered, &order);
            if self.attempt_best(width) {
                best = order;
            }
        }
        self.put_variables(id, &unordered, &best);
    }

    fn put_variables(&mut self, id: u32, unordered: &[Var], order: &[usize]) {
        if let Some(repeat) = find(&mut self.path.body, id) {
            repeat.vars = order.iter().filter_map(|at| unordered.get(*at)).copied().collect();
        }
    }

    /// Moves single checks of each block to other places, as long as that improves the code.
    fn move_checks(&mut self) {
        for _ in 0..CLIMBS_MAX {
            let Some(Best { score: before, .. }) = self.best else { return };
            let mut number = 0;
            while self.room > 0 && self.move_checks_of(number) {
                number += 1;
            }
            if self.room == 0 || self.is_still(before) {
                return;
            }
        }
    }

    /// False if there is no block with this number.
    fn move_checks_of(&mut self, number: usize) -> bool {
        let Some(count) = self.block(number).map(|block| block.effects.len()) else { return false };
        // Of two that would do as the last one, the later.
        for from in (0..count).rev() {
            let Path { graph, body, .. } = &mut *self.path;
            let Some(block) = reorder::nth_block(body, &mut { number }) else { return false };
            let ends = number == 0 && self.end == End::Truth;
            let Some(Span { first, last }) = reorder::span(graph, block, from, ends) else { continue };
            let mut best = from;
            for to in (first..=last).filter(|to| *to != from) {
                if self.room == 0 {
                    return true;
                }
                self.shift(number, from, to);
                if self.attempt_best(Width::All) {
                    best = to;
                }
                self.shift(number, to, from);
            }
            self.shift(number, from, best);
        }
        true
    }

    fn block(&mut self, number: usize) -> Option<&mut Block> {
        reorder::nth_block(&mut self.path.body, &mut { number })
    }

    fn shift(&mut self, number: usize, from: usize, to: usize) {
        if let Some(block) = self.block(number) {
            reorder::shift(block, from, to);
        }
    }

    /// Orders what lies on the stack in one block of a conditional and not in the other.
    fn move_extras(&mut self, width: Width) {
        let mut forks = Vec::new();
        forks_of(&self.path.body, &mut forks);
        for (site, block, count) in forks {
            if !(2..=EXTRAS_MAX).contains(&count) {
                continue;
            }
            let Some(given) = extras_of(&mut self.path.body, site, block).map(|extras| extras.clone()) else {
                continue;
            };
            let mut best = given.clone();
            for order in orders(&(0..count).collect::<Vec<_>>()) {
                let moved: Vec<_> = order.iter().filter_map(|at| given.get(*at)).cloned().collect();
                if let Some(extras) = extras_of(&mut self.path.body, site, block) {
                    extras.clone_from(&moved);
                }
                if self.attempt_best(width) {
                    best = moved;
                }
            }
            if let Some(extras) = extras_of(&mut self.path.body, site, block) {
                *extras = best;
            }
        }
    }

    /// Tries the best order and policies again, after something else has changed.
    fn attempt_best(&mut self, width: Width) -> bool {
        let Some(Best { order, policy, .. }) = &self.best else { return false };
        let (order, policy) = (order.clone(), *policy);
        match width {
            Width::One => self.attempt(&order, policy),
            Width::All => self.try_policies(&order, policy.free_weight),
        }
    }
}

/// Writes with all policies but those that are known to lead to code that was written before; `write` gives which others
/// come to the same as its own.
fn for_each_unlike(policies: Vec<Policy>, mut known: Vec<Alike>, mut write: impl FnMut(Policy) -> Option<Alike>) {
    for policy in policies {
        if !known.iter().any(|alike| alike.contains(policy)) {
            known.extend(write(policy));
        }
    }
}

/// Of the weights those that make other values free than the ones before them.
fn different_weights(graph: &Graph) -> Vec<u32> {
    let free = |weight: u32| graph.nodes().iter().filter(|node| node.weight <= weight).count();
    let mut found: Vec<(u32, usize)> = Vec::new();
    for weight in FREE_WEIGHTS {
        let free = free(weight);
        if !found.iter().any(|(_, other)| *other == free) {
            found.push((weight, free));
        }
    }
    found.into_iter().map(|(weight, _)| weight).collect()
}

/// The loops inside, each with its number of variables.
fn loops_of(block: &Block, found: &mut Vec<(u32, usize)>) {
    for effect in &block.effects {
        match effect {
            Effect::Choose(choice) => {
                loops_of(&choice.then, found);
                loops_of(&choice.otherwise, found);
            }
            Effect::Repeat(repeat) => {
                loops_of(&repeat.body, found);
                found.push((repeat.id, repeat.vars.len()));
            }
            Effect::Verify { .. } | Effect::Lock { .. } | Effect::Run(_) => {}
        }
    }
}

fn find(block: &mut Block, id: u32) -> Option<&mut Repeat> {
    block.effects.iter_mut().find_map(|effect| match effect {
        Effect::Choose(choice) => find(&mut choice.then, id).or_else(|| find(&mut choice.otherwise, id)),
        Effect::Repeat(repeat) => {
            if repeat.id == id {
                Some(&mut **repeat)
            } else {
                find(&mut repeat.body, id)
            }
        }
        Effect::Verify { .. } | Effect::Lock { .. } | Effect::Run(_) => None,
    })
}

/// The conditionals with a mark, for each of their blocks the number of its own arguments.
fn forks_of(block: &Block, found: &mut Vec<(SiteId, usize, usize)>) {
    for effect in &block.effects {
        let Effect::Choose(choice) = effect else { continue };
        let Some(fork) = &choice.fork else { continue };
        found.extend(fork.extras.iter().enumerate().map(|(at, extras)| (fork.site, at, extras.len())));
        forks_of(&choice.then, found);
        forks_of(&choice.otherwise, found);
    }
}

/// The arguments that lie on the stack only in one block of a conditional.
fn extras_of(block: &mut Block, site: SiteId, at: usize) -> Option<&mut Vec<Vec<NodeId>>> {
    find_fork(block, site)?.extras.get_mut(at)
}

fn find_fork(block: &mut Block, site: SiteId) -> Option<&mut Fork> {
    block.effects.iter_mut().find_map(|effect| {
        let Effect::Choose(choice) = effect else { return None };
        match &mut choice.fork {
            Some(fork) if fork.site == site => Some(&mut **fork),
            Some(_) => find_fork(&mut choice.then, site).or_else(|| find_fork(&mut choice.otherwise, site)),
            None => None,
        }
    })
}

/// Lets a check be the last effect if only time locks follow it: its truth value then ends the script.
fn put_truth_last(effects: &mut [Effect]) {
    let is_lock = |effect: &Effect| matches!(effect, Effect::Lock { .. });
    let locks = effects.iter().rev().take_while(|effect| is_lock(effect)).count();
    let Some(last_check) = effects.len().checked_sub(locks + 1) else { return };
    if let Some(tail @ [Effect::Verify { .. }, ..]) = effects.get_mut(last_check..) {
        tail.rotate_left(1);
    }
}

/// The numbers of the items that lie on the stack when the arguments were pushed in `order`.
pub(crate) fn items_in_order(path: &Path, order: &[usize]) -> Vec<usize> {
    let starts: Vec<usize> = path
        .arg_items
        .iter()
        .scan(0, |next, count| {
            *next += count;
            Some(*next - count)
        })
        .collect();
    let items = |arg: &usize| {
        let start = starts.get(*arg).copied().unwrap_or(0);
        start..start + path.arg_items.get(*arg).copied().unwrap_or(0)
    };
    order.iter().flat_map(items).collect()
}

fn stack(path: &Path, order: &[usize]) -> Vec<NodeId> {
    let node = |item| path.graph.find(&NodeKind::Arg(item)).expect("lowering makes a node for every argument");
    items_in_order(path, order).into_iter().map(node).collect()
}

/// Orders worth trying: all of them for few items, and otherwise as given and backwards.
fn orders(items: &[usize]) -> Vec<Vec<usize>> {
    if items.len() > ALL_ORDERS_MAX {
        return vec![items.to_vec(), items.iter().rev().copied().collect()];
    }
    let mut all = vec![Vec::new()];
    for _ in items {
        let longer = |order: &Vec<usize>| {
            let order = order.clone();
            let fresh: Vec<usize> = items.iter().copied().filter(|item| !order.contains(item)).collect();
            fresh.into_iter().map(move |item| [order.as_slice(), &[item]].concat())
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}

/// The orders in which one item has moved to another place.
fn moves(order: &[usize]) -> impl Iterator<Item = Vec<usize>> {
    let count = order.len();
    let moved = |(from, to)| {
        let mut moved = order.to_vec();
        let item = moved.remove(from);
        moved.insert(to, item);
        moved
    };
    (0..count).flat_map(move |from| (0..count).map(move |to| (from, to))).map(moved)
}

#[cfg(test)]
mod tests {
    use super::orders;

    #[test]
    fn few_arguments_are_tried_in_every_order_beginning_with_the_declared_one() {
        assert_eq!(orders(&[]), [Vec::<usize>::new()]);
        assert_eq!(orders(&[0, 1]), [[0, 1], [1, 0]]);
        assert_eq!(orders(&[0, 1, 2, 3]).len(), 24);
        assert_eq!(orders(&[0, 1, 2, 3]).first().unwrap(), &[0, 1, 2, 3]);
        assert_eq!(orders(&[0, 1, 2, 3, 4, 5]).len(), 2);
    }
}
