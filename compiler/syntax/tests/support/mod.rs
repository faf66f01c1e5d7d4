//! What the tests share: the corpus, and short texts for trees.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::fs;
use std::path::PathBuf;
use syntax::ast::{Block, EntryValue, Expr, ExprKind, Item, Member, Stmt, StmtKind};

/// The folder of the corpus: `ok` or `err`.
pub(crate) fn corpus_dir(folder: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/syntax").join(folder)
}

/// The names and texts of the corpus files, sorted.
pub(crate) fn corpus(folder: &str) -> Vec<(String, String)> {
    let mut files: Vec<(String, String)> = fs::read_dir(corpus_dir(folder))
        .expect("the corpus is part of the repository")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "bmc"))
        .map(|path| {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let text = fs::read_to_string(&path).expect("corpus files are UTF-8");
            (stem.expect("names are UTF-8").to_string(), text)
        })
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// The item in a few lines, expressions in prefix form.
pub(crate) fn outline(item: &Item) -> String {
    match item {
        Item::Use(item) => {
            let path: Vec<&str> = item.path.iter().map(|name| name.as_str()).collect();
            format!("use {}\n", path.join("::"))
        }
        Item::Const(item) => format!("const {} = {}\n", item.name, expr(&item.value)),
        Item::Fn(item) => format!("fn {}/{}\n{}", item.name, item.params.len(), block(&item.body, 1)),
        Item::Reward(item) => format!("reward {}\n{}", item.name, entries(&item.entries, 1)),
        Item::Contract(item) => {
            let members: String = item.members.iter().map(member).collect();
            format!("contract {}/{}\n{members}", item.name, item.params.len())
        }
        Item::Error(_) => "error\n".to_string(),
    }
}

fn member(member: &Member) -> String {
    match member {
        Member::Const(member) => format!("  const {} = {}\n", member.name, expr(&member.value)),
        Member::Fn(member) => format!("  fn {}/{}\n{}", member.name, member.params.len(), block(&member.body, 2)),
        Member::Spend(member) => {
            format!("  spend {}/{}\n{}", member.name, member.params.len(), block(&member.body, 2))
        }
        Member::Error(_) => "  error\n".to_string(),
    }
}

fn entries(all: &[syntax::ast::Entry], indent: usize) -> String {
    let pad = "  ".repeat(indent);
    all.iter()
        .map(|entry| match &entry.value {
            EntryValue::Expr(value) => format!("{pad}{}: {}\n", entry.key, expr(value)),
            EntryValue::Group { weight, entries: inner } => {
                format!("{pad}{}: {}\n{}", entry.key, expr(weight), entries(inner, indent + 1))
            }
            EntryValue::UpTo(value) => format!("{pad}{}: up to {}\n", entry.key, expr(value)),
            EntryValue::ByAfter { by, after } => {
                format!("{pad}{}: by {} after {}\n", entry.key, expr(by), expr(after))
            }
            EntryValue::Error(_) => format!("{pad}{}: error\n", entry.key),
        })
        .collect()
}

fn block(block: &Block, indent: usize) -> String {
    let pad = "  ".repeat(indent);
    let stmts: String = block.stmts.iter().map(|one| format!("{pad}{}\n", stmt(one))).collect();
    match &block.tail {
        Some(tail) => format!("{stmts}{pad}{}\n", expr(tail)),
        None => stmts,
    }
}

fn inline(block: &Block) -> String {
    let mut parts: Vec<String> = block.stmts.iter().map(stmt).collect();
    parts.extend(block.tail.iter().map(|tail| expr(tail)));
    format!("{{ {} }}", parts.join(" "))
}

/// A statement in one line.
pub(crate) fn stmt(stmt: &Stmt) -> String {
    match &stmt.kind {
        StmtKind::Let { mutable, name, value, .. } => {
            let word = if *mutable { "let mut" } else { "let" };
            format!("{word} {name} = {};", expr(value))
        }
        StmtKind::Assign { name, value } => format!("{name} = {};", expr(value)),
        StmtKind::Require { cond, message: None } => format!("require {};", expr(cond)),
        StmtKind::Require { cond, message: Some(message) } => {
            format!("require {}, {:?};", expr(cond), message.value)
        }
        StmtKind::If(choice) => {
            let otherwise = choice.otherwise.as_ref().map(|block| inline(block));
            format!("if {} {} {}", expr(&choice.cond), inline(&choice.then), otherwise.unwrap_or_default())
        }
        StmtKind::Split { pot, reward } => format!("split {} by {reward};", expr(pot)),
        StmtKind::Return { value } => {
            format!("return {};", value.as_ref().map(expr).unwrap_or_default())
        }
        StmtKind::Expr(value) => format!("{};", expr(value)),
        StmtKind::Error => "error;".to_string(),
    }
}

/// An expression in prefix form.
pub(crate) fn expr(value: &Expr) -> String {
    let list = |items: &[Expr]| items.iter().map(expr).collect::<Vec<_>>().join(" ");
    match &value.kind {
        ExprKind::Int(text) | ExprKind::Decimal(text) => text.to_string(),
        ExprKind::Quantity { digits, unit, .. } => format!("{digits}_{}", unit.word()),
        ExprKind::Moment { clock, text, .. } => format!("{clock:?}:{text}"),
        ExprKind::Percent(text) => format!("{text}%"),
        ExprKind::Bytes(bytes) => format!("{bytes:02x?}"),
        ExprKind::Str(text) => format!("{text:?}"),
        ExprKind::Bool(truth) => truth.to_string(),
        ExprKind::Name(name) => name.to_string(),
        ExprKind::Path(path) => path.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("::"),
        ExprKind::SelfRef => "self".to_string(),
        ExprKind::Tx => "tx".to_string(),
        ExprKind::Field { base, name } => format!("{}.{name}", expr(base)),
        ExprKind::Index { base, index } => format!("{}[{}]", expr(base), expr(index)),
        ExprKind::Slice { base, from, to } => {
            let end = |end: &Option<Box<Expr>>| end.as_ref().map(|end| expr(end)).unwrap_or_default();
            format!("{}[{}..{}]", expr(base), end(from), end(to))
        }
        ExprKind::Call { callee, args } => format!("{}({})", expr(callee), list(args)),
        ExprKind::MethodCall { receiver, method, args } => {
            format!("{}.{method}({})", expr(receiver), list(args))
        }
        ExprKind::Unary { op, operand } => format!("({} {})", op.symbol(), expr(operand)),
        ExprKind::Binary { op, left, right, .. } => {
            format!("({} {} {})", op.symbol(), expr(left), expr(right))
        }
        ExprKind::If(choice) => {
            let otherwise = choice.otherwise.as_ref().map(|block| inline(block));
            format!("(if {} {} {})", expr(&choice.cond), inline(&choice.then), otherwise.unwrap_or_default())
        }
        ExprKind::Array(items) => format!("[{}]", list(items)),
        ExprKind::Threshold { needed, keys, sigs } => {
            format!("({} of [{}] ({}))", expr(needed), list(keys), list(sigs))
        }
        ExprKind::Error => "?".to_string(),
    }
}
