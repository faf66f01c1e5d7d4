//! The HTTP edge: connections, authentication, bodies. It knows nothing of the chain and sends calls to the owner.
//!
//! What a stranger can cost is bounded: connections are counted, heads and bodies must come in time, answers must be
//! taken in time, and no body is read before its sender has shown the credentials.

mod explorer;
mod listen;
mod patient;
mod rest;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body as HttpBody, HttpBody as _};
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{any, get};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::auth::Credentials;
use crate::json::Json;
use crate::owner::Event;
use crate::rpc::envelope::{Body, Call, Request, read_body, reply_to_garbage};
use crate::rpc::error::{Code, RpcError};
use crate::server::patient::Patient;

/// A submitted block of 32 MB has twice as many hexadecimal digits.
const BODY_BYTES_MAX: usize = 68_000_000;
const CONNECTIONS_MAX: usize = 128;
/// Bodies that are read and answered at the same time, as bitcoind's work queue.
const BODIES_MAX: usize = 16;
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a wrong password takes, so that guessing is slow.
const REFUSAL_DELAY: Duration = Duration::from_millis(250);
/// How long open connections may take to finish once the node stops.
const FAREWELL: Duration = Duration::from_secs(2);
/// After so many bytes of replies the rest of a batch is not answered.
const BATCH_REPLY_BYTES_MAX: usize = 256_000_000;

/// What every connection shares.
struct Edge {
    owner: SyncSender<Event>,
    credentials: Credentials,
    bodies: Semaphore,
    slots: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
    /// Whoever has it is to be waited for at the end.
    talking: mpsc::Sender<Infallible>,
    /// Whether pages under `/rest` need no credentials.
    rest_is_open: bool,
}

/// Serves until `stopping` turns true.
pub(crate) async fn serve(
    listener: TcpListener,
    owner: SyncSender<Event>,
    (credentials, rest_is_open): (Credentials, bool),
    mut stopping: watch::Receiver<bool>,
) {
    let bodies = Semaphore::new(BODIES_MAX);
    let (talking, mut silence) = mpsc::channel(1);
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let (shared, stops) = (Arc::clone(&slots), stopping.clone());
    let edge = Arc::new(Edge { owner, credentials, bodies, slots: shared, stopping: stops, talking, rest_is_open });
    let pages = Router::new()
        .route("/events", get(listen::events))
        .route("/ws", get(listen::socket))
        .route("/health", get(rest::health))
        .route("/metrics", get(rest::metrics))
        .route("/rest/{*path}", get(rest::rest));
    let router = Router::new()
        .route("/", any(answer))
        .route("/wallet/", any(answer))
        .route("/wallet/{name}", any(answer))
        .merge(pages)
        .merge(explorer::pages())
        .with_state(edge);
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            // The semaphore is never closed.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        tokio::select! {
            (slot, accepted) = next => match accepted {
                Ok((stream, _)) => {
                    let (router, stopping) = (router.clone(), stopping.clone());
                    connections.spawn(async move {
                        connection(stream, router, stopping).await;
                        drop(slot);
                    });
                }
                // Out of file descriptors, most likely: wait until some connection ends.
                Err(_) => sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
            () = told_to(&mut stopping) => break,
        }
    }
    drop(router);
    let _ = timeout(FAREWELL, connections.join_all()).await;
    // Nothing is ever sent: this ends when everybody has let go.
    let _ = timeout(FAREWELL, silence.recv()).await;
}

async fn connection(stream: TcpStream, router: Router, mut stopping: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(Patient::new(stream)), TowerToHyperService::new(router))
        .with_upgrades();
    tokio::pin!(serving);
    tokio::select! {
        // A connection that breaks concerns nobody but its client.
        _ = serving.as_mut() => {}
        () = told_to(&mut stopping) => {
            serving.as_mut().graceful_shutdown();
            let _ = serving.await;
        }
    }
}

/// Waits until the node stops.
async fn told_to(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    drop(stopping.wait_for(|stop| *stop).await);
}

async fn answer(State(edge): State<Arc<Edge>>, request: HttpRequest) -> Response {
    if request.method() != Method::POST {
        return plain(StatusCode::METHOD_NOT_ALLOWED, "JSONRPC server handles only POST requests");
    }
    if let Err(refusal) = edge.check(request.headers()).await {
        return refusal;
    }
    let wallet = request.uri().path().strip_prefix("/wallet/").filter(|name| !name.is_empty()).map(str::to_owned);
    // A body that says it is too large is refused before it comes.
    if request.body().size_hint().lower() > BODY_BYTES_MAX as u64 {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
    }
    // The semaphore is never closed, so the permit is always there.
    let permit = edge.bodies.acquire().await.ok();
    match timeout(BODY_TIMEOUT, axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => answer_body(&edge, &bytes, wallet.as_deref(), permit).await,
        Ok(Err(_)) => plain(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large or was cut off"),
        Err(_) => plain(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"),
    }
}

async fn answer_body(edge: &Edge, bytes: &[u8], wallet: Option<&str>, permit: Option<SemaphorePermit<'_>>) -> Response {
    let body = read_body(bytes).map(|body| body.at_wallet(wallet));
    // Calls that wait for the chain must not keep others from being read; the owner counts them.
    let _permit = permit.filter(|_| !body.as_ref().is_ok_and(Body::may_wait));
    match body {
        Err(error) => json(Some(error.code()), reply_to_garbage(&error).to_string()),
        Ok(Body::Single(request)) => answer_single(edge, request).await,
        Ok(Body::Batch(requests)) => answer_batch(edge, requests).await,
    }
}

async fn answer_single(edge: &Edge, mut request: Request) -> Response {
    let outcome = edge.perform(request.take_call()).await;
    let code = outcome.as_ref().err().map(RpcError::code);
    json(code, request.reply(outcome).to_string())
}

/// So many transactions of a batch are offered at a time.
const OFFERED_MAX: usize = 64;

/// Errors inside a batch leave the HTTP status at 200.
async fn answer_batch(edge: &Edge, requests: Vec<Request>) -> Response {
    let mut text = String::from("[");
    let mut requests = requests.into_iter().peekable();
    while let Some(first) = requests.next() {
        // Transactions that follow each other are judged together, everything else one by one, so that replies stay few.
        let offers = first.offers();
        let mut run = vec![first];
        while offers && run.len() < OFFERED_MAX {
            let Some(next) = requests.next_if(Request::offers) else { break };
            run.push(next);
        }
        let full = text.len() > BATCH_REPLY_BYTES_MAX;
        let calls: Vec<_> = run.iter_mut().map(|request| (!full).then(|| edge.send(request.take_call()))).collect();
        for (request, sent) in run.iter().zip(calls) {
            let outcome = match sent {
                Some(sent) => Edge::receive(sent).await,
                None => Err(RpcError::new(
                    Code::Internal,
                    "the replies to this batch are too large; ask for less at a time",
                )),
            };
            if text.len() > 1 {
                text.push(',');
            }
            request.reply(outcome).write(&mut text);
        }
    }
    text.push(']');
    json(None, text)
}

/// An answer that is still to come, or why none will.
type Sent = Result<oneshot::Receiver<Result<Json, RpcError>>, RpcError>;

impl Edge {
    /// How many clients are connected. One slot is held for whoever comes next.
    fn connections(&self) -> usize {
        (CONNECTIONS_MAX - 1).saturating_sub(self.slots.available_permits())
    }

    /// Refuses whoever does not show the credentials.
    async fn check(&self, headers: &HeaderMap) -> Result<(), Response> {
        match headers.get(header::AUTHORIZATION) {
            None => Err(unauthorized()),
            Some(presented) if !self.credentials.admit(presented.as_bytes()) => {
                tracing::warn!("a call with wrong credentials was refused");
                sleep(REFUSAL_DELAY).await;
                Err(unauthorized())
            }
            Some(_) => Ok(()),
        }
    }

    async fn perform(&self, call: Result<Call, RpcError>) -> Result<Json, RpcError> {
        Self::receive(self.send(call)).await
    }

    fn send(&self, call: Result<Call, RpcError>) -> Sent {
        let (reply, outcome) = oneshot::channel();
        self.owner.try_send(Event::Call { call: call?, reply }).map_err(|error| match error {
            TrySendError::Full(_) => RpcError::new(Code::Internal, "Work queue depth exceeded"),
            TrySendError::Disconnected(_) => stopped(),
        })?;
        Ok(outcome)
    }

    async fn receive(sent: Sent) -> Result<Json, RpcError> {
        sent?.await.unwrap_or_else(|_| Err(stopped()))
    }
}

/// The error of a call that came too late.
pub(crate) fn stopped() -> RpcError {
    RpcError::new(Code::Internal, "the node has stopped")
}

fn json(error: Option<Code>, text: String) -> Response {
    let status = error.map_or(200, Code::http_status);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    respond(status, "application/json", text)
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    respond(status, "text/plain", text.to_owned())
}

fn unauthorized() -> Response {
    let mut response = plain(StatusCode::UNAUTHORIZED, "");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"jsonrpc\""));
    response
}

fn respond(status: StatusCode, kind: &'static str, mut text: String) -> Response {
    text.push('\n');
    let mut response = Response::new(HttpBody::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
