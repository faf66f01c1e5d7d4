//! Prints typed contracts as source again: what a reward has become, with nothing hidden.
//!
//! The output compiles to the same program, places apart.

mod expr;
mod names;

use std::fmt::Write as _;

use crate::hir::{
    Block, Condition, Contract, ExprKind, Function, Local, Param, Program, SpendPath, Stmt, StmtKind, Type,
};
use expr::Printer;
use names::local_names;

/// The program as `.bmc` text: functions first, then contracts.
///
/// ```
/// let text = "reward All { only: 100%, minimum: 10_000 sats, fee: up to 500 sats }";
/// let parse = syntax::parse(text);
/// let analysis = analysis::analyse(syntax::FileId(0), &analysis::source_items(&parse, text));
/// let expanded = analysis::expand(&analysis.program);
/// assert!(expanded.contains("contract All(only: Lock) {"));
/// assert!(expanded.contains("require tx.outputs[0].lock == only, \"`only` is paid at its own lock (output 0)\";"));
/// ```
pub fn expand(program: &Program) -> String {
    let mut out = String::new();
    for function in
        program.functions.iter().map(|(_, function)| function).filter(|function| function.contract.is_none())
    {
        separate(&mut out);
        print_function(program, &[], function, 0, &mut out);
    }
    for contract in &program.contracts {
        separate(&mut out);
        print_contract(program, contract, &mut out);
    }
    out
}

fn separate(out: &mut String) {
    if !out.is_empty() && !out.ends_with("{\n") {
        out.push('\n');
    }
}

fn indent(level: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("    ", level));
}

fn print_docs(docs: &str, level: usize, out: &mut String) {
    if docs.is_empty() {
        return;
    }
    for line in docs.split('\n') {
        indent(level, out);
        out.push_str(if line.is_empty() { "///" } else { "/// " });
        out.push_str(line);
        out.push('\n');
    }
}

fn params(params: &[Param]) -> String {
    let param = |param: &Param| format!("{}: {}", param.name, param.ty);
    params.iter().map(param).collect::<Vec<_>>().join(", ")
}

fn print_contract(program: &Program, contract: &Contract, out: &mut String) {
    print_docs(&contract.docs, 0, out);
    let one_line = params(&contract.params);
    if one_line.len() <= 80 {
        let _ = writeln!(out, "contract {}({one_line}) {{", contract.name);
    } else {
        let _ = writeln!(out, "contract {}(", contract.name);
        for param in &contract.params {
            let _ = writeln!(out, "    {}: {},", param.name, param.ty);
        }
        out.push_str(") {\n");
    }
    let functions = program.functions.iter().map(|(_, function)| function);
    let members = functions.filter(|function| function.contract.as_ref() == Some(&contract.name));
    for function in members {
        separate(out);
        print_function(program, &contract.params, function, 1, out);
    }
    for path in &contract.paths {
        separate(out);
        print_path(program, contract, path, out);
    }
    out.push_str("}\n");
}

fn print_path(program: &Program, contract: &Contract, path: &SpendPath, out: &mut String) {
    print_docs(&path.docs, 1, out);
    let _ = writeln!(out, "    spend {}({}) {{", path.name, params(&path.args));
    body(program, &contract.params, &path.args, &path.locals, &path.body, 2, out);
    out.push_str("    }\n");
}

fn print_function(program: &Program, of_contract: &[Param], function: &Function, level: usize, out: &mut String) {
    print_docs(&function.docs, level, out);
    indent(level, out);
    let _ = write!(out, "fn {}({})", function.name, params(&function.params));
    if function.ret != Type::Unit {
        let _ = write!(out, " -> {}", function.ret);
    }
    out.push_str(" {\n");
    body(program, of_contract, &function.params, &function.locals, &function.body, level + 1, out);
    indent(level, out);
    out.push_str("}\n");
}

fn body(
    program: &Program,
    of_contract: &[Param],
    args: &[Param],
    locals: &[Local],
    block: &Block,
    level: usize,
    out: &mut String,
) {
    let names = local_names(of_contract, args, locals);
    let printer = Printer { program, params: of_contract, args, locals, names: &names };
    printer.block(block, level, out);
}

impl Printer<'_> {
    /// Statements and value, without the braces.
    fn block(&self, block: &Block, level: usize, out: &mut String) {
        let mut stmts = block.stmts.iter().peekable();
        while let Some(stmt) = stmts.next() {
            if !stmts.peek().is_some_and(|next| guards(stmt, next)) {
                self.stmt(stmt, level, out);
            }
        }
        if let Some(value) = &block.value {
            indent(level, out);
            self.expr(value, level, out);
            out.push('\n');
        }
    }

    fn stmt(&self, stmt: &Stmt, level: usize, out: &mut String) {
        indent(level, out);
        match &stmt.kind {
            StmtKind::Let { local, value } => {
                let declared = self.locals.get(local.index());
                let mutable = if declared.is_some_and(|local| local.mutable) { "mut " } else { "" };
                let ty = declared.map_or(&value.ty, |local| &local.ty);
                let _ = write!(out, "let {mutable}{}: {ty} = ", self.local(*local));
                self.expr(value, level, out);
            }
            StmtKind::Assign { local, place, value } => {
                out.push_str(self.local(*local));
                place.iter().for_each(|step| self.step(step, level, out));
                out.push_str(" = ");
                self.expr(value, level, out);
            }
            StmtKind::Require { condition, message } => {
                out.push_str("require ");
                self.condition(condition, level, out);
                out.push_str(", ");
                quote(message, out);
            }
            StmtKind::If { condition, then, otherwise } => {
                self.if_else(condition, then, otherwise, level, out);
                out.push('\n');
                return;
            }
            StmtKind::Match { value, arms } => {
                self.match_arms(value, arms, level, out);
                out.push('\n');
                return;
            }
            StmtKind::Call { function, args, .. } => self.call(*function, args, level, out),
            StmtKind::Check(check) => self.expr(check, level, out),
            StmtKind::For { .. } | StmtKind::While { .. } | StmtKind::EachRecord { .. } => {
                return self.looped(stmt, level, out);
            }
            StmtKind::Return(value) => {
                out.push_str("return");
                if let Some(value) = value {
                    out.push(' ');
                    self.expr(value, level, out);
                }
            }
        }
        out.push_str(";\n");
    }

    fn looped(&self, stmt: &Stmt, level: usize, out: &mut String) {
        let body = match &stmt.kind {
            StmtKind::For { index, from, to, rounds_max, body } => {
                let _ = write!(out, "for {} in ", self.local(*index));
                self.expr(from, level, out);
                out.push_str("..");
                self.expr(to, level, out);
                if !matches!((&from.kind, &to.kind), (ExprKind::Int(_), ExprKind::Int(_))) {
                    let _ = write!(out, " max {rounds_max}");
                }
                body
            }
            StmtKind::While { condition, rounds_max, body } => {
                out.push_str("while ");
                self.expr(condition, level, out);
                let _ = write!(out, " max {rounds_max}");
                body
            }
            StmtKind::EachRecord { list, fields, index, body } => {
                let fields: Vec<&str> = fields.iter().map(|field| self.local(*field)).collect();
                let fields = fields.join(", ");
                let _ = match index {
                    Some(index) => write!(out, "for ({}, ({fields}))", self.local(*index)),
                    None => write!(out, "for ({fields})"),
                };
                let _ = write!(out, " in {}", self.args.get(list.index()).map_or("_", |arg| &arg.name));
                body
            }
            _ => return,
        };
        self.braced(body, level, out);
        out.push('\n');
    }

    fn condition(&self, condition: &Condition, level: usize, out: &mut String) {
        out.push_str(match condition {
            Condition::Holds(_) => "",
            Condition::TxHeightAtLeast(_) => "tx.height >= ",
            Condition::TxTimeAtLeast(_) => "tx.time >= ",
            Condition::AgeAtLeast(_) => "self.age >= ",
        });
        match condition {
            Condition::Holds(expr) => self.expr(expr, level, out),
            Condition::TxHeightAtLeast(bound) | Condition::TxTimeAtLeast(bound) => self.bound(bound, level, out),
            Condition::AgeAtLeast(age) => match &age.kind {
                ExprKind::Builtin { args, .. } if age.ty == Type::Duration => {
                    args.iter().for_each(|seconds| self.bound(seconds, level, out));
                }
                _ => self.bound(age, level, out),
            },
        }
    }
}

/// Whether `stmt` is the check that a time lock brings along: it is made again from `next`.
fn guards(stmt: &Stmt, next: &Stmt) -> bool {
    let is_lock = |stmt: &Stmt| matches!(&stmt.kind, StmtKind::Require { condition, .. } if !matches!(condition, Condition::Holds(_)));
    let is_check = matches!(&stmt.kind, StmtKind::Require { condition: Condition::Holds(_), .. });
    is_check && is_lock(next) && stmt.loc == next.loc
}

/// A string literal.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
