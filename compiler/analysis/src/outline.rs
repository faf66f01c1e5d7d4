//! The part of an item that other items depend on.

use syntax::Span;
use syntax::ast::{Item, Member, PlanStmtKind};

/// The text of an item without its bodies, for [`crate::signatures()`], which read none; nothing for items without
/// bodies. Up to the first body every place is where it was.
///
/// ```
/// let text = "contract C(n: Int) { spend a(m: Int) { require m == n, \"no\"; } state { x: Int } }";
/// let (item, _) = syntax::parse_island(text, &syntax::parse(text).islands[0].key);
/// let outline = analysis::outline(&item, text).unwrap();
/// assert_eq!(outline, "contract C(n: Int) { spend a(m: Int) {} state { x: Int } }");
/// ```
pub fn outline(item: &Item, text: &str) -> Option<String> {
    let bodies: Vec<Span> = match item {
        Item::Fn(function) => vec![function.body.span],
        Item::Contract(contract) => contract.members.iter().filter_map(body_of).collect(),
        // Nobody asks a test for more than its name.
        Item::Test(test) => return Some(format!("{} {{}}", upto(text, test.name.span.end))),
        Item::Plan(plan) => {
            let head = upto(text, plan.params.last().map_or(plan.name.span, |last| last.span).end);
            let open = if plan.params.is_empty() { "()" } else { ")" };
            let inputs = plan.stmts.iter().filter(|stmt| matches!(stmt.kind, PlanStmtKind::Input { .. }));
            let inputs: Vec<&str> = inputs.filter_map(|stmt| text.get(stmt.span.range())).collect();
            // A `;` may be missing, and then only the line tells where the next one begins.
            return Some(format!("{head}{open} {{\n{}\n}}", inputs.join("\n")));
        }
        Item::Use(_) | Item::Const(_) | Item::Struct(_) | Item::Enum(_) => return None,
        Item::Reward(_) | Item::Model(_) | Item::Imi(_) | Item::Imo(_) | Item::Error(_) => return None,
    };
    let mut outline = String::with_capacity(text.len());
    let mut from = 0;
    for body in bodies {
        outline.push_str(text.get(from..body.start as usize)?);
        outline.push_str("{}");
        from = body.end as usize;
    }
    outline.push_str(text.get(from..)?);
    Some(outline)
}

fn body_of(member: &Member) -> Option<Span> {
    match member {
        Member::Fn(function) => Some(function.body.span),
        Member::Spend(spend) => Some(spend.body.span),
        Member::Const(_) | Member::State(_) | Member::Allow(_) | Member::Budget(_) | Member::Error(_) => None,
    }
}

fn upto(text: &str, end: u32) -> &str {
    text.get(..end as usize).unwrap_or(text)
}
