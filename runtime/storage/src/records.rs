//! Records of a block file that may hold anything: whole blocks are found, whatever lies between them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use spec::Block;
use spec::codec::Reader;

use crate::files::HEAD_BYTES;

/// So much is read beyond what is needed, so that a file in which every byte may begin a record is not read for each again.
const AHEAD_BYTES: u64 = 4 << 20;

/// The records of a file from a place on. In memory are the bytes of one record and [`AHEAD_BYTES`].
pub(crate) struct Records<R> {
    window: Window<R>,
    at: u64,
    magic: [u8; 4],
    block_bytes_max: u32,
}

/// A whole block.
pub(crate) struct Found {
    pub(crate) block: Block,
    /// Where the block begins, after the record's head.
    pub(crate) offset: u64,
    pub(crate) len: u32,
}

impl Records<File> {
    pub(crate) fn open(path: &Path, at: u64, magic: [u8; 4], block_bytes_max: u32) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(Self { window: Window { file, len, start: 0, bytes: Vec::new() }, at, magic, block_bytes_max })
    }
}

impl<R: Read + Seek> Records<R> {
    /// How far the file is read.
    pub(crate) const fn at(&self) -> u64 {
        self.at
    }

    /// The next whole block. Where a record is damaged the search goes on behind its first byte.
    pub(crate) fn next(&mut self) -> io::Result<Option<Found>> {
        loop {
            let view = self.window.view(self.at, HEAD_BYTES)?;
            let Some((skipped, is_there)) = skip(view, self.magic) else { return Ok(None) };
            self.at += skipped;
            if !is_there {
                continue;
            }
            if let Some((block, len)) = self.read()? {
                let offset = self.at + HEAD_BYTES;
                self.at = offset + u64::from(len);
                return Ok(Some(Found { block, offset, len }));
            }
            self.at += 1;
        }
    }

    /// The block of the record here, if it is whole.
    fn read(&mut self) -> io::Result<Option<(Block, u32)>> {
        let mut head = Reader::new(self.window.view(self.at, HEAD_BYTES)?);
        let (Ok(_), Ok(len)) = (head.u32(), head.u32()) else { return Ok(None) };
        let end = self.at + HEAD_BYTES + u64::from(len);
        if len > self.block_bytes_max || end > self.window.len {
            return Ok(None);
        }
        let mut record = Reader::new(self.window.view(self.at, end - self.at)?);
        let Ok(block) =
            record.take(HEAD_BYTES as usize).and_then(|_| record.take(len as usize)).and_then(Block::decode)
        else {
            return Ok(None);
        };
        Ok((block.merkle_root() == block.header.merkle_root).then_some((block, len)))
    }
}

/// How many bytes may be left out before the next head, and whether that one begins there; nothing if what is left is too short for one.
fn skip(view: &[u8], magic: [u8; 4]) -> Option<(u64, bool)> {
    if (view.len() as u64) < HEAD_BYTES {
        return None;
    }
    match view.windows(magic.len()).position(|window| window == magic) {
        Some(place) => Some((place as u64, true)),
        None => Some(((view.len() - magic.len() + 1) as u64, false)),
    }
}

/// A part of a file in memory.
struct Window<R> {
    file: R,
    len: u64,
    start: u64,
    bytes: Vec<u8>,
}

impl<R: Read + Seek> Window<R> {
    /// What lies at a place: at least `need` bytes, unless the file ends before.
    fn view(&mut self, at: u64, need: u64) -> io::Result<&[u8]> {
        let end = self.start + self.bytes.len() as u64;
        if at < self.start || (at + need > end && end < self.len) || self.bytes.is_empty() {
            self.bytes.clear();
            self.file.seek(SeekFrom::Start(at))?;
            (&mut self.file).take(need + AHEAD_BYTES).read_to_end(&mut self.bytes)?;
            self.start = at;
        }
        let skipped = usize::try_from(at - self.start).unwrap_or(usize::MAX);
        Ok(self.bytes.get(skipped..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use chain::{Chain, MemoryStore, Mempool, Params, Vetting, build_template, solve};
    use spec::Network;

    use super::*;

    const MAGIC: [u8; 4] = *b"TEST";

    /// Records of the first blocks of a chain.
    fn records(count: usize) -> Vec<Vec<u8>> {
        let mut chain = Chain::open(Params::of(Network::Devnet), MemoryStore::new()).unwrap();
        let mut blocks = vec![chain.params().genesis()];
        while blocks.len() < count {
            let now = chain.tip().entry.header.time + 600;
            let mut block = build_template(&chain, &Mempool::new(chain.params()), &[0x51], b"record", now).block;
            block.header = solve(block.header, 0..=u32::MAX).unwrap();
            chain.accept_block(block.clone(), now).unwrap();
            blocks.push(block);
        }
        blocks.iter().map(|block| record(&block.encode())).collect()
    }

    fn record(bytes: &[u8]) -> Vec<u8> {
        [&MAGIC[..], &u32::try_from(bytes.len()).unwrap().to_le_bytes(), bytes].concat()
    }

    /// What is found in a file, as far as that is checked by itself, and the most bytes that were in memory.
    fn read(bytes: &[u8], block_bytes_max: u32) -> (Vec<Found>, usize) {
        let len = bytes.len() as u64;
        let window = Window { file: Cursor::new(bytes), len, start: 0, bytes: Vec::new() };
        let mut records = Records { window, at: 0, magic: MAGIC, block_bytes_max };
        let mut found: Vec<Found> = vec![];
        while let Some(next) = records.next().unwrap() {
            let at = next.offset as usize;
            assert_eq!(next.block.encode(), bytes[at..at + next.len as usize]);
            let end = found.last().map_or(0, |last| last.offset + u64::from(last.len));
            assert!(next.offset >= end + HEAD_BYTES);
            found.push(next);
        }
        (found, records.window.bytes.capacity())
    }

    #[test]
    fn whole_blocks_are_found_between_whatever_lies_there() {
        let records = records(4);
        let longest = u32::try_from(records.iter().map(Vec::len).max().unwrap()).unwrap();
        let junk: [&[u8]; 6] = [b"", b"TES", b"TEST", b"TESTTESTTESTTEST", &[0; 5000], b"TEST\xff\xff\xff\xff"];
        for junk in junk {
            let all = records.iter().flat_map(|record| [junk, record].concat()).chain(junk.iter().copied());
            let all: Vec<u8> = all.collect();
            assert_eq!(read(&all, longest).0.len(), 4);
            assert_eq!(read(&all, longest - 60).0.len(), 0, "longer than a block may be");
            assert_eq!(read(&all[..all.len() - junk.len() - 1], longest).0.len(), 3, "the last is torn");
        }
    }

    #[test]
    fn a_file_full_of_promises_takes_little_memory() {
        // What stands for the number of transactions is too large, so none of them is read far.
        let promise = [&MAGIC[..], &3_000_000u32.to_le_bytes(), &[0xff; 24]].concat();
        let (found, bytes) = read(&promise.repeat(9 << 15), 32_000_000);
        assert_eq!(found.len(), 0);
        assert!(bytes < 2 * (AHEAD_BYTES as usize + 3_000_000), "{bytes}");
    }

    #[test]
    fn ten_thousand_hostile_files_give_blocks_that_follow_each_other() {
        let records = records(8);
        let mut random = 20_261_128u64;
        let mut below = |bound: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % bound.max(1) as u64) as usize
        };
        let (mut joined, mut refused) = (0, 0);
        for _ in 0..10_000 {
            let mut bytes = records.concat();
            for _ in 0..1 + below(3) {
                let (at, len) = (below(bytes.len()), below(300));
                let end = (at + len).min(bytes.len());
                match below(6) {
                    0 if at < bytes.len() => bytes[at] ^= 1 << below(8),
                    1 => bytes.truncate(at),
                    2 => drop(bytes.drain(at..end)),
                    3 => drop(bytes.splice(at..at, records[below(8)].clone())),
                    4 => drop(bytes.splice(at..at, [&MAGIC[..], &(below(1 << 32) as u32).to_le_bytes()].concat())),
                    _ => bytes[at..end].fill(below(256) as u8),
                }
            }
            let mut vetting = Vetting::new(Params::of(Network::Devnet), &[]).unwrap();
            let mut heights = std::collections::BTreeMap::new();
            for Found { block, .. } in read(&bytes, 32_000_000).0 {
                let Ok(height) = vetting.judge(&block) else {
                    refused += 1;
                    continue;
                };
                let below = heights.get(&block.header.previous).map_or(0, |below: &u32| below + 1);
                assert_eq!(height.get(), below);
                heights.insert(block.header.hash(), below);
                joined += 1;
            }
        }
        assert!(joined > 20_000 && refused > 1_000, "{joined}, {refused}");
    }
}
