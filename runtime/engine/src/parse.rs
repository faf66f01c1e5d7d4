//! Bytes to instructions, and whether conditionals and loops are nested at all.
//!
//! An input can only spend if every instruction of a script has been passed, run or skipped. So a script with a truncated
//! push or an unbalanced loop can never do so, and nothing more need be known of it.
//!
//! Deployments of one contract differ in what they push: keys, hashes, amounts. So the longer pushes are *holes*, of which
//! only the length is known and whether a number is pushed. All scripts with the same *template*, which has other bytes of
//! that kind in the holes, are lowered to the same unit, which reads what it needs from the code that runs.

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
    /// A push of bytes that the unit does not depend on; whether they are a number of up to 8 bytes in its shortest form.
    Hole { start: u16, len: u16, number: bool },
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

/// Shorter numbers are small counts, indices and sizes: they belong to what a contract does, and lowering can use them.
const HOLE_BYTES_MIN: usize = 3;

/// What a hole holds in a template: a number in its shortest form if it is one, otherwise something that is none.
const NUMBER: u8 = 1;
const NO_NUMBER: u8 = 0;

/// Code with the bytes in its holes replaced, and its instructions. Lowering sees nothing else.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) code: Vec<u8>,
    pub(crate) parsed: Parsed,
}

impl Template {
    /// The template of `code`; `None` if no input can spend with it, or if it is too long for this engine.
    pub(crate) fn new(code: &[u8], rules: &Rules) -> Option<Self> {
        let mut parsed = parse(code, rules)?;
        parsed.open_holes();
        let mut code = code.to_vec();
        for instr in &parsed.instrs {
            if let What::Hole { start, len, number } = instr.what {
                let (start, len) = (usize::from(start), usize::from(len));
                code.get_mut(start..start + len)?.fill(if number { NUMBER } else { NO_NUMBER });
            }
        }
        Some(Self { code, parsed })
    }
}

impl Parsed {
    fn open_holes(&mut self) {
        let open = |at: usize| self.hole(at).or_else(|| self.body(at)).map(|hole| (at, hole));
        let holes: Vec<_> = (0..self.instrs.len()).filter_map(open).collect();
        for (at, hole) in holes {
            if let Some(instr) = self.instrs.get_mut(at) {
                instr.what = hole;
            }
        }
    }

    /// The push at `at` as bytes of the code, if it is the body of a function whose bytes happen to be a number.
    fn body(&self, at: usize) -> Option<What> {
        let (instr, id, define) = (self.instrs.get(at)?, self.instrs.get(at + 1)?, self.instrs.get(at + 2)?);
        let What::Int(n) = instr.what else { return None };
        let pushes_id = matches!(id.what, What::Int(_) | What::Data { .. });
        // These are pushed by an opcode of their own, so no bytes of the code are.
        let has_bytes = n == 0 || !(-1..=16).contains(&n);
        if !pushes_id || !has_bytes || define.what != What::Op(Opcode::Define) {
            return None;
        }
        let len = num::encoded_len(n);
        Some(What::Data { start: u16::try_from(instr.next as usize - len).ok()?, len: len as u16 })
    }

    /// The push at `at` as a hole, if it can be one. What defines or calls a function right after it cannot: functions are
    /// taken in where they are known.
    fn hole(&self, at: usize) -> Option<What> {
        let instr = self.instrs.get(at)?;
        let (start, len, number) = match instr.what {
            What::Int(n) => {
                let len = num::encoded_len(n);
                (u16::try_from(instr.next as usize - len).ok()?, len as u16, true)
            }
            What::Data { start, len } => (start, len, false),
            What::Hole { .. } | What::Fail | What::Op(_) => return None,
        };
        let after = |count: usize| self.instrs.get(at + count).map(|instr| instr.what);
        let names = |what| matches!(what, Some(What::Op(Opcode::Define | Opcode::Invoke)));
        let pushes = matches!(after(1), Some(What::Int(_) | What::Data { .. }));
        let of_function = names(after(1)) || pushes && names(after(2));
        (usize::from(len) >= HOLE_BYTES_MIN && !of_function).then_some(What::Hole { start, len, number })
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use spec::Mode;
    use spec::opcode::Opcode::*;
    use spec::script::{push_data, push_int, push_op};

    fn template(code: &[u8]) -> Vec<u8> {
        let rules = Rules::new(spec::RuleSet::Bitmodel, Mode::Consensus);
        let template = Template::new(code, &rules).unwrap();
        let again = Template::new(&template.code, &rules).unwrap();
        assert_eq!((&again.code, again.parsed.instrs), (&template.code, template.parsed.instrs));
        template.code
    }

    /// `OP_DUP OP_HASH160 <key> OP_EQUALVERIFY <from> OP_CHECKLOCKTIMEVERIFY <7> OP_ADD`
    fn lock(key: &[u8], from: i64, small: i64) -> Vec<u8> {
        let mut code = vec![Dup.to_byte(), Hash160.to_byte()];
        push_data(&mut code, key);
        push_op(&mut code, EqualVerify);
        push_int(&mut code, from);
        push_op(&mut code, CheckLockTimeVerify);
        push_int(&mut code, small);
        push_op(&mut code, Add);
        code
    }

    #[test]
    fn scripts_that_differ_in_long_pushes_of_one_kind_share_a_template() {
        let one = template(&lock(&[7; 20], 800_000, 7));
        assert_eq!(one, template(&lock(&[9; 20], 900_000, 7)));
        for other in [lock(&[7; 21], 800_000, 7), lock(&[7; 20], 80_000_000, 7), lock(&[7; 20], 800_000, 8)] {
            assert_ne!(one, template(&other));
        }
        // Bytes that are no number are another kind than a number of their length.
        assert_ne!(template(&lock(&[1, 2, 3], 800_000, 7)), template(&lock(&[1, 2, 0], 800_000, 7)));
    }

    #[test]
    fn functions_stay_as_they_are() {
        let define = |body: &[u8], id: &[u8]| {
            let mut code = Vec::new();
            push_data(&mut code, body);
            push_data(&mut code, id);
            push_op(&mut code, Define);
            push_data(&mut code, id);
            push_op(&mut code, Invoke);
            code
        };
        for len in [0, 1, 5, 10] {
            let code = define(&[Add1.to_byte(); 10][..len], &[7; 4]);
            assert_eq!(template(&code), code);
            // Known functions are taken in, also where their bytes could be a number.
            let rules = Rules::new(spec::RuleSet::Bitmodel, Mode::Consensus);
            let unit = crate::lowered(&code, &rules, crate::ir::Metering::Exact).unwrap();
            assert!(!unit.ops.iter().any(|op| matches!(op, crate::ir::Op::Call { .. })), "{unit}");
        }
    }
}
