//! Programs with the transactions that they accept and refuse, told by lines of their own.
//!
//! Lines of a program that begin with `//>` say what to do with it:
//!
//! ```text
//! //> deploy Name | param = value; ..           the contract that the lines below are about
//! //> place name = Name | param = value; ..     a lock that outputs may name
//! //> coin 100_000 {own mutable 0x05 3}         what its coin holds from here on
//! //> accept path | arg = value; .. | lock sats {token}; .. | field; ..
//! //> refuse "message" path | args | outputs | fields
//! ```
//!
//! Fields are `locktime N`, `sequence N`, `with lock sats {token}` for an input behind the coin, `before ..` for one in
//! front of it, and `twin sats` for a second coin of the contract that is spent the same way. `$own` and `$other` stand
//! for two categories, `sha256(..)` and `hash160(..)` for hashes of bytes, `hash(@name)` for the digits of a key's hash.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use driver::{Compiled, MemoryWorld, Options, Packages, Session};
use spec::artifact::{ABOUT, AbiType, AbiValue, Piece, Slot};
use spec::script::push_data;
use spec::token::{Capability, Nft, Token};
use spec::tx::TxIn;
use spec::{
    Artifact, Category, Mode, Network, OutPoint, RuleSet, Rules, Sats, SighashType, SpendContext, Transaction, TxOut,
    Txid,
};
use wallet::{Accounts, Arg, Key, Names, Params, Signer, parse_value};

use crate::by_hand::ByHand;

const OWN: [u8; 32] = [0xca; 32];
const OTHER: [u8; 32] = [0x0b; 32];

/// Compiles one source.
#[must_use]
pub fn compile_named(name: &str, text: &str, rules: RuleSet) -> Compiled {
    compile_with(name, text, &Options { rules, ..Options::default() })
}

/// Compiles one source with these options.
#[must_use]
pub fn compile_with(name: &str, text: &str, options: &Options) -> Compiled {
    let file = format!("{name}.bmc");
    let world = MemoryWorld::new([(file.as_str(), text)]);
    driver::compile(&world, &[file], options)
}

/// The contract with the values of its parameters built in.
///
/// # Panics
/// If the values do not fit or leave a hole.
#[must_use]
pub fn sealed(text: &str, contract: &str, params: &Params, options: &Options) -> Artifact {
    let world = MemoryWorld::new([("test.bmc", text)]);
    let mut session = Session::open(&world, Packages::default(), &["test.bmc".to_owned()]);
    session.seal(contract, params.clone()).unwrap();
    let compiled = session.compile(options);
    assert!(!compiled.has_errors(), "{}", compiled.to_json());
    let artifact = compiled.artifact(Some(contract)).unwrap().clone();
    assert_eq!(artifact.sealed.len(), params.len());
    assert!(artifact.bytecode.iter().all(|piece| matches!(piece, Piece::Code(_))), "{}", artifact.asm);
    artifact
}

/// What came of the lines of a program.
#[derive(Default)]
pub struct Ran {
    /// How many transactions were accepted, as they should be.
    pub accepted: usize,
    /// How many were refused, with the message that they should be refused with.
    pub refused: usize,
    /// What is not as the lines say.
    pub complaints: Vec<String>,
    /// Every transaction, in order.
    pub spends: Vec<Spend>,
}

/// A transaction that a line describes, and what the machine says of it.
#[derive(Clone)]
pub struct Spend {
    /// The line in the source, from 1.
    pub line: usize,
    /// The contract whose coin is spent.
    pub contract: String,
    /// The path that it is spent by.
    pub path: String,
    /// The transaction. Only coins of the contract are unlocked.
    pub tx: Transaction,
    /// The coins that it spends.
    pub coins: Vec<TxOut>,
    /// The inputs that spend the contract's coins, the one that the line is about first.
    pub own: Vec<usize>,
    /// The length of the contract's script.
    pub redeem_len: usize,
    /// The operation cost of the costliest of these inputs, or why the machine refuses the transaction.
    pub verdict: Result<u64, String>,
}

impl Spend {
    /// The transaction with the coins of accounts unlocked too.
    ///
    /// # Panics
    /// If there are not as many coins as inputs.
    #[must_use]
    pub fn signed(&self, accounts: &Accounts) -> Transaction {
        let mut tx = self.tx.clone();
        for (index, coin) in self.coins.iter().enumerate().filter(|(index, _)| !self.own.contains(index)) {
            let Some((_, key)) = accounts.named().find(|(_, key)| key.lock() == coin.lock) else { continue };
            let mut unlock = Vec::new();
            push_data(&mut unlock, &signature(&SpendContext::new(&tx, &self.coins).unwrap(), index, &coin.lock, &key));
            push_data(&mut unlock, &key.public());
            tx.inputs[index].unlock = unlock;
        }
        tx
    }
}

/// The signature of everything in the transaction.
fn signature(context: &SpendContext<'_>, input: usize, code: &[u8], key: &Key) -> Vec<u8> {
    let digest = context.digest(SighashType::ALL, input, code).unwrap().digest;
    let [kind, ..] = SighashType::ALL.to_u32().to_le_bytes();
    key.sign(&digest).into_iter().chain([kind]).collect()
}

/// Does what the lines of a program say, with its templates.
#[must_use]
pub fn run_lines(text: &str, compiled: &Compiled, rules: RuleSet) -> Ran {
    run_with(Stage::new(compiled, rules), text)
}

/// Does what the lines of a program say, with the values of all parameters built in.
#[must_use]
pub fn run_sealed(text: &str, compiled: &Compiled, options: &Options) -> Ran {
    run_with(Stage { script: Script::Sealed(text, options), ..Stage::new(compiled, options.rules) }, text)
}

/// Does what the lines of a program say, with a script that a person wrote in place of the compiler's. Such a script
/// has no messages, so that it only has to accept and refuse the same.
#[must_use]
pub fn run_by_hand(text: &str, compiled: &Compiled, rules: RuleSet, by_hand: &ByHand) -> Ran {
    run_with(Stage { script: Script::ByHand(by_hand), ..Stage::new(compiled, rules) }, text)
}

fn run_with(mut stage: Stage<'_>, text: &str) -> Ran {
    let rules = stage.rules;
    let mut ran = Ran::default();
    for (at, line) in text.lines().enumerate() {
        let Some(line) = line.trim().strip_prefix("//>") else { continue };
        stage.at = at + 1;
        match stage.line(&expanded(line)) {
            Ok(Some(true)) => ran.accepted += 1,
            Ok(Some(false)) => ran.refused += 1,
            Ok(None) => {}
            Err(why) => ran.complaints.push(format!("line {}, {rules:?}: {why}", at + 1)),
        }
    }
    ran.spends = stage.spends;
    ran
}

/// The categories of tokens, as sources may name them.
#[must_use]
pub fn with_categories(text: &str) -> String {
    text.replace("$own", &shown(&OWN)).replace("$other", &shown(&OTHER))
}

type Hash = fn(&[u8]) -> Vec<u8>;

/// The line with what stands for categories and hashes put in.
fn expanded(line: &str) -> String {
    let mut line = with_categories(line);
    let hashes: [(&str, Hash); 2] = [
        ("hash160(", |data| spec::hash::hash160(data).to_vec()),
        ("sha256(", |data| spec::hash::sha256(data).to_vec()),
    ];
    for (call, hash) in hashes {
        while let Some(start) = line.rfind(call) {
            let from = start + call.len();
            let to = from + line[from..].find(')').unwrap();
            let data = match line[from..to].trim() {
                text if text.starts_with('"') => text.trim_matches('"').as_bytes().to_vec(),
                digits => hex::decode(digits.trim_start_matches("0x")).unwrap(),
            };
            line.replace_range(start..=to, &shown(&hash(&data)));
        }
    }
    let accounts = Accounts::devnet();
    while let Some(start) = line.find("hash(@") {
        let to = start + line[start..].find(')').unwrap();
        let key = accounts.find(&line[start + 6..to]).unwrap();
        line.replace_range(start..=to, &hex::encode(key.public_hash()));
    }
    line
}

fn shown(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

struct Deployed {
    artifact: Artifact,
    redeem: Vec<u8>,
    lock: Vec<u8>,
}

/// Which script the lines are about.
#[derive(Clone, Copy)]
enum Script<'a> {
    /// The compiler's, its holes filled.
    Template,
    /// The compiler's for this source, with the values built in.
    Sealed(&'a str, &'a Options),
    ByHand(&'a ByHand),
}

struct Stage<'a> {
    compiled: &'a Compiled,
    rules: RuleSet,
    accounts: Accounts,
    deployed: Option<Deployed>,
    places: BTreeMap<String, Vec<u8>>,
    sats: u64,
    token: Option<Token>,
    script: Script<'a>,
    /// The line of the source that is read.
    at: usize,
    spends: Vec<Spend>,
}

/// An input: a coin, and whether the contract spends it.
struct In {
    coin: TxOut,
    is_own: bool,
}

impl<'a> Stage<'a> {
    fn new(compiled: &'a Compiled, rules: RuleSet) -> Self {
        let accounts = Accounts::devnet();
        Self {
            compiled,
            rules,
            accounts,
            deployed: None,
            places: BTreeMap::new(),
            sats: 100_000,
            token: None,
            script: Script::Template,
            at: 0,
            spends: Vec::new(),
        }
    }

    /// Whether a transaction was accepted or refused, as the line wants it.
    fn line(&mut self, line: &str) -> Result<Option<bool>, String> {
        let (word, rest) = line.trim().split_once(' ').ok_or("no word")?;
        match word {
            "deploy" => {
                self.deployed = Some(self.deploy(rest)?);
                (self.sats, self.token) = (100_000, None);
                Ok(None)
            }
            "place" => {
                let (name, rest) = rest.split_once('=').ok_or("`name = Contract`")?;
                let lock = self.deploy(rest)?.lock;
                self.places.insert(name.trim().to_owned(), lock);
                Ok(None)
            }
            "coin" => {
                (self.sats, self.token) = amount(rest)?;
                Ok(None)
            }
            "accept" => self.judge(rest).map(|()| Some(true)),
            "refuse" => {
                let rest = rest.trim().strip_prefix('"').ok_or("a message in quotes")?;
                let (message, rest) = rest.split_once('"').ok_or("a message in quotes")?;
                let mute = matches!(self.script, Script::ByHand(_));
                match self.judge(rest) {
                    Err(_) if mute => Ok(Some(false)),
                    Ok(()) => Err(format!("the machine accepts what should fail with \"{message}\"")),
                    Err(why) if why.contains(&format!("\"{message}")) => Ok(Some(false)),
                    Err(why) => Err(format!("\"{message}\" is not in `{why}`")),
                }
            }
            other => Err(format!("unknown word `{other}`")),
        }
    }

    fn value(&self, slots: &[Slot], pair: &str) -> Result<(String, Arg), String> {
        let (name, text) = pair.split_once('=').ok_or_else(|| format!("`{pair}` is no `name = value`"))?;
        let (name, text) = (name.trim(), text.trim());
        let slot = slots.iter().find(|slot| slot.name == name).ok_or_else(|| format!("no `{name}`"))?;
        let names = Names { network: Network::Devnet, accounts: &self.accounts };
        let arg = match (&slot.ty, text.parse(), self.places.get(text)) {
            (AbiType::Lock, _, Some(lock)) => Arg::Value(AbiValue::Item(lock.clone())),
            (AbiType::Int, Ok(wide), _) => Arg::Value(AbiValue::Item(spec::num::encode_wide(wide))),
            _ => parse_value(&slot.ty, text, names).map_err(|error| format!("`{name}`: {error}"))?,
        };
        Ok((name.to_owned(), arg))
    }

    fn deploy(&self, text: &str) -> Result<Deployed, String> {
        let (name, params) = text.split_once('|').unwrap_or((text, ""));
        let name = name.trim();
        let artifact = self.compiled.artifact(Some(name)).ok_or_else(|| format!("no contract `{name}`"))?.clone();
        let mut values = Params::new();
        for pair in parts(params) {
            match self.value(&artifact.params, pair)? {
                (name, Arg::Value(value)) => values.insert(name, value),
                (name, _) => return Err(format!("`{name}` is a signature")),
            };
        }
        let program = wallet::Program::new(self.compiled.artifacts.iter().cloned());
        let params = program.complete(name, values).map_err(|error| error.to_string())?;
        wallet::check_params(&artifact, &params).map_err(|error| error.to_string())?;
        let artifact = match self.script {
            Script::Template => artifact,
            Script::Sealed(text, options) => {
                let artifact = sealed(text, name, &params, options);
                assert_eq!(artifact.level, options.level, "`{name}` with its values built in is not proved");
                artifact
            }
            Script::ByHand(by_hand) => by_hand.instead_of(artifact)?,
        };
        let redeem = artifact.redeem_script(&params).map_err(|error| error.to_string())?;
        let lock = artifact.lock(&params).map_err(|error| error.to_string())?;
        Ok(Deployed { artifact, redeem, lock })
    }

    fn deployed(&self) -> Result<&Deployed, String> {
        self.deployed.as_ref().ok_or_else(|| "nothing is deployed".to_owned())
    }

    /// `lock sats {token}`.
    fn coin(&self, text: &str) -> Result<TxOut, String> {
        let (lock, rest) = text.trim().split_once(' ').ok_or_else(|| format!("`{text}` is no `lock sats`"))?;
        let (sats, token) = amount(rest)?;
        let lock = match (lock, self.places.get(lock)) {
            ("self", _) => self.deployed()?.lock.clone(),
            (_, Some(lock)) => lock.clone(),
            (lock, None) => {
                let slot = Slot { name: "lock".into(), ty: AbiType::Lock };
                match self.value(&[slot], &format!("lock = {lock}"))?.1 {
                    Arg::Value(AbiValue::Item(lock)) => lock,
                    other => return Err(format!("{other:?} is no lock")),
                }
            }
        };
        Ok(TxOut { value: Sats::from_wire(sats), token, lock })
    }

    /// What the machine says of `path | args | outputs | fields`.
    fn judge(&mut self, text: &str) -> Result<(), String> {
        let spend = self.spend(text)?;
        let verdict = spend.verdict.clone();
        self.spends.push(spend);
        verdict.map(drop)
    }

    /// The transaction of `path | args | outputs | fields`.
    fn spend(&self, text: &str) -> Result<Spend, String> {
        let mut columns = text.split('|');
        let path = columns.next().unwrap_or_default().trim();
        let [args, outputs, fields] = [(); 3].map(|()| columns.next().unwrap_or_default());
        let deployed = self.deployed()?;
        let own = |sats, token| TxOut { value: Sats::from_wire(sats), token, lock: deployed.lock.clone() };
        let mut inputs = vec![In { coin: own(self.sats, self.token.clone()), is_own: true }];
        let mut tx = Transaction { version: 2, inputs: Vec::new(), outputs: Vec::new(), locktime: 900_000 };
        let mut sequence = 100;
        for field in parts(fields) {
            let (word, rest) = field.split_once(' ').ok_or("`field value`")?;
            match word {
                "locktime" => tx.locktime = number(rest)?,
                "sequence" => sequence = number(rest)?,
                "with" => inputs.push(In { coin: self.coin(rest)?, is_own: false }),
                "before" => inputs.insert(0, In { coin: self.coin(rest)?, is_own: false }),
                "twin" => {
                    let (sats, token) = amount(rest)?;
                    inputs.push(In { coin: own(sats, token), is_own: true });
                }
                other => return Err(format!("unknown field `{other}`")),
            }
        }
        for output in parts(outputs) {
            tx.outputs.push(self.coin(output)?);
        }
        for index in 0..inputs.len() {
            let prevout = OutPoint { txid: Txid::from_wire([7; 32]), index: u32::try_from(index).unwrap() };
            tx.inputs.push(TxIn { prevout, unlock: Vec::new(), sequence });
        }
        let slots = &deployed.artifact.path(path).ok_or_else(|| format!("no path `{path}`"))?.args;
        let args = parts(args).map(|pair| self.value(slots, pair)).collect::<Result<Vec<_>, _>>()?;
        self.run(tx, &inputs, path, &args)
    }

    fn run(&self, mut tx: Transaction, inputs: &[In], path: &str, args: &[(String, Arg)]) -> Result<Spend, String> {
        let Deployed { artifact, redeem, .. } = self.deployed()?;
        let coins: Vec<TxOut> = inputs.iter().map(|input| input.coin.clone()).collect();
        let own: Vec<usize> = (0..inputs.len()).filter(|index| inputs[*index].is_own).collect();
        let unlocks = self.unlocks(&tx, &coins, &own, path, args)?;
        for (index, unlock) in own.iter().zip(unlocks) {
            tx.inputs[*index].unlock = unlock;
        }
        let verdict = self.verdict(&tx, &coins, &own, path);
        let (contract, path) = (artifact.contract.clone(), path.to_owned());
        Ok(Spend { line: self.at, contract, path, tx, coins, own, redeem_len: redeem.len(), verdict })
    }

    /// What unlocks the contract's own inputs.
    fn unlocks(
        &self,
        tx: &Transaction,
        coins: &[TxOut],
        own: &[usize],
        path: &str,
        args: &[(String, Arg)],
    ) -> Result<Vec<Vec<u8>>, String> {
        let Deployed { artifact, redeem, .. } = self.deployed()?;
        let spend = artifact.path(path).unwrap();
        let context = SpendContext::new(tx, coins).ok_or("there are not as many coins as inputs")?;
        let unlock = |index: &usize| {
            let sign = |key: &Key| signature(&context, *index, redeem, key);
            let mut args: BTreeMap<String, AbiValue> =
                args.iter().map(|(name, arg)| (name.clone(), value_of(arg, &sign))).collect();
            // Nothing is said about the lists of these programs.
            for slot in spend.args.iter().filter(|slot| slot.name.ends_with(ABOUT)) {
                args.insert(slot.name.clone(), AbiValue::Item(Vec::new()));
            }
            artifact.unlock_script(spend, &args, redeem).map_err(|error| error.to_string())
        };
        own.iter().map(unlock).collect()
    }

    /// What the costliest of the contract's own inputs costs, or why one of them may not be spent.
    fn verdict(&self, tx: &Transaction, coins: &[TxOut], own: &[usize], path: &str) -> Result<u64, String> {
        let Deployed { artifact, redeem, .. } = self.deployed()?;
        let context = SpendContext::new(tx, coins).ok_or("there are not as many coins as inputs")?;
        let rules = Rules::new(self.rules, Mode::Relay);
        let mut most = 0;
        for index in own {
            let metrics = vm::verify_input(&rules, &context, *index)
                .map_err(|failure| explained(artifact, redeem, &failure, path))?;
            let cost = metrics.cost.get();
            let bound = artifact.path(path).and_then(|path| path.cost_bound);
            if let Some(bound) = bound.filter(|bound| cost > *bound) {
                return Err(format!("it costs {cost}, above its bound of {bound}"));
            }
            most = most.max(cost);
        }
        Ok(most)
    }
}

/// What the source says of the failure of a path.
fn explained(artifact: &Artifact, redeem: &[u8], failure: &vm::Failure, path: &str) -> String {
    let path = artifact.path(path).unwrap();
    wallet::explain_path(artifact, redeem, failure, path).to_string()
}

fn value_of(arg: &Arg, sign: &dyn Fn(&Key) -> Vec<u8>) -> AbiValue {
    match arg {
        Arg::Value(value) => value.clone(),
        Arg::Sign(key) => AbiValue::Item(sign(key)),
        Arg::SignEcdsa(_) => panic!("no value in a test's text asks for it"),
        Arg::SignEach(signers) => {
            let place = |signer: &Signer| signer.position.expect("a place, such as `0:@alice`");
            let mut signers: Vec<&Signer> = signers.iter().collect();
            signers.sort_by_key(|signer| place(signer));
            let bits = signers.iter().fold(0u8, |bits, signer| bits | 1 << place(signer));
            AbiValue::Items(std::iter::once(vec![bits]).chain(signers.iter().map(|signer| sign(&signer.key))).collect())
        }
        Arg::Parts(parts) => {
            AbiValue::Items(parts.iter().flat_map(|part| value_of(part, sign).items().to_vec()).collect())
        }
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty())
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.trim().replace('_', "").parse().map_err(|_| format!("`{text}` is no number"))
}

/// `sats` or `sats {category capability commitment amount}`, of which the last two may be missing.
fn amount(text: &str) -> Result<(u64, Option<Token>), String> {
    let (sats, token) = match text.split_once('{') {
        Some((sats, token)) => (sats, Some(token.trim_end().trim_end_matches('}'))),
        None => (text, None),
    };
    Ok((number(sats)?, token.map(token_of).transpose()?))
}

fn token_of(text: &str) -> Result<Token, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let category = match words.first() {
        Some(&"own") => OWN,
        Some(&"other") => OTHER,
        other => return Err(format!("{other:?} is no category")),
    };
    let nft = |capability, commitment: &str| {
        let commitment = hex::decode(commitment.trim_start_matches("0x")).map_err(|error| error.to_string())?;
        Ok::<_, String>(Some(Nft { capability, commitment }))
    };
    let commitment = words.get(2).copied().unwrap_or("0x");
    let amount = |at: usize| words.get(at).map_or(Ok(0), |text| number(text));
    let (nft, amount) = match words.get(1) {
        Some(&"mutable") => (nft(Capability::Mutable, commitment)?, amount(3)?),
        Some(&"minting") => (nft(Capability::Minting, commitment)?, amount(3)?),
        Some(&"immutable") => (nft(Capability::None, commitment)?, amount(3)?),
        Some(_) => (None, amount(1)?),
        None => return Err("a capability or an amount".into()),
    };
    Ok(Token { category: Category::from_wire(category), amount, nft })
}
