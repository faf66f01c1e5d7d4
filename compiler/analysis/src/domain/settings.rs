//! The settings of a declaration: entries whose keys are known, each at most once.
//!
//! A reader asks for an entry by its key, then for the shape of its value: a name, an amount, a
//! height, a share, `k of [..]`, a group, or a phrase. What is written another way is told with an
//! example of how it is written.

use std::collections::BTreeMap;

use dashu_int::IBig;
use dashu_ratio::RBig;
use spec::Sats;
use syntax::ast::{self, Entry, EntryValue, ExprKind, Ident, Phrase};
use syntax::{Code, Loc, Span};

use super::{Text, reward};
use crate::body::{Body, BodyKind, Env};
use crate::eval::Value;
use crate::hir::Type;
use crate::number::grouped;
use crate::report::Report;
use crate::signatures::ConstantValue;

/// A value with the place it was written at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) loc: Loc,
}

/// One setting that a declaration knows.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) key: String,
    /// How it is written, for help lines.
    pub(crate) example: &'static str,
}

/// Settings with their examples.
pub(crate) fn known(settings: &[(&str, &'static str)]) -> Vec<Known> {
    settings.iter().map(|(key, example)| Known { key: (*key).to_owned(), example }).collect()
}

/// `k of [a, b, c]`: names of keys, and how many of them must sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Quorum {
    pub(crate) needed: usize,
    pub(crate) keys: Vec<At<String>>,
}

/// The values of so many keys are compared in pairs by a script; of more it would be larger than what it guards.
const COMPARED_MAX: usize = 16;

impl Quorum {
    /// Demands that no two keys are the same, whose holder would count twice.
    pub(crate) fn all_different(&self, text: &mut Text) {
        if self.keys.len() <= COMPARED_MAX {
            self.all_different_in_plan(text);
        }
    }

    /// The same, whatever their number.
    pub(crate) fn all_different_in_plan(&self, text: &mut Text) {
        for (at, second) in self.keys.iter().enumerate() {
            for first in self.keys.iter().take(at) {
                let (first, second) = (&first.value, &second.value);
                text.require(format!("{first} != {second}"), &format!("`{first}` and `{second}` are different keys"));
            }
        }
    }
}

/// The most members of a quorum: what fits one unlocking script with room to spare.
const QUORUM_MAX: usize = 50;
/// Greater heights are times.
const HEIGHT_MAX: u64 = 499_999_999;

/// The entries of a declaration or group by key.
pub(crate) struct Settings<'t, 'a, 'r> {
    title: String,
    known: Vec<Known>,
    entries: BTreeMap<&'t str, &'t Entry>,
    span: Span,
    pub(crate) env: Env<'a>,
    pub(crate) report: &'r mut Report<'a>,
}

impl<'t, 'a, 'r> Settings<'t, 'a, 'r> {
    /// Sorts `entries` by key; unknown keys and keys that are set twice are reported.
    pub(crate) fn new(
        title: String,
        known: Vec<Known>,
        entries: &'t [Entry],
        span: Span,
        env: Env<'a>,
        report: &'r mut Report<'a>,
    ) -> Self {
        let mut settings = Settings { title, known, entries: BTreeMap::new(), span, env, report };
        entries.iter().for_each(|entry| settings.add(entry));
        settings
    }

    fn add(&mut self, entry: &'t Entry) {
        let key = entry.key.as_str();
        if entry.key.is_missing() {
            return;
        }
        if !self.known.iter().any(|known| known.key == key) {
            let message = format!("{} has no setting `{key}`", self.title);
            let close = self.report.did_you_mean(key, self.known.iter().map(|known| known.key.as_str()));
            let found = self.report.error(Code::E0321, message, entry.key.span);
            let all = || self.known.iter().map(|known| format!("`{}`", known.key)).collect::<Vec<_>>().join(", ");
            let help = close.or_say(|| format!("it has {}", all()));
            self.report.push(found.help(help));
            return;
        }
        if let Some(first) = self.entries.get(key) {
            set_twice(entry, first, self.report);
            return;
        }
        self.entries.insert(key, entry);
    }

    fn example(&self, key: &str) -> &'static str {
        self.known.iter().find(|known| known.key == key).map_or("", |known| known.example)
    }

    /// The entry with this key, if it is written.
    pub(crate) fn get(&self, key: &str) -> Option<&'t Entry> {
        self.entries.get(key).copied()
    }

    /// The entry with this key; a missing one is reported.
    pub(crate) fn need(&mut self, key: &str) -> Option<&'t Entry> {
        let found = self.get(key);
        if found.is_none() {
            let message = format!("{} has no `{key}`", self.title);
            let missing = self.report.error(Code::E0320, message, self.span);
            self.report.push(missing.help(format!("add `{}`", self.example(key))));
        }
        found
    }

    /// Reports that an entry is not written as it should be.
    pub(crate) fn malformed<T>(&mut self, entry: &Entry) -> Option<T> {
        if matches!(entry.value, EntryValue::Error(_)) {
            return None;
        }
        let example = self.example(entry.key.as_str());
        malformed(entry, example, self.report)
    }

    pub(crate) fn at<T>(&self, value: T, span: Span) -> At<T> {
        At { value, loc: self.report.loc(span) }
    }

    /// A name, which becomes a parameter.
    pub(crate) fn name(&mut self, entry: &'t Entry) -> Option<At<String>> {
        match &entry.value {
            EntryValue::Expr(ast::Expr { kind: ExprKind::Name(name), .. }) => {
                (!name.is_missing()).then(|| self.named(name))
            }
            _ => self.malformed(entry),
        }
    }

    fn named(&self, name: &Ident) -> At<String> {
        self.at(name.to_string(), name.span)
    }

    /// The plain expression of an entry.
    pub(crate) fn expr(&mut self, entry: &'t Entry) -> Option<&'t ast::Expr> {
        match &entry.value {
            EntryValue::Expr(value) => Some(value),
            _ => self.malformed(entry),
        }
    }

    /// The group of an entry that has no weight of its own.
    pub(crate) fn group(&mut self, entry: &'t Entry) -> Option<&'t [Entry]> {
        match &entry.value {
            EntryValue::Group { weight: None, entries } => Some(entries),
            _ => self.malformed(entry),
        }
    }

    /// A constant number of type `ty` between `least` and `most`.
    pub(crate) fn number(&mut self, value: &ast::Expr, ty: &Type, least: u64, most: u64) -> Option<At<u64>> {
        let constant = Body::new(self.env, BodyKind::Constant, &[], self.report).constant(value, Some(ty.clone()))?;
        let ConstantValue::Item(Value::Number(n)) = constant.value else { return None };
        if let Some(n) = u64::try_from(&n).ok().filter(|n| (least..=most).contains(n)) {
            return Some(self.at(n, value.span));
        }
        let range = |n: u64| grouped(&IBig::from(n));
        let message = format!("{} does not lie between {} and {}", grouped(&n), range(least), range(most));
        let found = self.report.error(Code::E0324, message, value.span);
        self.report.fail(found.help("choose a number in this range"))
    }

    /// An amount above zero.
    pub(crate) fn amount(&mut self, value: &ast::Expr) -> Option<At<Sats>> {
        let At { value, loc } = self.number(value, &Type::Coin, 1, Sats::MAX.get())?;
        Some(At { value: Sats::new(value)?, loc })
    }

    /// A block height.
    pub(crate) fn height(&mut self, value: &ast::Expr) -> Option<At<u64>> {
        self.number(value, &Type::Height, 1, HEIGHT_MAX)
    }

    /// A share of a whole, above zero and at most one.
    pub(crate) fn share(&mut self, value: &ast::Expr) -> Option<At<RBig>> {
        let share = reward::share(value, self.env, self.report)?;
        if share <= RBig::ZERO || share > RBig::ONE {
            let found = self.report.error(Code::E0324, format!("{share} is no part of a whole"), value.span);
            return self.report.fail(found.help("write a share above 0 % and up to 100 %, or remove the entry"));
        }
        Some(self.at(share, value.span))
    }

    /// A share, and the value of the one clause that may follow it, such as `20% by height 950_000`.
    pub(crate) fn share_with(
        &mut self,
        entry: &'t Entry,
        words: &str,
        example: &'static str,
    ) -> Option<(At<RBig>, Option<&'t ast::Expr>)> {
        match &entry.value {
            EntryValue::Expr(share) => Some((self.share(share)?, None)),
            EntryValue::Phrase(Phrase { head: Some(share), clauses }) => match clauses.as_slice() {
                [clause] if clause.text() == words && clause.entries.is_none() && clause.value.is_some() => {
                    Some((self.share(share)?, clause.value.as_ref()))
                }
                _ => malformed(entry, example, self.report),
            },
            EntryValue::Error(_) => None,
            _ => malformed(entry, example, self.report),
        }
    }

    /// `k of [a, b, c]`, every name another.
    pub(crate) fn quorum(&mut self, entry: &'t Entry) -> Option<At<Quorum>> {
        match &entry.value {
            EntryValue::Expr(value) => self.quorum_in(entry, value),
            _ => self.malformed(entry),
        }
    }

    /// The `k of [a, b, c]` that stands in an entry, perhaps before other words.
    pub(crate) fn quorum_in(&mut self, entry: &Entry, value: &ast::Expr) -> Option<At<Quorum>> {
        let ExprKind::Quorum { needed, keys } = &value.kind else { return self.malformed(entry) };
        let names: Vec<_> = keys.iter().map(|key| self.key_name(key)).collect();
        let names = names.into_iter().collect::<Option<Vec<_>>>()?;
        if names.is_empty() || names.len() > QUORUM_MAX {
            let message = format!("a quorum has 1 to {QUORUM_MAX} keys, not {}", names.len());
            let found = self.report.error(Code::E0325, message, value.span);
            return self.report.fail(found.help("write it like `2 of [judge_a, judge_b, judge_c]`"));
        }
        let mut seen: BTreeMap<&str, &At<String>> = BTreeMap::new();
        for name in &names {
            if let Some(first) = seen.insert(&name.value, name) {
                let message = format!("`{}` counts twice: one key would sign for two", name.value);
                let found = self.report.error(Code::E0325, message, &name.loc);
                let found = found.label(first.loc.clone(), "the first is here");
                return self.report.fail(found.help("name every key once"));
            }
        }
        let needed = self.needed(needed, names.len(), value.span)?;
        Some(self.at(Quorum { needed, keys: names }, value.span))
    }

    fn needed(&mut self, needed: &ast::Expr, all: usize, span: Span) -> Option<usize> {
        let constant = Body::new(self.env, BodyKind::Constant, &[], self.report).constant(needed, Some(Type::Int))?;
        let ConstantValue::Item(Value::Number(n)) = constant.value else { return None };
        let needed = usize::try_from(&n).ok().filter(|n| (1..=all).contains(n));
        if needed.is_none() {
            let message = match n > IBig::ZERO {
                true => format!("{} of {all} keys can never sign", grouped(&n)),
                false => format!("{} of {all} keys is no agreement", grouped(&n)),
            };
            let found = self.report.error(Code::E0325, message, span);
            self.report.push(found.help(format!("demand 1 to {all} of them")));
        }
        needed
    }

    fn key_name(&mut self, key: &ast::Expr) -> Option<At<String>> {
        match &key.kind {
            ExprKind::Name(name) if !name.is_missing() => Some(self.named(name)),
            ExprKind::Name(_) | ExprKind::Error => None,
            _ => {
                let found = self.report.error(Code::E0322, "a quorum names its keys", key.span);
                self.report
                    .fail(found.help("write a name, such as `judge_a`; the key is given when the contract is deployed"))
            }
        }
    }
}

/// Reports that an entry is not written like `example`.
pub(crate) fn malformed<T>(entry: &Entry, example: &str, report: &mut Report<'_>) -> Option<T> {
    if matches!(entry.value, EntryValue::Error(_)) || refused_end(entry, report) {
        return None;
    }
    let found = report.error(Code::E0322, format!("`{}` is written another way", entry.key), entry.span);
    report.fail(found.help(format!("write it like `{example}`")))
}

/// Words for an end that comes by itself.
const ENDING: [&str; 7] = ["until", "before", "ends", "closes", "expires", "till", "while"];

/// Whether a phrase says that something holds only up to a time.
pub(crate) fn ends_by_itself(phrase: &Phrase) -> bool {
    let says = |clause: &ast::Clause| clause.words.iter().any(|word| ENDING.contains(&word.as_str()));
    phrase.clauses.iter().any(says)
}

/// Reports an entry that is to hold only up to a time; no script can enforce that. Whether it was such an entry.
pub(crate) fn refused_end(entry: &Entry, report: &mut Report<'_>) -> bool {
    let EntryValue::Phrase(phrase) = &entry.value else { return false };
    if !ends_by_itself(phrase) {
        return false;
    }
    let found = report.error(Code::E0326, format!("no script can let `{}` end by itself", entry.key), entry.span);
    let found = found
        .saying("a late spender would write an older lock time")
        .note("a script can demand that some time has passed, not that it has not: what was valid once stays valid");
    report.push(found.help(
        "remove the end, and let something else begin then: a `deadline` after which money goes back, a release \
         `by height ..`, a price that falls by `price dutch { .. }`, an `adjust: .. after 144 blocks`",
    ));
    true
}

/// Reports an entry whose key has been set before.
pub(crate) fn set_twice(entry: &Entry, first: &Entry, report: &mut Report<'_>) {
    let found = report.error(Code::E0323, format!("`{}` is set twice", entry.key), entry.key.span);
    let found = found.saying("set again here").label(report.loc(first.key.span), "the first is here");
    report.push(found.help("remove one of them"));
}
