//! The hash functions of the chain and the identifiers made of them.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use ripemd::Ripemd160;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha1::Sha1;
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

/// Bytes that one turn of SHA-256 takes.
const BLOCK: usize = 64;

/// SHA-256.
///
/// Most of what a chain hashes are digests, keys and pairs of digests. A hasher that takes its message in pieces spends half
/// as long again on such short ones as on the turns themselves, so here the message is padded at once.
#[must_use]
#[inline(always)]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut words = [0; 8];
    if let Ok(digest) = <&[u8; 32]>::try_from(data) {
        sha256_words(digest, &mut words);
    } else if let Ok(pair) = <&[u8; BLOCK]>::try_from(data) {
        sha256_words(pair, &mut words);
    } else {
        sha256_of_any(data, &mut words);
    }
    words.map(u32::to_be_bytes).as_flattened().try_into().unwrap_or_default()
}

/// HMAC-SHA-256 of RFC 2104 over the parts one after the other, with a key of any length.
///
/// ```
/// let digest = spec::hash::hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
/// assert_eq!(digest[..4], [0x5b, 0xdc, 0xc1, 0x46]);
/// ```
#[must_use]
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("every length is a length of HMAC keys");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[inline(never)]
fn sha256_of_any(data: &[u8], words: &mut [u32; 8]) {
    sha256_words(data, words);
}

/// The eight words of SHA-256, for who puts their bytes, highest first, where they stay. It is for lengths that are known when
/// it is compiled: then so is the padding.
#[inline(always)]
pub fn sha256_words(data: &[u8], words: &mut [u32; 8]) {
    // The first 32 bits of the fractional parts of the square roots of the first 8 primes (FIPS 180-4, section 5.3.3).
    *words = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
    let (blocks, rest) = data.as_chunks::<BLOCK>();
    if !blocks.is_empty() {
        compress256(words, blocks);
    }
    // What is left, a bit that is set, zeros, and the length in bits.
    let mut last = [[0; BLOCK]; 2];
    let (message, padding) = last.as_flattened_mut().split_at_mut(rest.len());
    message.copy_from_slice(rest);
    padding.iter_mut().take(1).for_each(|byte| *byte = 0x80);
    let count = if rest.len() < BLOCK - size_of::<u64>() { 1 } else { 2 };
    let bits = 8 * data.len() as u64;
    if let Some(end) = last.get_mut(count - 1).and_then(|block| block.last_chunk_mut()) {
        *end = bits.to_be_bytes();
    }
    compress256(words, last.get(..count).unwrap_or(&last));
}

/// SHA-256 of what comes in pieces, such as a file of any length.
///
/// ```
/// let mut hasher = spec::hash::Sha256Stream::default();
/// [b"ab".as_slice(), b"c"].into_iter().for_each(|piece| hasher.update(piece));
/// assert_eq!(hasher.finish(), spec::hash::sha256(b"abc"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sha256Stream(Sha256);

impl Sha256Stream {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash of all pieces.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

/// SHA-256 twice, the chain's main hash.
#[must_use]
#[inline(never)]
pub fn sha256d(data: &[u8]) -> [u8; 32] {
    sha256(&sha256(data))
}

/// SHA-256 twice over several parts as if they were one.
#[must_use]
pub fn sha256d_parts(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    sha256(&hasher.finalize())
}

/// RIPEMD-160.
#[must_use]
#[inline(never)]
pub fn ripemd160(data: &[u8]) -> [u8; 20] {
    Ripemd160::digest(data).into()
}

/// SHA-1.
#[must_use]
#[inline(never)]
pub fn sha1(data: &[u8]) -> [u8; 20] {
    Sha1::digest(data).into()
}

/// RIPEMD-160 of SHA-256, the hash in addresses.
#[must_use]
#[inline(never)]
pub fn hash160(data: &[u8]) -> [u8; 20] {
    ripemd160(&sha256(data))
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Holds the 32 bytes in wire order; text shows them reversed, as block explorers do.
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// From 32 bytes in wire order.
            #[must_use]
            pub const fn from_wire(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes in wire order.
            #[must_use]
            pub const fn as_wire(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().rev().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = IdentifierError;

            fn from_str(text: &str) -> Result<Self, IdentifierError> {
                let mut bytes = [0; 32];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| IdentifierError)?;
                bytes.reverse();
                Ok(Self(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

identifier! {
    /// A transaction's identifier: the double SHA-256 of its bytes.
    Txid
}
identifier! {
    /// A block's identifier: the double SHA-256 of its 80-byte header.
    BlockHash
}
identifier! {
    /// A token's category: the id of a transaction whose output 0 its genesis spent.
    Category
}

/// A text is not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an identifier has 64 hexadecimal digits")]
pub struct IdentifierError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_match_published_values() {
        let cases = [
            (sha256(b"abc").to_vec(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (ripemd160(b"abc").to_vec(), "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
            (sha1(b"abc").to_vec(), "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (sha256d_parts(&[b"a", b"bc"]).to_vec(), &hex::encode(sha256d(b"abc"))),
            // Test cases 2 and 6 of RFC 4231; the second key is longer than a block.
            (
                hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]).to_vec(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                hmac_sha256(&[0xaa; 131], &[b"Test Using Larger Than Block-Size Key - Hash Key First"]).to_vec(),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ];
        for (digest, expected) in cases {
            assert_eq!(hex::encode(digest), expected);
        }
    }

    #[test]
    fn messages_of_all_lengths_are_padded_as_the_library_does() {
        let message: Vec<u8> = (0..300u32).map(|at| (at * 7) as u8).collect();
        for len in 0..message.len() {
            let message = &message[..len];
            assert_eq!(sha256(message), <[u8; 32]>::from(Sha256::digest(message)), "{len} bytes");
        }
    }

    #[test]
    fn identifiers_read_back_what_they_print() {
        let id = Txid::from_wire(sha256(b"x"));
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!("00".parse::<Txid>(), Err(IdentifierError));
    }
}
