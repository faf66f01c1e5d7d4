//! Instructions with their origin, before holes are filled.

use spec::Opcode;
use spec::artifact::{Part, Piece};
use spec::script::{Instruction, push_data, push_len, push_len_of, short_push};
use syntax::Loc;

/// A place in the source, numbered once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PlaceId(u32);

/// The places of a contract.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    places: Vec<Place>,
}

/// One place, or two of which the way through the script tells which it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    At(Loc),
    Either(Either<PlaceId>),
}

/// What a conditional decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Either<T> {
    /// The mark of the conditional, see [`crate::lower::Notes::fork`].
    pub(crate) fork: SiteId,
    pub(crate) then: T,
    pub(crate) otherwise: T,
}

/// The marks of conditionals, and whether their first block has run.
pub(crate) type Way = Vec<(SiteId, bool)>;

impl Places {
    /// The number of `loc`; neighbours that repeat share one.
    pub(crate) fn add(&mut self, loc: &Loc) -> PlaceId {
        match self.places.last() {
            Some(Place::At(last)) if last == loc => {}
            _ => self.places.push(Place::At(loc.clone())),
        }
        self.last()
    }

    /// The place that a conditional decides.
    pub(crate) fn either(&mut self, fork: SiteId, then: PlaceId, otherwise: PlaceId) -> PlaceId {
        if self.ways(then) == self.ways(otherwise) {
            return then;
        }
        self.places.push(Place::Either(Either { fork, then, otherwise }));
        self.last()
    }

    fn last(&self) -> PlaceId {
        PlaceId(u32::try_from(self.places.len().saturating_sub(1)).unwrap_or(u32::MAX))
    }

    /// Where it is, by the way through the script.
    pub(crate) fn ways(&self, id: PlaceId) -> Vec<(Way, &Loc)> {
        match self.places.get(id.0 as usize) {
            None => Vec::new(),
            Some(Place::At(loc)) => vec![(Way::new(), loc)],
            Some(Place::Either(either)) => {
                let [then, otherwise] = [either.then, either.otherwise].map(|id| self.ways(id));
                branched(either.fork, then, otherwise)
            }
        }
    }
}

/// What holds for either block of a conditional, with the way that leads there.
pub(crate) fn branched<T>(fork: SiteId, then: Vec<(Way, T)>, otherwise: Vec<(Way, T)>) -> Vec<(Way, T)> {
    let marked = |taken, ways: Vec<(Way, T)>| {
        ways.into_iter().map(move |(mut way, of)| {
            way.insert(0, (fork, taken));
            (way, of)
        })
    };
    marked(true, then).chain(marked(false, otherwise)).collect()
}

/// A check with a message, numbered once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SiteId(pub(crate) u32);

/// What one instruction does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// An opcode that pushes no data of its own.
    Code(Opcode),
    /// The shortest push of these bytes.
    Push(Vec<u8>),
    /// The push of the contract's parameter with this index.
    Hole(usize),
    /// The push of parts, one behind the other, at least one of them a parameter.
    Text(Vec<Part>),
    /// `OP_BEGIN` of a loop that runs so often.
    Begin(Rounds),
}

/// How often a loop runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounds {
    Exactly(u32),
    AtMost(u32),
    /// Once for each record that the spender pushes.
    Records,
}

/// One instruction, where it comes from and, if it may fail, what it checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instr {
    pub(crate) op: Op,
    pub(crate) place: PlaceId,
    pub(crate) site: Option<SiteId>,
}

/// A stretch of instructions.
pub(crate) type Code = Vec<Instr>;

impl Op {
    /// The push of a number.
    pub(crate) fn int(n: i64) -> Self {
        Self::Push(spec::num::encode(n))
    }

    /// The instruction that stands in a script.
    pub(crate) fn read(step: &Instruction<'_>) -> Option<Self> {
        match step.data {
            Some(data) => Some(Self::Push(data.to_vec())),
            None => step.opcode().map(Self::Code),
        }
    }

    /// How many bytes it takes; a hole counts as `hole` says.
    pub(crate) fn len(&self, hole: impl Fn(usize) -> usize) -> usize {
        match self {
            Self::Code(_) | Self::Begin(_) => 1,
            Self::Push(data) => push_len(data),
            Self::Hole(index) => hole(*index),
            Self::Text(parts) => push_len_of(text_len(parts, hole)),
        }
    }

    /// The number that a push of up to 8 bytes means.
    pub(crate) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Push(data) => spec::num::decode(data),
            Self::Code(_) | Self::Hole(_) | Self::Text(_) | Self::Begin(_) => None,
        }
    }

    fn word(&self, hole: impl Fn(usize) -> String) -> String {
        match self {
            Self::Code(opcode) => opcode.name().to_owned(),
            Self::Begin(_) => Opcode::Begin.name().to_owned(),
            Self::Push(data) => match short_push(data).and_then(Opcode::from_byte) {
                Some(opcode) => opcode.name().to_owned(),
                None => format!("0x{}", hex_text(data)),
            },
            Self::Hole(index) => format!("<{}>", hole(*index)),
            Self::Text(parts) => {
                let part = |part: &Part| match part {
                    Part::Bytes(bytes) => hex_text(bytes),
                    Part::Param(index) => format!("<{}>", hole(*index)),
                };
                format!("0x{}", parts.iter().map(part).collect::<String>())
            }
        }
    }
}

/// The bytes of parts whose parameters take so many to push.
pub(crate) fn text_len(parts: &[Part], hole: impl Fn(usize) -> usize) -> usize {
    let value = |index: usize| match hole(index) {
        // Perhaps a small number, which is one byte inside of a push.
        pushed @ 0..=1 => pushed,
        pushed @ 2..=76 => pushed - 1,
        pushed @ 77..=257 => pushed - 2,
        pushed => pushed - 3,
    };
    parts.iter().map(|part| part.len(value)).sum()
}

/// The numbers of the shared functions that the code invokes, in order.
pub(crate) fn calls(code: &[Instr]) -> impl Iterator<Item = usize> {
    code.iter().zip(code.iter().skip(1)).filter_map(|(number, invoke)| match invoke.op {
        Op::Code(Opcode::Invoke) => usize::try_from(number.op.as_int()?).ok(),
        _ => None,
    })
}

/// The most conditionals, loops and functions that are open at once; `functions` says how many are in each function.
pub(crate) fn levels(code: &[Instr], functions: &[usize]) -> usize {
    let mut open: usize = 0;
    let mut most = 0;
    let mut number = None;
    for instr in code {
        let mut here = open;
        match instr.op {
            Op::Code(Opcode::If | Opcode::NotIf | Opcode::Begin) | Op::Begin(_) => {
                open += 1;
                here = open;
            }
            Op::Code(Opcode::EndIf | Opcode::Until) => open = open.saturating_sub(1),
            Op::Code(Opcode::Invoke) => {
                let inside = number.and_then(|number: i64| functions.get(usize::try_from(number).ok()?));
                here = open + 1 + inside.copied().unwrap_or(0);
            }
            _ => {}
        }
        most = most.max(here);
        number = instr.op.as_int();
    }
    most
}

/// The instructions as words, holes as `<name>`.
pub(crate) fn asm(code: &[Instr], name: impl Fn(usize) -> String) -> String {
    let words: Vec<String> = code.iter().map(|instr| instr.op.word(&name)).collect();
    words.join(" ")
}

/// The bytes of instructions without holes.
pub(crate) fn bytes(code: &[Instr]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in pieces(code) {
        match piece {
            Piece::Code(code) => bytes.extend(code),
            Piece::Param(_) | Piece::Push(_) => debug_assert!(false, "a shared function takes parameters as arguments"),
        }
    }
    bytes
}

/// The instructions as bytes and holes.
pub(crate) fn pieces(code: &[Instr]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut bytes = Vec::new();
    let add = |piece: Piece, bytes: &mut Vec<u8>, pieces: &mut Vec<Piece>| {
        if !bytes.is_empty() {
            pieces.push(Piece::Code(std::mem::take(bytes)));
        }
        pieces.push(piece);
    };
    for instr in code {
        match &instr.op {
            Op::Code(opcode) => bytes.push(opcode.to_byte()),
            Op::Begin(_) => bytes.push(Opcode::Begin.to_byte()),
            Op::Push(data) => push_data(&mut bytes, data),
            Op::Hole(index) => add(Piece::Param(*index), &mut bytes, &mut pieces),
            Op::Text(parts) => add(Piece::Push(parts.clone()), &mut bytes, &mut pieces),
        }
    }
    if !bytes.is_empty() {
        pieces.push(Piece::Code(bytes));
    }
    pieces
}

fn hex_text(data: &[u8]) -> String {
    use std::fmt::Write as _;
    data.iter().fold(String::with_capacity(data.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
