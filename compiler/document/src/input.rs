//! What is documented.

use std::sync::Arc;

use spec::Artifact;
use syntax::ItemKey;

/// Sources, and what they compile to.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// What it is called.
    pub name: String,
    /// The sources, in the order in which they are shown.
    pub modules: Vec<Module>,
    /// The compiled contracts of these sources. A contract without one is shown without its sizes and costs.
    pub artifacts: Vec<Artifact>,
}

/// One source.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// The package it belongs to.
    pub package: String,
    /// What a `use` calls it, with the folders before it: `pay/out`.
    pub name: String,
    /// Its path as messages and artifacts say it.
    pub path: String,
    /// Its text.
    pub text: Arc<str>,
    /// Whether it belongs to what is documented, rather than to what that uses.
    pub is_own: bool,
    /// The plain items that its declarations become, by the declaration.
    pub generated: Vec<(ItemKey, String)>,
}
