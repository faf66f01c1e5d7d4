//! Requests as they come, and what is sent back.

use std::io::{self, Write};

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A request.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) seq: i64,
    pub(crate) command: String,
    pub(crate) arguments: Value,
}

impl Request {
    /// Reads a message; nothing if it is one that nobody answers.
    pub(crate) fn read(body: &[u8]) -> Result<Option<Self>, (i64, Wrong)> {
        let mut message: Value =
            serde_json::from_slice(body).map_err(|error| (0, wrong(format!("this is no JSON: {error}"))))?;
        let seq = message.get("seq").and_then(Value::as_i64);
        match (message.get("type").and_then(Value::as_str), message.get("command").and_then(Value::as_str), seq) {
            (Some("response" | "event"), ..) => Ok(None),
            (Some("request"), Some(command), Some(seq)) => {
                let command = command.to_owned();
                let arguments = message.get_mut("arguments").map(Value::take).unwrap_or_default();
                Ok(Some(Self { seq, command, arguments }))
            }
            _ => Err((seq.unwrap_or(0), wrong("a request has a `seq`, the `type` \"request\" and a `command`"))),
        }
    }

    /// The arguments as a command wants them.
    pub(crate) fn arguments<T: DeserializeOwned>(&mut self) -> Result<T, Wrong> {
        let given = without_nulls(self.arguments.take());
        let command = &self.command;
        serde_json::from_value(given).map_err(|error| wrong(format!("the arguments of `{command}`: {error}")))
    }
}

/// Arguments without those that are nothing: a client may say so of what it leaves out.
pub(crate) fn without_nulls(arguments: Value) -> Value {
    match arguments {
        Value::Null => json!({}),
        Value::Object(given) => given.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        other => other,
    }
}

/// What the protocol wants to be said of a request that was given up.
pub(crate) const CANCELLED: &str = "cancelled";

/// Why a request is refused.
#[derive(Debug)]
pub(crate) struct Wrong(pub(crate) String);

pub(crate) fn wrong(message: impl Into<String>) -> Wrong {
    Wrong(message.into())
}

/// What a handler gives: the body of the response.
pub(crate) type Answer = Result<Value, Wrong>;

/// What is sent, each with its number.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    seq: i64,
    events: Vec<(&'static str, Value)>,
}

impl Outbox {
    /// Keeps an event until the request is answered that it follows from.
    pub(crate) fn event(&mut self, name: &'static str, body: Value) {
        self.events.push((name, body));
    }

    /// A line for the console.
    pub(crate) fn tell(&mut self, category: &str, text: &str) {
        self.event("output", json!({ "category": category, "output": format!("{}\n", text.trim_end()) }));
    }

    /// Answers a request, then sends the events.
    pub(crate) fn answer(&mut self, out: &mut impl Write, seq: i64, command: &str, answer: Answer) -> io::Result<()> {
        let message = match answer {
            Ok(body) => json!({ "success": true, "body": body }),
            Err(Wrong(message)) => {
                // Expressions are looked at wherever the pointer stands, and who gives up knows it.
                let is_news = command != "evaluate" && message != CANCELLED;
                let error = json!({ "id": 1, "format": message, "showUser": is_news });
                json!({ "success": false, "message": message, "body": { "error": error } })
            }
        };
        let head = json!({ "type": "response", "request_seq": seq, "command": command });
        self.send(out, head, message)?;
        self.send_events(out)
    }

    /// Sends the events that wait.
    pub(crate) fn send_events(&mut self, out: &mut impl Write) -> io::Result<()> {
        for (name, body) in std::mem::take(&mut self.events) {
            self.send(out, json!({ "type": "event", "event": name }), json!({ "body": body }))?;
        }
        Ok(())
    }

    fn send(&mut self, out: &mut impl Write, head: Value, rest: Value) -> io::Result<()> {
        self.seq += 1;
        let mut message = json!({ "seq": self.seq });
        if let Value::Object(all) = &mut message {
            for part in [head, rest] {
                all.extend(part.as_object().cloned().unwrap_or_default());
            }
        }
        framing::write(out, message.to_string().as_bytes())
    }
}
