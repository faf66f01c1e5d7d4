//! Signatures of `m` of `n` keys, in the two modes that the check item chooses.

use crate::checksig::{check_ecdsa_encoding, check_key, is_schnorr, split_type};
use crate::error::ScriptError;
use crate::item::Item;
use crate::machine::{Machine, Outcome};

/// The operands of a multisig check, in the order of the script.
struct Operands {
    check: Item,
    signatures: Vec<Item>,
    keys: Vec<Item>,
}

impl Machine<'_> {
    pub(crate) fn check_multisig(&mut self) -> Outcome {
        let valid = self.pop_and_check_multisig()?;
        self.push_bool(valid)
    }

    pub(crate) fn check_multisig_verify(&mut self) -> Outcome {
        let valid = self.pop_and_check_multisig()?;
        self.verify_bool(valid, ScriptError::CheckMultiSigVerify)
    }

    fn pop_and_check_multisig(&mut self) -> Result<bool, ScriptError> {
        let operands = self.pop_operands()?;
        if operands.check.is_empty() { self.check_in_order(&operands) } else { self.check_by_bits(&operands) }
    }

    fn pop_operands(&mut self) -> Result<Operands, ScriptError> {
        let most = self.rules.limits.multisig_keys;
        let keys = self.pop_list(most, ScriptError::KeyCount)?;
        let signatures = self.pop_list(keys.len(), ScriptError::SignatureCount)?;
        Ok(Operands { check: self.pop()?, signatures, keys })
    }

    /// Takes a count of up to `most` and that many items below it.
    fn pop_list(&mut self, most: usize, out_of_range: ScriptError) -> Result<Vec<Item>, ScriptError> {
        let count = self.pop()?;
        let count = usize::try_from(self.small_int(count)?).ok().filter(|count| *count <= most).ok_or(out_of_range)?;
        let start = self.stack.len().checked_sub(count).ok_or(ScriptError::StackUnderflow)?;
        let items = self.stack.split_off(start);
        items.iter().for_each(|item| self.forget(*item));
        Ok(items)
    }

    /// ECDSA: signatures and keys are tried from the last one on, each signature against the keys that are left.
    fn check_in_order(&mut self, operands: &Operands) -> Result<bool, ScriptError> {
        let mut keys = operands.keys.iter().rev();
        let mut signatures = operands.signatures.iter().rev();
        while let Some(signature) = signatures.clone().next()
            && signatures.len() <= keys.len()
            && let Some(key) = keys.next()
        {
            if self.check_ecdsa_pair(*signature, *key)? {
                signatures.next();
            }
        }
        let all = signatures.len() == 0;
        if operands.signatures.iter().all(|signature| signature.is_empty()) {
            return Ok(all);
        }
        if !all {
            return Err(ScriptError::NullFail);
        }
        self.charge_signatures(operands.keys.len() as u32);
        Ok(true)
    }

    fn check_ecdsa_pair(&mut self, signature: Item, key: Item) -> Result<bool, ScriptError> {
        let (signature, key) = (self.view(signature), self.view(key));
        let parts = split_type(&signature)?;
        if let Some((signature, _)) = parts {
            if is_schnorr(signature) {
                return Err(ScriptError::SchnorrInEcdsaMultisig);
            }
            check_ecdsa_encoding(signature)?;
        }
        check_key(&key)?;
        let Some((signature, kind)) = parts else { return Ok(false) };
        let (valid, preimage_len) = self.signs_transaction(signature, kind, &key);
        self.charge_digest(preimage_len)?;
        Ok(valid)
    }

    /// Schnorr: the bits of the check item name the key of each signature.
    fn check_by_bits(&mut self, operands: &Operands) -> Result<bool, ScriptError> {
        let bits = self.check_bits(operands)?;
        let named = operands.keys.iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, key)| key);
        for (signature, key) in operands.signatures.iter().zip(named) {
            self.check_schnorr_pair(*signature, *key)?;
        }
        self.charge_signatures(operands.signatures.len() as u32);
        Ok(true)
    }

    fn check_bits(&self, operands: &Operands) -> Result<u32, ScriptError> {
        let field = self.view(operands.check);
        let keys = operands.keys.len();
        if field.len() != keys.div_ceil(8) || field.len() > 4 {
            return Err(ScriptError::BitfieldSize);
        }
        let bits = field.iter().rev().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        if u64::from(bits) >> keys != 0 {
            return Err(ScriptError::BitfieldRange);
        }
        if bits.count_ones() as usize != operands.signatures.len() {
            return Err(ScriptError::BitfieldCount);
        }
        Ok(bits)
    }

    fn check_schnorr_pair(&mut self, signature: Item, key: Item) -> Outcome {
        let (signature, key) = (self.view(signature), self.view(key));
        let (signature, kind) = split_type(&signature)?.ok_or(ScriptError::NullFail)?;
        if !is_schnorr(signature) {
            return Err(ScriptError::EcdsaInSchnorrMultisig);
        }
        check_key(&key)?;
        let (valid, preimage_len) = self.signs_transaction(signature, kind, &key);
        self.charge_digest(preimage_len)?;
        if valid { Ok(()) } else { Err(ScriptError::NullFail) }
    }
}
