//! Puts the checked items of a file together, and checks what only the whole shows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syntax::{Code, Diagnostic, FileId, Island, ItemKey, Loc, Parse, Span, ast};

use crate::domain::Origins;
use crate::hir::{self, Block, Expr, ExprKind, Function, FunctionId, Functions, Program, Stmt, StmtKind};
use crate::imports::{Modules, unused_imports};
use crate::item::{CheckedItem, check_item};
use crate::number::grouped;
use crate::signatures::{on_circles, order_of, signatures};
use crate::{lint, walk};

/// More nodes than this, calls copied in, fit no script.
const NODES_MAX: u64 = 200_000;

/// An item with its text, as the parser gives them.
#[derive(Clone, Copy, Debug)]
pub struct SourceItem<'a> {
    /// Its name in the file.
    pub key: &'a ItemKey,
    /// The text that the tree's spans count in.
    pub text: &'a str,
    /// The tree.
    pub ast: &'a ast::Item,
    /// Where what it says was written, if it was generated from a declaration.
    pub origins: Option<&'a Origins>,
}

impl<'a> SourceItem<'a> {
    /// An item as the author wrote it.
    pub fn written(key: &'a ItemKey, text: &'a str, ast: &'a ast::Item) -> Self {
        SourceItem { key, text, ast, origins: None }
    }

    /// The place of a span of the item.
    pub(crate) fn loc(&self, file: FileId, span: Span) -> Loc {
        match self.origins {
            None => Loc::in_item(file, self.key.clone(), span),
            Some(origins) => origins.loc(span),
        }
    }
}

/// The items of a parsed file with their texts.
pub fn source_items<'a>(parse: &'a Parse, text: &'a str) -> Vec<SourceItem<'a>> {
    let item = |(island, ast): (&'a Island, &'a ast::Item)| {
        SourceItem::written(&island.key, text.get(island.range.range()).unwrap_or_default(), ast)
    };
    parse.islands.iter().zip(&parse.file.items).map(item).collect()
}

/// What a file means, and what is wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Analysis {
    /// The typed program. Only if no diagnostic is an error, everything that the source says is in it.
    pub program: Program,
    /// First what concerns interfaces, then bodies in source order, then the whole.
    pub diagnostics: Vec<Diagnostic>,
}

/// Checks one file that imports nothing.
///
/// ```
/// use syntax::FileId;
///
/// let text = "contract Lock(key: PubKey) { spend open(sig: Sig) { require key.signed(sig); } }";
/// let parse = syntax::parse(text);
/// let items = analysis::source_items(&parse, text);
/// let analysis = analysis::analyse(FileId(0), &items);
/// assert!(analysis.diagnostics.is_empty());
/// assert_eq!(analysis.program.contracts[0].paths[0].name, "open");
/// ```
pub fn analyse(file: FileId, items: &[SourceItem<'_>]) -> Analysis {
    analyse_with(file, items, &Modules::new())
}

/// Checks one file whose imports lead to these modules. Functions of theirs are not part of the program.
pub(crate) fn analyse_with(file: FileId, items: &[SourceItem<'_>], modules: &Modules) -> Analysis {
    let (signatures, mut diagnostics) = signatures(file, items, modules);
    let checked: Vec<_> = items.iter().map(|item| check_item(&signatures, item)).collect();
    diagnostics.extend(unused_imports(
        &signatures,
        items.iter().copied(),
        checked.iter().flat_map(|item| &item.mentioned),
    ));
    diagnostics.extend(checked.iter().flat_map(|item| item.diagnostics.iter().cloned()));
    let (program, found) = link(checked, &|_| None);
    diagnostics.extend(found);
    Analysis { program, diagnostics }
}

/// Joins checked items, in source order, to a program; refuses functions that call themselves.
///
/// What the items call in other files, which `imported` finds, becomes a part of the program. The
/// messages are those about the whole only; each item keeps its own.
pub(crate) fn link(
    items: impl IntoIterator<Item = CheckedItem>,
    imported: &dyn Fn(FunctionId) -> Option<Arc<Function>>,
) -> (Program, Vec<Diagnostic>) {
    let items: Vec<CheckedItem> = items.into_iter().collect();
    let calls: Vec<ItemCalls> = items.iter().map(ItemCalls::of).collect();
    let mut found = Fetched::of(&calls, imported).problems(&calls);
    let sound: Vec<bool> = items.iter().flat_map(|item| item.contracts.iter().map(|_| !item.broken)).collect();
    let program = assemble(items, imported);
    if found.is_empty() && are_understood(&calls) {
        let contracts = program.contracts.iter().zip(sound).filter(|(_, sound)| *sound);
        found.extend(lint::covenants(&program.functions, contracts.map(|(contract, _)| &**contract)));
    }
    (program, found)
}

/// The program alone: [`problems_of_whole`] and [`covenants`] say what is wrong with it.
pub fn assemble(
    items: impl IntoIterator<Item = CheckedItem>,
    imported: &dyn Fn(FunctionId) -> Option<Arc<Function>>,
) -> Program {
    let mut program = Program::default();
    let mut wanted = Vec::new();
    for item in items {
        wanted.extend(ItemCalls::of(&item).callees());
        program.contracts.extend(item.contracts);
        program.plans.extend(item.plans);
        program.tests.extend(item.tests);
        item.functions.into_iter().for_each(|(id, function)| program.functions.insert(id, function));
    }
    gather(&mut program.functions, wanted, imported);
    program
}

/// Adds to `functions` those that are wanted, and all that these call, directly or through others, as far as `find`
/// finds them. What is there is taken to have all that it calls.
pub fn gather(
    functions: &mut Functions,
    wanted: impl IntoIterator<Item = FunctionId>,
    find: impl Fn(FunctionId) -> Option<Arc<Function>>,
) {
    let mut wanted: Vec<FunctionId> = wanted.into_iter().collect();
    while let Some(id) = wanted.pop() {
        if functions.get(id).is_none()
            && let Some(function) = find(id)
        {
            wanted.extend(callees(&function.body));
            functions.insert(id, function);
        }
    }
}

/// The functions that a body calls itself.
pub fn callees(body: &Block) -> Vec<FunctionId> {
    Calls::of(body).callees
}

/// The functions that a value calls itself.
pub fn callees_of_value(value: &Expr) -> Vec<FunctionId> {
    Calls::of_value(value).callees
}

/// What only all items of a file together show, [`covenants`] apart: functions that call themselves, paths that grow
/// too large, locks that need each other.
pub fn problems_of_whole(
    items: &[&ItemCalls],
    imported: &dyn Fn(FunctionId) -> Option<Arc<Function>>,
) -> Vec<Diagnostic> {
    Fetched::of(items.iter().copied(), imported).problems(items.iter().copied())
}

/// Whether everything was understood that a covenant may depend on. Otherwise [`covenants`] would report what is there.
pub fn are_understood<'i>(items: impl IntoIterator<Item = &'i ItemCalls>) -> bool {
    !items.into_iter().any(|item| item.broken)
}

/// What the contracts of an item let happen, with every call copied in: `functions` has all that they call, directly or
/// through others.
pub fn covenants(item: &CheckedItem, functions: &Functions) -> Vec<Diagnostic> {
    if item.broken { Vec::new() } else { lint::covenants(functions, item.contracts.iter().map(|contract| &**contract)) }
}

/// What an item calls and what it is called: all that the other items of its file have to know of its bodies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemCalls {
    functions: Vec<(FunctionId, Called)>,
    /// The paths of its contracts.
    paths: Vec<Called>,
    /// What its plans and tests call.
    others: Vec<FunctionId>,
    /// Its contracts with the locks that they must know.
    locks: Vec<(String, Vec<hir::Derived>)>,
    /// Something in it was not understood that others may depend on.
    broken: bool,
}

/// A body with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Called {
    name: String,
    loc: Loc,
    calls: Calls,
}

impl ItemCalls {
    /// Those of a checked item.
    pub fn of(item: &CheckedItem) -> Self {
        let function = |(id, function): &(FunctionId, Arc<Function>)| {
            let (name, loc) = (function.name.clone(), function.loc.clone());
            (*id, Called { name, loc, calls: Calls::of(&function.body) })
        };
        let path = |path: &hir::SpendPath| {
            let (name, loc) = (path.name.clone(), path.loc.clone());
            Called { name, loc, calls: Calls::of(&path.body) }
        };
        let exprs = item.plans.iter().flat_map(|plan| plan.exprs());
        let exprs = exprs.chain(item.tests.iter().flat_map(|test| test.exprs()));
        ItemCalls {
            functions: item.functions.iter().map(function).collect(),
            paths: item.contracts.iter().flat_map(|contract| &contract.paths).map(path).collect(),
            others: exprs.flat_map(callees_of_value).collect(),
            locks: item.contracts.iter().map(|of| (of.name.clone(), of.derived.clone())).collect(),
            broken: item.broken && item.contracts.is_empty(),
        }
    }

    /// What its bodies call themselves.
    pub fn callees(&self) -> impl Iterator<Item = FunctionId> {
        let functions = self.functions.iter().map(|(_, function)| function);
        let bodies = functions.chain(&self.paths).flat_map(|body| &body.calls.callees);
        bodies.chain(&self.others).copied()
    }
}

/// The calls of every function that is called, those of other files among them.
struct Fetched {
    calls: BTreeMap<FunctionId, Called>,
    own: BTreeSet<FunctionId>,
}

impl Fetched {
    fn of<'i>(
        items: impl IntoIterator<Item = &'i ItemCalls> + Clone,
        imported: &dyn Fn(FunctionId) -> Option<Arc<Function>>,
    ) -> Self {
        let own = || items.clone().into_iter().flat_map(|item| &item.functions);
        let mut calls: BTreeMap<FunctionId, Called> = own().map(|(id, called)| (*id, called.clone())).collect();
        let own: BTreeSet<FunctionId> = own().map(|(id, _)| *id).collect();
        let mut wanted: Vec<FunctionId> = items.into_iter().flat_map(ItemCalls::callees).collect();
        while let Some(id) = wanted.pop() {
            if calls.contains_key(&id) {
                continue;
            }
            // What is found nowhere is part of a file with errors, and no code is made from those.
            let Some(function) = imported(id) else { continue };
            let called =
                Called { name: function.name.clone(), loc: function.loc.clone(), calls: Calls::of(&function.body) };
            wanted.extend(&called.calls.callees);
            calls.insert(id, called);
        }
        Self { calls, own }
    }

    fn problems<'i>(&self, items: impl IntoIterator<Item = &'i ItemCalls> + Clone) -> Vec<Diagnostic> {
        let mut found = self.check_calls(items.clone().into_iter().flat_map(|item| &item.paths));
        found.extend(circles_of_locks(&items.into_iter().flat_map(|item| &item.locks).collect::<Vec<_>>()));
        found
    }

    fn check_calls<'i>(&self, paths: impl Iterator<Item = &'i Called>) -> Vec<Diagnostic> {
        let index_of: BTreeMap<FunctionId, usize> =
            self.calls.keys().enumerate().map(|(index, id)| (*id, index)).collect();
        let needed = |body: &Called| body.calls.callees.iter().filter_map(|id| index_of.get(id).copied()).collect();
        let needs: Vec<BTreeSet<usize>> = self.calls.values().map(needed).collect();
        let (order, left) = order_of(&needs);
        let ids: Vec<FunctionId> = self.calls.keys().copied().collect();
        let circles = on_circles(&needs, &left);
        // Files import each other in no circle, so a circle of calls stays inside one file.
        let here = circles.iter().filter_map(|index| ids.get(*index)).filter(|id| self.own.contains(id));
        let mut found: Vec<_> = here.filter_map(|id| self.calls.get(id)).map(circle).collect();
        let mut sizes: BTreeMap<FunctionId, u64> = BTreeMap::new();
        for id in order.iter().filter_map(|index| ids.get(*index)) {
            let size = self.calls.get(id).map_or(0, |body| body.calls.size(&sizes));
            sizes.insert(*id, size);
        }
        for path in paths.filter(|path| path.calls.size(&sizes) > NODES_MAX) {
            let message = format!(
                "`{}` grows to more than {} operations once its calls are copied in",
                path.name,
                grouped(&NODES_MAX.into())
            );
            found.push(Diagnostic::error(Code::E0213, message, path.loc.clone()).help("call fewer functions"));
        }
        found
    }
}

/// Refuses contracts whose locks would each have to be known before the other's.
fn circles_of_locks(contracts: &[&(String, Vec<hir::Derived>)]) -> Vec<Diagnostic> {
    let place: BTreeMap<&str, usize> =
        contracts.iter().enumerate().map(|(at, (name, _))| (name.as_str(), at)).collect();
    let needs: Vec<BTreeSet<usize>> = contracts
        .iter()
        .map(|(_, derived)| derived.iter().filter_map(|of| place.get(of.contract.as_str()).copied()).collect())
        .collect();
    let circles = on_circles(&needs, &order_of(&needs).1);
    let told = circles.iter().filter_map(|at| contracts.get(*at)).filter_map(|(name, derived)| {
        let circle = |of: &&hir::Derived| place.get(of.contract.as_str()).is_some_and(|at| circles.contains(at));
        let of = derived.iter().find(circle)?;
        let message = match of.contract == *name {
            true => format!("`{name}` would have to know its own lock before it has one"),
            false => format!("`{name}` and `{}` would each have to know the lock of the other first", of.contract),
        };
        let help = "read the own lock by `self.lock`, and take one of the locks as a parameter or from the state";
        Some(Diagnostic::error(Code::E0131, message, of.loc.clone()).help(help))
    });
    told.collect()
}

fn circle(function: &Called) -> Diagnostic {
    let message = format!("`{}` calls itself, directly or through others", function.name);
    Diagnostic::error(Code::E0110, message, function.loc.clone())
        .help("functions are copied into their callers; write the steps out")
}

/// What a body calls, as often as it does, and how many nodes it has itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Calls {
    callees: Vec<FunctionId>,
    nodes: u64,
}

impl Calls {
    fn of(block: &Block) -> Calls {
        Calls::visited(|expr, stmt| walk::block(block, expr, stmt))
    }

    fn of_value(value: &Expr) -> Calls {
        Calls::visited(|expr, stmt| walk::expr(value, expr, stmt))
    }

    fn visited(walk: impl FnOnce(&mut dyn FnMut(&Expr), &mut dyn FnMut(&Stmt))) -> Calls {
        let mut callees = Vec::new();
        let mut statements = Vec::new();
        let mut nodes = 0u64;
        walk(
            &mut |expr| {
                nodes += 1;
                if let ExprKind::Call { function, .. } = expr.kind {
                    callees.push(function);
                }
            },
            &mut |stmt| {
                if let StmtKind::Call { function, .. } = stmt.kind {
                    statements.push(function);
                }
            },
        );
        callees.extend(statements);
        Calls { callees, nodes }
    }

    /// The nodes with all calls copied in, given the sizes of the functions called.
    fn size(&self, sizes: &BTreeMap<FunctionId, u64>) -> u64 {
        let called = self.callees.iter().filter_map(|id| sizes.get(id));
        called.fold(self.nodes, |total, size| total.saturating_add(*size))
    }
}
