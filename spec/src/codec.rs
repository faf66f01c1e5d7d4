//! The wire format's primitives: little-endian integers, compact sizes, byte strings.

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end before the value does.
    #[error("the data ends before the value is complete")]
    Truncated,
    /// Bytes are left over after the value.
    #[error("bytes are left over after the value")]
    Trailing,
    /// A compact size uses more bytes than it needs.
    #[error("a compact size is not in its shortest form")]
    NonCanonicalSize,
    /// A count or length is larger than anything valid.
    #[error("a count or length is out of range")]
    Oversized,
}

/// Reads values from the front of a byte slice.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes not read yet.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Succeeds only at the end of the bytes.
    ///
    /// # Errors
    /// [`DecodeError::Trailing`] if bytes are left.
    pub const fn finish(&self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Trailing) }
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if there are fewer.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self.rest.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.rest = tail;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if there are fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, tail) = self.rest.split_first_chunk().ok_or(DecodeError::Truncated)?;
        self.rest = tail;
        Ok(*head)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] at the end.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array().map(u8::from_le_bytes)
    }

    /// Two bytes, little-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if there are fewer.
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes, little-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if there are fewer.
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes, little-endian.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] if there are fewer.
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A compact size in its shortest form.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] or [`DecodeError::NonCanonicalSize`].
    pub fn compact_size(&mut self) -> Result<u64, DecodeError> {
        let (value, least) = match self.u8()? {
            0xfd => (u64::from(self.u16()?), 0xfd),
            0xfe => (u64::from(self.u32()?), 0x1_0000),
            0xff => (self.u64()?, 0x1_0000_0000),
            small => (u64::from(small), 0),
        };
        if value < least { Err(DecodeError::NonCanonicalSize) } else { Ok(value) }
    }

    /// How many values of at least `each` bytes follow: bounded by the bytes that are left, so that a hostile count allocates nothing.
    ///
    /// # Errors
    /// As [`Reader::compact_size`], and [`DecodeError::Truncated`] if the count cannot fit.
    pub fn count(&mut self, each: usize) -> Result<usize, DecodeError> {
        let count = usize::try_from(self.compact_size()?).map_err(|_| DecodeError::Oversized)?;
        if count > self.rest.len() / each.max(1) { Err(DecodeError::Truncated) } else { Ok(count) }
    }

    /// A byte string with its compact size in front.
    ///
    /// # Errors
    /// As [`Reader::compact_size`], and [`DecodeError::Truncated`].
    pub fn bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = self.count(1)?;
        self.take(len)
    }
}

/// Appends `value` in its shortest compact form.
pub fn write_compact_size(out: &mut Vec<u8>, value: u64) {
    let wide = value.to_le_bytes();
    let [a, b, c, d, ..] = wide;
    match value {
        0..=0xfc => out.push(a),
        0xfd..=0xffff => out.extend([0xfd, a, b]),
        0x1_0000..=0xffff_ffff => out.extend([0xfe, a, b, c, d]),
        _ => {
            out.push(0xff);
            out.extend(wide);
        }
    }
}

/// Appends a byte string with its compact size in front.
pub fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_compact_size(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// The number of bytes of `value` as a compact size.
#[must_use]
pub const fn compact_size_len(value: u64) -> usize {
    match value {
        0..=0xfc => 1,
        0xfd..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_sizes_read_back_and_are_shortest() {
        for value in [0, 1, 0xfc, 0xfd, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, u64::MAX] {
            let mut out = Vec::new();
            write_compact_size(&mut out, value);
            assert_eq!(out.len(), compact_size_len(value));
            let mut reader = Reader::new(&out);
            assert_eq!(reader.compact_size(), Ok(value));
            assert_eq!(reader.finish(), Ok(()));
        }
        for long in [&[0xfd, 1, 0][..], &[0xfe, 0xff, 0xff, 0, 0], &[0xff, 1, 0, 0, 0, 0, 0, 0, 0]] {
            assert_eq!(Reader::new(long).compact_size(), Err(DecodeError::NonCanonicalSize));
        }
    }

    #[test]
    fn a_count_that_cannot_fit_is_refused_before_anything_is_allocated() {
        let hostile = [0xfe, 0xff, 0xff, 0xff, 0xff, 0];
        assert_eq!(Reader::new(&hostile).count(1), Err(DecodeError::Truncated));
    }
}
