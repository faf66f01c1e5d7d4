//! Hashes.

use spec::hash;

use crate::error::ScriptError;
use crate::item::View;
use crate::machine::{Machine, Outcome};

impl Machine<'_> {
    pub(crate) fn ripemd160(&mut self) -> Outcome {
        self.hash(0, hash::ripemd160)
    }

    pub(crate) fn sha1(&mut self) -> Outcome {
        self.hash(0, hash::sha1)
    }

    pub(crate) fn sha256(&mut self) -> Outcome {
        self.hash(0, hash::sha256)
    }

    pub(crate) fn hash160(&mut self) -> Outcome {
        self.hash(1, hash::hash160)
    }

    pub(crate) fn hash256(&mut self) -> Outcome {
        self.hash(1, hash::sha256d)
    }

    /// Replaces the top item by its digest; the second round of a double hash is one more iteration.
    /// The budget is checked first, so that a script beyond it costs no time.
    fn hash<const N: usize>(&mut self, second_round: u64, digest: impl Fn(&[u8]) -> [u8; N]) -> Outcome {
        let item = self.pop()?;
        self.charge_hash(item.len(), second_round)?;
        let digest = match self.view(item) {
            View::Slice(bytes) => digest(bytes),
            short @ View::Short(..) => digest(&short),
        };
        self.push_copy(&digest)
    }

    /// Charges for the digest that a transaction signature signs: two rounds, every time.
    pub(crate) fn charge_digest(&mut self, preimage_len: usize) -> Result<(), ScriptError> {
        self.charge_hash(preimage_len, 1)
    }
}
