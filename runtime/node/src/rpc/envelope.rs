//! The envelope: HTTP bodies as calls, results as HTTP bodies.
//!
//! The shape is bitcoind's, which predates JSON-RPC 2.0: `result`, `error` and `id` are always there, a batch is a
//! list, and the version that a client states is accepted and echoed but changes nothing.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::json::{Json, object};
use crate::method::raw::SEND;
use crate::rpc::error::{Code, RpcError};
use crate::rpc::table::{Method, find};

/// One call as it came.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The method's name.
    pub(crate) method: String,
    /// Its parameters.
    pub(crate) params: RawParams,
    /// The wallet that its address names.
    pub(crate) wallet: Option<String>,
}

/// Parameters, each still the text that the client wrote.
#[derive(Clone, Debug)]
pub(crate) enum RawParams {
    /// By position.
    List(Vec<Box<RawValue>>),
    /// By name, in the client's order.
    Named(Vec<(String, Box<RawValue>)>),
}

/// A body: one request or several.
#[derive(Debug)]
pub(crate) enum Body {
    /// A single request.
    Single(Request),
    /// A batch.
    Batch(Vec<Request>),
}

/// A request with what its reply must repeat.
#[derive(Debug)]
pub(crate) struct Request {
    /// What to call, or why that cannot be told.
    pub(crate) call: Result<Call, RpcError>,
    id: Json,
    version: Option<String>,
}

/// The members that matter; any others are left alone.
#[derive(Deserialize)]
struct Members {
    #[serde(default)]
    jsonrpc: Option<Box<RawValue>>,
    #[serde(default)]
    id: Option<Box<RawValue>>,
    #[serde(default)]
    method: Option<Box<RawValue>>,
    #[serde(default)]
    params: Option<Box<RawValue>>,
}

/// Reads a body.
///
/// # Errors
/// [`Code::Parse`] where it is no JSON or neither an object nor a list.
pub(crate) fn read_body(bytes: &[u8]) -> Result<Body, RpcError> {
    let bad = |_| RpcError::new(Code::Parse, "Parse error");
    let root: &RawValue = serde_json::from_slice(bytes).map_err(bad)?;
    match root.get().as_bytes().first() {
        Some(b'{') => Ok(Body::Single(read_request(root))),
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(root.get()).map_err(bad)?;
            Ok(Body::Batch(items.into_iter().map(read_request).collect()))
        }
        _ => Err(RpcError::new(Code::Parse, "Top-level object parse error")),
    }
}

fn read_request(item: &RawValue) -> Request {
    let invalid = |message: &str| RpcError::new(Code::InvalidRequest, message);
    let Ok(members) = serde_json::from_str::<Members>(item.get()) else {
        return Request { call: Err(invalid("Invalid Request object")), id: Json::Null, version: None };
    };
    Request {
        call: read_call(&members),
        id: members.id.as_deref().and_then(scalar).unwrap_or(Json::Null),
        version: members.jsonrpc.as_deref().and_then(|raw| serde_json::from_str(raw.get()).ok()),
    }
}

fn read_call(members: &Members) -> Result<Call, RpcError> {
    let invalid = |message: &str| RpcError::new(Code::InvalidRequest, message);
    let method = members.method.as_deref().ok_or_else(|| invalid("Missing method"))?;
    let method = serde_json::from_str(method.get()).map_err(|_| invalid("Method must be a string"))?;
    let params = read_params(members.params.as_deref()).ok_or_else(|| invalid("Params must be an array or object"))?;
    Ok(Call { method, params, wallet: None })
}

fn read_params(params: Option<&RawValue>) -> Option<RawParams> {
    let Some(params) = params else { return Some(RawParams::List(Vec::new())) };
    match params.get().as_bytes().first()? {
        b'[' => serde_json::from_str(params.get()).ok().map(RawParams::List),
        b'{' => serde_json::from_str::<Named>(params.get()).ok().map(|named| RawParams::Named(named.0)),
        _ => None,
    }
}

/// An object's members in order; a map would lose repeated names.
#[derive(Debug)]
pub(crate) struct Named(pub(crate) Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Named;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Named, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Named(members))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// The longest id that is sent back.
const ID_BYTES_MAX: usize = 1_024;

/// An id is sent back as it was written, but only where it is no structure.
fn scalar(id: &RawValue) -> Option<Json> {
    let written = id.get();
    let structured = matches!(written.as_bytes().first(), Some(b'[' | b'{'));
    (!structured && written.len() <= ID_BYTES_MAX).then(|| Json::Raw(written.to_owned()))
}

impl Body {
    /// Lets every call mean this wallet.
    pub(crate) fn at_wallet(self, wallet: Option<&str>) -> Self {
        match self {
            Self::Single(request) => Self::Single(request.at_wallet(wallet)),
            Self::Batch(requests) => {
                Self::Batch(requests.into_iter().map(|request| request.at_wallet(wallet)).collect())
            }
        }
    }

    /// Whether an answer may come long after the call.
    pub(crate) fn may_wait(&self) -> bool {
        let waits = |request: &Request| {
            request.call.as_ref().is_ok_and(|call| find(&call.method).is_some_and(Method::may_wait))
        };
        match self {
            Self::Single(request) => waits(request),
            Self::Batch(requests) => requests.iter().any(waits),
        }
    }
}

impl Request {
    /// Lets the call mean this wallet.
    pub(crate) fn at_wallet(mut self, wallet: Option<&str>) -> Self {
        if let Ok(call) = &mut self.call {
            call.wallet = wallet.map(str::to_owned);
        }
        self
    }

    /// Whether it offers a transaction.
    pub(crate) fn offers(&self) -> bool {
        self.call.as_ref().is_ok_and(|call| call.method == SEND)
    }

    /// What to call, moved out, or why that cannot be told.
    pub(crate) fn take_call(&mut self) -> Result<Call, RpcError> {
        std::mem::replace(&mut self.call, Err(RpcError::new(Code::Internal, "the call was made already")))
    }

    /// The reply to this request.
    #[must_use]
    pub(crate) fn reply(&self, outcome: Result<Json, RpcError>) -> Json {
        let (result, error) = match outcome {
            Ok(result) => (result, Json::Null),
            Err(error) => (Json::Null, error.to_json()),
        };
        reply(result, error, self.id.clone()).with_some("jsonrpc", self.version.clone().filter(|said| said == "2.0"))
    }
}

/// The reply to a body that is no request.
#[must_use]
pub(crate) fn reply_to_garbage(error: &RpcError) -> Json {
    reply(Json::Null, error.to_json(), Json::Null)
}

fn reply(result: Json, error: Json, id: Json) -> Json {
    object([("result", result), ("error", error), ("id", id)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(body: &str) -> Option<i32> {
        let call = match read_body(body.as_bytes()) {
            Ok(Body::Single(request)) => request.call,
            Ok(Body::Batch(_)) => return None,
            Err(error) => Err(error),
        };
        call.err().map(|error| error.code().number())
    }

    #[test]
    fn bodies_that_are_no_request_have_bitcoinds_codes() {
        let deep = "[".repeat(100_000);
        let deep_param = format!(r#"{{"method":"m","params":[{deep}"#);
        for (body, code) in [
            (r#"{"method":"m","params":[]}"#, None),
            (r#"{"method":"m","params":{"a":1},"id":1,"jsonrpc":"2.0"}"#, None),
            (r#"{"method":"m","params":null}"#, None),
            (r#"[]"#, None),
            ("", Some(-32_700)),
            ("{", Some(-32_700)),
            ("7", Some(-32_700)),
            ("\"text\"", Some(-32_700)),
            ("{}x", Some(-32_700)),
            (deep.as_str(), Some(-32_700)),
            (deep_param.as_str(), Some(-32_700)),
            ("{}", Some(-32_600)),
            (r#"{"method":7}"#, Some(-32_600)),
            (r#"{"method":"m","params":7}"#, Some(-32_600)),
            (r#"{"method":"m","params":"[]"}"#, Some(-32_600)),
        ] {
            assert_eq!(code_of(body), code, "{body:.60}");
        }
    }

    #[test]
    fn ids_are_sent_back_as_they_were_written() {
        for (id, echoed) in
            [("1", "1"), ("1e3", "1e3"), ("\"a\\u0062\"", "\"a\\u0062\""), ("null", "null"), ("[1]", "null")]
        {
            let body = format!(r#"{{"method":"m","id":{id}}}"#);
            let Ok(Body::Single(request)) = read_body(body.as_bytes()) else { panic!("{body}") };
            let reply = request.reply(Ok(Json::Null)).to_string();
            assert_eq!(reply, format!(r#"{{"result":null,"error":null,"id":{echoed}}}"#));
        }
    }

    #[test]
    fn a_bad_member_of_a_batch_spoils_only_itself() {
        let Ok(Body::Batch(requests)) = read_body(br#"[{"method":"m"}, 7, {"method":"n","id":2}]"#) else { panic!() };
        let verdicts: Vec<bool> = requests.iter().map(|request| request.call.is_ok()).collect();
        assert_eq!(verdicts, [true, false, true]);
    }
}
