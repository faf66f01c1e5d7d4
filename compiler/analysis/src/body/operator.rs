//! Operators: which units mix, and what comes out.

use syntax::ast::{self, BinaryOp as Sign, UnaryOp as UnarySign};
use syntax::{Code, Span};

use super::Body;
use super::expr::is_zero;
use crate::hir::{BinaryOp, Expr, ExprKind, ItemKind, Type, UnaryOp};
use crate::types;

/// Why two operands do not go together.
enum Clash {
    /// The operator exists for both, but not between them.
    Units,
    /// The operator does not exist for such values.
    Operator,
    /// Bytes of different lengths.
    Lengths,
}

impl Body<'_, '_> {
    pub(super) fn unary(&mut self, sign: UnarySign, operand: &ast::Expr, span: Span) -> Option<Expr> {
        let value = self.expr(operand)?;
        let ty = value.ty.clone();
        let op = match sign {
            UnarySign::Neg if ty.is_number() && !matches!(ty, Type::Height | Type::Time) => UnaryOp::Neg,
            UnarySign::Not if ty == Type::Bool => UnaryOp::Not,
            UnarySign::BitNot if ty.is_bytes() => UnaryOp::BitNot,
            _ => {
                return self.no_unary(sign, &ty, span);
            }
        };
        if let (UnaryOp::Neg, ExprKind::Int(n)) = (op, &value.kind) {
            return Some(self.make(ExprKind::Int(-n.clone()), ty, span));
        }
        let ty = if op == UnaryOp::BitNot { plain_bytes(&ty) } else { ty };
        Some(self.make(ExprKind::Unary { op, operand: Box::new(value) }, ty, span))
    }

    fn no_unary<T>(&mut self, sign: UnarySign, ty: &Type, span: Span) -> Option<T> {
        let message = format!("`{}` does not exist for `{ty}`", sign.symbol());
        let help = match sign {
            UnarySign::Neg => "subtract it from something of its kind",
            UnarySign::Not if ty.is_number() => "compare it, such as `.. == 0`",
            UnarySign::Not => "negate a condition, such as `!(a == b)`",
            UnarySign::BitNot => "take the bytes of a number by `bytes(x, n)`",
        };
        self.report.fail(self.report.error(Code::E0204, message, span).help(help))
    }

    pub(super) fn binary(
        &mut self,
        sign: Sign,
        sign_span: Span,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
    ) -> Option<Expr> {
        if matches!(sign, Sign::And | Sign::Or) {
            let (a, b) = (self.expect(left, &Type::Bool), self.expect(right, &Type::Bool));
            let op = if sign == Sign::And { BinaryOp::And } else { BinaryOp::Or };
            return Some(self.join(op, Type::Bool, a?, b?, span));
        }
        let (a, b) = match sign {
            Sign::Eq | Sign::Ne => self.compared(left, right)?,
            _ => {
                let (a, b) = (self.expr(left), self.expr(right));
                (a?, b?)
            }
        };
        let (a, b) = if scales(sign) { (a, b) } else { adapt_both(a, b) };
        if matches!(sign, Sign::Div | Sign::Mod) && is_zero(&b) {
            let found = self.report.error(Code::E0210, "this divides by zero", right.span);
            return self.report.fail(found.help("divide by another number"));
        }
        match joined(sign, &a.ty, &b.ty) {
            Ok((op, ty)) => {
                self.warn_about_lost_fraction(op, &a, &b, span);
                Some(self.join(op, ty, a, b, span))
            }
            Err(clash) => self.clash(clash, sign, sign_span, &a, &b),
        }
    }

    /// Both sides of a comparison; each may take its type from the other.
    fn compared(&mut self, left: &ast::Expr, right: &ast::Expr) -> Option<(Expr, Expr)> {
        let is_open = matches!(&left.kind, ast::ExprKind::Name(name) if name.as_str() == "None");
        let (first, second) = if is_open { (right, left) } else { (left, right) };
        let first = self.expr(first);
        let hint = first.as_ref().map(|first| first.ty.clone()).filter(Type::is_composite);
        let second = self.expr_for(second, hint.as_ref());
        if is_open { second.zip(first) } else { first.zip(second) }
    }

    fn join(&self, op: BinaryOp, ty: Type, left: Expr, right: Expr, span: Span) -> Expr {
        self.make(ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, ty, span)
    }

    fn warn_about_lost_fraction(&mut self, op: BinaryOp, left: &Expr, right: &Expr, span: Span) {
        let divides = |side: &Expr| matches!(side.kind, ExprKind::Binary { op: BinaryOp::Div, .. });
        if op == BinaryOp::Mul && (divides(left) || divides(right)) {
            let found =
                self.report.error(Code::E0404, "this divides before it multiplies, which loses the fraction", span);
            self.report.push(found.help("multiply first: `a * b / c` instead of `a / c * b`"));
        }
    }

    fn clash(&mut self, clash: Clash, sign: Sign, sign_span: Span, left: &Expr, right: &Expr) -> Option<Expr> {
        let (a, b) = (&left.ty, &right.ty);
        let found = match &clash {
            Clash::Units => self.report.error(Code::E0202, sentence(sign, a, b), sign_span),
            Clash::Operator => {
                let message = format!("`{}` does not exist for `{a}` and `{b}`", sign.symbol());
                self.report.error(Code::E0204, message, sign_span)
            }
            Clash::Lengths => {
                let message = format!("`{a}` and `{b}` never have the same length");
                self.report.error(Code::E0212, message, sign_span)
            }
        };
        let found = found.saying("joined here").label(left.loc.clone(), format!("this is `{a}`"));
        let found = found.label(right.loc.clone(), format!("this is `{b}`"));
        let help = self.unit_help(sign, left, right).or_else(|| bitwise_help(sign, a, b));
        self.report.fail(found.help(help.unwrap_or_else(|| general_help(clash, a, b).to_owned())))
    }

    /// A bare number beside a quantity probably lacks its unit.
    fn unit_help(&self, sign: Sign, left: &Expr, right: &Expr) -> Option<String> {
        let (bare, other) = match (&left.kind, &left.ty, &right.kind, &right.ty) {
            (ExprKind::Int(_), Type::Int, _, other) => (left, other),
            (_, other, ExprKind::Int(_), Type::Int) => (right, other),
            (_, Type::Int, _, other) | (_, other, _, Type::Int) if other.is_number() => {
                return Some(format!("take the plain number of the `{other}` by `int(..)`"));
            }
            _ => return None,
        };
        let text = self.report.text_of(bare.loc.span);
        let other = match (sign, other) {
            (Sign::Add | Sign::Sub, Type::Height) => &Type::Blocks,
            (Sign::Add | Sign::Sub, Type::Time) => &Type::Duration,
            _ => other,
        };
        types::with_unit(&text, other).map(|fixed| format!("write `{fixed}`"))
    }
}

/// The next action where nothing better is known.
fn general_help(clash: Clash, a: &Type, b: &Type) -> &'static str {
    match clash {
        Clash::Lengths => "compare with bytes of this length, or take a part by `x[..n]`",
        Clash::Units => "bring both sides to one unit, or take plain numbers by `int(..)`",
        Clash::Operator if a.is_bytes() && b.is_number() || a.is_number() && b.is_bytes() => {
            "turn the number into bytes by `bytes(x, n)`, or the bytes into a number by `int(..)`"
        }
        Clash::Operator => "use values of types that have this operator",
    }
}

fn bitwise_help(sign: Sign, a: &Type, b: &Type) -> Option<String> {
    let bitwise = matches!(sign, Sign::BitAnd | Sign::BitOr | Sign::BitXor);
    match (a, b) {
        (Type::Bool, Type::Bool) if sign == Sign::BitAnd => Some("write `&&`".into()),
        (Type::Bool, Type::Bool) if sign == Sign::BitOr => Some("write `||`".into()),
        _ if bitwise && (a.is_number() || b.is_number()) => Some("take the bytes of a number by `bytes(x, n)`".into()),
        _ => None,
    }
}

/// Products and quotients give a bare zero no unit.
fn scales(sign: Sign) -> bool {
    matches!(sign, Sign::Mul | Sign::Div | Sign::Shl | Sign::Shr)
}

fn adapt_both(a: Expr, b: Expr) -> (Expr, Expr) {
    let a = types::adapt(a, &b.ty);
    let b = types::adapt(b, &a.ty);
    (a, b)
}

/// Bytes that are no key, lock or signature any more once they have been worked on.
fn plain_bytes(ty: &Type) -> Type {
    ty.fixed_len().map_or(Type::Bytes, Type::BytesN)
}

fn joined(sign: Sign, a: &Type, b: &Type) -> Result<(BinaryOp, Type), Clash> {
    match sign {
        Sign::Add if a.is_bytes() && b.is_bytes() => Ok((BinaryOp::Concat, concatenated(a, b))),
        Sign::Add => Ok((BinaryOp::Add, sum(a, b)?)),
        Sign::Sub => Ok((BinaryOp::Sub, difference(a, b)?)),
        Sign::Mul => Ok((BinaryOp::Mul, product(a, b)?)),
        Sign::Div => Ok((BinaryOp::Div, quotient(a, b)?)),
        Sign::Mod => Ok((BinaryOp::Mod, remainder(a, b)?)),
        Sign::Eq => Ok((BinaryOp::Equal(comparable(a, b)?), Type::Bool)),
        Sign::Ne => Ok((BinaryOp::NotEqual(comparable(a, b)?), Type::Bool)),
        Sign::Lt => Ok((BinaryOp::Less, ordered(a, b)?)),
        Sign::Le => Ok((BinaryOp::LessEqual, ordered(a, b)?)),
        Sign::Gt => Ok((BinaryOp::Greater, ordered(a, b)?)),
        Sign::Ge => Ok((BinaryOp::GreaterEqual, ordered(a, b)?)),
        Sign::BitAnd => Ok((BinaryOp::BitAnd, bitwise(a, b)?)),
        Sign::BitOr => Ok((BinaryOp::BitOr, bitwise(a, b)?)),
        Sign::BitXor => Ok((BinaryOp::BitXor, bitwise(a, b)?)),
        Sign::Shl => shifted(a, b).map(|(kind, ty)| (BinaryOp::ShiftLeft(kind), ty)),
        Sign::Shr => shifted(a, b).map(|(kind, ty)| (BinaryOp::ShiftRight(kind), ty)),
        Sign::And | Sign::Or => Err(Clash::Operator),
    }
}

fn clash(a: &Type, b: &Type) -> Clash {
    if a.is_number() && b.is_number() { Clash::Units } else { Clash::Operator }
}

/// Amounts of something, which add up; points in time do not.
fn is_amount(ty: &Type) -> bool {
    ty.is_number() && !matches!(ty, Type::Height | Type::Time)
}

fn sum(a: &Type, b: &Type) -> Result<Type, Clash> {
    match (a, b) {
        _ if a == b && is_amount(a) => Ok(a.clone()),
        (Type::Height, Type::Blocks) | (Type::Blocks, Type::Height) => Ok(Type::Height),
        (Type::Time, Type::Duration) | (Type::Duration, Type::Time) => Ok(Type::Time),
        _ => Err(clash(a, b)),
    }
}

fn difference(a: &Type, b: &Type) -> Result<Type, Clash> {
    match (a, b) {
        _ if a == b && is_amount(a) => Ok(a.clone()),
        (Type::Height, Type::Height) => Ok(Type::Blocks),
        (Type::Time, Type::Time) => Ok(Type::Duration),
        (Type::Height, Type::Blocks) => Ok(Type::Height),
        (Type::Time, Type::Duration) => Ok(Type::Time),
        _ => Err(clash(a, b)),
    }
}

fn product(a: &Type, b: &Type) -> Result<Type, Clash> {
    match (a, b) {
        (Type::Int, other) | (other, Type::Int) if is_amount(other) => Ok(other.clone()),
        _ => Err(clash(a, b)),
    }
}

fn quotient(a: &Type, b: &Type) -> Result<Type, Clash> {
    match (a, b) {
        (_, Type::Int) if is_amount(a) => Ok(a.clone()),
        _ if a == b && is_amount(a) => Ok(Type::Int),
        _ => Err(clash(a, b)),
    }
}

fn remainder(a: &Type, b: &Type) -> Result<Type, Clash> {
    match (a, b) {
        (_, Type::Int) if is_amount(a) => Ok(a.clone()),
        _ if a == b && is_amount(a) => Ok(a.clone()),
        _ => Err(clash(a, b)),
    }
}

fn comparable(a: &Type, b: &Type) -> Result<ItemKind, Clash> {
    match (a.fixed_len(), b.fixed_len()) {
        _ if a == b && (a.is_number() || *a == Type::Bool) => Ok(ItemKind::Number),
        // Part by part; the kind of each follows from its type.
        _ if (a.is_composite() && (types::fits(a, b) || types::fits(b, a))) || is_opaque(a, b) => Ok(ItemKind::Bytes),
        (Some(m), Some(n)) if m != n => Err(Clash::Lengths),
        _ if a.is_bytes() && b.is_bytes() => Ok(ItemKind::Bytes),
        _ if a.is_number() && b.is_number() => Err(Clash::Units),
        _ => Err(Clash::Operator),
    }
}

/// Whether both are values of one type parameter.
fn is_opaque(a: &Type, b: &Type) -> bool {
    a == b && matches!(a, Type::Param(..))
}

fn ordered(a: &Type, b: &Type) -> Result<Type, Clash> {
    if a == b && a.is_number() { Ok(Type::Bool) } else { Err(clash(a, b)) }
}

fn bitwise(a: &Type, b: &Type) -> Result<Type, Clash> {
    match (a.fixed_len(), b.fixed_len()) {
        _ if !a.is_bytes() || !b.is_bytes() => Err(Clash::Operator),
        (Some(m), Some(n)) if m != n => Err(Clash::Lengths),
        (Some(len), _) | (_, Some(len)) => Ok(Type::BytesN(len)),
        (None, None) => Ok(Type::Bytes),
    }
}

fn shifted(a: &Type, b: &Type) -> Result<(ItemKind, Type), Clash> {
    match (a, b) {
        (Type::Int, Type::Int) => Ok((ItemKind::Number, Type::Int)),
        (_, Type::Int) if a.is_bytes() => Ok((ItemKind::Bytes, plain_bytes(a))),
        _ => Err(Clash::Operator),
    }
}

fn concatenated(a: &Type, b: &Type) -> Type {
    let len = a.fixed_len().zip(b.fixed_len()).map(|(m, n)| m.saturating_add(n));
    len.map_or(Type::Bytes, Type::BytesN)
}

fn sentence(sign: Sign, a: &Type, b: &Type) -> String {
    match sign {
        Sign::Add => format!("`{b}` cannot be added to `{a}`"),
        Sign::Sub => format!("`{b}` cannot be subtracted from `{a}`"),
        Sign::Mul => format!("`{a}` cannot be multiplied by `{b}`"),
        Sign::Div | Sign::Mod => format!("`{a}` cannot be divided by `{b}`"),
        _ => format!("`{a}` cannot be compared with `{b}`"),
    }
}
