//! `bmc debug`: a script step by step, forwards and backwards, in a terminal.

mod keys;
mod screen;
mod terminal;

use clap::Args;
use debugger::{Item, Session};
use serde::Serialize;

use crate::fail::Fail;
use crate::project;
use crate::shell::Shell;
use crate::subject::Wanted;
use keys::{Desk, Key};

/// Step through a script, forwards and backwards, at the lines of its source or at its instructions.
///
/// One word of hexadecimal digits is a transaction or bytecode, several words are assembly, the name of a file stands for
/// what is in it, and the id of a transaction asks the node, which also knows the contracts that were deployed through it.
/// With `--test` it is a transaction that a test makes.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc debug --test refund_waits\n  bmc debug --test refund_waits --transaction 2 --input 0\n  bmc debug \"2 OP_ADD 5 OP_EQUAL\" --unlock 3\n  bmc debug tx.hex --spent 5000:76a9149d5b6dd8e5b1d1d9ab5c8a8b8bd8f4a7a3b0c5e188ac --artifact artifacts/Htlc.json\n  bmc debug 9c2f5a3e1b7d4860f1e2d3c4b5a697887a6b5c4d3e2f10203040506070809ab0\n  bmc debug \"2 OP_ADD 5 OP_EQUAL\" --unlock 3 --keys nnN\n\nKeys: n N step over the next or the one before · s S into functions · o O out of them · c C on or back to a breakpoint ·\nb breakpoint · w watch an expression · t lines or instructions · g G start or end · ? help · q quit"
)]
pub(crate) struct Debug {
    #[command(flatten)]
    wanted: Wanted,
    /// Press these keys and print the screen then, without a terminal; `<enter>`, `<esc>`, `<up>` and `<down>` stand for those keys.
    #[arg(long, value_name = "KEYS", value_parser = keys::parse)]
    keys: Option<Keys>,
    /// How large the screen is that `--keys` prints.
    #[arg(long, value_name = "COLUMNSxROWS", default_value = "100x32", value_parser = screen::size)]
    screen: (u16, u16),
}

type Keys = Vec<Key>;

/// What `--json` prints after the keys: where it stands.
#[derive(Serialize)]
struct State<'a> {
    title: &'a str,
    input: usize,
    /// The number of the step, from 0, and how many there are; as many at the end.
    step: usize,
    steps: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    instruction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    cost: u64,
    budget: u64,
    /// Bottom first.
    stack: Vec<Shown>,
    alt: Vec<Shown>,
    watches: Vec<(String, String)>,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    hex: String,
}

impl Debug {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let recorded = self.wanted.record(&|compiled| project::report(shell, compiled))?;
        let mut desk = Desk::new(Session::new(recorded.recording), &recorded.title, &recorded.texts);
        let Some(keys) = &self.keys else { return terminal::run(&mut desk) };
        keys.iter().for_each(|key| desk.press(*key));
        let screen = screen::printed(&desk, self.screen);
        shell.print(&state(&desk, recorded.input), |out| out.write_all(screen.as_bytes()))
    }
}

fn state<'a>(desk: &Desk<'a>, input: usize) -> State<'a> {
    let session = desk.session();
    let (recording, moment) = (session.recording(), session.moment());
    let (main, alt) = recording.stacks(session.now());
    let item = |item: &Item| Shown { name: item.name.as_deref().map(str::to_owned), hex: hex::encode(&item.bytes) };
    let place = moment.and_then(|moment| moment.place);
    let end = recording.end();
    State {
        title: desk.title(),
        input,
        step: session.now(),
        steps: recording.len(),
        instruction: moment.map(|moment| recording.word(moment)),
        file: place.and_then(|place| desk.texts().path(place.file)),
        line: place.map(|place| place.line),
        cost: moment.map_or(end.metrics.cost.get(), |moment| moment.cost),
        budget: recording.budget(),
        stack: main.iter().map(item).collect(),
        alt: alt.iter().map(item).collect(),
        watches: desk.watched(&main, &alt),
        valid: end.failure.is_none(),
        failure: end.reason(),
    }
}
