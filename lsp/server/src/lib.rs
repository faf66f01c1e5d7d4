//! The language server: the protocol, the order of its messages, and the threads behind it.
//! It knows nothing of the language beyond what `ide` answers, and of the disk what [`ide::Ground`] shows.
//!
//! ```text
//! stdin ─► tower-lsp ─► Ordered: a ticket for each message ─► handlers enqueue ─► owner thread, in order of tickets
//!                                                                                   │ edits: applied at once
//!                                                                                   ├ questions: a snapshot each ─► pool
//!                                                                                   └ what changed: out of the state ─► costs
//! ```
//!
//! Handlers await nothing but their own answer. An edit and `$/cancelRequest` both stop what is being computed.

mod actions;
mod answers;
mod backend;
mod capabilities;
mod convert;
mod coster;
mod documents;
mod lenses;
mod ordered;
mod owner;
mod pool;
mod report;
mod tokens;
mod wire;

use std::sync::Arc;

use ide::Ground;
use tower_lsp::{LspService, Server};

use crate::backend::Backend;
use crate::ordered::Ordered;
use crate::wire::Wire;

/// Serves one client over standard input and output until it leaves. Says whether it left as the protocol wants.
///
/// # Errors
/// If the system gives no threads.
pub fn serve(ground: Arc<dyn Ground>) -> std::io::Result<bool> {
    let input = Wire::of_stdin()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let clean = runtime.block_on(async {
        let (tickets, line) = ordered::line();
        let (service, socket) = LspService::build(|client| Backend::new(client, ground, line, tickets.aside()))
            .custom_method(wire::MALFORMED, Backend::malformed)
            .finish();
        let (service, left) = Ordered::new(service, tickets);
        let server = Server::new(input, tokio::io::stdout(), socket).concurrency_level(ordered::MESSAGES_MAX);
        tokio::select! {
            () = server.serve(service) => {}
            () = left.gone() => {}
        }
        left.was_announced()
    });
    // Standard input may be open still, and a thread reads it.
    runtime.shutdown_background();
    Ok(clean)
}
