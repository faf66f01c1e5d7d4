//! Who is who, what they hold, and what the texts of a story mean.

use spec::artifact::Slot;
use spec::token::Token;
use spec::{Category, Network, OutPoint, TxOut};
use wallet::{Args, FeeRate, Key, Names, Purse, Utxo, parse_value};

use super::{Pairs, RULES, Story};

impl Story {
    /// The key of a person.
    ///
    /// # Panics
    /// If there is no such account.
    #[must_use]
    #[track_caller]
    pub fn key(&self, who: &str) -> Key {
        self.accounts.find(who).unwrap_or_else(|| panic!("there is no account `{who}`"))
    }

    /// What a person's coins hold in base units, as the node says.
    #[must_use]
    #[track_caller]
    pub fn balance(&self, who: &str) -> u64 {
        self.held_at(&self.key(who).lock())
    }

    /// Compares what everybody holds with what the story says, all at once.
    ///
    /// # Panics
    /// If a figure differs.
    #[track_caller]
    pub fn balances(&self, expected: &[(&str, u64)]) {
        let held: Vec<(&str, u64)> = expected.iter().map(|(who, _)| (*who, self.balance(who))).collect();
        assert_eq!(held, expected, "what everybody holds");
    }

    /// What the coins of a lock hold in base units, as the node says.
    ///
    /// # Panics
    /// If the node and the story disagree.
    #[must_use]
    #[track_caller]
    pub fn held_at(&self, lock: &[u8]) -> u64 {
        let sum = |coins: &[Utxo]| coins.iter().map(|coin| coin.output.value.get()).sum::<u64>();
        let by_node = sum(&self.unspent(lock));
        assert_eq!(by_node, sum(&self.coins_at(lock)), "the node's coins are those that the story followed");
        by_node
    }

    /// How many fungible tokens of a category a person holds.
    #[must_use]
    #[track_caller]
    pub fn tokens(&self, who: &str, category: Category) -> u64 {
        let of = |coin: &Utxo| coin.output.token.as_ref().filter(|token| token.category == category).map(amount);
        self.unspent(&self.key(who).lock()).iter().filter_map(of).sum()
    }

    /// The coins of a lock, in the order of their outpoints.
    #[must_use]
    pub fn coins_at(&self, lock: &[u8]) -> Vec<Utxo> {
        let here = self.coins.iter().filter(|(_, output)| output.lock == lock);
        here.map(|(outpoint, output)| Utxo { outpoint: *outpoint, output: output.clone() }).collect()
    }

    /// Gives everybody a coin of their own.
    pub(super) fn fund(&mut self, faucet: Key, people: Pairs<'_>) {
        let outputs: Vec<TxOut> = people
            .iter()
            .map(|(who, amount)| TxOut::plain(wallet::parse_amount(amount).unwrap(), self.key(who).lock()))
            .collect();
        self.funded = outputs.iter().map(|output| output.value.get()).sum();
        // Output 0 can name a category; nobody's coin shall by chance.
        let purse = Purse::of(faucet, self.unspent(&faucet.lock()));
        let first = TxOut::plain(spec::Sats::from_wire(1_000), faucet.lock());
        let all = std::iter::once(first).chain(outputs.clone()).collect();
        let built = wallet::pay(&purse, all, FeeRate::RELAY_MIN, RULES).unwrap();
        let txid = self.broadcast(&built.tx).unwrap();
        self.mine(1);
        self.coins = (1u32..).zip(outputs).map(|(index, output)| (OutPoint { txid, index }, output)).collect();
    }

    #[track_caller]
    pub(super) fn read(&self, slots: &[Slot], pairs: Pairs<'_>) -> Args {
        let names = Names { network: Network::Devnet, accounts: &self.accounts };
        let one = |(name, text): &(&str, &str)| {
            let slot = slots.iter().find(|slot| slot.name == *name);
            let slot = slot.unwrap_or_else(|| panic!("there is no `{name}` among {slots:?}"));
            let value = parse_value(&slot.ty, text, names);
            ((*name).to_owned(), value.unwrap_or_else(|error| panic!("`{name}`: {error}; {}", error.help())))
        };
        pairs.iter().map(one).collect()
    }
}

fn amount(token: &Token) -> u64 {
    token.amount
}
