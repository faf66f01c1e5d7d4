//! Pages: markup around what the items say of themselves.

mod contract;
mod declaration;
mod front;
mod module;
mod search;

use syntax::ItemKind;
use syntax::ast::Doc;

use crate::code;
use crate::docs::{Docs, ItemId, Page};
use crate::entry::{Entry, markdown};
use crate::markdown::{marked, summary};
use crate::markup::escaped;
use crate::scope::{self, Chapter};

const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/doc.js");

/// All files of the documentation, in the order of their paths.
pub(crate) fn all(docs: &Docs) -> Vec<Page> {
    let page = |path: &str, text: String| Page { path: path.to_owned(), text };
    let mut pages = vec![
        page("index.html", front::page(docs)),
        page("style.css", STYLE.to_owned()),
        page("doc.js", SCRIPT.to_owned()),
        page("search-index.js", search::index(docs)),
    ];
    for at in 0..docs.chapters.len() {
        if let Some(cx) = Cx::of(docs, at) {
            pages.push(page(&cx.chapter.path(), module::page(&cx)));
            pages.push(page(&cx.chapter.source_path(), module::source(&cx)));
        }
    }
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    pages
}

/// The kinds of items in the order in which pages list them, with what several are called.
pub(crate) const KINDS: [(ItemKind, &str); 12] = [
    (ItemKind::Contract, "Contracts"),
    (ItemKind::Reward, "Rewards"),
    (ItemKind::Model, "Models"),
    (ItemKind::Imi, "Model investings"),
    (ItemKind::Imo, "Model offerings"),
    (ItemKind::Struct, "Structs"),
    (ItemKind::Enum, "Enums"),
    (ItemKind::Fn, "Functions"),
    (ItemKind::Const, "Constants"),
    (ItemKind::Plan, "Plans"),
    (ItemKind::Test, "Tests"),
    (ItemKind::Property, "Properties"),
];

/// A module that is being written: what its names mean, and how its page writes addresses.
pub(crate) struct Cx<'d> {
    pub(crate) docs: &'d Docs,
    pub(crate) at: usize,
    pub(crate) chapter: &'d Chapter,
    root: String,
}

impl<'d> Cx<'d> {
    fn of(docs: &'d Docs, at: usize) -> Option<Self> {
        let chapter = docs.chapters.get(at)?;
        Some(Self { docs, at, chapter, root: chapter.root() })
    }

    /// The same module, written about on the front page.
    fn on_front(docs: &'d Docs, at: usize) -> Option<Self> {
        Some(Self { root: String::new(), ..Self::of(docs, at)? })
    }

    /// Where a path of names leads, seen from this page.
    pub(crate) fn resolve(&self, path: &[&str]) -> Option<String> {
        scope::resolve(&self.docs.chapters, self.at, path).map(|address| self.relative(&address))
    }

    /// An address from the top of all pages, seen from this one.
    fn relative(&self, address: &str) -> String {
        match address.strip_prefix(&self.chapter.path()) {
            Some(anchor) if anchor.starts_with('#') && !self.root.is_empty() => anchor.to_owned(),
            _ => format!("{}{address}", self.root),
        }
    }

    pub(crate) fn markdown(&self, docs: &[Doc]) -> String {
        if docs.is_empty() {
            return String::new();
        }
        let text = marked(&markdown(docs), &|path| self.resolve(path)).html;
        format!("<div class=\"docs\">{text}</div>\n")
    }

    pub(crate) fn summary(&self, docs: &[Doc]) -> String {
        summary(&markdown(docs), &|path| self.resolve(path))
    }

    pub(crate) fn block(&self, text: &str) -> String {
        code::block(text, &|path| self.resolve(path))
    }

    pub(crate) fn inline(&self, text: &str) -> String {
        format!("<code>{}</code>", code::inline(text, &|path| self.resolve(path)))
    }

    /// The address of an item, seen from this page.
    pub(crate) fn href(&self, id: ItemId) -> Option<String> {
        let (chapter, entry) = self.docs.entry(id)?;
        Some(self.relative(&format!("{}#{}", chapter.path(), entry.anchor)))
    }

    /// The address of an item that a name means here.
    pub(crate) fn href_of(&self, name: &str) -> Option<String> {
        self.resolve(&[name])
    }

    /// The entries of the module that stand for themselves, of one kind.
    pub(crate) fn of_kind(&self, kind: ItemKind) -> impl Iterator<Item = (usize, &'d Entry)> {
        let all = self.chapter.entries.iter().enumerate();
        all.filter(move |(_, entry)| entry.kind == kind && entry.of.is_none())
    }
}

/// What is around the contents of a page.
pub(crate) struct Frame<'f> {
    pub(crate) docs: &'f Docs,
    pub(crate) root: &'f str,
    pub(crate) title: &'f str,
    pub(crate) nav: &'f str,
    pub(crate) main: &'f str,
}

impl Frame<'_> {
    /// The page. Whatever the sources say, it loads nothing but the files beside it.
    pub(crate) fn html(&self) -> String {
        let Self { docs, root, title, nav, main } = self;
        let (title, name) = (escaped(title), escaped(&docs.name));
        format!(
            r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self' file:; script-src 'self' file:; base-uri 'none'; form-action 'none'">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="stylesheet" href="{root}style.css">
<script defer src="{root}search-index.js"></script>
<script defer src="{root}doc.js"></script>
</head>
<body data-root="{root}">
<a class="skip" href="#main">Skip to the contents</a>
<header>
<a class="brand" href="{root}index.html">{name}</a>
<div id="search" role="search" hidden><input type="search" role="combobox" aria-label="Search items" aria-controls="found" aria-expanded="false" aria-autocomplete="list" autocomplete="off" spellcheck="false" placeholder="Search"><kbd aria-hidden="true">/</kbd><ul id="found" role="listbox" aria-label="Results" hidden></ul></div>
<button id="theme" type="button" hidden>Theme: system</button>
</header>
<div class="columns">
<nav aria-label="Contents">
{nav}</nav>
<main id="main" tabindex="-1">
{main}</main>
</div>
</body>
</html>
"##
        )
    }
}

/// The list of all modules, by package, beside every page.
pub(crate) fn modules_list(docs: &Docs, root: &str, current: Option<usize>) -> String {
    let mut out = String::new();
    let mut package = None;
    for (at, chapter) in docs.chapters.iter().enumerate() {
        if package != Some(&chapter.module.package) {
            if package.is_some() {
                out.push_str("</ul>\n");
            }
            out.push_str(&format!("<h2>{}</h2>\n<ul>\n", escaped(&chapter.module.package)));
            package = Some(&chapter.module.package);
        }
        let here = if current == Some(at) { " aria-current=\"page\"" } else { "" };
        let (path, name) = (chapter.path(), escaped(&chapter.module.name));
        out.push_str(&format!("<li><a href=\"{root}{path}\"{here}>{name}</a></li>\n"));
    }
    if package.is_some() {
        out.push_str("</ul>\n");
    }
    out
}

/// A table; its cells are markup.
pub(crate) fn table(caption: &str, heads: &[&str], rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads: String = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let row = |row: &Vec<String>| {
        let cells: String = row.iter().map(|cell| format!("<td>{cell}</td>")).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = rows.iter().map(row).collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{caption}\"><table>\n<caption>{caption}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}

/// A drawing with what it shows.
pub(crate) fn figure(svg: &str, caption: &str) -> String {
    format!(
        "<figure><div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{caption}\">{svg}</div><figcaption>{caption}</figcaption></figure>\n"
    )
}
