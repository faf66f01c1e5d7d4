//! Values as people write them on a command line, read by the type that a contract declares.
//!
//! Money always names its unit: `1_000` could be sats or coins, and the difference is a fortune.

use std::ops::RangeInclusive;

use serde_json::Value as Json;
use spec::address::Payee;
use spec::artifact::{AbiType, AbiValue, EnumType, Slot, StructType, Value};
use spec::hash::sha256;
use spec::{Address, Category, Network, Sats};

use crate::contract::{Arg, Signer};
use crate::dates;
use crate::keys::{Accounts, Key};

/// What the names in a value stand for.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The network that addresses belong to.
    pub network: Network,
    /// The keys behind `@name` and `@number`.
    pub accounts: &'a Accounts,
}

/// A text does not say a value of the type that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct ValueError {
    text: String,
    expected: String,
    help: String,
}

impl ValueError {
    fn new(text: &str, expected: impl Into<String>, help: impl Into<String>) -> Self {
        let text =
            if text.chars().count() > 80 { text.chars().take(80).chain(['…']).collect() } else { text.to_owned() };
        Self { text, expected: expected.into(), help: help.into() }
    }

    /// What to write instead.
    #[must_use]
    pub fn help(&self) -> &str {
        &self.help
    }
}

/// Reads an amount of money with its unit.
///
/// # Errors
/// [`ValueError`] where there is no unit or the amount is not exact.
///
/// ```
/// use wallet::parse_amount;
/// assert_eq!(parse_amount("0.5 coin").unwrap(), parse_amount("50_000_000sats").unwrap());
/// assert_eq!(parse_amount("5").unwrap_err().help(), "write the unit: `5 sats` or `5 coin`");
/// ```
pub fn parse_amount(text: &str) -> Result<Sats, ValueError> {
    let (number, unit) = split_unit(text);
    let amount = match unit {
        "coin" | "coins" => without_separators(number).and_then(|number| number.parse().ok()),
        "sat" | "sats" => digits(number).and_then(|n| u64::try_from(n).ok()).and_then(Sats::new),
        "" if !number.is_empty() => {
            let help = format!("write the unit: `{number} sats` or `{number} coin`");
            return Err(ValueError::new(text, "an amount of money", help));
        }
        _ => None,
    };
    amount.ok_or_else(|| {
        ValueError::new(text, "an amount of money", "write `1_000 sats` or `0.5 coin`; a coin has 8 decimals")
    })
}

/// Reads a value of type `ty`.
///
/// # Errors
/// [`ValueError`] with the forms that the type has.
///
/// ```
/// use spec::{Network, artifact::{AbiType, AbiValue}};
/// use wallet::{Accounts, Arg, Names, parse_value};
/// let accounts = Accounts::devnet();
/// let names = Names { network: Network::Devnet, accounts: &accounts };
/// assert_eq!(parse_value(&AbiType::Blocks, "144 blocks", names), Ok(Arg::Value(AbiValue::int(144))));
/// assert_eq!(parse_value(&AbiType::Sig, "@alice", names), Ok(Arg::Sign(accounts.key(0))));
/// ```
pub fn parse_value(ty: &AbiType, text: &str, names: Names<'_>) -> Result<Arg, ValueError> {
    let text = text.trim();
    let item = match ty {
        AbiType::Sig => return names.signature(text),
        AbiType::Sigs(count) => return names.signatures(text, *count),
        AbiType::Int | AbiType::Tokens => spec::num::encode(number_of(ty, text, &[])?),
        AbiType::Coin => spec::num::encode(signed(parse_amount(text)?.get())),
        AbiType::Height => {
            let bare = text.strip_prefix("height").map_or(text, str::trim);
            spec::num::encode(within(ty, text, number_of(ty, bare, &[])?, HEIGHTS)?)
        }
        AbiType::Blocks => spec::num::encode(number_of(ty, text, &[("block", 1), ("blocks", 1)])?),
        AbiType::Duration => spec::num::encode(number_of(ty, text, &SECONDS)?),
        AbiType::Time => {
            let seconds = dates::parse(text).map_or_else(|| number_of(ty, text, &[]), Ok)?;
            spec::num::encode(within(ty, text, seconds, TIMES)?)
        }
        AbiType::Bool => truth(text)?,
        AbiType::Bytes => bytes(text).ok_or_else(|| wrong(ty, text))?,
        AbiType::BytesN(len) => names.sized_bytes(text, *len).ok_or_else(|| wrong(ty, text))?,
        AbiType::PubKey => names.public_key(text).ok_or_else(|| wrong(ty, text))?,
        AbiType::DataSig => names.data_signature(text).ok_or_else(|| wrong(ty, text))?,
        AbiType::Lock => names.lock(text).ok_or_else(|| wrong(ty, text))?,
        AbiType::IntN(len) => {
            let n = number_of(ty, text, &[])?;
            spec::num::encode_sized(n.into(), *len).ok_or_else(|| wrong(ty, text))?;
            spec::num::encode(n)
        }
        AbiType::Category | AbiType::Did => category(text).ok_or_else(|| wrong(ty, text))?,
        AbiType::Padding => bytes(text).ok_or_else(|| wrong(ty, text))?,
        AbiType::Tuple(_)
        | AbiType::Array(..)
        | AbiType::Table(..)
        | AbiType::Struct(_)
        | AbiType::Enum(_)
        | AbiType::List(_) => return composite(ty, text, names).map(Arg::Value),
    };
    Ok(Arg::Value(AbiValue::Item(item)))
}

/// A value of several parts, written as JSON; texts in it are what parts look like alone.
fn composite(ty: &AbiType, text: &str, names: Names<'_>) -> Result<AbiValue, ValueError> {
    let json = match serde_json::from_str(text) {
        Ok(json) => json,
        // A variant without data is a bare word.
        Err(_) if matches!(ty, AbiType::Enum(_)) => Json::String(text.to_owned()),
        Err(_) => return Err(wrong(ty, text)),
    };
    let value = part(ty, &json, names)?;
    ty.encode(&value).map_err(|_| wrong(ty, text))
}

fn part(ty: &AbiType, json: &Json, names: Names<'_>) -> Result<Value, ValueError> {
    let wrong = || wrong(ty, &json.to_string());
    let fields = |of: &StructType| {
        let object = json.as_object().filter(|object| object.len() == of.fields.len()).ok_or_else(wrong)?;
        let field = |slot: &Slot| part(&slot.ty, object.get(&slot.name).ok_or_else(wrong)?, names);
        of.fields.iter().map(field).collect::<Result<_, _>>().map(Value::Parts)
    };
    let parts = || json.as_array().ok_or_else(wrong);
    let each = |of: &AbiType| parts()?.iter().map(|json| part(of, json, names)).collect::<Result<_, _>>();
    match ty {
        AbiType::Tuple(types) => {
            let parts = parts()?;
            let same = types.len() == parts.len();
            let values = types.iter().zip(parts).map(|(ty, json)| part(ty, json, names));
            if same { values.collect::<Result<_, _>>().map(Value::Parts) } else { Err(wrong()) }
        }
        AbiType::Array(of, _) | AbiType::Table(of, _) => each(of).map(Value::Parts),
        AbiType::List(of) => list(of, json, names).unwrap_or_else(|| Err(wrong())),
        AbiType::Struct(of) => fields(of),
        AbiType::Enum(of) => variant(of, json, names).unwrap_or_else(|| Err(wrong())),
        scalar => {
            let text = match json {
                Json::String(text) => text.clone(),
                other => other.to_string(),
            };
            let Arg::Value(value) = parse_value(scalar, &text, names)? else { return Err(wrong()) };
            scalar.decode(&value).ok_or_else(wrong)
        }
    }
}

/// Records. With a `name` that is none of its fields in each of them, the list's hash covers the names.
fn list(of: &StructType, json: &Json, names: Names<'_>) -> Option<Result<Value, ValueError>> {
    let ty = AbiType::Struct(of.clone());
    let mut all: Vec<Json> = json.as_array()?.clone();
    let named = names_in(of, json);
    if named.is_some() {
        all.iter_mut().filter_map(Json::as_object_mut).for_each(|object| drop(object.remove(NAME)));
    }
    let records = all.iter().map(|json| part(&ty, json, names)).collect::<Result<Vec<_>, _>>();
    Some(records.map(|records| match named {
        None => Value::Parts(records),
        Some(named) => {
            let about = flow::names_hash(named.iter().map(String::as_str)).to_vec();
            Value::List { about, records }
        }
    }))
}

/// The names that a list's text gives its records: every one of them, or none.
#[must_use]
pub fn record_names(ty: &AbiType, text: &str) -> Option<Vec<String>> {
    let AbiType::List(of) = ty else { return None };
    names_in(of, &serde_json::from_str(text).ok()?)
}

const NAME: &str = "name";

fn names_in(of: &StructType, json: &Json) -> Option<Vec<String>> {
    let records = json.as_array().filter(|records| !records.is_empty())?;
    let is_field = of.fields.iter().any(|slot| slot.name == NAME);
    let name = |record: &Json| Some(record.as_object()?.get(NAME)?.as_str()?.to_owned());
    if is_field { None } else { records.iter().map(name).collect() }
}

/// A variant by its name, or an object of its name and its data: one value, or a list of several.
fn variant(of: &EnumType, json: &Json, names: Names<'_>) -> Option<Result<Value, ValueError>> {
    let (name, data) = match json {
        Json::String(name) => (name.as_str(), None),
        Json::Object(object) if object.len() == 1 => {
            object.iter().next().map(|(name, data)| (name.as_str(), Some(data)))?
        }
        _ => return None,
    };
    let at = of.variants.iter().position(|variant| variant.name == name)?;
    let types = &of.variants.get(at)?.fields;
    let data: Vec<&Json> = match (data, types.len()) {
        (None, _) => Vec::new(),
        (Some(data), 1) => vec![data],
        (Some(data), _) => data.as_array()?.iter().collect(),
    };
    if data.len() != types.len() {
        return None;
    }
    let fields = types.iter().zip(data).map(|(ty, json)| part(ty, json, names));
    Some(fields.collect::<Result<_, _>>().map(|fields| Value::Variant(at, fields)))
}

/// Greater heights would be read as times, and smaller times as heights.
const HEIGHTS: RangeInclusive<i64> = 0..=499_999_999;
const TIMES: RangeInclusive<i64> = 500_000_000..=u32::MAX as i64;

fn within(ty: &AbiType, text: &str, n: i64, range: RangeInclusive<i64>) -> Result<i64, ValueError> {
    if range.contains(&n) { Ok(n) } else { Err(wrong(ty, text)) }
}

const SECONDS: [(&str, i64); 10] = [
    ("second", 1),
    ("seconds", 1),
    ("minute", 60),
    ("minutes", 60),
    ("hour", 3_600),
    ("hours", 3_600),
    ("day", 86_400),
    ("days", 86_400),
    ("week", 604_800),
    ("weeks", 604_800),
];

impl Names<'_> {
    /// The lock that an address, an account or hexadecimal bytecode names.
    #[must_use]
    pub fn lock(&self, text: &str) -> Option<Vec<u8>> {
        let address = || Address::parse(text, self.network).ok().map(|address| address.lock());
        self.account(text).map(|key| key.lock()).or_else(|| hex_bytes(text)).or_else(address)
    }

    fn account(&self, text: &str) -> Option<Key> {
        text.strip_prefix('@').and_then(|name| self.accounts.find(name))
    }

    fn public_key(&self, text: &str) -> Option<Vec<u8>> {
        let account = self.account(text).map(|key| key.public().to_vec());
        account.or_else(|| hex_bytes(text)).filter(|key| key.len() == 33)
    }

    /// Bytes of one length; addresses and accounts stand for their hashes.
    fn sized_bytes(&self, text: &str, len: usize) -> Option<Vec<u8>> {
        let hash = |address: Address| match address.payee() {
            Payee::KeyHash(hash) | Payee::ScriptHash20(hash) => hash.to_vec(),
            Payee::ScriptHash32(hash) => hash.to_vec(),
        };
        let account = || self.account(text).map(|key| key.public_hash().to_vec());
        let address = || Address::parse(text, self.network).ok().map(hash);
        [account(), address(), bytes(text)].into_iter().flatten().find(|bytes| bytes.len() == len)
    }

    fn signature(&self, text: &str) -> Result<Arg, ValueError> {
        let inner = call_of("sig", text).unwrap_or(text);
        let given = || hex_bytes(inner).filter(|sig| (9..=73).contains(&sig.len()));
        let made = self.account(inner).map(Arg::Sign);
        made.or_else(|| given().map(|sig| Arg::Value(AbiValue::Item(sig)))).ok_or_else(|| wrong(&AbiType::Sig, text))
    }

    fn signatures(&self, text: &str, count: usize) -> Result<Arg, ValueError> {
        let inner = call_of("sigs", text).unwrap_or(text);
        let signer = |part: &str| {
            let (position, name) = match part.trim().split_once(':') {
                Some((position, name)) => (Some(position.trim().parse().ok()?), name.trim()),
                None => (None, part.trim()),
            };
            Some(Signer { position, key: self.account(name)? })
        };
        let signers: Option<Vec<Signer>> = inner.split(',').map(signer).collect();
        let enough = signers.filter(|signers| signers.len() == count);
        enough.map(Arg::SignEach).ok_or_else(|| wrong(&AbiType::Sigs(count), text))
    }

    /// A signature over data: given in hexadecimal, or made as `datasig(@alice, 0x…)`.
    fn data_signature(&self, text: &str) -> Option<Vec<u8>> {
        let given = || hex_bytes(text).filter(|sig| sig.is_empty() || (9..=72).contains(&sig.len()));
        let made = call_of("datasig", text).and_then(|inner| {
            let (name, message) = inner.split_once(',')?;
            Some(self.account(name.trim())?.sign(&sha256(&bytes(message.trim())?)).to_vec())
        });
        made.or_else(given)
    }
}

fn wrong(ty: &AbiType, text: &str) -> ValueError {
    let help = match ty {
        AbiType::Int | AbiType::IntN(_) | AbiType::Tokens => "write a whole number such as `1_000`",
        AbiType::Bool => "write `true` or `false`",
        AbiType::Coin => "write `1_000 sats` or `0.5 coin`",
        AbiType::Height => "write a block height from 0 to 499_999_999, such as `height 925_000`",
        AbiType::Time => "write a date from 1985 to 2106 such as `2026-12-01T00:00Z`, or its seconds since 1970",
        AbiType::Blocks => "write a number of blocks such as `144 blocks`",
        AbiType::Duration => "write a duration such as `2 days`; units are seconds, minutes, hours, days and weeks",
        AbiType::Bytes | AbiType::BytesN(20) => {
            "write `0x` and hexadecimal digits, or a text in double quotes, or an address or `@account` where 20 bytes are asked for"
        }
        AbiType::BytesN(_) => "write `0x` and hexadecimal digits, or a text in double quotes",
        AbiType::PubKey => "write `0x` and 66 hexadecimal digits, or an account such as `@alice`",
        AbiType::Sig => "name the account that signs, such as `@alice`, or write `0x` and the signature's digits",
        AbiType::Sigs(_) => "name the accounts that sign, such as `@alice, @carol`",
        AbiType::DataSig => {
            "write `datasig(@alice, 0x…)` with the message, or `0x` and the signature's digits, of which there are none if nobody signs"
        }
        AbiType::Lock => "write an address, an account such as `@alice`, or `0x` and the bytecode's digits",
        AbiType::Category => {
            "write the category as explorers show it, 64 hexadecimal digits, or `0x` and its bytes as scripts see them"
        }
        AbiType::Did => "write `did:bmod:` and the 64 hexadecimal digits of its category",
        AbiType::Padding => "leave it out: the wallet chooses its length",
        AbiType::Tuple(_) | AbiType::Array(..) | AbiType::Table(..) => "write its parts in brackets, such as `[1, 2]`",
        AbiType::Struct(_) => "write its fields in braces, such as `{\"x\": 1, \"y\": 2}`",
        AbiType::Enum(_) => "write the variant, such as `None` or `{\"Some\": 5}`",
        AbiType::List(_) => "write its records, such as `[{\"weight\": 5, \"lock\": \"@alice\"}]`",
    };
    let expected = match ty {
        AbiType::Sigs(count) => format!("a list of {count} signers"),
        ty => format!("a `{ty}`"),
    };
    ValueError::new(text, expected, help)
}

fn truth(text: &str) -> Result<Vec<u8>, ValueError> {
    match text {
        "true" => Ok(vec![1]),
        "false" => Ok(vec![]),
        _ => Err(wrong(&AbiType::Bool, text)),
    }
}

/// A whole number, perhaps followed by one of `units`.
fn number_of(ty: &AbiType, text: &str, units: &[(&str, i64)]) -> Result<i64, ValueError> {
    let (number, unit) = split_unit(text);
    let factor = match unit {
        "" => Some(1),
        unit => units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor),
    };
    let value = digits(number).zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
    value.ok_or_else(|| wrong(ty, text))
}

/// `12 blocks`, `12blocks` and `12` as number and unit.
fn split_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(at).unwrap_or((text, ""));
    (number.trim_end(), unit)
}

fn without_separators(text: &str) -> Option<String> {
    let tidy = !text.starts_with('_') && !text.ends_with('_');
    tidy.then(|| text.chars().filter(|c| *c != '_').collect())
}

/// A whole number; `i64::MIN` has no script number of 8 bytes and is left out.
fn digits(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let digits = without_separators(digits)?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse::<i64>().ok()).flatten().map(|n| sign * n)
}

fn signed(n: u64) -> i64 {
    i64::try_from(n).expect("an amount within the money range fits 63 bits")
}

/// Bytes in hexadecimal after `0x`, or a text in double quotes.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let quoted = || text.strip_prefix('"')?.strip_suffix('"').map(|text| text.as_bytes().to_vec());
    hex_bytes(text).or_else(quoted)
}

/// A category in its usual text, perhaps as a DID, or in the bytes of scripts.
fn category(text: &str) -> Option<Vec<u8>> {
    let shown = text.strip_prefix("did:bmod:").unwrap_or(text);
    let usual = || shown.parse::<Category>().ok().map(|category| category.as_wire().to_vec());
    hex_bytes(text).filter(|bytes| bytes.len() == 32).or_else(usual)
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    hex::decode(text.strip_prefix("0x")?).ok()
}

/// What stands between the parentheses of `name(..)`.
fn call_of<'t>(name: &str, text: &'t str) -> Option<&'t str> {
    text.strip_prefix(name)?.trim_start().strip_prefix('(')?.strip_suffix(')').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(ty: &str, text: &str) -> Option<Arg> {
        let accounts = Accounts::devnet();
        let names = Names { network: Network::Devnet, accounts: &accounts };
        parse_value(&ty.parse().unwrap(), text, names).ok()
    }

    #[test]
    fn composites_are_read_as_json_whose_texts_are_values() {
        let lock = hex::encode(Accounts::devnet().key(0).lock());
        let (weight, text) = (vec![5, 0, 0, 0], hex::decode(&lock).unwrap());
        let list =
            r#"{"list": "R", "fields": [{"name": "weight", "type": "Int<4>"}, {"name": "lock", "type": "Lock"}]}"#;
        let list: AbiType = serde_json::from_str(list).unwrap();
        let accounts = Accounts::devnet();
        let names = Names { network: Network::Devnet, accounts: &accounts };
        let read_list = |text| parse_value(&list, text, names).ok();
        let records = Some(Arg::Value(AbiValue::Records(vec![vec![weight, text]].into())));
        assert_eq!(read_list(r#"[{"weight": 5, "lock": "@alice"}]"#), records);
        for wrong in ["", "[", "{}", r#"[{"weight": 5}]"#, r#"[{"weight": 5, "lock": "@alice", "x": 1}]"#, "[5]"] {
            assert_eq!(read_list(wrong), None, "{wrong}");
        }
        let items =
            |items: &[&[u8]]| Some(Arg::Value(AbiValue::Items(items.iter().map(|item| item.to_vec()).collect())));
        assert_eq!(read("(Coin, Bool)", r#"["1_000 sats", true]"#), items(&[&[0xe8, 3], &[1]]));
        assert_eq!(read("(Coin, Bool)", r#"["1_000 sats"]"#), None);
        assert_eq!(read("[Int; 2]", "[1, -1]"), items(&[&[1], &[0x81]]));
        assert_eq!(read("[Int; 2]", "[1]"), None);
    }

    #[test]
    fn numbers_are_read_with_their_units() {
        let cases = [
            ("Int", "1_000", Some(1_000)),
            ("Int", "-5", Some(-5)),
            ("Int", "1 sats", None),
            ("Int", "", None),
            ("Int", "-", None),
            ("Int", "--5", None),
            ("Int", "9223372036854775808", None),
            ("Coin", "1_000 sats", Some(1_000)),
            ("Coin", "0.5 coin", Some(50_000_000)),
            ("Coin", "21_000_000 coin", Some(2_100_000_000_000_000)),
            ("Coin", "21_000_001 coin", None),
            ("Coin", "0.000000001 coin", None),
            ("Coin", "-1 sats", None),
            ("Coin", "1000", None),
            ("Coin", "sats", None),
            ("Coin", "1 blocks", None),
            ("Height", "height 925_000", Some(925_000)),
            ("Height", "7", Some(7)),
            ("Blocks", "144 blocks", Some(144)),
            ("Blocks", "2 days", None),
            ("Duration", "2 days", Some(172_800)),
            ("Duration", "9223372036854775807 weeks", None),
            ("Time", "2000-02-29T12:00Z", Some(951_825_600)),
            ("Time", "500000000", Some(500_000_000)),
            ("Time", "499999999", None),
            ("Time", "4294967296", None),
            ("Time", "1970-01-01T00:00Z", None),
            ("Height", "-3", None),
            ("Height", "height 500_000_000", None),
        ];
        for (ty, text, expected) in cases {
            assert_eq!(read(ty, text), expected.map(|n| Arg::Value(AbiValue::int(n))), "{ty} {text}");
        }
    }

    #[test]
    fn bytes_keys_and_locks_are_read_from_digits_names_and_addresses() {
        let alice = Accounts::devnet().key(0);
        let address = alice.address(Network::Devnet).to_string();
        let public = format!("0x{}", hex::encode(alice.public()));
        let cases = [
            ("Bytes", "0x", Some(vec![])),
            ("Bytes", "\"hi\"", Some(b"hi".to_vec())),
            ("Bytes", "hi", None),
            ("Bytes", "0x1", None),
            ("Bytes<2>", "\"hi\"", Some(b"hi".to_vec())),
            ("Bytes<3>", "\"hi\"", None),
            ("Bytes<20>", "@alice", Some(alice.public_hash().to_vec())),
            ("Bytes<20>", &address, Some(alice.public_hash().to_vec())),
            ("Bytes<32>", "@alice", None),
            ("PubKey", "@alice", Some(alice.public().to_vec())),
            ("PubKey", &public, Some(alice.public().to_vec())),
            ("PubKey", "0x02", None),
            ("Lock", "@alice", Some(alice.lock())),
            ("Lock", &address, Some(alice.lock())),
            ("Lock", "0x51", Some(vec![0x51])),
            ("Lock", "@nobody", None),
            ("Lock", "bchreg:qqq", None),
            ("Bool", "true", Some(vec![1])),
            ("Bool", "1", None),
        ];
        for (ty, text, expected) in cases {
            assert_eq!(read(ty, text), expected.map(|item| Arg::Value(AbiValue::Item(item))), "{ty} {text}");
        }
    }

    #[test]
    fn signers_are_named() {
        let accounts = Accounts::devnet();
        let signer = |position, index| Signer { position, key: accounts.key(index) };
        let cases = [
            ("Sig", "@bob", Some(Arg::Sign(accounts.key(1)))),
            ("Sig", "sig(@bob)", Some(Arg::Sign(accounts.key(1)))),
            ("Sig", "bob", None),
            ("Sigs<2>", "@alice, @carol", Some(Arg::SignEach(vec![signer(None, 0), signer(None, 2)]))),
            ("Sigs<2>", "sigs(0:@alice,2:@carol)", Some(Arg::SignEach(vec![signer(Some(0), 0), signer(Some(2), 2)]))),
            ("Sigs<2>", "@alice", None),
            ("Sigs<1>", "x:@alice", None),
        ];
        for (ty, text, expected) in cases {
            assert_eq!(read(ty, text), expected, "{ty} {text}");
        }
        let Some(Arg::Value(AbiValue::Item(made))) = read("DataSig", "datasig(@alice, \"rain\")") else { panic!() };
        let made: [u8; 64] = made.try_into().unwrap();
        assert!(vm::schnorr::verify(&made, &sha256(b"rain"), &accounts.key(0).public()));
        assert_eq!(read("DataSig", "datasig(@nobody, 0x00)"), None);
    }

    #[test]
    fn long_texts_are_shortened_in_messages() {
        let error = parse_amount(&"9".repeat(100_000)).unwrap_err();
        assert!(error.to_string().len() < 200);
    }
}
