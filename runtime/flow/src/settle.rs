//! What each model and each source gets when payments run up a network of models.
//!
//! Every model divides what it received as `spec::split` does, its parents before its own sources, and
//! every payment passes on to the parents' own divisions. A new model only builds on older ones, so one
//! pass from the youngest to the oldest settles everything, however many ways lead from one to another:
//! what arrives over all of them is divided together, once.
//!
//! Worked example: `C` gives 1/2 to `A` and 1/4 to `B`, `B` gives 1/2 to `A`. Of 100 units paid to `C`, it keeps 25,
//! `A` gets 50 + 13 (12.5 to the nearest, halves upwards), and `B` keeps 12.

use spec::Sats;
use spec::split::Weights;

/// A model in a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The numbers of older models, each with its weight.
    pub parents: Vec<(usize, u64)>,
    /// The weights of its own sources, over the same whole.
    pub own: Vec<u64>,
    /// What a settlement pays to the miner.
    pub fee: Sats,
    /// Less than this waits for more.
    pub minimum: Sats,
}

/// Models, each after those that it builds on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    nodes: Vec<(Node, Weights)>,
}

/// Where payments ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What each source of each model got.
    pub paid: Vec<Vec<Sats>>,
    /// What lies at each model, because it is less than the smallest pot.
    pub waiting: Vec<Sats>,
    /// What all settlements paid to miners.
    pub fees: Sats,
}

impl Graph {
    /// `None` if a model builds on itself, on a younger one or on one twice, has no source of its own, a weight is 0
    /// or they sum to more than 64 bits, or a fee exceeds the smallest pot.
    #[must_use]
    pub fn new(nodes: Vec<Node>) -> Option<Self> {
        let checked = |(at, node): (usize, Node)| {
            let older = node.parents.iter().all(|(parent, _)| *parent < at);
            let mut seen: Vec<usize> = node.parents.iter().map(|(parent, _)| *parent).collect();
            seen.sort_unstable();
            seen.dedup();
            let sound = older && seen.len() == node.parents.len() && !node.own.is_empty() && node.fee < node.minimum;
            let parents = node.parents.iter().map(|(_, weight)| *weight);
            let weights = Weights::new(parents.chain(node.own.iter().copied()).collect())?;
            sound.then_some((node, weights))
        };
        Some(Self { nodes: nodes.into_iter().enumerate().map(checked).collect::<Option<_>>()? })
    }

    /// Settles what was paid to each model. `None` if there is not one amount for each model, or their sum is more
    /// than all money.
    #[must_use]
    pub fn settle(&self, payments: &[Sats]) -> Option<Settled> {
        Sats::checked_sum(payments.iter().copied())?;
        if payments.len() != self.nodes.len() {
            return None;
        }
        let mut pots = payments.to_vec();
        let mut paid: Vec<Vec<Sats>> = self.nodes.iter().map(|(node, _)| vec![Sats::ZERO; node.own.len()]).collect();
        let mut waiting = vec![Sats::ZERO; pots.len()];
        let mut fees = Sats::ZERO;
        for (at, (node, weights)) in self.nodes.iter().enumerate().rev() {
            let pot = *pots.get(at)?;
            if pot < node.minimum {
                *waiting.get_mut(at)? = pot;
                continue;
            }
            fees = fees.checked_add(node.fee)?;
            let shares = weights.divide(pot.checked_sub(node.fee)?);
            let (upstream, own) = shares.split_at_checked(node.parents.len())?;
            for ((parent, _), share) in node.parents.iter().zip(upstream) {
                let pot = pots.get_mut(*parent)?;
                *pot = pot.checked_add(*share)?;
            }
            *paid.get_mut(at)? = own.to_vec();
        }
        Some(Settled { paid, waiting, fees })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sats(n: u64) -> Sats {
        Sats::new(n).unwrap()
    }

    fn node(parents: &[(usize, u64)], own: &[u64]) -> Node {
        Node { parents: parents.to_vec(), own: own.to_vec(), fee: Sats::ZERO, minimum: Sats::ONE }
    }

    fn settled(nodes: Vec<Node>, payments: &[u64]) -> Vec<Vec<u64>> {
        let payments: Vec<_> = payments.iter().map(|n| sats(*n)).collect();
        let settled = Graph::new(nodes).unwrap().settle(&payments).unwrap();
        settled.paid.iter().map(|own| own.iter().map(|share| share.get()).collect()).collect()
    }

    #[test]
    fn a_diamond_pays_the_common_ancestor_for_both_ways() {
        let diamond = |payments: &[u64]| {
            let sides = || node(&[(0, 1)], &[1]);
            settled(vec![node(&[], &[1]), sides(), sides(), node(&[(1, 1), (2, 1)], &[2])], payments)
        };
        assert_eq!(diamond(&[0, 0, 0, 1_000]), [vec![250], vec![125], vec![125], vec![500]]);
        assert_eq!(diamond(&[10, 0, 20, 0]), [vec![20], vec![0], vec![10], vec![0]]);
        let skewed = vec![node(&[], &[1]), node(&[(0, 1)], &[1]), node(&[(0, 2), (1, 1)], &[1])];
        assert_eq!(settled(skewed, &[0, 0, 100]), [vec![63], vec![12], vec![25]]);
    }

    #[test]
    fn layers_with_a_million_million_ways_settle_at_once() {
        // 40 layers of two, each model building on both below: 2^40 ways from top to bottom.
        let mut nodes = vec![node(&[], &[1]), node(&[], &[1])];
        for layer in 1..=40 {
            let below = [(2 * layer - 2, 499_999_999), (2 * layer - 1, 499_999_999)];
            nodes.extend([node(&below, &[2]), node(&below, &[2])]);
        }
        let mut payments = vec![0; nodes.len()];
        *payments.last_mut().unwrap() = 100_000_000_000;
        let paid = settled(nodes, &payments);
        assert_eq!(paid.iter().flatten().sum::<u64>(), 100_000_000_000);
        assert_eq!(paid[0][0].abs_diff(paid[1][0]), 0);
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, end: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 24) % end
        }
    }

    fn random_node(random: &mut Random, at: usize) -> Node {
        let mut parents = Vec::new();
        for parent in 0..at {
            if random.below(at as u64) < 3 {
                parents.push((parent, 1 + random.below(1_000)));
            }
        }
        let own = (0..1 + random.below(4)).map(|_| 1 + random.below(1_000)).collect();
        let fee = random.below(500);
        Node { parents, own, fee: sats(fee), minimum: sats(fee + 1 + random.below(2_000)) }
    }

    #[test]
    fn random_networks_lose_nothing_and_stay_close_to_the_exact_shares() {
        let mut random = Random(2026);
        for _ in 0..300 {
            let count = 1 + random.below(30) as usize;
            let nodes: Vec<_> = (0..count).map(|at| random_node(&mut random, at)).collect();
            let scale = 1 << random.below(40);
            let payments: Vec<_> = (0..count).map(|_| sats(random.below(scale))).collect();
            let paid_in: u64 = payments.iter().map(|payment| payment.get()).sum();
            let settled = Graph::new(nodes.clone()).unwrap().settle(&payments).unwrap();
            let got: u64 = settled.paid.iter().flatten().chain(&settled.waiting).map(|share| share.get()).sum();
            assert_eq!(got + settled.fees.get(), paid_in, "what comes out is what went in, less the fees");
            check_each(&nodes, &payments, &settled);
        }
    }

    /// Every model's outputs against its inputs: the parents' parts come first and all are within one unit.
    fn check_each(nodes: &[Node], payments: &[Sats], settled: &Settled) {
        let mut pots: Vec<u64> = payments.iter().map(|payment| payment.get()).collect();
        for (at, node) in nodes.iter().enumerate().rev() {
            if pots[at] < node.minimum.get() {
                assert_eq!(settled.waiting[at].get(), pots[at]);
                assert!(settled.paid[at].iter().all(|share| *share == Sats::ZERO));
                continue;
            }
            let pot = u128::from(pots[at] - node.fee.get());
            let weights = node.parents.iter().map(|(_, weight)| *weight).chain(node.own.iter().copied());
            let whole: u64 = weights.clone().sum();
            let (mut reached, mut before) = (0u128, 0u128);
            for (place, weight) in weights.enumerate() {
                reached += u128::from(weight);
                let upto = (pot * reached + u128::from(whole / 2)) / u128::from(whole);
                let share = u64::try_from(upto - before).unwrap();
                let exact = pot * u128::from(weight);
                assert!((u128::from(share) * u128::from(whole)).abs_diff(exact) <= u128::from(whole));
                match node.parents.get(place) {
                    Some((parent, _)) => pots[*parent] += share,
                    None => assert_eq!(settled.paid[at][place - node.parents.len()].get(), share),
                }
                before = upto;
            }
            assert_eq!(before, pot);
        }
    }

    #[test]
    fn networks_that_are_none_are_refused() {
        for nodes in [
            vec![node(&[(0, 1)], &[1])],
            vec![node(&[(1, 1)], &[1]), node(&[], &[1])],
            vec![node(&[], &[1]), node(&[(0, 1), (0, 1)], &[1])],
            vec![node(&[], &[])],
            vec![node(&[], &[0])],
            vec![node(&[], &[1]), node(&[(0, 0)], &[1])],
            vec![Node { fee: sats(5), minimum: sats(5), ..node(&[], &[1]) }],
        ] {
            assert_eq!(Graph::new(nodes), None);
        }
        assert_eq!(Graph::new(vec![node(&[], &[1])]).unwrap().settle(&[]), None);
    }
}
