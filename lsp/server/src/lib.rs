//! The language server: the protocol, the order of its messages, and the threads behind it.
//! It will know nothing of the language beyond what `ide` answers.
