//! The plain contract of a reward, and the statements of a division.

use std::sync::Arc;

use dashu_base::Gcd;
use dashu_int::IBig;
use spec::Sats;
use syntax::Loc;

use super::{Form, Leaf, Table, list, plans};
use crate::domain::{Names, Text};
use crate::number::grouped;

/// No transaction has more inputs.
const INPUTS_MAX: usize = 65_535;
/// The bytes of a lock to a key's hash; no contract's lock has as many.
const KEY_LOCK: usize = 25;

/// The contract that a reward declares: anyone may settle a coin of it, paying at most the fee.
///
/// A token on the coin is not looked at: it was sent by mistake, and demanding anything of it could
/// lock the money.
pub(crate) fn text(table: &Table) -> Text {
    let mut text = Text::new(table.loc.clone());
    if table.form != Form::Direct {
        list::write(&mut text, table);
        plans::of_reward(&mut text, table);
        return text;
    }
    let mut names = Names::new(Arc::new(table.leaves.iter().map(|leaf| leaf.param.clone()).collect()));
    let params: Vec<_> =
        table.leaves.iter().map(|leaf| (leaf.param.clone(), "Lock".to_owned(), leaf.loc.clone())).collect();
    text.docs(&table.docs);
    text.contract(&table.name, &params, |text| {
        settle(text, table, &mut names);
        text.gap();
        join(text);
    });
    plans::of_reward(&mut text, table);
    text
}

fn settle(text: &mut Text, table: &Table, names: &mut Names) {
    let fee = names.fresh("fee");
    let pot = names.fresh("pot");
    text.docs(&format!("Pays every source its share. Anyone may do it; `{fee}` goes to the miner."));
    text.block(&format!("spend settle({fee}: Coin)"), |text| {
        text.at(&table.fee_loc, |text| {
            let end = table.fee_max.get() + 1;
            let condition = format!("within({fee}, 0 sats, {} sats)", grouped(&end.into()));
            text.require(condition, &format!("the fee is at most {}", sats_text(table.fee_max)));
        });
        let total = own_coins(text, names);
        text.line(format!("let {pot} = {total} - {fee};"));
        count_outputs(text, table);
        shares(text, table, &pot, names);
    });
}

/// The value of all coins with this lock, which only the first input may divide. Gives the variable's name.
fn own_coins(text: &mut Text, names: &mut Names) -> String {
    let [total, input] = ["total", "input"].map(|name| names.fresh(name));
    pot(text, &total, &input);
    total
}

/// Adds up the coins with this lock in `total`.
///
/// Input 0 cannot take `join`, so if it carries this lock, it settles, and counts every coin that joins.
/// Beside them are coins of keys only: what a contract wants of an output could be what a recipient is due.
pub(super) fn pot(text: &mut Text, total: &str, input: &str) {
    text.require("self.index == 0", "the first input settles, other coins of the reward join it");
    text.each_input((total, input), 0, INPUTS_MAX, |text, add| {
        let own = format!("tx.inputs[{input}].lock == self.lock");
        text.either(
            &own,
            |text| text.line(add),
            |text| {
                let of_key = format!("tx.inputs[{input}].lock.length == {KEY_LOCK}");
                text.require(of_key, "beside coins of this reward are coins of keys only");
            },
        );
    });
}

pub(super) fn join(text: &mut Text) {
    text.docs("Adds a coin to the settlement of the first input.");
    text.block("spend join()", |text| {
        text.require("self.index > 0", "the first input settles");
        text.require("tx.inputs[0].lock == self.lock", "the first input is a coin of this reward");
    });
}

/// The statements of `split pot by Table`, where the locks of the sources have the names of their parameters.
///
/// Worked example, 30 % and 70 %: the first output is `(pot * 3 + 5 sats) / 10`, the second `pot` less that.
pub(crate) fn divide(text: &mut Text, table: &Table, pot: &str, names: &mut Names, loc: &Loc) {
    text.at(loc, |text| {
        text.require("tx.inputs.length == 1", "the coin is spent alone: the transaction has one input");
        count_outputs(text, table);
    });
    shares(text, table, pot, names);
}

/// Every source gets its part of the pot, the output of its number.
fn shares(text: &mut Text, table: &Table, pot: &str, names: &mut Names) {
    text.at(&table.minimum_loc, |text| {
        let least = sats_text(table.pot_min());
        let message = format!("the pot less the fee is at least {least}: the minimum less the largest fee");
        text.require(format!("{pot} >= {least}"), &message);
    });
    for part in parts(table, pot, names) {
        text.at(&part.leaf.loc, |text| {
            part.reached.iter().for_each(|line| text.line(line));
            payment(text, table, part.leaf, part.output, &part.share);
        });
    }
}

/// What one source gets of a pot.
pub(super) struct Part<'t> {
    /// The number of its output.
    pub(super) output: usize,
    pub(super) leaf: &'t Leaf,
    /// The statement that says what it and those before it get; the last source takes all that is left.
    pub(super) reached: Option<String>,
    /// Its share, in terms of such statements.
    pub(super) share: String,
}

/// The parts of `pot`, in the order of rounding.
pub(super) fn parts<'t>(table: &'t Table, pot: &str, names: &mut Names) -> Vec<Part<'t>> {
    let mut ranked: Vec<_> = table.leaves.iter().enumerate().collect();
    ranked.sort_by_key(|(_, leaf)| leaf.rank);
    let (mut weight, mut paid) = (0u64, None::<String>);
    let part = |(output, leaf): (usize, &'t Leaf)| {
        weight += leaf.weight;
        let upto = (weight < table.denominator).then(|| names.fresh(&format!("upto_{}", leaf.param)));
        let reached = upto.as_ref().map(|upto| format!("let {upto} = {};", cumulative(pot, weight, table.denominator)));
        let end = upto.as_deref().unwrap_or(pot);
        let share = paid.as_ref().map_or_else(|| end.to_owned(), |paid| format!("{end} - {paid}"));
        paid = upto;
        Part { output, leaf, reached, share }
    };
    ranked.into_iter().map(part).collect()
}

/// The outputs are the sources, nothing else.
fn count_outputs(text: &mut Text, table: &Table) {
    let count = table.leaves.len();
    let outputs =
        if count == 1 { "output".to_owned() } else { format!("outputs, one for each source of `{}`", table.name) };
    text.require(format!("tx.outputs.length == {count}"), &format!("the transaction has exactly {count} {outputs}"));
}

/// Output `output` pays `share` to the leaf's lock.
fn payment(text: &mut Text, table: &Table, leaf: &Leaf, output: usize, share: &str) {
    let common = leaf.weight.gcd(table.denominator);
    let (part, whole) = (leaf.weight / common, table.denominator / common);
    let gets = if whole == 1 { "the whole pot".to_owned() } else { format!("{part}/{whole} of the pot") };
    let rounding = if leaf.rank + 1 == table.leaves.len() && whole > 1 { ", and what rounding leaves" } else { "" };
    text.require(
        format!("tx.outputs[{output}].lock == {}", leaf.param),
        &format!("`{}` is paid at its own lock (output {output})", leaf.name),
    );
    text.require(
        format!("tx.outputs[{output}].value == {share}"),
        &format!("`{}` gets {gets}{rounding} (output {output})", leaf.name),
    );
}

/// `pot · weight / denominator` to the nearest unit, in lowest terms: dividing all three numbers
/// by a common factor does not change the rounded quotient.
fn cumulative(pot: &str, weight: u64, denominator: u64) -> String {
    let common = weight.gcd(denominator);
    let (weight, denominator) = (weight / common, denominator / common);
    let number = |n: u64| grouped(&IBig::from(n));
    let scaled = if weight == 1 { pot.to_owned() } else { format!("{pot} * {}", number(weight)) };
    format!("({scaled} + {} sats) / {}", number(denominator / 2), number(denominator))
}

pub(super) fn sats_text(amount: Sats) -> String {
    format!("{} sats", grouped(&IBig::from(amount.get())))
}
