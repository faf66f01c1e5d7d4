//! What files declare and import, by name.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use analysis::ModulePath;
use driver::{ItemView, Session};
use syntax::ast::{self, Ident, Item, Member};
use syntax::{FileId, ItemKey, ItemKind, Span};

use super::{Def, DefKind, Target};

/// What an imported name stands for.
#[derive(Clone, Debug)]
pub(crate) enum Import {
    Module(FileId),
    Item(FileId, Arc<str>),
}

/// The names of one file outside of its items.
pub(crate) struct FileNames<'s> {
    pub(crate) items: Vec<ItemView<'s>>,
    by_name: HashMap<&'s str, usize>,
    by_key: HashMap<&'s ItemKey, usize>,
    pub(crate) imports: HashMap<&'s str, Import>,
}

impl<'s> FileNames<'s> {
    /// The item that has this key.
    pub(crate) fn of_key(&self, key: &ItemKey) -> Option<ItemView<'s>> {
        self.by_key.get(key).and_then(|index| self.items.get(*index)).copied()
    }
}

/// The files of a session, each read once for one question.
pub(crate) struct Files<'s> {
    pub(crate) session: &'s Session,
    read: RefCell<HashMap<FileId, Rc<FileNames<'s>>>>,
}

impl<'s> Files<'s> {
    pub(crate) fn new(session: &'s Session) -> Self {
        Self { session, read: RefCell::default() }
    }

    /// The names of a file.
    pub(crate) fn of(&self, file: FileId) -> Rc<FileNames<'s>> {
        if let Some(known) = self.read.borrow().get(&file) {
            return Rc::clone(known);
        }
        let names = Rc::new(self.names(file));
        self.read.borrow_mut().insert(file, Rc::clone(&names));
        names
    }

    fn names(&self, file: FileId) -> FileNames<'s> {
        let items = self.session.items(file);
        let mut by_name = HashMap::new();
        let by_key = items.iter().enumerate().map(|(index, item)| (item.key, index)).collect();
        let mut imports = HashMap::new();
        for (index, item) in items.iter().enumerate() {
            if let Some(name) = item.ast.name().filter(|name| !name.is_missing()) {
                by_name.entry(name.as_str()).or_insert(index);
            }
            if let Item::Use(used) = item.ast {
                for leaf in analysis::leaves(used) {
                    let Some(module) = self.module(file, &leaf.module) else { continue };
                    let import = match leaf.item {
                        None => Import::Module(module),
                        Some(item) => Import::Item(module, item.name.clone()),
                    };
                    imports.entry(leaf.local.as_str()).or_insert(import);
                }
            }
        }
        FileNames { items, by_name, by_key, imports }
    }

    /// The file that a module is, as `file` names it.
    pub(crate) fn module(&self, file: FileId, module: &ModulePath) -> Option<FileId> {
        self.session.modules(file)?.get(module)?.as_ref().ok().copied()
    }

    /// The item of this name.
    pub(crate) fn item(&self, file: FileId, name: &str) -> Option<ItemView<'s>> {
        let names = self.of(file);
        names.by_name.get(name).and_then(|index| names.items.get(*index)).copied()
    }

    /// Where a file declares an item of this name.
    pub(crate) fn declared(&self, file: FileId, name: &str) -> Option<Def> {
        let item = self.item(file, name)?;
        Some(def_of(file, item, item.ast.name()?.span, DefKind::Item(item.key.kind)))
    }

    /// What a name means outside of all items.
    pub(crate) fn named(&self, own: &FileNames<'s>, file: FileId, name: &str) -> Option<Target> {
        if own.by_name.contains_key(name) {
            return self.declared(file, name).map(Target::Def);
        }
        Some(match own.imports.get(name)? {
            Import::Module(module) => Target::Module(*module),
            Import::Item(module, item) => Target::Def(self.declared(*module, item)?),
        })
    }

    /// The item that declares what is defined.
    pub(crate) fn view(&self, def: &Def) -> Option<ItemView<'s>> {
        self.of(def.file).of_key(&def.item)
    }

    /// The input of this name of a plan.
    pub(crate) fn input_of(&self, plan: &Def, name: &str) -> Option<Def> {
        let item = self.view(plan)?;
        let Item::Plan(ast) = item.ast else { return None };
        let found = ast.stmts.iter().find_map(|stmt| match &stmt.kind {
            ast::PlanStmtKind::Input { name: known, .. } if known.as_str() == name => Some(known.span),
            _ => None,
        })?;
        Some(def_of(plan.file, item, found, DefKind::Input))
    }

    /// The struct or enum of this name that `file` can see; elsewhere in the session if it cannot see one.
    pub(crate) fn type_named(&self, file: FileId, name: &str) -> Option<(FileId, ItemView<'s>)> {
        let is_type = |item: &ItemView<'_>| matches!(item.key.kind, ItemKind::Struct | ItemKind::Enum);
        if let Some(Target::Def(def)) = self.named(&self.of(file), file, name) {
            return self.view(&def).filter(is_type).map(|item| (def.file, item));
        }
        let others = self.session.sources().map(|(id, _)| id);
        others.filter_map(|id| Some((id, self.item(id, name).filter(is_type)?))).next()
    }
}

pub(crate) fn def_of(file: FileId, item: ItemView<'_>, span: Span, kind: DefKind) -> Def {
    Def { file, item: item.key.clone(), span, kind }
}

fn named<'t>(fields: &'t [ast::Field], name: &str) -> Option<&'t Ident> {
    fields.iter().map(|field| &field.name).find(|field| field.as_str() == name)
}

/// The field of a struct.
pub(crate) fn field_of(file: FileId, item: ItemView<'_>, name: &str) -> Option<Def> {
    let Item::Struct(of) = item.ast else { return None };
    Some(def_of(file, item, named(&of.fields, name)?.span, DefKind::Field))
}

/// A variant of an enum.
pub(crate) fn variant_of(file: FileId, item: ItemView<'_>, name: &str) -> Option<Def> {
    let Item::Enum(of) = item.ast else { return None };
    let variant = of.variants.iter().find(|variant| variant.name.as_str() == name)?;
    Some(def_of(file, item, variant.name.span, DefKind::Variant))
}

/// A field of a variant.
pub(crate) fn variant_field(file: FileId, item: ItemView<'_>, variant: Span, name: &str) -> Option<Def> {
    let Item::Enum(of) = item.ast else { return None };
    let variant = of.variants.iter().find(|known| known.name.span == variant)?;
    let ast::VariantFields::Struct(fields) = &variant.fields else { return None };
    Some(def_of(file, item, named(fields, name)?.span, DefKind::Field))
}

/// A path of a contract.
pub(crate) fn path_of(file: FileId, item: ItemView<'_>, name: &str) -> Option<Def> {
    let spend = spend_of(item, name)?;
    Some(def_of(file, item, spend.name.span, DefKind::Path))
}

/// A path of a contract.
pub(crate) fn spend_of<'s>(item: ItemView<'s>, name: &str) -> Option<&'s ast::Spend> {
    let Item::Contract(contract) = item.ast else { return None };
    contract.members.iter().find_map(|member| match member {
        Member::Spend(spend) if spend.name.as_str() == name => Some(spend),
        _ => None,
    })
}

/// A field of the state of a contract.
pub(crate) fn state_field_of(file: FileId, item: ItemView<'_>, name: &str) -> Option<Def> {
    let Item::Contract(contract) = item.ast else { return None };
    let fields = contract.members.iter().find_map(|member| match member {
        Member::State(state) => Some(&state.fields),
        _ => None,
    })?;
    Some(def_of(file, item, named(fields, name)?.span, DefKind::State))
}
