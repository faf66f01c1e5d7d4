//! What mends mistakes in bodies.

use syntax::ast::{Expr, ExprKind, ForRange, InputSource, Param, PatternKind, PlanStmtKind, Stmt, StmtKind};
use syntax::{Code, FileId, Span};

use super::declare::params_of;
use super::edit::{is_total, value_of_written};
use super::{ActionKind, Edits, Found, Site};
use crate::names::{Def, DefKind, Depth, Files, Target, names_of};
use crate::text::{FileEdit, TextEdit};
use crate::tree::{Node, walk};

/// `let mut` where a variable is declared that is assigned.
pub(super) fn make_mutable(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if found.diagnostic.code != Code::E0107 {
        return;
    }
    let names = site.names(Depth::Names);
    let Some(Target::Def(def)) = names.at(found.span.start).map(|name| &name.target) else { return };
    if def.kind != DefKind::Local || def.item != *site.item.key || def.file != site.file {
        return;
    }
    let (at, name) = (def.span.start, site.text(def.span));
    site.offer(ActionKind::MakeMutable, format!("write `let mut {name}`"), |site| Edits::of([site.insert(at, "mut ")]));
}

/// The type of the value in place of the one that is written.
pub(super) fn change_type(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if !matches!(found.diagnostic.code, Code::E0201 | Code::E0202) {
        return;
    }
    let is = found.diagnostic.labels.iter().find(|label| label.primary).map(|label| label.text.as_str());
    let Some(is) = is.and_then(|text| text.strip_prefix("this is `")?.strip_suffix('`')) else { return };
    let written = match site.nodes.iter().rev().find(|node| matches!(node, Node::Stmt(_) | Node::Member(_))) {
        Some(Node::Stmt(Stmt { kind: StmtKind::Let { ty: Some(ty), value, .. }, .. })) if value.span == found.span => {
            Some(ty.span)
        }
        _ => None,
    };
    let result = || {
        let body = site.member(found.span.start)?.body;
        let tail = body.tail.as_ref().filter(|tail| tail.span == found.span)?;
        site.function_at(tail.span.start)?.result.as_ref().map(|ty| ty.span)
    };
    let Some(place) = written.or_else(result) else { return };
    let is = is.to_owned();
    site.offer(ActionKind::ChangeType, format!("write the type `{is}`"), |site| {
        Edits::of([site.put(place, is.as_str())])
    });
}

impl<'s> Site<'_, 's> {
    /// The function of the item that holds a byte.
    fn function_at(&self, at: u32) -> Option<&'s syntax::ast::Fn> {
        match self.item.ast {
            syntax::ast::Item::Fn(function) => Some(function),
            syntax::ast::Item::Contract(contract) => contract.members.iter().find_map(|member| match member {
                syntax::ast::Member::Fn(of) if of.span.start <= at && at <= of.span.end => Some(of),
                _ => None,
            }),
            _ => None,
        }
    }
}

/// `hash160(key)` where its hash is needed.
pub(super) fn hash_key(site: &mut Site<'_, '_>, found: &Found<'_>) {
    let needed = found.diagnostic.message == "`Bytes<20>` is needed, but this is `PubKey`";
    if found.diagnostic.code != Code::E0201 || !needed {
        return;
    }
    site.offer(ActionKind::HashKey, "write `hash160(..)`", |site| {
        Edits::of([site.put(found.span, format!("hash160({})", site.text(found.span)))])
    });
}

/// One value for each parameter.
pub(super) fn arguments(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if found.diagnostic.code != Code::E0108 {
        return;
    }
    let call = site.nodes.iter().rev().find_map(|node| match node {
        Node::Expr(expr) if expr.span == found.span => match &expr.kind {
            ExprKind::Call { callee, args } => Some((*expr, callee, args)),
            _ => None,
        },
        _ => None,
    });
    let Some((call, callee, args)) = call else { return };
    let Some((file, _, params)) = params_of(site, callee) else { return };
    if args.len() > params.len() {
        let kept = params.len().checked_sub(1).and_then(|last| args.get(last)).map(|arg| arg.span.end);
        let first = args.get(params.len()).map(|arg| arg.span.start);
        let Some((first, last)) = first.zip(args.last()) else { return };
        let gone = Span::new(kept.unwrap_or(first), last.span.end);
        site.offer(ActionKind::AddArguments, "remove what is too much", |site| Edits::of([site.put(gone, "")]));
        return;
    }
    let title = if params.len() - args.len() == 1 { "add the missing value" } else { "add the missing values" };
    site.offer(ActionKind::AddArguments, title, |site| {
        let missing = params.iter().skip(args.len());
        let missing: Vec<String> = missing.map(|param| value_of_written(site.files, file, &param.ty, 0)).collect();
        let lead = if args.is_empty() { "" } else { ", " };
        let at = args.last().map_or(call.span.end - 1, |arg| arg.span.end);
        Edits::of([site.insert(at, format!("{lead}{}", missing.join(", ")))])
    });
}

/// `let value = ..` before a value that nothing uses.
pub(super) fn name_value(site: &mut Site<'_, '_>, found: &Found<'_>) {
    let Some(stmt) = site.stmt().filter(|_| found.diagnostic.code == Code::E0211) else { return };
    let StmtKind::Expr(value) = &stmt.kind else { return };
    let at = value.span.start;
    site.offer(ActionKind::NameValue, "name it by `let`", |site| {
        let name = site.fresh("value", at);
        Edits::of([site.insert(stmt.span.start, format!("let {name} = "))])
    });
}

/// Removes a variable that nothing reads.
pub(super) fn remove_variable(site: &mut Site<'_, '_>, found: &Found<'_>) {
    let Some(stmt) = site.stmt().filter(|_| found.diagnostic.code == Code::E0111) else { return };
    let StmtKind::Let { pattern, value, .. } = &stmt.kind else { return };
    let written = site.names(Depth::Names).names.iter().any(|name| {
        name.writes && matches!(&name.target, Target::Def(def) if def.span == found.span && def.item == *site.item.key)
    });
    let plain = matches!(&pattern.kind, PatternKind::Name { name, .. } if name.span == found.span);
    if !plain || written || !is_total(value) {
        return;
    }
    site.offer(ActionKind::RemoveVariable, "remove the variable", |site| {
        Edits::of([site.put(site.with_blanks(stmt.span), "")])
    });
}

impl Site<'_, '_> {
    /// A statement with the blanks before it: its line, if it has one of its own.
    pub(super) fn with_blanks(&self, span: Span) -> Span {
        let before = self.text(Span::new(0, span.start));
        let blanks = before.len() - before.trim_end().len();
        Span::new(span.start - u32::try_from(blanks).unwrap_or(0), span.end)
    }
}

/// Removes a parameter that nothing reads, and the value for it wherever something is given.
pub(super) fn remove_parameter(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if !matches!(found.diagnostic.code, Code::E0111 | Code::E0403) {
        return;
    }
    let names = site.names(Depth::Names);
    let Some(Target::Def(def)) = names.at(found.span.start).map(|name| name.target.clone()) else { return };
    if !matches!(def.kind, DefKind::Argument | DefKind::Parameter) || def.item != *site.item.key {
        return;
    }
    let Some((owner, index, params)) = owner_of(site, &def) else { return };
    let Some(gone) = without(params.iter().map(|param| param.span), index) else { return };
    let title = format!("remove `{}` and its value from every call", site.text(def.span));
    site.offer(ActionKind::RemoveParameter, title, |site| {
        let name = site.text(def.span);
        let mut edits = vec![site.put(gone, "")];
        for (file, _) in site.files.session.sources() {
            for item in crate::navigate::items_naming(&site.files.of(file), &owner, site.text(owner.span)) {
                calls(site.files, file, *item, &owner, (index, name), &mut edits)?;
            }
        }
        Edits::of(edits)
    });
}

/// Whose parameter something is, its index, and the list.
fn owner_of<'s>(site: &Site<'_, 's>, param: &Def) -> Option<(Def, usize, &'s [Param])> {
    let of = |span: Span, kind: DefKind, params: &'s [Param]| {
        let index = params.iter().position(|known| known.name.span == param.span)?;
        Some((Def { span, kind, ..param.clone() }, index, params))
    };
    if let syntax::ast::Item::Contract(contract) = site.item.ast
        && let Some(found) = of(contract.name.span, DefKind::Item(syntax::ItemKind::Contract), &contract.params)
    {
        return Some(found);
    }
    let member = site.member(param.span.start)?;
    let kind = if member.spend.is_some() { DefKind::Path } else { DefKind::Item(syntax::ItemKind::Fn) };
    of(member.name, kind, member.params)
}

/// What goes with an element of a list, so that the others stay a list.
fn without(spans: impl IntoIterator<Item = Span>, index: usize) -> Option<Span> {
    let spans: Vec<Span> = spans.into_iter().collect();
    let own = *spans.get(index)?;
    let next = spans.get(index + 1).map(|next| Span::new(own.start, next.start));
    let previous = index.checked_sub(1).and_then(|before| spans.get(before));
    Some(next.or(previous.map(|before| Span::new(before.end, own.end))).unwrap_or(own))
}

fn value_without(args: &[Expr], index: usize) -> Option<Span> {
    without(args.iter().map(|arg| arg.span), index)
}

/// Takes a value out of the calls of an item; nothing if it is named in another way, so that a call cannot be found.
fn calls<'s>(
    files: &Files<'s>,
    file: FileId,
    item: driver::ItemView<'s>,
    owner: &Def,
    (index, name): (usize, &str),
    edits: &mut Vec<FileEdit>,
) -> Option<()> {
    let path = files.session.path(file)?;
    let start = item.start as usize;
    let mut remove = |span: Span| {
        let range = start + span.start as usize..start + span.end as usize;
        edits.push(FileEdit { path: path.clone(), edit: TextEdit { range, text: String::new() } });
    };
    let names = names_of(files, file, item, Depth::Names);
    let means =
        |span: Span| names.names.iter().any(|known| known.span == span && known.target == Target::Def(owner.clone()));
    walk(item.ast, &mut |node| {
        match node {
            Node::Expr(Expr { kind: ExprKind::Call { callee, args }, .. }) => {
                let last = match &callee.kind {
                    ExprKind::Name(name) => Some(name.span),
                    ExprKind::Path(path) => path.last().map(|name| name.span),
                    _ => None,
                };
                if last.is_some_and(means) {
                    value_without(args, index).into_iter().for_each(&mut remove);
                }
            }
            Node::Expr(Expr { kind: ExprKind::MethodCall { method, args, .. }, .. }) if means(method.span) => {
                value_without(args, index).into_iter().for_each(&mut remove);
            }
            Node::PlanStmt(stmt) => {
                if let PlanStmtKind::Input { source: InputSource::Path { path, args, contract, params, .. }, .. } =
                    &stmt.kind
                {
                    let at = args.iter().position(|arg| arg.name.as_str() == name);
                    if let Some(at) = at.filter(|_| means(path.span)) {
                        without(args.iter().map(|arg| arg.span), at).into_iter().for_each(&mut remove);
                    }
                    if contract.last().is_some_and(|name| means(name.span)) {
                        value_without(params.as_deref().unwrap_or_default(), index).into_iter().for_each(&mut remove);
                    }
                }
            }
            _ => {}
        }
        true
    });
    Some(())
}

/// A bound for the rounds of a loop, which its author has to look at.
pub(super) fn add_max(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if found.diagnostic.code != Code::E0220 {
        return;
    }
    let at = site.nodes.iter().rev().find_map(|node| match node {
        Node::Stmt(Stmt { kind: StmtKind::While(repeat), .. }) if repeat.max.is_none() => Some(repeat.cond.span.end),
        Node::Stmt(Stmt { kind: StmtKind::For(repeat), .. }) => match &repeat.range {
            ForRange::Numbers { to, max: None, .. } => Some(to.span.end),
            _ => None,
        },
        _ => None,
    });
    let Some(at) = at else { return };
    let behind = site.item.text.get(at as usize..).unwrap_or_default();
    let closed = behind.len() - behind.trim_start_matches(')').len();
    site.offer(ActionKind::AddMax, "bound the rounds by `max 10`", |site| {
        Edits::of([site.insert(at + u32::try_from(closed).ok()?, " max 10")])
    });
}
