//! The artifact: everything a compiler tells the world about one contract, as versioned JSON.
//!
//! The bytecode has holes, one for each use of a parameter's leaf; a hole is filled with the shortest
//! push of the leaf's value, so the number of instructions never changes and the source map counts
//! instructions instead of bytes.

mod fill;
mod layout;
mod paid;
mod taken;
mod types;
mod usual;
mod value;

use serde::{Deserialize, Serialize};

pub use fill::{ABOUT, AbiError};
pub use layout::{COMMITMENT_BYTES_MAX, ListField, ListLayout, StateField, StateLayout, chain_hash};
pub use paid::{Division, Payout};
pub use taken::PathSize;
pub use types::{AbiType, EnumType, PARTS_MAX, StructType, TYPE_DEPTH_MAX, VARIANTS_MAX, VariantType};
pub use usual::{usual_input_bytes, usual_instruction_lens};
pub use value::{AbiValue, Misfit, Record, Records, Value};

use crate::plan::Plan;
use crate::rules::RuleSet;
use crate::units::Sats;

/// The version of the format that this crate writes.
pub const FORMAT_VERSION: u32 = 5;
/// The oldest version that it reads: such an artifact is one of today without [`SpendPath::route`] and without checks
/// that several branches share.
pub const FORMAT_VERSION_MIN: u32 = 3;

/// The name of the JSON Schema of this version, which files name in `$schema`.
pub const SCHEMA: &str = "urn:bitmodel:artifact:5";

/// How hard a compiler tries to make scripts small.
///
/// ```
/// use spec::artifact::Level;
/// assert_eq!("O0".parse(), Ok(Level::O0));
/// assert_eq!(Level::default().to_string(), "O1");
/// assert!("O9".parse::<Level>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// Each computation as it is written, in the order in which it is written.
    O0,
    /// Shorter computations and better orders, in linear time.
    #[default]
    O1,
    /// The best of many orders of checks and arguments, and of many ways to lie on the stack.
    Os,
    /// The best that is found within a given time.
    Oz,
}

impl Level {
    /// All of them, the least first.
    pub const ALL: [Self; 4] = [Self::O0, Self::O1, Self::Os, Self::Oz];

    /// As options write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::O0 => "O0",
            Self::O1 => "O1",
            Self::Os => "Os",
            Self::Oz => "Oz",
        }
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is no [`Level`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write `O0`, `O1`, `Os` or `Oz`")]
pub struct NoLevel;

impl std::str::FromStr for Level {
    type Err = NoLevel;

    fn from_str(text: &str) -> Result<Self, NoLevel> {
        Self::ALL.into_iter().find(|level| level.name() == text).ok_or(NoLevel)
    }
}

/// What a compiler makes as small as it can.
///
/// ```
/// use spec::artifact::Objective;
/// assert_eq!("fee".parse(), Ok(Objective::Fee));
/// assert_eq!(Objective::default().to_string(), "size");
/// assert!("speed".parse::<Objective>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// The bytes of the script.
    #[default]
    Size,
    /// The bytes of inputs on all paths: the script with what the spender pushes, and with what pays for its work.
    Fee,
    /// The operation cost.
    Cost,
}

impl Objective {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Size, Self::Fee, Self::Cost];

    /// As options write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Fee => "fee",
            Self::Cost => "cost",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl std::fmt::Display for Objective {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is no [`Objective`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write `size`, `fee` or `cost`")]
pub struct NoObjective;

impl std::str::FromStr for Objective {
    type Err = NoObjective;

    fn from_str(text: &str) -> Result<Self, NoObjective> {
        Self::ALL.into_iter().find(|objective| objective.name() == text).ok_or(NoObjective)
    }
}

/// How the coins of a contract are locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locking {
    /// By the 32-byte hash of the script, which whoever spends them shows.
    #[default]
    P2sh32,
    /// By the script itself. Then each coin has fewer bytes and each input, too, but only the arguments pay for work.
    P2s,
}

impl Locking {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Nodes pass on outputs whose lock has at most so many bytes.
///
/// Source: the relay rules of Bitcoin Cash as of May 2026.
pub const P2S_BYTES_MAX: usize = 201;

/// One compiled contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// At least [`FORMAT_VERSION_MIN`] and at most [`FORMAT_VERSION`].
    pub format: u32,
    /// The compiler's version.
    pub compiler: String,
    /// How hard the compiler tried to make the bytecode small.
    #[serde(default)]
    pub level: Level,
    /// What it made as small as it could.
    #[serde(default, skip_serializing_if = "Objective::is_default")]
    pub objective: Objective,
    /// How its coins are locked.
    #[serde(default, skip_serializing_if = "Locking::is_default")]
    pub locking: Locking,
    /// The contract's name.
    pub contract: String,
    /// Its documentation, in Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub docs: String,
    /// The rules it was compiled for.
    pub rules: RuleSet,
    /// The sources, in the order that spans refer to.
    pub sources: Vec<SourceFile>,
    /// What the contract depends on. Those named in [`Artifact::sealed`] are built in and those named in
    /// [`Artifact::derived`] are computed; the others must be given to deploy it.
    pub params: Vec<Slot>,
    /// Parameters that have no holes, because their values are built into the bytecode.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sealed: Vec<SealedParam>,
    /// Parameters that hold the lock of another contract of the program, in an order in which they can be computed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<Derived>,
    /// What lies in the commitment of the token on its coins, if it has state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateLayout>,
    /// The ways to spend it.
    pub paths: Vec<SpendPath>,
    /// The redeem script with holes.
    pub bytecode: Vec<Piece>,
    /// The same as words, holes as `<name>`.
    pub asm: String,
    /// Where instructions come from, in ascending order; an entry holds until the next.
    pub source_map: Vec<MapEntry>,
    /// What each check that may fail says. An instruction that checks several things at once has an entry for each.
    pub requires: Vec<RequireSite>,
    /// The functions that the script defines once and invokes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<SharedFunction>,
    /// The plans that spend the contract's coins or make some. A plan that speaks of several contracts is in the
    /// artifacts of all of them, one that speaks of none in those of all contracts of its file. Where the sources have
    /// no plan about the contract, there is one for each of its paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<Plan>,
    /// The shares, if the contract is a reward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<RewardTable>,
}

impl Default for Artifact {
    /// A nameless contract without any code, in the current format.
    fn default() -> Self {
        Self {
            format: FORMAT_VERSION,
            compiler: String::new(),
            level: Level::default(),
            objective: Objective::default(),
            locking: Locking::default(),
            contract: String::new(),
            docs: String::new(),
            rules: RuleSet::default(),
            sources: Vec::new(),
            params: Vec::new(),
            sealed: Vec::new(),
            derived: Vec::new(),
            state: None,
            paths: Vec::new(),
            bytecode: Vec::new(),
            asm: String::new(),
            source_map: Vec::new(),
            requires: Vec::new(),
            functions: Vec::new(),
            plans: Vec::new(),
            reward: None,
        }
    }
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: AbiType,
}

/// A parameter whose value is built into the bytecode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedParam {
    /// The parameter.
    pub param: usize,
    /// Its value.
    pub value: AbiValue,
}

/// A parameter that holds the lock of another contract of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derived {
    /// The parameter, of type `Lock`.
    pub param: usize,
    /// The other contract.
    pub contract: String,
    /// The values of those of its parameters that are not computed themselves, in order.
    pub args: Vec<DerivedArg>,
}

/// A value that one contract gives to another that it refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DerivedArg {
    /// The value of the contract's own parameter with this index.
    Param(usize),
    /// A value that the source says.
    Const(AbiValue),
}

/// One way to spend a contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendPath {
    /// Its name.
    pub name: String,
    /// Its documentation, in Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub docs: String,
    /// What the spender must give, in source order. An argument that is a list and has the name of a parameter is no
    /// choice of the spender's: see [`SpendPath::list_from`].
    pub args: Vec<Slot>,
    /// What the unlocking bytecode pushes before the redeem script, in order.
    pub unlock: Vec<UnlockItem>,
    /// How the script comes to this path: the conditionals that tell it from others, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub route: Vec<Step>,
    /// How the transaction's time fields must be set, where the path reads them.
    #[serde(default, skip_serializing_if = "TimeNeeds::is_empty")]
    pub time: TimeNeeds,
    /// The most operation cost the path can take, where it is known without running it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_bound: Option<u64>,
}

/// Which branch of a conditional runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The `OP_IF` or `OP_NOTIF`.
    pub instruction: usize,
    /// Whether its first branch runs.
    pub taken: bool,
}

/// A turn of a path, and what it means for the path that it is another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The turn.
    #[serde(flatten)]
    pub turn: Turn,
    /// The path's check that then fails, if the turn depends on what a check demands and not on what is pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Failing>,
}

/// A check that fails without an instruction of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// The author's message.
    pub message: String,
    /// The place in the source.
    pub span: SourceSpan,
}

/// One push of an unlocking bytecode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnlockItem {
    /// The argument with this index; of a composite all leaves, the first one first.
    Arg(usize),
    /// One leaf of an argument: the argument's index and the leaf's place in it.
    Leaf(usize, usize),
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
    /// The push of the leaf with this index: the leaves of all parameters are counted through, in order. Leaves of a
    /// sealed parameter have no holes.
    Param(usize),
    /// One push of all these, one behind the other.
    Push(Vec<Part>),
}

/// A part of what one instruction pushes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Bytes, in hexadecimal in JSON.
    #[serde(with = "hex::serde")]
    Bytes(Vec<u8>),
    /// The value of the leaf with this index.
    Param(usize),
}

impl Part {
    /// Its bytes, where the value of a leaf has as many as `of` says.
    pub fn len(&self, of: impl FnOnce(usize) -> usize) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Param(leaf) => of(*leaf),
        }
    }
}

/// The bytes of a script without what fills its holes.
///
/// ```
/// use spec::artifact::{Piece, code_bytes};
/// assert_eq!(code_bytes(&[Piece::Code(vec![0x76, 0xa9]), Piece::Param(0), Piece::Code(vec![0x88])]), 3);
/// ```
#[must_use]
pub fn code_bytes(script: &[Piece]) -> usize {
    let len = |piece: &Piece| match piece {
        Piece::Code(code) => code.len(),
        Piece::Param(_) => 0,
        Piece::Push(parts) => parts.iter().map(|part| part.len(|_| 0)).sum(),
    };
    script.iter().map(len).sum()
}

/// Where instructions come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MapEntry {
    /// The first instruction, counted from 0.
    pub instruction: usize,
    /// The ways through the script for which it holds, where branches share the instruction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Turn>,
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
    /// The ways through the script for which it holds, where branches share the instruction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Turn>,
    /// The author's message.
    pub message: String,
    /// The place in the source.
    pub span: SourceSpan,
    /// What the check demands, where the script has nothing but a hash of it, in hexadecimal in JSON; else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "hex::serde")]
    pub expects: Vec<u8>,
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
    /// The checks that `instruction` of the body makes, as far as they have messages: several if it makes them at once.
    pub fn requires_at(&self, instruction: usize) -> impl Iterator<Item = &RequireSite> {
        self.requires.iter().filter(move |site| site.instruction == instruction)
    }

    /// The place in the source that `instruction` of the body comes from.
    #[must_use]
    pub fn source_of(&self, instruction: usize) -> Option<SourceSpan> {
        place_of(&self.source_map, instruction, &|_| None)
    }
}

/// The place of the last entries that begin at or before `instruction`: of several the one that fits the way there.
fn place_of(source_map: &[MapEntry], instruction: usize, taken: &dyn Fn(usize) -> Option<bool>) -> Option<SourceSpan> {
    let after = source_map.partition_point(|entry| entry.instruction <= instruction);
    let begin = source_map.get(after.checked_sub(1)?)?.instruction;
    let entries = source_map.get(source_map.partition_point(|entry| entry.instruction < begin)..after)?;
    let fits = |entry: &&MapEntry| entry.after.iter().all(|turn| taken(turn.instruction) == Some(turn.taken));
    entries.iter().find(fits).or(entries.first()).map(|entry| entry.span)
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
    /// The recipients that the source names; recipient `i` is paid by output `i`.
    pub sources: Vec<RewardSource>,
    /// The list that holds all recipients, the named ones first, if their locks are no parameters of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<RewardList>,
}

/// The list of a reward's recipients: records of a weight, with [`RewardList::adjustable`] the height until which the
/// entry is locked, and the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewardList {
    /// The index of the parameter that holds the list.
    pub param: usize,
    /// The part of the denominator that the recipients share whom the source does not name.
    pub unnamed: u64,
    /// The least weight whose share of every pot is above the dust limit.
    pub weight_min: u64,
    /// Whether the list may be replaced, so that each record says until when it is locked.
    pub adjustable: bool,
    /// Whether the list's hash begins with the [`Terms`](crate::model::Terms) of a model's flow.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_terms: bool,
}

/// One recipient of a reward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewardSource {
    /// Its path in the declaration, such as `models.diffusion`.
    pub name: String,
    /// The index of the parameter that holds its lock, or the list that does.
    pub param: usize,
    /// Its weight over the table's denominator.
    pub weight: u64,
    /// Its place in the order of rounding; the last takes what rounding leaves.
    pub rank: usize,
    /// The reward or model whose lock it must be, if the declaration names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
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

impl Artifact {
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

    /// The checks that `instruction` makes, as far as they have messages: several if it makes them at once.
    pub fn requires_at(&self, instruction: usize) -> impl Iterator<Item = &RequireSite> {
        self.requires.iter().filter(move |site| site.instruction == instruction)
    }

    /// The same, if `taken` says of each conditional whether its first branch ran; those of the first way if it does not
    /// know.
    #[must_use]
    pub fn requires_after(&self, instruction: usize, taken: &dyn Fn(usize) -> Option<bool>) -> Vec<&RequireSite> {
        let fits = |site: &&RequireSite| site.after.iter().all(|turn| taken(turn.instruction) == Some(turn.taken));
        let fitting: Vec<&RequireSite> = self.requires_at(instruction).filter(fits).collect();
        if !fitting.is_empty() {
            return fitting;
        }
        let first = self.requires_at(instruction).next();
        self.requires_at(instruction).filter(|site| first.is_some_and(|first| first.after == site.after)).collect()
    }

    /// The place in the source that `instruction` comes from.
    #[must_use]
    pub fn source_of(&self, instruction: usize) -> Option<SourceSpan> {
        self.source_after(instruction, &|_| None)
    }

    /// The same, if `taken` says of each conditional whether its first branch ran.
    #[must_use]
    pub fn source_after(&self, instruction: usize, taken: &dyn Fn(usize) -> Option<bool>) -> Option<SourceSpan> {
        place_of(&self.source_map, instruction, taken)
    }

    /// The paths that the script has taken or may take, if `taken` says of each conditional whether its first branch ran.
    pub fn paths_after(&self, taken: &dyn Fn(usize) -> Option<bool>) -> impl Iterator<Item = &SpendPath> {
        let fits = |step: &Step| taken(step.turn.instruction).is_none_or(|taken| taken == step.turn.taken);
        self.paths.iter().filter(move |path| path.route.iter().all(fits))
    }

    /// The parameters that the source declares, with their indices: those that are not computed.
    pub fn declared_params(&self) -> impl Iterator<Item = (usize, &Slot)> {
        let computed = |index: usize| self.derived.iter().any(|derived| derived.param == index);
        self.params.iter().enumerate().filter(move |(index, _)| !computed(*index))
    }

    /// The parameters that must be given to deploy the contract, with their indices: those that are neither
    /// computed nor sealed.
    pub fn open_params(&self) -> impl Iterator<Item = (usize, &Slot)> {
        self.declared_params().filter(|(index, _)| self.sealed_value(*index).is_none())
    }

    /// The value that is built in for a parameter.
    #[must_use]
    pub fn sealed_value(&self, param: usize) -> Option<&AbiValue> {
        self.sealed.iter().find(|sealed| sealed.param == param).map(|sealed| &sealed.value)
    }
}
