//! `match`, `if let`, chains of `if`, and what patterns and literals lack.

use analysis::hir::Type;
use syntax::ast::{Arm, BinaryOp, Block, Expr, ExprKind, If, Match, MatchForm, Pattern, PatternKind, Stmt, StmtKind};
use syntax::{Code, Span};

use super::conditions::if_here;
use super::edit::{has_struct, is_total, value_of, value_of_written};
use super::{ActionKind, Edits, Found, Site};
use crate::names::{Def, DefKind, Depth, Target};
use crate::tree::Node;

/// The `match` whose head holds the selection.
fn match_here<'s>(site: &Site<'_, 's>) -> Option<(&'s Match, bool)> {
    site.nodes.iter().rev().find_map(|node| {
        let (choice, stmt) = match node {
            Node::Stmt(Stmt { kind: StmtKind::Match(choice), .. }) => (choice, true),
            Node::Expr(Expr { kind: ExprKind::Match(choice), .. }) => (choice, false),
            _ => return None,
        };
        let head = choice.arms.first().map_or(choice.span.end, |arm| match choice.form {
            MatchForm::Arms => arm.span.start,
            MatchForm::IfLet { .. } => arm.body.span.start,
        });
        (site.range.start <= head.max(choice.value.span.end)).then_some((choice, stmt))
    })
}

/// A block as the body of an arm or branch.
fn body(site: &Site<'_, '_>, block: &Block) -> String {
    let text = site.text(block.span);
    if site.is_braced(block) { text.to_owned() } else { format!("{{ {text} }}") }
}

/// A body inside of an arm, one level deeper.
fn deeper(text: &str) -> String {
    text.replace('\n', "\n    ")
}

/// A body one level higher.
fn higher(text: &str) -> String {
    text.replace("\n    ", "\n")
}

/// A chain of `if x == a { .. } else if x == b { .. } else { .. }`, or an `if let`, as a `match`.
pub(super) fn if_to_match(site: &mut Site<'_, '_>) {
    if let Some((choice @ Match { form: MatchForm::IfLet { otherwise }, .. }, is_stmt)) = match_here(site) {
        return if_let_to_match(site, choice, *otherwise, is_stmt);
    }
    let Some(branch) = if_here(site) else { return };
    let Some((value, arms, rest)) = chain(site, branch) else { return };
    if arms.len() < 2 || !is_total(value) || !is_first(site, branch) {
        return;
    }
    site.offer(ActionKind::IfToMatch, "write it as a `match`", |site| {
        let indent = site.indent(branch.span.start);
        let mut text = format!("match {} {{\n", site.text(value.span));
        for (literal, block) in &arms {
            text += &format!("{indent}    {} => {}\n", site.text(*literal), deeper(&body(site, block)));
        }
        text += &match rest {
            Some(block) => format!("{indent}    _ => {}\n", deeper(&body(site, block))),
            None => format!("{indent}    _ => {{}}\n"),
        };
        Edits::of([site.put(branch.span, format!("{text}{indent}}}"))])
    });
}

/// Whether an `if` is not the `else if` of another one.
fn is_first(site: &Site<'_, '_>, branch: &If) -> bool {
    let before = site.text(Span::new(0, branch.span.start)).trim_end();
    !before.ends_with("else")
}

type Chain<'s> = (&'s Expr, Vec<(Span, &'s Block)>, Option<&'s Block>);

/// What a chain of `if` compares with which literals.
fn chain<'s>(site: &Site<'_, '_>, first: &'s If) -> Option<Chain<'s>> {
    let (value, literal) = compared(site, &first.cond)?;
    let mut arms = vec![(literal, &*first.then)];
    let mut rest = first.otherwise.as_deref();
    while let Some(block) = rest.filter(|block| !site.is_braced(block)) {
        let branch = match (block.stmts.as_slice(), block.tail.as_deref()) {
            ([Stmt { kind: StmtKind::If(branch), .. }], None) => branch,
            ([], Some(Expr { kind: ExprKind::If(branch), .. })) => branch,
            _ => return None,
        };
        let (again, literal) = compared(site, &branch.cond)?;
        let known = arms.iter().any(|(known, _)| site.text(*known) == site.text(literal));
        if site.text(again.span) != site.text(value.span) || known {
            return None;
        }
        arms.push((literal, &branch.then));
        rest = branch.otherwise.as_deref();
    }
    Some((value, arms, rest))
}

/// `value == literal`, the literal on the right.
fn compared<'s>(site: &Site<'_, '_>, cond: &'s Expr) -> Option<(&'s Expr, Span)> {
    let ExprKind::Binary { op: BinaryOp::Eq, left, right, .. } = &cond.kind else { return None };
    let literal = matches!(
        right.kind,
        ExprKind::Int(_) | ExprKind::Quantity { .. } | ExprKind::Moment { .. } | ExprKind::Bytes(_) | ExprKind::Str(_)
    );
    // A bare number has the unit of what it is compared with, and not in a pattern.
    let same = site.type_of(left.span) == site.type_of(right.span);
    (literal && same && !has_struct(left)).then_some((&**left, right.span))
}

fn if_let_to_match(site: &mut Site<'_, '_>, choice: &Match, otherwise: bool, is_stmt: bool) {
    let [first, second] = choice.arms.as_ref() else { return };
    if !otherwise && !is_stmt {
        return;
    }
    site.offer(ActionKind::IfToMatch, "write it as a `match`", |site| {
        let indent = site.indent(choice.span.start);
        let value = site.text(choice.value.span);
        let taken = deeper(&body(site, &first.body));
        let rest = if otherwise { deeper(&body(site, &second.body)) } else { "{}".to_owned() };
        let pattern = site.text(first.pattern.span);
        let text = format!("match {value} {{\n{indent}    {pattern} => {taken}\n{indent}    _ => {rest}\n{indent}}}");
        Edits::of([site.put(choice.span, text)])
    });
}

/// A `match` as a chain of `if`, or as `if let`.
pub(super) fn match_to_if(site: &mut Site<'_, '_>) {
    let Some((choice @ Match { form: MatchForm::Arms, .. }, _)) = match_here(site) else { return };
    if choice.arms.iter().any(|arm| arm.guard.is_some()) || has_struct(&choice.value) {
        return;
    }
    let Some((last, arms)) = choice.arms.split_last() else { return };
    if arms.is_empty() || !matches!(last.pattern.kind, PatternKind::Wildcard) || has_comments(site, choice) {
        return;
    }
    let values = arms.iter().all(|arm| matches!(arm.pattern.kind, PatternKind::Literal(_)));
    let text = match arms {
        _ if values && is_total(&choice.value) => if_chain(site, choice, arms, last),
        [only] if !values && !matches!(only.pattern.kind, PatternKind::Or(_) | PatternKind::Literal(_)) => {
            let (pattern, value) = (site.text(only.pattern.span), site.text(choice.value.span));
            format!("if let {pattern} = {value} {}{}", higher(&body(site, &only.body)), behind(site, last))
        }
        _ => return,
    };
    site.offer(ActionKind::MatchToIf, "write it with `if`", |site| Edits::of([site.put(choice.span, text)]));
}

/// Whether a comment stands between the arms, where it would be lost.
fn has_comments(site: &Site<'_, '_>, choice: &Match) -> bool {
    let mut at = choice.value.span.end;
    for arm in choice.arms.iter() {
        if site.text(Span::new(at, arm.span.start)).contains('/') {
            return true;
        }
        at = arm.span.end;
    }
    site.text(Span::new(at, choice.span.end)).contains('/')
}

/// `else { .. }`, unless there is nothing in it.
fn behind(site: &Site<'_, '_>, last: &Arm) -> String {
    match last.body.stmts.is_empty() && last.body.tail.is_none() {
        true => String::new(),
        false => format!(" else {}", higher(&body(site, &last.body))),
    }
}

fn if_chain(site: &Site<'_, '_>, choice: &Match, arms: &[Arm], last: &Arm) -> String {
    let value = site.operand(&choice.value, 4);
    let branch =
        |arm: &Arm| format!("if {value} == {} {}", site.text(arm.pattern.span), higher(&body(site, &arm.body)));
    let chain = arms.iter().map(branch).collect::<Vec<_>>().join(" else ");
    chain + &behind(site, last)
}

/// The arms that a `match` leaves out.
pub(super) fn add_arms(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if found.diagnostic.code != Code::E0216 {
        return;
    }
    let Some((choice, is_stmt)) = match_here(site).filter(|(choice, _)| choice.form == MatchForm::Arms) else { return };
    if let Some(patterns) = missing(site, choice).filter(|patterns| !patterns.is_empty()) {
        let title = if patterns.len() == 1 { "add the missing arm" } else { "add the missing arms" };
        site.offer(ActionKind::AddArms, title, |site| {
            Edits::of([site.insert(end_of(site, choice), with_arms(site, choice, &patterns, is_stmt))])
        });
    }
    site.offer(ActionKind::AddWildcard, "add the arm `_`", |site| {
        Edits::of([site.insert(end_of(site, choice), with_arms(site, choice, &["_".to_owned()], is_stmt))])
    });
}

/// Behind the last arm, or behind the brace.
fn end_of(site: &Site<'_, '_>, choice: &Match) -> u32 {
    let Some(last) = choice.arms.last() else { return choice.span.end - 1 };
    let behind = site.item.text.get(last.span.end as usize..).unwrap_or_default();
    last.span.end + u32::from(behind.starts_with(','))
}

fn with_arms(site: &Site<'_, '_>, choice: &Match, patterns: &[String], is_stmt: bool) -> String {
    let value = arm_value(site, choice, is_stmt);
    let last = choice.arms.last();
    let lines = last.is_none_or(|last| site.begins_line(last.span.start));
    let ended = last.is_none_or(|last| {
        let behind = site.item.text.get(last.span.end as usize..).unwrap_or_default();
        behind.starts_with(',') || site.is_braced(&last.body)
    });
    let indent = match last {
        Some(last) if lines => site.indent(last.span.start).to_owned(),
        _ => format!("{}    ", site.indent(choice.span.start)),
    };
    let gap = if lines { format!("\n{indent}") } else { " ".to_owned() };
    let arms = patterns.iter().map(|pattern| format!("{gap}{pattern} => {value}"));
    let text = arms.collect::<Vec<_>>().join(if value == "{}" { "" } else { "," });
    let lead = if ended { "" } else { "," };
    let tail = match (lines, value == "{}") {
        (_, true) => "",
        (true, false) => ",",
        (false, false) => "",
    };
    let close = if last.is_none() && lines { format!("\n{}", site.indent(choice.span.start)) } else { String::new() };
    format!("{lead}{text}{tail}{close}")
}

/// What an arm gives that nobody has written yet.
fn arm_value(site: &Site<'_, '_>, choice: &Match, is_stmt: bool) -> String {
    let gives = choice.arms.iter().find_map(|arm| site.type_of(arm.body.tail.as_ref()?.span));
    match gives {
        Some(ty) if *ty != Type::Unit => value_of(ty),
        None if !is_stmt => "0".to_owned(),
        _ => "{}".to_owned(),
    }
}

/// The patterns of the variants that no arm without a guard takes.
fn missing(site: &Site<'_, '_>, choice: &Match) -> Option<Vec<String>> {
    let ty = site.type_of(choice.value.span)?;
    if *ty == Type::Bool {
        let has = |wanted: bool| {
            choice.arms.iter().any(|arm| {
            matches!(&arm.pattern.kind, PatternKind::Literal(value) if matches!(value.kind, ExprKind::Bool(known) if known == wanted))
        })
        };
        return Some([true, false].into_iter().filter(|value| !has(*value)).map(|value| value.to_string()).collect());
    }
    let Type::Enum(of) = ty else { return None };
    let mut taken: Vec<&str> = Vec::new();
    for arm in choice.arms.iter().filter(|arm| arm.guard.is_none()) {
        variants(&arm.pattern, &mut taken);
    }
    let left = of.variants.iter().filter(|variant| !taken.contains(&variant.name.as_str()));
    let of_option = of.name == "Option";
    Some(
        left.map(|variant| {
            let path = if of_option { variant.name.clone() } else { format!("{}::{}", of.name, variant.name) };
            match (variant.names.is_empty(), variant.fields.len()) {
                (_, 0) => path,
                (false, _) => format!("{path} {{ .. }}"),
                (true, count) => format!("{path}({})", vec!["_"; count].join(", ")),
            }
        })
        .collect(),
    )
}

/// The variants that a pattern takes whole.
fn variants<'p>(pattern: &'p Pattern, taken: &mut Vec<&'p str>) {
    let free = |pattern: &Pattern| matches!(pattern.kind, PatternKind::Wildcard | PatternKind::Name { .. });
    match &pattern.kind {
        PatternKind::Name { name, .. } => taken.push(name.as_str()),
        PatternKind::Path(path) => taken.extend(path.last().map(|name| name.as_str())),
        PatternKind::Variant { path, fields } if fields.iter().all(free) => {
            taken.extend(path.last().map(|name| name.as_str()));
        }
        PatternKind::Struct { path, fields, .. } if fields.iter().all(|field| free(&field.pattern)) => {
            taken.extend(path.last().map(|name| name.as_str()));
        }
        PatternKind::Or(parts) => parts.iter().for_each(|part| variants(part, taken)),
        _ => {}
    }
}

/// The fields that a literal or pattern lacks.
pub(super) fn add_fields(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if found.diagnostic.code != Code::E0225 {
        return;
    }
    let names = missing_names(&found.diagnostic.message);
    let text = site.text(found.span);
    if names.is_empty() || !text.ends_with('}') {
        return;
    }
    let literal = site.nodes.iter().rev().find_map(|node| match node {
        Node::Expr(expr) if expr.span == found.span => Some(*expr),
        _ => None,
    });
    let title = if names.len() == 1 { "add the missing field" } else { "add the missing fields" };
    match literal {
        Some(_) => site.offer(ActionKind::AddFields, title, |site| {
            let fields: Vec<String> =
                names.iter().map(|name| format!("{name}: {}", value_for(site, found.span, name))).collect();
            Edits::of([in_braces(site, found.span, &fields)])
        }),
        None => {
            site.offer(ActionKind::AddFields, title, |site| Edits::of([in_braces(site, found.span, &names)]));
            site.offer(ActionKind::AddRestPattern, "end the pattern with `..`", |site| {
                Edits::of([in_braces(site, found.span, &["..".to_owned()])])
            });
        }
    }
}

/// The names in back quotes behind the first, which is that of the type.
fn missing_names(message: &str) -> Vec<String> {
    let listed = message.split_once(" also ").map_or("", |(_, listed)| listed);
    listed.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// A value for a field of what a literal makes.
fn value_for(site: &Site<'_, '_>, literal: Span, field: &str) -> String {
    let names = site.names(Depth::Names);
    let visible = names.visible(literal.start);
    if visible.iter().any(|(known, def)| &***known == field && def.kind != DefKind::Field) {
        return field.to_owned();
    }
    let head = site.text(literal).split('{').next().unwrap_or_default().len();
    let head = Span::new(literal.start, literal.start + u32::try_from(head).unwrap_or(0));
    let of = names.names.iter().rev().find(|name| head.start <= name.span.start && name.span.end <= head.end);
    let Some(Target::Def(def)) = of.map(|name| &name.target) else { return "0".to_owned() };
    field_type(site, def, field).unwrap_or_else(|| "0".to_owned())
}

fn field_type(site: &Site<'_, '_>, def: &Def, field: &str) -> Option<String> {
    use syntax::ast::{Item, VariantFields};
    let item = site.files.view(def)?;
    let fields = match item.ast {
        Item::Struct(of) => of.fields.as_slice(),
        Item::Enum(of) => {
            let variant = of.variants.iter().find(|variant| variant.name.span == def.span)?;
            match &variant.fields {
                VariantFields::Struct(fields) => fields,
                _ => return None,
            }
        }
        _ => return None,
    };
    let found = fields.iter().find(|known| known.name.as_str() == field)?;
    Some(value_of_written(site.files, def.file, &found.ty, 0))
}

/// Adds elements at the end of what stands in braces.
fn in_braces(site: &Site<'_, '_>, whole: Span, added: &[String]) -> crate::text::FileEdit {
    let text = site.text(whole);
    let inner = text.get(..text.len() - 1).unwrap_or_default();
    let kept = inner.trim_end();
    let at = whole.start + u32::try_from(kept.len()).unwrap_or(0);
    let blank = kept.ends_with('{');
    let lines = inner.contains('\n');
    let lead = match () {
        () if blank || kept.ends_with(',') => "",
        () => ",",
    };
    let gap = if lines { format!("\n{}    ", site.indent(whole.end - 1)) } else { " ".to_owned() };
    let body = added.iter().map(|field| format!("{gap}{field}")).collect::<Vec<_>>().join(",");
    let tail = if lines && added.last().is_some_and(|last| last != "..") { "," } else { "" };
    let close = if lines { format!("\n{}", site.indent(whole.end - 1)) } else { " ".to_owned() };
    site.put(Span::new(at, whole.end - 1), format!("{lead}{body}{tail}{close}"))
}
