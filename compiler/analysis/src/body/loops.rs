//! Loops: each knows how many rounds it has at most.

use syntax::ast::{self, ForRange, PatternKind};
use syntax::{Code, Span};

use super::expr::known;
use super::pattern::Place;
use super::stmt::Gives;
use super::{Body, NoReturn};
use crate::eval;
use crate::hir::{Block, Expr, ExprKind, LocalId, Stmt, StmtKind, Type};

/// The most rounds of a loop: no script does anything more often.
const ROUNDS_MAX: u32 = 65_535;

impl Body<'_, '_> {
    pub(super) fn for_stmt(&mut self, each: &ast::For, span: Span, out: &mut Vec<Stmt>) -> Option<()> {
        match &each.range {
            ForRange::Numbers { from, to, max } => {
                self.no_filter(each);
                self.for_numbers(each, [from, to], max.as_ref(), span, out)
            }
            ForRange::Each(over) => match self.list_named(over) {
                Some(list) => self.for_records(each, &list, over.span, span, out),
                None => {
                    self.no_filter(each);
                    self.for_elements(each, over, span, out)
                }
            },
        }
    }

    fn no_filter(&mut self, each: &ast::For) {
        if let Some(filter) = &each.filter {
            let found =
                self.report.error(Code::E0224, "`where` belongs to a loop over a `list` parameter", filter.span);
            self.report.push(found.help("write the condition as a `require` in the loop"));
        }
    }

    fn for_numbers(
        &mut self,
        each: &ast::For,
        [from, to]: [&ast::Expr; 2],
        max: Option<&ast::Expr>,
        span: Span,
        out: &mut Vec<Stmt>,
    ) -> Option<()> {
        let (first, end) = (self.expr(from), self.expr(to));
        let max = max.map(|max| self.rounds(max));
        let (index, name_span) = match &each.pattern.kind {
            PatternKind::Name { mutable: false, name } => (Some(name), name.span),
            PatternKind::Wildcard => (None, each.pattern.span),
            PatternKind::Error => (None, each.pattern.span),
            _ => {
                let found = self.report.error(
                    Code::E0218,
                    "a loop over numbers has one name for the number",
                    each.pattern.span,
                );
                self.report.push(found.help("write it like `for i in 0..3 { .. }`"));
                (None, each.pattern.span)
            }
        };
        let bounds = first.zip(end).and_then(|(first, end)| self.same_numbers([first, end], [from, to]));
        let ty = bounds.as_ref().map(|[first, _]| first.ty.clone());
        let rounds = bounds.as_ref().and_then(|bounds| self.number_of_rounds(bounds, max, to.span));
        self.open();
        let local = match index {
            Some(name) => self.declare(name, ty, false),
            None => self.variable("_".into(), ty, name_span),
        };
        let is_counted = matches!(rounds, Some((_, true)) | None);
        let body = self.round(&each.body, is_counted);
        self.close();
        let ([from, to], (rounds_max, _)) = (bounds?, rounds?);
        let kind = StmtKind::For { index: local, from, to, rounds_max, body };
        out.push(Stmt { kind, loc: self.report.loc(span) });
        Some(())
    }

    /// The block of a round; a `return` may stand in it only if all rounds are known beforehand.
    pub(super) fn round(&mut self, body: &ast::Block, is_counted: bool) -> Block {
        let outer = self.no_return;
        if !is_counted && outer.is_none() {
            self.no_return = Some(NoReturn::Loop);
        }
        let body = self.block(body, Gives::Nothing);
        self.no_return = outer;
        body
    }

    fn same_numbers(&mut self, bounds: [Expr; 2], [first, end]: [&ast::Expr; 2]) -> Option<[Expr; 2]> {
        let unit = bounds.iter().map(|bound| &bound.ty).find(|ty| **ty != Type::Int).cloned().unwrap_or(Type::Int);
        let [from, to] = bounds;
        if !unit.is_number() {
            let found = self.report.error(Code::E0201, format!("a loop counts numbers, not `{unit}`"), first.span);
            return self.report.fail(found.help("write it like `for i in 0..3 { .. }`"));
        }
        let from = self.expect_checked(from, &unit, first.span);
        let to = self.expect_checked(to, &unit, end.span);
        Some([from?, to?])
    }

    /// The most rounds, and whether they are known exactly.
    fn number_of_rounds(
        &mut self,
        [from, to]: &[Expr; 2],
        max: Option<Option<u32>>,
        span: Span,
    ) -> Option<(u32, bool)> {
        let numbers = (eval::eval(from, &eval::Constants), eval::eval(to, &eval::Constants));
        if let (Ok(eval::Value::Number(from)), Ok(eval::Value::Number(to))) = numbers {
            let rounds = u32::try_from((to - from).max(0.into())).ok().filter(|rounds| *rounds <= ROUNDS_MAX);
            let Some(rounds) = rounds else {
                let found = self.report.error(Code::E0205, format!("a loop has at most {ROUNDS_MAX} rounds"), span);
                return self.report.fail(found.help("count fewer rounds"));
            };
            return Some((max.flatten().unwrap_or(rounds), true));
        }
        match max {
            Some(max) => Some((max?, false)),
            None => {
                let found = self.report.error(Code::E0220, "nothing says how many rounds this loop has at most", span);
                self.report.fail(found.help("write the most behind it, such as `for i in 0..n max 10 { .. }`"))
            }
        }
    }

    /// The number behind `max`.
    fn rounds(&mut self, max: &ast::Expr) -> Option<u32> {
        let expr = self.expect(max, &Type::Int)?;
        let rounds = match eval::eval(&expr, &eval::Constants) {
            Ok(eval::Value::Number(n)) => u32::try_from(&n).ok().filter(|rounds| (1..=ROUNDS_MAX).contains(rounds)),
            _ => None,
        };
        if rounds.is_none() {
            let found =
                self.report.error(Code::E0220, format!("`max` takes a constant from 1 to {ROUNDS_MAX}"), max.span);
            self.report.push(found.help("write a number, or the name of a `const`"));
        }
        rounds
    }

    /// A loop over an array or a table.
    fn for_elements(&mut self, each: &ast::For, over: &ast::Expr, span: Span, out: &mut Vec<Stmt>) -> Option<()> {
        let value = self.expr(over);
        let (element, count) = match value.as_ref().map(|value| &value.ty) {
            Some(Type::Array(element, count) | Type::Table(element, count)) => (Some(element.read()), *count),
            Some(other) => {
                let message = format!("`{other}` has no elements to go through");
                let found = self.report.error(Code::E0214, message, over.span);
                self.report
                    .push(found.help("go through an array, a table or a `list` parameter, or count `for i in 0..n`"));
                (None, 0)
            }
            None => (None, 0),
        };
        let whole = self.variable("array".into(), value.as_ref().map(|value| value.ty.clone()), over.span);
        self.open();
        let (index, written) = self.index_and_element(&each.pattern, element.as_ref());
        let pattern = self.pattern(written, element.as_ref(), Place::Binding);
        let mut body = self.round(&each.body, true);
        self.close();
        let (value, pattern, element) = (value?, pattern?, element?);
        self.must_fit(&pattern)?;
        let array = self.make(ExprKind::Local(whole), value.ty.clone(), over.span);
        let number = self.make(ExprKind::Local(index), Type::Int, span);
        let item = match value.ty {
            Type::Table(..) => self.table_element(array, number, over.span)?,
            _ => self.make(ExprKind::Index { base: Box::new(array), index: Box::new(number) }, element, over.span),
        };
        let mut stmts = Vec::new();
        self.bind_once(&pattern, item, &mut stmts);
        stmts.append(&mut body.stmts);
        let loc = self.report.loc(span);
        out.push(Stmt { kind: StmtKind::Let { local: whole, value }, loc: loc.clone() });
        let constant = |n: u32| self.make(ExprKind::Int(n.into()), Type::Int, over.span);
        let (from, to) = (constant(0), constant(count));
        let kind = StmtKind::For { index, from, to, rounds_max: count, body: Block { stmts, ..body } };
        out.push(Stmt { kind, loc });
        Some(())
    }

    /// The variable that counts, and the pattern of an element: `(i, x)` has both where elements are no pairs.
    pub(super) fn index_and_element<'p>(
        &mut self,
        pattern: &'p ast::Pattern,
        element: Option<&Type>,
    ) -> (LocalId, &'p ast::Pattern) {
        if let PatternKind::Tuple(parts) = &pattern.kind
            && let [index, element_pattern] = parts.as_slice()
            && !matches!(element, Some(Type::Tuple(_)))
        {
            let local = match &index.kind {
                PatternKind::Name { mutable: false, name } if name.as_str() != "None" => {
                    self.declare(name, Some(Type::Int), false)
                }
                PatternKind::Wildcard => self.variable("_".into(), Some(Type::Int), index.span),
                _ => {
                    let found = self.report.error(Code::E0218, "the number of a round has one name", index.span);
                    self.report.push(found.help("write it like `for (i, x) in list { .. }`"));
                    self.variable("_".into(), Some(Type::Int), index.span)
                }
            };
            return (local, element_pattern);
        }
        (self.variable("index".into(), Some(Type::Int), pattern.span), pattern)
    }

    pub(super) fn while_stmt(&mut self, again: &ast::While, span: Span) -> Option<StmtKind> {
        let condition = self.expect(&again.cond, &Type::Bool);
        let rounds_max = match &again.max {
            Some(max) => self.rounds(max),
            None => {
                let found = self.report.error(Code::E0220, "nothing says how many rounds this loop has at most", span);
                self.report.fail(found.help("write the most behind the condition, such as `while x > 0 max 10 { .. }`"))
            }
        };
        let body = self.round(&again.body, false);
        let (condition, rounds_max) = (condition?, rounds_max?);
        Some(StmtKind::While { condition, rounds_max, body })
    }
}

/// Whether the number of an element is known, and which it is.
pub(super) fn constant_index(index: &Expr) -> Option<i64> {
    known(index).or_else(|| match eval::eval(index, &eval::Constants) {
        Ok(eval::Value::Number(n)) => i64::try_from(&n).ok(),
        _ => None,
    })
}
