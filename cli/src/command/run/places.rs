//! The lines of a script that is run, and their texts where the sources lie here.

use std::fs;
use std::path::Path;

use spec::Artifact;
use spec::artifact::SourceFile;
use wallet::Places;

use crate::fail::Fail;

/// The lines of `script`, if it can be an instance of the artifact's.
pub(crate) fn places<'a>(artifact: &'a Artifact, script: &[u8]) -> Result<Places<'a>, Fail> {
    let places = Places::new(artifact, script);
    if places.fits() {
        return Ok(places);
    }
    let (count, expected) = (places.instructions(), artifact.usual_instruction_lens().len());
    let contract = &artifact.contract;
    let message = format!("the script has {count} instructions, and `{contract}` has {expected}");
    Err(Fail::usage(message).help("name the artifact of the contract that this input spends"))
}

/// The text of a source, if it lies below this folder as it was compiled.
pub(crate) fn text(source: &SourceFile, folder: &Path) -> Option<String> {
    let text = fs::read(folder.join(&source.path)).ok()?;
    let same = hex::encode(spec::hash::sha256(&text)) == source.sha256;
    String::from_utf8(text).ok().filter(|_| same)
}

/// The name of a file, and the text of its lines if it lies here as it was compiled.
pub(crate) fn file(artifact: &Artifact, index: usize) -> (String, Vec<String>) {
    let Some(source) = artifact.sources.get(index) else { return Default::default() };
    let text = text(source, Path::new("")).unwrap_or_default();
    (source.path.clone(), text.lines().map(|line| line.trim().to_owned()).collect())
}
