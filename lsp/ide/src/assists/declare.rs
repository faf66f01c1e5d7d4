//! Declaring what a name is that means nothing yet.

use analysis::hir::Type;
use analysis::snake;
use syntax::ast::{BinaryOp, Expr, ExprKind, Item, Stmt, StmtKind};
use syntax::{Code, Span, TokenKind};

use super::edit::value_of;
use super::{ActionKind, Edits, Found, Site};
use crate::call::taken;
use crate::names::Target;
use crate::text::FileEdit;
use crate::tree::Node;

/// A constant, a variable or a parameter of an unknown name.
pub(super) fn value(site: &mut Site<'_, '_>, found: &Found<'_>) {
    let name = site.text(found.span);
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let read = site
        .nodes
        .iter()
        .any(|node| matches!(node, Node::Expr(Expr { kind: ExprKind::Name(known), .. }) if known.span == found.span));
    if found.diagnostic.code != Code::E0101 || !is_name || !read {
        return;
    }
    let (ty, first) = guessed(site, found.span);
    if name.chars().all(|c| !c.is_ascii_lowercase()) {
        let text = format!("const {name}: {ty} = {first};\n\n");
        site.offer(ActionKind::DeclareConstant, format!("declare the constant `{name}`"), |site| {
            Edits::of([site.insert(0, text.as_str())])
        });
        return;
    }
    let place =
        site.stmt().map(|stmt| stmt.span.start).filter(|_| site.block().is_some_and(|block| site.is_braced(block)));
    if let Some(at) = place {
        // Bytes alone are bytes, whatever else they can be.
        let annotation = if first.starts_with("0x") { format!(": {ty}") } else { String::new() };
        let text = format!("let {name}{annotation} = {first};");
        site.offer(ActionKind::DeclareVariable, format!("declare the variable `{name}`"), |site| {
            Edits::of([site.stmt_before(at, &text)])
        });
    }
    let Some(member) = site.member(found.span.start) else { return };
    let what = if member.spend.is_some() { "path" } else { "function" };
    site.offer(ActionKind::DeclareParameter, format!("make `{name}` a parameter of the {what}"), |site| {
        Edits::of([with_param(site, member.name, member.params, name, &ty)?])
    });
    if let Item::Contract(contract) = site.item.ast {
        site.offer(ActionKind::DeclareParameter, format!("make `{name}` a parameter of the contract"), |site| {
            Edits::of([with_param(site, contract.name.span, &contract.params, name, &ty)?])
        });
    }
}

/// Adds a parameter behind the others, into the empty parentheses behind the name, or with parentheses of its own where
/// a contract has none.
fn with_param(site: &Site<'_, '_>, name: Span, params: &[syntax::ast::Param], new: &str, ty: &str) -> Option<FileEdit> {
    if let Some(last) = params.last() {
        return Some(site.insert(last.span.end, format!(", {new}: {ty}")));
    }
    let tokens = site.tokens();
    let (mut kind, mut span) = tokens.behind(name.end)?;
    // Type parameters hold nothing but names.
    if kind == TokenKind::Lt {
        while kind != TokenKind::Gt {
            (kind, span) = tokens.behind(span.end)?;
        }
        (kind, span) = tokens.behind(span.end)?;
    }
    match kind {
        TokenKind::LParen => Some(site.insert(span.end, format!("{new}: {ty}"))),
        TokenKind::LBrace => Some(site.insert(name.end, format!("({new}: {ty})"))),
        _ => None,
    }
}

/// The type that an unknown name probably has, from what stands beside it, and a value of it.
fn guessed(site: &Site<'_, '_>, span: Span) -> (String, String) {
    let known = site.nodes.iter().rev().find_map(|node| match node {
        Node::Expr(around) => beside(site, around, span),
        _ => None,
    });
    let ty = known.or_else(|| in_statement(site, span)).unwrap_or(Type::Int);
    match site.written(&ty) {
        Some(written) => (written, value_of(&ty)),
        None => ("Int".to_owned(), "0".to_owned()),
    }
}

fn beside(site: &Site<'_, '_>, around: &Expr, span: Span) -> Option<Type> {
    match &around.kind {
        ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or, .. } => Some(Type::Bool),
        ExprKind::Binary { left, right, .. } => {
            let other = if left.span == span { right } else { left };
            site.type_of(other.span).cloned()
        }
        ExprKind::MethodCall { receiver, method, args } if method.as_str() == "signed" => match args.as_slice() {
            _ if receiver.span == span => Some(Type::PubKey),
            [only] if only.span == span => Some(Type::Sig),
            [_, second] if second.span == span => Some(Type::DataSig),
            _ => None,
        },
        _ => None,
    }
}

fn in_statement(site: &Site<'_, '_>, span: Span) -> Option<Type> {
    match &site.stmt()?.kind {
        StmtKind::Require { cond, .. } if cond.span == span => Some(Type::Bool),
        StmtKind::If(branch) if branch.cond.span == span => Some(Type::Bool),
        _ => None,
    }
}

/// A function of an unknown name, with a parameter for each value of the call.
pub(super) fn function(site: &mut Site<'_, '_>, found: &Found<'_>) {
    if found.diagnostic.code != Code::E0103 {
        return;
    }
    let call = site.nodes.iter().rev().find_map(|node| match node {
        Node::Expr(expr) => match &expr.kind {
            ExprKind::Call { callee, args } => match &callee.kind {
                ExprKind::Name(name) if name.span == found.span => Some((*expr, name, args)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    let Some((call, name, args)) = call else { return };
    site.offer(ActionKind::DeclareFunction, format!("declare the function `{name}`"), |site| {
        let mut params: Vec<String> = Vec::new();
        for (index, arg) in args.iter().enumerate() {
            let ty = site.type_of(arg.span).and_then(|ty| site.written(ty)).unwrap_or_else(|| "Int".to_owned());
            params.push(format!("{}: {ty}", param_name(arg, index, &params)));
        }
        let (result, value) = result_of(site, call);
        let text = format!("\n\nfn {name}({}) -> {result} {{\n    {value}\n}}", params.join(", "));
        Edits::of([site.insert(u32::try_from(site.item.text.trim_end().len()).ok()?, text)])
    });
}

/// What a parameter is called: as the value is, if that is a name that is free.
fn param_name(arg: &Expr, index: usize, known: &[String]) -> String {
    let name = match &arg.kind {
        ExprKind::Name(name) | ExprKind::Field { name, .. } => snake(name.as_str()),
        _ => String::new(),
    };
    let taken = known.iter().any(|known| known.split(':').next() == Some(name.as_str()));
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase()) && syntax::Word::from_text(&name).is_none();
    if taken || !plain { format!("value_{}", index + 1) } else { name }
}

/// What a call has to give, as far as its place says.
fn result_of(site: &Site<'_, '_>, call: &Expr) -> (String, String) {
    let demanded = site.stmt().is_some_and(|stmt| demands(stmt, call.span));
    if demanded { ("Bool".to_owned(), "false".to_owned()) } else { guessed(site, call.span) }
}

fn demands(stmt: &Stmt, span: Span) -> bool {
    matches!(&stmt.kind, StmtKind::Require { cond, .. } if cond.span == span)
}

/// The parameters of what is called, as they are written, with the file and text that they stand in.
pub(super) fn params_of<'s>(
    site: &Site<'_, 's>,
    callee: &Expr,
) -> Option<(syntax::FileId, driver::ItemView<'s>, &'s [syntax::ast::Param])> {
    let span = match &callee.kind {
        ExprKind::Name(name) => name.span,
        ExprKind::Path(path) => path.last()?.span,
        _ => return None,
    };
    let names = site.names();
    let Target::Def(def) = &names.names.iter().find(|name| name.span == span)?.target else { return None };
    let item = site.files.view(def)?;
    let (params, ..) = taken(item.ast, def.span, def.kind)?;
    Some((def.file, item, params))
}
