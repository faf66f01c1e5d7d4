//! Generates the parser from `src/grammar.lalrpop`.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    lalrpop::Configuration::new()
        .use_cargo_dir_conventions()
        .emit_rerun_directives(true)
        .emit_comments(false)
        .emit_whitespace(false)
        .log_quiet()
        .process()
}
