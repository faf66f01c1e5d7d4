//! Checks one body (a path, a function, a constant) and gives it types.

mod asm;
mod call;
mod choice;
mod composite;
mod condition;
mod derived;
mod expr;
mod loops;
mod module;
mod operator;
mod pattern;
mod place;
mod plan;
mod records;
mod split;
mod state;
mod stmt;
mod stored;

pub use call::builtins;
pub(crate) use call::is_builtin;
pub(crate) use records::ListRead;
pub(crate) use state::{StateScope, carries_state};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use syntax::ast::{self, Ident};
use syntax::{Code, Effect, Fix, Help, ItemKind, Span};

use crate::hir::{self, ArgId, Derived, Expr, ExprKind, LocalId, ParamId, Type};
use crate::report::Report;
use crate::signatures::{Constant, ConstantValue, FnSignature, Signatures};
use crate::{eval, types};

/// The most bytes of constants that one body may copy.
const COPIED_BYTES_MAX: usize = 1 << 20;

/// What `token.capability` can be, by name, for whoever declares no such name.
const CAPABILITIES: [(&str, u8); 3] = [("immutable", 0), ("mutable", 1), ("minting", 2)];

/// What a contract adds to the names of the file.
#[derive(Default)]
pub(crate) struct ContractScope {
    pub(crate) params: Vec<Slot>,
    pub(crate) param_ids: BTreeMap<Arc<str>, ParamId>,
    pub(crate) consts: BTreeMap<Arc<str>, Option<Constant>>,
    pub(crate) functions: BTreeMap<Arc<str>, FnSignature>,
    /// The rewards whose sources are parameters because a path divides by them.
    pub(crate) leaves: BTreeSet<Arc<str>>,
    /// With divisions: every name that the contract and those sources use.
    pub(crate) names: Arc<BTreeSet<String>>,
    pub(crate) state: Option<Arc<StateScope>>,
}

/// A parameter or argument as declared; no type if that was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) name: Arc<str>,
    pub(crate) ty: Option<Type>,
    pub(crate) span: Span,
}

/// All names that a body can see.
#[derive(Clone, Copy)]
pub(crate) struct Env<'a> {
    pub(crate) signatures: &'a Signatures,
    pub(crate) contract: Option<&'a ContractScope>,
    /// The type parameters of the enclosing function or type.
    pub(crate) type_params: &'a [Arc<str>],
}

impl<'a> Env<'a> {
    /// What stands outside of contracts and functions sees.
    pub(crate) fn of_file(signatures: &'a Signatures) -> Self {
        Self { signatures, contract: None, type_params: &[] }
    }
}

/// What kind of body is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    Spend,
    Function,
    Constant,
    Plan,
    Test,
}

struct Variable {
    name: Arc<str>,
    ty: Option<Type>,
    mutable: bool,
    used: bool,
    span: Span,
    /// What to write there if nothing reads it.
    renaming: Option<String>,
}

#[derive(Clone, Copy)]
enum Name {
    Arg(ArgId),
    Local(LocalId),
}

/// A body under check.
pub(crate) struct Body<'a, 'r> {
    env: Env<'a>,
    kind: BodyKind,
    report: &'r mut Report<'a>,
    args: Vec<Slot>,
    locals: Vec<Variable>,
    names: BTreeMap<Arc<str>, Vec<Name>>,
    opened: Vec<Vec<Arc<str>>>,
    params_used: BTreeSet<ParamId>,
    split_at: Option<Span>,
    /// The list that the path goes through.
    list_read: Option<ListRead>,
    /// What the list's chain begins with, if the path reads it.
    about_read: Option<records::AboutRead>,
    /// The locks of other contracts that the contract knows, those that earlier bodies named among them.
    derived: Vec<Derived>,
    /// What a plan names; nothing in other bodies.
    plan: Option<plan::Plan<'a>>,
    copied_bytes: usize,
    touches_state: bool,
    broken: bool,
    /// What the function gives back, for its `return`s.
    ret: Option<Type>,
    /// Why a `return` cannot stand here.
    no_return: Option<NoReturn>,
    /// The arms of all matches around this place that are tried one after the other.
    arms_around: usize,
}

/// Where a `return` cannot stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NoReturn {
    /// In a block that gives a value to an expression.
    Value,
    /// In a loop whose rounds are not known beforehand.
    Loop,
}

/// A checked body.
pub(crate) struct Checked {
    pub(crate) block: hir::Block,
    pub(crate) locals: Vec<hir::Local>,
    pub(crate) params_used: BTreeSet<ParamId>,
    /// The list that the path goes through.
    pub(crate) list_read: Option<ListRead>,
    /// The locks of other contracts that this body and those before it name.
    pub(crate) derived: Vec<Derived>,
    /// It reads the contract's state, continues it or ends it.
    pub(crate) touches_state: bool,
    /// Something in it was not understood, so what it seems to lack may be there.
    pub(crate) broken: bool,
}

impl<'a, 'r> Body<'a, 'r> {
    pub(crate) fn new(env: Env<'a>, kind: BodyKind, args: &[Slot], report: &'r mut Report<'a>) -> Self {
        let mut names: BTreeMap<Arc<str>, Vec<Name>> = BTreeMap::new();
        for (index, slot) in args.iter().enumerate() {
            names.entry(slot.name.clone()).or_default().push(Name::Arg(ArgId::new(index)));
        }
        Body {
            env,
            kind,
            report,
            args: args.to_vec(),
            locals: Vec::new(),
            names,
            opened: Vec::new(),
            params_used: BTreeSet::new(),
            split_at: None,
            list_read: None,
            about_read: None,
            derived: Vec::new(),
            plan: None,
            copied_bytes: 0,
            touches_state: false,
            broken: false,
            ret: None,
            no_return: None,
            arms_around: 0,
        }
    }

    /// Takes the locks of other contracts that earlier bodies of the contract named.
    pub(crate) fn with_derived(mut self, derived: Vec<Derived>) -> Self {
        self.derived = derived;
        self
    }

    /// Checks the conditions of a path.
    pub(crate) fn check_path(mut self, block: &ast::Block) -> Checked {
        let block = self.block_without_value(block);
        self.about_is_proved();
        self.finish(block)
    }

    /// Checks the body of a function that gives back `ret`.
    pub(crate) fn check_function(mut self, block: &ast::Block, ret: Option<&Type>) -> Checked {
        self.ret = ret.cloned();
        let block = match ret {
            Some(Type::Unit) => self.block_without_value(block),
            wanted => self.function_block(block, wanted),
        };
        self.finish(block)
    }

    /// The value of a constant expression, of type `wanted` if that is known.
    pub(crate) fn constant(mut self, value: &ast::Expr, wanted: Option<Type>) -> Option<Constant> {
        let expr = match &wanted {
            Some(wanted) => self.expect(value, wanted)?,
            None => self.expr(value)?,
        };
        let ty = wanted.unwrap_or_else(|| expr.ty.clone());
        match eval::eval(&expr, &eval::Constants) {
            Ok(known) if !self.in_range(&known, &ty, value.span) => None,
            Ok(value) => Some(Constant { ty, value: ConstantValue::Item(value) }),
            Err(eval::Stop::Fails(why)) => {
                let message = format!("this constant cannot be computed: {why}");
                self.report.fail(
                    self.report.error(Code::E0210, message, value.span).help("correct the values it is computed from"),
                )
            }
            Err(eval::Stop::Unknown) => {
                let message = "this value is not known before a coin is spent, or too large to compute";
                self.report.fail(
                    self.report
                        .error(Code::E0208, message, value.span)
                        .help("make it a `fn`, or name the value by `let` where it is needed"),
                )
            }
        }
    }

    /// Whether all numbers of a constant lie within the ranges of their types; reports the first that does not.
    fn in_range(&mut self, value: &eval::Value, ty: &Type, span: Span) -> bool {
        match value {
            eval::Value::Number(n) => crate::number::check_range(n, ty, span, self.report),
            eval::Value::Bool(_) | eval::Value::Bytes(_) => true,
            eval::Value::Parts(parts) => {
                parts.iter().zip(types::parts(ty)).all(|(part, ty)| self.in_range(part, &ty, span))
            }
            eval::Value::Variant(variant, fields) => {
                let types = types::payload(ty, *variant).to_vec();
                fields.iter().zip(types).all(|(field, ty)| self.in_range(field, &ty, span))
            }
        }
    }

    fn finish(self, block: hir::Block) -> Checked {
        let unused = |variable: &&Variable| !self.broken && !variable.used && !variable.name.starts_with('_');
        for variable in self.locals.iter().filter(unused) {
            let message = format!("nothing reads the variable `{}`", variable.name);
            let found = self.report.warning(Code::E0111, message, variable.span);
            let found = found.help(format!("remove it, or call it `_{}`", variable.name));
            self.report.push(match &variable.renaming {
                Some(renamed) => {
                    let fix = Fix::new(format!("call it `_{}`", variable.name), Effect::Keeps);
                    found.fix(fix.edit(self.report.loc(variable.span), renamed.as_str()))
                }
                None => found,
            });
        }
        let local = |variable: Variable| hir::Local {
            name: variable.name.to_string(),
            ty: variable.ty.unwrap_or(Type::Unit),
            mutable: variable.mutable,
        };
        Checked {
            block,
            locals: self.locals.into_iter().map(local).collect(),
            params_used: self.params_used,
            list_read: self.list_read,
            derived: self.derived,
            touches_state: self.touches_state,
            broken: self.broken,
        }
    }

    /// Remembers that a statement was not understood.
    fn note<T>(&mut self, checked: Option<T>) -> Option<T> {
        self.broken |= checked.is_none();
        checked
    }

    fn open(&mut self) {
        self.opened.push(Vec::new());
    }

    fn close(&mut self) {
        for name in self.opened.pop().unwrap_or_default() {
            if let Some(meanings) = self.names.get_mut(&name) {
                meanings.pop();
            }
        }
    }

    fn declare(&mut self, name: &Ident, ty: Option<Type>, mutable: bool) -> LocalId {
        if let Some(ty) = &ty {
            self.report.note_type(name.span, ty);
        }
        let id = self.variable(name.name.clone(), ty, name.span);
        if let Some(variable) = self.locals.last_mut() {
            variable.mutable = mutable;
            variable.used = name.is_missing();
            variable.renaming = (!mutable).then(|| format!("_{name}"));
        }
        self.names.entry(name.name.clone()).or_default().push(Name::Local(id));
        if let Some(scope) = self.opened.last_mut() {
            scope.push(name.name.clone());
        }
        id
    }

    /// A variable that no name of the source means.
    fn variable(&mut self, name: Arc<str>, ty: Option<Type>, span: Span) -> LocalId {
        let id = LocalId::new(self.locals.len());
        self.locals.push(Variable { name, ty, mutable: false, used: true, span, renaming: None });
        id
    }

    fn meaning(&self, name: &Ident) -> Option<Name> {
        self.names.get(&name.name)?.last().copied()
    }

    /// The value that a name stands for.
    fn name(&mut self, name: &Ident) -> Option<Expr> {
        if let Some(meaning) = self.meaning(name) {
            return self.variable_value(meaning, name.span);
        }
        let contract = self.env.contract;
        if let Some(id) = contract.and_then(|scope| scope.param_ids.get(&name.name)).copied() {
            self.params_used.insert(id);
            let ty = contract?.params.get(id.index())?.ty.clone()?;
            return Some(self.make(ExprKind::Param(id), ty, name.span));
        }
        let constant = contract.and_then(|scope| scope.consts.get(&name.name));
        match constant.or_else(|| self.env.signatures.constant(name.as_str())) {
            Some(Some(constant)) => self.constant_value(constant, name),
            Some(None) => None,
            None => match CAPABILITIES.iter().find(|(word, _)| *word == name.as_str()) {
                Some((_, capability)) => Some(self.make(ExprKind::Int((*capability).into()), Type::Int, name.span)),
                None => self.person_named(name).unwrap_or_else(|| self.unknown_name(name)),
            },
        }
    }

    fn variable_value(&mut self, meaning: Name, span: Span) -> Option<Expr> {
        let (kind, ty) = match meaning {
            Name::Arg(id) => (ExprKind::Arg(id), self.args.get(id.index())?.ty.clone()?),
            Name::Local(id) => {
                let variable = self.locals.get_mut(id.index())?;
                variable.used = true;
                (ExprKind::Local(id), variable.ty.clone()?)
            }
        };
        Some(self.make(kind, ty, span))
    }

    fn constant_value(&mut self, constant: &Constant, name: &Ident) -> Option<Expr> {
        match &constant.value {
            ConstantValue::Item(value) => {
                self.copied_bytes = self.copied_bytes.saturating_add(weight(value));
                if self.copied_bytes > COPIED_BYTES_MAX {
                    let message = "the constants used here add up to more than 1 MiB";
                    let found = self.report.error(Code::E0213, message, name.span);
                    return self.report.fail(found.help("use fewer of them, or shorter ones"));
                }
                Some(self.known_value(value, &constant.ty, name.span))
            }
            ConstantValue::Share(_) => {
                let message = format!("`{name}` is a share, which only the weights of a reward can use");
                let found = self.report.error(Code::E0209, message, name.span);
                self.report.fail(found.help("write the numbers of the share, such as `.. * 3 / 10`"))
            }
        }
    }

    /// A computed value as an expression.
    fn known_value(&self, value: &eval::Value, ty: &Type, span: Span) -> Expr {
        let kind = match value {
            eval::Value::Number(n) => ExprKind::Int(n.clone()),
            eval::Value::Bool(value) => ExprKind::Bool(*value),
            eval::Value::Bytes(bytes) => ExprKind::Bytes(bytes.clone()),
            eval::Value::Parts(parts) => {
                let types = types::parts(ty);
                ExprKind::Tuple(parts.iter().zip(&types).map(|(part, ty)| self.known_value(part, ty, span)).collect())
            }
            eval::Value::Variant(variant, fields) => {
                let types = types::payload(ty, *variant);
                let fields = fields.iter().zip(types).map(|(field, ty)| self.known_value(field, ty, span)).collect();
                ExprKind::Variant { variant: *variant, fields }
            }
        };
        self.make(kind, ty.read(), span)
    }

    fn unknown_name(&mut self, name: &Ident) -> Option<Expr> {
        if name.is_missing() {
            return None;
        }
        if let Some(told) = self.other_kind(name, ItemKind::Const) {
            return told;
        }
        let found = self.report.error(Code::E0101, format!("there is no `{name}` here"), name.span);
        let contract = self.env.contract;
        let of_body = self.names.iter().filter(|(_, meanings)| !meanings.is_empty()).map(|(name, _)| name);
        let of_contract = contract.iter().flat_map(|scope| scope.param_ids.keys().chain(scope.consts.keys()));
        let known = of_body.chain(of_contract).map(|name| &**name).chain(self.env.signatures.constant_names());
        let close = self.report.did_you_mean(name.as_str(), known);
        self.report.fail(found.help(close.or_say(|| "declare it by `let`, or as a parameter or `const`")))
    }

    fn function(&self, name: &Ident) -> Option<&'a FnSignature> {
        let of_contract = self.env.contract.and_then(|scope| scope.functions.get(&name.name));
        of_contract.or_else(|| self.env.signatures.function(name.as_str()))
    }

    fn make(&self, kind: ExprKind, ty: Type, span: Span) -> Expr {
        Expr { kind, ty, loc: self.report.loc(span) }
    }

    /// The checked expression, if it can stand where `wanted` is needed.
    fn expect(&mut self, value: &ast::Expr, wanted: &Type) -> Option<Expr> {
        let expr = self.expr_for(value, Some(wanted))?;
        self.expect_checked(expr, wanted, value.span)
    }

    fn expect_checked(&mut self, expr: Expr, wanted: &Type, span: Span) -> Option<Expr> {
        let expr = types::adapt(expr, wanted);
        if types::fits(&expr.ty, wanted) {
            return Some(expr);
        }
        let unitless = matches!(expr.kind, ExprKind::Int(_)) && expr.ty == Type::Int && wanted.is_number();
        let mut found = if unitless {
            let text = self.report.text_of(span);
            let found = self.report.error(Code::E0203, format!("`{text}` has no unit, but `{wanted}` is needed"), span);
            match types::with_unit(&text, wanted) {
                Some(fixed) => found.help(Help::instead(format!("write `{fixed}`"), fixed)),
                None => found,
            }
        } else {
            let message = format!("`{wanted}` is needed, but this is `{}`", expr.ty);
            self.report.error(Code::E0201, message, span).saying(format!("this is `{}`", expr.ty))
        };
        if found.help.is_none() {
            let help =
                conversion(&expr.ty, wanted).map_or_else(|| format!("give a value of type `{wanted}`"), str::to_owned);
            found = found.help(help);
        }
        self.report.fail(found)
    }
}

/// How a value of one type is turned into another, where the language has a word for it.
fn conversion(found: &Type, wanted: &Type) -> Option<&'static str> {
    match (found, wanted) {
        (_, Type::Int) if found.is_number() || found.is_bytes() => Some("write `int(..)` to take the plain number"),
        (Type::Int, Type::Coin) => Some("write `.. * 1 sats` to make it an amount"),
        (Type::BytesN(20), Type::Lock) => Some("write `p2pkh(..)` for the lock of a public key's hash"),
        (Type::BytesN(32), Type::Lock) => Some("write `p2sh32(..)` for the lock of a script's hash"),
        (Type::PubKey, Type::Lock) => Some("write `p2pkh(hash160(..))` for the lock of a public key"),
        (_, Type::Lock) if found.is_bytes() => Some("write `lock(..)` if the bytes are a locking bytecode"),
        (Type::PubKey, Type::BytesN(20)) => Some("write `hash160(..)` for the hash of the key"),
        (_, Type::BytesN(_) | Type::Bytes) if found.is_number() => {
            Some("write `bytes(.., n)` for the number in `n` bytes")
        }
        (_, Type::Bool) if found.is_number() => Some("compare it, such as `.. != 0`"),
        _ => None,
    }
}

/// A number of things in words.
fn plural(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    }
}

/// About how many bytes the copy of a constant takes.
fn weight(value: &eval::Value) -> usize {
    match value {
        eval::Value::Number(_) | eval::Value::Bool(_) => 8,
        eval::Value::Bytes(bytes) => bytes.len(),
        eval::Value::Parts(parts) | eval::Value::Variant(_, parts) => 8 + parts.iter().map(weight).sum::<usize>(),
    }
}
