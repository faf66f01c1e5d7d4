//! Prints a file with its declarations written out: what is compiled, with nothing hidden.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use syntax::ast::{self, Item, StmtKind};
use syntax::{ItemKey, Span, TokenKind};

use super::generated::{GeneratedItem, names_in};
use super::{Names, Text, reward};
use crate::item::divisions;
use crate::signatures::Signatures;
use crate::{SourceItem, walk};

/// The file's items as `.bmc` source: those that the author wrote as they stand, each declaration as
/// the plain items that it becomes, each `split` as its statements. It compiles to the same scripts.
///
/// ```
/// let text = "reward All { only: 100%, minimum: 10_000 sats, fee: up to 500 sats }";
/// let parse = syntax::parse(text);
/// let items = analysis::source_items(&parse, text);
/// let (signatures, _) = analysis::signatures(syntax::FileId(0), &items, &analysis::Modules::new());
/// let expanded = analysis::expand(&signatures, &items);
/// assert!(expanded.contains("contract All(only: Lock) {"));
/// assert!(expanded.contains("require tx.outputs[0].lock == only, \"`only` is paid at its own lock (output 0)\";"));
/// ```
pub fn expand(signatures: &Signatures, items: &[SourceItem<'_>]) -> String {
    let mut out = String::new();
    for item in items {
        match signatures.generated.get(item.key) {
            Some(generated) => generated.iter().for_each(|item| add(item.text(), &mut out)),
            None => add(&with_divisions(signatures, item), &mut out),
        }
    }
    out
}

/// The plain items that each declaration becomes, as `.bmc` source, by the declaration. Those of a declaration that is
/// wrong are missing.
///
/// ```
/// let text = "reward All { only: 100%, minimum: 10_000 sats, fee: up to 500 sats }";
/// let parse = syntax::parse(text);
/// let items = analysis::source_items(&parse, text);
/// let (signatures, _) = analysis::signatures(syntax::FileId(0), &items, &analysis::Modules::new());
/// let all = analysis::generated(&signatures);
/// assert_eq!((all[0].0.to_string(), all.len()), ("reward All".to_owned(), 3));
/// assert!(all[0].1.starts_with("contract All(only: Lock) {"));
/// ```
pub fn generated(signatures: &Signatures) -> Vec<(ItemKey, String)> {
    let of = |(key, items): (&ItemKey, &Arc<[GeneratedItem]>)| {
        items.iter().map(|item| (key.clone(), item.text().to_owned())).collect::<Vec<_>>()
    };
    signatures.generated.iter().flat_map(of).collect()
}

fn add(item: &str, out: &mut String) {
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(item.trim_end());
    out.push('\n');
}

/// Every name that a contract with divisions uses, those of the sources included.
pub(crate) fn names_of_contract(signatures: &Signatures, contract: &ast::Contract, text: &str) -> BTreeSet<String> {
    let mut names = names_in(text);
    for table in tables(signatures, contract) {
        names.extend(table.leaves.iter().map(|leaf| leaf.param.clone()));
    }
    names
}

/// The rewards that a contract divides by, in order of first use.
fn tables<'s>(signatures: &'s Signatures, contract: &ast::Contract) -> Vec<&'s reward::Table> {
    let mut seen = BTreeSet::new();
    let mut of_contract = divisions(contract);
    of_contract.retain(|name| seen.insert(name.as_str()));
    of_contract
        .iter()
        .filter_map(|name| signatures.reward(name.as_str())?.as_ref().filter(|table| table.is_fixed()))
        .collect()
}

/// The text of an item, its divisions written out.
fn with_divisions(signatures: &Signatures, item: &SourceItem<'_>) -> String {
    let Item::Contract(contract) = item.ast else { return item.text.to_owned() };
    let tables = tables(signatures, contract);
    if tables.is_empty() {
        return item.text.to_owned();
    }
    let names = std::sync::Arc::new(names_of_contract(signatures, contract, item.text));
    let mut edits = vec![leaves(contract, &tables, item.text)];
    for member in &contract.members {
        let ast::Member::Spend(spend) = member else { continue };
        walk::ast_block(&spend.body, &mut |_| {}, &mut |stmt| {
            if let StmtKind::Split { pot, reward } = &stmt.kind
                && let Some(table) = tables.iter().find(|table| table.name == reward.name)
            {
                let pot = item.text.get(pot.span.range()).unwrap_or_default();
                edits.push((stmt.span, division(table, pot, Names::new(names.clone()), column(item.text, stmt.span))));
            }
        });
    }
    edited(item.text, edits)
}

type Edit = (Span, String);

/// Adds a lock for each source to the parameters of the contract.
fn leaves(contract: &ast::Contract, tables: &[&reward::Table], text: &str) -> Edit {
    let leaves = tables.iter().flat_map(|table| &table.leaves);
    let new: Vec<_> = leaves.map(|leaf| format!("{}: Lock", leaf.param)).collect();
    let new = new.join(", ");
    match contract.params.last() {
        Some(last) => (Span::point(last.span.end), format!(", {new}")),
        None => {
            let end = contract.name.span.end;
            let tokens = syntax::lex(text.get(end as usize..).unwrap_or_default());
            let mut solid = tokens.iter().filter(|(kind, _)| !kind.is_trivia());
            match (solid.next(), solid.next()) {
                (Some((TokenKind::LParen, open)), Some((TokenKind::RParen, _))) => (Span::point(end + open.end), new),
                _ => (Span::point(end), format!("({new})")),
            }
        }
    }
}

fn division(table: &reward::Table, pot: &str, mut names: Names, indent: usize) -> String {
    let name = names.fresh("pot");
    let mut text = Text::new(table.loc.clone());
    text.line(format!("let {name}: Coin = {pot};"));
    reward::divide(&mut text, table, &name, &mut names, &table.loc);
    let lines = text.finish().0;
    let mut out = String::new();
    for (index, line) in lines.lines().enumerate() {
        match index {
            0 => out.push_str(line),
            _ => {
                let _ = write!(out, "\n{:indent$}{line}", "");
            }
        }
    }
    out
}

/// How far right a span starts on its line.
fn column(text: &str, span: Span) -> usize {
    let before = text.get(..span.start as usize).unwrap_or_default();
    before.len() - before.rfind('\n').map_or(0, |newline| newline + 1)
}

fn edited(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(span, _)| span.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (span, new) in edits {
        out.push_str(text.get(done..span.start as usize).unwrap_or_default());
        out.push_str(&new);
        done = span.end as usize;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}
