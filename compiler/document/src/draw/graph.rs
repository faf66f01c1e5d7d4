//! A graph without circles: boxes in columns, those that others lead to on the right of them.

use std::collections::BTreeMap;

use super::{Picture, Side};

const BOX_WIDTH: i128 = 220;
const COLUMN: i128 = 330;
const LINE: i128 = 17;
const GAP: i128 = 26;
const TOP: i128 = 24;

/// A box of a graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// What stands at its top.
    pub title: String,
    /// What stands below.
    pub lines: Vec<String>,
    /// Where it leads, in a page.
    pub href: Option<String>,
}

/// An arrow from one box to another, by their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The box that it leaves.
    pub from: usize,
    /// The box that it reaches.
    pub to: usize,
    /// What stands at it.
    pub label: String,
}

/// Draws boxes and arrows. `title` says in words what the picture shows.
///
/// ```
/// use document::{Drawn, Link, graph};
/// let drawn = |title: &str| Drawn { title: title.into(), ..Drawn::default() };
/// let svg = graph("who pays whom", &[drawn("A & B"), drawn("C")], &[Link { from: 0, to: 1, label: "10 %".into() }]);
/// assert!(svg.starts_with("<svg") && svg.contains("A &amp; B") && svg.contains("10 %"));
/// ```
#[must_use]
pub fn graph(title: &str, boxes: &[Drawn], links: &[Link]) -> String {
    let places = layout(boxes, links);
    let mut picture = Picture::new();
    for link in links {
        if let (Some(from), Some(to)) = (places.get(link.from), places.get(link.to)) {
            arrow(&mut picture, from, to, &link.label);
        }
    }
    for (drawn, place) in boxes.iter().zip(&places) {
        picture.link(drawn.href.as_deref(), |picture| boxed(picture, drawn, place));
    }
    picture.finish(title)
}

struct Place {
    x: i128,
    y: i128,
    height: i128,
}

/// The column of a box is the longest way to it. What claims to lead in a circle ends where the columns do.
fn layout(boxes: &[Drawn], links: &[Link]) -> Vec<Place> {
    let count = boxes.len();
    let mut columns = vec![0_i128; count];
    let mut waiting = vec![0_usize; count];
    for link in links {
        if let Some(waiting) = waiting.get_mut(link.to) {
            *waiting += 1;
        }
    }
    let mut ready: Vec<usize> = (0..count).filter(|at| waiting.get(*at) == Some(&0)).collect();
    while let Some(at) = ready.pop() {
        let next = columns.get(at).map_or(0, |column| column + 1);
        for link in links.iter().filter(|link| link.from == at) {
            if let (Some(column), Some(left)) = (columns.get_mut(link.to), waiting.get_mut(link.to)) {
                *column = next.max(*column);
                *left = left.saturating_sub(1);
                if *left == 0 {
                    ready.push(link.to);
                }
            }
        }
    }
    let mut bottoms: BTreeMap<i128, i128> = BTreeMap::new();
    let place = |(drawn, column): (&Drawn, &i128)| {
        let (y, height) = (*bottoms.get(column).unwrap_or(&TOP), LINE * (drawn.lines.len() as i128 + 2));
        bottoms.insert(*column, y + height + GAP);
        Place { x: 20 + column * COLUMN, y, height }
    };
    boxes.iter().zip(&columns).map(place).collect()
}

fn boxed(picture: &mut Picture, drawn: &Drawn, place: &Place) {
    picture.rect((place.x, place.y), (BOX_WIDTH, place.height), "box");
    picture.text((place.x + 10, place.y + LINE + 3), Side::Left, "strong", &drawn.title, BOX_WIDTH - 20);
    for (at, line) in drawn.lines.iter().enumerate() {
        let y = place.y + LINE * (at as i128 + 2) + 6;
        picture.text((place.x + 10, y), Side::Left, "", line, BOX_WIDTH - 20);
    }
}

fn arrow(picture: &mut Picture, from: &Place, to: &Place, label: &str) {
    if to.x - from.x > COLUMN {
        return detour(picture, from, to, label);
    }
    let start = (from.x + BOX_WIDTH, from.y + from.height / 2);
    let end = (to.x, to.y + LINE);
    picture.arrow(start, end, "line");
    let middle = (i128::midpoint(start.0, end.0), i128::midpoint(start.1, end.1) - 6);
    picture.text(middle, Side::Middle, "label", label, COLUMN - BOX_WIDTH);
}

/// An arrow over more than one column, which goes below the boxes between.
fn detour(picture: &mut Picture, from: &Place, to: &Place, label: &str) {
    let (x1, x2) = (from.x + BOX_WIDTH / 2, to.x + BOX_WIDTH / 2);
    let (y1, y2) = (from.y + from.height, to.y + to.height);
    let low = y1.max(y2) + DIP;
    picture.path(&format!("M{x1} {y1} C{x1} {low} {x2} {low} {x2} {y2}"), "line");
    picture.path(&format!("M{x2} {y2} L{} {} L{} {} Z", x2 - 5, y2 + 8, x2 + 5, y2 + 8), "head");
    picture.text((i128::midpoint(x1, x2), low), Side::Middle, "label", label, COLUMN);
}

/// So far below the boxes a detour is pulled.
const DIP: i128 = 64;
