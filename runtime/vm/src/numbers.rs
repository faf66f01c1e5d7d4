//! Arithmetic on script numbers.
//!
//! Operands that are numbers in place take the fast path; whatever overflows 8 bytes, and every longer number, goes
//! through big integers. Both charge alike: by the length of the result and, for products, of the operands.

use std::cmp::Ordering;

use dashu_base::{BitTest, Sign, Signed};
use dashu_int::{IBig, UBig};

use crate::error::ScriptError;
use crate::item::Item;
use crate::machine::{Machine, Outcome};

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

    /// A big number is never zero, because it does not fit 8 bytes.
    const fn is_zero(&self) -> bool {
        matches!(self, Self::Small(0))
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Small(a), Self::Small(b)) => a.cmp(b),
            (Self::Big(a), Self::Big(b)) => a.cmp(b),
            (Self::Big(a), Self::Small(_)) => {
                if a.is_negative() {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (Self::Small(_), Self::Big(b)) => {
                if b.is_negative() {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
        }
    }
}

impl Machine<'_> {
    #[inline]
    pub(crate) fn add_one(&mut self) -> Outcome {
        self.unary(|a| a.checked_add(1), |a| a + IBig::ONE)
    }

    #[inline]
    pub(crate) fn subtract_one(&mut self) -> Outcome {
        self.unary(|a| a.checked_sub(1), |a| a - IBig::ONE)
    }

    pub(crate) fn negate(&mut self) -> Outcome {
        self.unary(i64::checked_neg, |a| -a)
    }

    pub(crate) fn abs(&mut self) -> Outcome {
        self.unary(i64::checked_abs, |a| if a.is_negative() { -a } else { a })
    }

    pub(crate) fn double(&mut self) -> Outcome {
        self.require_bitmodel()?;
        self.unary(|a| a.checked_mul(2), |a| a << 1)
    }

    pub(crate) fn halve(&mut self) -> Outcome {
        self.require_bitmodel()?;
        self.unary(|a| Some(a / 2), |a| a / IBig::from(2))
    }

    #[inline]
    pub(crate) fn add(&mut self) -> Outcome {
        self.binary::<false>(i64::checked_add, |a, b| Ok(a + b))
    }

    #[inline]
    pub(crate) fn subtract(&mut self) -> Outcome {
        self.binary::<false>(i64::checked_sub, |a, b| Ok(a - b))
    }

    pub(crate) fn multiply(&mut self) -> Outcome {
        self.binary::<true>(i64::checked_mul, |a, b| Ok(a * b))
    }

    pub(crate) fn divide(&mut self) -> Outcome {
        self.binary::<true>(
            i64::checked_div,
            |a, b| {
                if b.is_zero() { Err(ScriptError::DivisionByZero) } else { Ok(a / b) }
            },
        )
    }

    pub(crate) fn modulo(&mut self) -> Outcome {
        self.binary::<true>(
            i64::checked_rem,
            |a, b| {
                if b.is_zero() { Err(ScriptError::ModuloByZero) } else { Ok(a % b) }
            },
        )
    }

    pub(crate) fn minimum(&mut self) -> Outcome {
        self.binary::<false>(|a, b| Some(a.min(b)), |a, b| Ok(a.min(b)))
    }

    pub(crate) fn maximum(&mut self) -> Outcome {
        self.binary::<false>(|a, b| Some(a.max(b)), |a, b| Ok(a.max(b)))
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
        let number = self.pop_number()?;
        self.push_bool(holds(number.is_zero()))
    }

    pub(crate) fn both(&mut self) -> Outcome {
        let (a, b) = self.pop_two_numbers()?;
        self.push_bool(!a.is_zero() && !b.is_zero())
    }

    pub(crate) fn either(&mut self) -> Outcome {
        let (a, b) = self.pop_two_numbers()?;
        self.push_bool(!a.is_zero() || !b.is_zero())
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
        let (a, b) = self.pop_two_numbers()?;
        Ok(a.order(&b))
    }

    pub(crate) fn within(&mut self) -> Outcome {
        self.need(3)?;
        let high = self.pop_number()?;
        let (x, low) = self.pop_two_numbers()?;
        self.push_bool(low.order(&x).is_le() && x.order(&high).is_lt())
    }

    pub(crate) fn shift_number_left(&mut self) -> Outcome {
        let (number, bits) = self.pop_shifted()?;
        if number.is_zero() {
            return self.push_int(0);
        }
        let number = number.into_big();
        if number.bit_len().saturating_add(bits) > 8 * self.rules.limits.item_bytes {
            return Err(ScriptError::NumberRange);
        }
        self.push_big(number << bits)
    }

    pub(crate) fn shift_number_right(&mut self) -> Outcome {
        let (number, bits) = self.pop_shifted()?;
        match number {
            Number::Small(n) => self.push_int(n >> bits.min(63)),
            // Big integers shift as if in two's complement, so this rounds down too.
            Number::Big(n) => self.push_big(n >> bits),
        }
    }

    fn pop_shifted(&mut self) -> Result<(Number, usize), ScriptError> {
        let (item, bits) = self.pop_two()?;
        let bits = self.shift_count(bits)?;
        Ok((self.number(item)?, bits))
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
    fn unary(&mut self, small: impl Fn(i64) -> Option<i64>, big: impl Fn(IBig) -> IBig) -> Outcome {
        if let Some(Item::Int(a)) = self.stack.last_mut()
            && let Some(n) = small(*a).filter(|n| *n != i64::MIN)
        {
            *a = n;
            self.cost += 2 * spec::num::encoded_len(n) as u64;
            return Ok(());
        }
        self.unary_big(big)
    }

    #[cold]
    #[inline(never)]
    fn unary_big(&mut self, big: impl Fn(IBig) -> IBig) -> Outcome {
        let number = self.pop_number()?;
        self.push_arithmetic(big(number.into_big()))
    }

    #[inline(always)]
    fn binary<const PRODUCT: bool>(
        &mut self,
        small: impl Fn(i64, i64) -> Option<i64>,
        big: impl Fn(IBig, IBig) -> Result<IBig, ScriptError>,
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
        self.binary_big::<PRODUCT>(big)
    }

    #[cold]
    #[inline(never)]
    fn binary_big<const PRODUCT: bool>(&mut self, big: impl Fn(IBig, IBig) -> Result<IBig, ScriptError>) -> Outcome {
        self.need(2)?;
        if PRODUCT {
            self.cost += (self.peek(0)?.len() * self.peek(1)?.len()) as u64;
        }
        let (a, b) = self.pop_two_numbers()?;
        self.push_arithmetic(big(a.into_big(), b.into_big())?)
    }

    fn pop_number(&mut self) -> Result<Number, ScriptError> {
        let item = self.pop()?;
        self.number(item)
    }

    fn pop_two_numbers(&mut self) -> Result<(Number, Number), ScriptError> {
        let (a, b) = self.pop_two()?;
        Ok((self.number(a)?, self.number(b)?))
    }

    fn number(&self, item: Item) -> Result<Number, ScriptError> {
        let span = match item {
            Item::Int(n) => return Ok(Number::Small(n)),
            Item::Bytes(span) => span,
        };
        let bytes = self.memory.slice(span);
        if !spec::num::is_minimal(bytes) {
            return Err(ScriptError::NumberEncoding);
        }
        let mut magnitude = bytes.to_vec();
        let sign = magnitude.last_mut().map_or(0, |last| std::mem::replace(last, *last & 0x7f) & 0x80);
        let sign = if sign == 0 { Sign::Positive } else { Sign::Negative };
        Ok(Number::Big(IBig::from_parts(sign, UBig::from_le_bytes(&magnitude))))
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
        self.memory.append(&magnitude.to_le_bytes());
        if magnitude.bit_len() % 8 == 0 {
            self.memory.append(&[0]);
        }
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
