//! Whatever comes over the wire, the node answers with an error, stays up, and its chain stays as it was.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::time::{Duration, Instant};

use base64::Engine;
use node::{Auth, Config, NodeHandle, Prefund};
use serde_json::Value;
use support::{Dice, NOW, post, raw, rpc, start};

/// Every method that the node says it has, but the one that ends it.
fn methods(node: &NodeHandle) -> Vec<String> {
    let overview = rpc(node, "help", "[]").unwrap();
    let lines = overview.as_str().unwrap().lines().filter(|line| !line.is_empty() && !line.starts_with("=="));
    let names = lines.map(|line| line.split(' ').next().unwrap().to_owned());
    // The faucet takes any lock, and so does as it is told.
    names.filter(|name| name != "stop" && name != "bitmodel_faucet").collect()
}

/// Everything that must stay the same.
fn state(node: &NodeHandle) -> Value {
    ["getblockchaininfo", "getrawmempool", "gettxoutsetinfo", "bitmodel_listartifacts"]
        .map(|method| rpc(node, method, "[]").unwrap())
        .into_iter()
        .collect()
}

#[test]
fn wrong_parameters_of_every_method_are_typed_errors() {
    let node = start();
    let before = state(&node);
    let long = format!("[\"{}\"]", "ab".repeat(1_000_000));
    let deep = format!("[{}{}]", "[".repeat(50_000), "]".repeat(50_000));
    let deep_object = format!("[{}1{}]", "{\"a\":".repeat(50_000), "}".repeat(50_000));
    let wrong = [
        "[{}]",
        "[[]]",
        "[true]",
        "[1.5]",
        "[-1]",
        "[1e400]",
        "[99999999999999999999999]",
        "[\"\"]",
        "[\"\\u0000\"]",
        "[\"zz\"]",
        "[\"00\"]",
        "[null,null,null,null,null,null,null]",
        "[\"00\",\"00\",\"00\",\"00\"]",
        "{\"x\":1}",
        "{\"\":null}",
        "[[[\"00\"]],{}]",
        "[{\"format\":1},\"51\",{}]",
        "[\"51\",[\"00\"]]",
        "[[\"00\"],1e-9]",
        "[\"\u{10ffff}\"]",
        &long,
        &deep,
        &deep_object,
    ];
    let methods = methods(&node);
    assert!(methods.len() > 40, "{methods:?}");
    for method in &methods {
        for params in wrong {
            if let Err((code, message)) = rpc(&node, method, params) {
                let known = [-1, -3, -4, -5, -6, -8, -18, -22, -23, -24, -25, -26, -27, -29, -30, -35].contains(&code);
                assert!(known && message.len() < 2_000, "{method} {params:.80}: {code} {message:.200}");
            }
        }
    }
    assert_eq!(state(&node), before);
}

#[test]
fn bodies_have_bitcoinds_status_and_code() {
    let node = start();
    for (body, status, code) in [
        (r#"{"method":"getblockcount"}"#, 200, None),
        (r#"{"method":"getblockcount","params":{},"jsonrpc":"2.0"}"#, 200, None),
        (r#"{"method":"nosuch","id":1}"#, 404, Some(-32_601)),
        (r#"{"method":7}"#, 400, Some(-32_600)),
        ("{}", 400, Some(-32_600)),
        ("{\"method\":", 500, Some(-32_700)),
        ("", 500, Some(-32_700)),
        ("null", 500, Some(-32_700)),
        (r#"{"method":"getblockhash","params":["x"]}"#, 500, Some(-3)),
        (r#"{"method":"getblockhash","params":[]}"#, 500, Some(-1)),
        (r#"{"method":"getblockhash","params":[999]}"#, 500, Some(-8)),
    ] {
        let (found, answer) = post(&node, body);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((found, answer["error"]["code"].as_i64()), (status, code), "{body}");
    }
    let (status, answer) = post(&node, r#"[{"method":"getblockcount","id":1},7,{"method":"nosuch","id":3}]"#);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(status, 200);
    assert_eq!(answer[0]["result"], 15);
    assert_eq!(answer[1]["error"]["code"], -32_600);
    assert_eq!(answer[2]["error"]["code"], -32_601);
    assert_eq!(answer[2]["id"], 3);
    assert_eq!(post(&node, "[]"), (200, "[]\n".to_owned()));
}

#[test]
fn strangers_get_nothing() {
    let node = start();
    let body = r#"{"method":"stop"}"#;
    let head = |extra: &str| {
        format!(
            "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n{extra}\r\n{body}",
            body.len()
        )
    };
    let basic =
        |pair: &str| format!("Authorization: Basic {}\r\n", base64::engine::general_purpose::STANDARD.encode(pair));
    for extra in [
        String::new(),
        basic("a:b"),
        basic("__cookie__:"),
        "Authorization: Bearer x\r\n".into(),
        "Authorization: Basic !!\r\n".into(),
    ] {
        let answer = String::from_utf8(raw(&node, head(&extra).as_bytes(), Duration::from_secs(5))).unwrap();
        assert!(answer.starts_with("HTTP/1.1 401"), "{extra}: {answer}");
        assert!(answer.to_lowercase().contains("www-authenticate: basic realm=\"jsonrpc\""), "{answer}");
    }
    let get = format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}\r\n", basic(node.cookie()));
    assert!(raw(&node, get.as_bytes(), Duration::from_secs(5)).starts_with(b"HTTP/1.1 405"));
    // A body that is announced but too large is refused before it comes.
    let huge = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 99999999999\r\n{}\r\n",
        basic(node.cookie())
    );
    assert!(raw(&node, huge.as_bytes(), Duration::from_secs(5)).starts_with(b"HTTP/1.1 413"));
    assert_eq!(rpc(&node, "getblockcount", "[]").unwrap(), 15);
}

#[test]
fn bodies_of_ten_megabytes_are_answered_in_time() {
    let node = start();
    let ten = 10_000_000;
    let started = Instant::now();
    for (body, code) in [
        ("[".repeat(ten), -32_700),
        ("{\"a\":".repeat(ten / 5), -32_700),
        ("\u{0}".repeat(ten), -32_700),
        (format!(r#"{{"method":"decoderawtransaction","params":["{}"]}}"#, "00".repeat(ten / 2)), -22),
        (format!(r#"{{"method":"submitblock","params":["{}"]}}"#, "ff".repeat(ten / 2)), -22),
        (format!(r#"{{"method":"getblockhash","params":[{}]}}"#, "9".repeat(ten)), -1),
        (format!(r#"{{"method":"getblock","params":["{}"]}}"#, "\\n".repeat(ten / 2)), -8),
        (format!(r#"{{"method":"{}"}}"#, "x".repeat(ten)), -32_601),
        (format!(r#"{{"method":"validateaddress","id":"{}","params":[]}}"#, "x".repeat(ten)), -1),
    ] {
        let (_, answer) = post(&node, &body);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["error"]["code"], code, "{body:.60}");
    }
    let many = format!("[{}7]", "{\"method\":\"getblockcount\"},".repeat(20_000));
    let (status, answer) = post(&node, &many);
    assert_eq!((status, serde_json::from_str::<Value>(&answer).unwrap().as_array().unwrap().len()), (200, 20_001));
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    assert_eq!(rpc(&node, "getblockcount", "[]").unwrap(), 15);
}

#[test]
fn mutated_requests_neither_stop_the_node_nor_change_its_chain() {
    let node = start();
    let before = state(&node);
    let block = rpc(&node, "getbestblockhash", "[]").unwrap();
    let bytes = rpc(&node, "getblock", &format!("[{block},0]")).unwrap();
    let credentials = base64::engine::general_purpose::STANDARD.encode(node.cookie());
    let seeds = [
        format!(r#"{{"method":"submitblock","params":[{bytes}],"id":1}}"#),
        format!(r#"{{"method":"getblock","params":[{block},2],"id":1}}"#),
        r#"{"jsonrpc":"2.0","method":"gettxout","params":["00",0,true],"id":"x"}"#.to_owned(),
        r#"[{"method":"listunspent","params":[0,9999999,["51"]]},{"method":"help"}]"#.to_owned(),
        r#"{"method":"decodescript","params":{"hexstring":"76a914"}}"#.to_owned(),
        r#"{"method":"testmempoolaccept","params":[["02000000"],0.1]}"#.to_owned(),
    ];
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    for round in 0..2_000 {
        let mut body = seeds[dice.roll(seeds.len())].clone().into_bytes();
        // In every fourth round the head is mutated too, so that head and body may come apart.
        let whole = round % 4 == 0;
        let times = if whole { 0 } else { 1 + dice.roll(4) };
        (0..times).for_each(|_| mutate(&mut body, &mut dice));
        let head = format!(
            "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic {credentials}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut request = [head.as_bytes(), &body].concat();
        if whole {
            (0..=dice.roll(4)).for_each(|_| mutate(&mut request, &mut dice));
        }
        let answer = raw(&node, &request, Duration::from_millis(if whole { 20 } else { 5_000 }));
        assert!(whole || answer.starts_with(b"HTTP/1.1 "), "{}", String::from_utf8_lossy(&body));
    }
    assert_eq!(state(&node), before);
}

fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.roll(bytes.len().max(1));
    match dice.roll(5) {
        _ if bytes.is_empty() => bytes.push(b'['),
        0 => bytes[at] = u8::try_from(dice.roll(256)).unwrap(),
        1 => bytes[at] ^= 1 << dice.roll(8),
        2 => bytes.insert(at, b"[]{}\",:0-e\\"[dice.roll(11)]),
        3 => drop(bytes.remove(at)),
        _ => bytes.truncate(at),
    }
}

#[test]
fn idle_connections_do_not_keep_others_out() {
    let node = start();
    let idle: Vec<_> = (0..100).map(|_| std::net::TcpStream::connect(node.rpc_addr()).unwrap()).collect();
    assert_eq!(rpc(&node, "getblockcount", "[]").unwrap(), 15);
    drop(idle);
}

#[test]
fn a_node_stops_by_call_and_by_handle_and_takes_its_cookie_away() {
    let folder = std::env::temp_dir().join(format!("bitmodel-node-{}", std::process::id()));
    let config = Config { data_dir: Some(folder.clone()), ..support::config() };
    let node = node::start(config.clone()).unwrap();
    let cookie = node::cookie_path(&folder, config.network);
    assert_eq!(std::fs::read_to_string(&cookie).unwrap(), node.cookie());
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&cookie).unwrap()) & 0o777, 0o600);
    assert_eq!(rpc(&node, "stop", "[]").unwrap(), "Bitmodel node stopping");
    assert_eq!(node.call("getblockcount", "[]").unwrap_err().message(), "the node has stopped");
    node.join().unwrap();
    assert!(!cookie.exists());
    let again = node::start(config).unwrap();
    again.stop();
    again.join().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_password_takes_the_place_of_the_cookie() {
    let auth = Auth::Password { user: "alice".into(), password: "s e:cret".into() };
    let node = node::start(Config { auth, ..support::config() }).unwrap();
    assert_eq!(node.cookie(), "alice:s e:cret");
    assert_eq!(rpc(&node, "getblockcount", "[]").unwrap(), 15);
}

#[test]
fn blocks_come_by_schedule_and_by_transaction_where_asked() {
    let lock = hex::decode(support::ANYBODY).unwrap();
    let scheduled = Config { mine_every: Some(Duration::from_millis(20)), mock_time: Some(NOW), ..support::config() };
    let node = node::start(scheduled).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while rpc(&node, "getblockcount", "[]").unwrap().as_i64().unwrap() < 18 {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
    let node = node::start(Config { automine: true, prefund: vec![Prefund { lock, blocks: 1 }], ..support::config() })
        .unwrap();
    let coins = rpc(&node, "listunspent", "[]").unwrap();
    let txid = coins[0]["txid"].as_str().unwrap();
    let prevout = spec::OutPoint { txid: txid.parse().unwrap(), index: 0 };
    let inputs = vec![spec::TxIn { prevout, unlock: Vec::new(), sequence: u32::MAX }];
    let output = spec::TxOut::plain(spec::Sats::new(4_999_999_000).unwrap(), spec::script::p2pkh(&[7; 20]));
    let tx = hex::encode(spec::Transaction { version: 2, inputs, outputs: vec![output], locktime: 0 }.encode());
    rpc(&node, "sendrawtransaction", &format!("[\"{tx}\"]")).unwrap();
    assert_eq!(rpc(&node, "getblockcount", "[]").unwrap(), 12);
    assert_eq!(rpc(&node, "getrawmempool", "[]").unwrap(), serde_json::json!([]));
}
