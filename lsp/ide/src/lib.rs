//! Everything an editor asks, answered in plain structs, one file for each feature.
//! It will know no editor protocol and no threads.
