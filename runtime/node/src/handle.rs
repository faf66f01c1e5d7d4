//! Starting a node and holding on to it.

use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use tokio::sync::{oneshot, watch};

use crate::auth::{CookieFile, Credentials};
use crate::config::{Config, StartError};
use crate::kept::Kept;
use crate::net::Net;
use crate::owner::{self, Event};
use crate::rpc::envelope::{Body, read_body};
use crate::rpc::error::RpcError;
use crate::server;
use crate::state::Node;
use crate::warmup::{self, Warmup};

/// Calls that wait for the owner: as many as the server reads at a time, each perhaps a batch of transactions, and some from this process.
const QUEUE: usize = 1_100;

/// A running node.
///
/// Dropping the handle stops the node without waiting for it.
#[derive(Debug)]
pub struct NodeHandle {
    rpc_addr: SocketAddr,
    p2p_addr: Option<SocketAddr>,
    credentials: String,
    events: SyncSender<Event>,
    owner: Option<JoinHandle<()>>,
    server: Option<JoinHandle<()>>,
}

/// One of the node's threads panicked, which is a bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node crashed; this is a bug")]
pub struct Crashed;

/// Starts a node; when this returns it answers.
///
/// ```
/// let config = node::Config { rpc_bind: ([127, 0, 0, 1], 0).into(), ..node::Config::default() };
/// let node = node::start(config).unwrap();
/// assert_eq!(node.call("getblockcount", "[]").unwrap(), "0");
/// node.stop();
/// node.join().unwrap();
/// ```
///
/// # Errors
/// [`StartError`] if the configuration is unsafe, the port is taken, or a file or thread cannot be made.
pub fn start(config: Config) -> Result<NodeHandle, StartError> {
    config.check()?;
    let mut randomness = [0; 32];
    getrandom::fill(&mut randomness).map_err(|_| StartError::Randomness)?;
    let mut nonces = [0; 8];
    getrandom::fill(&mut nonces).map_err(|_| StartError::Randomness)?;
    let credentials = Credentials::new(&config.auth, &config.rpcauth, randomness);
    let listener = bind(config.rpc_bind)?;
    let rpc_addr = listener.local_addr().map_err(|source| StartError::Bind { address: config.rpc_bind, source })?;
    let kept = Kept::take(&config)?;
    let cookie = CookieFile::write(&config, &credentials)?;
    let (events, inbox) = sync_channel(QUEUE);
    let (stop, stopping) = watch::channel(false);
    let doors = (credentials.clone(), config.rest_is_open);
    let server = spawn("rpc", serve(listener, events.clone(), doors, stopping)?)?;
    // Dropped if the start fails or the owner panics: the server stops and the cookie goes.
    let guards = (cookie, StopOnDrop(stop));
    let mut warmup = Warmup::new(config.progress.clone());
    let said = warmup.said();
    let clerk = thread::Builder::new().name("warmup".to_owned()).spawn(move || warmup::answer(inbox, &said));
    let clerk = clerk.map_err(StartError::Thread)?;
    let node = Node::new(&config, kept, &mut warmup);
    // The clerk leaves when it reads this, or when nobody can write to it any more.
    let _ = events.send(Event::Stop);
    let inbox = clerk.join();
    let mut node = match node {
        Ok(node) => node,
        Err(error) => {
            drop((guards, inbox));
            let _ = server.join();
            return Err(error);
        }
    };
    let inbox = inbox.map_err(|_| StartError::Thread(std::io::ErrorKind::Other.into()))?;
    node.begin_with_peers(Net::start(&config, node.services(), events.clone(), u64::from_le_bytes(nonces))?);
    let p2p_addr = node.peer_address();
    let own = events.clone();
    let owner = spawn("owner", move || {
        let _guards = guards;
        owner::run(node, &inbox, own);
    })?;
    tracing::info!(%rpc_addr, "the node answers");
    let credentials = credentials.pair().to_owned();
    Ok(NodeHandle { rpc_addr, p2p_addr, credentials, events, owner: Some(owner), server: Some(server) })
}

struct StopOnDrop(watch::Sender<bool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address).and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    listener.map_err(|source| StartError::Bind { address, source })
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StartError> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map_err(StartError::Thread)
}

/// The server as a thread's work.
fn serve(
    listener: TcpListener,
    events: SyncSender<Event>,
    doors: (Credentials, bool),
    stopping: watch::Receiver<bool>,
) -> Result<impl FnOnce() + Send + 'static, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
    let listener = {
        let _context = runtime.enter();
        tokio::net::TcpListener::from_std(listener).map_err(StartError::Thread)?
    };
    Ok(move || runtime.block_on(server::serve(listener, events, doors, stopping)))
}

impl NodeHandle {
    /// Where the RPC server listens.
    #[must_use]
    pub const fn rpc_addr(&self) -> SocketAddr {
        self.rpc_addr
    }

    /// Where other nodes may call, if the node listens.
    #[must_use]
    pub const fn p2p_addr(&self) -> Option<SocketAddr> {
        self.p2p_addr
    }

    /// The URL of the RPC server.
    #[must_use]
    pub fn rpc_url(&self) -> String {
        format!("http://{}/", self.rpc_addr)
    }

    /// The credentials as `user:password`; with a cookie, the content of its file.
    #[must_use]
    pub fn cookie(&self) -> &str {
        &self.credentials
    }

    /// Calls a method without HTTP. `params` is a JSON list or object; so is the result JSON.
    ///
    /// # Errors
    /// [`RpcError`] with the code and message that an HTTP client would see.
    pub fn call(&self, method: &str, params: &str) -> Result<String, RpcError> {
        let body = format!(r#"{{"method":{},"params":{params}}}"#, crate::json::Json::from(method));
        let call = match read_body(body.as_bytes())? {
            Body::Single(mut request) => request.take_call()?,
            Body::Batch(_) => return Err(server::stopped()),
        };
        let (reply, outcome) = oneshot::channel();
        self.events.send(Event::Call { call, reply }).map_err(|_| server::stopped())?;
        outcome.blocking_recv().map_err(|_| server::stopped())?.map(|result| result.to_string())
    }

    /// Tells the node to stop and returns at once.
    pub fn stop(&self) {
        // A node that is gone has stopped already; a full queue cannot be waited for here, but the owner drains it.
        let _ = self.events.send(Event::Stop);
    }

    /// Waits until the node has stopped, by [`NodeHandle::stop`] or by a client's call of `stop`.
    ///
    /// # Errors
    /// [`Crashed`] if one of its threads panicked.
    pub fn join(mut self) -> Result<(), Crashed> {
        let threads = [self.owner.take(), self.server.take()];
        threads.into_iter().flatten().try_for_each(|thread| thread.join().map_err(|_| Crashed))
    }
}

impl Drop for NodeHandle {
    fn drop(&mut self) {
        let _ = self.events.try_send(Event::Stop);
    }
}
