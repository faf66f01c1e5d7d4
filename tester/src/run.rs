//! One run of a test: its steps, one after the other.

use std::collections::BTreeMap;

use chain::TxError;
use driver::{Loc, Placed, StepKind, Test, TestStep, Try};
use engine::{Engine, Tier};
use spec::artifact::Value;
use spec::plan::{EvalError, Evaluator, Expr, Plan};
use spec::{OutPoint, SpendContext, TxOut};
use wallet::{Explanation, Forged, Program, Utxo};

use crate::draw::drawn;
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::tried::{self, Unmade};
use crate::values::shown;
use crate::world::{Known, Live};
use crate::{trace, values};

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

/// What one run gives.
pub(crate) struct Ran {
    pub(crate) spendings: Vec<Spending>,
    pub(crate) fault: Option<Fault>,
}

/// Runs a test, a property with these values.
pub(crate) fn run(program: &Program, test: &Test, given: &[Value]) -> Ran {
    let mut run = Run {
        known: Known::new(program, test, given),
        ledger: Ledger::new(program.rules()),
        locals: BTreeMap::new(),
        names: Vec::new(),
        spendings: Vec::new(),
        engine: Engine::new(Tier::Oracle),
    };
    let fault = test.steps.iter().find_map(|step| run.step(step).err());
    let given = test.params.iter().flatten().zip(given);
    let given = given.map(|(param, value)| format!("{} = {}", param.name, shown(value, &param.ty.to_string())));
    let names: Vec<String> = given.chain(std::mem::take(&mut run.names)).collect();
    let fault = fault.map(|fault| match names.as_slice() {
        [] => *fault,
        names => fault.note(format!("the values so far\n  {}", names.join("\n  "))),
    });
    Ran { spendings: run.spendings, fault }
}

struct Run<'p> {
    known: Known<'p>,
    ledger: Ledger,
    locals: BTreeMap<usize, Value>,
    /// The values that `let` named, as they are shown.
    names: Vec<String>,
    spendings: Vec<Spending>,
    engine: Engine,
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
            StepKind::Mine(blocks) => {
                let count = self.int(blocks)?;
                let wanted = u32::try_from(count).ok().filter(|_| count <= BLOCKS_MAX);
                wanted.and_then(|count| self.ledger.mine(count)).ok_or_else(|| {
                    Box::new(Fault::new(
                        format!("{} blocks cannot be mined", values::grouped(count)),
                        &blocks.loc,
                        "so many",
                    ))
                })
            }
            StepKind::Assert { condition, sides, message } => {
                let sides = sides.as_deref().map(|(left, right)| [left, right]);
                self.assert(&step.loc, condition, sides, message.as_deref())
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
                let message = format!("the chain is at {} already", values::grouped(now.into()));
                let fault = Fault::new(message, &at.loc, shown(&Value::Int(wanted), &at.ty.to_string()));
                Err(Box::new(
                    fault.help("a chain never goes back: put what is tried earlier first, or into a test of its own"),
                ))
            }
        }
    }

    fn attempt(&mut self, loc: &Loc, tried: &Try) -> Step<()> {
        let locktime = tried.at.as_ref().map(|at| self.arrive(at)).transpose()?;
        let faucet = self.ledger.faucet();
        let made = tried::make(&self.known, &self.locals, tried, locktime, faucet);
        let place = tried.spends.first().map_or(loc, |(_, loc)| loc);
        match (made, &tried.fails) {
            (Err(error), Some(message)) if error.to_string().contains(message.as_str()) => Ok(()),
            (Err(error), _) => Err(not_made(place, &error)),
            (Ok(forged), None) => self.passes(loc, tried, &forged),
            (Ok(forged), Some(message)) => self.fails(loc, tried, &forged, message),
        }
    }

    fn passes(&mut self, loc: &Loc, tried: &Try, forged: &Forged) -> Step<()> {
        match self.ledger.judge(&self.engine, &forged.tx, &forged.spent) {
            Ok(verified) => {
                let own = verified.metrics.iter().take(tried.spends.len());
                self.spendings.push(Spending {
                    paths: tried.spends.iter().map(|(coin, _)| self.path_of(tried, *coin)).collect(),
                    bytes: forged.tx.len_bytes() as u64,
                    cost: own.map(|metrics| metrics.cost.get()).sum(),
                });
                self.ledger.take(&forged.tx);
                self.go_on(tried, forged);
                Ok(())
            }
            Err(error) => {
                let told = self.explained(tried, forged, &error);
                let place = self.failing_spend(tried, &error).unwrap_or(loc);
                let fault = Fault::new(format!("this must pass, but it is refused: {}", told.text), place, "refused");
                Err(Box::new(self.with_transaction(fault, tried, forged, &error)))
            }
        }
    }

    fn fails(&self, loc: &Loc, tried: &Try, forged: &Forged, message: &str) -> Step<()> {
        match self.ledger.judge(&self.engine, &forged.tx, &forged.spent) {
            Ok(_) => {
                let fault = Fault::new(format!("this must fail with \"{message}\", but it passes"), loc, "accepted");
                Err(Box::new(fault.note(self.drawn(tried, forged))))
            }
            Err(error) => {
                let told = self.explained(tried, forged, &error);
                if told.messages.iter().any(|said| said.contains(message)) {
                    return Ok(());
                }
                let place = self.failing_spend(tried, &error).unwrap_or(loc);
                let text = format!("this must fail with \"{message}\", but it fails otherwise: {}", told.text);
                Err(Box::new(self.with_transaction(Fault::new(text, place, "refused"), tried, forged, &error)))
            }
        }
    }

    /// The coins that a transaction leaves under their locks go on by their names, the others are gone.
    fn go_on(&mut self, tried: &Try, forged: &Forged) {
        let txid = forged.tx.txid();
        let mut next = vec![true; forged.tx.outputs.len()];
        for (coin, loc) in &tried.spends {
            let Some(live) = self.known.coins.get_mut(coin) else { continue };
            let mut outputs = (0_u32..).zip(&forged.tx.outputs).zip(&mut next);
            let found = outputs.find(|((_, output), free)| **free && output.lock == live.utxo.output.lock);
            match found {
                Some(((index, output), free)) => {
                    *free = false;
                    live.utxo = Utxo { outpoint: OutPoint { txid, index }, output: output.clone() };
                }
                None => live.gone = Some(loc.clone()),
            }
        }
    }

    fn path_of(&self, tried: &Try, coin: usize) -> String {
        match tried.plan.inputs.get(coin).map(|input| &input.source) {
            Some(spec::plan::Source::Contract(source)) => format!("{}.{}", source.contract, source.path),
            _ => self.known.name(coin).to_owned(),
        }
    }

    fn failing_spend<'t>(&self, tried: &'t Try, error: &TxError) -> Option<&'t Loc> {
        match error {
            TxError::Script { input, .. } => tried.spends.get(*input).map(|(_, loc)| loc),
            _ => None,
        }
    }

    fn drawn(&self, tried: &Try, forged: &Forged) -> String {
        let names = tried.spends.iter().map(|(coin, _)| self.known.name(*coin).to_owned()).collect::<Vec<_>>();
        drawn(&self.known, &forged.tx, &forged.spent, &names)
    }

    fn with_transaction(&self, fault: Fault, tried: &Try, forged: &Forged, error: &TxError) -> Fault {
        let fault = fault.note(self.drawn(tried, forged));
        let trace = self.trace(tried, forged, error);
        let late = matches!(error, TxError::NotFinal | TxError::RelativeLock);
        let fault = trace.into_iter().fold(fault, Fault::note);
        match late {
            true => fault.help(format!(
                "the chain is at height {}: say when it is tried, such as `passes at height 900_000 {{ .. }}`, or mine before it",
                values::grouped(self.ledger.height().into())
            )),
            false => fault,
        }
    }

    /// The end of the failing script's run.
    fn trace(&self, tried: &Try, forged: &Forged, error: &TxError) -> Option<String> {
        let TxError::Script { input, .. } = error else { return None };
        let (coin, _) = tried.spends.get(*input)?;
        let deployed = self.known.coins.get(coin)?.deployed.as_ref()?;
        let artifact = self.known.program.artifact(&deployed.contract)?;
        let context = SpendContext::new(&forged.tx, &forged.spent)?;
        let (lock, unlock) = (&forged.spent.get(*input)?.lock, &forged.tx.inputs.get(*input)?.unlock);
        let code = wallet::script_of(artifact, lock, unlock)?;
        Some(trace::end_of(self.ledger.rules(), &context, *input, artifact, code))
    }

    fn explained(&self, tried: &Try, forged: &Forged, error: &TxError) -> Told {
        let explanation = self.explanation(tried, &forged.spent, forged, error);
        match explanation {
            Some(explanation) => {
                let others = explanation.others.iter().map(|other| other.message.clone());
                let messages = std::iter::once(explanation.message.clone()).chain(others).collect();
                Told { text: explanation.to_string(), messages }
            }
            None => Told { text: error.to_string(), messages: vec![error.to_string(), error.reason().to_owned()] },
        }
    }

    fn explanation(&self, tried: &Try, spent: &[TxOut], forged: &Forged, error: &TxError) -> Option<Explanation> {
        let TxError::Script { input, failure, .. } = error else { return None };
        let (coin, _) = tried.spends.get(*input)?;
        let deployed = self.known.coins.get(coin)?.deployed.as_ref()?;
        let artifact = self.known.program.artifact(&deployed.contract)?;
        wallet::explain_input(artifact, &spent.get(*input)?.lock, &forged.tx.inputs.get(*input)?.unlock, failure)
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
