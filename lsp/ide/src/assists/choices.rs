//! `match`, `if let`, chains of `if`, and what patterns and literals lack.

use analysis::hir::{Type, Variant};
use syntax::ast::{
    Arm, BinaryOp, Block, Expr, ExprKind, Field, Ident, If, Item, Match, MatchForm, Pattern, PatternKind, PlanStmt,
    PlanStmtKind, Stmt, StmtKind, VariantFields,
};
use syntax::{Code, FileId, ItemKind, Span, TokenKind, Word};

use super::conditions::if_here;
use super::edit::{dedented, has_struct, head, indented, value_of, value_of_written};
use super::{ActionKind, Edits, Found, Site};
use crate::names::{DefKind, Import, Target};
use crate::text::FileEdit;
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

/// A chain of `if x == a { .. } else if x == b { .. } else { .. }`, or an `if let`, as a `match`.
pub(super) fn if_to_match(site: &mut Site<'_, '_>) {
    if let Some((choice @ Match { form: MatchForm::IfLet { otherwise }, .. }, is_stmt)) = match_here(site) {
        return if_let_to_match(site, choice, *otherwise, is_stmt);
    }
    let Some(branch) = if_here(site) else { return };
    let Some((value, arms, rest)) = chain(site, branch) else { return };
    let bodies = arms.iter().flat_map(|(literal, block)| [*literal, block.span]);
    let kept: Vec<Span> = bodies.chain([value.span]).chain(rest.map(|block| block.span)).collect();
    let plain = site.is_total(value) && !site.loses_comment(branch.span, &kept);
    if arms.len() < 2 || !plain || !is_first(site, branch.span.start) {
        return;
    }
    site.offer(ActionKind::IfToMatch, "write it as a `match`", |site| {
        let indent = site.indent(branch.span.start);
        let mut text = format!("match {} {{\n", site.text(value.span));
        for (literal, block) in &arms {
            text += &format!("{indent}    {} => {}\n", site.text(*literal), indented(&body(site, block), 4));
        }
        text += &match rest {
            Some(block) => format!("{indent}    _ => {}\n", indented(&body(site, block), 4)),
            None => format!("{indent}    _ => {{}}\n"),
        };
        Edits::of([site.put(branch.span, format!("{text}{indent}}}"))])
    });
}

/// Whether something is not the `else if` of an `if` before it.
fn is_first(site: &Site<'_, '_>, start: u32) -> bool {
    !matches!(site.tokens().before(start), Some((TokenKind::Keyword(Word::Else), _)))
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
    let kept = [choice.value.span, first.pattern.span, first.body.span, second.body.span];
    // Behind an `else` stands a block or another `if`.
    let placed = (otherwise || is_stmt) && is_first(site, choice.span.start);
    if !placed || site.loses_comment(choice.span, &kept) {
        return;
    }
    site.offer(ActionKind::IfToMatch, "write it as a `match`", |site| {
        let indent = site.indent(choice.span.start);
        let value = head(site.text(choice.value.span).to_owned());
        let taken = indented(&body(site, &first.body), 4);
        let rest = if otherwise { indented(&body(site, &second.body), 4) } else { "{}".to_owned() };
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
    let parts = choice.arms.iter().flat_map(|arm| [arm.pattern.span, arm.body.span]);
    let kept: Vec<Span> = parts.chain([choice.value.span]).collect();
    let plain = matches!(last.pattern.kind, PatternKind::Wildcard) && !site.loses_comment(choice.span, &kept);
    if arms.is_empty() || !plain {
        return;
    }
    let values = arms.iter().all(|arm| matches!(arm.pattern.kind, PatternKind::Literal(_)));
    let text = match arms {
        _ if values && site.is_total(&choice.value) => if_chain(site, choice, arms, last),
        [only] if !values && !matches!(only.pattern.kind, PatternKind::Or(_) | PatternKind::Literal(_)) => {
            let (pattern, value) = (site.text(only.pattern.span), site.text(choice.value.span));
            format!("if let {pattern} = {value} {}{}", dedented(&body(site, &only.body), 4), behind(site, last))
        }
        _ => return,
    };
    site.offer(ActionKind::MatchToIf, "write it with `if`", |site| Edits::of([site.put(choice.span, text)]));
}

/// `else { .. }`, unless there is nothing in it.
fn behind(site: &Site<'_, '_>, last: &Arm) -> String {
    match last.body.stmts.is_empty() && last.body.tail.is_none() {
        true => String::new(),
        false => format!(" else {}", dedented(&body(site, &last.body), 4)),
    }
}

fn if_chain(site: &Site<'_, '_>, choice: &Match, arms: &[Arm], last: &Arm) -> String {
    let value = site.operand(&choice.value, 4);
    let branch =
        |arm: &Arm| format!("if {value} == {} {}", site.text(arm.pattern.span), dedented(&body(site, &arm.body), 4));
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
        site.offer(ActionKind::AddArms, title, |site| Edits::of(with_arms(site, choice, &patterns, is_stmt)));
    }
    site.offer(ActionKind::AddWildcard, "add the arm `_`", |site| {
        Edits::of(with_arms(site, choice, &["_".to_owned()], is_stmt))
    });
}

/// Adds arms behind the last one and the comment on its line, or behind the brace.
fn with_arms(site: &Site<'_, '_>, choice: &Match, patterns: &[String], is_stmt: bool) -> Vec<FileEdit> {
    let value = arm_value(site, choice, is_stmt);
    let last = choice.arms.last();
    let lines = last.is_none_or(|last| site.begins_line(last.span.start));
    let indent = match last {
        Some(last) if lines => site.indent(last.span.start).to_owned(),
        _ => format!("{}    ", site.indent(choice.span.start)),
    };
    let gap = if lines { format!("\n{indent}") } else { " ".to_owned() };
    let arms = patterns.iter().map(|pattern| format!("{gap}{pattern} => {value}"));
    let text = arms.collect::<Vec<_>>().join(if value == "{}" { "" } else { "," });
    let tail = if lines && value != "{}" { "," } else { "" };
    let Some(last) = last else {
        let close = format!("\n{}", site.indent(choice.span.start));
        return vec![site.insert(choice.span.end - 1, format!("{text}{tail}{close}"))];
    };
    let comma = site.tokens().behind(last.span.end).filter(|(kind, _)| *kind == TokenKind::Comma);
    let end = comma.map_or(last.span.end, |(_, comma)| comma.end);
    let ended = comma.is_some() || site.is_braced(&last.body);
    let lead = (!ended).then(|| site.insert(last.span.end, ","));
    lead.into_iter().chain([site.insert(site.behind_comment(end), format!("{text}{tail}"))]).collect()
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
        let is = |arm: &Arm, wanted: bool| match &arm.pattern.kind {
            PatternKind::Literal(value) => matches!(value.kind, ExprKind::Bool(known) if known == wanted),
            _ => false,
        };
        let has = |wanted: bool| choice.arms.iter().any(|arm| arm.guard.is_none() && is(arm, wanted));
        return Some([true, false].into_iter().filter(|value| !has(*value)).map(|value| value.to_string()).collect());
    }
    let Type::Enum(of) = ty else { return None };
    let mut taken: Vec<&str> = Vec::new();
    for arm in choice.arms.iter().filter(|arm| arm.guard.is_none()) {
        variants(&arm.pattern, &mut taken);
    }
    let left = of.variants.iter().filter(|variant| !taken.contains(&variant.name.as_str()));
    let before =
        if of.name == "Option" { String::new() } else { format!("{}::", name_of_enum(site, choice, &of.name)?) };
    let pattern = |variant: &Variant| {
        let path = format!("{before}{}", variant.name);
        match (variant.names.is_empty(), variant.fields.len()) {
            (_, 0) => path,
            (false, _) => format!("{path} {{ .. }}"),
            (true, count) => format!("{path}({})", vec!["_"; count].join(", ")),
        }
    };
    Some(left.map(pattern).collect())
}

/// What the file calls an enum: as the other arms do, or as it declares or imports it.
fn name_of_enum(site: &Site<'_, '_>, choice: &Match, name: &str) -> Option<String> {
    fn path(pattern: &Pattern) -> Option<&[Ident]> {
        match &pattern.kind {
            PatternKind::Path(path) | PatternKind::Variant { path, .. } | PatternKind::Struct { path, .. } => {
                Some(path)
            }
            PatternKind::Or(parts) => parts.iter().find_map(path),
            _ => None,
        }
    }
    let mut written = choice.arms.iter().filter_map(|arm| path(&arm.pattern)?.split_last());
    if let Some((_, of)) = written.find(|(_, of)| !of.is_empty()) {
        return Some(of.iter().map(Ident::as_str).collect::<Vec<_>>().join("::"));
    }
    let own = site.files.of(site.file);
    if site.files.item(site.file, name).is_some_and(|item| item.key.kind == ItemKind::Enum) {
        return Some(name.to_owned());
    }
    let mut imported: Vec<String> = Vec::new();
    for (local, import) in &own.imports {
        match import {
            Import::Item(_, item) if **item == *name => imported.push((*local).to_owned()),
            Import::Module(file) if site.files.item(*file, name).is_some() => imported.push(format!("{local}::{name}")),
            _ => {}
        }
    }
    imported.into_iter().min_by_key(|path| (path.contains(':'), path.clone()))
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
    if found.diagnostic.code != Code::E0225 || !site.text(found.span).ends_with('}') {
        return;
    }
    let literal = site.nodes.iter().find_map(|node| match node {
        Node::Expr(Expr { kind: ExprKind::Struct(literal), span }) if *span == found.span => Some(literal),
        _ => None,
    });
    if let Some(literal) = literal {
        let given: Vec<&str> = literal.fields.iter().map(|field| field.name.as_str()).collect();
        let Some((file, lacking)) = lacking(site, &literal.path, &given) else { return };
        site.offer(ActionKind::AddFields, add_title(&lacking), |site| {
            let fields = lacking.iter().map(|field| {
                let name = field.name.as_str();
                format!("{name}: {}", value_for(site, found.span, file, field))
            });
            Edits::of(in_braces(site, found.span, &fields.collect::<Vec<_>>()))
        });
        return;
    }
    let pattern = site.nodes.iter().flat_map(patterns_of).find_map(|pattern| pattern_at(pattern, found.span));
    let Some(Pattern { kind: PatternKind::Struct { path, fields, .. }, .. }) = pattern else { return };
    let given: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    if let Some((_, lacking)) = lacking(site, path, &given) {
        site.offer(ActionKind::AddFields, add_title(&lacking), |site| {
            let names: Vec<String> = lacking.iter().map(|field| field.name.to_string()).collect();
            Edits::of(in_braces(site, found.span, &names))
        });
    }
    site.offer(ActionKind::AddRestPattern, "end the pattern with `..`", |site| {
        Edits::of(in_braces(site, found.span, &["..".to_owned()]))
    });
}

const fn add_title(lacking: &[&Field]) -> &'static str {
    if lacking.len() == 1 { "add the missing field" } else { "add the missing fields" }
}

/// The fields of what a path names that are not given, and the file that declares them.
fn lacking<'s>(site: &Site<'_, 's>, path: &[Ident], given: &[&str]) -> Option<(FileId, Vec<&'s Field>)> {
    let last = path.last()?;
    let names = site.names();
    let Target::Def(def) = &names.names.iter().find(|name| name.span == last.span)?.target else { return None };
    let fields = match site.files.view(def)?.ast {
        Item::Struct(of) => of.fields.as_slice(),
        Item::Enum(of) => match &of.variants.iter().find(|variant| variant.name.span == def.span)?.fields {
            VariantFields::Struct(fields) => fields,
            _ => return None,
        },
        _ => return None,
    };
    let lacking: Vec<&Field> = fields.iter().filter(|field| !given.contains(&field.name.as_str())).collect();
    (!lacking.is_empty()).then_some((def.file, lacking))
}

/// The patterns of a node itself.
fn patterns_of<'s>(node: &Node<'s>) -> Vec<&'s Pattern> {
    let of_match = |choice: &'s Match| choice.arms.iter().map(|arm| &arm.pattern).collect();
    match node {
        Node::Stmt(stmt) => match &stmt.kind {
            StmtKind::Let { pattern, .. } => vec![pattern],
            StmtKind::For(repeat) => vec![&repeat.pattern],
            StmtKind::Match(choice) => of_match(choice),
            _ => Vec::new(),
        },
        Node::Expr(Expr { kind: ExprKind::Match(choice), .. }) => of_match(choice),
        Node::PlanStmt(PlanStmt { kind: PlanStmtKind::Let { pattern, .. }, .. }) => vec![pattern],
        _ => Vec::new(),
    }
}

/// The pattern in another one, or that itself, that fills a span.
fn pattern_at(pattern: &Pattern, span: Span) -> Option<&Pattern> {
    match &pattern.kind {
        _ if pattern.span == span => Some(pattern),
        PatternKind::Variant { fields: parts, .. }
        | PatternKind::Tuple(parts)
        | PatternKind::Array(parts)
        | PatternKind::Or(parts) => parts.iter().find_map(|part| pattern_at(part, span)),
        PatternKind::Struct { fields, .. } => fields.iter().find_map(|field| pattern_at(&field.pattern, span)),
        _ => None,
    }
}

/// A value for a field of what a literal makes: what has its name, or one to begin with.
fn value_for(site: &Site<'_, '_>, literal: Span, file: FileId, field: &Field) -> String {
    let (names, name) = (site.names(), field.name.as_str());
    let visible = names.visible(literal.start);
    match visible.iter().any(|(known, def)| &***known == name && def.kind != DefKind::Field) {
        true => name.to_owned(),
        false => value_of_written(site.files, file, &field.ty),
    }
}

/// Adds elements at the end of what stands in braces, behind the comments there.
fn in_braces(site: &Site<'_, '_>, whole: Span, added: &[String]) -> Vec<FileEdit> {
    let close = whole.end - 1;
    let inner = site.text(Span::new(whole.start, close));
    let at = whole.start + u32::try_from(inner.trim_end().len()).unwrap_or(0);
    let last = site.tokens().before(close);
    let comma = match last {
        Some((TokenKind::LBrace | TokenKind::Comma, _)) | None => None,
        Some((_, last)) => Some(site.insert(last.end, ",")),
    };
    let lines = inner.contains('\n');
    let gap = if lines { format!("\n{}    ", site.indent(close)) } else { " ".to_owned() };
    let body = added.iter().map(|field| format!("{gap}{field}")).collect::<Vec<_>>().join(",");
    let tail = if lines && added.last().is_some_and(|last| last != "..") { "," } else { "" };
    let end = if lines { format!("\n{}", site.indent(close)) } else { " ".to_owned() };
    let body = site.put(Span::new(at, close), format!("{body}{tail}{end}"));
    comma.into_iter().chain([body]).collect()
}
