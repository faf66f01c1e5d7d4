//! Campaigns by chance: nothing is lost, and what the machine lets through is what the arithmetic says.

use std::fs;

use driver::{MemoryWorld, Options};
use spec::artifact::AbiValue;
use spec::token::{Capability, Nft, Token};
use spec::{
    Artifact, Category, Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxOut, Txid, tx::TxIn,
};
use wallet::{Accounts, Arg, Args, Names, Params, Program, parse_value};

use crate::bmc::root;

const COIN: u64 = 100_000_000;
const OWN: [u8; 32] = [0xca; 32];

/// Numbers that look random, the same in each run.
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// A contract of the campaign, given its parameters.
struct Stage {
    artifact: Artifact,
    params: Params,
    lock: Vec<u8>,
}

fn text(threads: u64) -> String {
    let text = fs::read_to_string(root().join("examples/imi/tiny_coder.bmc")).unwrap();
    let changed = text.replace("threads:  2", &format!("threads:  {threads}"));
    assert!(threads == 2 || changed != text);
    changed
}

const TRUST: [(&str, &str); 4] =
    [("builder_key", "@alice"), ("judge_a", "@erin"), ("judge_b", "@frank"), ("judge_c", "@grace")];

fn stage(threads: u64, name: &str) -> Stage {
    let text = text(threads);
    let world = MemoryWorld::new([("imi.bmc", text.as_str())]);
    let compiled = driver::compile(&world, &["imi.bmc".to_owned()], &Options { rules: RuleSet::Bch2026 });
    assert!(compiled.diagnostics.is_empty(), "{}", compiled.to_json());
    let program = Program::new(compiled.artifacts);
    let artifact = program.artifact(name).unwrap().clone();
    let accounts = Accounts::devnet();
    let names = Names { network: spec::Network::Devnet, accounts: &accounts };
    let read = |(name, text): &(&str, &str)| {
        let slot = artifact.params.iter().find(|slot| slot.name == *name).unwrap();
        match parse_value(&slot.ty, text, names).unwrap() {
            Arg::Value(value) => ((*name).to_owned(), value),
            _ => panic!("`{name}` is a signature"),
        }
    };
    let params = program.complete(name, TRUST.iter().map(read).collect()).unwrap();
    let lock = artifact.lock(&params).unwrap();
    Stage { artifact, params, lock }
}

impl Stage {
    fn coin(&self, sats: u64, state: &[u8], receipts: u64) -> TxOut {
        let nft = Nft { capability: Capability::Mutable, commitment: state.to_vec() };
        let token = Token { category: Category::from_wire(OWN), amount: receipts, nft: Some(nft) };
        TxOut { value: Sats::from_wire(sats), token: Some(token), lock: self.lock.clone() }
    }

    /// Whether both rule sets let the coins be spent by one path, and what the first input costs.
    fn spend(&self, path: &str, args: &Args, coins: &[TxOut], outputs: Vec<TxOut>) -> Result<(u64, usize), String> {
        let redeem = self.artifact.redeem_script(&self.params).unwrap();
        let unlock = self.artifact.path(path).unwrap();
        let args = args.iter().map(|(name, arg)| match arg {
            Arg::Value(value) => (name.clone(), value.clone()),
            _ => panic!("no signatures here"),
        });
        let unlock = unlock.unlock_script(&args.collect(), &redeem).unwrap();
        let input = |index: usize| TxIn {
            prevout: OutPoint { txid: Txid::from_wire([7; 32]), index: u32::try_from(index).unwrap() },
            unlock: unlock.clone(),
            sequence: 0,
        };
        let tx = Transaction { version: 2, inputs: (0..coins.len()).map(input).collect(), outputs, locktime: 350 };
        let context = SpendContext::new(&tx, coins).unwrap();
        let mut verdicts = Vec::new();
        for rules in [RuleSet::Bch2026, RuleSet::Bitmodel] {
            let rules = Rules::new(rules, Mode::Relay);
            let mut cost = 0;
            let mut all = || {
                for index in 0..coins.len() {
                    let metrics = vm::verify_input(&rules, &context, index)
                        .map_err(|failure| wallet::explain(&self.artifact, &redeem, &failure).to_string())?;
                    cost = metrics.cost.get();
                }
                Ok::<(), String>(())
            };
            let verdict = all();
            verdicts.push(verdict.map(|()| cost));
        }
        assert_eq!(verdicts[0].is_ok(), verdicts[1].is_ok(), "both rule sets agree on `{path}`");
        verdicts.remove(0).map(|cost| (cost, tx.encode().len()))
    }
}

fn plain(sats: u64) -> TxOut {
    TxOut::plain(Sats::from_wire(sats), Accounts::devnet().key(3).lock())
}

fn amount(n: u64) -> Args {
    [("amount".to_owned(), Arg::Value(AbiValue::int(i64::try_from(n).unwrap())))].into_iter().collect()
}

fn eight(n: u64) -> [u8; 8] {
    n.to_le_bytes()
}

/// The escrow's state while it pays back.
fn refunding(raised: u64, left: u64, out: u64) -> Vec<u8> {
    [&eight(raised)[..], &eight(left), &eight(out), &[1, 1]].concat()
}

#[test]
fn nothing_is_lost_whoever_redeems_in_whatever_order() {
    let escrow = stage(2, "TinyCoderEscrow");
    let mut chance = Chance(0x5eed_0001);
    for round in 0..40 {
        let backers: Vec<u64> = (0..=chance.next(6)).map(|_| 10_000_000 + chance.next(90 * COIN)).collect();
        let raised: u64 = backers.iter().sum();
        // Released before: nothing, or the 30 % at the goal.
        let released = if round % 2 == 0 { 0 } else { (raised * 3 + 5) / 10 };
        let (mut left, mut out) = (raised - released, raised);
        let start = left;
        let mut holds: Vec<(u64, u64)> = backers.iter().map(|units| (*units, 0)).collect();
        let mut pieces = 0u64;
        while out > 0 {
            let who = usize::try_from(chance.next(holds.len() as u64)).unwrap();
            let (units, got) = &mut holds[who];
            if *units == 0 {
                continue;
            }
            let piece = if chance.next(2) == 0 { *units } else { 1 + chance.next(*units) };
            let back = u64::try_from(u128::from(left) * u128::from(piece) / u128::from(out)).unwrap();
            let coin = escrow.coin(left + 4_000, &refunding(raised, left, out), 5);
            let next = |less: u64| {
                let state = refunding(raised, left - back - less, out - piece);
                vec![escrow.coin(left + 4_000 - back - less, &state, 5 + piece), plain(back + less + 600)]
            };
            // A piece of a unit or more can be taken exactly, and no unit more.
            escrow.spend("redeem", &amount(piece), std::slice::from_ref(&coin), next(0)).unwrap();
            if left > back {
                escrow.spend("redeem", &amount(piece), &[coin], next(1)).unwrap_err();
            }
            (left, out, *units, *got) = (left - back, out - piece, *units - piece, *got + back);
            pieces += 1;
        }
        assert_eq!(left, 0, "the last one takes the rest");
        assert_eq!(holds.iter().map(|(_, got)| got).sum::<u64>(), start);
        for (units, (_, got)) in backers.iter().zip(&holds) {
            let fair = u64::try_from(u128::from(*units) * u128::from(start) / u128::from(raised)).unwrap();
            assert!(got.abs_diff(fair) <= pieces, "{got} of {fair} after {pieces} pieces");
        }
    }
}

#[test]
fn sixteen_threads_are_collected_within_the_budgets_and_not_one_short() {
    let (escrow, thread) = (stage(16, "TinyCoderEscrow"), stage(16, "TinyCoderThread"));
    let mut chance = Chance(0x5eed_0002);
    let mut raised = [0u64; 16];
    let (mut inflight, mut met, mut tried) = (Vec::new(), 0u32, 0u32);
    // Ten thousand pledges, eight of them at the same moment; one that meets another tries again.
    let mut waiting = 10_000u32;
    while waiting > 0 {
        inflight.clear();
        for _ in 0..waiting.min(8) {
            let at = usize::try_from(chance.next(16)).unwrap();
            tried += 1;
            if inflight.contains(&at) {
                met += 1;
            } else {
                inflight.push(at);
                raised[at] += 10_000_000 + chance.next(1_000);
                waiting -= 1;
            }
        }
    }
    println!("16 threads, 8 pledges at a time: {met} of {tried} met another ({} in a thousand)", met * 1_000 / tried);
    assert!(met * 1_000 / tried < 250, "of eight at most every fourth meets another");

    let state = |raised: u64| [&eight(raised)[..], &[0]].concat();
    let coins: Vec<TxOut> = raised.iter().map(|raised| thread.coin(raised + 2_000, &state(*raised), 7)).collect();
    let whole: u64 = raised.iter().sum();
    let begun = |raised: u64| [&eight(raised)[..], &eight(raised), &eight(raised), &[0, 0]].concat();
    let open =
        |value: u64, raised: u64, receipts: u64| vec![escrow.coin(value, &begun(raised), receipts), plain(5_000)];
    let all = Args::new();
    let (cost, bytes) = thread.spend("collect", &all, &coins, open(whole + 32_000, whole, 112)).unwrap();
    println!("collecting 16 threads: {bytes} bytes, each input costs {cost}");

    let refuse = |coins: &[TxOut], outputs: Vec<TxOut>, message: &str| {
        let error = thread.spend("collect", &all, coins, outputs).unwrap_err();
        assert!(error.contains(message), "{error}");
    };
    refuse(&coins, open(whole + 31_999, whole, 112), "the escrow holds everything");
    refuse(&coins, open(whole + 32_000, whole - 1, 112), "the escrow begins with what was raised");
    refuse(&coins, open(whole + 32_000, whole, 111), "the escrow holds the receipts that nobody has");
    // A token that leaves beside the escrow: receipts, or one that could make more.
    let mut smuggled = open(whole + 32_000, whole, 112);
    smuggled[1].token = Some(Token { category: Category::from_wire(OWN), amount: 1, nft: None });
    refuse(&coins, smuggled, "change carries no token");
    // One thread more than there are, one that refunds, one of another campaign, one too few.
    let more: Vec<TxOut> = coins.iter().chain(coins.first()).cloned().collect();
    refuse(&more, open(whole + 32_000, whole, 112), "no more coins are collected than threads are counted");
    let mut closed = coins.clone();
    closed[3] = thread.coin(raised[3] + 2_000, &[&eight(raised[3])[..], &[1]].concat(), 7);
    refuse(&closed, open(whole + 32_000, whole, 112), "no thread has begun to refund");
    let mut foreign = coins.clone();
    foreign[3].token.as_mut().unwrap().category = Category::from_wire([1; 32]);
    refuse(&foreign, open(whole + 32_000, whole, 112), "every thread is of this campaign");
    thread.spend("collect", &all, &coins[..15], open(whole + 30_000, whole - raised[15], 105)).unwrap_err();
    // Under the goal by one unit.
    let poor: Vec<TxOut> = (0..16)
        .map(|at| 25 * COIN / 16 - u64::from(at == 0))
        .map(|raised| thread.coin(raised + 2_000, &state(raised), 7))
        .collect();
    let sum = 25 * COIN - 1;
    refuse(&poor, open(sum + 32_000, sum, 112), "the goal of 2_500_000_000 sats is reached");
}
