//! Tables of text.

use std::io::{self, Write};

use crate::measure::Time;

/// Columns of figures behind a column of names.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// `what` stands above the names.
    pub fn new(what: &str, columns: &[&str]) -> Self {
        let head = std::iter::once(what).chain(columns.iter().copied()).map(str::to_owned);
        Self { rows: vec![head.collect()] }
    }

    pub fn row(&mut self, name: &str, cells: impl IntoIterator<Item = String>) {
        self.rows.push(std::iter::once(name.to_owned()).chain(cells).collect());
    }

    /// Each column is as wide as its widest cell; an empty line follows.
    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let width = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(String::len).max();
        for row in &self.rows {
            for (column, cell) in row.iter().enumerate() {
                let width = width(column).unwrap_or_default();
                match column {
                    0 => write!(out, "{cell:<width$}")?,
                    _ => write!(out, "  {cell:>width$}")?,
                }
            }
            writeln!(out)?;
        }
        writeln!(out)
    }
}

/// How many times `time` a time is that there may be none of.
pub fn ratio_to(of: Option<Time>, time: Time) -> String {
    of.map_or("-".to_owned(), |of| of.over(time))
}
