//! Frames: what says where a message ends, and that it came whole.

use spec::Network;
use spec::hash::sha256d;

use crate::limits;

/// Magic, command, length and checksum.
pub const HEAD_BYTES: usize = 24;

/// What every frame of a network opens with. The devnet's is that of other nodes' test chains, so that their tools can talk to it.
#[must_use]
pub const fn magic(network: Network) -> [u8; 4] {
    match network {
        Network::Devnet => [0xda, 0xb5, 0xbf, 0xfa],
        Network::Test => [0xb1, 0x7d, 0xe1, 0x7e],
        Network::Main => [0xb1, 0x7d, 0xe1, 0x3a],
    }
}

/// A message's name and bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The name, without the zeros behind it.
    pub command: String,
    /// The bytes, whose checksum is right.
    pub payload: Vec<u8>,
}

/// Why bytes are no frame; nothing after it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// They are of another network, or of no node.
    #[error("wrong magic")]
    Magic,
    /// The name is none.
    #[error("bad command")]
    Command,
    /// The message would be longer than any of its kind.
    #[error("message too long")]
    Length,
    /// The bytes are not those that were sent.
    #[error("bad checksum")]
    Checksum,
}

/// Cuts a stream of bytes into frames. It holds no more than one frame and what was pushed last.
#[derive(Debug)]
pub struct Framer {
    magic: [u8; 4],
    buffer: Vec<u8>,
    at: usize,
}

impl Framer {
    /// Begins with the first byte of a stream.
    #[must_use]
    pub const fn new(magic: [u8; 4]) -> Self {
        Self { magic, buffer: Vec::new(), at: 0 }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.at > 0 {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// Whether no part of a frame is there.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.at == self.buffer.len()
    }

    /// How many bytes the message has that comes next, as soon as its frame's head is there.
    ///
    /// # Errors
    /// [`WireError`] if the head is none.
    pub fn announced(&self) -> Result<Option<usize>, WireError> {
        Ok(head(self.rest(), self.magic)?.map(|head| head.len))
    }

    /// The next frame, if it is there. It is checked only when it is whole, but its head as soon as that is there.
    ///
    /// # Errors
    /// [`WireError`]; there is no frame after it.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, WireError> {
        let Some(head) = head(self.rest(), self.magic)? else { return Ok(None) };
        let Some(payload) = self.rest().get(HEAD_BYTES..HEAD_BYTES + head.len) else { return Ok(None) };
        if !sha256d(payload).starts_with(&head.checksum) {
            return Err(WireError::Checksum);
        }
        let frame = Frame { command: head.command, payload: payload.to_vec() };
        self.at += HEAD_BYTES + head.len;
        if self.at == self.buffer.len() {
            // A long message must not hold its memory for ever.
            (self.buffer, self.at) = (Vec::new(), 0);
        }
        Ok(Some(frame))
    }
}

struct Head {
    command: String,
    len: usize,
    checksum: [u8; 4],
}

fn head(bytes: &[u8], magic: [u8; 4]) -> Result<Option<Head>, WireError> {
    let shown = bytes.len().min(4);
    if bytes.get(..shown) != magic.get(..shown) {
        return Err(WireError::Magic);
    }
    let mut reader = spec::codec::Reader::new(bytes);
    let parts = (reader.array::<4>(), reader.array::<12>(), reader.u32(), reader.array::<4>());
    let (Ok(_), Ok(command), Ok(len), Ok(checksum)) = parts else { return Ok(None) };
    let command = name_of(&command).ok_or(WireError::Command)?;
    let len = usize::try_from(len).map_err(|_| WireError::Length)?;
    if len > bytes_max(&command) { Err(WireError::Length) } else { Ok(Some(Head { command, len, checksum })) }
}

/// Letters, then zeros.
fn name_of(field: &[u8; 12]) -> Option<String> {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    let (name, zeros) = field.split_at_checked(end)?;
    let good = !name.is_empty() && name.iter().all(u8::is_ascii_graphic) && zeros.iter().all(|byte| *byte == 0);
    good.then(|| name.iter().map(|byte| char::from(*byte)).collect())
}

/// The most bytes of a message of this name.
fn bytes_max(command: &str) -> usize {
    match command {
        "block" => limits::BLOCK_BYTES_MAX,
        "tx" => limits::TX_BYTES_MAX,
        "headers" => 3 + 81 * limits::HEADERS_MAX,
        "inv" | "getdata" | "notfound" => 3 + 36 * limits::INVENTORY_MAX,
        "getheaders" | "getblocks" => 4 + 1 + 32 * (limits::LOCATOR_MAX + 1),
        "addr" => 3 + 30 * limits::ADDRESSES_MAX,
        "version" => 1_024,
        _ => limits::OTHER_BYTES_MAX,
    }
}

/// The bytes of a frame. `command` has at most twelve letters.
#[must_use]
pub fn frame(magic: [u8; 4], command: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD_BYTES + payload.len());
    out.extend(magic);
    out.extend(command.bytes().chain(std::iter::repeat(0)).take(12));
    out.extend(u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend(sha256d(payload).into_iter().take(4));
    out.extend_from_slice(payload);
    out
}
