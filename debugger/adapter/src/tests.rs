//! Conversations with the adapter, whose launcher makes scripts.

use std::io::{BufReader, Write as _, pipe};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use debugger::{Recording, Subject};
use serde_json::{Value, json};
use spec::artifact::{Locking, MapEntry, Piece, SourceFile, SourceSpan, Turn};
use spec::script::push_data;
use spec::{Artifact, Mode, OutPoint, RuleSet, Rules, Sats, SpendContext, Transaction, TxIn, TxOut, asm};

use crate::adapter::Adapter;
use crate::serve::made;
use crate::{Launcher, Refusal, Run, Source, serve};

/// The name of a source that is a file, and its lines, one for each instruction of the script.
const FILE: &str = "/tmp/added.bmc";
/// A source that is no file.
const LIBRARY: &str = "std::added";

/// Launches the script that `script` says, and one with a source if nothing is said.
struct Scripts;

impl Launcher for Scripts {
    fn launch(&self, arguments: &Value) -> Result<Run, Refusal> {
        if arguments["refuse"] == true {
            return Err(Refusal { message: "no".to_owned(), help: Some("yes".to_owned()), notes: "why\n".to_owned() });
        }
        assert_ne!(arguments["panic"], true, "this was asked for");
        let given = arguments["script"].as_str();
        let lock = asm::assemble(given.unwrap_or("OP_2\nOP_ADD\nOP_5\nOP_EQUAL"), RuleSet::Bitmodel).unwrap();
        // With another source before it, the one that is mapped has another number.
        let file = usize::from(arguments["another"] == true);
        let artifact = given.is_none().then(|| mapped(lock.clone(), file));
        let mut unlock = vec![0x53];
        if let Some(bytes) = arguments["pushes"].as_u64() {
            push_data(&mut unlock, &vec![1; usize::try_from(bytes).unwrap()]);
        }
        let input = TxIn { prevout: OutPoint::COINBASE, unlock, sequence: 0 };
        let tx = Transaction { version: 2, inputs: vec![input], outputs: vec![], locktime: 0 };
        let lock = if arguments["other"] == true { vec![0x51] } else { lock };
        let spent = vec![TxOut::plain(Sats::ONE, lock)];
        let rules = Rules::new(RuleSet::Bitmodel, Mode::Consensus);
        let context = SpendContext::new(&tx, &spent).unwrap();
        let text = Some("let two\nlet sum\nlet six\nlet yes\nlet all\n".to_owned());
        let is_file = arguments["library"] != true;
        let name = if is_file { "added.bmc" } else { LIBRARY };
        let other = Source { name: "std::other".to_owned(), path: None, text: Some(String::new()) };
        let mut sources = vec![other; file];
        sources.push(Source { name: name.to_owned(), path: is_file.then(|| FILE.to_owned()), text });
        let texts: Vec<Option<String>> = sources.iter().map(|source| source.text.clone()).collect();
        let subject =
            Subject { rules: &rules, context: &context, input: 0, artifact: artifact.as_ref(), sources: &texts };
        let recording = Recording::of(&subject);
        let title = "a script".to_owned();
        Ok(Run { title, recording, tx, spent, input: 0, artifact, sources, notes: String::new() })
    }

    fn is_same_file(&self, one: &str, other: &str) -> bool {
        one == other.replace("/./", "/")
    }
}

/// A contract whose instructions come from one line each, but for the last: paths share it, and it comes from two.
fn mapped(code: Vec<u8>, file: usize) -> Artifact {
    let entry = |instruction: usize, line: usize, after: Vec<Turn>| MapEntry {
        instruction,
        after,
        span: SourceSpan { file, start: (line - 1) * 8, end: (line - 1) * 8 + 7, line, column: 1 },
    };
    let mut source_map: Vec<MapEntry> = (0..4).map(|number| entry(number, number + 1, vec![])).collect();
    source_map.push(entry(3, 5, vec![Turn { instruction: 0, taken: true }]));
    Artifact {
        contract: "Added".to_owned(),
        locking: Locking::P2s,
        sources: vec![SourceFile { path: "added.bmc".to_owned(), sha256: String::new() }],
        source_map,
        bytecode: vec![Piece::Code(code)],
        ..Artifact::default()
    }
}

/// A client that keeps what it was sent.
struct Talk {
    input: Vec<u8>,
    seq: i64,
}

impl Talk {
    fn new() -> Self {
        let mut talk = Self { input: Vec::new(), seq: 0 };
        talk.ask("initialize", json!({ "supportsVariableType": true }));
        talk
    }

    fn ask(&mut self, command: &str, arguments: Value) -> &mut Self {
        self.seq += 1;
        let message = json!({ "seq": self.seq, "type": "request", "command": command, "arguments": arguments });
        self.raw(message.to_string().as_bytes())
    }

    fn raw(&mut self, body: &[u8]) -> &mut Self {
        framing::write(&mut self.input, body).unwrap();
        self
    }

    /// Launches, and goes to the start.
    fn begin(&mut self, arguments: Value) -> &mut Self {
        let mut arguments = arguments;
        arguments["stopOnEntry"] = json!(true);
        self.ask("launch", arguments).ask("configurationDone", Value::Null)
    }

    /// All that the adapter says to this, if each run is made before the next message comes.
    fn said(&self) -> Vec<Value> {
        let (mut adapter, mut output) = (Adapter::new(Arc::new(Scripts)), Vec::new());
        let mut rest = self.input.as_slice();
        while let Some(body) = framing::read(&mut rest, 1 << 30).unwrap() {
            adapter.hear(&body, &mut output).unwrap();
            while let Some(order) = adapter.order() {
                adapter.take(made(&Scripts, order), &mut output).unwrap();
            }
            if adapter.has_left() {
                break;
            }
        }
        assert!(adapter.was_greeted());
        messages(&output)
    }

    /// The last response to a command.
    fn last(&self, command: &str) -> Value {
        let is_it = |message: &Value| message["type"] == "response" && message["command"] == command;
        self.said().into_iter().rfind(is_it).unwrap_or_else(|| panic!("no answer to {command}"))
    }

    /// Why it stopped, each time, with the line.
    fn stops(&self) -> Vec<String> {
        let said = self.said();
        let stopped = said.iter().filter(|message| message["event"] == "stopped" || message["event"] == "terminated");
        stopped.map(|message| message["body"]["reason"].as_str().unwrap_or("terminated").to_owned()).collect()
    }

    /// The line where it stands after all.
    fn line(&mut self) -> Value {
        self.ask("stackTrace", json!({ "threadId": 1 }));
        self.last("stackTrace")["body"]["stackFrames"][0]["line"].clone()
    }
}

/// What was sent.
fn messages(mut sent: &[u8]) -> Vec<Value> {
    std::iter::from_fn(|| framing::read(&mut sent, 1 << 30).unwrap())
        .map(|body| serde_json::from_slice(&body).unwrap())
        .collect()
}

#[test]
fn lines_are_stepped_through_in_both_directions() {
    let mut talk = Talk::new();
    talk.begin(json!({}));
    assert_eq!(talk.line(), 1);
    assert_eq!(talk.ask("next", json!({})).ask("stepIn", json!({})).line(), 3);
    assert_eq!(talk.ask("stepBack", json!({})).line(), 2);
    assert_eq!(talk.ask("reverseContinue", json!({})).line(), 1);
    assert_eq!(talk.ask("stepBack", json!({})).line(), 1, "before the first line there is none");
    assert_eq!(talk.ask("stepBack", json!({ "granularity": "instruction" })).line(), 0, "what the input pushes");
    talk.ask("continue", json!({})).ask("next", json!({}));
    assert_eq!(talk.stops(), ["entry", "step", "step", "step", "entry", "entry", "step", "terminated"]);
    assert!(talk.last("next")["message"].as_str().unwrap().contains("`restart`"));
    let said = talk.said();
    let output = said.iter().rfind(|message| message["event"] == "output").unwrap();
    assert!(output["body"]["output"].as_str().unwrap().starts_with("valid, cost "), "{output}");
    assert_eq!(said.iter().find(|message| message["event"] == "exited").unwrap()["body"]["exitCode"], 0);
    let seqs: Vec<i64> = said.iter().map(|message| message["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=i64::try_from(seqs.len()).unwrap()).collect::<Vec<_>>());
    // Begun anew, it stands at the start again.
    assert_eq!(talk.ask("restart", Value::Null).line(), 1);
}

#[test]
fn breakpoints_move_to_lines_with_code_and_tell_when_there_is_none() {
    let mut talk = Talk::new();
    let set = |lines: Value| json!({ "source": { "path": "/tmp/./added.bmc" }, "breakpoints": lines });
    talk.ask("setBreakpoints", set(json!([{ "line": 2 }])));
    assert_eq!(talk.last("setBreakpoints")["body"]["breakpoints"][0]["message"], "nothing runs yet");
    talk.ask("launch", json!({}));
    let said = talk.said();
    let changed = said.iter().find(|message| message["event"] == "breakpoint").unwrap();
    assert_eq!(
        (&changed["body"]["breakpoint"]["verified"], &changed["body"]["breakpoint"]["id"]),
        (&json!(true), &json!(1))
    );
    talk.ask("setBreakpoints", set(json!([{ "line": -5 }, { "line": 3, "condition": "stack[0] == 5" }, { "line": 9 }, { "line": 2, "condition": "1 +" }])));
    let told = talk.last("setBreakpoints")["body"]["breakpoints"].clone();
    assert_eq!((&told[0]["line"], &told[1]["line"], &told[2]["verified"]), (&json!(1), &json!(3), &json!(false)));
    assert!(told[2]["message"].as_str().unwrap().contains("no code comes from"), "{told}");
    assert!(told[3]["message"].as_str().unwrap().contains("a value is missing"), "{told}");
    talk.ask("breakpointLocations", json!({ "source": { "path": FILE }, "line": 2, "endLine": 70 }));
    assert_eq!(
        talk.last("breakpointLocations")["body"]["breakpoints"],
        json!([{ "line": 2 }, { "line": 3 }, { "line": 4 }, { "line": 5 }]),
        "also the line of a path that was not taken, of code that another shares"
    );
    assert_eq!(talk.ask("configurationDone", Value::Null).line(), 1);
    assert_eq!(talk.ask("continue", json!({})).line(), 3);
    assert_eq!(talk.ask("reverseContinue", json!({})).line(), 1);
    let hits: Vec<Value> = talk
        .said()
        .iter()
        .map(|message| message["body"]["hitBreakpointIds"].clone())
        .filter(|ids| !ids.is_null())
        .collect();
    assert_eq!(hits, [json!([2]), json!([3]), json!([2])]);
    talk.ask("setBreakpoints", set(json!([{ "line": 3, "condition": "stack[0] == 6" }]))).ask("continue", json!({}));
    assert_eq!(talk.stops().last().unwrap(), "terminated");
}

#[test]
fn a_refusal_stops_where_it_is_unless_nobody_wants_that() {
    let script = json!({ "script": "2 OP_ADD 6 OP_EQUALVERIFY 1" });
    let mut talk = Talk::new();
    talk.begin(script.clone()).ask("continue", json!({})).ask("exceptionInfo", json!({ "threadId": 1 }));
    let info = talk.last("exceptionInfo");
    assert_eq!(info["body"]["exceptionId"], "refused", "{info}");
    talk.ask("stepBack", json!({})).ask("exceptionInfo", json!({ "threadId": 1 }));
    assert_eq!(talk.last("exceptionInfo")["success"], false);
    talk.ask("next", json!({})).ask("next", json!({})).ask("next", json!({}));
    assert_eq!(talk.stops(), ["entry", "exception", "step", "step", "exception", "terminated"]);
    assert_eq!(talk.said().iter().find(|message| message["event"] == "exited").unwrap()["body"]["exitCode"], 1);

    let mut talk = Talk::new();
    talk.ask("setExceptionBreakpoints", json!({ "filters": [] })).begin(script).ask("continue", json!({}));
    assert_eq!(talk.stops(), ["entry", "terminated"]);
}

#[test]
fn it_stands_at_the_end_where_that_is_wanted_and_runs_without_stops_where_that_is() {
    let mut talk = Talk::new();
    talk.ask("launch", json!({ "stopAtEnd": true })).ask("configurationDone", Value::Null);
    talk.ask("evaluate", json!({ "expression": "stack[0] + 4" }));
    assert_eq!(talk.last("evaluate")["body"]["result"], "5", "one is left, which is true");
    talk.ask("stepBack", json!({})).ask("evaluate", json!({ "expression": "stack[0] + stack[1]" }));
    assert_eq!(talk.last("evaluate")["body"]["result"], "10");
    talk.ask("continue", json!({})).ask("continue", json!({}));
    assert_eq!(talk.stops(), ["end", "step", "end", "terminated"]);
    let mut talk = Talk::new();
    talk.ask("setBreakpoints", json!({ "source": { "path": FILE }, "breakpoints": [{ "line": 2 }] }));
    talk.ask("launch", json!({ "noDebug": true, "stopOnEntry": true })).ask("configurationDone", Value::Null);
    assert_eq!(talk.stops(), ["terminated"]);
}

#[test]
fn names_stacks_costs_and_the_transaction_are_seen() {
    let mut talk = Talk::new();
    talk.begin(json!({})).ask("next", json!({})).ask("next", json!({})).ask("stackTrace", json!({}));
    let frame = talk.last("stackTrace")["body"]["stackFrames"][0].clone();
    assert_eq!((&frame["name"], &frame["column"], &frame["endColumn"]), (&json!("Added"), &json!(1), &json!(8)));
    talk.ask("scopes", json!({ "frameId": frame["id"] }));
    let scopes = talk.last("scopes")["body"]["scopes"].clone();
    let reference = |name: &str| {
        scopes.as_array().unwrap().iter().find(|scope| scope["name"] == name).unwrap()["variablesReference"].clone()
    };
    let mut see = |reference: Value, more: Value| {
        let mut arguments = json!({ "variablesReference": reference });
        arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        talk.ask("variables", arguments);
        talk.last("variables")["body"]["variables"].clone()
    };
    let stack = see(reference("Stack"), Value::Null);
    assert_eq!((&stack[0]["value"], &stack[0]["evaluateName"]), (&json!("0x05 = 5"), &json!("stack[0]")));
    assert_eq!(see(reference("Stack"), json!({ "format": { "hex": true } }))[0]["value"], "0x05");
    assert_eq!(see(reference("Stack"), json!({ "start": usize::MAX, "count": usize::MAX })), json!([]));
    let forms = see(stack[0]["variablesReference"].clone(), Value::Null);
    assert_eq!(
        (&forms[0]["value"], &forms[1]["value"], &forms[2]["value"]),
        (&json!("0x05"), &json!("5"), &json!("1"))
    );
    let costs = see(reference("Cost"), json!({ "start": 1, "count": 1 }));
    assert_eq!((costs.as_array().unwrap().len(), &costs[0]["name"]), (1, &json!("budget")));
    let transaction = see(reference("Transaction"), Value::Null);
    let input = see(transaction[1]["variablesReference"].clone(), Value::Null);
    assert_eq!(input[2]["value"], "0x53");
    talk.ask("evaluate", json!({ "expression": "stack[0] * 2", "frameId": frame["id"], "context": "watch" }));
    assert_eq!(talk.last("evaluate")["body"]["result"], "10");
    for (expression, expected) in [("stack[0]", "0x05"), ("stack[0] * 100", "0xf401"), ("stack[0] == 5", "true")] {
        talk.ask("evaluate", json!({ "expression": expression, "format": { "hex": true } }));
        assert_eq!(talk.last("evaluate")["body"]["result"], expected, "{expression}");
    }
    talk.ask("evaluate", json!({ "expression": "nobody" }));
    let refused = talk.last("evaluate");
    assert!(refused["message"].as_str().unwrap().contains("is not on the stacks now"));
    assert_eq!(refused["body"]["error"]["showUser"], false, "a pointer over a word is no reason for a window");
    // What was seen before a step is not what is seen behind it, whatever is looked at there.
    talk.ask("next", json!({})).ask("stackTrace", json!({}));
    let next = talk.last("stackTrace")["body"]["stackFrames"][0]["id"].clone();
    talk.ask("scopes", json!({ "frameId": next }))
        .ask("variables", json!({ "variablesReference": reference("Stack") }));
    assert_eq!(talk.last("variables")["success"], false);
    talk.ask("restart", json!({})).ask("stackTrace", json!({}));
    let anew = talk.last("stackTrace")["body"]["stackFrames"][0]["id"].clone();
    talk.ask("scopes", json!({ "frameId": anew }))
        .ask("variables", json!({ "variablesReference": reference("Stack") }));
    assert_eq!(talk.last("variables")["success"], false);
    talk.ask("scopes", json!({ "frameId": frame["id"] }));
    assert_eq!(talk.last("scopes")["success"], false);
}

#[test]
fn code_is_listed_by_pages_and_stops_at_its_addresses() {
    let mut talk = Talk::new();
    talk.begin(json!({})).ask("stackTrace", json!({}));
    let here = talk.last("stackTrace")["body"]["stackFrames"][0]["instructionPointerReference"].clone();
    let page = |offset: i64, count: i64| json!({ "memoryReference": here, "instructionOffset": offset, "instructionCount": count });
    talk.ask("disassemble", page(-3, 9));
    let listed = talk.last("disassemble")["body"]["instructions"].clone();
    let words: Vec<&str> = listed.as_array().unwrap().iter().map(|one| one["instruction"].as_str().unwrap()).collect();
    assert_eq!(words, ["", "", "OP_3", "OP_2", "OP_ADD", "OP_5", "OP_EQUAL", "", ""]);
    assert_eq!(
        (&listed[3]["line"], &listed[3]["symbol"], &listed[3]["location"]["path"]),
        (&json!(1), &json!("Added"), &json!(FILE))
    );
    assert_eq!((&listed[8]["presentationHint"], &listed[4]["instructionBytes"]), (&json!("invalid"), &json!("93")));
    let addresses: Vec<u64> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|one| u64::from_str_radix(&one["address"].as_str().unwrap()[2..], 16).unwrap())
        .collect();
    assert!(addresses.is_sorted_by(|one, next| one < next), "{addresses:?}");
    for (offset, count) in [(i64::MIN, 3), (i64::MAX, i64::MAX), (0, -1)] {
        talk.ask("disassemble", page(offset, count));
        let listed = talk.last("disassemble")["body"]["instructions"].as_array().unwrap().len();
        assert!(listed <= 10_000, "{listed}");
    }
    talk.ask("setInstructionBreakpoints", json!({ "breakpoints": [
        { "instructionReference": here, "offset": 2 }, { "instructionReference": "0xffffffffffff" }, { "instructionReference": "x" },
        { "instructionReference": here, "offset": -1 }, { "instructionReference": here, "offset": 4 }] }));
    let told = talk.last("setInstructionBreakpoints")["body"]["breakpoints"].clone();
    assert_eq!(told[0]["verified"], true);
    for none in &told.as_array().unwrap()[1..] {
        assert_eq!(none["message"], "there is no instruction at this address", "{told}");
    }
    assert_eq!(talk.ask("continue", json!({})).line(), 3);
    assert_eq!(talk.stops(), ["entry", "instruction breakpoint"]);
}

#[test]
fn sources_that_are_no_files_are_given() {
    let mut talk = Talk::new();
    talk.begin(json!({ "library": true })).ask("loadedSources", Value::Null);
    let source = talk.last("loadedSources")["body"]["sources"][0].clone();
    assert_eq!(source["sourceReference"], 1, "{source}");
    talk.ask("source", json!({ "source": source, "sourceReference": 1 }));
    assert!(talk.last("source")["body"]["content"].as_str().unwrap().starts_with("let two\n"));
    talk.ask("setBreakpoints", json!({ "source": source, "breakpoints": [{ "line": 2 }] })).ask("continue", json!({}));
    assert_eq!(talk.line(), 2);
    // In another run it may have another number, and its number be that of another.
    talk.ask("restart", json!({ "arguments": { "library": true, "another": true } }));
    talk.ask("loadedSources", Value::Null);
    let moved = talk.last("loadedSources")["body"]["sources"][1].clone();
    assert_eq!((&moved["name"], &moved["sourceReference"]), (&json!(LIBRARY), &json!(2)));
    let told = talk.said().into_iter().rfind(|message| message["event"] == "breakpoint").unwrap();
    assert_eq!(told["body"]["breakpoint"]["source"], moved, "{told}");
    talk.ask("setBreakpoints", json!({ "source": moved, "breakpoints": [] })).ask("continue", json!({}));
    assert_eq!(talk.stops().last().unwrap(), "terminated", "none is left under the old number");
    talk.ask("source", json!({ "sourceReference": 7 }));
    assert_eq!(talk.last("source")["success"], false);
}

#[test]
fn what_is_malformed_too_early_or_unknown_gets_an_error_and_stops_nobody() {
    let mut talk = Talk { input: Vec::new(), seq: 0 };
    talk.ask("launch", json!({}));
    assert!(talk.ask("initialize", json!({})).last("launch")["message"].as_str().unwrap().contains("`initialize`"));
    let mut talk = Talk::new();
    let early = [
        "threads",
        "stackTrace",
        "continue",
        "next",
        "restart",
        "configurationDone",
        "terminate",
        "exceptionInfo",
        "loadedSources",
    ];
    for command in early {
        assert!(
            talk.ask(command, Value::Null).last(command)["message"].as_str().unwrap().contains("`launch`"),
            "{command}"
        );
    }
    for body in [
        &b"{ no"[..],
        b"[]",
        b"5",
        b"\xff",
        b"{}",
        b"{\"type\":\"request\"}",
        b"{\"seq\":9,\"type\":\"request\",\"command\":7}",
        &b"[".repeat(100_000),
    ] {
        talk.raw(body);
        let said = talk.said();
        assert_eq!(
            said.last().unwrap()["success"],
            false,
            "{:?}",
            String::from_utf8_lossy(&body[..body.len().min(50)])
        );
    }
    talk.raw(br#"{"seq":1,"type":"response","command":"x"}"#);
    let before = talk.said().len();
    talk.ask("launch", json!({ "refuse": true }));
    let said = talk.said();
    assert_eq!(said.len(), before + 2);
    assert_eq!(
        (&said[before]["message"], &said[before + 1]["body"]["output"]),
        (&json!("no\nhelp: yes"), &json!("why\n"))
    );
    for (command, arguments) in [
        ("nonsense", json!({})),
        ("attach", json!({})),
        ("launch", json!({ "stopOnEntry": "perhaps" })),
        ("launch", json!({ "panic": true })),
        ("scopes", json!({ "frameId": i64::MIN })),
        ("variables", json!({ "variablesReference": i64::MAX })),
        ("variables", json!({ "variablesReference": -1, "count": -1 })),
        ("setBreakpoints", json!({ "source": 5 })),
        ("disassemble", json!({ "memoryReference": "", "instructionCount": 1 })),
        ("evaluate", json!({ "expression": "(".repeat(100_000) })),
        ("initialize", json!({ "pathFormat": "uri" })),
    ] {
        assert_eq!(talk.ask(command, arguments).last(command)["success"], false, "{command}");
    }
    assert_eq!(talk.begin(json!({})).line(), 1);
    for (command, arguments) in [
        ("launch", json!({})),
        ("configurationDone", json!({})),
        ("scopes", json!({ "frameId": 9_999 })),
        ("variables", json!({ "variablesReference": 9_999 })),
        ("evaluate", json!({ "expression": "(".repeat(100_000) })),
        ("next", json!({ "granularity": "leap" })),
    ] {
        assert_eq!(talk.ask(command, arguments).last(command)["success"], false, "{command}");
    }
    for command in ["pause", "cancel", "terminate", "disconnect", "threads"] {
        talk.ask(command, Value::Null);
    }
    // Behind `disconnect` nobody answers.
    let said = talk.said();
    assert_eq!(said.last().unwrap()["command"], "disconnect");
    assert_eq!(said[said.len() - 2]["event"], "terminated");
}

#[test]
fn a_launch_that_panics_says_so_and_the_next_one_is_made() {
    let mut talk = Talk::new();
    talk.ask("launch", json!({ "panic": true }));
    let message = talk.last("launch")["message"].clone();
    assert!(message.as_str().unwrap().contains("has panicked\nhelp: this is a bug: please report it"), "{message}");
    assert_eq!(talk.begin(json!({})).line(), 1);
}

#[test]
fn what_comes_in_an_odd_order_is_told_as_it_is() {
    let refused = |talk: &Talk, command: &str, expected: &str| {
        let message = talk.last(command)["message"].clone();
        assert!(message.as_str().is_some_and(|message| message.contains(expected)), "{command}: {message}");
    };
    // What is nothing was not said.
    let mut talk = Talk::new();
    talk.ask("launch", json!({ "stopOnEntry": null, "stopAtEnd": true })).ask("configurationDone", Value::Null);
    assert_eq!(talk.stops(), ["end"]);
    refused(talk.ask("configurationDone", Value::Null), "configurationDone", "it runs already");
    // It ends once, and what has ended does not run.
    talk.ask("terminate", Value::Null).ask("terminate", Value::Null);
    assert_eq!(talk.stops(), ["end", "terminated"]);
    refused(talk.ask("configurationDone", Value::Null), "configurationDone", "the run has ended");
    refused(talk.ask("launch", json!({})), "launch", "something was launched already: say `restart`");
    // Who has not said yet where to stop says it behind a restart too.
    let mut talk = Talk::new();
    talk.ask("launch", json!({ "stopOnEntry": true })).ask("restart", Value::Null);
    assert_eq!(talk.stops(), [""; 0]);
    talk.ask("configurationDone", Value::Null);
    assert_eq!(
        (talk.last("configurationDone")["success"].clone(), talk.stops()),
        (json!(true), vec!["entry".to_owned()])
    );
}

#[test]
fn of_several_breakpoints_at_one_place_each_counts() {
    let set = |conditions: [&str; 2]| {
        let lines: Vec<Value> =
            conditions.iter().map(|condition| json!({ "line": 3, "condition": condition })).collect();
        json!({ "source": { "path": FILE }, "breakpoints": lines })
    };
    for (conditions, stops) in [
        (["stack[0] == 5", "stack[0] == 6"], true),
        (["stack[0] == 6", "stack[0] == 5"], true),
        (["stack[0] == 6", "stack[0] == 7"], false),
        (["stack[0] == 6", ""], true),
        (["", "stack[0] == 6"], true),
    ] {
        let mut talk = Talk::new();
        talk.ask("launch", json!({})).ask("setBreakpoints", set(conditions)).ask("configurationDone", Value::Null);
        let expected = if stops { "breakpoint" } else { "terminated" };
        assert_eq!(talk.stops(), [expected], "{conditions:?}");
    }
}

#[test]
fn a_condition_that_never_had_a_value_is_told_at_the_end() {
    let told = |lines: Value| {
        let mut talk = Talk::new();
        talk.ask("launch", json!({}));
        talk.ask("setBreakpoints", json!({ "source": { "path": FILE }, "breakpoints": lines }));
        // To set others forgets nothing.
        talk.ask("setInstructionBreakpoints", json!({ "breakpoints": [] })).ask("configurationDone", Value::Null);
        let outputs = talk.said().into_iter().filter(|message| message["event"] == "output");
        let texts = outputs.map(|message| message["body"]["output"].as_str().unwrap().to_owned());
        texts.filter(|text| text.starts_with("the condition")).collect::<Vec<_>>()
    };
    let found = told(json!([{ "line": 2, "condition": "ammount > 5" }, { "line": 3, "condition": "stack[0] > 5" }]));
    assert_eq!(found, ["the condition `ammount > 5` never had a value: `ammount` is not on the stacks now\n"]);
    // Nobody came there.
    assert_eq!(told(json!([{ "line": 5, "condition": "ammount > 5" }])), [""; 0]);
}

#[test]
fn one_source_may_be_named_in_several_ways() {
    let mut talk = Talk::new();
    talk.ask("launch", json!({}));
    for source in [json!({ "path": FILE }), json!({ "path": FILE, "sourceReference": 0, "name": "added.bmc" })] {
        talk.ask("setBreakpoints", json!({ "source": source, "breakpoints": [{ "line": 2 }] }));
        assert_eq!(talk.last("setBreakpoints")["body"]["breakpoints"][0]["verified"], true);
    }
    talk.ask("setBreakpoints", json!({ "source": { "path": FILE }, "breakpoints": [] }));
    assert_eq!(talk.ask("configurationDone", Value::Null).stops(), ["terminated"]);
}

#[test]
fn there_is_an_end_to_the_breakpoints_of_a_source() {
    let mut talk = Talk::new();
    let lines = |count: usize| json!({ "source": { "path": FILE }, "breakpoints": vec![json!({ "line": 1 }); count] });
    talk.ask("setBreakpoints", lines(10_000));
    assert_eq!(talk.last("setBreakpoints")["success"], true);
    talk.ask("setBreakpoints", lines(10_001));
    assert!(talk.last("setBreakpoints")["message"].as_str().unwrap().contains("at most 10000 breakpoints"));
}

#[test]
fn code_of_another_contract_has_not_the_name_of_this() {
    let mut talk = Talk::new();
    talk.begin(json!({ "other": true }))
        .ask("next", json!({ "granularity": "instruction" }))
        .ask("stackTrace", json!({}));
    let frame = talk.last("stackTrace")["body"]["stackFrames"][0].clone();
    assert_eq!((&frame["name"], &frame["line"]), (&json!("locking bytecode"), &json!(0)), "{frame}");
    talk.ask("setBreakpoints", json!({ "source": { "path": FILE }, "breakpoints": [{ "line": 1 }] }));
    assert_eq!(talk.last("setBreakpoints")["body"]["breakpoints"][0]["verified"], false);
}

#[test]
fn a_refusal_behind_what_is_recorded_is_told_as_that() {
    let script = "40000 OP_BEGIN OP_1SUB OP_DUP OP_NOT OP_UNTIL OP_VERIFY";
    let mut talk = Talk::new();
    talk.ask("launch", json!({ "script": script, "pushes": 9_999 })).ask("configurationDone", Value::Null);
    let stopped = talk.said().into_iter().find(|message| message["event"] == "stopped").unwrap();
    let description = "refused later: the run was too long, and its end is missing";
    assert_eq!(
        (&stopped["body"]["reason"], &stopped["body"]["description"]),
        (&json!("exception"), &json!(description))
    );
}

/// Makes no run before it is told to.
struct Slow {
    begun: Sender<()>,
    go: Mutex<Receiver<()>>,
}

impl Launcher for Slow {
    fn launch(&self, arguments: &Value) -> Result<Run, Refusal> {
        let _ = self.begun.send(());
        let _ = self.go.lock().unwrap().recv();
        Scripts.launch(arguments)
    }

    fn is_same_file(&self, one: &str, other: &str) -> bool {
        Scripts.is_same_file(one, other)
    }
}

/// The commands that were answered, in their order, with whether it could be done or else why not.
fn answers(sent: &[u8]) -> Vec<String> {
    let said = messages(sent)
        .into_iter()
        .filter(|message| message["type"] == "response" && message["command"] != "initialize");
    said.map(|answer| {
        let what = if answer["success"] == true { "done" } else { answer["message"].as_str().unwrap() };
        format!("{}: {what}", answer["command"].as_str().unwrap())
    })
    .collect()
}

/// What is said to a conversation whose first launch is slow; `go` says whether it ever ends.
fn while_launching(ask: impl FnOnce(&mut Talk), goes: bool) -> Vec<String> {
    let ((begun, has_begun), (go, gone)) = (channel(), channel());
    let launcher = Arc::new(Slow { begun, go: Mutex::new(gone) });
    let (input, mut said) = pipe().unwrap();
    let serving = thread::spawn(move || {
        let mut output = Vec::new();
        assert!(serve(BufReader::new(input), &mut output, launcher).unwrap());
        output
    });
    let mut talk = Talk::new();
    talk.ask("launch", json!({ "stopOnEntry": true }));
    said.write_all(&std::mem::take(&mut talk.input)).unwrap();
    has_begun.recv().unwrap();
    ask(&mut talk);
    said.write_all(&talk.input).unwrap();
    if goes {
        go.send(()).unwrap();
    }
    drop(said);
    answers(&serving.join().unwrap())
}

#[test]
fn who_wants_to_end_a_launch_is_heard_while_it_is_made() {
    // The launch is the second request.
    let cancelled = while_launching(
        |talk| {
            talk.ask("threads", Value::Null).ask("evaluate", json!({ "expression": "1" })).ask("pause", Value::Null);
            talk.ask("cancel", json!({ "requestId": 4 })).ask("cancel", json!({ "requestId": 2 }));
        },
        false,
    );
    let nothing = "threads: nothing runs: say `launch` first";
    assert_eq!(
        cancelled,
        ["pause: done", "evaluate: cancelled", "cancel: done", "launch: cancelled", "cancel: done", nothing]
    );
    for last in ["terminate", "disconnect"] {
        let ended = while_launching(
            |talk| {
                talk.ask(last, Value::Null);
            },
            false,
        );
        assert_eq!(ended, ["launch: cancelled".to_owned(), format!("{last}: done")]);
    }
}

#[test]
fn all_else_waits_until_a_launch_is_made() {
    let ask = |talk: &mut Talk| {
        talk.ask("configurationDone", Value::Null).ask("next", json!({}));
    };
    assert_eq!(while_launching(ask, true), ["launch: done", "configurationDone: done", "next: done"]);
}

#[test]
fn input_that_breaks_off_is_an_error() {
    for (text, expected) in
        [("Content-Length: 99999999999\r\n\r\n{}", "more than"), ("Content-Length: 20\r\n\r\n{}", "ends in the middle")]
    {
        let error = serve(text.as_bytes(), &mut Vec::new(), Arc::new(Scripts)).unwrap_err();
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
    assert!(!serve(&b"no message at all"[..], &mut Vec::new(), Arc::new(Scripts)).unwrap());
}
