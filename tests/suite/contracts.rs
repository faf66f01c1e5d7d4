//! Contracts of many kinds, from source to coins that are spent or refused.
//!
//! The scripts of the small ones are shown in `tests/codegen`; here what they do is what counts.

use std::collections::BTreeMap;
use std::fs;

use driver::{Compiled, Options};
use spec::artifact::{AbiType, AbiValue, Slot, SpendPath};
use spec::{Artifact, Network, OutPoint, RuleSet, Sats, TxOut, Txid};
use wallet::{Accounts, Arg, Args, Call, FeeRate, Names, Params, Purse, Utxo, parse_value};

use crate::bmc::root;
use crate::machine::agreed;

pub(crate) use tests::{compile_named as compile, sealed};

fn source(name: &str) -> String {
    fs::read_to_string(root().join("tests/contracts").join(format!("{name}.bmc"))).unwrap()
}

fn names() -> Vec<String> {
    let files = fs::read_dir(root().join("tests/contracts")).unwrap();
    let mut names: Vec<String> =
        files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn both_rule_sets_and_the_expanded_source_give_the_same_script() {
    let names = names();
    assert!(names.len() >= 25, "{names:?}");
    for name in names {
        let text = source(&name);
        let compiled = compile(&name, &text, RuleSet::Bitmodel);
        let complaints = compiled.to_json();
        assert!(compiled.diagnostics.is_empty(), "{name}: {complaints}");
        let other = compile(&name, &text, RuleSet::Bch2026);
        let again = compile(&name, compiled.expand(), RuleSet::Bitmodel);
        assert!(!again.has_errors(), "{name}: {}\n{}", again.to_json(), compiled.expand());
        for artifact in &compiled.artifacts {
            let same = |from: &Compiled| from.artifact(Some(&artifact.contract)).unwrap().bytecode == artifact.bytecode;
            assert!(same(&other), "{name}: the rules change the script of {}", artifact.contract);
            assert!(
                same(&again),
                "{name}: `expand` changes the script of {}:\n{}",
                artifact.contract,
                compiled.expand()
            );
            // What a settlement costs depends on how many coins it joins, which nothing bounds.
            let bounded = |path: &SpendPath| path.cost_bound.is_some() || path.name == "settle";
            assert!(artifact.paths.iter().all(bounded), "{name}: a path has no bound");
        }
    }
}

#[test]
fn expanding_twice_changes_nothing() {
    for name in names() {
        let once = compile(&name, &source(&name), RuleSet::Bitmodel).expand().to_owned();
        assert_eq!(compile(&name, &once, RuleSet::Bitmodel).expand(), once, "{name}");
    }
}

const COIN_SATS: u64 = 100_000;
pub(crate) type Pairs<'a> = &'a [(&'a str, &'a str)];

/// A deployed contract.
pub(crate) struct Stage {
    artifact: Artifact,
    /// The same with all values built in: it must accept and refuse the same.
    sealed: Artifact,
    params: Params,
    pub(crate) accounts: Accounts,
}

fn value(accounts: &Accounts, slots: &[Slot], name: &str, text: &str) -> Arg {
    let slot = slots.iter().find(|slot| slot.name == name).unwrap_or_else(|| panic!("no `{name}`"));
    // The text form of numbers ends at 64 bits; the machine's numbers do not.
    match (&slot.ty, text.parse()) {
        (AbiType::Int, Ok(wide)) => Arg::Value(AbiValue::Item(spec::num::encode_wide(wide))),
        _ => parse_value(&slot.ty, text, Names { network: Network::Devnet, accounts }).unwrap(),
    }
}

fn stage(name: &str, contract: &str, params: Pairs<'_>) -> Stage {
    stage_of(&compile(name, &source(name), RuleSet::Bch2026), &source(name), contract, params)
}

/// Deploys a contract of what was compiled.
#[track_caller]
pub(crate) fn stage_of(compiled: &Compiled, text: &str, contract: &str, params: Pairs<'_>) -> Stage {
    let accounts = Accounts::devnet();
    let artifact = compiled.artifact(Some(contract)).unwrap_or_else(|| panic!("{}", compiled.to_json())).clone();
    let params = params.iter().map(|(name, text)| match value(&accounts, &artifact.params, name, text) {
        Arg::Value(value) => ((*name).to_owned(), value),
        Arg::Sign(_) | Arg::SignEcdsa(_) | Arg::SignEach(_) | Arg::Parts(_) => panic!("`{name}` is a signature"),
    });
    let params = params.collect();
    wallet::check_params(&artifact, &params).unwrap();
    let sealed = sealed(text, contract, &params, &Options { rules: RuleSet::Bch2026, ..Options::default() });
    Stage { artifact, sealed, params, accounts }
}

impl Stage {
    /// Spends a coin of 100,000 sats to `outputs`; locks are accounts, `self`, or bytecode.
    pub(crate) fn spend(
        &self,
        path: &str,
        args: Pairs<'_>,
        outputs: &[(&str, u64)],
        fields: Fields,
    ) -> Result<(), String> {
        let template = self.spend_as(&self.artifact, path, args, outputs, fields);
        let sealed = self.spend_as(&self.sealed, path, args, outputs, fields);
        // A lock time that is computed from parameters is known once they are.
        if template.as_ref().is_err_and(|error| error.ends_with("computes the lock time that it demands")) {
            assert!(sealed.is_ok() || says(&sealed, &template));
        } else {
            assert!(says(&sealed, &template), "sealing changes what `{path}` accepts: {template:?} {sealed:?}");
        }
        template
    }

    fn spend_as(
        &self,
        artifact: &Artifact,
        path: &str,
        args: Pairs<'_>,
        outputs: &[(&str, u64)],
        fields: Fields,
    ) -> Result<(), String> {
        let slots = &artifact.path(path).unwrap().args;
        let read = |(name, text): &(&str, &str)| ((*name).to_owned(), value(&self.accounts, slots, name, text));
        let args: Args = args.iter().map(read).collect();
        let own = artifact.lock(&self.params).unwrap();
        let lock = |text: &str| match text {
            "self" => own.clone(),
            text => {
                let slot = Slot { name: "to".into(), ty: AbiType::Lock };
                match value(&self.accounts, &[slot], "to", text) {
                    Arg::Value(AbiValue::Item(lock)) => lock,
                    other => panic!("{other:?}"),
                }
            }
        };
        let utxo = |index, output| Utxo { outpoint: OutPoint { txid: Txid::from_wire([7; 32]), index }, output };
        let alice = self.accounts.key(0);
        let purse = Purse::of(alice, vec![utxo(1, TxOut::plain(Sats::from_wire(50_000), alice.lock()))]);
        let built = wallet::call(Call {
            artifact,
            params: &self.params,
            path,
            args: &args,
            coin: utxo(0, TxOut::plain(Sats::from_wire(COIN_SATS), own.clone())),
            outputs: outputs.iter().map(|(to, sats)| TxOut::plain(Sats::from_wire(*sats), lock(to))).collect(),
            locktime: fields.locktime,
            sequence: fields.sequence,
            purse: fields.with_purse.then_some(&purse),
            rate: FeeRate::RELAY_MIN,
        });
        let built = built.map_err(|error| error.to_string())?;
        agreed(&built.tx, &built.spent, &[0], Ok::<_, String>(())).unwrap();
        let (bound, cost) = (artifact.path(path).unwrap().cost_bound.unwrap(), built.metrics[0].cost.get());
        assert!(cost <= bound, "{path} costs {cost}, above its bound of {bound}");
        Ok(())
    }

    #[track_caller]
    pub(crate) fn accepts(&self, path: &str, args: Pairs<'_>, outputs: &[(&str, u64)]) {
        self.spend(path, args, outputs, Fields::default()).unwrap();
    }

    #[track_caller]
    pub(crate) fn refuses(&self, path: &str, args: Pairs<'_>, outputs: &[(&str, u64)], message: &str) {
        self.refuses_with(path, args, outputs, Fields::default(), message);
    }

    #[track_caller]
    pub(crate) fn refuses_with(
        &self,
        path: &str,
        args: Pairs<'_>,
        outputs: &[(&str, u64)],
        fields: Fields,
        message: &str,
    ) {
        let error = self.spend(path, args, outputs, fields).expect_err("the machine must refuse");
        assert!(error.contains(&format!("\"{message}\"")), "`{message}` is not in `{error}`");
    }
}

/// The author's message in a refusal.
pub fn quoted(result: &Result<(), String>) -> Option<&str> {
    let error = result.as_ref().err()?;
    Some(error.split('"').nth(1).unwrap_or(error))
}

/// Whether a sealed contract judges as its template does: it may check several things at once that the template checks one
/// by one, and then names them all.
pub(crate) fn says(sealed: &Result<(), String>, template: &Result<(), String>) -> bool {
    match (sealed, quoted(template)) {
        (Ok(()), None) => true,
        (Err(error), Some(message)) => error.contains(message),
        _ => false,
    }
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Fields {
    pub(crate) locktime: Option<u32>,
    pub(crate) sequence: Option<u32>,
    pub(crate) with_purse: bool,
}

pub(crate) fn digest(hash: &[u8]) -> String {
    format!("0x{}", hex::encode(hash))
}

pub(crate) const OUT: &[(&str, u64)] = &[("@dave", 99_000)];

#[test]
fn a_secret_opens_a_hash_lock() {
    let secret = "0x0101010101010101010101010101010101010101010101010101010101010101";
    let hash = digest(&spec::hash::sha256(&[1; 32]));
    let lock = stage("hash_lock", "HashLock", &[("digest", &hash)]);
    lock.accepts("open", &[("secret", secret), ("sig", "@bob"), ("key", "@bob")], OUT);
    lock.refuses("open", &[("secret", "0x01"), ("sig", "@bob"), ("key", "@bob")], OUT, "a secret has 32 bytes");
    let other = digest(&[2; 32]);
    lock.refuses("open", &[("secret", &other), ("sig", "@bob"), ("key", "@bob")], OUT, "another secret");
    lock.refuses(
        "open",
        &[("secret", secret), ("sig", "@bob"), ("key", "@erin")],
        OUT,
        "the key that takes the coin signs",
    );
}

#[test]
fn a_swap_is_claimed_or_refunded() {
    let hash = digest(&spec::hash::hash160(&[1; 32]));
    let params = [("sender", "@alice"), ("recipient", "@bob"), ("digest", hash.as_str()), ("expiry", "height 900_000")];
    let swap = stage("htlc", "Htlc", &params);
    let secret = digest(&[1; 32]);
    swap.accepts("claim", &[("secret", &secret), ("key", "@bob"), ("sig", "@bob")], OUT);
    swap.refuses("claim", &[("secret", &secret), ("key", "@alice"), ("sig", "@alice")], OUT, "another key");
    swap.accepts("refund", &[("key", "@alice"), ("sig", "@alice")], OUT);
    swap.refuses("refund", &[("key", "@bob"), ("sig", "@bob")], OUT, "another key");
    let early = Fields { locktime: Some(899_999), ..Fields::default() };
    swap.refuses_with("refund", &[("key", "@alice"), ("sig", "@alice")], OUT, early, "too early");
    let time = Fields { locktime: Some(1_700_000_000), ..Fields::default() };
    swap.refuses_with("refund", &[("key", "@alice"), ("sig", "@alice")], OUT, time, "too early");
    let last = Fields { locktime: Some(900_000), sequence: Some(0xffff_ffff), ..Fields::default() };
    swap.refuses_with("refund", &[("key", "@alice"), ("sig", "@alice")], OUT, last, "too early");
}

#[test]
fn ages_in_blocks_and_seconds_hold_for_the_contracts_coin() {
    let vault = stage("vault", "Vault", &[("hot", "@alice"), ("cold", "@bob"), ("delay", "144 blocks")]);
    let purse = Fields { with_purse: true, ..Fields::default() };
    vault.spend("leave", &[("sig", "@alice")], OUT, purse).unwrap();
    for sequence in [0, 143, 144 | 1 << 22, 144 | 1 << 31] {
        let young = Fields { sequence: Some(sequence), ..Fields::default() };
        vault.refuses_with("leave", &[("sig", "@alice")], OUT, young, "announced too late");
    }
    vault.refuses("leave", &[("sig", "@bob")], OUT, "the hot key must sign");
    vault.accepts("recover", &[("sig", "@bob")], OUT);

    let will = stage("last_will", "LastWill", &[("owner", "@alice"), ("heir", "@bob")]);
    will.accepts("inherit", &[("sig", "@bob")], OUT);
    let days_180 = 180 * 86_400 / 512;
    for sequence in [(days_180 - 1) | 1 << 22, 65_535] {
        let young = Fields { sequence: Some(sequence), ..Fields::default() };
        will.refuses_with("inherit", &[("sig", "@bob")], OUT, young, "the owner may be alive");
    }
    will.accepts("alive", &[("sig", "@alice")], &[("self", 99_000)]);
    will.refuses("alive", &[("sig", "@alice")], OUT, "the coin stays locked");
}

#[test]
fn the_later_of_two_heights_is_chosen() {
    let params = [("owner", "@alice"), ("a", "height 800_000"), ("b", "height 850_000"), ("age", "10 days")];
    let later = stage("later_of_two", "Later", &params);
    later.accepts("go", &[("sig", "@alice")], OUT);
    let first = Fields { locktime: Some(849_999), ..Fields::default() };
    later.refuses_with("go", &[("sig", "@alice")], OUT, first, "before the second height");
    later.accepts("chosen", &[("sig", "@alice"), ("at", "height 850_000")], OUT);
    later.refuses("chosen", &[("sig", "@alice"), ("at", "height 849_999")], OUT, "the lock is too low");
    let error = later.spend("summed", &[("sig", "@alice")], OUT, Fields::default()).unwrap_err();
    assert_eq!(error, "path `summed` computes the lock time that it demands");
    let known = Fields { locktime: Some(800_144), ..Fields::default() };
    later.spend("summed", &[("sig", "@alice")], OUT, known).unwrap();
    let early = Fields { locktime: Some(800_143), ..Fields::default() };
    later.refuses_with("summed", &[("sig", "@alice")], OUT, early, "a day more");
}

#[test]
fn any_two_of_three_sign() {
    let params = [("a", "@alice"), ("b", "@bob"), ("c", "@carol")];
    let three = stage("two_of_three", "TwoOfThree", &params);
    for pair in ["@alice, @bob", "@carol, @alice", "@bob, @carol"] {
        three.accepts("pair", &[("sigs", pair)], OUT);
    }
    three.refuses("pair", &[("sigs", "0:@bob, 1:@alice")], OUT, "two must sign");
    three.refuses("pair", &[("sigs", "0:@alice, 2:@dave")], OUT, "two must sign");
    three.accepts("late", &[("sig", "@alice")], OUT);
    three.refuses("late", &[("sig", "@bob")], OUT, "the first must sign");
    let params = [("buyer", "@alice"), ("seller", "@bob"), ("arbiter", "@carol")];
    stage("escrow", "Escrow", &params).accepts("release", &[("sigs", "@carol, @bob")], OUT);
}

#[test]
fn each_path_has_its_own_key() {
    let who = ["@alice", "@bob", "@carol", "@dave", "@erin"];
    let params: Vec<(&str, &str)> = ["a", "b", "c", "d", "e"].into_iter().zip(who).collect();
    let five = stage("several_paths", "Five", &params);
    for (path, (key, name)) in
        ["first", "second", "third", "fourth", "fifth"].into_iter().zip(who.iter().zip(["a", "b", "c", "d", "e"]))
    {
        for signer in who {
            let verdict = five.spend(path, &[("sig", signer)], OUT, Fields::default());
            assert_eq!(verdict.is_ok(), signer == *key, "{path} {signer}");
            if let Err(error) = verdict {
                assert!(error.contains(&format!("Five.{path}: \"{name}\"")), "{error}");
            }
        }
    }
}

#[test]
fn a_pledge_leaves_each_month_until_the_end() {
    let params = |pledge| [("protege", "@bob"), ("funder", "@alice"), ("pledge", pledge)];
    let long = stage("mecenas", "Mecenas", &params("10_000 sats"));
    long.accepts("receive", &[], &[("@bob", 10_000), ("self", 89_000)]);
    long.refuses("receive", &[], &[("@bob", 10_001), ("self", 88_999)], "the pledge");
    long.refuses("receive", &[], &[("@bob", 10_000), ("@bob", 89_000)], "the rest stays");
    long.refuses("receive", &[], &[("@bob", 10_000), ("self", 88_999)], "all of the rest");
    let young = Fields { sequence: Some(4_319), ..Fields::default() };
    long.refuses_with("receive", &[], &[("@bob", 10_000), ("self", 89_000)], young, "a month has not passed");
    let last = stage("mecenas", "Mecenas", &params("60_000 sats"));
    last.accepts("receive", &[], &[("@bob", 99_000)]);
    last.refuses("receive", &[], &[("@bob", 60_000), ("self", 39_000)], "one output at the end");
    last.accepts("reclaim", &[("sig", "@alice")], &[("@alice", 99_000)]);
}

#[test]
fn change_that_would_be_dust_is_left_out() {
    let params = |sum| [("owner", "@alice"), ("child", "@bob"), ("sum", sum)];
    let small = stage("dust_safe_change", "Allowance", &params("40_000 sats"));
    small.accepts("pay", &[("fee", "1_000 sats")], &[("@bob", 40_000), ("self", 59_000)]);
    small.refuses("pay", &[("fee", "199 sats")], &[("@bob", 40_000), ("self", 59_801)], "a fee from 200 to 2_000 sats");
    small.refuses("pay", &[("fee", "1_000 sats")], &[("@bob", 40_000), ("self", 58_999)], "all of it");
    let all = stage("dust_safe_change", "Allowance", &params("98_900 sats"));
    all.accepts("pay", &[("fee", "600 sats")], &[("@bob", 98_900)]);
    all.refuses("pay", &[("fee", "500 sats")], &[("@bob", 98_900)], "change and nothing else");
    let more = stage("dust_safe_change", "Allowance", &params("200_000 sats"));
    more.refuses("pay", &[("fee", "500 sats")], &[("@bob", 90_000)], "too little money");
}

#[test]
fn branches_assign_and_meet() {
    let tariff = stage("nested_ifs", "Tariff", &[("owner", "@alice"), ("base", "7")]);
    let price = |kind: i64, amount: i64| match (kind, amount) {
        (1, 101..) => 7 + amount - amount / 10 + 100,
        (1, 11..) => 7 + amount - 1,
        (1, _) => 7 + amount,
        (2, _) => (7 + amount * 2) * 2 + 200,
        _ => -14,
    };
    for kind in 0..4 {
        for amount in [-3, 0, 10, 11, 100, 101, 105] {
            let (k, a) = (kind.to_string(), amount.to_string());
            let (right, wrong) = (price(kind, amount).to_string(), (price(kind, amount) + 1).to_string());
            let args =
                |claimed| [("sig", "@alice"), ("kind", k.as_str()), ("amount", a.as_str()), ("claimed", claimed)];
            tariff.accepts("go", &args(&right), OUT);
            tariff.refuses("go", &args(&wrong), OUT, "another price");
        }
    }
    let trade = stage("swap_or_sum", "Trade", &[("owner", "@alice")]);
    for (a, b, turn, check) in [
        ("3", "5", "true", "3052"),
        ("5", "3", "true", "3051"),
        ("4", "4", "true", "4041"),
        ("5", "3", "false", "5080"),
    ] {
        trade.accepts("go", &[("sig", "@alice"), ("a", a), ("b", b), ("turn", turn), ("check", check)], OUT);
        let wrong = [("sig", "@alice"), ("a", a), ("b", b), ("turn", turn), ("check", "1")];
        trade.refuses("go", &wrong, OUT, "another sum");
    }
}

#[test]
fn functions_flags_and_remainders_mean_what_they_say() {
    let scores = stage("functions", "Scores", &[("owner", "@alice"), ("weight", "100")]);
    let args = |a, b| [("sig", "@alice"), ("score", a), ("other", b)];
    scores.accepts("go", &args("500", "499"), OUT);
    scores.accepts("go", &args("1", "5000"), OUT);
    scores.refuses("go", &args("499", "499"), OUT, "neither passes");
    scores.refuses("go", &args("500", "500"), OUT, "both pass");
    scores.refuses("go", &args("500", "0"), OUT, "not positive");

    for strict in [false, true] {
        let params = [("owner", "@alice"), ("strict", if strict { "true" } else { "false" }), ("quorum", "3")];
        let flags = stage("flags", "Flags", &params);
        for (a, b, votes) in (0..28).map(|n| (n & 1 == 1, n & 2 == 2, n / 4)) {
            let enough = if strict { a && b } else { a || b };
            let holds = (enough && votes >= 3 || votes > 6) && (a != b || strict);
            let (a, b, votes) = (a.to_string(), b.to_string(), votes.to_string());
            let args = [("sig", "@alice"), ("a", a.as_str()), ("b", &b), ("votes", &votes)];
            let verdict = flags.spend("go", &args, OUT, Fields::default());
            assert_eq!(verdict.is_ok(), holds, "{strict} {a} {b} {votes}: {verdict:?}");
        }
    }

    for divisor in [3i64, -3] {
        let remainder = stage("remainder", "Remainder", &[("owner", "@alice"), ("divisor", &divisor.to_string())]);
        for n in [-7i64, -6, -1, 0, 1, 6, 7] {
            let (q, r, n) = ((n / divisor).to_string(), (n % divisor).to_string(), n.to_string());
            let args = [("n", n.as_str()), ("quotient", &q), ("remainder", &r), ("sig", "@alice")];
            remainder.accepts("open", &args, OUT);
        }
    }
}

#[test]
fn records_oracles_hashes_and_bits_are_read_to_the_byte() {
    let record = stage("slices", "Record", &[("owner", "@alice"), ("kind", "0x07")]);
    let owner = spec::hash::hash160(&record.accounts.key(0).public());
    let text = |kind: u8, amount: u32, hash: &[u8]| digest(&[&[kind], &amount.to_le_bytes()[..], hash].concat());
    let good = text(7, 0x00cc_bbaa, &owner);
    fn args<'a>(record: &'a str, from: &'a str) -> [(&'a str, &'a str); 3] {
        [("record", record), ("sig", "@alice"), ("from", from)]
    }
    record.accepts("open", &args(&good, "1"), OUT);
    record.accepts("open", &args(&text(7, 0x00aa_bbcc, &owner), "1"), OUT);
    record.refuses("open", &args(&good, "2"), OUT, "no mark there");
    record.refuses("open", &args(&good, "22"), OUT, "outside of the record");
    record.refuses("open", &args(&good, "-1"), OUT, "outside of the record");
    record.refuses("open", &args(&text(8, 1, &owner), "1"), OUT, "another kind");
    record.refuses("open", &args(&text(7, 0, &owner), "1"), OUT, "no amount");
    record.refuses("open", &args(&text(7, 1, &[9; 20]), "1"), OUT, "another owner");
    record.refuses("open", &args("0x07", "1"), OUT, "a record has 25 bytes");

    let params = [("owner", "@alice"), ("oracle", "@judy"), ("from", "800_000"), ("target", "50_000")];
    let oracle = stage("oracle_price", "Oracle", &params);
    let message = |height: u32, price: u32| digest(&[height.to_le_bytes(), price.to_le_bytes()].concat());
    let word = |key: &str, message: &str| format!("datasig({key}, {message})");
    let leave = |signer: &str, height, price| {
        let message = message(height, price);
        let word = word(signer, &message);
        let args = [("message", message.as_str()), ("word", &word), ("sig", "@alice")];
        oracle.spend("leave", &args, OUT, Fields::default())
    };
    leave("@judy", 800_000, 50_000).unwrap();
    for (signer, height, price, why) in [
        ("@ivan", 800_000, 50_000, "the oracle's word"),
        ("@judy", 799_999, 50_000, "an old message"),
        ("@judy", 800_000, 49_999, "the price is too low"),
    ] {
        assert!(leave(signer, height, price).unwrap_err().contains(why), "{why}");
    }

    let x = b"a preimage";
    let last =
        spec::hash::hash160(&[&spec::hash::ripemd160(&spec::hash::sha256(x))[..], &spec::hash::sha1(x)].concat());
    let hashes = stage("hashes", "Hashes", &[("last", &digest(&last))]);
    hashes.accepts("open", &[("x", "\"a preimage\""), ("key", "@bob"), ("sig", "@bob")], OUT);
    hashes.refuses("open", &[("x", "\"another\""), ("key", "@bob"), ("sig", "@bob")], OUT, "another preimage");

    let bits = stage("bits", "Bits", &[("owner", "@alice"), ("mask", "0x0102")]);
    bits.accepts("open", &[("word", "0x0302"), ("n", "9"), ("sig", "@alice")], OUT);
    bits.refuses("open", &[("word", "0x0202"), ("n", "9"), ("sig", "@alice")], OUT, "a bit is missing");
}

#[test]
fn outputs_are_bound_by_lock_and_value() {
    let contract = digest(&[3; 32]);
    let params = [("a", "@alice"), ("b", "@bob"), ("c", contract.as_str()), ("arbiter", "@carol")];
    let choice = stage("lock_choice", "Choice", &params);
    let p2sh32 = digest(&spec::script::p2sh32(&[3; 32]));
    for to in ["@alice", "@bob", p2sh32.as_str()] {
        choice.accepts("go", &[("sig", "@carol")], &[(to, 99_000)]);
    }
    choice.refuses("go", &[("sig", "@carol")], OUT, "an unknown lock");
    choice.refuses("go", &[("sig", "@carol")], &[("@bob", 98_999)], "the fee is too high");

    let tithe = stage("tithe", "Tithe", &[("owner", "@alice"), ("cause", "@bob")]);
    tithe.accepts("pay", &[("sig", "@alice")], &[("@bob", 10_000), ("@alice", 89_000)]);
    tithe.refuses("pay", &[("sig", "@alice")], &[("@bob", 10_001)], "exactly a tenth");

    let counter = stage("counter", "Counter", &[("limit", "5")]);
    counter.accepts("step", &[("n", "4")], &[("self", 98_000), ("0x6a0405000000", 0)]);
    counter.refuses("step", &[("n", "5")], &[("self", 98_000), ("0x6a0406000000", 0)], "the end");
    counter.refuses("step", &[("n", "3")], &[("self", 98_000), ("0x6a0405000000", 0)], "the next number");

    let siblings = stage("siblings", "Siblings", &[("owner", "@alice")]);
    let purse = Fields { with_purse: true, ..Fields::default() };
    siblings.spend("together", &[("sig", "@alice"), ("other", "1")], &[("@bob", 120_000)], purse).unwrap();
    let own = [("sig", "@alice"), ("other", "0")];
    siblings.refuses_with("together", &own, &[("@bob", 120_000)], purse, "another input");
    siblings.refuses("together", &[("sig", "@alice"), ("other", "1")], OUT, "two inputs");
}

#[test]
fn a_salary_flows_by_the_block() {
    let params = [("worker", "@bob"), ("employer", "@alice"), ("each", "100 sats"), ("start", "height 1_000")];
    let salary = stage("streaming", "Salary", &params);
    let draw = |at| [("at", at), ("fee", "1_000 sats")];
    salary.accepts("draw", &draw("height 1_100"), &[("@bob", 10_000), ("self", 89_000)]);
    salary.refuses("draw", &draw("height 1_100"), &[("@bob", 10_100), ("self", 89_000)], "what is due");
    salary.refuses("draw", &draw("height 1_100"), &[("@bob", 10_000), ("@bob", 89_000)], "the rest stays");
    salary.refuses("draw", &draw("height 1_000"), &[("@bob", 10_000)], "before the start");
    salary.accepts("draw", &draw("height 5_000"), &[("@bob", 99_000)]);
    let early = Fields { locktime: Some(1_099), ..Fields::default() };
    salary.refuses_with(
        "draw",
        &draw("height 1_100"),
        &[("@bob", 10_000), ("self", 89_000)],
        early,
        "the height has not come",
    );
}

#[test]
fn constants_reach_the_script() {
    let consts = stage("consts", "Consts", &[("owner", "@alice")]);
    let end = [("sig", "@alice"), ("message", "0x0badcafe676d")];
    consts.accepts("end", &end, OUT);
    let early = Fields { locktime: Some(100_000 + 144 * 365 - 1), ..Fields::default() };
    consts.refuses_with("end", &end, OUT, early, "the year is not over");
    consts.refuses("end", &[("sig", "@alice"), ("message", "0x0badcafe")], OUT, "another message");
    consts.refuses("end", &end, &[("@dave", 98_999)], "another fee");
    consts.accepts("late", &[("sig", "@alice")], OUT);
    let height = Fields { locktime: Some(499_999_999), ..Fields::default() };
    consts.refuses_with("late", &[("sig", "@alice")], OUT, height, "before 2030");
}

#[test]
fn a_contract_divides_its_pot_by_a_reward() {
    let text = source("reward_inside");
    let table = compile("reward_inside", &text, RuleSet::Bch2026).artifact(Some("Makers")).unwrap().reward.clone();
    let locks = [("author", "@bob"), ("studio_sound", "@carol"), ("studio_light", "@dave"), ("house", "@erin")];
    let params: BTreeMap<&str, &str> =
        locks.into_iter().chain([("buyer", "@alice"), ("until", "height 500")]).collect();
    let params: Vec<(&str, &str)> = params.into_iter().collect();
    let commission = stage("reward_inside", "Commission", &params);
    let shares = table.unwrap().divide(Sats::from_wire(COIN_SATS - 777)).unwrap();
    let outputs: Vec<(&str, u64)> = locks.iter().zip(&shares).map(|((_, who), share)| (*who, share.get())).collect();
    let args = [("sig", "@alice"), ("fee", "777 sats")];
    commission.accepts("release", &args, &outputs);
    commission.refuses("release", &[("sig", "@bob"), ("fee", "777 sats")], &outputs, "the buyer must sign");
    commission.refuses("release", &[("sig", "@alice"), ("fee", "2_001 sats")], &outputs, "the fee is too high");
    for from in 0..outputs.len() {
        let mut robbed = outputs.clone();
        robbed[from].1 -= 1;
        robbed[(from + 1) % outputs.len()].1 += 1;
        assert!(commission.spend("release", &args, &robbed, Fields::default()).is_err(), "{from}");
    }
    commission.accepts("back", &[("sig", "@alice")], OUT);
}
