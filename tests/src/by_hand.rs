//! Scripts that a person wrote, in place of the compiler's.

use std::collections::BTreeMap;

use spec::artifact::{Piece, SpendPath, UnlockItem};
use spec::{Artifact, RuleSet, asm};

/// A script for a contract with given values of its parameters, and what unlocks it.
///
/// ```text
/// path claim: sig preimage      what the path pushes, in order: names of arguments, and numbers
/// path refund: sig 0
/// OP_IF OP_SHA256 ..            the script, as words
/// ```
pub struct ByHand {
    code: Vec<u8>,
    /// What each path pushes.
    paths: BTreeMap<String, Vec<String>>,
}

impl ByHand {
    /// Reads a script.
    ///
    /// # Errors
    /// Says which word is none.
    pub fn parse(text: &str, rules: RuleSet) -> Result<Self, String> {
        let (paths, script): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("path "));
        let code = asm::assemble(&script.join("\n"), rules).map_err(|error| error.to_string())?;
        let path = |line: &str| {
            let (name, pushes) = line.strip_prefix("path ")?.split_once(':')?;
            Some((name.trim().to_owned(), pushes.split_whitespace().map(str::to_owned).collect()))
        };
        let paths = paths.into_iter().map(|line| path(line).ok_or_else(|| format!("`{line}` is no path")));
        Ok(Self { code, paths: paths.collect::<Result<_, _>>()? })
    }

    /// The length of the script in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.code.len()
    }

    /// Whether it is the script without any words.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.code.is_empty()
    }

    /// The artifact with this script in place of its own.
    pub(crate) fn instead_of(&self, mut artifact: Artifact) -> Result<Artifact, String> {
        artifact.bytecode = vec![Piece::Code(self.code.clone())];
        artifact.requires.clear();
        artifact.source_map.clear();
        artifact.functions.clear();
        for path in &mut artifact.paths {
            let pushes = self.paths.get(&path.name).ok_or_else(|| format!("nobody wrote `{}` by hand", path.name))?;
            path.unlock = pushes.iter().map(|push| item(path, push)).collect::<Result<_, _>>()?;
            path.cost_bound = None;
            path.route.clear();
        }
        Ok(artifact)
    }
}

fn item(path: &SpendPath, push: &str) -> Result<UnlockItem, String> {
    match path.args.iter().position(|arg| arg.name == push) {
        Some(at) => Ok(UnlockItem::Arg(at)),
        None => push.parse().map(UnlockItem::Int).map_err(|_| format!("`{}` has no argument `{push}`", path.name)),
    }
}
