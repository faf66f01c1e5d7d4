//! Reading and writing a message.

use std::io::{self, BufRead, Read as _, Write};

/// A longer line is no header, and is skipped in pieces of so many bytes.
const LINE_BYTES_MAX: u64 = 4 << 10;

/// The next body behind its headers; nothing at the end, behind a message of more than `bytes_max` bytes, or where nobody can
/// say any more where a message begins. What is no header is skipped.
///
/// ```
/// let mut input = &b"Content-Length: 2\r\n\r\n{}"[..];
/// assert_eq!(framing::read(&mut input, 100), Some(b"{}".to_vec()));
/// assert_eq!(framing::read(&mut input, 100), None);
/// ```
pub fn read(input: &mut impl BufRead, bytes_max: usize) -> Option<Vec<u8>> {
    let mut length: Option<u64> = None;
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        match (line.split_once(':'), length) {
            (Some((name, value)), _) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().ok();
            }
            (None, Some(length)) if line.is_empty() => {
                if length > bytes_max as u64 {
                    return None;
                }
                let mut body = Vec::new();
                let read = input.take(length).read_to_end(&mut body).ok()?;
                return (read as u64 == length).then_some(body);
            }
            _ => {}
        }
    }
}

/// Writes a body behind its length.
///
/// # Errors
/// What `out` fails with.
pub fn write(out: &mut impl Write, body: &[u8]) -> io::Result<()> {
    write!(out, "Content-Length: {}\r\n\r\n", body.len())?;
    out.write_all(body)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_behind_their_headers_whatever_stands_between() {
        let text = "Content-Length: 2\r\n\r\n{}junk\r\nContent-Type: x\r\ncontent-length: 3\r\n\r\nabcContent-Length: 9\r\n\r\nshort";
        let mut input = text.as_bytes();
        assert_eq!(read(&mut input, 9), Some(b"{}".to_vec()));
        assert_eq!(read(&mut input, 9), Some(b"abc".to_vec()));
        assert_eq!(read(&mut input, 9), None, "the last one has no end");
        for none in
            ["", "Content-Length: 10\r\n\r\n0123456789", "Content-Length: x\r\n\r\n{}", "Content-Length: -2\r\n\r\n{}"]
        {
            assert_eq!(read(&mut none.as_bytes(), 9), None, "{none}");
        }
        let after_noise = format!("{}\nContent-Length: 1\r\n\r\nx", "a".repeat(100_000));
        assert_eq!(read(&mut after_noise.as_bytes(), 9), Some(b"x".to_vec()));
    }

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        for body in ["", "{}", "a\r\n\r\nb"] {
            write(&mut out, body.as_bytes()).unwrap();
        }
        let mut input = out.as_slice();
        for body in ["", "{}", "a\r\n\r\nb"] {
            assert_eq!(read(&mut input, 9), Some(body.as_bytes().to_vec()));
        }
    }
}
