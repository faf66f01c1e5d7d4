//! What became of many runs.

use std::fmt;

/// What became of scripts and their inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Scripts, each with several inputs.
    pub scripts: u64,
    /// Those that cannot be lowered: the oracle has them for itself.
    pub unlowered: u64,
    /// Inputs, of which each is a run of the oracle.
    pub inputs: u64,
    /// Those whose last script is never reached.
    pub unreached: u64,
    /// Those whose last script comes to its end.
    pub ends: u64,
    /// Those that may spend.
    pub accepted: u64,
    /// Runs of register code.
    pub register: Runs,
    /// Runs of machine code.
    pub machine: Runs,
    /// Units that were compiled for them: all deployments of a script share one for each metering.
    pub units: u64,
}

/// What became of the runs of one engine. A run is one input in one metering, compared with the oracle. Inputs for which the
/// engine has no code are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Runs {
    /// The engine comes to the end, as the oracle does.
    pub ends: u64,
    /// The oracle comes to the end, but the engine leaves it the input.
    pub left: u64,
    /// The oracle fails, and the engine leaves it the input.
    pub fails: u64,
}

impl Runs {
    /// All runs.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.ends + self.left + self.fails
    }

    /// Counts a run by who comes to the end.
    pub(crate) const fn count(&mut self, engine: bool, oracle: bool) {
        match (engine, oracle) {
            (true, _) => self.ends += 1,
            (false, true) => self.left += 1,
            (false, false) => self.fails += 1,
        }
    }

    const fn add(&mut self, other: Self) {
        self.ends += other.ends;
        self.left += other.left;
        self.fails += other.fails;
    }
}

impl Counts {
    /// Adds those of another script.
    pub const fn add(&mut self, other: Self) {
        self.scripts += other.scripts;
        self.unlowered += other.unlowered;
        self.inputs += other.inputs;
        self.unreached += other.unreached;
        self.ends += other.ends;
        self.accepted += other.accepted;
        self.register.add(other.register);
        self.machine.add(other.machine);
        self.units += other.units;
    }
}

impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ends, left, fails } = self;
        write!(f, "{} runs: {ends} end alike, {left} are left to the oracle, {fails} fail", self.all())
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scripts, unlowered, inputs, unreached, ends, accepted, register, machine, units } = self;
        writeln!(f, "{scripts} scripts, of which {unlowered} are only the oracle's")?;
        write!(f, "{inputs} inputs, of which {ends} come to the end of their script and {accepted} may spend; ")?;
        writeln!(f, "{unreached} do not reach it")?;
        writeln!(f, "register code, {register}")?;
        write!(f, "machine code of {units} units, {machine}")
    }
}
