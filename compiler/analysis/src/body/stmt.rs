//! Statements and blocks.

use syntax::ast::{self, ExprKind as Ast, Ident, PatternKind, StmtKind as AstStmt};
use syntax::{Code, Span};

use super::{Body, BodyKind, Name};
use crate::hir::{self, ExprKind, Stmt, StmtKind, Type};
use crate::types;

impl Body<'_, '_> {
    /// A block that only demands; a value at its end is a mistake.
    pub(super) fn block_without_value(&mut self, block: &ast::Block) -> hir::Block {
        self.open();
        let mut stmts = self.stmts(&block.stmts);
        if let Some(tail) = &block.tail {
            self.value_as_stmt(tail, &mut stmts);
        }
        self.close();
        hir::Block { stmts, value: None }
    }

    /// A block that ends in a value of type `wanted`, or of any type.
    pub(super) fn block_with_value(&mut self, block: &ast::Block, wanted: Option<&Type>) -> hir::Block {
        self.open();
        let stmts = self.stmts(&block.stmts);
        let value = match &block.tail {
            Some(tail) => self.wanted(tail, wanted),
            None => self.missing_value(block),
        };
        self.close();
        hir::Block { stmts, value: self.note(value).map(Box::new) }
    }

    /// The body of a function: its value may also stand behind a last `return`.
    pub(super) fn function_block(&mut self, block: &ast::Block, wanted: Option<&Type>) -> hir::Block {
        let Some((last, before)) = block.stmts.split_last() else { return self.block_with_value(block, wanted) };
        let AstStmt::Return { value: Some(value) } = &last.kind else { return self.block_with_value(block, wanted) };
        if block.tail.is_some() {
            return self.block_with_value(block, wanted);
        }
        self.open();
        let stmts = self.stmts(before);
        let value = self.wanted(value, wanted);
        self.close();
        hir::Block { stmts, value: self.note(value).map(Box::new) }
    }

    fn wanted(&mut self, value: &ast::Expr, wanted: Option<&Type>) -> Option<hir::Expr> {
        match wanted {
            Some(wanted) => self.expect(value, wanted),
            None => self.expr(value),
        }
    }

    fn missing_value<T>(&mut self, block: &ast::Block) -> Option<T> {
        let broken = block.stmts.iter().any(|stmt| matches!(stmt.kind, AstStmt::Error));
        if broken {
            return None;
        }
        let end = Span::new(block.span.end.saturating_sub(1), block.span.end);
        self.report.fail(
            self.report
                .error(Code::E0207, "this block must end with a value", end)
                .help("write the value as the last line, without `;`"),
        )
    }

    pub(super) fn stmts(&mut self, stmts: &[ast::Stmt]) -> Vec<Stmt> {
        let mut out = Vec::with_capacity(stmts.len());
        for stmt in stmts {
            self.stmt(stmt, &mut out);
        }
        out
    }

    fn stmt(&mut self, stmt: &ast::Stmt, out: &mut Vec<Stmt>) {
        let kind = match &stmt.kind {
            AstStmt::Let { pattern, ty, value } => match &pattern.kind {
                PatternKind::Name { mutable, name } => self.let_stmt(*mutable, name, ty.as_ref(), value),
                PatternKind::Error => {
                    self.expr(value);
                    self.note(None)
                }
                _ => self.later("patterns in `let` are", pattern.span),
            },
            AstStmt::Assign { place, value } if place.steps.is_empty() => self.assign(&place.name, value),
            AstStmt::Assign { place, .. } => self.later("assignments to a part of a value are", place.span),
            AstStmt::Require { cond, message } => {
                let message = message.as_ref().map(|text| text.value.to_string()).filter(|text| !text.is_empty());
                self.require(cond, message, out);
                None
            }
            AstStmt::If(branch) => self.if_stmt(branch),
            AstStmt::Match(choice) => self.later("`match` is", choice.span),
            AstStmt::For(_) => self.later("`for` is", stmt.span),
            AstStmt::While(_) => self.later("`while` is", stmt.span),
            AstStmt::Continue(next) => {
                self.continue_stmt(next, stmt.span, out);
                None
            }
            AstStmt::End => {
                self.end_stmt(stmt.span, out);
                None
            }
            AstStmt::Allow(_) => None,
            AstStmt::Split { pot, reward } => {
                self.split(pot, reward, stmt.span, out);
                None
            }
            AstStmt::Return { .. } => self.early_return(stmt.span),
            AstStmt::Expr(value) => {
                self.value_as_stmt(value, out);
                None
            }
            AstStmt::Error => self.note(None),
        };
        if let Some(kind) = kind {
            out.push(Stmt { kind, loc: self.report.loc(stmt.span) });
        }
    }

    /// A statement that this version reads but does not compile.
    fn later(&mut self, what: &str, span: Span) -> Option<StmtKind> {
        let nothing = self.not_yet(what, span);
        self.note(nothing)
    }

    fn let_stmt(
        &mut self,
        mutable: bool,
        name: &Ident,
        ty: Option<&ast::TypeExpr>,
        value: &ast::Expr,
    ) -> Option<StmtKind> {
        let declared = ty.map(|ty| (types::resolve(ty, self.report), ty.span));
        let checked = match &declared {
            Some((Some(wanted), _)) => self.expect(value, wanted),
            _ => self.expr(value),
        };
        let inferred = checked.as_ref().map(|expr| expr.ty.clone());
        let ty = declared.as_ref().map_or(inferred, |(ty, _)| ty.clone());
        if let (Some(Type::Share | Type::Sigs(_)), Some((_, span))) = (&ty, declared) {
            let message = "a variable cannot have this type";
            let found = self.report.error(Code::E0209, message, span);
            self.report.push(found.help("leave the type out, or choose one that a script can hold"));
        }
        let local = self.declare(name, ty, mutable);
        self.note(checked).map(|value| StmtKind::Let { local, value })
    }

    fn assign(&mut self, name: &Ident, value: &ast::Expr) -> Option<StmtKind> {
        let assigned = self.assignment(name, value);
        self.note(assigned)
    }

    fn assignment(&mut self, name: &Ident, value: &ast::Expr) -> Option<StmtKind> {
        let Some(Name::Local(local)) = self.meaning(name) else {
            self.expr(value);
            return self.not_assignable(name);
        };
        let variable = self.locals.get(local.index())?;
        let (ty, mutable, declared) = (variable.ty.clone(), variable.mutable, variable.span);
        let value = self.wanted(value, ty.as_ref());
        if !mutable {
            let found = self.report.error(Code::E0107, format!("`{name}` is not declared as mutable"), name.span);
            let found = found.label(self.report.loc(declared), "declared here").saying("assigned here");
            return self.report.fail(found.help(format!("write `let mut {name}` where it is declared")));
        }
        value.map(|value| StmtKind::Assign { local, place: Vec::new(), value })
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

    fn if_stmt(&mut self, branch: &ast::If) -> Option<StmtKind> {
        let condition = self.expect(&branch.cond, &Type::Bool);
        let condition = self.note(condition);
        let then = self.block_without_value(&branch.then);
        let otherwise = branch.otherwise.as_ref().map(|block| self.block_without_value(block)).unwrap_or_default();
        Some(StmtKind::If { condition: condition?, then, otherwise })
    }

    fn early_return(&mut self, span: Span) -> Option<StmtKind> {
        let found = match self.kind {
            BodyKind::Function => self
                .report
                .error(Code::E0013, "a `return` before the end of a function is not available yet", span)
                .help("give both branches of an `if` a value instead"),
            BodyKind::Spend | BodyKind::Constant => self
                .report
                .error(Code::E0211, "a spend path gives nothing back", span)
                .help("write `require ..;` for what must hold"),
        };
        self.report.fail(found)
    }

    /// A value where a statement stands: only an `if` and a call that gives nothing back may.
    fn value_as_stmt(&mut self, value: &ast::Expr, out: &mut Vec<Stmt>) {
        if let Ast::If(branch) = &value.kind {
            let kind = self.if_stmt(branch);
            out.extend(kind.map(|kind| Stmt { kind, loc: self.report.loc(value.span) }));
            return;
        }
        let checked = self.expr_or_unit(value);
        let Some(expr) = self.note(checked) else { return };
        match expr.kind {
            ExprKind::Call { function, type_args, args } if expr.ty == Type::Unit => {
                out.push(Stmt { kind: StmtKind::Call { function, type_args, args }, loc: expr.loc });
            }
            _ => {
                // It was probably meant as a condition, so the path may not lack what it seems to lack.
                self.broken = true;
                let found = self.report.error(Code::E0211, "nothing uses this value", value.span);
                self.report.push(match expr.ty {
                    Type::Bool => found.help(format!("write `require {};`", self.report.text_of(value.span))),
                    _ => found.help("name it by `let`, or remove it"),
                });
            }
        }
    }
}
