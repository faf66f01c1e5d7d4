//! Expressions.

use dashu_int::IBig;
use syntax::ast::{self, ExprKind as Ast, Ident};
use syntax::{Code, Help, Span};

use super::stmt::Gives;
use super::{Body, BodyKind, Name};
use crate::hir::{ArgId, Block, Builtin, Expr, ExprKind, Type};
use crate::{number, types};

impl Body<'_, '_> {
    /// The checked expression; it has a value.
    pub(super) fn expr(&mut self, value: &ast::Expr) -> Option<Expr> {
        self.expr_for(value, None)
    }

    /// The checked expression. `wanted` is what its place wants; it may still have another type.
    pub(super) fn expr_for(&mut self, value: &ast::Expr, wanted: Option<&Type>) -> Option<Expr> {
        let expr = self.expr_or_unit(value, wanted)?;
        if expr.ty == Type::Unit {
            return self.report.fail(self.report.error(Code::E0207, "this call gives nothing back", value.span).help(
                "call it as a statement of its own, or let the function give a value: `fn name(..) -> Int { .. }`",
            ));
        }
        Some(expr)
    }

    /// The checked expression, or the call of a function that gives nothing back.
    pub(super) fn expr_or_unit(&mut self, value: &ast::Expr, wanted: Option<&Type>) -> Option<Expr> {
        let expr = self.expr_of_form(value, wanted)?;
        self.report.note_type(value.span, &expr.ty);
        Some(expr)
    }

    fn expr_of_form(&mut self, value: &ast::Expr, wanted: Option<&Type>) -> Option<Expr> {
        let span = value.span;
        match &value.kind {
            Ast::Int(digits) => {
                let n = number::int(digits, span, self.report)?;
                Some(self.make(ExprKind::Int(n), Type::Int, span))
            }
            Ast::Decimal(digits) => self.report.fail(
                self.report
                    .error(Code::E0203, format!("`{digits}` has no unit, and plain numbers are whole"), span)
                    .help(Help::instead(format!("write `{digits} coin` if it is an amount"), format!("{digits} coin"))),
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
            Ast::Name(_) | Ast::Call { .. } if self.is_known(value) => self.place_value(value),
            Ast::Name(name) if self.means_state(name) => self.place_value(value),
            Ast::Name(name) if name.as_str() == "None" => self.unit_variant(name, wanted, span),
            Ast::Name(name) => self.name_value(name),
            Ast::Path(path) => self.path_value(path, wanted, span),
            Ast::SelfRef | Ast::Tx | Ast::Field { .. } | Ast::Element { .. } | Ast::Index { .. } => {
                self.place_value(value)
            }
            Ast::Slice { base, from, to } => self.slice(base, from.as_deref(), to.as_deref(), span),
            Ast::Call { callee, args } => self.call(callee, args, wanted, span),
            Ast::MethodCall { receiver, method, args } => self.method(receiver, method, args, span),
            Ast::Unary { op, operand } => self.unary(*op, operand, span),
            Ast::Binary { op, op_span, left, right } => self.binary(*op, *op_span, left, right, span),
            Ast::If(branch) => self.if_value(branch, wanted),
            Ast::Array(parts) => self.array(parts, wanted, span),
            Ast::Repeat { value, count } => self.repeat(value, count, wanted, span),
            Ast::Tuple(parts) => self.tuple(parts, wanted, span),
            Ast::Struct(literal) => self.struct_literal(literal, wanted, span),
            Ast::Match(choice) => self.match_value(choice, wanted),
            Ast::Record(_) | Ast::With { .. } => self.not_yet("fields without the name of a struct are", span),
            Ast::Asm(asm) => self.asm(asm, span),
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
        let Some(len) = len else { return self.too_many_bytes(span) };
        Some(self.make(ExprKind::Bytes(bytes.to_vec()), Type::BytesN(len), span))
    }

    pub(super) fn too_many_bytes<T>(&mut self, span: Span) -> Option<T> {
        let message = format!("a script holds at most {} bytes in one piece", types::BYTES_MAX);
        let found = self.report.error(Code::E0205, message, span);
        self.report.fail(found.help("use fewer bytes, or their hash"))
    }

    fn name_value(&mut self, name: &Ident) -> Option<Expr> {
        let expr = self.name(name)?;
        let (message, help) = match &expr.ty {
            Type::Sigs(count) => (
                format!("`{name}` holds {count} signatures of a multisig"),
                format!("write `{count} of [..] signed({name})`"),
            ),
            // A plan hands whole lists on.
            Type::List(_) if !matches!(self.kind, BodyKind::Plan | BodyKind::Test) => (
                format!("`{name}` is a list, of which the script knows only a hash"),
                format!("go through it once by `for r in {name} {{ .. }}`"),
            ),
            Type::Padding => (
                format!("`{name}` is padding, whose bytes mean nothing"),
                "leave it unread: it pays for work by its length".to_owned(),
            ),
            _ => return Some(expr),
        };
        self.report.fail(self.report.error(Code::E0209, message, name.span).help(help))
    }

    fn if_value(&mut self, branch: &ast::If, wanted: Option<&Type>) -> Option<Expr> {
        let condition = self.expect(&branch.cond, &Type::Bool);
        let Some(otherwise) = &branch.otherwise else {
            self.block(&branch.then, Gives::Value(wanted));
            return self.report.fail(
                self.report
                    .error(Code::E0207, "an `if` that gives a value needs an `else`", branch.span)
                    .help("add `else { .. }` with the other value"),
            );
        };
        // What `None` is an `Option` of may follow from the other block.
        let like = |block: &Block| block.value.as_ref().map(|value| value.ty.clone()).filter(Type::is_composite);
        let (mut then, mut otherwise) = if is_none(&branch.then) {
            let otherwise = self.block(otherwise, Gives::Value(wanted));
            let like = like(&otherwise);
            (self.block(&branch.then, Gives::Value(wanted.or(like.as_ref()))), otherwise)
        } else {
            let then = self.block(&branch.then, Gives::Value(wanted));
            let like = like(&then);
            let otherwise = self.block(otherwise, Gives::Value(wanted.or(like.as_ref())));
            (then, otherwise)
        };
        let ty = self.type_of_blocks(vec![&mut then, &mut otherwise], wanted, branch.span)?;
        let kind = ExprKind::If { condition: Box::new(condition?), then, otherwise };
        Some(self.make(kind, ty, branch.span))
    }

    /// The type that the values of all blocks have or can be used as.
    pub(super) fn type_of_blocks(
        &mut self,
        blocks: Vec<&mut Block>,
        wanted: Option<&Type>,
        span: Span,
    ) -> Option<Type> {
        let mut values = Vec::with_capacity(blocks.len());
        for block in blocks {
            values.push(block.value.as_mut()?);
        }
        let first = values.first()?.ty.clone();
        if values.iter().all(|value| value.ty == first) {
            return Some(first);
        }
        let fits_as = |value: &Expr, ty: &Type| types::fits(&types::adapt(value.clone(), ty).ty, ty);
        let candidates = wanted.into_iter().chain(values.iter().map(|value| &value.ty)).chain([&Type::Bytes]);
        let common = candidates.into_iter().find(|ty| values.iter().all(|value| fits_as(value, ty))).cloned();
        let Some(common) = common else {
            let other = values.iter().find(|value| !fits_as(value, &first))?;
            let message = format!("one branch gives `{first}`, the other `{}`", other.ty);
            let found = self.report.error(Code::E0201, message, span);
            let found = found.label(values.first()?.loc.clone(), format!("this is `{first}`"));
            let found = found.label(other.loc.clone(), format!("this is `{}`", other.ty));
            return self.report.fail(found.help("give both branches a value of one type"));
        };
        for value in values {
            **value = types::adapt((**value).clone(), &common);
        }
        Some(common)
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

/// Whether a block is `None` and no more.
fn is_none(block: &ast::Block) -> bool {
    let tail = block.tail.as_deref().map(|tail| &tail.kind);
    block.stmts.is_empty() && matches!(tail, Some(Ast::Name(name)) if name.as_str() == "None")
}
