//! Random programs and what they mean.

pub mod draw;
pub mod evaluate;
