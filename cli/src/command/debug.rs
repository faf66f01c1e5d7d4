//! `bmc debug`: a script step by step, forwards and backwards, in a terminal.

mod keys;
mod screen;
mod subject;
mod terminal;

use std::path::PathBuf;

use clap::Args;
use debugger::{Item, Recording, Session, Subject};
use serde::Serialize;
use spec::{Mode, RuleSet, Rules, SpendContext};

use crate::fail::Fail;
use crate::link::NodeArgs;
use crate::project::{self, TargetArgs};
use crate::shell::Shell;
use keys::{Desk, Key};
use subject::{Target, Texts};

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
    /// A transaction's id or hexadecimal digits, a script in digits or words, or a file with either.
    #[arg(value_name = "TXID|TXHEX|SCRIPT", required_unless_present = "test", conflicts_with = "test")]
    what: Option<String>,
    /// A test, by a part of its `file::name`.
    #[arg(long, value_name = "NAME")]
    test: Option<String>,
    /// Which of the test's transactions, from 1 [default: the last; that which fails, if one does].
    #[arg(long, value_name = "N", requires = "test")]
    transaction: Option<usize>,
    /// The seed of a property's case.
    #[arg(long, value_name = "SEED", requires = "test", value_parser = super::test::seed)]
    replay: Option<u64>,
    /// The sources, files or folders; tests stand there, and the texts of contracts.
    #[arg(long, value_name = "PATH", default_value = ".")]
    file: Vec<PathBuf>,
    /// What the script's input pushes, in digits or words.
    #[arg(long, value_name = "SCRIPT", allow_hyphen_values = true)]
    unlock: Option<String>,
    /// An output that the transaction spends, in the order of its inputs; or all of them as one list, in digits.
    #[arg(long, value_name = "SATS:LOCK", allow_hyphen_values = true)]
    spent: Vec<String>,
    /// The artifact of the contract that the input spends.
    #[arg(long, value_name = "FILE")]
    artifact: Option<PathBuf>,
    /// The input, from 0 [default: the first that spends a known contract].
    #[arg(long, value_name = "N")]
    input: Option<usize>,
    /// Press these keys and print the screen then, without a terminal; `<enter>`, `<esc>`, `<up>` and `<down>` stand for those keys.
    #[arg(long, value_name = "KEYS", value_parser = keys::parse)]
    keys: Option<Keys>,
    /// How large the screen is that `--keys` prints.
    #[arg(long, value_name = "COLUMNSxROWS", default_value = "100x32", value_parser = screen::size)]
    screen: (u16, u16),
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    node: NodeArgs,
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
        let target = self.target(shell)?;
        let input = target.input(self.input)?;
        let known = target.artifacts.get(input).and_then(Option::as_ref).map(|artifact| artifact.rules);
        let rules = Rules::new(self.target.named_rules().or(known).unwrap_or(RuleSet::Bitmodel), Mode::Consensus);
        let context = SpendContext::new(&target.tx, &target.spent)
            .ok_or_else(|| Fail::usage("a transaction spends one output for each input"))?;
        let artifact = target.artifacts.get(input).and_then(Option::as_ref);
        let texts = Texts::of(artifact, &self.file);
        let subject = Subject { rules: &rules, context: &context, input, artifact, sources: &texts.texts };
        let recording = Recording::of(&subject);
        if recording.is_empty() {
            return Err(Fail::refused("there is nothing to step through: no instruction runs"));
        }
        let title = target.title(input);
        let mut desk = Desk::new(Session::new(&recording), &title, &texts);
        let Some(keys) = &self.keys else { return terminal::run(&mut desk) };
        keys.iter().for_each(|key| desk.press(*key));
        let screen = screen::printed(&desk, self.screen);
        shell.print(&state(&desk, input), |out| out.write_all(screen.as_bytes()))
    }

    fn target(&self, shell: &Shell) -> Result<Target, Fail> {
        if let Some(name) = &self.test {
            let compiled = project::compile(&self.file, self.target)?;
            project::report(shell, &compiled)?;
            return Target::of_test(&compiled, name, self.transaction, self.replay);
        }
        let what = self.what.as_deref().unwrap_or_default();
        let artifact = self.artifact.as_deref().map(super::verify::artifact).transpose()?;
        match what.parse() {
            Ok(txid) if self.spent.is_empty() && self.unlock.is_none() => {
                Target::of_node(&self.node.link(), txid, artifact)
            }
            _ => {
                let rules = self.target.rules();
                Target::given(what, self.unlock.as_deref(), &self.spent, rules, artifact)
            }
        }
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
        failure: end.explained.clone().or_else(|| end.failure.as_ref().map(ToString::to_string)),
    }
}
