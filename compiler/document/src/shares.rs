//! Parts of a whole as sources write them, where they are numbers.

use syntax::ast::{BinaryOp, Entry, EntryValue, Expr, ExprKind};

use spec::Ratio;

/// An exact part: how many of how many.
pub(crate) type Part = (i128, i128);

/// The number that an expression is, if it is written as one: `20%`, `3/10`, `0.5`, `1_000`, `2 coin`.
pub(crate) fn number(expr: &Expr) -> Option<Part> {
    match &expr.kind {
        ExprKind::Int(digits) => Some((decimal(digits)?.0, 1)),
        ExprKind::Decimal(digits) => decimal(digits),
        ExprKind::Percent(digits) => {
            let (top, bottom) = decimal(digits)?;
            Some((top, bottom.checked_mul(100)?))
        }
        ExprKind::Quantity { digits, unit, .. } => {
            let (top, bottom) = decimal(digits)?;
            let scale = if unit.word() == "coin" { 100_000_000 } else { 1 };
            Some((top.checked_mul(scale)?, bottom))
        }
        ExprKind::Moment { text, .. } => decimal(text),
        ExprKind::Binary { op: BinaryOp::Div, left, right, .. } => {
            let ((a, b), (c, d)) = (number(left)?, number(right)?);
            Some((a.checked_mul(d)?, b.checked_mul(c)?)).filter(|(_, bottom)| *bottom > 0)
        }
        _ => None,
    }
}

fn decimal(digits: &str) -> Option<Part> {
    let plain = digits.replace('_', "");
    let (whole, part) = plain.split_once('.').unwrap_or((&plain, ""));
    let top: i128 = format!("{whole}{part}").parse().ok()?;
    Some((top, 10_i128.checked_pow(u32::try_from(part.len()).ok()?)?))
}

/// The parts that entries have of a whole, where all are written as numbers but for one `rest`.
pub(crate) fn parts(entries: &[Entry]) -> Option<Vec<Part>> {
    let written: Vec<Option<Part>> = entries.iter().map(part_of).collect();
    let known: Vec<Part> = written.iter().flatten().copied().collect();
    let sum = known.iter().try_fold((0, 1), |sum, part| add(sum, *part))?;
    let rest = add((1, 1), (-sum.0, sum.1))?;
    if known.len() + 1 < written.len() || rest.0 < 0 {
        return None;
    }
    Some(written.into_iter().map(|part| part.unwrap_or(rest)).collect())
}

fn part_of(entry: &Entry) -> Option<Part> {
    match &entry.value {
        EntryValue::Expr(expr) | EntryValue::Group { weight: Some(expr), .. } => number(expr),
        EntryValue::Phrase(phrase) => number(phrase.head.as_ref()?),
        _ => None,
    }
}

fn add((a, b): Part, (c, d): Part) -> Option<Part> {
    let bottom = b.checked_mul(d)?;
    let top = a.checked_mul(d)?.checked_add(c.checked_mul(b)?)?;
    Ratio::new(top, bottom).map(Ratio::parts)
}

/// A part as people read it: `1/4`, `25 %`.
pub(crate) fn told((top, bottom): Part) -> (String, String) {
    Ratio::new(top, bottom).map_or_else(Default::default, |ratio| (ratio.to_string(), ratio.percent()))
}

/// So much of a length is a part.
pub(crate) fn of_length((top, bottom): Part, length: i128) -> i128 {
    top.checked_mul(length).and_then(|top| top.checked_div(bottom)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_exact_and_one_may_be_what_is_left() {
        let shares = |text: &str| {
            let parse = syntax::parse(&format!("reward R {{ {text} }}"));
            let syntax::ast::Item::Reward(reward) = parse.file.items.into_iter().next().unwrap() else { panic!() };
            parts(&reward.entries)
        };
        assert_eq!(shares("a: 12.5%, b: 1/8, c: rest"), Some(vec![(125, 1000), (1, 8), (3, 4)]));
        assert_eq!(shares("a: 60%, b: 60%"), None);
        assert_eq!(shares("a: rest, b: rest"), None);
        assert_eq!(told((125, 1000)), ("1/8".to_owned(), "12.5 %".to_owned()));
    }
}
