//! What all pictures need.

pub(crate) use document::escaped;
