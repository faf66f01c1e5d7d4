//! The protocol between nodes: frames and messages, and a hub that turns what peers do into what is done about it.
//!
//! It knows no socket, no clock, no thread and no rule of blocks: bytes and times come in as arguments, blocks and transactions go through [`Ledger`].

mod message;
mod wire;

mod book;
mod limits;
mod score;
mod seen;

mod ledger;

mod download;
mod orphans;
mod peer;

mod hub;

pub use book::{BOOK_MAX, Book, Place};
pub use hub::{Action, Added, Event, Hub, Options};
pub use ledger::{HeaderRefusal, HeadersSeen, Known, Ledger, TxVerdict, Verdict};
pub use limits::{HANDSHAKE_BYTES_MAX, HEADERS_MAX, INBOUND_MAX, INVENTORY_MAX, SMALL_BYTES_MAX, UNSENT_BYTES_MAX};
pub use message::{Inventory, LIMITED_SERVICES, Message, MessageError, NetAddress, SERVICES, Span, VERSION, Version};
pub use peer::{PeerId, PeerView};
pub use score::{Ban, Bans, Offence, Subnet};
pub use wire::{Frame, Framer, HEAD_BYTES, WireError, frame, magic};
