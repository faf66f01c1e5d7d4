//! Statements and blocks.

use syntax::ast::{self, ExprKind as Ast, Ident, StmtKind as AstStmt};
use syntax::{Code, Effect, Fix, Span};

use super::pattern::{Kind, Pattern, Place};
use super::{Body, BodyKind, Name, NoReturn};
use crate::hir::{self, ExprKind, Step, Stmt, StmtKind, Type};
use crate::types;

/// What the end of a block is for.
#[derive(Clone, Copy)]
pub(super) enum Gives<'t> {
    /// Nothing: a value there is a mistake.
    Nothing,
    /// A value of this type, or of any.
    Value(Option<&'t Type>),
    /// What the function gives back, by a `return` on every way.
    Result(&'t Type),
}

impl Body<'_, '_> {
    /// A block in a scope of its own.
    pub(super) fn block(&mut self, block: &ast::Block, gives: Gives<'_>) -> hir::Block {
        let outer = self.no_return;
        if matches!(gives, Gives::Value(_)) {
            self.no_return = Some(NoReturn::Value);
        }
        self.open();
        let mut stmts = self.stmts(&block.stmts);
        let value = match gives {
            Gives::Nothing => {
                if let Some(tail) = &block.tail {
                    self.value_as_stmt(tail, &mut stmts);
                }
                None
            }
            Gives::Value(wanted) => {
                let value = match &block.tail {
                    Some(tail) => self.wanted(tail, wanted),
                    None => self.missing_value(block, "this block must end with a value"),
                };
                self.note(value).map(Box::new)
            }
            Gives::Result(wanted) => {
                let returned = self.returned(block, wanted, &mut stmts);
                self.note(returned);
                None
            }
        };
        self.close();
        self.no_return = outer;
        hir::Block { stmts, value }
    }

    /// A block that only demands.
    pub(super) fn block_without_value(&mut self, block: &ast::Block) -> hir::Block {
        self.block(block, Gives::Nothing)
    }

    /// The body of a function that gives something back.
    ///
    /// Its value stands at the end, perhaps behind a last `return`. If there are others, every way ends
    /// with a `return`, written or not.
    pub(super) fn function_block(&mut self, block: &ast::Block, wanted: Option<&Type>) -> hir::Block {
        let before = match block.tail {
            Some(_) => &block.stmts,
            None => block.stmts.split_last().map_or(&[][..], |(_, before)| before),
        };
        let last = block.stmts.last().filter(|_| block.tail.is_none()).map(|stmt| &stmt.kind);
        let elsewhere = before.iter().any(returns_in) || block.tail.iter().any(|tail| returns_inside(tail));
        match last {
            Some(AstStmt::Return { value: Some(value) }) if !elsewhere => {
                self.open();
                let stmts = self.stmts(before);
                let value = self.wanted(value, wanted);
                self.close();
                hir::Block { stmts, value: self.note(value).map(Box::new) }
            }
            Some(stmt) if elsewhere || returns(stmt) => {
                self.block(block, wanted.map_or(Gives::Value(None), Gives::Result))
            }
            None if elsewhere => self.block(block, wanted.map_or(Gives::Value(None), Gives::Result)),
            _ => self.block(block, Gives::Value(wanted)),
        }
    }

    /// The end of a block behind which the function ends.
    fn returned(&mut self, block: &ast::Block, wanted: &Type, out: &mut Vec<Stmt>) -> Option<()> {
        let Some(tail) = &block.tail else {
            if block.stmts.iter().any(always_returns) {
                return Some(());
            }
            return self.missing_value(block, "a way through the function ends here without a value");
        };
        let loc = self.report.loc(tail.span);
        match &tail.kind {
            Ast::If(branch) if branch.otherwise.is_some() => {
                let kind = self.if_stmt(branch, Gives::Result(wanted))?;
                out.push(Stmt { kind, loc });
            }
            Ast::Match(choice) => self.match_stmt(choice, Gives::Result(wanted), out)?,
            _ => {
                let value = self.expect(tail, wanted)?;
                out.push(Stmt { kind: StmtKind::Return(Some(value)), loc });
            }
        }
        Some(())
    }

    pub(super) fn wanted(&mut self, value: &ast::Expr, wanted: Option<&Type>) -> Option<hir::Expr> {
        match wanted {
            Some(wanted) => self.expect(value, wanted),
            None => self.expr(value),
        }
    }

    fn missing_value<T>(&mut self, block: &ast::Block, message: &str) -> Option<T> {
        let broken = block.stmts.iter().any(|stmt| matches!(stmt.kind, AstStmt::Error));
        if broken {
            return None;
        }
        let end = Span::new(block.span.end.saturating_sub(1), block.span.end);
        let found = self.report.error(Code::E0207, message, end);
        self.report.fail(found.help("write the value as the last line, without `;`"))
    }

    pub(super) fn stmts(&mut self, stmts: &[ast::Stmt]) -> Vec<Stmt> {
        let mut out = Vec::with_capacity(stmts.len());
        for (index, stmt) in stmts.iter().enumerate() {
            self.stmt(stmt, &mut out);
            if let Some(next) = stmts.get(index + 1).filter(|_| always_returns(stmt)) {
                let found = self.report.warning(Code::E0222, "nothing behind a `return` is ever done", next.span);
                let last = stmts.last().map_or(next.span, |last| last.span);
                let fix = Fix::new("remove what is never done", Effect::Keeps);
                let fix = fix.remove(self.report.loc(next.span.to(last)));
                self.report.push(found.help("remove it, or move it before the `return`").fix(fix));
                // What follows is checked all the same, but it does not become part of the program.
                let mut unreached = Vec::new();
                stmts.iter().skip(index + 1).for_each(|stmt| self.stmt(stmt, &mut unreached));
                break;
            }
        }
        out
    }

    fn stmt(&mut self, stmt: &ast::Stmt, out: &mut Vec<Stmt>) {
        let kind = match &stmt.kind {
            AstStmt::Let { pattern, ty, value } => return self.let_stmt(pattern, ty.as_ref(), value, stmt.span, out),
            AstStmt::Assign { place, value } => self.assignment(place, value),
            AstStmt::Require { cond, message } => {
                let message = message.as_ref().map(|text| text.value.to_string()).filter(|text| !text.is_empty());
                return self.require(cond, message, out);
            }
            AstStmt::If(branch) => self.if_stmt(branch, Gives::Nothing),
            AstStmt::Match(choice) => return self.done(|body| body.match_stmt(choice, Gives::Nothing, out)),
            AstStmt::For(each) => return self.done(|body| body.for_stmt(each, stmt.span, out)),
            AstStmt::While(again) => self.while_stmt(again, stmt.span),
            AstStmt::Continue(next) => return self.continue_stmt(next, stmt.span, out),
            AstStmt::End => return self.end_stmt(stmt.span, out),
            AstStmt::Allow(_) | AstStmt::Budget(_) => return,
            AstStmt::Split { pot, reward } => return self.split(pot, reward, stmt.span, out),
            AstStmt::Return { value } => self.return_stmt(value.as_ref(), stmt.span),
            AstStmt::Expr(value) => return self.value_as_stmt(value, out),
            AstStmt::Error => None,
        };
        if let Some(kind) = self.note(kind) {
            out.push(Stmt { kind, loc: self.report.loc(stmt.span) });
        }
    }

    fn done(&mut self, check: impl FnOnce(&mut Self) -> Option<()>) {
        let checked = check(self);
        self.note(checked);
    }

    fn let_stmt(
        &mut self,
        pattern: &ast::Pattern,
        ty: Option<&ast::TypeExpr>,
        value: &ast::Expr,
        span: Span,
        out: &mut Vec<Stmt>,
    ) {
        let declared = ty.map(|ty| (types::resolve(ty, self.env, self.report).map(|ty| ty.read()), ty.span));
        let checked = match &declared {
            Some((Some(wanted), _)) => self.expect(value, wanted),
            _ => self.expr(value),
        };
        let inferred = checked.as_ref().map(|expr| expr.ty.clone());
        let ty = declared.as_ref().map_or(inferred, |(ty, _)| ty.clone());
        let is_kept = !matches!(ty, Some(Type::Share | Type::Sigs(_) | Type::List(_) | Type::Padding));
        if let Some((_, span)) = declared.filter(|_| !is_kept) {
            let found = self.report.error(Code::E0209, "a variable cannot have this type", span);
            self.report.push(found.help("leave the type out, or choose one that a script can hold"));
        }
        let fitted = self.pattern(pattern, ty.as_ref(), Place::Binding);
        if let (Some(mut value), Some(pattern)) = (self.note(checked), self.note(fitted)) {
            let fits = self.must_fit(&pattern);
            if self.note(fits).is_none() {
                return;
            }
            value.loc = self.report.loc(value.loc.span);
            let start = out.len();
            self.bind_once(&pattern, value, out);
            if let Some(first) = out.get_mut(start) {
                first.loc = self.report.loc(span);
            }
        }
    }

    /// Gives the names of a pattern their values; the value is computed once, whether it has a name or not.
    pub(super) fn bind_once(&mut self, pattern: &Pattern, value: hir::Expr, out: &mut Vec<Stmt>) {
        if let Kind::Bind(_) = pattern.kind {
            return self.bind(pattern, &value, out);
        }
        let (ty, loc) = (value.ty.clone(), value.loc.clone());
        let local = self.variable("value".into(), Some(ty.clone()), loc.span);
        out.push(Stmt { kind: StmtKind::Let { local, value }, loc: loc.clone() });
        self.bind(pattern, &hir::Expr { kind: ExprKind::Local(local), ty, loc }, out);
    }

    fn assignment(&mut self, place: &ast::Place, value: &ast::Expr) -> Option<StmtKind> {
        let name = &place.name;
        let Some(Name::Local(local)) = self.meaning(name) else {
            self.expr(value);
            return self.not_assignable(name);
        };
        let variable = self.locals.get(local.index())?;
        let (mut ty, mutable, declared) = (variable.ty.clone(), variable.mutable, variable.span);
        let mut steps = Some(Vec::with_capacity(place.steps.len()));
        for step in &place.steps {
            let found = ty.take().and_then(|ty| self.step(&ty, step, name));
            let (step, part) = found.unzip();
            ty = part;
            steps = steps.zip(step).map(|(mut steps, step)| {
                steps.push(step);
                steps
            });
        }
        let value = self.wanted(value, ty.as_ref());
        if !mutable {
            let found = self.report.error(Code::E0107, format!("`{name}` is not declared as mutable"), name.span);
            let found = found.label(self.report.loc(declared), "declared here").saying("assigned here");
            return self.report.fail(found.help(format!("write `let mut {name}` where it is declared")));
        }
        Some(StmtKind::Assign { local, place: steps?, value: value? })
    }

    /// A step to a part that changes, and the part's type.
    fn step(&mut self, ty: &Type, step: &ast::PlaceStep, name: &Ident) -> Option<(Step, Type)> {
        match step {
            ast::PlaceStep::Field(field) => {
                let (index, part) = self.field_index(ty, field)?;
                Some((Step::Element(index), part))
            }
            ast::PlaceStep::Element { index, span } => {
                let part = self.tuple_part(ty, *index, *span)?;
                Some((Step::Element(*index as usize), part))
            }
            ast::PlaceStep::Index(index) => {
                let number = self.expect(index, &Type::Int);
                let Type::Array(element, count) = ty else {
                    let message = format!("`{ty}` has no elements that can change");
                    let found = self.report.error(Code::E0214, message, index.span);
                    return self.report.fail(found.help(format!("give `{name}` another value as a whole")));
                };
                let number = number?;
                let step = match self.constant_element(&number, *count, index.span)? {
                    Some(index) => Step::Element(index),
                    None => Step::Index(number),
                };
                Some((step, element.read()))
            }
        }
    }

    fn not_assignable(&mut self, name: &Ident) -> Option<StmtKind> {
        let before = self.report.count();
        let exists = self.name(name).is_some() || self.report.count() == before;
        if !exists || name.is_missing() {
            return None;
        }
        self.report.fail(
            self.report
                .error(Code::E0107, format!("`{name}` keeps its value"), name.span)
                .help(format!("take a copy by `let mut {name}_now = {name};` and change that")),
        )
    }

    pub(super) fn if_stmt(&mut self, branch: &ast::If, gives: Gives<'_>) -> Option<StmtKind> {
        let condition = self.expect(&branch.cond, &Type::Bool);
        let condition = self.note(condition);
        let then = self.block(&branch.then, gives);
        let otherwise = branch.otherwise.as_ref().map(|block| self.block(block, gives)).unwrap_or_default();
        Some(StmtKind::If { condition: condition?, then, otherwise })
    }

    fn return_stmt(&mut self, value: Option<&ast::Expr>, span: Span) -> Option<StmtKind> {
        if self.kind != BodyKind::Function {
            value.map(|value| self.expr(value));
            let found = self.report.error(Code::E0211, "a spend path gives nothing back", span);
            return self.report.fail(found.help("write `require ..;` for what must hold"));
        }
        let Some(wanted) = self.ret.clone() else {
            value.map(|value| self.expr(value));
            return None;
        };
        let value = match (value, &wanted) {
            (None, Type::Unit) => None,
            (None, wanted) => {
                let found = self.report.error(Code::E0207, format!("this function gives back `{wanted}`"), span);
                return self.report.fail(found.help("write the value behind `return`"));
            }
            (Some(value), Type::Unit) => {
                self.expr(value);
                let found = self.report.error(Code::E0211, "this function gives nothing back", value.span);
                return self
                    .report
                    .fail(found.help("write `return;`, or declare a result: `fn name(..) -> Int { .. }`"));
            }
            (Some(value), wanted) => Some(self.expect(value, wanted)?),
        };
        let (message, help) = match self.no_return {
            None => return Some(StmtKind::Return(value)),
            Some(NoReturn::Loop) => (
                "a `return` cannot leave a loop whose rounds are counted when the script runs",
                "keep the result in a `let mut` before the loop, and return it behind",
            ),
            Some(NoReturn::Value) => (
                "a `return` cannot stand in a block that gives a value to an expression",
                "name the value by `let`, and return in an `if` of its own",
            ),
        };
        self.report.fail(self.report.error(Code::E0221, message, span).help(help))
    }

    /// A value where a statement stands: only an `if` and a call that gives nothing back may.
    fn value_as_stmt(&mut self, value: &ast::Expr, out: &mut Vec<Stmt>) {
        match &value.kind {
            Ast::If(branch) => {
                let kind = self.if_stmt(branch, Gives::Nothing);
                return out.extend(kind.map(|kind| Stmt { kind, loc: self.report.loc(value.span) }));
            }
            Ast::Match(choice) => return self.done(|body| body.match_stmt(choice, Gives::Nothing, out)),
            _ => {}
        }
        let checked = self.expr_or_unit(value, None);
        let Some(expr) = self.note(checked) else { return };
        match expr.kind {
            ExprKind::Call { function, type_args, args } if expr.ty == Type::Unit => {
                out.push(Stmt { kind: StmtKind::Call { function, type_args, args }, loc: expr.loc });
            }
            _ if expr.ty == Type::Unit => {
                let loc = expr.loc.clone();
                out.push(Stmt { kind: StmtKind::Check(expr), loc });
            }
            _ => {
                // It was probably meant as a condition, so the path may not lack what it seems to lack.
                self.broken = true;
                let found = self.report.error(Code::E0211, "nothing uses this value", value.span);
                self.report.push(match expr.ty {
                    Type::Bool => {
                        let fix = Fix::new("demand it by `require`", Effect::Changes);
                        let start = self.report.loc(Span::point(value.span.start));
                        let found = found.help(format!("write `require {};`", self.report.text_of(value.span)));
                        found.fix(fix.edit(start, "require "))
                    }
                    _ => found.help("name it by `let`, or remove it"),
                });
            }
        }
    }
}

/// Whether a `return` stands somewhere in a statement.
fn returns_in(stmt: &ast::Stmt) -> bool {
    returns(&stmt.kind)
}

fn returns(stmt: &AstStmt) -> bool {
    match stmt {
        AstStmt::Return { .. } => true,
        AstStmt::If(branch) => returns_in_if(branch),
        AstStmt::Match(choice) => choice.arms.iter().any(|arm| returns_in_block(&arm.body)),
        AstStmt::For(each) => returns_in_block(&each.body),
        AstStmt::While(again) => returns_in_block(&again.body),
        AstStmt::Expr(value) => returns_inside(value),
        _ => false,
    }
}

fn returns_in_if(branch: &ast::If) -> bool {
    returns_in_block(&branch.then) || branch.otherwise.iter().any(|block| returns_in_block(block))
}

fn returns_in_block(block: &ast::Block) -> bool {
    block.stmts.iter().any(returns_in) || block.tail.iter().any(|tail| returns_inside(tail))
}

/// Whether a `return` stands in the branches of a value that a block ends with.
fn returns_inside(value: &ast::Expr) -> bool {
    match &value.kind {
        Ast::If(branch) => returns_in_if(branch),
        Ast::Match(choice) => choice.arms.iter().any(|arm| returns_in_block(&arm.body)),
        _ => false,
    }
}

/// Whether nothing behind a statement is ever reached.
fn always_returns(stmt: &ast::Stmt) -> bool {
    match &stmt.kind {
        AstStmt::Return { .. } => true,
        AstStmt::If(branch) => if_always_returns(branch),
        AstStmt::Match(choice) => choice.arms.iter().all(|arm| block_always_returns(&arm.body)),
        _ => false,
    }
}

fn if_always_returns(branch: &ast::If) -> bool {
    block_always_returns(&branch.then) && branch.otherwise.as_ref().is_some_and(|block| block_always_returns(block))
}

fn block_always_returns(block: &ast::Block) -> bool {
    let tail = block.tail.as_ref().is_some_and(|tail| match &tail.kind {
        Ast::If(branch) => if_always_returns(branch),
        Ast::Match(choice) => choice.arms.iter().all(|arm| block_always_returns(&arm.body)),
        _ => false,
    });
    tail || block.stmts.iter().any(always_returns)
}
