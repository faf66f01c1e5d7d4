//! The one thread that changes the state. It takes messages in their order: edits at once, questions as snapshots that
//! other threads answer.

use std::cell::LazyCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use driver::Canceller;
use ide::{Ground, Host, Lines};

use crate::ordered::Line;
use crate::report::Reporter;
use crate::worker::{STACK_BYTES, Worker};

/// What the owner thread has.
pub(crate) struct Owner {
    host: Host,
    /// Answers and reports. They want the same of the state, and what one has given back of memory serves the next.
    answers: Worker,
    /// What concerns all packages may take long, and nothing else waits for it. Most editors never ask that.
    surveys: LazyCell<Worker>,
    pub(crate) reporter: Reporter,
}

impl Owner {
    /// Starts the thread; it ends when nobody can hand in anything any more.
    pub(crate) fn start(ground: Arc<dyn Ground>, reporter: Reporter, mut line: Line<Owner>) -> std::io::Result<()> {
        let run = move || {
            let surveys = LazyCell::<Worker>::new(|| Worker::start("surveys"));
            let mut owner = Owner { host: Host::new(ground), answers: Worker::start("answers"), surveys, reporter };
            while let Some(task) = line.wait() {
                owner.turn(task);
                // Reports are for when nothing else is waiting.
                while let Some(task) = line.poll() {
                    owner.turn(task);
                }
                owner.turn(Box::new(|owner| owner.host.catch_up()));
                owner.reporter.report(&owner.host, &owner.answers);
            }
        };
        thread::Builder::new().name("owner".to_owned()).stack_size(STACK_BYTES).spawn(run).map(drop)
    }

    /// The state, in which all edits count.
    pub(crate) fn host(&mut self) -> &mut Host {
        self.host.catch_up();
        &mut self.host
    }

    /// The thread for a question.
    pub(crate) fn worker(&self, reach: Reach) -> &Worker {
        match reach {
            Reach::Package => &self.answers,
            Reach::Everything => &self.surveys,
        }
    }

    /// An editor has changed a document. What comes of many edits at once is asked once.
    pub(crate) fn edit(&mut self, path: &str, version: i32, edited: impl FnOnce(Lines) -> Lines) {
        if let Some((lines, _)) = self.host.document(path) {
            let lines = edited(lines.clone());
            self.host.edit(path, lines, version);
            self.reporter.changed();
        }
    }

    /// Reports about some documents what is known by now.
    pub(crate) fn report_again(&mut self, documents: &[Arc<str>]) {
        self.host.catch_up();
        self.reporter.report_again(&self.host, &self.answers, documents);
    }

    fn turn(&mut self, task: crate::ordered::Task<Owner>) {
        if catch_unwind(AssertUnwindSafe(|| task(self))).is_err() {
            // Whatever was half done, the texts that editors hold are whole.
            let _ = catch_unwind(AssertUnwindSafe(|| self.host.reload()));
        }
    }
}

/// What a question is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reach {
    /// A document and its package.
    Package,
    /// All packages.
    Everything,
}

/// Stops a question when its asker gives up: by `$/cancelRequest`, or by leaving.
#[derive(Default)]
pub(crate) struct Cancel {
    given_up: AtomicBool,
    /// What is computed for the asker: the sessions of one or several packages.
    armed: Mutex<Vec<Canceller>>,
}

impl Cancel {
    /// Whether nobody waits any more.
    pub(crate) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }

    /// From now on giving up stops this.
    pub(crate) fn arm(&self, canceller: Canceller) {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_given_up() {
            canceller.cancel();
        }
        armed.push(canceller);
    }

    fn give_up(&self) {
        let armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        self.given_up.store(true, Ordering::Release);
        armed.iter().for_each(Canceller::cancel);
    }
}

/// Gives up when it is dropped. Behind the answer that changes nothing.
pub(crate) struct Asker(pub(crate) Arc<Cancel>);

impl Drop for Asker {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::{Path, PathBuf};

    use driver::{MemoryWorld, Stopped, World, WorldError};
    use ide::Project;

    use super::*;

    /// Folders that are packages of their own.
    pub(crate) struct Folders(pub(crate) MemoryWorld);

    impl World for Folders {
        fn read(&self, path: &str) -> Result<Arc<str>, WorldError> {
            self.0.read(path)
        }

        fn digest(&self, path: &str) -> Result<[u8; 32], WorldError> {
            self.0.digest(path)
        }

        fn list(&self, folder: &str) -> Vec<String> {
            self.0.list(folder)
        }
    }

    impl Ground for Folders {
        fn project_of(&self, path: &str) -> Project {
            let folder = path.split('/').next().unwrap_or_default().to_owned();
            Project { folder, ..Project::default() }
        }

        fn sources_of(&self, _: &Project) -> Vec<String> {
            Vec::new()
        }

        fn projects_below(&self, _: &str) -> Vec<Project> {
            Vec::new()
        }

        fn file_of(&self, _: &str) -> Option<PathBuf> {
            None
        }

        fn path_of(&self, file: &Path) -> String {
            file.to_string_lossy().into_owned()
        }
    }

    #[test]
    fn of_what_is_closed_nothing_is_reported() {
        let (paths, text) = (["one/a.bmc", "one/b.bmc", "two/a.bmc"], "const A: Int = 1;");
        let mut host = Host::new(Arc::new(Folders(MemoryWorld::new(paths.map(|path| (path, text))))));
        paths.iter().for_each(|path| host.open(path, text.into(), 1));
        let documents = paths.map(Arc::from);
        let reported = |host: &Host| -> Vec<Vec<Arc<str>>> {
            crate::report::by_package(host, &documents).into_iter().map(|(_, paths)| paths).collect()
        };
        let [a, b, other] = documents.clone();
        assert_eq!(reported(&host), [vec![a, b.clone()], vec![other.clone()]]);
        host.close("one/a.bmc");
        assert!(host.snapshot("one/a.bmc").is_some(), "it is still a source");
        assert_eq!(reported(&host), [[b], [other]]);
    }

    #[test]
    fn who_gives_up_stops_what_is_computed_in_every_package() {
        let mut host = Host::new(Arc::new(Folders(MemoryWorld::default())));
        let paths = ["one/a.bmc", "two/a.bmc"];
        paths.iter().for_each(|path| host.open(path, "const A: Int = 1;".into(), 1));
        let snapshots = host.snapshots();
        assert_eq!(snapshots.len(), 2);
        let cancel = Arc::new(Cancel::default());
        let asker = Asker(Arc::clone(&cancel));
        snapshots.iter().for_each(|snapshot| cancel.arm(snapshot.canceller()));
        drop(asker);
        for (snapshot, path) in snapshots.iter().zip(paths) {
            assert_eq!(snapshot.problems(path), Err(Stopped::Asked), "{path}");
        }
        // What is armed too late is stopped at once.
        let late = host.snapshots().remove(0);
        cancel.arm(late.canceller());
        assert_eq!(late.problems("one/a.bmc"), Err(Stopped::Asked));
    }
}
