//! Tables of text.

use std::io::{self, Write};

/// Columns of figures behind a column of names.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// `what` stands above the names.
    #[must_use]
    pub fn new(what: &str, columns: &[&str]) -> Self {
        let head = std::iter::once(what).chain(columns.iter().copied()).map(str::to_owned);
        Self { rows: vec![head.collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, name: &str, cells: impl IntoIterator<Item = String>) {
        self.rows.push(std::iter::once(name.to_owned()).chain(cells).collect());
    }

    /// Each column is as wide as its widest cell; an empty line follows.
    ///
    /// # Errors
    /// What the writer says.
    pub fn print(&self, out: &mut (impl Write + ?Sized)) -> io::Result<()> {
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
