//! Local rewriting while code is written: each new instruction may combine with those just before it.
//!
//! Every rule replaces a sequence by a shorter one with the same effect on every stack. An
//! instruction that carries a check keeps it: a rule may end in one, never swallow one.

use spec::Opcode;

use crate::code::{Code, Instr, Op};
use crate::fold::gives_number;

/// Appends `instr` and rewrites the end of `code` until no rule applies.
pub(crate) fn push(code: &mut Code, instr: Instr) {
    code.push(instr);
    while rewrite(code) {}
}

/// Appends `instr` as it is, but for a check of what an opcode has just compared or verified: that is one opcode, which
/// says itself what fails.
pub(crate) fn push_direct(code: &mut Code, instr: Instr) {
    code.push(instr);
    if let Some([Word::Code(first), Word::Code(Opcode::Verify)]) = tail::<2>(code)
        && let Some(verifying) = verifying(first)
    {
        replace(code, 2, &[verifying]);
    }
}

/// Applies one rule; false if none fits.
fn rewrite(code: &mut Code) -> bool {
    let Some(Instr { op: Op::Code(last), .. }) = code.last() else { return false };
    match last {
        Opcode::Pick | Opcode::Roll => six(code) || four(code) || two(code),
        Opcode::Nip | Opcode::Rot | Opcode::If | Opcode::NotIf | Opcode::Verify => three(code) || two(code),
        _ => two(code),
    }
}

/// The opcodes of the last `N` instructions, if none but the last carries a check.
fn tail<const N: usize>(code: &Code) -> Option<[Word; N]> {
    let start = code.len().checked_sub(N)?;
    let last = code.get(start..)?;
    let (_, before) = last.split_last()?;
    if before.iter().any(|instr| instr.site.is_some()) {
        return None;
    }
    let mut words = [Word::Data; N];
    words.iter_mut().zip(last).for_each(|(word, instr)| *word = Word::of(&instr.op));
    Some(words)
}

/// What rules see of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Code(Opcode),
    /// A small number, or -1.
    Int(i8),
    Data,
}

impl Word {
    fn of(op: &Op) -> Self {
        match op {
            Op::Code(opcode) => Self::Code(*opcode),
            Op::Push(data) => match data.as_slice() {
                [] => Self::Int(0),
                [n @ 1..=0x7f] => Self::Int((*n).cast_signed()),
                [0x81] => Self::Int(-1),
                _ => Self::Data,
            },
            Op::Hole(_) | Op::Text(_) => Self::Data,
            Op::Begin(_) => Self::Code(Opcode::Begin),
        }
    }
}

/// Replaces the last `count` instructions by `opcodes`, which inherit place and check of the last.
fn replace(code: &mut Code, count: usize, opcodes: &[Opcode]) -> bool {
    let Some(last) = code.last().cloned() else { return false };
    code.truncate(code.len().saturating_sub(count));
    let first_kept = opcodes.len().saturating_sub(1);
    code.extend(opcodes.iter().enumerate().map(|(at, opcode)| Instr {
        op: Op::Code(*opcode),
        place: last.place,
        site: last.site.filter(|_| at == first_kept),
    }));
    true
}

fn six(code: &mut Code) -> bool {
    use Word::{Code as C, Int};
    match tail::<6>(code) {
        Some([Int(2), C(Opcode::Pick), Int(2), C(Opcode::Pick), Int(2), C(Opcode::Pick)]) => {
            replace(code, 6, &[Opcode::Dup3])
        }
        _ => false,
    }
}

fn four(code: &mut Code) -> bool {
    use Word::{Code as C, Int};
    let Some(words) = tail::<4>(code) else { return false };
    match words {
        [Int(n), C(Opcode::Pick), Int(m), C(Opcode::Pick)] if n == 3 && m == 3 => replace(code, 4, &[Opcode::Over2]),
        [Int(n), C(Opcode::Roll), Int(m), C(Opcode::Roll)] if n == 3 && m == 3 => replace(code, 4, &[Opcode::Swap2]),
        [Int(n), C(Opcode::Roll), Int(m), C(Opcode::Roll)] if n == 5 && m == 5 => replace(code, 4, &[Opcode::Rot2]),
        _ => false,
    }
}

fn three(code: &mut Code) -> bool {
    use Word::Code as C;
    let Some(words) = tail::<3>(code) else { return false };
    match words {
        [C(Opcode::Dup), C(Opcode::Size), C(Opcode::Nip)] => replace(code, 3, &[Opcode::Size]),
        [C(Opcode::Rot), C(Opcode::Rot), C(Opcode::Rot)] => replace(code, 3, &[]),
        [C(Opcode::Dup), C(Opcode::Rot), C(Opcode::Rot)] => replace(code, 3, &[Opcode::Tuck]),
        // A test for zero refuses numbers in a longer form; the bare item may replace it if it is never one.
        [C(before), C(Opcode::Not), C(Opcode::If)] if gives_number(before) => replace(code, 2, &[Opcode::NotIf]),
        [C(before), C(Opcode::Not), C(Opcode::NotIf)] | [C(before), C(Opcode::NotEqual0), C(Opcode::If)]
            if gives_number(before) =>
        {
            replace(code, 2, &[Opcode::If])
        }
        [C(before), C(Opcode::NotEqual0), C(Opcode::NotIf)] if gives_number(before) => {
            replace(code, 2, &[Opcode::NotIf])
        }
        [C(before), C(Opcode::NotEqual0), C(Opcode::Verify)] if gives_number(before) => {
            replace(code, 2, &[Opcode::Verify])
        }
        _ => false,
    }
}

fn two(code: &mut Code) -> bool {
    use Word::{Code as C, Int};
    let Some([first, second]) = tail::<2>(code) else { return false };
    match (first, second) {
        (Int(n), C(opcode)) => with_number(code, n, opcode),
        (C(first), C(second)) => pair(code, first, second),
        _ => false,
    }
}

fn with_number(code: &mut Code, n: i8, opcode: Opcode) -> bool {
    let better: &[Opcode] = match (n, opcode) {
        (1, Opcode::Add) | (-1, Opcode::Sub) => &[Opcode::Add1],
        (1, Opcode::Sub) | (-1, Opcode::Add) => &[Opcode::Sub1],
        (-1, Opcode::Mul) => &[Opcode::Negate],
        (0, Opcode::NumEqual) => &[Opcode::Not],
        (0, Opcode::NumNotEqual) => &[Opcode::NotEqual0],
        (0, Opcode::Pick) => &[Opcode::Dup],
        (1, Opcode::Pick) => &[Opcode::Over],
        (0, Opcode::Roll) => &[],
        (1, Opcode::Roll) => &[Opcode::Swap],
        (2, Opcode::Roll) => &[Opcode::Rot],
        _ => return false,
    };
    replace(code, 2, better)
}

fn pair(code: &mut Code, first: Opcode, second: Opcode) -> bool {
    if first == Opcode::Swap
        && let Some(mirrored) = mirrored(second)
    {
        return replace(code, 2, &[mirrored]);
    }
    if second == Opcode::Verify
        && let Some(verifying) = verifying(first)
    {
        return replace(code, 2, &[verifying]);
    }
    let better: &[Opcode] = match (first, second) {
        (Opcode::Swap, Opcode::Swap) => &[],
        (Opcode::Swap, Opcode::Drop) => &[Opcode::Nip],
        (Opcode::Swap, Opcode::Over) => &[Opcode::Tuck],
        (Opcode::Swap, Opcode::Nip) | (Opcode::Nip, Opcode::Drop) | (Opcode::Drop, Opcode::Drop) => {
            return replace_drops(code, first, second);
        }
        (Opcode::Dup, Opcode::Drop) | (Opcode::Over, Opcode::Drop) => &[],
        (Opcode::Dup, Opcode::Swap) => &[Opcode::Dup],
        (Opcode::Dup, Opcode::Nip) => &[],
        (Opcode::Over, Opcode::Over) => &[Opcode::Dup2],
        (Opcode::Not, Opcode::Not) => &[Opcode::NotEqual0],
        _ => return false,
    };
    replace(code, 2, better)
}

fn replace_drops(code: &mut Code, first: Opcode, second: Opcode) -> bool {
    match (first, second) {
        (Opcode::Swap, Opcode::Nip) => replace(code, 2, &[Opcode::Drop]),
        _ => replace(code, 2, &[Opcode::Drop2]),
    }
}

/// The opcode that does the same with its two operands exchanged.
pub(crate) fn mirrored(opcode: Opcode) -> Option<Opcode> {
    Some(match opcode {
        Opcode::Add
        | Opcode::Mul
        | Opcode::BoolAnd
        | Opcode::BoolOr
        | Opcode::NumEqual
        | Opcode::NumEqualVerify
        | Opcode::NumNotEqual
        | Opcode::Equal
        | Opcode::EqualVerify
        | Opcode::And
        | Opcode::Or
        | Opcode::Xor
        | Opcode::Min
        | Opcode::Max => opcode,
        Opcode::LessThan => Opcode::GreaterThan,
        Opcode::GreaterThan => Opcode::LessThan,
        Opcode::LessThanOrEqual => Opcode::GreaterThanOrEqual,
        Opcode::GreaterThanOrEqual => Opcode::LessThanOrEqual,
        Opcode::Drop2 => Opcode::Drop2,
        _ => return None,
    })
}

fn verifying(opcode: Opcode) -> Option<Opcode> {
    Some(match opcode {
        Opcode::Equal => Opcode::EqualVerify,
        Opcode::NumEqual => Opcode::NumEqualVerify,
        Opcode::CheckSig => Opcode::CheckSigVerify,
        Opcode::CheckMultiSig => Opcode::CheckMultiSigVerify,
        Opcode::CheckDataSig => Opcode::CheckDataSigVerify,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::{PlaceId, SiteId};

    fn written(ops: &[Op], site: Option<SiteId>) -> Code {
        let mut code = Code::new();
        for op in ops {
            push(&mut code, Instr { op: op.clone(), place: PlaceId::default(), site });
        }
        code
    }

    #[test]
    fn sequences_become_shorter_ones() {
        use Opcode::*;
        let int = Op::int;
        let op = Op::Code;
        let cases: [(&[Op], &[Opcode]); 14] = [
            (&[int(0), op(Roll)], &[]),
            (&[int(1), op(Pick)], &[Over]),
            (&[int(2), op(Roll), int(2), op(Roll), int(2), op(Roll)], &[]),
            (&[int(1), op(Pick), int(1), op(Pick)], &[Dup2]),
            (&[int(3), op(Pick), int(3), op(Pick)], &[Over2]),
            (&[int(1), op(Roll), op(LessThan)], &[GreaterThan]),
            (&[int(1), op(Roll), op(Sub)], &[Swap, Sub]),
            (&[op(Equal), op(Verify)], &[EqualVerify]),
            (&[op(Dup), op(Size), op(Nip)], &[Size]),
            (&[op(Swap), op(Drop), op(Drop)], &[Drop2]),
            (&[int(1), op(Add)], &[Add1]),
            (&[int(0), op(NumEqual), op(If)], &[Not, If]),
            (&[op(Add), int(0), op(NumEqual), op(If)], &[Add, NotIf]),
            (&[op(CheckSig), op(Not), op(NotIf)], &[CheckSig, If]),
        ];
        for (ops, expected) in cases {
            let found: Vec<Op> = written(ops, None).into_iter().map(|instr| instr.op).collect();
            let expected: Vec<Op> = expected.iter().copied().map(Op::Code).collect();
            assert_eq!(found, expected, "{ops:?}");
        }
    }

    #[test]
    fn an_instruction_that_carries_a_check_is_never_swallowed() {
        let ops = [Op::Code(Opcode::Swap), Op::Code(Opcode::Drop)];
        assert_eq!(written(&ops, Some(SiteId(0))).len(), 2);
        assert_eq!(written(&ops, None).len(), 1);
    }
}
