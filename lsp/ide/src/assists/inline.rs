//! Putting in the place of a name what the name stands for.

use syntax::ast::{Expr, ExprKind, Item, Member, PatternKind, Stmt, StmtKind};
use syntax::{ItemKind, Span};

use super::{ActionKind, Edits, Site};
use crate::names::{Def, DefKind, ItemNames, Name, Target};
use crate::tree::{Node, walk, walk_expr};

/// Writes the value of a variable wherever it is read, and removes it.
pub(super) fn variable(site: &mut Site<'_, '_>) {
    let names = site.names();
    let Some(Name { target: Target::Def(def), .. }) = names.at(site.range.start) else { return };
    if def.kind != DefKind::Local || def.file != site.file || def.item != *site.item.key {
        return;
    }
    let (def, target) = (def.clone(), Target::Def(def.clone()));
    let Some((stmt, value)) = declaration(site, &def) else { return };
    let reads: Vec<&Name> = names.names.iter().filter(|name| !name.declares && name.target == target).collect();
    let total = site.is_total(value) && site.type_of(value.span) == site.type_of(def.span);
    if reads.is_empty() || !total || site.loses_comment(stmt.span, &[value.span]) {
        return;
    }
    let (plain, own) = (expr_names(site), Reads::of(&names, value));
    let stays = |read: &&Name| !read.writes && plain.contains(&read.span) && own.mean_the_same(site, &names, read);
    if own.written || !reads.iter().all(stays) {
        return;
    }
    let title = format!("inline the variable `{}`", site.text(def.span));
    site.offer(ActionKind::InlineVariable, title, |site| {
        let mut edits = vec![site.put(line_of(site, stmt), "")];
        for read in &reads {
            let text = site.in_place_of(read.span, value);
            edits.push(site.put(
                read.span,
                if read.short.is_some() {
                    format!("{}: {}", site.text(read.span), site.text(value.span))
                } else {
                    text
                },
            ));
        }
        Edits::of(edits)
    });
}

/// `let name = value;`, which never changes.
fn declaration<'s>(site: &Site<'_, 's>, def: &Def) -> Option<(&'s Stmt, &'s Expr)> {
    let mut found = None;
    walk(site.item.ast, &mut |node| {
        if let Node::Stmt(stmt) = node
            && let StmtKind::Let { pattern, ty, value } = &stmt.kind
            && let PatternKind::Name { mutable: false, name } = &pattern.kind
            && name.span == def.span
        {
            // A type that is written may be what gives the value its type.
            let literal = matches!(value.kind, ExprKind::Int(_) | ExprKind::Array(_) | ExprKind::Name(_));
            found = Some((stmt, value)).filter(|_| ty.is_none() || !literal);
        }
        true
    });
    found
}

/// The names that stand as expressions.
fn expr_names(site: &Site<'_, '_>) -> Vec<Span> {
    let mut found = Vec::new();
    walk(site.item.ast, &mut |node| {
        if let Node::Expr(Expr { kind: ExprKind::Name(name), .. }) = node {
            found.push(name.span);
        }
        true
    });
    found
}

/// What a value names.
struct Reads<'n> {
    names: Vec<(&'n Name, &'n Def)>,
    /// Whether any of that is ever written to.
    written: bool,
}

impl<'n> Reads<'n> {
    fn of(names: &'n ItemNames, value: &Expr) -> Self {
        let inside = |name: &&Name| value.span.start <= name.span.start && name.span.end <= value.span.end;
        let means = |name: &'n Name| match &name.target {
            Target::Def(def) => Some((name, def)),
            _ => None,
        };
        let own: Vec<(&Name, &Def)> = names.names.iter().filter(inside).filter_map(means).collect();
        let is_own = |other: &Name| own.iter().any(|(name, _)| name.target == other.target);
        Self { written: names.names.iter().any(|other| other.writes && is_own(other)), names: own }
    }

    /// Whether every name means the same where a variable is read.
    fn mean_the_same(&self, site: &Site<'_, '_>, names: &ItemNames, read: &Name) -> bool {
        let visible = if self.names.is_empty() { Vec::new() } else { names.visible(read.span.start) };
        self.names.iter().all(|(name, def)| {
            let local = matches!(def.kind, DefKind::Local | DefKind::Argument);
            let same = visible.iter().find(|(known, _)| &***known == site.text(name.span));
            same.map_or(!local, |(_, other)| other == def)
        })
    }
}

/// A statement with its line, if it has one of its own.
pub(super) fn line_of(site: &Site<'_, '_>, stmt: &Stmt) -> Span {
    let behind = site.item.text.get(stmt.span.end as usize..).unwrap_or_default();
    let blanks = behind.len() - behind.trim_start_matches([' ', '\t']).len();
    let newline = behind.get(blanks..).is_some_and(|rest| rest.starts_with('\n'));
    if !site.begins_line(stmt.span.start) || !newline {
        return Span::new(stmt.span.start, stmt.span.end + u32::try_from(blanks).unwrap_or(0));
    }
    let indent = u32::try_from(site.indent(stmt.span.start).len()).unwrap_or(0);
    Span::new(stmt.span.start - indent, stmt.span.end + u32::try_from(blanks).unwrap_or(0) + 1)
}

/// Writes the value of a constant in its place.
pub(super) fn constant(site: &mut Site<'_, '_>) {
    let names = site.names();
    let Some(name @ Name { target: Target::Def(def), declares: false, .. }) = names.at(site.range.start) else {
        return;
    };
    if def.kind != DefKind::Item(ItemKind::Const) || name.short.is_some() {
        return;
    }
    let (span, def) = (name.span, def.clone());
    let is_expr = site.nodes.iter().any(|node| matches!(node, Node::Expr(expr) if expr.span == span))
        || site.nodes.iter().any(|node| path_ends(node, span));
    let Some(item) = site.files.view(&def).filter(|_| is_expr) else { return };
    let Some((value, typed)) = value_of_constant(item.ast, def.span) else { return };
    let Some(text) = item.text.get(value.span.range()) else { return };
    if !stands_alone(value, typed) {
        return;
    }
    let place = place_of(site, span);
    site.offer(ActionKind::InlineConstant, format!("inline the constant `{}`", site.text(span)), |site| {
        let compound =
            matches!(value.kind, ExprKind::Unary { .. } | ExprKind::Quantity { .. } | ExprKind::Moment { .. });
        let text = if compound && dotted(site, place) { format!("({text})") } else { text.to_owned() };
        Edits::of([site.put(place, text)])
    });
}

/// Whether a name is the last one of a path.
fn path_ends(node: &Node<'_>, span: Span) -> bool {
    matches!(node, Node::Expr(Expr { kind: ExprKind::Path(path), .. }) if path.last().is_some_and(|name| name.span == span))
}

/// The whole path that a name ends.
fn place_of(site: &Site<'_, '_>, span: Span) -> Span {
    let whole = site.nodes.iter().find(|node| path_ends(node, span)).map(|node| node.span());
    whole.unwrap_or(span)
}

fn dotted(site: &Site<'_, '_>, place: Span) -> bool {
    site.item.text.get(place.end as usize..).is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// The value of a constant, and the type that is written beside it.
fn value_of_constant(item: &Item, name: Span) -> Option<(&Expr, Option<&str>)> {
    let constant = match item {
        Item::Const(constant) => constant,
        Item::Contract(contract) => contract.members.iter().find_map(|member| match member {
            Member::Const(constant) if constant.name.span == name => Some(constant),
            _ => None,
        })?,
        _ => return None,
    };
    let ty = constant.ty.as_ref().and_then(|ty| match &ty.kind {
        syntax::ast::TypeKind::Name { name, .. } => Some(name.as_str()),
        _ => None,
    });
    Some((&constant.value, ty))
}

/// Whether a value is the same wherever it stands: a literal that says its type.
fn stands_alone(value: &Expr, ty: Option<&str>) -> bool {
    let mut literal = true;
    walk_expr(value, &mut |node| {
        if let Node::Expr(expr) = node {
            literal &= match &expr.kind {
                ExprKind::Int(_) => matches!(ty, None | Some("Int")),
                ExprKind::Quantity { .. } | ExprKind::Moment { .. } | ExprKind::Bool(_) => true,
                ExprKind::Bytes(_) | ExprKind::Str(_) => matches!(ty, None | Some("Bytes" | "Hash160" | "Hash256")),
                ExprKind::Unary { .. } => true,
                _ => false,
            };
        }
        true
    });
    literal
}
