//! Standard input without what is no message: tower-lsp ends with the first thing that it cannot read, and a client that
//! makes one mistake would lose its server.

use std::io::{self, BufRead, BufReader, Read as _};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tower_lsp::jsonrpc::{Request, Response};

/// The method that stands for what is no message; it is answered as JSON-RPC wants that answered.
pub(crate) const MALFORMED: &str = "bmc/malformed";
/// A longer message is none: sources have at most a fraction of it.
const MESSAGE_BYTES_MAX: usize = 256 << 20;

/// Messages as bytes, one behind the other.
pub(crate) struct Wire {
    messages: UnboundedReceiver<Vec<u8>>,
    left: Vec<u8>,
}

impl Wire {
    /// Begins to read standard input.
    pub(crate) fn of_stdin() -> io::Result<Self> {
        let (sender, messages) = unbounded_channel();
        thread::Builder::new().name("wire".to_owned()).spawn(move || {
            let mut input = BufReader::new(io::stdin());
            while let Some(body) = body(&mut input) {
                let body = if is_message(&body) { body } else { malformed() };
                let mut framed = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
                framed.extend(body);
                if sender.send(framed).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { messages, left: Vec::new() })
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.left.is_empty() {
            match self.messages.poll_recv(cx) {
                Poll::Ready(Some(message)) => self.left = message,
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
        let count = self.left.len().min(buffer.remaining());
        let rest = self.left.split_off(count);
        buffer.put_slice(&self.left);
        self.left = rest;
        Poll::Ready(Ok(()))
    }
}

/// The next body behind its headers; nothing at the end, or where nobody can say any more where a message begins.
fn body(input: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut length = None;
    loop {
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        match (line.split_once(':'), length) {
            (Some((name, value)), _) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().ok()
            }
            (None, Some(length)) if line.is_empty() => {
                let mut body = Vec::new();
                let read = input.take(length).read_to_end(&mut body).ok()?;
                return (read as u64 == length && read <= MESSAGE_BYTES_MAX).then_some(body);
            }
            _ => {}
        }
    }
}

fn is_message(body: &[u8]) -> bool {
    serde_json::from_slice::<Request>(body).is_ok() || serde_json::from_slice::<Response>(body).is_ok()
}

fn malformed() -> Vec<u8> {
    format!(r#"{{"jsonrpc":"2.0","id":null,"method":"{MALFORMED}"}}"#).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_behind_their_headers_whatever_stands_between() {
        let text = "Content-Length: 2\r\n\r\n{}junk\r\nContent-Type: x\r\ncontent-length: 3\r\n\r\nabcContent-Length: 9\r\n\r\nshort";
        let mut input = text.as_bytes();
        assert_eq!(body(&mut input), Some(b"{}".to_vec()));
        assert_eq!(body(&mut input), Some(b"abc".to_vec()));
        assert_eq!(body(&mut input), None, "the last one has no end");
        assert!(is_message(&malformed()));
        for none in ["{}", "[]", "{ no", "5", ""] {
            assert!(!is_message(none.as_bytes()), "{none}");
        }
    }
}
