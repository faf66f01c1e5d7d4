//! The binary as a newcomer uses it: a devnet in one process, commands in others, files in a folder of their own.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::{BINARY, Devnet, bmc};
use tempfile::TempDir;

#[test]
fn a_new_package_is_checked_deployed_paid_and_settled() {
    let devnet = Devnet::start();
    devnet.json(&["new", "tea"]);
    assert_eq!(devnet.refusal(&["new", "tea"]).0, Some(1));
    assert!(devnet.output(&["check", "tea"]).status.success());
    let built = devnet.json(&["build", "tea/shares.bmc", "--out", "out"]);
    assert_eq!(built[0]["contract"], "Reward");
    let deploy = ["deploy", "tea/shares.bmc", "--name", "tea", "--param", "data=@grace", "--param", "training=@heidi"];
    let (code, text) = devnet.refusal(&deploy);
    assert_eq!(code, Some(2));
    assert!(text.contains("needs `hosting: Lock`"), "{text}");
    devnet.json(&[&deploy[..], &["--param", "hosting=@judy"]].concat());

    let before = devnet.balance("@grace");
    let (code, text) = devnet.refusal(&["settle", "tea"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("nobody has paid `tea`"), "{text}");
    devnet.json(&["pay", "tea", "9_000 sats", "--from", "@bob"]);
    let (_, text) = devnet.refusal(&["settle", "tea"]);
    assert!(text.contains("less than the minimum of 0.00010000"), "{text}");
    devnet.json(&["pay", "tea", "1 coin", "--from", "@bob"]);
    let (_, text) = devnet.refusal(&["settle", "tea", "--fee", "1_001 sats"]);
    assert!(text.contains("at most 1000 sats"), "{text}");
    let settled = devnet.json(&["settle", "tea", "--export", "settlement.hex"]);
    let fee = settled[0]["fee_sats"].as_u64().unwrap();
    assert_eq!(settled.as_array().unwrap().len(), 1, "the small pot joins");
    let sum: u64 = settled[0]["shares"].as_array().unwrap().iter().map(|share| share["sats"].as_u64().unwrap()).sum();
    assert_eq!(sum + fee, 100_009_000);
    assert_eq!(devnet.balance("@grace") - before, settled[0]["shares"][0]["sats"].as_u64().unwrap());
    let exported = std::fs::read_to_string(devnet.folder.path().join("settlement.hex")).unwrap();
    assert_eq!(exported.trim(), settled[0]["hex"]);

    // Whoever has the id can step through it: the node knows what it spends and the contract.
    let txid = settled[0]["txid"].as_str().unwrap();
    let debugged = devnet.json(&["debug", txid, "--file", "tea", "--keys", "nn"]);
    assert!(debugged["title"].as_str().unwrap().starts_with("Reward: input 0 of"), "{debugged}");
    assert_eq!((&debugged["valid"], debugged["line"].is_u64()), (&Value::Bool(true), true), "{debugged}");
    let (code, text) = devnet.refusal(&["debug", &"ab".repeat(32), "--keys", "n"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("the node does not have"), "{text}");
}

const ESCROW: &str = "
contract Escrow(buyer: PubKey, seller: PubKey) {
    spend release(sig: Sig) {
        require buyer.signed(sig), \"the buyer releases\";
    }
    spend refund(sig: Sig) {
        require self.age >= 1_000 blocks, \"the seller waits a week\";
        require seller.signed(sig), \"the seller takes it back\";
    }
}
";

#[test]
fn a_contract_is_called_by_those_who_may() {
    let devnet = Devnet::start();
    devnet.write("escrow.bmc", ESCROW);
    devnet.json(&["deploy", "escrow.bmc", "--name", "escrow", "--param", "buyer=@alice", "--param", "seller=@bob"]);
    devnet.json(&["pay", "escrow", "1 coin"]);
    let call = |path: &str, sig: &str| {
        let sig = format!("sig={sig}");
        let args = ["call", "escrow", path, "--arg", &sig, "--to", "@judy=0.5 coin", "--change", "@alice"];
        args.map(str::to_owned).to_vec()
    };
    let refused = |path: &str, sig: &str, message: &str| {
        let args = call(path, sig);
        let (code, text) = devnet.refusal(&args.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains(message), "{text}");
    };
    refused("release", "@bob", "Escrow.release: \"the buyer releases\" at escrow.bmc:4:");
    // The call sets the age that the path demands, so it is the chain that says no.
    refused("refund", "@bob", "non-BIP68-final");
    let young = [call("refund", "@bob"), vec!["--sequence".to_owned(), "999".to_owned()]].concat();
    let (_, text) = devnet.refusal(&young.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(text.contains("Escrow.refund: \"the seller waits a week\" at escrow.bmc:7:"), "{text}");
    assert!(text.contains("help: raise `--locktime` or `--sequence`"), "{text}");
    let before = devnet.balance("@judy");
    let args = call("release", "@alice");
    devnet.json(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(devnet.balance("@judy") - before, 50_000_000);
}

/// The coin shows a hash; once it is spent, the chain shows the script, and the script is known by its source.
#[test]
fn a_script_on_the_chain_is_verified_inspected_and_decompiled() {
    let devnet = Devnet::start();
    devnet.write("escrow.bmc", ESCROW);
    let deploy = ["deploy", "escrow.bmc", "--name", "escrow", "--param", "buyer=@alice", "--param", "seller=@bob"];
    let address = devnet.json(&deploy)["address"].as_str().unwrap().to_owned();
    let paid = devnet.json(&["pay", "escrow", "1 coin"])["txid"].as_str().unwrap().to_owned();
    let coin = format!("{paid}:0");
    let verify = ["verify", &coin, "--file", "escrow.bmc"];
    let (code, text) = devnet.refusal(&verify);
    assert_eq!(code, Some(1));
    assert!(text.contains("give all parameters with `--param`"), "{text}");
    let params = ["--param", "buyer=@alice", "--param", "seller=@bob"];
    assert_eq!(devnet.json(&[&verify[..], &params].concat())["matches"], true);
    let (_, text) = devnet.refusal(&["decompile", &address]);
    assert!(text.contains("no transaction shows the script"), "{text}");

    let call = ["call", "escrow", "release", "--arg", "sig=@alice", "--to", "@judy=0.5 coin", "--change", "@alice"];
    let spent = devnet.json(&call)["txid"].as_str().unwrap().to_owned();
    for what in [&coin, &address] {
        let found = devnet.json(&["verify", what, "--file", "escrow.bmc"]);
        assert_eq!((&found["contract"], &found["shown_by"]), (&Value::from("Escrow"), &Value::from(spent.as_str())));
        assert_eq!(found["params"].as_array().unwrap().len(), 2);
    }
    devnet.write("other.bmc", &ESCROW.replace("1_000 blocks", "1_001 blocks"));
    let other = devnet.output(&["verify", &coin, "--file", "other.bmc"]);
    let text = String::from_utf8(other.stdout).unwrap();
    assert_eq!(other.status.code(), Some(1), "{text}");
    assert!(text.contains("other.bmc:7:"), "{text}");

    // The node knows the contract, because it was deployed there.
    let seen = devnet.json(&["inspect", &spent, "--svg", "spent.svg"]);
    let own = &seen["inputs"][0];
    assert_eq!((&own["redeem"]["contract"], &own["path"]), (&Value::from("Escrow"), &Value::from("release")));
    assert_eq!((&own["args"][0]["name"], &own["run"]["valid"]), (&Value::from("sig"), &Value::from(true)));
    assert!(std::fs::read_to_string(devnet.folder.path().join("spent.svg")).unwrap().contains("Escrow.release"));
    let paid = devnet.json(&["inspect", &paid]);
    assert_eq!(paid["outputs"][0]["lock"]["contract"], "Escrow");
    let text = devnet.json(&["decompile", &address])["text"].as_str().unwrap().to_owned();
    assert!(text.contains("require self.age >= 1000 blocks;"), "{text}");
}

/// A height that means a time, or an age of more bits than the chain reads, would open at another moment.
#[test]
fn a_lock_that_would_open_at_another_moment_is_not_deployed() {
    let devnet = Devnet::start();
    let text = "contract Old(key: PubKey, delay: Blocks, until: Height) {
        spend take(sig: Sig) {
            require self.age >= delay && tx.height >= until;
            require key.signed(sig);
        }
    }";
    devnet.write("old.bmc", text);
    let attempt = |delay: &str, until: &str| {
        let (delay, until) = (format!("delay={delay}"), format!("until={until}"));
        let args = ["deploy", "old.bmc", "--param", "key=@alice", "--param", &delay, "--param", &until, "--json"];
        let output = devnet.output(&args);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(attempt("65_535 blocks", "height 1_000").0, Some(0));
    for (delay, until, words) in [
        ("65_536 blocks", "height 1_000", "an age from 0 to 65_535 blocks"),
        ("-1", "height 1_000", "an age from 0 to 65_535 blocks"),
        ("1", "height 500_000_000", "from 0 to 499_999_999"),
        ("1", "height -1", "from 0 to 499_999_999"),
    ] {
        let (code, error) = attempt(delay, until);
        assert!(matches!(code, Some(1 | 2)), "{error}");
        let error: Value = serde_json::from_str(&error).unwrap();
        let told = format!("{} {}", error["error"], error["help"]);
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn money_moves_between_accounts() {
    let devnet = Devnet::start();
    let before = devnet.balance("@carol");
    let sent = devnet.json(&["wallet", "send", "@alice", "@carol", "0.25 coin"]);
    assert_eq!(sent["fee_sats"], 219);
    assert_eq!(devnet.balance("@carol") - before, 25_000_000);
    let (code, text) = devnet.refusal(&["wallet", "send", "@alice", "@carol", "25"]);
    assert_eq!(code, Some(2));
    assert!(text.contains("write the unit: `25 sats` or `25 coin`"), "{text}");
    let (code, text) = devnet.refusal(&["wallet", "send", "@alice", "@carol", "1_000_000 coin"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("the coins at hand hold"), "{text}");
}

#[test]
fn without_a_node_or_its_cookie_the_exit_code_is_three() {
    let folder = TempDir::new().unwrap();
    let run = |args: &[&str]| bmc(folder.path()).args(args).output().unwrap().status.code();
    assert_eq!(run(&["wallet", "balance", "@alice", "--rpc", "127.0.0.1:1"]), Some(3));
    let devnet = Devnet::start();
    assert_eq!(run(&["wallet", "balance", "@alice", "--rpc", &devnet.rpc]), Some(3));
}

#[cfg(unix)]
#[test]
fn a_signal_stops_the_node_and_its_folder_is_gone() {
    let mut devnet = Devnet::start();
    assert!(devnet.cookie.exists());
    let process = devnet.node.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
    assert_eq!(devnet.node.wait().unwrap().code(), Some(0));
    assert!(!devnet.cookie.exists());
}

/// The commands of a page's shell blocks, one a line, without comments; a node is running already.
fn shell_commands(page: &str) -> Vec<String> {
    let blocks = page.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines: String = blocks.map(|block| block.replace("\\\n", " ")).collect();
    let bare = lines.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
    bare.filter(|line| !line.is_empty() && *line != "bmc node").map(str::to_owned).collect()
}

/// Runs a page's commands as they stand, in `folder`.
fn walk_through(devnet: &Devnet, page: &str, folder: &Path) -> usize {
    let beside = Path::new(BINARY).parent().unwrap();
    let path = format!("{}:{}", beside.display(), std::env::var("PATH").unwrap_or_default());
    let commands = shell_commands(page);
    for line in &commands {
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(folder).env("PATH", &path).env("NO_COLOR", "1");
        let output = shell.env("BMC_RPC", &devnet.rpc).env("BMC_COOKIE", &devnet.cookie).output().unwrap();
        assert!(output.status.success(), "`{line}`: {}", String::from_utf8_lossy(&output.stderr));
    }
    commands.len()
}

#[test]
fn the_commands_of_a_new_package_s_page_work_as_they_stand() {
    let devnet = Devnet::start();
    devnet.json(&["new", "payday"]);
    let folder = devnet.folder.path().join("payday");
    let page = std::fs::read_to_string(folder.join("README.md")).unwrap();
    assert!(walk_through(&devnet, &page, &folder) >= 4);
    assert!(devnet.balance("@carol") > 0);
}

#[test]
fn the_commands_of_a_new_contract_s_page_work_as_they_stand() {
    let devnet = Devnet::start();
    devnet.json(&["new", "safe", "--template", "contract"]);
    let folder = devnet.folder.path().join("safe");
    let page = std::fs::read_to_string(folder.join("README.md")).unwrap();
    assert!(walk_through(&devnet, &page, &folder) >= 6);
}

#[test]
fn the_commands_of_the_example_s_page_work_as_they_stand() {
    let devnet = Devnet::start();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples/text-to-image-reward");
    for entry in std::fs::read_dir(&example).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, devnet.folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let page = std::fs::read_to_string(example.join("README.md")).unwrap();
    assert!(walk_through(&devnet, &page, devnet.folder.path()) >= 8);
}

#[test]
fn plans_are_carried_out_and_their_contracts_remembered() {
    let devnet = Devnet::start();
    devnet.write("vault.bmc", include_str!("../../examples/vault/vault.bmc"));
    let (code, text) = devnet.refusal(&["call", "close", "--fee-from", "@alice"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("there is no plan `close`") && text.contains("`open`"), "{text}");
    let open = ["call", "open", "--arg", "hot=@alice", "--arg", "cold=@carol", "--arg", "delay=2 blocks"];
    let open = [&open[..], &["--arg", "amount=0.5 coin"]].concat();
    let (_, text) = devnet.refusal(&open);
    assert!(text.contains("--fee-from @alice"), "{text}");
    let opened = devnet.json(&[&open[..], &["--fee-from", "@alice"]].concat());
    assert_eq!(opened["deployed"], serde_json::json!(["Vault"]), "{opened}");
    let held = devnet.balance("@dave");
    let (_, text) = devnet.refusal(&["call", "announce", "--arg", "lock=@dave", "--fee-from", "@bob"]);
    assert!(text.contains("no key at hand signs") && text.contains("--sign"), "{text}");
    let announce = ["call", "announce", "--arg", "lock=@dave", "--fee-from", "@bob", "--sign", "@alice"];
    devnet.json(&announce);
    let leave = ["call", "leave", "--arg", "lock=@dave", "--fee-from", "@bob"];
    let (code, text) = devnet.refusal(&leave);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("non-BIP68-final"), "{text}");
    devnet.json(&["wallet", "send", "@alice", "@bob", "1 coin"]);
    let (_, text) = devnet.refusal(&["call", "leave", "--arg", "lock=@erin", "--fee-from", "@bob"]);
    assert!(text.contains("another lock was announced"), "{text}");
    let (code, text) = devnet.refusal(&[&leave[..], &["--to", "@bob=1 coin"]].concat());
    assert_eq!(code, Some(2), "{text}");
    devnet.json(&leave);
    assert_eq!(devnet.balance("@dave"), held + 50_000_000);
}

const FLOWS: &str = "
reward Makers { data: 30%, training: rest, minimum: 10_000 sats, fee: up to 1_000 sats }
reward App { makers: 40% to Makers, builder: rest, minimum: 10_000 sats, fee: up to 1_000 sats }
reward Crowd { recipients: list, minimum: 1_000_000 sats, fee: up to 5_000 sats }
contract Plain(owner: PubKey) { spend take(sig: Sig) { require owner.signed(sig); } }
";

#[test]
fn whom_rewards_pay_is_rebuilt_from_the_blocks_of_a_node_alone() {
    let devnet = Devnet::start();
    devnet.write("flows.bmc", FLOWS);
    let deploy =
        |contract: &str, more: &[&str]| devnet.json(&[&["deploy", "flows.bmc", "--contract", contract], more].concat());
    let makers = deploy("Makers", &["--param", "data=@carol", "--param", "training=@dave", "--pay", "0.5 coin"]);
    let txid = makers["published"].as_str().unwrap();
    let lock = format!("makers=0x{}", makers["lock"].as_str().unwrap());
    // Deployed offline, a reward is published by whoever pays it first.
    let app = deploy("App", &["--param", &lock, "--param", "builder=@erin", "--offline"]);
    assert_eq!(app["published"], Value::Null);
    let list = r#"recipients=[{"weight": 750000, "lock": "@carol"}, {"weight": 250000, "lock": "@dave"}]"#;
    let crowd = deploy("Crowd", &["--param", list]);
    let again = deploy("Crowd", &["--param", list]);
    assert_eq!((&again["published"], &again["fee_sats"]), (&crowd["published"], &Value::Null), "once is enough");
    assert_eq!(deploy("Plain", &["--param", "owner=@alice"])["published"], Value::Null);
    for (contract, more, words) in [
        ("Plain", ["--param", "owner=@alice", "--pay", "1 coin"], "is no reward"),
        ("Plain", ["--param", "owner=@alice", "--record", "12"], "--record"),
        ("Makers", ["--param", "data=@carol", "--pay", "1"], "`training: Lock`"),
        ("Plain", ["--param", "owner=@alice", "--pay", "many"], "is not an amount of money"),
    ] {
        let (code, text) = devnet.refusal(&[&["deploy", "flows.bmc", "--contract", contract][..], &more].concat());
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(words), "{text}");
    }
    let other = ["deploy", "flows.bmc", "--contract", "Crowd", "--name", "other", "--param", list, "--from", "@nobody"];
    let (code, text) = devnet.refusal(&other);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("no account `@nobody`"), "{text}");
    let paid = devnet.json(&["pay", "App", "1 coin", "--from", "@bob"]);
    devnet.json(&["pay", "App", "1 coin", "--from", "@bob"]);
    devnet.json(&["settle", "App", "--fee", "1_000 sats"]);

    // Nothing of this folder is read: only the node's blocks.
    let elsewhere = TempDir::new().unwrap();
    let run = |args: &[&str]| {
        let mut command = bmc(elsewhere.path());
        let output = command.args(args).env("BMC_RPC", &devnet.rpc).env("BMC_COOKIE", &devnet.cookie).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let data: Value = serde_json::from_str(&run(&["flow", "rebuild", "--json"])).unwrap();
    let rewards = data["rewards"].as_array().unwrap();
    let of = |name: &str| rewards.iter().find(|reward| reward["name"] == name).unwrap();
    assert_eq!(rewards.len(), 3);
    assert_eq!(of("Makers")["published"], txid);
    assert_eq!(of("Makers")["held_sats"], 50_000_000 + (200_000_000 - 1_000) / 5 * 2);
    assert_eq!(of("App")["published"], paid["txid"], "in the transaction of the first payment");
    assert_eq!(of("App")["settlements"][0]["pot_sats"], 200_000_000);
    assert_eq!(of("App")["recipients"][0]["lock"], makers["lock"]);
    assert_eq!(of("Crowd")["recipients"].as_array().unwrap().len(), 2);
    assert_eq!(data["refused"], serde_json::json!([]));

    let text = run(&["flow", "rebuild", "--svg", "flow.svg"]);
    for line in ["rebuilt 3 rewards and 0 models", "40 %  makers", "to Makers", "settled once", "75 %  1", "(a list)"] {
        assert!(text.contains(line), "`{line}` is missing from\n{text}");
    }
    let svg = std::fs::read_to_string(elsewhere.path().join("flow.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains(">40 %</text>") && svg.contains("70 % training"), "{svg}");

    let (code, text) = devnet.refusal(&["flow", "rebuild", "--svg", "no/such/folder.svg"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("`no/such/folder.svg` cannot be written"), "{text}");
    assert_eq!(devnet.refusal(&["flow"]).0, Some(2));
    assert_eq!(devnet.refusal(&["flow", "rebuild", "extra"]).0, Some(2));
    assert_eq!(devnet.refusal(&["flow", "rebuild", "--rpc", "127.0.0.1:1"]).0, Some(3));
}

const BOX: &str = r#"
/// A coin that its owner may take after some blocks.
contract Box(owner: PubKey, wait: Blocks, fee: Coin) {
    spend take(sig: Sig) {
        require self.index == 0, "one box at a time";
        require self.age >= wait + 1 blocks, "the box is closed";
        require tx.outputs[0].value + fee * 2 >= self.value, "the fee is too high";
        require owner.signed(sig), "the owner must sign";
    }
}

plan unpack(to: Lock) {
    input box: Box.take(sig: box.params.owner);
    output to { value: box.value };
}

reward Crew { data: 30%, training: rest, minimum: 10_000 sats, fee: up to 1_000 sats }
"#;

#[test]
fn what_is_sealed_is_paid_called_and_rebuilt_like_its_template() {
    let devnet = Devnet::start();
    devnet.write("box.bmc", BOX);
    let given = ["--param", "owner=@carol", "--param", "wait=0 blocks", "--param", "fee=500 sats"];
    let deploy = |more: &[&str]| devnet.json(&[&["deploy", "box.bmc", "--contract", "Box"][..], &given, more].concat());
    let template = deploy(&["--name", "template", "--offline"]);
    let sealed = deploy(&["--name", "sealed", "--seal"]);
    assert_ne!(template["address"], sealed["address"]);
    assert!(sealed["bytes"].as_u64().unwrap() < template["bytes"].as_u64().unwrap(), "{template} {sealed}");
    devnet.json(&["pay", "sealed", "0.5 coin"]);
    devnet.json(&["wallet", "send", "@alice", "@bob", "1 coin"]);
    let held = devnet.balance("@dave");
    let unpack = ["call", "unpack", "--arg", "to=@dave", "--fee-from", "@bob"];
    let (_, text) = devnet.refusal(&[&unpack[..], &["--sign", "@erin"]].concat());
    assert!(text.contains("no key at hand signs"), "{text}");
    devnet.json(&[&unpack[..], &["--sign", "@carol"]].concat());
    assert_eq!(devnet.balance("@dave"), held + 50_000_000);

    let crew = ["deploy", "box.bmc", "--contract", "Crew", "--param", "data=@carol", "--param", "training=@dave"];
    let crew = devnet.json(&[&crew[..], &["--seal", "--pay", "1 coin"]].concat());
    let held = devnet.balance("@dave");
    devnet.json(&["call", "CrewSettle", "--arg", "fee=1_000 sats"]);
    assert_eq!(devnet.balance("@dave"), held + 99_999_000 * 7 / 10);
    devnet.json(&["pay", "Crew", "1 coin"]);
    devnet.json(&["settle", "Crew", "--fee", "1_000 sats"]);
    let data = devnet.json(&["flow", "rebuild"]);
    let reward = &data["rewards"][0];
    assert_eq!((&reward["name"], &reward["lock"]), (&"Crew".into(), &crew["lock"]), "{data}");
    assert_eq!(reward["settlements"][0]["pot_sats"], 100_000_000);
    assert_eq!(reward["settlements"].as_array().unwrap().len(), 2);
}
