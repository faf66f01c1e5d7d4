//! The artifacts that a generated client carries.

use spec::Artifact;
use wallet::Program;

/// The program of the artifacts in a generated client, a JSON list of them.
///
/// # Panics
/// If the text was changed after it was generated.
///
/// ```
/// assert_eq!(client::read_program("[]").artifacts().count(), 0);
/// ```
#[must_use]
pub fn read_program(artifacts: &str) -> Program {
    let artifacts: Vec<Artifact> =
        serde_json::from_str(artifacts).expect("the client was generated from these artifacts");
    Program::new(artifacts)
}
