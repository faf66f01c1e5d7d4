//! A picture of who pays whom: a box for each reward, those that are paid by others to the right of them.

use std::collections::BTreeMap;

use ::flow::{Flow, Network};
use document::{Drawn, Link};

use crate::units::Ratio;

/// So many recipients stand in a box.
const SHOWN_MAX: usize = 8;

/// Draws the published rewards.
pub(super) fn draw(network: &Network) -> String {
    let places: BTreeMap<Vec<u8>, usize> =
        network.rewards.iter().enumerate().rev().map(|(at, flow)| (flow.published.lock(), at)).collect();
    let boxes: Vec<Drawn> = network.rewards.iter().map(boxed).collect();
    let links: Vec<Link> =
        network.rewards.iter().enumerate().flat_map(|(from, flow)| links(from, flow, &places)).collect();
    document::alone(&document::graph("who pays whom", &boxes, &links))
}

/// The rewards that a reward pays.
fn links(from: usize, flow: &Flow, places: &BTreeMap<Vec<u8>, usize>) -> Vec<Link> {
    let link =
        |one: &::flow::Recipient| Some(Link { from, to: *places.get(&one.lock)?, label: percent(one.weight, flow) });
    flow.published.recipients.iter().filter_map(link).collect()
}

fn boxed(flow: &Flow) -> Drawn {
    let recipients = &flow.published.recipients;
    let mut lines: Vec<String> =
        recipients.iter().take(SHOWN_MAX).map(|one| format!("{} {}", percent(one.weight, flow), one.name)).collect();
    if recipients.len() > SHOWN_MAX {
        lines.push(format!("and {} others", recipients.len() - SHOWN_MAX));
    }
    Drawn { title: flow.published.name.clone(), lines, href: None }
}

fn percent(weight: u64, flow: &Flow) -> String {
    let whole: i128 = flow.published.recipients.iter().map(|one| i128::from(one.weight)).sum();
    Ratio::new(weight.into(), whole).map_or_else(String::new, Ratio::percent)
}
