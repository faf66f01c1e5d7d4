//! `bmc lsp`: the language server that editors start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use driver::{World, WorldError};
use ide::{Ground, Project};

use crate::fail::Fail;
use crate::package::{self, MANIFEST, Tree};
use crate::project::{self, DiskWorld, TargetArgs};
use crate::shell::Shell;

/// How deep packages are looked for below a folder of the workspace, and how many folders at most.
const DEPTH_MAX: usize = 8;
const FOLDERS_MAX: usize = 5_000;

/// Serve an editor: diagnostics, completion, hovers and the rest of the Language Server Protocol over standard input
/// and output.
#[derive(Args)]
#[command(after_help = "Examples:\n  bmc lsp\n  bmc lsp --stdio\n\nAn editor starts it: docs/editors.md says how.")]
pub(crate) struct Lsp {
    /// The only way there is to talk to it; some editors insist on saying so.
    #[arg(long)]
    stdio: bool,
}

impl Lsp {
    pub(crate) fn run(self, _: &Shell) -> Result<(), Fail> {
        let Self { stdio: _ } = self;
        #[cfg(unix)]
        give_memory_back();
        // Of ten threads each would have pages of two megabytes, most of them empty. Where that cannot be, more memory is used.
        #[cfg(target_os = "linux")]
        let _ = rustix::thread::disable_transparent_huge_pages(true);
        if server::serve(Arc::new(Disk::new()))? {
            return Ok(());
        }
        Err(Fail::refused("the client left without saying `shutdown`")
            .help("this is for an editor to start; docs/editors.md says how"))
    }
}

/// Begins anew as a process that gives memory back as soon as it is free, unless somebody has decided how that is: an
/// editor waits most of the time, and what it waits with should be little. The allocator reads that before anything else
/// runs. Where it cannot be, more memory is used.
#[cfg(unix)]
fn give_memory_back() {
    use std::os::unix::process::CommandExt as _;

    /// Milliseconds until free memory is given back.
    const DELAY: &str = "MIMALLOC_PURGE_DELAY";
    let mut arguments = std::env::args_os();
    if let (None, Ok(own), Some(name)) = (std::env::var_os(DELAY), std::env::current_exe(), arguments.next()) {
        let _ = std::process::Command::new(own).arg0(name).args(arguments).env(DELAY, "0").exec();
    }
}

/// The disk with its manifests.
struct Disk {
    /// Where copies of the standard library go, for editors to open.
    library: PathBuf,
}

impl Disk {
    fn new() -> Self {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let base = cache.or_else(home).unwrap_or_else(std::env::temp_dir);
        Self { library: base.join("bmc").join(format!("std-{}", env!("CARGO_PKG_VERSION"))) }
    }

    /// The file that holds a module of the standard library, written if it is not there as it should be.
    fn library_file(&self, module: &str) -> Option<PathBuf> {
        let (_, text) = driver::library().find(|(path, _)| path.strip_prefix(LIBRARY) == Some(module))?;
        let file = self.library.join(format!("{module}.bmc"));
        if std::fs::read_to_string(&file).is_ok_and(|known| known == text) {
            return Some(file);
        }
        std::fs::create_dir_all(&self.library).ok()?;
        std::fs::write(&file, text).ok()?;
        Some(file)
    }
}

/// What the paths of the standard library begin with.
const LIBRARY: &str = "std::";

impl World for Disk {
    fn read(&self, path: &str) -> Result<Arc<str>, WorldError> {
        match driver::library().find(|(known, _)| known == path) {
            Some((_, text)) => Ok(text.into()),
            None => DiskWorld.read(path),
        }
    }

    fn import(&self, path: &str, folder: &str) -> Result<Arc<str>, WorldError> {
        DiskWorld.import(path, folder)
    }

    fn digest(&self, path: &str) -> Result<[u8; 32], WorldError> {
        DiskWorld.digest(path)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        DiskWorld.list(folder)
    }
}

impl Ground for Disk {
    fn project_of(&self, path: &str) -> Project {
        if path.starts_with(LIBRARY) {
            return Project { folder: LIBRARY.to_owned(), ..Project::default() };
        }
        match package::folder_around(path) {
            Some(folder) => project_at(folder),
            None => Project {
                folder: path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned(),
                ..Project::default()
            },
        }
    }

    fn sources_of(&self, project: &Project) -> Vec<String> {
        // Without a package nobody says which files belong together.
        let packaged = Path::new(&project.folder).join(MANIFEST).exists();
        if packaged { project::sources(&[PathBuf::from(&project.folder)]).unwrap_or_default() } else { Vec::new() }
    }

    fn projects_below(&self, folder: &str) -> Vec<Project> {
        let mut found: Vec<Project> =
            package::folder_around(&format!("{folder}/x")).map(project_at).into_iter().collect();
        let mut waiting = vec![(PathBuf::from(folder), 0)];
        let mut seen = 0;
        while let Some((folder, depth)) = waiting.pop() {
            seen += 1;
            let name = folder.to_string_lossy().replace('\\', "/");
            if folder.join(MANIFEST).exists() && !found.iter().any(|known| known.folder == name) {
                found.push(project_at(&name));
            }
            if depth < DEPTH_MAX && seen < FOLDERS_MAX {
                waiting.extend(folders_in(&folder).into_iter().map(|inner| (inner, depth + 1)));
            }
        }
        found
    }

    fn file_of(&self, path: &str) -> Option<PathBuf> {
        match path.strip_prefix(LIBRARY) {
            Some(module) => self.library_file(module),
            None => Some(PathBuf::from(path)),
        }
    }

    fn path_of(&self, file: &Path) -> String {
        let module = file.strip_prefix(&self.library).ok().and_then(|inner| inner.to_str()?.strip_suffix(".bmc"));
        match module {
            Some(module) => format!("{LIBRARY}{module}"),
            None => file.to_string_lossy().replace('\\', "/"),
        }
    }
}

/// The folders in a folder, but for those that hold no sources.
fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let folders = entries.flatten().filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let hidden = name.starts_with('.') || matches!(&*name, "target" | "node_modules");
        !hidden && entry.file_type().is_ok_and(|kind| kind.is_dir())
    });
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.path()).collect();
    folders.sort_by(|a, b| b.cmp(a));
    folders
}

/// The project in a folder with a manifest.
fn project_at(folder: &str) -> Project {
    let folder = folder.to_owned();
    match Tree::at(&folder) {
        Ok(tree) => {
            let (options, levels) = project::settings(Some(&tree), TargetArgs::default());
            Project { packages: tree.packages(), folder, options, levels, trouble: None }
        }
        Err(fail) => Project { folder, trouble: Some(fail.message), ..Project::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_found_below_a_folder_and_a_file_belongs_to_the_nearest() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path).to_string_lossy().into_owned();
        for package in ["app", "libs/shares", "node_modules/hidden"] {
            std::fs::create_dir_all(at(package)).unwrap();
            let name = package.rsplit('/').next().unwrap();
            std::fs::write(
                at(&format!("{package}/bmc.toml")),
                format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n"),
            )
            .unwrap();
            std::fs::write(at(&format!("{package}/a.bmc")), "const A: Int = 1;\n").unwrap();
        }
        std::fs::write(at("loose.bmc"), "").unwrap();
        let disk = Disk { library: root.path().join("std") };
        let found: Vec<String> = disk.projects_below(&at("")).iter().map(|found| found.folder.clone()).collect();
        assert!(found.iter().any(|folder| folder.ends_with("/app")) && found.len() == 2, "{found:?}");
        assert_eq!(disk.project_of(&at("app/a.bmc")).folder, at("app"));
        assert_eq!(disk.project_of(&at("app/a.bmc")).trouble, None);
        assert_eq!(disk.sources_of(&disk.project_of(&at("app/a.bmc"))), [at("app/a.bmc")]);
        assert!(disk.sources_of(&disk.project_of(&at("loose.bmc"))).is_empty());
        std::fs::write(at("app/bmc.toml"), "[package]\nname = 1\n").unwrap();
        assert!(disk.project_of(&at("app/a.bmc")).trouble.is_some());
    }

    #[test]
    fn a_module_of_the_library_has_a_file_that_is_the_module_again() {
        let root = tempfile::tempdir().unwrap();
        let disk = Disk { library: root.path().join("std") };
        let file = disk.file_of("std::math").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), *disk.read("std::math").unwrap());
        assert_eq!(disk.path_of(&file), "std::math");
        assert_eq!(disk.file_of("std::nowhere"), None);
    }
}
