//! The loop: decode, dispatch, check the limits.

use spec::{OpCost, Opcode};

use crate::error::ScriptError;
use crate::item::{Item, short_int};
use crate::machine::{Machine, Outcome};
use crate::trace::{StackView, Step, Tracer};

/// Why the loop over one piece of code ended.
pub(crate) enum Exit {
    /// The code is at its end.
    End,
    /// The machine has gone into a function.
    Call,
}

impl Machine<'_> {
    /// Runs the code that the machine was given, and all functions it invokes, to its end.
    pub(crate) fn run<T: Tracer>(&mut self, tracer: &mut T) -> Outcome {
        if self.code.bytes().len() > self.rules.limits.script_bytes {
            return Err(ScriptError::ScriptSize);
        }
        let mut next = 0;
        loop {
            let code = self.code.clone();
            match self.run_code(code.bytes(), next, tracer)? {
                Exit::Call => next = 0,
                Exit::End => match self.leave()? {
                    Some(after) => next = after,
                    None => return Ok(()),
                },
            }
        }
    }

    /// The dispatch table. It is one function so that offset and state stay in registers.
    pub(crate) fn run_code<T: Tracer>(
        &mut self,
        code: &[u8],
        from: usize,
        tracer: &mut T,
    ) -> Result<Exit, ScriptError> {
        let mut next = from;
        let mut executing = true;
        let price = self.rules.prices.instruction;
        while let Some(&byte) = code.get(next) {
            self.at = next;
            if T::ACTIVE {
                tracer.step(&self.step(byte, executing));
            }
            self.cost += price;
            next += 1;
            if !executing {
                (next, executing) = self.skip(code, byte, next)?;
                self.check_limits()?;
                continue;
            }
            let Some(opcode) = Opcode::from_byte(byte) else {
                next = self.push_short(code, byte, next)?;
                self.check_limits()?;
                continue;
            };
            match opcode {
                Opcode::N0 => self.push_int(0)?,
                Opcode::PushData1 | Opcode::PushData2 | Opcode::PushData4 => next = self.push_data(code, byte, next)?,
                Opcode::Negate1 => self.push_int(-1)?,
                Opcode::N1
                | Opcode::N2
                | Opcode::N3
                | Opcode::N4
                | Opcode::N5
                | Opcode::N6
                | Opcode::N7
                | Opcode::N8
                | Opcode::N9
                | Opcode::N10
                | Opcode::N11
                | Opcode::N12
                | Opcode::N13
                | Opcode::N14
                | Opcode::N15
                | Opcode::N16 => self.push_one_byte(byte - (Opcode::N1.to_byte() - 1)),
                Opcode::Reserved => return Err(ScriptError::BadOpcode),

                Opcode::Nop => {}
                Opcode::If => executing = self.open_if(true)?,
                Opcode::NotIf => executing = self.open_if(false)?,
                Opcode::Else => executing = self.turn_if()?,
                Opcode::EndIf => executing = self.close_if()?,
                Opcode::Begin => self.open_loop(next)?,
                Opcode::Until => next = self.until()?.unwrap_or(next),
                Opcode::Verify => self.verify()?,
                Opcode::Return => return Err(ScriptError::Return),
                Opcode::Define => self.define()?,
                Opcode::Invoke => {
                    self.invoke(next)?;
                    self.check_limits()?;
                    return Ok(Exit::Call);
                }

                Opcode::ToAltStack => self.push_alt()?,
                Opcode::FromAltStack => self.pop_alt()?,
                Opcode::Drop2 => self.drop_two()?,
                Opcode::Dup2 => self.duplicate(2)?,
                Opcode::Dup3 => self.duplicate(3)?,
                Opcode::Over2 => self.over_two()?,
                Opcode::Rot2 => self.rotate_two()?,
                Opcode::Swap2 => self.swap_two()?,
                Opcode::IfDup => self.if_dup()?,
                Opcode::Depth => self.depth()?,
                Opcode::Drop => self.drop_top()?,
                Opcode::Dup => self.dup()?,
                Opcode::Nip => self.nip()?,
                Opcode::Over => self.over()?,
                Opcode::Pick => self.pick()?,
                Opcode::Roll => self.roll()?,
                Opcode::Rot => self.rotate()?,
                Opcode::Swap => self.swap()?,
                Opcode::Tuck => self.tuck()?,

                Opcode::Cat => self.cat()?,
                Opcode::Split => self.split()?,
                Opcode::Num2Bin => self.num_to_bin()?,
                Opcode::Bin2Num => self.bin_to_num()?,
                Opcode::Size => self.size()?,
                Opcode::Invert => self.invert()?,
                Opcode::And => self.bitwise(|a, b| *a &= b)?,
                Opcode::Or => self.bitwise(|a, b| *a |= b)?,
                Opcode::Xor => self.bitwise(|a, b| *a ^= b)?,
                Opcode::Equal => self.equal()?,
                Opcode::EqualVerify => self.equal_verify()?,
                Opcode::LShiftBin => self.shift_bytes_left()?,
                Opcode::RShiftBin => self.shift_bytes_right()?,
                Opcode::ReverseBytes => self.reverse_bytes()?,
                Opcode::Substr => self.substr()?,
                Opcode::Left => self.left()?,
                Opcode::Right => self.right()?,

                Opcode::Add1 => self.add_one()?,
                Opcode::Sub1 => self.subtract_one()?,
                Opcode::LShiftNum => self.shift_number_left()?,
                Opcode::RShiftNum => self.shift_number_right()?,
                Opcode::Negate => self.negate()?,
                Opcode::Abs => self.abs()?,
                Opcode::Not => self.not()?,
                Opcode::NotEqual0 => self.not_zero()?,
                Opcode::Add => self.add()?,
                Opcode::Sub => self.subtract()?,
                Opcode::Mul => self.multiply()?,
                Opcode::Div => self.divide()?,
                Opcode::Mod => self.modulo()?,
                Opcode::BoolAnd => self.both()?,
                Opcode::BoolOr => self.either()?,
                Opcode::NumEqual => self.compare(|order| order.is_eq())?,
                Opcode::NumEqualVerify => self.number_equal_verify()?,
                Opcode::NumNotEqual => self.compare(|order| order.is_ne())?,
                Opcode::LessThan => self.compare(|order| order.is_lt())?,
                Opcode::GreaterThan => self.compare(|order| order.is_gt())?,
                Opcode::LessThanOrEqual => self.compare(|order| order.is_le())?,
                Opcode::GreaterThanOrEqual => self.compare(|order| order.is_ge())?,
                Opcode::Min => self.minimum()?,
                Opcode::Max => self.maximum()?,
                Opcode::Within => self.within()?,
                Opcode::Mul2 => self.double()?,
                Opcode::Div2 => self.halve()?,

                Opcode::Ripemd160 => self.ripemd160()?,
                Opcode::Sha1 => self.sha1()?,
                Opcode::Sha256 => self.sha256()?,
                Opcode::Hash160 => self.hash160()?,
                Opcode::Hash256 => self.hash256()?,
                Opcode::CodeSeparator => self.separator = next,
                Opcode::CheckSig => self.check_sig()?,
                Opcode::CheckSigVerify => self.check_sig_verify()?,
                Opcode::CheckMultiSig => self.check_multisig()?,
                Opcode::CheckMultiSigVerify => self.check_multisig_verify()?,
                Opcode::CheckDataSig => self.check_data_sig()?,
                Opcode::CheckDataSigVerify => self.check_data_sig_verify()?,

                Opcode::CheckLockTimeVerify => self.check_lock_time()?,
                Opcode::CheckSequenceVerify => self.check_sequence()?,

                Opcode::Ver => self.version_bytes()?,
                Opcode::InputIndex => self.push_int(self.input as i64)?,
                Opcode::ActiveBytecode => self.active_bytecode()?,
                Opcode::TxVersion => self.tx_version()?,
                Opcode::TxInputCount => self.push_int(self.context.tx().inputs.len() as i64)?,
                Opcode::TxOutputCount => self.push_int(self.context.tx().outputs.len() as i64)?,
                Opcode::TxLockTime => self.push_int(i64::from(self.context.tx().locktime))?,
                Opcode::UtxoValue => self.utxo_value()?,
                Opcode::UtxoBytecode => self.utxo_bytecode()?,
                Opcode::OutpointTxHash => self.outpoint_tx_hash()?,
                Opcode::OutpointIndex => self.outpoint_index()?,
                Opcode::InputBytecode => self.input_bytecode()?,
                Opcode::InputSequenceNumber => self.input_sequence()?,
                Opcode::OutputValue => self.output_value()?,
                Opcode::OutputBytecode => self.output_bytecode()?,
                Opcode::UtxoTokenCategory => self.utxo_token_category()?,
                Opcode::UtxoTokenCommitment => self.utxo_token_commitment()?,
                Opcode::UtxoTokenAmount => self.utxo_token_amount()?,
                Opcode::OutputTokenCategory => self.output_token_category()?,
                Opcode::OutputTokenCommitment => self.output_token_commitment()?,
                Opcode::OutputTokenAmount => self.output_token_amount()?,

                Opcode::Nop1
                | Opcode::Nop4
                | Opcode::Nop5
                | Opcode::Nop6
                | Opcode::Nop7
                | Opcode::Nop8
                | Opcode::Nop9
                | Opcode::Nop10 => self.discouraged_nop()?,
            }
            self.check_limits()?;
        }
        // A conditional that skips to the end is still open, which `leave` refuses.
        Ok(Exit::End)
    }

    #[inline]
    fn check_limits(&self) -> Outcome {
        if self.stack.len() > self.room {
            return Err(ScriptError::SlotLimit);
        }
        if self.cost > self.cost_budget {
            return Err(ScriptError::CostLimit);
        }
        Ok(())
    }

    fn step(&self, byte: u8, executing: bool) -> Step<'_> {
        Step {
            phase: self.phase,
            at: self.at,
            depth: self.frames.len(),
            function: self.frames.last().map(|frame| frame.callee),
            byte,
            executing,
            stack: self.main_view(),
            alt: self.alt_view(),
            cost: OpCost::new(self.cost),
        }
    }

    pub(crate) fn main_view(&self) -> StackView<'_> {
        StackView::new(&self.memory, &self.stack)
    }

    pub(crate) fn alt_view(&self) -> StackView<'_> {
        StackView::new(&self.memory, &self.alt)
    }

    /// Follows control flow in the branch not taken; gives where the code goes on and whether it runs there.
    /// The rules freeze which bytes matter here: any other is passed over.
    fn skip(&mut self, code: &[u8], byte: u8, next: usize) -> Result<(usize, bool), ScriptError> {
        match Opcode::from_byte(byte) {
            Some(Opcode::If | Opcode::NotIf) => self.open_skipped_if()?,
            Some(Opcode::Else) => return Ok((next, self.turn_if()?)),
            Some(Opcode::EndIf) => return Ok((next, self.close_if()?)),
            Some(Opcode::Begin) => self.open_loop(next)?,
            Some(Opcode::Until) => self.close_skipped_loop()?,
            _ if byte <= Opcode::PushData4.to_byte() => {
                let data = self.pushed(code, byte, next)?;
                return Ok((data.1, false));
            }
            _ => {}
        }
        Ok((next, false))
    }

    /// The data of a push and where the code goes on.
    #[inline]
    fn pushed<'c>(&self, code: &'c [u8], byte: u8, from: usize) -> Result<(&'c [u8], usize), ScriptError> {
        let rest = code.get(from..).unwrap_or_default();
        let (len, prefix) = match (byte, rest) {
            (0..=0x4b, _) => (usize::from(byte), 0),
            (0x4c, [a, ..]) => (usize::from(*a), 1),
            (0x4d, [a, b, ..]) => (usize::from(u16::from_le_bytes([*a, *b])), 2),
            (0x4e, [a, b, c, d, ..]) => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 4),
            _ => return Err(ScriptError::TruncatedPush),
        };
        let data = rest.get(prefix..).and_then(|rest| rest.get(..len)).ok_or(ScriptError::TruncatedPush)?;
        if len > self.rules.limits.item_bytes {
            return Err(ScriptError::ItemSize);
        }
        Ok((data, from + prefix + len))
    }

    /// A byte without a name: a push of 1 to 75 bytes, or nothing that can run. Gives where the code goes on.
    #[inline]
    fn push_short(&mut self, code: &[u8], byte: u8, next: usize) -> Result<usize, ScriptError> {
        if byte > 0x4b {
            return Err(ScriptError::BadOpcode);
        }
        let len = usize::from(byte);
        let data = code.get(next..next + len).ok_or(ScriptError::TruncatedPush)?;
        match (data, short_int(data)) {
            ([1..=16 | 0x81], _) => return Err(ScriptError::NonMinimalPush),
            (_, Some(n)) => {
                self.cost += u64::from(byte);
                self.stack.push(Item::Int(n));
            }
            (_, None) => self.push(self.memory.span(self.code.source, next, len))?,
        }
        Ok(next + len)
    }

    /// A push with a length prefix; gives where the code goes on.
    fn push_data(&mut self, code: &[u8], byte: u8, next: usize) -> Result<usize, ScriptError> {
        let (data, after) = self.pushed(code, byte, next)?;
        let shortest = match byte {
            0x4c => data.len() > 75,
            0x4d => data.len() > 255,
            _ => data.len() > 65_535,
        };
        if !shortest {
            return Err(ScriptError::NonMinimalPush);
        }
        self.push(self.memory.span(self.code.source, after - data.len(), data.len()))?;
        Ok(after)
    }

    /// A number of one byte.
    #[inline]
    fn push_one_byte(&mut self, n: u8) {
        self.cost += 1;
        self.stack.push(Item::Int(i64::from(n)));
    }
}
