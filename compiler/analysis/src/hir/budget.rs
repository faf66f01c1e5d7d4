//! What an author lets a contract take.

use syntax::Loc;

/// The most that a contract, or a path, may take of something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Of what.
    pub measure: Measure,
    /// The most, in bytes or in units of cost; at least 1.
    pub most: u64,
    /// The path for which it holds in place of the contract's budget of this measure. `None`: the contract's, for its
    /// script or for each path that has none.
    pub path: Option<String>,
    /// The limit in the source.
    pub loc: Loc,
}

/// What a budget limits.
///
/// ```
/// use analysis::hir::Measure;
/// assert_eq!(Measure::from_name("script"), Some(Measure::Script));
/// assert_eq!(Measure::from_name("speed"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Measure {
    /// The bytes of the script, with values of usual length in its holes.
    Script,
    /// The bytes of an unlocking bytecode, with arguments of usual length.
    Input,
    /// The operation cost that no run of a path exceeds.
    Cost,
}

impl Measure {
    /// All of them.
    pub const ALL: &'static [Measure] = &[Measure::Script, Measure::Input, Measure::Cost];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Measure::Script => "script",
            Measure::Input => "input",
            Measure::Cost => "cost",
        }
    }

    /// How a limit is written.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Measure::Script => "script: 130 bytes",
            Measure::Input => "input: 220 bytes",
            Measure::Cost => "cost: 40_000",
        }
    }

    /// The measure of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Measure> {
        Measure::ALL.iter().copied().find(|measure| measure.name() == name)
    }
}
