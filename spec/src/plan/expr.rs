//! The expressions of plans, and their JSON: as bare as their kind allows.
//!
//! Numbers and truth values stand for themselves, bytes are a text with `0x`, and everything else is an object with
//! one key: `{"add": [{"arg": 0}, 5]}`.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::artifact::{AbiType, SourceSpan};

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// A number.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// Bytes.
    Bytes(Vec<u8>),
    /// What the transaction leaves to the miner.
    Fee,
    /// The lock at which the wallet takes change.
    Wallet,
    /// An argument of the plan.
    Arg(usize),
    /// What a `let` or a loop has bound.
    Local(usize),
    /// A parameter of an input's contract.
    Param(ParamOf),
    /// Something about a coin that is spent.
    Fact(FactOf),
    /// The numbers of an input's coins, from 0: a list to loop over.
    Coins(usize),
    /// The place in the transaction of the plan's output with this number; of the first, where it is several.
    Output(usize),
    /// The lock of a contract of the program.
    Lock(LockOf),
    /// A struct, tuple or array of its parts.
    Parts(Vec<Expr>),
    /// A variant of an enum.
    Variant(VariantOf),
    /// A part of a composite, or a field of a variant's data.
    Field(FieldOf),
    /// One of two values; the other is not evaluated.
    If(Box<IfOf>),
    /// A list's parts, each replaced by a value.
    Map(Box<MapOf>),
    /// A value that there is only where a condition holds.
    Check(Box<CheckOf>),
    /// The bytes of a value where it is stored, such as a contract's state.
    Store(Typed),
    /// The value that bytes store.
    Load(Typed),
    /// The one stack item of a value; for a list, the hash that stands for it in a contract.
    Item(Typed),
    /// An expression with its place in the source.
    At(Spanned),
    /// An operation on values.
    Op(Op, Vec<Expr>),
}

/// A parameter of an input's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParamOf {
    /// The input.
    pub input: usize,
    /// The parameter's place in the artifact.
    pub param: usize,
}

/// Something about a coin that is spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactOf {
    /// The input.
    pub input: usize,
    /// Which of its coins; the only one, or the one at hand, without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coin: Option<Box<Expr>>,
    /// What about it.
    pub what: CoinFact,
}

/// What can be known about a coin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CoinFact {
    /// Its value, in base units.
    Value,
    /// Its locking bytecode.
    Lock,
    /// The redeem script, of a contract's coin.
    Code,
    /// The 32 bytes that name the transaction that made it, as scripts see them. For a genesis input the new category.
    Txid,
    /// Its place among the outputs of that transaction.
    Outpoint,
    /// Its place among the inputs of the transaction that spends it.
    Position,
    /// Its category as scripts see it: 32 bytes, a 33rd for a capability above none, or nothing at all.
    Category,
    /// What its non-fungible token may do: 0 nothing, 1 change, 2 mint; 0 where it has none.
    Capability,
    /// How many fungible tokens it carries.
    Amount,
    /// The commitment of its non-fungible token; empty where it has none.
    Commitment,
    /// A field of its contract's state.
    State(usize),
    /// A parameter of its contract, by its place in the artifact: of several coins each may have its own.
    Param(usize),
}

/// The lock of a contract of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockOf {
    /// The contract.
    pub contract: String,
    /// Its parameters that are not computed, in order.
    pub args: Vec<Expr>,
}

/// A variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantOf {
    /// Its place.
    pub variant: usize,
    /// Its data.
    pub fields: Vec<Expr>,
}

/// A part of a composite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldOf {
    /// The composite.
    pub of: Box<Expr>,
    /// The part's place.
    pub field: usize,
}

/// One of two values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IfOf {
    /// A truth value.
    pub condition: Expr,
    /// The value if it holds.
    pub then: Expr,
    /// The value if it does not.
    pub otherwise: Expr,
}

/// A list's parts, each replaced by a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapOf {
    /// The list, array or coins of an input.
    pub list: Expr,
    /// The local that holds the part at hand.
    pub item: usize,
    /// The local that counts the parts from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// What replaces it.
    pub value: Expr,
}

/// A value that there is only where a condition holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckOf {
    /// A truth value.
    pub condition: Expr,
    /// What to say where it does not hold.
    pub message: String,
    /// The value; it is not evaluated before the condition.
    pub of: Expr,
}

/// A value with the type by which it is encoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// The type.
    #[serde(rename = "type")]
    pub ty: AbiType,
    /// The value, or its bytes.
    pub value: Box<Expr>,
}

/// An expression with its place in the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spanned {
    /// The place.
    pub span: SourceSpan,
    /// The expression.
    pub of: Box<Expr>,
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $text:literal, [$counts:pat];)*) => {
        /// An operation on values.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Op {
            $($(#[$doc])* $name,)*
        }

        impl Op {
            /// All operations.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// How many values it takes.
            #[must_use]
            pub const fn takes(self, count: usize) -> bool {
                match self {
                    $(Self::$name => matches!(count, $counts),)*
                }
            }
        }
    };
}

const MANY: usize = usize::MAX;

operations! {
    /// The sum.
    Add = "add", [1 ..= MANY];
    /// The first less the second.
    Sub = "sub", [2 ..= 2];
    /// The product.
    Mul = "mul", [1 ..= MANY];
    /// The quotient, rounded towards zero as scripts do.
    Div = "div", [2 ..= 2];
    /// What the quotient leaves, with the sign of the first.
    Mod = "mod", [2 ..= 2];
    /// The number with the other sign.
    Neg = "neg", [1 ..= 1];
    /// The number without its sign.
    Abs = "abs", [1 ..= 1];
    /// The smallest.
    Min = "min", [1 ..= MANY];
    /// The greatest.
    Max = "max", [1 ..= MANY];
    /// Whether two values are the same.
    Eq = "eq", [2 ..= 2];
    /// Whether they differ.
    Ne = "ne", [2 ..= 2];
    /// Whether the first number is smaller.
    Lt = "lt", [2 ..= 2];
    /// Whether the first number is not greater.
    Le = "le", [2 ..= 2];
    /// Whether the first number is greater.
    Gt = "gt", [2 ..= 2];
    /// Whether the first number is not smaller.
    Ge = "ge", [2 ..= 2];
    /// Whether all hold; what comes after one that does not is not evaluated.
    And = "and", [1 ..= MANY];
    /// Whether one holds; what comes after it is not evaluated.
    Or = "or", [1 ..= MANY];
    /// Whether it does not hold.
    Not = "not", [1 ..= 1];
    /// Bytes one after the other.
    Cat = "cat", [1 ..= MANY];
    /// The bytes from one place up to another.
    Slice = "slice", [3 ..= 3];
    /// The number of bytes.
    Len = "len", [1 ..= 1];
    /// The bytes from the last to the first.
    Reverse = "reverse", [1 ..= 1];
    /// A number as so many bytes, as `OP_NUM2BIN` makes them.
    ToBytes = "to_bytes", [2 ..= 2];
    /// A number as its shortest bytes.
    Encode = "encode", [1 ..= 1];
    /// The number that bytes mean, as `OP_BIN2NUM` reads them.
    ToInt = "to_int", [1 ..= 1];
    /// A truth value as 1 or 0.
    Truth = "truth", [1 ..= 1];
    /// SHA-256.
    Sha256 = "sha256", [1 ..= 1];
    /// SHA-256 twice.
    Hash256 = "hash256", [1 ..= 1];
    /// RIPEMD-160 of SHA-256.
    Hash160 = "hash160", [1 ..= 1];
    /// RIPEMD-160.
    Ripemd160 = "ripemd160", [1 ..= 1];
    /// SHA-1.
    Sha1 = "sha1", [1 ..= 1];
    /// The lock that pays to the hash of a public key, from its 20 bytes.
    PayKeyHash = "p2pkh", [1 ..= 1];
    /// The lock that pays to a redeem script, from its bytes.
    PayScript = "p2sh32", [1 ..= 1];
    /// The lock that pays to the hash of a redeem script, from its 32 bytes.
    PayScriptHash = "p2sh32_of", [1 ..= 1];
    /// The number of parts.
    Count = "count", [1 ..= 1];
    /// The part at a place.
    Index = "index", [2 ..= 2];
    /// The sum of a list of numbers.
    Sum = "sum", [1 ..= 1];
    /// The sums of a list of numbers up to each, itself included.
    Sums = "sums", [1 ..= 1];
    /// An amount divided by weights so that the parts add up to it: cumulative sums rounded to the nearest unit.
    Split = "split", [2 ..= 2];
    /// Two lists one after the other.
    Join = "join", [2 ..= 2];
    /// The numbers from the first up to the second, without it.
    Range = "range", [2 ..= 2];
    /// The place of a variant among those of its enum.
    Tag = "tag", [1 ..= 1];
}

impl Op {
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|op| op.name() == name)
    }
}

impl Expr {
    /// An operation.
    #[must_use]
    pub fn op<const N: usize>(op: Op, of: [Self; N]) -> Self {
        Self::Op(op, of.into())
    }

    /// How deep its JSON nests; readers of JSON refuse what nests too deep.
    ///
    /// ```
    /// use spec::plan::{Expr, Op};
    /// assert_eq!(Expr::Arg(0).json_depth(), 1);
    /// assert_eq!(Expr::op(Op::Neg, [Expr::op(Op::Neg, [Expr::Int(5)])]).json_depth(), 4);
    /// ```
    #[must_use]
    pub fn json_depth(&self) -> usize {
        match self {
            Self::Int(_) | Self::Bool(_) | Self::Bytes(_) | Self::Fee | Self::Wallet => 0,
            Self::Arg(_) | Self::Local(_) | Self::Coins(_) | Self::Output(_) => 1,
            Self::Param(_) => 2,
            Self::Fact(of) => 2 + of.coin.as_ref().map_or(1, |coin| coin.json_depth()),
            Self::Lock(LockOf { args: parts, .. }) | Self::Variant(VariantOf { fields: parts, .. }) => {
                3 + deepest(parts)
            }
            Self::Parts(parts) | Self::Op(_, parts) => 2 + deepest(parts),
            Self::Field(of) => 2 + of.of.json_depth(),
            Self::If(of) => 2 + of.condition.json_depth().max(of.then.json_depth()).max(of.otherwise.json_depth()),
            Self::Map(of) => 2 + of.list.json_depth().max(of.value.json_depth()),
            Self::Check(of) => 2 + of.condition.json_depth().max(of.of.json_depth()),
            Self::Store(of) | Self::Load(of) | Self::Item(of) => 2 + of.value.json_depth().max(of.ty.json_depth()),
            Self::At(of) => 2 + of.of.json_depth().max(1),
        }
    }

    /// A fact about an input's only coin, or the one at hand.
    #[must_use]
    pub const fn fact(input: usize, what: CoinFact) -> Self {
        Self::Fact(FactOf { input, coin: None, what })
    }
}

fn deepest(parts: &[Expr]) -> usize {
    parts.iter().map(Expr::json_depth).max().unwrap_or(0)
}

impl Serialize for Expr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(n) => return serializer.serialize_i64(*n),
            Self::Bool(truth) => return serializer.serialize_bool(*truth),
            Self::Bytes(bytes) => return serializer.collect_str(&format_args!("0x{}", hex::encode(bytes))),
            Self::Fee => return serializer.serialize_str("fee"),
            Self::Wallet => return serializer.serialize_str("wallet"),
            _ => {}
        }
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Arg(n) => map.serialize_entry("arg", n)?,
            Self::Local(n) => map.serialize_entry("local", n)?,
            Self::Param(of) => map.serialize_entry("param", of)?,
            Self::Fact(of) => map.serialize_entry("fact", of)?,
            Self::Coins(n) => map.serialize_entry("coins", n)?,
            Self::Output(n) => map.serialize_entry("output", n)?,
            Self::Lock(of) => map.serialize_entry("lock", of)?,
            Self::Parts(parts) => map.serialize_entry("parts", parts)?,
            Self::Variant(of) => map.serialize_entry("variant", of)?,
            Self::Field(of) => map.serialize_entry("field", of)?,
            Self::If(of) => map.serialize_entry("if", of)?,
            Self::Map(of) => map.serialize_entry("map", of)?,
            Self::Check(of) => map.serialize_entry("check", of)?,
            Self::Store(of) => map.serialize_entry("store", of)?,
            Self::Load(of) => map.serialize_entry("load", of)?,
            Self::Item(of) => map.serialize_entry("item", of)?,
            Self::At(of) => map.serialize_entry("at", of)?,
            Self::Op(op, of) => map.serialize_entry(op.name(), of)?,
            Self::Int(_) | Self::Bool(_) | Self::Bytes(_) | Self::Fee | Self::Wallet => {}
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Expr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExprVisitor)
    }
}

struct ExprVisitor;

impl<'de> Visitor<'de> for ExprVisitor {
    type Value = Expr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a truth value, bytes with `0x`, or an object with one key that names the expression")
    }

    fn visit_i64<E: serde::de::Error>(self, n: i64) -> Result<Expr, E> {
        Ok(Expr::Int(n))
    }

    fn visit_u64<E: serde::de::Error>(self, n: u64) -> Result<Expr, E> {
        i64::try_from(n).map(Expr::Int).map_err(|_| E::custom("a number has at most 63 bits"))
    }

    fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<Expr, E> {
        Ok(Expr::Bool(truth))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Expr, E> {
        match text {
            "fee" => Ok(Expr::Fee),
            "wallet" => Ok(Expr::Wallet),
            _ => {
                let bytes = text.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok());
                bytes.map(Expr::Bytes).ok_or_else(|| E::custom("a text is no bytes with `0x`"))
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Expr, A::Error> {
        let key: String = map.next_key()?.ok_or_else(|| A::Error::custom("an expression is an object with one key"))?;
        let expr = match key.as_str() {
            "arg" => Expr::Arg(map.next_value()?),
            "local" => Expr::Local(map.next_value()?),
            "param" => Expr::Param(map.next_value()?),
            "fact" => Expr::Fact(map.next_value()?),
            "coins" => Expr::Coins(map.next_value()?),
            "output" => Expr::Output(map.next_value()?),
            "lock" => Expr::Lock(map.next_value()?),
            "parts" => Expr::Parts(map.next_value()?),
            "variant" => Expr::Variant(map.next_value()?),
            "field" => Expr::Field(map.next_value()?),
            "if" => Expr::If(map.next_value()?),
            "map" => Expr::Map(map.next_value()?),
            "check" => Expr::Check(map.next_value()?),
            "store" => Expr::Store(map.next_value()?),
            "load" => Expr::Load(map.next_value()?),
            "item" => Expr::Item(map.next_value()?),
            "at" => Expr::At(map.next_value()?),
            name => operation(name, &mut map)?,
        };
        match map.next_key::<String>()? {
            None => Ok(expr),
            Some(_) => Err(A::Error::custom("an expression is an object with one key")),
        }
    }
}

fn operation<'de, A: MapAccess<'de>>(name: &str, map: &mut A) -> Result<Expr, A::Error> {
    let op = Op::from_name(name).ok_or_else(|| {
        let start: String = name.chars().take(40).collect();
        A::Error::custom(format!("there is no expression `{start}`"))
    })?;
    let of: Vec<Expr> = map.next_value()?;
    if op.takes(of.len()) {
        Ok(Expr::Op(op, of))
    } else {
        Err(A::Error::custom(format!("`{name}` does not take {} values", of.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_survive_json_in_a_readable_form() {
        let fact = Expr::Fact(FactOf { input: 1, coin: Some(Box::new(Expr::Local(3))), what: CoinFact::State(2) });
        let map = MapOf { list: Expr::Coins(0), item: 4, index: None, value: Expr::fact(0, CoinFact::Value) };
        let typed = |value| Typed { ty: "[Int<4>; 2]".parse().unwrap(), value: Box::new(value) };
        let cases = [
            (Expr::Int(-5), "-5"),
            (Expr::Bool(true), "true"),
            (Expr::Bytes(vec![0xab]), r#""0xab""#),
            (Expr::Fee, r#""fee""#),
            (Expr::Wallet, r#""wallet""#),
            (Expr::op(Op::Add, [Expr::Arg(0), Expr::Int(1)]), r#"{"add":[{"arg":0},1]}"#),
            (fact, r#"{"fact":{"input":1,"coin":{"local":3},"what":{"state":2}}}"#),
            (
                Expr::Map(Box::new(map)),
                r#"{"map":{"list":{"coins":0},"item":4,"value":{"fact":{"input":0,"what":"value"}}}}"#,
            ),
            (
                Expr::Store(typed(Expr::Parts(vec![Expr::Output(1)]))),
                r#"{"store":{"type":"[Int<4>; 2]","value":{"parts":[{"output":1}]}}}"#,
            ),
            (Expr::Lock(LockOf { contract: "A".into(), args: vec![] }), r#"{"lock":{"contract":"A","args":[]}}"#),
            (Expr::Param(ParamOf { input: 0, param: 1 }), r#"{"param":{"input":0,"param":1}}"#),
        ];
        for (expr, json) in cases {
            assert_eq!(serde_json::to_string(&expr).unwrap(), json);
            assert_eq!(serde_json::from_str::<Expr>(json).unwrap(), expr);
        }
        for op in Op::ALL {
            assert_eq!(Op::from_name(op.name()), Some(*op));
        }
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        let deep = r#"{"not":["#.repeat(10_000);
        for json in [
            "{}",
            r#"{"add":[]}"#,
            r#"{"sub":[1]}"#,
            r#"{"arg":0,"local":1}"#,
            r#"{"what":[]}"#,
            r#""ab""#,
            r#""0xa""#,
            "9223372036854775808",
            "1.5",
            "null",
            deep.as_str(),
        ] {
            assert!(serde_json::from_str::<Expr>(json).is_err(), "{}", json.get(..40).unwrap_or(json));
        }
    }
}
