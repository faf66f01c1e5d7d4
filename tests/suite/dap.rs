//! `bmc dap`, as an editor speaks with it: the shipped binary over its standard input and output.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use spec::{OutPoint, RuleSet, Sats, Transaction, TxIn, TxOut, asm};
use tests::Speaker;

use crate::bmc::{bmc, bmc_with, root};
use crate::debug::{NESTED, TWICE};
use crate::support::Devnet;

/// An editor of a few lines.
struct Editor {
    adapter: Speaker,
    next: i64,
    capabilities: Value,
}

impl Editor {
    /// Starts the adapter in a folder, and says hello.
    fn start(folder: &Path, hello: Value) -> Self {
        let adapter = Speaker::start(Command::new(env!("CARGO_BIN_EXE_bmc")).arg("dap").current_dir(folder));
        let mut editor = Self { adapter, next: 0, capabilities: Value::Null };
        editor.capabilities = editor.request("initialize", hello);
        editor
    }

    /// Sends a request; its number.
    fn say(&mut self, command: &str, arguments: Value) -> i64 {
        self.next += 1;
        let seq = self.next;
        self.adapter.send(&json!({ "seq": seq, "type": "request", "command": command, "arguments": arguments }));
        seq
    }

    /// The whole answer to a request; events before it are kept.
    fn ask(&mut self, command: &str, arguments: Value) -> Value {
        let seq = self.say(command, arguments);
        self.answer(seq)
    }

    /// The answer to the request of this number.
    fn answer(&mut self, seq: i64) -> Value {
        self.adapter.wait("answer", |message| message["type"] == "response" && message["request_seq"] == seq)
    }

    /// The body of an answer, which must not be an error.
    #[track_caller]
    fn request(&mut self, command: &str, arguments: Value) -> Value {
        let answer = self.ask(command, arguments);
        assert_eq!(answer["success"], true, "{command}: {answer}");
        answer["body"].clone()
    }

    /// Why a request is refused, as the editor shows it.
    #[track_caller]
    fn refused(&mut self, command: &str, arguments: Value) -> String {
        let answer = self.ask(command, arguments);
        assert_eq!(answer["success"], false, "{command}: {answer}");
        assert_eq!(answer["message"], answer["body"]["error"]["format"]);
        answer["message"].as_str().unwrap().to_owned()
    }

    /// The body of the next event of this name; other events are kept.
    fn event(&mut self, name: &str) -> Value {
        self.adapter.wait(name, |message| message["event"] == name)["body"].clone()
    }

    /// Launches with breakpoints in lines of a file, and tells what became of them.
    fn launch(&mut self, arguments: Value, file: &Path, lines: &[usize]) -> Value {
        self.request("launch", arguments);
        self.event("initialized");
        let wanted: Vec<Value> = lines.iter().map(|line| json!({ "line": line })).collect();
        let set = json!({ "source": { "path": file }, "breakpoints": wanted });
        let told = self.request("setBreakpoints", set)["breakpoints"].clone();
        self.request("setExceptionBreakpoints", json!({ "filters": ["refusal"] }));
        self.request("configurationDone", Value::Null);
        told
    }

    /// Moves; the reason of the stop that follows.
    fn go(&mut self, command: &str) -> String {
        self.request(command, json!({ "threadId": 1 }));
        self.stopped()
    }

    fn stopped(&mut self) -> String {
        self.event("stopped")["reason"].as_str().unwrap().to_owned()
    }

    /// The frames, innermost first.
    fn frames(&mut self) -> Vec<Value> {
        self.request("stackTrace", json!({ "threadId": 1 }))["stackFrames"].as_array().unwrap().clone()
    }

    fn line(&mut self) -> Value {
        self.frames()[0]["line"].clone()
    }

    /// `name = value` of all that a scope of the innermost frame shows.
    fn scope(&mut self, name: &str) -> Vec<String> {
        let frame = self.frames()[0]["id"].clone();
        let scopes = self.request("scopes", json!({ "frameId": frame }))["scopes"].clone();
        let scope = scopes.as_array().unwrap().iter().find(|scope| scope["name"] == name);
        let scope = scope.unwrap_or_else(|| panic!("no scope {name}: {scopes}")).clone();
        self.variables(&scope)
    }

    /// `name = value` of the parts of something.
    fn variables(&mut self, of: &Value) -> Vec<String> {
        let parts = self.request("variables", json!({ "variablesReference": of["variablesReference"] }));
        let text = |part: &Value| format!("{} = {}", part["name"].as_str().unwrap(), part["value"].as_str().unwrap());
        parts["variables"].as_array().unwrap().iter().map(text).collect()
    }

    fn evaluate(&mut self, expression: &str) -> Value {
        let frame = self.frames()[0]["id"].clone();
        self.request("evaluate", json!({ "expression": expression, "frameId": frame, "context": "watch" }))["result"]
            .clone()
    }

    /// Goes on to the end, and tells the exit code and the last line that was said.
    fn ends(&mut self, command: &str) -> (Value, String) {
        self.request(command, json!({ "threadId": 1 }));
        self.event("terminated");
        let said = self.adapter.kept().rfind(|message| message["event"] == "output").unwrap();
        let said = said["body"]["output"].as_str().unwrap().to_owned();
        (self.event("exited")["exitCode"].clone(), said)
    }

    /// Leaves as the protocol wants; the exit code.
    fn leave(mut self) -> Option<i32> {
        self.request("disconnect", json!({ "terminateDebuggee": true }));
        self.adapter.exit_code()
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("nested.bmc"), NESTED).unwrap();
    fs::write(folder.path().join("roots.bmc"), TWICE).unwrap();
    folder
}

/// Where the debugger of the terminal stands after these keys.
fn terminal(folder: &Path, test: &str, keys: &str) -> Value {
    serde_json::from_str(&bmc(folder, &["debug", "--json", "--test", test, "--keys", keys]).ok()).unwrap()
}

#[test]
fn a_nested_reward_is_stepped_through_as_in_the_terminal() {
    let folder = folder();
    let mut editor = Editor::start(folder.path(), json!({ "clientID": "test", "linesStartAt1": true }));
    assert_eq!(editor.capabilities["supportsStepBack"], true);
    editor.request("launch", json!({ "test": "everybody_is_paid", "stopOnEntry": true }));
    editor.event("initialized");
    editor.request("configurationDone", Value::Null);
    assert_eq!(editor.stopped(), "entry");
    let title = editor.request("threads", Value::Null)["threads"][0]["name"].clone();
    assert!(title.as_str().unwrap().starts_with("Task: input 0 of 1, nested::everybody_is_paid"), "{title}");
    let mut keys = String::new();
    for (command, key) in
        [("next", 'n'), ("stepIn", 's'), ("next", 'n'), ("next", 'n'), ("stepBack", 'N'), ("next", 'n')]
    {
        keys.push(key);
        assert_eq!(editor.go(command), "step");
        let expected = terminal(folder.path(), "everybody_is_paid", &keys);
        assert_eq!(editor.line(), expected["line"], "{keys}");
        let cost = format!("so far = {}", expected["cost"]);
        assert_eq!(editor.scope("Cost")[0], cost, "{keys}");
        let stack = expected["stack"].as_array().unwrap().iter().rev().enumerate();
        let stack: Vec<String> = stack
            .map(|(place, item)| match item["name"].as_str() {
                Some(name) => format!("[{place}] {name}"),
                None => format!("[{place}]"),
            })
            .collect();
        let shown: Vec<String> =
            editor.scope("Stack").iter().map(|shown| shown.split(" = ").next().unwrap().to_owned()).collect();
        assert_eq!(shown, stack, "{keys}");
    }
    assert_eq!(editor.scope("Locals"), ["fee = 400 (0x9001)"]);
    let (code, said) = editor.ends("continue");
    assert_eq!(code, 0);
    assert!(said.starts_with("valid, cost "), "{said}");
    assert!(editor.refused("next", json!({ "threadId": 1 })).contains("`restart`"));
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn breakpoints_functions_and_variables_are_those_of_the_source() {
    let folder = folder();
    let file = folder.path().join("roots.bmc");
    // Another folder, lines from zero, and the project named.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut editor = Editor::start(elsewhere.path(), json!({ "linesStartAt1": false, "supportsVariableType": true }));
    let launch = json!({ "test": "roots::opens", "cwd": folder.path() });
    let told = editor.launch(launch, &file, &[10, 11, 40]);
    let verified: Vec<(&Value, &Value)> =
        told.as_array().unwrap().iter().map(|one| (&one["verified"], &one["line"])).collect();
    assert_eq!(
        verified,
        [(&json!(true), &json!(10)), (&json!(true), &json!(11)), (&json!(false), &Value::Null)],
        "{told}"
    );
    assert!(told[2]["message"].as_str().unwrap().contains("no code comes from this line"), "{told}");

    assert_eq!((editor.stopped().as_str(), editor.line()), ("breakpoint", json!(10)));
    let frame = editor.frames()[0].clone();
    assert_eq!((&frame["name"], &frame["source"]["path"]), (&json!("Roots.open"), &json!(file)));
    // Into the function, and out of it again.
    while editor.frames().len() == 1 {
        assert_eq!(editor.go("stepIn"), "step");
    }
    let frames = editor.frames();
    assert_eq!((&frames[0]["name"], &frames[1]["name"]), (&json!("root"), &json!("Roots.open")), "{frames:?}");
    assert!(frames[0]["line"].as_u64().unwrap() < 4, "{frames:?}");
    let outer = editor.request("scopes", json!({ "frameId": frames[1]["id"] }))["scopes"].clone();
    assert_eq!(outer[0]["name"], "Locals");
    editor.go("stepOut");
    assert_eq!(editor.frames().len(), 1);

    assert_eq!((editor.go("continue").as_str(), editor.line()), ("breakpoint", json!(11)));
    assert_eq!(editor.evaluate("first + second > 20"), "true");
    assert_eq!(editor.evaluate("second"), "0x03 = 3");
    let locals = editor.scope("Locals");
    assert_eq!(&locals[..2], ["first = 0x19 = 25", "second = 0x03 = 3"], "{locals:?}");
    assert_eq!(editor.go("stepBack"), "step");
    // The script computes the second root first, and looks at its line 11 in between.
    assert_eq!((editor.go("reverseContinue").as_str(), editor.line()), ("breakpoint", json!(11)));
    assert_eq!((editor.go("reverseContinue").as_str(), editor.line()), ("breakpoint", json!(10)));
    // The parameter and the arguments, with their types.
    let frame = editor.frames()[0]["id"].clone();
    let scopes = editor.request("scopes", json!({ "frameId": frame }))["scopes"].clone();
    let named = json!({ "variablesReference": scopes[0]["variablesReference"] });
    let named = editor.request("variables", named)["variables"].clone();
    let b = named.as_array().unwrap().iter().find(|local| local["name"] == "b").unwrap_or_else(|| panic!("{named}"));
    assert_eq!((&b["type"], &b["value"], &b["evaluateName"]), (&json!("Int"), &json!("3 (0x03)"), &json!("b")));
    assert_eq!(editor.variables(b), ["hex = 0x03", "number = 3", "length = 1"]);
    assert_eq!(editor.request("loadedSources", Value::Null)["sources"][0]["path"], json!(file));
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn a_failing_check_stops_with_what_its_author_says_and_an_edit_counts_after_a_restart() {
    let folder = folder();
    let file = folder.path().join("nested.bmc");
    let mut editor = Editor::start(folder.path(), json!({}));
    editor.launch(json!({ "test": "the_transformer_is_cheated" }), &file, &[]);
    let stopped = editor.event("stopped");
    assert_eq!(stopped["reason"], "exception");
    assert!(stopped["text"].as_str().unwrap().contains("`models.transformer` gets 1/3"), "{stopped}");
    assert_eq!(editor.line(), 3);
    let info = editor.request("exceptionInfo", json!({ "threadId": 1 }));
    assert!(info["details"]["message"].as_str().unwrap().contains("nested.bmc:3"), "{info}");
    // Back from the failure, and to it again.
    editor.go("stepBack");
    assert_eq!(editor.go("continue"), "exception");
    let (code, said) = editor.ends("continue");
    assert_eq!(code, 1);
    assert!(said.starts_with("refused, cost ") && said.contains("`models.transformer`"), "{said}");

    // Nobody is cheated any more, so the test's transaction is another.
    fs::write(&file, NESTED.replace("13_199", "13_200").replace("13_201", "13_200")).unwrap();
    editor.request("restart", Value::Null);
    editor.event("terminated");
    assert_eq!(editor.event("exited")["exitCode"], 0);
    // A source that does not compile leaves what ran before.
    fs::write(&file, NESTED.replace("rest,", "1/2,")).unwrap();
    assert!(editor.refused("restart", Value::Null).contains("the sources have errors"));
    let errors = loop {
        let output = editor.event("output");
        if output["category"] == "stderr" && output["output"].as_str().unwrap().contains("error[") {
            break output;
        }
    };
    assert!(errors["output"].as_str().unwrap().contains("nested.bmc"), "{errors}");
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn transactions_and_scripts_are_debugged_by_instructions() {
    let folder = tempfile::tempdir().unwrap();
    let lock = asm::assemble("2 OP_ADD 5 OP_EQUAL", RuleSet::Bitmodel).unwrap();
    let input = TxIn { prevout: OutPoint::COINBASE, unlock: vec![0x53], sequence: 0 };
    let outputs = vec![TxOut::plain(Sats::ONE, vec![0x51])];
    let tx = Transaction { version: 2, inputs: vec![input], outputs, locktime: 0 };
    let transaction =
        json!({ "transactionHex": hex::encode(tx.encode()), "coins": [format!("1000:{}", hex::encode(lock))] });
    let script = json!({ "script": "2 OP_ADD 5 OP_EQUAL", "unlock": "3" });
    for mut launch in [transaction, script] {
        launch["stopOnEntry"] = json!(true);
        let mut editor = Editor::start(folder.path(), json!({}));
        editor.request("launch", launch);
        editor.event("initialized");
        editor.request("configurationDone", Value::Null);
        assert_eq!(editor.stopped(), "entry");
        let frame = editor.frames()[0].clone();
        assert_eq!((&frame["name"], &frame["source"]), (&json!("unlocking bytecode"), &Value::Null));
        let page = json!({ "memoryReference": frame["instructionPointerReference"], "instructionCount": 5 });
        let listed = editor.request("disassemble", page)["instructions"].clone();
        let words: Vec<&str> =
            listed.as_array().unwrap().iter().map(|one| one["instruction"].as_str().unwrap()).collect();
        assert_eq!(words, ["OP_3", "OP_2", "OP_ADD", "OP_5", "OP_EQUAL"]);
        let stop = json!({ "breakpoints": [{ "instructionReference": listed[2]["address"] }] });
        assert_eq!(editor.request("setInstructionBreakpoints", stop)["breakpoints"][0]["verified"], true);
        assert_eq!(editor.go("continue"), "instruction breakpoint");
        assert_eq!(editor.frames()[0]["instructionPointerReference"], listed[2]["address"]);
        assert_eq!(editor.scope("Stack"), ["[0] = 0x02 = 2", "[1] = 0x03 = 3"]);
        editor.request("stepBack", json!({ "threadId": 1, "granularity": "instruction" }));
        assert_eq!((editor.stopped().as_str(), editor.scope("Stack").len()), ("step", 1));
        assert!(editor.scope("Transaction").contains(&"this input = input 0 of 1".to_owned()));
        assert_eq!(editor.go("next"), "instruction breakpoint");
        assert_eq!(editor.ends("continue").0, 0);
        assert_eq!(editor.leave(), Some(0));
    }
}

#[test]
fn the_end_shows_what_the_script_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let mut editor = Editor::start(folder.path(), json!({}));
    editor.request("launch", json!({ "script": "2 OP_ADD 5 OP_EQUAL", "unlock": "3", "stopAtEnd": true }));
    editor.event("initialized");
    editor.request("configurationDone", Value::Null);
    assert_eq!(editor.stopped(), "end");
    assert_eq!(editor.scope("Stack"), ["[0] = 0x01 = 1"]);
    assert_eq!(editor.scope("Cost").last().unwrap(), "step = 5 of 5");
    editor.go("stepBack");
    assert_eq!(editor.scope("Stack"), ["[0] = 0x05 = 5", "[1] = 0x05 = 5"]);
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn a_transaction_of_a_node_is_debugged_by_its_id() {
    let devnet = Devnet::start();
    devnet.json(&["new", "tea"]);
    let names = ["--param", "data=@grace", "--param", "training=@heidi", "--param", "hosting=@judy"];
    devnet.json(&[&["deploy", "tea/shares.bmc", "--name", "tea"], &names[..]].concat());
    devnet.json(&["pay", "tea", "1 coin", "--from", "@bob"]);
    let settled = devnet.json(&["settle", "tea"]);
    let mut editor = Editor::start(devnet.folder.path(), json!({}));
    let launch = json!({ "txid": settled[0]["txid"], "rpc": devnet.rpc, "cookie": devnet.cookie, "files": ["tea"], "stopOnEntry": true });
    editor.launch(launch, &devnet.folder.path().join("tea/shares.bmc"), &[]);
    assert_eq!(editor.stopped(), "entry");
    let frame = editor.frames()[0].clone();
    assert!(frame["name"].as_str().unwrap().starts_with("Reward"), "{frame}");
    assert!(frame["source"]["path"].as_str().unwrap().ends_with("shares.bmc"), "{frame}");
    assert_eq!(editor.ends("continue").0, 0);
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn who_waits_for_a_node_that_says_nothing_can_give_up() {
    let folder = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let rpc = silent.local_addr().unwrap().to_string();
    let launch = json!({ "txid": "ab".repeat(32), "rpc": rpc, "auth": "a:b" });
    let mut editor = Editor::start(folder.path(), json!({}));
    let launching = editor.say("launch", launch.clone());
    let asked = silent.accept().unwrap();
    editor.request("pause", json!({ "threadId": 1 }));
    editor.request("cancel", json!({ "requestId": launching }));
    let answer = editor.answer(launching);
    assert_eq!((&answer["success"], &answer["message"]), (&json!(false), &json!("cancelled")));
    assert_eq!(answer["body"]["error"]["showUser"], false);
    assert_eq!(editor.leave(), Some(0));
    drop(asked);
    // The same by leaving at once.
    let mut editor = Editor::start(folder.path(), json!({}));
    editor.say("launch", launch);
    let _asked = silent.accept().unwrap();
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn wrong_launches_and_malformed_messages_are_answered_and_the_adapter_lives_on() {
    let folder = folder();
    let mut editor = Editor::start(folder.path(), json!({}));
    for (arguments, expected) in [
        (json!({}), "say one of `test`, `transactionHex`, `txid` and `script`"),
        (json!({ "test": "nobody" }), "no test has a name with `nobody`\nhelp: `bmc test` tells the names"),
        (json!({ "test": "s" }), "is a part of several names"),
        (json!({ "test": "opens", "transaction": 2 }), "makes 1 transactions, and there is no number 2"),
        (json!({ "test": "opens", "input": 7 }), "there is no input 7"),
        (json!({ "test": "opens", "cwd": "no/such/folder" }), "no/such/folder"),
        (json!({ "txid": "ab".repeat(32), "rpc": "127.0.0.1:1", "auth": "a:b" }), "no node answers"),
        (json!({ "script": "OP_NOPE OP_X" }), "OP_NOPE"),
        (json!({ "script": "1", "unlock": "2 OP_DUP" }), "no instruction runs: the unlocking bytecode does more"),
        (json!({ "txid": "deadbeef" }), "`txid` is no id of a transaction\nhelp: an id has 64 hexadecimal digits"),
        (json!({ "transactionHex": "00", "coins": { "a": 1 } }), "`coins` cannot be an object"),
    ] {
        let said = editor.refused("launch", arguments.clone());
        assert!(said.contains(expected), "{arguments}: {said}");
    }
    editor.adapter.send_raw(b"{ this is no JSON");
    let answer = editor.answer(0);
    assert_eq!(answer["success"], false, "{answer}");
    assert!(editor.refused("nonsense", Value::Null).contains("`nonsense`"));
    assert!(editor.refused("stackTrace", json!({ "threadId": 1 })).contains("`launch`"));
    editor.launch(json!({ "script": "51", "stopOnEntry": true }), Path::new("/nowhere.bmc"), &[3]);
    assert_eq!(editor.stopped(), "entry");
    assert_eq!(editor.ends("next").0, 0);
    assert_eq!(editor.leave(), Some(0));

    // What has no length that makes sense is no message, and the end of all messages is the end.
    for noise in ["Content-Length: x\r\n\r\n{}", "\r\n\r\n", &"a".repeat(100_000)] {
        let said = bmc_with(folder.path(), &["dap"], noise).fails_with(1);
        assert!(said.contains("docs/editors.md says how"), "{said}");
    }
    // A message that nobody can read to its end is an error, also behind others.
    let hello = r#"{"seq":1,"type":"request","command":"initialize","arguments":{}}"#;
    let hello = format!("Content-Length: {}\r\n\r\n{hello}", hello.len());
    for (broken, expected) in [
        ("Content-Length: 99999999999999\r\n\r\n{}", "a message has 99999999999999 bytes"),
        ("Content-Length: 3\r\n\r\n{}", "the input ends in the middle of a message"),
    ] {
        let said = bmc_with(folder.path(), &["dap"], &format!("{hello}{broken}")).fails_with(1);
        assert!(said.contains(expected), "{said}");
    }
    let mut gone = Editor::start(folder.path(), json!({}));
    gone.adapter.close();
    assert_eq!(gone.adapter.exit_code(), Some(0));
}

#[test]
fn what_the_pages_say_to_launch_is_launched() {
    let page = fs::read_to_string(root().join("docs/book/src/debugging.md")).unwrap();
    let block = |start: &str| page.split(start).nth(1).unwrap().split("```").next().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    fs::copy(root().join("examples/htlc/htlc.bmc"), folder.path().join("htlc.bmc")).unwrap();
    fs::write(folder.path().join("tests.bmc"), block("```bmc tests.bmc\n")).unwrap();
    let settings: Value = serde_json::from_str(&block("```json launch.json\n")).unwrap();
    let configurations = settings["configurations"].as_array().unwrap();
    assert_eq!(configurations.len(), 2);
    for configuration in configurations {
        let text = configuration.to_string().replace("${workspaceFolder}", folder.path().to_str().unwrap());
        let mut editor = Editor::start(root(), json!({}));
        editor.launch(serde_json::from_str(&text).unwrap(), &folder.path().join("htlc.bmc"), &[1]);
        assert_eq!(editor.stopped(), "entry", "{text}");
        assert_eq!(editor.leave(), Some(0));
    }
    let neovim = fs::read_to_string(root().join("editors/neovim/lua/bmc/dap.lua")).unwrap();
    assert!(neovim.contains("command = \"bmc\", args = { \"dap\" }"), "the adapter is started by its name");
}
