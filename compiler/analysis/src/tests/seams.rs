//! Where a cache may cut: an edit in one body changes neither the signatures nor other items.

use syntax::FileId;

use crate::{CheckedItem, Signatures, check_item, signatures, source_items};

const FILE: &str = "
const FEE: Coin = 1_000 sats;
fn fee(x: Coin) -> Coin { x / 10 + FEE }
reward Pair { a: 50%, b: 50%, minimum: 10_000 sats, fee: up to FEE }
contract One(key: PubKey) { fn ok(sig: Sig) -> Bool { key.signed(sig) } spend go(sig: Sig) { require ok(sig); } }
contract Two(key: PubKey) { spend go(sig: Sig, x: Coin) { require key.signed(sig) && fee(x) > 0; split x by Pair; } }
";

fn pieces(text: &str) -> (Signatures, Vec<CheckedItem>) {
    let parse = syntax::parse(text);
    let items = source_items(&parse, text);
    let (signatures, _) = signatures(FileId(3), &items, &crate::Modules::new());
    let checked = items.iter().map(|item| check_item(&signatures, item)).collect();
    (signatures, checked)
}

#[test]
fn an_edit_in_a_body_changes_only_its_item() {
    let (before, items) = pieces(FILE);
    for (from, to, index) in
        [("x / 10", "x / 100 + x", 1), ("require ok(sig)", "let y = 1; require ok(sig) && y == 2", 3)]
    {
        let (after, edited) = pieces(&FILE.replace(from, to));
        assert_eq!(before, after, "{from}");
        for (position, (old, new)) in items.iter().zip(&edited).enumerate() {
            assert_eq!(old == new, position != index, "{from}: item {position}");
        }
    }
}

#[test]
fn an_edit_of_a_constant_changes_the_signatures() {
    let (before, _) = pieces(FILE);
    assert_ne!(before, pieces(&FILE.replace("1_000 sats", "2_000 sats")).0);
}

#[test]
fn every_place_names_the_given_file() {
    let (_, items) = pieces(FILE);
    let contract = &items[4].contracts[0];
    assert_eq!(contract.loc.file, FileId(3));
    assert_eq!(contract.params[1].loc.item.as_ref().unwrap().to_string(), "reward Pair");
}
