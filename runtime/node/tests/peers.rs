//! Nodes on loopback ports: they find one chain, and whoever comes to the port with bad intent changes nothing.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use node::{Config, NodeHandle, Peers};
use p2p::{Framer, Inventory, Message, NetAddress, Span, Version, magic};
use serde_json::Value;
use spec::{BlockHash, Network, OutPoint, Sats, Transaction, TxIn, TxOut, Txid};
use support::rpc;

const COIN: u64 = 100_000_000;

fn config() -> Config {
    let listen = Some(([127, 0, 0, 1], 0).into());
    Config { peers: Peers { listen, ..Peers::default() }, ..support::config() }
}

/// A node that others may call. All begin with the same fifteen blocks, for their clocks stand at the same time.
fn start() -> NodeHandle {
    node::start(config()).unwrap()
}

fn ask(node: &NodeHandle, method: &str, params: &str) -> Value {
    rpc(node, method, params).unwrap_or_else(|error| panic!("{method} {params}: {error:?}"))
}

fn call(from: &NodeHandle, to: &NodeHandle) {
    ask(from, "addnode", &format!("[\"{}\", \"add\"]", to.p2p_addr().unwrap()));
}

fn mine(node: &NodeHandle, blocks: u32, lock: &str) {
    ask(node, "generatetoaddress", &format!("[{blocks}, \"{lock}\"]"));
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(40), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
    start.elapsed()
}

fn agree(nodes: &[&NodeHandle]) -> bool {
    let tips: Vec<Value> = nodes.iter().map(|node| ask(node, "getbestblockhash", "[]")).collect();
    tips.windows(2).all(|pair| pair[0] == pair[1])
}

fn height(node: &NodeHandle) -> u64 {
    ask(node, "getblockcount", "[]").as_u64().unwrap()
}

fn connections(node: &NodeHandle) -> usize {
    let peers = ask(node, "getpeerinfo", "[]");
    peers.as_array().unwrap().iter().filter(|peer| peer.get("pingtime").is_some()).count()
}

/// The coinbase output of a block that anybody may spend.
fn coinbase(node: &NodeHandle, height: u32) -> OutPoint {
    let hash = ask(node, "getblockhash", &format!("[{height}]"));
    let block = ask(node, "getblock", &format!("[{hash}, 1]"));
    OutPoint { txid: block["tx"][0].as_str().unwrap().parse().unwrap(), index: 0 }
}

fn spend(prevout: OutPoint, sats: u64) -> Transaction {
    let data = TxOut::plain(Sats::ZERO, vec![0x6a, 4, 1, 2, 3, 4]);
    let outputs = vec![TxOut::plain(Sats::new(sats).unwrap(), vec![0x51]), data];
    let inputs = vec![TxIn { prevout, unlock: vec![], sequence: u32::MAX }];
    Transaction { version: 2, inputs, outputs, locktime: 0 }
}

fn send(node: &NodeHandle, tx: &Transaction) -> Txid {
    let id = ask(node, "sendrawtransaction", &format!("[\"{}\"]", hex::encode(tx.encode())));
    id.as_str().unwrap().parse().unwrap()
}

fn waits(node: &NodeHandle, txid: &Txid) -> bool {
    rpc(node, "getmempoolentry", &format!("[\"{txid}\"]")).is_ok()
}

#[test]
fn three_nodes_sync_part_and_find_together_again() {
    let (one, two, three) = (start(), start(), start());
    let all = [&one, &two, &three];
    mine(&one, 400, "51");
    call(&two, &one);
    until("two follows one", || agree(&[&one, &two]));
    call(&three, &one);
    call(&three, &two);
    until("three follows both", || agree(&all) && height(&three) == 415);
    until("all are connected", || all.iter().all(|node| connections(node) == 2));

    // A transaction and a block reach everybody in well under a second; the bound only guards against minutes.
    let txid = send(&three, &spend(coinbase(&one, 1), 50 * COIN - 1_000));
    let took = until("a transaction is relayed", || all.iter().all(|node| waits(node, &txid)));
    assert!(took < Duration::from_secs(5), "{took:?}");
    mine(&two, 1, "52");
    let took = until("a block is relayed", || agree(&all) && height(&one) == 416);
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(all.iter().all(|node| !waits(node, &txid)));

    // Apart, the same coin is spent in two ways, and each side mines its own.
    ask(&three, "setnetworkactive", "[false]");
    until("three is alone", || connections(&one) == 1 && connections(&three) == 0);
    let coin = coinbase(&one, 2);
    let (ours, theirs) = (spend(coin, 50 * COIN - 1_000), spend(coin, 50 * COIN - 2_000));
    let (ours, theirs) = (send(&one, &ours), send(&three, &theirs));
    until("two hears of ours", || waits(&two, &ours));
    mine(&one, 3, "51");
    mine(&three, 5, "53");
    until("two follows one alone", || agree(&[&one, &two]) && height(&two) == 419);
    assert_eq!(height(&three), 421);
    ask(&three, "setnetworkactive", "[true]");
    until("the deepest chain wins", || agree(&all) && height(&one) == 421);
    for node in all {
        let found = ask(node, "getrawtransaction", &format!("[\"{theirs}\", 1]"));
        assert!(found["confirmations"].as_u64().unwrap() >= 1);
        assert!(!waits(node, &ours));
    }
}

#[test]
fn clients_see_and_steer_peers_as_with_bitcoind() {
    let folder = std::env::temp_dir().join(format!("bitmodel-peers-{}", std::process::id()));
    let (one, two) = (start(), start());
    let kept = || Config { data_dir: Some(folder.clone()), persistent: true, ..config() };
    let target = two.p2p_addr().unwrap().to_string();
    call(&one, &two);
    until("they are connected", || connections(&one) == 1 && connections(&two) == 1);
    let peer = ask(&one, "getpeerinfo", "[]")[0].clone();
    assert_eq!(
        (&peer["addr"], &peer["inbound"], &peer["startingheight"]),
        (&target.clone().into(), &false.into(), &15.into())
    );
    assert_eq!(ask(&one, "getnetworkinfo", "[]")["connections_out"], 1);
    assert_eq!(ask(&two, "getnetworkinfo", "[]")["connections_in"], 1);
    assert!(ask(&one, "getnettotals", "[]")["totalbytesrecv"].as_u64().unwrap() > 200);
    assert_eq!(ask(&one, "getaddednodeinfo", "[]")[0]["connected"], true);
    assert_eq!(ask(&one, "ping", "[]"), Value::Null);
    let code = |node: &NodeHandle, method: &str, params: &str| rpc(node, method, params).unwrap_err().0;
    for (method, params, expected) in [
        ("addnode", format!("[\"{target}\", \"add\"]"), -23),
        ("addnode", "[\"127.0.0.1:1\", \"remove\"]".into(), -24),
        ("addnode", "[\"127.0.0.1:1\", \"dance\"]".into(), -8),
        ("getaddednodeinfo", "[\"127.0.0.1:1\"]".into(), -24),
        ("disconnectnode", "[\"127.0.0.1:1\"]".into(), -29),
        ("disconnectnode", "[\"\", 77]".into(), -29),
        ("disconnectnode", "[]".into(), -8),
        ("setban", "[\"x\", \"add\"]".into(), -30),
        ("setban", "[\"10.0.0.1\", \"remove\"]".into(), -30),
    ] {
        assert_eq!(code(&one, method, &params), expected, "{method} {params}");
    }
    ask(&one, "addnode", &format!("[\"{target}\", \"remove\"]"));
    ask(&one, "disconnectnode", &format!("[\"{target}\"]"));
    until("they are apart", || connections(&one) == 0 && connections(&two) == 0);
    // Who was called once was not added.
    assert_eq!(peer["addnode"], true);
    ask(&one, "addnode", &format!("[\"{target}\", \"onetry\"]"));
    until("they are connected once more", || connections(&one) == 1 && connections(&two) == 1);
    let peer = ask(&one, "getpeerinfo", "[]")[0].clone();
    assert_eq!((&peer["addnode"], &peer["inbound"]), (&false.into(), &false.into()));
    ask(&one, "disconnectnode", &format!("[\"{target}\"]"));
    until("they are apart again", || connections(&one) == 0 && connections(&two) == 0);

    // Bans outlive the node.
    let banning = node::start(kept()).unwrap();
    ask(&banning, "setban", "[\"127.0.0.0/8\", \"add\", 3600]");
    assert_eq!(code(&banning, "setban", "[\"127.0.0.0/8\", \"add\"]"), -23);
    banning.stop();
    banning.join().unwrap();
    let banning = node::start(kept()).unwrap();
    let bans = ask(&banning, "listbanned", "[]");
    assert_eq!((&bans[0]["address"], &bans[0]["ban_duration"]), (&"127.0.0.0/8".into(), &3_600.into()));
    call(&one, &banning);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!((connections(&one), connections(&banning)), (0, 0));
    ask(&banning, "clearbanned", "[]");
    until("a node that was let in again is connected", || connections(&one) == 1 && connections(&banning) == 1);
    banning.stop();
    banning.join().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_node_finds_another_through_a_third_and_remembers_it() {
    let folder = tempfile::tempdir().unwrap();
    let kept = |discover| Config {
        data_dir: Some(folder.path().to_owned()),
        persistent: true,
        peers: Peers { discover, ..config().peers },
        ..config()
    };
    let (two, three) = (start(), start());
    let one = node::start(kept(true)).unwrap();
    call(&two, &three);
    until("two has called three", || connections(&two) == 1);
    call(&one, &two);
    until("one has found three", || connections(&one) == 2 && connections(&three) == 2);
    let known = |node: &NodeHandle| {
        let all = ask(node, "getnodeaddresses", "[0]");
        let text = |place: &Value| format!("{}:{}", place["address"].as_str().unwrap(), place["port"]);
        all.as_array().unwrap().iter().map(text).collect::<Vec<_>>()
    };
    let three_at = three.p2p_addr().unwrap().to_string();
    assert!(known(&one).contains(&three_at));
    // Whoever calls tells where he is himself.
    assert!(known(&three).contains(&one.p2p_addr().unwrap().to_string()));
    let kinds: Vec<Value> =
        ask(&one, "getpeerinfo", "[]").as_array().unwrap().iter().map(|peer| peer["connection_type"].clone()).collect();
    assert!(kinds.contains(&"manual".into()) && kinds.contains(&"outbound-full-relay".into()), "{kinds:?}");
    one.stop();
    one.join().unwrap();
    // The next one goes there without being told.
    let one = node::start(kept(true)).unwrap();
    until("one has come back", || connections(&three) == 2);
    one.stop();
    one.join().unwrap();
    std::fs::write(folder.path().join("regtest/peers.json"), "[]").unwrap();
    let one = node::start(kept(false)).unwrap();
    assert_eq!(known(&one), Vec::<String>::new());
    let learn = |params: &str| ask(&one, "addpeeraddress", params)["success"].clone();
    assert_eq!(
        [r#"["10.1.2.3", 5]"#, r#"["10.1.2.3", 5]"#, r#"["10.1.2.3", 0]"#, r#"["::2", 6]"#].map(learn),
        [true, false, false, true]
    );
    assert_eq!(ask(&one, "getnodeaddresses", r#"[0, "ipv6"]"#)[0]["address"], "::2");
    assert_eq!(ask(&one, "getnodeaddresses", "[]").as_array().unwrap().len(), 1);
    for (method, params, code) in [
        ("getnodeaddresses", "[-1]", -8),
        ("getnodeaddresses", r#"[0, "pigeon"]"#, -8),
        ("addpeeraddress", r#"["x", 1]"#, -30),
        ("addpeeraddress", r#"["1.2.3.4", 65536]"#, -8),
    ] {
        assert_eq!(rpc(&one, method, params).unwrap_err().0, code, "{method} {params}");
    }
    // It does not call anybody it was not told to.
    assert_eq!(connections(&one), 0);
}

/// Somebody at the port.
struct Stranger {
    stream: TcpStream,
    framer: Framer,
}

impl Stranger {
    fn new(node: &NodeHandle) -> Self {
        let stream = TcpStream::connect(node.p2p_addr().unwrap()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self { stream, framer: Framer::new(magic(Network::Devnet)) }
    }

    fn shaken(node: &NodeHandle) -> Self {
        let mut stranger = Self::new(node);
        let address = NetAddress { services: 0, socket: ([0, 0, 0, 0], 0).into() };
        let version = Version {
            version: 70_016,
            services: 0,
            time: 0,
            receiver: address,
            sender: address,
            nonce: 7,
            agent: "/stranger/".into(),
            height: 0,
            relay: true,
        };
        stranger.say(&Message::Version(Box::new(version)));
        stranger.say(&Message::Verack);
        while !matches!(stranger.hear(), Some(Message::Ping(_))) {}
        stranger
    }

    fn say(&mut self, message: &Message) {
        self.write(&message.to_frame(magic(Network::Devnet)));
    }

    /// Whoever has hung up does not hear it.
    fn write(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// The next message; nothing at the end.
    fn hear(&mut self) -> Option<Message> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(frame) = self.framer.next_frame().unwrap() {
                return Some(Message::decode(&frame).unwrap());
            }
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(read) => self.framer.push(&buffer[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("the node neither answers nor hangs up: {error}"),
            }
        }
    }

    fn is_cut_off(&mut self) -> bool {
        while self.hear().is_some() {}
        true
    }
}

/// What must stay as it is.
fn state(node: &NodeHandle) -> [Value; 3] {
    ["getblockchaininfo", "getrawmempool", "gettxoutsetinfo"].map(|method| ask(node, method, "[]"))
}

#[test]
fn whoever_sends_nonsense_is_cut_off_and_nothing_changes() {
    let node = start();
    let before = state(&node);
    let head = |command: &str, len: u32| {
        let mut bytes = p2p::frame(magic(Network::Devnet), command, &[]);
        bytes[16..20].copy_from_slice(&len.to_le_bytes());
        bytes
    };
    let mut bad_sum = Message::Ping(1).to_frame(magic(Network::Devnet));
    bad_sum[21] ^= 1;
    let nonsense = [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        vec![0; 100],
        head("ping", u32::MAX),
        head("block", 32_000_001),
        bad_sum,
        p2p::frame(magic(Network::Devnet), "headers", &[0xff; 9]),
    ];
    for bytes in &nonsense {
        let mut stranger = Stranger::shaken(&node);
        stranger.write(bytes);
        assert!(stranger.is_cut_off());
        // Before the handshake it is no better.
        let mut stranger = Stranger::new(&node);
        stranger.write(bytes);
        assert!(stranger.is_cut_off());
    }
    // A long message before the handshake, of which the head is enough.
    let mut stranger = Stranger::new(&node);
    stranger.write(&head("block", 10_000_000));
    assert!(stranger.is_cut_off());
    let hash = before[0]["bestblockhash"].as_str().unwrap().parse::<BlockHash>().unwrap();
    let mut header = Stranger::shaken(&node);
    header.say(&Message::GetHeaders(Span::default()));
    let headers = loop {
        match header.hear() {
            Some(Message::Headers(headers)) => break headers,
            Some(_) => {}
            None => panic!("a peer that asks is answered"),
        }
    };
    assert_eq!((headers.len(), headers.last().unwrap().hash()), (15, hash));
    let mut worthless = *headers.last().unwrap();
    worthless.previous = hash;
    while worthless.meets_target() {
        worthless.nonce += 1;
    }
    header.say(&Message::Headers(vec![worthless]));
    assert!(header.is_cut_off());
    // Somebody who says nothing does not keep others out, and is left in the end.
    let mut silent = Stranger::new(&node);
    assert_eq!(connections(&node), 0);
    assert!(silent.is_cut_off());
    assert_eq!(state(&node), before);
}

#[test]
fn ten_thousand_random_messages_at_the_port_change_nothing() {
    let node = start();
    let before = state(&node);
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = setting("BMC_SECONDS").map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let cases = setting("BMC_CASES").unwrap_or(10_000);
    let mut random = setting("BMC_SEED").unwrap_or(1);
    let mut next = move |end: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % end
    };
    let hash = |byte: usize| [byte as u8; 32];
    let mut stranger = Stranger::shaken(&node);
    let (mut sent, mut cut) = (0, 0);
    while seconds.map_or(sent < cases, |end| Instant::now() < end) {
        let items = (0..next(40)).map(|_| match next(3) {
            0 => Inventory::Tx(Txid::from_wire(hash(next(256)))),
            1 => Inventory::Block(BlockHash::from_wire(hash(next(256)))),
            _ => Inventory::Other(next(9) as u32, hash(next(256))),
        });
        let items: Vec<_> = items.collect();
        let span = Span { locator: vec![BlockHash::from_wire(hash(next(256))); next(120)], stop: BlockHash::default() };
        let tx = spend(OutPoint { txid: Txid::from_wire(hash(next(256))), index: 0 }, next(1_000_000) as u64);
        let address = |byte: usize| NetAddress { services: 1, socket: ([10, 0, 0, byte as u8], byte as u16).into() };
        let addresses = (0..next(30)).map(|_| (next(1 << 31) as u32, address(next(256))));
        let addresses: Vec<_> = addresses.collect();
        let message = match next(13) {
            0 => Message::Inv(items),
            1 => Message::GetData(items),
            2 => Message::NotFound(items),
            3 => Message::GetHeaders(span),
            4 => Message::GetBlocks(span),
            5 => Message::Tx(Box::new(tx)),
            6 => Message::Pong(next(9) as u64),
            7 => Message::Mempool,
            8 => Message::GetAddr,
            9 => Message::FeeFilter(next(5_000) as u64),
            10 => Message::SendHeaders,
            11 => Message::Addr(addresses),
            _ => Message::Ping(next(9) as u64),
        };
        let mut bytes = message.to_frame(magic(Network::Devnet));
        if next(20) == 0 {
            // With the right checksum the codecs see it too.
            let mut payload = message.encode();
            if !payload.is_empty() {
                let at = next(payload.len());
                payload[at] = next(256) as u8;
                payload.truncate(payload.len() - next(2));
            }
            bytes = p2p::frame(magic(Network::Devnet), message.command(), &payload);
        } else if next(200) == 0 {
            let at = next(bytes.len());
            bytes[at] ^= 1 << next(8);
        }
        sent += 1;
        if !stranger.write(&bytes) {
            (stranger, cut) = (Stranger::shaken(&node), cut + 1);
        }
        // What the node answers is read, so that it goes on.
        if sent % 50 == 0 {
            stranger.say(&Message::Ping(1_000_000 + sent));
            loop {
                match stranger.hear() {
                    Some(Message::Pong(nonce)) if nonce == 1_000_000 + sent => break,
                    Some(_) => {}
                    None => {
                        (stranger, cut) = (Stranger::shaken(&node), cut + 1);
                        break;
                    }
                }
            }
        }
    }
    assert!(cut * 2_000 > sent, "some of it is not let pass: {cut} of {sent}");
    assert_eq!(state(&node), before);
    drop(stranger);
    until("nobody is left", || ask(&node, "getconnectioncount", "[]") == 0);
}
