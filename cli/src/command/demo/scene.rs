//! What happens: a node, a contract, a payment, a forgery that fails, a settlement, a block.

use std::path::Path;
use std::time::{Duration, Instant};

use client::RpcError;
use driver::{MemoryWorld, Options};
use indicatif::{ProgressBar, ProgressStyle};
use node::{Auth, Config, NodeHandle, Prefund};
use serde_json::json;
use spec::artifact::{AbiType, AbiValue};
use spec::{Artifact, Sats, Transaction, TxOut, Txid};
use wallet::{Accounts, FeeRate, Params, Purse, Settled, Settlement};

use crate::fail::Fail;
use crate::link::{Link, NETWORK};
use crate::project::{self, TargetArgs};
use crate::shell::Shell;

use super::story::{Cast, Forgery, Story};

const SOURCE_NAME: &str = "text_to_image.bmc";
const SOURCE: &str = include_str!("../../../../examples/text-to-image-reward/text_to_image.bmc");

/// The payment: one coin.
const POT_SATS: u64 = 100_000_000;
/// The accounts' numbers; all but the payer's are fresh.
const PAYER: u32 = 0;
const PAYER_NAME: &str = "@alice";
const MINER: u32 = 90;
const KEEPER: u32 = 91;
const FIRST_RECIPIENT: u32 = 100;

/// Plays the story, and tells it from what the chain says afterwards.
pub(crate) fn play(shell: &Shell, example: Option<&Path>) -> Result<Story, Fail> {
    let started = Instant::now();
    let progress = progress();
    progress.set_message("compiling");
    let (title, artifact) = compile(shell, example)?;
    progress.set_message("starting a devnet");
    let accounts = Accounts::devnet();
    let node = start(&accounts)?;
    let link = Link::new(&node.rpc_url(), node.cookie());
    progress.set_message("paying and settling");
    let story = act(title, artifact, &accounts, &link);
    progress.finish_and_clear();
    node.stop();
    node.join().map_err(|error| Fail::refused(error.to_string()))?;
    let mut story = story?;
    story.milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(story)
}

fn progress() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// The example's name and its reward.
fn compile(shell: &Shell, example: Option<&Path>) -> Result<(String, Artifact), Fail> {
    let (title, compiled) = match example {
        Some(path) => (path.display().to_string(), project::compile(&[path.to_owned()], TargetArgs::default())?),
        None => {
            let world = MemoryWorld::new([(SOURCE_NAME, SOURCE)]);
            let compiled = driver::compile(&world, &[SOURCE_NAME.to_owned()], &Options::default());
            ("examples/text-to-image-reward".to_owned(), compiled)
        }
    };
    project::report(shell, &compiled)?;
    let mut rewards = compiled.artifacts.into_iter().filter(|artifact| artifact.reward.is_some());
    match (rewards.next(), rewards.next()) {
        (Some(only), None) => Ok((title, only)),
        (None, _) => Err(Fail::usage("the sources declare no reward")),
        (Some(_), Some(_)) => {
            Err(Fail::usage("the sources declare several rewards").help("name one file with one reward"))
        }
    }
}

fn start(accounts: &Accounts) -> Result<NodeHandle, Fail> {
    let mut password = [0; 16];
    getrandom::fill(&mut password)
        .map_err(|error| Fail::refused(format!("the system gives no randomness: {error}")))?;
    let config = Config {
        network: NETWORK,
        rpc_bind: ([127, 0, 0, 1], 0).into(),
        auth: Auth::Password { user: "demo".to_owned(), password: hex::encode(password) },
        prefund: vec![Prefund { lock: accounts.key(PAYER).lock(), blocks: 1 }],
        ..Config::default()
    };
    node::start(config).map_err(|error| Fail::refused(error.to_string()))
}

fn act(title: String, artifact: Artifact, accounts: &Accounts, link: &Link) -> Result<Story, Fail> {
    let params = recipients(&artifact, accounts)?;
    let redeem = artifact.redeem_script(&params)?;
    let lock = artifact.lock(&params)?;
    link.register(&artifact, &lock)?;
    let payment = pay(accounts, link, &artifact, lock.clone())?;
    mine(accounts, link)?;

    let settled = settle(link, &artifact, &params, &lock)?;
    let forgery = forge(link, &artifact, &settled)?;
    let settlement = link.send(&settled.built.tx)?;
    mine(accounts, link)?;

    let keeper = link.coins(&accounts.key(KEEPER).lock())?;
    let cast = Cast {
        title,
        params,
        redeem_bytes: redeem.len(),
        lock,
        payer: PAYER_NAME.to_owned(),
        keeper_sats: Sats::checked_sum(keeper.iter().map(|coin| coin.output.value)).unwrap_or_default(),
    };
    Story::read(link, &artifact, cast, payment, settlement, forgery)
}

/// A fresh account for every lock that the contract pays.
fn recipients(artifact: &Artifact, accounts: &Accounts) -> Result<Params, Fail> {
    let param = |(slot, index): (&spec::artifact::Slot, u32)| match slot.ty {
        AbiType::Lock => Ok((slot.name.clone(), AbiValue::Item(accounts.key(index).lock()))),
        _ => Err(Fail::usage(format!("the demo cannot choose a value for `{}: {}`", slot.name, slot.ty))),
    };
    artifact.params.iter().zip(FIRST_RECIPIENT..).map(param).collect()
}

fn pay(accounts: &Accounts, link: &Link, artifact: &Artifact, lock: Vec<u8>) -> Result<Txid, Fail> {
    let payer = accounts.key(PAYER);
    let purse = Purse::of(payer, link.coins(&payer.lock())?);
    let outputs = vec![TxOut::plain(Sats::from_wire(POT_SATS), lock)];
    link.send(&wallet::pay(&purse, outputs, FeeRate::RELAY_MIN, artifact.rules)?.tx)
}

fn mine(accounts: &Accounts, link: &Link) -> Result<(), Fail> {
    let address = accounts.key(MINER).address(NETWORK).to_string();
    Ok(link.call("generatetoaddress", &[json!(1), json!(address)]).map(drop)?)
}

fn settle(link: &Link, artifact: &Artifact, params: &Params, lock: &[u8]) -> Result<Settled, Fail> {
    let pot = link.coins(lock)?.into_iter().next().ok_or_else(|| Fail::refused("the payment did not arrive"))?;
    let coins = vec![pot];
    Ok(wallet::settle(&Settlement { artifact, params, coins, fee: None, rate: FeeRate::RELAY_MIN })?)
}

/// Offers the settlement with one unit moved from the first source to the last.
fn forge(link: &Link, artifact: &Artifact, honest: &Settled) -> Result<Forgery, Fail> {
    let mut tx: Transaction = honest.built.tx.clone();
    let one = Sats::ONE;
    let (Some((victim, _)), Some((thief, _))) = (honest.shares.split_first(), honest.shares.split_last()) else {
        return Err(Fail::refused("the reward pays nobody"));
    };
    if let [first, .., last] = tx.outputs.as_mut_slice() {
        first.value = first.value.checked_sub(one).unwrap_or_default();
        last.value = last.value.checked_add(one).unwrap_or_default();
    }
    let what = format!("1 sat moved from `{}` to `{}`", victim.name, thief.name);
    match link.call("sendrawtransaction", &[json!(hex::encode(tx.encode()))]) {
        Err(RpcError::Refused { code, message }) => Ok(Forgery { what, code, message }),
        Err(error) => Err(error.into()),
        Ok(_) => Err(Fail::refused(format!("the node took a forged settlement of `{}`", artifact.contract))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_pays_the_exact_shares_and_refuses_the_forgery() {
        let started = Instant::now();
        let story = play(&Shell::new(false), None).unwrap();
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        let sources: Vec<(&str, &str)> =
            story.shares.iter().map(|share| (share.source.as_str(), share.percent.as_str())).collect();
        assert_eq!(
            sources,
            [
                ("databases", "30 %"),
                ("compute", "25 %"),
                ("models.diffusion", "10 %"),
                ("models.transformer", "6 %"),
                ("models.autoencoder", "4 %"),
                ("researchers", "15 %"),
                ("infrastructure", "10 %"),
            ]
        );
        let paid: u64 = story.shares.iter().map(|share| share.sats.get()).sum();
        assert_eq!(paid + story.settlement.fee_sats.get(), POT_SATS);
        assert_eq!(story.settlement.fee_sats.get(), story.settlement.bytes as u64);
        assert_eq!((story.settlement.sig_checks, story.keeper_sats), (0, Sats::ZERO));
        assert!(story.settlement.cost <= story.settlement.budget);
        assert_eq!(story.forgery.code, -26);
        for part in ["TextToImage.settle", "databases", "text_to_image.bmc:"] {
            assert!(story.forgery.message.contains(part), "{}", story.forgery.message);
        }
        let mut text = Vec::new();
        super::super::tell::tell(&mut text, &story).unwrap();
        assert!(String::from_utf8(text).unwrap().contains("models.autoencoder"));
        assert!(super::super::svg::draw(&story).contains("models.autoencoder"));
    }

    /// A devnet on which the example has been paid.
    struct Stage {
        _node: NodeHandle,
        link: Link,
        artifact: Artifact,
        params: Params,
        lock: Vec<u8>,
    }

    impl Stage {
        fn set() -> Self {
            let accounts = Accounts::devnet();
            let node = start(&accounts).unwrap();
            let link = Link::new(&node.rpc_url(), node.cookie());
            let (_, artifact) = compile(&Shell::new(false), None).unwrap();
            let params = recipients(&artifact, &accounts).unwrap();
            let lock = artifact.lock(&params).unwrap();
            link.register(&artifact, &lock).unwrap();
            pay(&accounts, &link, &artifact, lock.clone()).unwrap();
            Self { _node: node, link, artifact, params, lock }
        }

        /// The node's reason to refuse a transaction.
        fn refusal(&self, tx: &Transaction) -> String {
            match self.link.call("sendrawtransaction", &[json!(hex::encode(tx.encode()))]) {
                Err(RpcError::Refused { code: -26, message }) => message,
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn every_way_to_cheat_is_refused_with_the_message_and_line_that_it_breaks() {
        let stage = Stage::set();
        let pot = stage.link.coins(&stage.lock).unwrap().remove(0);
        // Enough for one output more, so that no forgery is refused for its fee.
        let fee = Some(Sats::from_wire(900));
        let (artifact, params, rate) = (&stage.artifact, &stage.params, FeeRate::RELAY_MIN);
        let wish = Settlement { artifact, params, coins: vec![pot], fee, rate };
        let honest = wallet::settle(&wish).unwrap().built.tx;
        let cheat = |change: &dyn Fn(&mut Transaction)| {
            let mut tx = honest.clone();
            change(&mut tx);
            stage.refusal(&tx)
        };
        let less = |value: Sats| value.checked_sub(Sats::ONE).unwrap();
        let cases = [
            (
                cheat(&|tx| tx.outputs[2].value = less(tx.outputs[2].value)),
                "`models.diffusion` gets 1/10 of the pot",
                9,
            ),
            (cheat(&|tx| tx.outputs.swap(3, 4)), "`models.transformer` is paid at its own lock", 9),
            (cheat(&|tx| tx.outputs[0].lock = vec![0x51]), "`databases` is paid at its own lock", 7),
            (cheat(&|tx| tx.outputs.push(TxOut::plain(Sats::ZERO, vec![0x6a]))), "exactly 7 outputs", 6),
            (cheat(&|tx| drop(tx.outputs.pop())), "exactly 7 outputs", 6),
        ];
        for (message, part, line) in cases {
            assert!(message.contains(part), "{message}");
            assert!(message.contains("TextToImage.settle: "), "{message}");
            assert!(message.contains(&format!("text_to_image.bmc:{line}:")), "{message}");
        }
        stage.link.send(&honest).unwrap();
    }

    /// The wallet refuses these by the table; the contract does so too when the table is tampered with.
    #[test]
    fn the_contract_itself_holds_the_minimum_and_the_fee() {
        let mut stage = Stage::set();
        let table = stage.artifact.reward.as_mut().unwrap();
        table.fee_sats_max = Sats::new(90_000_000).unwrap();
        table.minimum_sats = Sats::ZERO;
        let attempt = |pot: u64, fee: u64| {
            let outpoint = spec::OutPoint { txid: Txid::default(), index: 0 };
            let output = TxOut::plain(Sats::from_wire(pot), stage.lock.clone());
            let (coins, fee) = (vec![wallet::Utxo { outpoint, output }], Some(Sats::from_wire(fee)));
            let (artifact, params, rate) = (&stage.artifact, &stage.params, FeeRate::RELAY_MIN);
            wallet::settle(&Settlement { artifact, params, coins, fee, rate })
                .map(drop)
                .map_err(|error| error.to_string())
        };
        assert_eq!(attempt(20_000, 1_000), Ok(()));
        let cases = [
            (POT_SATS, 1_001, "the fee is at most 1_000 sats"),
            (19_999, 1_000, "the pot less the fee is at least 19_000 sats"),
        ];
        for (pot, fee, part) in cases {
            let message = attempt(pot, fee).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }
}
