//! What the grammar builds: nodes with their depth, so that no tree grows too deep to walk.

mod item;
mod pattern;
mod stmt;

pub(crate) use stmt::Carried;

use crate::ast::{
    Arm, Asm, AsmOp, BinaryOp, Block, Clock, DEPTH_MAX, Entry, Expr, ExprKind, Field, FieldInit, Ident, If, Match,
    MatchForm, Param, Pattern, PatternField, PatternKind, PlanStmt, PropertyParam, Stmt, StmtKind, StringLit,
    StructLit, TypeArg, TypeExpr, UnaryOp, Unit, UseName, Variant,
};
use crate::literal;
use crate::span::Span;
use crate::token::Tokens;
use std::sync::Arc;

/// A node and how many nodes its deepest branch has.
#[derive(Clone, Debug)]
pub(crate) struct Node<T> {
    pub(crate) value: T,
    pub(crate) depth: u32,
}

impl<T> Node<T> {
    pub(crate) fn leaf(value: T) -> Node<T> {
        Node { value, depth: 1 }
    }

    pub(crate) fn map<U>(self, build: impl FnOnce(T) -> U) -> Node<U> {
        Node { value: build(self.value), depth: self.depth }
    }

    pub(crate) fn and<U, V>(self, other: Node<U>, build: impl FnOnce(T, U) -> V) -> Node<V> {
        Node { depth: self.depth.max(other.depth), value: build(self.value, other.value) }
    }

    /// The value, with `depth` raised to the node's own.
    fn into_value(self, depth: &mut u32) -> T {
        *depth = self.depth.max(*depth);
        self.value
    }
}

/// What one run of the grammar gives. In a box, because the parser moves room for it with every token.
pub(crate) type Parsed = Node<Box<Piece>>;

/// A piece of an island.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it is boxed as a whole")]
pub(crate) enum Piece {
    /// An item or member without what its braces hold.
    Header(Header),
    /// A statement that ends in `;`.
    Stmt(Stmt),
    /// An expression without `;`.
    Tail(Expr),
    /// A statement of a plan or a test.
    Plan(PlanStmt),
    /// The last statement of a test's transaction, without `;`.
    LastCall(PlanStmt),
    /// An entry.
    Entry(Entry),
    /// A declared field.
    Field(Field),
    /// A variant.
    Variant(Variant),
    /// A field of a literal.
    Init(FieldInit),
    /// A field of a pattern; `None` is `..`.
    PatternField(Option<PatternField>),
    /// An arm of `match`.
    Arm(Arm),
}

/// The words of an item up to its body.
#[derive(Debug)]
pub(crate) enum Header {
    Use(Import),
    Const { name: Ident, ty: Option<TypeExpr>, value: Expr },
    Struct { name: Ident, type_params: Vec<Ident> },
    Enum { name: Ident, type_params: Vec<Ident> },
    Fn { name: Ident, type_params: Vec<Ident>, params: Vec<Param>, result: Option<TypeExpr> },
    Contract { name: Ident, params: Vec<Param> },
    Spend { name: Ident, params: Vec<Param> },
    State { word_span: Span },
    Allow { lints: Vec<Ident> },
    Budget { limits: Vec<FieldInit> },
    Reward { name: Ident },
    Model { name: Ident },
    Imi { name: Ident },
    Imo { name: Ident, subject: Vec<Ident> },
    Plan { name: Ident, params: Vec<Param> },
    Test { name: Ident, params: Option<Vec<PropertyParam>> },
}

/// The words of a `use`.
#[derive(Debug)]
pub(crate) struct Import {
    pub(crate) relative: bool,
    pub(crate) folders: Vec<Ident>,
    pub(crate) path: Vec<Ident>,
    pub(crate) group: Option<Vec<UseName>>,
    pub(crate) alias: Option<Ident>,
}

/// What the actions of the grammar share.
pub(crate) struct Cx<'t> {
    text: &'t str,
    tokens: &'t Tokens,
    /// The first expression or type of this run that nests too deeply.
    pub(crate) too_deep: Option<Span>,
    /// What stands left of `=` in this run although nothing can be assigned to it.
    pub(crate) no_place: Option<Span>,
}

impl<'t> Cx<'t> {
    pub(crate) fn new(text: &'t str, tokens: &'t Tokens) -> Cx<'t> {
        Cx { text, tokens, too_deep: None, no_place: None }
    }

    /// The bytes of the tokens from `l` up to `r`.
    pub(crate) fn span(&self, l: u32, r: u32) -> Span {
        if l >= r {
            return match l.checked_sub(1) {
                Some(before) => Span::point(self.tokens.span(before as usize).end),
                None => Span::point(0),
            };
        }
        let first = self.tokens.span(l as usize);
        let last = self.tokens.span(r as usize - 1);
        Span::new(first.start, last.end)
    }

    fn slice(&self, l: u32, r: u32) -> &'t str {
        self.text.get(self.span(l, r).range()).unwrap_or("")
    }

    pub(crate) fn text(&self, l: u32, r: u32) -> Arc<str> {
        self.slice(l, r).into()
    }

    pub(crate) fn ident(&self, l: u32, r: u32) -> Ident {
        Ident { name: self.text(l, r), span: self.span(l, r) }
    }

    pub(crate) fn missing_ident(&self, l: u32, r: u32) -> Ident {
        Ident { name: "".into(), span: self.span(l, r) }
    }

    pub(crate) fn string(&self, l: u32, r: u32) -> StringLit {
        StringLit { value: literal::unescape(self.slice(l, r), |_| ()), span: self.span(l, r) }
    }

    // ---- expressions

    pub(crate) fn leaf(&self, l: u32, r: u32, kind: ExprKind) -> Node<Expr> {
        Node::leaf(Expr { kind, span: self.span(l, r) })
    }

    /// An expression over parts of the given depth; past the limit it becomes an error.
    fn expr(&mut self, l: u32, r: u32, depth: u32, kind: ExprKind) -> Node<Expr> {
        let span = self.span(l, r);
        self.limited(span, Node { value: Expr { kind, span }, depth }, || Expr { kind: ExprKind::Error, span })
    }

    fn limited<T>(&mut self, span: Span, node: Node<T>, error: impl FnOnce() -> T) -> Node<T> {
        if node.depth < DEPTH_MAX {
            return Node { depth: node.depth + 1, ..node };
        }
        self.too_deep.get_or_insert(span);
        Node::leaf(error())
    }

    pub(crate) fn percent(&self, l: u32, r: u32) -> Node<Expr> {
        let digits = self.slice(l, r).trim_end_matches('%');
        self.leaf(l, r, ExprKind::Percent(digits.into()))
    }

    pub(crate) fn bytes(&self, l: u32, r: u32) -> Node<Expr> {
        let kind = match literal::bytes_of(self.slice(l, r)) {
            Ok(bytes) => ExprKind::Bytes(bytes),
            Err(_) => ExprKind::Error,
        };
        self.leaf(l, r, kind)
    }

    pub(crate) fn quantity(&self, l: u32, at: u32, r: u32, unit: Unit) -> Node<Expr> {
        let kind = ExprKind::Quantity { digits: self.text(l, l + 1), unit, unit_span: self.span(at, r) };
        self.leaf(l, r, kind)
    }

    pub(crate) fn height(&self, l: u32, at: u32, r: u32) -> Node<Expr> {
        let text = self.text(at, r);
        self.moment(l, at, r, Clock::Height, text)
    }

    pub(crate) fn time(&self, l: u32, at: u32, r: u32) -> Node<Expr> {
        let text = self.string(at, r).value;
        self.moment(l, at, r, Clock::Time, text)
    }

    fn moment(&self, l: u32, at: u32, r: u32, clock: Clock, text: Arc<str>) -> Node<Expr> {
        let kind = ExprKind::Moment { clock, text, text_span: self.span(at, r) };
        self.leaf(l, r, kind)
    }

    pub(crate) fn path(&self, l: u32, r: u32, mut path: Vec<Ident>) -> Node<Expr> {
        let kind = match path.pop() {
            Some(name) if path.is_empty() => ExprKind::Name(name),
            last => {
                path.extend(last);
                ExprKind::Path(path)
            }
        };
        self.leaf(l, r, kind)
    }

    pub(crate) fn unary(&mut self, l: u32, r: u32, op: UnaryOp, operand: Node<Expr>) -> Node<Expr> {
        let depth = operand.depth;
        let operand = Box::new(operand.value);
        self.expr(l, r, depth, ExprKind::Unary { op, operand })
    }

    pub(crate) fn binary(
        &mut self,
        l: u32,
        at: u32,
        r: u32,
        left: Node<Expr>,
        op: BinaryOp,
        right: Node<Expr>,
    ) -> Node<Expr> {
        let depth = left.depth.max(right.depth);
        let kind = ExprKind::Binary {
            op,
            op_span: self.span(at, at + 1),
            left: Box::new(left.value),
            right: Box::new(right.value),
        };
        self.expr(l, r, depth, kind)
    }

    pub(crate) fn field(&mut self, l: u32, r: u32, base: Node<Expr>, name: Ident) -> Node<Expr> {
        let depth = base.depth;
        let base = Box::new(base.value);
        self.expr(l, r, depth, ExprKind::Field { base, name })
    }

    /// `base.0`
    pub(crate) fn element(&mut self, l: u32, at: u32, r: u32, base: Node<Expr>) -> Node<Expr> {
        let kind = ExprKind::Element {
            base: Box::new(base.value),
            index: element_index(self.slice(at, r)),
            index_span: self.span(at, r),
        };
        self.expr(l, r, base.depth, kind)
    }

    /// `base.0.1`: the two numbers are one token, as they look like a decimal number.
    pub(crate) fn elements(&mut self, l: u32, at: u32, r: u32, base: Node<Expr>) -> Node<Expr> {
        let both = self.span(at, r);
        let (first, second) = self.slice(at, r).split_once('.').unwrap_or_default();
        let first_span = Span::new(both.start, both.start + first.len() as u32);
        let second_span = Span::new(first_span.end + 1, both.end);
        let (index, last) = (element_index(first), element_index(second));
        let start = self.span(l, r).start;
        let inner_span = Span::new(start, first_span.end);
        let kind = ExprKind::Element { base: Box::new(base.value), index, index_span: first_span };
        let inner = Node { value: Expr { kind, span: inner_span }, depth: base.depth };
        let inner = self.limited(inner_span, inner, || Expr { kind: ExprKind::Error, span: inner_span });
        let kind = ExprKind::Element { base: Box::new(inner.value), index: last, index_span: second_span };
        self.expr(l, r, inner.depth, kind)
    }

    pub(crate) fn method(
        &mut self,
        l: u32,
        r: u32,
        receiver: Node<Expr>,
        method: Ident,
        args: Vec<Node<Expr>>,
    ) -> Node<Expr> {
        let mut depth = receiver.depth;
        let kind = ExprKind::MethodCall { receiver: Box::new(receiver.value), method, args: values(args, &mut depth) };
        self.expr(l, r, depth, kind)
    }

    pub(crate) fn call(&mut self, l: u32, r: u32, callee: Node<Expr>, args: Vec<Node<Expr>>) -> Node<Expr> {
        let mut depth = callee.depth;
        let kind = ExprKind::Call { callee: Box::new(callee.value), args: values(args, &mut depth) };
        self.expr(l, r, depth, kind)
    }

    pub(crate) fn index(&mut self, l: u32, r: u32, base: Node<Expr>, index: Node<Expr>) -> Node<Expr> {
        let node = base.and(index, |base, index| ExprKind::Index { base: Box::new(base), index: Box::new(index) });
        self.expr(l, r, node.depth, node.value)
    }

    pub(crate) fn slice_of(
        &mut self,
        l: u32,
        r: u32,
        base: Node<Expr>,
        from: Option<Node<Expr>>,
        to: Option<Node<Expr>>,
    ) -> Node<Expr> {
        let mut depth = base.depth;
        let kind = ExprKind::Slice {
            base: Box::new(base.value),
            from: from.map(|node| Box::new(node.into_value(&mut depth))),
            to: to.map(|node| Box::new(node.into_value(&mut depth))),
        };
        self.expr(l, r, depth, kind)
    }

    pub(crate) fn array(&mut self, l: u32, r: u32, items: Vec<Node<Expr>>) -> Node<Expr> {
        let mut depth = 0;
        let items = values(items, &mut depth);
        self.expr(l, r, depth, ExprKind::Array(items))
    }

    pub(crate) fn repeat(&mut self, l: u32, r: u32, value: Node<Expr>, count: Node<Expr>) -> Node<Expr> {
        let node = value.and(count, |value, count| ExprKind::Repeat { value: Box::new(value), count: Box::new(count) });
        self.expr(l, r, node.depth, node.value)
    }

    pub(crate) fn tuple(&mut self, l: u32, r: u32, items: Vec<Node<Expr>>) -> Node<Expr> {
        let mut depth = 0;
        let items = values(items, &mut depth);
        self.expr(l, r, depth, ExprKind::Tuple(items))
    }

    pub(crate) fn struct_lit(
        &mut self,
        l: u32,
        r: u32,
        path: Vec<Ident>,
        args: Vec<Node<TypeArg>>,
        fields: Node<Arc<[FieldInit]>>,
    ) -> Node<Expr> {
        let mut depth = fields.depth;
        let literal = StructLit { path, args: values(args, &mut depth), fields: fields.value };
        self.expr(l, r, depth, ExprKind::Struct(literal))
    }

    pub(crate) fn record(&mut self, l: u32, r: u32, fields: Node<Arc<[FieldInit]>>) -> Node<Expr> {
        self.expr(l, r, fields.depth, ExprKind::Record(fields.value))
    }

    pub(crate) fn with(&mut self, l: u32, r: u32, base: Node<Expr>, fields: Node<Arc<[FieldInit]>>) -> Node<Expr> {
        let node = base.and(fields, |base, fields| ExprKind::With { base: Box::new(base), fields });
        self.expr(l, r, node.depth, node.value)
    }

    pub(crate) fn choose(&mut self, l: u32, r: u32, value: Node<Expr>, arms: Node<Arc<[Arm]>>) -> Node<Expr> {
        let span = self.span(l, r);
        let node = value.and(arms, |value, arms| {
            ExprKind::Match(Match { value: Box::new(value), arms, form: MatchForm::Arms, span })
        });
        self.expr(l, r, node.depth, node.value)
    }

    pub(crate) fn asm(
        &mut self,
        l: u32,
        r: u32,
        inputs: Vec<Param>,
        result: Option<Node<TypeExpr>>,
        code: Arc<[AsmOp]>,
    ) -> Node<Expr> {
        let mut depth = 1;
        let result = result.map(|ty| ty.into_value(&mut depth));
        self.expr(l, r, depth, ExprKind::Asm(Asm { inputs, result, code }))
    }

    pub(crate) fn quorum(&mut self, l: u32, r: u32, needed: Node<Expr>, keys: Vec<Node<Expr>>) -> Node<Expr> {
        let mut depth = needed.depth;
        let kind = ExprKind::Quorum { needed: Box::new(needed.value), keys: values(keys, &mut depth) };
        self.expr(l, r, depth, kind)
    }

    pub(crate) fn threshold(
        &mut self,
        l: u32,
        r: u32,
        needed: Node<Expr>,
        keys: Vec<Node<Expr>>,
        sigs: Vec<Node<Expr>>,
    ) -> Node<Expr> {
        let mut depth = needed.depth;
        let kind = ExprKind::Threshold {
            needed: Box::new(needed.value),
            keys: values(keys, &mut depth),
            sigs: values(sigs, &mut depth),
        };
        self.expr(l, r, depth, kind)
    }

    pub(crate) fn choice(
        &mut self,
        l: u32,
        r: u32,
        (pattern, cond): (Option<Node<Pattern>>, Node<Expr>),
        then: Node<Arc<Block>>,
        otherwise: Option<Node<Arc<Block>>>,
    ) -> Node<Expr> {
        let mut depth = cond.depth;
        let value = Box::new(cond.value);
        let then = then.into_value(&mut depth);
        let otherwise = otherwise.map(|block| block.into_value(&mut depth));
        let span = self.span(l, r);
        let kind = match pattern {
            None => ExprKind::If(If { cond: value, then, otherwise, span }),
            Some(pattern) => {
                let pattern = pattern.into_value(&mut depth);
                let form = MatchForm::IfLet { otherwise: otherwise.is_some() };
                let behind = Span::new(then.span.end, then.span.end);
                let otherwise =
                    otherwise.unwrap_or_else(|| Arc::new(Block { stmts: Vec::new(), tail: None, span: behind }));
                let any = Pattern { kind: PatternKind::Wildcard, span: otherwise.span };
                let fits = Arm { span: Span::new(pattern.span.start, then.span.end), pattern, guard: None, body: then };
                let others = Arm { span: otherwise.span, pattern: any, guard: None, body: otherwise };
                ExprKind::Match(Match { value, arms: Arc::new([fits, others]), form, span })
            }
        };
        self.expr(l, r, depth, kind)
    }
}

fn values<T>(nodes: Vec<Node<T>>, depth: &mut u32) -> Vec<T> {
    nodes.into_iter().map(|node| node.into_value(depth)).collect()
}

/// Whether an expression has a value: an `if` or `match` has one when a branch ends in an expression.
pub(crate) fn gives_value(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::If(choice) => {
            let otherwise = choice.otherwise.as_ref();
            choice.then.tail.is_some() || otherwise.is_some_and(|block| block.tail.is_some())
        }
        ExprKind::Match(choice) => choice.arms.iter().any(|arm| arm.body.tail.is_some()),
        _ => true,
    }
}

/// An expression as a statement.
pub(crate) fn statement_of(expr: Expr) -> Stmt {
    let span = expr.span;
    let kind = match expr.kind {
        ExprKind::If(choice) => StmtKind::If(choice),
        ExprKind::Match(choice) => StmtKind::Match(choice),
        kind => StmtKind::Expr(Expr { kind, span }),
    };
    Stmt { kind, span }
}

fn element_index(digits: &str) -> u32 {
    digits.replace('_', "").parse().unwrap_or(u32::MAX)
}
