//! What a line asks for.

/// A line, sorted by what is to be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input<'t> {
    Nothing,
    Quit,
    Help,
    Unknown(&'t str),
    Expression(&'t str),
    Require(&'t str),
    Let(&'t str),
    Item(&'t str),
    Script(&'t str),
    Hex(&'t str),
    Push(&'t str),
    Stack,
    Asm(&'t str),
    Type(&'t str),
    Cost(&'t str),
    Load(&'t str),
    List,
    Clear,
}

/// What begins a declaration.
const ITEMS: [&str; 8] = ["fn", "const", "struct", "enum", "use", "contract", "reward", "model"];

/// The commands, as completion proposes them.
pub(super) const COMMANDS: [&str; 12] =
    [":asm", ":clear", ":cost", ":help", ":hex", ":list", ":load", ":push", ":quit", ":stack", ":type", ":exit"];

impl<'t> Input<'t> {
    pub(super) fn of(said: &'t str) -> Self {
        let text = said.trim();
        if text.is_empty() || text.starts_with("//") && !text.contains('\n') {
            return Input::Nothing;
        }
        if let Some(command) = text.strip_prefix(':') {
            let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
            return Self::command(word, rest.trim());
        }
        let first: &str = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        match first {
            "let" => Input::Let(text),
            "require" => Input::Require(text),
            word if ITEMS.contains(&word) => Input::Item(text),
            "asm" => Input::Expression(text),
            _ if text.split_whitespace().any(|word| word.starts_with("OP_")) => Input::Script(text),
            _ => Input::Expression(text.trim_end_matches(';')),
        }
    }

    fn command(word: &'t str, rest: &'t str) -> Self {
        match word {
            "q" | "quit" | "exit" => Input::Quit,
            "h" | "help" | "?" => Input::Help,
            "s" | "stack" => Input::Stack,
            "a" | "asm" => Input::Asm(rest),
            "t" | "type" => Input::Type(rest),
            "cost" => Input::Cost(rest),
            "load" => Input::Load(rest),
            "push" => Input::Push(rest),
            "hex" => Input::Hex(rest),
            "list" => Input::List,
            "clear" => Input::Clear,
            other => Input::Unknown(other),
        }
    }
}

/// Whether a bracket waits for its partner, so that more lines belong to this one.
pub(super) fn is_open(text: &str) -> bool {
    use syntax::TokenKind as Kind;
    if text.trim_start().starts_with(':') {
        return false;
    }
    let mut depth = 0_i64;
    for (kind, _) in syntax::lex(text).iter() {
        match kind {
            Kind::LParen | Kind::LBracket | Kind::LBrace => depth += 1,
            Kind::RParen | Kind::RBracket | Kind::RBrace => depth -= 1,
            _ => {}
        }
    }
    depth > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_sorted_by_how_it_begins() {
        for (said, wanted) in [
            ("", Input::Nothing),
            ("  // a comment", Input::Nothing),
            (":q", Input::Quit),
            (":type 1 + 2", Input::Type("1 + 2")),
            (":nothing at all", Input::Unknown("nothing")),
            ("let a = 1;", Input::Let("let a = 1;")),
            ("letter + 1", Input::Expression("letter + 1")),
            ("fn f() -> Int { 1 }", Input::Item("fn f() -> Int { 1 }")),
            ("2 3 OP_ADD\n", Input::Script("2 3 OP_ADD")),
            ("1 + 2;", Input::Expression("1 + 2")),
            ("require true;", Input::Require("require true;")),
        ] {
            assert_eq!(Input::of(said), wanted, "{said}");
        }
    }

    #[test]
    fn a_bracket_that_waits_wants_more_lines() {
        for (text, open) in
            [("f(", true), ("f()", false), ("\"(\"", false), ("fn f() {\n", true), (")(", false), (":asm (", false)]
        {
            assert_eq!(is_open(text), open, "{text}");
        }
    }
}
