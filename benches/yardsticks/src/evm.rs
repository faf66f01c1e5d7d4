//! The loop as bytecode of the Ethereum virtual machine, interpreted by revm. It always counts gas.

use std::error::Error;

use revm_interpreter::bytecode::Bytecode;
use revm_interpreter::host::DummyHost;
use revm_interpreter::instructions::{gas_table, instruction_table};
use revm_interpreter::interpreter::{EthInterpreter, ExtBytecode};
use revm_interpreter::primitives::Bytes;
use revm_interpreter::primitives::hardfork::SpecId;
use revm_interpreter::{InputsImpl, InstructionResult, Interpreter, SharedMemory};

const STOP: u8 = 0x00;
const ADD: u8 = 0x01;
const MUL: u8 = 0x02;
const SUB: u8 = 0x03;
const LT: u8 = 0x10;
const GT: u8 = 0x11;
const XOR: u8 = 0x18;
const JUMPI: u8 = 0x57;
const JUMPDEST: u8 = 0x5b;
const PUSH0: u8 = 0x5f;
const PUSH1: u8 = 0x60;
const PUSH8: u8 = 0x67;
const DUP1: u8 = 0x80;
const DUP2: u8 = 0x81;
const DUP3: u8 = 0x82;
const DUP4: u8 = 0x83;
const SWAP1: u8 = 0x90;
const SWAP2: u8 = 0x91;

/// Where a turn begins: behind the push of the number of turns and two zeros.
const TURN: u8 = 11;
/// Where a sum jumps to that has overflowed. It is no place to jump to, so that ends in a failure.
const NOWHERE: u8 = 0xff;

/// What follows the push of the number of turns, with what is on the stack behind it, the top on the right.
const BODY: &[u8] = &[
    PUSH0, PUSH0, JUMPDEST, // i sum most
    SWAP1, DUP3, ADD, // i most sum
    DUP3, DUP2, LT, PUSH1, NOWHERE, JUMPI, // an unsigned sum that is less than what was added has overflowed
    SWAP1, DUP1, DUP3, XOR, // i sum most most^sum
    DUP2, DUP4, GT, MUL, XOR, // i sum most, which is the sum now if that is greater
    SWAP2, PUSH1, 1, SWAP1, SUB, SWAP2, // i sum most
    DUP3, PUSH1, TURN, JUMPI, STOP,
];

/// The greatest sum.
pub fn run(turns: i64) -> Result<i64, Box<dyn Error>> {
    let code = [&[PUSH8], turns.to_be_bytes().as_slice(), BODY].concat();
    let code = ExtBytecode::new(Bytecode::new_raw(Bytes::from(code)));
    let (memory, inputs) = (SharedMemory::new(), InputsImpl::default());
    let mut interpreter = Interpreter::<EthInterpreter>::new(memory, code, inputs, false, SpecId::default(), u64::MAX);
    let (table, gas) = (instruction_table::<EthInterpreter, DummyHost>(), gas_table());
    let action = interpreter.run_plain(&table, &gas, &mut DummyHost::default());
    match action.instruction_result() {
        Some(InstructionResult::Stop) => {
            let most = interpreter.stack.data().last().ok_or("the stack is empty")?;
            Ok(i64::try_from(*most)?)
        }
        other => Err(format!("the loop ends with {other:?}").into()),
    }
}
