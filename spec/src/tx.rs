//! Transactions and their wire format, tokens included.

use crate::codec::{DecodeError, Reader, compact_size_len, write_bytes, write_compact_size};
use crate::hash::{Txid, sha256d};
use crate::token::{self, Token};
use crate::units::Sats;

/// One output of one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutPoint {
    /// The transaction.
    pub txid: Txid,
    /// Which of its outputs, from 0.
    pub index: u32,
}

impl OutPoint {
    /// What a coinbase input names instead of an output.
    pub const COINBASE: Self = Self { txid: Txid::from_wire([0; 32]), index: u32::MAX };

    /// Appends the 36 bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.txid.as_wire());
        out.extend(self.index.to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { txid: Txid::from_wire(reader.array()?), index: reader.u32()? })
    }
}

impl std::fmt::Display for OutPoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.txid, self.index)
    }
}

/// A claim on an output.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TxIn {
    /// The output that is spent.
    pub prevout: OutPoint,
    /// The unlocking bytecode.
    pub unlock: Vec<u8>,
    /// Relative lock and finality, BIP 68.
    pub sequence: u32,
}

impl TxIn {
    /// The number of bytes on the wire.
    fn len_bytes(&self) -> usize {
        INPUT_BYTES_MIN - 1 + compact_size_len(self.unlock.len() as u64) + self.unlock.len()
    }
}

/// Money, perhaps tokens, and the bytecode that locks them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TxOut {
    /// The amount.
    pub value: Sats,
    /// The tokens, if the output carries any.
    pub token: Option<Token>,
    /// The locking bytecode. Without a token it may start with the byte of a malformed token prefix.
    pub lock: Vec<u8>,
}

impl TxOut {
    /// An output without tokens.
    #[must_use]
    pub const fn plain(value: Sats, lock: Vec<u8>) -> Self {
        Self { value, token: None, lock }
    }

    /// Appends amount, length and the field of token prefix and bytecode.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.value.get().to_le_bytes());
        write_compact_size(out, self.field_len() as u64);
        if let Some(token) = &self.token {
            token.write(out);
        }
        out.extend_from_slice(&self.lock);
    }

    /// Reads one output.
    ///
    /// # Errors
    /// [`DecodeError`] where the bytes are no output. A malformed token prefix is no error: it stays in the bytecode.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let value = Sats::from_wire(reader.u64()?);
        let field = reader.bytes()?;
        let mut inner = Reader::new(field);
        Ok(match Token::read(&mut inner) {
            Some(token) => Self { value, token: Some(token), lock: inner.rest().to_vec() },
            None => Self { value, token: None, lock: field.to_vec() },
        })
    }

    /// The number of bytes on the wire.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.len_bytes_with(self.lock.len())
    }

    /// The number of bytes on the wire if the bytecode had `lock` bytes.
    #[must_use]
    pub fn len_bytes_with(&self, lock: usize) -> usize {
        let field = self.token.as_ref().map_or(0, Token::len_bytes) + lock;
        size_of::<u64>() + compact_size_len(field as u64) + field
    }

    /// Whether the bytecode opens with the token prefix byte though no token was read.
    #[must_use]
    pub fn has_malformed_token(&self) -> bool {
        self.token.is_none() && self.lock.first() == Some(&token::PREFIX)
    }

    /// The bytes of token prefix and bytecode.
    fn field_len(&self) -> usize {
        self.token.as_ref().map_or(0, Token::len_bytes) + self.lock.len()
    }
}

/// A transaction.
///
/// ```
/// use spec::Transaction;
/// let coinbase = Transaction { version: 2, inputs: vec![], outputs: vec![], locktime: 0 };
/// assert_eq!(Transaction::decode(&coinbase.encode()), Ok(coinbase));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transaction {
    /// The version, as its 4 bytes say; rules compare it signed or unsigned.
    pub version: u32,
    /// What is spent.
    pub inputs: Vec<TxIn>,
    /// What is made.
    pub outputs: Vec<TxOut>,
    /// The earliest height or time at which a block may hold it.
    pub locktime: u32,
}

/// The least bytes of an input: outpoint, empty script, sequence.
const INPUT_BYTES_MIN: usize = 41;
/// The least bytes of an output: amount, empty script.
const OUTPUT_BYTES_MIN: usize = 9;

impl Transaction {
    /// The wire format.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.len_bytes());
        self.write(&mut out);
        out
    }

    /// Appends the wire format.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend(self.version.to_le_bytes());
        write_compact_size(out, self.inputs.len() as u64);
        for input in &self.inputs {
            input.prevout.write(out);
            write_bytes(out, &input.unlock);
            out.extend(input.sequence.to_le_bytes());
        }
        write_compact_size(out, self.outputs.len() as u64);
        self.outputs.iter().for_each(|output| output.write(out));
        out.extend(self.locktime.to_le_bytes());
    }

    /// Reads a transaction that fills `bytes`.
    ///
    /// # Errors
    /// [`DecodeError`] where the bytes are no transaction or go on after it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let tx = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(tx)
    }

    /// Reads a transaction from the front of `reader`.
    ///
    /// # Errors
    /// [`DecodeError`] where the bytes are no transaction.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = reader.u32()?;
        let inputs = (0..reader.count(INPUT_BYTES_MIN)?).map(|_| read_input(reader)).collect::<Result<_, _>>()?;
        let outputs = (0..reader.count(OUTPUT_BYTES_MIN)?).map(|_| TxOut::read(reader)).collect::<Result<_, _>>()?;
        Ok(Self { version, inputs, outputs, locktime: reader.u32()? })
    }

    /// The identifier: double SHA-256 of the wire format.
    #[must_use]
    pub fn txid(&self) -> Txid {
        Txid::from_wire(sha256d(&self.encode()))
    }

    /// The number of bytes on the wire.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        let counts = [self.inputs.len(), self.outputs.len()].map(|count| compact_size_len(count as u64));
        let inputs = self.inputs.iter().map(TxIn::len_bytes).sum::<usize>();
        let outputs = self.outputs.iter().map(TxOut::len_bytes).sum::<usize>();
        // The version and the lock time.
        2 * size_of::<u32>() + counts.iter().sum::<usize>() + inputs + outputs
    }

    /// Whether this is the first transaction of a block: one input that spends nothing.
    #[must_use]
    pub fn is_coinbase(&self) -> bool {
        matches!(self.inputs.as_slice(), [only] if only.prevout == OutPoint::COINBASE)
    }
}

fn read_input(reader: &mut Reader<'_>) -> Result<TxIn, DecodeError> {
    Ok(TxIn { prevout: OutPoint::read(reader)?, unlock: reader.bytes()?.to_vec(), sequence: reader.u32()? })
}

/// Reads a count and that many outputs, the form in which spent outputs travel beside a transaction.
///
/// # Errors
/// [`DecodeError`] where the bytes are no such list or go on after it.
pub fn decode_outputs(bytes: &[u8]) -> Result<Vec<TxOut>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let outputs = (0..reader.count(OUTPUT_BYTES_MIN)?).map(|_| TxOut::read(&mut reader)).collect::<Result<_, _>>()?;
    reader.finish()?;
    Ok(outputs)
}
