//! What people and machines are shown.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stderr)]

use driver::{Compiled, MemoryWorld, Options, compile};

fn compiled(path: &str, text: &str) -> Compiled {
    compile(&MemoryWorld::new([(path, text)]), &[path.to_owned()], &Options::default())
}

fn shown(text: &str) -> String {
    let mut out = Vec::new();
    compiled("source.bmc", text).render(&mut out, false).unwrap();
    let text = String::from_utf8(out).unwrap();
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_wrong_sum_shows_the_figures_and_the_way_out() {
    insta::assert_snapshot!(shown(
        "reward TextToImage {\n    databases: 30%,\n    compute:   30%,\n    models:    20% { a: 1/2, b: 1/2 },\n    \
         researchers: 15%,\n    infrastructure: 10%,\n    minimum: 20_000 sats,\n    fee: up to 1_000 sats,\n}\n"
    ));
}

#[test]
fn several_mistakes_are_shown_in_source_order_without_noise() {
    insta::assert_snapshot!(shown(
        "contract C(key: PubKey, from: Height) {\n    spend s(sig: Sig) {\n        require key.singed(sig);\n        \
         require from + 5 sats == 3;\n        let x = ;\n    }\n}\n"
    ));
}

#[test]
fn a_missing_file_is_a_diagnostic_too() {
    let compiled = compile(&MemoryWorld::default(), &["gone.bmc".to_owned()], &Options::default());
    let mut out = Vec::new();
    compiled.render(&mut out, false).unwrap();
    insta::assert_snapshot!(String::from_utf8(out).unwrap().trim_end());
}

#[test]
fn a_line_too_long_to_show_is_named_instead() {
    let text = format!("const A: Int = {};", "1 + ".repeat(3_000));
    let shown = shown(&text);
    assert!(shown.contains("source.bmc:1:"), "{shown}");
    assert!(shown.len() < 2_000, "{}", shown.len());
}

#[test]
fn machines_get_every_place_in_bytes_and_in_characters() {
    let json = compiled("source.bmc", "/* äö */ const A: Int = true;").to_json();
    let label = &json[0]["labels"][0];
    assert_eq!(label["file"], "source.bmc");
    assert_eq!((label["line"].as_u64(), label["column"].as_u64()), (Some(1), Some(25)));
    assert_eq!((label["start"].as_u64(), label["end"].as_u64()), (Some(26), Some(30)));
    assert_eq!(json[0]["severity"], "error");
}
