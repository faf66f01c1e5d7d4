//! Ratios for people: exact percentages, fractions in lowest terms.

use std::fmt;

/// An exact ratio in lowest terms; the bottom is above zero.
///
/// ```
/// use spec::Ratio;
/// let third = Ratio::new(2, 6).unwrap();
/// assert_eq!((third.to_string(), third.percent()), ("1/3".to_owned(), "≈33.3333 %".to_owned()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    top: i128,
    bottom: i128,
}

impl Ratio {
    /// `None` if the bottom is not above zero.
    #[must_use]
    pub fn new(top: i128, bottom: i128) -> Option<Self> {
        let common = gcd(top.unsigned_abs(), bottom.unsigned_abs());
        let common = i128::try_from(common).ok().filter(|_| bottom > 0)?;
        Some(Self { top: top / common, bottom: bottom / common })
    }

    /// Its top and its bottom.
    #[must_use]
    pub const fn parts(self) -> (i128, i128) {
        (self.top, self.bottom)
    }

    /// The ratio as a percentage: exact where four decimals suffice, else with `≈`.
    #[must_use]
    pub fn percent(self) -> String {
        // Whoever writes such numbers sees them as they are.
        let Some(scaled) = self.top.checked_mul(1_000_000) else { return self.to_string() };
        let (units, exact) = (scaled / self.bottom, scaled % self.bottom == 0);
        let (whole, part) = (units / 10_000, units % 10_000);
        let decimals = format!("{part:04}");
        let decimals = decimals.trim_end_matches('0');
        let point = if decimals.is_empty() { "" } else { "." };
        format!("{}{whole}{point}{decimals} %", if exact { "" } else { "≈" })
    }

    /// The ratio with its sign, as what rounding added or took.
    #[must_use]
    pub fn signed(self) -> String {
        match self.top {
            0 => "0".to_owned(),
            top if top > 0 => format!("+{self}"),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bottom == 1 { write!(f, "{}", self.top) } else { write!(f, "{}/{}", self.top, self.bottom) }
    }
}

const fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_exact_or_say_that_they_are_not() {
        let cases = [
            (30, 100, "3/10", "30 %", "+3/10"),
            (1, 3, "1/3", "≈33.3333 %", "+1/3"),
            (1, 8, "1/8", "12.5 %", "+1/8"),
            (0, 7, "0", "0 %", "0"),
            (-4, 8, "-1/2", "-50 %", "-1/2"),
            (10, 10, "1", "100 %", "+1"),
        ];
        for (top, bottom, text, percent, signed) in cases {
            let ratio = Ratio::new(top, bottom).unwrap();
            assert_eq!(
                (ratio.to_string(), ratio.percent(), ratio.signed()),
                (text.into(), percent.into(), signed.into())
            );
        }
        assert_eq!(Ratio::new(1, 0), None);
    }
}
