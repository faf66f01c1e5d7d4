//! Sources as markup: words coloured by what they are, names as links to where they are declared.

use syntax::{TokenKind, Tokens, Word, WordClass};

use crate::markup::escaped;

/// Where a path of names leads, if it leads anywhere.
pub(crate) type Resolve<'r> = &'r dyn Fn(&[&str]) -> Option<String>;

/// A stretch of a source that looks alike.
struct Piece<'t> {
    class: &'static str,
    href: Option<String>,
    text: &'t str,
}

/// A source as a block.
pub(crate) fn block(text: &str, resolve: Resolve<'_>) -> String {
    format!("<pre class=\"code\"><code>{}</code></pre>\n", inline(text, resolve))
}

/// A source in a line of text.
pub(crate) fn inline(text: &str, resolve: Resolve<'_>) -> String {
    pieces(text, resolve).iter().map(|piece| marked(piece, piece.text)).collect()
}

/// A whole file whose lines can be linked to. Numbers are no text, so whoever copies lines gets none.
pub(crate) fn lines(text: &str, resolve: Resolve<'_>) -> String {
    let mut out = String::from("<pre class=\"code lines\"><code>");
    let mut line = 1;
    let begin = |out: &mut String, line: usize| {
        out.push_str(&format!("<a id=\"L{line}\" href=\"#L{line}\" data-n=\"{line}\" aria-label=\"line {line}\"></a>"));
    };
    begin(&mut out, line);
    for piece in pieces(text.strip_suffix('\n').unwrap_or(text), resolve) {
        for (at, part) in piece.text.split('\n').enumerate() {
            if at > 0 {
                line += 1;
                out.push('\n');
                begin(&mut out, line);
            }
            out.push_str(&marked(&piece, part));
        }
    }
    out + "</code></pre>\n"
}

fn marked(piece: &Piece<'_>, text: &str) -> String {
    let text_marked = escaped(text);
    match (&piece.href, piece.class) {
        _ if text.is_empty() => String::new(),
        (Some(href), class) => format!("<a class=\"{class}\" href=\"{}\">{text_marked}</a>", escaped(href)),
        (None, "") => text_marked,
        (None, class) => format!("<span class=\"{class}\">{text_marked}</span>"),
    }
}

fn pieces<'t>(text: &'t str, resolve: Resolve<'_>) -> Vec<Piece<'t>> {
    let tokens = syntax::lex(text);
    let looked = Looked { text, tokens: &tokens };
    let piece = |at: usize| {
        let class = looked.class(at);
        let href = if tokens.kind(at) == Some(TokenKind::Ident) { looked.link(at, resolve) } else { None };
        Piece { class, href, text: looked.text_at(at) }
    };
    (0..tokens.len()).map(piece).collect()
}

struct Looked<'t, 'k> {
    text: &'t str,
    tokens: &'k Tokens,
}

impl<'t> Looked<'t, '_> {
    fn text_at(&self, at: usize) -> &'t str {
        self.text.get(self.tokens.span(at).range()).unwrap_or_default()
    }

    /// The last token before `at` that is no space and no comment.
    fn before(&self, at: usize) -> Option<usize> {
        (0..at).rev().find(|at| self.tokens.kind(*at).is_some_and(|kind| !kind.is_trivia()))
    }

    fn after(&self, at: usize) -> Option<TokenKind> {
        (at + 1..self.tokens.len()).filter_map(|at| self.tokens.kind(at)).find(|kind| !kind.is_trivia())
    }

    fn class(&self, at: usize) -> &'static str {
        match self.tokens.kind(at) {
            Some(TokenKind::Doc | TokenKind::InnerDoc) => "d",
            Some(TokenKind::LineComment | TokenKind::BlockComment | TokenKind::UnclosedComment) => "c",
            Some(TokenKind::Keyword(_)) => "k",
            Some(TokenKind::Str | TokenKind::UnclosedStr) => "s",
            Some(TokenKind::Int | TokenKind::Decimal | TokenKind::Percent | TokenKind::Bytes) => "n",
            Some(TokenKind::Ident) => self.word(at),
            _ => "",
        }
    }

    fn word(&self, at: usize) -> &'static str {
        let text = self.text_at(at);
        let before = self.before(at).and_then(|at| self.tokens.kind(at));
        let class = Word::from_text(text).map(Word::class);
        let begins = !matches!(before, Some(TokenKind::Dot | TokenKind::PathSep))
            && !matches!(self.after(at), Some(TokenKind::Colon | TokenKind::Dot | TokenKind::PathSep));
        match class {
            Some(WordClass::Opener) if begins && self.is_first(at) => "k",
            Some(WordClass::Contextual) if begins && (self.is_first(at) || is_small(text)) => "k",
            _ if text.starts_with(|c: char| c.is_ascii_uppercase()) => "t",
            _ if self.after(at) == Some(TokenKind::LParen) => "f",
            _ => "",
        }
    }

    /// Whether the token begins a line or a block.
    fn is_first(&self, at: usize) -> bool {
        use TokenKind as Kind;
        match self.before(at) {
            None => true,
            Some(before) => {
                matches!(
                    self.tokens.kind(before),
                    Some(Kind::LBrace | Kind::RBrace | Kind::Semi | Kind::Doc | Kind::InnerDoc)
                )
            }
        }
    }

    /// Where the path that ends with the name at `at` leads.
    fn link(&self, at: usize, resolve: Resolve<'_>) -> Option<String> {
        let mut path = vec![self.text_at(at)];
        let mut first = at;
        while let Some(sep) = self.before(first)
            && self.tokens.kind(sep) == Some(TokenKind::PathSep)
        {
            first = self.before(sep).filter(|at| self.tokens.kind(*at) == Some(TokenKind::Ident))?;
            path.insert(0, self.text_at(first));
        }
        let before = self.before(first).and_then(|at| self.tokens.kind(at));
        // What a path, a variable or a field is called here has nothing to do with items of that name.
        let is_named = matches!(before, Some(TokenKind::Dot | TokenKind::Keyword(Word::Spend | Word::Let | Word::Mut)));
        let is_key = path.len() == 1 && self.after(at) == Some(TokenKind::Colon);
        if is_named || is_key { None } else { resolve(&path) }
    }
}

/// Words that are read as signs wherever they stand.
fn is_small(text: &str) -> bool {
    matches!(text, "of" | "signed" | "up" | "at" | "least" | "by" | "to" | "as" | "with" | "where" | "max" | "after")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_links_where_they_stand_for_items() {
        let resolve = |path: &[&str]| Some(path.join("-")).filter(|_| path.last() == Some(&"f") || path == ["m"]);
        let text = "let x = m::f(1) + a.f + S { f: 2 };";
        let marked = inline(text, &resolve);
        assert_eq!(marked.matches("<a ").count(), 2, "{marked}");
        assert!(marked.contains("<a class=\"\" href=\"m\">m</a>::<a class=\"f\" href=\"m-f\">f</a>"), "{marked}");
    }

    #[test]
    fn every_line_of_a_file_has_its_anchor_and_nothing_is_lost() {
        let text = "/* a\n b */\nconst A: Bytes = 0x00; // <script>\n";
        let marked = lines(text, &|_| None);
        assert!((1..=3).all(|line| marked.contains(&format!("id=\"L{line}\""))) && !marked.contains("id=\"L4\""));
        assert!(marked.contains("&lt;script&gt;") && !marked.contains("<script>"), "{marked}");
    }
}
