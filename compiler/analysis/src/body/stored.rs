//! Tables: their elements as values, and values that are computed once however often they are used.

use syntax::{Code, Span, ast};

use super::loops::constant_index;
use super::{Body, BodyKind};
use crate::hir::{BinaryOp, Block, Builtin, Condition, Expr, ExprKind, ItemKind, Stmt, StmtKind, Type};
use crate::layout::Layout;

impl Body<'_, '_> {
    /// Works with values as bytes, at one place.
    pub(super) fn stored<T>(&mut self, span: Span, work: impl FnOnce(&mut Layout<'_>) -> T) -> T {
        let loc = self.report.loc(span);
        let mut new_local = |name: String, ty| self.variable(name.into(), Some(ty), span);
        work(&mut Layout { loc: &loc, new_local: &mut new_local })
    }

    /// `encode(value)`: the bytes of the value where it is stored.
    pub(super) fn encode(&mut self, args: &[ast::Expr], span: Span) -> Option<Expr> {
        let [arg] = args else { return None };
        let value = self.expr(arg)?;
        let ty = value.ty.clone();
        if ty.stored_len().is_none() {
            return self.not_stored(&ty, arg.span);
        }
        Some(match value.kind {
            ExprKind::Tuple(_) => self.stored(span, |layout| layout.store(&value, &ty)),
            _ => self.held(value, |body, value| body.stored(span, |layout| layout.store(&value, &ty))),
        })
    }

    /// `decode(bytes)`: the value that bytes store, of the type that is needed; the bytes have its length.
    pub(super) fn decode(&mut self, args: &[ast::Expr], wanted: Option<&Type>, span: Span) -> Option<Expr> {
        let [arg] = args else { return None };
        let bytes = self.expect(arg, &Type::Bytes);
        let Some(wanted) = wanted else {
            let found = self.report.error(Code::E0215, "nothing says which type of value these bytes store", span);
            return self.report.fail(found.help("write the type: `let thread: Thread::State = decode(..);`"));
        };
        let Some(len) = wanted.stored_len() else { return self.not_stored(wanted, span) };
        let (bytes, wanted) = (bytes?, wanted.clone());
        // A wallet reads what a script has checked; and what has this length already needs no check.
        let is_checked =
            bytes.ty.fixed_len() == Some(len) || self.kind != BodyKind::Spend && self.kind != BodyKind::Function;
        if is_checked {
            return Some(
                self.held(bytes, |body, bytes| body.stored(span, |layout| layout.load(&bytes, len, 0, &wanted))),
            );
        }
        let (ty, loc) = (bytes.ty.clone(), self.report.loc(span));
        let local = self.variable("bytes".into(), Some(ty.clone()), span);
        let bytes = Stmt { kind: StmtKind::Let { local, value: bytes }, loc: loc.clone() };
        let held = self.make(ExprKind::Local(local), ty, span);
        let size = self.make(ExprKind::Builtin { builtin: Builtin::Size, args: vec![held.clone()] }, Type::Int, span);
        let right = self.make(ExprKind::Int(len.into()), Type::Int, span);
        let kind = ExprKind::Binary { op: BinaryOp::Equal(ItemKind::Number), left: size.into(), right: right.into() };
        let condition = Condition::Holds(self.make(kind, Type::Bool, span));
        let message = format!("the bytes of a `{wanted}` are {len}");
        let check = Stmt { kind: StmtKind::Require { condition, message }, loc };
        let value = self.stored(span, |layout| layout.load(&held, len, 0, &wanted));
        let ty = value.ty.clone();
        let block = Block { stmts: vec![bytes, check], value: Some(Box::new(value)) };
        Some(self.make(ExprKind::Block(block), ty, span))
    }

    fn not_stored<T>(&mut self, ty: &Type, span: Span) -> Option<T> {
        let found = self.report.error(Code::E0209, format!("values of `{ty}` have no fixed length of bytes"), span);
        self.report.fail(found.help("use types of a fixed length, such as `Coin`, `Int<4>` or `Bytes<32>`"))
    }

    /// All of these values of one type, one behind the other.
    pub(super) fn packed(&mut self, parts: Vec<Expr>, element: &Type, span: Span) -> Expr {
        let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
        let mut row = Vec::with_capacity(parts.len());
        for part in parts {
            row.push(match part.kind {
                ExprKind::Tuple(_) => self.stored(span, |layout| layout.store(&part, element)),
                _ => self.held(part, |body, part| body.stored(span, |layout| layout.store(&part, element))),
            });
        }
        // In halves, so that many elements do not make a deep tree.
        while row.len() > 1 {
            let mut next = Vec::with_capacity(row.len().div_ceil(2));
            let mut parts = row.into_iter();
            while let Some(left) = parts.next() {
                next.push(match parts.next() {
                    None => left,
                    Some(right) => self.stored(span, |layout| layout.join(vec![left, right])),
                });
            }
            row = next;
        }
        let whole = row.pop().unwrap_or_else(|| self.make(ExprKind::Bytes(Vec::new()), Type::BytesN(0), span));
        self.cast(whole, Type::Table(element.clone().into(), count))
    }

    /// The element of a table with this number. Fails if there is none.
    pub(super) fn table_element(&mut self, table: Expr, index: Expr, span: Span) -> Option<Expr> {
        let Type::Table(element, count) = table.ty.clone() else { return None };
        let len = element.stored_len()?;
        if let Some(index) = constant_index(&index).and_then(|index| u32::try_from(index).ok()) {
            let (start, total) = (index.checked_mul(len)?, count.checked_mul(len)?);
            let load = |body: &mut Self, table| body.stored(span, |layout| layout.load(&table, total, start, &element));
            return Some(self.held(table, load));
        }
        let number = |n: u32| self.make(ExprKind::Int(n.into()), Type::Int, span);
        let binary = |op, left: Expr, right: Expr| {
            let kind = ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) };
            self.make(kind, Type::Int, span)
        };
        let from = if len == 1 { index } else { binary(BinaryOp::Mul, index, number(len)) };
        let size = number(len);
        Some(self.held(from, |body, from| {
            let kind = ExprKind::Binary { op: BinaryOp::Add, left: Box::new(from.clone()), right: Box::new(size) };
            let to = body.make(kind, Type::Int, span);
            let kind = ExprKind::Builtin { builtin: Builtin::Slice, args: vec![table, from, to] };
            let piece = body.make(kind, Type::BytesN(len), span);
            body.held(piece, |body, piece| body.stored(span, |layout| layout.load(&piece, len, 0, &element)))
        }))
    }

    /// What `then` makes of a value, which is computed once however often it is used.
    pub(super) fn held(&mut self, value: Expr, then: impl FnOnce(&mut Self, Expr) -> Expr) -> Expr {
        if is_simple(&value) {
            return then(self, value);
        }
        let (ty, loc) = (value.ty.clone(), value.loc.clone());
        let local = self.variable("value".into(), Some(ty.clone()), loc.span);
        let result = then(self, Expr { kind: ExprKind::Local(local), ty, loc: loc.clone() });
        let ty = result.ty.clone();
        let stmts = vec![Stmt { kind: StmtKind::Let { local, value }, loc: loc.clone() }];
        Expr { kind: ExprKind::Block(Block { stmts, value: Some(Box::new(result)) }), ty, loc }
    }

    pub(super) fn cast(&mut self, value: Expr, ty: Type) -> Expr {
        if value.ty == ty {
            return value;
        }
        let span = value.loc.span;
        self.make(ExprKind::Builtin { builtin: Builtin::Cast, args: vec![value] }, ty, span)
    }
}

/// Whether copies of an expression cost next to nothing.
fn is_simple(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Int(_) | ExprKind::Bool(_) | ExprKind::Param(_) | ExprKind::Arg(_) | ExprKind::Local(_) => true,
        ExprKind::Bytes(bytes) => bytes.len() <= 64,
        ExprKind::Introspect { index, .. } => index.as_ref().is_none_or(|index| is_simple(index)),
        ExprKind::Element { base, .. } => is_simple(base),
        _ => false,
    }
}
