//! `bmc wallet`: accounts, balances, payments.

use clap::{Args, Subcommand};
use serde_json::json;
use spec::{RuleSet, Sats, TxOut};
use wallet::{Accounts, DEVNET_NAMES, FeeRate, Mnemonic, Purse, parse_amount};

use crate::fail::Fail;
use crate::link::{KeyArgs, Link, NETWORK, NodeArgs, account, lock_of};
use crate::shell::{BOLD, GOOD, NAME, Shell};

/// Look at accounts and send money.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bmc wallet accounts\n  bmc wallet balance @alice\n  bmc wallet send @alice @bob \"0.5 coin\""
)]
pub(crate) struct Wallet {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Subcommand)]
enum Action {
    /// List the named accounts with their addresses.
    #[command(after_help = "Examples:\n  bmc wallet accounts")]
    Accounts,
    /// Say what an account or address holds; without one, what every named account holds.
    #[command(after_help = "Examples:\n  bmc wallet balance\n  bmc wallet balance @alice")]
    Balance {
        /// An account or address.
        who: Option<String>,
    },
    /// Print an account's address.
    #[command(after_help = "Examples:\n  bmc wallet address @alice\n  bmc wallet address @alice --private")]
    Address {
        /// The account: a name or a number.
        who: String,
        /// Print the private key too.
        #[arg(long)]
        private: bool,
    },
    /// Make a new phrase, for a wallet of your own.
    #[command(after_help = "Examples:\n  bmc wallet new")]
    New,
    /// Send money from an account to an account or address.
    #[command(after_help = "Examples:\n  bmc wallet send @alice @bob \"0.5 coin\"")]
    Send {
        /// The account that pays.
        from: String,
        /// An account or address.
        to: String,
        /// How much, with its unit.
        amount: String,
    },
}

impl Wallet {
    pub(crate) fn run(self, shell: &Shell) -> Result<(), Fail> {
        let accounts = self.keys.accounts()?;
        match &self.action {
            Action::Accounts => list(shell, &accounts),
            Action::Balance { who } => balance(shell, &accounts, &self.node.link(), who.as_deref()),
            Action::Address { who, private } => address(shell, &accounts, who, *private),
            Action::New => new(shell),
            Action::Send { from, to, amount } => send(shell, &accounts, &self.node.link(), [from, to, amount]),
        }
    }
}

fn list(shell: &Shell, accounts: &Accounts) -> Result<(), Fail> {
    let rows: Vec<_> = accounts
        .named()
        .map(|(name, key)| (name, key.address(NETWORK).to_string(), hex::encode(key.public())))
        .collect();
    let data: Vec<_> = rows
        .iter()
        .map(|(name, address, key)| json!({ "name": name, "address": address, "public_key": key }))
        .collect();
    shell.print(&data, |out| {
        rows.iter().try_for_each(|(name, address, _)| writeln!(out, "{NAME}@{name:<8}{NAME:#} {address}"))
    })
}

fn balance(shell: &Shell, accounts: &Accounts, link: &Link, who: Option<&str>) -> Result<(), Fail> {
    let names = who.map_or_else(|| DEVNET_NAMES.map(|name| format!("@{name}")).to_vec(), |who| vec![who.to_owned()]);
    let mut rows = Vec::new();
    for name in names {
        let coins = link.coins(&lock_of(accounts, &name)?)?;
        let total = Sats::checked_sum(coins.iter().map(|coin| coin.output.value)).unwrap_or_default();
        rows.push((name, total, coins.len()));
    }
    let data: Vec<_> =
        rows.iter().map(|(who, total, coins)| json!({ "who": who, "sats": total, "coins": coins })).collect();
    shell.print(&data, |out| {
        rows.iter().try_for_each(|(who, total, coins)| {
            writeln!(out, "{NAME}{who:<9}{NAME:#} {total:>18} coin in {coins} coins")
        })
    })
}

fn address(shell: &Shell, accounts: &Accounts, who: &str, private: bool) -> Result<(), Fail> {
    let key = account(accounts, who)?;
    let address = key.address(NETWORK).to_string();
    let wif = private.then(|| key.wif(NETWORK));
    let data = json!({ "address": address, "public_key": hex::encode(key.public()), "private_key": wif });
    shell.print(&data, |out| {
        writeln!(out, "{address}")?;
        wif.iter().try_for_each(|wif| writeln!(out, "{wif}"))
    })
}

fn new(shell: &Shell) -> Result<(), Fail> {
    let mut entropy = [0; 16];
    getrandom::fill(&mut entropy).map_err(|error| Fail::refused(format!("the system gives no randomness: {error}")))?;
    let phrase = Mnemonic::from_entropy(&entropy);
    let (words, address) = (phrase.words(), phrase.accounts().key(0).address(NETWORK).to_string());
    shell.print(&json!({ "mnemonic": words, "address": address }), |out| {
        writeln!(out, "{BOLD}{words}{BOLD:#}")?;
        writeln!(out, "first address: {address}")?;
        writeln!(out, "write the words down; commands use them as `BMC_MNEMONIC`")
    })
}

fn send(shell: &Shell, accounts: &Accounts, link: &Link, [from, to, amount]: [&str; 3]) -> Result<(), Fail> {
    let amount = parse_amount(amount)?;
    let (key, lock) = (account(accounts, from)?, lock_of(accounts, to)?);
    let purse = Purse::of(key, link.coins(&key.lock())?);
    let built = wallet::pay(&purse, vec![TxOut::plain(amount, lock)], FeeRate::RELAY_MIN, RuleSet::default())?;
    let txid = link.send(&built.tx)?;
    shell.print(&json!({ "txid": txid, "amount": amount.to_string(), "fee_sats": built.fee }), |out| {
        writeln!(out, "{GOOD}sent{GOOD:#} {amount} coin to {to} for a fee of {} sats", built.fee.get())?;
        writeln!(out, "  {txid}")
    })
}
