//! `bmc fmt`: what it does to files, and that no layout changes a compiled byte.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use driver::Options;
use tests::compile_with;

use crate::bmc::{bmc, root};
use crate::levels::corpus;
use crate::programs::name_of;

const UGLY: &str = "contract  Lock( owner:PubKey ){\n spend take(sig:Sig){require owner.signed( sig );} // why\n}\n";
const PRETTY: &str =
    "contract Lock(owner: PubKey) {\n    spend take(sig: Sig) { require owner.signed(sig); } // why\n}\n";

#[test]
fn the_layout_of_a_program_never_changes_the_bytes_it_compiles_to() {
    let mut compared = 0;
    for path in corpus() {
        let text = fs::read_to_string(&path).unwrap();
        // A line for each brace and comma: a layout that nobody wrote.
        let tokens = syntax::lex(&text);
        let pieces = tokens.iter().map(|(_, span)| text[span.range()].trim());
        let ends_line = |piece: &str| ["{", "}", ","].contains(&piece) || piece.starts_with("//");
        let scattered: String = pieces.flat_map(|piece| [piece, if ends_line(piece) { "\n" } else { " " }]).collect();
        let scripts = |text: &str| {
            let compiled = compile_with(name_of(&path), text, &Options::default());
            let scripts = compiled.artifacts.into_iter().map(|artifact| (artifact.contract, artifact.bytecode));
            scripts.collect::<Vec<_>>()
        };
        let expected = scripts(&text);
        compared += expected.len();
        for text in [text, scattered] {
            assert_eq!(scripts(&format::format(&text).unwrap()), expected, "{}", path.display());
        }
    }
    assert!(compared > 100, "{compared} contracts");
}

#[test]
fn what_users_read_is_laid_out_so() {
    for folder in ["examples", "stdlib"] {
        let ran = bmc(root(), &["fmt", "--check", folder]);
        assert_eq!(ran.code, Some(0), "run `bmc fmt {folder}`:\n{}", ran.stdout);
    }
}

#[test]
fn files_are_written_and_a_second_run_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lock.bmc");
    fs::write(&file, UGLY).unwrap();
    let ran = bmc(folder.path(), &["fmt", "--check"]);
    assert_eq!(ran.code, Some(1));
    for line in ["--- lock.bmc", "-contract  Lock( owner:PubKey ){", "+contract Lock(owner: PubKey) {"] {
        assert!(ran.stdout.contains(line), "{}", ran.stdout);
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), UGLY, "nothing was to change");
    assert_eq!(bmc(folder.path(), &["fmt"]).ok(), "formatted lock.bmc\n");
    assert_eq!(fs::read_to_string(&file).unwrap(), PRETTY);
    assert_eq!(bmc(folder.path(), &["fmt"]).ok(), "");
    assert_eq!(bmc(folder.path(), &["fmt", "--check"]).ok(), "");
    let json = bmc(folder.path(), &["fmt", "--json"]).ok();
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(report, serde_json::json!([{ "file": "lock.bmc", "changed": false }]));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside the file");
}

#[test]
fn a_file_that_cannot_be_parsed_stays_and_the_others_are_formatted() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.bmc"), "contract Open( {").unwrap();
    fs::write(folder.path().join("b.bmc"), UGLY).unwrap();
    let ran = bmc(folder.path(), &["fmt"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), "formatted b.bmc\n"));
    assert!(ran.stderr.contains("a.bmc:1:"), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(folder.path().join("a.bmc")).unwrap(), "contract Open( {");
    fs::write(folder.path().join("c.bmc"), [0xff]).unwrap();
    assert!(bmc(folder.path(), &["fmt", "c.bmc"]).fails_with(1).contains("c.bmc"));
    assert!(bmc(folder.path(), &["fmt", "none.bmc"]).fails_with(1).contains("none.bmc"));
}

/// What `bmc fmt` makes of standard input.
fn piped(args: &[&str], text: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bmc"))
        .args(args)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Who is called wrongly ends before it reads.
    let _unread = child.stdin.take().unwrap().write_all(text.as_bytes());
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn an_editor_pipes_text_through_it() {
    assert_eq!(piped(&["fmt", "-"], UGLY), (Some(0), PRETTY.to_owned()));
    assert_eq!(piped(&["fmt", "-", "--check"], PRETTY), (Some(0), String::new()));
    assert_eq!(piped(&["fmt", "-", "--check"], UGLY).0, Some(1));
    assert_eq!(piped(&["fmt", "-"], "contract {"), (Some(1), String::new()));
    assert_eq!(piped(&["fmt", "-", "lock.bmc"], UGLY).0, Some(2));
}

#[test]
fn some_lines_alone_are_changed() {
    let two = "const A:Int = 1;\nconst B:Int = 2;\nconst C:Int = 3;\n";
    let (code, text) = piped(&["fmt", "-", "--lines", "2"], two);
    assert_eq!((code, text.as_str()), (Some(0), "const A:Int = 1;\nconst B: Int = 2;\nconst C:Int = 3;\n"));
    assert_eq!(
        piped(&["fmt", "-", "--lines", "2-3"], two).1,
        "const A:Int = 1;\nconst B: Int = 2;\nconst C: Int = 3;\n"
    );
    assert_eq!(piped(&["fmt", "-", "--lines", "3-2"], two).0, Some(2));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.bmc"), two).unwrap();
    fs::write(folder.path().join("b.bmc"), two).unwrap();
    assert!(bmc(folder.path(), &["fmt", "--lines", "1"]).fails_with(2).contains("--lines"));
}
