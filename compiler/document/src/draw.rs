//! Drawings: what a declaration does, as scalable pictures in a page.
//!
//! They take their colours from the page; where there is none, they bring some along.

pub(crate) mod curve;
pub(crate) mod graph;
pub(crate) mod reward;
pub(crate) mod states;
pub(crate) mod steps;

use std::fmt::Write as _;

use crate::markup::escaped;

/// A picture that is being drawn. Lengths are in units that are a pixel where nothing is scaled.
pub(crate) struct Picture {
    body: String,
    width: i128,
    height: i128,
}

/// Which side of a text stands at its place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Middle,
    Right,
}

impl Picture {
    pub(crate) const fn new() -> Self {
        Self { body: String::new(), width: 0, height: 0 }
    }

    fn covers(&mut self, x: i128, y: i128) {
        self.width = self.width.max(x);
        self.height = self.height.max(y);
    }

    /// A line of text, cut where it would be wider than `room`.
    pub(crate) fn text(&mut self, (x, y): (i128, i128), side: Side, class: &str, text: &str, room: i128) {
        let anchor = match side {
            Side::Left => "",
            Side::Middle => " text-anchor=\"middle\"",
            Side::Right => " text-anchor=\"end\"",
        };
        let shown = fitting(text, room / width_of(class));
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "<text x=\"{x}\" y=\"{y}\"{anchor} class=\"{class}\">{}</text>", escaped(&shown));
        let wide = (shown.chars().count() as i128 * width_of(class)).min(room);
        match side {
            Side::Left => self.covers(x + wide, y + 8),
            Side::Middle => self.covers(x + wide / 2, y + 8),
            Side::Right => self.covers(x, y + 8),
        }
    }

    pub(crate) fn rect(&mut self, (x, y): (i128, i128), (width, height): (i128, i128), class: &str) {
        let _ = writeln!(
            self.body,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"5\" class=\"{class}\"/>"
        );
        self.covers(x + width, y + height);
    }

    pub(crate) fn path(&mut self, d: &str, class: &str) {
        let _ = writeln!(self.body, "<path d=\"{d}\" class=\"{class}\"/>");
    }

    /// A line with a head at its end.
    pub(crate) fn arrow(&mut self, from: (i128, i128), to: (i128, i128), class: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let middle = i128::midpoint(x1, x2);
        let d = match (x1 == x2, y1 == y2) {
            (true, _) | (_, true) => format!("M{x1} {y1} L{x2} {y2}"),
            _ => format!("M{x1} {y1} C{middle} {y1} {middle} {y2} {x2} {y2}"),
        };
        self.path(&d, class);
        let head = if x1 == x2 {
            let back = if y2 > y1 { y2 - 8 } else { y2 + 8 };
            format!("M{x2} {y2} L{} {back} L{} {back} Z", x2 - 5, x2 + 5)
        } else {
            format!("M{x2} {y2} L{} {} L{} {} Z", x2 - 8, y2 - 5, x2 - 8, y2 + 5)
        };
        self.path(&head, "head");
    }

    pub(crate) fn link(&mut self, href: Option<&str>, draw: impl FnOnce(&mut Self)) {
        let Some(href) = href else { return draw(self) };
        let _ = writeln!(self.body, "<a href=\"{}\">", escaped(href));
        draw(self);
        self.body.push_str("</a>\n");
    }

    /// The picture, as wide as what was drawn. `title` says in words what it shows.
    pub(crate) fn finish(self, title: &str) -> String {
        let (width, height) = (self.width + MARGIN, self.height + MARGIN);
        // A page may make it smaller as long as it can be read.
        let wide = if width > WIDE { " class=\"wide\"" } else { "" };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\"{wide} role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n{}</svg>\n",
            self.body,
            title = escaped(title),
        )
    }
}

const MARGIN: i128 = 12;
const WIDE: i128 = 760;
/// About as wide as a character of this class is.
fn width_of(class: &str) -> i128 {
    if matches!(class, "soft" | "label") { 6 } else { 7 }
}

/// A text that is cut where it has more characters than there is room for.
fn fitting(text: &str, most: i128) -> String {
    let most = usize::try_from(most).unwrap_or(0);
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() <= most {
        return one_line;
    }
    one_line.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// What a picture looks like where no page gives it colours.
const STYLE: &str = "text{font:13px sans-serif;fill:#222}.strong{font-weight:bold}.label,.soft{fill:#5d6570;font-size:12px}\
.box{fill:#f4f6fa;stroke:#4e79a7}.end{fill:#f2ede2;stroke:#999}.line{fill:none;stroke:#f28e2b;stroke-width:2}.head{fill:#f28e2b}";

/// A picture as a file of its own.
///
/// ```
/// let svg = document::alone(&document::graph("nothing", &[], &[]));
/// assert!(svg.contains("<style>") && svg.contains("fill=\"#fff\""));
/// ```
#[must_use]
pub fn alone(svg: &str) -> String {
    // What is drawn first lies below all else.
    let (before, after) = svg.split_once("</title>").unwrap_or((svg, ""));
    format!("{before}</title>\n<style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>{after}")
}
