//! Ways past the interpreter for instructions that engines run much: one result, and none of the interpreter's stack.
//!
//! Each does what the interpreter's own does, or nothing at all: where it is in doubt it gives `None` before it has charged
//! anything but what fails in any case.

use std::cmp::Ordering;

use spec::{Opcode, TxOut, hash};

use crate::item::{Item, Place, Source, View};
use crate::kernel::{Kernel, MADE_BYTES_MAX};
use crate::limbs::{BYTES, Magnitude};
use crate::magnitude;

/// Bytes that are put together to be hashed at once, at most.
const PAIR_BYTES_MAX: usize = 66;

/// The item of what an instruction makes of some bytes, which may be the kernel's own. Each digest goes where it stays without a
/// place in between that has room for every length: a chain of hashes would take a tenth longer.
macro_rules! digested {
    ($kernel:ident, $opcode:ident, $bytes:expr; $($name:ident: $hash:ident),*) => {
        match $opcode {
            Opcode::Sha256 if let Ok(digest) = <&[u8; 32]>::try_from($bytes) => {
                let mut words = [0; 8];
                hash::sha256_words(digest, &mut words);
                $kernel.keep_words(&words)
            }
            $(Opcode::$name => {
                let digest = hash::$hash($bytes);
                $kernel.keep(digest)
            })*
            _ => None,
        }
    };
    ($kernel:ident, $opcode:ident, $bytes:expr) => {
        digested!(
            $kernel, $opcode, $bytes;
            Sha256: sha256, Hash256: sha256d, Hash160: hash160, Ripemd160: ripemd160, Sha1: sha1
        )
    };
}

impl Kernel<'_> {
    /// Runs one instruction that leaves one item, if there is a quick way. Operands are looked at where they are: a copy would
    /// have to wait for the parts of a recent one.
    #[inline(always)]
    pub fn quick(&mut self, opcode: Opcode, a: &Item, b: Option<&Item>) -> Option<Item> {
        match (opcode, b) {
            (Opcode::Sha256 | Opcode::Hash256 | Opcode::Hash160 | Opcode::Ripemd160 | Opcode::Sha1, None) => {
                self.hash(opcode, a)
            }
            (Opcode::Cat, Some(b)) => self.cat(*a, *b),
            (Opcode::Add | Opcode::Sub | Opcode::Mul | Opcode::Div | Opcode::Mod, Some(b)) => self.long(opcode, a, b),
            (Opcode::Mul2, None) if self.machine.require_bitmodel().is_ok() => self.long(Opcode::Add, a, a),
            (Opcode::NumEqual, Some(b)) => self.compare(a, b, Ordering::is_eq),
            (Opcode::NumNotEqual, Some(b)) => self.compare(a, b, Ordering::is_ne),
            (Opcode::LessThan, Some(b)) => self.compare(a, b, Ordering::is_lt),
            (Opcode::GreaterThan, Some(b)) => self.compare(a, b, Ordering::is_gt),
            (Opcode::LessThanOrEqual, Some(b)) => self.compare(a, b, Ordering::is_le),
            (Opcode::GreaterThanOrEqual, Some(b)) => self.compare(a, b, Ordering::is_ge),
            (_, None) => self.fact_of(opcode, a),
            _ => None,
        }
    }

    /// Runs one instruction that takes nothing and gives a number that the transaction has.
    #[inline]
    pub fn fact(&mut self, opcode: Opcode) -> Option<Item> {
        let tx = self.machine.context.tx();
        let n = match opcode {
            Opcode::InputIndex => self.machine.input as i64,
            Opcode::TxVersion => tx.version.cast_signed().into(),
            Opcode::TxInputCount => tx.inputs.len() as i64,
            Opcode::TxOutputCount => tx.outputs.len() as i64,
            Opcode::TxLockTime => tx.locktime.into(),
            _ => return None,
        };
        Some(self.charged(Item::Int(n)))
    }

    /// What an input or output has, where it lies.
    #[inline(never)]
    fn fact_of(&mut self, opcode: Opcode, index: &Item) -> Option<Item> {
        let Item::Int(index) = *index else { return None };
        let index = usize::try_from(index).ok()?;
        let context = self.machine.context;
        let (input, spent, output) =
            (context.tx().inputs.get(index), context.spent().get(index), context.tx().outputs.get(index));
        match opcode {
            Opcode::InputBytecode => self.bytecode(Place::Unlock(index), input?.unlock.len()),
            Opcode::UtxoBytecode => self.bytecode(Place::Spent(index), spent?.lock.len()),
            Opcode::OutputBytecode => self.bytecode(Place::Output(index), output?.lock.len()),
            Opcode::OutpointIndex => Some(self.charged(Item::Int(input?.prevout.index.into()))),
            Opcode::InputSequenceNumber => Some(self.charged(Item::Int(input?.sequence.into()))),
            Opcode::UtxoTokenAmount => self.amount(spent?),
            Opcode::OutputTokenAmount => self.amount(output?),
            _ => None,
        }
    }

    fn bytecode(&mut self, place: Place, len: usize) -> Option<Item> {
        if len > self.machine.rules.limits.item_bytes {
            return None;
        }
        let item = self.machine.memory.span(Source::pack(place), 0, len);
        Some(self.charged(item))
    }

    fn amount(&mut self, output: &TxOut) -> Option<Item> {
        let amount = output.token.as_ref().map_or(0, |token| token.amount);
        let n = i64::try_from(amount).ok()?;
        Some(self.charged(Item::Int(n)))
    }

    /// Charges the length of an item.
    #[inline]
    const fn charged(&mut self, item: Item) -> Item {
        self.machine.cost += item.len() as u64;
        item
    }

    #[inline(always)]
    fn hash(&mut self, opcode: Opcode, item: &Item) -> Option<Item> {
        self.charge_digest(opcode, item.len())?;
        let short;
        let bytes = match item {
            Item::Bytes(span) => self.machine.memory.slice(*span),
            Item::Int(n) => {
                short = View::short(*n);
                &*short
            }
        };
        digested!(self, opcode, bytes)
    }

    /// Charges for a digest of so many bytes; the second round of a double hash is one more iteration.
    #[inline(always)]
    fn charge_digest(&mut self, opcode: Opcode, len: usize) -> Option<()> {
        let more = u64::from(matches!(opcode, Opcode::Hash256 | Opcode::Hash160));
        self.machine.charge_hash(len, more).ok()
    }

    /// An item of these words' bytes, the highest first.
    #[inline(always)]
    fn keep_words(&mut self, words: &[u32; 8]) -> Option<Item> {
        let mark = self.machine.memory.mark();
        let span = self.machine.memory.keep_words(words)?;
        self.machine.cost += 32;
        (mark <= MADE_BYTES_MAX).then_some(Item::Bytes(span))
    }

    /// An item of these bytes, which are too many for a number in place.
    #[inline(always)]
    fn keep<const N: usize>(&mut self, bytes: [u8; N]) -> Option<Item> {
        let mark = self.machine.memory.mark();
        let span = self.machine.memory.keep_array(bytes);
        self.machine.cost += N as u64;
        (mark <= MADE_BYTES_MAX).then_some(Item::Bytes(span))
    }

    /// Runs `OP_CAT` and then a hash of its result, which is put together beside the memory of items. `None` as above, and
    /// also for items that are longer together than a pair of digests with a byte before or after.
    #[inline(always)]
    pub fn quick_pair(&mut self, opcode: Opcode, a: &Item, b: Option<&Item>) -> Option<Item> {
        let b = b?;
        if let (Item::Bytes(a), Item::Bytes(b)) = (a, b)
            && let Ok(a) = <&[u8; 32]>::try_from(self.machine.memory.slice(*a))
            && let Ok(b) = <&[u8; 32]>::try_from(self.machine.memory.slice(*b))
        {
            // Two digests: their lengths are known, so they are copied in words.
            let mut pair = [0; 64];
            let (left, right) = pair.split_first_chunk_mut()?;
            *left = *a;
            *right.first_chunk_mut()? = *b;
            return self.hash_pair(opcode, &pair);
        }
        let (first, len) = (a.len(), a.len() + b.len());
        let mut pair = [0; PAIR_BYTES_MAX];
        let (left, right) = pair.get_mut(..len)?.split_at_mut_checked(first)?;
        left.copy_from_slice(&self.machine.view(*a));
        right.copy_from_slice(&self.machine.view(*b));
        self.hash_pair(opcode, pair.get(..len)?)
    }

    #[inline(always)]
    fn hash_pair(&mut self, opcode: Opcode, pair: &[u8]) -> Option<Item> {
        self.machine.cost += pair.len() as u64;
        self.charge_digest(opcode, pair.len())?;
        digested!(self, opcode, pair)
    }

    #[inline]
    fn cat(&mut self, a: Item, b: Item) -> Option<Item> {
        if a.len() + b.len() > self.machine.rules.limits.item_bytes {
            return None;
        }
        let mark = self.machine.memory.mark();
        self.machine.memory.append_item(a);
        self.machine.memory.append_item(b);
        self.made(mark, 1)
    }

    /// The item that starts at `mark`, charged so often.
    #[inline(always)]
    fn made(&mut self, mark: usize, times: u64) -> Option<Item> {
        let item = self.machine.memory.finish(mark);
        self.machine.cost += times * item.len() as u64;
        (mark <= MADE_BYTES_MAX).then_some(item)
    }

    /// Compares two numbers that are both too long for a place.
    #[inline(always)]
    fn compare(&mut self, a: &Item, b: &Item, holds: impl Fn(Ordering) -> bool) -> Option<Item> {
        let (Item::Bytes(a), Item::Bytes(b)) = (a, b) else { return None };
        let (a, b) = (self.machine.memory.slice(*a), self.machine.memory.slice(*b));
        if !spec::num::is_minimal(a) || !spec::num::is_minimal(b) {
            return None;
        }
        let truth = Item::bool(holds(magnitude::order(a, b)));
        Some(self.charged(truth))
    }

    /// Arithmetic on numbers that may be too long for a place.
    #[inline(never)]
    fn long(&mut self, opcode: Opcode, a: &Item, b: &Item) -> Option<Item> {
        let (mut x, mut y, mut made) = (Magnitude::ZERO, Magnitude::ZERO, Magnitude::ZERO);
        let (below, other_below) = (self.read(a, &mut x)?, self.read(b, &mut y)?);
        let (negative, magnitude) = match opcode {
            Opcode::Mul => {
                x.multiply(&y, &mut made)?;
                (below != other_below, &made)
            }
            Opcode::Div => {
                x.divide(&y, &mut made)?;
                (below != other_below, &made)
            }
            Opcode::Mod => {
                x.divide(&y, &mut made)?;
                (below, &x)
            }
            _ if below == (other_below != (opcode == Opcode::Sub)) => {
                x.add(&y)?;
                (below, &x)
            }
            _ => (below != x.subtract(&y), &x),
        };
        let mut bytes = [0; BYTES];
        let len = magnitude.write(&mut bytes);
        let full = len > 0 && bytes.get(len - 1).is_some_and(|last| *last >= 0x80);
        let len = len + usize::from(full);
        if len > 0 && negative {
            *bytes.get_mut(len - 1)? |= 0x80;
        }
        let bytes = bytes.get(..len).filter(|_| len <= self.machine.rules.limits.item_bytes)?;
        if let Opcode::Mul | Opcode::Div | Opcode::Mod = opcode {
            self.machine.cost += (a.len() * b.len()) as u64;
        }
        let mark = self.machine.memory.mark();
        self.machine.memory.append(bytes);
        self.made(mark, 2)
    }

    /// Reads a number and gives whether it is below zero.
    fn read(&self, item: &Item, magnitude: &mut Magnitude) -> Option<bool> {
        match item {
            Item::Int(n) => {
                magnitude.set_small(n.unsigned_abs());
                Some(*n < 0)
            }
            Item::Bytes(span) => {
                let bytes = self.machine.memory.slice(*span);
                if bytes.len() > BYTES || !spec::num::is_minimal(bytes) {
                    return None;
                }
                magnitude.read(bytes)
            }
        }
    }
}
