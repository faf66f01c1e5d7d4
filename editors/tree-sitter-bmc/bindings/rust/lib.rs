//! The grammar of the contract language for tree-sitter, with its queries.
//!
//! It knows neither the compiler nor any editor. Its tests compare it with the compiler's lexer and parser.
//!
//! ```
//! let mut parser = tree_sitter::Parser::new();
//! parser.set_language(&tree_sitter_bmc::LANGUAGE.into()).expect("the grammar is of a known version");
//! let tree = parser.parse("const ANSWER: Int = 42;", None).expect("nothing stops it");
//! assert!(!tree.root_node().has_error());
//! ```

use tree_sitter_language::LanguageFn;

#[allow(unsafe_code, reason = "the parser is generated as C")]
unsafe extern "C" {
    fn tree_sitter_bmc() -> *const ();
}

/// The language, for `Parser::set_language`.
#[allow(unsafe_code, reason = "the parser is generated as C")]
// SAFETY: the function returns the language that tree-sitter generated, which never changes.
pub const LANGUAGE: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_bmc) };

/// What node is what, for colours.
pub const HIGHLIGHTS_QUERY: &str = include_str!("../../queries/highlights.scm");

/// What names mean where.
pub const LOCALS_QUERY: &str = include_str!("../../queries/locals.scm");

/// What other languages stand in the sources.
pub const INJECTIONS_QUERY: &str = include_str!("../../queries/injections.scm");
