//! Scripts that aim at what engines do in ways of their own.

use spec::opcode::Opcode::{self, *};
use spec::script::{push_data, push_int};
use spec::{Mode, Rules};

use super::{Draw, Known};
use crate::inputs::EDGES;

/// What becomes of a long item.
const ENDS: [&[Opcode]; 4] = [&[Sha256], &[Size, Nip], &[Bin2Num], &[Dup, Equal]];

impl Draw {
    /// A few parts, with a few other instructions between them.
    pub(super) fn aimed(&mut self) {
        self.left = 30;
        for _ in 0..=self.random.below(3) {
            match self.random.below(9) {
                0 | 1 => self.carried(),
                2 => self.sizes(),
                3 => self.alt_through_a_loop(),
                4 => self.reach_in_a_loop(),
                5 => self.uneven(),
                6 => self.defined_in_a_conditional(),
                7 => self.called_in_a_loop(),
                _ => self.limits(),
            }
            let count = self.random.below(4);
            self.steps(count);
        }
    }

    fn ops(&mut self, opcodes: &[Opcode]) {
        for opcode in opcodes {
            self.op(*opcode);
        }
    }

    /// A number at the border of 8 bytes, or whatever the input has pushed.
    fn edge(&mut self) {
        match self.random.below(4) {
            0 if self.items.last() == Some(&Known::Number) => {}
            1 => {
                let n = self.random.pick(&EDGES, 0);
                self.int(n);
            }
            2 => {
                let n = i64::MAX - self.random.below(6) as i64;
                self.int(n);
            }
            _ => {
                let n = self.random.below(6) as i64 - i64::MAX;
                self.int(n);
            }
        }
    }

    /// `OP_BEGIN` … `OP_UNTIL` of so many turns, whose count is on the top between its turns.
    fn counted(&mut self, turns: i64, body: impl FnOnce(&mut Self)) {
        push_int(&mut self.out, turns);
        self.op(Begin);
        self.deep += 1;
        body(self);
        self.deep -= 1;
        self.ops(&[Sub1, Dup, Not, Until, Drop]);
    }

    /// A sum, product or the like that a loop carries over the border of 8 bytes and back.
    fn carried(&mut self) {
        self.want(1);
        self.edge();
        let step = self.random.pick(&[1, -1, 2, -2, 3, 1 << 31, 1 << 62, -(1 << 62), i64::MAX, 0], 1);
        self.int(step);
        let turns = 1 + self.random.below(6) as i64;
        self.counted(turns, |draw| {
            draw.ops(&[ToAltStack, Tuck]);
            let opcode = draw.random.pick(&[Add, Add, Sub, Sub, Mul, Min, Max, Div, Mod], Add);
            draw.op(opcode);
            draw.aside();
            draw.ops(&[Swap, FromAltStack]);
        });
        self.op(Drop);
        self.pop(1);
        self.pop(1);
        self.items.push(Known::Number);
    }

    /// What happens to a carried number besides, now and then only in some turns.
    fn aside(&mut self) {
        match self.random.below(8) {
            0 => self.op(Negate),
            1 => self.op(Add1),
            2 => {
                let most = self.random.pick(&[7, 8, 9], 8);
                self.ops(&[Size]);
                push_int(&mut self.out, most);
                self.ops(&[GreaterThan, If, Drop]);
                let n = self.random.pick(&EDGES, 0);
                push_int(&mut self.out, n);
                self.op(EndIf);
            }
            3 => self.ops(&[Dup, N2, Mod, If, Sub1, Else, Add1, EndIf]),
            4 => self.ops(&[Dup, N0, LessThan, If, Abs, EndIf]),
            5 => self.ops(&[N9, Num2Bin, Bin2Num]),
            6 => self.ops(&[Dup, ToAltStack, FromAltStack, Max]),
            _ => {}
        }
    }

    /// Numbers as bytes of about 8, and bytes of about 8 as numbers.
    fn sizes(&mut self) {
        self.want(1);
        self.edge();
        for _ in 0..=self.random.below(4) {
            let len = 6 + self.random.below(5) as i64;
            match self.random.below(7) {
                0 => {
                    push_int(&mut self.out, len);
                    self.ops(&[Num2Bin, Bin2Num]);
                }
                1 => self.ops(&[Add1]),
                2 => self.ops(&[Sub1]),
                3 => {
                    push_int(&mut self.out, len);
                    self.ops(&[Num2Bin, ReverseBytes, Bin2Num]);
                }
                4 => self.ops(&[Size, N2, Div, Split, Cat, Bin2Num]),
                5 => self.ops(&[Dup, Bin2Num, Dup, Equal, Drop]),
                _ => self.ops(&[Dup, Size, Nip, N8, LessThanOrEqual, If, Dup, Add, Else, N2, Div, EndIf]),
            }
        }
        if self.random.one_in(2) {
            self.ops(&[Size]);
            self.items.push(Known::Number);
        }
    }

    /// Items that lie on the alt stack while a loop turns, and that its turns change.
    fn alt_through_a_loop(&mut self) {
        let count = 1 + self.random.below(3);
        for _ in 0..count {
            self.edge();
            self.op(ToAltStack);
            self.pop(1);
        }
        let turns = 1 + self.random.below(4) as i64;
        self.counted(turns, |draw| {
            draw.op(FromAltStack);
            let opcode = draw.random.pick(&[Add1, Sub1, Negate, Not, Dup, Sha256], Add1);
            match opcode {
                Dup => draw.ops(&[Dup, Add]),
                opcode => draw.op(opcode),
            }
            // In other turns another item is on the top of the alt stack.
            if count > 1 && draw.random.one_in(2) {
                draw.ops(&[FromAltStack, Swap, ToAltStack, ToAltStack]);
            } else {
                draw.op(ToAltStack);
            }
        });
        for _ in 0..count {
            self.op(FromAltStack);
            self.items.push(Known::Bytes);
        }
    }

    /// `OP_PICK` and `OP_ROLL` whose depth is the count of a loop.
    fn reach_in_a_loop(&mut self) {
        self.want(4);
        let turns = 1 + self.random.below(self.items.len().min(6)) as i64;
        self.counted(turns, |draw| match draw.random.below(5) {
            0 => draw.ops(&[Dup, Pick, Drop]),
            1 => draw.ops(&[Dup, Roll, Swap]),
            2 => draw.ops(&[Dup, Dup, Sub, Pick, Over, NumEqualVerify]),
            3 => draw.ops(&[Dup, Pick, Size, Nip, Drop]),
            _ => draw.ops(&[Depth, Sub1, Pick, Drop, Dup, Sub1, N1, Add, Roll, Swap]),
        });
        self.items.iter_mut().for_each(|item| *item = Known::Bytes);
    }

    /// Ways through a conditional that leave stacks of different depths, after which a loop makes them equal.
    fn uneven(&mut self) {
        self.want(2);
        let depth = self.items.len() as i64;
        self.edge();
        self.op(If);
        self.pop(1);
        for _ in 0..self.random.below(4) {
            let n = self.random.pick(&EDGES, 0);
            push_int(&mut self.out, n);
        }
        if self.random.one_in(3) {
            self.ops(&[Depth, N1, Sub, Pick]);
        }
        self.op(Else);
        self.ops(&[Drop, N1, If, N7, N8, EndIf]);
        self.op(EndIf);
        if self.random.one_in(4) {
            // How deep it is nobody knows now.
            self.pop(1);
            return;
        }
        // At the bottom lie what pays for the script, and signatures, which are not counted here.
        let below = 1 + self.signatures.len() as i64;
        self.ops(&[N0, N0, N0, Begin, Drop, Depth]);
        push_int(&mut self.out, depth + below);
        self.ops(&[LessThanOrEqual, Until]);
    }

    /// One name with a function of its own in each way through a conditional.
    fn defined_in_a_conditional(&mut self) {
        self.want(2);
        let mut bodies = Vec::new();
        for _ in 0..2 {
            let (items, alt) = (self.items.clone(), self.alt.clone());
            let count = 1 + self.random.below(3);
            bodies.push(self.body(|draw| draw.steps(count)));
            (self.items, self.alt) = (items, alt);
        }
        let id = self.functions;
        self.functions += 1;
        self.edge();
        self.op(If);
        self.pop(1);
        for (number, body) in bodies.iter().enumerate() {
            if number > 0 {
                self.op(Else);
            }
            push_data(&mut self.out, body);
            push_int(&mut self.out, id);
            self.op(Define);
            if self.random.one_in(4) {
                push_int(&mut self.out, id);
                self.op(Invoke);
            }
        }
        self.op(EndIf);
        push_int(&mut self.out, id);
        self.op(Invoke);
        self.items.truncate(1);
    }

    /// A function, taken in or not, that a loop calls, and perhaps one that it calls itself.
    fn called_in_a_loop(&mut self) {
        self.want(1);
        self.edge();
        let inner = self.body(Self::aside);
        let inner = self.define(&inner);
        let body = self.body(|draw| {
            draw.aside();
            draw.called(inner);
            let opcode = draw.random.pick(&[Add1, Sub1, Negate, ActiveBytecode], Add1);
            draw.op(opcode);
            if opcode == ActiveBytecode {
                draw.ops(&[Size, Nip, Add]);
            }
        });
        let outer = self.define(&body);
        let turns = 1 + self.random.below(4) as i64;
        self.counted(turns, |draw| {
            draw.op(Swap);
            draw.called(outer);
            draw.op(Swap);
        });
    }

    /// A call whose name is written down, or made, so that the function cannot be taken in.
    fn called(&mut self, id: i64) {
        push_int(&mut self.out, id);
        if self.random.one_in(2) {
            self.ops(&[InputIndex, Add]);
        }
        self.op(Invoke);
    }

    /// Up to a limit, or just over it: of what is open at once, of items, or of the bytes of one.
    fn limits(&mut self) {
        let limits = Rules::new(self.set, Mode::Consensus).limits;
        let near = self.random.below(5);
        match self.random.below(3) {
            0 => {
                let id = self.functions;
                let body = self.body(|draw| {
                    draw.ops(&[Sub1, Dup, If]);
                    push_int(&mut draw.out, id);
                    draw.ops(&[Invoke, EndIf]);
                });
                self.define(&body);
                // Each turn opens a call and a conditional.
                self.int((limits.control_depth / 2 + near) as i64 - 2);
                push_int(&mut self.out, id);
                self.op(Invoke);
            }
            1 if limits.slots <= 1_000 => {
                self.want(3);
                let (items, filled) = (self.items.len(), 1 + self.signatures.len());
                let times = (limits.slots + near).saturating_sub(items + filled + 2) / 3;
                self.ops(&vec![Dup3; times]);
            }
            _ => {
                self.want_numbers(1);
                push_int(&mut self.out, (limits.item_bytes + near) as i64 - 3);
                self.op(Num2Bin);
                let opcodes = self.random.pick(&ENDS, &[Size, Nip]);
                self.ops(opcodes);
                self.pop(1);
                self.items.push(Known::Bytes);
            }
        }
    }
}
