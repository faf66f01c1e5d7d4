//! The order of messages.
//!
//! tower-lsp polls the handlers of several messages at once and in no order. [`Ordered`] is called in the order of the
//! wire and gives each message a [`Ticket`]; a handler hands its ticket in with what is to be done, and [`Line`] gives
//! that out again in the order of the tickets. A ticket that nobody hands in counts as handed in when it is dropped.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use tokio::sync::Notify;
use tower::Service;
use tower_lsp::jsonrpc::{Request, Response};

/// So many messages may be under way at once: all that wait for an answer, so that one that cancels never waits itself.
pub(crate) const MESSAGES_MAX: usize = 1 << 16;

/// Something to be done when its turn comes.
pub(crate) type Task<T> = Box<dyn FnOnce(&mut T) + Send>;

/// A number with what is to be done; nothing if the message asks for nothing.
type Handed<T> = (u64, Option<Task<T>>);

/// The place of a message in the order of the wire.
pub(crate) struct Ticket<T> {
    number: u64,
    line: Option<Sender<Handed<T>>>,
}

impl<T> Ticket<T> {
    /// Hands in what is to be done at this place in the order.
    pub(crate) fn hand_in(mut self, task: Task<T>) {
        if let Some(line) = self.line.take() {
            // Nobody is there any more only when the server ends.
            let _ = line.send((self.number, Some(task)));
        }
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            let _ = line.send((self.number, None));
        }
    }
}

/// What was handed in, in the order of the tickets.
pub(crate) struct Line<T> {
    handed: Receiver<Handed<T>>,
    early: BTreeMap<u64, Option<Task<T>>>,
    next: u64,
}

/// Gives out tickets.
pub(crate) struct Tickets<T> {
    line: Arc<Sender<Handed<T>>>,
    next: u64,
}

/// The number of what is no message, and is done as soon as it is seen.
const ASIDE: u64 = u64::MAX;

/// Hands in what no message asks for. It does not keep the line open.
pub(crate) struct Aside<T> {
    line: Weak<Sender<Handed<T>>>,
}

impl<T> Aside<T> {
    /// Hands in what is to be done between messages.
    pub(crate) fn hand_in(&self, task: Task<T>) {
        if let Some(line) = self.line.upgrade() {
            // Nobody is there any more only when the server ends.
            let _ = line.send((ASIDE, Some(task)));
        }
    }
}

/// The two ends of an order.
pub(crate) fn line<T>() -> (Tickets<T>, Line<T>) {
    let (sender, handed) = channel();
    (Tickets { line: Arc::new(sender), next: 0 }, Line { handed, early: BTreeMap::new(), next: 0 })
}

impl<T> Tickets<T> {
    pub(crate) fn next(&mut self) -> Ticket<T> {
        let number = self.next;
        self.next += 1;
        Ticket { number, line: Some(Sender::clone(&self.line)) }
    }

    /// For what no message asks for.
    pub(crate) fn aside(&self) -> Aside<T> {
        Aside { line: Arc::downgrade(&self.line) }
    }
}

impl<T> Line<T> {
    /// What is next, waiting for it; nothing once no ticket is left that could be handed in.
    pub(crate) fn wait(&mut self) -> Option<Task<T>> {
        loop {
            if let Some(task) = self.due() {
                return Some(task);
            }
            match self.handed.recv().ok()? {
                (ASIDE, task) => return task,
                (number, task) => drop(self.early.insert(number, task)),
            }
        }
    }

    /// What is next, if it was handed in already.
    pub(crate) fn poll(&mut self) -> Option<Task<T>> {
        loop {
            if let Some(task) = self.due() {
                return Some(task);
            }
            match self.handed.try_recv() {
                Ok((ASIDE, task)) => return task,
                Ok((number, task)) => drop(self.early.insert(number, task)),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return None,
            }
        }
    }

    fn due(&mut self) -> Option<Task<T>> {
        while let Some(task) = self.early.remove(&self.next) {
            self.next += 1;
            if task.is_some() {
                return task;
            }
        }
        None
    }
}

/// Whether the client has left.
#[derive(Clone, Debug, Default)]
pub(crate) struct Left {
    gone: Arc<Notify>,
    announced: Arc<AtomicBool>,
}

impl Left {
    /// Waits until the client says `exit`.
    pub(crate) async fn gone(&self) {
        self.gone.notified().await;
    }

    /// Whether it said `shutdown` before.
    pub(crate) fn was_announced(&self) -> bool {
        self.announced.load(Ordering::Acquire)
    }
}

tokio::task_local! {
    /// The ticket of the message that a handler is called for.
    static TICKET: RefCell<Option<Ticket<crate::owner::Owner>>>;
}

/// The ticket of the message that is being handled; none if it was taken already.
pub(crate) fn ticket() -> Option<Ticket<crate::owner::Owner>> {
    TICKET.try_with(RefCell::take).ok().flatten()
}

/// A service whose handlers find a ticket.
pub(crate) struct Ordered<S> {
    inner: S,
    tickets: Tickets<crate::owner::Owner>,
    left: Left,
}

impl<S> Ordered<S> {
    pub(crate) fn new(inner: S, tickets: Tickets<crate::owner::Owner>) -> (Self, Left) {
        let left = Left::default();
        (Self { inner, tickets, left: left.clone() }, left)
    }
}

impl<S> Service<Request> for Ordered<S>
where
    S: Service<Request, Response = Option<Response>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match request.method() {
            "shutdown" => self.left.announced.store(true, Ordering::Release),
            // The next message would end the server, but none comes.
            "exit" => self.left.gone.notify_one(),
            _ => {}
        }
        let request = without_null(request);
        let ticket = RefCell::new(Some(self.tickets.next()));
        Box::pin(TICKET.scope(ticket, self.inner.call(request)))
    }
}

/// Some clients write parameters that are `null` where there are none, which tower-lsp refuses.
fn without_null(request: Request) -> Request {
    if !request.params().is_some_and(serde_json::Value::is_null) {
        return request;
    }
    let (method, id, _) = request.into_parts();
    match id {
        Some(id) => Request::build(method).id(id).finish(),
        None => Request::build(method).finish(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_come_in_the_order_of_the_tickets_whoever_hands_in_first() {
        let (mut tickets, mut line) = line::<Vec<u32>>();
        let mut taken: Vec<_> = (0..6).map(|_| Some(tickets.next())).collect();
        let mut seen = Vec::new();
        assert!(line.poll().is_none());
        for index in [3_usize, 1, 5, 2, 0] {
            let ticket = taken[index].take().unwrap();
            // The message at 2 asks for nothing.
            if index != 2 {
                let number = u32::try_from(index).unwrap();
                ticket.hand_in(Box::new(move |seen: &mut Vec<u32>| seen.push(number)));
            }
            while let Some(task) = line.poll() {
                task(&mut seen);
            }
        }
        assert_eq!(seen, [0, 1, 3], "the one at 4 is still out");
        drop(taken);
        drop(tickets);
        while let Some(task) = line.wait() {
            task(&mut seen);
        }
        assert_eq!(seen, [0, 1, 3, 5]);
    }

    #[test]
    fn what_no_message_asks_for_is_done_between_messages_and_keeps_no_line_open() {
        let (mut tickets, mut line) = line::<Vec<u32>>();
        let aside = tickets.aside();
        let (first, second) = (tickets.next(), tickets.next());
        let mut seen = Vec::new();
        second.hand_in(Box::new(|seen| seen.push(2)));
        aside.hand_in(Box::new(|seen| seen.push(0)));
        line.wait().unwrap()(&mut seen);
        first.hand_in(Box::new(|seen| seen.push(1)));
        aside.hand_in(Box::new(|seen| seen.push(3)));
        while let Some(task) = line.poll() {
            task(&mut seen);
        }
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 3]);
        drop(tickets);
        aside.hand_in(Box::new(|seen| seen.push(4)));
        assert!(line.wait().is_none());
    }
}
