//! `asm`: instructions between names and a typed result.

use dashu_int::IBig;
use spec::{Opcode, RuleSet};
use syntax::ast::{self, AsmOp, AsmWord, Ident};
use syntax::{Code, Span};

use super::Body;
use crate::given::asm_effect;
use crate::hir::{Expr, ExprKind, Type};
use crate::{eval, number, suggest, types};

/// Where each word begins in the bytes, and in the source.
type Places = Vec<(usize, Span)>;

impl Body<'_, '_> {
    pub(super) fn asm(&mut self, asm: &ast::Asm, span: Span) -> Option<Expr> {
        let inputs: Vec<_> = asm.inputs.iter().map(|input| self.asm_input(&input.name, &input.ty)).collect();
        let result = match &asm.result {
            None => Some(Type::Unit),
            Some(written) => types::resolve(written, self.env, self.report)
                .and_then(|ty| self.asm_type(ty, written.span))
                .map(|ty| ty.read()),
        };
        let code = self.asm_code(&asm.code);
        let inputs = inputs.into_iter().collect::<Option<Vec<_>>>()?;
        let (result, (code, places)) = (result?, code?);
        let items = inputs.iter().map(|input| input.ty.leaves().len()).sum();
        // Whoever generates code for a rule set checks again what that one has.
        if let Err(fault) = asm_effect(&code, items, result.leaves().len(), RuleSet::Bitmodel) {
            let place = places.iter().rev().find(|(at, _)| *at <= fault.at && fault.at < code.len());
            let place = place.map_or(span, |(_, place)| *place);
            let found = self.report.error(Code::E0223, fault.why, place);
            return self
                .report
                .fail(found.help("the code takes all its inputs, top last, and leaves its result and nothing else"));
        }
        Some(self.make(ExprKind::Asm { inputs, code }, result, span))
    }

    fn asm_input(&mut self, name: &Ident, written: &ast::TypeExpr) -> Option<Expr> {
        let wanted = types::resolve(written, self.env, self.report).and_then(|ty| self.asm_type(ty, written.span));
        let value = ast::Expr { kind: ast::ExprKind::Name(name.clone()), span: name.span };
        self.wanted(&value, wanted.map(|ty| ty.read()).as_ref())
    }

    /// A type whose number of items is known.
    fn asm_type(&mut self, ty: Type, span: Span) -> Option<Type> {
        let known = !types::is_open(&ty);
        if known && !matches!(ty, Type::Share | Type::Sigs(_) | Type::List(_) | Type::Padding) {
            return Some(ty);
        }
        let found = self.report.error(Code::E0209, format!("`asm` cannot work with `{ty}`"), span);
        self.report.fail(found.help("use types of which the script holds a known number of items"))
    }

    /// The bytes of the words.
    fn asm_code(&mut self, words: &[AsmOp]) -> Option<(Vec<u8>, Places)> {
        let mut code = Vec::new();
        let mut places = Vec::with_capacity(words.len());
        let mut broken = false;
        for AsmOp { word, span } in words {
            places.push((code.len(), *span));
            let done = match word {
                AsmWord::Op(name) => self.asm_opcode(name, *span).map(|opcode| code.push(opcode.to_byte())),
                AsmWord::Int(digits) => {
                    let n = number::int(digits.trim_start_matches('-'), *span, self.report);
                    let n = n.map(|n| if digits.starts_with('-') { -n } else { n });
                    n.and_then(|n| self.asm_number(&n, *span)).map(|data| spec::script::push_data(&mut code, &data))
                }
                AsmWord::Bytes(data) if data.len() <= types::BYTES_MAX as usize => {
                    spec::script::push_data(&mut code, data);
                    Some(())
                }
                AsmWord::Bytes(_) => self.too_many_bytes(*span),
            };
            broken |= done.is_none();
        }
        (!broken).then_some((code, places))
    }

    fn asm_number(&mut self, n: &IBig, span: Span) -> Option<Vec<u8>> {
        let data = eval::minimal(n).ok();
        if data.is_none() {
            let found = self.report.error(Code::E0205, "this number is too large", span);
            self.report.push(found.help("write a smaller number"));
        }
        data
    }

    fn asm_opcode(&mut self, name: &str, span: Span) -> Option<Opcode> {
        let found = Opcode::from_name(name);
        if found.is_some() {
            return found;
        }
        let close = suggest::did_you_mean(name, (0..=u8::MAX).filter_map(Opcode::from_byte).map(Opcode::name));
        let found = self.report.error(Code::E0223, format!("there is no instruction `{name}`"), span);
        self.report.fail(found.help(close.or_say(|| "`bmc ops` lists all instructions")))
    }
}
