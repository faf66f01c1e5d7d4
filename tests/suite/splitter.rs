//! Rewards with a list of recipients: how many fit one settlement, what that takes, and what is refused.
//!
//! Every verdict is given by this project's machine under both rule sets and, where Node.js is there, by one that
//! nobody here wrote.

use std::collections::BTreeMap;
use std::path::Path;

use driver::{MemoryWorld, Options};
use spec::artifact::{AbiValue, Record, chain_hash};
use spec::hash::{sha256, sha256d};
use spec::script::{instructions, p2pkh, p2sh32};
use spec::{Artifact, Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxOut, Txid};
use tests::Independent;
use vm::Metrics;
use wallet::{FeeRate, Params, Settled, Settlement, Utxo};

use crate::machine;

const BIG: &str = "reward Big { recipients: list, minimum: 1_000_000 sats, fee: up to 100_000 sats }";
/// The whole that the weights of a list sum to.
const WHOLE: u32 = 1_000_000;
/// So many recipients fit one settlement: the stack holds a thousand items.
const RECIPIENTS: u32 = 985;

fn compile(text: &str) -> Vec<Artifact> {
    let world = MemoryWorld::new([("big.bmc", text)]);
    let compiled =
        driver::compile(&world, &["big.bmc".to_owned()], &Options { rules: RuleSet::Bch2026, ..Options::default() });
    assert!(!compiled.has_errors(), "{}", compiled.to_json());
    compiled.artifacts
}

fn sats(amount: u64) -> Sats {
    Sats::new(amount).unwrap()
}

fn record(weight: i32, lock: &[u8]) -> Record {
    vec![weight.to_le_bytes().to_vec(), lock.to_vec()]
}

/// Contracts as recipients: their locks are the longest that are common.
fn contract_lock(at: u32) -> Vec<u8> {
    p2sh32(&sha256d(&at.to_le_bytes()))
}

/// Weights that sum to the whole and differ from one recipient to the next.
fn weights(count: u32) -> Vec<u32> {
    let mut weights: Vec<u32> = (0..count).map(|at| WHOLE / count - 7 + at % 15).collect();
    let sum: u32 = weights.iter().sum();
    weights[0] = weights[0] + WHOLE - sum;
    weights
}

/// A list reward with coins, and the settlement that the wallet makes of them.
struct Split {
    artifact: Artifact,
    records: Vec<Record>,
    params: Params,
    coins: Vec<Utxo>,
    fee: u64,
    settled: Settled,
}

impl Split {
    fn new(records: Vec<Record>, coins: &[u64], fee: u64) -> Self {
        let artifact = compile(BIG).remove(0);
        let params: Params = BTreeMap::from([("recipients".to_owned(), AbiValue::Records(records.clone().into()))]);
        let lock = artifact.lock(&params).unwrap();
        let coin = |(at, value): (u8, &u64)| Utxo {
            outpoint: OutPoint { txid: Txid::from_wire([at + 1; 32]), index: 1 },
            output: TxOut::plain(sats(*value), lock.clone()),
        };
        let coins: Vec<Utxo> = (0..).zip(coins).map(coin).collect();
        let wish = Settlement {
            artifact: &artifact,
            params: &params,
            coins: coins.clone(),
            fee: Some(sats(fee)),
            rate: FeeRate::RELAY_MIN,
        };
        let settled = wallet::settle(&wish).unwrap_or_else(|error| panic!("{error}"));
        Self { artifact, records, params, coins, fee, settled }
    }

    fn even(count: u32, lock: impl Fn(u32) -> Vec<u8>, coins: &[u64], fee: u64) -> Self {
        let weights = weights(count);
        Self::new((0..count).map(|at| record(weights[at as usize] as i32, &lock(at))).collect(), coins, fee)
    }

    fn tx(&self) -> &Transaction {
        &self.settled.built.tx
    }

    fn redeem(&self) -> Vec<u8> {
        self.artifact.redeem_script(&self.params).unwrap()
    }

    fn spent(&self) -> Vec<TxOut> {
        self.coins.iter().map(|coin| coin.output.clone()).collect()
    }

    /// The unlocking bytecode of the first input with other records, and as much padding as fits.
    fn unlock(&self, records: &[Record], fee: u64) -> Vec<u8> {
        self.unlock_named(records, b"", fee)
    }

    fn unlock_named(&self, records: &[Record], about: &[u8], fee: u64) -> Vec<u8> {
        let path = self.artifact.path("settle").unwrap();
        let pushed = path.list_from(&self.artifact.params[0], &AbiValue::Records(records.to_vec().into())).unwrap();
        let args = |padding: usize| {
            BTreeMap::from([
                ("recipients".to_owned(), pushed.clone()),
                ("recipients.about".to_owned(), AbiValue::Item(about.to_vec())),
                ("fee".to_owned(), AbiValue::int(fee as i64)),
                ("padding".to_owned(), AbiValue::Item(vec![0; padding])),
            ])
        };
        let bare = path.unlock_script(&args(0), &self.redeem()).unwrap().len();
        path.unlock_script(&args(9_990 - bare), &self.redeem()).unwrap()
    }

    fn forged(&self, change: impl FnOnce(&mut Transaction)) -> Transaction {
        let mut tx = self.tx().clone();
        tx.inputs[0].unlock = self.unlock(&self.records, self.fee);
        change(&mut tx);
        tx
    }

    /// What the first input counted, and why the transaction is refused, with the message that the author wrote.
    fn verdict(&self, tx: &Transaction) -> Result<Metrics, String> {
        verdict(&self.artifact, tx, &self.spent())
    }

    fn paid(&self) -> Vec<u64> {
        self.tx().outputs.iter().map(|output| output.value.get()).collect()
    }
}

/// Both rule sets judge every input of a transaction alike, and so does the other machine.
fn verdict(artifact: &Artifact, tx: &Transaction, spent: &[TxOut]) -> Result<Metrics, String> {
    let context = SpendContext::new(tx, spent).unwrap();
    let verdicts = [RuleSet::Bch2026, RuleSet::Bitmodel].map(|rules| {
        let all = (0..tx.inputs.len()).map(|input| {
            let redeem = instructions(&tx.inputs[input].unlock).last().unwrap().unwrap().data.unwrap().to_vec();
            vm::verify_input(&Rules::new(rules, Mode::Relay), &context, input)
                .map_err(|failure| wallet::explain(artifact, &redeem, &failure).message)
        });
        all.collect::<Result<Vec<_>, _>>().map(|all| all[0])
    });
    let [narrow, wide] = verdicts;
    assert_eq!(narrow.is_ok(), wide.is_ok(), "the rule sets differ");
    machine::agreed(tx, spent, &(0..tx.inputs.len()).collect::<Vec<_>>(), narrow)
}

fn swap_locks(tx: &mut Transaction, one: usize, other: usize) {
    let lock = tx.outputs[one].lock.clone();
    tx.outputs[one].lock = std::mem::replace(&mut tx.outputs[other].lock, lock);
}

fn less(tx: &mut Transaction, output: usize, by: u64) {
    let value = tx.outputs[output].value.get() - by;
    tx.outputs[output].value = sats(value);
}

/// Ways to cheat that a settlement must not survive.
fn forgeries(split: &Split) -> Vec<(&'static str, Transaction)> {
    let count = split.records.len();
    let [third, middle] = [count / 3, count / 2];
    let moved = || {
        let mut records = split.records.clone();
        for (at, by) in [(third, -1), (middle, 1)] {
            let weight = i32::from_le_bytes(records[at][0].as_slice().try_into().unwrap());
            records[at][0] = (weight + by).to_le_bytes().to_vec();
        }
        records
    };
    let mut all = vec![
        ("one sat short", split.forged(|tx| less(tx, middle, 1))),
        ("two locks swapped", split.forged(|tx| swap_locks(tx, third, middle))),
        ("an attacker's lock", split.forged(|tx| tx.outputs[middle].lock = contract_lock(1_000_000))),
        ("the last output dropped", split.forged(|tx| drop(tx.outputs.pop()))),
        (
            "one weight unit moved",
            split.forged(|tx| {
                // Everybody gets at least what either list says, as if a donor had added a sat or two.
                let weight = |record: &Record| u64::from(u32::from_le_bytes(record[0].as_slice().try_into().unwrap()));
                let weights = spec::split::Weights::new(moved().iter().map(weight).collect()).unwrap();
                let pot: u64 = split.coins.iter().map(|coin| coin.output.value.get()).sum();
                for (output, share) in tx.outputs.iter_mut().zip(weights.divide(sats(pot - split.fee))) {
                    output.value = output.value.max(share);
                }
                tx.inputs[0].unlock = split.unlock(&moved(), split.fee);
            }),
        ),
        (
            "a truncated list",
            split.forged(|tx| {
                tx.outputs.truncate(middle);
                let rest: u64 = split.paid()[middle..].iter().sum();
                tx.outputs[0].value = sats(tx.outputs[0].value.get() + rest);
                tx.inputs[0].unlock = split.unlock(&split.records[..middle], split.fee);
            }),
        ),
        (
            "the list from its second entry on",
            split.forged(|tx| {
                tx.outputs.remove(0);
                tx.inputs[0].unlock = split.unlock(&split.records[1..], split.fee);
            }),
        ),
        ("a fee above the largest", split.forged(|tx| tx.inputs[0].unlock = split.unlock(&split.records, 100_001))),
    ];
    if split.coins.len() > 1 {
        let pot: u64 = split.coins.iter().map(|coin| coin.output.value.get()).sum();
        // Everybody is paid as if the second coin were not there.
        let short = |output: &mut TxOut| {
            let scaled = u128::from(output.value.get()) * u128::from(split.coins[0].output.value.get() - split.fee);
            output.value = sats((scaled / u128::from(pot - split.fee)) as u64);
        };
        all.push(("short by the second coin", split.forged(|tx| tx.outputs.iter_mut().for_each(short))));
    }
    all
}

/// Both machines accept the settlement and refuse every forgery, and the whole transaction is one that others relay.
fn judge(title: &str, splits: &[&Split]) {
    let mut entries = Vec::new();
    for (at, split) in splits.iter().enumerate() {
        split.verdict(split.tx()).unwrap();
        split.verdict(&split.forged(|_| ())).unwrap();
        entries.push(Independent::entry(&format!("settlement{at}"), split.tx(), &split.spent()));
        for (name, tx) in forgeries(split) {
            let refusal = split.verdict(&tx).expect_err(name);
            println!("{title}, {} recipients: {name}: {refusal}", split.records.len());
        }
    }
    let Some(machine) = Independent::install(Path::new(env!("CARGO_TARGET_TMPDIR"))) else { return };
    let lines = machine.verdicts(&entries);
    assert_eq!(lines.len(), entries.len());
    for line in lines {
        assert!(line.ends_with(" accepted"), "{title}: {line}");
    }
}

/// Hundredths of a byte for each recipient, and the length of the redeem script.
fn figures(title: &str, split: &Split) -> (usize, usize) {
    let bytes = split.tx().encode().len();
    let each = (100 * bytes).div_ceil(split.records.len());
    let unlock = split.tx().inputs[0].unlock.len();
    let redeem = split.redeem().len();
    let cost = split.verdict(split.tx()).unwrap().cost.get();
    let room = 800 * (41 + unlock as u64);
    println!(
        "{title}: {} recipients, {} coins: {bytes} bytes, {}.{:02} a recipient; redeem script {redeem}, first \
         unlocking bytecode {unlock}, operation cost {cost} of {room}",
        split.records.len(),
        split.coins.len(),
        each / 100,
        each % 100,
    );
    assert!(cost <= room && unlock <= 10_000 && bytes <= 100_000);
    (each, redeem)
}

#[test]
fn a_settlement_pays_985_recipients_in_one_standard_transaction() {
    let one = Split::even(RECIPIENTS, contract_lock, &[1_000_000_000], 60_000);
    let several = Split::even(RECIPIENTS, contract_lock, &[1_000_000_000, 70_000_001, 1_000], 60_000);
    let people = Split::even(RECIPIENTS, |at| p2pkh(&spec::hash::hash160(&at.to_le_bytes())), &[1_000_000_000], 60_000);
    let few = Split::even(20, contract_lock, &[1_000_000_000; 50], 60_000);
    for (title, split) in [("contracts", &one), ("several coins", &several), ("keys", &people), ("few", &few)] {
        let (each, redeem) = figures(title, split);
        assert!(split.records.len() < 900 || each <= 5_150, "{title}: {each}");
        assert!(redeem <= 154, "{redeem}");
        let pot: u64 = split.coins.iter().map(|coin| coin.output.value.get()).sum();
        assert_eq!(split.paid().iter().sum::<u64>(), pot - split.fee);
    }
    judge("the largest lists", &[&one, &several, &few]);
}

/// A hash chain that began with nothing would take the first link and a record for a first record: its hash, read as
/// a weight and the beginning of a lock. The fixed beginning of the chain tells the two apart.
#[test]
fn no_link_of_the_chain_passes_for_the_first_record() {
    let artifact = compile(
        "struct Recipient { weight: Int<4>, lock: Lock }\n\
         contract Bare(recipients: list<Recipient>) {\n\
             spend settle(padding: Padding) {\n\
                 require self.index == 0, \"the coin is spent first\";\n\
                 for (i, r) in recipients where r.lock == tx.outputs[i].lock {\n\
                     require r.weight > 0, \"every weight is above 0\";\n\
                     require tx.outputs[i].value >= 546 sats, \"every recipient is paid\";\n\
                 }\n\
             }\n\
         }",
    )
    .remove(0);
    // The first list whose first link, without a fixed beginning, begins with a positive weight.
    let found = (0u32..).find_map(|at| {
        let records = vec![record(500_000, &contract_lock(at)), record(500_000, &contract_lock(at + 1))];
        let link = sha256(&records[0].concat());
        let positive = link[3] < 0x80 && link[3] > 0;
        positive.then_some((records, link))
    });
    let (records, link) = found.unwrap();
    let garbage = [&link[4..], &records[1].concat()].concat();
    let truncated = vec![vec![link[..4].to_vec(), garbage.clone()]];
    let without_beginning = |records: &[Record]| {
        let first = sha256(&records[0].concat());
        records[1..].iter().fold(first, |link, record| sha256(&[&link[..], &record.concat()].concat()))
    };
    assert_eq!(without_beginning(&truncated), without_beginning(&records), "the attack would work");
    assert_ne!(chain_hash(b"", &truncated), chain_hash(b"", &records));

    let params: Params = BTreeMap::from([("recipients".to_owned(), AbiValue::Records(records.clone().into()))]);
    let redeem = artifact.redeem_script(&params).unwrap();
    let path = artifact.path("settle").unwrap();
    let spend = |records: &[Record], about: &[u8]| {
        let pushed = path.list_from(&artifact.params[0], &AbiValue::Records(records.to_vec().into())).unwrap();
        let args = BTreeMap::from([
            ("recipients".to_owned(), pushed),
            ("recipients.about".to_owned(), AbiValue::Item(about.to_vec())),
            ("padding".to_owned(), AbiValue::Item(vec![0; 200])),
        ]);
        let input = spec::TxIn {
            prevout: OutPoint { txid: Txid::from_wire([1; 32]), index: 0 },
            unlock: path.unlock_script(&args, &redeem).unwrap(),
            sequence: u32::MAX,
        };
        let outputs = records.iter().map(|record| TxOut::plain(sats(1_000), record[1].clone())).collect();
        Transaction { version: 2, inputs: vec![input], outputs, locktime: 0 }
    };
    let pot = [TxOut::plain(sats(10_000), artifact.lock(&params).unwrap())];
    verdict(&artifact, &spend(&records, b""), &pot).unwrap();
    // Nor can what the chain begins with be a link of it, or what a link was made from.
    let first = [sha256d(b"").as_slice(), &records[0].concat()].concat();
    let forgeries: [(&[Record], &[u8]); 5] = [
        (&truncated, b""),
        (&records, b"other names"),
        (&records[1..], &first),
        (&records[1..], &sha256(&first)),
        (&records[1..], &sha256d(b"")),
    ];
    for (records, about) in forgeries {
        let refusal = verdict(&artifact, &spend(records, about), &pot).unwrap_err();
        assert_eq!(refusal, "these are the records of `recipients`, all of them");
    }
}

/// A list is public before anybody pays to it; but nobody has to look whether its weights are above 0.
#[test]
fn lists_with_weights_below_zero_pay_nobody() {
    let good = Split::even(3, contract_lock, &[10_000_000], 5_000);
    for weights in [[1_000_001, -1, 0], [0, 500_000, 500_000], [1_000_000, -1, 1], [400_000, 300_000, 299_999]] {
        let records: Vec<Record> =
            (0u32..).zip(weights).map(|(at, weight)| record(weight, &contract_lock(at))).collect();
        let params: Params = BTreeMap::from([("recipients".to_owned(), AbiValue::Records(records.clone().into()))]);
        let redeem = good.artifact.redeem_script(&params).unwrap();
        let mut tx = good.tx().clone();
        let bad = Split { records, params, ..Split::even(3, contract_lock, &[10_000_000], 5_000) };
        assert_eq!(bad.redeem(), redeem);
        tx.inputs[0].unlock = bad.unlock(&bad.records, 5_000);
        let pot = [TxOut::plain(sats(10_000_000), bad.artifact.lock(&bad.params).unwrap())];
        // Everybody gets everything: only the weights are in the way.
        tx.outputs.iter_mut().for_each(|output| output.value = sats(10_000_000));
        let refusal = verdict(&bad.artifact, &tx, &pot).unwrap_err();
        assert!(refusal.contains("weight"), "{weights:?}: {refusal}");
        let wish = Settlement {
            artifact: &bad.artifact,
            params: &bad.params,
            coins: vec![Utxo { outpoint: bad.coins[0].outpoint, output: pot[0].clone() }],
            fee: None,
            rate: FeeRate::RELAY_MIN,
        };
        assert!(wallet::settle(&wish).is_err(), "the wallet does not even try");
    }
}

/// One large share and a hundred small ones, paid in many small pots: whoever sends the pots cannot keep the small
/// shares from adding up.
#[test]
fn many_small_pots_pay_minorities_what_they_are_due() {
    for place in [0, 50, 100] {
        // 90 %, first, in the middle or last, and a hundred times 0.1 %.
        let mut weights = vec![1_000; 100];
        weights.insert(place, 900_000);
        let split = spec::split::Weights::new(weights).unwrap();
        let mut paid = vec![0; 101];
        for _ in 0..100 {
            let shares = split.divide(sats(999));
            assert_eq!(shares.iter().map(|share| share.get()).sum::<u64>(), 999);
            paid.iter_mut().zip(&shares).for_each(|(sum, share)| *sum += share.get());
        }
        paid.remove(place);
        assert!(paid.iter().all(|sum| (99..=101).contains(sum)), "{place}: {paid:?}");
    }
    // On the chain such a pot is not even divided.
    let mut records: Vec<Record> = (0..100).map(|at| record(1_000, &contract_lock(at))).collect();
    records.insert(0, record(900_000, &contract_lock(100)));
    let split = Split::new(records, &[1_000_000; 1], 10_000);
    let small = [TxOut::plain(sats(999), split.spent()[0].lock.clone())];
    let tx = split.forged(|tx| tx.inputs[0].unlock = split.unlock(&split.records, 0));
    let refusal = verdict(&split.artifact, &tx, &small).unwrap_err();
    assert!(refusal.contains("minimum"), "{refusal}");
}

/// The fee decides how long the numbers of a settlement are, and they what it costs: whatever lies between a pot without
/// its fee and the pot, the padding is enough.
#[test]
fn padding_pays_for_the_numbers_of_the_fee_that_is_paid() {
    let weights = weights(400);
    let records: Vec<Record> = (0..400).map(|at| record(weights[at as usize] as i32, &contract_lock(at))).collect();
    let artifact = compile(BIG).remove(0);
    let params: Params = BTreeMap::from([("recipients".to_owned(), AbiValue::Records(records.into()))]);
    let lock = artifact.lock(&params).unwrap();
    let settle = |pot: u64| {
        let coins: Vec<Utxo> = (0..7)
            .map(|at| Utxo {
                outpoint: OutPoint { txid: Txid::from_wire([at + 1; 32]), index: 1 },
                output: TxOut::plain(sats(if at == 0 { pot - 6_000 } else { 1_000 }), lock.clone()),
            })
            .collect();
        let wish = Settlement { artifact: &artifact, params: &params, coins, fee: None, rate: FeeRate::RELAY_MIN };
        wallet::settle(&wish).unwrap_or_else(|error| panic!("a pot of {pot} sats: {error}")).built
    };
    let fee = settle(1 << 33).fee.get();
    // What is left, or a share of it, is just long enough for one byte more; with the highest fee it would not be.
    for left in [1 << 23, 1 << 31, 1 << 39, 400 << 15, 400 << 23, 400 << 31] {
        for above in [1, 20_000, 40_000, 60_000] {
            settle(left + fee + above);
        }
    }
}

/// Tokens on a reward's coins are in nobody's way: whoever settles takes them along, gives them away, or lets them go.
#[test]
fn tokens_that_land_on_a_coin_neither_stop_a_settlement_nor_change_a_share() {
    use spec::Category;
    use spec::token::{Capability, Nft, Token};
    let split = Split::even(3, contract_lock, &[10_000_000, 2_000_000], 5_000);
    let direct = compile("reward Two { a: 1/4, b: rest, minimum: 10_000 sats, fee: up to 1_000 sats }").remove(0);
    let locks = BTreeMap::from([("a", 1), ("b", 2)]);
    let params: Params =
        locks.iter().map(|(name, at)| ((*name).to_owned(), AbiValue::Item(contract_lock(*at)))).collect();
    let lock = direct.lock(&params).unwrap();
    let coins = vec![Utxo {
        outpoint: OutPoint { txid: Txid::from_wire([1; 32]), index: 1 },
        output: TxOut::plain(sats(50_000), lock),
    }];
    let spent_direct = vec![coins[0].output.clone()];
    let wish = Settlement { artifact: &direct, params: &params, coins, fee: None, rate: FeeRate::RELAY_MIN };
    let plain = wallet::settle(&wish).unwrap().built.tx;
    for capability in [None, Some(Capability::None), Some(Capability::Minting)] {
        let nft = capability.map(|capability| Nft { capability, commitment: vec![1, 2, 3] });
        let token = Token { category: Category::from_wire([8; 32]), amount: 7, nft };
        for place in 0..2 {
            let mut spent = split.spent();
            spent[place].token = Some(token.clone());
            // Left behind, on a recipient's output, on an output of the keeper's own.
            verdict(&split.artifact, split.tx(), &spent).unwrap();
            let on_first = split.forged(|tx| tx.outputs[0].token = Some(token.clone()));
            verdict(&split.artifact, &on_first, &spent).unwrap();
            let own = TxOut { value: sats(1_000), token: Some(token.clone()), lock: contract_lock(99) };
            let behind = split.forged(|tx| tx.outputs.push(own));
            verdict(&split.artifact, &behind, &spent).unwrap();
            // No token buys a unit of anybody's share.
            let short = split.forged(|tx| {
                tx.outputs[1].value = tx.outputs[1].value.checked_sub(Sats::ONE).unwrap();
                tx.outputs[1].token = Some(token.clone());
            });
            let refusal = verdict(&split.artifact, &short, &spent).unwrap_err();
            assert_eq!(refusal, "every recipient gets its share of the pot");
        }
        let mut spent = spent_direct.clone();
        spent[0].token = Some(token.clone());
        verdict(&direct, &plain, &spent).unwrap();
        let mut carried = plain.clone();
        carried.outputs[0].token = Some(token.clone());
        verdict(&direct, &carried, &spent).unwrap();
        carried.outputs.push(TxOut { value: sats(1_000), token: Some(token), lock: contract_lock(99) });
        assert!(verdict(&direct, &carried, &spent).unwrap_err().contains("exactly 2 outputs"));
    }
}
