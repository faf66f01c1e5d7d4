//! Numbers that look random and are the same for the same seed: SplitMix64.

use spec::hash::sha256;

/// A source of such numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 if there is none.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }

    /// A number from `from` up to and with `to`.
    pub(crate) fn within(&mut self, from: i128, to: i128) -> i128 {
        let wide = (u128::from(self.next()) << 64) | u128::from(self.next());
        let span = to.wrapping_sub(from) as u128;
        match span.checked_add(1) {
            Some(count) => from.wrapping_add((wide % count) as i128),
            None => wide as i128,
        }
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len() as u64) as usize)
    }
}

/// The seed of one case of a property.
pub(crate) fn seed_of(base: u64, property: &str, case: u32) -> u64 {
    let digest = sha256(&[base.to_le_bytes().as_slice(), &case.to_le_bytes(), property.as_bytes()].concat());
    digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}
