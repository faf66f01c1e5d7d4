//! Rewards of every shape: what the compiler, the wallet and the machine say about a pot is the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use driver::{MemoryWorld, Options};
use proptest::prelude::*;
use spec::artifact::{AbiValue, Slot};
use spec::{Artifact, Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxOut, Txid};
use wallet::{FeeRate, Params, Settlement, Utxo};

use crate::machine;

/// No smaller output is passed on, whatever its lock.
const DUST_SATS: u64 = 700;

/// A reward: the weights of its entries, of which those with several are groups.
#[derive(Clone, Debug)]
struct Shape {
    entries: Vec<Vec<u64>>,
    /// Whether the last entry, and the last of each group, is `rest`.
    with_rest: bool,
    dust: Option<prop::sample::Index>,
    fee_max: u64,
    /// Sats above the least minimum.
    spare: u64,
}

impl Shape {
    fn total(&self) -> u64 {
        self.entries.iter().flatten().sum()
    }

    fn names(&self) -> Vec<String> {
        let of_entry = |(at, weights): (usize, &Vec<u64>)| match weights.len() {
            1 => vec![format!("s{at}")],
            len => (0..len).map(|part| format!("s{at}.p{part}")).collect(),
        };
        self.entries.iter().enumerate().flat_map(of_entry).collect()
    }

    fn minimum(&self) -> u64 {
        let least = self.entries.iter().flatten().min().unwrap();
        (DUST_SATS * self.total()).div_ceil(*least) + self.fee_max + self.spare
    }

    fn source(&self) -> String {
        let mut text = String::from("reward Random {\n");
        let last = self.entries.len() - 1;
        for (at, weights) in self.entries.iter().enumerate() {
            let sum: u64 = weights.iter().sum();
            let weight = self.weight(at == last, sum, self.total());
            write!(text, "    s{at}: {weight}").unwrap();
            if weights.len() > 1 {
                let part = |(part, weight): (usize, &u64)| {
                    format!("p{part}: {}", self.weight(part + 1 == weights.len(), *weight, sum))
                };
                write!(text, " {{ {} }}", weights.iter().enumerate().map(part).collect::<Vec<_>>().join(", ")).unwrap();
            }
            text += ",\n";
        }
        if let Some(dust) = self.dust {
            let names = self.names();
            writeln!(text, "    dust: {},", dust.get(&names)).unwrap();
        }
        writeln!(text, "    minimum: {} sats,\n    fee: up to {} sats,\n}}", self.minimum(), self.fee_max).unwrap();
        text
    }

    fn weight(&self, is_last: bool, part: u64, whole: u64) -> String {
        if is_last && self.with_rest { "rest".to_owned() } else { format!("{part}/{whole}") }
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    let entry = prop_oneof![3 => prop::collection::vec(1u64..500, 1), 1 => prop::collection::vec(1u64..500, 2..5)];
    let entries = prop::collection::vec(entry, 1..14);
    (entries, any::<bool>(), any::<Option<prop::sample::Index>>(), 0u64..5_000, 0u64..3)
        .prop_map(|(entries, with_rest, dust, fee_max, spare)| Shape { entries, with_rest, dust, fee_max, spare })
}

/// Many sources of one level.
fn wide_shape() -> impl Strategy<Value = Shape> {
    (prop::collection::vec(1u64..100, 25..41), any::<bool>()).prop_map(|(weights, with_rest)| Shape {
        entries: weights.into_iter().map(|weight| vec![weight]).collect(),
        with_rest,
        dust: None,
        fee_max: 3_000,
        spare: 0,
    })
}

fn compile(text: &str) -> Artifact {
    let world = MemoryWorld::new([("random.bmc", text)]);
    let compiled =
        driver::compile(&world, &["random.bmc".to_owned()], &Options { rules: RuleSet::Bch2026, ..Options::default() });
    assert!(!compiled.has_errors(), "{}\n{text}", compiled.to_json());
    compiled.artifacts[0].clone()
}

/// A settled pot.
struct Case {
    artifact: Artifact,
    redeem: Vec<u8>,
    pot: TxOut,
    tx: Transaction,
    /// What the settlement pushes of its list, if it has one.
    list: BTreeMap<String, AbiValue>,
}

fn settled(shape: &Shape, above: u64, fee: u64) -> Case {
    let artifact = compile(&shape.source());
    let lock = |index: usize| AbiValue::Item(spec::script::p2pkh(&[index as u8 + 1; 20]));
    let table = artifact.reward.as_ref().unwrap();
    let params: Params = match &table.list {
        None => artifact.params.iter().enumerate().map(|(at, slot)| (slot.name.clone(), lock(at))).collect(),
        Some(_) => {
            let place = |name: &str| table.sources.iter().position(|source| source.name == name);
            let named = |name: &str| Some(spec::script::p2pkh(&[place(name)? as u8 + 1; 20]));
            let records = flow::records(&artifact, &named, &[]).unwrap();
            BTreeMap::from([(artifact.params[0].name.clone(), records)])
        }
    };
    let redeem = artifact.redeem_script(&params).unwrap();
    let value = Sats::new(shape.minimum().saturating_add(above).min(Sats::MAX.get())).unwrap();
    let pot = TxOut::plain(value, artifact.lock(&params).unwrap());
    let coin = Utxo { outpoint: OutPoint { txid: Txid::from_wire([7; 32]), index: 0 }, output: pot.clone() };
    let wish = Settlement {
        artifact: &artifact,
        params: &params,
        coins: vec![coin],
        fee: Sats::new(fee),
        rate: FeeRate::RELAY_MIN,
    };
    let tx = wallet::settle(&wish).unwrap_or_else(|error| panic!("{error}\n{}", shape.source())).built.tx;
    let path = artifact.path("settle").unwrap();
    let known = |slot: &Slot| Some((slot.name.clone(), path.known_arg(slot, &artifact.params, &params)?));
    let list: BTreeMap<String, AbiValue> = path.args.iter().filter_map(known).collect();
    Case { redeem, pot, tx, list, artifact }
}

impl Case {
    /// Whether the machine accepts; both rule sets and the other machine say the same.
    fn accepts(&self, tx: &Transaction) -> bool {
        let spent = vec![self.pot.clone(); tx.inputs.len()];
        let context = SpendContext::new(tx, &spent).unwrap();
        let verdict = |rules| vm::verify_input(&Rules::new(rules, Mode::Relay), &context, 0).is_ok();
        let (narrow, wide) = (verdict(RuleSet::Bch2026), verdict(RuleSet::Bitmodel));
        assert_eq!(narrow, wide, "the rule sets differ");
        let ours = if narrow { Ok(()) } else { Err("refused".to_owned()) };
        machine::agreed(tx, &spent, &[0], ours).is_ok()
    }

    fn unlock(&self, fee: i64) -> Vec<u8> {
        let mut args = BTreeMap::from([("fee".to_owned(), AbiValue::int(fee))]);
        if !self.list.is_empty() {
            args.extend(self.list.clone());
            args.insert("padding".to_owned(), AbiValue::Item(vec![0; 1_000]));
        }
        self.artifact.path("settle").unwrap().unlock_script(&args, &self.redeem).unwrap()
    }
}

/// A way to cheat; indices are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
enum Forgery {
    Take(prop::sample::Index, u64),
    Add(prop::sample::Index, u64),
    Move(prop::sample::Index, prop::sample::Index, u64),
    Swap(prop::sample::Index, prop::sample::Index),
    Relock(prop::sample::Index),
    Append,
    Drop(prop::sample::Index),
    Fee(i64),
    SecondInput,
}

fn forgery() -> impl Strategy<Value = Forgery> {
    let at = any::<prop::sample::Index>;
    let sats = || prop_oneof![Just(1u64), 1u64..1_000];
    prop_oneof![
        (at(), sats()).prop_map(|(at, sats)| Forgery::Take(at, sats)),
        (at(), sats()).prop_map(|(at, sats)| Forgery::Add(at, sats)),
        (at(), at(), sats()).prop_map(|(from, to, sats)| Forgery::Move(from, to, sats)),
        (at(), at()).prop_map(|(one, other)| Forgery::Swap(one, other)),
        at().prop_map(Forgery::Relock),
        Just(Forgery::Append),
        at().prop_map(Forgery::Drop),
        prop_oneof![Just(-1i64), Just(1), -6_000i64..6_000].prop_map(Forgery::Fee),
        Just(Forgery::SecondInput),
    ]
}

fn forge(case: &Case, fee: u64, forgery: Forgery) -> Transaction {
    let mut tx = case.tx.clone();
    let count = tx.outputs.len();
    let change = |output: &mut TxOut, by: i64| {
        output.value = Sats::from_wire(output.value.get().saturating_add_signed(by));
    };
    match forgery {
        Forgery::Take(at, sats) => change(&mut tx.outputs[at.index(count)], -(sats as i64)),
        Forgery::Add(at, sats) => change(&mut tx.outputs[at.index(count)], sats as i64),
        Forgery::Move(from, to, sats) => {
            change(&mut tx.outputs[from.index(count)], -(sats as i64));
            change(&mut tx.outputs[to.index(count)], sats as i64);
        }
        Forgery::Swap(one, other) => tx.outputs.swap(one.index(count), other.index(count)),
        Forgery::Relock(at) => tx.outputs[at.index(count)].lock[5] ^= 1,
        Forgery::Append => tx.outputs.push(TxOut::plain(Sats::ZERO, vec![0x6a])),
        Forgery::Drop(at) => drop(tx.outputs.remove(at.index(count))),
        Forgery::Fee(by) => tx.inputs[0].unlock = case.unlock(fee as i64 + by),
        Forgery::SecondInput => tx.inputs.push(tx.inputs[0].clone()),
    }
    tx
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_settlement_is_accepted_and_every_change_to_it_is_refused(
        shape in prop_oneof![5 => shape(), 1 => wide_shape()],
        above in prop_oneof![0u64..3, 0u64..1_000_000, Just(u64::MAX)],
        fee in any::<prop::sample::Index>(),
        forgeries in prop::collection::vec(forgery(), 12),
    ) {
        let fee = fee.index(shape.fee_max as usize + 1) as u64;
        let case = settled(&shape, above, fee);
        let paid: u64 = case.tx.outputs.iter().map(|output| output.value.get()).sum();
        prop_assert_eq!(paid + fee, case.pot.value.get());
        prop_assert_eq!(case.tx.outputs.len(), shape.names().len());
        prop_assert!(case.accepts(&case.tx), "{}", shape.source());
        let whole = u128::from(paid);
        let sources = &case.artifact.reward.as_ref().unwrap().sources;
        let declared: Vec<u64> = shape.entries.iter().flatten().copied().collect();
        let weight_of = |name: &str| shape.names().iter().position(|known| known == name).map(|at| declared[at]);
        for (output, source) in case.tx.outputs.iter().zip(sources) {
            let weight = &weight_of(&source.name).unwrap();
            // Cumulative rounding moves no source by a whole unit.
            let (exact, total) = (whole * u128::from(*weight), u128::from(shape.total()));
            prop_assert!((u128::from(output.value.get()) * total).abs_diff(exact) <= total, "{}", shape.source());
        }
        for forgery in forgeries {
            let forged = forge(&case, fee, forgery);
            // A smaller pot may round a share up, so that what was paid is too little, or enough.
            if matches!(forgery, Forgery::Fee(by) if by > 0 && !case.list.is_empty()) {
                continue;
            }
            // A reward with a list lets others add to a share, and outputs behind the shares.
            let is_gift = match forgery {
                Forgery::Add(..) | Forgery::Append => !case.list.is_empty(),
                _ => false,
            };
            prop_assert_eq!(case.accepts(&forged), is_gift || forged == case.tx, "{:?}\n{}", forgery, shape.source());
        }
    }
}
