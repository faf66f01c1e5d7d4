//! Instructions that only move, copy and drop items, and what they do. The build script, which searches for the shortest
//! sequences of them, reads this file too: it uses nothing of the crate.

/// How many items of the stack a table looks at, and how many it may leave.
pub(crate) const ITEMS_MAX: usize = 6;
/// How many items a [`Stack`] can hold.
const ROOM: usize = 14;
const BITS: usize = 4;

/// What one instruction does to the items on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// Takes so many items, and leaves these of them, bottom first.
    Order(usize, &'static [u8]),
    /// Copies the item at this depth.
    Pick(usize),
    /// Brings up the item at this depth.
    Roll(usize),
    /// Puts the top item aside.
    Hide,
    /// Takes back what was put aside last.
    Show,
}

/// All moves that a shortest sequence may have; a table names them by their place here.
pub(crate) const MOVES: [Move; 26] = [
    Move::Order(1, &[0, 0]),
    Move::Order(2, &[0, 1, 0]),
    Move::Order(2, &[1, 0]),
    Move::Order(3, &[1, 2, 0]),
    Move::Order(1, &[]),
    Move::Order(2, &[1]),
    Move::Order(2, &[1, 0, 1]),
    Move::Order(2, &[0, 1, 0, 1]),
    Move::Order(3, &[0, 1, 2, 0, 1, 2]),
    Move::Order(4, &[0, 1, 2, 3, 0, 1]),
    Move::Order(6, &[2, 3, 4, 5, 0, 1]),
    Move::Order(4, &[2, 3, 0, 1]),
    Move::Order(2, &[]),
    Move::Pick(2),
    Move::Pick(3),
    Move::Pick(4),
    Move::Pick(5),
    Move::Pick(6),
    Move::Pick(7),
    Move::Roll(3),
    Move::Roll(4),
    Move::Roll(5),
    Move::Roll(6),
    Move::Roll(7),
    Move::Hide,
    Move::Show,
];

impl Move {
    /// How many items must lie there.
    pub(crate) const fn takes(self) -> usize {
        match self {
            Self::Order(takes, _) => takes,
            Self::Pick(depth) | Self::Roll(depth) => depth + 1,
            Self::Hide => 1,
            Self::Show => 0,
        }
    }

    /// What it costs.
    pub(crate) fn cost(self) -> Cost {
        match self {
            Self::Order(takes, leaves) => Cost::of(1, leaves.len().saturating_sub(takes)),
            Self::Pick(_) | Self::Roll(_) => Cost::of(2, 2),
            Self::Hide => Cost::of(1, 0),
            Self::Show => Cost::of(1, 1),
        }
    }
}

/// Bytes first, which are as many as instructions; then items whose bytes are paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cost {
    pub(crate) bytes: usize,
    pushes: usize,
}

impl Cost {
    const fn of(bytes: usize, pushes: usize) -> Self {
        Self { bytes, pushes }
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self { bytes: self.bytes + other.bytes, pushes: self.pushes + other.pushes }
    }
}

/// Which item lies where, by their numbers before, with those on top put aside.
///
/// Four bits for each item, the bottom one lowest, and those that were put aside above the others; then four bits for
/// the number of items and four for how many were put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Stack(u64);

impl Stack {
    /// Items 0, 1, …, top last.
    pub(crate) fn first(len: usize) -> Self {
        let items: [u8; ROOM] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];
        items.get(..len).and_then(Self::of).unwrap_or(Self(0))
    }

    /// These items, top last; nothing if there are too many.
    pub(crate) fn of(items: &[u8]) -> Option<Self> {
        let fits = items.len() <= ROOM && items.iter().all(|item| usize::from(*item) < ROOM);
        fits.then(|| items.iter().fold(Self(0), |stack, item| stack.with(u64::from(*item))))
    }

    fn with(self, item: u64) -> Self {
        Self::new(low(self.0, self.len()) | item << (BITS * self.len()), self.len() + 1, 0)
    }

    fn new(items: u64, len: usize, hidden: usize) -> Self {
        Self(items | (len as u64) << (BITS * ROOM) | (hidden as u64) << (BITS * (ROOM + 1)))
    }

    pub(crate) fn len(self) -> usize {
        usize::from(nibble(self.0, ROOM))
    }

    /// How many items were put aside.
    pub(crate) fn hidden(self) -> usize {
        usize::from(nibble(self.0, ROOM + 1))
    }

    /// Without the lowest items, which are those with the lowest numbers; the others are numbered anew.
    pub(crate) fn above(self, count: usize) -> Option<Self> {
        let len = self.len().checked_sub(count)?;
        let items = low(high(self.0, count), len);
        let all_ones = low(0x0011_1111_1111_1111, len);
        Some(Self::new(items.checked_sub(all_ones * count as u64)?, len, self.hidden()))
    }

    /// Whether the item at this place from below has this number and nothing else does.
    pub(crate) fn has_alone(self, at: usize) -> bool {
        let is_it = |place: usize| usize::from(nibble(self.0, place)) == at;
        is_it(at) && (0..self.len()).filter(|place| is_it(*place)).count() == 1
    }

    /// Whether a table may have it: few items, and none aside.
    pub(crate) fn is_plain(self) -> bool {
        self.len() <= ITEMS_MAX && self.hidden() == 0
    }

    /// The items, bottom first.
    pub(crate) fn items(self) -> impl Iterator<Item = u8> {
        (0..self.len()).map(move |at| nibble(self.0, at))
    }

    /// What it is after a move; nothing if the move takes more than there is, or leaves too much.
    pub(crate) fn after(self, step: Move) -> Option<Self> {
        let (len, hidden) = (self.len(), self.hidden());
        let seen = len - hidden;
        let beneath = seen.checked_sub(step.takes())?;
        let window = low(high(self.0, beneath), step.takes());
        let (window, left) = match step {
            Move::Hide => return Some(Self::new(low(self.0, len), len, hidden + 1)),
            Move::Show => return Some(Self::new(low(self.0, len), len, hidden.checked_sub(1)?)),
            Move::Order(_, leaves) => {
                let put = |(to, from): (usize, &u8)| nibble_at(window, usize::from(*from), to);
                (leaves.iter().enumerate().map(put).fold(0, |all, one| all | one), leaves.len())
            }
            Move::Pick(depth) => (window | nibble_at(window, 0, depth + 1), depth + 2),
            Move::Roll(depth) => (high(window, 1) | nibble_at(window, 0, depth), depth + 1),
        };
        let seen_after = beneath + left;
        (seen_after + hidden <= ROOM).then_some(())?;
        let aside = low(high(self.0, seen), hidden) << (BITS * seen_after);
        Some(Self::new(low(self.0, beneath) | window << (BITS * beneath) | aside, seen_after + hidden, hidden))
    }

    /// Its place among all plain stacks of `sources` items.
    pub(crate) fn rank(self, sources: usize) -> Option<usize> {
        let fits = self.is_plain() && self.items().all(|item| usize::from(item) < sources);
        let place = || self.items().fold(0, |place, item| place * sources + usize::from(item));
        fits.then(|| count(sources, self.len()) + place())
    }
}

/// How many stacks of fewer than `len` of `sources` items there are.
pub(crate) fn count(sources: usize, len: usize) -> usize {
    (0..len).fold((0, 1), |(sum, power), _| (sum + power, power * sources)).0
}

fn nibble(items: u64, at: usize) -> u8 {
    (items >> (BITS * at) & 0xf) as u8
}

/// The item at `from`, put at `to`.
fn nibble_at(items: u64, from: usize, to: usize) -> u64 {
    u64::from(nibble(items, from)) << (BITS * to)
}

/// The lowest `count` items.
fn low(items: u64, count: usize) -> u64 {
    items & ((1 << (BITS * count)) - 1)
}

/// All but the lowest `count` items.
fn high(items: u64, count: usize) -> u64 {
    items >> (BITS * count)
}
