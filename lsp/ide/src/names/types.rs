//! Names in types, paths and patterns.

use syntax::ast::{Ident, Pattern, PatternKind, TypeArg, TypeExpr, TypeKind};

use super::files::{field_of, variant_field, variant_of};
use super::{Def, DefKind, Resolver, Target};
use syntax::ItemKind;

impl<'s> Resolver<'_, 's> {
    pub(super) fn ty(&mut self, ty: &'s TypeExpr) {
        match &ty.kind {
            TypeKind::Name { module, name, args } => {
                if module.is_empty() {
                    let target = self.lookup(name.as_str()).unwrap_or(Target::Type);
                    self.push(name.span, target);
                } else {
                    let path: Vec<&Ident> = module.iter().chain([name]).collect();
                    self.path(&path);
                }
                for arg in args {
                    if let TypeArg::Type(arg) = arg {
                        self.ty(arg);
                    }
                }
            }
            TypeKind::Array { element, length } => {
                self.ty(element);
                self.expr(length);
            }
            TypeKind::Tuple(parts) => parts.iter().for_each(|part| self.ty(part)),
            TypeKind::Error => {}
        }
    }

    /// The names of an item, with or without its module.
    pub(super) fn item_path(&mut self, path: &[Ident]) -> Target {
        self.path(&path.iter().collect::<Vec<_>>())
    }

    /// `module::name`, `Enum::Variant`, `module::Enum::Variant`, or one of those names alone.
    pub(super) fn path(&mut self, path: &[&Ident]) -> Target {
        let Some((first, rest)) = path.split_first() else { return Target::Unknown };
        let mut target = self.mention(first);
        for name in rest {
            target = self.step(&target, name);
            if !name.is_missing() {
                self.push(name.span, target.clone());
            }
        }
        target
    }

    fn step(&self, from: &Target, name: &Ident) -> Target {
        let found = match from {
            Target::Module(file) => self.files.declared(*file, name.as_str()),
            Target::Def(def) => self.files.view(def).and_then(|item| variant_of(def.file, item, name.as_str())),
            _ => None,
        };
        found.map_or(Target::Unknown, Target::Def)
    }

    /// The field that a struct or variant has, given what its name means.
    pub(super) fn field_of_target(&self, of: &Target, name: &str) -> Option<Def> {
        let Target::Def(def) = of else { return None };
        let item = self.files.view(def)?;
        match def.kind {
            DefKind::Variant => variant_field(def.file, item, def.span, name),
            _ => field_of(def.file, item, name),
        }
    }

    /// The names of a pattern, which can be written from `from` on.
    pub(super) fn pattern(&mut self, pattern: &'s Pattern, from: u32) {
        match &pattern.kind {
            PatternKind::Name { name, .. } => self.pattern_name(name, from),
            PatternKind::Path(path) => drop(self.item_path(path)),
            PatternKind::Variant { path, fields } => {
                self.variant_path(path);
                fields.iter().for_each(|field| self.pattern(field, from));
            }
            PatternKind::Struct { path, fields, .. } => {
                let of = self.variant_path(path);
                for field in fields.iter() {
                    let short = field.pattern.span == field.name.span;
                    let def = self.field_of_target(&of, field.name.as_str());
                    if let Some(def) = def.clone().filter(|_| !short) {
                        self.push(field.name.span, Target::Def(def));
                    }
                    self.pattern(&field.pattern, from);
                    if let Some(name) = self.out.names.last_mut().filter(|_| short) {
                        name.short = def;
                    }
                }
            }
            PatternKind::Tuple(parts) | PatternKind::Array(parts) | PatternKind::Or(parts) => {
                parts.iter().for_each(|part| self.pattern(part, from));
            }
            PatternKind::Literal(value) => self.expr(value),
            PatternKind::Wildcard | PatternKind::Error => {}
        }
    }

    /// `Some` and `None` are words of the language where no item has the name.
    pub(super) fn variant_path(&mut self, path: &[Ident]) -> Target {
        match path {
            [only] if matches!(only.as_str(), "Some" | "None") && self.lookup(only.as_str()).is_none() => {
                self.push(only.span, Target::Builtin);
                Target::Builtin
            }
            path => self.item_path(path),
        }
    }

    /// A name alone is a variable, unless it names a constant; the second one of an `|` is the first.
    fn pattern_name(&mut self, name: &'s Ident, from: u32) {
        let constant =
            matches!(self.lookup(name.as_str()), Some(Target::Def(Def { kind: DefKind::Item(ItemKind::Const), .. })));
        if name.as_str() == "None" || constant {
            self.variant_path(std::slice::from_ref(name));
            return;
        }
        let again = self.open.last().and_then(|frame| {
            frame
                .names
                .iter()
                .find(|(known, since, _)| *known == name.name && *since == from)
                .map(|(.., def)| def.clone())
        });
        match again {
            Some(first) => self.push(name.span, Target::Def(first)),
            None => self.declare(name, DefKind::Local, from),
        }
    }
}
