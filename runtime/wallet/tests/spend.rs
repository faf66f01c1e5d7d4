//! Transactions built from hand-made artifacts, judged by the machine.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use spec::artifact::{
    AbiValue, Failing, MapEntry, Piece, RequireSite, RewardSource, RewardTable, SharedFunction, Slot, SourceFile,
    SourceSpan, SpendPath, Step, TimeBound, TimeNeeds, Turn, UnlockItem,
};
use spec::{Artifact, Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, TxOut, Txid};
use wallet::{
    Accounts, Arg, Args, BuildError, Call, FeeRate, Given, Names, Params, Purse, SettleError, Settlement, Utxo, call,
    check_params, explain, explain_path, parse_value, path_taken, pay, settle, spending,
};

/// A contract in assembly: `<name>` is a hole, `!some_words` after an instruction makes it a check with that message.
fn contract(name: &str, params: &[(&str, &str)], paths: Vec<SpendPath>, text: &str) -> Artifact {
    let slots = params.iter().map(|(name, ty)| slot(name, ty)).collect::<Vec<_>>();
    let mut bytecode = Vec::new();
    let mut requires = Vec::new();
    let mut count = 0usize;
    for (line, text) in text.lines().enumerate() {
        for word in text.split_whitespace() {
            if let Some(message) = word.strip_prefix('!') {
                let span = SourceSpan { line: line + 1, column: 5, ..SourceSpan::default() };
                requires.push(RequireSite {
                    instruction: count - 1,
                    after: vec![],
                    message: message.replace('_', " "),
                    span,
                    expects: vec![],
                });
                continue;
            }
            count += 1;
            let hole = word.strip_prefix('<').and_then(|word| word.strip_suffix('>'));
            bytecode.push(match hole {
                Some(hole) => Piece::Param(slots.iter().position(|slot| slot.name == hole).unwrap()),
                None => Piece::Code(spec::asm::assemble(word, RuleSet::Bitmodel).unwrap()),
            });
        }
    }
    Artifact {
        compiler: "by hand".into(),
        contract: name.into(),
        rules: RuleSet::Bitmodel,
        sources: vec![SourceFile { path: "by_hand.bmc".into(), sha256: String::new() }],
        params: slots,
        paths,
        bytecode,
        asm: text.into(),
        requires,
        ..Artifact::default()
    }
}

fn slot(name: &str, ty: &str) -> Slot {
    Slot { name: name.into(), ty: ty.parse().unwrap() }
}

/// A path whose arguments are pushed in order, then its selector.
fn path(name: &str, args: &[(&str, &str)], selector: Option<i64>) -> SpendPath {
    let pushes = (0..args.len()).map(UnlockItem::Arg).chain(selector.map(UnlockItem::Int));
    SpendPath {
        name: name.into(),
        docs: String::new(),
        args: args.iter().map(|(name, ty)| slot(name, ty)).collect(),
        unlock: pushes.collect(),
        route: Vec::new(),
        time: TimeNeeds::default(),
        cost_bound: None,
    }
}

fn value(ty: &str, text: &str) -> Arg {
    let accounts = Accounts::devnet();
    parse_value(&ty.parse().unwrap(), text, Names { network: spec::Network::Devnet, accounts: &accounts }).unwrap()
}

fn params(values: &[(&str, &str, &str)]) -> Params {
    let item = |arg| match arg {
        Arg::Value(value) => value,
        Arg::Sign(_) | Arg::SignEcdsa(_) | Arg::SignEach(_) | Arg::Parts(_) => panic!("a parameter is a value"),
    };
    values.iter().map(|(name, ty, text)| ((*name).to_owned(), item(value(ty, text)))).collect()
}

fn args(values: &[(&str, &str, &str)]) -> Args {
    values.iter().map(|(name, ty, text)| ((*name).to_owned(), value(ty, text))).collect()
}

fn coin(lock: Vec<u8>, sats: u64, index: u32) -> Utxo {
    let output = TxOut::plain(Sats::new(sats).unwrap(), lock);
    Utxo { outpoint: OutPoint { txid: Txid::from_wire([9; 32]), index }, output }
}

fn key_hash_contract() -> Artifact {
    let spend = path("spend", &[("sig", "Sig"), ("key", "PubKey")], None);
    let text = "DUP HASH160 <owner> EQUALVERIFY !the_key_is_the_owner's\nCHECKSIG !the_owner_signs";
    contract("OwnedBy", &[("owner", "Bytes<20>")], vec![spend], text)
}

#[test]
fn a_payment_is_accepted_and_its_fee_is_exact() {
    let accounts = Accounts::devnet();
    let (alice, bob) = (accounts.key(0), accounts.key(1));
    for coins in [1, 2, 5] {
        let coins = (0..coins).map(|index| coin(alice.lock(), 20_000, index)).collect();
        let outputs = vec![TxOut::plain(Sats::new(15_000).unwrap(), bob.lock())];
        let built = pay(&Purse::of(alice, coins), outputs, FeeRate::RELAY_MIN, RuleSet::Bch2026).unwrap();
        assert_eq!(built.fee.get(), built.tx.len_bytes() as u64);
        assert_eq!(built.metrics.len(), built.tx.inputs.len());
    }
}

#[test]
fn dust_and_missing_keys_are_refused() {
    let accounts = Accounts::devnet();
    let (alice, bob) = (accounts.key(0), accounts.key(1));
    let purse = Purse { keys: vec![bob], coins: vec![coin(alice.lock(), 20_000, 0)], change_lock: bob.lock() };
    let to = |sats| vec![TxOut::plain(Sats::new(sats).unwrap(), bob.lock())];
    let error = |sats| pay(&purse, to(sats), FeeRate::RELAY_MIN, RuleSet::Bitmodel).unwrap_err();
    assert!(matches!(error(545), BuildError::Dust { index: 0, .. }));
    assert!(matches!(error(546), BuildError::NoKey(_)));
    assert!(matches!(error(20_000), BuildError::Short(_)));
}

fn spend_owned(signer: &str, coin_sats: u64, purse: Option<&Purse>) -> Result<wallet::Built, BuildError> {
    let artifact = key_hash_contract();
    let params = params(&[("owner", "Bytes<20>", "@alice")]);
    let args = args(&[("sig", "Sig", signer), ("key", "PubKey", "@alice")]);
    let bob = Accounts::devnet().key(1);
    call(Call {
        artifact: &artifact,
        params: &params,
        path: "spend",
        args: &args,
        coin: coin(artifact.lock(&params).unwrap(), coin_sats, 0),
        outputs: vec![TxOut::plain(Sats::new(9_000).unwrap(), bob.lock())],
        locktime: None,
        sequence: None,
        purse,
        rate: FeeRate::RELAY_MIN,
    })
}

#[test]
fn a_contract_is_spent_by_its_owner_and_nobody_else() {
    let built = spend_owned("@alice", 10_000, None).unwrap();
    assert_eq!(built.fee.get(), 1_000);
    let error = spend_owned("@bob", 10_000, None).unwrap_err();
    assert_eq!(error.to_string(), "input 0: OwnedBy.spend: \"the owner signs\" at by_hand.bmc:2:5");
}

#[test]
fn a_purse_pays_the_fee_and_takes_the_change_of_a_call() {
    let bob = Accounts::devnet().key(1);
    for (coin_sats, coins, inputs) in [(30_000, 0, 1), (9_000, 1, 2)] {
        let purse = Purse::of(bob, (1..=coins).map(|index| coin(bob.lock(), 5_000, index)).collect());
        let built = spend_owned("@alice", coin_sats, Some(&purse)).unwrap();
        assert_eq!((built.tx.inputs.len(), built.tx.outputs.len()), (inputs, 2));
        assert_eq!(built.fee.get(), built.tx.len_bytes() as u64);
    }
}

#[test]
fn a_call_that_does_not_fit_its_artifact_says_why() {
    let artifact = key_hash_contract();
    let known = params(&[("owner", "Bytes<20>", "@alice")]);
    let good = args(&[("sig", "Sig", "@alice"), ("key", "PubKey", "@alice")]);
    let lock = artifact.lock(&known).unwrap();
    let attempt = |path: &str, params: &Params, args: &Args, sats: u64| {
        let outputs = vec![TxOut::plain(Sats::new(9_000).unwrap(), lock.clone())];
        let coin = coin(lock.clone(), sats, 0);
        let (locktime, sequence, rate) = (None, None, FeeRate::RELAY_MIN);
        let wish =
            Call { artifact: &artifact, params, path, args, coin, outputs, locktime, sequence, purse: None, rate };
        call(wish).map(|_| ()).unwrap_err().to_string()
    };
    let other = params(&[("owner", "Bytes<20>", "@bob")]);
    let no_sig = args(&[("key", "PubKey", "@alice")]);
    let swapped =
        BTreeMap::from([("sig".to_owned(), value("Sigs<1>", "@alice")), ("key".to_owned(), good["key"].clone())]);
    let cases = [
        (attempt("spent", &known, &good, 10_000), "`OwnedBy` has no path `spent`; it has `spend`"),
        (attempt("spend", &other, &good, 10_000), "the coin is not locked by `OwnedBy` with these parameters"),
        (attempt("spend", &Params::new(), &good, 10_000), "parameter `owner` has no value"),
        (attempt("spend", &known, &no_sig, 10_000), "argument `sig` has no value"),
        (attempt("spend", &known, &swapped, 10_000), "argument `sig` must be a `Sig`"),
        (
            attempt("spend", &known, &good, 8_000),
            "the outputs take 0.00009000 coin, but the contract's coin holds 0.00008000",
        ),
    ];
    for (message, expected) in cases {
        assert_eq!(message, expected);
    }
}

/// The bytes of the last push.
fn script_push_len(unlock: &[u8]) -> usize {
    let last = spec::script::instructions(unlock).last().unwrap().unwrap();
    last.end - last.at
}

fn spend_vault(signers: &str, locktime: u32, path_name: &str) -> Result<wallet::Built, BuildError> {
    let paths = vec![path("together", &[("sigs", "Sigs<2>")], Some(0)), path("alone", &[("sig", "Sig")], Some(1))];
    let text = "IF 100 CHECKLOCKTIMEVERIFY !not_before_height_100
        DROP <a> CHECKSIGVERIFY !the_first_key_signs
        ELSE 2 <a> <b> <c> 3 CHECKMULTISIGVERIFY !two_of_three_sign
        ENDIF 1";
    let keys = [("a", "PubKey"), ("b", "PubKey"), ("c", "PubKey")];
    let artifact = contract("Vault", &keys, paths, text);
    let params = params(&[("a", "PubKey", "@alice"), ("b", "PubKey", "@bob"), ("c", "PubKey", "@carol")]);
    let args = match path_name {
        "together" => args(&[("sigs", "Sigs<2>", signers)]),
        _ => args(&[("sig", "Sig", signers)]),
    };
    let built = call(Call {
        artifact: &artifact,
        params: &params,
        path: path_name,
        args: &args,
        coin: coin(artifact.lock(&params).unwrap(), 10_000, 0),
        outputs: vec![TxOut::plain(Sats::new(9_000).unwrap(), Accounts::devnet().key(1).lock())],
        locktime: Some(locktime),
        sequence: None,
        purse: None,
        rate: FeeRate::RELAY_MIN,
    })?;
    let unlock = &built.tx.inputs[0].unlock;
    assert_eq!(path_taken(&artifact, unlock).unwrap().name, path_name);
    // All that was pushed, and all that fills holes, is read back.
    let told = spending(&artifact, &[], unlock, &|_| None).unwrap();
    let named = |given: &[Given<'_>]| given.iter().map(|one| (one.slot.name.clone(), one.value.clone())).collect();
    let (pushed, filled): (Params, Params) = (named(&told.args), named(&told.params));
    assert_eq!(filled, params);
    assert_eq!(told.path.unwrap().pushes(&pushed).unwrap(), unlock[..unlock.len() - script_push_len(unlock)]);
    Ok(built)
}

#[test]
fn a_multisig_is_signed_by_any_two_in_any_order() {
    for signers in ["@alice, @bob", "@carol, @alice", "@bob, @carol", "1:@bob, 0:@alice"] {
        spend_vault(signers, 0, "together").unwrap();
    }
    for (signers, message) in [
        ("@alice, @dave", "argument `sigs` must be signed by different keys"),
        ("@alice, @alice", "argument `sigs` must be signed by different keys"),
        ("0:@bob, 1:@alice", "input 0: Vault.together: \"two of three sign\" at by_hand.bmc:3:5"),
    ] {
        let error = spend_vault(signers, 0, "together").unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn a_time_lock_names_the_line_that_says_so() {
    spend_vault("@alice", 100, "alone").unwrap();
    let error = spend_vault("@alice", 99, "alone").unwrap_err().to_string();
    assert_eq!(error, "input 0: Vault.alone: \"not before height 100\" at by_hand.bmc:1:5");
}

/// Spends what the owner may take after `delay`, with a coin of bob's for the fee.
fn spend_old(ty: &str, delay: &str, bounds: Vec<TimeBound>) -> Result<(u32, Vec<u32>), BuildError> {
    let mut alone = path("alone", &[("sig", "Sig")], None);
    alone.time.sequence = bounds;
    let text = match ty {
        "Blocks" => "<delay> CHECKSEQUENCEVERIFY !too_young\nDROP <owner> CHECKSIG",
        _ => "<delay> 511 ADD 512 DIV 4194304 ADD CHECKSEQUENCEVERIFY !too_young\nDROP <owner> CHECKSIG",
    };
    let artifact = contract("Old", &[("owner", "PubKey"), ("delay", ty)], vec![alone], text);
    let params = params(&[("owner", "PubKey", "@alice"), ("delay", ty, delay)]);
    check_params(&artifact, &params)?;
    let bob = Accounts::devnet().key(1);
    let purse = Purse::of(bob, vec![coin(bob.lock(), 20_000, 1)]);
    let built = call(Call {
        artifact: &artifact,
        params: &params,
        path: "alone",
        args: &args(&[("sig", "Sig", "@alice")]),
        coin: coin(artifact.lock(&params).unwrap(), 10_000, 0),
        outputs: vec![TxOut::plain(Sats::new(15_000).unwrap(), bob.lock())],
        locktime: None,
        sequence: None,
        purse: Some(&purse),
        rate: FeeRate::RELAY_MIN,
    })?;
    Ok((built.tx.locktime, built.tx.inputs.iter().map(|input| input.sequence).collect()))
}

#[test]
fn an_age_is_asked_of_the_contracts_coin_alone() {
    let free = 0xffff_fffe;
    let by_param = || vec![TimeBound::Param(1)];
    assert_eq!(spend_old("Blocks", "144 blocks", by_param()).unwrap(), (0, vec![144, free]));
    assert_eq!(spend_old("Duration", "1 hours", by_param()).unwrap(), (0, vec![1 << 22 | 8, free]));
    assert_eq!(spend_old("Blocks", "5", vec![TimeBound::Int(5)]).unwrap(), (0, vec![5, free]));
    for (ty, delay, bounds, message) in [
        ("Blocks", "5", vec![TimeBound::Computed], "path `alone` computes the sequence that it demands"),
        ("Blocks", "70_000", by_param(), "parameter `delay` must be an age from 0 to 65_535 blocks: it locks by time"),
        ("Blocks", "9", vec![TimeBound::Int(8)], "input 0: Old.alone: \"too young\" at by_hand.bmc:1:5"),
    ] {
        assert_eq!(spend_old(ty, delay, bounds).unwrap_err().to_string(), message);
    }
}

/// Two sources share 1 : 2; the second takes what rounding leaves.
fn reward() -> (Artifact, Params) {
    let text = "DUP 0 1001 WITHIN VERIFY !the_fee_is_at_most_1_000_sats
        INPUTINDEX UTXOVALUE SWAP SUB TXOUTPUTCOUNT 2 NUMEQUALVERIFY !nobody_else_is_paid
        0 OUTPUTBYTECODE <one> EQUALVERIFY !one_is_paid_at_its_own_lock
        DUP 1 ADD 3 DIV DUP 0 OUTPUTVALUE NUMEQUALVERIFY !one_gets_its_share
        SUB 1 OUTPUTVALUE NUMEQUALVERIFY !two_gets_its_share
        1 OUTPUTBYTECODE <two> EQUAL !two_is_paid_at_its_own_lock";
    let mut artifact =
        contract("Pair", &[("one", "Lock"), ("two", "Lock")], vec![path("settle", &[("fee", "Coin")], None)], text);
    let source = |name: &str, param: usize, weight| RewardSource {
        name: name.into(),
        param,
        weight,
        rank: param,
        to: None,
        span: SourceSpan::default(),
    };
    artifact.reward = Some(RewardTable {
        denominator: 3,
        minimum_sats: Sats::new(10_000).unwrap(),
        fee_sats_max: Sats::new(1_000).unwrap(),
        sources: vec![source("one", 0, 1), source("two", 1, 2)],
        list: None,
    });
    (artifact, params(&[("one", "Lock", "@carol"), ("two", "Lock", "@dave")]))
}

fn settle_pot(sats: u64, fee: Option<u64>) -> Result<wallet::Settled, SettleError> {
    let (artifact, params) = reward();
    let pot = coin(artifact.lock(&params).unwrap(), sats, 0);
    let fee = fee.map(|fee| Sats::new(fee).unwrap());
    settle(&Settlement { artifact: &artifact, params: &params, coins: vec![pot], fee, rate: FeeRate::RELAY_MIN })
}

#[test]
fn a_settlement_pays_exact_shares_and_its_own_fee() {
    for sats in [10_000, 10_001, 10_002, 100_000_000, Sats::MAX.get()] {
        let settled = settle_pot(sats, None).unwrap();
        let fee = settled.built.fee.get();
        assert_eq!(fee, settled.built.tx.len_bytes() as u64);
        let shares: Vec<u64> = settled.shares.iter().map(|share| share.value.get()).collect();
        assert_eq!(shares[0], (sats - fee + 1) / 3);
        assert_eq!(shares.iter().sum::<u64>(), sats - fee);
    }
    assert_eq!(settle_pot(10_000, Some(777)).unwrap().built.fee.get(), 777);
}

#[test]
fn pots_under_the_minimum_and_fees_over_the_maximum_are_refused() {
    let cases = [
        (settle_pot(9_999, None), "the pot holds 0.00009999 coin, less than the minimum of 0.00010000"),
        (settle_pot(10_000, Some(1_001)), "a fee of 1001 sats is too high: the contract allows at most 1000 sats"),
    ];
    for (result, message) in cases {
        assert_eq!(result.unwrap_err().to_string(), message);
    }
}

#[test]
fn a_forged_settlement_is_explained() {
    let (artifact, params) = reward();
    let redeem = artifact.redeem_script(&params).unwrap();
    let honest = settle_pot(100_000, None).unwrap().built;
    let moved = |from: usize, to: usize| {
        let mut tx = honest.tx.clone();
        tx.outputs[from].value = Sats::new(tx.outputs[from].value.get() - 1).unwrap();
        tx.outputs[to].value = Sats::new(tx.outputs[to].value.get() + 1).unwrap();
        tx
    };
    let mut swapped = honest.tx.clone();
    swapped.outputs.swap(0, 1);
    let mut stolen = honest.tx.clone();
    stolen.outputs[1].lock = Accounts::devnet().key(9).lock();
    let mut extra = honest.tx.clone();
    extra.outputs.push(TxOut::plain(Sats::ZERO, vec![0x6a]));
    let cases = [
        (moved(0, 1), "Pair.settle: \"one gets its share\" at by_hand.bmc:4:5"),
        (moved(1, 0), "Pair.settle: \"one gets its share\" at by_hand.bmc:4:5"),
        (swapped, "Pair.settle: \"one is paid at its own lock\" at by_hand.bmc:3:5"),
        (stolen, "Pair.settle: \"two is paid at its own lock\" at by_hand.bmc:6:5"),
        (extra, "Pair.settle: \"nobody else is paid\" at by_hand.bmc:2:5"),
    ];
    for (tx, expected) in cases {
        let context = SpendContext::new(&tx, &honest.spent).unwrap();
        let rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
        let failure = vm::verify_input(&rules, &context, 0).unwrap_err();
        assert_eq!(explain(&artifact, &redeem, &failure).to_string(), expected);
    }
}

#[test]
fn an_explanation_without_a_source_says_what_the_machine_says() {
    let mut artifact = key_hash_contract();
    artifact.requires.clear();
    let params = params(&[("owner", "Bytes<20>", "@alice")]);
    let redeem = artifact.redeem_script(&params).unwrap();
    let coin = coin(artifact.lock(&params).unwrap(), 10_000, 0);
    let args = args(&[("sig", "Sig", "@alice"), ("key", "PubKey", "@bob")]);
    let outputs = vec![TxOut::plain(Sats::new(9_000).unwrap(), Accounts::devnet().key(1).lock())];
    let wish = Call {
        artifact: &artifact,
        params: &params,
        path: "spend",
        args: &args,
        coin,
        outputs,
        locktime: None,
        sequence: None,
        purse: None,
        rate: FeeRate::RELAY_MIN,
    };
    let Err(BuildError::Refused(refusal)) = call(wish) else { panic!("a wrong key is refused") };
    let explanation = explain(&artifact, &redeem, &refusal.failure);
    assert_eq!(explanation.place, None);
    assert_eq!(explanation.message, refusal.failure.error.to_string());
    assert_eq!(AbiValue::int(0), AbiValue::Item(vec![]));
}

#[test]
fn a_check_in_a_shared_function_is_explained_by_its_own_message() {
    // `0x5aa069` is `OP_10 OP_GREATERTHAN OP_VERIFY`; the second line invokes it for both arguments.
    let spend = path("spend", &[("low", "Int"), ("high", "Int")], None);
    let text = "0x5aa069 OP_0 DEFINE\nOP_0 INVOKE OP_0 INVOKE OP_1";
    let mut artifact = contract("Both", &[], vec![spend], text);
    let at = |line| SourceSpan { line, column: 7, ..SourceSpan::default() };
    artifact.source_map = vec![MapEntry { instruction: 0, after: Vec::new(), span: at(9) }];
    artifact.functions = vec![SharedFunction {
        name: "above_ten".into(),
        id: vec![],
        definition: 0,
        asm: "OP_10 OP_GREATERTHAN OP_VERIFY".into(),
        source_map: vec![MapEntry { instruction: 0, after: vec![], span: at(3) }],
        requires: vec![RequireSite {
            instruction: 2,
            after: vec![],
            message: "more than ten".into(),
            span: at(4),
            expects: vec![],
        }],
    }];
    let redeem = artifact.redeem_script(&Params::new()).unwrap();
    let failure = |unlock: &str| judged(&artifact, unlock);
    failure("OP_11 OP_12").unwrap();
    for unlock in ["OP_11 OP_9", "OP_9 OP_11"] {
        let found = failure(unlock).unwrap_err();
        let told = explain(&artifact, &redeem, &found).to_string();
        assert_eq!(told, "Both.spend: \"more than ten\" at by_hand.bmc:4:7");
        assert_eq!(found.inside.unwrap().at, 2);
    }
    // What fails without a message is placed in the function all the same.
    let found = failure("OP_11 0x0000").unwrap_err();
    assert!(explain(&artifact, &redeem, &found).to_string().ends_with("at by_hand.bmc:3:7"));
}

/// What the machine says of a coin of a contract without parameters that these words unlock.
fn judged(artifact: &Artifact, words: &str) -> Result<vm::Metrics, vm::Failure> {
    let mut unlock = spec::asm::assemble(words, RuleSet::Bitmodel).unwrap();
    spec::script::push_data(&mut unlock, &artifact.redeem_script(&Params::new()).unwrap());
    let prevout = OutPoint { txid: Txid::from_wire([1; 32]), index: 0 };
    let input = spec::tx::TxIn { prevout, unlock, sequence: 0 };
    let tx = spec::Transaction { version: 2, inputs: vec![input], outputs: vec![], locktime: 0 };
    let spent = [TxOut::plain(Sats::ONE, artifact.lock(&Params::new()).unwrap())];
    let rules = Rules::new(RuleSet::Bch2026, Mode::Consensus);
    vm::verify_input(&rules, &SpendContext::new(&tx, &spent).unwrap(), 0)
}

#[test]
fn a_check_of_several_things_at_once_names_all_of_them_and_what_they_demand() {
    let mut artifact = contract("Joined", &[], vec![path("spend", &[("n", "Int")], None)], "OP_10 EQUALVERIFY OP_1");
    let at = |line| SourceSpan { line, column: 5, ..SourceSpan::default() };
    let site = |line, message: &str, expects: Vec<u8>| RequireSite {
        instruction: 1,
        after: vec![],
        message: message.into(),
        span: at(line),
        expects,
    };
    let told = |requires: Vec<RequireSite>, artifact: &mut Artifact| {
        artifact.requires = requires;
        let redeem = artifact.redeem_script(&Params::new()).unwrap();
        explain(artifact, &redeem, &judged(artifact, "OP_9").unwrap_err())
    };
    // Two rounds of a loop say the same at the same place.
    let requires = vec![site(3, "each is paid", vec![0xaa]), site(3, "each is paid", vec![0xbb; 40])];
    let two = told([requires, vec![site(7, "the last is paid", vec![0xcc])]].concat(), &mut artifact);
    let long = "bb".repeat(35);
    assert_eq!(
        two.to_string(),
        format!(
            "Joined.spend: \"each is paid\" at by_hand.bmc:3:5 or \"the last is paid\" at by_hand.bmc:7:5 \
             (expected, in this order: 0xaa, 0x{long}.., 0xcc)"
        )
    );
    assert_eq!(two.expected, [vec![0xaa], vec![0xbb; 40], vec![0xcc]]);
    let one = told(vec![site(3, "another text", vec![0xaa, 1])], &mut artifact);
    assert_eq!(one.to_string(), "Joined.spend: \"another text\" at by_hand.bmc:3:5 (expected 0xaa01)");
    let many = (0..12).map(|at| site(3, "each is paid", vec![at + 1])).collect();
    assert!(told(many, &mut artifact).to_string().ends_with("0x07, 0x08, 4 more)"));
}

#[test]
fn a_check_that_branches_share_is_explained_by_the_way_that_led_there() {
    let text = "OP_TXINPUTCOUNT OP_1 OP_NUMEQUAL OP_IF OP_5 OP_ELSE OP_TXINPUTCOUNT OP_2 OP_NUMEQUALVERIFY OP_6 OP_ENDIF OP_NUMEQUALVERIFY OP_1";
    let paths = vec![path("alone", &[("n", "Int")], None), path("together", &[("n", "Int")], None)];
    let mut artifact = contract("Shared", &[], paths, text);
    let at = |line| SourceSpan { line, column: 5, ..SourceSpan::default() };
    let turn = |taken| Turn { instruction: 3, taken };
    let site = |instruction, after: Vec<Turn>, line, message: &str| RequireSite {
        instruction,
        after,
        message: message.into(),
        span: at(line),
        expects: vec![],
    };
    artifact.requires = vec![
        site(8, vec![], 7, "not with another"),
        site(11, vec![turn(true)], 3, "it is five"),
        site(11, vec![turn(false)], 8, "it is six"),
    ];
    artifact.source_map = vec![
        MapEntry { instruction: 0, after: vec![], span: at(1) },
        MapEntry { instruction: 11, after: vec![turn(true)], span: at(3) },
        MapEntry { instruction: 11, after: vec![turn(false)], span: at(8) },
    ];
    let step = |taken, line, message: &str| Step {
        turn: turn(taken),
        otherwise: Some(Failing { message: message.into(), span: at(line) }),
    };
    artifact.paths[0].route = vec![step(true, 2, "only alone")];
    artifact.paths[1].route = vec![step(false, 7, "not with another")];
    let redeem = artifact.redeem_script(&Params::new()).unwrap();
    let failure = |n: &str, inputs: usize| {
        let mut unlock = spec::asm::assemble(n, RuleSet::Bitmodel).unwrap();
        spec::script::push_data(&mut unlock, &redeem);
        let input = |index: usize| spec::tx::TxIn {
            prevout: OutPoint { txid: Txid::from_wire([index as u8; 32]), index: 0 },
            unlock: if index == 0 { unlock.clone() } else { Vec::new() },
            sequence: 0,
        };
        let inputs: Vec<_> = (0..inputs).map(input).collect();
        let spent = vec![TxOut::plain(Sats::ONE, artifact.lock(&Params::new()).unwrap()); inputs.len()];
        let tx = spec::Transaction { version: 2, inputs, outputs: vec![], locktime: 0 };
        let rules = Rules::new(RuleSet::Bch2026, Mode::Consensus);
        let context = SpendContext::new(&tx, &spent).unwrap();
        (vm::verify_input(&rules, &context, 0), unlock)
    };
    assert!(failure("OP_5", 1).0.is_ok() && failure("OP_6", 2).0.is_ok());
    let told = |n: &str, inputs: usize| explain(&artifact, &redeem, &failure(n, inputs).0.unwrap_err()).to_string();
    assert_eq!(told("OP_6", 1), "Shared.alone: \"it is five\" at by_hand.bmc:3:5");
    assert_eq!(told("OP_5", 2), "Shared.together: \"it is six\" at by_hand.bmc:8:5");
    assert_eq!(told("OP_6", 3), "Shared.together: \"not with another\" at by_hand.bmc:7:5");
    // A number that is not in its shortest form fails at the same instruction, without a check of its own.
    assert_eq!(told("0x0500", 2), "Shared.together: \"it is six\" at by_hand.bmc:8:5");
    // Who wanted one path, and came to the other, hears what led away.
    let wanted = |n: &str, inputs: usize, path: usize| {
        explain_path(&artifact, &redeem, &failure(n, inputs).0.unwrap_err(), &artifact.paths[path]).to_string()
    };
    assert_eq!(wanted("OP_5", 3, 0), "Shared.alone: \"only alone\" at by_hand.bmc:2:5");
    assert_eq!(wanted("OP_7", 1, 1), "Shared.together: \"not with another\" at by_hand.bmc:7:5");
    assert_eq!(wanted("OP_7", 2, 1), "Shared.together: \"it is six\" at by_hand.bmc:8:5");
    // Both paths push one item, so that the pushes do not tell which it is.
    let (_, unlock) = failure("OP_5", 1);
    assert!(path_taken(&artifact, &unlock).is_none());
    // The turn that the script took does.
    let path = |taken| spending(&artifact, &[], &unlock, &|_| taken).unwrap().path.map(|path| path.name.clone());
    let names = [Some(true), Some(false), None].map(path);
    assert_eq!(names, [Some("alone".to_owned()), Some("together".to_owned()), None]);
}
