//! Programs of every form of the language, each with the transactions that it accepts and refuses.
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

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use driver::Compiled;
use spec::artifact::{ABOUT, AbiType, AbiValue, Slot};
use spec::token::{Capability, Nft, Token};
use spec::tx::TxIn;
use spec::{
    Artifact, Category, Mode, Network, OutPoint, RuleSet, Rules, Sats, SighashType, SpendContext, Transaction, TxOut,
    Txid,
};
use wallet::{Accounts, Arg, Key, Names, Params, Signer, parse_value};

use crate::bmc::root;
use crate::contracts::{compile, sealed};

const OWN: [u8; 32] = [0xca; 32];
const OTHER: [u8; 32] = [0x0b; 32];
pub(crate) const BOTH: [RuleSet; 2] = [RuleSet::Bch2026, RuleSet::Bitmodel];

fn programs() -> Vec<PathBuf> {
    let files = fs::read_dir(root().join("tests/programs")).unwrap();
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths
}

pub(crate) fn name_of(path: &std::path::Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

#[test]
fn every_program_does_what_its_lines_say() {
    let only = std::env::var("PROGRAM").ok();
    let mut wrong = String::new();
    let programs = programs();
    assert!(programs.len() >= 25, "{}", programs.len());
    for path in programs.iter().filter(|path| only.as_deref().is_none_or(|only| only == name_of(path))) {
        let text = fs::read_to_string(path).unwrap();
        for complaint in check(name_of(path), &text) {
            wrong += &format!("{}: {complaint}\n", name_of(path));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_expanded_source_gives_the_same_script() {
    for path in programs() {
        let (name, text) = (name_of(&path), fs::read_to_string(&path).unwrap());
        let once = compile(name, &text, RuleSet::Bitmodel);
        let again = compile(name, once.expand(), RuleSet::Bitmodel);
        assert_eq!(again.expand(), once.expand(), "{name}");
        for artifact in &once.artifacts {
            let other = again.artifact(Some(&artifact.contract)).unwrap_or_else(|| panic!("{}", again.to_json()));
            assert_eq!(other.bytecode, artifact.bytecode, "{name}: `expand` changes {}", artifact.contract);
        }
    }
}

/// What is wrong with a program.
fn check(name: &str, text: &str) -> Vec<String> {
    let builds = BOTH.map(|rules| (rules, compile(name, text, rules)));
    if let Some((_, broken)) = builds.iter().find(|(_, compiled)| !compiled.diagnostics.is_empty()) {
        let mut shown = Vec::new();
        broken.render(&mut shown, false).unwrap();
        return vec![String::from_utf8(shown).unwrap()];
    }
    let mut complaints = Vec::new();
    for (rules, compiled) in &builds {
        let ran = run_lines(text, compiled, *rules);
        if ran.complaints.is_empty() && (ran.accepted < 1 || ran.refused < 2) {
            complaints.push("one transaction that is accepted and two that are refused are the least".to_owned());
        }
        complaints.extend(ran.complaints);
        // With its values built in, a contract accepts and refuses the same, unless it looks at its own code.
        if text.contains("self.code") {
            continue;
        }
        let sealed = run_with(Stage { sealed_from: Some(text), ..Stage::new(compiled, *rules) }, text);
        complaints.extend(sealed.complaints.into_iter().map(|complaint| format!("sealed, {complaint}")));
    }
    complaints
}

/// What came of the lines of a program.
#[derive(Default)]
pub(crate) struct Ran {
    pub(crate) accepted: usize,
    pub(crate) refused: usize,
    pub(crate) complaints: Vec<String>,
}

/// Does what the lines of a program say.
pub(crate) fn run_lines(text: &str, compiled: &Compiled, rules: RuleSet) -> Ran {
    run_with(Stage::new(compiled, rules), text)
}

fn run_with(mut stage: Stage<'_>, text: &str) -> Ran {
    let rules = stage.rules;
    let mut ran = Ran::default();
    for (at, line) in text.lines().enumerate() {
        let Some(line) = line.trim().strip_prefix("//>") else { continue };
        match stage.line(&expanded(line)) {
            Ok(Some(true)) => ran.accepted += 1,
            Ok(Some(false)) => ran.refused += 1,
            Ok(None) => {}
            Err(why) => ran.complaints.push(format!("line {}, {rules:?}: {why}", at + 1)),
        }
    }
    ran
}

/// The categories of tokens, as sources may name them.
pub(crate) fn with_categories(text: &str) -> String {
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

struct Stage<'a> {
    compiled: &'a Compiled,
    rules: RuleSet,
    accounts: Accounts,
    deployed: Option<Deployed>,
    places: BTreeMap<String, Vec<u8>>,
    sats: u64,
    token: Option<Token>,
    /// The source to build values into, instead of filling holes.
    sealed_from: Option<&'a str>,
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
            sealed_from: None,
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
                match self.judge(rest) {
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
        let artifact = self.sealed_from.map_or(artifact, |text| sealed(text, name, &params, self.rules));
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
    fn judge(&self, text: &str) -> Result<(), String> {
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

    fn run(&self, mut tx: Transaction, inputs: &[In], path: &str, args: &[(String, Arg)]) -> Result<(), String> {
        let Deployed { artifact, redeem, .. } = self.deployed()?;
        let spend = artifact.path(path).unwrap();
        let coins: Vec<TxOut> = inputs.iter().map(|input| input.coin.clone()).collect();
        let own = || inputs.iter().enumerate().filter(|(_, input)| input.is_own).map(|(index, _)| index);
        let mut unlocks = Vec::new();
        {
            let context = SpendContext::new(&tx, &coins).ok_or("there are not as many coins as inputs")?;
            for index in own() {
                let sign = |key: &Key| -> Vec<u8> {
                    let digest = context.digest(SighashType::ALL, index, redeem).unwrap().digest;
                    let [kind, ..] = SighashType::ALL.to_u32().to_le_bytes();
                    key.sign(&digest).into_iter().chain([kind]).collect()
                };
                let mut args: BTreeMap<String, AbiValue> =
                    args.iter().map(|(name, arg)| (name.clone(), value_of(arg, &sign))).collect();
                // Nothing is said about the lists of these programs.
                for slot in spend.args.iter().filter(|slot| slot.name.ends_with(ABOUT)) {
                    args.insert(slot.name.clone(), AbiValue::Item(Vec::new()));
                }
                let unlock = spend.unlock_script(&args, redeem).map_err(|error| error.to_string())?;
                unlocks.push((index, unlock));
            }
        }
        for (index, unlock) in unlocks {
            tx.inputs[index].unlock = unlock;
        }
        let context = SpendContext::new(&tx, &coins).ok_or("there are not as many coins as inputs")?;
        let rules = Rules::new(self.rules, Mode::Relay);
        for index in own() {
            let metrics = vm::verify_input(&rules, &context, index)
                .map_err(|failure| wallet::explain(artifact, redeem, &failure).to_string())?;
            if let Some(bound) = spend.cost_bound.filter(|bound| metrics.cost.get() > *bound) {
                return Err(format!("it costs {}, above its bound of {bound}", metrics.cost.get()));
            }
        }
        Ok(())
    }
}

fn value_of(arg: &Arg, sign: &dyn Fn(&Key) -> Vec<u8>) -> AbiValue {
    match arg {
        Arg::Value(value) => value.clone(),
        Arg::Sign(key) => AbiValue::Item(sign(key)),
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

#[test]
fn only_a_right_side_that_may_fail_stands_in_a_branch() {
    for (condition, branches) in [
        ("n > 3 || sha256(x)[..4] == y", false),
        ("n > 3 || y[..2] == y[2..]", false),
        ("n > 3 || tx.outputs[0].value > 5 sats", false),
        ("n > 3 || self.value / 2 > 5 sats", false),
        ("n > 3 || tx.inputs[self.index].token.amount > 5", false),
        ("n > 3 || bytes(tx.locktime, 8) != 0x0000000000000000", false),
        ("n > 3 || key.signed(sig)", false),
        ("tx.outputs[1].lock == self.lock && tx.outputs[1].value > 700 sats", false),
        ("n > 3 || x[..4] == y", true),
        ("n > 3 || tx.outputs[1].value > 5 sats", true),
        ("n > 3 || tx.inputs[1].value > 5 sats", true),
        ("n > 3 || m / n > 2", true),
        ("n > 3 || bytes(n, 2) == 0x0102", true),
        ("n > 3 || tx.outputs[n].value > 5 sats", true),
        ("n > 3 || checked(m)", true),
        ("n > 3 || doubled(m) > 7", false),
    ] {
        let text = format!(
            "fn checked(m: Int) -> Bool {{ require m > 1; m > 2 }}\nfn doubled(m: Int) -> Int {{ max(m, 2) * 2 }}\n\
             contract C(key: PubKey) {{\n    allow(shared_output, unchecked_capability, unlocked_lock_time, one_signature, trust_argument, unread_argument, number_range);\n    \
             spend f(n: Int, m: Int, x: Bytes, y: Bytes<4>, sig: Sig, other: Sig) {{\n        require key.signed(other);\n        \
             require {condition};\n    }}\n}}\n"
        );
        let compiled = compile("c", &text, RuleSet::Bitmodel);
        let artifact = compiled.artifact(Some("C")).unwrap_or_else(|| panic!("{}", compiled.to_json()));
        assert_eq!(artifact.asm.contains("OP_ENDIF"), branches, "{condition}: {}", artifact.asm);
    }
}
