//! Rewrites that are right are shown to be so, and wrong ones are not.

use std::collections::BTreeMap;

use spec::hash::sha256;
use spec::script::instructions;
use spec::{Opcode, RuleSet};

use super::{Given, Side, Verdict, compare};
use crate::code::{Code, Instr, Op, PlaceId};

/// Instructions from words; `$3` is the hole with this number.
fn code(text: &str) -> Code {
    let mut code = Code::new();
    for word in text.split_whitespace() {
        if let Some(hole) = word.strip_prefix('$') {
            code.push(Instr { op: Op::Hole(hole.parse().unwrap()), place: PlaceId::default(), site: None });
            continue;
        }
        let is_data = word.starts_with("0x") || word.parse::<i64>().is_ok();
        let word = if is_data { word.to_owned() } else { format!("OP_{word}") };
        let bytes = spec::asm::assemble(&word, RuleSet::Bitmodel).unwrap();
        for step in instructions(&bytes) {
            let op = Op::read(&step.unwrap()).unwrap();
            code.push(Instr { op, place: PlaceId::default(), site: None });
        }
    }
    code
}

fn verdict(items: usize, left: &str, right: &str) -> Verdict {
    verdict_knowing(&[], items, left, right)
}

fn verdict_knowing(preimages: &[&[u8]], items: usize, left: &str, right: &str) -> Verdict {
    let (left, right) = (code(left), code(right));
    let stack = || (0..items).map(Given::Item).collect();
    let side = |code| Side { code, stack: stack(), records: false, turns: BTreeMap::new() };
    compare(&side(&left), &side(&right), preimages)
}

#[track_caller]
fn right(items: usize, left: &str, right: &str) {
    assert_eq!(verdict(items, left, right), Verdict::Same, "{left}\n{right}");
}

#[track_caller]
fn wrong(items: usize, left: &str, right: &str) {
    let found = verdict(items, left, right);
    assert!(matches!(found, Verdict::Differs { .. }), "{found:?}\n{left}\n{right}");
}

#[test]
fn what_moves_on_the_stack_does_not_matter() {
    right(3, "TOALTSTACK SUB FROMALTSTACK NUMEQUAL", "ROT ROT SUB NUMEQUAL 1 DROP");
    right(2, "OVER OVER NUMEQUALVERIFY LESSTHANOREQUAL", "2DUP NUMEQUALVERIFY LESSTHANOREQUAL");
    right(2, "1 PICK 1 PICK ADD 2 ROLL DROP NIP", "ADD");
    right(3, "2 ROLL 2 ROLL 2 ROLL DROP NUMEQUAL", "DROP NUMEQUAL");
}

#[test]
fn arithmetic_that_is_exact_may_be_written_otherwise() {
    right(1, "2 ADD 3 ADD 0 GREATERTHAN", "5 ADD 0 GREATERTHAN");
    right(2, "ADD DUP MUL 9 NUMEQUAL", "2DUP MUL 2 MUL OVER DUP MUL ADD 2 PICK DUP MUL ADD 9 NUMEQUAL NIP NIP");
    right(1, "20 MUL 100 DIV 7 NUMEQUAL", "5 DIV 7 NUMEQUAL");
    right(2, "LESSTHAN NOT", "GREATERTHANOREQUAL");
    right(2, "SWAP GREATERTHAN", "LESSTHAN");
    right(2, "2DUP SUB 0 GREATERTHAN NIP NIP", "GREATERTHAN");
    right(1, "DUP 3 GREATERTHANOREQUAL SWAP 8 LESSTHAN BOOLAND", "3 8 WITHIN");
    right(1, "1ADD 3 GREATERTHAN", "2 GREATERTHAN");
    right(1, "2 MUL 5 GREATERTHAN", "3 GREATERTHANOREQUAL");
    right(2, "NUMEQUAL NOT", "NUMNOTEQUAL");
    right(0, "TXINPUTCOUNT 0 GREATERTHAN", "1");
    right(0, "0 OUTPUTVALUE 0 GREATERTHAN", "0 OUTPUTVALUE");
    // A division refuses a zero divisor, so a script without it accepts more.
    wrong(1, "6 SWAP DIV DROP 1", "DROP 1");
    wrong(1, "6 SWAP MOD DROP 1", "DROP 1");
    right(1, "6 SWAP DIV DROP 1", "6 SWAP MOD DROP 1");
    right(1, "6 SWAP DIV DROP 1", "0 NUMNOTEQUAL");
    right(1, "6 DIV DROP 1", "1ADD DROP 1");
}

#[test]
fn checks_may_change_places_but_none_may_go() {
    right(2, "5 NUMEQUALVERIFY 6 NUMEQUAL", "SWAP 6 NUMEQUALVERIFY 5 NUMEQUAL");
    wrong(2, "5 NUMEQUALVERIFY 6 NUMEQUAL", "DROP 6 NUMEQUAL");
    right(2, "$0 CHECKSIGVERIFY HASH160 $1 EQUAL", "SWAP HASH160 $1 EQUALVERIFY $0 CHECKSIG");
    wrong(2, "$0 CHECKSIGVERIFY HASH160 $1 EQUAL", "SWAP HASH160 $0 EQUALVERIFY $1 CHECKSIG");
}

#[test]
fn branches_may_be_turned_joined_and_left_out() {
    right(2, "IF 5 ELSE 6 ENDIF NUMEQUAL", "NOTIF 6 ELSE 5 ENDIF NUMEQUAL");
    right(2, "IF 5 NUMEQUALVERIFY ELSE 6 NUMEQUALVERIFY ENDIF 1", "IF 5 ELSE 6 ENDIF NUMEQUAL");
    right(2, "IF DUP 3 GREATERTHAN VERIFY ELSE DUP 3 GREATERTHAN VERIFY ENDIF DROP 1", "DROP 3 GREATERTHAN");
    wrong(2, "IF 5 ELSE 6 ENDIF NUMEQUAL", "IF 6 ELSE 5 ENDIF NUMEQUAL");
    wrong(2, "IF 5 NUMEQUALVERIFY ELSE DROP ENDIF 1", "DROP 5 NUMEQUAL");
}

#[test]
fn what_never_succeeds_is_the_same_and_many_branches_take_no_time() {
    right(0, "0 VERIFY 1", "0");
    right(1, "0 VERIFY 5 NUMEQUAL", "DROP 0");
    let votes = |last: &str| format!("0 {} {last}", "SWAP IF 1ADD ENDIF ".repeat(60));
    right(60, &votes("40 GREATERTHANOREQUAL"), &votes("39 GREATERTHAN"));
    wrong(60, &votes("40 GREATERTHANOREQUAL"), &votes("40 GREATERTHAN"));
}

/// The verdict on a path of a joint script, at whose first conditional the first block is the path's if `first`.
fn on_way(items: usize, direct: &str, joint: &str, first: bool) -> Verdict {
    let (direct, joint) = (code(direct), code(joint));
    let fork = joint.iter().position(|instr| matches!(instr.op, Op::Code(Opcode::If | Opcode::NotIf))).unwrap();
    let stack: Vec<Given> = (0..items).map(Given::Item).collect();
    let side = |code, turns| Side { code, stack: stack.clone(), records: false, turns };
    compare(&side(&direct, BTreeMap::new()), &side(&joint, BTreeMap::from([(fork, first)])), &[])
}

#[test]
fn paths_may_be_told_apart_by_what_they_demand() {
    let alone = "TXINPUTCOUNT 1 NUMEQUALVERIFY 0 OUTPUTVALUE $0 NUMEQUAL";
    let with_another = "TXINPUTCOUNT 2 NUMEQUALVERIFY 0 OUTPUTVALUE $1 NUMEQUAL";
    let joint = "TXINPUTCOUNT 1 NUMEQUAL IF $0 ELSE TXINPUTCOUNT 2 NUMEQUALVERIFY $1 ENDIF 0 OUTPUTVALUE NUMEQUAL";
    assert_eq!(on_way(0, alone, joint, true), Verdict::Same);
    assert_eq!(on_way(0, with_another, joint, false), Verdict::Same);
    // The wrong way, a check that is gone, the other path's operand, a conditional that the path does not settle.
    let is_wrong = |direct: &str, joint: &str, first| {
        let found = on_way(0, direct, joint, first);
        assert!(matches!(found, Verdict::Differs { .. }), "{found:?}\n{direct}\n{joint}");
    };
    is_wrong(alone, joint, false);
    is_wrong(with_another, joint, true);
    is_wrong(with_another, &joint.replace("TXINPUTCOUNT 2 NUMEQUALVERIFY ", ""), false);
    is_wrong(with_another, &joint.replace("$1", "$0"), false);
    is_wrong(alone, &joint.replace("$0", "$1"), true);
    is_wrong(&alone.replace("1 NUMEQUALVERIFY", "1 GREATERTHANOREQUAL VERIFY"), joint, true);
    is_wrong(&with_another.replace("2 NUMEQUALVERIFY", "0 GREATERTHAN VERIFY"), joint, false);
    is_wrong(alone, &joint.replace("1 NUMEQUAL IF", "3 NUMEQUAL IF"), true);
    is_wrong(with_another, &joint.replace("1 NUMEQUAL IF", "2 NUMEQUAL IF"), false);
}

#[test]
fn what_a_path_demands_may_follow_from_a_comparison_or_from_bytes() {
    let joint = "2DUP GREATERTHAN IF SUB ELSE 2DUP LESSTHAN VERIFY SWAP SUB ENDIF 5 NUMEQUAL";
    assert_eq!(on_way(2, "2DUP GREATERTHAN VERIFY SUB 5 NUMEQUAL", joint, true), Verdict::Same);
    assert_eq!(on_way(2, "2DUP LESSTHAN VERIFY SWAP SUB 5 NUMEQUAL", joint, false), Verdict::Same);
    let unsure = on_way(2, "2DUP LESSTHANOREQUAL VERIFY SWAP SUB 5 NUMEQUAL", joint, false);
    assert!(matches!(unsure, Verdict::Differs { .. }), "{unsure:?}");
    let key = |digit: &str| format!("0x{}", digit.repeat(40));
    let reveal = |digit: &str| format!("DUP HASH160 {} EQUALVERIFY CHECKSIG", key(digit));
    let (a, b) = (key("a"), key("b"));
    let joint = format!("DUP HASH160 DUP {a} EQUAL IF DROP ELSE {b} EQUALVERIFY ENDIF CHECKSIG");
    assert_eq!(on_way(2, &reveal("a"), &joint, true), Verdict::Same);
    assert_eq!(on_way(2, &reveal("b"), &joint, false), Verdict::Same);
    for (direct, first) in [(reveal("b"), true), (reveal("a"), false), (reveal("c"), true), (reveal("c"), false)] {
        assert!(matches!(on_way(2, &direct, &joint, first), Verdict::Differs { .. }), "{direct}");
    }
}

#[test]
fn paths_may_be_told_apart_by_the_number_of_items() {
    let joint = "DEPTH 1SUB IF SHA256 $0 EQUALVERIFY $1 ELSE $2 ENDIF CHECKSIG";
    right(2, "SHA256 $0 EQUALVERIFY $1 CHECKSIG", joint);
    right(1, "$2 CHECKSIG", joint);
    wrong(1, "$1 CHECKSIG", joint);
    wrong(2, "SHA256 $0 EQUALVERIFY $2 CHECKSIG", joint);
    wrong(2, "DROP $1 CHECKSIG", joint);
}

#[test]
fn what_follows_branches_may_stand_once_behind_them() {
    let apart = "IF 0 OUTPUTVALUE $0 NUMEQUALVERIFY ELSE 1 OUTPUTVALUE $1 NUMEQUALVERIFY ENDIF 1";
    right(1, apart, "IF $0 0 ELSE $1 1 ENDIF OUTPUTVALUE NUMEQUAL");
    wrong(1, apart, "IF $0 1 ELSE $1 0 ENDIF OUTPUTVALUE NUMEQUAL");
    wrong(1, apart, "IF $1 0 ELSE $0 1 ENDIF OUTPUTVALUE NUMEQUAL");
    wrong(1, apart, "IF $0 ELSE $1 ENDIF 1 OUTPUTVALUE NUMEQUAL");
    let apart = "IF SHA256 $0 EQUALVERIFY ELSE $1 EQUALVERIFY ENDIF 1";
    right(2, apart, "IF SHA256 $0 ELSE $1 ENDIF EQUAL");
    wrong(2, apart, "IF SHA256 $0 ELSE SHA256 $1 ENDIF EQUAL");
    wrong(2, apart, "IF SHA256 $1 ELSE $0 ENDIF EQUAL");
    right(3, "IF CHECKSIGVERIFY ELSE 2DROP ENDIF 1", "IF CHECKSIG ELSE 2DROP 1 ENDIF");
    wrong(3, "IF CHECKSIGVERIFY ELSE 2DROP ENDIF 1", "IF CHECKSIG ELSE NIP ENDIF");
}

#[test]
fn bytes_are_their_parts() {
    right(1, "4 SPLIT SWAP CAT $0 EQUAL", "4 SPLIT SWAP CAT $0 EQUAL");
    right(1, "4 SPLIT CAT $0 EQUAL", "DUP 4 SPLIT 2DROP $0 EQUAL");
    right(1, "8 SPLIT DROP 4 SPLIT NIP $0 EQUAL", "DUP 8 SPLIT 2DROP 4 SPLIT NIP 4 SPLIT DROP $0 EQUAL DUP DROP");
    right(
        1,
        "HASH160 0x02abcd SWAP CAT 0x01ef CAT 0 OUTPUTBYTECODE EQUAL",
        "0x02abcd SWAP HASH160 CAT 0x01ef CAT 0 OUTPUTBYTECODE EQUAL",
    );
    right(2, "HASH160 SWAP SHA256 CAT SIZE 52 NUMEQUAL NIP", "2DROP 1");
    wrong(1, "4 SPLIT DROP $0 EQUAL", "4 SPLIT NIP $0 EQUAL");
    wrong(1, "4 SPLIT DROP $0 EQUAL", "5 SPLIT DROP $0 EQUAL");
}

/// A constant in a script, as words have it.
fn word(data: &[u8]) -> String {
    data.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

const ALICE: &[u8] = b"alice gets her part";
const BOB: &[u8] = b"bob his";
const CAROL: &[u8] = b"and carol too";

#[test]
fn a_hash_of_a_known_text_stands_for_the_text() {
    let long = [7; 98];
    let plain = format!("{} EQUAL", word(&long));
    let hashed = format!("SHA256 {} EQUAL", word(&sha256(&long)));
    assert_eq!(verdict_knowing(&[&long], 1, &plain, &hashed), Verdict::Same);
    // Nobody said what the hash is of; it is of something else; it is another hash.
    wrong(1, &plain, &hashed);
    let other = [8; 98];
    let wrongs: [(&[&[u8]], String); 3] = [
        (&[&other], hashed.clone()),
        (&[&long, &other], format!("SHA256 {} EQUAL", word(&sha256(&other)))),
        (&[&long], hashed.replace("SHA256", "HASH256")),
    ];
    for (preimages, right) in wrongs {
        let found = verdict_knowing(preimages, 1, &plain, &right);
        assert!(matches!(found, Verdict::Differs { .. }), "{found:?}\n{right}");
    }
}

/// Outputs 0 to 2, each hashed with the hash of those before, and the texts that the hashes are of.
fn chain(texts: [&[u8]; 3]) -> (String, Vec<Vec<u8>>) {
    let mut preimages: Vec<Vec<u8>> = Vec::new();
    for text in texts {
        let before = preimages.last().map_or(Vec::new(), |before| sha256(before).to_vec());
        preimages.push([before.as_slice(), text].concat());
    }
    let last = sha256(preimages.last().unwrap());
    let code = "0 OUTPUTBYTECODE SHA256 1 OUTPUTBYTECODE CAT SHA256 2 OUTPUTBYTECODE CAT SHA256";
    (format!("{code} {} EQUAL", word(&last)), preimages)
}

#[test]
fn a_chain_of_hashes_is_all_its_texts_in_their_order() {
    let output = |at: usize, text: &[u8]| format!("{at} OUTPUTBYTECODE {} EQUALVERIFY", word(text));
    let plain = [output(0, ALICE), output(1, BOB), output(2, CAROL), "1".into()].join(" ");
    let judge = |plain: &str, hashed: &str, preimages: &[Vec<u8>]| {
        let preimages: Vec<&[u8]> = preimages.iter().map(Vec::as_slice).collect();
        verdict_knowing(&preimages, 0, plain, hashed)
    };
    let differs = |plain: &str, hashed: &str, preimages: &[Vec<u8>]| {
        let found = judge(plain, hashed, preimages);
        assert!(matches!(found, Verdict::Differs { .. }), "{found:?}\n{plain}\n{hashed}");
    };
    let (honest, preimages) = chain([ALICE, BOB, CAROL]);
    assert_eq!(judge(&plain, &honest, &preimages), Verdict::Same);
    // One is left out, two have changed places, one is somebody else, or reads another output.
    differs(&[output(0, ALICE), output(1, BOB), "1".into()].join(" "), &honest, &preimages);
    differs(&plain, &honest.replace(" 2 OUTPUTBYTECODE CAT SHA256", ""), &preimages);
    for other in [[BOB, ALICE, CAROL], [ALICE, CAROL, BOB], [ALICE, BOB, BOB]] {
        let (hashed, preimages) = chain(other);
        differs(&plain, &hashed, &preimages);
    }
    differs(&plain, &honest.replace("2 OUTPUTBYTECODE", "3 OUTPUTBYTECODE"), &preimages);
    differs(&plain, &honest.replace("2 OUTPUTBYTECODE", "2 OUTPUTTOKENCOMMITMENT"), &preimages);
}

#[test]
fn parts_of_unknown_lengths_may_not_be_joined_before_they_are_hashed() {
    let all = [ALICE, BOB].concat();
    let plain = format!("0 OUTPUTBYTECODE {} EQUALVERIFY 1 OUTPUTBYTECODE {} EQUAL", word(ALICE), word(BOB));
    let joined = format!("0 OUTPUTBYTECODE 1 OUTPUTBYTECODE CAT SHA256 {} EQUAL", word(&sha256(&all)));
    let found = verdict_knowing(&[&all], 0, &plain, &joined);
    assert!(matches!(found, Verdict::Differs { .. }), "{found:?}");
    // One may, among others that have lengths.
    let (key, id) = ([3; 20], [4; 32]);
    let all = [&key, BOB, &id].concat();
    let parts = ["DUP HASH160", "0 OUTPUTBYTECODE", "0 OUTPOINTTXHASH"];
    let plain = format!(
        "{} {} EQUALVERIFY {} {} EQUALVERIFY {} {} EQUALVERIFY",
        parts[0],
        word(&key),
        parts[1],
        word(BOB),
        parts[2],
        word(&id)
    );
    let joined = format!("{} {} CAT {} CAT SHA256 {} EQUALVERIFY", parts[0], parts[1], parts[2], word(&sha256(&all)));
    assert_eq!(verdict_knowing(&[&all], 1, &plain, &joined), Verdict::Same);
    let shifted = joined.replace("OUTPOINTTXHASH", "INPUTBYTECODE");
    let plain = plain.replace("OUTPOINTTXHASH", "INPUTBYTECODE");
    let found = verdict_knowing(&[&all], 1, &plain, &shifted);
    assert!(matches!(found, Verdict::Differs { .. }), "{found:?}");
}

#[test]
fn loops_are_the_same_wherever_their_variables_lie() {
    // The sum of all input values, with the index above or below.
    let above = "0 0 BEGIN DUP UTXOVALUE ROT ADD SWAP 1ADD DUP TXINPUTCOUNT NUMEQUAL UNTIL DROP $0 GREATERTHAN";
    let below = "0 0 BEGIN OVER UTXOVALUE ADD SWAP 1ADD SWAP OVER TXINPUTCOUNT NUMEQUAL UNTIL NIP $0 GREATERTHAN";
    right(0, above, below);
    wrong(0, above, &below.replace("0 0 BEGIN", "1 0 BEGIN"));
    wrong(0, above, &below.replace("UTXOVALUE ADD", "UTXOVALUE SUB"));
    wrong(0, above, &below.replace("TXINPUTCOUNT", "TXOUTPUTCOUNT"));
    wrong(0, above, &below.replace("$0 GREATERTHAN", "$0 GREATERTHANOREQUAL"));
    // Rounds that are known are run one by one.
    right(1, "0 BEGIN 1ADD DUP 3 NUMEQUAL UNTIL NUMEQUAL", "3 NUMEQUAL");
    wrong(1, "0 BEGIN 1ADD DUP 3 NUMEQUAL UNTIL NUMEQUAL", "4 NUMEQUAL");
}

#[test]
fn wrong_rewrites_are_not_shown_to_be_right() {
    let cases: [(usize, &str, &str); 34] = [
        // The wrong number, operand or operator.
        (1, "3 ADD 7 NUMEQUAL", "5 NUMEQUAL"),
        (2, "SUB 7 NUMEQUAL", "SWAP SUB 7 NUMEQUAL"),
        (2, "DIV 7 NUMEQUAL", "SWAP DIV 7 NUMEQUAL"),
        (2, "ADD 7 NUMEQUAL", "MUL 7 NUMEQUAL"),
        (2, "MIN 7 NUMEQUAL", "MAX 7 NUMEQUAL"),
        (2, "BOOLAND", "BOOLOR"),
        (2, "LESSTHAN", "LESSTHANOREQUAL"),
        (2, "LESSTHAN NOT", "GREATERTHAN"),
        (1, "3 8 WITHIN", "3 9 WITHIN"),
        (1, "3 8 WITHIN", "DUP 3 GREATERTHAN SWAP 8 LESSTHAN BOOLAND"),
        // Rounding.
        (1, "10 DIV 7 MUL $0 NUMEQUAL", "7 MUL 10 DIV $0 NUMEQUAL"),
        (2, "ADD 2 DIV $0 NUMEQUAL", "2 DIV SWAP 2 DIV ADD $0 NUMEQUAL"),
        (1, "7 MUL 3 DIV $0 NUMEQUAL", "2 MUL $0 NUMEQUAL"),
        (1, "2 DIV 2 MUL $0 NUMEQUAL", "$0 NUMEQUAL"),
        (1, "3 MOD 0 NUMEQUAL", "3 DIV 0 NUMEQUAL"),
        // A failure that is gone, or new.
        (1, "0 ADD DROP 1", "DROP 1"),
        (1, "DUP 0 NUMNOTEQUAL VERIFY 6 SWAP DIV 2 NUMEQUAL", "3 NUMEQUAL"),
        (2, "MOD DROP 1", "2DROP 1"),
        (1, "4 SPLIT 2DROP 1", "DROP 1"),
        (1, "OUTPUTVALUE DROP 1", "DROP 1"),
        (2, "AND DROP 1", "2DROP 1"),
        (1, "IF 0 OUTPUTVALUE DROP ENDIF 1", "DROP 0 OUTPUTVALUE DROP 1"),
        (1, "IF 0 OUTPUTVALUE DROP ENDIF 1", "DROP 1"),
        (2, "$0 CHECKSIG NOT NIP", "2DROP 1"),
        // Another transaction field, output or input.
        (0, "0 OUTPUTVALUE $0 GREATERTHAN", "1 OUTPUTVALUE $0 GREATERTHAN"),
        (0, "0 OUTPUTVALUE $0 GREATERTHAN", "0 UTXOVALUE $0 GREATERTHAN"),
        (0, "0 OUTPUTVALUE $0 GREATERTHAN", "INPUTINDEX OUTPUTVALUE $0 GREATERTHAN"),
        (0, "0 OUTPUTBYTECODE $0 EQUAL", "0 OUTPUTTOKENCATEGORY $0 EQUAL"),
        (0, "$0 CHECKLOCKTIMEVERIFY DROP 1", "$0 CHECKSEQUENCEVERIFY DROP 1"),
        (0, "$0 CHECKLOCKTIMEVERIFY DROP 1", "TXLOCKTIME $0 GREATERTHANOREQUAL"),
        // Bytes that look alike.
        (1, "BIN2NUM $0 NUMEQUAL", "$0 NUMEQUAL"),
        (2, "CAT $0 EQUAL", "SWAP CAT $0 EQUAL"),
        (1, "HASH160 $0 EQUAL", "SHA256 RIPEMD160 $0 EQUAL REVERSEBYTES"),
        (1, "4 NUM2BIN $0 EQUAL", "8 NUM2BIN $0 EQUAL"),
    ];
    for (items, left, right) in cases {
        wrong(items, left, right);
    }
}
