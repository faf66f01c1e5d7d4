//! Messages and their bytes.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use spec::codec::{DecodeError, Reader, write_bytes, write_compact_size};
use spec::{Block, BlockHash, BlockHeader, Transaction, Txid};

use crate::limits::{ADDRESSES_MAX, AGENT_BYTES_MAX, HEADERS_MAX, INVENTORY_MAX, LOCATOR_MAX};
use crate::wire::{Frame, frame};

/// The version of the protocol that we speak.
pub const VERSION: u32 = 70_016;
/// What we serve: all blocks, of a Bitcoin Cash chain.
pub const SERVICES: u64 = 1 | 1 << 5;
/// What a node serves that drops old blocks: the last 288.
pub const LIMITED_SERVICES: u64 = 1 << 10 | 1 << 5;

/// What a node says of itself first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The protocol's version.
    pub version: u32,
    /// What it serves, one bit each.
    pub services: u64,
    /// Its time, in seconds since 1970.
    pub time: i64,
    /// How it sees the other.
    pub receiver: NetAddress,
    /// How it sees itself.
    pub sender: NetAddress,
    /// A random number, by which a node that calls itself knows itself.
    pub nonce: u64,
    /// Its name.
    pub agent: String,
    /// The height of its tip.
    pub height: i32,
    /// Whether it wants to hear of transactions.
    pub relay: bool,
}

/// An address as the wire has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetAddress {
    /// What its node serves.
    pub services: u64,
    /// Where.
    pub socket: SocketAddr,
}

/// What an `inv` or a `getdata` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Inventory {
    /// A transaction.
    Tx(Txid),
    /// A block.
    Block(BlockHash),
    /// Something else, by its kind.
    Other(u32, [u8; 32]),
}

/// A stretch of a chain that somebody asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Hashes of the asker's chain from its tip downward.
    pub locator: Vec<BlockHash>,
    /// Where to stop; zero for as far as it goes.
    pub stop: BlockHash,
}

/// What nodes say to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The first thing each says.
    Version(Box<Version>),
    /// The other's version will do.
    Verack,
    /// Are you there?
    Ping(u64),
    /// I am.
    Pong(u64),
    /// Which headers come after these?
    GetHeaders(Span),
    /// Headers that follow each other.
    Headers(Vec<BlockHeader>),
    /// Announce blocks by their headers.
    SendHeaders,
    /// Which blocks come after these?
    GetBlocks(Span),
    /// I have these.
    Inv(Vec<Inventory>),
    /// Send me these.
    GetData(Vec<Inventory>),
    /// I do not have these.
    NotFound(Vec<Inventory>),
    /// A block.
    Block(Box<Block>),
    /// A transaction.
    Tx(Box<Transaction>),
    /// Do not tell me of transactions that pay less, in satoshis for 1,000 bytes.
    FeeFilter(u64),
    /// Which transactions wait?
    Mempool,
    /// Nodes and when they were last heard of.
    Addr(Vec<(u32, NetAddress)>),
    /// Which nodes do you know?
    GetAddr,
    /// Something that concerns us not.
    Other,
}

/// Why a frame's bytes are not the message that its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad message: {0}")]
pub struct MessageError(#[from] DecodeError);

impl Message {
    /// The name on the wire.
    #[must_use]
    pub const fn command(&self) -> &'static str {
        match self {
            Self::Version(_) => "version",
            Self::Verack => "verack",
            Self::Ping(_) => "ping",
            Self::Pong(_) => "pong",
            Self::GetHeaders(_) => "getheaders",
            Self::Headers(_) => "headers",
            Self::SendHeaders => "sendheaders",
            Self::GetBlocks(_) => "getblocks",
            Self::Inv(_) => "inv",
            Self::GetData(_) => "getdata",
            Self::NotFound(_) => "notfound",
            Self::Block(_) => "block",
            Self::Tx(_) => "tx",
            Self::FeeFilter(_) => "feefilter",
            Self::Mempool => "mempool",
            Self::Addr(_) => "addr",
            Self::GetAddr => "getaddr",
            Self::Other => "other",
        }
    }

    /// The bytes of the whole frame.
    #[must_use]
    pub fn to_frame(&self, magic: [u8; 4]) -> Vec<u8> {
        frame(magic, self.command(), &self.encode())
    }

    /// The bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Version(version) => write_version(&mut out, version),
            Self::Ping(number) | Self::Pong(number) | Self::FeeFilter(number) => out.extend(number.to_le_bytes()),
            Self::GetHeaders(span) | Self::GetBlocks(span) => write_span(&mut out, span),
            Self::Headers(headers) => {
                write_compact_size(&mut out, headers.len() as u64);
                // Each is a block without transactions.
                headers.iter().for_each(|header| out.extend(header.encode().into_iter().chain([0])));
            }
            Self::Inv(items) | Self::GetData(items) | Self::NotFound(items) => write_inventory(&mut out, items),
            Self::Block(block) => out = block.encode(),
            Self::Tx(tx) => tx.write(&mut out),
            Self::Addr(addresses) => {
                write_compact_size(&mut out, addresses.len() as u64);
                for (time, address) in addresses {
                    out.extend(time.to_le_bytes());
                    write_address(&mut out, address);
                }
            }
            Self::Verack | Self::SendHeaders | Self::Mempool | Self::GetAddr | Self::Other => {}
        }
        out
    }

    /// Reads the message that a frame's name says. Unknown names and `reject` are [`Message::Other`].
    ///
    /// # Errors
    /// [`MessageError`] if the bytes are another thing, end too soon, go on, or count too much.
    pub fn decode(frame: &Frame) -> Result<Self, MessageError> {
        let mut reader = Reader::new(&frame.payload);
        let message = match frame.command.as_str() {
            "version" => return Ok(Self::Version(Box::new(read_version(&mut reader)?))),
            "verack" => Self::Verack,
            // Before BIP 31 a ping had no number.
            "ping" if frame.payload.is_empty() => Self::Other,
            "ping" => Self::Ping(reader.u64()?),
            "pong" => Self::Pong(reader.u64()?),
            "getheaders" => Self::GetHeaders(read_span(&mut reader)?),
            "headers" => Self::Headers(read_headers(&mut reader)?),
            "sendheaders" => Self::SendHeaders,
            "getblocks" => Self::GetBlocks(read_span(&mut reader)?),
            "inv" => Self::Inv(read_inventory(&mut reader)?),
            "getdata" => Self::GetData(read_inventory(&mut reader)?),
            "notfound" => Self::NotFound(read_inventory(&mut reader)?),
            "block" => return Ok(Self::Block(Box::new(Block::decode(&frame.payload)?))),
            "tx" => return Ok(Self::Tx(Box::new(Transaction::decode(&frame.payload)?))),
            "feefilter" => Self::FeeFilter(reader.u64()?),
            "mempool" => Self::Mempool,
            "addr" => Self::Addr(read_addresses(&mut reader)?),
            "getaddr" => Self::GetAddr,
            _ => return Ok(Self::Other),
        };
        reader.finish()?;
        Ok(message)
    }
}

fn write_version(out: &mut Vec<u8>, version: &Version) {
    out.extend(version.version.to_le_bytes());
    out.extend(version.services.to_le_bytes());
    out.extend(version.time.to_le_bytes());
    write_address(out, &version.receiver);
    write_address(out, &version.sender);
    out.extend(version.nonce.to_le_bytes());
    write_bytes(out, version.agent.as_bytes());
    out.extend(version.height.to_le_bytes());
    out.push(u8::from(version.relay));
}

/// Later versions may say more, so bytes may be left over.
fn read_version(reader: &mut Reader<'_>) -> Result<Version, DecodeError> {
    let (version, services) = (reader.u32()?, reader.u64()?);
    let time = i64::from_le_bytes(reader.array()?);
    let (receiver, sender) = (read_address(reader)?, read_address(reader)?);
    let nonce = reader.u64()?;
    let agent = reader.bytes()?;
    if agent.len() > AGENT_BYTES_MAX {
        return Err(DecodeError::Oversized);
    }
    // It is shown to people, so it is text without control characters.
    let agent = agent.iter().map(|byte| if matches!(byte, 0x20..=0x7e) { char::from(*byte) } else { '?' }).collect();
    let height = i32::from_le_bytes(reader.array()?);
    let relay = reader.u8().ok().is_none_or(|byte| byte != 0);
    Ok(Version { version, services, time, receiver, sender, nonce, agent, height, relay })
}

fn write_address(out: &mut Vec<u8>, address: &NetAddress) {
    let ip = match address.socket.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    out.extend(address.services.to_le_bytes());
    out.extend(ip.octets());
    out.extend(address.socket.port().to_be_bytes());
}

fn read_address(reader: &mut Reader<'_>) -> Result<NetAddress, DecodeError> {
    let services = reader.u64()?;
    let ip = Ipv6Addr::from(reader.array::<16>()?);
    let ip = ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4);
    let port = u16::from_be_bytes(reader.array()?);
    Ok(NetAddress { services, socket: SocketAddr::new(ip, port) })
}

fn read_addresses(reader: &mut Reader<'_>) -> Result<Vec<(u32, NetAddress)>, DecodeError> {
    let count = count(reader, 30, ADDRESSES_MAX)?;
    (0..count).map(|_| Ok((reader.u32()?, read_address(reader)?))).collect()
}

fn write_span(out: &mut Vec<u8>, span: &Span) {
    out.extend(VERSION.to_le_bytes());
    write_compact_size(out, span.locator.len() as u64);
    span.locator.iter().chain([&span.stop]).for_each(|hash| out.extend(hash.as_wire()));
}

fn read_span(reader: &mut Reader<'_>) -> Result<Span, DecodeError> {
    reader.u32()?;
    let count = count(reader, 32, LOCATOR_MAX)?;
    let locator = (0..count).map(|_| reader.array().map(BlockHash::from_wire)).collect::<Result<_, _>>()?;
    Ok(Span { locator, stop: BlockHash::from_wire(reader.array()?) })
}

fn read_headers(reader: &mut Reader<'_>) -> Result<Vec<BlockHeader>, DecodeError> {
    let count = count(reader, 81, HEADERS_MAX)?;
    let one = |reader: &mut Reader<'_>| {
        let header = BlockHeader::read(reader)?;
        // A header is sent as a block without transactions.
        if reader.u8()? == 0 { Ok(header) } else { Err(DecodeError::Trailing) }
    };
    (0..count).map(|_| one(reader)).collect()
}

const TX: u32 = 1;
const BLOCK: u32 = 2;

fn write_inventory(out: &mut Vec<u8>, items: &[Inventory]) {
    write_compact_size(out, items.len() as u64);
    for item in items {
        let (kind, hash) = match item {
            Inventory::Tx(txid) => (TX, txid.as_wire()),
            Inventory::Block(hash) => (BLOCK, hash.as_wire()),
            Inventory::Other(kind, hash) => (*kind, hash),
        };
        out.extend(kind.to_le_bytes());
        out.extend(hash);
    }
}

fn read_inventory(reader: &mut Reader<'_>) -> Result<Vec<Inventory>, DecodeError> {
    let count = count(reader, 36, INVENTORY_MAX)?;
    let one = |reader: &mut Reader<'_>| {
        let (kind, hash) = (reader.u32()?, reader.array()?);
        Ok(match kind {
            TX => Inventory::Tx(Txid::from_wire(hash)),
            BLOCK => Inventory::Block(BlockHash::from_wire(hash)),
            other => Inventory::Other(other, hash),
        })
    };
    (0..count).map(|_| one(reader)).collect()
}

fn count(reader: &mut Reader<'_>, each: usize, max: usize) -> Result<usize, DecodeError> {
    let count = reader.count(each)?;
    if count > max { Err(DecodeError::Oversized) } else { Ok(count) }
}
