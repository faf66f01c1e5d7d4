//! Which argument lies where: tries orders and policies, and keeps the shortest code.

use crate::code::Code;
use crate::mir::{Effect, NodeId, NodeKind, Path};
use crate::schedule::{End, Policy, Scheduled, TooLong, schedule};

/// All orders are tried up to this many arguments.
const ALL_ORDERS_MAX: usize = 4;
/// Paths of more instructions are scheduled only a few times.
const MANY_INSTRUCTIONS: usize = 2_000;
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
    let mut best: Option<(usize, Vec<usize>, Scheduled)> = None;
    for order in orders(path.arg_items.len()) {
        let stack = stack(path, &order);
        for free_weight in FREE_WEIGHTS {
            let policy = Policy { free_weight };
            let Ok(scheduled) = schedule(&path.graph, &path.body, &stack, policy, end, bytes_max) else { continue };
            let len = scheduled.code.iter().map(|i| i.op.len(|index| holes.get(index).copied().unwrap_or(1))).sum();
            if best.as_ref().is_none_or(|(least, ..)| len < *least) {
                best = Some((len, order.clone(), scheduled));
            }
        }
        let is_long = |(_, _, scheduled): &(usize, Vec<usize>, Scheduled)| scheduled.code.len() > MANY_INSTRUCTIONS;
        if best.as_ref().is_none_or(is_long) {
            break;
        }
    }
    let (_, order, scheduled) = best.ok_or(TooLong)?;
    let Scheduled { code, depth_max, nesting_max, end } = scheduled;
    Ok(Arranged { code, order, depth_max, nesting_max, end })
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
