//! Beginnings: of documentation, of tests.

use analysis::snake;
use syntax::ast::{Item, Member, Param, TypeKind};

use super::edit::value_of_written;
use super::{ActionKind, Edits, Site};
use crate::names::{DefKind, Target};

/// `/// ..` before what has no documentation.
pub(super) fn docs(site: &mut Site<'_, '_>) {
    let names = site.names();
    let Some(name) = names.at(site.range.start).filter(|name| name.declares) else { return };
    let Target::Def(def) = &name.target else { return };
    let span = name.span;
    let (start, text) = match def.kind {
        DefKind::Path => {
            let Item::Contract(contract) = site.item.ast else { return };
            let spend = contract.members.iter().find_map(|member| match member {
                Member::Spend(spend) if spend.name.span == span && spend.docs.is_empty() => Some(spend.span.start),
                _ => None,
            });
            let Some(start) = spend else { return };
            (start, "/// Who can take this path, and when.")
        }
        DefKind::Item(kind) if kind == site.item.key.kind && !site.item.text.starts_with("///") => {
            let own = site.item.ast.name().is_some_and(|own| own.span == span);
            let text = match site.item.ast {
                Item::Contract(_) => "/// Whose money this is, and who can move it.",
                Item::Fn(_) => "/// What it gives, and what it demands.",
                Item::Test(_) | Item::Plan(_) => "/// What happens here.",
                _ => "/// What it is for.",
            };
            if !own {
                return;
            }
            (site.item.ast.span().start, text)
        }
        _ => return,
    };
    site.offer(ActionKind::AddDocs, "begin the documentation", |site| {
        let indent = site.indent(start);
        Edits::of([site.insert(start, format!("{text}\n{indent}"))])
    });
}

/// The people of tests.
const PEOPLE: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];

/// `test name { let coin = ..; passes { coin.path(..) } }` at the end of the file.
pub(super) fn test(site: &mut Site<'_, '_>) {
    let Item::Contract(contract) = site.item.ast else { return };
    let Some(member) = site.member(site.range.start) else { return };
    let Some(spend) = member.spend.filter(|spend| site.range.start <= spend.body.span.start) else { return };
    let Some(text) = site.files.session.text(site.file) else { return };
    let end = u32::try_from(text.trim_end().len().saturating_sub(site.item.start as usize)).unwrap_or(0);
    site.offer(ActionKind::AddTest, format!("begin a test of `{}`", spend.name), |site| {
        let mut people = PEOPLE.into_iter().cycle();
        let params: Vec<String> = contract.params.iter().map(|param| given(site, param, &mut people)).collect();
        let key = contract.params.iter().zip(&params).find(|(param, _)| is_named(param, "PubKey"));
        let signer = key.map_or("alice", |(_, value)| value.as_str());
        let args = spend.params.iter().filter(|param| !is_named(param, "Padding"));
        let args: Vec<String> = args
            .map(|param| match is_named(param, "Sig") {
                true => signer.to_owned(),
                false => given(site, param, &mut people),
            })
            .collect();
        let name = test_name(site, &format!("{}_of_{}", spend.name, snake(contract.name.as_str())));
        let state = with_state(site);
        let body = format!(
            "let coin = chain.fund({}({}), 1 coin){state};\n    passes {{ coin.{}({}) }}",
            contract.name,
            params.join(", "),
            spend.name,
            args.join(", "),
        );
        Edits::of([site.insert(end, format!("\n\ntest {name} {{\n    {body}\n}}"))])
    });
}

fn is_named(param: &Param, wanted: &str) -> bool {
    matches!(&param.ty.kind, TypeKind::Name { name, .. } if name.as_str() == wanted)
}

fn given(site: &Site<'_, '_>, param: &Param, people: &mut impl Iterator<Item = &'static str>) -> String {
    match is_named(param, "PubKey") {
        true => people.next().unwrap_or("alice").to_owned(),
        false => value_of_written(site.files, site.file, &param.ty),
    }
}

/// A name that no item of the file has.
fn test_name(site: &Site<'_, '_>, wanted: &str) -> String {
    let own = site.files.of(site.file);
    let taken = |name: &str| own.items.iter().any(|item| &*item.key.name == name);
    if !taken(wanted) {
        return wanted.to_owned();
    }
    (2..).map(|number| format!("{wanted}_{number}")).find(|name| !taken(name)).unwrap_or_default()
}

/// The token that carries the state of the contract.
fn with_state(site: &Site<'_, '_>) -> String {
    let Item::Contract(contract) = site.item.ast else { return String::new() };
    let state = contract.members.iter().find_map(|member| match member {
        Member::State(state) => Some(state),
        _ => None,
    });
    let Some(state) = state else { return String::new() };
    let field =
        |field: &syntax::ast::Field| format!("{}: {}", field.name, value_of_written(site.files, site.file, &field.ty));
    let fields = state.fields.iter().map(field).collect::<Vec<_>>().join(", ");
    format!(
        " with {{\n        token: {{ category: sha256(\"state\"), amount: 0, capability: mutable, state: {{ {fields} }} }},\n    }}"
    )
}
