//! Scripts with one instruction changed at random: what the comparison calls the same, the machine cannot tell apart.

use spec::Opcode;
use spec::script::instructions;
use typed::{Sample, accepts};

use super::*;
use crate::code::{PlaceId, bytes};

/// A generator of numbers that is the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

fn read(script: &[u8]) -> Vec<Instr> {
    let instr = |op| Instr { op, place: PlaceId::default(), site: None };
    instructions(script).map(|step| instr(Op::read(&step.unwrap()).unwrap())).collect()
}

/// Opcodes that take and leave as many items.
fn alike(opcode: Opcode) -> Vec<Opcode> {
    const MANY: [&[Opcode]; 4] = [
        &[
            Opcode::Add,
            Opcode::Sub,
            Opcode::Mul,
            Opcode::Div,
            Opcode::Mod,
            Opcode::BoolAnd,
            Opcode::BoolOr,
            Opcode::NumEqual,
            Opcode::NumNotEqual,
            Opcode::LessThan,
            Opcode::GreaterThan,
            Opcode::LessThanOrEqual,
            Opcode::GreaterThanOrEqual,
            Opcode::Min,
            Opcode::Max,
            Opcode::Cat,
            Opcode::Equal,
            Opcode::Nip,
        ],
        &[
            Opcode::Not,
            Opcode::NotEqual0,
            Opcode::Negate,
            Opcode::Abs,
            Opcode::Add1,
            Opcode::Sub1,
            Opcode::Sha256,
            Opcode::Hash160,
            Opcode::Bin2Num,
            Opcode::ReverseBytes,
            Opcode::Nop,
        ],
        &[Opcode::EqualVerify, Opcode::NumEqualVerify, Opcode::Drop2],
        &[Opcode::Swap, Opcode::Dup2, Opcode::Tuck, Opcode::Over, Opcode::Nop, Opcode::Rot],
    ];
    match opcode {
        Opcode::If => vec![Opcode::NotIf],
        Opcode::NotIf => vec![Opcode::If],
        Opcode::Verify => vec![Opcode::Drop],
        Opcode::Pick => vec![Opcode::Roll],
        Opcode::Roll => vec![Opcode::Pick],
        _ => MANY.iter().filter(|some| some.contains(&opcode)).flat_map(|some| some.to_vec()).collect(),
    }
}

/// One change at random; nothing if it does not fit there.
fn changed(random: &mut Random, code: &[Instr]) -> Option<Vec<Instr>> {
    let mut code = code.to_vec();
    let at = random.below(code.len());
    let with = |op| Instr { op, place: PlaceId::default(), site: None };
    match random.below(5) {
        // Another opcode.
        0 | 1 => {
            let Op::Code(opcode) = code[at].op else { return None };
            let others = alike(opcode);
            let other = (!others.is_empty()).then(|| others[random.below(others.len())])?;
            code[at].op = Op::Code(other);
        }
        // Operands in the other order.
        2 => code.insert(at, with(Op::Code(Opcode::Swap))),
        // Another constant.
        3 => {
            let n = code[at].op.as_int()?;
            code[at].op = Op::int(if random.below(2) == 0 { n + 1 } else { n - 1 });
        }
        // An instruction less.
        _ => drop(code.remove(at)),
    }
    Some(code)
}

fn verdict(left: &[Instr], right: &[Instr], items: usize) -> Verdict {
    let side =
        |code| Side { code, stack: (0..items).map(Given::Item).collect(), records: false, turns: BTreeMap::new() };
    compare(&side(left), &side(right), &[])
}

/// What became of changed scripts.
#[derive(Debug, Default)]
struct Counts {
    scripts: usize,
    mutants: usize,
    /// The comparison shows that nothing has changed.
    same: usize,
    differs: usize,
    unknown: usize,
    /// The machine tells them apart.
    told_apart: usize,
}

#[test]
fn what_is_called_the_same_the_machine_cannot_tell_apart() {
    let mut counts = Counts::default();
    let mut random = Random(1);
    for seed in 0..70 {
        let Some(Sample { script, stacks }) = Sample::draw(seed, 1 + seed as usize % 4, 60) else { continue };
        let code = read(&script);
        let items = stacks[0].len();
        assert_eq!(bytes(&code), script);
        // Loops whose rounds are counted may be beyond what is followed.
        if verdict(&code, &code, items) != Verdict::Same {
            continue;
        }
        let given: Vec<Option<bool>> = stacks.iter().map(|stack| accepts(&script, stack)).collect();
        counts.scripts += 1;
        for _ in 0..60 {
            let Some(mutant) = changed(&mut random, &code).filter(|mutant| *mutant != code) else { continue };
            counts.mutants += 1;
            let other = bytes(&mutant);
            let found: Vec<Option<bool>> = stacks.iter().map(|stack| accepts(&other, stack)).collect();
            let apart = |(a, b): (&Option<bool>, &Option<bool>)| a.is_some() && b.is_some() && a != b;
            let is_apart = given.iter().zip(&found).any(apart);
            counts.told_apart += usize::from(is_apart);
            match verdict(&code, &mutant, items) {
                Verdict::Same => {
                    counts.same += 1;
                    assert!(!is_apart, "seed {seed}: called the same:\n{code:?}\n{mutant:?}");
                }
                Verdict::Differs { .. } => counts.differs += 1,
                Verdict::Unknown(_) => counts.unknown += 1,
            }
        }
    }
    let Counts { scripts, mutants, same, told_apart, .. } = counts;
    assert!(scripts > 20 && mutants > 700 && same > 70 && told_apart > mutants / 4, "{counts:?}");
}
