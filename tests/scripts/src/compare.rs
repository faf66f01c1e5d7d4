//! One script, run by the oracle and by the engines.

use std::fmt;
use std::sync::{Arc, OnceLock};

use engine::ir::Metering;
use engine::{Compiler as _, Engine, Left, Tier};
use jit::Jit;
use spec::script::instructions;
use spec::token::{Capability, Nft};
use spec::{
    Category, Mode, Opcode, OutPoint, RuleSet, Rules, Sats, SpendContext, Token, Transaction, TxIn, TxOut, Txid, asm,
};
use vm::{Failure, Metrics, Phase, ScriptError, Step, Tracer};

/// A script to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What the input pushes.
    pub unlock: Vec<u8>,
    /// What the spent output asks for.
    pub lock: Vec<u8>,
    /// Whose rules.
    pub set: RuleSet,
    /// Relay or blocks.
    pub mode: Mode,
}

/// What became of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It fails.
    Fails,
    /// It comes to its end, and register code says the same.
    Ends,
    /// It comes to its end, but register code leaves it to the oracle.
    Left,
}

/// What became of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// See [`Seen::Fails`].
    pub fails: u64,
    /// See [`Seen::Ends`].
    pub ends: u64,
    /// See [`Seen::Left`].
    pub left: u64,
}

impl Counts {
    /// Counts one more.
    pub const fn add(&mut self, seen: Seen) {
        match seen {
            Seen::Fails => self.fails += 1,
            Seen::Ends => self.ends += 1,
            Seen::Left => self.left += 1,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fails, ends, left } = self;
        write!(f, "{ends} end alike in register code and oracle, {left} are left to the oracle, {fails} fail")
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.set.name();
        write!(f, "{rules}, {:?}\nunlock: {}\nlock: {}", self.mode, text(&self.unlock), text(&self.lock))
    }
}

fn text(script: &[u8]) -> String {
    asm::disassemble(script)
}

/// The stacks before the last instruction of the lock.
struct Last {
    at: usize,
    stacks: Option<[Vec<Vec<u8>>; 2]>,
}

impl Tracer for Last {
    fn step(&mut self, step: &Step<'_>) {
        if step.phase == Phase::Locking && step.depth == 0 && step.at == self.at {
            self.stacks = Some([step.stack.iter().collect(), step.alt.iter().collect()]);
        }
    }
}

impl Case {
    /// Runs the script in every way, but in machine code, which takes long to make, only if that is asked for.
    ///
    /// # Errors
    /// How they differ.
    pub fn run(&self, compiled: bool) -> Result<Seen, String> {
        let (tx, spent) = self.spend();
        let context = SpendContext::new(&tx, &spent).ok_or("one output for each input")?;
        let rules = Rules::new(self.set, self.mode);
        let Ok(theirs) = self.oracle(&rules, &context) else { return Ok(Seen::Fails) };
        let seen = match (theirs.clone(), engine::leaves(&rules, &context, 0, Metering::Exact, None)) {
            (None, None) => Seen::Fails,
            (Some(_), None) => Seen::Left,
            (Some(theirs), Some(ours)) if theirs == ours => Seen::Ends,
            (theirs, ours) => {
                return Err(format!("register code leaves\n{ours:?}\nand the oracle\n{theirs:?}\n{self}"));
            }
        };
        if let Some(bound) = engine::leaves(&rules, &context, 0, Metering::Bound, None)
            && !theirs.as_ref().is_some_and(|theirs| covers(&bound, theirs))
        {
            return Err(format!(
                "register code with bound costs leaves\n{bound:?}\nand the oracle\n{theirs:?}\n{self}"
            ));
        }
        if compiled {
            self.compiled(&rules, &context, theirs.as_ref())?;
        }
        let engine = Engine::new(Tier::Register);
        self.same_verdicts(&engine, &rules)?;
        self.redeployed().same_verdicts(&engine, &rules)?;
        Ok(seen)
    }

    fn same_verdicts(&self, engine: &Engine, rules: &Rules) -> Result<(), String> {
        let (tx, spent) = self.spend();
        let context = SpendContext::new(&tx, &spent).ok_or("one output for each input")?;
        let oracle = vm::verify_input(rules, &context, 0);
        let (exact, bound) = (engine.verify(rules, &context, 0), engine.accept(rules, &context, 0));
        if exact == oracle && bound == oracle.map(|metrics| metrics.sig_checks) {
            return Ok(());
        }
        Err(format!("verdicts differ: {exact:?}, with bound costs {bound:?}, of the oracle {oracle:?}\n{self}"))
    }

    /// The script with other bytes in its longer pushes, as another deployment of a contract has: an engine that knows the
    /// first runs both from one unit.
    fn redeployed(&self) -> Self {
        let mut lock = self.lock.clone();
        for instruction in instructions(&self.lock).map_while(Result::ok) {
            let pushed = instruction.data.map_or(0, <[u8]>::len);
            let data = lock.get_mut(instruction.end - pushed..instruction.end).unwrap_or_default();
            if pushed >= 3 {
                data.iter_mut().step_by(2).for_each(|byte| *byte = byte.wrapping_add(1));
            }
        }
        Self { lock, ..self.clone() }
    }

    /// Runs the script in machine code, where there is a compiler for this machine.
    fn compiled(&self, rules: &Rules, context: &SpendContext<'_>, theirs: Option<&Left>) -> Result<(), String> {
        let Some(jit) = jit() else { return Ok(()) };
        for metering in [Metering::Exact, Metering::Bound] {
            let register = engine::leaves(rules, context, 0, metering, None);
            let ours = engine::leaves(rules, context, 0, metering, Some(&**jit));
            let right = match (&ours, theirs) {
                (None, _) => true,
                (Some(ours), Some(theirs)) if metering == Metering::Exact => ours == theirs,
                (Some(ours), Some(theirs)) => covers(ours, theirs),
                (Some(_), None) => false,
            };
            // It does whatever register code does, unless the script is too long to be compiled.
            let refused =
                || engine::lowered(&self.lock, rules, metering).is_none_or(|unit| jit.compile(&unit, rules).is_none());
            if !right || ours != register && !(ours.is_none() && refused()) {
                return Err(format!(
                    "machine code ({metering:?}) leaves\n{ours:?}\nregister code\n{register:?}\nand the oracle\n{theirs:?}\n{self}"
                ));
            }
        }
        Ok(())
    }

    /// What the oracle leaves, if the script comes to its end; an error if its last bytes are no instructions of their own,
    /// so that nobody can see.
    fn oracle(&self, rules: &Rules, context: &SpendContext<'_>) -> Result<Option<Left>, ()> {
        // There is an instruction more at the end, before which the stacks can be seen.
        let mut last = Last { at: self.lock.len(), stacks: None };
        let metrics = match vm::verify_input_traced(rules, context, 0, &mut last) {
            Ok(metrics) => Some(metrics),
            Err(failure) => ended(&failure),
        };
        let Some(metrics) = metrics else { return Ok(None) };
        let [stack, alt] = last.stacks.ok_or(())?;
        Ok(Some(Left { stack, alt, metrics }))
    }

    /// A transaction with a bit of everything.
    fn spend(&self) -> (Transaction, Vec<TxOut>) {
        let mut lock = self.lock.clone();
        lock.push(Opcode::Nop.to_byte());
        let token = Token {
            category: Category::from_wire([7; 32]),
            amount: i64::MAX as u64,
            nft: Some(Nft { capability: Capability::Mutable, commitment: vec![1, 2, 0x80] }),
        };
        let input = |n: u8, unlock: Vec<u8>| TxIn {
            prevout: OutPoint { txid: Txid::from_wire([n; 32]), index: u32::from(n) << 24 },
            unlock,
            sequence: u32::from(n) * 0x0080_0001,
        };
        let tx = Transaction {
            version: 2,
            inputs: vec![input(1, self.unlock.clone()), input(255, vec![0x51])],
            outputs: vec![
                TxOut::plain(Sats::from_wire(1_000), vec![0x51]),
                TxOut { token: Some(token.clone()), ..TxOut::plain(Sats::from_wire(127), vec![0x6a, 2, 1, 0]) },
                TxOut::plain(Sats::from_wire(2_100_000_000_000_000), vec![0; 40]),
            ],
            locktime: 500,
        };
        let spent = vec![
            TxOut { token: Some(token), ..TxOut::plain(Sats::from_wire(5_000_000_000), lock) },
            TxOut::plain(Sats::from_wire(0), vec![0x51]),
        ];
        (tx, spent)
    }
}

/// The compiler, if there is one for this machine.
fn jit() -> Option<&'static Arc<Jit>> {
    static JIT: OnceLock<Option<Arc<Jit>>> = OnceLock::new();
    JIT.get_or_init(|| Jit::new().map(Arc::new)).as_ref()
}

/// Whether bound costs leave the same at no lower cost.
fn covers(bound: &Left, exact: &Left) -> bool {
    let (over, true_cost) = (bound.metrics.cost, exact.metrics.cost);
    let same = Metrics { cost: true_cost, ..bound.metrics } == exact.metrics;
    same && over >= true_cost && bound.stack == exact.stack && bound.alt == exact.alt
}

/// The work of a script that came to its end with a stack that does not let the input spend.
fn ended(failure: &Failure) -> Option<Metrics> {
    let ended =
        matches!(failure.error, ScriptError::FalseResult | ScriptError::NotClean | ScriptError::SigCheckDensity);
    (ended && failure.phase == Phase::Locking && failure.at.is_none()).then_some(failure.metrics)
}
