//! Sizes written down, and what has grown since.

use driver::{LineSize, Sizes};
use serde::{Deserialize, Serialize};
use spec::artifact::PathSize;

use crate::fail::Fail;
use crate::units::grouped;

/// The version of the file.
const FORMAT: u32 = 1;

/// What the file holds. Lines are known by their text, so that a line that only moves stays the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    format: u32,
    contracts: Vec<ContractRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ContractRecord {
    contract: String,
    script: usize,
    paths: Vec<PathRecord>,
    lines: Vec<LineRecord>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PathRecord {
    path: String,
    input: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cost: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LineRecord {
    file: String,
    text: String,
    bytes: usize,
}

impl Record {
    pub(super) fn of(all: &[Sizes]) -> Self {
        let mut contracts: Vec<ContractRecord> = all.iter().map(ContractRecord::of).collect();
        contracts.sort_by(|a, b| a.contract.cmp(&b.contract));
        Self { format: FORMAT, contracts }
    }

    /// Reads what [`Record::text`] wrote.
    pub(super) fn read(text: &str) -> Result<Self, Fail> {
        let record: Self = serde_json::from_str(text).map_err(|error| Fail::refused(error.to_string()))?;
        if record.format == FORMAT {
            Ok(record)
        } else {
            Err(Fail::refused(format!("it has format {}, this version reads {FORMAT}", record.format)))
        }
    }

    pub(super) fn text(&self) -> Result<String, Fail> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Fail::refused(error.to_string()))?;
        Ok(text + "\n")
    }

    /// What is another size now.
    pub(super) fn changes(&self, now: &Self) -> Vec<Change> {
        let mut found = Vec::new();
        for contract in &now.contracts {
            match self.contracts.iter().find(|before| before.contract == contract.contract) {
                Some(before) => before.changes(contract, &mut found),
                None => found.push(Change::new(&contract.contract, Figure::Whole, None, Some(contract.script as u64))),
            }
        }
        let gone = |contract: &&ContractRecord| !now.contracts.iter().any(|other| other.contract == contract.contract);
        for contract in self.contracts.iter().filter(gone) {
            found.push(Change::new(&contract.contract, Figure::Whole, Some(contract.script as u64), None));
        }
        found
    }
}

impl ContractRecord {
    fn of(sizes: &Sizes) -> Self {
        let path = |path: &PathSize| PathRecord { path: path.path.clone(), input: path.input, cost: path.cost };
        let mut lines: Vec<LineRecord> = Vec::new();
        for LineSize { file, text, bytes, .. } in &sizes.lines {
            match lines.iter_mut().find(|line| line.file == *file && line.text == *text) {
                Some(line) => line.bytes += bytes,
                None => lines.push(LineRecord { file: file.clone(), text: text.clone(), bytes: *bytes }),
            }
        }
        lines.sort_by(|a, b| (&a.file, &a.text).cmp(&(&b.file, &b.text)));
        let paths = sizes.paths.iter().map(path).collect();
        Self { contract: sizes.contract.clone(), script: sizes.script, paths, lines }
    }

    fn changes(&self, now: &Self, found: &mut Vec<Change>) {
        let mut add = |figure: Figure, before: Option<u64>, after: Option<u64>| {
            if before != after {
                found.push(Change::new(&self.contract, figure, before, after));
            }
        };
        add(Figure::Script, Some(self.script as u64), Some(now.script as u64));
        for path in &now.paths {
            let Some(before) = self.paths.iter().find(|before| before.path == path.path) else {
                add(Figure::Input(path.path.clone()), None, Some(path.input as u64));
                continue;
            };
            add(Figure::Input(path.path.clone()), Some(before.input as u64), Some(path.input as u64));
            add(Figure::Cost(path.path.clone()), before.cost, path.cost);
        }
        for path in self.paths.iter().filter(|path| !now.paths.iter().any(|other| other.path == path.path)) {
            add(Figure::Input(path.path.clone()), Some(path.input as u64), None);
        }
        // Lines tell why, so they matter only where the script is another.
        if self.script == now.script {
            return;
        }
        let bytes = |lines: &[LineRecord], like: &LineRecord| {
            let found = lines.iter().find(|line| (&line.file, &line.text) == (&like.file, &like.text));
            found.map(|line| line.bytes as u64)
        };
        for line in &now.lines {
            add(Figure::Line(line.text.clone()), bytes(&self.lines, line), Some(line.bytes as u64));
        }
        for line in self.lines.iter().filter(|line| bytes(&now.lines, line).is_none()) {
            add(Figure::Line(line.text.clone()), Some(line.bytes as u64), None);
        }
    }
}

/// What a change is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Figure {
    /// A contract that came or went.
    Whole,
    Script,
    Input(String),
    Cost(String),
    Line(String),
}

/// A size that is another now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Change {
    contract: String,
    figure: Figure,
    before: Option<u64>,
    after: Option<u64>,
    /// Whether something takes more than before. Lines and what is new take no more: the script around them does.
    pub(super) grew: bool,
}

impl Change {
    fn new(contract: &str, figure: Figure, before: Option<u64>, after: Option<u64>) -> Self {
        let grew = match (&figure, before, after) {
            (Figure::Line(_) | Figure::Whole, ..) => false,
            // A cost that had a bound has none any more.
            (Figure::Cost(_), Some(_), None) => true,
            (_, Some(before), Some(after)) => after > before,
            _ => false,
        };
        Self { contract: contract.to_owned(), figure, before, after, grew }
    }

    /// In words.
    pub(super) fn told(&self) -> String {
        let what = match &self.figure {
            Figure::Whole => format!("{}: contract", self.contract),
            Figure::Script => format!("{}: script", self.contract),
            Figure::Input(path) => format!("{}.{path}: input", self.contract),
            Figure::Cost(path) => format!("{}.{path}: cost", self.contract),
            Figure::Line(text) => format!("  {text}"),
        };
        let unit = if matches!(self.figure, Figure::Cost(_)) { "" } else { " bytes" };
        match (self.before, self.after) {
            (Some(before), Some(after)) => {
                let (by, sign) = (after.abs_diff(before), if after > before { "+" } else { "-" });
                format!("{what} {} → {}{unit} ({sign}{})", grouped(before), grouped(after), grouped(by))
            }
            (None, Some(after)) => format!("{what} new, {}{unit}", grouped(after)),
            (Some(before), None) if matches!(self.figure, Figure::Cost(_)) => {
                format!("{what} {} → without a bound", grouped(before))
            }
            (Some(before), None) => format!("{what} gone, was {}{unit}", grouped(before)),
            (None, None) => what,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use driver::LineKind;

    fn sizes(script: usize, cost: Option<u64>, lines: &[(usize, &str, usize)]) -> Vec<Sizes> {
        let line = |(line, text, bytes): &(usize, &str, usize)| LineSize {
            file: "a.bmc".into(),
            line: *line,
            text: (*text).to_owned(),
            bytes: *bytes,
            paths: vec!["take".into()],
            kind: LineKind::Values,
            cost: None,
        };
        let path = PathSize { path: "take".into(), input: script + 100, open: false, cost, limit: 1_000_000 };
        let lines = lines.iter().map(line).collect();
        vec![Sizes { contract: "A".into(), script, paths: vec![path], lines }]
    }

    fn told(before: &[Sizes], after: &[Sizes]) -> (Vec<String>, bool) {
        let text = Record::of(before).text().unwrap();
        let changes = Record::read(&text).unwrap().changes(&Record::of(after));
        (changes.iter().map(Change::told).collect(), changes.iter().any(|change| change.grew))
    }

    #[test]
    fn what_grew_is_told_with_its_lines() {
        let before = sizes(50, Some(1_000), &[(3, "require a;", 30), (4, "require b;", 20)]);
        let after = sizes(58, Some(900), &[(7, "require a;", 30), (9, "require c;", 28)]);
        let expected = [
            "A: script 50 → 58 bytes (+8)",
            "A.take: input 150 → 158 bytes (+8)",
            "A.take: cost 1_000 → 900 (-100)",
            "  require c; new, 28 bytes",
            "  require b; gone, was 20 bytes",
        ];
        assert_eq!(told(&before, &after), (expected.map(str::to_owned).to_vec(), true));
        assert!(!told(&after, &sizes(50, Some(800), &[])).1);
    }

    #[test]
    fn a_line_that_moves_is_no_change_and_a_lost_bound_is_growth() {
        let before = sizes(50, Some(1_000), &[(3, "require a;", 30), (4, "require a;", 20)]);
        assert_eq!(told(&before, &sizes(50, Some(1_000), &[(13, "require a;", 50)])), (vec![], false));
        let unbound = told(&before, &sizes(50, None, &[]));
        assert_eq!(unbound, (vec!["A.take: cost 1_000 → without a bound".to_owned()], true));
        assert!(!told(&sizes(50, None, &[]), &before).1);
    }

    #[test]
    fn contracts_come_and_go_without_having_grown() {
        let some = sizes(50, None, &[]);
        assert_eq!(told(&[], &some), (vec!["A: contract new, 50 bytes".to_owned()], false));
        assert_eq!(told(&some, &[]), (vec!["A: contract gone, was 50 bytes".to_owned()], false));
    }

    #[test]
    fn other_files_are_refused() {
        for text in ["", "{}", "{\"format\": 9, \"contracts\": []}"] {
            assert!(Record::read(text).is_err());
        }
    }
}
