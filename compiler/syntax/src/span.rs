//! Places in a source: relative to an item, so that an edit elsewhere leaves them alone.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A half-open byte range, relative to the start of its item (or of the file, see [`Loc`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte; never before `start`.
    pub end: u32,
}

impl Span {
    /// The bytes from `start` up to `end`; an `end` before `start` gives the empty span at `start`.
    pub fn new(start: u32, end: u32) -> Span {
        Span { start, end: end.max(start) }
    }

    /// The empty span at `at`.
    pub fn point(at: u32) -> Span {
        Span { start: at, end: at }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Span {
        Span::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// The same bytes counted from `base` bytes earlier: from item-relative to file-absolute.
    pub fn shifted(self, base: u32) -> Span {
        Span { start: self.start.saturating_add(base), end: self.end.saturating_add(base) }
    }

    /// Whether the byte offset lies inside or just after the span, as a cursor does.
    pub fn touches(self, offset: u32) -> bool {
        self.start <= offset && offset <= self.end
    }

    /// Length in bytes.
    pub fn len(self) -> u32 {
        self.end - self.start
    }

    /// Whether the span holds no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The span as a range for slicing text.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Which source file; the driver hands the numbers out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// What an item declares, as far as its first words tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ItemKind {
    /// `use a::b;`
    Use,
    /// `const NAME: T = e;`
    Const,
    /// `struct Name { .. }`
    Struct,
    /// `enum Name { .. }`
    Enum,
    /// `fn name(..) { .. }`
    Fn,
    /// `contract Name(..) { .. }`
    Contract,
    /// `reward Name { .. }`
    Reward,
    /// `model Name { .. }`
    Model,
    /// `imi Name { .. }`
    Imi,
    /// `imo Name for Other { .. }`
    Imo,
    /// `plan name(..) { .. }`
    Plan,
    /// `test name { .. }`
    Test,
    /// `property name(..) { .. }`
    Property,
    /// Text that starts no known item.
    Error,
    /// Everything after the last item that a file may have.
    Rest,
}

impl ItemKind {
    /// The keyword that opens such an item, or `item` where there is none.
    pub fn word(self) -> &'static str {
        match self {
            ItemKind::Use => "use",
            ItemKind::Const => "const",
            ItemKind::Struct => "struct",
            ItemKind::Enum => "enum",
            ItemKind::Fn => "fn",
            ItemKind::Contract => "contract",
            ItemKind::Reward => "reward",
            ItemKind::Model => "model",
            ItemKind::Imi => "imi",
            ItemKind::Imo => "imo",
            ItemKind::Plan => "plan",
            ItemKind::Test => "test",
            ItemKind::Property => "property",
            ItemKind::Error | ItemKind::Rest => "item",
        }
    }
}

/// The name of an item inside its file; it does not move when other items are edited.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemKey {
    /// What is declared.
    pub kind: ItemKind,
    /// The declared name; empty when the text gives none.
    pub name: Arc<str>,
    /// How many items of the same kind and name stand before this one in the file.
    pub nth: u32,
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.name)?;
        match self.nth {
            0 => Ok(()),
            nth => write!(f, " #{nth}"),
        }
    }
}

/// A place in a program. With an `item` the span counts from that item's start, without one from the
/// start of the file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Loc {
    /// The file.
    pub file: FileId,
    /// The item the span is relative to; `None` means the file itself.
    pub item: Option<ItemKey>,
    /// The bytes.
    pub span: Span,
}

impl Loc {
    /// A place inside an item.
    pub fn in_item(file: FileId, item: ItemKey, span: Span) -> Loc {
        Loc { file, item: Some(item), span }
    }

    /// A place counted from the start of the file.
    pub fn in_file(file: FileId, span: Span) -> Loc {
        Loc { file, item: None, span }
    }
}
