//! Parts of typed programs, by short names.

use analysis::hir::{
    ArgId, BinaryOp, Block, Builtin, Condition, Contract, Expr, ExprKind, Fact, ItemKind, Local, LocalId, Param,
    SpendPath, Stmt, StmtKind, Type, UnaryOp,
};
use syntax::{FileId, Loc, Span};

/// A place that stands for all places.
#[must_use]
pub fn loc() -> Loc {
    Loc::in_file(FileId(0), Span::new(0, 1))
}

/// An expression.
#[must_use]
pub fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, loc: loc() }
}

/// A number.
#[must_use]
pub fn int(n: i64) -> Expr {
    expr(ExprKind::Int(n.into()), Type::Int)
}

/// A string of bytes.
#[must_use]
pub fn bytes(data: &[u8]) -> Expr {
    expr(ExprKind::Bytes(data.to_vec()), Type::Bytes)
}

/// `true` or `false`.
#[must_use]
pub fn truth(value: bool) -> Expr {
    expr(ExprKind::Bool(value), Type::Bool)
}

/// The argument with this index.
#[must_use]
pub fn arg(index: usize, ty: Type) -> Expr {
    expr(ExprKind::Arg(ArgId::new(index)), ty)
}

/// The variable with this index.
#[must_use]
pub fn local(index: usize, ty: Type) -> Expr {
    expr(ExprKind::Local(LocalId::new(index)), ty)
}

/// An operation on two values.
#[must_use]
pub fn binary(op: BinaryOp, left: Expr, right: Expr, ty: Type) -> Expr {
    expr(ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, ty)
}

/// An operation on one value.
#[must_use]
pub fn unary(op: UnaryOp, operand: Expr, ty: Type) -> Expr {
    expr(ExprKind::Unary { op, operand: Box::new(operand) }, ty)
}

/// A call of a built-in function.
#[must_use]
pub fn builtin(builtin: Builtin, args: Vec<Expr>, ty: Type) -> Expr {
    expr(ExprKind::Builtin { builtin, args }, ty)
}

/// Something that the transaction says.
#[must_use]
pub fn fact(fact: Fact, index: Option<Expr>, ty: Type) -> Expr {
    expr(ExprKind::Introspect { fact, index: index.map(Box::new) }, ty)
}

/// Whether two values of one type are equal.
#[must_use]
pub fn equal(left: Expr, right: Expr) -> Expr {
    let kind = if left.ty.is_bytes() { ItemKind::Bytes } else { ItemKind::Number };
    binary(BinaryOp::Equal(kind), left, right, Type::Bool)
}

/// A statement.
#[must_use]
pub fn stmt(kind: StmtKind) -> Stmt {
    Stmt { kind, loc: loc() }
}

/// A check with its message.
#[must_use]
pub fn require(condition: Expr, message: &str) -> Stmt {
    stmt(StmtKind::Require { condition: Condition::Holds(condition), message: message.into() })
}

/// A parameter or an argument.
#[must_use]
pub fn param(name: &str, ty: Type) -> Param {
    Param { name: name.into(), ty, loc: loc() }
}

/// A path with variables of these types.
#[must_use]
pub fn path(name: &str, args: Vec<Param>, locals: Vec<Type>, stmts: Vec<Stmt>) -> SpendPath {
    let locals = locals.into_iter().map(|ty| Local { name: "x".into(), ty, mutable: true }).collect();
    let body = Block { stmts, value: None };
    SpendPath { name: name.into(), docs: String::new(), loc: loc(), args, locals, body }
}

/// A contract called `Test`.
#[must_use]
pub fn contract(params: Vec<Param>, paths: Vec<SpendPath>) -> Contract {
    Contract {
        name: "Test".into(),
        docs: String::new(),
        loc: loc(),
        params,
        derived: vec![],
        state: None,
        paths,
        reward: None,
        allows: vec![],
        budgets: vec![],
    }
}
