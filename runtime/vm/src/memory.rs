//! The bytes behind items: the transaction, function bodies, and an arena for what scripts make.
//!
//! The arena only grows at its end; when it has grown to twice what was alive at the last count, the live
//! items move to a new one. So making a byte string costs a copy and no allocation, and memory stays bounded.

use std::cell::Cell;
use std::rc::Rc;

use spec::SpendContext;

use crate::item::{Item, Place, Source, Span, View, short_int};

/// The arena is not tidied below this size.
const TIDY_BYTES_MIN: usize = 1 << 20;

/// The most bytes of an arena that a thread keeps for its next machine.
const SPARE_BYTES_MAX: usize = 4 << 20;

thread_local! {
    /// The arena of the machine that ran last on this thread, empty. Growing a new one takes longer than much of what scripts
    /// put there.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Where all bytes of a running machine are.
#[derive(Debug)]
pub(crate) struct Memory<'a> {
    context: &'a SpendContext<'a>,
    arena: Vec<u8>,
    codes: Vec<Rc<[u8]>>,
    tidy_at: usize,
}

impl<'a> Memory<'a> {
    pub(crate) fn new(context: &'a SpendContext<'a>) -> Self {
        Self { context, arena: SPARE.take(), codes: Vec::new(), tidy_at: TIDY_BYTES_MIN }
    }

    /// The bytes of `item`.
    #[inline]
    pub(crate) fn view(&self, item: Item) -> View<'_> {
        match item {
            Item::Int(n) => View::short(n),
            Item::Bytes(span) => View::Slice(self.slice(span)),
        }
    }

    /// The bytes of `span`.
    #[inline]
    pub(crate) fn slice(&self, span: Span) -> &[u8] {
        // Its fields go on one by one: read as one word they would have to wait for two that were written.
        let Span { source, start, len } = span;
        // Most of what scripts work on they have made.
        if source == Source::ARENA
            && let Some(bytes) = self.arena.get(start as usize..start as usize + len as usize)
        {
            return bytes;
        }
        slice(self.context, &self.codes, &self.arena, source, start, len)
    }

    /// Moves nothing from now on, however much is made.
    pub(crate) const fn keep_all(&mut self) {
        self.tidy_at = usize::MAX;
    }

    /// Keeps a function body or redeem script and says where.
    pub(crate) fn keep_code(&mut self, code: Rc<[u8]>) -> Source {
        self.codes.push(code);
        Source::pack(Place::Code(self.codes.len() - 1))
    }

    /// The end of the arena, where a new item starts.
    #[inline]
    pub(crate) const fn mark(&self) -> usize {
        self.arena.len()
    }

    /// Appends bytes to the new item.
    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.arena.extend_from_slice(bytes);
    }

    /// A new item of bytes that are too many for a number in place.
    #[inline(always)]
    pub(crate) fn keep_array<const N: usize>(&mut self, bytes: [u8; N]) -> Span {
        const { assert!(N > 8, "these could be a number in place") };
        let start = self.arena.len() as u32;
        self.arena.extend_from_slice(&bytes);
        Span { source: Source::ARENA, start, len: N as u32 }
    }

    /// A new item of these words' bytes, the highest first. They are written in its place at once: in a chain of digests each
    /// copy more is waited for.
    #[inline(always)]
    pub(crate) fn keep_words(&mut self, words: &[u32; 8]) -> Option<Span> {
        let start = self.arena.len();
        self.arena.resize(start + 32, 0);
        let bytes: &mut [u8; 32] = self.arena.get_mut(start..)?.first_chunk_mut()?;
        *bytes = words.map(u32::to_be_bytes).as_flattened().try_into().ok()?;
        Some(Span { source: Source::ARENA, start: start as u32, len: 32 })
    }

    /// Appends the bytes of `item` to the new item.
    #[inline]
    pub(crate) fn append_item(&mut self, item: Item) {
        match item {
            Item::Int(n) => self.arena.extend_from_slice(&View::short(n)),
            Item::Bytes(Span { source: Source::ARENA, start, len }) => {
                self.arena.extend_from_within(start as usize..(start + len) as usize);
            }
            Item::Bytes(span) => {
                self.arena.extend_from_slice(slice(self.context, &self.codes, &[], span.source, span.start, span.len));
            }
        }
    }

    /// The new item's bytes so far, to change.
    pub(crate) fn fresh(&mut self, mark: usize) -> &mut [u8] {
        self.arena.get_mut(mark..).unwrap_or_default()
    }

    /// The new item's bytes so far, to change, with those of an older item.
    pub(crate) fn fresh_with(&mut self, mark: usize, other: Item) -> (&mut [u8], View<'_>) {
        let (old, fresh) = self.arena.split_at_mut(mark);
        let view = match other {
            Item::Int(n) => View::short(n),
            Item::Bytes(span) => View::Slice(slice(self.context, &self.codes, old, span.source, span.start, span.len)),
        };
        (fresh, view)
    }

    /// Makes the new item `len` bytes long.
    pub(crate) fn resize_fresh(&mut self, mark: usize, len: usize) {
        self.arena.resize(mark + len, 0);
    }

    /// The new item, complete.
    #[inline]
    pub(crate) fn finish(&mut self, mark: usize) -> Item {
        let item = self.span(Source::ARENA, mark, self.arena.len() - mark);
        if matches!(item, Item::Int(_)) {
            self.arena.truncate(mark);
        }
        item
    }

    /// The item of `len` bytes from `start` of `source` on. Offsets fit because scripts and arena are far below 4 GiB.
    #[inline]
    pub(crate) fn span(&self, source: Source, start: usize, len: usize) -> Item {
        let span = Span { source, start: start as u32, len: len as u32 };
        if len > 8 {
            return Item::Bytes(span);
        }
        short_int(self.slice(span)).map_or(Item::Bytes(span), Item::Int)
    }

    pub(crate) const fn wants_tidying(&self) -> bool {
        self.arena.len() > self.tidy_at
    }

    /// Moves `items` to a new arena; every other handle to the old one becomes invalid.
    pub(crate) fn tidy<'i>(&mut self, items: impl Iterator<Item = &'i mut Item>) {
        let mut fresh = Vec::new();
        for item in items {
            if let Item::Bytes(span) = item
                && span.source == Source::ARENA
            {
                let start = fresh.len() as u32;
                fresh.extend_from_slice(slice(
                    self.context,
                    &self.codes,
                    &self.arena,
                    span.source,
                    span.start,
                    span.len,
                ));
                span.start = start;
            }
        }
        self.tidy_at = TIDY_BYTES_MIN + 2 * fresh.len();
        self.arena = fresh;
    }
}

impl Drop for Memory<'_> {
    fn drop(&mut self) {
        let mut arena = std::mem::take(&mut self.arena);
        if arena.capacity() <= SPARE_BYTES_MAX {
            arena.clear();
            // A thread that ends keeps nothing more.
            let _ = SPARE.try_with(|spare| spare.set(arena));
        }
    }
}

/// The bytes of the span with these fields.
fn slice<'s>(
    context: &'s SpendContext<'_>,
    codes: &'s [Rc<[u8]>],
    arena: &'s [u8],
    source: Source,
    start: u32,
    len: u32,
) -> &'s [u8] {
    let (tx, spent) = (context.tx(), context.spent());
    let whole = match source.unpack() {
        Place::Arena => Some(arena),
        Place::Unlock(index) => tx.inputs.get(index).map(|input| input.unlock.as_slice()),
        Place::Spent(index) => spent.get(index).map(|output| output.lock.as_slice()),
        Place::Output(index) => tx.outputs.get(index).map(|output| output.lock.as_slice()),
        Place::Code(index) => codes.get(index).map(|code| &**code),
    };
    let range = start as usize..start as usize + len as usize;
    whole.and_then(|bytes| bytes.get(range)).unwrap_or_default()
}
