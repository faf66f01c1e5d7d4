//! The pages of docs/book/src/errors: one for each code with its example as the compiler answers it, and an index.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use driver::{Code, Compiled};
use tests::Example;

use super::{NOTICE, Page};

/// The folder of the pages.
pub const FOLDER: &str = "docs/book/src/errors";

/// The contents of the book.
const SUMMARY: &str = "docs/book/src/SUMMARY.md";

/// What the line of a message's page holds there, and no other.
const ENTRY: &str = "](errors/E";

/// The chapters of the index by the first three letters of their codes.
const CHAPTERS: &[(&str, &str)] = &[
    ("E00", "Syntax"),
    ("E01", "Names"),
    ("E02", "Types and units"),
    ("E03", "Rewards"),
    ("E04", "Conditions that cannot be meant"),
    ("E05", "Code generation"),
    ("E06", "Files"),
    ("E07", "Plans"),
    ("E08", "Initial Model Investing"),
    ("E09", "Initial Model Offering"),
    ("E10", "Tests"),
];

/// More characters of one answer than this are left out of a page.
const ANSWER_CHARS_MAX: usize = 2_000;

/// Every page.
pub fn pages(root: &Path) -> Result<Vec<Page>, String> {
    let mut pages = vec![Page { path: format!("{FOLDER}/README.md"), text: index()? }];
    for code in Code::ALL {
        let text = page(*code, &Example::of(root, *code)?)?;
        pages.push(Page { path: format!("{FOLDER}/{code}.md"), text });
    }
    Ok(pages)
}

/// The contents of the book, with every page behind the index of the messages.
pub fn summary(root: &Path) -> Result<Page, String> {
    let text = fs::read_to_string(root.join(SUMMARY)).map_err(|error| format!("{SUMMARY}: {error}"))?;
    let mut summary = String::new();
    for line in text.lines().filter(|line| !line.contains(ENTRY)) {
        let _ = writeln!(summary, "{line}");
        if line.contains("](errors/README.md)") {
            for code in Code::ALL {
                let _ = writeln!(summary, "    - [{code}](errors/{code}.md)");
            }
        }
    }
    Ok(Page { path: SUMMARY.to_owned(), text: summary })
}

fn index() -> Result<String, String> {
    let mut page = format!(
        "{NOTICE}# Diagnostics\n\nEvery message of the compiler carries one of these codes. \
         Its page explains it and shows a source that gets it, beside the same source mended.\n"
    );
    let mut chapter = None;
    for code in Code::ALL {
        let found = CHAPTERS.iter().find(|(start, _)| code.name().starts_with(start));
        let (_, title) = found.ok_or_else(|| format!("{code} belongs to no chapter of the index"))?;
        if chapter != Some(title) {
            chapter = Some(title);
            let _ = write!(page, "\n## {title}\n\n| code | mistake |\n|---|---|\n");
        }
        let _ = writeln!(page, "| [{code}]({code}.md) | {} |", code.title());
    }
    Ok(page)
}

fn page(code: Code, example: &Example) -> Result<String, String> {
    let mut page = format!("{NOTICE}# {code}: {}\n\n{}\n", code.title(), code.explanation());
    let answer = answer(&example.compile())?;
    match example {
        Example::Source { failing, fixed } => {
            let _ = write!(
                page,
                "\nThis gets the message:\n\n```bmc\n{failing}```\n\n```text\n{answer}```\n\nThis does not:\n\n\
                 ```bmc\n{fixed}```\n"
            );
        }
        Example::Made { why, .. } => {
            let _ = write!(page, "\nNo short example shows it. {why}\n");
        }
        Example::Unreadable { why, .. } => {
            let _ = write!(page, "\nNo source shows it. {why} The message reads:\n\n```text\n{answer}```\n");
        }
    }
    Ok(page)
}

/// What the compiler answers, without colour and without blanks at line ends.
fn answer(compiled: &Compiled) -> Result<String, String> {
    let mut out = Vec::new();
    compiled.render(&mut out, false).map_err(|error| format!("a message cannot be shown: {error}"))?;
    let text = String::from_utf8(out).map_err(|error| format!("a message is no text: {error}"))?;
    let mut answer: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    if let Some((end, _)) = answer.char_indices().nth(ANSWER_CHARS_MAX) {
        let line = answer.get(..end).and_then(|head| head.rfind('\n')).unwrap_or(end);
        answer.truncate(line);
        answer.push_str("\n…\n");
    }
    Ok(answer)
}
