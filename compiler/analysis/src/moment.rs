//! Reads and writes points in time as RFC 3339 has them.
//!
//! The calendar arithmetic counts days from 1970-01-01 by shifting the year's start to March, so that
//! the leap day comes last (H. Hinnant, "chrono-compatible low-level date algorithms").
//! Worked example: 2000-03-01 is day 11,017.

/// Seconds since 1970 of a text such as `2026-12-01T00:00Z` or `2026-12-01T02:00:30+02:00`.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (date, clock) = text.split_once(['T', 't', ' '])?;
    let (clock, offset) = split_offset(clock)?;
    let mut parts = date.split('-');
    let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let mut parts_of_day = clock.split(':');
    let (hour, minute) = (digits(parts_of_day.next()?, 2)?, digits(parts_of_day.next()?, 2)?);
    let second = parts_of_day.next().map_or(Some(0), |text| digits(text, 2))?;
    let in_range = (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && parts.next().is_none()
        && parts_of_day.next().is_none();
    in_range.then(|| days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset)
}

/// The time of day without its offset, and the offset in seconds.
fn split_offset(clock: &str) -> Option<(&str, i64)> {
    if let Some(utc) = clock.strip_suffix(['Z', 'z']) {
        return Some((utc, 0));
    }
    let at = clock.rfind(['+', '-'])?;
    let (time, offset) = clock.split_at_checked(at)?;
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    let size = hours * 3_600 + minutes * 60;
    (hours < 24 && minutes < 60).then_some((time, if offset.starts_with('-') { -size } else { size }))
}

fn digits(text: &str, count: usize) -> Option<i64> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_times_read_as_their_seconds() {
        for (text, seconds) in [
            ("1970-01-01T00:00Z", 0),
            ("2000-03-01T00:00:00Z", 11_017 * 86_400),
            ("2026-12-01T00:00Z", 1_796_083_200),
            ("2026-12-01T02:00+02:00", 1_796_083_200),
            ("2024-02-29T23:59:59-00:30", 1_709_252_999),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2026",
            "2026-13-01T00:00Z",
            "2025-02-29T00:00Z",
            "2026-12-01T24:00Z",
            "2026-12-01T00:00",
            "2026-12-01T00:00:00:00Z",
            "é026-12-01T00:00Z",
            "2026-12-01T00:00+é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
