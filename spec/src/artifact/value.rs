//! Values of parameters, arguments and state fields: as the machine holds them, and as the language sees them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AbiType, EnumType, chain_hash};
use crate::num;
use crate::script::push_data;

/// A value for a parameter or argument, as it lies on the stack or in holes.
///
/// In JSON: hexadecimal, a list of it, or the records of a list as lists of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AbiValue {
    /// One item of bytes.
    Item(Vec<u8>),
    /// Several items in order: the leaves of a composite, or the bit field and signatures of a multisig.
    Items(Vec<Vec<u8>>),
    /// The records of a list: for each, its fields as they are stored.
    Records(Records),
}

/// One record of a list: its fields as they are stored.
pub type Record = Vec<Vec<u8>>;

/// The records of a list, and what its hash covers beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// Bytes about the whole list, such as a digest of its names; empty where there is nothing to say.
    pub about: Vec<u8>,
    /// For each record, its fields as they are stored.
    pub all: Vec<Record>,
}

impl Records {
    /// The hash that stands for the list in a contract.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        chain_hash(&self.about, &self.all)
    }
}

impl From<Vec<Record>> for Records {
    fn from(all: Vec<Record>) -> Self {
        Self { about: Vec::new(), all }
    }
}

impl AbiValue {
    /// A number.
    #[must_use]
    pub fn int(n: i64) -> Self {
        Self::Item(num::encode(n))
    }

    /// The items in order; the records of a list are no items.
    #[must_use]
    pub fn items(&self) -> &[Vec<u8>] {
        match self {
            Self::Item(item) => std::slice::from_ref(item),
            Self::Items(items) => items,
            Self::Records(_) => &[],
        }
    }

    /// The only item.
    #[must_use]
    pub fn item(&self) -> Option<&[u8]> {
        match self.items() {
            [only] => Some(only),
            _ => None,
        }
    }

    pub(super) fn push(&self, out: &mut Vec<u8>) {
        self.items().iter().for_each(|item| push_data(out, item));
        if let Self::Records(records) = self {
            records.all.iter().rev().flatten().for_each(|field| push_data(out, field));
        }
    }
}

/// The JSON forms of a value.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Item(HexBytes),
    Items(Vec<HexBytes>),
    Records(Vec<Vec<HexBytes>>),
    About { about: HexBytes, records: Vec<Vec<HexBytes>> },
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct HexBytes(#[serde(with = "hex::serde")] Vec<u8>);

impl Serialize for AbiValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wrap = |items: &[Vec<u8>]| items.iter().cloned().map(HexBytes).collect::<Vec<_>>();
        let form = match self {
            Self::Item(item) => Form::Item(HexBytes(item.clone())),
            Self::Items(items) => Form::Items(wrap(items)),
            Self::Records(Records { about, all }) => {
                let records = all.iter().map(|record| wrap(record)).collect();
                match about.is_empty() {
                    true => Form::Records(records),
                    false => Form::About { about: HexBytes(about.clone()), records },
                }
            }
        };
        form.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AbiValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let open = |items: Vec<HexBytes>| items.into_iter().map(|HexBytes(bytes)| bytes).collect::<Vec<_>>();
        Ok(match Form::deserialize(deserializer)? {
            Form::Item(HexBytes(item)) => Self::Item(item),
            Form::Items(items) => Self::Items(open(items)),
            Form::Records(records) => Self::Records(records.into_iter().map(open).collect::<Vec<_>>().into()),
            Form::About { about: HexBytes(about), records } => {
                Self::Records(Records { about, all: records.into_iter().map(open).collect() })
            }
        })
    }
}

/// A value as the language sees it: numbers, truths, bytes, and compositions of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number of any numeric type, in its base unit.
    Int(i128),
    /// True or false.
    Bool(bool),
    /// Bytes of any type.
    Bytes(Vec<u8>),
    /// A struct, tuple, array, table or record: its parts in order. Also the records of a list.
    Parts(Vec<Value>),
    /// A variant of an enum: its place and its data.
    Variant(usize, Vec<Value>),
    /// The records of a list whose hash also covers bytes about all of them.
    List {
        /// These bytes.
        about: Vec<u8>,
        /// The records.
        records: Vec<Value>,
    },
}

/// A value is not of the type that is asked for, or too large for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} does not fit `{ty}`")]
pub struct Misfit {
    ty: String,
    what: &'static str,
}

impl Misfit {
    fn of(ty: &AbiType, value: &Value) -> Self {
        Self { ty: ty.to_string(), what: value.kind() }
    }
}

impl Value {
    /// What kind of value it is, for messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Int(_) => "a number",
            Self::Bool(_) => "a truth value",
            Self::Bytes(_) => "a string of bytes",
            Self::Parts(_) => "a composite value",
            Self::Variant(..) => "a variant",
            Self::List { .. } => "a list",
        }
    }

    /// The number.
    #[must_use]
    pub const fn int(&self) -> Option<i128> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The parts of a composite, in order.
    #[must_use]
    pub fn parts(&self) -> Option<&[Self]> {
        match self {
            Self::Parts(parts) | Self::List { records: parts, .. } => Some(parts),
            _ => None,
        }
    }
}

impl AbiType {
    /// The value as it lies on the stack or in holes; for a list, its records.
    ///
    /// ```
    /// use spec::artifact::{AbiType, AbiValue, Value};
    /// let pair: AbiType = "(Int, Bool)".parse().unwrap();
    /// let value = Value::Parts(vec![Value::Int(300), Value::Bool(true)]);
    /// assert_eq!(pair.encode(&value), Ok(AbiValue::Items(vec![vec![0x2c, 1], vec![1]])));
    /// assert_eq!(pair.decode(&pair.encode(&value).unwrap()), Some(value));
    /// ```
    ///
    /// # Errors
    /// [`Misfit`] if the value is of another type or too large.
    pub fn encode(&self, value: &Value) -> Result<AbiValue, Misfit> {
        let about = if let Value::List { about, .. } = value { about.clone() } else { Vec::new() };
        if let (Self::List(of), Some(records)) = (self, value.parts()) {
            let all = records.iter().map(|record| of.record(record)).collect::<Result<_, _>>()?;
            return Ok(AbiValue::Records(Records { about, all }));
        }
        let mut items = Vec::new();
        self.flatten(value, &mut items)?;
        Ok(match (self.is_scalar(), items.pop()) {
            (true, Some(only)) if items.is_empty() => AbiValue::Item(only),
            (_, last) => {
                items.extend(last);
                AbiValue::Items(items)
            }
        })
    }

    /// The value behind items; `None` if they are not of this type.
    #[must_use]
    pub fn decode(&self, value: &AbiValue) -> Option<Value> {
        if let (Self::List(of), AbiValue::Records(records)) = (self, value) {
            let all = records.all.iter().map(|record| of.fields_of(record)).collect::<Option<_>>()?;
            return Some(match records.about.as_slice() {
                [] => Value::Parts(all),
                about => Value::List { about: about.to_vec(), records: all },
            });
        }
        let mut items = value.items();
        let value = self.unflatten(&mut items)?;
        items.is_empty().then_some(value)
    }

    fn flatten(&self, value: &Value, out: &mut Vec<Vec<u8>>) -> Result<(), Misfit> {
        let misfit = || Misfit::of(self, value);
        match (self, value) {
            (Self::Tuple(types), Value::Parts(parts)) if types.len() == parts.len() => {
                types.iter().zip(parts).try_for_each(|(ty, part)| ty.flatten(part, out))
            }
            (Self::Struct(of), Value::Parts(parts)) if of.fields.len() == parts.len() => {
                of.fields.iter().zip(parts).try_for_each(|(field, part)| field.ty.flatten(part, out))
            }
            (Self::Array(of, len), Value::Parts(parts)) if *len == parts.len() => {
                parts.iter().try_for_each(|part| of.flatten(part, out))
            }
            (Self::Sigs(count), Value::Parts(parts)) if parts.len() == count.saturating_add(1) => {
                parts.iter().try_for_each(|part| Self::Bytes.flatten(part, out))
            }
            (Self::Enum(of), Value::Variant(variant, fields)) => {
                let types = of.fields(*variant, fields.len()).ok_or_else(misfit)?;
                let end = out.len().saturating_add(self.leaf_count());
                out.push(num::encode(i64::try_from(*variant).map_err(|_| misfit())?));
                types.iter().zip(fields).try_for_each(|(ty, field)| ty.flatten(field, out))?;
                out.resize(end, Vec::new());
                Ok(())
            }
            (ty, value) if ty.is_scalar() => {
                out.push(ty.item(value).ok_or_else(misfit)?);
                Ok(())
            }
            _ => Err(misfit()),
        }
    }

    /// The one item of a scalar.
    fn item(&self, value: &Value) -> Option<Vec<u8>> {
        match (self, value) {
            (Self::Table(..), Value::Parts(_)) => self.stored(value).ok(),
            (Self::Bool, Value::Bool(truth)) => Some(if *truth { vec![1] } else { vec![] }),
            (Self::IntN(len), Value::Int(n)) => {
                num::encode_sized(*n, *len)?;
                Some(num::encode_wide(*n))
            }
            (ty, Value::Int(n)) if ty.is_number() => Some(num::encode_wide(*n)),
            (ty, Value::Bytes(bytes)) => ty.takes_bytes(bytes.len()).then(|| bytes.clone()),
            _ => None,
        }
    }

    /// Whether values are strings of bytes, and this is a length that they can have.
    fn takes_bytes(&self, len: usize) -> bool {
        match self {
            Self::Bytes | Self::Sig | Self::DataSig | Self::Lock | Self::Padding => true,
            // The hash of a list stands for it where its records are not known.
            Self::List(_) => len == 32,
            Self::BytesN(_) | Self::PubKey | Self::Category | Self::Did | Self::Table(..) => {
                self.fixed_len() == Some(len)
            }
            _ => false,
        }
    }

    fn unflatten(&self, items: &mut &[Vec<u8>]) -> Option<Value> {
        match self {
            Self::Tuple(types) => types.iter().map(|ty| ty.unflatten(items)).collect::<Option<_>>().map(Value::Parts),
            Self::Struct(of) => {
                of.fields.iter().map(|field| field.ty.unflatten(items)).collect::<Option<_>>().map(Value::Parts)
            }
            Self::Array(of, len) => (0..*len).map(|_| of.unflatten(items)).collect::<Option<_>>().map(Value::Parts),
            Self::Sigs(count) => {
                (0..=*count).map(|_| Self::Bytes.unflatten(items)).collect::<Option<_>>().map(Value::Parts)
            }
            Self::Enum(of) => {
                let (mine, rest) = items.split_at_checked(self.leaf_count())?;
                *items = rest;
                let (tag, mut slots) = mine.split_first()?;
                let variant = usize::try_from(num::decode(tag)?).ok()?;
                let types = &of.variants.get(variant)?.fields;
                let fields = types.iter().map(|ty| ty.unflatten(&mut slots)).collect::<Option<_>>()?;
                slots.iter().all(Vec::is_empty).then_some(Value::Variant(variant, fields))
            }
            scalar => {
                let (item, rest) = items.split_first()?;
                *items = rest;
                scalar.scalar_value(item)
            }
        }
    }

    fn scalar_value(&self, item: &[u8]) -> Option<Value> {
        match self {
            Self::Bool => matches!(item, [] | [1]).then(|| Value::Bool(!item.is_empty())),
            Self::Table(..) => self.load(item),
            ty if ty.is_number() => num::decode_wide(item).map(Value::Int),
            ty => ty.takes_bytes(item.len()).then(|| Value::Bytes(item.to_vec())),
        }
    }

    /// The bytes that the value takes where it is stored, [`AbiType::stored_len`] of them.
    ///
    /// # Errors
    /// [`Misfit`] if the value is of another type or too large, or the type is never stored.
    pub fn stored(&self, value: &Value) -> Result<Vec<u8>, Misfit> {
        let mut out = Vec::new();
        self.store(value, &mut out)?;
        Ok(out)
    }

    fn store(&self, value: &Value, out: &mut Vec<u8>) -> Result<(), Misfit> {
        let misfit = || Misfit::of(self, value);
        let len = self.stored_len().ok_or_else(misfit)?;
        match (self, value) {
            (Self::Tuple(types), Value::Parts(parts)) if types.len() == parts.len() => {
                types.iter().zip(parts).try_for_each(|(ty, part)| ty.store(part, out))
            }
            (Self::Struct(of), Value::Parts(parts)) if of.fields.len() == parts.len() => {
                of.fields.iter().zip(parts).try_for_each(|(field, part)| field.ty.store(part, out))
            }
            (Self::Array(of, count) | Self::Table(of, count), Value::Parts(parts)) if *count == parts.len() => {
                parts.iter().try_for_each(|part| of.store(part, out))
            }
            (Self::Enum(of), Value::Variant(variant, fields)) => {
                let types = of.fields(*variant, fields.len()).ok_or_else(misfit)?;
                let end = out.len().saturating_add(len);
                out.push(u8::try_from(*variant).map_err(|_| misfit())?);
                types.iter().zip(fields).try_for_each(|(ty, field)| ty.store(field, out))?;
                out.resize(end, 0);
                Ok(())
            }
            (Self::Bool, Value::Bool(truth)) => {
                out.push(u8::from(*truth));
                Ok(())
            }
            (ty, Value::Int(n)) if ty.is_number() => {
                out.extend(num::encode_sized(*n, len).ok_or_else(misfit)?);
                Ok(())
            }
            (_, Value::Bytes(bytes)) if bytes.len() == len && self.takes_bytes(len) => {
                out.extend_from_slice(bytes);
                Ok(())
            }
            _ => Err(misfit()),
        }
    }

    /// The value that was stored as `bytes`; `None` if they are not of this type.
    #[must_use]
    pub fn load(&self, bytes: &[u8]) -> Option<Value> {
        let mut rest = bytes;
        let value = self.take(&mut rest)?;
        rest.is_empty().then_some(value)
    }

    fn take(&self, rest: &mut &[u8]) -> Option<Value> {
        match self {
            Self::Tuple(types) => types.iter().map(|ty| ty.take(rest)).collect::<Option<_>>().map(Value::Parts),
            Self::Struct(of) => {
                of.fields.iter().map(|field| field.ty.take(rest)).collect::<Option<_>>().map(Value::Parts)
            }
            Self::Array(of, count) | Self::Table(of, count) => {
                (0..*count).map(|_| of.take(rest)).collect::<Option<_>>().map(Value::Parts)
            }
            scalar => {
                let (bytes, after) = rest.split_at_checked(scalar.stored_len()?)?;
                *rest = after;
                scalar.stored_value(bytes)
            }
        }
    }

    fn stored_value(&self, bytes: &[u8]) -> Option<Value> {
        match self {
            Self::Enum(of) => {
                let (tag, mut slots) = bytes.split_first()?;
                let variant = usize::from(*tag);
                let fields = of.variants.get(variant)?.fields.iter().map(|ty| ty.take(&mut slots));
                let fields = fields.collect::<Option<_>>()?;
                slots.iter().all(|byte| *byte == 0).then_some(Value::Variant(variant, fields))
            }
            Self::Bool => matches!(bytes, [0 | 1]).then(|| Value::Bool(bytes == [1])),
            ty if ty.is_number() => num::decode_sized(bytes).map(Value::Int),
            _ => Some(Value::Bytes(bytes.to_vec())),
        }
    }
}

impl EnumType {
    /// The types of a variant that has this many fields.
    fn fields(&self, variant: usize, count: usize) -> Option<&[AbiType]> {
        self.variants.get(variant).map(|variant| variant.fields.as_slice()).filter(|fields| fields.len() == count)
    }
}

impl super::StructType {
    /// A record as it is stored. The fields of a type without one stored length keep the bytes that they have.
    fn record(&self, record: &Value) -> Result<Record, Misfit> {
        let list = || AbiType::List(self.clone());
        let parts = record.parts().filter(|parts| parts.len() == self.fields.len());
        let parts = parts.ok_or_else(|| Misfit::of(&list(), record))?;
        let field = |(field, part): (&super::Slot, &Value)| match (field.ty.stored_len(), part) {
            (None, Value::Bytes(bytes)) if field.ty.takes_bytes(bytes.len()) => Ok(bytes.clone()),
            _ => field.ty.stored(part),
        };
        self.fields.iter().zip(parts).map(field).collect()
    }

    /// The value behind a record.
    fn fields_of(&self, record: &Record) -> Option<Value> {
        let field = |(field, bytes): (&super::Slot, &Vec<u8>)| match field.ty.stored_len() {
            None => field.ty.takes_bytes(bytes.len()).then(|| Value::Bytes(bytes.clone())),
            Some(_) => field.ty.load(bytes),
        };
        let fields = (record.len() == self.fields.len()).then(|| self.fields.iter().zip(record).map(field));
        fields?.collect::<Option<_>>().map(Value::Parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Slot, StructType, VariantType};

    fn option_of(ty: AbiType) -> AbiType {
        let variant = |name: &str, fields| VariantType { name: name.into(), fields, names: vec![] };
        let variants = vec![variant("None", vec![]), variant("Some", vec![ty])];
        AbiType::Enum(EnumType { name: "Option".into(), variants })
    }

    fn ty(text: &str) -> AbiType {
        text.parse().unwrap()
    }

    fn ints(numbers: &[i128]) -> Value {
        Value::Parts(numbers.iter().copied().map(Value::Int).collect())
    }

    /// Encoding and storing are undone by decoding and loading.
    #[test]
    fn values_survive_the_stack_and_the_commitment() {
        let some = |value| Value::Variant(1, vec![value]);
        let cases = [
            (ty("Int"), Value::Int(-(1 << 62)), "00000000000000c0", "00000000000000c0"),
            (ty("Int<4>"), Value::Int(-5), "85", "05000080"),
            (ty("Coin"), Value::Int(0), "", "0000000000000000"),
            (ty("Time"), Value::Int(4_294_967_295), "ffffffff00", "ffffffff00"),
            (ty("Bool"), Value::Bool(true), "01", "01"),
            (ty("Bytes<2>"), Value::Bytes(vec![7, 8]), "0708", "0708"),
            (ty("(Int<2>, Bool)"), Value::Parts(vec![Value::Int(128), Value::Bool(false)]), "8000,", "800000"),
            (ty("[Int<1>; 3]"), ints(&[1, 0, -1]), "01,,81", "010081"),
            (ty("Table<Int<2>, 2>"), ints(&[1, 258]), "01000201", "01000201"),
            (option_of(ty("(Int<2>, Int<1>)")), Value::Variant(0, vec![]), ",,", "00000000"),
            (option_of(ty("(Int<2>, Int<1>)")), some(ints(&[9, 7])), "01,09,07", "01090007"),
            (option_of(option_of(ty("Int<1>"))), some(some(Value::Int(5))), "01,01,05", "010105"),
        ];
        for (ty, value, items, stored) in cases {
            let encoded = ty.encode(&value).unwrap();
            let text: Vec<String> = encoded.items().iter().map(hex::encode).collect();
            assert_eq!((text.join(","), text.len()), (items.to_owned(), ty.leaf_count()), "{ty}");
            assert_eq!(ty.decode(&encoded), Some(value.clone()), "{ty}");
            let bytes = ty.stored(&value).unwrap();
            assert_eq!((hex::encode(&bytes), Some(bytes.len())), (stored.to_owned(), ty.stored_len()), "{ty}");
            assert_eq!(ty.load(&bytes), Some(value), "{ty}");
        }
    }

    #[test]
    fn values_of_another_type_are_refused() {
        for (ty, value) in [
            (ty("Int"), Value::Bool(true)),
            (ty("Int<1>"), Value::Int(128)),
            (ty("Bytes<2>"), Value::Bytes(vec![1])),
            (ty("(Int, Int)"), ints(&[1])),
            (ty("[Int; 2]"), ints(&[1, 2, 3])),
            (option_of(ty("Int")), Value::Variant(2, vec![])),
            (option_of(ty("Int")), Value::Variant(1, vec![])),
            (ty("Category"), Value::Bytes(vec![1; 34])),
        ] {
            assert!(ty.encode(&value).is_err() && ty.stored(&value).is_err(), "{ty}");
        }
        assert_eq!(ty("Coin").stored(&Value::Int(1 << 63)).unwrap_err().to_string(), "a number does not fit `Coin`");
        for (ty, bytes) in [(ty("Bool"), &[2][..]), (ty("Int<2>"), &[1]), (option_of(ty("Bool")), &[0, 1])] {
            assert_eq!(ty.load(bytes), None, "{ty}");
        }
    }

    #[test]
    fn records_keep_locks_as_they_are_and_survive_json() {
        let field = |name: &str, ty| Slot { name: name.into(), ty };
        let fields = vec![field("weight", ty("Int<4>")), field("lock", AbiType::Lock)];
        let list = AbiType::List(StructType { name: "Recipient".into(), fields });
        let records = Value::Parts(vec![Value::Parts(vec![Value::Int(3), Value::Bytes(vec![0x51])])]);
        let encoded = list.encode(&records).unwrap();
        assert_eq!(encoded, AbiValue::Records(vec![vec![vec![3, 0, 0, 0], vec![0x51]]].into()));
        assert_eq!(list.decode(&encoded), Some(records));
        for (value, json) in [
            (encoded, r#"[["03000000","51"]]"#),
            (
                AbiValue::Records(Records { about: vec![7], all: vec![vec![vec![0x51]]] }),
                r#"{"about":"07","records":[["51"]]}"#,
            ),
            (AbiValue::int(5), r#""05""#),
            (AbiValue::Items(vec![vec![], vec![1]]), r#"["","01"]"#),
        ] {
            assert_eq!(serde_json::to_string(&value).unwrap(), json);
            assert_eq!(serde_json::from_str::<AbiValue>(json).unwrap(), value);
        }
    }
}
