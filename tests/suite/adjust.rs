//! Rewards whose list an authority replaces: in public, after notice, and never against an entry that is locked.

use std::collections::BTreeMap;

use driver::{MemoryWorld, Options};
use flow::{Adjustment, Recipient};
use spec::artifact::{AbiValue, chain_hash};
use spec::token::{Capability, Nft, Token};
use spec::{
    Artifact, Category, Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxIn, TxOut, Txid, num, script,
};
use wallet::{Accounts, Arg, Args, Call, FeeRate, Key, Params, Purse, Settlement, Utxo};

use crate::machine;

const NOTICE: u32 = 144;
const WHOLE: u64 = 1_000_000;
const NOW: u32 = 900_000;
const RECORD: Category = Category::from_wire([3; 32]);
const DID: Category = Category::from_wire([4; 32]);

fn source(authority: &str) -> String {
    format!(
        "reward Shared {{ builder: 60%, others: 40% list, minimum: 1_000_000 sats, fee: up to 5_000 sats,
         adjust: by {authority} after {NOTICE} blocks }}"
    )
}

fn compile(text: &str) -> BTreeMap<String, Artifact> {
    let world = MemoryWorld::new([("shared.bmc", text)]);
    let compiled =
        driver::compile(&world, &["shared.bmc".to_owned()], &Options { rules: RuleSet::Bch2026, ..Options::default() });
    assert!(!compiled.has_errors(), "{}", compiled.to_json());
    compiled.artifacts.into_iter().map(|artifact| (artifact.contract.clone(), artifact)).collect()
}

fn sats(amount: u64) -> Sats {
    Sats::new(amount).unwrap()
}

fn key(at: u32) -> Key {
    Accounts::devnet().key(at)
}

fn recipient(at: u32, weight: u64, until: u32) -> Recipient {
    Recipient { name: (at + 1).to_string(), weight, lock: key(10 + at).lock(), until }
}

/// The list in force: two entries of one recipient are locked for ever, so to say, and one until now.
fn old() -> Vec<Recipient> {
    vec![
        recipient(0, 600_000, 0),
        recipient(1, 100_000, NOW + 1_000),
        recipient(1, 100_000, NOW + 1_000),
        recipient(2, 150_000, NOW),
        recipient(3, 50_000, 0),
    ]
}

fn coin(at: u8, output: TxOut) -> Utxo {
    Utxo { outpoint: OutPoint { txid: Txid::from_wire([at; 32]), index: 2 }, output }
}

fn number(n: u64) -> Vec<u8> {
    num::encode_wide(n.into())
}

/// A record with its reward, ready for its next step.
struct Stage {
    artifacts: BTreeMap<String, Artifact>,
    params: Params,
    seq: u32,
    current: [u8; 32],
    next: [u8; 32],
}

impl Stage {
    fn new(authority: &str, params: Params) -> Self {
        let artifacts = compile(&source(authority));
        let current = flow::list_hash(&artifacts["Shared"], &old()).unwrap();
        Self { artifacts, params, seq: 7, current, next: [0; 32] }
    }

    fn by_key() -> Self {
        Self::new("curator", BTreeMap::from([("curator".to_owned(), AbiValue::Item(key(0).public().to_vec()))]))
    }

    fn by_did() -> Self {
        Self::new("did(curator)", BTreeMap::from([("curator".to_owned(), AbiValue::Item(DID.as_wire().to_vec()))]))
    }

    fn record(&self) -> &Artifact {
        &self.artifacts["SharedRecord"]
    }

    fn reward(&self) -> &Artifact {
        &self.artifacts["Shared"]
    }

    fn output(&self, seq: u32, current: [u8; 32], next: [u8; 32]) -> TxOut {
        let commitment = [&seq.to_le_bytes()[..], &current, &next].concat();
        let nft = Nft { capability: Capability::Mutable, commitment };
        let token = Token { category: RECORD, amount: 0, nft: Some(nft) };
        TxOut { value: sats(2_000), token: Some(token), lock: self.record().lock(&self.params).unwrap() }
    }

    fn coin(&self) -> Utxo {
        coin(5, self.output(self.seq, self.current, self.next))
    }

    fn wanted(&self) -> Vec<Recipient> {
        // The builder gives to a newcomer; who is locked keeps what they have; the rest goes.
        vec![
            recipient(0, 500_000, 0),
            recipient(4, 250_000, NOW + 9),
            recipient(1, 100_000, NOW + 1_000),
            recipient(1, 150_000, NOW + 1_000),
        ]
    }

    fn adjustment(&self) -> Adjustment {
        flow::adjustment(self.reward(), &old(), &self.wanted(), NOW).unwrap()
    }

    /// Calls a path of the record; what the machine says if it refuses.
    fn call(
        &self,
        path: &str,
        args: &Args,
        outputs: Vec<TxOut>,
        times: [Option<u32>; 2],
    ) -> Result<Transaction, String> {
        let money = coin(6, TxOut::plain(sats(1_000_000), key(1).lock()));
        let call = Call {
            artifact: self.record(),
            params: &self.params,
            path,
            args,
            coin: self.coin(),
            outputs,
            locktime: times[0],
            sequence: times[1],
            purse: Some(&Purse::of(key(1), vec![money])),
            rate: FeeRate::RELAY_MIN,
        };
        wallet::call(call).map(|built| built.tx).map_err(|error| error.to_string())
    }

    fn propose(
        &self,
        signer: Key,
        changes: AbiValue,
        now: u32,
        next: [u8; 32],
        locktime: Option<u32>,
    ) -> Result<Transaction, String> {
        let Adjustment { was_named, is_named, .. } = self.adjustment();
        let item = |bytes: [u8; 32]| Arg::Value(AbiValue::Item(bytes.to_vec()));
        let args = Args::from([
            ("changes".to_owned(), Arg::Value(changes)),
            ("was_named".to_owned(), item(was_named)),
            ("is_named".to_owned(), item(is_named)),
            ("now".to_owned(), Arg::Value(AbiValue::int(now.into()))),
            ("sig".to_owned(), Arg::Sign(signer)),
        ]);
        self.call("propose", &args, vec![self.output(self.seq, self.current, next)], [locktime, None])
    }

    /// The same with a record of the changes edited. Where an identity has the authority, the machines say the same.
    fn edited(&self, edit: impl FnOnce(&mut Vec<Vec<Vec<u8>>>)) -> Result<Transaction, String> {
        let Adjustment { changes, is_named, .. } = self.adjustment();
        let AbiValue::Records(mut changes) = changes else { panic!() };
        edit(&mut changes.all);
        // The record takes the hash of whatever list comes out.
        let of = |change: &Vec<Vec<u8>>| {
            let weight = num::decode_sized(&change[2]).unwrap();
            let until = num::decode_sized(&change[3]).unwrap();
            let fixed = |n: i128| num::encode_sized(n, 4).unwrap();
            (weight != 0).then(|| vec![fixed(weight), fixed(until), change[4].clone()])
        };
        let next = chain_hash(&is_named, &changes.all.iter().filter_map(of).collect::<Vec<_>>());
        let by_key = self.propose(key(0), AbiValue::Records(changes.clone()), NOW, next, None);
        let by_identity = by_did(&Stage::by_did(), AbiValue::Records(changes), next, |_, _| ());
        assert_eq!(by_key.is_ok(), by_identity.is_ok(), "{by_key:?} {by_identity:?}");
        by_key
    }
}

#[track_caller]
fn refused(result: Result<Transaction, String>, words: &str) {
    let error = result.expect_err(words);
    assert!(error.contains(words), "`{words}` is missing from `{error}`");
}

#[test]
fn a_proposal_is_public_counts_after_notice_and_can_be_taken_back() {
    let mut stage = Stage::by_key();
    let Adjustment { changes, next, hash, .. } = stage.adjustment();
    let tx = stage.propose(key(0), changes.clone(), NOW, hash, None).unwrap();
    assert_eq!(tx.locktime, NOW, "the wallet sets the lock time that `now` needs");
    let shown: Vec<u8> = tx.inputs[0].unlock.clone();
    for recipient in &next {
        assert!(shown.windows(25).any(|bytes| bytes == recipient.lock), "the new list is in the transaction");
    }
    stage.next = hash;
    let activated = |stage: &Stage| vec![stage.output(stage.seq + 1, hash, [0; 32])];
    let tx = stage.call("activate", &Args::new(), activated(&stage), [None; 2]).unwrap();
    assert_eq!(tx.inputs[0].sequence, NOTICE, "the wallet sets the age");
    refused(stage.call("activate", &Args::new(), activated(&stage), [None, Some(NOTICE - 1)]), "notice period");
    // A lock time says nothing about age.
    refused(stage.call("activate", &Args::new(), activated(&stage), [Some(NOW + 99_999), Some(0xffff_fffe)]), "notice");
    // Seconds are no blocks.
    refused(stage.call("activate", &Args::new(), activated(&stage), [None, Some(1 << 22 | NOTICE)]), "notice");
    for wrong in [
        stage.output(stage.seq, hash, [0; 32]),
        stage.output(stage.seq + 1, stage.current, [0; 32]),
        stage.output(stage.seq + 1, hash, hash),
        TxOut { lock: key(9).lock(), ..stage.output(stage.seq + 1, hash, [0; 32]) },
        TxOut { value: sats(1_999), ..stage.output(stage.seq + 1, hash, [0; 32]) },
        TxOut { token: None, ..stage.output(stage.seq + 1, hash, [0; 32]) },
    ] {
        assert!(stage.call("activate", &Args::new(), vec![wrong.clone()], [None; 2]).is_err(), "{wrong:?}");
    }

    let cancel = |signer: Key| Args::from([("sig".to_owned(), Arg::Sign(signer))]);
    let cancelled = vec![stage.output(stage.seq, stage.current, [0; 32])];
    stage.call("cancel", &cancel(key(0)), cancelled.clone(), [None; 2]).unwrap();
    refused(stage.call("cancel", &cancel(key(1)), cancelled, [None; 2]), "`curator` signs");
    // A proposal may be replaced by another; its age begins anew with its coin.
    stage.propose(key(0), changes, NOW, hash, None).unwrap();

    let stage = Stage::by_key();
    refused(stage.call("activate", &Args::new(), activated(&stage), [None; 2]), "a list is proposed");
}

#[test]
fn proposals_that_rob_somebody_are_refused() {
    let stage = Stage::by_key();
    let Adjustment { changes, hash, .. } = stage.adjustment();
    stage.edited(|_| ()).unwrap();
    refused(stage.propose(key(1), changes.clone(), NOW, hash, None), "`curator` signs");
    let zero = || Vec::new();
    // Who is locked, and dropped, or merged with an equal entry, or cut, or unlocked.
    refused(
        stage.edited(|changes| {
            (changes[1][2], changes[1][3]) = (zero(), zero());
            changes[0][2] = number(600_000);
        }),
        "still locked",
    );
    refused(
        stage.edited(|changes| {
            changes[1][2] = number(250_000);
            (changes[2][2], changes[2][3]) = (zero(), zero());
        }),
        "still locked",
    );
    refused(
        stage.edited(|changes| {
            changes[1][2] = number(99_999);
            changes[0][2] = number(500_001);
        }),
        "still locked",
    );
    refused(stage.edited(|changes| changes[1][3] = number(u64::from(NOW) + 999)), "still locked");
    // One record cannot stand for both of two equal entries.
    refused(stage.edited(|changes| drop(changes.remove(2))), "sum to");
    refused(
        stage.edited(|changes| {
            let weight = num::decode_sized(&changes[2][2]).unwrap() as u64;
            changes.remove(2);
            changes[0][2] = number(500_000 + weight);
        }),
        "the list in force",
    );
    // An entry that was never there; another's lock; the order.
    refused(stage.edited(|changes| changes[4][0] = number(49_999)), "the list in force");
    refused(stage.edited(|changes| changes[3][4] = key(30).lock()), "the list in force");
    refused(stage.edited(|changes| changes.swap(0, 3)), "the list in force");
    // Too much, too little, next to nothing, less than nothing.
    refused(stage.edited(|changes| changes[0][2] = number(500_001)), "sum to");
    refused(stage.edited(|changes| changes[0][2] = number(499_999)), "sum to");
    let with_newcomer = |weight: i128| {
        stage.edited(|changes| {
            let record = vec![zero(), zero(), num::encode_wide(weight), zero(), key(31).lock()];
            changes.push(record);
            changes[0][2] = num::encode_wide(500_000 - weight);
        })
    };
    let least = stage.reward().reward.as_ref().unwrap().list.unwrap().weight_min;
    with_newcomer(i128::from(least)).unwrap();
    refused(with_newcomer(i128::from(least) - 1), "above dust");
    refused(with_newcomer(-1), "above dust");
    // The record keeps another hash than that of the list.
    assert!(stage.propose(key(0), changes.clone(), NOW, [9; 32], None).is_err());
    // A time that has not come: a lock may not be waited out on paper.
    refused(stage.propose(key(0), changes.clone(), NOW + 2_000, hash, Some(NOW)), "no later than the lock time");
    // An earlier time locks more: the entry whose time is up now is not up yet.
    refused(stage.propose(key(0), changes, NOW - 1, hash, None), "still locked");
    let error = flow::adjustment(stage.reward(), &old(), &stage.wanted(), NOW - 1).unwrap_err();
    assert!(error.to_string().contains("is locked until height 900000"), "{error}");
    let merged = vec![recipient(0, 800_000, 0), recipient(1, 200_000, NOW + 1_000)];
    let error = flow::adjustment(stage.reward(), &old(), &merged, NOW).unwrap_err();
    assert!(error.to_string().contains("is locked until height 901000"), "{error}");
}

#[test]
fn splitters_of_an_old_list_keep_paying_by_it() {
    let stage = Stage::by_key();
    for (list, pot) in [(old(), 5_000_000), (stage.adjustment().next, 7_000_001)] {
        let params: Params =
            BTreeMap::from([("recipients".to_owned(), flow::records_of(stage.reward(), &list).unwrap())]);
        let lock = stage.reward().lock(&params).unwrap();
        let wish = Settlement {
            artifact: stage.reward(),
            params: &params,
            coins: vec![coin(8, TxOut::plain(sats(pot), lock))],
            fee: None,
            rate: FeeRate::RELAY_MIN,
        };
        let settled = wallet::settle(&wish).unwrap();
        let paid: Vec<u64> = settled.shares.iter().map(|share| share.value.get()).collect();
        let fee = settled.built.fee.get();
        assert_eq!(paid.iter().sum::<u64>(), pot - fee);
        for (paid, one) in paid.iter().zip(&list) {
            let exact = u128::from(pot - fee) * u128::from(one.weight);
            assert!((u128::from(*paid) * u128::from(WHOLE)).abs_diff(exact) <= u128::from(WHOLE));
        }
    }
}

/// A proposal by the holder of an identity, put together by hand: the record, the identity's coin, money.
fn by_did(
    stage: &Stage,
    changes: AbiValue,
    hash: [u8; 32],
    change: impl FnOnce(&mut Transaction, &mut [TxOut; 3]),
) -> Result<(), String> {
    let Adjustment { was_named, is_named, .. } = stage.adjustment();
    // Anyone may move this identity; what matters is what the record asks of it.
    let open = script::p2sh32(&spec::hash::sha256d(&[0x51]));
    let nft = Nft { capability: Capability::Mutable, commitment: b"document".to_vec() };
    let did = TxOut {
        value: sats(1_500),
        token: Some(Token { category: DID, amount: 0, nft: Some(nft) }),
        lock: open.clone(),
    };
    let mut spent = [stage.coin().output, did.clone(), TxOut::plain(sats(50_000), open)];
    let path = stage.record().path("propose").unwrap();
    let args = BTreeMap::from([
        ("changes".to_owned(), changes),
        ("was_named".to_owned(), AbiValue::Item(was_named.to_vec())),
        ("is_named".to_owned(), AbiValue::Item(is_named.to_vec())),
        ("now".to_owned(), AbiValue::int(NOW.into())),
    ]);
    let redeem = stage.record().redeem_script(&stage.params).unwrap();
    let input = |at: u8, unlock: Vec<u8>| TxIn {
        prevout: OutPoint { txid: Txid::from_wire([at; 32]), index: 0 },
        unlock,
        sequence: 0xffff_fffe,
    };
    let inputs =
        vec![input(1, path.unlock_script(&args, &redeem).unwrap()), input(2, vec![1, 0x51]), input(3, vec![1, 0x51])];
    let outputs = vec![stage.output(stage.seq, stage.current, hash), did, TxOut::plain(sats(40_000), key(1).lock())];
    let mut tx = Transaction { version: 2, inputs, outputs, locktime: NOW };
    change(&mut tx, &mut spent);
    let context = SpendContext::new(&tx, &spent).unwrap();
    let judged = [RuleSet::Bch2026, RuleSet::Bitmodel].map(|rules| {
        (0..3).try_for_each(|input| {
            let verdict = vm::verify_input(&Rules::new(rules, Mode::Relay), &context, input);
            verdict.map(|_| ()).map_err(|failure| wallet::explain(stage.record(), &redeem, &failure).message)
        })
    });
    assert_eq!(judged[0], judged[1], "the two sets of rules differ");
    let [verdict, _] = judged;
    machine::agreed(&tx, &spent, &[0, 1, 2], verdict)
}

#[test]
fn an_identity_proposes_only_if_it_comes_back_unchanged() {
    let stage = Stage::by_did();
    let Adjustment { changes, hash, .. } = stage.adjustment();
    by_did(&stage, changes.clone(), hash, |_, _| ()).unwrap();
    let refused = |words: &str, change: &dyn Fn(&mut Transaction, &mut [TxOut; 3])| {
        let error = by_did(&stage, changes.clone(), hash, change).expect_err(words);
        assert!(error.contains(words), "`{words}` is missing from `{error}`");
    };
    refused("the lock of `curator` back", &|tx, _| tx.outputs[1].lock = key(5).lock());
    refused("the token of `curator` back", &|tx, _| tx.outputs[1].token = None);
    refused("the token of `curator` back", &|tx, _| {
        tx.outputs[1].token.as_mut().unwrap().nft.as_mut().unwrap().capability = Capability::None;
    });
    refused("the document of `curator` back", &|tx, _| {
        tx.outputs[1].token.as_mut().unwrap().nft.as_mut().unwrap().commitment = b"other".to_vec();
    });
    refused("the lock of `curator` back", &|tx, _| tx.outputs.swap(1, 2));
    refused("carries the token of `curator`", &|_, spent| spent.swap(1, 2));
}

/// As many entries as a list may have, all of whose weights change at once.
#[test]
fn a_list_that_may_be_replaced_is_no_longer_than_one_proposal() {
    let source = "reward Shared { recipients: list, minimum: 1_000_000 sats, fee: up to 5_000 sats, \
                  adjust: by curator after 144 blocks }";
    let contract = |at: u32| script::p2sh32(&spec::hash::sha256d(&at.to_le_bytes()));
    type LockOf<'a> = &'a dyn Fn(u32) -> Vec<u8>;
    let lists: [(u32, LockOf<'_>); 2] = [(190, &|at| key(at).lock()), (164, &contract)];
    for (most, lock) in lists {
        let list = |count: u32, by: u64| -> Vec<Recipient> {
            let each = 1_000_000 / u64::from(count);
            let mut all: Vec<Recipient> = (0..count)
                .map(|at| Recipient { name: (at + 1).to_string(), weight: each, lock: lock(at), until: NOW + at })
                .collect();
            all[0].weight = 1_000_000 - each * u64::from(count - 1) - by;
            all[1].weight += by;
            all.iter_mut().for_each(|one| one.until = if by > 0 { NOW + 9_000 } else { 0 });
            all
        };
        let artifacts = compile(source);
        let reward = &artifacts["Shared"];
        let old = list(most, 0);
        let current = flow::list_hash(reward, &old).unwrap();
        let params = BTreeMap::from([("curator".to_owned(), AbiValue::Item(key(0).public().to_vec()))]);
        let stage = Stage { artifacts: artifacts.clone(), params, seq: 0, current, next: [0; 32] };
        let Adjustment { changes, was_named, is_named, hash, .. } =
            flow::adjustment(reward, &old, &list(most, 7), NOW).unwrap();
        let item = |bytes: [u8; 32]| Arg::Value(AbiValue::Item(bytes.to_vec()));
        let args = Args::from([
            ("changes".to_owned(), Arg::Value(changes)),
            ("was_named".to_owned(), item(was_named)),
            ("is_named".to_owned(), item(is_named)),
            ("now".to_owned(), Arg::Value(AbiValue::int(NOW.into()))),
            ("sig".to_owned(), Arg::Sign(key(0))),
        ]);
        let tx = stage.call("propose", &args, vec![stage.output(0, current, hash)], [None; 2]).unwrap();
        println!("a proposal of {most} entries: {} bytes", tx.len_bytes());
        let error = flow::records_of(reward, &list(most + 1, 0)).unwrap_err().to_string();
        assert!(error.contains(&format!("{} entries take", most + 1)), "{error}");
        // Others that come in are entries of the proposal too.
        let mut other = list(most, 0);
        other[2].lock = lock(9_999);
        let error = flow::adjustment(reward, &old, &other, NOW).unwrap_err().to_string();
        assert!(error.contains("has to fit one proposal"), "{error}");
    }
}
