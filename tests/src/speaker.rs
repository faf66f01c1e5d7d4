//! A program that speaks over its standard input and output, in messages behind their lengths.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "who speaks with a program in a test fails by panicking"
)]

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// No answer takes so long, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(120);

/// A program, and what it says. It ends with this.
#[derive(Debug)]
pub struct Speaker {
    child: Child,
    /// Nothing once it is closed.
    stdin: Option<ChildStdin>,
    messages: Receiver<Value>,
    /// Messages that nobody has waited for yet.
    kept: VecDeque<Value>,
}

impl Speaker {
    /// Starts a program; what it says on standard error is lost.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, messages) = channel();
        thread::spawn(move || {
            while let Some(message) = read_message(&mut stdout) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self { child, stdin, messages, kept: VecDeque::new() }
    }

    /// Sends a message.
    pub fn send(&mut self, message: &Value) {
        self.send_raw(message.to_string().as_bytes());
    }

    /// Sends what may be no message.
    pub fn send_raw(&mut self, body: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        write!(stdin, "Content-Length: {}\r\n\r\n", body.len()).unwrap();
        stdin.write_all(body).unwrap();
        stdin.flush().unwrap();
    }

    /// Says nothing any more.
    pub fn close(&mut self) {
        self.stdin = None;
    }

    /// The first message that fits, those kept from before included; the others are kept.
    pub fn wait(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.kept.iter().position(&fits) {
            return self.kept.remove(at).unwrap();
        }
        loop {
            match self.messages.recv_timeout(DEADLINE) {
                Ok(message) if fits(&message) => return message,
                Ok(message) => self.kept.push_back(message),
                Err(why) => panic!("no {what}: {why}; kept: {:?}", self.kept),
            }
        }
    }

    /// Messages that nobody has waited for yet.
    pub fn kept(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.kept.iter()
    }

    /// Takes all messages that have come and nobody has waited for.
    pub fn rest(&mut self) -> Vec<Value> {
        self.kept.drain(..).chain(self.messages.try_iter()).collect()
    }

    /// The exit code, once the program has ended.
    pub fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// The number of the program's process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The next message; nothing at the end.
pub fn read_message(stdout: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stdout.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim() {
            "" => break,
            line => {
                if let Some(digits) = line.strip_prefix("Content-Length: ") {
                    length = digits.parse().ok()?;
                }
            }
        }
    }
    let mut body = vec![0; length];
    stdout.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
