//! Names of other files: `module::NAME` and `module::function(..)`.

use syntax::ast::{self, Ident};
use syntax::{Code, ItemKind, Span};

use super::Body;
use crate::declared::TypeDeclaration;
use crate::hir::{Expr, Type};
use crate::signatures::Interface;

impl<'a> Body<'a, '_> {
    /// The value of `module::NAME` or of a variant without fields.
    pub(super) fn path_value(&mut self, path: &[Ident], wanted: Option<&Type>, span: Span) -> Option<Expr> {
        if self.is_variant_path(path) {
            return self.variant_value(path, wanted, span);
        }
        let (module, name) = self.in_module(path, span)?;
        match module.consts.get(&name.name) {
            Some(Some(constant)) => self.constant_value(constant, name),
            Some(None) => None,
            None => self.absent(module, path, ItemKind::Const),
        }
    }

    /// Whether a path names a variant of an enum, in this file or in a module.
    fn is_variant_path(&self, path: &[Ident]) -> bool {
        match path {
            [of, _] => self.env.signatures.module(of.as_str()).is_none() && self.type_declaration(of).is_some(),
            [_, _, _] => true,
            _ => false,
        }
    }

    /// Whether `module::NAME` is a constant.
    pub(super) fn is_module_constant(&self, path: &[Ident]) -> bool {
        let [module, name] = path else { return false };
        self.env.signatures.module(module.as_str()).is_some_and(|module| module.consts.contains_key(&name.name))
    }

    /// The struct or enum `module::Name`.
    pub(super) fn type_in_module(&mut self, path: &[Ident], span: Span) -> Option<TypeDeclaration> {
        let (module, name) = self.in_module(path, span)?;
        match module.types.get(&name.name) {
            Some(declaration) => Some(declaration.clone()),
            None => self.absent(module, path, ItemKind::Struct),
        }
    }

    /// The call of `module::function(..)`, or a variant with what it carries.
    pub(super) fn path_call(
        &mut self,
        path: &[Ident],
        args: &[ast::Expr],
        wanted: Option<&Type>,
        (callee, span): (Span, Span),
    ) -> Option<Expr> {
        if self.is_variant_path(path) {
            return self.variant_call(path, args, wanted, span);
        }
        let found = self.in_module(path, callee).and_then(|(module, name)| match module.functions.get(&name.name) {
            Some(function) => Some(function),
            None => self.absent(module, path, ItemKind::Fn),
        });
        match found {
            Some(function) => self.call_function(function, args, wanted, span),
            None => {
                self.check_all(args);
                None
            }
        }
    }

    /// The module that a path begins with, and the name in it.
    fn in_module<'t>(&mut self, path: &'t [Ident], span: Span) -> Option<(&'a Interface, &'t Ident)> {
        let [module, name] = path else {
            let found = self.report.error(Code::E0125, "a path is the name of a module and the name of an item", span);
            return self.report.fail(found.help("write `module::name`, with `use ./module;` at the top of the file"));
        };
        let signatures = self.env.signatures;
        if module.is_missing() || name.is_missing() || signatures.is_broken(module.as_str()) {
            return None;
        }
        match signatures.module(module.as_str()) {
            Some(interface) => Some((interface, name)),
            None => {
                let found = self.report.error(Code::E0120, format!("there is no module `{module}` here"), module.span);
                let close = self.report.did_you_mean(module.as_str(), signatures.module_names());
                let help = || format!("import it by `use std::{module};` or `use ./{module};` at the top of the file");
                self.report.fail(found.help(close.or_say(help)))
            }
        }
    }

    /// The message about a module without such a constant or function.
    fn absent<T>(&mut self, module: &Interface, path: &[Ident], wanted: ItemKind) -> Option<T> {
        let [from, name] = path else { return None };
        let names = module.kinds.iter().filter(|(_, kind)| **kind == wanted).map(|(name, _)| &**name);
        let close = self.report.did_you_mean(name.as_str(), names);
        let message = match module.kinds.get(&name.name) {
            Some(kind) => format!("`{from}::{name}` is a {}", described(*kind)),
            None => format!("`{from}` has no `{name}`"),
        };
        let found = self.report.error(Code::E0121, message, name.span);
        let help = || format!("import another name, or declare a {} `{name}` there", described(wanted));
        self.report.fail(found.help(close.or_say(help)))
    }

    /// Says that a name means another kind of item than is needed; `None` if it means none.
    pub(super) fn other_kind<T>(&mut self, name: &Ident, needed: ItemKind) -> Option<Option<T>> {
        let signatures = self.env.signatures;
        if signatures.is_broken(name.as_str()) {
            return Some(None);
        }
        let kind = signatures.kind(name.as_str()).filter(|kind| *kind != needed)?;
        let (code, needed) = match needed {
            ItemKind::Fn => (Code::E0103, "function"),
            ItemKind::Reward => (Code::E0106, "reward"),
            _ => (Code::E0101, "value"),
        };
        let message = format!("`{name}` is a {}, but a {needed} is needed here", described(kind));
        let found = self.report.error(code, message, name.span);
        Some(self.report.fail(found.help(match kind {
            ItemKind::Fn => format!("call it: `{name}(..)`"),
            ItemKind::Const => format!("write `{name}` without parentheses"),
            ItemKind::Reward => format!("divide by it: `split pot by {name};`"),
            _ => format!("name a {needed}"),
        })))
    }
}

/// What a kind of item is called in a sentence.
fn described(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Fn => "function",
        ItemKind::Const => "constant",
        kind => kind.word(),
    }
}
