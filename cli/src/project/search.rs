//! How far the searches of a build are, shown while they go on.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the bar is drawn.
const TICK: Duration = Duration::from_millis(100);

/// Shows a bar on standard error, if that is a terminal, while the searches of `work` go on.
pub(super) fn shown<T>(work: impl FnOnce() -> T) -> T {
    let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("searching {bar:40} {percent}%, {elapsed}") {
        bar.set_style(style);
    }
    let (before, _) = driver::progress();
    thread::scope(|scope| {
        let (over, is_over) = channel::<()>();
        scope.spawn(|| {
            let is_over = is_over;
            while is_over.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                let (done, wanted) = driver::progress();
                bar.set_length(wanted.saturating_sub(before).max(1));
                bar.set_position(done.saturating_sub(before));
            }
            bar.finish_and_clear();
        });
        let made = work();
        drop(over);
        made
    })
}
