//! Block files: `blk00000.dat` and so on, in bitcoind's format. Each record is four magic bytes, a length and a block.
//!
//! Files only grow, and the oldest may go. What counts is confirmed elsewhere by an [`End`] and the first file that is left; whatever a
//! crash left beside is removed.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chain::StoreError;
use spec::{Block, Height};

use crate::codec::{End, Form, Kept, Span};
use crate::cutting::remove_if_there;

/// The magic bytes and the length in front of a block.
pub(crate) const HEAD_BYTES: u64 = 8;

/// Append-only files of blocks.
#[derive(Debug)]
pub(crate) struct BlockFiles {
    folder: PathBuf,
    magic: [u8; 4],
    bytes_max: u64,
    /// Those before it were dropped.
    first: u32,
    /// Those before it hold no long data any more, or never did.
    cut: u32,
    end: End,
    /// Whether there is something behind the end.
    is_ragged: bool,
    last: Arc<File>,
    held: BTreeMap<u32, Held>,
}

/// What a file holds.
#[derive(Debug)]
struct Held {
    bytes: u64,
    highest: Height,
}

/// A block that has its place in a file, and is not there yet.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    file: Arc<File>,
    magic: [u8; 4],
    pub(crate) span: Span,
    pub(crate) block: Arc<Block>,
}

impl Record {
    /// Writes it, and pushes it to the disk if asked. One call writes the whole record, so that a process that dies leaves all of
    /// it or a tail that is cut.
    pub(crate) fn write(&self, sync: bool) -> io::Result<()> {
        let mut record = Vec::with_capacity(HEAD_BYTES as usize + self.span.len as usize);
        record.extend_from_slice(&self.magic);
        record.extend_from_slice(&self.span.len.to_le_bytes());
        self.block.write(&mut record);
        let mut file = &*self.file;
        // A write that failed before may have left a part of a record.
        file.seek(SeekFrom::Start(self.span.offset - HEAD_BYTES))?;
        file.write_all(&record)?;
        if sync { file.sync_data() } else { Ok(()) }
    }
}

/// The part of a file behind the end.
pub(crate) struct Tail {
    pub(crate) number: u32,
    pub(crate) path: PathBuf,
    pub(crate) from: u64,
    pub(crate) len: u64,
}

/// What an error of the file system says about the store: files that end early or are gone are damage.
pub(crate) fn failed(error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::NotFound => StoreError::Damaged("a block file ends early"),
        kind => StoreError::Io(kind),
    }
}

impl BlockFiles {
    /// Opens the files of `folder` and removes those before `first`. What lies behind `end` stays until something is appended.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the files end before `end`.
    pub(crate) fn open(
        folder: &Path,
        magic: [u8; 4],
        bytes_max: u64,
        (first, cut, end): (u32, u32, End),
    ) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        remove_files(folder, PLAIN_NAME, |number| number < first).map_err(|error| failed(&error))?;
        let plain = numbers(folder, PLAIN_NAME).map_err(|error| failed(&error))?;
        // One that is not told of goes only if what it was made of is there.
        let left_over = |number| number < first || (number >= cut && plain.contains(&number));
        remove_files(folder, CUT_NAME, left_over).map_err(|error| failed(&error))?;
        let replaced = numbers(folder, CUT_NAME).map_err(|error| failed(&error))?;
        remove_files(folder, PLAIN_NAME, |number| number < cut && replaced.contains(&number))
            .map_err(|error| failed(&error))?;
        let last = open_last(folder, end).map(Arc::new).map_err(|error| failed(&error))?;
        let len = last.metadata().map_err(|error| failed(&error))?.len();
        if len < end.len {
            return Err(StoreError::Damaged("a block file ends early"));
        }
        let more = numbers(folder, PLAIN_NAME).map_err(|error| failed(&error))?.iter().any(|number| *number > end.file);
        let is_ragged = len > end.len || more;
        Ok(Self {
            folder: folder.to_owned(),
            magic,
            bytes_max,
            first,
            cut,
            end,
            is_ragged,
            last,
            held: BTreeMap::new(),
        })
    }

    /// Whether there is something behind the end.
    pub(crate) const fn is_ragged(&self) -> bool {
        self.is_ragged
    }

    /// What records begin with.
    pub(crate) const fn magic(&self) -> [u8; 4] {
        self.magic
    }

    /// What lies behind the end, file by file.
    pub(crate) fn tails(&self) -> Result<Vec<Tail>, StoreError> {
        let mut tails = Vec::new();
        for number in numbers(&self.folder, PLAIN_NAME).map_err(|error| failed(&error))? {
            let path = file_path(&self.folder, number);
            let len = fs::metadata(&path).map_err(|error| failed(&error))?.len();
            let from = if number == self.end.file { self.end.len } else { 0 };
            if number >= self.end.file && from < len {
                tails.push(Tail { number, path, from, len });
            }
        }
        Ok(tails)
    }

    /// Moves the end, after whoever knows of it has been told.
    pub(crate) fn move_end(&mut self, end: End) -> Result<(), StoreError> {
        self.last = open_last(&self.folder, end).map(Arc::new).map_err(|error| failed(&error))?;
        self.end = end;
        Ok(())
    }

    /// Cuts off what lies behind the end.
    pub(crate) fn cut(&mut self) -> Result<(), StoreError> {
        let end = self.end;
        remove_files(&self.folder, PLAIN_NAME, |number| number > end.file).map_err(|error| failed(&error))?;
        self.last.set_len(end.len).map_err(|error| failed(&error))?;
        self.is_ragged = false;
        Ok(())
    }

    /// The end of what was appended.
    pub(crate) const fn end(&self) -> End {
        self.end
    }

    /// The first file that was not dropped.
    pub(crate) const fn first(&self) -> u32 {
        self.first
    }

    /// Counts a block that lies in a file.
    pub(crate) fn count(&mut self, span: &Span, height: Height) {
        let held = self.held.entry(span.file).or_insert(Held { bytes: 0, highest: height });
        held.bytes = held.bytes.max(span.offset + u64::from(span.len));
        held.highest = held.highest.max(height);
    }

    /// The first file whose long data was not dropped yet.
    pub(crate) fn uncut(&self) -> u32 {
        self.cut.max(self.first)
    }

    /// Whether a file will not grow any more, and holds no block above `highest`.
    pub(crate) fn is_below(&self, number: u32, highest: Height) -> bool {
        number < self.end.file && self.held.get(&number).is_none_or(|held| held.highest <= highest)
    }

    /// The path of the file that a block file's blocks go to without their long data.
    pub(crate) fn cut_path(&self, number: u32) -> PathBuf {
        path_of(&self.folder, CUT_NAME, number)
    }

    /// What a record begins with.
    pub(crate) fn head(&self, form: Form, len: u32) -> Vec<u8> {
        // A reader of block files must not take for a block what is none.
        let magic = if form == Form::Cut { self.magic.map(|byte| !byte) } else { self.magic };
        [magic, len.to_le_bytes()].concat()
    }

    /// Removes a block file whose blocks lie elsewhere now, after whoever knows of them has been told.
    pub(crate) fn set_cut(&mut self, number: u32, moved: &[Kept]) -> Result<(), StoreError> {
        self.cut = number + 1;
        if moved.is_empty() {
            return Ok(());
        }
        self.held.remove(&number);
        moved.iter().for_each(|kept| self.count(&kept.span, kept.record.height));
        remove_if_there(&file_path(&self.folder, number)).map_err(|error| failed(&error))
    }

    /// The bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.held.values().map(|held| held.bytes).sum()
    }

    /// Which file would be the first if the oldest went as long as all take more than `bytes_max`, and none with a block above `highest`.
    pub(crate) fn first_after(&self, highest: Height, bytes_max: u64) -> u32 {
        let (mut bytes, mut first) = (self.bytes(), self.first);
        for (number, held) in &self.held {
            if bytes <= bytes_max || held.highest > highest || *number >= self.end.file {
                break;
            }
            (bytes, first) = (bytes - held.bytes, number + 1);
        }
        first
    }

    /// Removes the files before `first`, after whoever knows of them has been told.
    pub(crate) fn drop_before(&mut self, first: u32) -> Result<(), StoreError> {
        self.first = first;
        self.held = self.held.split_off(&first);
        remove_files(&self.folder, PLAIN_NAME, |number| number < first)
            .and_then(|()| remove_files(&self.folder, CUT_NAME, |number| number < first))
            .map_err(|error| failed(&error))
    }

    /// Makes room for a block at the end, in a new file if the last would grow too long.
    pub(crate) fn append(&mut self, block: Arc<Block>) -> Result<Record, StoreError> {
        let len = u32::try_from(block.len_bytes()).map_err(|_| StoreError::Damaged("a block is too long"))?;
        if self.is_ragged {
            self.cut()?;
        }
        let grown = self.end.len + HEAD_BYTES + u64::from(len);
        if self.end.len > 0 && grown > self.bytes_max {
            self.roll().map_err(|error| failed(&error))?;
        }
        let span = Span { file: self.end.file, offset: self.end.len + HEAD_BYTES, len, form: Form::Plain };
        self.end.len = span.offset + u64::from(len);
        Ok(Record { file: Arc::clone(&self.last), magic: self.magic, span, block })
    }

    fn roll(&mut self) -> io::Result<()> {
        let end = End { file: self.end.file + 1, len: 0 };
        self.last = Arc::new(open_last(&self.folder, end)?);
        self.last.set_len(0)?;
        self.end = end;
        Ok(())
    }

    /// The bytes of a block.
    pub(crate) fn read(&self, span: &Span) -> Result<Vec<u8>, StoreError> {
        let inside = (span.file, span.offset.saturating_add(u64::from(span.len))) <= (self.end.file, u64::MAX);
        if !inside || span.offset < HEAD_BYTES {
            return Err(StoreError::Damaged("a block lies outside of its files"));
        }
        let (head, block) = read_record(&self.folder, span).map_err(|error| failed(&error))?;
        if head != self.head(span.form, span.len) {
            return Err(StoreError::Damaged("the head of a block's record"));
        }
        Ok(block)
    }
}

/// Whether a folder holds more than the first record, which alone may be there before anything is confirmed.
pub(crate) fn hold_blocks(folder: &Path) -> Result<bool, StoreError> {
    if numbers(folder, PLAIN_NAME).map_err(|error| failed(&error))?.iter().any(|number| *number > 0) {
        return Ok(true);
    }
    let mut file = match File::open(file_path(folder, 0)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(failed(&error)),
    };
    let mut head = [0; 8];
    let Ok(()) = file.read_exact(&mut head) else { return Ok(false) };
    let first = u64::from_le_bytes(head) >> 32;
    Ok(file.metadata().map_err(|error| failed(&error))?.len() > HEAD_BYTES + first)
}

/// Opens the file of `end` for writing.
fn open_last(folder: &Path, end: End) -> io::Result<File> {
    // A file that something is kept in must be there.
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(end.len == 0);
    options.open(file_path(folder, end.file))
}

fn read_record(folder: &Path, span: &Span) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let name = if span.form == Form::Plain { PLAIN_NAME } else { CUT_NAME };
    let mut file = File::open(path_of(folder, name, span.file))?;
    let start = span.offset - HEAD_BYTES;
    // A length that damage made up allocates nothing: it must lie within the file.
    let end = span.offset.saturating_add(u64::from(span.len));
    if end > file.metadata()?.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    file.seek(SeekFrom::Start(start))?;
    let (mut head, mut block) = (Vec::new(), Vec::new());
    (&mut file).take(HEAD_BYTES).read_to_end(&mut head)?;
    file.take(u64::from(span.len)).read_to_end(&mut block)?;
    Ok((head, block))
}

/// What the names of block files begin with, and those of files without long data.
pub(crate) const PLAIN_NAME: &str = "blk";
pub(crate) const CUT_NAME: &str = "cut";

/// The numbers of the files of one kind in a folder, in ascending order.
pub(crate) fn numbers(folder: &Path, kind: &str) -> io::Result<Vec<u32>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_prefix(kind)?.strip_suffix(".dat"));
        numbers.extend(digits.and_then(|digits| digits.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes files of one kind, the oldest first.
fn remove_files(folder: &Path, kind: &str, goes: impl Fn(u32) -> bool) -> io::Result<()> {
    numbers(folder, kind)?
        .into_iter()
        .filter(|number| goes(*number))
        .try_for_each(|number| fs::remove_file(path_of(folder, kind, number)))
}

/// The path of a block file.
pub(crate) fn file_path(folder: &Path, number: u32) -> PathBuf {
    path_of(folder, PLAIN_NAME, number)
}

fn path_of(folder: &Path, kind: &str, number: u32) -> PathBuf {
    folder.join(format!("{kind}{number:05}.dat"))
}
