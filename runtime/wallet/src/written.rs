//! Values as a source of the language writes them.

use spec::artifact::{AbiType, AbiValue, Slot, Value};
use spec::num::grouped;

use crate::dates;

/// How many base units a coin has.
const COIN: i128 = 100_000_000;

/// The text of a value that holds `value`, which fills holes of type `ty` or lies on the stack.
///
/// What is no value of its type, and the hash that stands for a list, are written as bytes.
///
/// ```
/// use spec::artifact::{AbiType, AbiValue};
/// assert_eq!(wallet::written(&AbiType::Blocks, &AbiValue::int(144)), "144 blocks");
/// assert_eq!(wallet::written(&AbiType::Coin, &AbiValue::int(1_500)), "1_500 sats");
/// assert_eq!(wallet::written(&AbiType::PubKey, &AbiValue::Item(vec![2, 3])), "0x0203");
/// ```
#[must_use]
pub fn written(ty: &AbiType, value: &AbiValue) -> String {
    match ty.decode(value) {
        Some(value) => text(ty, &value),
        None => match value {
            AbiValue::Item(item) => bytes(item),
            AbiValue::Items(items) => list("[", items.iter().map(|item| bytes(item)), "]"),
            AbiValue::Records(records) => {
                list("[", records.all.iter().map(|record| list("(", record.iter().map(|field| bytes(field)), ")")), "]")
            }
        },
    }
}

fn bytes(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

fn list(open: &str, parts: impl Iterator<Item = String>, close: &str) -> String {
    format!("{open}{}{close}", parts.collect::<Vec<_>>().join(", "))
}

fn text(ty: &AbiType, value: &Value) -> String {
    match (ty, value) {
        (ty, Value::Int(n)) => number(ty, *n),
        (_, Value::Bool(truth)) => truth.to_string(),
        (_, Value::Bytes(data)) => bytes(data),
        (AbiType::Struct(of), Value::Parts(parts)) => fields(&of.name, &of.fields, parts),
        (AbiType::List(of), Value::Parts(records) | Value::List { records, .. }) => {
            let record = |record: &Value| fields(&of.name, &of.fields, record.parts().unwrap_or_default());
            list("[", records.iter().map(record), "]")
        }
        (AbiType::Tuple(types), Value::Parts(parts)) => {
            list("(", types.iter().zip(parts).map(|(ty, part)| text(ty, part)), ")")
        }
        (AbiType::Array(of, _) | AbiType::Table(of, _), Value::Parts(parts)) => {
            list("[", parts.iter().map(|part| text(of, part)), "]")
        }
        (AbiType::Enum(of), Value::Variant(place, parts)) => {
            let Some(variant) = of.variants.get(*place) else { return place.to_string() };
            let name =
                if of.name == "Option" { variant.name.clone() } else { format!("{}::{}", of.name, variant.name) };
            let texts: Vec<String> = variant.fields.iter().zip(parts).map(|(ty, part)| text(ty, part)).collect();
            if texts.is_empty() {
                return name;
            }
            if variant.names.is_empty() {
                return format!("{name}({})", texts.join(", "));
            }
            let named = variant.names.iter().zip(&texts).map(|(name, text)| format!("{name}: {text}"));
            format!("{name} {{ {} }}", named.collect::<Vec<_>>().join(", "))
        }
        (_, Value::Parts(parts) | Value::List { records: parts, .. } | Value::Variant(_, parts)) => {
            list("[", parts.iter().map(|part| text(&AbiType::Bytes, part)), "]")
        }
    }
}

fn fields(name: &str, slots: &[Slot], parts: &[Value]) -> String {
    let field = |(slot, part): (&Slot, &Value)| format!("{}: {}", slot.name, text(&slot.ty, part));
    format!("{name} {{ {} }}", slots.iter().zip(parts).map(field).collect::<Vec<_>>().join(", "))
}

fn number(ty: &AbiType, n: i128) -> String {
    match ty {
        AbiType::Coin if n != 0 && n % COIN == 0 => format!("{} coin", grouped(n / COIN)),
        AbiType::Coin => format!("{} sats", grouped(n)),
        AbiType::Height => format!("height {}", grouped(n)),
        AbiType::Blocks => format!("{} {}", grouped(n), if n == 1 { "block" } else { "blocks" }),
        AbiType::Duration => {
            let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
            let fits = units.into_iter().find(|(seconds, _)| n != 0 && n % seconds == 0);
            let (seconds, unit) = fits.unwrap_or((1, "seconds"));
            format!("{} {unit}", grouped(n / seconds))
        }
        AbiType::Time => match i64::try_from(n).ok().and_then(dates::text) {
            Some(date) => format!("time \"{date}\""),
            None => grouped(n),
        },
        _ => grouped(n),
    }
}

#[cfg(test)]
mod tests {
    use spec::Network;

    use super::*;
    use crate::{Accounts, Arg, Names, parse_value};

    fn ty(text: &str) -> AbiType {
        text.parse().unwrap()
    }

    #[test]
    fn scalars_are_read_as_they_are_written() {
        let accounts = Accounts::devnet();
        let names = Names { network: Network::Devnet, accounts: &accounts };
        for (ty, n, text) in [
            (ty("Int"), -1_234_567, "-1_234_567"),
            (ty("Coin"), 250_000_000_000, "2_500 coin"),
            (ty("Coin"), 0, "0 sats"),
            (ty("Height"), 925_000, "height 925_000"),
            (ty("Blocks"), 1, "1 block"),
            (ty("Duration"), 172_800, "2 days"),
            (ty("Duration"), 61, "61 seconds"),
        ] {
            let value = AbiValue::int(n);
            assert_eq!(written(&ty, &value), text);
            assert_eq!(parse_value(&ty, text, names), Ok(Arg::Value(value)), "{text}");
        }
        let date = written(&AbiType::Time, &AbiValue::int(1_796_083_200));
        assert_eq!(date, "time \"2026-12-01T00:00:00Z\"");
    }

    #[test]
    fn composites_show_their_parts() {
        let items = |items: &[&[u8]]| AbiValue::Items(items.iter().map(|item| item.to_vec()).collect());
        assert_eq!(written(&ty("(Int, Bool)"), &items(&[&[5], &[]])), "(5, false)");
        assert_eq!(written(&ty("[Blocks; 2]"), &items(&[&[5], &[6]])), "[5 blocks, 6 blocks]");
        assert_eq!(written(&ty("Table<Int<1>, 2>"), &AbiValue::Item(vec![1, 2])), "[1, 2]");
        assert_eq!(written(&ty("Bool"), &AbiValue::Item(vec![2])), "0x02");
        let option: AbiType =
            serde_json::from_str(r#"{"enum":"Option","variants":[{"name":"None"},{"name":"Some","fields":["Int"]}]}"#)
                .unwrap();
        assert_eq!(written(&option, &items(&[&[1], &[7]])), "Some(7)");
        assert_eq!(written(&option, &items(&[&[], &[]])), "None");
    }
}
