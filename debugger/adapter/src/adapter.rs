//! What is done about each request.

use std::io::{self, Write};
use std::sync::Arc;

use serde_json::json;

use crate::breakpoints::Wishes;
use crate::client::{Client, Hello, capabilities};
use crate::launcher::Launcher;
use crate::making::Making;
use crate::message::{Answer, Outbox, Request, Wrong, wrong};
use crate::running::{Running, State};

const NOTHING_RUNS: &str = "nothing runs: say `launch` first";

/// One client, and what it debugs.
pub(crate) struct Adapter {
    pub(crate) launcher: Arc<dyn Launcher>,
    pub(crate) out: Outbox,
    /// Nothing before `initialize`.
    pub(crate) client: Option<Client>,
    pub(crate) wishes: Wishes,
    pub(crate) running: Option<Running>,
    pub(crate) making: Making,
    has_left: bool,
}

impl Adapter {
    pub(crate) fn new(launcher: Arc<dyn Launcher>) -> Self {
        Self {
            launcher,
            out: Outbox::default(),
            client: None,
            wishes: Wishes::default(),
            running: None,
            making: Making::default(),
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

    /// Answers a message, and tells what follows from it; what has to wait for a run is answered later.
    pub(crate) fn hear(&mut self, body: &[u8], out: &mut impl Write) -> io::Result<()> {
        match Request::read(body) {
            Ok(None) => return Ok(()),
            Err((seq, error)) => self.out.answer(out, seq, "", Err(error))?,
            Ok(Some(request)) => match self.defer(request) {
                Some(request) => self.treat(request, out)?,
                None => return Ok(()),
            },
        }
        self.catch_up(out)
    }

    /// Does what has waited and need not wait any more.
    pub(crate) fn catch_up(&mut self, out: &mut impl Write) -> io::Result<()> {
        while !self.has_left
            && let Some(request) = self.next_deferred()
        {
            self.treat(request, out)?;
        }
        Ok(())
    }

    fn treat(&mut self, request: Request, out: &mut impl Write) -> io::Result<()> {
        let (seq, command) = (request.seq, request.command.clone());
        let answer = match command.as_str() {
            "launch" | "restart" => return self.start_making(request, out),
            "cancel" => self.cancel(request, out)?,
            "terminate" => {
                let was_making = self.is_making();
                self.give_up(out)?;
                self.terminate(was_making)
            }
            "disconnect" => {
                self.give_up(out)?;
                self.has_left = true;
                Ok(json!({}))
            }
            _ => self.handle(request),
        };
        self.out.answer(out, seq, &command, answer)
    }

    fn handle(&mut self, request: Request) -> Answer {
        if request.command == "initialize" {
            return self.initialize(request);
        }
        self.client()?;
        match request.command.as_str() {
            "attach" => Err(wrong("there is nothing to attach to: `launch` names a test, a transaction or a script")),
            "configurationDone" => self.configured(),
            // Where a run goes to is found before anybody can ask it to pause.
            "pause" => Ok(json!({})),
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
        self.running.as_ref().ok_or_else(|| wrong(NOTHING_RUNS))
    }

    /// What is debugged, to be changed.
    pub(crate) fn running_mut(&mut self) -> Result<&mut Running, Wrong> {
        self.running.as_mut().ok_or_else(|| wrong(NOTHING_RUNS))
    }

    fn initialize(&mut self, mut request: Request) -> Answer {
        let hello: Hello = request.arguments()?;
        self.client = Some(Client::new(&hello)?);
        Ok(capabilities())
    }

    fn configured(&mut self) -> Answer {
        match self.running()?.state {
            State::Waiting => {
                self.begin();
                Ok(json!({}))
            }
            State::Standing => Err(wrong("it runs already")),
            State::Over => Err(wrong("the run has ended: `restart` begins it anew")),
        }
    }

    /// Ends what runs, if that has not ended, or what was to run.
    fn terminate(&mut self, was_making: bool) -> Answer {
        self.client()?;
        let before = self.running.as_mut().map(|running| std::mem::replace(&mut running.state, State::Over));
        match before {
            None if !was_making => return Err(wrong(NOTHING_RUNS)),
            // The client knows it already.
            Some(State::Over) if !was_making => {}
            _ => self.out.event("terminated", json!({})),
        }
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
