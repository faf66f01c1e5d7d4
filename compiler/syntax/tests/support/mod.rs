//! What the tests share: the corpus, and short texts for trees.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::fs;
use std::path::PathBuf;
use syntax::ast::{
    Arm, AsmWord, Block, Entry, EntryValue, Expr, ExprKind, Field, FieldInit, For, ForRange, Ident, InputSource, Item,
    Member, Pattern, PatternKind, PlaceStep, PlanStmt, PlanStmtKind, PropertyParam, Stmt, StmtKind, Take, TypeArg,
    TypeExpr, TypeKind, Use, Variant, VariantFields,
};

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

/// The names and texts of everything that users are shown: examples, library, and the programs of the tests.
pub(crate) fn programs() -> Vec<(String, String)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut waiting: Vec<PathBuf> =
        ["examples", "stdlib", "tests/programs", "tests/contracts"].map(|folder| root.join(folder)).into();
    let mut files = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("the folder can be read");
            waiting.extend(entries.map(|entry| entry.expect("the folder can be read").path()));
        } else if path.extension().is_some_and(|ending| ending == "bmc") {
            let text = fs::read_to_string(&path).expect("programs are UTF-8");
            let name = path.strip_prefix(&root).expect("it lies below");
            files.push((name.display().to_string(), text));
        }
    }
    files.sort();
    assert!(files.len() > 100, "{}", files.len());
    files
}

/// The item in a few lines, expressions in prefix form.
pub(crate) fn outline(item: &Item) -> String {
    match item {
        Item::Use(item) => format!("use {}\n", imported(item)),
        Item::Const(item) => format!("const {} = {}\n", item.name, expr(&item.value)),
        Item::Struct(item) => {
            format!("struct {}{}\n{}", item.name, type_params(&item.type_params), fields(&item.fields, 1))
        }
        Item::Enum(item) => {
            let variants: String = item.variants.iter().map(variant).collect();
            format!("enum {}{}\n{variants}", item.name, type_params(&item.type_params))
        }
        Item::Fn(item) => {
            let params = item.params.len();
            format!("fn {}{}/{params}\n{}", item.name, type_params(&item.type_params), block(&item.body, 1))
        }
        Item::Reward(item) => format!("reward {}\n{}", item.name, entries(&item.entries, 1)),
        Item::Model(item) => format!("model {}\n{}", item.name, entries(&item.entries, 1)),
        Item::Imi(item) => format!("imi {}\n{}", item.name, entries(&item.entries, 1)),
        Item::Imo(item) => {
            format!("imo {} for {}\n{}", item.name, names(&item.subject, "::"), entries(&item.entries, 1))
        }
        Item::Plan(item) => {
            let stmts: String = item.stmts.iter().map(|stmt| format!("  {}\n", plan_stmt(stmt))).collect();
            format!("plan {}/{}\n{stmts}", item.name, item.params.len())
        }
        Item::Test(item) => {
            let stmts: String = item.stmts.iter().map(|stmt| format!("  {}\n", plan_stmt(stmt))).collect();
            let params = item.params.as_ref().map(|params| format!("({})", list(params, property_param)));
            format!("test {}{}\n{stmts}", item.name, params.unwrap_or_default())
        }
        Item::Contract(item) => {
            let members: String = item.members.iter().map(member).collect();
            format!("contract {}/{}\n{members}", item.name, item.params.len())
        }
        Item::Error(_) => "error\n".to_string(),
    }
}

fn names(all: &[Ident], between: &str) -> String {
    all.iter().map(Ident::as_str).collect::<Vec<_>>().join(between)
}

fn imported(item: &Use) -> String {
    let alias = |alias: &Option<Ident>| alias.as_ref().map(|alias| format!(" as {alias}")).unwrap_or_default();
    let mut text = if item.relative { "./".to_string() } else { String::new() };
    item.folders.iter().for_each(|folder| text.push_str(&format!("{folder}/")));
    text.push_str(&names(&item.path, "::"));
    if let Some(group) = &item.group {
        let all: Vec<String> = group.iter().map(|one| format!("{}{}", one.name, alias(&one.alias))).collect();
        text.push_str(&format!("::{{{}}}", all.join(", ")));
    }
    text + &alias(&item.alias)
}

fn type_params(all: &[Ident]) -> String {
    if all.is_empty() { String::new() } else { format!("<{}>", names(all, ", ")) }
}

fn fields(all: &[Field], indent: usize) -> String {
    let pad = "  ".repeat(indent);
    all.iter().map(|field| format!("{pad}{}: {}\n", field.name, ty(&field.ty))).collect()
}

fn variant(variant: &Variant) -> String {
    match &variant.fields {
        VariantFields::Unit => format!("  {}\n", variant.name),
        VariantFields::Tuple(types) => format!("  {}({})\n", variant.name, list(types, ty)),
        VariantFields::Struct(inner) => format!("  {}\n{}", variant.name, fields(inner, 2)),
    }
}

fn list<T>(all: &[T], show: fn(&T) -> String) -> String {
    all.iter().map(show).collect::<Vec<_>>().join(", ")
}

/// A type in one line.
pub(crate) fn ty(value: &TypeExpr) -> String {
    match &value.kind {
        TypeKind::Name { module, name, args } => {
            let module: String = module.iter().map(|name| format!("{name}::")).collect();
            let args = if args.is_empty() { String::new() } else { format!("<{}>", list(args, type_arg)) };
            format!("{module}{name}{args}")
        }
        TypeKind::Array { element, length } => format!("[{}; {}]", ty(element), expr(length)),
        TypeKind::Tuple(parts) => format!("({})", list(parts, ty)),
        TypeKind::Error => "?".to_string(),
    }
}

fn type_arg(arg: &TypeArg) -> String {
    match arg {
        TypeArg::Type(arg) => ty(arg),
        TypeArg::Int { digits, .. } => digits.to_string(),
    }
}

fn member(member: &Member) -> String {
    match member {
        Member::Const(member) => format!("  const {} = {}\n", member.name, expr(&member.value)),
        Member::Fn(member) => format!("  fn {}/{}\n{}", member.name, member.params.len(), block(&member.body, 2)),
        Member::Spend(member) => {
            format!("  spend {}/{}\n{}", member.name, member.params.len(), block(&member.body, 2))
        }
        Member::State(member) => format!("  state\n{}", fields(&member.fields, 2)),
        Member::Allow(member) => format!("  allow {}\n", names(&member.lints, ", ")),
        Member::Budget(member) => format!("  budget {}\n", list(&member.limits, init)),
        Member::Error(_) => "  error\n".to_string(),
    }
}

fn entries(all: &[Entry], indent: usize) -> String {
    all.iter().map(|one| format!("{}{}", "  ".repeat(indent), entry(one, indent))).collect()
}

fn entry(entry: &Entry, indent: usize) -> String {
    let key = &entry.key;
    match &entry.value {
        EntryValue::Expr(value) => format!("{key}: {}\n", expr(value)),
        EntryValue::Group { weight, entries: inner } => {
            let weight = weight.as_ref().map(|weight| format!("{} ", expr(weight))).unwrap_or_default();
            format!("{key}: {weight}group\n{}", entries(inner, indent + 1))
        }
        EntryValue::UpTo(value) => format!("{key}: up to {}\n", expr(value)),
        EntryValue::AtLeast(value) => format!("{key}: at least {}\n", expr(value)),
        EntryValue::By { by, after } => {
            let after = after.as_ref().map(|after| format!(" after {}", expr(after))).unwrap_or_default();
            format!("{key}: by {}{after}\n", expr(by))
        }
        EntryValue::List => format!("{key}: list\n"),
        EntryValue::Phrase(phrase) => {
            let mut text = format!("{key}: phrase {}\n", phrase.head.as_ref().map(expr).unwrap_or_default());
            let pad = "  ".repeat(indent + 1);
            for clause in &phrase.clauses {
                let value = clause.value.as_ref().map(|value| format!(" = {}", expr(value))).unwrap_or_default();
                text.push_str(&format!("{pad}[{}]{value}\n", clause.text()));
                if let Some(inner) = &clause.entries {
                    text.push_str(&entries(inner, indent + 2));
                }
            }
            text
        }
        EntryValue::Error(_) => format!("{key}: error\n"),
    }
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
        StmtKind::Let { pattern: left, ty: declared, value } => {
            let declared = declared.as_ref().map(|declared| format!(": {}", ty(declared))).unwrap_or_default();
            format!("let {}{declared} = {};", pattern(left), expr(value))
        }
        StmtKind::Assign { place, value } => {
            let steps: String = place.steps.iter().map(step).collect();
            format!("{}{steps} = {};", place.name, expr(value))
        }
        StmtKind::Require { cond, message: None } => format!("require {};", expr(cond)),
        StmtKind::Require { cond, message: Some(message) } => {
            format!("require {}, {:?};", expr(cond), message.value)
        }
        StmtKind::If(choice) => {
            let otherwise = choice.otherwise.as_ref().map(|block| inline(block));
            format!("if {} {} {}", expr(&choice.cond), inline(&choice.then), otherwise.unwrap_or_default())
        }
        StmtKind::Match(choice) => format!("match {} {{ {} }}", expr(&choice.value), list(&choice.arms, arm)),
        StmtKind::For(each) => for_loop(each),
        StmtKind::While(again) => {
            let max = again.max.as_ref().map(|max| format!(" max {}", expr(max))).unwrap_or_default();
            format!("while {}{max} {}", expr(&again.cond), inline(&again.body))
        }
        StmtKind::Continue(next) => {
            let part = |word: &str, part: &Option<Expr>| part.as_ref().map(|part| format!(" {word} {}", expr(part)));
            let value = part("value", &next.value).unwrap_or_default();
            let tokens = part("tokens", &next.tokens).unwrap_or_default();
            format!("continue {{ {} }}{value}{tokens};", list(&next.fields, init))
        }
        StmtKind::End => "end;".to_string(),
        StmtKind::Allow(lints) => format!("allow {};", names(lints, ", ")),
        StmtKind::Budget(limits) => format!("budget {};", list(limits, init)),
        StmtKind::Split { pot, reward } => format!("split {} by {reward};", expr(pot)),
        StmtKind::Return { value } => {
            format!("return {};", value.as_ref().map(expr).unwrap_or_default())
        }
        StmtKind::Expr(value) => format!("{};", expr(value)),
        StmtKind::Error => "error;".to_string(),
    }
}

fn step(step: &PlaceStep) -> String {
    match step {
        PlaceStep::Field(name) => format!(".{name}"),
        PlaceStep::Element { index, .. } => format!(".{index}"),
        PlaceStep::Index(index) => format!("[{}]", expr(index)),
    }
}

fn for_loop(each: &For) -> String {
    let range = match &each.range {
        ForRange::Numbers { from, to, max } => {
            let max = max.as_ref().map(|max| format!(" max {}", expr(max))).unwrap_or_default();
            format!("{}..{}{max}", expr(from), expr(to))
        }
        ForRange::Each(list) => expr(list),
    };
    let filter = each.filter.as_ref().map(|filter| format!(" where {}", expr(filter))).unwrap_or_default();
    format!("for {} in {range}{filter} {}", pattern(&each.pattern), inline(&each.body))
}

fn arm(arm: &Arm) -> String {
    let guard = arm.guard.as_ref().map(|guard| format!(" if {}", expr(guard))).unwrap_or_default();
    format!("{}{guard} => {}", pattern(&arm.pattern), inline(&arm.body))
}

fn init(field: &FieldInit) -> String {
    format!("{}: {}", field.name, expr(&field.value))
}

/// A pattern as it is written.
pub(crate) fn pattern(value: &Pattern) -> String {
    match &value.kind {
        PatternKind::Wildcard => "_".to_string(),
        PatternKind::Name { mutable, name } => format!("{}{name}", if *mutable { "mut " } else { "" }),
        PatternKind::Path(path) => names(path, "::"),
        PatternKind::Variant { path, fields } => format!("{}({})", names(path, "::"), list(fields, pattern)),
        PatternKind::Struct { path, fields, rest } => {
            let mut all: Vec<String> =
                fields.iter().map(|field| format!("{}: {}", field.name, pattern(&field.pattern))).collect();
            all.extend(rest.then(|| "..".to_string()));
            format!("{} {{ {} }}", names(path, "::"), all.join(", "))
        }
        PatternKind::Tuple(parts) => format!("({})", list(parts, pattern)),
        PatternKind::Array(parts) => format!("[{}]", list(parts, pattern)),
        PatternKind::Literal(value) => expr(value),
        PatternKind::Or(choices) => choices.iter().map(pattern).collect::<Vec<_>>().join(" | "),
        PatternKind::Error => "?".to_string(),
    }
}

fn property_param(param: &PropertyParam) -> String {
    let range = param.range.as_ref().map(|range| {
        let sign = if range.inclusive { "..=" } else { ".." };
        format!(" in {}{sign}{}", expr(&range.from), expr(&range.to))
    });
    format!("{}{}", param.param.name, range.unwrap_or_default())
}

fn plan_stmt(stmt: &PlanStmt) -> String {
    match &stmt.kind {
        PlanStmtKind::Input { name, source } => match source {
            InputSource::Path { contract, params, path, args, take, filter } => {
                let params = params.as_ref().map_or_else(String::new, |params| format!("({})", list(params, expr)));
                let take = match take {
                    Take::Only => "",
                    Take::Any => " any",
                    Take::Each => " each",
                };
                let filter = filter.as_ref().map_or_else(String::new, |filter| format!(" where {}", expr(filter)));
                let contract = names(contract, "::");
                format!("input {name}: {contract}{params}.{path}({}){take}{filter}", list(args, init))
            }
            InputSource::Key { owner, asks } => {
                let asks = if asks.is_empty() { String::new() } else { format!(" with {{ {} }}", list(asks, init)) };
                format!("input {name}: key {}{asks}", expr(owner))
            }
            InputSource::Genesis => format!("input {name}: genesis"),
        },
        PlanStmtKind::Output { lock, fields } => format!("output {} {{ {} }}", expr(lock), list(fields, init)),
        PlanStmtKind::OutputEach { pattern: each, list: records, fields } => {
            format!("output each {} in {} {{ {} }}", pattern(each), expr(records), list(fields, init))
        }
        PlanStmtKind::OutputData(items) => format!("output data [{}]", list(items, expr)),
        PlanStmtKind::Require { cond, message } => {
            format!("require {}, {:?}", expr(cond), message.as_ref().map(|message| &message.value))
        }
        PlanStmtKind::Let { pattern: left, value, .. } => format!("let {} = {}", pattern(left), expr(value)),
        PlanStmtKind::Locktime(value) => format!("locktime {}", expr(value)),
        PlanStmtKind::Age { input, value } => format!("age {input} {}", expr(value)),
        PlanStmtKind::ChangeNone => "change none".to_string(),
        PlanStmtKind::ChangeTo(lock) => format!("change to {}", expr(lock)),
        PlanStmtKind::Burn(input) => format!("burn {input}"),
        PlanStmtKind::Publish(bytes) => format!("publish {}", expr(bytes)),
        PlanStmtKind::Classify { cond, label } => format!("classify {}, {:?}", expr(cond), label.value),
        PlanStmtKind::Assert { cond, message } => {
            format!("assert {}, {:?}", expr(cond), message.as_ref().map(|message| &message.value))
        }
        PlanStmtKind::LetWith { pattern: left, value, fields } => {
            format!("let {} = {} with {{ {} }}", pattern(left), expr(value), list(fields, init))
        }
        PlanStmtKind::Try(tried) => {
            let word =
                tried.fails.as_ref().map_or("passes".to_string(), |message| format!("fails {:?}", message.value));
            let at = tried.at.as_ref().map_or_else(String::new, |at| format!(" at {}", expr(at)));
            let stmts: Vec<String> = tried.stmts.iter().map(plan_stmt).collect();
            format!("{word}{at} {{ {} }}", stmts.join("; "))
        }
        PlanStmtKind::Call(call) => expr(call),
        PlanStmtKind::Error => "error".to_string(),
    }
}

fn asm_word(word: &AsmWord) -> String {
    match word {
        AsmWord::Op(text) | AsmWord::Int(text) => text.to_string(),
        AsmWord::Bytes(bytes) => format!("{bytes:02x?}"),
    }
}

/// An expression in prefix form.
pub(crate) fn expr(value: &Expr) -> String {
    let spaced = |items: &[Expr]| items.iter().map(expr).collect::<Vec<_>>().join(" ");
    match &value.kind {
        ExprKind::Int(text) | ExprKind::Decimal(text) => text.to_string(),
        ExprKind::Quantity { digits, unit, .. } => format!("{digits}_{}", unit.word()),
        ExprKind::Moment { clock, text, .. } => format!("{clock:?}:{text}"),
        ExprKind::Percent(text) => format!("{text}%"),
        ExprKind::Bytes(bytes) => format!("{bytes:02x?}"),
        ExprKind::Str(text) => format!("{text:?}"),
        ExprKind::Bool(truth) => truth.to_string(),
        ExprKind::Name(name) => name.to_string(),
        ExprKind::Path(path) => names(path, "::"),
        ExprKind::SelfRef => "self".to_string(),
        ExprKind::Tx => "tx".to_string(),
        ExprKind::Field { base, name } => format!("{}.{name}", expr(base)),
        ExprKind::Element { base, index, .. } => format!("{}.{index}", expr(base)),
        ExprKind::Index { base, index } => format!("{}[{}]", expr(base), expr(index)),
        ExprKind::Slice { base, from, to } => {
            let end = |end: &Option<Box<Expr>>| end.as_ref().map(|end| expr(end)).unwrap_or_default();
            format!("{}[{}..{}]", expr(base), end(from), end(to))
        }
        ExprKind::Call { callee, args } => format!("{}({})", expr(callee), spaced(args)),
        ExprKind::MethodCall { receiver, method, args } => {
            format!("{}.{method}({})", expr(receiver), spaced(args))
        }
        ExprKind::Unary { op, operand } => format!("({} {})", op.symbol(), expr(operand)),
        ExprKind::Binary { op, left, right, .. } => {
            format!("({} {} {})", op.symbol(), expr(left), expr(right))
        }
        ExprKind::If(choice) => {
            let otherwise = choice.otherwise.as_ref().map(|block| inline(block));
            format!("(if {} {} {})", expr(&choice.cond), inline(&choice.then), otherwise.unwrap_or_default())
        }
        ExprKind::Match(choice) => format!("(match {} {{ {} }})", expr(&choice.value), list(&choice.arms, arm)),
        ExprKind::Array(items) => format!("[{}]", spaced(items)),
        ExprKind::Repeat { value, count } => format!("[{}; {}]", expr(value), expr(count)),
        ExprKind::Tuple(items) => format!("({})", list(items, expr)),
        ExprKind::Struct(literal) => {
            let args =
                if literal.args.is_empty() { String::new() } else { format!("<{}>", list(&literal.args, type_arg)) };
            format!("{}{args} {{ {} }}", names(&literal.path, "::"), list(&literal.fields, init))
        }
        ExprKind::Record(fields) => format!("{{ {} }}", list(fields, init)),
        ExprKind::With { base, fields } => format!("({} with {{ {} }})", expr(base), list(fields, init)),
        ExprKind::Asm(asm) => {
            let inputs: Vec<String> =
                asm.inputs.iter().map(|input| format!("{}: {}", input.name, ty(&input.ty))).collect();
            let result = asm.result.as_ref().map(|result| format!(" -> {}", ty(result))).unwrap_or_default();
            let code: Vec<String> = asm.code.iter().map(|op| asm_word(&op.word)).collect();
            format!("asm({}){result} {{ {} }}", inputs.join(", "), code.join(" "))
        }
        ExprKind::Quorum { needed, keys } => format!("({} of [{}])", expr(needed), spaced(keys)),
        ExprKind::Threshold { needed, keys, sigs } => {
            format!("({} of [{}] ({}))", expr(needed), spaced(keys), spaced(sigs))
        }
        ExprKind::Error => "?".to_string(),
    }
}
