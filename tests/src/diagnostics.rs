//! The example of every diagnostic code: a source that gets the message, and the same source mended.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use driver::{Code, Compiled, Options, World, WorldError, compile};
use spec::RuleSet;

/// The line between the two halves of an example.
const SEPARATOR: &str = "\n//---- fixed\n";

/// What messages call the source of an example.
const PATH: &str = "example.bmc";

/// How a code is shown.
pub enum Example {
    /// By a file under `tests/diagnostics`.
    Source {
        /// The source that gets the message.
        failing: String,
        /// The same source without the mistake.
        fixed: String,
    },
    /// By a source that would fill pages and is made here instead.
    Made {
        /// Why no file shows it.
        why: &'static str,
        /// The source that gets the message.
        failing: String,
        /// The rules whose limit it exceeds.
        rules: RuleSet,
    },
    /// By a file that gives no source at all.
    Unreadable {
        /// Why no file shows it.
        why: &'static str,
        /// What is wrong with the file.
        trouble: WorldError,
    },
}

impl Example {
    /// The example of `code` in the tree at `root`.
    ///
    /// # Errors
    /// Says which file is missing, has no two halves, or stands beside an exception.
    pub fn of(root: &Path, code: Code) -> Result<Self, String> {
        let path = examples_folder(root).join(format!("{code}.bmc"));
        match (exception(code), fs::read_to_string(&path)) {
            (Some(_), Ok(_)) => Err(format!("{}: the code is listed as an exception", path.display())),
            (Some(exception), Err(_)) => Ok(exception),
            (None, Err(error)) => Err(format!("{}: {error}", path.display())),
            (None, Ok(text)) => match text.split_once(SEPARATOR) {
                Some((failing, fixed)) => {
                    Ok(Self::Source { failing: tidied(failing), fixed: tidied(fixed.trim_start_matches('\n')) })
                }
                None => Err(format!("{}: there is no line `{}`", path.display(), SEPARATOR.trim())),
            },
        }
    }

    /// Compiles what fails.
    #[must_use]
    pub fn compile(&self) -> Compiled {
        match self {
            Self::Source { failing, .. } => compile_text(failing),
            Self::Made { failing, rules, .. } => compile_only(Ok(Arc::from(failing.as_str())), *rules),
            Self::Unreadable { trouble, .. } => compile_only(Err(trouble.clone()), RuleSet::default()),
        }
    }
}

/// Compiles a source on its own.
#[must_use]
pub fn compile_text(text: &str) -> Compiled {
    compile_only(Ok(Arc::from(text)), RuleSet::default())
}

fn compile_only(read: Result<Arc<str>, WorldError>, rules: RuleSet) -> Compiled {
    compile(&OneFile(read), &[PATH.to_owned()], &Options { rules, ..Options::default() })
}

/// Where the files are.
#[must_use]
pub fn examples_folder(root: &Path) -> PathBuf {
    root.join("tests/diagnostics")
}

/// Ends a source with one line break.
fn tidied(text: &str) -> String {
    format!("{}\n", text.trim_end())
}

/// A world of one file, whatever is asked for.
struct OneFile(Result<Arc<str>, WorldError>);

impl World for OneFile {
    fn read(&self, _path: &str) -> Result<Arc<str>, WorldError> {
        self.0.clone()
    }

    fn digest(&self, _path: &str) -> Result<[u8; 32], WorldError> {
        Err(WorldError::Missing)
    }
}

/// The codes that no file shows, each with its reason.
fn exception(code: Code) -> Option<Example> {
    let made = |why, failing| Some(Example::Made { why, failing, rules: RuleSet::default() });
    let smaller = |why, failing| Some(Example::Made { why, failing, rules: RuleSet::Bch2026 });
    let unreadable = |why, trouble| Some(Example::Unreadable { why, trouble });
    match code {
        Code::E0012 => made("It takes more than 200 brackets inside each other.", nested_brackets(201)),
        Code::E0016 => made("It takes more than a hundred mistakes in one file.", "const A: Int = ;\n".repeat(102)),
        Code::E0017 => made("It takes more than 20,000 items in one file.", many_constants(20_001)),
        Code::E0502 => smaller("It takes more conditionals inside each other than the rules allow.", nested_ifs(101)),
        Code::E0503 => smaller("It takes a thousand values that are all needed at the end.", many_values(1_000)),
        Code::E0601 => unreadable("A file that exists cannot show it.", WorldError::Missing),
        Code::E0602 => unreadable("Its bytes would be no text.", WorldError::NotUtf8 { at: 17 }),
        Code::E0603 => unreadable("It takes more than 16 MiB.", WorldError::TooLarge { bytes: 16_777_217 }),
        Code::E0604 => unreadable("It takes a file that the system hides.", WorldError::Io("permission denied".into())),
        _ => None,
    }
}

fn nested_brackets(depth: usize) -> String {
    format!("const DEEP: Int = {}1{};\n", "(".repeat(depth), ")".repeat(depth))
}

fn many_constants(count: usize) -> String {
    (0..count).map(|number| format!("const C{number}: Int = {number};\n")).collect()
}

fn nested_ifs(depth: usize) -> String {
    let conditions: String = (0..depth).map(|number| format!("if n > {number} {{ ")).collect();
    let ends = "} ".repeat(depth);
    format!(
        "contract Deep(owner: PubKey) {{\n    spend open(sig: Sig, n: Int) {{\n        require owner.signed(sig);\n        \
         {conditions}require n != 1_000; {ends}\n    }}\n}}\n"
    )
}

fn many_values(count: usize) -> String {
    let hashes: String = (1..count).map(|n| format!("        let v{n} = sha256(v{});\n", n - 1)).collect();
    let joins: String = (0..count).rev().map(|n| format!("        joined = joined ^ v{n};\n")).collect();
    format!(
        "contract Wide(hash: Hash256) {{\n    spend open(v0: Bytes<32>) {{\n{hashes}        let mut joined = hash;\n\
         {joins}        require joined == hash;\n    }}\n}}\n"
    )
}
