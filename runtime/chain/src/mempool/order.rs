//! The order in which miners take waiting transactions: packages that pay best for their bytes first, each after all it builds on.
//!
//! Source: the optimal order of jobs with tree-like precedence (W. A. Horn, 1972). Each transaction begins as a package of its own.
//! Again and again the package that pays best is looked at: if nothing that it builds on is left, it is next; otherwise it
//! joins the packages that it builds on directly, for nothing that pays less can come between. Packages thus come in falling order of
//! what they pay. Where each transaction builds on one other at most, no order collects more, wherever the block
//! ends; where some build on several, it is a good order. Each look takes a package away, so n transactions take
//! n · log n steps whatever their shape.
//! Example: a parent that pays 1 for a byte and its child of equal size that pays 9 are one package of 5, before a stranger of 4.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use spec::Txid;

use crate::mempool::{Entry, Mempool};

/// Transactions that are taken together, parents first.
#[derive(Clone, Debug)]
pub(crate) struct Package<'m> {
    /// The transactions.
    pub(crate) entries: Vec<&'m Entry>,
    /// What miners believe that they pay.
    pub(crate) fee: i128,
    /// Their bytes.
    pub(crate) bytes: usize,
    /// Their signature checks.
    pub(crate) sig_checks: u64,
}

impl Package<'_> {
    /// What they pay for 1,000 bytes.
    pub(crate) fn sats_per_kb(&self) -> u64 {
        let rate = self.fee.max(0).saturating_mul(1_000) / (self.bytes.max(1) as i128);
        u64::try_from(rate).unwrap_or(u64::MAX)
    }
}

/// A package while the order is made, under the number of one of its members.
#[derive(Clone, Debug)]
struct Group {
    members: Vec<usize>,
    /// Members of the packages that it builds on; numbers of its own and of those that are gone may be among them.
    parents: Vec<usize>,
    rate: Rate,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Taken,
    /// Left out, so that what builds on it cannot be taken.
    Dead,
}

/// What is paid for bytes; the better is the greater, and of equals what came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rate {
    fee: i128,
    bytes: usize,
    first: usize,
}

impl Ord for Rate {
    fn cmp(&self, other: &Self) -> Ordering {
        let cross = |a: &Self, b: &Self| a.fee.saturating_mul(b.bytes as i128);
        cross(self, other).cmp(&cross(other, self)).then_with(|| other.first.cmp(&self.first))
    }
}

impl PartialOrd for Rate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The waiting transactions on their way into an order.
pub(crate) struct Packages<'m> {
    entries: Vec<&'m Entry>,
    /// The package of each, or a member that knows more.
    leaders: Vec<usize>,
    groups: Vec<Group>,
    heap: BinaryHeap<(Rate, usize)>,
}

impl<'m> Packages<'m> {
    /// All that wait.
    pub(crate) fn of(mempool: &'m Mempool) -> Self {
        let entries: Vec<&Entry> = mempool.entries().collect();
        let numbers: BTreeMap<&Txid, usize> = entries.iter().zip(0..).map(|(entry, at)| (&entry.txid, at)).collect();
        let groups: Vec<Group> = entries
            .iter()
            .enumerate()
            .map(|(at, entry)| Group {
                members: vec![at],
                parents: entry.tx.inputs.iter().filter_map(|one| numbers.get(&one.prevout.txid).copied()).collect(),
                rate: Rate {
                    fee: i128::from(entry.fee.get()) + i128::from(mempool.priority(&entry.txid)),
                    bytes: entry.len_bytes,
                    first: at,
                },
                state: State::Waiting,
            })
            .collect();
        let heap = groups.iter().enumerate().map(|(at, group)| (group.rate, at)).collect();
        Self { leaders: (0..entries.len()).collect(), entries, groups, heap }
    }

    /// Shows all packages in order to `take`. What builds on one that it does not take is not shown.
    pub(crate) fn for_each(mut self, mut take: impl FnMut(&Package<'m>) -> bool) {
        while let Some((rate, at)) = self.heap.pop() {
            let current = self.groups.get(at).is_some_and(|group| group.rate == rate && group.state == State::Waiting);
            // A package that has grown is in the heap once more.
            if !current || self.leader(at) != at {
                continue;
            }
            let parents = self.parents(at);
            let state = |parent: &usize| self.groups.get(*parent).map_or(State::Taken, |group| group.state);
            if parents.iter().any(|parent| state(parent) == State::Dead) {
                self.settle(at, State::Dead);
            } else if parents.is_empty() {
                let taken = take(&self.package(at));
                self.settle(at, if taken { State::Taken } else { State::Dead });
            } else {
                self.join(at, &parents);
            }
        }
    }

    /// The package that a transaction belongs to. The way there is halved each time, so that it stays short.
    fn leader(&mut self, mut at: usize) -> usize {
        loop {
            let above = self.leaders.get(at).copied().unwrap_or(at);
            if above == at {
                return at;
            }
            let next = self.leaders.get(above).copied().unwrap_or(above);
            if let Some(leader) = self.leaders.get_mut(at) {
                *leader = next;
            }
            at = next;
        }
    }

    /// The packages that one builds on directly and that are not taken, each once.
    fn parents(&mut self, at: usize) -> Vec<usize> {
        let named = self.groups.get_mut(at).map(|group| std::mem::take(&mut group.parents)).unwrap_or_default();
        let mut parents: Vec<usize> = named.into_iter().map(|parent| self.leader(parent)).collect();
        parents.sort_unstable();
        parents.dedup();
        let taken = |parent: &usize| self.groups.get(*parent).is_none_or(|group| group.state == State::Taken);
        parents.retain(|parent| *parent != at && !taken(parent));
        parents
    }

    /// Makes one package of several. The longest lists stay where they are, so that none is moved often.
    fn join(&mut self, at: usize, parents: &[usize]) {
        let mut all = vec![at];
        all.extend(parents);
        let Some(leader) = all.iter().copied().max_by_key(|at| self.size(*at)) else { return };
        let placeholder = Rate { fee: 0, bytes: 0, first: usize::MAX };
        let mut joined = Group { members: Vec::new(), parents: Vec::new(), rate: placeholder, state: State::Waiting };
        for one in all {
            let Some(group) = self.groups.get_mut(one) else { continue };
            let (members, parents) = (std::mem::take(&mut group.members), std::mem::take(&mut group.parents));
            joined.members = longer_first(joined.members, members);
            joined.parents = longer_first(joined.parents, parents);
            joined.rate = Rate {
                fee: joined.rate.fee.saturating_add(group.rate.fee),
                bytes: joined.rate.bytes.saturating_add(group.rate.bytes),
                first: joined.rate.first.min(group.rate.first),
            };
            if let Some(above) = self.leaders.get_mut(one) {
                *above = leader;
            }
        }
        self.heap.push((joined.rate, leader));
        if let Some(group) = self.groups.get_mut(leader) {
            *group = joined;
        }
    }

    fn size(&self, at: usize) -> usize {
        self.groups.get(at).map_or(0, |group| group.members.len())
    }

    fn settle(&mut self, at: usize, state: State) {
        if let Some(group) = self.groups.get_mut(at) {
            group.state = state;
        }
    }

    fn package(&self, at: usize) -> Package<'m> {
        let mut numbers = self.groups.get(at).map(|group| group.members.clone()).unwrap_or_default();
        // They are numbered as they came, and parents came first.
        numbers.sort_unstable();
        let entries: Vec<&Entry> = numbers.iter().filter_map(|at| self.entries.get(*at).copied()).collect();
        Package {
            fee: self.groups.get(at).map_or(0, |group| group.rate.fee),
            bytes: entries.iter().map(|entry| entry.len_bytes).sum(),
            sig_checks: entries.iter().map(|entry| entry.sig_checks).sum(),
            entries,
        }
    }
}

/// Both lists in one; the shorter is moved.
fn longer_first(mut a: Vec<usize>, mut b: Vec<usize>) -> Vec<usize> {
    if a.len() < b.len() {
        std::mem::swap(&mut a, &mut b);
    }
    a.append(&mut b);
    a
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::policy::Policy;
    use proptest::prelude::*;
    use spec::{Height, OpCost, OutPoint, RuleSet, Sats, Transaction, TxIn, TxOut};

    /// A mempool of transactions that pay `fee` for `bytes` and build on others before them.
    fn waiting(rows: &[(u64, usize, Vec<usize>)]) -> Mempool {
        let mut mempool = Mempool::with_policy(Policy::of(RuleSet::Bitmodel));
        let mut txids: Vec<Txid> = Vec::new();
        for (number, (fee, bytes, parents)) in rows.iter().enumerate() {
            let own = TxIn {
                prevout: OutPoint { txid: Txid::from_wire([7; 32]), index: number as u32 },
                unlock: vec![],
                sequence: 0,
            };
            let inputs = parents
                .iter()
                .map(|parent| TxIn { prevout: OutPoint { txid: txids[*parent], index: number as u32 }, ..own.clone() });
            let tx = Transaction {
                version: 2,
                inputs: std::iter::once(own.clone()).chain(inputs).collect(),
                outputs: vec![TxOut::plain(Sats::ONE, vec![0x51]); rows.len()],
                locktime: 0,
            };
            txids.push(tx.txid());
            mempool.insert(Entry {
                txid: tx.txid(),
                tx: Arc::new(tx),
                fee: Sats::new(*fee).unwrap(),
                len_bytes: *bytes,
                cost: OpCost::default(),
                sig_checks: 0,
                time: 0,
                height: Height::GENESIS,
                spent: vec![],
            });
        }
        mempool
    }

    fn ordered(mempool: &Mempool) -> Vec<(i128, usize, Vec<Txid>)> {
        let mut order = Vec::new();
        Packages::of(mempool).for_each(|package| {
            order.push((package.fee, package.bytes, package.entries.iter().map(|entry| entry.txid).collect()));
            true
        });
        order
    }

    /// The best rate of any set that is complete without what is done, tried one after the other.
    fn best_rate(rows: &[(u64, usize, Vec<usize>)], done: u32) -> Option<(u64, usize)> {
        let complete = |set: u32| {
            (0..rows.len()).all(|at| set >> at & 1 == 0 || rows[at].2.iter().all(|up| (set | done) >> up & 1 == 1))
        };
        let sums = |set: u32| {
            let mine = (0..rows.len()).filter(|at| set >> at & 1 == 1);
            mine.fold((0, 0), |(fee, bytes), at| (fee + rows[at].0, bytes + rows[at].1))
        };
        let sets = (1..1u32 << rows.len()).filter(|set| set & done == 0 && complete(*set)).map(sums);
        sets.max_by(|(fee, bytes), (more, other)| (fee * *other as u64).cmp(&(more * *bytes as u64)))
    }

    fn rows(parents_max: usize) -> impl Strategy<Value = Vec<(u64, usize, Vec<usize>)>> {
        let row = (0u64..20, 1usize..6, prop::collection::vec(any::<prop::sample::Index>(), 0..=parents_max));
        prop::collection::vec(row, 1..10).prop_map(|rows| {
            let with_parents = rows.into_iter().enumerate().map(|(at, (fee, bytes, parents))| {
                let parents: BTreeSet<usize> =
                    parents.iter().filter(|_| at > 0).map(|parent| parent.index(at.max(1))).collect();
                (fee, bytes, parents.into_iter().collect())
            });
            with_parents.collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_other_choice_pays_better_where_each_builds_on_one(rows in rows(1)) {
            let mempool = waiting(&rows);
            let numbers: BTreeMap<Txid, usize> = mempool.entries().zip(0..).map(|(entry, at)| (entry.txid, at)).collect();
            let mut done = 0u32;
            for (fee, bytes, txids) in ordered(&mempool) {
                let (best_fee, best_bytes) = best_rate(&rows, done).unwrap();
                prop_assert_eq!(fee * best_bytes as i128, i128::from(best_fee) * bytes as i128);
                done |= txids.iter().fold(0, |set, txid| set | 1 << numbers[txid]);
            }
            prop_assert_eq!(done.count_ones() as usize, rows.len());
        }

        #[test]
        fn rates_fall_and_parents_come_first(rows in rows(4)) {
            let mempool = waiting(&rows);
            let order = ordered(&mempool);
            let falls = order.windows(2).all(|pair| pair[0].0 * pair[1].1 as i128 >= pair[1].0 * pair[0].1 as i128);
            prop_assert!(falls, "{order:?}");
            let mut seen = BTreeSet::new();
            for txid in order.iter().flat_map(|(_, _, txids)| txids) {
                prop_assert!(mempool.parents(txid).is_subset(&seen));
                seen.insert(*txid);
            }
            prop_assert_eq!(seen.len(), rows.len());
        }
    }

    #[test]
    fn what_builds_on_what_is_left_out_is_not_shown() {
        let mempool = waiting(&[(1, 1, vec![]), (9, 1, vec![0]), (3, 1, vec![]), (2, 1, vec![2])]);
        let mut shown = Vec::new();
        Packages::of(&mempool).for_each(|package| {
            shown.push(package.fee);
            package.fee != 3
        });
        assert_eq!(shown, [10, 3]);
    }
}
