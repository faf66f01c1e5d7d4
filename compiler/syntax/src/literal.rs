//! What literals mean, and what is wrong with malformed ones.

use crate::span::Span;
use std::sync::Arc;

/// A mistake inside a literal: where, counted from the literal's first byte, and what.
pub(crate) struct LiteralError {
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: &'static str,
}

/// Checks the `_` of a number; they stand between digits.
pub(crate) fn check_number(text: &str) -> Result<(), LiteralError> {
    let bad = text.ends_with('_') || text.contains("__") || text.contains("_.") || text.contains("_%");
    if !bad {
        return Ok(());
    }
    Err(LiteralError {
        span: Span::new(0, text.len() as u32),
        message: format!("`{}` is no number: `_` stands between two digits", shorten(text)),
        help: "write groups of digits, as in `21_000_000`",
    })
}

/// The bytes of `0x..`, in the order they are written.
pub(crate) fn bytes_of(text: &str) -> Result<Arc<[u8]>, LiteralError> {
    let digits = text.get(2..).unwrap_or("");
    if let Some((at, bad)) = digits.char_indices().find(|(_, c)| !c.is_ascii_hexdigit() && *c != '_') {
        return Err(LiteralError {
            span: Span::new(at as u32 + 2, at as u32 + 3),
            message: format!("`{bad}` is no hexadecimal digit"),
            help: "bytes are written with the digits 0 to 9 and a to f",
        });
    }
    let nibbles: Vec<u8> = digits.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
    let (pairs, rest) = nibbles.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(LiteralError {
            span: Span::new(0, text.len() as u32),
            message: format!("these bytes have {} digits, an odd number", nibbles.len()),
            help: "write two digits for each byte, as in `0x0f`",
        });
    }
    Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// The characters a string literal means, and the mistakes in its escapes. `text` has its opening
/// quote, and its closing one unless it is unclosed.
pub(crate) fn unescape(text: &str, mut report: impl FnMut(LiteralError)) -> Arc<str> {
    let body = text.strip_prefix('"').unwrap_or(text);
    let body = body.strip_suffix('"').unwrap_or(body);
    let mut value = String::with_capacity(body.len());
    let mut rest = body;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        value.push_str(plain);
        let at = 1 + (body.len() - escaped.len() - 1) as u32;
        let (found, len) = escape(escaped);
        match found {
            Some(c) => value.push(c),
            None => report(LiteralError {
                span: Span::new(at, at + 1 + len as u32),
                message: format!("unknown escape `\\{}`", escaped.get(..len).unwrap_or("")),
                help: "the escapes are `\\n`, `\\t`, `\\r`, `\\0`, `\\\\`, `\\\"`, `\\x41` and `\\u{e9}`",
            }),
        }
        rest = escaped.get(len..).unwrap_or("");
    }
    value.push_str(rest);
    value.into()
}

/// The character that an escape means, if any, and the bytes it takes after the backslash.
fn escape(text: &str) -> (Option<char>, usize) {
    let first = text.chars().next();
    let simple = match first {
        Some('n') => '\n',
        Some('t') => '\t',
        Some('r') => '\r',
        Some('0') => '\0',
        Some(c @ ('\\' | '"')) => c,
        Some('x') => return hex_escape(text),
        Some('u') => return unicode_escape(text),
        Some(c) => return (None, c.len_utf8()),
        None => return (None, 0),
    };
    (Some(simple), 1)
}

fn hex_escape(text: &str) -> (Option<char>, usize) {
    let Some(digits) = text.get(1..3) else {
        return (None, 1);
    };
    let code = strict_hex(digits).filter(|code| *code < 0x80);
    match code.and_then(char::from_u32) {
        Some(c) => (Some(c), 3),
        None => (None, 1),
    }
}

fn unicode_escape(text: &str) -> (Option<char>, usize) {
    let inner = text.get(1..).and_then(|rest| rest.strip_prefix('{'));
    let Some(end) = inner.and_then(|inner| inner.char_indices().take(7).find(|(_, c)| *c == '}')) else {
        return (None, 1);
    };
    let digits = inner.and_then(|inner| inner.get(..end.0)).unwrap_or("");
    (strict_hex(digits).and_then(char::from_u32), digits.len() + 3)
}

fn strict_hex(digits: &str) -> Option<u32> {
    let all_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    all_hex.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

/// At most the first 24 characters, for messages.
pub(crate) fn shorten(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    match line.char_indices().nth(24) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or("")),
        None => line.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes_of, unescape};

    #[test]
    fn escapes_give_their_characters() {
        let check = |text: &str, meant: &str, mistakes: usize| {
            let mut count = 0;
            let value = unescape(text, |_| count += 1);
            assert_eq!((&*value, count), (meant, mistakes), "{text}");
        };
        check(r#""a\n\t\\\"b""#, "a\n\t\\\"b", 0);
        check(r#""\x41\u{e9}""#, "A\u{e9}", 0);
        check(r#""\x80""#, "80", 1);
        check(r#""\q\u{110000}\u{""#, "{", 3);
        check(r#""\x4""#, "4", 1);
        check("\"open", "open", 0);
    }

    #[test]
    fn bytes_need_two_hexadecimal_digits_each() {
        assert_eq!(bytes_of("0xdead_BEEF").ok().as_deref(), Some(&[0xde, 0xad, 0xbe, 0xef][..]));
        assert_eq!(bytes_of("0x").ok().as_deref(), Some(&[][..]));
        assert!(bytes_of("0xabc").is_err());
        assert!(bytes_of("0xgg").is_err());
    }
}
