//! Plans carried out over hand-made contracts: what they choose, pay, give back and refuse.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use spec::artifact::{AbiValue, MapEntry, Piece, RequireSite, Slot, SourceFile, SourceSpan, SpendPath, UnlockItem};
use spec::plan::Plan;
use spec::token::{Capability, Nft, Token};
use spec::{Artifact, Category, OutPoint, RuleSet, Sats, TxOut, Txid};
use wallet::{Accounts, Arg, Args, Carried, Deployed, FeeRate, Key, PlanWish, Program, Utxo, carry_out, forge};

const RULES: RuleSet = RuleSet::Bch2026;

/// A contract that lets anybody spend whose first output holds at least `least`, a parameter, and whose argument is 7.
fn pot() -> Artifact {
    let slot = |name: &str, ty: &str| Slot { name: name.into(), ty: ty.parse().unwrap() };
    let code = |text: &str| Piece::Code(spec::asm::assemble(text, RULES).unwrap());
    let span = SourceSpan { line: 3, column: 5, ..SourceSpan::default() };
    let require = |instruction, message: &str| RequireSite {
        instruction,
        after: vec![],
        message: message.into(),
        span,
        expects: vec![],
    };
    Artifact {
        contract: "Pot".into(),
        rules: RULES,
        sources: vec![SourceFile { path: "pot.bmc".into(), sha256: String::new() }],
        params: vec![slot("least", "Coin")],
        paths: vec![SpendPath {
            name: "take".into(),
            docs: String::new(),
            args: vec![slot("n", "Int")],
            unlock: vec![UnlockItem::Arg(0)],
            route: Vec::new(),
            time: Default::default(),
            cost_bound: None,
        }],
        bytecode: vec![
            code("OP_7 OP_NUMEQUALVERIFY OP_0 OP_OUTPUTVALUE"),
            Piece::Param(0),
            code("OP_GREATERTHANOREQUAL"),
        ],
        source_map: vec![MapEntry { instruction: 0, after: Vec::new(), span }],
        requires: vec![require(1, "the argument is 7"), require(5, "the first output holds enough")],
        ..Artifact::default()
    }
}

fn coin(lock: Vec<u8>, sats: u64, index: u32, token: Option<Token>) -> Utxo {
    let output = TxOut { value: Sats::new(sats).unwrap(), token, lock };
    Utxo { outpoint: OutPoint { txid: Txid::from_wire([9; 32]), index }, output }
}

const CATEGORY: [u8; 32] = [5; 32];

fn tokens(amount: u64, nft: Option<(Capability, &[u8])>) -> Option<Token> {
    let nft = nft.map(|(capability, commitment)| Nft { capability, commitment: commitment.to_vec() });
    Some(Token { category: Category::from_wire(CATEGORY), amount, nft })
}

struct Stage {
    program: Program,
    deployments: Vec<Deployed>,
    coins: Vec<Utxo>,
    payer: Option<Key>,
    named: BTreeMap<String, Vec<OutPoint>>,
}

fn account(at: u32) -> Key {
    Accounts::devnet().key(at)
}

impl Stage {
    fn new() -> Self {
        let program = Program::new([pot()]);
        let params = BTreeMap::from([("least".to_owned(), AbiValue::int(20_000))]);
        let lock = program.script("Pot", &params).unwrap().1;
        let alice = account(0);
        let coins = vec![
            coin(lock, 50_000, 1, None),
            coin(alice.lock(), 100_000, 2, None),
            coin(alice.lock(), 3_000, 3, tokens(70, None)),
            coin(alice.lock(), 4_000, 4, tokens(50, None)),
            coin(alice.lock(), 5_000, 5, tokens(0, Some((Capability::Mutable, b"old")))),
        ];
        let deployments = vec![Deployed::new("Pot", params)];
        Self { program, deployments, coins, payer: Some(alice), named: BTreeMap::new() }
    }

    fn pot_lock(&self) -> Vec<u8> {
        self.program.script("Pot", &self.deployments[0].params).unwrap().1
    }

    fn wish<'a>(&'a self, plan: &'a Plan, args: &'a Args, keys: &'a [Key]) -> PlanWish<'a> {
        let Self { program, deployments, coins, payer, named } = self;
        PlanWish { program, plan, args, deployments, coins, keys, payer: *payer, named, rate: FeeRate::RELAY_MIN }
    }

    fn run(&self, json: &str, args: &[(&str, AbiValue)]) -> Result<Carried, String> {
        let plan: Plan = serde_json::from_str(json).unwrap();
        let args: Args = args.iter().map(|(name, value)| ((*name).into(), Arg::Value(value.clone()))).collect();
        let keys = [account(0), account(1)];
        let carried = carry_out(&self.wish(&plan, &args, &keys)).map_err(|error| error.to_string())?;
        let sum = |outputs: &[TxOut]| Sats::checked_sum(outputs.iter().map(|output| output.value)).unwrap().get();
        let built = &carried.built;
        assert_eq!(sum(&built.spent), sum(&built.tx.outputs) + built.fee.get());
        assert!(built.fee.get() >= built.tx.len_bytes() as u64);
        Ok(carried)
    }
}

fn values(carried: &Carried) -> Vec<u64> {
    carried.built.tx.outputs.iter().map(|output| output.value.get()).collect()
}

const POT: &str = r#""inputs": [{"name": "pot", "source": {"contract": {"contract": "Pot", "path": "take", "args": {"n": {"value": 7}}}}}]"#;

#[test]
fn the_payer_pays_the_fee_and_takes_change() {
    let stage = Stage::new();
    let json = format!(
        r#"{{"name": "p", "args": [{{"name": "more", "type": "Coin"}}], {POT},
        "outputs": [{{"pay": {{"lock": {{"fact": {{"input": 0, "what": "lock"}}}}, "value": {{"add": [{{"fact": {{"input": 0, "what": "value"}}}}, {{"arg": 0}}]}}}}}}]}}"#
    );
    let carried = stage.run(&json, &[("more", AbiValue::int(1_000))]).unwrap();
    let fee = carried.built.fee.get();
    assert_eq!(values(&carried), [51_000, 99_000 - fee]);
    assert_eq!(fee, carried.built.tx.len_bytes() as u64);
    assert_eq!(carried.inputs, [Some("pot".to_owned()), None]);
    assert_eq!(carried.built.tx.outputs[0].lock, stage.pot_lock());
}

#[test]
fn the_inputs_alone_pay_a_fee_that_outputs_know() {
    let mut stage = Stage::new();
    stage.payer = None;
    let json = |value: &str| {
        format!(
            r#"{{"name": "p", {POT}, "change": "none", "outputs": [{{"pay": {{"lock": "0x51", "value": {value}}}}}]}}"#
        )
    };
    let carried = stage.run(&json(r#"{"sub": [{"fact": {"input": 0, "what": "value"}}, "fee"]}"#), &[]).unwrap();
    let fee = carried.built.fee.get();
    assert_eq!(values(&carried), [50_000 - fee]);
    assert_eq!(fee, carried.built.tx.len_bytes() as u64);
    // What is over is the fee, and nodes ask for one.
    assert_eq!(stage.run(&json("49000"), &[]).unwrap().built.fee.get(), 1_000);
    let low = stage.run(&json("49999"), &[]).unwrap_err();
    assert!(low.contains("leave 1 sats to the miner, and nodes ask"), "{low}");
    let over = stage.run(&json("50001"), &[]).unwrap_err();
    assert!(over.contains("the outputs take 0.00050001 coin"), "{over}");
}

#[test]
fn a_refusal_names_the_input_and_the_authors_message() {
    let stage = Stage::new();
    let json = format!(r#"{{"name": "p", {POT}, "outputs": [{{"pay": {{"lock": "0x51", "value": 19999}}}}]}}"#);
    let error = stage.run(&json, &[]).unwrap_err();
    assert!(error.starts_with("plan `p`, input `pot`: "), "{error}");
    assert!(error.contains("the first output holds enough"), "{error}");
    let json = format!(r#"{{"name": "p", {POT}, "requires": [{{"condition": false, "message": "not today"}}]}}"#);
    assert_eq!(stage.run(&json, &[]).unwrap_err(), "plan `p`: not today");
}

#[test]
fn coins_are_named_where_several_could_be_meant() {
    let mut stage = Stage::new();
    stage.coins.push(coin(stage.pot_lock(), 60_000, 6, None));
    let json = format!(r#"{{"name": "p", {POT}, "outputs": [{{"pay": {{"lock": "0x51", "value": 30000}}}}]}}"#);
    let error = stage.run(&json, &[]).unwrap_err();
    assert!(error.contains("several coins could be meant"), "{error}");
    for take in ["any", "each"] {
        let json = json.replace(r#""path": "take""#, r#""path":"take""#);
        let json = json.replace(r#""name": "pot","#, &format!(r#""name": "pot", "take": "{take}","#));
        let carried = stage.run(&json, &[]).unwrap();
        let expected = if take == "any" { vec![6] } else { vec![1, 6] };
        let pots: Vec<u32> = carried.built.tx.inputs.iter().map(|input| input.prevout.index).collect();
        assert_eq!(pots, expected, "{take}: the pots pay for everything");
    }
    stage.named.insert("pot".into(), vec![stage.coins[0].outpoint]);
    assert_eq!(stage.run(&json, &[]).unwrap().built.tx.inputs[0].prevout.index, 1);
    stage.named.insert("pot".into(), vec![stage.coins[1].outpoint]);
    assert!(stage.run(&json, &[]).unwrap_err().contains("none that the plan accepts"));
    stage.named.clear();
    let accept = r#""accept": {"gt": [{"fact": {"input": 0, "what": "value"}}, 55000]}, "source""#;
    let carried = stage.run(&json.replace(r#""source""#, accept), &[]).unwrap();
    assert_eq!(carried.built.tx.inputs[0].prevout.index, 6);
}

#[test]
fn tokens_that_no_output_takes_go_back_and_none_are_lost() {
    let stage = Stage::new();
    let owner = format!("\"0x{}\"", hex::encode(account(0).lock()));
    let category = format!("\"0x{}\"", hex::encode(CATEGORY));
    let json = |amount: u64, burn: bool| {
        format!(
            r#"{{"name": "p", "inputs": [{{"name": "mine", "burn": {burn}, "source": {{"key": {{"owner": {owner}, "token": {{"category": {category}, "amount": {amount}}}}}}}}}],
            "outputs": [{{"pay": {{"lock": "0x51", "token": {{"category": {category}, "amount": 20}}}}}}]}}"#
        )
    };
    let amounts = |carried: &Carried| -> Vec<(u64, bool)> {
        let tokens = carried.built.tx.outputs.iter().filter(|output| output.token.is_some());
        tokens.map(|output| (output.token.as_ref().unwrap().amount, output.lock == account(0).lock())).collect()
    };
    assert_eq!(amounts(&stage.run(&json(20, false), &[]).unwrap()), [(20, false), (50, true)]);
    assert_eq!(amounts(&stage.run(&json(100, false), &[]).unwrap()), [(20, false), (100, true)]);
    // What was asked for may be destroyed, what the coin holds besides goes back.
    assert_eq!(amounts(&stage.run(&json(60, true), &[]).unwrap()), [(20, false), (10, true)]);
    let error = stage.run(&json(121, false), &[]).unwrap_err();
    assert!(error.contains("hold 120 tokens of the category, and 121 are needed"), "{error}");
    // Without an input that asks for them, the payer's own coins bring what is missing.
    let sends =
        |token: &str| format!(r#"{{"name": "p", "outputs": [{{"pay": {{"lock": "0x51", "token": {token}}}}}]}}"#);
    let carried = stage.run(&sends(&format!(r#"{{"category": {category}, "amount": 90}}"#)), &[]).unwrap();
    assert_eq!(amounts(&carried), [(90, false), (30, true)]);
    let error = stage.run(&sends(&format!(r#"{{"category": {category}, "amount": 121}}"#)), &[]).unwrap_err();
    assert!(error.contains("the outputs take 121 tokens"), "{error}");
    let error = stage.run(&sends(&format!(r#"{{"category": {category}, "capability": 2}}"#)), &[]).unwrap_err();
    assert!(error.contains("no input allows the non-fungible token"), "{error}");
}

#[test]
fn a_mutable_token_changes_and_comes_back_when_nothing_takes_it() {
    let stage = Stage::new();
    let owner = format!("\"0x{}\"", hex::encode(account(0).lock()));
    let category = format!("\"0x{}01\"", hex::encode(CATEGORY));
    let json = |outputs: &str, change: &str| {
        format!(
            r#"{{"name": "p", "change": {change}, "inputs": [{{"name": "mine", "source": {{"key": {{"owner": {owner}, "token": {{"category": {category}}}}}}}}}], "outputs": [{outputs}]}}"#
        )
    };
    let changed = r#"{"pay": {"lock": "0x51", "value": 2000, "token": {"like": {"input": 0}, "commitment": "0x6e6577", "capability": 0}}}"#;
    let carried = stage.run(&json(changed, "\"wallet\""), &[]).unwrap();
    let nft = carried.built.tx.outputs[0].token.clone().unwrap().nft.unwrap();
    assert_eq!((nft.capability, nft.commitment.as_slice()), (Capability::None, b"new".as_slice()));
    let carried = stage.run(&json("", "\"wallet\""), &[]).unwrap();
    assert_eq!(carried.built.tx.outputs[0].token, stage.coins[4].output.token);
    let error = stage.run(&json(r#"{"pay": {"lock": "0x51", "value": 2000}}"#, "\"none\""), &[]).unwrap_err();
    assert!(error.contains("would be lost"), "{error}");
}

#[test]
fn a_new_category_gets_its_coin_first_if_the_wallet_has_none() {
    let mut stage = Stage::new();
    let json = r#"{"name": "p", "inputs": [{"name": "seed", "source": "genesis"}],
        "outputs": [{"pay": {"lock": "0x51", "token": {"category": {"fact": {"input": 0, "what": "txid"}}, "amount": 1000, "capability": 2}}}]}"#;
    for made in [1, 0] {
        let carried = stage.run(json, &[]).unwrap();
        let (tx, first) = (&carried.built.tx, &carried.first);
        assert_eq!(first.len(), made);
        assert_eq!(tx.inputs[0].prevout.index, 0);
        let token = tx.outputs[0].token.clone().unwrap();
        assert_eq!(token.category.as_wire(), tx.inputs[0].prevout.txid.as_wire());
        assert_eq!((token.amount, token.capability()), (1_000, Some(Capability::Minting)));
        if let Some(first) = first.first() {
            assert_eq!(tx.inputs[0].prevout.txid, first.tx.txid());
        }
        stage.coins.push(coin(account(0).lock(), 9_000, 0, None));
    }
}

#[test]
fn long_bodies_are_published_by_coins_that_are_made_first() {
    let stage = Stage::new();
    for (len, no_output, chunks) in [(220, false, 0), (5, true, 1), (221, false, 1), (20_000, false, 3)] {
        let body = vec![0xab; len];
        let json = format!(
            r#"{{"name": "p", {POT}, "outputs": [{{"pay": {{"lock": "0x51", "value": 30000}}}}],
            "publish": [{{"name": "terms", "bytes": "0x{}", "no_output": {no_output}}}]}}"#,
            hex::encode(&body)
        );
        let carried = stage.run(&json, &[]).unwrap();
        let tx = &carried.built.tx;
        assert_eq!(spec::publish::find(tx, &spec::hash::sha256(&body)), Some(body), "{len}");
        assert_eq!(carried.first.len(), usize::from(chunks > 0));
        assert_eq!(tx.inputs.len(), 1 + chunks, "{len}: the pot pays for the rest");
    }
}

#[test]
fn a_forgery_is_signed_as_it_is_and_refused_by_the_contract() {
    let stage = Stage::new();
    let json = format!(r#"{{"name": "p", {POT}, "outputs": [{{"pay": {{"lock": "0x51", "value": 30000}}}}]}}"#);
    let plan: Plan = serde_json::from_str(&json).unwrap();
    let (args, keys) = (Args::new(), [account(0)]);
    let wish = stage.wish(&plan, &args, &keys);
    let refusal = |change: &dyn Fn(&mut wallet::Forgery<'_>)| {
        let wallet::Forged { tx, spent, .. } = forge(&wish, |forgery| change(forgery)).unwrap();
        let context = spec::SpendContext::new(&tx, &spent).unwrap();
        let verdict = vm::verify_input(&spec::Rules::new(RULES, spec::Mode::Relay), &context, 0);
        let redeem = stage.program.script("Pot", &stage.deployments[0].params).unwrap().0;
        verdict.err().map(|failure| wallet::explain(stage.program.artifact("Pot").unwrap(), &redeem, &failure).message)
    };
    assert_eq!(refusal(&|_| {}), None);
    let less = |forgery: &mut wallet::Forgery<'_>| forgery.tx.outputs[0].value = Sats::from_wire(19_999);
    assert_eq!(refusal(&less).unwrap(), "the first output holds enough");
    let eight = |forgery: &mut wallet::Forgery<'_>| forgery.set_arg(0, "n", AbiValue::int(8));
    assert_eq!(refusal(&eight).unwrap(), "the argument is 7");
}
