//! What the names of an item mean: one table for definitions, references, renaming, highlighting and hovers.
//!
//! Names are found in the tree, scope by scope, so that they mean something even where types are wrong; only fields ask
//! for types. The frames of the scopes stay with the table: they say what can be written at a place.

mod bodies;
mod cursor;
mod files;
mod plans;
mod shapes;
mod types;

use std::sync::Arc;

use driver::ItemView;
use syntax::ast::{self, Ident, Item};
use syntax::{FileId, ItemKey, ItemKind, Span};

pub(crate) use cursor::{Cursor, item_at};
pub(crate) use files::{FileNames, Files, Import};
pub(crate) use shapes::Shape;

use crate::words::Fact;

/// What a definition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DefKind {
    /// A `let`, a name of a pattern, the variable of a loop.
    Local,
    /// An argument of a path, function, plan or property.
    Argument,
    /// A parameter of a contract.
    Parameter,
    /// A type parameter.
    TypeParameter,
    /// An input of a plan.
    Input,
    /// A field of a struct or variant.
    Field,
    /// A field of a contract's state.
    State,
    /// A form of an enum.
    Variant,
    /// One way to spend a contract.
    Path,
    /// A source of a reward, or a setting of a declaration.
    Entry,
    /// An item of a file, or a constant or function of a contract.
    Item(ItemKind),
}

/// Where something is declared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Def {
    pub(crate) file: FileId,
    pub(crate) item: ItemKey,
    /// Its name, counted from the start of the item.
    pub(crate) span: Span,
    pub(crate) kind: DefKind,
}

/// What a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Def(Def),
    /// A file that is imported as a whole.
    Module(FileId),
    /// A function of the language.
    Builtin,
    /// A type of the language.
    Type,
    /// A field of `tx`, of a coin or of a token.
    Fact(&'static Fact),
    /// Nothing that is known.
    Unknown,
}

/// A name that stands in an item.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    /// Counted from the start of the item.
    pub(crate) span: Span,
    pub(crate) target: Target,
    /// It stands where what it means is declared.
    pub(crate) declares: bool,
    /// It is written to.
    pub(crate) writes: bool,
    /// It stands for a field too: the `x` of `Point { x }`.
    pub(crate) short: Option<Def>,
}

/// Names that can be written in a part of an item.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    pub(crate) span: Span,
    /// Each name with the byte behind which it is known.
    pub(crate) names: Vec<(Arc<str>, u32, Def)>,
}

/// The names of one item.
#[derive(Clone, Debug, Default)]
pub(crate) struct ItemNames {
    /// In the order of their places.
    pub(crate) names: Vec<Name>,
    /// Inner frames before those around them.
    pub(crate) frames: Vec<Frame>,
}

impl ItemNames {
    /// The name at a byte of the item, also just behind it.
    pub(crate) fn at(&self, offset: u32) -> Option<&Name> {
        let around = self.names.iter().filter(|name| name.span.touches(offset) && !name.span.is_empty());
        around.max_by_key(|name| (name.span.start <= offset && offset < name.span.end, name.span.start))
    }

    /// What is declared in the item and can be named at a byte of it, the innermost first.
    pub(crate) fn visible(&self, offset: u32) -> Vec<(&Arc<str>, &Def)> {
        let around = self.frames.iter().filter(|frame| frame.span.touches(offset));
        let names = around.flat_map(|frame| frame.names.iter().rev());
        let mut found: Vec<(&Arc<str>, &Def)> = Vec::new();
        for (name, _, def) in names.filter(|(_, from, _)| *from <= offset) {
            if !found.iter().any(|(known, _)| *known == name) {
                found.push((name, def));
            }
        }
        found
    }
}

/// Fields are looked up by the types of what stands before the dot, which takes one more check of the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    Names,
    Fields,
}

/// Goes through an item and finds out what its names mean.
pub(crate) struct Resolver<'f, 's> {
    files: &'f Files<'s>,
    file: FileId,
    item: ItemView<'s>,
    own: std::rc::Rc<FileNames<'s>>,
    depth: Depth,
    open: Vec<Frame>,
    /// The state of the contract around.
    state: Option<&'s ast::State>,
    out: ItemNames,
}

/// The names of an item.
pub(crate) fn names_of<'s>(files: &Files<'s>, file: FileId, item: ItemView<'s>, depth: Depth) -> ItemNames {
    let own = files.of(file);
    let mut resolver =
        Resolver { files, file, item, own, depth, open: Vec::new(), state: None, out: ItemNames::default() };
    resolver.item(item.ast);
    while !resolver.open.is_empty() {
        resolver.leave();
    }
    resolver.out.names.sort_by_key(|name| (name.span, !name.declares));
    resolver.out.names.dedup_by_key(|name| name.span);
    resolver.out
}

impl<'s> Resolver<'_, 's> {
    fn item(&mut self, item: &'s Item) {
        if let Some(name) = item.name() {
            self.declare_here(name, DefKind::Item(self.item.key.kind));
        }
        match item {
            Item::Use(used) => self.imports(used),
            Item::Const(constant) => self.constant(constant),
            Item::Struct(item) => {
                self.enter(item.span);
                self.type_params(&item.type_params);
                self.fields(&item.fields, DefKind::Field);
            }
            Item::Enum(item) => self.variants(item),
            Item::Fn(function) => self.function(function),
            Item::Contract(contract) => self.contract(contract),
            Item::Reward(item) => self.entries(&item.entries),
            Item::Model(item) => self.entries(&item.entries),
            Item::Imi(item) => self.entries(&item.entries),
            Item::Imo(item) => {
                self.item_path(&item.subject);
                self.entries(&item.entries);
            }
            Item::Plan(plan) => self.plan(plan),
            Item::Test(test) => self.test(test),
            Item::Error(_) => {}
        }
    }

    fn def(&self, span: Span, kind: DefKind) -> Def {
        Def { file: self.file, item: self.item.key.clone(), span, kind }
    }

    fn push(&mut self, span: Span, target: Target) {
        self.out.names.push(Name { span, target, declares: false, writes: false, short: None });
    }

    /// A name that declares something which no frame holds.
    fn declare_here(&mut self, name: &Ident, kind: DefKind) {
        if !name.is_missing() {
            let target = Target::Def(self.def(name.span, kind));
            self.out.names.push(Name { span: name.span, target, declares: true, writes: false, short: None });
        }
    }

    /// A name that can be written in the innermost frame from the byte `from` on.
    fn declare(&mut self, name: &Ident, kind: DefKind, from: u32) {
        if name.is_missing() {
            return;
        }
        self.declare_here(name, kind);
        let def = self.def(name.span, kind);
        if let Some(frame) = self.open.last_mut() {
            frame.names.push((name.name.clone(), from, def));
        }
    }

    fn enter(&mut self, span: Span) {
        self.open.push(Frame { span, names: Vec::new() });
    }

    fn leave(&mut self) {
        self.out.frames.extend(self.open.pop());
    }

    /// What a name alone means, from the inside out.
    fn lookup(&self, name: &str) -> Option<Target> {
        let of_frames = self.open.iter().rev().flat_map(|frame| frame.names.iter().rev());
        if let Some((.., def)) = of_frames.clone().find(|(known, ..)| &**known == name) {
            return Some(Target::Def(def.clone()));
        }
        self.files.named(&self.own, self.file, name)
    }

    /// A name that means something declared elsewhere.
    fn mention(&mut self, name: &Ident) -> Target {
        let target = self.lookup(name.as_str()).unwrap_or(Target::Unknown);
        if !name.is_missing() {
            self.push(name.span, target.clone());
        }
        target
    }

    fn imports(&mut self, used: &'s ast::Use) {
        for leaf in analysis::leaves(used) {
            let Some(file) = self.files.module(self.file, &leaf.module) else { continue };
            self.push(leaf.place.1, Target::Module(file));
            let target = match leaf.item {
                None => Target::Module(file),
                Some(item) => {
                    let target = self.files.declared(file, item.as_str()).map_or(Target::Unknown, Target::Def);
                    self.push(item.span, target.clone());
                    target
                }
            };
            if leaf.local.span != leaf.place.1 && leaf.item.is_none_or(|item| item.span != leaf.local.span) {
                self.push(leaf.local.span, target);
            }
        }
    }

    fn constant(&mut self, constant: &'s ast::Const) {
        if let Some(ty) = &constant.ty {
            self.ty(ty);
        }
        self.expr(&constant.value);
    }

    fn type_params(&mut self, params: &[Ident]) {
        params.iter().for_each(|param| self.declare(param, DefKind::TypeParameter, 0));
    }

    fn fields(&mut self, fields: &'s [ast::Field], kind: DefKind) {
        for field in fields {
            self.declare_here(&field.name, kind);
            self.ty(&field.ty);
        }
    }

    fn variants(&mut self, item: &'s ast::Enum) {
        self.enter(item.span);
        self.type_params(&item.type_params);
        for variant in &item.variants {
            self.declare_here(&variant.name, DefKind::Variant);
            match &variant.fields {
                ast::VariantFields::Unit => {}
                ast::VariantFields::Tuple(types) => types.iter().for_each(|ty| self.ty(ty)),
                ast::VariantFields::Struct(fields) => self.fields(fields, DefKind::Field),
            }
        }
    }

    fn params(&mut self, params: &'s [ast::Param], kind: DefKind) {
        for param in params {
            self.declare(&param.name, kind, 0);
            self.ty(&param.ty);
        }
    }

    fn function(&mut self, function: &'s ast::Fn) {
        self.enter(function.span);
        self.type_params(&function.type_params);
        self.params(&function.params, DefKind::Argument);
        if let Some(result) = &function.result {
            self.ty(result);
        }
        self.block(&function.body);
        self.leave();
    }

    fn contract(&mut self, contract: &'s ast::Contract) {
        self.enter(contract.span);
        self.params(&contract.params, DefKind::Parameter);
        for member in &contract.members {
            match member {
                ast::Member::Const(item) => self.declare(&item.name, DefKind::Item(ItemKind::Const), 0),
                ast::Member::Fn(item) => self.declare(&item.name, DefKind::Item(ItemKind::Fn), 0),
                ast::Member::State(state) => self.state = self.state.or(Some(state)),
                _ => {}
            }
        }
        contract.members.iter().for_each(|member| self.member(member));
        self.leave();
    }

    fn member(&mut self, member: &'s ast::Member) {
        match member {
            ast::Member::Const(constant) => self.constant(constant),
            ast::Member::Fn(function) => self.function(function),
            ast::Member::Spend(spend) => {
                self.declare_here(&spend.name, DefKind::Path);
                self.enter(spend.span);
                self.params(&spend.params, DefKind::Argument);
                self.block(&spend.body);
                self.leave();
            }
            ast::Member::State(state) => self.fields(&state.fields, DefKind::State),
            ast::Member::Allow(_) | ast::Member::Budget(_) | ast::Member::Error(_) => {}
        }
    }
}
