//! Hovers: what something is, its type, its documentation.

use std::ops::Range;

use spec::opcode::{Availability, CostClass, Row, TABLE};
use syntax::ast::{Doc, Item, Member, Param};
use syntax::{FileId, Span, TokenKind, Word};

use crate::host::{Answer, Snapshot};
use crate::names::{Cursor, Def, DefKind, Depth, Files, Name, Target};
use crate::navigate::type_at;
use crate::words::{BUILTINS, TYPES};

/// What an editor shows beside a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hover {
    /// What it is about.
    pub range: Range<usize>,
    /// Markdown.
    pub text: String,
}

/// The most lines of a declaration that a hover shows whole.
const LINES_MAX: usize = 16;

impl Snapshot {
    /// What there is to know of what stands at a place.
    ///
    /// # Errors
    /// [`driver::Stopped`] if an edit or the asker interrupts.
    pub fn hover(&self, path: &str, offset: usize) -> Answer<Option<Hover>> {
        self.ask_of(path, |files, file| {
            let cursor = Cursor::at(files, file, offset, Depth::Fields)?;
            let base = cursor.item.start as usize;
            let place = |span: Span| base + span.start as usize..base + span.end as usize;
            if let Some(name) = cursor.name()
                && let Some(mut text) = of_name(files, file, &cursor, name)
            {
                if let Target::Def(def) = &name.target {
                    let more = [crate::proof::of_def(files, def), crate::taken::of_def(self, files, def)];
                    more.iter().flatten().for_each(|more| text.push_str(&format!("\n\n---\n\n{more}")));
                }
                return Some(Hover { range: place(name.span), text });
            }
            let (kind, span) = token_at(cursor.item.text, cursor.offset)?;
            let mut text = of_token(kind, cursor.item.text.get(span.range())?)?;
            if let Some(more) = crate::taken::of_check(self, files, file, cursor.item, span) {
                text.push_str(&format!("\n\n---\n\n{more}"));
            }
            Some(Hover { range: place(span), text })
        })
    }
}

/// The token that holds a byte, or ends there.
fn token_at(text: &str, offset: u32) -> Option<(TokenKind, Span)> {
    let near = syntax::lex(text);
    let touching = near.iter().filter(|(kind, span)| *kind != TokenKind::Whitespace && span.touches(offset));
    touching.max_by_key(|(_, span)| span.start)
}

fn code(text: &str) -> String {
    format!("```bmc\n{}\n```", text.trim())
}

fn with_docs(head: String, docs: &str) -> String {
    if docs.is_empty() { head } else { format!("{head}\n\n---\n\n{docs}") }
}

fn of_name(files: &Files<'_>, file: FileId, cursor: &Cursor<'_>, name: &Name) -> Option<String> {
    let word = cursor.item.text.get(name.span.range())?;
    match &name.target {
        Target::Def(def) => of_def(files, def, || type_at(files, file, cursor, name).map(|ty| ty.to_string())),
        Target::Module(module) => {
            let text = files.session.text(*module)?;
            let docs = syntax::file_docs(&syntax::lex(text), text);
            let head = code(&format!("use {}", files.session.path(*module)?));
            Some(with_docs(head, &joined(&docs)))
        }
        Target::Builtin => of_builtin(word),
        Target::Type => {
            TYPES.iter().find(|(name, _)| *name == word).map(|(name, doc)| format!("{}\n\n{doc}", code(name)))
        }
        Target::Fact(known) => {
            let ty = type_at(files, file, cursor, name).map_or(known.ty.to_owned(), |ty| ty.to_string());
            Some(format!("{}\n\n{}", code(&format!("{word}: {ty}")), known.doc))
        }
        Target::Unknown => None,
    }
}

fn of_builtin(word: &str) -> Option<String> {
    if let Some(builtin) = BUILTINS.iter().find(|builtin| builtin.name == word) {
        let head = format!("fn {}({}) -> {}", builtin.name, builtin.params.join(", "), builtin.result);
        return Some(format!("{}\n\n{}", code(&head), builtin.doc));
    }
    match word {
        "signed" => Some(format!(
            "{}\n\nWhether the signature of the transaction, or of the SHA-256 of a message, is one of this key. A \
             signature that is neither empty nor right fails the script.",
            code("key.signed(sig) -> Bool\nkey.signed(message, sig) -> Bool")
        )),
        "Some" => Some(format!("{}\n\nAn `Option` with a value.", code("Some(value)"))),
        "None" => Some(format!("{}\n\nAn `Option` without a value.", code("None"))),
        _ => None,
    }
}

fn joined(docs: &[Doc]) -> String {
    docs.iter().map(|doc| &*doc.text).collect::<Vec<_>>().join("\n")
}

/// The hover of what is declared at `def`; its type is asked for where the source does not say it.
pub(crate) fn of_def(files: &Files<'_>, def: &Def, ty: impl FnOnce() -> Option<String>) -> Option<String> {
    let item = files.view(def)?;
    let name = item.text.get(def.span.range())?;
    let (head, docs) = match def.kind {
        DefKind::Item(kind) if kind == item.key.kind && item.ast.name().is_some_and(|own| own.span == def.span) => {
            (declaration(item.ast, item.text)?, item_docs(item.ast))
        }
        DefKind::Path | DefKind::Item(_) | DefKind::State => member(item.ast, item.text, def.span)?,
        DefKind::Field | DefKind::Variant => part(item.ast, item.text, def.span)?,
        DefKind::Argument | DefKind::Parameter => {
            let whole = param_at(item.ast, def.span).and_then(|param| item.text.get(param.span.range()));
            (whole.unwrap_or(name).to_owned(), String::new())
        }
        DefKind::TypeParameter => (format!("{name}: a type parameter"), String::new()),
        DefKind::Input => (format!("input {name}"), String::new()),
        DefKind::Entry => entry(item.ast, item.text, def.span)?,
        DefKind::Local => {
            let known = files.session.types_in(def.file, &def.item).iter().find(|(span, _)| *span == def.span);
            let ty = known.map(|(_, ty)| ty.to_string()).or_else(ty);
            (ty.map_or_else(|| format!("let {name}"), |ty| format!("let {name}: {ty}")), String::new())
        }
    };
    Some(with_docs(code(&head), &docs))
}

fn item_docs(item: &Item) -> String {
    joined(match item {
        Item::Const(item) => &item.docs,
        Item::Struct(item) => &item.docs,
        Item::Enum(item) => &item.docs,
        Item::Fn(item) => &item.docs,
        Item::Contract(item) => &item.docs,
        Item::Reward(item) => &item.docs,
        Item::Model(item) => &item.docs,
        Item::Imi(item) => &item.docs,
        Item::Imo(item) => &item.docs,
        Item::Plan(item) => &item.docs,
        Item::Test(item) => &item.docs,
        Item::Use(_) | Item::Error(_) => &[],
    })
}

/// A declaration without its body, or with it if it is short and says more than code would.
fn declaration(item: &Item, text: &str) -> Option<String> {
    let whole = text.get(item.span().range())?;
    let head = |end: u32| text.get(item.span().start as usize..end as usize).map(|head| head.trim().to_owned());
    match item {
        Item::Fn(function) => head(function.body.span.start),
        Item::Contract(_) | Item::Plan(_) | Item::Test(_) => {
            Some(whole.split('{').next().unwrap_or(whole).trim().to_owned())
        }
        _ => Some(shortened(whole)),
    }
}

fn shortened(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    match lines.get(..LINES_MAX) {
        Some(first) if lines.len() > LINES_MAX => format!("{}\n    ..", first.join("\n")),
        _ => text.to_owned(),
    }
}

fn member(item: &Item, text: &str, name: Span) -> Option<(String, String)> {
    let Item::Contract(contract) = item else { return None };
    contract.members.iter().find_map(|member| match member {
        Member::Spend(spend) if spend.name.span == name => {
            let head = text.get(spend.span.start as usize..spend.body.span.start as usize)?;
            Some((head.trim().to_owned(), joined(&spend.docs)))
        }
        Member::Fn(function) if function.name.span == name => {
            let head = text.get(function.span.start as usize..function.body.span.start as usize)?;
            Some((head.trim().to_owned(), joined(&function.docs)))
        }
        Member::Const(constant) if constant.name.span == name => {
            Some((shortened(text.get(constant.span.range())?), joined(&constant.docs)))
        }
        Member::State(state) => {
            let field = state.fields.iter().find(|field| field.name.span == name)?;
            Some((format!("state {}", text.get(field.span.range())?), joined(&field.docs)))
        }
        _ => None,
    })
}

/// A field or a variant.
fn part(item: &Item, text: &str, name: Span) -> Option<(String, String)> {
    let field = |fields: &[syntax::ast::Field]| {
        let field = fields.iter().find(|field| field.name.span == name)?;
        Some((text.get(field.span.range())?.to_owned(), joined(&field.docs)))
    };
    match item {
        Item::Struct(of) => field(&of.fields),
        Item::Enum(of) => of.variants.iter().find_map(|variant| match &variant.fields {
            _ if variant.name.span == name => {
                let head = format!("{}::{}", of.name, text.get(variant.span.range())?);
                Some((head, joined(&variant.docs)))
            }
            syntax::ast::VariantFields::Struct(fields) => field(fields),
            _ => None,
        }),
        _ => None,
    }
}

/// The parameter whose name stands there.
fn param_at(item: &Item, name: Span) -> Option<&Param> {
    let lists: Vec<&[Param]> = match item {
        Item::Fn(function) => vec![&function.params],
        Item::Plan(plan) => vec![&plan.params],
        Item::Test(test) => {
            return test.params.iter().flatten().map(|known| &known.param).find(|param| param.name.span == name);
        }
        Item::Contract(contract) => {
            let of_members = contract.members.iter().filter_map(|member| match member {
                Member::Fn(function) => Some(function.params.as_slice()),
                Member::Spend(spend) => Some(spend.params.as_slice()),
                _ => None,
            });
            of_members.chain([contract.params.as_slice()]).collect()
        }
        _ => Vec::new(),
    };
    lists.into_iter().flatten().find(|param| param.name.span == name)
}

/// An entry of a declaration.
fn entry(item: &Item, text: &str, key: Span) -> Option<(String, String)> {
    let mut found = None;
    crate::tree::walk(item, &mut |node| {
        if let crate::tree::Node::Entry(entry) = node
            && entry.key.span == key
        {
            found = text.get(entry.span.range()).map(|text| (shortened(text), joined(&entry.docs)));
        }
        true
    });
    found
}

fn of_token(kind: TokenKind, text: &str) -> Option<String> {
    if let Some(row) = TABLE.iter().find(|row| row.name == text) {
        return Some(opcode(row));
    }
    let word = match kind {
        TokenKind::Keyword(word) => word,
        TokenKind::Ident => Word::from_text(text)?,
        _ => return None,
    };
    Some(format!("{}\n\n{}", code(text), word.doc()))
}

/// An opcode: its effect on the stack, its price, and where it exists.
pub(crate) fn opcode(row: &Row) -> String {
    let price = match row.cost {
        CostClass::Base => "100",
        CostClass::Push => "100, and 1 for each byte it pushes",
        CostClass::Verify => "101",
        CostClass::Arithmetic => "100, and 2 for each byte of the result",
        CostClass::Product => "100, 2 for each byte of the result, and the product of the operands' lengths",
        CostClass::Roll => "100, 1 for each byte it pushes, and the depth it reaches",
        CostClass::Define => "100, and 1 for each byte of the body",
        CostClass::Hash => "100, 1 for each byte it pushes, and the price of the hash iterations",
        CostClass::Signature => "100, 1 for each byte it pushes, and the price of hashing and of each signature",
        CostClass::Fail => "none: it always fails",
    };
    let place = match row.availability {
        Availability::Both => "",
        Availability::Bitmodel => "\n\nOnly under the Bitmodel rules.",
        Availability::Nop => "\n\nIt does nothing; relay refuses it.",
        Availability::Reserved => "\n\nIt fails when it is executed.",
    };
    format!(
        "```bmc\n{} // 0x{:02x}: {}\n```\n\n{}.\n\nCost: {price}.{place}",
        row.name,
        row.opcode.to_byte(),
        row.stack,
        row.doc
    )
}
