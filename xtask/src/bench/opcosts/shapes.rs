//! For each opcode, code that runs it again and again on operands of several sizes.
//!
//! An opcode takes its operands away, so each turn first copies them. That is charged by their length, as it is for
//! whoever wants much time for little cost: no item comes for nothing.

use spec::opcode::{CostClass, Group, Opcode, TABLE};
use spec::script::{push_data, push_int, push_op};
use spec::{RuleSet, Rules};

/// The compressed public key of the private key 1: the generator of the curve.
const KEY: [u8; 33] = [
    0x02, 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b,
    0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98,
];
/// Another key, of the private key 2, which has signed nothing.
const OTHER: [u8; 33] = [
    0x02, 0xc6, 0x04, 0x7f, 0x94, 0x41, 0xed, 0x7d, 0x6d, 0x30, 0x45, 0x40, 0x6e, 0x95, 0xc0, 0x7c, 0xd8, 0x5c, 0x77,
    0x8e, 0x4b, 0x8c, 0xef, 0x3c, 0xa7, 0xab, 0xac, 0x09, 0xb9, 0x5c, 0x70, 0x9e, 0xe5,
];

/// Functions that are called once each.
const FUNCTIONS: i64 = 400;

/// The message that signatures of data sign.
pub(super) const MESSAGE: [u8; 32] = [7; 32];

/// What the input pushes before the code runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signed {
    /// Nothing.
    Nothing,
    /// A signature of the transaction by the private key 1, which the code covers.
    Ecdsa,
    /// The same in the other form.
    Schnorr,
    /// A signature of [`MESSAGE`].
    Data,
}

/// Code that runs an opcode.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub(super) opcode: Opcode,
    /// What the operands are.
    pub(super) name: String,
    pub(super) signed: Signed,
    /// Makes what the turns need.
    pub(super) setup: Vec<u8>,
    pub(super) turn: Turn,
    /// Turns, at most.
    pub(super) turns_max: usize,
    /// Whether making what they need takes longer than many turns.
    pub(super) long_setup: bool,
    /// Leaves nothing but true.
    pub(super) end: Vec<u8>,
    /// The bytes that a turn makes, roughly.
    pub(super) size: usize,
}

/// One turn.
#[derive(Clone, Debug)]
pub(super) enum Turn {
    /// The same each time.
    Same(Vec<u8>),
    /// Defines a function with a body of so many bytes, each time another.
    Define(usize),
}

impl Turn {
    pub(super) fn write(&self, out: &mut Vec<u8>, number: usize) {
        match self {
            Self::Same(code) => out.extend_from_slice(code),
            Self::Define(len) => {
                push_data(out, &vec![Opcode::Nop.to_byte(); *len]);
                push_data(out, &(number as u32 + 1).to_be_bytes());
                push_op(out, Opcode::Define);
            }
        }
    }
}

/// An operand.
#[derive(Clone, Copy, Debug)]
enum Item {
    /// A small number.
    Int(i64),
    /// A positive number of so many bytes, in its shortest form.
    Number(usize),
    /// So many bytes that are no number in its shortest form.
    Padded(usize),
}

impl Item {
    fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Int(n) => push_int(out, n),
            Self::Number(len) => number(out, len),
            Self::Padded(len) => {
                number(out, (len / 2).max(1));
                push_int(out, len as i64);
                push_op(out, Opcode::Num2Bin);
            }
        }
    }

    fn name(self) -> String {
        match self {
            Self::Int(n) => n.to_string(),
            Self::Number(len) => format!("{len} B"),
            Self::Padded(len) => format!("{len} B padded"),
        }
    }

    const fn len(self) -> usize {
        match self {
            Self::Int(_) => 8,
            Self::Number(len) | Self::Padded(len) => len,
        }
    }
}

/// Makes a number of `len` bytes: some bytes, doubled and cut.
fn number(out: &mut Vec<u8>, len: usize) {
    let doublings = (0..).find(|times| len >> times <= 255).unwrap_or(0);
    let seed: Vec<u8> = (0..len.div_ceil(1 << doublings)).map(|at| (at * 37 % 101 + 17) as u8).collect();
    push_data(out, &seed);
    for _ in 0..doublings {
        push_op(out, Opcode::Dup);
        push_op(out, Opcode::Cat);
    }
    if seed.len() << doublings > len {
        push_int(out, len as i64);
        push_op(out, Opcode::Split);
        push_op(out, Opcode::Drop);
    }
}

/// Sizes that operands have; the largest fit an item, also with a byte more.
pub(super) fn sizes(set: RuleSet) -> &'static [usize] {
    match set {
        RuleSet::Bch2026 => &[1, 8, 9, 32, 256, 2_048, 9_984],
        RuleSet::Bitmodel => &[1, 8, 9, 32, 256, 2_048, 9_984, 65_280],
    }
}

/// All code to measure under `rules`.
pub(super) fn shapes(rules: &Rules) -> Vec<Shape> {
    let works = |opcode: &Opcode| opcode.works_under(rules.set);
    let opcodes = TABLE.iter().filter(|row| row.cost != CostClass::Fail).map(|row| row.opcode).filter(works);
    opcodes.flat_map(|opcode| of(opcode, rules)).collect()
}

fn of(opcode: Opcode, rules: &Rules) -> Vec<Shape> {
    match opcode.row().group {
        Group::Constants => constants(opcode, rules),
        Group::Flow => flow(opcode, rules),
        Group::Stack => stack(opcode, rules),
        Group::Bytes => bytes(opcode, rules),
        Group::Arithmetic => arithmetic(opcode, rules),
        Group::Crypto => crypto(opcode, rules),
        Group::Locktime => vec![shape(opcode, "", &[Item::Int(1)], &[opcode])],
        Group::Introspection => introspection(opcode),
        Group::Reserved => Vec::new(),
    }
}

/// Code whose turns are `turn`, with some items below it.
fn shape(opcode: Opcode, name: &str, items: &[Item], turn: &[Opcode]) -> Shape {
    let turn: Vec<u8> = turn.iter().map(|opcode| opcode.to_byte()).collect();
    with_turn(opcode, name, items, turn)
}

fn with_turn(opcode: Opcode, name: &str, items: &[Item], turn: Vec<u8>) -> Shape {
    let (mut setup, mut end) = (Vec::new(), Vec::new());
    items.iter().for_each(|item| item.write(&mut setup));
    items.iter().for_each(|_| push_op(&mut end, Opcode::Drop));
    push_op(&mut end, Opcode::N1);
    let size = items.iter().map(|item| item.len()).sum();
    Shape {
        opcode,
        name: name.to_owned(),
        signed: Signed::Nothing,
        setup,
        long_setup: false,
        turn: Turn::Same(turn),
        turns_max: usize::MAX,
        end,
        size,
    }
}

/// Code whose turns copy the operands, run the opcode, and drop what it leaves.
fn on_copies(opcode: Opcode, items: &[Item]) -> Shape {
    let copy: &[Opcode] = match items.len() {
        0 => &[],
        1 => &[Opcode::Dup],
        2 => &[Opcode::Dup2],
        _ => &[Opcode::Dup3],
    };
    let leaves = opcode.arity().map_or(0, |(_, leaves)| leaves);
    let turn = [copy, &[opcode], &vec![Opcode::Drop; leaves]].concat();
    let names: Vec<String> = items.iter().map(|item| item.name()).collect();
    shape(opcode, &names.join(", "), items, &turn)
}

fn constants(opcode: Opcode, rules: &Rules) -> Vec<Shape> {
    let push = |len: usize| {
        let mut turn = Vec::new();
        push_data(&mut turn, &vec![7; len]);
        push_op(&mut turn, Opcode::Drop);
        with_turn(opcode, &format!("{len} B"), &[], turn)
    };
    match opcode {
        // Pushes without a name come with that of the empty one.
        Opcode::N0 => vec![shape(opcode, "", &[], &[opcode, Opcode::Drop]), push(9), push(75)],
        Opcode::PushData1 => vec![push(76), push(255)],
        Opcode::PushData2 => vec![push(256), push(rules.limits.item_bytes.min(rules.limits.script_bytes / 4))],
        // The longest form is never the shortest, and the small numbers are all alike.
        Opcode::Negate1 | Opcode::N1 | Opcode::N16 => vec![shape(opcode, "", &[], &[opcode, Opcode::Drop])],
        _ => Vec::new(),
    }
}

fn flow(opcode: Opcode, rules: &Rules) -> Vec<Shape> {
    use Opcode::*;
    let turns: &[(&str, &[Opcode])] = match opcode {
        Nop => &[("", &[Nop])],
        If => &[("taken", &[N1, If, EndIf]), ("skipped", &[N0, If, Nop, Nop, Nop, Nop, Nop, Nop, Nop, Nop, EndIf])],
        NotIf => &[("taken", &[N0, NotIf, EndIf])],
        Else => &[("", &[N1, If, Else, Else, EndIf])],
        Until => &[("", &[Begin, N1, Until])],
        Verify => &[("", &[N1, Verify])],
        Ver => &[("", &[Ver, Drop])],
        Define => return [1, 256, 2_048].map(|len| define(len, rules)).to_vec(),
        Invoke => return vec![invoke(N0, "known"), invoke(Depth, "not known"), first_calls()],
        _ => &[],
    };
    turns.iter().map(|(name, turn)| shape(opcode, name, &[], turn)).collect()
}

fn define(len: usize, _: &Rules) -> Shape {
    let empty = shape(Opcode::Define, &format!("{len} B"), &[], &[]);
    Shape { turn: Turn::Define(len), size: len, ..empty }
}

/// Calls a function that does nothing, by a name that is a constant or is computed.
fn invoke(id: Opcode, name: &str) -> Shape {
    let mut setup = Vec::new();
    [Opcode::N0, Opcode::N0, Opcode::Define].iter().for_each(|opcode| push_op(&mut setup, *opcode));
    Shape { setup, ..shape(Opcode::Invoke, name, &[], &[id, Opcode::Invoke]) }
}

/// Calls many functions that do nothing, each once, by a name that counts.
fn first_calls() -> Shape {
    use Opcode::*;
    let mut setup = Vec::new();
    for name in 1..=FUNCTIONS {
        push_op(&mut setup, N0);
        push_int(&mut setup, name);
        push_op(&mut setup, Define);
    }
    // The engines do not know a depth before they run.
    push_op(&mut setup, Depth);
    let end = [Drop, N1].map(Opcode::to_byte).to_vec();
    let turn = Turn::Same([Add1, Dup, Invoke].map(Opcode::to_byte).to_vec());
    Shape { setup, end, turn, turns_max: FUNCTIONS as usize, ..shape(Invoke, "first calls", &[], &[]) }
}

fn stack(opcode: Opcode, rules: &Rules) -> Vec<Shape> {
    use Opcode::*;
    let turn: &[Opcode] = match opcode {
        ToAltStack | FromAltStack => &[Dup, ToAltStack, FromAltStack, Drop],
        Drop => &[Dup, Drop],
        Drop2 => &[Dup2, Drop2],
        Dup2 => &[Dup2, Drop2],
        Over2 => &[Over2, Drop2],
        Dup3 => &[Dup3, Drop2, Drop],
        IfDup | Dup | Over | Depth | Tuck => &[opcode, Drop],
        Nip => &[Dup, Nip],
        Pick | Roll => return [1, 100, 900, 90_000].iter().filter_map(|depth| deep(opcode, *depth, rules)).collect(),
        _ => &[opcode],
    };
    // A turn makes no bytes, but what it works on may take longer to make than many turns.
    let on = |len: usize| Shape {
        size: 1,
        long_setup: len > 1_000,
        ..shape(opcode, &format!("{len} B"), &[Item::Number(len); 6], turn)
    };
    sizes(rules.set)
        .iter()
        .filter(|len| **len != 8 && 6 * **len < rules.limits.memory_bytes)
        .map(|len| on(*len))
        .collect()
}

/// Reaches `depth` items below the top.
fn deep(opcode: Opcode, depth: usize, rules: &Rules) -> Option<Shape> {
    use Opcode::*;
    if depth + 20 > rules.limits.slots {
        return None;
    }
    let (mut setup, mut turn, mut end) = (Vec::new(), Vec::new(), Vec::new());
    push_int(&mut setup, depth as i64);
    let fill = [Begin, N1, Swap, Sub1, Dup, Not, Until, Drop, N1, N1];
    fill.iter().for_each(|opcode| push_op(&mut setup, *opcode));
    push_int(&mut turn, depth as i64);
    push_op(&mut turn, opcode);
    if opcode == Pick {
        push_op(&mut turn, Drop);
    }
    [Begin, Drop, Depth, N1, NumEqual, Until].iter().for_each(|opcode| push_op(&mut end, *opcode));
    let empty = shape(opcode, &format!("depth {depth}"), &[], &[]);
    Some(Shape { setup, long_setup: depth > 1_000, turn: Turn::Same(turn), end, size: 8, ..empty })
}

fn bytes(opcode: Opcode, rules: &Rules) -> Vec<Shape> {
    use Item::{Int, Number, Padded};
    use Opcode::*;
    let half = |len: usize| (len / 2).max(1);
    let at = |len: usize| -> Vec<Vec<Item>> {
        let int = len as i64;
        match opcode {
            Cat => vec![vec![Number(half(len)); 2]],
            Split | Left | Right => vec![vec![Number(len), Int(int / 2)]],
            Substr => vec![vec![Number(len), Int(int / 4), Int(int / 2)]],
            Num2Bin => vec![vec![Int(1), Int(int)], vec![Number(len), Int(int)]],
            Bin2Num => vec![vec![Number(len)], vec![Padded(len)]],
            LShiftBin | RShiftBin => vec![vec![Number(len), Int(3)], vec![Number(len), Int(4 * int + 3)]],
            Invert | ReverseBytes => vec![vec![Number(len)]],
            _ => vec![vec![Number(len); 2]],
        }
    };
    let of_size = |len: &usize| {
        let operands = at(*len);
        operands.iter().map(|items| on_copies(opcode, items)).collect::<Vec<_>>()
    };
    if opcode == Size {
        let on = |len: &usize| shape(opcode, &format!("{len} B"), &[Number(*len)], &[Size, Drop]);
        return sizes(rules.set).iter().map(on).collect();
    }
    sizes(rules.set).iter().flat_map(of_size).collect()
}

fn arithmetic(opcode: Opcode, rules: &Rules) -> Vec<Shape> {
    use Item::{Int, Number};
    use Opcode::*;
    let half = |len: usize| (len / 2).max(1);
    let at = |len: usize| -> Vec<Vec<Item>> {
        match opcode {
            Mul => vec![vec![Number(half(len)); 2], vec![Number(len), Int(3)], vec![Number(len - 1), Number(1)]],
            Div | Mod => vec![
                vec![Number(len), Number(half(len))],
                vec![Number(len), Number(1)],
                vec![Number(len), Number(len.min(9))],
                vec![Number(len), Number(len.min(32))],
                vec![Number(len), Number((len / 8).max(1))],
            ],
            LShiftNum => vec![vec![Number(half(len)), Int(4 * len as i64)], vec![Int(1), Int(8 * len as i64 - 4)]],
            RShiftNum => vec![vec![Number(len), Int(3)], vec![Number(len), Int(8 * len as i64 - 4)]],
            Within => vec![vec![Number(len); 3]],
            _ => vec![vec![Number(len); opcode.arity().map_or(1, |(takes, _)| takes)]],
        }
    };
    let of_size = |len: &usize| {
        let operands = at(*len);
        operands.iter().map(|items| on_copies(opcode, items)).collect::<Vec<_>>()
    };
    sizes(rules.set).iter().flat_map(of_size).collect()
}

fn crypto(opcode: Opcode, rules: &Rules) -> Vec<Shape> {
    use Opcode::*;
    match opcode {
        CodeSeparator => vec![shape(opcode, "", &[], &[opcode])],
        CheckSig | CheckSigVerify => [("ECDSA", Signed::Ecdsa), ("Schnorr", Signed::Schnorr)]
            .map(|(name, signed)| check(opcode, name, signed))
            .to_vec(),
        CheckDataSig | CheckDataSigVerify => vec![check(opcode, "32 B", Signed::Data)],
        CheckMultiSig | CheckMultiSigVerify => vec![
            many(opcode, "1 of 1, ECDSA", Signed::Ecdsa, 0),
            many(opcode, "1 of 20, ECDSA", Signed::Ecdsa, 19),
            many(opcode, "1 of 20, Schnorr", Signed::Schnorr, 19),
        ],
        _ => sizes(rules.set).iter().map(|len| on_copies(opcode, &[Item::Number(*len)])).collect(),
    }
}

/// Checks the signature that the input pushes.
fn check(opcode: Opcode, name: &str, signed: Signed) -> Shape {
    use Opcode::*;
    let (mut setup, mut end) = (Vec::new(), Vec::new());
    if signed == Signed::Data {
        push_data(&mut setup, &MESSAGE);
    }
    push_data(&mut setup, &KEY);
    let copy = if signed == Signed::Data { Dup3 } else { Dup2 };
    let leaves = opcode.arity().map_or(0, |(_, leaves)| leaves);
    let turn = [&[copy, opcode][..], &vec![Drop; leaves]].concat();
    let drops: &[Opcode] = if signed == Signed::Data { &[Drop2, Drop, N1] } else { &[Drop2, N1] };
    drops.iter().for_each(|opcode| push_op(&mut end, *opcode));
    Shape { signed, setup, end, ..shape(opcode, name, &[], &turn) }
}

/// Checks the signature that the input pushes against the last of several keys that is tried.
fn many(opcode: Opcode, name: &str, signed: Signed, others: usize) -> Shape {
    use Opcode::*;
    let mut turn = Vec::new();
    // The check item lies below the signature: empty for ECDSA, the bits of the keys that have signed otherwise.
    if signed == Signed::Schnorr {
        let bits: Vec<u8> = [1, 0, 0].into_iter().take((others + 1).div_ceil(8)).collect();
        push_data(&mut turn, &bits);
    } else {
        push_op(&mut turn, N0);
    }
    [Over, N1].iter().for_each(|opcode| push_op(&mut turn, *opcode));
    push_data(&mut turn, &KEY);
    (0..others).for_each(|_| push_data(&mut turn, &OTHER));
    push_int(&mut turn, others as i64 + 1);
    push_op(&mut turn, opcode);
    if opcode == CheckMultiSig {
        push_op(&mut turn, Drop);
    }
    let mut end = Vec::new();
    [Drop, N1].iter().for_each(|opcode| push_op(&mut end, *opcode));
    Shape { signed, end, ..with_turn(opcode, name, &[], turn) }
}

fn introspection(opcode: Opcode) -> Vec<Shape> {
    let indexed = opcode.arity().is_some_and(|(takes, _)| takes == 1);
    let turn: &[Opcode] = if indexed { &[Opcode::N0, opcode, Opcode::Drop] } else { &[opcode, Opcode::Drop] };
    vec![shape(opcode, "", &[], turn)]
}
