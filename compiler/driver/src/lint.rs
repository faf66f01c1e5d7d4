//! The names of what the compiler warns of, and how grave each is taken.

use std::collections::BTreeMap;
use std::fmt;

use analysis::hir;
use syntax::{Code, Diagnostic, Severity};

/// A message that has a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lint {
    /// The name, as `bmc.toml` and `allow(..);` have it.
    pub name: &'static str,
    /// The code of its message.
    pub code: Code,
    /// How grave it is if nobody says otherwise.
    pub severity: Severity,
    /// Whether `allow(name);` in a source silences it.
    pub in_source: bool,
}

/// Every lint, by code.
#[must_use]
pub fn lints() -> Vec<Lint> {
    let of_contracts = hir::Lint::ALL.iter().map(|lint| Lint {
        name: lint.name(),
        code: lint.code(),
        severity: if *lint == hir::Lint::OverBudget { Severity::Warning } else { Severity::Error },
        in_source: true,
    });
    let warnings = hir::WARNINGS.iter().map(|(name, code)| Lint {
        name,
        code: *code,
        severity: Severity::Warning,
        in_source: false,
    });
    let mut all: Vec<Lint> = of_contracts.chain(warnings).collect();
    all.sort_by_key(|lint| lint.code);
    all
}

/// The lint that reports this code.
#[must_use]
pub fn lint_of(code: Code) -> Option<Lint> {
    lints().into_iter().find(|lint| lint.code == code)
}

/// How grave a lint is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LintLevel {
    /// Not at all.
    Allow,
    /// It is shown.
    Warn,
    /// Nothing is built.
    Deny,
}

impl LintLevel {
    /// The level as `bmc.toml` writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }

    /// The level of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Allow, Self::Warn, Self::Deny].into_iter().find(|level| level.name() == name)
    }
}

/// The levels that are not those of the lints themselves.
///
/// ```
/// use driver::{LintLevel, LintLevels};
/// let mut levels = LintLevels::default();
/// levels.set("unused_import", LintLevel::Deny)?;
/// assert!(levels.set("open_path", LintLevel::Allow).is_err(), "money is guarded where it is paid");
/// # Ok::<(), driver::LevelError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LintLevels {
    set: BTreeMap<Code, LintLevel>,
    warnings: Option<LintLevel>,
}

/// Why a level cannot be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LevelError {
    /// There is no such lint.
    Unknown(String),
    /// What guards money is allowed in the source alone, where it happens.
    Guard(&'static str),
}

impl fmt::Display for LevelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "there is no lint `{name}`"),
            Self::Guard(name) => write!(f, "`{name}` guards money and is always an error"),
        }
    }
}

impl std::error::Error for LevelError {}

impl LevelError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Unknown(_) => "`bmc lint --list` shows them all".to_owned(),
            Self::Guard(name) => format!("write `allow({name});` in the source, in the path where it is meant"),
        }
    }
}

impl LintLevels {
    /// Takes a lint as grave as `level` says; `warnings` are all that only warn and are not named themselves.
    ///
    /// # Errors
    /// [`LevelError`] if there is no such lint, or if it may not be taken less grave.
    pub fn set(&mut self, name: &str, level: LintLevel) -> Result<(), LevelError> {
        if name == "warnings" {
            self.warnings = Some(level);
            return Ok(());
        }
        let known = lints().into_iter().find(|lint| lint.name == name);
        let lint = known.ok_or_else(|| LevelError::Unknown(name.to_owned()))?;
        if lint.severity == Severity::Error && level != LintLevel::Deny {
            return Err(LevelError::Guard(lint.name));
        }
        self.set.insert(lint.code, level);
        Ok(())
    }

    /// How grave a lint is taken.
    #[must_use]
    pub fn of(&self, lint: &Lint) -> LintLevel {
        match lint.severity {
            Severity::Error => LintLevel::Deny,
            Severity::Warning => self.of_warning(lint.code),
        }
    }

    fn of_warning(&self, code: Code) -> LintLevel {
        self.set.get(&code).copied().or(self.warnings).unwrap_or(LintLevel::Warn)
    }

    /// Errors stay what they are.
    pub fn apply(&self, diagnostics: &mut Vec<Diagnostic>) {
        let level = |found: &Diagnostic| match found.severity {
            Severity::Error => LintLevel::Warn,
            Severity::Warning => self.of_warning(found.code),
        };
        diagnostics.retain(|found| level(found) != LintLevel::Allow);
        for found in diagnostics.iter_mut().filter(|found| level(found) == LintLevel::Deny) {
            found.severity = Severity::Error;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lint_has_a_name_and_a_code_of_its_own() {
        let all = lints();
        assert!(all.iter().zip(all.iter().skip(1)).all(|(a, b)| a.code < b.code));
        for lint in &all {
            assert_eq!(lint_of(lint.code), Some(*lint));
            assert_eq!(all.iter().filter(|other| other.name == lint.name).count(), 1, "{}", lint.name);
        }
    }

    #[test]
    fn a_name_says_more_than_all_warnings() {
        let mut levels = LintLevels::default();
        levels.set("warnings", LintLevel::Deny).unwrap();
        levels.set("no_fee", LintLevel::Allow).unwrap();
        let of = |name: &str| levels.of(lints().iter().find(|lint| lint.name == name).unwrap());
        assert_eq!((of("no_fee"), of("unused_name")), (LintLevel::Allow, LintLevel::Deny));
        assert_eq!(of("open_path"), LintLevel::Deny);
        assert_eq!(levels.set("no_fees", LintLevel::Warn), Err(LevelError::Unknown("no_fees".to_owned())));
        assert_eq!(levels.set("open_path", LintLevel::Warn), Err(LevelError::Guard("open_path")));
    }
}
