//! What the server asks of the client by itself: settings, and to be told of what happens to files.

use std::sync::Arc;

use tower_lsp::Client;
use tower_lsp::lsp_types::{DidChangeWatchedFilesRegistrationOptions, FileSystemWatcher, GlobPattern, Registration};

use crate::backend::{Backend, Shared};
use crate::config::{self, Config};

impl Backend {
    /// Asks the client what is set, once it has time, and shows what follows from that.
    pub(crate) fn pull_config(&self) {
        let (client, shared) = (self.client.clone(), Arc::clone(&self.shared));
        tokio::spawn(async move {
            let Some(config) = config::pulled(&client).await else { return };
            if shared.config.set(config) {
                refresh_hints(client, &shared).await;
            }
        });
    }

    /// Takes what the client has sent by itself, and shows what follows from that.
    pub(crate) fn take_config(&self, config: Config) {
        if self.shared.config.set(config) {
            let (client, shared) = (self.client.clone(), Arc::clone(&self.shared));
            tokio::spawn(async move { refresh_hints(client, &shared).await });
        }
    }

    /// Asks the client to say when settings change.
    pub(crate) fn follow_settings(&self) {
        let client = self.client.clone();
        let registration = Registration {
            id: "settings".to_owned(),
            method: "workspace/didChangeConfiguration".to_owned(),
            register_options: Some(serde_json::json!({ "section": "bmc" })),
        };
        tokio::spawn(async move { client.register_capability(vec![registration]).await });
    }

    /// Asks the client to say when sources change that it has not opened.
    pub(crate) fn watch(&self) {
        let client = self.client.clone();
        let patterns = ["**/*.bmc", "**/bmc.toml", "**/bmc.lock"];
        let watchers = patterns
            .map(|pattern| FileSystemWatcher { glob_pattern: GlobPattern::String(pattern.to_owned()), kind: None });
        let options = DidChangeWatchedFilesRegistrationOptions { watchers: watchers.into() };
        let registration = Registration {
            id: "watch".to_owned(),
            method: "workspace/didChangeWatchedFiles".to_owned(),
            register_options: serde_json::to_value(options).ok(),
        };
        // The client answers when it likes.
        tokio::spawn(async move { client.register_capability(vec![registration]).await });
    }
}

/// Asks the client to ask for inlay hints again, if it can be asked.
async fn refresh_hints(client: Client, shared: &Shared) {
    if shared.settings().refreshes_hints {
        let _ = client.inlay_hint_refresh().await;
    }
}
