//! Names in statements and expressions.

use analysis::hir::Type;
use syntax::ItemKind;
use syntax::ast::{
    Block, Entry, EntryValue, Expr, ExprKind, FieldInit, ForRange, Ident, If, Match, Place, PlaceStep, Stmt, StmtKind,
};

use super::files::{Import, field_of, state_field_of};
use super::shapes::Side;
use super::{Def, DefKind, Depth, Resolver, Shape, Target};
use crate::words::DECLARED;

impl<'s> Resolver<'_, 's> {
    pub(super) fn block(&mut self, block: &'s Block) {
        self.enter(block.span);
        block.stmts.iter().for_each(|stmt| self.stmt(stmt));
        if let Some(tail) = &block.tail {
            self.expr(tail);
        }
        self.leave();
    }

    fn stmt(&mut self, stmt: &'s Stmt) {
        match &stmt.kind {
            StmtKind::Let { pattern, ty, value } => {
                if let Some(ty) = ty {
                    self.ty(ty);
                }
                self.expr(value);
                self.pattern(pattern, stmt.span.end);
            }
            StmtKind::Assign { place, value } => {
                self.place(place);
                self.expr(value);
            }
            StmtKind::Require { cond, .. } => self.expr(cond),
            StmtKind::If(branch) => self.branch(branch),
            StmtKind::Match(choice) => self.choice(choice),
            StmtKind::For(repeat) => {
                self.range(&repeat.range);
                self.enter(stmt.span);
                self.pattern(&repeat.pattern, repeat.pattern.span.end);
                repeat.filter.iter().for_each(|filter| self.expr(filter));
                self.block(&repeat.body);
                self.leave();
            }
            StmtKind::While(repeat) => {
                self.expr(&repeat.cond);
                repeat.max.iter().for_each(|max| self.expr(max));
                self.block(&repeat.body);
            }
            StmtKind::Continue(next) => {
                self.state_inits(&next.fields);
                next.value.iter().chain(&next.tokens).for_each(|value| self.expr(value));
            }
            StmtKind::Split { pot, reward } => {
                self.expr(pot);
                self.mention(reward);
            }
            StmtKind::Return { value } => value.iter().for_each(|value| self.expr(value)),
            StmtKind::Expr(value) => self.expr(value),
            StmtKind::Budget(_) | StmtKind::Allow(_) | StmtKind::End | StmtKind::Error => {}
        }
    }

    fn range(&mut self, range: &'s ForRange) {
        match range {
            ForRange::Numbers { from, to, max } => {
                self.expr(from);
                self.expr(to);
                max.iter().for_each(|max| self.expr(max));
            }
            ForRange::Each(list) => self.expr(list),
        }
    }

    fn place(&mut self, place: &'s Place) {
        let target = self.mention(&place.name);
        if let Some(name) = self.out.names.last_mut() {
            name.writes = true;
        }
        let mut ty = self.type_of(&target);
        for step in &place.steps {
            ty = match step {
                PlaceStep::Field(name) => self.place_field(ty.as_ref(), name),
                PlaceStep::Element { index, .. } => match ty {
                    Some(Type::Tuple(parts)) => parts.get(*index as usize).cloned(),
                    _ => None,
                },
                PlaceStep::Index(index) => {
                    self.expr(index);
                    match ty {
                        Some(Type::Array(of, _) | Type::Table(of, _)) => Some((*of).clone()),
                        _ => None,
                    }
                }
            };
        }
    }

    /// The type of a variable of this item, if fields are looked up at all.
    fn type_of(&self, target: &Target) -> Option<Type> {
        let Target::Def(def) = target else { return None };
        if self.depth == Depth::Names || def.file != self.file || def.item != *self.item.key {
            return None;
        }
        let types = self.files.session.types_in(self.file, self.item.key);
        types.iter().find(|(span, _)| *span == def.span).map(|(_, ty)| ty.clone())
    }

    /// `.name` of a place whose type so far is known; the type of the field.
    fn place_field(&mut self, ty: Option<&Type>, name: &'s Ident) -> Option<Type> {
        if name.is_missing() {
            return None;
        }
        let Some(Type::Struct(of)) = ty else {
            self.push(name.span, Target::Unknown);
            return None;
        };
        let found = self.files.type_named(self.file, &of.name);
        let def = found.and_then(|(file, item)| field_of(file, item, name.as_str()));
        self.push(name.span, def.map_or(Target::Unknown, Target::Def));
        of.fields.iter().find(|(known, _)| known == name.as_str()).map(|(_, ty)| ty.clone())
    }

    fn branch(&mut self, branch: &'s If) {
        self.expr(&branch.cond);
        self.block(&branch.then);
        if let Some(otherwise) = &branch.otherwise {
            self.block(otherwise);
        }
    }

    fn choice(&mut self, choice: &'s Match) {
        self.expr(&choice.value);
        for arm in choice.arms.iter() {
            self.enter(arm.span);
            self.pattern(&arm.pattern, arm.pattern.span.end);
            arm.guard.iter().for_each(|guard| self.expr(guard));
            self.block(&arm.body);
            self.leave();
        }
    }

    fn state_inits(&mut self, fields: &'s [FieldInit]) {
        for field in fields {
            let def = state_field_of(self.file, self.item, field.name.as_str());
            self.field_init(field, def);
        }
    }

    /// `name: value`; a name alone is the value.
    pub(super) fn field_init(&mut self, field: &'s FieldInit, def: Option<Def>) {
        if field.value.span != field.name.span {
            self.push(field.name.span, def.map_or(Target::Unknown, Target::Def));
            self.expr(&field.value);
            return;
        }
        self.expr(&field.value);
        if let Some(name) = self.out.names.last_mut() {
            name.short = def;
        }
    }

    pub(super) fn exprs(&mut self, values: &'s [Expr]) {
        values.iter().for_each(|value| self.expr(value));
    }

    pub(super) fn expr(&mut self, value: &'s Expr) {
        match &value.kind {
            ExprKind::Name(name) => drop(self.mention(name)),
            ExprKind::Path(path) => drop(self.item_path(path)),
            ExprKind::Field { base, name } => self.field(base, name),
            ExprKind::Element { base, .. } => self.expr(base),
            ExprKind::Index { base, index } => {
                self.expr(base);
                self.expr(index);
            }
            ExprKind::Slice { base, from, to } => {
                self.expr(base);
                from.iter().chain(to).for_each(|bound| self.expr(bound));
            }
            ExprKind::Call { callee, args } => {
                self.callee(callee);
                self.exprs(args);
            }
            ExprKind::MethodCall { receiver, method, args } => self.method(receiver, method, args),
            ExprKind::Unary { operand, .. } => self.expr(operand),
            ExprKind::Binary { left, right, .. } => {
                self.expr(left);
                self.expr(right);
            }
            ExprKind::If(branch) => self.branch(branch),
            ExprKind::Match(choice) => self.choice(choice),
            ExprKind::Array(parts) | ExprKind::Tuple(parts) => self.exprs(parts),
            ExprKind::Repeat { value, count } => {
                self.expr(value);
                self.expr(count);
            }
            ExprKind::Struct(literal) => {
                let of = self.variant_path(&literal.path);
                for field in literal.fields.iter() {
                    let def = self.field_of_target(&of, field.name.as_str());
                    self.field_init(field, def);
                }
            }
            ExprKind::Record(fields) => fields.iter().for_each(|field| self.field_init(field, None)),
            ExprKind::With { base, fields } => {
                self.expr(base);
                let plan = self.plan_called(base);
                for field in fields.iter() {
                    let input = plan.as_ref().and_then(|plan| self.files.input_of(plan, field.name.as_str()));
                    self.field_init(field, input);
                }
            }
            ExprKind::Asm(asm) => {
                for input in &asm.inputs {
                    self.mention(&input.name);
                    self.ty(&input.ty);
                }
                asm.result.iter().for_each(|result| self.ty(result));
            }
            ExprKind::Quorum { needed, keys } => {
                self.expr(needed);
                self.exprs(keys);
            }
            ExprKind::Threshold { needed, keys, sigs } => {
                self.expr(needed);
                self.exprs(keys);
                self.exprs(sigs);
            }
            _ => {}
        }
    }

    /// The plan that a step of a test carries out.
    fn plan_called(&self, call: &'s Expr) -> Option<Def> {
        let ExprKind::Call { callee, .. } = &call.kind else { return None };
        let path = match &callee.kind {
            ExprKind::Name(name) => std::slice::from_ref(name),
            ExprKind::Path(path) => path,
            _ => return None,
        };
        self.item_named(path).filter(|def| def.kind == DefKind::Item(ItemKind::Plan))
    }

    /// A function of the language has no declaration, unless an item took its name.
    fn callee(&mut self, callee: &'s Expr) {
        match &callee.kind {
            ExprKind::Name(name) => {
                let word = name.as_str() == "Some" || analysis::builtins().any(|(known, _)| known == name.as_str());
                let target = match self.lookup(name.as_str()) {
                    Some(target) => target,
                    None if word => Target::Builtin,
                    None => Target::Unknown,
                };
                self.push(name.span, target);
            }
            _ => self.expr(callee),
        }
    }

    fn method(&mut self, receiver: &'s Expr, method: &'s Ident, args: &'s [Expr]) {
        self.expr(receiver);
        let target = match method.as_str() {
            "signed" => Target::Builtin,
            name => self.path_of_coin(receiver, name).map_or(Target::Unknown, Target::Def),
        };
        if !method.is_missing() {
            self.push(method.span, target);
        }
        self.exprs(args);
    }

    fn field(&mut self, base: &'s Expr, name: &'s Ident) {
        self.expr(base);
        if name.is_missing() {
            return;
        }
        let target = match self.shape(base) {
            Shape::State => state_field_of(self.file, self.item, name.as_str()).map(Target::Def),
            Shape::Value(Type::Struct(of)) => {
                let found = self.files.type_named(self.file, &of.name);
                found.and_then(|(file, item)| field_of(file, item, name.as_str())).map(Target::Def)
            }
            shape => shape.facts().find(|fact| fact.name == name.as_str()).map(Target::Fact),
        };
        self.push(name.span, target.unwrap_or(Target::Unknown));
    }

    /// What stands before a dot.
    pub(super) fn shape(&self, base: &'s Expr) -> Shape {
        if let ExprKind::Name(name) = &base.kind
            && name.as_str() == "state"
            && self.state.is_some()
            && self.lookup("state").is_none()
        {
            return Shape::State;
        }
        if let ExprKind::Name(name) = &base.kind
            && let Some(Target::Def(Def { kind: DefKind::Input, .. })) = self.lookup(name.as_str())
        {
            return Shape::Coin { side: Side::Input, own: false };
        }
        match self.depth {
            Depth::Names => Shape::of_form(base).unwrap_or(Shape::Unknown),
            Depth::Fields => Shape::of(base, self.files.session.types_in(self.file, self.item.key)),
        }
    }

    pub(super) fn entries(&mut self, entries: &'s [Entry]) {
        for entry in entries {
            if entry.has_plain_key() {
                self.declare_here(&entry.key, DefKind::Entry);
            }
            self.entry_value(&entry.value);
        }
    }

    fn entry_value(&mut self, value: &'s EntryValue) {
        match value {
            EntryValue::Expr(value) | EntryValue::UpTo(value) | EntryValue::AtLeast(value) => self.entry_expr(value),
            EntryValue::Group { weight, entries } => {
                weight.iter().for_each(|weight| self.entry_expr(weight));
                self.entries(entries);
            }
            EntryValue::By { by, after } => {
                self.entry_expr(by);
                after.iter().for_each(|after| self.expr(after));
            }
            EntryValue::Phrase(phrase) => {
                phrase.head.iter().for_each(|head| self.entry_expr(head));
                for clause in &phrase.clauses {
                    clause.value.iter().for_each(|value| self.entry_expr(value));
                    clause.entries.iter().for_each(|entries| self.entries(entries));
                }
            }
            EntryValue::List | EntryValue::Error(_) => {}
        }
    }

    /// A name in a declaration that no item has is a role or a setting word: nobody declares it.
    fn entry_expr(&mut self, value: &'s Expr) {
        if let ExprKind::Field { base, name } = &value.kind {
            self.entry_expr(base);
            let fact = DECLARED.iter().find(|fact| fact.name == name.as_str());
            self.push(name.span, fact.map_or(Target::Unknown, Target::Fact));
            return;
        }
        self.expr(value);
    }

    /// The item that an imported or declared name means, if it is a contract.
    pub(super) fn contract_named(&self, path: &[Ident]) -> Option<Def> {
        self.item_named(path).filter(|def| def.kind == DefKind::Item(ItemKind::Contract))
    }

    fn item_named(&self, path: &[Ident]) -> Option<Def> {
        match path {
            [name] => match self.lookup(name.as_str())? {
                Target::Def(def) => Some(def),
                _ => None,
            },
            [module, name] => match self.own.imports.get(module.as_str())? {
                Import::Module(file) => self.files.declared(*file, name.as_str()),
                Import::Item(..) => None,
            },
            _ => None,
        }
    }
}
