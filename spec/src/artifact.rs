//! The artifact: everything a compiler tells the world about one contract, as versioned JSON.
//!
//! The bytecode has holes, one for each parameter use; a hole is filled with the shortest push of
//! the parameter's value, so the number of instructions never changes and the source map counts
//! instructions instead of bytes.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::rules::RuleSet;
use crate::script::{p2sh32, push_data, push_int};
use crate::units::Sats;
use crate::{hash, num};

/// The version of the format that this crate writes and reads.
pub const FORMAT_VERSION: u32 = 1;

/// One compiled contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// [`FORMAT_VERSION`].
    pub format: u32,
    /// The compiler's version.
    pub compiler: String,
    /// The contract's name.
    pub contract: String,
    /// Its documentation, in Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub docs: String,
    /// The rules it was compiled for.
    pub rules: RuleSet,
    /// The sources, in the order that spans refer to.
    pub sources: Vec<SourceFile>,
    /// What must be known to deploy it.
    pub params: Vec<Slot>,
    /// The ways to spend it.
    pub paths: Vec<SpendPath>,
    /// The redeem script with holes.
    pub bytecode: Vec<Piece>,
    /// The same as words, holes as `<name>`.
    pub asm: String,
    /// Where instructions come from, in ascending order; an entry holds until the next.
    pub source_map: Vec<MapEntry>,
    /// What each check that may fail says.
    pub requires: Vec<RequireSite>,
    /// The functions that the script defines once and invokes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<SharedFunction>,
    /// The shares, if the contract is a reward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<RewardTable>,
}

/// A source file as it was compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Its path, relative to the package.
    pub path: String,
    /// The SHA-256 of its text, in hexadecimal.
    pub sha256: String,
}

/// A named, typed value: a parameter or an argument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: AbiType,
}

/// One way to spend a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendPath {
    /// Its name.
    pub name: String,
    /// Its documentation, in Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub docs: String,
    /// What the spender must give, in source order.
    pub args: Vec<Slot>,
    /// What the unlocking bytecode pushes before the redeem script, in order.
    pub unlock: Vec<UnlockItem>,
    /// How the transaction's time fields must be set, where the path reads them.
    #[serde(default, skip_serializing_if = "TimeNeeds::is_empty")]
    pub time: TimeNeeds,
    /// The most operation cost the path can take, where it is known without running it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_bound: Option<u64>,
}

/// One push of an unlocking bytecode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnlockItem {
    /// The argument with this index.
    Arg(usize),
    /// A number that the compiler fixed, such as the path's selector.
    Int(i64),
}

/// Which time fields of a transaction a path's checks read, and what they demand.
///
/// A path with several ways through it lists the bounds of all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeNeeds {
    /// The least lock times that the checks accept: heights, or seconds since 1970.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locktime: Vec<TimeBound>,
    /// The least ages that the checks accept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sequence: Vec<TimeBound>,
}

/// What a time field must reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeBound {
    /// A number, as the field holds it.
    Int(i64),
    /// The contract's parameter with this index; a `Duration` counts seconds there.
    Param(usize),
    /// The path's argument with this index; a `Duration` counts seconds there.
    Arg(usize),
    /// A number that only running the script tells.
    Computed,
}

impl TimeNeeds {
    /// Whether no field is read.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.locktime.is_empty() && self.sequence.is_empty()
    }
}

/// A stretch of bytecode or a hole in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Piece {
    /// Bytes, in hexadecimal in JSON.
    #[serde(with = "hex::serde")]
    Code(Vec<u8>),
    /// The push of the parameter with this index.
    Param(usize),
}

/// Where instructions come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapEntry {
    /// The first instruction, counted from 0.
    pub instruction: usize,
    /// The place in the source.
    #[serde(flatten)]
    pub span: SourceSpan,
}

/// A place in a source file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSpan {
    /// Index into [`Artifact::sources`].
    pub file: usize,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// Line of the first byte, from 1.
    pub line: usize,
    /// Column of the first byte in characters, from 1.
    pub column: usize,
}

/// A check that may fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequireSite {
    /// The instruction that fails.
    pub instruction: usize,
    /// The author's message.
    pub message: String,
    /// The place in the source.
    pub span: SourceSpan,
}

/// A function that the script defines once and invokes; it counts its own instructions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedFunction {
    /// Its name in the source.
    pub name: String,
    /// What `OP_INVOKE` finds it by, in hexadecimal in JSON.
    #[serde(with = "hex::serde")]
    pub id: Vec<u8>,
    /// The instruction of the script that pushes its body.
    pub definition: usize,
    /// The body as words.
    pub asm: String,
    /// Where instructions of the body come from, in ascending order; an entry holds until the next.
    pub source_map: Vec<MapEntry>,
    /// What each check in the body says.
    pub requires: Vec<RequireSite>,
}

impl SharedFunction {
    /// The check that `instruction` of the body makes, if it is one that has a message.
    #[must_use]
    pub fn require_at(&self, instruction: usize) -> Option<&RequireSite> {
        self.requires.iter().find(|site| site.instruction == instruction)
    }

    /// The place in the source that `instruction` of the body comes from.
    #[must_use]
    pub fn source_of(&self, instruction: usize) -> Option<SourceSpan> {
        place_of(&self.source_map, instruction)
    }
}

/// The place of the last entry that begins at or before `instruction`.
fn place_of(source_map: &[MapEntry], instruction: usize) -> Option<SourceSpan> {
    let after = source_map.partition_point(|entry| entry.instruction <= instruction);
    source_map.get(after.checked_sub(1)?).map(|entry| entry.span)
}

/// The shares of a reward, flattened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewardTable {
    /// The denominator of all weights.
    pub denominator: u64,
    /// The smallest pot that can be settled.
    pub minimum_sats: Sats,
    /// The most that a settlement may leave to the miner.
    pub fee_sats_max: Sats,
    /// The recipients; recipient `i` is paid by output `i`.
    pub sources: Vec<RewardSource>,
}

/// One recipient of a reward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewardSource {
    /// Its path in the declaration, such as `models.diffusion`.
    pub name: String,
    /// The index of the parameter that holds its lock.
    pub param: usize,
    /// Its weight over the table's denominator.
    pub weight: u64,
    /// Its place in the order of rounding; the last takes what rounding leaves.
    pub rank: usize,
    /// The place of its line in the source.
    pub span: SourceSpan,
}

impl RewardTable {
    /// Each recipient's share of `pot`, fee already taken off, in output order; the shares sum to `pot`. `None` if the table's weights are no weights.
    #[must_use]
    pub fn divide(&self, pot: Sats) -> Option<Vec<Sats>> {
        let mut order: Vec<&RewardSource> = self.sources.iter().collect();
        order.sort_by_key(|source| source.rank);
        let weights = crate::split::Weights::new(order.iter().map(|source| source.weight).collect())?;
        if weights.denominator() != self.denominator {
            return None;
        }
        let ranked = weights.divide(pot);
        self.sources.iter().map(|source| ranked.get(source.rank).copied()).collect()
    }
}

/// The type of a parameter or argument, as far as its encoding goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AbiType {
    /// A number.
    Int,
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
}

impl AbiType {
    /// The length in bytes, where all values share one.
    #[must_use]
    pub const fn fixed_len(&self) -> Option<usize> {
        match self {
            Self::BytesN(len) => Some(*len),
            Self::PubKey => Some(33),
            Self::Int
            | Self::Bool
            | Self::Coin
            | Self::Tokens
            | Self::Height
            | Self::Time
            | Self::Blocks
            | Self::Duration => None,
            Self::Bytes | Self::Sig | Self::DataSig | Self::Lock | Self::Sigs(_) => None,
        }
    }

    /// Whether values are script numbers.
    #[must_use]
    pub const fn is_number(&self) -> bool {
        match self {
            Self::Int | Self::Coin | Self::Tokens | Self::Height | Self::Time | Self::Blocks | Self::Duration => true,
            Self::Bool
            | Self::Bytes
            | Self::BytesN(_)
            | Self::PubKey
            | Self::Sig
            | Self::DataSig
            | Self::Lock
            | Self::Sigs(_) => false,
        }
    }
}

const PLAIN_TYPES: [(&str, AbiType); 13] = [
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
];

impl fmt::Display for AbiType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BytesN(len) => write!(f, "Bytes<{len}>"),
            Self::Sigs(count) => write!(f, "Sigs<{count}>"),
            plain => f.write_str(PLAIN_TYPES.iter().find(|(_, ty)| ty == plain).map_or("?", |(name, _)| name)),
        }
    }
}

impl std::str::FromStr for AbiType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sized = |name: &str| text.strip_prefix(name)?.strip_prefix('<')?.strip_suffix('>')?.parse().ok();
        let plain = PLAIN_TYPES.iter().find(|(name, _)| *name == text).map(|(_, ty)| ty.clone());
        plain
            .or_else(|| sized("Bytes").map(Self::BytesN))
            .or_else(|| sized("Sigs").map(Self::Sigs))
            .ok_or_else(|| format!("`{text}` is no type of a parameter"))
    }
}

impl Serialize for AbiType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AbiType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A value for a parameter or argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AbiValue {
    /// One item of bytes, as it lies on the stack.
    Item(Vec<u8>),
    /// Several items, pushed in order: the bit field and signatures of a multisig.
    Items(Vec<Vec<u8>>),
}

impl AbiValue {
    /// A number.
    #[must_use]
    pub fn int(n: i64) -> Self {
        Self::Item(num::encode(n))
    }

    fn push(&self, out: &mut Vec<u8>) {
        match self {
            Self::Item(item) => push_data(out, item),
            Self::Items(items) => items.iter().for_each(|item| push_data(out, item)),
        }
    }
}

/// Why values do not fit an artifact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AbiError {
    /// A parameter has no value.
    #[error("parameter `{0}` has no value")]
    MissingParam(String),
    /// An argument has no value.
    #[error("argument `{0}` has no value")]
    MissingArg(String),
    /// A value is given for a name that does not exist.
    #[error("there is no parameter or argument `{0}`")]
    Unknown(String),
    /// The artifact refers to something it does not hold.
    #[error("the artifact is inconsistent: {0}")]
    Inconsistent(&'static str),
}

impl Artifact {
    /// The redeem script with every hole filled from `values`, by name.
    ///
    /// # Errors
    /// [`AbiError`] if a value is missing or names nothing.
    pub fn redeem_script(&self, values: &BTreeMap<String, AbiValue>) -> Result<Vec<u8>, AbiError> {
        if let Some(stray) = values.keys().find(|name| !self.params.iter().any(|slot| slot.name == **name)) {
            return Err(AbiError::Unknown(stray.clone()));
        }
        let mut out = Vec::new();
        for piece in &self.bytecode {
            match piece {
                Piece::Code(code) => out.extend_from_slice(code),
                Piece::Param(index) => {
                    let slot = self.params.get(*index).ok_or(AbiError::Inconsistent("a hole names no parameter"))?;
                    values.get(&slot.name).ok_or_else(|| AbiError::MissingParam(slot.name.clone()))?.push(&mut out);
                }
            }
        }
        Ok(out)
    }

    /// The lock that coins of the contract carry: the 32-byte hash of the redeem script.
    ///
    /// # Errors
    /// As [`Artifact::redeem_script`].
    pub fn lock(&self, values: &BTreeMap<String, AbiValue>) -> Result<Vec<u8>, AbiError> {
        Ok(p2sh32(&hash::sha256d(&self.redeem_script(values)?)))
    }

    /// The function that `OP_INVOKE` finds by `id`.
    #[must_use]
    pub fn function(&self, id: &[u8]) -> Option<&SharedFunction> {
        self.functions.iter().find(|function| function.id == id)
    }

    /// The path named `name`.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<&SpendPath> {
        self.paths.iter().find(|path| path.name == name)
    }

    /// The check that `instruction` makes, if it is one that has a message.
    #[must_use]
    pub fn require_at(&self, instruction: usize) -> Option<&RequireSite> {
        self.requires.iter().find(|site| site.instruction == instruction)
    }

    /// The place in the source that `instruction` comes from.
    #[must_use]
    pub fn source_of(&self, instruction: usize) -> Option<SourceSpan> {
        place_of(&self.source_map, instruction)
    }
}

impl SpendPath {
    /// The unlocking bytecode that pushes `args`, by name, and the redeem script.
    ///
    /// # Errors
    /// [`AbiError`] if a value is missing or names nothing.
    pub fn unlock_script(&self, args: &BTreeMap<String, AbiValue>, redeem: &[u8]) -> Result<Vec<u8>, AbiError> {
        if let Some(stray) = args.keys().find(|name| !self.args.iter().any(|slot| slot.name == **name)) {
            return Err(AbiError::Unknown(stray.clone()));
        }
        let mut out = Vec::new();
        for item in &self.unlock {
            match item {
                UnlockItem::Int(n) => push_int(&mut out, *n),
                UnlockItem::Arg(index) => {
                    let slot = self.args.get(*index).ok_or(AbiError::Inconsistent("a push names no argument"))?;
                    args.get(&slot.name).ok_or_else(|| AbiError::MissingArg(slot.name.clone()))?.push(&mut out);
                }
            }
        }
        push_data(&mut out, redeem);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Artifact {
        Artifact {
            format: FORMAT_VERSION,
            compiler: "0".into(),
            contract: "P2pkh".into(),
            docs: String::new(),
            rules: RuleSet::Bitmodel,
            sources: vec![SourceFile { path: "a.bmc".into(), sha256: "00".into() }],
            params: vec![Slot { name: "pkh".into(), ty: AbiType::BytesN(20) }],
            paths: vec![SpendPath {
                name: "spend".into(),
                docs: String::new(),
                args: vec![
                    Slot { name: "sig".into(), ty: AbiType::Sig },
                    Slot { name: "key".into(), ty: AbiType::PubKey },
                ],
                unlock: vec![UnlockItem::Arg(0), UnlockItem::Arg(1)],
                time: TimeNeeds::default(),
                cost_bound: Some(1),
            }],
            bytecode: vec![Piece::Code(vec![0x76, 0xa9]), Piece::Param(0), Piece::Code(vec![0x88, 0xac])],
            asm: "OP_DUP OP_HASH160 <pkh> OP_EQUALVERIFY OP_CHECKSIG".into(),
            source_map: vec![MapEntry { instruction: 0, span: SourceSpan::default() }],
            requires: vec![],
            functions: vec![],
            reward: None,
        }
    }

    #[test]
    fn an_artifact_survives_json() {
        let artifact = sample();
        let json = serde_json::to_string(&artifact).unwrap();
        assert!(json.contains(r#""type":"Bytes<20>""#), "{json}");
        assert_eq!(serde_json::from_str::<Artifact>(&json).unwrap(), artifact);
    }

    #[test]
    fn holes_are_filled_with_shortest_pushes_and_misfits_are_named() {
        let artifact = sample();
        let values = BTreeMap::from([("pkh".to_owned(), AbiValue::Item(vec![7; 20]))]);
        assert_eq!(artifact.redeem_script(&values).unwrap(), crate::script::p2pkh(&[7; 20]));
        assert_eq!(artifact.redeem_script(&BTreeMap::new()), Err(AbiError::MissingParam("pkh".into())));
        let stray = BTreeMap::from([("kph".to_owned(), AbiValue::int(1))]);
        assert_eq!(artifact.redeem_script(&stray), Err(AbiError::Unknown("kph".into())));
    }
}
