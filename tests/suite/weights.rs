//! Files of weights that models name: hashed by whoever reads files, never by the analysis.

use std::fs;

use driver::{Compiled, MemoryWorld, Options, Session};

use crate::bmc::bmc;

fn model(file: &str) -> String {
    format!(
        "reward Studio {{ all: 100%, minimum: 10_000 sats, fee: up to 1_000 sats }}
         model Tiny {{ weights: file \"{file}\", reward: Studio, license: \"mit\" }}"
    )
}

fn messages(compiled: &Compiled) -> String {
    compiled.diagnostics.iter().map(|found| format!("{} {}\n", found.code, found.message)).collect()
}

#[test]
fn a_weights_file_is_hashed_beside_its_source_and_what_is_missing_is_told_at_its_name() {
    let compile = |file: &str| {
        let text = model(file);
        let world = MemoryWorld::new([("models/tiny.bmc", text.as_str())]).with_file("models/w/tiny.bin", b"weights");
        driver::compile(&world, &["models/tiny.bmc".to_owned()], &Options::default())
    };
    let good = compile("w/tiny.bin");
    assert_eq!(messages(&good), "");
    let digest = hex::encode(spec::hash::sha256(b"weights"));
    assert!(good.expand().contains(&digest), "{}", good.expand());
    for (file, words) in [
        ("tiny.bin", "E0334 there is no file `tiny.bin`"),
        ("../models/w/tiny.bin", "it lies outside the folder of this source"),
        ("/etc/passwd", "it lies outside the folder of this source"),
        ("", "it lies outside"),
    ] {
        let found = compile(file);
        assert!(messages(&found).contains(words), "{file}: {}", messages(&found));
        let place = found.to_json()[0]["labels"][0].clone();
        assert_eq!((&place["line"], place["column"].as_u64().unwrap() > 20), (&2.into(), true), "{place}");
    }
}

#[test]
fn a_session_sees_a_weights_file_that_comes_later() {
    let text = model("tiny.bin");
    let mut session = Session::default();
    session.set("tiny.bmc", text.as_str().into());
    session.load(&MemoryWorld::default());
    assert!(session.compile(&Options::default()).has_errors());
    session.load(&MemoryWorld::default().with_file("tiny.bin", b"late"));
    assert!(!session.compile(&Options::default()).has_errors());
}

#[test]
fn the_command_line_hashes_files_piece_by_piece() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = vec![7u8; 3 * (1 << 20) + 5];
    fs::write(folder.path().join("tiny.bmc"), model("tiny.bin")).unwrap();
    let text = bmc(folder.path(), &["check", "tiny.bmc"]).fails_with(1);
    assert!(text.contains("there is no file `tiny.bin`") && text.contains("tiny.bmc:2:"), "{text}");
    fs::write(folder.path().join("tiny.bin"), &bytes).unwrap();
    let expanded = bmc(folder.path(), &["expand", "tiny.bmc"]).ok();
    assert!(expanded.contains(&hex::encode(spec::hash::sha256(&bytes))));
    fs::remove_file(folder.path().join("tiny.bin")).unwrap();
    fs::create_dir(folder.path().join("tiny.bin")).unwrap();
    let text = bmc(folder.path(), &["check", "tiny.bmc"]).fails_with(1);
    assert!(text.contains("it is not a file"), "{text}");
}
