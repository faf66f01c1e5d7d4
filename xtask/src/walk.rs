//! `cargo xtask walk`: the first chapter of the book as a new user does it, on a clean clone, with a watch in hand.
//!
//! The tree as it was committed is cloned into a fresh folder and built there, with an empty target folder and an empty
//! home; only toolchains and crates that the machine has already downloaded are its own. Each command of the chapter is run
//! as it stands there, and has to print what stands there. What it took goes into the book, with what else the machine did.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use tests::{Did, Reader};

use crate::bench::processor;

const CHAPTER: &str = "docs/book/src/ten-minutes.md";
const PAGE: &str = "docs/book/src/walk.md";

/// Walks, writes the page, and fails if something was not as the chapter says.
pub fn run(root: &Path) -> Result<(), String> {
    println!("This clones and builds; that takes some minutes.");
    let load = load();
    let mut reader = Reader::who_builds(root);
    let wrong = reader.read(&root.join(CHAPTER));
    crate::none_of("not as the chapter says", &wrong)?;
    let page = page(reader.did(), &load);
    fs::write(root.join(PAGE), page).map_err(|error| format!("{PAGE}: {error}"))
}

fn page(did: &[Did], load: &str) -> String {
    let all: Duration = did.iter().map(|one| one.took).sum();
    let mut page = format!(
        "<!-- Written by `cargo xtask walk`: run that, do not edit this. -->\n# The walk\n\n\
         [A reward in ten minutes](ten-minutes.md), done as a new user does it: `cargo xtask walk` clones the tree into a \
         fresh folder, builds it with nothing built before, and runs each command of the chapter, in an empty home, \
         with crates that were downloaded before. Measured on {}, which {load} when it began.\n\nAll of it took **{}**; reading and \
         typing come on top.\n\n| command | time |\n|---|--:|\n",
        machine(),
        minutes(all)
    );
    for one in did {
        let _ = writeln!(page, "| `{}` | {} |", one.command.replace('|', "\\|"), seconds(one.took));
    }
    page.push_str("\n## What it printed\n");
    for one in did {
        let _ = write!(page, "\n```text\n▸ {}\n{}```\n", one.command, shortened(&one.printed));
    }
    page
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{} with {cores} cores", processor())
}

/// What the machine had to do beside the walk.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    match text.split(' ').next().and_then(|load| load.parse::<f64>().ok()) {
        Some(load) if load < 0.5 => "had nothing else to do".to_owned(),
        Some(load) => format!("had {load:.1} other processes running on average"),
        None => "may have had other work".to_owned(),
    }
}

/// The output, of which what a build says is left out but for its end.
fn shortened(printed: &str) -> String {
    const LINES_MAX: usize = 40;
    const LINES_LEFT: usize = 5;
    let lines: Vec<&str> = printed.lines().map(str::trim_end).collect();
    let left = if lines.len() > LINES_MAX { lines.len() - LINES_LEFT } else { 0 };
    let dots = if left > 0 { format!("… {left} lines\n") } else { String::new() };
    dots + &lines.iter().skip(left).map(|line| format!("{line}\n")).collect::<String>()
}

fn minutes(took: Duration) -> String {
    let seconds = took.as_secs();
    format!("{}:{:02} minutes", seconds / 60, seconds % 60)
}

fn seconds(took: Duration) -> String {
    format!("{}.{:02} s", took.as_secs(), took.subsec_millis() / 10)
}
