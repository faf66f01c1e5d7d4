//! Values as people read them.

use spec::num;

/// So much of a stack and of an item is shown.
const ITEMS_SHOWN: usize = 12;
const DIGITS_SHOWN: usize = 80;

/// A value of a type, as the source would write it.
pub(super) fn shown(bytes: &[u8], ty: &str) -> String {
    let number = || num::decode_wide(bytes).map(|n| n.to_string());
    let with = |before: &str, after: &str| number().map(|n| format!("{before}{n}{after}"));
    let known = match ty {
        "Bool" => Some(num::is_truthy(bytes).to_string()),
        "Int" | "Tokens" => number(),
        "Coin" => with("", " sats"),
        "Blocks" => with("", " blocks"),
        "Duration" => with("", " seconds"),
        "Height" => with("height ", ""),
        "Time" => with("", " seconds after 1970"),
        _ => None,
    };
    known.unwrap_or_else(|| in_digits(bytes))
}

/// The items of a stack, bottom first; of a high one the top.
pub(super) fn shown_stack(stack: &[Vec<u8>]) -> impl Iterator<Item = String> {
    let hidden = stack.len().saturating_sub(ITEMS_SHOWN);
    let more = (hidden > 0).then(|| format!("({hidden} more)"));
    more.into_iter().chain(stack.iter().skip(hidden).map(|item| in_digits(item)))
}

fn in_digits(bytes: &[u8]) -> String {
    let digits = hex::encode(bytes);
    match digits.get(..DIGITS_SHOWN) {
        Some(start) if digits.len() > DIGITS_SHOWN => format!("0x{start}.. ({} bytes)", bytes.len()),
        _ => format!("0x{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_with_their_units() {
        for (bytes, ty, wanted) in [
            (&[0x05][..], "Int", "5"),
            (&[0x85], "Int", "-5"),
            (&[], "Int", "0"),
            (&[], "Bool", "false"),
            (&[1], "Bool", "true"),
            (&[0xe8, 0x03], "Coin", "1000 sats"),
            (&[7], "Height", "height 7"),
            (&[7, 8], "Bytes<2>", "0x0708"),
            (&[1; 20], "Int", &format!("0x{}", "01".repeat(20))),
        ] {
            assert_eq!(shown(bytes, ty), wanted, "{ty}");
        }
        assert_eq!(shown_stack(&vec![vec![1]; 14]).next().unwrap(), "(2 more)");
        assert!(in_digits(&[0; 99]).ends_with(".. (99 bytes)"));
    }
}
