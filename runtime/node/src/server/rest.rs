//! Pages: what can be read by address. Each is a call of a method that changes nothing.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use tokio::sync::oneshot;

use crate::json::Json;
use crate::owner::Event;
use crate::rpc::envelope::{Body, read_body};
use crate::rpc::error::{Code, RpcError};
use crate::server::{Edge, plain, respond, stopped};

/// `GET /health`: whether the node answers, for whoever watches over it. It says nothing else, so anybody may ask.
pub(super) async fn health(State(edge): State<Arc<Edge>>) -> Response {
    if *edge.stopping.borrow() {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "stopping");
    }
    plain(StatusCode::OK, "ok")
}

/// `GET /metrics`.
pub(super) async fn metrics(State(edge): State<Arc<Edge>>, headers: HeaderMap) -> Response {
    if let Err(refusal) = edge.check(&headers).await {
        return refusal;
    }
    let (reply, page) = oneshot::channel();
    let sent = edge.owner.try_send(Event::Metrics { connections: edge.connections(), reply });
    match (sent, page.await) {
        (Ok(()), Ok(page)) => respond(StatusCode::OK, "text/plain; version=0.0.4", page),
        _ => plain(StatusCode::SERVICE_UNAVAILABLE, "the node is stopping or too busy"),
    }
}

/// What a page is made of: a call, and whether its answer is a text that stands for bytes in hexadecimal.
struct Page {
    method: &'static str,
    params: Vec<Json>,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Hex,
    Bin,
}

/// `GET /rest/…`, with bitcoind's addresses.
pub(super) async fn rest(State(edge): State<Arc<Edge>>, headers: HeaderMap, uri: Uri) -> Response {
    if !edge.rest_is_open
        && let Err(refusal) = edge.check(&headers).await
    {
        return refusal;
    }
    let path = uri.path().strip_prefix("/rest/").unwrap_or_default();
    let Some(page) = page_of(path) else { return plain(StatusCode::NOT_FOUND, "there is no such page") };
    // As many as bodies of calls are answered at a time.
    let _permit = edge.bodies.acquire().await;
    match ask(&edge, &page).await {
        Ok(answer) => shown(page.form, &answer),
        Err(error) => {
            let status = match error.code() {
                Code::NotFound => StatusCode::NOT_FOUND,
                Code::InvalidParameter | Code::Type | Code::Misc => StatusCode::BAD_REQUEST,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            respond(status, "text/plain", error.message().to_owned())
        }
    }
}

fn page_of(path: &str) -> Option<Page> {
    let (path, form) = match path.rsplit_once('.')? {
        (path, "json") => (path, Form::Json),
        (path, "hex") => (path, Form::Hex),
        (path, "bin") => (path, Form::Bin),
        _ => return None,
    };
    let verbose = |level: u32| Json::from(if form == Form::Json { level } else { 0 });
    let text = |text: &str| Json::from(text);
    let words: Vec<&str> = path.split('/').collect();
    let (method, params) = match words.as_slice() {
        ["chaininfo"] if form == Form::Json => ("getblockchaininfo", vec![]),
        ["mempool", "info"] if form == Form::Json => ("getmempoolinfo", vec![]),
        ["mempool", "contents"] if form == Form::Json => ("getrawmempool", vec![Json::from(true)]),
        ["block", "notxdetails", hash] => ("getblock", vec![text(hash), verbose(1)]),
        ["block", hash] => ("getblock", vec![text(hash), verbose(2)]),
        ["tx", txid] => ("getrawtransaction", vec![text(txid), verbose(1)]),
        ["headers", hash] | ["headers", "1", hash] => {
            ("getblockheader", vec![text(hash), Json::from(form == Form::Json)])
        }
        ["blockhashbyheight", height] if form != Form::Bin => {
            ("getblockhash", vec![Json::from(height.parse::<u32>().ok()?)])
        }
        _ => return None,
    };
    Some(Page { method, params, form })
}

async fn ask(edge: &Edge, page: &Page) -> Result<Json, RpcError> {
    let body = format!(r#"{{"method":"{}","params":{}}}"#, page.method, crate::json::list(page.params.clone()));
    match read_body(body.as_bytes())? {
        Body::Single(mut request) => edge.perform(request.take_call()).await,
        Body::Batch(_) => Err(stopped()),
    }
}

fn shown(form: Form, answer: &Json) -> Response {
    let Json::Text(digits) = answer else {
        return respond(StatusCode::OK, "application/json", answer.to_string());
    };
    match form {
        Form::Hex => respond(StatusCode::OK, "text/plain", digits.clone()),
        Form::Json => {
            let hash = crate::json::object([("blockhash", answer.clone())]);
            respond(StatusCode::OK, "application/json", hash.to_string())
        }
        Form::Bin => {
            let bytes = hex::decode(digits).unwrap_or_default();
            let mut response = Response::new(axum::body::Body::from(bytes));
            let kind = axum::http::HeaderValue::from_static("application/octet-stream");
            response.headers_mut().insert(axum::http::header::CONTENT_TYPE, kind);
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_bitcoind() {
        for (path, method) in [
            ("chaininfo.json", Some("getblockchaininfo")),
            ("chaininfo.hex", None),
            ("block/00.hex", Some("getblock")),
            ("block/notxdetails/00.json", Some("getblock")),
            ("tx/00.bin", Some("getrawtransaction")),
            ("headers/1/00.json", Some("getblockheader")),
            ("blockhashbyheight/7.json", Some("getblockhash")),
            ("blockhashbyheight/-7.json", None),
            ("mempool/contents.json", Some("getrawmempool")),
            ("stop.json", None),
            ("block/a/b/c.json", None),
            ("block", None),
            ("", None),
        ] {
            assert_eq!(page_of(path).map(|page| page.method), method, "{path}");
        }
    }
}
