//! What a compilation gives.

use std::io;
use std::sync::Arc;

use analysis::hir;
use serde_json::Value;
use spec::Artifact;
use spec::artifact::Level;
use syntax::{Diagnostic, Severity};

use crate::fix::{self, Remedy};
use crate::lint::LintLevels;
use crate::place::{FilePlaces, Places};
use crate::render::{self, Finding};

/// Everything one compilation found and made.
#[derive(Clone, Debug, Default)]
pub struct Compiled {
    /// One artifact for each contract and reward without errors, in source order.
    pub artifacts: Vec<Artifact>,
    /// How the scripts of these contracts were made.
    pub proofs: Vec<Proof>,
    /// What there is to say, file by file, in source order.
    pub diagnostics: Vec<Diagnostic>,
    /// The tests and properties of the sources without errors, in source order.
    pub tests: Vec<Arc<codegen::Test>>,
    /// Where places are.
    pub places: Places,
    pub(crate) expanded: String,
}

/// How the script of a contract was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The contract.
    pub contract: String,
    /// How hard the compiler tried.
    pub level: Level,
    /// How many paths it has.
    pub paths: usize,
    /// Why the level is less than was asked for.
    pub unproved: Option<codegen::Unproved>,
}

impl Proof {
    pub(crate) fn of(contract: &hir::Contract, generated: &codegen::Generated) -> Self {
        Self {
            contract: contract.name.clone(),
            level: generated.level,
            paths: generated.paths.len(),
            unproved: generated.unproved.clone(),
        }
    }

    /// Whether the script is another than the direct one, and every path was shown to do the same.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.level > Level::O0
    }
}

/// What is wrong with the form of one source, ready to be shown with it.
///
/// ```
/// let text = "contract Open( {";
/// let compiled = driver::unparsed("open.bmc", text, syntax::parse(text).diagnostics);
/// assert!(compiled.has_errors());
/// ```
#[must_use]
pub fn unparsed(path: &str, text: &str, diagnostics: Vec<Diagnostic>) -> Compiled {
    let islands = syntax::parse(text).islands;
    let items = islands.into_iter().map(|island| (island.key, island.range.start)).collect();
    let places = Places::new(vec![FilePlaces::new(path.into(), text.into(), items)]);
    Compiled { diagnostics, places, ..Compiled::default() }
}

impl Compiled {
    /// Whether anything is wrong.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Writes every diagnostic with its piece of source.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn render(&self, out: &mut dyn io::Write, color: bool) -> io::Result<()> {
        render::human(out, &self.places, &self.diagnostics, color)
    }

    /// Writes something that was found beside the compilation, with its pieces of source.
    ///
    /// # Errors
    /// What `out` fails with.
    pub fn render_finding(&self, out: &mut dyn io::Write, finding: &Finding, color: bool) -> io::Result<()> {
        render::finding(out, &self.places, finding, color)
    }

    /// The diagnostics as a JSON array; lines and columns count from 1, columns in characters, offsets in bytes.
    #[must_use]
    pub fn to_json(&self) -> Value {
        render::machine(&self.places, &self.diagnostics)
    }

    /// What mends a diagnostic of this compilation, the likeliest first.
    #[must_use]
    pub fn remedies(&self, diagnostic: &Diagnostic) -> Vec<Remedy> {
        fix::remedies(diagnostic, &self.places)
    }

    /// Leaves out the warnings that these levels allow, and makes errors of those that they deny.
    #[must_use]
    pub fn at_levels(mut self, levels: &LintLevels) -> Self {
        levels.apply(&mut self.diagnostics);
        self
    }

    /// The sources with every declaration written out as plain items.
    #[must_use]
    pub fn expand(&self) -> &str {
        &self.expanded
    }

    /// The artifact of the contract named `name`, or of the only one.
    #[must_use]
    pub fn artifact(&self, name: Option<&str>) -> Option<&Artifact> {
        match (name, self.artifacts.as_slice()) {
            (Some(name), all) => all.iter().find(|artifact| artifact.contract == name),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}
