//! Progress of work that lasts. What is done in a moment shows none, so that nothing flickers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;
use tower_lsp::Client;
use tower_lsp::lsp_types::notification::Progress as ProgressNotification;
use tower_lsp::lsp_types::request::WorkDoneProgressCreate;
use tower_lsp::lsp_types::{
    NumberOrString, ProgressParams, ProgressParamsValue, ProgressToken, WorkDoneProgress, WorkDoneProgressBegin,
    WorkDoneProgressCreateParams, WorkDoneProgressEnd,
};

/// Work that takes less is not shown.
const QUIET: Duration = Duration::from_millis(700);

/// Work that is under way; it ends when this is dropped.
pub(crate) struct Progress {
    _done: oneshot::Sender<()>,
}

/// Where progress is shown: under the name that the client gave, or under one that it is asked for.
pub(crate) enum Place {
    Given(ProgressToken),
    Asked,
    Nowhere,
}

impl Place {
    /// For a question of the client, which may be able to show progress that it has not asked for.
    pub(crate) fn of(given: Option<ProgressToken>, able: bool) -> Self {
        match given {
            Some(token) => Self::Given(token),
            None if able => Self::Asked,
            None => Self::Nowhere,
        }
    }
}

impl Progress {
    /// Work begins.
    pub(crate) fn begin(client: &Client, place: Place, title: &'static str) -> Self {
        let (done, ended) = oneshot::channel();
        if !matches!(place, Place::Nowhere) {
            tokio::spawn(show(client.clone(), place, title, ended));
        }
        Self { _done: done }
    }
}

async fn show(client: Client, place: Place, title: &'static str, mut ended: oneshot::Receiver<()>) {
    if tokio::time::timeout(QUIET, &mut ended).await.is_ok() {
        return;
    }
    let token = match place {
        Place::Given(token) => token,
        Place::Asked => {
            static NEXT: AtomicU64 = AtomicU64::new(0);
            let token = NumberOrString::String(format!("bmc/{}", NEXT.fetch_add(1, Ordering::Relaxed)));
            let params = WorkDoneProgressCreateParams { token: token.clone() };
            if client.send_request::<WorkDoneProgressCreate>(params).await.is_err() {
                return;
            }
            token
        }
        Place::Nowhere => return,
    };
    let begin = WorkDoneProgressBegin { title: title.to_owned(), ..WorkDoneProgressBegin::default() };
    tell(&client, &token, WorkDoneProgress::Begin(begin)).await;
    // The other end is only ever dropped.
    let _ = ended.await;
    tell(&client, &token, WorkDoneProgress::End(WorkDoneProgressEnd { message: None })).await;
}

async fn tell(client: &Client, token: &ProgressToken, progress: WorkDoneProgress) {
    let value = ProgressParamsValue::WorkDone(progress);
    client.send_notification::<ProgressNotification>(ProgressParams { token: token.clone(), value }).await;
}
