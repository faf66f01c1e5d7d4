//! Plans in artifacts: they survive JSON, and every expression of theirs has a value of the right kind in any world.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use driver::{MemoryWorld, Options, compile};
use spec::artifact::{AbiType, Value};
use spec::plan::{
    Change, CoinFact, EvalError, Evaluator, Expr, Fault, Input, Missing, OutputKind, PathArg, Plan, Source, Take, World,
};
use spec::{Artifact, Sats};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The artifacts of one source, which is right.
fn artifacts(name: &str, text: &str) -> Vec<Artifact> {
    let world = MemoryWorld::new([(name, text)]);
    let compiled = compile(&world, &[name.to_owned()], &Options::default());
    let mut told = Vec::new();
    compiled.render(&mut told, false).unwrap();
    assert!(compiled.diagnostics.is_empty(), "{name}:\n{}", String::from_utf8_lossy(&told));
    compiled.artifacts
}

/// Every source of the corpus: the examples, the page about plans, and one that uses everything.
fn corpus() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    for folder in std::fs::read_dir(root().join("examples")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|ext| ext == "bmc") && !read(&path).contains("\nuse ") {
                found.push((path.file_name().unwrap().to_string_lossy().into_owned(), read(&path)));
            }
        }
    }
    found.sort();
    let page = read(&root().join("docs/book/src/plans.md"));
    let block = page.split("```bmc\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    found.push(("jar.bmc".into(), block.into()));
    found.push(("wide.bmc".into(), include_str!("plans/wide.bmc").into()));
    found
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn bytes(&mut self, len: usize) -> Value {
        Value::Bytes((0..len).map(|_| u8::try_from(self.below(256)).unwrap()).collect())
    }

    /// A value of the type; none for a signature.
    fn value(&mut self, ty: &AbiType) -> Option<Value> {
        let mut all =
            |types: &mut dyn Iterator<Item = &AbiType>| types.map(|ty| self.value(ty)).collect::<Option<Vec<Value>>>();
        Some(match ty {
            AbiType::Sig | AbiType::DataSig | AbiType::Sigs(_) => return None,
            AbiType::Tuple(parts) => Value::Parts(all(&mut parts.iter())?),
            AbiType::Struct(of) => Value::Parts(all(&mut of.fields.iter().map(|field| &field.ty))?),
            AbiType::Array(of, len) | AbiType::Table(of, len) => {
                Value::Parts(all(&mut std::iter::repeat_n(&**of, *len))?)
            }
            AbiType::List(of) => {
                let record = || of.fields.iter().map(|field| &field.ty);
                let first = Value::Parts(all(&mut record())?);
                Value::Parts(vec![first, Value::Parts(all(&mut record())?)])
            }
            AbiType::Enum(of) => {
                let place = usize::try_from(self.below(of.variants.len() as u64)).unwrap();
                let fields = of.variants[place].fields.iter().map(|ty| self.value(ty)).collect::<Option<_>>()?;
                Value::Variant(place, fields)
            }
            AbiType::Bool => Value::Bool(self.below(2) == 1),
            AbiType::IntN(_) => Value::Int(self.below(100).into()),
            AbiType::BytesN(len) => self.bytes(*len),
            AbiType::PubKey => self.bytes(33),
            AbiType::Category | AbiType::Did => self.bytes(32),
            AbiType::Bytes | AbiType::Padding => self.bytes(7),
            AbiType::Lock => self.bytes(25),
            AbiType::Int | AbiType::Coin | AbiType::Tokens => Value::Int(self.below(1 << 30).into()),
            AbiType::Height | AbiType::Blocks | AbiType::Duration | AbiType::Time => {
                Value::Int(self.below(1 << 16).into())
            }
        })
    }
}

/// A world in which every question of a plan has an answer of the right type.
struct Desk<'a> {
    artifacts: BTreeMap<&'a str, &'a Artifact>,
    plan: &'a Plan,
    seed: u64,
}

impl Desk<'_> {
    fn dice(&self, about: &[usize]) -> Dice {
        let mut dice = Dice(self.seed | 1);
        about.iter().for_each(|n| dice.0 = (dice.0.wrapping_mul(31) + *n as u64) | 1);
        dice.below(2);
        dice
    }

    fn contract(&self, input: usize) -> Option<&Artifact> {
        match &self.plan.inputs.get(input)?.source {
            Source::Contract(of) => self.artifacts.get(of.contract.as_str()).copied(),
            _ => None,
        }
    }
}

fn known(value: Option<Value>) -> Result<Value, Missing> {
    value.ok_or_else(|| Missing("a signature".into()))
}

impl World for Desk<'_> {
    fn arg(&self, arg: usize) -> Result<Value, Missing> {
        known(self.dice(&[1, arg]).value(&self.plan.args[arg].ty))
    }

    fn param(&self, input: usize, param: usize) -> Result<Value, Missing> {
        known(self.dice(&[2, input, param]).value(&self.contract(input).unwrap().params[param].ty))
    }

    fn coins(&self, input: usize) -> Result<usize, Missing> {
        let input_of = &self.plan.inputs[input];
        let many = matches!(input_of.source, Source::Key(_)) || input_of.take == Take::Each;
        let least = u64::from(input_of.take != Take::Each);
        Ok(if many { usize::try_from(self.dice(&[3, input]).below(3) + least).unwrap() } else { 1 })
    }

    fn fact(&self, input: usize, coin: usize, what: CoinFact) -> Result<Value, Missing> {
        assert!(coin < self.coins(input)?, "{}: coin {coin} of input {input}", self.plan.name);
        let mut dice = self.dice(&[4, input, coin]);
        let contract = self.contract(input);
        Ok(match what {
            CoinFact::Value | CoinFact::Amount => Value::Int(dice.below(1 << 30).into()),
            CoinFact::Lock => dice.bytes(35),
            CoinFact::Code => contract.map(|_| dice.bytes(40)).unwrap(),
            CoinFact::Txid => dice.bytes(32),
            CoinFact::Outpoint | CoinFact::Position => Value::Int(dice.below(9).into()),
            CoinFact::Category => dice.bytes(33),
            CoinFact::Capability => Value::Int(dice.below(3).into()),
            CoinFact::Commitment => dice.bytes(20),
            CoinFact::State(field) => known(dice.value(&contract.unwrap().state.as_ref().unwrap().fields[field].ty))?,
            CoinFact::Param(param) => known(dice.value(&contract.unwrap().params[param].ty))?,
        })
    }

    fn output(&self, output: usize) -> Result<usize, Missing> {
        Ok(output)
    }

    fn fee(&self) -> Result<Sats, Missing> {
        Ok(Sats::from_wire(self.dice(&[5]).below(1_000)))
    }

    fn wallet(&self) -> Result<Vec<u8>, Missing> {
        Ok(vec![7; 25])
    }

    fn lock(&self, contract: &str, params: &[Value]) -> Result<Vec<u8>, Missing> {
        let artifact = self.artifacts[contract];
        let slots: Vec<_> = artifact.open_params().collect();
        assert_eq!(slots.len(), params.len(), "{contract}");
        for ((_, slot), value) in slots.iter().zip(params) {
            slot.ty.encode(value).unwrap_or_else(|misfit| panic!("`{}` of `{contract}`: {misfit}", slot.name));
        }
        Ok(vec![9; 35])
    }
}

/// What an expression must be worth.
#[derive(Clone, Copy)]
enum Kind<'t> {
    Number,
    Truth,
    Bytes,
    Of(&'t AbiType),
}

/// Counts expressions with a value, and those that a world refuses for a reason that a world may have.
#[derive(Default)]
struct Tally {
    valued: usize,
    refused: usize,
}

impl Tally {
    fn check(&mut self, plan: &Plan, expr: &Expr, kind: Kind<'_>, value: Result<Value, EvalError>) {
        let wrong =
            |why: &dyn std::fmt::Display| panic!("`{}`: {why}: {}", plan.name, serde_json::to_string(expr).unwrap());
        match (value, kind) {
            (Ok(Value::Int(_)), Kind::Number)
            | (Ok(Value::Bool(_)), Kind::Truth)
            | (Ok(Value::Bytes(_)), Kind::Bytes) => {
                self.valued += 1;
            }
            (Ok(value), Kind::Of(ty)) => match ty.encode(&value) {
                Ok(_) => self.valued += 1,
                Err(misfit) => wrong(&misfit),
            },
            (Ok(value), _) => wrong(&format!("{value:?} is of another kind")),
            (Err(error), _) => match &error.fault {
                Fault::Overflow(_) | Fault::DivideByZero | Fault::Refused(_) | Fault::Weights => self.refused += 1,
                Fault::OutOfRange { op: "slice" | "fact", .. } => self.refused += 1,
                Fault::Misfit(misfit) if misfit.to_string().starts_with("a number") => self.refused += 1,
                _ => wrong(&error),
            },
        }
    }

    fn input(&mut self, plan: &Plan, desk: &Desk<'_>, at: usize, input: &Input) {
        let coins = desk.coins(at).unwrap();
        for coin in 0..coins {
            let mut evaluator = Evaluator::new(plan, desk);
            let mut one = |expr: &Expr, kind: Kind<'_>| {
                let value = evaluator.eval_for(at, coin, expr);
                self.check(plan, expr, kind, value);
            };
            input.accept.iter().for_each(|accept| one(accept, Kind::Truth));
            match &input.source {
                Source::Contract(of) => {
                    let artifact = desk.artifacts[of.contract.as_str()];
                    let path = artifact.path(&of.path).unwrap();
                    for (name, arg) in &of.args {
                        let slot = path.args.iter().find(|slot| slot.name == *name).unwrap();
                        match arg {
                            PathArg::Value(value) => one(value, Kind::Of(&slot.ty)),
                            PathArg::Given(arg) => assert_eq!(plan.args[*arg].ty, slot.ty),
                            PathArg::Sign(key) => one(key, Kind::Bytes),
                            PathArg::SignEach(keys) => keys.iter().for_each(|key| one(key, Kind::Bytes)),
                            PathArg::Attest { key, message } => {
                                one(key, Kind::Bytes);
                                one(message, Kind::Bytes);
                            }
                            PathArg::Parts(_) => panic!("no source makes parts"),
                        }
                    }
                }
                Source::Key(of) => {
                    one(&of.owner, Kind::Bytes);
                    of.value.iter().for_each(|value| one(value, Kind::Number));
                    of.token.iter().for_each(|token| one(&token.category, Kind::Bytes));
                    of.token.iter().flat_map(|token| &token.amount).for_each(|amount| one(amount, Kind::Number));
                }
                Source::Genesis => {}
            }
        }
    }

    fn outputs(&mut self, plan: &Plan, desk: &Desk<'_>) {
        let mut evaluator = Evaluator::new(plan, desk);
        for output in &plan.outputs {
            let exprs: Vec<(&Expr, Kind<'_>)> = match &output.kind {
                OutputKind::Data(parts) => parts.iter().map(|part| (part, Kind::Bytes)).collect(),
                OutputKind::Pay(pay) => {
                    let token = pay.token.as_ref();
                    let mut exprs = vec![(&pay.lock, Kind::Bytes)];
                    exprs.extend(pay.value.iter().map(|value| (value, Kind::Number)));
                    exprs.extend(token.and_then(|token| token.category.as_ref()).map(|expr| (expr, Kind::Bytes)));
                    exprs.extend(token.and_then(|token| token.amount.as_ref()).map(|expr| (expr, Kind::Number)));
                    exprs.extend(token.and_then(|token| token.capability.as_ref()).map(|expr| (expr, Kind::Number)));
                    exprs.extend(token.and_then(|token| token.commitment.as_ref()).map(|expr| (expr, Kind::Bytes)));
                    exprs
                }
            };
            let mut round = |evaluator: &mut Evaluator<'_, Desk<'_>>| {
                for (expr, kind) in &exprs {
                    let value = evaluator.eval(expr);
                    self.check(plan, expr, *kind, value);
                }
                Ok::<_, EvalError>(())
            };
            match &output.each {
                None => round(&mut evaluator).unwrap(),
                Some(each) => drop(evaluator.each(each, round).unwrap()),
            }
        }
    }

    fn plan(&mut self, plan: &Plan, desk: &Desk<'_>) {
        plan.inputs.iter().enumerate().for_each(|(at, input)| self.input(plan, desk, at, input));
        self.outputs(plan, desk);
        let mut evaluator = Evaluator::new(plan, desk);
        let mut one = |expr: &Expr, kind: Kind<'_>| {
            let value = evaluator.eval(expr);
            self.check(plan, expr, kind, value);
        };
        plan.requires.iter().for_each(|require| one(&require.condition, Kind::Truth));
        plan.locktime.iter().for_each(|time| one(time, Kind::Number));
        plan.publish.iter().for_each(|publish| one(&publish.bytes, Kind::Bytes));
        if let Change::To(lock) = &plan.change {
            one(lock, Kind::Bytes);
        }
    }
}

#[test]
fn every_plan_survives_json_and_has_values_of_the_right_kind_in_random_worlds() {
    let mut tally = Tally::default();
    let mut plans = 0;
    for (name, text) in corpus() {
        let artifacts = artifacts(&name, &text);
        for artifact in &artifacts {
            let json = serde_json::to_string(artifact).unwrap();
            assert_eq!(serde_json::from_str::<Artifact>(&json).unwrap(), *artifact, "{name}");
            assert!(!artifact.plans.is_empty(), "`{}` of {name} has no plan", artifact.contract);
            plans += artifact.plans.len();
            let by_name = || artifacts.iter().map(|artifact| (artifact.contract.as_str(), artifact)).collect();
            for (plan, seed) in artifact.plans.iter().flat_map(|plan| (1..40).map(move |seed| (plan, seed))) {
                tally.plan(plan, &Desk { artifacts: by_name(), plan, seed: seed * 7_919 });
            }
        }
    }
    assert!(plans >= 20, "{plans} plans");
    assert!(tally.valued > 10 * tally.refused, "{} values, {} refusals", tally.valued, tally.refused);
}

#[test]
fn a_contract_without_plans_gets_one_for_each_path() {
    let text = std::fs::read_to_string(root().join("examples/escrow/escrow.bmc")).unwrap();
    let artifacts = artifacts("escrow.bmc", &text);
    let names = |artifact: &Artifact| artifact.plans.iter().map(|plan| plan.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&artifacts[0]), ["release", "refund", "decide", "expire"]);
    // What the path demands of output 0 is what its plan makes.
    let json = serde_json::to_value(&artifacts[0].plans[3].outputs).unwrap();
    assert_eq!(json[0]["pay"]["value"], serde_json::json!({ "fact": { "input": 0, "what": "value" } }));
}

#[test]
fn plans_are_with_the_contracts_that_they_are_about() {
    let contract = |name: &str| {
        format!("contract {name}(k: PubKey) {{ spend take(s: Sig) {{ require k.signed(s), \"no\"; }} }}\n")
    };
    let a = contract("A")
        + &contract("B")
        + "plan a() { input c: A.take(s: c.params.k); output B(c.params.k).lock { value: c.value }; }\n"
        + "plan free(to: Lock) { output to { value: 1_000 sats }; }\n";
    let b = "use ./a::A;\n".to_owned()
        + &contract("C")
        + "plan c(k: PubKey) { input c: C.take(s: k); output A(k).lock { value: c.value }; }";
    let world = MemoryWorld::new([("a.bmc", a.as_str()), ("b.bmc", b.as_str())]);
    let compiled = compile(&world, &["a.bmc".to_owned(), "b.bmc".to_owned()], &Options::default());
    assert!(!compiled.has_errors(), "{:?}", compiled.diagnostics);
    let found: Vec<(&str, Vec<&str>)> = compiled
        .artifacts
        .iter()
        .map(|artifact| (artifact.contract.as_str(), artifact.plans.iter().map(|plan| plan.name.as_str()).collect()))
        .collect();
    assert_eq!(found, [("A", vec!["a", "free", "c"]), ("B", vec!["a", "free"]), ("C", vec!["c"])]);
}

#[test]
fn long_chains_are_refused_without_recursion() {
    let calls: String = (1..3_000).map(|n| format!("fn f{n}(x: Int) -> Int {{ f{}(x) + 1 }}\n", n - 1)).collect();
    let lets: String = (1..3_000).map(|n| format!("let v{n} = v{} + 1;\n", n - 1)).collect();
    let returns: String = (0..3_000).map(|n| format!("if x == {n} {{ return {n}; }}\n")).collect();
    let text = format!(
        "contract A(k: PubKey) {{ spend take(s: Sig) {{ require k.signed(s), \"no\"; }} }}\n\
         fn f0(x: Int) -> Int {{ x }}\n{calls}\
         fn named(x: Int) -> Int {{ let v0 = x;\n{lets} v2999 }}\n\
         fn early(x: Int) -> Int {{ {returns} 7 }}\n\
         plan p(n: Int) {{ input c: A.take(s: c.params.k); require f2999(n) > 0; output c.lock {{ value: c.value }}; }}\n\
         plan q(n: Int) {{ input c: A.take(s: c.params.k); require named(n) > 0; output c.lock {{ value: c.value }}; }}\n\
         plan r(n: Int) {{ input c: A.take(s: c.params.k); require early(n) > 0; output c.lock {{ value: c.value }}; }}"
    );
    let world = MemoryWorld::new([("a.bmc", text.as_str())]);
    let compiled = compile(&world, &["a.bmc".to_owned()], &Options::default());
    let refused = compiled.diagnostics.iter().filter(|found| format!("{:?}", found.code) == "E0707").count();
    assert!(refused >= 2, "{:?}", compiled.diagnostics.iter().map(|found| &found.message).collect::<Vec<_>>());
}

#[test]
fn copies_of_copies_are_bounded() {
    let doubled: String = (1..60).map(|n| format!("let v{n} = v{} + v{};\n", n - 1, n - 1)).collect();
    let text = format!(
        "contract A(k: PubKey) {{ spend take(s: Sig) {{ require k.signed(s), \"no\"; }} }}\n\
         fn grow(x: Int) -> Int {{ let v0 = x;\n{doubled} v59 }}\n\
         plan p(n: Int) {{ input c: A.take(s: c.params.k); require grow(n) > 0; output c.lock {{ value: c.value }}; }}"
    );
    let world = MemoryWorld::new([("a.bmc", text.as_str())]);
    let compiled = compile(&world, &["a.bmc".to_owned()], &Options::default());
    let codes: Vec<String> = compiled.diagnostics.iter().map(|found| format!("{:?}", found.code)).collect();
    assert!(codes.contains(&"E0707".to_owned()), "{codes:?}");
}
