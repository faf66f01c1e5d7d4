//! The contracts of an offering. Its plans are in `plans`.

use std::collections::BTreeSet;

use dashu_int::IBig;
use syntax::Loc;

use super::price::{Price, sats};
use super::{BASE_SATS, Backed, Kind, Offering, Part, Source, adoption, usage};
use crate::domain::imi::beside;
use crate::domain::{Names, Text};
use crate::number::grouped;

/// The most inputs that bring receipts to one claim, and the most outputs beside it.
const INPUTS_MAX: usize = 30;
const OUTPUTS_MAX: usize = 20;
/// The most inputs that pay the fee where tokens are given out.
const FEE_INPUTS_MAX: usize = 10;
/// The most coins that are joined at once.
const JOINED_MAX: usize = 1_000;
/// A relative lock counts so many blocks at most.
const AGE_MAX: u64 = 65_535;
/// What the judges sign begins with these bytes, so that it means nothing elsewhere: `BMIMO`, version 1.
const DOMAIN: &str = "0x424d494d4f01";

pub(super) type Params = Vec<(String, String, Loc)>;

/// The offering as plain items.
pub(crate) fn text(offering: &Offering) -> Text {
    let mut text = Text::new(offering.loc.clone());
    launch(&mut text, offering);
    for part in &offering.parts {
        text.at(&part.loc, |text| contract(text, offering, part));
    }
    if let Some(revenue) = &offering.revenue {
        text.at(&revenue.loc, |text| {
            holders(text, offering);
            inbox(text, offering, &revenue.reward);
        });
    }
    if let Some(usage) = &offering.usage {
        text.at(&usage.loc, |text| usage::contract(text, offering, usage));
    }
    super::plans::write(&mut text, offering);
    text
}

/// A number of tokens, coins or blocks, with its digits in groups.
pub(super) fn number(n: u64) -> String {
    grouped(&IBig::from(n))
}

/// The parameters of the launch contract: the model, the judges, and what the contracts of the parts need.
pub(super) fn launch_params(offering: &Offering) -> Params {
    let mut params = vec![("model".to_owned(), "Bytes<32>".to_owned(), offering.loc.clone())];
    let keys = offering.judges.value.keys.iter();
    params.extend(keys.map(|key| (key.value.clone(), "PubKey".to_owned(), key.loc.clone())));
    let of_parts = offering.parts.iter().flat_map(|part| launch_args(offering, part));
    let of_usage = offering.usage.iter().flat_map(|usage| usage::params(offering, usage));
    let of_adoption = offering.adoption.iter().flat_map(|children| adoption::params(&children.loc));
    for param in of_parts.chain(of_usage).chain(of_adoption) {
        // The money of the treasury may go where a part of the tokens goes.
        let shared =
            param.0 == offering.treasury.value && params.iter().any(|(name, ty, _)| *name == param.0 && ty == "Lock");
        if !shared {
            params.push(param);
        }
    }
    params
}

/// What the launch contract must know to name the lock of a part.
fn launch_args(offering: &Offering, part: &Part) -> Params {
    let lock = |name: String| vec![(name, "Lock".to_owned(), part.loc.clone())];
    match &part.kind {
        Kind::Plain | Kind::Upstream(None) => lock(part.name.clone()),
        Kind::Upstream(Some(_)) => {
            let own = part_params(offering, part);
            own.into_iter().map(|(name, ty, loc)| (format!("{}_{name}", part.name), ty, loc)).collect()
        }
        Kind::ProRata(_) | Kind::Vest { .. } | Kind::Sale(_) => part_params(offering, part),
    }
}

/// The lock of a part, by the parameters of the launch contract.
pub(super) fn lock_of(offering: &Offering, part: &Part) -> String {
    match offering.contract_of(part).filter(|_| part.kind != Kind::Upstream(None)) {
        None => part.name.clone(),
        Some(contract) => {
            let args: Vec<_> = launch_args(offering, part).into_iter().map(|(name, ..)| name).collect();
            format!("{contract}({}).lock", args.join(", "))
        }
    }
}

/// The bytes of the first state of a part's contract, if it has one.
fn first_state(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Plain | Kind::Upstream(_) => None,
        Kind::ProRata(_) | Kind::Sale(_) => Some("bytes(0, 8)"),
        Kind::Vest { .. } => Some("bytes(0, 4)"),
    }
}

/// Every output is demanded in full, and no more than one without a token may follow: so the tokens of
/// the new category are exactly the supply, and nothing that could make more of them exists.
fn launch(text: &mut Text, offering: &Offering) {
    let params = launch_params(offering);
    let taken = params.iter().map(|(name, ..)| name.clone()).collect::<BTreeSet<_>>();
    let mut names = Names::new(std::sync::Arc::new(taken));
    let [outpoint, message, votes, category] =
        ["outpoint", "attested", "votes", "category"].map(|name| names.fresh(name));
    let judges = &offering.judges;
    let sigs: Vec<_> =
        judges.value.keys.iter().map(|key| (&key.value, names.fresh(&format!("sig_{}", key.value)))).collect();
    let what = format!(
        "Makes the {} tokens of `{}`, once the judges attest the model, and gives each part its place.",
        number(offering.supply.value),
        offering.name
    );
    let demanded = offering.usage.as_ref().map(|usage| usage.docs(&offering.treasury.value));
    let shown = offering.adoption.as_ref().map(|children| adoption::docs(children.value));
    let docs = [&offering.docs, &what].into_iter().chain(&shown).chain(&demanded).filter(|docs| !docs.is_empty());
    text.docs(&docs.map(String::as_str).collect::<Vec<_>>().join("\n\n"));
    text.contract(&format!("{}Launch", offering.name), &params, |text| {
        text.docs("Makes the whole supply. Judges who do not attest leave their signature empty.");
        let args = sigs.iter().map(|(_, sig)| format!("{sig}: DataSig")).collect::<Vec<_>>().join(", ");
        text.block(&format!("spend launch({args})"), |text| {
            text.require("self.index == 0", "the launch coin is the first input");
            text.require("tx.inputs[0].index == 0", "a category is named by the first output of a transaction");
            text.at(&judges.loc, |text| judges.value.all_different(text));
            if let Some((part, backed)) = offering.parts.iter().find_map(of_backers) {
                text.at(&part.loc, |text| record(text, backed));
            }
            if let Some(children) = &offering.adoption {
                text.at(&children.loc, |text| adoption::shown(text, offering, children.value, &mut names));
            }
            text.at(&judges.loc, |text| {
                text.line(format!("let {outpoint} = tx.inputs[0].txid + bytes(tx.inputs[0].index, 4);"));
                let criteria = quoted(&offering.criteria.value);
                text.line(format!("let {message} = {DOMAIN} + {outpoint} + model + sha256({criteria});"));
                text.line(format!("let mut {votes} = 0;"));
                for (judge, sig) in &sigs {
                    text.line(format!("if {judge}.signed({message}, {sig}) {{ {votes} = {votes} + 1; }}"));
                }
                let (needed, all) = (judges.value.needed, judges.value.keys.len());
                text.require(format!("{votes} >= {needed}"), &format!("{needed} of {all} judges attest the model"));
            });
            text.line(format!("let {category} = tx.inputs[0].txid;"));
            supply(text, offering, &category);
            let mut count = offering.treasury_output();
            if let Some(usage) = &offering.usage {
                text.at(&usage.loc, |text| usage::counted(text, offering, usage, &mut names));
                count += 1;
            }
            text.require("tx.outputs[0].value >= self.value", "no money of the launch coin is lost");
            text.require(format!("tx.outputs.length <= {}", count + 1), "at most one output follows the parts");
            text.block(&format!("if tx.outputs.length == {}", count + 1), |text| {
                text.require(format!("tx.outputs[{count}].token.category == 0x"), "change carries no token");
            });
        });
    });
}

/// The outputs that carry the tokens, and the holders' coin, which will.
fn supply(text: &mut Text, offering: &Offering, category: &str) {
    for (output, part) in offering.parts.iter().enumerate() {
        text.at(&part.loc, |text| {
            let lock = lock_of(offering, part);
            let at = (offering.output_of(output), part.name.as_str(), lock.as_str());
            place(text, at, category, part.amount, first_state(&part.kind));
        });
    }
    if let Some(revenue) = &offering.revenue {
        let state = format!("bytes({}, 8)", number(offering.supply.value));
        let lock = format!("{}Holders().lock", offering.name);
        let at = (offering.output_of(offering.parts.len()), "holders", lock.as_str());
        text.at(&revenue.loc, |text| place(text, at, category, 0, Some(&state)));
    }
}

fn of_backers(part: &Part) -> Option<(&Part, &Backed)> {
    match &part.kind {
        Kind::ProRata(backed) => Some((part, backed)),
        _ => None,
    }
}

/// The second input is the escrow of the campaign, once everything has been paid. Its token says how many receipts
/// are out: nobody has to believe that of whoever made the launch coin. That output 1 is the escrow again is the
/// escrow's own check.
fn record(text: &mut Text, backed: &Backed) {
    let campaign = &backed.campaign;
    text.require(
        "tx.inputs[1].token.category == receipts + 0x01",
        &format!("input 1 is the escrow of `{campaign}`, whose receipts are claimed"),
    );
    let what = if backed.names_model { "`raised` receipts for `model`" } else { "`raised` receipts" };
    text.require(
        format!("tx.inputs[1].token.commitment == {}", backed.record),
        &format!("`{campaign}` has paid everything, and its record is of {what}"),
    );
    text.require("tx.outputs[1].token.category == receipts + 0x01", "output 1 is the escrow again");
}

/// Demands everything of an output of the launch.
fn place(text: &mut Text, (output, name, lock): (usize, &str, &str), category: &str, amount: u64, state: Option<&str>) {
    let out = format!("tx.outputs[{output}]");
    text.require(format!("{out}.lock == {lock}"), &format!("output {output} is for `{name}`"));
    text.require(format!("{out}.value == {}", sats(BASE_SATS)), &format!("output {output} holds {}", sats(BASE_SATS)));
    let (kind, what) = match state {
        Some(_) => (format!("{category} + 0x01"), "the token that counts"),
        None => (category.to_owned(), "no token that could change"),
    };
    text.require(format!("{out}.token.category == {kind}"), &format!("output {output} carries {what}"));
    let tokens = number(amount);
    text.require(format!("{out}.token.amount == {tokens}"), &format!("`{name}` gets {tokens} tokens"));
    let state = state.unwrap_or("0x");
    text.require(format!("{out}.token.commitment == {state}"), &format!("`{name}` begins from nothing"));
}

pub(super) fn quoted(text: &str) -> String {
    let mut out = String::new();
    crate::domain::text::quote(text, &mut out);
    out
}

/// The contract that holds a part.
fn contract(text: &mut Text, offering: &Offering, part: &Part) {
    let Some(name) = offering.contract_of(part) else { return };
    text.gap();
    match &part.kind {
        Kind::Plain => {}
        Kind::ProRata(backed) => claim(text, &name, part, &backed.campaign),
        Kind::Vest { over, cliff } => vesting(text, &name, part, *over, *cliff),
        Kind::Upstream(Some(sources)) => upstream(text, &name, part, sources),
        Kind::Upstream(None) => upstream_list(text, &name, part),
        Kind::Sale(price) => sale(text, offering, &name, part, price),
    }
}

/// The parameters of a part's contract.
pub(super) fn part_params(offering: &Offering, part: &Part) -> Params {
    let param = |name: &str, ty: &str| (name.to_owned(), ty.to_owned(), part.loc.clone());
    match &part.kind {
        Kind::Plain => Vec::new(),
        Kind::ProRata(_) => vec![param("receipts", "Category"), param("raised", "Tokens")],
        Kind::Vest { .. } => vec![param(&part.name, "Lock")],
        Kind::Upstream(Some(sources)) => sources.iter().map(|source| param(&source.param, "Lock")).collect(),
        Kind::Upstream(None) => vec![param("recipients", &format!("list<{}Recipient>", offering.name))],
        Kind::Sale(_) => vec![(offering.treasury.value.clone(), "Lock".to_owned(), offering.treasury.loc.clone())],
    }
}

/// Receipts go in and are gone; the tokens that come out are the difference of two rounded parts, so
/// that all receipts together get exactly the whole.
fn claim(text: &mut Text, name: &str, part: &Part, campaign: &str) {
    let params = [
        ("receipts".to_owned(), "Category".to_owned(), part.loc.clone()),
        ("raised".to_owned(), "Tokens".to_owned(), part.loc.clone()),
    ];
    text.docs(&format!(
        "Gives {} tokens for the receipts of `{campaign}`: `raised` of them, of the category `receipts`.",
        number(part.amount)
    ));
    text.contract(name, &params, |text| {
        text.line(format!("const PART: Tokens = {};", number(part.amount)));
        text.gap();
        text.line("state { claimed: Tokens }");
        text.gap();
        text.docs("Takes `amount` receipts out of the world and gives their part of the tokens.");
        text.block("spend claim(amount: Tokens)", |text| {
            text.require("self.index == 0", "the claim is the first input");
            text.require("amount > 0", "something is claimed");
            text.line("let mut brought = 0 - amount;");
            text.block(&format!("for i in 1..tx.inputs.length max {INPUTS_MAX}"), |text| {
                text.block("if tx.inputs[i].token.category == receipts", |text| {
                    text.line("brought = brought + tx.inputs[i].token.amount;");
                });
            });
            text.require("brought == 0", "the inputs bring exactly so many receipts");
            // A receipt that went on, on whatever token, could be used again.
            text.block(&format!("for i in 0..tx.outputs.length max {OUTPUTS_MAX}"), |text| {
                text.line("let kind = tx.outputs[i].token.category;");
                text.require(
                    "kind != receipts && kind != receipts + 0x01 && kind != receipts + 0x02",
                    "no output carries receipts on",
                );
            });
            text.line("let claimed = state.claimed + amount;");
            text.require("claimed <= raised", "no more receipts are claimed than there are");
            text.line("let due = PART * int(claimed) / int(raised) - PART * int(state.claimed) / int(raised);");
            text.line("continue { claimed: claimed } with tokens self.token.amount - due;");
        });
    });
}

/// A contract's coin beside could show its own next coin as what is given here. It would have to carry tokens.
fn alone(text: &mut Text) {
    text.block(&format!("for i in 1..tx.inputs.length max {FEE_INPUTS_MAX}"), |text| {
        text.require("tx.inputs[i].token.category == 0x", "no other input carries a token");
    });
}

/// How long a coin has lain is what the chain says, so nobody can date it back. Every claim adds the
/// age of the coin to what has passed.
fn vesting(text: &mut Text, name: &str, part: &Part, over: u64, cliff: u64) {
    let params = [(part.name.clone(), "Lock".to_owned(), part.loc.clone())];
    let beneficiary = &part.name;
    text.docs(&format!(
        "Gives {} tokens to `{beneficiary}` evenly over {} blocks, nothing before {}.",
        number(part.amount),
        number(over),
        number(cliff)
    ));
    text.contract(name, &params, |text| {
        text.line(format!("const PART: Tokens = {};", number(part.amount)));
        text.gap();
        text.line("state { elapsed: Blocks }");
        text.gap();
        text.docs("Gives what has vested. Anyone may do it; `age` is how many blocks the coin has lain.");
        text.block("spend claim(age: Blocks)", |text| {
            text.require("self.index == 0", "the vesting coin is the first input");
            alone(text);
            text.require(
                format!("within(age, 1 blocks, {} blocks)", number(AGE_MAX + 1)),
                &format!("an age has 1 to {} blocks", number(AGE_MAX)),
            );
            text.require("self.age >= age", "the coin has lain so long");
            text.line(format!("let elapsed = min(state.elapsed + age, {} blocks);", number(over)));
            if cliff > 0 {
                text.require(
                    format!("elapsed >= {} blocks", number(cliff)),
                    &format!("the cliff of {} blocks has passed", number(cliff)),
                );
            }
            text.line(format!("let left = PART - PART * int(elapsed) / {};", number(over)));
            text.line("let due = self.token.amount - left;");
            text.require("due > 0", "something has vested");
            text.require(format!("tx.outputs[1].lock == {beneficiary}"), &format!("output 1 is for `{beneficiary}`"));
            text.require("tx.outputs[1].token.category == self.token.category[..32]", "output 1 carries tokens alone");
            text.require("tx.outputs[1].token.amount == due", "output 1 carries all that has vested");
            text.line("continue { elapsed: elapsed } with tokens left;");
        });
    });
}

/// Fixed amounts, computed when the offering is compiled.
fn upstream(text: &mut Text, name: &str, part: &Part, sources: &[Source]) {
    let params: Params =
        sources.iter().map(|source| (source.param.clone(), "Lock".to_owned(), part.loc.clone())).collect();
    text.docs(&format!("Divides {} tokens among the sources of the model.", number(part.amount)));
    text.contract(name, &params, |text| {
        text.docs("Gives every source its tokens. Anyone may do it.");
        text.block("spend divide()", |text| {
            text.require("self.index == 0", "the upstream coin is the first input");
            alone(text);
            for (output, source) in sources.iter().enumerate() {
                let (param, amount) = (&source.param, number(source.amount));
                let out = format!("tx.outputs[{output}]");
                text.require(format!("{out}.lock == {param}"), &format!("output {output} is for `{param}`"));
                text.require(
                    format!("{out}.token.category == self.token.category"),
                    &format!("output {output} carries the token"),
                );
                text.require(format!("{out}.token.amount == {amount}"), &format!("`{param}` gets {amount} tokens"));
            }
            text.require(format!("self.token.amount == {}", number(part.amount)), "the coin holds the whole part");
            text.require("tx.outputs[0].value >= self.value", "no money of the coin is lost");
        });
    });
}

/// The sources and what each gets are given by a list, whose hash is part of the lock.
fn upstream_list(text: &mut Text, name: &str, part: &Part) {
    let recipient = name.strip_suffix("Upstream").map_or_else(|| name.to_owned(), |name| format!("{name}Recipient"));
    text.docs("A source of the model, and how many tokens it gets.");
    text.line(format!("struct {recipient} {{ amount: Int<8>, lock: Lock }}"));
    text.gap();
    text.docs(&format!("Divides {} tokens among the sources of the model.", number(part.amount)));
    let params = [("recipients".to_owned(), format!("list<{recipient}>"), part.loc.clone())];
    text.contract(name, &params, |text| {
        text.line(format!("const PART: Tokens = {};", number(part.amount)));
        text.gap();
        text.docs("Gives every source its tokens. Anyone may do it.");
        text.block("spend divide(padding: Padding)", |text| {
            text.require("self.index == 0", "the upstream coin is the first input");
            alone(text);
            text.require("self.token.amount == PART", "the coin holds the whole part");
            text.require("tx.outputs[0].value >= self.value", "no money of the coin is lost");
            text.line("let mut given = 0;");
            text.block("for (i, recipient) in recipients where recipient.lock == tx.outputs[i].lock", |text| {
                text.require("recipient.amount > 0", "every source gets something");
                text.line("given = given + recipient.amount;");
                text.require("tx.outputs[i].token.category == self.token.category", "every source gets the token");
                text.require("int(tx.outputs[i].token.amount) == recipient.amount", "every source gets its part");
            });
            text.require("given == int(PART)", &format!("the list gives {} tokens", number(part.amount)));
        });
    });
}

fn sale(text: &mut Text, offering: &Offering, name: &str, part: &Part, price: &Price) {
    let treasury = &offering.treasury.value;
    let params = [(treasury.clone(), "Lock".to_owned(), offering.treasury.loc.clone())];
    text.docs(&format!("Sells {} tokens, {}.", number(part.amount), in_words(price)));
    text.contract(name, &params, |text| {
        text.line("state { sold: Tokens }");
        text.gap();
        buy(text, price);
        text.gap();
        let base = sats(BASE_SATS);
        text.docs(&format!("Sends all money but {base} to `{treasury}`. Anyone may do it."));
        text.block("spend withdraw()", |text| {
            text.require("self.index == 0", "the sale is the first input");
            text.line(format!("let raised = self.value - {base};"));
            text.require("raised > 0 sats", "there is money to withdraw");
            text.require(format!("tx.outputs[1].lock == {treasury}"), &format!("output 1 is for `{treasury}`"));
            let owed = if treasury == "owed" { "owed_" } else { "owed" };
            text.line(format!("let mut {owed} = raised;"));
            beside(text, treasury, |text| text.line(format!("{owed} = {owed} + tx.inputs[1].value;")));
            text.require(format!("tx.outputs[1].value >= {owed}"), "all the money is withdrawn");
            text.line(format!("continue {{}} with value {base};"));
        });
    });
}

fn in_words(price: &Price) -> String {
    match price {
        Price::Fixed(price) => format!("each for {}", sats(*price)),
        Price::Linear { base, slope, per: 1 } => format!("from {} on, {} more after each", sats(*base), sats(*slope)),
        Price::Linear { base, slope, per } => {
            format!("from {} on, {} more after each {}", sats(*base), sats(*slope), number(*per))
        }
        Price::Dutch { start, end, from, over } => format!(
            "for {} at height {}, falling to {} over {} blocks",
            sats(*start),
            number(*from),
            sats(*end),
            number(*over)
        ),
    }
}

fn buy(text: &mut Text, price: &Price) {
    text.docs("Sells `amount` tokens; they go where the buyer wants.");
    let is_dutch = matches!(price, Price::Dutch { .. });
    if is_dutch {
        text.docs("`at` is a block that has been reached. An older one only makes the price higher.");
    }
    let args = if is_dutch { "amount: Tokens, at: Height" } else { "amount: Tokens" };
    text.block(&format!("spend buy({args})"), |text| {
        text.require("amount > 0", "something is bought");
        if let Price::Dutch { from, .. } = price {
            text.require(format!("at >= height {}", number(*from)), "the sale has begun");
            text.require("tx.height >= at", "the block has been reached");
        }
        for line in price.cost("state.sold") {
            text.line(line);
        }
        text.line("continue { sold: state.sold + amount }");
        text.line("    with value self.value + cost, tokens self.token.amount - amount;");
    });
}

/// Tokens that are redeemed stay here for ever: no path takes them out.
fn holders(text: &mut Text, offering: &Offering) {
    let base = sats(BASE_SATS);
    text.gap();
    text.docs("Holds the revenue of those who hold the token.");
    text.contract(&format!("{}Holders", offering.name), &[], |text| {
        text.line("state { outstanding: Tokens }");
        text.gap();
        text.docs("Takes money in.");
        text.block("spend add(amount: Coin)", |text| {
            text.require("amount > 0 sats", "something is added");
            text.line("continue {} with value self.value + amount;");
        });
        text.gap();
        text.docs("Takes `amount` tokens in for ever, and gives their part of the money.");
        text.block("spend redeem(amount: Tokens)", |text| {
            text.require("amount > 0", "something is redeemed");
            text.line("let outstanding = state.outstanding - amount;");
            text.require("outstanding >= 0", "no more is redeemed than is out");
            text.line(format!("let back = (self.value - {base}) * int(amount) / int(state.outstanding);"));
            text.line("continue { outstanding: outstanding }");
            text.line("    with value self.value - back, tokens self.token.amount + amount;");
        });
    });
}

/// A reward pays to a lock before anyone knows the holders' coin, which changes with every payment.
fn inbox(text: &mut Text, offering: &Offering, reward: &str) {
    let params = [("category".to_owned(), "Category".to_owned(), offering.loc.clone())];
    let holders = format!("{}Holders().lock", offering.name);
    text.gap();
    text.docs(&format!("What `{reward}` pays to the holders, until it joins their money."));
    text.contract(&format!("{}Revenue", offering.name), &params, |text| {
        text.docs("Adds all such coins of the transaction to the holders' money. Anyone may do it.");
        text.block("spend join()", |text| {
            text.line("// Every coin demands the same sum over all of them, so they may share the output.");
            text.line("allow(shared_output);");
            text.require("self.index > 0", "the holders' coin is the first input");
            text.require(format!("tx.inputs[0].lock == {holders}"), "the first input has the holders' lock");
            text.require(
                "tx.inputs[0].token.category == category + 0x01",
                "the first input carries the token that counts",
            );
            text.line("let mut total = tx.inputs[0].value;");
            text.block(&format!("for i in 1..tx.inputs.length max {JOINED_MAX}"), |text| {
                text.block("if tx.inputs[i].lock == self.lock", |text| {
                    text.line("total = total + tx.inputs[i].value;");
                });
            });
            text.require("tx.outputs[0].lock == tx.inputs[0].lock", "the money goes to the holders");
            text.require("tx.outputs[0].value >= total", "the holders get everything");
        });
    });
}
