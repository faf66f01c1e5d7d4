//! What the items of a file say to each other: names, types, constants and rewards, but no bodies.
//!
//! An edit inside a body leaves [`Signatures`] equal to what they were, so whoever caches the checks
//! of the other items can keep them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use dashu_ratio::RBig;
use syntax::ast::{self, Ident, Item, Member};
use syntax::{Code, Diagnostic, FileId, ItemKey, ItemKind, Loc};

use crate::SourceItem;
use crate::body::{Body, BodyKind, ContractScope, Env, Slot, is_builtin};
use crate::contracts::{ContractSignature, contract_signature};
use crate::declared::{TypeDeclaration, declare, type_params};
use crate::domain::{imi, imo, model, reward};
use crate::eval::Value;
use crate::hir::{FunctionId, Type};
use crate::imports::{Digests, Modules};
use crate::report::Report;
use crate::{domain, imports, types, walk};

/// All names that the bodies of a file can see outside their contract.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signatures {
    pub(crate) file: FileId,
    /// What the file declares.
    pub(crate) own: Arc<Interface>,
    /// What each domain declaration has become.
    pub(crate) generated: BTreeMap<ItemKey, Arc<[domain::GeneratedItem]>>,
    /// Single items of other files, by their names here.
    pub(crate) imported: Interface,
    /// Other files as a whole, by their names here.
    pub(crate) modules: BTreeMap<Arc<str>, Arc<Interface>>,
    /// Imported names with nothing behind them; that has been reported.
    pub(crate) broken: BTreeSet<Arc<str>>,
    /// Imported names that nothing but a mention gives a use.
    pub(crate) needy: BTreeSet<Arc<str>>,
    /// The files of weights that models name.
    pub(crate) digests: Digests,
    /// The function that an item declares, or the first one among a contract's members.
    pub(crate) first_function: BTreeMap<ItemKey, FunctionId>,
}

/// What a file declares, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// What kind of item each name is; of several kinds a declaration's, or the first in the source.
    pub(crate) kinds: BTreeMap<Arc<str>, ItemKind>,
    /// No value for constants whose mistake has been reported.
    pub(crate) consts: BTreeMap<Arc<str>, Option<Constant>>,
    pub(crate) functions: BTreeMap<Arc<str>, FnSignature>,
    pub(crate) contracts: BTreeMap<Arc<str>, ContractSignature>,
    /// The flows of models among them.
    pub(crate) rewards: BTreeMap<Arc<str>, Option<reward::Table>>,
    pub(crate) models: BTreeMap<Arc<str>, Option<Arc<model::Model>>>,
    /// What each `imo` has been proved to be; nothing if a proof failed, which has been reported.
    pub(crate) offerings: BTreeMap<Arc<str>, Option<imo::Offering>>,
    /// What each `imi` has been proved to be; nothing if a proof failed, which has been reported.
    pub(crate) campaigns: BTreeMap<Arc<str>, Option<imi::Campaign>>,
    pub(crate) types: BTreeMap<Arc<str>, TypeDeclaration>,
    pub(crate) plans: BTreeMap<Arc<str>, PlanSignature>,
}

impl Signatures {
    /// The constant of this name; inner `None` if its mistake has been reported.
    pub(crate) fn constant(&self, name: &str) -> Option<&Option<Constant>> {
        self.own.consts.get(name).or_else(|| self.imported.consts.get(name))
    }

    /// The function of this name.
    pub(crate) fn function(&self, name: &str) -> Option<&FnSignature> {
        self.own.functions.get(name).or_else(|| self.imported.functions.get(name))
    }

    /// The reward of this name; inner `None` if its proof failed, which has been reported.
    pub(crate) fn reward(&self, name: &str) -> Option<&Option<reward::Table>> {
        self.own.rewards.get(name).or_else(|| self.imported.rewards.get(name))
    }

    /// The model of this name; inner `None` if its proof failed, which has been reported.
    pub(crate) fn model(&self, name: &str) -> Option<&Option<Arc<model::Model>>> {
        self.own.models.get(name).or_else(|| self.imported.models.get(name))
    }

    /// The names of all models, for suggestions.
    pub(crate) fn model_names(&self) -> impl Iterator<Item = &str> {
        let all = self.own.kinds.iter().chain(&self.imported.kinds);
        all.filter(|(_, kind)| **kind == ItemKind::Model).map(|(name, _)| &**name)
    }

    /// The campaign of this name; inner `None` if its proof failed, which has been reported.
    pub(crate) fn campaign(&self, name: &str) -> Option<&Option<imi::Campaign>> {
        self.own.campaigns.get(name).or_else(|| self.imported.campaigns.get(name))
    }

    /// What kind of item a name is, whether declared or imported.
    pub(crate) fn kind(&self, name: &str) -> Option<ItemKind> {
        self.own.kinds.get(name).or_else(|| self.imported.kinds.get(name)).copied()
    }

    /// The module that a name stands for.
    pub(crate) fn module(&self, name: &str) -> Option<&Interface> {
        self.modules.get(name).map(|module| &**module)
    }

    /// The names of all imported modules, for suggestions.
    pub(crate) fn module_names(&self) -> impl Iterator<Item = &str> {
        self.modules.keys().map(|name| &**name)
    }

    /// Whether the name was imported from where it is not; that has been reported.
    pub(crate) fn is_broken(&self, name: &str) -> bool {
        self.broken.contains(name)
    }

    /// What other files can import from this one.
    pub fn interface(&self) -> &Arc<Interface> {
        &self.own
    }

    /// What the file declares, while it is put together.
    pub(crate) fn own_mut(&mut self) -> &mut Interface {
        Arc::make_mut(&mut self.own)
    }

    /// The struct or enum of this name.
    pub(crate) fn type_named(&self, name: &str) -> Option<&TypeDeclaration> {
        self.own.types.get(name).or_else(|| self.imported.types.get(name))
    }

    /// The names of all structs and enums, for suggestions.
    pub(crate) fn type_names(&self) -> impl Iterator<Item = &str> {
        self.own.types.keys().chain(self.imported.types.keys()).map(|name| &**name)
    }

    /// The contract that a path of names means.
    pub(crate) fn contract(&self, path: &[Ident]) -> Option<&ContractSignature> {
        match path {
            [name] => self.contract_called(name.as_str()),
            [module, name] => self.module(module.as_str())?.contracts.get(&name.name),
            _ => None,
        }
    }

    /// The contract of this name.
    pub(crate) fn contract_called(&self, name: &str) -> Option<&ContractSignature> {
        self.own.contracts.get(name).or_else(|| self.imported.contracts.get(name))
    }

    /// The plan that a path of names means.
    pub(crate) fn plan(&self, path: &[Ident]) -> Option<&PlanSignature> {
        match path {
            [name] => self.own.plans.get(&name.name).or_else(|| self.imported.plans.get(&name.name)),
            [module, name] => self.module(module.as_str())?.plans.get(&name.name),
            _ => None,
        }
    }

    /// The names of all plans, for suggestions.
    pub(crate) fn plan_names(&self) -> impl Iterator<Item = &str> {
        self.own.plans.keys().chain(self.imported.plans.keys()).map(|name| &**name)
    }

    /// The names of all contracts, for suggestions.
    pub(crate) fn contract_names(&self) -> impl Iterator<Item = &str> {
        self.own.contracts.keys().chain(self.imported.contracts.keys()).map(|name| &**name)
    }

    /// The names of all constants, for suggestions.
    pub(crate) fn constant_names(&self) -> impl Iterator<Item = &str> {
        self.own.consts.keys().chain(self.imported.consts.keys()).map(|name| &**name)
    }

    /// The names of all functions, for suggestions.
    pub(crate) fn function_names(&self) -> impl Iterator<Item = &str> {
        self.own.functions.keys().chain(self.imported.functions.keys()).map(|name| &**name)
    }

    /// The names of all rewards, for suggestions.
    pub(crate) fn reward_names(&self) -> impl Iterator<Item = &str> {
        self.own.rewards.keys().chain(self.imported.rewards.keys()).map(|name| &**name)
    }
}

impl Interface {
    /// Takes over what `other` calls `name`, as `local`.
    pub(crate) fn adopt(&mut self, local: &Arc<str>, other: &Interface, name: &str) {
        fn copy<T: Clone>(from: &BTreeMap<Arc<str>, T>, name: &str, to: &mut BTreeMap<Arc<str>, T>, local: &Arc<str>) {
            if let Some(item) = from.get(name) {
                to.entry(local.clone()).or_insert_with(|| item.clone());
            }
        }
        copy(&other.kinds, name, &mut self.kinds, local);
        copy(&other.consts, name, &mut self.consts, local);
        copy(&other.functions, name, &mut self.functions, local);
        copy(&other.rewards, name, &mut self.rewards, local);
        copy(&other.models, name, &mut self.models, local);
        copy(&other.campaigns, name, &mut self.campaigns, local);
        copy(&other.types, name, &mut self.types, local);
        copy(&other.contracts, name, &mut self.contracts, local);
        copy(&other.plans, name, &mut self.plans, local);
        if other.campaigns.contains_key(name) {
            // What is offered to the backers of a campaign reads the record of its escrow.
            let escrow = Arc::from(format!("{local}Escrow"));
            copy(&other.contracts, &format!("{name}Escrow"), &mut self.contracts, &escrow);
        }
    }
}

/// A constant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Constant {
    pub(crate) ty: Type,
    pub(crate) value: ConstantValue,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConstantValue {
    Item(Value),
    Share(RBig),
}

/// What a caller must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FnSignature {
    pub(crate) id: FunctionId,
    pub(crate) name: Arc<str>,
    /// The names of its type parameters.
    pub(crate) type_params: Arc<[Arc<str>]>,
    pub(crate) params: Vec<Slot>,
    pub(crate) ret: Option<Type>,
    pub(crate) loc: Loc,
}

/// What a test must know of a plan that it carries out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanSignature {
    /// Its name where it is declared.
    pub(crate) name: Arc<str>,
    pub(crate) args: Vec<Slot>,
    /// The names of its inputs.
    pub(crate) inputs: Vec<Arc<str>>,
    pub(crate) loc: Loc,
}

/// The messages are dropped: they come again when the plan is checked.
fn plan_signature(plan: &ast::Plan, signatures: &Signatures, report: &Report<'_>) -> PlanSignature {
    let args = slots(&plan.params, Taker::Plan, Env::of_file(signatures), &mut report.beside());
    let input = |stmt: &ast::PlanStmt| match &stmt.kind {
        ast::PlanStmtKind::Input { name, .. } => Some(name.name.clone()),
        _ => None,
    };
    let inputs = plan.stmts.iter().filter_map(input).collect();
    PlanSignature { name: plan.name.name.clone(), args, inputs, loc: report.loc(plan.name.span) }
}

/// Reads the interface of every item, computes the constants, proves the domain declarations and
/// adds the interface of the plain items that they become.
///
/// `modules` are those that [`crate::imports`] names. Pure and total: any tree gives signatures and
/// messages.
pub fn signatures(file: FileId, items: &[SourceItem<'_>], modules: &Modules) -> (Signatures, Vec<Diagnostic>) {
    signatures_with(file, items, modules, &Digests::new())
}

/// The same where files of weights are known: `digests` has those that [`crate::weights_files`] names.
pub fn signatures_with(
    file: FileId,
    items: &[SourceItem<'_>],
    modules: &Modules,
    digests: &Digests,
) -> (Signatures, Vec<Diagnostic>) {
    let (mut written, mut found) = interface(file, items, modules);
    written.digests.clone_from(digests);
    let proofs = domain::prove(&mut written, items);
    let (generated, unread) = domain::generate(&written, items);
    if generated.is_empty() {
        found.extend(proofs);
        return (written, found);
    }
    let of_declarations = generated.values().flatten().map(|(item, tree)| item.source_item(tree));
    let all = in_order(items, of_declarations.collect());
    let (mut whole, mut found) = interface(file, &all, modules);
    let (own, proved) = (whole.own_mut(), Arc::unwrap_or_clone(written.own));
    own.rewards = proved.rewards;
    own.models = proved.models;
    own.offerings = proved.offerings;
    own.campaigns = proved.campaigns;
    let without_trees = |items: Vec<(domain::GeneratedItem, Item)>| items.into_iter().map(|(item, _)| item).collect();
    whole.generated = generated.into_iter().map(|(key, items)| (key, without_trees(items))).collect();
    found.extend(proofs);
    found.extend(unread);
    (whole, found)
}

/// The items of a file and those that its declarations have become. Of two with one name the first is meant
/// everywhere, so where an author has taken a name that a declaration needs, what the declaration became comes first:
/// its parts fit each other, and the one message is about the name.
fn in_order<'a>(items: &[SourceItem<'a>], generated: Vec<SourceItem<'a>>) -> Vec<SourceItem<'a>> {
    let names: BTreeSet<&str> = generated.iter().map(|item| &*item.key.name).collect();
    let (declarations, plain): (Vec<_>, Vec<_>) =
        items.iter().copied().partition(|item| is_declaration(item) || matches!(item.ast, Item::Use(_)));
    if plain.iter().any(|item| names.contains(&*item.key.name)) {
        return declarations.into_iter().chain(generated).chain(plain).collect();
    }
    items.iter().copied().chain(generated).collect()
}

/// Whether an item stands for plain ones.
const fn is_declaration(item: &SourceItem<'_>) -> bool {
    matches!(item.ast, Item::Reward(_) | Item::Model(_) | Item::Imi(_) | Item::Imo(_))
}

/// Names, types and constants.
fn interface(file: FileId, items: &[SourceItem<'_>], modules: &Modules) -> (Signatures, Vec<Diagnostic>) {
    let mut signatures = Signatures { file, ..Signatures::default() };
    let (declared, mut found) = declared_names(file, items, signatures.own_mut());
    found.extend(imports::bind(&mut signatures, items, modules, &declared));
    number_functions(&mut signatures, items);
    // Constants call no functions, but a message may say so of one that exists.
    for (item, function) in functions(items) {
        let signature = unread_signature(function, &Report::new(file, item));
        signatures.own_mut().functions.entry(function.name.name.clone()).or_insert(signature);
    }
    found.extend(declare(&mut signatures, items));
    for item in items {
        if let Item::Contract(contract) = item.ast {
            let signature = contract_signature(contract, &signatures, &Report::new(file, item));
            signatures.own_mut().contracts.entry(contract.name.name.clone()).or_insert(signature);
        }
    }
    for item in items {
        if let Item::Plan(plan) = item.ast {
            let signature = plan_signature(plan, &signatures, &Report::new(file, item));
            signatures.own_mut().plans.entry(plan.name.name.clone()).or_insert(signature);
        }
    }
    let mut read: BTreeSet<&str> = BTreeSet::new();
    for (item, function) in functions(items) {
        let mut report = Report::new(file, item);
        let id = signatures.first_function.get(item.key).copied().unwrap_or(FunctionId::new(file, 0));
        let signature = function_signature(function, id, Env::of_file(&signatures), &mut report);
        if read.insert(function.name.as_str()) {
            signatures.own_mut().functions.insert(function.name.name.clone(), signature);
        }
        found.extend(report.finish());
    }
    (signatures, found)
}

fn functions<'i, 'a>(items: &'i [SourceItem<'a>]) -> impl Iterator<Item = (&'i SourceItem<'a>, &'a ast::Fn)> {
    items.iter().filter_map(|item| match item.ast {
        Item::Fn(function) => Some((item, function)),
        _ => None,
    })
}

/// A function before the types are known.
fn unread_signature(function: &ast::Fn, report: &Report<'_>) -> FnSignature {
    let name = &function.name;
    FnSignature {
        id: FunctionId::new(FileId::default(), 0),
        name: name.name.clone(),
        type_params: Arc::default(),
        params: Vec::new(),
        ret: None,
        loc: report.loc(name.span),
    }
}

/// Where each name is declared first. Contracts, rewards, models and types share their names; constants and
/// functions have their own.
fn declared_names(
    file: FileId,
    items: &[SourceItem<'_>],
    own: &mut Interface,
) -> (BTreeMap<Arc<str>, Loc>, Vec<Diagnostic>) {
    let mut declared = BTreeMap::new();
    let mut seen: BTreeMap<(u8, &str), (Loc, bool)> = BTreeMap::new();
    let mut places = BTreeSet::new();
    let mut found = Vec::new();
    for item in items {
        let space = match item.ast {
            Item::Const(_) => 0,
            Item::Fn(_) => 1,
            Item::Contract(_)
            | Item::Reward(_)
            | Item::Model(_)
            | Item::Imi(_)
            | Item::Imo(_)
            | Item::Struct(_)
            | Item::Enum(_) => 2,
            Item::Plan(_) => 3,
            Item::Test(_) => 4,
            Item::Use(_) | Item::Error(_) => continue,
        };
        let Some(name) = item.ast.name().filter(|name| !name.is_missing()) else { continue };
        let loc = item.loc(file, name.span);
        if !places.insert((name.name.clone(), loc.clone())) {
            // A declaration and the contract that it becomes.
            continue;
        }
        declared.entry(name.name.clone()).or_insert_with(|| loc.clone());
        let kind = own.kinds.entry(name.name.clone()).or_insert(item.key.kind);
        if is_declaration(item) {
            // Others speak of it as what it is, whatever else has its name.
            *kind = item.key.kind;
        }
        let is_generated = item.origins.is_some();
        match seen.get(&(space, name.as_str())) {
            Some((first, true)) if !is_generated => found.push(name_of_declaration(name, loc, first.clone())),
            Some((first, _)) => found.push(declared_twice(name, loc, first.clone())),
            None => drop(seen.insert((space, name.as_str()), (loc, is_generated))),
        }
    }
    (declared, found)
}

/// The message about a second declaration of a name.
pub(crate) fn declared_twice(name: &Ident, second: Loc, first: Loc) -> Diagnostic {
    Diagnostic::error(Code::E0105, format!("`{name}` is declared twice"), second)
        .saying("declared again here")
        .label(first, "the first is here")
        .help("rename one of them")
}

/// The message about a name that a declaration needs.
fn name_of_declaration(name: &Ident, second: Loc, first: Loc) -> Diagnostic {
    Diagnostic::error(Code::E0105, format!("`{name}` is declared twice"), second)
        .saying("declared here")
        .label(first, "this declaration stands for plain items, one of which has this name")
        .help("rename one of them; `bmc expand` prints what a declaration stands for")
}

/// Functions are numbered in source order, those of contracts among those of the file.
fn number_functions(signatures: &mut Signatures, items: &[SourceItem<'_>]) {
    let mut next = 0;
    for item in items {
        let count = match item.ast {
            Item::Fn(_) => 1,
            Item::Contract(contract) => {
                contract.members.iter().filter(|member| matches!(member, Member::Fn(_))).count()
            }
            _ => 0,
        };
        if count > 0 {
            signatures.first_function.insert(item.key.clone(), FunctionId::new(signatures.file, next));
            next += count;
        }
    }
}

/// The types of a function, and whether its name is free.
pub(crate) fn function_signature(
    function: &ast::Fn,
    id: FunctionId,
    env: Env<'_>,
    report: &mut Report<'_>,
) -> FnSignature {
    let name = &function.name;
    if is_builtin(name.as_str()) {
        let found = report.error(Code::E0105, format!("`{name}` is a function of the language"), name.span);
        report.push(found.help("choose another name"));
    }
    let type_params = type_params(&function.type_params, report);
    let env = Env { type_params: &type_params, ..env };
    let params = slots(&function.params, Taker::Function, env, report);
    let ret = match &function.result {
        None => Some(Type::Unit),
        Some(written) => match types::resolve(written, env, report) {
            Some(ty @ (Type::Share | Type::Sigs(_) | Type::List(_) | Type::Padding)) => {
                let message = format!("a function cannot give back `{ty}`");
                let found = report.error(Code::E0209, message, written.span);
                report.fail(found.help("let it give a value that a script can hold, such as `Int` or `Coin`"))
            }
            resolved => resolved.map(|ty| ty.read()),
        },
    };
    FnSignature { id, name: name.name.clone(), type_params, params, ret, loc: report.loc(name.span) }
}

/// Who takes values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taker {
    Contract,
    Path,
    Function,
    /// A plan takes whatever a wallet can be given.
    Plan,
}

impl Taker {
    /// Why it cannot take values of a type, as the next action.
    fn refuses(self, ty: &Type) -> Option<&'static str> {
        match (self, ty) {
            (_, Type::Share) => Some("take a number, such as a percentage as `Int`"),
            (Taker::Contract | Taker::Function, Type::Sigs(_)) => {
                Some("take the signatures as an argument of a spend path")
            }
            (Taker::Contract | Taker::Function, Type::Padding) => Some("take it as an argument of a spend path"),
            (Taker::Function, Type::List(_)) => Some("take it as a parameter of the contract or of a spend path"),
            _ => None,
        }
    }
}

/// Parameters or arguments with their types.
pub(crate) fn slots(params: &[ast::Param], taker: Taker, env: Env<'_>, report: &mut Report<'_>) -> Vec<Slot> {
    let mut seen: BTreeMap<&str, &Ident> = BTreeMap::new();
    let mut out = Vec::with_capacity(params.len());
    for param in params {
        let name = &param.name;
        if let Some(first) = seen.insert(name.as_str(), name).filter(|_| !name.is_missing()) {
            report.push(declared_twice(name, report.loc(name.span), report.loc(first.span)));
        }
        let ty = types::resolve(&param.ty, env, report).and_then(|ty| match taker.refuses(&ty) {
            Some(help) => {
                let message = format!("`{ty}` cannot be the type of `{name}`");
                report.fail(report.error(Code::E0209, message, param.ty.span).help(help))
            }
            None => Some(ty.read()),
        });
        out.push(Slot { name: name.name.clone(), ty, span: name.span });
    }
    out
}

/// Adds the constants of a contract to its scope.
pub(crate) fn member_constants<'a>(
    consts: &[&ast::Const],
    signatures: &'a Signatures,
    scope: &mut ContractScope,
    report: &mut Report<'a>,
) {
    scope.consts = unknown_constants(consts);
    let Order { order, circles } = evaluation_order(consts);
    for constant in order.iter().filter_map(|index| consts.get(*index)) {
        if let Some(value) = evaluate_member(constant, signatures, scope, report) {
            scope.consts.insert(constant.name.name.clone(), Some(value));
        }
    }
    for constant in circles.iter().filter_map(|index| consts.get(*index)) {
        report.push(circle(constant, report));
    }
}

/// Like [`evaluate`], in a scope that is still growing; the messages outlive it.
fn evaluate_member<'a>(
    constant: &ast::Const,
    signatures: &'a Signatures,
    scope: &ContractScope,
    report: &mut Report<'a>,
) -> Option<Constant> {
    let mut inner: Report<'_> = report.beside();
    let value = evaluate(constant, Env { contract: Some(scope), ..Env::of_file(signatures) }, &mut inner);
    report.absorb(inner);
    value
}

fn circle(constant: &ast::Const, report: &Report<'_>) -> Diagnostic {
    let name = &constant.name;
    report
        .error(Code::E0109, format!("`{name}` is computed from itself"), name.span)
        .help("give one of the constants of the circle a plain value")
}

fn unknown_constants(consts: &[&ast::Const]) -> BTreeMap<Arc<str>, Option<Constant>> {
    consts.iter().map(|constant| (constant.name.name.clone(), None)).collect()
}

pub(crate) fn evaluate<'a>(constant: &ast::Const, env: Env<'a>, report: &mut Report<'a>) -> Option<Constant> {
    let declared = constant.ty.as_ref().map(|ty| types::resolve(ty, env, report));
    let is_share = match &declared {
        Some(Some(ty)) => *ty == Type::Share,
        Some(None) => return None,
        None => matches!(constant.value.kind, ast::ExprKind::Percent(_)),
    };
    if is_share {
        let value = reward::share(&constant.value, env, report)?;
        return Some(Constant { ty: Type::Share, value: ConstantValue::Share(value) });
    }
    Body::new(env, BodyKind::Constant, &[], report).constant(&constant.value, declared.flatten().map(|ty| ty.read()))
}

/// In which order constants are computed.
struct Order {
    /// All of them, those last that cannot be computed.
    order: Vec<usize>,
    /// Those that are computed from themselves.
    circles: Vec<usize>,
}

/// Constants in an order in which each follows what it reads, as far as there is one.
///
/// This is Kahn's algorithm: a chain of constants may be longer than a call stack is deep.
fn evaluation_order(consts: &[&ast::Const]) -> Order {
    let mut index_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, constant) in consts.iter().enumerate() {
        index_of.entry(constant.name.as_str()).or_insert(index);
    }
    let reads: Vec<BTreeSet<usize>> = consts
        .iter()
        .map(|constant| {
            let mut read = BTreeSet::new();
            let mut visit = |expr: &ast::Expr| {
                if let ast::ExprKind::Name(name) = &expr.kind {
                    read.extend(index_of.get(name.as_str()).copied());
                }
            };
            walk::ast_expr(&constant.value, &mut visit, &mut |_| {});
            read
        })
        .collect();
    let (mut order, left) = order_of(&reads);
    let circles = on_circles(&reads, &left);
    order.extend(left);
    Order { order, circles }
}

/// Those of `left` that lie on a circle, or between two, rather than only behind one.
pub(crate) fn on_circles(needs: &[BTreeSet<usize>], left: &[usize]) -> Vec<usize> {
    let left: BTreeSet<usize> = left.iter().copied().collect();
    let mut needed_by: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); needs.len()];
    for index in &left {
        for other in needs.get(*index).into_iter().flatten().filter(|other| left.contains(other)) {
            if let Some(set) = needed_by.get_mut(*other) {
                set.insert(*index);
            }
        }
    }
    order_of(&needed_by).1
}

/// Indexes in an order in which each follows those it needs, and those on or behind a circle.
pub(crate) fn order_of(needs: &[BTreeSet<usize>]) -> (Vec<usize>, Vec<usize>) {
    let mut waiting: Vec<usize> = needs.iter().map(BTreeSet::len).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (index, need) in needs.iter().enumerate() {
        for other in need {
            if let Some(list) = needed_by.get_mut(*other) {
                list.push(index);
            }
        }
    }
    let mut ready: VecDeque<usize> =
        waiting.iter().enumerate().filter(|(_, count)| **count == 0).map(|(index, _)| index).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(index) = ready.pop_front() {
        order.push(index);
        for next in needed_by.get(index).into_iter().flatten() {
            let Some(count) = waiting.get_mut(*next) else { continue };
            *count -= 1;
            if *count == 0 {
                ready.push_back(*next);
            }
        }
    }
    let left = waiting.iter().enumerate().filter(|(_, count)| **count > 0).map(|(index, _)| index).collect();
    (order, left)
}
