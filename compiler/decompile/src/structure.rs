//! The instructions of a script, and which of them belong together: conditionals and loops.

use spec::Opcode;
use spec::script::instructions;

/// One instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instr {
    /// Its first byte in the script.
    pub(crate) at: usize,
    /// What it is; nothing for pushes and for bytes without a name.
    pub(crate) opcode: Option<Opcode>,
    /// What it pushes.
    pub(crate) push: Option<Vec<u8>>,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// What a conditional or loop ends with, by the number of the instruction that opens it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Close {
    /// The `OP_ELSE` of a conditional.
    pub(crate) middle: Option<usize>,
    /// The `OP_ENDIF` or `OP_UNTIL`.
    pub(crate) end: usize,
}

/// A script that is taken apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Structure {
    pub(crate) instrs: Vec<Instr>,
    pub(crate) closes: Vec<Option<Close>>,
    /// Why the whole cannot be followed, and the byte.
    pub(crate) broken: Option<(usize, &'static str)>,
}

impl Structure {
    pub(crate) fn of(script: &[u8]) -> Self {
        let mut all = Self::default();
        for step in instructions(script) {
            match step {
                Ok(step) => {
                    let number = match step.byte {
                        0x4f => Some(vec![0x81]),
                        byte @ 0x51..=0x60 => Some(vec![byte - 0x50]),
                        _ => None,
                    };
                    let push = step.data.map(<[u8]>::to_vec).or(number);
                    let bytes = script.get(step.at..step.end).unwrap_or_default().to_vec();
                    let opcode = step.opcode().filter(|_| push.is_none());
                    all.instrs.push(Instr { at: step.at, opcode, push, bytes });
                }
                Err(cut) => {
                    all.broken = Some((cut.at, "the last push is cut off"));
                    return all;
                }
            }
        }
        all.close();
        all
    }

    fn close(&mut self) {
        let mut closes = vec![None; self.instrs.len()];
        let mut open: Vec<(usize, bool, Option<usize>)> = Vec::new();
        for (number, instr) in self.instrs.iter().enumerate() {
            let fault = match instr.opcode {
                Some(Opcode::If | Opcode::NotIf) => {
                    open.push((number, false, None));
                    None
                }
                Some(Opcode::Begin) => {
                    open.push((number, true, None));
                    None
                }
                Some(Opcode::Else) => match open.last_mut() {
                    Some((_, false, middle @ None)) => {
                        *middle = Some(number);
                        None
                    }
                    Some((_, false, Some(_))) => Some("a conditional turns more than once"),
                    _ => Some("`OP_ELSE` without a conditional"),
                },
                Some(Opcode::EndIf) => closed(&mut open, &mut closes, number, false),
                Some(Opcode::Until) => closed(&mut open, &mut closes, number, true),
                _ => None,
            };
            if let Some(why) = fault {
                self.broken = Some((instr.at, why));
                return;
            }
        }
        let unclosed = open.last().and_then(|(number, ..)| self.instrs.get(*number));
        self.broken = unclosed.map(|instr| (instr.at, "a conditional or loop is not closed"));
        self.closes = closes;
    }

    /// The bytes of a run of instructions.
    pub(crate) fn bytes(&self, range: std::ops::Range<usize>) -> Vec<u8> {
        self.instrs.get(range).unwrap_or_default().iter().flat_map(|instr| instr.bytes.clone()).collect()
    }
}

fn closed(
    open: &mut Vec<(usize, bool, Option<usize>)>,
    closes: &mut [Option<Close>],
    end: usize,
    is_loop: bool,
) -> Option<&'static str> {
    match open.pop() {
        Some((number, looping, middle)) if looping == is_loop => {
            if let Some(slot) = closes.get_mut(number) {
                *slot = Some(Close { middle, end });
            }
            None
        }
        _ => Some("conditionals and loops do not nest"),
    }
}
