//! Sizes as a picture: contract, path and line of source as rectangles, as large as they have bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use driver::{LineKind, LineSize, Sizes};

use super::treemap::{Rect, squarify};
use crate::svg::escaped;
use crate::units::grouped;

const WIDTH: u64 = 12_000;
const HEIGHT: u64 = 7_000;
/// The strip below, with the colours and what they mean.
const LEGEND: u64 = 420;
const MARGIN: u64 = 40;
/// The strip on top of a rectangle that holds others.
const TITLE: u64 = 220;
/// The height of a line of text, and how wide a character of it is.
const LINE: u64 = 170;
const LETTER: u64 = 76;

/// Light and dark colours of each kind.
const COLOURS: [(&str, &str); 6] = [
    ("#a9c9f5", "#2f5d95"),
    ("#f5b8a9", "#96452f"),
    ("#b6e0b4", "#3a7238"),
    ("#f3dc9c", "#806516"),
    ("#d3bdf0", "#60458a"),
    ("#d5d8dd", "#4d545e"),
];

/// The lines that the same paths run.
struct Group<'s> {
    name: String,
    lines: Vec<&'s LineSize>,
    bytes: u64,
}

/// Draws contracts. The colours follow the reader's light or dark scheme.
pub(super) fn draw(all: &[Sizes]) -> String {
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" font-family=\"sans-serif\" font-size=\"{}\">",
        HEIGHT + LEGEND,
        LINE * 3 / 4
    );
    style(&mut svg);
    svg.push_str("<rect class=\"back\" width=\"100%\" height=\"100%\"/>\n");
    let mut sorted: Vec<&Sizes> = all.iter().filter(|sizes| sizes.script > 0).collect();
    sorted.sort_by(|a, b| b.script.cmp(&a.script).then_with(|| a.contract.cmp(&b.contract)));
    let weights: Vec<u64> = sorted.iter().map(|sizes| sizes.script as u64).collect();
    let whole = Rect { x: 0, y: 0, width: WIDTH, height: HEIGHT };
    for (sizes, rect) in sorted.into_iter().zip(squarify(&weights, whole)) {
        contract(&mut svg, sizes, rect);
    }
    legend(&mut svg);
    svg.push_str("</svg>\n");
    svg
}

fn style(svg: &mut String) {
    let kinds = |pick: fn(&(&'static str, &'static str)) -> &'static str| {
        let rule = |(at, colours)| format!(".k{at} {{ fill: {} }}", pick(colours));
        COLOURS.iter().enumerate().map(rule).collect::<Vec<_>>().join(" ")
    };
    let _ = writeln!(
        svg,
        "<style>\n.back {{ fill: #ffffff }} .box {{ fill: #eceff3 }} .ink {{ fill: #14181d }} {}\n\
         rect {{ stroke: #ffffff; stroke-width: 12 }}\n\
         @media (prefers-color-scheme: dark) {{\n.back {{ fill: #0f1216 }} .box {{ fill: #20262d }} .ink {{ fill: #f0f3f6 }} {}\n\
         rect {{ stroke: #0f1216 }}\n}}\n</style>",
        kinds(|(light, _)| light),
        kinds(|(_, dark)| dark)
    );
}

fn contract(svg: &mut String, sizes: &Sizes, rect: Rect) {
    let bytes = grouped(sizes.script as u64);
    let title = format!("{} · {bytes} bytes", sizes.contract);
    boxed(svg, "box", rect, &title);
    label(svg, rect, 0, &title, true);
    let groups = groups(sizes);
    let weights: Vec<u64> = groups.iter().map(|group| group.bytes).collect();
    for (group, rect) in groups.iter().zip(squarify(&weights, rect.inside(MARGIN, TITLE))) {
        let title = format!("{} · {} bytes", group.name, grouped(group.bytes));
        boxed(svg, "box", rect, &title);
        label(svg, rect, 0, &title, false);
        let weights: Vec<u64> = group.lines.iter().map(|line| line.bytes as u64).collect();
        for (line, rect) in group.lines.iter().zip(squarify(&weights, rect.inside(MARGIN / 2, TITLE))) {
            cell(svg, sizes, line, rect);
        }
    }
}

/// The lines by the paths that run them, the largest group first.
fn groups(sizes: &Sizes) -> Vec<Group<'_>> {
    let mut by_paths: BTreeMap<&[String], Vec<&LineSize>> = BTreeMap::new();
    sizes
        .lines
        .iter()
        .filter(|line| line.bytes > 0)
        .for_each(|line| by_paths.entry(&line.paths).or_default().push(line));
    let mut groups: Vec<Group<'_>> = by_paths
        .into_iter()
        .map(|(paths, lines)| Group {
            name: named(paths, sizes.paths.len()),
            bytes: lines.iter().map(|line| line.bytes as u64).sum(),
            lines,
        })
        .collect();
    groups.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    groups
}

/// What a group of paths is called, of so many.
pub(super) fn named(paths: &[String], all: usize) -> String {
    match paths {
        [] => "no path".to_owned(),
        [only] => only.clone(),
        several if several.len() == all => "shared by all paths".to_owned(),
        several => format!("shared by {}", several.join(", ")),
    }
}

fn cell(svg: &mut String, sizes: &Sizes, line: &LineSize, rect: Rect) {
    let class = LineKind::ALL.iter().position(|kind| *kind == line.kind).unwrap_or(0);
    let share = line.bytes * 100 / sizes.script.max(1);
    let title = format!(
        "{}:{} · {} bytes, {share} % · {}\n{}\n{}",
        line.file,
        line.line,
        grouped(line.bytes as u64),
        line.kind.name(),
        line.text,
        named(&line.paths, sizes.paths.len())
    );
    boxed(svg, &format!("k{class}"), rect, &title);
    label(svg, rect, 0, &line.text, false);
    label(svg, rect, 1, &format!("{} bytes, line {}", grouped(line.bytes as u64), line.line), false);
}

fn boxed(svg: &mut String, class: &str, rect: Rect, title: &str) {
    let Rect { x, y, width, height } = rect;
    let title: Vec<String> = title.lines().map(escaped).collect();
    let _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"><title>{}</title></rect>",
        title.join("\n")
    );
}

/// Writes a line of text into a rectangle, as much of it as has room.
fn label(svg: &mut String, rect: Rect, line: u64, text: &str, is_bold: bool) {
    let room = usize::try_from(rect.width.saturating_sub(LETTER) / LETTER).unwrap_or(0);
    if room < 3 || rect.height < LINE * (line + 1) + MARGIN / 2 {
        return;
    }
    let short = match text.char_indices().nth(room) {
        Some(_) => text.chars().take(room - 1).chain(['…']).collect(),
        None => text.to_owned(),
    };
    let weight = if is_bold { " font-weight=\"bold\"" } else { "" };
    let (x, y) = (rect.x + LETTER / 2, rect.y + LINE * (line + 1) - MARGIN / 2);
    let _ = writeln!(svg, "<text class=\"ink\" x=\"{x}\" y=\"{y}\"{weight}>{}</text>", escaped(&short));
}

fn legend(svg: &mut String) {
    let step = WIDTH / LineKind::ALL.len() as u64;
    for (at, kind) in (0..).zip(LineKind::ALL) {
        let (x, y) = (step * at + MARGIN, HEIGHT + LEGEND / 3);
        let swatch = Rect { x, y, width: LINE, height: LINE };
        boxed(svg, &format!("k{at}"), swatch, kind.name());
        let text = Rect { x: x + LINE, width: step - LINE - MARGIN, height: 2 * LINE, ..swatch };
        label(svg, text, 0, kind.name(), false);
    }
}
