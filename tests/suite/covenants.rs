//! Contracts that carry tokens and state, attacked on the machine: each check in turn.

use std::fs;

use driver::{MemoryWorld, Options};
use spec::artifact::{AbiValue, Slot};
use spec::token::{Capability, Nft, Token};
use spec::tx::TxIn;
use spec::{
    Artifact, Category, Mode, OutPoint, RuleSet, Rules, Sats, SighashType, SpendContext, Transaction, TxOut, Txid,
};
use wallet::{Accounts, Arg, Key, Names, Params, parse_value};

use crate::bmc::root;
use crate::contracts::{says, sealed};
use crate::machine;

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// The category of the tokens that count.
const OWN: [u8; 32] = [0xca; 32];
const COIN_SATS: u64 = 100_000;

fn artifact(text: &str) -> Artifact {
    let world = MemoryWorld::new([("test.bmc", text)]);
    let compiled =
        driver::compile(&world, &["test.bmc".to_owned()], &Options { rules: RuleSet::Bch2026, ..Options::default() });
    assert!(compiled.diagnostics.is_empty(), "{}", compiled.to_json());
    compiled.artifacts[0].clone()
}

fn source(name: &str) -> String {
    fs::read_to_string(root().join("tests/contracts").join(format!("{name}.bmc"))).unwrap()
}

fn value(accounts: &Accounts, slots: &[Slot], name: &str, text: &str) -> Arg {
    let slot = slots.iter().find(|slot| slot.name == name).unwrap_or_else(|| panic!("no `{name}`"));
    parse_value(&slot.ty, text, Names { network: spec::Network::Devnet, accounts }).unwrap()
}

/// A deployed contract.
struct Stage {
    artifact: Artifact,
    params: Params,
    accounts: Accounts,
    /// The same with all values built in: it must accept and refuse the same.
    sealed: Option<Box<Stage>>,
}

/// A coin of the contract that is spent.
struct Spent<'a> {
    path: &'a str,
    args: Pairs<'a>,
    coin: TxOut,
}

impl Stage {
    fn new(text: &str, params: Pairs<'_>) -> Self {
        let accounts = Accounts::devnet();
        let artifact = artifact(text);
        let params = params.iter().map(|(name, text)| match value(&accounts, &artifact.params, name, text) {
            Arg::Value(value) => ((*name).to_owned(), value),
            Arg::Sign(_) | Arg::SignEcdsa(_) | Arg::SignEach(_) | Arg::Parts(_) => panic!("`{name}` is a signature"),
        });
        let params = params.collect();
        Self { artifact, params, accounts, sealed: None }.with_sealed(text)
    }

    fn with_sealed(self, text: &str) -> Self {
        let artifact = sealed(
            text,
            &self.artifact.contract,
            &self.params,
            &Options { rules: RuleSet::Bch2026, ..Options::default() },
        );
        let sealed = Self { artifact, params: self.params.clone(), accounts: Accounts::devnet(), sealed: None };
        Self { sealed: Some(Box::new(sealed)), ..self }
    }

    fn redeem(&self) -> Vec<u8> {
        self.artifact.redeem_script(&self.params).unwrap()
    }

    /// A coin or an output under the contract's lock.
    fn own(&self, sats: u64, token: Option<Token>) -> TxOut {
        TxOut { value: Sats::from_wire(sats), token, lock: self.artifact.lock(&self.params).unwrap() }
    }

    /// An output to `@dave`.
    fn out(&self, sats: u64, token: Option<Token>) -> TxOut {
        TxOut { value: Sats::from_wire(sats), token, lock: self.accounts.key(3).lock() }
    }

    fn unlock(&self, context: &SpendContext<'_>, index: usize, spent: &Spent<'_>) -> Vec<u8> {
        let path = self.artifact.path(spent.path).unwrap();
        let redeem = self.redeem();
        let sign = |key: &Key| {
            let digest = context.digest(SighashType::ALL, index, &redeem).unwrap().digest;
            let [kind, ..] = SighashType::ALL.to_u32().to_le_bytes();
            key.sign(&digest).into_iter().chain([kind]).collect()
        };
        let args = spent.args.iter().map(|(name, text)| {
            let value = match value(&self.accounts, &path.args, name, text) {
                Arg::Value(value) => value,
                Arg::Sign(key) => AbiValue::Item(sign(&key)),
                Arg::SignEcdsa(_) | Arg::SignEach(_) | Arg::Parts(_) => panic!("no multisig here"),
            };
            ((*name).to_owned(), value)
        });
        path.unlock_script(&args.collect(), &redeem).unwrap()
    }

    /// What the machine says of the first input that fails, if one does. The message of a check is in it.
    fn judge(&self, spent: &[Spent<'_>], outputs: Vec<TxOut>) -> Result<(), String> {
        let template = self.judge_as(spent, outputs.clone());
        if let Some(sealed) = &self.sealed {
            let own = self.artifact.lock(&self.params).unwrap();
            let moved = |out: &TxOut| {
                let lock = if out.lock == own { sealed.artifact.lock(&self.params).unwrap() } else { out.lock.clone() };
                TxOut { lock, ..out.clone() }
            };
            let spent: Vec<_> = spent
                .iter()
                .map(|spent| Spent { coin: moved(&spent.coin), path: spent.path, args: spent.args })
                .collect();
            let sealed = sealed.judge_as(&spent, outputs.iter().map(moved).collect());
            assert!(says(&sealed, &template), "sealing changes what is accepted: {template:?} {sealed:?}");
        }
        template
    }

    fn judge_as(&self, spent: &[Spent<'_>], outputs: Vec<TxOut>) -> Result<(), String> {
        let input = |index: usize| TxIn {
            prevout: OutPoint { txid: Txid::from_wire([7; 32]), index: u32::try_from(index).unwrap() },
            unlock: Vec::new(),
            sequence: 100,
        };
        let inputs = (0..spent.len()).map(input).collect();
        let mut tx = Transaction { version: 2, inputs, outputs, locktime: 900_000 };
        let coins: Vec<TxOut> = spent.iter().map(|spent| spent.coin.clone()).collect();
        let unlocks: Vec<Vec<u8>> = {
            let context = SpendContext::new(&tx, &coins).unwrap();
            spent.iter().enumerate().map(|(index, spent)| self.unlock(&context, index, spent)).collect()
        };
        for (input, unlock) in tx.inputs.iter_mut().zip(unlocks) {
            input.unlock = unlock;
        }
        let verdicts = [RuleSet::Bch2026, RuleSet::Bitmodel].map(|rules| self.judge_by(rules, &tx, spent, &coins));
        assert_eq!(verdicts[0], verdicts[1], "the two sets of rules differ");
        machine::agreed(&tx, &coins, &(0..coins.len()).collect::<Vec<_>>(), verdicts[0].clone())
    }

    fn judge_by(&self, rules: RuleSet, tx: &Transaction, spent: &[Spent<'_>], coins: &[TxOut]) -> Result<(), String> {
        let context = SpendContext::new(tx, coins).unwrap();
        for (index, spent) in spent.iter().enumerate() {
            let metrics = vm::verify_input(&Rules::new(rules, Mode::Relay), &context, index)
                .map_err(|failure| wallet::explain(&self.artifact, &self.redeem(), &failure).to_string())?;
            let bound = self.artifact.path(spent.path).unwrap().cost_bound.unwrap();
            let cost = metrics.cost.get();
            // The bound is that of the rules the contract was compiled for.
            assert!(rules != RuleSet::Bch2026 || cost <= bound, "{} costs {cost}, above {bound}", spent.path);
        }
        Ok(())
    }

    #[track_caller]
    fn accepts(&self, spent: &[Spent<'_>], outputs: Vec<TxOut>) {
        self.judge(spent, outputs).unwrap();
    }

    #[track_caller]
    fn refuses(&self, spent: &[Spent<'_>], outputs: Vec<TxOut>, message: &str) {
        let error = self.judge(spent, outputs).expect_err("the machine must refuse");
        assert!(error.contains(message), "`{message}` is not in `{error}`");
    }
}

fn nft(category: [u8; 32], capability: Capability, commitment: &[u8], amount: u64) -> Option<Token> {
    let nft = Nft { capability, commitment: commitment.to_vec() };
    Some(Token { category: Category::from_wire(category), amount, nft: Some(nft) })
}

fn state(commitment: &[u8]) -> Option<Token> {
    nft(OWN, Capability::Mutable, commitment, 5)
}

fn fungible(category: [u8; 32], amount: u64) -> Option<Token> {
    Some(Token { category: Category::from_wire(category), amount, nft: None })
}

fn counter(count: u64, last: [u8; 20], open: bool, paid: u64) -> Vec<u8> {
    [&count.to_le_bytes()[..], &last, &[u8::from(open)], &paid.to_le_bytes()].concat()
}

const WHO: [u8; 20] = [0x11; 20];

fn who() -> String {
    format!("0x{}", hex::encode(WHO))
}

#[test]
fn a_counter_goes_on_only_with_the_next_state() {
    let stage = Stage::new(&source("state_counter"), &[("limit", "10"), ("owner", "@alice")]);
    let before = counter(6, [9; 20], true, 2_000);
    let after = counter(7, WHO, true, 7_000);
    let who = who();
    let args = [("who", who.as_str()), ("amount", "5_000 sats")];
    let spent = |token| [Spent { path: "step", args: &args, coin: stage.own(COIN_SATS, token) }];
    let next = COIN_SATS + 5_000;
    stage.accepts(&spent(state(&before)), vec![stage.own(next, state(&after))]);

    let (lock, category) = ("has the lock of this one", "has the token category and capability of this one");
    let (value, amount, commitment) = ("has the value that is given", "the token amount of this one", "the next state");
    let held = |capability| nft(OWN, capability, &after, 5);
    for (output, message) in [
        (stage.out(next, state(&after)), lock),
        (stage.own(next, nft([1; 32], Capability::Mutable, &after, 5)), category),
        (stage.own(next, held(Capability::None)), category),
        (stage.own(next, held(Capability::Minting)), category),
        (stage.own(next, fungible(OWN, 5)), category),
        (stage.own(next, None), category),
        (stage.own(next - 1, state(&after)), value),
        (stage.own(next + 1, state(&after)), value),
        (stage.own(next, nft(OWN, Capability::Mutable, &after, 4)), amount),
        (stage.own(next, nft(OWN, Capability::Mutable, &after, 6)), amount),
        (stage.own(next, state(&counter(6, WHO, true, 7_000))), commitment),
        (stage.own(next, state(&counter(8, WHO, true, 7_000))), commitment),
        (stage.own(next, state(&counter(7, [9; 20], true, 7_000))), commitment),
        (stage.own(next, state(&counter(7, WHO, false, 7_000))), commitment),
        (stage.own(next, state(&counter(7, WHO, true, 7_001))), commitment),
        (stage.own(next, state(&[&after[..], &[0]].concat())), commitment),
        (stage.own(next, state(&after[..36])), commitment),
    ] {
        stage.refuses(&spent(state(&before)), vec![output], message);
    }

    // A coin whose token holds no such state cannot be spent at all.
    for wrong in [&before[..36], &[&before[..], &[0]].concat(), &[]] {
        stage.refuses(&spent(state(wrong)), vec![stage.own(next, state(&after))], "holds a state of `StateCounter`");
    }
    stage.refuses(&spent(None), vec![stage.own(next, state(&after))], "holds a state of `StateCounter`");
    let closed = counter(6, [9; 20], false, 2_000);
    stage.refuses(&spent(state(&closed)), vec![stage.own(next, state(&after))], "closed");
    let full = counter(10, [9; 20], true, 2_000);
    stage.refuses(&spent(state(&full)), vec![stage.own(next, state(&after))], "the end");
}

#[test]
fn fields_that_are_not_given_keep_their_value() {
    let stage = Stage::new(&source("state_counter"), &[("limit", "10"), ("owner", "@alice")]);
    let open = counter(6, WHO, true, 2_000);
    let shut = counter(6, WHO, false, 2_000);
    let close = |who| Spent { path: "close", args: who, coin: stage.own(COIN_SATS, state(&open)) };
    stage.accepts(&[close(&[("sig", "@alice")])], vec![stage.own(COIN_SATS, state(&shut))]);
    stage.refuses(&[close(&[("sig", "@bob")])], vec![stage.own(COIN_SATS, state(&shut))], "the owner must sign");
    stage.refuses(&[close(&[("sig", "@alice")])], vec![stage.own(COIN_SATS, state(&open))], "the next state");
    let touch = || Spent { path: "touch", args: &[], coin: stage.own(COIN_SATS, state(&open)) };
    stage.accepts(&[touch()], vec![stage.own(COIN_SATS, state(&open))]);
    stage.refuses(&[touch()], vec![stage.own(COIN_SATS, state(&shut))], "the next state");
    stage.refuses(&[touch()], vec![stage.own(COIN_SATS - 1, state(&open))], "the value of this one");
}

#[test]
fn two_coins_cannot_go_on_as_one() {
    let stage = Stage::new(&source("state_counter"), &[("limit", "10"), ("owner", "@alice")]);
    let held = counter(6, WHO, true, 2_000);
    let touch = || Spent { path: "touch", args: &[], coin: stage.own(COIN_SATS, state(&held)) };
    let next = || stage.own(COIN_SATS, state(&held));
    stage.accepts(&[touch(), touch()], vec![next(), next()]);
    assert!(stage.judge(&[touch(), touch()], vec![next()]).is_err());
    stage.refuses(&[touch(), touch()], vec![next(), stage.out(COIN_SATS, None)], "the lock of this one");
}

#[test]
fn a_state_ends_only_if_no_output_has_its_token() {
    let text = "contract Ends(owner: PubKey) {
        state { count: Int }
        spend finish(sig: Sig) { require owner.signed(sig), \"owner\"; end; }
    }";
    let stage = Stage::new(text, &[("owner", "@alice")]);
    let held = [0; 8];
    let finish = || [Spent { path: "finish", args: &[("sig", "@alice")], coin: stage.own(COIN_SATS, state(&held)) }];
    let plain = |count: usize| vec![stage.out(1_000, None); count];
    let other = stage.out(1_000, nft([1; 32], Capability::Minting, &held, 7));
    for count in [1, 2, 31, 32] {
        stage.accepts(&finish(), plain(count));
    }
    assert!(stage.judge(&finish(), plain(33)).is_err());
    stage.accepts(&finish(), vec![stage.out(1_000, None), other.clone()]);
    let message = "end: no output carries the token of this coin";
    for token in [
        state(&held),
        nft(OWN, Capability::None, &held, 0),
        nft(OWN, Capability::None, &[], 0),
        nft(OWN, Capability::Minting, &held, 0),
        fungible(OWN, 1),
    ] {
        for at in 0..3 {
            let mut outputs = vec![stage.out(1_000, None), other.clone(), stage.out(1_000, None)];
            outputs[at] = stage.out(1_000, token.clone());
            stage.refuses(&finish(), outputs, message);
        }
    }
    stage.refuses(
        &[Spent { path: "finish", args: &[("sig", "@alice")], coin: stage.own(COIN_SATS, state(&held[..7])) }],
        plain(1),
        "holds a state of `Ends`",
    );
}

#[test]
fn a_gate_mints_one_numbered_pass_for_each_payment() {
    let stage = Stage::new(&source("minting_gate"), &[("price", "5_000 sats"), ("treasury", "@bob")]);
    let who = who();
    let args = [("holder", who.as_str())];
    let number = |n: u64| n.to_le_bytes();
    let gate = |capability, n: u64| nft(OWN, capability, &number(n), 0);
    let minting = |n| gate(Capability::Minting, n);
    let coin = |token| [Spent { path: "issue", args: &args, coin: stage.own(COIN_SATS, token) }];
    let treasury = stage.accounts.key(1).lock();
    let pass = |token| TxOut { value: Sats::from_wire(1_000), token, lock: spec::script::p2pkh(&WHO) };
    let payment = |sats| TxOut { value: Sats::from_wire(sats), token: None, lock: treasury.clone() };
    let good = || vec![stage.own(COIN_SATS, minting(5)), pass(gate(Capability::None, 4)), payment(5_000)];
    stage.accepts(&coin(minting(4)), good());
    stage.accepts(&coin(minting(4)), [good(), vec![stage.out(900, None)]].concat());

    let swapped = |at: usize, output: TxOut| {
        let mut outputs = good();
        outputs[at] = output;
        outputs
    };
    for (outputs, message) in [
        (swapped(0, stage.own(COIN_SATS, minting(4))), "the next state"),
        (swapped(0, stage.out(COIN_SATS, minting(5))), "the lock of this one"),
        (swapped(0, stage.own(COIN_SATS, gate(Capability::Mutable, 5))), "category and capability"),
        (swapped(1, pass(gate(Capability::Mutable, 4))), "the pass can neither change nor mint"),
        (swapped(1, pass(minting(4))), "the pass can neither change nor mint"),
        (swapped(1, pass(gate(Capability::None, 5))), "the pass has the next number"),
        (swapped(1, stage.out(1_000, gate(Capability::None, 4))), "the pass goes to its holder"),
        (swapped(2, payment(4_999)), "the pass is paid for"),
        (swapped(2, TxOut { token: minting(9), ..payment(5_000) }), "the payment is money alone"),
        ([good(), vec![stage.out(900, minting(9))]].concat(), "change is money alone"),
        ([good(), vec![stage.out(900, gate(Capability::None, 9))]].concat(), "change is money alone"),
        ([good(), vec![stage.out(900, None); 2]].concat(), "the gate, the pass, the payment and change"),
    ] {
        stage.refuses(&coin(minting(4)), outputs, message);
    }
    stage.refuses(&coin(gate(Capability::Mutable, 4)), good(), "only a minting token makes passes");
    let two = [coin(minting(4)), coin(minting(4))].into_iter().flatten().collect::<Vec<_>>();
    stage.refuses(&two, good(), "the gate comes first");
}

#[test]
fn a_vault_hands_its_token_on_and_never_out() {
    let kind = format!("0x{}", hex::encode(OWN));
    let stage = Stage::new(&source("nft_vault"), &[("kind", &kind)]);
    let alice = spec::hash::hash160(&stage.accounts.key(0).public());
    let to = who();
    let args = |who| [("key", who), ("sig", who), ("to", to.as_str())];
    let coin = |token| stage.own(COIN_SATS, token);
    let kept = |commitment: &[u8]| stage.own(COIN_SATS - 1_000, nft(OWN, Capability::Mutable, commitment, 0));
    let hand = |args, token| [Spent { path: "hand_on", args, coin: coin(token) }];
    let (by_alice, by_bob) = (args("@alice"), args("@bob"));
    let held = || nft(OWN, Capability::Mutable, &alice, 0);
    stage.accepts(&hand(&by_alice, held()), vec![kept(&WHO)]);
    for (spent, output, message) in [
        (hand(&by_bob, held()), kept(&WHO), "another owner"),
        (hand(&by_alice, held()), kept(&alice), "the new owner"),
        (hand(&by_alice, held()), stage.out(99_000, held()), "the token stays in the vault"),
        (hand(&by_alice, held()), stage.own(99_000, nft(OWN, Capability::None, &WHO, 0)), "the token stays mutable"),
        (hand(&by_alice, held()), stage.own(99_000, None), "the token stays mutable"),
        (hand(&by_alice, held()), stage.own(98_999, nft(OWN, Capability::Mutable, &WHO, 0)), "the fee is too high"),
        (hand(&by_alice, nft([1; 32], Capability::Mutable, &alice, 0)), kept(&WHO), "the vault's own token"),
        (hand(&by_alice, nft(OWN, Capability::None, &alice, 0)), kept(&WHO), "the vault's own token"),
        (hand(&by_alice, nft(OWN, Capability::Mutable, &alice[..19], 0)), kept(&WHO), "an owner"),
    ] {
        stage.refuses(&spent, vec![output], message);
    }
}

#[test]
fn a_state_of_128_bytes_is_carried_and_one_of_129_refused() {
    let text = |len: usize| {
        format!(
            "contract Full(owner: PubKey) {{ state {{ count: Int, rest: Bytes<{len}> }}
            spend go(sig: Sig) {{ require owner.signed(sig); continue {{ count: state.count + 1 }}; }} }}"
        )
    };
    let stage = Stage::new(&text(120), &[("owner", "@alice")]);
    let held = |count: u8| [&[count, 0, 0, 0, 0, 0, 0, 0][..], &[0xab; 120]].concat();
    let spent = [Spent { path: "go", args: &[("sig", "@alice")], coin: stage.own(COIN_SATS, state(&held(4))) }];
    stage.accepts(&spent, vec![stage.own(COIN_SATS, state(&held(5)))]);
    stage.refuses(&spent, vec![stage.own(COIN_SATS, state(&held(4)))], "the next state");

    let world = MemoryWorld::new([("full.bmc", text(121).as_str())]);
    let compiled = driver::compile(&world, &["full.bmc".to_owned()], &Options::default());
    let found = &compiled.diagnostics[0];
    assert_eq!(found.message, "the state of `Full` takes 129 bytes; a commitment holds 128");
    assert_eq!(found.notes, ["count 8 + rest 121 = 129"]);
}
