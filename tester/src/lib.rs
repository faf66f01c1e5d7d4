//! Runs the tests and properties of a program: each on a chain of its own, with real transactions, real signatures and the real machine.
//! It knows no files, no clock and no screen; threads are its only luxury, and what it finds is the same whatever their number.

mod carried;
mod coverage;
mod draw;
mod fault;
mod ledger;
mod mutants;
mod people;
mod property;
mod random;
mod retold;
mod suite;
mod trace;
mod tried;
mod values;
mod world;
mod written;

mod run;

pub use coverage::{Coverage, Point, PointKind};
pub use fault::Fault;
pub use mutants::{Change, Fate, Mutant, fate, mutants};
pub use property::{CASES, Counterexample};
pub use retold::{Retold, retold};
pub use run::{Made, Spending};
pub use suite::{Choice, Outcome, Played, Verdict, covered, played, run};
