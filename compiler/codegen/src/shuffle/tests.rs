use std::collections::BTreeMap;

use spec::script::push_data;

use super::*;
use crate::code::SiteId;

/// All stacks of up to six of so many items, top last.
fn wanted(sources: usize) -> Vec<Vec<u8>> {
    let mut all = vec![vec![]];
    let mut last = all.clone();
    for _ in 0..ITEMS_MAX {
        let longer = |items: &Vec<u8>| (0..sources as u8).map(|item| [items.as_slice(), &[item]].concat()).collect();
        last = last.iter().flat_map(|items| -> Vec<Vec<u8>> { longer(items) }).collect();
        all.extend(last.iter().cloned());
    }
    all
}

fn first(sources: usize) -> Vec<u8> {
    (0..sources as u8).collect()
}

/// A machine with items that are numbers, written for this test alone.
fn run(ops: &[Op], stack: &[u8]) -> Vec<u8> {
    let (mut stack, mut aside, mut ops) = (stack.to_vec(), vec![], ops.iter());
    while let Some(op) = ops.next() {
        let opcode = match (op, op.as_int()) {
            (Op::Code(opcode), _) => *opcode,
            (_, Some(depth)) => {
                let at = stack.len() - 1 - usize::try_from(depth).unwrap();
                match ops.next() {
                    Some(Op::Code(Opcode::Pick)) => stack.push(stack[at]),
                    Some(Op::Code(Opcode::Roll)) => {
                        let item = stack.remove(at);
                        stack.push(item);
                    }
                    other => panic!("{other:?}"),
                }
                continue;
            }
            other => panic!("{other:?}"),
        };
        let len = stack.len();
        let at = |depth: usize| len - depth;
        match opcode {
            Opcode::Dup => stack.push(stack[at(1)]),
            Opcode::Over => stack.push(stack[at(2)]),
            Opcode::Swap => stack[at(2)..].rotate_left(1),
            Opcode::Rot => stack[at(3)..].rotate_left(1),
            Opcode::Drop => drop(stack.pop()),
            Opcode::Nip => drop(stack.remove(at(2))),
            Opcode::Tuck => stack.insert(at(2), stack[at(1)]),
            Opcode::Dup2 => stack.extend_from_within(at(2)..),
            Opcode::Dup3 => stack.extend_from_within(at(3)..),
            Opcode::Over2 => stack.extend_from_within(at(4)..at(2)),
            Opcode::Rot2 => stack[at(6)..].rotate_left(2),
            Opcode::Swap2 => stack[at(4)..].rotate_left(2),
            Opcode::Drop2 => stack.truncate(at(2)),
            Opcode::ToAltStack => aside.push(stack.pop().unwrap()),
            Opcode::FromAltStack => stack.push(aside.pop().unwrap()),
            other => panic!("{other:?}"),
        }
    }
    assert!(aside.is_empty());
    stack
}

#[test]
fn every_entry_of_the_table_gives_what_it_says() {
    let mut count = 0;
    for sources in 1..=ITEMS_MAX {
        for to in wanted(sources) {
            let ops: Vec<Op> =
                known(sources, Stack::of(&to).unwrap()).unwrap().into_iter().flat_map(super::ops).collect();
            assert_eq!(run(&ops, &first(sources)), to, "{ops:?}");
            count += 1;
        }
    }
    assert_eq!(count, 82_206);
}

/// Runs a script that pushes `sources` items, moves them, and checks what lies there.
fn holds_on_the_machine(sources: usize, ops: &[Op], to: &[u8]) -> bool {
    let mut script = Vec::new();
    // One item lies beneath all others.
    (0..=sources as u8).for_each(|item| push_data(&mut script, &[0xa0 + item]));
    for op in ops {
        match op {
            Op::Code(opcode) => script.push(opcode.to_byte()),
            Op::Push(data) => push_data(&mut script, data),
            other => panic!("{other:?}"),
        }
    }
    for item in to.iter().rev() {
        push_data(&mut script, &[0xa1 + item]);
        script.push(Opcode::EqualVerify.to_byte());
    }
    push_data(&mut script, &[0xa0]);
    script.push(Opcode::Equal.to_byte());
    accepts(&script)
}

/// Whether the machine accepts a script that nothing is pushed for.
fn accepts(script: &[u8]) -> bool {
    use spec::tx::TxIn;
    use spec::{Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxOut, Txid};
    let prevout = OutPoint { txid: Txid::from_wire([7; 32]), index: 0 };
    let inputs = vec![TxIn { prevout, unlock: vec![], sequence: 0 }];
    let outputs = vec![TxOut::plain(Sats::new(1_000).unwrap(), vec![0x51])];
    let tx = Transaction { version: 2, inputs, outputs, locktime: 0 };
    let spent = [TxOut::plain(Sats::new(2_000).unwrap(), script.to_vec())];
    let context = SpendContext::new(&tx, &spent).unwrap();
    vm::verify_input(&Rules::new(RuleSet::Bch2026, Mode::Consensus), &context, 0).is_ok()
}

#[test]
fn the_machine_does_what_the_table_says() {
    let mut count = 0;
    for sources in 1..=ITEMS_MAX {
        for (at, to) in wanted(sources).into_iter().enumerate() {
            // All of the small tables, and a part of the largest.
            if sources == ITEMS_MAX && at % 7 != 0 {
                continue;
            }
            let steps = known(sources, Stack::of(&to).unwrap()).unwrap();
            let ops: Vec<Op> = steps.into_iter().flat_map(super::ops).collect();
            assert!(holds_on_the_machine(sources, &ops, &to), "{sources} {to:?} {ops:?}");
            let mut other = to.clone();
            match other.last_mut() {
                Some(top) => *top = (*top + 1) % (sources as u8 + 1),
                None => other.push(0),
            }
            assert!(!holds_on_the_machine(sources, &ops, &other), "{sources} {other:?} {ops:?}");
            count += 1;
        }
    }
    assert!(count > 30_000, "{count}");
}

/// Everything that sequences of up to so many bytes make, found without the table.
fn all_within(bytes: usize, sources: usize) -> BTreeMap<Vec<u8>, usize> {
    let mut words: Vec<Vec<Op>> = OPCODES.iter().map(|opcode| vec![Op::Code(*opcode)]).collect();
    for depth in 0..8 {
        words.extend([Opcode::Pick, Opcode::Roll].map(|opcode| vec![Op::int(depth), Op::Code(opcode)]));
    }
    let takes = |word: &[Op]| match word {
        [Op::Code(opcode)] => order(*opcode).unwrap().0,
        [depth, _] => usize::try_from(depth.as_int().unwrap()).unwrap() + 1,
        _ => 0,
    };
    let mut best = BTreeMap::from([(first(sources), 0)]);
    let mut levels = vec![vec![first(sources)]];
    for cost in 1..=bytes {
        let mut here = vec![];
        for word in &words {
            let Some(before) = cost.checked_sub(word.len()).and_then(|before| levels.get(before)) else { continue };
            for stack in before.iter().filter(|stack| stack.len() >= takes(word)) {
                let after = run(word, stack);
                if !best.contains_key(&after) {
                    best.insert(after.clone(), cost);
                    here.push(after);
                }
            }
        }
        levels.push(here);
    }
    best
}

#[test]
fn no_sequence_of_few_bytes_is_shorter_than_the_tables() {
    let mut compared = 0;
    for sources in 1..=ITEMS_MAX {
        let bytes = if sources <= 4 { 6 } else { 4 };
        for (to, cost) in all_within(bytes, sources).into_iter().filter(|(to, _)| to.len() <= ITEMS_MAX) {
            let found = sum(known(sources, Stack::of(&to).unwrap()).unwrap()).bytes;
            assert!(found <= cost, "{sources} {to:?}: {found} bytes in the table, {cost} without");
            compared += 1;
        }
    }
    assert!(compared > 3_000, "{compared}");
}

/// A random stretch of moves, as instructions.
fn random_moves(seed: &mut u64, count: usize) -> Vec<Op> {
    let mut below = |n: usize| {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) as usize % n
    };
    let mut ops = vec![];
    for _ in 0..count {
        match below(OPCODES.len() + 4) {
            at if at < OPCODES.len() => ops.push(Op::Code(OPCODES[at])),
            at => {
                let opcode = if at % 2 == 0 { Opcode::Pick } else { Opcode::Roll };
                ops.extend([Op::int(below(9) as i64), Op::Code(opcode)]);
            }
        }
    }
    ops
}

#[test]
fn stretches_written_anew_leave_the_same_and_are_never_longer() {
    let (mut seed, mut shorter) = (1, 0);
    for round in 0..20_000 {
        let ops = random_moves(&mut seed, 1 + round % 14);
        let instr = |op: &Op| Instr { op: op.clone(), place: PlaceId::default(), site: None };
        let code: Code = ops.iter().map(instr).collect();
        let given: Vec<u8> = (0..60).collect();
        let Shortened { code: written, deeper } = shorten(code.clone());
        let new: Vec<Op> = written.iter().map(|instr| instr.op.clone()).collect();
        assert_eq!(run(&new, &given), run(&ops, &given), "{ops:?}\n{new:?}");
        assert!(new.len() <= ops.len() && deeper < 8, "{ops:?}\n{new:?}");
        assert!(shorten(written.clone()).code.len() <= written.len(), "{new:?}");
        shorter += usize::from(new.len() < ops.len());
    }
    assert!(shorter > 10_000, "{shorter}");
}

#[test]
fn operands_that_may_be_exchanged_are_taken_as_they_lie() {
    let code = |ops: &[Opcode]| -> Code {
        ops.iter().map(|op| Instr { op: Op::Code(*op), place: PlaceId::default(), site: None }).collect()
    };
    let written = |ops: &[Opcode]| shorten(code(ops)).code;
    use Opcode::*;
    assert_eq!(written(&[Rot, Swap, Add]), code(&[Rot, Add]));
    assert_eq!(written(&[Swap, LessThan]), code(&[GreaterThan]));
    assert_eq!(written(&[Swap, Sub]), code(&[Swap, Sub]));
    assert_eq!(written(&[Rot, Rot, Swap]), code(&[Swap, Rot]));
}

#[test]
fn a_move_that_carries_a_check_stays() {
    let instr = |op: Opcode, site| Instr { op: Op::Code(op), place: PlaceId::default(), site };
    let code = vec![instr(Opcode::Swap, None), instr(Opcode::Swap, Some(SiteId(0)))];
    assert_eq!(shorten(code.clone()).code, code);
}

#[test]
fn items_are_told_apart_by_any_names() {
    let (from, to) = ([9, 7, 30, 200, 4], [9, 7, 4, 200, 4]);
    assert_eq!(cost_of(&from, &to), Some(write(&from, &to).unwrap().len()));
    assert_eq!(run(&write(&from, &to).unwrap(), &from), to);
    assert_eq!(cost_of(&from, &[1]), None);
    assert_eq!(cost_of(&[], &[]), Some(0));
    // Many items beneath stay where they are.
    assert_eq!(cost_of(&[1, 2, 3, 4, 5, 6, 7, 8, 9], &[1, 2, 3, 4, 5, 6, 7, 9, 8]), Some(1));
}
