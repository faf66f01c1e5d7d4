//! Scripts that check signatures.

use spec::opcode::Opcode::{self, *};
use spec::script::{push_data, push_int};

use super::{Draw, Known};
use crate::case::Push;
use crate::sign::{KEYS, Signature, Signed, public, public_hash, public_long};

/// All, none or one of the outputs, perhaps with what is spent, perhaps of any inputs.
const KINDS: [u32; 8] = [0x41, 0x41, 0x61, 0x42, 0x43, 0xc1, 0xc3, 0x62];

impl Draw {
    /// A contract as it is deployed, or checks between other instructions.
    pub(super) fn signed(&mut self, pushes: &mut Vec<Push>) {
        if self.random.one_in(3) {
            return self.contract(pushes);
        }
        self.left = 24;
        for _ in 0..=self.random.below(2) {
            let count = self.random.below(6);
            self.steps(count);
            if self.random.one_in(3) {
                let body = self.body(Self::check);
                let id = self.define(&body);
                push_int(&mut self.out, id);
                self.op(Invoke);
            } else {
                self.check();
            }
        }
    }

    /// A check of one of the kinds, which leaves its truth.
    fn check(&mut self) {
        match self.random.below(8) {
            0..3 => {
                let signature = self.signature(None);
                self.fetch(signature);
                self.key(signature);
                self.op(CheckSig);
            }
            3..5 => self.check_data(),
            _ => self.check_several(),
        }
        self.items.push(Known::Number);
        if self.random.one_in(3) {
            self.op(Verify);
            self.pop(1);
        }
    }

    fn check_data(&mut self) {
        let len = self.random.pick(&[0, 5, 9, 32, 80], 5);
        let data: Vec<u8> = (0..len).map(|at| at as u8).collect();
        let signature = self.signature(Some(data.clone()));
        self.fetch(signature);
        // No hole is as short, or is in a function: what is signed is the same in all deployments.
        push_data(&mut self.out, data.get(..2).unwrap_or_default());
        if let Some(rest) = data.get(2..) {
            for piece in rest.chunks(2) {
                push_data(&mut self.out, piece);
                self.op(Cat);
            }
        }
        self.key(signature);
        self.op(CheckDataSig);
    }

    /// `OP_CHECKMULTISIG` in one of its two modes.
    fn check_several(&mut self) {
        let (keys, by_bits) = (1 + self.random.below(3), self.random.one_in(2));
        let signing: Vec<usize> = (0..keys).filter(|_| self.random.below(4) > 0).collect();
        let bits = signing.iter().fold(0, |bits, at| bits | 1 << at);
        push_int(&mut self.out, if by_bits { bits } else { 0 });
        let first = self.random.below(KEYS);
        for at in &signing {
            let number = self.signature(None);
            if let Some(signature) = self.signatures.get_mut(number) {
                (signature.key, signature.schnorr) = (first + at, by_bits);
            }
            self.fetch(number);
        }
        push_int(&mut self.out, signing.len() as i64);
        for at in 0..keys {
            push_data(&mut self.out, &public(first + at));
        }
        push_int(&mut self.out, keys as i64);
        self.op(CheckMultiSig);
    }

    /// A new signature, of the transaction or of data.
    fn signature(&mut self, data: Option<Vec<u8>>) -> usize {
        let kind = self.random.pick(&KINDS, 0x41);
        let of = data.map_or(Signed::Script { from: self.separator, kind }, Signed::Data);
        let changed = self.random.one_in(12).then(|| self.random.below(512));
        let (key, schnorr) = (self.random.below(KEYS), self.random.one_in(2));
        self.signatures.push(Signature { key, schnorr, of, changed });
        self.signatures.len() - 1
    }

    /// Copies a signature from the bottom of the stack.
    fn fetch(&mut self, number: usize) {
        self.op(Depth);
        push_int(&mut self.out, number as i64 + 1);
        self.op(Sub);
        self.op(Pick);
    }

    fn key(&mut self, number: usize) {
        let key = self.signatures.get(number).map_or(0, |signature| signature.key);
        let long = self.random.one_in(4);
        push_data(&mut self.out, &if long { public_long(key) } else { public(key) });
    }

    /// One of the contracts that everybody uses. Its input pushes little, so the signatures pay for it.
    fn contract(&mut self, pushes: &mut Vec<Push>) {
        pushes.clear();
        self.items.clear();
        let signature = self.signature(None);
        let key = self.signatures.get(signature).map_or(0, |signature| signature.key);
        match self.random.below(4) {
            0 => {
                pushes.push(Push::Bytes(public(key)));
                self.hashed(&[Dup, Hash160], &public_hash(key));
                self.op(CheckSig);
            }
            1 => {
                push_data(&mut self.out, &public(key));
                self.op(CheckSig);
            }
            2 => self.contract_of_hash(key, pushes),
            _ => self.contract_of_values(key, pushes),
        }
        self.items.push(Known::Number);
    }

    fn hashed(&mut self, opcodes: &[Opcode], hash: &[u8]) {
        opcodes.iter().for_each(|opcode| self.op(*opcode));
        push_data(&mut self.out, hash);
        self.op(EqualVerify);
    }

    /// Who knows the preimage of a hash, or waits long enough.
    fn contract_of_hash(&mut self, key: usize, pushes: &mut Vec<Push>) {
        let preimage = [9; 32];
        let known = self.random.one_in(2);
        if known {
            pushes.push(Push::Bytes(preimage.to_vec()));
        }
        pushes.push(Push::Bytes(if known { vec![1] } else { Vec::new() }));
        self.op(If);
        // The hash is made, so that another deployment has the same.
        push_data(&mut self.out, &[9]);
        for _ in 0..5 {
            self.op(Dup);
            self.op(Cat);
        }
        self.op(EqualVerify);
        self.op(Else);
        push_int(&mut self.out, 400);
        self.op(CheckLockTimeVerify);
        self.op(Drop);
        self.op(EndIf);
        push_data(&mut self.out, &public(key));
        self.op(CheckSig);
    }

    /// Who pays at least so much on.
    fn contract_of_values(&mut self, key: usize, pushes: &mut Vec<Push>) {
        pushes.push(Push::Bytes(vec![1]));
        self.op(OutputValue);
        let least = self.random.pick(&[100, 127, 128, 1_000], 100);
        push_int(&mut self.out, least);
        self.op(GreaterThanOrEqual);
        self.op(Verify);
        push_data(&mut self.out, &public(key));
        self.op(CheckSig);
    }
}
