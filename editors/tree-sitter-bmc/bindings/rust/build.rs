//! Compiles the parser that is generated from grammar.js, and the scanner of comments.

fn main() {
    let files = ["src/parser.c", "src/scanner.c"];
    cc::Build::new().std("c11").include("src").files(files).warnings(false).compile("tree-sitter-bmc");
    for file in files {
        println!("cargo::rerun-if-changed={file}");
    }
}
