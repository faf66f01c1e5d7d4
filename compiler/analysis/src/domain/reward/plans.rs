//! The plans of rewards: what pays one, and what divides what it holds.

use std::sync::Arc;

use dashu_int::IBig;

use super::{Form, Leaf, Table, text};
use crate::domain::{Names, Text};
use crate::number::grouped;

/// The plans of a reward, or of the flow of a model.
pub(super) fn of_reward(text: &mut Text, table: &Table) {
    let name = &table.name;
    let divides = format!("Divides what `{name}` holds among its recipients. Anyone may do it.");
    text.gap();
    match &table.form {
        Form::Direct => {
            text.docs(&format!("Pays `{name}`. The locks are those of its deployment."));
            direct(text, table, &divides);
        }
        Form::List { .. } => {
            text.docs(&format!("Pays `{name}`. The list is that of its deployment."));
            text.block(&format!("plan {name}Pay(amount: Coin, recipients: list<{name}Recipient>)"), |text| {
                text.line(format!("output {name}(recipients).lock {{ value: amount }};"));
            });
            settle_list(text, table, &divides);
        }
        Form::Flow => {
            text.docs(&format!("Pays `{name}`. The locks are those of its deployment."));
            pay_flow(text, table);
            settle_list(text, table, &divides);
        }
    }
}

fn pay_flow(text: &mut Text, table: &Table) {
    let mut names = Names::new(Arc::new(table.leaves.iter().map(|leaf| leaf.param.clone()).collect()));
    let (amount, name) = (names.fresh("amount"), &table.name);
    let params: Vec<_> = table.leaves.iter().map(|leaf| format!("{}: Lock", leaf.param)).collect();
    text.block(&format!("plan {name}Pay({amount}: Coin, {})", params.join(", ")), |text| {
        let locks = table.leaves.iter().map(|leaf| leaf.param.clone());
        let lock = flow_lock(table, locks);
        text.line(format!("output {lock} {{ value: {amount} }};"));
    });
}

/// The lock of a model's flow, from the expressions of its recipients' locks.
pub(crate) fn flow_lock(table: &Table, locks: impl Iterator<Item = String>) -> String {
    let name = &table.name;
    let mut ranked: Vec<(&Leaf, String)> = table.leaves.iter().zip(locks).collect();
    ranked.sort_by_key(|(leaf, _)| leaf.rank);
    let record = |(leaf, lock): &(&Leaf, String)| {
        format!("{name}Recipient {{ weight: {}, lock: {lock} }}", grouped(&IBig::from(leaf.weight)))
    };
    let records: Vec<_> = ranked.iter().map(record).collect();
    format!("{name}([{}]).lock", records.join(", "))
}

fn settle_list(text: &mut Text, table: &Table, divides: &str) {
    let name = &table.name;
    text.gap();
    text.docs(divides);
    text.block(&format!("plan {name}Settle(fee: Coin)"), |text| {
        coins(text, name, ("pot", "others"), "fee");
        text.line("output each r in pot.params.recipients {");
        text.line("    lock: r.lock, shares_of: pot.value + others.value - fee, weight: r.weight,");
        text.line("};");
        text.line("change none;");
    });
}

/// The largest coin of a reward, or the one that is named, and those that join it. What carries a token was sent by
/// mistake and stays.
fn coins(text: &mut Text, name: &str, (pot, others): (&str, &str), fee: &str) {
    text.line(format!("input {pot}: {name}.settle(fee: {fee}) any where {pot}.token.category == 0x;"));
    let same = format!("{others}.lock == {pot}.lock && {others}.token.category == 0x");
    text.line(format!("input {others}: {name}.join() each where {same};"));
}

fn direct(text: &mut Text, table: &Table, divides: &str) {
    let mut names = Names::new(Arc::new(table.leaves.iter().map(|leaf| leaf.param.clone()).collect()));
    let [amount, fee, pot, others, net] = ["amount", "fee", "pot", "others", "net"].map(|name| names.fresh(name));
    let params: Vec<_> = table.leaves.iter().map(|leaf| format!("{}: Lock", leaf.param)).collect();
    let locks: Vec<_> = table.leaves.iter().map(|leaf| leaf.param.as_str()).collect();
    let name = &table.name;
    text.block(&format!("plan {name}Pay({amount}: Coin, {})", params.join(", ")), |text| {
        text.line(format!("output {name}({}).lock {{ value: {amount} }};", locks.join(", ")));
    });
    text.gap();
    text.docs(divides);
    text.block(&format!("plan {name}Settle({fee}: Coin)"), |text| {
        coins(text, name, (&pot, &others), &fee);
        text.line(format!("let {net} = {pot}.value + {others}.value - {fee};"));
        let mut parts = text::parts(table, &net, &mut names);
        parts.iter().filter_map(|part| part.reached.as_ref()).for_each(|line| text.line(line));
        parts.sort_by_key(|part| part.output);
        for part in parts {
            text.line(format!("output {pot}.params.{} {{ value: {} }};", part.leaf.param, part.share));
        }
        text.line("change none;");
    });
}
