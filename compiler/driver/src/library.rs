//! The standard library: sources in the language itself that the compiler brings along.

use std::sync::Arc;

use analysis::{ModulePath, ModuleProblem, STD};

use crate::package::Target;

/// What the paths of its sources begin with; no file on a disk is called so, for want of an extension.
const PREFIX: &str = "std::";

/// The modules by name, in alphabetical order.
const MODULES: &[(&str, &str)] = &[
    ("auction", include_str!("../../../stdlib/auction.bmc")),
    ("did", include_str!("../../../stdlib/did.bmc")),
    ("math", include_str!("../../../stdlib/math.bmc")),
    ("merkle", include_str!("../../../stdlib/merkle.bmc")),
    ("multisig", include_str!("../../../stdlib/multisig.bmc")),
    ("oracle", include_str!("../../../stdlib/oracle.bmc")),
    ("time", include_str!("../../../stdlib/time.bmc")),
    ("token", include_str!("../../../stdlib/token.bmc")),
    ("vesting", include_str!("../../../stdlib/vesting.bmc")),
];

/// The sources of the standard library: the path that messages and artifacts show, and the text.
pub fn library() -> impl Iterator<Item = (String, &'static str)> {
    MODULES.iter().map(|(name, text)| (format!("{PREFIX}{name}"), *text))
}

/// Whether a path is one of the standard library.
pub(crate) fn is_module(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// The text of the module at `path`.
pub(crate) fn text(path: &str) -> Option<&'static str> {
    let wanted = path.strip_prefix(PREFIX)?;
    MODULES.iter().find(|(name, _)| *name == wanted).map(|(_, text)| *text)
}

/// Where a module of the standard library is.
pub(crate) fn locate(module: &ModulePath) -> Result<Target, ModuleProblem> {
    let path = format!("{PREFIX}{}", module.name);
    if text(&path).is_none() || !module.folders.is_empty() || module.package.as_deref() != Some(STD) {
        return Err(ModuleProblem::Missing { known: MODULES.iter().map(|(name, _)| Arc::from(*name)).collect() });
    }
    Ok(Target { path, inside: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_listed_in_order() {
        assert!(MODULES.is_sorted_by_key(|(name, _)| *name));
    }
}
