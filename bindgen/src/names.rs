//! Names as a language writes them, none of them twice and none of them reserved.

use std::collections::BTreeSet;

/// Names of types that generated Rust uses itself.
pub(crate) const RUST_TYPES: &[&str] = &[
    "ARTIFACTS",
    "Clone",
    "Debug",
    "Eq",
    "Err",
    "Fn",
    "Into",
    "None",
    "Ok",
    "Option",
    "PROGRAM",
    "PartialEq",
    "Plans",
    "Result",
    "Self",
    "Some",
    "String",
    "Vec",
];

/// Names that are exported or used by what a TypeScript client begins with, and those that mean something everywhere.
pub(crate) const TYPESCRIPT_TYPES: &[&str] = &[
    "AGE_IN_SECONDS",
    "ARTIFACTS",
    "Accounts",
    "Algorithm",
    "Array",
    "Artifact",
    "Author",
    "BigInt",
    "Boolean",
    "Bound",
    "Built",
    "Bytes",
    "CHUNK_BYTES",
    "ClientError",
    "Coin",
    "Contract",
    "DATA_BYTES_MAX",
    "Date",
    "Draft",
    "Error",
    "FEE_MAX",
    "FIRST_TIME",
    "Fetch",
    "Given",
    "Infinity",
    "Input",
    "JSON",
    "Json",
    "KEY_UNLOCK_BYTES",
    "Key",
    "Map",
    "Math",
    "NaN",
    "NoState",
    "Node",
    "Number",
    "Object",
    "Output",
    "PROGRAM",
    "Part",
    "Piece",
    "Promise",
    "Record",
    "Refused",
    "Reward",
    "Row",
    "SEQUENCE_FINAL",
    "SEQUENCE_LOCKTIME",
    "SIGHASH_ALL",
    "STANDARD_BYTES_MAX",
    "Set",
    "Settled",
    "Share",
    "Signature",
    "Signer",
    "Slot",
    "Source",
    "Span",
    "Spend",
    "SpendPath",
    "Spent",
    "State",
    "String",
    "Symbol",
    "TYPES",
    "Token",
    "TransactionCommon",
    "Ty",
    "Types",
    "Uint8Array",
    "Unlock",
    "Utxo",
    "Value",
    "Values",
];

/// Words that are no identifiers in Rust, and those that may become such.
const RUST_WORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move",
    "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Words that Rust takes for an identifier not even with `r#` before them.
const RUST_PATHS: &[&str] = &["self", "super", "crate", "_", "Self"];

/// Names that every object of TypeScript has already. Reserved words are none of them, as everything is a member of an object.
const TYPESCRIPT_MEMBERS: &[&str] = &[
    "constructor",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "prototype",
    "toLocaleString",
    "toString",
    "valueOf",
];

/// The parts of a name: runs of letters and digits, cut where a small letter meets a capital one.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for c in name.chars() {
        let begins = !before.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && !before.is_ascii_uppercase());
        if c.is_ascii_alphanumeric() {
            match words.last_mut().filter(|_| !begins) {
                Some(word) => word.push(c),
                None => words.push(c.to_string()),
            }
        }
        before = c;
    }
    words
}

fn led(name: String) -> String {
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("n{name}") }
}

fn capital(word: &str) -> String {
    let mut rest = word.chars();
    rest.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + rest.as_str())
}

/// `LikeThis`, with the capitals that it has.
pub(crate) fn pascal(name: &str) -> String {
    capital(&led(words(name).iter().map(|word| capital(word)).collect()))
}

/// `like_this`.
pub(crate) fn snake(name: &str) -> String {
    led(words(name).iter().map(|word| word.to_ascii_lowercase()).collect::<Vec<_>>().join("_"))
}

/// `likeThis`.
pub(crate) fn camel(name: &str) -> String {
    let words = words(name);
    let rest = words.iter().skip(1).map(|word| capital(word));
    let first = words.first().map(|word| word.to_ascii_lowercase());
    led(first.into_iter().chain(rest).collect())
}

/// The name of a field, function or variable of Rust.
pub(crate) fn rust_value(name: &str) -> String {
    let name = snake(name);
    match name.as_str() {
        path if RUST_PATHS.contains(&path) => format!("{name}_"),
        word if RUST_WORDS.contains(&word) => format!("r#{name}"),
        _ => name,
    }
}

/// The name of a field or method of TypeScript.
pub(crate) fn typescript_value(name: &str) -> String {
    let name = camel(name);
    if TYPESCRIPT_MEMBERS.contains(&name.as_str()) { format!("{name}_") } else { name }
}

/// Names that are taken in one place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    taken: BTreeSet<String>,
}

impl Scope {
    /// A place where these names are taken already.
    pub(crate) fn with(taken: &[&str]) -> Self {
        Self { taken: taken.iter().map(|name| (*name).to_owned()).collect() }
    }

    /// The name, or it with the first number that makes it and what is derived from it new.
    pub(crate) fn take(&mut self, name: &str, suffixes: &[&str]) -> String {
        let free = |name: &String| suffixes.iter().all(|suffix| !self.taken.contains(&format!("{name}{suffix}")));
        let numbered = (2usize..).map(|n| format!("{name}{n}"));
        let chosen = std::iter::once(name.to_owned()).chain(numbered).find(|name| free(name)).unwrap_or_default();
        self.taken.extend(suffixes.iter().map(|suffix| format!("{chosen}{suffix}")));
        chosen
    }

    /// Names for all of these, each spelt by `spell`.
    pub(crate) fn all<'n>(names: impl Iterator<Item = &'n str>, spell: impl Fn(&str) -> String) -> Vec<String> {
        let mut scope = Self::default();
        names.map(|name| scope.take(&spell(name), &[""])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelt_as_the_language_spells_them() {
        for (name, type_name, rust, typescript) in [
            ("models_diffusion", "ModelsDiffusion", "models_diffusion", "modelsDiffusion"),
            ("TextToImage", "TextToImage", "text_to_image", "textToImage"),
            ("type", "Type", "r#type", "type"),
            ("constructor", "Constructor", "constructor", "constructor_"),
            ("self", "Self", "self_", "self"),
            ("hash256", "Hash256", "hash256", "hash256"),
            ("DIDRegistry", "DIDRegistry", "didregistry", "didregistry"),
            ("", "N", "n", "n"),
            ("9 lives", "N9Lives", "n9_lives", "n9Lives"),
            ("x\"); drop(\u{202e}y", "XDropY", "x_drop_y", "xDropY"),
            ("__proto__", "Proto", "proto", "proto"),
        ] {
            assert_eq!((pascal(name).as_str(), rust_value(name).as_str()), (type_name, rust), "{name}");
            assert_eq!(typescript_value(name), typescript, "{name}");
        }
    }

    #[test]
    fn no_name_is_there_twice() {
        let mut scope = Scope::with(&["Vec"]);
        assert_eq!(scope.take("Vec", &[""]), "Vec2");
        assert_eq!(scope.take("VaultState", &[""]), "VaultState");
        assert_eq!(scope.take("Vault", &["", "State"]), "Vault2");
        assert_eq!(Scope::all(["a_b", "aB", "a b"].into_iter(), rust_value), ["a_b", "a_b2", "a_b3"]);
    }
}
