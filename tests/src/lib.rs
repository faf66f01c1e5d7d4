//! Integration tests live here.
