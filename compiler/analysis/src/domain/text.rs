//! Writes `.bmc` source, and remembers for which place of the declaration each byte was written.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use syntax::Loc;

use super::generated::Origins;
use crate::hir::{Budget, Measure};
use crate::number::grouped;

/// A line of a declaration's header is broken when it would be longer.
const LINE_MAX: usize = 100;

/// Source under construction.
///
/// ```text
/// let mut text = Text::new(place_of_the_declaration);
/// text.block("contract Pot(owner: PubKey)", |text| {
///     text.block("spend take(sig: Sig)", |text| {
///         text.at(&place_of_an_entry, |text| text.require("owner.signed(sig)", "the owner signs"));
///     });
/// });
/// ```
pub(crate) struct Text {
    out: String,
    level: usize,
    stretches: Vec<(u32, Loc)>,
    here: Loc,
    /// Where the members of each contract begin, with its name.
    bodies: Vec<(usize, String)>,
}

impl Text {
    /// An empty text; what is written belongs to `loc` unless [`Text::at`] says otherwise.
    pub(crate) fn new(loc: Loc) -> Self {
        Self { out: String::new(), level: 0, stretches: vec![(0, loc.clone())], here: loc, bodies: Vec::new() }
    }

    /// What `write` writes belongs to `loc`.
    pub(crate) fn at(&mut self, loc: &Loc, write: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.here, loc.clone());
        self.mark();
        write(self);
        self.here = outer;
        self.mark();
    }

    fn mark(&mut self) {
        let at = u32::try_from(self.out.len()).unwrap_or(u32::MAX);
        match self.stretches.last_mut() {
            Some((start, loc)) if *start == at => *loc = self.here.clone(),
            _ => self.stretches.push((at, self.here.clone())),
        }
    }

    /// One line, indented.
    pub(crate) fn line(&mut self, line: impl AsRef<str>) {
        self.indent();
        self.out.push_str(line.as_ref());
        self.out.push('\n');
    }

    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n("    ", self.level));
    }

    /// Lines of documentation.
    pub(crate) fn docs(&mut self, docs: &str) {
        if docs.is_empty() {
            return;
        }
        for line in docs.split('\n') {
            self.line(if line.is_empty() { "///".to_owned() } else { format!("/// {line}") });
        }
    }

    /// `head { .. }`, apart from what stands before it.
    pub(crate) fn block(&mut self, head: &str, write: impl FnOnce(&mut Self)) {
        self.line(format!("{head} {{"));
        self.level += 1;
        write(self);
        self.level -= 1;
        self.line("}");
    }

    /// Ends a statement whose braces stand on lines of their own.
    pub(crate) fn end_statement(&mut self) {
        if self.out.ends_with("}\n") {
            self.out.truncate(self.out.len() - 1);
            self.out.push_str(";\n");
        }
    }

    /// `head { .. };`
    pub(crate) fn statement(&mut self, head: &str, write: impl FnOnce(&mut Self)) {
        self.line(format!("{head} {{"));
        self.level += 1;
        write(self);
        self.level -= 1;
        self.line("};");
    }

    /// `if condition { .. } else { .. }`.
    pub(crate) fn either(&mut self, condition: &str, yes: impl FnOnce(&mut Self), no: impl FnOnce(&mut Self)) {
        self.line(format!("if {condition} {{"));
        self.level += 1;
        yes(self);
        self.level -= 1;
        self.line("} else {");
        self.level += 1;
        no(self);
        self.level -= 1;
        self.line("}");
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) {
        self.out.push('\n');
    }

    /// `contract Name(params) { .. }`, each parameter with the place it was written for.
    pub(crate) fn contract(&mut self, name: &str, params: &[(String, String, Loc)], write: impl FnOnce(&mut Self)) {
        let _ = write!(self.out, "contract {name}(");
        let width: usize = params.iter().map(|(name, ty, _)| name.len() + ty.len() + 4).sum();
        let broken = width + name.len() > LINE_MAX;
        for (index, (name, ty, loc)) in params.iter().enumerate() {
            match broken {
                true => self.out.push_str("\n    "),
                false if index > 0 => self.out.push_str(", "),
                false => {}
            }
            self.at(loc, |text| {
                let _ = write!(text.out, "{name}: {ty}");
            });
            if broken {
                self.out.push(',');
            }
        }
        self.out.push_str(if broken { "\n) {\n" } else { ") {\n" });
        self.bodies.push((self.out.len(), name.to_owned()));
        self.level += 1;
        write(self);
        self.level -= 1;
        self.line("}");
    }

    /// `require condition, "message";`
    pub(crate) fn require(&mut self, condition: impl AsRef<str>, message: &str) {
        let mut line = format!("require {}, ", condition.as_ref());
        quote(message, &mut line);
        line.push(';');
        self.line(line);
    }

    /// Adds up in a new variable the values of those inputs, from `first` on, for which `counts` holds.
    pub(crate) fn sum_of_inputs(&mut self, (sum, input): (&str, &str), first: usize, most: usize, counts: &str) {
        self.each_input((sum, input), first, most, |text, add| {
            text.block(&format!("if {counts}"), |text| text.line(add))
        });
    }

    /// A new variable, and a loop over the inputs, whose body `write` gives; the line that adds an input's value is at hand.
    pub(crate) fn each_input(
        &mut self,
        (sum, input): (&str, &str),
        first: usize,
        most: usize,
        write: impl FnOnce(&mut Self, String),
    ) {
        self.line(format!("let mut {sum} = 0 sats;"));
        self.block(&format!("for {input} in {first}..tx.inputs.length max {most}"), |text| {
            write(text, format!("{sum} = {sum} + tx.inputs[{input}].value;"));
        });
    }

    /// Puts a budget into each contract whose name `wanted` accepts.
    pub(super) fn limit(&mut self, budgets: &[Budget], wanted: impl Fn(&str) -> bool) {
        if budgets.is_empty() {
            return;
        }
        for (at, name) in std::mem::take(&mut self.bodies).into_iter().rev() {
            if wanted(&name) {
                self.insert_budget(at, budgets);
            }
        }
    }

    /// Every limit belongs to its place, and what stood at `at` to the one that it had.
    fn insert_budget(&mut self, at: usize, budgets: &[Budget]) {
        let start = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let (mut line, mut stretches) = ("    budget(".to_owned(), Vec::new());
        for (index, budget) in budgets.iter().enumerate() {
            line.push_str(if index > 0 { ", " } else { "" });
            stretches.push((start(at + line.len()), budget.loc.clone()));
            let unit = if budget.measure == Measure::Cost { "" } else { " bytes" };
            let _ = write!(line, "{}: {}{unit}", budget.measure.name(), grouped(&budget.most.into()));
        }
        line.push_str(");\n");
        let (here, added) = (start(at), start(line.len()));
        let later = self.stretches.partition_point(|(start, _)| *start <= here);
        let before =
            self.stretches.get(later.saturating_sub(1)).map_or_else(|| self.here.clone(), |(_, loc)| loc.clone());
        stretches.push((here.saturating_add(added), before));
        for (start, _) in self.stretches.iter_mut().skip(later) {
            *start = start.saturating_add(added);
        }
        self.stretches.splice(later..later, stretches);
        self.out.insert_str(at, &line);
    }

    /// The text and for which place each of its bytes was written.
    pub(super) fn finish(self) -> (String, Origins) {
        (self.out, Origins::new(self.stretches))
    }
}

/// A string literal.
pub(super) fn quote(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Names that are taken, and new ones that are not.
pub(crate) struct Names {
    taken: Arc<BTreeSet<String>>,
    given: BTreeSet<String>,
}

impl Names {
    pub(crate) fn new(taken: Arc<BTreeSet<String>>) -> Self {
        Self { taken, given: BTreeSet::new() }
    }

    /// `wanted`, with a number behind it if it is taken.
    pub(crate) fn fresh(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut count = 1;
        while self.taken.contains(&name) || !self.given.insert(name.clone()) {
            count += 1;
            name = format!("{wanted}_{count}");
        }
        name
    }
}
