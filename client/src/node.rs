//! What clients ask of a node, in the project's own types.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};
use spec::token::{Capability, Nft, Token};
use spec::{Artifact, OutPoint, Sats, Transaction, TxOut, Txid};
use wallet::Utxo;

use crate::http::{Rpc, RpcError};

const CONFIRMATIONS_MAX: u32 = 9_999_999;

/// How a node is reached. [`Rpc`] does it over HTTP.
pub trait Transport {
    /// Calls a method with positional parameters.
    ///
    /// # Errors
    /// [`RpcError`] if the node is not there or refuses.
    fn call(&self, method: &str, params: &[Value]) -> Result<Value, RpcError>;
}

/// A node.
#[derive(Clone)]
pub struct Node {
    transport: Arc<dyn Transport + Send + Sync>,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Node")
    }
}

/// Why a node gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The call has no result.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The answer lacks what it must have.
    #[error("the node's answer to `{0}` makes no sense")]
    Broken(&'static str),
}

impl Node {
    /// The node at `url`, with credentials of the form `user:password`.
    #[must_use]
    pub fn http(url: &str, credentials: &str) -> Self {
        Self::over(Rpc::new(url, credentials))
    }

    /// The node behind a transport of one's own.
    #[must_use]
    pub fn over(transport: impl Transport + Send + Sync + 'static) -> Self {
        Self { transport: Arc::new(transport) }
    }

    /// Calls a method.
    ///
    /// # Errors
    /// [`RpcError`] if the node is not there or refuses.
    pub fn call(&self, method: &str, params: &[Value]) -> Result<Value, RpcError> {
        self.transport.call(method, params)
    }

    /// The coins of a lock without tokens, unconfirmed ones included; not those that are too young.
    ///
    /// # Errors
    /// [`NodeError`] if the node is not there or makes no sense.
    pub fn coins(&self, lock: &[u8]) -> Result<Vec<Utxo>, NodeError> {
        let all = self.all_coins(lock)?;
        Ok(all.into_iter().filter(|coin| coin.output.token.is_none()).collect())
    }

    /// The coins of a lock, those with tokens among them.
    ///
    /// # Errors
    /// As [`Node::coins`].
    pub fn all_coins(&self, lock: &[u8]) -> Result<Vec<Utxo>, NodeError> {
        let broken = || NodeError::Broken("listunspent");
        let list = self.call("listunspent", &[json!(0), json!(CONFIRMATIONS_MAX), json!([hex::encode(lock)])])?;
        let rows = list.as_array().ok_or_else(broken)?;
        // Whether the node's own wallet has the key, as `spendable` says, is nothing to whoever brings keys.
        rows.iter().map(|row| coin_of(row).ok_or_else(broken)).collect()
    }

    /// Tells the node which contract a lock belongs to, so that it can say which `require` failed.
    ///
    /// # Errors
    /// As [`Node::coins`].
    pub fn register(&self, artifact: &Artifact, lock: &[u8]) -> Result<(), NodeError> {
        let method = "bitmodel_registerartifact";
        let json = serde_json::to_value(artifact).map_err(|_| NodeError::Broken(method))?;
        Ok(self.call(method, &[json, json!(hex::encode(lock))]).map(drop)?)
    }

    /// Sends a transaction.
    ///
    /// # Errors
    /// As [`Node::coins`]; the message of a refusal names the failing `require` where the contract is known to the node.
    pub fn send(&self, tx: &Transaction) -> Result<Txid, NodeError> {
        let answer = self.call("sendrawtransaction", &[json!(hex::encode(tx.encode()))])?;
        answer.as_str().and_then(|text| text.parse().ok()).ok_or(NodeError::Broken("sendrawtransaction"))
    }
}

fn coin_of(row: &Value) -> Option<Utxo> {
    let txid = row.get("txid")?.as_str()?.parse().ok()?;
    let index = u32::try_from(row.get("vout")?.as_u64()?).ok()?;
    let lock = hex::decode(row.get("scriptPubKey")?.as_str()?).ok()?;
    let token = match row.get("tokenData") {
        None | Some(Value::Null) => None,
        Some(data) => Some(token_of(data)?),
    };
    let output = TxOut { value: amount_of(row.get("amount")?)?, token, lock };
    Some(Utxo { outpoint: OutPoint { txid, index }, output })
}

fn token_of(data: &Value) -> Option<Token> {
    let text = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
    let nft = match data.get("nft") {
        None | Some(Value::Null) => None,
        Some(nft) => Some(Nft {
            capability: match text(nft, "capability")?.as_str() {
                "none" => Capability::None,
                "mutable" => Capability::Mutable,
                "minting" => Capability::Minting,
                _ => return None,
            },
            commitment: hex::decode(text(nft, "commitment")?).ok()?,
        }),
    };
    Some(Token { category: text(data, "category")?.parse().ok()?, amount: text(data, "amount")?.parse().ok()?, nft })
}

/// The exact amount behind a JSON number with 8 decimals.
///
/// Two amounts of money that differ are further apart than two neighbouring doubles, so the
/// decimal that prints with 8 digits is the one that was sent.
fn amount_of(number: &Value) -> Option<Sats> {
    number.as_f64().map(|coins| format!("{coins:.8}"))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        for text in ["0.00000001", "0.10000000", "20999999.99999999", "21000000.00000000", "0.3", "1"] {
            let number: Value = serde_json::from_str(text).unwrap();
            assert_eq!(amount_of(&number), Some(text.parse().unwrap()), "{text}");
        }
        for text in ["-1.0", "\"1\"", "21000000.1", "1e300"] {
            assert_eq!(amount_of(&serde_json::from_str(text).unwrap()), None, "{text}");
        }
    }
}
