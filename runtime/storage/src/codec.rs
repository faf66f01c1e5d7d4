//! The bytes of keys and values.
//!
//! Keys sort as their owners do: integers in keys are big-endian. Values use the wire format's primitives.

use chain::{Coin, HeaderRecord, StoreError};
use spec::codec::{Reader, write_bytes, write_compact_size};
use spec::hash::sha256;
use spec::{BlockHash, BlockHeader, Category, DecodeError, Height, OutPoint, Sats, Token, TxOut, Txid};

/// The bytes of an outpoint as a key.
pub(crate) const OUTPOINT_BYTES: usize = 36;

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

/// The key of a coin.
pub(crate) fn outpoint_key(outpoint: &OutPoint) -> [u8; OUTPOINT_BYTES] {
    let mut key = [0; OUTPOINT_BYTES];
    let bytes = outpoint.txid.as_wire().iter().copied().chain(outpoint.index.to_be_bytes());
    key.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    key
}

/// The outpoint of a coin's key.
pub(crate) fn outpoint_of(key: &[u8]) -> Result<OutPoint, StoreError> {
    whole(key, "a coin's key", |reader| {
        Ok(OutPoint { txid: Txid::from_wire(reader.array()?), index: u32::from_be_bytes(reader.array()?) })
    })
}

/// Bytes of a lock's digest in the index: few others have the same, and whoever reads it looks at the lock itself.
const LOCK_BYTES: usize = 8;

/// The front of the keys of all coins with a lock. Locks may be longer than a key may be, so it is of their digest.
pub(crate) fn lock_key(lock: &[u8]) -> [u8; LOCK_BYTES] {
    sha256(lock).first_chunk().copied().unwrap_or_default()
}

/// The front of the keys of all coins with tokens of a category. They lie among those by lock.
pub(crate) fn category_key(category: &Category) -> [u8; LOCK_BYTES] {
    sha256(&[b"category", &category.as_wire()[..]].concat()).first_chunk().copied().unwrap_or_default()
}

/// The key of one coin in the index by lock, and the one by category if it has tokens.
pub(crate) fn index_keys(outpoint: &OutPoint, coin: &Coin) -> impl Iterator<Item = [u8; LOCK_BYTES + OUTPOINT_BYTES]> {
    let by_lock = std::iter::once(lock_key(&coin.output.lock));
    let outpoint = outpoint_key(outpoint);
    by_lock.chain(coin.category().map(category_key)).map(move |front| {
        let mut key = [0; LOCK_BYTES + OUTPOINT_BYTES];
        key.iter_mut().zip(front.into_iter().chain(outpoint)).for_each(|(to, from)| *to = from);
        key
    })
}

/// A coin: a code of height and coinbase, the amount, whether a token follows, the token, and the lock to the end.
///
/// The token is told by a byte of its own: a lock may open with the byte of a token's prefix and carry none.
pub(crate) fn coin_bytes(coin: &Coin) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + coin.output.lock.len());
    write_compact_size(&mut out, u64::from(coin.height.get()) << 1 | u64::from(coin.coinbase));
    write_compact_size(&mut out, coin.output.value.get());
    out.push(u8::from(coin.output.token.is_some()));
    if let Some(token) = &coin.output.token {
        token.write(&mut out);
    }
    out.extend_from_slice(&coin.output.lock);
    out
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
    let mut out = Vec::new();
    write_compact_size(&mut out, coins.len() as u64);
    coins.for_each(|coin| write_bytes(&mut out, &coin_bytes(coin)));
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
