//! Walks over trees, as editors ask for them.

use syntax::Span;
use syntax::ast::Item;

pub(crate) use syntax::ast::{Node, walk, walk_block, walk_expr};

/// The spans of the nodes that hold a byte.
pub(crate) fn spans_around(item: &Item, offset: u32) -> Vec<Span> {
    let mut found = Vec::new();
    walk(item, &mut |node| {
        let around = node.span().touches(offset);
        if around {
            found.push(node.span());
        }
        around
    });
    found
}
