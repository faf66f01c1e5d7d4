//! The contract of a reward that knows its recipients by the hash of a list.

use dashu_int::IBig;

use super::text::{join, pot, sats_text};
use super::{Form, Table};
use crate::domain::Text;
use crate::number::grouped;

/// The contract, the struct of its records and, if the list may be replaced, the contract that says
/// which list counts.
///
/// Every name in it is fixed: nothing of the author's stands in its bodies.
pub(super) fn write(text: &mut Text, table: &Table) {
    let (name, recipient) = (&table.name, format!("{}Recipient", table.name));
    let adjust = match &table.form {
        Form::List { adjust } => adjust.as_ref(),
        Form::Direct | Form::Flow => None,
    };
    let until = if adjust.is_some() { " until: Height," } else { "" };
    text.docs(&format!("A recipient of `{name}`."));
    text.line(format!("struct {recipient} {{ weight: Int<4>,{until} lock: Lock }}"));
    text.gap();
    text.docs(&table.docs);
    let params = [("recipients".to_owned(), format!("list<{recipient}>"), table.loc.clone())];
    text.contract(name, &params, |text| {
        settle(text, table);
        text.gap();
        join(text);
    });
    if let Some(adjust) = adjust {
        super::record::write(text, table, adjust);
    }
}

/// Output `i` pays recipient `i`: whose lock it has, and no less than the difference of two rounded
/// parts of the pot, as in `spec::split`; so all of them together get exactly the pot.
///
/// Nothing asks whether the fee is below 0: then outputs take more than the coins hold, and whoever
/// settles has to add it. A list whose weights do not sum to the whole divides no pot without a rest.
fn settle(text: &mut Text, table: &Table) {
    text.docs("Pays every recipient its share. Anyone may do it; `fee` goes to the miner.");
    let numbers = Numbers::of(table);
    text.block("spend settle(fee: Coin, padding: Padding)", |text| {
        pot(text, "total", "input");
        text.at(&table.fee_loc, |text| {
            text.require(
                format!("fee <= {}", numbers.fee_max),
                &format!("the fee is at most {}", sats_text(table.fee_max)),
            );
        });
        text.line("let pot = total - fee;");
        text.at(&table.minimum_loc, |text| {
            let least = sats_text(table.pot_min());
            let message = format!("the pot less the fee is at least {least}: the minimum less the largest fee");
            text.require(format!("pot >= {}", numbers.least), &message);
        });
        shares(text, table, &numbers);
    });
}

/// The numbers of a settlement, as the contract knows them.
struct Numbers {
    fee_max: String,
    least: String,
    whole: String,
    /// One half of the whole, as an amount.
    half: String,
}

impl Numbers {
    /// They are constants of a reward's script; those of a model's flow stand in what its list's hash begins with
    /// (`spec::model::Terms`), so that the script is the same for all models.
    fn of(table: &Table) -> Self {
        if table.form != Form::Flow {
            return Self {
                fee_max: sats_text(table.fee_max),
                least: sats_text(table.pot_min()),
                whole: grouped(&IBig::from(table.denominator)),
                half: format!("{} sats", grouped(&IBig::from(table.denominator / 2))),
            };
        }
        let whole = "int(recipients.about[..4])";
        Self {
            fee_max: "int(recipients.about[12..16]) * 1 sats".to_owned(),
            least: "int(recipients.about[4..12]) * 1 sats".to_owned(),
            whole: whole.to_owned(),
            half: format!("{whole} * 1 sats / 2"),
        }
    }
}

/// What the first recipients are due together is `scaled`, which begins with one half, over the whole.
fn shares(text: &mut Text, table: &Table, numbers: &Numbers) {
    text.line(format!("let mut scaled = {};", numbers.half));
    text.line("let mut paid = 0 sats;");
    text.block("for (i, recipient) in recipients where recipient.lock == tx.outputs[i].lock", |text| {
        text.require("recipient.weight > 0", "every weight is above 0");
        text.line("scaled = scaled + pot * recipient.weight;");
        text.line(format!("let due = scaled / {};", numbers.whole));
        text.require("tx.outputs[i].value >= due - paid", "every recipient gets its share of the pot");
        text.line("paid = due;");
    });
    let whole = grouped(&IBig::from(table.denominator));
    text.require("paid == pot", &format!("the shares are the whole pot: the weights of the list sum to {whole}"));
}
