//! How long things take, by the clock: threads wait for each other, and for the disk.

use std::time::{Duration, Instant};

/// How often each is measured; the best counts.
pub const ROUNDS: usize = 5;

/// The time of one work.
pub fn time<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed())
}

/// The time of the best of some rounds.
pub fn best(mut work: impl FnMut()) -> Duration {
    (0..ROUNDS).map(|_| time(&mut work).1).min().unwrap_or_default()
}

/// How many of `count` there are in a second.
pub fn each_second(count: usize, time: Duration) -> u128 {
    count as u128 * 1_000_000_000 / time.as_nanos().max(1)
}

/// How many times `other` a time is, in hundredths.
pub fn over(time: Duration, other: Duration) -> String {
    let hundredths = time.as_nanos() * 100 / other.as_nanos().max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
