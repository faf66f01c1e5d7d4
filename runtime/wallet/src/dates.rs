//! Dates as seconds since 1970, in universal time.
//!
//! Source: the day count of the proleptic Gregorian calendar; years are taken to begin in March,
//! so that the leap day is the last of its year.

/// The second that `text` names: `2026-12-01`, `2026-12-01T00:00Z` or `2026-12-01T00:00:00Z`.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (date, clock.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let mut date = date.splitn(3, '-');
    let (year, month, day) = (number(date.next()?, 4)?, number(date.next()?, 2)?, number(date.next()?, 2)?);
    let mut clock = clock.splitn(3, ':');
    let (hours, minutes) = (number(clock.next()?, 2)?, number(clock.next()?, 2)?);
    let seconds = clock.next().map_or(Some(0), |seconds| number(seconds, 2))?;
    let real = (1..=12).contains(&month) && (1..=month_days(year, month)).contains(&day);
    let on_clock = hours < 24 && minutes < 60 && seconds < 60;
    (real && on_clock).then(|| ((days(year, month, day) * 24 + hours) * 60 + minutes) * 60 + seconds)
}

fn number(text: &str, digits: usize) -> Option<i64> {
    (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

const fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// The date of a second, as [`parse`] reads it; none for years without four digits.
pub(crate) fn text(seconds: i64) -> Option<String> {
    if !(-60_000_000_000..=260_000_000_000).contains(&seconds) {
        return None;
    }
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // A year that is at most one too late.
    let mut year = 1970 + day.div_euclid(365) + 1;
    while days(year, 1, 1) > day {
        year -= 1;
    }
    let month = (1..=12).rev().find(|month| days(year, *month, 1) <= day)?;
    let date = day - days(year, month, 1) + 1;
    let (hours, minutes, seconds) = (second / 3_600, second / 60 % 60, second % 60);
    let text = format!("{year:04}-{month:02}-{date:02}T{hours:02}:{minutes:02}:{seconds:02}Z");
    (0..=9_999).contains(&year).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_dates() {
        for seconds in [0, 951_825_600, 951_868_799, 1_796_083_200, 4_294_967_295, 86_399, -1, 499_999_999] {
            let text = text(seconds).unwrap();
            assert_eq!(parse(&text), Some(seconds), "{text}");
        }
        assert_eq!(text(1 << 50), None);
    }

    #[test]
    fn dates_are_seconds() {
        let cases = [
            ("1970-01-01", Some(0)),
            ("2000-02-29T12:00Z", Some(951_825_600)),
            ("2026-12-01T00:00:00Z", Some(1_796_083_200)),
            ("2100-02-29", None),
            ("2026-13-01", None),
            ("2026-12-01T24:00Z", None),
            ("2026-12-01T00:00", None),
            ("26-12-01", None),
            ("", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse(text), seconds, "{text}");
        }
    }
}
