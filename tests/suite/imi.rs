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
use crate::machine;

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

fn program(threads: u64) -> Program {
    let text = text(threads);
    let world = MemoryWorld::new([("imi.bmc", text.as_str())]);
    let compiled =
        driver::compile(&world, &["imi.bmc".to_owned()], &Options { rules: RuleSet::Bch2026, ..Options::default() });
    assert!(compiled.diagnostics.is_empty(), "{}", compiled.to_json());
    Program::new(compiled.artifacts)
}

fn stage(threads: u64, name: &str) -> Stage {
    let program = program(threads);
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
        let all: Vec<usize> = (0..coins.len()).collect();
        machine::agreed(&tx, coins, &all, verdicts.remove(0)).map(|cost| (cost, tx.encode().len()))
    }
}

/// What a public key's input takes to sign: a push of 65 bytes and one of 33.
const SIGNED: usize = 100;
const RELAYED_BYTES_MAX: usize = 100_000;

/// Gathers pledges into a thread: they, the thread before and after, and a coin that pays the fee.
fn gathering(thread: &Stage, pledges: &[(Stage, u64)], before: u64) -> (Transaction, Vec<TxOut>) {
    let whole: u64 = pledges.iter().map(|(_, units)| units).sum();
    let state = |raised: u64| [&eight(raised)[..], &[0]].concat();
    let unlock = |stage: &Stage, path: &str, args: &[(&str, AbiValue)]| {
        let args = args.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let redeem = stage.artifact.redeem_script(&stage.params).unwrap();
        stage.artifact.path(path).unwrap().unlock_script(&args, &redeem).unwrap()
    };
    let all = 2_100_000_000_000_000;
    let mut coins = vec![thread.coin(before + 2_000, &state(before), all - before)];
    let mut outputs = vec![thread.coin(before + whole + 2_000, &state(before + whole), all - before - whole)];
    let args = [("amount", AbiValue::int(i64::try_from(whole).unwrap())), ("padding", AbiValue::Item(vec![]))];
    let mut unlocks = vec![unlock(thread, "pledge", &args)];
    for (pledge, units) in pledges {
        coins.push(TxOut::plain(Sats::from_wire(*units), pledge.lock.clone()));
        unlocks.push(unlock(pledge, "gather", &[]));
        let token = Some(Token { category: Category::from_wire(OWN), amount: *units, nft: None });
        let AbiValue::Item(backer) = &pledge.params["backer"] else { panic!("a hash") };
        let lock = spec::script::p2pkh(&backer.clone().try_into().unwrap());
        outputs.push(TxOut { value: Sats::from_wire(1_000), token, lock });
    }
    coins.push(plain(1_000_000));
    unlocks.push(vec![0; SIGNED]);
    outputs.push(plain(500_000));
    let input = |(index, unlock): (u32, Vec<u8>)| TxIn {
        prevout: OutPoint { txid: Txid::from_wire([7; 32]), index },
        unlock,
        sequence: 0,
    };
    let inputs = (0..).zip(unlocks).map(input).collect();
    (Transaction { version: 2, inputs, outputs, locktime: 0 }, coins)
}

/// Whether both rule sets and the other machine accept every input but the last, which pays the fee.
fn gathered(tx: &Transaction, coins: &[TxOut]) -> bool {
    let context = SpendContext::new(tx, coins).unwrap();
    let by = |rules: RuleSet| {
        let rules = Rules::new(rules, Mode::Relay);
        (0..coins.len() - 1).all(|index| vm::verify_input(&rules, &context, index).is_ok())
    };
    let verdict = by(RuleSet::Bch2026);
    assert_eq!(verdict, by(RuleSet::Bitmodel));
    let ours = if verdict { Ok(()) } else { Err("refused".to_owned()) };
    machine::agreed(tx, coins, &(0..coins.len() - 1).collect::<Vec<_>>(), ours).is_ok()
}

#[test]
fn thirteen_hundred_pledges_are_gathered_in_four_transactions() {
    let artifact = program(2).artifact("TinyCoderPledge").unwrap().clone();
    let thread = stage(2, "TinyCoderThread");
    let mut chance = Chance(0x5eed_0003);
    let pledges: Vec<(Stage, u64)> = (0..1_300u64)
        .map(|at| {
            let mut backer = [0; 20];
            backer[..8].copy_from_slice(&at.to_le_bytes());
            let pair = [("backer", backer.to_vec()), ("campaign", OWN.to_vec())];
            let params: Params = pair.into_iter().map(|(name, item)| (name.to_owned(), AbiValue::Item(item))).collect();
            let lock = artifact.lock(&params).unwrap();
            // The largest amounts take the most bytes.
            let units = 50 * COIN + chance.next(COIN);
            (Stage { artifact: artifact.clone(), params, lock }, units)
        })
        .collect();
    let len = |count: usize| gathering(&thread, &pledges[..count], 0).0.encode().len();
    let most = (1..400).take_while(|count| len(*count) <= RELAYED_BYTES_MAX).last().unwrap();
    println!("one transaction gathers {most} pledges in {} bytes", len(most));
    let page = fs::read_to_string(root().join("docs/book/src/imi.md")).unwrap();
    assert!(page.contains(&format!("has room for {most} pledges")), "{most}");
    let mut raised = 0;
    let mut rounds = 0;
    for some in pledges.chunks(most) {
        let (tx, coins) = gathering(&thread, some, raised);
        assert!(gathered(&tx, &coins));
        raised += some.iter().map(|(_, units)| units).sum::<u64>();
        rounds += 1;
    }
    assert_eq!((rounds, raised), (4, pledges.iter().map(|(_, units)| units).sum()));

    // One backer fewer, one unit fewer, one coin with receipts beside.
    let few = &pledges[..40];
    let changed = |change: &dyn Fn(&mut Transaction, &mut Vec<TxOut>)| {
        let (mut tx, mut coins) = gathering(&thread, few, 0);
        change(&mut tx, &mut coins);
        gathered(&tx, &coins)
    };
    assert!(changed(&|_, _| ()));
    assert!(!changed(&|tx, _| tx.outputs[17].lock = plain(1).lock));
    assert!(!changed(&|tx, _| tx.outputs[17].token.as_mut().unwrap().amount -= 1));
    assert!(!changed(&|tx, _| tx.outputs[0].value = Sats::from_wire(tx.outputs[0].value.get() - 1)));
    assert!(!changed(&|_, coins| coins[41] = coins[0].clone()));
    let receipts = Some(Token { category: Category::from_wire(OWN), amount: 1, nft: None });
    assert!(!changed(&|_, coins| coins[41].token.clone_from(&receipts)));
    assert!(!changed(&|_, coins| coins[9].token.clone_from(&receipts)));
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
    [&eight(raised)[..], &eight(left), &eight(out), &[1, 1], &[0; 32]].concat()
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
    let begun = |raised: u64| [&eight(raised)[..], &eight(raised), &eight(raised), &[0; 34]].concat();
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

#[test]
fn what_a_contract_that_is_paid_keeps_for_itself_is_no_release() {
    let text = text(2).replace("    goal:", "    payout: payee,\n    goal:");
    let artifacts = machine::compiled(&text);
    let keys = [("builder_key", 1), ("judge_a", 2), ("judge_b", 3), ("judge_c", 4)];
    let keys = keys.map(|(name, at)| (name, machine::bytes(Accounts::devnet().key(at).public())));
    let script = [&[0xaa, 0x20][..], &[7; 32], &[0x87]].concat();
    for (payee, owed) in [(script, 30_000 + 500_000), (machine::account(8), 30_000)] {
        let params = keys.iter().cloned().chain([("payee", machine::bytes(&payee))]).collect();
        let escrow = machine::place(&artifacts, "TinyCoderEscrow", params);
        let state = |left: u64, tranche: u8| {
            let state = [&eight(100_000)[..], &eight(left), &eight(100_000), &[tranche, 0], &[0; 32]].concat();
            machine::held(&state, 5)
        };
        let go = |paid: u64| {
            let coin = escrow.out(104_000, state(100_000, 0));
            let beside = machine::other(machine::out(&payee, 500_000, None));
            let inputs = vec![machine::spend(&escrow, "release_goal", vec![], coin), beside];
            machine::tx(inputs, vec![escrow.out(74_000, state(70_000, 1)), machine::out(&payee, paid, None)])
        };
        go(owed).accepted();
        go(owed - 1).refused("the builder gets the release");
    }
}
