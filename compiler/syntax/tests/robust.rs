//! Hostile and half-written texts: nothing panics, nothing is lost, neighbours keep their trees.

mod support;

use proptest::prelude::*;
use support::{corpus, programs};
use syntax::ast::{Block, DEPTH_MAX, Expr, ExprKind, Item, Member, Stmt, StmtKind};
use syntax::{Code, ISLANDS_MAX, Parse, Span, Word, islands, lex, parse};

/// What must hold for every text.
fn check_laws(text: &str) -> Parse {
    let tokens = lex(text);
    let back: String = tokens.iter().map(|(_, span)| &text[span.range()]).collect();
    assert_eq!(back, text, "lexing lost something");
    let parse = parse(text);
    assert_eq!(parse.islands.len(), parse.file.items.len());
    assert!(parse.diagnostics.len() <= 101);
    let mut end = 0;
    for island in &parse.islands {
        assert!(island.range.start >= end, "islands overlap");
        end = island.range.end;
        assert!(text.get(island.range.range()).is_some());
    }
    for diagnostic in &parse.diagnostics {
        for label in &diagnostic.labels {
            let span = parse.resolve(&label.loc).expect("the item exists");
            assert!(text.get(span.range()).is_some(), "{diagnostic:?}");
        }
        assert!(!diagnostic.message.ends_with('.'), "{}", diagnostic.message);
        assert!(diagnostic.message.len() < 200, "{}", diagnostic.message);
    }
    parse
}

#[test]
fn deleting_any_token_leaves_the_other_items_their_trees() {
    let small = corpus("ok").into_iter().map(|file| (file, 1));
    // All of these would take a minute; which ones are left out differs from file to file.
    let large = programs().into_iter().map(|file| (file, 5));
    for (number, ((name, text), step)) in small.chain(large).enumerate() {
        let whole = parse(&text);
        for (at, (_, span)) in lex(&text).iter().enumerate().skip(number % step).step_by(step) {
            let mut edited = text.clone();
            edited.replace_range(span.range(), "");
            let broken = check_laws(&edited);
            let what = format!("{name}: token {at} `{}` at {span:?}", &text[span.range()]);
            assert!(broken.diagnostics.len() <= 2, "{what}: {:#?}\n{edited}", messages(&broken));
            for (item, island) in whole.file.items.iter().zip(&whole.islands) {
                if !may_change(&text, island.range, span) {
                    let kept = broken.file.items.contains(item);
                    assert!(kept, "{what} changes {}: {:#?}", island.key, messages(&broken));
                }
            }
        }
    }
}

/// The statements of a block and of the blocks inside of it.
fn stmts<'t>(block: &'t Block, found: &mut Vec<&'t Stmt>) {
    for stmt in &block.stmts {
        found.push(stmt);
        match &stmt.kind {
            StmtKind::If(branch) => {
                stmts(&branch.then, found);
                branch.otherwise.iter().for_each(|otherwise| stmts(otherwise, found));
            }
            StmtKind::For(repeat) => stmts(&repeat.body, found),
            StmtKind::While(repeat) => stmts(&repeat.body, found),
            StmtKind::Match(choice) => choice.arms.iter().for_each(|arm| stmts(&arm.body, found)),
            _ => {}
        }
    }
}

#[test]
fn a_statement_that_lacks_a_token_gives_at_most_one_message() {
    let mut tried = 0;
    for (name, text) in corpus("ok").into_iter().chain(programs()) {
        let whole = parse(&text);
        let mut lines = Vec::new();
        for (item, island) in whole.file.items.iter().zip(&whole.islands) {
            let mut found = Vec::new();
            match item {
                Item::Fn(function) => stmts(&function.body, &mut found),
                Item::Contract(contract) => contract.members.iter().for_each(|member| match member {
                    Member::Fn(function) => stmts(&function.body, &mut found),
                    Member::Spend(spend) => stmts(&spend.body, &mut found),
                    _ => {}
                }),
                _ => {}
            }
            let plain = found.iter().map(|stmt| &text[stmt.span.shifted(island.range.start).range()]);
            lines.extend(plain.filter(|line| !line.contains(['{', '}', '\n'])));
        }
        for line in lines.into_iter().step_by(3) {
            for (_, span) in lex(line).iter().filter(|(kind, _)| !kind.is_trivia()) {
                let mut broken = line.to_owned();
                broken.replace_range(span.range(), "");
                let parse = check_laws(&format!("fn f() {{ let before = 1; {broken} let after = 2; }}"));
                tried += 1;
                let what = format!("{name}: {broken}: {:#?}", messages(&parse));
                assert!(parse.diagnostics.len() <= 1, "{what}");
            }
        }
    }
    assert!(tried > 1_000, "{tried}");
}

fn messages(parse: &Parse) -> Vec<&str> {
    parse.diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect()
}

/// An item may change when the deleted token touches it, or when a deleted line break joins it, or a
/// declaration whose documentation it then inherits, to a comment.
fn may_change(text: &str, island: Span, deleted: Span) -> bool {
    let touches = island.start <= deleted.end && deleted.start <= island.end;
    let between = deleted.end.min(island.start)..island.start;
    let joined = text[deleted.range()].contains('\n')
        && text[between.start as usize..between.end as usize].trim().lines().count() <= 1;
    touches || (deleted.end <= island.start && joined)
}

#[test]
fn a_half_written_file_never_panics() {
    for (_, text) in corpus("ok").into_iter().chain(corpus("err")) {
        for (at, _) in text.char_indices() {
            check_laws(&text[..at]);
        }
    }
}

#[test]
fn a_broken_file_keeps_the_laws() {
    for (_, text) in corpus("err") {
        check_laws(&text);
    }
}

fn has_code(parse: &Parse, code: Code) -> bool {
    parse.diagnostics.iter().any(|diagnostic| diagnostic.code == code)
}

/// The nodes on the deepest branch.
fn depth(expr: &Expr) -> u32 {
    let below = match &expr.kind {
        ExprKind::Binary { left, right, .. } => depth(left).max(depth(right)),
        ExprKind::Unary { operand, .. } => depth(operand),
        ExprKind::Field { base, .. } => depth(base),
        ExprKind::Array(items) | ExprKind::Tuple(items) => items.iter().map(depth).max().unwrap_or(0),
        ExprKind::Element { base, .. } => depth(base),
        ExprKind::Struct(literal) => literal.fields.iter().map(|field| depth(&field.value)).max().unwrap_or(0),
        ExprKind::Match(choice) => {
            let bodies = choice.arms.iter().filter_map(|arm| arm.body.tail.as_deref()).map(depth);
            bodies.chain([depth(&choice.value)]).max().unwrap_or(0)
        }
        _ => 0,
    };
    below + 1
}

#[test]
fn deep_texts_give_one_message_and_shallow_trees() {
    let check = |text: String| {
        let parse = check_laws(&text);
        assert!(has_code(&parse, Code::E0012), "{}", &text[..40]);
        let count = parse.diagnostics.len();
        assert!(count <= 3, "{}: {count}: {:#?}", &text[..40], messages(&parse));
        if let Some(Item::Const(item)) = parse.file.items.first() {
            assert!(depth(&item.value) <= DEPTH_MAX);
        }
    };
    let n = 100_000;
    check(format!("const A: Int = a{};", " + a".repeat(n)));
    check(format!("const A: Int = {}a;", "-".repeat(n)));
    check(format!("const A: Int = a{};", ".b".repeat(n)));
    check(format!("const A: Int = {}1{};", "(".repeat(n), ")".repeat(n)));
    check(format!("const A: Int = {}1{};", "[".repeat(n), "]".repeat(n)));
    check(format!("const A: Int = {}1{};", "(1, ".repeat(n), ")".repeat(n)));
    check(format!("const A: Int = {}1{};", "P { x: ".repeat(n), " }".repeat(n)));
    check(format!("const A: Int = {}1{};", "match a { _ => ".repeat(n), " }".repeat(n)));
    check(format!("const A: Int = {}1{};", "match ".repeat(n), " { _ => 1 }".repeat(n)));
    check(format!("const A: Int = a{};", ".0".repeat(n)));
    check(format!("const A: Int = a{};", ".0.1".repeat(n)));
    check(format!("fn f() {{ let {}x{} = 1; }}", "(".repeat(n), ",)".repeat(n)));
    check(format!("fn f() {{ let {}x{} = 1; }}", "P { x: ".repeat(n), " }".repeat(n)));
    check(format!("fn f() {{ let {}x{} = 1; }}", "Some(".repeat(n), ")".repeat(n)));
    check(format!("fn f() {{ {} }}", "for x in a { ".repeat(n)));
    check(format!("fn f() {{ {} }}", "while a { ".repeat(n)));
    check(format!("fn f() {{ {}{} }}", "match a { A => { ".repeat(n), "} } ".repeat(n)));
    check(format!("fn f() {{ continue {}1{}; }}", "{ x: ".repeat(n), " }".repeat(n)));
    check(format!("fn f(x: {}Int{}) {{ }}", "(Int, ".repeat(n), ")".repeat(n)));
    check(format!("enum E {{ A({}Int{}) }}", "[".repeat(n), "; 1]".repeat(n)));
    check(format!("plan p() {{ output x {}1{}; }}", "{ x: ".repeat(n), " }".repeat(n)));
    check(format!("model M {{ {} }}", "a: price { ".repeat(n)));
    check(format!("imi M {{ {} }}", "a: { ".repeat(n)));
    check(format!("const A: {}Int{} = 1;", "A<".repeat(n), ">".repeat(n)));
    check(format!("fn f() {{ {} }}", "if a { ".repeat(n)));
    check(format!("fn f() {{ {}{} }}", "if a { ".repeat(n), "} ".repeat(n)));
    check(format!("fn f() {{ if a {{ }} {} }}", "else if b { } ".repeat(n)));
    check(format!("fn f() {{ {} }}", "{".repeat(n)));
    check(format!("reward R {{ {} }}", "a: 1 { ".repeat(n)));
    check(format!("fn f() {{ {}1{} }}", "f(".repeat(n), ")".repeat(n)));
}

#[test]
fn a_sum_just_within_the_limit_is_no_error() {
    let sum = |terms: usize| format!("const A: Int = a{};", " + a".repeat(terms - 1));
    assert_eq!(parse(&sum(DEPTH_MAX as usize)).diagnostics, []);
    assert!(has_code(&parse(&sum(DEPTH_MAX as usize + 1)), Code::E0012));
}

#[test]
fn only_the_first_hundred_messages_are_kept_and_the_others_counted() {
    let parse = check_laws(&"fn f() { let = 1; }\n".repeat(150));
    assert_eq!(parse.diagnostics.len(), 101);
    assert_eq!(parse.diagnostics[100].code, Code::E0016);
    assert!(parse.diagnostics[100].message.contains("50"));
    let one_body = format!("fn f() {{ {} }}", "let = 1;\n".repeat(150));
    assert_eq!(check_laws(&one_body).diagnostics.len(), 101);
}

#[test]
fn a_file_of_too_many_items_ends_in_one_rest() {
    let parse = parse(&"const A: Int = 1;\n".repeat(ISLANDS_MAX + 10));
    assert_eq!(parse.file.items.len(), ISLANDS_MAX + 1);
    assert!(has_code(&parse, Code::E0017));
}

/// Ten million bytes of each kind of garbage. A quadratic step anywhere would take hours.
#[test]
fn ten_megabytes_of_garbage_are_read_in_linear_time() {
    let unit_texts = [
        "a ",
        "a\n",
        "; ",
        "{ ",
        "} ",
        "( ",
        "fn ",
        "fn f ",
        "fn f() { ",
        "contract C { spend s() { ",
        "/// d\n",
        "//! d\n",
        "const A ",
        "let x = a\n",
        "\" ",
        "/*",
        "é#",
        "+ ",
        "- ",
        "use ",
        "a: ",
        "reward R { a: 1 { ",
        "if ",
        "else ",
        "0x",
        "1_ ",
        "1 x ",
        ". ",
        ":: ",
        "match x { ",
        "A => ",
        "a => b\n",
        "let P { ",
        "P { x: 1 } ",
        "P<",
        "a < ",
        "x.0.1",
        "state { ",
        "allow(a); ",
        "struct S { ",
        "enum E { A ",
        "plan p() { input x: ",
        "output each r in ",
        "with { ",
        "continue ",
        "asm (a: ",
        "asm () { 1 ",
        "model M { a: price ",
        "imo A for B { at b: ",
        "a b c: 1 of [",
        "for i in 0..n max ",
    ];
    for unit in unit_texts {
        let half_a_megabyte = unit.repeat(500_000 / unit.len());
        check_laws(&half_a_megabyte);
        check_laws(&format!("fn f() {{ {half_a_megabyte}"));
    }
    let mut state = 1_u64;
    let random: String = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from((state >> 57) as u8)
    })
    .take(10_000_000)
    .collect();
    check_laws(&random);
}

fn word() -> impl Strategy<Value = String> {
    let signs = [
        "(", ")", "[", "]", "{", "}", ",", ";", ":", "::", ".", "..", "->", "=", "==", "<", ">", ">>", "+", "-", "*",
        "/", "!", "&&", "|", "1", "0.5", "20%", "0xab", "\"s\"", "\"", "a", "Int", "coin", "// c\n", "/* c */", "/*",
        "/// d\n", "#", "\n", "é",
    ];
    prop_oneof![
        proptest::sample::select(signs.to_vec()).prop_map(str::to_string),
        proptest::sample::select(Word::ALL).prop_map(|word| word.text().to_string()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_keeps_the_laws(text in any::<String>()) {
        check_laws(&text);
    }

    #[test]
    fn any_bytes_keep_the_laws(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check_laws(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_soup_of_words_keeps_the_laws(words in prop::collection::vec(word(), 0..120)) {
        check_laws(&words.join(" "));
    }

    #[test]
    fn soup_in_one_body_leaves_the_next_item_alone(words in prop::collection::vec(word(), 0..40)) {
        let soup = words.join(" ").replace("/*", "").replace(['{', '}'], "");
        let parse = check_laws(&format!("fn before() {{ }}\nfn f() {{ {soup}\n}}\nfn last() {{ 1 }}\n"));
        let alone = syntax::parse("fn last() { 1 }");
        prop_assert!(parse.file.items.last() == alone.file.items.last());
    }
}

#[test]
fn islands_hold_every_significant_token() {
    for (name, text) in corpus("ok").into_iter().chain(corpus("err")) {
        let tokens = lex(&text);
        let found = islands(&tokens, &text);
        for (kind, span) in tokens.iter() {
            let held = found.iter().any(|island| island.range.start <= span.start && span.end <= island.range.end);
            assert!(held || kind.is_trivia() || kind.is_doc(), "{name}: {kind:?} at {span:?}");
        }
    }
}
