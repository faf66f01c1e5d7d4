//! Documentation comments as markup. Whoever wrote them may be hostile: nothing of theirs is read as markup, and no
//! link of theirs does anything but lead somewhere.

use std::cell::RefCell;
use std::ops::Range;

use pulldown_cmark::{
    BrokenLink, CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html,
};

use crate::code::{self, Resolve};
use crate::markup::is_web;

/// A comment as markup.
#[derive(Debug, Default)]
pub(crate) struct Marked {
    pub(crate) html: String,
    /// The links that lead nowhere: where they stand, and what they name.
    pub(crate) broken: Vec<(Range<usize>, String)>,
}

/// The names of a reference such as `shares::Model` or `Vault.leave()`, with its quotes.
pub(crate) fn path_of(reference: &str) -> Option<Vec<&str>> {
    let bare = reference.trim().trim_matches('`').trim_end_matches("()");
    let is_name = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let path: Vec<&str> = bare.split("::").flat_map(|part| part.split('.')).collect();
    path.iter().all(is_name).then_some(path)
}

/// Reads a comment; `resolve` says where names lead.
pub(crate) fn marked(text: &str, resolve: Resolve<'_>) -> Marked {
    let broken = RefCell::new(Vec::new());
    // `[`Name`]` alone is a reference that Markdown knows no target for.
    let mut unknown = |link: BrokenLink<'_>| {
        let found = path_of(&link.reference).and_then(|path| resolve(&path));
        if found.is_none() && link.reference.starts_with('`') {
            broken.borrow_mut().push((link.span.clone(), link.reference.trim_matches('`').to_owned()));
        }
        Some((CowStr::from(found?), CowStr::from("")))
    };
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let parser = Parser::new_with_broken_link_callback(text, options, Some(&mut unknown)).into_offset_iter();
    let mut reader = Reader { resolve, broken: &broken, code: None, dropped: Vec::new() };
    let mut events = Vec::new();
    for (event, range) in parser {
        events.extend(reader.event(event, range));
    }
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    Marked { html: out, broken: broken.into_inner() }
}

/// What stands in front of the first empty line.
pub(crate) fn first_paragraph(text: &str) -> &str {
    let text = text.trim_start();
    text.find("\n\n").and_then(|end| text.get(..end)).unwrap_or(text)
}

/// The first paragraph as markup for the middle of a line.
pub(crate) fn summary(text: &str, resolve: Resolve<'_>) -> String {
    let html = marked(first_paragraph(text), resolve).html;
    let html = html.trim();
    match html.strip_prefix("<p>").and_then(|html| html.strip_suffix("</p>")) {
        Some(inner) if !inner.contains("<p>") => inner.to_owned(),
        _ => plain(text),
    }
}

/// The first paragraph without markup, as text that still has to be escaped.
pub(crate) fn plain_text(text: &str) -> String {
    let mut named = |link: BrokenLink<'_>| path_of(&link.reference).map(|_| (CowStr::from(""), CowStr::from("")));
    let paragraph = first_paragraph(text);
    let mut out = String::new();
    for event in Parser::new_with_broken_link_callback(paragraph, Options::empty(), Some(&mut named)) {
        match event {
            Event::Text(text) | Event::Code(text) => out.push_str(&text),
            Event::SoftBreak | Event::HardBreak => out.push(' '),
            _ => {}
        }
    }
    out
}

fn plain(text: &str) -> String {
    crate::markup::escaped(&plain_text(text))
}

struct Reader<'r> {
    resolve: Resolve<'r>,
    broken: &'r RefCell<Vec<(Range<usize>, String)>>,
    /// The text of the block of code that is being read, and whether it is in the language.
    code: Option<(String, bool)>,
    /// For each link or picture that is open whether it has been dropped.
    dropped: Vec<bool>,
}

impl Reader<'_> {
    fn event<'e>(&mut self, event: Event<'e>, range: Range<usize>) -> Option<Event<'e>> {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                self.code = Some((String::new(), is_ours(&kind)));
                None
            }
            Event::End(TagEnd::CodeBlock) => {
                let (text, ours) = self.code.take()?;
                let nowhere = |_: &[&str]| None;
                let resolve: Resolve<'_> = if ours { self.resolve } else { &nowhere };
                let html = match ours {
                    true => code::block(text.trim_end(), resolve),
                    false => {
                        format!("<pre class=\"code\"><code>{}</code></pre>\n", crate::markup::escaped(text.trim_end()))
                    }
                };
                Some(Event::Html(html.into()))
            }
            Event::Text(text) if self.code.is_some() => {
                self.code.as_mut()?.0.push_str(&text);
                None
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let target = match link_type {
                    // Names have been looked up already.
                    LinkType::ShortcutUnknown | LinkType::CollapsedUnknown | LinkType::ReferenceUnknown => {
                        Some(dest_url.to_string())
                    }
                    _ => self.target(&dest_url, range),
                };
                self.dropped.push(target.is_none());
                let dest_url = CowStr::from(target?);
                Some(Event::Start(Tag::Link { link_type, dest_url, title, id }))
            }
            // A picture would be loaded from somewhere; its text stays.
            Event::Start(Tag::Image { .. }) => {
                self.dropped.push(true);
                None
            }
            Event::End(TagEnd::Link | TagEnd::Image) if self.dropped.pop() == Some(true) => None,
            Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
            Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
            // The page has headings of its own above those of comments, and the ids of a page are not theirs to give.
            Event::Start(Tag::Heading { level, .. }) => Some(Event::Start(Tag::Heading {
                level: lower(level),
                id: None,
                classes: Vec::new(),
                attrs: Vec::new(),
            })),
            Event::End(TagEnd::Heading(level)) => Some(Event::End(TagEnd::Heading(lower(level)))),
            other => Some(other),
        }
    }

    /// Where a link leads; nowhere if it names nothing that there is.
    fn target(&self, dest: &str, range: Range<usize>) -> Option<String> {
        if is_web(dest) || dest.starts_with('#') {
            return Some(dest.to_owned());
        }
        let found = path_of(dest).and_then(|path| (self.resolve)(&path));
        if found.is_none() {
            self.broken.borrow_mut().push((range, dest.to_owned()));
        }
        found
    }
}

fn is_ours(kind: &CodeBlockKind<'_>) -> bool {
    match kind {
        CodeBlockKind::Indented => true,
        CodeBlockKind::Fenced(info) => matches!(info.split([',', ' ']).next(), Some("" | "bmc")),
    }
}

fn lower(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H4,
        HeadingLevel::H2 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(path: &[&str]) -> Option<String> {
        (path.first() == Some(&"Vault")).then(|| format!("x.html#{}", path.join(".")))
    }

    #[test]
    fn names_in_brackets_are_links() {
        for (text, wanted) in [
            ("See [`Vault`].", "<a href=\"x.html#Vault\"><code>Vault</code></a>"),
            ("See [`Vault.leave()`].", "href=\"x.html#Vault.leave\""),
            ("See [the vault](Vault).", "<a href=\"x.html#Vault\">the vault</a>"),
            ("See [the vault][`Vault`].", "<a href=\"x.html#Vault\">the vault</a>"),
            ("See [there](https://a.b).", "<a href=\"https://a.b\">there</a>"),
            ("An array [a, b] and [0].", "[a, b] and [0]"),
        ] {
            let marked = marked(text, &resolve);
            assert!(marked.html.contains(wanted) && marked.broken.is_empty(), "{text}: {marked:?}");
        }
        let marked = marked("See [`Vaul`] and [it](vault.md).", &resolve);
        let named: Vec<_> = marked.broken.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(named, ["Vaul", "vault.md"]);
        assert!(!marked.html.contains("<a "), "{}", marked.html);
    }

    #[test]
    fn nothing_of_a_comment_is_read_as_markup() {
        for hostile in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<!-- <b> -->",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](\u{1}javascript:alert(1))",
            "<javascript:alert(1)>",
            "[x]: javascript:alert(1)\n\n[x]",
            "![x](https://a.b/c.png)",
            "[a](https://x\"onmouseover=\"alert(1))",
            "```\n</code></pre><script>alert(1)</script>\n```",
            "```text\n</code></pre><script>alert(1)</script>\n```",
            "```\"><script>\nx\n```",
            "# <b>x</b> {#main onclick=x}",
        ] {
            let html = marked(hostile, &resolve).html;
            let tags =
                ["<script", "<img", "<b>", "<!--", "href=\"java", "href=\"JaVa", "\"onmouse", "onclick=\"", "id="];
            assert!(!tags.iter().any(|tag| html.contains(tag)), "{hostile}: {html}");
        }
    }

    #[test]
    fn the_first_paragraph_stands_alone() {
        let text = "Takes `a` and [`Vault`].\n\nMore.";
        assert_eq!(
            summary(text, &resolve),
            "Takes <code>a</code> and <a href=\"x.html#Vault\"><code>Vault</code></a>."
        );
        assert_eq!(plain_text(text), "Takes a and Vault.");
        assert_eq!(summary("- a < b", &resolve), "a &lt; b");
    }
}
