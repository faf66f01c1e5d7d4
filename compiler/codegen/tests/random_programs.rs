//! Random programs: the machine accepts what a direct evaluation of the typed program accepts, and nothing else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic, its helpers too")]

mod random;
mod support;

use std::collections::BTreeMap;

use analysis::hir::{Contract, Functions, Type};
use proptest::prelude::*;
use random::draw::{self, Draw};
use random::evaluate::{Evaluator, Fails, Frame, Value};
use spec::artifact::{AbiType, AbiValue, Artifact, Slot};
use support::*;

/// Arguments and the items that carry them.
fn arguments(draw: &mut Draw) -> (Vec<Value>, BTreeMap<String, AbiValue>) {
    let values: Vec<Value> = draw::args().iter().map(|ty| argument(draw, ty)).collect();
    let named = values.iter().enumerate().map(|(at, value)| (format!("a{at}"), AbiValue::Items(items(value))));
    let named = named.collect();
    (values, named)
}

fn argument(draw: &mut Draw, ty: &Type) -> Value {
    match ty {
        Type::Int => Value::Int([0, 1, -1, 2, 5, 17, -300, 70_000][draw.below(8)].into()),
        Type::Bool => Value::Int(i64::from(draw.below(2) == 0).into()),
        Type::Bytes => Value::Bytes(vec![0x81, 2, 3, 0x80, 0, 6][..draw.below(7)].to_vec()),
        Type::Struct(ty) => Value::Parts(ty.fields.iter().map(|(_, ty)| argument(draw, ty)).collect()),
        Type::Array(element, count) => Value::Parts((0..*count).map(|_| argument(draw, element)).collect()),
        Type::Enum(ty) => {
            let variant = draw.below(ty.variants.len());
            Value::Variant(variant, ty.variants[variant].fields.iter().map(|ty| argument(draw, ty)).collect())
        }
        other => panic!("no argument is a {other}"),
    }
}

/// An enum has a tag and two items, as large as its largest variant.
fn items(value: &Value) -> Vec<Vec<u8>> {
    match value {
        Value::Int(n) => vec![spec::num::encode(i64::try_from(n).unwrap())],
        Value::Bytes(data) => vec![data.clone()],
        Value::Parts(parts) => parts.iter().flat_map(items).collect(),
        Value::Variant(variant, fields) => {
            let mut all = vec![spec::num::encode(*variant as i64)];
            all.extend(fields.iter().flat_map(items));
            all.resize(3, vec![]);
            all
        }
    }
}

/// A program of one path.
struct Program {
    contract: Contract,
    functions: Functions,
}

impl Program {
    fn draw(draw: &mut Draw, size: usize) -> Self {
        let count = draw.below(3);
        let functions = draw.functions(count);
        let stmts = draw.path(size);
        let params = draw::args().into_iter().enumerate().map(|(at, ty)| param(&format!("a{at}"), ty)).collect();
        Self { contract: contract(vec![], vec![path("spend", params, draw.locals.clone(), stmts)]), functions }
    }

    /// Whether it accepts; nothing if that depends on what the machine computes.
    fn accepts(&self, args: Vec<Value>) -> Option<bool> {
        let path = &self.contract.paths[0];
        let mut evaluator = Evaluator { functions: &self.functions, unsure: false };
        let mut frame = Frame::new(args.into_iter().map(Ok).collect(), path.locals.len());
        match evaluator.block(&mut frame, &path.body) {
            Ok(_) => (!evaluator.unsure).then_some(true),
            Err(Fails::Spend) => Some(false),
            Err(_) => None,
        }
    }

    fn compiled(&self) -> Option<Artifact> {
        let options = codegen::Options { rules: spec::RuleSet::Bch2026, ..codegen::Options::default() };
        let (generated, diagnostics) = codegen::generate(&self.contract, &self.functions, &options);
        let Some(mut generated) = generated else {
            assert!(diagnostics.iter().all(|told| told.code == syntax::Code::E0501), "{diagnostics:#?}");
            return None;
        };
        // Every item is pushed as it is.
        let count = |ty: &Type| ty.abi().expect("arguments have values").leaf_count();
        let items = |ty| AbiType::Array(Box::new(AbiType::Bytes), count(ty));
        let slot = |(at, ty)| Slot { name: format!("a{at}"), ty: items(ty) };
        generated.paths[0].args = draw::args().iter().enumerate().map(slot).collect();
        Some(artifact("Random", generated))
    }
}

/// Compiles a random program, and runs it with random arguments against the direct evaluation.
fn check(seed: u64, size: usize) {
    let mut draw = Draw::new(seed);
    let program = Program::draw(&mut draw, size);
    let Some(artifact) = program.compiled() else { return };
    for _ in 0..4 {
        let (values, args) = arguments(&mut draw);
        let Some(expected) = program.accepts(values) else { continue };
        let spend = Spend { args: args.clone(), ..Spend::new(&artifact, "spend") };
        let outcome = spend.run();
        assert_eq!(outcome.is_ok(), expected, "{outcome:?}\nseed {seed} size {size}\n{args:?}\n{}", artifact.asm);
        if let (Ok(cost), Some(bound)) = (outcome, artifact.paths[0].cost_bound) {
            assert!(cost <= bound, "seed {seed} size {size}: cost {cost} above its bound {bound}: {}", artifact.asm);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_machine_agrees_with_a_direct_evaluation(seed in any::<u64>(), size in 0usize..8) {
        check(seed, size);
    }
}

#[test]
fn a_good_part_of_the_random_programs_accepts_and_shares_and_is_bounded() {
    let (mut accepted, mut refused, mut shared, mut bounded) = (0, 0, 0, 0);
    for seed in 0..150 {
        let mut draw = Draw::new(seed);
        let program = Program::draw(&mut draw, 4);
        for _ in 0..4 {
            let (args, _) = arguments(&mut draw);
            accepted += usize::from(program.accepts(args.clone()) == Some(true));
            refused += usize::from(program.accepts(args) == Some(false));
        }
        if let Some(artifact) = program.compiled() {
            shared += usize::from(!artifact.functions.is_empty());
            bounded += usize::from(artifact.paths[0].cost_bound.is_some());
        }
    }
    let drawn = format!("{accepted} accepted, {refused} refused, {shared} shared, {bounded} bounded");
    assert!(accepted > 60 && refused > 100 && shared > 5 && bounded > 100, "{drawn}");
}
