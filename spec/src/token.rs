//! Tokens on outputs and their prefix in the wire format.
//!
//! Source: the CashTokens specification (CHIP-2022-02). A prefix is
//! `0xef`, the 32-byte category, one byte of flags (high half) and capability (low half),
//! then the commitment with its length and the fungible amount, each only when its flag is set.

use crate::codec::{Reader, compact_size_len, write_bytes, write_compact_size};
use crate::hash::Category;

/// The byte that opens a token prefix; never an opcode.
pub const PREFIX: u8 = 0xef;

const RESERVED: u8 = 0x80;
const HAS_COMMITMENT: u8 = 0x40;
const HAS_NFT: u8 = 0x20;
const HAS_AMOUNT: u8 = 0x10;

/// The largest amount of fungible tokens.
pub const AMOUNT_MAX: u64 = i64::MAX as u64;

/// What the holder of a non-fungible token may do with its category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Capability {
    /// Nothing: the commitment is fixed.
    None = 0,
    /// Change the commitment of one token as it moves.
    Mutable = 1,
    /// Create any number of tokens of the category.
    Minting = 2,
}

/// A non-fungible token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nft {
    /// What its holder may do.
    pub capability: Capability,
    /// Its data; empty or up to the rules' limit.
    pub commitment: Vec<u8>,
}

/// The tokens on one output: a category with an amount, a non-fungible token, or both.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    /// Which kind of token.
    pub category: Category,
    /// How many fungible tokens, at most [`AMOUNT_MAX`]; zero only beside an NFT.
    pub amount: u64,
    /// The non-fungible token, if any.
    pub nft: Option<Nft>,
}

impl Token {
    /// Reads a prefix, which must start with [`PREFIX`]. `None` if it is malformed: the field then is an ordinary, unspendable script.
    #[must_use]
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        if reader.u8().ok()? != PREFIX {
            return None;
        }
        let category = Category::from_wire(reader.array().ok()?);
        let flags = reader.u8().ok()?;
        let nft = read_nft(flags, reader)?;
        let amount = if flags & HAS_AMOUNT == 0 { 0 } else { read_amount(reader)? };
        (nft.is_some() || amount > 0).then_some(Self { category, amount, nft })
    }

    /// Appends the prefix.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(PREFIX);
        out.extend_from_slice(self.category.as_wire());
        out.push(self.flags());
        if let Some(nft) = &self.nft
            && !nft.commitment.is_empty()
        {
            write_bytes(out, &nft.commitment);
        }
        if self.amount > 0 {
            write_compact_size(out, self.amount);
        }
    }

    /// The number of bytes of the prefix.
    pub(crate) fn len_bytes(&self) -> usize {
        let commitment = self.nft.as_ref().map_or(0, |nft| nft.commitment.len());
        let commitment = if commitment == 0 { 0 } else { compact_size_len(commitment as u64) + commitment };
        let amount = if self.amount == 0 { 0 } else { compact_size_len(self.amount) };
        size_of_val(&PREFIX) + size_of::<Category>() + size_of::<u8>() + commitment + amount
    }

    /// The capability of the non-fungible token, if there is one.
    #[must_use]
    pub fn capability(&self) -> Option<Capability> {
        self.nft.as_ref().map(|nft| nft.capability)
    }

    /// The category as scripts see it: its 32 bytes, and one more for a capability above none.
    #[must_use]
    pub fn category_bytes(&self) -> Vec<u8> {
        let mut bytes = self.category.as_wire().to_vec();
        bytes.extend(self.capability().map(|capability| capability as u8).filter(|capability| *capability > 0));
        bytes
    }

    fn flags(&self) -> u8 {
        let amount = if self.amount > 0 { HAS_AMOUNT } else { 0 };
        let nft = self.nft.as_ref().map_or(0, |nft| {
            let commitment = if nft.commitment.is_empty() { 0 } else { HAS_COMMITMENT };
            HAS_NFT | commitment | nft.capability as u8
        });
        amount | nft
    }
}

/// `Some(None)` where the flags name no NFT, `None` where they contradict themselves.
fn read_nft(flags: u8, reader: &mut Reader<'_>) -> Option<Option<Nft>> {
    let capability = match flags & 0x0f {
        0 => Capability::None,
        1 => Capability::Mutable,
        2 => Capability::Minting,
        _ => return None,
    };
    if flags & RESERVED != 0 {
        return None;
    }
    if flags & HAS_NFT == 0 {
        let plain = capability == Capability::None && flags & HAS_COMMITMENT == 0;
        return plain.then_some(None);
    }
    let commitment = if flags & HAS_COMMITMENT == 0 {
        Vec::new()
    } else {
        let bytes = reader.bytes().ok()?;
        (!bytes.is_empty()).then(|| bytes.to_vec())?
    };
    Some(Some(Nft { capability, commitment }))
}

fn read_amount(reader: &mut Reader<'_>) -> Option<u64> {
    let amount = reader.compact_size().ok()?;
    (1..=AMOUNT_MAX).contains(&amount).then_some(amount)
}
