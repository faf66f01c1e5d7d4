//! Contracts of the usual kinds: the script that comes out, and what the machine accepts and refuses.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic, its helpers too")]

use std::collections::BTreeMap;

use analysis::hir::{
    ArgId, BinaryOp, Block, Builtin, Condition, Contract, Expr, ExprKind, Fact, Function, FunctionId, LocalId, Param,
    ParamId, Stmt, StmtKind, Type,
};
use spec::artifact::{AbiValue, Artifact, TimeBound, UnlockItem};
use spec::{Sats, TxOut};
use syntax::FileId;
use typed::*;

fn hole(index: usize, ty: Type) -> Expr {
    expr(ExprKind::Param(ParamId::new(index)), ty)
}

fn signed(key: Expr, sig: Expr) -> Expr {
    expr(ExprKind::Signed { key: Box::new(key), sig: Box::new(sig) }, Type::Bool)
}

fn hash160(of: Expr) -> Expr {
    builtin(Builtin::Hash160, vec![of], Type::BytesN(20))
}

fn wait(condition: Condition, message: &str) -> Stmt {
    stmt(StmtKind::Require { condition, message: message.into() })
}

fn key_args() -> Vec<Param> {
    vec![param("key", Type::PubKey), param("sig", Type::Sig)]
}

fn own(of: Fact, ty: Type) -> Expr {
    fact(of, Some(fact(Fact::InputIndex, None, Type::Int)), ty)
}

fn output(of: Fact, index: i64, ty: Type) -> Expr {
    fact(of, Some(int(index)), ty)
}

fn let_(index: usize, value: Expr) -> Stmt {
    stmt(StmtKind::Let { local: LocalId::new(index), value })
}

fn assign(index: usize, value: Expr) -> Stmt {
    stmt(StmtKind::Assign { local: LocalId::new(index), place: vec![], value })
}

/// Reveals a key with the hash in parameter `hash` and signs.
fn reveal_and_sign(hash: usize) -> Vec<Stmt> {
    vec![
        require(equal(hash160(arg(0, Type::PubKey)), hole(hash, Type::BytesN(20))), "the key must be the owner's"),
        require(signed(arg(0, Type::PubKey), arg(1, Type::Sig)), "the owner must sign"),
    ]
}

fn p2pkh() -> Contract {
    contract(vec![param("pkh", Type::BytesN(20))], vec![path("spend", key_args(), vec![], reveal_and_sign(0))])
}

fn hash_of(secret: u8) -> [u8; 20] {
    spec::hash::hash160(&public_key(secret))
}

#[test]
fn a_key_hash_takes_the_bytes_of_the_standard_lock() {
    let artifact = compile(&p2pkh(), &[]);
    assert_eq!(artifact.asm, "OP_DUP OP_HASH160 <pkh> OP_EQUALVERIFY OP_CHECKSIG");
    assert_eq!(artifact.paths[0].unlock, [UnlockItem::Arg(1), UnlockItem::Arg(0)]);

    let by = |key: u8, signer: u8| Spend {
        params: named([("pkh", item(&hash_of(1)))]),
        args: named([("key", item(&public_key(key)))]),
        signers: vec![("sig", Signer::One(signer))],
        ..Spend::new(&artifact, "spend")
    };
    assert!(by(1, 1).run().unwrap() <= artifact.paths[0].cost_bound.unwrap());
    assert_eq!(by(2, 2).run().unwrap_err(), "the key must be the owner's");
    // A wrong signature ends the script at its check.
    assert_eq!(by(1, 2).run().unwrap_err(), "the owner must sign");
}

fn htlc() -> Contract {
    let digest = builtin(Builtin::Sha256, vec![arg(0, Type::Bytes)], Type::BytesN(32));
    let claim = vec![
        require(equal(digest, hole(2, Type::BytesN(32))), "the preimage must have the digest"),
        require(signed(hole(1, Type::PubKey), arg(1, Type::Sig)), "the recipient must sign"),
    ];
    let refund = vec![
        require(signed(hole(0, Type::PubKey), arg(0, Type::Sig)), "the sender must sign"),
        wait(Condition::TxHeightAtLeast(hole(3, Type::Height)), "too early"),
    ];
    contract(
        vec![
            param("sender", Type::PubKey),
            param("recipient", Type::PubKey),
            param("digest", Type::BytesN(32)),
            param("timeout", Type::Height),
        ],
        vec![
            path("claim", vec![param("preimage", Type::Bytes), param("sig", Type::Sig)], vec![], claim),
            path("refund", vec![param("sig", Type::Sig)], vec![], refund),
        ],
    )
}

#[test]
fn a_hash_time_lock_pays_the_preimage_or_waits() {
    let artifact = compile(&htlc(), &[]);
    let script = [
        "OP_DEPTH OP_1SUB OP_IF OP_SHA256 <digest> OP_EQUALVERIFY <recipient> OP_ELSE",
        "<timeout> OP_CHECKLOCKTIMEVERIFY OP_DROP <sender> OP_ENDIF OP_CHECKSIG",
    ];
    assert_eq!(artifact.asm, script.join(" "));
    assert_eq!(artifact.path("refund").unwrap().time.locktime, [TimeBound::Param(3)]);

    let params = named([
        ("sender", item(&public_key(1))),
        ("recipient", item(&public_key(2))),
        ("digest", item(&spec::hash::sha256(b"open sesame"))),
        ("timeout", AbiValue::int(900_000)),
    ]);
    let claim = |preimage: &[u8], signer: u8| Spend {
        params: params.clone(),
        args: named([("preimage", item(preimage))]),
        signers: vec![("sig", Signer::One(signer))],
        ..Spend::new(&artifact, "claim")
    };
    let refund = |locktime: u32, signer: u8| Spend {
        params: params.clone(),
        signers: vec![("sig", Signer::One(signer))],
        locktime,
        ..Spend::new(&artifact, "refund")
    };
    claim(b"open sesame", 2).run().unwrap();
    refund(900_000, 1).run().unwrap();
    assert_eq!(claim(b"open", 2).run().unwrap_err(), "the preimage must have the digest");
    assert_eq!(claim(b"open sesame", 1).run().unwrap_err(), "the recipient must sign");
    assert_eq!(refund(899_999, 1).run().unwrap_err(), "too early");
    assert_eq!(refund(900_000, 2).run().unwrap_err(), "the sender must sign");
}

/// Another number of items for the same path would let anybody change a transaction under way.
#[test]
fn paths_told_apart_by_the_number_of_items_take_no_other() {
    let artifact = compile(&htlc(), &[]);
    let own = vec![UnlockItem::Arg(0)];
    for (unlock, accepted) in [
        (own.clone(), true),
        (vec![], false),
        (vec![UnlockItem::Int(0), UnlockItem::Arg(0)], false),
        (vec![UnlockItem::Arg(0), UnlockItem::Int(0)], false),
        (vec![UnlockItem::Arg(0), UnlockItem::Arg(0)], false),
        (vec![UnlockItem::Int(1), UnlockItem::Int(1), UnlockItem::Arg(0)], false),
    ] {
        let mut changed = artifact.clone();
        changed.paths[1].unlock = unlock.clone();
        let spend = Spend {
            params: named([
                ("sender", item(&public_key(1))),
                ("recipient", item(&public_key(2))),
                ("digest", item(&[7; 32])),
                ("timeout", AbiValue::int(5)),
            ]),
            signers: vec![("sig", Signer::One(1))],
            locktime: 5,
            ..Spend::new(&changed, "refund")
        };
        assert_eq!(spend.run().is_ok(), accepted, "{unlock:?}");
    }
}

fn transfer_with_timeout() -> Contract {
    let sign = |key| require(signed(hole(key, Type::PubKey), arg(0, Type::Sig)), "the right key must sign");
    let reclaim = vec![wait(Condition::TxHeightAtLeast(hole(2, Type::Height)), "too early"), sign(0)];
    contract(
        vec![param("sender", Type::PubKey), param("recipient", Type::PubKey), param("timeout", Type::Height)],
        vec![
            path("transfer", vec![param("sig", Type::Sig)], vec![], vec![sign(1)]),
            path("reclaim", vec![param("sig", Type::Sig)], vec![], reclaim),
        ],
    )
}

/// A selector that means the same as another would let anybody change a transaction under way.
#[test]
fn a_selector_has_one_form() {
    let artifact = compile(&transfer_with_timeout(), &[]);
    assert_eq!(artifact.paths[1].unlock, [UnlockItem::Arg(0), UnlockItem::Int(0)]);
    for (selector, accepted) in [(0, true), (1, false), (2, false), (-1, false), (256, false)] {
        let mut changed = artifact.clone();
        changed.paths[1].unlock = vec![UnlockItem::Arg(0), UnlockItem::Int(selector)];
        let spend = Spend {
            params: named([
                ("sender", item(&public_key(1))),
                ("recipient", item(&public_key(2))),
                ("timeout", AbiValue::int(5)),
            ]),
            signers: vec![("sig", Signer::One(1))],
            locktime: 5,
            ..Spend::new(&changed, "reclaim")
        };
        assert_eq!(spend.run().is_ok(), accepted, "{selector}");
    }
}

fn last_will() -> Contract {
    let hashes = ["inheritor", "cold", "hot"].map(|name| param(name, Type::BytesN(20)));
    let mut inherit = reveal_and_sign(0);
    inherit.push(wait(Condition::AgeAtLeast(expr(ExprKind::Int(25_920.into()), Type::Blocks)), "too young"));
    let mut refresh = reveal_and_sign(2);
    refresh.push(require(
        equal(output(Fact::OutputLock, 0, Type::Lock), own(Fact::InputLock, Type::Lock)),
        "the coin must stay locked",
    ));
    contract(
        hashes.to_vec(),
        vec![
            path("inherit", key_args(), vec![], inherit),
            path("cold", key_args(), vec![], reveal_and_sign(1)),
            path("refresh", key_args(), vec![], refresh),
        ],
    )
}

#[test]
fn three_paths_are_told_apart_by_an_exact_selector() {
    let artifact = compile(&last_will(), &[]);
    let params = named([("inheritor", item(&hash_of(1))), ("cold", item(&hash_of(2))), ("hot", item(&hash_of(3)))]);
    fn by<'a>(artifact: &'a Artifact, params: &BTreeMap<String, AbiValue>, path: &'a str, key: u8) -> Spend<'a> {
        Spend {
            params: params.clone(),
            args: named([("key", item(&public_key(key)))]),
            signers: vec![("sig", Signer::One(key))],
            sequence: 25_920,
            ..Spend::new(artifact, path)
        }
    }
    let same_lock = vec![TxOut::plain(Sats::new(99_000).unwrap(), artifact.lock(&params).unwrap())];
    by(&artifact, &params, "inherit", 1).run().unwrap();
    by(&artifact, &params, "cold", 2).run().unwrap();
    Spend { outputs: same_lock, ..by(&artifact, &params, "refresh", 3) }.run().unwrap();
    assert_eq!(by(&artifact, &params, "refresh", 3).run().unwrap_err(), "the coin must stay locked");
    assert_eq!(by(&artifact, &params, "cold", 1).run().unwrap_err(), "the key must be the owner's");
    assert_eq!(Spend { sequence: 25_919, ..by(&artifact, &params, "inherit", 1) }.run().unwrap_err(), "too young");
    for selector in [0, 4, 5, -1] {
        for at in 0..3 {
            let mut changed = artifact.clone();
            *changed.paths[at].unlock.last_mut().unwrap() = UnlockItem::Int(selector);
            let (name, key) = [("inherit", 1), ("cold", 2), ("refresh", 3)][at];
            assert!(by(&changed, &params, name, key).run().is_err(), "{selector}");
        }
    }
}

#[test]
fn two_of_three_sign_with_a_bit_field() {
    let keys: Vec<Expr> = (0..3).map(|at| hole(at, Type::PubKey)).collect();
    let check = expr(ExprKind::Threshold { keys, required: 2, sigs: ArgId::new(0) }, Type::Bool);
    let contract = contract(
        ["a", "b", "c"].map(|name| param(name, Type::PubKey)).to_vec(),
        vec![path("spend", vec![param("sigs", Type::Sigs(2))], vec![], vec![require(check, "two must sign")])],
    );
    let artifact = compile(&contract, &[]);
    assert_eq!(artifact.asm, "OP_2 <a> <b> <c> OP_3 OP_CHECKMULTISIG");
    let by = |field: u8, secrets: &[u8]| Spend {
        params: named([("a", item(&public_key(1))), ("b", item(&public_key(2))), ("c", item(&public_key(3)))]),
        signers: vec![("sigs", Signer::Many(field, secrets.to_vec()))],
        ..Spend::new(&artifact, "spend")
    };
    for (field, secrets, accepted) in [
        (0b011, [1, 2], true),
        (0b101, [1, 3], true),
        (0b110, [2, 3], true),
        (0b101, [1, 2], false),
        (0b011, [2, 1], false),
        (0b011, [1, 1], false),
        (0b111, [1, 2], false),
    ] {
        let outcome = by(field, &secrets).run();
        assert_eq!(outcome.is_ok(), accepted, "{field:b} {secrets:?} {outcome:?}");
        assert!(outcome.is_err() || outcome.unwrap() <= artifact.paths[0].cost_bound.unwrap());
    }
}

/// `if big { fee = 7; } else if small { fee = fee + 1; }`, then the fee is checked.
#[test]
fn variables_that_branches_assign_meet_again() {
    let fee = || local(0, Type::Int);
    let inner = stmt(StmtKind::If {
        condition: binary(BinaryOp::Greater, arg(1, Type::Int), int(10), Type::Bool),
        then: Block { stmts: vec![assign(0, binary(BinaryOp::Add, fee(), int(1), Type::Int))], value: None },
        otherwise: Block::default(),
    });
    let outer = stmt(StmtKind::If {
        condition: binary(BinaryOp::Greater, arg(1, Type::Int), int(100), Type::Bool),
        then: Block { stmts: vec![assign(0, int(7))], value: None },
        otherwise: Block { stmts: vec![inner], value: None },
    });
    let stmts = vec![let_(0, arg(0, Type::Int)), outer, require(equal(fee(), arg(2, Type::Int)), "another fee")];
    let args = ["start", "size", "fee"].map(|name| param(name, Type::Int)).to_vec();
    let artifact = compile(&contract(vec![], vec![path("spend", args, vec![Type::Int], stmts)]), &[]);
    for (start, size, fee) in [(3, 5, 3), (3, 50, 4), (3, 500, 7), (-1, 50, 0)] {
        let value = AbiValue::int;
        let with = |fee| Spend {
            args: named([("start", value(start)), ("size", value(size)), ("fee", value(fee))]),
            ..Spend::new(&artifact, "spend")
        };
        with(fee).run().unwrap();
        assert_eq!(with(fee + 1).run().unwrap_err(), "another fee");
    }
}

#[test]
fn functions_are_copied_and_their_checks_keep_their_messages() {
    // fn half(x) { require x > 0, "positive"; x / 2 }
    let body = Block {
        stmts: vec![require(binary(BinaryOp::Greater, arg(0, Type::Int), int(0), Type::Bool), "positive")],
        value: Some(Box::new(binary(BinaryOp::Div, arg(0, Type::Int), int(2), Type::Int))),
    };
    let half = Function {
        name: "half".into(),
        docs: String::new(),
        contract: None,
        type_params: vec![],
        params: vec![param("x", Type::Int)],
        ret: Type::Int,
        locals: vec![],
        body,
        loc: loc(),
        allows: vec![],
    };
    let call = |arg| {
        expr(ExprKind::Call { function: FunctionId::new(FileId(0), 0), type_args: vec![], args: vec![arg] }, Type::Int)
    };
    let stmts = vec![require(equal(call(call(arg(0, Type::Int))), int(3)), "a quarter of it is three")];
    let program = contract(vec![], vec![path("spend", vec![param("x", Type::Int)], vec![], stmts)]);
    let artifact = compile(&program, &[half]);
    let with = |n| Spend { args: named([("x", AbiValue::int(n))]), ..Spend::new(&artifact, "spend") };
    with(15).run().unwrap();
    assert_eq!(with(16).run().unwrap_err(), "a quarter of it is three");
    assert_eq!(with(0).run().unwrap_err(), "positive");
    // Both of the last checks fail, and they may change places.
    assert!(["positive", "a quarter of it is three"].contains(&with(1).run().unwrap_err().as_str()));
}

#[test]
fn what_its_use_does_not_pin_gets_a_check_of_its_form() {
    let stmts = vec![
        require(equal(builtin(Builtin::Prefix, vec![arg(0, Type::Bytes), int(1)], Type::Bytes), bytes(&[9])), "nine"),
        require(arg(1, Type::Bool), "the flag must be set"),
    ];
    let args = vec![param("data", Type::BytesN(4)), param("flag", Type::Bool)];
    let artifact = compile(&contract(vec![], vec![path("spend", args, vec![], stmts)]), &[]);
    let with = |data: &[u8], flag: &[u8]| Spend {
        args: named([("data", item(data)), ("flag", item(flag))]),
        ..Spend::new(&artifact, "spend")
    };
    with(&[9, 0, 0, 0], &[1]).run().unwrap();
    assert_eq!(with(&[9, 0, 0], &[1]).run().unwrap_err(), "argument `data` must have 4 bytes");
    assert_eq!(with(&[9, 0, 0, 0, 0], &[1]).run().unwrap_err(), "argument `data` must have 4 bytes");
    assert_eq!(with(&[9, 0, 0, 0], &[2]).run().unwrap_err(), "argument `flag` must be true or false");
    assert_eq!(with(&[9, 0, 0, 0], &[]).run().unwrap_err(), "the flag must be set");
    assert_eq!(with(&[8, 0, 0, 0], &[1]).run().unwrap_err(), "nine");
}

const WEIGHTS: [i64; 7] = [30, 25, 10, 6, 4, 15, 10];

/// Seven sources share what the outputs hold together; at most 1,000 sats go to the miner.
fn reward() -> Contract {
    let params: Vec<Param> = (0..7).map(|at| param(&format!("p{at}"), Type::Lock)).collect();
    let value = |at| output(Fact::OutputValue, at, Type::Coin);
    let pot = || local(0, Type::Coin);
    let sum = (1..7).fold(value(0), |sum, at| binary(BinaryOp::Add, sum, value(at), Type::Coin));
    let mut stmts = vec![
        require(equal(fact(Fact::OutputCount, None, Type::Int), int(7)), "seven outputs"),
        let_(0, sum),
        require(
            binary(
                BinaryOp::LessEqual,
                binary(BinaryOp::Sub, own(Fact::InputValue, Type::Coin), pot(), Type::Coin),
                int(1_000),
                Type::Bool,
            ),
            "the fee is too high",
        ),
    ];
    let upto = |weight: i64| {
        let scaled = binary(BinaryOp::Mul, pot(), int(weight), Type::Int);
        let padded = binary(BinaryOp::Add, scaled, int(50), Type::Int);
        binary(BinaryOp::Div, padded, int(100), Type::Int)
    };
    let mut reached = 0;
    for (at, weight) in WEIGHTS.iter().enumerate() {
        let lock = equal(output(Fact::OutputLock, at as i64, Type::Lock), hole(at, Type::Lock));
        stmts.push(require(lock, &format!("output {at} goes to another lock")));
        let share = binary(BinaryOp::Sub, upto(reached + weight), upto(reached), Type::Int);
        stmts.push(require(equal(value(at as i64), share), &format!("share {at} is wrong")));
        reached += weight;
    }
    contract(params, vec![path("settle", vec![], vec![Type::Coin], stmts)])
}

fn reward_artifact() -> (Artifact, BTreeMap<String, AbiValue>, Vec<TxOut>) {
    let artifact = compile(&reward(), &[]);
    let locks: Vec<Vec<u8>> = (0..7).map(|at| spec::script::p2pkh(&[at + 1; 20])).collect();
    let params = locks.iter().enumerate().map(|(at, lock)| (format!("p{at}"), item(lock))).collect();
    let weights = spec::split::Weights::new(WEIGHTS.iter().map(|weight| *weight as u64).collect()).unwrap();
    let shares = weights.divide(Sats::new(1_234_567).unwrap());
    let outputs = shares.into_iter().zip(locks).map(|(share, lock)| TxOut::plain(share, lock)).collect();
    (artifact, params, outputs)
}

#[test]
fn a_reward_pays_every_source_exactly() {
    let (artifact, params, outputs) = reward_artifact();
    let with = |outputs: Vec<TxOut>, value| Spend {
        params: params.clone(),
        outputs,
        value,
        ..Spend::new(&artifact, "settle")
    };
    let cost = with(outputs.clone(), 1_235_567).run().unwrap();
    assert!(cost <= artifact.paths[0].cost_bound.unwrap());
    with(outputs.clone(), 1_234_567).run().unwrap();
    assert_eq!(with(outputs.clone(), 1_235_568).run().unwrap_err(), "the fee is too high");

    let mut off_by_one = outputs.clone();
    off_by_one[2].value = Sats::new(off_by_one[2].value.get() - 1).unwrap();
    off_by_one[0].value = Sats::new(off_by_one[0].value.get() + 1).unwrap();
    assert_eq!(with(off_by_one, 1_235_000).run().unwrap_err(), "share 0 is wrong");

    let mut swapped = outputs.clone();
    swapped.swap(0, 1);
    assert_eq!(with(swapped, 1_235_000).run().unwrap_err(), "output 0 goes to another lock");

    let mut longer = outputs.clone();
    longer.push(TxOut::plain(Sats::new(1).unwrap(), vec![0x51]));
    assert_eq!(with(longer, 1_235_000).run().unwrap_err(), "seven outputs");

    let mut shorter = outputs;
    shorter.pop();
    assert_eq!(with(shorter, 1_235_000).run().unwrap_err(), "seven outputs");
}

#[test]
fn every_instruction_has_a_place_and_checks_are_in_order() {
    for contract in [p2pkh(), htlc(), last_will(), reward()] {
        let artifact = compile(&contract, &[]);
        assert_eq!(artifact.source_map.first().unwrap().instruction, 0);
        assert!(artifact.requires.is_sorted_by_key(|site| site.instruction));
        assert!(artifact.requires.iter().all(|site| site.instruction < artifact.asm.split(' ').count()));
    }
}

/// `f0(x) = x + 1`, and every later function is made of calls of the one before.
fn tower(height: usize, floor: impl Fn(Expr) -> Expr) -> (Contract, Vec<Function>) {
    let call = |n: usize| {
        expr(
            ExprKind::Call {
                function: FunctionId::new(FileId(0), n),
                type_args: vec![],
                args: vec![arg(0, Type::Int)],
            },
            Type::Int,
        )
    };
    let function = |at: usize| {
        let value = match at.checked_sub(1) {
            None => binary(BinaryOp::Add, arg(0, Type::Int), int(1), Type::Int),
            Some(below) => floor(call(below)),
        };
        Function {
            name: format!("f{at}"),
            docs: String::new(),
            contract: None,
            type_params: vec![],
            params: vec![param("x", Type::Int)],
            ret: Type::Int,
            locals: vec![],
            body: Block { stmts: vec![], value: Some(Box::new(value)) },
            loc: loc(),
            allows: vec![],
        }
    };
    let stmts = vec![require(equal(call(height - 1), int(1)), "one")];
    let contract = contract(vec![], vec![path("spend", vec![param("x", Type::Int)], vec![], stmts)]);
    (contract, (0..height).map(function).collect())
}

fn refused(contract: &Contract, functions: &[Function]) -> syntax::Code {
    let options = codegen::Options { rules: spec::RuleSet::Bch2026, ..codegen::Options::default() };
    let (generated, diagnostics) = codegen::generate(contract, &functions.iter().cloned().collect(), &options);
    assert!(generated.is_none());
    diagnostics.first().unwrap().code
}

#[test]
fn functions_that_copy_without_bound_are_refused() {
    let doubling = |call: Expr| binary(BinaryOp::Mul, call.clone(), call, Type::Int);
    let (contract, functions) = tower(40, doubling);
    assert_eq!(refused(&contract, &functions), syntax::Code::E0501);
}

#[test]
fn functions_that_call_each_other_too_deeply_are_refused() {
    let (contract, functions) = tower(5_000, |call| binary(BinaryOp::Add, call, int(1), Type::Int));
    assert_eq!(refused(&contract, &functions), syntax::Code::E0502);
}

/// A chain of products is deep as a graph, though not as a tree.
#[test]
fn a_long_chain_of_assignments_is_too_large_only_for_the_smaller_limit() {
    let mut stmts = vec![let_(0, arg(0, Type::Int))];
    let product = || binary(BinaryOp::Mul, local(0, Type::Int), arg(0, Type::Int), Type::Int);
    stmts.extend((0..20_000).map(|_| assign(0, product())));
    stmts.push(require(equal(local(0, Type::Int), int(1)), "one"));
    let chain = contract(vec![], vec![path("spend", vec![param("x", Type::Int)], vec![Type::Int], stmts)]);
    assert_eq!(refused(&chain, &[]), syntax::Code::E0501);
    let over_budget =
        analysis::hir::Allow { lint: analysis::hir::Lint::OverBudget, loc: loc(), scope: loc(), removal: None };
    let chain = Contract { allows: vec![over_budget], ..chain };
    let (generated, _) = codegen::generate(&chain, &analysis::hir::Functions::default(), &codegen::Options::default());
    assert!(generated.unwrap().code_bytes() < 65_535);
}

#[test]
fn conditionals_nest_as_deeply_as_the_rules_allow() {
    let nested = |levels: usize| {
        let mut block = Block { stmts: vec![require(arg(0, Type::Bool), "deep")], value: None };
        for level in 0..levels {
            let condition = binary(BinaryOp::Greater, arg(1, Type::Int), int(level as i64), Type::Bool);
            let choice = StmtKind::If { condition, then: block, otherwise: Block::default() };
            block = Block { stmts: vec![stmt(choice)], value: None };
        }
        let args = vec![param("flag", Type::Bool), param("n", Type::Int)];
        contract(vec![], vec![path("spend", args, vec![], block.stmts)])
    };
    assert_eq!(refused(&nested(101), &[]), syntax::Code::E0502);
    let artifact = compile(&nested(100), &[]);
    let with = |flag| Spend {
        args: named([("flag", AbiValue::int(flag)), ("n", AbiValue::int(1_000))]),
        ..Spend::new(&artifact, "spend")
    };
    with(1).run().unwrap();
    assert_eq!(with(0).run().unwrap_err(), "deep");
}

#[test]
fn sealed_values_are_constants_and_the_other_holes_stay_where_they_are() {
    // require a0 * rate / scale == sum, "the sum"; require sha256(a1) == digest, "the digest"
    let share = binary(BinaryOp::Mul, arg(0, Type::Int), hole(0, Type::Int), Type::Int);
    let share = binary(BinaryOp::Div, share, hole(1, Type::Int), Type::Int);
    let digest = builtin(Builtin::Sha256, vec![arg(1, Type::Bytes)], Type::BytesN(32));
    let stmts = vec![
        require(equal(share, hole(2, Type::Int)), "the sum"),
        require(equal(digest, hole(3, Type::BytesN(32))), "the digest"),
    ];
    let params = vec![
        param("rate", Type::Int),
        param("scale", Type::Int),
        param("sum", Type::Int),
        param("digest", Type::BytesN(32)),
    ];
    let args = vec![param("n", Type::Int), param("text", Type::Bytes)];
    let contract = contract(params, vec![path("spend", args, vec![], stmts)]);
    let sealed = BTreeMap::from([(0, vec![vec![6]]), (1, vec![vec![4]]), (3, vec![spec::hash::sha256(b"x").to_vec()])]);
    let options = codegen::Options { sealed, ..codegen::Options::default() };
    let (generated, _) = codegen::generate(&contract, &analysis::hir::Functions::default(), &options);
    let generated = generated.unwrap();
    assert!(generated.bytecode.contains(&spec::artifact::Piece::Param(2)), "{:?}", generated.bytecode);
    // Six quarters are three halves.
    assert!(generated.asm.contains("OP_3 OP_MUL OP_2 OP_DIV <sum> OP_NUMEQUALVERIFY"), "{}", generated.asm);
    let artifact = artifact("Sealed", generated);
    let run = |n: i64, text: &[u8]| Spend {
        params: named([("sum", AbiValue::int(9))]),
        args: named([("n", AbiValue::int(n)), ("text", item(text))]),
        ..Spend::new(&artifact, "spend")
    };
    run(6, b"x").run().unwrap();
    assert_eq!(run(8, b"x").run().unwrap_err(), "the sum");
    assert_eq!(run(6, b"y").run().unwrap_err(), "the digest");
}
