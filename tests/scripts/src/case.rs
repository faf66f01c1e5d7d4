//! A script, and the spend that runs it.

use std::fmt;

use spec::hash::sha256d;
use spec::script::{instructions, p2sh32, push_data};
use spec::{Mode, Opcode, RuleSet, SpendContext, Transaction, TxOut, asm, num};

use crate::sign::Signature;
use crate::world::World;

/// A script to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What the input pushes.
    pub pushes: Vec<Push>,
    /// The last script that the input runs.
    pub script: Vec<u8>,
    /// Whether the spent output only names the script by its hash.
    pub redeem: bool,
    /// Whose rules.
    pub set: RuleSet,
    /// Relay or blocks.
    pub mode: Mode,
    /// The transaction around it.
    pub world: World,
    /// Which deployment of the script it is: each has other keys.
    pub deployment: usize,
}

/// A push of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Push {
    /// These bytes, or a number.
    Bytes(Vec<u8>),
    /// A signature that is made when all else is known.
    Signature(Signature),
    /// Bytecode as it is.
    Raw(Vec<u8>),
}

/// A transaction, the outputs that it spends, and the input that runs a script.
#[derive(Debug)]
pub(crate) struct Spend {
    pub(crate) tx: Transaction,
    pub(crate) spent: Vec<TxOut>,
    pub(crate) input: usize,
    /// Bytes of its unlocking bytecode.
    pub(crate) unlock_len: usize,
}

/// The pushes of some bytecode.
pub(crate) fn pushes(unlock: &[u8]) -> Vec<Push> {
    let mut pushes = Vec::new();
    let mut end = 0;
    for instruction in instructions(unlock).map_while(Result::ok) {
        let raw = unlock.get(instruction.at..instruction.end).unwrap_or_default();
        let data = match instruction.byte {
            0x4f => Some(num::encode(-1)),
            byte @ 0x51..=0x60 => Some(num::encode(i64::from(byte) - 0x50)),
            0 => Some(Vec::new()),
            _ => instruction.data.map(<[u8]>::to_vec),
        };
        let bytes = data.filter(|data| {
            let mut shortest = Vec::new();
            push_data(&mut shortest, data);
            shortest == raw
        });
        pushes.push(bytes.map_or_else(|| Push::Raw(raw.to_vec()), Push::Bytes));
        end = instruction.end;
    }
    let rest = unlock.get(end..).unwrap_or_default();
    if !rest.is_empty() {
        pushes.push(Push::Raw(rest.to_vec()));
    }
    pushes
}

impl Case {
    /// The script with an instruction more at its end, before which the stacks can be seen.
    pub(crate) fn code(&self) -> Vec<u8> {
        let mut code = self.script.clone();
        code.push(Opcode::Nop.to_byte());
        code
    }

    /// The transaction whose input runs the script, signed.
    pub(crate) fn spend(&self) -> Spend {
        let code = self.code();
        let lock = if self.redeem { p2sh32(&sha256d(&code)) } else { code.clone() };
        let (mut tx, mut spent, input) = self.world.transaction();
        if let Some(output) = spent.get_mut(input) {
            output.lock = lock;
        }
        let mut unlock = self.unlock(&tx, &spent, input, &code);
        if self.redeem {
            push_data(&mut unlock, &code);
        }
        let unlock_len = unlock.len();
        if let Some(input) = tx.inputs.get_mut(input) {
            input.unlock = unlock;
        }
        Spend { tx, spent, input, unlock_len }
    }

    fn unlock(&self, tx: &Transaction, spent: &[TxOut], input: usize, code: &[u8]) -> Vec<u8> {
        let context = SpendContext::new(tx, spent);
        let mut unlock = Vec::new();
        for push in &self.pushes {
            match push {
                Push::Bytes(data) => push_data(&mut unlock, data),
                Push::Raw(raw) => unlock.extend_from_slice(raw),
                Push::Signature(signature) => {
                    let made = context.as_ref().map(|context| signature.made(context, input, code, self.deployment));
                    push_data(&mut unlock, &made.unwrap_or_default());
                }
            }
        }
        unlock
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spend { tx, spent, input, .. } = self.spend();
        let unlock = tx.inputs.get(input).map_or(&[][..], |input| &input.unlock);
        let named = if self.redeem { ", named by its hash" } else { "" };
        writeln!(f, "{}, {:?}, input {input}{named}", self.set.name(), self.mode)?;
        writeln!(f, "unlock: {}", asm::disassemble(unlock))?;
        writeln!(f, "script: {}", asm::disassemble(&self.script))?;
        writeln!(f, "transaction: {}", hex::encode(tx.encode()))?;
        let mut outputs = Vec::new();
        spent.iter().for_each(|output| output.write(&mut outputs));
        write!(f, "spends: {}", hex::encode(outputs))
    }
}
