//! Checks one item: the contract, functions and messages it gives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syntax::ast::{self, Item, Member, StmtKind};
use syntax::{Code, Diagnostic, Span};

use crate::body::{Body, BodyKind, Checked, ContractScope, Env, ListRead, Slot, StateScope, carries_state};
use crate::domain::reward;
use crate::hir::{self, FunctionId, ParamId, Type};
use crate::plan::check_plan;
use crate::program::callees;
use crate::report::Report;
use crate::signatures::{FnSignature, Signatures, Taker, declared_twice, function_signature, member_constants, slots};
use crate::test::check_test;
use crate::{SourceItem, budget, docs, domain, imports, lint, walk};

/// More paths than this fit no script.
const PATHS_MAX: usize = 200;
/// The most sources that all divisions of one contract pay together.
const PAYMENTS_MAX: usize = 2 * reward::SOURCES_MAX;

/// What one item contributes to the program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckedItem {
    /// The contracts it declares; a domain declaration may declare several.
    pub contracts: Vec<Arc<hir::Contract>>,
    /// The plans it declares.
    pub plans: Vec<Arc<hir::Plan>>,
    /// The tests it declares.
    pub tests: Vec<Arc<hir::Test>>,
    /// The functions it declares, with their places in the program.
    pub functions: Vec<(FunctionId, Arc<hir::Function>)>,
    /// The imported names that it mentions.
    pub mentioned: BTreeSet<Arc<str>>,
    /// Something in it was not understood, so what it seems to lack may be there.
    pub broken: bool,
    /// What is wrong with its body. Its interface is [`crate::signatures()`]'s matter.
    pub diagnostics: Vec<Diagnostic>,
}

impl CheckedItem {
    /// Takes over what another item contributes.
    pub(crate) fn add(&mut self, other: CheckedItem) {
        self.contracts.extend(other.contracts);
        self.plans.extend(other.plans);
        self.tests.extend(other.tests);
        self.functions.extend(other.functions);
        self.broken |= other.broken;
        self.diagnostics.extend(other.diagnostics);
    }
}

/// Checks the body of an item. It depends on nothing but the item and the signatures.
pub fn check_item(signatures: &Signatures, item: &SourceItem<'_>) -> CheckedItem {
    let mut checked = match item.ast {
        Item::Reward(_) | Item::Model(_) | Item::Imi(_) | Item::Imo(_) => domain::check(signatures, item),
        _ => {
            let mut report = Report::new(signatures.file, item);
            let checked = check_with(signatures, item, &mut report);
            CheckedItem { diagnostics: report.finish(), ..checked }
        }
    };
    checked.mentioned = imports::mentioned(signatures, item);
    checked
}

/// The types of the expressions and variables that an item's author wrote, by their places in it: what editors show.
/// Parts that are not understood have none, and neither have the entries of domain declarations. An expression may
/// stand in it more than once; the last entry is what came of it.
///
/// ```
/// use syntax::FileId;
///
/// let text = "fn double(n: Int) -> Int { let twice = n * 2; twice }";
/// let parse = syntax::parse(text);
/// let items = analysis::source_items(&parse, text);
/// let signatures = analysis::signatures(FileId(0), &items, &analysis::Modules::new()).0;
/// let types = analysis::types_in(&signatures, &items[0]);
/// let twice = types.iter().find(|(span, _)| &text[span.range()] == "twice").unwrap();
/// assert_eq!(twice.1.to_string(), "Int");
/// ```
pub fn types_in(signatures: &Signatures, item: &SourceItem<'_>) -> Vec<(Span, Type)> {
    let mut report = Report::new(signatures.file, item).with_types();
    check_with(signatures, item, &mut report);
    report.into_types()
}

/// What an item contributes, but for the messages about it.
fn check_with(signatures: &Signatures, item: &SourceItem<'_>, report: &mut Report<'_>) -> CheckedItem {
    let mut checked = CheckedItem::default();
    match item.ast {
        Item::Fn(function) => {
            let (function, broken) = check_function(signatures, item, function, report).unzip();
            checked.functions.extend(function);
            checked.broken = broken.unwrap_or(true);
        }
        Item::Contract(contract) => {
            let (contract, functions, broken) = check_contract(signatures, item, contract, report);
            checked.contracts.push(Arc::new(contract));
            checked.functions = functions;
            checked.broken = broken;
        }
        Item::Test(test) => checked.tests.extend(check_test(signatures, test, report).map(Arc::new)),
        Item::Plan(plan) => checked.plans.extend(check_plan(signatures, plan, report).map(Arc::new)),
        Item::Reward(_) | Item::Model(_) | Item::Imi(_) | Item::Imo(_) => {}
        Item::Use(_) | Item::Const(_) | Item::Struct(_) | Item::Enum(_) | Item::Error(_) => {}
    }
    checked
}

/// What the bodies of a contract read of its parameters.
#[derive(Default)]
struct Used {
    params: BTreeSet<ParamId>,
    /// The members that touch the state themselves.
    touching: BTreeSet<FunctionId>,
    /// The locks of other contracts.
    derived: Vec<hir::Derived>,
    broken: bool,
}

impl Used {
    fn add(&mut self, checked: &mut Checked) {
        self.params.append(&mut checked.params_used);
        self.broken |= checked.broken;
        self.derived = std::mem::take(&mut checked.derived);
    }
}

type NumberedFunction = (FunctionId, Arc<hir::Function>);

fn check_function(
    signatures: &Signatures,
    item: &SourceItem<'_>,
    function: &ast::Fn,
    report: &mut Report<'_>,
) -> Option<(NumberedFunction, bool)> {
    let id = signatures.first_function.get(item.key).copied()?;
    // Its own signature has been reported on already.
    let signature = function_signature(function, id, Env::of_file(signatures), &mut report.beside());
    let mut inner = report.beside();
    let env = Env { type_params: &signature.type_params, ..Env::of_file(signatures) };
    let checked = Body::new(env, BodyKind::Function, &signature.params, &mut inner)
        .check_function(&function.body, signature.ret.as_ref());
    report.absorb(inner);
    let broken = checked.broken;
    let mut lowered = lower_function(function, &signature, checked, None, report);
    lowered.allows = lint::allows_of_function(function, report);
    budget::none_in(&function.body, report);
    silence(&lowered.allows, broken, report);
    Some(((id, Arc::new(lowered)), broken))
}

fn lower_function(
    function: &ast::Fn,
    signature: &FnSignature,
    checked: Checked,
    contract: Option<String>,
    report: &mut Report<'_>,
) -> hir::Function {
    let broken = checked.broken;
    let lowered = hir::Function {
        name: function.name.to_string(),
        docs: docs(&function.docs),
        contract,
        type_params: signature.type_params.iter().map(|name| name.to_string()).collect(),
        params: params(&signature.params, report),
        ret: signature.ret.clone().unwrap_or(Type::Unit),
        locals: checked.locals,
        body: checked.block,
        loc: signature.loc.clone(),
        allows: Vec::new(),
    };
    if !broken {
        lint::unused_params(&lowered, report);
    }
    lowered
}

pub(crate) fn params(slots: &[Slot], report: &Report<'_>) -> Vec<hir::Param> {
    let param = |slot: &Slot| hir::Param {
        name: slot.name.to_string(),
        ty: slot.ty.clone().unwrap_or(Type::Unit),
        loc: report.loc(slot.span),
    };
    slots.iter().map(param).collect()
}

fn check_contract(
    signatures: &Signatures,
    item: &SourceItem<'_>,
    contract: &ast::Contract,
    report: &mut Report<'_>,
) -> (hir::Contract, Vec<NumberedFunction>, bool) {
    let mut scope = ContractScope {
        params: slots(&contract.params, Taker::Contract, Env::of_file(signatures), report),
        ..ContractScope::default()
    };
    for (index, slot) in scope.params.iter().enumerate() {
        scope.param_ids.entry(slot.name.clone()).or_insert(ParamId::new(index));
    }
    check_member_names(contract, report);
    let mut inner = report.beside();
    member_constants(&consts(contract), signatures, &mut scope, &mut inner);
    report.absorb(inner);
    let env = Env { contract: Some(&scope), ..Env::of_file(signatures) };
    scope.state = state_of(contract, env, report).map(Arc::new);
    let members = member_functions(signatures, item, contract, &mut scope, report);
    let mut lowered_params = params(&scope.params, report);
    let declared = lowered_params.len();
    add_leaves(signatures, contract, &mut scope, &mut lowered_params, report);

    let mut bodies = report.beside();
    let env = Env { contract: Some(&scope), ..Env::of_file(signatures) };
    let mut used = Used::default();
    let functions = lower_members(contract, &members, env, &mut used, &mut bodies);
    let touching = touching(&functions, &used.touching);
    let paths = lower_paths(contract, env, &touching, &mut used, &mut bodies);
    report.absorb(bodies);
    warn_about_unused(&scope.params, declared, &used, report);
    lowered_params.extend(derived_params(&used.derived));
    let contract = hir::Contract {
        name: contract.name.to_string(),
        docs: docs(&contract.docs),
        loc: report.loc(contract.name.span),
        params: lowered_params,
        derived: used.derived,
        state: scope.state.as_ref().map(|state| state.lowered(report)),
        paths,
        reward: None,
        allows: lint::allows_of_contract(contract, report),
        budgets: budget::of_contract(contract, report),
    };
    silence(&contract.allows, used.broken, report);
    (contract, functions, used.broken)
}

/// The parameters that hold the locks of other contracts: called after them, in a way that no source can write.
fn derived_params(derived: &[hir::Derived]) -> Vec<hir::Param> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut params = Vec::with_capacity(derived.len());
    for derived in derived {
        let count = seen.entry(&derived.contract).and_modify(|count| *count += 1).or_insert(1);
        let name = match *count {
            1 => format!("{}.lock", derived.contract),
            count => format!("{}.lock.{count}", derived.contract),
        };
        params.push(hir::Param { name, ty: Type::Lock, loc: derived.loc.clone() });
    }
    params
}

/// Takes away what is allowed of what one body shows, and warns of what is allowed for nothing.
fn silence(allows: &[hir::Allow], broken: bool, report: &mut Report<'_>) {
    let mut silencer = lint::Silencer::new(allows);
    report.revise(|found| {
        let mut left = silencer.filter(found, None);
        if !broken {
            left.extend(silencer.idle(hir::Lint::shows_in_one_body));
        }
        left
    });
}

/// The state of the contract, which it declares at most once.
fn state_of(contract: &ast::Contract, env: Env<'_>, report: &mut Report<'_>) -> Option<StateScope> {
    let mut states = contract.members.iter().filter_map(|member| match member {
        Member::State(state) => Some(state),
        _ => None,
    });
    let first = states.next()?;
    for again in states {
        let found = report.error(Code::E0105, format!("`{}` declares its state twice", contract.name), again.word_span);
        let found = found.label(report.loc(first.word_span), "the first is here");
        report.push(found.help("put all fields into one `state { .. }`"));
    }
    Some(StateScope::of(&contract.name, first, env, report))
}

/// The members that touch the state, or call one that does.
fn touching(functions: &[NumberedFunction], own: &BTreeSet<FunctionId>) -> BTreeSet<FunctionId> {
    let mut callers: BTreeMap<FunctionId, Vec<FunctionId>> = BTreeMap::new();
    for (id, function) in functions {
        for callee in callees(&function.body) {
            callers.entry(callee).or_default().push(*id);
        }
    }
    let mut touching = own.clone();
    let mut waiting: Vec<FunctionId> = own.iter().copied().collect();
    while let Some(id) = waiting.pop() {
        let new = callers.remove(&id).unwrap_or_default().into_iter().filter(|caller| touching.insert(*caller));
        waiting.extend(new);
    }
    touching
}

fn consts(contract: &ast::Contract) -> Vec<&ast::Const> {
    let members = contract.members.iter().filter_map(|member| match member {
        Member::Const(constant) => Some(constant),
        Member::Fn(_)
        | Member::Spend(_)
        | Member::State(_)
        | Member::Allow(_)
        | Member::Budget(_)
        | Member::Error(_) => None,
    });
    members.collect()
}

fn spends(contract: &ast::Contract) -> impl Iterator<Item = &ast::Spend> {
    contract.members.iter().filter_map(|member| match member {
        Member::Spend(spend) => Some(spend),
        Member::Const(_)
        | Member::Fn(_)
        | Member::State(_)
        | Member::Allow(_)
        | Member::Budget(_)
        | Member::Error(_) => None,
    })
}

/// Constants share their names with the parameters; functions and paths have their own.
fn check_member_names(contract: &ast::Contract, report: &mut Report<'_>) {
    let mut seen: BTreeMap<(u8, &str), &ast::Ident> = BTreeMap::new();
    let params = contract.params.iter().map(|param| (0, &param.name));
    // Two parameters of one name have been reported with the parameters.
    seen.extend(params.map(|(space, name)| ((space, name.as_str()), name)));
    for member in &contract.members {
        let (space, name) = match member {
            Member::Const(constant) => (0, &constant.name),
            Member::Fn(function) => (1, &function.name),
            Member::Spend(spend) => (2, &spend.name),
            Member::State(_) | Member::Allow(_) | Member::Budget(_) | Member::Error(_) => continue,
        };
        if name.is_missing() {
            continue;
        }
        if let Some(first) = seen.insert((space, name.as_str()), name) {
            report.push(declared_twice(name, report.loc(name.span), report.loc(first.span)));
        }
    }
    let of_contract: BTreeMap<&str, &ast::Ident> =
        contract.params.iter().map(|param| (param.name.as_str(), &param.name)).collect();
    for spend in spends(contract) {
        for param in spend.params.iter().filter(|param| !param.name.is_missing()) {
            if let Some(first) = of_contract.get(param.name.as_str()) {
                report.push(declared_twice(&param.name, report.loc(param.name.span), report.loc(first.span)));
            }
        }
    }
}

fn member_functions<'t>(
    signatures: &Signatures,
    item: &SourceItem<'_>,
    contract: &'t ast::Contract,
    scope: &mut ContractScope,
    report: &mut Report<'_>,
) -> Vec<(&'t ast::Fn, FnSignature)> {
    let first = signatures.first_function.get(item.key).map_or(0, |id| id.index());
    let functions = contract.members.iter().filter_map(|member| match member {
        Member::Fn(function) => Some(function),
        Member::Const(_)
        | Member::Spend(_)
        | Member::State(_)
        | Member::Allow(_)
        | Member::Budget(_)
        | Member::Error(_) => None,
    });
    let mut out = Vec::new();
    for (index, function) in functions.enumerate() {
        let signature = function_signature(
            function,
            FunctionId::new(signatures.file, first + index),
            Env { contract: Some(scope), ..Env::of_file(signatures) },
            report,
        );
        scope.functions.entry(signature.name.clone()).or_insert_with(|| signature.clone());
        out.push((function, signature));
    }
    out
}

/// Gives the contract a lock for each source of the rewards it divides by, in order of first use.
fn add_leaves(
    signatures: &Signatures,
    contract: &ast::Contract,
    scope: &mut ContractScope,
    params: &mut Vec<hir::Param>,
    report: &mut Report<'_>,
) {
    let taken: BTreeMap<&str, &ast::Ident> = spends(contract)
        .flat_map(|spend| spend.params.iter().map(|param| &param.name))
        .chain(consts(contract).into_iter().map(|constant| &constant.name))
        .map(|name| (name.as_str(), name))
        .collect();
    let mut payments = 0;
    for split in divisions(contract) {
        let table = signatures.reward(split.as_str()).and_then(Option::as_ref).filter(|table| table.is_fixed());
        let Some(table) = table else { continue };
        payments += table.leaves.len();
        if payments > PAYMENTS_MAX {
            let message = format!("the divisions of this contract pay more than {PAYMENTS_MAX} sources");
            report.push(report.error(Code::E0213, message, split.span).help("split the contract"));
            return;
        }
        if !scope.leaves.insert(split.name.clone()) {
            continue;
        }
        for leaf in &table.leaves {
            let name: Arc<str> = leaf.param.as_str().into();
            let id = ParamId::new(params.len());
            let of_param = params.iter().find(|param| param.name == leaf.param).map(|param| param.loc.clone());
            let of_name = taken.get(leaf.param.as_str()).map(|name| report.loc(name.span));
            if let Some(first) = of_param.or(of_name) {
                let message = format!("`{}` needs a parameter `{name}`, which exists already", split.name);
                let found = report.error(Code::E0105, message, split.span).label(first, "declared here");
                report.push(found.help("rename the parameter, or the source of the reward"));
            }
            scope.param_ids.entry(name.clone()).or_insert(id);
            scope.params.push(Slot { name, ty: Some(Type::Lock), span: split.span });
            params.push(hir::Param { name: leaf.param.clone(), ty: Type::Lock, loc: leaf.loc.clone() });
        }
    }
    if !scope.leaves.is_empty() {
        scope.names = Arc::new(domain::names_of_contract(signatures, contract, report.text()));
    }
}

/// The rewards named by `split`, in source order.
pub(crate) fn divisions(contract: &ast::Contract) -> Vec<&ast::Ident> {
    let mut found = Vec::new();
    for spend in spends(contract) {
        walk::ast_block(&spend.body, &mut |_| {}, &mut |stmt| {
            if let StmtKind::Split { reward, .. } = &stmt.kind {
                found.push(reward);
            }
        });
    }
    found
}

fn lower_members<'a>(
    contract: &ast::Contract,
    members: &'a [(&ast::Fn, FnSignature)],
    env: Env<'a>,
    used: &mut Used,
    report: &mut Report<'a>,
) -> Vec<NumberedFunction> {
    let mut out = Vec::with_capacity(members.len());
    for (function, signature) in members {
        let env = Env { type_params: &signature.type_params, ..env };
        let derived = std::mem::take(&mut used.derived);
        let body = Body::new(env, BodyKind::Function, &signature.params, report).with_derived(derived);
        let mut checked = body.check_function(&function.body, signature.ret.as_ref());
        used.add(&mut checked);
        used.touching.extend(checked.touches_state.then_some(signature.id));
        let owner = Some(contract.name.to_string());
        out.push((signature.id, Arc::new(lower_function(function, signature, checked, owner, report))));
    }
    out
}

fn lower_paths<'a>(
    contract: &ast::Contract,
    env: Env<'a>,
    touching: &BTreeSet<FunctionId>,
    used: &mut Used,
    report: &mut Report<'a>,
) -> Vec<hir::SpendPath> {
    let mut paths = Vec::new();
    for spend in spends(contract) {
        if paths.len() == PATHS_MAX {
            let message = format!("a contract has at most {PATHS_MAX} paths");
            report.push(report.error(Code::E0213, message, spend.name.span).help("split the contract"));
            break;
        }
        let args = slots(&spend.params, Taker::Path, env, report);
        let derived = std::mem::take(&mut used.derived);
        let body = Body::new(env, BodyKind::Spend, &args, report).with_derived(derived);
        let mut checked = body.check_path(&spend.body);
        used.add(&mut checked);
        let state = env.contract.and_then(|scope| scope.state.as_ref());
        if let Some(state) =
            state.filter(|_| checked.touches_state || callees(&checked.block).iter().any(|id| touching.contains(id)))
        {
            let check = carries_state(contract.name.as_str(), state, &report.loc(spend.name.span));
            checked.block.stmts.insert(0, check);
        }
        let args = with_records(&args, checked.list_read.take(), checked.broken, report);
        let path = hir::SpendPath {
            name: spend.name.to_string(),
            docs: docs(&spend.docs),
            loc: report.loc(spend.name.span),
            args: params(&args, report),
            locals: checked.locals,
            body: checked.block,
        };
        if !checked.broken {
            lint::path(&path, report);
        }
        paths.push(path);
    }
    let broken = contract.members.iter().any(|member| matches!(member, Member::Error(_)));
    if paths.is_empty() && !broken {
        let found =
            report.error(Code::E0407, format!("`{}` has no way to be spent", contract.name), contract.name.span);
        report.push(found.help("add a path, such as `spend claim(sig: Sig) { require owner.signed(sig); }`"));
    }
    paths
}

/// The arguments, with the records of the list that the path goes through. A list that nothing goes through is
/// refused, as its records would stay on the stack.
fn with_records(args: &[Slot], read: Option<ListRead>, broken: bool, report: &mut Report<'_>) -> Vec<Slot> {
    let mut args = args.to_vec();
    let read_arg = read.as_ref().map(|read| read.arg.index());
    for (index, slot) in args.iter().enumerate() {
        if matches!(slot.ty, Some(Type::List(_))) && read_arg != Some(index) && !broken {
            let message = format!("nothing goes through the list `{}`", slot.name);
            let found = report.error(Code::E0224, message, slot.span);
            report.push(
                found.help(format!("write `for r in {} {{ .. }}` at the top of the path, or remove it", slot.name)),
            );
        }
    }
    if let Some(ListRead { arg, slot, about, .. }) = read {
        args.extend(about);
        match args.get_mut(arg.index()) {
            Some(declared) => declared.ty = slot.ty,
            None => args.push(slot),
        }
    }
    args
}

fn warn_about_unused(slots: &[Slot], declared: usize, used: &Used, report: &mut Report<'_>) {
    if used.broken {
        return;
    }
    for (index, slot) in slots.iter().take(declared).enumerate() {
        if slot.name.is_empty() || slot.name.starts_with('_') || used.params.contains(&ParamId::new(index)) {
            continue;
        }
        let found = report.warning(Code::E0111, format!("nothing reads the parameter `{}`", slot.name), slot.span);
        report.push(found.help("remove it, or use it in a condition"));
    }
}
