//! A reader who does what a page says, from top to bottom, in an empty folder.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a page that cannot be read fails by panicking"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::page::{Block, Step, blocks, pictures, steps};
use super::shown::Digests;

/// How long a node may take to say that it is there.
const NODE_STARTS: Duration = Duration::from_secs(120);

/// The address at which the pages have their node.
const NODE_OF_PAGES: &str = "127.0.0.1:18443";

/// Where no node answers, whatever else runs on the machine.
const NOBODY: &str = "127.0.0.1:2";

/// Where the pages have their repository.
const REPOSITORY_OF_PAGES: &str = "<this repository>";

/// Languages whose blocks no command of ours could check: pictures, layouts of bytes, and what others write.
const OF_OTHERS: &[&str] = &["text", "mermaid", "rust", "solidity", "javascript", "aiken"];

/// Statements of a block `body` stand in a function that has the names they use.
const BODY: &str = "fn page(a: Int, b: Int, data: Bytes, four: Bytes<4>, key: PubKey, sig: Sig, word: DataSig, \
    flag: Bool, at: Height) {\n";

/// One who reads pages.
pub struct Reader {
    home: TempDir,
    /// Where the binary is.
    bin: PathBuf,
    /// Where the reader's shell is.
    folder: PathBuf,
    node: Option<Node>,
    digests: Digests,
    alone: usize,
    /// What the compiler said of the last source that is wrong.
    said: String,
    overwrites: bool,
    /// What is cloned and built, if anything is.
    repository: Option<PathBuf>,
    did: Vec<Did>,
}

/// A command that was run.
pub struct Did {
    /// As the page has it.
    pub command: String,
    /// On both streams.
    pub printed: String,
    /// How long it took; of a node, until it was there.
    pub took: Duration,
}

/// What is wrong with a block, and lines of it with what belongs there instead.
#[derive(Default)]
struct Found {
    wrong: Vec<String>,
    edits: Vec<(Range<usize>, String)>,
}

impl Found {
    fn complaint(complaint: impl Into<String>) -> Self {
        Self { wrong: vec![complaint.into()], edits: Vec::new() }
    }
}

impl From<Result<(), String>> for Found {
    fn from(told: Result<(), String>) -> Self {
        told.err().map(Self::complaint).unwrap_or_default()
    }
}

impl Reader {
    /// One with an empty home, and a binary `bmc` that lies in the folder `bin`.
    pub fn new(bin: &Path) -> Self {
        let home = TempDir::new().expect("there is room for a folder");
        // The name that the shell tells of it.
        let folder = home.path().canonicalize().unwrap().join("work");
        fs::create_dir(&folder).unwrap();
        Self {
            home,
            bin: bin.to_owned(),
            folder,
            node: None,
            digests: Digests::default(),
            alone: 0,
            said: String::new(),
            overwrites: false,
            repository: None,
            did: Vec::new(),
        }
    }

    /// One who clones the repository and builds the binary as the pages say.
    pub fn who_builds(repository: &Path) -> Self {
        let mut reader = Self::new(Path::new(""));
        reader.bin = reader.home.path().join(".cargo/bin");
        reader.repository = Some(repository.to_owned());
        reader
    }

    /// Writes outputs, layouts and pictures that differ into the page.
    pub fn overwrite(mut self) -> Self {
        self.overwrites = true;
        self
    }

    /// The commands until now.
    pub fn did(&self) -> &[Did] {
        &self.did
    }

    /// Does what the page says, and returns what is wrong with it.
    pub fn read(&mut self, path: &Path) -> Vec<String> {
        let page = fs::read_to_string(path).unwrap();
        let folder = path.parent().unwrap();
        let mut wrong = Vec::new();
        let mut edits = Vec::new();
        for block in blocks(&page, folder) {
            let found = self.block(&block);
            let place = format!("{}:{}", path.display(), block.lines.start);
            wrong.extend(found.wrong.into_iter().map(|complaint| format!("{place}: {complaint}")));
            let start = block.lines.start;
            edits.extend(found.edits.into_iter().map(|(lines, text)| (start + lines.start..start + lines.end, text)));
        }
        wrong.extend(pictures(&page).filter_map(|name| self.picture(&folder.join(name))));
        if self.overwrites && !edits.is_empty() {
            fs::write(path, edited(&page, edits)).unwrap();
        }
        wrong
    }

    /// A picture that a command of the page has made is the one that the page shows.
    fn picture(&self, shown: &Path) -> Option<String> {
        let made = fs::read(self.folder.join(shown.file_name()?)).ok()?;
        if fs::read(shown).ok().as_ref() == Some(&made) {
            return None;
        }
        if self.overwrites {
            fs::create_dir_all(shown.parent()?).unwrap();
            fs::write(shown, made).unwrap();
        }
        Some(format!("{} is not the picture that the commands make", shown.display()))
    }

    fn block(&mut self, block: &Block) -> Found {
        let words: Vec<&str> = block.words.iter().map(String::as_str).collect();
        match (block.language.as_str(), &words[..]) {
            ("console", ["node"]) => self.starts_node(&block.text),
            ("console", ["elsewhere"]) if self.repository.is_none() => Found::default(),
            // A program with a screen, which is left at once.
            ("console", ["screen"]) => self.commands(&block.text.replace('\n', " --keys q\n"), false),
            ("console", [] | ["fails" | "elsewhere"]) => self.commands(&block.text, words == ["fails"]),
            ("bmc", ["wrong", codes @ ..]) => self.is_wrong(&block.text, codes).into(),
            ("bmc", ["body"]) => match self.checked(&format!("{BODY}{}}}\n", block.text)) {
                (true, _) => Found::default(),
                (false, said) => Found::complaint(format!("it does not compile\n{said}")),
            },
            ("bmc", []) => {
                let compiles = self.compiles(&block.text);
                self.formatted(block, compiles.into())
            }
            ("bmc", [name]) => {
                self.write(name, &block.text);
                self.formatted(block, Found::default())
            }
            ("toml" | "json", names) => {
                names.iter().for_each(|name| self.write(name, &block.text));
                parsed(block).into()
            }
            ("text", ["error"]) => self.told(block),
            (language, []) if OF_OTHERS.contains(&language) && !block.text.contains("$ bmc") => Found::default(),
            (language, words) => {
                Found::complaint(format!("nothing is known of a block `{language} {}`", words.join(" ")))
            }
        }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What `bmc check` says of a source that lies alone in a folder.
    fn checked(&mut self, source: &str) -> (bool, String) {
        self.alone += 1;
        let folder = self.home.path().join(format!("alone{}", self.alone));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("page.bmc"), source).unwrap();
        let output = self.command("bmc").args(["check", "page.bmc"]).current_dir(folder).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    }

    fn compiles(&mut self, source: &str) -> Result<(), String> {
        let (good, said) = self.checked(source);
        if good && !said.contains("warning") { Ok(()) } else { Err(format!("it does not compile\n{said}")) }
    }

    fn is_wrong(&mut self, source: &str, codes: &[&str]) -> Result<(), String> {
        let (_, said) = self.checked(source);
        self.said.clone_from(&said);
        let code = |line: &'_ str| {
            let rest = line.strip_prefix("error[").or(line.strip_prefix("warning["))?;
            Some(rest.split(']').next()?.to_owned())
        };
        let found: Vec<String> = said.lines().filter_map(code).collect();
        if found == codes { Ok(()) } else { Err(format!("it gets {found:?}, not {codes:?}\n{said}")) }
    }

    /// The block shows what the compiler said of the source above it.
    fn told(&mut self, block: &Block) -> Found {
        let said = self.said.clone();
        if self.digests.agree(&block.text, &said) {
            return Found::default();
        }
        let complaint = format!("the compiler says\n{said}and the page shows\n{}", block.text);
        Found { wrong: vec![complaint], edits: vec![(0..block.lines.len(), lines_of(&said))] }
    }

    /// A source stands in a page as `bmc fmt` writes it.
    fn formatted(&self, block: &Block, mut found: Found) -> Found {
        if !block.own {
            return found;
        }
        let mut command = self.command("bmc");
        let mut child = command.args(["fmt", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(block.text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let pretty = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() && pretty != block.text {
            found.wrong.push(format!("`bmc fmt` writes it in another way:\n{pretty}"));
            found.edits.push((0..block.lines.len(), pretty));
        }
        found
    }

    /// Where the node of this run answers.
    fn address(&self) -> Option<&str> {
        self.node.as_ref().map(|node| node.address.as_str()).filter(|address| !address.is_empty())
    }

    fn command(&self, program: &str) -> Command {
        let home = self.home.path().canonicalize().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let rpc = self.address().unwrap_or(NOBODY);
        let mut command = Command::new(if program == "bmc" { self.bin.join("bmc") } else { program.into() });
        command
            .env("PATH", format!("{}:{path}", self.bin.display()))
            .env("HOME", &home)
            .env("NO_COLOR", "1")
            .env("COLUMNS", "100")
            .env("BMC_RPC_PORT", "0")
            .env("BMC_P2P_BIND", "127.0.0.1:0")
            .env("BMC_RPC", format!("http://{rpc}"))
            .env_remove("BMC_DATADIR")
            .current_dir(&self.folder);
        if self.repository.is_some() {
            builds(&mut command, &home);
        }
        command
    }

    fn commands(&mut self, text: &str, last_fails: bool) -> Found {
        let mut found = Found::default();
        let (steps, shows) = steps(text);
        let count = steps.len();
        for (at, step) in steps.iter().enumerate().filter(|(_, step)| can_run(&step.command)) {
            let fails = step.shown.lines().any(|line| line.starts_with("error")) || last_fails && at + 1 == count;
            let (good, printed) = self.run(&step.command);
            if good == fails {
                let ended = if good { "succeeds" } else { "fails" };
                found.wrong.push(format!("`{}` {ended}\n{printed}", step.command));
            }
            if shows && !self.digests.agree(&step.shown, &printed) {
                let Step { command, shown, lines } = step;
                found.wrong.push(format!("`{command}` prints\n{printed}and the page shows\n{shown}"));
                found.edits.push((lines.clone(), lines_of(&printed)));
            }
        }
        found
    }

    /// Whether a command line succeeds, and what it prints on both streams.
    fn run(&mut self, command: &str) -> (bool, String) {
        let start = Instant::now();
        let place = self.home.path().join("place");
        let line = self.in_this_run(command);
        let script = format!("exec 2>&1\n{line}\nresult=$?\npwd > '{}'\nexit $result\n", place.display());
        let output = self.command("sh").args(["-c", &script]).stdin(Stdio::null()).output().unwrap();
        if let Ok(folder) = fs::read_to_string(place) {
            self.folder = PathBuf::from(folder.trim_end());
        }
        let printed = self.as_shown(&String::from_utf8_lossy(&output.stdout));
        self.did.push(Did { command: command.to_owned(), printed: printed.clone(), took: start.elapsed() });
        (output.status.success(), printed)
    }

    /// A command with the digests, the address and the repository of this run.
    fn in_this_run(&self, line: &str) -> String {
        let mut line = self.digests.of_this_run(line);
        if let Some(address) = self.address() {
            line = line.replace(NODE_OF_PAGES, address);
        }
        if let Some(repository) = &self.repository {
            line = line.replace(REPOSITORY_OF_PAGES, &repository.display().to_string());
        }
        line
    }

    /// An output with the home and the address of the pages.
    fn as_shown(&self, text: &str) -> String {
        let home = self.home.path();
        let text = text.replace(&home.canonicalize().unwrap().display().to_string(), "/home/you");
        let text = text.replace(&home.display().to_string(), "/home/you");
        text.replace(self.address().unwrap_or(NOBODY), NODE_OF_PAGES)
    }

    /// Starts a node, which runs until the reader is gone, and compares the first that it prints.
    fn starts_node(&mut self, text: &str) -> Found {
        let (steps, _) = steps(text);
        let [Step { command, shown, lines }] = &steps[..] else {
            return Found::complaint("a node is started by one command");
        };
        let start = Instant::now();
        let mut shell = self.command("sh");
        shell.args(["-c", &format!("exec {command}")]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut node = Node { child, address: String::new() };
        let (sends, receives) = mpsc::channel();
        // It is read as long as the node runs, which would end if nobody took what it prints.
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _nobody_listens = sends.send(line);
            }
        });
        let mut printed = String::new();
        for _ in shown.lines() {
            let Ok(line) = receives.recv_timeout(NODE_STARTS) else { break };
            if let Some((_, address)) = line.split_once(" at http://") {
                node.address = address.to_owned();
            }
            printed += &format!("{line}\n");
        }
        self.node = Some(node);
        let printed = self.as_shown(&printed);
        self.did.push(Did { command: command.clone(), printed: printed.clone(), took: start.elapsed() });
        if self.digests.agree(shown, &printed) {
            return Found::default();
        }
        let complaint = format!("`{command}` prints\n{printed}and the page shows\n{shown}");
        Found { wrong: vec![complaint], edits: vec![(lines.clone(), lines_of(&printed))] }
    }
}

/// What is built goes into this home; toolchains and what was downloaded are those of the machine.
fn builds(command: &mut Command, home: &Path) {
    let own = std::env::home_dir().unwrap_or_default();
    for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        if std::env::var_os(name).is_none() {
            command.env(name, own.join(folder));
        }
    }
    command.env("CARGO_INSTALL_ROOT", home.join(".cargo")).env_remove("CARGO_TARGET_DIR");
}

/// Clients of others may be missing.
fn can_run(command: &str) -> bool {
    let there = || Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok();
    let can = !command.starts_with("curl ") || there();
    if !can {
        eprintln!("SKIPPED, as there is no curl: {command}");
    }
    can
}

fn parsed(block: &Block) -> Result<(), String> {
    if block.language == "toml" {
        block.text.parse::<toml::Table>().map(|_| ()).map_err(|error| error.to_string())
    } else {
        serde_json::from_str::<serde_json::Value>(&block.text).map(|_| ()).map_err(|error| error.to_string())
    }
}

/// A node, which ends with its reader.
struct Node {
    child: Child,
    address: String,
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text as lines that end without blanks.
fn lines_of(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

fn edited(page: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    let mut lines: Vec<String> = page.lines().map(|line| format!("{line}\n")).collect();
    edits.sort_by_key(|(lines, _)| std::cmp::Reverse(lines.start));
    for (range, text) in edits {
        lines.splice(range, [text]);
    }
    lines.concat()
}
