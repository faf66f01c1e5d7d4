//! `bmc test --coverage`: what of the contracts the tests have run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};
use tester::{Choice, Coverage, Point, PointKind, covered};

use crate::fail::Fail;
use crate::project::Project;
use crate::shell::{BAD, BOLD, FAINT, GOOD, NAME, Shell};

/// Runs the tests once more, over scripts without optimisation, and tells what they run.
pub(super) fn all(shell: &Shell, project: &Project, choice: &Choice, lcov: Option<&Path>) -> Result<(), Fail> {
    // A script that is larger than its budget without optimisation runs all the same.
    let direct = project.compile_directly();
    let found = covered(&direct, choice, &project.own_files(&direct));
    if let Some(file) = lcov {
        std::fs::write(file, lcov_of(&found))?;
    }
    let data: Vec<Value> = found.iter().map(as_json).collect();
    shell.print(&json!({ "coverage": data }), |out| table(out, &found))
}

const fn is_path(kind: &PointKind) -> bool {
    matches!(kind, PointKind::Path(_))
}

const fn is_branch(kind: &PointKind) -> bool {
    matches!(kind, PointKind::Side(_) | PointKind::Arm(_))
}

const fn holds(kind: &PointKind) -> bool {
    matches!(kind, PointKind::Holds(_))
}

const fn fails(kind: &PointKind) -> bool {
    matches!(kind, PointKind::Fails(_))
}

/// Whether a column counts a point.
type Chosen = fn(&PointKind) -> bool;

/// The columns of the table: what they count, by their heads.
const COLUMNS: [(&str, Chosen); 4] =
    [("paths", is_path), ("branches", is_branch), ("requires hold", holds), ("and fail", fails)];

fn table(out: &mut dyn Write, all: &[Coverage]) -> io::Result<()> {
    let name = |one: &Coverage| format!("{} {}", one.file, one.contract);
    let width = all.iter().map(|one| name(one).chars().count()).max().unwrap_or(0).max(8);
    writeln!(out)?;
    write!(out, "{BOLD}{:<width$}{BOLD:#}", "coverage")?;
    COLUMNS.iter().try_for_each(|(head, _)| write!(out, "  {BOLD}{head:>13}{BOLD:#}"))?;
    writeln!(out)?;
    for one in all {
        write!(out, "{NAME}{:<width$}{NAME:#}", name(one))?;
        for (_, chosen) in COLUMNS {
            let (seen, count) = one.count(chosen);
            let style = if seen == count { GOOD } else { BAD };
            match count {
                0 => write!(out, "  {FAINT}{:>13}{FAINT:#}", "none")?,
                _ => write!(out, "  {style}{:>13}{style:#}", format!("{seen} of {count}"))?,
            }
        }
        writeln!(out)?;
    }
    let missing = |point: &&Point| point.count == 0;
    for point in all.iter().flat_map(|one| one.points.iter().filter(missing)).collect::<BTreeSet<_>>() {
        writeln!(out, "{BAD}not run{BAD:#} {NAME}{}:{}{NAME:#} {}", point.file, point.line, told(&point.kind))?;
    }
    Ok(())
}

fn told(kind: &PointKind) -> String {
    match kind {
        PointKind::Path(path) => format!("no valid transaction takes the path `{path}`"),
        PointKind::Side(true) => "the block of this `if`".to_owned(),
        PointKind::Side(false) => "this `if` where its condition is false".to_owned(),
        PointKind::Arm(arm) => format!("arm {arm} of this `match`"),
        PointKind::Holds(message) => format!("nothing meets this `require`: \"{message}\""),
        PointKind::Fails(message) => format!("nothing fails this `require`: \"{message}\""),
    }
}

fn as_json(one: &Coverage) -> Value {
    let point = |point: &Point| {
        let kind = match &point.kind {
            PointKind::Path(_) => "path",
            PointKind::Side(_) | PointKind::Arm(_) => "branch",
            PointKind::Holds(_) => "holds",
            PointKind::Fails(_) => "fails",
        };
        let what = told(&point.kind);
        json!({ "kind": kind, "file": point.file, "line": point.line, "count": point.count, "what": what })
    };
    let figure = |chosen| {
        let (covered, all) = one.count(chosen);
        json!({ "covered": covered, "all": all })
    };
    json!({
        "file": one.file,
        "contract": one.contract,
        "paths": figure(is_path),
        "branches": figure(is_branch),
        "holds": figure(holds),
        "fails": figure(fails),
        "points": one.points.iter().map(point).collect::<Vec<_>>(),
    })
}

/// The same in the form that lcov and editors read: paths as functions, sides and outcomes as branches.
fn lcov_of(all: &[Coverage]) -> String {
    let mut text = String::new();
    let files: BTreeSet<&String> = all.iter().flat_map(|one| one.lines.keys().map(|(file, _)| file)).collect();
    for file in files {
        let _ = writeln!(text, "TN:\nSF:{file}");
        functions(&mut text, all, file);
        branches(&mut text, all, file);
        let mut lines: BTreeMap<usize, u64> = BTreeMap::new();
        for ((_, line), count) in all.iter().flat_map(|one| &one.lines).filter(|((path, _), _)| path == file) {
            *lines.entry(*line).or_default() += count;
        }
        lines.iter().for_each(|(line, count)| {
            let _ = writeln!(text, "DA:{line},{count}");
        });
        let hit = lines.values().filter(|count| **count > 0).count();
        let _ = writeln!(text, "LF:{}\nLH:{hit}\nend_of_record", lines.len());
    }
    text
}

fn functions(text: &mut String, all: &[Coverage], file: &str) {
    let paths = |one: &Coverage| {
        let of = |point: &Point| match &point.kind {
            PointKind::Path(path) if point.file == file => {
                Some((point.line, format!("{}.{path}", one.contract), point.count))
            }
            _ => None,
        };
        one.points.iter().filter_map(of).collect::<Vec<_>>()
    };
    let paths: Vec<_> = all.iter().flat_map(paths).collect();
    paths.iter().for_each(|(line, name, _)| {
        let _ = writeln!(text, "FN:{line},{name}");
    });
    paths.iter().for_each(|(_, name, count)| {
        let _ = writeln!(text, "FNDA:{count},{name}");
    });
    let hit = paths.iter().filter(|(_, _, count)| *count > 0).count();
    let _ = writeln!(text, "FNF:{}\nFNH:{hit}", paths.len());
}

fn branches(text: &mut String, all: &[Coverage], file: &str) {
    // What several contracts share is one place.
    let mut points: BTreeMap<(usize, usize, &PointKind), u64> = BTreeMap::new();
    for point in all.iter().flat_map(|one| &one.points).filter(|point| point.file == file && !is_path(&point.kind)) {
        *points.entry((point.line, point.start, &point.kind)).or_default() += point.count;
    }
    let mut number: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for ((line, start, _), count) in &points {
        let branch = number.entry((*line, *start)).or_default();
        let _ = writeln!(text, "BRDA:{line},{start},{branch},{count}");
        *branch += 1;
    }
    let hit = points.values().filter(|count| **count > 0).count();
    let _ = writeln!(text, "BRF:{}\nBRH:{hit}", points.len());
}
