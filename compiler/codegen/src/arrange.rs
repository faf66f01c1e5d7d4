//! Which argument lies where: tries orders and policies, and keeps the shortest code.

use crate::code::Code;
use crate::mir::{Effect, NodeId, NodeKind, Path};
use crate::schedule::{End, Policy, Scheduled, TooLong, schedule};

/// All orders are tried up to this many arguments.
const ALL_ORDERS_MAX: usize = 4;
/// With more, single arguments move at most so often in a row, each time to the best place.
const CLIMBS_MAX: usize = 3;
/// The search ends when it has written so many instructions: some milliseconds.
const INSTRUCTIONS_MAX: usize = 40_000;
/// What values may weigh to be computed again.
const FREE_WEIGHTS: [u32; 4] = [2, 3, 1, 5];

/// The best code of a path.
#[derive(Clone, Debug)]
pub(crate) struct Arranged {
    pub(crate) code: Code,
    /// The arguments in the order in which the spender pushes them.
    pub(crate) order: Vec<usize>,
    pub(crate) depth_max: usize,
    pub(crate) nesting_max: usize,
    pub(crate) end: End,
}

/// Schedules `path` in several ways; `holes` says how long the push of each parameter is to count.
pub(crate) fn arrange(path: &mut Path, end: End, bytes_max: usize, holes: &[usize]) -> Result<Arranged, TooLong> {
    if end == End::Truth {
        put_truth_last(&mut path.body.effects);
    }
    let mut search = Search { path, end, bytes_max, holes, best: None, written: 0 };
    let count = path.arg_items.len();
    for order in orders(count) {
        if !search.try_order(&order) {
            break;
        }
    }
    if count > ALL_ORDERS_MAX {
        search.climb(count);
    }
    let Best { order, scheduled, .. } = search.best.ok_or(TooLong)?;
    let Scheduled { code, depth_max, nesting_max, end } = scheduled;
    Ok(Arranged { code, order, depth_max, nesting_max, end })
}

/// The shortest code so far.
struct Best {
    len: usize,
    order: Vec<usize>,
    scheduled: Scheduled,
}

struct Search<'p> {
    path: &'p Path,
    end: End,
    bytes_max: usize,
    holes: &'p [usize],
    best: Option<Best>,
    /// How many instructions all schedules had.
    written: usize,
}

impl Search<'_> {
    /// Schedules with every policy; false if it is time to end.
    fn try_order(&mut self, order: &[usize]) -> bool {
        let stack = stack(self.path, order);
        for free_weight in FREE_WEIGHTS {
            let policy = Policy { free_weight };
            let (graph, body) = (&self.path.graph, &self.path.body);
            if let Ok(scheduled) = schedule(graph, body, &stack, policy, self.end, self.bytes_max) {
                self.written += scheduled.code.len();
                self.consider(order, scheduled);
            } else {
                self.written += self.bytes_max;
            }
        }
        self.written < INSTRUCTIONS_MAX
    }

    fn consider(&mut self, order: &[usize], scheduled: Scheduled) {
        let hole = |index: usize| self.holes.get(index).copied().unwrap_or(1);
        let len = scheduled.code.iter().map(|instr| instr.op.len(hole)).sum();
        if self.best.as_ref().is_none_or(|best| len < best.len) {
            self.best = Some(Best { len, order: order.to_vec(), scheduled });
        }
    }

    /// Moves single arguments of the best order to other places, as long as that shortens the code.
    fn climb(&mut self, count: usize) {
        for _ in 0..CLIMBS_MAX {
            let Some(Best { len: before, order, .. }) = &self.best else { return };
            let (before, order) = (*before, order.clone());
            for (from, to) in (0..count).flat_map(|from| (0..count).map(move |to| (from, to))) {
                let mut moved = order.clone();
                let arg = moved.remove(from);
                moved.insert(to, arg);
                if !self.try_order(&moved) {
                    return;
                }
            }
            if self.best.as_ref().is_none_or(|best| best.len == before) {
                return;
            }
        }
    }
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

/// The items that lie on the stack when the arguments were pushed in `order`.
fn stack(path: &Path, order: &[usize]) -> Vec<NodeId> {
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
    let node = |item| path.graph.find(&NodeKind::Arg(item)).expect("lowering makes a node for every argument");
    order.iter().flat_map(items).map(node).collect()
}

/// Orders worth trying: all of them for few arguments, and otherwise as declared and backwards.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let declared: Vec<usize> = (0..count).collect();
    if count > ALL_ORDERS_MAX {
        let backwards = declared.iter().rev().copied().collect();
        return vec![declared, backwards];
    }
    let mut all = vec![Vec::new()];
    for _ in 0..count {
        let longer = |order: &Vec<usize>| {
            let order = order.clone();
            let fresh: Vec<usize> = declared.iter().copied().filter(|arg| !order.contains(arg)).collect();
            fresh.into_iter().map(move |arg| [order.as_slice(), &[arg]].concat())
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::orders;

    #[test]
    fn few_arguments_are_tried_in_every_order_beginning_with_the_declared_one() {
        assert_eq!(orders(0), [Vec::<usize>::new()]);
        assert_eq!(orders(2), [[0, 1], [1, 0]]);
        assert_eq!(orders(4).len(), 24);
        assert_eq!(orders(4).first().unwrap(), &[0, 1, 2, 3]);
        assert_eq!(orders(6).len(), 2);
    }
}
