//! What leads from the left to the right: the ways to spend a coin, and what a transaction takes and makes.

use super::{Picture, Side};

/// A way to spend a coin.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) href: String,
    /// What it takes: keys, times.
    pub(crate) needs: String,
    /// What becomes of the coin.
    pub(crate) outcome: &'static str,
}

const BOX: i128 = 190;
const ROW: i128 = 52;
const MIDDLE: i128 = 330;

/// Draws the ways to spend the coins of a contract.
pub(crate) fn ways(title: &str, contract: &str, lines: &[String], rows: &[Row]) -> String {
    let mut picture = Picture::new();
    let height = (rows.len() as i128 * ROW).max(60 + lines.len() as i128 * 16);
    picture.rect((12, 12), (BOX, height), "box");
    picture.text((24, 34), Side::Left, "strong", contract, BOX - 20);
    for (at, line) in lines.iter().enumerate() {
        picture.text((24, 54 + 16 * at as i128), Side::Left, "soft", line, BOX - 20);
    }
    let mut y = 12 + (height - rows.len() as i128 * ROW) / 2 + ROW / 2;
    for row in rows {
        let (start, end) = (12 + BOX, 12 + BOX + MIDDLE);
        picture.arrow((start, y), (end, y), "line");
        picture.link(Some(&row.href), |picture| {
            picture.text((start + MIDDLE / 2, y - 8), Side::Middle, "label strong", &row.name, MIDDLE - 30);
        });
        picture.text((start + MIDDLE / 2, y + 16), Side::Middle, "label", &row.needs, MIDDLE - 20);
        picture.rect((end, y - 17), (BOX, 34), if row.outcome == CONTINUES { "box" } else { "box end" });
        picture.text((end + BOX / 2, y + 4), Side::Middle, "", row.outcome, BOX - 10);
        y += ROW;
    }
    picture.finish(title)
}

/// What becomes of a coin whose state lives on.
pub(crate) const CONTINUES: &str = "the state goes on";

/// Something that a transaction takes or makes: its name, and what is said of it.
pub(crate) struct Flow {
    pub(crate) name: String,
    pub(crate) note: String,
    pub(crate) href: Option<String>,
}

const WIDE: i128 = 270;
const TALL: i128 = 46;
const STEP: i128 = TALL + 12;
const HUB: i128 = 110;
const REACH: i128 = 70;

/// Draws a transaction.
pub(crate) fn transaction(title: &str, inputs: &[Flow], outputs: &[Flow]) -> String {
    let mut picture = Picture::new();
    let rows = inputs.len().max(outputs.len()).max(1) as i128;
    let middle = 12 + rows * STEP / 2 - 6;
    let hub = 12 + WIDE + REACH;
    for (list, x, left) in [(inputs, 12, true), (outputs, hub + HUB + REACH, false)] {
        let top = 12 + (rows - list.len() as i128) * STEP / 2;
        for (at, one) in list.iter().enumerate() {
            let y = top + at as i128 * STEP;
            let (from, to) =
                if left { ((x + WIDE, y + TALL / 2), (hub, middle)) } else { ((hub + HUB, middle), (x, y + TALL / 2)) };
            picture.arrow(from, to, "line");
            picture.rect((x, y), (WIDE, TALL), "box");
            picture.link(one.href.as_deref(), |picture| {
                picture.text((x + 10, y + 19), Side::Left, "strong", &one.name, WIDE - 20);
            });
            picture.text((x + 10, y + 36), Side::Left, "soft", &one.note, WIDE - 20);
        }
    }
    picture.rect((hub, middle - 18), (HUB, 36), "box end");
    picture.text((hub + HUB / 2, middle + 4), Side::Middle, "strong", "transaction", HUB - 8);
    picture.finish(title)
}
