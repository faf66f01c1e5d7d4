//! Offerings on the machine, under both sets of rules: every path, and each attack on it.

use std::fs;

use driver::{MemoryWorld, Options};
use spec::artifact::AbiValue;
use spec::hash::sha256;
use spec::token::{Capability, Token};
use spec::{Artifact, RuleSet, Sats, TxOut};
use wallet::{Accounts, Params};

use crate::bmc::root;
use crate::machine::{
    self, In, Placed, Tx, Values, account, bytes, compiled, eight, four, fungible, held, int, nft, of, other, out,
    place, spend, tx,
};

/// The transaction that made the launch coin, and so the category of the token.
const CATEGORY: [u8; 32] = machine::CATEGORY;
const BASE: u64 = 2_000;
const MODEL: [u8; 32] = [0x17; 32];

fn offers() -> Vec<Artifact> {
    compiled(&fs::read_to_string(root().join("tests/imo/offers.bmc")).unwrap())
}

// ---- launch

const NAMES: [&str; 5] = ["sale", "builder", "upstream", "reserve", "holders"];
/// A quarter, a fifth, 15 % and the rest of 1,000,001, rounded so that they sum to it.
const PARTS: [u64; 4] = [250_000, 200_000, 150_001, 400_000];

fn judge_key(at: u32) -> AbiValue {
    bytes(Accounts::devnet().key(10 + at).public())
}

fn launch_of(artifacts: &[Artifact]) -> Placed {
    let names = ["treasury", "builder", "upstream_databases", "upstream_compute", "upstream_researchers", "reserve"];
    let at = [8, 1, 1, 2, 3, 4];
    let mut params = Params::from([("model".to_owned(), bytes(MODEL))]);
    params.extend(["judge_a", "judge_b", "judge_c"].map(str::to_owned).into_iter().zip((0..).map(judge_key)));
    params.extend(names.map(str::to_owned).into_iter().zip(at.map(|at| bytes(account(at)))));
    let params = wallet::Program::new(artifacts.iter().cloned()).complete("CoderLaunch", params).unwrap();
    let artifact = artifacts.iter().find(|artifact| artifact.contract == "CoderLaunch").unwrap().clone();
    Placed { artifact, params }
}

/// The locks of all parts, and of the holders' money.
fn locks(artifacts: &[Artifact]) -> [Vec<u8>; 5] {
    let lock = |contract, params| place(artifacts, contract, params).lock();
    let sources = ["databases", "compute", "researchers"].into_iter().zip((1..).map(|at| bytes(account(at))));
    [
        lock("CoderSale", vec![("treasury", bytes(account(8)))]),
        lock("CoderVesting", vec![("builder", bytes(account(1)))]),
        lock("CoderUpstream", sources.collect()),
        account(4),
        lock("CoderHolders", vec![]),
    ]
}

/// What judges sign of a launch coin.
fn attestation(txid: [u8; 32], index: u32, model: [u8; 32], criteria: &str) -> Vec<u8> {
    [b"BMIMO\x01", &txid[..], &four(index), &model, &sha256(criteria.as_bytes())[..]].concat()
}

fn good_message() -> Vec<u8> {
    attestation(CATEGORY, 0, MODEL, "benchmark >= 0.92")
}

fn signed(judge: u32, message: &[u8]) -> AbiValue {
    bytes(Accounts::devnet().key(10 + judge).sign(&sha256(message)))
}

/// The signatures of the judges whose bit is set, over one message; the others leave theirs empty.
fn votes(who: u32, message: &[u8]) -> Values {
    let names = ["sig_judge_a", "sig_judge_b", "sig_judge_c"];
    let vote = |at: u32| if who >> at & 1 == 1 { signed(at, message) } else { bytes([]) };
    names.into_iter().zip((0..).map(vote)).collect()
}

fn launched(artifacts: &[Artifact]) -> Vec<TxOut> {
    let tokens = [
        held(&eight(0), PARTS[0]),
        held(&four(0), PARTS[1]),
        fungible(PARTS[2]),
        fungible(PARTS[3]),
        held(&eight(1_000_001), 0),
    ];
    tokens.into_iter().zip(locks(artifacts)).map(|(token, lock)| out(&lock, BASE, token)).collect()
}

#[test]
fn a_launch_makes_exactly_the_supply_and_nothing_that_could_make_more() {
    let artifacts = offers();
    let launch = launch_of(&artifacts);
    let coin = || launch.out(BASE, None);
    let go = |outputs| tx(vec![spend(&launch, "launch", votes(0b101, &good_message()), coin())], outputs);
    assert_eq!(PARTS.iter().sum::<u64>(), 1_000_001);
    go(launched(&artifacts)).accepted();
    go([launched(&artifacts), vec![out(&account(9), 5_000, None)]].concat()).accepted();

    let change = |token| [launched(&artifacts), vec![out(&account(9), 5_000, token)]].concat();
    go(change(fungible(1))).refused("change carries no token");
    go(change(nft(CATEGORY, Capability::Minting, b"", 0))).refused("change carries no token");
    go([change(None), vec![out(&account(9), 5_000, None)]].concat()).refused("at most one output follows the parts");
    for at in 0..5 {
        let with = |output: TxOut| {
            let mut outputs = launched(&artifacts);
            outputs[at] = output;
            go(outputs)
        };
        let good = launched(&artifacts)[at].clone();
        let name = NAMES[at];
        with(TxOut { lock: account(9), ..good.clone() }).refused(&format!("output {at} is for `{name}`"));
        with(TxOut { value: Sats::from_wire(BASE - 1), ..good.clone() }).refused(&format!("output {at} holds"));
        let token = good.token.clone().unwrap();
        let amount = |amount| Some(Token { amount, ..token.clone() });
        with(TxOut { token: amount(token.amount + 1), ..good.clone() }).refused(&format!("`{name}` gets"));
        if token.amount > 0 {
            with(TxOut { token: amount(token.amount - 1), ..good.clone() }).refused(&format!("`{name}` gets"));
        }
        let commitment = token.nft.as_ref().map_or_else(Vec::new, |nft| nft.commitment.clone());
        let carries = format!("output {at} carries");
        with(TxOut { token: nft(CATEGORY, Capability::Minting, &commitment, token.amount), ..good.clone() })
            .refused(&carries);
        with(TxOut { token: None, ..good.clone() }).refused(&carries);
        if token.nft.is_some() {
            let mut other = commitment;
            other[0] ^= 1;
            let state = nft(CATEGORY, Capability::Mutable, &other, token.amount);
            with(TxOut { token: state, ..good.clone() }).refused(&format!("`{name}` begins from nothing"));
        } else {
            let thing = nft(CATEGORY, Capability::None, b"x", token.amount);
            with(TxOut { token: thing, ..good.clone() }).refused(&format!("`{name}` begins from nothing"));
        }
    }
    go(launched(&artifacts)[..4].to_vec()).judge().unwrap_err();
    // Another outpoint of the transaction names no category.
    let mut second = go(launched(&artifacts));
    second.inputs[0].index = 1;
    second.refused("first output of a transaction");
    // Behind another input, the outputs would be those of another category.
    let behind = tx(
        vec![other(out(&account(9), 5_000, None)), spend(&launch, "launch", votes(0b101, &good_message()), coin())],
        launched(&artifacts),
    );
    behind.refused("the launch coin is the first input");
}

#[test]
fn too_few_judges_and_attestations_of_anything_else_open_no_launch() {
    let artifacts = offers();
    let launch = launch_of(&artifacts);
    let go = |args| tx(vec![spend(&launch, "launch", args, launch.out(BASE, None))], launched(&artifacts));
    let good = good_message();
    for who in 0..8u32 {
        match who.count_ones() >= 2 {
            true => go(votes(who, &good)).accepted(),
            false => go(votes(who, &good)).refused("2 of 3 judges attest the model"),
        }
    }
    // A signature of something else counts for nothing, or fails the whole spend.
    for message in [
        attestation([0xcb; 32], 0, MODEL, "benchmark >= 0.92"),
        attestation(CATEGORY, 1, MODEL, "benchmark >= 0.92"),
        attestation(CATEGORY, 0, [0x18; 32], "benchmark >= 0.92"),
        attestation(CATEGORY, 0, MODEL, "benchmark >= 0.91"),
        [b"BMIMI\x01", &good[6..]].concat(),
    ] {
        let mut args = votes(0b001, &good);
        args[1].1 = signed(1, &message);
        assert!(go(args).judge().is_err());
    }
    // One judge does not sign for another.
    let mut twice = votes(0b001, &good);
    twice[1].1 = signed(0, &good);
    assert!(go(twice).judge().is_err());
}

// ---- sales

struct Sale {
    placed: Placed,
    all: u64,
}

fn sale_of(artifacts: &[Artifact], contract: &str, treasury: &'static str, all: u64) -> Sale {
    Sale { placed: place(artifacts, contract, vec![(treasury, bytes(account(8)))]), all }
}

impl Sale {
    fn coin(&self, sold: u64, money: u64) -> TxOut {
        self.placed.out(BASE + money, held(&eight(sold), self.all - sold))
    }

    fn buy(&self, (sold, money): (u64, u64), amount: u64, cost: u64) -> Tx<'_> {
        self.buy_with(vec![("amount", int(amount))], (sold, money), amount, cost)
    }

    fn buy_at(&self, at: u64, (sold, money): (u64, u64), amount: u64, cost: u64) -> Tx<'_> {
        let locktime = u32::try_from(at).unwrap();
        self.buy_with(vec![("amount", int(amount)), ("at", int(at))], (sold, money), amount, cost).at(locktime)
    }

    fn buy_with(&self, args: Values, (sold, money): (u64, u64), amount: u64, cost: u64) -> Tx<'_> {
        let next = self.placed.out(BASE + money + cost, held(&eight(sold + amount), self.all - sold - amount));
        let buyer = out(&account(9), 1_000, fungible(amount));
        tx(vec![spend(&self.placed, "buy", args, self.coin(sold, money))], vec![next, buyer])
    }

    /// What `amount` tokens cost: the least that the machine takes.
    #[track_caller]
    fn costs(&self, at: (u64, u64), amount: u64, cost: u64) {
        self.buy(at, amount, cost).accepted();
        self.buy(at, amount, cost - 1).refused("the value that is given");
    }
}

/// The exact integral of a price that rises by `slope` for each `per` sold, rounded up.
fn integral(base: u64, slope: u64, per: u64, sold: u64, amount: u64) -> u64 {
    let [base, slope, per, sold, amount] = [base, slope, per, sold, amount].map(u128::from);
    let cost = base * amount + (slope * amount * (2 * sold + amount)).div_ceil(2 * per);
    u64::try_from(cost).unwrap()
}

#[test]
fn a_fixed_price_is_paid_to_the_unit_and_the_sale_ends_when_it_is_sold_out() {
    let artifacts = offers();
    let sale = sale_of(&artifacts, "FixedSale", "community", 1_000);
    sale.costs((0, 0), 1, 700);
    sale.costs((3, 5), 10, 7_000);
    sale.costs((0, 0), 1_000, 700_000);
    sale.costs((999, 0), 1, 700);
    for amount in [0u64, u64::MAX - 4] {
        // Nothing, and five tokens less than nothing.
        let signed = i64::from_ne_bytes(amount.to_ne_bytes());
        let args = vec![("amount", AbiValue::int(signed))];
        let coin = sale.coin(10, 50_000);
        let next =
            sale.placed.out(BASE + 50_000 - 700 * signed.unsigned_abs(), held(&eight(10 - signed.unsigned_abs()), 990));
        tx(vec![spend(&sale.placed, "buy", args, coin)], vec![next]).refused("something is bought");
    }
    // What was sold is written down, the tokens and the lock stay, and no more is sold than there is.
    let honest = || sale.buy((3, 5), 10, 7_000);
    let with = |change: &dyn Fn(&mut TxOut)| {
        let mut tx = honest();
        change(&mut tx.outputs[0]);
        tx
    };
    with(&|next| next.lock = account(9)).refused("the lock of this one");
    with(&|next| next.token = held(&eight(3), 987)).refused("the next state");
    with(&|next| next.token = held(&eight(13), 986)).refused("the token amount");
    with(&|next| next.token = nft(CATEGORY, Capability::Minting, &eight(13), 987)).refused("category and capability");
    let args = vec![("amount", int(11))];
    let next = sale.placed.out(BASE + 7_700, held(&eight(1_001), 0));
    tx(vec![spend(&sale.placed, "buy", args, sale.coin(990, 0))], vec![next]).refused("the token amount");
}

#[test]
fn the_money_of_a_sale_goes_to_the_treasury_alone() {
    let artifacts = offers();
    let sale = sale_of(&artifacts, "FixedSale", "community", 1_000);
    let go = |money, kept, lock: &[u8], paid| {
        let next = sale.placed.out(kept, held(&eight(10), 990));
        tx(vec![spend(&sale.placed, "withdraw", vec![], sale.coin(10, money))], vec![next, out(lock, paid, None)])
    };
    let treasury = account(8);
    go(7_000, BASE, &treasury, 7_000).accepted();
    go(7_000, BASE, &account(9), 7_000).refused("output 1 is for `community`");
    go(7_000, BASE, &treasury, 6_999).refused("all the money is withdrawn");
    go(7_000, BASE - 1, &treasury, 7_001).refused("the value that is given");
    go(0, BASE, &treasury, 0).refused("there is money to withdraw");
    let mut second = go(7_000, BASE, &treasury, 7_000);
    second.inputs.insert(0, other(out(&account(9), 1_000, None)));
    second.refused("continue: the next coin has the lock of this one");
}

#[test]
fn what_a_contract_of_the_treasury_keeps_for_itself_is_no_payment() {
    // The lock of a script, as a treasury that takes deposits has it; and that of a key.
    let script = [&[0xaa, 0x20][..], &[7; 32], &[0x87]].concat();
    let artifacts = offers();
    for (treasury, owed) in [(script, 107_000), (account(8), 7_000)] {
        let placed = place(&artifacts, "FixedSale", vec![("community", bytes(&treasury))]);
        let sale = Sale { placed, all: 1_000 };
        let go = |paid| {
            let next = sale.placed.out(BASE, held(&eight(10), 990));
            let beside = other(out(&treasury, 100_000, None));
            let inputs = vec![spend(&sale.placed, "withdraw", vec![], sale.coin(10, 7_000)), beside];
            tx(inputs, vec![next, out(&treasury, paid, None)])
        };
        go(owed).accepted();
        go(owed - 1).refused("all the money is withdrawn");
    }
}

#[test]
fn a_curve_costs_its_integral_and_splitting_a_buy_is_never_cheaper() {
    let artifacts = offers();
    let coder = sale_of(&artifacts, "CoderSale", "treasury", 250_000);
    let fine = sale_of(&artifacts, "FineSale", "treasury", 1_000_000_000);
    assert_eq!(integral(100, 2, 1, 0, 250_000), 62_525_000_000);
    let mut random = 0x2545_f491_4f6c_dd1du64;
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    for (sale, base, slope, per) in [(&coder, 100, 2, 1), (&fine, 1, 3, 1_000_000)] {
        let cost = |sold, amount| integral(base, slope, per, sold, amount);
        sale.costs((0, 0), sale.all, cost(0, sale.all));
        sale.costs((sale.all - 1, 7), 1, cost(sale.all - 1, 1));
        for _ in 0..20 {
            let sold = next(sale.all - 1);
            let amount = 1 + next(sale.all - sold);
            sale.costs((sold, 0), amount, cost(sold, amount));
        }
        for _ in 0..15 {
            // Through the machine: all at once, or the first part and then the others.
            let sold = next(sale.all - 2);
            let amount = 2 + next(sale.all - sold - 1);
            let first = 1 + next(amount - 1);
            for (sold, amount) in [(sold, amount), (sold, first), (sold + first, amount - first)] {
                sale.costs((sold, 0), amount, cost(sold, amount));
            }
            assert!(cost(sold, first) + cost(sold + first, amount - first) >= cost(sold, amount));
        }
        for _ in 0..20_000 {
            let sold = next(sale.all - 1);
            let amount = 1 + next(sale.all - sold);
            let first = next(amount + 1);
            let apart = cost(sold, first) + cost(sold + first, amount - first);
            assert!(apart >= cost(sold, amount), "{amount} from {sold}, {first} first");
            assert!(apart <= cost(sold, amount) + 1);
        }
    }
}

#[test]
fn an_older_block_never_makes_a_falling_price_cheaper() {
    let artifacts = offers();
    let sale = sale_of(&artifacts, "DutchSale", "treasury", 500);
    let price = |at: u64| 1_000 - 901 * (at - 930_000).min(10_000) / 10_000;
    let mut last = u64::MAX;
    for at in [930_000, 930_001, 930_011, 930_012, 934_999, 939_999, 940_000, 940_001, 999_999] {
        let cost = price(at) * 20;
        sale.buy_at(at, (100, 0), 20, cost).accepted();
        sale.buy_at(at, (100, 0), 20, cost - 1).refused("the value that is given");
        assert!(cost <= last);
        last = cost;
    }
    assert_eq!((price(930_000), price(940_000), price(999_999)), (1_000, 99, 99));
    assert!((930_000..941_000).all(|at| price(at + 1) <= price(at)));
    // Whatever two blocks: a buyer at the later one who names the earlier one pays no less.
    let mut random = 0x1234_5678_9abc_def1u64;
    let mut any = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        930_000 + random % 10_500
    };
    for _ in 0..25 {
        let (one, two) = (any(), any());
        let (older, newer) = (one.min(two), one.max(two));
        let at = u32::try_from(newer).unwrap();
        sale.buy_at(older, (100, 0), 7, price(older) * 7).at(at).accepted();
        if price(older) > price(newer) {
            sale.buy_at(older, (100, 0), 7, price(newer) * 7).at(at).refused("the value that is given");
        }
    }
    // The block that is named has been reached, and the sale has begun.
    sale.buy_at(940_000, (0, 0), 1, 99).at(939_999).refused("the block has been reached");
    sale.buy_at(929_999, (0, 0), 1, 1_000).refused("the sale has begun");
    // Naming an older block than the lock time is allowed, and costs more.
    sale.buy_at(930_000, (0, 0), 1, 1_000).at(940_000).accepted();
    sale.buy_at(930_000, (0, 0), 1, 99).at(940_000).refused("the value that is given");
}

// ---- vesting

const GRANT: u64 = 200_000;

fn vested(elapsed: u64) -> u64 {
    GRANT * elapsed.min(52_560) / 52_560
}

#[test]
fn tokens_vest_as_blocks_pass_and_not_before() {
    let artifacts = offers();
    let vesting = place(&artifacts, "CoderVesting", vec![("builder", bytes(account(1)))]);
    let go = |elapsed: u32, age: u32, paid: u64, left: u64| {
        let coin = vesting.out(BASE, held(&four(elapsed), GRANT - vested(elapsed.into())));
        let after = (elapsed + age).min(52_560);
        let outputs = vec![vesting.out(BASE, held(&four(after), left)), out(&account(1), 1_000, fungible(paid))];
        tx(vec![spend(&vesting, "claim", vec![("age", int(age.into()))], coin)], outputs).aged(age)
    };
    let fair = |elapsed: u32, age: u32| {
        let (before, after) = (vested(elapsed.into()), vested((elapsed + age).into()));
        go(elapsed, age, after - before, GRANT - after)
    };
    for (elapsed, age) in
        [(0, 4_320), (0, 52_560), (0, 65_535), (4_320, 1), (52_000, 560), (52_559, 9), (10_000, 20_000)]
    {
        fair(elapsed, age).accepted();
    }
    fair(0, 4_319).refused("the cliff of 4_320 blocks has passed");
    fair(52_560, 5).refused("something has vested");
    let (before, after) = (vested(5_000), vested(5_100));
    go(5_000, 100, after - before + 1, GRANT - after - 1).refused("output 1 carries all that has vested");
    go(5_000, 100, after - before, GRANT - after - 1).refused("the token amount");
    // The chain says how old the coin is, and no number of an argument means something else to it.
    fair(5_000, 100).aged(99).refused("the coin has lain so long");
    for age in [0, -1, 65_536, 1 << 22, (1 << 22) + 200, 1 << 31, (1 << 31) + 100] {
        let coin = vesting.out(BASE, held(&four(5_000), GRANT - before));
        let args = vec![("age", AbiValue::int(age))];
        let outputs =
            vec![vesting.out(BASE, held(&four(52_560), 0)), out(&account(1), 1_000, fungible(GRANT - before))];
        tx(vec![spend(&vesting, "claim", args, coin)], outputs).aged(65_535).refused("an age has 1 to 65_535 blocks");
    }
    let with = |change: &dyn Fn(&mut Vec<TxOut>)| {
        let mut tx = fair(5_000, 100);
        change(&mut tx.outputs);
        tx
    };
    let beside = |token| {
        let mut tx = fair(5_000, 100);
        tx.inputs.push(other(out(&account(9), 1_000, token)));
        tx
    };
    beside(None).accepted();
    beside(fungible(5)).refused("no other input carries a token");
    with(&|outputs| outputs[1].lock = account(9)).refused("output 1 is for `builder`");
    with(&|outputs| outputs[1].token = nft(CATEGORY, Capability::Mutable, b"", after - before))
        .refused("output 1 carries tokens alone");
    with(&|outputs| outputs[0].token = held(&four(5_000), GRANT - after)).refused("the next state");
    with(&|outputs| outputs[0].lock = account(1)).refused("the lock of this one");
    with(&|outputs| outputs[0].value = Sats::from_wire(BASE - 1)).refused("the value of this one");
}

#[test]
fn however_often_it_is_claimed_a_grant_is_given_once() {
    let mut random = 88_172_645_463_325_252u64;
    for _ in 0..200 {
        let (mut elapsed, mut given) = (0, 0);
        while elapsed < 52_560 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let next = (elapsed + 1 + random % 9_000).min(52_560);
            assert!(vested(next) >= vested(elapsed));
            given += vested(next) - vested(elapsed);
            elapsed = next;
        }
        assert_eq!(given, GRANT);
    }
}

#[test]
fn several_grants_have_a_contract_each() {
    let artifacts = offers();
    let team = place(&artifacts, "DutchVestingTeam", vec![("team", bytes(account(1)))]);
    let tail = place(&artifacts, "DutchVestingTail", vec![("tail", bytes(account(1)))]);
    let all = |vesting: &Placed, age: u32, over: u32| {
        let coin = vesting.out(BASE, held(&four(0), 250));
        let outputs = vec![vesting.out(BASE, held(&four(over), 0)), out(&account(1), 1_000, fungible(250))];
        let input = In { contract: None, coin, index: 0 };
        (input, outputs, age)
    };
    let (input, outputs, age) = all(&team, 10, 10);
    tx(vec![spend(&team, "claim", vec![("age", int(10))], input.coin)], outputs).aged(age).accepted();
    // More blocks than one relative lock counts: in two steps, the second after the cliff.
    let (input, outputs, age) = all(&tail, 65_535, 65_536);
    tx(vec![spend(&tail, "claim", vec![("age", int(65_535))], input.coin)], outputs)
        .aged(age)
        .refused("the cliff of 65_536 blocks has passed");
}

// ---- upstream

#[test]
fn upstream_tokens_are_divided_as_the_reward_divides_money() {
    let artifacts = offers();
    let names = ["databases", "compute", "researchers"];
    let upstream =
        place(&artifacts, "CoderUpstream", names.into_iter().zip((1..).map(|at| bytes(account(at)))).collect());
    let shares = [45_000, 67_501, 37_500];
    assert_eq!(shares.iter().sum::<u64>(), PARTS[2]);
    let go = |coin: TxOut, change: &dyn Fn(&mut Vec<TxOut>)| {
        let mut outputs: Vec<TxOut> =
            shares.iter().zip(1..).map(|(share, at)| out(&account(at), BASE, fungible(*share))).collect();
        change(&mut outputs);
        tx(vec![spend(&upstream, "divide", vec![], coin)], outputs)
    };
    let coin = || upstream.out(BASE, fungible(PARTS[2]));
    go(coin(), &|_| ()).accepted();
    for (at, name) in names.iter().enumerate() {
        go(coin(), &|outputs| outputs[at].lock = account(9)).refused(&format!("output {at} is for `{name}`"));
        go(coin(), &|outputs| outputs[at].token = fungible(shares[at] - 1)).refused(&format!("`{name}` gets"));
        go(coin(), &|outputs| outputs[at].token = of([1; 32], shares[at])).refused("carries the token");
    }
    go(coin(), &|outputs| outputs[0].value = Sats::from_wire(BASE - 1)).refused("no money of the coin is lost");
    let mut beside = go(coin(), &|_| ());
    beside.inputs.push(other(out(&account(9), 1_000, fungible(5))));
    beside.refused("no other input carries a token");
    go(upstream.out(BASE, fungible(PARTS[2] - 1)), &|_| ()).refused("the coin holds the whole part");
}

// ---- holders

const SUPPLY: u64 = 1_000_001;

fn vault(artifacts: &[Artifact]) -> Placed {
    place(artifacts, "CoderHolders", vec![])
}

fn redeem(vault: &Placed, (pot, outstanding): (u64, u64), amount: u64, back: u64) -> Tx<'_> {
    let gone = SUPPLY - outstanding;
    let coin = vault.out(BASE + pot, held(&eight(outstanding), gone));
    let next = vault.out(BASE + pot - back, held(&eight(outstanding - amount), gone + amount));
    let args = vec![("amount", int(amount))];
    tx(vec![spend(vault, "redeem", args, coin), other(out(&account(9), 1_000, fungible(amount)))], vec![next])
}

#[test]
fn a_holder_redeems_the_part_of_the_money_and_no_more() {
    let artifacts = offers();
    let vault = vault(&artifacts);
    let fair = |pot: u64, outstanding: u64, amount: u64| {
        u64::try_from(u128::from(pot) * u128::from(amount) / u128::from(outstanding)).unwrap()
    };
    for (pot, outstanding, amount) in [
        (1_000_001, SUPPLY, 1),
        (999, SUPPLY, 500_000),
        (7_777_777, 5_000, 4_999),
        (123, 3, 3),
        (2_100_000_000_000_000 - BASE, SUPPLY, 17),
    ] {
        let back = fair(pot, outstanding, amount);
        redeem(&vault, (pot, outstanding), amount, back).accepted();
        redeem(&vault, (pot, outstanding), amount, back + 1).refused("the value that is given");
    }
    let honest = || redeem(&vault, (10_000, 1_000), 100, 1_000);
    let with = |change: &dyn Fn(&mut TxOut)| {
        let mut tx = honest();
        change(&mut tx.outputs[0]);
        tx
    };
    with(&|next| next.token = held(&eight(900), SUPPLY - 1_000)).refused("the token amount");
    with(&|next| next.token = held(&eight(1_000), SUPPLY - 900)).refused("the next state");
    with(&|next| next.token = nft(CATEGORY, Capability::Minting, &eight(900), SUPPLY - 900)).refused("capability");
    with(&|next| next.lock = account(9)).refused("the lock of this one");
    let coin = || vault.out(BASE + 10_000, held(&eight(50), SUPPLY - 50));
    let all = |amount| vec![("amount", AbiValue::int(amount))];
    tx(vec![spend(&vault, "redeem", all(51), coin())], vec![coin()]).refused("no more is redeemed than is out");
    tx(vec![spend(&vault, "redeem", all(0), coin())], vec![coin()]).refused("something is redeemed");
    tx(vec![spend(&vault, "redeem", all(-1), coin())], vec![coin()]).refused("something is redeemed");
    tx(vec![spend(&vault, "add", vec![("amount", int(1))], coin())], vec![coin()]).refused("the value that is given");
    tx(vec![spend(&vault, "add", vec![("amount", AbiValue::int(-1))], coin())], vec![coin()])
        .refused("something is added");
}

#[test]
fn money_and_tokens_are_conserved_over_random_redemptions() {
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below.max(1)
    };
    let artifacts = offers();
    let vault = vault(&artifacts);
    let (mut pot, mut outstanding, mut paid, mut came) = (0u64, SUPPLY, 0, 0);
    for step in 0.. {
        if outstanding == 0 {
            break;
        }
        let more = next(1_000_000);
        pot += more;
        came += more;
        let amount = 1 + next(outstanding / 50);
        let back = u64::try_from(u128::from(pot) * u128::from(amount) / u128::from(outstanding)).unwrap();
        if step % 100 == 99 {
            redeem(&vault, (pot, outstanding), amount, back).accepted();
        }
        pot -= back;
        outstanding -= amount;
        paid += back;
    }
    // The last one takes what rounding left.
    assert_eq!((pot, outstanding, paid), (0, 0, came));
}

#[test]
fn what_a_reward_pays_joins_the_holders_money_whole() {
    let artifacts = offers();
    let vault = vault(&artifacts);
    let inbox = {
        let params = Params::from([("category".to_owned(), bytes(CATEGORY))]);
        let params = wallet::Program::new(artifacts.iter().cloned()).complete("CoderRevenue", params).unwrap();
        let artifact = artifacts.iter().find(|artifact| artifact.contract == "CoderRevenue").unwrap().clone();
        Placed { artifact, params }
    };
    let go = |first: TxOut, coins: &[u64], next: TxOut, extra: Vec<TxOut>| {
        let sum: u64 = coins.iter().sum();
        let mut inputs = vec![spend(&vault, "add", vec![("amount", int(sum))], first)];
        inputs.extend(coins.iter().map(|sats| spend(&inbox, "join", vec![], inbox.out(*sats, None))));
        tx(inputs, [vec![next], extra].concat())
    };
    let coin = |sats, token| vault.out(sats, token);
    let state = || held(&eight(SUPPLY), 0);
    go(coin(BASE, state()), &[5_000, 700], coin(BASE + 5_700, state()), vec![]).accepted();
    // Less than all of it is refused by the coins, whatever the vault is told.
    let short = |amount: u64| {
        let mut tx =
            go(coin(BASE, state()), &[5_000, 700], coin(BASE + amount, state()), vec![out(&account(9), 700, None)]);
        tx.inputs[0].contract.as_mut().unwrap().2 = vec![("amount", int(amount))];
        tx
    };
    short(5_699).refused("the holders get everything");
    short(5_000).refused("the holders get everything");
    // The redeeming path takes money out while coins join.
    let mut both = short(1);
    both.inputs[0].contract.as_mut().unwrap().1 = "redeem";
    both.inputs[0].coin = coin(BASE + 1_000_001, held(&eight(SUPPLY), 0));
    both.outputs[0] = coin(BASE + 1_000_000, held(&eight(SUPPLY - 1), 1));
    both.refused("the holders get everything");
    // A coin that only looks like the holders'.
    let fake = |token: Option<Token>| {
        let first = In { contract: None, coin: coin(BASE, token.clone()), index: 7 };
        let second = spend(&inbox, "join", vec![], inbox.out(5_000, None));
        tx(vec![first, second], vec![coin(BASE + 5_000, token)])
    };
    fake(nft([1; 32], Capability::Mutable, &eight(SUPPLY), 0)).refused("the token that counts");
    fake(fungible(5)).refused("the token that counts");
    let elsewhere = {
        let first = In { contract: None, coin: out(&account(9), BASE, state()), index: 7 };
        tx(
            vec![first, spend(&inbox, "join", vec![], inbox.out(5_000, None))],
            vec![out(&account(9), BASE + 5_000, state())],
        )
    };
    elsewhere.refused("the first input has the holders' lock");
    tx(vec![spend(&inbox, "join", vec![], inbox.out(5_000, None))], vec![coin(5_000, None)])
        .refused("the holders' coin is the first input");
}

// ---- claims of backers

/// The category of the receipts.
const RECEIPTS: [u8; 32] = [0xbb; 32];
const RAISED: u64 = 777_777;
const BACKERS: u64 = 4_000;

const CAMPAIGN: &str = r#"
imi Tiny {
    builder:  builder_key,
    goal:     1 coin,
    deadline: height 925_000,
    pledge:   at least 0.1 coin,
    deliver:  { weights: Hash256, by: height 960_000 },
    accept:   2 of [judge_a, judge_b, judge_c],
    release:  { at goal: 30%, at accept: 70% },
    refund:   { no_goal: 100%, not_accepted: 70% },
}

imo Coin for Tiny {
    criteria: 1 of [judge] over "the model runs",
    supply:   10_000,
    allocate: { backers: 40% pro rata Tiny.receipts, upstream: rest },
}
"#;

fn due(claimed: u64, amount: u64) -> u64 {
    BACKERS * (claimed + amount) / RAISED - BACKERS * claimed / RAISED
}

fn claim(claims: &Placed, claimed: u64, amount: u64, got: u64) -> Tx<'_> {
    let left = BACKERS - BACKERS * claimed / RAISED;
    let coin = claims.out(BASE, held(&eight(claimed), left));
    let receipts = other(out(&account(9), 1_000, of(RECEIPTS, amount)));
    let next = claims.out(BASE, held(&eight(claimed + amount), left - got));
    let args = vec![("amount", int(amount))];
    tx(vec![spend(claims, "claim", args, coin), receipts], vec![next, out(&account(9), 1_000, fungible(got))])
}

#[test]
fn backers_get_tokens_for_receipts_that_are_gone_afterwards() {
    let artifacts = compiled(CAMPAIGN);
    let claims = place(&artifacts, "CoinClaim", vec![("receipts", bytes(RECEIPTS)), ("raised", int(RAISED))]);
    for (claimed, amount) in [(0, 1), (0, 195), (5, 77_777), (777_000, 777), (0, RAISED)] {
        let fair = due(claimed, amount);
        claim(&claims, claimed, amount, fair).accepted();
        if fair < BACKERS - BACKERS * claimed / RAISED {
            claim(&claims, claimed, amount, fair + 1).refused("the token amount");
        }
    }
    claim(&claims, RAISED, 1, 0).refused("no more receipts are claimed than there are");
    let with = |change: &dyn Fn(&mut Tx<'_>)| {
        let mut tx = claim(&claims, 5, 1_000, due(5, 1_000));
        change(&mut tx);
        tx
    };
    // Receipts of something else, too few, too many.
    with(&|tx| tx.inputs[1].coin.token = of([0xbc; 32], 1_000)).refused("the inputs bring exactly so many receipts");
    with(&|tx| tx.inputs[1].coin.token = of(RECEIPTS, 999)).refused("the inputs bring exactly so many receipts");
    with(&|tx| tx.inputs[1].coin.token = of(RECEIPTS, 1_001)).refused("the inputs bring exactly so many receipts");
    // Receipts that go on, bare or on a token of the campaign, such as a thread that refunds them.
    for token in [
        of(RECEIPTS, 1_000),
        nft(RECEIPTS, Capability::None, b"x", 1_000),
        nft(RECEIPTS, Capability::Mutable, b"thread", 1_000),
        nft(RECEIPTS, Capability::Minting, b"", 1_000),
    ] {
        with(&|tx| tx.outputs.push(out(&account(9), 1_000, token.clone()))).refused("no output carries receipts on");
        with(&|tx| tx.outputs[1].token = token.clone()).refused("no output carries receipts on");
    }
    with(&|tx| tx.outputs[0].token = held(&eight(5), BACKERS - due(5, 1_000))).refused("the next state");
    with(&|tx| tx.inputs.swap(0, 1)).refused("the claim is the first input");
    let nothing = vec![("amount", AbiValue::int(-1_000))];
    with(&|tx| tx.inputs[0].contract.as_mut().unwrap().2.clone_from(&nothing)).refused("something is claimed");
}

#[test]
fn all_claims_together_give_exactly_the_part() {
    let mut random = 0xdead_beef_1234_5678u64;
    for _ in 0..100 {
        let (mut claimed, mut given) = (0, 0);
        while claimed < RAISED {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let amount = (1 + random % 90_000).min(RAISED - claimed);
            given += due(claimed, amount);
            claimed += amount;
        }
        assert_eq!(given, BACKERS);
    }
}

#[test]
fn what_is_expanded_compiles_to_the_same_scripts_without_a_word() {
    let text = fs::read_to_string(root().join("tests/imo/offers.bmc")).unwrap();
    for rules in [RuleSet::Bch2026, RuleSet::Bitmodel] {
        let compile = |text: &str| {
            let world = MemoryWorld::new([("offers.bmc", text)]);
            driver::compile(&world, &["offers.bmc".to_owned()], &Options { rules, ..Options::default() })
        };
        let first = compile(&text);
        assert!(first.diagnostics.is_empty(), "{}", first.to_json());
        let again = compile(first.expand());
        assert!(!again.has_errors(), "{}\n{}", again.to_json(), first.expand());
        for artifact in &first.artifacts {
            let other = again.artifact(Some(&artifact.contract)).unwrap();
            assert_eq!(other.bytecode, artifact.bytecode, "{}", artifact.contract);
        }
    }
}
