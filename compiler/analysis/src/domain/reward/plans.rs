//! The plans of rewards: what pays one, and what divides what it holds.

use std::sync::Arc;

use super::{Form, Table};
use crate::domain::{Names, Text};

/// The plans of a reward, or of the flow of a model.
pub(super) fn of_reward(text: &mut Text, table: &Table) {
    let name = &table.name;
    let divides = format!("Divides a coin of `{name}` among its recipients. Anyone may do it.");
    text.gap();
    match &table.form {
        Form::Direct => {
            text.docs(&format!("Pays `{name}`. The locks are those of its deployment."));
            direct(text, table, &divides);
        }
        Form::List { .. } => {
            text.docs(&format!("Pays `{name}`. The list is that of its deployment."));
            list(text, table, &divides);
        }
    }
}

fn list(text: &mut Text, table: &Table, divides: &str) {
    let name = &table.name;
    text.block(&format!("plan {name}Pay(amount: Coin, recipients: list<{name}Recipient>)"), |text| {
        text.line(format!("output {name}(recipients).lock {{ value: amount }};"));
    });
    text.gap();
    text.docs(divides);
    text.block(&format!("plan {name}Settle(fee: Coin)"), |text| {
        text.line(format!("input pot: {name}.settle(fee: fee) any;"));
        text.line("output each r in pot.params.recipients {");
        text.line("    lock: r.lock, shares_of: pot.value - fee, weight: r.weight,");
        text.line("};");
        text.line("change none;");
    });
}

fn direct(text: &mut Text, table: &Table, divides: &str) {
    let mut names = Names::new(Arc::new(table.leaves.iter().map(|leaf| leaf.param.clone()).collect()));
    let [amount, fee, pot, net] = ["amount", "fee", "pot", "net"].map(|name| names.fresh(name));
    let params: Vec<_> = table.leaves.iter().map(|leaf| format!("{}: Lock", leaf.param)).collect();
    let locks: Vec<_> = table.leaves.iter().map(|leaf| leaf.param.as_str()).collect();
    let name = &table.name;
    text.block(&format!("plan {name}Pay({amount}: Coin, {})", params.join(", ")), |text| {
        text.line(format!("output {name}({}).lock {{ value: {amount} }};", locks.join(", ")));
    });
    text.gap();
    text.docs(divides);
    text.block(&format!("plan {name}Settle({fee}: Coin)"), |text| {
        text.line(format!("input {pot}: {name}.settle(fee: {fee}) any;"));
        text.line(format!("let {net} = {pot}.value - {fee};"));
        let mut ranked: Vec<_> = table.leaves.iter().enumerate().collect();
        ranked.sort_by_key(|(_, leaf)| leaf.rank);
        let mut shares = vec![String::new(); table.leaves.len()];
        let (mut reached, mut paid) = (0u64, String::new());
        for (output, leaf) in ranked {
            reached += leaf.weight;
            let mut upto = net.clone();
            if reached < table.denominator {
                upto = names.fresh(&format!("upto_{}", leaf.param));
                let exact = format!("({net} * {reached} + {} sats) / {}", table.denominator / 2, table.denominator);
                text.line(format!("let {upto} = {exact};"));
            }
            if let Some(share) = shares.get_mut(output) {
                *share = if paid.is_empty() { upto.clone() } else { format!("{upto} - {paid}") };
            }
            paid = upto;
        }
        for (leaf, share) in table.leaves.iter().zip(shares) {
            text.line(format!("output {pot}.params.{} {{ value: {share} }};", leaf.param));
        }
        text.line("change none;");
    });
}
