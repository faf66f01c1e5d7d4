//! What the words of the language are for: functions, types, and the fields of the transaction.

/// A function of the language.
pub(crate) struct Builtin {
    pub(crate) name: &'static str,
    /// Its parameters with their types.
    pub(crate) params: &'static [&'static str],
    pub(crate) result: &'static str,
    pub(crate) doc: &'static str,
}

const fn builtin(
    name: &'static str,
    params: &'static [&'static str],
    result: &'static str,
    doc: &'static str,
) -> Builtin {
    Builtin { name, params, result, doc }
}

/// Every function of the language.
pub(crate) const BUILTINS: &[Builtin] = &[
    builtin("sha256", &["bytes: Bytes"], "Hash256", "The SHA-256 of bytes (`OP_SHA256`)."),
    builtin("sha1", &["bytes: Bytes"], "Bytes<20>", "The SHA-1 of bytes (`OP_SHA1`). It is broken: do not trust it."),
    builtin("ripemd160", &["bytes: Bytes"], "Bytes<20>", "The RIPEMD-160 of bytes (`OP_RIPEMD160`)."),
    builtin("hash160", &["bytes: Bytes"], "Hash160", "RIPEMD-160 of SHA-256: what an address holds of a key."),
    builtin("hash256", &["bytes: Bytes"], "Hash256", "SHA-256 of SHA-256: how transactions and blocks are named."),
    builtin("int", &["value: number or Bytes"], "Int", "The plain number of a quantity, or of little-endian bytes."),
    builtin("bytes", &["number: Int", "length: Int"], "Bytes<length>", "A number in so many little-endian bytes."),
    builtin("reverse", &["bytes: Bytes"], "Bytes", "The bytes in the opposite order (`OP_REVERSEBYTES`)."),
    builtin("abs", &["number"], "number", "The number without its sign."),
    builtin("min", &["a", "b"], "number", "The smaller of two numbers of one unit."),
    builtin("max", &["a", "b"], "number", "The larger of two numbers of one unit."),
    builtin("within", &["x", "low", "high"], "Bool", "Whether `low <= x` and `x < high`."),
    builtin("p2pkh", &["hash: Hash160"], "Lock", "The lock that a signature of the key with this hash opens."),
    builtin("p2sh32", &["hash: Hash256"], "Lock", "The lock of the script with this hash."),
    builtin("lock", &["bytes: Bytes"], "Lock", "Bytes taken as a locking bytecode."),
    builtin("tokens", &["number: Int"], "Tokens", "A number of fungible tokens."),
    builtin("encode", &["value"], "Bytes", "A value as the bytes that state and hashes hold."),
    builtin("decode", &["bytes: Bytes"], "the wanted type", "The value that `encode` gave these bytes."),
];

/// The types of the language.
pub(crate) const TYPES: &[(&str, &str)] = &[
    ("Int", "A whole number without a unit, as large as the machine allows; `Int<N>` is stored in `N` bytes."),
    ("Bool", "True or false."),
    ("Coin", "An amount of money in base units. `1 coin` is 100,000,000 `sats`."),
    ("Tokens", "A number of fungible tokens."),
    ("Height", "A block height, such as `height 900_000`."),
    ("Time", "A point in time, in seconds since 1970, such as `time \"2026-12-01T00:00Z\"`."),
    ("Blocks", "A number of blocks, such as `144 blocks`."),
    ("Duration", "A number of seconds, such as `2 days`."),
    ("Share", "An exact part of a whole, such as `20%` or `3/10`. It exists while compiling only."),
    ("Bytes", "Bytes of any length; `Bytes<N>` has exactly `N`."),
    ("PubKey", "A public key of 33 bytes. `key.signed(sig)` checks a signature."),
    ("Sig", "A signature of the transaction, with its type byte."),
    ("Sigs", "`Sigs<K>`: `K` signatures for a threshold, `k of [..] signed(sigs)`."),
    ("DataSig", "A signature over data: `key.signed(message, sig)`."),
    ("Hash160", "20 bytes of RIPEMD-160 over SHA-256."),
    ("Hash256", "32 bytes of a hash."),
    ("Lock", "A locking bytecode: who can spend an output."),
    ("Category", "The 32 bytes that name a kind of token."),
    ("Did", "The 32 bytes of an identity on the chain."),
    ("Option", "`Some(value)` or `None`."),
    ("Table", "`Table<T, N>`: `N` values of one type in a single string of bytes."),
    ("Padding", "Bytes without a meaning that pay for work by their length."),
];

/// A field that the transaction, a coin or a token has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) ty: &'static str,
    pub(crate) doc: &'static str,
}

const fn fact(name: &'static str, ty: &'static str, doc: &'static str) -> Fact {
    Fact { name, ty, doc }
}

/// The fields of `tx`.
pub(crate) const TX: &[Fact] = &[
    fact("inputs", "coins", "The coins that the transaction spends; `.length` says how many."),
    fact("outputs", "coins", "The coins that the transaction makes; `.length` says how many."),
    fact("version", "Int", "The version of the transaction."),
    fact("locktime", "Int", "The lock time as it stands in the transaction."),
    fact("height", "Height", "`require tx.height >= h;`: not before that block."),
    fact("time", "Time", "`require tx.time >= t;`: not before that time."),
];
/// The fields of a coin that is spent.
pub(crate) const INPUT: &[Fact] = &[
    fact("value", "Coin", "The amount that the coin holds."),
    fact("lock", "Lock", "The locking bytecode of the coin."),
    fact("token", "token", "The token on the coin."),
    fact("txid", "Hash256", "The transaction that made the coin."),
    fact("index", "Int", "Which output of that transaction the coin is."),
    fact("unlock", "Bytes", "The bytes that open the coin."),
    fact("sequence", "Int", "The sequence number of the input."),
];
/// The fields of a coin that is made.
pub(crate) const OUTPUT: &[Fact] = &[
    fact("value", "Coin", "The amount that the output holds."),
    fact("lock", "Lock", "The locking bytecode of the output."),
    fact("token", "token", "The token on the output."),
];
/// What the coin of the contract has beside what every input has.
pub(crate) const OWN: &[Fact] = &[
    fact("index", "Int", "Which input of the transaction the coin is."),
    fact("state", "state", "What the contract carries from coin to coin."),
    fact("code", "Bytes", "The script that runs."),
    fact("age", "Blocks", "`require self.age >= 144 blocks;`: not before the coin is so old."),
];
/// The fields of a token.
pub(crate) const TOKEN: &[Fact] = &[
    fact("category", "Bytes", "The kind of token, with its capability behind."),
    fact("capability", "Int", "`immutable`, `mutable` or `minting`."),
    fact("amount", "Tokens", "How many fungible tokens."),
    fact("commitment", "Bytes", "The bytes that the token holds."),
];
/// What bytes, arrays, tables and lists of coins have.
pub(crate) const LENGTH: &[Fact] = &[fact("length", "Int", "How many there are.")];

/// What a declaration can say of another: `TinyCoder.receipts`.
pub(crate) const DECLARED: &[Fact] =
    &[fact("receipts", "receipts", "What a campaign gives its backers for their pledges.")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_language_is_described_and_no_other() {
        let known: Vec<&str> = analysis::builtins().map(|(name, _)| name).collect();
        let described: Vec<&str> = BUILTINS.iter().map(|builtin| builtin.name).collect();
        assert_eq!(described, known);
        for (builtin, (_, shape)) in BUILTINS.iter().zip(analysis::builtins()) {
            assert_eq!(builtin.params.len(), shape.split(',').count(), "{}{shape}", builtin.name);
        }
    }

    #[test]
    fn every_type_that_is_described_is_one_of_the_language() {
        for (name, _) in TYPES {
            let text = format!("struct {name} {{ a: Int }}");
            let parse = syntax::parse(&text);
            let items = analysis::source_items(&parse, &text);
            let (_, found) = analysis::signatures(syntax::FileId(0), &items, &analysis::Modules::new());
            let taken = found.iter().any(|found| found.message.contains("is a type of the language"));
            assert!(taken, "`{name}` is no type of the language: {found:?}");
        }
    }
}
