//! Instructions that an author wrote: whether they take what they are given and leave what they promise.
//!
//! The instructions are run on items of which only their number is known, and the numbers that were
//! pushed. Both branches of a conditional must leave equally many items, a round of a loop as many as
//! it found. What reaches below the inputs, or looks at the script around it, is refused.

use spec::opcode::Availability;
use spec::script::instructions;
use spec::{Opcode, RuleSet};

/// Conditionals and loops inside each other.
const LEVELS_MAX: usize = 100;

/// What is wrong with given instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsmFault {
    /// The byte at which the instruction begins; the length of the code for what is wrong at its end.
    pub at: usize,
    /// Why it is refused, as a phrase.
    pub why: String,
}

/// Checks that `code` takes `inputs` items, all of them, and leaves `results` under `rules`.
///
/// ```
/// use spec::RuleSet::Bch2026;
/// // OP_2DUP OP_ADD OP_MUL leaves one item of two, and one below them.
/// let code = [0x6e, 0x93, 0x95];
/// assert_eq!(analysis::asm_effect(&code, 2, 2, Bch2026), Ok(()));
/// let fault = analysis::asm_effect(&code, 2, 1, Bch2026).unwrap_err();
/// assert_eq!(fault.why, "this leaves 2 items, not 1");
/// assert!(analysis::asm_effect(&code, 1, 1, Bch2026).is_err());
/// ```
///
/// # Errors
/// The first instruction that is refused.
pub fn asm_effect(code: &[u8], inputs: usize, results: usize, rules: RuleSet) -> Result<(), AsmFault> {
    let mut run = Run { stack: vec![None; inputs], alt: 0, open: Vec::new() };
    for step in instructions(code) {
        let step = step.map_err(|cut| AsmFault { at: cut.at, why: "the last push is cut off".into() })?;
        let done = match (step.data, step.opcode()) {
            (Some(data), _) => {
                run.stack.push(spec::num::decode(data));
                Ok(())
            }
            (None, Some(opcode)) => run.step(opcode, rules),
            (None, None) => Err(format!("byte 0x{:02x} is no instruction", step.byte)),
        };
        done.map_err(|why| AsmFault { at: step.at, why })?;
    }
    run.end(results).map_err(|why| AsmFault { at: code.len(), why })
}

/// An item: the number, where it was pushed.
type Item = Option<i64>;

/// A conditional or loop that is not closed yet.
enum Open {
    If { stack: Vec<Item>, alt: usize, then: Option<(Vec<Item>, usize)> },
    Loop { stack: usize, alt: usize },
}

struct Run {
    stack: Vec<Item>,
    /// How many items lie on the alt stack.
    alt: usize,
    open: Vec<Open>,
}

impl Run {
    fn step(&mut self, opcode: Opcode, rules: RuleSet) -> Result<(), String> {
        let name = opcode.name();
        if matches!(opcode.row().availability, Availability::Nop | Availability::Reserved) {
            return Err(format!("no transaction with `{name}` is passed on"));
        }
        if !opcode.works_under(rules) {
            return Err(format!("`{name}` does not work under these rules"));
        }
        match opcode {
            Opcode::If | Opcode::NotIf => self.enter_if(name),
            Opcode::Else => self.turn(),
            Opcode::EndIf => self.leave_if(),
            Opcode::Begin => {
                // Another round may find other numbers.
                self.stack.fill(None);
                self.enter(Open::Loop { stack: self.stack.len(), alt: self.alt })
            }
            Opcode::Until => self.leave_loop(name),
            Opcode::Pick | Opcode::Roll => self.reach(opcode),
            Opcode::CheckMultiSig | Opcode::CheckMultiSigVerify => self.multisig(opcode),
            Opcode::ToAltStack => {
                self.take(1, name)?;
                self.alt += 1;
                Ok(())
            }
            Opcode::FromAltStack => {
                self.alt = self.alt.checked_sub(1).ok_or("the alt stack holds nothing here")?;
                self.stack.push(None);
                Ok(())
            }
            Opcode::IfDup => Err("how many items `OP_IFDUP` leaves depends on the item".into()),
            Opcode::Depth => Err("`OP_DEPTH` also counts what lies below the inputs".into()),
            Opcode::Return => Err("`OP_RETURN` always fails".into()),
            Opcode::Define | Opcode::Invoke => Err(format!("`{name}` would meet the functions of the contract")),
            Opcode::CodeSeparator => Err("`OP_CODESEPARATOR` changes what signatures elsewhere sign".into()),
            _ => self.plain(opcode),
        }
    }

    fn plain(&mut self, opcode: Opcode) -> Result<(), String> {
        let (takes, leaves) = opcode.arity().ok_or_else(|| format!("what `{}` takes is not known", opcode.name()))?;
        self.take(takes, opcode.name())?;
        let number = match opcode {
            Opcode::Negate1 => Some(-1),
            small if (Opcode::N1..=Opcode::N16).contains(&small) => {
                Some(i64::from(small.to_byte()) - i64::from(Opcode::N1.to_byte()) + 1)
            }
            _ => None,
        };
        self.stack.resize(self.stack.len() + leaves, number);
        Ok(())
    }

    fn take(&mut self, count: usize, name: &str) -> Result<(), String> {
        let left = self.stack.len().checked_sub(count).ok_or_else(|| too_few(name, count, self.stack.len()))?;
        self.stack.truncate(left);
        Ok(())
    }

    /// A number that stands in the code, not below zero.
    fn number(&mut self, name: &str) -> Result<usize, String> {
        let item = self.stack.pop().ok_or_else(|| too_few(name, 1, 0))?;
        let number = item.and_then(|n| usize::try_from(n).ok());
        number.ok_or_else(|| format!("the number that `{name}` reads must stand right before it"))
    }

    fn reach(&mut self, opcode: Opcode) -> Result<(), String> {
        let depth = self.number(opcode.name())?;
        let held = self.stack.len();
        let at = held.checked_sub(depth.saturating_add(1)).ok_or_else(|| too_few(opcode.name(), depth + 1, held))?;
        let item = match opcode {
            Opcode::Roll => self.stack.remove(at),
            _ => self.stack.get(at).copied().flatten(),
        };
        self.stack.push(item);
        Ok(())
    }

    fn multisig(&mut self, opcode: Opcode) -> Result<(), String> {
        let name = opcode.name();
        let keys = self.number(name)?;
        self.take(keys, name)?;
        let signatures = self.number(name)?;
        self.take(signatures.saturating_add(1), name)?;
        if opcode == Opcode::CheckMultiSig {
            self.stack.push(None);
        }
        Ok(())
    }

    fn enter(&mut self, open: Open) -> Result<(), String> {
        if self.open.len() == LEVELS_MAX {
            return Err(format!("more than {LEVELS_MAX} levels of conditionals and loops"));
        }
        self.open.push(open);
        Ok(())
    }

    fn enter_if(&mut self, name: &str) -> Result<(), String> {
        self.take(1, name)?;
        self.enter(Open::If { stack: self.stack.clone(), alt: self.alt, then: None })
    }

    fn turn(&mut self) -> Result<(), String> {
        match self.open.last_mut() {
            Some(Open::If { stack, alt, then: then @ None }) => {
                let done = std::mem::replace(&mut self.stack, stack.clone());
                *then = Some((done, std::mem::replace(&mut self.alt, *alt)));
                Ok(())
            }
            _ => Err("there is no conditional that `OP_ELSE` could turn".into()),
        }
    }

    fn leave_if(&mut self) -> Result<(), String> {
        let Some(Open::If { stack, alt, then }) = self.open.pop() else {
            return Err("there is no conditional that `OP_ENDIF` could close".into());
        };
        let (other, other_alt) = then.unwrap_or((stack, alt));
        if other.len() != self.stack.len() || other_alt != self.alt {
            return Err("the two branches leave different numbers of items".into());
        }
        for (item, other) in self.stack.iter_mut().zip(other) {
            *item = item.filter(|_| *item == other);
        }
        Ok(())
    }

    fn leave_loop(&mut self, name: &str) -> Result<(), String> {
        self.take(1, name)?;
        match self.open.pop() {
            Some(Open::Loop { stack, alt }) if stack == self.stack.len() && alt == self.alt => Ok(()),
            Some(Open::Loop { .. }) => Err("a round leaves another number of items than it found".into()),
            _ => Err("there is no loop that `OP_UNTIL` could close".into()),
        }
    }

    fn end(&self, results: usize) -> Result<(), String> {
        match self.open.last() {
            Some(Open::If { .. }) => return Err("a conditional is not closed".into()),
            Some(Open::Loop { .. }) => return Err("a loop is not closed".into()),
            None => {}
        }
        if self.alt > 0 {
            return Err("items are left on the alt stack".into());
        }
        match self.stack.len() {
            found if found == results => Ok(()),
            1 => Err(format!("this leaves 1 item, not {results}")),
            found => Err(format!("this leaves {found} items, not {results}")),
        }
    }
}

fn too_few(name: &str, needed: usize, held: usize) -> String {
    format!("`{name}` needs {needed} items, and there are {held}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(words: &str, inputs: usize, results: usize) -> Result<(), String> {
        let code = spec::asm::assemble(words, RuleSet::Bitmodel).unwrap();
        asm_effect(&code, inputs, results, RuleSet::Bch2026).map_err(|fault| fault.why)
    }

    #[test]
    fn what_takes_its_inputs_and_leaves_its_results_passes() {
        for (words, inputs, results) in [
            ("OP_ADD", 2, 1),
            ("OP_2 OP_PICK OP_3 OP_ROLL OP_2DROP", 3, 2),
            ("OP_IF OP_1ADD OP_ELSE OP_1SUB OP_ENDIF", 2, 1),
            ("OP_NOTIF OP_1ADD OP_ENDIF", 2, 1),
            ("OP_BEGIN OP_1SUB OP_DUP OP_NOT OP_UNTIL OP_DROP", 1, 0),
            ("OP_TOALTSTACK OP_1ADD OP_FROMALTSTACK", 2, 2),
            ("OP_1 0x020304 OP_1 OP_CHECKMULTISIG", 2, 1),
            ("OP_TXVERSION OP_2 OP_NUMEQUALVERIFY", 0, 0),
        ] {
            assert_eq!(check(words, inputs, results), Ok(()), "{words}");
        }
    }

    #[test]
    fn what_reaches_below_or_does_not_balance_is_refused() {
        for (words, inputs, results, why) in [
            ("OP_ADD", 1, 1, "`OP_ADD` needs 2 items, and there are 1"),
            ("OP_DUP", 1, 1, "this leaves 2 items, not 1"),
            ("OP_2 OP_PICK", 2, 3, "`OP_PICK` needs 3 items, and there are 2"),
            ("OP_PICK", 2, 2, "the number that `OP_PICK` reads must stand right before it"),
            ("OP_2 OP_CHECKMULTISIG", 1, 1, "`OP_CHECKMULTISIG` needs 2 items, and there are 1"),
            ("OP_CHECKMULTISIG", 2, 1, "the number that `OP_CHECKMULTISIG` reads must stand right before it"),
            ("OP_BEGIN OP_2 OP_UNTIL OP_PICK", 2, 2, "the number that `OP_PICK` reads must stand right before it"),
            ("OP_IF OP_1ADD", 2, 1, "a conditional is not closed"),
            ("OP_IF OP_DUP OP_ENDIF", 2, 1, "the two branches leave different numbers of items"),
            ("OP_IF OP_ELSE OP_ELSE OP_ENDIF", 2, 1, "there is no conditional that `OP_ELSE` could turn"),
            ("OP_IF OP_UNTIL", 2, 1, "there is no loop that `OP_UNTIL` could close"),
            ("OP_BEGIN OP_IF OP_UNTIL OP_ENDIF", 3, 1, "there is no loop that `OP_UNTIL` could close"),
            ("OP_BEGIN OP_DUP OP_DUP OP_UNTIL", 1, 1, "a round leaves another number of items than it found"),
            ("OP_BEGIN", 1, 1, "a loop is not closed"),
            ("OP_TOALTSTACK", 1, 0, "items are left on the alt stack"),
            ("OP_FROMALTSTACK", 0, 1, "the alt stack holds nothing here"),
            ("OP_DEPTH", 0, 1, "`OP_DEPTH` also counts what lies below the inputs"),
            ("OP_VER", 0, 1, "`OP_VER` does not work under these rules"),
            ("OP_NOP4", 0, 0, "no transaction with `OP_NOP4` is passed on"),
            ("OP_RETURN", 0, 0, "`OP_RETURN` always fails"),
        ] {
            assert_eq!(check(words, inputs, results).unwrap_err(), why, "{words}");
        }
        let fault = asm_effect(&[0x51, 0xd9], 0, 1, RuleSet::Bitmodel).unwrap_err();
        assert_eq!((fault.at, fault.why.as_str()), (1, "byte 0xd9 is no instruction"));
        assert_eq!(asm_effect(&[0x02, 0x01], 0, 1, RuleSet::Bitmodel).unwrap_err().why, "the last push is cut off");
    }
}
