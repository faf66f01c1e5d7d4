//! Scripts at random. Most know what is on the stack, so that they come far.

mod aimed;
mod signed;

use spec::opcode::Opcode::{self, *};
use spec::script::{LockKind, instructions, push_data, push_int, push_op};
use spec::{Mode, RuleSet};

use crate::case::{Case, Push, pushes};
use crate::inputs::EDGES;
use crate::random::Random;
use crate::sign::{Signature, Signed};
use crate::world::World;

/// What a script is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any bytes.
    Raw,
    /// Instructions that fit the stack, in nested control flow.
    Grammar,
    /// Arithmetic at the borders of 8 bytes and of shortest forms.
    Boundary,
    /// What engines do in ways of their own: numbers that loops carry, depths that code makes, ways of different lengths,
    /// functions.
    Aimed,
    /// Contracts as they are deployed, and signatures amid other instructions; most signatures are right.
    Signed,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Raw, Self::Grammar, Self::Boundary, Self::Aimed, Self::Signed];
}

/// Draws the script of a case.
#[must_use]
pub fn draw(kind: Kind, seed: u64, case: u64) -> Case {
    let mut random = Random::new(seed, case);
    let set = random.pick(&[RuleSet::Bch2026, RuleSet::Bitmodel], RuleSet::Bitmodel);
    let mode = random.pick(&[Mode::Relay, Mode::Consensus, Mode::Consensus], Mode::Consensus);
    let mut draw = Draw::new(random, kind, set);
    let mut unlock = vec![];
    push_data(&mut unlock, &vec![3; 200 + draw.random.below(400)]);
    for _ in 0..draw.random.below(6) {
        draw.constant();
    }
    unlock.append(&mut draw.out);
    let mut pushes = pushes(&unlock);
    match kind {
        Kind::Raw => {
            draw.out = (0..draw.random.below(40)).map(|_| draw.random.next() as u8).collect();
        }
        Kind::Grammar | Kind::Boundary => {
            let count = 1 + draw.random.below(40);
            draw.steps(count);
        }
        Kind::Aimed => draw.aimed(),
        Kind::Signed => draw.signed(&mut pushes),
    }
    draw.finish();
    let Draw { mut random, out: mut script, signatures, .. } = draw;
    if random.one_in(if matches!(kind, Kind::Aimed | Kind::Signed) { 30 } else { 6 }) {
        mutate(&mut random, &mut script);
    }
    // Signatures lie at the bottom, where the script finds them.
    pushes.splice(0..0, signatures.into_iter().map(Push::Signature));
    let redeem = random.one_in(8);
    Case { pushes, script, redeem, set, mode, world: World::default(), deployment: 0 }
}

/// What an input pushes, without its redeem script, and the last script that it runs.
pub type Parts = (Vec<u8>, Vec<u8>);

/// The parts of an input with that unlocking bytecode and lock.
#[must_use]
pub fn parts(unlock: &[u8], lock: &[u8]) -> Parts {
    if let LockKind::P2sh20(_) | LockKind::P2sh32(_) = LockKind::of(lock)
        && let Some(Ok(last)) = instructions(unlock).last()
        && let Some(redeem) = last.data
    {
        return (unlock.get(..last.at).unwrap_or_default().to_vec(), redeem.to_vec());
    }
    (unlock.to_vec(), lock.to_vec())
}

/// A script of others with some changes: what it pushes and what it runs.
#[must_use]
pub fn changed(corpus: &[Parts], seed: u64, case: u64) -> Case {
    let mut random = Random::new(seed, case);
    let (mut unlock, mut lock) = corpus.get(random.below(corpus.len())).cloned().unwrap_or_default();
    let set = random.pick(&[RuleSet::Bch2026, RuleSet::Bitmodel], RuleSet::Bitmodel);
    let mode = random.pick(&[Mode::Relay, Mode::Consensus], Mode::Consensus);
    if random.below(8) > 0 {
        mutate(&mut random, &mut lock);
    }
    if random.one_in(8) {
        mutate(&mut random, &mut unlock);
    }
    let redeem = random.one_in(8);
    Case { pushes: pushes(&unlock), script: lock, redeem, set, mode, world: World::default(), deployment: 0 }
}

/// Changes some bytes.
fn mutate(random: &mut Random, script: &mut Vec<u8>) {
    for _ in 0..=random.below(3) {
        let at = random.below(script.len() + 1).min(script.len());
        match random.below(4) {
            0 => script.insert(at, random.next() as u8),
            1 if at < script.len() => {
                script.remove(at);
            }
            2 => {
                let to = at + random.below(script.len() - at + 1);
                let part = script.get(at..to).unwrap_or_default().to_vec();
                script.splice(at..at, part);
            }
            _ => {
                if let Some(byte) = script.get_mut(at) {
                    *byte = 0x61 + (random.next() % 0x74) as u8;
                }
            }
        }
    }
}

/// What is known of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Number,
    Bytes,
}

struct Draw {
    random: Random,
    out: Vec<u8>,
    items: Vec<Known>,
    alt: Vec<Known>,
    functions: i64,
    deep: usize,
    left: usize,
    kind: Kind,
    set: RuleSet,
    signatures: Vec<Signature>,
    /// The first signature of the function that is drawn, or of the script.
    own: usize,
    /// Where the code starts that signatures cover.
    separator: usize,
}

const MOVES: [Opcode; 17] = [
    Dup,
    Swap,
    Over,
    Rot,
    Tuck,
    Nip,
    Dup2,
    Dup3,
    Over2,
    Swap2,
    Rot2,
    Drop,
    IfDup,
    Depth,
    Size,
    ToAltStack,
    FromAltStack,
];

const UNARY: [Opcode; 8] = [Add1, Sub1, Negate, Abs, Not, NotEqual0, Mul2, Div2];

const BINARY: [Opcode; 17] = [
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Min,
    Max,
    BoolAnd,
    BoolOr,
    NumEqual,
    NumNotEqual,
    LessThan,
    GreaterThan,
    LessThanOrEqual,
    GreaterThanOrEqual,
    Add,
    Sub,
];

const FACTS: [Opcode; 6] = [InputIndex, TxVersion, TxInputCount, TxOutputCount, TxLockTime, ActiveBytecode];

const INDEXED: [Opcode; 14] = [
    UtxoValue,
    UtxoBytecode,
    OutpointTxHash,
    OutpointIndex,
    InputBytecode,
    InputSequenceNumber,
    OutputValue,
    OutputBytecode,
    UtxoTokenCategory,
    UtxoTokenCommitment,
    UtxoTokenAmount,
    OutputTokenCategory,
    OutputTokenCommitment,
    OutputTokenAmount,
];

impl Draw {
    const fn new(random: Random, kind: Kind, set: RuleSet) -> Self {
        Self {
            random,
            out: Vec::new(),
            items: Vec::new(),
            alt: Vec::new(),
            functions: 0,
            deep: 0,
            left: 60,
            kind,
            set,
            signatures: Vec::new(),
            own: 0,
            separator: 0,
        }
    }

    /// Now and then leaves one item and nothing else, so that the input may spend.
    fn finish(&mut self) {
        if self.kind == Kind::Raw || !self.random.one_in(4) {
            return;
        }
        self.want(1);
        for opcode in [ToAltStack, Depth, If, Begin, Drop, Depth, Not, Until, EndIf, FromAltStack] {
            self.op(opcode);
        }
    }

    fn op(&mut self, opcode: Opcode) {
        push_op(&mut self.out, opcode);
    }

    fn int(&mut self, n: i64) {
        push_int(&mut self.out, n);
        self.items.push(Known::Number);
    }

    fn constant(&mut self) {
        if self.kind == Kind::Boundary || self.random.one_in(2) {
            let n = self.random.pick(&EDGES, 0);
            return self.int(n);
        }
        if self.random.one_in(2) {
            let n = self.random.below(40) as i64 - 10;
            return self.int(n);
        }
        let mut len = self.random.below(12);
        if self.random.one_in(8) {
            len = self.random.below(90);
        }
        let data: Vec<u8> = (0..len).map(|_| self.random.pick(&[0, 0x80, 0xff, 1, 0x7f], 0)).collect();
        push_data(&mut self.out, &data);
        self.items.push(Known::Bytes);
    }

    fn pop(&mut self, count: usize) {
        self.items.truncate(self.items.len().saturating_sub(count));
    }

    fn want(&mut self, count: usize) {
        while self.items.len() < count {
            self.constant();
        }
    }

    /// Makes the top `count` items numbers, but now and then leaves them as they are.
    fn want_numbers(&mut self, count: usize) {
        self.want(count);
        let fine = self.items.iter().rev().take(count).all(|item| *item == Known::Number);
        if !fine && !self.random.one_in(12) {
            for _ in 0..count {
                let n = self.random.pick(&EDGES, 0);
                self.int(n);
            }
        }
    }

    fn steps(&mut self, count: usize) {
        for _ in 0..count {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            match self.random.below(100) {
                0..20 => self.constant(),
                20..48 => self.moves(),
                48..74 => self.arithmetic(),
                74..86 => self.bytes(),
                86..90 => self.fact(),
                90..94 => self.conditional(),
                94..96 => self.repeated(),
                96..98 => self.function(),
                _ => self.rare(),
            }
        }
    }

    fn moves(&mut self) {
        if self.random.one_in(4) {
            return self.reach();
        }
        let opcode = self.random.pick(&MOVES, Dup);
        let (takes, leaves) = opcode.arity().unwrap_or((1, 2));
        if opcode == FromAltStack && self.alt.is_empty() && !self.random.one_in(20) {
            return;
        }
        self.want(takes);
        self.op(opcode);
        match opcode {
            ToAltStack => {
                let item = self.items.pop().unwrap_or(Known::Bytes);
                self.alt.push(item);
            }
            FromAltStack => self.items.push(self.alt.pop().unwrap_or(Known::Bytes)),
            Depth | Size => self.items.push(Known::Number),
            // It copies only what is true; one item less is assumed.
            IfDup => {}
            _ => self.moved(opcode, takes, leaves),
        }
    }

    fn moved(&mut self, opcode: Opcode, takes: usize, leaves: usize) {
        let start = self.items.len().saturating_sub(takes);
        let old = self.items.split_off(start);
        let order: &[usize] = match opcode {
            Dup => &[0, 0],
            Swap => &[1, 0],
            Over => &[0, 1, 0],
            Rot => &[1, 2, 0],
            Tuck => &[1, 0, 1],
            Nip => &[1],
            Dup2 => &[0, 1, 0, 1],
            Dup3 => &[0, 1, 2, 0, 1, 2],
            Over2 => &[0, 1, 2, 3, 0, 1],
            Swap2 => &[2, 3, 0, 1],
            Rot2 => &[2, 3, 4, 5, 0, 1],
            _ => &[],
        };
        debug_assert_eq!(order.len(), leaves);
        self.items.extend(order.iter().map(|at| old.get(*at).copied().unwrap_or(Known::Bytes)));
    }

    /// `OP_PICK` and `OP_ROLL`, with a depth that is written down or made.
    fn reach(&mut self) {
        self.want(1);
        let (len, roll) = (self.items.len(), self.random.one_in(2));
        let most = if self.random.one_in(20) { len + 1 } else { len };
        let depth = self.random.below(most);
        push_int(&mut self.out, depth as i64 + 1);
        self.op(Sub1);
        if self.random.one_in(2) {
            // What the code cannot know before it runs.
            push_int(&mut self.out, 0);
            self.op(InputIndex);
            self.op(Add);
            self.op(Add);
        }
        self.op(if roll { Roll } else { Pick });
        let item = len.checked_sub(depth + 1).and_then(|at| self.items.get(at).copied()).unwrap_or(Known::Bytes);
        if roll && depth < len {
            self.items.remove(len - depth - 1);
        }
        self.items.push(item);
    }

    fn arithmetic(&mut self) {
        match self.random.below(12) {
            0..4 => {
                let opcode = self.random.pick(&UNARY, Add1);
                if !opcode.works_under(self.set) && !self.random.one_in(20) {
                    return;
                }
                self.want_numbers(1);
                self.op(opcode);
            }
            4..10 => {
                let opcode = self.random.pick(&BINARY, Add);
                self.want_numbers(2);
                if matches!(opcode, Div | Mod) && self.random.below(4) > 0 {
                    self.op(IfDup);
                    self.op(Drop);
                    let n = self.random.pick(&[3, -3, 128, 1 << 40], 3);
                    push_int(&mut self.out, n);
                }
                self.op(opcode);
                self.pop(2);
                self.items.push(Known::Number);
            }
            10 => {
                self.want_numbers(3);
                self.op(Within);
                self.pop(3);
                self.items.push(Known::Number);
            }
            _ => {
                self.want_numbers(1);
                let n = self.random.below(80) as i64;
                push_int(&mut self.out, n);
                let opcode = self.random.pick(&[LShiftNum, RShiftNum], LShiftNum);
                self.op(opcode);
            }
        }
    }

    fn bytes(&mut self) {
        match self.random.below(12) {
            0 | 1 => {
                self.want(2);
                self.op(Cat);
                self.pop(2);
                self.items.push(Known::Bytes);
            }
            2 => {
                self.want(1);
                for opcode in [Size, N2, Div, Split] {
                    self.op(opcode);
                }
                self.pop(1);
                self.items.extend([Known::Bytes; 2]);
            }
            3 => {
                self.want_numbers(1);
                let n = 8 + self.random.below(4) as i64;
                push_int(&mut self.out, n);
                self.op(Num2Bin);
                self.pop(1);
                self.items.push(Known::Bytes);
            }
            4 => {
                self.want(1);
                self.op(Bin2Num);
                self.pop(1);
                self.items.push(Known::Number);
            }
            5 => {
                self.want(1);
                let opcode =
                    self.random.pick(&[Invert, ReverseBytes, Sha256, Hash160, Ripemd160, Sha1, Hash256], Invert);
                self.op(opcode);
                self.pop(1);
                self.items.push(Known::Bytes);
            }
            6 => {
                self.want(1);
                let opcode = self.random.pick(&[And, Or, Xor], And);
                self.op(Dup);
                self.op(Invert);
                self.op(opcode);
                self.pop(1);
                self.items.push(Known::Bytes);
            }
            7 | 8 => {
                self.want(2);
                let opcode = self.random.pick(&[Equal, Equal, BoolAnd], Equal);
                self.op(opcode);
                self.pop(2);
                self.items.push(Known::Number);
            }
            9 => {
                self.want(1);
                let n = self.random.below(20) as i64;
                push_int(&mut self.out, n);
                let opcode = self.random.pick(&[LShiftBin, RShiftBin], LShiftBin);
                self.op(opcode);
                self.pop(1);
                self.items.push(Known::Bytes);
            }
            _ => self.cut(),
        }
    }

    /// The instructions of our own rules.
    fn cut(&mut self) {
        if self.set == RuleSet::Bch2026 {
            return;
        }
        self.want(1);
        let opcode = self.random.pick(&[Left, Right, Substr, Ver], Left);
        if opcode == Substr {
            push_int(&mut self.out, 0);
        }
        if opcode != Ver {
            push_int(&mut self.out, 1);
            self.pop(1);
        }
        self.op(opcode);
        self.items.push(Known::Bytes);
    }

    fn fact(&mut self) {
        if self.random.one_in(2) {
            let opcode = self.random.pick(&FACTS, InputIndex);
            self.op(opcode);
            self.items.push(if opcode == ActiveBytecode { Known::Bytes } else { Known::Number });
            return;
        }
        let (n, opcode) = (self.random.below(3) as i64, self.random.pick(&INDEXED, UtxoValue));
        push_int(&mut self.out, n);
        self.op(opcode);
        let number = matches!(
            opcode,
            UtxoValue | OutpointIndex | InputSequenceNumber | OutputValue | UtxoTokenAmount | OutputTokenAmount
        );
        self.items.push(if number { Known::Number } else { Known::Bytes });
    }

    fn conditional(&mut self) {
        if self.deep > 3 {
            return;
        }
        self.want(1);
        let opcode = self.random.pick(&[If, NotIf], If);
        self.op(opcode);
        self.pop(1);
        self.deep += 1;
        let known = self.functions;
        let (items, alt) = (self.items.clone(), self.alt.clone());
        let mut ends = Vec::new();
        for _ in 0..=self.random.below(3) {
            (self.items, self.alt) = (items.clone(), alt.clone());
            let count = self.random.below(6);
            self.steps(count);
            ends.push((std::mem::take(&mut self.items), std::mem::take(&mut self.alt)));
            self.op(Else);
        }
        self.out.pop();
        if ends.len() == 1 {
            ends.push((items, alt));
        }
        self.op(EndIf);
        self.deep -= 1;
        self.functions = known.max(self.functions);
        // What all ways have in common, but now and then what one of them has.
        let first = ends.pop().unwrap_or_default();
        let common = |a: Vec<Known>, b: Vec<Known>| {
            a.into_iter().zip(b).map(|(a, b)| if a == b { a } else { Known::Bytes }).collect::<Vec<_>>()
        };
        (self.items, self.alt) = ends.into_iter().fold(first, |a, b| (common(a.0, b.0), common(a.1, b.1)));
    }

    fn repeated(&mut self) {
        if self.deep > 2 {
            return;
        }
        self.deep += 1;
        let (turns, before, alt) = (1 + self.random.below(4) as i64, self.items.len(), self.alt.len());
        push_int(&mut self.out, turns);
        self.op(Begin);
        self.op(ToAltStack);
        self.alt.push(Known::Number);
        let count = self.random.below(8);
        self.steps(count);
        self.want(before);
        while self.alt.len() > alt + 1 {
            self.op(FromAltStack);
            self.alt.pop();
            self.items.push(Known::Bytes);
        }
        for opcode in [FromAltStack, Sub1, Dup, Not, Until, Drop] {
            self.op(opcode);
        }
        self.alt.pop();
        self.deep -= 1;
    }

    fn function(&mut self) {
        if self.functions > 0 && self.random.one_in(2) {
            let id = self.random.below(self.functions as usize) as i64;
            push_int(&mut self.out, id);
            if self.random.one_in(3) {
                self.op(InputIndex);
                self.op(Add);
            }
            self.op(Invoke);
            return self.items.truncate(2);
        }
        if self.deep > 2 {
            return;
        }
        let (items, alt) = (self.items.clone(), self.alt.clone());
        let count = 1 + self.random.below(8);
        let body = self.body(|draw| draw.steps(count));
        let after = (std::mem::replace(&mut self.items, items), std::mem::replace(&mut self.alt, alt));
        let id = self.define(&body);
        if self.random.below(4) > 0 {
            push_int(&mut self.out, id);
            self.op(Invoke);
            (self.items, self.alt) = after;
        }
    }

    /// The code of a function.
    fn body(&mut self, draw: impl FnOnce(&mut Self)) -> Vec<u8> {
        self.deep += 1;
        let outer = std::mem::take(&mut self.out);
        let (own, separator) = (self.own, std::mem::take(&mut self.separator));
        self.own = self.signatures.len();
        draw(self);
        let body = std::mem::replace(&mut self.out, outer);
        for signature in self.signatures.iter_mut().skip(self.own) {
            if let Signed::Script { from, kind } = signature.of {
                signature.of = Signed::Function { body: body.clone(), from, kind };
            }
        }
        (self.own, self.separator) = (own, separator);
        self.deep -= 1;
        body
    }

    /// Defines a function and gives its name.
    fn define(&mut self, body: &[u8]) -> i64 {
        push_data(&mut self.out, body);
        let id = self.functions;
        push_int(&mut self.out, id);
        self.op(Define);
        self.functions += 1;
        id
    }

    fn rare(&mut self) {
        const KEY: [u8; 33] = [2; 33];
        match self.random.below(8) {
            0 => {
                push_int(&mut self.out, 0);
                push_data(&mut self.out, &KEY);
                self.op(CheckSig);
                self.items.push(Known::Number);
            }
            1 => {
                for opcode in [N0, N0, N1] {
                    self.op(opcode);
                }
                push_data(&mut self.out, &KEY);
                self.op(N1);
                self.op(CheckMultiSig);
                self.items.push(Known::Number);
            }
            2 => {
                for opcode in [N0, N0, N0, CheckMultiSigVerify] {
                    self.op(opcode);
                }
            }
            3 => {
                self.op(N0);
                self.op(N5);
                push_data(&mut self.out, &KEY);
                self.op(CheckDataSig);
                self.items.push(Known::Number);
            }
            4 => {
                push_int(&mut self.out, 400);
                self.items.push(Known::Number);
                let opcode = self.random.pick(&[CheckLockTimeVerify, CheckSequenceVerify], CheckLockTimeVerify);
                self.op(opcode);
            }
            5 => {
                self.want(1);
                self.op(Dup);
                let opcode = self.random.pick(&[EqualVerify, NumEqualVerify], EqualVerify);
                self.op(Dup);
                self.op(opcode);
            }
            6 => {
                self.op(CodeSeparator);
                self.separator = self.out.len();
            }
            _ => {
                let opcode = self.random.pick(&[Nop, Nop1, Verify, Return, Nop10, Reserved], Nop);
                self.op(opcode);
            }
        }
    }
}
