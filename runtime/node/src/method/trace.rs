//! Running a transaction's scripts for show.

use spec::{Mode, Rules, SpendContext, Transaction, Txid};
use vm::{Failure, Metrics, StackView, Step, Tracer};

use crate::json::{Json, hex, list, object, text};
use crate::method::raw::{decode_transaction, spent_outputs};
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::Args;
use crate::state::Node;

/// After so many steps, or so many bytes of stack contents, a trace is cut off.
const STEPS_MAX: usize = 100_000;
const STACK_BYTES_MAX: usize = 32 * 1024 * 1024;

pub(crate) fn transaction(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let tx = given(node, args)?;
    if tx.is_coinbase() {
        return Err(RpcError::new(Code::InvalidParameter, "a coinbase runs no scripts"));
    }
    let spent = spent_outputs(node, &tx)?;
    let inputs = match args.int(1)? {
        Some(input) => vec![usize::try_from(input).ok().filter(|input| *input < tx.inputs.len()).ok_or_else(no_input)?],
        None => (0..tx.inputs.len()).collect(),
    };
    let context = SpendContext::new(&tx, &spent).ok_or_else(no_input)?;
    let rules = Rules::new(node.chain().params().rules, Mode::Consensus);
    let mut recorder = Recorder::default();
    let shown: Vec<Json> =
        inputs.into_iter().map(|input| trace_input(node, &rules, &context, input, &mut recorder)).collect();
    Ok(object([
        ("txid", text(tx.txid())),
        ("engine", Json::from("interpreter")),
        ("truncated", Json::from(recorder.truncated)),
        ("inputs", list(shown)),
    ]))
}

/// The transaction that the first parameter names by its id, or holds as bytes.
pub(crate) fn given(node: &Node, args: &Args) -> Result<Transaction, RpcError> {
    let given = args.text(0)?;
    match given.parse::<Txid>() {
        Ok(txid) => known(node, &txid),
        Err(_) => decode_transaction(&given),
    }
}

fn no_input() -> RpcError {
    RpcError::new(Code::InvalidParameter, "the transaction has no such input")
}

fn known(node: &Node, txid: &Txid) -> Result<Transaction, RpcError> {
    if let Some(entry) = node.mempool().get(txid) {
        return Ok((*entry.tx).clone());
    }
    let mined = node.chain().transaction(txid)?.map(|(tx, _)| tx);
    mined.ok_or_else(|| RpcError::new(Code::NotFound, "No such mempool or blockchain transaction"))
}

fn trace_input(node: &Node, rules: &Rules, context: &SpendContext<'_>, input: usize, recorder: &mut Recorder) -> Json {
    let verdict = vm::verify_input_traced(rules, context, input, recorder);
    let metrics = match &verdict {
        Ok(metrics) => metrics,
        Err(failure) => &failure.metrics,
    };
    let unlock = context.tx().inputs.get(input).map(|claim| claim.unlock.as_slice()).unwrap_or_default();
    let lock = context.spent().get(input).map(|output| output.lock.as_slice()).unwrap_or_default();
    let failure = verdict.as_ref().err();
    let explained = failure.and_then(|failure| node.registry().explain(lock, unlock, failure));
    object([("input", Json::from(input)), ("ok", Json::from(verdict.is_ok()))])
        .merge(metrics_view(metrics, rules.cost_budget(unlock.len()).get()))
        .with_some("error", failure.map(failure_view))
        .with_some("require", explained)
        .with("steps", Json::List(std::mem::take(&mut recorder.steps)))
}

fn metrics_view(metrics: &Metrics, budget: u64) -> Json {
    object([
        ("cost", Json::from(metrics.cost.get())),
        ("budget", Json::from(budget)),
        ("hashiterations", Json::from(metrics.hash_iterations)),
        ("sigchecks", Json::from(metrics.sig_checks)),
    ])
}

fn failure_view(failure: &Failure) -> Json {
    let inside = failure
        .inside
        .map(|inside| object([("function", hex(inside.function.bytes())), ("at", Json::from(inside.at))]));
    object([("message", text(failure.error)), ("phase", text(failure.phase))])
        .with_some("at", failure.at)
        .with_some("inside", inside)
}

/// Keeps every step until there are too many.
#[derive(Default)]
struct Recorder {
    steps: Vec<Json>,
    count: usize,
    bytes: usize,
    truncated: bool,
}

impl Tracer for Recorder {
    fn step(&mut self, step: &Step<'_>) {
        if self.count >= STEPS_MAX || self.bytes >= STACK_BYTES_MAX {
            self.truncated = true;
            return;
        }
        self.count += 1;
        let name =
            spec::Opcode::from_byte(step.byte).map_or_else(|| byte_name(step.byte), |opcode| opcode.name().to_owned());
        let shown = object([
            ("phase", text(step.phase)),
            ("at", Json::from(step.at)),
            ("depth", Json::from(step.depth)),
            ("opcode", Json::Text(name)),
            ("executing", Json::from(step.executing)),
            ("cost", Json::from(step.cost.get())),
            ("stack", self.stack(step.stack)),
            ("alt", self.stack(step.alt)),
        ]);
        self.steps.push(shown);
    }
}

fn byte_name(byte: u8) -> String {
    match byte {
        1..=0x4b => format!("OP_PUSHBYTES_{byte}"),
        other => format!("BYTE_{other:02x}"),
    }
}

impl Recorder {
    /// The items, bottom first, until the trace has enough bytes; more than the limit is never copied.
    fn stack(&mut self, view: StackView<'_>) -> Json {
        let mut items = Vec::new();
        for item in view.iter() {
            self.bytes += item.len() + 8;
            if self.bytes >= STACK_BYTES_MAX {
                self.truncated = true;
                break;
            }
            items.push(hex(item));
        }
        Json::List(items)
    }
}
