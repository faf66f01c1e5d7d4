//! The types of parameters, arguments and state fields: their text, their JSON, and how many stack items their values take.
//!
//! A composite value never lies on the stack as one item. It is taken apart into *leaves*, its
//! scalars in order; a variant of an enum takes its number and then as many items as the widest
//! variant, empty where the variant at hand has fewer.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Slot;

/// How deep types may nest.
pub const TYPE_DEPTH_MAX: usize = 16;
/// How many parts a value may have, all levels together.
pub const PARTS_MAX: usize = 70_000;
/// How many variants an enum may have: the number of one is stored in a byte whose top bit is the sign.
pub const VARIANTS_MAX: usize = 128;

/// The type of a parameter, argument or state field, as far as its encoding goes.
///
/// Types without declared names have a text; structs, enums and lists an object in JSON.
///
/// ```
/// use spec::artifact::AbiType;
/// let grid: AbiType = "[(Int<4>, Bool); 3]".parse().unwrap();
/// assert_eq!((grid.leaf_count(), grid.stored_len()), (6, Some(15)));
/// let json = r#"{"struct":"Point","fields":[{"name":"x","type":"Int"},{"name":"y","type":"Int"}]}"#;
/// let point: AbiType = serde_json::from_str(json).unwrap();
/// assert_eq!((point.to_string(), serde_json::to_string(&point).unwrap()), ("Point".into(), json.into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AbiType {
    /// A number.
    Int,
    /// A number that is stored in exactly this many bytes; on the stack it is a number like any other.
    IntN(usize),
    /// True or false.
    Bool,
    /// Base units of money.
    Coin,
    /// Fungible tokens.
    Tokens,
    /// A block height.
    Height,
    /// Seconds since 1970.
    Time,
    /// A number of blocks.
    Blocks,
    /// A number of seconds, in steps of 512 where it locks.
    Duration,
    /// Bytes of any length.
    Bytes,
    /// Bytes of one length.
    BytesN(usize),
    /// A public key of 33 bytes.
    PubKey,
    /// A transaction signature with its type byte.
    Sig,
    /// A signature over data.
    DataSig,
    /// A locking bytecode.
    Lock,
    /// This many signatures of a multisig, behind the bit field that names their keys.
    Sigs(usize),
    /// The 32 bytes of a token category, without a capability.
    Category,
    /// An identity: the 32 bytes of its control token's category.
    Did,
    /// Bytes that buy operation budget and mean nothing; the wallet chooses how many.
    Padding,
    /// Values side by side.
    Tuple(Vec<AbiType>),
    /// Values of one type, each with its own items.
    Array(Box<AbiType>, usize),
    /// Values of one type in one packed item.
    Table(Box<AbiType>, usize),
    /// Named values side by side.
    Struct(StructType),
    /// One of several variants.
    Enum(EnumType),
    /// Records of any number, of which a contract holds only the chain hash.
    List(StructType),
}

/// A struct: named fields in order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StructType {
    /// Its name.
    pub name: String,
    /// Its fields.
    pub fields: Vec<Slot>,
}

/// An enum: variants with data.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EnumType {
    /// Its name.
    pub name: String,
    /// Its variants; a value begins with the place of its own.
    pub variants: Vec<VariantType>,
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VariantType {
    /// Its name.
    pub name: String,
    /// The types of its data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<AbiType>,
    /// The names of its data, if they have names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

impl AbiType {
    /// The length in bytes on the stack, where all values are one item and share one length.
    #[must_use]
    pub fn fixed_len(&self) -> Option<usize> {
        match self {
            Self::BytesN(len) => Some(*len),
            Self::PubKey => Some(33),
            Self::Category | Self::Did => Some(32),
            Self::Table(..) => self.stored_len(),
            _ => None,
        }
    }

    /// Whether values are script numbers.
    #[must_use]
    pub const fn is_number(&self) -> bool {
        matches!(
            self,
            Self::Int
                | Self::IntN(_)
                | Self::Coin
                | Self::Tokens
                | Self::Height
                | Self::Time
                | Self::Blocks
                | Self::Duration
        )
    }

    /// Whether a value is one item or the several of a multisig, and no composition of other types.
    #[must_use]
    pub const fn is_scalar(&self) -> bool {
        !matches!(self, Self::Tuple(_) | Self::Array(..) | Self::Struct(_) | Self::Enum(_))
    }

    /// The number of stack items that a value takes, and of holes that a parameter has. At most [`PARTS_MAX`] for
    /// a type that was read; [`usize::MAX`] for one that is too large to count.
    #[must_use]
    pub fn leaf_count(&self) -> usize {
        match self {
            Self::Sigs(count) => count.saturating_add(1),
            Self::Tuple(parts) => sum(parts.iter().map(Self::leaf_count)),
            Self::Struct(of) => sum(of.fields.iter().map(|field| field.ty.leaf_count())),
            Self::Array(of, len) => of.leaf_count().saturating_mul(*len),
            Self::Enum(of) => of.widest(|fields| sum(fields.iter().map(Self::leaf_count))).saturating_add(1),
            _ => 1,
        }
    }

    /// The bytes that a value takes where it is stored: in a token commitment, a packed table or a list's record.
    /// `None` for types whose values differ in length and for those that are never stored.
    #[must_use]
    pub fn stored_len(&self) -> Option<usize> {
        match self {
            Self::Bool => Some(1),
            Self::Int | Self::Coin | Self::Tokens => Some(8),
            Self::Height | Self::Blocks | Self::Duration => Some(4),
            Self::Time => Some(5),
            Self::IntN(len) | Self::BytesN(len) => Some(*len),
            Self::PubKey => Some(33),
            Self::Category | Self::Did => Some(32),
            Self::Tuple(parts) => stored_sum(parts.iter()),
            Self::Struct(of) => stored_sum(of.fields.iter().map(|field| &field.ty)),
            Self::Array(of, len) | Self::Table(of, len) => of.stored_len()?.checked_mul(*len),
            Self::Enum(of) => of.stored_len(),
            Self::Bytes | Self::Sig | Self::DataSig | Self::Lock | Self::Sigs(_) | Self::Padding | Self::List(_) => {
                None
            }
        }
    }

    /// What is wrong with a type that was read or made by hand: too deep, too wide, or a size that no value has.
    ///
    /// # Errors
    /// A sentence without the type.
    pub fn check(&self) -> Result<(), &'static str> {
        self.check_from(TYPE_DEPTH_MAX)?;
        if self.part_count() > PARTS_MAX { Err("a value would have more than 70000 parts") } else { Ok(()) }
    }

    /// How deep its JSON nests.
    pub(crate) fn json_depth(&self) -> usize {
        let deepest = |parts: &mut dyn Iterator<Item = &Self>| parts.map(Self::json_depth).max().unwrap_or(0);
        match self {
            text if text.has_text() => 0,
            Self::Struct(of) | Self::List(of) => 3 + deepest(&mut of.fields.iter().map(|field| &field.ty)),
            Self::Enum(of) => 4 + deepest(&mut of.variants.iter().flat_map(|variant| &variant.fields)),
            Self::Tuple(parts) => 2 + deepest(&mut parts.iter()),
            Self::Array(of, _) | Self::Table(of, _) => 1 + of.json_depth(),
            _ => 1,
        }
    }

    /// The parts of a value on all levels; more than its items, as a composite without parts is one too.
    fn part_count(&self) -> usize {
        let inner = match self {
            Self::Sigs(count) => *count,
            Self::Tuple(parts) => sum(parts.iter().map(Self::part_count)),
            Self::Struct(of) | Self::List(of) => sum(of.fields.iter().map(|field| field.ty.part_count())),
            Self::Array(of, len) | Self::Table(of, len) => of.part_count().saturating_mul(*len),
            Self::Enum(of) => of.widest(|fields| sum(fields.iter().map(Self::part_count))),
            _ => 0,
        };
        inner.saturating_add(1)
    }

    fn check_from(&self, depth: usize) -> Result<(), &'static str> {
        let deeper = depth.checked_sub(1).ok_or("types nest more than 16 deep")?;
        let mut parts: Box<dyn Iterator<Item = &Self>> = match self {
            Self::Tuple(parts) => Box::new(parts.iter()),
            Self::Struct(of) | Self::List(of) => Box::new(of.fields.iter().map(|field| &field.ty)),
            Self::Enum(of) if of.variants.len() > VARIANTS_MAX => return Err("an enum has more than 128 variants"),
            Self::Enum(of) => Box::new(of.variants.iter().flat_map(|variant| &variant.fields)),
            Self::Array(of, _) => Box::new(std::iter::once(&**of)),
            Self::Table(..) if self.stored_len().is_none() => return Err("a table packs values of one length"),
            Self::Table(of, _) => Box::new(std::iter::once(&**of)),
            Self::IntN(0) => return Err("a number is stored in at least one byte"),
            _ => Box::new(std::iter::empty()),
        };
        parts.try_for_each(|part| part.check_from(deeper))
    }
}

impl EnumType {
    /// The most that `size` says of any variant's fields.
    fn widest(&self, size: impl Fn(&[AbiType]) -> usize) -> usize {
        self.variants.iter().map(|variant| size(&variant.fields)).max().unwrap_or(0)
    }

    fn stored_len(&self) -> Option<usize> {
        let lens = self.variants.iter().map(|variant| stored_sum(variant.fields.iter()));
        lens.collect::<Option<Vec<_>>>()?.into_iter().max().unwrap_or(0).checked_add(1)
    }
}

fn sum(counts: impl Iterator<Item = usize>) -> usize {
    counts.fold(0, usize::saturating_add)
}

fn stored_sum<'a>(mut parts: impl Iterator<Item = &'a AbiType>) -> Option<usize> {
    parts.try_fold(0usize, |sum, part| sum.checked_add(part.stored_len()?))
}

const PLAIN_TYPES: [(&str, AbiType); 16] = [
    ("Int", AbiType::Int),
    ("Bool", AbiType::Bool),
    ("Coin", AbiType::Coin),
    ("Tokens", AbiType::Tokens),
    ("Height", AbiType::Height),
    ("Time", AbiType::Time),
    ("Blocks", AbiType::Blocks),
    ("Duration", AbiType::Duration),
    ("Bytes", AbiType::Bytes),
    ("PubKey", AbiType::PubKey),
    ("Sig", AbiType::Sig),
    ("DataSig", AbiType::DataSig),
    ("Lock", AbiType::Lock),
    ("Category", AbiType::Category),
    ("Did", AbiType::Did),
    ("Padding", AbiType::Padding),
];

impl fmt::Display for AbiType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BytesN(len) => write!(f, "Bytes<{len}>"),
            Self::IntN(len) => write!(f, "Int<{len}>"),
            Self::Sigs(count) => write!(f, "Sigs<{count}>"),
            Self::Array(of, len) => write!(f, "[{of}; {len}]"),
            Self::Table(of, len) => write!(f, "Table<{of}, {len}>"),
            Self::Struct(of) => f.write_str(&of.name),
            Self::Enum(of) => f.write_str(&of.name),
            Self::List(of) => write!(f, "list<{}>", of.name),
            Self::Tuple(parts) => {
                f.write_str("(")?;
                parts.iter().enumerate().try_for_each(|(index, part)| {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{part}")
                })?;
                f.write_str(")")
            }
            plain => f.write_str(PLAIN_TYPES.iter().find(|(_, ty)| ty == plain).map_or("?", |(name, _)| name)),
        }
    }
}

impl std::str::FromStr for AbiType {
    type Err = String;

    /// Reads the text of a type that contains no declared name.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let start: String = text.chars().take(60).collect();
            format!("`{start}` is no type of a parameter")
        };
        let mut words = Words { rest: text };
        let ty = words.ty(TYPE_DEPTH_MAX).filter(|_| words.rest.is_empty()).ok_or_else(wrong)?;
        ty.check().map_err(str::to_owned)?;
        Ok(ty)
    }
}

/// What is left of a type's text.
struct Words<'t> {
    rest: &'t str,
}

impl Words<'_> {
    fn ty(&mut self, depth: usize) -> Option<AbiType> {
        let deeper = depth.checked_sub(1)?;
        if self.eat("(") {
            return self.tuple(deeper);
        }
        if self.eat("[") {
            let of = self.ty(deeper)?;
            let len = self.then("; ")?.number()?;
            return self.then("]").map(|_| AbiType::Array(Box::new(of), len));
        }
        if self.eat("Table<") {
            let of = self.ty(deeper)?;
            let len = self.then(", ")?.number()?;
            return self.then(">").map(|_| AbiType::Table(Box::new(of), len));
        }
        for (name, sized) in
            [("Bytes<", AbiType::BytesN as fn(usize) -> AbiType), ("Int<", AbiType::IntN), ("Sigs<", AbiType::Sigs)]
        {
            if self.eat(name) {
                let size = self.number()?;
                return self.then(">").map(|_| sized(size));
            }
        }
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        PLAIN_TYPES.iter().find(|(name, _)| *name == word).map(|(_, ty)| ty.clone())
    }

    fn tuple(&mut self, depth: usize) -> Option<AbiType> {
        let mut parts = Vec::new();
        while !self.eat(")") {
            if !parts.is_empty() {
                self.then(", ")?;
            }
            parts.push(self.ty(depth)?);
        }
        Some(AbiType::Tuple(parts))
    }

    fn eat(&mut self, word: &str) -> bool {
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn then(&mut self, word: &str) -> Option<&mut Self> {
        self.eat(word).then_some(self)
    }

    fn number(&mut self) -> Option<usize> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        digits.parse().ok()
    }
}

impl AbiType {
    /// Whether the text says everything: no struct, enum or list inside.
    fn has_text(&self) -> bool {
        match self {
            Self::Struct(_) | Self::Enum(_) | Self::List(_) => false,
            Self::Tuple(parts) => parts.iter().all(Self::has_text),
            Self::Array(of, _) | Self::Table(of, _) => of.has_text(),
            _ => true,
        }
    }
}

impl Serialize for AbiType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.has_text() {
            return serializer.collect_str(self);
        }
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Struct(of) => {
                map.serialize_entry("struct", &of.name)?;
                map.serialize_entry("fields", &of.fields)?;
            }
            Self::List(of) => {
                map.serialize_entry("list", &of.name)?;
                map.serialize_entry("fields", &of.fields)?;
            }
            Self::Enum(of) => {
                map.serialize_entry("enum", &of.name)?;
                map.serialize_entry("variants", &of.variants)?;
            }
            Self::Array(of, len) => {
                map.serialize_entry("array", of)?;
                map.serialize_entry("length", len)?;
            }
            Self::Table(of, len) => {
                map.serialize_entry("table", of)?;
                map.serialize_entry("length", len)?;
            }
            Self::Tuple(parts) => map.serialize_entry("tuple", parts)?,
            plain => map.serialize_entry("plain", &plain.to_string())?,
        }
        map.end()
    }
}

/// The object form of a type. Which fields are there says what it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    r#struct: Option<String>,
    list: Option<String>,
    r#enum: Option<String>,
    tuple: Option<Vec<AbiType>>,
    array: Option<Box<AbiType>>,
    table: Option<Box<AbiType>>,
    fields: Option<Vec<Slot>>,
    variants: Option<Vec<VariantType>>,
    length: Option<usize>,
}

impl Form {
    fn into_type(self) -> Option<AbiType> {
        let Self { r#struct, list, r#enum, tuple, array, table, fields, variants, length } = self;
        let record = |name| Some(StructType { name, fields: fields.clone()? });
        let forms = [
            r#struct.and_then(record).map(AbiType::Struct),
            list.and_then(record).map(AbiType::List),
            r#enum.and_then(|name| Some(AbiType::Enum(EnumType { name, variants: variants? }))),
            tuple.map(AbiType::Tuple),
            array.and_then(|of| Some(AbiType::Array(of, length?))),
            table.and_then(|of| Some(AbiType::Table(of, length?))),
        ];
        let mut found = forms.into_iter().flatten();
        let only = found.next();
        only.filter(|_| found.next().is_none())
    }
}

impl<'de> Deserialize<'de> for AbiType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TypeVisitor)
    }
}

struct TypeVisitor;

impl<'de> Visitor<'de> for TypeVisitor {
    type Value = AbiType;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the text of a type, or an object that says what a struct, enum or list holds")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<AbiType, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AbiType, A::Error> {
        let form = Form::deserialize(MapAccessDeserializer::new(map))?;
        let ty = form
            .into_type()
            .ok_or_else(|| A::Error::custom("the object is no struct, enum, list, tuple, array or table"))?;
        ty.check().map_err(A::Error::custom)?;
        Ok(ty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The type survives text where it has one, and JSON always.
    fn check(ty: &AbiType) {
        ty.check().unwrap();
        let json = serde_json::to_string(ty).unwrap();
        assert_eq!(serde_json::from_str::<AbiType>(&json).unwrap(), *ty, "{json}");
        if ty.has_text() {
            assert_eq!(ty.to_string().parse().as_ref(), Ok(ty));
        }
    }

    fn slot(name: &str, ty: AbiType) -> Slot {
        Slot { name: name.into(), ty }
    }

    fn point() -> StructType {
        StructType { name: "Point".into(), fields: vec![slot("x", AbiType::Int), slot("y", AbiType::IntN(4))] }
    }

    fn shape() -> AbiType {
        let variant = |name: &str, fields| VariantType { name: name.into(), fields, names: vec![] };
        let variants = vec![variant("Dot", vec![]), variant("At", vec![AbiType::Struct(point()), AbiType::Bool])];
        AbiType::Enum(EnumType { name: "Shape".into(), variants })
    }

    #[test]
    fn types_survive_text_and_json() {
        PLAIN_TYPES.iter().for_each(|(_, ty)| check(ty));
        for text in ["Bytes<20>", "Int<4>", "Sigs<3>", "()", "(Int, Bool)", "[[Did; 2]; 0]", "Table<Int<4>, 100>"] {
            check(&text.parse().unwrap());
        }
        check(&AbiType::List(point()));
        check(&shape());
        check(&AbiType::Tuple(vec![AbiType::Int, AbiType::Array(Box::new(shape()), 3)]));
        let json = serde_json::to_string(&shape()).unwrap();
        assert!(
            json.starts_with(r#"{"enum":"Shape","variants":[{"name":"Dot"},{"name":"At","fields":[{"struct""#),
            "{json}"
        );
    }

    #[test]
    fn values_take_as_many_items_and_bytes_as_their_parts() {
        for (ty, leaves, stored) in [
            (AbiType::Int, 1, Some(8)),
            (AbiType::Sigs(2), 3, None),
            ("Table<Int<4>, 100>".parse().unwrap(), 1, Some(400)),
            ("[(Int<4>, Bytes<2>); 10]".parse().unwrap(), 20, Some(60)),
            (AbiType::Struct(point()), 2, Some(12)),
            (shape(), 4, Some(14)),
            (AbiType::List(point()), 1, None),
        ] {
            assert_eq!((ty.leaf_count(), ty.stored_len()), (leaves, stored), "{ty}");
        }
    }

    #[test]
    fn hostile_types_are_refused_without_harm() {
        let nested = |depth: usize| "[".repeat(depth) + "Int" + &"; 1]".repeat(depth);
        assert!(nested(TYPE_DEPTH_MAX - 1).parse::<AbiType>().is_ok());
        for text in [
            nested(TYPE_DEPTH_MAX),
            nested(100_000),
            "(".repeat(100_000),
            "[[Int; 300]; 300]".into(),
            "[(); 18446744073709551615]".into(),
            "Table<Table<(), 18446744073709551615>, 2>".into(),
            "[[Int; 18446744073709551615]; 18446744073709551615]".into(),
            "[Int; 18446744073709551616]".into(),
            "Table<Bytes, 2>".into(),
            "Int<0>".into(),
            "Int<-1>".into(),
            "Int ".into(),
            "(Int,Int)".into(),
            String::new(),
        ] {
            assert!(text.parse::<AbiType>().is_err(), "{}", text.get(..40).unwrap_or(&text));
        }
        let deep = r#"{"tuple":["#.repeat(60) + r#""Int""# + &"]}".repeat(60);
        for json in [
            deep.as_str(),
            r#"{"struct":"A"}"#,
            r#"{"struct":"A","fields":[],"tuple":[]}"#,
            r#"{"array":"Int"}"#,
            r#"{"list":"A","fields":[{"name":"x"}]}"#,
            r#"{"what":1}"#,
            "{}",
            "7",
        ] {
            assert!(serde_json::from_str::<AbiType>(json).is_err(), "{json}");
        }
    }
}
