//! The page of a module, and the page that shows its source.

use syntax::ast::{Enum, Field, Item, VariantFields};

use super::{Cx, Frame, KINDS, contract, declaration, modules_list, table};
use crate::code;
use crate::docs::ItemId;
use crate::entry::Entry;
use crate::markup::escaped;
use crate::model::signature;
use crate::ways;

/// So many tests that use an item are named beside it.
const TESTS_MAX: usize = 12;

pub(super) fn page(cx: &Cx<'_>) -> String {
    let chapter = cx.chapter;
    let name = escaped(&chapter.module.name);
    let source = source_name(cx);
    let mut main = format!(
        "<h1><span class=\"kind\">module</span> {}::<wbr>{name} <a class=\"source\" href=\"{source}\">source</a></h1>\n",
        escaped(&chapter.module.package),
    );
    main.push_str(&cx.markdown(&chapter.docs));
    for (kind, title) in KINDS {
        let items: Vec<_> = cx.of_kind(kind).collect();
        if !items.is_empty() {
            main.push_str(&format!("<h2 id=\"{}s\">{title}</h2>\n", kind.word()));
            main.extend(items.into_iter().map(|(at, entry)| section(cx, at, entry)));
        }
    }
    let title = format!("{} – {}", chapter.full_name(), cx.docs.name);
    let nav = contents(cx) + &modules_list(cx.docs, &chapter.root(), Some(cx.at));
    Frame { docs: cx.docs, root: &chapter.root(), title: &title, nav: &nav, main: &main }.html()
}

pub(super) fn source(cx: &Cx<'_>) -> String {
    let chapter = cx.chapter;
    let page = chapter.path();
    let back = page.rsplit('/').next().unwrap_or(&page);
    let mut main = format!(
        "<h1><span class=\"kind\">source</span> <span class=\"mono\">{}</span> <a class=\"source\" href=\"{back}\">documentation</a></h1>\n",
        escaped(&chapter.module.path),
    );
    main.push_str(&code::lines(&chapter.module.text, &|path| cx.resolve(path).map(|href| on_page(cx, href))));
    let title = format!("{} – {}", chapter.module.path, cx.docs.name);
    let nav = modules_list(cx.docs, &chapter.root(), Some(cx.at));
    Frame { docs: cx.docs, root: &chapter.root(), title: &title, nav: &nav, main: &main }.html()
}

/// The address of something on the module's page, seen from its source.
fn on_page(cx: &Cx<'_>, href: String) -> String {
    let page = cx.chapter.path();
    if href.starts_with('#') { format!("{}{href}", page.rsplit('/').next().unwrap_or(&page)) } else { href }
}

fn source_name(cx: &Cx<'_>) -> String {
    let path = cx.chapter.source_path();
    path.rsplit('/').next().unwrap_or(&path).to_owned()
}

/// The items of the module, beside its page.
fn contents(cx: &Cx<'_>) -> String {
    let mut out = String::from("<h2>On this page</h2>\n<ul>\n");
    for (kind, title) in KINDS {
        let items: Vec<_> = cx.of_kind(kind).collect();
        if items.is_empty() {
            continue;
        }
        let item = |(_, entry): &(usize, &Entry)| {
            format!("<li><a href=\"#{}\">{}</a></li>", escaped(&entry.anchor), escaped(&entry.name))
        };
        let list: String = items.iter().map(item).collect();
        out.push_str(&format!("<li><a class=\"soft\" href=\"#{}s\">{title}</a><ul>{list}</ul></li>\n", kind.word()));
    }
    out + "</ul>\n"
}

/// Everything about an item.
fn section(cx: &Cx<'_>, at: usize, entry: &Entry) -> String {
    let anchor = escaped(&entry.anchor);
    let source =
        entry.at.map(|at| format!(" <a class=\"source\" href=\"{}#L{}\">source</a>", source_name(cx), at.line));
    let mut out = format!(
        "<section id=\"{anchor}\" class=\"item\" aria-labelledby=\"{anchor}-name\">\n<h3 id=\"{anchor}-name\"><a class=\"self\" href=\"#{anchor}\"><span class=\"kind\">{}</span> {}</a>{}</h3>\n",
        entry.kind.word(),
        escaped(&entry.name),
        source.unwrap_or_default(),
    );
    out.push_str(&body(cx, entry));
    out.push_str(&tests(cx, (cx.at, at)));
    out.push_str(&becomes(cx, at, entry));
    out + "</section>\n"
}

/// What stands below the name of an item.
fn body(cx: &Cx<'_>, entry: &Entry) -> String {
    let mut out = cx.block(signature(entry));
    out.push_str(&cx.markdown(entry.docs()));
    match &entry.ast {
        Item::Contract(contract) => out.push_str(&contract::body(cx, entry, contract)),
        Item::Reward(_) => out.push_str(&declaration::reward(cx, entry)),
        Item::Model(_) => out.push_str(&declaration::model(cx, entry)),
        Item::Imi(_) => out.push_str(&declaration::imi(cx, entry)),
        Item::Imo(_) => out.push_str(&declaration::imo(cx, entry)),
        Item::Plan(plan) => out.push_str(&declaration::plan(cx, entry, plan)),
        Item::Fn(function) => out.push_str(&checks(cx, &ways::checks_of(entry, &function.body))),
        Item::Struct(item) => out.push_str(&fields(cx, entry, &item.fields)),
        Item::Enum(item) => out.push_str(&variants(cx, entry, item)),
        Item::Test(test) if test.params.is_some() => out.push_str(&code_of(cx, entry)),
        _ => {}
    }
    out
}

/// What a text checks, as a table.
pub(super) fn checks(cx: &Cx<'_>, checks: &[ways::Check]) -> String {
    let row = |check: &ways::Check| vec![escaped(&check.message), cx.inline(&check.condition)];
    table("Checks", &["It says", "unless"], &checks.iter().map(row).collect::<Vec<_>>())
}

/// The whole text of an item, which opens on demand.
fn code_of(cx: &Cx<'_>, entry: &Entry) -> String {
    format!("<details><summary>Code</summary>\n{}</details>\n", cx.block(entry.slice(entry.ast.span())))
}

/// Fields with their documentation; those of a struct or a state.
pub(super) fn fields(cx: &Cx<'_>, entry: &Entry, fields: &[Field]) -> String {
    let field = |field: &Field| {
        let id = escaped(&format!("{}.{}", entry.anchor, field.name));
        let text = cx.inline(entry.slice(field.name.span.to(field.ty.span)));
        format!("<dt id=\"{id}\">{text}</dt><dd>{}</dd>\n", cx.markdown(&field.docs))
    };
    let rows: String = fields.iter().map(field).collect();
    if rows.is_empty() { rows } else { format!("<dl class=\"fields\">\n{rows}</dl>\n") }
}

fn variants(cx: &Cx<'_>, entry: &Entry, item: &Enum) -> String {
    let mut out = String::from("<dl class=\"fields\">\n");
    for variant in &item.variants {
        let id = escaped(&format!("{}.{}", entry.anchor, variant.name));
        let name = cx.inline(entry.slice(variant.span.to(variant.name.span)).trim());
        let inner = match &variant.fields {
            VariantFields::Struct(fields) => {
                let docs = fields.iter().filter(|field| !field.docs.is_empty());
                docs.map(|field| format!("<p>{}: {}</p>", cx.inline(&field.name.name), cx.summary(&field.docs)))
                    .collect()
            }
            _ => String::new(),
        };
        out.push_str(&format!("<dt id=\"{id}\">{name}</dt><dd>{}{inner}</dd>\n", cx.markdown(&variant.docs)));
    }
    out + "</dl>\n"
}

/// The tests that use an item: examples that are run.
fn tests(cx: &Cx<'_>, id: ItemId) -> String {
    let Some(tests) = cx.docs.tests.get(&id) else { return String::new() };
    let link = |test: &ItemId| {
        let (_, entry) = cx.docs.entry(*test)?;
        Some(format!("<li><a href=\"{}\">{}</a></li>", escaped(&cx.href(*test)?), escaped(&entry.name)))
    };
    let mut list: String = tests.iter().take(TESTS_MAX).filter_map(link).collect();
    if tests.len() > TESTS_MAX {
        list.push_str(&format!("<li class=\"soft\">and {} more</li>", tests.len() - TESTS_MAX));
    }
    format!("<div class=\"tests\"><h4>Tested by</h4><ul>{list}</ul></div>\n")
}

/// The plain items that a declaration becomes.
fn becomes(cx: &Cx<'_>, at: usize, entry: &Entry) -> String {
    let inner = cx.chapter.entries.iter().filter(|inner| inner.of == Some(at));
    let part = |inner: &Entry| {
        let anchor = escaped(&inner.anchor);
        format!(
            "<details id=\"{anchor}\" class=\"item\"><summary><span class=\"kind\">{}</span> {} <span class=\"soft\">{}</span></summary>\n{}{}</details>\n",
            inner.kind.word(),
            escaped(&inner.name),
            cx.summary(inner.docs()),
            body(cx, inner),
            code_of(cx, inner),
        )
    };
    let parts: String = inner.map(part).collect();
    if parts.is_empty() {
        return parts;
    }
    format!("<div class=\"becomes\"><h4>What {} becomes</h4>\n{parts}</div>\n", escaped(&entry.name))
}
