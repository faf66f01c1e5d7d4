//! Unchanged Rust clients against a node: corepc-node starts the binary as if it were bitcoind, corepc-client and bitcoincore-rpc
//! read its answers into their types.
//!
//! Their types know no `CashAddr`, so addresses go to the node in the older form, and answers that hold addresses are read as text.

use std::env;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bitcoincore_rpc::bitcoin::secp256k1::{Secp256k1, SecretKey};
use bitcoincore_rpc::bitcoin::{Address, Amount, Network, NetworkKind, PrivateKey};
use bitcoincore_rpc::json::GetBlockTemplateModes;
use bitcoincore_rpc::{Auth, Client, RpcApi as _};
use corepc_node::{Conf, Node, P2P};

fn main() -> Result<()> {
    let binary = env::args().nth(1).context("the first argument names the binary")?;
    let mut conf = Conf::default();
    conf.p2p = P2P::Yes;
    let mut first = Node::with_conf(&binary, &conf)?;
    conf.p2p = first.p2p_connect(true).context("it listens for other nodes")?;
    let mut second = Node::with_conf(&binary, &conf)?;
    println!("corepc-client 0.10: {} answers", corepc(&first)?);
    println!("bitcoincore-rpc 0.19: {} answers", core(&first)?);
    follows(&first, &second)?;
    for node in [&mut second, &mut first] {
        ensure!(node.stop()?.success(), "a node does not end in order");
    }
    println!("corepc-node 0.10: started, connected and stopped two nodes");
    Ok(())
}

/// A key of our own.
fn key() -> Result<(PrivateKey, Address)> {
    let key = PrivateKey::new(SecretKey::from_slice(&[7; 32])?, NetworkKind::Test);
    let address = Address::p2pkh(key.public_key(&Secp256k1::new()), Network::Regtest);
    Ok((key, address))
}

/// Counts the answers that were as they should be, and remembers the others.
#[derive(Default)]
struct Answers {
    good: u32,
    bad: Vec<String>,
}

impl Answers {
    fn check(&mut self, what: &str, ask: impl FnOnce() -> Result<bool>) {
        match ask() {
            Ok(true) => self.good += 1,
            Ok(false) => self.bad.push(format!("{what}: a wrong answer")),
            Err(error) => self.bad.push(format!("{what}: {error}")),
        }
    }

    fn all(self) -> Result<u32> {
        ensure!(self.bad.is_empty(), "{}", self.bad.join("\n"));
        Ok(self.good)
    }
}

/// Reads answers with corepc-client: the wallet gets coins, pays, and what it paid is mined.
fn corepc(node: &Node) -> Result<u32> {
    let (client, mut answers) = (&node.client, Answers::default());
    let (key, home) = key()?;
    answers.check("getblockchaininfo", || {
        let info = client.get_blockchain_info()?;
        Ok(info.chain == "regtest" && info.blocks == 0)
    });
    answers.check("getnetworkinfo", || Ok(client.get_network_info()?.subversion.starts_with("/Bitmodel:")));
    answers.check("listwallets", || Ok(client.list_wallets()?.0.iter().any(|name| name == "default")));
    answers.check("getwalletinfo", || Ok(client.get_wallet_info()?.wallet_name == "default"));
    client.import_privkey(&key)?;
    let hashes = client.generate_to_address(12, &home)?.into_model()?.0;
    answers.check("generatetoaddress", || Ok(hashes.len() == 12));
    answers.check("getblockcount", || Ok(client.get_block_count()?.0 == 12));
    let best = client.get_best_block_hash()?.into_model()?.0;
    answers.check("getbestblockhash", || Ok(hashes.last() == Some(&best)));
    answers.check("getblockhash", || Ok(client.get_block_hash(12)?.into_model()?.0 == best));
    let block = client.get_block(best)?;
    answers.check("getblock 0", || Ok(block.block_hash() == best && block.check_merkle_root()));
    answers.check("getblock 1", || Ok(client.get_block_verbose_one(best)?.height == 12));
    answers.check("getblockheader", || Ok(client.get_block_header_verbose(&best)?.height == 12));
    answers.check("getchaintips", || Ok(client.get_chain_tips()?.0.len() == 1));
    answers.check("getbalance", || Ok(client.get_balance()?.balance()? > Amount::ZERO));
    answers.check("listunspent", || Ok(!client.list_unspent()?.0.is_empty()));
    let sent = client.send_to_address(&home, Amount::from_sat(100_000_000))?.txid()?;
    answers.check("getrawmempool", || Ok(client.get_raw_mempool()?.into_model()?.0 == [sent]));
    answers.check("getmempoolinfo", || Ok(client.get_mempool_info()?.size == 1));
    answers.check("getmempoolentry", || Ok(client.get_mempool_entry(sent)?.0.height == 12));
    answers.check("getrawtransaction", || Ok(client.get_raw_transaction_verbose(sent)?.txid == sent.to_string()));
    answers.check("gettransaction", || Ok(client.get_transaction(sent)?.confirmations == 0));
    client.generate_to_address(1, &home)?;
    answers.check("gettxout", || Ok(client.get_tx_out(sent, 0)?.confirmations == 1));
    answers.check("gettxoutsetinfo", || Ok(client.get_tx_out_set_info()?.height == 13));
    answers.check("verifychain", || Ok(client.verify_chain()?.0));
    answers.check("getmininginfo", || Ok(client.get_mining_info()?.blocks == 13));
    answers.check("getpeerinfo", || Ok(client.get_peer_info()?.0.iter().all(|peer| peer.inbound)));
    answers.check("getnettotals", || Ok(client.get_net_totals()?.total_bytes_sent > 0));
    answers.all()
}

/// Reads answers with bitcoincore-rpc.
fn core(node: &Node) -> Result<u32> {
    let client = Client::new(&node.rpc_url_with_wallet("default"), Auth::CookieFile(node.params.cookie_file.clone()))?;
    let mut answers = Answers::default();
    let (_, home) = key()?;
    answers.check("getblockchaininfo", || {
        let info = client.get_blockchain_info()?;
        Ok(info.chain == Network::Regtest && info.blocks == 13)
    });
    answers.check("getnetworkinfo", || Ok(client.get_network_info()?.network_active));
    let hash = client.get_block_hash(13)?;
    answers.check("getbestblockhash", || Ok(client.get_best_block_hash()? == hash));
    answers.check("getblockheader 0", || Ok(client.get_block_header(&hash)?.block_hash() == hash));
    answers.check("getblockheader 1", || Ok(client.get_block_header_info(&hash)?.height == 13));
    let block = client.get_block(&hash)?;
    answers.check("getblock", || Ok(client.get_block_info(&hash)?.tx.len() == block.txdata.len()));
    let sent = client.send_to_address(&home, Amount::from_sat(5_000_000), None, None, None, None, None, None)?;
    answers.check("getrawmempool", || Ok(client.get_raw_mempool()? == [sent]));
    answers.check("getmempoolinfo", || Ok(client.get_mempool_info()?.size == 1));
    answers.check("getrawtransaction", || Ok(client.get_raw_transaction(&sent, None)?.compute_txid() == sent));
    answers.check("getblocktemplate", || {
        let template = client.get_block_template(GetBlockTemplateModes::Template, &[], &[])?;
        Ok(template.height == 14 && template.transactions.len() == 1)
    });
    answers.check("getmininginfo", || Ok(client.get_mining_info()?.blocks == 13));
    answers.check("getbalance", || Ok(client.get_balance(None, None)? > Amount::ZERO));
    answers.check("generatetoaddress", || Ok(client.generate_to_address(1, &home)?.len() == 1));
    answers.check("getblockcount", || Ok(client.get_block_count()? == 14));
    answers.check("gettxoutsetinfo", || Ok(client.get_tx_out_set_info(None, None, None)?.height == 14));
    answers.check("getpeerinfo", || Ok(client.get_peer_info()?.len() == 1));
    answers.all()
}

/// The second node was told to connect to the first.
fn follows(first: &Node, second: &Node) -> Result<()> {
    let (start, best) = (Instant::now(), first.client.get_best_block_hash()?);
    while second.client.get_best_block_hash()? != best {
        ensure!(start.elapsed() < Duration::from_secs(60), "the second node does not follow");
        sleep(Duration::from_millis(50));
    }
    Ok(())
}
