//! Transaction templates, typed.
//!
//! The expressions of a plan are those of a script, evaluated by a wallet instead: [`ExprKind::Arg`]
//! counts first the plan's arguments and then what it reads of coins and contracts.
//!
//! [`ExprKind::Arg`]: super::ExprKind::Arg

use syntax::Loc;
pub use syntax::ast::Take;

use super::{Expr, Local, LocalId, Param, ParamId, Type};

/// A transaction template.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Its documentation, in Markdown.
    pub docs: String,
    /// Its name in the source.
    pub loc: Loc,
    /// What whoever runs it gives: the first arguments of its expressions.
    pub args: Vec<Param>,
    /// What its expressions read of coins and contracts: the arguments after those.
    pub reads: Vec<PlanRead>,
    /// The variables.
    pub locals: Vec<Local>,
    /// The coins it spends, in order. What pays the fee comes after them.
    pub inputs: Vec<PlanInput>,
    /// The variables' values, in order; each is read only by what follows it.
    pub lets: Vec<(LocalId, Expr)>,
    /// What must hold for the transaction to be built.
    pub requires: Vec<PlanRequire>,
    /// The outputs, in order. Change comes after them.
    pub outputs: Vec<PlanOutput>,
    /// A `Height` or a `Time`; without one the least that the paths accept.
    pub locktime: Option<Expr>,
    /// What is put on the chain for everybody to read: `Bytes`.
    pub publish: Vec<Expr>,
    /// Who takes what the inputs hold beyond the outputs.
    pub change: PlanChange,
}

/// Who pays what is missing and takes what is over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum PlanChange {
    /// The wallet does both.
    #[default]
    Wallet,
    /// The wallet pays, and this `Lock` takes.
    To(Expr),
    /// Nobody: what is over goes to the miner.
    None,
}

/// Something that is known once the coins have been chosen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlanRead {
    /// What.
    pub what: PlanFact,
    /// Its type.
    pub ty: Type,
}

/// What a plan can know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlanFact {
    /// Something about the coin of the input with this number. Of several coins it is that of the first one, but for
    /// amounts, which are those of all together.
    Coin(usize, CoinFact),
    /// Something about the coin at hand of the input with this number: the one that is spent by the arguments in which
    /// this stands, or the one that an output is made for.
    AtHand(usize, CoinFact),
    /// The lock of another contract with these values for its parameters.
    Lock(String, Vec<Expr>),
    /// `tx.fee: Coin`: what the transaction leaves to the miner.
    Fee,
    /// `wallet.lock: Lock`: where the wallet takes change.
    Wallet,
    /// The `PubKey` of the person of a test with this number among its keys.
    Key(usize),
    /// The sum of this array of numbers, in a test.
    Sum(Vec<Expr>),
    /// What a reward with these weights, in the order of its sources, makes of this `Coin`, in a test.
    Shares(Vec<Expr>, Vec<u64>),
}

/// What a plan can know about a coin that it spends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CoinFact {
    /// `.value: Coin`
    Value,
    /// `.lock: Lock`
    Lock,
    /// `.txid: Bytes<32>`: the transaction that made it.
    Txid,
    /// `.index: Int`: which output of that transaction it is.
    Index,
    /// `.position: Int`: which input of the transaction spends it.
    Position,
    /// `.code: Bytes`: the contract's redeem script.
    Code,
    /// `.token.capability: Int`: what a non-fungible token may do; 0 none, 1 mutable, 2 minting.
    Capability,
    /// `.token.category: Bytes`, with the byte of a capability; empty without a token.
    Category,
    /// `.token.commitment: Bytes`
    Commitment,
    /// `.token.amount: Tokens`
    Tokens,
    /// `.state.name`: the field of the contract's state with this number.
    State(usize),
    /// `.params.name`: what the contract was deployed with.
    Param(ParamId),
    /// `.length: Int` of `each`: how many coins there are.
    Count,
}

/// A coin that a plan spends.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlanInput {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub source: PlanSource,
    /// What holds for the coins that may be taken: a `Bool`.
    pub accept: Option<Expr>,
    /// How old it must be: `Blocks` or a `Duration`. Without one, the least that its path accepts.
    pub age: Option<Expr>,
    /// Whether tokens of it that no output takes may be destroyed.
    pub burn: bool,
    /// Its name in the source.
    pub loc: Loc,
}

/// Where a coin comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlanSource {
    /// A coin of a contract.
    Path {
        /// The contract's name.
        contract: String,
        /// The values of its parameters, where the plan says which deployment is meant.
        params: Option<Vec<Expr>>,
        /// The path that spends it.
        path: String,
        /// The names of the path's arguments and what they get.
        args: Vec<(String, PlanArg)>,
        /// How many coins are meant.
        take: Take,
    },
    /// Coins of the wallet.
    Key {
        /// Their `Lock`.
        lock: Expr,
        /// The least `Coin` that they bring together.
        value: Option<Expr>,
        /// The tokens that they bring.
        token: Option<Box<PlanAsk>>,
    },
    /// A coin of the wallet that is the first output of its transaction.
    Genesis,
}

/// Tokens that coins have to bring.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlanAsk {
    /// 32 bytes, or 33 with a capability.
    pub category: Expr,
    /// `Tokens`: at least so many.
    pub amount: Option<Expr>,
    /// `Bytes`: what the commitment holds.
    pub commitment: Option<Expr>,
}

/// An argument of a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlanArg {
    /// A value of the argument's type.
    Value(Expr),
    /// The signature by this key, a `PubKey` or the hash of one.
    Sign(Expr),
    /// The signatures of a multisig by those of these keys, each a `PubKey`, that the wallet holds.
    SignEach(Vec<Expr>),
    /// The signature of bytes by a key: `attest(key, message)`.
    Attest {
        /// A `PubKey`.
        key: Expr,
        /// `Bytes`.
        message: Expr,
    },
    /// The wallet makes it as long as the transaction needs it.
    Padding,
    /// The records of the contract's list.
    Records,
}

/// What must hold for the transaction to be built.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlanRequire {
    /// A `Bool`.
    pub condition: Expr,
    /// What to say when it does not hold; never empty.
    pub message: String,
    /// Where.
    pub loc: Loc,
}

/// An output, or one for each record of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlanOutput {
    /// The records that it is made for.
    pub each: Option<Box<PlanEach>>,
    /// Who can spend it.
    pub lock: PlanLock,
    /// A `Coin`; data has none, nor have shares of one amount.
    pub value: Option<Expr>,
    /// The token on it.
    pub token: Option<Box<PlanToken>>,
    /// Where.
    pub loc: Loc,
}

/// What stands at the place of an output's lock.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlanLock {
    /// A `Lock`.
    Lock(Expr),
    /// Bytes, each of which is pushed behind `OP_RETURN`.
    Data(Vec<Expr>),
}

/// The rounds of `output each`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlanEach {
    /// What the rounds are for.
    pub list: PlanList,
    /// The variable that holds the record or element, or the number of the coin.
    pub record: LocalId,
    /// The variable that counts the rounds from 0.
    pub index: Option<LocalId>,
    /// What all rounds share, where they share one amount.
    pub split: Option<PlanSplit>,
}

/// An amount that outputs share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlanSplit {
    /// A `Coin`.
    pub amount: Expr,
    /// The weight of a round.
    pub weight: Expr,
}

/// What an output is made for each of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlanList {
    /// The records of a list or the elements of an array.
    Values(Expr),
    /// The coins of the input with this number.
    Coins(usize),
}

/// A token on an output.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlanToken {
    /// 32 bytes, or 33 with a capability.
    pub category: Expr,
    /// A number: 0 none, 1 mutable, 2 minting. Without one the category's last byte says it.
    pub capability: Option<Expr>,
    /// `Tokens`; without it none.
    pub amount: Option<Expr>,
    /// What the commitment holds.
    pub commitment: PlanCommitment,
}

/// The commitment of a token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlanCommitment {
    /// Nothing.
    Empty,
    /// Bytes.
    Bytes(Expr),
    /// The state of this contract: for each field in order the type that is stored, and its value.
    State(String, Vec<(Type, Expr)>),
}

impl PlanRead {
    /// The expressions in it.
    pub fn exprs(&self) -> &[Expr] {
        match &self.what {
            PlanFact::Coin(..) | PlanFact::AtHand(..) | PlanFact::Fee | PlanFact::Wallet | PlanFact::Key(_) => &[],
            PlanFact::Lock(_, args) | PlanFact::Sum(args) | PlanFact::Shares(args, _) => args,
        }
    }
}

impl PlanArg {
    /// The expressions in it.
    pub fn exprs(&self) -> Vec<&Expr> {
        match self {
            PlanArg::Value(expr) | PlanArg::Sign(expr) => vec![expr],
            PlanArg::SignEach(keys) => keys.iter().collect(),
            PlanArg::Attest { key, message } => vec![key, message],
            PlanArg::Padding | PlanArg::Records => Vec::new(),
        }
    }
}

impl PlanInput {
    /// The expressions in it.
    pub fn exprs(&self) -> Vec<&Expr> {
        let mut found: Vec<&Expr> = self.age.iter().chain(&self.accept).collect();
        match &self.source {
            PlanSource::Path { params, args, .. } => {
                found.extend(params.iter().flatten());
                found.extend(args.iter().flat_map(|(_, arg)| arg.exprs()));
            }
            PlanSource::Key { lock, value, token } => {
                found.push(lock);
                found.extend(value);
                if let Some(ask) = token {
                    found.push(&ask.category);
                    found.extend(ask.amount.iter().chain(&ask.commitment));
                }
            }
            PlanSource::Genesis => {}
        }
        found
    }
}

impl PlanOutput {
    /// The expressions in it.
    pub fn exprs(&self) -> Vec<&Expr> {
        let mut found: Vec<&Expr> = Vec::new();
        if let Some(PlanEach { list: PlanList::Values(list), .. }) = self.each.as_deref() {
            found.push(list);
        }
        if let Some(PlanSplit { amount, weight }) = self.each.as_ref().and_then(|each| each.split.as_ref()) {
            found.extend([amount, weight]);
        }
        match &self.lock {
            PlanLock::Lock(lock) => found.push(lock),
            PlanLock::Data(pieces) => found.extend(pieces),
        }
        found.extend(&self.value);
        if let Some(token) = &self.token {
            found.push(&token.category);
            found.extend(token.capability.iter().chain(&token.amount));
            match &token.commitment {
                PlanCommitment::Empty => {}
                PlanCommitment::Bytes(bytes) => found.push(bytes),
                PlanCommitment::State(_, fields) => found.extend(fields.iter().map(|(_, value)| value)),
            }
        }
        found
    }
}

impl Plan {
    /// Every expression in it.
    pub fn exprs(&self) -> Vec<&Expr> {
        let mut found: Vec<&Expr> = self.reads.iter().flat_map(PlanRead::exprs).collect();
        found.extend(self.inputs.iter().flat_map(PlanInput::exprs));
        found.extend(self.lets.iter().map(|(_, value)| value));
        found.extend(self.requires.iter().map(|require| &require.condition));
        found.extend(self.outputs.iter().flat_map(PlanOutput::exprs));
        found.extend(self.locktime.iter().chain(&self.publish));
        if let PlanChange::To(lock) = &self.change {
            found.push(lock);
        }
        found
    }
}
