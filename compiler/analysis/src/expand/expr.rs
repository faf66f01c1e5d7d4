//! Expressions as source, with no more parentheses than their meaning needs.

use std::fmt::Write as _;

use dashu_int::IBig;
use spec::units::SATS_PER_COIN;

use super::indent;
use crate::hir::{
    Arm, BinaryOp, Block, Builtin, Expr, ExprKind, Fact, FunctionId, Local, LocalId, Param, Program, Step, Stmt,
    StmtKind, Type, UnaryOp,
};
use crate::moment;
use crate::number::{HEIGHTS, TIMES, grouped};

/// Prints one body.
pub(super) struct Printer<'p> {
    pub(super) program: &'p Program,
    pub(super) params: &'p [Param],
    pub(super) args: &'p [Param],
    pub(super) locals: &'p [Local],
    pub(super) names: &'p [String],
}

/// How tightly an expression binds; comparisons do not chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    /// `if`, multisig.
    Loose,
    Or,
    And,
    Compare,
    BitOr,
    BitXor,
    BitAnd,
    Shift,
    Sum,
    Product,
    Unary,
    Atom,
}

impl Printer<'_> {
    pub(super) fn local(&self, id: LocalId) -> &str {
        self.names.get(id.index()).map_or("_", String::as_str)
    }

    pub(super) fn expr(&self, expr: &Expr, level: usize, out: &mut String) {
        match &expr.kind {
            ExprKind::Int(n) => number(n, &expr.ty, out),
            ExprKind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            ExprKind::Bytes(bytes) => {
                out.push_str("0x");
                out.push_str(&hex::encode(bytes));
            }
            ExprKind::Param(id) => out.push_str(self.params.get(id.index()).map_or("_", |param| &param.name)),
            ExprKind::Arg(id) => out.push_str(self.args.get(id.index()).map_or("_", |arg| &arg.name)),
            ExprKind::Local(id) => out.push_str(self.local(*id)),
            ExprKind::Call { function, args, .. } => self.call(*function, args, level, out),
            ExprKind::Unary { op, operand } => {
                out.push_str(sign(*op));
                self.inner(operand, Tightness::Unary, level, out);
            }
            ExprKind::Binary { op, left, right } => self.binary(*op, left, right, level, out),
            ExprKind::If { condition, then, otherwise } => self.if_else(condition, then, otherwise, level, out),
            ExprKind::Introspect { fact, index } => self.introspect(*fact, index.as_deref(), level, out),
            ExprKind::Builtin { builtin, args } => self.builtin(*builtin, args, &expr.ty, level, out),
            ExprKind::Signed { key, sig } => self.method(key, &[sig], level, out),
            ExprKind::DataSigned { key, message, sig } => self.method(key, &[message, sig], level, out),
            ExprKind::Threshold { keys, required, sigs } => {
                let _ = write!(out, "{required} of [");
                self.list(keys, level, out);
                let name = self.args.get(sigs.index()).map_or("_", |arg| &arg.name);
                let _ = write!(out, "] signed({name})");
            }
            ExprKind::Tuple(parts) => {
                out.push('(');
                self.list(parts, level, out);
                out.push(')');
            }
            ExprKind::Element { base, index } => {
                self.inner(base, Tightness::Atom, level, out);
                let _ = write!(out, ".{index}");
            }
            ExprKind::Index { base, index } => {
                self.inner(base, Tightness::Atom, level, out);
                out.push('[');
                self.expr(index, level, out);
                out.push(']');
            }
            ExprKind::Variant { variant, fields } => {
                let _ = write!(out, "{}::{variant}(", expr.ty);
                self.list(fields, level, out);
                out.push(')');
            }
            ExprKind::Match { value, arms } => self.match_arms(value, arms, level, out),
            ExprKind::Is { value, variant } => {
                self.inner(value, Tightness::Atom, level, out);
                let _ = write!(out, " is {}::{variant}", value.ty);
            }
            ExprKind::Payload { value, variant, index } => {
                self.inner(value, Tightness::Atom, level, out);
                let _ = write!(out, " as {}::{variant}.{index}", value.ty);
            }
            ExprKind::Block(block) => self.braced(block, level, out),
            ExprKind::Asm { inputs, code } => {
                out.push_str("asm (");
                self.list(inputs, level, out);
                let _ = write!(out, ") -> {} {{ 0x{} }}", expr.ty, hex::encode(code));
            }
        }
    }

    /// The bound of a time lock, right of `>=`.
    pub(super) fn bound(&self, bound: &Expr, level: usize, out: &mut String) {
        self.inner(bound, Tightness::BitOr, level, out);
    }

    /// The expression, in parentheses if it binds less tightly than `least`.
    fn inner(&self, expr: &Expr, least: Tightness, level: usize, out: &mut String) {
        if tightness(expr) >= least {
            return self.expr(expr, level, out);
        }
        out.push('(');
        self.expr(expr, level, out);
        out.push(')');
    }

    fn binary(&self, op: BinaryOp, left: &Expr, right: &Expr, level: usize, out: &mut String) {
        let own = tightness_of(op);
        let left_least = if own == Tightness::Compare { tighter(own) } else { own };
        self.inner(left, left_least, level, out);
        let _ = write!(out, " {} ", symbol(op));
        self.inner(right, tighter(own), level, out);
    }

    pub(super) fn if_else(&self, condition: &Expr, then: &Block, otherwise: &Block, level: usize, out: &mut String) {
        out.push_str("if ");
        self.expr(condition, level, out);
        self.braced(then, level, out);
        match (otherwise.stmts.as_slice(), otherwise.value.as_deref()) {
            ([], None) => {}
            ([Stmt { kind: StmtKind::If { condition, then, otherwise }, .. }], None) => {
                out.push_str(" else ");
                self.if_else(condition, then, otherwise, level, out);
            }
            ([], Some(Expr { kind: ExprKind::If { condition, then, otherwise }, .. })) => {
                out.push_str(" else ");
                self.if_else(condition, then, otherwise, level, out);
            }
            _ => {
                out.push_str(" else");
                self.braced(otherwise, level, out);
            }
        }
    }

    pub(super) fn match_arms(&self, value: &Expr, arms: &[Arm], level: usize, out: &mut String) {
        out.push_str("match ");
        self.expr(value, level, out);
        out.push_str(" {\n");
        for arm in arms {
            indent(level + 1, out);
            let names = arm.bindings.iter().map(|binding| binding.map_or("_", |local| self.local(local)));
            let _ = match arm.variant {
                Some(variant) => write!(out, "{}::{variant}({})", value.ty, names.collect::<Vec<_>>().join(", ")),
                None => write!(out, "_"),
            };
            out.push_str(" =>");
            self.braced(&arm.body, level + 1, out);
            out.push('\n');
        }
        indent(level, out);
        out.push('}');
    }

    pub(super) fn step(&self, step: &Step, level: usize, out: &mut String) {
        match step {
            Step::Element(index) => {
                let _ = write!(out, ".{index}");
            }
            Step::Index(index) => {
                out.push('[');
                self.expr(index, level, out);
                out.push(']');
            }
        }
    }

    pub(super) fn braced(&self, block: &Block, level: usize, out: &mut String) {
        out.push_str(" {\n");
        self.block(block, level + 1, out);
        indent(level, out);
        out.push('}');
    }

    pub(super) fn call(&self, function: FunctionId, args: &[Expr], level: usize, out: &mut String) {
        out.push_str(self.program.functions.get(function).map_or("_", |function| &function.name));
        out.push('(');
        self.list(args, level, out);
        out.push(')');
    }

    fn list(&self, parts: &[Expr], level: usize, out: &mut String) {
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            self.expr(part, level, out);
        }
    }

    fn method(&self, key: &Expr, args: &[&Expr], level: usize, out: &mut String) {
        self.inner(key, Tightness::Atom, level, out);
        out.push_str(".signed(");
        for (index, arg) in args.iter().enumerate() {
            if index > 0 {
                out.push_str(", ");
            }
            self.expr(arg, level, out);
        }
        out.push(')');
    }

    fn introspect(&self, fact: Fact, index: Option<&Expr>, level: usize, out: &mut String) {
        let (list, field) = words(fact);
        let Some(index) = index else {
            out.push_str(field);
            return;
        };
        let own = matches!(index.kind, ExprKind::Introspect { fact: Fact::InputIndex, .. });
        // `self.index` is the input's place, so the index of its outpoint has to be spelled out.
        if own && list == "inputs" && fact != Fact::InputOutpointIndex {
            let _ = write!(out, "self.{field}");
            return;
        }
        let _ = write!(out, "tx.{list}[");
        self.expr(index, level, out);
        let _ = write!(out, "].{field}");
    }

    fn builtin(&self, builtin: Builtin, args: &[Expr], ty: &Type, level: usize, out: &mut String) {
        let slice: [Option<usize>; 2] = match builtin {
            Builtin::Prefix => [None, Some(1)],
            Builtin::Suffix => [Some(1), None],
            Builtin::Slice => [Some(1), Some(2)],
            _ => return self.named(builtin, args, ty, level, out),
        };
        args.first().into_iter().for_each(|bytes| self.inner(bytes, Tightness::Atom, level, out));
        let [from, to] = slice;
        out.push('[');
        let part = |index: Option<usize>, out: &mut String| {
            index
                .and_then(|index| args.get(index))
                .into_iter()
                .for_each(|arg| self.inner(arg, Tightness::Sum, level, out));
        };
        part(from, out);
        out.push_str("..");
        part(to, out);
        out.push(']');
    }

    fn named(&self, builtin: Builtin, args: &[Expr], ty: &Type, level: usize, out: &mut String) {
        if builtin == Builtin::Size {
            args.iter().for_each(|arg| self.inner(arg, Tightness::Atom, level, out));
            out.push_str(".length");
            return;
        }
        out.push_str(word(builtin, ty));
        out.push('(');
        self.list(args, level, out);
        out.push(')');
    }
}

fn word(builtin: Builtin, ty: &Type) -> &'static str {
    match builtin {
        Builtin::Sha256 => "sha256",
        Builtin::Sha1 => "sha1",
        Builtin::Ripemd160 => "ripemd160",
        Builtin::Hash160 => "hash160",
        Builtin::Hash256 => "hash256",
        Builtin::Size => "length",
        Builtin::Prefix | Builtin::Suffix | Builtin::Slice => "slice",
        Builtin::ToBytes => "bytes",
        Builtin::ToInt => "int",
        Builtin::Reverse => "reverse",
        Builtin::Abs => "abs",
        Builtin::Min => "min",
        Builtin::Max => "max",
        Builtin::Within => "within",
        Builtin::LockP2pkh => "p2pkh",
        Builtin::LockP2sh32 => "p2sh32",
        Builtin::Cast if *ty == Type::Lock => "lock",
        Builtin::Cast => "int",
        Builtin::AgeUnits => "age",
    }
}

/// The list that a fact indexes, and its field; a fact without index is written in full.
fn words(fact: Fact) -> (&'static str, &'static str) {
    match fact {
        Fact::TxVersion => ("", "tx.version"),
        Fact::TxLocktime => ("", "tx.locktime"),
        Fact::InputCount => ("", "tx.inputs.length"),
        Fact::OutputCount => ("", "tx.outputs.length"),
        Fact::InputIndex => ("", "self.index"),
        Fact::ActiveBytecode => ("", "self.code"),
        Fact::InputValue => ("inputs", "value"),
        Fact::InputLock => ("inputs", "lock"),
        Fact::InputTxid => ("inputs", "txid"),
        Fact::InputOutpointIndex => ("inputs", "index"),
        Fact::InputUnlock => ("inputs", "unlock"),
        Fact::InputSequence => ("inputs", "sequence"),
        Fact::InputCategory => ("inputs", "token.category"),
        Fact::InputCommitment => ("inputs", "token.commitment"),
        Fact::InputTokens => ("inputs", "token.amount"),
        Fact::OutputValue => ("outputs", "value"),
        Fact::OutputLock => ("outputs", "lock"),
        Fact::OutputCategory => ("outputs", "token.category"),
        Fact::OutputCommitment => ("outputs", "token.commitment"),
        Fact::OutputTokens => ("outputs", "token.amount"),
    }
}

fn sign(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Neg => "-",
        UnaryOp::Not => "!",
        UnaryOp::BitNot => "~",
    }
}

fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add | BinaryOp::Concat => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Mod => "mod",
        BinaryOp::Equal(_) => "==",
        BinaryOp::NotEqual(_) => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterEqual => ">=",
        BinaryOp::And => "&&",
        BinaryOp::Or => "||",
        BinaryOp::BitAnd => "&",
        BinaryOp::BitOr => "|",
        BinaryOp::BitXor => "^",
        BinaryOp::ShiftLeft(_) => "<<",
        BinaryOp::ShiftRight(_) => ">>",
    }
}

fn tightness_of(op: BinaryOp) -> Tightness {
    match op {
        BinaryOp::Or => Tightness::Or,
        BinaryOp::And => Tightness::And,
        BinaryOp::Equal(_)
        | BinaryOp::NotEqual(_)
        | BinaryOp::Less
        | BinaryOp::LessEqual
        | BinaryOp::Greater
        | BinaryOp::GreaterEqual => Tightness::Compare,
        BinaryOp::BitOr => Tightness::BitOr,
        BinaryOp::BitXor => Tightness::BitXor,
        BinaryOp::BitAnd => Tightness::BitAnd,
        BinaryOp::ShiftLeft(_) | BinaryOp::ShiftRight(_) => Tightness::Shift,
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Concat => Tightness::Sum,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod => Tightness::Product,
    }
}

fn tighter(than: Tightness) -> Tightness {
    match than {
        Tightness::Loose => Tightness::Or,
        Tightness::Or => Tightness::And,
        Tightness::And => Tightness::Compare,
        Tightness::Compare => Tightness::BitOr,
        Tightness::BitOr => Tightness::BitXor,
        Tightness::BitXor => Tightness::BitAnd,
        Tightness::BitAnd => Tightness::Shift,
        Tightness::Shift => Tightness::Sum,
        Tightness::Sum => Tightness::Product,
        Tightness::Product => Tightness::Unary,
        Tightness::Unary | Tightness::Atom => Tightness::Atom,
    }
}

fn tightness(expr: &Expr) -> Tightness {
    match &expr.kind {
        ExprKind::Int(n) if *n < IBig::ZERO => Tightness::Unary,
        ExprKind::Unary { .. } => Tightness::Unary,
        ExprKind::Binary { op, .. } => tightness_of(*op),
        ExprKind::If { .. }
        | ExprKind::Threshold { .. }
        | ExprKind::Match { .. }
        | ExprKind::Is { .. }
        | ExprKind::Payload { .. }
        | ExprKind::Block(_)
        | ExprKind::Asm { .. } => Tightness::Loose,
        ExprKind::Int(_)
        | ExprKind::Bool(_)
        | ExprKind::Bytes(_)
        | ExprKind::Param(_)
        | ExprKind::Arg(_)
        | ExprKind::Local(_)
        | ExprKind::Call { .. }
        | ExprKind::Introspect { .. }
        | ExprKind::Builtin { .. }
        | ExprKind::Signed { .. }
        | ExprKind::DataSigned { .. }
        | ExprKind::Tuple(_)
        | ExprKind::Element { .. }
        | ExprKind::Index { .. }
        | ExprKind::Variant { .. } => Tightness::Atom,
    }
}

/// A number with its unit. Zero stands bare where no literal of its type has that value.
fn number(n: &IBig, ty: &Type, out: &mut String) {
    let per_coin = IBig::from(SATS_PER_COIN);
    let whole_coins = *n != IBig::ZERO && n % &per_coin == IBig::ZERO;
    let digits = grouped(n);
    let small = i64::try_from(n).ok();
    let _ = match ty {
        Type::Coin if whole_coins => write!(out, "{} coin", grouped(&(n / per_coin))),
        Type::Coin => write!(out, "{digits} sats"),
        Type::Blocks => write!(out, "{digits} blocks"),
        Type::Duration => write!(out, "{digits} seconds"),
        Type::Height if small.is_some_and(|n| HEIGHTS.contains(&n)) => write!(out, "height {digits}"),
        Type::Time => match small.filter(|n| TIMES.contains(n)) {
            Some(seconds) => write!(out, "time \"{}\"", moment::format(seconds)),
            None => write!(out, "{digits}"),
        },
        _ => write!(out, "{digits}"),
    };
}
