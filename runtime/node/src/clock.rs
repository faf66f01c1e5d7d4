//! The node's clock: the system's, or one that stands still.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Tells the time in seconds since 1970.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    mock: Option<u32>,
    /// How far the running clock is put forward.
    ahead_secs: u32,
}

impl Clock {
    /// A clock that runs, or stands at `mock`.
    pub(crate) fn new(mock: Option<u32>) -> Self {
        Self { started: Instant::now(), mock, ahead_secs: 0 }
    }

    /// Lets the clock stand at a time, or run again.
    pub(crate) const fn set_mock(&mut self, mock: Option<u32>) {
        self.mock = mock;
    }

    /// Where it stands, if it does.
    pub(crate) const fn mock(&self) -> Option<u32> {
        self.mock
    }

    /// Puts the clock forward, whether it runs or stands.
    pub(crate) const fn advance(&mut self, secs: u32) {
        match &mut self.mock {
            Some(time) => *time = time.saturating_add(secs),
            None => self.ahead_secs = self.ahead_secs.saturating_add(secs),
        }
    }

    /// The time.
    pub(crate) fn now(&self) -> u32 {
        self.mock.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u32::try_from(since.as_secs()).unwrap_or(u32::MAX).saturating_add(self.ahead_secs)
        })
    }

    /// Seconds since the node started, by the system's clock.
    pub(crate) fn uptime_secs(&self) -> u64 {
        self.started.elapsed().as_secs()
    }
}
