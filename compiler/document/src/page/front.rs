//! The front page: all modules, and all items by their kind.

use super::{Cx, Frame, KINDS, modules_list};
use crate::docs::Docs;
use crate::markup::escaped;

pub(super) fn page(docs: &Docs) -> String {
    let mut main = format!("<h1><span class=\"kind\">package</span> {}</h1>\n", escaped(&docs.name));
    let all: Vec<Cx<'_>> = (0..docs.chapters.len()).filter_map(|at| Cx::on_front(docs, at)).collect();
    for (title, own) in [("Modules", true), ("What they use", false)] {
        let rows: String = all.iter().filter(|cx| cx.chapter.module.is_own == own).map(module).collect();
        if !rows.is_empty() {
            main.push_str(&format!("<h2>{title}</h2>\n<dl class=\"list\">\n{rows}</dl>\n"));
        }
    }
    for (kind, title) in KINDS {
        let own = all.iter().filter(|cx| cx.chapter.module.is_own);
        let rows: String =
            own.flat_map(|cx| cx.of_kind(kind).map(|(at, _)| item(cx, at)).collect::<Vec<_>>()).collect();
        if !rows.is_empty() {
            main.push_str(&format!("<h2>{title}</h2>\n<dl class=\"list\">\n{rows}</dl>\n"));
        }
    }
    let nav = modules_list(docs, "", None);
    Frame { docs, root: "", title: &docs.name, nav: &nav, main: &main }.html()
}

fn module(cx: &Cx<'_>) -> String {
    let (path, name) = (cx.chapter.path(), escaped(&cx.chapter.full_name()));
    format!("<dt><a href=\"{path}\">{name}</a></dt><dd>{}</dd>\n", cx.summary(&cx.chapter.docs))
}

fn item(cx: &Cx<'_>, at: usize) -> String {
    let Some(entry) = cx.chapter.entries.get(at) else { return String::new() };
    let href = cx.href((cx.at, at)).unwrap_or_default();
    let (module, name) = (escaped(&cx.chapter.module.name), escaped(&entry.name));
    let name = format!("<span class=\"soft\">{module}::</span><wbr>{name}");
    format!("<dt><a href=\"{}\">{name}</a></dt><dd>{}</dd>\n", escaped(&href), cx.summary(entry.docs()))
}
