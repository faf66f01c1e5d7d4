//! What the `use` items of a file ask for, and what they bring into it.
//!
//! A file is a module. [`imports`] lists the modules that a file names; who reads files resolves each
//! to the [`Interface`] of that module, or says why it cannot, and [`crate::signatures()`] binds the names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use syntax::ast::{Ident, Item, Use};
use syntax::{Code, Diagnostic, Effect, Fix, ItemKind, Loc, Span, TokenKind};

use crate::body::is_builtin;
use crate::domain::model;
use crate::report::Report;
use crate::signatures::{Interface, Signatures, declared_twice};
use crate::{SourceItem, list};

/// The package that the compiler brings along.
pub const STD: &str = "std";

/// The module that a `use` names, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModulePath {
    /// `std`, or the name of a dependency; `None` for a file that is found from this one by `./`.
    pub package: Option<Arc<str>>,
    /// The folders between, `..` among them as written.
    pub folders: Vec<Arc<str>>,
    /// The name of the file, without its extension.
    pub name: Arc<str>,
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.package {
            Some(package) => write!(f, "{package}::")?,
            None => f.write_str("./")?,
        }
        self.folders.iter().try_for_each(|folder| write!(f, "{folder}/"))?;
        f.write_str(&self.name)
    }
}

/// Why a `use` leads to no module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ModuleProblem {
    /// There is no such file.
    Missing {
        /// The modules that are there.
        known: Vec<Arc<str>>,
    },
    /// The package is no dependency.
    UnknownPackage {
        /// The packages that can be named.
        known: Vec<Arc<str>>,
    },
    /// The path leaves the folder of the package.
    Outside,
    /// The file belongs to the dependency of this name.
    OfDependency(Arc<str>),
    /// The module imports the file that names it, directly or through others.
    Circle {
        /// The files of the circle, in the order of their paths.
        files: Vec<Arc<str>>,
    },
    /// It is there but cannot be read.
    Unreadable(String),
}

/// The modules that a file names, each with its interface or the reason why it has none.
pub type Modules = BTreeMap<ModulePath, Result<Arc<Interface>, ModuleProblem>>;

/// The SHA-256 of each file of weights that a file names, or why there is none.
pub type Digests = BTreeMap<Arc<str>, Result<[u8; 32], String>>;

/// The files of weights that the models among `items` name, in the order of their names.
///
/// ```
/// let text = "model M { weights: file \"m.safetensors\", reward: R, license: \"mit\" }";
/// let parse = syntax::parse(text);
/// let files = analysis::weights_files(&analysis::source_items(&parse, text));
/// assert_eq!(files.iter().map(|file| &**file).collect::<Vec<_>>(), ["m.safetensors"]);
/// ```
pub fn weights_files(items: &[SourceItem<'_>]) -> Vec<Arc<str>> {
    let models = items.iter().filter_map(|item| match item.ast {
        Item::Model(model) => Some(model),
        _ => None,
    });
    let mut found: Vec<Arc<str>> = models.filter_map(model::weights_file).collect();
    found.sort();
    found.dedup();
    found
}

/// The modules that the `use` items among `items` name, in the order of their paths.
///
/// ```
/// let text = "use std::math::isqrt; use ./shares::Share;";
/// let parse = syntax::parse(text);
/// let modules = analysis::imports(&analysis::source_items(&parse, text));
/// let names: Vec<String> = modules.iter().map(ToString::to_string).collect();
/// assert_eq!(names, ["./shares", "std::math"]);
/// ```
pub fn imports(items: &[SourceItem<'_>]) -> Vec<ModulePath> {
    let mut found: Vec<ModulePath> = uses(items).flat_map(|(_, used)| leaves(used)).map(|leaf| leaf.module).collect();
    found.sort();
    found.dedup();
    found
}

/// The items that the `use` items among `items` name, each with its module: what a wallet may want to deploy, if it is
/// a contract.
pub fn imported_items(items: &[SourceItem<'_>]) -> Vec<(ModulePath, Arc<str>)> {
    let named = |leaf: Leaf<'_>| Some((leaf.module, leaf.item?.name.clone()));
    uses(items).flat_map(|(_, used)| leaves(used)).filter_map(named).collect()
}

fn uses<'t, 'a>(items: &'t [SourceItem<'a>]) -> impl Iterator<Item = (&'t SourceItem<'a>, &'a Use)> {
    items.iter().filter_map(|item| match item.ast {
        Item::Use(used) => Some((item, used)),
        _ => None,
    })
}

/// One name that a `use` brings.
#[derive(Clone, Debug)]
pub struct Leaf<'a> {
    /// The module that it comes from.
    pub module: ModulePath,
    /// The name of the package, if there is one, and that of the module.
    pub place: (Option<Span>, Span),
    /// The item, or `None` for the module itself.
    pub item: Option<&'a Ident>,
    /// What it is called here.
    pub local: &'a Ident,
}

/// The names that a `use` brings; none if it does not say which.
pub fn leaves(used: &Use) -> Vec<Leaf<'_>> {
    let (package, rest) = match (used.relative, used.path.as_slice()) {
        (true, rest) => (None, rest),
        (false, [package, rest @ ..]) => (Some(package), rest),
        (false, []) => return Vec::new(),
    };
    let alias = used.alias.as_ref();
    let found: Vec<Leaf<'_>> = match (rest, &used.group) {
        ([module], None) => vec![leaf(used, package, module, None, alias)],
        ([module, item], None) => vec![leaf(used, package, module, Some(item), alias)],
        ([module], Some(items)) => {
            items.iter().map(|item| leaf(used, package, module, Some(&item.name), item.alias.as_ref())).collect()
        }
        ([], Some(modules)) if package.is_some() => {
            modules.iter().map(|module| leaf(used, package, &module.name, None, module.alias.as_ref())).collect()
        }
        _ => Vec::new(),
    };
    found.into_iter().filter(|leaf| !leaf.is_broken()).collect()
}

fn leaf<'a>(
    used: &'a Use,
    package: Option<&'a Ident>,
    module: &'a Ident,
    item: Option<&'a Ident>,
    alias: Option<&'a Ident>,
) -> Leaf<'a> {
    let folders = used.folders.iter().map(|folder| folder.name.clone()).collect();
    Leaf {
        module: ModulePath { package: package.map(|name| name.name.clone()), folders, name: module.name.clone() },
        place: (package.map(|package| package.span), module.span),
        item,
        local: alias.or(item).unwrap_or(module),
    }
}

/// What goes when nothing uses an imported name: its part of the braces, or, if it is the only one, the item.
fn removal(used: &Use, local: &Ident) -> Span {
    let group = used.group.as_deref().unwrap_or_default();
    let spans: Vec<Span> =
        group.iter().map(|name| name.alias.as_ref().unwrap_or(&name.name).span.to(name.name.span)).collect();
    match spans.iter().position(|span| span.to(local.span) == *span) {
        Some(index) => list::without(&spans, index).unwrap_or(used.span),
        None => used.span,
    }
}

impl Leaf<'_> {
    /// Whether a name is missing, which has been reported.
    fn is_broken(&self) -> bool {
        let missing = |name: &str| name.is_empty();
        missing(&self.module.name)
            || self.module.package.as_deref().is_some_and(missing)
            || self.module.folders.iter().any(|folder| missing(folder))
            || missing(&self.local.name)
            || self.item.is_some_and(Ident::is_missing)
    }
}

/// Brings the imported names into `signatures`, whose own names are known already.
///
/// `declared` says where the file declares a name itself.
pub(crate) fn bind(
    signatures: &mut Signatures,
    items: &[SourceItem<'_>],
    modules: &Modules,
    declared: &BTreeMap<Arc<str>, Loc>,
) -> Vec<Diagnostic> {
    let mut binder = Binder { modules, signatures, declared, seen: BTreeMap::new() };
    let mut found = Vec::new();
    for (item, used) in uses(items) {
        let mut report = Report::new(binder.signatures.file, item);
        binder.bind(used, &mut report);
        found.extend(report.finish());
    }
    let needy = binder.seen.into_iter().filter(|(_, seen)| seen.needs_use);
    signatures.needy = needy.map(|(name, _)| name).collect();
    found
}

struct Binder<'a, 's> {
    modules: &'a Modules,
    signatures: &'s mut Signatures,
    declared: &'a BTreeMap<Arc<str>, Loc>,
    /// What was imported, by name. Naming a contract is a use, because its artifact is made.
    seen: BTreeMap<Arc<str>, Seen>,
}

/// An imported name.
struct Seen {
    loc: Loc,
    /// Whether nothing but a mention gives it a use.
    needs_use: bool,
}

impl Binder<'_, '_> {
    fn bind(&mut self, used: &Use, report: &mut Report<'_>) {
        let leaves = leaves(used);
        let grouped = used.group.iter().flatten().map(|name| &name.name);
        let mut names = used.path.iter().chain(&used.folders).chain(grouped).chain(&used.alias);
        if leaves.is_empty() && !names.any(Ident::is_missing) {
            self.malformed(used, report);
        }
        let mut told = BTreeSet::new();
        for leaf in leaves {
            let bound = self.leaf(&leaf, &mut told, report);
            self.remember(leaf.local, bound, report);
        }
    }

    /// Binds one name; says whether there is something behind it. One `use` complains once about a module.
    fn leaf(&mut self, leaf: &Leaf<'_>, told: &mut BTreeSet<ModulePath>, report: &mut Report<'_>) -> bool {
        let missing = Err(ModuleProblem::Missing { known: Vec::new() });
        let interface = match self.modules.get(&leaf.module).unwrap_or(&missing) {
            Ok(interface) => interface,
            Err(problem) => {
                if told.insert(leaf.module.clone()) {
                    let found = problem_of(&leaf.module, problem, leaf.place, report);
                    report.push(found);
                }
                return false;
            }
        };
        let Some(item) = leaf.item else {
            self.signatures.modules.entry(leaf.local.name.clone()).or_insert_with(|| Arc::clone(interface));
            return true;
        };
        if !interface.kinds.contains_key(&item.name) {
            let found = report.error(Code::E0121, format!("`{}` has no `{item}`", leaf.module), item.span);
            let close = report.did_you_mean(item.as_str(), interface.kinds.keys().map(|name| &**name));
            report.push(found.help(close.or_say(|| contents(interface))));
            return false;
        }
        self.signatures.imported.adopt(&leaf.local.name, interface, &item.name);
        true
    }

    /// Refuses a name that means something else here already.
    fn remember(&mut self, local: &Ident, bound: bool, report: &mut Report<'_>) {
        let loc = report.loc(local.span);
        if !bound {
            self.signatures.broken.insert(local.name.clone());
        }
        if let Some(first) = self.seen.get(&local.name) {
            report.push(import_clash(local, loc, first.loc.clone()));
            return;
        }
        if let Some(first) = self.declared.get(&local.name) {
            report.push(import_clash(local, loc.clone(), first.clone()));
        } else if bound && is_builtin(local.as_str()) {
            let found = report.error(Code::E0105, format!("`{local}` is a function of the language"), local.span);
            report.push(found.help(format!("import it by another name: `.. as my_{local}`")));
        }
        let is_contract = self.signatures.kind(&local.name) == Some(ItemKind::Contract);
        self.seen.insert(local.name.clone(), Seen { loc, needs_use: bound && !is_contract });
    }

    fn malformed(&self, used: &Use, report: &mut Report<'_>) {
        let span = used.path.iter().map(|name| name.span).reduce(Span::to).unwrap_or(used.span);
        let help = match (used.relative, used.path.as_slice()) {
            (false, [only]) if only.as_str() == STD => "name a module of it: `use std::math;`".to_owned(),
            (false, [only]) => format!(
                "write `use ./{only};` for the file beside this one, `use {only}::module;` for a module of a dependency"
            ),
            _ => "write `use package::module;`, `use package::module::Item;` or `use ./module::Item;`".to_owned(),
        };
        report.push(report.error(Code::E0125, "this names no module", span).help(help));
    }
}

fn import_clash(name: &Ident, second: Loc, first: Loc) -> Diagnostic {
    declared_twice(name, second, first).help(format!("give the imported one another name: `.. as other_{name}`"))
}

fn contents(interface: &Interface) -> String {
    let names: Vec<String> =
        interface.kinds.iter().take(6).map(|(name, kind)| format!("{} `{name}`", kind.word())).collect();
    match (names.len(), interface.kinds.len()) {
        (0, _) => "it declares nothing".to_owned(),
        (shown, all) if shown < all => format!("it declares {}, and more", names.join(", ")),
        _ => format!("it declares {}", names.join(", ")),
    }
}

/// The message about a module that cannot be imported.
fn problem_of(
    module: &ModulePath,
    problem: &ModuleProblem,
    place: (Option<Span>, Span),
    report: &mut Report<'_>,
) -> Diagnostic {
    let (package_span, span) = place;
    match problem {
        ModuleProblem::Missing { known } => {
            let found = report.error(Code::E0120, format!("there is no module `{module}`"), span);
            let close = report.did_you_mean(&module.name, known.iter().map(|name| &**name));
            found.help(close.or_say(|| where_to_put(module, known)))
        }
        ModuleProblem::UnknownPackage { known } => {
            let package = module.package.as_deref().unwrap_or_default();
            let found =
                report.error(Code::E0120, format!("there is no package `{package}`"), package_span.unwrap_or(span));
            let close = report.did_you_mean(package, known.iter().map(|name| &**name));
            found.help(close.or_say(|| {
                format!(
                    "add it to `[dependencies]` in bmc.toml, or write `use ./{package};` for the file beside this one"
                )
            }))
        }
        ModuleProblem::Outside => report
            .error(Code::E0124, format!("`{module}` lies outside the package"), span)
            .help("import files of the package only; make the other folder a dependency in bmc.toml"),
        ModuleProblem::OfDependency(name) => report
            .error(Code::E0124, format!("`{module}` belongs to the dependency `{name}`"), span)
            .help(format!("write `use {name}::{};`", module.name)),
        ModuleProblem::Circle { files } => {
            let names: Vec<String> = files.iter().take(6).map(|file| format!("`{file}`")).collect();
            let more = if files.len() > names.len() { " and others" } else { "" };
            let message = match names.as_slice() {
                [only] => format!("{only} imports itself"),
                names => format!("{}{more} import each other in a circle", names.join(", ")),
            };
            report.error(Code::E0122, message, span).help("move what both sides need into a file of its own")
        }
        ModuleProblem::Unreadable(why) => report
            .error(Code::E0120, format!("the module `{module}` cannot be read: {why}"), span)
            .help("correct the file, or remove the import"),
    }
}

fn where_to_put(module: &ModulePath, known: &[Arc<str>]) -> String {
    let names = known.iter().take(12).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (&module.package, known.is_empty()) {
        (None, _) => format!("write the file `{}.bmc`, or correct the path", module.name),
        (Some(_), true) => "the package has no module at its top".to_owned(),
        (Some(package), false) => format!("`{package}` has {names}"),
    }
}

/// Warns about imported names that none of a file's items mentions. Only all of them show it; each item says in
/// [`crate::CheckedItem::mentioned`] which ones it does.
pub fn unused_imports<'n>(
    signatures: &Signatures,
    items: impl IntoIterator<Item = SourceItem<'n>>,
    mentioned: impl IntoIterator<Item = &'n Arc<str>>,
) -> Vec<Diagnostic> {
    let mut left: BTreeSet<&Arc<str>> = signatures.needy.iter().collect();
    for name in mentioned {
        left.remove(name);
    }
    let mut found = Vec::new();
    if left.is_empty() {
        return found;
    }
    for (item, used) in uses(&items.into_iter().collect::<Vec<_>>()) {
        for leaf in leaves(used).iter().filter(|leaf| left.remove(&leaf.local.name)) {
            let (local, whole) = (item.loc(signatures.file, leaf.local.span), removal(used, leaf.local));
            let warning = Diagnostic::warning(Code::E0123, format!("nothing uses the import `{}`", leaf.local), local);
            let fix = Fix::new("remove the import", Effect::Keeps).remove(item.loc(signatures.file, whole));
            found.push(warning.help("remove it").fix(fix));
        }
    }
    found
}

/// The imported names that an item mentions, as far as anything has to use them.
pub(crate) fn mentioned(signatures: &Signatures, item: &SourceItem<'_>) -> BTreeSet<Arc<str>> {
    // What a declaration becomes mentions nothing that the declaration does not.
    if signatures.needy.is_empty() || item.origins.is_some() || matches!(item.ast, Item::Use(_)) {
        return BTreeSet::new();
    }
    let needy = |name| signatures.needy.get(name).map(Arc::clone);
    mentions(item.text).into_iter().filter_map(needy).collect()
}

/// The names in a text, fields and methods apart.
fn mentions(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut after_dot = false;
    for (kind, span) in syntax::lex(text).iter().filter(|(kind, _)| !kind.is_trivia()) {
        if kind == TokenKind::Ident && !after_dot {
            names.extend(text.get(span.range()));
        }
        after_dot = kind == TokenKind::Dot;
    }
    names
}
