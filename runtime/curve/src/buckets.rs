//! Points in buckets, and their sums.

use crate::field::Field;
use crate::point::Point;

/// Points that lie bucket by bucket.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    /// How many points each bucket holds.
    lens: Vec<u32>,
    points: Vec<Point>,
    /// Kept from round to round and from filling to filling, so that only the first asks for memory.
    spare: Vec<Point>,
    links: Vec<Link>,
    places: Vec<u32>,
}

/// How two points are added.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// They differ in x.
    Chord,
    /// They are equal.
    Tangent,
    /// They are opposite, and their sum is the point at infinity.
    Vertical,
}

/// A pair's part of the division that a round shares.
#[derive(Clone, Copy, Debug)]
struct Link {
    line: Line,
    divisor: Field,
    /// The product of the divisors of all pairs behind it.
    behind: Field,
}

impl Buckets {
    /// Makes so many buckets and puts the points into theirs; each point says whether its negative is meant. The points are
    /// asked for twice, first for nothing but their buckets.
    pub(crate) fn fill<'p, I>(&mut self, count: usize, points: impl Fn() -> I)
    where
        I: Iterator<Item = (usize, bool, &'p Point)>,
    {
        self.lens.clear();
        self.lens.resize(count, 0);
        // Not with `for`, which is slower over chains of iterators.
        points().for_each(|(bucket, ..)| {
            if let Some(len) = self.lens.get_mut(bucket) {
                *len += 1;
            }
        });
        let mut sum = 0;
        self.places.clear();
        self.places.extend(self.lens.iter().map(|len| {
            sum += len;
            sum - len
        }));
        self.points.resize(sum as usize, Point::GENERATOR);
        points().for_each(|(bucket, negated, point)| {
            if let Some(next) = self.places.get_mut(bucket)
                && let Some(place) = self.points.get_mut(*next as usize)
            {
                *place = if negated { point.negate() } else { *point };
                *next += 1;
            }
        });
    }

    /// In each bucket adds the second point to the first, the fourth to the third and so on. `false` if there was no second.
    pub(crate) fn halve(&mut self) -> bool {
        let product = self.link();
        if self.links.is_empty() {
            return false;
        }
        self.join(product.invert());
        true
    }

    /// Goes through all pairs from the last to the first, and gives the product of their divisors.
    fn link(&mut self) -> Field {
        self.links.clear();
        let mut behind = Field::ONE;
        let mut rest = self.points.as_slice();
        for len in self.lens.iter().rev() {
            let Some((others, bucket)) = rest.split_at_checked(rest.len() - *len as usize) else { continue };
            for [a, b] in bucket.as_chunks().0.iter().rev() {
                let (line, divisor) = line(a, b);
                self.links.push(Link { line, divisor, behind });
                behind = behind.mul(&divisor);
            }
            rest = others;
        }
        behind
    }

    /// Replaces all pairs by their sums, from the first to the last. `inverse` is that of the product of their divisors.
    fn join(&mut self, mut inverse: Field) {
        self.spare.clear();
        let mut rest = self.points.as_slice();
        for len in &mut self.lens {
            let Some((bucket, others)) = rest.split_at_checked(*len as usize) else { continue };
            let before = self.spare.len();
            let (pairs, single) = bucket.as_chunks();
            for ([a, b], link) in pairs.iter().zip(std::iter::from_fn(|| self.links.pop())) {
                self.spare.extend(sum(a, b, link.line, &inverse.mul(&link.behind)));
                inverse = inverse.mul(&link.divisor);
            }
            self.spare.extend(single);
            *len = (self.spare.len() - before) as u32;
            rest = others;
        }
        std::mem::swap(&mut self.points, &mut self.spare);
    }

    /// Cuts the buckets into groups of so many: their lengths, and their points.
    pub(crate) fn groups(&self, each: usize) -> impl Iterator<Item = (&[u32], &[Point])> {
        let mut points = self.points.as_slice();
        self.lens.chunks(each.max(1)).map_while(move |lens| {
            let (held, others) = points.split_at_checked(lens.iter().sum::<u32>() as usize)?;
            points = others;
            Some((lens, held))
        })
    }
}

/// The line through two points, and what its slope is divided by.
#[inline(always)]
fn line(a: &Point, b: &Point) -> (Line, Field) {
    let divisor = b.x.sub(&a.x);
    if !divisor.is_zero() {
        return (Line::Chord, divisor);
    }
    // No point of the curve has the y coordinate zero, because the order of the group is odd.
    if b.y.sub(&a.y).is_zero() { (Line::Tangent, a.y.times(2)) } else { (Line::Vertical, Field::ONE) }
}

/// The sum of two points; `None` if it is at infinity. `inverse` is that of the divisor.
#[inline(always)]
fn sum(a: &Point, b: &Point, line: Line, inverse: &Field) -> Option<Point> {
    let rise = match line {
        Line::Chord => b.y.sub(&a.y),
        Line::Tangent => a.x.square().times(3),
        Line::Vertical => return None,
    };
    let slope = rise.mul(inverse);
    let x = slope.square().sub(&a.x).sub(&b.x);
    let y = slope.mul(&a.x.sub(&x)).sub(&a.y);
    Some(Point { x, y })
}
