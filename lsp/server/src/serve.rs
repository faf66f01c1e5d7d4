//! The server's life: from the first byte of standard input until the client leaves.

use std::sync::Arc;

use ide::Ground;
use tower_lsp::{LspService, Server};

use crate::backend::Backend;
use crate::ordered::{self, Ordered};
use crate::wire::{self, Wire};

/// Serves one client over standard input and output until it leaves. Says whether it left as the protocol wants.
///
/// # Errors
/// If the system gives no threads.
pub fn serve(ground: Arc<dyn Ground>) -> std::io::Result<bool> {
    let input = Wire::of_stdin()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
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
