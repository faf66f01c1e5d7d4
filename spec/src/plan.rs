//! Plans: templates of transactions that go with a program's contracts, as plain data.
//!
//! A plan says which coins one transaction spends, by which paths, and what it makes. A wallet
//! chooses the coins, evaluates the expressions, adds inputs that pay the fee and an output that takes
//! the change, and signs. Nothing here runs a script or knows a chain.
//!
//! The places of names in a plan are numbers: an argument is its place in [`Plan::args`], an input its place
//! in [`Plan::inputs`], and what `let` and loops bind are *locals*, numbered without gaps or overlap over the
//! whole plan.

mod eval;
mod expr;
mod ops;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use eval::{EvalError, Evaluator, Fault, Missing, World};
pub use expr::{CheckOf, CoinFact, Expr, FactOf, FieldOf, IfOf, LockOf, MapOf, Op, ParamOf, Spanned, Typed, VariantOf};

use crate::artifact::{Slot, SourceSpan};

/// A template of one transaction.
///
/// ```
/// let json = r#"{
///   "name": "split",
///   "args": [{"name": "amount", "type": "Coin"}],
///   "inputs": [{"name": "pot", "source": {"contract": {"contract": "Pot", "path": "take", "args": {"n": {"value": {"arg": 0}}}}}}],
///   "requires": [{"condition": {"ge": [{"fact": {"input": 0, "what": "value"}}, {"arg": 0}]}, "message": "the pot is too small"}],
///   "outputs": [{"pay": {"lock": {"fact": {"input": 0, "what": "lock"}}, "value": {"sub": [{"fact": {"input": 0, "what": "value"}}, {"arg": 0}]}}}]
/// }"#;
/// let plan: spec::plan::Plan = serde_json::from_str(json).unwrap();
/// assert_eq!(serde_json::from_str::<spec::plan::Plan>(&serde_json::to_string(&plan).unwrap()).unwrap(), plan);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Its documentation, in Markdown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub docs: String,
    /// Where it stands in the source.
    #[serde(default)]
    pub span: SourceSpan,
    /// What must be given to build the transaction.
    #[serde(default)]
    pub args: Vec<Slot>,
    /// Names for values, each of which may use those before it. A value is evaluated when it is first used, so one
    /// that no coin's choice needs may speak of all inputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lets: Vec<Let>,
    /// What is spent, in order; inputs that pay the fee come after.
    #[serde(default)]
    pub inputs: Vec<Input>,
    /// What must hold before anything is signed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<Require>,
    /// What is made, in order; change comes after.
    #[serde(default)]
    pub outputs: Vec<Output>,
    /// What is put on the chain for everybody to read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub publish: Vec<Publish>,
    /// The lock time; without one, the least that the paths of all inputs accept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locktime: Option<Expr>,
    /// Who pays what is missing and takes what is over.
    #[serde(default, skip_serializing_if = "Change::is_wallet")]
    pub change: Change,
}

/// A name for a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Let {
    /// Its number among the locals.
    pub local: usize,
    /// Its name.
    pub name: String,
    /// The value.
    pub value: Expr,
}

/// Something that a transaction spends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Where it stands in the source.
    #[serde(default)]
    pub span: SourceSpan,
    /// Which coins they are, and how they are unlocked.
    pub source: Source,
    /// How many coins, and which of several.
    #[serde(default, skip_serializing_if = "Take::is_only")]
    pub take: Take,
    /// A truth value that holds for the coins that may be taken. Facts of this input without a number speak of the
    /// coin that is looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<Expr>,
    /// The least age of the coin; without one, the least that its path accepts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<Age>,
    /// Whether tokens that it brings and no output takes may be destroyed. Without it such tokens go back to the
    /// wallet if the coin was the wallet's, and are a mistake otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub burn: bool,
}

/// What kind of coins an input spends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A contract's coins.
    Contract(ContractSource),
    /// Coins of a key that the wallet holds.
    Key(Box<KeySource>),
    /// A coin of the wallet at output 0 of its transaction, without tokens: its `txid` becomes a new category.
    /// The wallet makes one first if it has none.
    Genesis,
}

/// A contract's coins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractSource {
    /// The contract.
    pub contract: String,
    /// The parameters that are not computed, in order; none where whoever carries out the plan says which
    /// deployment is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Vec<Expr>>,
    /// The path.
    pub path: String,
    /// The path's arguments by name. Left out are lists of the deployment and padding: the wallet knows them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, PathArg>,
}

/// Coins of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeySource {
    /// Whose: a lock, a public key, or the hash of one.
    pub owner: Expr,
    /// The least value that they bring together; any, without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Expr>,
    /// The tokens that they bring; without it only coins without tokens are taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenAsk>,
}

/// Tokens that an input has to bring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAsk {
    /// The category's 32 bytes; a 33rd asks for a non-fungible token of that capability.
    pub category: Expr,
    /// At least so many fungible tokens, from as many coins as that takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Expr>,
    /// The commitment of a non-fungible token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Expr>,
}

/// How many coins an input stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Take {
    /// One; if there are several, someone must say which.
    #[default]
    Only,
    /// One, whichever.
    Any,
    /// All that are named or found, each as an input of its own with the same path; perhaps none.
    Each,
}

impl Take {
    fn is_only(&self) -> bool {
        *self == Self::Only
    }
}

/// The age that a coin must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Age {
    /// A number of blocks.
    Blocks(Expr),
    /// A number of seconds, rounded up to the steps of 512 that a sequence counts.
    Seconds(Expr),
}

/// An argument of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PathArg {
    /// A value of the argument's type.
    Value(Expr),
    /// The plan's argument with this number as it was given, which may be the one who signs.
    Given(usize),
    /// A signature of the transaction by a key of the wallet: its public key, the hash of it, or its lock.
    Sign(Expr),
    /// Signatures of a multisig by the first keys, of these in order, that the wallet holds; as many as the
    /// argument's type says.
    #[serde(rename = "sign_each")]
    SignEach(Vec<Expr>),
    /// A signature over a message by a key of the wallet.
    Attest {
        /// The public key, the hash of it, or its lock.
        key: Expr,
        /// The bytes that are hashed and signed.
        message: Expr,
    },
    /// The parts of a composite.
    Parts(Vec<PathArg>),
}

/// A condition for carrying out a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Require {
    /// A truth value.
    pub condition: Expr,
    /// What to say where it does not hold.
    pub message: String,
    /// Where it stands in the source.
    #[serde(default)]
    pub span: SourceSpan,
}

/// Something that a transaction makes: one output, or one for each part of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Its name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it stands in the source.
    #[serde(default)]
    pub span: SourceSpan,
    /// One output for each part of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<Each>,
    /// What it is.
    #[serde(flatten)]
    pub kind: OutputKind,
}

/// A loop over the parts of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Each {
    /// The list, array or coins of an input.
    pub list: Expr,
    /// The local that holds the part at hand.
    pub item: usize,
    /// The local that counts the parts from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
}

/// What an output is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// Money, perhaps with tokens.
    Pay(Box<Pay>),
    /// Data that can never be spent: each part a push.
    Data(Vec<Expr>),
}

/// Money and tokens for somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pay {
    /// The locking bytecode.
    pub lock: Expr,
    /// How much; the least that nodes relay, without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Expr>,
    /// The tokens; none, without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenOut>,
}

/// The tokens on an output: those of an input's coin, with some parts said anew, or all parts said.
///
/// Without any fungible tokens and without a non-fungible one there is no token at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenOut {
    /// The input, and of several coins which, whose tokens the other fields change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<CoinRef>,
    /// The category's 32 bytes; a 33rd says that there is a non-fungible token of that capability.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Expr>,
    /// How many fungible tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Expr>,
    /// What the non-fungible token may do: 0 nothing, 1 change, 2 mint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<Expr>,
    /// The commitment of the non-fungible token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Expr>,
    /// Whether a non-fungible token of `like` is left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fungible_only: bool,
}

/// One coin of an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoinRef {
    /// The input.
    pub input: usize,
    /// Which of its coins; the only one, or the one at hand, without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coin: Option<Expr>,
}

/// Bytes that everybody can read from the chain afterwards.
///
/// Short ones go into a data output, longer ones into the unlocking bytecode of coins that only their hash locks;
/// see [`crate::publish`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    /// Its name.
    pub name: String,
    /// The bytes.
    pub bytes: Expr,
    /// Whether no output may be added, so that even short bytes are pushed by an input.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_output: bool,
}

/// Who pays what is missing and takes what is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// The wallet does both.
    #[default]
    Wallet,
    /// The wallet pays, and this lock takes.
    To(Expr),
    /// Nobody: the inputs pay for everything, and what is over is the fee. Tokens still have to be accounted for.
    None,
}

impl Change {
    fn is_wallet(&self) -> bool {
        *self == Self::Wallet
    }
}
