//! Blocks and headers as bitcoind shows them.

use chain::HeaderEntry;
use spec::{BlockHash, CompactTarget, Txid};

use crate::json::{Json, object, text};

/// A header and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct PlacedHeader {
    /// The header, its height and work.
    pub(crate) entry: HeaderEntry,
    /// One for the tip, more below it, −1 off the active chain.
    pub(crate) confirmations: i64,
    /// The median time of this block and the ten below.
    pub(crate) median_time: u32,
    /// The block above on the active chain.
    pub(crate) next: Option<BlockHash>,
    /// How many transactions the block has.
    pub(crate) transactions: u32,
}

/// A header with its context.
pub(crate) fn header(placed: &PlacedHeader) -> Json {
    let PlacedHeader { entry, .. } = placed;
    let header = &entry.header;
    let previous = (header.previous != BlockHash::default()).then(|| text(header.previous));
    object([
        ("hash", text(header.hash())),
        ("confirmations", Json::from(placed.confirmations)),
        ("height", Json::from(entry.height)),
        ("version", Json::from(header.version)),
        ("versionHex", Json::Text(format!("{:08x}", header.version))),
        // A Merkle root is shown reversed, as transaction ids are.
        ("merkleroot", text(Txid::from_wire(header.merkle_root))),
        ("time", Json::from(header.time)),
        ("mediantime", Json::from(placed.median_time)),
        ("nonce", Json::from(header.nonce)),
        ("bits", bits(header.bits)),
        ("difficulty", difficulty(header.bits)),
        ("chainwork", work(entry.work)),
        ("nTx", Json::from(placed.transactions)),
    ])
    .with_some("previousblockhash", previous)
    .with_some("nextblockhash", placed.next.map(text))
}

/// A compact target's four bytes.
pub(crate) fn bits(bits: CompactTarget) -> Json {
    Json::Text(format!("{:08x}", bits.0))
}

/// A target as the 32 bytes that a hash may not exceed.
pub(crate) fn target(bits: CompactTarget) -> Json {
    Json::Text(hex::encode(bits.target().unwrap_or_default()))
}

/// The work of a chain as 32 bytes.
pub(crate) fn work(work: u128) -> Json {
    Json::Text(format!("{work:064x}"))
}

/// How much harder a target is than `0x1d00ffff`, to 20 significant digits, more than a double holds, and without an exponent.
pub(crate) fn difficulty(bits: CompactTarget) -> Json {
    Json::Number(ratio(bits).map_or_else(|| "0".to_owned(), |(over, under)| decimal(over, under)))
}

/// `0xffff · 256^(29 − exponent) / mantissa` as a fraction; `None` for what no chain here can have as a target.
fn ratio(bits: CompactTarget) -> Option<(u128, u128)> {
    let (exponent, mantissa) = (bits.0 >> 24, u128::from(bits.0 & 0x007f_ffff));
    let (up, down) = (29u32.saturating_sub(exponent), exponent.saturating_sub(29));
    let fits = mantissa != 0 && up <= 14 && down <= 6;
    fits.then(|| (0xffff << (8 * up), mantissa << (8 * down)))
}

fn decimal(over: u128, under: u128) -> String {
    const SIGNIFICANT: usize = 20;
    const PLACES_MAX: usize = 40;
    let whole = over / under;
    let mut digits = whole.to_string();
    let mut significant = if whole == 0 { 0 } else { digits.len() };
    let mut rest = over % under;
    let mut places = 0;
    while rest != 0 && significant < SIGNIFICANT && places < PLACES_MAX {
        if places == 0 {
            digits.push('.');
        }
        // The remainder is below a mantissa of 23 bits shifted by at most 48, so ten times it fits.
        rest *= 10;
        let digit = rest / under;
        rest %= under;
        digits.push_str(&digit.to_string());
        places += 1;
        significant += usize::from(significant > 0 || digit != 0);
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn difficulties_are_those_of_bitcoind() {
        for (bits, shown) in [
            (0x1d00_ffff, "1"),
            (0x207f_ffff, "0.00000000046565423739069247246"),
            (0x1b04_04cb, "16307.420938523983278"),
            (0x1715_a35c, "13008091666971.897810"),
            (0, "0"),
            (0xff12_3456, "0"),
        ] {
            assert_eq!(difficulty(CompactTarget(bits)).to_string(), shown, "{bits:08x}");
        }
    }
}
