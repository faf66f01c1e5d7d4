//! What an item is when it sees what it names alone.

use syntax::FileId;

use super::fixtures::sources;
use super::modules;
use crate::{check_item, signatures, source_items, types_in};

#[test]
fn an_item_is_the_same_whether_all_is_seen_or_what_it_names() {
    let (mut compared, mut silent) = (0, 0);
    for (path, text) in ["types", "programs", "contracts", "imo", "syntax/ok"].into_iter().flat_map(sources) {
        let parse = syntax::parse(&text);
        let items = source_items(&parse, &text);
        let all = signatures(FileId(0), &items, &modules(&items)).0;
        for item in &items {
            let part = all.seen_from(item);
            let (whole, seen) = (check_item(&all, item), check_item(&part, item));
            compared += 1;
            if seen.diagnostics.is_empty() {
                silent += 1;
                assert_eq!(whole, seen, "{}: {}", path.display(), item.key);
            }
            assert_eq!(types_in(&all, item), types_in(&part, item), "{}: {}", path.display(), item.key);
        }
    }
    assert!(silent > 400 && compared > silent, "{silent} of {compared}");
}
