//! What nodes pass on, beyond what blocks may hold.
//!
//! Source: the relay rules of Bitcoin Cash as of May 2026 (pay-to-script: any lock up to 201 bytes).

use spec::artifact::P2S_BYTES_MAX;
use spec::rules::Limits;
use spec::script::{LockKind, dust_limit, is_push_only};
use spec::{Mode, RuleSet, Rules, Sats, Transaction, TxOut};

use crate::error::TxError;

/// The limits of relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The most bytes of a transaction.
    pub tx_bytes_max: usize,
    /// The most bytes of an unlocking script.
    pub unlock_bytes_max: usize,
    /// The most bytes of a lock that is no data output.
    pub lock_bytes_max: usize,
    /// The most bytes of all data outputs' locks together.
    pub data_bytes_max: usize,
    /// The least fee for 1,000 bytes.
    pub fee_sats_per_kb: u64,
    /// The most bytes of all waiting transactions together.
    pub mempool_bytes_max: usize,
    /// How long a transaction may wait, in seconds.
    pub expiry_secs: u32,
}

impl Policy {
    /// The limits of Bitcoin Cash; unlocking scripts may be as long as `set` can run.
    #[must_use]
    pub const fn of(set: RuleSet) -> Self {
        let Limits { script_bytes, .. } = Rules::new(set, Mode::Relay).limits;
        Self {
            tx_bytes_max: 100_000,
            unlock_bytes_max: script_bytes,
            lock_bytes_max: P2S_BYTES_MAX,
            data_bytes_max: 223,
            fee_sats_per_kb: 1_000,
            mempool_bytes_max: 300_000_000,
            expiry_secs: 336 * 60 * 60,
        }
    }

    /// The least fee of a transaction of `len` bytes.
    #[must_use]
    pub const fn fee_min(&self, len: usize) -> Sats {
        let fee = (len as u64).saturating_mul(self.fee_sats_per_kb) / 1_000;
        Sats::from_wire(if fee == 0 && self.fee_sats_per_kb > 0 { 1 } else { fee })
    }

    /// Whether `fee` pays for `len` bytes.
    ///
    /// # Errors
    /// [`TxError::FeeTooLow`].
    pub fn check_fee(&self, fee: Sats, len: usize) -> Result<(), TxError> {
        if fee < self.fee_min(len) { Err(TxError::FeeTooLow) } else { Ok(()) }
    }

    /// Whether nodes pass on an output with this lock: a short one, or data, whose length is limited for all outputs together.
    fn is_standard_output(&self, lock: &[u8]) -> bool {
        lock.len() <= self.lock_bytes_max || matches!(LockKind::of(lock), LockKind::Data)
    }

    /// Whether nodes pass on a spend of this lock: a short one, or multisig of any number of keys, which was relayed before.
    fn is_standard_input(&self, lock: &[u8]) -> bool {
        lock.len() <= self.lock_bytes_max
            || matches!(LockKind::of(lock), LockKind::Multisig { keys, .. } if keys.iter().all(|key| is_key(key)))
    }
}

fn is_key(key: &[u8]) -> bool {
    matches!((key.first(), key.len()), (Some(2 | 3), 33) | (Some(4 | 6 | 7), 65))
}

/// Whether nodes pass the transaction on, by itself.
///
/// # Errors
/// The first limit that is exceeded.
pub fn check_standard(policy: &Policy, tx: &Transaction) -> Result<(), TxError> {
    if !matches!(tx.version, 1 | 2) {
        return Err(TxError::NonstandardVersion);
    }
    if tx.len_bytes() > policy.tx_bytes_max {
        return Err(TxError::NonstandardSize);
    }
    if tx.inputs.iter().any(|input| input.unlock.len() > policy.unlock_bytes_max) {
        return Err(TxError::UnlockSize);
    }
    if tx.inputs.iter().any(|input| !is_push_only(&input.unlock)) {
        return Err(TxError::UnlockNotPushOnly);
    }
    check_standard_outputs(policy, &tx.outputs)
}

fn check_standard_outputs(policy: &Policy, outputs: &[TxOut]) -> Result<(), TxError> {
    if !outputs.iter().all(|output| policy.is_standard_output(&output.lock)) {
        return Err(TxError::NonstandardOutput);
    }
    if outputs.iter().any(is_dust) {
        return Err(TxError::Dust);
    }
    let data = outputs.iter().filter(|output| is_data(output)).map(|output| output.lock.len()).sum::<usize>();
    if data > policy.data_bytes_max { Err(TxError::DataCarrierSize) } else { Ok(()) }
}

fn is_data(output: &TxOut) -> bool {
    matches!(LockKind::of(&output.lock), LockKind::Data)
}

fn is_dust(output: &TxOut) -> bool {
    output.value < dust_limit(output)
}

/// Whether nodes pass on a transaction that spends these outputs.
///
/// # Errors
/// [`TxError::NonstandardInputs`].
pub fn check_standard_inputs(policy: &Policy, spent: &[TxOut]) -> Result<(), TxError> {
    let standard = spent.iter().all(|output| policy.is_standard_input(&output.lock));
    if standard { Ok(()) } else { Err(TxError::NonstandardInputs) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::{OutPoint, TxIn, Txid};

    fn payment() -> Transaction {
        let prevout = OutPoint { txid: Txid::from_wire([1; 32]), index: 0 };
        Transaction {
            version: 2,
            inputs: vec![TxIn { prevout, unlock: vec![0x51], sequence: u32::MAX }],
            outputs: vec![TxOut::plain(Sats::from_wire(10_000), vec![0x51; 23])],
            locktime: 0,
        }
    }

    fn data(len: usize) -> TxOut {
        let mut lock = vec![0x6a];
        lock.resize(len, 0x51);
        TxOut::plain(Sats::ZERO, lock)
    }

    #[test]
    fn each_limit_of_relay_has_its_reason() {
        type Change = fn(&mut Transaction);
        let rows: [(Change, &str); 16] = [
            (|_| (), "ok"),
            (|tx| tx.version = 3, "version"),
            (|tx| tx.outputs = vec![tx.outputs[0].clone(); 4_000], "tx-size"),
            (|tx| tx.inputs[0].unlock = vec![0x51; 10_000], "ok"),
            (|tx| tx.inputs[0].unlock = vec![0x51; 10_001], "scriptsig-size"),
            (|tx| tx.inputs[0].unlock = vec![0x61], "scriptsig-not-pushonly"),
            (|tx| tx.inputs[0].unlock = vec![0x02, 0x00], "scriptsig-not-pushonly"),
            (|tx| tx.outputs[0].lock = vec![0x61; 201], "ok"),
            (|tx| tx.outputs[0].lock = vec![0x61; 202], "scriptpubkey"),
            (|tx| tx.outputs[0].lock = vec![], "ok"),
            (|tx| tx.outputs[0].value = Sats::from_wire(3 * (9 + 23 + 148) - 1), "dust"),
            (|tx| tx.outputs[0].value = Sats::from_wire(3 * (9 + 23 + 148)), "ok"),
            (|tx| tx.outputs.push(data(223)), "ok"),
            (|tx| tx.outputs.push(data(224)), "oversize-op-return"),
            (|tx| tx.outputs.extend([data(112), data(112)]), "oversize-op-return"),
            (|tx| tx.outputs.push(TxOut::plain(Sats::ZERO, vec![0x6a, 0x61])), "ok"),
        ];
        for (row, (change, verdict)) in rows.into_iter().enumerate() {
            let mut tx = payment();
            change(&mut tx);
            let found = check_standard(&Policy::of(RuleSet::Bch2026), &tx);
            assert_eq!(found.map_or_else(|error| error.reason(), |()| "ok"), verdict, "row {row}");
        }
    }

    #[test]
    fn the_fee_is_one_unit_a_byte() {
        let policy = Policy::of(RuleSet::Bitmodel);
        assert_eq!(policy.check_fee(Sats::from_wire(250), 250), Ok(()));
        assert_eq!(policy.check_fee(Sats::from_wire(249), 250), Err(TxError::FeeTooLow));
    }
}
