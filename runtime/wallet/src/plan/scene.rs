//! What is known while a plan is carried out: arguments, chosen coins, the fee. Expressions ask it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use spec::artifact::{SourceSpan, Value};
use spec::plan::{CoinFact, Evaluator, Missing, Source, World};
use spec::token::Token;
use spec::{Artifact, Sats};

use super::publish::Published;
use super::{Deployed, PlanError, PlanFault, PlanWish, ProgramError};
use crate::coins::Utxo;
use crate::contract::{Arg, Params};
use crate::draft::Built;
use crate::explain::Place;
use crate::keys::Key;

/// A coin that an input takes.
#[derive(Clone, Debug)]
pub(super) struct Taken<'a> {
    pub(super) coin: Utxo,
    /// Of a contract's coin.
    pub(super) instance: Option<Rc<Instance<'a>>>,
}

/// A contract with its parameters.
#[derive(Debug)]
pub(super) struct Instance<'a> {
    pub(super) artifact: &'a Artifact,
    pub(super) params: Params,
    pub(super) redeem: Vec<u8>,
    pub(super) lock: Vec<u8>,
}

/// Everything that expressions may ask for.
pub(super) struct Scene<'a> {
    pub(super) wish: &'a PlanWish<'a>,
    /// The values of the arguments; none for signatures.
    args: Vec<Option<Value>>,
    /// The coins of each input, once they are chosen.
    pub(super) inputs: Vec<Option<Vec<Taken<'a>>>>,
    /// The coins that may be spent.
    pub(super) coins: Vec<Utxo>,
    /// The transactions that made some of them.
    pub(super) first: Vec<Built>,
    /// What the plan publishes, once that is prepared.
    pub(super) published: Vec<Published>,
    /// The lengths of paddings, by input and coin.
    pub(super) paddings: BTreeMap<(usize, usize), usize>,
    /// The place of each of the plan's outputs, once it is known.
    pub(super) starts: Vec<usize>,
    pub(super) fee: Option<Sats>,
    /// The contracts whose locks expressions asked for, by lock.
    pub(super) named_locks: RefCell<BTreeMap<Vec<u8>, Deployed>>,
    /// Whether an expression asked for the fee.
    pub(super) fee_read: Cell<bool>,
    /// Whether an expression asked for a coin that is not chosen yet.
    pub(super) unchosen_read: Cell<bool>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(wish: &'a PlanWish<'a>) -> Result<Self, PlanFault> {
        let slots = &wish.plan.args;
        if let Some(stray) = wish.args.keys().find(|name| !slots.iter().any(|slot| slot.name == **name)) {
            return Err(PlanFault::NoSuchArg(stray.clone()));
        }
        let mut args = Vec::with_capacity(slots.len());
        for slot in slots {
            let arg = wish.args.get(&slot.name).ok_or_else(|| PlanFault::MissingArg(slot.name.clone()))?;
            let wrong = || PlanFault::WrongArg { name: slot.name.clone(), ty: slot.ty.to_string() };
            args.push(match arg {
                Arg::Value(value) => Some(slot.ty.decode(value).ok_or_else(wrong)?),
                Arg::Sign(_) | Arg::SignEcdsa(_) | Arg::SignEach(_) | Arg::Parts(_) => None,
            });
        }
        Ok(Self {
            wish,
            args,
            inputs: vec![None; wish.plan.inputs.len()],
            coins: wish.coins.to_vec(),
            first: Vec::new(),
            published: Vec::new(),
            paddings: BTreeMap::new(),
            starts: Vec::new(),
            fee: Some(Sats::ZERO),
            named_locks: RefCell::new(BTreeMap::new()),
            fee_read: Cell::new(false),
            unchosen_read: Cell::new(false),
        })
    }

    pub(super) fn evaluator(&self) -> Evaluator<'_, Self> {
        Evaluator::new(self.wish.plan, self)
    }

    /// An error of a part of the plan.
    pub(super) fn error(&self, part: String, span: SourceSpan, fault: impl Into<PlanFault>) -> PlanError {
        let fault = fault.into();
        let inner = match &fault {
            PlanFault::Eval(error) => error.span,
            _ => None,
        };
        PlanError {
            plan: self.wish.plan.name.clone(),
            part,
            place: self.place(inner.unwrap_or(span)),
            fault: Box::new(fault),
        }
    }

    fn place(&self, span: SourceSpan) -> Option<Place> {
        let (artifact, _) = self.wish.program.plans().find(|(_, plan)| *plan == self.wish.plan)?;
        let file = artifact.sources.get(span.file).filter(|_| span.line > 0)?.path.clone();
        Some(Place { file, line: span.line, column: span.column })
    }

    /// An error that speaks of an input.
    pub(super) fn input_error(&self, input: usize, fault: impl Into<PlanFault>) -> PlanError {
        let (name, span) = match self.wish.plan.inputs.get(input) {
            Some(input) => (format!("input `{}`", input.name), input.span),
            None => (String::new(), self.wish.plan.span),
        };
        self.error(name, span, fault)
    }

    /// An error that speaks of the whole plan.
    pub(super) fn plan_error(&self, fault: impl Into<PlanFault>) -> PlanError {
        self.error(String::new(), self.wish.plan.span, fault)
    }

    /// The coins of an input.
    pub(super) fn taken(&self, input: usize) -> &[Taken<'a>] {
        self.inputs.get(input).and_then(Option::as_deref).unwrap_or_default()
    }

    /// The key at hand behind a public key, its hash or its lock.
    pub(super) fn key(&self, owner: &[u8]) -> Option<Key> {
        let payer = self.wish.payer.iter();
        let owns = |key: &&Key| owner == key.public() || owner == key.public_hash() || owner == key.lock();
        self.wish.keys.iter().chain(payer).find(owns).copied()
    }

    /// The coins that no input takes yet.
    pub(super) fn free(&self) -> impl Iterator<Item = &Utxo> {
        let taken = |coin: &Utxo| {
            let mut all = self.inputs.iter().flatten().flatten();
            all.any(|taken| taken.coin.outpoint == coin.outpoint)
        };
        self.coins.iter().filter(move |coin| !taken(coin))
    }

    /// The length of the padding of an input's coin.
    pub(super) fn padding(&self, input: usize, coin: usize) -> usize {
        self.paddings.get(&(input, coin)).copied().unwrap_or(0)
    }

    fn coin(&self, input: usize, coin: usize) -> Result<&Taken<'a>, Missing> {
        self.chosen(input)?.get(coin).ok_or_else(|| Missing(format!("input {input} has no coin {coin}")))
    }

    fn chosen(&self, input: usize) -> Result<&[Taken<'a>], Missing> {
        match self.inputs.get(input).and_then(Option::as_deref) {
            Some(taken) => Ok(taken),
            None => {
                self.unchosen_read.set(true);
                Err(Missing("it needs a coin that is not chosen yet".to_owned()))
            }
        }
    }

    fn position(&self, input: usize, coin: usize) -> Result<usize, Missing> {
        (0..input).try_fold(coin, |sum, before| Ok(sum + self.chosen(before)?.len()))
    }

    /// The parameters of an input's contract: those of its first coin, or of the only deployment.
    fn params(&self, input: usize) -> Result<(&'a Artifact, &Params), Missing> {
        if let Some(instance) = self.taken(input).first().and_then(|taken| taken.instance.as_ref()) {
            return Ok((instance.artifact, &instance.params));
        }
        let source = self.wish.plan.inputs.get(input).map(|input| &input.source);
        if let Some(Source::Contract(of)) = source
            && of.params.is_none()
            && let Some(artifact) = self.wish.program.artifact(&of.contract)
        {
            let mut known = self.wish.deployments.iter().filter(|deployed| deployed.contract == of.contract);
            if let (Some(only), None) = (known.next(), known.next()) {
                return Ok((artifact, &only.params));
            }
        }
        self.chosen(input)?;
        Err(Missing(format!("input {input} spends no contract whose parameters are known")))
    }
}

impl World for Scene<'_> {
    fn arg(&self, arg: usize) -> Result<Value, Missing> {
        let value = self.args.get(arg).and_then(Option::clone);
        value.ok_or_else(|| Missing(format!("argument {arg} is a signature, which is made at the end")))
    }

    fn param(&self, input: usize, param: usize) -> Result<Value, Missing> {
        let (artifact, params) = self.params(input)?;
        let slot = artifact.params.get(param);
        let value = slot.and_then(|slot| slot.ty.decode(params.get(&slot.name)?));
        value.ok_or_else(|| Missing(format!("`{}` has no parameter {param}", artifact.contract)))
    }

    fn coins(&self, input: usize) -> Result<usize, Missing> {
        self.chosen(input).map(<[_]>::len)
    }

    fn fact(&self, input: usize, coin: usize, what: CoinFact) -> Result<Value, Missing> {
        let taken = self.coin(input, coin)?;
        let Utxo { outpoint, output } = &taken.coin;
        let token = output.token.as_ref();
        Ok(match what {
            CoinFact::Value => Value::Int(output.value.get().into()),
            CoinFact::Lock => Value::Bytes(output.lock.clone()),
            CoinFact::Code => {
                let instance = taken.instance.as_ref();
                let instance = instance.ok_or_else(|| Missing(format!("input {input} spends no contract")))?;
                Value::Bytes(instance.redeem.clone())
            }
            CoinFact::Txid => Value::Bytes(outpoint.txid.as_wire().to_vec()),
            CoinFact::Outpoint => Value::Int(outpoint.index.into()),
            CoinFact::Position => Value::Int(self.position(input, coin)? as i128),
            CoinFact::Category => Value::Bytes(token.map(Token::category_bytes).unwrap_or_default()),
            CoinFact::Capability => {
                Value::Int(token.and_then(Token::capability).map_or(0, |capability| capability as i128))
            }
            CoinFact::Amount => Value::Int(token.map_or(0, |token| token.amount.into())),
            CoinFact::Commitment => Value::Bytes(commitment_of(token).to_vec()),
            CoinFact::State(field) => state_of(taken, field)
                .ok_or_else(|| Missing(format!("the coin of input {input} carries no state of its contract")))?,
            CoinFact::Param(param) => param_of(taken, param).ok_or_else(|| {
                Missing(format!("the coin of input {input} has no contract with a parameter {param}"))
            })?,
        })
    }

    fn output(&self, output: usize) -> Result<usize, Missing> {
        let start = self.starts.get(output).copied();
        start.ok_or_else(|| Missing(format!("the place of output {output} is not known yet")))
    }

    fn fee(&self) -> Result<Sats, Missing> {
        self.fee_read.set(true);
        self.fee.ok_or_else(|| Missing("the fee is not known yet".to_owned()))
    }

    fn wallet(&self) -> Result<Vec<u8>, Missing> {
        let payer = self.wish.payer.as_ref().map(Key::lock);
        payer.ok_or_else(|| Missing("nobody is named who takes change".to_owned()))
    }

    fn lock(&self, contract: &str, params: &[Value]) -> Result<Vec<u8>, Missing> {
        let program = self.wish.program;
        let missing = |error: ProgramError| Missing(error.to_string());
        let params = program.params(contract, params).map_err(missing)?;
        let (_, lock) = program.script(contract, &params).map_err(missing)?;
        let deployed = Deployed::new(contract, params);
        self.named_locks.borrow_mut().insert(lock.clone(), deployed);
        Ok(lock)
    }
}

/// A parameter of the contract that a coin belongs to.
fn param_of(taken: &Taken<'_>, param: usize) -> Option<Value> {
    let instance = taken.instance.as_ref()?;
    let slot = instance.artifact.params.get(param)?;
    slot.ty.decode(instance.params.get(&slot.name)?)
}

pub(super) fn commitment_of(token: Option<&Token>) -> &[u8] {
    token.and_then(|token| token.nft.as_ref()).map_or(&[], |nft| &nft.commitment)
}

fn state_of(taken: &Taken<'_>, field: usize) -> Option<Value> {
    let layout = taken.instance.as_ref()?.artifact.state.as_ref()?;
    layout.decode(commitment_of(taken.coin.output.token.as_ref()))?.get(field).cloned()
}
