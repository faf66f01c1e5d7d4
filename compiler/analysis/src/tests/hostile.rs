//! Sources that try to exhaust the checker.

use super::{checked, codes};
use syntax::Code;

#[test]
fn a_long_chain_of_constants_is_computed_without_recursion() {
    let mut text: String = (0..15_000).map(|index| format!("const C{index}: Int = C{} + 1;\n", index + 1)).collect();
    text.push_str("const C15000: Int = 1;");
    assert_eq!(codes(&checked(&text).1), []);
}

#[test]
fn a_long_chain_of_calls_is_followed_without_recursion() {
    let mut text: String =
        (0..15_000).map(|index| format!("fn f{index}(x: Int) -> Int {{ f{}(x) }}\n", index + 1)).collect();
    text.push_str("fn f15000(x: Int) -> Int { x } contract C(x: Int) { spend s(y: Int) { require f0(x) == y; } }");
    assert_eq!(codes(&checked(&text).1), []);
}

#[test]
fn large_constants_are_not_copied_without_end() {
    let uses = "require A == x;".repeat(2_000);
    let hex = "00".repeat(9_000);
    let text = format!("const A: Bytes = 0x{hex}; contract C(k: PubKey) {{ spend s(x: Bytes) {{ {uses} }} }}");
    assert!(codes(&checked(&text).1).contains(&Code::E0213));
}

#[test]
fn growing_constants_stop_growing() {
    let mut text = String::from("const C0: Int = 1_000_000; const B0: Bytes = 0x00112233;");
    for index in 1..60 {
        text.push_str(&format!("const C{index}: Int = C{0} * C{0}; const B{index}: Bytes = B{0} + B{0};", index - 1));
    }
    assert!(codes(&checked(&text).1).contains(&Code::E0208));
}

#[test]
fn many_divisions_are_refused() {
    let sources: String = (0..200).map(|index| format!("s{index}: 1/200, ")).collect();
    let paths: String = (0..300).map(|index| format!("spend p{index}() {{ split self.value by R; }}")).collect();
    let text = format!("reward R {{ {sources} minimum: 1 coin, fee: up to 1 sats }} contract C() {{ {paths} }}");
    assert!(codes(&checked(&text).1).contains(&Code::E0213));
}

#[test]
fn many_mistakes_give_a_hundred_messages_and_a_count() {
    let text = format!("contract C() {{ spend s() {{ {} }} }}", "require nope;".repeat(100_000));
    let analysis = checked(&text).1;
    assert_eq!(analysis.diagnostics.len(), 101);
    assert_eq!(analysis.diagnostics[100].message, "99900 more messages about this item are not shown");
}

#[test]
fn many_branches_and_signatures_are_compared_in_linear_time() {
    let args: Vec<_> = (0..20_000).map(|index| format!("s{index}: Sig")).collect();
    let uses: String =
        (0..20_000).map(|index| format!("if a {{ require k.signed(s{index}); }} else {{ require a; }}")).collect();
    let text = format!("contract C(k: PubKey, a: Bool) {{ spend s({}) {{ {uses} }} }}", args.join(", "));
    assert_eq!(codes(&checked(&text).1), []);
}

#[test]
fn deleting_any_token_never_panics() {
    let text = include_str!("../../../../tests/types/reward_ok.bmc").to_owned()
        + include_str!("../../../../tests/types/covenants.bmc");
    let tokens = syntax::lex(&text);
    for index in 0..tokens.len() {
        let span = tokens.span(index);
        let mut cut = text.clone();
        cut.replace_range(span.range(), "");
        let (parse, analysis) = checked(&cut);
        for found in &analysis.diagnostics {
            for label in &found.labels {
                assert!(parse.resolve(&label.loc).is_some_and(|span| cut.get(span.range()).is_some()), "{found:?}");
            }
        }
    }
}
