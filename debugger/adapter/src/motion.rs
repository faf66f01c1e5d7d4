//! Going on and going back, and what the client is told where it ends.

use debugger::{Breakpoint, Direction, Grain, Stop, Stride};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::adapter::Adapter;
use crate::message::{Answer, Request, wrong};
use crate::running::{Running, State};

/// Arguments of all requests that move.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Step {
    granularity: Granularity,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
enum Granularity {
    /// The script is mapped to lines; a statement that shares its line with others is no step of its own.
    #[default]
    Statement,
    Line,
    Instruction,
}

impl Granularity {
    const fn grain(self) -> Grain {
        match self {
            Self::Statement | Self::Line => Grain::Source,
            Self::Instruction => Grain::Opcode,
        }
    }
}

impl Adapter {
    /// `continue`, `reverseContinue` and all steps.
    pub(crate) fn travel(&mut self, mut request: Request) -> Answer {
        let Step { granularity } = request.arguments()?;
        let running = self.running_mut()?;
        match running.state {
            State::Waiting => return Err(wrong("it has not begun: say `configurationDone` first")),
            State::Over => return Err(wrong("the run has ended: `restart` begins it anew")),
            State::Standing => {}
        }
        let grain = granularity.grain();
        let (direction, stride) = match request.command.as_str() {
            "continue" => (Direction::Forward, None),
            "reverseContinue" => (Direction::Back, None),
            "stepBack" => (Direction::Back, Some(Stride::Over)),
            "stepIn" => (Direction::Forward, Some(Stride::In)),
            "stepOut" => (Direction::Forward, Some(Stride::Out)),
            _ => (Direction::Forward, Some(Stride::Over)),
        };
        let session = &mut running.session;
        let before = session.now();
        let stop = match stride {
            None => session.run(direction),
            Some(stride) => session.step(direction, stride, grain),
        };
        let entry = session.recording().entry();
        if stop == Stop::Start && grain == Grain::Source && before >= entry {
            // What the input pushes before its contract runs has no line.
            session.go_to(entry);
        }
        if direction == Direction::Back {
            running.forget_end();
        }
        self.arrive(stop);
        Ok(if request.command == "continue" { json!({ "allThreadsContinued": true }) } else { json!({}) })
    }

    /// Begins at the start, as the launch wants it.
    pub(crate) fn begin(&mut self) {
        let Some(running) = &mut self.running else { return };
        running.state = State::Standing;
        if running.plan.no_debug {
            running.session.go_to(usize::MAX);
            return self.finish();
        }
        if running.plan.stop_on_entry {
            return self.arrive(Stop::Start);
        }
        let stop = running.session.begin();
        self.arrive(stop);
    }

    /// Tells the client why it stands where it does, or that there is no more.
    fn arrive(&mut self, stop: Stop) {
        let refusals = self.wishes.refusals;
        let Some(running) = &mut self.running else { return };
        running.handles.clear();
        let mut body = match stop {
            Stop::Step => json!({ "reason": "step" }),
            Stop::Start => json!({ "reason": "entry", "description": "at the start" }),
            Stop::Breakpoint(breakpoint) => hit(running, breakpoint),
            Stop::End => match at_the_end(running, refusals) {
                Some(body) => body,
                None => return self.finish(),
            },
        };
        if let Value::Object(body) = &mut body {
            body.insert("threadId".to_owned(), json!(1));
            body.insert("allThreadsStopped".to_owned(), json!(true));
        }
        self.out.event("stopped", body);
    }

    /// Says how it ended, and that it has.
    fn finish(&mut self) {
        let Some(running) = &mut self.running else { return };
        running.state = State::Over;
        let recording = running.session.recording();
        let end = recording.end();
        let cost = format!("cost {} of {}", end.metrics.cost.get(), recording.budget());
        let (category, text, code) = match end.reason() {
            None => ("stdout", format!("valid, {cost}"), 0),
            Some(reason) => ("stderr", format!("refused, {cost}: {reason}"), 1),
        };
        for (condition, error) in running.session.unanswered() {
            let text = format!("the condition `{}` never had a value: {error}", condition.text());
            self.out.tell("console", &text);
        }
        self.out.tell(category, &text);
        self.out.event("exited", json!({ "exitCode": code }));
        self.out.event("terminated", json!({}));
    }

    /// `exceptionInfo`: what the author says, and with it where that stands.
    pub(crate) fn exception_info(&self) -> Answer {
        let running = self.running()?;
        let end = running.session.recording().end();
        match (end.message(), end.reason()) {
            (Some(message), Some(reason)) if running.has_told => Ok(json!({
                "exceptionId": "refused",
                "description": message,
                "breakMode": "always",
                "details": { "message": reason },
            })),
            _ => Err(wrong("nothing is refused here")),
        }
    }
}

fn hit(running: &Running, breakpoint: Breakpoint) -> Value {
    let reason = match breakpoint {
        Breakpoint::Line { .. } => "breakpoint",
        Breakpoint::Instruction { .. } => "instruction breakpoint",
    };
    let ids = running.wanted_by.get(&breakpoint).map(Vec::as_slice).unwrap_or_default();
    json!({ "reason": reason, "hitBreakpointIds": ids })
}

/// What holds it at the end, if anything does: that the input is refused, which is told at the last instruction, or that the
/// launch wants it.
fn at_the_end(running: &mut Running, refusals: bool) -> Option<Value> {
    let message = running.session.recording().end().message();
    if let Some(message) = message.filter(|_| refusals && !running.has_told) {
        running.has_told = true;
        let last = running.session.recording().len().saturating_sub(1);
        running.session.go_to(last);
        let is_cut = running.session.recording().is_cut();
        let description =
            if is_cut { "refused later: the run was too long, and its end is missing" } else { "refused" };
        return Some(json!({ "reason": "exception", "description": description, "text": message }));
    }
    let stays = running.plan.stop_at_end && !std::mem::replace(&mut running.has_stayed, true);
    stays.then(|| json!({ "reason": "end", "description": "at the end" }))
}
