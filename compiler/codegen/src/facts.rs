//! What the machine itself says of an opcode's result, whatever the transaction. The optimiser and those who judge its
//! work take it from here.

use spec::Opcode;

/// A transaction has at most so many bytes.
const TX_BYTES_MAX: i64 = 1_000_000;
/// An input takes at least an outpoint, an empty unlocking bytecode with its length, and a sequence number.
const INPUT_BYTES_MIN: i64 = 32 + 4 + 1 + 4;
/// An output takes at least an amount and an empty locking bytecode with its length.
const OUTPUT_BYTES_MIN: i64 = 8 + 1;
const INPUTS_MAX: i64 = TX_BYTES_MAX / INPUT_BYTES_MIN;
const OUTPUTS_MAX: i64 = TX_BYTES_MAX / OUTPUT_BYTES_MIN;

/// A row of things in a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    Inputs,
    Outputs,
}

impl Row {
    /// What says how many there are.
    pub(crate) fn count(self) -> Opcode {
        match self {
            Self::Inputs => Opcode::TxInputCount,
            Self::Outputs => Opcode::TxOutputCount,
        }
    }
}

/// What the opcode reads by an index.
pub(crate) fn row_of(opcode: Opcode) -> Option<Row> {
    match opcode {
        Opcode::UtxoValue
        | Opcode::UtxoBytecode
        | Opcode::OutpointTxHash
        | Opcode::OutpointIndex
        | Opcode::InputBytecode
        | Opcode::InputSequenceNumber
        | Opcode::UtxoTokenCategory
        | Opcode::UtxoTokenCommitment
        | Opcode::UtxoTokenAmount => Some(Row::Inputs),
        Opcode::OutputValue
        | Opcode::OutputBytecode
        | Opcode::OutputTokenCategory
        | Opcode::OutputTokenCommitment
        | Opcode::OutputTokenAmount => Some(Row::Outputs),
        _ => None,
    }
}

/// How many bytes the opcode leaves, if always so many.
pub(crate) fn fixed_len(opcode: Opcode) -> Option<u8> {
    match opcode {
        Opcode::Sha256 | Opcode::Hash256 | Opcode::OutpointTxHash => Some(32),
        Opcode::Hash160 | Opcode::Ripemd160 | Opcode::Sha1 => Some(20),
        _ => None,
    }
}

/// Where the number lies that the opcode leaves whatever it is given: at least, and at most if anything says so.
pub(crate) fn bounds(opcode: Opcode) -> Option<(i64, Option<i64>)> {
    match opcode {
        Opcode::TxInputCount => Some((1, Some(INPUTS_MAX))),
        Opcode::TxOutputCount => Some((0, Some(OUTPUTS_MAX))),
        Opcode::InputIndex => Some((0, Some(INPUTS_MAX - 1))),
        Opcode::UtxoValue
        | Opcode::OutputValue
        | Opcode::UtxoTokenAmount
        | Opcode::OutputTokenAmount
        | Opcode::OutpointIndex
        | Opcode::InputSequenceNumber
        | Opcode::TxLockTime
        | Opcode::Abs => Some((0, None)),
        _ => None,
    }
}
