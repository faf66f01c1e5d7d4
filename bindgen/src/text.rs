//! Texts of strangers inside of literals and comments.

/// The longest piece of a literal that stands on one line, in characters.
const PIECE_CHARS: usize = 110;

/// Whether a character may stand in a source as it is. Control characters do not, nor do those that turn the direction of text around or cannot be
/// seen, behind which a reader could be shown another source than a compiler.
fn is_plain(c: char) -> bool {
    let hidden = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    !c.is_control() && !hidden
}

/// A literal of Rust.
pub(crate) fn rust(text: &str) -> String {
    literal(text, |out, c| out.push_str(&format!("\\u{{{:x}}}", u32::from(c))))
}

/// A literal of TypeScript.
pub(crate) fn typescript(text: &str) -> String {
    literal(text, |out, c| {
        let mut units = [0; 2];
        c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
    })
}

fn literal(text: &str, escape: impl Fn(&mut String, char)) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_ascii() && is_plain(c) => out.push(c),
            c => escape(&mut out, c),
        }
    }
    out.push('"');
    out
}

/// A long text in pieces.
pub(crate) fn pieces(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(PIECE_CHARS).map(|piece| piece.iter().collect()).collect()
}

/// The lines of a documentation: nothing in them ends a comment, is hidden, or is a program that a tool would run.
pub(crate) fn doc_lines(docs: &str) -> Vec<String> {
    let mut in_fence = false;
    let mut fence = "```".to_owned();
    let line = |line: &str| {
        let shown: String = line.trim_end().chars().map(|c| if is_plain(c) { c } else { '\u{fffd}' }).collect();
        let shown = shown.replace("*/", "*\\/");
        let bare = shown.trim_start();
        if bare.starts_with("```") || bare.starts_with("~~~") {
            // A fence of another kind is text inside of this one.
            let mark: String = bare.chars().take_while(|c| bare.starts_with(*c)).collect();
            if !in_fence {
                (in_fence, fence) = (true, mark);
                return format!("{fence}text");
            }
            if mark.starts_with(fence.as_str()) && mark.len() == bare.len() {
                in_fence = false;
                return mark;
            }
        }
        // What is indented far is a program for some tools.
        let indent = shown.len() - bare.len();
        if in_fence { shown } else { format!("{}{bare}", " ".repeat(indent.min(3))) }
    };
    let mut lines: Vec<String> = docs.lines().map(line).collect();
    if in_fence {
        lines.push(fence);
    }
    lines
}

/// Documentation of Rust.
pub(crate) fn rust_docs(indent: &str, docs: &str) -> String {
    doc_lines(docs).iter().map(|line| format!("{indent}///{}{line}", space(line)) + "\n").collect()
}

/// Documentation of TypeScript.
pub(crate) fn typescript_docs(indent: &str, docs: &str) -> String {
    let lines = doc_lines(docs);
    match lines.as_slice() {
        [] => String::new(),
        [only] => format!("{indent}/** {only} */\n"),
        lines => {
            let body: String = lines.iter().map(|line| format!("{indent} *{}{line}", space(line)) + "\n").collect();
            format!("{indent}/**\n{body}{indent} */\n")
        }
    }
}

fn space(line: &str) -> &'static str {
    if line.is_empty() { "" } else { " " }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_a_literal() {
        assert_eq!(rust("a\"b\\c\n\u{0}é\u{202e}"), r#""a\"b\\c\n\u{0}\u{e9}\u{202e}""#);
        assert_eq!(typescript("`${x}`\r\u{2028}😀"), r#""`${x}`\u000d\u2028\ud83d\ude00""#);
        assert_eq!(pieces(&"x".repeat(250)).concat(), "x".repeat(250));
    }

    #[test]
    fn nothing_leaves_a_comment() {
        assert_eq!(rust_docs("", "one\r\n\ntwo\rfn x() {}"), "/// one\n///\n/// two\u{fffd}fn x() {}\n");
        assert_eq!(typescript_docs("", "*/ evil() /*"), "/** *\\/ evil() /* */\n");
        assert_eq!(typescript_docs("  ", "a\nb"), "  /**\n   * a\n   * b\n   */\n");
        let fenced = "see\n```rust\n    run()\n```\n        run()";
        assert_eq!(rust_docs("", fenced), "/// see\n/// ```text\n///     run()\n/// ```\n///    run()\n");
    }
}
