//! Random programs, and the transactions that spend their coins.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "what fails here fails a test")]

use std::collections::BTreeMap;

use analysis::hir::{Contract, Fact, Functions, Type};
use codegen::{Generated, Options};
use dashu_int::IBig;
use spec::artifact::{AbiType, AbiValue, Level};
use spec::{RuleSet, Sats, TxOut};

use crate::draw::{self, Draw};
use crate::evaluate::{Evaluator, Fails, Frame, Value};
use crate::hir::{contract, equal, fact, int, param, path, require};

/// Numbers that are worth trying.
const NUMBERS: [i64; 8] = [0, 1, -1, 2, 5, 17, -300, 70_000];

/// A program of one contract.
pub struct Program {
    contract: Contract,
    functions: Functions,
    /// For each path how many numbers a record of its list has; none without a list.
    record_fields: Vec<usize>,
}

/// What a transaction brings, whichever path it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Bring {
    values: Vec<Value>,
    /// Two numbers for each record; a list takes as many of them as its records have.
    records: Vec<[i64; 2]>,
    outputs: usize,
}

impl Program {
    /// A program of so many paths with so many statements each. The paths of every other program are told apart by the
    /// number of outputs.
    pub fn draw(draw: &mut Draw, size: usize, paths: usize) -> Self {
        let count = draw.below(3);
        let functions = draw.functions(count);
        let tells = paths > 1 && draw.below(2) == 0;
        let mut record_fields = Vec::new();
        let mut drawn = Vec::new();
        for at in 0..paths {
            draw.next_path();
            let mut stmts = draw.path(size);
            if tells {
                let outputs = fact(Fact::OutputCount, None, Type::Int);
                stmts.insert(0, require(equal(outputs, int(at as i64 + 1)), "so many outputs"));
            }
            let mut args = draw::args();
            args.extend((draw.record_fields > 0).then(|| draw::list(draw.record_fields)));
            let params = args.into_iter().enumerate().map(|(at, ty)| param(&format!("a{at}"), ty)).collect();
            drawn.push(path(&Self::path_name(at), params, draw.locals.clone(), stmts));
            record_fields.push(draw.record_fields);
        }
        Self { contract: contract(vec![], drawn), functions, record_fields }
    }

    pub fn path_name(at: usize) -> String {
        format!("p{at}")
    }

    pub fn paths(&self) -> usize {
        self.record_fields.len()
    }

    /// Whether it accepts by a path; nothing if that depends on what the machine computes.
    pub fn accepts(&self, at: usize, bring: &Bring) -> Option<bool> {
        let path = &self.contract.paths[at];
        let fields = self.record_fields[at];
        let record = |numbers: &[i64; 2]| numbers[..fields].iter().copied().map(IBig::from).collect();
        let records = bring.records.iter().map(record).collect();
        let mut evaluator = Evaluator { functions: &self.functions, records, outputs: bring.outputs, unsure: false };
        let mut frame = Frame::new(bring.values.iter().cloned().map(Ok).collect(), path.locals.len());
        match evaluator.block(&mut frame, &path.body) {
            Ok(_) => (!evaluator.unsure).then_some(true),
            Err(Fails::Spend) => Some(false),
            Err(_) => None,
        }
    }

    /// The arguments of a path, as a wallet gives them.
    pub fn args(&self, at: usize, bring: &Bring) -> BTreeMap<String, AbiValue> {
        let value = |value| AbiValue::Items(items(value));
        let mut named: BTreeMap<String, AbiValue> =
            bring.values.iter().enumerate().map(|(at, of)| (format!("a{at}"), value(of))).collect();
        let fields = self.record_fields[at];
        if fields > 0 {
            let record = |numbers: &[i64; 2]| numbers[..fields].iter().map(|n| spec::num::encode(*n)).collect();
            let records: Vec<_> = bring.records.iter().map(record).collect();
            named.insert(format!("a{}", bring.values.len()), AbiValue::Records(records.into()));
        }
        named
    }

    /// The script of a level; nothing if it is too long.
    pub fn generated(&self, level: Level) -> Option<Generated> {
        let options = Options { rules: RuleSet::Bch2026, level, seconds: 1, ..Options::default() };
        let (generated, diagnostics) = codegen::generate(&self.contract, &self.functions, &options);
        let Some(mut generated) = generated else {
            assert!(diagnostics.iter().all(|told| told.code == syntax::Code::E0501), "{diagnostics:#?}");
            return None;
        };
        // Every item is pushed as it is; the list, behind the others, keeps its records.
        let count = |ty: &Type| ty.abi().expect("arguments have values").leaf_count();
        for path in &mut generated.paths {
            for (slot, ty) in path.args.iter_mut().zip(draw::args()) {
                slot.ty = AbiType::Array(Box::new(AbiType::Bytes), count(&ty));
            }
        }
        Some(generated)
    }
}

impl Bring {
    /// Something of everything.
    pub fn draw(draw: &mut Draw) -> Self {
        let values = draw::args().iter().map(|ty| value(draw, ty)).collect();
        let count = 1 + draw.below(3);
        let records = (0..count).map(|_| [NUMBERS[draw.below(8)], NUMBERS[draw.below(8)]]).collect();
        Self { values, records, outputs: 1 + draw.below(3) }
    }

    /// Nearly the same.
    pub fn changed(&self, draw: &mut Draw) -> Self {
        let mut changed = self.clone();
        for _ in 0..=draw.below(2) {
            let types = draw::args();
            let at = draw.below(types.len() + 2);
            match (types.get(at), changed.values.get_mut(at)) {
                (Some(ty), Some(value)) => change(draw, value, ty),
                _ if at == types.len() => changed.outputs = 1 + draw.below(3),
                _ => changed.change_records(draw),
            }
        }
        changed
    }

    fn change_records(&mut self, draw: &mut Draw) {
        let at = draw.below(self.records.len());
        match draw.below(4) {
            0 if self.records.len() > 1 => drop(self.records.remove(at)),
            1 if self.records.len() < 4 => self.records.insert(at, self.records[at]),
            _ => {
                let number = &mut self.records[at][draw.below(2)];
                *number = near(draw, *number);
            }
        }
    }

    /// The outputs of the transaction.
    pub fn outputs(&self) -> Vec<TxOut> {
        let value = Sats::new(90_000 / self.outputs as u64).unwrap();
        (0..self.outputs).map(|_| TxOut::plain(value, vec![0x51])).collect()
    }
}

fn value(draw: &mut Draw, ty: &Type) -> Value {
    match ty {
        Type::Int => Value::Int(NUMBERS[draw.below(8)].into()),
        Type::Bool => Value::Int(i64::from(draw.below(2) == 0).into()),
        Type::Bytes => Value::Bytes(vec![0x81, 2, 3, 0x80, 0, 6][..draw.below(7)].to_vec()),
        Type::Struct(ty) => Value::Parts(ty.fields.iter().map(|(_, ty)| value(draw, ty)).collect()),
        Type::Array(element, count) => Value::Parts((0..*count).map(|_| value(draw, element)).collect()),
        Type::Enum(ty) => {
            let variant = draw.below(ty.variants.len());
            Value::Variant(variant, ty.variants[variant].fields.iter().map(|ty| value(draw, ty)).collect())
        }
        other => panic!("no argument is a {other}"),
    }
}

/// A number that is close, or at the other side of a border.
fn near(draw: &mut Draw, n: i64) -> i64 {
    match draw.below(8) {
        0..=2 => n + 1,
        3..=5 => n - 1,
        6 => -n,
        _ => [0, 127, 128, 255, 256, 32_768][draw.below(6)],
    }
}

fn change(draw: &mut Draw, of: &mut Value, ty: &Type) {
    match (of, ty) {
        (Value::Int(n), Type::Bool) => *n = IBig::from(1) - n.clone(),
        (Value::Int(n), _) => *n = near(draw, i64::try_from(&*n).unwrap()).into(),
        (Value::Bytes(data), _) => {
            let at = draw.below(data.len().max(1));
            match (draw.below(4), data.get_mut(at)) {
                (0, Some(byte)) => *byte ^= 1 << draw.below(8),
                (1, Some(_)) => drop(data.pop()),
                (2, _) => data.push(draw.below(256) as u8),
                _ => *data = vec![draw.below(9) as u8; draw.below(10)],
            }
        }
        (Value::Parts(parts), Type::Struct(ty)) => {
            let at = draw.below(parts.len());
            change(draw, &mut parts[at], &ty.fields[at].1);
        }
        (Value::Parts(parts), Type::Array(element, _)) => {
            let at = draw.below(parts.len());
            change(draw, &mut parts[at], element);
        }
        (Value::Variant(variant, fields), Type::Enum(enumeration)) if !fields.is_empty() && draw.below(3) > 0 => {
            let at = draw.below(fields.len());
            change(draw, &mut fields[at], &enumeration.variants[*variant].fields[at]);
        }
        (of, ty) => *of = value(draw, ty),
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
