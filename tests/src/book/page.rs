//! A page as text: its fenced blocks, with the files that they include.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a page that cannot be read fails by panicking")]

use std::fs;
use std::ops::Range;
use std::path::Path;

/// A fenced block.
pub struct Block {
    /// The first word behind the three quotes.
    pub language: String,
    /// What stands behind the language.
    pub words: Vec<String>,
    /// What stands inside, included files too.
    pub text: String,
    /// The lines of its text in the page, counted from 0.
    pub lines: Range<usize>,
    /// Whether all of it stands in the page itself.
    pub own: bool,
}

/// The blocks of `page`, which lies in `folder`.
pub fn blocks(page: &str, folder: &Path) -> Vec<Block> {
    let lines: Vec<&str> = page.lines().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let Some(info) = lines[at].trim_start().strip_prefix("```") else {
            at += 1;
            continue;
        };
        let start = at + 1;
        let end = (start..lines.len()).find(|line| lines[*line].trim() == "```").expect("every block ends");
        let mut words = info.split_whitespace().map(str::to_owned);
        let written: String = lines[start..end].iter().map(|line| format!("{line}\n")).collect();
        let text = included(&written, folder);
        found.push(Block {
            language: words.next().unwrap_or_default(),
            words: words.collect(),
            own: text == written,
            text,
            lines: start..end,
        });
        at = end + 1;
    }
    found
}

/// The text with the files that it names as mdBook does, `{{#include FILE}}`, in their places.
fn included(text: &str, folder: &Path) -> String {
    let line = |line: &str| match line.strip_prefix("{{#include ").and_then(|rest| rest.strip_suffix("}}")) {
        Some(file) => fs::read_to_string(folder.join(file))
            .unwrap_or_else(|error| panic!("{}: {error}", folder.join(file).display())),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

/// A command and what the page shows of its output.
pub struct Step {
    /// As a shell takes it.
    pub command: String,
    /// What stands below it.
    pub shown: String,
    /// The lines of the output in the block, counted from 0.
    pub lines: Range<usize>,
}

/// The commands of a block: lines that start with `$ `, each with what follows. Where no line does, each line is a
/// command whose output is not shown.
pub fn steps(text: &str) -> (Vec<Step>, bool) {
    let lines: Vec<&str> = text.lines().collect();
    let shows = lines.iter().any(|line| line.starts_with("$ "));
    let mut steps: Vec<Step> = Vec::new();
    let mut goes_on = false;
    for (at, line) in lines.iter().enumerate() {
        let command = if shows { line.strip_prefix("$ ") } else { Some(*line).filter(|line| !line.is_empty()) };
        match (command, steps.last_mut()) {
            (_, Some(step)) if goes_on => {
                step.command += &format!("\n{line}");
                step.lines = at + 1..at + 1;
            }
            (Some(command), _) => {
                steps.push(Step { command: command.to_owned(), shown: String::new(), lines: at + 1..at + 1 });
            }
            (None, Some(step)) => {
                step.shown += &format!("{line}\n");
                step.lines.end = at + 1;
            }
            (None, None) => {}
        }
        goes_on = (goes_on || command.is_some()) && line.ends_with('\\');
    }
    (steps, shows)
}

/// The pictures that a page shows.
pub fn pictures(page: &str) -> impl Iterator<Item = &str> {
    page.split("![").skip(1).filter_map(|rest| rest.split_once("](")?.1.split(')').next())
}
