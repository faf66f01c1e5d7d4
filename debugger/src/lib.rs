//! Stepping through an input of a transaction, forwards and backwards: what every debugger of scripts is made of, whatever it looks like.
//!
//! An input runs once, and everything that the machine showed is recorded; going back is going to an earlier record. It knows no files and
//! no screen.

mod listing;
mod locals;
mod names;
mod recording;
mod session;
mod watch;

pub use listing::{Listed, lines, listing};
pub use locals::{Local, locals};
pub use recording::{End, Item, Moment, Recording, STEPS_MAX, Subject};
pub use session::{Breakpoint, Direction, Grain, Session, Stop, Stride};
pub use watch::{Watch, WatchError, shown};
