//! Reading and writing a message.

use std::io::{self, BufRead, ErrorKind, Read as _, Write};

/// A longer line is no header, and is skipped in pieces of so many bytes.
const LINE_BYTES_MAX: u64 = 4 << 10;

/// The next body behind its headers; nothing at the end. What is no header is skipped.
///
/// ```
/// let mut input = &b"Content-Length: 2\r\n\r\n{}"[..];
/// assert_eq!(framing::read(&mut input, 100).unwrap(), Some(b"{}".to_vec()));
/// assert_eq!(framing::read(&mut input, 100).unwrap(), None);
/// ```
///
/// # Errors
/// What `input` fails with; [`InvalidData`](ErrorKind::InvalidData) for a message of more than `bytes_max` bytes, and
/// [`UnexpectedEof`](ErrorKind::UnexpectedEof) for one that is cut off. Behind these nobody can say where a message begins.
pub fn read(input: &mut impl BufRead, bytes_max: usize) -> io::Result<Option<Vec<u8>>> {
    let mut length: Option<u64> = None;
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            return if length.is_none() { Ok(None) } else { Err(cut_off()) };
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        match (line.split_once(':'), length) {
            (Some((name, value)), _) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().ok();
            }
            (None, Some(length)) if line.is_empty() => return body(input, length, bytes_max).map(Some),
            _ => {}
        }
    }
}

fn body(input: &mut impl BufRead, length: u64, bytes_max: usize) -> io::Result<Vec<u8>> {
    if length > bytes_max as u64 {
        let message = format!("a message has {length} bytes, which is more than {bytes_max}");
        return Err(io::Error::new(ErrorKind::InvalidData, message));
    }
    let mut body = Vec::new();
    let read = input.take(length).read_to_end(&mut body)?;
    if read as u64 == length { Ok(body) } else { Err(cut_off()) }
}

fn cut_off() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the input ends in the middle of a message")
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

    struct Broken;

    impl io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::ConnectionReset.into())
        }
    }

    /// The next body of at most 9 bytes, or what kind of error there is.
    fn next(input: &mut impl BufRead) -> Result<Option<String>, ErrorKind> {
        let body = read(input, 9).map_err(|error| error.kind())?;
        Ok(body.map(|body| String::from_utf8(body).unwrap()))
    }

    #[test]
    fn messages_are_found_behind_their_headers_whatever_stands_between() {
        let text = "Content-Length: 2\r\n\r\n{}junk\r\nContent-Type: x\r\ncontent-length: 3\r\n\r\nabc";
        let mut input = text.as_bytes();
        for expected in [Some("{}".to_owned()), Some("abc".to_owned()), None] {
            assert_eq!(next(&mut input), Ok(expected));
        }
        for none in ["", "Content-Length: x\r\n\r\n{}", "Content-Length: -2\r\n\r\n{}", "\r\n\r\n"] {
            assert_eq!(next(&mut none.as_bytes()), Ok(None), "{none}");
        }
        let after_noise = format!("{}\nContent-Length: 1\r\n\r\nx", "a".repeat(100_000));
        assert_eq!(next(&mut after_noise.as_bytes()), Ok(Some("x".to_owned())));
    }

    #[test]
    fn what_is_too_long_cut_off_or_unreadable_is_an_error() {
        for (text, expected) in [
            ("Content-Length: 10\r\n\r\n0123456789", ErrorKind::InvalidData),
            ("Content-Length: 99999999999999\r\n\r\n", ErrorKind::InvalidData),
            ("Content-Length: 9\r\n\r\nshort", ErrorKind::UnexpectedEof),
            ("Content-Length: 9\r\n", ErrorKind::UnexpectedEof),
        ] {
            assert_eq!(next(&mut text.as_bytes()), Err(expected), "{text}");
        }
        assert_eq!(next(&mut io::BufReader::new(Broken)), Err(ErrorKind::ConnectionReset));
    }

    #[test]
    fn what_is_written_is_read() {
        let mut out = Vec::new();
        for body in ["", "{}", "a\r\n\r\nb"] {
            write(&mut out, body.as_bytes()).unwrap();
        }
        let mut input = out.as_slice();
        for body in ["", "{}", "a\r\n\r\nb"] {
            assert_eq!(next(&mut input), Ok(Some(body.to_owned())));
        }
    }
}
