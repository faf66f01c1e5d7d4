//! One case for each kind of action at least: what it makes of a source.

/// The name of the kind, the source with its marks, and the source afterwards.
pub(super) const CASES: &[(&str, &str, &str)] = &[
    // Fixes that diagnostics carry.
    ("correct_name", "fn f(number: Int) -> Int { $0numbr }", "fn f(number: Int) -> Int { number }"),
    ("correct_sign", "struct P { x: Int$0; y: Int }", "struct P { x: Int, y: Int }"),
    ("add_sign", "fn f(a: Int) -> Int {\n    let b = a$0\n    b\n}", "fn f(a: Int) -> Int {\n    let b = a;\n    b\n}"),
    ("add_unit", "fn f(a: Coin) -> Bool { a > $00.5 }", "fn f(a: Coin) -> Bool { a > 0.5 coin }"),
    ("make_comment", "fn f() -> Int {\n    $0/// one\n    1\n}", "fn f() -> Int {\n    // one\n    1\n}"),
    ("underscore", "fn f(a: Int) -> Int { let $0b = 1; a }", "fn f(a: Int) -> Int { let _b = 1; a }"),
    (
        "remove_dead",
        "fn f(a: Int) -> Int {\n    return a;\n    $0let b = 1;\n}",
        "fn f(a: Int) -> Int {\n    return a;\n}",
    ),
    ("demand", "fn f(a: Int) { $0a > 1; }", "fn f(a: Int) { require a > 1; }"),
    (
        "remove_arm",
        "fn f(a: Bool) -> Int {\n    match a {\n        true => 1,\n        false => 2,\n        $0_ => 3,\n    }\n}",
        "fn f(a: Bool) -> Int {\n    match a {\n        true => 1,\n        false => 2,\n    }\n}",
    ),
    (
        "remove_import",
        "use std::math::{isqrt, $0mul_div};\n\nfn f() -> Int { isqrt(9) }",
        "use std::math::{isqrt};\n\nfn f() -> Int { isqrt(9) }",
    ),
    (
        "remove_allow",
        "contract C(k: PubKey) {\n    allow($0open_path);\n    spend s(g: Sig) { require k.signed(g); }\n}",
        "contract C(k: PubKey) {\n    spend s(g: Sig) { require k.signed(g); }\n}",
    ),
    (
        "add_setting",
        "reward $0R {\n    a: 50%,\n    b: rest,\n    fee: up to 1_000 sats,\n}",
        "reward R {\n    a: 50%,\n    b: rest,\n    fee: up to 1_000 sats,\n    minimum: 2_152 sats,\n}",
    ),
    // Names.
    (
        "import_name",
        "//- a.bmc\nuse ./b::{two};\n\nfn f() -> Int { $0one() + two() }\n//- b.bmc\nfn one() -> Int { 1 }\nfn two() -> Int { 2 }\n",
        "//- a.bmc\nuse ./b::{two, one};\n\nfn f() -> Int { one() + two() }\n//- b.bmc\nfn one() -> Int { 1 }\nfn two() -> Int { 2 }\n",
    ),
    (
        "import_name",
        "//! Docs.\n\nfn f() -> Int { $0isqrt(9) }",
        "//! Docs.\n\nuse std::math::isqrt;\nfn f() -> Int { isqrt(9) }",
    ),
    (
        "import_name",
        "//- a.bmc\nfn f(p: $0Point) -> Int { p.x }\n//- b.bmc\nstruct Point { x: Int }\n",
        "//- a.bmc\nuse ./b::Point;\nfn f(p: Point) -> Int { p.x }\n//- b.bmc\nstruct Point { x: Int }\n",
    ),
    (
        "declare_constant",
        "fn f(a: Coin) -> Bool { a > $0LEAST }",
        "const LEAST: Coin = 0 sats;\n\nfn f(a: Coin) -> Bool { a > LEAST }",
    ),
    (
        "declare_variable",
        "fn f(a: Int) -> Int {\n    let b = a;\n    require b > $0least;\n    b\n}",
        "fn f(a: Int) -> Int {\n    let b = a;\n    let least = 0;\n    require b > least;\n    b\n}",
    ),
    (
        "declare_parameter",
        "contract C() {\n    spend s(g: Sig) {\n        require $0keeper.signed(g);\n    }\n}",
        "contract C() {\n    spend s(g: Sig, keeper: PubKey) {\n        require keeper.signed(g);\n    }\n}",
    ),
    ("declare_parameter", "fn f() -> Bool { $0a == height 5 }", "fn f(a: Height) -> Bool { a == height 5 }"),
    (
        "declare_function",
        "fn f(a: Int, c: Coin) {\n    require $0enough(a, c, 5), \"enough\";\n}\n",
        "fn f(a: Int, c: Coin) {\n    require enough(a, c, 5), \"enough\";\n}\n\nfn enough(a: Int, c: Coin, value_3: Int) -> Bool {\n    false\n}\n",
    ),
    // Mistakes in bodies.
    (
        "make_mutable",
        "fn f(a: Int) -> Int { let b = a; $0b = 5; b }",
        "fn f(a: Int) -> Int { let mut b = a; b = 5; b }",
    ),
    ("change_type", "fn f(a: Coin) -> Coin { let b: Int = $0a; a }", "fn f(a: Coin) -> Coin { let b: Coin = a; a }"),
    ("change_type", "fn f(a: Coin) -> Int { $0a }", "fn f(a: Coin) -> Coin { a }"),
    ("hash_key", "fn f(k: PubKey) -> Lock { p2pkh($0k) }", "fn f(k: PubKey) -> Lock { p2pkh(hash160(k)) }"),
    (
        "add_arguments",
        "fn g(a: Int, b: Coin, c: Bool) -> Int { a }\nfn f() -> Int { $0g(1) }",
        "fn g(a: Int, b: Coin, c: Bool) -> Int { a }\nfn f() -> Int { g(1, 0 sats, false) }",
    ),
    (
        "add_arguments",
        "fn g(a: Int) -> Int { a }\nfn f() -> Int { $0g(1, 2, 3) }",
        "fn g(a: Int) -> Int { a }\nfn f() -> Int { g(1) }",
    ),
    (
        "add_arms",
        "enum Side { Buyer, Seller, Other(Int), Named { a: Int } }\nfn f(side: Side) -> Coin {\n    $0match side {\n        Side::Buyer => 1 sats,\n    }\n}",
        "enum Side { Buyer, Seller, Other(Int), Named { a: Int } }\nfn f(side: Side) -> Coin {\n    match side {\n        Side::Buyer => 1 sats,\n        Side::Seller => 0 sats,\n        Side::Other(_) => 0 sats,\n        Side::Named { .. } => 0 sats,\n    }\n}",
    ),
    (
        "add_arms",
        "fn f(a: Option<Int>) {\n    $0match a {\n        Some(n) => { require n > 1; }\n    }\n}",
        "fn f(a: Option<Int>) {\n    match a {\n        Some(n) => { require n > 1; }\n        None => {}\n    }\n}",
    ),
    (
        "add_wildcard",
        "fn f(a: Int) -> Int { $0match a { 1 => 10 } }",
        "fn f(a: Int) -> Int { match a { 1 => 10, _ => 0 } }",
    ),
    (
        "add_fields",
        "struct P { x: Int, owner: PubKey, until: Height }\nfn f(until: Height) -> P { $0P { x: 1 } }",
        "struct P { x: Int, owner: PubKey, until: Height }\nfn f(until: Height) -> P { P { x: 1, owner: 0x000000000000000000000000000000000000000000000000000000000000000000, until: until } }",
    ),
    (
        "add_fields",
        "struct P { x: Int, y: Int }\nfn f(p: P) -> Int { let $0P { x } = p; x }",
        "struct P { x: Int, y: Int }\nfn f(p: P) -> Int { let P { x, y } = p; x }",
    ),
    (
        "add_rest_pattern",
        "struct P { x: Int, y: Int }\nfn f(p: P) -> Int { let $0P { x } = p; x }",
        "struct P { x: Int, y: Int }\nfn f(p: P) -> Int { let P { x, .. } = p; x }",
    ),
    ("name_value", "fn f(a: Int) -> Int { $0a + 1; a }", "fn f(a: Int) -> Int { let value = a + 1; a }"),
    ("remove_variable", "fn f(a: Int) -> Int {\n    let $0b = a + 1;\n    a\n}", "fn f(a: Int) -> Int {\n    a\n}"),
    (
        "remove_parameter",
        "contract C(k: PubKey) {\n    spend s(g: Sig, $0n: Int) { require k.signed(g); }\n}\n\ntest t {\n    let coin = chain.fund(C(alice), 1 coin);\n    passes { coin.s(alice, 5) }\n}\n",
        "contract C(k: PubKey) {\n    spend s(g: Sig) { require k.signed(g); }\n}\n\ntest t {\n    let coin = chain.fund(C(alice), 1 coin);\n    passes { coin.s(alice) }\n}\n",
    ),
    (
        "add_max",
        "fn f(n: Int) -> Int {\n    let mut x = n;\n    $0while x > 1 {\n        x /= 2;\n    }\n    x\n}",
        "fn f(n: Int) -> Int {\n    let mut x = n;\n    while x > 1 max 10 {\n        x /= 2;\n    }\n    x\n}",
    ),
    (
        "add_max",
        "fn f(n: Int) -> Int {\n    let mut x = n;\n    for i in 0..$0n {\n        x += i;\n    }\n    x\n}",
        "fn f(n: Int) -> Int {\n    let mut x = n;\n    for i in 0..n max 10 {\n        x += i;\n    }\n    x\n}",
    ),
    // Rewards.
    (
        "let_rest",
        "reward R {\n    a: 40%,\n    b: 35%,\n    c: $030%,\n    minimum: 10_000 sats,\n    fee: up to 1_000 sats,\n}",
        "reward R {\n    a: 40%,\n    b: 35%,\n    c: rest,\n    minimum: 10_000 sats,\n    fee: up to 1_000 sats,\n}",
    ),
    (
        "normalise_weights",
        "reward R {\n    a: 50% { x: 1/2, y: 1/2 },\n    b: 50%,\n    c: $050%,\n    minimum: 10_000 sats,\n    fee: up to 1_000 sats,\n}",
        "reward R {\n    a: 1/3 { x: 1/2, y: 1/2 },\n    b: 1/3,\n    c: 1/3,\n    minimum: 10_000 sats,\n    fee: up to 1_000 sats,\n}",
    ),
    (
        "adjust_weight",
        "reward R {\n    a: 40%,\n    b: $030%,\n    minimum: 10_000 sats,\n    fee: up to 1_000 sats,\n}",
        "reward R {\n    a: 40%,\n    b: 60%,\n    minimum: 10_000 sats,\n    fee: up to 1_000 sats,\n}",
    ),
    // Covenants.
    (
        "bound_length",
        "contract C(answers: Hash256, owner: PubKey) {\n    spend s(first: Bytes, second: Bytes, sig: Sig) {\n        require owner.signed(sig);\n        require sha256($0first + second) == answers;\n    }\n}",
        "contract C(answers: Hash256, owner: PubKey) {\n    spend s(first: Bytes, second: Bytes, sig: Sig) {\n        require first.length == 32, \"first has 32 bytes\";\n        require owner.signed(sig);\n        require sha256(first + second) == answers;\n    }\n}",
    ),
    (
        "one_input",
        "contract C(owner: PubKey, cause: Lock) {\n    spend s(sig: Sig) {\n        require owner.signed(sig);\n        require tx.outputs[0].lock == cause;\n        require tx.outputs[0].value >= $0self.value / 10;\n    }\n}",
        "contract C(owner: PubKey, cause: Lock) {\n    spend s(sig: Sig) {\n        require self.index == 0, \"the contract is input 0\";\n        require owner.signed(sig);\n        require tx.outputs[0].lock == cause;\n        require tx.outputs[0].value >= self.value / 10;\n    }\n}",
    ),
    (
        "own_output",
        "contract C(owner: PubKey, cause: Lock) {\n    spend s(sig: Sig) {\n        require owner.signed(sig);\n        require tx.outputs[0].lock == cause;\n        require tx.outputs[0].value >= $0self.value / 10;\n    }\n}",
        "contract C(owner: PubKey, cause: Lock) {\n    spend s(sig: Sig) {\n        require owner.signed(sig);\n        require tx.outputs[self.index].lock == cause;\n        require tx.outputs[self.index].value >= self.value / 10;\n    }\n}",
    ),
    (
        "multiply_first",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        require owner.signed(sig);\n        require tx.outputs[self.index].value >= $0self.value / 100 * 3;\n    }\n}",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        require owner.signed(sig);\n        require tx.outputs[self.index].value >= self.value * 3 / 100;\n    }\n}",
    ),
    (
        "lower_bound",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        require owner.signed(sig);\n        require $0tx.height < height 925_000;\n    }\n}",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        require owner.signed(sig);\n        require tx.height >= height 925_000;\n    }\n}",
    ),
    (
        "continue_state",
        "contract C(owner: PubKey) {\n    state { count: Int }\n    spend step() {\n        require self.age >= 10 blocks;\n        continue { count: state.count + 1 };\n    }\n    spend $0close(sig: Sig) {\n        require owner.signed(sig);\n    }\n}",
        "contract C(owner: PubKey) {\n    state { count: Int }\n    spend step() {\n        require self.age >= 10 blocks;\n        continue { count: state.count + 1 };\n    }\n    spend close(sig: Sig) {\n        require owner.signed(sig);\n        continue {};\n    }\n}",
    ),
    (
        "end_state",
        "contract C(owner: PubKey) {\n    state { count: Int }\n    spend step() {\n        require self.age >= 10 blocks;\n        continue { count: state.count + 1 };\n    }\n    spend $0close(sig: Sig) {\n        require owner.signed(sig);\n    }\n}",
        "contract C(owner: PubKey) {\n    state { count: Int }\n    spend step() {\n        require self.age >= 10 blocks;\n        continue { count: state.count + 1 };\n    }\n    spend close(sig: Sig) {\n        require owner.signed(sig);\n        end;\n    }\n}",
    ),
    (
        "allow_lint",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        require owner.signed(sig);\n        require tx.outputs[self.index].value >= $0self.value / 100 * 3;\n    }\n}",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        allow(divide_first);\n        require owner.signed(sig);\n        require tx.outputs[self.index].value >= self.value / 100 * 3;\n    }\n}",
    ),
    // Extract and inline.
    (
        "extract_variable",
        "contract C(owner: PubKey, least: Int) {\n    spend s(sig: Sig, n: Int) {\n        require owner.signed(sig) && $0n * 2 + 1$0 > least, \"enough\";\n    }\n}",
        "contract C(owner: PubKey, least: Int) {\n    spend s(sig: Sig, n: Int) {\n        let value = n * 2 + 1;\n        require owner.signed(sig) && value > least, \"enough\";\n    }\n}",
    ),
    (
        "extract_variable",
        "fn f(a: Int, b: Int) -> Int { $0(a + b)$0 * 2 }",
        "fn f(a: Int, b: Int) -> Int { let value = a + b; value * 2 }",
    ),
    (
        "extract_constant",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig, n: Int) {\n        require owner.signed(sig) && n > $05, \"enough\";\n    }\n}",
        "const NUMBER: Int = 5;\n\ncontract C(owner: PubKey) {\n    spend s(sig: Sig, n: Int) {\n        require owner.signed(sig) && n > NUMBER, \"enough\";\n    }\n}",
    ),
    (
        "extract_function",
        "contract C(owner: PubKey, least: Int) {\n    spend s(sig: Sig, n: Int) {\n        require owner.signed(sig) && $0n * 2 + 1 > least$0, \"enough\";\n    }\n}",
        "contract C(owner: PubKey, least: Int) {\n    spend s(sig: Sig, n: Int) {\n        require owner.signed(sig) && value_of(n), \"enough\";\n    }\n\n    fn value_of(n: Int) -> Bool {\n        n * 2 + 1 > least\n    }\n}",
    ),
    (
        "move_to_file",
        "//- a.bmc\nuse std::math::isqrt;\nuse ./b::one;\n\nfn f() -> Int { root(9) + one() }\n\n/// The root.\nfn $0root(n: Int) -> Int { isqrt(n) }\n//- b.bmc\nfn one() -> Int { 1 }\n",
        "//- a.bmc\nuse std::math::isqrt;\nuse ./b::one;\nuse ./root::root;\n\nfn f() -> Int { root(9) + one() }\n\n//- b.bmc\nfn one() -> Int { 1 }\n//- root.bmc\nuse std::math::isqrt;\n\n/// The root.\nfn root(n: Int) -> Int { isqrt(n) }\n",
    ),
    (
        "inline_variable",
        "contract C(owner: PubKey, least: Int) {\n    spend s(sig: Sig, n: Int) {\n        let $0sum = n + 1;\n        require owner.signed(sig) && sum * 2 > least, \"enough\";\n    }\n}",
        "contract C(owner: PubKey, least: Int) {\n    spend s(sig: Sig, n: Int) {\n        require owner.signed(sig) && (n + 1) * 2 > least, \"enough\";\n    }\n}",
    ),
    (
        "inline_constant",
        "const LEAST: Int = 5;\n\ncontract C(owner: PubKey) {\n    spend s(sig: Sig, n: Int) {\n        require owner.signed(sig) && n > $0LEAST, \"enough\";\n    }\n}",
        "const LEAST: Int = 5;\n\ncontract C(owner: PubKey) {\n    spend s(sig: Sig, n: Int) {\n        require owner.signed(sig) && n > 5, \"enough\";\n    }\n}",
    ),
    (
        "use_constant",
        "const LEAST: Int = 5;\n\ncontract C(owner: PubKey) {\n    spend s(sig: Sig, n: Int) {\n        require owner.signed(sig) && n > $05, \"enough\";\n    }\n}",
        "const LEAST: Int = 5;\n\ncontract C(owner: PubKey) {\n    spend s(sig: Sig, n: Int) {\n        require owner.signed(sig) && n > LEAST, \"enough\";\n    }\n}",
    ),
    // Conditions.
    (
        "invert_if",
        "fn f(a: Int) -> Int { $0if a > 5 { 1 } else { 2 } }",
        "fn f(a: Int) -> Int { if a <= 5 { 2 } else { 1 } }",
    ),
    (
        "invert_if",
        "fn f(a: Bool, b: Bool) -> Int { $0if a || b { 1 } else { 2 } }",
        "fn f(a: Bool, b: Bool) -> Int { if !(a || b) { 2 } else { 1 } }",
    ),
    ("flip_comparison", "fn f(a: Int, b: Int) -> Bool { a + 1 $0< b }", "fn f(a: Int, b: Int) -> Bool { b > a + 1 }"),
    (
        "push_not",
        "fn f(a: Int, b: Bool, c: Bool) -> Bool { c && $0!(a < 5 && b) }",
        "fn f(a: Int, b: Bool, c: Bool) -> Bool { c && (a >= 5 || !b) }",
    ),
    (
        "merge_ifs",
        "fn f(a: Int, b: Bool, c: Bool) {\n    $0if b || c {\n        if a > 1 {\n            require a < 5;\n        }\n    }\n}",
        "fn f(a: Int, b: Bool, c: Bool) {\n    if (b || c) && a > 1 {\n        require a < 5;\n    }\n}",
    ),
    (
        "split_if",
        "fn f(a: Int, b: Bool) {\n    if b $0&& a > 1 {\n        require a < 5;\n    }\n}",
        "fn f(a: Int, b: Bool) {\n    if b {\n        if a > 1 {\n            require a < 5;\n        }\n    }\n}",
    ),
    (
        "split_require",
        "contract C(owner: PubKey, least: Int) {\n    spend s(sig: Sig, n: Int) {\n        $0require owner.signed(sig) && n > least, \"enough\";\n    }\n}",
        "contract C(owner: PubKey, least: Int) {\n    spend s(sig: Sig, n: Int) {\n        require owner.signed(sig), \"enough\";\n        require n > least, \"enough\";\n    }\n}",
    ),
    (
        "merge_requires",
        "contract C(owner: PubKey, least: Int) {\n    spend s(sig: Sig, n: Int) {\n        $0require owner.signed(sig), \"enough\";\n        require n > least || n == 0, \"enough\";\n    }\n}",
        "contract C(owner: PubKey, least: Int) {\n    spend s(sig: Sig, n: Int) {\n        require owner.signed(sig) && (n > least || n == 0), \"enough\";\n    }\n}",
    ),
    (
        "add_message",
        "contract C(the_owner: PubKey) {\n    spend s(sig: Sig) { $0require the_owner.signed(sig); }\n}",
        "contract C(the_owner: PubKey) {\n    spend s(sig: Sig) { require the_owner.signed(sig), \"the the owner must sign\"; }\n}",
    ),
    (
        "use_within",
        "fn f(a: Int, x: Int) -> Bool { a <= x $0&& x < 10 }",
        "fn f(a: Int, x: Int) -> Bool { within(x, a, 10) }",
    ),
    // Choices.
    (
        "if_to_match",
        "fn f(a: Int) -> Int {\n    $0if a == 1 {\n        10\n    } else if a == 2 {\n        20\n    } else {\n        30\n    }\n}",
        "fn f(a: Int) -> Int {\n    match a {\n        1 => {\n            10\n        }\n        2 => {\n            20\n        }\n        _ => {\n            30\n        }\n    }\n}",
    ),
    (
        "if_to_match",
        "fn f(a: Option<Int>) {\n    $0if let Some(n) = a {\n        require n > 1;\n    }\n}",
        "fn f(a: Option<Int>) {\n    match a {\n        Some(n) => {\n            require n > 1;\n        }\n        _ => {}\n    }\n}",
    ),
    (
        "match_to_if",
        "fn f(a: Int) -> Int {\n    $0match a {\n        1 => 10,\n        2 => {\n            20\n        }\n        _ => 30,\n    }\n}",
        "fn f(a: Int) -> Int {\n    if a == 1 { 10 } else if a == 2 {\n        20\n    } else { 30 }\n}",
    ),
    (
        "match_to_if",
        "fn f(a: Option<Int>) {\n    $0match a {\n        Some(n) => {\n            require n > 1;\n        }\n        _ => {}\n    }\n}",
        "fn f(a: Option<Int>) {\n    if let Some(n) = a {\n        require n > 1;\n    }\n}",
    ),
    // Spellings.
    (
        "add_type",
        "contract C(owner: PubKey, least: Int) {\n    spend s(sig: Sig, n: Int) {\n        let $0sum = n + 1;\n        require owner.signed(sig) && sum > least, \"enough\";\n    }\n}",
        "contract C(owner: PubKey, least: Int) {\n    spend s(sig: Sig, n: Int) {\n        let sum: Int = n + 1;\n        require owner.signed(sig) && sum > least, \"enough\";\n    }\n}",
    ),
    (
        "short_field",
        "struct P { x: Int, y: Int }\nfn f(x: Int) -> P { P { $0x: x, y: 1 } }",
        "struct P { x: Int, y: Int }\nfn f(x: Int) -> P { P { x, y: 1 } }",
    ),
    (
        "short_assign",
        "contract C(owner: PubKey, least: Int) {\n    spend s(sig: Sig, n: Int) {\n        let mut sum = n;\n        $0sum = sum * (n + 1);\n        require owner.signed(sig) && sum > least, \"enough\";\n    }\n}",
        "contract C(owner: PubKey, least: Int) {\n    spend s(sig: Sig, n: Int) {\n        let mut sum = n;\n        sum *= n + 1;\n        require owner.signed(sig) && sum > least, \"enough\";\n    }\n}",
    ),
    (
        "percent",
        "reward R { a: $01/8, b: rest, minimum: 20_000 sats, fee: up to 1_000 sats, }",
        "reward R { a: 12.5%, b: rest, minimum: 20_000 sats, fee: up to 1_000 sats, }",
    ),
    (
        "fraction",
        "reward R { a: $012.5%, b: rest, minimum: 20_000 sats, fee: up to 1_000 sats, }",
        "reward R { a: 1/8, b: rest, minimum: 20_000 sats, fee: up to 1_000 sats, }",
    ),
    (
        "convert_unit",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        require owner.signed(sig) && self.value > $00.5 coin, \"enough\";\n    }\n}",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        require owner.signed(sig) && self.value > 50_000_000 sats, \"enough\";\n    }\n}",
    ),
    (
        "convert_unit",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        require owner.signed(sig);\n        require self.age >= $02 weeks;\n    }\n}",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        require owner.signed(sig);\n        require self.age >= 14 days;\n    }\n}",
    ),
    (
        "group_digits",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        require owner.signed(sig) && self.value > $01000000 sats, \"enough\";\n    }\n}",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        require owner.signed(sig) && self.value > 1_000_000 sats, \"enough\";\n    }\n}",
    ),
    (
        "bytes_of_text",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig, n: Bytes<2>) {\n        require owner.signed(sig) && n == $0\"ab\", \"enough\";\n    }\n}",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig, n: Bytes<2>) {\n        require owner.signed(sig) && n == 0x6162, \"enough\";\n    }\n}",
    ),
    // Imports.
    (
        "merge_imports",
        "//- a.bmc\nuse $0./b::two;\nuse ./b::one as uno;\n\nfn f() -> Int { uno() + two() }\n//- b.bmc\nfn one() -> Int { 1 }\nfn two() -> Int { 2 }\n",
        "//- a.bmc\nuse ./b::{one as uno, two};\n\nfn f() -> Int { uno() + two() }\n//- b.bmc\nfn one() -> Int { 1 }\nfn two() -> Int { 2 }\n",
    ),
    (
        "split_import",
        "//- a.bmc\nuse $0./b::{one as uno, two};\n\nfn f() -> Int { uno() + two() }\n//- b.bmc\nfn one() -> Int { 1 }\nfn two() -> Int { 2 }\n",
        "//- a.bmc\nuse ./b::one as uno;\nuse ./b::two;\n\nfn f() -> Int { uno() + two() }\n//- b.bmc\nfn one() -> Int { 1 }\nfn two() -> Int { 2 }\n",
    ),
    // Beginnings.
    (
        "expand_declaration",
        "reward $0R { a: 50%, b: rest, minimum: 20_000 sats, fee: up to 1_000 sats, }",
        r#"contract R(a: Lock, b: Lock) {
    /// Pays every source its share. Anyone may do it; `fee` goes to the miner.
    spend settle(fee: Coin) {
        require within(fee, 0 sats, 1_001 sats), "the fee is at most 1_000 sats";
        require self.index == 0, "the first input settles, other coins of the reward join it";
        let mut total = 0 sats;
        for input in 0..tx.inputs.length max 65535 {
            if tx.inputs[input].lock == self.lock {
                total = total + tx.inputs[input].value;
            } else {
                require tx.inputs[input].lock.length == 25, "beside coins of this reward are coins of keys only";
            }
        }
        let pot = total - fee;
        require tx.outputs.length == 2, "the transaction has exactly 2 outputs, one for each source of `R`";
        require pot >= 19_000 sats, "the pot less the fee is at least 19_000 sats: the minimum less the largest fee";
        let upto_a = (pot + 1 sats) / 2;
        require tx.outputs[0].lock == a, "`a` is paid at its own lock (output 0)";
        require tx.outputs[0].value == upto_a, "`a` gets 1/2 of the pot (output 0)";
        require tx.outputs[1].lock == b, "`b` is paid at its own lock (output 1)";
        require tx.outputs[1].value == pot - upto_a, "`b` gets 1/2 of the pot, and what rounding leaves (output 1)";
    }

    /// Adds a coin to the settlement of the first input.
    spend join() {
        require self.index > 0, "the first input settles";
        require tx.inputs[0].lock == self.lock, "the first input is a coin of this reward";
    }
}"#,
    ),
    (
        "add_docs",
        "contract C(owner: PubKey) {\n    spend $0s(sig: Sig) { require owner.signed(sig); }\n}",
        "contract C(owner: PubKey) {\n    /// Who can take this path, and when.\n    spend s(sig: Sig) { require owner.signed(sig); }\n}",
    ),
    (
        "add_test",
        "contract Vault(owner: PubKey, heir: PubKey, least: Coin) {\n    state { count: Int }\n    spend $0take(sig: Sig, n: Int) {\n        require owner.signed(sig) && n > 1 && heir != owner && self.value > least;\n        continue { count: n };\n    }\n}\n",
        "contract Vault(owner: PubKey, heir: PubKey, least: Coin) {\n    state { count: Int }\n    spend take(sig: Sig, n: Int) {\n        require owner.signed(sig) && n > 1 && heir != owner && self.value > least;\n        continue { count: n };\n    }\n}\n\ntest take_of_vault {\n    let coin = chain.fund(Vault(alice, bob, 0 sats), 1 coin) with {\n        token: { category: sha256(\"state\"), amount: 0, capability: mutable, state: { count: 0 } },\n    };\n    passes { coin.take(alice, 0) }\n}\n",
    ),
    // Places that are easily mistaken.
    (
        "multiply_first",
        "contract C(owner: PubKey, a: Int) {\n    spend s(sig: Sig, n: Int) {\n        let mut x = n;\n        $0x *= a / 100;\n        require owner.signed(sig) && x > 1;\n    }\n}",
        "contract C(owner: PubKey, a: Int) {\n    spend s(sig: Sig, n: Int) {\n        let mut x = n;\n        x = x * a / 100;\n        require owner.signed(sig) && x > 1;\n    }\n}",
    ),
    (
        "multiply_first",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig, n: Int) {\n        require owner.signed(sig) && $0n * (n mod 7 / 3) > 1;\n    }\n}",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig, n: Int) {\n        require owner.signed(sig) && n * (n mod 7) / 3 > 1;\n    }\n}",
    ),
    (
        "lower_bound",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        require owner.signed(sig);\n        require $0height 925_000 > tx.height;\n    }\n}",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        require owner.signed(sig);\n        require height 925_000 <= tx.height;\n    }\n}",
    ),
    (
        "lower_bound",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        require owner.signed(sig);\n        require $0height 925_000 >= tx.height;\n    }\n}",
        "contract C(owner: PubKey) {\n    spend s(sig: Sig) {\n        require owner.signed(sig);\n        require height 925_000 <= tx.height;\n    }\n}",
    ),
    (
        "extract_variable",
        "fn f(n: Int) -> Int { let mut x = n; for i in 0..$0n + 1$0 max 10 { x += i; } x }",
        "fn f(n: Int) -> Int { let mut x = n; let value = n + 1; for i in 0..value max 10 { x += i; } x }",
    ),
    (
        "extract_variable",
        "fn g(a: Int) -> Int { a }\nfn f(a: Int, b: Int) -> Int { g ($0a + b$0) }",
        "fn g(a: Int) -> Int { a }\nfn f(a: Int, b: Int) -> Int { let value = a + b; g (value) }",
    ),
    (
        "push_not",
        "fn f(a: Bool, b: Bool, c: Bool) -> Bool { $0!(!(!a || b) || c) }",
        "fn f(a: Bool, b: Bool, c: Bool) -> Bool { (!a || b) && !c }",
    ),
    (
        "push_not",
        "fn f(a: Int, b: Bool) -> Bool { b == $0!(a < 5) }",
        "fn f(a: Int, b: Bool) -> Bool { b == (a >= 5) }",
    ),
    (
        "remove_parameter",
        "fn f($0a: Int) -> Int { 1 }\nfn g() -> Int { f(f(1)) }",
        "fn f() -> Int { 1 }\nfn g() -> Int { f() }",
    ),
    (
        "remove_parameter",
        "fn f($0a: Int, b: Int) -> Int { b }\nfn g(b: Int) -> Int { f((b), b) }",
        "fn f(b: Int) -> Int { b }\nfn g(b: Int) -> Int { f(b) }",
    ),
    (
        "add_arguments",
        "fn g(a: Int, b: Int) -> Int { a + b }\nfn f(a: Int) -> Int { $0g((a)) }",
        "fn g(a: Int, b: Int) -> Int { a + b }\nfn f(a: Int) -> Int { g((a), 0) }",
    ),
    (
        "add_arguments",
        "fn g(a: Int) -> Int { a }\nfn f() -> Int { $0g(1, (2 + 3)) }",
        "fn g(a: Int) -> Int { a }\nfn f() -> Int { g(1) }",
    ),
    (
        "merge_ifs",
        "fn f(a: Bool, b: Bool, c: Int) { $0if(a) { if b { require c > 1; } } }",
        "fn f(a: Bool, b: Bool, c: Int) { if a && b { require c > 1; } }",
    ),
    (
        "merge_ifs",
        "fn f(a: Bool, b: Bool, c: Int) { $0if ( a ) { if b { require c > 1; } } }",
        "fn f(a: Bool, b: Bool, c: Int) { if a && b { require c > 1; } }",
    ),
    (
        "merge_ifs",
        "struct P { x: Int }\nfn f(p: P, b: Bool, c: Int) { $0if (p == P { x: 1 }) { if b { require c > 1; } } }",
        "struct P { x: Int }\nfn f(p: P, b: Bool, c: Int) { if (p == P { x: 1 }) && b { require c > 1; } }",
    ),
    (
        "invert_if",
        "struct P { x: Int }\nfn f(p: P) -> Int { $0if p == (P { x: 1 }) { 1 } else { 2 } }",
        "struct P { x: Int }\nfn f(p: P) -> Int { if p != (P { x: 1 }) { 2 } else { 1 } }",
    ),
    (
        "invert_if",
        "fn f(a: Bool) -> Int { $0if(a) { 1 } else { 2 } }",
        "fn f(a: Bool) -> Int { if !a { 2 } else { 1 } }",
    ),
    (
        "inline_variable",
        "struct P { x: Int }\nfn f(p: P) -> Int { let $0c = P { x: 1 }; if c == p { 1 } else { 2 } }",
        "struct P { x: Int }\nfn f(p: P) -> Int { if (P { x: 1 }) == p { 1 } else { 2 } }",
    ),
    (
        "make_mutable",
        "struct P { x: Int }\nfn f(p: P) -> Int { let P { x } = p; $0x = 5; x }",
        "struct P { x: Int }\nfn f(p: P) -> Int { let P { x: mut x } = p; x = 5; x }",
    ),
    (
        "add_fields",
        "struct P { x: Int, y: Int }\nfn f() -> P {\n    $0P {\n        x: 1 // one\n    }\n}",
        "struct P { x: Int, y: Int }\nfn f() -> P {\n    P {\n        x: 1, // one\n        y: 0,\n    }\n}",
    ),
    (
        "add_arms",
        "enum Side { Buyer, Seller }\nfn f(side: Side) -> Int {\n    $0match side {\n        Side::Buyer => 1 // one\n    }\n}",
        "enum Side { Buyer, Seller }\nfn f(side: Side) -> Int {\n    match side {\n        Side::Buyer => 1, // one\n        Side::Seller => 0,\n    }\n}",
    ),
    (
        "add_arms",
        "fn f(a: Bool, n: Int) -> Int { $0match a { true if n > 1 => 1, false => 2 } }",
        "fn f(a: Bool, n: Int) -> Int { match a { true if n > 1 => 1, false => 2, true => 0 } }",
    ),
    (
        "add_arms",
        "//- a.bmc\nuse ./b::Side as S;\n\nfn f(side: S) -> Int { $0match side { S::Buyer => 1 } }\n//- b.bmc\nenum Side { Buyer, Seller }\n",
        "//- a.bmc\nuse ./b::Side as S;\n\nfn f(side: S) -> Int { match side { S::Buyer => 1, S::Seller => 0 } }\n//- b.bmc\nenum Side { Buyer, Seller }\n",
    ),
    (
        "remove_variable",
        "fn f(a: Int) -> Int {\n    // why\n    let $0b = 1; a\n}",
        "fn f(a: Int) -> Int {\n    // why\n    a\n}",
    ),
    (
        "move_to_file",
        "//- a.bmc\nstruct $0Split { x: Int }\n\nfn f(s: Split) -> Int { s.x }\n",
        "//- a.bmc\nuse ./split_struct::Split;\nfn f(s: Split) -> Int { s.x }\n//- split_struct.bmc\nstruct Split { x: Int }\n",
    ),
    (
        "move_to_file",
        "//- a.bmc\nuse ./b;\n\nfn $0f() -> Int { b::one() }\n\nfn one() -> Int { b::one() }\n//- b.bmc\nfn one() -> Int { 2 }\n",
        "//- a.bmc\nuse ./b;\n\nfn one() -> Int { b::one() }\n//- b.bmc\nfn one() -> Int { 2 }\n//- f.bmc\nuse ./b;\n\nfn f() -> Int { b::one() }\n",
    ),
    (
        "declare_variable",
        "contract C(owner: PubKey) {\n    spend s(g: Sig, h: Sig) {\n        require owner.signed(g) && $0keeper.signed(h);\n    }\n}",
        "contract C(owner: PubKey) {\n    spend s(g: Sig, h: Sig) {\n        let keeper: PubKey = 0x000000000000000000000000000000000000000000000000000000000000000000;\n        require owner.signed(g) && keeper.signed(h);\n    }\n}",
    ),
    // The same in contracts, whose scripts can be compared.
    (
        "underscore",
        "contract C(k: PubKey) { spend s(g: Sig) { let $0b = 1; require k.signed(g); } }",
        "contract C(k: PubKey) { spend s(g: Sig) { let _b = 1; require k.signed(g); } }",
    ),
    (
        "make_comment",
        "contract C(k: PubKey) {\n    spend s(g: Sig) {\n        $0/// one\n        require k.signed(g);\n    }\n}",
        "contract C(k: PubKey) {\n    spend s(g: Sig) {\n        // one\n        require k.signed(g);\n    }\n}",
    ),
    (
        "remove_dead",
        "fn f(a: Int) -> Int {\n    return a;\n    $0let b = 1;\n}\ncontract C(k: PubKey) { spend s(g: Sig, n: Int) { require k.signed(g) && f(n) > 1; } }",
        "fn f(a: Int) -> Int {\n    return a;\n}\ncontract C(k: PubKey) { spend s(g: Sig, n: Int) { require k.signed(g) && f(n) > 1; } }",
    ),
    (
        "remove_import",
        "use std::math::{isqrt, $0mul_div};\ncontract C(k: PubKey) { spend s(g: Sig, n: Int) { require k.signed(g) && isqrt(n) > 1; } }",
        "use std::math::{isqrt};\ncontract C(k: PubKey) { spend s(g: Sig, n: Int) { require k.signed(g) && isqrt(n) > 1; } }",
    ),
    (
        "short_field",
        "struct P { x: Int, y: Int }\ncontract C(k: PubKey) { spend s(g: Sig, x: Int) { let p = P { $0x: x, y: 1 }; require k.signed(g) && p.x > p.y; } }",
        "struct P { x: Int, y: Int }\ncontract C(k: PubKey) { spend s(g: Sig, x: Int) { let p = P { x, y: 1 }; require k.signed(g) && p.x > p.y; } }",
    ),
    (
        "merge_imports",
        "//- a.bmc\nuse $0./b::two;\nuse ./b::one;\n\ncontract C(k: PubKey) { spend s(g: Sig, n: Int) { require k.signed(g) && n > one() + two(); } }\n//- b.bmc\nfn one() -> Int { 1 }\nfn two() -> Int { 2 }\n",
        "//- a.bmc\nuse ./b::{one, two};\n\ncontract C(k: PubKey) { spend s(g: Sig, n: Int) { require k.signed(g) && n > one() + two(); } }\n//- b.bmc\nfn one() -> Int { 1 }\nfn two() -> Int { 2 }\n",
    ),
    (
        "split_import",
        "//- a.bmc\nuse $0./b::{one, two};\n\ncontract C(k: PubKey) { spend s(g: Sig, n: Int) { require k.signed(g) && n > one() + two(); } }\n//- b.bmc\nfn one() -> Int { 1 }\nfn two() -> Int { 2 }\n",
        "//- a.bmc\nuse ./b::one;\nuse ./b::two;\n\ncontract C(k: PubKey) { spend s(g: Sig, n: Int) { require k.signed(g) && n > one() + two(); } }\n//- b.bmc\nfn one() -> Int { 1 }\nfn two() -> Int { 2 }\n",
    ),
    (
        "group_digits",
        "contract C(k: PubKey) {\n    budget(cost: $040000000);\n    spend s(g: Sig) { require k.signed(g); }\n}",
        "contract C(k: PubKey) {\n    budget(cost: 40_000_000);\n    spend s(g: Sig) { require k.signed(g); }\n}",
    ),
    (
        "group_digits",
        "property p(n: Int in 0..$01000) { assert n < 1_000; }",
        "property p(n: Int in 0..1_000) { assert n < 1_000; }",
    ),
];
