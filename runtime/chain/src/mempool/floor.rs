//! The fee floor: after transactions left for want of room, newcomers must pay more than those did; with time they need not.
//!
//! Source: the rolling minimum fee of Bitcoin Core. It halves every twelve hours once a block has come, in half or a quarter of
//! that where there is much room, and is gone below half of the step by which it rises. Powers of two are taken in fixed point.
//! Example: a floor of 4,000 for 1,000 bytes, 18 hours after it was raised, is 4,000 / 2^1.5 = 1,414.

use crate::work::power_of_two;

/// Seconds in which the floor halves.
const HALF_LIFE_SECS: u32 = 12 * 60 * 60;
/// The floor that is told changes no more often, as there is no need.
const FOLLOW_SECS: u32 = 10;

/// What newcomers must pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Floor {
    /// Satoshis for 1,000 bytes.
    rate: u64,
    /// When it was so.
    time: u32,
    /// Whether a block has come since it was raised.
    mined: bool,
}

impl Floor {
    /// No floor.
    pub(super) const NONE: Self = Self { rate: 0, time: 0, mined: false };

    /// Raises the floor to `rate`, if that is higher.
    pub(super) fn raise(&mut self, rate: u64, now: u32) {
        if rate > self.rate {
            *self = Self { rate, time: now, mined: false };
        }
    }

    /// A block has come at `now`; what was due until then has fallen by then.
    pub(super) fn follow(&mut self, now: u32, fullness: (usize, usize), step: u64) {
        if !self.mined {
            *self = Self { time: now, mined: true, ..*self };
        } else if now.saturating_sub(self.time) > FOLLOW_SECS {
            *self = Self { rate: self.rate_at(now, fullness, step), time: now, mined: true };
        }
    }

    /// What is due at `now` where `fullness` are the bytes that wait and the most that may; `step` is by how much it rises at least.
    pub(super) fn rate_at(&self, now: u32, (bytes, room): (usize, usize), step: u64) -> u64 {
        if !self.mined || self.rate == 0 {
            return self.rate;
        }
        let half_life = match bytes {
            few if few < room / 4 => HALF_LIFE_SECS / 4,
            few if few < room / 2 => HALF_LIFE_SECS / 2,
            _ => HALF_LIFE_SECS,
        };
        let rate = faded(self.rate, now.saturating_sub(self.time), half_life);
        if rate < step.div_ceil(2) { 0 } else { rate.max(step) }
    }
}

/// `rate · 2^(−secs / half_life)`.
fn faded(rate: u64, secs: u32, half_life: u32) -> u64 {
    let (whole, rest) = (secs / half_life, u64::from(secs % half_life));
    let fraction = (rest << 16) / u64::from(half_life);
    if fraction == 0 {
        return rate.checked_shr(whole).unwrap_or(0);
    }
    // 2^(−f) = 2^(1 − f) / 2, so that the power's exponent is a fraction again.
    let scaled = u128::from(rate) * u128::from(power_of_two(65_536 - fraction));
    let faded = scaled.checked_shr(17 + whole).unwrap_or(0);
    u64::try_from(faded).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_halves_with_time_and_faster_where_there_is_room() {
        let raised = || {
            let mut floor = Floor::NONE;
            floor.raise(4_000, 1_000);
            floor
        };
        let full = (100, 100);
        assert_eq!(raised().rate_at(1_000 + 10 * HALF_LIFE_SECS, full, 1_000), 4_000, "no block has come");
        let mut floor = raised();
        floor.follow(1_000, full, 1_000);
        let rows = [
            (0, full, 4_000),
            (HALF_LIFE_SECS, full, 2_000),
            (HALF_LIFE_SECS * 3 / 2, full, 1_414),
            (HALF_LIFE_SECS * 2, full, 1_000),
            (HALF_LIFE_SECS * 3 - 1, full, 1_000),
            (HALF_LIFE_SECS * 3 + 60, full, 0),
            (HALF_LIFE_SECS * 99, full, 0),
            (u32::MAX - 1_000, full, 0),
            (HALF_LIFE_SECS, (49, 100), 1_000),
            (HALF_LIFE_SECS / 4, (24, 100), 2_000),
            (HALF_LIFE_SECS / 2, (24, 100), 1_000),
        ];
        for (secs, fullness, rate) in rows {
            assert_eq!(floor.rate_at(1_000 + secs, fullness, 1_000), rate, "{secs} s, {fullness:?}");
        }
        floor.raise(1_500, 2_000);
        assert_eq!(floor.rate_at(1_000, full, 1_000), 4_000, "a lower rate changes nothing");
    }
}
