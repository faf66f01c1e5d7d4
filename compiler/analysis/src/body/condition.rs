//! `require`: conditions, and the time locks that stand only here.
//!
//! A script sees time only as the lock time of the transaction and the age of its coin, both of which
//! the chain lets a transaction overstate never and understate always. So time is bounded from below
//! or not at all, and a lock is a demand, never a value.

use dashu_int::IBig;
use syntax::ast::{self, BinaryOp as Sign, ExprKind as Ast};
use syntax::{Code, Span};

use super::Body;
use crate::hir::{BinaryOp, Builtin, Condition, Expr, ExprKind, Stmt, StmtKind, Type};
use crate::number;

/// Longer conditions are cut in the message that the compiler makes of them.
const MESSAGE_CHARS_MAX: usize = 120;
/// The longest relative lock in blocks, and in seconds.
const AGE_BLOCKS_MAX: i64 = 65_535;
const AGE_SECONDS_MAX: i64 = 65_535 * 512;

#[derive(Clone, Copy)]
enum Clock {
    Height,
    Time,
    Age,
}

/// Where a bound must lie. The opcodes refuse negative numbers themselves.
#[derive(Clone, Copy)]
enum Range {
    From(i64),
    UpTo(i64),
    /// From 0 up to and including.
    Within(i64),
}

impl Clock {
    fn word(self) -> &'static str {
        match self {
            Clock::Height => "tx.height",
            Clock::Time => "tx.time",
            Clock::Age => "self.age",
        }
    }
}

impl Body<'_, '_> {
    /// Adds a statement for each part of a conjunction, so that each names its own place.
    pub(super) fn require(&mut self, cond: &ast::Expr, message: Option<String>, out: &mut Vec<Stmt>) {
        if let Ast::Binary { op: Sign::And, left, right, .. } = &cond.kind {
            self.require(left, message.clone(), out);
            self.require(right, message, out);
            return;
        }
        let message = message.unwrap_or_else(|| self.default_message(cond.span));
        let condition = match time_lock(cond) {
            Some((clock, sign, bound)) => self.lock_condition(clock, sign, bound, cond.span, out),
            None => self.expect(cond, &Type::Bool).map(Condition::Holds),
        };
        if let Some(condition) = self.note(condition) {
            let kind = StmtKind::Require { condition, message };
            out.push(Stmt { kind, loc: self.report.loc(cond.span) });
        }
    }

    fn default_message(&self, span: Span) -> String {
        let text = self.report.text_of(span);
        match text.char_indices().nth(MESSAGE_CHARS_MAX) {
            Some((end, _)) => format!("`{}…` does not hold", text.get(..end).unwrap_or_default()),
            None => format!("`{text}` does not hold"),
        }
    }

    fn lock_condition(
        &mut self,
        clock: Clock,
        sign: Sign,
        bound: &ast::Expr,
        span: Span,
        out: &mut Vec<Stmt>,
    ) -> Option<Condition> {
        if sign != Sign::Ge {
            self.expr(bound);
            return self.wrong_bound(clock, sign, bound, span);
        }
        match clock {
            Clock::Height => {
                let bound = self.expect(bound, &Type::Height)?;
                let range = Range::UpTo(*number::HEIGHTS.end());
                self.guard(&bound, range, "a height lies below 500_000_000", span, out);
                Some(Condition::TxHeightAtLeast(bound))
            }
            Clock::Time => {
                let bound = self.expect(bound, &Type::Time)?;
                let range = Range::From(*number::TIMES.start());
                self.guard(&bound, range, "a lock time lies after 1985", span, out);
                Some(Condition::TxTimeAtLeast(bound))
            }
            Clock::Age => self.age(bound, span, out).map(Condition::AgeAtLeast),
        }
    }

    fn age(&mut self, bound: &ast::Expr, span: Span, out: &mut Vec<Stmt>) -> Option<Expr> {
        let age = self.expr(bound)?;
        let (limit, limit_text) = match age.ty {
            Type::Blocks => (AGE_BLOCKS_MAX, "65_535 blocks"),
            Type::Duration => (AGE_SECONDS_MAX, "33_553_920 seconds"),
            Type::Int => return self.expect_checked(age, &Type::Blocks, bound.span),
            ty => {
                let message = format!("an age is `Blocks` or a `Duration`, but this is `{ty}`");
                let found = self.report.error(Code::E0201, message, bound.span);
                return self.report.fail(found.help("write an age, such as `144 blocks` or `2 days`"));
            }
        };
        if let ExprKind::Int(n) = &age.kind
            && !i64::try_from(n).is_ok_and(|n| (0..=limit).contains(&n))
        {
            let message = format!("a relative lock lies between 0 and {limit_text}");
            let found = self.report.error(Code::E0411, message, bound.span);
            return self.report.fail(found.help("wait less long, or lock by `tx.height` or `tx.time` instead"));
        }
        let message = format!("an age is at most {limit_text}");
        if age.ty == Type::Blocks {
            self.guard(&age, Range::UpTo(limit), &message, span, out);
            return Some(age);
        }
        self.guard(&age, Range::Within(limit), &message, span, out);
        let loc = age.loc.clone();
        Some(Expr { kind: ExprKind::Builtin { builtin: Builtin::AgeUnits, args: vec![age] }, ty: Type::Duration, loc })
    }

    /// Demands that a bound which the spender chooses or the script computes stays in the range where
    /// the opcode reads it as what it is. A bare parameter needs no check: its value is checked once,
    /// when the contract is deployed.
    fn guard(&mut self, bound: &Expr, range: Range, message: &str, span: Span, out: &mut Vec<Stmt>) {
        if !is_unseen(bound) {
            return;
        }
        let number = |n: i64| Expr { kind: ExprKind::Int(IBig::from(n)), ty: bound.ty.clone(), loc: bound.loc.clone() };
        let compare =
            |op, limit| ExprKind::Binary { op, left: Box::new(bound.clone()), right: Box::new(number(limit)) };
        let kind = match range {
            Range::From(least) => compare(BinaryOp::GreaterEqual, least),
            Range::UpTo(most) => compare(BinaryOp::LessEqual, most),
            Range::Within(most) => {
                let args = vec![bound.clone(), number(0), number(most + 1)];
                ExprKind::Builtin { builtin: Builtin::Within, args }
            }
        };
        let holds = Expr { kind, ty: Type::Bool, loc: bound.loc.clone() };
        let kind = StmtKind::Require { condition: Condition::Holds(holds), message: message.to_owned() };
        out.push(Stmt { kind, loc: self.report.loc(span) });
    }

    fn wrong_bound(&mut self, clock: Clock, sign: Sign, bound: &ast::Expr, span: Span) -> Option<Condition> {
        let text = self.report.text_of(bound.span);
        let word = clock.word();
        let found = match sign {
            Sign::Gt => self
                .report
                .error(Code::E0408, format!("`{word}` is bounded by `>=` only"), span)
                .help(format!("write `{word} >= {text}`, one more if the bound itself is too early")),
            _ => self
                .report
                .error(
                    Code::E0408,
                    format!("`{word}` has only lower bounds: a transaction that is valid stays valid"),
                    span,
                )
                .help(format!("let the other party have a path of its own with `require {word} >= {text};`")),
        };
        self.report.fail(found)
    }
}

/// A comparison with a clock: which, the sign as if the clock stood on the left, the other side.
fn time_lock(cond: &ast::Expr) -> Option<(Clock, Sign, &ast::Expr)> {
    let Ast::Binary { op, left, right, .. } = &cond.kind else { return None };
    let mirrored = match op {
        Sign::Lt => Sign::Gt,
        Sign::Le => Sign::Ge,
        Sign::Gt => Sign::Lt,
        Sign::Ge => Sign::Le,
        Sign::Eq | Sign::Ne => *op,
        _ => return None,
    };
    match (clock(left), clock(right)) {
        (Some(clock), _) => Some((clock, *op, right)),
        (None, Some(clock)) => Some((clock, mirrored, left)),
        (None, None) => None,
    }
}

fn clock(value: &ast::Expr) -> Option<Clock> {
    let Ast::Field { base, name } = &value.kind else { return None };
    match (&base.kind, name.as_str()) {
        (Ast::Tx, "height") => Some(Clock::Height),
        (Ast::Tx, "time") => Some(Clock::Time),
        (Ast::SelfRef, "age") => Some(Clock::Age),
        _ => None,
    }
}

/// Whether whoever deploys a contract does not see the value: it is brought by the spender, or computed.
fn is_unseen(expr: &Expr) -> bool {
    !matches!(expr.kind, ExprKind::Int(_) | ExprKind::Param(_))
}
