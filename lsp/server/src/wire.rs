//! Standard input without what is no message: tower-lsp ends with the first thing that it cannot read, and a client that
//! makes one mistake would lose its server.

use std::io::{self, BufReader};
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
/// What stands before a body, about.
const HEADER_BYTES: usize = 32;

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
            // Behind what cannot be read there is nothing, as at the end.
            while let Ok(Some(body)) = framing::read(&mut input, MESSAGE_BYTES_MAX) {
                let body = if is_message(&body) { body } else { malformed() };
                let mut framed = Vec::with_capacity(body.len() + HEADER_BYTES);
                if framing::write(&mut framed, &body).is_err() || sender.send(framed).is_err() {
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
    fn what_is_no_request_and_no_response_is_no_message() {
        assert!(is_message(&malformed()));
        for none in ["{}", "[]", "{ no", "5", ""] {
            assert!(!is_message(none.as_bytes()), "{none}");
        }
    }
}
