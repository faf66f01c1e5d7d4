//! Patterns.

use super::{Cx, Node, Parsed, Piece, values};
use crate::ast::{Expr, ExprKind, Ident, Pattern, PatternField, PatternKind, UnaryOp};
use crate::stream::PatternFields;

impl Cx<'_> {
    fn pattern(&mut self, l: u32, r: u32, depth: u32, kind: PatternKind) -> Node<Pattern> {
        let span = self.span(l, r);
        let node = Node { value: Pattern { kind, span }, depth };
        self.limited(span, node, || Pattern { kind: PatternKind::Error, span })
    }

    /// `_`, `name`, `a::b`
    pub(crate) fn pattern_path(&mut self, l: u32, r: u32, path: Vec<Ident>) -> Node<Pattern> {
        let kind = match <[Ident; 1]>::try_from(path) {
            Ok([name]) => return self.pattern_name(l, r, false, name),
            Err(path) => PatternKind::Path(path),
        };
        self.pattern(l, r, 0, kind)
    }

    pub(crate) fn pattern_name(&mut self, l: u32, r: u32, mutable: bool, name: Ident) -> Node<Pattern> {
        let kind = match name.as_str() {
            "" => PatternKind::Error,
            "_" => PatternKind::Wildcard,
            _ => PatternKind::Name { mutable, name },
        };
        self.pattern(l, r, 0, kind)
    }

    pub(crate) fn pattern_variant(
        &mut self,
        l: u32,
        r: u32,
        path: Vec<Ident>,
        fields: Vec<Node<Pattern>>,
    ) -> Node<Pattern> {
        let mut depth = 0;
        let fields = values(fields, &mut depth);
        self.pattern(l, r, depth, PatternKind::Variant { path, fields })
    }

    pub(crate) fn pattern_struct(
        &mut self,
        l: u32,
        r: u32,
        path: Vec<Ident>,
        fields: Node<PatternFields>,
    ) -> Node<Pattern> {
        let (all, rest) = fields.value;
        self.pattern(l, r, fields.depth, PatternKind::Struct { path, fields: all, rest })
    }

    pub(crate) fn pattern_tuple(&mut self, l: u32, r: u32, items: Vec<Node<Pattern>>) -> Node<Pattern> {
        let mut depth = 0;
        let items = values(items, &mut depth);
        self.pattern(l, r, depth, PatternKind::Tuple(items))
    }

    pub(crate) fn pattern_array(&mut self, l: u32, r: u32, items: Vec<Node<Pattern>>) -> Node<Pattern> {
        let mut depth = 0;
        let items = values(items, &mut depth);
        self.pattern(l, r, depth, PatternKind::Array(items))
    }

    pub(crate) fn pattern_or(&mut self, l: u32, r: u32, choices: Vec<Node<Pattern>>) -> Node<Pattern> {
        let mut depth = 0;
        let choices = values(choices, &mut depth);
        self.pattern(l, r, depth, PatternKind::Or(choices))
    }

    pub(crate) fn pattern_literal(&mut self, l: u32, r: u32, value: Node<Expr>) -> Node<Pattern> {
        let kind = match value.value.kind {
            ExprKind::Error => PatternKind::Error,
            _ => PatternKind::Literal(Box::new(value.value)),
        };
        self.pattern(l, r, value.depth, kind)
    }

    pub(crate) fn pattern_negative(&mut self, l: u32, r: u32, value: Node<Expr>) -> Node<Pattern> {
        let value = self.unary(l, r, UnaryOp::Neg, value);
        self.pattern_literal(l, r, value)
    }

    pub(crate) fn pattern_field(&mut self, l: u32, r: u32, name: Ident, pattern: Option<Node<Pattern>>) -> Parsed {
        let span = self.span(l, r);
        let pattern = pattern.unwrap_or_else(|| self.pattern_name(l, r, false, name.clone()));
        pattern.map(|pattern| Box::new(Piece::PatternField(Some(PatternField { name, pattern, span }))))
    }
}
