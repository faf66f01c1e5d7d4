//! What machine code and the register interpreter share while a unit runs, and the calls from one to the other.

use std::mem::offset_of;
use std::panic::{AssertUnwindSafe, catch_unwind};

use engine::State;
use engine::ir::Unit;
use spec::{Opcode, Sats, TxOut};
use vm::Item;

/// The state of a run, where machine code finds it. Addresses of cells are numbers, because not all of them are those of
/// cells that exist.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Shared {
    /// The cell of register 0, from which on there is a whole window.
    window: usize,
    /// The cost that is left where machine code ends.
    left: i64,
    /// The first cell of the stack.
    floor: usize,
    /// Where the stack may not grow any more.
    ceiling: usize,
    /// How far the stack has grown at most, as if all slots were on it.
    peak: usize,
    /// The first half of an item that lies in the code.
    constant: u64,
    /// The first byte of the code.
    code: usize,
    /// The outputs of the transaction, and how many.
    outputs: [usize; 2],
    /// The outputs that it spends, and how many.
    spent: [usize; 2],
    /// The instruction that comes after the one that the interpreter has run.
    next: u64,
    state: *mut State<'static, 'static>,
    unit: *const Unit,
}

/// Where the fields are.
pub(crate) const WINDOW: i32 = offset_of!(Shared, window) as i32;
pub(crate) const LEFT: i32 = offset_of!(Shared, left) as i32;
pub(crate) const FLOOR: i32 = offset_of!(Shared, floor) as i32;
pub(crate) const CEILING: i32 = offset_of!(Shared, ceiling) as i32;
pub(crate) const PEAK: i32 = offset_of!(Shared, peak) as i32;
pub(crate) const CONSTANT: i32 = offset_of!(Shared, constant) as i32;
pub(crate) const CODE: i32 = offset_of!(Shared, code) as i32;
pub(crate) const OUTPUTS: i32 = offset_of!(Shared, outputs) as i32;
pub(crate) const SPENT: i32 = offset_of!(Shared, spent) as i32;
pub(crate) const NEXT: i32 = offset_of!(Shared, next) as i32;

/// The layout of an item: see [`Item`].
pub(crate) const CELL: i32 = size_of::<Item>() as i32;
pub(crate) const NUMBER: i32 = 8;
pub(crate) const LEN: i32 = 12;

/// The layout of an output.
pub(crate) const OUTPUT: i64 = size_of::<TxOut>() as i64;
pub(crate) const AMOUNT: i32 = offset_of!(TxOut, value) as i32;

const _: () = assert!(CELL == 16 && size_of::<Sats>() == 8 && align_of::<Sats>() == 8);

/// Machine code: takes the shared state and where to start; gives where the interpreter is to go on, or -1.
pub(crate) type Code = extern "C" fn(*mut Shared, u64) -> i64;

/// Runs `code` from an entry on.
pub(crate) fn run(code: Code, entry: u64, state: &mut State<'_, '_>, unit: &Unit) -> Option<usize> {
    state.ready()?;
    let first = state.kernel().constant(0, 9);
    // SAFETY: an item of 9 bytes is no number, so it is a span, whose first 8 bytes are all in use.
    #[allow(unsafe_code)]
    let constant = unsafe { std::ptr::from_ref(&first).cast::<u64>().read() };
    let outputs = |which, kernel: &vm::Kernel<'_>| {
        let outputs = kernel.valued(which).unwrap_or_default();
        [outputs.as_ptr().expose_provenance(), outputs.len()]
    };
    let mut shared = Shared {
        window: 0,
        left: state.left(),
        floor: 0,
        ceiling: 0,
        peak: 0,
        constant,
        code: state.kernel().code().as_ptr().expose_provenance(),
        outputs: outputs(Opcode::OutputValue, state.kernel()),
        spent: outputs(Opcode::UtxoValue, state.kernel()),
        next: 0,
        state: std::ptr::from_mut(state).cast(),
        unit,
    };
    shared.publish(state);
    let next = code(&raw mut shared, entry);
    shared.absorb(state, shared.left);
    usize::try_from(next).ok()
}

impl Shared {
    /// Shows machine code where the script is.
    fn publish(&mut self, state: &mut State<'_, '_>) {
        let place = state.place();
        let cells = state.cells().as_mut_ptr().expose_provenance();
        let cell = |at: usize| cells.wrapping_add(at.wrapping_mul(size_of::<Item>()));
        self.window = cell(place.base);
        self.floor = cell(State::FLOOR);
        self.ceiling = cell(place.most.saturating_sub(place.elsewhere));
        self.peak = cell(place.peak.wrapping_sub(place.elsewhere));
    }

    /// Tells the interpreter where the script is now.
    fn absorb(&self, state: &mut State<'_, '_>, left: i64) {
        let cells = state.cells().as_ptr().addr();
        let at = |address: usize| address.wrapping_sub(cells) / size_of::<Item>();
        let elsewhere = state.place().elsewhere;
        let peak = self.peak.wrapping_add(elsewhere.wrapping_mul(size_of::<Item>()));
        state.move_to(at(self.window), at(peak));
        state.set_left(left);
    }
}

/// Runs one instruction in the interpreter and gives the cost that is left, or something below 0.
pub(crate) extern "C" fn step(shared: *mut Shared, at: u64, left: i64) -> i64 {
    // SAFETY: machine code passes on what `run` has given it, which lives until that returns; nothing else uses the state
    // or the shared part while machine code runs, and the call is the only user of both while it lasts.
    #[allow(unsafe_code)]
    let (shared, state, unit) = unsafe { (&mut *shared, &mut *(*shared).state, &*(*shared).unit) };
    let one = || {
        shared.absorb(state, left);
        shared.next = state.step(unit, usize::try_from(at).ok()?)? as u64;
        shared.publish(state);
        Some(state.left())
    };
    catch_unwind(AssertUnwindSafe(one)).ok().flatten().unwrap_or(-1)
}

/// Gives an instruction to the kernel, which moves nothing, and gives the cost that is left, or something below 0.
pub(crate) extern "C" fn give(shared: *mut Shared, at: u64, left: i64) -> i64 {
    // SAFETY: as for `step`.
    #[allow(unsafe_code)]
    let (state, unit) = unsafe { (&mut *(*shared).state, &*(*shared).unit) };
    let cost = catch_unwind(AssertUnwindSafe(|| state.give(unit, usize::try_from(at).ok()?)));
    cost.ok().flatten().and_then(|cost| left.checked_sub(cost)).unwrap_or(-1)
}

/// A call that gives an instruction to the kernel on the cells themselves: the shared part, the instruction's [`site`], the
/// cost that is left, two operands and the result. It gives the cost that is left then, or something below 0. An instruction of
/// one operand has none for the second.
pub(crate) type Quick = extern "C" fn(*mut Shared, u64, i64, *const Item, *const Item, *mut Item) -> i64;

/// The place of an instruction, and how often more than the kernel does it charges its result, exactly or bounded.
pub(crate) const fn site(place: usize, again: u8, exact: bool) -> i64 {
    place as i64 | (again as i64) << 32 | (exact as i64) << 40
}

/// What it costs to charge an item as a [`site`] says.
#[inline(always)]
fn charged(site: u64, item: Item) -> u64 {
    let (again, exact) = (site >> 32 & 0xff, site >> 40 != 0);
    match item {
        Item::Int(_) if !exact => 0,
        // What a number in place could be has been charged.
        Item::Bytes(_) if !exact => (item.len() as u64).saturating_sub(8) * again,
        _ => item.len() as u64 * again,
    }
}

macro_rules! quick {
    ($(#[$doc:meta])* $name:ident, $instructions:expr, $run:ident; $($opcode:ident),*) => {
        $(#[$doc])*
        pub(crate) fn $name(opcode: Opcode) -> Option<Quick> {
            match opcode {
                $(Opcode::$opcode => {
                    extern "C" fn call(
                        shared: *mut Shared, site: u64, left: i64, a: *const Item, b: *const Item, d: *mut Item,
                    ) -> i64 {
                        // SAFETY: as for `step`; operands and result are cells of the window, which the kernel does not know
                        // of, and the result is written when the operands are no longer needed. The second may be none.
                        #[allow(unsafe_code)]
                        let (state, a, b) = unsafe { (&mut *(*shared).state, &*a, b.as_ref()) };
                        let kernel = state.kernel();
                        let before = kernel.cost();
                        let Some(item) = kernel.$run(Opcode::$opcode, a, b) else {
                            return otherwise(shared, site & 0xffff_ffff, $instructions, left);
                        };
                        // SAFETY: as above; an item is as large as its two words, and they are a valid one.
                        #[allow(unsafe_code)]
                        unsafe {
                            d.cast::<[u64; 2]>().write(item.words());
                        }
                        left.wrapping_sub((kernel.cost() - before + charged(site, item)).cast_signed())
                    }
                    Some(call)
                })*
                _ => None,
            }
        }
    };
}

quick!(
    /// The call for an instruction that has a quick way. There is one for each, so that nothing is looked up at run time.
    quick, 1, quick; Sha256, Hash256, Hash160, Ripemd160, Sha1, Cat, Add, Sub, Mul, Div, Mod
);
quick!(
    /// The call for `OP_CAT` and the hash of its result, the next instruction.
    quick_pair, 2, quick_pair; Sha256, Hash256, Hash160
);

/// Gives so many instructions to the kernel.
#[cold]
fn otherwise(shared: *mut Shared, at: u64, count: u64, left: i64) -> i64 {
    (at..at + count).fold(left, |left, at| if left < 0 { left } else { give(shared, at, left) })
}

/// Whether two items are the same bytes.
pub(crate) extern "C" fn same(shared: *mut Shared, a: *const Item, b: *const Item) -> i64 {
    // SAFETY: as for `step`; the items are cells of the window.
    #[allow(unsafe_code)]
    let (state, a, b) = unsafe { (&mut *(*shared).state, *a, *b) };
    catch_unwind(AssertUnwindSafe(|| state.kernel().same(a, b))).map_or(0, i64::from)
}

/// Whether an item counts as true.
pub(crate) extern "C" fn truth(shared: *mut Shared, a: *const Item) -> i64 {
    // SAFETY: as for `same`.
    #[allow(unsafe_code)]
    let (state, a) = unsafe { (&mut *(*shared).state, *a) };
    catch_unwind(AssertUnwindSafe(|| state.kernel().is_true(a))).map_or(0, i64::from)
}
