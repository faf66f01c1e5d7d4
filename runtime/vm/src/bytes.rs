//! Byte strings: joining, cutting, bits, conversion from and to numbers.
//!
//! An instruction that makes new bytes copies an operand to the end of the arena and changes it there.

use crate::error::ScriptError;
use crate::item::{Item, View};
use crate::machine::{Machine, Outcome};

impl Machine<'_> {
    pub(crate) fn cat(&mut self) -> Outcome {
        let (first, second) = self.pop_two()?;
        if first.len() + second.len() > self.rules.limits.item_bytes {
            return Err(ScriptError::ItemSize);
        }
        let mark = self.memory.mark();
        self.memory.append_item(first);
        self.memory.append_item(second);
        self.push_fresh(mark)
    }

    pub(crate) fn split(&mut self) -> Outcome {
        let (item, at) = self.pop_two()?;
        let at = self.small_int(at)?;
        let at = usize::try_from(at).ok().filter(|at| *at <= item.len()).ok_or(ScriptError::SplitRange)?;
        self.push_part(item, 0, at)?;
        self.push_part(item, at, item.len() - at)
    }

    pub(crate) fn substr(&mut self) -> Outcome {
        self.require_bitmodel()?;
        self.need(3)?;
        let len = self.pop()?;
        let (item, begin) = self.pop_two()?;
        let (begin, len) = (self.small_int(begin)?, self.small_int(len)?);
        let range = usize::try_from(begin).ok().zip(usize::try_from(len).ok());
        let (begin, len) = range
            .filter(|(begin, len)| begin.checked_add(*len).is_some_and(|end| end <= item.len()))
            .ok_or(ScriptError::SplitRange)?;
        self.push_part(item, begin, len)
    }

    pub(crate) fn left(&mut self) -> Outcome {
        let (item, len) = self.pop_item_and_len()?;
        self.push_part(item, 0, len)
    }

    pub(crate) fn right(&mut self) -> Outcome {
        let (item, len) = self.pop_item_and_len()?;
        self.push_part(item, item.len() - len, len)
    }

    fn pop_item_and_len(&mut self) -> Result<(Item, usize), ScriptError> {
        self.require_bitmodel()?;
        let (item, len) = self.pop_two()?;
        let len = self.small_int(len)?;
        let len = usize::try_from(len).ok().filter(|len| *len <= item.len()).ok_or(ScriptError::SplitRange)?;
        Ok((item, len))
    }

    /// Pushes a part of an item that has left the stack. Where the item is a span, nothing is copied and no other span moves.
    fn push_part(&mut self, item: Item, start: usize, len: usize) -> Outcome {
        match item {
            Item::Int(n) => self.push_copy(View::short(n).get(start..start + len).unwrap_or_default()),
            Item::Bytes(span) => self.push(self.memory.span(span.source, span.start as usize + start, len)),
        }
    }

    pub(crate) fn num_to_bin(&mut self) -> Outcome {
        let (item, len) = self.pop_two()?;
        let len = self.small_int(len)?;
        let limit = self.rules.limits.item_bytes;
        let len = usize::try_from(len).ok().filter(|len| *len <= limit).ok_or(ScriptError::ItemSize)?;
        let mark = self.memory.mark();
        self.memory.append_item(item);
        let minimal = make_minimal(self.memory.fresh(mark));
        if minimal > len {
            return Err(ScriptError::NumberTooLong);
        }
        self.memory.resize_fresh(mark, minimal);
        let sign = match self.memory.fresh(mark).last_mut() {
            Some(last) => std::mem::replace(last, *last & 0x7f) & 0x80,
            None => 0,
        };
        self.memory.resize_fresh(mark, len);
        if let Some(last) = self.memory.fresh(mark).last_mut() {
            *last |= sign;
        }
        self.push_fresh(mark)
    }

    pub(crate) fn bin_to_num(&mut self) -> Outcome {
        let item = self.pop()?;
        if let Item::Int(_) = item {
            return self.push(item);
        }
        let mark = self.memory.mark();
        self.memory.append_item(item);
        let minimal = make_minimal(self.memory.fresh(mark));
        self.memory.resize_fresh(mark, minimal);
        self.push_fresh(mark)
    }

    #[inline]
    pub(crate) fn size(&mut self) -> Outcome {
        let item = self.peek(0)?;
        self.push_int(item.len() as i64)
    }

    pub(crate) fn invert(&mut self) -> Outcome {
        self.change_bytes(|bytes| bytes.iter_mut().for_each(|byte| *byte = !*byte))
    }

    pub(crate) fn reverse_bytes(&mut self) -> Outcome {
        self.change_bytes(<[u8]>::reverse)
    }

    pub(crate) fn shift_bytes_left(&mut self) -> Outcome {
        let bits = self.pop_shift()?;
        self.change_bytes(|bytes| {
            bytes.reverse();
            shift_up(bytes, bits, |byte, by| byte << by, |byte, by| byte >> by);
            bytes.reverse();
        })
    }

    pub(crate) fn shift_bytes_right(&mut self) -> Outcome {
        let bits = self.pop_shift()?;
        self.change_bytes(|bytes| shift_up(bytes, bits, |byte, by| byte >> by, |byte, by| byte << by))
    }

    fn pop_shift(&mut self) -> Result<usize, ScriptError> {
        self.need(2)?;
        let bits = self.pop()?;
        self.shift_count(bits)
    }

    /// `OP_AND`, `OP_OR` and `OP_XOR`.
    pub(crate) fn bitwise(&mut self, combine: impl Fn(&mut u8, u8)) -> Outcome {
        let (first, second) = self.pop_two()?;
        if first.len() != second.len() {
            return Err(ScriptError::OperandSize);
        }
        let mark = self.memory.mark();
        self.memory.append_item(first);
        let (fresh, other) = self.memory.fresh_with(mark, second);
        fresh.iter_mut().zip(other.iter()).for_each(|(a, b)| combine(a, *b));
        self.push_fresh(mark)
    }

    #[inline]
    pub(crate) fn equal(&mut self) -> Outcome {
        let equal = self.pop_equal()?;
        self.push_bool(equal)
    }

    #[inline]
    pub(crate) fn equal_verify(&mut self) -> Outcome {
        let equal = self.pop_equal()?;
        self.verify_bool(equal, ScriptError::EqualVerify)
    }

    #[inline]
    fn pop_equal(&mut self) -> Result<bool, ScriptError> {
        Ok(match self.pop_two()? {
            (Item::Int(a), Item::Int(b)) => a == b,
            (Item::Bytes(a), Item::Bytes(b)) => self.memory.slice(a) == self.memory.slice(b),
            (Item::Int(_), Item::Bytes(_)) | (Item::Bytes(_), Item::Int(_)) => false,
        })
    }

    pub(crate) fn verify(&mut self) -> Outcome {
        let item = self.pop()?;
        if self.is_truthy(item) { Ok(()) } else { Err(ScriptError::Verify) }
    }

    /// Takes the top two items: the second, then the top.
    #[inline]
    pub(crate) fn pop_two(&mut self) -> Result<(Item, Item), ScriptError> {
        self.need(2)?;
        let top = self.pop()?;
        Ok((self.pop()?, top))
    }

    /// Replaces the top item by a changed copy.
    fn change_bytes(&mut self, change: impl FnOnce(&mut [u8])) -> Outcome {
        let item = self.pop()?;
        let mark = self.memory.mark();
        self.memory.append_item(item);
        change(self.memory.fresh(mark));
        self.push_fresh(mark)
    }
}

/// Shifts towards the end of `bytes` by `bits`, filling with zeros. `along` moves bits within a byte in that direction,
/// `back` against it.
fn shift_up(bytes: &mut [u8], bits: usize, along: impl Fn(u8, usize) -> u8, back: impl Fn(u8, usize) -> u8) {
    let whole = (bits / 8).min(bytes.len());
    let by = bits % 8;
    bytes.rotate_right(whole);
    bytes.iter_mut().take(whole).for_each(|byte| *byte = 0);
    if by == 0 {
        return;
    }
    let mut carry = 0;
    for byte in bytes.iter_mut().skip(whole) {
        let old = *byte;
        *byte = along(old, by) | carry;
        carry = back(old, 8 - by);
    }
}

/// Rewrites the front of `bytes` as the minimal encoding of the same number and gives its length.
pub(crate) fn make_minimal(bytes: &mut [u8]) -> usize {
    let Some((last, rest)) = bytes.split_last_mut() else { return 0 };
    if *last & 0x7f != 0 {
        return rest.len() + 1;
    }
    let sign = *last;
    match highest(rest) {
        None => 0,
        Some(at) => match rest.get_mut(at) {
            Some(top) if *top & 0x80 == 0 => {
                *top |= sign;
                at + 1
            }
            _ => {
                // The byte above the top one is free for the sign: it is a zero, or the old last byte.
                if let Some(above) = bytes.get_mut(at + 1) {
                    *above = sign;
                }
                at + 2
            }
        },
    }
}

/// The place of the highest byte that is not zero.
fn highest(bytes: &[u8]) -> Option<usize> {
    let (low, words) = bytes.as_rchunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word)).enumerate();
    match words.rev().find(|(_, word)| *word != 0) {
        Some((at, word)) => Some(low.len() + 8 * at + word.ilog2() as usize / 8),
        None => low.iter().rposition(|byte| *byte != 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_minimal() {
        let cases: [(&[u8], &[u8]); 10] = [
            (&[], &[]),
            (&[0], &[]),
            (&[0x80], &[]),
            (&[0, 0, 0x80], &[]),
            (&[1, 0, 0], &[1]),
            (&[1, 0, 0x80], &[0x81]),
            (&[0x80, 0], &[0x80, 0]),
            (&[0x80, 0, 0x80], &[0x80, 0x80]),
            (&[0x80, 0, 0, 0], &[0x80, 0]),
            (&[5, 6], &[5, 6]),
        ];
        for (before, after) in cases {
            let mut bytes = before.to_vec();
            let len = make_minimal(&mut bytes);
            assert_eq!(&bytes[..len], after, "{before:?}");
        }
    }

    #[test]
    fn zeros_below_the_sign_are_cut_at_any_length() {
        for len in 1..40 {
            for at in 0..len {
                let mut bytes = vec![0; len + 1];
                bytes[at] = 0x7f;
                bytes[len] = 0x80;
                let cut = make_minimal(&mut bytes);
                assert_eq!((cut, bytes[at]), (at + 1, 0xff), "{at} of {len}");
            }
        }
    }

    #[test]
    fn shifts_move_bits_across_bytes() {
        let right = |bytes: &[u8], bits| {
            let mut bytes = bytes.to_vec();
            shift_up(&mut bytes, bits, |byte, by| byte >> by, |byte, by| byte << by);
            bytes
        };
        assert_eq!(right(&[0x81, 0x01], 1), [0x40, 0x80]);
        assert_eq!(right(&[0x81, 0x01], 8), [0, 0x81]);
        assert_eq!(right(&[0x81, 0x01], 9), [0, 0x40]);
        assert_eq!(right(&[0x81, 0x01], 16), [0, 0]);
        assert_eq!(right(&[0x81, 0x01], 1_000), [0, 0]);
        assert_eq!(right(&[], 3), [0u8; 0]);
    }
}
