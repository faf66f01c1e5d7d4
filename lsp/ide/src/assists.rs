//! Quick fixes and refactorings: what an editor offers to do to the sources at a place.
//!
//! Each is a function over a [`Site`] that says by [`Site::offer`] what it would do. The edits are made only for who
//! asks for them: editors list titles at every movement of the cursor, and want the edits of one.

mod choices;
mod conditions;
mod declare;
mod edit;
mod extract;
mod imports;
mod inline;
mod kinds;
mod lints;
mod mends;
mod move_item;
mod numbers;
mod rewards;
mod scaffold;
mod tokens;
mod write;

use std::cell::OnceCell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use driver::{Change, Diagnostic, Effect, ItemView, Remedy};
use syntax::ast::{BinaryOp, Block, Expr, ExprKind, Stmt};
use syntax::{Code, FileId, Span};

pub(crate) use imports::{Brought, comments_of, uses};
pub use kinds::{ActionKind, Family};

use crate::host::{Answer, Snapshot};
use crate::names::{Depth, Files, ItemNames, item_at, names_of};
use crate::problems::place;
use crate::text::{FileEdit, TextEdit};
use crate::tree::{Node, walk};
use tokens::ItemTokens;

/// Something that an editor offers to do to the sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// What kind of thing it does.
    pub kind: ActionKind,
    /// As a menu shows it.
    pub title: String,
    /// The diagnostic that it mends; a refactoring has none.
    pub mends: Option<Code>,
    /// Whether nothing else could be meant.
    pub preferred: bool,
    /// What it does, no two edits touching; empty where only titles were asked for.
    pub edits: Vec<FileEdit>,
    /// The sources that it makes, with their texts.
    pub creates: Vec<(Arc<str>, String)>,
}

/// Which actions are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// All, with their edits.
    #[default]
    Whole,
    /// All, without edits.
    Titles,
    /// That of one kind and title, with its edits.
    One {
        /// The name of its kind.
        kind: String,
        /// Its title.
        title: String,
    },
}

impl Wanted {
    /// Whether an action is asked for, and its edits.
    fn of(&self, kind: ActionKind, title: &str) -> (bool, bool) {
        match self {
            Wanted::Whole => (true, true),
            Wanted::Titles => (true, false),
            Wanted::One { kind: name, title: wanted } => {
                let both = kind.name() == name && title == wanted;
                (both, both)
            }
        }
    }
}

/// What an action does.
#[derive(Default)]
pub(crate) struct Edits {
    pub(crate) edits: Vec<FileEdit>,
    pub(crate) creates: Vec<(Arc<str>, String)>,
}

impl From<&Change> for FileEdit {
    fn from(change: &Change) -> Self {
        let edit = TextEdit { range: change.start..change.end, text: change.text.clone() };
        FileEdit { path: Arc::clone(&change.path), edit }
    }
}

/// A place in an item at which something can be done.
pub(crate) struct Site<'f, 's> {
    files: &'f Files<'s>,
    file: FileId,
    path: Arc<str>,
    item: ItemView<'s>,
    /// What is selected, counted from the start of the item.
    range: Span,
    /// The nodes around it, the outermost first.
    nodes: Vec<Node<'s>>,
    wanted: &'f Wanted,
    /// The diagnostic that is to be mended.
    mends: Option<Code>,
    out: &'f mut Vec<Action>,
    known: Known,
}

/// What of an item is found out once for all that can be done there.
#[derive(Default)]
struct Known {
    names: OnceCell<Rc<ItemNames>>,
    tokens: OnceCell<Rc<ItemTokens>>,
}

/// What of a diagnostic mends ask for.
pub(crate) struct Found<'d> {
    diagnostic: &'d Diagnostic,
    /// The primary place, counted from the start of the item.
    span: Span,
}

impl<'s> Site<'_, 's> {
    /// Offers an action. The edits are made if they are wanted; without edits there is no action.
    fn offer(&mut self, kind: ActionKind, title: impl Into<String>, edits: impl FnOnce(&Self) -> Option<Edits>) {
        let title = title.into();
        let (wanted, made) = self.wanted.of(kind, &title);
        if !wanted || self.out.iter().any(|known| known.kind == kind && known.title == title) {
            return;
        }
        let edits = if made { edits(self) } else { Some(Edits::default()) };
        let Some(Edits { edits, creates }) = edits else { return };
        self.out.push(Action { kind, title, mends: self.mends, preferred: false, edits, creates });
    }

    /// The text of a part of the item.
    fn text(&self, span: Span) -> &'s str {
        self.item.text.get(span.range()).unwrap_or_default()
    }

    /// The names of the item.
    fn names(&self) -> Rc<ItemNames> {
        let found = || Rc::new(names_of(self.files, self.file, self.item, Depth::Names));
        Rc::clone(self.known.names.get_or_init(found))
    }

    /// The tokens of the item.
    fn tokens(&self) -> Rc<ItemTokens> {
        Rc::clone(self.known.tokens.get_or_init(|| Rc::new(ItemTokens::of(self.item.text))))
    }

    /// The innermost expression around the selection; of a selection that is not empty, the one that fills it.
    fn expr(&self) -> Option<&'s Expr> {
        // What fills the selection may hold blocks; what is around a cursor stands in the innermost block.
        let inner =
            self.nodes.iter().rev().take_while(|node| !self.range.is_empty() || !matches!(node, Node::Block(_)));
        let exprs = inner.filter_map(|node| match node {
            Node::Expr(expr) => Some(*expr),
            _ => None,
        });
        let mut values = exprs.filter(|expr| !self.is_change(expr) && !self.is_changed(expr));
        match self.range.is_empty() {
            true => values.next(),
            false => values.find(|expr| expr.span == self.range),
        }
    }

    /// Whether an operation is the `x += e` of an assignment: the tree has it as one, but it is no expression.
    fn is_change(&self, expr: &Expr) -> bool {
        let ExprKind::Binary { op, op_span, .. } = &expr.kind else { return false };
        let counts = matches!(op, BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div);
        counts && self.text(*op_span).ends_with('=')
    }

    /// Whether an expression is the `x.y` of `x.y += e`, or a part of it that cannot stand without it.
    fn is_changed(&self, expr: &Expr) -> bool {
        let place = self.nodes.iter().find_map(|node| match node {
            Node::Expr(change @ Expr { kind: ExprKind::Binary { left, .. }, .. }) if self.is_change(change) => {
                Some(left)
            }
            _ => None,
        });
        let mut rest = place.map(|place| &**place);
        while let Some(part) = rest {
            if part.span == expr.span {
                return true;
            }
            rest = match &part.kind {
                ExprKind::Field { base, .. } | ExprKind::Element { base, .. } | ExprKind::Index { base, .. } => {
                    Some(&**base)
                }
                _ => None,
            };
        }
        false
    }

    /// The innermost statement around the selection.
    fn stmt(&self) -> Option<&'s Stmt> {
        self.nodes.iter().rev().find_map(|node| match node {
            Node::Stmt(stmt) => Some(*stmt),
            _ => None,
        })
    }

    /// The innermost block around the selection.
    fn block(&self) -> Option<&'s Block> {
        self.nodes.iter().rev().find_map(|node| match node {
            Node::Block(block) => Some(*block),
            _ => None,
        })
    }
}

/// The nodes of an item that hold a span, the outermost first.
fn around<'s>(item: ItemView<'s>, span: Span) -> Vec<Node<'s>> {
    let mut nodes = Vec::new();
    walk(item.ast, &mut |node| {
        let holds = node.span().start <= span.start && span.end <= node.span().end;
        if holds {
            nodes.push(node);
        }
        holds
    });
    nodes
}

/// A selection without the blanks at its ends, counted from the start of the item.
fn selected(item: ItemView<'_>, range: &Range<usize>) -> Option<Span> {
    let start = range.start.checked_sub(item.start as usize)?;
    let end = range.end.checked_sub(item.start as usize)?.min(item.text.len());
    let text = item.text.get(start..end)?;
    let trimmed = text.trim();
    let start = start + (text.len() - text.trim_start().len());
    let start = if trimmed.is_empty() { end.min(start) } else { start };
    Some(Span::new(u32::try_from(start).ok()?, u32::try_from(start + trimmed.len()).ok()?))
}

/// A selection without the parentheses around it, which leave no node.
fn unwrapped(item: ItemView<'_>, range: Span) -> Span {
    let text = item.text.get(range.range()).unwrap_or_default();
    let whole = around(item, range).iter().any(|node| node.span() == range);
    let Some(inner) = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).filter(|_| !whole) else {
        return range;
    };
    let blanks = inner.len() - inner.trim_start().len();
    let start = range.start + 1 + u32::try_from(blanks).unwrap_or(0);
    Span::new(start, start + u32::try_from(inner.trim().len()).unwrap_or(0))
}

const REFACTORINGS: &[fn(&mut Site<'_, '_>)] = &[
    extract::variable,
    extract::constant,
    extract::function,
    move_item::to_file,
    inline::variable,
    inline::constant,
    numbers::use_constant,
    numbers::shares,
    numbers::units,
    numbers::digits,
    numbers::texts,
    conditions::invert_if,
    conditions::flip,
    conditions::push_not,
    conditions::merge_ifs,
    conditions::split_if,
    conditions::split_require,
    conditions::merge_requires,
    conditions::add_message,
    conditions::within,
    choices::if_to_match,
    choices::match_to_if,
    write::add_type,
    write::short_field,
    write::short_assign,
    imports::merge,
    imports::split,
    rewards::expand,
    scaffold::docs,
    scaffold::test,
];

const MENDS: &[fn(&mut Site<'_, '_>, &Found<'_>)] = &[
    imports::import_name,
    declare::value,
    declare::function,
    mends::make_mutable,
    mends::change_type,
    mends::hash_key,
    mends::arguments,
    mends::name_value,
    mends::remove_variable,
    mends::remove_parameter,
    mends::add_max,
    choices::add_arms,
    choices::add_fields,
    rewards::weights,
    lints::bound_length,
    lints::shared_output,
    lints::multiply_first,
    lints::lower_bound,
    lints::state,
    lints::allow,
];

impl Snapshot {
    /// What mends the diagnostics that touch a range.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn remedies(&self, path: &str, range: &Range<usize>, wanted: &Wanted) -> Answer<Vec<Action>> {
        self.ask_of(path, |files, file| {
            let mut actions = Vec::new();
            for found in self.diagnostics(files, file) {
                let primary = found.labels.iter().find(|label| label.primary && label.loc.file == file);
                let at = primary.and_then(|label| place(files, &label.loc));
                if at.is_some_and(|at| at.start <= range.end && range.start <= at.end) {
                    carried(files, &found, wanted, &mut actions);
                    mend(files, file, &found, wanted, &mut actions);
                }
            }
            actions
        })
    }

    /// What else can be done at a range.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn refactorings(&self, path: &str, range: &Range<usize>, wanted: &Wanted) -> Answer<Vec<Action>> {
        self.ask_of(path, |files, file| {
            let mut out = Vec::new();
            let Some((item, _)) = item_at(files, file, range.start) else { return out };
            let Some((range, path)) = selected(item, range).zip(files.session.path(file)) else { return out };
            let range = unwrapped(item, range);
            let nodes = around(item, range);
            let path = Arc::clone(path);
            let mut site = Site {
                files,
                file,
                path,
                item,
                range,
                nodes,
                wanted,
                mends: None,
                out: &mut out,
                known: Known::default(),
            };
            REFACTORINGS.iter().for_each(|refactoring| refactoring(&mut site));
            out
        })
    }

    /// What mends everything in a source that can be mended without changing what it means: all at once.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn remedies_of_all(&self, path: &str) -> Answer<Vec<FileEdit>> {
        self.ask_of(path, |files, file| {
            let mut chosen: Vec<Remedy> = Vec::new();
            for found in self.diagnostics(files, file) {
                let sure = |fix: &&syntax::Fix| fix.effect != Effect::Changes;
                let Some(fix) = found.fixes.first().filter(sure) else { continue };
                let Some(remedy) = remedy(files, fix) else { continue };
                if !chosen.iter().any(|other| other.conflicts(&remedy)) {
                    chosen.push(remedy);
                }
            }
            chosen.iter().flat_map(|remedy| &remedy.changes).map(FileEdit::from).collect()
        })
    }

    /// The edits that put the imports of a source in order; none if they are.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn organized_imports(&self, path: &str) -> Answer<Vec<FileEdit>> {
        self.ask_of(path, |files, file| {
            let found = self.diagnostics(files, file);
            imports::organized(files, file, &found).into_iter().collect()
        })
    }
}

/// A fix with its places found, which are looked for in its own sources alone.
fn remedy(files: &Files<'_>, fix: &syntax::Fix) -> Option<Remedy> {
    let sources = fix.edits.iter().map(|edit| edit.loc.file).collect();
    Remedy::of(fix, &files.session.places_in(&sources))
}

/// The fixes that a diagnostic carries.
fn carried(files: &Files<'_>, found: &Diagnostic, wanted: &Wanted, out: &mut Vec<Action>) {
    let remedies = found.fixes.iter().filter_map(|fix| Some((fix, remedy(files, fix)?)));
    let remedies: Vec<_> = remedies.collect();
    let only = remedies.len() == 1;
    for (fix, remedy) in remedies {
        let kind = kinds::carried(found.code, fix);
        let (is_wanted, made) = wanted.of(kind, &remedy.title);
        if is_wanted {
            out.push(Action {
                kind,
                title: remedy.title,
                mends: Some(found.code),
                preferred: only && remedy.effect != Effect::Changes,
                edits: remedy.changes.iter().filter(|_| made).map(FileEdit::from).collect(),
                creates: Vec::new(),
            });
        }
    }
}

/// What else mends a diagnostic.
fn mend(files: &Files<'_>, file: FileId, found: &Diagnostic, wanted: &Wanted, out: &mut Vec<Action>) {
    let primary = found.labels.iter().find(|label| label.primary && label.loc.file == file);
    let Some(primary) = primary else { return };
    let own = files.of(file);
    let Some(item) = own.items.iter().find(|item| Some(item.key) == primary.loc.item.as_ref()) else { return };
    let Some(path) = files.session.path(file) else { return };
    let span = primary.loc.span;
    let nodes = around(*item, span);
    let mends = Some(found.code);
    let mut site = Site {
        files,
        file,
        path: Arc::clone(path),
        item: *item,
        range: span,
        nodes,
        wanted,
        mends,
        out,
        known: Known::default(),
    };
    let found = Found { diagnostic: found, span };
    MENDS.iter().for_each(|mend| mend(&mut site, &found));
}

#[cfg(test)]
mod tests;
