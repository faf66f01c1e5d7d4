//! What a signature signs: the digests of a transaction.
//!
//! Source: BIP 143 as adopted by Bitcoin Cash with the fork id (replay-protected sighash, 2017),
//! token prefixes and `SIGHASH_UTXOS` (CHIP-2022-02). The digest of 2009 is kept for signatures without the fork id bit,
//! which the rules refuse but tools can still explain.

use std::sync::OnceLock;

use crate::codec::{write_bytes, write_compact_size};
use crate::hash::sha256d;
use crate::opcode::Opcode;
use crate::script::instructions;
use crate::tx::{Transaction, TxOut};

/// Which parts of a transaction a signature covers.
///
/// The low 5 bits choose the outputs; the flags are independent bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SighashType(u32);

/// Which outputs are covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outputs {
    /// Every output.
    All,
    /// No output.
    None,
    /// The output at the input's own index.
    Single,
}

impl SighashType {
    /// Every output, every input, with the fork id: what wallets use.
    pub const ALL: Self = Self(0x41);
    /// As [`SighashType::ALL`], and the contents of every spent output too.
    pub const ALL_UTXOS: Self = Self(0x61);

    const NONE: u32 = 0x02;
    const SINGLE: u32 = 0x03;
    const UTXOS: u32 = 0x20;
    const FORK_ID: u32 = 0x40;
    const ANYONE_CAN_PAY: u32 = 0x80;

    /// From the number that the digest ends with; signatures carry only its low byte.
    #[must_use]
    pub const fn from_u32(raw: u32) -> Self {
        Self(raw)
    }

    /// The number.
    #[must_use]
    pub const fn to_u32(self) -> u32 {
        self.0
    }

    /// Which outputs are covered.
    #[must_use]
    pub const fn outputs(self) -> Outputs {
        match self.0 & 0x1f {
            Self::NONE => Outputs::None,
            Self::SINGLE => Outputs::Single,
            _ => Outputs::All,
        }
    }

    /// Whether the low bits name one of the three choices of outputs and nothing else is set but the known flags.
    #[must_use]
    pub const fn is_defined(self) -> bool {
        let base = self.0 & !(Self::UTXOS | Self::FORK_ID | Self::ANYONE_CAN_PAY);
        base >= 1 && base <= Self::SINGLE
    }

    /// Whether the contents of all spent outputs are covered.
    #[must_use]
    pub const fn utxos(self) -> bool {
        self.0 & Self::UTXOS != 0
    }

    /// Whether the digest is the one with the fork id.
    #[must_use]
    pub const fn fork_id(self) -> bool {
        self.0 & Self::FORK_ID != 0
    }

    /// Whether other inputs are left out.
    #[must_use]
    pub const fn anyone_can_pay(self) -> bool {
        self.0 & Self::ANYONE_CAN_PAY != 0
    }
}

/// A transaction together with the outputs that it spends, in input order.
///
/// Holds the hashes that signatures share, computed once when first needed.
#[derive(Debug)]
pub struct SpendContext<'a> {
    tx: &'a Transaction,
    spent: &'a [TxOut],
    shared: OnceLock<SharedHashes>,
}

#[derive(Debug)]
struct SharedHashes {
    prevouts: [u8; 32],
    utxos: [u8; 32],
    sequences: [u8; 32],
    outputs: [u8; 32],
}

/// A digest and the length of the bytes it was taken of, which costs depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureDigest {
    /// What is signed.
    pub digest: [u8; 32],
    /// The bytes that were hashed.
    pub preimage_len: usize,
}

impl<'a> SpendContext<'a> {
    /// Pairs a transaction with the outputs it spends; `None` unless there is one for each input.
    #[must_use]
    pub fn new(tx: &'a Transaction, spent: &'a [TxOut]) -> Option<Self> {
        (tx.inputs.len() == spent.len()).then(|| Self { tx, spent, shared: OnceLock::new() })
    }

    /// The transaction.
    #[must_use]
    pub const fn tx(&self) -> &'a Transaction {
        self.tx
    }

    /// The outputs it spends.
    #[must_use]
    pub const fn spent(&self) -> &'a [TxOut] {
        self.spent
    }

    /// The digest that a signature for input `index` over `code` signs; `None` if there is no such input.
    #[must_use]
    pub fn digest(&self, kind: SighashType, index: usize, code: &[u8]) -> Option<SignatureDigest> {
        let preimage = self.preimage(kind, index, code)?;
        Some(SignatureDigest { digest: sha256d(&preimage), preimage_len: preimage.len() })
    }

    fn preimage(&self, kind: SighashType, index: usize, code: &[u8]) -> Option<Vec<u8>> {
        let (input, spent) = (self.tx.inputs.get(index)?, self.spent.get(index)?);
        let shared = self.shared.get_or_init(|| SharedHashes::new(self.tx, self.spent));
        let zero = [0; 32];
        let alone = kind.anyone_can_pay();
        let mut out = Vec::with_capacity(220 + code.len());
        out.extend(self.tx.version.to_le_bytes());
        out.extend(if alone { zero } else { shared.prevouts });
        if kind.utxos() {
            out.extend(shared.utxos);
        }
        out.extend(if alone || kind.outputs() != Outputs::All { zero } else { shared.sequences });
        input.prevout.write(&mut out);
        if let Some(token) = &spent.token {
            token.write(&mut out);
        }
        write_bytes(&mut out, code);
        out.extend(spent.value.get().to_le_bytes());
        out.extend(input.sequence.to_le_bytes());
        out.extend(match kind.outputs() {
            Outputs::All => shared.outputs,
            Outputs::None => zero,
            Outputs::Single => self.tx.outputs.get(index).map_or(zero, |output| hash_outputs([output])),
        });
        out.extend(self.tx.locktime.to_le_bytes());
        out.extend(kind.to_u32().to_le_bytes());
        Some(out)
    }
}

impl SharedHashes {
    fn new(tx: &Transaction, spent: &[TxOut]) -> Self {
        let mut prevouts = Vec::with_capacity(36 * tx.inputs.len());
        let mut sequences = Vec::with_capacity(4 * tx.inputs.len());
        for input in &tx.inputs {
            input.prevout.write(&mut prevouts);
            sequences.extend(input.sequence.to_le_bytes());
        }
        Self {
            prevouts: sha256d(&prevouts),
            utxos: hash_outputs(spent),
            sequences: sha256d(&sequences),
            outputs: hash_outputs(&tx.outputs),
        }
    }
}

fn hash_outputs<'o>(outputs: impl IntoIterator<Item = &'o TxOut>) -> [u8; 32] {
    let mut bytes = Vec::new();
    outputs.into_iter().for_each(|output| output.write(&mut bytes));
    sha256d(&bytes)
}

/// The digest of 2009, without fork id, amounts or tokens.
///
/// An index without an input, and `Single` without an output, give the number one, as they always did.
#[must_use]
pub fn original_digest(tx: &Transaction, kind: SighashType, index: usize, code: &[u8]) -> [u8; 32] {
    let mut one = [0; 32];
    one[0] = 1;
    let single = kind.outputs() == Outputs::Single;
    if index >= tx.inputs.len() || (single && index >= tx.outputs.len()) {
        return one;
    }
    let mut out = Vec::new();
    out.extend(tx.version.to_le_bytes());
    write_original_inputs(&mut out, tx, kind, index, &without_separators(code));
    write_original_outputs(&mut out, tx, kind, index);
    out.extend(tx.locktime.to_le_bytes());
    out.extend(kind.to_u32().to_le_bytes());
    sha256d(&out)
}

fn write_original_inputs(out: &mut Vec<u8>, tx: &Transaction, kind: SighashType, index: usize, code: &[u8]) {
    let covered = |at: usize| at == index || !kind.anyone_can_pay();
    write_compact_size(out, (0..tx.inputs.len()).filter(|at| covered(*at)).count() as u64);
    for (at, input) in tx.inputs.iter().enumerate().filter(|(at, _)| covered(*at)) {
        input.prevout.write(out);
        write_bytes(out, if at == index { code } else { &[] });
        let sequence = if at == index || kind.outputs() == Outputs::All { input.sequence } else { 0 };
        out.extend(sequence.to_le_bytes());
    }
}

fn write_original_outputs(out: &mut Vec<u8>, tx: &Transaction, kind: SighashType, index: usize) {
    match kind.outputs() {
        Outputs::All => {
            write_compact_size(out, tx.outputs.len() as u64);
            tx.outputs.iter().for_each(|output| output.write(out));
        }
        Outputs::None => write_compact_size(out, 0),
        Outputs::Single => {
            write_compact_size(out, index as u64 + 1);
            for _ in 0..index {
                out.extend(u64::MAX.to_le_bytes());
                write_bytes(out, &[]);
            }
            if let Some(output) = tx.outputs.get(index) {
                output.write(out);
            }
        }
    }
}

/// The script without its `OP_CODESEPARATOR`s; what follows a truncated push stays as it is.
fn without_separators(code: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(code.len());
    let mut end = 0;
    for step in instructions(code).map_while(Result::ok) {
        if step.byte != Opcode::CodeSeparator.to_byte() {
            kept.extend_from_slice(code.get(step.at..step.end).unwrap_or_default());
        }
        end = step.end;
    }
    kept.extend_from_slice(code.get(end..).unwrap_or_default());
    kept
}
