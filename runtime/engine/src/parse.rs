//! Bytes to instructions, and whether conditionals and loops are nested at all.
//!
//! An input can only spend if every instruction of a script has been passed, run or skipped. So a script with a truncated
//! push or an unbalanced loop can never do so, and nothing more need be known of it.

use spec::{Opcode, Rules, num};

/// An instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instr {
    pub(crate) what: What,
    /// Where the code goes on after it.
    pub(crate) next: u32,
}

/// What an instruction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A push of a number of up to 8 bytes in its shortest form.
    Int(i64),
    /// A push of other bytes of the code.
    Data { start: u16, len: u16 },
    /// Something that fails when it is run.
    Fail,
    /// Any other opcode.
    Op(Opcode),
}

/// The instructions of some code.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) instrs: Vec<Instr>,
    /// How many conditionals and loops are open at once, at most.
    pub(crate) nesting: usize,
}

/// Reads `code`; `None` if no input can spend with it, or if it is too long for this engine.
pub(crate) fn parse(code: &[u8], rules: &Rules) -> Option<Parsed> {
    let mut parsed = Parsed::default();
    let mut open = Vec::new();
    let mut at = 0;
    if code.len() > usize::from(u16::MAX) {
        return None;
    }
    while let Some(&byte) = code.get(at) {
        let (what, next) = instruction(code, byte, at + 1, rules)?;
        nest(what, &mut open)?;
        parsed.nesting = parsed.nesting.max(open.len());
        parsed.instrs.push(Instr { what, next: u32::try_from(next).ok()? });
        at = next;
    }
    open.is_empty().then_some(parsed)
}

fn nest(what: What, open: &mut Vec<Opcode>) -> Option<()> {
    let What::Op(opcode) = what else { return Some(()) };
    match opcode {
        Opcode::If | Opcode::NotIf => open.push(Opcode::If),
        Opcode::Begin => open.push(Opcode::Begin),
        Opcode::Else if open.last() != Some(&Opcode::If) => return None,
        Opcode::EndIf if open.pop() != Some(Opcode::If) => return None,
        Opcode::Until if open.pop() != Some(Opcode::Begin) => return None,
        _ => {}
    }
    Some(())
}

fn instruction(code: &[u8], byte: u8, from: usize, rules: &Rules) -> Option<(What, usize)> {
    if byte > Opcode::PushData4.to_byte() {
        let what = match Opcode::from_byte(byte) {
            None | Some(Opcode::Return | Opcode::Reserved) => What::Fail,
            Some(Opcode::Negate1) => What::Int(-1),
            Some(opcode) if (Opcode::N1..=Opcode::N16).contains(&opcode) => {
                What::Int(i64::from(byte - (Opcode::N1.to_byte() - 1)))
            }
            Some(opcode) if !opcode.works_under(rules.set) => What::Fail,
            Some(opcode) => What::Op(opcode),
        };
        return Some((what, from));
    }
    let rest = code.get(from..)?;
    let (len, prefix) = match (byte, rest) {
        (0..=0x4b, _) => (usize::from(byte), 0),
        (0x4c, [a, ..]) => (usize::from(*a), 1),
        (0x4d, [a, b, ..]) => (usize::from(u16::from_le_bytes([*a, *b])), 2),
        (0x4e, [a, b, c, d, ..]) => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 4),
        _ => return None,
    };
    let data = rest.get(prefix..)?.get(..len)?;
    if len > rules.limits.item_bytes {
        return None;
    }
    let (start, next) = (from + prefix, from + prefix + len);
    let shortest = match (prefix, data) {
        (0, [1..=16 | 0x81]) => false,
        (0, _) => true,
        (1, _) => len > 75,
        (2, _) => len > 255,
        _ => len > 65_535,
    };
    let what = match num::decode(data) {
        _ if !shortest => What::Fail,
        Some(n) => What::Int(n),
        None => What::Data { start: u16::try_from(start).ok()?, len: u16::try_from(len).ok()? },
    };
    Some((what, next))
}
