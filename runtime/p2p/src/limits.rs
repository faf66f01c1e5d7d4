//! How much of everything there may be.

/// The most entries of an `inv`, `getdata` or `notfound`.
pub const INVENTORY_MAX: usize = 50_000;
/// The most headers of a `headers`.
pub const HEADERS_MAX: usize = 2_000;
/// The most hashes of a locator.
pub(crate) const LOCATOR_MAX: usize = 101;
/// The most addresses of an `addr`.
pub(crate) const ADDRESSES_MAX: usize = 1_000;
/// The most bytes of a peer's name for itself.
pub(crate) const AGENT_BYTES_MAX: usize = 256;
/// The most block hashes that answer a `getblocks`.
pub(crate) const GETBLOCKS_MAX: usize = 500;

/// The most bytes of a block's message.
pub(crate) const BLOCK_BYTES_MAX: usize = 32_000_000;
/// The most bytes of a transaction's message.
pub(crate) const TX_BYTES_MAX: usize = 1_000_000;
/// The most bytes of a message of unknown kind.
pub(crate) const OTHER_BYTES_MAX: usize = 65_536;
/// Messages of at most so many bytes are small: a shell may buffer one for each peer.
pub const SMALL_BYTES_MAX: usize = 256 << 10;
/// The most bytes of a message before the handshake is done.
pub const HANDSHAKE_BYTES_MAX: usize = 2_048;

/// A peer that lets more than this wait to be sent is cut off.
pub const UNSENT_BYTES_MAX: usize = 40 << 20;
/// Blocks and transactions are served while less than this waits.
pub(crate) const SERVE_BYTES: usize = 2 << 20;
/// The most requests of one peer that wait to be served.
pub(crate) const SERVE_MAX: usize = INVENTORY_MAX;
/// A peer that takes nothing for so long while something waits is cut off.
pub(crate) const SEND_STALL_MS: u64 = 60_000;

/// The most peers that called us, unless somebody says otherwise.
pub const INBOUND_MAX: usize = 125;
/// The most peers that somebody asked to be added.
pub(crate) const ADDED_MAX: usize = 64;

/// The most peers that are found and called by ourselves.
pub(crate) const FOUND_MAX: usize = 8;
/// So many addresses of one peer are looked at in each period.
pub(crate) const TOLD_MAX: usize = 1_000;
pub(crate) const TOLD_MS: u64 = 60 * 60_000;
/// How often the book is written down, if it has changed.
pub(crate) const SAVE_BOOK_MS: u64 = 5 * 60_000;

/// How long a handshake may take.
pub(crate) const HANDSHAKE_MS: u64 = 10_000;
/// How long a peer may be silent before it is asked whether it is there.
pub(crate) const PING_EVERY_MS: u64 = 60_000;
/// How long its answer may take.
pub(crate) const PONG_MS: u64 = 120_000;

/// The most blocks that one peer is asked for at a time.
pub(crate) const IN_FLIGHT_MAX: usize = 16;
/// How far ahead of the first missing block others are asked for.
pub(crate) const WINDOW: usize = 128;
/// When blocks that came too early hold so many bytes, only the first missing one is asked for.
pub(crate) const EARLY_BYTES: usize = 64 << 20;
/// How long the first missing block may take before another peer is asked too.
pub(crate) const FIRST_BLOCK_MS: u64 = 5_000;
/// How long any block may take.
pub(crate) const BLOCK_MS: u64 = 30_000;
/// How long headers may take that were asked for.
pub(crate) const HEADERS_MS: u64 = 60_000;
/// So many new headers more than our chain has may a peer show that lead to nothing heavier.
pub(crate) const LIGHT_HEADERS_MAX: usize = 20_000;
/// So many lists of headers may a peer show that follow from nothing known.
pub(crate) const UNCONNECTED_MAX: u32 = 10;
/// The most headers of an announcement; longer ones are made by the tip's hash alone.
pub(crate) const ANNOUNCED_MAX: usize = 8;

/// The most transactions that are asked for at a time, of one peer and of all.
pub(crate) const TX_REQUESTS_PEER_MAX: usize = 1_000;
pub(crate) const TX_REQUESTS_MAX: usize = 20_000;
/// So many waiting transactions are offered to a newcomer in each period.
pub(crate) const OFFERED_MAX: usize = 500;
pub(crate) const OFFER_MS: u64 = 250;
/// How long a transaction may take that was asked for.
pub(crate) const TX_MS: u64 = 30_000;
/// Inventory entries that one peer may name in each period of ten seconds.
pub(crate) const INVENTORY_RATE: usize = 200_000;
pub(crate) const RATE_MS: u64 = 10_000;
/// How many hashes are remembered of what a peer knows.
pub(crate) const SEEN_MAX: usize = 5_000;
/// How many refused transactions are remembered.
pub(crate) const REJECTS_MAX: usize = 5_000;

/// Transactions whose parents are missing: how many, of how many bytes each, for how long.
pub(crate) const ORPHANS_MAX: usize = 100;
pub(crate) const ORPHAN_BYTES_MAX: usize = 100_000;
pub(crate) const ORPHAN_MS: u64 = 20 * 60_000;
