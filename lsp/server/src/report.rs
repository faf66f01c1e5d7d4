//! Pushed diagnostics: computed behind the edits, one report for however many came at once, none that is out of date.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ide::{Host, Snapshot};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tower_lsp::Client;
use tower_lsp::lsp_types::{Diagnostic, DiagnosticSeverity, Url};

use crate::backend::Shared;
use crate::coster::Coster;
use crate::ordered::Aside;
use crate::owner::Owner;
use crate::worker::Worker;

/// What manifests are called.
const MANIFEST: &str = "bmc.toml";

/// What is to be shown of a document.
struct Report {
    path: String,
    url: Url,
    version: Option<i32>,
    diagnostics: Vec<Diagnostic>,
}

/// Pushes diagnostics of the open documents.
pub(crate) struct Reporter {
    shared: Arc<Shared>,
    reports: UnboundedSender<Report>,
    /// Something has changed since the last report.
    dirty: bool,
    /// Counts changes.
    generation: Arc<AtomicU64>,
    /// What was said about manifests.
    troubled: BTreeMap<String, String>,
    coster: Coster,
}

impl Reporter {
    pub(crate) fn new(shared: Arc<Shared>, client: Client, owner: Aside<Owner>) -> Self {
        let (reports, queue) = unbounded_channel();
        let generation = Arc::<AtomicU64>::default();
        let coster = Coster::start(Arc::clone(&shared), client.clone(), owner, Arc::clone(&generation));
        tokio::spawn(publish(client, Arc::clone(&shared), queue));
        Self { shared, reports, dirty: false, generation, troubled: BTreeMap::new(), coster }
    }

    /// Something has changed: the last report counts no more.
    pub(crate) fn changed(&mut self) {
        self.dirty = true;
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Nothing is wrong with a document that is closed.
    pub(crate) fn clear(&self, path: &str, url: Url) {
        let _ = self.reports.send(Report { path: path.to_owned(), url, version: None, diagnostics: Vec::new() });
    }

    /// Says which manifests cannot be used, and takes back what was said of those that can be used again.
    fn manifests(&mut self, host: &Host) {
        let now: BTreeMap<String, String> =
            host.troubles().map(|(folder, why)| (format!("{folder}/{MANIFEST}"), why.to_owned())).collect();
        let gone = self.troubled.keys().filter(|path| !now.contains_key(*path)).map(|path| of_manifest(path, None));
        let new = now.iter().filter(|(path, why)| self.troubled.get(*path) != Some(why));
        let reports = gone.chain(new.map(|(path, why)| of_manifest(path, Some(why)))).flatten();
        reports.for_each(|report| drop(self.reports.send(report)));
        self.troubled = now;
    }

    /// Begins the report about a change, if there was one and the client does not ask by itself.
    pub(crate) fn report(&mut self, host: &Host, worker: &Worker) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        self.manifests(host);
        self.coster.changed();
        let documents: Vec<Arc<str>> = host.documents().cloned().collect();
        self.report_again(host, worker, &documents);
    }

    /// Reports about some documents what is known by now, if the client does not ask by itself.
    pub(crate) fn report_again(&self, host: &Host, worker: &Worker, documents: &[Arc<str>]) {
        if self.shared.settings().pulls {
            return;
        }
        let snapshots = by_package(host, documents);
        let (shared, reports) = (Arc::clone(&self.shared), self.reports.clone());
        let (generation, begun) = (Arc::clone(&self.generation), self.generation.load(Ordering::Acquire));
        worker.run(move || {
            for (snapshot, paths) in snapshots {
                for path in paths {
                    let current = || generation.load(Ordering::Acquire) == begun;
                    // An edit stops the question, and there will be another report.
                    let Some(report) = current().then(|| report_of(&shared, &snapshot, &path)).flatten() else {
                        return;
                    };
                    let _ = reports.send(report);
                }
            }
        });
    }
}

/// What answers for documents, as far as they are still open: one snapshot for those of one package.
pub(crate) fn by_package(host: &Host, documents: &[Arc<str>]) -> Vec<(Snapshot, Vec<Arc<str>>)> {
    let mut snapshots: Vec<(Snapshot, Vec<Arc<str>>)> = Vec::new();
    for path in documents.iter().filter(|path| host.document(path).is_some()) {
        let known = snapshots.iter_mut().find(|(snapshot, _)| snapshot.is_home_of(path));
        match known {
            Some((_, paths)) => paths.push(Arc::clone(path)),
            None => snapshots.extend(host.snapshot(path).map(|snapshot| (snapshot, vec![Arc::clone(path)]))),
        }
    }
    snapshots
}

/// Shows a manifest that cannot be used at its first line.
fn of_manifest(path: &str, why: Option<&str>) -> Option<Report> {
    let diagnostic = |why: &str| Diagnostic {
        severity: Some(DiagnosticSeverity::ERROR),
        source: Some("bmc".to_owned()),
        message: why.to_owned(),
        ..Diagnostic::default()
    };
    let (path, url) = (path.to_owned(), Url::from_file_path(path).ok()?);
    Some(Report { path, url, version: None, diagnostics: why.map(diagnostic).into_iter().collect() })
}

fn report_of(shared: &Shared, snapshot: &Snapshot, path: &str) -> Option<Report> {
    let diagnostics = shared.diagnostics(snapshot, path).ok()?;
    let url = shared.documents.url(path, &*shared.ground)?;
    Some(Report { path: path.to_owned(), url, version: snapshot.version(path), diagnostics })
}

/// Sends reports in their order, without those that a later edit has overtaken.
async fn publish(client: Client, shared: Arc<Shared>, mut queue: UnboundedReceiver<Report>) {
    while let Some(Report { path, url, version, diagnostics }) = queue.recv().await {
        if shared.documents.version(&path) == version {
            client.publish_diagnostics(url, diagnostics, version).await;
        }
    }
}
