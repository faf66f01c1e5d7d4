//! From what an editor's configuration says to a run: the words of `bmc debug`, by other names.

use std::path::{Path, PathBuf};

use adapter::{Launcher, Refusal, Run, Source};
use clap::Parser;
use serde_json::Value;

use crate::fail::Fail;
use crate::subject::{Meaning, Recorded, Wanted};

/// The words of a configuration, and the options of `bmc debug` that they stand for.
const WORDS: [(&str, &str); 17] = [
    ("test", "test"),
    ("transaction", "transaction"),
    ("replay", "replay"),
    ("input", "input"),
    ("files", "file"),
    ("unlock", "unlock"),
    ("coins", "spent"),
    ("artifact", "artifact"),
    ("target", "target"),
    ("level", "level"),
    ("optimise", "optimise"),
    ("timeBox", "time-box"),
    ("rpc", "rpc"),
    ("datadir", "datadir"),
    ("cookie", "cookie"),
    ("auth", "auth"),
    ("noHashLowering", "no-hash-lowering"),
];
/// The words for what `bmc debug` takes without an option.
const SUBJECTS: [(&str, Meaning); 3] =
    [("transactionHex", Meaning::Digits), ("txid", Meaning::Txid), ("script", Meaning::Script)];
/// The words for the folder in which it is as if `bmc debug` were started.
const FOLDERS: [&str; 2] = ["cwd", "project"];

/// The options of `bmc debug` that a configuration can say.
#[derive(Parser)]
#[command(name = "launch", disable_help_flag = true, disable_version_flag = true)]
struct Line {
    #[command(flatten)]
    wanted: Wanted,
}

/// The disk and the nodes, as they are seen from where the adapter was started.
pub(super) struct Here {
    start: PathBuf,
}

impl Here {
    pub(super) fn new() -> Result<Self, Fail> {
        Ok(Self { start: std::env::current_dir()? })
    }

    /// Goes to the folder that a configuration names, and says where that is.
    fn enter(&self, arguments: &Value) -> Result<PathBuf, Fail> {
        let said = |word: &str| arguments.get(word).filter(|value| !value.is_null());
        let (word, folder) = match FOLDERS.iter().find_map(|word| Some((*word, said(word)?))) {
            None => ("the folder in which the adapter was started", self.start.clone()),
            Some((word, Value::String(folder))) => (word, self.start.join(folder)),
            Some((word, other)) => {
                return Err(Fail::usage(format!("`{word}` is the path of a folder, and not {other}")));
            }
        };
        std::env::set_current_dir(&folder)
            .map_err(|error| Fail::usage(format!("`{word}`, the folder `{}`: {error}", folder.display())))?;
        Ok(folder)
    }
}

/// The words as a command line would have them, and what its first word is.
fn line(arguments: &Value) -> Result<(Vec<String>, Option<Meaning>), Fail> {
    let mut line = vec!["launch".to_owned()];
    for (word, option) in WORDS {
        let Some(value) = arguments.get(word) else { continue };
        for text in texts(word, value)? {
            line.push(match text {
                Some(text) => format!("--{option}={text}"),
                None => format!("--{option}"),
            });
        }
    }
    let mut subjects = Vec::new();
    for (word, meaning) in SUBJECTS {
        let Some(value) = arguments.get(word) else { continue };
        subjects.extend(texts(word, value)?.into_iter().flatten().map(|text| (text, meaning)));
    }
    let given = subjects.len() + usize::from(arguments.get("test").is_some_and(|test| !test.is_null()));
    if given != 1 {
        let problem =
            if given == 0 { "the configuration does not say what to debug" } else { "this is too much to debug" };
        return Err(Fail::usage(problem).help("say one of `test`, `transactionHex`, `txid` and `script`"));
    }
    let Some((subject, meaning)) = subjects.pop() else { return Ok((line, None)) };
    line.extend(["--".to_owned(), subject]);
    Ok((line, Some(meaning)))
}

/// The values of a word; nothing in place of a text where it is only said that it is so.
fn texts(word: &str, value: &Value) -> Result<Vec<Option<String>>, Fail> {
    match value {
        Value::Null | Value::Bool(false) => Ok(Vec::new()),
        Value::Bool(true) if word == "noHashLowering" => Ok(vec![None]),
        Value::String(text) => Ok(vec![Some(text.clone())]),
        Value::Number(number) => Ok(vec![Some(number.to_string())]),
        Value::Array(values) if matches!(word, "files" | "coins") => {
            let each = values.iter().map(|value| match value {
                Value::Array(_) => Err(wrong_kind(word, value)),
                plain => texts(word, plain),
            });
            Ok(each.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        }
        other => Err(wrong_kind(word, other)),
    }
}

fn wrong_kind(word: &str, value: &Value) -> Fail {
    let kind = match value {
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
        _ => "true",
    };
    let help = match word {
        "files" | "coins" => "write a text, or a list of texts",
        _ => "write a text or a number",
    };
    Fail::usage(format!("`{word}` cannot be {kind}")).help(help)
}

fn wanted(arguments: &Value) -> Result<Wanted, Fail> {
    let (words, meaning) = line(arguments)?;
    let line = Line::try_parse_from(words).map_err(|error| {
        let text = error.to_string();
        let first = text.split("\n\n").next().unwrap_or_default();
        let first = first.strip_prefix("error: ").unwrap_or(first);
        Fail::usage(first.lines().map(str::trim).collect::<Vec<_>>().join(" "))
            .help("the words of a configuration stand for the options of `bmc debug`")
    })?;
    Ok(line.wanted.meaning(meaning))
}

impl Launcher for Here {
    fn launch(&self, arguments: &Value) -> Result<Run, Refusal> {
        let notes = std::cell::RefCell::new(Vec::new());
        let report = |compiled: &driver::Compiled| {
            compiled.render(&mut *notes.borrow_mut(), false)?;
            match compiled.has_errors() {
                true => Err(Fail::refused("the sources have errors").help("`bmc check` shows all of them")),
                false => Ok(()),
            }
        };
        let made = self.enter(arguments).and_then(|folder| Ok((wanted(arguments)?.record(&report)?, folder)));
        let notes = String::from_utf8_lossy(&notes.take()).into_owned();
        match made {
            Ok((recorded, folder)) => Ok(run(recorded, &folder, notes)),
            Err(Fail { message, help, .. }) => Err(Refusal { message, help, notes }),
        }
    }

    fn is_same_file(&self, one: &str, other: &str) -> bool {
        let real = |path: &str| std::fs::canonicalize(path).ok();
        real(one).is_some_and(|one| real(other) == Some(one))
    }
}

fn run(recorded: Recorded, folder: &Path, notes: String) -> Run {
    let Recorded { recording, title, tx, spent, input, artifact, texts } = recorded;
    let source = |(name, text, file): (String, Option<String>, Option<PathBuf>)| {
        let path = file.map(|file| folder.join(file).to_string_lossy().into_owned());
        Source { name, path, text }
    };
    let sources = texts.into_sources().map(source).collect();
    Run { title, recording, tx, spent, input, artifact, sources, notes }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use spec::Transaction;

    use super::*;

    /// What is debugged, recorded.
    fn recorded(arguments: &Value) -> Result<Recorded, Fail> {
        wanted(arguments)?.record(&|_| Ok(()))
    }

    #[test]
    fn a_configuration_says_what_a_command_line_says() {
        for (arguments, expected) in [
            (json!({ "test": "pays", "transaction": 2, "type": "bmc" }), "launch --test=pays --transaction=2"),
            (json!({ "test": "pays", "txid": null, "noHashLowering": false }), "launch --test=pays"),
            (json!({ "script": "-1 OP_NEGATE", "unlock": "--x" }), "launch --unlock=--x -- -1 OP_NEGATE"),
            (
                json!({ "transactionHex": "00", "coins": ["1:51", "2:52"], "noHashLowering": true }),
                "launch --spent=1:51 --spent=2:52 --no-hash-lowering -- 00",
            ),
        ] {
            assert_eq!(line(&arguments).unwrap().0.join(" "), expected);
            assert!(wanted(&arguments).is_ok(), "{arguments}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let id = "ab".repeat(32);
        for (arguments, expected) in [
            (json!({}), "does not say what to debug"),
            (json!(null), "does not say what to debug"),
            (json!({ "test": "a", "script": "51" }), "too much to debug"),
            (json!({ "txid": id, "script": "51" }), "too much to debug"),
            (json!({ "test": ["a"] }), "`test` cannot be a list"),
            (json!({ "script": { "a": 1 } }), "`script` cannot be an object"),
            (json!({ "script": "51", "coins": [["a"]] }), "`coins` cannot be a list"),
            (json!({ "script": true }), "`script` cannot be true"),
            (json!({ "test": "a", "transaction": "x" }), "invalid value 'x' for '--transaction <N>'"),
            (json!({ "script": "51", "target": "dos" }), "write `bitmodel` or `bch2026`"),
            (json!({ "txid": "deadbeef" }), "`txid` is no id of a transaction"),
            (json!({ "txid": "2 OP_ADD" }), "`txid` is no id of a transaction"),
            (json!({ "txid": id, "coins": ["1:51"] }), "`txid` names a transaction of a node"),
            (json!({ "txid": id, "unlock": "3" }), "`txid` names a transaction of a node"),
            (json!({ "transactionHex": "0200000001" }), "`transactionHex`: this is no transaction: byte 5"),
            (json!({ "transactionHex": id }), "`transactionHex`: this is no transaction"),
            (json!({ "transactionHex": "2 OP_ADD" }), "`transactionHex`: character 1 is ' '"),
            (json!({ "script": "51", "coins": ["1:51"] }), "`coins` are what a transaction spends"),
            (json!({ "script": "1", "unlock": "2 OP_DUP" }), "no instruction runs: the unlocking bytecode does more"),
        ] {
            let fail = recorded(&arguments).err().unwrap_or_else(|| panic!("{arguments}"));
            assert!(fail.message.contains(expected), "{arguments}: {}", fail.message);
        }
    }

    #[test]
    fn a_script_is_a_script_even_if_it_looks_like_something_else() {
        let id = "51".repeat(32);
        let made_up = recorded(&json!({ "script": "51" })).unwrap().tx.encode();
        for script in [id, hex::encode(made_up)] {
            let found = recorded(&json!({ "script": script })).unwrap();
            assert_eq!(hex::encode(&found.spent[0].lock), script);
        }
        let other = Transaction { version: 7, ..recorded(&json!({ "script": "51" })).unwrap().tx };
        let arguments = json!({ "transactionHex": hex::encode(other.encode()), "coins": ["1:51"] });
        assert_eq!(recorded(&arguments).unwrap().tx, other);
    }

    #[test]
    fn the_folder_is_named_by_the_word_that_names_it() {
        let here = Here::new().unwrap();
        for (arguments, expected) in [
            (json!({ "cwd": 5 }), "`cwd` is the path of a folder, and not 5"),
            (json!({ "project": 5 }), "`project` is the path of a folder, and not 5"),
            (json!({ "cwd": null, "project": "no/such" }), "`project`, the folder `"),
        ] {
            let fail = here.enter(&arguments).err().unwrap_or_else(|| panic!("{arguments}"));
            assert!(fail.message.contains(expected), "{arguments}: {}", fail.message);
        }
    }

    #[test]
    fn every_word_stands_in_the_book_and_in_the_extension() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
        let book = read("docs/book/src/debugging.md");
        let package: Value = serde_json::from_str(&read("editors/vscode/package.json")).unwrap();
        let known = &package["contributes"]["debuggers"][0]["configurationAttributes"]["launch"]["properties"];
        let words = WORDS.iter().map(|(word, _)| *word).chain(SUBJECTS.iter().map(|(word, _)| *word));
        let missing = |is_there: &dyn Fn(&str) -> bool| {
            let all = words.clone().chain(FOLDERS).chain(["stopOnEntry", "stopAtEnd"]);
            all.filter(|word| !is_there(word)).collect::<Vec<_>>()
        };
        assert_eq!(missing(&|word| book.contains(&format!("`{word}`"))), [""; 0], "in the book");
        assert_eq!(missing(&|word| known.get(word).is_some()), [""; 0], "in the extension");
    }
}
