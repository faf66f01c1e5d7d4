//! The plans of an offering: the transactions that its contracts accept, as wallets build them.

use std::sync::Arc;

use super::price::{Price, sats};
use super::text::{launch_params, lock_of, number};
use super::{BASE_SATS, Kind, Offering, Part, Source, adoption, usage};
use crate::domain::{Names, Text};

/// What an output holds that carries tokens to their owner.
const CARRIER: &str = "1_000 sats";

pub(super) fn write(text: &mut Text, offering: &Offering) {
    let plans = Plans { offering, base: sats(BASE_SATS), prefix: snake(&offering.name) };
    plans.prepare(text);
    plans.launch(text);
    for part in &offering.parts {
        let Some(contract) = offering.contract_of(part) else { continue };
        text.at(&part.loc, |text| match &part.kind {
            Kind::Plain => {}
            Kind::Upstream(None) => plans.split_upstream_list(text, &contract, part),
            Kind::ProRata(_) => plans.claim(text, &contract, part),
            Kind::Vest { over, .. } => plans.vest(text, &contract, part, *over),
            Kind::Upstream(Some(sources)) => plans.split_upstream(text, &contract, sources),
            Kind::Sale(price) => {
                plans.buy(text, &contract, price);
                plans.withdraw(text, &contract);
            }
        });
    }
    if let Some(revenue) = &offering.revenue {
        text.at(&revenue.loc, |text| {
            plans.join(text);
            plans.redeem(text);
        });
    }
    if let Some(usage) = &offering.usage {
        text.at(&usage.loc, |text| usage::plans(text, offering, &plans.prefix));
    }
}

/// `CoderToken` as `coder_token`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for (index, c) in name.chars().enumerate() {
        if c.is_uppercase() && index > 0 && !out.ends_with('_') {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

struct Plans<'o> {
    offering: &'o Offering,
    base: String,
    prefix: String,
}

impl Plans<'_> {
    fn plan(&self, text: &mut Text, docs: &str, head: &str, write: impl FnOnce(&mut Text)) {
        text.gap();
        text.docs(docs);
        text.block(&format!("plan {}_{head}", self.prefix), write);
    }

    /// An output that carries tokens to their owner.
    fn pay(text: &mut Text, to: &str, category: &str, amount: &str) {
        text.line(format!("output {to} {{ value: {CARRIER}, token: {{ category: {category}, amount: {amount} }} }};"));
    }

    /// An output that carries a contract's coin on.
    fn next(text: &mut Text, coin: &str, value: &str, changes: &str) {
        text.block(&format!("output {coin}.lock"), |text| {
            text.line(format!("value: {value},"));
            text.line(format!("token: {coin}.token with {{ {changes} }},"));
        });
        text.end_statement();
    }

    fn prepare(&self, text: &mut Text) {
        let params = launch_params(self.offering);
        let declared: Vec<_> = params.iter().map(|(name, ty, _)| format!("{name}: {ty}")).collect();
        let names: Vec<_> = params.iter().map(|(name, ..)| name.as_str()).collect();
        let mut taken = Names::new(Arc::new(params.iter().map(|(name, ..)| name.clone()).collect()));
        let docs = "Makes the launch coin, whose outpoint the judges then attest.";
        self.plan(text, docs, &format!("prepare({})", declared.join(", ")), |text| {
            self.offering.judges.value.all_different_in_plan(text);
            let lock = format!("{}Launch({}).lock", self.offering.name, names.join(", "));
            match &self.offering.usage {
                None => text.line(format!("output {lock} {{ value: {} }};", self.base)),
                Some(usage) => text.at(&usage.loc, |text| usage::badge(text, &lock, &self.base, &mut taken)),
            }
        });
    }

    fn launch(&self, text: &mut Text) {
        let offering = self.offering;
        let judges = offering.judges.value.keys.iter().map(|key| format!("sig_{}", key.value)).collect::<Vec<_>>();
        let children = offering.adoption.as_ref();
        let mut args: Vec<_> = judges.iter().map(|sig| format!("{sig}: DataSig")).collect();
        args.extend(children.iter().flat_map(|children| adoption::children(children.value)));
        let docs = "Makes the whole supply. Judges who do not attest leave their signature empty.";
        self.plan(text, docs, &format!("launch({})", args.join(", ")), |text| {
            let given: Vec<_> = judges.iter().map(|sig| format!("{sig}: {sig}")).collect();
            text.line(format!("input coin: {}Launch.launch({});", offering.name, given.join(", ")));
            if let Some(backed) = offering.backed() {
                let of = "record.token.category == coin.params.receipts + 0x01";
                text.line(format!("input record: {}Escrow.show() any where {of};", backed.campaign));
            }
            if let Some(children) = children {
                text.at(&children.loc, |text| adoption::inputs_of_launch(text, children.value));
            }
            if let Some(usage) = &offering.usage {
                text.at(&usage.loc, |text| usage::inputs_of_launch(text, offering));
            }
            for (at, part) in offering.parts.iter().enumerate() {
                let state = match &part.kind {
                    Kind::Plain | Kind::Upstream(_) => None,
                    Kind::ProRata(_) => Some("claimed: 0"),
                    Kind::Vest { .. } => Some("elapsed: 0 blocks"),
                    Kind::Sale(_) => Some("sold: 0"),
                };
                text.at(&part.loc, |text| self.begin(text, &self.lock_in(part), part.amount, state));
                if at == 0 && offering.backed().is_some() {
                    text.line("output record.lock { value: record.value, token: record.token };");
                }
                if let Some(children) = children.filter(|_| at == 0) {
                    text.at(&children.loc, |text| adoption::outputs_of_launch(text, children.value));
                }
            }
            if let Some(revenue) = &offering.revenue {
                let state = format!("outstanding: {}", number(offering.supply.value));
                let lock = format!("{}Holders().lock", offering.name);
                text.at(&revenue.loc, |text| self.begin(text, &lock, 0, Some(&state)));
            }
            if let Some(usage) = &offering.usage {
                text.at(&usage.loc, |text| usage::outputs_of_launch(text, offering, usage));
            }
        });
    }

    /// The lock of a part, by what the launch coin was deployed with.
    fn lock_in(&self, part: &Part) -> String {
        let lock = lock_of(self.offering, part);
        let Some((contract, args)) = lock.strip_suffix(").lock").and_then(|call| call.split_once('(')) else {
            return format!("coin.params.{lock}");
        };
        let args: Vec<_> = args.split(", ").map(|arg| format!("coin.params.{arg}")).collect();
        format!("{contract}({}).lock", args.join(", "))
    }

    fn begin(&self, text: &mut Text, lock: &str, amount: u64, state: Option<&str>) {
        let amount = number(amount);
        let token = match state {
            Some(state) => format!("category: coin.txid, capability: mutable, amount: {amount}, state: {{ {state} }}"),
            None => format!("category: coin.txid, amount: {amount}"),
        };
        text.block(&format!("output {lock}"), |text| {
            text.line(format!("value: {},", self.base));
            text.line(format!("token: {{ {token} }},"));
        });
        text.end_statement();
    }

    fn buy(&self, text: &mut Text, contract: &str, price: &Price) {
        let is_dutch = matches!(price, Price::Dutch { .. });
        let (at, given) = if is_dutch { (", at: Height", ", at: at") } else { ("", "") };
        let docs = "Buys `amount` tokens, which go to `buyer`.";
        self.plan(text, docs, &format!("buy(amount: Tokens, buyer: Lock{at})"), |text| {
            text.line(format!("input sale: {contract}.buy(amount: amount{given});"));
            for line in price.cost("sale.state.sold") {
                text.line(line);
            }
            let changes = "amount: sale.token.amount - amount, state: { sold: sale.state.sold + amount }";
            Self::next(text, "sale", "sale.value + cost", changes);
            Self::pay(text, "buyer", "sale.token.category[..32]", "amount");
            if is_dutch {
                text.line("locktime at;");
            }
        });
    }

    fn withdraw(&self, text: &mut Text, contract: &str) {
        let treasury = &self.offering.treasury.value;
        self.plan(text, &format!("Sends the money of the sale to `{treasury}`."), "withdraw()", |text| {
            text.line(format!("input sale: {contract}.withdraw();"));
            text.line(format!("output sale.lock {{ value: {}, token: sale.token }};", self.base));
            text.line(format!("output sale.params.{treasury} {{ value: sale.value - {} }};", self.base));
        });
    }

    fn claim(&self, text: &mut Text, contract: &str, part: &Part) {
        let docs =
            "Gives `amount` receipts away for their part of the tokens. One coin of the backer holds exactly so many.";
        self.plan(text, docs, "claim(amount: Tokens, backer: PubKey)", |text| {
            text.line(format!("input claims: {contract}.claim(amount: amount);"));
            text.line(
                "input receipts: key(backer) with { token: { category: claims.params.receipts, amount: amount } };",
            );
            text.line("burn receipts;");
            text.line(format!("let part: Tokens = {};", number(part.amount)));
            text.line("let all = int(claims.params.raised);");
            text.line("let claimed = claims.state.claimed + amount;");
            text.line("let due = part * int(claimed) / all - part * int(claims.state.claimed) / all;");
            Self::next(
                text,
                "claims",
                "claims.value",
                "amount: claims.token.amount - due, state: { claimed: claimed }",
            );
            Self::pay(text, "p2pkh(hash160(backer))", "claims.token.category[..32]", "due");
        });
    }

    fn vest(&self, text: &mut Text, contract: &str, part: &Part, over: u64) {
        let suffix = contract.strip_prefix(&format!("{}Vesting", self.offering.name)).unwrap_or_default();
        let suffix = if suffix.is_empty() { String::new() } else { format!("_{}", part.name) };
        let docs = format!("Gives `{}` what has vested; the coin has lain for `blocks`.", part.name);
        self.plan(text, &docs, &format!("vest{suffix}(blocks: Blocks)"), |text| {
            text.line(format!("input vesting: {contract}.claim(age: blocks);"));
            text.line(format!("let part: Tokens = {};", number(part.amount)));
            text.line(format!("let elapsed = min(vesting.state.elapsed + blocks, {} blocks);", number(over)));
            text.line(format!("let left = part - part * int(elapsed) / {};", number(over)));
            Self::next(text, "vesting", "vesting.value", "amount: left, state: { elapsed: elapsed }");
            let to = format!("vesting.params.{}", part.name);
            Self::pay(text, &to, "vesting.token.category[..32]", "vesting.token.amount - left");
            text.line("age vesting blocks;");
        });
    }

    fn split_upstream(&self, text: &mut Text, contract: &str, sources: &[Source]) {
        self.plan(text, "Gives the sources of the model their tokens.", "split_upstream()", |text| {
            text.line(format!("input upstream: {contract}.divide();"));
            for (output, source) in sources.iter().enumerate() {
                let value = if output == 0 { "upstream.value" } else { CARRIER };
                let token = format!("{{ category: upstream.token.category, amount: {} }}", number(source.amount));
                text.line(format!("output upstream.params.{} {{ value: {value}, token: {token} }};", source.param));
            }
        });
    }

    fn split_upstream_list(&self, text: &mut Text, contract: &str, part: &Part) {
        let recipient = format!("{}Recipient", self.offering.name);
        let docs = format!(
            "Gives the sources of the list, the one that the lock of `{}` was made of, their tokens.",
            part.name
        );
        self.plan(text, &docs, &format!("split_upstream(recipients: list<{recipient}>)"), |text| {
            text.line(format!("input upstream: {contract}.divide();"));
            text.block("output each (i, recipient) in recipients", |text| {
                text.line("lock: recipient.lock,");
                text.line(format!("value: if i == 0 {{ upstream.value }} else {{ {CARRIER} }},"));
                text.line("token: { category: upstream.token.category, amount: tokens(recipient.amount) },");
            });
            text.end_statement();
        });
    }

    fn join(&self, text: &mut Text) {
        let name = &self.offering.name;
        self.plan(
            text,
            "Adds what has come in, `amount` in all, to the money of the holders.",
            "join(amount: Coin)",
            |text| {
                text.line(format!("input holders: {name}Holders.add(amount: amount);"));
                text.line(format!("input coins: {name}Revenue.join() each;"));
                text.line("require coins.value == amount, \"`amount` is what all the coins hold\";");
                text.line("output holders.lock { value: holders.value + amount, token: holders.token };");
            },
        );
    }

    fn redeem(&self, text: &mut Text) {
        let name = &self.offering.name;
        let docs = "Gives `amount` tokens away for ever, for their part of the holders' money.";
        self.plan(text, docs, "redeem(amount: Tokens, holder: PubKey)", |text| {
            text.line(format!("input holders: {name}Holders.redeem(amount: amount);"));
            text.line("input tokens_in: key(holder) with { token: { category: holders.token.category[..32], amount: amount } };");
            text.line("let outstanding = holders.state.outstanding;");
            text.line(format!("let back = (holders.value - {}) * int(amount) / int(outstanding);", self.base));
            let changes = "amount: holders.token.amount + amount, state: { outstanding: outstanding - amount }";
            Self::next(text, "holders", "holders.value - back", changes);
            text.line("output p2pkh(hash160(holder)) { value: back };");
        });
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn plans_are_named_after_the_offering() {
        for (name, plan) in [("CoderToken", "coder_token"), ("X", "x"), ("A_b", "a_b"), ("GPT", "g_p_t")] {
            assert_eq!(super::snake(name), plan);
        }
    }
}
