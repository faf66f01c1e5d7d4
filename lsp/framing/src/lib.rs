//! Messages behind their lengths, as editors send them through pipes: `Content-Length: N`, an empty line, N bytes.
//! It knows no protocol, and nothing of what is in a message.

mod message;

pub use message::{read, write};
