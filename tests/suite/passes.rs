//! What passes win: the first figure is that of direct code, the last that of a build.

use std::collections::BTreeMap;
use std::fs;

use driver::{MemoryWorld, Options, Packages, Pass, Session};
use spec::artifact::Level;

use crate::bmc::{bmc, root};

const SOURCES: [&str; 7] = [
    "examples/htlc/htlc.bmc",
    "examples/escrow/escrow.bmc",
    "examples/multisig/treasury.bmc",
    "examples/vault/vault.bmc",
    "examples/text-to-image-reward/text_to_image.bmc",
    "tests/codegen/mecenas.bmc",
    "tests/contracts/functions.bmc",
];

fn opened(path: &str) -> Session {
    let text = fs::read_to_string(root().join(path)).unwrap();
    Session::open(&MemoryWorld::new([("a.bmc", text.as_str())]), Packages::default(), &["a.bmc".to_owned()])
}

/// The bytes and the greatest bound of each contract, as it is built.
fn built(session: &Session, options: &Options) -> BTreeMap<String, (usize, Option<u64>)> {
    let artifacts = session.compile(options).artifacts;
    let cost = |artifact: &spec::Artifact| artifact.paths.iter().filter_map(|path| path.cost_bound).max();
    artifacts.iter().map(|one| (one.contract.clone(), (one.usual_script_bytes(), cost(one)))).collect()
}

fn figures(pass: Option<&Pass>) -> (usize, Option<u64>) {
    pass.map(|pass| (pass.bytes, pass.cost_bound)).unwrap()
}

#[test]
fn the_passes_lead_from_direct_code_to_the_script_of_a_build() {
    let (mut contracts, mut shorter) = (0, BTreeMap::<&str, usize>::new());
    for path in SOURCES {
        let session = opened(path);
        let [o0, o1] = [Level::O0, Level::O1].map(|level| Options { level, ..Options::default() });
        let (direct, best) = (built(&session, &o0), built(&session, &o1));
        for (contract, figure) in &best {
            let passes = session.passes(contract, &o1);
            assert_eq!(figures(passes.first()), direct[contract], "{path} {contract}: {passes:?}");
            assert_eq!(figures(passes.last()), *figure, "{path} {contract}: {passes:?}");
            assert_eq!(session.passes(contract, &o0), passes[..1], "{path} {contract}");
            for pair in passes.windows(2).filter(|pair| pair[1].bytes < pair[0].bytes) {
                *shorter.entry(pair[1].name).or_default() += 1;
            }
            contracts += 1;
        }
    }
    assert!(contracts >= SOURCES.len());
    for name in ["computations and instructions", "order of operands", "joined paths"] {
        assert!(shorter.contains_key(name), "no contract is shorter by `{name}`: {shorter:?}");
    }
}

#[test]
fn the_command_prints_a_line_for_each_pass() {
    let table = bmc(root(), &["build", "examples/escrow", "--emit", "passes", "--level", "O1"]).ok();
    let names: Vec<&str> = table.lines().skip(1).filter_map(|line| line.split("  ").next()).collect();
    let expected = [
        "direct code",
        "computations and instructions",
        "fewer checks",
        "order of arguments",
        "order of operands",
        "parameters inside pushes",
        "constants by their hash",
        "shared functions",
        "joined paths",
    ];
    assert_eq!(names.iter().map(|name| name.trim()).collect::<Vec<_>>(), expected, "{table}");
    assert!(table.contains(" → "), "{table}");
    let json = bmc(root(), &["--json", "build", "examples/escrow", "--emit", "passes", "--level", "O1"]).ok();
    let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(rows.as_array().unwrap().len(), expected.len());
    assert!(rows[0]["bytes"].as_u64() > rows[8]["bytes"].as_u64());
    let whole = bmc(root(), &["build", "examples/escrow", "--emit", "passes", "--no-hash-lowering"]).ok();
    assert!(!whole.contains("constants by their hash"), "{whole}");
}
