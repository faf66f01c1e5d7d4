//! `bmc test --watch`: once more whenever a source changes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, SystemTime};

use crate::fail::{Exit, Fail};
use crate::project;
use crate::shell::{FAINT, Shell};

/// How often sources are looked at.
const EVERY: Duration = Duration::from_millis(300);

/// When each source was written last.
fn written(paths: &[PathBuf]) -> BTreeMap<String, Option<SystemTime>> {
    let sources = project::sources(paths).unwrap_or_default();
    let time = |path: &String| std::fs::metadata(path).and_then(|data| data.modified()).ok();
    sources.into_iter().map(|path| (path.clone(), time(&path))).collect()
}

/// Runs `once` now and after each change, until the process is ended. Wrong usage ends it too.
pub(super) fn forever(shell: &Shell, paths: &[PathBuf], once: impl Fn() -> Result<(), Fail>) -> Result<(), Fail> {
    loop {
        let before = written(paths);
        match once() {
            Err(fail) if fail.exit == Exit::Usage && before.is_empty() => return Err(fail),
            Err(fail) => drop(shell.fail(&fail)),
            Ok(()) => {}
        }
        shell.note(format_args!("{FAINT}waiting for a change; Ctrl-C ends it{FAINT:#}"));
        while written(paths) == before {
            thread::sleep(EVERY);
        }
    }
}
