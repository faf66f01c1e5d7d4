//! Adds up multiples of many points of secp256k1 faster than one after the other.
//!
//! It knows nothing of signatures, keys and hashes, and nothing here is secret: all work depends on the data.

mod field;
mod scalar;

mod point;

mod buckets;
mod sum;

pub use point::Point;
pub use scalar::{Products, Scalar};
pub use sum::Sum;
