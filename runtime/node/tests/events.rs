//! What clients hear as it happens, and the pages for whoever watches over a node.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine;
use node::{Config, NodeHandle};
use serde_json::{Value, json};
use spec::{OutPoint, Sats, Transaction, TxIn, TxOut};
use support::{raw, rpc, start};

fn basic(node: &NodeHandle) -> String {
    format!("Authorization: Basic {}\r\n", base64::engine::general_purpose::STANDARD.encode(node.cookie()))
}

fn get(node: &NodeHandle, path: &str, headers: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    let answer = String::from_utf8(raw(node, request.as_bytes(), Duration::from_secs(10))).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// A client of server-sent events.
struct Ear(BufReader<TcpStream>);

impl Ear {
    fn new(node: &NodeHandle, query: &str) -> Self {
        let mut stream = TcpStream::connect(node.rpc_addr()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        write!(stream, "GET /events{query} HTTP/1.1\r\nHost: x\r\n{}\r\n", basic(node)).unwrap();
        let mut ear = Self(BufReader::new(stream));
        // It hears as soon as the first pulse has come.
        while ear.line().unwrap() != ":" {}
        ear
    }

    /// The next line that is no length of a chunk; nothing at the end.
    fn line(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            let line = line.trim_end().to_owned();
            let length = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_hexdigit());
            match length {
                true if line == "0" => return None,
                true => {}
                false => return Some(line),
            }
        }
    }

    /// The next event: its number, its name and what it says.
    fn next(&mut self) -> Option<(u64, String, Value)> {
        let (mut number, mut name) = (0, String::new());
        loop {
            let line = self.line()?;
            match line.split_once(": ") {
                Some(("id", text)) => number = text.parse().unwrap(),
                Some(("event", text)) => name = text.to_owned(),
                Some(("data", text)) => return Some((number, name, serde_json::from_str(text).unwrap())),
                _ => {}
            }
        }
    }
}

fn pays(coin: OutPoint, sats: u64) -> Transaction {
    let inputs = vec![TxIn { prevout: coin, unlock: vec![], sequence: u32::MAX }];
    let outputs =
        vec![TxOut::plain(Sats::new(sats).unwrap(), vec![0x51]), TxOut::plain(Sats::ZERO, vec![0x6a, 4, 1, 2, 3, 4])];
    Transaction { version: 2, inputs, outputs, locktime: 0 }
}

/// Plays a little: a transaction, its rival, a block, a reorganization. Returns the ids of transaction, rival and block.
fn play(node: &NodeHandle) -> (String, String, String) {
    let coins = rpc(node, "listunspent", "[]").unwrap();
    let coin = OutPoint { txid: coins[0]["txid"].as_str().unwrap().parse().unwrap(), index: 0 };
    let (tx, rival) = (pays(coin, 4_999_990_000), pays(coin, 4_999_980_000));
    let send = |tx: &Transaction| rpc(node, "sendrawtransaction", &json!([hex::encode(tx.encode())]).to_string());
    send(&tx).unwrap();
    send(&rival).unwrap_err();
    let block = rpc(node, "generatetoaddress", r#"[1,"51"]"#).unwrap()[0].as_str().unwrap().to_owned();
    rpc(node, "invalidateblock", &json!([block]).to_string()).unwrap();
    (tx.txid().to_string(), rival.txid().to_string(), block)
}

#[test]
fn events_come_in_order_and_say_what_happened() {
    let node = start();
    let artifact = r#"[{"format":1},"51",{}]"#;
    assert!(rpc(&node, "bitmodel_registerartifact", artifact).is_err(), "it is no artifact");
    let mut ear = Ear::new(&node, "");
    let mut blocks = Ear::new(&node, "?topics=block,reorg");
    let (tx, rival, block) = play(&node);
    let events: Vec<_> = (0..4).map(|_| ear.next().unwrap()).collect();
    let names: Vec<(u64, &str)> = events.iter().map(|(number, name, _)| (*number, name.as_str())).collect();
    assert_eq!(names, [(1, "tx"), (2, "doublespend"), (3, "block"), (4, "reorg")]);
    assert_eq!((&events[0].2["txid"], &events[0].2["size"]), (&json!(tx), &json!(76)));
    assert_eq!((&events[1].2["txid"], &events[1].2["rival"]), (&json!(tx), &json!(rival)));
    assert_eq!(
        (&events[2].2["hash"], &events[2].2["height"], &events[2].2["nTx"]),
        (&json!(block), &json!(16), &json!(2))
    );
    assert_eq!((&events[3].2["disconnected"], &events[3].2["returned"]), (&json!([block]), &json!([tx])));
    let heard: Vec<_> = (0..2).map(|_| blocks.next().unwrap()).collect();
    assert_eq!(heard, [events[2].clone(), events[3].clone()]);
    node.stop();
    assert_eq!(ear.next().unwrap().1, "stopped");
    assert_eq!(ear.next(), None);
}

/// A client of the WebSocket.
struct Socket(BufReader<TcpStream>);

impl Socket {
    fn new(node: &NodeHandle, query: &str) -> Self {
        let mut stream = TcpStream::connect(node.rpc_addr()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        write!(stream, "GET /ws{query} HTTP/1.1\r\nHost: x\r\n{upgrade}{}\r\n", basic(node)).unwrap();
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
        }
        // The answer to the key is that of the standard's example.
        assert!(head.starts_with("HTTP/1.1 101") && head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        Self(reader)
    }

    /// The next message; nothing at the end.
    fn next(&mut self) -> Option<Value> {
        loop {
            let mut frame = [0; 2];
            self.0.read_exact(&mut frame).unwrap();
            let mut len = usize::from(frame[1]);
            if len == 126 {
                let mut wide = [0; 2];
                self.0.read_exact(&mut wide).unwrap();
                len = usize::from(u16::from_be_bytes(wide));
            }
            let mut text = vec![0; len];
            self.0.read_exact(&mut text).unwrap();
            match frame[0] & 0x0f {
                1 => return Some(serde_json::from_slice(&text).unwrap()),
                8 => return None,
                _ => {}
            }
        }
    }
}

#[test]
fn a_web_socket_hears_the_same() {
    let node = start();
    let mut socket = Socket::new(&node, "?topics=tx,doublespend,reorg");
    let (tx, rival, block) = play(&node);
    let messages: Vec<Value> = (0..3).map(|_| socket.next().unwrap()).collect();
    assert_eq!((&messages[0]["event"], &messages[0]["data"]["txid"]), (&json!("tx"), &json!(tx)));
    assert_eq!((&messages[1]["event"], &messages[1]["data"]["rival"]), (&json!("doublespend"), &json!(rival)));
    assert_eq!((&messages[2]["event"], &messages[2]["data"]["disconnected"]), (&json!("reorg"), &json!([block])));
    node.stop();
    assert_eq!(socket.next().unwrap()["event"], "stopped");
    assert_eq!(socket.next(), None);
    node.join().unwrap();
}

#[test]
fn flows_of_contracts_that_are_known_are_told_when_they_wait_and_when_they_are_mined() {
    let node = start();
    let artifact = json!({
        "format": spec::artifact::FORMAT_VERSION, "compiler": "0", "contract": "Gate", "rules": "bitmodel", "sources": [],
        "params": [], "paths": [], "bytecode": [{ "code": "5587" }], "asm": "", "source_map": [], "requires": []
    });
    let known = rpc(&node, "bitmodel_registerartifact", &json!([artifact, "5587"]).to_string()).unwrap();
    let lock = known["lock"].as_str().unwrap();
    let (mut ear, mut socket) = (Ear::new(&node, "?topics=flow"), Socket::new(&node, "?topics=flow"));
    let coins = rpc(&node, "listunspent", "[]").unwrap();
    let coin = OutPoint { txid: coins[0]["txid"].as_str().unwrap().parse().unwrap(), index: 0 };
    let mut pay = pays(coin, 4_999_990_000);
    pay.outputs[0].lock = hex::decode(lock).unwrap();
    let mut take = pays(OutPoint { txid: pay.txid(), index: 0 }, 4_999_980_000);
    take.inputs[0].unlock = vec![0x55, 2, 0x55, 0x87];
    // What concerns no contract that is known is not told.
    let other = OutPoint { txid: coins[1]["txid"].as_str().unwrap().parse().unwrap(), index: 0 };
    for tx in [&pays(other, 4_999_990_000), &pay, &take] {
        rpc(&node, "sendrawtransaction", &json!([hex::encode(tx.encode())]).to_string()).unwrap();
    }
    rpc(&node, "generatetoaddress", r#"[1,"51"]"#).unwrap();
    let flow = |tx: &Transaction, received: f64, paid: f64, mined: bool| {
        json!({
            "txid": tx.txid().to_string(), "contract": "Gate", "lock": lock, "address": known["address"],
            "received": received, "paid": paid, "mined": mined
        })
    };
    let waiting = [flow(&pay, 49.9999, 0.0, false), flow(&take, 0.0, 49.9999, false)];
    // In a block they stand in the order of their ids.
    let mut mined = [flow(&pay, 49.9999, 0.0, true), flow(&take, 0.0, 49.9999, true)];
    mined.sort_by_key(|flow| flow["txid"].to_string());
    let expected = [waiting, mined].concat();
    let heard: Vec<Value> = expected.iter().map(|_| ear.next().unwrap()).map(|(_, _, data)| data).collect();
    assert_eq!(heard, expected);
    let messages: Vec<Value> = expected.iter().map(|_| socket.next().unwrap()).collect();
    assert!(messages.iter().all(|message| message["event"] == "flow"));
    assert_eq!(messages.iter().map(|message| message["data"].clone()).collect::<Vec<_>>(), expected);
    node.stop();
    assert_eq!(ear.next().unwrap().1, "stopped");
    assert_eq!(socket.next().unwrap()["event"], "stopped");
}

/// A gauge of `/metrics`.
fn gauge(node: &NodeHandle, name: &str) -> u32 {
    let (_, page) = get(node, "/metrics", &basic(node));
    page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap().parse().unwrap()
}

#[test]
fn whoever_does_not_listen_is_told_and_dropped() {
    let node = start();
    let mut deaf = Ear::new(&node, "?topics=block");
    let mute = Ear::new(&node, "?topics=block");
    let listeners = || gauge(&node, "bitmodel_listeners");
    assert_eq!((listeners(), gauge(&node, "bitmodel_connections")), (2, 3), "both, and who asks");
    let mut mined = 0;
    while listeners() > 0 {
        assert!(mined < 100_000);
        rpc(&node, "generatetoaddress", r#"[5000,"6a"]"#).unwrap();
        mined += 5_000;
    }
    let mut last = String::new();
    while let Some((_, name, _)) = deaf.next() {
        last = name;
    }
    assert_eq!(last, "lagged");
    assert_eq!(rpc(&node, "getblockcount", "[]").unwrap(), 15 + mined);
    drop(deaf);
    // Whoever reads nothing at all loses the connection too; others who are silent do not.
    let quiet = Ear::new(&node, "?topics=reorg");
    let started = Instant::now();
    while gauge(&node, "bitmodel_connections") > 2 {
        assert!(started.elapsed() < Duration::from_secs(90), "who does not read keeps a slot");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(listeners(), 1);
    drop((mute, quiet));
}

#[test]
fn pages_are_for_those_who_may_call() {
    let node = start();
    let wrong = "Authorization: Basic YTpi\r\n";
    for path in ["/events", "/metrics", "/rest/chaininfo.json"] {
        assert_eq!(get(&node, path, "").0, 401, "{path}");
        assert_eq!(get(&node, path, wrong).0, 401, "{path}");
    }
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    assert_eq!(get(&node, "/ws", upgrade).0, 401);
    assert_eq!(get(&node, "/ws", &basic(&node)).0, 400, "no upgrade is asked for");
    assert_eq!(get(&node, "/events?topics=gossip", &basic(&node)).0, 400);
    assert_eq!(get(&node, "/health", ""), (200, "ok\n".to_owned()));
    assert_eq!(get(&node, "/nothing", &basic(&node)).0, 404);
    let open = node::start(Config { rest_is_open: true, ..support::config() }).unwrap();
    assert_eq!(get(&open, "/rest/chaininfo.json", "").0, 200);
    assert_eq!(get(&open, "/metrics", "").0, 401);
}

#[test]
fn pages_show_what_calls_answer() {
    let node = start();
    let auth = basic(&node);
    let tip = rpc(&node, "getbestblockhash", "[]").unwrap().as_str().unwrap().to_owned();
    let block = rpc(&node, "getblock", &format!(r#"["{tip}",2]"#)).unwrap();
    let txid = block["tx"][0]["txid"].as_str().unwrap().to_owned();
    let json_of = |path: String| serde_json::from_str::<Value>(&get(&node, &path, &auth).1).unwrap();
    assert_eq!(json_of(format!("/rest/block/{tip}.json")), block);
    assert_eq!(json_of(format!("/rest/block/notxdetails/{tip}.json"))["tx"][0], json!(txid));
    assert_eq!(json_of(format!("/rest/tx/{txid}.json"))["txid"], json!(txid));
    assert_eq!(json_of("/rest/chaininfo.json".into()), rpc(&node, "getblockchaininfo", "[]").unwrap());
    assert_eq!(json_of("/rest/blockhashbyheight/15.json".into()), json!({ "blockhash": tip }));
    assert_eq!(json_of("/rest/mempool/info.json".into())["size"], 0);
    let bytes = rpc(&node, "getblock", &format!(r#"["{tip}",0]"#)).unwrap();
    assert_eq!(get(&node, &format!("/rest/block/{tip}.hex"), &auth).1.trim_end(), bytes.as_str().unwrap());
    let request = format!("GET /rest/block/{tip}.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{auth}\r\n");
    let answer = raw(&node, request.as_bytes(), Duration::from_secs(5));
    assert!(answer.ends_with(&hex::decode(bytes.as_str().unwrap()).unwrap()));
    for (path, status) in [
        ("/rest/block/00.json", 400),
        ("/rest/block/0000000000000000000000000000000000000000000000000000000000000000.json", 404),
        ("/rest/blockhashbyheight/99.json", 400),
        ("/rest/stop.json", 404),
        ("/rest/block/a/b/c.json", 404),
    ] {
        assert_eq!(get(&node, path, &auth).0, status, "{path}");
    }
}

#[test]
fn metrics_are_lines_that_prometheus_reads() {
    let node = start();
    play(&node);
    rpc(&node, "getblockhash", "[999]").unwrap_err();
    let (status, page) = get(&node, "/metrics", &basic(&node));
    assert_eq!(status, 200);
    let mut values = std::collections::BTreeMap::new();
    for line in page.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("bitmodel_"), "{line}");
        assert!(values.insert(name.to_owned(), value.parse::<f64>().unwrap()).is_none(), "{line}");
    }
    for (name, value) in [
        ("bitmodel_height", 15.0),
        ("bitmodel_blocks_connected_total", 16.0),
        ("bitmodel_blocks_disconnected_total", 1.0),
        ("bitmodel_mempool_transactions", 1.0),
        ("bitmodel_transactions_accepted_total", 1.0),
        ("bitmodel_transactions_refused_total", 1.0),
        ("bitmodel_double_spends_total", 1.0),
        ("bitmodel_rpc_calls_total{method=\"sendrawtransaction\"}", 2.0),
        ("bitmodel_rpc_errors_total{method=\"sendrawtransaction\"}", 1.0),
        ("bitmodel_rpc_errors_total{method=\"getblockhash\"}", 1.0),
    ] {
        assert_eq!(values.get(name), Some(&value), "{name}\n{page}");
    }
}

#[test]
fn listeners_do_not_keep_a_node_from_stopping() {
    let node = start();
    let ears: Vec<Ear> = (0..10).map(|_| Ear::new(&node, "")).collect();
    let started = Instant::now();
    node.stop();
    node.join().unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
    drop(ears);
}
