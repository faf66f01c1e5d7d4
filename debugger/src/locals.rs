//! What lies on the stacks by its names in the source, values with parts as trees.

use spec::Artifact;
use spec::artifact::AbiType;
use spec::num;

use crate::names;
use crate::recording::Item;
use crate::watch::shown;

/// A value that has a name, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// The name, or that of the part: `price`, `amount` of `order.amount`, `[0]` of `keys[0]`.
    pub name: String,
    /// The whole name.
    pub path: String,
    /// What is called so; nothing if only parts of it lie on the stacks.
    pub item: Option<Item>,
    /// What the source says it is, where that is known.
    pub ty: Option<AbiType>,
    /// The parts that lie on the stacks.
    pub parts: Vec<Local>,
}

impl Local {
    /// The value as people read it.
    #[must_use]
    pub fn text(&self) -> String {
        let Some(item) = &self.item else {
            let part = |part: &Self| match part.name.starts_with('[') {
                true => part.text(),
                false => format!("{}: {}", part.name, part.text()),
            };
            let parts: Vec<String> = self.parts.iter().map(part).collect();
            return format!("{{ {} }}", parts.join(", "));
        };
        match &self.ty {
            Some(AbiType::Bool) => num::is_truthy(&item.bytes).to_string(),
            Some(ty) if ty.is_number() => num::decode_wide(&item.bytes)
                .map_or_else(|| shown(&item.bytes), |n| format!("{n} (0x{})", hex::encode(&item.bytes))),
            _ => shown(&item.bytes),
        }
    }
}

/// What has a name on the stacks, which are bottom first: that nearest to the top first, and of several with one name only that.
///
/// ```
/// use debugger::{Item, locals};
/// let item = |name: &str, byte: u8| Item { bytes: [byte].into(), name: Some(name.into()) };
/// let found = locals(&[item("order.price", 5), item("order.amount", 7), item("fee", 1)], &[], None, None);
/// let texts: Vec<String> = found.iter().map(|local| format!("{} = {}", local.name, local.text())).collect();
/// assert_eq!(texts, ["fee = 0x01 = 1", "order = { amount: 0x07 = 7, price: 0x05 = 5 }"]);
/// ```
#[must_use]
pub fn locals(main: &[Item], alt: &[Item], artifact: Option<&Artifact>, path: Option<&str>) -> Vec<Local> {
    let types = artifact.map(|artifact| names::types(artifact, path)).unwrap_or_default();
    let mut found = Vec::new();
    for item in main.iter().rev().chain(alt.iter().rev()) {
        let Some(name) = item.name.as_deref() else { continue };
        let local = place(&mut found, name);
        if local.item.is_none() {
            local.item = Some(item.clone());
            local.ty = types.get(name).map(|ty| (*ty).clone());
        }
    }
    found
}

/// The place of a name among its kin, made if it is not there.
fn place<'a>(mut among: &'a mut Vec<Local>, whole: &str) -> &'a mut Local {
    let mut path = String::new();
    let mut parts = parts_of(whole).into_iter().peekable();
    loop {
        let part = parts.next().unwrap_or_default();
        path += part;
        let at = among.iter().position(|local| local.path == path).unwrap_or_else(|| {
            let name = part.strip_prefix('.').unwrap_or(part).to_owned();
            among.push(Local { name, path: path.clone(), item: None, ty: None, parts: Vec::new() });
            among.len() - 1
        });
        let local = among.get_mut(at).expect("it was found there, or put there just now");
        if parts.peek().is_none() {
            return local;
        }
        among = &mut local.parts;
    }
}

/// A name as the parts that make it: `a`, `.b`, `[0]` of `a.b[0]`. The text of an expression is one part.
fn parts_of(name: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let (open, inner) = match rest.chars().next() {
            Some('.') if !parts.is_empty() => (1, rest.get(1..).unwrap_or_default()),
            Some('[') if !parts.is_empty() => (1, rest.get(1..).unwrap_or_default()),
            _ if parts.is_empty() => (0, rest),
            _ => return vec![name],
        };
        let word = inner.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(inner.len());
        let close = usize::from(rest.starts_with('['));
        let bracket = inner.get(word..).is_some_and(|behind| behind.starts_with(']'));
        let digits = inner.get(..word).is_some_and(|index| index.bytes().all(|byte| byte.is_ascii_digit()));
        let (Some(part), true) = (rest.get(..open + word + close), word > 0 && (close == 0 || (bracket && digits)))
        else {
            return vec![name];
        };
        parts.push(part);
        rest = rest.get(part.len()..).unwrap_or_default();
    }
    if parts.is_empty() { vec![name] } else { parts }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_parts_and_expressions_have_none() {
        for (name, expected) in [
            ("a", vec!["a"]),
            ("a.b[10].2", vec!["a", ".b", "[10]", ".2"]),
            ("first + second", vec!["first + second"]),
            ("a[b]", vec!["a[b]"]),
            ("a[1", vec!["a[1"]),
            ("a.", vec!["a."]),
            ("[0]", vec!["[0]"]),
            ("f(x).y", vec!["f(x).y"]),
            ("é.ü", vec!["é", ".ü"]),
            ("", vec![""]),
        ] {
            assert_eq!(parts_of(name), expected, "{name}");
        }
    }

    #[test]
    fn of_several_with_one_name_the_nearest_to_the_top_counts() {
        let item = |name: &str, bytes: &[u8]| Item { bytes: bytes.into(), name: Some(name.into()) };
        let main = [item("keys[0]", &[1]), item("n", &[2]), item("keys", &[9, 9, 9]), item("n", &[3])];
        let found = locals(&main, &[item("n", &[4]), item("side", &[])], None, None);
        let texts: Vec<(&str, String, usize)> =
            found.iter().map(|local| (local.name.as_str(), local.text(), local.parts.len())).collect();
        let expected = [("n", "0x03 = 3"), ("keys", "0x090909 = 592137"), ("side", "empty = 0")];
        assert_eq!(texts.iter().map(|(name, text, _)| (*name, text.as_str())).collect::<Vec<_>>(), expected);
        assert_eq!(found[1].parts[0].path, "keys[0]");
    }
}
