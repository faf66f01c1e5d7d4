//! Scripts as bitcoind shows them.

use spec::script::{Instruction, LockKind, instructions};
use spec::token::{Capability, Token};
use spec::{Address, Network, SighashType};

use crate::json::{Json, hex, list, object, text};

/// A locking bytecode: words, bytes, type and addresses.
pub(crate) fn lock(network: Network, lock: &[u8]) -> Json {
    object([("asm", Json::from(asm(lock))), ("hex", hex(lock))]).merge(kind(network, lock))
}

/// The part of [`lock`] that says what it is.
pub(crate) fn kind(network: Network, lock: &[u8]) -> Json {
    let kind = LockKind::of(lock);
    let addresses = addresses(network, lock, &kind);
    let view = match required_signatures(&kind) {
        Some(required) if !addresses.is_empty() => object([("reqSigs", Json::from(required))]),
        _ => object([]),
    };
    let single = match addresses.as_slice() {
        [only] => Some(text(only)),
        _ => None,
    };
    let named = (!addresses.is_empty()).then(|| list(addresses.iter().map(text)));
    view.with("type", type_name(&kind)).with_some("address", single).with_some("addresses", named)
}

/// An unlocking bytecode: words with the signatures' types spelled out, and bytes.
pub(crate) fn unlock(unlock: &[u8]) -> Json {
    object([("asm", Json::from(asm_with(unlock, signature_word))), ("hex", hex(unlock))])
}

/// The tokens on an output.
pub(crate) fn token(token: &Token) -> Json {
    let nft = token.nft.as_ref().map(|nft| {
        object([("capability", Json::from(capability_name(nft.capability))), ("commitment", hex(&nft.commitment))])
    });
    // The amount is a text, because it may exceed what a client's floating-point numbers hold.
    object([("category", text(token.category)), ("amount", text(token.amount))]).with_some("nft", nft)
}

const fn capability_name(capability: Capability) -> &'static str {
    match capability {
        Capability::None => "none",
        Capability::Mutable => "mutable",
        Capability::Minting => "minting",
    }
}

/// The name that clients know for a kind of lock.
const fn type_name(kind: &LockKind) -> &'static str {
    match kind {
        LockKind::P2pkh(_) => "pubkeyhash",
        LockKind::P2sh20(_) | LockKind::P2sh32(_) => "scripthash",
        LockKind::P2pk(_) => "pubkey",
        LockKind::Multisig { .. } => "multisig",
        LockKind::Data => "nulldata",
        LockKind::Other => "nonstandard",
    }
}

const fn required_signatures(kind: &LockKind) -> Option<u8> {
    match kind {
        LockKind::P2pkh(_) | LockKind::P2sh20(_) | LockKind::P2sh32(_) | LockKind::P2pk(_) => Some(1),
        LockKind::Multisig { required, .. } => Some(*required),
        LockKind::Data | LockKind::Other => None,
    }
}

/// The addresses that a lock pays to; a key stands for the address of its hash.
fn addresses(network: Network, lock: &[u8], kind: &LockKind) -> Vec<Address> {
    let of_key = |key: &Vec<u8>| Address::new(network, spec::address::Payee::KeyHash(spec::hash::hash160(key)));
    match kind {
        LockKind::P2pk(key) => vec![of_key(key)],
        LockKind::Multisig { keys, .. } => keys.iter().map(of_key).collect(),
        LockKind::P2pkh(_) | LockKind::P2sh20(_) | LockKind::P2sh32(_) => {
            Address::of_lock(network, lock).into_iter().collect()
        }
        LockKind::Data | LockKind::Other => Vec::new(),
    }
}

/// The words of a script in bitcoind's form: data bare, numbers in decimal.
pub(crate) fn asm(script: &[u8]) -> String {
    asm_with(script, |data| hex::encode(data))
}

fn asm_with(script: &[u8], long_push: fn(&[u8]) -> String) -> String {
    let words: Vec<String> = instructions(script)
        .map(|step| step.map_or_else(|_| "[error]".to_owned(), |step| word(&step, long_push)))
        .collect();
    words.join(" ")
}

fn word(step: &Instruction<'_>, long_push: fn(&[u8]) -> String) -> String {
    match (step.data, step.byte) {
        (Some(data), _) if data.len() <= 4 => small_number(data).to_string(),
        (Some(data), _) => long_push(data),
        (None, 0x4f) => "-1".to_owned(),
        (None, byte @ 0x51..=0x60) => (byte - 0x50).to_string(),
        (None, _) => step.opcode().map_or("OP_UNKNOWN", |opcode| opcode.name()).to_owned(),
    }
}

/// Up to four bytes as a script number, minimal or not.
fn small_number(data: &[u8]) -> i64 {
    let magnitude = data.iter().rev().fold(0i64, |sum, byte| sum << 8 | i64::from(*byte));
    match data.last() {
        Some(last) if last & 0x80 != 0 => -(magnitude ^ (0x80 << (8 * (data.len() - 1)))),
        _ => magnitude,
    }
}

fn signature_word(data: &[u8]) -> String {
    let Some((kind, signature)) = data.split_last() else { return String::new() };
    match sighash_name(*kind) {
        Some(name) if looks_like_signature(signature) => format!("{}[{name}]", hex::encode(signature)),
        _ => hex::encode(data),
    }
}

/// Schnorr signatures have 64 bytes; ECDSA ones are a DER sequence of two integers.
fn looks_like_signature(signature: &[u8]) -> bool {
    match signature {
        [0x30, len, 0x02, r, rest @ ..] => {
            let s = rest.get(usize::from(*r)..);
            let ends = matches!(s, Some([0x02, len, s @ ..]) if usize::from(*len) == s.len());
            (8..=72).contains(&signature.len()) && usize::from(*len) + 2 == signature.len() && ends
        }
        _ => signature.len() == 64,
    }
}

fn sighash_name(byte: u8) -> Option<String> {
    let kind = SighashType::from_u32(u32::from(byte));
    let base = match byte & 0x1f {
        1 => "ALL",
        2 => "NONE",
        3 => "SINGLE",
        _ => return None,
    };
    let flags = [(kind.fork_id(), "|FORKID"), (kind.utxos(), "|UTXOS"), (kind.anyone_can_pay(), "|ANYONECANPAY")];
    Some(flags.into_iter().filter(|(set, _)| *set).fold(base.to_owned(), |name, (_, flag)| name + flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_bitcoind() {
        for (script, words) in [
            (
                "76a914000000000000000000000000000000000000000088ac",
                "OP_DUP OP_HASH160 0000000000000000000000000000000000000000 OP_EQUALVERIFY OP_CHECKSIG",
            ),
            ("004f51600181", "0 -1 1 16 -1"),
            ("02e80304ffffffff05ffffffffff", "1000 -2147483647 ffffffffff"),
            ("6a0401020304", "OP_RETURN 67305985"),
            ("05aa", "[error]"),
            ("ff", "OP_UNKNOWN"),
            ("", ""),
        ] {
            assert_eq!(asm(&hex::decode(script).unwrap()), words);
        }
    }

    #[test]
    fn signatures_in_unlocking_bytecode_show_their_type() {
        let script = [&[65][..], &[7; 64], &[0x41]].concat();
        assert_eq!(asm_with(&script, signature_word), format!("{}[ALL|FORKID]", "07".repeat(64)));
        let other = [&[65][..], &[7; 64], &[0x40]].concat();
        assert_eq!(asm_with(&other, signature_word), format!("{}40", "07".repeat(64)));
    }

    #[test]
    fn locks_show_type_and_address() {
        let shown = lock(Network::Devnet, &spec::script::p2pkh(&[0; 20])).to_string();
        assert!(shown.contains(r#""reqSigs":1,"type":"pubkeyhash","address":"bchreg:q"#), "{shown}");
        assert!(lock(Network::Devnet, &[0x6a]).to_string().ends_with(r#""type":"nulldata"}"#));
        assert!(lock(Network::Devnet, &[0xef]).to_string().ends_with(r#""type":"nonstandard"}"#));
    }
}
