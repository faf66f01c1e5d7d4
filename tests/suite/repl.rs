//! `bmc repl`: values, names and scripts line by line, and that no line ends it.

use std::fs;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use crate::bmc::{Ran, bmc_with, root};

fn repl(text: &str) -> Ran {
    bmc_with(root(), &["repl"], text)
}

/// What a session prints without the lines about the stack.
fn answers(text: &str) -> Vec<String> {
    let out = repl(text).ok();
    out.lines().filter(|line| !line.starts_with("stack")).map(str::to_owned).collect()
}

#[test]
fn expressions_have_values_with_types() {
    for (line, wanted) in [
        ("1 + 2 * 3", "= 7 : Int"),
        ("0 - 5", "= -5 : Int"),
        ("1 == 2", "= false : Bool"),
        ("true", "= true : Bool"),
        ("2 coin + 1 sats", "= 200000001 sats : Coin"),
        ("height 5 + 3 blocks", "= height 8 : Height"),
        ("2 days", "= 172800 seconds : Duration"),
        ("0x0102", "= 0x0102 : Bytes<2>"),
        ("sha256(\"x\")", "= 0x2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 : Bytes<32>"),
        ("if 1 < 2 { 10 } else { 20 }", "= 10 : Int"),
        ("0x01020304[1..3]", "= 0x0203 : Bytes<2>"),
        ("tx.inputs.length", "= 1 : Int"),
        ("[1, 2, 3][1]", "= 2 : Int"),
        ("(1, 0x02).1", "= 0x02 : Bytes<1>"),
        ("2_000_000_000 * 2_000_000_000 * 2_000_000_000", "= 8000000000000000000000000000 : Int"),
    ] {
        assert_eq!(answers(line), [wanted], "{line}");
    }
}

#[test]
fn names_and_declarations_stay() {
    let text = "let a = 5;\nlet b = a + 1\nfn double(n: Int) -> Int {\n    n * 2\n}\nstruct P { x: Int, y: Int }\ndouble(b)\nP { x: 1, y: a }.y\nrequire b == 6;\n";
    assert_eq!(answers(text), ["= 12 : Int", "= 5 : Int", "it holds"]);
    assert_eq!(answers("let a = 1;\nlet a = a + 1;\na\n"), ["= 2 : Int"], "a name can be given again");
    assert_eq!(answers("use std::math::clamp;\nclamp(9, 1, 5)\n"), ["= 5 : Int"]);
    let listed = answers("let a = 1;\n:list\n:clear\n:list\n");
    assert_eq!(listed, ["let a = 1;", "nothing is declared"]);
}

#[test]
fn scripts_run_on_a_stack_that_stays() {
    let out = repl("2 3 OP_ADD\n4 OP_MUL\n:hex 5193\n:push 0xabcd\n:stack\nOP_2DROP\n").ok();
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(
        lines,
        ["stack 0x05", "stack 0x14", "stack 0x15", "stack 0x15 0xabcd", "stack 0x15 0xabcd", "stack (empty)"]
    );
    let refused = repl("2 OP_ADD\n7 8 OP_SUB\nOP_NOTHING\n");
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), "stack 0x81\n"));
    assert!(refused.stderr.contains("OP_NOTHING") && refused.stderr.contains("help:"), "{}", refused.stderr);
}

#[test]
fn commands_look_inside() {
    assert_eq!(answers(":type 1 coin\n"), ["Coin"]);
    let asm = answers("let a = 5;\n:asm tx.inputs.length + a\n");
    assert_eq!(asm, ["OP_TXINPUTCOUNT OP_5 OP_ADD"], "without what compares it");
    let cost = answers(":cost sha256(\"x\")\n");
    assert!(cost[0].starts_with("cost ") && cost[0].contains("bytes of an input pay for"), "{cost:?}");
    let help = answers(":help\n");
    assert!(help.iter().any(|line| line.contains(":load FILE")), "{help:?}");
    assert_eq!(repl(":quit\n1 + 1\n").ok(), "");
}

#[test]
fn sources_can_be_loaded() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("fees.bmc"), "const FEE: Coin = 500 sats;\nfn twice(c: Coin) -> Coin { c * 2 }\n")
        .unwrap();
    fs::write(folder.path().join("bad.bmc"), "const FEE: Coin = 500;\n").unwrap();
    let out = bmc_with(folder.path(), &["repl"], ":load fees.bmc\ntwice(FEE)\n").ok();
    assert!(out.contains("= 1000 sats : Coin"), "{out}");
    let out = bmc_with(folder.path(), &["repl", "--load", "fees.bmc"], "FEE\n").ok();
    assert!(out.contains("= 500 sats : Coin"), "{out}");
    let bad = bmc_with(folder.path(), &["repl"], ":load bad.bmc\n:load none.bmc\n:load\n");
    assert_eq!(bad.code, Some(1));
    for word in ["bad.bmc:1:", "E0203", "none.bmc", "write `:load FILE`"] {
        assert!(bad.stderr.contains(word), "`{word}` is missing:\n{}", bad.stderr);
    }
}

#[test]
fn mistakes_get_the_compiler_s_own_messages() {
    for (line, word) in [
        ("1 + true", "E0204"),
        ("nobody", "E0101"),
        ("1 +", "E0008"),
        ("let a = ;", "E0008"),
        ("1 / 0", "E0210"),
        ("Some(1)", "has no one place on a stack"),
        ("require tx.inputs.length == 7, \"seven\";", "seven"),
        (":nothing", "there is no command"),
        (":hex zz", "hexadecimal"),
        (":asm", "there is no expression"),
    ] {
        let ran = repl(line);
        assert_eq!(ran.code, Some(1), "{line}: {}", ran.stdout);
        assert!(ran.stderr.contains(word), "{line}: {}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{line}: {}", ran.stderr);
    }
}

#[test]
fn machines_get_a_line_for_a_line() {
    let ran = bmc_with(root(), &["repl", "--json"], "1 + 1\n2 OP_DUP\nnobody\n");
    let lines: Vec<serde_json::Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(ran.code, Some(1));
    assert_eq!((&lines[0]["value"], &lines[0]["type"], &lines[0]["bytes"]), (&"2".into(), &"Int".into(), &"02".into()));
    assert_eq!(lines[1]["stack"], serde_json::json!(["02", "02"]));
    assert_eq!(lines[2]["diagnostics"][0]["code"], "E0101");
}

/// Lines that people type, cut and mixed, and lines that nobody would.
fn random_lines(count: usize) -> String {
    const WORDS: [&str; 40] = [
        "1",
        "0",
        "-1",
        "a",
        "let",
        "=",
        "+",
        "*",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        ";",
        "OP_ADD",
        "OP_DUP",
        "OP_IF",
        "OP_BEGIN",
        "OP_UNTIL",
        "OP_INVOKE",
        "fn",
        "f",
        "sha256",
        "0x00",
        "\"x",
        "\"y\"",
        ":push",
        ":asm",
        ":type",
        ":cost",
        ":hex",
        ":clear",
        "coin",
        "tx",
        ".",
        "inputs",
        "if",
        "match",
        "99999999999999999999",
    ];
    let word = proptest::sample::select(&WORDS[..]).prop_map(str::to_owned);
    let strange = proptest::string::string_regex("[ -~é\\u{0}]{0,12}").unwrap();
    let line = proptest::collection::vec(proptest::prop_oneof![6 => word, 1 => strange], 0..9);
    let mut runner = TestRunner::deterministic();
    let mut line = || line.new_tree(&mut runner).unwrap().current().join(" ").replace('\n', " ");
    (0..count).map(|_| line() + "\n").collect()
}

#[test]
fn no_line_ends_it() {
    let text = random_lines(2_000) + "\n:clear\n40 + 2\n";
    let ran = repl(&text);
    assert!(matches!(ran.code, Some(0 | 1)), "{:?}", ran.code);
    assert!(!ran.stderr.contains("panicked") && !ran.stderr.contains("this is a bug"), "{}", ran.stderr);
    assert!(ran.stdout.trim_end().ends_with("= 42 : Int\nstack (empty)"), "{}", ran.stdout);
}
