//! The transcripts of tests/transcripts: one for each command, run as they stand.

use std::fs;
use std::path::Path;

use crate::bmc::{bmc, root};
use crate::support::Devnet;

/// The pages run with the binary, without colours and without any setting of whoever runs this.
fn cases() -> trycmd::TestCases {
    let cases = trycmd::TestCases::new();
    cases
        .register_bin("bmc", Path::new(env!("CARGO_BIN_EXE_bmc")))
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .env("BMC_DATADIR", "no-such-folder");
    cases
}

#[test]
fn every_transcript_is_true() {
    // No node is asked.
    cases().env("BMC_RPC", "127.0.0.1:1").case("../tests/transcripts/*.md").case("../tests/transcripts/*.toml");
}

#[test]
fn the_transcript_of_a_devnet_is_true() {
    let devnet = Devnet::start();
    cases()
        .env("BMC_RPC", &devnet.rpc)
        .env("BMC_COOKIE", devnet.cookie.to_str().unwrap())
        .case("../tests/transcripts/devnet/*.md");
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
