//! A stack item in 16 bytes: a number in place, or a handle to bytes elsewhere.
//!
//! Every byte string has exactly one form. What is the minimal encoding of a number of up to
//! 8 bytes is [`Item::Int`]; everything else is [`Item::Bytes`]. So arithmetic finds its
//! operands ready, and two items of different forms are never equal.

use std::ops::Deref;

/// A stack item. Its layout is fixed for machine code: the variant's number in the first 4 bytes; then a number in the last
/// 8, or the three fields of a span in the last 12.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum Item {
    /// A number whose minimal encoding has up to 8 bytes: anything but `i64::MIN`.
    Int(i64),
    /// Bytes that are no such encoding.
    Bytes(Span),
}

/// Where bytes are.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Span {
    pub(crate) source: Source,
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// What a span points into, packed into 4 bytes: the kind in the low bits, an index above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Source(u32);

/// A [`Source`], unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The machine's own memory.
    Arena,
    /// The unlocking bytecode of an input.
    Unlock(usize),
    /// The locking bytecode of the output that an input spends.
    Spent(usize),
    /// The locking bytecode of an output.
    Output(usize),
    /// A function body or redeem script.
    Code(usize),
}

impl Source {
    pub(crate) const ARENA: Self = Self(0);

    const KIND_BITS: u32 = 3;

    /// Indices beyond 29 bits cannot occur, because a transaction of a megabyte has fewer inputs and outputs.
    pub(crate) fn pack(place: Place) -> Self {
        let (kind, index) = match place {
            Place::Arena => (0, 0),
            Place::Unlock(index) => (1, index),
            Place::Spent(index) => (2, index),
            Place::Output(index) => (3, index),
            Place::Code(index) => (4, index),
        };
        Self(kind | u32::try_from(index).unwrap_or(u32::MAX) << Self::KIND_BITS)
    }

    pub(crate) const fn unpack(self) -> Place {
        let index = (self.0 >> Self::KIND_BITS) as usize;
        match self.0 & ((1 << Self::KIND_BITS) - 1) {
            0 => Place::Arena,
            1 => Place::Unlock(index),
            2 => Place::Spent(index),
            3 => Place::Output(index),
            _ => Place::Code(index),
        }
    }
}

impl Item {
    /// Whether there are no bytes: the number zero.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        matches!(self, Self::Int(0))
    }

    pub(crate) const fn bool(truth: bool) -> Self {
        Self::Int(truth as i64)
    }

    /// The number of bytes.
    #[inline]
    #[must_use]
    pub const fn len(self) -> usize {
        match self {
            Self::Int(n) => spec::num::encoded_len(n),
            Self::Bytes(span) => span.len as usize,
        }
    }

    /// The item in two words, as they lie in memory: what is written and read as a whole need not wait for its parts.
    #[inline(always)]
    #[must_use]
    pub const fn words(self) -> [u64; 2] {
        match self {
            Self::Int(n) => [0, n.cast_unsigned()],
            Self::Bytes(Span { source, start, len }) => [word(1, source.0), word(start, len)],
        }
    }

    /// The bytes outside of the item itself, which the memory limit counts.
    #[inline]
    pub(crate) const fn weight(self) -> usize {
        match self {
            Self::Int(_) => 0,
            Self::Bytes(span) => span.len as usize,
        }
    }
}

/// Two halves of a word, the low one first in memory on the machines that have machine code.
const fn word(low: u32, high: u32) -> u64 {
    low as u64 | (high as u64) << 32
}

/// The bytes of an item, wherever they are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum View<'m> {
    /// An encoded number, and how many of the bytes it has.
    Short(Word, usize),
    /// Bytes elsewhere.
    Slice(&'m [u8]),
}

/// Bytes that are written and read as one word.
#[derive(Clone, Copy, Debug)]
#[repr(align(8))]
pub(crate) struct Word([u8; 8]);

impl View<'_> {
    /// The minimal encoding of `n`, which is not `i64::MIN`.
    pub(crate) const fn short(n: i64) -> Self {
        let len = spec::num::encoded_len(n);
        let sign = match len {
            0 => 0,
            len => ((n < 0) as u64) << (8 * len - 1),
        };
        Self::Short(Word((n.unsigned_abs() | sign).to_le_bytes()), len)
    }
}

impl Deref for View<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Short(Word(bytes), len) => bytes.get(..*len).unwrap_or(bytes),
            Self::Slice(bytes) => bytes,
        }
    }
}

/// The number in place of `bytes`, if they are its minimal encoding and at most 8.
#[inline]
pub(crate) fn short_int(bytes: &[u8]) -> Option<i64> {
    let raw = match *bytes {
        [] => return Some(0),
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        [a, b, c] => u64::from(u32::from_le_bytes([a, b, c, 0])),
        [a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d])),
        [a, b, c, d, e] => u64::from_le_bytes([a, b, c, d, e, 0, 0, 0]),
        [a, b, c, d, e, f] => u64::from_le_bytes([a, b, c, d, e, f, 0, 0]),
        [a, b, c, d, e, f, g] => u64::from_le_bytes([a, b, c, d, e, f, g, 0]),
        [a, b, c, d, e, f, g, h] => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => return None,
    };
    let sign_bit = 1 << (8 * bytes.len() - 1);
    let magnitude = (raw & !sign_bit).cast_signed();
    // The encoding is minimal exactly if the magnitude needs all the bytes.
    let n = if raw & sign_bit == 0 { magnitude } else { -magnitude };
    (spec::num::encoded_len(magnitude) == bytes.len()).then_some(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_agree_with_the_reference_codec() {
        let mut bytes = vec![];
        let mut seed = 7u64;
        for round in 0..20_000u64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(round);
            bytes.truncate((seed >> 60) as usize % 10);
            bytes.extend_from_slice(&seed.to_le_bytes()[..(seed >> 33) as usize % 9]);
            if seed & 3 == 0 {
                bytes.push([0, 0x80, 0xff, 0x7f][(seed >> 4) as usize % 4]);
            }
            assert_eq!(short_int(&bytes), spec::num::decode(&bytes), "{bytes:?}");
            if let Some(n) = short_int(&bytes) {
                assert_eq!(&*View::short(n), bytes.as_slice());
            }
        }
    }

    #[test]
    fn an_item_has_16_bytes_and_a_source_unpacks() {
        assert_eq!(size_of::<Item>(), 16);
        for place in [Place::Arena, Place::Unlock(3), Place::Spent(0), Place::Output(24_000), Place::Code(100_000)] {
            assert_eq!(Source::pack(place).unpack(), place);
        }
    }
}
