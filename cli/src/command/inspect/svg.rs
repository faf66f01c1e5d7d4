//! A picture of a transaction: inputs on the left, outputs on the right, and between them bands as wide as what they carry.

use std::fmt::Write as _;

use super::look::{Looked, Output};
use crate::svg::escaped;
use crate::units::grouped;

const BOX_WIDTH: usize = 300;
const BOX_HEIGHT: usize = 52;
const GAP: usize = 14;
const TOP: usize = 56;
const LEFT: usize = 16;
const MIDDLE: usize = 200;
/// The height of the widest band.
const BAND_MAX: u128 = 40;
/// So many inputs and outputs are drawn.
const SHOWN_MAX: usize = 60;

/// A box: what it says, and how much it carries.
struct Side {
    title: String,
    lines: [String; 2],
    sats: Option<u64>,
    color: &'static str,
}

pub(super) fn draw(tx: &Looked) -> String {
    let (left, right) = (inputs(tx), outputs(tx));
    let rows = left.len().max(right.len());
    let (width, height) = (2 * (LEFT + BOX_WIDTH) + MIDDLE, TOP + rows * (BOX_HEIGHT + GAP) + LEFT);
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-weight=\"bold\">{}</text>\n\
         <text x=\"{LEFT}\" y=\"40\" fill=\"#555\">{}</text>\n",
        escaped(&tx.txid),
        escaped(&facts(tx)),
    );
    let most = left.iter().chain(&right).filter_map(|side| side.sats).max().unwrap_or(0).max(1);
    let joint = (LEFT + BOX_WIDTH + MIDDLE / 2, TOP + (rows * (BOX_HEIGHT + GAP)).saturating_sub(GAP) / 2);
    for (row, side) in left.iter().enumerate() {
        band(&mut svg, (LEFT + BOX_WIDTH, middle(row)), joint, thickness(side, most));
    }
    for (row, side) in right.iter().enumerate() {
        band(&mut svg, joint, (LEFT + BOX_WIDTH + MIDDLE, middle(row)), thickness(side, most));
    }
    left.iter().enumerate().for_each(|(row, side)| boxed(&mut svg, LEFT, row, side));
    right.iter().enumerate().for_each(|(row, side)| boxed(&mut svg, LEFT + BOX_WIDTH + MIDDLE, row, side));
    svg.push_str("</svg>\n");
    svg
}

fn facts(tx: &Looked) -> String {
    let fee = tx.fee_sats.map(|fee| format!(", fee {} sats", grouped(fee))).unwrap_or_default();
    format!("{} bytes{fee}", grouped(tx.bytes as u64))
}

fn inputs(tx: &Looked) -> Vec<Side> {
    let mut all: Vec<Side> = tx
        .inputs
        .iter()
        .take(SHOWN_MAX)
        .map(|input| {
            let contract = input.redeem.as_ref().and_then(|redeem| redeem.contract.clone());
            let contract = contract.or_else(|| input.coin.as_ref().and_then(|coin| coin.lock.contract.clone()));
            let title = match (contract, &input.path) {
                (Some(contract), Some(path)) => format!("{contract}.{path}"),
                (Some(contract), None) => contract,
                (None, _) => input.outpoint.clone().unwrap_or_else(|| "new coins".to_owned()),
            };
            let coin = input.coin.as_ref();
            Side {
                title,
                lines: [coin.map(whom).unwrap_or_default(), coin.map(amount).unwrap_or_default()],
                sats: coin.map(|coin| coin.sats),
                color: "#e8f0fe",
            }
        })
        .collect();
    cut(&mut all, tx.inputs.len());
    all
}

fn outputs(tx: &Looked) -> Vec<Side> {
    let mut all: Vec<Side> = tx
        .outputs
        .iter()
        .take(SHOWN_MAX)
        .enumerate()
        .map(|(index, output)| Side {
            title: output.lock.contract.clone().unwrap_or_else(|| format!("output {index}")),
            lines: [whom(output), amount(output)],
            sats: Some(output.sats),
            color: "#e6f4ea",
        })
        .collect();
    cut(&mut all, tx.outputs.len());
    if let Some(fee) = tx.fee_sats.and_then(|fee| u64::try_from(fee).ok()) {
        let lines = ["to whoever mines it".to_owned(), format!("{} sats", grouped(fee))];
        all.push(Side { title: "fee".to_owned(), lines, sats: Some(fee), color: "#fef7e0" });
    }
    all
}

/// Says how many are left out.
fn cut(all: &mut Vec<Side>, count: usize) {
    let more = count.saturating_sub(all.len());
    if more > 0 {
        let title = format!("and {} more", grouped(more as u64));
        all.push(Side { title, lines: [String::new(), String::new()], sats: None, color: "#f1f3f4" });
    }
}

fn whom(output: &Output) -> String {
    output.address.clone().unwrap_or_else(|| output.lock.kind.to_owned())
}

fn amount(output: &Output) -> String {
    let token = output.token.as_ref().map(|token| {
        let short: String = token.category.chars().take(8).collect();
        let nft = token.capability.map(|capability| format!(", {capability}")).unwrap_or_default();
        format!(" + {} of {short}…{nft}", token.amount)
    });
    format!("{} sats{}", grouped(output.sats), token.unwrap_or_default())
}

const fn middle(row: usize) -> usize {
    TOP + row * (BOX_HEIGHT + GAP) + BOX_HEIGHT / 2
}

fn thickness(side: &Side, most: u64) -> u128 {
    side.sats.map_or(1, |sats| (u128::from(sats) * BAND_MAX / u128::from(most)).max(1))
}

fn band(svg: &mut String, (x1, y1): (usize, usize), (x2, y2): (usize, usize), thickness: u128) {
    let between = usize::midpoint(x1, x2);
    let _ = writeln!(
        svg,
        "<path d=\"M{x1} {y1} C{between} {y1} {between} {y2} {x2} {y2}\" fill=\"none\" stroke=\"#9db8e8\" stroke-opacity=\"0.6\" stroke-width=\"{thickness}\"/>"
    );
}

fn boxed(svg: &mut String, x: usize, row: usize, side: &Side) {
    let y = TOP + row * (BOX_HEIGHT + GAP);
    let fit = |text: &str| -> String {
        const SHOWN: usize = 46;
        if text.chars().count() <= SHOWN {
            text.to_owned()
        } else {
            text.chars().take(SHOWN - 1).chain(['…']).collect()
        }
    };
    let [first, second] = &side.lines;
    let _ = write!(
        svg,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" rx=\"6\" fill=\"{}\" stroke=\"#888\"/>\n\
         <text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text>\n\
         <text x=\"{}\" y=\"{}\" fill=\"#555\" font-size=\"10\">{}</text>\n\
         <text x=\"{}\" y=\"{}\">{}</text>\n",
        side.color,
        x + 8,
        y + 16,
        escaped(&fit(&side.title)),
        x + 8,
        y + 30,
        escaped(&fit(first)),
        x + 8,
        y + 45,
        escaped(&fit(second)),
    );
}
