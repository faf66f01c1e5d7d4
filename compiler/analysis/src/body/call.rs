//! Calls: functions of the file, functions of the language, signature checks.

use syntax::ast::{self, ExprKind as Ast, Ident};
use syntax::{Code, ItemKind, Span};

use super::expr::known;
use super::{Body, BodyKind, plural};
use crate::hir::{Builtin, Expr, ExprKind, Type};
use crate::signatures::FnSignature;
use crate::types;

/// The functions of the language: name, parameters as shown to users, their number.
const BUILTINS: [(&str, &str, usize); 18] = [
    ("sha256", "(bytes)", 1),
    ("sha1", "(bytes)", 1),
    ("ripemd160", "(bytes)", 1),
    ("hash160", "(bytes)", 1),
    ("hash256", "(bytes)", 1),
    ("int", "(number or bytes)", 1),
    ("bytes", "(number, length)", 2),
    ("reverse", "(bytes)", 1),
    ("abs", "(number)", 1),
    ("min", "(a, b)", 2),
    ("max", "(a, b)", 2),
    ("within", "(x, low, high)", 3),
    ("p2pkh", "(hash160)", 1),
    ("p2sh32", "(hash256)", 1),
    ("lock", "(bytes)", 1),
    ("tokens", "(number)", 1),
    ("encode", "(value)", 1),
    ("decode", "(bytes)", 1),
];

/// The functions of the language: each name, and its parameters as messages show them.
pub fn builtins() -> impl Iterator<Item = (&'static str, &'static str)> {
    BUILTINS.iter().map(|(name, shape, _)| (*name, *shape))
}

/// Whether the language has a function of this name.
pub(crate) fn is_builtin(name: &str) -> bool {
    BUILTINS.iter().any(|(word, ..)| *word == name)
}

impl Body<'_, '_> {
    pub(super) fn call(
        &mut self,
        callee: &ast::Expr,
        args: &[ast::Expr],
        wanted: Option<&Type>,
        span: Span,
    ) -> Option<Expr> {
        let name = match &callee.kind {
            Ast::Name(name) if name.as_str() == "Some" => {
                return self.variant_call(std::slice::from_ref(name), args, wanted, span);
            }
            Ast::Name(name) => name,
            Ast::Path(path) => return self.path_call(path, args, wanted, (callee.span, span)),
            Ast::Error => return None,
            _ => {
                let found = self.report.error(Code::E0103, "only a function can be called", callee.span);
                return self.report.fail(found.help("write the name of a function before the `(`"));
            }
        };
        if let Some(function) = self.function(name) {
            return self.call_function(function, args, wanted, span);
        }
        if self.is_test_word(name, "key") {
            return self.key_call(args, span);
        }
        match BUILTINS.iter().find(|(known, ..)| *known == name.as_str()) {
            Some((word, shape, count)) if args.len() != *count => {
                self.check_all(args);
                let message = format!("`{word}{shape}` takes {}, not {}", plural(*count, "value"), args.len());
                self.report
                    .fail(self.report.error(Code::E0108, message, span).help(format!("write it as `{word}{shape}`")))
            }
            Some(("decode", ..)) => self.decode(args, wanted, span),
            Some((word, ..)) => self.call_builtin(word, args, span),
            None => self.unknown_function(name, args),
        }
    }

    pub(super) fn check_all(&mut self, args: &[ast::Expr]) {
        for arg in args {
            self.expr(arg);
        }
    }

    fn unknown_function(&mut self, name: &Ident, args: &[ast::Expr]) -> Option<Expr> {
        self.check_all(args);
        if name.is_missing() {
            return None;
        }
        if let Some(told) = self.other_kind(name, ItemKind::Fn) {
            return told;
        }
        let found = self.report.error(Code::E0103, format!("there is no function `{name}`"), name.span);
        let of_contract = self.env.contract.iter().flat_map(|scope| scope.functions.keys());
        let of_file = self.env.signatures.function_names();
        let known = BUILTINS.iter().map(|(word, ..)| *word).chain(of_contract.map(|name| &**name)).chain(of_file);
        let close = self.report.did_you_mean(name.as_str(), known);
        self.report.fail(found.help(close.or_say(|| format!("declare it by `fn {name}(..) -> .. {{ .. }}`"))))
    }

    pub(super) fn call_function(
        &mut self,
        function: &FnSignature,
        args: &[ast::Expr],
        wanted: Option<&Type>,
        span: Span,
    ) -> Option<Expr> {
        if self.kind == BodyKind::Constant {
            self.check_all(args);
            let message = format!("`{}` runs when a coin is spent, so no constant can call it", function.name);
            let found = self.report.error(Code::E0208, message, span).label(function.loc.clone(), "declared here");
            return self.report.fail(found.help("write the value out, or make the constant a `fn`"));
        }
        if args.len() != function.params.len() {
            self.check_all(args);
            let count = plural(function.params.len(), "value");
            let message = format!("`{}` takes {count}, not {}", function.name, args.len());
            let found = self.report.error(Code::E0108, message, span);
            let found = found.label(function.loc.clone(), "declared here");
            return self.report.fail(found.help("give one value for each parameter, in order"));
        }
        let types: Option<Vec<Type>> = function.params.iter().map(|slot| slot.ty.clone()).collect();
        let (Some(types), Some(ret)) = (types, &function.ret) else {
            self.check_all(args);
            return None;
        };
        let mut bound = vec![None; function.type_params.len()];
        if let Some(wanted) = wanted {
            types::unify(ret, wanted, &mut bound);
        }
        let args: Vec<&ast::Expr> = args.iter().collect();
        let args = self.typed_by(&types, &args, &mut bound)?;
        let type_args = self.all_bound(&function.type_params, bound, span)?;
        let ty = types::bounded(ret.instantiate(&type_args), span, self.report)?;
        Some(self.make(ExprKind::Call { function: function.id, type_args, args }, ty, span))
    }

    fn call_builtin(&mut self, word: &str, args: &[ast::Expr], span: Span) -> Option<Expr> {
        let hash = |builtin, len| (builtin, Type::BytesN(len));
        let (builtin, ty) = match word {
            "sha256" => hash(Builtin::Sha256, 32),
            "sha1" => hash(Builtin::Sha1, 20),
            "ripemd160" => hash(Builtin::Ripemd160, 20),
            "hash160" => hash(Builtin::Hash160, 20),
            "hash256" => hash(Builtin::Hash256, 32),
            "p2pkh" => return self.typed(Builtin::LockP2pkh, args, &[Type::BytesN(20)], Type::Lock, span),
            "p2sh32" => return self.typed(Builtin::LockP2sh32, args, &[Type::BytesN(32)], Type::Lock, span),
            "lock" => return self.typed(Builtin::Cast, args, &[Type::Bytes], Type::Lock, span),
            "int" => return self.int_call(args, span),
            "tokens" => return self.tokens_call(args, span),
            "bytes" => return self.bytes_call(args, span),
            "encode" => return self.encode(args, span),
            "reverse" => return self.reverse(args, span),
            "abs" => return self.like_numbers(Builtin::Abs, args, span),
            "min" => return self.like_numbers(Builtin::Min, args, span),
            "max" => return self.like_numbers(Builtin::Max, args, span),
            _ => {
                let within = self.like_numbers(Builtin::Within, args, span)?;
                return Some(Expr { ty: Type::Bool, ..within });
            }
        };
        self.typed(builtin, args, &[Type::Bytes], ty, span)
    }

    fn typed(&mut self, builtin: Builtin, args: &[ast::Expr], wanted: &[Type], ty: Type, span: Span) -> Option<Expr> {
        let checked: Vec<_> = args.iter().zip(wanted).map(|(arg, wanted)| self.expect(arg, wanted)).collect();
        let args = checked.into_iter().collect::<Option<Vec<_>>>()?;
        Some(self.make(ExprKind::Builtin { builtin, args }, ty, span))
    }

    /// Numbers of one type, and a result of it.
    fn like_numbers(&mut self, builtin: Builtin, args: &[ast::Expr], span: Span) -> Option<Expr> {
        let checked: Vec<_> = args.iter().map(|arg| self.expr(arg)).collect();
        let checked = checked.into_iter().collect::<Option<Vec<_>>>()?;
        let unit = checked.iter().map(|expr| &expr.ty).find(|ty| **ty != Type::Int).cloned().unwrap_or(Type::Int);
        if !unit.is_number() {
            return self.no_number(&unit, span);
        }
        let typed: Vec<_> =
            checked.into_iter().zip(args).map(|(expr, arg)| self.expect_checked(expr, &unit, arg.span)).collect();
        let args = typed.into_iter().collect::<Option<Vec<_>>>()?;
        Some(self.make(ExprKind::Builtin { builtin, args }, unit, span))
    }

    fn no_number<T>(&mut self, ty: &Type, span: Span) -> Option<T> {
        let found = self.report.error(Code::E0201, format!("a number is needed, but this is `{ty}`"), span);
        self.report.fail(match ty.is_bytes() {
            true => found.help("write `int(..)` to read bytes as a number"),
            false => found.help("give a number or a quantity"),
        })
    }

    fn int_call(&mut self, args: &[ast::Expr], span: Span) -> Option<Expr> {
        let [arg] = args else { return None };
        let expr = self.expr(arg)?;
        let builtin = match &expr.ty {
            Type::Int => return Some(expr),
            ty if ty.is_number() || *ty == Type::Bool => Builtin::Cast,
            ty if ty.is_bytes() => Builtin::ToInt,
            ty => {
                let message = format!("`{ty}` cannot be turned into a number");
                let found = self.report.error(Code::E0201, message, arg.span);
                return self.report.fail(found.help("give a quantity or bytes"));
            }
        };
        Some(self.make(ExprKind::Builtin { builtin, args: vec![expr] }, Type::Int, span))
    }

    /// `tokens(number)`: so many tokens.
    fn tokens_call(&mut self, args: &[ast::Expr], span: Span) -> Option<Expr> {
        let [arg] = args else { return None };
        let number = self.expr(arg)?;
        if !number.ty.is_number() {
            return self.no_number(&number.ty, arg.span);
        }
        Some(self.make(ExprKind::Builtin { builtin: Builtin::Cast, args: vec![number] }, Type::Tokens, span))
    }

    fn bytes_call(&mut self, args: &[ast::Expr], span: Span) -> Option<Expr> {
        let [number, len] = args else { return None };
        let (value, len_value) = (self.expr(number), self.expect(len, &Type::Int));
        let (value, len_value) = (value?, len_value?);
        if !value.ty.is_number() {
            return self.no_number(&value.ty, number.span);
        }
        let ty = match known(&len_value).map(u32::try_from) {
            Some(Ok(len)) if len <= types::BYTES_MAX => Type::BytesN(len),
            None => Type::Bytes,
            Some(_) => {
                let message = format!("the number of bytes lies between 0 and {}", types::BYTES_MAX);
                let found = self.report.error(Code::E0205, message, len.span);
                return self.report.fail(found.help("choose a length in this range"));
            }
        };
        let kind = ExprKind::Builtin { builtin: Builtin::ToBytes, args: vec![value, len_value] };
        Some(self.make(kind, ty, span))
    }

    fn reverse(&mut self, args: &[ast::Expr], span: Span) -> Option<Expr> {
        let [arg] = args else { return None };
        let bytes = self.expect(arg, &Type::Bytes)?;
        let ty = bytes.ty.fixed_len().map_or(Type::Bytes, Type::BytesN);
        Some(self.make(ExprKind::Builtin { builtin: Builtin::Reverse, args: vec![bytes] }, ty, span))
    }

    pub(super) fn method(
        &mut self,
        receiver: &ast::Expr,
        method: &Ident,
        args: &[ast::Expr],
        span: Span,
    ) -> Option<Expr> {
        if let Some(value) = self.test_method(receiver, method, args, span) {
            return value;
        }
        match (method.as_str(), args) {
            ("signed", [sig]) => {
                let (key, sig) = (self.expect(receiver, &Type::PubKey), self.expect(sig, &Type::Sig));
                let kind = ExprKind::Signed { key: Box::new(key?), sig: Box::new(sig?) };
                Some(self.make(kind, Type::Bool, span))
            }
            ("signed", [message, sig]) => {
                let key = self.expect(receiver, &Type::PubKey);
                let (message, sig) = (self.expect(message, &Type::Bytes), self.expect(sig, &Type::DataSig));
                let (key, message, sig) = (Box::new(key?), Box::new(message?), Box::new(sig?));
                Some(self.make(ExprKind::DataSigned { key, message, sig }, Type::Bool, span))
            }
            ("signed", _) => {
                self.check_all(args);
                let found =
                    self.report.error(Code::E0108, "`signed` takes a signature, or a message and its signature", span);
                self.report.fail(found.help("write `key.signed(sig)` or `key.signed(message, data_sig)`"))
            }
            _ => self.unknown_method(receiver, method, args),
        }
    }

    fn unknown_method(&mut self, receiver: &ast::Expr, method: &Ident, args: &[ast::Expr]) -> Option<Expr> {
        self.expr(receiver);
        self.check_all(args);
        if method.is_missing() {
            return None;
        }
        let found = self.report.error(Code::E0103, format!("there is no method `{method}`"), method.span);
        self.report.fail(match method.as_str() {
            "split" | "slice" => found.help("write `x[..n]` and `x[n..]` for the parts of bytes"),
            "length" | "len" | "size" => found.help("write `.length`, without parentheses"),
            _ => found.help("the only method is `signed`; other functions are called as `name(x)`"),
        })
    }
}
