//! What `expand` prints means what it was printed from.

use syntax::FileId;

use super::{checked, sound};
use crate::{expand, hir, signatures, source_items};

fn expanded(text: &str) -> String {
    let parse = syntax::parse(text);
    let items = source_items(&parse, text);
    expand(&signatures(FileId::default(), &items, &crate::Modules::new()).0, &items)
}

/// The program as text, without the places.
fn without_places(program: &hir::Program) -> String {
    // What no author wrote, no fix removes.
    let mut text = format!("{program:?}").replace("removal: None", "removal: Some()");
    while let Some(start) = text.find("Loc {") {
        let mut depth = 0;
        let end = text[start..].find(|c| {
            depth += match c {
                '{' => 1,
                '}' => -1,
                _ => 0,
            };
            c == '}' && depth == 0
        });
        text.replace_range(start..=start + end.unwrap(), "");
    }
    text
}

fn check(text: &str) -> String {
    let mut program = sound(text).program;
    let printed = expanded(text);
    let again = checked(&printed);
    assert_eq!((again.0.diagnostics, again.1.diagnostics), (vec![], vec![]), "{printed}");
    for contract in &mut program.contracts {
        std::sync::Arc::make_mut(contract).reward = None;
    }
    assert_eq!(without_places(&program), without_places(&again.1.program), "{printed}");
    assert_eq!(printed, expanded(&printed));
    printed
}

const REWARD: &str = "
/// Five sources.
///
/// Of one \"task\".
reward TextToImage {
    databases: 30%, compute: 25%,
    models: 20% { diffusion: 1/2, transformer: 3/10, autoencoder: 1/5 },
    researchers: 15%, infrastructure: rest,
    dust: researchers, minimum: 15_400 sats, fee: up to 1_000 sats,
}";

#[test]
fn a_reward_expands_to_its_contract() {
    check(REWARD);
    check("reward One { upto_one: 100%, minimum: 10_000 sats, fee: up to 0 sats }");
}

#[test]
fn a_campaign_expands_to_its_contracts_and_plans() {
    let text = include_str!("../../../../tests/types/imi_ok.bmc");
    let (mut program, printed) = (sound(text).program, expanded(text));
    let mut again = sound(&printed).program;
    assert_eq!(printed, expanded(&printed));
    // The plans of a declaration stand at one place, so what they read twice is one thing; in the text it is two.
    let names = |program: &mut hir::Program| {
        std::mem::take(&mut program.plans).into_iter().map(|plan| plan.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&mut program), names(&mut again));
    assert_eq!(without_places(&program), without_places(&again));
    for part in ["contract KioskThread(sig: PubKey, due: Lock)", "plan by_constants_redeem(", "spend fail_first_beta()"]
    {
        assert!(printed.contains(part), "{printed}");
    }
}

#[test]
fn a_budget_of_a_declaration_expands_to_one_of_its_contracts() {
    let budget = "budget: { script: 400 bytes, cost: 40_000 }, }";
    let printed = check(&REWARD.replace("1_000 sats,\n}", &format!("1_000 sats, {budget}")));
    assert!(printed.contains("\n    budget(script: 400 bytes, cost: 40_000);\n    /// Pays every source"), "{printed}");
    let text = include_str!("../../../../tests/types/imi_ok.bmc");
    let limited = text.replace("    deadline:", "    budget: { script: 9_000 bytes },\n    deadline:");
    assert_ne!(limited, text);
    let (plain, printed) = (expanded(text), expanded(&limited));
    assert_eq!(printed.matches("    budget(script: 9_000 bytes);\n").count(), plain.matches("contract ").count());
    assert_eq!(printed.replace("    budget(script: 9_000 bytes);\n", ""), plain);
}

#[test]
fn a_limit_of_a_declaration_keeps_its_place() {
    let text = REWARD.replace("1_000 sats,\n}", "1_000 sats, budget: { script: 400 bytes, input: 500 bytes }, }");
    let (parse, analysis) = checked(&text);
    let budgets = analysis.program.contracts.iter().flat_map(|contract| &contract.budgets);
    let places: Vec<_> = budgets.map(|budget| &text[parse.resolve(&budget.loc).unwrap().range()]).collect();
    assert_eq!(places, ["script: 400 bytes", "input: 500 bytes"]);
    // What stands around the budget belongs to what it belonged to before.
    let requires = |text: &str| {
        let program = sound(text).program;
        program.contracts.iter().flat_map(|contract| &contract.paths).map(|path| path.loc.clone()).collect::<Vec<_>>()
    };
    assert_eq!(requires(&text), requires(REWARD));
}

#[test]
fn a_division_in_a_contract_expands_to_checks() {
    for header in ["Pot(owner: PubKey)", "Pot(owner: PubKey,)"] {
        check(&format!(
            "{REWARD} contract {header} {{ spend go(sig: Sig, cost: Coin) {{ require owner.signed(sig); split self.value - cost by TextToImage; }} }}"
        ));
    }
    for header in ["Pot", "Pot()", "Pot ( /* none */ )"] {
        let body = "spend go(fee: Coin) { require within(fee, 0, 1_000 sats); split self.value - fee by TextToImage; }";
        check(&format!("{REWARD} contract {header} {{ {body} }}"));
    }
}

#[test]
fn what_the_author_wrote_stays_as_it_is() {
    let contract = "/// A lock. /* odd */\ncontract Lock ( key : PubKey )\n{\n  // Only the key.\n  spend open(sig: Sig) { require key.signed(sig); }\n}\n";
    let text = format!("const UNUSED: Int = 1;\n\n{contract}");
    assert_eq!(check(&text), text);
}

#[test]
fn generated_names_differ_from_those_of_the_source() {
    let text = "
reward Pair { pot: 50%, b: 50%, minimum: 10_000 sats, fee: up to 500 sats }
contract C(upto_pot: Int) {
    spend go(cost: Coin) {
        let pot_2 = cost + 0 sats;
        require within(pot_2, 0, 1 coin) && upto_pot > 0;
        split self.value - pot_2 by Pair;
    }
}";
    let printed = check(text);
    assert!(printed.contains("let pot_3: Coin = self.value - pot_2;"), "{printed}");
    assert!(printed.contains("let upto_pot_2 = "), "{printed}");
}

#[test]
fn a_variable_that_hides_a_source_is_refused() {
    let (_, analysis) = checked(
        "reward Pair { a: 50%, b: 50%, minimum: 10_000 sats, fee: up to 500 sats }
         contract C { spend go(cost: Coin) { let a = cost; require within(a, 0, 9 sats); split self.value - a by Pair; } }",
    );
    let messages: Vec<_> = analysis.diagnostics.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(messages, ["`a` is a source of `Pair` and a variable here"]);
}

#[test]
fn a_contract_with_the_name_of_a_reward_is_told_once() {
    let reward = "reward Pair { a: 50%, b: 50%, minimum: 10_000 sats, fee: up to 500 sats }";
    let contract = "contract Pair(k: PubKey) { spend go(sig: Sig) { require k.signed(sig); } }";
    for text in [format!("{reward} {contract}"), format!("{contract} {reward}"), format!("{reward} {reward}")] {
        assert_eq!(super::codes(&checked(&text).1), [syntax::Code::E0105], "{text}");
    }
}
