//! From artifacts to the source of a typed client, in Rust or in TypeScript.
//!
//! It knows artifacts and how to spell things in two languages; it compiles nothing, builds no transaction and reads no file. Whatever an
//! artifact says, nothing of it leaves the literals and comments that hold it.

mod model;
mod names;
mod rust;
mod text;
mod typescript;

use spec::Artifact;

/// The language of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// A module that stands on the crate `client`.
    Rust,
    /// A module that stands on the package `@bitauth/libauth`.
    TypeScript,
}

/// Why no client can be generated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Ungenerated {
    /// There is no contract.
    #[error("there is no contract to generate a client of")]
    Empty,
    /// Two contracts have one name.
    #[error("two artifacts are of a contract `{0}`")]
    Twins(String),
    /// A type that the language of the client has no words for.
    #[error("`{0}` has no type in the client's language")]
    Type(String),
    /// The artifact cannot be written.
    #[error("the artifact of `{0}` cannot be written as JSON")]
    Json(String),
}

/// The source of a client of these contracts. The same artifacts always give the same text, in whatever order they come.
///
/// ```
/// use bindgen::{Lang, generate};
/// let artifact = spec::Artifact { contract: "Vault".into(), ..spec::Artifact::default() };
/// let source = generate(&[artifact], Lang::Rust).unwrap();
/// assert!(source.contains("pub struct Vault(client::Contract);"));
/// ```
///
/// # Errors
/// [`Ungenerated`] says which artifact is in the way.
pub fn generate(artifacts: &[Artifact], lang: Lang) -> Result<String, Ungenerated> {
    match lang {
        Lang::Rust => rust::client(&model::Model::of(artifacts, names::RUST_TYPES)?),
        Lang::TypeScript => typescript::client(&model::Model::of(artifacts, names::TYPESCRIPT_TYPES)?),
    }
}
