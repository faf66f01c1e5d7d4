//! The figures as a picture: a bar for each opcode, on a logarithmic scale.

use std::fmt::Write as _;

use spec::RuleSet;

use super::{TIMES_MAX, Table, page};

const ROW: u64 = 13;
const TOP: u64 = 46;
const LEFT: u64 = 210;
/// A doubling.
const STEP: u64 = 46;
/// The scale begins at 1/256 and ends at 16.
const BELOW: u64 = 8;
const ABOVE: u64 = 4;

/// The picture of all tables, one bar for each of them.
pub(super) fn svg(tables: &[Table]) -> String {
    let rows = rows(tables);
    let width = LEFT + (BELOW + ABOVE) * STEP + 20;
    let height = TOP + rows.len() as u64 * ROW + 24;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"10\">\n\
         <title>How long a unit of cost takes, in times a signature check</title>\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    legend(&mut out);
    for power in 0..=BELOW + ABOVE {
        let x = LEFT + power * STEP;
        let label = if power < BELOW {
            format!("1/{}", 1u64 << (BELOW - power))
        } else {
            (1u64 << (power - BELOW)).to_string()
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "<path d=\"M{x} {TOP} V{}\" stroke=\"#dddddd\"/><text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" fill=\"#555555\">{label}</text>",
            height - 20,
            height - 8
        );
    }
    let limit = at(TIMES_MAX * 1_000);
    let _ = writeln!(
        out,
        "<path d=\"M{limit} {} V{}\" stroke=\"#aa3333\" stroke-dasharray=\"4 3\"/><text x=\"{}\" y=\"{}\" fill=\"#aa3333\">{}</text>",
        TOP - 8,
        height - 20,
        limit + 4,
        TOP - 4,
        page::limit()
    );
    for (number, (name, times)) in rows.iter().enumerate() {
        let y = TOP + number as u64 * ROW;
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"#222222\">{name}</text>",
            LEFT - 6,
            y + 9
        );
        for (set, milli) in times {
            let (offset, colour) = look(*set);
            let width = at(*milli) - LEFT;
            let _ = writeln!(
                out,
                "<rect x=\"{LEFT}\" y=\"{}\" width=\"{width}\" height=\"4\" fill=\"{colour}\"/>",
                y + offset
            );
        }
    }
    out + "</svg>\n"
}

const fn look(set: RuleSet) -> (u64, &'static str) {
    match set {
        RuleSet::Bch2026 => (1, "#99aabb"),
        RuleSet::Bitmodel => (6, "#3366aa"),
    }
}

fn legend(out: &mut String) {
    for (place, (set, name)) in
        [(RuleSet::Bch2026, "Bitcoin Cash"), (RuleSet::Bitmodel, "our rules")].into_iter().enumerate()
    {
        let x = LEFT + place as u64 * 120;
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"12\" width=\"14\" height=\"8\" fill=\"{}\"/><text x=\"{}\" y=\"20\" fill=\"#222222\">{name}</text>",
            look(set).1,
            x + 20
        );
    }
}

/// Each opcode with how many thousandths of a signature's time it takes, by rule set.
fn rows(tables: &[Table]) -> Vec<(&'static str, Vec<(RuleSet, u128)>)> {
    let mut rows: Vec<(&'static str, Vec<(RuleSet, u128)>)> = Vec::new();
    for table in tables {
        let signature = table.signature();
        for row in table.worst() {
            let (name, milli) = (row.shape.opcode.name(), row.worst() * 1_000 / signature);
            match rows.iter_mut().find(|(of, _)| *of == name) {
                Some((_, times)) => times.push((table.set, milli)),
                None => rows.push((name, vec![(table.set, milli)])),
            }
        }
    }
    rows
}

/// Where so many thousandths are on the scale.
fn at(milli: u128) -> u64 {
    let unit = 1_000 << 8;
    // In units of 1/256 of one, so that the logarithm is not negative; its fraction is taken as linear.
    let scaled = (milli << (BELOW + 8)).max(unit) / 1_000;
    let whole = u64::from(scaled.ilog2()).saturating_sub(8);
    let rest = u64::try_from((scaled >> whole) - 256).unwrap_or(0);
    LEFT + (whole * STEP + rest * STEP / 256).min((BELOW + ABOVE) * STEP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_doubles() {
        assert_eq!(at(1_000), LEFT + BELOW * STEP);
        assert_eq!(at(2_000), LEFT + (BELOW + 1) * STEP);
        assert_eq!(at(500), LEFT + (BELOW - 1) * STEP);
        assert_eq!(at(1_500), LEFT + BELOW * STEP + STEP / 2);
        assert_eq!((at(0), at(1_000_000)), (LEFT, LEFT + (BELOW + ABOVE) * STEP));
    }
}
