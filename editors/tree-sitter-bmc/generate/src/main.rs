//! Generates the parser in the folder that is the one argument. It does what `tree-sitter generate` does.

use std::process::ExitCode;

use tree_sitter_generate::{OptLevel, generate_parser_in_directory};

/// The version of the parser's tables: the one that reserved words came with.
const ABI: usize = 15;

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("say which folder has the grammar");
        return ExitCode::FAILURE;
    };
    let mut remarks = Vec::new();
    let (out, grammar) = (None::<&str>, None::<&str>);
    let made =
        generate_parser_in_directory(&*folder, out, grammar, ABI, None, None, true, OptLevel::default(), &mut remarks);
    for remark in &remarks {
        eprintln!("{remark}");
    }
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
