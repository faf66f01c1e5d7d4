//! A conversation with one client. What it says is read on one thread and runs are made on another, so that it is heard while
//! one is made.

use std::io::{self, BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use crate::adapter::Adapter;
use crate::launcher::{Launcher, Refusal};
use crate::making::{Made, Order};

/// A longer message is none: the longest is a launch with a transaction in it.
const MESSAGE_BYTES_MAX: usize = 32 << 20;
/// So many messages are read ahead.
const AHEAD_MAX: usize = 64;
/// The stack of the thread that makes runs: deep trees are walked by recursion.
const STACK_BYTES: usize = 16 << 20;

/// What comes to the adapter.
enum Arrival {
    Said(io::Result<Option<Vec<u8>>>),
    Made(Made),
}

/// Serves one client until it disconnects, or until there is no more to read and all is answered. Says whether a client has
/// spoken.
///
/// # Errors
/// What `input` or `output` fails with, if a message is too long or cut off, or if the system gives no threads.
pub fn serve(
    input: impl BufRead + Send + 'static,
    output: &mut impl Write,
    launcher: Arc<dyn Launcher>,
) -> io::Result<bool> {
    let (sender, arrivals) = sync_channel(AHEAD_MAX);
    let orders = make_runs(Arc::clone(&launcher), sender.clone())?;
    read(input, sender)?;
    converse(&mut Adapter::new(launcher), &arrivals, &orders, output)
}

fn converse(
    adapter: &mut Adapter,
    arrivals: &Receiver<Arrival>,
    orders: &Sender<Order>,
    output: &mut impl Write,
) -> io::Result<bool> {
    let mut has_ended = false;
    // There is always somebody who sends: the thread that makes runs goes on until it gets no more orders.
    while let Ok(arrival) = arrivals.recv() {
        match arrival {
            Arrival::Said(message) => match message? {
                Some(body) => adapter.hear(&body, output)?,
                None => has_ended = true,
            },
            Arrival::Made(made) => adapter.take(made, output)?,
        }
        if let Some(order) = adapter.order() {
            orders.send(order).map_err(io::Error::other)?;
        }
        if adapter.has_left() {
            return Ok(true);
        }
        if has_ended && !adapter.is_making() {
            break;
        }
    }
    Ok(adapter.was_greeted())
}

/// Starts the thread that reads.
fn read(mut input: impl BufRead + Send + 'static, sender: SyncSender<Arrival>) -> io::Result<()> {
    let run = move || {
        loop {
            let message = framing::read(&mut input, MESSAGE_BYTES_MAX);
            let is_last = !matches!(message, Ok(Some(_)));
            // Nobody may listen any more.
            if sender.send(Arrival::Said(message)).is_err() || is_last {
                return;
            }
        }
    };
    thread::Builder::new().name("input".to_owned()).spawn(run).map(drop)
}

/// Starts the thread that makes runs.
fn make_runs(launcher: Arc<dyn Launcher>, sender: SyncSender<Arrival>) -> io::Result<Sender<Order>> {
    let (orders, queue) = channel::<Order>();
    let run = move || {
        while let Ok(order) = queue.recv() {
            if sender.send(Arrival::Made(made(&*launcher, order))).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("runs".to_owned()).stack_size(STACK_BYTES).spawn(run)?;
    Ok(orders)
}

/// Makes the run that is ordered.
pub(crate) fn made(launcher: &dyn Launcher, order: Order) -> Made {
    let Order { number, arguments } = order;
    let outcome = catch_unwind(AssertUnwindSafe(|| launcher.launch(&arguments)));
    let outcome = outcome.unwrap_or_else(|_| {
        Err(Refusal {
            message: "the run could not be made: `bmc` has panicked".to_owned(),
            help: Some("this is a bug: please report it with what you launch".to_owned()),
            notes: String::new(),
        })
    });
    Made { number, outcome: outcome.map(Box::new) }
}
