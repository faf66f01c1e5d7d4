//! A transaction told as a test.
//!
//! What its inputs say to their contracts is read backwards from the bytecode. Keys that are not the devnet's are
//! played by people, since nobody can sign for others; so are the payments to them. Inputs of keys are left out, and the
//! change behind the outputs: in a test somebody else pays the fee.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use driver::Compiled;
use spec::artifact::{AbiType, AbiValue, Slot, Value};
use spec::hash::hash160;
use spec::script::{LockKind, instructions};
use spec::token::{Capability, Token};
use spec::{Artifact, Mode, Rules, SpendContext, Transaction, TxOut};
use wallet::{DEVNET_NAMES, Places};

use crate::ledger::START_HEIGHT;
use crate::people;
use spec::num::grouped;

/// At most so many ways to say who signed are told.
const WAYS_MAX: usize = 64;
/// The bit of a sequence without which it is an age, the one that says that the age is a time, and the age.
const NO_AGE: u32 = 1 << 31;
const AGE_IS_TIME: u32 = 1 << 22;
const AGE: u32 = 0xffff;
/// Where lock times stop being heights.
const HEIGHTS_END: u32 = 500_000_000;

/// A transaction as a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retold {
    /// The file whose contracts it speaks of.
    pub file: String,
    /// The name of the test.
    pub name: String,
    /// Its text, once for each way to say who has made the signatures; what is right is the first that passes.
    pub texts: Vec<String>,
}

/// Tells a transaction as a test. `spent` are the outputs that its inputs spend, in order.
///
/// # Errors
/// Why it cannot be a test.
pub fn retold(compiled: &Compiled, tx: &Transaction, spent: &[TxOut]) -> Result<Retold, String> {
    let context = SpendContext::new(tx, spent).ok_or("each input needs the coin that it spends")?;
    let mut coins = Vec::new();
    let mut others = Vec::new();
    for (at, output) in spent.iter().enumerate() {
        match read(compiled, &context, tx, at, output) {
            Some(coin) if others.is_empty() => coins.push(coin),
            Some(_) => return Err(format!("input {at} spends a contract's coin, and an input before it does not")),
            None if output.token.is_some() => {
                return Err(format!("input {at} brings tokens, and no contract here has its lock"));
            }
            None => others.push(output.lock.clone()),
        }
    }
    let Some(first) = coins.first() else {
        return Err("no input spends a coin of a contract of these sources".to_owned());
    };
    let file = first.artifact.sources.first().map_or_else(String::new, |source| source.path.clone());
    let mut teller = Teller { people: BTreeMap::new(), coins: &coins, way: 0, ways: 1 };
    teller.meet();
    let outputs = match tx.outputs.split_last() {
        // The change; there is one at most.
        Some((last, before)) if others.contains(&last.lock) && last.token.is_none() => before,
        _ => tx.outputs.as_slice(),
    };
    let failure = refusal(&context, &coins);
    let mut all = Vec::new();
    for way in 0..WAYS_MAX {
        (teller.way, teller.ways) = (way, 1);
        let text = teller.test(tx, outputs, failure.as_deref())?;
        let ways = teller.ways;
        all.push(text);
        if way + 1 >= ways {
            break;
        }
    }
    Ok(Retold { file, name: name(tx), texts: all })
}

/// The name of a transaction's test.
fn name(tx: &Transaction) -> String {
    let txid = tx.txid().to_string();
    format!("transaction_{}", txid.get(..8).unwrap_or(&txid))
}

/// A coin of a contract, and how it is spent.
struct Coin<'c> {
    artifact: &'c Artifact,
    output: TxOut,
    path: String,
    params: Vec<(&'c Slot, AbiValue)>,
    args: Vec<(&'c Slot, AbiValue)>,
    code: Vec<u8>,
}

/// What an input says to a contract of these sources; nothing if it is none's.
fn read<'c>(
    compiled: &'c Compiled,
    context: &SpendContext<'_>,
    tx: &Transaction,
    at: usize,
    output: &TxOut,
) -> Option<Coin<'c>> {
    let unlock = &tx.inputs.get(at)?.unlock;
    compiled.artifacts.iter().find_map(|artifact| {
        let code = wallet::script_of(artifact, &output.lock, unlock)?;
        let rules = Rules::new(artifact.rules, Mode::Relay);
        let mut places = Places::new(artifact, code);
        // Whatever comes of it, the turns that were taken tell the path.
        let _ = vm::verify_input_traced(&rules, context, at, &mut places);
        let said = wallet::spending(artifact, &output.lock, unlock, &|number| places.taken(number))?;
        let params = said.params.iter().map(|given| (given.slot.name.clone(), given.value.clone())).collect();
        if artifact.redeem_script(&params).ok()? != code {
            return None;
        }
        Some(Coin {
            artifact,
            output: output.clone(),
            path: said.path?.name.clone(),
            params: said.params.into_iter().map(|given| (given.slot, given.value)).collect(),
            args: said.args.into_iter().map(|given| (given.slot, given.value)).collect(),
            code: code.to_vec(),
        })
    })
}

/// What the first contract that refuses says, if one does.
fn refusal(context: &SpendContext<'_>, coins: &[Coin<'_>]) -> Option<String> {
    coins.iter().enumerate().find_map(|(at, coin)| {
        let failure = vm::verify_input(&Rules::new(coin.artifact.rules, Mode::Relay), context, at).err()?;
        let path = coin.artifact.path(&coin.path)?;
        Some(wallet::explain_path(coin.artifact, &coin.code, &failure, path).message)
    })
}

/// Whoever writes the test.
struct Teller<'c> {
    /// Who plays the owner of each public key.
    people: BTreeMap<Vec<u8>, String>,
    coins: &'c [Coin<'c>],
    /// Which of the ways to say who signed is told, and how many there are of those signatures that have been told.
    way: usize,
    ways: usize,
}

type Told = Result<String, String>;

impl Teller<'_> {
    /// Gives everybody a name.
    fn meet(&mut self) {
        let keys = |coin: &Coin<'_>| {
            let slots = coin.params.iter().chain(&coin.args).filter(|(slot, _)| slot.ty == AbiType::PubKey);
            slots.filter_map(|(_, value)| value.item().map(<[u8]>::to_vec)).collect::<Vec<_>>()
        };
        let all: Vec<Vec<u8>> = self.coins.iter().flat_map(keys).collect();
        for key in &all {
            if let Some(name) = people::name_of(key) {
                self.people.insert(key.clone(), name);
            }
        }
        for key in all {
            if !self.people.contains_key(&key) {
                let taken = |name: &&&str| self.people.values().any(|taken| taken == **name);
                let free = DEVNET_NAMES.iter().find(|name| !taken(name)).map(|name| (*name).to_owned());
                let name = free.unwrap_or_else(|| format!("key(\"person {}\")", self.people.len()));
                self.people.insert(key, name);
            }
        }
    }

    fn test(&mut self, tx: &Transaction, outputs: &[TxOut], failure: Option<&str>) -> Told {
        let mut text = String::new();
        for (key, name) in &self.people {
            if people::name_of(key).is_none() {
                let _ = writeln!(text, "/// {name} plays the owner of 0x{}.", hex::encode(key));
            }
        }
        let _ = writeln!(text, "test {} {{", name(tx));
        for at in 0..self.coins.len() {
            let fund = self.fund(at)?;
            let _ = writeln!(text, "    {fund}");
        }
        let age = tx.inputs.iter().take(self.coins.len()).map(|input| blocks_of(input.sequence)).max().unwrap_or(0);
        if age > 0 {
            let _ = writeln!(text, "    chain.mine({age});");
        }
        let word = failure.map_or_else(|| "passes".to_owned(), |message| format!("fails {message:?}"));
        let (at, locktime) = self.moment(tx.locktime, age);
        let _ = writeln!(text, "    {word}{at} {{");
        for (coin, input) in self.coins.iter().zip(&tx.inputs).enumerate().map(|(at, (_, input))| (at, input)) {
            let call = self.call(coin)?;
            let _ = writeln!(text, "        {call}");
            if input.sequence & NO_AGE == 0 && tx.version >= 2 && input.sequence & AGE > 0 {
                let age = match (input.sequence & AGE_IS_TIME, input.sequence & AGE) {
                    (0, blocks) => format!("{blocks} blocks"),
                    (_, steps) => format!("{} seconds", steps * 512),
                };
                let _ = writeln!(text, "        age coin_{coin} {age};");
            }
        }
        text.push_str(&locktime);
        for at in 0..self.coins.len() {
            if self.burns(at, outputs) {
                let _ = writeln!(text, "        burn coin_{at};");
            }
        }
        for output in outputs {
            let line = self.output(output)?;
            let _ = writeln!(text, "        {line}");
        }
        text.push_str("    }\n}\n");
        Ok(text)
    }

    /// What follows `passes`, and what stands between its braces, so that the transaction has this lock time.
    fn moment(&self, locktime: u32, age: u32) -> (String, String) {
        if locktime == 0 {
            return (String::new(), String::new());
        }
        let moment = if locktime < HEIGHTS_END { format!("height {}", grouped(locktime)) } else { time(locktime) };
        let past = locktime < HEIGHTS_END && locktime < START_HEIGHT + age;
        match past {
            true => (String::new(), format!("        locktime {moment};\n")),
            false => (format!(" at {moment}"), String::new()),
        }
    }

    fn fund(&mut self, at: usize) -> Told {
        let coin = self.coins.get(at).ok_or("there is no such coin")?;
        let mut values = Vec::new();
        for (_, slot) in coin.artifact.declared_params() {
            let value = coin.params.iter().find(|(known, _)| known.name == slot.name).map(|(_, value)| value);
            let value = value.ok_or_else(|| format!("the script does not show `{}`", slot.name))?;
            values.push(self.value(&slot.ty, value)?);
        }
        let amount = grouped(coin.output.value.get());
        let contract = format!("{}({})", coin.artifact.contract, values.join(", "));
        let token = match &coin.output.token {
            None => String::new(),
            Some(token) => format!(" with {{ token: {} }}", token_text(token, None)),
        };
        Ok(format!("let coin_{at} = chain.fund({contract}, {amount} sats){token};"))
    }

    fn call(&mut self, at: usize) -> Told {
        let coin = self.coins.get(at).ok_or("there is no such coin")?;
        let path = coin.artifact.path(&coin.path).ok_or("there is no such path")?;
        let mut args = Vec::new();
        for slot in &path.args {
            let value = coin.args.iter().find(|(known, _)| known.name == slot.name).map(|(_, value)| value);
            let text = match (&slot.ty, value) {
                (AbiType::Padding, _) => continue,
                (AbiType::Sig, _) => self.signer(coin),
                (AbiType::Sigs(_), _) => Some(format!("[{}]", self.keys(coin).join(", "))),
                (_, Some(value)) => Some(self.value(&slot.ty, value)?),
                (_, None) => None,
            };
            args.push(text.ok_or_else(|| format!("nothing tells what `{}` is", slot.name))?);
        }
        Ok(format!("coin_{at}.{}({});", coin.path, args.join(", ")))
    }

    /// The people whose keys a coin's contract knows, or its spend shows.
    fn keys(&self, coin: &Coin<'_>) -> Vec<String> {
        let slots = coin.params.iter().chain(&coin.args);
        let named = |(slot, value): &(&Slot, AbiValue)| match (&slot.ty, value.item()) {
            (AbiType::PubKey, Some(key)) => self.people.get(key).cloned(),
            _ => None,
        };
        slots.filter_map(named).collect()
    }

    /// Who makes a signature: one of those people, in each way another.
    fn signer(&mut self, coin: &Coin<'_>) -> Option<String> {
        let keys = self.keys(coin);
        let choice = (self.way / self.ways).checked_rem(keys.len())?;
        self.ways = self.ways.saturating_mul(keys.len());
        keys.get(choice).cloned()
    }

    fn output(&self, output: &TxOut) -> Told {
        if output.lock.first() == Some(&0x6a) {
            let pushes = instructions(output.lock.get(1..).unwrap_or_default()).map_while(Result::ok);
            let pieces: Vec<String> =
                pushes.filter_map(|push| Some(format!("0x{}", hex::encode(push.data?)))).collect();
            return Ok(format!("output data [{}];", pieces.join(", ")));
        }
        let own = self.coins.iter().position(|coin| coin.output.lock == output.lock);
        let lock = match own {
            Some(at) => format!("coin_{at}.lock"),
            None => self.lock(&output.lock)?,
        };
        let token = match &output.token {
            None => String::new(),
            Some(token) => {
                let like =
                    |coin: &Coin<'_>| coin.output.token.as_ref().is_some_and(|own| own.category == token.category);
                let category = self.coins.iter().position(like).map(|at| format!("coin_{at}.token.category[..32]"));
                format!(", token: {}", token_text(token, category))
            }
        };
        Ok(format!("output {lock} {{ value: {} sats{token} }};", grouped(output.value.get())))
    }

    /// Whether tokens of a coin's category go nowhere.
    fn burns(&self, at: usize, outputs: &[TxOut]) -> bool {
        let Some(token) = self.coins.get(at).and_then(|coin| coin.output.token.as_ref()) else { return false };
        let same = |other: &&Token| other.category == token.category;
        let tokens = |all: &mut dyn Iterator<Item = &Token>| {
            all.filter(same)
                .fold((0_u64, 0), |(sum, nfts), one| (sum + one.amount, nfts + usize::from(one.nft.is_some())))
        };
        let brought = tokens(&mut self.coins.iter().filter_map(|coin| coin.output.token.as_ref()));
        let taken = tokens(&mut outputs.iter().filter_map(|output| output.token.as_ref()));
        brought.0 > taken.0 || brought.1 > taken.1
    }

    fn lock(&self, lock: &[u8]) -> Told {
        match LockKind::of(lock) {
            LockKind::P2pkh(hash) => Ok(format!("p2pkh({})", self.hash(&hash))),
            LockKind::P2sh32(hash) => Ok(format!("p2sh32(0x{})", hex::encode(hash))),
            _ => Err(format!("no expression is the lock 0x{}", hex::encode(lock))),
        }
    }

    /// The hash of somebody's key, or one of which nothing is known.
    fn hash(&self, hash: &[u8; 20]) -> String {
        let known = self.people.iter().find(|(key, _)| hash160(key) == *hash).map(|(_, name)| name.clone());
        let devnet =
            || people::owner_of(&spec::script::p2pkh(hash)).filter(|name| DEVNET_NAMES.contains(&name.as_str()));
        match known.or_else(devnet) {
            Some(name) => format!("hash160({name})"),
            None => format!("0x{}", hex::encode(hash)),
        }
    }

    fn value(&self, ty: &AbiType, value: &AbiValue) -> Told {
        if matches!(ty, AbiType::DataSig) {
            return Ok(format!("0x{}", hex::encode(value.item().unwrap_or_default())));
        }
        let decoded = ty.decode(value).ok_or_else(|| format!("a value is no `{ty}`"))?;
        self.shown(ty, &decoded)
    }

    fn shown(&self, ty: &AbiType, value: &Value) -> Told {
        let parts = |types: &[AbiType], parts: &[Value]| {
            let all = types.iter().zip(parts).map(|(ty, part)| self.shown(ty, part));
            all.collect::<Result<Vec<_>, _>>().map(|all| all.join(", "))
        };
        Ok(match (ty, value) {
            (AbiType::Coin, Value::Int(n)) => format!("{} sats", grouped(*n)),
            (AbiType::Height, Value::Int(n)) => format!("height {}", grouped(*n)),
            (AbiType::Blocks, Value::Int(n)) => format!("{} blocks", grouped(*n)),
            (AbiType::Duration, Value::Int(n)) => format!("{} seconds", grouped(*n)),
            (AbiType::Time, Value::Int(n)) => time(u32::try_from(*n).unwrap_or(0)),
            (_, Value::Int(n)) if *n < 0 => format!("0 - {}", grouped(-n)),
            (_, Value::Int(n)) => grouped(*n),
            (_, Value::Bool(truth)) => truth.to_string(),
            (AbiType::PubKey, Value::Bytes(key)) => self.people.get(key).cloned().ok_or("nobody has this key")?,
            (AbiType::Lock, Value::Bytes(lock)) => self.lock(lock)?,
            (AbiType::BytesN(20), Value::Bytes(bytes)) => match <&[u8; 20]>::try_from(bytes.as_slice()) {
                Ok(hash) => self.hash(hash),
                Err(_) => format!("0x{}", hex::encode(bytes)),
            },
            (_, Value::Bytes(bytes)) => format!("0x{}", hex::encode(bytes)),
            (AbiType::Tuple(types), Value::Parts(of)) => format!("({})", parts(types, of)?),
            (AbiType::Array(inner, len) | AbiType::Table(inner, len), Value::Parts(of)) => {
                format!("[{}]", parts(&vec![(**inner).clone(); *len], of)?)
            }
            _ => return Err(format!("a value of the type `{ty}` cannot be read out of a transaction")),
        })
    }
}

/// The blocks after which a coin is as old as a sequence says.
fn blocks_of(sequence: u32) -> u32 {
    match (sequence & NO_AGE, sequence & AGE_IS_TIME, sequence & AGE) {
        (0, 0, blocks) => blocks,
        (0, _, steps) => (steps * 512).div_ceil(600),
        _ => 0,
    }
}

fn token_text(token: &Token, category: Option<String>) -> String {
    let category = category.unwrap_or_else(|| format!("0x{}", hex::encode(token.category.as_wire())));
    let mut fields = vec![format!("category: {category}")];
    if token.amount > 0 {
        fields.push(format!("amount: {}", grouped(token.amount)));
    }
    if let Some(nft) = &token.nft {
        let capability = match nft.capability {
            Capability::None => "none",
            Capability::Mutable => "mutable",
            Capability::Minting => "minting",
        };
        fields.push(format!("capability: {capability}"));
        fields.push(format!("commitment: 0x{}", hex::encode(&nft.commitment)));
    }
    format!("{{ {} }}", fields.join(", "))
}

/// A moment as sources write it.
///
/// Source: the day count of the proleptic Gregorian calendar, years beginning in March so that the leap day is the last.
fn time(seconds: u32) -> String {
    let (days, clock) = (seconds / 86_400, seconds % 86_400);
    let from_march = days + 719_468;
    let era = from_march / 146_097;
    let day_of_era = from_march % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u32::from(month <= 2);
    let (hours, minutes, seconds) = (clock / 3_600, clock / 60 % 60, clock % 60);
    format!("time \"{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}Z\"")
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn moments_are_written_as_dates() {
        assert_eq!(time(500_000_000), "time \"1985-11-05T00:53:20Z\"");
        assert_eq!(time(1_709_164_799), "time \"2024-02-28T23:59:59Z\"");
        assert_eq!(time(1_709_164_800), "time \"2024-02-29T00:00:00Z\"");
    }
}
