//! Building and signing transactions for clients that bring their own keys.

use chain::Coin;
use serde::Deserialize;
use serde_json::value::RawValue;
use spec::script::{push_data, push_op};
use spec::token::{Capability, Nft};
use spec::{Category, Mode, Opcode, OutPoint, Rules, Sats, SighashType, SpendContext, Token, Transaction, TxIn, TxOut};
use wallet::Key;

use crate::json::{Json, hex as hex_text, list, object, text};
use crate::method::raw::decode_transaction;
use crate::rpc::envelope::Named;
use crate::rpc::error::{Code, RpcError};
use crate::rpc::params::{Args, parse_amount, parse_id, shorten};
use crate::state::Node;

fn invalid(message: impl Into<String>) -> RpcError {
    RpcError::new(Code::InvalidParameter, message)
}

#[derive(Deserialize)]
struct InputText {
    txid: String,
    vout: i64,
    sequence: Option<i64>,
}

/// Lets the lock time count, and asks for nothing else.
const SEQUENCE_LOCKTIME: u32 = u32::MAX - 1;

pub(crate) fn create(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let locktime = u32::try_from(args.int(2)?.unwrap_or(0));
    let locktime = locktime.map_err(|_| invalid("Invalid parameter, locktime out of range"))?;
    let sequence = if locktime == 0 { u32::MAX } else { SEQUENCE_LOCKTIME };
    let inputs: Vec<InputText> = args.need(0)?;
    let inputs = inputs.iter().map(|input| read_input(input, sequence)).collect::<Result<Vec<_>, _>>()?;
    let outputs = read_outputs(node, args.raw(1).unwrap_or("{}"))?;
    Ok(hex_text(Transaction { version: 2, inputs, outputs, locktime }.encode()))
}

fn read_input(input: &InputText, sequence: u32) -> Result<TxIn, RpcError> {
    let txid = parse_id(&input.txid, "txid")?;
    let index = u32::try_from(input.vout).map_err(|_| invalid("Invalid parameter, vout cannot be negative"))?;
    let sequence = input.sequence.map_or(Ok(sequence), u32::try_from);
    let sequence = sequence.map_err(|_| invalid("Invalid parameter, sequence number is out of range"))?;
    Ok(TxIn { prevout: OutPoint { txid, index }, unlock: Vec::new(), sequence })
}

/// Outputs as one object, or as a list of objects, which may pay an address twice.
pub(crate) fn read_outputs(node: &Node, raw: &str) -> Result<Vec<TxOut>, RpcError> {
    let unreadable = |error: serde_json::Error| {
        RpcError::new(Code::Type, format!("parameter `outputs` cannot be read: {}", shorten(&error.to_string())))
    };
    let objects: Vec<Named> = if raw.starts_with('[') {
        serde_json::from_str(raw).map_err(unreadable)?
    } else {
        vec![serde_json::from_str(raw).map_err(unreadable)?]
    };
    let members = objects.into_iter().flat_map(|object| object.0);
    members.map(|(name, value)| read_output(node, &name, &value)).collect()
}

/// An amount with tokens beside it.
#[derive(Deserialize)]
struct Holding {
    amount: Box<RawValue>,
    #[serde(rename = "tokenData")]
    token: Option<TokenText>,
}

#[derive(Deserialize)]
struct TokenText {
    category: String,
    amount: Option<Box<RawValue>>,
    nft: Option<NftText>,
}

#[derive(Deserialize)]
struct NftText {
    capability: Option<String>,
    commitment: Option<String>,
}

fn read_output(node: &Node, name: &str, value: &RawValue) -> Result<TxOut, RpcError> {
    if name == "data" {
        let data = serde_json::from_str::<String>(value.get()).ok().and_then(|digits| hex::decode(digits).ok());
        let data = data.ok_or_else(|| invalid("Data must be hexadecimal string"))?;
        let mut lock = Vec::new();
        push_op(&mut lock, Opcode::Return);
        push_data(&mut lock, &data);
        return Ok(TxOut::plain(Sats::ZERO, lock));
    }
    let lock = node.lock_from_text(name)?;
    if !value.get().starts_with('{') {
        return Ok(TxOut::plain(parse_amount(value.get())?, lock));
    }
    let holding: Holding = serde_json::from_str(value.get()).map_err(|error| {
        RpcError::new(Code::Type, format!("an output cannot be read: {}", shorten(&error.to_string())))
    })?;
    let token = holding.token.as_ref().map(read_token).transpose()?;
    Ok(TxOut { value: parse_amount(holding.amount.get())?, token, lock })
}

fn read_token(token: &TokenText) -> Result<Token, RpcError> {
    let category: Category = parse_id(&token.category, "category")?;
    let amount = match token.amount.as_deref().map(|raw| raw.get().trim_matches('"')) {
        None => 0,
        Some(digits) => {
            let amount = digits.parse::<u64>().ok().filter(|amount| i64::try_from(*amount).is_ok());
            amount.ok_or_else(|| invalid("a token's amount is a whole number of at most 63 bits"))?
        }
    };
    let nft = token.nft.as_ref().map(read_nft).transpose()?;
    if amount == 0 && nft.is_none() {
        return Err(invalid("tokenData needs an amount or an nft"));
    }
    Ok(Token { category, amount, nft })
}

fn read_nft(nft: &NftText) -> Result<Nft, RpcError> {
    let capability = match nft.capability.as_deref() {
        None | Some("none") => Capability::None,
        Some("mutable") => Capability::Mutable,
        Some("minting") => Capability::Minting,
        Some(_) => return Err(invalid("capability is `none`, `mutable` or `minting`")),
    };
    let commitment = hex::decode(nft.commitment.as_deref().unwrap_or_default());
    Ok(Nft { capability, commitment: commitment.map_err(|_| invalid("commitment must be hexadecimal string"))? })
}

/// An output that a client says is spent.
#[derive(Deserialize)]
struct PrevTx {
    txid: String,
    vout: i64,
    #[serde(rename = "scriptPubKey")]
    lock: String,
    amount: Option<Box<RawValue>>,
    #[serde(rename = "tokenData")]
    token: Option<TokenText>,
}

pub(crate) fn sign_with_key(node: &mut Node, args: &Args) -> Result<Json, RpcError> {
    let texts: Vec<String> = args.need(1)?;
    let key = |text: &String| Key::from_wif(text).map_err(|_| RpcError::new(Code::NotFound, "Invalid private key"));
    let keys = texts.iter().map(key).collect::<Result<Vec<_>, _>>()?;
    sign(node, args, &keys, 2)
}

/// Signs with keys; what is spent is given as the parameter at `prevs`, the kind of signature in the next.
pub(crate) fn sign(node: &Node, args: &Args, keys: &[Key], prevs: usize) -> Result<Json, RpcError> {
    let mut tx = decode_transaction(&args.text(0)?)?;
    let kind = signature_kind(args.get::<String>(prevs + 1)?.as_deref())?;
    let given: Vec<PrevTx> = args.get(prevs)?.unwrap_or_default();
    let given = given.iter().map(read_prev).collect::<Result<Vec<_>, _>>()?;
    let mut spent = Vec::with_capacity(tx.inputs.len());
    for input in &tx.inputs {
        let told = given.iter().find(|(outpoint, _)| *outpoint == input.prevout).map(|(_, output)| output.clone());
        let found = match told {
            Some(output) => Some(output),
            None => node.coin_or_waiting(&input.prevout)?.map(|coin: Coin| coin.output),
        };
        spent.push(found);
    }
    let before: Vec<Vec<u8>> = tx.inputs.iter().map(|input| input.unlock.clone()).collect();
    let left = wallet::sign_inputs(&mut tx, &spent, keys, kind);
    let errors: Vec<Json> = (0..tx.inputs.len())
        .filter_map(|at| {
            let why = left.get(at).copied().flatten()?;
            // Somebody else may have signed it.
            let fine = before.get(at).is_some_and(|unlock| !unlock.is_empty()) && unlocks(node, &tx, &spent, at);
            (!fine).then(|| input_error(&tx, at, &why.to_string()))
        })
        .collect();
    let signed = object([("hex", hex_text(tx.encode())), ("complete", Json::from(errors.is_empty()))]);
    Ok(signed.with_some("errors", (!errors.is_empty()).then(|| list(errors))))
}

fn unlocks(node: &Node, tx: &Transaction, spent: &[Option<TxOut>], at: usize) -> bool {
    let Some(all) = spent.iter().cloned().collect::<Option<Vec<TxOut>>>() else { return false };
    let rules = Rules::new(node.chain().params().rules, Mode::Relay);
    SpendContext::new(tx, &all).is_some_and(|context| vm::verify_input(&rules, &context, at).is_ok())
}

fn input_error(tx: &Transaction, at: usize, why: &str) -> Json {
    let input = tx.inputs.get(at);
    object([
        ("txid", input.map_or(Json::Null, |input| text(input.prevout.txid))),
        ("vout", input.map_or(Json::Null, |input| Json::from(input.prevout.index))),
        ("scriptSig", input.map_or(Json::Null, |input| hex_text(&input.unlock))),
        ("sequence", input.map_or(Json::Null, |input| Json::from(input.sequence))),
        ("error", Json::from(why)),
    ])
}

fn read_prev(prev: &PrevTx) -> Result<(OutPoint, TxOut), RpcError> {
    let index = u32::try_from(prev.vout).map_err(|_| invalid("vout cannot be negative"))?;
    let lock = hex::decode(&prev.lock).map_err(|_| invalid("scriptPubKey must be hexadecimal string"))?;
    let value = prev.amount.as_deref().ok_or_else(|| invalid("Missing amount"))?;
    let token = prev.token.as_ref().map(read_token).transpose()?;
    let outpoint = OutPoint { txid: parse_id(&prev.txid, "txid")?, index };
    Ok((outpoint, TxOut { value: parse_amount(value.get())?, token, lock }))
}

fn signature_kind(name: Option<&str>) -> Result<SighashType, RpcError> {
    let Some(name) = name else { return Ok(SighashType::ALL) };
    let mut words = name.split('|');
    let base = match words.next() {
        Some("ALL") => 1,
        Some("NONE") => 2,
        Some("SINGLE") => 3,
        _ => return Err(invalid("Invalid sighash param")),
    };
    let kind = words.try_fold(base, |kind, word| match word {
        "FORKID" => Some(kind | 0x40),
        "UTXOS" => Some(kind | 0x20),
        "ANYONECANPAY" => Some(kind | 0x80),
        _ => None,
    });
    let kind = kind.map(SighashType::from_u32).filter(|kind| kind.fork_id() && kind.is_defined());
    kind.ok_or_else(|| invalid("Invalid sighash param; it must have FORKID"))
}
