//! Arithmetic on script numbers.
//!
//! Operands that are numbers in place take the fast path. Sums and comparisons of longer ones work on their bytes; their
//! products up to 15 bytes are those of machine integers, and others of big integers. All charge alike: by the length of the
//! result and, for products, of the operands.

use std::cmp::Ordering;

use dashu_base::{BitTest, Sign, Signed};
use dashu_int::{IBig, UBig};

use crate::bytes::make_minimal;
use crate::error::ScriptError;
use crate::item::Item;
use crate::machine::{Machine, Outcome};
use crate::magnitude;

/// Numbers of up to so many bytes are divided by those in place word by word; for longer ones big integers are faster.
const DIVIDED_BYTES_MAX: usize = 64;

/// A decoded operand.
enum Number {
    Small(i64),
    Big(IBig),
}

impl Number {
    fn into_big(self) -> IBig {
        match self {
            Self::Small(n) => IBig::from(n),
            Self::Big(n) => n,
        }
    }

    fn is_negative(&self) -> bool {
        match self {
            Self::Small(n) => *n < 0,
            Self::Big(n) => n.is_negative(),
        }
    }
}

impl Machine<'_> {
    #[inline]
    pub(crate) fn add_one(&mut self) -> Outcome {
        self.unary(|a| a.checked_add(1), |machine, a| machine.sum(a, Item::Int(1), false))
    }

    #[inline]
    pub(crate) fn subtract_one(&mut self) -> Outcome {
        self.unary(|a| a.checked_sub(1), |machine, a| machine.sum(a, Item::Int(1), true))
    }

    pub(crate) fn negate(&mut self) -> Outcome {
        self.unary(i64::checked_neg, |machine, a| machine.with_sign(a, |sign| sign ^ 0x80))
    }

    pub(crate) fn abs(&mut self) -> Outcome {
        self.unary(i64::checked_abs, |machine, a| machine.with_sign(a, |_| 0))
    }

    pub(crate) fn double(&mut self) -> Outcome {
        self.require_bitmodel()?;
        self.unary(|a| a.checked_mul(2), |machine, a| machine.sum(a, a, false))
    }

    pub(crate) fn halve(&mut self) -> Outcome {
        self.require_bitmodel()?;
        self.unary(
            |a| Some(a / 2),
            |machine, a| match machine.middle(a) {
                Some(a) => machine.push_middle(a / 2),
                None => {
                    let half = machine.number(a)?.into_big() / IBig::from(2);
                    machine.push_arithmetic(half)
                }
            },
        )
    }

    #[inline]
    pub(crate) fn add(&mut self) -> Outcome {
        self.binary::<false>(i64::checked_add, |machine, a, b| machine.sum(a, b, false))
    }

    #[inline]
    pub(crate) fn subtract(&mut self) -> Outcome {
        self.binary::<false>(i64::checked_sub, |machine, a, b| machine.sum(a, b, true))
    }

    pub(crate) fn multiply(&mut self) -> Outcome {
        self.binary::<true>(i64::checked_mul, |machine, a, b| {
            machine.product(a, b, i128::checked_mul, |a, b| Ok(a * b))
        })
    }

    pub(crate) fn divide(&mut self) -> Outcome {
        self.binary::<true>(i64::checked_div, |machine, a, b| match machine.divided(a, b) {
            Some((mark, negative, _)) => machine.push_result(mark, negative),
            None => machine.product(a, b, i128::checked_div, |a, b| {
                if b.is_zero() { Err(ScriptError::DivisionByZero) } else { Ok(a / b) }
            }),
        })
    }

    pub(crate) fn modulo(&mut self) -> Outcome {
        self.binary::<true>(i64::checked_rem, |machine, a, b| match machine.divided(a, b) {
            Some((mark, _, rest)) => {
                machine.memory.resize_fresh(mark, 0);
                machine.push_middle(rest)
            }
            None => machine.product(a, b, i128::checked_rem, |a, b| {
                if b.is_zero() { Err(ScriptError::ModuloByZero) } else { Ok(a % b) }
            }),
        })
    }

    pub(crate) fn minimum(&mut self) -> Outcome {
        self.binary::<false>(|a, b| Some(a.min(b)), |machine, a, b| machine.one_of(a, b, Ordering::is_le))
    }

    pub(crate) fn maximum(&mut self) -> Outcome {
        self.binary::<false>(|a, b| Some(a.max(b)), |machine, a, b| machine.one_of(a, b, Ordering::is_ge))
    }

    #[inline]
    pub(crate) fn not(&mut self) -> Outcome {
        self.test(|is_zero| is_zero)
    }

    #[inline]
    pub(crate) fn not_zero(&mut self) -> Outcome {
        self.test(|is_zero| !is_zero)
    }

    #[inline(always)]
    fn test(&mut self, holds: impl Fn(bool) -> bool) -> Outcome {
        if let Some(Item::Int(a)) = self.stack.last_mut() {
            let truth = holds(*a == 0);
            *a = i64::from(truth);
            self.cost += u64::from(truth);
            return Ok(());
        }
        let item = self.pop()?;
        self.require_number(item)?;
        self.push_bool(holds(item.is_empty()))
    }

    pub(crate) fn both(&mut self) -> Outcome {
        let (a, b) = self.pop_two_numbers()?;
        self.push_bool(!a.is_empty() && !b.is_empty())
    }

    pub(crate) fn either(&mut self) -> Outcome {
        let (a, b) = self.pop_two_numbers()?;
        self.push_bool(!a.is_empty() || !b.is_empty())
    }

    /// The comparisons.
    #[inline(always)]
    pub(crate) fn compare(&mut self, holds: impl Fn(Ordering) -> bool) -> Outcome {
        if let [.., Item::Int(a), Item::Int(b)] = self.stack.as_mut_slice() {
            let truth = holds((*a).cmp(b));
            *a = i64::from(truth);
            self.stack.pop();
            self.cost += u64::from(truth);
            return Ok(());
        }
        let order = self.pop_order()?;
        self.push_bool(holds(order))
    }

    pub(crate) fn number_equal_verify(&mut self) -> Outcome {
        let order = self.pop_order()?;
        self.verify_bool(order.is_eq(), ScriptError::NumEqualVerify)
    }

    #[inline(never)]
    fn pop_order(&mut self) -> Result<Ordering, ScriptError> {
        if let [below @ .., Item::Bytes(a), Item::Bytes(b)] = self.stack.as_slice() {
            // Looked at where they are: copies would have to wait for the parts of recent ones.
            let (rest, weight) = (below.len(), a.len as usize + b.len as usize);
            let (a, b) = (self.memory.slice(*a), self.memory.slice(*b));
            if spec::num::is_minimal(a) && spec::num::is_minimal(b) {
                let order = magnitude::order(a, b);
                self.stack.truncate(rest);
                self.live_bytes -= weight;
                return Ok(order);
            }
        }
        let (a, b) = self.pop_two_numbers()?;
        Ok(self.order(a, b))
    }

    pub(crate) fn within(&mut self) -> Outcome {
        self.need(3)?;
        let high = self.pop()?;
        self.require_number(high)?;
        let (x, low) = self.pop_two_numbers()?;
        self.push_bool(self.order(low, x).is_le() && self.order(x, high).is_lt())
    }

    /// The order of two numbers.
    fn order(&self, a: Item, b: Item) -> Ordering {
        match (a, b) {
            (Item::Int(a), Item::Int(b)) => a.cmp(&b),
            _ => magnitude::order(&self.view(a), &self.view(b)),
        }
    }

    pub(crate) fn shift_number_left(&mut self) -> Outcome {
        let (item, bits) = self.pop_shifted()?;
        if item.is_empty() {
            return self.push_int(0);
        }
        if magnitude::bit_len(&self.view(item)).saturating_add(bits) > 8 * self.rules.limits.item_bytes {
            return Err(ScriptError::NumberRange);
        }
        let (mark, whole) = (self.memory.mark(), bits / 8);
        self.memory.resize_fresh(mark, whole);
        self.memory.append_item(item);
        let negative = self.memory.fresh(mark).last_mut().is_some_and(take_sign);
        // One byte more for what leaves the highest, and one for the sign.
        self.memory.resize_fresh(mark, whole + item.len() + 2);
        magnitude::shift_up(self.memory.fresh(mark).get_mut(whole..).unwrap_or_default(), bits % 8);
        self.push_magnitude(mark, negative)
    }

    /// Rounds down: what a negative number loses makes it one less.
    pub(crate) fn shift_number_right(&mut self) -> Outcome {
        let (item, bits) = self.pop_shifted()?;
        if let Item::Int(n) = item {
            return self.push_int(n >> bits.min(63));
        }
        let mark = self.memory.mark();
        self.memory.append_item(item);
        self.memory.resize_fresh(mark, item.len() + 1);
        let fresh = self.memory.fresh(mark);
        let negative = fresh.get_mut(item.len() - 1).is_some_and(take_sign);
        let whole = (bits / 8).min(fresh.len());
        let (lost, kept) = fresh.split_at_mut(whole);
        let below = kept.first().map_or(0, |first| first & ((1 << (bits % 8)) - 1));
        let loses = below != 0 || lost.iter().any(|byte| *byte != 0);
        magnitude::shift_down(kept, bits % 8);
        fresh.copy_within(whole.., 0);
        let left = fresh.len() - whole;
        self.memory.resize_fresh(mark, left);
        // Whole words, with a byte more for the sign; and if nothing is left, room for what rounding adds.
        self.memory.resize_fresh(mark, (left + 1).next_multiple_of(8));
        if negative && loses {
            magnitude::add(self.memory.fresh(mark), &[1]);
        }
        self.push_magnitude(mark, negative)
    }

    fn pop_shifted(&mut self) -> Result<(Item, usize), ScriptError> {
        let (item, bits) = self.pop_two()?;
        let bits = self.shift_count(bits)?;
        self.require_number(item)?;
        Ok((item, bits))
    }

    /// A number of bits to shift by. More bits than any item has are as good as any other such number.
    pub(crate) fn shift_count(&self, item: Item) -> Result<usize, ScriptError> {
        let bits = self.number(item)?;
        if bits.is_negative() {
            return Err(ScriptError::NegativeShift);
        }
        let most = 8 * self.rules.limits.item_bytes + 8;
        Ok(match bits {
            Number::Small(n) => usize::try_from(n).unwrap_or(most).min(most),
            Number::Big(_) => most,
        })
    }

    #[inline(always)]
    fn unary(&mut self, small: impl Fn(i64) -> Option<i64>, wide: impl FnOnce(&mut Self, Item) -> Outcome) -> Outcome {
        if let Some(Item::Int(a)) = self.stack.last_mut()
            && let Some(n) = small(*a).filter(|n| *n != i64::MIN)
        {
            *a = n;
            self.cost += 2 * spec::num::encoded_len(n) as u64;
            return Ok(());
        }
        self.unary_wide(wide)
    }

    #[cold]
    #[inline(never)]
    fn unary_wide(&mut self, wide: impl FnOnce(&mut Self, Item) -> Outcome) -> Outcome {
        let item = self.pop()?;
        self.require_number(item)?;
        wide(self, item)
    }

    #[inline(always)]
    fn binary<const PRODUCT: bool>(
        &mut self,
        small: impl Fn(i64, i64) -> Option<i64>,
        wide: impl FnOnce(&mut Self, Item, Item) -> Outcome,
    ) -> Outcome {
        if let [.., Item::Int(a), Item::Int(b)] = self.stack.as_mut_slice()
            && let Some(n) = small(*a, *b).filter(|n| *n != i64::MIN)
        {
            if PRODUCT {
                self.cost += (spec::num::encoded_len(*a) * spec::num::encoded_len(*b)) as u64;
            }
            *a = n;
            self.stack.pop();
            self.cost += 2 * spec::num::encoded_len(n) as u64;
            return Ok(());
        }
        self.binary_wide::<PRODUCT>(wide)
    }

    #[cold]
    #[inline(never)]
    fn binary_wide<const PRODUCT: bool>(&mut self, wide: impl FnOnce(&mut Self, Item, Item) -> Outcome) -> Outcome {
        self.need(2)?;
        if PRODUCT {
            self.cost += (self.peek(0)?.len() * self.peek(1)?.len()) as u64;
        }
        let (a, b) = self.pop_two_numbers()?;
        wide(self, a, b)
    }

    /// The sum of two numbers, or their difference if the second is to be `negated`.
    fn sum(&mut self, a: Item, b: Item, negated: bool) -> Outcome {
        if let (Some(a), Some(b)) = (self.middle(a), self.middle(b)) {
            // Both have at most 15 bytes, so nothing overflows.
            return self.push_middle(if negated { a - b } else { a + b });
        }
        let signs = (self.is_below_zero(a), self.is_below_zero(b) != negated);
        let order = match (a, b) {
            (Item::Bytes(a), Item::Bytes(b)) => magnitude::order_magnitudes(self.memory.slice(a), self.memory.slice(b)),
            // One is in place, so it is shorter.
            _ => a.len().cmp(&b.len()),
        };
        let (large, small, sign) = match order {
            Ordering::Less => (b, a, signs.1),
            Ordering::Equal | Ordering::Greater => (a, b, signs.0),
        };
        let mark = self.memory.mark();
        self.memory.append_item(large);
        if let Some(last) = self.memory.fresh(mark).last_mut() {
            *last &= 0x7f;
        }
        // Whole words, with a byte more for the sign.
        self.memory.resize_fresh(mark, (large.len() + 1).next_multiple_of(8));
        let (sum, other) = self.memory.fresh_with(mark, small);
        if signs.0 == signs.1 {
            magnitude::add(sum, &other)
        } else {
            magnitude::subtract(sum, &other)
        }
        self.push_result(mark, sign)
    }

    fn is_below_zero(&self, number: Item) -> bool {
        match number {
            Item::Int(n) => n < 0,
            Item::Bytes(span) => magnitude::is_negative(self.memory.slice(span)),
        }
    }

    /// The number with another sign in the place of its own.
    fn with_sign(&mut self, item: Item, sign: impl FnOnce(u8) -> u8) -> Outcome {
        let mark = self.memory.mark();
        self.memory.append_item(item);
        if let Some(last) = self.memory.fresh(mark).last_mut() {
            *last = *last & 0x7f | sign(*last & 0x80);
        }
        self.push_fresh(mark)?;
        self.cost += item.len() as u64;
        Ok(())
    }

    /// Pushes the first of two numbers if their order `holds`, else the second.
    fn one_of(&mut self, a: Item, b: Item, holds: impl FnOnce(Ordering) -> bool) -> Outcome {
        let item = if holds(self.order(a, b)) { a } else { b };
        self.push(item)?;
        self.cost += item.len() as u64;
        Ok(())
    }

    /// Divides a number of a few words by one in place: the quotient's magnitude as the new item, with a byte more, its sign,
    /// and the rest.
    fn divided(&mut self, a: Item, b: Item) -> Option<(usize, bool, i128)> {
        let (Item::Bytes(_), Item::Int(divisor)) = (a, b) else { return None };
        if divisor == 0 || a.len() > DIVIDED_BYTES_MAX {
            return None;
        }
        let mark = self.memory.mark();
        self.memory.append_item(a);
        let negative = self.memory.fresh(mark).last_mut().is_some_and(take_sign);
        self.memory.resize_fresh(mark, a.len().next_multiple_of(8));
        let rest = i128::from(magnitude::divide(self.memory.fresh(mark), divisor.unsigned_abs()));
        let len = self.memory.mark() - mark;
        self.memory.resize_fresh(mark, len + 1);
        Some((mark, negative != (divisor < 0), if negative { -rest } else { rest }))
    }

    fn product(
        &mut self,
        a: Item,
        b: Item,
        middle: impl Fn(i128, i128) -> Option<i128>,
        big: impl Fn(IBig, IBig) -> Result<IBig, ScriptError>,
    ) -> Outcome {
        if let (Some(a), Some(b)) = (self.middle(a), self.middle(b))
            && let Some(n) = middle(a, b)
        {
            return self.push_middle(n);
        }
        let (a, b) = (self.number(a)?, self.number(b)?);
        self.push_arithmetic(big(a.into_big(), b.into_big())?)
    }

    /// A number of at most 15 bytes as a machine integer.
    fn middle(&self, item: Item) -> Option<i128> {
        match item {
            Item::Int(n) => Some(n.into()),
            Item::Bytes(span) => magnitude::middle(self.memory.slice(span)),
        }
    }

    fn push_middle(&mut self, n: i128) -> Outcome {
        if let Ok(short) = i64::try_from(n)
            && short != i64::MIN
        {
            self.push_int(short)?;
            self.cost += spec::num::encoded_len(short) as u64;
            return Ok(());
        }
        let mark = self.memory.mark();
        let magnitude = n.unsigned_abs();
        self.memory.append(&magnitude.to_le_bytes());
        // The highest byte has room for the sign; it may be one more than the magnitude has.
        let len = (128 - magnitude.leading_zeros()) as usize / 8 + 1;
        self.memory.resize_fresh(mark, len);
        if let Some(last) = self.memory.fresh(mark).last_mut() {
            *last |= u8::from(n < 0) << 7;
        }
        self.push_fresh(mark)?;
        self.cost += len as u64;
        Ok(())
    }

    /// As [`Machine::push_magnitude`], and charges the result as arithmetic.
    fn push_result(&mut self, mark: usize, negative: bool) -> Outcome {
        self.push_magnitude(mark, negative)?;
        self.cost += self.peek(0)?.len() as u64;
        Ok(())
    }

    /// Pushes a result whose magnitude is the new item but for its last byte, which is zero.
    fn push_magnitude(&mut self, mark: usize, negative: bool) -> Outcome {
        let fresh = self.memory.fresh(mark);
        if let Some(last) = fresh.last_mut() {
            *last = u8::from(negative) << 7;
        }
        let len = make_minimal(fresh);
        self.memory.resize_fresh(mark, len);
        if len > self.rules.limits.item_bytes {
            return Err(ScriptError::NumberRange);
        }
        self.push_fresh(mark)
    }

    /// Takes the top two numbers.
    fn pop_two_numbers(&mut self) -> Result<(Item, Item), ScriptError> {
        let (a, b) = self.pop_two()?;
        self.require_number(a)?;
        self.require_number(b)?;
        Ok((a, b))
    }

    /// Fails unless the item is a number in its shortest form.
    #[inline(always)]
    fn require_number(&self, item: Item) -> Outcome {
        match item {
            Item::Bytes(span) if !spec::num::is_minimal(self.memory.slice(span)) => Err(ScriptError::NumberEncoding),
            Item::Int(_) | Item::Bytes(_) => Ok(()),
        }
    }

    fn number(&self, item: Item) -> Result<Number, ScriptError> {
        let span = match item {
            Item::Int(n) => return Ok(Number::Small(n)),
            Item::Bytes(span) => span,
        };
        self.require_number(item)?;
        let bytes = self.memory.slice(span);
        let magnitude = UBig::from_le_bytes(bytes);
        Ok(Number::Big(if magnitude::is_negative(bytes) {
            let mut magnitude = magnitude;
            magnitude.clear_bit(8 * bytes.len() - 1);
            IBig::from_parts(Sign::Negative, magnitude)
        } else {
            IBig::from(magnitude)
        }))
    }

    fn push_arithmetic(&mut self, number: IBig) -> Outcome {
        self.push_big(number)?;
        self.cost += self.peek(0)?.len() as u64;
        Ok(())
    }

    /// Pushes a number of any size and charges its length once.
    fn push_big(&mut self, number: IBig) -> Outcome {
        if let Ok(n) = i64::try_from(&number)
            && n != i64::MIN
        {
            return self.push_int(n);
        }
        let (sign, magnitude) = number.into_parts();
        let mark = self.memory.mark();
        for word in magnitude.as_words() {
            self.memory.append(&word.to_le_bytes());
        }
        // The highest byte has room for the sign.
        self.memory.resize_fresh(mark, magnitude.bit_len() / 8 + 1);
        if let (Sign::Negative, Some(last)) = (sign, self.memory.fresh(mark).last_mut()) {
            *last |= 0x80;
        }
        if self.memory.mark() - mark > self.rules.limits.item_bytes {
            return Err(ScriptError::NumberRange);
        }
        self.push_fresh(mark)
    }

    /// Pushes a number that may not fit an item in place.
    pub(crate) fn push_wide(&mut self, n: i64) -> Outcome {
        if n == i64::MIN { self.push_big(IBig::from(n)) } else { self.push_int(n) }
    }
}

/// Clears the sign in the highest byte of a number, and says whether it was set.
const fn take_sign(last: &mut u8) -> bool {
    let negative = *last & 0x80 != 0;
    *last &= 0x7f;
    negative
}
