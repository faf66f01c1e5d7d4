//! Weights that add up, and declarations written out.

use spec::Ratio;
use syntax::ast::{Entry, EntryValue, Expr, Item};
use syntax::{Code, ItemKind, Span};

use super::numbers::{minus, over, plus, weight, written};
use super::{ActionKind, Edits, Found, Site};
use crate::names::{Def, DefKind};
use crate::navigate::mentions;

/// One source with its weight.
struct Source<'s> {
    key: &'s str,
    weight: &'s Expr,
    share: Ratio,
    /// Whether nothing but the weight stands behind the key.
    plain: bool,
}

fn weight_of(entry: &Entry) -> Option<(&Expr, bool)> {
    match &entry.value {
        EntryValue::Expr(value) => Some((value, true)),
        EntryValue::Group { weight, .. } => Some((weight.as_ref()?, false)),
        EntryValue::Phrase(phrase) => Some((phrase.head.as_ref()?, false)),
        _ => None,
    }
}

/// The sources of the group that holds a weight; nothing if one of them has no exact weight.
fn group<'s>(entries: &'s [Entry], at: Span) -> Option<Vec<Source<'s>>> {
    let is_source = |entry: &&Entry| !analysis::REWARD_SETTINGS.contains(&entry.key.as_str());
    let sources: Vec<&Entry> = entries.iter().filter(is_source).collect();
    if sources.iter().any(|entry| weight_of(entry).is_some_and(|(weight, _)| weight.span == at)) {
        let source = |entry: &&'s Entry| {
            let (expr, plain) = weight_of(entry)?;
            Some(Source { key: entry.key.as_str(), weight: expr, share: weight(expr)?, plain })
        };
        return sources.iter().map(source).collect();
    }
    sources.into_iter().find_map(|entry| match &entry.value {
        EntryValue::Group { entries, .. } => group(entries, at),
        _ => None,
    })
}

/// Lets one source be `rest`, takes the difference from one, or scales all.
pub(super) fn weights(site: &mut Site<'_, '_>, found: &Found<'_>) {
    let Item::Reward(reward) = site.item.ast else { return };
    let Some(sources) = group(&reward.entries, found.span).filter(|_| found.diagnostic.code == Code::E0301) else {
        return;
    };
    let sum = sources.iter().map(|source| Some(source.share)).reduce(|a, b| plus(a?, b?)).flatten();
    let Some((one, sum)) = Ratio::new(1, 1).zip(sum) else { return };
    for source in &sources {
        // What the others leave.
        let left = minus(sum, source.share).and_then(|others| minus(one, others));
        let Some(left) = left.filter(|left| left.parts().0 > 0) else { continue };
        let at = source.weight.span;
        if source.plain && at == found.span {
            let title = format!("let `{}` be `rest`", source.key);
            site.offer(ActionKind::LetRest, title, |site| Edits::of([site.put(at, "rest")]));
        }
        if at == found.span {
            let (text, title) = (written(left), format!("give `{}` {}", source.key, written(left)));
            site.offer(ActionKind::AdjustWeight, title, |site| Edits::of([site.put(at, text.as_str())]));
        }
    }
    let scaled: Option<Vec<(Span, String)>> =
        sources.iter().map(|source| Some((source.weight.span, written(over(source.share, sum)?)))).collect();
    let Some(scaled) = scaled else { return };
    site.offer(ActionKind::NormaliseWeights, "scale all weights to add up to 100%", |site| {
        Edits::of(scaled.iter().map(|(span, text)| site.put(*span, text.as_str())))
    });
}

/// A declaration as the plain items that it stands for, where nothing but imports names it.
pub(super) fn expand(site: &mut Site<'_, '_>) {
    let declares = matches!(site.item.key.kind, ItemKind::Reward | ItemKind::Model | ItemKind::Imi | ItemKind::Imo);
    let Some(name) = site.item.ast.name().filter(|name| declares && name.span.touches(site.range.start)) else {
        return;
    };
    let generated = site.files.session.generated(&site.path);
    let Some((_, text)) = generated.into_iter().find(|(key, _)| key == site.item.key) else { return };
    // The items are written anew, so what the declaration's comments say would be lost.
    let commented = site.loses_comment(site.item.ast.span(), &[]);
    if text.trim().is_empty() || commented || !stands_alone(site, name.span) {
        return;
    }
    site.offer(ActionKind::ExpandDeclaration, format!("write `{name}` out as plain items"), |site| {
        let end = u32::try_from(site.item.text.trim_end().len()).ok()?;
        Edits::of([site.put(Span::new(0, end), text.trim_end())])
    });
}

/// Whether no other declaration or body counts on what is declared: it would lack what only the declaration has.
fn stands_alone(site: &Site<'_, '_>, name: Span) -> bool {
    let kind = DefKind::Item(site.item.key.kind);
    let def = Def { file: site.file, item: site.item.key.clone(), span: name, kind };
    let others = mentions(site.files, &def, None).into_iter().filter(|mention| !mention.declares);
    others.into_iter().all(|mention| {
        let file = site.files.session.source(&mention.location.path);
        let used = file.and_then(|file| crate::names::item_at(site.files, file, mention.location.range.start));
        used.is_some_and(|(item, _)| item.key.kind == ItemKind::Use)
    })
}
