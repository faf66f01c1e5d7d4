//! The flow of money as a picture: the pot on the left, a band for each source, as thick as its share.

use std::fmt::Write as _;

use crate::svg::escaped;
use crate::units::grouped;

use super::story::Story;

const WIDTH: u64 = 860;
const TOP: u64 = 56;
const BAND_HEIGHTS: u64 = 320;
const GAP: u64 = 26;
const LEFT: u64 = 120;
const RIGHT: u64 = 470;
const COLORS: [&str; 8] = ["#4e79a7", "#f28e2b", "#59a14f", "#b07aa1", "#e15759", "#76b7b2", "#edc948", "#9c755f"];

/// Draws the story.
pub(crate) fn draw(story: &Story) -> String {
    let pot = story.pot_sats.get().max(1);
    let height = TOP + BAND_HEIGHTS + GAP * story.shares.len() as u64 + 40;
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"20\" y=\"28\" font-size=\"17\" font-weight=\"bold\">{} divides {} coin</text>\n\
         <rect x=\"{}\" y=\"{TOP}\" width=\"16\" height=\"{BAND_HEIGHTS}\" fill=\"#333\"/>\n\
         <text x=\"20\" y=\"{}\">pot</text>\n",
        escaped(&story.contract),
        story.pot_sats,
        LEFT - 16,
        TOP + BAND_HEIGHTS / 2,
    );
    let (mut left, mut right) = (TOP, TOP);
    for (share, color) in story.shares.iter().zip(COLORS.iter().cycle()) {
        let thick = scaled(share.sats.get(), pot);
        band(&mut svg, left, right, thick, color);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\"><tspan font-weight=\"bold\">{}</tspan> {} = {} sats</text>",
            RIGHT + 14,
            right + thick / 2 + 5,
            escaped(&share.source),
            escaped(&share.percent),
            grouped(share.sats.get()),
        );
        left += thick;
        right += thick + GAP;
    }
    let fee = format!("fee {} sats, block {}", story.settlement.fee_sats.get(), story.settlement.mined.height);
    let _ = writeln!(svg, "<text x=\"20\" y=\"{}\" fill=\"#666\">{fee}</text>\n</svg>", height - 16);
    svg
}

fn scaled(sats: u64, pot: u64) -> u64 {
    let wide = u128::from(sats) * u128::from(BAND_HEIGHTS) / u128::from(pot);
    u64::try_from(wide).unwrap_or(BAND_HEIGHTS).max(1)
}

/// A band from the pot to its label, bent like a river.
fn band(svg: &mut String, left: u64, right: u64, thick: u64, color: &str) {
    let middle = LEFT.midpoint(RIGHT);
    let _ = writeln!(
        svg,
        "<path d=\"M{LEFT} {left} C{middle} {left} {middle} {right} {RIGHT} {right} V{} C{middle} {} {middle} {} {LEFT} {} Z\" fill=\"{color}\" fill-opacity=\"0.75\"/>",
        right + thick,
        right + thick,
        left + thick,
        left + thick,
    );
}
