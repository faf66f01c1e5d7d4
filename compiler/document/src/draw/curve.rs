//! How the supply of a token is divided, and what a token costs.

use super::{Picture, Side};
use crate::shares::{Part, of_length, told};

/// A part of a supply.
pub(crate) struct Allocation {
    pub(crate) name: String,
    pub(crate) part: Part,
    /// How many tokens that are, and what becomes of them.
    pub(crate) note: String,
}

const WIDTH: i128 = 640;
/// So many colours tell parts apart.
const COLOURS: usize = 6;

/// Draws a supply as one bar.
pub(crate) fn supply(title: &str, parts: &[Allocation]) -> String {
    let mut picture = Picture::new();
    let mut x = 12;
    for (at, one) in parts.iter().enumerate() {
        let wide = of_length(one.part, WIDTH).max(2);
        let colour = at % COLOURS;
        picture.rect((x, 12), (wide, 34), &format!("part p{colour}"));
        x += wide;
        let y = 74 + 22 * at as i128;
        picture.rect((12, y - 11), (12, 12), &format!("part p{colour}"));
        let (fraction, percent) = told(one.part);
        picture.text((34, y), Side::Left, "strong", &one.name, 130);
        picture.text((170, y), Side::Left, "", &format!("{percent} · {fraction}"), 150);
        picture.text((330, y), Side::Left, "soft", &one.note, WIDTH - 310);
    }
    picture.finish(title)
}

/// What a token costs as something grows.
pub(crate) struct Curve {
    /// What grows: tokens sold, blocks.
    pub(crate) along: &'static str,
    /// The form of the line.
    pub(crate) form: Form,
    /// The price where the line begins, and where it ends.
    pub(crate) prices: (String, String),
    /// What stands below the beginning and below the end.
    pub(crate) ends: (String, String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Flat,
    Falling,
    Rising,
}

/// Draws a price.
pub(crate) fn price(title: &str, curve: &Curve) -> String {
    let mut picture = Picture::new();
    let (left, right, top, bottom) = (120, 440, 24, 164);
    let (low, high) = (bottom - 24, top + 16);
    let (points, begin, end) = match curve.form {
        Form::Flat => (format!("M{left} 94 H{right}"), 94, 94),
        Form::Falling => {
            let (from, to) = (left + 50, right - 60);
            (format!("M{left} {high} H{from} L{to} {low} H{right}"), high, low)
        }
        Form::Rising => (format!("M{left} {low} L{right} {high}"), low, high),
    };
    if curve.form == Form::Falling {
        picture.path(&format!("M{} {high} V{bottom} M{} {low} V{bottom}", left + 50, right - 60), "guide");
    }
    picture.path(&format!("M{left} {top} V{bottom} H{right}"), "axis");
    picture.path(&points, "curve");
    picture.text((left - 8, begin + 4), Side::Right, "", &curve.prices.0, 110);
    if begin != end {
        picture.text((right + 8, end + 4), Side::Left, "", &curve.prices.1, 200);
    }
    let begin_x = if curve.form == Form::Falling { left + 50 } else { left };
    let end_x = if curve.form == Form::Falling { right - 60 } else { right };
    picture.text((begin_x, bottom + 18), Side::Middle, "soft", &curve.ends.0, 150);
    picture.text((end_x, bottom + 18), Side::Middle, "soft", &curve.ends.1, 200);
    picture.text((i128::midpoint(left, right), bottom + 36), Side::Middle, "soft", curve.along, 300);
    picture.text((left, top - 10), Side::Middle, "soft", "price of a token", 200);
    picture.finish(title)
}
