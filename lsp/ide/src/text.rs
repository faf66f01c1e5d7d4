//! Texts as editors count them: lines from 0, columns in the units that the editor and the server agreed on.

use std::ops::Range;
use std::sync::Arc;

/// What a column counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// Units of UTF-16, which every editor understands.
    #[default]
    Utf16,
    /// Characters.
    Utf32,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// From 0.
    pub line: u32,
    /// From 0, in the units of an [`Encoding`].
    pub column: u32,
}

/// A piece of a text and what stands there afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEdit {
    /// The bytes that go.
    pub range: Range<usize>,
    /// What comes.
    pub text: String,
}

/// An edit of one of several files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdit {
    /// The path of the source.
    pub path: Arc<str>,
    /// What changes in it.
    pub edit: TextEdit,
}

/// A text with the bytes at which its lines start.
///
/// ```
/// use ide::{Encoding, Lines, Point};
/// let lines = Lines::new("a\nß𝄞b".into());
/// assert_eq!(lines.point(8, Encoding::Utf16), Point { line: 1, column: 3 });
/// assert_eq!(lines.offset(Point { line: 1, column: 6 }, Encoding::Utf8), 8);
/// assert_eq!(lines.offset(Point { line: 9, column: 9 }, Encoding::Utf8), 9);
/// ```
#[derive(Clone, Debug)]
pub struct Lines {
    text: Arc<str>,
    starts: Arc<[usize]>,
}

impl Lines {
    /// Finds the lines of a text.
    #[must_use]
    pub fn new(text: Arc<str>) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Where a byte is; one inside a character counts as its first.
    #[must_use]
    pub fn point(&self, offset: usize, encoding: Encoding) -> Point {
        let offset = self.text.floor_char_boundary(offset);
        let line = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let column = encoding.units(self.text.get(start..offset).unwrap_or_default());
        Point { line: u32::try_from(line).unwrap_or(u32::MAX), column }
    }

    /// Finds places one after the other, each from the one before.
    #[must_use]
    pub fn walk(&self, encoding: Encoding) -> Walk<'_> {
        Walk { lines: self, encoding, offset: 0, point: Point::default() }
    }

    /// The byte at a place; one behind the end of a line is that end, one inside a character its start.
    #[must_use]
    pub fn offset(&self, point: Point, encoding: Encoding) -> usize {
        let line = point.line as usize;
        let Some(start) = self.starts.get(line).copied() else { return self.text.len() };
        let end = self.starts.get(line + 1).copied().unwrap_or(self.text.len());
        let content = self.text.get(start..end).unwrap_or_default().trim_end_matches(['\n', '\r']);
        let column = point.column as usize;
        if encoding == Encoding::Utf8 || content.is_ascii() {
            return start + content.floor_char_boundary(column);
        }
        let mut seen = 0;
        for (at, c) in content.char_indices() {
            let units = if encoding == Encoding::Utf16 { c.len_utf16() } else { 1 };
            if seen + units > column {
                return start + at;
            }
            seen += units;
        }
        start + content.len()
    }

    /// The same text with a stretch replaced.
    #[must_use]
    pub fn replaced(&self, range: Range<usize>, new: &str) -> Self {
        let start = range.start.min(self.text.len());
        let end = range.end.clamp(start, self.text.len());
        let (before, after) = (self.text.get(..start).unwrap_or_default(), self.text.get(end..).unwrap_or_default());
        Self::new([before, new, after].concat().into())
    }
}

/// Where the last byte was that was asked for.
#[derive(Clone, Debug)]
pub struct Walk<'l> {
    lines: &'l Lines,
    encoding: Encoding,
    offset: usize,
    point: Point,
}

impl Walk<'_> {
    /// Where a byte is: as [`Lines::point`] says, in the time that it takes to walk there, if it is not before the last one.
    pub fn point(&mut self, offset: usize) -> Point {
        let Lines { text, starts } = self.lines;
        let offset = text.floor_char_boundary(offset);
        let passed = match offset < self.offset {
            true => None,
            false => starts.get(self.point.line as usize + 1..).map(|next| next.iter().take_while(|at| **at <= offset)),
        };
        self.point = match passed.map(Iterator::count) {
            Some(0) => {
                let more = self.encoding.units(text.get(self.offset..offset).unwrap_or_default());
                Point { column: self.point.column.saturating_add(more), ..self.point }
            }
            Some(_) | None => self.lines.point(offset, self.encoding),
        };
        self.offset = offset;
        self.point
    }
}

impl Encoding {
    /// How many units a text has that stands in one line.
    #[must_use]
    pub fn units(self, text: &str) -> u32 {
        let units = match self {
            Encoding::Utf8 => text.len(),
            Encoding::Utf16 if text.is_ascii() => text.len(),
            Encoding::Utf16 => text.encode_utf16().count(),
            Encoding::Utf32 => text.chars().count(),
        };
        u32::try_from(units).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_bytes_are_each_others_inverse_in_every_encoding() {
        for text in ["", "a", "\n", "a\r\nbé\n", "ß𝄞x\n\n€", "\u{301}combining\nend"] {
            let lines = Lines::new(text.into());
            for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
                for (at, c) in text.char_indices().filter(|(_, c)| *c != '\n' && *c != '\r') {
                    let point = lines.point(at, encoding);
                    assert_eq!(lines.offset(point, encoding), at, "{text:?} {c:?} {encoding:?}");
                }
                assert_eq!(lines.offset(lines.point(text.len(), encoding), encoding), text.len(), "{text:?}");
                let mut walk = lines.walk(encoding);
                for at in (0..=text.len()).chain((0..=text.len()).rev()).chain((0..=text.len()).step_by(3)) {
                    assert_eq!(walk.point(at), lines.point(at, encoding), "{text:?} {at} {encoding:?}");
                }
            }
        }
    }

    #[test]
    fn whatever_a_client_counts_there_is_a_place() {
        let lines = Lines::new("ab\n𝄞\n".into());
        for line in 0..5 {
            for column in [0, 1, 2, 3, u32::MAX] {
                for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
                    let offset = lines.offset(Point { line, column }, encoding);
                    assert!(lines.text().is_char_boundary(offset), "{line}:{column} {encoding:?}");
                }
            }
        }
        assert_eq!(&**lines.replaced(3..99, "x").text(), "ab\nx");
    }
}
