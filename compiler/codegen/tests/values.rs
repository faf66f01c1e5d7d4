//! Composite values, matches, early returns and given instructions: they are items on the stack, and nothing more.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic, its helpers too")]

use std::collections::BTreeMap;

use analysis::hir::{
    Arm, BinaryOp, Block, Contract, EnumType, Expr, ExprKind, Function, FunctionId, Functions, LocalId, Step, Stmt,
    StmtKind, StructType, Type, Variant,
};
use spec::artifact::{AbiType, AbiValue, Slot};
use syntax::FileId;
use typed::*;

fn pair() -> Type {
    let fields = vec![("a".into(), Type::Int), ("b".into(), Type::Bytes)];
    Type::Struct(StructType { name: "Pair".into(), args: vec![], fields }.into())
}

fn ints(count: u32) -> Type {
    Type::Array(Type::Int.into(), count)
}

/// `enum Shape { Empty, Square(Int), Named { name: Bytes, size: Int } }`
fn shape() -> Type {
    let variant = |name: &str, fields| Variant { name: name.into(), fields, names: vec![] };
    let variants = vec![
        variant("Empty", vec![]),
        variant("Square", vec![Type::Int]),
        variant("Named", vec![Type::Bytes, Type::Int]),
    ];
    Type::Enum(EnumType { name: "Shape".into(), args: vec![], variants }.into())
}

fn element(base: Expr, index: usize, ty: Type) -> Expr {
    expr(ExprKind::Element { base: Box::new(base), index }, ty)
}

fn indexed(base: Expr, index: Expr, ty: Type) -> Expr {
    expr(ExprKind::Index { base: Box::new(base), index: Box::new(index) }, ty)
}

fn tuple(parts: Vec<Expr>, ty: Type) -> Expr {
    expr(ExprKind::Tuple(parts), ty)
}

fn add(a: Expr, b: Expr) -> Expr {
    binary(BinaryOp::Add, a, b, Type::Int)
}

fn less(a: Expr, b: Expr) -> Expr {
    binary(BinaryOp::Less, a, b, Type::Bool)
}

fn let_(index: usize, value: Expr) -> Stmt {
    stmt(StmtKind::Let { local: LocalId::new(index), value })
}

fn value(value: Expr) -> Block {
    Block { stmts: vec![], value: Some(Box::new(value)) }
}

/// A contract with one path, and a function for it to call.
fn one_path(args: Vec<Type>, locals: Vec<Type>, stmts: Vec<Stmt>) -> Contract {
    let args = args.into_iter().enumerate().map(|(at, ty)| param(&format!("a{at}"), ty)).collect();
    contract(vec![], vec![path("spend", args, locals, stmts)])
}

fn functions(of: Vec<Function>) -> Functions {
    of.into_iter().collect()
}

fn function(type_params: usize, params: Vec<Type>, ret: Type, locals: Vec<Type>, body: Block) -> Function {
    Function {
        name: "f".into(),
        docs: String::new(),
        contract: None,
        type_params: (0..type_params).map(|at| format!("T{at}")).collect(),
        params: params.into_iter().enumerate().map(|(at, ty)| param(&format!("p{at}"), ty)).collect(),
        ret,
        locals: path("", vec![], locals, vec![]).locals,
        body,
        loc: loc(),
        allows: vec![],
    }
}

fn call(type_args: Vec<Type>, args: Vec<Expr>, ty: Type) -> Expr {
    let function = FunctionId::new(FileId::default(), 0);
    expr(ExprKind::Call { function, type_args, args }, ty)
}

/// Whether the path accepts the arguments, each as its items.
fn accepts(contract: &Contract, functions: &Functions, args: &[Vec<Vec<u8>>]) -> Result<(), String> {
    let (generated, diagnostics) = codegen::generate(
        contract,
        functions,
        &codegen::Options { rules: spec::RuleSet::Bch2026, ..codegen::Options::default() },
    );
    let mut generated = generated.unwrap_or_else(|| panic!("{diagnostics:#?}"));
    // Every item is pushed as it is.
    let items = |count| AbiType::Array(Box::new(AbiType::Bytes), count);
    generated.paths[0].args =
        args.iter().enumerate().map(|(at, arg)| Slot { name: format!("a{at}"), ty: items(arg.len()) }).collect();
    let artifact = artifact("Test", generated);
    let given: BTreeMap<String, AbiValue> =
        args.iter().enumerate().map(|(at, items)| (format!("a{at}"), AbiValue::Items(items.clone()))).collect();
    let run = Spend { args: given, ..Spend::new(&artifact, "spend") }.run();
    run.map(drop).map_err(|message| format!("{message}: {}", artifact.asm))
}

fn number(n: i64) -> Vec<u8> {
    spec::num::encode(n)
}

#[test]
fn parts_of_structs_come_and_go_as_items() {
    // let p = a0; p.a = p.a + 1; let q = (p, 7); require q.0 == Pair { a: 5, b: 0x0102 } && q.1 == 7
    let whole = |local_ty: Type| local(0, local_ty);
    let bump = StmtKind::Assign {
        local: LocalId::new(0),
        place: vec![Step::Element(0)],
        value: add(element(whole(pair()), 0, Type::Int), int(1)),
    };
    let both = Type::Tuple([pair(), Type::Int].into());
    let wanted = tuple(vec![int(5), bytes(&[1, 2])], pair());
    let contract = one_path(
        vec![pair()],
        vec![pair(), both.clone()],
        vec![
            let_(0, arg(0, pair())),
            stmt(bump),
            let_(1, tuple(vec![local(0, pair()), int(7)], both.clone())),
            require(equal(element(local(1, both.clone()), 0, pair()), wanted), "the pair"),
            require(equal(element(local(1, both), 1, Type::Int), int(7)), "the number"),
        ],
    );
    let none = Functions::default();
    accepts(&contract, &none, &[vec![number(4), vec![1, 2]]]).unwrap();
    assert!(accepts(&contract, &none, &[vec![number(5), vec![1, 2]]]).unwrap_err().starts_with("the pair"));
    assert!(accepts(&contract, &none, &[vec![number(4), vec![1, 3]]]).unwrap_err().starts_with("the pair"));
}

#[test]
fn elements_are_chosen_and_replaced_by_computed_numbers() {
    // let mut x = [10, 20, 30]; x[a0] = x[a1] + 1; require x == [a2, a3, a4]
    let x = || local(0, ints(3));
    let args: Vec<Type> = vec![Type::Int; 5];
    let replace = StmtKind::Assign {
        local: LocalId::new(0),
        place: vec![Step::Index(arg(0, Type::Int))],
        value: add(indexed(x(), arg(1, Type::Int), Type::Int), int(1)),
    };
    let wanted = tuple((2..5).map(|at| arg(at, Type::Int)).collect(), ints(3));
    let contract = one_path(
        args,
        vec![ints(3)],
        vec![
            let_(0, tuple(vec![int(10), int(20), int(30)], ints(3))),
            stmt(replace),
            require(equal(x(), wanted), "the array"),
        ],
    );
    let run = |numbers: [i64; 5]| {
        let args: Vec<_> = numbers.iter().map(|n| vec![number(*n)]).collect();
        accepts(&contract, &Functions::default(), &args)
    };
    run([0, 2, 31, 20, 30]).unwrap();
    run([2, 0, 10, 20, 11]).unwrap();
    run([1, 1, 10, 21, 30]).unwrap();
    for wrong in [[0, 1, 31, 20, 30], [3, 0, 10, 20, 30], [0, 3, 31, 20, 30], [-1, 0, 11, 20, 30], [0, -1, 31, 20, 30]]
    {
        run(wrong).unwrap_err();
    }
}

fn area() -> Vec<Arm> {
    let bind = |locals: &[Option<usize>]| locals.iter().map(|local| local.map(LocalId::new)).collect();
    let squared = |at| binary(BinaryOp::Mul, local(at, Type::Int), local(at, Type::Int), Type::Int);
    vec![
        Arm { variant: Some(1), bindings: bind(&[Some(0)]), body: value(squared(0)) },
        Arm { variant: Some(2), bindings: bind(&[None, Some(1)]), body: value(local(1, Type::Int)) },
        Arm { variant: None, bindings: vec![], body: value(int(0)) },
    ]
}

#[test]
fn a_match_takes_the_arm_of_the_variant_and_nobody_can_vary_an_enum() {
    let matched = ExprKind::Match { value: Box::new(arg(0, shape())), arms: area() };
    let found = equal(expr(matched, Type::Int), arg(1, Type::Int));
    let contract = one_path(vec![shape(), Type::Int], vec![Type::Int, Type::Int], vec![require(found, "the area")]);
    let run = |items: [&[u8]; 3], area| {
        let items = items.iter().map(|item| item.to_vec()).collect();
        accepts(&contract, &Functions::default(), &[items, vec![number(area)]])
    };
    run([&[], &[], &[]], 0).unwrap();
    run([&[1], &[5], &[]], 25).unwrap();
    run([&[2], b"name", &[9]], 9).unwrap();
    let refused = [
        (run([&[1], &[5], &[]], 24), "the area"),
        (run([&[], &[5], &[]], 0), "argument `a0` must be empty where `Empty` has no value"),
        (run([&[1], &[5], &[1]], 25), "argument `a0` must be empty where `Square` has no value"),
        (run([&[3], &[], &[]], 0), "argument `a0` must be a `Shape`"),
        (run([&[0x81], &[], &[]], 0), "argument `a0` must be a `Shape`"),
    ];
    for (outcome, message) in refused {
        assert!(outcome.as_ref().unwrap_err().starts_with(message), "{outcome:?}");
    }
    // Zero in a longer form is no tag.
    run([&[0], &[], &[]], 0).unwrap_err();
}

#[test]
fn a_value_of_an_enum_meets_in_branches_and_is_matched_behind() {
    // let s = if a0 < 3 { Square(a0) } else { Named(0x41, 100) }; require area(s) == a1
    let of = |variant, fields| expr(ExprKind::Variant { variant, fields }, shape());
    let chosen = ExprKind::If {
        condition: Box::new(less(arg(0, Type::Int), int(3))),
        then: value(of(1, vec![arg(0, Type::Int)])),
        otherwise: value(of(2, vec![bytes(b"A"), int(100)])),
    };
    let matched = ExprKind::Match { value: Box::new(local(2, shape())), arms: area() };
    let contract = one_path(
        vec![Type::Int, Type::Int],
        vec![Type::Int, Type::Int, shape()],
        vec![let_(2, expr(chosen, shape())), require(equal(expr(matched, Type::Int), arg(1, Type::Int)), "the area")],
    );
    let run = |a, b| accepts(&contract, &Functions::default(), &[vec![number(a)], vec![number(b)]]);
    run(2, 4).unwrap();
    run(7, 100).unwrap();
    run(7, 49).unwrap_err();
}

#[test]
fn a_generic_function_compares_as_the_types_that_are_put_in() {
    let same = equal(arg(0, Type::Param(0, "T".into())), arg(1, Type::Param(0, "T".into())));
    let same = functions(vec![function(1, vec![Type::Param(0, "T".into()); 2], Type::Bool, vec![], value(same))]);
    let contract_of = |ty: Type| {
        let called = call(vec![ty.clone()], vec![arg(0, ty.clone()), arg(1, ty.clone())], Type::Bool);
        one_path(vec![ty.clone(), ty], vec![], vec![require(called, "the same")])
    };
    let of = |contract: &Contract, a: &[&[u8]], b: &[&[u8]]| {
        let items = |of: &[&[u8]]| of.iter().map(|item| item.to_vec()).collect();
        accepts(contract, &same, &[items(a), items(b)])
    };
    let pairs = contract_of(pair());
    of(&pairs, &[&[1], &[2, 3]], &[&[1], &[2, 3]]).unwrap();
    of(&pairs, &[&[1], &[2, 3]], &[&[1], &[2]]).unwrap_err();
    of(&pairs, &[&[1], &[2, 3]], &[&[2], &[2, 3]]).unwrap_err();
    // Bytes that are no numbers can be compared only as bytes.
    of(&contract_of(Type::Bytes), &[&[0, 0]], &[&[0, 0]]).unwrap();
}

#[test]
fn a_return_leaves_out_what_follows() {
    // fn f(p0, p1) -> Int {
    //     let mut x = p0;
    //     if p0 < 0 { return 0 - 1; }
    //     for i in 0..3 { if x == p1 { return i; } x = x + 1; }
    //     require x < 100, "small";
    //     x
    // }
    let returns = |of: Expr| stmt(StmtKind::Return(Some(of)));
    let if_ = |condition, then| {
        let then = Block { stmts: then, value: None };
        stmt(StmtKind::If { condition, then, otherwise: Block::default() })
    };
    let x = || local(0, Type::Int);
    let next = StmtKind::Assign { local: LocalId::new(0), place: vec![], value: add(x(), int(1)) };
    let rounds = Block {
        stmts: vec![if_(equal(x(), arg(1, Type::Int)), vec![returns(local(1, Type::Int))]), stmt(next)],
        value: None,
    };
    let body = Block {
        stmts: vec![
            let_(0, arg(0, Type::Int)),
            if_(less(arg(0, Type::Int), int(0)), vec![returns(int(-1))]),
            stmt(StmtKind::For { index: LocalId::new(1), from: int(0), to: int(3), rounds_max: 3, body: rounds }),
            require(less(x(), int(100)), "small"),
        ],
        value: Some(Box::new(x())),
    };
    let found = functions(vec![function(0, vec![Type::Int; 2], Type::Int, vec![Type::Int; 2], body)]);
    let called = call(vec![], vec![arg(0, Type::Int), arg(1, Type::Int)], Type::Int);
    let contract = one_path(vec![Type::Int; 3], vec![], vec![require(equal(called, arg(2, Type::Int)), "the result")]);
    let run = |numbers: [i64; 3]| {
        let args: Vec<_> = numbers.iter().map(|n| vec![number(*n)]).collect();
        accepts(&contract, &found, &args)
    };
    for fine in [[-5, 0, -1], [7, 7, 0], [7, 9, 2], [7, 10, 10], [96, 0, 99], [200, 201, 1]] {
        run(fine).unwrap_or_else(|message| panic!("{fine:?}: {message}"));
    }
    assert!(run([200, 0, 203]).unwrap_err().starts_with("small"));
    assert!(run([7, 9, 1]).unwrap_err().starts_with("the result"));
}

#[test]
fn given_instructions_take_and_leave_what_they_say() {
    // asm (a1, a0) -> (Int, Int) { OP_2DUP OP_ADD OP_SWAP OP_ROT OP_SUB }, here with the difference on top.
    let code = spec::asm::assemble("OP_2DUP OP_ADD OP_ROT OP_ROT OP_SUB", spec::RuleSet::Bch2026).unwrap();
    let both = Type::Tuple([Type::Int, Type::Int].into());
    let given = expr(ExprKind::Asm { inputs: vec![arg(1, Type::Int), arg(0, Type::Int)], code }, both.clone());
    let check = spec::asm::assemble("OP_5 OP_GREATERTHAN OP_VERIFY", spec::RuleSet::Bch2026).unwrap();
    let check = expr(ExprKind::Asm { inputs: vec![arg(0, Type::Int)], code: check }, Type::Unit);
    let part = |at| element(local(0, both.clone()), at, Type::Int);
    let contract = one_path(
        vec![Type::Int; 4],
        vec![both.clone()],
        vec![
            let_(0, given),
            stmt(StmtKind::Check(check)),
            require(equal(part(0), arg(2, Type::Int)), "the sum"),
            require(equal(part(1), arg(3, Type::Int)), "the difference"),
        ],
    );
    let run = |numbers: [i64; 4]| {
        let args: Vec<_> = numbers.iter().map(|n| vec![number(*n)]).collect();
        accepts(&contract, &Functions::default(), &args)
    };
    run([7, 30, 37, 23]).unwrap();
    run([7, 30, 38, 23]).unwrap_err();
    run([7, 30, 37, 24]).unwrap_err();
    run([5, 30, 35, 25]).unwrap_err();
}

/// `fn f(p0: Int, p1: Int) -> Int { require p0 > 0 - 100, "large"; (p0 * p1 + p0) / (p1 * p1 + 1) + p0 mod 7 }`
fn long_function(checks: bool) -> Functions {
    let p = |at| arg(at, Type::Int);
    let of = |op, a, b| binary(op, a, b, Type::Int);
    let dividend = add(of(BinaryOp::Mul, p(0), p(1)), p(0));
    let divisor = add(of(BinaryOp::Mul, p(1), p(1)), int(1));
    let result = add(of(BinaryOp::Div, dividend, divisor), of(BinaryOp::Mod, p(0), int(7)));
    let check = require(less(int(-100), p(0)), "large");
    let body = Block { stmts: if checks { vec![check] } else { vec![] }, value: Some(Box::new(result)) };
    functions(vec![function(0, vec![Type::Int; 2], Type::Int, vec![], body)])
}

fn direct(a: i64, b: i64) -> i64 {
    (a * b + a) / (b * b + 1) + a % 7
}

#[test]
fn calls_share_the_body_of_a_long_function() {
    for checks in [false, true] {
        let found = long_function(checks);
        let called = |a, b| call(vec![], vec![arg(a, Type::Int), arg(b, Type::Int)], Type::Int);
        let stmts = vec![
            require(equal(called(0, 1), arg(2, Type::Int)), "first"),
            require(equal(called(1, 0), arg(3, Type::Int)), "second"),
            require(less(called(1, 1), call(vec![], vec![called(0, 0), int(5)], Type::Int)), "third"),
        ];
        let contract = one_path(vec![Type::Int; 4], vec![], stmts);
        let (generated, _) = codegen::generate(&contract, &found, &codegen::Options::default());
        let generated = generated.unwrap();
        assert!(generated.asm.contains("OP_DEFINE"), "{}", generated.asm);
        assert_eq!(generated.functions.len(), 1);
        let run = |numbers: [i64; 4]| {
            let args: Vec<_> = numbers.iter().map(|n| vec![number(*n)]).collect();
            accepts(&contract, &found, &args)
        };
        for (a, b) in [(20, 3), (1000, -4), (13, 1)] {
            let holds = direct(b, b) < direct(direct(a, a), 5);
            assert_eq!(run([a, b, direct(a, b), direct(b, a)]).is_ok(), holds, "{a} {b}");
            assert!(run([a, b, direct(a, b), direct(b, a) + 1]).unwrap_err().starts_with("second"));
        }
        let outcome = run([-200, 1, direct(-200, 1), direct(1, -200)]);
        assert_eq!(outcome.is_ok(), !checks && direct(1, 1) < direct(direct(-200, -200), 5));
        assert_eq!(outcome.is_err_and(|message| message.starts_with("large")), checks);
    }
}
