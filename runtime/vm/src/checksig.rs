//! Single signatures, of the transaction and of data, and the encodings that all signatures and keys must have.

use spec::SighashType;

use crate::batch::SchnorrCheck;
use crate::error::ScriptError;
use crate::machine::{Machine, Outcome};
use crate::{ecdsa, schnorr};

/// The length of a Schnorr signature; an ECDSA signature of this length does not exist under the rules.
const SCHNORR_BYTES: usize = 64;

impl Machine<'_> {
    pub(crate) fn check_sig(&mut self) -> Outcome {
        let valid = self.pop_and_check_sig()?;
        self.push_bool(valid)
    }

    pub(crate) fn check_sig_verify(&mut self) -> Outcome {
        let valid = self.pop_and_check_sig()?;
        self.verify_bool(valid, ScriptError::CheckSigVerify)
    }

    pub(crate) fn check_data_sig(&mut self) -> Outcome {
        let valid = self.pop_and_check_data_sig()?;
        self.push_bool(valid)
    }

    pub(crate) fn check_data_sig_verify(&mut self) -> Outcome {
        let valid = self.pop_and_check_data_sig()?;
        self.verify_bool(valid, ScriptError::CheckDataSigVerify)
    }

    fn pop_and_check_sig(&mut self) -> Result<bool, ScriptError> {
        let (signature, key) = self.pop_two()?;
        let (signature, key) = (self.view(signature), self.view(key));
        let parts = split_type(&signature)?;
        if let Some((signature, _)) = parts {
            check_encoding(signature)?;
        }
        check_key(&key)?;
        let Some((signature, kind)) = parts else { return Ok(false) };
        let (valid, preimage_len) = self.signs_transaction(signature, kind, &key);
        self.charge_digest(preimage_len)?;
        self.charge_signatures(1);
        if valid { Ok(true) } else { Err(ScriptError::NullFail) }
    }

    fn pop_and_check_data_sig(&mut self) -> Result<bool, ScriptError> {
        self.need(3)?;
        let key = self.pop()?;
        let (signature, message) = self.pop_two()?;
        let (signature, key) = (self.view(signature), self.view(key));
        if !signature.is_empty() {
            check_encoding(&signature)?;
        }
        check_key(&key)?;
        if signature.is_empty() {
            return Ok(false);
        }
        let valid = self.is_valid(&signature, &spec::hash::sha256(&self.view(message)), &key);
        self.charge_hash(message.len(), 0)?;
        self.charge_signatures(1);
        if valid { Ok(true) } else { Err(ScriptError::NullFail) }
    }

    /// Whether the key signed this transaction, and the length of what was hashed.
    pub(crate) fn signs_transaction(&self, signature: &[u8], kind: SighashType, key: &[u8]) -> (bool, usize) {
        match self.context.digest(kind, self.input, self.active_code()) {
            Some(signed) => (self.is_valid(signature, &signed.digest, key), signed.preimage_len),
            None => (false, 0),
        }
    }

    /// Whether the signature, Schnorr or ECDSA by its length, is the key's over the digest. Where Schnorr signatures are
    /// deferred it is taken for good; so whoever asks must let the script fail if one that is not empty is not valid.
    fn is_valid(&self, signature: &[u8], digest: &[u8; 32], key: &[u8]) -> bool {
        let Ok(signature) = <&[u8; SCHNORR_BYTES]>::try_from(signature) else {
            return ecdsa::verify(signature, digest, key);
        };
        let check = || SchnorrCheck::new(signature, digest, key);
        match self.deferred.and_then(|deferred| Some((deferred, check()?))) {
            Some((deferred, check)) => {
                deferred.note(check);
                true
            }
            None => schnorr::verify(signature, digest, key),
        }
    }
}

/// A transaction signature's own bytes and its type; `None` if it is empty.
pub(crate) fn split_type(signature: &[u8]) -> Result<Option<(&[u8], SighashType)>, ScriptError> {
    let Some((kind, signature)) = signature.split_last() else { return Ok(None) };
    let kind = SighashType::from_u32(u32::from(*kind));
    if !kind.is_defined() || (kind.utxos() && kind.anyone_can_pay()) {
        return Err(ScriptError::SignatureType);
    }
    if !kind.fork_id() {
        return Err(ScriptError::SignatureForkId);
    }
    Ok(Some((signature, kind)))
}

/// Fails unless the bytes could be a signature of one of the two kinds.
fn check_encoding(signature: &[u8]) -> Outcome {
    if is_schnorr(signature) { Ok(()) } else { check_ecdsa_encoding(signature) }
}

pub(crate) const fn is_schnorr(signature: &[u8]) -> bool {
    signature.len() == SCHNORR_BYTES
}

/// Fails unless the bytes are a strict DER signature in its lower form.
pub(crate) fn check_ecdsa_encoding(signature: &[u8]) -> Outcome {
    let parsed = ecdsa::parse_der(signature).ok_or(ScriptError::SignatureEncoding)?;
    if parsed.is_low_s() { Ok(()) } else { Err(ScriptError::SignatureHighS) }
}

/// Fails unless the bytes have the form of a compressed or uncompressed key; the hybrid form is refused.
pub(crate) const fn check_key(key: &[u8]) -> Outcome {
    match (key.len(), key) {
        (33, [2 | 3, ..]) | (65, [4, ..]) => Ok(()),
        _ => Err(ScriptError::KeyEncoding),
    }
}
