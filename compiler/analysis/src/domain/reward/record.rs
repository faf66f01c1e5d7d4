//! The contract that says which list of a reward counts, and lets an authority replace it.
//!
//! Its coin carries a token whose commitment holds the hash of the list in force and of the one
//! proposed. A reward that was deployed with an older list keeps paying by that list: what was paid
//! in stays divided as the payer saw it.

use dashu_int::IBig;

use super::{Adjust, Table};
use crate::domain::Text;
use crate::number::grouped;

/// No list has this hash.
const NONE: &str = "bytes(0, 32)";

pub(super) fn write(text: &mut Text, table: &Table, adjust: &Adjust) {
    let (name, change) = (&table.name, format!("{}Change", table.name));
    let whole = grouped(&IBig::from(table.denominator));
    text.at(&adjust.loc, |text| {
        text.gap();
        text.docs(&format!(
            "A recipient of the list of `{name}` in force, of the one proposed, or of both.\n\n\
             `was` and `is` are its weights in them; 0 where it is absent."
        ));
        text.line(format!(
            "struct {change} {{ was: Int<4>, was_until: Height, is: Int<4>, is_until: Height, lock: Lock }}"
        ));
        text.gap();
        text.docs(&format!(
            "Says which list of recipients counts for `{name}`.\n\n\
             A new list is proposed in public, {} blocks before it counts. Weights are parts of {whole}.",
            adjust.notice
        ));
        let ty = if adjust.is_did { "Did" } else { "PubKey" };
        let params = [(adjust.by.to_string(), ty.to_owned(), adjust.loc.clone())];
        text.contract(&format!("{name}Record"), &params, |text| {
            text.line("state { seq: Int<4>, current: Bytes<32>, next: Bytes<32> }");
            text.gap();
            propose(text, table, adjust, &change);
            text.gap();
            activate(text, adjust);
            text.gap();
            cancel(text, adjust);
        });
        plans(text, name, adjust);
    });
}

/// A template of a transaction for each thing that happens to a record.
fn plans(text: &mut Text, name: &str, adjust: &Adjust) {
    let by = &adjust.by;
    let ty = if adjust.is_did { "Did" } else { "PubKey" };
    text.gap();
    text.docs(&format!("Makes the record of `{name}`, which says that the list with the hash `current` counts."));
    text.block(&format!("plan {name}Open({by}: {ty}, current: Bytes<32>)"), |text| {
        text.line("input first: genesis;");
        let state = format!("{{ seq: 0, current: current, next: {NONE} }}");
        let token = format!("{{ category: first.txid, capability: mutable, state: {state} }}");
        text.line(format!("output {name}Record({by}).lock {{ value: 2_000 sats, token: {token} }};"));
    });
    let state = format!("seq: record.state.seq + 1, current: record.state.next, next: {NONE}");
    step(text, name, None, ["Puts the proposed list in force.", "Activate", "", "", &state]);
    let (own, sig) = if adjust.is_did {
        (", holder: PubKey".to_owned(), String::new())
    } else {
        (String::new(), format!("sig: record.params.{by}"))
    };
    let holder = adjust.is_did.then_some(&**by);
    let note = if adjust.is_did { format!(" The coin of `{by}` is at the key `holder`.") } else { String::new() };
    let names = "was_named: Bytes<32>, is_named: Bytes<32>";
    let args = format!("changes: list<{name}Change>, {names}, next: Bytes<32>, now: Height{own}");
    let path = format!("changes: changes, was_named: was_named, is_named: is_named, now: now, {sig}");
    step(text, name, holder, [&format!("Proposes a list.{note}"), "Propose", &args, &path, "next: next"]);
    let (args, next) = (own.trim_start_matches(", "), format!("next: {NONE}"));
    step(text, name, holder, [&format!("Takes the proposal back.{note}"), "Cancel", args, &sig, &next]);
}

/// A plan that spends a record by the path of the same name, and gives it another state. What an identity does
/// spends its coin as input 1, and gives it back unchanged.
fn step(text: &mut Text, name: &str, did: Option<&str>, [what, plan, args, path, state]: [&str; 5]) {
    text.gap();
    text.docs(what);
    text.block(&format!("plan {name}{plan}({args})"), |text| {
        text.line(format!("input record: {name}Record.{}({path});", plan.to_lowercase()));
        if let Some(did) = did {
            text.line(format!(
                "input identity: key(holder) with {{ token: {{ category: record.params.{did} + 0x01 }} }};"
            ));
        }
        let token = format!("record.token with {{ state: {{ {state} }} }}");
        text.line(format!("output record.lock {{ value: record.value, token: {token} }};"));
        if did.is_some() {
            text.line("output identity.lock { value: identity.value, token: identity.token };");
        }
    });
}

/// The argument that an authority brings, and the check of it.
fn authority(text: &mut Text, adjust: &Adjust) {
    let by = &adjust.by;
    if adjust.is_did {
        text.require("self.index == 0", "the record is the first input");
        text.require(
            format!("tx.inputs[1].token.category == {by} + 0x01"),
            &format!("the second input carries the token of `{by}`"),
        );
        for (field, what) in [("lock", "lock"), ("token.category", "token"), ("token.commitment", "document")] {
            text.require(
                format!("tx.outputs[1].{field} == tx.inputs[1].{field}"),
                &format!("the second output gives the {what} of `{by}` back unchanged"),
            );
        }
    } else {
        text.require(format!("{by}.signed(sig)"), &format!("`{by}` signs"));
    }
}

fn with_sig(adjust: &Adjust, args: &str) -> String {
    match (adjust.is_did, args.is_empty()) {
        (true, _) => args.to_owned(),
        (false, true) => "sig: Sig".to_owned(),
        (false, false) => format!("{args}, sig: Sig"),
    }
}

/// One walk hashes both lists. An entry that is locked must come again with at least its weight and
/// its time; as every old entry is a record of its own, two equal entries must both come again.
fn propose(text: &mut Text, table: &Table, adjust: &Adjust, change: &str) {
    let whole = grouped(&IBig::from(table.denominator));
    let least = grouped(&IBig::from(table.weight_min()));
    text.docs(
        "Publishes a list that shall count after the notice period. `was_named` and `is_named` are the digests of the\n\
         names of the list in force and of the new one.",
    );
    let args =
        with_sig(adjust, &format!("changes: list<{change}>, was_named: Bytes<32>, is_named: Bytes<32>, now: Height"));
    text.block(&format!("spend propose({args})"), |text| {
        authority(text, adjust);
        text.require("tx.height >= now", "`now` is no later than the lock time");
        text.line("let mut old = hash256(was_named);");
        text.line("let mut new = hash256(is_named);");
        text.line("let mut reached = 0;");
        text.block("for change in changes", |text| {
            text.block("if change.was != 0", |text| {
                text.line("old = sha256(old + bytes(change.was, 4) + bytes(change.was_until, 4) + change.lock);");
                text.require(
                    "change.was_until <= now || (change.is >= change.was && change.is_until >= change.was_until)",
                    "an entry that is still locked keeps at least its weight and its lock",
                );
            });
            text.block("if change.is != 0", |text| {
                text.require(
                    format!("change.is >= {least}"),
                    &format!("a weight of at least {least} keeps the share of the smallest pot above dust"),
                );
                text.line("new = sha256(new + bytes(change.is, 4) + bytes(change.is_until, 4) + change.lock);");
                text.line("reached = reached + change.is;");
            });
        });
        text.require(format!("reached == {whole}"), &format!("the weights of the new list sum to {whole}"));
        text.require("old == state.current", "the old weights are the list in force");
        text.line("continue { next: new };");
    });
}

fn activate(text: &mut Text, adjust: &Adjust) {
    text.docs("Puts the proposed list in force. Anyone may do it.");
    text.block("spend activate()", |text| {
        text.require(format!("state.next != {NONE}"), "a list is proposed");
        text.require(
            format!("self.age >= {} blocks", grouped(&IBig::from(adjust.notice))),
            &format!("the notice period of {} blocks is over", adjust.notice),
        );
        text.line(format!("continue {{ seq: state.seq + 1, current: state.next, next: {NONE} }};"));
    });
}

fn cancel(text: &mut Text, adjust: &Adjust) {
    text.docs("Takes the proposal back.");
    text.block(&format!("spend cancel({})", with_sig(adjust, "")), |text| {
        authority(text, adjust);
        text.line(format!("continue {{ next: {NONE} }};"));
    });
}
