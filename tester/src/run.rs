//! One run of a test: its steps, one after the other.

use std::collections::BTreeMap;

use chain::TxError;
use driver::{Loc, Placed, StepKind, TestStep, Try};
use engine::{Engine, Tier};
use spec::artifact::Value;
use spec::num::grouped;
use spec::plan::{EvalError, Evaluator, Expr, Plan};
use spec::{Artifact, OutPoint, SpendContext, Transaction, TxOut};
use wallet::{Explanation, Forged, Utxo};

use crate::coverage::Seen;
use crate::draw::drawn;
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::tried::{self, Deal, Unmade};
use crate::values::shown;
use crate::world::{Known, Live, Story};
use crate::{carried, trace};

/// The most blocks that one statement mines.
const BLOCKS_MAX: i128 = 10_000_000;

/// A transaction that was valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending {
    /// The paths that it takes, in the order of its inputs.
    pub paths: Vec<String>,
    /// Its size.
    pub bytes: u64,
    /// The operation cost of those inputs.
    pub cost: u64,
}

/// A transaction that a test makes, whatever becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The statement.
    pub loc: Loc,
    /// The transaction.
    pub tx: Transaction,
    /// What it spends, in the order of its inputs.
    pub spent: Vec<TxOut>,
    /// The contract of each input; those of other locks have none.
    pub contracts: Vec<Option<String>>,
}

/// What one run gives.
pub(crate) struct Ran {
    pub(crate) spendings: Vec<Spending>,
    pub(crate) made: Vec<Made>,
    pub(crate) fault: Option<Fault>,
    pub(crate) seen: Seen,
    /// The labels that the run came to, and whether they are its own.
    pub(crate) labels: Vec<(String, bool)>,
}

/// Runs a test, a property with these values.
pub(crate) fn run(story: Story<'_>, given: &[Value]) -> Ran {
    let test = story.test;
    let mut run = Run {
        known: Known::new(story, given),
        ledger: Ledger::new(story.program.rules()),
        locals: BTreeMap::new(),
        names: Vec::new(),
        spendings: Vec::new(),
        made: Vec::new(),
        engine: Engine::new(Tier::Oracle),
        seen: story.watched.then(Seen::default),
        labels: Vec::new(),
    };
    let fault = test.steps.iter().find_map(|step| run.step(step).err());
    let given = test.params.iter().flatten().zip(given);
    let given = given.map(|(param, value)| format!("{} = {}", param.name, shown(value, &param.ty.to_string())));
    let names: Vec<String> = given.chain(std::mem::take(&mut run.names)).collect();
    let fault = fault.map(|fault| match names.as_slice() {
        [] => *fault,
        names => fault.note(format!("the values so far\n  {}", names.join("\n  "))),
    });
    Ran { spendings: run.spendings, made: run.made, fault, seen: run.seen.unwrap_or_default(), labels: run.labels }
}

struct Run<'p> {
    known: Known<'p>,
    ledger: Ledger,
    locals: BTreeMap<usize, Value>,
    /// The values that `let` named, as they are shown.
    names: Vec<String>,
    spendings: Vec<Spending>,
    made: Vec<Made>,
    engine: Engine,
    /// What scripts have run, if that is noted.
    seen: Option<Seen>,
    labels: Vec<(String, bool)>,
}

type Step<T> = Result<T, Box<Fault>>;

impl Run<'_> {
    fn step(&mut self, step: &TestStep) -> Step<()> {
        match &step.kind {
            StepKind::Let(local, name, value) => {
                let found = self.value(value)?;
                self.names.push(format!("{name} = {}", shown(&found, &value.ty.to_string())));
                self.locals.insert(*local, found);
                Ok(())
            }
            StepKind::Fund(coin, output) => {
                let output = tried::funded(&self.known, &self.locals, output);
                let output = output.map_err(|error| not_made(&step.loc, &error))?;
                let utxo = self.ledger.put(output);
                let deployed = self.known.deployed.borrow().get(&utxo.output.lock).cloned();
                self.known.coins.insert(*coin, Live { utxo, deployed, gone: None });
                Ok(())
            }
            StepKind::Find(coin, lock) => self.find(&step.loc, *coin, lock.as_ref()),
            StepKind::Mine(blocks) => {
                let count = self.int(blocks)?;
                let wanted = u32::try_from(count).ok().filter(|_| count <= BLOCKS_MAX);
                wanted.and_then(|count| self.ledger.mine(count)).ok_or_else(|| {
                    Box::new(Fault::new(format!("{} blocks cannot be mined", grouped(count)), &blocks.loc, "so many"))
                })
            }
            StepKind::Assert { condition, sides, message } => {
                let sides = sides.as_deref().map(|(left, right)| [left, right]);
                self.assert(&step.loc, condition, sides, message.as_deref())
            }
            StepKind::Classify(condition, label) => {
                let holds = self.value(condition)? == Value::Bool(true);
                self.labels.push((label.clone(), holds));
                Ok(())
            }
            StepKind::Try(tried) => self.attempt(&step.loc, tried),
        }
    }

    fn eval(&self, expr: &Expr) -> Result<Value, EvalError> {
        let plan = Plan::default();
        let mut evaluator = Evaluator::new(&plan, &self.known);
        self.locals.iter().for_each(|(local, value)| evaluator.bind(*local, value.clone()));
        evaluator.eval(expr)
    }

    fn value(&self, placed: &Placed) -> Step<Value> {
        self.eval(&placed.expr).map_err(|error| {
            Box::new(Fault::new(format!("this value cannot be computed: {error}"), &placed.loc, "this has no value"))
        })
    }

    fn int(&self, placed: &Placed) -> Step<i128> {
        let value = self.value(placed)?;
        let wrong = || Box::new(Fault::new("this is no number", &placed.loc, shown(&value, "")));
        value.int().ok_or_else(wrong)
    }

    fn assert(&self, loc: &Loc, condition: &Placed, sides: Option<[&Placed; 2]>, message: Option<&str>) -> Step<()> {
        if self.value(condition)? == Value::Bool(true) {
            return Ok(());
        }
        let message = message.map_or_else(|| "this does not hold".to_owned(), str::to_owned);
        let mut fault = Fault::new(message, sides.map_or(loc, |_| &condition.loc), "this is false");
        for side in sides.into_iter().flatten() {
            if let Ok(value) = self.value(side) {
                fault = fault.place(&side.loc, shown(&value, &side.ty.to_string()));
            }
        }
        if sides.is_some() {
            // The parts of the comparison say more than the whole.
            fault.places.remove(0);
        }
        Err(Box::new(fault))
    }

    /// Moves the chain on; gives the lock time that a transaction of that moment has.
    fn arrive(&mut self, at: &Placed) -> Step<u32> {
        let wanted = self.int(at)?;
        let is_time = at.ty.to_string() == "Time";
        let moment = u32::try_from(wanted).ok();
        let reached = moment.and_then(|moment| match is_time {
            true => self.ledger.reach_time(moment),
            false => self.ledger.reach_height(moment),
        });
        match (reached, moment) {
            (Some(()), Some(moment)) => Ok(moment),
            _ => {
                let now = if is_time { self.ledger.time() } else { self.ledger.height() };
                let message = format!("the chain is at {} already", grouped(now));
                let fault = Fault::new(message, &at.loc, shown(&Value::Int(wanted), &at.ty.to_string()));
                Err(Box::new(
                    fault.help("a chain never goes back: put what is tried earlier first, or into a test of its own"),
                ))
            }
        }
    }

    /// Gives a name to the newest coin of a contract, or with a lock.
    fn find(&mut self, loc: &Loc, coin: usize, lock: Option<&Placed>) -> Step<()> {
        let contract = self.known.test.coins.get(coin).map(|(_, contract)| contract.clone()).unwrap_or_default();
        let lock = match lock {
            Some(lock) => Some(self.value(lock)?),
            None => None,
        };
        let found = {
            let deployed = self.known.deployed.borrow();
            let fits = |utxo: &Utxo| match &lock {
                Some(lock) => lock.bytes() == Some(utxo.output.lock.as_slice()),
                None => deployed.get(&utxo.output.lock).is_some_and(|deployed| deployed.contract == contract),
            };
            let utxo = self.ledger.utxos().rev().find(fits);
            utxo.map(|utxo| Live { deployed: deployed.get(&utxo.output.lock).cloned(), utxo, gone: None })
        };
        let whose = if lock.is_some() { "with this lock".to_owned() } else { format!("of `{contract}`") };
        let missing = || Box::new(Fault::new(format!("there is no coin {whose}"), loc, "nobody has made one"));
        self.known.coins.insert(coin, found.ok_or_else(missing)?);
        Ok(())
    }

    fn attempt(&mut self, loc: &Loc, tried: &Try) -> Step<()> {
        let locktime = tried.at.as_ref().map(|at| self.arrive(at)).transpose()?;
        let faucet = self.ledger.faucet();
        let made = match &tried.carried {
            Some(plan) => carried::make(&self.known, &self.locals, plan, locktime, &self.ledger),
            None => tried::make(&self.known, &self.locals, tried, locktime, faucet),
        };
        if let Ok(deal) = &made {
            // What a plan needs first is the wallet's own business.
            deal.forged.first.iter().for_each(|built| self.ledger.take(&built.tx));
        }
        if let Ok(deal) = &made {
            self.watch(deal);
            self.keep(loc, &deal.forged);
        }
        match (made, &tried.fails) {
            (Err(error), Some(message)) if error.to_string().contains(message.as_str()) => Ok(()),
            (Err(error), _) => Err(not_made(tried.place(0).unwrap_or(loc), &error)),
            (Ok(deal), None) => self.passes(loc, tried, &deal),
            (Ok(deal), Some(message)) => self.fails(loc, tried, &deal, message),
        }
    }

    fn passes(&mut self, loc: &Loc, tried: &Try, deal: &Deal) -> Step<()> {
        let forged = &deal.forged;
        match self.ledger.judge(&self.engine, &forged.tx, &forged.spent) {
            Ok(verified) => {
                let own = verified.metrics.iter().take(deal.inputs.len());
                self.spendings.push(Spending {
                    paths: deal.inputs.iter().map(|(_, path)| path.clone()).collect(),
                    bytes: forged.tx.len_bytes() as u64,
                    cost: own.map(|metrics| metrics.cost.get()).sum(),
                });
                self.mark_paths(deal);
                self.ledger.take(&forged.tx);
                self.known.deployed.borrow_mut().extend(forged.named.clone());
                self.go_on(tried.place(0).unwrap_or(loc), forged);
                Ok(())
            }
            Err(error) => {
                let told = self.explained(forged, &error);
                let place = failing_spend(tried, &error).unwrap_or(loc);
                let fault = Fault::new(format!("this must pass, but it is refused: {}", told.text), place, "refused");
                Err(Box::new(self.with_transaction(fault, deal, &error)))
            }
        }
    }

    fn fails(&self, loc: &Loc, tried: &Try, deal: &Deal, message: &str) -> Step<()> {
        let forged = &deal.forged;
        match self.ledger.judge(&self.engine, &forged.tx, &forged.spent) {
            Ok(_) => {
                let fault = Fault::new(format!("this must fail with \"{message}\", but it passes"), loc, "accepted");
                Err(Box::new(fault.note(self.drawn(deal))))
            }
            Err(error) => {
                let told = self.explained(forged, &error);
                if told.messages.iter().any(|said| said.contains(message)) {
                    return Ok(());
                }
                let place = failing_spend(tried, &error).unwrap_or(loc);
                let text = format!("this must fail with \"{message}\", but it fails otherwise: {}", told.text);
                Err(Box::new(self.with_transaction(Fault::new(text, place, "refused"), deal, &error)))
            }
        }
    }

    /// Keeps a transaction for those who want to look at it.
    fn keep(&mut self, loc: &Loc, forged: &Forged) {
        let contract = |output: &TxOut| forged.contracts.get(&output.lock).cloned();
        self.made.push(Made {
            loc: loc.clone(),
            tx: forged.tx.clone(),
            spent: forged.spent.clone(),
            contracts: forged.spent.iter().map(contract).collect(),
        });
    }

    /// Notes what the scripts of a transaction run.
    fn watch(&mut self, deal: &Deal) {
        let Some(mut seen) = self.seen.take() else { return };
        let forged = &deal.forged;
        if let Some(context) = SpendContext::new(&forged.tx, &forged.spent) {
            for (at, (input, spent)) in forged.tx.inputs.iter().zip(&forged.spent).enumerate() {
                let artifact = self.artifact(forged, at);
                let code = artifact.and_then(|artifact| wallet::script_of(artifact, &spent.lock, &input.unlock));
                if let (Some(artifact), Some(code)) = (artifact, code) {
                    seen.watch(self.ledger.rules(), &context, at, artifact, code);
                }
            }
        }
        self.seen = Some(seen);
    }

    /// Notes the paths of a valid transaction.
    fn mark_paths(&mut self, deal: &Deal) {
        let Some(mut seen) = self.seen.take() else { return };
        for (at, (_, path)) in deal.inputs.iter().enumerate() {
            if let (Some(artifact), Some((_, path))) = (self.artifact(&deal.forged, at), path.split_once('.')) {
                seen.took(artifact, path);
            }
        }
        self.seen = Some(seen);
    }

    /// The coins that a transaction leaves under their locks go on by their names, the others are gone.
    fn go_on(&mut self, loc: &Loc, forged: &Forged) {
        let txid = forged.tx.txid();
        let mut next = vec![true; forged.tx.outputs.len()];
        for input in &forged.tx.inputs {
            let spent = |live: &&mut Live| live.gone.is_none() && live.utxo.outpoint == input.prevout;
            let lives: Vec<&mut Live> = self.known.coins.values_mut().filter(spent).collect();
            let Some(lock) = lives.first().map(|live| live.utxo.output.lock.clone()) else { continue };
            let mut outputs = (0_u32..).zip(&forged.tx.outputs).zip(&mut next);
            let found = outputs.find(|((_, output), free)| **free && output.lock == lock);
            let kept = found.map(|((index, output), free)| {
                *free = false;
                Utxo { outpoint: OutPoint { txid, index }, output: output.clone() }
            });
            for live in lives {
                match &kept {
                    Some(utxo) => live.utxo = utxo.clone(),
                    None => live.gone = Some(loc.clone()),
                }
            }
        }
    }

    fn drawn(&self, deal: &Deal) -> String {
        let names = deal.inputs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        drawn(&self.known, &deal.forged.tx, &deal.forged.spent, &names)
    }

    fn with_transaction(&self, fault: Fault, deal: &Deal, error: &TxError) -> Fault {
        let fault = fault.note(self.drawn(deal));
        let trace = self.trace(&deal.forged, error);
        let late = matches!(error, TxError::NotFinal | TxError::RelativeLock);
        let fault = trace.into_iter().fold(fault, Fault::note);
        match late {
            true => fault.help(format!(
                "the chain is at height {}: say when it is tried, such as `passes at height 900_000 {{ .. }}`, or mine before it",
                grouped(self.ledger.height())
            )),
            false => fault,
        }
    }

    /// The contract of an input.
    fn artifact(&self, forged: &Forged, input: usize) -> Option<&Artifact> {
        let contract = forged.contracts.get(&forged.spent.get(input)?.lock)?;
        self.known.program.artifact(contract)
    }

    /// The end of the failing script's run.
    fn trace(&self, forged: &Forged, error: &TxError) -> Option<String> {
        let TxError::Script { input, .. } = error else { return None };
        let artifact = self.artifact(forged, *input)?;
        let context = SpendContext::new(&forged.tx, &forged.spent)?;
        let (lock, unlock) = (&forged.spent.get(*input)?.lock, &forged.tx.inputs.get(*input)?.unlock);
        let code = wallet::script_of(artifact, lock, unlock)?;
        Some(trace::end_of(self.ledger.rules(), &context, *input, artifact, code))
    }

    fn explained(&self, forged: &Forged, error: &TxError) -> Told {
        match self.explanation(forged, error) {
            Some(explanation) => {
                let others = explanation.others.iter().map(|other| other.message.clone());
                let messages = std::iter::once(explanation.message.clone()).chain(others).collect();
                Told { text: explanation.to_string(), messages }
            }
            None => Told { text: error.to_string(), messages: vec![error.to_string(), error.reason().to_owned()] },
        }
    }

    fn explanation(&self, forged: &Forged, error: &TxError) -> Option<Explanation> {
        let TxError::Script { input, failure, .. } = error else { return None };
        let artifact = self.artifact(forged, *input)?;
        let (lock, unlock) = (&forged.spent.get(*input)?.lock, &forged.tx.inputs.get(*input)?.unlock);
        wallet::explain_input(artifact, lock, unlock, failure)
    }
}

fn failing_spend<'t>(tried: &'t Try, error: &TxError) -> Option<&'t Loc> {
    match error {
        TxError::Script { input, .. } => tried.place(*input),
        _ => None,
    }
}

/// What is said of a refusal.
struct Told {
    text: String,
    /// The messages that may be meant, without places.
    messages: Vec<String>,
}

fn not_made(loc: &Loc, error: &Unmade) -> Box<Fault> {
    Box::new(Fault::new(format!("this cannot be made: {error}"), loc, "here"))
}
