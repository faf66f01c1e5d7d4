//! Scripts made to be expensive to compile.

use spec::opcode::Opcode::{self, *};
use spec::script::{push_data, push_int, push_op};

fn ops(opcodes: &[Opcode]) -> Vec<u8> {
    opcodes.iter().map(|opcode| opcode.to_byte()).collect()
}

/// Functions of which each calls the one before so many times.
#[must_use]
pub fn chained(count: i64, calls: usize) -> Vec<u8> {
    let mut script = Vec::new();
    for id in 0..count {
        let mut body = Vec::new();
        for _ in 0..if id > 0 { calls } else { 0 } {
            push_int(&mut body, id - 1);
            push_op(&mut body, Invoke);
        }
        push_data(&mut script, &body);
        push_int(&mut script, id);
        push_op(&mut script, Define);
    }
    push_int(&mut script, count - 1);
    push_op(&mut script, Invoke);
    script
}

/// Scripts that are expensive to compile, with their names.
#[must_use]
pub fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let straight = ops(&[N1, N2, Dup2, Add, Mul, Add, Sub, Swap, Drop, Drop, Depth, Drop, Nop]);
    let changed = ops(&[N1, If, Add1, Swap, Add1, Rot, Add1, Swap2, Add1, EndIf]);
    let looped = |body: Vec<u8>| [ops(&[N1, N2, Begin]), body, ops(&[N1, Until])].concat();
    vec![
        ("104 instructions", straight.repeat(8)),
        ("5,200 instructions", straight.repeat(400)),
        ("20,800 instructions", ops(&[Dup, Add, Over, Swap]).repeat(5_200)),
        (
            "900 items, 300 conditionals",
            [ops(&[N1]).repeat(900), ops(&[N1, If, Dup, Drop, EndIf]).repeat(300)].concat(),
        ),
        ("the same, changing items", [ops(&[N1]).repeat(900), changed.repeat(300)].concat()),
        ("1,000 nested loops", [ops(&[Begin]).repeat(1_000), ops(&[N1, Until]).repeat(1_000)].concat()),
        ("1,000 loops in a row", ops(&[N1, Begin, Sub1, Dup, Not, Until, Drop]).repeat(1_000)),
        ("1,000 chained functions", chained(1_000, 1)),
        ("a loop of 120 products", looped(ops(&[Dup, Mul]).repeat(120))),
        ("a loop of 200 sums", looped(ops(&[Dup, Add1, Over, Add, Swap, Drop]).repeat(200))),
        ("a loop of 40 conditionals", looped(ops(&[N1, If, Add1, Swap, Add1, EndIf]).repeat(40))),
        ("a loop of 240 greatest numbers", looped(ops(&[InputIndex, Max, Abs, Swap, Add1, Swap]).repeat(120))),
        ("4,000 products", ops(&[Dup, Mul]).repeat(2_000)),
        ("2,000 calls", ops(&[InputIndex, Invoke]).repeat(2_000)),
    ]
}
