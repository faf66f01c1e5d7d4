//! Compiles register code to machine code with Cranelift, with the verdict and the cost of the register interpreter.
//!
//! It knows nothing of bytecode, blocks and of when compiling pays. It is the only crate with `unsafe`. Machine code does
//! what works on numbers in place, and moves; all else is a call of the register interpreter, and so is whatever goes on
//! after a number has become too long. On machines that it has no code for it compiles nothing.

#[cfg(all(unix, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod at;
#[cfg(all(unix, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod calls;
#[cfg(all(unix, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod compile;
#[cfg(all(unix, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod emit;
#[cfg(all(unix, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod ops;
#[cfg(all(unix, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod segment;

#[cfg(all(unix, any(target_arch = "x86_64", target_arch = "aarch64")))]
pub use compile::Jit;

#[cfg(not(all(unix, any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod none;
#[cfg(not(all(unix, any(target_arch = "x86_64", target_arch = "aarch64"))))]
pub use none::Jit;
