//! A node on a free port and a client for it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses a part")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine;
use node::{Config, NodeHandle, Prefund};
use serde_json::Value;

/// `OP_1`: anybody may spend, so tests need no signatures.
pub const ANYBODY: &str = "51";
/// The time at which the tests' clocks stand.
pub const NOW: u32 = 1_800_000_000;

pub fn config() -> Config {
    Config {
        rpc_bind: ([127, 0, 0, 1], 0).into(),
        mock_time: Some(NOW),
        prefund: vec![Prefund { lock: hex::decode(ANYBODY).unwrap(), blocks: 5 }],
        ..Config::default()
    }
}

pub fn start() -> NodeHandle {
    node::start(config()).unwrap()
}

/// An HTTP answer: status and body.
pub fn post(node: &NodeHandle, body: &str) -> (u16, String) {
    post_at(node, "", body)
}

/// [`post`] to a path of the server.
pub fn post_at(node: &NodeHandle, path: &str, body: &str) -> (u16, String) {
    let credentials = base64::engine::general_purpose::STANDARD.encode(node.cookie());
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let mut response = ureq::Agent::new_with_config(config)
        .post(format!("{}{path}", node.rpc_url()))
        .header("Authorization", &format!("Basic {credentials}"))
        .send(body)
        .unwrap();
    (response.status().as_u16(), response.body_mut().with_config().limit(100_000_000).read_to_string().unwrap())
}

/// The result of a call, or code and message of its error.
pub fn rpc(node: &NodeHandle, method: &str, params: &str) -> Result<Value, (i64, String)> {
    rpc_at(node, "", method, params)
}

/// [`rpc`] to a path of the server.
pub fn rpc_at(node: &NodeHandle, path: &str, method: &str, params: &str) -> Result<Value, (i64, String)> {
    let (_, body) =
        post_at(node, path, &format!(r#"{{"jsonrpc":"1.0","id":"t","method":"{method}","params":{params}}}"#));
    let reply: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
    assert_eq!(reply["id"], "t");
    match &reply["error"] {
        Value::Null => Ok(reply["result"].clone()),
        error => Err((error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned())),
    }
}

/// Raw bytes over a fresh connection; what comes back until the other side closes or is silent.
pub fn raw(node: &NodeHandle, bytes: &[u8], patience: Duration) -> Vec<u8> {
    let mut stream = TcpStream::connect(node.rpc_addr()).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    // The node may hang up before all is sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut chunk) {
        answer.extend_from_slice(&chunk[..read]);
    }
    answer
}

/// A small generator of pseudo-random numbers (xorshift), so that a failure can be repeated.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    pub fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.roll(from.len())]
    }
}
