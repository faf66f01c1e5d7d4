//! Rewards that pay each other: whatever the graph, nothing is made and nothing is lost, and nobody is further from the
//! exact share than rounding at each step allows; and every figure that the compiler proves holds on the machine where
//! it is tight.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use driver::{MemoryWorld, Options};
use proptest::prelude::*;
use spec::artifact::AbiValue;
use spec::script::{dust_limit, p2pkh};
use spec::{Artifact, OutPoint, RuleSet, Sats, TxOut, Txid};
use wallet::{FeeRate, Params, Settlement, Utxo};

use crate::machine;

const FEE: u64 = 20_000;
const DUST_SATS: u64 = 576;

fn sats(amount: u64) -> Sats {
    Sats::new(amount).unwrap()
}

fn compiled(text: &str) -> driver::Compiled {
    let world = MemoryWorld::new([("graph.bmc", text)]);
    driver::compile(&world, &["graph.bmc".to_owned()], &Options { rules: RuleSet::Bch2026, ..Options::default() })
}

/// A reward of the graph.
#[derive(Clone, Debug)]
struct Node {
    /// Weights of sources that are people; those of a group share one entry.
    people: Vec<Vec<u64>>,
    /// Weights of other rewards.
    links: Vec<(prop::sample::Index, u64)>,
    /// The weights of a list at the end, if there is one; they share what a hundredth leaves to be said.
    list: Option<Vec<u64>>,
}

fn node() -> impl Strategy<Value = Node> {
    let people = prop::collection::vec(prop::collection::vec(1u64..30, 1..4), 1..4);
    let links = prop::collection::vec((any::<prop::sample::Index>(), 1u64..60), 0..4);
    let list = prop_oneof![3 => Just(None), 1 => prop::collection::vec(1u64..20, 1..30).prop_map(Some)];
    (people, links, list).prop_map(|(people, links, list)| Node { people, links, list })
}

impl Node {
    fn total(&self) -> u64 {
        self.people.iter().flatten().sum::<u64>() + self.links.iter().map(|(_, weight)| weight).sum::<u64>()
    }

    /// Of a hundred parts; a list takes a quarter, as quarters are millionths.
    fn whole(&self) -> String {
        match &self.list {
            Some(_) => "3/4".to_owned(),
            None => "1".to_owned(),
        }
    }

    /// The text, where links of the last reward lead to nobody, and lists need weights that are whole millionths.
    fn text(&self, at: usize, count: usize) -> String {
        let mut text = format!("reward R{at} {{\n");
        let rounds = self.list.is_some();
        let total = self.total();
        let millionths = |weight: u64| weight * 750_000 / total;
        let mut rest = 750_000;
        let mut weight = |part: u64| match rounds {
            true => {
                rest -= millionths(part);
                format!("{}/1_000_000", millionths(part))
            }
            false => format!("{} * {part}/{total}", self.whole()),
        };
        for (place, (link, part)) in self.links.iter().enumerate() {
            let to = match count - at - 1 {
                0 => String::new(),
                later => format!(" to R{}", at + 1 + link.index(later)),
            };
            writeln!(text, "    l{place}: {}{to},", weight(*part)).unwrap();
        }
        for (place, group) in self.people.iter().enumerate() {
            let sum: u64 = group.iter().sum();
            let parts: Vec<String> =
                group.iter().enumerate().map(|(at, part)| format!("p{at}: {part}/{sum}")).collect();
            match (group.len(), rounds) {
                (1, _) => writeln!(text, "    s{place}: {},", weight(sum)).unwrap(),
                (_, false) => writeln!(text, "    s{place}: {} {{ {} }},", weight(sum), parts.join(", ")).unwrap(),
                (_, true) => {
                    for (at, part) in group.iter().enumerate() {
                        writeln!(text, "    s{place}_{at}: {},", weight(*part)).unwrap();
                    }
                }
            }
        }
        if rounds {
            writeln!(text, "    left: {rest}/1_000_000,\n    others: 1/4 list,").unwrap();
        }
        text.replace("    left: 0/1_000_000,\n", "")
    }
}

/// The program with the least minimum that each reward may have, found by asking the compiler.
fn program(nodes: &[Node]) -> (Vec<Artifact>, String) {
    let text = |minimums: &[u64]| -> String {
        let one = |(at, node): (usize, &Node)| {
            let minimum = minimums[at];
            format!("{}    minimum: {minimum} sats,\n    fee: up to {FEE} sats,\n}}\n", node.text(at, nodes.len()))
        };
        nodes.iter().enumerate().map(one).collect()
    };
    // A minimum of the fee alone is refused with the least that is enough.
    let asked = compiled(&text(&vec![FEE + 1; nodes.len()]));
    let json = asked.to_json();
    let helps: Vec<u64> = json
        .as_array()
        .unwrap()
        .iter()
        .filter(|found| found["code"] == "E0308")
        .map(|found| {
            let help = found["help"].as_str().unwrap();
            let number: String = help.chars().skip_while(|c| !c.is_ascii_digit()).take_while(|c| *c != ' ').collect();
            number.replace('_', "").parse().unwrap()
        })
        .collect();
    assert_eq!(helps.len(), nodes.len(), "{}", asked.to_json());
    let least = text(&helps);
    let good = compiled(&least);
    assert!(!good.has_errors(), "{}\n{least}", good.to_json());
    // One unit less is not enough for anybody of them.
    let less: Vec<u64> = helps.iter().map(|minimum| minimum - 1).collect();
    let bad = compiled(&text(&less));
    assert_eq!(bad.to_json().to_string().matches("\"E0308\"").count(), nodes.len(), "the bound is tight");
    let mut artifacts = good.artifacts;
    artifacts.sort_by_key(|artifact| artifact.contract[1..].parse::<usize>().unwrap());
    (artifacts, least)
}

/// A reward with its parameters.
struct Deployed {
    artifact: Artifact,
    params: Params,
    lock: Vec<u8>,
}

/// Gives every reward its parameters, the last one first: links lead to later ones.
fn deploy(nodes: &[Node], artifacts: Vec<Artifact>) -> Vec<Deployed> {
    let mut deployed: Vec<Deployed> = Vec::new();
    for (at, artifact) in artifacts.into_iter().enumerate().rev() {
        let table = artifact.reward.clone().unwrap();
        let lock_of = |name: &str| {
            let (place, source) = table.sources.iter().enumerate().find(|(_, source)| source.name == name).unwrap();
            let link = source.to.as_ref().map(|to| to[1..].parse::<usize>().unwrap());
            match link {
                Some(to) => deployed[nodes.len() - 1 - to].lock.clone(),
                None => p2pkh(&spec::hash::hash160(&[at as u8, place as u8])),
            }
        };
        let params: Params = match &table.list {
            None => {
                let one = |source: &spec::artifact::RewardSource| {
                    (artifact.params[source.param].name.clone(), AbiValue::Item(lock_of(&source.name)))
                };
                table.sources.iter().map(one).collect()
            }
            Some(list) => {
                let parts = nodes[at].list.clone().unwrap_or_default();
                let sum: u64 = parts.iter().sum();
                let mut others: Vec<(u64, Vec<u8>)> = (0u8..)
                    .zip(&parts)
                    .map(|(place, part)| {
                        (list.unnamed * part / sum, p2pkh(&spec::hash::hash160(&[at as u8, place, 1])))
                    })
                    .collect();
                let given: u64 = others.iter().map(|(weight, _)| weight).sum();
                if let Some(first) = others.first_mut() {
                    first.0 += list.unnamed - given;
                }
                let records = flow::records(&artifact, &|name| Some(lock_of(name)), &others);
                let Ok(records) = records else {
                    // Too many for so small a minimum: one takes it all.
                    let all = [(list.unnamed, p2pkh(&[9; 20]))];
                    let records = flow::records(&artifact, &|name| Some(lock_of(name)), &all).unwrap();
                    let params: Params = BTreeMap::from([("recipients".to_owned(), records)]);
                    let lock = artifact.lock(&params).unwrap();
                    deployed.push(Deployed { artifact, params, lock });
                    continue;
                };
                BTreeMap::from([("recipients".to_owned(), records)])
            }
        };
        let lock = artifact.lock(&params).unwrap();
        deployed.push(Deployed { artifact, params, lock });
    }
    deployed.reverse();
    deployed
}

fn settle(one: &Deployed, coins: &[Utxo], fee: Option<u64>) -> Result<wallet::Settled, wallet::SettleError> {
    wallet::settle(&Settlement {
        artifact: &one.artifact,
        params: &one.params,
        coins: coins.to_vec(),
        fee: fee.map(sats),
        rate: FeeRate::RELAY_MIN,
    })
}

fn coin(lock: &[u8], value: u64, at: u8) -> Utxo {
    Utxo {
        outpoint: OutPoint { txid: Txid::from_wire([at; 32]), index: 0 },
        output: TxOut::plain(sats(value), lock.to_vec()),
    }
}

/// Money as the real number that it would be without rounding, in units of 2^-40, and how far the real coins may be off.
#[derive(Clone, Copy, Default)]
struct Exact {
    money: u128,
    off: u128,
}

/// One unit of money.
const UNIT: u128 = 1 << 40;

impl Exact {
    fn plus(self, other: Self) -> Self {
        Self { money: self.money + other.money, off: self.off + other.off }
    }

    /// A part of it, rounded to the difference of two whole units: less than one unit off, beside what it was off before.
    fn part(self, weight: u64, whole: u64) -> Self {
        let of = |amount: u128| amount * u128::from(weight) / u128::from(whole);
        Self { money: of(self.money), off: of(self.off) + UNIT + 2 }
    }

    #[track_caller]
    fn is_near(self, sats: u64) {
        let off = self.money.abs_diff(u128::from(sats) * UNIT);
        assert!(off <= self.off, "{sats} is {} off, and at most {} is right", off / UNIT, self.off / UNIT);
    }
}

/// What came of a payment when everybody has settled.
struct Outcome {
    /// What people got, by their lock, and what they should have got.
    paid: BTreeMap<Vec<u8>, (u64, Exact)>,
    fees: u64,
    /// What stays at rewards whose pot is too small.
    stays: u64,
}

/// Pays the first reward and settles all of them in turn: links lead to later ones, so one walk reaches all.
fn settled_down(deployed: &[Deployed], pots: &[u64]) -> Outcome {
    let mut waiting: BTreeMap<Vec<u8>, (Vec<Utxo>, Exact)> = BTreeMap::new();
    let mut outcome = Outcome { paid: BTreeMap::new(), fees: 0, stays: 0 };
    let first = waiting.entry(deployed[0].lock.clone()).or_default();
    for (at, pot) in (0u8..).zip(pots) {
        first.0.push(coin(&deployed[0].lock, *pot, at + 1));
        first.1.money += u128::from(*pot) * UNIT;
    }
    for one in deployed {
        let table = one.artifact.reward.as_ref().unwrap();
        let (coins, exact) = waiting.remove(&one.lock).unwrap_or_default();
        let pot: u64 = coins.iter().map(|coin| coin.output.value.get()).sum();
        exact.is_near(pot);
        if pot < table.minimum_sats.get() || coins.len() > wallet::JOINED_MAX {
            outcome.stays += pot;
            continue;
        }
        let settled = settle(one, &coins, None).unwrap_or_else(|error| panic!("{error}"));
        let (tx, fee) = (&settled.built.tx, settled.built.fee.get());
        machine::agreed(tx, &settled.built.spent, &(0..coins.len()).collect::<Vec<_>>(), Ok(())).unwrap();
        outcome.fees += fee;
        assert_eq!(settled.shares.iter().map(|share| share.value.get()).sum::<u64>() + fee, pot);
        let net = Exact { money: exact.money.saturating_sub(u128::from(fee) * UNIT), ..exact };
        for ((index, output), share) in (0u32..).zip(&tx.outputs).zip(&settled.shares) {
            assert!(output.value >= dust_limit(output));
            let part = net.part(share.weight, table.denominator);
            if deployed.iter().any(|other| other.lock == output.lock) {
                let next = waiting.entry(output.lock.clone()).or_default();
                next.0.push(Utxo { outpoint: OutPoint { txid: tx.txid(), index }, output: output.clone() });
                next.1 = next.1.plus(part);
            } else {
                let paid = outcome.paid.entry(output.lock.clone()).or_default();
                *paid = (paid.0 + output.value.get(), paid.1.plus(part));
            }
        }
    }
    assert!(waiting.is_empty());
    for (sats, exact) in outcome.paid.values() {
        exact.is_near(*sats);
    }
    let people: u64 = outcome.paid.values().map(|(sats, _)| sats).sum();
    assert_eq!(people + outcome.fees + outcome.stays, pots.iter().sum::<u64>());
    outcome
}

/// Forty layers of two rewards, each of which pays both of the next layer: more than a million million ways lead from
/// the first to the last, and eighty-one transactions settle all of them.
#[test]
fn a_lattice_of_a_million_million_ways_is_settled_reward_by_reward() {
    const LAYERS: usize = 40;
    let mut text =
        String::from("reward R0 { l: 1/2 to R1, r: 1/2 to R2, minimum: 100_000 sats, fee: up to 20_000 sats }\n");
    for layer in 1..=LAYERS {
        for at in [2 * layer - 1, 2 * layer] {
            let below = match layer {
                LAYERS => String::new(),
                _ => format!("l: 497/1_000 to R{}, r: 493/1_000 to R{}, ", 2 * layer + 1, 2 * layer + 2),
            };
            writeln!(text, "reward R{at} {{ {below}own: rest, minimum: 100_000 sats, fee: up to 20_000 sats }}")
                .unwrap();
        }
    }
    let compiled = compiled(&text);
    assert!(!compiled.has_errors(), "{}", compiled.to_json());
    let mut artifacts = compiled.artifacts;
    artifacts.sort_by_key(|artifact| artifact.contract[1..].parse::<usize>().unwrap());
    let nodes = vec![Node { people: vec![], links: vec![], list: None }; 2 * LAYERS + 1];
    let deployed = deploy(&nodes, artifacts);
    let pot = 1_000_000_007;
    let outcome = settled_down(&deployed, &[pot]);
    assert_eq!((outcome.stays, outcome.paid.len()), (0, 2 * LAYERS));
    let people: u64 = outcome.paid.values().map(|(sats, _)| sats).sum();
    assert_eq!(people + outcome.fees, pot);
    // However many ways lead there, nobody is off by more than what the coins that arrive can be off together.
    let most = outcome.paid.values().map(|(_, exact)| exact.off / UNIT).max().unwrap();
    println!(
        "{people} sats reach {} people through 2^{LAYERS} ways; nobody is {} sats off",
        outcome.paid.len(),
        most + 1
    );
    assert!(most <= 3 * LAYERS as u128, "{most}");
}

/// Four that share a parent of two sides: both ways to it count, and the one who is nearer gets more.
#[test]
fn both_ways_of_a_diamond_are_paid() {
    let money = "minimum: 50_000 sats, fee: up to 1_000 sats";
    let text = format!(
        "reward R0 {{ l: 1/4 to R1, r: 1/4 to R2, own: rest, {money} }} reward R1 {{ up: 1/2 to R3, own: rest, {money} }} \
         reward R2 {{ up: 1/2 to R3, own: rest, {money} }} reward R3 {{ own: 100%, {money} }}"
    );
    let compiled = compiled(&text);
    assert!(!compiled.has_errors(), "{}", compiled.to_json());
    let nodes = vec![Node { people: vec![], links: vec![], list: None }; 4];
    let deployed = deploy(&nodes, compiled.artifacts);
    let outcome = settled_down(&deployed, &[10_000_000]);
    let mut paid: Vec<u64> = outcome.paid.values().map(|(sats, _)| *sats).collect();
    paid.sort_unstable();
    assert_eq!(paid.iter().sum::<u64>() + outcome.fees, 10_000_000);
    // An eighth by each side to those beside, two eighths to the common ancestor, less the fees.
    let near = |sats: u64, eighths: u64| assert!(sats.abs_diff(1_250_000 * eighths) <= outcome.fees, "{paid:?}");
    [(0, 1), (1, 1), (2, 2), (3, 4)].into_iter().for_each(|(at, eighths)| near(paid[at], eighths));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_graph_of_rewards_pays_out_exactly_what_was_paid_in(
        nodes in prop::collection::vec(node(), 1..7),
        pots in prop::collection::vec(10_000_000u64..=2_100_000_000_000_000, 1..3),
    ) {
        let (artifacts, text) = program(&nodes);
        let deployed = deploy(&nodes, artifacts);
        let pots: Vec<u64> = pots.iter().map(|pot| pot / 2).collect();
        let outcome = settled_down(&deployed, &pots);
        prop_assert!(!outcome.paid.is_empty(), "{text}");
    }

    #[test]
    fn what_the_compiler_proves_is_tight_on_the_machine(node in node()) {
        let nodes = [node];
        let (artifacts, text) = program(&nodes);
        let deployed = deploy(&nodes, artifacts);
        let (one, table) = (&deployed[0], deployed[0].artifact.reward.clone().unwrap());
        let minimum = table.minimum_sats.get();
        // The smallest pot with the largest fee: nobody gets dust, and somebody hardly more.
        let smallest = settle(one, &[coin(&one.lock, minimum, 1)], Some(FEE)).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let least = smallest.shares.iter().map(|share| share.value.get()).min().unwrap();
        prop_assert!(least >= DUST_SATS, "{least}\n{text}");
        prop_assert!(table.list.is_some() || least <= DUST_SATS + 1, "{least}\n{text}");
        // All the money there is.
        let largest = settle(one, &[coin(&one.lock, Sats::MAX.get(), 1)], Some(FEE)).unwrap();
        prop_assert_eq!(largest.shares.iter().map(|share| share.value.get()).sum::<u64>(), Sats::MAX.get() - FEE);
        // One unit less than the smallest, by the wallet and, with the wallet made blind, by the machine.
        prop_assert!(settle(one, &[coin(&one.lock, minimum - 1, 1)], Some(FEE)).is_err());
        let mut blind = one.artifact.clone();
        blind.reward.as_mut().unwrap().minimum_sats = Sats::ONE;
        let blind = Deployed { artifact: blind, params: one.params.clone(), lock: one.lock.clone() };
        let refusal = settle(&blind, &[coin(&one.lock, minimum - 1, 1)], Some(FEE)).unwrap_err().to_string();
        prop_assert!(refusal.contains("the pot less the fee is at least"), "{refusal}");
        let mut blind = one.artifact.clone();
        blind.reward.as_mut().unwrap().fee_sats_max = sats(FEE + 1);
        let blind = Deployed { artifact: blind, params: one.params.clone(), lock: one.lock.clone() };
        let refusal = settle(&blind, &[coin(&one.lock, minimum + 1, 1)], Some(FEE + 1)).unwrap_err().to_string();
        prop_assert!(refusal.contains("the fee is at most"), "{refusal}");
    }
}
