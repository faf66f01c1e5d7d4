//! Clients that listen: server-sent events and WebSocket.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body as HttpBody, Bytes, HttpBody as BodyTrait};
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use hyper::body::Frame;
use tokio::sync::{oneshot, watch};
use tokio::time::{Interval, interval, timeout};

use crate::news::{Listener, Topic};
use crate::owner::Event;
use crate::server::{Edge, plain, told_to};

/// After so long without news a listener hears that the node is still there.
const PULSE: Duration = Duration::from_secs(15);
/// A message that a listener does not take in so long ends the connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// Listeners have nothing to say.
const SAID_BYTES_MAX: usize = 4_096;

/// The queue of a client that may listen, or why it may not.
async fn admit(edge: &Edge, headers: &HeaderMap, uri: &Uri) -> Result<Listener, Response> {
    edge.check(headers).await?;
    let topics = Topic::of_query(uri.query().unwrap_or_default());
    let topics = topics
        .ok_or_else(|| plain(StatusCode::BAD_REQUEST, "topics are block, reorg, tx, dropped, doublespend and flow"))?;
    let (reply, listener) = oneshot::channel();
    let gone = || plain(StatusCode::SERVICE_UNAVAILABLE, "the node is stopping or too busy");
    edge.owner.try_send(Event::Listen { topics, reply }).map_err(|_| gone())?;
    let listener = listener.await.map_err(|_| gone())?;
    listener.ok_or_else(|| plain(StatusCode::SERVICE_UNAVAILABLE, "too many listen already"))
}

/// `GET /events`.
pub(super) async fn events(State(edge): State<Arc<Edge>>, headers: HeaderMap, uri: Uri) -> Response {
    let listener = match admit(&edge, &headers, &uri).await {
        Ok(listener) => listener,
        Err(refusal) => return refusal,
    };
    let stream = Stream { listener, pulse: interval(PULSE), ended: false };
    let mut response = Response::new(HttpBody::new(stream));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A body that goes on as long as there is news.
struct Stream {
    listener: Listener,
    pulse: Interval,
    ended: bool,
}

impl BodyTrait for Stream {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = |text: String| Poll::Ready(Some(Ok(Frame::data(Bytes::from(text)))));
        if self.ended {
            return Poll::Ready(None);
        }
        if let Poll::Ready(news) = self.listener.queue.poll_recv(context) {
            return match news {
                Some(news) => frame(news.event()),
                None => {
                    self.ended = true;
                    frame(farewell(&self.listener, "event: lagged\ndata: {}\n\n", "event: stopped\ndata: {}\n\n"))
                }
            };
        }
        // The first tick comes at once, and so tells the client that it is heard.
        match self.pulse.poll_tick(context) {
            Poll::Ready(_) => frame(":\n\n".to_owned()),
            Poll::Pending => Poll::Pending,
        }
    }
}

fn farewell(listener: &Listener, lagged: &str, stopped: &str) -> String {
    if listener.has_lagged() { lagged.to_owned() } else { stopped.to_owned() }
}

/// `GET /ws`.
pub(super) async fn socket(
    State(edge): State<Arc<Edge>>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    // Whoever may not listen does not learn what else is wrong.
    let listener = match admit(&edge, &headers, &uri).await {
        Ok(listener) => listener,
        Err(refusal) => return refusal,
    };
    let Ok(upgrade) = upgrade else { return plain(StatusCode::BAD_REQUEST, "this is for WebSocket only") };
    let (stopping, talking) = (edge.stopping.clone(), edge.talking.clone());
    upgrade.max_message_size(SAID_BYTES_MAX).on_upgrade(async move |socket| {
        talk(socket, listener, stopping).await;
        drop(talking);
    })
}

async fn talk(mut socket: WebSocket, mut listener: Listener, mut stopping: watch::Receiver<bool>) {
    let mut pulse = interval(PULSE);
    loop {
        let message = tokio::select! {
            news = listener.queue.recv() => match news {
                Some(news) => Message::Text(news.message().into()),
                None => break,
            },
            said = socket.recv() => match said {
                // Whatever it says means nothing; that it is there is enough.
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return,
            },
            _ = pulse.tick() => Message::Ping(Bytes::new()),
            () = told_to(&mut stopping) => break,
        };
        if !matches!(timeout(PATIENCE, socket.send(message)).await, Ok(Ok(()))) {
            return;
        }
    }
    let last = farewell(&listener, r#"{"event":"lagged","data":{}}"#, r#"{"event":"stopped","data":{}}"#);
    // Whoever does not take this either is gone.
    let _ = timeout(PATIENCE, socket.send(Message::Text(last.into()))).await;
    let _ = timeout(PATIENCE, socket.send(Message::Close(None))).await;
}
