//! Random programs: the machine accepts what a direct evaluation of the typed program accepts, and nothing else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic, its helpers too")]

mod random;
mod support;

use std::collections::BTreeMap;

use analysis::hir::{Contract, Functions, Type};
use dashu_int::IBig;
use proptest::prelude::*;
use random::draw::{self, Draw};
use random::evaluate::{Evaluator, Fails, Frame, Value};
use spec::artifact::{AbiType, AbiValue, Artifact};
use support::*;

/// Arguments and the items that carry them.
fn arguments(draw: &mut Draw) -> (Vec<Value>, BTreeMap<String, AbiValue>) {
    let values: Vec<Value> = draw::args().iter().map(|ty| argument(draw, ty)).collect();
    let named = values.iter().enumerate().map(|(at, value)| (format!("a{at}"), AbiValue::Items(items(value))));
    let named = named.collect();
    (values, named)
}

/// A list of records, and its items.
fn records(draw: &mut Draw, fields: usize) -> (Vec<Vec<IBig>>, AbiValue) {
    let number = |draw: &mut Draw| [0, 1, -1, 2, 5, 17, -300, 70_000][draw.below(8)];
    let count = 1 + draw.below(3);
    let drawn: Vec<Vec<i64>> = (0..count).map(|_| (0..fields).map(|_| number(draw)).collect()).collect();
    let items: Vec<_> = drawn.iter().map(|record| record.iter().map(|n| spec::num::encode(*n)).collect()).collect();
    let values = drawn.into_iter().map(|record| record.into_iter().map(IBig::from).collect()).collect();
    (values, AbiValue::Records(items.into()))
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
        let mut args = draw::args();
        args.extend((draw.record_fields > 0).then(|| draw::list(draw.record_fields)));
        let params = args.into_iter().enumerate().map(|(at, ty)| param(&format!("a{at}"), ty)).collect();
        Self { contract: contract(vec![], vec![path("spend", params, draw.locals.clone(), stmts)]), functions }
    }

    /// Whether it accepts; nothing if that depends on what the machine computes.
    fn accepts(&self, args: Vec<Value>, records: Vec<Vec<IBig>>) -> Option<bool> {
        let path = &self.contract.paths[0];
        let mut evaluator = Evaluator { functions: &self.functions, records, unsure: false };
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
        // Every item is pushed as it is; the list, behind the others, keeps its records.
        let count = |ty: &Type| ty.abi().expect("arguments have values").leaf_count();
        for (slot, ty) in generated.paths[0].args.iter_mut().zip(draw::args()) {
            slot.ty = AbiType::Array(Box::new(AbiType::Bytes), count(&ty));
        }
        Some(artifact("Random", generated))
    }
}

/// Compiles a random program, and runs it with random arguments against the direct evaluation.
fn check(seed: u64, size: usize) {
    let mut draw = Draw::new(seed);
    let program = Program::draw(&mut draw, size);
    let Some(artifact) = program.compiled() else { return };
    for _ in 0..4 {
        let (values, mut args) = arguments(&mut draw);
        let fields = draw.record_fields;
        let (list, pushed) = records(&mut draw, fields);
        if fields > 0 {
            args.insert(format!("a{}", values.len()), pushed);
        }
        let Some(expected) = program.accepts(values, list) else { continue };
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
            let fields = draw.record_fields;
            let (list, _) = records(&mut draw, fields);
            let verdict = program.accepts(args, list);
            accepted += usize::from(verdict == Some(true));
            refused += usize::from(verdict == Some(false));
        }
        if let Some(artifact) = program.compiled() {
            shared += usize::from(!artifact.functions.is_empty());
            bounded += usize::from(artifact.paths[0].cost_bound.is_some());
        }
    }
    let drawn = format!("{accepted} accepted, {refused} refused, {shared} shared, {bounded} bounded");
    assert!(accepted > 60 && refused > 100 && shared > 5 && bounded > 100, "{drawn}");
}
