//! States and the ways from one to the next: boxes on a grid.

use super::{Picture, Side};

/// A state at its place on the grid.
pub(crate) struct State {
    pub(crate) column: usize,
    pub(crate) row: usize,
    pub(crate) title: String,
    pub(crate) lines: Vec<String>,
    /// Whether something ends here.
    pub(crate) end: bool,
}

/// A way from one state to another, by their places in the list.
pub(crate) struct Way {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) lines: Vec<String>,
}

const WIDTH: i128 = 184;
const HEIGHT: i128 = 84;
const GAP_X: i128 = 124;
const GAP_Y: i128 = 74;

pub(crate) fn draw(title: &str, states: &[State], ways: &[Way]) -> String {
    let mut picture = Picture::new();
    for way in ways {
        if let (Some(from), Some(to)) = (states.get(way.from), states.get(way.to)) {
            arrow(&mut picture, from, to, &way.lines);
        }
    }
    states.iter().for_each(|state| boxed(&mut picture, state));
    picture.finish(title)
}

fn corner(state: &State) -> (i128, i128) {
    (12 + state.column as i128 * (WIDTH + GAP_X), 14 + state.row as i128 * (HEIGHT + GAP_Y))
}

fn boxed(picture: &mut Picture, state: &State) {
    let (x, y) = corner(state);
    picture.rect((x, y), (WIDTH, HEIGHT), if state.end { "box end" } else { "box" });
    picture.text((x + 12, y + 22), Side::Left, "strong", &state.title, WIDTH - 20);
    for (at, line) in state.lines.iter().take(3).enumerate() {
        picture.text((x + 12, y + 41 + 16 * at as i128), Side::Left, "soft", line, WIDTH - 20);
    }
}

fn arrow(picture: &mut Picture, from: &State, to: &State, lines: &[String]) {
    let ((x1, y1), (x2, y2)) = (corner(from), corner(to));
    if from.row == to.row {
        let y = y1 + HEIGHT / 2;
        picture.arrow((x1 + WIDTH, y), (x2, y), "line");
        for (at, line) in lines.iter().rev().enumerate() {
            let place = (x1 + WIDTH + GAP_X / 2, y - 8 - 15 * at as i128);
            picture.text(
                place,
                Side::Middle,
                if at + 1 == lines.len() { "label strong" } else { "label" },
                line,
                GAP_X - 12,
            );
        }
        return;
    }
    // Down to the row below: each state has its own way, those of one target side by side.
    let x = x1 + WIDTH / 2;
    if x1 == x2 {
        picture.arrow((x, y1 + HEIGHT), (x, y2), "line");
    } else {
        let side = if x1 < x2 { x2 } else { x2 + WIDTH };
        let y = y2 + HEIGHT / 2;
        picture.path(&format!("M{x} {} V{y} H{side}", y1 + HEIGHT), "line");
        let back = if x1 < x2 { side - 8 } else { side + 8 };
        picture.path(&format!("M{side} {y} L{back} {} L{back} {} Z", y - 5, y + 5), "head");
    }
    for (at, line) in lines.iter().enumerate() {
        let place = (x + 10, y1 + HEIGHT + 26 + 15 * at as i128);
        picture.text(place, Side::Left, if at == 0 { "label strong" } else { "label" }, line, WIDTH / 2 + GAP_X - 14);
    }
}
