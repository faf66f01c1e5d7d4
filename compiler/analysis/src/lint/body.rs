//! What one body shows by itself: a path that is free for all or closed to all, arguments and
//! signatures that are not checked or checked twice, clocks that do not go together.

use std::collections::{BTreeMap, BTreeSet};

use syntax::{Code, Effect, Fix};

use crate::eval::{self, Stop, Value};
use crate::hir::{
    ArgId, Block, Condition, Expr, ExprKind, Fact, Function, LocalId, Param, Part, SpendPath, Stmt, StmtKind, Type,
};
use crate::report::Report;
use crate::walk;

/// Reports what is wrong with a path.
pub(crate) fn path(path: &SpendPath, report: &mut Report<'_>) {
    free_for_all(path, report);
    closed_to_all(&path.body, report);
    unread_args(path, report);
    one_signature_for_two_keys(path, report);
    signatures_read_twice(path, report);
    mixed_clocks(path, report);
    unlocked_lock_time(path, report);
}

/// Warns about the parameters of a function that it never reads.
pub(crate) fn unused_params(function: &Function, report: &mut Report<'_>) {
    let read = reads(&function.body);
    for param in unread(&function.params, &read) {
        let found =
            report.warning(Code::E0111, format!("nothing reads the parameter `{}`", param.name), param.loc.span);
        let fix = Fix::new(format!("call it `_{}`", param.name), Effect::Keeps)
            .edit(param.loc.clone(), format!("_{}", param.name));
        report.push(found.help("remove it, and the value from every call").fix(fix));
    }
}

fn free_for_all(path: &SpendPath, report: &mut Report<'_>) {
    if demands(&path.body) {
        return;
    }
    let branch = path.body.stmts.iter().find(|stmt| matches!(stmt.kind, StmtKind::If { .. }));
    let mut found = report.error(Code::E0401, format!("anyone can take `{}`", path.name), path.loc.span);
    found = match branch {
        Some(branch) => found.label(branch.loc.clone(), "one of these branches demands nothing"),
        None => found.saying("nothing is demanded of the spender"),
    };
    report.push(found.help("add a condition, such as `require owner.signed(sig);`"));
}

/// Whether every way through the block demands something; loops are taken to run.
fn demands(block: &Block) -> bool {
    block.stmts.iter().any(|stmt| match &stmt.kind {
        StmtKind::Require { condition: Condition::Holds(holds), .. } => {
            eval::eval(holds, &eval::Constants) != Ok(Value::Bool(true))
        }
        StmtKind::Require { .. } | StmtKind::Call { .. } | StmtKind::Check(_) => true,
        StmtKind::If { then, otherwise, .. } => demands(then) && demands(otherwise),
        StmtKind::Match { arms, .. } => arms.iter().all(|arm| demands(&arm.body)),
        StmtKind::For { body, .. } | StmtKind::While { body, .. } | StmtKind::EachRecord { body, .. } => demands(body),
        StmtKind::Let { .. } | StmtKind::Assign { .. } | StmtKind::Return(_) => false,
    })
}

fn closed_to_all(block: &Block, report: &mut Report<'_>) {
    for stmt in &block.stmts {
        let StmtKind::Require { condition: Condition::Holds(holds), .. } = &stmt.kind else { continue };
        let why = match eval::eval(holds, &eval::Constants) {
            Ok(Value::Bool(false)) => "this is always false".to_owned(),
            Err(Stop::Fails(why)) => format!("this always fails: {why}"),
            Ok(_) | Err(Stop::Unknown) => continue,
        };
        let found = report.error(Code::E0402, "nobody can ever take this path", stmt.loc.span).saying(why);
        report.push(found.help("remove the path, or correct the condition"));
    }
}

fn unread_args(path: &SpendPath, report: &mut Report<'_>) {
    let read = reads(&path.body);
    // Padding is there to be dropped: it only pays for work.
    for arg in unread(&path.args, &read).filter(|arg| arg.ty != Type::Padding) {
        let found = report.error(Code::E0403, format!("no condition reads `{}`", arg.name), arg.loc.span);
        let found = found.saying("anyone could change it on the way to the miner");
        report.push(found.help("remove it, or check it in a `require`"));
    }
}

fn unread<'p>(params: &'p [Param], read: &BTreeSet<ArgId>) -> impl Iterator<Item = &'p Param> {
    let unread = |(index, param): (usize, &'p Param)| {
        let ignored = read.contains(&ArgId::new(index)) || param.name.starts_with('_') || param.name.is_empty();
        (!ignored).then_some(param)
    };
    params.iter().enumerate().filter_map(unread).collect::<Vec<_>>().into_iter()
}

/// What an expression mentions.
#[derive(Default)]
struct Mentions {
    args: BTreeSet<ArgId>,
    locals: BTreeSet<LocalId>,
}

impl Mentions {
    fn add(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Arg(id) | ExprKind::Threshold { sigs: id, .. } => {
                self.args.insert(*id);
            }
            ExprKind::Local(id) => {
                self.locals.insert(*id);
            }
            _ => {}
        }
    }
}

/// The arguments that reach a condition, a call, a branch or the block's value.
fn reads(block: &Block) -> BTreeSet<ArgId> {
    let mut roots = Mentions::default();
    let mut sources: BTreeMap<LocalId, Mentions> = BTreeMap::new();
    collect(block, &mut roots, &mut sources);
    let mut waiting: Vec<LocalId> = roots.locals.iter().copied().collect();
    while let Some(local) = waiting.pop() {
        let Some(found) = sources.remove(&local) else { continue };
        roots.args.extend(found.args);
        waiting.extend(found.locals);
    }
    roots.args
}

/// Sorts what the block mentions by where it goes: to a variable, or to something that decides.
fn collect(block: &Block, roots: &mut Mentions, sources: &mut BTreeMap<LocalId, Mentions>) {
    for stmt in &block.stmts {
        match &stmt.kind {
            StmtKind::Let { local, value } | StmtKind::Assign { local, value, .. } => {
                mention(value, sources.entry(*local).or_default());
            }
            StmtKind::EachRecord { list, .. } => {
                roots.args.insert(*list);
            }
            _ => {}
        }
        for part in stmt.parts() {
            match (part, &stmt.kind) {
                (Part::Expr(_), StmtKind::Let { .. }) => {}
                // Of an assignment the value is known already, and what chooses the place decides.
                (Part::Expr(value), StmtKind::Assign { value: assigned, .. }) if std::ptr::eq(value, assigned) => {}
                (Part::Expr(decides), _) => mention(decides, roots),
                (Part::Block(inner), _) => collect(inner, roots, sources),
            }
        }
        if let StmtKind::Match { value, arms } = &stmt.kind {
            let bound = arms.iter().flat_map(|arm| arm.bindings.iter().flatten());
            bound.for_each(|local| mention(value, sources.entry(*local).or_default()));
        }
    }
    block.value.iter().for_each(|value| mention(value, roots));
}

/// Everything inside an expression, blocks included, goes where the expression goes.
fn mention(expr: &Expr, into: &mut Mentions) {
    walk::expr(expr, &mut |part| into.add(part), &mut |_| {});
}

/// One signature cannot answer for two keys on one way through the path.
fn one_signature_for_two_keys(path: &SpendPath, report: &mut Report<'_>) {
    let mut seen = BTreeMap::new();
    signed_in(&path.body, &mut seen, report);
}

type Keys<'t> = BTreeMap<ArgId, &'t Expr>;

/// The signatures that the block is the first to check; `seen` is as before.
fn signed_in<'t>(block: &'t Block, seen: &mut Keys<'t>, report: &mut Report<'_>) -> Vec<(ArgId, &'t Expr)> {
    let mut added = Vec::new();
    for stmt in &block.stmts {
        compare_parts(stmt.parts(), seen, &mut added, report);
    }
    if let Some(value) = &block.value {
        compare_keys(value, seen, &mut added, report);
    }
    for (sig, _) in &added {
        seen.remove(sig);
    }
    added
}

/// The blocks of one statement or expression exclude each other, but what follows comes after any.
fn compare_parts<'t>(
    parts: Vec<Part<'t>>,
    seen: &mut Keys<'t>,
    added: &mut Vec<(ArgId, &'t Expr)>,
    report: &mut Report<'_>,
) {
    let mut in_blocks = Vec::new();
    for part in parts {
        match part {
            Part::Expr(expr) => compare_keys(expr, seen, added, report),
            Part::Block(block) => in_blocks.extend(signed_in(block, seen, report)),
        }
    }
    for (sig, key) in in_blocks {
        seen.entry(sig).or_insert_with(|| {
            added.push((sig, key));
            key
        });
    }
}

fn compare_keys<'t>(expr: &'t Expr, seen: &mut Keys<'t>, added: &mut Vec<(ArgId, &'t Expr)>, report: &mut Report<'_>) {
    if let ExprKind::Signed { key, sig } | ExprKind::DataSigned { key, sig, .. } = &expr.kind {
        compare_key(expr, key, sig, seen, added, report);
    }
    compare_parts(expr.parts(), seen, added, report);
}

fn compare_key<'t>(
    check: &'t Expr,
    key: &'t Expr,
    sig: &'t Expr,
    seen: &mut Keys<'t>,
    added: &mut Vec<(ArgId, &'t Expr)>,
    report: &mut Report<'_>,
) {
    let ExprKind::Arg(id) = sig.kind else { return };
    match seen.get(&id) {
        Some(first) if !same_key(first, key) => {
            let found = report.error(Code::E0405, "one signature is checked against two keys", check.loc.span);
            let found = found.label(first.loc.clone(), "the other key is here");
            report.push(found.help("take a second signature as an argument of its own"));
        }
        Some(_) => {}
        None => {
            seen.insert(id, key);
            added.push((id, key));
        }
    }
}

/// Whether two key expressions are the same name or the same bytes. Others may be equal when they run.
fn same_key(a: &Expr, b: &Expr) -> bool {
    match (&a.kind, &b.kind) {
        (
            ExprKind::Param(_) | ExprKind::Arg(_) | ExprKind::Bytes(_),
            ExprKind::Param(_) | ExprKind::Arg(_) | ExprKind::Bytes(_),
        ) => a.kind == b.kind,
        _ => true,
    }
}

fn signatures_read_twice(path: &SpendPath, report: &mut Report<'_>) {
    let mut seen: BTreeMap<ArgId, &Expr> = BTreeMap::new();
    walk::block(
        &path.body,
        &mut |expr| {
            let ExprKind::Threshold { sigs, .. } = &expr.kind else { return };
            let Some(first) = seen.insert(*sigs, expr) else { return };
            let name = path.args.get(sigs.index()).map_or("", |arg| &arg.name);
            let found = report.error(Code::E0412, format!("`{name}` is read twice"), expr.loc.span);
            let found = found.saying("read again here").label(first.loc.clone(), "first read here");
            report.push(found.help("take the signatures of each check as an argument of their own"));
        },
        &mut |_| {},
    );
}

/// The kinds of clock that a way through a path has locked by: of the transaction, of the coin.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Clocks {
    height: bool,
    time: bool,
    blocks: bool,
    seconds: bool,
}

impl Clocks {
    fn mixes(self) -> bool {
        (self.height && self.time) || (self.blocks && self.seconds)
    }

    fn and(self, other: Clocks) -> Clocks {
        Clocks {
            height: self.height || other.height,
            time: self.time || other.time,
            blocks: self.blocks || other.blocks,
            seconds: self.seconds || other.seconds,
        }
    }

    /// What one lock counts in.
    fn unit(self) -> &'static str {
        if self.height || self.blocks { "this counts blocks" } else { "this counts seconds" }
    }

    fn of_stmt(stmt: &Stmt) -> Clocks {
        match &stmt.kind {
            StmtKind::Require { condition, .. } => Clocks::of(condition),
            _ => Clocks::default(),
        }
    }

    fn of(condition: &Condition) -> Clocks {
        let mut clocks = Clocks::default();
        match condition {
            Condition::Holds(_) => {}
            Condition::TxHeightAtLeast(_) => clocks.height = true,
            Condition::TxTimeAtLeast(_) => clocks.time = true,
            Condition::AgeAtLeast(age) if age.ty == Type::Blocks => clocks.blocks = true,
            Condition::AgeAtLeast(_) => clocks.seconds = true,
        }
        clocks
    }
}

fn mixed_clocks(path: &SpendPath, report: &mut Report<'_>) {
    let mut mixed = None;
    ways(&path.body, &BTreeSet::from([Clocks::default()]), &mut |stmt| {
        mixed.get_or_insert(stmt);
    });
    let Some(stmt) = mixed else { return };
    let own = Clocks::of_stmt(stmt);
    let mut first = None;
    walk::block(&path.body, &mut |_| {}, &mut |other| {
        if Clocks::of_stmt(other).and(own).mixes() {
            first.get_or_insert(other);
        }
    });
    let mut found = report
        .error(Code::E0406, "no transaction can satisfy this lock and an earlier one", stmt.loc.span)
        .saying(own.unit());
    if let Some(first) = first {
        found = found.label(first.loc.clone(), Clocks::of_stmt(first).unit());
    }
    report.push(found.help("lock by heights and blocks alone, or by times and durations alone"));
}

/// The clocks of every way through the block, of which there are at most sixteen.
fn ways<'t>(block: &'t Block, before: &BTreeSet<Clocks>, mixed: &mut dyn FnMut(&'t Stmt)) -> BTreeSet<Clocks> {
    let mut now = before.clone();
    for stmt in &block.stmts {
        match &stmt.kind {
            StmtKind::Require { condition, .. } => {
                let own = Clocks::of(condition);
                now = now.into_iter().map(|clocks| clocks.and(own)).collect();
                // If only some ways mix, the author may know that those are never taken.
                if own != Clocks::default() && now.iter().all(|clocks| clocks.mixes()) {
                    mixed(stmt);
                }
            }
            StmtKind::If { then, otherwise, .. } => {
                let mut joined = ways(then, &now, mixed);
                joined.extend(ways(otherwise, &now, mixed));
                now = joined;
            }
            StmtKind::Match { arms, .. } => {
                now = arms.iter().flat_map(|arm| ways(&arm.body, &now, mixed)).collect();
            }
            StmtKind::For { body, .. } | StmtKind::While { body, .. } | StmtKind::EachRecord { body, .. } => {
                now.extend(ways(body, &now.clone(), mixed));
            }
            StmtKind::Let { .. }
            | StmtKind::Assign { .. }
            | StmtKind::Call { .. }
            | StmtKind::Check(_)
            | StmtKind::Return(_) => {}
        }
    }
    now
}

fn unlocked_lock_time(path: &SpendPath, report: &mut Report<'_>) {
    let mut read: Option<&Expr> = None;
    let mut locked = false;
    walk::block(
        &path.body,
        &mut |expr| {
            if matches!(expr.kind, ExprKind::Introspect { fact: Fact::TxLocktime, .. }) {
                read = Some(expr);
            }
        },
        &mut |stmt| {
            locked |= match &stmt.kind {
                StmtKind::Require { condition, .. } => {
                    matches!(condition, Condition::TxHeightAtLeast(_) | Condition::TxTimeAtLeast(_))
                }
                StmtKind::Call { .. } | StmtKind::Check(_) => true,
                _ => false,
            }
        },
    );
    if let Some(read) = read.filter(|_| !locked) {
        let found = report.error(Code::E0410, "the lock time is read, but nothing says that it counts", read.loc.span);
        report.push(found.help("add `require tx.height >= ..;` or `require tx.time >= ..;` to this path"));
    }
}
