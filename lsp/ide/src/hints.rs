//! Inlay hints: the types of variables, the names of parameters, the exact shares of a reward.

use std::ops::Range;

use driver::ItemView;
use syntax::ast::{ExprKind, Pattern, PatternKind, StmtKind};
use syntax::{FileId, Span};

use crate::call::taken;
use crate::host::{Answer, Snapshot};
use crate::names::{Depth, Files, Target, names_of};
use crate::tree::{Node, walk};

/// What a hint shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HintKind {
    /// `: T` behind a variable.
    Type,
    /// `name:` before an argument.
    Parameter,
    /// What a source of a reward gets of the whole.
    Share,
    /// What a contract, a path or a check takes.
    Cost,
}

/// A text that an editor shows inside the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The byte before which it is shown.
    pub offset: usize,
    /// What it says.
    pub text: String,
    /// What it is.
    pub kind: HintKind,
}

impl Snapshot {
    /// The hints in a range of a source, those for costs if they are wanted.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn hints(&self, path: &str, within: &Range<usize>, costs: bool) -> Answer<Vec<Hint>> {
        self.ask_of(path, |files, file| {
            let mut hints = Vec::new();
            let touches = |item: &&ItemView<'_>| {
                let start = item.start as usize;
                start <= within.end && within.start <= start + item.text.len()
            };
            let names = files.of(file);
            let items: Vec<ItemView<'_>> = names.items.iter().filter(touches).copied().collect();
            for item in &items {
                types(files, file, *item, &mut hints);
                params(files, file, *item, &mut hints);
            }
            hints.extend(shares(files, file));
            if costs {
                hints.extend(crate::taken::hints(self, files, file, &items));
            }
            hints.retain(|hint| within.start <= hint.offset && hint.offset <= within.end);
            hints.sort_by_key(|hint| hint.offset);
            hints
        })
    }
}

/// The types of variables that do not say theirs.
fn types(files: &Files<'_>, file: FileId, item: ItemView<'_>, hints: &mut Vec<Hint>) {
    let mut names: Vec<Span> = Vec::new();
    walk(item.ast, &mut |node| {
        if let Node::Stmt(stmt) = node {
            match &stmt.kind {
                StmtKind::Let { pattern, ty: None, .. } => bound(pattern, &mut names),
                StmtKind::For(repeat) => bound(&repeat.pattern, &mut names),
                _ => {}
            }
        }
        true
    });
    if names.is_empty() {
        return;
    }
    let known = files.session.types_in(file, item.key);
    for name in names {
        if let Some((_, ty)) = known.iter().find(|(span, _)| *span == name) {
            let offset = item.start as usize + name.end as usize;
            hints.push(Hint { offset, text: format!(": {ty}"), kind: HintKind::Type });
        }
    }
}

/// The names that a pattern binds.
fn bound(pattern: &Pattern, names: &mut Vec<Span>) {
    match &pattern.kind {
        PatternKind::Name { name, .. } => names.push(name.span),
        PatternKind::Variant { fields: parts, .. }
        | PatternKind::Tuple(parts)
        | PatternKind::Array(parts)
        | PatternKind::Or(parts) => parts.iter().for_each(|part| bound(part, names)),
        PatternKind::Struct { fields, .. } => fields.iter().for_each(|field| bound(&field.pattern, names)),
        PatternKind::Wildcard | PatternKind::Path(_) | PatternKind::Literal(_) | PatternKind::Error => {}
    }
}

/// The names of parameters, where the argument does not say the same.
fn params<'s>(files: &Files<'s>, file: FileId, item: driver::ItemView<'s>, hints: &mut Vec<Hint>) {
    let mut calls = Vec::new();
    walk(item.ast, &mut |node| {
        if let Node::Expr(expr) = node
            && let ExprKind::Call { callee, args } = &expr.kind
        {
            let name = match &callee.kind {
                ExprKind::Name(name) => Some(name),
                ExprKind::Path(path) => path.last(),
                _ => None,
            };
            calls.extend(name.map(|name| (name.span, args)));
        }
        true
    });
    if calls.is_empty() {
        return;
    }
    let names = names_of(files, file, item, Depth::Names);
    for (callee, args) in calls {
        let target = names.names.iter().find(|name| name.span == callee).map(|name| &name.target);
        let Some(Target::Def(def)) = target else { continue };
        let Some(declared) = files.view(def) else { continue };
        let Some((params, ..)) = taken(declared.ast, def.span, def.kind).filter(|(params, ..)| params.len() > 1) else {
            continue;
        };
        for (param, arg) in params.iter().zip(args.iter()) {
            let written = item.text.get(arg.span.range()).unwrap_or_default();
            let says = written.rsplit(['.', ':']).next() == Some(param.name.as_str());
            if !says && !param.name.is_missing() && !arg.span.is_empty() {
                let offset = item.start as usize + arg.span.start as usize;
                hints.push(Hint { offset, text: format!("{}:", param.name), kind: HintKind::Parameter });
            }
        }
    }
}

/// What each source of a reward gets of the whole, where that is not what is written.
fn shares(files: &Files<'_>, file: FileId) -> Vec<Hint> {
    let Some(program) = files.session.program(file) else { return Vec::new() };
    let mut hints = Vec::new();
    for reward in program.contracts.iter().filter_map(|contract| contract.reward.as_ref()) {
        for source in reward.sources.iter().filter(|source| source.loc.file == file) {
            let Some(key) = &source.loc.item else { continue };
            let Some(item) = files.of(file).of_key(key) else { continue };
            let written = item.text.get(source.loc.span.range()).unwrap_or_default();
            let share = percent(source.weight, reward.denominator);
            if !written.contains(&share) {
                let offset = item.start as usize + source.loc.span.end as usize;
                hints.push(Hint { offset, text: format!(" = {share}"), kind: HintKind::Share });
            }
        }
    }
    hints
}

/// A share as a percentage, exact if it has at most four decimals, otherwise cut off there.
pub(crate) fn percent(weight: u64, of: u64) -> String {
    let scaled = u128::from(weight) * 1_000_000;
    let of = u128::from(of.max(1));
    let (whole, exact) = (scaled / of, scaled.is_multiple_of(of));
    let (units, decimals) = (whole / 10_000, whole % 10_000);
    let text = format!("{units}.{decimals:04}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if exact { format!("{text}%") } else { format!("≈ {text}%") }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn shares_are_exact_or_say_that_they_are_not() {
        for (weight, of, wanted) in
            [(1, 2, "50%"), (1, 3, "≈ 33.3333%"), (1, 8, "12.5%"), (1, 10_000, "0.01%"), (7, 7, "100%"), (0, 5, "0%")]
        {
            assert_eq!(percent(weight, of), wanted);
        }
    }
}
