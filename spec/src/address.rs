//! CashAddr addresses: locks as text with a checksum.
//!
//! Source: the CashAddr specification of Bitcoin Cash, with the 32-byte script hash and the
//! token-aware types of CHIP-2022-05 and CHIP-2022-02. The older form in base 58, which clients made for Bitcoin write, is read too.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base58;
use crate::script::{LockKind, p2pkh, p2sh20, p2sh32};

/// The names of the development network's first accounts, in the order of their keys. Tests of the language know them too.
pub const DEVNET_NAMES: [&str; 10] =
    ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy"];

/// Which chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// A chain of one's own, with trivial proof of work.
    #[default]
    Devnet,
    /// The public test chain.
    Test,
    /// The public chain.
    Main,
}

impl Network {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Devnet, Self::Test, Self::Main];

    /// The name in options and on disk.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Devnet => "devnet",
            Self::Test => "test",
            Self::Main => "main",
        }
    }

    /// The prefix addresses are printed with: that of the Bitcoin Cash network of the same role, so that its tools read them.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Devnet => "bchreg",
            Self::Test => "bchtest",
            Self::Main => "bitcoincash",
        }
    }

    /// Our own prefix, which is read as well.
    #[must_use]
    pub const fn own_prefix(self) -> &'static str {
        match self {
            Self::Devnet => "bmdev",
            Self::Test => "bmtest",
            Self::Main => "bitmodel",
        }
    }

    /// What addresses of the older form open with: those of keys, and those of scripts.
    const fn legacy_versions(self) -> (u8, u8) {
        match self {
            Self::Devnet | Self::Test => (111, 196),
            Self::Main => (0, 5),
        }
    }
}

/// What an address pays to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Payee {
    /// The hash of a public key.
    KeyHash([u8; 20]),
    /// The 20-byte hash of a redeem script.
    ScriptHash20([u8; 20]),
    /// The 32-byte hash of a redeem script.
    ScriptHash32([u8; 32]),
}

/// A lock that can be written as text.
///
/// ```
/// use spec::{Address, Network, address::Payee};
/// let address = Address::new(Network::Main, Payee::KeyHash([0xf5; 20]));
/// assert_eq!(Address::parse(&address.to_string(), Network::Main), Ok(address));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    network: Network,
    payee: Payee,
    accepts_tokens: bool,
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is for another network or has an unknown prefix.
    #[error("the address belongs to another network")]
    Prefix,
    /// It mixes upper and lower case or has characters that addresses do not use.
    #[error("the address has a character that addresses do not use, or mixes cases")]
    Character,
    /// Its checksum does not match: a character is wrong or missing.
    #[error("the address's checksum does not match; a character is wrong or missing")]
    Checksum,
    /// Its type or length is not known.
    #[error("the address is of a type or length that is not known")]
    Kind,
}

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CHECKSUM_LEN: usize = 8;

impl Address {
    /// The address of `payee` on `network`.
    #[must_use]
    pub const fn new(network: Network, payee: Payee) -> Self {
        Self { network, payee, accepts_tokens: false }
    }

    /// The address of `lock`, if locks of its shape have one.
    #[must_use]
    pub fn of_lock(network: Network, lock: &[u8]) -> Option<Self> {
        let payee = match LockKind::of(lock) {
            LockKind::P2pkh(hash) => Payee::KeyHash(hash),
            LockKind::P2sh20(hash) => Payee::ScriptHash20(hash),
            LockKind::P2sh32(hash) => Payee::ScriptHash32(hash),
            LockKind::P2pk(_) | LockKind::Multisig { .. } | LockKind::Data | LockKind::Other => return None,
        };
        Some(Self::new(network, payee))
    }

    /// The same address in the form that says its owner accepts tokens.
    #[must_use]
    pub const fn with_tokens(self) -> Self {
        Self { accepts_tokens: true, ..self }
    }

    /// What it pays to.
    #[must_use]
    pub const fn payee(&self) -> Payee {
        self.payee
    }

    /// The locking bytecode.
    #[must_use]
    pub fn lock(&self) -> Vec<u8> {
        match &self.payee {
            Payee::KeyHash(hash) => p2pkh(hash),
            Payee::ScriptHash20(hash) => p2sh20(hash),
            Payee::ScriptHash32(hash) => p2sh32(hash),
        }
    }

    /// Reads an address of `network`, with or without its prefix, or in the older form.
    ///
    /// # Errors
    /// [`AddressError`] says what is wrong.
    pub fn parse(text: &str, network: Network) -> Result<Self, AddressError> {
        match base58::decode_checked(text) {
            Some(payload) => Self::from_legacy(network, &payload),
            None => Self::parse_cash(text, network),
        }
    }

    /// A version byte and a hash of 20 bytes.
    fn from_legacy(network: Network, payload: &[u8]) -> Result<Self, AddressError> {
        let (version, hash) = payload.split_first().ok_or(AddressError::Kind)?;
        let hash: [u8; 20] = hash.try_into().map_err(|_| AddressError::Kind)?;
        let (key, script) = network.legacy_versions();
        let payee = match *version {
            version if version == key => Payee::KeyHash(hash),
            version if version == script => Payee::ScriptHash20(hash),
            _ => return Err(AddressError::Prefix),
        };
        Ok(Self::new(network, payee))
    }

    fn parse_cash(text: &str, network: Network) -> Result<Self, AddressError> {
        let (prefix, body) = text.split_once(':').unwrap_or_else(|| (network.prefix(), text));
        let prefix = prefix.to_ascii_lowercase();
        if prefix != network.prefix() && prefix != network.own_prefix() {
            return Err(AddressError::Prefix);
        }
        let values = body_values(body)?;
        if checksum(&prefix, &values) != 0 {
            return Err(AddressError::Checksum);
        }
        let payload = values.len().checked_sub(CHECKSUM_LEN).and_then(|len| values.get(..len));
        let bytes = to_bytes(payload.ok_or(AddressError::Checksum)?).ok_or(AddressError::Kind)?;
        Self::from_payload(network, &bytes).ok_or(AddressError::Kind)
    }

    fn from_payload(network: Network, payload: &[u8]) -> Option<Self> {
        let (version, hash) = payload.split_first()?;
        let payee = match (version & !0x10, hash.len()) {
            (0x00, 20) => Payee::KeyHash(hash.try_into().ok()?),
            (0x08, 20) => Payee::ScriptHash20(hash.try_into().ok()?),
            (0x0b, 32) => Payee::ScriptHash32(hash.try_into().ok()?),
            _ => return None,
        };
        Some(Self { network, payee, accepts_tokens: version & 0x10 != 0 })
    }

    fn payload(&self) -> Vec<u8> {
        let (version, hash): (u8, &[u8]) = match &self.payee {
            Payee::KeyHash(hash) => (0x00, hash),
            Payee::ScriptHash20(hash) => (0x08, hash),
            Payee::ScriptHash32(hash) => (0x0b, hash),
        };
        let tokens = if self.accepts_tokens { 0x10 } else { 0 };
        [&[version | tokens], hash].concat()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = self.network.prefix();
        let mut values = to_fives(&self.payload());
        let sum = checksum(prefix, &[values.as_slice(), &[0; CHECKSUM_LEN]].concat());
        values.extend((0..CHECKSUM_LEN).rev().map(|place| (sum >> (5 * place)) as u8 & 31));
        let text: String =
            values.iter().filter_map(|five| ALPHABET.get(usize::from(*five))).map(|byte| char::from(*byte)).collect();
        write!(f, "{prefix}:{text}")
    }
}

fn body_values(body: &str) -> Result<Vec<u8>, AddressError> {
    let mixed = body.bytes().any(|b| b.is_ascii_lowercase()) && body.bytes().any(|b| b.is_ascii_uppercase());
    if mixed || body.len() > 120 {
        return Err(AddressError::Character);
    }
    let value = |byte: u8| ALPHABET.iter().position(|letter| *letter == byte.to_ascii_lowercase());
    body.bytes().map(|byte| value(byte).and_then(|at| u8::try_from(at).ok()).ok_or(AddressError::Character)).collect()
}

/// The remainder of the BCH code over GF(32) that CashAddr uses; zero for a valid address.
fn checksum(prefix: &str, values: &[u8]) -> u64 {
    const GENERATOR: [u64; 5] = [0x98_f2bc_8e61, 0x79_b76d_99e2, 0xf3_3e5f_b3c4, 0xae_2eab_e2a8, 0x1e_4f43_e470];
    let letters = prefix.bytes().map(|byte| byte & 31).chain([0]);
    let sum = letters.chain(values.iter().copied()).fold(1u64, |sum, value| {
        let top = sum >> 35;
        let shifted = ((sum & 0x07_ffff_ffff) << 5) ^ u64::from(value);
        GENERATOR.iter().enumerate().filter(|(bit, _)| top >> bit & 1 == 1).fold(shifted, |sum, (_, term)| sum ^ term)
    });
    sum ^ 1
}

/// Bytes as groups of 5 bits, zeros at the end.
fn to_fives(bytes: &[u8]) -> Vec<u8> {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    (0..bytes.len() * 8).step_by(5).map(|start| (start..start + 5).fold(0, |five, at| five << 1 | bit(at))).collect()
}

/// Groups of 5 bits as bytes; `None` if the bits left over are not zeros or a whole group.
fn to_bytes(fives: &[u8]) -> Option<Vec<u8>> {
    let bit = |at: usize| fives.get(at / 5).map_or(0, |five| five >> (4 - at % 5) & 1);
    let total = fives.len() * 5;
    let whole = total / 8 * 8;
    let clean = total - whole < 5 && (whole..total).all(|at| bit(at) == 0);
    let byte = |start: usize| (start..start + 8).fold(0, |byte, at| byte << 1 | bit(at));
    clean.then(|| (0..whole).step_by(8).map(byte).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the CashAddr specification: the same payload on the main network.
    #[test]
    fn published_addresses_read_and_print() {
        let hash: [u8; 20] = hex::decode("f5bf48b397dae70be82b3cca4793f8eb2b6cdac9").unwrap().try_into().unwrap();
        let (payee, text) = (Payee::KeyHash(hash), "bitcoincash:qr6m7j9njldwwzlg9v7v53unlr4jkmx6eylep8ekg2");
        assert_eq!(Address::new(Network::Main, payee).to_string(), text);
        assert_eq!(Address::parse(text, Network::Main).map(|address| address.payee()), Ok(payee));
    }

    /// From the CashAddr specification's table of old and new forms.
    #[test]
    fn addresses_of_the_older_form_mean_the_same() {
        for (old, new) in [
            ("1BpEi6DfDAUFd7GtittLSdBeYJvcoaVggu", "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a"),
            ("3CWFddi6m4ndiGyKqzYvsFYagqDLPVMTzC", "bitcoincash:ppm2qsznhks23z7629mms6s4cwef74vcwvn0h829pq"),
        ] {
            assert_eq!(Address::parse(old, Network::Main), Address::parse(new, Network::Main));
            assert_eq!(Address::parse(old, Network::Devnet), Err(AddressError::Prefix));
        }
        let of = |payload: &[u8]| Address::parse(&base58::encode_checked(payload), Network::Devnet);
        assert_eq!(of(&[111; 21]), Ok(Address::new(Network::Devnet, Payee::KeyHash([111; 20]))));
        assert_eq!(of(&[111; 20]), Err(AddressError::Kind));
        assert_eq!(of(&[]), Err(AddressError::Kind));
    }

    #[test]
    fn every_payee_survives_text_with_and_without_tokens() {
        for network in Network::ALL {
            for payee in [Payee::KeyHash([1; 20]), Payee::ScriptHash20([2; 20]), Payee::ScriptHash32([3; 32])] {
                let plain = Address::new(network, payee);
                for address in [plain, plain.with_tokens()] {
                    assert_eq!(Address::parse(&address.to_string(), network), Ok(address));
                    assert_eq!(Address::of_lock(network, &address.lock()), Some(plain));
                }
            }
        }
    }

    #[test]
    fn a_wrong_character_a_wrong_network_and_garbage_are_told_apart() {
        let text = Address::new(Network::Devnet, Payee::KeyHash([9; 20])).to_string();
        let wrong = text.replace("qq", "qp");
        assert_eq!(Address::parse(&wrong, Network::Devnet), Err(AddressError::Checksum));
        assert_eq!(Address::parse(&text, Network::Main), Err(AddressError::Prefix));
        assert_eq!(Address::parse("bchreg:b", Network::Devnet), Err(AddressError::Character));
        assert_eq!(Address::parse("", Network::Devnet), Err(AddressError::Checksum));
    }
}
