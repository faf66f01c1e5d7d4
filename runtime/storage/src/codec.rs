//! The bytes of keys and values.
//!
//! Keys sort as their owners do: integers in keys are big-endian. Values use the wire format's primitives.

use chain::{Coin, HeaderRecord, StoreError};
use spec::codec::{Reader, write_bytes, write_compact_size};
use spec::hash::sha256;
use spec::{BlockHash, BlockHeader, Category, DecodeError, Height, OutPoint, Sats, Token, TxOut, Txid};

/// The bytes of an outpoint at the end of keys.
const OUTPOINT_BYTES: usize = 36;

/// Where the bytes of a block lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The number of the file.
    pub(crate) file: u32,
    /// Where the block begins, after the record's head.
    pub(crate) offset: u64,
    /// Its bytes.
    pub(crate) len: u32,
    /// In which kind of file it lies, and how much of it.
    pub(crate) form: Form,
}

/// How a block is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// In a block file, as on the wire.
    Plain,
    /// As on the wire in a file that was written anew because others lost data.
    Beside,
    /// In such a file, without its long data.
    Cut,
}

const FORMS: [(Form, u8); 3] = [(Form::Plain, 0), (Form::Beside, 1), (Form::Cut, 2)];

/// The end of what is kept in files: everything behind it was never confirmed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    /// The last file.
    pub(crate) file: u32,
    /// Its length.
    pub(crate) len: u64,
}

/// A header with where its block lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) record: HeaderRecord,
    pub(crate) span: Span,
}

/// Reads a whole value; bytes that are left over are damage too.
pub(crate) fn whole<'a, T>(
    bytes: &'a [u8],
    what: &'static str,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<T, StoreError> {
    let mut reader = Reader::new(bytes);
    let value = read(&mut reader).map_err(|_| StoreError::Damaged(what))?;
    reader.finish().map_err(|_| StoreError::Damaged(what))?;
    Ok(value)
}

/// What the keys of a kind begin with, among all that blocks change. Whatever writes several kinds does so in this order.
pub(crate) mod kind {
    /// Coins by outpoint.
    pub(crate) const COIN: u8 = b'c';
    /// Nothing, by the digest of a lock or a category and an outpoint.
    pub(crate) const LOCK: u8 = b'l';
    /// Places of transactions by id.
    pub(crate) const PLACE: u8 = b'p';
    /// The block that all of it belongs to.
    pub(crate) const TIP: u8 = b't';
    /// Undo records by the block's hash.
    pub(crate) const UNDO: u8 = b'u';
}

/// Keys are written one after the other into the same room.
#[derive(Default)]
pub(crate) struct KeyBuffer(Vec<u8>);

impl KeyBuffer {
    /// The key of a coin.
    pub(crate) fn coin(&mut self, outpoint: &OutPoint) -> &[u8] {
        self.key(kind::COIN, &[outpoint.txid.as_wire(), &outpoint.index.to_be_bytes()])
    }

    /// The key of a coin in the index by lock, or by category, of such a front.
    pub(crate) fn indexed(&mut self, front: Front, outpoint: &OutPoint) -> &[u8] {
        self.key(kind::LOCK, &[&front.0.to_be_bytes(), outpoint.txid.as_wire(), &outpoint.index.to_be_bytes()])
    }

    /// What the keys of all coins begin with that have such a front in the index.
    pub(crate) fn front(&mut self, front: Front) -> &[u8] {
        self.key(kind::LOCK, &[&front.0.to_be_bytes()])
    }

    /// The key of a transaction's place.
    pub(crate) fn place(&mut self, txid: &Txid) -> &[u8] {
        self.key(kind::PLACE, &[txid.as_wire()])
    }

    /// The key of a block's undo record.
    pub(crate) fn undo(&mut self, hash: &BlockHash) -> &[u8] {
        self.key(kind::UNDO, &[hash.as_wire()])
    }

    fn key(&mut self, kind: u8, parts: &[&[u8]]) -> &[u8] {
        self.0.clear();
        self.0.push(kind);
        parts.iter().for_each(|part| self.0.extend_from_slice(part));
        &self.0
    }
}

/// The outpoint at the end of a coin's key, in whichever index.
pub(crate) fn outpoint_of(key: &[u8]) -> Result<OutPoint, StoreError> {
    let (_, key) = key.split_last_chunk::<OUTPOINT_BYTES>().ok_or(StoreError::Damaged("a coin's key"))?;
    whole(key, "a coin's key", |reader| {
        Ok(OutPoint { txid: Txid::from_wire(reader.array()?), index: u32::from_be_bytes(reader.array()?) })
    })
}

/// The first bytes of a digest, by which coins are indexed: few others have the same, and whoever reads the index looks at the
/// lock or the category itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Front(u64);

impl Front {
    /// That of all coins with a lock. Locks may be longer than a key may be.
    pub(crate) fn of_lock(lock: &[u8]) -> Self {
        Self::of(&sha256(lock))
    }

    /// That of all coins with tokens of a category. They lie among those by lock.
    pub(crate) fn of_category(category: &Category) -> Self {
        Self::of(&sha256(&[b"category", &category.as_wire()[..]].concat()))
    }

    /// Those of a coin: by lock, and by category if it has tokens.
    pub(crate) fn all(coin: &Coin) -> impl Iterator<Item = Self> {
        std::iter::once(Self::of_lock(&coin.output.lock)).chain(coin.category().map(Self::of_category))
    }

    fn of(digest: &[u8; 32]) -> Self {
        Self(first_bytes(digest))
    }
}

/// The first bytes of an id as a number, in the order of ids.
pub(crate) fn first_bytes(id: &[u8; 32]) -> u64 {
    id.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

/// A coin: a code of height and coinbase, the amount, whether a token follows, the token, and the lock to the end.
///
/// The token is told by a byte of its own: a lock may open with the byte of a token's prefix and carry none.
pub(crate) fn write_coin(out: &mut Vec<u8>, coin: &Coin) {
    write_compact_size(out, u64::from(coin.height.get()) << 1 | u64::from(coin.coinbase));
    write_compact_size(out, coin.output.value.get());
    out.push(u8::from(coin.output.token.is_some()));
    if let Some(token) = &coin.output.token {
        token.write(out);
    }
    out.extend_from_slice(&coin.output.lock);
}

/// A coin of its bytes.
pub(crate) fn coin_of(bytes: &[u8]) -> Result<Coin, StoreError> {
    whole(bytes, "a coin", |reader| {
        let code = reader.compact_size()?;
        let value = Sats::from_wire(reader.compact_size()?);
        let token = match reader.u8()? {
            0 => None,
            1 => Some(Token::read(reader).ok_or(DecodeError::Truncated)?),
            _ => return Err(DecodeError::Oversized),
        };
        let lock = reader.take(reader.rest().len())?.to_vec();
        let height = u32::try_from(code >> 1).map_err(|_| DecodeError::Oversized)?;
        Ok(Coin { output: TxOut { value, token, lock }, height: Height::new(height), coinbase: code & 1 == 1 })
    })
}

/// An undo record: the coins that a block spent, in ascending order of their outpoints.
pub(crate) fn undo_bytes<'a>(coins: impl ExactSizeIterator<Item = &'a Coin>) -> Vec<u8> {
    let (mut out, mut one) = (Vec::new(), Vec::new());
    write_compact_size(&mut out, coins.len() as u64);
    for coin in coins {
        one.clear();
        write_coin(&mut one, coin);
        write_bytes(&mut out, &one);
    }
    out
}

/// The coins of an undo record.
pub(crate) fn undo_of(bytes: &[u8]) -> Result<Vec<Coin>, StoreError> {
    let parts = whole(bytes, "an undo record", |reader| {
        (0..reader.count(1)?).map(|_| reader.bytes()).collect::<Result<Vec<_>, _>>()
    })?;
    parts.into_iter().map(coin_of).collect()
}

/// A header's record and where its block lies.
pub(crate) fn kept_bytes(kept: &Kept) -> Vec<u8> {
    let mut out = kept.record.header.encode().to_vec();
    out.extend(kept.record.height.get().to_le_bytes());
    out.push(u8::from(kept.record.invalid));
    out.extend(kept.record.transactions.to_le_bytes());
    out.extend(kept.span.file.to_le_bytes());
    out.extend(kept.span.offset.to_le_bytes());
    out.extend(kept.span.len.to_le_bytes());
    out.extend(FORMS.iter().find(|(form, _)| *form == kept.span.form).map(|(_, byte)| *byte));
    out
}

/// The reverse of [`kept_bytes`].
pub(crate) fn kept_of(bytes: &[u8]) -> Result<Kept, StoreError> {
    whole(bytes, "a header's record", |reader| {
        let header = BlockHeader::read(reader)?;
        let height = Height::new(reader.u32()?);
        let invalid = match reader.u8()? {
            0 => false,
            1 => true,
            _ => return Err(DecodeError::Oversized),
        };
        let transactions = reader.u32()?;
        let (file, offset, len, byte) = (reader.u32()?, reader.u64()?, reader.u32()?, reader.u8()?);
        let form = FORMS.iter().find(|(_, known)| *known == byte).ok_or(DecodeError::Oversized)?.0;
        let span = Span { file, offset, len, form };
        Ok(Kept { record: HeaderRecord { header, height, invalid, transactions }, span })
    })
}

/// The place of a transaction: the number of its block and its position there.
pub(crate) fn place_bytes(number: u32, position: u32) -> [u8; 8] {
    (u64::from(number) << 32 | u64::from(position)).to_le_bytes()
}

/// The reverse of [`place_bytes`].
pub(crate) fn place_of(bytes: &[u8]) -> Result<(u32, u32), StoreError> {
    whole(bytes, "a transaction's place", |reader| {
        let position = reader.u32()?;
        Ok((reader.u32()?, position))
    })
}

/// The end of the files.
pub(crate) fn end_bytes(end: End) -> Vec<u8> {
    [&end.file.to_le_bytes()[..], &end.len.to_le_bytes()].concat()
}

/// The reverse of [`end_bytes`].
pub(crate) fn end_of(bytes: &[u8]) -> Result<End, StoreError> {
    whole(bytes, "the end of the block files", |reader| Ok(End { file: reader.u32()?, len: reader.u64()? }))
}

/// The number of a file.
pub(crate) fn file_of(bytes: &[u8]) -> Result<u32, StoreError> {
    whole(bytes, "the first block file", |reader| reader.u32())
}

/// A block's hash.
pub(crate) fn hash_of(bytes: &[u8]) -> Result<BlockHash, StoreError> {
    whole(bytes, "a block's hash", |reader| reader.array().map(BlockHash::from_wire))
}

/// The number of a header, from 0 in the order in which they came.
pub(crate) fn number_of(key: &[u8]) -> Result<u32, StoreError> {
    whole(key, "a header's number", |reader| reader.array().map(u32::from_be_bytes))
}
