//! Running shapes: the time and the cost of a turn.

use std::hint::black_box;
use std::sync::Arc;

use cpu_time::ThreadTime;
use engine::{Counts, Engine, Tier, Tuning};
use jit::Jit;
use spec::script::push_data;
use spec::token::{Capability, Nft};
use spec::{Category, OutPoint, Rules, Sats, SighashType, SpendContext, Token, Transaction, TxIn, TxOut};

use super::shapes::{MESSAGE, Shape, Signed, Turn};

/// The private key of the shapes' key.
const SECRET: [u8; 32] = {
    let mut secret = [0; 32];
    secret[31] = 1;
    secret
};

/// How often each is measured; the best counts.
const ROUNDS: usize = 3;
/// What all runs of a round take together, at least.
const ROUND_NANOS: u128 = 800_000;
/// About what the turns of one run take.
const RUN_NANOS: u128 = 300_000;
/// Turns of one run, at most: a script has little room, and items that are made stay in memory until its end.
const TURNS_MAX: usize = 2_000;
const MADE_BYTES_MAX: usize = 16 << 20;
/// Functions that fit beside a few items.
const DEFINED_MAX: usize = 900;
/// Turns where the code before them takes long.
const LONG_TURNS: usize = 10_000;

/// A way of running scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// The interpreter of bytecode.
    Oracle,
    /// Register code with exact costs.
    Register,
    /// Register code with bound costs.
    Bound,
    /// Machine code with exact costs.
    Jit,
    /// Machine code with bound costs.
    JitBound,
}

impl Way {
    pub(super) const ALL: [Self; 5] = [Self::Oracle, Self::Register, Self::Bound, Self::Jit, Self::JitBound];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Oracle => "oracle",
            Self::Register => "register",
            Self::Bound => "register, bound",
            Self::Jit => "jit",
            Self::JitBound => "jit, bound",
        }
    }

    fn engine(self) -> Engine {
        match self {
            Self::Oracle => Engine::new(Tier::Oracle),
            Self::Register | Self::Bound => Engine::new(Tier::Register),
            Self::Jit | Self::JitBound => {
                let at_once = Tuning::at_once();
                match Jit::new() {
                    Some(jit) => Engine::with_compiler(Tier::Jit, Arc::new(jit), at_once),
                    None => Engine::new(Tier::Jit),
                }
            }
        }
    }

    /// Whether the engine has run its own code, and left nothing to another.
    const fn has_run(self, counts: Counts) -> bool {
        match self {
            Self::Oracle => true,
            Self::Register | Self::Bound => counts.left == 0,
            Self::Jit | Self::JitBound => counts.left == 0 && counts.accepted == 0,
        }
    }
}

/// What a turn takes.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub(super) shape: Shape,
    /// The cost of a turn, in thousandths of a unit.
    pub(super) milli_cost: u128,
    /// The picoseconds of a turn in each way, where it does not leave the script to another.
    pub(super) pico: Vec<(Way, u128)>,
}

impl Measured {
    /// Picoseconds for each cost unit.
    pub(super) fn per_unit(&self, way: Way) -> Option<u128> {
        let (_, pico) = self.pico.iter().find(|(of, _)| *of == way)?;
        Some(pico * 1_000 / self.milli_cost.max(1))
    }

    /// Takes the better figure of each way, of this and another measurement of the shape.
    pub(super) fn improve(&mut self, other: &Self) {
        for (way, pico) in &mut self.pico {
            if let Some((_, again)) = other.pico.iter().find(|(of, _)| of == way) {
                *pico = (*pico).min(*again);
            }
        }
    }

    /// The same in the slowest way.
    pub(super) fn worst(&self) -> u128 {
        self.of_ways().max().unwrap_or_default()
    }

    /// The same in the fastest way.
    pub(super) fn best(&self) -> u128 {
        self.of_ways().min().unwrap_or_default()
    }

    fn of_ways(&self) -> impl Iterator<Item = u128> {
        Way::ALL.iter().filter_map(|way| self.per_unit(*way))
    }
}

/// A transaction with a bit of everything, whose first input opens `lock`.
fn spend(lock: Vec<u8>, signed: Signed) -> (Transaction, Vec<TxOut>) {
    let token = Token {
        category: Category::from_wire([7; 32]),
        amount: i64::MAX as u64,
        nft: Some(Nft { capability: Capability::Mutable, commitment: vec![7; 40] }),
    };
    let with_token = |output: TxOut| TxOut { token: Some(token.clone()), ..output };
    let spent = vec![with_token(TxOut::plain(Sats::from_wire(1 << 40), lock))];
    // The wait that time locks ask for is over.
    let input = TxIn { prevout: OutPoint::COINBASE, unlock: Vec::new(), sequence: 1 };
    let outputs = vec![with_token(TxOut::plain(Sats::from_wire(1 << 40), vec![0x51; 9_000]))];
    let mut tx = Transaction { version: 2, inputs: vec![input], outputs, locktime: 1 };
    let unlock = unlock(&tx, &spent, signed);
    if let Some(input) = tx.inputs.first_mut() {
        input.unlock = unlock;
    }
    (tx, spent)
}

fn unlock(tx: &Transaction, spent: &[TxOut], signed: Signed) -> Vec<u8> {
    let lock = spent.first().map(|output| output.lock.as_slice()).unwrap_or_default();
    let context = SpendContext::new(tx, spent).expect("there is one output for the one input");
    let digest = || context.digest(SighashType::ALL, 0, lock).expect("the input is there").digest;
    let kind = 0x41; // `SighashType::ALL`
    let signature = match signed {
        Signed::Nothing => return Vec::new(),
        Signed::Ecdsa => vm::ecdsa::sign(&SECRET, &digest()).map(|mut signature| {
            signature.push(kind);
            signature
        }),
        Signed::Schnorr => vm::schnorr::sign(&SECRET, &digest()).map(|signature| [&signature[..], &[kind]].concat()),
        Signed::Data => vm::schnorr::sign(&SECRET, &spec::hash::sha256(&MESSAGE)).map(|signature| signature.to_vec()),
    };
    let mut unlock = Vec::new();
    push_data(&mut unlock, &signature.expect("1 is a private key"));
    unlock
}

/// A shape with a number of turns.
struct Work {
    tx: Transaction,
    spent: Vec<TxOut>,
}

impl Work {
    fn new(shape: &Shape, turns: usize) -> Self {
        let mut lock = shape.setup.clone();
        (0..turns).for_each(|number| shape.turn.write(&mut lock, number));
        lock.extend_from_slice(&shape.end);
        let (tx, spent) = spend(lock, shape.signed);
        Self { tx, spent }
    }

    /// The cost, and in each way the picoseconds of a run.
    fn measure(&self, rules: &Rules, ways: &[Way]) -> Result<(u128, Vec<(Way, u128)>), String> {
        let context = SpendContext::new(&self.tx, &self.spent).expect("there is one output for the one input");
        let metrics = vm::verify_input(rules, &context, 0).map_err(|failure| failure.to_string())?;
        let mut found = Vec::new();
        for way in ways {
            let engine = way.engine();
            let run = || match way {
                Way::Bound | Way::JitBound => engine.accept(rules, black_box(&context), 0).is_ok(),
                Way::Oracle | Way::Register | Way::Jit => engine.verify(rules, black_box(&context), 0).is_ok(),
            };
            black_box(run());
            if way.has_run(engine.counts()) {
                found.push((*way, best(&mut || assert!(black_box(run()), "it ran before"))));
            }
        }
        Ok((u128::from(metrics.cost.get()), found))
    }
}

/// Picoseconds of one run in the best round.
fn best(run: &mut dyn FnMut()) -> u128 {
    let mut timed = |times: u128| {
        let start = ThreadTime::now();
        (0..times).for_each(|_| run());
        start.elapsed().as_nanos()
    };
    let mut times = 1;
    let mut first = timed(times);
    while first < ROUND_NANOS / 4 && times < 1 << 20 {
        times *= 2;
        first = timed(times);
    }
    let times = (times * ROUND_NANOS / first.max(1)).max(1);
    let rounds = (0..ROUNDS).map(|_| timed(times) * 1_000 / times);
    rounds.min().unwrap_or_default()
}

/// Measures a turn: what many take, less what none take, divided by how many there are.
pub(super) fn measure(shape: &Shape, rules: &Rules) -> Result<Measured, String> {
    let about = |error: String| format!("{} {}: {error}", shape.opcode.name(), shape.name);
    let empty = Work::new(shape, 0);
    let (cost_empty, empty) = empty.measure(rules, &Way::ALL).map_err(about)?;
    let turns = turns(shape, rules).map_err(about)?;
    let (cost, full) = Work::new(shape, turns).measure(rules, &Way::ALL).map_err(about)?;
    let less = |(way, pico): &(Way, u128)| {
        let (_, without) = empty.iter().find(|(of, _)| of == way)?;
        Some((*way, pico.saturating_sub(*without) / turns as u128))
    };
    let milli_cost = (cost - cost_empty) * 1_000 / turns as u128;
    Ok(Measured { shape: shape.clone(), milli_cost, pico: full.iter().filter_map(less).collect() })
}

/// As many turns as take a while, and fit.
fn turns(shape: &Shape, rules: &Rules) -> Result<usize, String> {
    let mut turn = Vec::new();
    shape.turn.write(&mut turn, 0);
    let room = (rules.limits.script_bytes - shape.setup.len() - shape.end.len()) / turn.len().max(1);
    let at_most = match shape.turn {
        Turn::Define(_) => DEFINED_MAX,
        Turn::Same(_) if shape.long_setup => LONG_TURNS,
        Turn::Same(_) => TURNS_MAX,
    };
    let most = room.min(at_most).min(shape.turns_max).min(MADE_BYTES_MAX / shape.size.max(1)).max(1);
    if shape.long_setup {
        // A few turns would be lost in what that takes.
        return Ok(most);
    }
    let few = most.min(8);
    let one = |turns: usize| -> Result<u128, String> {
        let work = Work::new(shape, turns);
        let context = SpendContext::new(&work.tx, &work.spent).expect("there is one output for the one input");
        let rounds = (0..5).map(|_| {
            let start = ThreadTime::now();
            let verdict = vm::verify_input(rules, &context, 0).map_err(|failure| failure.to_string());
            verdict.map(|_| start.elapsed().as_nanos())
        });
        rounds.min().unwrap_or(Ok(0))
    };
    let nanos = (one(few)?.saturating_sub(one(0)?) / few as u128).max(1);
    Ok(usize::try_from(RUN_NANOS / nanos).unwrap_or(most).clamp(few, most))
}
