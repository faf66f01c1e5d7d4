//! Lists of records: a contract that pays all recipients of a list by their weights, knowing only the list's hash.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic, its helpers too")]

use analysis::hir::{
    ArgId, BinaryOp, Block, Builtin, Contract, Expr, ExprKind, Fact, LocalId, Stmt, StmtKind, StructType, Type,
};
use spec::artifact::{AbiValue, Artifact, UnlockItem};
use spec::{Sats, TxOut};
use typed::*;

const DENOMINATOR: i64 = 1_000_000;
const FEE: i64 = 1_000;
const POT_MIN: i64 = 577_000;

fn let_(index: usize, value: Expr) -> Stmt {
    stmt(StmtKind::Let { local: LocalId::new(index), value })
}

fn assign(index: usize, value: Expr) -> Stmt {
    stmt(StmtKind::Assign { local: LocalId::new(index), place: vec![], value })
}

fn arithmetic(op: BinaryOp, a: Expr, b: Expr) -> Expr {
    binary(op, a, b, Type::Int)
}

fn compare(op: BinaryOp, a: Expr, b: Expr) -> Expr {
    binary(op, a, b, Type::Bool)
}

fn own_index() -> Expr {
    fact(Fact::InputIndex, None, Type::Int)
}

fn own_lock() -> Expr {
    fact(Fact::InputLock, Some(own_index()), Type::Lock)
}

fn weights() -> Type {
    Type::List(
        StructType { name: "Weight".into(), args: vec![], fields: vec![("weight".into(), Type::IntN(4))] }.into(),
    )
}

/// All inputs with the same lock are divided among the outputs by the weights of the list.
fn settle() -> (Vec<Type>, Vec<Stmt>) {
    let [pot, j, net, h, c, before, i, w, due, lock] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    let int_local = |at| local(at, Type::Int);
    let types = (0..10)
        .map(|at| match at {
            3 => Type::BytesN(32),
            9 => Type::Lock,
            _ => Type::Int,
        })
        .collect();
    let of_input = |of, ty| fact(of, Some(int_local(j)), ty);
    let add_own = Block {
        stmts: vec![assign(pot, arithmetic(BinaryOp::Add, int_local(pot), of_input(Fact::InputValue, Type::Int)))],
        value: None,
    };
    let sum = Block {
        stmts: vec![stmt(StmtKind::If {
            condition: equal(of_input(Fact::InputLock, Type::Lock), own_lock()),
            then: add_own,
            otherwise: Block::default(),
        })],
        value: None,
    };
    let of_output = |of, ty| fact(of, Some(int_local(i)), ty);
    let concat = |a, b| binary(BinaryOp::Concat, a, b, Type::Bytes);
    let weight = builtin(Builtin::ToBytes, vec![int_local(w), int(4)], Type::BytesN(4));
    let record = concat(concat(local(h, Type::BytesN(32)), weight), local(lock, Type::Lock));
    let share = arithmetic(
        BinaryOp::Div,
        arithmetic(BinaryOp::Add, arithmetic(BinaryOp::Mul, int_local(net), int_local(c)), int(DENOMINATOR / 2)),
        int(DENOMINATOR),
    );
    let round = Block {
        stmts: vec![
            require(compare(BinaryOp::Greater, int_local(w), int(0)), "weights are above zero"),
            let_(lock, of_output(Fact::OutputLock, Type::Lock)),
            assign(h, builtin(Builtin::Sha256, vec![record], Type::BytesN(32))),
            assign(c, arithmetic(BinaryOp::Add, int_local(c), int_local(w))),
            let_(due, share),
            require(
                compare(
                    BinaryOp::GreaterEqual,
                    of_output(Fact::OutputValue, Type::Int),
                    arithmetic(BinaryOp::Sub, int_local(due), int_local(before)),
                ),
                "everyone gets the share",
            ),
            assign(before, int_local(due)),
        ],
        value: None,
    };
    let stmts = vec![
        require(equal(own_index(), int(0)), "only the first input settles"),
        let_(pot, int(0)),
        stmt(StmtKind::For {
            index: LocalId::new(j),
            from: int(0),
            to: fact(Fact::InputCount, None, Type::Int),
            rounds_max: 25_000,
            body: sum,
        }),
        require(compare(BinaryOp::GreaterEqual, int_local(pot), int(POT_MIN)), "the pot is large enough"),
        let_(net, arithmetic(BinaryOp::Sub, int_local(pot), int(FEE))),
        let_(h, builtin(Builtin::Sha256, vec![bytes(&[])], Type::BytesN(32))),
        let_(c, int(0)),
        let_(before, int(0)),
        stmt(StmtKind::EachRecord {
            list: ArgId::new(1),
            fields: vec![LocalId::new(w)],
            index: Some(LocalId::new(i)),
            body: round,
        }),
        require(equal(int_local(c), int(DENOMINATOR)), "the whole list"),
        require(
            equal(local(h, Type::BytesN(32)), expr(ExprKind::Param(analysis::hir::ParamId::new(0)), Type::BytesN(32))),
            "the list",
        ),
    ];
    (types, stmts)
}

fn join() -> Vec<Stmt> {
    vec![
        require(compare(BinaryOp::Greater, own_index(), int(0)), "others join"),
        require(equal(fact(Fact::InputLock, Some(int(0)), Type::Lock), own_lock()), "the first input settles"),
    ]
}

fn splitter() -> Contract {
    let (locals, stmts) = settle();
    contract(
        vec![param("list", Type::BytesN(32))],
        vec![
            path("settle", vec![param("padding", Type::Padding), param("weights", weights())], locals, stmts),
            path("join", vec![], vec![], join()),
        ],
    )
}

fn compiled(contract: &Contract) -> Artifact {
    let options = codegen::Options { rules: spec::RuleSet::Bch2026, ..codegen::Options::default() };
    let (generated, diagnostics) = codegen::generate(contract, &analysis::hir::Functions::default(), &options);
    let generated = generated.unwrap_or_else(|| panic!("{diagnostics:#?}"));
    assert_eq!(generated.paths[0].unlock, [UnlockItem::Arg(1), UnlockItem::Arg(0), UnlockItem::Int(1)]);
    artifact("Splitter", generated)
}

fn lock_of(at: usize) -> Vec<u8> {
    spec::script::p2pkh(&spec::hash::hash160(&at.to_le_bytes()))
}

#[derive(Clone)]
struct Settlement {
    weights: Vec<i64>,
    padding: usize,
    outputs: Vec<TxOut>,
    list: [u8; 32],
}

const VALUE: i64 = 10_000_000;

impl Settlement {
    fn of(weights: &[i64]) -> Self {
        let net = VALUE - FEE;
        let mut list = spec::hash::sha256(&[]);
        let (mut sum, mut before) = (0, 0);
        let mut outputs = Vec::new();
        for (at, weight) in weights.iter().enumerate() {
            let lock = lock_of(at);
            let four = (*weight as i32).to_le_bytes();
            list = spec::hash::sha256(&[&list[..], &four, &lock].concat());
            sum += weight;
            let due = (net * sum + DENOMINATOR / 2) / DENOMINATOR;
            outputs.push(TxOut::plain(Sats::new((due - before) as u64).unwrap(), lock));
            before = due;
        }
        Self { weights: weights.to_vec(), padding: 0, outputs, list }
    }

    fn run(&self, artifact: &Artifact) -> Result<u64, String> {
        let weights: Vec<_> = self.weights.iter().map(|weight| vec![spec::num::encode(*weight)]).collect();
        Spend {
            params: named([("list", item(&self.list))]),
            args: named([("weights", AbiValue::Records(weights.into())), ("padding", item(&vec![0; self.padding]))]),
            value: VALUE as u64,
            outputs: self.outputs.clone(),
            ..Spend::new(artifact, "settle")
        }
        .run()
    }
}

/// So many weights that sum to the denominator.
fn weights_of(count: usize) -> Vec<i64> {
    let mut weights = vec![DENOMINATOR / count as i64; count];
    weights[0] += DENOMINATOR - weights.iter().sum::<i64>();
    weights
}

#[test]
fn a_splitter_is_small_and_pays_every_record_of_its_list() {
    let artifact = compiled(&splitter());
    let settlement = Settlement::of(&weights_of(10));
    let redeem = artifact.redeem_script(&named([("list", item(&settlement.list))])).unwrap();
    assert!(redeem.len() <= 150, "{} bytes: {}", redeem.len(), artifact.asm);
    let [few, more] = [10, 20].map(|count| Settlement::of(&weights_of(count)).run(&artifact).unwrap());
    assert!((more - few) / 10 <= 5_300, "a record costs {}: {}", (more - few) / 10, artifact.asm);
    // As many records as the stack has room for, in an unlocking bytecode that relay passes on.
    Settlement { padding: 3_300, ..Settlement::of(&weights_of(985)) }.run(&artifact).unwrap();
}

#[test]
fn a_settlement_that_leaves_anything_out_is_refused() {
    let artifact = compiled(&splitter());
    let fair = Settlement { padding: 200, ..Settlement::of(&[200_000, 500_000, 300_000]) };
    fair.run(&artifact).unwrap();
    let changed = |change: &dyn Fn(&mut Settlement)| {
        let mut settlement = fair.clone();
        change(&mut settlement);
        settlement.run(&artifact).unwrap_err()
    };
    let poorer = |of: &mut Settlement| of.outputs[1].value = Sats::new(of.outputs[1].value.get() - 1).unwrap();
    assert_eq!(changed(&poorer), "everyone gets the share");
    assert_eq!(changed(&|of| of.outputs.swap(0, 1)), "everyone gets the share");
    assert_eq!(changed(&|of| of.outputs[2].lock = lock_of(7)), "the list");
    assert_eq!(changed(&|of| of.weights.truncate(2)), "the whole list");
    assert_eq!(changed(&|of| of.weights = vec![200_000, 800_000]), "everyone gets the share");
    let shifted = |of: &mut Settlement| {
        of.weights = vec![200_000, 499_999, 300_001];
        of.outputs[2].value = Sats::new(of.outputs[2].value.get() + 100).unwrap();
    };
    assert_eq!(changed(&shifted), "the list");
    assert_eq!(changed(&|of| of.weights = vec![200_000, 0, 800_000]), "weights are above zero");
    // Nothing is left of a list without records, and a shorter one finds no output.
    assert!(changed(&|of| of.weights.clear()).contains("StackUnderflow"));
    assert!(changed(&|of| drop(of.outputs.pop())).contains("OutputIndex"));
    assert!(changed(&|of| of.weights.push(1)).contains("OutputIndex"));
}

#[test]
fn records_that_do_not_pay_for_themselves_are_told_unless_there_is_padding() {
    let told = |contract: &Contract| {
        let options = codegen::Options { rules: spec::RuleSet::Bch2026, ..codegen::Options::default() };
        let (_, diagnostics) = codegen::generate(contract, &analysis::hir::Functions::default(), &options);
        diagnostics.into_iter().map(|found| found.message).collect::<Vec<_>>()
    };
    let padded = splitter();
    assert_eq!(told(&padded), Vec::<String>::new());
    let mut bare = padded;
    let settle = bare.paths.first_mut().unwrap();
    settle.args.remove(0);
    for stmt in &mut settle.body.stmts {
        if let StmtKind::EachRecord { list, .. } = &mut stmt.kind {
            *list = ArgId::new(0);
        }
    }
    let told = told(&bare);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("each record of `weights` costs 5_"), "{told:?}");
    assert!(told[0].ends_with("; its 5 bytes pay for 4_000"), "{told:?}");
}
