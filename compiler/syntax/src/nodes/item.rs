//! Types, items, entries and fields.

use super::{Cx, Header, Node, Parsed, Piece, values};
use crate::ast::{
    Clause, Entry, EntryValue, Expr, ExprKind, Field, FieldInit, Ident, Param, Phrase, PropertyParam, PropertyRange,
    TypeArg, TypeExpr, TypeKind, Variant, VariantFields,
};
use std::sync::Arc;

type Group = Node<Arc<[Entry]>>;

impl Cx<'_> {
    // ---- types

    fn type_expr(&mut self, l: u32, r: u32, depth: u32, kind: TypeKind) -> Node<TypeExpr> {
        let span = self.span(l, r);
        let node = Node { value: TypeExpr { kind, span }, depth };
        self.limited(span, node, || TypeExpr { kind: TypeKind::Error, span })
    }

    pub(crate) fn type_name(
        &mut self,
        l: u32,
        r: u32,
        mut path: Vec<Ident>,
        args: Vec<Node<TypeArg>>,
    ) -> Node<TypeExpr> {
        let mut depth = 0;
        let args = values(args, &mut depth);
        let kind = match path.pop() {
            Some(name) => TypeKind::Name { module: path, name, args },
            None => TypeKind::Error,
        };
        self.type_expr(l, r, depth, kind)
    }

    pub(crate) fn type_array(&mut self, l: u32, r: u32, element: Node<TypeExpr>, length: Node<Expr>) -> Node<TypeExpr> {
        let node = element
            .and(length, |element, length| TypeKind::Array { element: Box::new(element), length: Box::new(length) });
        self.type_expr(l, r, node.depth, node.value)
    }

    pub(crate) fn type_tuple(&mut self, l: u32, r: u32, items: Vec<Node<TypeExpr>>) -> Node<TypeExpr> {
        let mut depth = 0;
        let items = values(items, &mut depth);
        self.type_expr(l, r, depth, TypeKind::Tuple(items))
    }

    pub(crate) fn type_error(&mut self, l: u32, r: u32) -> Node<TypeExpr> {
        self.type_expr(l, r, 0, TypeKind::Error)
    }

    pub(crate) fn type_int(&self, l: u32, r: u32) -> Node<TypeArg> {
        Node::leaf(TypeArg::Int { digits: self.text(l, r), span: self.span(l, r) })
    }

    // ---- items

    pub(crate) fn param(&self, l: u32, r: u32, name: Ident, ty: Node<TypeExpr>) -> Param {
        Param { name, ty: ty.value, span: self.span(l, r) }
    }

    /// `name: T in from .. to` of a property.
    pub(crate) fn property_param(&self, param: Param, range: Option<(Node<Expr>, bool, Node<Expr>)>) -> PropertyParam {
        let range = range.map(|(from, inclusive, to)| PropertyRange { from: from.value, to: to.value, inclusive });
        PropertyParam { param, range }
    }

    pub(crate) fn header(&self, header: Header) -> Parsed {
        Node::leaf(Box::new(Piece::Header(header)))
    }

    pub(crate) fn budget(&self, limits: Vec<Node<FieldInit>>) -> Parsed {
        let limits = values(limits, &mut 1);
        self.header(Header::Budget { limits })
    }

    // ---- fields

    pub(crate) fn field_decl(&self, l: u32, r: u32, name: Ident, ty: Node<TypeExpr>) -> Parsed {
        let span = self.span(l, r);
        ty.map(|ty| Box::new(Piece::Field(Field { docs: Vec::new(), name, ty, span })))
    }

    pub(crate) fn variant(&self, l: u32, r: u32, name: Ident, fields: Node<VariantFields>) -> Parsed {
        let span = self.span(l, r);
        fields.map(|fields| Box::new(Piece::Variant(Variant { docs: Vec::new(), name, fields, span })))
    }

    pub(crate) fn variant_tuple(&self, types: Vec<Node<TypeExpr>>) -> Node<VariantFields> {
        let mut depth = 1;
        let types = values(types, &mut depth);
        Node { value: VariantFields::Tuple(types), depth }
    }

    pub(crate) fn init(&self, l: u32, r: u32, name: Ident, value: Option<Node<Expr>>) -> Node<FieldInit> {
        let span = self.span(l, r);
        let value = value.unwrap_or_else(|| {
            let kind = if name.is_missing() { ExprKind::Error } else { ExprKind::Name(name.clone()) };
            self.leaf(l, r, kind)
        });
        value.map(|value| FieldInit { name, value, span })
    }

    // ---- entries

    /// The words of a key as one name, each separated from the next by one space.
    pub(crate) fn key(&self, l: u32, r: u32, words: Vec<Ident>) -> Ident {
        let name = words.iter().map(Ident::as_str).collect::<Vec<_>>().join(" ");
        Ident { name: name.into(), span: self.span(l, r) }
    }

    pub(crate) fn entry(&self, l: u32, r: u32, key: Ident, value: Node<EntryValue>) -> Parsed {
        let span = self.span(l, r);
        value.map(|value| Box::new(Piece::Entry(Entry { docs: Vec::new(), key, value, span })))
    }

    pub(crate) fn entry_expr(&self, value: Node<Expr>) -> Node<EntryValue> {
        value.map(|value| match &value.kind {
            ExprKind::Name(name) if name.as_str() == "list" => EntryValue::List,
            _ => EntryValue::Expr(value),
        })
    }

    pub(crate) fn entry_group(&self, weight: Option<Node<Expr>>, entries: Group) -> Node<EntryValue> {
        let mut depth = entries.depth;
        let weight = weight.map(|weight| weight.into_value(&mut depth));
        Node { value: EntryValue::Group { weight, entries: entries.value }, depth }
    }

    pub(crate) fn entry_by(&self, by: Node<Expr>, after: Option<Node<Expr>>) -> Node<EntryValue> {
        let mut depth = by.depth;
        let after = after.map(|after| after.into_value(&mut depth));
        Node { value: EntryValue::By { by: by.value, after }, depth }
    }

    pub(crate) fn phrase(&self, head: Option<Node<Expr>>, clauses: Vec<Node<Clause>>) -> Node<EntryValue> {
        let mut depth = 1;
        let head = head.map(|head| head.into_value(&mut depth));
        let clauses = values(clauses, &mut depth);
        Node { value: EntryValue::Phrase(Phrase { head, clauses }), depth }
    }

    pub(crate) fn clause(
        &self,
        l: u32,
        r: u32,
        words: Vec<Ident>,
        value: Option<Node<Expr>>,
        entries: Option<Group>,
    ) -> Node<Clause> {
        let mut depth = 1;
        let value = value.map(|value| value.into_value(&mut depth));
        let entries = entries.map(|entries| entries.into_value(&mut depth));
        Node { value: Clause { words, value, entries, span: self.span(l, r) }, depth }
    }
}
