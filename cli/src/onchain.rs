//! What scripts and transactions a command is given: digits, a file, or a name that a node knows them by.

use std::path::Path;

use client::RpcError;
use serde_json::json;
use spec::codec::{DecodeError, Reader};
use spec::hash::{hash160, sha256d};
use spec::script::{LockKind, last_push};
use spec::{Address, Artifact, RuleSet, Transaction, TxOut, Txid, asm};

use crate::fail::Fail;
use crate::link::{Link, NETWORK, broken};

/// Larger files are no transactions.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// The text itself, or that of the file it names.
pub(crate) fn text_of(what: &str) -> Result<String, Fail> {
    let path = Path::new(what);
    let Some(file) = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file) else {
        return Ok(what.to_owned());
    };
    let about = |error: String| Fail::refused(format!("`{what}`: {error}"));
    if file.len() > FILE_BYTES_MAX {
        return Err(about("the file is too large for a transaction".to_owned()));
    }
    std::fs::read_to_string(path).map_err(|error| about(error.to_string()))
}

/// The bytes of one word of hexadecimal digits; the error names the first character that is none.
pub(crate) fn digits(text: &str) -> Result<Vec<u8>, Fail> {
    let text = text.trim();
    let text = text.strip_prefix("0x").unwrap_or(text);
    if let Some((at, wrong)) = text.char_indices().find(|(_, c)| !c.is_ascii_hexdigit()) {
        let message = format!("character {at} is {wrong:?}, which is no hexadecimal digit");
        return Err(
            Fail::usage(message).help("give hexadecimal digits, a file with them, or an identifier of a transaction")
        );
    }
    hex::decode(text).map_err(|_| {
        Fail::usage(format!("there are {} hexadecimal digits, an odd number", text.len()))
            .help("each byte has two digits; is one missing?")
    })
}

/// Bytecode: one word of digits as they are, otherwise words of assembly.
pub(crate) fn script(text: &str, set: RuleSet) -> Result<Vec<u8>, Fail> {
    if let Ok(bytes) = hex::decode(text.trim()) {
        return Ok(bytes);
    }
    asm::assemble(text, set).map_err(|error| {
        let one_word = text.split_whitespace().count() == 1;
        let help = if one_word {
            "write an even number of hexadecimal digits, or words such as `OP_ADD`"
        } else {
            "`bmc ops` lists all opcodes"
        };
        Fail::usage(cut(&error.to_string())).help(help)
    })
}

/// Long texts that are wrong are not repeated whole.
pub(crate) fn cut(text: &str) -> String {
    const SHOWN_MAX: usize = 200;
    if text.chars().count() <= SHOWN_MAX {
        return text.to_owned();
    }
    let start: String = text.chars().take(SHOWN_MAX / 2).collect();
    let skipped = text.chars().count() - SHOWN_MAX;
    let end: String = text.chars().skip(SHOWN_MAX / 2 + skipped).collect();
    format!("{start}..{end}")
}

/// Bytes that are no transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The byte at which what cannot be read begins.
    pub(crate) at: usize,
    error: DecodeError,
    /// Whether they begin as transactions do.
    pub(crate) is_likely: bool,
}

impl From<Broken> for Fail {
    fn from(broken: Broken) -> Self {
        Self::usage(format!("this is no transaction: byte {}: {}", broken.at, broken.error))
            .help("is the end missing? a transaction fills its digits; a script is given as words if it looks like one")
    }
}

/// Reads a transaction.
pub(crate) fn decode(bytes: &[u8]) -> Result<Transaction, Broken> {
    let mut reader = Reader::new(bytes);
    let read = Transaction::read(&mut reader).and_then(|tx| reader.finish().map(|()| tx));
    let is_likely = matches!(bytes, [1 | 2, 0, 0, 0, ..]);
    read.map_err(|error| Broken { at: bytes.len() - reader.rest().len(), error, is_likely })
}

/// The identifier and the place of an output, `TXID:N`.
pub(crate) fn outpoint(text: &str) -> Option<(Txid, usize)> {
    let (txid, index) = text.split_once(':')?;
    Some((txid.parse().ok()?, index.parse().ok()?))
}

/// The lock of an address.
pub(crate) fn address(text: &str) -> Option<Vec<u8>> {
    Address::parse(text, NETWORK).ok().map(|address| address.lock())
}

/// A transaction that the node knows.
pub(crate) fn transaction(link: &Link, txid: &Txid) -> Result<Transaction, Fail> {
    let raw =
        link.call("getrawtransaction", &[json!(txid.to_string()), json!(false)]).map_err(|error| match error {
            RpcError::Refused { message, .. } => Fail::refused(format!("the node does not have {txid}: {message}")),
            other => other.into(),
        })?;
    let bytes = raw.as_str().and_then(|text| hex::decode(text).ok()).ok_or_else(|| broken("getrawtransaction"))?;
    Transaction::decode(&bytes).map_err(|_| broken("getrawtransaction"))
}

/// An output of a transaction that the node knows.
pub(crate) fn output(link: &Link, txid: &Txid, index: usize) -> Result<TxOut, Fail> {
    let tx = transaction(link, txid)?;
    let count = tx.outputs.len();
    tx.outputs.into_iter().nth(index).ok_or_else(|| {
        Fail::usage(format!("the transaction has no output {index}"))
            .help(format!("it has {count}, and the first is 0"))
    })
}

/// The contract that a node knows of a lock, if it knows one.
pub(crate) fn contract(link: &Link, lock: &[u8]) -> Result<Option<Artifact>, Fail> {
    match link.call("bitmodel_getartifact", &[json!(hex::encode(lock))]) {
        Ok(mut answer) => Ok(answer.get_mut("artifact").and_then(|json| serde_json::from_value(json.take()).ok())),
        Err(RpcError::Refused { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether a lock is the hash of `script`.
pub(crate) fn is_hash_of(lock: &[u8], script: &[u8]) -> bool {
    match LockKind::of(lock) {
        LockKind::P2sh32(hash) => hash == sha256d(script),
        LockKind::P2sh20(hash) => hash == hash160(script),
        LockKind::P2pkh(_) | LockKind::P2pk(_) | LockKind::Multisig { .. } | LockKind::Data | LockKind::Other => false,
    }
}

/// The script whose hash a lock is, if a transaction of the chain or the mempool shows it: the newest one.
pub(crate) fn shown(link: &Link, lock: &[u8]) -> Result<Option<(Txid, Vec<u8>)>, Fail> {
    let waiting = link.call("getrawmempool", &[])?;
    let waiting = waiting.as_array().ok_or_else(|| broken("getrawmempool"))?.clone();
    for txid in waiting.iter().filter_map(|txid| txid.as_str()?.parse().ok()) {
        // It may have been mined or dropped since.
        let Ok(tx) = transaction(link, &txid) else { continue };
        if let Some(script) = script_in(&tx, lock) {
            return Ok(Some((txid, script)));
        }
    }
    for block in link.blocks()?.iter().rev() {
        for tx in &block.transactions {
            if let Some(script) = script_in(tx, lock) {
                return Ok(Some((tx.txid(), script)));
            }
        }
    }
    Ok(None)
}

fn script_in(tx: &Transaction, lock: &[u8]) -> Option<Vec<u8>> {
    let shown = tx.inputs.iter().filter_map(|input| last_push(&input.unlock));
    shown.map(<[u8]>::to_vec).find(|script| is_hash_of(lock, script))
}
