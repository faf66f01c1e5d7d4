//! Transactions around a script: what introspection and time locks see.

use spec::token::{Capability, Nft};
use spec::{Category, OutPoint, Sats, Token, Transaction, TxIn, TxOut, Txid};

use crate::random::Random;

/// What a transaction is like. The default is one with a bit of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World {
    version: u32,
    locktime: u32,
    sequence: u32,
    /// Which input runs the script.
    input: usize,
    inputs: usize,
    outputs: usize,
    /// Which values come first.
    values: usize,
    token: usize,
}

const VALUES: [u64; 9] = [
    1_000,
    127,
    2_100_000_000_000_000,
    0,
    128,
    1 << 31,
    i64::MAX as u64,
    // No number of 8 bytes.
    1 << 63,
    u64::MAX,
];

/// Values that money can have.
const VALUES_PLAIN: usize = 6;

impl Default for World {
    fn default() -> Self {
        Self { version: 2, locktime: 500, sequence: 0x0080_0001, input: 0, inputs: 2, outputs: 3, values: 0, token: 0 }
    }
}

impl World {
    /// A transaction that is like this one in most things.
    pub(crate) fn changed(mut self, random: &mut Random) -> Self {
        for _ in 0..=random.below(3) {
            match random.below(8) {
                0 => self.version = random.pick(&[1, 2, 0, u32::MAX, 1 << 31], 2),
                1 => self.locktime = random.pick(&[0, 399, 400, 401, 500_000_000, u32::MAX], 500),
                2 => self.sequence = random.pick(&[0, 399, 400, 0x0040_0190, 0x8000_0000, u32::MAX], 1),
                3 if random.one_in(3) => self.input = random.below(self.inputs),
                4 => self.inputs = (1 + random.below(4)).max(self.input + 1),
                5 => self.outputs = random.below(5),
                6 if random.one_in(4) => self.values = random.below(VALUES.len()),
                6 => self.values = random.below(VALUES_PLAIN),
                _ => self.token = random.below(4),
            }
        }
        self
    }

    /// The transaction, the outputs that it spends, and which input it is about. Neither it nor its output has bytecode.
    pub(crate) fn transaction(&self) -> (Transaction, Vec<TxOut>, usize) {
        let input = |n: usize| TxIn {
            prevout: OutPoint { txid: Txid::from_wire([n as u8 + 1; 32]), index: (n as u32) << 24 },
            unlock: if n == self.input { Vec::new() } else { vec![0x51] },
            sequence: self.sequence.wrapping_mul(n as u32 + 1),
        };
        let spent = |n: usize| {
            let lock = if n == self.input { Vec::new() } else { vec![0x51; n + 1] };
            TxOut { token: self.token(n), ..TxOut::plain(self.value(n + 2), lock) }
        };
        let output = |n: usize| {
            let lock =
                [&[0x6a, 2, 1, 0][..], &[0x51], &[0; 40], &[]].get(n % 4).map_or(Vec::new(), |lock| lock.to_vec());
            TxOut { token: self.token(n + 1), ..TxOut::plain(self.value(n), lock) }
        };
        let tx = Transaction {
            version: self.version,
            inputs: (0..self.inputs).map(input).collect(),
            outputs: (0..self.outputs).map(output).collect(),
            locktime: self.locktime,
        };
        (tx, (0..self.inputs).map(spent).collect(), self.input)
    }

    fn value(&self, n: usize) -> Sats {
        Sats::from_wire(VALUES.get((self.values + n) % VALUES_PLAIN.max(self.values + 1)).copied().unwrap_or(1))
    }

    fn token(&self, n: usize) -> Option<Token> {
        let nft = |commitment: &[u8]| Some(Nft { capability: Capability::Mutable, commitment: commitment.to_vec() });
        let (amount, nft) = match (self.token + n) % 4 {
            0 => (i64::MAX as u64, nft(&[1, 2, 0x80])),
            1 => return None,
            2 => (128, None),
            _ => (0, nft(&[])),
        };
        Some(Token { category: Category::from_wire([7; 32]), amount, nft })
    }
}
