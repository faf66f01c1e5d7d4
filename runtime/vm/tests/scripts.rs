//! What single scripts do: our own opcodes, limits, places of failures, tracing, hostile bytes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking and reports by printing"
)]

use proptest::prelude::*;
use spec::opcode::Opcode;
use spec::script::{p2sh20, p2sh32, push_data, push_int};
use spec::tx::TxIn;
use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxOut};
use vm::{Failure, Metrics, Phase, ScriptError, StackView, Step, Tracer, verify_input, verify_input_traced};

const STRICT: Rules = Rules::new(RuleSet::Bch2026, Mode::Consensus);
const OURS: Rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);

/// Assembles words: opcodes by name without `OP_`, numbers, and bytes as `0x..`.
fn asm(text: &str) -> Vec<u8> {
    let mut script = Vec::new();
    for word in text.split_whitespace() {
        if let Some(bytes) = word.strip_prefix("0x") {
            push_data(&mut script, &hex::decode(bytes).unwrap());
        } else if let Ok(n) = word.parse() {
            push_int(&mut script, n);
        } else {
            script.push(Opcode::from_name(&format!("OP_{word}")).unwrap().to_byte());
        }
    }
    script
}

fn spend(unlock: Vec<u8>, lock: Vec<u8>) -> (Transaction, [TxOut; 1]) {
    let inputs = vec![TxIn { prevout: OutPoint::COINBASE, unlock, sequence: 7 }];
    let outputs = vec![TxOut::plain(Sats::ONE, vec![0x6a])];
    let tx = Transaction { version: 2, inputs, outputs, locktime: 9 };
    (tx, [TxOut::plain(Sats::ONE, lock)])
}

fn run(rules: &Rules, unlock: Vec<u8>, lock: Vec<u8>) -> Result<Metrics, Failure> {
    let (tx, spent) = spend(unlock, lock);
    verify_input(rules, &SpendContext::new(&tx, &spent).unwrap(), 0)
}

/// Room for cost: 400 bytes that the lock drops.
fn ballast() -> Vec<u8> {
    let mut unlock = Vec::new();
    push_data(&mut unlock, &[7; 400]);
    unlock
}

fn error_of(rules: &Rules, lock: &str) -> Option<ScriptError> {
    run(rules, ballast(), asm(&format!("DROP {lock}"))).err().map(|failure| failure.error)
}

#[test]
fn the_unlocked_originals_work_under_our_rules_only() {
    for lock in [
        "VER 0x02000000 EQUAL",
        "0x0102030405 1 3 SUBSTR 0x020304 EQUAL",
        "0x0102030405 5 0 SUBSTR 0 EQUAL",
        "0x01020304 2 LEFT 0x0102 EQUAL",
        "0x01020304 4 LEFT 0x01020304 EQUAL",
        "0x01020304 0 RIGHT 0 EQUAL",
        "0x010203040506070809 3 RIGHT 0x070809 EQUAL",
        "9223372036854775807 2MUL 0xfeffffffffffffff00 EQUAL",
        "-5 2DIV -2 EQUAL",
        "0xfeffffffffffffff80 2DIV -9223372036854775807 EQUAL",
    ] {
        assert_eq!(error_of(&OURS, lock), None, "{lock}");
        assert_eq!(error_of(&STRICT, lock), Some(ScriptError::BadOpcode), "{lock}");
    }
}

#[test]
fn instructions_fail_with_their_own_reason() {
    use ScriptError::*;
    for (lock, error) in [
        ("0x0102 1 2 SUBSTR", SplitRange),
        ("0x0102 -1 1 SUBSTR", SplitRange),
        ("0x0102 9223372036854775807 1 SUBSTR", SplitRange),
        ("0x0102 3 LEFT", SplitRange),
        ("0x0102 -1 RIGHT", SplitRange),
        ("1 LEFT", StackUnderflow),
        ("1 2 SUBSTR", StackUnderflow),
        ("0x0100 1ADD", NumberEncoding),
        ("1 0 DIV", DivisionByZero),
        ("1 0 MOD", ModuloByZero),
        ("1 -1 LSHIFTNUM", NegativeShift),
        ("1 9223372036854775807 LSHIFTNUM", NumberRange),
        ("0x01 0x0203 AND", OperandSize),
        ("1 IF", UnbalancedConditional),
        ("ELSE", UnbalancedConditional),
        ("IF", UnbalancedConditional),
        ("1 UNTIL", UnbalancedLoop),
        ("BEGIN UNTIL", StackUnderflow),
        ("BEGIN 1 IF 1 UNTIL", UnbalancedLoop),
        ("1 INVOKE", FunctionUndefined),
        ("0x51 1 DEFINE 0x51 1 DEFINE", FunctionRedefined),
        ("0x51 0x0102030405060708 DEFINE", FunctionId),
        ("0x63 1 DEFINE 1 1 INVOKE", UnbalancedConditional),
        ("1 IF 0x68 1 DEFINE 1 INVOKE", UnbalancedConditional),
        ("1 INPUTBYTECODE", InputIndex),
        ("-1 OUTPUTVALUE", OutputIndex),
        ("10 CHECKLOCKTIMEVERIFY", LockTime),
        ("-1 CHECKLOCKTIMEVERIFY", NegativeLockTime),
        ("8 CHECKSEQUENCEVERIFY", LockTime),
        ("0 0 1 CHECKSIG", KeyEncoding),
        ("1 RETURN", Return),
        ("1 1", NotClean),
        ("0", FalseResult),
        ("", FalseResult),
        ("FROMALTSTACK", AltStackUnderflow),
    ] {
        assert_eq!(error_of(&OURS, lock), Some(error), "{lock}");
    }
}

#[test]
fn numbers_cross_the_border_of_8_bytes_both_ways() {
    for lock in [
        "9223372036854775807 1ADD 0x000000000000008000 NUMEQUAL",
        "0x000000000000008000 1SUB 9223372036854775807 NUMEQUAL",
        "-9223372036854775807 1SUB 0x000000000000008080 EQUAL",
        "0x000000000000008080 NEGATE 0x000000000000008000 EQUAL",
        "0x000000000000008080 ABS 1SUB 9223372036854775807 EQUAL",
        "9223372036854775807 DUP MUL 9223372036854775807 DIV 9223372036854775807 NUMEQUAL",
        "0x000000000000008080 10 MOD -8 NUMEQUAL",
        "-1 70 RSHIFTNUM -1 NUMEQUAL",
        "-3 1 RSHIFTNUM -2 NUMEQUAL",
        "0x010000000000008080 1 RSHIFTNUM 0x01000000000000c0 EQUAL",
        "1 100 LSHIFTNUM 99 RSHIFTNUM 2 NUMEQUAL",
        "-1 100 LSHIFTNUM 200 RSHIFTNUM -1 NUMEQUAL",
        "0 9223372036854775807 LSHIFTNUM 0 NUMEQUAL",
        "0x000000000000008000 9223372036854775807 GREATERTHAN",
        "0x000000000000008080 -9223372036854775807 LESSTHAN",
        "5 0x000000000000008080 0x000000000000008000 WITHIN",
        "0x8000 9 NUM2BIN 0x800000000000000000 EQUAL",
        "0x8080 4 NUM2BIN 0x80000080 EQUAL",
    ] {
        assert_eq!(error_of(&STRICT, lock), None, "{lock}");
        assert_eq!(error_of(&OURS, lock), None, "{lock}");
    }
}

#[test]
fn control_flow_is_what_the_rules_say() {
    for lock in [
        "0 IF RESERVED VER ELSE 1 ENDIF",
        "1 IF 1 ELSE 2 ELSE ENDIF",
        "0 IF BEGIN UNTIL ENDIF 1",
        "0 BEGIN 1ADD DUP 5 GREATERTHANOREQUAL UNTIL 5 EQUAL",
        "0x5293 1 DEFINE 3 1 INVOKE 5 EQUAL",
        "0x76519f63675167016a8a68 0x6a DEFINE 1",
        "0 1 DEFINE 1 INVOKE 1",
        "0 1 DEFINE 0 0 DEFINE 1 INVOKE 0 INVOKE 1",
        "0xc1 1 DEFINE 1 INVOKE 0xc1 EQUAL",
    ] {
        assert_eq!(error_of(&STRICT, lock), None, "{lock}");
    }
    // A function that invokes itself comes to the depth limit.
    assert_eq!(error_of(&STRICT, "0x518a 1 DEFINE 1 INVOKE"), Some(ScriptError::ControlDepth));
    assert_eq!(error_of(&OURS, "0x518a 1 DEFINE 1 INVOKE"), Some(ScriptError::ControlDepth));
}

#[test]
fn relay_refuses_what_is_kept_for_later() {
    let relay = Rules::new(RuleSet::Bch2026, Mode::Relay);
    assert_eq!(error_of(&relay, "1 NOP1"), Some(ScriptError::DiscouragedNop));
    assert_eq!(error_of(&relay, "0 IF NOP10 ENDIF 1"), None);
    assert_eq!(error_of(&STRICT, "1 NOP1"), None);
}

#[test]
fn memory_is_bounded_by_the_length_of_all_live_items() {
    let big = "1 60000 NUM2BIN";
    let copies = |count: usize| "DUP ".repeat(count);
    let unlock = || {
        let mut unlock = Vec::new();
        push_data(&mut unlock, &[7; 50_000]);
        unlock
    };
    let lock = |count| asm(&format!("DROP {big} {} 1", copies(count)));
    let error = |count| run(&OURS, unlock(), lock(count)).unwrap_err().error;
    assert_eq!(error(500), ScriptError::NotClean);
    assert_eq!(error(560), ScriptError::MemoryLimit);
    // Items that were dropped do not count, and the memory behind them is used again.
    let turn = format!("{big} INVERT DROP");
    let lock = asm(&format!("DROP 2000 BEGIN {turn} 1SUB DUP NOT UNTIL NOT"));
    assert!(run(&OURS, unlock(), lock).is_ok());
}

#[test]
fn tidying_moves_live_items_and_changes_none() {
    // Each turn makes a new 9,000-byte item and keeps one made earlier on each stack.
    let lock = "DROP 0xaabbccddeeff00112233 DUP CAT TOALTSTACK 1 30 NUM2BIN INVERT 300 \
                BEGIN 1 9000 NUM2BIN INVERT DROP 1SUB DUP NOT UNTIL DROP \
                INVERT 1 30 NUM2BIN EQUALVERIFY FROMALTSTACK 0xaabbccddeeff00112233aabbccddeeff00112233 EQUAL";
    let mut unlock = Vec::new();
    push_data(&mut unlock, &[7; 9_000]);
    assert!(run(&STRICT, unlock.clone(), asm(lock)).is_ok());
    // The body of a function, five times `1 ADD`, is made before that and called after it, twice.
    let lock = "DROP 0x5193519351 0x9351935193 CAT 7 DEFINE 300 \
                BEGIN 1 9000 NUM2BIN INVERT DROP 1SUB DUP NOT UNTIL \
                7 INVOKE 7 INVOKE 10 NUMEQUAL";
    assert!(run(&STRICT, unlock, asm(lock)).is_ok());
}

#[test]
fn a_failure_names_its_phase_and_place() {
    let failure = |unlock: &str, lock: &str| run(&STRICT, asm(unlock), asm(lock)).unwrap_err();
    let check = |failure: Failure, error, phase, at| {
        assert_eq!((failure.error, failure.phase, failure.at), (error, phase, at));
    };
    check(failure("1 DUP", "1"), ScriptError::UnlockNotPushOnly, Phase::Unlocking, None);
    check(failure("1", "0x0102 DROP VERIFY VERIFY"), ScriptError::StackUnderflow, Phase::Locking, Some(5));
    check(failure("1", "DROP 0"), ScriptError::FalseResult, Phase::Locking, None);
    // In a function: the place of the invocation. `0x0069` is `0 VERIFY`.
    let inner = failure("1", "0x0069 1 DEFINE NOP 1 INVOKE");
    check(inner, ScriptError::Verify, Phase::Locking, Some(7));
    let inside = inner.inside.unwrap();
    assert_eq!((inside.function.bytes(), inside.at), (vec![1], 1));
    assert!(inner.to_string().ends_with("(byte 7 of the locking bytecode, byte 1 of function 0x01)"));
    // The innermost function counts; after its return the outer one runs again.
    let nested = failure("1", "0x0069 0 DEFINE 0x008a 0x000102 DEFINE 0x000102 INVOKE");
    assert_eq!((nested.inside.unwrap().function.bytes(), nested.inside.unwrap().at), (vec![], 1));
    let after = failure("1", "0x51 0 DEFINE 0x008a9169 0x00 DEFINE 0x00 INVOKE");
    assert_eq!((after.inside.unwrap().function.bytes(), after.inside.unwrap().at), (vec![0], 3));
    assert_eq!(failure("0", "0x51 0 DEFINE 0 INVOKE DROP VERIFY").inside, None);
    let redeem = asm("NOP 0 VERIFY 1");
    for lock in [p2sh20(&spec::hash::hash160(&redeem)), p2sh32(&spec::hash::sha256d(&redeem))] {
        let mut unlock = Vec::new();
        push_data(&mut unlock, &redeem);
        check(run(&STRICT, unlock, lock).unwrap_err(), ScriptError::Verify, Phase::Redeem, Some(2));
    }
    let (tx, spent) = spend(vec![], vec![]);
    let missing = verify_input(&STRICT, &SpendContext::new(&tx, &spent).unwrap(), 1).unwrap_err();
    check(missing, ScriptError::NoSuchInput, Phase::Unlocking, None);
    assert_eq!(
        failure("1", "VERIFY VERIFY").to_string(),
        "an instruction needs more items than the stack holds (byte 1 of the locking bytecode)"
    );
}

#[test]
fn reasons_are_phrases_without_a_full_stop() {
    for reason in ScriptError::ALL {
        let text = reason.to_string();
        assert!(!text.is_empty() && !text.ends_with('.') && !text.starts_with(char::is_uppercase), "{text}");
    }
}

#[test]
fn coins_sent_to_a_witness_program_by_mistake_can_be_mined_but_not_relayed() {
    let program = [&[0x00, 20][..], &[0; 20]].concat();
    let mut unlock = Vec::new();
    push_data(&mut unlock, &program);
    let lock = p2sh20(&spec::hash::hash160(&program));
    assert!(run(&STRICT, unlock.clone(), lock.clone()).is_ok());
    let relay = Rules::new(RuleSet::Bch2026, Mode::Relay);
    assert_eq!(run(&relay, unlock, lock).unwrap_err().error, ScriptError::FalseResult);
}

/// Writes down every step.
#[derive(Default)]
struct Log(Vec<String>);

impl Tracer for Log {
    fn step(&mut self, step: &Step<'_>) {
        let stack: Vec<String> = step.stack.iter().map(hex::encode).collect();
        let skipped = if step.executing { "" } else { " skipped" };
        self.0.push(format!(
            "{}@{} {:02x}{skipped} [{}] {}",
            step.depth,
            step.at,
            step.byte,
            stack.join(" "),
            step.cost
        ));
    }

    fn end(&mut self, stack: StackView<'_>, alt: StackView<'_>) {
        let words = |stack: StackView<'_>| stack.iter().map(hex::encode).collect::<Vec<_>>().join(" ");
        self.0.push(format!("end [{}] [{}]", words(stack), words(alt)));
    }
}

#[test]
fn a_tracer_sees_every_instruction_before_it_runs_and_what_scripts_leave() {
    let (tx, spent) = spend(asm("2"), asm("0x51 1 DEFINE 0 IF 3 ENDIF 1 INVOKE TOALTSTACK"));
    let mut log = Log::default();
    let metrics = verify_input_traced(&STRICT, &SpendContext::new(&tx, &spent).unwrap(), 0, &mut log).unwrap();
    assert_eq!(
        log.0,
        [
            "0@0 52 [] 0",
            "end [02] []",
            "0@0 01 [02] 101",
            "0@2 51 [02 51] 202",
            "0@3 89 [02 51 01] 303",
            "0@4 00 [02] 404",
            "0@5 63 [02 ] 504",
            "0@6 53 skipped [02] 604",
            "0@7 68 skipped [02] 704",
            "0@8 51 [02] 804",
            "0@9 8a [02 01] 905",
            "1@0 51 [02] 1005",
            "0@10 6b [02 01] 1106",
            "end [02] [01]",
        ]
    );
    assert_eq!(metrics.cost.get(), 1206);
}

/// Bytes that are more often instructions than noise, so that scripts come far.
fn hostile_script() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => any::<u8>().prop_map(|byte| vec![byte]),
        3 => (0x51..=0x60u8).prop_map(|byte| vec![byte]),
        3 => (0x61..=0xd5u8).prop_map(|byte| vec![byte]),
        2 => any::<i64>().prop_map(|n| { let mut push = Vec::new(); push_int(&mut push, n); push }),
        1 => prop::collection::vec(any::<u8>(), 0..90).prop_map(|data| { let mut push = Vec::new(); push_data(&mut push, &data); push }),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn hostile_scripts_end_and_never_panic_and_our_rules_accept_what_the_strict_ones_do(
        pushes in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6),
        lock in hostile_script(),
        as_redeem in any::<bool>(),
    ) {
        let mut unlock = Vec::new();
        pushes.iter().for_each(|data| push_data(&mut unlock, data));
        let lock = if as_redeem {
            push_data(&mut unlock, &lock);
            p2sh32(&spec::hash::sha256d(&lock))
        } else {
            lock
        };
        for mode in [Mode::Relay, Mode::Consensus] {
            let strict = run(&Rules::new(RuleSet::Bch2026, mode), unlock.clone(), lock.clone());
            let ours = run(&Rules::new(RuleSet::Bitmodel, mode), unlock.clone(), lock.clone());
            if let Ok(strict) = strict {
                let ours = ours.expect("our rules are a superset");
                prop_assert_eq!((strict.hash_iterations, strict.sig_checks), (ours.hash_iterations, ours.sig_checks));
            }
        }
    }
}
