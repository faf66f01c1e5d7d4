//! Instructions with their origin, before holes are filled.

use spec::Opcode;
use spec::artifact::Piece;
use spec::script::{push_data, push_len, short_push};
use syntax::Loc;

/// A place in the source, numbered once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PlaceId(u32);

/// The places of a contract.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    locs: Vec<Loc>,
}

impl Places {
    /// The number of `loc`; neighbours that repeat share one.
    pub(crate) fn add(&mut self, loc: &Loc) -> PlaceId {
        if self.locs.last() != Some(loc) {
            self.locs.push(loc.clone());
        }
        PlaceId(u32::try_from(self.locs.len() - 1).unwrap_or(u32::MAX))
    }

    pub(crate) fn loc(&self, id: PlaceId) -> Option<&Loc> {
        self.locs.get(id.0 as usize)
    }
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

    /// How many bytes it takes; a hole counts as `hole` says.
    pub(crate) fn len(&self, hole: impl Fn(usize) -> usize) -> usize {
        match self {
            Self::Code(_) => 1,
            Self::Push(data) => push_len(data),
            Self::Hole(index) => hole(*index),
        }
    }

    /// The number that a push of up to 8 bytes means.
    pub(crate) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Push(data) => spec::num::decode(data),
            Self::Code(_) | Self::Hole(_) => None,
        }
    }

    fn word(&self, hole: impl Fn(usize) -> String) -> String {
        match self {
            Self::Code(opcode) => opcode.name().to_owned(),
            Self::Push(data) => match short_push(data).and_then(Opcode::from_byte) {
                Some(opcode) => opcode.name().to_owned(),
                None => format!("0x{}", hex_text(data)),
            },
            Self::Hole(index) => format!("<{}>", hole(*index)),
        }
    }
}

/// The instructions as words, holes as `<name>`.
pub(crate) fn asm(code: &[Instr], name: impl Fn(usize) -> String) -> String {
    let words: Vec<String> = code.iter().map(|instr| instr.op.word(&name)).collect();
    words.join(" ")
}

/// The instructions as bytes and holes.
pub(crate) fn pieces(code: &[Instr]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut bytes = Vec::new();
    for instr in code {
        match &instr.op {
            Op::Code(opcode) => bytes.push(opcode.to_byte()),
            Op::Push(data) => push_data(&mut bytes, data),
            Op::Hole(index) => {
                if !bytes.is_empty() {
                    pieces.push(Piece::Code(std::mem::take(&mut bytes)));
                }
                pieces.push(Piece::Param(*index));
            }
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
