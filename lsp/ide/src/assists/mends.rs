//! What mends mistakes in bodies.

use analysis::hir::Type;
use syntax::ast::{
    Expr, ExprKind, ForRange, InputSource, Item, Param, PatternKind, PlanStmt, PlanStmtKind, Stmt, StmtKind,
};
use syntax::{Code, FileId, Span};

use super::declare::params_of;
use super::edit::value_of_written;
use super::inline::line_of;
use super::tokens::{ItemTokens, List};
use super::{ActionKind, Edits, Found, Site};
use crate::names::{Def, DefKind, Depth, Files, Name, Target, names_of};
use crate::text::{FileEdit, TextEdit};
use crate::tree::{Node, walk};

/// `mut` where a variable is declared that is assigned.
pub(super) fn make_mutable(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if found.diagnostic.code != Code::E0107 {
        return;
    }
    let names = site.names();
    let Some(Target::Def(def)) = names.at(found.span.start).map(|name| &name.target) else { return };
    if def.kind != DefKind::Local || def.item != *site.item.key || def.file != site.file {
        return;
    }
    let name = site.text(def.span);
    // A field that stands for a variable too has no place for the word.
    let short = names.names.iter().any(|known| known.declares && known.span == def.span && known.short.is_some());
    let (title, text) = match short {
        true => (format!("write `{name}: mut {name}`"), format!("{name}: mut ")),
        false => (format!("write `let mut {name}`"), "mut ".to_owned()),
    };
    site.offer(ActionKind::MakeMutable, title, |site| Edits::of([site.insert(def.span.start, text)]));
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
            Item::Fn(function) => Some(function),
            Item::Contract(contract) => contract.members.iter().find_map(|member| match member {
                syntax::ast::Member::Fn(of) if of.span.start <= at && at <= of.span.end => Some(of),
                _ => None,
            }),
            _ => None,
        }
    }
}

/// `hash160(key)` where its hash is needed.
pub(super) fn hash_key(site: &mut Site<'_, '_>, found: &Found<'_>) {
    // What is needed is the first type that the message names.
    let needed = found.diagnostic.message.split('`').nth(1);
    let is_key = site.type_of(found.span) == Some(&Type::PubKey);
    if found.diagnostic.code != Code::E0201 || !is_key || needed != Some(Type::BytesN(20).to_string().as_str()) {
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
            ExprKind::Call { callee, args } => Some((callee, args)),
            _ => None,
        },
        _ => None,
    });
    let Some((callee, args)) = call else { return };
    let Some((file, _, params)) = params_of(site, callee) else { return };
    // While a call is written, its list may be no list yet.
    let Some(List { elements, inner }) = site.tokens().list(callee.span.end, args.len()) else { return };
    if args.len() > params.len() {
        let kept = params.len().checked_sub(1).and_then(|last| elements.get(last)).map(|kept| kept.end);
        let gone = match (kept, elements.last()) {
            (Some(kept), Some(last)) => Span::new(kept, last.end),
            _ => inner,
        };
        if !site.loses_comment(gone, &[]) {
            site.offer(ActionKind::AddArguments, "remove what is too much", |site| Edits::of([site.put(gone, "")]));
        }
        return;
    }
    let title = if params.len() - args.len() == 1 { "add the missing value" } else { "add the missing values" };
    site.offer(ActionKind::AddArguments, title, |site| {
        let missing = params.iter().skip(args.len());
        let missing: Vec<String> = missing.map(|param| value_of_written(site.files, file, &param.ty)).collect();
        let lead = if args.is_empty() { "" } else { ", " };
        let at = elements.last().map_or(inner.start, |last| last.end);
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
    let written = site.names().names.iter().any(|name| {
        name.writes && matches!(&name.target, Target::Def(def) if def.span == found.span && def.item == *site.item.key)
    });
    let plain = matches!(&pattern.kind, PatternKind::Name { name, .. } if name.span == found.span);
    if !plain || written || !site.is_total(value) {
        return;
    }
    site.offer(ActionKind::RemoveVariable, "remove the variable", |site| {
        Edits::of([site.put(line_of(site, stmt), "")])
    });
}

/// Removes a parameter that nothing reads, and the value for it wherever something is given.
pub(super) fn remove_parameter(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if !matches!(found.diagnostic.code, Code::E0111 | Code::E0403) {
        return;
    }
    let names = site.names();
    let Some(Target::Def(def)) = names.at(found.span.start).map(|name| name.target.clone()) else { return };
    if !matches!(def.kind, DefKind::Argument | DefKind::Parameter) || def.item != *site.item.key {
        return;
    }
    let Some((owner, index, params)) = owner_of(site, &def) else { return };
    let tokens = site.tokens();
    // Type parameters may stand between the name and the list.
    let open = params.first().and_then(|first| tokens.before(first.span.start));
    let list = open.and_then(|(_, open)| tokens.list(open.start, params.len()));
    let Some(gone) = list.and_then(|list| list.without(index)).filter(|gone| !site.loses_comment(*gone, &[])) else {
        return;
    };
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
    if let Item::Contract(contract) = site.item.ast
        && let Some(found) = of(contract.name.span, DefKind::Item(syntax::ItemKind::Contract), &contract.params)
    {
        return Some(found);
    }
    let member = site.member(param.span.start)?;
    let kind = if member.spend.is_some() { DefKind::Path } else { DefKind::Item(syntax::ItemKind::Fn) };
    of(member.name, kind, member.params)
}

/// Takes a value out of the calls of an item; nothing if it is named in another way than a call or an import, or if the
/// list of a call is none yet.
fn calls<'s>(
    files: &Files<'s>,
    file: FileId,
    item: driver::ItemView<'s>,
    owner: &Def,
    (index, name): (usize, &str),
    edits: &mut Vec<FileEdit>,
) -> Option<()> {
    let target = Target::Def(owner.clone());
    let names = names_of(files, file, item, Depth::Names);
    let is_named = |known: &&Name| !known.declares && known.target == target;
    let mut open: Vec<Span> = names.names.iter().filter(is_named).map(|known| known.span).collect();
    if open.is_empty() || matches!(item.ast, Item::Use(_)) {
        return Some(());
    }
    let mut lists = Vec::new();
    walk(item.ast, &mut |node| {
        for list in lists_of(node, name, index) {
            let count = open.len();
            open.retain(|span| *span != list.owner);
            if open.len() < count {
                lists.push(list);
            }
        }
        true
    });
    let (path, tokens) = (files.session.path(file)?, ItemTokens::of(item.text));
    for list in lists {
        let Some((at, count)) = list.values else { continue };
        let gone = tokens.list(list.owner.end, count)?.without(at)?;
        if tokens.comments(gone).next().is_some() {
            return None;
        }
        let start = item.start as usize;
        let range = start + gone.start as usize..start + gone.end as usize;
        edits.push(FileEdit { path: path.clone(), edit: TextEdit { range, text: String::new() } });
    }
    open.is_empty().then_some(())
}

/// Where something is given values.
struct Given {
    /// The name behind which the list stands.
    owner: Span,
    /// Which value it is, and how many there are; nothing where none is given for it.
    values: Option<(usize, usize)>,
}

/// The lists of a node itself, as far as they may hold the value of the parameter with this name and index.
fn lists_of(node: Node<'_>, name: &str, index: usize) -> Vec<Given> {
    let by_index = |owner: Span, count: usize| Given { owner, values: (index < count).then_some((index, count)) };
    match node {
        Node::Expr(Expr { kind: ExprKind::Call { callee, args }, .. }) => {
            let last = match &callee.kind {
                ExprKind::Name(name) => Some(name.span),
                ExprKind::Path(path) => path.last().map(|name| name.span),
                _ => None,
            };
            last.map(|owner| by_index(owner, args.len())).into_iter().collect()
        }
        Node::Expr(Expr { kind: ExprKind::MethodCall { method, args, .. }, .. }) => {
            vec![by_index(method.span, args.len())]
        }
        Node::PlanStmt(PlanStmt {
            kind: PlanStmtKind::Input { source: InputSource::Path { path, args, contract, params, .. }, .. },
            ..
        }) => {
            let at = args.iter().position(|arg| arg.name.as_str() == name);
            let of_path = Given { owner: path.span, values: at.map(|at| (at, args.len())) };
            let of_contract = contract.last().map(|last| by_index(last.span, params.as_ref().map_or(0, Vec::len)));
            of_contract.into_iter().chain([of_path]).collect()
        }
        _ => Vec::new(),
    }
}

/// A bound for the rounds of a loop, which its author has to look at.
pub(super) fn add_max(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if found.diagnostic.code != Code::E0220 {
        return;
    }
    let bound = site.nodes.iter().rev().find_map(|node| match node {
        Node::Stmt(Stmt { kind: StmtKind::While(repeat), .. }) if repeat.max.is_none() => Some(&repeat.cond),
        Node::Stmt(Stmt { kind: StmtKind::For(repeat), .. }) => match &repeat.range {
            ForRange::Numbers { to, max: None, .. } => Some(to),
            _ => None,
        },
        _ => None,
    });
    let Some(bound) = bound else { return };
    site.offer(ActionKind::AddMax, "bound the rounds by `max 10`", |site| {
        Edits::of([site.insert(site.tokens().grouped(bound.span).end, " max 10")])
    });
}
