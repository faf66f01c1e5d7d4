//! Byte offsets to lines and columns, for the places where people read positions.

/// A position as people count: both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineCol {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// The line starts of one text.
///
/// ```
/// let index = syntax::LineIndex::new("a\nbé c\n");
/// let at = index.line_col("a\nbé c\n", 6);
/// assert_eq!((at.line, at.column), (2, 4));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineIndex {
    starts: Vec<u32>,
}

impl LineIndex {
    /// Finds the line starts of `text`.
    pub fn new(text: &str) -> LineIndex {
        let after_newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at as u32 + 1);
        LineIndex { starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    /// The line and column of a byte offset; an offset past the end gives the end, one inside a
    /// character the start of that character. `text` must be the text the index was made from.
    pub fn line_col(&self, text: &str, offset: u32) -> LineCol {
        let offset = char_start(text, offset);
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let before = text.get(start as usize..offset as usize).unwrap_or("");
        LineCol { line: line as u32, column: before.chars().count() as u32 + 1 }
    }

    /// How many lines the text has; an empty text has one.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Never true: every text has a first line.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }
}

/// The start of the character that `offset` lies in, or the end of the text.
fn char_start(text: &str, offset: u32) -> u32 {
    let inside = (offset as usize).min(text.len());
    (0..=inside).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0) as u32
}
