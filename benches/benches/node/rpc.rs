//! Transactions over RPC, each judged and kept before it is answered.

use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use base64::Engine as _;
use benches::{Kind, Table, lock_of, spend};
use node::{Config, NodeHandle, Prefund};
use spec::{Address, Network, OutPoint, Sats, Transaction, TxIn, TxOut};

use crate::blocks::engine;
use crate::grown::{SPENDS, secrets};
use crate::measure::{each_second, time};

/// Outputs of one transaction that is small enough to be passed on.
const FAN: usize = 2_500;

/// How a client offers its transactions.
#[derive(Clone, Copy)]
struct Client {
    connections: usize,
    /// How many calls go together in a request.
    batch: usize,
}

pub fn run(out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new("12,000 transactions over RPC", &["accepted/s"]);
    for (connections, batch) in [(1, 1), (4, 1), (32, 1), (4, 100)] {
        let taken = offer_all(Client { connections, batch })?;
        let name = format!("{connections} connections, {batch} calls a request");
        table.row(&name, [each_second(SPENDS, taken).to_string()]);
    }
    table.print(out)
}

/// How long a fresh node takes for all of them.
fn offer_all(client: Client) -> io::Result<Duration> {
    let secrets = secrets(SPENDS);
    let folder = tempfile::tempdir()?;
    let first = secrets.first().expect("there are some");
    let prefund = Prefund { lock: lock_of(first), blocks: SPENDS.div_ceil(FAN) as u32 };
    let config = Config {
        rpc_bind: ([127, 0, 0, 1], 0).into(),
        data_dir: Some(folder.path().to_owned()),
        persistent: true,
        prefund: vec![prefund],
        coins_each: 1,
        engine: engine(),
        ..Config::default()
    };
    let node = node::start(config).map_err(io::Error::other)?;
    let spends = spends(&node, &secrets);
    let bodies = bodies(&spends, client.batch);
    let (outcome, taken) = time(|| send(&node, &bodies, client.connections));
    outcome?;
    assert!(call(&node, "getmempoolinfo", "[]").contains(&format!("\"size\":{SPENDS},")), "all of them wait");
    node.stop();
    node.join().map_err(io::Error::other)?;
    Ok(taken)
}

fn call(node: &NodeHandle, method: &str, params: &str) -> String {
    node.call(method, params).unwrap_or_else(|error| panic!("{method}: {error:?}"))
}

/// Transactions that spend a coin of each secret, which the node has in its chain.
fn spends(node: &NodeHandle, secrets: &[[u8; 32]]) -> Vec<Transaction> {
    let lock = secrets.first().map(lock_of).unwrap_or_default();
    let address = Address::of_lock(Network::Devnet, &lock).expect("a key's lock has an address").to_string();
    let mut coins = Vec::new();
    for (height, owners) in (1..).zip(secrets.chunks(FAN)) {
        let fan = fan(node, height, owners, secrets);
        coins.extend(
            (0..).zip(&fan.outputs).map(|(index, output)| (OutPoint { txid: fan.txid(), index }, output.clone())),
        );
        call(node, "sendrawtransaction", &format!("[\"{}\"]", hex::encode(fan.encode())));
    }
    call(node, "generatetoaddress", &format!("[1, \"{address}\"]"));
    coins.iter().zip(secrets).map(|((coin, spent), key)| spend(*coin, spent, key, Kind::Schnorr)).collect()
}

/// Splits the coinbase at a height among owners.
fn fan(node: &NodeHandle, height: u32, owners: &[[u8; 32]], secrets: &[[u8; 32]]) -> Transaction {
    let hash = call(node, "getblockhash", &format!("[{height}]"));
    let block = call(node, "getblock", &format!("[{hash}, 0]"));
    let block = hex::decode(block.trim_matches('"')).expect("a block is shown in hexadecimal");
    let block = spec::Block::decode(&block).expect("the node shows a block");
    let reward = block.transactions.first().expect("a block has a coinbase");
    let spent = reward.outputs.first().expect("a coinbase pays");
    let outputs = owners.iter().map(|key| TxOut::plain(Sats::from_wire(benches::SATS_EACH), lock_of(key))).collect();
    let input = TxIn { prevout: OutPoint { txid: reward.txid(), index: 0 }, unlock: Vec::new(), sequence: u32::MAX };
    let tx = Transaction { version: 2, inputs: vec![input], outputs, locktime: 0 };
    benches::signed(tx, spent, secrets.first().expect("there are some"))
}

/// Requests that offer the transactions.
fn bodies(spends: &[Transaction], batch: usize) -> Vec<String> {
    let call = |tx: &Transaction| {
        format!("{{\"id\":0,\"method\":\"sendrawtransaction\",\"params\":[\"{}\"]}}", hex::encode(tx.encode()))
    };
    let together = |txs: &[Transaction]| match txs {
        [one] => call(one),
        many => format!("[{}]", many.iter().map(call).collect::<Vec<_>>().join(",")),
    };
    spends.chunks(batch).map(together).collect()
}

/// Sends the requests over some connections at once; each waits for its answer before it sends the next.
fn send(node: &NodeHandle, bodies: &[String], connections: usize) -> io::Result<()> {
    let (address, cookie) = (node.rpc_addr(), node.cookie());
    std::thread::scope(|scope| {
        let shares = bodies.chunks(bodies.len().div_ceil(connections));
        let clients: Vec<_> = shares.map(|share| scope.spawn(move || send_in_turn(address, cookie, share))).collect();
        clients.into_iter().try_for_each(|client| client.join().expect("a client never panics"))
    })
}

fn send_in_turn(address: SocketAddr, cookie: &str, bodies: &[String]) -> io::Result<()> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(&stream);
    let credentials = base64::engine::general_purpose::STANDARD.encode(cookie);
    for body in bodies {
        let head = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {credentials}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        (&stream).write_all([head.as_bytes(), body.as_bytes()].concat().as_slice())?;
        let answer = answer(&mut reader)?;
        if !answer.contains("\"error\":null") {
            return Err(io::Error::other(answer));
        }
    }
    Ok(())
}

/// The body of an answer that says how long it is.
fn answer(reader: &mut BufReader<&TcpStream>) -> io::Result<String> {
    let mut len = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) =
            line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        {
            len = value.trim().parse().map_err(|_| io::Error::other(name.to_owned()))?;
        }
    }
    let mut body = vec![0; len];
    reader.read_exact(&mut body)?;
    String::from_utf8(body).map_err(io::Error::other)
}
