//! Spends of coins on the real machine.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "what fails here fails a test")]

use std::collections::BTreeMap;

use analysis::hir::Contract;
use codegen::{Generated, Options};
use spec::artifact::{AbiValue, Artifact, Failing, MapEntry, RequireSite, SharedFunction, SourceSpan, Step};
use spec::tx::TxIn;
use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SighashType, SpendContext, Transaction, TxOut, Txid};
use syntax::Loc;

/// Generates and wraps the result as an artifact.
///
/// # Panics
/// If nothing is generated.
#[must_use]
pub fn compile(contract: &Contract, functions: &[analysis::hir::Function]) -> Artifact {
    let (generated, diagnostics) = codegen::generate(
        contract,
        &functions.iter().cloned().collect(),
        &Options { rules: RuleSet::Bch2026, ..Options::default() },
    );
    let Some(generated) = generated else { panic!("{diagnostics:#?}") };
    artifact(&contract.name, generated)
}

/// What was generated, as an artifact.
#[must_use]
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
    /// The contract.
    pub artifact: &'a Artifact,
    /// Values of its parameters.
    pub params: BTreeMap<String, AbiValue>,
    /// The path.
    pub path: &'a str,
    /// Its arguments.
    pub args: BTreeMap<String, AbiValue>,
    /// What the coin holds, in base units.
    pub value: u64,
    /// What the transaction creates.
    pub outputs: Vec<TxOut>,
    /// Its lock time.
    pub locktime: u32,
    /// The sequence number of the input.
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
#[must_use]
pub fn public_key(secret: u8) -> Vec<u8> {
    let text = match secret {
        1 => "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        2 => "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5",
        _ => "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
    };
    (0..33).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// A value that is one item.
#[must_use]
pub fn item(data: &[u8]) -> AbiValue {
    AbiValue::Item(data.to_vec())
}

/// Values with their names.
#[must_use]
pub fn named<const N: usize>(values: [(&str, AbiValue); N]) -> BTreeMap<String, AbiValue> {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

impl<'a> Spend<'a> {
    /// A spend by a path that takes nothing, of a coin of 100,000 to one output.
    #[must_use]
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
    ///
    /// # Errors
    /// The message of the check that failed.
    ///
    /// # Panics
    /// If the two rule sets differ, or the values do not fit the contract.
    pub fn run(&self) -> Result<u64, String> {
        let strict = self.run_under(RuleSet::Bch2026);
        let ours = self.run_under(RuleSet::Bitmodel);
        assert_eq!(strict.is_ok(), ours.is_ok(), "{strict:?} {ours:?}");
        match strict {
            Ok(metrics) => Ok(metrics.cost.get()),
            Err(failed) => Err(self.message(&failed.0, &failed.1)),
        }
    }

    /// Runs the spend under one rule set.
    ///
    /// # Errors
    /// Why it fails.
    ///
    /// # Panics
    /// If the values do not fit the contract.
    pub fn verdict(&self, set: RuleSet) -> Result<u64, vm::ScriptError> {
        self.run_under(set).map(|metrics| metrics.cost.get()).map_err(|failed| failed.1.error)
    }

    fn transaction(&self, redeem: &[u8], args: &BTreeMap<String, AbiValue>) -> Transaction {
        let path = self.artifact.path(self.path).expect("the path exists");
        let unlock = path.unlock_script(args, redeem).unwrap();
        let prevout = OutPoint { txid: Txid::from_wire([7; 32]), index: 0 };
        let inputs = vec![TxIn { prevout, unlock, sequence: self.sequence }];
        Transaction { version: 2, inputs, outputs: self.outputs.clone(), locktime: self.locktime }
    }

    fn run_under(&self, set: RuleSet) -> Result<vm::Metrics, Box<(Vec<u8>, vm::Failure)>> {
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
        vm::verify_input(&rules, &context, 0).map_err(|failure| Box::new((redeem, failure)))
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
