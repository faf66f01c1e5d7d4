//! The TextMate grammar of the language, from the table of words: what editors without a parser colour by.

use serde_json::{Value, json};
use syntax::ast::Unit;
use syntax::{Word, WordClass};

use super::Page;

/// A name.
const NAME: &str = "[A-Za-z_][A-Za-z0-9_]*";
/// What follows a word that stands before an operand. A name is never written directly before another name or a literal,
/// unless that is a word which stands between operands.
const BEFORE_OPERAND: &str =
    r#"(?=\s+(?!(?:after|as|at|by|in|least|max|mod|of|signed|to|where|with)\b)["A-Za-z0-9_(\[])"#;

/// The grammar as a file of the extension.
pub(super) fn page() -> Result<Page, String> {
    let mut text = serde_json::to_string_pretty(&grammar()).map_err(|error| error.to_string())?;
    text.push('\n');
    Ok(Page { path: "editors/vscode/syntaxes/bmc.tmLanguage.json".to_owned(), text })
}

/// Keys stand in the order of the alphabet, so that the text does not depend on how maps are kept.
fn grammar() -> Value {
    let include = |name: &str| json!({ "include": format!("#{name}") });
    let order = ["comments", "strings", "literals", "fields", "declarations", "keywords", "words", "names", "signs"];
    json!({
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "fileTypes": ["bmc"],
        "name": "Bitmodel",
        "patterns": order.map(include),
        "repository": {
            "comments": { "patterns": comments() },
            "declarations": { "patterns": declarations() },
            "fields": { "patterns": fields() },
            "keywords": { "patterns": keywords() },
            "literals": { "patterns": literals() },
            "names": { "patterns": names() },
            "nested": {
                "begin": r"/\*",
                "end": r"\*/",
                "name": "comment.block.bmc",
                "patterns": [{ "include": "#nested" }],
            },
            "signs": { "patterns": signs() },
            "strings": { "patterns": strings() },
            "words": { "patterns": words() },
        },
        "scopeName": "source.bmc",
    })
}

fn rule(pattern: &str, scope: &str) -> Value {
    json!({ "match": pattern, "name": format!("{scope}.bmc") })
}

fn comments() -> Vec<Value> {
    vec![
        rule(r"///(?!/).*$", "comment.line.documentation"),
        rule(r"//!.*$", "comment.line.documentation"),
        rule(r"//.*$", "comment.line.double-slash"),
        json!({ "include": "#nested" }),
    ]
}

fn strings() -> Vec<Value> {
    let escapes = [
        rule(r#"\\(?:[ntr0\\"]|x[0-7][0-9A-Fa-f]|u\{[0-9A-Fa-f]{1,6}\})"#, "constant.character.escape"),
        rule(r"\\.", "invalid.illegal.escape"),
    ];
    vec![json!({ "begin": "\"", "end": "\"|$", "name": "string.quoted.double.bmc", "patterns": escapes })]
}

fn literals() -> Vec<Value> {
    let units: Vec<String> = Unit::ALL.iter().map(|unit| format!("{}s?", unit.word().trim_end_matches('s'))).collect();
    vec![
        rule(r"\b0[xX][0-9A-Za-z_]*", "constant.numeric.hex"),
        rule(r"\b[0-9][0-9_]*(?:\.[0-9][0-9_]*)?%", "constant.numeric.percent"),
        json!({
            "captures": {
                "1": { "name": "constant.numeric.bmc" },
                "2": { "name": "keyword.other.unit.bmc" },
            },
            "match": format!(r"\b([0-9][0-9_]*(?:\.[0-9][0-9_]*)?)\s+({})\b", units.join("|")),
        }),
        rule(r"\b[0-9][0-9_]*\.[0-9][0-9_]*", "constant.numeric.decimal"),
        rule(r"\b[0-9][0-9_]*", "constant.numeric.integer"),
    ]
}

/// Behind a dot and before a colon every word is a name.
fn fields() -> Vec<Value> {
    let dot = r"(?<!\.)(\.)(?!\.)\s*";
    let behind = |pattern: String, scope: &str| {
        json!({
            "captures": {
                "1": { "name": "punctuation.accessor.bmc" },
                "2": { "name": format!("{scope}.bmc") },
            },
            "match": pattern,
        })
    };
    vec![
        behind(format!(r"{dot}({NAME})(?=\s*\()"), "entity.name.function.member"),
        behind(format!(r"{dot}({NAME})"), "variable.other.property"),
        rule(&format!(r"\b{NAME}(?=\s*:(?!:))"), "variable.other.property"),
    ]
}

/// Declarations with the names that they give.
fn declarations() -> Vec<Value> {
    let declares = |words: &[Word], anchor: &str, scope: &str| {
        let words: Vec<&str> = words.iter().map(|word| word.text()).collect();
        json!({
            "captures": {
                "1": { "name": "storage.type.bmc" },
                "2": { "name": format!("{scope}.bmc") },
            },
            "match": format!(r"{anchor}({})\s+({NAME})\b", words.join("|")),
        })
    };
    let types = [Word::Contract, Word::Reward, Word::Struct, Word::Enum];
    let opened = [Word::Model, Word::Imi, Word::Imo];
    let actions = [Word::Fn, Word::Spend];
    let opened_actions = [Word::Plan, Word::Test, Word::Property];
    vec![
        declares(&types, r"\b", "entity.name.type"),
        declares(&opened, r"(?:^|(?<=[;}]))\s*", "entity.name.type"),
        declares(&actions, r"\b", "entity.name.function"),
        declares(&opened_actions, r"(?:^|(?<=[;}]))\s*", "entity.name.function"),
        declares(&[Word::Const], r"\b", "variable.other.constant"),
    ]
}

fn keywords() -> Vec<Value> {
    let scopes = [
        "constant.language",
        "keyword.control",
        "keyword.control.import",
        "keyword.operator.word",
        "storage.modifier",
        "storage.type",
        "variable.language",
    ];
    let of = |scope: &str| {
        let words = Word::ALL.iter().filter(|word| word.is_keyword() && scope_of(**word) == scope);
        let words: Vec<&str> = words.map(|word| word.text()).collect();
        rule(&format!(r"\b(?:{})\b", words.join("|")), scope)
    };
    scopes.map(of).into()
}

/// What themes take a keyword for.
const fn scope_of(word: Word) -> &'static str {
    match word {
        Word::True | Word::False => "constant.language",
        Word::SelfWord | Word::Tx => "variable.language",
        Word::Use => "keyword.control.import",
        Word::Mod => "keyword.operator.word",
        Word::Mut => "storage.modifier",
        Word::Contract
        | Word::Spend
        | Word::Reward
        | Word::Struct
        | Word::Enum
        | Word::Fn
        | Word::Const
        | Word::Let => "storage.type",
        _ => "keyword.control",
    }
}

/// The words that are names elsewhere, each with what has to stand behind it.
fn words() -> Vec<Value> {
    let others = Word::ALL.iter().filter(|word| !word.is_keyword());
    let words = others.map(|word| {
        let scope = if word.class() == WordClass::Opener { "storage.type" } else { "keyword.control" };
        rule(&format!(r"\b{}\b{}", word.text(), context(*word)), scope)
    });
    words.collect()
}

const fn context(word: Word) -> &'static str {
    match word {
        Word::State => r"(?=\s*\{)",
        Word::Allow | Word::Budget | Word::Signed => r"(?=\s*\()",
        Word::Of => r"(?=\s*\[|\s+[A-Z])",
        Word::Up => r"(?=\s+to\b)",
        Word::At => r"(?=\s+(?:least\b|height\b|time\b|[A-Za-z0-9_]))",
        Word::Height => r"(?=\s+[0-9])",
        Word::Time => "(?=\\s+\")",
        Word::Asm => r"(?=\s*\([^()]*\)\s*(?:->|\{))",
        Word::Continue => r"(?=\s*(?:;|\{|with\b))",
        Word::End | Word::None | Word::Genesis => r"(?=\s*;)",
        Word::With => r"(?=\s*\{|\s+(?:value|tokens)\b)",
        Word::Change => r"(?=\s+(?:to|none)\b)",
        Word::Each | Word::Any => r"(?=\s*;|\s+(?:where\b|[A-Za-z_(]))",
        Word::Data => r"(?=\s*\[)",
        Word::Key => r"(?<=:\s)(?=\()",
        Word::Passes => r"(?=\s*(?:\{|at\b))",
        Word::Fails => "(?=\\s+\")",
        Word::List => r"(?=\s*[,}]\s*(?://.*)?$)",
        _ => BEFORE_OPERAND,
    }
}

fn names() -> Vec<Value> {
    vec![
        rule(r"\bOP_[A-Z0-9_]+\b", "support.function.opcode"),
        rule(r"\b[A-Z][A-Z0-9_]+\b", "variable.other.constant"),
        rule(r"\b[A-Z][A-Za-z0-9_]*\b", "entity.name.type"),
        rule(&format!(r"\b{NAME}(?=\s*::)"), "entity.name.namespace"),
        rule(&format!(r"\b{NAME}(?=\s*\()"), "entity.name.function"),
        rule(&format!(r"\b{NAME}\b"), "variable.other"),
    ]
}

fn signs() -> Vec<Value> {
    vec![
        rule(r"->|=>|[+\-*/]=|==|!=|<=|>=|\|\||&&|<<|>>|\.\.|[=<>|^&+\-*/!~]", "keyword.operator"),
        rule(r"::|[,;:.]", "punctuation.separator"),
        rule(r"[{}]", "punctuation.section.block"),
        rule(r"[()\[\]]", "punctuation.section.brackets"),
    ]
}
