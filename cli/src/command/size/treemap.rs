//! Rectangles whose areas are as given numbers, none of them much longer than wide.
//!
//! The algorithm is that of Bruls, Huizing and van Wijk, *Squarified Treemaps* (2000), in whole numbers: items, the
//! largest first, are laid into a row along the shorter side for as long as that makes the longest rectangle of the
//! row no longer; then the next row takes what is left.

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rect {
    pub(crate) x: u64,
    pub(crate) y: u64,
    pub(crate) width: u64,
    pub(crate) height: u64,
}

impl Rect {
    /// What is left inside of a margin, with a wider one on top.
    pub(crate) const fn inside(self, margin: u64, top: u64) -> Self {
        Self {
            x: self.x + margin,
            y: self.y + top,
            width: self.width.saturating_sub(2 * margin),
            height: self.height.saturating_sub(margin + top),
        }
    }
}

/// A rectangle for each weight, in order; the weights are in descending order. Together they fill `around`.
pub(crate) fn squarify(weights: &[u64], around: Rect) -> Vec<Rect> {
    let mut found = Vec::with_capacity(weights.len());
    let mut left = weights;
    let mut around = around;
    while !left.is_empty() {
        let count = row_len(left, around);
        let (row, rest) = left.split_at(count);
        let (laid, remaining) = lay(row, rest.iter().sum(), around);
        found.extend(laid);
        (left, around) = (rest, remaining);
    }
    found
}

/// How many of the first weights the next row takes.
fn row_len(weights: &[u64], around: Rect) -> usize {
    let total: u64 = weights.iter().sum();
    let side = around.width.min(around.height);
    // The length of a rectangle over its width is `side² · weight · area / (row² · total)`, or one over that.
    let scale = u128::from(side) * u128::from(side) * u128::from(total);
    let area = u128::from(around.width) * u128::from(around.height);
    let longest = |row: &[u64]| {
        let sum: u128 = row.iter().copied().map(u128::from).sum();
        let [most, least] = [row.first(), row.last()].map(|weight| u128::from(weight.copied().unwrap_or(1).max(1)));
        let wide = ratio(scale * most, sum * sum * area);
        let thin = ratio(sum * sum * area, scale * least);
        wide.max(thin)
    };
    let mut count = 1;
    while let (Some(row), Some(longer)) = (weights.get(..count), weights.get(..=count)) {
        if longest(longer) > longest(row) {
            break;
        }
        count += 1;
    }
    count
}

/// In thousandths.
fn ratio(top: u128, bottom: u128) -> u128 {
    top.saturating_mul(1_000) / bottom.max(1)
}

/// Lays a row along the shorter side; what is left of the rectangle is for the others, which weigh `rest`.
fn lay(row: &[u64], rest: u64, around: Rect) -> (Vec<Rect>, Rect) {
    let sum: u64 = row.iter().sum();
    let part = |length: u64, of: u64, whole: u64| {
        let part = u128::from(length) * u128::from(of) / u128::from(whole.max(1));
        u64::try_from(part).unwrap_or(length)
    };
    let Rect { x, y, width, height } = around;
    let is_wide = width >= height;
    let depth = if rest == 0 { width.max(height) } else { part(width.max(height), sum, sum + rest) };
    let (side, mut before) = (width.min(height), 0);
    let mut laid = Vec::with_capacity(row.len());
    for weight in row {
        let (from, to) = (part(side, before, sum), part(side, before + weight, sum));
        before += weight;
        laid.push(match is_wide {
            true => Rect { x, y: y + from, width: depth, height: to - from },
            false => Rect { x: x + from, y, width: to - from, height: depth },
        });
    }
    let remaining = match is_wide {
        true => Rect { x: x + depth, width: width - depth, ..around },
        false => Rect { y: y + depth, height: height - depth, ..around },
    };
    (laid, remaining)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(rect: &Rect) -> u64 {
        rect.width * rect.height
    }

    #[test]
    fn areas_are_as_the_weights_and_fill_the_rectangle() {
        let around = Rect { x: 10, y: 20, width: 12_000, height: 7_000 };
        for weights in [&[6, 6, 4, 3, 2, 2, 1][..], &[1], &[100, 1, 1, 1], &[5; 40], &[9, 0, 0]] {
            let rects = squarify(weights, around);
            assert_eq!(rects.len(), weights.len());
            let total: u64 = weights.iter().sum();
            for (rect, weight) in rects.iter().zip(weights) {
                let fair = area(&around) * weight / total;
                assert!(area(rect).abs_diff(fair) <= area(&around) / 500, "{weights:?}: {rect:?} for {fair}");
                assert!(rect.x >= 10 && rect.y >= 20);
                assert!(rect.x + rect.width <= 12_010 && rect.y + rect.height <= 7_020, "{rect:?}");
            }
            assert_eq!(rects.iter().map(area).sum::<u64>(), area(&around), "{weights:?}");
            for (at, a) in rects.iter().enumerate() {
                let apart = |b: &Rect| {
                    a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
                };
                assert!(rects.iter().skip(at + 1).all(apart), "{weights:?}");
            }
        }
    }

    #[test]
    fn the_example_of_the_paper_comes_out_as_it_stands_there() {
        let rects = squarify(&[6, 6, 4, 3, 2, 2, 1], Rect { x: 0, y: 0, width: 600, height: 400 });
        let expected = [(0, 0, 300, 200), (0, 200, 300, 200), (300, 0, 171, 233), (471, 0, 129, 233)];
        for (rect, (x, y, width, height)) in rects.iter().zip(expected) {
            assert_eq!((rect.x, rect.y, rect.width, rect.height), (x, y, width, height));
        }
    }

    #[test]
    fn nothing_takes_no_room() {
        let none = Rect { x: 0, y: 0, width: 0, height: 0 };
        assert_eq!(squarify(&[], none), []);
        assert_eq!(squarify(&[0, 0], none), [none, none]);
    }
}
