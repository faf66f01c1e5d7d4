//! Signature help: the parameters of the call around a place, and which of them is being written.

use std::ops::Range;

use syntax::ast::{Item, Member, Param};
use syntax::{Span, TokenKind};

use crate::host::{Answer, Snapshot};
use crate::names::{DefKind, Depth, Files, Target, item_at, names_of};
use crate::words::BUILTINS;

/// What a call takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// All of it on one line.
    pub label: String,
    /// Where each parameter stands in the label, in bytes.
    pub params: Vec<Range<usize>>,
    /// Which one is being written; past the last if there are too many.
    pub active: usize,
    /// Markdown.
    pub docs: String,
}

impl Snapshot {
    /// The signature of the call around a place.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn signature(&self, path: &str, offset: usize) -> Answer<Option<Signature>> {
        self.ask_of(path, |files, file| {
            let (item, inside) = item_at(files, file, offset)?;
            let (callee, active) = call_around(item.text, inside)?;
            let names = names_of(files, file, item, Depth::Fields);
            let target = names.names.iter().find(|name| name.span == callee).map(|name| name.target.clone());
            let word = item.text.get(callee.range())?;
            // While a call is written, the tree around it may be broken.
            let known = || BUILTINS.iter().any(|known| known.name == word).then_some(Target::Builtin);
            let target = target.or_else(|| files.named(&files.of(file), file, word)).or_else(known)?;
            signature(files, word, target, active)
        })
    }
}

/// The name before the innermost open bracket before a place, and how many commas stand between.
fn call_around(text: &str, offset: u32) -> Option<(Span, usize)> {
    let tokens = syntax::lex(text);
    let before: Vec<_> =
        tokens.iter().filter(|(kind, span)| !kind.is_trivia() && span.start < offset && span.end <= offset).collect();
    let (mut depth, mut commas) = (0_usize, 0);
    for (index, (kind, _)) in before.iter().enumerate().rev() {
        match kind {
            TokenKind::RParen | TokenKind::RBracket | TokenKind::RBrace => depth += 1,
            TokenKind::LParen if depth == 0 => {
                let (kind, span) = before.get(index.checked_sub(1)?)?;
                return (*kind == TokenKind::Ident).then_some((*span, commas));
            }
            TokenKind::LBracket | TokenKind::LBrace if depth == 0 => return None,
            TokenKind::LParen | TokenKind::LBracket | TokenKind::LBrace => depth -= 1,
            TokenKind::Semi if depth == 0 => return None,
            TokenKind::Comma if depth == 0 => commas += 1,
            _ => {}
        }
    }
    None
}

fn labelled(head: &str, params: &[String], tail: &str, docs: String, active: usize) -> Signature {
    let mut label = format!("{head}(");
    let mut places = Vec::new();
    for (index, param) in params.iter().enumerate() {
        if index > 0 {
            label.push_str(", ");
        }
        places.push(label.len()..label.len() + param.len());
        label.push_str(param);
    }
    label.push(')');
    label.push_str(tail);
    Signature { label, params: places, active, docs }
}

fn signature(files: &Files<'_>, word: &str, target: Target, active: usize) -> Option<Signature> {
    match target {
        Target::Builtin if word == "signed" => {
            let params = ["message: Bytes".to_owned(), "sig: Sig or DataSig".to_owned()];
            Some(labelled(
                "signed",
                &params,
                " -> Bool",
                "With one value it is the signature of the transaction.".to_owned(),
                active,
            ))
        }
        Target::Builtin => {
            let known = BUILTINS.iter().find(|known| known.name == word)?;
            let params: Vec<String> = known.params.iter().map(|param| (*param).to_owned()).collect();
            Some(labelled(word, &params, &format!(" -> {}", known.result), known.doc.to_owned(), active))
        }
        Target::Def(def) => {
            let item = files.view(&def)?;
            let (params, result, docs) = taken(item.ast, def.span, def.kind)?;
            let params: Vec<String> =
                params.iter().map(|param| item.text.get(param.span.range()).unwrap_or_default().to_owned()).collect();
            let result = result.and_then(|span| item.text.get(span.range()));
            let tail = result.map_or_else(String::new, |result| format!(" -> {result}"));
            Some(labelled(word, &params, &tail, docs, active))
        }
        _ => None,
    }
}

type Taken<'t> = (&'t [Param], Option<Span>, String);

/// The parameters, the result and the documentation of what is declared.
pub(crate) fn taken(item: &Item, name: Span, kind: DefKind) -> Option<Taken<'_>> {
    let joined = |docs: &[syntax::ast::Doc]| docs.iter().map(|doc| &*doc.text).collect::<Vec<_>>().join("\n");
    let of_function =
        |function: &'_ syntax::ast::Fn| (function.result.as_ref().map(|ty| ty.span), joined(&function.docs));
    match item {
        Item::Fn(function) => {
            let (result, docs) = of_function(function);
            Some((function.params.as_slice(), result, docs))
        }
        Item::Plan(plan) => Some((plan.params.as_slice(), None, joined(&plan.docs))),
        Item::Contract(contract) if contract.name.span == name => {
            Some((contract.params.as_slice(), None, joined(&contract.docs)))
        }
        Item::Contract(contract) => contract.members.iter().find_map(|member| match member {
            Member::Fn(function) if function.name.span == name => {
                let (result, docs) = of_function(function);
                Some((function.params.as_slice(), result, docs))
            }
            Member::Spend(spend) if spend.name.span == name && kind == DefKind::Path => {
                Some((spend.params.as_slice(), None, joined(&spend.docs)))
            }
            _ => None,
        }),
        _ => None,
    }
}
