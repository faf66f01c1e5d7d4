//! The flow of a reward: a band for each recipient, as thick as its share.

use spec::Ratio;

use super::{Picture, Side};
use crate::shares::of_length;

/// A recipient.
pub(crate) struct Recipient {
    /// Its path in the declaration: `models.diffusion`.
    pub(crate) name: String,
    /// Its part of every pot.
    pub(crate) share: Ratio,
    /// What it gets of the smallest pot.
    pub(crate) least: Option<String>,
    /// Whether it gets what rounding leaves.
    pub(crate) dust: bool,
    /// Where it is documented, if it is a reward or model of its own.
    pub(crate) href: Option<String>,
}

/// So many recipients are drawn; a table beside the picture has all.
const SHOWN_MAX: usize = 60;
const COLUMN: i128 = 210;
const BAR: i128 = 14;
/// A whole pot is at least so high.
const HEIGHT_MIN: i128 = 160;
const ROW: i128 = 44;
const TOP: i128 = 16;
const LABEL: i128 = 330;

/// A stretch of a column: a group or a recipient.
#[derive(Clone, Copy)]
struct Bar {
    top: i128,
    height: i128,
}

/// Draws a reward whose pot is called `pot`.
pub(crate) fn draw(title: &str, pot: &str, recipients: &[Recipient]) -> String {
    let shown = recipients.get(..SHOWN_MAX).unwrap_or(recipients);
    let rows = shown.len() as i128;
    let whole = (rows * 26).max(HEIGHT_MIN);
    let depth = shown.iter().map(|one| one.name.matches('.').count()).max().unwrap_or(0) as i128;
    let mut picture = Picture::new();
    let leaves = leaves(shown, whole);
    let bottom = leaves.last().map_or(TOP, |bar| bar.top + bar.height);
    let root = Bar { top: TOP + (bottom - TOP - whole).max(0) / 2, height: whole };
    let mut drawing = Drawing { picture: &mut picture, depth, recipients: shown, leaves: &leaves };
    drawing.group("", 0..shown.len(), root);
    picture.text((MIDDLE_X, root.top + root.height / 2 + 4), Side::Right, "strong", pot, MIDDLE_X - 8);
    picture.rect((MIDDLE_X + 8, root.top), (BAR, root.height), "bar");
    if shown.len() < recipients.len() {
        let more = format!("and {} others", recipients.len() - shown.len());
        picture.text((MIDDLE_X + COLUMN, bottom + 20), Side::Left, "soft", &more, LABEL);
    }
    picture.finish(title)
}

/// Where the pot stands.
const MIDDLE_X: i128 = 130;

/// The bars of recipients, one below the other with room for their names.
fn leaves(recipients: &[Recipient], whole: i128) -> Vec<Bar> {
    let mut top = TOP;
    let bar = |one: &Recipient| {
        let height = of_length(one.share.parts(), whole).max(2);
        let bar = Bar { top: top + (ROW - height).max(0) / 2, height };
        top += ROW.max(height + 6);
        bar
    };
    recipients.iter().map(bar).collect()
}

struct Drawing<'d> {
    picture: &'d mut Picture,
    depth: i128,
    recipients: &'d [Recipient],
    leaves: &'d [Bar],
}

impl Drawing<'_> {
    /// Draws what leaves a group, whose recipients are those of `range`.
    fn group(&mut self, prefix: &str, range: std::ops::Range<usize>, from: Bar) {
        let level = if prefix.is_empty() { 0 } else { prefix.matches('.').count() as i128 + 1 };
        let x = MIDDLE_X + 8 + level * COLUMN;
        let mut out = from.top;
        for (name, members) in self.parts(prefix, range) {
            let bars = self.leaves.get(members.clone()).unwrap_or_default();
            let height: i128 = bars.iter().map(|bar| bar.height).sum();
            let leaf = members.len() == 1 && self.recipients.get(members.start).is_some_and(|one| one.name == name);
            let (to_x, to) = match (leaf, bars) {
                (true, [bar]) => (MIDDLE_X + 8 + (self.depth + 1) * COLUMN, *bar),
                _ => (x + COLUMN, middle(bars, height)),
            };
            let start = Bar { top: out, height: height.min((from.top + from.height - out).max(2)) };
            self.band(x + BAR, start, to_x, to);
            out += height;
            if leaf {
                self.leaf(members.start, to_x, to);
            } else {
                self.inner(&name, to_x, to);
                self.group(&name, members, to);
            }
        }
    }

    /// The parts of a group: the path of each, and its recipients.
    fn parts(&self, prefix: &str, range: std::ops::Range<usize>) -> Vec<(String, std::ops::Range<usize>)> {
        let mut parts: Vec<(String, std::ops::Range<usize>)> = Vec::new();
        for at in range {
            let Some(one) = self.recipients.get(at) else { continue };
            let skip = if prefix.is_empty() { 0 } else { prefix.len() + 1 };
            let rest = one.name.get(skip..).unwrap_or_default();
            let end = rest.find('.').map_or(one.name.len(), |dot| skip + dot);
            let name = one.name.get(..end).unwrap_or(&one.name);
            match parts.last_mut() {
                Some((last, range)) if last == name => range.end = at + 1,
                _ => parts.push((name.to_owned(), at..at + 1)),
            }
        }
        parts
    }

    fn band(&mut self, x1: i128, from: Bar, x2: i128, to: Bar) {
        let middle = i128::midpoint(x1, x2);
        let (a, b) = (from.top, from.top + from.height);
        let (c, d) = (to.top, to.top + to.height);
        let d = format!("M{x1} {a} C{middle} {a} {middle} {c} {x2} {c} V{d} C{middle} {d} {middle} {b} {x1} {b} Z");
        self.picture.path(&d, "band");
    }

    fn inner(&mut self, name: &str, x: i128, bar: Bar) {
        self.picture.rect((x, bar.top), (BAR, bar.height), "bar");
        let short = name.rsplit('.').next().unwrap_or(name);
        self.picture.text((x + BAR / 2, bar.top - 6), Side::Middle, "strong", short, COLUMN - 40);
    }

    fn leaf(&mut self, at: usize, x: i128, bar: Bar) {
        let Some(one) = self.recipients.get(at) else { return };
        self.picture.rect((x, bar.top), (BAR, bar.height), "bar");
        let middle = bar.top + bar.height / 2;
        let name = one.name.rsplit('.').next().unwrap_or(&one.name);
        self.picture.link(one.href.as_deref(), |picture| {
            picture.text((x + BAR + 8, middle - 3), Side::Left, "strong", name, LABEL);
        });
        let least = one.least.as_ref().map(|least| format!(" · {least}")).unwrap_or_default();
        let dust = if one.dust { " · and the dust" } else { "" };
        let line = format!("{} · {}{least}{dust}", one.share, one.share.percent());
        self.picture.text((x + BAR + 8, middle + 13), Side::Left, "soft", &line, LABEL);
    }
}

/// The bar of a group whose recipients have these.
fn middle(bars: &[Bar], height: i128) -> Bar {
    let top = bars.first().map_or(TOP, |bar| bar.top);
    let bottom = bars.last().map_or(top, |bar| bar.top + bar.height);
    Bar { top: top + (bottom - top - height).max(0) / 2, height }
}
