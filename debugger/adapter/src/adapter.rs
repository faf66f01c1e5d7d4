//! What is done about each request, and the life of a run from `launch` to `disconnect`.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::breakpoints::Wishes;
use crate::client::{Client, Hello, capabilities};
use crate::launcher::{Launcher, Refusal};
use crate::message::{Answer, Outbox, Request, Wrong, wrong};
use crate::running::{Plan, Running, State};

/// One client, and what it debugs.
pub(crate) struct Adapter<'l> {
    pub(crate) launcher: &'l mut dyn Launcher,
    pub(crate) out: Outbox,
    /// Nothing before `initialize`.
    pub(crate) client: Option<Client>,
    pub(crate) wishes: Wishes,
    pub(crate) running: Option<Running>,
    has_left: bool,
}

impl<'l> Adapter<'l> {
    pub(crate) fn new(launcher: &'l mut dyn Launcher) -> Self {
        Self {
            launcher,
            out: Outbox::default(),
            client: None,
            wishes: Wishes::default(),
            running: None,
            has_left: false,
        }
    }

    /// Whether the client has said that it goes.
    pub(crate) const fn has_left(&self) -> bool {
        self.has_left
    }

    /// Whether the client has said hello.
    pub(crate) const fn was_greeted(&self) -> bool {
        self.client.is_some()
    }

    /// Answers a message, and tells what follows from it.
    pub(crate) fn answer(&mut self, body: &[u8], out: &mut impl Write) -> io::Result<()> {
        let (seq, command, answer) = match Request::read(body) {
            Ok(None) => return Ok(()),
            Err((seq, error)) => (seq, String::new(), Err(error)),
            Ok(Some(request)) => {
                let (seq, command) = (request.seq, request.command.clone());
                (seq, command, self.handle(request))
            }
        };
        self.out.answer(out, seq, &command, answer)
    }

    fn handle(&mut self, request: Request) -> Answer {
        match request.command.as_str() {
            "initialize" => return self.initialize(request),
            "disconnect" => {
                self.has_left = true;
                return Ok(json!({}));
            }
            _ => {
                self.client()?;
            }
        }
        match request.command.as_str() {
            "launch" => self.launch(request),
            "attach" => Err(wrong("there is nothing to attach to: `launch` names a test, a transaction or a script")),
            "restart" => self.restart(request),
            "configurationDone" => self.configured(),
            "terminate" => self.terminate(),
            // Nothing takes long enough to be cancelled, and nothing runs while a request is read.
            "cancel" | "pause" => Ok(json!({})),
            "setBreakpoints" => self.set_breakpoints(request),
            "setInstructionBreakpoints" => self.set_instruction_breakpoints(request),
            "setExceptionBreakpoints" => self.set_exception_breakpoints(request),
            "setFunctionBreakpoints" => Err(wrong("there are no breakpoints of functions: set one in a line")),
            "breakpointLocations" => self.breakpoint_locations(request),
            "continue" | "reverseContinue" | "next" | "stepIn" | "stepOut" | "stepBack" => self.travel(request),
            "threads" => self.threads(),
            "stackTrace" => self.stack_trace(request),
            "scopes" => self.scopes(request),
            "variables" => self.variables(request),
            "evaluate" => self.evaluate(request),
            "exceptionInfo" => self.exception_info(),
            "disassemble" => self.disassemble(request),
            "source" => self.source(request),
            "loadedSources" => self.loaded_sources(),
            unknown => Err(wrong(format!("`{unknown}` is no request that this adapter knows"))),
        }
    }

    /// How the client counts.
    pub(crate) fn client(&self) -> Result<Client, Wrong> {
        self.client.ok_or_else(|| wrong("say `initialize` first"))
    }

    /// What is debugged.
    pub(crate) fn running(&self) -> Result<&Running, Wrong> {
        self.running.as_ref().ok_or_else(|| wrong("nothing runs: say `launch` first"))
    }

    /// What is debugged, to be changed.
    pub(crate) fn running_mut(&mut self) -> Result<&mut Running, Wrong> {
        self.running.as_mut().ok_or_else(|| wrong("nothing runs: say `launch` first"))
    }

    fn initialize(&mut self, mut request: Request) -> Answer {
        let hello: Hello = request.arguments()?;
        self.client = Some(Client::new(&hello)?);
        Ok(capabilities())
    }

    fn launch(&mut self, request: Request) -> Answer {
        if self.running.is_some() {
            return Err(wrong("something runs already: say `restart`, or `disconnect` and begin anew"));
        }
        self.make(request.arguments)?;
        // Only now it is known which lines have code.
        self.out.event("initialized", json!({}));
        Ok(json!({}))
    }

    fn restart(&mut self, mut request: Request) -> Answer {
        let known = &self.running()?.arguments;
        let given = request.arguments.get_mut("arguments").map(Value::take).filter(Value::is_object);
        let arguments = given.unwrap_or_else(|| known.clone());
        self.make(arguments)?;
        self.begin();
        Ok(json!({}))
    }

    /// Makes the run that these arguments name. If there is none, what ran before stays.
    fn make(&mut self, arguments: Value) -> Result<(), Wrong> {
        let arguments = if arguments.is_null() { json!({}) } else { arguments };
        let plan = Plan::of(&arguments)?;
        let run = self.launcher.launch(&arguments).map_err(|refusal| self.refused(refusal))?;
        if !run.notes.trim().is_empty() {
            self.out.tell("console", &run.notes);
        }
        self.out.tell("console", &run.title);
        if run.recording.is_cut() {
            self.out.tell("important", "the run was too long: its end is missing");
        }
        self.running = Some(Running::new(run, plan, arguments));
        for (_, breakpoint) in self.settle_breakpoints() {
            self.out.event("breakpoint", json!({ "reason": "changed", "breakpoint": breakpoint }));
        }
        Ok(())
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

    fn configured(&mut self) -> Answer {
        if self.running()?.state != State::Waiting {
            return Err(wrong("it runs already"));
        }
        self.begin();
        Ok(json!({}))
    }

    fn terminate(&mut self) -> Answer {
        let running = self.running_mut()?;
        running.state = State::Over;
        self.out.event("terminated", json!({}));
        Ok(json!({}))
    }

    fn threads(&self) -> Answer {
        Ok(json!({ "threads": [{ "id": 1, "name": self.running()?.title }] }))
    }

    fn disassemble(&self, mut request: Request) -> Answer {
        let page = request.arguments()?;
        let running = self.running()?;
        running.code.page(&page, running, self.client()?)
    }
}
