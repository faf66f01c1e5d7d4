//! What stands before a dot: the transaction, its coins and tokens by form alone, everything else by its type.

use analysis::hir::Type;
use syntax::Span;
use syntax::ast::{Expr, ExprKind};

use crate::words::{Fact, INPUT, LENGTH, OUTPUT, OWN, TOKEN, TX};

/// Which list of coins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Input,
    Output,
}

/// What a chain of fields has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Tx,
    Coins(Side),
    Coin {
        side: Side,
        own: bool,
    },
    Token,
    /// The state of the contract.
    State,
    Value(Type),
    Unknown,
}

impl Shape {
    /// The fields that the language gives it, the nearest meaning of a name first.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &'static Fact> + use<> {
        let lists: [&'static [Fact]; 2] = match self {
            Shape::Tx => [TX, &[]],
            Shape::Coins(_) => [LENGTH, &[]],
            Shape::Coin { side: Side::Output, .. } => [OUTPUT, &[]],
            Shape::Coin { own: true, .. } => [OWN, INPUT],
            Shape::Coin { own: false, .. } => [INPUT, &[]],
            Shape::Token => [TOKEN, &[]],
            Shape::Value(Type::Array(..) | Type::Table(..) | Type::List(_)) => [LENGTH, &[]],
            Shape::Value(ty) if ty.is_bytes() => [LENGTH, &[]],
            Shape::State | Shape::Value(_) | Shape::Unknown => [&[], &[]],
        };
        lists.into_iter().flatten()
    }

    /// The shape of an expression, given the types of its item.
    pub(crate) fn of(base: &Expr, types: &[(Span, Type)]) -> Shape {
        if let Some(shape) = Shape::of_form(base) {
            return shape;
        }
        let found = types.binary_search_by_key(&base.span, |(span, _)| *span).ok().and_then(|index| types.get(index));
        found.map_or(Shape::Unknown, |(_, ty)| Shape::Value(ty.clone()))
    }

    /// The shape of what needs no type.
    pub(crate) fn of_form(base: &Expr) -> Option<Shape> {
        Some(match &base.kind {
            ExprKind::Tx => Shape::Tx,
            ExprKind::SelfRef => Shape::Coin { side: Side::Input, own: true },
            ExprKind::Index { base, .. } => match Shape::of_form(base)? {
                Shape::Coins(side) => Shape::Coin { side, own: false },
                _ => return None,
            },
            ExprKind::Field { base, name } => match (Shape::of_form(base)?, name.as_str()) {
                (Shape::Tx, "inputs") => Shape::Coins(Side::Input),
                (Shape::Tx, "outputs") => Shape::Coins(Side::Output),
                (Shape::Coin { .. }, "token") => Shape::Token,
                (Shape::Coin { own: true, .. }, "state") => Shape::State,
                _ => return None,
            },
            _ => return None,
        })
    }
}
