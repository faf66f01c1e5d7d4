//! The node as it is set up: settings from everywhere, logs, and a harness that takes it for bitcoind.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_bmc");

fn bmc(home: &Path) -> Command {
    let mut command = Command::new(BINARY);
    let settings = [
        "RPC",
        "COOKIE",
        "AUTH",
        "DATADIR",
        "MNEMONIC",
        "CONFIG",
        "RPC_PORT",
        "RPC_BIND",
        "LOG",
        "LOG_FORMAT",
        "NETWORK",
    ];
    for name in settings {
        command.env_remove(format!("BMC_{name}"));
    }
    command.env("HOME", home).current_dir(home).stdin(Stdio::null());
    command
}

/// A node in a process, which is killed at the end.
struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    url: String,
    auth: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Waits for the greeting, which names the port.
    fn start(mut command: Command, auth: impl FnOnce() -> String) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("http://") {
            line.clear();
            let read = out.read_line(&mut line).unwrap();
            if read == 0 {
                let mut why = String::new();
                child.stderr.take().unwrap().read_to_string(&mut why).unwrap();
                panic!("{why}");
            }
        }
        let url = format!("http://{}", line.trim().split("http://").nth(1).unwrap());
        Self { child, out, url, auth: auth() }
    }

    fn try_call(&self, pair: &str, path: &str, method: &str, params: &Value) -> Option<Value> {
        let credentials = base64::engine::general_purpose::STANDARD.encode(pair);
        let body = json!({ "id": 1, "method": method, "params": params }).to_string();
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let mut response = ureq::Agent::new_with_config(config)
            .post(format!("{}{path}", self.url))
            .header("Authorization", format!("Basic {credentials}"))
            .send(body)
            .unwrap();
        (response.status() != 401)
            .then(|| serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap())
    }

    fn call(&self, method: &str, params: Value) -> Value {
        let reply = self.try_call(&self.auth, "/", method, &params).unwrap();
        assert_eq!(reply["error"], Value::Null, "{method} {params}");
        reply["result"].clone()
    }

    /// Stops the node; what it said on standard error.
    fn stop(mut self) -> String {
        self.call("stop", json!([]));
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        self.out.read_to_string(&mut String::new()).unwrap();
        assert!(self.child.wait().unwrap().success());
        said
    }
}

fn printed(mut command: Command, args: &[&str]) -> (bool, Value, String) {
    let output = command.args(["--json", "node"]).args(args).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.success(), serde_json::from_slice(&output.stdout).unwrap_or_default(), said)
}

#[test]
fn flags_go_before_environment_and_that_before_the_file() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join(".bitmodel");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("bitmodel.toml"),
        "rpc-port = 3\nlog = \"info\"\nblocks-each = 7\nauth = \"a:secret\"\n",
    )
    .unwrap();
    let mut command = bmc(home.path());
    command.env("BMC_RPC_PORT", "2").env("BMC_LOG", "debug");
    let (fine, settings, _) = printed(command, &["--rpc-port", "1", "config", "print"]);
    assert!(fine);
    let is = |name: &str, value: Value, from: &str| assert_eq!(settings[name], json!({ "value": value, "from": from }));
    is("rpc-port", json!(1), "flag or environment");
    is("log", json!("debug"), "flag or environment");
    is("blocks-each", json!(7), "file");
    is("auth", json!("a:…"), "file");
    is("engine", json!("register"), "default");
    // The text is a file that a node reads.
    let output = bmc(home.path()).args(["node", "config", "print"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("rpc-port = 3 # file\n") && !text.contains("secret"), "{text}");
    let copy = home.path().join("copy.toml");
    std::fs::write(&copy, text).unwrap();
    let (fine, again, _) = printed(bmc(home.path()), &["--config", copy.to_str().unwrap(), "config", "print"]);
    assert!(fine && again["blocks-each"]["value"] == 7 && again["engine"]["from"] == "file", "{again}");
}

#[test]
fn a_file_that_is_wrong_says_where() {
    let home = TempDir::new().unwrap();
    let file = home.path().join("x.toml");
    for (text, part) in [
        ("rpc_port = 1", "unknown field `rpc_port`"),
        ("rpc-port = 99999", "rpc-port"),
        ("mine-every = \"2\"", "write a time"),
        ("no-mining = true\nautomine = true", "goes neither with"),
        ("blocks-each = 101", "at most 100"),
        ("engine = \"steam\"", "engine"),
        ("[", "x.toml"),
    ] {
        std::fs::write(&file, text).unwrap();
        let (fine, _, said) = printed(bmc(home.path()), &["--config", file.to_str().unwrap(), "config", "print"]);
        assert!(!fine && said.contains(part), "{text}: {said}");
    }
    let (fine, _, said) = printed(bmc(home.path()), &["--config", "none.toml", "config", "print"]);
    assert!(!fine && said.contains("cannot be read"), "{said}");
    let (fine, _, said) = printed(bmc(home.path()), &["--log", "loud", "--tmp", "--rpc-port", "0"]);
    assert!(!fine && said.contains("`loud` is neither a level"), "{said}");
}

#[test]
fn a_harness_for_bitcoind_starts_it() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    let mut command = bmc(home.path());
    let datadir = format!("-datadir={}", data.display());
    command.args([
        &datadir,
        "-rpcport=0",
        "-regtest",
        "-listen=0",
        "-fallbackfee=0.0001",
        "-txindex=1",
        "-printtoconsole=0",
    ]);
    let node = Running::start(command, || std::fs::read_to_string(data.join("regtest/.cookie")).unwrap());
    assert_eq!(node.call("getblockcount", json!([])), 0);
    assert_eq!(node.call("createwallet", json!(["default"]))["name"], "default");
    let wallet = |method: &str, params: Value| {
        node.try_call(&node.auth, "/wallet/default", method, &params).unwrap()["result"].clone()
    };
    let address = wallet("getnewaddress", json!([]));
    assert_eq!(wallet("generatetoaddress", json!([101, address])).as_array().unwrap().len(), 101);
    assert!(wallet("getbalance", json!([])).as_f64().unwrap() >= 50.0);
    let txid = wallet("sendtoaddress", json!([address, 1]));
    assert_eq!(node.call("getrawmempool", json!([])), json!([txid]), "it mines only when it is told to");
    node.stop();
    let output = bmc(home.path()).args(["-regtest", "-nosuch=1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("`-nosuch` is not known"));
}

#[test]
fn the_chains_of_others_start_with_ports_prefixes_and_folders_of_their_own() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    let start = |words: &[&str]| {
        let mut command = bmc(home.path());
        command.args(words);
        Running::start(command, || "t:t".to_owned())
    };
    let folder = data.to_str().unwrap();
    let ours = |network| ["node", "--network", network, "--datadir", folder, "--rpc-port=0", "--auth=t:t"];
    let theirs = [format!("-datadir={folder}"), "-rpcport=0".into(), "-rpcuser=t".into(), "-rpcpassword=t".into()];
    let theirs = |chain| [&[chain], theirs.each_ref().map(String::as_str).as_slice()].concat();
    // All at once in one data folder: each has a part of its own.
    let nodes = [
        start(&[&ours("devnet")[..], &["--p2p-bind", "127.0.0.1:0", "--blocks-each", "0"]].concat()),
        start(&[&ours("test")[..], &["--p2p-bind", "127.0.0.1:0"]].concat()),
        start(&[&theirs("-chain=main")[..], &["-bind=127.0.0.1:0"]].concat()),
    ];
    for ((node, chain), (prefix, bits)) in nodes.iter().zip(["regtest", "test", "main"]).zip([
        ("bchreg:", "207fffff"),
        ("bchtest:", "1f00ffff"),
        ("bitcoincash:", "1f00ffff"),
    ]) {
        let info = node.call("getblockchaininfo", json!([]));
        assert_eq!((&info["chain"], &info["blocks"]), (&json!(chain), &json!(0)));
        let genesis = node.call("getblockheader", json!([info["bestblockhash"]]));
        assert_eq!((&genesis["bits"], &genesis["confirmations"]), (&json!(bits), &json!(1)));
        let address = node.call("getnewaddress", json!([]));
        assert!(address.as_str().unwrap().starts_with(prefix), "{address}");
        let template = node.call("getblocktemplate", json!([]));
        assert_eq!((&template["height"], &template["previousblockhash"]), (&json!(1), &info["bestblockhash"]));
        let fails = node.try_call(&node.auth, "/", "bitmodel_increasetime", &json!([1])).unwrap();
        assert_eq!(fails["error"].is_null(), chain == "regtest", "{fails}");
    }
    let mut tips: Vec<Value> = nodes.iter().map(|node| node.call("getbestblockhash", json!([]))).collect();
    tips.dedup();
    assert_eq!(tips.len(), 3);
    // Who wants blocks there mines them, with work; coins of the public accounts are watched by nobody.
    let [_, test, _] = &nodes;
    let address = test.call("getnewaddress", json!([]));
    test.call("bitmodel_setmining", json!([true, address]));
    let started = Instant::now();
    while test.call("getblockcount", json!([])) == 0 {
        assert!(started.elapsed() < Duration::from_secs(100), "no block was mined");
        std::thread::sleep(Duration::from_millis(50));
    }
    test.call("bitmodel_setmining", json!([false]));
    assert!(test.call("getbalances", json!([]))["mine"]["immature"].as_f64().unwrap() >= 50.0);
    let height = test.call("getblockcount", json!([]));
    nodes.into_iter().for_each(|node| drop(node.stop()));
    for (part, other) in [("regtest/blocks", "regtest/testnet3"), ("testnet3/blocks", "testnet"), ("blocks", "main")] {
        assert!(data.join(part).is_dir() && !data.join(other).exists(), "{part}");
    }
    let again = start(&[&theirs("-testnet")[..], &["-listen=0"]].concat());
    assert_eq!(again.call("getblockcount", json!([])), height, "`-testnet` is the same chain");
    again.stop();
    for comfort in ["--automine", "--mine-every=2s", "--blocks-each=1", "--coins-each=2", "--mock-time=1900000000"] {
        let (fine, _, said) = printed(bmc(home.path()), &["--network=main", "--tmp", "--rpc-port=0", comfort]);
        assert!(!fine && said.contains("is for a devnet only") && said.contains("leave it out"), "{comfort}: {said}");
    }
    let (fine, settings, _) = printed(bmc(home.path()), &["--network=main", "config", "print"]);
    assert!(fine && settings["rpc-port"] == json!({ "value": 8_332, "from": "default" }), "{settings}");
    assert_eq!((&settings["p2p-bind"]["value"], &settings["blocks-each"]), (&json!("127.0.0.1:8333"), &Value::Null));
}

#[test]
fn logs_are_objects_if_wanted_and_grow_while_it_runs() {
    let home = TempDir::new().unwrap();
    let mut command = bmc(home.path());
    command.args([
        "node",
        "--tmp",
        "--rpc-port",
        "0",
        "--log-format",
        "json",
        "--auth",
        "t:t",
        "--no-mining",
        "--blocks-each",
        "0",
    ]);
    let node = Running::start(command, || "t:t".to_owned());
    let mined = |node: &Running| node.call("generatetoaddress", json!([1, "51"]))[0].as_str().unwrap().to_owned();
    let quiet = mined(&node);
    assert_eq!(node.call("logging", json!([["validation"]]))["validation"], true);
    let told = mined(&node);
    let parts = node.call("logging", json!([[], ["all"]]));
    assert!(parts.as_object().unwrap().values().all(|loud| loud == false), "{parts}");
    let quiet_again = mined(&node);
    assert_eq!(node.call("bitmodel_setloglevel", json!(["info,rpc"])), "info,rpc");
    let told_again = mined(&node);
    for (params, part) in [(json!([["gossip"]]), "gossip"), (json!([[], ["gossip"]]), "gossip")] {
        let reply = node.try_call("t:t", "/", "logging", &params).unwrap();
        assert!(reply["error"]["code"] == -8 && reply["error"]["message"].as_str().unwrap().contains(part), "{reply}");
    }
    let said = node.stop();
    let lines: Vec<Value> = said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let tells = |hash: &str| {
        lines
            .iter()
            .any(|line| line["hash"] == hash && line["message"] == "the chain changed" && line["level"] == "INFO")
    };
    assert_eq!(
        [&quiet, &told, &quiet_again, &told_again].map(|hash| tells(hash)),
        [false, true, false, true],
        "{said}"
    );
}

#[test]
fn users_with_salted_passwords_call_beside_the_cookie() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    let mut command = bmc(home.path());
    // Computed by another implementation of HMAC.
    let salted = "-rpcauth=alice:f7efda5c189b999524f151318c0c86$2998d712b51eff547d9966b98aafd3ed7cfa60d6d46b0358a8bfa45c62c31d56";
    command.args([salted, "-regtest", "-rpcport=0", &format!("-datadir={}", data.display())]);
    let node = Running::start(command, || std::fs::read_to_string(data.join("regtest/.cookie")).unwrap());
    assert_eq!(node.call("getblockcount", json!([])), 0);
    let started = Instant::now();
    assert_eq!(node.try_call("alice:wrong", "/", "getblockcount", &json!([])), None);
    assert!(started.elapsed() >= Duration::from_millis(250), "guessing is slow");
    let password = "correct horse: battery";
    let reply = node.try_call(&format!("alice:{password}"), "/", "getblockcount", &json!([])).unwrap();
    assert_eq!(reply["result"], 0);
    node.stop();
}
