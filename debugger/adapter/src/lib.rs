//! The Debug Adapter Protocol over a recorded run: what an editor asks, answered by stepping through a record in both directions.
//! It knows no files, tests or nodes: what is debugged comes from a [`Launcher`]. It has no threads either; each request is
//! answered before the next is read.
//!
//! ```text
//! input ─► framing ─► Request ─► Adapter: one handler for each command ─► response, then the events that follow from it
//!                                   │ launch, restart: Launcher
//!                                   └ all else: debugger::Session over the recording
//! ```

mod adapter;
mod breakpoints;
mod client;
mod code;
mod frames;
mod launcher;
mod message;
mod motion;
mod running;
#[cfg(test)]
mod tests;
mod values;

use std::io::{self, BufRead, Write};

pub use launcher::{Launcher, Refusal, Run, Source};

use crate::adapter::Adapter;

/// A longer message is none: the longest is a launch with a transaction in it.
const MESSAGE_BYTES_MAX: usize = 32 << 20;

/// Serves one client until it disconnects, or until there is no more to read. Says whether a client has spoken.
///
/// # Errors
/// What `output` fails with.
pub fn serve(input: &mut impl BufRead, output: &mut impl Write, launcher: &mut dyn Launcher) -> io::Result<bool> {
    let mut adapter = Adapter::new(launcher);
    while let Some(body) = framing::read(input, MESSAGE_BYTES_MAX) {
        adapter.answer(&body, output)?;
        if adapter.has_left() {
            return Ok(true);
        }
    }
    Ok(adapter.was_greeted())
}
