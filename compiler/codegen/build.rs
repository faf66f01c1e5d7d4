//! Searches for the shortest sequences of stack instructions and writes them as a table.
//!
//! Dijkstra's algorithm from the stack as it is: the sequences form a tree, of which each node names its parent and the
//! move that leads from there. A search that keeps to few items gives a bound; the second one leaves out nothing but
//! what cannot come back within this bound, so it is exact.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::error::Error;
use std::hash::{BuildHasherDefault, Hasher};
use std::path::Path;
use std::{env, fs};

#[path = "src/shuffle/moves.rs"]
#[allow(dead_code, reason = "who reads the table needs more of it than who makes it")]
mod moves;

use moves::{Cost, ITEMS_MAX, MOVES, Move, Stack, count};

/// A node takes three bytes: the number of its parent, and above these bits the move.
const PARENT_BITS: u32 = 19;
const ROOT: u32 = 31;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=src/shuffle/moves.rs");
    let mut header = Vec::new();
    let mut nodes = Vec::new();
    for sources in 1..=ITEMS_MAX {
        header.push(ITEMS_MAX + nodes.len());
        nodes.extend(table(sources)?);
    }
    let words = header.into_iter().map(u32::try_from).collect::<Result<Vec<_>, _>>()?.into_iter().chain(nodes);
    let bytes: Vec<u8> = words.flat_map(|word| word.to_le_bytes().into_iter().take(3)).collect();
    fs::write(Path::new(&env::var("OUT_DIR")?).join("shuffles.bin"), bytes)?;
    Ok(())
}

/// Where a stack comes from, and at what cost.
#[derive(Clone, Copy)]
struct Known {
    cost: Cost,
    /// How many stacks on the way are none of the table.
    strange: usize,
    parent: Stack,
    step: usize,
}

type Reached = HashMap<Stack, Known, BuildHasherDefault<Mixed>>;

/// The tree of all stacks of up to [`ITEMS_MAX`] of `sources` items.
fn table(sources: usize) -> Result<Vec<u32>, Box<dyn Error>> {
    let near = search(sources, |stack, _| stack.is_plain());
    let bound = near.values().map(|known| known.cost.bytes).max().unwrap_or(0);
    let is_better = |stack: Stack, bytes: usize| near.get(&stack).is_some_and(|known| bytes < known.cost.bytes);
    let reached = search(sources, |stack, bytes| {
        let back = stack.hidden() + stack.len().saturating_sub(ITEMS_MAX).div_ceil(2);
        let last =
            |step: &&Move| matches!(step, Move::Order(takes, leaves) if leaves.len() < *takes) || **step == Move::Show;
        let mut next = MOVES.iter().filter(last).filter_map(|step| stack.after(*step));
        match (bytes + back).cmp(&bound.saturating_sub(1)) {
            _ if back == 0 => true,
            Ordering::Less => true,
            // One move must be the last.
            Ordering::Equal => back == 1 && next.any(|next| is_better(next, bytes + 1)),
            Ordering::Greater => false,
        }
    });
    let own = count(sources, ITEMS_MAX + 1);
    let mut numbers: BTreeMap<Stack, usize> = BTreeMap::new();
    let mut order: Vec<Option<Stack>> = vec![None; own];
    for stack in reached.keys() {
        if let Some(slot) = stack.rank(sources).and_then(|rank| order.get_mut(rank)) {
            *slot = Some(*stack);
        }
    }
    let mut order: Vec<Stack> = order.into_iter().collect::<Option<_>>().ok_or("every stack can be reached")?;
    numbers.extend(order.iter().enumerate().map(|(at, stack)| (*stack, at)));
    let mut at = 0;
    while let Some(stack) = order.get(at) {
        let parent = reached.get(stack).ok_or("what is reached is known")?.parent;
        numbers.entry(parent).or_insert_with(|| {
            order.push(parent);
            order.len() - 1
        });
        at += 1;
    }
    let node = |stack: &Stack| {
        let known = reached.get(stack)?;
        let step = if *stack == known.parent { ROOT } else { u32::try_from(known.step).ok()? };
        Some(step << PARENT_BITS | u32::try_from(*numbers.get(&known.parent)?).ok()?)
    };
    let nodes: Option<Vec<u32>> = order.iter().map(node).collect();
    if order.len() >= 1 << PARENT_BITS {
        return Err("a node's number does not fit".into());
    }
    Ok(nodes.ok_or("what is reached is numbered")?)
}

/// All stacks that can be reached by way of such ones.
fn search(sources: usize, goes_on: impl Fn(Stack, usize) -> bool) -> Reached {
    let first = Stack::first(sources);
    let mut reached = Reached::default();
    let mut todo = BinaryHeap::new();
    reached.insert(first, Known { cost: Cost::default(), strange: 0, parent: first, step: 0 });
    todo.push(Reverse((Cost::default(), 0, first)));
    while let Some(Reverse((cost, strange, stack))) = todo.pop() {
        if reached.get(&stack).is_none_or(|known| (known.cost, known.strange) != (cost, strange)) {
            continue;
        }
        for (step, of) in MOVES.iter().enumerate() {
            let Some(next) = stack.after(*of) else { continue };
            let cost = cost.plus(of.cost());
            let strange = strange + usize::from(!next.is_plain());
            let known = reached.get(&next);
            if known.is_none_or(|known| (cost, strange) < (known.cost, known.strange)) && goes_on(next, cost.bytes) {
                reached.insert(next, Known { cost, strange, parent: stack, step });
                todo.push(Reverse((cost, strange, next)));
            }
        }
    }
    reached
}

/// A quick hash: nobody chooses these keys to collide.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u8(&mut self, n: u8) {
        self.write_u64(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(5) ^ n).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}
