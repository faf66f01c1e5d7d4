//! `bmc debug`: what its screen shows after which keys, printed and on a terminal.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::Value;

use crate::bmc::{bmc, root};

pub const NESTED: &str = "/// Two thirds of a task go to its models, which share them again.
reward Task {
    models:  2/3 { diffusion: 1/2, transformer: 1/2 },
    compute: rest,
    minimum: 10_000 sats,
    fee:     up to 1_000 sats,
}

test everybody_is_paid {
    let coin = chain.fund(Task(p2pkh(hash160(alice)), p2pkh(hash160(bob)), p2pkh(hash160(carol))), 40_000 sats);
    passes {
        coin.settle(400 sats);
        output p2pkh(hash160(alice)) { value: 13_200 sats };
        output p2pkh(hash160(bob)) { value: 13_200 sats };
        output p2pkh(hash160(carol)) { value: 13_200 sats };
    }
}

test the_transformer_is_cheated {
    let coin = chain.fund(Task(p2pkh(hash160(alice)), p2pkh(hash160(bob)), p2pkh(hash160(carol))), 40_000 sats);
    fails \"`models.transformer` gets 1/3\" {
        coin.settle(400 sats);
        output p2pkh(hash160(alice)) { value: 13_200 sats };
        output p2pkh(hash160(bob)) { value: 13_199 sats };
        output p2pkh(hash160(carol)) { value: 13_201 sats };
    }
}
";

pub const TWICE: &str = "fn root(n: Int) -> Int {
    let half = n / 2;
    let square = half * half;
    if square > n { square } else { n }
}

contract Roots(secret: Hash256) {
    spend open(a: Int, b: Int, word: Bytes) {
        require sha256(word) == secret, \"not the word\";
        let first = root(a);
        let second = root(b);
        require first + second > 20, \"too small\";
    }
}

test opens {
    let coin = chain.fund(Roots(sha256(\"sesame\")), 1 coin);
    passes { coin.open(10, 3, \"sesame\") }
}
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("nested.bmc"), NESTED).unwrap();
    fs::write(folder.path().join("roots.bmc"), TWICE).unwrap();
    folder
}

/// The screen after these keys.
fn screen(folder: &Path, test: &str, keys: &str) -> String {
    bmc(folder, &["debug", "--test", test, "--keys", keys, "--screen", "110x30"]).ok()
}

/// Where it stands after these keys.
fn state(folder: &Path, args: &[&str]) -> Value {
    serde_json::from_str(&bmc(folder, &[&["debug", "--json"], args].concat()).ok()).unwrap()
}

#[test]
fn a_nested_reward_is_stepped_through_forwards_and_backwards() {
    let folder = folder();
    let mut shown = String::new();
    // To the shares of the models and back to the pot, then the end.
    for keys in ["", "nnnnnnnnnn", "nnnnnnnnnnNN", "wstack[0] + 1<enter>nnnnnnnnnn", "G"] {
        let screen = screen(folder.path(), "everybody_is_paid", keys);
        shown.push_str(&format!("keys: {keys}\n{screen}\n"));
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => root().join("tests/debug"), omit_expression => true }, {
        insta::assert_snapshot!("nested_reward", shown);
    });
}

#[test]
fn each_step_back_comes_to_where_the_step_forwards_was() {
    let folder = folder();
    let at = |keys: &str| state(folder.path(), &["--test", "opens", "--keys", keys]);
    for stride in ["n", "s", "ts", "tn"] {
        let (mode, step) = stride.split_at(stride.len() - 1);
        let mut forwards = vec![at(mode)];
        while forwards.last().is_some_and(|last| last["step"] != last["steps"]) {
            assert!(forwards.len() < 200, "it goes on for ever");
            forwards.push(at(&format!("{mode}{}", step.repeat(forwards.len()))));
        }
        assert!(forwards.len() > 3, "{stride}: {forwards:?}");
        let all = step.repeat(forwards.len());
        for (back, expected) in forwards.iter().rev().enumerate().take(6) {
            let keys = format!("{mode}{all}{}", step.to_uppercase().repeat(back));
            assert_eq!(at(&keys), *expected, "{keys}");
        }
    }
}

/// A line that calls twice.
const BOTH: &str = "fn root(n: Int) -> Int {
    let half = n / 2;
    let square = half * half;
    if square > n { square } else { n }
}

contract Both(secret: Hash256) {
    spend open(a: Int, b: Int, word: Bytes) {
        require sha256(word) == secret, \"not the word\";
        require root(a) + root(b) > 20, \"too small\";
        require a > b, \"in the wrong order\";
    }
}

test opens {
    let coin = chain.fund(Both(sha256(\"sesame\")), 1 coin);
    passes { coin.open(10, 3, \"sesame\") }
}
";

#[test]
fn what_a_line_calls_does_not_part_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("both.bmc"), BOTH).unwrap();
    let at = |keys: &str| state(folder.path(), &["--test", "both::opens", "--keys", keys]);
    // A breakpoint in line 10 stops where the line begins, and not behind each of the calls.
    let set = format!("{}b", "<down>".repeat(9));
    let begin = at(&format!("{set}c"));
    assert_eq!(begin["line"], 10, "{begin}");
    let end = at(&format!("{set}cc"));
    assert_eq!(end["step"], end["steps"], "{end}");
    assert_eq!(at(&format!("{set}GC"))["step"], begin["step"]);
    assert_eq!(at(&format!("{set}GCC"))["step"], 0);
    // Over the line and back over it, and into its calls and back out of them.
    assert_eq!(at(&format!("{set}cn"))["line"], 11);
    assert_eq!(at(&format!("{set}cbnN"))["step"], begin["step"]);
    let inside = at(&format!("{set}cnS"));
    assert_eq!(inside["line"], 10, "{inside}");
    assert!(inside["step"].as_u64() > begin["step"].as_u64(), "{inside}");
    assert_eq!(at(&format!("{set}cnSS"))["line"], 4);
    // A breakpoint in what the line calls stops a step in both directions.
    let set = format!("{}b", "<down>".repeat(2));
    assert_eq!(at(&format!("{set}c"))["line"], 3);
    let back = at(&format!("{set}GNN"));
    assert_eq!((&back["line"], &back["step"]), (&3.into(), &at(&format!("{set}GC"))["step"]));
}

#[test]
fn names_breakpoints_and_watches_are_those_of_the_source() {
    let folder = folder();
    let at = |keys: &str| state(folder.path(), &["--test", "roots::opens", "--keys", keys]);
    // A breakpoint in line 12: the script comes there once between the calls, and once with both roots.
    let set = format!("{}bcc", "<down>".repeat(11));
    let stopped = at(&format!("{set}wfirst + second<enter>wsecond<enter>"));
    assert_eq!((&stopped["file"], &stopped["line"]), (&"roots.bmc".into(), &12.into()), "{stopped}");
    let names: Vec<&str> =
        stopped["stack"].as_array().unwrap().iter().filter_map(|item| item["name"].as_str()).collect();
    assert_eq!(names, ["second", "first"], "{stopped}");
    assert_eq!(stopped["watches"], serde_json::json!([["first + second", "28"], ["second", "0x03 = 3"]]));
    // Past it, back to it, and from there to the start.
    let again = at(&format!("{set}GCwfirst<enter>"));
    assert_eq!((&again["step"], &again["watches"][0][1]), (&stopped["step"], &"0x19 = 25".into()));
    assert_eq!(at(&format!("{set}GCCC"))["step"], 0);
    let wrong = screen(folder.path(), "roots::opens", "w1 +<enter>");
    assert!(wrong.contains("a value is missing"), "{wrong}");
}

#[test]
fn a_failing_script_ends_with_what_the_author_says() {
    let folder = folder();
    let end = state(folder.path(), &["--test", "cheated", "--keys", "G"]);
    assert_eq!(end["valid"], false);
    assert!(end["failure"].as_str().unwrap().contains("`models.transformer` gets 1/3 of the pot"), "{end}");
    assert_eq!(state(folder.path(), &["--test", "cheated", "--keys", "GN"])["line"], 3, "{end}");
}

#[test]
fn scripts_need_no_source() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["2 OP_ADD 5 OP_EQUAL", "--unlock", "3", "--keys", "nn"];
    let found = state(folder.path(), &args);
    assert_eq!((&found["instruction"], &found["stack"][1]["hex"]), (&"OP_ADD".into(), &"02".into()));
    let screen = bmc(folder.path(), &[&["debug"], &args[..]].concat()).ok();
    assert!(screen.contains("▶    1 OP_ADD") && screen.contains("0x03 = 3"), "{screen}");
}

#[test]
fn wrong_use_says_what_to_do() {
    let folder = folder();
    let fails = |args: &[&str], code: i32, part: &str| {
        let said = bmc(folder.path(), &[&["debug"], args].concat()).fails_with(code);
        assert!(said.contains(part), "{args:?}: {said}");
    };
    fails(&["51"], 2, "a debugger needs a terminal");
    fails(&["--test", "nobody"], 2, "no test has a name with `nobody`");
    fails(&["--test", "s"], 2, "is a part of several names");
    fails(&["--test", "opens", "--transaction", "2"], 2, "makes 1 transactions, and there is no number 2");
    fails(&["--test", "opens", "--input", "7"], 2, "there is no input 7");
    fails(&["51", "--keys", "n", "--screen", "9x9"], 2, "write a size as `100x32`");
    fails(&[&"ab".repeat(32), "--rpc", "127.0.0.1:1", "--auth", "a:b", "--keys", "n"], 3, "no node answers");
    fails(&["OP_NOPE OP_X"], 2, "OP_NOPE");
}

/// Waits for something that comes within a minute, however busy the machine is; else says why it has not come.
fn soon<T>(mut come: impl FnMut() -> Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        match come() {
            Ok(come) => return come,
            Err(why) => assert!(started.elapsed() < Duration::from_secs(60), "{why}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// `bmc debug` on a terminal of its own.
struct OnTerminal {
    child: Child,
    keys: fs::File,
    screen: Arc<Mutex<vt100::Parser>>,
    /// Ends once all that the program wrote has been read.
    reader: Option<JoinHandle<()>>,
}

impl OnTerminal {
    fn start(folder: &Path, args: &[&str], (columns, rows): (u16, u16)) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&master, size).unwrap();
        let side = || Stdio::from(fs::File::options().read(true).write(true).open(&path).unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_bmc"))
            .args(args)
            .current_dir(folder)
            .env("TERM", "xterm-256color")
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let mut reading = fs::File::from(master.try_clone().unwrap());
        let seen = Arc::clone(&screen);
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4_096];
            // The other side is gone once the program has ended.
            while let Ok(count @ 1..) = reading.read(&mut bytes) {
                seen.lock().unwrap().process(&bytes[..count]);
            }
        });
        Self { child, keys: fs::File::from(master), screen, reader: Some(reader) }
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    fn shows(&self, expected: &str) {
        let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        let wanted = lines(expected.trim_end());
        soon(|| {
            let now = self.text();
            if lines(&now) == wanted { Ok(()) } else { Err(format!("expected:\n{expected}\nthere is:\n{now}")) }
        });
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the end of the program and of what it wrote.
    fn ended(&mut self) -> ExitStatus {
        let status = soon(|| {
            let status = self.child.try_wait().unwrap();
            status.ok_or_else(|| format!("it does not end:\n{}", self.screen.lock().unwrap().screen().contents()))
        });
        // No process holds the other side any more, so its end comes after the last byte written.
        self.reader.take().expect("a program ends once").join().unwrap();
        status
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _gone = self.child.wait();
    }
}

#[test]
fn a_terminal_shows_the_same_and_is_left_as_it_was() {
    let folder = folder();
    let mut debugger = OnTerminal::start(folder.path(), &["debug", "--test", "everybody_is_paid"], (110, 30));
    let mut pressed = String::new();
    debugger.shows(&screen(folder.path(), "everybody_is_paid", ""));
    for keys in ["nnnn", "NN", "nnnnnnnn", "NNNN", "t", "ss", "S", "wstack[0]<enter>", "G", "N"] {
        debugger.press(&keys.replace("<enter>", "\r"));
        pressed.push_str(keys);
        debugger.shows(&screen(folder.path(), "everybody_is_paid", &pressed));
    }
    debugger.press("q");
    let status = debugger.ended();
    assert!(status.success(), "{status}");
    assert!(!debugger.screen.lock().unwrap().screen().alternate_screen(), "the terminal is as it was");
}
