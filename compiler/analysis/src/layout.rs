//! How values lie in bytes where they are stored: in the commitment of a token, in a table, in the
//! records of a list.
//!
//! Fields follow each other without gaps, numbers little-endian with a sign bit, an enum as its tag
//! and the fields of its variant, filled up with zeros to the longest one. The lengths are those of
//! [`Type::stored_len`]; `spec` encodes the same way for wallets. Worked example: `(flag: Bool, n: Int<2>)`
//! of `(true, 258)` is `01 0201`.

use std::sync::Arc;

use dashu_int::IBig;
use syntax::Loc;

use crate::hir::{Arm, BinaryOp, Block, Builtin, EnumType, Expr, ExprKind, ItemKind, LocalId, Type, Variant};

/// Makes a variable of a name and type.
pub(crate) type NewLocal<'f> = &'f mut dyn FnMut(String, Type) -> LocalId;

/// Builds the expressions that store values and read them back, all at one place of the source.
pub(crate) struct Layout<'f> {
    pub(crate) loc: &'f Loc,
    pub(crate) new_local: NewLocal<'f>,
}

impl Layout<'_> {
    /// The value of type `ty` that lies at `at` in `whole`, bytes that are `len` long.
    ///
    /// `whole` is repeated for each scalar, so it should be a variable or something as cheap. What
    /// lies there must have been stored as this type; other bytes give some value of it.
    pub(crate) fn load(&mut self, whole: &Expr, len: u32, at: u32, ty: &Type) -> Expr {
        let size = ty.stored_len().unwrap_or(0);
        match ty {
            Type::Tuple(parts) => self.load_parts(whole, len, at, parts, ty),
            Type::Struct(of) => {
                let parts: Vec<Type> = of.fields.iter().map(|(_, ty)| ty.clone()).collect();
                self.load_parts(whole, len, at, &parts, ty)
            }
            Type::Array(element, count) => {
                let parts = vec![(**element).clone(); *count as usize];
                self.load_parts(whole, len, at, &parts, ty)
            }
            Type::Enum(of) => self.load_enum(whole, len, at, of),
            Type::Bool => {
                // Whatever byte lies there, the value is one of the two that a `Bool` has.
                let number = self.call(Builtin::ToInt, vec![self.slice(whole, len, at, size)], Type::Int);
                self.binary(BinaryOp::NotEqual(ItemKind::Number), number, self.int(0), Type::Bool)
            }
            number if number.is_number() => {
                self.call(Builtin::ToInt, vec![self.slice(whole, len, at, size)], number.read())
            }
            _ => self.retyped(self.slice(whole, len, at, size), ty),
        }
    }

    fn load_parts(&mut self, whole: &Expr, len: u32, at: u32, parts: &[Type], ty: &Type) -> Expr {
        let mut next = at;
        let mut loaded = Vec::with_capacity(parts.len());
        for part in parts {
            loaded.push(self.load(whole, len, next, part));
            next = next.saturating_add(part.stored_len().unwrap_or(0));
        }
        self.make(ExprKind::Tuple(loaded), ty.clone())
    }

    /// The variant that the tag names; the last one for tags beyond.
    fn load_enum(&mut self, whole: &Expr, len: u32, at: u32, of: &Arc<EnumType>) -> Expr {
        let ty = Type::Enum(of.clone());
        let mut loaded: Option<Expr> = None;
        for (tag, variant) in of.variants.iter().enumerate().rev() {
            let value = self.load_variant(whole, len, at, (tag, variant), &ty);
            loaded = Some(match loaded {
                None => value,
                Some(rest) => {
                    let stored = self.call(Builtin::ToInt, vec![self.slice(whole, len, at, 1)], Type::Int);
                    let is = self.binary(BinaryOp::Equal(ItemKind::Number), stored, self.int(tag), Type::Bool);
                    let block = |value| Block { stmts: Vec::new(), value: Some(Box::new(value)) };
                    let kind = ExprKind::If { condition: is.into(), then: block(value), otherwise: block(rest) };
                    self.make(kind, ty.clone())
                }
            });
        }
        // An enum without variants has no values; such a type is refused where it is declared.
        loaded.unwrap_or_else(|| self.make(ExprKind::Variant { variant: 0, fields: Vec::new() }, ty))
    }

    fn load_variant(&mut self, whole: &Expr, len: u32, at: u32, (tag, variant): (usize, &Variant), ty: &Type) -> Expr {
        let mut next = at.saturating_add(1);
        let mut fields = Vec::with_capacity(variant.fields.len());
        for field in &variant.fields {
            fields.push(self.load(whole, len, next, field));
            next = next.saturating_add(field.stored_len().unwrap_or(0));
        }
        self.make(ExprKind::Variant { variant: tag, fields }, ty.clone())
    }

    /// The bytes that store `value` as a `ty`, [`Type::stored_len`] of them.
    ///
    /// A composite `value` is repeated for each of its parts, so it should be a variable or something
    /// as cheap. A number that does not fit its bytes fails the spend.
    pub(crate) fn store(&mut self, value: &Expr, ty: &Type) -> Expr {
        let size = ty.stored_len().unwrap_or(0);
        match ty {
            Type::Tuple(parts) => self.store_parts(value, parts),
            Type::Struct(of) => {
                let parts: Vec<Type> = of.fields.iter().map(|(_, ty)| ty.clone()).collect();
                self.store_parts(value, &parts)
            }
            Type::Array(element, count) => self.store_parts(value, &vec![(**element).clone(); *count as usize]),
            Type::Enum(of) => self.store_enum(value, of, size),
            Type::Bool => {
                let number = self.call(Builtin::Cast, vec![value.clone()], Type::Int);
                self.call(Builtin::ToBytes, vec![number, self.int(1)], Type::BytesN(1))
            }
            number if number.is_number() => {
                let len = self.int(size as usize);
                self.call(Builtin::ToBytes, vec![value.clone(), len], Type::BytesN(size))
            }
            _ => self.retyped(value.clone(), &Type::BytesN(size)),
        }
    }

    fn store_parts(&mut self, value: &Expr, parts: &[Type]) -> Expr {
        let mut stored = Vec::with_capacity(parts.len());
        for (index, ty) in parts.iter().enumerate() {
            let part = match &value.kind {
                ExprKind::Tuple(values) => values.get(index).cloned(),
                _ => None,
            };
            let part = part
                .unwrap_or_else(|| self.make(ExprKind::Element { base: Box::new(value.clone()), index }, ty.read()));
            stored.push(self.store(&part, ty));
        }
        self.join(stored)
    }

    fn store_enum(&mut self, value: &Expr, of: &EnumType, size: u32) -> Expr {
        let mut arms = Vec::with_capacity(of.variants.len());
        for (tag, variant) in of.variants.iter().enumerate() {
            let mut pieces = vec![self.bytes(vec![u8::try_from(tag).unwrap_or(u8::MAX)])];
            let mut bindings = Vec::with_capacity(variant.fields.len());
            for field in &variant.fields {
                let local = (self.new_local)("field".into(), field.read());
                bindings.push(Some(local));
                let field_value = self.make(ExprKind::Local(local), field.read());
                pieces.push(self.store(&field_value, field));
            }
            let used: u32 = pieces.iter().filter_map(|piece| piece.ty.fixed_len()).sum();
            pieces.push(self.bytes(vec![0; size.saturating_sub(used) as usize]));
            let stored = self.retyped(self.join(pieces), &Type::BytesN(size));
            let body = Block { stmts: Vec::new(), value: Some(Box::new(stored)) };
            arms.push(Arm { variant: Some(tag), bindings, body });
        }
        self.make(ExprKind::Match { value: Box::new(value.clone()), arms }, Type::BytesN(size))
    }

    /// One after the other; pieces without bytes are left out.
    pub(crate) fn join(&self, pieces: Vec<Expr>) -> Expr {
        let mut pieces = pieces.into_iter().filter(|piece| piece.ty.fixed_len() != Some(0));
        let Some(first) = pieces.next() else { return self.bytes(Vec::new()) };
        pieces.fold(first, |joined, piece| {
            let len = joined.ty.fixed_len().zip(piece.ty.fixed_len()).map(|(a, b)| a.saturating_add(b));
            self.binary(BinaryOp::Concat, joined, piece, len.map_or(Type::Bytes, Type::BytesN))
        })
    }

    /// `size` bytes from `at` of bytes that are `len` long.
    pub(crate) fn slice(&self, whole: &Expr, len: u32, at: u32, size: u32) -> Expr {
        let ty = Type::BytesN(size);
        let (from, to) = (at as usize, at.saturating_add(size) as usize);
        if size == 0 {
            return self.bytes(Vec::new());
        }
        match (from, to) {
            (0, to) if to == len as usize => self.retyped(whole.clone(), &ty),
            (0, to) => self.call(Builtin::Prefix, vec![whole.clone(), self.int(to)], ty),
            (from, to) if to == len as usize => self.call(Builtin::Suffix, vec![whole.clone(), self.int(from)], ty),
            (from, to) => self.call(Builtin::Slice, vec![whole.clone(), self.int(from), self.int(to)], ty),
        }
    }

    /// The same item as another type.
    fn retyped(&self, value: Expr, ty: &Type) -> Expr {
        if value.ty == *ty { value } else { self.call(Builtin::Cast, vec![value], ty.clone()) }
    }

    fn call(&self, builtin: Builtin, args: Vec<Expr>, ty: Type) -> Expr {
        self.make(ExprKind::Builtin { builtin, args }, ty)
    }

    fn binary(&self, op: BinaryOp, left: Expr, right: Expr, ty: Type) -> Expr {
        self.make(ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, ty)
    }

    fn int(&self, n: usize) -> Expr {
        self.make(ExprKind::Int(IBig::from(n)), Type::Int)
    }

    fn bytes(&self, bytes: Vec<u8>) -> Expr {
        let ty = Type::BytesN(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.make(ExprKind::Bytes(bytes), ty)
    }

    fn make(&self, kind: ExprKind, ty: Type) -> Expr {
        Expr { kind, ty, loc: self.loc.clone() }
    }
}

#[cfg(test)]
mod tests {
    use syntax::{FileId, Span};

    use super::*;
    use crate::eval::{self, Constants, Value};
    use crate::hir::StructType;

    fn check(value: ExprKind, ty: &Type, stored: &str) {
        let loc = Loc::in_file(FileId(0), Span::default());
        let mut locals = 0;
        let mut new_local = |_: String, _: Type| {
            locals += 1;
            LocalId::new(locals - 1)
        };
        let mut layout = Layout { loc: &loc, new_local: &mut new_local };
        let value = Expr { kind: value, ty: ty.read(), loc: loc.clone() };
        let bytes = layout.store(&value, ty);
        let len = ty.stored_len().unwrap();
        assert_eq!(bytes.ty.fixed_len(), Some(len), "{ty}");
        let Ok(Value::Bytes(found)) = eval::eval(&bytes, &Constants) else { panic!("{ty}: {bytes:#?}") };
        assert_eq!(hex::encode(&found), stored, "{ty}");
        // Behind a byte and before another, so that every way to slice is taken.
        for (before, after) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let around = [vec![0xee; before], found.clone(), vec![0xee; after]].concat();
            let whole = layout.bytes(around);
            let total = len + u32::try_from(before + after).unwrap();
            let loaded = layout.load(&whole, total, u32::try_from(before).unwrap(), ty);
            let again = layout.store(&loaded, ty);
            assert_eq!(eval::eval(&again, &Constants), Ok(Value::Bytes(found.clone())), "{ty} {before} {after}");
        }
    }

    fn int(n: i64) -> ExprKind {
        ExprKind::Int(n.into())
    }

    fn part(kind: ExprKind, ty: Type) -> Expr {
        Expr { kind, ty, loc: Loc::in_file(FileId(0), Span::default()) }
    }

    #[test]
    fn values_survive_being_stored() {
        check(int(-5), &Type::IntN(4), "05000080");
        check(int(258), &Type::IntN(2), "0201");
        check(int(2_100_000_000_000_000), &Type::Coin, "0040075af0750700");
        check(int(4_294_967_295), &Type::Time, "ffffffff00");
        check(ExprKind::Bytes(vec![7; 33]), &Type::PubKey, &"07".repeat(33));
        check(ExprKind::Bytes(vec![9; 32]), &Type::Category, &"09".repeat(32));
        let pair: Type = Type::Tuple([Type::IntN(2), Type::Height].into());
        let values = vec![part(int(1), Type::Int), part(int(2), Type::Height)];
        check(ExprKind::Tuple(values.clone()), &pair, "010002000000");
        let fields = vec![("a".to_owned(), Type::IntN(2)), ("b".to_owned(), Type::Height)];
        let named = Type::Struct(StructType { name: "S".into(), args: Vec::new(), fields }.into());
        check(ExprKind::Tuple(values), &named, "010002000000");
        let array = Type::Array(Type::IntN(1).into(), 3);
        check(ExprKind::Tuple((1..4).map(|n| part(int(n), Type::Int)).collect()), &array, "010203");
    }
}
