//! Points of secp256k1, the curve `y² = x³ + 7`.
//!
//! Source: the formulas of Renes, Costello and Batina, "Complete addition formulas for prime order elliptic curves" (2016),
//! algorithms 7, 8 and 9. They hold for all points, equal ones, opposite ones and the one at infinity too, so nothing that a
//! stranger puts together needs a case of its own.

use crate::field::Field;

/// The multiplier of an x coordinate that multiplies the point by `λ`.
const BETA: Field =
    Field::from_words([0xc139_6c28_7195_01ee, 0x9cf0_4975_12f5_8995, 0x6e64_479e_ac34_34e9, 0x7ae9_6a2b_657c_0710]);

/// Three times the 7 of the curve.
const THREE_B: u64 = 21;

/// Roots are found for so many numbers at once; more would find no unit of the processor idle.
const LANES: usize = 4;

/// A point that is not at infinity.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub(crate) x: Field,
    pub(crate) y: Field,
}

impl Point {
    /// The generator of the group.
    pub const GENERATOR: Self = Self {
        x: Field::from_words([
            0x59f2_815b_16f8_1798,
            0x029b_fcdb_2dce_28d9,
            0x55a0_6295_ce87_0b07,
            0x79be_667e_f9dc_bbac,
        ]),
        y: Field::from_words([
            0x9c47_d08f_fb10_d4b8,
            0xfd17_b448_a685_5419,
            0x5da4_fbfc_0e11_08a8,
            0x483a_da77_26a3_c465,
        ]),
    };

    /// The points with these big-endian x coordinates and a y coordinate that is a square; `None` unless all are on the curve.
    #[must_use]
    pub fn lift(xs: &[[u8; 32]]) -> Option<Vec<Self>> {
        let mut points = Vec::with_capacity(xs.len());
        let (groups, rest) = xs.as_chunks::<LANES>();
        for group in groups {
            lift_onto(&mut points, group)?;
        }
        for x in rest {
            lift_onto(&mut points, &[*x])?;
        }
        Some(points)
    }

    /// The point with the same x coordinate and an odd or even y coordinate.
    #[must_use]
    pub fn with_parity(self, odd: bool) -> Self {
        if self.y.is_odd() == odd { self } else { self.negate() }
    }

    /// The negative.
    #[must_use]
    pub fn negate(self) -> Self {
        Self { x: self.x, y: self.y.negate() }
    }

    /// `λ` times the point.
    pub(crate) fn times_lambda(self) -> Self {
        Self { x: self.x.mul(&BETA), y: self.y }
    }
}

fn lift_onto<const N: usize>(points: &mut Vec<Point>, xs: &[[u8; 32]; N]) -> Option<()> {
    let mut numbers = [Field::ZERO; N];
    for (number, x) in numbers.iter_mut().zip(xs) {
        *number = Field::from_bytes(x)?;
    }
    let seven = Field::from_words([7, 0, 0, 0]);
    let roots = Field::roots(numbers.map(|x| x.square().mul(&x).add(&seven)));
    for (x, y) in numbers.into_iter().zip(roots) {
        points.push(Point { x, y: y? });
    }
    Some(())
}

/// Any point, as `(x : y : z)` with the coordinates `x/z` and `y/z`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Projective {
    x: Field,
    y: Field,
    z: Field,
}

impl Projective {
    pub(crate) const INFINITY: Self = Self { x: Field::ZERO, y: Field::ONE, z: Field::ZERO };

    pub(crate) fn is_infinity(&self) -> bool {
        self.z.is_zero()
    }

    pub(crate) fn add(&self, other: &Self) -> Self {
        let (a, b) = (self, other);
        let (xx, yy, zz) = (a.x.mul(&b.x), a.y.mul(&b.y), a.z.mul(&b.z));
        let xy = a.x.add(&a.y).mul(&b.x.add(&b.y)).sub(&xx.add(&yy));
        let yz = a.y.add(&a.z).mul(&b.y.add(&b.z)).sub(&yy.add(&zz));
        let xz = a.x.add(&a.z).mul(&b.x.add(&b.z)).sub(&xx.add(&zz));
        Self::combined([xx, yy, zz.times(THREE_B)], [xy, yz, xz])
    }

    /// Adds a point that is not at infinity.
    pub(crate) fn add_point(&self, point: &Point) -> Self {
        let (a, b) = (self, point);
        let (xx, yy) = (a.x.mul(&b.x), a.y.mul(&b.y));
        let xy = a.x.add(&a.y).mul(&b.x.add(&b.y)).sub(&xx.add(&yy));
        let (yz, xz) = (b.y.mul(&a.z).add(&a.y), b.x.mul(&a.z).add(&a.x));
        Self::combined([xx, yy, a.z.times(THREE_B)], [xy, yz, xz])
    }

    /// The last third of an addition: of the products of like coordinates, the last times [`THREE_B`], and of the sums of the
    /// products of unlike ones.
    #[inline(always)]
    fn combined([xx, yy, zz]: [Field; 3], [xy, yz, xz]: [Field; 3]) -> Self {
        let xx = xx.times(3);
        let (more, less) = (yy.add(&zz), yy.sub(&zz));
        let xz = xz.times(THREE_B);
        Self {
            x: xy.mul(&less).sub(&yz.mul(&xz)),
            y: xz.mul(&xx).add(&less.mul(&more)),
            z: more.mul(&yz).add(&xx.mul(&xy)),
        }
    }

    pub(crate) fn double(&self) -> Self {
        let yy = self.y.square();
        let yz = self.y.mul(&self.z);
        let zz = self.z.square().times(THREE_B);
        let xy = self.x.mul(&self.y);
        let less = yy.sub(&zz.times(3));
        let eight = yy.times(8);
        Self { x: less.mul(&xy).times(2), y: less.mul(&yy.add(&zz)).add(&zz.mul(&eight)), z: yz.mul(&eight) }
    }
}
