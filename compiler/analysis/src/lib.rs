//! `analysis`.
