//! `match`: every value fits an arm, and every arm fits some value that those before it do not.
//!
//! Where each arm is for one variant of an enum and takes all that it carries, the arms become those
//! of the typed program. Other patterns, and arms with a guard, are tried one after the other, as an `if` with many branches:
//! nothing is written twice, and the last arm needs no test.

use syntax::ast::{self, MatchForm};
use syntax::{Code, Effect, Fix, Span};

use super::Body;
use super::pattern::{Kind, Pattern, Place};
use super::stmt::Gives;
use crate::exhaust;
use crate::hir::{self, BinaryOp, Block, Expr, ExprKind, LocalId, Stmt, StmtKind, Type};

/// The most arms, those of matches around a match counted, that are tried one after the other.
const ARMS_MAX: usize = 256;

/// A checked `match`.
struct Choice {
    /// A variable of its own for the value that is looked at.
    subject: LocalId,
    value: Expr,
    arms: Vec<Arm>,
}

/// A checked arm.
struct Arm {
    pattern: Pattern,
    guard: Option<Expr>,
    body: Block,
}

impl Body<'_, '_> {
    /// A `match` that gives no value, or what the function gives back.
    pub(super) fn match_stmt(&mut self, choice: &ast::Match, gives: Gives<'_>, out: &mut Vec<Stmt>) -> Option<()> {
        let loc = self.report.loc(choice.span);
        let Choice { subject, value, arms } = self.choice(choice, gives)?;
        let whole = Expr { kind: ExprKind::Local(subject), ty: value.ty.clone(), loc: value.loc.clone() };
        out.push(Stmt { kind: StmtKind::Let { local: subject, value }, loc: loc.clone() });
        if is_flat(&arms) {
            let arms = self.flat_arms(arms, &whole);
            out.push(Stmt { kind: StmtKind::Match { value: whole, arms }, loc });
            return Some(());
        }
        let tried = self.tried(arms, &whole, |condition, then, otherwise| Block {
            stmts: vec![Stmt { kind: StmtKind::If { condition, then, otherwise }, loc: loc.clone() }],
            value: None,
        });
        out.extend(tried?.stmts);
        Some(())
    }

    /// A `match` that gives a value.
    pub(super) fn match_value(&mut self, choice: &ast::Match, wanted: Option<&Type>) -> Option<Expr> {
        let span = choice.span;
        if choice.form == (MatchForm::IfLet { otherwise: false }) {
            let found = self.report.error(Code::E0207, "an `if let` that gives a value needs an `else`", span);
            self.report.push(found.help("add `else { .. }` with the other value"));
            return self.without_else(choice, wanted);
        }
        let Choice { subject, value, mut arms } = self.choice(choice, Gives::Value(wanted))?;
        let ty = self.type_of_blocks(arms.iter_mut().map(|arm| &mut arm.body).collect(), wanted, span)?;
        let whole = Expr { kind: ExprKind::Local(subject), ty: value.ty.clone(), loc: value.loc.clone() };
        let stmts = vec![Stmt { kind: StmtKind::Let { local: subject, value }, loc: self.report.loc(span) }];
        let chosen = if is_flat(&arms) {
            let arms = self.flat_arms(arms, &whole);
            self.make(ExprKind::Match { value: Box::new(whole), arms }, ty.clone(), span)
        } else {
            let loc = self.report.loc(span);
            let tried = self.tried(arms, &whole, |condition, then, otherwise| {
                let kind = ExprKind::If { condition: Box::new(condition), then, otherwise };
                Block { stmts: Vec::new(), value: Some(Box::new(Expr { kind, ty: ty.clone(), loc: loc.clone() })) }
            })?;
            self.make(ExprKind::Block(tried), ty.clone(), span)
        };
        Some(self.make(ExprKind::Block(Block { stmts, value: Some(Box::new(chosen)) }), ty, span))
    }

    /// Looks for mistakes in an `if let` whose value nothing says where the pattern does not fit.
    fn without_else<T>(&mut self, choice: &ast::Match, wanted: Option<&Type>) -> Option<T> {
        let ty = self.expr(&choice.value).map(|value| value.ty);
        if let Some(arm) = choice.arms.first() {
            self.open();
            self.pattern(&arm.pattern, ty.as_ref(), Place::Arm);
            self.block(&arm.body, Gives::Value(wanted));
            self.close();
        }
        None
    }

    fn choice(&mut self, choice: &ast::Match, gives: Gives<'_>) -> Option<Choice> {
        let value = self.expr(&choice.value);
        let ty = value.as_ref().map(|value| value.ty.clone());
        let subject = self.variable("match".into(), ty.clone(), choice.value.span);
        let mut arms = Vec::with_capacity(choice.arms.len());
        let mut broken = false;
        let mut like: Option<Type> = None;
        self.arms_around += choice.arms.len();
        for arm in choice.arms.iter() {
            self.open();
            let pattern = self.pattern(&arm.pattern, ty.as_ref(), Place::Arm);
            let guard = arm.guard.as_ref().map(|guard| self.expect(guard, &Type::Bool));
            // What `None` is an `Option` of may follow from the arms before.
            let gives = match (gives, &like) {
                (Gives::Value(None), Some(like)) => Gives::Value(Some(like)),
                (gives, _) => gives,
            };
            let body = self.block(&arm.body, gives);
            self.close();
            like = like.or_else(|| body.value.as_ref().map(|value| value.ty.clone()).filter(Type::is_composite));
            match (pattern, guard) {
                (None, _) | (_, Some(None)) => broken = true,
                (Some(pattern), guard) => arms.push(Arm { pattern, guard: guard.flatten(), body }),
            }
        }
        let around = self.arms_around;
        self.arms_around -= choice.arms.len();
        let value = value?;
        if broken {
            return None;
        }
        self.complete(&value.ty, &arms, choice)?;
        if around > ARMS_MAX && !is_flat(&arms) {
            let found = self.report.error(
                Code::E0213,
                format!("more than {ARMS_MAX} arms are tried one after the other"),
                choice.span,
            );
            return self.report.fail(found.help("match fewer constants at once, or look the value up in a `Table`"));
        }
        Some(Choice { subject, value, arms })
    }

    /// An arm with the comma behind it.
    fn arm_span(&self, choice: &ast::Match, index: usize) -> Span {
        let span = choice.arms.get(index).map_or(choice.span, |arm| arm.span);
        let behind = self.report.text().get(span.end as usize..).unwrap_or_default();
        let comma = u32::from(behind.starts_with(','));
        Span::new(span.start, span.end + comma)
    }

    /// Reports values that fit no arm, and arms that no value reaches.
    fn complete(&mut self, ty: &Type, arms: &[Arm], choice: &ast::Match) -> Option<()> {
        let pats: Vec<_> = arms.iter().map(|arm| (arm.pattern.pat(), arm.guard.is_some())).collect();
        let head = Span::new(choice.span.start, choice.value.span.end);
        let Ok(verdict) = exhaust::check(ty, &pats) else {
            let found =
                self.report.error(Code::E0213, "the patterns of this `match` are too many to be compared", head);
            return self.report.fail(found.help("split it into several matches"));
        };
        for index in &verdict.unreachable {
            let found = match (choice.form, arms.first(), arms.get(*index)) {
                (MatchForm::Arms, _, Some(arm)) => self
                    .report
                    .warning(Code::E0217, "no value reaches this arm", arm.pattern.span)
                    .help("remove it, or move it before the arm that takes its values")
                    .fix(
                        Fix::new("remove the arm", Effect::Keeps)
                            .remove(self.report.loc(self.arm_span(choice, *index))),
                    ),
                (MatchForm::IfLet { .. }, Some(first), _) => self
                    .report
                    .warning(Code::E0217, "every value fits this pattern", first.pattern.span)
                    .help("write `let` without `if`"),
                _ => continue,
            };
            self.report.push(found);
        }
        let Some(missing) = verdict.missing else { return Some(()) };
        let missing = exhaust::show(&missing, ty);
        let found = self.report.error(Code::E0216, format!("no arm fits `{missing}`"), head);
        self.report.fail(found.help(format!("add an arm such as `{missing} => ..`")))
    }

    /// Arms for one variant each; nothing that they carry is looked at.
    fn flat_arms(&mut self, arms: Vec<Arm>, whole: &Expr) -> Vec<hir::Arm> {
        let mut out = Vec::with_capacity(arms.len());
        for Arm { pattern, body, .. } in arms {
            let Pattern { kind: Kind::Variant(variant, fields), span, .. } = pattern else {
                out.push(hir::Arm {
                    variant: None,
                    bindings: Vec::new(),
                    body: self.with_names(&pattern, whole, body),
                });
                break;
            };
            let mut bindings = Vec::with_capacity(fields.len());
            let mut stmts = Vec::new();
            for field in &fields {
                bindings.push(match field.kind {
                    Kind::Any => None,
                    Kind::Bind(local) => Some(local),
                    _ => {
                        let local = self.variable("field".into(), Some(field.ty.clone()), span);
                        self.bind(field, &self.make(ExprKind::Local(local), field.ty.clone(), span), &mut stmts);
                        Some(local)
                    }
                });
            }
            stmts.extend(body.stmts);
            out.push(hir::Arm { variant: Some(variant), bindings, body: Block { stmts, ..body } });
        }
        out
    }

    /// The block of an arm, with the names of its pattern.
    fn with_names(&self, pattern: &Pattern, whole: &Expr, body: Block) -> Block {
        let mut stmts = Vec::new();
        self.bind(pattern, whole, &mut stmts);
        stmts.extend(body.stmts);
        Block { stmts, ..body }
    }

    /// What an arm demands beside its pattern, which is looked at only where the pattern fits.
    fn guarded(&self, pattern: &Pattern, whole: &Expr, guard: Expr) -> Expr {
        let loc = guard.loc.clone();
        let block = self.with_names(pattern, whole, Block { stmts: Vec::new(), value: Some(Box::new(guard)) });
        Expr { kind: ExprKind::Block(block), ty: Type::Bool, loc }
    }

    /// The arms, tried one after the other; `either` joins one with those behind it.
    fn tried(&self, arms: Vec<Arm>, whole: &Expr, either: impl Fn(Expr, Block, Block) -> Block) -> Option<Block> {
        let mut rest: Option<Block> = None;
        for Arm { pattern, guard, body } in arms.into_iter().rev() {
            let guard = guard.map(|guard| self.guarded(&pattern, whole, guard));
            let condition = match (self.test(&pattern, whole), guard) {
                (Some(fits), Some(guard)) => Some(both(fits, guard)),
                (fits, guard) => fits.or(guard),
            };
            let body = self.with_names(&pattern, whole, body);
            rest = Some(match (rest, condition) {
                (Some(otherwise), Some(condition)) => either(condition, body, otherwise),
                _ => body,
            });
        }
        rest
    }
}

/// Whether each arm is for a variant of an enum, whatever it carries, or for all that are left.
fn is_flat(arms: &[Arm]) -> bool {
    arms.iter().all(|Arm { pattern, guard, .. }| match &pattern.kind {
        _ if guard.is_some() => false,
        Kind::Variant(_, fields) => fields.iter().all(Pattern::fits_all),
        Kind::Any | Kind::Bind(_) => matches!(pattern.ty, Type::Enum(_)),
        Kind::Parts(_) | Kind::Value(..) | Kind::Or(_) => false,
    })
}

fn both(left: Expr, right: Expr) -> Expr {
    let loc = left.loc.clone();
    let kind = ExprKind::Binary { op: BinaryOp::And, left: Box::new(left), right: Box::new(right) };
    Expr { kind, ty: Type::Bool, loc }
}
