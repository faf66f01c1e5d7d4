//! Text as it stands in markup, and where links may lead.

/// Text as it stands in a page or a picture: without control characters, and never read as markup.
///
/// ```
/// assert_eq!(document::escaped("a < \"b\"\u{1}"), "a &lt; &quot;b&quot;");
/// ```
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// A name as a part of a path and of an address: whatever else it holds is written as its number.
pub(crate) fn slug(name: &str) -> String {
    let mut out = String::new();
    for part in name.split('/') {
        if !out.is_empty() {
            out.push('/');
        }
        match part {
            "" | "." => out.push_str("_."),
            ".." => out.push_str("_up"),
            part => part.chars().for_each(|c| match c {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' | '.' => out.push(c),
                other => out.push_str(&format!("_{:x}", u32::from(other))),
            }),
        }
    }
    out
}

/// An address that leads out of the pages, if it is one of those that only show something.
pub(crate) fn is_web(address: &str) -> bool {
    let lower = address.trim().to_ascii_lowercase();
    ["https://", "http://", "mailto:"].iter().any(|scheme| lower.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_paths_that_stay_below() {
        for (name, wanted) in [
            ("shares", "shares"),
            ("pay/out", "pay/out"),
            ("../up", "_up/up"),
            ("/etc", "_./etc"),
            ("a b\"c", "a_20b_22c"),
            ("ä", "_e4"),
        ] {
            assert_eq!(slug(name), wanted);
        }
    }

    #[test]
    fn only_addresses_that_show_something_lead_out() {
        for yes in ["https://a.b", "HTTP://a", "mailto:a@b"] {
            assert!(is_web(yes), "{yes}");
        }
        for no in ["javascript:alert(1)", "data:text/html,x", "//a.b", "a.md", "file:///etc/passwd", "vbscript:x"] {
            assert!(!is_web(no), "{no}");
        }
    }
}
