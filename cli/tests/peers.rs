//! Two nodes as processes of their own: one calls the other, and they have one chain.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

struct Node {
    child: Child,
    rpc: String,
}

impl Node {
    fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bmc"));
        command.args(["node", "--tmp", "--rpc-port", "0", "--auth", "t:t", "--no-mining", "--json"]).args(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let hello = support::greeting(&mut child).expect("the node starts");
        Self { child, rpc: hello["rpc"].as_str().unwrap().to_owned() }
    }

    fn call(&self, method: &str, params: Value) -> Value {
        let body = json!({ "method": method, "params": params }).to_string();
        // `t:t`
        let post = ureq::post(&self.rpc).header("Authorization", "Basic dDp0");
        let reply: Value =
            serde_json::from_str(&post.send(&body).unwrap().body_mut().read_to_string().unwrap()).unwrap();
        reply["result"].clone()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_second_node_follows_the_first() {
    let first = Node::start(&["--p2p-bind", "127.0.0.1:0"]);
    let port = first.call("getnetworkinfo", json!([]))["localaddresses"][0]["port"].as_u64().unwrap();
    let second = Node::start(&["--blocks-each", "0", "--connect", &format!("127.0.0.1:{port}")]);
    assert_eq!(second.call("getnetworkinfo", json!([]))["localaddresses"], json!([]));
    first.call("generatetoaddress", json!([300, "51"]));
    let start = Instant::now();
    while second.call("getbestblockhash", json!([])) != first.call("getbestblockhash", json!([])) {
        assert!(start.elapsed() < Duration::from_secs(60), "the second node does not follow");
        thread::sleep(Duration::from_millis(20));
    }
    assert!(second.call("getblockcount", json!([])).as_u64().unwrap() > 300);
    let coins = |node: &Node| node.call("gettxoutsetinfo", json!([]))["hash_serialized_3"].clone();
    assert_eq!(coins(&first), coins(&second));
}
