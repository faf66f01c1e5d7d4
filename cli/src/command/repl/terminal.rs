//! Lines from a terminal, with history and completion.

use std::borrow::Cow;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Editor, Helper};
use syntax::Word;

use super::bench::Bench;
use super::line::{COMMANDS, is_open};
use super::{Next, respond};
use crate::fail::Fail;
use crate::link::default_datadir;
use crate::shell::Shell;

/// Proposes words, and asks for more lines while a bracket is open.
struct Guide {
    words: Vec<String>,
}

impl Guide {
    fn learn(&mut self, bench: &Bench) {
        let commands = COMMANDS.iter().map(|command| (*command).to_owned());
        let opcodes = spec::opcode::TABLE.iter().map(|row| row.name.to_owned());
        let keywords = Word::ALL.iter().map(|word| word.text().to_owned());
        self.words = commands.chain(opcodes).chain(keywords).chain(bench.words()).collect();
        self.words.sort();
        self.words.dedup();
    }
}

/// The word that ends at a position, and where it begins.
fn word_before(line: &str, at: usize) -> (usize, &str) {
    let before = line.get(..at).unwrap_or(line);
    let start = before
        .rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':')
        .map_or(0, |end| end + before.get(end..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    (start, before.get(start..).unwrap_or_default())
}

impl Completer for Guide {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let (start, word) = word_before(line, at);
        if word.is_empty() {
            return Ok((at, Vec::new()));
        }
        Ok((start, self.words.iter().filter(|known| known.starts_with(word)).cloned().collect()))
    }
}

impl Validator for Guide {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let given_up = text.ends_with('\n');
        Ok(if is_open(text) && !given_up { ValidationResult::Incomplete } else { ValidationResult::Valid(None) })
    }
}

impl Hinter for Guide {
    type Hint = String;
}

impl Highlighter for Guide {
    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        Cow::Borrowed(prompt)
    }
}

impl Helper for Guide {}

pub(super) fn run(shell: &Shell, bench: &mut Bench) -> Result<(), Fail> {
    let failed = |error: ReadlineError| {
        Fail::refused(format!("the terminal cannot be read: {error}")).help("send lines through a pipe: `… | bmc repl`")
    };
    let mut editor: Editor<Guide, FileHistory> = Editor::new().map_err(failed)?;
    editor.set_helper(Some(Guide { words: Vec::new() }));
    let history = default_datadir().join("repl_history");
    // Without a history there is just nothing to go back to.
    let _ = editor.load_history(&history);
    shell.note("expressions and scripts, line by line; `:help` shows what else there is, `:quit` ends");
    loop {
        if let Some(guide) = editor.helper_mut() {
            guide.learn(bench);
        }
        let line = match editor.readline("bmc> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(failed(error)),
        };
        let _ = editor.add_history_entry(line.as_str());
        if matches!(respond(shell, bench, &line)?, Next::Quit) {
            break;
        }
    }
    let _ = std::fs::create_dir_all(default_datadir());
    let _ = editor.save_history(&history);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_before_the_cursor_is_completed() {
        assert_eq!(word_before("1 + sha", 7), (4, "sha"));
        assert_eq!(word_before(":ty", 3), (0, ":ty"));
        assert_eq!(word_before("f(é", 4), (4, ""));
        assert_eq!(word_before("", 0), (0, ""));
    }
}
