//! The one table of diagnostic codes of the whole compiler.
//!
//! Ranges: E00xx syntax, E01xx names, E02xx types, E03xx rewards, E04xx covenants, E05xx code
//! generation, E06xx manifests and files. A published code keeps its number and meaning.

use std::fmt;

/// Declares the table; every row becomes a variant of [`Code`] with its title and explanation.
macro_rules! codes {
    ($($code:ident $title:literal $explanation:literal;)*) => {
        /// The code of a diagnostic, such as `E0001`; each has a title and an explanation.
        ///
        /// ```
        /// use syntax::Code;
        /// assert_eq!(Code::E0001.to_string(), "E0001");
        /// assert_eq!(Code::from_name("E0001"), Some(Code::E0001));
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $title] $code,)*
        }

        impl Code {
            /// Every code, in table order.
            pub const ALL: &'static [Code] = &[$(Code::$code),*];

            /// The code as written, such as `E0001`.
            pub fn name(self) -> &'static str {
                match self { $(Code::$code => stringify!($code),)* }
            }

            /// A few words that name the mistake.
            pub fn title(self) -> &'static str {
                match self { $(Code::$code => $title,)* }
            }

            /// A paragraph of Markdown: what is wrong, why it matters, what to do.
            pub fn explanation(self) -> &'static str {
                match self { $(Code::$code => $explanation,)* }
            }

            /// The code with that name.
            pub fn from_name(name: &str) -> Option<Code> {
                match name { $(stringify!($code) => Some(Code::$code),)* _ => None }
            }
        }
    };
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

codes! {
    E0001 "unexpected text"
        "The parser met a word or sign that cannot stand there. The message says what was expected instead; the rest of the file is still checked.";
    E0002 "characters that mean nothing"
        "Some characters belong to no word or sign of the language, such as `#` or a stray control character outside a string. Remove them, or put them into a string or a comment.";
    E0003 "string without an end"
        "A string must be closed by `\"` on the line it starts on. Write `\\n` for a line break inside a string.";
    E0004 "comment without an end"
        "A block comment opened by `/*` must be closed by `*/`. Block comments nest, so every `/*` inside needs its own `*/`.";
    E0005 "unknown escape in a string"
        "A string knows the escapes `\\n`, `\\t`, `\\r`, `\\0`, `\\\\`, `\\\"`, `\\xNN` with two hexadecimal digits up to 7f, and `\\u{...}` with the number of a Unicode character.";
    E0006 "malformed number or bytes"
        "Numbers are decimal digits with optional `_` between them, such as `21_000_000`. Bytes are written `0x` and an even number of hexadecimal digits, two for each byte.";
    E0007 "missing semicolon"
        "A statement ends in `;`. Only the last expression of a block may stand without one: it is the block's value.";
    E0008 "missing expression"
        "Something that has a value was expected here: a name, a number, a call, or an expression in parentheses.";
    E0009 "missing name"
        "A name was expected here: a letter or `_`, then letters, digits and `_`. Keywords such as `let` cannot be names, except after a dot and as keys of a declaration.";
    E0010 "missing type"
        "A type was expected here, such as `Int`, `Bool`, `Bytes<20>`, `PubKey` or `Coin`.";
    E0011 "bracket without its partner"
        "Every `(`, `[` and `{` needs the bracket that closes it, in the right order, and every closing bracket one that opens it.";
    E0012 "nested too deeply"
        "Brackets nest at most 200 deep and expressions at most 400, so that no source can exhaust the compiler. Give a part its own name with `let`, or move it into a function.";
    E0013 "feature of a later version"
        "The word belongs to a part of the language that this version of the compiler does not have yet. It is reserved so that programs written today keep their meaning.";
    E0014 "unknown unit"
        "A word after a number is its unit: `coin`, `sats`, `blocks`, `seconds`, `minutes`, `hours`, `days` or `weeks`. Before a number `height` and before a string `time` give a point in time.";
    E0015 "text outside any item"
        "A file is a list of items: `use`, `const`, `fn`, `contract` and `reward`. Other text cannot stand between them.";
    E0016 "too many syntax errors"
        "Only the first hundred syntax errors of a file are shown. Correct those first; the others are often their consequence.";
    E0017 "too many items"
        "One file holds at most 20,000 items. Split it into several files.";
    E0018 "documentation that documents nothing"
        "A `///` comment belongs to the item, member or entry that follows it, and `//!` to the file at whose top it stands. Write `//` for a comment about anything else.";

    E0501 "script too large"
        "A script and everything it copies from functions must fit into the bytes that the rules allow: 10,000 under `bch2026`, 65,535 under `bitmodel`. Split the contract, or check less in one path.";
    E0502 "too many levels"
        "Conditionals, calls and expressions inside each other, or the paths of one contract, go deeper than the rules or the compiler allow. Split them into several `let`s, `require`s or contracts.";
    E0503 "too many values at once"
        "The stack holds every value from where it is computed to its last use, and it has room for a fixed number. Use values closer to where they are computed.";
    E0504 "work that the transaction does not pay for"
        "An input may do only as much work as the length of its unlocking bytecode pays for. This path may do more with arguments of usual length. Check less in it, or let the spender push padding.";
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn every_code_has_a_well_formed_name_a_title_and_a_paragraph() {
        for code in Code::ALL {
            let name = code.name();
            assert!(name.len() == 5 && name.starts_with('E'), "{name}");
            assert!(!code.title().ends_with('.'), "{name}: title ends in a period");
            assert!(code.explanation().ends_with('.'), "{name}: explanation is no sentence");
            assert_eq!(Code::from_name(name), Some(*code));
        }
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(Code::ALL.is_sorted_by_key(|code| code.name()));
    }
}
