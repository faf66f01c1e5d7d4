//! Expressions.

use dashu_int::IBig;
use syntax::ast::{self, ExprKind as Ast, Ident};
use syntax::{Code, Span};

use super::{Body, Name};
use crate::hir::{ArgId, Builtin, Expr, ExprKind, Type};
use crate::{number, types};

impl Body<'_, '_> {
    /// The checked expression; it has a value.
    pub(super) fn expr(&mut self, value: &ast::Expr) -> Option<Expr> {
        let expr = self.expr_or_unit(value)?;
        if expr.ty == Type::Unit {
            return self.report.fail(self.report.error(Code::E0207, "this call gives nothing back", value.span).help(
                "call it as a statement of its own, or let the function give a value: `fn name(..) -> Int { .. }`",
            ));
        }
        Some(expr)
    }

    /// The checked expression, or the call of a function that gives nothing back.
    pub(super) fn expr_or_unit(&mut self, value: &ast::Expr) -> Option<Expr> {
        let span = value.span;
        match &value.kind {
            Ast::Int(digits) => {
                let n = number::int(digits, span, self.report)?;
                Some(self.make(ExprKind::Int(n), Type::Int, span))
            }
            Ast::Decimal(digits) => self.report.fail(
                self.report
                    .error(Code::E0203, format!("`{digits}` has no unit, and plain numbers are whole"), span)
                    .help(format!("write `{digits} coin` if it is an amount")),
            ),
            Ast::Quantity { digits, unit, .. } => {
                let (n, ty) = number::quantity(digits, *unit, span, self.report)?;
                Some(self.make(ExprKind::Int(n), ty, span))
            }
            Ast::Moment { clock, text, text_span } => {
                let (n, ty) = number::point(*clock, text, *text_span, self.report)?;
                Some(self.make(ExprKind::Int(n), ty, span))
            }
            Ast::Percent(digits) => self.report.fail(
                self.report
                    .error(Code::E0209, format!("`{digits}%` is a share, which only weights can use"), span)
                    .help(format!("write `.. * {digits} / 100` for a part of an amount")),
            ),
            Ast::Bytes(bytes) => self.bytes_literal(bytes, span),
            Ast::Str(text) => self.bytes_literal(text.as_bytes(), span),
            Ast::Bool(value) => Some(self.make(ExprKind::Bool(*value), Type::Bool, span)),
            Ast::Name(name) => self.name_value(name),
            Ast::Path(path) => self.path_value(path, span),
            Ast::SelfRef | Ast::Tx | Ast::Field { .. } | Ast::Index { .. } => self.place_value(value),
            Ast::Slice { base, from, to } => self.slice(base, from.as_deref(), to.as_deref(), span),
            Ast::Call { callee, args } => self.call(callee, args, span),
            Ast::MethodCall { receiver, method, args } => self.method(receiver, method, args, span),
            Ast::Unary { op, operand } => self.unary(*op, operand, span),
            Ast::Binary { op, op_span, left, right } => self.binary(*op, *op_span, left, right, span),
            Ast::If(branch) => self.if_value(branch),
            Ast::Array(_) | Ast::Repeat { .. } => self.not_yet("arrays are", span),
            Ast::Tuple(_) | Ast::Element { .. } => self.not_yet("tuples are", span),
            Ast::Struct(_) | Ast::Record(_) | Ast::With { .. } => self.not_yet("structures are", span),
            Ast::Match(_) => self.not_yet("`match` is", span),
            Ast::Asm(_) => self.not_yet("`asm` is", span),
            Ast::Quorum { .. } => self.not_yet("a threshold without signatures is", span),
            Ast::Threshold { needed, keys, sigs } => self.threshold(needed, keys, sigs, span),
            Ast::Error => None,
        }
    }

    /// A form that this version reads but does not compile.
    pub(super) fn not_yet<T>(&mut self, what: &str, span: Span) -> Option<T> {
        self.report.not_yet(what, span);
        None
    }

    fn bytes_literal(&mut self, bytes: &[u8], span: Span) -> Option<Expr> {
        let len = u32::try_from(bytes.len()).ok().filter(|len| *len <= types::BYTES_MAX);
        let Some(len) = len else {
            let message = format!("a script holds at most {} bytes in one piece", types::BYTES_MAX);
            let found = self.report.error(Code::E0205, message, span);
            return self.report.fail(found.help("use fewer bytes, or their hash"));
        };
        Some(self.make(ExprKind::Bytes(bytes.to_vec()), Type::BytesN(len), span))
    }

    fn name_value(&mut self, name: &Ident) -> Option<Expr> {
        let expr = self.name(name)?;
        if let Type::Sigs(count) = expr.ty {
            let message = format!("`{name}` holds {count} signatures of a multisig");
            return self.report.fail(
                self.report
                    .error(Code::E0209, message, name.span)
                    .help(format!("write `{count} of [..] signed({name})`")),
            );
        }
        Some(expr)
    }

    fn if_value(&mut self, branch: &ast::If) -> Option<Expr> {
        let condition = self.expect(&branch.cond, &Type::Bool);
        let mut then = self.block_with_value(&branch.then, None);
        let Some(otherwise) = &branch.otherwise else {
            return self.report.fail(
                self.report
                    .error(Code::E0207, "an `if` that gives a value needs an `else`", branch.span)
                    .help("add `else { .. }` with the other value"),
            );
        };
        let mut otherwise = self.block_with_value(otherwise, None);
        let first = then.value.take()?;
        let second = otherwise.value.take()?;
        let first = types::adapt(*first, &second.ty);
        let second = types::adapt(*second, &first.ty);
        let ty = self.common_type(&first, &second, branch.span)?;
        then.value = Some(Box::new(first));
        otherwise.value = Some(Box::new(second));
        let kind = ExprKind::If { condition: Box::new(condition?), then, otherwise };
        Some(self.make(kind, ty, branch.span))
    }

    fn common_type(&mut self, first: &Expr, second: &Expr, span: Span) -> Option<Type> {
        let (a, b) = (&first.ty, &second.ty);
        if a == b {
            return Some(a.clone());
        }
        if a.is_bytes() && b.is_bytes() {
            return Some(Type::Bytes);
        }
        let found = self.report.error(Code::E0201, format!("one branch gives `{a}`, the other `{b}`"), span);
        let found = found.label(first.loc.clone(), format!("this is `{a}`"));
        let found = found.label(second.loc.clone(), format!("this is `{b}`"));
        self.report.fail(found.help("give both branches a value of one type"))
    }

    fn slice(
        &mut self,
        base: &ast::Expr,
        from: Option<&ast::Expr>,
        to: Option<&ast::Expr>,
        span: Span,
    ) -> Option<Expr> {
        let bytes = self.expr(base);
        let from = from.map(|from| self.expect(from, &Type::Int));
        let to = to.map(|to| self.expect(to, &Type::Int));
        let bytes = bytes?;
        if !bytes.ty.is_bytes() {
            let message = format!("`{}` cannot be sliced, only bytes can", bytes.ty);
            let found = self.report.error(Code::E0214, message, base.span);
            return self.report.fail(found.help("write `bytes(x, n)[..]` to slice a number in `n` bytes"));
        }
        let whole = bytes.ty.fixed_len();
        let (builtin, args, len) = match (from, to) {
            (None, None) => return Some(bytes),
            (None, Some(to)) => {
                let to = to?;
                let len = self.slice_len(0, known(&to), whole, span)?;
                (Builtin::Prefix, vec![bytes, to], len)
            }
            (Some(from), None) => {
                let from = from?;
                let len = match known(&from) {
                    Some(start) => self.slice_len(start, whole.map(i64::from), whole, span)?,
                    None => None,
                };
                (Builtin::Suffix, vec![bytes, from], len)
            }
            (Some(from), Some(to)) => {
                let (from, to) = (from?, to?);
                let len = match known(&from) {
                    Some(start) => self.slice_len(start, known(&to), whole, span)?,
                    None => None,
                };
                (Builtin::Slice, vec![bytes, from, to], len)
            }
        };
        let ty = len.map_or(Type::Bytes, Type::BytesN);
        Some(self.make(ExprKind::Builtin { builtin, args }, ty, span))
    }

    /// The length of a slice with known ends; outer `None` if they lie outside the bytes.
    fn slice_len(&mut self, from: i64, to: Option<i64>, whole: Option<u32>, span: Span) -> Option<Option<u32>> {
        let end = whole.map_or(i64::from(types::BYTES_MAX), i64::from);
        let inside = from >= 0 && from <= to.unwrap_or(end) && to.unwrap_or(from) <= end;
        if !inside {
            let message = match whole {
                Some(len) => format!("this slice leaves the {len} bytes it is taken from"),
                None => "this slice ends before it begins, or lies outside every item".into(),
            };
            let found = self.report.error(Code::E0210, message, span);
            return self.report.fail(found.help("let the slice begin and end inside the bytes"));
        }
        Some(to.and_then(|to| u32::try_from(to - from).ok()))
    }

    fn threshold(&mut self, needed: &ast::Expr, keys: &[ast::Expr], sigs: &[ast::Expr], span: Span) -> Option<Expr> {
        let checked: Vec<_> = keys.iter().map(|key| self.expect(key, &Type::PubKey)).collect();
        let required = self.needed(needed, keys.len(), span);
        let sigs = self.sigs_arg(sigs, span);
        let keys = checked.into_iter().collect::<Option<Vec<_>>>()?;
        let (required, (sigs, count)) = (required?, sigs?);
        if u32::from(required) != count {
            let message = format!("{required} signatures are required, but the argument holds {count}");
            return self.report.fail(
                self.report
                    .error(Code::E0201, message, span)
                    .help(format!("declare the argument as `Sigs<{required}>`")),
            );
        }
        Some(self.make(ExprKind::Threshold { keys, required, sigs }, Type::Bool, span))
    }

    fn needed(&mut self, needed: &ast::Expr, keys: usize, span: Span) -> Option<u8> {
        let expr = self.expect(needed, &Type::Int)?;
        let count = known(&expr).and_then(|count| u8::try_from(count).ok());
        if keys > types::KEYS_MAX as usize {
            let message = format!("a multisig has at most {} keys, this has {keys}", types::KEYS_MAX);
            let found = self.report.error(Code::E0205, message, span);
            return self.report.fail(found.help("use fewer keys, or several conditions"));
        }
        match count {
            Some(count) if count >= 1 && usize::from(count) <= keys => Some(count),
            _ => {
                let message = format!("the number of signatures must be a constant from 1 to {keys}");
                let found = self.report.error(Code::E0205, message, needed.span);
                self.report.fail(found.help("require as many signatures as there are keys, or fewer"))
            }
        }
    }

    fn sigs_arg(&mut self, sigs: &[ast::Expr], span: Span) -> Option<(ArgId, u32)> {
        if let [ast::Expr { kind: Ast::Name(name), .. }] = sigs {
            let Some(Name::Arg(id)) = self.meaning(name) else {
                self.name(name)?;
                return self.no_sigs(name.span);
            };
            return match self.args.get(id.index())?.ty.as_ref()? {
                Type::Sigs(count) => Some((id, *count)),
                _ => self.no_sigs(name.span),
            };
        }
        if sigs.iter().any(|sig| matches!(sig.kind, Ast::Error)) {
            return None;
        }
        self.no_sigs(span)
    }

    fn no_sigs<T>(&mut self, span: Span) -> Option<T> {
        self.report.fail(
            self.report
                .error(Code::E0201, "`signed` takes one argument of the path, of type `Sigs<K>`", span)
                .help("declare it, such as `spend release(sigs: Sigs<2>)`, and write `signed(sigs)`"),
        )
    }
}

/// The number of a literal.
pub(super) fn known(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Int(n) => i64::try_from(n).ok(),
        _ => None,
    }
}

/// Whether the expression is the number zero as written.
pub(super) fn is_zero(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Int(n) if *n == IBig::ZERO)
}
