//! Exact weights: reading them, adding them up, and finding the one that is left.

use dashu_int::IBig;
use dashu_ratio::RBig;
use spec::Sats;
use syntax::ast::{self, BinaryOp, Entry, EntryValue, ExprKind, Ident, Phrase, UnaryOp};
use syntax::{Code, ItemKind, Span};

use super::{SETTINGS, SOURCES_MAX};
use crate::body::Env;
use crate::domain::settings;
use crate::eval::Value;
use crate::number;
use crate::report::Report;
use crate::signatures::ConstantValue;
use crate::suggest;

/// The deepest nesting of groups.
const DEPTH_MAX: usize = 16;
/// How many weights a message writes out.
const SHOWN_MAX: usize = 12;

/// Who is behind a source.
#[derive(Clone, Debug)]
pub(super) enum To {
    /// Whoever has the lock that is given when the reward is deployed.
    Lock,
    /// The recipients of a list that is given when the reward is deployed.
    List,
    /// Another reward or model.
    Other(Ident),
}

/// A source before its share of the whole is checked against a pot.
pub(super) struct Source {
    /// The names from the outermost group to the source.
    pub(super) path: Vec<String>,
    pub(super) to: To,
    /// Its part of the whole.
    pub(super) share: RBig,
    pub(super) span: Span,
    pub(super) key: Span,
}

enum Weight {
    Exact(RBig),
    Rest,
}

/// One weight of a group as written.
struct Item<'t> {
    entry: &'t Entry,
    weight: Weight,
    span: Span,
}

/// Flattens the entries of a reward or group to sources; no result if a weight is wrong.
pub(super) struct Flattening<'a, 'r, 's> {
    pub(super) env: Env<'a>,
    pub(super) report: &'r mut Report<'a>,
    pub(super) sources: &'s mut Vec<Source>,
}

impl<'t> Flattening<'_, '_, '_> {
    /// Adds the sources of `entries`, which share `whole`. `title` names the reward or group.
    pub(super) fn group(
        &mut self,
        entries: &[&'t Entry],
        path: &[String],
        whole: &RBig,
        title: &str,
        span: Span,
    ) -> Option<()> {
        if path.len() > DEPTH_MAX {
            let message = format!("groups nest at most {DEPTH_MAX} deep");
            let found = self.report.error(Code::E0312, message, span);
            return self.report.fail(found.help("move the sources of this group one level up"));
        }
        if entries.is_empty() {
            let found = self.report.error(Code::E0313, format!("{title} has no source"), span);
            return self.report.fail(found.help("add one, such as `builder: 100%,`"));
        }
        if entries.len() + self.sources.len() > SOURCES_MAX {
            let message = format!("a reward has at most {SOURCES_MAX} sources");
            let found = self.report.error(Code::E0312, message, span);
            return self.report.fail(found.help("pay some of them through one source, a contract of its own"));
        }
        let alone = entries.len() == 1;
        let items: Vec<_> = entries.iter().map(|entry| self.item(entry, alone)).collect();
        let items = items.into_iter().collect::<Option<Vec<_>>>();
        let weights = items.as_ref().and_then(|items| self.exact(items, title));
        // Groups inside are checked even if this one is wrong, so that one run tells all.
        let mut complete = weights.is_some();
        for (index, entry) in entries.iter().enumerate() {
            let weight = weights.as_ref().and_then(|weights| weights.get(index));
            let share = weight.map_or_else(|| whole.clone(), |weight| whole * weight);
            complete &= self.entry(entry, path, share).is_some();
        }
        complete.then_some(())
    }

    fn entry(&mut self, entry: &'t Entry, path: &[String], share: RBig) -> Option<()> {
        let mut path = path.to_vec();
        path.push(entry.key.to_string());
        if let EntryValue::Group { entries, .. } = &entry.value {
            let title = format!("the group `{}`", path.join("."));
            let entries: Vec<_> = entries.iter().collect();
            return self.group(&entries, &path, &share, &title, entry.span);
        }
        let to = self.recipient(entry)?;
        self.sources.push(Source { path, to, share, span: entry.span, key: entry.key.span });
        Some(())
    }

    fn item(&mut self, entry: &'t Entry, alone: bool) -> Option<Item<'t>> {
        if self.misspelt_setting(entry) {
            return None;
        }
        let weight = match &entry.value {
            EntryValue::Expr(weight) | EntryValue::Group { weight: Some(weight), .. } => weight,
            EntryValue::List if alone => return Some(Item { entry, weight: Weight::Rest, span: entry.span }),
            EntryValue::Phrase(Phrase { head: Some(weight), .. }) => weight,
            EntryValue::Phrase(phrase) if begins_with_rest(phrase) => {
                return Some(Item { entry, weight: Weight::Rest, span: entry.span });
            }
            EntryValue::Group { weight: None, .. }
            | EntryValue::UpTo(_)
            | EntryValue::AtLeast(_)
            | EntryValue::By { .. }
            | EntryValue::List
            | EntryValue::Phrase(_) => {
                let message = format!("`{}` needs a weight", entry.key);
                let found = self.report.error(Code::E0310, message, entry.span);
                return self.report.fail(found.help("write a weight, such as `20%`, `3/10` or `rest`"));
            }
            EntryValue::Error(_) => return None,
        };
        let span = weight.span;
        if matches!(&weight.kind, ExprKind::Name(name) if name.as_str() == "rest") {
            return Some(Item { entry, weight: Weight::Rest, span });
        }
        let value = share(weight, self.env, self.report)?;
        if value <= RBig::ZERO {
            let text = self.report.text_of(span);
            let message = format!("the weight of `{}` is {text}, which is not above 0", entry.key);
            let found = self.report.error(Code::E0302, message, span);
            return self.report.fail(found.help("remove the source, or give it a weight above 0"));
        }
        Some(Item { entry, weight: Weight::Exact(value), span })
    }

    /// Who gets what a source gets.
    fn recipient(&mut self, entry: &Entry) -> Option<To> {
        let EntryValue::Phrase(phrase) = &entry.value else {
            return Some(if matches!(entry.value, EntryValue::List) { To::List } else { To::Lock });
        };
        let [clause] = phrase.clauses.as_slice() else { return self.no_recipient(entry) };
        let words = clause.words.iter().map(Ident::as_str).filter(|word| *word != "rest").collect::<Vec<_>>();
        let name = match clause.value.as_ref().map(|value| &value.kind) {
            Some(ExprKind::Name(name)) => Some(name),
            None => None,
            Some(_) => return self.no_recipient(entry),
        };
        match (words.as_slice(), name) {
            (["list"], None) => Some(To::List),
            ([], Some(name)) if name.as_str() == "list" => Some(To::List),
            (["to"], Some(name)) => self.destination(name),
            _ => self.no_recipient(entry),
        }
    }

    /// Another reward or model.
    fn destination(&mut self, name: &Ident) -> Option<To> {
        if name.is_missing() || self.env.signatures.is_broken(name.as_str()) {
            return None;
        }
        match self.env.signatures.kind(name.as_str()) {
            Some(ItemKind::Reward | ItemKind::Model) => Some(To::Other(name.clone())),
            _ => {
                let found = self.report.error(Code::E0317, format!("there is no reward or model `{name}`"), name.span);
                let close = self.report.did_you_mean(name.as_str(), self.env.signatures.reward_names());
                self.report.fail(found.help(close.or_say(|| {
                    format!(
                        "declare `reward {name} {{ .. }}`, or leave `to {name}` out and give the lock when you deploy"
                    )
                })))
            }
        }
    }

    fn no_recipient<T>(&mut self, entry: &Entry) -> Option<T> {
        if settings::refused_end(entry, self.report) {
            return None;
        }
        let message = format!("what stands behind the weight of `{}` means nothing here", entry.key);
        let found = self.report.error(Code::E0310, message, entry.span);
        self.report.fail(
            found
                .help("write a weight alone, `.. list` for recipients given later, or `.. to Name` for another reward"),
        )
    }

    /// An amount is no weight, so its key was probably meant to be a setting.
    fn misspelt_setting(&mut self, entry: &Entry) -> bool {
        let (EntryValue::Expr(value) | EntryValue::UpTo(value)) = &entry.value else { return false };
        let is_amount = matches!(value.kind, ExprKind::Quantity { .. });
        let meant = is_amount.then(|| suggest::closest(entry.key.as_str(), SETTINGS)).flatten();
        let Some(meant) = meant else { return false };
        let found = self.report.error(Code::E0311, format!("there is no setting `{}`", entry.key), entry.key.span);
        let help = match meant == entry.key.as_str() {
            true => format!("`{meant}` stands at the top of the reward, not in a group"),
            false => format!("did you mean `{meant}`?"),
        };
        self.report.push(found.help(help));
        true
    }

    /// The weights as numbers, the rest computed; they add up to exactly 1.
    fn exact(&mut self, items: &[Item<'t>], title: &str) -> Option<Vec<RBig>> {
        let mut rests = items.iter().filter(|item| matches!(item.weight, Weight::Rest));
        let rest = rests.next();
        if let (Some(first), Some(second)) = (rest, rests.next()) {
            let message = format!("{title} has more than one `rest`: `{}` and `{}`", first.entry.key, second.entry.key);
            let found = self.report.error(Code::E0303, message, second.span);
            let found = found.saying("another `rest`").label(self.report.loc(first.span), "the first is here");
            return self.report.fail(found.help("give all but one of them a weight"));
        }
        let sum: RBig = items.iter().fold(RBig::ZERO, |sum, item| match &item.weight {
            Weight::Exact(weight) => sum + weight,
            Weight::Rest => sum,
        });
        let left = RBig::ONE - &sum;
        match rest {
            Some(rest) if left <= RBig::ZERO => {
                let message =
                    format!("nothing is left for `{}`: the other weights add up to {}", rest.entry.key, percent(&sum));
                let found = self.report.error(Code::E0304, message, rest.span).saying("0 or less");
                let found = found.label(self.report.loc(last_span(items)), self.addition(items, &sum));
                self.report.fail(found.help("make another weight smaller"))
            }
            None if left != RBig::ZERO => self.wrong_sum(items, title, &sum),
            _ => Some(items.iter().map(|item| exact_weight(item, &left)).collect()),
        }
    }

    fn wrong_sum<T>(&mut self, items: &[Item<'t>], title: &str, sum: &RBig) -> Option<T> {
        let message = format!("the weights of {} add up to {}, not 100 %", title_of(title), percent(sum));
        let found = self.report.error(Code::E0301, message, decisive(items)).saying(self.addition(items, sum));
        let off = RBig::ONE - sum;
        let action = if off > RBig::ZERO { format!("add {off}") } else { format!("take {} away", -off) };
        self.report.fail(found.help(format!("{action}, or let one source be `rest`")))
    }

    /// `30% + 25% + 1/2 = 21/20`
    fn addition(&self, items: &[Item<'t>], sum: &RBig) -> String {
        let exact = items.iter().filter(|item| matches!(item.weight, Weight::Exact(_)));
        let mut terms: Vec<_> = exact.clone().take(SHOWN_MAX).map(|item| self.report.text_of(item.span)).collect();
        if exact.count() > SHOWN_MAX {
            terms.push("…".into());
        }
        format!("{} = {sum}", terms.join(" + "))
    }
}

fn begins_with_rest(phrase: &Phrase) -> bool {
    let first = phrase.clauses.first().and_then(|clause| clause.words.first());
    phrase.head.is_none() && first.is_some_and(|word| word.as_str() == "rest")
}

fn title_of(title: &str) -> &str {
    title.strip_prefix("the reward ").unwrap_or(title)
}

fn exact_weight(item: &Item<'_>, left: &RBig) -> RBig {
    match &item.weight {
        Weight::Exact(weight) => weight.clone(),
        Weight::Rest => left.clone(),
    }
}

/// The weight at which the sum first exceeds 1, or else the last one.
fn decisive(items: &[Item<'_>]) -> Span {
    let mut sum = RBig::ZERO;
    for item in items {
        if let Weight::Exact(weight) = &item.weight {
            sum += weight;
        }
        if sum > RBig::ONE {
            return item.span;
        }
    }
    last_span(items)
}

fn last_span(items: &[Item<'_>]) -> Span {
    let exact = items.iter().rev().find(|item| matches!(item.weight, Weight::Exact(_)));
    exact.map_or_else(Span::default, |item| item.span)
}

/// `105 %`, or a fraction where two decimals do not suffice.
pub(crate) fn percent(value: &RBig) -> String {
    let hundredths = value * RBig::from(IBig::from(10_000));
    if !hundredths.is_int() {
        return value.to_string();
    }
    let digits = hundredths.numerator().to_string();
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |digits| ("-", digits));
    let padded = format!("{digits:0>3}");
    let (whole, fraction) = padded.split_at_checked(padded.len() - 2).unwrap_or((&padded, ""));
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole} %"),
        fraction => format!("{sign}{whole}.{fraction} %"),
    }
}

/// The exact value of a weight: `30%`, `3/10`, `0.3`, a constant of type `Share`, and their arithmetic.
pub(crate) fn share(weight: &ast::Expr, env: Env<'_>, report: &mut Report<'_>) -> Option<RBig> {
    let span = weight.span;
    let value = match &weight.kind {
        ExprKind::Int(digits) | ExprKind::Decimal(digits) => digits_value(digits, span, report)?,
        ExprKind::Percent(digits) => digits_value(digits, span, report)? / RBig::from(IBig::from(100)),
        ExprKind::Unary { op: UnaryOp::Neg, operand } => -share(operand, env, report)?,
        ExprKind::Binary { op, left, right, .. } => {
            let (left, right) = (share(left, env, report), share(right, env, report));
            return arithmetic(*op, left?, right?, span, report);
        }
        ExprKind::Name(name) => {
            let found = env.contract.and_then(|scope| scope.consts.get(&name.name));
            return match found.or_else(|| env.signatures.constant(name.as_str())) {
                Some(Some(constant)) => match &constant.value {
                    ConstantValue::Share(value) => Some(value.clone()),
                    ConstantValue::Item(Value::Number(n)) if constant.ty == crate::hir::Type::Int => {
                        Some(RBig::from(n.clone()))
                    }
                    ConstantValue::Item(_) => no_weight(format!("`{name}` is `{}`", constant.ty), span, report),
                },
                Some(None) => None,
                None if name.is_missing() || env.signatures.is_broken(name.as_str()) => None,
                None => no_weight(format!("there is no constant `{name}`"), span, report),
            };
        }
        ExprKind::Error => return None,
        _ => return no_weight(format!("`{}` is no weight", report.text_of(span)), span, report),
    };
    Some(value)
}

fn no_weight<T>(message: String, span: Span, report: &mut Report<'_>) -> Option<T> {
    let found = report.error(Code::E0310, message, span);
    report.fail(found.help("write a weight, such as `20%`, `3/10` or `rest`"))
}

fn digits_value(digits: &str, span: Span, report: &mut Report<'_>) -> Option<RBig> {
    let value = number::decimal(digits);
    if value.is_none() {
        let found = report.error(Code::E0310, "a weight has at most 40 digits", span);
        report.push(found.help("write a rounder weight, or a ratio such as `1/3`"));
    }
    value
}

fn arithmetic(op: BinaryOp, left: RBig, right: RBig, span: Span, report: &mut Report<'_>) -> Option<RBig> {
    let value = match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => left * right,
        BinaryOp::Div if right == RBig::ZERO => {
            return report
                .fail(report.error(Code::E0210, "this divides by zero", span).help("divide by another number"));
        }
        BinaryOp::Div => left / right,
        _ => return no_weight(format!("`{}` does not exist for weights", op.symbol()), span, report),
    };
    let bits = dashu_base::BitTest::bit_len(value.denominator()).max(dashu_base::BitTest::bit_len(value.numerator()));
    if bits > 1_024 {
        let found = report.error(Code::E0312, "this weight is too fine", span);
        return report.fail(found.help("use rounder weights, such as whole percentages"));
    }
    Some(value)
}

/// The common denominator of all shares; `None` if it is finer than the smallest unit of all money.
pub(super) fn common_denominator(sources: &[Source]) -> Option<u64> {
    use dashu_base::Gcd;
    sources.iter().try_fold(1u64, |common, source| {
        let next = u64::try_from(source.share.denominator()).ok()?;
        let step = next / common.gcd(next);
        common.checked_mul(step).filter(|common| *common <= Sats::MAX.get())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_print_as_percentages_where_they_are_short() {
        let ratio = |a: i64, b: u64| RBig::from_parts(IBig::from(a), b.into());
        for (value, text) in [
            (ratio(21, 20), "105 %"),
            (ratio(19, 20), "95 %"),
            (ratio(1, 8), "12.5 %"),
            (ratio(1, 3), "1/3"),
            (ratio(0, 1), "0 %"),
            (ratio(-1, 2000), "-0.05 %"),
        ] {
            assert_eq!(percent(&value), text);
        }
    }
}
