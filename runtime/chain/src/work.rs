//! Targets: their compact form, and how one follows from the blocks before.
//!
//! Source: the ASERT specification of Bitcoin Cash (aserti3-2d, 2020). The target of a block is
//! `anchor · 2^((t − spacing · (h + 1)) / half_life)`, with `t` and `h` the seconds and blocks since the
//! anchor; the power is taken in fixed point, 16 bits after the point, by a cubic polynomial.
//! Example: on schedule `t = spacing · (h + 1)` and the target is the anchor's; one half-life late, twice that.

use spec::CompactTarget;

/// What a target is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The anchor's target.
    pub anchor: CompactTarget,
    /// The easiest target.
    pub limit: CompactTarget,
    /// Seconds between blocks on schedule.
    pub spacing_secs: u32,
    /// Seconds of lateness that double the target.
    pub half_life_secs: u32,
}

/// The target due for the block after one that came `secs` seconds after the anchor's parent and stands `blocks` blocks above the anchor.
///
/// ```
/// use chain::{Schedule, asert};
/// use spec::CompactTarget;
/// let anchor = CompactTarget(0x1d00_ffff);
/// let schedule = Schedule { anchor, limit: CompactTarget(0x1f00_ffff), spacing_secs: 600, half_life_secs: 172_800 };
/// assert_eq!(asert(schedule, 600, 0), anchor);
/// assert_eq!(asert(schedule, 600 + 172_800, 0), CompactTarget(0x1d01_fffe));
/// ```
#[must_use]
pub fn asert(schedule: Schedule, secs: i64, blocks: u32) -> CompactTarget {
    let (Some(anchor), Some(limit)) = (schedule.anchor.target(), schedule.limit.target()) else {
        return schedule.limit;
    };
    let due = i128::from(schedule.spacing_secs) * (i128::from(blocks) + 1);
    let exponent = (i128::from(secs) - due) * 65_536 / i128::from(schedule.half_life_secs.max(1));
    let (whole, fraction) = (exponent >> 16, (exponent & 0xffff) as u64);
    let scaled = Wide::from_bytes(&anchor).times(power_of_two(fraction));
    let target = scaled.shifted(whole - 16).and_then(Wide::to_bytes).unwrap_or([0xff; 32]);
    target_to_compact(&target.min(limit).max(ONE))
}

const ONE: [u8; 32] = {
    let mut one = [0; 32];
    one[31] = 1;
    one
};

/// `65536 · 2^(fraction / 65536)`, between 65,536 and 131,071; the constants are the specification's.
pub(crate) const fn power_of_two(fraction: u64) -> u32 {
    let (square, cube) = (fraction * fraction, fraction * fraction * fraction);
    let sum = 195_766_423_245_049 * fraction + 971_821_376 * square + 5_127 * cube + (1 << 47);
    65_536 + (sum >> 48) as u32
}

/// The compact form of a target given as 32 bytes, most significant first; digits beyond the mantissa are cut off.
#[must_use]
pub fn target_to_compact(target: &[u8; 32]) -> CompactTarget {
    let skipped = target.iter().take_while(|byte| **byte == 0).count();
    let mut digits = target.iter().skip(skipped).copied().chain([0; 3]);
    let mut next = || u32::from(digits.next().unwrap_or(0));
    let size = u32::try_from(32 - skipped).unwrap_or(0);
    let mantissa = (next() << 16) | (next() << 8) | next();
    // The top bit of the mantissa is a sign, so a large first digit moves one place down.
    if mantissa & 0x0080_0000 == 0 {
        CompactTarget((size << 24) | mantissa)
    } else {
        CompactTarget(((size + 1) << 24) | (mantissa >> 8))
    }
}

/// 320 bits, least significant limb first: room for a target times 17 bits.
#[derive(Clone, Copy)]
struct Wide([u64; 5]);

impl Wide {
    fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut limbs = [0; 5];
        for (limb, digits) in limbs.iter_mut().zip(bytes.rchunks(8)) {
            *limb = digits.iter().fold(0, |sum, digit| (sum << 8) | u64::from(*digit));
        }
        Self(limbs)
    }

    /// `None` if the number has more than 256 bits.
    fn to_bytes(self) -> Option<[u8; 32]> {
        let [low @ .., top] = self.0;
        let mut bytes = [0; 32];
        for (digits, limb) in bytes.rchunks_mut(8).zip(low) {
            digits.copy_from_slice(&limb.to_be_bytes());
        }
        (top == 0).then_some(bytes)
    }

    fn times(self, factor: u32) -> Self {
        let mut carry = 0u128;
        Self(self.0.map(|limb| {
            let product = u128::from(limb) * u128::from(factor) + carry;
            carry = product >> 64;
            product as u64
        }))
    }

    /// Shifted up by `places`, down if negative; `None` if a bit falls off the top.
    fn shifted(self, places: i128) -> Option<Self> {
        let steps = u32::try_from(places.unsigned_abs()).unwrap_or(u32::MAX).min(320);
        (0..steps).try_fold(self, |number, _| if places < 0 { Some(number.halved()) } else { number.doubled() })
    }

    fn doubled(self) -> Option<Self> {
        let mut carry = 0;
        let limbs = self.0.map(|limb| {
            let doubled = (limb << 1) | carry;
            carry = limb >> 63;
            doubled
        });
        (carry == 0).then_some(Self(limbs))
    }

    fn halved(self) -> Self {
        let mut limbs = self.0;
        let mut carry = 0;
        for limb in limbs.iter_mut().rev() {
            let low = *limb & 1;
            *limb = (*limb >> 1) | (carry << 63);
            carry = low;
        }
        Self(limbs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: Schedule = Schedule {
        anchor: CompactTarget(0x1a2b_3c4d),
        limit: CompactTarget(0x1d00_ffff),
        spacing_secs: 600,
        half_life_secs: 172_800,
    };

    #[test]
    fn compact_targets_read_back() {
        for bits in [0x1d00_ffff, 0x207f_ffff, 0x1a2b_3c4d, 0x0301_0000, 0x0112_0000, 0x0300_8000, 0x2100_8000] {
            let target = CompactTarget(bits).target().unwrap();
            assert_eq!(target_to_compact(&target).target(), Some(target), "{bits:08x}");
        }
        assert_eq!(target_to_compact(&CompactTarget(0x1d00_ffff).target().unwrap()), CompactTarget(0x1d00_ffff));
    }

    /// Computed with an independent big-integer program from the published formula.
    #[test]
    fn targets_follow_the_published_formula() {
        let rows: [(i64, u32, u32); ROWS] = TABLE;
        for (secs, blocks, bits) in rows {
            assert_eq!(asert(SCHEDULE, secs, blocks), CompactTarget(bits), "{secs} s, {blocks} blocks");
        }
    }

    #[test]
    fn hostile_times_stay_within_one_and_the_limit() {
        for secs in [i64::MIN, i64::MAX, -1, 0] {
            for blocks in [0, u32::MAX] {
                let target = asert(SCHEDULE, secs, blocks).target().unwrap();
                assert!(target <= SCHEDULE.limit.target().unwrap());
            }
        }
    }

    const ROWS: usize = 15;
    const TABLE: [(i64, u32, u32); ROWS] = [
        (600, 0, 0x1a2b3c4d),
        (0, 0, 0x1a2b21de),
        (1200, 0, 0x1a2b56fc),
        (87000, 144, 0x1a2b3c4d),
        (173400, 144, 0x1a3d239b),
        (600, 144, 0x1a1e91cd),
        (173400, 0, 0x1a56789a),
        (-172200, 0, 0x1a159e26),
        (601, 0, 0x1a2b3c4d),
        (599, 0, 0x1a2b3c4d),
        (10000000, 1, 0x1d00ffff),
        (1, 100000, 0x01010000),
        (5000, 3, 0x1a2bb0aa),
        (3456000, 0, 0x1d00ffff),
        (1, 2147483648, 0x01010000),
    ];
}
