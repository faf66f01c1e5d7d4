//! A reward inside another: sources upstream first, then those of a reward, scaled by what is left.

use dashu_int::IBig;
use dashu_ratio::RBig;
use syntax::Span;
use syntax::ast::{Entry, Ident};

use super::check::{Settings, amounts, check_names, fee_of, leaves, minimum_of, smallest_minimum};
use super::weights::{Source, To};
use super::{Form, Leaf, Payee, Table, form};
use crate::body::Env;
use crate::report::Report;

/// The group that the sources upstream stand in.
const UPSTREAM: &str = "builds_on";
/// The source that a reward is which stays one by itself.
const OWN: &str = "own";

/// A source that is paid before those of the reward.
pub(crate) struct Upstream {
    pub(crate) name: String,
    pub(crate) payee: Payee,
    pub(crate) share: RBig,
    pub(crate) span: Span,
    pub(crate) key: Span,
}

/// What is put together.
pub(crate) struct Nested<'n> {
    pub(crate) name: &'n Ident,
    pub(crate) docs: String,
    pub(crate) upstream: Vec<Upstream>,
    /// The reward that shares what is left.
    pub(crate) own: &'n Table,
    pub(crate) left: &'n RBig,
    /// Where it is named.
    pub(crate) own_span: Span,
    /// Entries that say what else than the reward's smallest pot and largest fee is meant.
    pub(crate) minimum: Option<&'n Entry>,
    pub(crate) fee: Option<&'n Entry>,
}

/// One reward with all these sources. Without an entry of its own, its smallest pot is that of the
/// inner reward, or the least that pays every source, whichever is more.
pub(crate) fn nest<'a>(nested: &Nested<'_>, env: Env<'a>, report: &mut Report<'a>) -> Option<Table> {
    let mut sources: Vec<Source> = nested.upstream.iter().map(upstream).collect();
    let before = sources.len();
    let last = before + own_sources(nested, &mut sources);
    if sources.len() > super::SOURCES_MAX {
        let message = format!("the model and its parents have more than {} sources", super::SOURCES_MAX);
        let found = report.error(syntax::Code::E0312, message, nested.own_span);
        return report.fail(found.help("pay some of them through one source, a reward of its own"));
    }
    let named = check_names(&sources, report);
    let denominator = form::fine_as_list(&sources, nested.name, report)?;
    let fee = match nested.fee {
        Some(entry) => fee_of(entry, env, report)?,
        None => (nested.own.fee_max, nested.own_span),
    };
    let minimum = match nested.minimum {
        Some(entry) => minimum_of(entry, env, report)?,
        None => {
            let least = smallest_minimum(&sources, fee.0).unwrap_or(nested.own.minimum);
            (least.max(nested.own.minimum), nested.own_span)
        }
    };
    let (minimum, fee) = amounts(&Settings::of(minimum, fee), &sources, nested.name.span, report)?;
    let table = Table {
        name: nested.name.name.clone(),
        docs: nested.docs.clone(),
        loc: report.loc(nested.name.span),
        leaves: leaves(&sources, denominator, last, report)?,
        form: Form::Flow,
        denominator,
        minimum: minimum.0,
        minimum_loc: report.loc(minimum.1),
        fee_max: fee.0,
        fee_loc: report.loc(fee.1),
    };
    named.then_some(table)
}

fn upstream(source: &Upstream) -> Source {
    Source {
        path: vec![UPSTREAM.to_owned(), source.name.clone()],
        to: to(&source.payee, source.key),
        share: source.share.clone(),
        span: source.span,
        key: source.key,
    }
}

fn to(payee: &Payee, span: Span) -> To {
    match payee {
        Payee::Lock => To::Lock,
        Payee::List => To::List,
        Payee::Other(name) => To::Other(Ident { name: name.clone(), span }),
    }
}

/// Adds the sources of the inner reward; gives the place among them of the one that takes what rounding leaves.
///
/// A reward that pays others than those it names, or whose weights may be replaced, stays a source by itself: whom it
/// pays is its own matter.
fn own_sources(nested: &Nested<'_>, sources: &mut Vec<Source>) -> usize {
    let (own, span) = (nested.own, nested.own_span);
    if !own.is_fixed() {
        let to = To::Other(Ident { name: own.name.clone(), span });
        sources.push(Source { path: vec![OWN.to_owned()], to, share: nested.left.clone(), span, key: span });
        return 0;
    }
    let scaled = |leaf: &Leaf| {
        let part = RBig::from_parts(IBig::from(leaf.weight), own.denominator.into());
        let path = leaf.name.split('.').map(str::to_owned).collect();
        Source { path, to: to(&leaf.payee, span), share: nested.left * part, span, key: span }
    };
    sources.extend(own.leaves.iter().map(scaled));
    own.leaves.iter().position(|leaf| leaf.rank + 1 == own.leaves.len()).unwrap_or(0)
}
