//! The layout of a source, as edits that leave alone what is right already. Once it is known that the text can be parsed,
//! it needs nothing else, so no edit has to wait for it.

use std::ops::Range;

use crate::host::{Answer, Snapshot};
use crate::text::TextEdit;

impl Snapshot {
    /// Whether a source can be parsed: otherwise nobody knows how it should look, and `bmc fmt` leaves it alone too.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn parses(&self, path: &str) -> Answer<bool> {
        self.ask_of(path, |files, file| files.session.parses(file))
    }
}

/// The edits that lay a text out that [can be parsed](Snapshot::parses), or only what touches a range of it.
///
/// ```
/// let edits = ide::layout("const  A: Int = 1;\n", None);
/// assert_eq!(edits, [ide::TextEdit { range: 5..7, text: " ".to_owned() }]);
/// ```
#[must_use]
pub fn layout(text: &str, within: Option<Range<usize>>) -> Vec<TextEdit> {
    let edits = format::edits(text, &format::lay_out(text), within);
    edits.into_iter().map(|edit| TextEdit { range: edit.range, text: edit.text }).collect()
}

/// The edits behind a character that was just typed: a `}` or `;` lays out the line it ends, a newline the one above.
#[must_use]
pub fn layout_as_typed(text: &str, offset: usize, typed: char) -> Vec<TextEdit> {
    let line_start = |at: usize| text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let here = line_start(offset);
    let within = match typed {
        // The author is about to write on the new line: what is on it stays.
        '\n' => line_start(here.saturating_sub(1))..here.saturating_sub(1),
        _ => here..offset,
    };
    layout(text, Some(within.clone())).into_iter().filter(|edit| edit.range.end <= within.end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(marked: &str, character: char) -> String {
        let offset = marked.find("$0").unwrap();
        let mut text = marked.replace("$0", "");
        for edit in layout_as_typed(&text.clone(), offset, character).into_iter().rev() {
            text.replace_range(edit.range, &edit.text);
        }
        text
    }

    #[test]
    fn what_is_typed_lays_out_its_line_and_nothing_else() {
        for (marked, character, wanted) in [
            ("const  A:Int = 1;$0\nconst  B: Int = 2;\n", ';', "const A: Int = 1;\nconst  B: Int = 2;\n"),
            ("const  A:Int = 1;\n$0\nconst  B: Int = 2;\n", '\n', "const A: Int = 1;\n\nconst  B: Int = 2;\n"),
            ("fn f(a:Int)->Int {\n  a+1\n}$0\n", '}', "fn f(a:Int)->Int {\n  a+1\n}\n"),
        ] {
            assert_eq!(typed(marked, character), wanted, "{marked:?}");
        }
    }
}
