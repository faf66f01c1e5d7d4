//! Whether a script is an instance of a contract, and with which values of its parameters.
//!
//! The holes of the template are read backwards, and the values are put into it again: only what gives the same bytes
//! counts.

use std::collections::BTreeMap;

use spec::Artifact;
use spec::artifact::{AbiType, AbiValue, Part, Piece, SourceSpan};
use spec::asm;
use spec::script::{Instruction, instructions};

use crate::spending::{leaves_of, pushed, value_of};

/// What the values of a script's holes say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The values of parameters that the script holds, and of those that are built into it. Of a list it is the hash.
    pub params: BTreeMap<String, AbiValue>,
    /// Parameters of which the script shows nothing, or only some parts.
    pub unknown: Vec<String>,
}

/// Why a script is no instance of a contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// An instruction is another.
    #[error("{0}")]
    Instruction(Difference),
    /// What fills a parameter's holes is no value of its type.
    #[error("what stands for `{param}` is no `{ty}`")]
    Value {
        /// The parameter.
        param: String,
        /// Its type.
        ty: String,
    },
    /// The values cannot be told from each other.
    #[error("the script does not tell where `{0}` begins and ends")]
    Hidden(String),
}

/// The first instruction that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its number, from 0.
    pub instruction: usize,
    /// Where it starts in the script, in bytes.
    pub at: usize,
    /// What the contract has there; nothing if it has ended.
    pub expected: Option<String>,
    /// What the script has there; nothing if it has ended.
    pub found: Option<String>,
    /// Where the contract's instruction comes from.
    pub span: Option<SourceSpan>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = |word: &Option<String>| word.clone().map_or("the end".to_owned(), |word| format!("`{word}`"));
        let (expected, found) = (word(&self.expected), word(&self.found));
        write!(f, "instruction {} (byte {}) is {found}, not {expected}", self.instruction, self.at)
    }
}

/// Reads the values of `artifact`'s parameters out of `script`.
///
/// # Errors
/// [`Mismatch`] if the script is no instance of the artifact.
///
/// ```
/// use spec::artifact::{AbiType, AbiValue, Artifact, Piece, Slot};
/// let slot = Slot { name: "pkh".into(), ty: AbiType::BytesN(20) };
/// let bytecode = vec![Piece::Code(vec![0x76, 0xa9]), Piece::Param(0), Piece::Code(vec![0x88, 0xac])];
/// let artifact = Artifact { params: vec![slot], bytecode, ..Artifact::default() };
/// let recovered = wallet::recover(&artifact, &spec::script::p2pkh(&[7; 20])).unwrap();
/// assert_eq!(recovered.params["pkh"], AbiValue::Item(vec![7; 20]));
/// let other = wallet::recover(&artifact, &spec::script::p2sh20(&[7; 20])).unwrap_err();
/// assert_eq!(other.to_string(), "instruction 0 (byte 0) is `OP_HASH160`, not `OP_DUP`");
/// ```
pub fn recover(artifact: &Artifact, script: &[u8]) -> Result<Recovered, Mismatch> {
    compare(artifact, script)?;
    let leaves = leaves_of(artifact, script).unwrap_or_default();
    let mut recovered = Recovered::default();
    let mut filled = BTreeMap::new();
    let mut next = 0usize;
    for (index, slot) in artifact.params.iter().enumerate() {
        let all = next..next.saturating_add(slot.ty.leaf_count());
        next = all.end;
        let count = all.len();
        let known: Vec<&Vec<u8>> = leaves.range(all.clone()).map(|(_, leaf)| leaf).collect();
        let sealed = artifact.sealed_value(index).cloned();
        let whole = sealed.is_some() || (known.len() == count && count > 0);
        // Parts that stand nowhere in the script may be anything.
        let items = || all.clone().map(|leaf| leaves.get(&leaf).cloned().unwrap_or_default()).collect::<Vec<_>>();
        let value = sealed.unwrap_or_else(|| match &slot.ty {
            AbiType::List(_) => AbiValue::Item(items().pop().unwrap_or_default()),
            ty => value_of(ty, items()),
        });
        if whole {
            if slot.ty.decode(&value).is_none() {
                return Err(Mismatch::Value { param: slot.name.clone(), ty: slot.ty.to_string() });
            }
            recovered.params.insert(slot.name.clone(), value.clone());
        } else {
            recovered.unknown.push(slot.name.clone());
        }
        filled.insert(slot.name.clone(), value);
    }
    let again = artifact.redeem_script(&filled).unwrap_or_default();
    match first_difference(artifact, &again, script) {
        None => Ok(recovered),
        // Two holes of one parameter that are filled with different values, or values that hide each other.
        Some(_) if !recovered.unknown.is_empty() && shows_open_parts(artifact) => {
            Err(Mismatch::Hidden(recovered.unknown.swap_remove(0)))
        }
        Some(difference) => Err(Mismatch::Instruction(difference)),
    }
}

/// Whether a push joins several values of any length.
fn shows_open_parts(artifact: &Artifact) -> bool {
    let open = |part: &&Part| match part {
        Part::Bytes(_) => false,
        Part::Param(leaf) => artifact.hole(*leaf).is_some_and(|(slot, _)| slot.ty.fixed_len().is_none()),
    };
    artifact.bytecode.iter().any(|piece| match piece {
        Piece::Push(parts) => parts.iter().filter(open).count() > 1,
        Piece::Code(_) | Piece::Param(_) => false,
    })
}

/// An instruction of a template.
enum Templated<'a> {
    Code(Instruction<'a>),
    Hole(usize),
    Push(&'a [Part]),
}

impl Templated<'_> {
    fn takes(&self, found: &Instruction<'_>) -> bool {
        match self {
            Self::Code(own) => (own.byte, own.data) == (found.byte, found.data),
            Self::Hole(_) => is_shortest(found),
            Self::Push(parts) => is_shortest(found) && pushed(found).is_some_and(|item| may_hold(parts, &item)),
        }
    }

    fn word(&self, artifact: &Artifact) -> String {
        let name = |leaf: usize| match artifact.hole(leaf) {
            Some((slot, place)) if slot.ty.leaf_count() > 1 => format!("<{}.{place}>", slot.name),
            Some((slot, _)) => format!("<{}>", slot.name),
            None => "<?>".to_owned(),
        };
        let part = |part: &Part| match part {
            Part::Bytes(bytes) => hex::encode(bytes),
            Part::Param(leaf) => name(*leaf),
        };
        match self {
            Self::Code(step) => asm::word(step),
            Self::Hole(leaf) => name(*leaf),
            Self::Push(parts) => format!("0x{}", parts.iter().map(part).collect::<String>()),
        }
    }
}

/// Whether the bytes between the first and the last parameter of a push can be those of `item`.
fn may_hold(parts: &[Part], item: &[u8]) -> bool {
    let bytes = |part: Option<&Part>| match part {
        Some(Part::Bytes(bytes)) => bytes.clone(),
        _ => Vec::new(),
    };
    let (start, end) = (bytes(parts.first()), bytes(parts.last()));
    let least: usize = parts.iter().map(|part| part.len(|_| 0)).sum();
    item.len() >= least && item.starts_with(&start) && item.ends_with(&end)
}

fn is_shortest(step: &Instruction<'_>) -> bool {
    let Some(item) = pushed(step) else { return false };
    spec::script::push_len(&item) == step.end - step.at
}

fn template(artifact: &Artifact) -> Vec<Templated<'_>> {
    let mut all = Vec::new();
    for piece in &artifact.bytecode {
        match piece {
            Piece::Code(code) => all.extend(instructions(code).map_while(Result::ok).map(Templated::Code)),
            Piece::Param(leaf) => all.push(Templated::Hole(*leaf)),
            Piece::Push(parts) => all.push(Templated::Push(parts)),
        }
    }
    all
}

/// Compares instruction by instruction.
fn compare(artifact: &Artifact, script: &[u8]) -> Result<(), Mismatch> {
    let template = template(artifact);
    let mut own = template.iter();
    let mut number = 0;
    let difference = |instruction, at, expected: Option<&Templated<'_>>, found: Option<String>| {
        let expected = expected.map(|own| own.word(artifact));
        Err(Mismatch::Instruction(Difference {
            instruction,
            at,
            expected,
            found,
            span: artifact.source_of(instruction),
        }))
    };
    for step in instructions(script) {
        let expected = own.next();
        match step {
            Ok(step) if expected.is_some_and(|own| own.takes(&step)) => number += 1,
            Ok(step) => return difference(number, step.at, expected, Some(asm::word(&step))),
            Err(cut) => return difference(number, cut.at, expected, Some("a push that is cut off".to_owned())),
        }
    }
    match own.next() {
        None => Ok(()),
        rest => difference(number, script.len(), rest, None),
    }
}

/// The first instruction in which two scripts of an artifact differ.
fn first_difference(artifact: &Artifact, own: &[u8], found: &[u8]) -> Option<Difference> {
    if own == found {
        return None;
    }
    let words = |script: &[u8]| -> Vec<(usize, String)> {
        instructions(script).map_while(Result::ok).map(|step| (step.at, asm::word(&step))).collect()
    };
    let (own, theirs) = (words(own), words(found));
    let word = |all: &[(usize, String)], at: usize| all.get(at).map(|(_, word)| word.clone());
    let instruction = (0..own.len().max(theirs.len())).find(|at| word(&own, *at) != word(&theirs, *at))?;
    Some(Difference {
        instruction,
        at: theirs.get(instruction).map_or(found.len(), |(at, _)| *at),
        expected: word(&own, instruction),
        found: word(&theirs, instruction),
        span: artifact.source_of(instruction),
    })
}

#[cfg(test)]
mod tests {
    use spec::artifact::Slot;

    use super::*;

    fn artifact(types: &[&str], bytecode: Vec<Piece>) -> Artifact {
        let slot = |(at, ty): (usize, &&str)| Slot { name: format!("p{at}"), ty: ty.parse().unwrap() };
        Artifact { params: types.iter().enumerate().map(slot).collect(), bytecode, ..Artifact::default() }
    }

    #[test]
    fn values_come_back_as_they_were_put_in() {
        let push = Piece::Push(vec![Part::Bytes(vec![0x76]), Part::Param(2), Part::Bytes(vec![0x88])]);
        let code = Piece::Code(vec![0x93]);
        let bytecode = vec![Piece::Param(0), Piece::Param(1), code, push, Piece::Param(0)];
        let artifact = artifact(&["Int", "Bytes", "Bytes<2>"], bytecode);
        for (number, bytes) in [(0, vec![]), (-1, vec![1]), (16, vec![7; 80]), (1 << 40, vec![0x81])] {
            let value = |item: &[u8]| AbiValue::Item(item.to_vec());
            let values = [("p0", AbiValue::int(number)), ("p1", value(&bytes)), ("p2", value(&[8, 9]))]
                .map(|(n, v)| (n.to_owned(), v));
            let values = BTreeMap::from(values);
            let script = artifact.redeem_script(&values).unwrap();
            assert_eq!(recover(&artifact, &script), Ok(Recovered { params: values, unknown: vec![] }));
            for cut in 0..script.len() {
                assert!(recover(&artifact, &script[..cut]).is_err());
            }
            assert!(recover(&artifact, &[script.as_slice(), &[0x51]].concat()).is_err());
        }
    }

    #[test]
    fn what_differs_is_named() {
        let twice = artifact(&["Int"], vec![Piece::Param(0), Piece::Param(0), Piece::Code(vec![0x93])]);
        for (script, why) in [
            (&[0x51, 0x52, 0x93][..], "instruction 1 (byte 1) is `OP_2`, not `OP_1`"),
            (&[0x51, 0x51, 0x94], "instruction 2 (byte 2) is `OP_SUB`, not `OP_ADD`"),
            (&[0x51, 0x51], "instruction 2 (byte 2) is the end, not `OP_ADD`"),
            (&[0x51, 0x51, 0x93, 0x51], "instruction 3 (byte 3) is `OP_1`, not the end"),
            (&[0x51, 0x93, 0x93], "instruction 1 (byte 1) is `OP_ADD`, not `<p0>`"),
            // A push that is longer than it has to be is nothing that a deployment makes.
            (&[1, 1, 0x51, 0x93], "instruction 0 (byte 0) is `PUSHBYTES<0x01>`, not `<p0>`"),
            (&[2, 1, 0, 2, 1, 0, 0x93], "what stands for `p0` is no `Int`"),
            (&[0x51, 5, 1], "instruction 1 (byte 1) is `a push that is cut off`, not `<p0>`"),
        ] {
            assert_eq!(recover(&twice, script).unwrap_err().to_string(), why);
        }
        let open = vec![Piece::Push(vec![Part::Param(0), Part::Param(1)])];
        let hidden = recover(&artifact(&["Bytes", "Bytes"], open), &[2, 7, 8]).unwrap_err();
        assert_eq!(hidden, Mismatch::Hidden("p0".to_owned()));
    }
}
