//! `bmc bindgen`: the committed clients of two examples are what it prints, and do on a devnet what they say.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use client::{Accounts, Blocks, Capability, Error, FeeRate, Key, Lock, Node, Sats, Sig};
use node::{Config, NodeHandle, Prefund};
use spec::hash::sha256;

use crate::bmc::{bmc, root};
use crate::readme::blocks;

#[rustfmt::skip]
#[path = "../bindgen/kinds.rs"]
mod kinds;
#[rustfmt::skip]
#[path = "../bindgen/text_to_image.rs"]
mod text_to_image;
#[rustfmt::skip]
#[path = "../bindgen/vault.rs"]
mod vault;

use text_to_image::{TextToImage, TextToImageParams};
use vault::{Plans, Vault, VaultParams, VaultState};

/// The sources with committed clients: the folder, the source, the clients' name, and what the scripts are made for.
const CLIENTS: [(&str, &str, &str, &str); 3] = [
    ("examples/text-to-image-reward", "text_to_image.bmc", "text_to_image", "size"),
    ("examples/vault", "vault.bmc", "vault", "size"),
    ("tests/bindgen", "kinds.bmc", "kinds", "fee"),
];

fn folder() -> PathBuf {
    root().join("tests/bindgen")
}

/// `TRYCMD=overwrite` writes them anew.
#[test]
fn committed_clients_are_what_is_generated_now() {
    let is_asked = std::env::var("TRYCMD").is_ok_and(|word| word == "overwrite");
    for (sources, source, name, objective) in CLIENTS {
        for (lang, ending) in [("rust", "rs"), ("ts", "ts")] {
            let file = folder().join(format!("{name}.{ending}"));
            let mut args = vec!["bindgen", source, "--lang", lang, "--out", file.to_str().unwrap()];
            args.extend(["--optimise", objective]);
            args.extend((!is_asked).then_some("--check"));
            bmc(&root().join(sources), &args).ok();
        }
    }
}

/// A devnet whose first two accounts have money.
struct Devnet {
    handle: NodeHandle,
    node: Node,
    accounts: Accounts,
}

impl Devnet {
    fn start() -> Self {
        let accounts = Accounts::devnet();
        let prefund = (0..2).map(|index| Prefund { lock: accounts.key(index).lock(), blocks: 3 }).collect();
        let config = Config { rpc_bind: ([127, 0, 0, 1], 0).into(), prefund, ..Config::default() };
        let handle = node::start(config).unwrap();
        let node = Node::http(&handle.rpc_url(), handle.cookie());
        let devnet = Self { handle, node, accounts };
        devnet.mine(10);
        devnet
    }

    fn mine(&self, count: u32) {
        self.handle.call("generatetoaddress", &format!("[{count}, \"6a\"]")).unwrap();
    }

    /// Whom blocks alone say is paid by rewards, and how often each was settled.
    fn rewards(&self) -> Vec<(String, usize)> {
        self.mine(1);
        let ask = |method: &str, params: &str| self.handle.call(method, params).unwrap();
        let count: u32 = ask("getblockcount", "[]").parse().unwrap();
        let block = |height: u32| {
            let hash = ask("getblockhash", &format!("[{height}]"));
            let raw = ask("getblock", &format!("[{hash}, 0]"));
            spec::Block::decode(&hex::decode(raw.trim_matches('"')).unwrap()).unwrap()
        };
        let network = flow::rebuild(&(0..=count).map(block).collect::<Vec<_>>());
        assert!(network.refused.is_empty(), "{:?}", network.refused);
        network.rewards.into_iter().map(|flow| (flow.published.name, flow.settlements.len())).collect()
    }

    fn balance(&self, lock: &Lock) -> u64 {
        self.node.coins(&lock.0).unwrap().iter().map(|coin| coin.output.value.get()).sum()
    }
}

fn sats(n: u64) -> Sats {
    Sats::new(n).unwrap()
}

#[test]
fn a_reward_is_published_paid_and_settled_by_its_client() {
    let devnet = Devnet::start();
    let (node, alice) = (&devnet.node, devnet.accounts.key(0));
    let lock = |index: u32| Lock::from(devnet.accounts.key(50 + index));
    let reward = TextToImage::new(&TextToImageParams {
        databases: lock(0),
        compute: lock(1),
        models_diffusion: lock(2),
        models_transformer: lock(3),
        models_autoencoder: lock(4),
        researchers: lock(5),
        infrastructure: lock(6),
    })
    .unwrap();
    assert!(matches!(reward.settle(node, None), Err(Error::NoCoin(_))));
    reward.publish(node, &alice, sats(100_000_000), None, None).unwrap();

    let coins = reward.coins(node).unwrap();
    assert_eq!(coins.len(), 1);
    let cheat = reward.spend().settle(sats(1_000)).coin(&coins[0].utxo).pay(alice, sats(10_000_000));
    let refused = cheat.build(node).unwrap_err();
    let words = "the transaction has exactly 7 outputs, one for each source of `TextToImage`";
    assert_eq!(refused.author(), Some(words), "{refused}");
    let greedy = reward.settle(node, Some(sats(1_001))).unwrap_err();
    assert!(greedy.to_string().contains("at most 1000 sats"), "{greedy}");

    let settled = reward.settle(node, Some(sats(1_000))).unwrap();
    assert_eq!(settled.len(), 1);
    let shares = [29_999_700, 24_999_750, 9_999_900, 5_999_940, 3_999_960, 14_999_850, 9_999_900];
    assert_eq!((0..7).map(|index| devnet.balance(&lock(index))).collect::<Vec<_>>(), shares);

    // The plan of the program does the same.
    let plan = text_to_image::Plans::text_to_image_pay(
        sats(100_000_000),
        lock(0),
        lock(1),
        lock(2),
        lock(3),
        lock(4),
        lock(5),
        lock(6),
    );
    plan.payer(alice).send(node).unwrap();
    text_to_image::Plans::text_to_image_settle(sats(1_000)).of(&reward).send(node).unwrap();
    assert_eq!(devnet.balance(&lock(5)), 2 * shares[5]);

    // Two coins together cost more than the contract allows, so they are settled one by one.
    reward.pay(node, &alice, sats(60_000_000)).unwrap();
    reward.pay(node, &alice, sats(40_000_000)).unwrap();
    let both = reward.settle(node, None).unwrap_err();
    assert!(both.to_string().contains("at most 1000 sats"), "{both}");
    for coin in reward.coins(node).unwrap() {
        reward.settle_coins(node, vec![coin.utxo], None).unwrap();
    }
    assert_eq!(devnet.rewards(), [("TextToImage".to_owned(), 4)]);
}

#[test]
fn a_vault_is_opened_announced_refused_and_left_by_its_client() {
    let devnet = Devnet::start();
    let (node, hot, cold) = (&devnet.node, devnet.accounts.key(0), devnet.accounts.key(1));
    let friend = Lock::from(devnet.accounts.key(60));
    let goal = sha256(&friend.0);

    let params = VaultParams { hot: hot.into(), cold: cold.into(), delay: Blocks(3) };
    let vault = Vault::new(&params).unwrap();
    let opened = Plans::open(hot, cold, Blocks(3), sats(1_000_000)).payer(hot).send(node).unwrap();
    assert_eq!(opened.made.len(), 1);
    assert_eq!(vault.address(client::Network::Devnet).unwrap().lock(), vault.lock());
    let coin = vault.coins(node).unwrap().remove(0);
    assert_eq!((coin.state.leaving, coin.value()), (false, sats(1_000_000)));

    // The cold key cannot announce: the machine says so before anything is sent, in the author's words.
    let state = VaultState { leaving: true, to: goal };
    let next = vault.next(&coin, coin.value(), &state).unwrap();
    let wrong = vault.spend().announce(goal, cold).output(next.clone()).payer(hot);
    let refused = wrong.send(node).unwrap_err();
    assert_eq!(refused.author(), Some("the hot key must sign"), "{refused}");

    let announce = vault.spend().announce(goal, hot).coin(&coin.utxo).output(next);
    let announced = announce.payer(hot).rate(FeeRate::per_kilobyte(2_000)).send(node).unwrap();
    assert_eq!(announced.fee.get(), 2 * announced.tx.len_bytes() as u64);
    let coin = vault.coins(node).unwrap().remove(0);
    assert_eq!(coin.state, state);

    // Taken back with a signature of the other kind, and announced again by the program's plan.
    let back = vault.next(&coin, coin.value(), &VaultState { leaving: false, to: goal }).unwrap();
    vault.spend().revoke(Sig::Ecdsa(cold)).output(back).payer(cold).send(node).unwrap();
    Plans::announce(friend.clone()).of(&vault).payer(hot).send(node).unwrap();
    let other = Plans::leave(Lock::from(cold)).of(&vault).payer(cold).build(node).unwrap_err();
    assert_eq!(other.author(), Some("another lock was announced"), "{other}");

    devnet.mine(3);
    let early = vault.spend().leave().pay(friend.clone(), sats(1_000_000)).payer(cold).sequence(2).build(node);
    assert_eq!(early.unwrap_err().author(), Some("the delay is not over"));
    vault.spend().leave().pay(friend.clone(), sats(1_000_000)).payer(cold).send(node).unwrap();
    assert_eq!(devnet.balance(&friend), 1_000_000);
    assert!(vault.coins(node).unwrap().is_empty());
    assert!(matches!(vault.spend().leave().build(node), Err(Error::NoCoin(_))));

    // A state of one's own choice; what is left of the coin goes to the cold key, but not by mistake to the miner.
    vault.create(node, &hot, sats(500_000), &VaultState { leaving: true, to: [7; 32] }, Capability::Mutable).unwrap();
    let coin = vault.coins(node).unwrap().remove(0);
    assert_eq!(coin.state, VaultState { leaving: true, to: [7; 32] });
    let lost = vault.spend().recover(cold).pay(cold, sats(1_000)).build(node);
    assert!(matches!(lost, Err(Error::LeftToMiner(_))));
    vault.spend().recover(cold).change(friend.clone()).send(node).unwrap();
    assert!(devnet.balance(&friend) > 1_499_000);
}

fn all_kinds(accounts: &Accounts) -> kinds::KindsParams {
    let payee = |index: u32, amount| kinds::Payee { to: accounts.key(index).public_hash(), amount: sats(amount) };
    kinds::KindsParams {
        key: accounts.key(0).into(),
        order: kinds::Order::Raise(Some(sats(7))),
        pair: (300, true),
        grid: [1, -3, 2],
        r#type: client::Tokens(7),
        since: client::Time(1_800_000_000),
        age: client::Duration(1_024),
        word: b"word".to_vec(),
        mark: Some([1, 2, 3, 4]),
        payees: vec![payee(50, 30_000), payee(51, 40_000)],
    }
}

/// What types say is what the command line's texts say.
#[test]
fn values_of_every_kind_fill_the_holes_that_texts_fill() {
    let accounts = Accounts::devnet();
    let typed = kinds::Kinds::new(&all_kinds(&accounts)).unwrap();
    let payee = |index: u32, amount: &str| {
        format!(r#"{{"to": "0x{}", "amount": "{amount} sats"}}"#, hex::encode(accounts.key(index).public_hash()))
    };
    let texts = [
        ("key", "@alice".to_owned()),
        ("order", r#"{"Raise": {"Some": "7 sats"}}"#.to_owned()),
        ("pair", "[300, true]".to_owned()),
        ("grid", "[1, -3, 2]".to_owned()),
        ("type", "7".to_owned()),
        ("since", "1800000000".to_owned()),
        ("age", "1024 seconds".to_owned()),
        ("word", r#""word""#.to_owned()),
        ("mark", r#"{"Some": "0x01020304"}"#.to_owned()),
        ("payees", format!("[{}, {}]", payee(50, "30_000"), payee(51, "40_000"))),
    ];
    let names = wallet::Names { network: spec::Network::Devnet, accounts: &accounts };
    let value = |(name, text): &(&str, String)| {
        let slot = typed.artifact().params.iter().find(|slot| slot.name == *name).unwrap();
        match wallet::parse_value(&slot.ty, text, names).unwrap() {
            wallet::Arg::Value(value) => ((*name).to_owned(), value),
            other => panic!("{other:?}"),
        }
    };
    let params = typed.program().complete("Kinds", texts.iter().map(value).collect()).unwrap();
    assert_eq!(&params, typed.params());
    assert_eq!(typed.artifact().lock(&params).unwrap(), typed.lock());
    assert!(params.len() > texts.len(), "one is computed");
}

#[test]
fn arguments_and_states_of_every_kind_are_what_contracts_read() {
    let devnet = Devnet::start();
    let (node, alice, bob) = (&devnet.node, devnet.accounts.key(0), devnet.accounts.key(1));
    let friend = Lock::from(devnet.accounts.key(60));
    let mine = kinds::Kinds::new(&all_kinds(&devnet.accounts)).unwrap();
    mine.pay(node, &alice, sats(100_000)).unwrap();
    let act = |order| mine.spend().act(order, [Sig::By(alice), Sig::Ecdsa(alice)]).pay(friend.clone(), sats(95_000));
    let refused = act(kinds::Order::Split { first: sats(7), kind: sats(0) }).build(node).unwrap_err();
    assert_eq!(refused.author(), Some("another order"), "{refused}");
    act(kinds::Order::Raise(Some(sats(7)))).send(node).unwrap();
    // The list's records are known from the parameters.
    mine.pay(node, &alice, sats(71_000)).unwrap();
    let payees = [50, 51].map(|index| Lock::from(devnet.accounts.key(index)));
    let paid = |second| {
        let paying = mine.spend().pay(alice, sats(1_000)).pay(payees[0].clone(), sats(30_000));
        paying.pay(payees[1].clone(), sats(second))
    };
    assert_eq!(paid(39_999).build(node).unwrap_err().author(), Some("what is due"));
    paid(40_000).send(node).unwrap();

    let [a, b, c] = [alice, bob, devnet.accounts.key(2)];
    let joint = kinds::Joint::new(&kinds::JointParams { a: a.into(), b: b.into(), c: c.into() }).unwrap();
    joint.pay(node, &alice, sats(50_000)).unwrap();
    joint.spend().take([c, a]).pay(friend.clone(), sats(45_000)).send(node).unwrap();

    let word = kinds::Word::new(&kinds::WordParams { digest: sha256(&[9; 32]) }).unwrap();
    assert_eq!(word.address(client::Network::Devnet), None, "its coins hold the script");
    word.pay(node, &alice, sats(50_000)).unwrap();
    let wrong = word.spend().say([8; 32]).pay(friend.clone(), sats(45_000)).build(node).unwrap_err();
    assert_eq!(wrong.author(), Some("another word"), "{wrong}");
    word.spend().say([9; 32]).pay(friend.clone(), sats(45_000)).send(node).unwrap();
    assert_eq!(devnet.balance(&friend), 95_000 + 2 * 45_000);

    let sale = kinds::Sale::new(&kinds::SaleParams { seller: alice.into(), least: sats(1_000) }).unwrap();
    let open = kinds::SaleState { phase: kinds::Phase::Open, count: 0, grid: [5, -5] };
    sale.create(node, &alice, sats(10_000), &open, Capability::Mutable).unwrap();
    let coin = sale.coins(node).unwrap().remove(0);
    assert_eq!(coin.state, open);
    let bid = kinds::SaleState { phase: kinds::Phase::Bid(sats(2_000), [7; 20]), count: 1, ..open };
    let next = sale.next(&coin, coin.value(), &bid).unwrap();
    sale.spend().bid(sats(2_000), [7; 20]).output(next).payer(bob).send(node).unwrap();
    assert_eq!(sale.coins(node).unwrap().remove(0).state, bid);
}

/// Whoever brings a transport of their own sees every call.
#[test]
fn a_transport_is_whatever_answers() {
    struct Deaf;
    impl client::Transport for Deaf {
        fn call(&self, method: &str, _: &[serde_json::Value]) -> Result<serde_json::Value, client::RpcError> {
            Err(client::RpcError::Unreachable(format!("nobody, for {method}")))
        }
    }
    let key: Key = Accounts::devnet().key(0);
    let vault = Vault::new(&VaultParams { hot: key.into(), cold: key.into(), delay: Blocks(1) }).unwrap();
    let error = vault.coins(&Node::over(Deaf)).unwrap_err();
    assert_eq!(error.to_string(), "no node answers at nobody, for listunspent");
    let long = Vault::new(&VaultParams { hot: key.into(), cold: key.into(), delay: Blocks(70_000) }).unwrap_err();
    assert!(long.to_string().contains("`delay`"), "{long}");
}

/// The folder with the clients in TypeScript and the packages that they stand on.
fn packages() -> Option<&'static Path> {
    static INSTALLED: OnceLock<Option<PathBuf>> = OnceLock::new();
    INSTALLED.get_or_init(install).as_deref()
}

/// Installs the packages, once. `None`, told on standard error, where there is no npm.
fn install() -> Option<PathBuf> {
    let runs =
        |program: &str| Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !runs("node") || !runs("npm") {
        // Written past the test runner, which would keep it to itself.
        let why = b"SKIPPED: node and npm are not installed, so the clients in TypeScript are not run\n";
        std::io::stderr().write_all(why).unwrap();
        return None;
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bindgen");
    fs::create_dir_all(&target).unwrap();
    let names = [
        "package.json",
        "package-lock.json",
        "tsconfig.json",
        "stories.ts",
        "text_to_image.ts",
        "vault.ts",
        "kinds.ts",
    ];
    let lock = "node_modules/.package-lock.json";
    let is_new = fs::read(folder().join("package-lock.json")).ok() != fs::read(target.join("package-lock.json")).ok();
    for name in names {
        fs::copy(folder().join(name), target.join(name)).unwrap();
    }
    if is_new || !target.join(lock).exists() {
        let args = ["ci", "--silent", "--no-audit", "--no-fund"];
        let status = Command::new("npm").args(args).current_dir(&target).status();
        assert!(status.is_ok_and(|status| status.success()), "`npm ci` failed in {}", target.display());
    }
    Some(target)
}

#[test]
fn the_clients_in_typescript_are_checked_and_do_the_same() {
    let Some(folder) = packages() else { return };
    let checked =
        Command::new("node").args(["node_modules/typescript/bin/tsc", "-p", "."]).current_dir(folder).output();
    let checked = checked.unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    let devnet = Devnet::start();
    let told = Command::new("node")
        .args(["built/stories.js", &devnet.handle.rpc_url(), devnet.handle.cookie()])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    assert_eq!(devnet.rewards(), [("TextToImage".to_owned(), 3)]);
    let accounts = Accounts::devnet();
    let lock = hex::encode(kinds::Kinds::new(&all_kinds(&accounts)).unwrap().lock());
    let expected = format!("three clients: paid, refused, settled, announced, left, and of every kind {lock}");
    assert_eq!(String::from_utf8_lossy(&told.stdout).trim(), expected);
}

/// Every line of a snippet stands in what the tests run, in this order.
#[test]
fn the_snippets_of_the_page_are_run() {
    let page = fs::read_to_string(root().join("docs/bindgen.md")).unwrap();
    let mut count = 0;
    for (language, file) in [("rust", "tests/suite/bindgen.rs"), ("ts", "tests/bindgen/stories.ts")] {
        let told = fs::read_to_string(root().join(file)).unwrap();
        for block in blocks(&page, language) {
            let mut lines = told.lines().map(str::trim);
            for line in block.lines().map(str::trim).filter(|line| !line.is_empty()) {
                assert!(lines.any(|other| other == line), "`{line}` of docs/bindgen.md is not in {file}, or not there");
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count} lines");
    let scratch = tempfile::tempdir().unwrap();
    fs::copy(root().join("examples/vault/vault.bmc"), scratch.path().join("vault.bmc")).unwrap();
    for line in blocks(&page, "console").iter().flat_map(|block| block.lines()).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words.first(), Some(&"bmc"), "{line}");
        bmc(scratch.path(), &words[1..]).ok();
    }
    assert!(scratch.path().join("src/vault.rs").exists() && scratch.path().join("vault.ts").exists());
}

/// Names, documentation and messages of a stranger stay inside of what holds them.
#[test]
fn a_hostile_artifact_says_nothing_outside_of_literals_and_comments() {
    let evil = "*/ \"; evil(); /* \n evil!{} \u{202e} \\\" ${evil()} `evil`";
    let slot = |name: &str, ty: &str| spec::artifact::Slot { name: name.into(), ty: ty.parse().unwrap() };
    let path = spec::artifact::SpendPath {
        name: evil.into(),
        docs: evil.into(),
        args: vec![slot(evil, "Int"), slot("__proto__", "Sig"), slot("type", "(Int, Bool)")],
        unlock: vec![],
        route: vec![],
        time: spec::artifact::TimeNeeds::default(),
        cost_bound: None,
    };
    let artifact = spec::Artifact {
        contract: format!("Evil{evil}"),
        docs: evil.into(),
        params: vec![slot(evil, "Lock"), slot("evil", "[Bytes<3>; 2]"), slot("constructor", "Sigs<2>")],
        paths: vec![path],
        ..spec::Artifact::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let json = serde_json::to_string(&artifact).unwrap();
    fs::write(folder.path().join("evil.json"), json).unwrap();
    let rust = bmc(folder.path(), &["bindgen", "evil.json", "--lang", "rust"]).ok();
    let code = code_of(&rust);
    assert!(!code.contains('\u{202e}') && code.matches('{').count() == code.matches('}').count(), "{code}");
    let words: Vec<&str> = code.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    assert!(words.contains(&"evil") && !code.contains(" evil(") && !code.contains("evil!"), "{code}");
    bmc(folder.path(), &["bindgen", "evil.json", "--lang", "ts", "--out", "evil.ts"]).ok();
    let source = fs::read_to_string(folder.path().join("evil.ts")).unwrap();
    assert!(!source.contains('\u{202e}'));
    let Some(packages) = packages() else { return };
    fs::copy(folder.path().join("evil.ts"), packages.join("evil.ts")).unwrap();
    // Only what is code is a call.
    let script = "const ts = require('typescript'), fs = require('fs');
        const file = ts.createSourceFile('evil.ts', fs.readFileSync('evil.ts', 'utf8'), 99, true);
        if (file.parseDiagnostics.length > 0) throw file.parseDiagnostics[0].messageText;
        const walk = (node) => { if (ts.isCallExpression(node) && node.expression.getText() === 'evil') throw 'evil'; ts.forEachChild(node, walk); };
        walk(file);";
    let seen = Command::new("node").args(["-e", script]).current_dir(packages).output().unwrap();
    assert!(seen.status.success(), "{}", String::from_utf8_lossy(&seen.stderr));
}

/// A source of Rust without comments and without what stands in literals.
fn code_of(source: &str) -> String {
    let mut code = String::new();
    for line in source.lines() {
        let (mut chars, mut in_text) = (line.chars().peekable(), false);
        while let Some(c) = chars.next() {
            match c {
                '\\' if in_text => drop(chars.next()),
                '"' => in_text = !in_text,
                '/' if !in_text && chars.peek() == Some(&'/') => break,
                c if !in_text => code.push(c),
                _ => {}
            }
        }
        assert!(!in_text, "a literal of generated code ends on its line: {line}");
        code.push('\n');
    }
    code
}
