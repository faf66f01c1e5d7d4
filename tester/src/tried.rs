//! From a transaction as a test says it to one that is signed.
//!
//! Everything that the test says is computed first, so that what the wallet carries out is a plan of nothing but
//! values; the wallet adds what pays the fee, and signs. A plan that the test names is carried out as it is.

use std::collections::BTreeMap;

use driver::Try;
use spec::artifact::{AbiType, Slot, Value};
use spec::hash::Category;
use spec::plan::{Age, EvalError, Evaluator, Expr, Input, Output, OutputKind, PathArg, Pay, Plan, Source, TokenOut};
use spec::token::{Capability, Nft};
use spec::{OutPoint, Sats, Token, TxOut};
use wallet::{Arg, Args, Deployed, FeeRate, Forged, Key, PlanError, PlanWish, Utxo};

use crate::people;
use crate::values::part_types;
use crate::world::Known;

/// Why a transaction of a test cannot be made.
#[derive(Debug)]
pub(crate) enum Unmade {
    /// A value cannot be computed.
    Eval(EvalError),
    /// A coin cannot be spent.
    Coin(String),
    /// The wallet cannot build it.
    Plan(Box<PlanError>),
}

impl From<EvalError> for Unmade {
    fn from(error: EvalError) -> Self {
        Self::Eval(error)
    }
}

impl std::fmt::Display for Unmade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Eval(error) => write!(f, "{error}"),
            Self::Coin(why) => f.write_str(why),
            Self::Plan(error) if error.part.is_empty() => write!(f, "{}", error.fault),
            Self::Plan(error) => write!(f, "{}: {}", error.part, error.fault),
        }
    }
}

/// A plan of values, with what its arguments stand for.
struct Said<'k, 'p> {
    known: &'k Known<'p>,
    plan: Plan,
    args: Args,
    named: BTreeMap<String, Vec<OutPoint>>,
}

/// A transaction that is tried.
pub(crate) struct Deal {
    pub(crate) forged: Forged,
    /// The names of its inputs, and the paths that unlock them; those that pay the fee have none.
    pub(crate) inputs: Vec<(String, String)>,
}

impl Deal {
    /// The inputs by their names in the plan.
    pub(crate) fn new(forged: Forged, plan: &Plan) -> Self {
        let of = |name: &String| {
            let path = match plan.inputs.iter().find(|input| input.name == *name).map(|input| &input.source) {
                Some(Source::Contract(source)) => format!("{}.{}", source.contract, source.path),
                _ => name.clone(),
            };
            (name.clone(), path)
        };
        let inputs = forged.inputs.iter().map_while(Option::as_ref).map(of).collect();
        Self { forged, inputs }
    }
}

/// Makes the transaction. Without a lock time of its own it has `locktime`, or else the least that its paths accept.
pub(crate) fn make(
    known: &Known<'_>,
    locals: &BTreeMap<usize, Value>,
    tried: &Try,
    locktime: Option<u32>,
    faucet: Utxo,
) -> Result<Deal, Unmade> {
    let mut evaluator = Evaluator::new(&tried.plan, known);
    locals.iter().for_each(|(local, value)| evaluator.bind(*local, value.clone()));
    let mut said = Said { known, plan: Plan::default(), args: Args::new(), named: BTreeMap::new() };
    said.plan.name = known.test.name.clone();
    for (coin, _) in &tried.spends {
        if let Some(input) = tried.plan.inputs.get(*coin) {
            let input = said.input(&mut evaluator, *coin, input)?;
            said.plan.inputs.push(input);
        }
    }
    for output in &tried.plan.outputs {
        let outputs = said.outputs(&mut evaluator, output)?;
        said.plan.outputs.extend(outputs);
    }
    let own = tried.plan.locktime.as_ref().map(|time| evaluator.int(time)).transpose()?;
    said.plan.locktime = own.or(locktime.map(Into::into)).map(whole);
    said.forge(&tried.spends, faucet).map(|forged| Deal::new(forged, &said.plan))
}

type Eval<'e, 'k, 'p> = Evaluator<'e, Known<'p>>;

impl Said<'_, '_> {
    fn forge(&self, spends: &[(usize, driver::Loc)], faucet: Utxo) -> Result<Forged, Unmade> {
        let live = spends.iter().filter_map(|(coin, _)| self.known.coins.get(coin));
        let coins: Vec<Utxo> = live.map(|live| live.utxo.clone()).chain([faucet]).collect();
        let deployments: Vec<Deployed> = self.known.deployed.borrow().values().cloned().collect();
        let keys: Vec<Key> = self.known.keys.iter().copied().chain(people::made_up()).collect();
        let wish = PlanWish {
            program: self.known.program,
            plan: &self.plan,
            args: &self.args,
            deployments: &deployments,
            coins: &coins,
            keys: &keys,
            payer: Some(people::faucet()),
            named: &self.named,
            rate: FeeRate::RELAY_MIN,
        };
        wallet::forge(&wish, |_| ()).map_err(|error| Unmade::Plan(Box::new(error)))
    }

    fn input(&mut self, evaluator: &mut Eval<'_, '_, '_>, coin: usize, input: &Input) -> Result<Input, Unmade> {
        let name = &input.name;
        let live = self.known.coins.get(&coin).filter(|live| live.gone.is_none());
        let live = live.ok_or_else(|| Unmade::Coin(format!("coin `{name}` has been spent")))?;
        self.named.insert(name.clone(), vec![live.utxo.outpoint]);
        let mut made = Input { name: name.clone(), age: None, accept: None, ..input.clone() };
        made.age = match &input.age {
            None => None,
            Some(Age::Blocks(blocks)) => Some(Age::Blocks(whole(evaluator.int(blocks)?))),
            Some(Age::Seconds(seconds)) => Some(Age::Seconds(whole(evaluator.int(seconds)?))),
        };
        if let Source::Contract(source) = &mut made.source {
            let artifact = self.known.program.artifact(&source.contract);
            let slots = artifact.and_then(|artifact| artifact.path(&source.path)).map(|path| path.args.clone());
            for (name, arg) in &mut source.args {
                let slot = slots.iter().flatten().find(|slot| slot.name == *name);
                let ty = slot.map_or(AbiType::Bytes, |slot| slot.ty.clone());
                *arg = self.arg(evaluator, arg, &ty)?;
            }
        }
        Ok(made)
    }

    fn arg(&mut self, evaluator: &mut Eval<'_, '_, '_>, arg: &PathArg, ty: &AbiType) -> Result<PathArg, Unmade> {
        Ok(match arg {
            PathArg::Value(expr) => {
                let value = evaluator.eval(expr)?;
                let given = ty.encode(&value).map_err(|misfit| Unmade::Coin(misfit.to_string()))?;
                let at = self.plan.args.len();
                let name = format!("value {at}");
                self.plan.args.push(Slot { name: name.clone(), ty: ty.clone() });
                self.args.insert(name, Arg::Value(given));
                PathArg::Given(at)
            }
            PathArg::Given(at) => PathArg::Given(*at),
            PathArg::Sign(key) => PathArg::Sign(Expr::Bytes(evaluator.bytes(key)?)),
            PathArg::SignEach(keys) => {
                let keys = keys.iter().map(|key| Ok(Expr::Bytes(evaluator.bytes(key)?)));
                PathArg::SignEach(keys.collect::<Result<_, EvalError>>()?)
            }
            PathArg::Attest { key, message } => PathArg::Attest {
                key: Expr::Bytes(evaluator.bytes(key)?),
                message: Expr::Bytes(evaluator.bytes(message)?),
            },
            PathArg::Parts(parts) => {
                let types = part_types(ty, parts.len());
                let parts = parts.iter().zip(types).map(|(part, ty)| self.arg(evaluator, part, &ty));
                PathArg::Parts(parts.collect::<Result<_, _>>()?)
            }
        })
    }

    /// The outputs that one statement makes.
    fn outputs(&self, evaluator: &mut Eval<'_, '_, '_>, output: &Output) -> Result<Vec<Output>, Unmade> {
        match &output.each {
            None => Ok(vec![one_output(evaluator, output)?]),
            Some(each) => evaluator.each(each, |evaluator| one_output(evaluator, output)),
        }
    }
}

fn one_output(evaluator: &mut Eval<'_, '_, '_>, output: &Output) -> Result<Output, Unmade> {
    let kind = match &output.kind {
        OutputKind::Data(parts) => {
            let parts = parts.iter().map(|part| Ok(Expr::Bytes(evaluator.bytes(part)?)));
            OutputKind::Data(parts.collect::<Result<_, EvalError>>()?)
        }
        OutputKind::Pay(pay) => OutputKind::Pay(Box::new(Pay {
            lock: Expr::Bytes(evaluator.bytes(&pay.lock)?),
            value: pay.value.as_ref().map(|value| evaluator.int(value).map(whole)).transpose()?,
            token: pay.token.as_ref().map(|token| token_out(evaluator, token)).transpose()?,
        })),
    };
    Ok(Output { each: None, kind, ..output.clone() })
}

fn token_out(evaluator: &mut Eval<'_, '_, '_>, token: &TokenOut) -> Result<TokenOut, EvalError> {
    let mut bytes = |expr: &Option<Expr>| expr.as_ref().map(|expr| evaluator.bytes(expr).map(Expr::Bytes)).transpose();
    let (category, commitment) = (bytes(&token.category)?, bytes(&token.commitment)?);
    let mut int = |expr: &Option<Expr>| expr.as_ref().map(|expr| evaluator.int(expr).map(whole)).transpose();
    let (amount, capability) = (int(&token.amount)?, int(&token.capability)?);
    Ok(TokenOut { like: None, category, amount, capability, commitment, fungible_only: token.fungible_only })
}

/// The output that makes a coin.
pub(crate) fn funded(known: &Known<'_>, locals: &BTreeMap<usize, Value>, output: &Output) -> Result<TxOut, Unmade> {
    let empty = Plan::default();
    let mut evaluator = Evaluator::new(&empty, known);
    locals.iter().for_each(|(local, value)| evaluator.bind(*local, value.clone()));
    let OutputKind::Pay(pay) = &output.kind else { return Err(Unmade::Coin("a coin holds money".to_owned())) };
    let lock = evaluator.bytes(&pay.lock)?;
    let value = pay.value.as_ref().map(|value| evaluator.int(value)).transpose()?.unwrap_or_default();
    let in_range = u64::try_from(value).ok().and_then(Sats::new);
    let value = in_range.ok_or_else(|| Unmade::Coin(format!("a coin cannot hold {value} sats")))?;
    let token = pay.token.as_ref().map(|token| token_of(&mut evaluator, token)).transpose()?.flatten();
    Ok(TxOut { value, token, lock })
}

fn token_of(evaluator: &mut Eval<'_, '_, '_>, out: &TokenOut) -> Result<Option<Token>, Unmade> {
    let category = out.category.as_ref().map(|expr| evaluator.bytes(expr)).transpose()?.unwrap_or_default();
    let wrong = || Unmade::Coin(format!("a category has 32 bytes, or 33 with a capability, not {}", category.len()));
    let (id, rest) = category.split_first_chunk::<32>().filter(|(_, rest)| rest.len() <= 1).ok_or_else(wrong)?;
    let capability = match &out.capability {
        Some(expr) => Some(evaluator.int(expr)?),
        None => rest.first().map(|byte| i128::from(*byte)),
    };
    let capability = match capability {
        None => None,
        Some(0) => Some(Capability::None),
        Some(1) => Some(Capability::Mutable),
        Some(2) => Some(Capability::Minting),
        Some(n) => return Err(Unmade::Coin(format!("a capability cannot be {n}"))),
    };
    let commitment = out.commitment.as_ref().map(|expr| evaluator.bytes(expr)).transpose()?;
    let nft = (capability.is_some() || commitment.is_some()).then(|| Nft {
        capability: capability.unwrap_or(Capability::None),
        commitment: commitment.unwrap_or_default(),
    });
    let amount = out.amount.as_ref().map(|expr| evaluator.int(expr)).transpose()?.unwrap_or_default();
    let fits = u64::try_from(amount).ok().filter(|amount| *amount <= spec::token::AMOUNT_MAX);
    let amount = fits.ok_or_else(|| Unmade::Coin(format!("an amount of tokens cannot be {amount}")))?;
    let holds = amount > 0 || nft.is_some();
    Ok(holds.then(|| Token { category: Category::from_wire(*id), amount, nft }))
}

/// A number as an expression; one that no place of a transaction holds stays out of range.
pub(crate) fn whole(n: i128) -> Expr {
    Expr::Int(i64::try_from(n).unwrap_or(if n < 0 { i64::MIN } else { i64::MAX }))
}
