//! Plans as data: the typed templates of transactions become what wallets carry out.
//!
//! A wallet evaluates expressions that have no statements, so functions are copied in and variables
//! replaced by their values. What only a script can do, such as checking a signature, is refused.

mod value;

use std::collections::BTreeMap;

use analysis::hir::{
    self, CoinFact, Functions, PlanArg, PlanChange, PlanCommitment, PlanFact, PlanLock, PlanSource, PlanToken, Take,
    Type,
};
use spec::artifact::{AbiType, Slot, SourceSpan};
use spec::plan::{self, Expr, FactOf, LockOf, MapOf, Op, ParamOf, Typed};
use syntax::{Code, Diagnostic, Loc};

use value::Frame;

/// The most expressions that one plan's data has.
const NODES_MAX: usize = 100_000;

/// The data of a plan; `span` says where in the sources a place is.
///
/// # Errors
/// A message about the first thing that no wallet can compute.
pub fn template(
    plan: &hir::Plan,
    functions: &Functions,
    span: &mut dyn FnMut(&Loc) -> SourceSpan,
) -> Result<plan::Plan, Box<Diagnostic>> {
    let mut lower = Lower { plan, functions, own: None, next_local: plan.locals.len(), nodes: 0, calls: Vec::new() };
    lower.plan(span)
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
        PlanFact::Coin(..) => None,
    });
    spent.chain(paid)
}

type Lowered<T> = Result<T, Box<Diagnostic>>;

struct Lower<'p> {
    plan: &'p hir::Plan,
    functions: &'p Functions,
    /// The input whose own coins facts without a number speak of.
    own: Option<usize>,
    /// The next number that no variable has.
    next_local: usize,
    nodes: usize,
    calls: Vec<hir::FunctionId>,
}

impl Lower<'_> {
    fn plan(&mut self, span: &mut dyn FnMut(&Loc) -> SourceSpan) -> Lowered<plan::Plan> {
        let plan = self.plan;
        let frame = Frame::default();
        let mut lets = Vec::with_capacity(plan.lets.len());
        for (local, value) in &plan.lets {
            let name = plan.locals.get(local.index()).map_or_else(String::new, |local| local.name.clone());
            lets.push(plan::Let { local: local.index(), name, value: self.value(value, &frame)? });
        }
        let mut inputs = Vec::with_capacity(plan.inputs.len());
        for (index, input) in plan.inputs.iter().enumerate() {
            self.own = Some(index);
            let lowered = self.input(input, span(&input.loc));
            self.own = None;
            inputs.push(lowered?);
        }
        let mut requires = Vec::with_capacity(plan.requires.len());
        for require in &plan.requires {
            let condition = self.value(&require.condition, &frame)?;
            requires.push(plan::Require { condition, message: require.message.clone(), span: span(&require.loc) });
        }
        let mut outputs = Vec::with_capacity(plan.outputs.len());
        for output in &plan.outputs {
            outputs.push(self.output(output, span(&output.loc))?);
        }
        let mut publish = Vec::with_capacity(plan.publish.len());
        for (index, bytes) in plan.publish.iter().enumerate() {
            let name = if index == 0 { plan.name.clone() } else { format!("{} {}", plan.name, index + 1) };
            publish.push(plan::Publish { name, bytes: self.value(bytes, &frame)?, no_output: false });
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
                PlanChange::To(lock) => plan::Change::To(self.value(lock, &frame)?),
                PlanChange::None => plan::Change::None,
            },
        })
    }

    fn args(&self) -> Lowered<Vec<Slot>> {
        let slot = |arg: &hir::Param| Ok(Slot { name: arg.name.clone(), ty: abi(&arg.ty, &arg.loc)? });
        self.plan.args.iter().map(slot).collect()
    }

    fn optional(&mut self, value: Option<&hir::Expr>, frame: &Frame) -> Lowered<Option<Expr>> {
        value.map(|value| self.value(value, frame)).transpose()
    }

    fn all(&mut self, values: &[hir::Expr], frame: &Frame) -> Lowered<Vec<Expr>> {
        values.iter().map(|value| self.value(value, frame)).collect()
    }

    fn input(&mut self, input: &hir::PlanInput, span: SourceSpan) -> Lowered<plan::Input> {
        let frame = Frame::default();
        let mut take = plan::Take::Only;
        let source = match &input.source {
            PlanSource::Path { contract, params, path, args, take: many } => {
                take = match many {
                    Take::Only => plan::Take::Only,
                    Take::Any => plan::Take::Any,
                    Take::Each => plan::Take::Each,
                };
                let params = params.as_ref().map(|params| self.all(params, &frame)).transpose()?;
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
                owner: self.value(lock, &frame)?,
                value: self.optional(value.as_ref(), &frame)?,
                token: match token {
                    None => None,
                    Some(ask) => Some(plan::TokenAsk {
                        category: self.value(&ask.category, &frame)?,
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
                let value = self.value(age, &frame)?;
                Some(if age.ty == Type::Duration { plan::Age::Seconds(value) } else { plan::Age::Blocks(value) })
            }
        };
        let accept = self.optional(input.accept.as_ref(), &frame)?;
        Ok(plan::Input { name: input.name.clone(), span, source, take, accept, age, burn: input.burn })
    }

    fn path_arg(&mut self, arg: &PlanArg, frame: &Frame) -> Lowered<Option<plan::PathArg>> {
        Ok(match arg {
            PlanArg::Padding | PlanArg::Records => None,
            PlanArg::Value(value) if matches!(value.ty, Type::Sig | Type::Sigs(_) | Type::DataSig | Type::List(_)) => {
                match self.value(value, frame)? {
                    Expr::Arg(arg) => Some(plan::PathArg::Given(arg)),
                    other => Some(plan::PathArg::Value(other)),
                }
            }
            PlanArg::Value(value) => Some(plan::PathArg::Value(self.value(value, frame)?)),
            PlanArg::Sign(key) => Some(plan::PathArg::Sign(self.value(key, frame)?)),
            PlanArg::SignEach(keys) => Some(plan::PathArg::SignEach(self.all(keys, frame)?)),
        })
    }

    fn output(&mut self, output: &hir::PlanOutput, span: SourceSpan) -> Lowered<plan::Output> {
        let mut frame = Frame::default();
        let each = match &output.each {
            None => None,
            Some(each) => {
                let list = self.value(&each.list, &frame)?;
                let (item, index) = (each.record.index(), each.index.map(hir::LocalId::index));
                frame.bind(each.record, Expr::Local(item));
                if let Some(index) = each.index {
                    frame.bind(index, Expr::Local(index.index()));
                }
                Some(plan::Each { list, item, index })
            }
        };
        let kind = match &output.lock {
            PlanLock::Data(pieces) => plan::OutputKind::Data(self.all(pieces, &frame)?),
            PlanLock::Lock(lock) => plan::OutputKind::Pay(Box::new(plan::Pay {
                lock: self.value(lock, &frame)?,
                value: self.optional(output.value.as_ref(), &frame)?,
                token: match &output.token {
                    None => None,
                    Some(token) => Some(self.token(token, &frame)?),
                },
            })),
        };
        Ok(plan::Output { name: None, span, each, kind })
    }

    fn token(&mut self, token: &PlanToken, frame: &Frame) -> Lowered<plan::TokenOut> {
        let commitment = match &token.commitment {
            PlanCommitment::Empty => None,
            PlanCommitment::Bytes(bytes) => Some(self.value(bytes, frame)?),
            PlanCommitment::State(_, fields) => Some(self.state(fields, frame)?),
        };
        Ok(plan::TokenOut {
            like: None,
            category: Some(self.value(&token.category, frame)?),
            amount: self.optional(token.amount.as_ref(), frame)?,
            capability: self.optional(token.capability.as_ref(), frame)?,
            commitment,
            fungible_only: false,
        })
    }

    /// The fields of a state, one behind the other.
    fn state(&mut self, fields: &[(Type, hir::Expr)], frame: &Frame) -> Lowered<Expr> {
        let mut stored = Vec::with_capacity(fields.len());
        for (ty, field) in fields {
            let (ty, value) = (abi(ty, &field.loc)?, Box::new(self.value(field, frame)?));
            stored.push(Expr::Store(Typed { ty, value }));
        }
        Ok(Expr::Op(Op::Cat, stored))
    }

    /// What a plan reads of coins and contracts.
    fn read(&mut self, read: &hir::PlanRead, frame: &Frame) -> Lowered<Expr> {
        match &read.what {
            PlanFact::Lock(contract, args) => {
                let args = self.all(args, frame)?;
                Ok(Expr::Lock(LockOf { contract: contract.clone(), args }))
            }
            PlanFact::Coin(input, fact) => Ok(self.coin(*input, *fact)),
        }
    }

    fn coin(&mut self, input: usize, fact: CoinFact) -> Expr {
        let what = match fact {
            CoinFact::Value => plan::CoinFact::Value,
            CoinFact::Lock => plan::CoinFact::Lock,
            CoinFact::Txid => plan::CoinFact::Txid,
            CoinFact::Index => plan::CoinFact::Outpoint,
            CoinFact::Category => plan::CoinFact::Category,
            CoinFact::Commitment => plan::CoinFact::Commitment,
            CoinFact::Tokens => plan::CoinFact::Amount,
            CoinFact::State(field) => plan::CoinFact::State(field),
            CoinFact::Param(param) => return Expr::Param(ParamOf { input, param: param.index() }),
            CoinFact::Count => return Expr::op(Op::Count, [Expr::Coins(input)]),
        };
        let several = matches!(
            self.plan.inputs.get(input).map(|input| &input.source),
            Some(PlanSource::Path { take: Take::Each, .. })
        );
        // The coins of a key may be several too; together they have a value and tokens.
        let of_key = matches!(self.plan.inputs.get(input).map(|input| &input.source), Some(PlanSource::Key { .. }));
        let is_amount = matches!(fact, CoinFact::Value | CoinFact::Tokens);
        if self.own == Some(input) || !(several || (of_key && is_amount)) {
            return Expr::fact(input, what);
        }
        if !is_amount {
            return Expr::Fact(FactOf { input, coin: Some(Box::new(Expr::Int(0))), what });
        }
        let item = self.fresh();
        let coin = Some(Box::new(Expr::Local(item)));
        let value = Expr::Fact(FactOf { input, coin, what });
        let all = Expr::Map(Box::new(MapOf { list: Expr::Coins(input), item, index: None, value }));
        Expr::op(Op::Sum, [all])
    }

    fn fresh(&mut self) -> usize {
        self.next_local += 1;
        self.next_local - 1
    }
}

/// The type as wallets know it.
fn abi(ty: &Type, loc: &Loc) -> Lowered<AbiType> {
    ty.abi().ok_or_else(|| cannot(&format!("hold a `{ty}`"), loc))
}

/// A message that wallets cannot do something.
fn cannot(what: &str, loc: &Loc) -> Box<Diagnostic> {
    let message = format!("a plan cannot {what}");
    let help = "compute it in the contract, or take it as an argument of the plan";
    Box::new(Diagnostic::error(Code::E0707, message, loc.clone()).help(help))
}
