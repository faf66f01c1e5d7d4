//! The node over HTTP: JSON-RPC as bitcoind speaks it, with a cookie or a password.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::node::Transport;

const TIMEOUT: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// Nothing answers there.
    #[error("no node answers at {0}")]
    Unreachable(String),
    /// The user or the password is wrong.
    #[error("the node does not accept the credentials")]
    Unauthorized,
    /// It is no answer of JSON-RPC.
    #[error("the node's answer makes no sense: {0}")]
    Broken(String),
    /// The node says no.
    #[error("the node refused (code {code}): {message}")]
    Refused {
        /// The kind of refusal, as bitcoind counts them.
        code: i64,
        /// Why.
        message: String,
    },
}

/// A node that can be asked.
#[derive(Clone, Debug)]
pub struct Rpc {
    agent: ureq::Agent,
    url: String,
    credentials: String,
}

impl Rpc {
    /// The node at `url` with credentials of the form `user:password`.
    #[must_use]
    pub fn new(url: &str, credentials: &str) -> Self {
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT)).proxy(None);
        let url = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        Self { agent: config.build().into(), url, credentials: format!("Basic {}", STANDARD.encode(credentials)) }
    }

    /// The credentials in a cookie file, if there are any.
    #[must_use]
    pub fn cookie(path: &Path) -> Option<String> {
        std::fs::read_to_string(path).ok().map(|text| text.trim().to_owned()).filter(|text| text.contains(':'))
    }
}

impl Transport for Rpc {
    fn call(&self, method: &str, params: &[Value]) -> Result<Value, RpcError> {
        let body = json!({ "jsonrpc": "1.0", "id": "bmc", "method": method, "params": params }).to_string();
        let request = self.agent.post(&self.url).header("Authorization", &self.credentials);
        let answer = request.content_type("application/json").send(body);
        let mut answer = answer.map_err(|error| RpcError::Unreachable(format!("{} ({error})", self.url)))?;
        if answer.status().as_u16() == 401 {
            return Err(RpcError::Unauthorized);
        }
        let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
        let text = text.map_err(|error| RpcError::Broken(error.to_string()))?;
        let value = serde_json::from_str(&text).map_err(|error| RpcError::Broken(error.to_string()))?;
        result_of(value)
    }
}

fn result_of(mut answer: Value) -> Result<Value, RpcError> {
    match answer.get("error") {
        None | Some(Value::Null) => {}
        Some(error) => {
            let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
            let message = error.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
            return Err(RpcError::Refused { code, message });
        }
    }
    answer.get_mut("result").map(Value::take).ok_or_else(|| RpcError::Broken("it has no result".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_results_or_refusals() {
        assert_eq!(result_of(json!({ "result": 5, "error": null })).unwrap(), json!(5));
        let refused = result_of(json!({ "result": null, "error": { "code": -26, "message": "dust" } })).unwrap_err();
        assert_eq!(refused.to_string(), "the node refused (code -26): dust");
        assert!(matches!(result_of(json!([])), Err(RpcError::Broken(_))));
    }

    #[test]
    fn a_node_that_is_not_there_is_unreachable() {
        let rpc = Rpc::new("127.0.0.1:1", "a:b");
        assert!(matches!(rpc.call("uptime", &[]), Err(RpcError::Unreachable(_))));
    }
}
