//! Scripts made to be expensive to lower: register code grows with the bytecode, or there is none.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use engine::ir::Metering;
use engine::{Engine, Tier, lowered};
use scripts::chained;
use spec::opcode::Opcode::{self, *};
use spec::script::{push_data, push_int, push_op};
use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxIn, TxOut};

/// Instructions of register code for each byte, at most; and those of functions that are taken in.
const OPS_PER_BYTE: usize = 40;
const OPS_TAKEN_IN: usize = 40_000;

fn repeated(opcodes: &[Opcode], times: usize) -> Vec<u8> {
    opcodes.iter().map(|opcode| opcode.to_byte()).collect::<Vec<_>>().repeat(times)
}

fn shapes() -> Vec<(&'static str, Vec<u8>)> {
    let mut deep_rolls = repeated(&[N1], 100);
    for _ in 0..2_000 {
        push_int(&mut deep_rolls, 90);
        push_op(&mut deep_rolls, Roll);
        deep_rolls.extend(repeated(&[N1, If, EndIf], 1));
    }
    vec![
        ("nested conditionals", [repeated(&[N1, If], 900), repeated(&[EndIf], 900)].concat()),
        ("nested loops", [repeated(&[Begin], 900), repeated(&[N1, Until], 900)].concat()),
        (
            "many turns of a conditional",
            [repeated(&[N1, If], 1), repeated(&[Else], 30_000), repeated(&[EndIf], 1)].concat(),
        ),
        ("a deep stack under conditionals", [repeated(&[N1], 900), repeated(&[N1, If, Dup, EndIf], 300)].concat()),
        ("copies and swaps", repeated(&[N1, N2, Dup2, Swap2, Rot2, Tuck, Drop2, Drop], 4_000)),
        ("alt stack", [repeated(&[N1, ToAltStack], 5_000), repeated(&[FromAltStack, Drop], 5_000)].concat()),
        ("an uneven loop", repeated(&[Begin, N1, N1, Depth, N16, GreaterThan, Until], 2_000)),
        ("chained functions", chained(16, 2)),
        ("many chained functions", chained(1_000, 2)),
        ("deep rolls before conditionals", deep_rolls),
    ]
}

#[test]
fn register_code_grows_with_the_bytecode_and_gives_the_oracles_verdict() {
    for (name, mut script) in shapes() {
        push_op(&mut script, N1);
        for metering in [Metering::Exact, Metering::Bound] {
            let rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
            let ops = lowered(&script, &rules, metering).map_or(0, |unit| unit.ops.len());
            assert!(ops <= OPS_PER_BYTE * script.len() + OPS_TAKEN_IN, "{name}: {ops} for {} bytes", script.len());
        }
        let mut unlock = Vec::new();
        push_data(&mut unlock, &[1; 2_000]);
        let spent = [TxOut::plain(Sats::ONE, script)];
        let input = TxIn { prevout: OutPoint::COINBASE, unlock, sequence: 0 };
        let tx = Transaction { version: 2, inputs: vec![input], outputs: vec![], locktime: 0 };
        let context = SpendContext::new(&tx, &spent).unwrap();
        let engine = Engine::new(Tier::Shadow);
        for set in [RuleSet::Bch2026, RuleSet::Bitmodel] {
            for mode in [Mode::Relay, Mode::Consensus] {
                let rules = Rules::new(set, mode);
                let told = engine.verify(&rules, &context, 0);
                assert_eq!(told, vm::verify_input(&rules, &context, 0), "{name}");
                let accepted = Engine::new(Tier::Register).accept(&rules, &context, 0);
                assert_eq!(accepted, told.map(|metrics| metrics.sig_checks), "{name}");
            }
        }
        assert_eq!(engine.take_differences(), [], "{name}");
    }
}
