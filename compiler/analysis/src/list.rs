//! Elements of lists in the source.

use syntax::Span;

/// What goes with an element of a list separated by commas, so that the others stay a list; nothing, if it is the only one.
pub(crate) fn without(elements: &[Span], index: usize) -> Option<Span> {
    let element = elements.get(index)?;
    let next = elements.get(index + 1).map(|next| Span::new(element.start, next.start));
    let previous = || Some(Span::new(elements.get(index.checked_sub(1)?)?.end, element.end));
    next.or_else(previous)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_goes_with_one_comma() {
        // `a, b, c`
        let list = [Span::new(0, 1), Span::new(3, 4), Span::new(6, 7)];
        let gone: Vec<_> = (0..4).map(|index| without(&list, index)).collect();
        assert_eq!(gone, [Some(Span::new(0, 3)), Some(Span::new(3, 6)), Some(Span::new(4, 7)), None]);
        assert_eq!(without(&list[..1], 0), None);
    }
}
