//! Whether a command printed what its page shows.
//!
//! `[..]` stands for a part of a line and `...` for any lines. A digest of 64 digits that a page shows stands for the one
//! that this run has in its place, in the rest of the page and in its commands too.

#![allow(clippy::indexing_slicing, reason = "a page that cannot be read fails by panicking")]

use std::collections::BTreeMap;

/// The digests of a page, and those of this run.
#[derive(Clone, Default)]
pub struct Digests(BTreeMap<String, String>);

impl Digests {
    /// The text with the digests of this run.
    pub fn of_this_run(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (shown, run)| text.replace(shown, run))
    }

    /// Whether `printed` is what `shown` says, and then its digests are known.
    pub fn agree(&mut self, shown: &str, printed: &str) -> bool {
        let shown: Vec<&str> = shown.trim_end().lines().map(str::trim_end).collect();
        let printed: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
        let Some(known) = self.lines(&shown, &printed) else { return false };
        *self = known;
        true
    }

    fn lines(&self, shown: &[&str], printed: &[&str]) -> Option<Self> {
        match (shown, printed) {
            ([], []) => Some(self.clone()),
            (["...", shown @ ..], _) => (0..=printed.len()).find_map(|skipped| self.lines(shown, &printed[skipped..])),
            ([line, shown @ ..], [other, printed @ ..]) => self.line(line, other)?.lines(shown, printed),
            _ => None,
        }
    }

    fn line(&self, shown: &str, printed: &str) -> Option<Self> {
        let mut known = self.clone();
        let (theirs, ours) = (digests(shown), digests(printed));
        if theirs.len() == ours.len() {
            for (their, our) in theirs.into_iter().zip(ours) {
                known.0.entry(their.to_owned()).or_insert(our.to_owned());
            }
        }
        matches(&known.of_this_run(shown), printed).then_some(known)
    }
}

/// The pieces of a line that are 64 hexadecimal digits.
fn digests(line: &str) -> Vec<&str> {
    let pieces = line.split(|letter: char| !letter.is_ascii_alphanumeric());
    pieces.filter(|piece| piece.len() == 64 && piece.bytes().all(|byte| byte.is_ascii_hexdigit())).collect()
}

fn matches(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once("[..]") else { return pattern == line };
    let Some(line) = line.strip_prefix(start) else { return false };
    let mut ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
    ends.any(|at| matches(rest, &line[at..]))
}

#[test]
fn parts_lines_and_digests_may_differ_where_the_page_says_so() {
    let [a, b, c] = ["a1".repeat(32), "b2".repeat(32), "c3".repeat(32)];
    let mut digests = Digests::default();
    assert!(digests.agree("took [..] s\n...\nend", "took 0.3 s\nmore\nlines\nend\n"));
    assert!(!digests.agree("took [..] s\nend", "took 0.3 s\nmore\nend\n"));
    assert!(digests.agree(&format!("sent {a}"), &format!("sent {b}")));
    assert_eq!(digests.of_this_run(&format!("bmc inspect {a}")), format!("bmc inspect {b}"));
    assert!(digests.agree(&format!("again {a}:0"), &format!("again {b}:0")));
    assert!(!digests.agree(&format!("again {a}"), &format!("again {c}")));
}
