//! Finds the name that was probably meant.

use syntax::Help;

/// Names beyond these are not looked at, so that a hostile source cannot make a search costly.
const CANDIDATES_MAX: usize = 200;
const LENGTH_MAX: usize = 32;

/// The help line for an unknown name: the closest candidate, if one is close.
pub(crate) fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Close {
    Close(closest(name, candidates).map(|best| Help::instead(format!("did you mean `{best}`?"), best)))
}

/// The help line with a close name, if there is one.
pub(crate) struct Close(pub(crate) Option<Help>);

impl Close {
    /// That line, or another.
    pub(crate) fn or_say<T: Into<Help>>(self, other: impl FnOnce() -> T) -> Help {
        self.0.unwrap_or_else(|| other().into())
    }
}

/// The candidate with the fewest edits, at most a third of the name's length and never all of it.
pub(crate) fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LENGTH_MAX {
        return None;
    }
    let letters = name.chars().count();
    let limit = letters.max(3) / 3;
    candidates
        .into_iter()
        .take(CANDIDATES_MAX)
        .filter(|candidate| candidate.len() <= LENGTH_MAX && !candidate.is_empty())
        .filter(|candidate| candidate.chars().count().abs_diff(letters) <= limit)
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= limit && *edits < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, substitutions and swaps of neighbours, letters compared without case.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
    let (mut before, mut row): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=b.len()).collect());
    let mut previous = None;
    for (i, x) in a.chars().flat_map(char::to_lowercase).enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut edits = (cell(&row, j) + usize::from(x != *y)).min(cell(&row, j + 1) + 1).min(cell(&next, j) + 1);
            let left = j.checked_sub(1).and_then(|left| b.get(left));
            if left == Some(&x) && previous == Some(*y) {
                edits = edits.min(cell(&before, j - 1) + 1);
            }
            next.push(edits);
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(x);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn the_closest_name_is_proposed_and_a_distant_one_is_not() {
        let names = ["value", "lock", "token", "tx", "a"];
        for (typed, meant) in
            [("valeu", Some("value")), ("Lock", Some("lock")), ("tokens", Some("token")), ("xyz", None), ("y", None)]
        {
            assert_eq!(closest(typed, names), meant, "{typed}");
        }
    }
}
