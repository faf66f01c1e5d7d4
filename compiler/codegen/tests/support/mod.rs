//! What the tests share: typed programs by hand, and spends on the real machine.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::BTreeMap;

use analysis::hir::{
    ArgId, BinaryOp, Block, Builtin, Condition, Contract, Expr, ExprKind, Fact, ItemKind, Local, LocalId, Param,
    SpendPath, Stmt, StmtKind, Type, UnaryOp,
};
use codegen::{Generated, Options};
use spec::artifact::{AbiValue, Artifact, Failing, MapEntry, RequireSite, SharedFunction, SourceSpan, Step};
use spec::tx::TxIn;
use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SighashType, SpendContext, Transaction, TxOut, Txid};
use syntax::{FileId, Loc, Span};

pub fn loc() -> Loc {
    Loc::in_file(FileId(0), Span::new(0, 1))
}

pub fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, loc: loc() }
}

pub fn int(n: i64) -> Expr {
    expr(ExprKind::Int(n.into()), Type::Int)
}

pub fn bytes(data: &[u8]) -> Expr {
    expr(ExprKind::Bytes(data.to_vec()), Type::Bytes)
}

pub fn truth(value: bool) -> Expr {
    expr(ExprKind::Bool(value), Type::Bool)
}

pub fn arg(index: usize, ty: Type) -> Expr {
    expr(ExprKind::Arg(ArgId::new(index)), ty)
}

pub fn local(index: usize, ty: Type) -> Expr {
    expr(ExprKind::Local(LocalId::new(index)), ty)
}

pub fn binary(op: BinaryOp, left: Expr, right: Expr, ty: Type) -> Expr {
    expr(ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, ty)
}

pub fn unary(op: UnaryOp, operand: Expr, ty: Type) -> Expr {
    expr(ExprKind::Unary { op, operand: Box::new(operand) }, ty)
}

pub fn builtin(builtin: Builtin, args: Vec<Expr>, ty: Type) -> Expr {
    expr(ExprKind::Builtin { builtin, args }, ty)
}

pub fn fact(fact: Fact, index: Option<Expr>, ty: Type) -> Expr {
    expr(ExprKind::Introspect { fact, index: index.map(Box::new) }, ty)
}

pub fn equal(left: Expr, right: Expr) -> Expr {
    let kind = if left.ty.is_bytes() { ItemKind::Bytes } else { ItemKind::Number };
    binary(BinaryOp::Equal(kind), left, right, Type::Bool)
}

pub fn stmt(kind: StmtKind) -> Stmt {
    Stmt { kind, loc: loc() }
}

pub fn require(condition: Expr, message: &str) -> Stmt {
    stmt(StmtKind::Require { condition: Condition::Holds(condition), message: message.into() })
}

pub fn param(name: &str, ty: Type) -> Param {
    Param { name: name.into(), ty, loc: loc() }
}

pub fn path(name: &str, args: Vec<Param>, locals: Vec<Type>, stmts: Vec<Stmt>) -> SpendPath {
    let locals = locals.into_iter().map(|ty| Local { name: "x".into(), ty, mutable: true }).collect();
    let body = Block { stmts, value: None };
    SpendPath { name: name.into(), docs: String::new(), loc: loc(), args, locals, body }
}

pub fn contract(params: Vec<Param>, paths: Vec<SpendPath>) -> Contract {
    Contract {
        name: "Test".into(),
        docs: String::new(),
        loc: loc(),
        params,
        derived: vec![],
        state: None,
        paths,
        reward: None,
        allows: vec![],
        budgets: vec![],
    }
}

/// Generates and wraps the result as an artifact.
pub fn compile(contract: &Contract, functions: &[analysis::hir::Function]) -> Artifact {
    let (generated, diagnostics) = codegen::generate(
        contract,
        &functions.iter().cloned().collect(),
        &Options { rules: RuleSet::Bch2026, ..Options::default() },
    );
    let Some(generated) = generated else { panic!("{diagnostics:#?}") };
    artifact(&contract.name, generated)
}

pub fn artifact(name: &str, generated: Generated) -> Artifact {
    let span =
        |loc: &Loc| SourceSpan { start: loc.span.start as usize, end: loc.span.end as usize, ..SourceSpan::default() };
    let sites = |checks: &[codegen::Check]| {
        let site = |check: &codegen::Check| RequireSite {
            instruction: check.instruction,
            after: check.after.clone(),
            message: check.message.clone(),
            span: span(&check.loc),
            expects: check.expects.clone(),
        };
        checks.iter().map(site).collect()
    };
    let mut paths = generated.paths;
    for (path, route) in paths.iter_mut().zip(&generated.routes) {
        let step = |step: &codegen::Route| {
            let failing = |(message, loc): &(String, Loc)| Failing { message: message.clone(), span: span(loc) };
            Step { turn: step.turn, otherwise: step.otherwise.as_ref().map(failing) }
        };
        path.route = route.iter().map(step).collect();
    }
    Artifact {
        compiler: "test".into(),
        contract: name.into(),
        rules: RuleSet::Bch2026,
        params: generated.params,
        paths,
        bytecode: generated.bytecode,
        asm: generated.asm,
        source_map: generated
            .source_map
            .iter()
            .map(|origin| MapEntry {
                instruction: origin.instruction,
                after: origin.after.clone(),
                span: span(&origin.loc),
            })
            .collect(),
        requires: sites(&generated.requires),
        functions: generated
            .functions
            .iter()
            .map(|function| SharedFunction {
                name: function.name.clone(),
                id: function.id.clone(),
                definition: function.definition,
                asm: function.asm.clone(),
                source_map: Vec::new(),
                requires: sites(&function.requires),
            })
            .collect(),
        ..Artifact::default()
    }
}

/// A spend of one coin of a contract.
#[derive(Clone)]
pub struct Spend<'a> {
    pub artifact: &'a Artifact,
    pub params: BTreeMap<String, AbiValue>,
    pub path: &'a str,
    pub args: BTreeMap<String, AbiValue>,
    pub value: u64,
    pub outputs: Vec<TxOut>,
    pub locktime: u32,
    pub sequence: u32,
    /// Arguments to be filled with signatures of these secret keys.
    pub signers: Vec<(&'a str, Signer)>,
}

/// Who signs an argument.
#[derive(Clone, Debug)]
pub enum Signer {
    /// One key.
    One(u8),
    /// A multisig: the bit field and the keys that sign.
    Many(u8, Vec<u8>),
}

/// The public key of the secret numbers 1, 2 and 3.
pub fn public_key(secret: u8) -> Vec<u8> {
    let text = match secret {
        1 => "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        2 => "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
        _ => "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
    };
    (0..33).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

pub fn item(data: &[u8]) -> AbiValue {
    AbiValue::Item(data.to_vec())
}

pub fn named<const N: usize>(values: [(&str, AbiValue); N]) -> BTreeMap<String, AbiValue> {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl<'a> Spend<'a> {
    pub fn new(artifact: &'a Artifact, path: &'a str) -> Self {
        Self {
            artifact,
            params: BTreeMap::new(),
            path,
            args: BTreeMap::new(),
            value: 100_000,
            outputs: vec![TxOut::plain(Sats::new(99_000).unwrap(), vec![0x51])],
            locktime: 0,
            sequence: 0,
            signers: Vec::new(),
        }
    }

    /// Runs the spend under both rule sets, which must agree; the cost under the stricter one, or the message.
    pub fn run(&self) -> Result<u64, String> {
        let strict = self.run_under(RuleSet::Bch2026);
        let ours = self.run_under(RuleSet::Bitmodel);
        assert_eq!(strict.is_ok(), ours.is_ok(), "{strict:?} {ours:?}");
        strict
    }

    fn transaction(&self, redeem: &[u8], args: &BTreeMap<String, AbiValue>) -> Transaction {
        let path = self.artifact.path(self.path).expect("the path exists");
        let unlock = path.unlock_script(args, redeem).unwrap();
        let prevout = OutPoint { txid: Txid::from_wire([7; 32]), index: 0 };
        let inputs = vec![TxIn { prevout, unlock, sequence: self.sequence }];
        Transaction { version: 2, inputs, outputs: self.outputs.clone(), locktime: self.locktime }
    }

    fn run_under(&self, set: RuleSet) -> Result<u64, String> {
        let redeem = self.artifact.redeem_script(&self.params).unwrap();
        let lock = self.artifact.lock(&self.params).unwrap();
        let spent = [TxOut::plain(Sats::new(self.value).unwrap(), lock)];
        let mut args = self.args.clone();
        for (name, signer) in &self.signers {
            args.insert((*name).to_owned(), signature(signer, &[0; 32]));
        }
        let unsigned = self.transaction(&redeem, &args);
        for (name, signer) in &self.signers {
            let context = SpendContext::new(&unsigned, &spent).unwrap();
            let digest = context.digest(SighashType::ALL, 0, &redeem).unwrap().digest;
            args.insert((*name).to_owned(), signature(signer, &digest));
        }
        let tx = self.transaction(&redeem, &args);
        let context = SpendContext::new(&tx, &spent).unwrap();
        let rules = Rules::new(set, Mode::Consensus);
        match vm::verify_input(&rules, &context, 0) {
            Ok(metrics) => Ok(metrics.cost.get()),
            Err(failure) => Err(self.message(&redeem, &failure)),
        }
    }

    /// The author's message of the check that failed, or the machine's own words.
    fn message(&self, redeem: &[u8], failure: &vm::Failure) -> String {
        let position = |code: &[u8], byte| {
            spec::script::instructions(code).position(|step| step.is_ok_and(|step| step.at == byte))
        };
        if let Some(inside) = failure.inside {
            let function = self.artifact.function(&inside.function.bytes()).unwrap();
            let body = spec::script::instructions(redeem).nth(function.definition).unwrap().unwrap().data.unwrap();
            let site =
                position(body, inside.at as usize).and_then(|instruction| function.requires_at(instruction).next());
            return site.map_or_else(|| format!("{failure:?}"), |site| site.message.clone());
        }
        let byte_of = |instruction| spec::script::instructions(redeem).nth(instruction).unwrap().unwrap().at;
        let path = self.artifact.path(self.path).unwrap();
        let meant = |instruction| path.route.iter().find(|step| step.turn.instruction == instruction);
        let taken = |instruction| {
            let ran = failure.turns.taken(byte_of(instruction));
            ran.or_else(|| meant(instruction).map(|step| step.turn.taken))
        };
        let left = path.route.iter().find(|step| taken(step.turn.instruction) != Some(step.turn.taken));
        if let Some(failing) = left.and_then(|step| step.otherwise.as_ref()) {
            return failing.message.clone();
        }
        let last = || self.artifact.requires.iter().map(|site| site.instruction).max();
        let site = match failure.at {
            Some(byte) => position(redeem, byte),
            None => last(),
        };
        let site = site.and_then(|instruction| self.artifact.requires_after(instruction, &taken).into_iter().next());
        site.map_or_else(|| format!("{failure:?}"), |site| site.message.clone())
    }
}

fn signature(signer: &Signer, digest: &[u8; 32]) -> AbiValue {
    match signer {
        Signer::One(secret) => AbiValue::Item(sign(*secret, digest)),
        Signer::Many(field, secrets) => {
            let mut items = vec![vec![*field]];
            items.extend(secrets.iter().map(|secret| sign(*secret, digest)));
            AbiValue::Items(items)
        }
    }
}

fn sign(secret: u8, digest: &[u8; 32]) -> Vec<u8> {
    let mut key = [0; 32];
    key[31] = secret;
    let mut sig = vm::schnorr::sign(&key, digest).unwrap().to_vec();
    sig.push(0x41);
    sig
}
