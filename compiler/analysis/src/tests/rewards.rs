//! The lowered division against the definition of the shares.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use dashu_int::IBig;
use spec::Sats;
use spec::split::Weights;

use super::{checked, codes, sound};
use crate::eval::{Facts, Value, eval};
use crate::hir::{Block, Condition, Contract, Expr, ExprKind, Fact, LocalId, StmtKind, Type};

/// A transaction that spends `coins` of the reward as well as one of somebody else, paying `outputs` to the locks
/// `[0]`, `[1]`, …
struct Settlement<'s> {
    coins: &'s [u64],
    index: u64,
    fee: u64,
    outputs: &'s [(u64, u8)],
    locals: RefCell<BTreeMap<LocalId, Value>>,
}

impl Facts for Settlement<'_> {
    fn leaf(&self, expr: &Expr, index: Option<IBig>) -> Option<Value> {
        let number = |n: u64| Some(Value::Number(IBig::from(n)));
        let output = || self.outputs.get(usize::try_from(index.clone().unwrap()).unwrap());
        match &expr.kind {
            ExprKind::Arg(_) => number(self.fee),
            ExprKind::Local(id) => self.locals.borrow().get(id).cloned(),
            ExprKind::Param(id) => Some(Value::Bytes(vec![u8::try_from(id.index()).unwrap()])),
            ExprKind::Introspect { fact: Fact::InputIndex, .. } => number(self.index),
            ExprKind::Introspect { fact: Fact::InputCount, .. } => number(self.coins.len() as u64 + 1),
            ExprKind::Introspect { fact: Fact::InputLock, .. } => {
                let index = usize::try_from(index.unwrap()).unwrap();
                let own = index < self.coins.len();
                Some(Value::Bytes(vec![if own { 0xa1 } else { u8::try_from(index).unwrap() }]))
            }
            ExprKind::Introspect { fact: Fact::OutputCount, .. } => number(self.outputs.len() as u64),
            ExprKind::Introspect { fact: Fact::InputValue, .. } => {
                number(self.coins.get(usize::try_from(index.unwrap()).unwrap()).copied().unwrap_or(77))
            }
            ExprKind::Introspect { fact: Fact::OutputValue, .. } => number(output()?.0),
            ExprKind::Introspect { fact: Fact::OutputLock, .. } => Some(Value::Bytes(vec![output()?.1])),
            other => panic!("a reward reads nothing else: {other:?}"),
        }
    }
}

/// The message of the first requirement of `block` that the settlement breaks.
fn refusal(block: &Block, settlement: &Settlement<'_>) -> Option<String> {
    let set = |local: LocalId, value: Value| drop(settlement.locals.borrow_mut().insert(local, value));
    for stmt in &block.stmts {
        match &stmt.kind {
            StmtKind::Let { local, value } | StmtKind::Assign { local, value, .. } => {
                set(*local, eval(value, settlement).unwrap());
            }
            StmtKind::Require { condition: Condition::Holds(holds), message } => {
                if eval(holds, settlement) != Ok(Value::Bool(true)) {
                    return Some(message.clone());
                }
            }
            StmtKind::If { condition, then, .. } => {
                if eval(condition, settlement) == Ok(Value::Bool(true)) {
                    assert_eq!(refusal(then, settlement), None);
                }
            }
            StmtKind::For { index, to, body, .. } => {
                let Ok(Value::Number(rounds)) = eval(to, settlement) else { panic!("rounds are counted") };
                for round in 0..usize::try_from(rounds).unwrap() {
                    set(*index, Value::Number(IBig::from(round)));
                    assert_eq!(refusal(body, settlement), None);
                }
            }
            other => panic!("a reward demands, names and counts, nothing else: {other:?}"),
        }
    }
    None
}

fn settle(contract: &Contract, coins: &[u64], fee: u64, outputs: &[(u64, u8)]) -> Option<String> {
    let settlement = Settlement { coins, index: 0, fee, outputs, locals: RefCell::default() };
    refusal(&contract.paths[0].body, &settlement)
}

/// The outputs that the definition of the shares gives.
fn fair(contract: &Contract, pot: u64) -> Vec<(u64, u8)> {
    let reward = contract.reward.as_ref().unwrap();
    let mut ranked: Vec<_> = reward.sources.iter().collect();
    ranked.sort_by_key(|source| source.rank);
    let weights = Weights::new(ranked.iter().map(|source| source.weight).collect()).unwrap();
    assert_eq!(weights.denominator(), reward.denominator);
    let shares = weights.divide(Sats::new(pot).unwrap());
    let share = |(index, source): (usize, &crate::hir::RewardSource)| {
        assert_eq!(source.param.index(), index);
        (shares[source.rank].get(), u8::try_from(index).unwrap())
    };
    reward.sources.iter().enumerate().map(share).collect()
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 24) % end
    }
}

/// Entries whose weights are parts of 1, one of them maybe `rest`, groups nested up to `depth`.
fn entries(random: &mut Random, depth: u64, text: &mut String, names: &mut Vec<String>, path: &str) {
    let count = 1 + random.below(5);
    let parts: Vec<u64> = (0..count).map(|_| 1 + random.below(9)).collect();
    let whole: u64 = parts.iter().sum();
    let rest = random.below(count * 2);
    for (index, part) in (0..).zip(&parts) {
        let name = format!("{path}s{index}");
        write!(text, "s{index}: ").unwrap();
        match index == rest {
            true => text.push_str("rest"),
            false => write!(text, "{part}/{whole}").unwrap(),
        }
        if depth > 0 && random.below(3) == 0 {
            text.push_str(" { ");
            entries(random, depth - 1, text, names, &format!("{name}."));
            text.push_str(" }");
        } else {
            names.push(name);
        }
        text.push_str(", ");
    }
}

fn random_reward(random: &mut Random) -> Contract {
    let (mut text, mut names) = (String::from("reward R { "), Vec::new());
    entries(random, 3, &mut text, &mut names, "");
    if random.below(2) == 0 {
        let dust = random.below(names.len() as u64);
        write!(text, "dust: {}, ", names[usize::try_from(dust).unwrap()]).unwrap();
    }
    text.push_str("minimum: 1_000 coin, fee: up to 1_000 sats }");
    Contract::clone(&sound(&text).program.contracts[0])
}

#[test]
fn lowered_rewards_accept_exactly_the_defined_shares() {
    let mut random = Random(1);
    for _ in 0..200 {
        let contract = random_reward(&mut random);
        if matches!(contract.params[0].ty, Type::List(_)) {
            // These run on the machine, in the tests of the whole.
            continue;
        }
        let least = contract.reward.as_ref().unwrap().minimum.get();
        for _ in 0..5 {
            let value = least + random.below(Sats::MAX.get() - least);
            let fee = random.below(1_001);
            let outputs = fair(&contract, value - fee);
            assert_eq!(outputs.iter().map(|(share, _)| share).sum::<u64>() + fee, value);
            assert_eq!(settle(&contract, &[value], fee, &outputs), None, "{contract:#?}");
            let mut short = outputs.clone();
            let victim = usize::try_from(random.below(outputs.len() as u64)).unwrap();
            short[victim].0 -= 1;
            assert!(settle(&contract, &[value], fee, &short).is_some());
            assert!(settle(&contract, &[value], fee + 1, &outputs).is_some());
            let parts = [value / 3, 0, value - value / 3];
            assert_eq!(settle(&contract, &parts, fee, &outputs), None);
            assert!(settle(&contract, &[value / 3, 1, value - value / 3], fee, &outputs).is_some());
        }
    }
}

#[test]
fn every_share_is_above_the_dust_limit_from_the_minimum_up() {
    let mut random = Random(2);
    for _ in 0..40 {
        let reward = random_reward(&mut random).reward.unwrap();
        let smallest = reward.sources.iter().map(|source| source.weight).min().unwrap();
        let enough = (576 * reward.denominator).div_ceil(smallest);
        let mut ranked = reward.sources.clone();
        ranked.sort_by_key(|source| source.rank);
        let weights = Weights::new(ranked.iter().map(|source| source.weight).collect()).unwrap();
        for pot in enough..enough + 300 {
            let shares = weights.divide(Sats::new(pot).unwrap());
            assert!(shares.iter().all(|share| share.get() >= 576), "{pot}: {shares:?}");
        }
    }
}

const PAPER: &str = "reward TextToImage {
    databases: 30%, compute: 25%,
    models: 20% { diffusion: 1/2, transformer: 3/10, autoencoder: 1/5 },
    researchers: 15%, infrastructure: rest,
    dust: researchers, minimum: 15_400 sats, fee: up to 1_000 sats,
}";

#[test]
fn the_paper_s_reward_flattens_to_exact_products() {
    let contract = sound(PAPER).program.contracts.remove(0);
    let reward = contract.reward.as_ref().unwrap();
    let table: Vec<_> =
        reward.sources.iter().map(|source| (source.name.as_str(), source.weight, source.rank)).collect();
    let expected = [
        ("databases", 30, 0),
        ("compute", 25, 1),
        ("models.diffusion", 10, 2),
        ("models.transformer", 6, 3),
        ("models.autoencoder", 4, 4),
        ("researchers", 15, 6),
        ("infrastructure", 10, 5),
    ];
    assert_eq!((table.as_slice(), reward.denominator), (expected.as_slice(), 100));
    let params: Vec<_> = contract.params.iter().map(|param| param.name.as_str()).collect();
    assert_eq!(params[2..4], ["models_diffusion", "models_transformer"]);
}

#[test]
fn a_wrong_settlement_is_refused_by_the_requirement_it_breaks() {
    let contract = sound(PAPER).program.contracts.remove(0);
    let (value, fee) = (100_000_000, 700);
    let outputs = fair(&contract, value - fee);
    assert_eq!(settle(&contract, &[value], fee, &outputs), None);
    type Outputs = Vec<(u64, u8)>;
    let changed = |change: fn(&mut Outputs)| {
        let mut outputs = outputs.clone();
        change(&mut outputs);
        settle(&contract, &[value], fee, &outputs).unwrap()
    };
    assert_eq!(changed(|outputs| outputs[2].0 -= 1), "`models.diffusion` gets 1/10 of the pot (output 2)");
    assert_eq!(changed(|outputs| outputs.swap(0, 1)), "`databases` is paid at its own lock (output 0)");
    assert!(changed(|outputs| outputs.push((546, 9))).contains("exactly 7 outputs"));
    assert_eq!(settle(&contract, &[value], 1_001, &outputs).unwrap(), "the fee is at most 1_000 sats");
    assert_eq!(
        settle(&contract, &[15_399], 1_000, &outputs).unwrap(),
        "the pot less the fee is at least 14_400 sats: the minimum less the largest fee"
    );
    let outputs = fair(&contract, value - fee);
    let second = Settlement { coins: &[5, value], index: 1, fee, outputs: &outputs, locals: RefCell::default() };
    assert!(refusal(&contract.paths[0].body, &second).unwrap().starts_with("the first input settles"));
    assert_eq!(refusal(&contract.paths[1].body, &second), None);
    let alone = Settlement { coins: &[value], index: 0, fee, outputs: &outputs, locals: RefCell::default() };
    assert_eq!(refusal(&contract.paths[1].body, &alone).unwrap(), "the first input settles");
    let stranger = Settlement { coins: &[], index: 1, fee, outputs: &outputs, locals: RefCell::default() };
    assert_eq!(refusal(&contract.paths[1].body, &stranger).unwrap(), "the first input is a coin of this reward");
}

#[test]
fn every_requirement_of_a_reward_stands_at_its_line() {
    let (parse, analysis) = checked(PAPER);
    for stmt in &analysis.program.contracts[0].paths[0].body.stmts {
        let StmtKind::Require { message, .. } = &stmt.kind else { continue };
        let text = &PAPER[parse.resolve(&stmt.loc).unwrap().range()];
        let Some((source, _)) = message.strip_prefix('`').and_then(|rest| rest.split_once('`')) else { continue };
        assert!(text.starts_with(source.rsplit('.').next().unwrap()), "{message} at {text}");
    }
}

#[test]
fn limits_of_size_are_reported() {
    use syntax::Code;
    let many: String = (0..201).map(|index| format!("s{index}: 1/201, ")).collect();
    let deep = format!("{}b: 100%{}", "a: 100% { ".repeat(20), " }".repeat(20));
    for entries in [many, deep] {
        let text = format!("reward R {{ {entries}, minimum: 1 coin, fee: up to 1 sats }}");
        assert!(codes(&checked(&text).1).contains(&Code::E0312), "{text}");
    }
}
