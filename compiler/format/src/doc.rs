//! Documents: texts and the places where lines may break.

/// A document that borrows from the source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Doc<'a> {
    /// A text that stays whole. It holds no line break unless it is a block comment.
    Text(&'a str),
    /// A space, or a line break if the group around is broken.
    Line,
    /// Nothing, or a line break if the group around is broken.
    SoftLine,
    /// A line break.
    Hard,
    /// A line break with an empty line.
    Blank,
    /// A comma if the group around is broken.
    TrailingComma,
    /// A comment at the end of a line.
    Trailing(&'a str),
    /// A comment behind an element of a list; those of lines one below the other are put in one column.
    Remark(&'a str),
    /// What follows on this line, the value of a key, is put in one column with those above and below.
    Column,
    /// One after the other.
    Seq(Vec<Doc<'a>>),
    /// One level further right.
    Nest(Box<Doc<'a>>),
    /// On one line if it fits.
    Group(Box<Doc<'a>>),
    /// A group that is broken in any case.
    Broken(Box<Doc<'a>>),
    /// Texts with as many on each line as fit.
    Fill(Vec<Doc<'a>>),
}

impl<'a> Doc<'a> {
    pub(crate) fn nest(self) -> Self {
        Self::Nest(Box::new(self))
    }

    /// A group, which is broken if `broken` says so.
    pub(crate) fn group(self, broken: bool) -> Self {
        if broken { Self::Broken(Box::new(self)) } else { Self::Group(Box::new(self)) }
    }

    pub(crate) fn space() -> Self {
        Self::Text(" ")
    }
}

impl<'a> From<Vec<Doc<'a>>> for Doc<'a> {
    fn from(all: Vec<Doc<'a>>) -> Self {
        Self::Seq(all)
    }
}
