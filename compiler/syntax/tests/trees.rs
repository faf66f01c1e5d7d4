//! Sound texts give the trees they mean.

mod support;

use support::{corpus, expr};
use syntax::ast::{ExprKind, Item, Member, StmtKind};
use syntax::{TokenKind, Word, WordClass, lex, parse};

#[test]
fn the_sound_corpus_has_no_diagnostics() {
    for (name, text) in corpus("ok") {
        let parse = parse(&text);
        assert_eq!(parse.diagnostics, [], "{name}");
        assert!(!parse.file.items.iter().any(|item| matches!(item, Item::Error(_))), "{name}");
    }
}

#[test]
fn the_sound_corpus_gives_the_trees_beside_it() {
    for (name, text) in corpus("ok") {
        let outline: String = parse(&text).file.items.iter().map(support::outline).collect();
        insta::with_settings!({
            snapshot_path => support::corpus_dir("ok"),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(name.as_str(), format!("{text}\n{outline}"));
        });
    }
}

#[test]
fn signs_bind_as_in_rust() {
    let check = |text: &str, tree: &str| {
        let source = format!("const X: Int = {text};");
        let parse = parse(&source);
        assert_eq!(parse.diagnostics, [], "{text}");
        let [Item::Const(item)] = parse.file.items.as_slice() else { panic!("{text}") };
        assert_eq!(expr(&item.value), tree, "{text}");
    };
    check("a + b * c", "(+ a (* b c))");
    check("a - b - c", "(- (- a b) c)");
    check("(a - (b - c))", "(- a (- b c))");
    check("-a.b[0] * 2", "(* (- a.b[0]) 2)");
    check("a || b && c == d | e ^ f & g << h", "(|| a (&& b (== c (| d (^ e (& f (<< g h)))))))");
    check("a mod b mod c", "(mod (mod a b) c)");
    check("!a == b", "(== (! a) b)");
    check("a.mod(b).split(c)", "a.mod(b).split(c)");
    check("x::y(1,)[..n]", "x::y(1)[..n]");
    check("k + 1 of [a] signed(s)", "(+ k (1 of [a] (s)))");
}

#[test]
fn words_of_the_domain_are_names_elsewhere() {
    let text = "fn f(by: Int, of: Int, height: Int, coin: Int, model: Int) -> Int {
        let up = by + of - height * coin;
        let to = [up, after, time];
        to[0] + model
    }";
    assert_eq!(parse(text).diagnostics, []);
}

#[test]
fn every_word_that_is_no_keyword_names_things_everywhere() {
    let template = "
        struct S<W> { W: Int, other: m::W }
        enum E { W, Other(W), Third { W: Int } }
        const W: Int = W + W::W;
        fn W(W: Int) -> W {
            let W = W + W * -W;
            let (W, mut x) = (W, W);
            let S { W, other: W, .. } = W;
            W = W;
            W.W.0 = W[W];
            W(W, W.W, W.W(W), W[W..W], [W, W], [W; W]);
            let s = S { W: W, other: W };
            let t = S { W };
            let u = W { x: W };
            for W in W { W(); }
            for i in W..W max W { W(); }
            for r in W where W == W { W(); }
            while W max W { W(); }
            match W { W => W, W::W => W, W(W) => { W } W { W } => W, }
            if W { W(); } else if W == W { W(); } else { W(); }
            continue { W: W } with value W, tokens W;
            require W && !W, \"W\";
            split W by W;
            W();
            return W;
            (W)
        }
        contract W(W: Int) {
            state { W: W }
            spend W(W: W) { require W; W }
        }
        reward W { W: 5%, b: W, c: W { W: W }, d: up to W, e: by W after W, f: W.W }
        plan W(W: Int) {
            input W: W.W(W: W, W);
            let W = W;
            output W { W: W, W };
            output each W in W { W };
            output data [W, W];
            locktime W;
            age W W;
        }";
    for word in Word::ALL.iter().filter(|word| word.class() != WordClass::Keyword) {
        let text = template.replace('W', word.text());
        let parse = parse(&text);
        let told: Vec<String> = parse
            .diagnostics
            .iter()
            .map(|found| {
                let span = parse.resolve(&found.labels[0].loc).unwrap();
                format!("{}: `{}`", found.message, text[..span.end as usize].lines().last().unwrap_or_default())
            })
            .collect();
        if !told.is_empty() {
            println!("{}: {told:#?}", word.text());
        }
    }
}

#[test]
fn an_if_at_the_end_is_the_value_only_when_a_branch_has_one() {
    let check = |body: &str, is_tail: bool| {
        let parse = parse(&format!("fn f() {{ {body} }}"));
        assert_eq!(parse.diagnostics, []);
        let [Item::Fn(item)] = parse.file.items.as_slice() else { panic!("{body}") };
        assert_eq!(item.body.tail.is_some(), is_tail, "{body}");
    };
    check("if a { 1 } else { 2 }", true);
    check("if a { b(); } else if c { 1 } else { d(); }", true);
    check("if a { b(); } else { c(); }", false);
    check("if a { b(); }", false);
    check("if a { 1 } else { 2 };", false);
}

#[test]
fn spans_count_from_the_item_and_cover_what_is_written() {
    let text = "const A: Int = 1;\n\n/// doc\ncontract C() {\n    spend s() { require (a + b) * 2 == 4; }\n}\n";
    let parse = parse(text);
    let island = &parse.islands[1];
    let own = &text[island.range.range()];
    let Item::Contract(contract) = &parse.file.items[1] else { panic!() };
    assert_eq!(&own[contract.span.range()], &own[8..]);
    assert_eq!(&own[contract.docs[0].span.range()], "/// doc");
    let Member::Spend(spend) = &contract.members[0] else { panic!() };
    assert_eq!(&own[spend.body.span.range()], "{ require (a + b) * 2 == 4; }");
    let StmtKind::Require { cond, .. } = &spend.body.stmts[0].kind else { panic!() };
    assert_eq!(&own[cond.span.range()], "(a + b) * 2 == 4");
    let ExprKind::Binary { left, .. } = &cond.kind else { panic!() };
    assert_eq!(&own[left.span.range()], "(a + b) * 2");
}

#[test]
fn an_edit_in_one_item_leaves_the_trees_of_the_others_untouched() {
    let before = parse("fn a() { 1 }\nfn b() { 2 }\n");
    let after = parse("fn a() { 1 + 1000 }\n\n// far\nfn b() { 2 }\n");
    assert_eq!(before.file.items[1], after.file.items[1]);
    assert_eq!(before.islands[1].key, after.islands[1].key);
}

#[test]
fn docs_reach_the_nodes_they_stand_before() {
    let parse = parse("//! file\n/// item\nreward R {\n /// entry\n a: rest }");
    assert_eq!(&*parse.file.docs[0].text, "file");
    let Item::Reward(reward) = &parse.file.items[0] else { panic!() };
    assert_eq!(&*reward.docs[0].text, "item");
    assert_eq!(&*reward.entries[0].docs[0].text, "entry");
}

#[test]
fn tokens_have_the_kinds_they_look_like() {
    let check = |text: &str, kinds: &[TokenKind]| {
        let found: Vec<TokenKind> = lex(text).iter().map(|(kind, _)| kind).collect();
        assert_eq!(found, kinds, "{text}");
    };
    check("0..3", &[TokenKind::Int, TokenKind::Range, TokenKind::Int]);
    check("1.5%", &[TokenKind::Percent]);
    check("0xzz", &[TokenKind::Bytes]);
    check("\"a\\\"", &[TokenKind::UnclosedStr]);
    check("\"a\\\\\"", &[TokenKind::Str]);
    check("/* /* */", &[TokenKind::UnclosedComment]);
    check("////", &[TokenKind::LineComment]);
    check("#$€", &[TokenKind::Error]);
}
