//! What comes of scripts: well-known ones as text, and of any bytes something, in time and space.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use decompile::decompile;
use proptest::prelude::*;
use spec::RuleSet;
use spec::asm::assemble;

/// The statements of all paths, one after the other.
fn body(words: &str) -> String {
    let found = decompile(&assemble(words, RuleSet::Bitmodel).unwrap(), "Script");
    let is_said = |line: &&str| line.starts_with("        ") || line.starts_with("    spend");
    found.text.lines().filter(is_said).map(str::trim).collect::<Vec<_>>().join("\n")
}

fn check(words: &str, expected: &[&str]) {
    assert_eq!(body(words), expected.join("\n"), "{words}");
}

#[test]
fn a_key_hash() {
    check(
        "OP_DUP OP_HASH160 0x0707070707070707070707070707070707070707 OP_EQUALVERIFY OP_CHECKSIG",
        &[
            "spend path0(sig: Sig, pubkey: PubKey) {",
            "require hash160(pubkey) == 0x0707070707070707070707070707070707070707;",
            "require pubkey.signed(sig);",
        ],
    );
}

#[test]
fn several_keys() {
    let key = format!("0x02{}", "11".repeat(32));
    let words = format!("2 {key} {key} 2 OP_CHECKMULTISIG");
    check(
        &words,
        &[
            "spend path0(data: Bytes, data2: Bytes, data3: Bytes) {",
            &format!(
                "let x1 = asm (data: Bytes, data2: Bytes, data3: Bytes) -> Bool {{ 2 {key} {key} 2 OP_CHECKMULTISIG }};"
            ),
            "require x1;",
        ],
    );
}

#[test]
fn a_hash_lock_with_a_time_limit_has_two_paths() {
    let key = format!("0x02{}", "11".repeat(32));
    let digest = format!("0x{}", "ab".repeat(32));
    let words = format!(
        "OP_IF OP_SHA256 {digest} OP_EQUALVERIFY {key} OP_CHECKSIG OP_ELSE 900000 OP_CHECKLOCKTIMEVERIFY OP_DROP {key} OP_CHECKSIG OP_ENDIF"
    );
    check(
        &words,
        &[
            "spend path0(sig: Sig, data: Bytes, flag: Bool) {",
            "require flag;",
            &format!("require sha256(data) == {digest};"),
            &format!("let x1: PubKey = {key};"),
            "require x1.signed(sig);",
            "spend path1(sig: Sig, flag: Bool) {",
            "require !flag;",
            "require tx.height >= height 900000;",
            &format!("let x1: PubKey = {key};"),
            "require x1.signed(sig);",
        ],
    );
}

#[test]
fn what_the_script_reads_of_its_transaction() {
    check(
        "0 OP_OUTPUTVALUE OP_INPUTINDEX OP_UTXOVALUE 1000 OP_SUB OP_GREATERTHANOREQUAL OP_VERIFY 0 OP_OUTPUTBYTECODE OP_INPUTINDEX OP_UTXOBYTECODE OP_EQUAL",
        &[
            "spend path0() {",
            "require int(tx.outputs[0].value) >= (int(self.value) - 1000);",
            "require tx.outputs[0].lock == self.lock;",
        ],
    );
}

#[test]
fn branches_that_leave_as_much_are_one_expression() {
    check(
        "OP_DUP 5 OP_GREATERTHAN OP_IF OP_1ADD OP_ELSE 2 OP_MUL OP_ENDIF 12 OP_NUMEQUAL",
        &[
            "spend path0(number: Int) {",
            "let x1: Int = if number > 5 {",
            "number + 1",
            "} else {",
            "number * 2",
            "};",
            "require x1 == 12;",
        ],
    );
}

#[test]
fn loops_and_what_has_no_word_stay_instructions() {
    check(
        "OP_BEGIN OP_1SUB OP_DUP OP_NOT OP_UNTIL OP_DROP 0x0102 OP_AND OP_VERIFY 1",
        &[
            "spend path0(data: Bytes, data2: Bytes) {",
            "let x1 = asm (data2: Bytes) -> Bytes { OP_BEGIN OP_1SUB OP_DUP OP_NOT OP_UNTIL };",
            "let x2 = asm (data: Bytes) -> Bytes { 0x0102 OP_AND };",
            "let x3 = asm (x2: Bytes) -> Bool { OP_NOP };",
            "require x3;",
            "require true;",
        ],
    );
}

#[test]
fn functions_are_followed_and_what_cannot_be_is_told() {
    check(
        "0x8b8b 0 OP_DEFINE 0 OP_INVOKE 7 OP_NUMEQUAL",
        &["spend path0(number: Int) {", "require ((number + 1) + 1) == 7;"],
    );
    for (words, at, why) in [
        ("OP_PICK", 0, "which item"),
        ("OP_IF 1", 0, "not closed"),
        ("OP_BEGIN OP_DUP OP_DUP OP_UNTIL 1", 0, "more or fewer"),
        ("BYTE_d6", 0, "no instruction"),
        ("TRUNCATED<0x0501>", 0, "cut off"),
        ("OP_NOP1", 0, "no meaning yet"),
        ("1 OP_CODESEPARATOR", 1, "behind it"),
    ] {
        let found = decompile(&assemble(words, RuleSet::Bitmodel).unwrap(), "Script");
        assert!(!found.is_complete());
        assert_eq!(found.stops[0].at, at, "{words}");
        assert!(found.stops[0].why.contains(why), "{words}: {}", found.stops[0].why);
        assert!(found.text.contains(&format!("From byte {at} on")), "{}", found.text);
    }
}

#[test]
fn words_of_arithmetic() {
    check(
        "OP_ABS 3 OP_MAX OP_NEGATE 7 OP_DIV 2 OP_MOD 4 OP_NUM2BIN 0x01020304 OP_EQUALVERIFY 1 5 OP_WITHIN OP_NOT",
        &[
            "spend path0(number: Int, number2: Int) {",
            "require bytes(((-max(abs(number2), 3)) / 7) mod 2, 4) == 0x01020304;",
            "require !within(number, 1, 5);",
        ],
    );
}

/// Scripts of the examples as they were once compiled, and as text.
#[test]
fn scripts_of_the_examples() {
    let mut count = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "asm") {
            let words = std::fs::read_to_string(&path).unwrap();
            let found = decompile(&assemble(&words, RuleSet::Bitmodel).unwrap(), "Script");
            let name = path.file_stem().unwrap().to_str().unwrap();
            insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "golden", omit_expression => true }, {
                insta::assert_snapshot!(name, found.text);
            });
            count += 1;
        }
    }
    assert_eq!(count, 6);
}

/// Where the number of items chooses the path, each path says it by what it takes.
#[test]
fn the_number_of_items_tells_paths_apart() {
    check(
        "OP_DEPTH 1 OP_NUMEQUAL OP_IF 7 OP_NUMEQUAL OP_ELSE OP_ADD 8 OP_NUMEQUAL OP_ENDIF",
        &[
            "spend path0(number: Int) {",
            "require number == 7;",
            "spend path1(number: Int, number2: Int) {",
            "require (number + number2) == 8;",
        ],
    );
}

/// Instructions at random, more often those that other ones give something to work on.
fn script() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => any::<u8>(),
        2 => prop::sample::select(vec![0x63u8, 0x64, 0x67, 0x68, 0x65, 0x66, 0x73, 0x76, 0x79, 0x7a, 0x89, 0x8a]),
        3 => 0x51u8..0x60,
        3 => 0x6bu8..0xd5,
    ];
    prop::collection::vec(byte, 0..300)
}

/// No text is longer than this for so many bytes.
fn bounded(script: &[u8]) {
    let found = decompile(script, "Script");
    let bound = 60_000 + 30_000 * script.len();
    assert!(found.text.len() <= bound, "{} for {} bytes", found.text.len(), script.len());
    assert!(found.ways.len() <= 64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_become_some_text(script in script()) {
        bounded(&script);
    }
}

#[test]
fn what_is_made_to_be_large_stays_small() {
    let repeat = |words: &str, count: usize| assemble(&[words].repeat(count).join(" "), RuleSet::Bitmodel).unwrap();
    for (words, count) in [
        ("OP_IF OP_ELSE OP_DROP OP_ENDIF", 2_000),
        ("OP_DUP OP_IF OP_1ADD OP_ELSE OP_1SUB OP_ENDIF", 1_500),
        ("OP_IF", 5_000),
        ("OP_IFDUP", 5_000),
        ("OP_DUP OP_CAT", 5_000),
        ("OP_1ADD", 10_000),
        ("OP_3DUP OP_CAT OP_SHA256", 3_000),
        ("999 OP_PICK OP_ADD", 2_500),
        ("OP_BEGIN OP_UNTIL", 5_000),
        ("OP_BEGIN", 5_000),
    ] {
        bounded(&repeat(words, count));
    }
    let nested = |open: &str, close: &str| {
        let words = format!("{} 1 {}", [open].repeat(2_000).join(" "), [close].repeat(2_000).join(" "));
        assemble(&words, RuleSet::Bitmodel).unwrap()
    };
    bounded(&nested("OP_IF", "OP_ENDIF"));
    bounded(&nested("OP_BEGIN", "OP_UNTIL"));
    bounded(&nested("OP_DUP OP_IF 1 OP_ADD", "OP_ELSE 2 OP_ADD OP_ENDIF"));
    // A function that calls itself, and one that is called often.
    bounded(&assemble("0x008a 0 OP_DEFINE 0 OP_INVOKE", RuleSet::Bitmodel).unwrap());
    let body = [vec![0x8b; 500], vec![]].concat();
    let mut often = assemble(&format!("0x{} 0 OP_DEFINE", hex_of(&body)), RuleSet::Bitmodel).unwrap();
    often.extend([0x00, 0x8a].repeat(2_000));
    bounded(&often);
    let mut constant = vec![0x4d, 0xff, 0x1f];
    constant.extend(vec![7; 0x1fff]);
    constant.extend([0x76, 0xa8, 0x69].repeat(500));
    bounded(&constant);
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
