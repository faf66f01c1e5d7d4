//! The node's clock: the system's, or one that stands still.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Tells the time in seconds since 1970.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    mock: Option<u32>,
}

impl Clock {
    /// A clock that runs, or stands at `mock`.
    pub(crate) fn new(mock: Option<u32>) -> Self {
        Self { started: Instant::now(), mock }
    }

    /// Lets the clock stand at a time, or run again.
    pub(crate) const fn set_mock(&mut self, mock: Option<u32>) {
        self.mock = mock;
    }

    /// The time.
    pub(crate) fn now(&self) -> u32 {
        self.mock.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u32::try_from(since.as_secs()).unwrap_or(u32::MAX)
        })
    }

    /// Seconds since the node started, by the system's clock.
    pub(crate) fn uptime_secs(&self) -> u64 {
        self.started.elapsed().as_secs()
    }
}
