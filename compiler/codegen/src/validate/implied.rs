//! Which conditions follow from others. A conditional that tells paths apart by what they demand goes the way of a path
//! if what the path demands says so; that is all that is asked here, and one condition at a time has to answer it.

use std::collections::BTreeSet;

use dashu_int::IBig;

use super::sum::{Factors, Sum};
use super::term::{Kind, Term, Terms};

/// A sum without its constant, and the constant.
type Split<'t> = (&'t [(Factors, IBig)], IBig);

/// Whether one of `known` makes `condition` hold.
pub(super) fn is_implied(terms: &Terms, known: &BTreeSet<Term>, condition: Term) -> bool {
    terms.decided(condition) == Some(true) || known.iter().any(|one| implies(terms, *one, condition))
}

fn implies(terms: &Terms, known: Term, condition: Term) -> bool {
    if known == condition {
        return true;
    }
    match (terms.kind(known), terms.kind(condition)) {
        (Kind::Positive(known), Kind::Positive(wanted)) => {
            let ((known, least), (wanted, enough)) = (split(known), split(wanted));
            known == wanted && enough >= least
        }
        (Kind::Zero(known), Kind::Positive(wanted)) => {
            // The sum without its constant is a number: the wanted one is that, or less than nothing of it.
            let ((known, constant), (wanted, added)) = (split(known), split(wanted));
            let negated = known.len() == wanted.len()
                && known.iter().zip(wanted).all(|((factors, n), (others, m))| factors == others && *n == -m.clone());
            (known == wanted && &added - &constant > IBig::ZERO) || (negated && &added + &constant > IBig::ZERO)
        }
        (_, Kind::Not(refused)) => rules_out(terms, known, *refused),
        _ => false,
    }
}

/// Whether two conditions cannot both hold.
fn rules_out(terms: &Terms, known: Term, refused: Term) -> bool {
    match (terms.kind(known), terms.kind(refused)) {
        (Kind::Zero(known), Kind::Zero(refused)) => {
            let ((known, is), (refused, is_not)) = (split(known), split(refused));
            known == refused && is != is_not
        }
        (Kind::Same(a, b), Kind::Same(c, d)) => {
            let differ = |a: &Term, b: &Term| {
                let (a, b) = (terms.as_bytes(*a), terms.as_bytes(*b));
                a.is_some() && b.is_some() && a != b
            };
            [(a, b, c, d), (a, b, d, c), (b, a, c, d), (b, a, d, c)]
                .into_iter()
                .any(|(a, b, c, d)| a == c && differ(b, d))
        }
        _ => false,
    }
}

fn split(sum: &Sum) -> Split<'_> {
    (sum.varying(), sum.constant())
}
