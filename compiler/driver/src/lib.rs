//! Compiles sources to artifacts: the incremental database over parser, analysis and code generation, and the rendering of diagnostics.
//! It knows no disk and no screen: sources come through [`World`], text goes to a writer.

mod assemble;
mod compiled;
mod db;
mod editor;
mod fix;
mod graph;
mod library;
mod lint;
mod making;
mod measure;
mod package;
mod place;
mod reached;
mod render;
mod session;
mod world;

pub use assemble::reward_table;
pub use codegen::{Carried, Pass, Placed, StepKind, Test, TestParam, TestStep, Try, Unproved, progress};
pub use compiled::{Compiled, Proof, unparsed};
pub use editor::{Canceller, ItemView, Stopped};
pub use fix::{Change, Remedy, apply};
pub use library::library;
pub use lint::{LevelError, Lint, LintLevel, LintLevels, lint_of, lints};
pub use making::{Made, Making, MakingName, MakingView, Measured};
pub use measure::{LineKind, LineSize, PartSize, PathCosts, Sizes, measure};
pub use package::{Package, Packages};
pub use place::{FilePlaces, Place, Places};
pub use render::Finding;
pub use session::{Options, SealError, Session, compile, compile_package};
pub use syntax::{Code, Diagnostic, Effect, Label, Loc, Severity};
pub use world::{MemoryWorld, SOURCE_BYTES_MAX, World, WorldError, text_of};
