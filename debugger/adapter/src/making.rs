//! A run while it is made: what was asked meanwhile waits, and who has no patience gives it up.

use std::collections::VecDeque;
use std::io::{self, Write};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::adapter::Adapter;
use crate::launcher::{Refusal, Run};
use crate::message::{Answer, CANCELLED, Request, Wrong, without_nulls, wrong};
use crate::running::{Plan, Running, State};

/// A run that somebody is to make.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) number: u64,
    pub(crate) arguments: Value,
}

/// What became of an order.
pub(crate) struct Made {
    pub(crate) number: u64,
    pub(crate) outcome: Result<Box<Run>, Refusal>,
}

/// The run that is made, and all that waits for it.
#[derive(Debug, Default)]
pub(crate) struct Making {
    now: Option<Wanted>,
    /// The number of the last order.
    number: u64,
    /// What nobody has taken yet.
    order: Option<Order>,
    /// Requests that came meanwhile.
    waiting: VecDeque<Request>,
    /// So many are still being made that nobody wants any more.
    given_up: usize,
}

/// What `launch` or `restart` wants.
#[derive(Debug)]
struct Wanted {
    seq: i64,
    command: String,
    plan: Plan,
    arguments: Value,
}

/// Arguments of `cancel`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Cancelled {
    request_id: Option<i64>,
}

/// Whether a request is heard while a run is made.
fn is_urgent(request: &Request) -> bool {
    matches!(request.command.as_str(), "cancel" | "pause" | "terminate" | "disconnect")
}

impl Adapter {
    /// What is to be made now, if something is.
    pub(crate) fn order(&mut self) -> Option<Order> {
        self.making.order.take()
    }

    /// Whether a run is made.
    pub(crate) const fn is_making(&self) -> bool {
        self.making.now.is_some()
    }

    /// Keeps a request until the run is made, and gives back what is to be done at once.
    pub(crate) fn defer(&mut self, request: Request) -> Option<Request> {
        if !self.is_making() || is_urgent(&request) {
            return Some(request);
        }
        self.making.waiting.push_back(request);
        None
    }

    /// The next request that has waited, if it need not wait any more.
    pub(crate) fn next_deferred(&mut self) -> Option<Request> {
        if self.is_making() { None } else { self.making.waiting.pop_front() }
    }

    /// Orders the run that `launch` or `restart` wants; they are answered when it is made.
    pub(crate) fn start_making(&mut self, mut request: Request, out: &mut impl Write) -> io::Result<()> {
        let wanted = self.wanted(&mut request);
        let Request { seq, command, .. } = request;
        match wanted {
            Err(error) => self.out.answer(out, seq, &command, Err(error)),
            Ok((plan, arguments)) => {
                if self.making.given_up > 0 {
                    self.out.tell("console", "what was given up is still being made: this begins when that has ended");
                    self.out.send_events(out)?;
                }
                self.making.number += 1;
                self.making.order = Some(Order { number: self.making.number, arguments: arguments.clone() });
                self.making.now = Some(Wanted { seq, command, plan, arguments });
                Ok(())
            }
        }
    }

    fn wanted(&self, request: &mut Request) -> Result<(Plan, Value), Wrong> {
        self.client()?;
        let given = request.arguments.take();
        let arguments = match (request.command.as_str(), &self.running) {
            ("launch", None) => without_nulls(given),
            ("launch", Some(_)) => {
                return Err(wrong("something was launched already: say `restart`, or `disconnect` and begin anew"));
            }
            _ => {
                let known = &self.running()?.arguments;
                given.get("arguments").filter(|given| given.is_object()).unwrap_or(known).clone()
            }
        };
        Ok((Plan::of(&arguments)?, arguments))
    }

    /// Takes what was ordered, unless it was given up, and then does what has waited for it.
    pub(crate) fn take(&mut self, made: Made, out: &mut impl Write) -> io::Result<()> {
        let Some(wanted) = self.making.now.take_if(|_| made.number == self.making.number) else {
            self.making.given_up = self.making.given_up.saturating_sub(1);
            return Ok(());
        };
        let Wanted { seq, command, plan, arguments } = wanted;
        let answer = match made.outcome {
            Ok(run) => self.install(*run, plan, arguments, &command),
            Err(refusal) => Err(self.refused(refusal)),
        };
        self.out.answer(out, seq, &command, answer)?;
        self.catch_up(out)
    }

    /// Puts a run in the place of what ran before.
    fn install(&mut self, run: Run, plan: Plan, arguments: Value, command: &str) -> Answer {
        if !run.notes.trim().is_empty() {
            self.out.tell("console", &run.notes);
        }
        self.out.tell("console", &run.title);
        if run.recording.is_cut() {
            self.out.tell("important", "the run was too long: its end is missing");
        }
        let before = self.running.take();
        // Who has not begun yet goes on to say where to stop.
        let begins = before.as_ref().is_some_and(|before| before.state != State::Waiting);
        let handles = before.map(|before| before.handles).unwrap_or_default();
        self.running = Some(Running::new(run, plan, arguments, handles));
        for (_, breakpoint) in self.settle_breakpoints() {
            self.out.event("breakpoint", json!({ "reason": "changed", "breakpoint": breakpoint }));
        }
        if command == "launch" {
            // Only now it is known which lines have code.
            self.out.event("initialized", json!({}));
        }
        if begins {
            self.begin();
        }
        Ok(json!({}))
    }

    fn refused(&mut self, refusal: Refusal) -> Wrong {
        let Refusal { message, help, notes } = refusal;
        if !notes.trim().is_empty() {
            self.out.tell("stderr", &notes);
        }
        match help {
            Some(help) => wrong(format!("{message}\nhelp: {help}")),
            None => wrong(message),
        }
    }

    /// `cancel`: gives up the run that is made, or a request that waits for it. All else is answered before anybody can cancel
    /// it.
    pub(crate) fn cancel(&mut self, mut request: Request, out: &mut impl Write) -> io::Result<Answer> {
        let asked = match self.client().and_then(|_| request.arguments::<Cancelled>()) {
            Ok(asked) => asked.request_id,
            Err(error) => return Ok(Err(error)),
        };
        if self.making.now.as_ref().is_some_and(|wanted| Some(wanted.seq) == asked) {
            self.give_up(out)?;
        } else if let Some(at) = self.making.waiting.iter().position(|waiting| Some(waiting.seq) == asked)
            && let Some(Request { seq, command, .. }) = self.making.waiting.remove(at)
        {
            self.out.answer(out, seq, &command, Err(wrong(CANCELLED)))?;
        }
        Ok(Ok(json!({})))
    }

    /// Gives up the run that is made: it is answered, and nobody waits for it any more.
    pub(crate) fn give_up(&mut self, out: &mut impl Write) -> io::Result<()> {
        let Some(Wanted { seq, command, .. }) = self.making.now.take() else { return Ok(()) };
        self.making.given_up += 1;
        self.out.answer(out, seq, &command, Err(wrong(CANCELLED)))
    }
}
