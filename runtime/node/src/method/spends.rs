//! What the inputs of a transaction say to the contracts that the node knows.

use spec::artifact::{AbiType, AbiValue, Value};
use spec::{Address, Artifact, Network, Rules, SpendContext, TxOut};
use wallet::{Given, Places, path_taken, script_of, spending};

use crate::json::{Json, hex, list, object, text};
use crate::method::raw::spent_outputs;
use crate::method::trace::given;
use crate::rpc::error::RpcError;
use crate::rpc::params::Args;
use crate::state::Node;

/// So many inputs of a transaction are told of.
const INPUTS_MAX: usize = 200;

pub(crate) fn of_transaction(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let tx = given(node, args)?;
    // A coinbase spends nothing, and where no contract is known there is nothing to say.
    if tx.is_coinbase() || node.registry().is_empty() {
        return Ok(list::<Json>([]));
    }
    let spent = spent_outputs(node, &tx)?;
    let Some(context) = SpendContext::new(&tx, &spent) else { return Ok(list::<Json>([])) };
    let inputs = spent.iter().enumerate().take(INPUTS_MAX);
    Ok(list(inputs.filter_map(|(input, output)| spend(node, &context, input, output))))
}

fn spend(node: &Node, context: &SpendContext<'_>, input: usize, output: &TxOut) -> Option<Json> {
    let artifact = &node.registry().get(&output.lock)?.artifact;
    let unlock = context.tx().inputs.get(input)?.unlock.as_slice();
    // Most paths are told apart by what is pushed; only for others the script has to run.
    let ran = match path_taken(artifact, unlock) {
        Some(_) => None,
        None => Some(followed(node, artifact, context, input)?),
    };
    let spending = spending(artifact, &output.lock, unlock, &|number| ran.as_ref()?.taken(number))?;
    let network = node.network();
    let all = |given: &[Given<'_>]| list(given.iter().map(|given| shown(network, given)));
    Some(
        object([("input", Json::from(input)), ("contract", Json::from(artifact.contract.as_str()))])
            .with_some("address", Address::of_lock(network, &output.lock).map(text))
            .with_some("path", spending.path.map(|path| path.name.as_str()))
            .merge(object([("args", all(&spending.args)), ("params", all(&spending.params))])),
    )
}

fn shown(network: Network, given: &Given<'_>) -> Json {
    let (slot, value) = (given.slot, &given.value);
    let decoded = slot.ty.decode(value).map(|value| value_view(network, &slot.ty, &value));
    object([
        ("name", Json::from(slot.name.as_str())),
        ("type", text(&slot.ty)),
        ("value", decoded.unwrap_or_else(|| bytes_view(value))),
    ])
}

/// What is no value of its type is shown as it was pushed.
fn bytes_view(value: &AbiValue) -> Json {
    match value {
        AbiValue::Item(item) => hex(item),
        AbiValue::Items(items) => list(items.iter().map(hex)),
        AbiValue::Records(records) => list(records.all.iter().map(|record| list(record.iter().map(hex)))),
    }
}

/// Numbers are texts, because they may exceed what a client's floating-point numbers hold; locks with an address are addresses.
fn value_view(network: Network, ty: &AbiType, value: &Value) -> Json {
    match (ty, value) {
        (_, Value::Int(n)) => text(n),
        (_, Value::Bool(truth)) => Json::from(*truth),
        (AbiType::Lock, Value::Bytes(lock)) => Address::of_lock(network, lock).map_or_else(|| hex(lock), text),
        // Identifiers are shown reversed, as those of transactions are.
        (AbiType::Category | AbiType::Did, Value::Bytes(bytes)) => hex(bytes.iter().rev().copied().collect::<Vec<_>>()),
        (_, Value::Bytes(bytes)) => hex(bytes),
        (AbiType::Struct(of), Value::Parts(parts)) => {
            let fields = of.fields.iter().zip(parts);
            fields.fold(object([]), |all, (slot, part)| all.with(&slot.name, value_view(network, &slot.ty, part)))
        }
        (AbiType::List(of), Value::Parts(records) | Value::List { records, .. }) => {
            let of = AbiType::Struct(of.clone());
            list(records.iter().map(|record| value_view(network, &of, record)))
        }
        (AbiType::Tuple(types), Value::Parts(parts)) => {
            list(types.iter().zip(parts).map(|(ty, part)| value_view(network, ty, part)))
        }
        (AbiType::Array(of, _) | AbiType::Table(of, _), Value::Parts(parts)) => {
            list(parts.iter().map(|part| value_view(network, of, part)))
        }
        (_, Value::Parts(parts) | Value::List { records: parts, .. }) => {
            list(parts.iter().map(|part| value_view(network, &AbiType::Bytes, part)))
        }
        (AbiType::Enum(of), Value::Variant(variant, parts)) => {
            let Some(variant) = of.variants.get(*variant) else { return Json::Null };
            let parts = variant.fields.iter().zip(parts).map(|(ty, part)| value_view(network, ty, part));
            object([(variant.name.as_str(), list(parts))])
        }
        (_, Value::Variant(variant, _)) => Json::from(*variant),
    }
}

/// The script of a contract once it has run, to tell which branches of its conditionals it took.
fn followed<'a>(node: &Node, artifact: &'a Artifact, context: &SpendContext<'_>, input: usize) -> Option<Places<'a>> {
    let lock = context.spent().get(input)?.lock.as_slice();
    let script = script_of(artifact, lock, &context.tx().inputs.get(input)?.unlock)?;
    let mut places = Places::new(artifact, script);
    let rules = Rules::new(node.chain().params().rules, spec::Mode::Consensus);
    // A script that fails has taken the turns that came before.
    let _ = vm::verify_input_traced(&rules, context, input, &mut places);
    Some(places)
}
