//! The best code of a path: tries the forms of its loops one after the other, and keeps what is shorter.

use analysis::hir;
use spec::Rules;
use spec::artifact::TimeNeeds;

use crate::arrange::{self, Aim, Arranged, Effort};
use crate::forms::Forms;
use crate::lower::{self, Excess, Lowered, Notes};
use crate::schedule::End;

/// At most so many forms are changed for a try.
const FLIPS_MAX: usize = 40;

/// A path with its best code.
pub(crate) struct PathPlan {
    pub(crate) arranged: Arranged,
    pub(crate) time: TimeNeeds,
}

/// What a path is planned for.
pub(crate) struct Planner<'p> {
    pub(crate) contract: &'p hir::Contract,
    pub(crate) functions: &'p hir::Functions,
    pub(crate) rules: &'p Rules,
    pub(crate) end: End,
    /// How long the push of each parameter is to count.
    pub(crate) holes: &'p [usize],
}

impl Planner<'_> {
    /// The code of `path`, with the forms that make it shortest.
    pub(crate) fn plan(&self, path: &hir::SpendPath, notes: &mut Notes) -> Result<PathPlan, Excess> {
        let start = notes.mark();
        let mut forms = Forms::default();
        let mut best = self.attempt(path, &mut forms, notes, Effort::Glance);
        if forms.len() == 0 {
            notes.back_to(start);
            return self.attempt(path, &mut forms, notes, Effort::Full);
        }
        let mut index = 0;
        while index < forms.len().min(FLIPS_MAX) {
            let mut flipped = forms.clone();
            flipped.flip(index);
            index += 1;
            notes.back_to(start);
            let other = self.attempt(path, &mut flipped, notes, Effort::Glance);
            if is_better(&other, &best) {
                (best, forms) = (other, flipped);
            }
        }
        notes.back_to(start);
        self.attempt(path, &mut forms, notes, Effort::Full)
    }

    fn attempt(
        &self,
        path: &hir::SpendPath,
        forms: &mut Forms,
        notes: &mut Notes,
        effort: Effort,
    ) -> Result<PathPlan, Excess> {
        let Lowered { path: mut mir, time } =
            lower::lower(self.contract, path, self.functions, self.rules.set, forms, notes)?;
        let aim = Aim { end: self.end, bytes_max: self.rules.limits.script_bytes, holes: self.holes, effort };
        let arranged = arrange::arrange(&mut mir, aim).map_err(|_| Excess::Steps)?;
        Ok(PathPlan { arranged, time })
    }
}

fn is_better(new: &Result<PathPlan, Excess>, old: &Result<PathPlan, Excess>) -> bool {
    match (new, old) {
        (Ok(new), Ok(old)) => new.arranged.score < old.arranged.score,
        (Ok(_), Err(_)) => true,
        (Err(_), _) => false,
    }
}
