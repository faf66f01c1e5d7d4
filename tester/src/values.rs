//! Values of the language's types: made up, made smaller, and shown.

use spec::artifact::{AbiType, Value};
use spec::hash::hash160;
use spec::num::grouped;
use spec::script::p2pkh;

use crate::people;
use crate::random::Random;

/// All money there is, in base units.
const MONEY_MAX: i128 = 2_100_000_000_000_000;
/// Where lock times stop being heights.
const HEIGHTS_END: i128 = 500_000_000;
/// Numbers of the plainest type are tried up to here.
const INT_MAX: i128 = i64::MAX as i128;
/// The lengths at which pushes and limits change.
const LENGTHS: [usize; 12] = [0, 1, 2, 16, 20, 32, 33, 75, 76, 255, 256, 520];
/// So much of bytes is shown.
const BYTES_SHOWN: usize = 40;

/// The least and the greatest number of a type; `None` for what is no number.
pub(crate) fn range_of(ty: &AbiType) -> Option<(i128, i128)> {
    Some(match ty {
        AbiType::Int => (-INT_MAX, INT_MAX),
        AbiType::IntN(bytes) => {
            let bits = (8 * bytes.clamp(&1, &8)) - 1;
            let most = (1_i128 << bits) - 1;
            (-most, most)
        }
        AbiType::Coin => (0, MONEY_MAX),
        AbiType::Tokens => (0, INT_MAX),
        AbiType::Height => (0, HEIGHTS_END - 1),
        AbiType::Time => (HEIGHTS_END, u32::MAX.into()),
        AbiType::Blocks => (0, 0xffff),
        AbiType::Duration => (0, 0xffff * 512),
        _ => return None,
    })
}

/// A value of a type, with numbers of a range where it is given.
pub(crate) fn draw(ty: &AbiType, range: Option<(i128, i128)>, random: &mut Random) -> Value {
    if let Some((from, to)) = range.or_else(|| range_of(ty)) {
        return Value::Int(number(from, to, random));
    }
    match ty {
        AbiType::Bool => Value::Bool(random.below(2) == 1),
        AbiType::BytesN(len) => Value::Bytes(bytes(*len, random)),
        AbiType::Category | AbiType::Did => Value::Bytes(bytes(32, random)),
        AbiType::PubKey => Value::Bytes(somebody(random)),
        AbiType::Lock => Value::Bytes(p2pkh(&hash160(&somebody(random)))),
        AbiType::Tuple(parts) => Value::Parts(parts.iter().map(|part| draw(part, None, random)).collect()),
        AbiType::Array(of, len) | AbiType::Table(of, len) => {
            Value::Parts((0..*len).map(|_| draw(of, None, random)).collect())
        }
        AbiType::Struct(of) => Value::Parts(of.fields.iter().map(|field| draw(&field.ty, None, random)).collect()),
        AbiType::Enum(of) => {
            let variant = random.below(of.variants.len() as u64) as usize;
            let fields = of.variants.get(variant).map(|variant| variant.fields.as_slice()).unwrap_or_default();
            Value::Variant(variant, fields.iter().map(|field| draw(field, None, random)).collect())
        }
        _ => {
            let len = match random.below(3) {
                0 => random.pick(&LENGTHS).copied().unwrap_or(0),
                _ => random.below(40) as usize,
            };
            Value::Bytes(bytes(len, random))
        }
    }
}

/// A number in a range: often at its ends or near a power of two, otherwise of any size.
fn number(from: i128, to: i128, random: &mut Random) -> i128 {
    let inside = |n: i128| n.clamp(from, to);
    match random.below(4) {
        0 => {
            let ends = [from, from.saturating_add(1), to, to.saturating_sub(1), 0, 1, -1];
            inside(random.pick(&ends).copied().unwrap_or(from))
        }
        1 => {
            let near = (1_i128 << random.below(63)) + random.within(-1, 1);
            inside(if from < 0 && random.below(2) == 0 { -near } else { near })
        }
        2 => {
            let bits = random.below(40);
            inside(from.saturating_add(random.within(0, 1 << bits)))
        }
        _ => random.within(from, to),
    }
}

fn bytes(len: usize, random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0 => vec![0; len],
        1 => vec![0xff; len],
        _ => (0..len).map(|_| random.next() as u8).collect(),
    }
}

fn somebody(random: &mut Random) -> Vec<u8> {
    let all: Vec<_> = people::made_up().collect();
    random.pick(&all).map(|key| key.public().to_vec()).unwrap_or_default()
}

/// Values of the same type that are simpler than this one, the simplest first.
pub(crate) fn smaller(ty: &AbiType, range: Option<(i128, i128)>, value: &Value) -> Vec<Value> {
    match value {
        Value::Int(n) => {
            let (from, to) = range.or_else(|| range_of(ty)).unwrap_or((-INT_MAX, INT_MAX));
            smaller_numbers(*n, 0.clamp(from, to)).into_iter().map(Value::Int).collect()
        }
        Value::Bool(true) => vec![Value::Bool(false)],
        Value::Bytes(of) => smaller_bytes(ty, of).into_iter().map(Value::Bytes).collect(),
        Value::Parts(parts) => {
            let types = part_types(ty, parts.len());
            smaller_parts(&types, parts).into_iter().map(Value::Parts).collect()
        }
        Value::Variant(variant, fields) => {
            let AbiType::Enum(of) = ty else { return Vec::new() };
            let types = of.variants.get(*variant).map(|variant| variant.fields.clone()).unwrap_or_default();
            let plain = of.variants.iter().take(*variant).position(|variant| variant.fields.is_empty());
            let mut found: Vec<Value> = plain.map(|at| Value::Variant(at, Vec::new())).into_iter().collect();
            found.extend(smaller_parts(&types, fields).into_iter().map(|fields| Value::Variant(*variant, fields)));
            found
        }
        _ => Vec::new(),
    }
}

/// Numbers between the simplest one and `n`, the nearest to it last.
fn smaller_numbers(n: i128, simplest: i128) -> Vec<i128> {
    let mut found = Vec::new();
    let mut step = n - simplest;
    while step != 0 {
        found.push(n - step);
        step /= 2;
    }
    if n < 0 && simplest <= 0 && -n != n {
        found.insert(found.len().min(1), -n);
    }
    found.retain(|other| *other != n);
    found
}

fn smaller_bytes(ty: &AbiType, of: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    match ty {
        AbiType::PubKey | AbiType::Lock => {}
        AbiType::Bytes => {
            let half = of.get(..of.len() / 2).unwrap_or_default();
            found.extend([Vec::new(), half.to_vec()]);
            found.extend(of.split_last().map(|(_, rest)| rest.to_vec()));
            found.push(vec![0; of.len()]);
        }
        _ => found.push(vec![0; of.len()]),
    }
    found.retain(|other| other != of);
    found.dedup();
    found
}

fn smaller_parts(types: &[AbiType], parts: &[Value]) -> Vec<Vec<Value>> {
    let mut found = Vec::new();
    for (at, (part, ty)) in parts.iter().zip(types).enumerate() {
        for other in smaller(ty, None, part) {
            let mut changed = parts.to_vec();
            if let Some(place) = changed.get_mut(at) {
                *place = other;
            }
            found.push(changed);
        }
    }
    found
}

/// The types of the parts of a composite of so many parts.
pub(crate) fn part_types(ty: &AbiType, count: usize) -> Vec<AbiType> {
    match ty {
        AbiType::Tuple(types) => types.clone(),
        AbiType::Struct(of) => of.fields.iter().map(|field| field.ty.clone()).collect(),
        AbiType::Array(of, _) | AbiType::Table(of, _) => vec![(**of).clone(); count],
        _ => Vec::new(),
    }
}

/// A value as a person reads it; `ty` is the name of its type.
pub(crate) fn shown(value: &Value, ty: &str) -> String {
    match value {
        Value::Int(n) => number_shown(*n, ty),
        Value::Bool(truth) => truth.to_string(),
        Value::Bytes(of) => bytes_shown(of),
        Value::Parts(parts) => {
            let inner = ty.strip_prefix('[').and_then(|rest| rest.split_once(';')).map_or("", |(of, _)| of);
            format!("[{}]", parts.iter().map(|part| shown(part, inner)).collect::<Vec<_>>().join(", "))
        }
        Value::Variant(at, fields) if fields.is_empty() => format!("variant {at}"),
        Value::Variant(at, fields) => {
            let fields: Vec<String> = fields.iter().map(|field| shown(field, "")).collect();
            format!("variant {at} ({})", fields.join(", "))
        }
        Value::List { records, .. } => format!("{} records", records.len()),
    }
}

fn number_shown(n: i128, ty: &str) -> String {
    let digits = grouped(n);
    match ty {
        "Coin" => format!("{digits} sats"),
        "Height" => format!("height {digits}"),
        "Blocks" => format!("{digits} blocks"),
        "Duration" => format!("{digits} seconds"),
        _ => digits,
    }
}

fn bytes_shown(of: &[u8]) -> String {
    let known = people::name_of(of);
    match (known, of.get(..BYTES_SHOWN)) {
        (Some(name), _) => name,
        (None, Some(first)) if of.len() > BYTES_SHOWN => format!("0x{}.. ({} bytes)", hex::encode(first), of.len()),
        (None, _) => format!("0x{}", hex::encode(of)),
    }
}
