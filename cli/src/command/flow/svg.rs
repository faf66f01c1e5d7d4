//! A picture of who pays whom: a box for each reward, those that are paid by others to the right of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ::flow::{Flow, Network};

use crate::svg::escaped;
use crate::units::Ratio;

const BOX_WIDTH: usize = 220;
const COLUMN: usize = 330;
const LINE: usize = 17;
const GAP: usize = 26;
const TOP: usize = 24;
/// So many recipients stand in a box.
const SHOWN_MAX: usize = 8;

struct Node<'n> {
    flow: &'n Flow,
    x: usize,
    y: usize,
    height: usize,
}

/// Draws the published rewards.
pub(super) fn draw(network: &Network) -> String {
    let places: BTreeMap<Vec<u8>, usize> =
        network.rewards.iter().enumerate().rev().map(|(at, flow)| (flow.published.lock(), at)).collect();
    let links: Vec<Vec<(usize, u64)>> = network.rewards.iter().map(|flow| links(flow, &places)).collect();
    let nodes = layout(network, &links);
    let width = nodes.iter().map(|node| node.x + BOX_WIDTH).max().unwrap_or(0) + 20;
    let height = nodes.iter().map(|node| node.y + node.height).max().unwrap_or(0) + 20;
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (node, links) in nodes.iter().zip(&links) {
        for (to, weight) in links {
            if let Some(to) = nodes.get(*to) {
                link(&mut svg, node, to, &percent(*weight, node.flow));
            }
        }
    }
    nodes.iter().for_each(|node| boxed(&mut svg, node));
    svg.push_str("</svg>\n");
    svg
}

/// The rewards that a reward pays, with their weights.
fn links(flow: &Flow, places: &BTreeMap<Vec<u8>, usize>) -> Vec<(usize, u64)> {
    let to = flow.published.recipients.iter().filter_map(|one| Some((*places.get(&one.lock)?, one.weight)));
    to.collect()
}

/// The column of a reward is the longest way to it. A lock holds the hashes of those it pays, so there are no circles;
/// what claims to be one ends where the columns do.
fn layout<'n>(network: &'n Network, links: &[Vec<(usize, u64)>]) -> Vec<Node<'n>> {
    let count = network.rewards.len();
    let mut columns = vec![0usize; count];
    let mut waiting = vec![0usize; count];
    links.iter().flatten().for_each(|(to, _)| bump(&mut waiting, *to, 1));
    let mut ready: Vec<usize> = (0..count).filter(|at| waiting.get(*at) == Some(&0)).collect();
    while let Some(at) = ready.pop() {
        let next = columns.get(at).map_or(0, |column| column + 1);
        for (to, _) in links.get(at).into_iter().flatten() {
            if let (Some(column), Some(left)) = (columns.get_mut(*to), waiting.get_mut(*to)) {
                *column = next.max(*column);
                *left = left.saturating_sub(1);
                if *left == 0 {
                    ready.push(*to);
                }
            }
        }
    }
    let mut bottoms: BTreeMap<usize, usize> = BTreeMap::new();
    let place = |(flow, column): (&'n Flow, &usize)| {
        let lines = flow.published.recipients.len().min(SHOWN_MAX + 1);
        let (y, height) = (*bottoms.get(column).unwrap_or(&TOP), LINE * (lines + 2));
        bottoms.insert(*column, y + height + GAP);
        Node { flow, x: 20 + column * COLUMN, y, height }
    };
    network.rewards.iter().zip(&columns).map(place).collect()
}

fn bump(counts: &mut [usize], at: usize, by: usize) {
    if let Some(count) = counts.get_mut(at) {
        *count += by;
    }
}

fn boxed(svg: &mut String, node: &Node<'_>) {
    let Node { flow, x, y, height } = node;
    let _ = writeln!(
        svg,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{height}\" rx=\"6\" fill=\"#f4f6fa\" stroke=\"#4e79a7\"/>\n\
         <text x=\"{}\" y=\"{}\" font-weight=\"bold\" font-size=\"14\">{}</text>",
        x + 10,
        y + LINE + 3,
        escaped(&flow.published.name),
    );
    let recipients = &flow.published.recipients;
    let mut lines: Vec<String> =
        recipients.iter().take(SHOWN_MAX).map(|one| format!("{} {}", percent(one.weight, flow), one.name)).collect();
    if recipients.len() > SHOWN_MAX {
        lines.push(format!("and {} others", recipients.len() - SHOWN_MAX));
    }
    for (at, line) in lines.iter().enumerate() {
        let top = y + LINE * (at + 2) + 6;
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{top}\" fill=\"#333\">{}</text>", x + 10, escaped(line));
    }
}

fn link(svg: &mut String, from: &Node<'_>, to: &Node<'_>, label: &str) {
    let (x1, y1) = (from.x + BOX_WIDTH, from.y + from.height / 2);
    let (x2, y2) = (to.x, to.y + LINE);
    let middle = x1.midpoint(x2);
    let _ = writeln!(
        svg,
        "<path d=\"M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}\" fill=\"none\" stroke=\"#f28e2b\" stroke-width=\"2\"/>\n\
         <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" fill=\"#a0522d\">{label}</text>",
        y1.midpoint(y2).saturating_sub(5),
    );
}

fn percent(weight: u64, flow: &Flow) -> String {
    let whole: i128 = flow.published.recipients.iter().map(|one| i128::from(one.weight)).sum();
    Ratio::new(weight.into(), whole).map_or_else(String::new, Ratio::percent)
}
