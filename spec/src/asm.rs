//! Assembly: bytecode as words, and words as bytecode.
//!
//! Words are opcode names, `0x` followed by the data of a push, and decimal numbers; `//` starts a
//! comment. Disassembly writes every push of data in hexadecimal and keeps even what cannot run:
//! a byte without a name as `BYTE_d6`, a push in a longer form than it needs as `PUSHDATA_1<0x…>`,
//! the end of a cut-off push as `TRUNCATED<0x…>`; so it reads back to the same bytes.

use std::fmt::Write as _;

use crate::opcode::Opcode;
use crate::rules::RuleSet;
use crate::script::{Instruction, instructions, push_data, push_int};

/// The words of `script`, one for each instruction, separated by spaces.
///
/// ```
/// let script = spec::asm::assemble("OP_DUP 0xbeef OP_EQUALVERIFY 1000", spec::RuleSet::Bitmodel).unwrap();
/// assert_eq!(spec::asm::disassemble(&script), "OP_DUP 0xbeef OP_EQUALVERIFY 0xe803");
/// ```
#[must_use]
pub fn disassemble(script: &[u8]) -> String {
    let mut words = Vec::new();
    for step in instructions(script) {
        match step {
            Ok(step) => words.push(word(&step)),
            Err(cut) => words.push(format!("TRUNCATED<0x{}>", hex::encode(script.get(cut.at..).unwrap_or_default()))),
        }
    }
    words.join(" ")
}

/// The word of one instruction.
#[must_use]
pub fn word(step: &Instruction<'_>) -> String {
    match (step.data, step.opcode()) {
        (Some([]), Some(Opcode::N0)) => Opcode::N0.name().to_owned(),
        (Some(data), _) => push_word(step, data),
        (None, Some(opcode)) => opcode.name().to_owned(),
        (None, None) => format!("BYTE_{:02x}", step.byte),
    }
}

/// The word of the instruction that stands at an offset; `None` if none can be read there.
#[must_use]
pub fn word_at(script: &[u8], at: usize) -> Option<String> {
    instructions(script.get(at..)?).next()?.ok().map(|step| word(&step))
}

fn push_word(step: &Instruction<'_>, data: &[u8]) -> String {
    let mut shortest = Vec::new();
    push_data(&mut shortest, data);
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = if shortest.first() == Some(&step.byte) {
        write!(text, "0x{}", hex::encode(data))
    } else {
        write!(text, "{}<0x{}>", long_push_name(step.byte), hex::encode(data))
    };
    text
}

const fn long_push_name(byte: u8) -> &'static str {
    match byte {
        0x4c => "PUSHDATA_1",
        0x4d => "PUSHDATA_2",
        0x4e => "PUSHDATA_4",
        _ => "PUSHBYTES",
    }
}

/// A word that assembly does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("word {number} `{word}`: {reason}")]
pub struct AsmError {
    /// The word.
    pub word: String,
    /// Which word of the text, from 1.
    pub number: usize,
    /// What is wrong with it and what to write instead.
    pub reason: &'static str,
}

/// The bytecode of `text`.
///
/// Under rules that lack an original opcode its name stands for the instructions that do the same.
///
/// # Errors
/// [`AsmError`] with the first word that is no opcode, number or push.
pub fn assemble(text: &str, rules: RuleSet) -> Result<Vec<u8>, AsmError> {
    let mut out = Vec::new();
    let words = text.lines().flat_map(|line| line.split("//").next().unwrap_or_default().split_whitespace());
    for (index, word) in words.enumerate() {
        assemble_word(&mut out, word, rules).map_err(|reason| AsmError {
            word: word.to_owned(),
            number: index + 1,
            reason,
        })?;
    }
    Ok(out)
}

fn assemble_word(out: &mut Vec<u8>, word: &str, rules: RuleSet) -> Result<(), &'static str> {
    if let Some(digits) = word.strip_prefix("0x") {
        push_data(out, &hex_bytes(digits)?);
        return Ok(());
    }
    if let Some((form, rest)) = word.split_once("<0x") {
        return assemble_exact(out, form, &hex_bytes(rest.strip_suffix('>').ok_or("the closing `>` is missing")?)?);
    }
    if let Some(digits) = word.strip_prefix("BYTE_") {
        out.extend(hex_bytes(digits)?);
        return Ok(());
    }
    if word.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
        push_int(out, word.parse().map_err(|_| "a number must fit in 64 bits; write larger ones as `0x` data")?);
        return Ok(());
    }
    assemble_name(out, word, rules)
}

fn assemble_exact(out: &mut Vec<u8>, form: &str, data: &[u8]) -> Result<(), &'static str> {
    let [a, b, c, d, ..] = (data.len() as u64).to_le_bytes();
    match (form, data.len()) {
        ("TRUNCATED", _) => {}
        ("PUSHBYTES", 1..=75) => out.push(a),
        ("PUSHDATA_1", 0..=255) => out.extend([0x4c, a]),
        ("PUSHDATA_2", 0..=65_535) => out.extend([0x4d, a, b]),
        ("PUSHDATA_4", _) => out.extend([0x4e, a, b, c, d]),
        _ => return Err("this form of push does not exist or cannot hold so many bytes"),
    }
    out.extend_from_slice(data);
    Ok(())
}

fn assemble_name(out: &mut Vec<u8>, word: &str, rules: RuleSet) -> Result<(), &'static str> {
    let name = if word.starts_with("OP_") { word.to_owned() } else { format!("OP_{word}") };
    if let Some(expansion) = macro_of(&name, rules) {
        out.extend(expansion.iter().map(|opcode| opcode.to_byte()));
        return Ok(());
    }
    let opcode = Opcode::from_name(&name).ok_or("no opcode has this name; `bmc ops` lists them")?;
    if matches!(opcode, Opcode::PushData1 | Opcode::PushData2 | Opcode::PushData4) {
        return Err("write the data itself, as `0x…`; the assembler chooses the push");
    }
    out.push(opcode.to_byte());
    Ok(())
}

/// What the name of an original opcode stands for where it has no byte of its own.
fn macro_of(name: &str, rules: RuleSet) -> Option<&'static [Opcode]> {
    use Opcode::*;
    match (name, rules) {
        ("OP_VERIF", RuleSet::Bitmodel) => Some(&[Ver, Equal, If]),
        ("OP_VERNOTIF", RuleSet::Bitmodel) => Some(&[Ver, Equal, NotIf]),
        ("OP_LEFT", RuleSet::Bch2026) => Some(&[Split, Drop]),
        ("OP_RIGHT", RuleSet::Bch2026) => Some(&[Swap, Size, Rot, Sub, Split, Nip]),
        ("OP_SUBSTR", RuleSet::Bch2026) => Some(&[ToAltStack, Split, Nip, FromAltStack, Split, Drop]),
        ("OP_2MUL", RuleSet::Bch2026) => Some(&[N2, Mul]),
        ("OP_2DIV", RuleSet::Bch2026) => Some(&[N2, Div]),
        _ => None,
    }
}

fn hex_bytes(digits: &str) -> Result<Vec<u8>, &'static str> {
    hex::decode(digits).map_err(|_| "hexadecimal data needs an even number of digits from 0 to f")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_survive_disassembly_and_assembly() {
        let mut seed = 1u32;
        for len in 0..600 {
            let script: Vec<u8> = (0..len)
                .map(|_| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) as u8
                })
                .collect();
            let text = disassemble(&script);
            assert_eq!(assemble(&text, RuleSet::Bitmodel).as_deref(), Ok(script.as_slice()), "{text}");
        }
    }

    #[test]
    fn unknown_words_are_named_with_their_place() {
        let error = assemble("OP_DUP // copy\n OP_FOO", RuleSet::Bitmodel).unwrap_err();
        assert_eq!((error.number, error.word.as_str()), (2, "OP_FOO"));
        for text in ["0xabc", "99999999999999999999", "PUSHDATA_1<0x00", "OP_PUSHDATA_1", "BYTE_zz"] {
            assert!(assemble(text, RuleSet::Bitmodel).is_err(), "{text}");
        }
    }
}
