//! Tells Zed how the language server starts. It knows nothing of the language.

use zed_extension_api::{self as zed, Command, LanguageServerId, Result, Worktree};

struct Bitmodel;

impl zed::Extension for Bitmodel {
    fn new() -> Self {
        Self
    }

    fn language_server_command(&mut self, _: &LanguageServerId, worktree: &Worktree) -> Result<Command> {
        let command = worktree.which("bmc").ok_or("`bmc` is not on the path: install it with `cargo install --locked --path cli`")?;
        Ok(Command { command, args: vec!["lsp".to_owned()], env: worktree.shell_env() })
    }
}

zed::register_extension!(Bitmodel);
