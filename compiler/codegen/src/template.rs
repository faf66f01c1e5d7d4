//! Plans as data: the typed templates of transactions become what wallets carry out.
//!
//! A wallet evaluates expressions that have no statements, so functions are copied in and variables
//! replaced by their values. What only a script can do, such as checking a signature, is refused.

mod frame;
mod test;
mod value;

pub use test::{Carried, Placed, StepKind, Test, TestParam, TestStep, Try, test};

use std::collections::BTreeMap;

use analysis::hir::{
    self, CoinFact, Functions, LocalId, PlanArg, PlanChange, PlanCommitment, PlanFact, PlanList, PlanLock, PlanSource,
    PlanSplit, PlanToken, Take, Type,
};
use spec::artifact::{AbiType, Slot, SourceSpan};
use spec::plan::{self, Expr, FactOf, LockOf, MapOf, Op, ParamOf, Typed};
use syntax::{Code, Diagnostic, Loc};

use frame::Frame;

/// The most expressions that one plan's data has.
const NODES_MAX: usize = 20_000;
/// How deep expressions, branches and calls may nest while they are followed.
const STEPS_MAX: usize = 150;
/// How deep the JSON of one expression may nest, so that those who read the artifact accept it.
const DEPTH_MAX: usize = 90;

/// The data of a plan; `span` says where in the sources a place is.
///
/// # Errors
/// A message about the first thing that no wallet can compute.
pub fn template(
    plan: &hir::Plan,
    functions: &Functions,
    span: &mut dyn FnMut(&Loc) -> SourceSpan,
) -> Result<plan::Plan, Box<Diagnostic>> {
    Lower::new(plan, functions).plan(span)
}

/// The contracts that a plan spends coins of, or pays to.
///
/// # Errors
/// As [`template`].
pub fn contracts_of(plan: &hir::Plan) -> impl Iterator<Item = &str> {
    let spent = plan.inputs.iter().filter_map(|input| match &input.source {
        PlanSource::Path { contract, .. } => Some(contract.as_str()),
        PlanSource::Key { .. } | PlanSource::Genesis => None,
    });
    let paid = plan.reads.iter().filter_map(|read| match &read.what {
        PlanFact::Lock(contract, _) => Some(contract.as_str()),
        _ => None,
    });
    spent.chain(paid)
}

type Lowered<T> = Result<T, Box<Diagnostic>>;

struct Lower<'p> {
    plan: &'p hir::Plan,
    functions: &'p Functions,
    /// The variable that holds the number of the coin at hand, in an output that is made for each coin.
    at_hand: Option<LocalId>,
    /// The next number that no variable has.
    next_local: usize,
    nodes: usize,
    depth: usize,
    calls: Vec<hir::FunctionId>,
    /// The shares of amounts that outputs share.
    shares: Vec<plan::Let>,
}

impl<'p> Lower<'p> {
    fn new(plan: &'p hir::Plan, functions: &'p Functions) -> Self {
        crate::interrupt::check();
        let next_local = plan.locals.len();
        Self { plan, functions, at_hand: None, next_local, nodes: 0, depth: 0, calls: Vec::new(), shares: Vec::new() }
    }

    fn plan(&mut self, span: &mut dyn FnMut(&Loc) -> SourceSpan) -> Lowered<plan::Plan> {
        let plan = self.plan;
        let frame = Frame::default();
        let mut lets = Vec::with_capacity(plan.lets.len());
        for (local, value) in &plan.lets {
            let name = plan.locals.get(local.index()).map_or_else(String::new, |local| local.name.clone());
            lets.push(plan::Let { local: local.index(), name, value: self.whole(value, &frame)? });
        }
        let mut inputs = Vec::with_capacity(plan.inputs.len());
        for input in &plan.inputs {
            inputs.push(self.input(input, span(&input.loc))?);
        }
        let mut requires = Vec::with_capacity(plan.requires.len());
        for require in &plan.requires {
            let condition = self.whole(&require.condition, &frame)?;
            requires.push(plan::Require { condition, message: require.message.clone(), span: span(&require.loc) });
        }
        let mut outputs = Vec::with_capacity(plan.outputs.len());
        for output in &plan.outputs {
            let made = self.output(output, span(&output.loc));
            self.at_hand = None;
            outputs.push(made?);
        }
        lets.append(&mut self.shares);
        let mut publish = Vec::with_capacity(plan.publish.len());
        for (index, bytes) in plan.publish.iter().enumerate() {
            let name = if index == 0 { plan.name.clone() } else { format!("{} {}", plan.name, index + 1) };
            publish.push(plan::Publish { name, bytes: self.whole(bytes, &frame)?, no_output: false });
        }
        Ok(plan::Plan {
            name: plan.name.clone(),
            docs: plan.docs.clone(),
            span: span(&plan.loc),
            args: self.args()?,
            lets,
            inputs,
            requires,
            outputs,
            publish,
            locktime: self.optional(plan.locktime.as_ref(), &frame)?,
            change: match &plan.change {
                PlanChange::Wallet => plan::Change::Wallet,
                PlanChange::To(lock) => plan::Change::To(self.whole(lock, &frame)?),
                PlanChange::None => plan::Change::None,
            },
        })
    }

    fn args(&self) -> Lowered<Vec<Slot>> {
        let slot = |arg: &hir::Param| Ok(Slot { name: arg.name.clone(), ty: abi(&arg.ty, &arg.loc)? });
        self.plan.args.iter().map(slot).collect()
    }

    fn optional(&mut self, value: Option<&'p hir::Expr>, frame: &Frame<'p>) -> Lowered<Option<Expr>> {
        value.map(|value| self.whole(value, frame)).transpose()
    }

    fn input(&mut self, input: &'p hir::PlanInput, span: SourceSpan) -> Lowered<plan::Input> {
        let frame = Frame::default();
        let mut take = plan::Take::Only;
        let source = match &input.source {
            PlanSource::Path { contract, params, path, args, take: many } => {
                take = match many {
                    Take::Only => plan::Take::Only,
                    Take::Any => plan::Take::Any,
                    Take::Each => plan::Take::Each,
                };
                let params = match params {
                    Some(params) => Some(params.iter().map(|param| self.given(param, &frame)).collect::<Lowered<_>>()?),
                    None => None,
                };
                let mut given = BTreeMap::new();
                for (name, arg) in args {
                    if let Some(arg) = self.path_arg(arg, &frame)? {
                        given.insert(name.clone(), arg);
                    }
                }
                let (contract, path) = (contract.clone(), path.clone());
                plan::Source::Contract(plan::ContractSource { contract, params, path, args: given })
            }
            PlanSource::Key { lock, value, token } => plan::Source::Key(Box::new(plan::KeySource {
                owner: self.whole(lock, &frame)?,
                value: self.optional(value.as_ref(), &frame)?,
                token: match token {
                    None => None,
                    Some(ask) => Some(plan::TokenAsk {
                        category: self.whole(&ask.category, &frame)?,
                        amount: self.optional(ask.amount.as_ref(), &frame)?,
                        commitment: self.optional(ask.commitment.as_ref(), &frame)?,
                    }),
                },
            })),
            PlanSource::Genesis => plan::Source::Genesis,
        };
        let age = match &input.age {
            None => None,
            Some(age) => {
                let value = self.whole(age, &frame)?;
                Some(if age.ty == Type::Duration { plan::Age::Seconds(value) } else { plan::Age::Blocks(value) })
            }
        };
        let accept = self.optional(input.accept.as_ref(), &frame)?;
        Ok(plan::Input { name: input.name.clone(), span, source, take, accept, age, burn: input.burn })
    }

    fn path_arg(&mut self, arg: &'p PlanArg, frame: &Frame<'p>) -> Lowered<Option<plan::PathArg>> {
        Ok(Some(match arg {
            PlanArg::Padding | PlanArg::Records => return Ok(None),
            PlanArg::Value(value) => match self.given(value, frame)? {
                // It may be a signature that is made later.
                Expr::Arg(arg) if may_sign(&value.ty) => plan::PathArg::Given(arg),
                given => plan::PathArg::Value(given),
            },
            PlanArg::Sign(key) => plan::PathArg::Sign(self.whole(key, frame)?),
            PlanArg::SignEach(keys) => plan::PathArg::SignEach(self.wholes(keys, frame)?),
            PlanArg::Attest { key, message } => {
                plan::PathArg::Attest { key: self.whole(key, frame)?, message: self.whole(message, frame)? }
            }
        }))
    }

    /// A value of its own, which may not nest too deep.
    fn whole(&mut self, value: &'p hir::Expr, frame: &Frame<'p>) -> Lowered<Expr> {
        let whole = self.value(value, frame)?;
        if whole.json_depth() > DEPTH_MAX {
            return Err(cannot("hold operations that nest so deep", &value.loc));
        }
        Ok(whole)
    }

    fn wholes(&mut self, values: &'p [hir::Expr], frame: &Frame<'p>) -> Lowered<Vec<Expr>> {
        values.iter().map(|value| self.whole(value, frame)).collect()
    }

    /// A value that is encoded by its type when the wallet gets it.
    fn given(&mut self, value: &'p hir::Expr, frame: &Frame<'p>) -> Lowered<Expr> {
        let whole = self.whole(value, frame)?;
        Ok(value::given_as(&abi(&value.ty, &value.loc)?, whole))
    }

    fn output(&mut self, output: &'p hir::PlanOutput, span: SourceSpan) -> Lowered<plan::Output> {
        let mut frame = Frame::default();
        let each = match &output.each {
            None => None,
            Some(each) => {
                let list = match &each.list {
                    PlanList::Values(list) => self.whole(list, &frame)?,
                    PlanList::Coins(input) => {
                        self.at_hand = Some(each.record);
                        Expr::Coins(*input)
                    }
                };
                frame.bind(each.record);
                each.index.into_iter().for_each(|index| frame.bind(index));
                Some(plan::Each { list, item: each.record.index(), index: each.index.map(LocalId::index) })
            }
        };
        let mut each = each;
        let shared = match (&mut each, output.each.as_ref().and_then(|each| each.split.as_ref())) {
            (Some(each), Some(split)) => Some(self.shared(each, split, &frame)?),
            _ => None,
        };
        let kind = match &output.lock {
            PlanLock::Data(pieces) => plan::OutputKind::Data(self.wholes(pieces, &frame)?),
            PlanLock::Lock(lock) => plan::OutputKind::Pay(Box::new(plan::Pay {
                lock: self.whole(lock, &frame)?,
                value: match shared {
                    Some(shared) => Some(shared),
                    None => self.optional(output.value.as_ref(), &frame)?,
                },
                token: match &output.token {
                    None => None,
                    Some(token) => Some(self.token(token, &frame)?),
                },
            })),
        };
        Ok(plan::Output { name: None, span, each, kind })
    }

    /// A round's share of an amount: all shares are computed once, before the outputs.
    fn shared(&mut self, each: &mut plan::Each, split: &'p PlanSplit, frame: &Frame<'p>) -> Lowered<Expr> {
        let weight = self.whole(&split.weight, frame)?;
        let amount = self.whole(&split.amount, &Frame::default())?;
        let item = each.item;
        let weights = Expr::Map(Box::new(MapOf { list: each.list.clone(), item, index: None, value: weight }));
        let (local, index) = (self.fresh(), each.index.unwrap_or_else(|| self.fresh()));
        each.index = Some(index);
        let value = Expr::op(Op::Split, [amount, weights]);
        self.shares.push(plan::Let { local, name: "shares".to_owned(), value });
        Ok(Expr::op(Op::Index, [Expr::Local(local), Expr::Local(index)]))
    }

    fn token(&mut self, token: &'p PlanToken, frame: &Frame<'p>) -> Lowered<plan::TokenOut> {
        let commitment = match &token.commitment {
            PlanCommitment::Empty => None,
            PlanCommitment::Bytes(bytes) => Some(self.whole(bytes, frame)?),
            PlanCommitment::State(_, fields) => Some(self.state(fields, frame)?),
        };
        Ok(plan::TokenOut {
            like: None,
            category: Some(self.whole(&token.category, frame)?),
            amount: self.optional(token.amount.as_ref(), frame)?,
            capability: self.optional(token.capability.as_ref(), frame)?,
            commitment,
            fungible_only: false,
        })
    }

    /// The fields of a state, one behind the other.
    fn state(&mut self, fields: &'p [(Type, hir::Expr)], frame: &Frame<'p>) -> Lowered<Expr> {
        let mut stored = Vec::with_capacity(fields.len());
        for (ty, field) in fields {
            let ty = abi(ty, &field.loc)?;
            let value = Box::new(value::given_as(&ty, self.whole(field, frame)?));
            stored.push(Expr::Store(Typed { ty, value }));
        }
        Ok(Expr::Op(Op::Cat, stored))
    }

    /// What a plan reads of coins and contracts.
    fn read(&mut self, read: &'p hir::PlanRead, frame: &Frame<'p>) -> Lowered<Expr> {
        match &read.what {
            PlanFact::Lock(contract, args) => {
                let args = args.iter().map(|arg| self.given(arg, frame)).collect::<Lowered<_>>()?;
                Ok(Expr::Lock(LockOf { contract: contract.clone(), args }))
            }
            PlanFact::Coin(input, fact) => Ok(self.coin(*input, *fact)),
            PlanFact::AtHand(input, fact) => Ok(self.at_hand(*input, *fact)),
            PlanFact::Fee => Ok(Expr::Fee),
            PlanFact::Wallet => Ok(Expr::Wallet),
            PlanFact::Key(key) => Ok(Expr::Arg(self.plan.args.len() + key)),
            PlanFact::Sum(of) => {
                let of = self.wholes(of, frame)?;
                Ok(Expr::Op(Op::Sum, of))
            }
            PlanFact::Shares(pot, weights) => {
                let pot = self.wholes(pot, frame)?;
                let weight = |weight: &u64| Expr::Int(i64::try_from(*weight).unwrap_or(i64::MAX));
                let weights = Expr::Parts(weights.iter().map(weight).collect());
                Ok(Expr::Op(Op::Split, pot.into_iter().chain([weights]).collect()))
            }
        }
    }

    fn at_hand(&self, input: usize, fact: CoinFact) -> Expr {
        let coin = self.at_hand.map(|local| Box::new(Expr::Local(local.index())));
        match (known_of(fact), fact) {
            (Some(what), _) => Expr::Fact(FactOf { input, coin, what }),
            (None, CoinFact::Param(param)) => {
                Expr::Fact(FactOf { input, coin, what: plan::CoinFact::Param(param.index()) })
            }
            (None, _) => Expr::op(Op::Count, [Expr::Coins(input)]),
        }
    }

    fn coin(&mut self, input: usize, fact: CoinFact) -> Expr {
        let Some(what) = known_of(fact) else {
            return match fact {
                CoinFact::Param(param) => Expr::Param(ParamOf { input, param: param.index() }),
                _ => Expr::op(Op::Count, [Expr::Coins(input)]),
            };
        };
        let is_amount = matches!(fact, CoinFact::Value | CoinFact::Tokens);
        let several = match self.plan.inputs.get(input).map(|input| &input.source) {
            Some(PlanSource::Path { take, .. }) => *take == Take::Each,
            // A key may bring several coins.
            Some(PlanSource::Key { .. }) => true,
            Some(PlanSource::Genesis) | None => false,
        };
        match (several, is_amount) {
            (false, _) => Expr::fact(input, what),
            (true, false) => Expr::Fact(FactOf { input, coin: Some(Box::new(Expr::Int(0))), what }),
            (true, true) => {
                let item = self.fresh();
                let coin = Some(Box::new(Expr::Local(item)));
                let value = Expr::Fact(FactOf { input, coin, what });
                let all = Expr::Map(Box::new(MapOf { list: Expr::Coins(input), item, index: None, value }));
                Expr::op(Op::Sum, [all])
            }
        }
    }

    fn fresh(&mut self) -> usize {
        self.next_local += 1;
        self.next_local - 1
    }
}

/// What wallets know of a single coin by the same name.
fn known_of(fact: CoinFact) -> Option<plan::CoinFact> {
    Some(match fact {
        CoinFact::Value => plan::CoinFact::Value,
        CoinFact::Lock => plan::CoinFact::Lock,
        CoinFact::Txid => plan::CoinFact::Txid,
        CoinFact::Index => plan::CoinFact::Outpoint,
        CoinFact::Position => plan::CoinFact::Position,
        CoinFact::Code => plan::CoinFact::Code,
        CoinFact::Category => plan::CoinFact::Category,
        CoinFact::Capability => plan::CoinFact::Capability,
        CoinFact::Commitment => plan::CoinFact::Commitment,
        CoinFact::Tokens => plan::CoinFact::Amount,
        CoinFact::State(field) => plan::CoinFact::State(field),
        CoinFact::Param(_) | CoinFact::Count => return None,
    })
}

/// The type as wallets know it.
fn abi(ty: &Type, loc: &Loc) -> Lowered<AbiType> {
    ty.abi().ok_or_else(|| cannot(&format!("hold a `{ty}`"), loc))
}

/// Whether an argument of the type may be a signature that is made when all else is known, or a list's records.
fn may_sign(ty: &Type) -> bool {
    match ty {
        Type::Sig | Type::Sigs(_) | Type::DataSig | Type::List(_) => true,
        Type::Tuple(parts) => parts.iter().any(may_sign),
        Type::Array(of, _) => may_sign(of),
        Type::Struct(of) => of.fields.iter().any(|(_, ty)| may_sign(ty)),
        Type::Enum(of) => of.variants.iter().flat_map(|variant| &variant.fields).any(may_sign),
        _ => false,
    }
}

/// A message that wallets cannot do something.
fn cannot(what: &str, loc: &Loc) -> Box<Diagnostic> {
    let message = format!("a plan cannot {what}");
    let help = "compute it in the contract, or take it as an argument of the plan";
    Box::new(Diagnostic::error(Code::E0707, message, loc.clone()).help(help))
}
