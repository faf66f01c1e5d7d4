//! Lays out `.bmc` text: one way to write a program, whoever wrote it.
//! It knows no names, no types and no meaning: only tokens, brackets and the words that begin things.
//!
//! Tokens become a tree of brackets (`tree.rs`), the tree a document of texts and possible line breaks
//! (`layout.rs`), and the document lines (`print.rs`). Where a line breaks is decided as by Oppen, *Prettyprinting*
//! (1980), in the form of Wadler's *A prettier printer* (2003): a group stays on one line if it fits. What the
//! author decides is kept: comments, one blank line, and whether braces with a single statement, or a list in
//! braces, begin on a line of their own.

mod doc;
mod edits;
mod element;
mod layout;
mod print;
mod space;
mod tree;

pub use edits::{Edit, edits};

use syntax::Diagnostic;

/// The most characters of a line, where something can be broken at all.
pub const WIDTH_MAX: usize = 120;
/// Spaces for each level.
pub const INDENT: usize = 4;

/// The text as it should look. The tokens stay, but for commas before a closing bracket; so what it compiles to stays.
///
/// # Errors
/// What is wrong with a text that cannot be parsed: nobody knows how it should look.
///
/// ```
/// let text = "contract  Lock( owner:PubKey ){ spend take(sig:Sig){require owner.signed( sig ),\"sign\" ;} }";
/// let pretty = "\
/// contract Lock(owner: PubKey) {
///     spend take(sig: Sig) { require owner.signed(sig), \"sign\"; }
/// }
/// ";
/// assert_eq!(format::format(text).unwrap(), pretty);
/// ```
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let diagnostics = syntax::parse(text).diagnostics;
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    Ok(lay_out(text))
}

/// The same for who knows already that a text can be parsed.
#[must_use]
pub fn lay_out(text: &str) -> String {
    let tokens = syntax::lex(text);
    let tree = tree::grow(&tokens, text);
    let pretty = layout::file(&tree, print::Printer::default());
    // Whatever a mistake of ours would cost, it must not be the author's text.
    let same = edits::same_tokens(text, &pretty);
    debug_assert!(same, "the layout changed the tokens");
    if same { pretty } else { text.to_owned() }
}
