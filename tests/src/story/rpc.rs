//! What stories ask of the node.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use spec::token::{Capability, Nft, Token};
use spec::{Block, OutPoint, Transaction, TxOut, Txid};
use wallet::Utxo;

use super::{NOBODY, Story};

impl Story {
    /// Mines blocks.
    ///
    /// # Panics
    /// If the node does not.
    pub fn mine(&self, blocks: u32) {
        self.call("generatetoaddress", &json!([blocks, NOBODY])).unwrap();
    }

    /// Mines until the last block has this height.
    ///
    /// # Panics
    /// If it lies in the past.
    #[track_caller]
    pub fn mine_to(&self, height: u32) {
        let now = self.height();
        self.mine(height.checked_sub(now).unwrap_or_else(|| panic!("height {height} lies behind, it is {now}")));
    }

    /// The height of the last block.
    ///
    /// # Panics
    /// If the node does not say.
    #[must_use]
    pub fn height(&self) -> u32 {
        u32::try_from(self.call("getblockcount", &json!([])).unwrap().as_u64().unwrap()).unwrap()
    }

    /// All blocks of the active chain, as bytes that a node would send.
    ///
    /// # Panics
    /// If the node does not give them.
    #[must_use]
    pub fn blocks(&self) -> Vec<Block> {
        let block = |height: u32| {
            let hash = self.call("getblockhash", &json!([height])).unwrap();
            let raw = self.call("getblock", &json!([hash, 0])).unwrap();
            Block::decode(&hex::decode(raw.as_str().unwrap()).unwrap()).unwrap()
        };
        (0..=self.height()).map(block).collect()
    }

    /// Drops the last `blocks` blocks for a longer branch; its first block holds what the dropped ones held.
    ///
    /// # Panics
    /// If the node does not.
    pub fn reorganise(&self, blocks: u32) {
        let first = self.call("getblockhash", &json!([self.height() + 1 - blocks])).unwrap();
        self.call("invalidateblock", &json!([first])).unwrap();
        self.call("generatetoaddress", &json!([blocks + 1, "6a00"])).unwrap();
    }

    pub(super) fn broadcast(&self, tx: &Transaction) -> Result<Txid, String> {
        let answer = self.call("sendrawtransaction", &json!([hex::encode(tx.encode())]))?;
        Ok(answer.as_str().unwrap().parse().unwrap())
    }

    /// Tells the node which contract a lock belongs to, so that it can say which check failed.
    pub(super) fn register(&mut self, lock: &[u8], contract: &str) {
        if self.registered.insert(lock.to_vec()) {
            let artifact = self.program.artifact(contract).unwrap();
            self.call("bitmodel_registerartifact", &json!([artifact, hex::encode(lock)])).unwrap();
        }
    }

    pub(super) fn register_all(&mut self, contracts: &BTreeMap<Vec<u8>, String>) {
        contracts.iter().for_each(|(lock, contract)| self.register(lock, contract));
    }

    /// The coins of a lock that the node knows.
    pub(super) fn unspent(&self, lock: &[u8]) -> Vec<Utxo> {
        let rows = self.call("listunspent", &json!([0, 9_999_999, [hex::encode(lock)]])).unwrap();
        rows.as_array().unwrap().iter().map(coin_of).collect()
    }

    pub(super) fn call(&self, method: &str, params: &Value) -> Result<Value, String> {
        let answer = self.node.call(method, &params.to_string()).map_err(|error| error.message().to_owned())?;
        Ok(serde_json::from_str(&answer).unwrap())
    }
}

fn coin_of(row: &Value) -> Utxo {
    let txid = row["txid"].as_str().unwrap().parse().unwrap();
    let index = u32::try_from(row["vout"].as_u64().unwrap()).unwrap();
    let lock = hex::decode(row["scriptPubKey"].as_str().unwrap()).unwrap();
    // Two amounts of money that differ are further apart than two neighbouring doubles.
    let value = format!("{:.8}", row["amount"].as_f64().unwrap()).parse().unwrap();
    let token = row.get("tokenData").filter(|token| !token.is_null()).map(token_of);
    Utxo { outpoint: OutPoint { txid, index }, output: TxOut { value, token, lock } }
}

fn token_of(data: &Value) -> Token {
    let nft = data.get("nft").filter(|nft| !nft.is_null()).map(|nft| Nft {
        capability: match nft["capability"].as_str().unwrap() {
            "minting" => Capability::Minting,
            "mutable" => Capability::Mutable,
            _ => Capability::None,
        },
        commitment: hex::decode(nft["commitment"].as_str().unwrap()).unwrap(),
    });
    Token {
        category: data["category"].as_str().unwrap().parse().unwrap(),
        amount: data["amount"].as_str().unwrap().parse().unwrap(),
        nft,
    }
}
