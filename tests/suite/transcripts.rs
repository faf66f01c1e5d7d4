//! The transcripts of tests/transcripts: one for each command, run as they stand.

use std::fs;
use std::path::Path;

use crate::bmc::{bmc, root};

#[test]
fn every_transcript_is_true() {
    trycmd::TestCases::new()
        .register_bin("bmc", Path::new(env!("CARGO_BIN_EXE_bmc")))
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        // No node is asked, and no setting of whoever runs this is read.
        .env("BMC_RPC", "127.0.0.1:1")
        .env("BMC_DATADIR", "no-such-folder")
        .case("../tests/transcripts/*.md")
        .case("../tests/transcripts/*.toml");
}

#[test]
fn every_command_has_a_transcript() {
    let help = bmc(root(), &["--help"]).ok();
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let folder = root().join("tests/transcripts");
    let all: String = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for line in commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")) {
        let name = line.trim().split(' ').next().unwrap();
        let shown = all.contains(&format!("$ bmc {name}")) || all.contains(&format!("args = [\"{name}\""));
        assert!(shown || name == "help", "tests/transcripts does not show `bmc {name}`");
    }
}
