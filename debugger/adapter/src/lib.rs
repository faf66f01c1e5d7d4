//! The Debug Adapter Protocol over a recorded run: what an editor asks, answered by stepping through a record in both directions.
//! It knows no files, tests or nodes: what is debugged comes from a [`Launcher`]. Each request is answered before the next is
//! looked at, but for one that wants a run to be made: until it is made, the others wait, and only who wants to end it is heard.
//!
//! ```text
//! input ─► framing ─► Request ─► Adapter: one handler for each command ─► response, then the events that follow from it
//!  a thread                         │ launch, restart: an order to the thread with the Launcher, and back
//!                                   └ all else: debugger::Session over the recording
//! ```

mod adapter;
mod breakpoints;
mod client;
mod code;
mod frames;
mod launcher;
mod making;
mod message;
mod motion;
mod running;
mod serve;
#[cfg(test)]
mod tests;
mod values;

pub use launcher::{Launcher, Refusal, Run, Source};
pub use serve::serve;
